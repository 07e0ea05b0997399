//! Decides when to send the creates and deletes of account assignments.
//!
//! AWS carries out `CreateAccountAssignment` and `DeleteAccountAssignment` in the background, in
//! about 10 seconds. It accepts only a few operations at a time for an instance, and one per
//! account. [`Engine`] keeps all slots in use with few calls. It does no I/O: a driver calls
//! [`next`](Engine::next), sends the requests, and reports the responses. All times are elapsed
//! times since a start that the driver chooses.

mod counts;
mod durations;
mod holds;
mod jitter;
mod lanes;
mod model;
mod operations;
#[cfg(test)]
mod tests;
mod window;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    hash::Hash,
    time::Duration,
};

use counts::Counts;
use holds::Holds;
use jitter::Jitter;
use lanes::Lanes;
use operations::{Described, Operations, Slot, Unsettled};
use window::Window;

pub(crate) use model::{
    Action, End, FailedList, Item, ItemIx, Next, Progress, ReadError, Refusal, Settings, Skip,
    Status,
};

/// The state of all items.
///
/// `Id` is the request id of an operation, `R` the caller's reason for a failure.
#[derive(Debug)]
pub(crate) struct Engine<Id, R> {
    entries: Vec<Entry>,
    settings: Settings,
    lanes: Lanes,
    holds: Holds,
    window: Window,
    /// Creations and deletions.
    operations: [Operations<Id>; 2],
    timers: BinaryHeap<Reverse<(Duration, Timer)>>,
    /// Why the last response of an item was lost.
    lost: HashMap<ItemIx, R>,
    /// Items to repeat when nothing else waits.
    deferred: Vec<ItemIx>,
    ended: Vec<(ItemIx, End<R>)>,
    counts: Counts,
    full: Pause,
    jitter: Jitter,
}

/// The state of one item. There may be 100,000 of them, so everything that only an outstanding item
/// needs is in [`Operations`].
#[derive(Debug)]
struct Entry {
    item: Item,
    state: State,
    conflicts: u8,
    errors: u8,
    /// Operations that failed for now.
    repeats: u8,
    /// The number of groups of creates that a delete waits for.
    holds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A delete that waits for creates.
    Held,
    /// In the queue of its account.
    Waiting,
    /// To repeat at the end.
    Deferred,
    /// The request is sent, and has no response.
    Sent,
    InProgress,
    /// The response was lost.
    Unknown,
    ReadingPair,
    /// The operation left the list of operations in progress.
    Left,
    /// The status is to be read.
    ToDescribe,
    Describing,
    Ended,
}

/// The end of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Lane(u32),
    Pair(ItemIx),
    Describe(ItemIx),
}

/// The pause of all writes while operations of other tools use all slots.
#[derive(Debug, Default)]
struct Pause {
    since: Option<Duration>,
    until: Duration,
    repeats: u32,
}

impl<Id: Clone + Eq + Hash, R> Engine<Id, R> {
    /// Creates an engine for these items.
    ///
    /// A delete waits until the creates of its principal, and of its account and permission set,
    /// have succeeded.
    #[must_use]
    pub(crate) fn new(items: &[Item], settings: Settings) -> Self {
        let mut engine = Self {
            entries: items.iter().copied().map(Entry::new).collect(),
            lanes: Lanes::new(items),
            holds: Holds::new(items),
            window: Window::new(settings.start_limit, settings.max_limit),
            operations: [Operations::new(), Operations::new()],
            timers: BinaryHeap::new(),
            lost: HashMap::new(),
            deferred: Vec::new(),
            ended: Vec::new(),
            counts: Counts::new(items.len()),
            full: Pause::default(),
            jitter: Jitter::new(settings.seed),
            settings,
        };
        for delete in engine.holds.held() {
            engine.entries[delete as usize].holds += 1;
        }
        for index in 0..engine.counts.total {
            if engine.entries[index as usize].holds == 0 {
                engine.enqueue(index);
            }
        }
        engine
    }

    /// Adds operations that were in progress before the engine started. Call it before the first
    /// [`next`](Self::next).
    ///
    /// An operation for an item of the engine counts as the item's own operation, so that the item
    /// is not sent. The other operations use slots until they are no longer listed.
    pub(crate) fn adopt(
        &mut self,
        now: Duration,
        action: Action,
        running: Vec<(Id, Option<ItemIx>)>,
    ) {
        for (id, item) in running {
            match item.filter(|item| self.can_adopt(action, *item)) {
                Some(item) => {
                    self.set_state(item, State::InProgress);
                    self.lanes.set_taken(self.item(item).account, true);
                    self.operations(action).adopt(now, item, id);
                }
                None => _ = self.operations(action).foreign.insert(id),
            }
        }
    }

    /// Chooses the account of this item only if no other account can start an operation, such as an
    /// account in which AWS provisions permission sets.
    pub(crate) fn choose_last(&mut self, item: ItemIx) {
        if let Some(entry) = self.entries.get(item as usize) {
            self.lanes.set_last(entry.item.account);
        }
    }

    /// Returns what to do next.
    ///
    /// Call it until it returns [`Next::Wait`] or [`Next::Done`], run the requests side by side,
    /// and call it again after each response.
    pub(crate) fn next(&mut self, now: Duration) -> Next<Id> {
        if self.counts.unfinished() == 0 {
            return Next::Done;
        }
        if let Some(read) = self.due_read(now) {
            return read;
        }
        self.queue_deferred();
        self.window.grow(now);
        if now >= self.full.until
            && let Some(item) = self.next_write(now)
        {
            return Next::Send(item);
        }
        let mut actions = Action::ALL.into_iter();
        actions
            .find_map(|action| self.due_list(now, action))
            .unwrap_or_else(|| Next::Wait(self.deadline(now)))
    }

    /// Records that AWS started the item's operation.
    pub(crate) fn on_started(&mut self, now: Duration, item: ItemIx, id: Id) {
        if self.state(item) != State::Sent {
            return;
        }
        let Item {
            action, account, ..
        } = self.item(item);
        self.set_state(item, State::InProgress);
        self.operations(action).started(now, item, id);
        self.lanes.accepted(account);
        self.window.accepted(self.own() + self.foreign());
        self.full.repeats = 0;
    }

    /// Records that AWS did not start the item's operation. `reason` is used if the item fails now.
    pub(crate) fn on_refused(&mut self, now: Duration, item: ItemIx, refusal: Refusal, reason: R) {
        if self.state(item) != State::Sent {
            return;
        }
        let Some(slot) = self.free_slot(item) else {
            return;
        };
        match refusal {
            Refusal::Conflict => self.on_conflict(now, &slot, reason),
            Refusal::TooManyOutstanding => {
                self.on_limit(now, slot.sent_at);
                self.requeue(item);
            }
            // The rate limiter of the connection delays the other items.
            Refusal::Throttled => self.pause_lane(now, item, THROTTLE_PAUSE, 0),
            Refusal::Transient => {
                let errors = count(&mut self.entries[item as usize].errors);
                self.retry_in_lane(now, item, errors, MAX_ATTEMPTS, reason);
            }
            Refusal::NotFound if self.item(item).action == Action::Delete => {
                self.end(item, End::AlreadyDone);
            }
            Refusal::NotFound | Refusal::Permanent => self.end(item, End::Failed(reason)),
        }
    }

    /// Records that no usable response arrived for the item's request, so that AWS may have acted on it.
    /// `reason` is used if AWS has not acted, and the item fails after several attempts.
    ///
    /// The account stays taken until the assignment has been read.
    pub(crate) fn on_lost(&mut self, now: Duration, item: ItemIx, reason: R) {
        if self.state(item) == State::Sent {
            self.lost.insert(item, reason);
            self.read_pair_later(now, item);
        }
    }

    /// Returns the ids of the operations of a kind that AWS carries out for items of the engine.
    pub(crate) fn own_ids(&self, action: Action) -> HashSet<Id> {
        let operations = &self.operations[action as usize];
        let running = operations.slots.iter();
        let running = running
            .filter_map(|slot| slot.run.as_ref())
            .map(|run| &run.id);
        let described = operations.described.values().map(|described| &described.id);
        running.chain(described).cloned().collect()
    }

    /// Records the operation that AWS carries out for an item whose response was lost.
    pub(crate) fn on_found(&mut self, now: Duration, item: ItemIx, id: Id) {
        if self.state(item) == State::ReadingPair {
            let action = self.item(item).action;
            self.set_state(item, State::InProgress);
            self.operations(action).started(now, item, id);
        }
    }

    /// Records whether the item's assignment exists, and that AWS carries out no operation for it.
    pub(crate) fn on_pair(
        &mut self,
        now: Duration,
        item: ItemIx,
        exists: Result<bool, ReadError<R>>,
    ) {
        if self.state(item) != State::ReadingPair {
            return;
        }
        let creates = self.item(item).action == Action::Create;
        let errors = &mut self.entries[item as usize].errors;
        let end = match exists {
            Ok(exists) if exists == creates => Some(End::Succeeded),
            Ok(_) if count(errors) >= MAX_ATTEMPTS => self.lost.remove(&item).map(End::Failed),
            Ok(_) => None,
            Err(ReadError::Failed(reason)) if count(errors) >= MAX_ATTEMPTS => {
                Some(End::Failed(reason))
            }
            Err(_) => return self.read_pair_later(now, item),
        };
        self.free_slot(item);
        match end {
            Some(end) => self.end(item, end),
            None => self.requeue(item),
        }
    }

    /// Records the operations in progress of all tools; `None` if they could not be read.
    ///
    /// The engine lists again later. If the error is permanent, stop calling the engine.
    pub(crate) fn on_in_progress(&mut self, now: Duration, action: Action, ids: Option<Vec<Id>>) {
        let operations = &mut self.operations[action as usize];
        let request = &mut operations.in_progress_list;
        let Some((sent, ids)) = request.finish(now, ids, &mut self.jitter) else {
            return;
        };
        for item in operations.compare(now, sent, ids) {
            self.leave(now, item);
        }
        self.operations(action).durations.refresh();
        self.window.listed(self.foreign());
        self.end_late(now, action);
    }

    /// Records the failed operations of all tools; `None` if they could not be read.
    ///
    /// Operations that left before the request was sent, and are not in the list, have succeeded.
    pub(crate) fn on_failed_list(
        &mut self,
        now: Duration,
        action: Action,
        list: Option<FailedList<Id>>,
    ) {
        let operations = &mut self.operations[action as usize];
        let request = &mut operations.failed_list;
        let Some((sent, list)) = request.finish(now, list, &mut self.jitter) else {
            return;
        };
        operations.describe_all |= !list.complete;
        let failed: HashSet<Id> = list.ids.into_iter().collect();
        for unsettled in std::mem::take(&mut operations.unsettled) {
            if failed.contains(&unsettled.id) || !list.complete {
                self.describe(now, unsettled.item, unsettled.id);
            } else if unsettled.left_at <= sent {
                self.end(unsettled.item, End::Succeeded);
            } else {
                self.operations(action).unsettled.push(unsettled);
            }
        }
    }

    /// Records the status of the item's operation.
    ///
    /// Also accepted for a running operation, such as the status in the response to a create.
    pub(crate) fn on_status(
        &mut self,
        now: Duration,
        item: ItemIx,
        status: Result<Status<R>, ReadError<R>>,
    ) {
        match (self.state(item), status) {
            (State::Describing, Ok(Status::InProgress)) => self.describe_later(now, item, None),
            (State::Describing, Err(error)) => self.describe_later(now, item, Some(error)),
            (State::Describing, Ok(status)) => {
                let action = self.item(item).action;
                self.operations(action).described.remove(&item);
                self.settle(item, status);
            }
            (State::InProgress, Ok(Status::InProgress)) => {}
            (State::InProgress, Ok(status)) => {
                self.free_slot(item);
                self.carried_out(now, item);
                self.settle(item, status);
            }
            _ => {}
        }
    }

    /// Ends an item that was not sent, also in place of a request for [`Next::Send`].
    pub(crate) fn skip(&mut self, item: ItemIx) {
        if self.state(item) == State::Sent {
            self.free_slot(item);
        } else if !self.state(item).is_pending() {
            return;
        }
        self.end(item, End::Skipped(Skip::ByCaller));
    }

    /// Returns the items that have ended since the last call.
    ///
    /// The result of an operation may come up to 30 seconds after its end.
    pub(crate) fn drain_ended(&mut self) -> impl Iterator<Item = (ItemIx, End<R>)> {
        self.ended.drain(..)
    }

    /// Returns how far the engine is. Visits all accounts, so do not call it after each response.
    #[must_use]
    pub(crate) fn progress(&self) -> Progress {
        let interval = self.counts.interval();
        Progress {
            total: self.counts.total,
            done: self.counts.done,
            failed: self.counts.failed,
            skipped: self.counts.skipped,
            in_flight: self.own(),
            limit: self.window.limit(),
            remaining: Duration::from_secs_f64(self.remaining(interval)),
            is_guess: interval.is_none(),
        }
    }

    fn due_read(&mut self, now: Duration) -> Option<Next<Id>> {
        while self.timers.peek()?.0.0 <= now {
            let Reverse((_, timer)) = self.timers.pop()?;
            match timer {
                Timer::Lane(account) => self.lanes.set_paused(account, false),
                Timer::Pair(item) => {
                    self.set_state(item, State::ReadingPair);
                    return Some(Next::ReadPair(item));
                }
                Timer::Describe(item) => {
                    self.set_state(item, State::Describing);
                    let action = self.item(item).action;
                    let id = self.operations(action).described.get(&item)?.id.clone();
                    return Some(Next::Describe(item, id));
                }
            }
        }
        None
    }

    fn next_write(&mut self, now: Duration) -> Option<ItemIx> {
        while self.own() < self.window.own(self.foreign()) {
            let index = self.lanes.pop()?;
            let item = self.item(index);
            if self.state(index) == State::Waiting {
                self.set_state(index, State::Sent);
                self.operations(item.action)
                    .slots
                    .push(Slot::new(index, now));
                return Some(index);
            }
            // The item ended or was adopted while it was in the queue.
            self.lanes.set_taken(item.account, false);
        }
        None
    }

    fn due_list(&mut self, now: Duration, action: Action) -> Option<Next<Id>> {
        if self.list_at(action).is_some_and(|at| at <= now) {
            self.operations(action).in_progress_list.start(now);
            return Some(Next::ListInProgress(action));
        }
        if self.failed_list_at(action).is_some_and(|at| at <= now) {
            self.operations(action).failed_list.start(now);
            return Some(Next::ListFailed(action));
        }
        None
    }

    fn list_at(&mut self, action: Action) -> Option<Duration> {
        let blocked = self.counts.waiting > 0;
        self.operations(action).list_at(blocked)
    }

    /// Returns when to list failed operations. Urgent at the end, and if slots are unused while
    /// deletes wait for the results of creates.
    fn failed_list_at(&mut self, action: Action) -> Option<Duration> {
        let unused = self.own() < self.window.own(self.foreign()) && !self.lanes.any_ready();
        let needed = self.counts.held > 0 && action == Action::Create;
        let last = self.own() == 0 && self.counts.waiting == 0;
        self.operations(action)
            .failed_list_at(last || unused && needed)
    }

    fn deadline(&mut self, now: Duration) -> Option<Duration> {
        let mut times = vec![self.timers.peek().map(|timer| timer.0.0)];
        if self.lanes.any_ready() {
            times.push((now < self.full.until).then_some(self.full.until));
            times.push(self.window.grows_at());
        }
        for action in Action::ALL {
            times.extend([self.list_at(action), self.failed_list_at(action)]);
        }
        times.into_iter().flatten().min()
    }

    /// Queues the items that failed for now, once nothing else waits.
    fn queue_deferred(&mut self) {
        if self.counts.waiting == 0 {
            for item in std::mem::take(&mut self.deferred) {
                if self.state(item) == State::Deferred {
                    self.enqueue(item);
                }
            }
        }
    }

    fn on_conflict(&mut self, now: Duration, slot: &Slot<Id>, reason: R) {
        if self.window.conflict(now, self.own() + self.foreign()) {
            self.on_limit(now, slot.sent_at);
        }
        let mut attempts = count(&mut self.entries[slot.item as usize].conflicts);
        // The time counts for the account: if it refuses everything for 5 minutes, its other items
        // do not each wait for 8 attempts.
        let since = self.lanes.conflict(self.item(slot.item).account, now);
        if now >= since + CONFLICT_TIMEOUT {
            attempts = MAX_CONFLICTS;
        }
        self.retry_in_lane(now, slot.item, attempts, MAX_CONFLICTS, reason);
    }

    /// Repeats an item after a pause of its account, or ends it after `limit` attempts.
    fn retry_in_lane(&mut self, now: Duration, item: ItemIx, attempts: u8, limit: u8, reason: R) {
        if attempts >= limit {
            return self.end(item, End::Failed(reason));
        }
        self.pause_lane(now, item, FIRST_LANE_PAUSE, u32::from(attempts) - 1);
    }

    /// Repeats an item after a pause of its account.
    fn pause_lane(&mut self, now: Duration, item: ItemIx, first: Duration, repeats: u32) {
        let account = self.item(item).account;
        let pause = self.jitter.pause(first, repeats);
        self.lanes.set_paused(account, true);
        self.set_timer(now + pause, Timer::Lane(account));
        self.requeue(item);
    }

    fn on_limit(&mut self, now: Duration, sent_at: Duration) {
        let (own, foreign) = (self.own(), self.foreign());
        self.window.refused(now, sent_at, own + foreign, foreign);
        for operations in &mut self.operations {
            operations.list_wanted = true;
        }
        if own == 0 {
            self.pause_writes(now, sent_at);
        }
    }

    fn pause_writes(&mut self, now: Duration, sent_at: Duration) {
        // Requests that were sent before the pause belong to the same burst.
        if self.full.since.is_none_or(|since| sent_at > since) {
            let pause = self.jitter.pause(FIRST_FULL_PAUSE, self.full.repeats);
            self.full.since = Some(now);
            self.full.until = now + pause;
            self.full.repeats += 1;
        }
    }

    fn read_pair_later(&mut self, now: Duration, item: ItemIx) {
        self.set_state(item, State::Unknown);
        self.set_timer(now + READ_DELAY, Timer::Pair(item));
    }

    /// Frees the slot and the account of an operation that left the list.
    fn leave(&mut self, now: Duration, item: ItemIx) {
        let Some(run) = self.free_slot(item).and_then(|slot| slot.run) else {
            return;
        };
        let operations = &mut self.operations[self.entries[item as usize].item.action as usize];
        if !run.adopted {
            let [low, high] = [run.seen_at, now].map(|time| time.saturating_sub(run.started_at));
            operations.durations.add(low, high);
        }
        if self.entries[item as usize].state == State::Ended {
            return; // It timed out before.
        }
        let (id, left_at) = (run.id, now);
        if operations.describe_all {
            self.carried_out(now, item);
            self.describe(now, item, id);
        } else {
            operations.unsettled.push(Unsettled { item, id, left_at });
            self.carried_out(now, item);
        }
    }

    /// Records that AWS has carried out an operation, whose result is not known yet.
    fn carried_out(&mut self, now: Duration, item: ItemIx) {
        self.set_state(item, State::Left);
        self.counts.left(now);
    }

    fn describe(&mut self, now: Duration, item: ItemIx, id: Id) {
        let action = self.item(item).action;
        let described = Described {
            id,
            since: now,
            failures: 0,
        };
        self.operations(action).described.insert(item, described);
        self.set_state(item, State::ToDescribe);
        self.set_timer(now, Timer::Describe(item));
    }

    /// Reads the status again later, or ends the item after too many errors or too long a time.
    fn describe_later(&mut self, now: Duration, item: ItemIx, error: Option<ReadError<R>>) {
        let (action, timeout) = (self.item(item).action, self.settings.item_timeout);
        let described = &mut self.operations(action).described;
        let Some(status) = described.get_mut(&item) else {
            return;
        };
        let end = match error {
            Some(ReadError::Failed(reason)) if count(&mut status.failures) >= MAX_ATTEMPTS => {
                End::Failed(reason)
            }
            None if now >= status.since + timeout => End::TimedOut,
            _ => {
                self.set_state(item, State::ToDescribe);
                return self.set_timer(now + READ_DELAY, Timer::Describe(item));
            }
        };
        described.remove(&item);
        self.end(item, end);
    }

    /// Ends an item whose operation has the given final status, or repeats it.
    fn settle(&mut self, item: ItemIx, status: Status<R>) {
        let entry = &mut self.entries[item as usize];
        let end = match status {
            Status::InProgress => return,
            Status::Succeeded => End::Succeeded,
            Status::NotFound(_) if entry.item.action == Action::Delete => End::AlreadyDone,
            // An adopted delete may be ahead of the creates that it would have to wait for.
            Status::FailedForNow(_)
                if entry.holds == 0 && count(&mut entry.repeats) <= MAX_REPEATS =>
            {
                self.deferred.push(item);
                return self.set_state(item, State::Deferred);
            }
            Status::FailedForNow(reason) | Status::Failed(reason) | Status::NotFound(reason) => {
                End::Failed(reason)
            }
        };
        self.end(item, end);
    }

    /// Ends operations that are in progress for too long.
    ///
    /// Such an operation keeps its slot and its account until it leaves the list, because AWS would
    /// refuse other operations in that account. Then the other items of the account go on.
    fn end_late(&mut self, now: Duration, action: Action) {
        let timeout = self.settings.item_timeout;
        for item in self.operations(action).late(now, timeout) {
            if self.state(item) == State::InProgress {
                self.end(item, End::TimedOut);
            }
        }
    }

    fn end(&mut self, index: ItemIx, end: End<R>) {
        let item = self.item(index);
        let succeeded = matches!(end, End::Succeeded | End::AlreadyDone);
        self.set_state(index, State::Ended);
        self.counts.end(&end);
        self.ended.push((index, end));
        if item.action == Action::Create {
            for delete in self.holds.ended(item, succeeded) {
                self.release(delete, index, succeeded);
            }
        }
    }

    /// Ends one wait of a delete: for a group of creates, of which `create` ended last.
    fn release(&mut self, delete: ItemIx, create: ItemIx, succeeded: bool) {
        let entry = &mut self.entries[delete as usize];
        if entry.state != State::Held {
            return; // It was adopted.
        }
        if !succeeded {
            return self.end(delete, End::Skipped(Skip::ReplacementFailed(create)));
        }
        entry.holds = entry.holds.saturating_sub(1);
        if entry.holds == 0 {
            self.enqueue(delete);
        }
    }

    fn enqueue(&mut self, index: ItemIx) {
        self.set_state(index, State::Waiting);
        self.lanes.push(self.item(index), index);
    }

    fn requeue(&mut self, index: ItemIx) {
        self.set_state(index, State::Waiting);
        self.lanes.push_front(self.item(index), index);
    }

    fn free_slot(&mut self, index: ItemIx) -> Option<Slot<Id>> {
        let item = self.item(index);
        self.lanes.set_taken(item.account, false);
        self.operations(item.action).free_slot(index)
    }

    fn set_state(&mut self, item: ItemIx, state: State) {
        let old = std::mem::replace(&mut self.entries[item as usize].state, state);
        self.counts.change(old, state);
    }

    fn set_timer(&mut self, at: Duration, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    /// Returns the expected time until all items have ended, in seconds.
    fn remaining(&self, interval: Option<f64>) -> f64 {
        let left = f64::from(self.counts.unfinished());
        let Some(interval) = interval else {
            return left * GUESSED_DURATION / f64::from(self.window.limit());
        };
        let means = self
            .operations
            .each_ref()
            .map(|operations| operations.durations.mean());
        let longest = u32::try_from(self.lanes.longest()).unwrap_or(u32::MAX);
        (left * interval).max(f64::from(longest) * means[0].max(means[1]))
    }

    fn can_adopt(&self, action: Action, item: ItemIx) -> bool {
        self.state(item).is_pending() && self.item(item).action == action
    }

    fn own(&self) -> u32 {
        self.operations.iter().map(Operations::own).sum()
    }

    fn foreign(&self) -> u32 {
        self.operations.iter().map(Operations::others).sum()
    }

    fn operations(&mut self, action: Action) -> &mut Operations<Id> {
        &mut self.operations[action as usize]
    }

    fn item(&self, item: ItemIx) -> Item {
        self.entries[item as usize].item
    }

    /// Returns the state of an item. An unknown item counts as ended, so that its responses are
    /// ignored.
    fn state(&self, item: ItemIx) -> State {
        self.entries
            .get(item as usize)
            .map_or(State::Ended, |entry| entry.state)
    }
}

impl Entry {
    fn new(item: Item) -> Self {
        Self {
            item,
            state: State::Held,
            conflicts: 0,
            errors: 0,
            repeats: 0,
            holds: 0,
        }
    }
}

impl State {
    /// Returns whether the item is still to be sent.
    fn is_pending(self) -> bool {
        matches!(self, Self::Held | Self::Waiting | Self::Deferred)
    }
}

fn count(counter: &mut u8) -> u8 {
    *counter = counter.saturating_add(1);
    *counter
}

/// Attempts after server errors, and attempts to read something.
const MAX_ATTEMPTS: u8 = 5;
const MAX_CONFLICTS: u8 = 8;
const CONFLICT_TIMEOUT: Duration = Duration::from_mins(5);
/// Repeats of an operation that failed for now.
const MAX_REPEATS: u8 = 2;
const FIRST_LANE_PAUSE: Duration = Duration::from_secs(2);
const FIRST_FULL_PAUSE: Duration = Duration::from_secs(1);
/// The pause of a throttled item.
const THROTTLE_PAUSE: Duration = Duration::from_secs(1);
/// The time from a lost response to the read of the assignment, and between two reads.
const READ_DELAY: Duration = Duration::from_secs(5);
/// The duration of an operation before any has ended, in seconds.
const GUESSED_DURATION: f64 = 12.0;
