//! The enterprise extension of a user.

use crate::{ResourceId, Text, attribute::complex};

complex! {
    /// The enterprise extension of a user (RFC 7643 section 4.3).
    pub struct EnterpriseUser {
        /// The employee number or code.
        pub employee_number: Option<Text> = "employeeNumber",
        /// The name of the cost center.
        pub cost_center: Option<Text> = "costCenter",
        /// The name of the organization.
        pub organization: Option<Text> = "organization",
        /// The name of the division.
        pub division: Option<Text> = "division",
        /// The name of the department.
        pub department: Option<Text> = "department",
        /// The manager of the user.
        pub manager: Option<Manager> = "manager",
    }
}

complex! {
    /// The manager of a user.
    pub struct Manager {
        /// The id of the manager's user.
        pub value: Option<ResourceId> = "value",
        /// The URI of the manager.
        pub reference: Option<Text> = "$ref",
        /// The name of the manager; AWS IAM Identity Center does not support it.
        pub display_name: Option<Text> = "displayName",
    }
}
