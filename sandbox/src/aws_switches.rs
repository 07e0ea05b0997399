//! The run-time switches of the AWS services.

use crate::{IamPolicy, Sandbox};

impl Sandbox {
    /// Gives the users of the AWS access keys exactly the rights of this IAM policy; `None`: all rights.
    ///
    /// [`SandboxBuilder::limit_aws_caller`] describes the check.
    pub fn limit_aws_caller(&self, policy: impl Into<Option<IamPolicy>>) {
        self.state().cloud.caller_policy = policy.into();
    }
}
