//! Adapts [`Clock`] to the time and sleep traits of the SDK.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use aws_smithy_async::{
    rt::sleep::{AsyncSleep, Sleep},
    time::TimeSource,
};
use futures::future::BoxFuture;
use rest_core::Clock;

/// The clock from which the SDK gets the current time, and with which it waits between attempts.
#[derive(Debug, Clone)]
pub(crate) struct SdkClock(pub(crate) Arc<dyn Clock>);

impl AsyncSleep for SdkClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(SharedSleep(Mutex::new(self.0.sleep(duration))))
    }
}

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// Makes a boxed future `Sync`, because the SDK requires `Sync`. The mutex is never locked: `poll`
/// has exclusive access to the future.
struct SharedSleep(Mutex<BoxFuture<'static, ()>>);

impl Future for SharedSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .get_mut()
            .0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        sleep.as_mut().poll(context)
    }
}
