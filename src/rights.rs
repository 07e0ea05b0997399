//! The rights that a plan needs: the OAuth 2.0 scopes in Okta, and the IAM policy in AWS.
//!
//! Both are derived from the plan without a service call: a table has the operations of each step.

mod aws;
mod okta;

pub use aws::{
    ActionPart, AwsPolicy, AwsRights, AwsStatement, AwsTarget, Collapsed, OptionalAction,
    StepAction, aws_actions, aws_rights,
};
pub use okta::{OptionalScope, StepRights, optional_scopes, required_scopes, steps};
