//! A model of AWS and a driver, in virtual time.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Duration,
};

use super::super::{
    Action, End, Engine, FailedList, Item, ItemIx, Next, ReadError, Refusal, Settings, Status,
};

/// The behavior of AWS in a scenario.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) items: Vec<Item>,
    /// The number of operations that AWS carries out at a time.
    pub(super) slots: usize,
    pub(super) durations: Durations,
    /// The time of a request and its response.
    pub(super) round_trip: Duration,
    /// The share of calls that are throttled at random.
    pub(super) throttled: f64,
    /// The share during a time in seconds.
    pub(super) storm: Option<(f64, u64, u64)>,
    pub(super) faults: Faults,
    /// Operations of other tools: start, end, account.
    pub(super) foreign: Vec<(Duration, Duration, u32)>,
    /// The number of failed operations that a list shows.
    pub(super) failed_shown: usize,
    pub(super) seed: u64,
    pub(super) settings: Settings,
    /// The operation of this item is already in progress at the start.
    pub(super) adopted: Vec<ItemIx>,
    pub(super) deadline: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Durations {
    Constant(f64),
    Uniform(f64, f64),
    /// Mean and coefficient of variation.
    Lognormal(f64, f64),
    /// Uniform from 8 to 12 seconds; 1 % take 25 to 60 seconds.
    Stragglers,
}

/// Shares of the calls or operations that go wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) conflict: f64,
    pub(super) internal: f64,
    pub(super) lost: f64,
    pub(super) denied: f64,
    pub(super) failed: f64,
    pub(super) failed_for_now: f64,
    pub(super) stuck: f64,
    pub(super) read_error: f64,
    /// Responses that the driver reports twice.
    pub(super) repeated: f64,
    /// Items that the driver skips instead of sending them.
    pub(super) skipped: f64,
}

/// The results of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) ends: HashMap<ItemIx, End<&'static str>>,
    pub(super) makespan: Duration,
    pub(super) calls: BTreeMap<&'static str, usize>,
    pub(super) throttled: usize,
    pub(super) too_many: usize,
    pub(super) conflicts: usize,
    pub(super) bound: f64,
    /// Items whose state in AWS the engine could not learn: a lost response or a timeout.
    pub(super) uncertain: HashSet<ItemIx>,
    pub(super) present: HashSet<ItemIx>,
    /// The order in which requests were sent.
    pub(super) sent: Vec<ItemIx>,
    pub(super) peak: usize,
}

impl Scenario {
    pub(super) fn new(items: Vec<Item>, slots: usize, durations: Durations) -> Self {
        Self {
            items,
            slots,
            durations,
            round_trip: Duration::from_millis(70),
            throttled: 0.003,
            storm: None,
            faults: Faults::default(),
            foreign: Vec::new(),
            failed_shown: 300,
            seed: 1,
            settings: Settings::default(),
            adopted: Vec::new(),
            deadline: Duration::from_hours(1000),
        }
    }

    pub(super) fn run(self) -> Report {
        World::new(self).run()
    }
}

impl Report {
    pub(super) fn ratio(&self) -> f64 {
        self.makespan.as_secs_f64() / self.bound
    }

    pub(super) fn total_calls(&self) -> usize {
        self.calls.values().sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn calls_per_item(&self) -> f64 {
        self.total_calls() as f64 / self.ends.len() as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn throttled_share(&self) -> f64 {
        (self.throttled + self.too_many) as f64 / self.total_calls() as f64
    }
}

#[derive(Debug, Clone)]
enum Call {
    Write(ItemIx),
    InProgress(Action),
    Failed(Action),
    Describe(ItemIx, u64),
    Pair(ItemIx),
}

#[derive(Debug, Clone)]
enum Reply {
    Started(ItemIx, u64),
    Refused(ItemIx, Refusal),
    Lost(ItemIx),
    InProgress(Action, Option<Vec<u64>>),
    Failed(Action, Option<FailedList<u64>>),
    Status(
        ItemIx,
        Result<Status<&'static str>, ReadError<&'static str>>,
    ),
    Pair(ItemIx, Result<bool, ReadError<&'static str>>),
}

#[derive(Debug)]
enum Event {
    Arrive(Call),
    Reply(Reply),
    Foreign(Duration, u32),
    Wake,
}

#[derive(Debug)]
struct Operation {
    item: Option<ItemIx>,
    action: Action,
    account: u32,
    end: Duration,
    result: Outcome,
    /// Whether the engine never received the request id.
    lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Succeeds,
    Fails,
    FailsForNow,
}

struct World {
    scenario: Scenario,
    engine: Engine<u64, &'static str>,
    random: fastrand::Rng,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    sequence: u64,
    /// The key of the event that ends the current wait.
    wake: Option<(Duration, u64)>,
    running: Vec<u64>,
    operations: HashMap<u64, Operation>,
    failed: [Vec<u64>; 2],
    /// When the engine last listed the operations in progress.
    listed_at: [Option<Duration>; 2],
    /// The times of the last calls, for the limiter of the driver.
    recent: VecDeque<Duration>,
    tokens: f64,
    tokens_at: Duration,
    total_duration: f64,
    lane_durations: HashMap<u32, f64>,
    report: Report,
}

impl World {
    fn new(scenario: Scenario) -> Self {
        let settings = Settings {
            seed: scenario.seed,
            ..scenario.settings.clone()
        };
        let engine = Engine::new(&scenario.items, settings);
        let mut report = Report::default();
        for (item, index) in scenario.items.iter().zip(0..) {
            if item.action == Action::Delete {
                report.present.insert(index);
            }
        }
        let mut world = Self {
            engine,
            random: fastrand::Rng::with_seed(scenario.seed),
            now: Duration::ZERO,
            events: BTreeMap::new(),
            sequence: 0,
            wake: None,
            running: Vec::new(),
            operations: HashMap::new(),
            failed: [Vec::new(), Vec::new()],
            listed_at: [None, None],
            recent: VecDeque::new(),
            tokens: 20.0,
            tokens_at: Duration::ZERO,
            total_duration: 0.0,
            lane_durations: HashMap::new(),
            report,
            scenario,
        };
        for (start, end, account) in world.scenario.foreign.clone() {
            world.schedule(start, Event::Foreign(end, account));
        }
        world.adopt();
        world
    }

    fn adopt(&mut self) {
        for action in Action::ALL {
            let mut running = Vec::new();
            for item in self.scenario.adopted.clone() {
                if self.scenario.items[item as usize].action == action {
                    running.push((self.start(Some(item), action, false), Some(item)));
                }
            }
            self.engine.adopt(Duration::ZERO, action, running);
        }
    }

    fn run(mut self) -> Report {
        self.pump();
        while let Some(((time, _), event)) = self.events.pop_first() {
            self.now = time;
            self.finish_operations();
            match event {
                Event::Arrive(call) => self.arrive(&call),
                Event::Reply(reply) => {
                    if self.chance(self.scenario.faults.repeated) {
                        self.deliver(reply.clone());
                    }
                    self.deliver(reply);
                    self.pump();
                }
                Event::Foreign(end, account) => {
                    let id = self.sequence + 1_000_000_000;
                    self.sequence += 1;
                    self.running.push(id);
                    let operation = Operation {
                        item: None,
                        action: Action::Create,
                        account,
                        end,
                        result: Outcome::Succeeds,
                        lost: false,
                    };
                    self.operations.insert(id, operation);
                }
                Event::Wake => self.pump(),
            }
            assert!(
                self.now < self.scenario.deadline,
                "not done: {:?}",
                self.engine.progress()
            );
            if self.report.ends.len() == self.scenario.items.len() {
                break;
            }
        }
        assert_eq!(self.engine.next(self.now), Next::Done);
        self.report.makespan = self.now;
        self.now += Duration::from_hours(10_000);
        self.finish_operations();
        self.compute_bound();
        self.report
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn compute_bound(&mut self) {
        let (items, slots) = (self.scenario.items.len() as f64, self.scenario.slots as f64);
        let spread = match self.scenario.durations {
            Durations::Constant(seconds) => (items / slots).ceil() * seconds,
            _ => self.total_duration / slots,
        };
        let foreign = self
            .scenario
            .foreign
            .iter()
            .map(|(start, end, _)| end.saturating_sub(*start).as_secs_f64());
        let spread = spread + foreign.sum::<f64>() / slots;
        let lane = self.lane_durations.values().copied().fold(0.0, f64::max);
        self.report.bound = spread.max(lane).max(items / 20.0);
    }

    /// Carries out what the engine wants.
    fn pump(&mut self) {
        loop {
            let next = self.engine.next(self.now);
            self.drain();
            let call = match next {
                Next::Done => return,
                Next::Wait(None) => {
                    assert!(!self.events.is_empty(), "it waits for nothing");
                    return;
                }
                Next::Wait(Some(time)) => {
                    assert!(time > self.now, "a deadline in the past");
                    if let Some(wake) = self.wake.take() {
                        self.events.remove(&wake);
                    }
                    self.schedule(time, Event::Wake);
                    self.wake = Some((time, self.sequence));
                    return;
                }
                Next::Send(item) if self.chance(self.scenario.faults.skipped) => {
                    self.engine.skip(item);
                    continue;
                }
                Next::Send(item) => {
                    self.check_sending(item);
                    Call::Write(item)
                }
                Next::ListInProgress(action) => {
                    let last = self.listed_at[action as usize].replace(self.now);
                    let next =
                        last.map_or(Duration::ZERO, |last| last + Duration::from_millis(200));
                    assert!(self.now >= next, "two lists within 0.2 seconds");
                    Call::InProgress(action)
                }
                Next::ListFailed(action) => Call::Failed(action),
                Next::Describe(item, id) => Call::Describe(item, id),
                Next::ReadPair(item) => Call::Pair(item),
            };
            let sent = self.limiter();
            self.schedule(sent + self.scenario.round_trip / 2, Event::Arrive(call));
        }
    }

    /// Allows 18 calls in any second.
    fn limiter(&mut self) -> Duration {
        let mut time = self.now;
        if self.recent.len() == 18
            && let Some(oldest) = self.recent.pop_front()
        {
            time = time.max(oldest + Duration::from_secs(1));
        }
        self.recent.push_back(time);
        time
    }

    fn check_sending(&mut self, item: ItemIx) {
        self.report.sent.push(item);
        let delete = self.scenario.items[item as usize];
        if delete.action == Action::Create {
            return;
        }
        for (create, index) in self.scenario.items.iter().zip(0..) {
            let same = create.principal == delete.principal
                || (create.account, create.permission_set)
                    == (delete.account, delete.permission_set);
            if same && create.action == Action::Create {
                assert_eq!(
                    self.report.ends.get(&index),
                    Some(&End::Succeeded),
                    "delete {item} is sent before create {index} succeeded"
                );
            }
        }
    }

    fn drain(&mut self) {
        for (item, end) in self.engine.drain_ended() {
            if end == End::TimedOut {
                self.report.uncertain.insert(item);
            }
            let before = self.report.ends.insert(item, end);
            assert_eq!(before, None, "item {item} ended twice");
        }
    }

    fn deliver(&mut self, reply: Reply) {
        let (engine, now) = (&mut self.engine, self.now);
        match reply {
            Reply::Started(item, id) => engine.on_started(now, item, id),
            Reply::Refused(item, refusal) => engine.on_refused(now, item, refusal, "refused"),
            Reply::Lost(item) => engine.on_lost(now, item, "lost"),
            Reply::InProgress(action, ids) => engine.on_in_progress(now, action, ids),
            Reply::Failed(action, list) => engine.on_failed_list(now, action, list),
            Reply::Status(item, status) => engine.on_status(now, item, status),
            Reply::Pair(item, exists) => engine.on_pair(now, item, exists),
        }
        self.drain();
    }

    fn schedule(&mut self, time: Duration, event: Event) {
        self.sequence += 1;
        self.events.insert((time, self.sequence), event);
    }

    fn finish_operations(&mut self) {
        let (now, operations) = (self.now, &self.operations);
        let (ended, running) = self
            .running
            .iter()
            .partition(|id| operations[id].end <= now);
        self.running = running;
        let mut ended: Vec<u64> = ended;
        ended.sort_by_key(|id| operations[id].end);
        for id in ended {
            let operation = &self.operations[&id];
            let Some(item) = operation.item else { continue };
            match (operation.result, operation.action) {
                (Outcome::Succeeds, Action::Create) => _ = self.report.present.insert(item),
                (Outcome::Succeeds, Action::Delete) if self.report.present.remove(&item) => {}
                _ => self.failed[operation.action as usize].push(id),
            }
        }
    }

    fn arrive(&mut self, call: &Call) {
        let name = match call {
            Call::Write(_) => "write",
            Call::InProgress(_) => "list in progress",
            Call::Failed(_) => "list failed",
            Call::Describe(..) => "describe",
            Call::Pair(_) => "read pair",
        };
        *self.report.calls.entry(name).or_default() += 1;
        let throttled = self.is_throttled();
        let read_error = self.chance(self.scenario.faults.read_error);
        let reply = match *call {
            Call::Write(item) => self.write(item, throttled),
            Call::InProgress(action) => {
                let of_kind = |id: &&u64| self.operations[id].action == action;
                let ids = self.running.iter().filter(of_kind).copied().collect();
                Reply::InProgress(action, (!throttled && !read_error).then_some(ids))
            }
            Call::Failed(action) => {
                let all = &self.failed[action as usize];
                let ids: Vec<_> = all
                    .iter()
                    .rev()
                    .take(self.scenario.failed_shown)
                    .copied()
                    .collect();
                let list = FailedList {
                    complete: ids.len() == all.len(),
                    ids,
                };
                Reply::Failed(action, (!throttled && !read_error).then_some(list))
            }
            Call::Describe(item, _) | Call::Pair(item) if throttled || read_error => {
                let error = if throttled {
                    ReadError::Throttled
                } else {
                    ReadError::Failed("read")
                };
                if read_error && !throttled {
                    self.report.uncertain.insert(item);
                }
                match call {
                    Call::Pair(_) => Reply::Pair(item, Err(error)),
                    _ => Reply::Status(item, Err(error)),
                }
            }
            Call::Describe(item, id) => Reply::Status(item, Ok(self.status(id))),
            Call::Pair(item) => Reply::Pair(item, Ok(self.report.present.contains(&item))),
        };
        self.schedule(self.now + self.scenario.round_trip / 2, Event::Reply(reply));
    }

    fn status(&self, id: u64) -> Status<&'static str> {
        if self.running.contains(&id) {
            return Status::InProgress;
        }
        let operation = &self.operations[&id];
        if !self.failed[operation.action as usize].contains(&id) {
            return Status::Succeeded;
        }
        match operation.result {
            Outcome::Succeeds => Status::NotFound("not found"),
            Outcome::Fails => Status::Failed("failed"),
            Outcome::FailsForNow => Status::FailedForNow("takes longer than usual"),
        }
    }

    fn write(&mut self, item: ItemIx, throttled: bool) -> Reply {
        let Item {
            action, account, ..
        } = self.scenario.items[item as usize];
        let faults = self.scenario.faults;
        let running = self.running.iter().map(|id| &self.operations[id]);
        let rival = running
            .into_iter()
            .find(|running| running.account == account);
        let has_rival = rival.is_some();
        if let Some(rival) = rival {
            let own = rival.item.is_some() && !rival.lost;
            assert!(!own, "two own operations in account {account}");
        }
        let refusal = if throttled {
            Refusal::Throttled
        } else if self.chance(faults.denied) {
            Refusal::Permanent
        } else if self.chance(faults.internal) {
            Refusal::Transient
        } else if has_rival || self.chance(faults.conflict) {
            self.report.conflicts += 1;
            Refusal::Conflict
        } else if self.running.len() >= self.scenario.slots {
            self.report.too_many += 1;
            Refusal::TooManyOutstanding
        } else if action == Action::Delete && !self.report.present.contains(&item) {
            Refusal::NotFound
        } else {
            let lost = self.chance(faults.lost);
            if lost {
                self.report.uncertain.insert(item);
            }
            let acted = !lost || self.random.bool();
            if !acted {
                return Reply::Lost(item);
            }
            let id = self.start(Some(item), action, lost);
            return if lost {
                Reply::Lost(item)
            } else {
                Reply::Started(item, id)
            };
        };
        Reply::Refused(item, refusal)
    }

    fn start(&mut self, item: Option<ItemIx>, action: Action, lost: bool) -> u64 {
        let account = item.map_or(u32::MAX, |item| self.scenario.items[item as usize].account);
        let seconds = self.duration();
        self.total_duration += seconds;
        *self.lane_durations.entry(account).or_default() += seconds;
        let faults = self.scenario.faults;
        let end = if self.chance(faults.stuck) {
            self.now + Duration::from_mins(10)
        } else {
            self.now + Duration::from_secs_f64(seconds)
        };
        let result = if self.chance(faults.failed) {
            Outcome::Fails
        } else if self.chance(faults.failed_for_now) {
            Outcome::FailsForNow
        } else {
            Outcome::Succeeds
        };
        self.sequence += 1;
        let id = self.sequence;
        self.operations.insert(
            id,
            Operation {
                item,
                action,
                account,
                end,
                result,
                lost,
            },
        );
        self.running.push(id);
        self.report.peak = self.report.peak.max(self.running.len());
        id
    }

    fn duration(&mut self) -> f64 {
        let straggles = self.chance(0.01);
        match self.scenario.durations {
            Durations::Constant(seconds) => seconds,
            Durations::Uniform(low, high) => low + (high - low) * self.random.f64(),
            Durations::Lognormal(mean, variation) => {
                let variance = (1.0 + variation * variation).ln();
                let (one, two) = (1.0 - self.random.f64(), self.random.f64());
                let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos();
                mean * (variance.sqrt() * normal - variance / 2.0).exp()
            }
            Durations::Stragglers if straggles => 25.0 + 35.0 * self.random.f64(),
            Durations::Stragglers => 8.0 + 4.0 * self.random.f64(),
        }
    }

    fn is_throttled(&mut self) -> bool {
        let gained = self.now.saturating_sub(self.tokens_at).as_secs_f64() * 20.0;
        self.tokens = (self.tokens + gained).min(20.0);
        self.tokens_at = self.now;
        let stormy = self
            .scenario
            .storm
            .filter(|(_, from, to)| (*from..*to).contains(&self.now.as_secs()));
        let share = stormy.map_or(self.scenario.throttled, |storm| storm.0);
        let throttled = self.tokens < 1.0 || self.chance(share);
        if throttled {
            self.report.throttled += 1;
        } else {
            self.tokens -= 1.0;
        }
        throttled
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.random.f64() < share
    }
}
