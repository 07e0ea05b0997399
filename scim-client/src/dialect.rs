//! Dialects: the limits and the supported features of each server, as data.

mod attribute_rules;
mod document;
mod filter;
mod patch;
mod violation;

use scim_types::{PatchOp, Resource};

pub(crate) use self::patch::check_group_patch;
pub use self::{
    attribute_rules::{AttributeRule, Need, TextRule},
    document::DocumentRules,
    filter::FilterRules,
    patch::MemberRemoval,
    violation::{Violation, ViolationKind},
};
use crate::{Endpoint, text::single_line};

/// The dialect of a server: its limits and the features that it supports.
///
/// For another server, define your own [`Rules`], based on the existing rules that are closest:
///
/// ```
/// use scim_client::{Dialect, DocumentRules, Rules};
///
/// static SMALL: Rules = Rules {
///     name: "the small service",
///     page_size: 20,
///     writes_per_second: Some(5),
///     groups: DocumentRules { max_members: Some(50), ..Rules::GENERIC.groups },
///     ..Rules::GENERIC
/// };
/// let dialect = Dialect::Other(&SMALL);
/// assert_eq!(dialect.rules().page_size, 20);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// A server that follows the RFCs.
    #[default]
    Generic,
    /// Automatic provisioning of AWS IAM Identity Center (AWS SCIM developer guide).
    AwsIdentityCenter,
    /// Another server with its own rules.
    Other(&'static Rules),
}

impl Dialect {
    /// Returns the dialect of an endpoint, determined by its host.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        match endpoint.aws_region() {
            Some(_) => Self::AwsIdentityCenter,
            None => Self::Generic,
        }
    }

    /// Returns the rules of the server.
    #[must_use]
    pub fn rules(self) -> &'static Rules {
        match self {
            Self::Generic => &Rules::GENERIC,
            Self::AwsIdentityCenter => &Rules::AWS_IDENTITY_CENTER,
            Self::Other(rules) => rules,
        }
    }

    /// Returns the known rules that a user or a group violates.
    ///
    /// The result is advice, because the server's rules may have changed. AWS gives the same error text
    /// for all violations, so an [`ErrorResponse`](crate::ErrorResponse) with status 400 includes them.
    #[must_use]
    pub fn violations<R: Resource>(self, resource: &R) -> Vec<Violation> {
        serde_json::to_value(resource)
            .map(|value| self.rules().documents::<R>().violations(&value))
            .unwrap_or_default()
    }

    /// Returns the known rules that the values of a patch for a user or a group violate.
    #[must_use]
    pub fn patch_violations<R: Resource>(self, patch: &PatchOp) -> Vec<Violation> {
        self.rules().documents::<R>().patch_violations(patch)
    }
}

/// Rules of a server: its limits and the features that it supports.
///
/// New fields may be added, so end a value with `..Rules::GENERIC`, which is also the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is an independent feature of a server"
)]
pub struct Rules {
    /// The server's name in error texts.
    pub name: &'static str,
    /// The pagination method of lists.
    pub paging: Paging,
    /// Number of resources per page.
    pub page_size: u32,
    /// Maximum number of concurrent requests.
    pub max_in_flight: usize,
    /// Maximum number of write requests per second, if known.
    pub writes_per_second: Option<u32>,
    /// Maximum number of read requests per second, if known.
    pub reads_per_second: Option<u32>,
    /// Filters that the server supports for users.
    pub user_filters: FilterRules,
    /// Filters that the server supports for groups.
    pub group_filters: FilterRules,
    /// Rules for the document of a user.
    pub users: DocumentRules,
    /// Rules for the document of a group.
    pub groups: DocumentRules,
    /// Maximum number of membership changes in one `PATCH`, additions and removals together.
    pub max_member_changes: Option<usize>,
    /// The form in which members are removed.
    pub member_removal: MemberRemoval,
    /// Whether `PUT` can replace a whole group.
    pub replaces_groups: bool,
    /// Whether one `PATCH` of a group may change attributes and members, and may both add and remove
    /// members.
    pub mixed_group_patch: bool,
    /// Whether the server returns the members of a group.
    pub returns_members: bool,
    /// Whether the server supports the parameter `attributes`, which selects some attributes.
    pub selects_attributes: bool,
}

/// Pagination method of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paging {
    /// By `startIndex` and `count` (RFC 7644 section 3.4.2.4).
    Index,
    /// By `cursor`, which is empty for the first page (RFC 9865).
    Cursor,
}

/// The error of a request that was not sent, because the server would refuse or misread it.
#[derive(Debug, thiserror::Error)]
#[error("{} was not sent: {}", single_line(.operation), single_line(.problem))]
pub struct UnsupportedRequest {
    pub(crate) operation: String,
    pub(crate) problem: String,
}

impl Rules {
    /// The rules of the RFCs.
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
            attributes: &[AttributeRule::required("userName")],
            ..DocumentRules::NONE
        },
        groups: DocumentRules {
            attributes: &[AttributeRule::required("displayName")],
            ..DocumentRules::NONE
        },
        max_member_changes: None,
        member_removal: MemberRemoval::ByFilter,
        replaces_groups: true,
        mixed_group_patch: true,
        returns_members: true,
        selects_attributes: true,
    };

    /// The rules of AWS IAM Identity Center (AWS SCIM developer guide).
    pub const AWS_IDENTITY_CENTER: Self = Self {
        name: "AWS IAM Identity Center",
        paging: Paging::Cursor,
        // "count: 1 to 100, default 100" (AWS SCIM developer guide, ListUsers). The service's own
        // configuration says 50, which is out of date.
        page_size: 100,
        // The rate is the effective limit. 10 concurrent requests reach 25 writes per second if each
        // takes at most 0.4 s.
        max_in_flight: 10,
        // "25 TPS writes, 40 TPS reads per identity store" (AWS IAM Identity Center user guide, quotas,
        // newest copy).
        writes_per_second: Some(25),
        reads_per_second: Some(40),
        // "userName, externalId, groups.value, (id and manager)"; the only operator is `eq`, and terms
        // are joined by `and`.
        user_filters: FilterRules::Only(&[
            &["userName"],
            &["externalId"],
            &["groups.value"],
            &["id"],
            &["id", "manager"],
        ]),
        // The guide's text says `member`, and its example says `members`. The example works.
        group_filters: FilterRules::Only(&[
            &["displayName"],
            &["externalId"],
            &["members.value"],
            &["id"],
            &["id", "members"],
            &["id", "member"],
        ]),
        users: DocumentRules {
            attributes: attribute_rules::AWS_USER,
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
                attribute_rules::enterprise!("manager.displayName"),
            ],
            max_members: None,
        },
        groups: DocumentRules {
            attributes: attribute_rules::AWS_GROUP,
            unsupported: &["members.display"],
            max_members: Some(100),
            ..DocumentRules::NONE
        },
        // "at most 100 membership changes in a single request" (AWS SCIM developer guide, PatchGroup).
        // The guide does not say whether additions and removals count together, so this client
        // counts them together.
        max_member_changes: Some(100),
        member_removal: MemberRemoval::ByList,
        // AWS has no PutGroup (AWS SCIM developer guide, supported operations).
        replaces_groups: false,
        // Okta sends AWS additions and removals in one request; ssosync sends a name and an external
        // id in one request.
        mixed_group_patch: true,
        // "members is always empty" (AWS SCIM developer guide, limitations of GetGroup and ListGroups).
        returns_members: false,
        // `attributes` and `excludedAttributes` are not supported (AWS SCIM developer guide, limitations
        // of ListUsers and ListGroups). The guide documents no exception for single resources.
        selects_attributes: false,
    };
}

impl Rules {
    /// Returns the rules for the documents of a resource type.
    fn documents<R: Resource>(&self) -> &DocumentRules {
        if R::ENDPOINT == "Groups" {
            &self.groups
        } else {
            &self.users
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::GENERIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_determines_the_dialect() {
        let of = |text: &str| Dialect::of(&Endpoint::parse(text).unwrap());
        let aws = "https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/";
        assert_eq!(of(aws), Dialect::AwsIdentityCenter);
        assert_eq!(of("https://scim.example.com/scim/v2/"), Dialect::Generic);
    }
}
