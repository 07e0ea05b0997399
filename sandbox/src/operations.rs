//! The asynchronous operations of Identity Center: their kinds, durations and faults.

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};

/// The kind of change that an asynchronous operation of Identity Center makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// `CreateAccountAssignment`: creates an assignment and provisions the permission set.
    Assign,
    /// `DeleteAccountAssignment`: deletes an assignment, and the role if no other assignment uses it.
    Unassign,
    /// `ProvisionPermissionSet`: updates roles to the current version of the permission set.
    Provision,
}

/// The durations of the asynchronous operations of Identity Center.
///
/// An operation with the duration [`Duration::MAX`] is held: it stays `IN_PROGRESS` until
/// [`Sandbox::release_operations`](crate::Sandbox::release_operations).
#[derive(Clone, Debug)]
pub struct OperationDurations(Durations);

#[derive(Clone)]
enum Durations {
    Constant(Duration),
    Uniform(RangeInclusive<Duration>, u64),
    ByNumber(Arc<dyn Fn(u64) -> Duration + Send + Sync>),
}

impl OperationDurations {
    /// Returns the same duration for all operations.
    #[must_use]
    pub fn constant(duration: Duration) -> Self {
        Self(Durations::Constant(duration))
    }

    /// Returns durations that are uniformly distributed in a range.
    ///
    /// The duration of an operation depends only on `seed`, its kind and its target, and on how often the same operation was
    /// started before. It does not depend on the order of concurrent requests.
    ///
    /// # Panics
    ///
    /// Panics if the range is empty.
    #[must_use]
    pub fn uniform(range: RangeInclusive<Duration>, seed: u64) -> Self {
        assert!(!range.is_empty(), "the range of durations is empty");
        Self(Durations::Uniform(range, seed))
    }

    /// Returns durations that a function computes from the number of the operation.
    ///
    /// The first operation that starts has the number 1. Refused requests and operations of other tools do not count.
    #[must_use]
    pub fn by_number(duration: impl Fn(u64) -> Duration + Send + Sync + 'static) -> Self {
        Self(Durations::ByNumber(Arc::new(duration)))
    }

    fn of(&self, number: u64, request_id: &str) -> Duration {
        match &self.0 {
            Durations::Constant(duration) => *duration,
            Durations::ByNumber(duration) => duration(number),
            Durations::Uniform(range, seed) => {
                let digest = Sha256::digest(format!("{seed}/{request_id}"));
                let random = digest
                    .iter()
                    .take(8)
                    .fold(0, |random, byte| (random << 8) | u128::from(*byte));
                let width = range.end().saturating_sub(*range.start()).as_nanos() + 1;
                // A product with a 64-bit number stays in 128 bits for 585 years in nanoseconds.
                let offset = width.saturating_mul(random) >> 64;
                *range.start() + Duration::from_nanos_u128(offset)
            }
        }
    }
}

impl fmt::Debug for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(duration) => f.debug_tuple("Constant").field(duration).finish(),
            Self::Uniform(range, seed) => {
                f.debug_tuple("Uniform").field(range).field(seed).finish()
            }
            Self::ByNumber(_) => f.write_str("ByNumber(..)"),
        }
    }
}

/// A fault of asynchronous operations of Identity Center, applied to the operations that match.
///
/// [`Sandbox::inject_operation_fault`](crate::Sandbox::inject_operation_fault) queues it. Without [`times`](Self::times)
/// or [`always`](Self::always), it applies to one operation. If several faults match, the first one applies. Dropping the
/// sandbox panics if a fault never applied.
///
/// ```
/// use okta_aws_sandbox::{OperationFault, OperationKind};
///
/// // The third creation of an assignment in this account ends as FAILED.
/// let fault = OperationFault::fail(OperationFault::TAKING_LONGER)
///     .of(OperationKind::Assign)
///     .in_account("200000000001")
///     .after(2);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct OperationFault {
    effect: Effect,
    kind: Option<OperationKind>,
    account: Option<String>,
    permission_set: Option<String>,
    principal: Option<String>,
    /// The number of matching operations that still pass before the fault applies.
    skips: usize,
    /// The number of operations to which the fault still applies; `None`: unlimited.
    times: Option<usize>,
    applied: bool,
}

/// The effect of a fault on an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The request is refused with this code and message, and no operation starts.
    Refuse(&'static str, &'static str),
    /// The operation ends as `FAILED` with this reason and changes nothing.
    Fail(String),
    /// The operation is in progress until it is released.
    Hold,
}

impl OperationFault {
    /// The reason of an operation in an account that AWS cannot access. Users of public assignment tools have reported it for
    /// closed accounts.
    pub const TAKING_LONGER: &str = "AWS SSO is unable to complete your request at this time. Obtaining permissions to \
        manage your AWS account '{account}' is taking longer than usual. This is usually temporary. Please try again in \
        a few minutes. If this problem continues, contact AWS Support.";
    /// The reason of an operation for a user or group that does not exist.
    pub const PRINCIPAL_NOT_FOUND: &str = "Received a 404 status error: {principal} not found.";
    /// The shortened reason of an operation in the management account, where AWS changes roles with the rights of the caller
    /// (public reports: terraform-aws-sso-elevator, issue 15; aws-resource-providers, issue 66).
    pub const ACCESS_DENIED_BY_IAM: &str = "Received a 403 status error: Access denied by IAM. Please check your policy, or \
        wait for role propagation to complete. (Service: AmazonIdentityManagement; Status Code: 403; Error Code: \
        AccessDenied)";

    /// Lets an operation end as `FAILED` with this reason, without a change.
    ///
    /// In the reason, `{account}` stands for the id of the account, and `{principal}` for `USER` or `GROUP`.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::new(Effect::Fail(reason.into()))
    }

    /// Holds an operation: it stays `IN_PROGRESS` until
    /// [`Sandbox::release_operations`](crate::Sandbox::release_operations).
    pub fn hold() -> Self {
        Self::new(Effect::Hold)
    }

    /// Refuses to start an operation with `ConflictException`, as if another operation were in progress.
    pub fn conflict() -> Self {
        Self::new(Effect::Refuse("ConflictException", CONFLICT))
    }

    /// Refuses to start an operation with `ThrottlingException` and "Rate exceeded".
    pub fn rate_exceeded() -> Self {
        Self::new(Effect::Refuse("ThrottlingException", RATE_EXCEEDED))
    }

    /// Refuses to start an operation with `ThrottlingException` and "There are too many requests processing. Please try
    /// again later.", as if too many operations were in progress.
    pub fn too_many_requests() -> Self {
        Self::new(Effect::Refuse("ThrottlingException", TOO_MANY_REQUESTS))
    }

    /// Limits the fault to operations of a kind.
    pub fn of(mut self, kind: OperationKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Limits the fault to operations in an account. An operation in all provisioned accounts does not match.
    pub fn in_account(mut self, id: impl Into<String>) -> Self {
        self.account = Some(id.into());
        self
    }

    /// Limits the fault to operations on the permission set with this name or ARN.
    pub fn on_permission_set(mut self, name_or_arn: impl Into<String>) -> Self {
        self.permission_set = Some(name_or_arn.into());
        self
    }

    /// Limits the fault to operations on the assignments of a user or group, by its id in the identity store.
    pub fn for_principal(mut self, id: impl Into<String>) -> Self {
        self.principal = Some(id.into());
        self
    }

    /// Lets this number of matching operations pass before the fault applies.
    ///
    /// A refused request counts only for faults that refuse.
    pub fn after(mut self, operations: usize) -> Self {
        self.skips = operations;
        self
    }

    /// Applies the fault to this number of operations; default: 1.
    pub fn times(mut self, operations: usize) -> Self {
        self.times = Some(operations);
        self
    }

    /// Applies the fault to all matching operations.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn new(effect: Effect) -> Self {
        Self {
            effect,
            kind: None,
            account: None,
            permission_set: None,
            principal: None,
            skips: 0,
            times: Some(1),
            applied: false,
        }
    }

    fn matches(&self, target: &OperationTarget<'_>) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        let (name, arn) = target.permission_set;
        self.kind.is_none_or(|kind| kind == target.kind)
            && is(&self.account, target.account)
            && (is(&self.permission_set, Some(name)) || is(&self.permission_set, Some(arn)))
            && is(&self.principal, target.principal)
    }
}

/// The message of AWS for an operation that conflicts with another one.
pub(crate) const CONFLICT: &str = "A conflicting operation is in progress. Please try again later.";
/// The message of AWS above the quota of calls.
pub(crate) const RATE_EXCEEDED: &str = "Rate exceeded";
/// The message of AWS above the quota of outstanding operations.
pub(crate) const TOO_MANY_REQUESTS: &str =
    "There are too many requests processing. Please try again later.";

/// The properties of an operation that select the fault to apply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationTarget<'t> {
    pub(crate) kind: OperationKind,
    pub(crate) account: Option<&'t str>,
    /// The name and the ARN.
    pub(crate) permission_set: (&'t str, &'t str),
    /// The id of the user or group.
    pub(crate) principal: Option<&'t str>,
}

/// The durations and the pending faults of operations.
#[derive(Debug)]
pub(crate) struct OperationControl {
    pub(crate) durations: OperationDurations,
    faults: Vec<OperationFault>,
    started: u64,
}

impl OperationControl {
    pub(crate) fn new(durations: OperationDurations) -> Self {
        Self {
            durations,
            faults: Vec::new(),
            started: 0,
        }
    }

    pub(crate) fn push(&mut self, fault: OperationFault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Returns the faults that never applied.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &OperationFault> {
        self.faults.iter().filter(|fault| !fault.applied)
    }

    /// Takes the code and the message with which a fault refuses to start an operation.
    pub(crate) fn take_refusal(
        &mut self,
        target: &OperationTarget<'_>,
    ) -> Option<(&'static str, &'static str)> {
        match self.take(target, |effect| matches!(effect, Effect::Refuse(..)))? {
            Effect::Refuse(code, message) => Some((code, message)),
            _ => None,
        }
    }

    /// Counts an operation that starts; returns its duration and the effect of a fault.
    pub(crate) fn start(
        &mut self,
        target: &OperationTarget<'_>,
        request_id: &str,
    ) -> (Duration, Option<Effect>) {
        self.started += 1;
        let duration = self.durations.of(self.started, request_id);
        let effect = self.take(target, |effect| !matches!(effect, Effect::Refuse(..)));
        (duration, effect)
    }

    fn take(
        &mut self,
        target: &OperationTarget<'_>,
        is_wanted: impl Fn(&Effect) -> bool,
    ) -> Option<Effect> {
        let mut effect = None;
        for fault in &mut self.faults {
            if !is_wanted(&fault.effect) || fault.times == Some(0) || !fault.matches(target) {
                continue;
            }
            if fault.skips > 0 {
                fault.skips -= 1;
            } else if effect.is_none() {
                effect = Some(fault.effect.clone());
                fault.applied = true;
                fault.times = fault.times.map(|times| times - 1);
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: OperationTarget<'_> = OperationTarget {
        kind: OperationKind::Assign,
        account: Some("200000000002"),
        permission_set: ("Admin", "arn:aws:sso:::permissionSet/ssoins-1/ps-1"),
        principal: Some("group"),
    };

    fn control(faults: impl IntoIterator<Item = OperationFault>) -> OperationControl {
        let mut control = OperationControl::new(OperationDurations::constant(Duration::ZERO));
        faults.into_iter().for_each(|fault| control.push(fault));
        control
    }

    #[test]
    fn uniform_durations_depend_on_the_seed_and_the_operation_and_stay_in_the_range() {
        let range = Duration::from_secs(2)..=Duration::from_secs(5);
        let durations = OperationDurations::uniform(range.clone(), 7);
        let of = |durations: &OperationDurations, id: u32| durations.of(1, &id.to_string());
        let drawn: Vec<Duration> = (0..1000).map(|id| of(&durations, id)).collect();
        assert!(drawn.iter().all(|duration| range.contains(duration)));
        let mean = drawn.iter().sum::<Duration>() / 1000;
        assert!(mean.abs_diff(Duration::from_millis(3500)) < Duration::from_millis(100));
        assert_eq!(of(&durations, 5), drawn[5]);
        let other = OperationDurations::uniform(range, 8);
        assert_ne!(of(&other, 5), drawn[5]);
        let point = OperationDurations::uniform(Duration::MAX..=Duration::MAX, 1);
        assert_eq!(of(&point, 1), Duration::MAX);
    }

    #[test]
    fn a_function_of_the_number_counts_from_one() {
        let mut control = control([]);
        control.durations = OperationDurations::by_number(Duration::from_secs);
        let mut start = || control.start(&TARGET, "id").0;
        assert_eq!(start(), Duration::from_secs(1));
        assert_eq!(start(), Duration::from_secs(2));
    }

    #[test]
    fn a_fault_applies_to_matching_operations_only() {
        for (fault, matches) in [
            (OperationFault::hold(), true),
            (OperationFault::hold().of(OperationKind::Assign), true),
            (OperationFault::hold().of(OperationKind::Provision), false),
            (OperationFault::hold().in_account("200000000002"), true),
            (OperationFault::hold().in_account("200000000001"), false),
            (OperationFault::hold().on_permission_set("Admin"), true),
            (
                OperationFault::hold().on_permission_set(TARGET.permission_set.1),
                true,
            ),
            (OperationFault::hold().on_permission_set("Other"), false),
            (OperationFault::hold().for_principal("group"), true),
            (OperationFault::hold().for_principal("user"), false),
        ] {
            let mut control = control([fault]);
            let (_, effect) = control.start(&TARGET, "id");
            assert_eq!(effect.is_some(), matches, "{control:?}");
            assert_eq!(control.pending().count(), usize::from(!matches));
        }
    }

    #[test]
    fn a_fault_skips_operations_and_applies_the_given_number_of_times() {
        let mut control = control([OperationFault::hold().after(1).times(2)]);
        let held: Vec<bool> = (0..4)
            .map(|_| control.start(&TARGET, "id").1.is_some())
            .collect();
        assert_eq!(held, [false, true, true, false]);
        control.push(OperationFault::hold().always());
        assert!((0..9).all(|_| control.start(&TARGET, "id").1.is_some()));
    }

    #[test]
    fn a_refusal_and_an_effect_on_a_started_operation_are_taken_separately() {
        let mut control = control([OperationFault::hold(), OperationFault::conflict()]);
        let refusal = control.take_refusal(&TARGET).expect("a refusal");
        assert_eq!(refusal.0, "ConflictException");
        assert_eq!(control.take_refusal(&TARGET), None);
        assert_eq!(control.start(&TARGET, "id").1, Some(Effect::Hold));
    }
}
