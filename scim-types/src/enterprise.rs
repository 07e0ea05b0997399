use crate::{ResourceId, Text, attribute::complex};

complex! {
    /// What an enterprise says about a user, in an extension of its own (RFC 7643 section 4.3).
    pub struct Enterprise {
        /// The number or code of the employee.
        pub employee_number: Option<Text> = "employeeNumber",
        /// The name of the cost centre.
        pub cost_center: Option<Text> = "costCenter",
        /// The name of the organization.
        pub organization: Option<Text> = "organization",
        /// The name of the division.
        pub division: Option<Text> = "division",
        /// The name of the department.
        pub department: Option<Text> = "department",
        /// Whom the user reports to.
        pub manager: Option<Manager> = "manager",
    }
}

complex! {
    /// Whom a user reports to.
    pub struct Manager {
        /// The id of the manager, a user.
        pub value: Option<ResourceId> = "value",
        /// The URI of the manager.
        pub reference: Option<Text> = "$ref",
        /// The name of the manager; AWS IAM Identity Center does not support it.
        pub display_name: Option<Text> = "displayName",
    }
}
