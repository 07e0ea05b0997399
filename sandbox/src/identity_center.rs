//! Settings of IAM Identity Center.

/// The quotas of the API of IAM Identity Center, for each instance.
///
/// A caller that fills in fields ends with `..IdentityCenterQuotas::AWS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityCenterQuotas {
    /// The number of calls per second, of all operations together; `None`: unlimited.
    ///
    /// A call above the quota is refused with `ThrottlingException` and "Rate exceeded". The quota works like the other
    /// API limits of AWS: a token bucket holds as many tokens as the rate and is refilled at that rate.
    pub calls_per_second: Option<u32>,
    /// The number of creations and deletions of assignments that are in progress at the same time.
    ///
    /// One more is refused with `ThrottlingException` and "There are too many requests processing. Please try again
    /// later.".
    pub outstanding_assignments: usize,
    /// The number of provisionings of permission sets that are in progress at the same time.
    pub outstanding_provisionings: usize,
}

impl IdentityCenterQuotas {
    /// The quotas page of IAM Identity Center: 20 calls per second together, 15 outstanding assignment operations
    /// (earlier copies of the page: 10), and 3 concurrent calls of `ProvisionPermissionSet`.
    pub const AWS: Self = Self {
        calls_per_second: Some(20),
        outstanding_assignments: 15,
        outstanding_provisionings: 3,
    };
}

impl Default for IdentityCenterQuotas {
    fn default() -> Self {
        Self::AWS
    }
}

/// The time at which AWS refuses an AWS managed policy that does not exist.
///
/// The behavior of AWS is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPolicies {
    /// The policy cannot be attached.
    #[default]
    RefusedAtAttach,
    /// The policy can be attached, and then the provisioning of the permission set ends as `FAILED`.
    FailAtProvisioning,
}
