//! Brings permission sets up to date in their accounts: starts the provisionings, and waits for
//! their ends.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    time::Duration,
};

use super::calls::{MAX_SINGLE, Target, calls, free, pause};
use crate::{
    AccountId, Error, IdentityCenter, OperationStatus, PermissionSetArn, RequestId,
    permission_sets::PermissionSets,
};

/// A permission set to bring up to date in its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningRequest {
    /// The permission set.
    pub permission_set: PermissionSetArn,
    /// The accounts to bring up to date. AWS cannot change an account that is not active, so that such
    /// an account is left out here. A call for all accounts includes it nevertheless.
    pub accounts: BTreeSet<AccountId>,
}

/// Provisions permission sets into those of their accounts that do not have the latest version.
///
/// For up to 5 accounts, or if the set is in more than 3,500 accounts, each account has a call of its
/// own; otherwise one call is for all of them. AWS carries out 3 calls at a time, with those of other
/// tools. If a call fails, AWS is asked which accounts are left, and each of them is tried once more
/// on its own. Calls are repeated after conflicts and throttling. The run waits for a provisioning that
/// is in progress already. AWS goes on with its provisionings if the run is dropped.
///
/// ```
/// use aws_sso_glue::{IdentityCenter, ProvisioningEvent, ProvisioningRequest};
///
/// # async fn provision(center: IdentityCenter, requests: Vec<ProvisioningRequest>) {
/// let mut run = center.permission_sets().provision(requests);
/// loop {
///     match run.next().await {
///         ProvisioningEvent::Start(set) => run.start(set),
///         ProvisioningEvent::Ended(set, end) => println!("permission set {set}: {end:?}"),
///         ProvisioningEvent::Progress(progress) => println!("{progress}"),
///         ProvisioningEvent::Done => break,
///         _ => {}
///     }
/// }
/// # }
/// ```
pub struct ProvisioningRun {
    center: IdentityCenter,
    items: Vec<Item>,
    events: VecDeque<ProvisioningEvent>,
    /// Number of looks since the last start.
    looks: u32,
    /// Whether the accounts left have become fewer since the last progress.
    moved: bool,
    /// The time before which no provisioning starts.
    not_before: Duration,
}

/// An event of a [`ProvisioningRun`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ProvisioningEvent {
    /// The permission set at this position can be provisioned now. Call
    /// [`start`](ProvisioningRun::start) or [`skip`](ProvisioningRun::skip) before the next event.
    Start(usize),
    /// The permission set at this position has ended.
    Ended(usize, ProvisioningEnd),
    /// How far the run is. This event comes at least every 20 seconds.
    Progress(ProvisioningProgress),
    /// All permission sets have ended.
    Done,
}

/// The end of the provisioning of a permission set.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProvisioningEnd {
    /// Every account of the request has the latest version.
    Done,
    /// These accounts of the request do not have the latest version.
    Failed(Vec<FailedAccount>),
    /// AWS has refused the call.
    Refused(Error),
}

/// An account in which AWS could not provision a permission set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAccount {
    /// The account.
    pub account: AccountId,
    /// AWS's reason, if AWS returned one.
    pub reason: Option<String>,
}

/// How far a [`ProvisioningRun`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvisioningProgress {
    /// Number of permission sets that have started and not ended.
    pub sets: usize,
    /// Number of their accounts that do not have the latest version yet. AWS is asked about every 10
    /// seconds.
    pub accounts: usize,
    /// Whether this number has fallen since the last progress, for one of the permission sets.
    pub moved: bool,
}

/// Writes the progress for a reader, such as `212 accounts are left for 1 permission set`.
impl fmt::Display for ProvisioningProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |number| if number == 1 { "" } else { "s" };
        let are = if self.accounts == 1 { "is" } else { "are" };
        write!(
            f,
            "{} account{} {are} left for {} permission set{}",
            self.accounts,
            plural(self.accounts),
            self.sets,
            plural(self.sets)
        )
    }
}

/// A permission set of the run.
struct Item {
    request: ProvisioningRequest,
    stage: Stage,
    queue: VecDeque<Target<AccountId>>,
    running: Vec<(RequestId, Target<AccountId>)>,
    /// The accounts that have failed once. A second failure is final.
    failed_once: BTreeSet<AccountId>,
    /// The accounts that have failed for good, with AWS's reason.
    failed: BTreeMap<AccountId, Option<String>>,
    /// Whether AWS carries out one provisioning of this set at a time.
    one_at_a_time: bool,
    /// The time before which nothing is sent.
    not_before: Duration,
    /// Whether a call for all accounts has failed, and the accounts that are left are not read yet.
    all_failed: bool,
    /// Number of refusals in a row of calls that start a provisioning, without throttling.
    refusals: u32,
    /// Number of reads in a row that have failed, without throttling.
    read_failures: u32,
    left: usize,
    fewest_left: usize,
    left_read: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    /// The caller is asked whether to start.
    Asked,
    /// The accounts that are left have to be read before anything is sent.
    Unread,
    Working,
    Ended,
}

/// Why AWS did not start a provisioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// AWS changes the role of this or of another permission set in one of the accounts.
    Conflict,
    Throttled,
    /// The call is idempotent, so that it is repeated also if its response was lost.
    Transient,
    Permanent,
}

impl PermissionSets<'_> {
    /// Prepares to provision these permission sets into their accounts. Nothing is sent before
    /// [`ProvisioningRun::next`].
    #[must_use]
    pub fn provision(&self, requests: Vec<ProvisioningRequest>) -> ProvisioningRun {
        ProvisioningRun {
            center: self.center.clone(),
            items: requests.into_iter().map(Item::new).collect(),
            events: VecDeque::new(),
            looks: 0,
            moved: false,
            not_before: Duration::ZERO,
        }
    }
}

impl ProvisioningRun {
    /// Returns the next event. The future can be dropped at any point: the next call goes on.
    pub async fn next(&mut self) -> ProvisioningEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if self.items.iter().all(|item| item.stage == Stage::Ended) {
                return ProvisioningEvent::Done;
            }
            let active = self.items.iter().filter(|item| item.is_active()).count();
            let new = self.items.iter().position(|item| item.stage == Stage::New);
            if let Some(new) = new.filter(|_| free(active) > 0) {
                self.items[new].stage = Stage::Asked;
                return ProvisioningEvent::Start(new);
            }
            self.work().await;
            if self.events.is_empty() {
                let clock = self.center.aws().clock().clone();
                clock.sleep(pause(FIRST_LOOK, self.looks, LOOK)).await;
                self.looks += 1;
                self.events
                    .push_back(ProvisioningEvent::Progress(self.progress()));
                self.moved = false;
            }
        }
    }

    /// Starts the permission set at this position, which [`ProvisioningEvent::Start`] has returned.
    pub fn start(&mut self, set: usize) {
        self.decide(set, Stage::Unread);
    }

    /// Leaves out the permission set at this position. It has no event of its end.
    pub fn skip(&mut self, set: usize) {
        self.decide(set, Stage::Ended);
    }

    fn decide(&mut self, set: usize, stage: Stage) {
        let item = self.items.get_mut(set);
        if let Some(item) = item.filter(|item| item.stage == Stage::Asked) {
            item.stage = stage;
        }
    }

    /// Returns how far the run is.
    #[must_use]
    pub fn progress(&self) -> ProvisioningProgress {
        let active = self.items.iter().filter(|item| item.is_active());
        ProvisioningProgress {
            sets: active.clone().count(),
            accounts: active.map(|item| item.left).sum(),
            moved: self.moved,
        }
    }

    /// Reads the status of each permission set once, and sends the calls that can be sent.
    async fn work(&mut self) {
        for index in 0..self.items.len() {
            if self.items[index].stage == Stage::Working {
                self.poll(index).await;
            }
            let item = &self.items[index];
            if item.stage == Stage::Unread && item.not_before <= self.now() {
                self.read(index).await;
            }
        }
        self.send().await;
    }

    /// Reads which accounts do not have the latest version, and decides about the calls.
    async fn read(&mut self, index: usize) {
        let Some(outdated) = self.outdated(index).await else {
            return;
        };
        if outdated.is_empty() {
            return self.end(index, ProvisioningEnd::Done);
        }
        if std::mem::take(&mut self.items[index].all_failed) {
            return self.items[index].retry_each(outdated);
        }
        let set = self.items[index].request.permission_set.clone();
        let provisioned = if outdated.len() > MAX_SINGLE {
            let accounts = self.center.permission_sets().accounts(&set);
            match accounts.try_collect().await {
                Ok(accounts) => accounts.len(),
                Err(error) => return self.not_read(index, error),
            }
        } else {
            outdated.len()
        };
        let item = &mut self.items[index];
        item.queue = calls(outdated, provisioned);
        item.stage = Stage::Working;
    }

    /// Returns the accounts of the request that do not have the latest version.
    async fn outdated(&mut self, index: usize) -> Option<Vec<AccountId>> {
        let set = self.items[index].request.permission_set.clone();
        let accounts = self.center.permission_sets().outdated_accounts(&set);
        match accounts.try_collect().await {
            Ok(mut accounts) => {
                let now = self.now();
                let item = &mut self.items[index];
                item.left_read = now;
                item.read_failures = 0;
                accounts.retain(|account| item.request.accounts.contains(account));
                self.set_left(index, accounts.len());
                Some(accounts)
            }
            Err(error) => {
                self.not_read(index, error);
                None
            }
        }
    }

    /// Reads the accounts again later, unless AWS refuses the call for good.
    fn not_read(&mut self, index: usize, error: Error) {
        let now = self.now();
        let item = &mut self.items[index];
        let refusal = refusal(&error);
        if refusal != Refusal::Throttled {
            item.read_failures += 1;
        }
        if refusal == Refusal::Permanent || item.read_failures >= TRIES {
            return self.end(index, ProvisioningEnd::Refused(error));
        }
        item.not_before = now + pause(FIRST_PAUSE, item.read_failures, LONGEST_PAUSE);
    }

    /// Reads how far the provisionings of a permission set are.
    async fn poll(&mut self, index: usize) {
        let mut at = 0;
        while let Some((id, _)) = self.items[index].running.get(at).cloned() {
            let status = self.center.permission_sets().provisioning_status(&id).await;
            let reason = match status {
                Ok(OperationStatus::Succeeded) => {
                    let (_, target) = self.items[index].running.remove(at);
                    self.succeeded(index, &target);
                    continue;
                }
                Ok(OperationStatus::Failed { reason }) => reason,
                // AWS deletes operations after some time.
                Err(error) if error.is_not_found() => None,
                Err(error) if refusal(&error) == Refusal::Permanent => {
                    return self.end(index, ProvisioningEnd::Refused(error));
                }
                Ok(OperationStatus::InProgress) | Err(_) => {
                    at += 1;
                    continue;
                }
            };
            let (_, target) = self.items[index].running.remove(at);
            self.items[index].failed(target, reason);
        }
        let item = &self.items[index];
        if item.stage != Stage::Working {
            return;
        }
        if item.queue.is_empty() && item.running.is_empty() {
            return self.finish(index).await;
        }
        let is_all = |(_, target): &(_, Target<_>)| *target == Target::AllAccounts;
        if item.running.iter().any(is_all) && item.left_read + LOOK <= self.now() {
            self.outdated(index).await;
        }
    }

    fn succeeded(&mut self, index: usize, target: &Target<AccountId>) {
        match target {
            Target::AllAccounts => self.end(index, ProvisioningEnd::Done),
            Target::Account(_) => {
                let left = self.items[index].left.saturating_sub(1);
                self.set_left(index, left);
            }
        }
    }

    /// Ends a permission set of which nothing is left to send.
    async fn finish(&mut self, index: usize) {
        if self.items[index].failed.is_empty() {
            return self.end(index, ProvisioningEnd::Done);
        }
        // Another tool may have provisioned them meanwhile.
        let Some(outdated) = self.outdated(index).await else {
            return;
        };
        let failed = std::mem::take(&mut self.items[index].failed);
        let failed: Vec<FailedAccount> = failed
            .into_iter()
            .filter(|(account, _)| outdated.contains(account))
            .map(|(account, reason)| FailedAccount { account, reason })
            .collect();
        let end = if failed.is_empty() {
            ProvisioningEnd::Done
        } else {
            ProvisioningEnd::Failed(failed)
        };
        self.end(index, end);
    }

    /// Starts as many provisionings as AWS accepts.
    async fn send(&mut self) {
        let now = self.now();
        if self.not_before > now || !self.items.iter().any(|item| item.can_send(now)) {
            return;
        }
        let own: Vec<RequestId> = self
            .items
            .iter()
            .flat_map(|item| item.running.iter().map(|(id, _)| id.clone()))
            .collect();
        let listed = self.center.permission_sets().provisionings_in_progress();
        let listed = match listed.try_collect().await {
            Ok(listed) => listed,
            Err(error) if refusal(&error) == Refusal::Permanent => {
                let first = self.items.iter().position(|item| item.can_send(now));
                return self.end(first.unwrap_or(0), ProvisioningEnd::Refused(error));
            }
            Err(_passes) => {
                self.not_before = now + FIRST_PAUSE;
                return;
            }
        };
        let foreign = listed.iter().filter(|id| !own.contains(*id)).count();
        let mut in_progress = own.len() + foreign;
        if free(in_progress) == 0 {
            self.not_before = now + LOOK;
        }
        for index in 0..self.items.len() {
            while free(in_progress) > 0
                && self.items[index].can_send(now)
                && self.not_before <= now
                && let Some(target) = self.items[index].queue.front().cloned()
            {
                let set = self.items[index].request.permission_set.clone();
                let sets = self.center.permission_sets();
                let started = sets.provision_once(&set, &target).await;
                let target = self.items[index].queue.pop_front().unwrap_or(target);
                match started {
                    Ok(id) => {
                        in_progress += 1;
                        self.looks = 0;
                        let item = &mut self.items[index];
                        item.refusals = 0;
                        item.running.push((id, target));
                    }
                    Err(error) => self.refused(index, target, error, in_progress > 0),
                }
            }
        }
    }

    fn refused(
        &mut self,
        index: usize,
        target: Target<AccountId>,
        error: Error,
        others_in_progress: bool,
    ) {
        match refusal(&error) {
            Refusal::Permanent => self.give_up(index, target, error),
            Refusal::Conflict if others_in_progress => {
                // The run waits for the other provisioning without a limit.
                let now = self.now();
                let item = &mut self.items[index];
                item.one_at_a_time = true;
                item.not_before = now + LOOK;
                item.requeue(target);
            }
            refusal => self.repeat(index, refusal, error, target),
        }
    }

    /// Sends the same call again after a pause. Throttling does not count as a try.
    fn repeat(&mut self, index: usize, refusal: Refusal, error: Error, target: Target<AccountId>) {
        let now = self.now();
        let item = &mut self.items[index];
        let most = match refusal {
            Refusal::Throttled => u32::MAX,
            Refusal::Conflict => CONFLICTS,
            Refusal::Transient | Refusal::Permanent => TRIES,
        };
        if item.refusals + 1 >= most {
            return self.give_up(index, target, error);
        }
        let wait = now + pause(FIRST_PAUSE, item.refusals, LONGEST_PAUSE);
        item.not_before = wait;
        if refusal == Refusal::Throttled {
            self.not_before = wait;
        } else {
            item.refusals += 1;
        }
        item.requeue(target);
    }

    fn give_up(&mut self, index: usize, target: Target<AccountId>, error: Error) {
        match target {
            Target::AllAccounts => self.end(index, ProvisioningEnd::Refused(error)),
            Target::Account(account) => {
                let reason = error
                    .message()
                    .map_or_else(|| error.to_string(), str::to_owned);
                self.items[index].failed.insert(account, Some(reason));
            }
        }
    }

    fn set_left(&mut self, index: usize, left: usize) {
        let item = &mut self.items[index];
        item.left = left;
        if left < item.fewest_left {
            self.moved |= item.fewest_left != usize::MAX;
            item.fewest_left = left;
        }
    }

    fn end(&mut self, index: usize, end: ProvisioningEnd) {
        self.items[index].stage = Stage::Ended;
        self.events.push_back(ProvisioningEvent::Ended(index, end));
    }

    fn now(&self) -> Duration {
        self.center.aws().clock().elapsed()
    }
}

impl Item {
    fn new(request: ProvisioningRequest) -> Self {
        Self {
            request,
            stage: Stage::New,
            queue: VecDeque::new(),
            running: Vec::new(),
            failed_once: BTreeSet::new(),
            failed: BTreeMap::new(),
            one_at_a_time: false,
            not_before: Duration::ZERO,
            all_failed: false,
            refusals: 0,
            read_failures: 0,
            left: 0,
            fewest_left: usize::MAX,
            left_read: Duration::ZERO,
        }
    }

    fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Unread | Stage::Working)
    }

    fn can_send(&self, now: Duration) -> bool {
        self.stage == Stage::Working
            && !self.queue.is_empty()
            && self.not_before <= now
            && (self.running.is_empty() || !self.one_at_a_time)
    }

    /// Records that AWS could not provision. Each account is tried once more on its own.
    fn failed(&mut self, target: Target<AccountId>, reason: Option<String>) {
        match target {
            Target::AllAccounts => {
                self.all_failed = true;
                self.stage = Stage::Unread;
            }
            Target::Account(account) if self.failed_once.contains(&account) => {
                self.failed.insert(account, reason);
            }
            Target::Account(account) => {
                self.failed_once.insert(account.clone());
                self.queue.push_back(Target::Account(account));
            }
        }
    }

    /// Tries the accounts that a call for all accounts has left.
    fn retry_each(&mut self, outdated: Vec<AccountId>) {
        self.stage = Stage::Working;
        for account in outdated {
            self.failed_once.insert(account.clone());
            self.queue.push_back(Target::Account(account));
        }
    }

    /// Puts back a call that AWS did not take. A provisioning that is in progress may make a call for all accounts
    /// superfluous.
    fn requeue(&mut self, target: Target<AccountId>) {
        if target == Target::AllAccounts {
            self.queue.clear();
            self.stage = Stage::Unread;
        } else {
            self.queue.push_front(target);
        }
    }
}

impl fmt::Debug for ProvisioningRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvisioningRun")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

fn refusal(error: &Error) -> Refusal {
    if error.is_kms_error() {
        Refusal::Permanent
    } else if error.is_conflict() {
        Refusal::Conflict
    } else if error.is_throttled() {
        Refusal::Throttled
    } else if error.status().is_none_or(|status| status >= 500) {
        Refusal::Transient
    } else {
        Refusal::Permanent
    }
}

/// The first pause between two looks at what is in progress. Each next pause is twice as long.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// The longest pause between two looks, and the time between two reads of the accounts that are left.
const LOOK: Duration = Duration::from_secs(10);
/// The first pause after a refusal that passes.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause after a refusal that passes.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// Number of conflicts in a row, while nothing is in progress, after which a call has failed.
const CONFLICTS: u32 = 8;
/// Number of attempts of a call without an answer.
const TRIES: u32 = 5;
