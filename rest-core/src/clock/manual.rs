//! A clock that tests control.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

use super::{Clock, Hold};

/// A clock for tests that advances only by sleeping or by [`advance`](Self::advance).
///
/// [`sleep`](Clock::sleep) takes no real time. A test of "waits 7 s" therefore takes microseconds
/// and can assert the 7 s. Clones share one time.
///
/// Sleeps in parallel count as parallel: 15 parallel sleeps of 10 s move the time by 10 s, and by
/// 150 s in sequence. A sleep registers its deadline at its first poll. The time moves to the
/// earliest deadline as soon as the program only sleeps:
///
/// - no [`Hold`] exists, so no request is in flight, and
/// - a sleep was polled 8 times in a row, while no sleep began or ended and no hold was taken or
///   dropped. A sleep yields after each poll ([`tokio::task::yield_now`]), so all other tasks of
///   the runtime run in between.
///
/// All sleeps with this deadline then end together, in the order in which they were registered.
/// Dropping a sleep removes its deadline, so a cancelled sleep does not move the time.
///
/// The second condition does not detect work that another thread does without a hold, such as
/// writing a file: the time may move meanwhile. It never prevents such work from ending.
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
            elapsed: Duration::ZERO,
            sleepers: BTreeMap::new(),
            registered: 0,
            round_trip: Duration::ZERO,
            holds: 0,
            activity: 0,
            slept: Vec::new(),
            hooks: Vec::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// Moves the time forward and ends the sleeps that are due; no hook is called.
    pub fn advance(&self, duration: Duration) {
        let due = self.lock().move_by(duration);
        wake_all(due);
    }

    /// Sets [`now`](Clock::now), as an operator or a time service sets the clock of a computer.
    ///
    /// [`elapsed`](Clock::elapsed) and the sleeps do not change.
    pub fn set(&self, now: SystemTime) {
        self.lock().now = now;
    }

    /// Sets the [time that a request takes](Clock::round_trip), so that a test of many requests sees how
    /// long they take in a network.
    pub fn set_round_trip(&self, round_trip: Duration) {
        self.lock().round_trip = round_trip;
    }

    /// Returns the durations of all sleeps that ended, in the order of their ends.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    /// Registers a hook that is called each time that sleeping moves the time, after the move, with
    /// the duration of the move.
    ///
    /// A simulated service uses this to make progress while its client waits. The durations add up
    /// to the time that all sleeps together took.
    pub fn on_sleep(&self, hook: impl Fn(Duration) + Send + Sync + 'static) {
        self.lock().hooks.push(Arc::new(hook));
    }

    /// Moves the time to the earliest deadline.
    fn move_to_next_deadline(&self) {
        let (duration, due, hooks) = {
            let mut shared = self.lock();
            let Some((deadline, _)) = shared.sleepers.keys().next().copied() else {
                return;
            };
            let duration = deadline.saturating_sub(shared.elapsed);
            let due = shared.move_by(duration);
            (duration, due, shared.hooks.clone())
        };
        // The hooks run without the lock, because a hook may read the time. They run before the
        // sleeps end, so that a client that wakes up sees what a service did meanwhile.
        for hook in hooks {
            hook(duration);
        }
        wake_all(due);
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

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    fn timeline(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.shared).addr())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            clock: self.clone(),
            duration,
            key: None,
            quiet_polls: 0,
            seen_activity: 0,
        })
    }

    fn round_trip(&self) -> Duration {
        self.lock().round_trip
    }

    fn hold(&self) -> Hold {
        {
            let mut shared = self.lock();
            shared.holds += 1;
            shared.activity += 1;
        }
        let clock = self.clone();
        Hold::new(move || {
            let sleepers = clock.lock().release();
            wake_all(sleepers);
        })
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

/// A deadline as elapsed time, and the number of the registration.
type Key = (Duration, u64);

struct Shared {
    now: SystemTime,
    elapsed: Duration,
    /// The sleeps whose deadline is not reached.
    sleepers: BTreeMap<Key, Sleeper>,
    /// Number of sleeps registered so far.
    registered: u64,
    /// The time that a request takes.
    round_trip: Duration,
    /// Number of holds that exist.
    holds: usize,
    /// Changes when a sleep begins or ends, and when a hold is taken or dropped.
    activity: u64,
    slept: Vec<Duration>,
    hooks: Vec<Hook>,
}

struct Sleeper {
    duration: Duration,
    waker: Waker,
}

impl Shared {
    /// Moves the time and removes the sleeps that are due. Returns their wakers in order.
    fn move_by(&mut self, duration: Duration) -> Vec<Waker> {
        self.now += duration;
        self.elapsed += duration;
        self.activity += 1;
        let later = self.sleepers.split_off(&(self.elapsed, u64::MAX));
        let due = std::mem::replace(&mut self.sleepers, later);
        let mut wakers = Vec::with_capacity(due.len());
        for sleeper in due.into_values() {
            self.slept.push(sleeper.duration);
            wakers.push(sleeper.waker);
        }
        wakers
    }

    /// Drops one hold. After the last one, returns the wakers of all sleeps.
    fn release(&mut self) -> Vec<Waker> {
        self.holds -= 1;
        self.activity += 1;
        if self.holds > 0 {
            return Vec::new();
        }
        let sleepers = self.sleepers.values();
        sleepers.map(|sleeper| sleeper.waker.clone()).collect()
    }
}

fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

/// The future of [`ManualClock::sleep`].
struct Sleep {
    clock: ManualClock,
    duration: Duration,
    /// `None` before the first poll.
    key: Option<Key>,
    /// Number of polls in a row without activity.
    quiet_polls: u32,
    seen_activity: u64,
}

impl Sleep {
    fn register(&self, shared: &mut Shared, waker: &Waker) -> Key {
        shared.registered += 1;
        shared.activity += 1;
        let key = (
            shared.elapsed.saturating_add(self.duration),
            shared.registered,
        );
        let sleeper = Sleeper {
            duration: self.duration,
            waker: waker.clone(),
        };
        shared.sleepers.insert(key, sleeper);
        key
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut shared = clock.lock();
        if self.key.is_none() {
            if self.duration.is_zero() {
                shared.slept.push(Duration::ZERO);
                return Poll::Ready(());
            }
            self.key = Some(self.register(&mut shared, context.waker()));
        }
        let Some(sleeper) = self.key.and_then(|key| shared.sleepers.get_mut(&key)) else {
            return Poll::Ready(());
        };
        sleeper.waker.clone_from(context.waker());
        if shared.holds > 0 {
            // The last hold wakes this sleep.
            return Poll::Pending;
        }
        if self.seen_activity == shared.activity {
            self.quiet_polls += 1;
        } else {
            self.seen_activity = shared.activity;
            self.quiet_polls = 0;
        }
        drop(shared);
        if self.quiet_polls >= QUIET_POLLS {
            clock.move_to_next_deadline();
        }
        // A runtime of tokio polls the sleep again after all other tasks, and any other executor at
        // once. A sleep that wakes itself would be polled 61 times before the main task of a runtime.
        pin!(tokio::task::yield_now()).poll(context)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut shared = self.clock.lock();
            shared.sleepers.remove(&key);
            shared.activity += 1;
        }
    }
}

/// Number of polls without activity after which the time moves. One poll is one turn of the runtime.
/// Work that goes from task to task, such as through a channel, needs a turn for each of them.
const QUIET_POLLS: u32 = 8;

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        task::{Context, Poll},
        time::{Duration, SystemTime},
    };

    use futures::{
        FutureExt as _, StreamExt as _,
        executor::block_on,
        future::{Either, join_all, select},
        stream::FuturesUnordered,
        task::noop_waker,
    };

    use super::{Clock, ManualClock};

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn clock() -> ManualClock {
        ManualClock::new(SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_sleep_moves_the_time_and_is_recorded() {
        let clock = clock();
        let clone = clock.clone();
        block_on(clone.sleep(secs(2)));
        block_on(clone.sleep(Duration::from_millis(5)));
        assert_eq!(clock.slept(), [secs(2), Duration::from_millis(5)]);
        assert_eq!(
            clock.now(),
            SystemTime::UNIX_EPOCH + Duration::from_millis(2005)
        );
        assert_eq!(clock.elapsed(), Duration::from_millis(2005));
    }

    #[test]
    fn fifteen_sleeps_of_ten_seconds_take_ten_seconds_in_parallel_and_150_in_sequence() {
        let clock = clock();
        block_on(join_all((0..15).map(|_| clock.sleep(secs(10)))));
        assert_eq!(clock.elapsed(), secs(10));
        assert_eq!(clock.slept(), [secs(10); 15]);
        block_on(async {
            for _ in 0..15 {
                clock.sleep(secs(10)).await;
            }
        });
        assert_eq!(clock.elapsed(), secs(160));
    }

    #[test]
    fn the_time_of_parallel_tasks_is_the_time_of_the_longest_one() {
        let clock = clock();
        let task = |pauses: &'static [u64]| {
            let clock = clock.clone();
            async move {
                for pause in pauses {
                    clock.sleep(secs(*pause)).await;
                }
                clock.elapsed()
            }
        };
        let tasks = [task(&[1, 1, 1]), task(&[2, 5]), task(&[4])];
        let ends = block_on(join_all(tasks));
        assert_eq!(ends, [secs(3), secs(7), secs(4)]);
    }

    #[test]
    fn sleeps_in_nested_streams_and_in_tasks_of_a_runtime_are_parallel() {
        let clock = clock();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let task = tokio::spawn(clock.sleep(secs(10)));
            let group = || {
                let sleeps: FuturesUnordered<_> = (0..40).map(|_| clock.sleep(secs(10))).collect();
                sleeps.collect::<Vec<_>>()
            };
            let groups: FuturesUnordered<_> = (0..3).map(|_| group()).collect();
            groups.collect::<Vec<_>>().await;
            task.await.unwrap();
        });
        assert_eq!(clock.elapsed(), secs(10));
    }

    #[test]
    fn sleeps_that_are_due_together_end_in_the_order_of_their_registration() {
        let clock = clock();
        let ended = Mutex::new(Vec::new());
        let sleep = |name: &'static str, duration: Duration| {
            let (clock, ended) = (&clock, &ended);
            async move {
                clock.sleep(duration).await;
                ended.lock().unwrap().push((name, clock.elapsed()));
            }
        };
        block_on(async {
            let first = async {
                sleep("pause", secs(1)).await;
                sleep("last", secs(2)).await;
            };
            let sleeps: FuturesUnordered<_> = [
                first.boxed_local(),
                sleep("first", secs(3)).boxed_local(),
                sleep("second", secs(3)).boxed_local(),
            ]
            .into_iter()
            .collect();
            sleeps.collect::<Vec<_>>().await;
        });
        assert_eq!(
            *ended.lock().unwrap(),
            [
                ("pause", secs(1)),
                ("first", secs(3)),
                ("second", secs(3)),
                ("last", secs(3))
            ]
        );
    }

    #[test]
    fn a_cancelled_sleep_takes_no_time() {
        let clock = clock();
        let winner = block_on(select(clock.sleep(secs(60)), clock.sleep(secs(2))));
        assert!(matches!(winner, Either::Right(_)));
        drop(winner);
        block_on(clock.sleep(secs(100)));
        assert_eq!(clock.elapsed(), secs(102));
        assert_eq!(clock.slept(), [secs(2), secs(100)]);
    }

    #[test]
    fn a_sleep_that_is_never_polled_does_not_move_the_time() {
        let clock = clock();
        drop(clock.sleep(secs(2)));
        block_on(clock.sleep(Duration::ZERO));
        assert_eq!(clock.slept(), [Duration::ZERO]);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn the_time_does_not_move_while_a_hold_exists() {
        let clock = clock();
        let waker = noop_waker();
        let mut context = Context::from_waker(&waker);
        let mut sleep = clock.sleep(secs(10));
        let holds = [clock.hold(), clock.hold()];
        for hold in holds {
            for _ in 0..100 {
                assert_eq!(sleep.poll_unpin(&mut context), Poll::Pending);
            }
            assert_eq!(clock.elapsed(), Duration::ZERO);
            drop(hold);
        }
        block_on(sleep);
        assert_eq!(clock.elapsed(), secs(10));
    }

    #[test]
    fn a_sleep_goes_on_after_a_hold_of_another_thread() {
        let clock = clock();
        let hold = clock.hold();
        let (send, receive) = futures::channel::oneshot::channel();
        let thread = std::thread::spawn(move || {
            block_on(receive).unwrap();
            drop(hold);
        });
        block_on(async {
            let mut sleep = clock.sleep(secs(10));
            assert_eq!(futures::poll!(&mut sleep), Poll::Pending);
            send.send(()).unwrap();
            sleep.await;
        });
        #[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
        thread.join().unwrap();
        assert_eq!(clock.elapsed(), secs(10));
    }

    #[test]
    fn a_hook_sees_every_move_once_and_after_the_time_has_moved() {
        let clock = clock();
        let seen = Arc::new(Mutex::new(Vec::new()));
        clock.on_sleep({
            let (clock, seen) = (clock.clone(), Arc::clone(&seen));
            move |duration| seen.lock().unwrap().push((duration, clock.elapsed()))
        });
        block_on(join_all([3, 5, 3].map(|pause| clock.sleep(secs(pause)))));
        assert_eq!(
            *seen.lock().unwrap(),
            [(secs(3), secs(3)), (secs(2), secs(5))]
        );
    }

    #[test]
    fn advance_ends_the_sleeps_that_are_due_and_calls_no_hook() {
        let clock = clock();
        clock.on_sleep(|_| panic!("no sleep moves the time"));
        block_on(async {
            let mut sleep = clock.sleep(secs(9));
            assert_eq!(futures::poll!(&mut sleep), Poll::Pending);
            clock.advance(secs(9));
            sleep.await;
        });
        clock.advance(secs(1));
        assert_eq!(clock.slept(), [secs(9)]);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + secs(10));
    }

    #[test]
    fn a_clock_that_is_set_changes_neither_the_elapsed_time_nor_a_sleep() {
        let clock = clock();
        block_on(async {
            let mut sleep = clock.sleep(secs(5));
            assert_eq!(futures::poll!(&mut sleep), Poll::Pending);
            clock.set(SystemTime::UNIX_EPOCH + secs(3600));
            assert_eq!(futures::poll!(&mut sleep), Poll::Pending);
            sleep.await;
        });
        assert_eq!(clock.elapsed(), secs(5));
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + secs(3605));
    }
}
