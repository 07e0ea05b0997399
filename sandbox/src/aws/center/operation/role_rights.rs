//! The rights to roles in the management account, which Identity Center takes from the caller.

use super::{Kind, Operation};
use crate::aws::center::{Center, SetIx};
use crate::aws::organizations::{AccountIx, Organization};

impl Center {
    /// Checks that the caller of an operation may change the role of a permission set, if the account is the management
    /// account.
    ///
    /// The service-linked role of Identity Center cannot change roles in the management account (managed policy
    /// `AWSSSOServiceRolePolicy`). There, the caller needs the IAM actions of the user guide ("Identity-based policy
    /// examples", example 2). UNVERIFIED: which operation needs which of them, and the path of the role in other Regions
    /// than `us-east-1`.
    ///
    /// # Errors
    ///
    /// Returns AWS's reason for the first action that the caller's policy does not allow, as public reports have it
    /// (terraform-aws-sso-elevator, issue 15).
    pub(super) fn check_role_rights(
        &self,
        organization: &Organization,
        operation: &Operation,
        set: SetIx,
        account: AccountIx,
    ) -> Result<(), String> {
        let account_of_role = organization.account_at(account);
        let id = &account_of_role.id;
        let Some(caller) = &operation.caller else {
            return Ok(());
        };
        if *id != organization.management {
            return Ok(());
        }
        let permission_set = self.sets.at(set);
        let version = self.access.role(set, account).map(|role| role.version);
        let actions = match (operation.kind, version) {
            (Kind::Unassign, None) => return Ok(()),
            (Kind::Unassign, Some(version)) => permission_set.role_deletion_actions(version),
            (_, version) => permission_set.role_actions(version),
        };
        let partition = self.partition().name();
        let region = match self.region.as_str() {
            "us-east-1" => String::new(),
            region => format!("{region}/"),
        };
        let role = format!(
            "arn:{partition}:iam::{id}:role/aws-reserved/sso.amazonaws.com/{region}{}",
            permission_set.role_name(account_of_role)
        );
        // The provider's name has the digits of the instance.
        let digits = self.instance_id().trim_start_matches("ssoins-");
        let provider =
            format!("arn:{partition}:iam::{id}:saml-provider/AWSSSO_{digits}_DO_NOT_DELETE");
        let on_role = actions.into_iter().map(|action| (action, &role));
        let refusal = std::iter::once(("iam:GetSAMLProvider", &provider))
            .chain(on_role)
            .find_map(|(action, resource)| caller.refusal(action, resource));
        match refusal {
            None => Ok(()),
            Some(refusal) => Err(format!(
                "Received a 403 status error: Access denied by IAM. Please check your policy, or wait for role \
                 propagation to complete. IAM Error: {refusal} (Service: AmazonIdentityManagement; Status Code: 403; \
                 Error Code: AccessDenied; Request ID: {}; Proxy: null)",
                operation.request_id
            )),
        }
    }
}
