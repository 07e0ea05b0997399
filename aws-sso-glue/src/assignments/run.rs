//! Carries out many changes of assignments: sends the requests that the engine
//! decides on.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use aws_sdk_ssoadmin::config::retry::RetryConfig;
use futures::{
    StreamExt as _,
    future::{self, BoxFuture, Either},
    stream::FuturesUnordered,
};
use rest_core::Clock;

use super::{
    Assignment, Assignments, Operation, OperationKind,
    engine::{
        self, Action, Engine, FailedList, Item, ItemIx, Next, ReadError, Refusal, Settings, Status,
    },
};
use crate::{Error, IdentityCenter, OperationStatus, RequestId, throttling::Throttling};

/// A change of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssignmentChange {
    /// Whether to create or to delete the assignment.
    pub kind: OperationKind,
    /// The assignment.
    pub assignment: Assignment,
}

/// Many changes of assignments, carried out with few calls and as fast as AWS allows.
///
/// AWS carries out 10 to 15 writes at a time, and one in each account. The run keeps all of them in
/// use, and reads their status with one list for all. A deletion waits for the creations of its
/// principal and of its account and permission set, and is skipped if one of them fails, so that a
/// replacement comes first. Refusals that pass (conflicts, throttling, server errors) are repeated; one
/// that does not ends its change alone. Writes that are in progress when the run starts, such as
/// those of a run that was killed, are taken over. Accounts in which AWS provisions permission sets come
/// last, because AWS refuses other changes there. Dropping the run leaves what AWS carries out.
///
/// ```
/// use aws_sso_glue::{AssignmentChange, AssignmentRunEvent, IdentityCenter};
///
/// # async fn apply(center: IdentityCenter, changes: Vec<AssignmentChange>) {
/// let mut run = center.assignments().run(changes);
/// loop {
///     match run.next().await {
///         AssignmentRunEvent::Start(change) => run.start(change),
///         AssignmentRunEvent::Ended(change, end) => println!("change {change}: {end:?}"),
///         AssignmentRunEvent::Progress(progress) => println!("{progress}"),
///         AssignmentRunEvent::Done => break,
///         _ => {}
///     }
/// }
/// # }
/// ```
pub struct AssignmentRun {
    center: IdentityCenter,
    clock: Arc<dyn Clock>,
    started: Duration,
    changes: Vec<AssignmentChange>,
    engine: Engine<RequestId, Failure>,
    /// Whether the writes in progress have been taken over.
    is_adopted: bool,
    requests: FuturesUnordered<BoxFuture<'static, Response>>,
    ended: VecDeque<(usize, AssignmentEnd)>,
    /// Why the operations cannot be listed.
    refused: Option<Error>,
    progress_at: Duration,
    calls: usize,
}

/// An event of an [`AssignmentRun`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AssignmentRunEvent {
    /// The change at this position can be sent now. Call [`start`](AssignmentRun::start) or
    /// [`skip`](AssignmentRun::skip) before the next event.
    Start(usize),
    /// The change at this position has ended.
    Ended(usize, AssignmentEnd),
    /// How far the run is. This event comes at most twice a second, and at least every 10 seconds.
    Progress(AssignmentProgress),
    /// AWS does not let the caller read what is in progress, so that no other change is sent. What AWS
    /// carries out goes on.
    Stopped(Error),
    /// All changes have ended.
    Done,
}

/// The end of a change.
#[derive(Debug)]
#[non_exhaustive]
pub enum AssignmentEnd {
    /// AWS has made the change.
    Done,
    /// The assignment to delete did not exist.
    AlreadyDone,
    /// AWS has refused the change.
    Refused(Error),
    /// AWS may have made the change: its response was lost, and it did not tell whether it has.
    Unknown(Error),
    /// AWS has started the change and could not make it.
    Failed {
        /// AWS's reason, if AWS returned one.
        reason: Option<String>,
    },
    /// The caller has [skipped](AssignmentRun::skip) the change.
    Skipped,
    /// The deletion was not sent, because the creation at this position, which replaces the
    /// assignment, has failed.
    ReplacementFailed(usize),
    /// AWS has not ended the change within 30 minutes. It may still make it.
    TimedOut,
}

/// How far an [`AssignmentRun`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssignmentProgress {
    /// Number of changes.
    pub total: usize,
    /// Number of changes that have ended.
    pub ended: usize,
    /// Number of changes among them that AWS has not made.
    pub failed: usize,
    /// Number of writes that AWS carries out now.
    pub in_progress: usize,
    /// Number of calls so far, without repeated reads.
    pub calls: usize,
    /// The expected time until the end.
    pub remaining: Duration,
    /// Whether the expected time is a guess, because no write has ended yet.
    pub is_guess: bool,
}

/// Writes the progress for a reader, such as `120 of 5000 assignments changed, 15 in progress, about 53 min left`.
impl fmt::Display for AssignmentProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.ended - self.failed;
        write!(f, "{made} of {} assignments changed", self.total)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        write!(f, ", {} in progress", self.in_progress)?;
        match self.remaining.as_secs() {
            _ if self.is_guess || self.remaining.is_zero() => Ok(()),
            seconds @ ..120 => write!(f, ", about {seconds} s left"),
            seconds => write!(f, ", about {} min left", seconds.div_ceil(60)),
        }
    }
}

/// Why a change has failed.
#[derive(Debug)]
enum Failure {
    Refused(Error),
    Failed(Option<String>),
    Unknown(Error),
}

/// The response to a request of the engine.
enum Response {
    Started(ItemIx, Result<Operation, Error>),
    InProgress(Action, Result<Vec<Operation>, Error>),
    Failed(Action, Result<FailedList<RequestId>, Error>),
    Status(ItemIx, Result<OperationStatus, Error>),
    Found(ItemIx, Result<Found, Error>),
}

/// The state in AWS of a change whose response was lost.
enum Found {
    Running(RequestId),
    Exists(bool),
}

impl Assignments<'_> {
    /// Prepares to carry out these changes. Nothing is sent before [`AssignmentRun::next`].
    #[must_use]
    pub fn run(&self, changes: Vec<AssignmentChange>) -> AssignmentRun {
        let clock = Arc::clone(self.center.aws().clock());
        AssignmentRun {
            center: self.center.clone(),
            started: clock.elapsed(),
            clock,
            engine: Engine::new(&items(&changes), Settings::default()),
            changes,
            is_adopted: false,
            requests: FuturesUnordered::new(),
            ended: VecDeque::new(),
            refused: None,
            progress_at: Duration::ZERO,
            calls: 0,
        }
    }
}

impl AssignmentRun {
    /// Returns the changes.
    #[must_use]
    pub fn changes(&self) -> &[AssignmentChange] {
        &self.changes
    }

    /// Returns the next event. The future can be dropped at any point: the next call goes on.
    pub async fn next(&mut self) -> AssignmentRunEvent {
        if !self.is_adopted {
            self.adopt().await;
        }
        loop {
            let ended = self.engine.drain_ended();
            let mut ended: Vec<_> = ended
                .map(|(item, end)| (item as usize, end.into()))
                .collect();
            // Changes that have ended together are reported in their order.
            ended.sort_by_key(|(change, _)| *change);
            self.ended.extend(ended);
            if let Some((change, end)) = self.ended.pop_front() {
                return AssignmentRunEvent::Ended(change, end);
            }
            if let Some(error) = self.refused.take() {
                return AssignmentRunEvent::Stopped(error);
            }
            let now = self.now();
            if now >= self.progress_at {
                self.progress_at = now + PROGRESS_INTERVAL;
                return AssignmentRunEvent::Progress(self.progress());
            }
            match self.engine.next(now) {
                Next::Send(item) => return AssignmentRunEvent::Start(item as usize),
                Next::Wait(until) => self.wait(now, until).await,
                Next::Done => return AssignmentRunEvent::Done,
                read => self.read(read),
            }
        }
    }

    /// Sends the change at this position, which [`AssignmentRunEvent::Start`] has returned.
    pub fn start(&mut self, change: usize) {
        let Some(item) = self.changes.get(change) else {
            return;
        };
        let (center, item) = (self.center.clone(), item.clone());
        let index = position(change);
        self.send(async move {
            let assignments = center.assignments();
            // The engine decides about other attempts.
            let once = Some(RetryConfig::disabled());
            let started = assignments.start(&item.assignment, item.kind, once).await;
            Response::Started(index, started)
        });
    }

    /// Leaves out a change that was not sent.
    pub fn skip(&mut self, change: usize) {
        if change < self.changes.len() {
            self.engine.skip(position(change));
        }
    }

    /// Returns how far the run is.
    #[must_use]
    pub fn progress(&self) -> AssignmentProgress {
        let progress = self.engine.progress();
        AssignmentProgress {
            total: progress.total as usize,
            ended: (progress.done + progress.failed + progress.skipped) as usize,
            failed: (progress.failed + progress.skipped) as usize,
            in_progress: progress.in_flight as usize,
            calls: self.calls,
            remaining: progress.remaining,
            is_guess: progress.is_guess,
        }
    }

    /// Takes over the writes that AWS carries out already. If AWS does not tell them, the limits of AWS
    /// still hold: it refuses what is too much.
    async fn adopt(&mut self) {
        let positions: HashMap<(OperationKind, &Assignment), ItemIx> = self
            .changes
            .iter()
            .enumerate()
            .map(|(index, change)| ((change.kind, &change.assignment), position(index)))
            .collect();
        let mut adopted = Vec::new();
        for action in Action::ALL {
            let kind = action.into();
            self.calls += 1;
            let running = self
                .center
                .assignments()
                .in_progress(kind)
                .try_collect()
                .await;
            let mut found = Vec::new();
            for operation in running.unwrap_or_default() {
                self.calls += 1;
                let target = self.center.assignments().target(&operation).await;
                let target = target.ok().flatten();
                let item = target.and_then(|target| positions.get(&(kind, &target)).copied());
                found.push((operation.id, item));
            }
            adopted.push((action, found));
        }
        let now = self.now();
        for (action, found) in adopted {
            self.engine.adopt(now, action, found);
        }
        if self.changes.len() > FEW {
            self.choose_provisioned_last().await;
        }
        self.is_adopted = true;
    }

    /// Chooses accounts last in which AWS provisions permission sets: one call, and two for each set. If
    /// AWS does not tell them, it refuses changes there for a while.
    async fn choose_provisioned_last(&mut self) {
        let center = self.center.clone();
        let sets = center.permission_sets();
        self.calls += 1;
        let running = sets.provisionings_in_progress().try_collect().await;
        let mut accounts = HashSet::new();
        for id in running.unwrap_or_default() {
            self.calls += 2;
            accounts.extend(sets.accounts_of_provisioning(&id).await.unwrap_or_default());
        }
        for (change, index) in self.changes.iter().zip(0..) {
            if accounts.contains(&change.assignment.account) {
                self.engine.choose_last(index);
            }
        }
    }

    /// Waits for a response, or until a time, or for the next progress.
    async fn wait(&mut self, now: Duration, until: Option<Duration>) {
        let until = until.unwrap_or(self.progress_at).min(self.progress_at);
        let sleep = self.clock.sleep(until.saturating_sub(now));
        if self.requests.is_empty() {
            return sleep.await;
        }
        let response = match future::select(self.requests.next(), sleep).await {
            Either::Left((response, _)) => response,
            Either::Right(_) => None,
        };
        if let Some(response) = response {
            self.receive(response);
        }
    }

    fn read(&mut self, read: Next<RequestId>) {
        let center = self.center.clone();
        match read {
            Next::ListInProgress(action) => self.send(async move {
                let list = center.assignments().in_progress(action.into());
                Response::InProgress(action, list.try_collect().await)
            }),
            Next::ListFailed(action) => self.send(async move {
                let list = center.assignments().failed(action.into());
                Response::Failed(action, list.await)
            }),
            Next::Describe(item, id) => {
                let kind = self.changes[item as usize].kind;
                self.send(async move {
                    let status = center.assignments().status(&Operation { kind, id }).await;
                    Response::Status(item, status)
                });
            }
            Next::ReadPair(item) => {
                let change = self.changes[item as usize].clone();
                let own = self.engine.own_ids(change.kind.into());
                self.send(
                    async move { Response::Found(item, look_up(&center, &change, &own).await) },
                );
            }
            Next::Send(_) | Next::Wait(_) | Next::Done => {}
        }
    }

    fn send(&mut self, request: impl Future<Output = Response> + Send + 'static) {
        self.calls += 1;
        self.requests.push(Box::pin(request));
    }

    fn receive(&mut self, response: Response) {
        let now = self.now();
        let engine = &mut self.engine;
        match response {
            Response::Started(item, Ok(operation)) => engine.on_started(now, item, operation.id),
            Response::Started(item, Err(error)) => match refusal(&error) {
                Some(refusal) => engine.on_refused(now, item, refusal, Failure::Refused(error)),
                None => engine.on_lost(now, item, Failure::Refused(error)),
            },
            Response::InProgress(action, list) => {
                let list = list.map_err(|error| self.refused = permanent(error));
                let ids = list
                    .ok()
                    .map(|list| list.into_iter().map(|operation| operation.id));
                engine.on_in_progress(now, action, ids.map(Iterator::collect));
            }
            Response::Failed(action, list) => {
                let list = list.map_err(|error| self.refused = permanent(error));
                engine.on_failed_list(now, action, list.ok());
            }
            Response::Status(item, status) => {
                let status = status.map(status_of).or_else(|error| {
                    // AWS forgets operations after some time.
                    if error.is_not_found() {
                        Ok(Status::Failed(Failure::Unknown(error)))
                    } else {
                        Err(read_error(error))
                    }
                });
                engine.on_status(now, item, status);
            }
            Response::Found(item, Ok(Found::Running(id))) => engine.on_found(now, item, id),
            Response::Found(item, Ok(Found::Exists(exists))) => {
                engine.on_pair(now, item, Ok(exists));
            }
            Response::Found(item, Err(error)) => engine.on_pair(now, item, Err(read_error(error))),
        }
        self.progress_at = self.progress_at.min(now + MIN_PROGRESS_INTERVAL);
    }

    fn now(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }
}

/// Looks up what became of a change whose response was lost.
///
/// The operations in progress come first: one that ends before the second read is in the assignments.
async fn look_up(
    center: &IdentityCenter,
    change: &AssignmentChange,
    own: &HashSet<RequestId>,
) -> Result<Found, Error> {
    let (assignments, one) = (center.assignments(), &change.assignment);
    for operation in assignments.in_progress(change.kind).try_collect().await? {
        if own.contains(&operation.id) {
            continue;
        }
        match assignments.target(&operation).await {
            Ok(target) if target.as_ref() == Some(one) => return Ok(Found::Running(operation.id)),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    let listed = assignments.list(&one.account, &one.permission_set);
    let principals = listed.try_collect().await?;
    Ok(Found::Exists(principals.contains(&one.principal)))
}

/// Returns the changes as numbers.
fn items(changes: &[AssignmentChange]) -> Vec<Item> {
    let (mut accounts, mut sets, mut principals) = Default::default();
    let items = changes.iter().map(|change| {
        let one = &change.assignment;
        Item {
            action: change.kind.into(),
            account: number(&mut accounts, &one.account),
            permission_set: number(&mut sets, &one.permission_set),
            principal: number(&mut principals, &one.principal),
        }
    });
    items.collect()
}

fn number<'a, T: Eq + Hash>(numbers: &mut HashMap<&'a T, u32>, value: &'a T) -> u32 {
    let next = position(numbers.len());
    *numbers.entry(value).or_insert(next)
}

/// Returns a position as the engine has it. An instance has fewer than 2³² assignments.
fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Returns why AWS did not start an operation, or `None` if it may have started it.
fn refusal(error: &Error) -> Option<Refusal> {
    let limit = Throttling::of_message(error.message().unwrap_or_default());
    Some(if error.is_conflict() {
        Refusal::Conflict
    } else if error.is_kms_error() {
        Refusal::Permanent
    } else if error.is_throttled() && limit == Throttling::Outstanding {
        Refusal::TooManyOutstanding
    } else if error.is_throttled() {
        Refusal::Throttled
    } else if error.is_not_found() {
        Refusal::NotFound
    } else if error.is_not_sent() {
        Refusal::Transient
    } else if error.may_be_sent() && error.status().is_none_or(is_unclear) {
        return None;
    } else {
        Refusal::Permanent
    })
}

/// Returns whether an error with this status leaves open whether AWS has acted: the response of a success cannot be
/// read, or the server has failed.
fn is_unclear(status: u16) -> bool {
    !(300..500).contains(&status)
}

/// Returns the error of a list, if another attempt gives the same error.
fn permanent(error: Error) -> Option<Error> {
    let is_refused = error.status().is_some_and(|status| status < 500);
    (is_refused && !error.is_throttled()).then_some(error)
}

fn read_error(error: Error) -> ReadError<Failure> {
    if error.is_throttled() {
        ReadError::Throttled
    } else {
        ReadError::Failed(Failure::Unknown(error))
    }
}

fn status_of(status: OperationStatus) -> Status<Failure> {
    match status {
        OperationStatus::InProgress => Status::InProgress,
        OperationStatus::Succeeded => Status::Succeeded,
        OperationStatus::Failed { reason } => {
            let text = reason.as_deref().unwrap_or_default().to_lowercase();
            let failure = Failure::Failed(reason);
            if text.contains("longer than usual") {
                Status::FailedForNow(failure)
            } else if text.contains("assignment") && text.contains("not found") {
                Status::NotFound(failure)
            } else {
                Status::Failed(failure)
            }
        }
    }
}

impl From<Action> for OperationKind {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Delete => Self::Delete,
        }
    }
}

impl From<OperationKind> for Action {
    fn from(kind: OperationKind) -> Self {
        match kind {
            OperationKind::Create => Self::Create,
            OperationKind::Delete => Self::Delete,
        }
    }
}

impl From<engine::End<Failure>> for AssignmentEnd {
    fn from(end: engine::End<Failure>) -> Self {
        use engine::{End, Skip};
        match end {
            End::Succeeded => Self::Done,
            End::AlreadyDone => Self::AlreadyDone,
            End::Failed(Failure::Refused(error)) => Self::Refused(error),
            End::Failed(Failure::Failed(reason)) => Self::Failed { reason },
            End::Failed(Failure::Unknown(error)) => Self::Unknown(error),
            End::Skipped(Skip::ReplacementFailed(item)) => Self::ReplacementFailed(item as usize),
            End::Skipped(_) => Self::Skipped,
            End::TimedOut => Self::TimedOut,
        }
    }
}

impl fmt::Debug for AssignmentRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssignmentRun")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

/// The number of changes that AWS may carry out at the same time. The order of so few does not matter.
const FEW: usize = 15;

/// The longest time without an event of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// The shortest time between a response and the event of the progress.
const MIN_PROGRESS_INTERVAL: Duration = Duration::from_millis(500);
