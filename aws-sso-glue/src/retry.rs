//! Which refusals are worth another attempt, beyond what the SDK knows.
//!
//! The SDK repeats a call when no answer arrived, on a server error, and when throttled. That is
//! harmless for all calls made here: reads; writes that set something to a value; assignments,
//! which AWS does not duplicate; and `CreatePermissionSet`, whose second attempt is a conflict that
//! is resolved by name.

use std::time::Duration;

use aws_sdk_identitystore::operation::{
    describe_group::DescribeGroupError, describe_user::DescribeUserError,
    get_group_id::GetGroupIdError, get_user_id::GetUserIdError,
    is_member_in_groups::IsMemberInGroupsError, list_group_memberships::ListGroupMembershipsError,
    list_groups::ListGroupsError, list_users::ListUsersError,
};
use aws_sdk_ssoadmin::operation::{
    create_account_assignment::CreateAccountAssignmentError,
    delete_account_assignment::DeleteAccountAssignmentError,
    delete_inline_policy_from_permission_set::DeleteInlinePolicyFromPermissionSetError,
    delete_permission_set::DeletePermissionSetError,
    detach_managed_policy_from_permission_set::DetachManagedPolicyFromPermissionSetError,
    provision_permission_set::ProvisionPermissionSetError,
    put_inline_policy_to_permission_set::PutInlinePolicyToPermissionSetError,
    update_permission_set::UpdatePermissionSetError,
};
use aws_smithy_runtime_api::client::{
    interceptors::context::{Error, InterceptorContext},
    orchestrator::OrchestratorError,
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};
use aws_smithy_types::retry::ErrorKind;

/// Repeats writes that collide with an earlier write that AWS is still spreading.
///
/// "A retry (with appropriate backoff logic) is the recommended response" says the service model
/// of `ConflictException`, but the same exception also means that a thing exists already. So only
/// operations are listed that create nothing with a name: there, a conflict passes.
#[derive(Debug)]
pub(crate) struct PassingConflict;

impl ClassifyRetry for PassingConflict {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match operation_error(context) {
            // The kind decides the first pause: a second at most, twice that at the next.
            Some(error) if passes(error) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "PassingConflict"
    }

    fn priority(&self) -> RetryClassifierPriority {
        last()
    }
}

/// Waits as long as the identity store asks, which says so in the body instead of a header.
#[derive(Debug)]
pub(crate) struct RetryAfterSeconds;

impl ClassifyRetry for RetryAfterSeconds {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match operation_error(context).and_then(retry_after) {
            Some(wait) => {
                RetryAction::retryable_error_with_explicit_delay(ErrorKind::ThrottlingError, wait)
            }
            None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "RetryAfterSeconds"
    }

    fn priority(&self) -> RetryClassifierPriority {
        last()
    }
}

fn last() -> RetryClassifierPriority {
    RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
}

fn operation_error(context: &InterceptorContext) -> Option<&Error> {
    OrchestratorError::as_operation_error(context.output_or_error()?.err()?)
}

macro_rules! conflict_in {
    ($error:expr, $($operation:ty),+ $(,)?) => {
        $($error
            .downcast_ref::<$operation>()
            .is_some_and(<$operation>::is_conflict_exception))||+
    };
}

fn passes(error: &Error) -> bool {
    conflict_in!(
        error,
        CreateAccountAssignmentError,
        DeleteAccountAssignmentError,
        ProvisionPermissionSetError,
        DeletePermissionSetError,
        UpdatePermissionSetError,
        PutInlinePolicyToPermissionSetError,
        DeleteInlinePolicyFromPermissionSetError,
        DetachManagedPolicyFromPermissionSetError,
    )
}

macro_rules! throttling_in {
    ($error:expr, $($operation:ident),+ $(,)?) => {
        None
            $(.or_else(|| match $error.downcast_ref::<$operation>() {
                Some($operation::ThrottlingException(refusal)) => {
                    Some(refusal.retry_after_seconds())
                }
                _ => None,
            }))+
    };
}

fn retry_after(error: &Error) -> Option<Duration> {
    let seconds = throttling_in!(
        error,
        DescribeGroupError,
        DescribeUserError,
        GetGroupIdError,
        GetUserIdError,
        IsMemberInGroupsError,
        ListGroupMembershipsError,
        ListGroupsError,
        ListUsersError,
    )?;
    // Zero is what the SDK fills in for an answer without the member.
    u64::try_from(seconds)
        .ok()
        .filter(|&seconds| seconds > 0)
        .map(Duration::from_secs)
}
