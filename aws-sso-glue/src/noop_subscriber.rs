//! A log that nobody reads, for what the SDK would write during a call.

use std::sync::LazyLock;

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

/// Takes the place of the program's log while the SDK works.
///
/// It is registered, unlike [`Dispatch::none`]. Under that, a line of the SDK's that is first
/// reached within a call would be switched off in the whole process, for other users of the SDK
/// too: `tracing` asks the subscriber at hand when it knows of one only.
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
        // Never asked for, as nothing is enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
