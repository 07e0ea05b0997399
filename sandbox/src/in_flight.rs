//! The requests to Okta that are not answered yet, and the limit on their number.

use std::sync::Arc;

use tokio::sync::watch;

/// The requests in flight. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    limit: Option<usize>,
    count: Arc<watch::Sender<usize>>,
    held: Arc<watch::Sender<bool>>,
}

/// One request in flight, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket(InFlight);

impl InFlight {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            count: Arc::new(watch::Sender::new(0)),
            held: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Counts one more request, or returns `None` if the limit is reached.
    pub(crate) fn enter(&self) -> Option<Ticket> {
        let entered = self.count.send_if_modified(|count| {
            let free = self.limit.is_none_or(|limit| *count < limit);
            *count += usize::from(free);
            free
        });
        entered.then(|| Ticket(self.clone()))
    }
}

impl Ticket {
    /// Waits until no [`HeldRequests`] holds the request.
    pub(crate) async fn released(&self) {
        // The sender is alive, because the ticket has it.
        let _ = self.0.held.subscribe().wait_for(|held| !held).await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.count.send_modify(|count| *count -= 1);
    }
}

/// Holds the responses of Okta until it is dropped.
#[derive(Debug)]
#[must_use = "the requests are held until this value is dropped"]
pub struct HeldRequests(InFlight);

impl HeldRequests {
    pub(crate) fn new(in_flight: &InFlight) -> Self {
        in_flight.held.send_replace(true);
        Self(in_flight.clone())
    }

    /// Waits until at least this number of requests is in flight.
    pub async fn wait_for(&self, requests: usize) {
        self.wait(|count| count >= requests).await;
    }

    /// Waits until at most this number of requests is in flight, because clients have given up.
    pub async fn wait_until_at_most(&self, requests: usize) {
        self.wait(|count| count <= requests).await;
    }

    async fn wait(&self, reached: impl Fn(usize) -> bool) {
        let mut count = self.0.count.subscribe();
        // The sender is alive, because this value has it.
        let _ = count.wait_for(|count| reached(*count)).await;
    }
}

impl Drop for HeldRequests {
    fn drop(&mut self) {
        self.0.held.send_replace(false);
    }
}
