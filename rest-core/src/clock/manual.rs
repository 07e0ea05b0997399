//! A clock that tests control.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

use super::Clock;

/// A clock for tests that advances only by sleeping or by [`advance`](Self::advance).
///
/// [`sleep`](Clock::sleep) completes immediately. It moves [`now`](Clock::now) forward by the
/// duration, records the duration and calls the hooks. A test of "waits 7 s" therefore takes
/// microseconds and can assert the 7 s. Clones share one time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use rest_core::{Clock, ManualClock};
///
/// let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
/// futures::executor::block_on(clock.sleep(Duration::from_secs(7)));
/// assert_eq!(clock.slept(), [Duration::from_secs(7)]);
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(7));
/// ```
#[derive(Clone)]
pub struct ManualClock {
    shared: Arc<Mutex<Shared>>,
}

impl ManualClock {
    /// Returns a clock set to `start`.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        let shared = Shared {
            now: start,
            slept: Vec::new(),
            hooks: Vec::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// Moves the time forward without a sleep; no hook is called.
    pub fn advance(&self, duration: Duration) {
        self.lock().now += duration;
    }

    /// Returns the durations of all sleeps so far, oldest first.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    /// Registers a hook that is called with the duration of each later sleep, after the time moved.
    ///
    /// A simulated service uses this to make progress while its client waits.
    pub fn on_sleep(&self, hook: impl Fn(Duration) + Send + Sync + 'static) {
        self.lock().hooks.push(Arc::new(hook));
    }

    fn elapse(&self, duration: Duration) {
        let hooks = {
            let mut shared = self.lock();
            shared.now += duration;
            shared.slept.push(duration);
            shared.hooks.clone()
        };
        // The hooks run without the lock, because a hook may read the time.
        for hook in hooks {
            hook(duration);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic in another thread of a test does not invalidate the time.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { clock.elapse(duration) })
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("ManualClock")
            .field("now", &shared.now)
            .field("slept", &shared.slept)
            .finish_non_exhaustive()
    }
}

type Hook = Arc<dyn Fn(Duration) + Send + Sync>;

struct Shared {
    now: SystemTime,
    slept: Vec<Duration>,
    hooks: Vec<Hook>,
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::{Duration, SystemTime},
    };

    use futures::executor::block_on;

    use super::{Clock, ManualClock};

    #[test]
    fn a_sleep_moves_the_time_and_is_recorded() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let clone = clock.clone();
        block_on(clone.sleep(Duration::from_secs(2)));
        block_on(clone.sleep(Duration::from_millis(5)));
        assert_eq!(
            clock.slept(),
            [Duration::from_secs(2), Duration::from_millis(5)]
        );
        assert_eq!(
            clock.now(),
            SystemTime::UNIX_EPOCH + Duration::from_millis(2005)
        );
    }

    #[test]
    fn a_sleep_that_is_never_polled_does_not_move_the_time() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        drop(clock.sleep(Duration::from_secs(2)));
        assert_eq!(clock.slept(), []);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn a_hook_sees_every_sleep_after_the_time_has_moved() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let seen = Arc::new(Mutex::new(Vec::new()));
        clock.on_sleep({
            let (clock, seen) = (clock.clone(), Arc::clone(&seen));
            move |duration| seen.lock().unwrap().push((duration, clock.now()))
        });
        block_on(clock.sleep(Duration::from_secs(3)));
        let three = Duration::from_secs(3);
        assert_eq!(
            *seen.lock().unwrap(),
            [(three, SystemTime::UNIX_EPOCH + three)]
        );
    }

    #[test]
    fn advance_is_not_recorded_as_a_sleep() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        clock.advance(Duration::from_secs(9));
        assert_eq!(clock.slept(), []);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(9));
    }
}
