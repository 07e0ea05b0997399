//! The optional attributes of a user: a table with one row per attribute.

use std::{collections::BTreeSet, fmt};

use scim_types::{Address, EnterpriseUser, Manager, MultiValued, Name, ResourceId, Text, User};
use serde::{Deserialize, Serialize};

/// The names of an attribute.
struct Row {
    /// The name in files and blueprints.
    key: &'static str,
    /// The full path in SCIM.
    path: &'static str,
    /// The attribute of Okta's default profile that has the value.
    okta: Option<&'static str>,
}

/// Returns the path of an attribute in the enterprise extension.
macro_rules! enterprise {
    ($name:literal) => {
        concat!(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:",
            $name
        )
    };
}

/// Defines [`Attribute`] from the rows: the key, the path in SCIM, the attribute in Okta, and the place in a SCIM user.
macro_rules! attributes {
    ($(
        #[doc = $doc:literal]
        $variant:ident($key:literal, $path:expr, $okta:expr) = $holder:ident.$field:ident
    );* $(;)?) => {
        /// An optional attribute of a user, in addition to the names, the email address and the status.
        ///
        /// These are all further text attributes that AWS's SCIM endpoint accepts (AWS SCIM developer guide, `CreateUser`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Attribute {
            $(
                #[doc = $doc]
                #[serde(rename = $key)]
                $variant,
            )*
        }

        impl Attribute {
            /// All optional attributes. The cached state has the positions in this list: append new attributes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row { key: $key, path: $path, okta: $okta },)*
                }
            }

            /// Returns the attribute's value in a SCIM user.
            pub(crate) fn value_in(self, user: &User) -> Option<&str> {
                match self {
                    $(Self::$variant => read::$holder(user)?.$field.as_ref().map(|value| value.as_str()),)*
                }
            }

            /// Sets the attribute's value in a SCIM user. A value that the attribute cannot have is left out.
            pub(crate) fn set(self, user: &mut User, value: &str) {
                if self.value_in(user) == Some(value) {
                    return;
                }
                match self {
                    $(Self::$variant => write(&mut edit::$holder(user).$field, value),)*
                }
            }

            /// Removes the attribute from a SCIM user.
            pub(crate) fn remove(self, user: &mut User) {
                match self {
                    $(Self::$variant => if read::$holder(user).is_some() {
                        edit::$holder(user).$field = None;
                    },)*
                }
                self.tidy(user);
            }
        }
    };
}

attributes! {
    /// The whole name, formatted for display.
    FormattedName("formatted_name", "name.formatted", None) = name.formatted;
    /// The middle name.
    MiddleName("middle_name", "name.middleName", Some("middleName")) = name.middle_name;
    /// The prefix of the name, such as `Ms.`.
    HonorificPrefix("honorific_prefix", "name.honorificPrefix", Some("honorificPrefix")) = name.honorific_prefix;
    /// The suffix of the name, such as `III`.
    HonorificSuffix("honorific_suffix", "name.honorificSuffix", Some("honorificSuffix")) = name.honorific_suffix;
    /// The nickname.
    NickName("nick_name", "nickName", Some("nickName")) = user.nick_name;
    /// The URL of a page about the user.
    ProfileUrl("profile_url", "profileUrl", Some("profileUrl")) = user.profile_url;
    /// The job title.
    Title("title", "title", Some("title")) = user.title;
    /// The relationship to the organization, such as employee or contractor.
    UserType("user_type", "userType", Some("userType")) = user.user_type;
    /// The preferred language.
    PreferredLanguage("preferred_language", "preferredLanguage", Some("preferredLanguage")) = user.preferred_language;
    /// The locale.
    Locale("locale", "locale", Some("locale")) = user.locale;
    /// The time zone.
    Timezone("timezone", "timezone", Some("timezone")) = user.timezone;
    /// The phone number.
    Phone("phone", "phoneNumbers.value", Some("primaryPhone")) = phone.value;
    /// The street with the number.
    StreetAddress("street_address", "addresses.streetAddress", Some("streetAddress")) = address.street_address;
    /// The city.
    Locality("locality", "addresses.locality", Some("city")) = address.locality;
    /// The state or region.
    Region("region", "addresses.region", Some("state")) = address.region;
    /// The postal code.
    PostalCode("postal_code", "addresses.postalCode", Some("zipCode")) = address.postal_code;
    /// The country.
    Country("country", "addresses.country", Some("countryCode")) = address.country;
    /// The whole address, formatted for display.
    FormattedAddress("formatted_address", "addresses.formatted", Some("postalAddress")) = address.formatted;
    /// The role.
    Role("role", "roles.value", None) = role.value;
    /// The employee number.
    EmployeeNumber("employee_number", enterprise!("employeeNumber"), Some("employeeNumber")) = enterprise.employee_number;
    /// The cost center.
    CostCenter("cost_center", enterprise!("costCenter"), Some("costCenter")) = enterprise.cost_center;
    /// The organization.
    Organization("organization", enterprise!("organization"), Some("organization")) = enterprise.organization;
    /// The division.
    Division("division", enterprise!("division"), Some("division")) = enterprise.division;
    /// The department.
    Department("department", enterprise!("department"), Some("department")) = enterprise.department;
    /// The id of the manager.
    Manager("manager", enterprise!("manager.value"), Some("managerId")) = manager.value;
}

impl Attribute {
    /// Returns the name in files and blueprints, such as `cost_center`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// Returns the full path in SCIM, such as `phoneNumbers.value`. An attribute of the enterprise extension has the URN and a
    /// colon before its name.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().path
    }

    /// Returns the path in SCIM without the URN of an extension, such as `manager.value`, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.path().rsplit(':').next().unwrap_or_default()
    }

    /// Returns the attribute of Okta's default profile that has the value, if there is one.
    #[must_use]
    pub const fn okta_default(self) -> Option<&'static str> {
        self.row().okta
    }

    /// Returns whether the server takes a user without the attribute at `path`, or without the attribute that contains this
    /// one: `addresses` for `addresses.country`.
    pub(crate) fn is_at(self, path: &str) -> bool {
        let rest = self.path().strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Drops what has no value after a removal.
    fn tidy(self, user: &mut User) {
        let has_parts = |address: &Address| {
            [
                &address.street_address,
                &address.locality,
                &address.region,
                &address.postal_code,
                &address.country,
            ]
            .into_iter()
            .any(Option::is_some)
        };
        match self {
            Self::Phone => drop_primary(
                &mut user.phone_numbers,
                |phone| phone.primary,
                |phone| phone.value.is_none(),
            ),
            Self::Role => drop_primary(
                &mut user.roles,
                |role| role.primary,
                |role| role.value.is_none(),
            ),
            // AWS refuses an address that is only formatted, so it goes with its last part.
            Self::StreetAddress
            | Self::Locality
            | Self::Region
            | Self::PostalCode
            | Self::Country
            | Self::FormattedAddress => drop_primary(
                &mut user.addresses,
                |address| address.primary,
                |address| !has_parts(address),
            ),
            _ => {}
        }
        if let Some(enterprise) = &mut user.enterprise {
            enterprise
                .manager
                .take_if(|manager| manager.value.is_none());
        }
        user.enterprise
            .take_if(|found| *found == EnterpriseUser::default());
    }
}

/// Drops the value that is marked as primary, or the only one, if it is empty.
fn drop_primary<T>(
    values: &mut Vec<T>,
    is_primary: impl Fn(&T) -> Option<bool>,
    is_empty: impl Fn(&T) -> bool,
) {
    let index = primary(values, is_primary);
    if let Some(index) = index.filter(|index| is_empty(&values[*index])) {
        values.remove(index);
    }
}

/// Writes the position of each attribute as a bit.
pub(crate) fn to_bits(attributes: &BTreeSet<Attribute>) -> u32 {
    let positions = (0..).zip(Attribute::ALL);
    let bits = positions.filter(|(_, attribute)| attributes.contains(attribute));
    bits.fold(0, |bits, (position, _)| bits | 1 << position)
}

/// Reads the attributes of [`to_bits`]. Bits of attributes that this version does not have are ignored.
pub(crate) fn from_bits(bits: u32) -> BTreeSet<Attribute> {
    let positions = (0..).zip(Attribute::ALL);
    let found = positions.filter(|(position, _)| bits & 1 << position != 0);
    found.map(|(_, attribute)| *attribute).collect()
}

const _: () = assert!(Attribute::ALL.len() <= 32, "a bit for each attribute");

/// A value of an attribute in a SCIM user.
trait Value: Sized + Clone {
    fn parse(text: &str) -> Option<Self>;
}

impl Value for Text {
    fn parse(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl Value for ResourceId {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

fn write<V: Value>(place: &mut Option<V>, text: &str) {
    *place = V::parse(text);
}

/// Returns the index of the value that is marked as primary, or of the only one.
fn primary<T>(values: &[T], is_primary: impl Fn(&T) -> Option<bool>) -> Option<usize> {
    let marked = values
        .iter()
        .position(|value| is_primary(value) == Some(true));
    marked.or((values.len() == 1).then_some(0))
}

/// The part of a SCIM user that has an attribute, if the user has it.
mod read {
    use super::{Address, EnterpriseUser, Manager, MultiValued, Name, User, primary};

    #[expect(clippy::unnecessary_wraps, reason = "as the other parts")]
    pub(super) fn user(user: &User) -> Option<&User> {
        Some(user)
    }

    pub(super) fn name(user: &User) -> Option<&Name> {
        user.name.as_ref()
    }

    pub(super) fn enterprise(user: &User) -> Option<&EnterpriseUser> {
        user.enterprise.as_ref()
    }

    pub(super) fn manager(user: &User) -> Option<&Manager> {
        user.enterprise.as_ref()?.manager.as_ref()
    }

    pub(super) fn phone(user: &User) -> Option<&MultiValued> {
        let index = primary(&user.phone_numbers, |phone| phone.primary)?;
        user.phone_numbers.get(index)
    }

    pub(super) fn role(user: &User) -> Option<&MultiValued> {
        let index = primary(&user.roles, |role| role.primary)?;
        user.roles.get(index)
    }

    pub(super) fn address(user: &User) -> Option<&Address> {
        let index = primary(&user.addresses, |address| address.primary)?;
        user.addresses.get(index)
    }
}

/// The part of a SCIM user that has an attribute; it is added if the user does not have it.
mod edit {
    use super::{Address, EnterpriseUser, Manager, MultiValued, Name, User, primary};

    pub(super) fn user(user: &mut User) -> &mut User {
        user
    }

    pub(super) fn name(user: &mut User) -> &mut Name {
        user.name.get_or_insert_default()
    }

    pub(super) fn enterprise(user: &mut User) -> &mut EnterpriseUser {
        user.enterprise.get_or_insert_default()
    }

    /// Returns a new manager: `$ref` and the display name describe the old one.
    pub(super) fn manager(user: &mut User) -> &mut Manager {
        enterprise(user).manager.insert(Manager::default())
    }

    pub(super) fn phone(user: &mut User) -> &mut MultiValued {
        let index = primary(&user.phone_numbers, |phone| phone.primary);
        element(&mut user.phone_numbers, index, || MultiValued {
            kind: Some("work".into()),
            primary: Some(true),
            ..MultiValued::default()
        })
    }

    pub(super) fn role(user: &mut User) -> &mut MultiValued {
        let index = primary(&user.roles, |role| role.primary);
        element(&mut user.roles, index, || MultiValued {
            primary: Some(true),
            ..MultiValued::default()
        })
    }

    pub(super) fn address(user: &mut User) -> &mut Address {
        let index = primary(&user.addresses, |address| address.primary);
        element(&mut user.addresses, index, || Address {
            kind: Some("work".into()),
            primary: Some(true),
            ..Address::default()
        })
    }

    fn element<T>(values: &mut Vec<T>, index: Option<usize>, new: impl FnOnce() -> T) -> &mut T {
        let index = index.unwrap_or_else(|| {
            values.push(new());
            values.len() - 1
        });
        &mut values[index]
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    /// Returns the value at a path of a SCIM document.
    fn at<'a>(document: &'a Json, path: &str) -> &'a Json {
        let (schema, path) = path.rsplit_once(':').unwrap_or(("", path));
        let start = match schema {
            "" => document,
            urn => &document[urn],
        };
        path.split('.').fold(start, |value, name| match value {
            Json::Array(values) => &values[0][name],
            value => &value[name],
        })
    }

    #[test]
    fn each_attribute_is_written_at_its_path_and_can_be_removed() {
        let mut all = User::default();
        for attribute in Attribute::ALL {
            let value = format!("the {}", attribute.key());
            let mut user = User::default();
            for user in [&mut user, &mut all] {
                attribute.set(user, &value);
                assert_eq!(attribute.value_in(user), Some(value.as_str()));
            }
            let document = serde_json::to_value(&user).expect("JSON");
            assert_eq!(at(&document, attribute.path()), &value, "{document}");
            attribute.remove(&mut user);
            user.name = None;
            assert_eq!(user, User::default(), "{attribute}");
        }
        for attribute in Attribute::ALL {
            let value = format!("the {}", attribute.key());
            assert_eq!(attribute.value_in(&all), Some(value.as_str()));
        }
    }

    #[test]
    fn a_value_that_is_the_same_keeps_what_others_have_written_beside_it() {
        let read = r#"{"phoneNumbers": [{"value": "1", "type": "home"}, {"value": "2", "type": "work", "primary": true}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "m", "$ref": "../Users/m"}}}"#;
        let user: User = serde_json::from_str(read).expect("a user");
        assert_eq!(Attribute::Phone.value_in(&user), Some("2"));
        let mut same = user.clone();
        Attribute::Phone.set(&mut same, "2");
        Attribute::Manager.set(&mut same, "m");
        assert_eq!(same, user);
        // The reference is that of the old manager.
        Attribute::Phone.set(&mut same, "3");
        Attribute::Manager.set(&mut same, "n");
        let document = serde_json::to_value(&same).expect("JSON");
        assert_eq!(document["phoneNumbers"][1]["type"], "work");
        assert_eq!(document["phoneNumbers"][1]["value"], "3");
        assert!(!document.to_string().contains("../Users"), "{document}");
        Attribute::Phone.remove(&mut same);
        assert_eq!(same.phone_numbers, user.phone_numbers[..1]);
    }

    #[test]
    fn a_formatted_address_goes_with_the_last_part_of_the_address() {
        let mut user = User::default();
        Attribute::FormattedAddress.set(&mut user, "1 Street, City");
        Attribute::Locality.set(&mut user, "City");
        Attribute::Locality.remove(&mut user);
        assert_eq!(user.addresses, []);
    }

    #[test]
    fn attributes_are_stored_as_bits_of_their_positions() {
        let some: BTreeSet<Attribute> = [Attribute::FormattedName, Attribute::Manager].into();
        assert_eq!(to_bits(&some), 1 | 1 << 24);
        assert_eq!(from_bits(to_bits(&some)), some);
        assert_eq!(from_bits(u32::MAX).len(), Attribute::ALL.len());
        let keys: BTreeSet<&str> = Attribute::ALL
            .iter()
            .map(|attribute| attribute.key())
            .collect();
        assert_eq!(keys.len(), Attribute::ALL.len());
    }
}
