//! Tells a program for what its calls wait.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tracing::info;

use super::end_of_wait;
use crate::Clock;

tokio::task_local! {
    static OBSERVER: Observer;
}

struct Observer(Arc<dyn Fn(&LimitWait) + Send + Sync>);

/// A call waits for a second or longer, because a service limits the number of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitWait {
    /// The origin of the service, such as `https://acme.okta.com`.
    pub origin: String,
    /// The bucket of the limit, such as `/api/v1/users`, or the path of the call if the service itself asked to wait.
    pub limit: String,
    /// The end of the wait, at most a year away.
    pub until: SystemTime,
}

impl LimitWait {
    /// Runs `work`, and calls `observer` at the start of each wait of its calls.
    ///
    /// The observer applies to the future that it is given with, and not to tasks that this future spawns. Within another
    /// scope, the inner observer takes the place of the outer one.
    pub async fn scope<F: Future>(
        observer: impl Fn(&Self) + Send + Sync + 'static,
        work: F,
    ) -> F::Output {
        OBSERVER.scope(Observer(Arc::new(observer)), work).await
    }

    /// Reports a wait that starts now, unless it is short. Returns whether it was reported.
    pub(crate) fn report(origin: &str, limit: &str, wait: Duration, clock: &dyn Clock) -> bool {
        if wait < REPORTED_WAIT {
            return false;
        }
        let until = end_of_wait(clock.now(), wait);
        let date = httpdate::fmt_http_date(until);
        info!(
            origin,
            limit,
            ?wait,
            until = date,
            "waiting for a rate limit"
        );
        let report = Self {
            origin: origin.to_owned(),
            limit: limit.to_owned(),
            until,
        };
        // A call outside of a scope has no observer.
        let _ = OBSERVER.try_with(|observer| (observer.0)(&report));
        true
    }
}

/// Shortest wait that is worth a message.
const REPORTED_WAIT: Duration = Duration::from_secs(1);
