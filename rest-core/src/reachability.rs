//! Remembers the services that a call found unreachable, for the calls after it.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::Clock;

tokio::task_local! {
    static CURRENT: Reachability;
}

/// The services that the calls of one piece of work found unreachable.
///
/// Within [`scope`](Self::scope), a service is unreachable after all attempts of one call to it ended
/// without a usable response: no connection, a timeout, or a 5xx status whose body is not the
/// service's own. Each later call to it fails at once with [`Unreachable`], instead of using up all
/// its attempts again. A call outside of a scope remembers nothing.
///
/// The scope applies to the future that it contains, and not to tasks that this future spawns.
///
/// ```
/// use std::io;
/// use rest_core::Reachability;
///
/// # futures::executor::block_on(async {
/// let url = "https://api.example.com";
/// Reachability::scope(async {
///     assert!(Reachability::check(url).is_ok());
///     Reachability::record(url, &io::Error::other("connection refused"));
///     assert!(Reachability::check(url).is_err());
/// })
/// .await;
/// assert!(Reachability::check(url).is_ok());
/// # });
/// ```
#[derive(Debug, Default)]
pub struct Reachability {
    unreachable: Mutex<BTreeMap<String, Found>>,
    expiry: Option<Expiry>,
}

/// A service that was found unreachable.
#[derive(Debug)]
struct Found {
    cause: Unreachable,
    /// The time of the clock of the expiry.
    at: Duration,
}

#[derive(Debug)]
struct Expiry {
    after: Duration,
    clock: Arc<dyn Clock>,
}

impl Reachability {
    /// Runs `work` with an empty memory of unreachable services.
    pub async fn scope<F: Future>(work: F) -> F::Output {
        CURRENT.scope(Self::default(), work).await
    }

    /// Runs `work` with an empty memory, which forgets a service after some time of this clock. The next call then finds out
    /// again whether it is reachable.
    pub async fn scope_with_expiry<F: Future>(
        after: Duration,
        clock: Arc<dyn Clock>,
        work: F,
    ) -> F::Output {
        let memory = Self {
            expiry: Some(Expiry { after, clock }),
            ..Self::default()
        };
        CURRENT.scope(memory, work).await
    }

    /// Fails if a call of this scope found the service at `origin` unreachable.
    ///
    /// # Errors
    ///
    /// Returns the cause of the first such call.
    pub fn check(origin: &str) -> Result<(), Unreachable> {
        let known = CURRENT.try_with(|current| current.find(origin));
        known.ok().flatten().map_or(Ok(()), Err)
    }

    /// Records that all attempts of a call to the service at `origin` ended without a usable
    /// response.
    pub fn record(origin: &str, cause: &dyn StdError) {
        // Outside of a scope, there is no memory.
        let _ = CURRENT.try_with(|current| {
            if current.find(origin).is_none() {
                let found = Found {
                    cause: Unreachable::new(origin, cause),
                    at: current.now(),
                };
                current.lock().insert(origin.to_owned(), found);
            }
        });
    }

    /// Returns the cause if the service was found unreachable and this is not forgotten.
    fn find(&self, origin: &str) -> Option<Unreachable> {
        let unreachable = self.lock();
        let found = unreachable.get(origin)?;
        let age = self.now().saturating_sub(found.at);
        let is_forgotten = self
            .expiry
            .as_ref()
            .is_some_and(|expiry| age >= expiry.after);
        (!is_forgotten).then(|| found.cause.clone())
    }

    fn now(&self) -> Duration {
        let expiry = self.expiry.as_ref();
        expiry.map_or(Duration::ZERO, |expiry| expiry.clock.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Found>> {
        self.unreachable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call that was not sent, because an earlier call found the service unreachable.
///
/// Its source is the cause of the earlier call.
#[derive(Debug, Clone)]
pub struct Unreachable(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: String,
    cause: Cause,
}

impl Unreachable {
    fn new(origin: &str, cause: &dyn StdError) -> Self {
        Self(Arc::new(Inner {
            origin: origin.to_owned(),
            cause: Cause::copy(cause),
        }))
    }

    /// Returns the origin of the service, such as `https://api.example.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an earlier call found {} unreachable after all its attempts",
            self.0.origin
        )
    }
}

impl StdError for Unreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0.cause)
    }
}

/// The texts of an error and its sources: the error itself belongs to the earlier call.
#[derive(Debug)]
struct Cause {
    message: String,
    source: Option<Box<Self>>,
}

impl Cause {
    fn copy(error: &dyn StdError) -> Self {
        Self {
            message: error.to_string(),
            source: error.source().map(|source| Box::new(Self::copy(source))),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
