//! The optional attributes of a user in Okta, in an application for Identity Center, and in SCIM.

use serde_json::{Value, json};

/// An optional attribute of a user.
#[derive(Debug)]
pub(crate) struct UserAttribute {
    /// The name in the profile of Okta.
    pub(crate) okta: &'static str,
    /// The name in the profile of the application's user.
    pub(crate) app: &'static str,
    /// The title in the schema of the application.
    pub(crate) title: &'static str,
    /// The path in SCIM; `enterprise` is the extension.
    path: &'static str,
}

/// The attributes that the mapping of a new application sends to AWS, in addition to the names and the address.
///
/// The names and the mapping are those of Okta's SCIM applications. Okta publishes none for the application of IAM
/// Identity Center. The manager's display name is missing, because AWS does not support it (developer guide,
/// limitations).
pub(crate) const OPTIONAL: [UserAttribute; 23] = [
    attribute("middleName", "middleName", "Middle name", "name.middleName"),
    attribute(
        "honorificPrefix",
        "honorificPrefix",
        "Honorific prefix",
        "name.honorificPrefix",
    ),
    attribute(
        "honorificSuffix",
        "honorificSuffix",
        "Honorific suffix",
        "name.honorificSuffix",
    ),
    attribute("nickName", "nickName", "Nickname", "nickName"),
    attribute("profileUrl", "profileUrl", "Profile Url", "profileUrl"),
    attribute("title", "title", "Title", "title"),
    attribute("userType", "userType", "User type", "userType"),
    attribute(
        "preferredLanguage",
        "preferredLanguage",
        "Preferred language",
        "preferredLanguage",
    ),
    attribute("locale", "locale", "Locale", "locale"),
    attribute("timezone", "timezone", "Time zone", "timezone"),
    attribute(
        "primaryPhone",
        "primaryPhone",
        "Primary phone",
        "phoneNumbers.value",
    ),
    attribute(
        "streetAddress",
        "streetAddress",
        "Street address",
        "addresses.streetAddress",
    ),
    attribute("city", "locality", "Locality", "addresses.locality"),
    attribute("state", "region", "Region", "addresses.region"),
    attribute(
        "zipCode",
        "postalCode",
        "Postal code",
        "addresses.postalCode",
    ),
    attribute("countryCode", "country", "Country", "addresses.country"),
    attribute(
        "postalAddress",
        "formatted",
        "Formatted address",
        "addresses.formatted",
    ),
    attribute(
        "employeeNumber",
        "employeeNumber",
        "Employee number",
        "enterprise.employeeNumber",
    ),
    attribute(
        "costCenter",
        "costCenter",
        "Cost center",
        "enterprise.costCenter",
    ),
    attribute(
        "organization",
        "organization",
        "Organization",
        "enterprise.organization",
    ),
    attribute("division", "division", "Division", "enterprise.division"),
    attribute(
        "department",
        "department",
        "Department",
        "enterprise.department",
    ),
    attribute(
        "managerId",
        "managerValue",
        "Manager value",
        "enterprise.manager.value",
    ),
];

impl UserAttribute {
    /// Sets the attribute in a SCIM document. The list of a multi-valued attribute gets one primary value of type `work`.
    pub(crate) fn set(&self, document: &mut Value, text: &str) {
        let (outer, inner) = self.path.split_once('.').unwrap_or((self.path, ""));
        let mut value = match outer {
            "enterprise" => &mut document[crate::scim::ENTERPRISE],
            outer => &mut document[outer],
        };
        if ["phoneNumbers", "addresses"].contains(&outer) {
            if value.is_null() {
                *value = json!([{ "type": "work", "primary": true }]);
            }
            value = &mut value[0];
        }
        for part in inner.split('.').filter(|part| !part.is_empty()) {
            value = &mut value[part];
        }
        *value = text.into();
    }
}

const fn attribute(
    okta: &'static str,
    app: &'static str,
    title: &'static str,
    path: &'static str,
) -> UserAttribute {
    UserAttribute {
        okta,
        app,
        title,
        path,
    }
}
