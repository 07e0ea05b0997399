use crate::{ResourceId, Text, attribute::complex};

complex! {
    /// One of several values: an e-mail address, a phone number, a role (RFC 7643 section 2.4).
    pub struct MultiValued {
        /// The value itself.
        pub value: Option<Text> = "value",
        /// What a person is shown; AWS IAM Identity Center does not support it.
        pub display: Option<Text> = "display",
        /// What the value is for, such as `work` or `home`.
        pub kind: Option<Text> = "type",
        /// Whether this value is the preferred one; one at most is.
        pub primary: Option<bool> = "primary",
    }
}

impl MultiValued {
    /// Returns a value that is marked as the preferred one.
    pub fn primary(value: impl Into<Text>) -> Self {
        Self {
            value: Some(value.into()),
            primary: Some(true),
            ..Self::default()
        }
    }
}

complex! {
    /// A mailing address (RFC 7643 section 4.1.2).
    pub struct Address {
        /// The whole address, as on a label; it may have several lines.
        pub formatted: Option<Text> = "formatted",
        /// Street, house number, and the like; it may have several lines.
        pub street_address: Option<Text> = "streetAddress",
        /// The city.
        pub locality: Option<Text> = "locality",
        /// The state or region.
        pub region: Option<Text> = "region",
        /// The postal code.
        pub postal_code: Option<Text> = "postalCode",
        /// The country, in two letters (ISO 3166-1).
        pub country: Option<Text> = "country",
        /// What the address is for, such as `work` or `home`.
        pub kind: Option<Text> = "type",
        /// Whether this address is the preferred one.
        pub primary: Option<bool> = "primary",
    }
}

complex! {
    /// Another resource, pointed at: a member of a group, or a group of a user.
    pub struct Reference {
        /// The id of the other resource.
        pub value: Option<ResourceId> = "value",
        /// The URI of the other resource.
        pub reference: Option<Text> = "$ref",
        /// What a person is shown; AWS IAM Identity Center does not support it.
        pub display: Option<Text> = "display",
        /// For a member `User` or `Group`, for a group of a user `direct` or `indirect`.
        pub kind: Option<Text> = "type",
    }
}

impl Reference {
    /// Returns a reference that says the id and nothing else.
    #[must_use]
    pub fn to(id: ResourceId) -> Self {
        Self {
            value: Some(id),
            ..Self::default()
        }
    }
}
