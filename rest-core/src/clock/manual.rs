//! A clock that tests move by hand.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

use super::Clock;

/// A clock that stands still until somebody sleeps on it.
///
/// [`sleep`](Clock::sleep) returns at once: it moves [`now`](Clock::now) ahead by the whole
/// duration, writes the duration down and calls the hooks, so that a test of "waits 7 s" takes
/// microseconds and can assert the 7. Clones share one time.
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
    /// Returns a clock that shows `start`.
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

    /// Moves the time ahead without anybody sleeping; no hook is called.
    pub fn advance(&self, duration: Duration) {
        self.lock().now += duration;
    }

    /// Returns every sleep so far, oldest first.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    /// Calls `hook` with the duration of every later sleep, after the time has moved.
    ///
    /// This is how a simulated world keeps up with the client that waits for it.
    pub fn on_sleep(&self, hook: impl Fn(Duration) + Send + Sync + 'static) {
        self.lock().hooks.push(Arc::new(hook));
    }

    fn pass(&self, duration: Duration) {
        let hooks = {
            let mut shared = self.lock();
            shared.now += duration;
            shared.slept.push(duration);
            shared.hooks.clone()
        };
        // Outside the lock: a hook may well ask for the time.
        for hook in hooks {
            hook(duration);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic elsewhere in a test does not make the time wrong.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { clock.pass(duration) })
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
    fn sleeping_moves_the_time_and_is_written_down() {
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
    fn a_sleep_that_is_never_polled_takes_no_time() {
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
    fn advancing_is_not_sleeping() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        clock.advance(Duration::from_secs(9));
        assert_eq!(clock.slept(), []);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(9));
    }
}
