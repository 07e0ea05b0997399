//! A `tracing` subscriber that discards the SDK's log events during a call.

use std::sync::LazyLock;

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

/// Replaces the program's subscriber while the SDK carries out a call.
///
/// This dispatcher is registered with `tracing`; [`Dispatch::none`] is not. If only one
/// subscriber is registered, `tracing` asks only the current subscriber whether a new callsite is
/// enabled. With [`Dispatch::none`], a callsite of the SDK that is first reached during a call would
/// therefore stay disabled in the whole process, also for other users of the SDK.
pub(crate) static NOOP_DISPATCH: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(NoopSubscriber));

struct NoopSubscriber;

impl Subscriber for NoopSubscriber {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // This method is never called, because no span is enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
