//! Values of multi-valued attributes: plain values, addresses and references.

use crate::{ResourceId, Text, attribute::complex};

complex! {
    /// One value of a multi-valued attribute: an email address, a phone number, a role (RFC 7643 section 2.4).
    pub struct MultiValued {
        /// The value itself.
        pub value: Option<Text> = "value",
        /// The display name; AWS IAM Identity Center does not support it.
        pub display: Option<Text> = "display",
        /// The type of the value, such as `work` or `home`.
        pub kind: Option<Text> = "type",
        /// Whether this is the primary value; at most one value is primary.
        pub primary: Option<bool> = "primary",
    }
}

impl MultiValued {
    /// Returns a value that is marked as primary.
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
        /// The full address, formatted for a label and possibly with several lines.
        pub formatted: Option<Text> = "formatted",
        /// The street, the house number and similar parts, possibly on several lines.
        pub street_address: Option<Text> = "streetAddress",
        /// The city.
        pub locality: Option<Text> = "locality",
        /// The state or region.
        pub region: Option<Text> = "region",
        /// The postal code.
        pub postal_code: Option<Text> = "postalCode",
        /// The country, in two letters (ISO 3166-1).
        pub country: Option<Text> = "country",
        /// The type of the address, such as `work` or `home`.
        pub kind: Option<Text> = "type",
        /// Whether this is the primary address.
        pub primary: Option<bool> = "primary",
    }
}

complex! {
    /// A reference to another resource: a member of a group, or a group of a user.
    pub struct Reference {
        /// The id of the other resource.
        pub value: Option<ResourceId> = "value",
        /// The URI of the other resource.
        pub reference: Option<Text> = "$ref",
        /// The display name; AWS IAM Identity Center does not support it.
        pub display: Option<Text> = "display",
        /// The type: `User` or `Group` for a member, `direct` or `indirect` for a group of a user.
        pub kind: Option<Text> = "type",
    }
}

impl Reference {
    /// Returns a reference with only an id.
    #[must_use]
    pub fn to(id: ResourceId) -> Self {
        Self {
            value: Some(id),
            ..Self::default()
        }
    }
}
