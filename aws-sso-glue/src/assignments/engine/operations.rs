//! The operations of one kind that AWS carries out, and the lists that show them.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    time::Duration,
};

use super::{
    ItemIx,
    durations::{Durations, Running},
    jitter::Jitter,
};

/// The operations of one kind: creations or deletions.
#[derive(Debug)]
pub(super) struct Operations<Id> {
    /// The items that use a slot. At most as many as the limit, so a scan is cheap.
    pub(super) slots: Vec<Slot<Id>>,
    /// Operations of other tools in the last list.
    pub(super) foreign: HashSet<Id>,
    /// Operations that left the list and whose result no list of failures has shown yet.
    pub(super) unsettled: Vec<Unsettled<Id>>,
    /// Operations whose status is read one by one.
    pub(super) described: HashMap<ItemIx, Described<Id>>,
    /// Whether the list of failures is too long to read, so that each status is read.
    pub(super) describe_all: bool,
    pub(super) durations: Durations,
    pub(super) in_progress_list: ListRequest,
    pub(super) failed_list: ListRequest,
    /// Whether the list of operations in progress is needed at once.
    pub(super) list_wanted: bool,
    /// The planned time of the next list.
    planned: Option<Duration>,
    /// Whether the plan must be made again, because an operation started or ended.
    outdated: bool,
}

/// The use of one slot by an item, from the request until the operation leaves the list.
#[derive(Debug)]
pub(super) struct Slot<Id> {
    pub(super) item: ItemIx,
    pub(super) sent_at: Duration,
    pub(super) run: Option<Run<Id>>,
}

/// An operation that AWS has accepted.
#[derive(Debug)]
pub(super) struct Run<Id> {
    pub(super) id: Id,
    pub(super) started_at: Duration,
    /// The last time at which a list contained the operation.
    pub(super) seen_at: Duration,
    pub(super) listed: bool,
    /// Whether the operation was in progress when the engine started, so that its age is not known.
    pub(super) adopted: bool,
}

#[derive(Debug)]
pub(super) struct Unsettled<Id> {
    pub(super) item: ItemIx,
    pub(super) id: Id,
    pub(super) left_at: Duration,
}

#[derive(Debug)]
pub(super) struct Described<Id> {
    pub(super) id: Id,
    pub(super) since: Duration,
    pub(super) failures: u8,
}

/// The requests of one list. At most one runs at a time.
#[derive(Debug, Default)]
pub(super) struct ListRequest {
    running_since: Option<Duration>,
    last: Option<Duration>,
    retry_at: Duration,
    failures: u32,
}

impl<Id: Clone + Eq + Hash> Operations<Id> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            foreign: HashSet::new(),
            unsettled: Vec::new(),
            described: HashMap::new(),
            describe_all: false,
            durations: Durations::new(),
            in_progress_list: ListRequest::default(),
            failed_list: ListRequest::default(),
            list_wanted: false,
            planned: None,
            outdated: true,
        }
    }

    /// Returns the number of slots that own operations use.
    pub(super) fn own(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of slots that other tools use.
    pub(super) fn others(&self) -> u32 {
        u32::try_from(self.foreign.len()).unwrap_or(u32::MAX)
    }

    /// Records that AWS accepted the operation of an item.
    pub(super) fn started(&mut self, now: Duration, item: ItemIx, id: Id) {
        self.outdated = true;
        self.foreign.remove(&id);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.item == item) {
            slot.run = Some(Run::new(id, now));
        }
    }

    /// Adds an operation of an item that was in progress before the engine started.
    pub(super) fn adopt(&mut self, now: Duration, item: ItemIx, id: Id) {
        let (listed, adopted) = (true, true);
        let run = Run {
            listed,
            adopted,
            ..Run::new(id, now)
        };
        self.slots.push(Slot {
            run: Some(run),
            ..Slot::new(item, now)
        });
    }

    /// Returns the items whose operations started at least `timeout` ago.
    pub(super) fn late(&self, now: Duration, timeout: Duration) -> Vec<ItemIx> {
        let is_late = |slot: &&Slot<Id>| {
            let run = slot.run.as_ref();
            run.is_some_and(|run| now >= run.started_at + timeout)
        };
        self.slots
            .iter()
            .filter(is_late)
            .map(|slot| slot.item)
            .collect()
    }

    pub(super) fn free_slot(&mut self, item: ItemIx) -> Option<Slot<Id>> {
        self.outdated = true;
        let place = self.slots.iter().position(|slot| slot.item == item)?;
        Some(self.slots.swap_remove(place))
    }

    /// Compares a list that was requested at `sent` with the own operations. Returns those that
    /// left.
    pub(super) fn compare(&mut self, now: Duration, sent: Duration, ids: Vec<Id>) -> Vec<ItemIx> {
        self.outdated = true;
        self.list_wanted = false;
        let mut others: HashSet<Id> = ids.into_iter().collect();
        // A server with older data may list an operation that has left already.
        for unsettled in &mut self.unsettled {
            if others.contains(&unsettled.id) {
                unsettled.left_at = now;
            }
        }
        let mut left = Vec::new();
        for slot in &mut self.slots {
            let Some(run) = &mut slot.run else { continue };
            if others.remove(&run.id) {
                run.seen_at = sent.max(run.started_at);
                run.listed = true;
            } else if run.listed || sent >= run.started_at + LIST_DELAY {
                left.push(slot.item);
            }
        }
        self.foreign = others;
        left
    }

    /// Returns when to request the list of operations in progress. `blocked` says whether items
    /// wait, so that foreign operations matter.
    pub(super) fn list_at(&mut self, blocked: bool) -> Option<Duration> {
        if self.list_wanted {
            return self.in_progress_list.at(Duration::ZERO);
        }
        if std::mem::take(&mut self.outdated) {
            let running: Vec<_> = self.slots.iter().filter_map(Slot::running).collect();
            let time = self.durations.next_list(&running);
            self.planned = time.map(Duration::from_secs_f64);
        }
        let last = self.in_progress_list.last.unwrap_or_default();
        let foreign = (blocked && !self.foreign.is_empty()).then_some(last + FOREIGN_INTERVAL);
        let at = self.planned.into_iter().chain(foreign).min()?;
        self.in_progress_list.at(at)
    }

    /// Returns when to request the list of failed operations.
    pub(super) fn failed_list_at(&self, urgent: bool) -> Option<Duration> {
        let oldest = self.unsettled.first()?.left_at;
        self.failed_list.at(if urgent {
            Duration::ZERO
        } else {
            oldest + FAILED_INTERVAL
        })
    }
}

impl<Id> Slot<Id> {
    pub(super) fn new(item: ItemIx, sent_at: Duration) -> Self {
        Self {
            item,
            sent_at,
            run: None,
        }
    }

    fn running(&self) -> Option<Running> {
        let run = self.run.as_ref()?;
        let (started, seen) = (run.started_at.as_secs_f64(), run.seen_at.as_secs_f64());
        Some(Running { started, seen })
    }
}

impl<Id> Run<Id> {
    pub(super) fn new(id: Id, now: Duration) -> Self {
        Self {
            id,
            started_at: now,
            seen_at: now,
            listed: false,
            adopted: false,
        }
    }
}

impl ListRequest {
    pub(super) fn start(&mut self, now: Duration) {
        self.running_since = Some(now);
        self.last = Some(now);
    }

    /// Records the response and returns when its request was sent. If there is no response, the
    /// next request is sent after a pause.
    pub(super) fn finish<T>(
        &mut self,
        now: Duration,
        response: Option<T>,
        jitter: &mut Jitter,
    ) -> Option<(Duration, T)> {
        let sent = self.running_since.take()?;
        if response.is_none() {
            self.retry_at = now + jitter.pause(FIRST_PAUSE, self.failures);
            self.failures += 1;
        } else {
            self.failures = 0;
        }
        response.map(|response| (sent, response))
    }

    fn at(&self, wished: Duration) -> Option<Duration> {
        let earliest = self
            .last
            .map_or(Duration::ZERO, |last| last + SHORTEST_INTERVAL);
        let at = wished.max(earliest).max(self.retry_at);
        self.running_since.is_none().then_some(at)
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The shortest time between two requests of the same list.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(200);
/// A new operation may be missing in lists for this long.
const LIST_DELAY: Duration = Duration::from_secs(1);
/// The longest time between two lists while foreign operations keep items waiting.
const FOREIGN_INTERVAL: Duration = Duration::from_secs(5);
/// The longest time that a result waits for the list of failures.
const FAILED_INTERVAL: Duration = Duration::from_secs(30);
