//! Retry rules in addition to the SDK's rules.
//!
//! The SDK retries a call if no response arrived, after a server error, and if the call was
//! throttled. A retry is safe, because all calls of this crate are idempotent:
//!
//! - reads
//! - writes that set a value
//! - assignments, which AWS does not duplicate
//! - `CreatePermissionSet`: a second attempt fails with a conflict, which is resolved by name

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

/// Retries writes that conflict with an earlier write that AWS has not finished.
///
/// The service model says about `ConflictException`: "A retry (with appropriate backoff logic) is
/// the recommended response". But the same exception also means that a resource with the same name
/// exists. Only operations that create no named resource are therefore retried: their conflicts are
/// temporary.
#[derive(Debug)]
pub(crate) struct TransientConflict;

impl ClassifyRetry for TransientConflict {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match operation_error(context) {
            // This kind of error selects the first wait: at most 1 second, then twice that.
            Some(error) if is_transient_conflict(error) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "TransientConflict"
    }

    fn priority(&self) -> RetryClassifierPriority {
        after_sdk_rules()
    }
}

/// Waits for the `RetryAfterSeconds` of the identity store, which is in the body instead of a header.
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
        after_sdk_rules()
    }
}

/// Returns the priority of a rule that runs after the SDK's rules and can override them.
fn after_sdk_rules() -> RetryClassifierPriority {
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

fn is_transient_conflict(error: &Error) -> bool {
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
    // The SDK sets 0 if the response does not contain the field.
    u64::try_from(seconds)
        .ok()
        .filter(|&seconds| seconds > 0)
        .map(Duration::from_secs)
}
