//! Users and their names.

use crate::{
    Address, EnterpriseUser, ExternalId, Meta, MultiValued, Reference, ResourceId, Text,
    attribute::{complex, document},
};

document! {
    /// A user (RFC 7643 section 4.1), with the enterprise extension.
    ///
    /// Every attribute is optional, because a response may be partial and a server may omit attributes
    /// that it does not support. `password` has no field: it stays in [`other`](Self::other), whose
    /// `Debug` does not print values.
    pub struct User of USER {
        /// The server's id of the user; absent before the user is created.
        pub id: Option<ResourceId> = "id",
        /// The client's id of the user.
        pub external_id: Option<ExternalId> = "externalId",
        /// The sign-in name; unique, ignoring case.
        pub user_name: Option<Text> = "userName",
        /// The components of the real name.
        pub name: Option<Name> = "name",
        /// The display name.
        pub display_name: Option<Text> = "displayName",
        /// The nickname.
        pub nick_name: Option<Text> = "nickName",
        /// The URI of a page about the user.
        pub profile_url: Option<Text> = "profileUrl",
        /// The title, such as `Vice President`.
        pub title: Option<Text> = "title",
        /// The relation of the user to the organization, such as `Contractor`.
        pub user_type: Option<Text> = "userType",
        /// The preferred language, such as `en-US`.
        pub preferred_language: Option<Text> = "preferredLanguage",
        /// The locale for currency, dates and numbers, such as `en-US`.
        pub locale: Option<Text> = "locale",
        /// The time zone, such as `America/Los_Angeles`.
        pub timezone: Option<Text> = "timezone",
        /// Whether the user may sign in.
        pub active: Option<bool> = "active",
        /// Email addresses.
        pub emails: Vec<MultiValued> = "emails",
        /// Phone numbers.
        pub phone_numbers: Vec<MultiValued> = "phoneNumbers",
        /// Instant messaging addresses.
        pub ims: Vec<MultiValued> = "ims",
        /// URIs of photos.
        pub photos: Vec<MultiValued> = "photos",
        /// Mailing addresses.
        pub addresses: Vec<Address> = "addresses",
        /// The groups of the user. The list is read-only; memberships are changed on the group.
        pub groups: Vec<Reference> = "groups",
        /// Entitlements.
        pub entitlements: Vec<MultiValued> = "entitlements",
        /// Roles.
        pub roles: Vec<MultiValued> = "roles",
        /// Certificates: DER, encoded in Base64.
        pub x509_certificates: Vec<MultiValued> = "x509Certificates",
        /// The enterprise extension.
        pub enterprise: Option<EnterpriseUser> =
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        /// The metadata of the resource.
        pub meta: Option<Meta> = "meta",
    }
}

impl User {
    /// Returns a user with only a user name.
    pub fn new(user_name: impl Into<Text>) -> Self {
        Self {
            user_name: Some(user_name.into()),
            ..Self::default()
        }
    }

    /// Returns the email address that is marked as primary; if no address is marked, the only address.
    #[must_use]
    pub fn primary_email(&self) -> Option<&str> {
        let marked = self.emails.iter().find(|email| email.primary == Some(true));
        let only = || self.emails.first().filter(|_| self.emails.len() == 1);
        marked.or_else(only)?.value.as_deref()
    }
}

complex! {
    /// The components of a real name (RFC 7643 section 4.1.1).
    pub struct Name {
        /// The full name, formatted for display.
        pub formatted: Option<Text> = "formatted",
        /// The family name.
        pub family_name: Option<Text> = "familyName",
        /// The given name.
        pub given_name: Option<Text> = "givenName",
        /// The middle names.
        pub middle_name: Option<Text> = "middleName",
        /// The prefix of the name, such as `Ms.`.
        pub honorific_prefix: Option<Text> = "honorificPrefix",
        /// The suffix of the name, such as `III`.
        pub honorific_suffix: Option<Text> = "honorificSuffix",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: &str, written: &str) {
        let user: User = serde_json::from_str(read).unwrap();
        assert_eq!(serde_json::to_string(&user).unwrap(), written);
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(
            serde_json::from_str::<User>(text).unwrap_err().to_string(),
            message
        );
    }

    #[test]
    fn unknown_attributes_are_written_back_byte_for_byte() {
        check(
            r#"{"schemas":["urn:x:Core"],"a":1.50,"id":"7","b":{ "c" : [ 1e400 ] },"name":{"nick":"\u0041"}}"#,
            r#"{"schemas":["urn:x:Core"],"id":"7","name":{"nick":"\u0041"},"a":1.50,"b":{ "c" : [ 1e400 ] }}"#,
        );
    }

    #[test]
    fn an_extension_is_declared_when_it_is_written() {
        check(
            r#"{"urn:acme:2.0:User":{"n":1},"URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User":{"department":"R"}}"#,
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","#,
                r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","urn:acme:2.0:User"],"#,
                r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R"},"#,
                r#""urn:acme:2.0:User":{"n":1}}"#
            ),
        );
    }

    #[test]
    fn null_and_the_empty_list_are_the_same_as_absent() {
        check(
            r#"{"title":null,"emails":null,"groups":[],"name":null,"active":null}"#,
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}"#,
        );
    }

    #[test]
    fn booleans_as_strings_become_booleans() {
        check(
            r#"{"active":"False","emails":[{"primary":"TRUE"}]}"#,
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"active":false,"emails":[{"primary":true}]}"#,
        );
        check_error(
            r#"{"active":"yes"}"#,
            r#"invalid value: string "yes", expected a boolean, or the string "true" or "false" at line 1 column 15"#,
        );
    }

    #[test]
    fn a_duplicate_attribute_is_rejected_in_any_case() {
        check_error(
            r#"{"userName":"a","USERNAME":"b"}"#,
            "duplicate field `userName` at line 1 column 26",
        );
    }

    #[test]
    fn the_primary_email_is_the_marked_one_or_the_only_one() {
        let email = |value: &str| MultiValued {
            value: Some(value.into()),
            ..Default::default()
        };
        let mut user = User {
            emails: vec![email("a@x")],
            ..User::new("a")
        };
        assert_eq!(user.primary_email(), Some("a@x"));
        user.emails.push(email("b@x"));
        assert_eq!(user.primary_email(), None);
        user.emails.push(MultiValued::primary("c@x"));
        assert_eq!(user.primary_email(), Some("c@x"));
    }
}
