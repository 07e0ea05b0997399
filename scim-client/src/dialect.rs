//! What differs from server to server, as data.

mod document;
mod filter;
mod patch;

use scim_types::Resource;

pub(crate) use self::patch::check_group_patch;
pub use self::{
    document::{DocumentRules, Violation},
    filter::FilterRules,
    patch::MemberRemoval,
};
use crate::Endpoint;

/// Which server this is, and so what it takes.
///
/// A server of neither kind is described by [`Rules`] of one's own, made from those that are nearest:
///
/// ```
/// use scim_client::{Dialect, Rules};
///
/// static SMALL: Rules = {
///     let mut rules = Rules::GENERIC;
///     rules.name = "the small service";
///     rules.page_size = 20;
///     rules.writes_per_second = Some(5);
///     rules.groups.max_members = Some(50);
///     rules
/// };
/// let dialect = Dialect::Other(&SMALL);
/// assert_eq!(dialect.rules().page_size, 20);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// A server that does what the RFCs say.
    #[default]
    Generic,
    /// The automatic provisioning of AWS IAM Identity Center (AWS SCIM developer guide).
    AwsIdentityCenter,
    /// Another server, by what it takes.
    Other(&'static Rules),
}

impl Dialect {
    /// Returns the dialect an endpoint speaks, as far as its host tells.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        match endpoint.aws_region() {
            Some(_) => Self::AwsIdentityCenter,
            None => Self::Generic,
        }
    }

    /// Returns what the server takes.
    #[must_use]
    pub fn rules(self) -> &'static Rules {
        match self {
            Self::Generic => &Rules::GENERIC,
            Self::AwsIdentityCenter => &Rules::AWS_IDENTITY_CENTER,
            Self::Other(rules) => rules,
        }
    }

    /// Returns what the server is known to object to in a user or a group that is to be written.
    ///
    /// It is advice: a server may have learnt since. AWS gives one text for all of it, so a
    /// [`Refusal`](crate::Refusal) with status 400 brings these along.
    #[must_use]
    pub fn violations<R: Resource>(self, resource: &R) -> Vec<Violation> {
        let rules = self.rules();
        let rules = if R::ENDPOINT == "Groups" {
            &rules.groups
        } else {
            &rules.users
        };
        serde_json::to_value(resource)
            .map(|value| rules.violations(&value))
            .unwrap_or_default()
    }
}

/// What a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that a server does or does not"
)]
pub struct Rules {
    /// What the server is called in the text of an error.
    pub name: &'static str,
    /// How a list is asked for page by page.
    pub paging: Paging,
    /// How many resources are asked for at a time.
    pub page_size: u32,
    /// How many requests are on their way at once.
    pub max_in_flight: usize,
    /// How many requests that change something it takes a second, where that is known.
    pub writes_per_second: Option<u32>,
    /// How many requests that only read it takes a second, where that is known.
    pub reads_per_second: Option<u32>,
    /// Which filters find users.
    pub user_filters: FilterRules,
    /// Which filters find groups.
    pub group_filters: FilterRules,
    /// What a user must and must not have.
    pub users: DocumentRules,
    /// What a group must and must not have.
    pub groups: DocumentRules,
    /// How many members one `PATCH` adds and removes together at most.
    pub max_member_changes: Option<usize>,
    /// How members are removed.
    pub member_removal: MemberRemoval,
    /// Whether a group can be replaced as a whole, by `PUT`.
    pub replaces_groups: bool,
    /// Whether one `PATCH` of a group may change attributes and members, and add and remove, together.
    pub mixed_group_patch: bool,
    /// Whether a group that is read shows its members.
    pub shows_members: bool,
    /// Whether a resource can be asked for with some of its attributes, by `attributes`.
    pub selects_attributes: bool,
}

/// How a list is asked for page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// By `startIndex` and `count` (RFC 7644 section 3.4.2.4).
    Index,
    /// By `cursor`, which is empty the first time (RFC 9865).
    Cursor,
}

/// A request that was not sent, because the server is known to refuse or to misread it.
#[derive(Debug, thiserror::Error)]
#[error("{operation} was not sent: {problem}")]
pub struct RefusedRequest {
    pub(crate) operation: String,
    pub(crate) problem: String,
}

impl Rules {
    /// What the RFCs say.
    pub const GENERIC: Self = Self {
        name: "the SCIM service",
        paging: Paging::Index,
        page_size: 100,
        max_in_flight: 10,
        writes_per_second: None,
        reads_per_second: None,
        user_filters: FilterRules::Any,
        group_filters: FilterRules::Any,
        users: DocumentRules {
            required: &["userName"],
            ..DocumentRules::NONE
        },
        groups: DocumentRules {
            required: &["displayName"],
            ..DocumentRules::NONE
        },
        max_member_changes: None,
        member_removal: MemberRemoval::ByFilter,
        replaces_groups: true,
        mixed_group_patch: true,
        shows_members: true,
        selects_attributes: true,
    };

    /// What AWS IAM Identity Center takes (AWS SCIM developer guide).
    pub const AWS_IDENTITY_CENTER: Self = Self {
        name: "AWS IAM Identity Center",
        paging: Paging::Cursor,
        // "count: 1 to 100, default 100" (AWS SCIM developer guide, ListUsers). The configuration the
        // service shows says 50, which is out of date.
        page_size: 100,
        // The rate is what counts; so many keep 25 writes a second going up to 0.4 s for each.
        max_in_flight: 10,
        // "25 TPS writes, 40 TPS reads per identity store" (AWS IAM Identity Center user guide, quotas, newest copy).
        writes_per_second: Some(25),
        reads_per_second: Some(40),
        // "userName, externalId, groups.value, (id and manager)", joined by `and`, compared by `eq`.
        user_filters: FilterRules::Only(&[
            &["userName"],
            &["externalId"],
            &["groups.value"],
            &["id"],
            &["id", "manager"],
        ]),
        // The text of the guide says `member` and its example `members`; the example works.
        group_filters: FilterRules::Only(&[
            &["displayName"],
            &["externalId"],
            &["members.value"],
            &["id"],
            &["id", "members"],
            &["id", "member"],
        ]),
        users: DocumentRules {
            required: &[
                "userName",
                "name.givenName",
                "name.familyName",
                "displayName",
            ],
            single_valued: &["emails", "addresses", "phoneNumbers", "roles"],
            primary: &["emails"],
            unsupported: &[
                "password",
                "ims",
                "photos",
                "x509Certificates",
                "entitlements",
                "groups",
                "emails.display",
                "addresses.display",
                "phoneNumbers.display",
                "roles.display",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager.displayName",
            ],
            // "When you provision an address, all of these must be there" (Okta's help for the AWS app).
            complete: &[(
                "addresses",
                &[
                    "streetAddress",
                    "locality",
                    "region",
                    "postalCode",
                    "country",
                ],
            )],
            forbidden_characters: FORBIDDEN_BY_AWS,
            empty_texts: false,
            max_members: None,
        },
        groups: DocumentRules {
            required: &["displayName"],
            unsupported: &["members.display"],
            forbidden_characters: FORBIDDEN_BY_AWS,
            empty_texts: false,
            max_members: Some(100),
            ..DocumentRules::NONE
        },
        // "at most 100 membership changes in a single request" (AWS SCIM developer guide, PatchGroup);
        // whether additions and removals count together is not said, so they do.
        max_member_changes: Some(100),
        member_removal: MemberRemoval::ByList,
        // There is no PutGroup (AWS SCIM developer guide, supported operations).
        replaces_groups: false,
        // Okta sends AWS additions and removals in one request, and ssosync a name and an external id.
        mixed_group_patch: true,
        // "members is always empty" (AWS SCIM developer guide, limitations of GetGroup and ListGroups).
        shows_members: false,
        // `attributes` and `excludedAttributes` are not supported (AWS SCIM developer guide, limitations of ListUsers and
        // ListGroups); nothing says that a single resource is otherwise.
        selects_attributes: false,
    };
}

/// Okta's help for the AWS app lists these; URLs are left out of the check, for AWS takes those.
const FORBIDDEN_BY_AWS: &str = "<>;:%";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_told_by_the_host() {
        let of = |text: &str| Dialect::of(&Endpoint::parse(text).unwrap());
        let aws = "https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/";
        assert_eq!(of(aws), Dialect::AwsIdentityCenter);
        assert_eq!(of("https://scim.example.com/scim/v2/"), Dialect::Generic);
    }
}
