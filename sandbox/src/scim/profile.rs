//! Profiles: what a SCIM service supports, requires and answers, as data.

pub(super) mod aws;
pub(super) mod rfc;

use std::borrow::Cow;

use serde_json::Value;

use super::{
    reply::{ErrorFormat, Refusal},
    schema::{Attribute, COMMON, Schema},
    store::Resource,
};

/// The rules of a SCIM service.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the features of a service are independent of each other"
)]
pub(crate) struct Profile {
    pub(super) users: ResourceRules,
    pub(super) groups: ResourceRules,
    /// Whether names of attributes in bodies and paths are compared without case (RFC 7643 section 2.1).
    pub(super) ignores_case: bool,
    /// Whether a path may contain empty segments, such as a slash at the end.
    pub(super) empty_segments: bool,
    /// Whether `/.search` exists (RFC 7644 section 3.4.3).
    pub(super) search: bool,
    /// Whether resources have a location and a version, which requests can be conditional on.
    pub(super) versions: bool,
    /// Whether clients can select and exclude attributes (RFC 7644 section 3.9).
    pub(super) projection: bool,
    /// Whether the body of `PUT` must not contain another id than the path.
    pub(super) put_compares_id: bool,
    /// The format of `created` and `lastModified`, for `strftime`.
    pub(super) time_format: &'static str,
    /// Whether the error for a member that does not exist is 404 instead of 400.
    pub(super) unknown_member_is_not_found: bool,
    pub(super) paging: Paging,
    pub(super) list_filters: Grammar,
    pub(super) path_filters: Grammar,
    pub(super) patch: PatchRules,
    pub(super) discovery: Discovery,
    pub(super) errors: ErrorFormat,
    pub(super) content_type: &'static str,
    pub(super) request_id_header: &'static str,
}

/// The rules for the resources of one type.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the features of a resource type are independent of each other"
)]
pub(super) struct ResourceRules {
    pub(super) schema: &'static Schema,
    pub(super) extension: Option<&'static Schema>,
    /// A short name that a path may use instead of the extension's URN.
    pub(super) extension_alias: Option<&'static str>,
    /// Whether a new resource must have `schemas`; without this rule, only an existing value is checked.
    pub(super) schemas_required: bool,
    /// Whether null and empty lists are ignored, even in attributes that do not exist.
    pub(super) ignores_empty: bool,
    /// Whether a path may start with the URN of the schema.
    pub(super) urn_paths: bool,
    /// Whether `PUT` is supported.
    pub(super) put: bool,
    /// Whether the response to `PATCH` contains the resource.
    pub(super) patch_returns_resource: bool,
    /// Attributes that the response to `POST` does not contain.
    pub(super) not_in_create_response: &'static [&'static str],
    /// The sets of attributes that a filter may compare; `None` allows every filter.
    pub(super) filters: Option<&'static [&'static [&'static str]]>,
    /// Names that a filter may use for an attribute.
    pub(super) filter_aliases: &'static [(&'static str, &'static str)],
    /// The limits on changes of `members`; `None` treats it like every multi-valued attribute.
    pub(super) members: Option<MemberRules>,
}

/// The limits on changes of a group's members.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemberRules {
    /// The maximum number of members that a request adds and removes.
    pub(super) max_changes: usize,
    /// The message for a request that replaces all members.
    pub(super) replace_message: &'static str,
}

/// The rules for `PATCH`.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "RFC 7644 section 3.5.2 leaves these questions open, and services answer them differently"
)]
pub(super) struct PatchRules {
    /// The message for an operation without a path that does not have exactly one attribute; `None` allows
    /// any number.
    pub(super) single_attribute_message: Option<&'static str>,
    /// Whether `value: null` counts as a missing value.
    pub(super) null_is_missing: bool,
    /// Whether a `remove` operation may have a value, which has no effect.
    pub(super) remove_ignores_value: bool,
    /// Whether an `add` operation may have a single value without a list around it.
    pub(super) wraps_values: bool,
    /// Whether `add` to the values that a filter selects keeps their other sub-attributes.
    pub(super) merges_selected: bool,
    /// Whether `replace` of an extension removes the attributes that the value lacks.
    pub(super) replaces_extension: bool,
    /// Whether `schemas` inside an extension is ignored; scim2-models sends it.
    pub(super) ignores_extension_schemas: bool,
    /// Attributes that a request can change once and never remove.
    pub(super) once: &'static [&'static str],
    /// Attributes that `PATCH` cannot change, although `PUT` can.
    pub(super) excluded: &'static [&'static str],
    /// Boolean attributes that accept the texts `true` and `false`.
    pub(super) boolean_texts: &'static [&'static str],
}

/// The rules for pages of lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paging {
    /// The default and the maximum page size.
    pub(super) max: usize,
    /// Whether a `count` outside of 1 to `max` is an error; otherwise the nearest allowed number is used.
    pub(super) strict_count: bool,
    /// Whether `startIndex` is supported and lists have a total; otherwise a list without a cursor consists
    /// of its first page.
    pub(super) index: bool,
    /// The lifetime of a cursor, in seconds.
    pub(super) cursor_seconds: Option<i64>,
}

/// The part of the filter grammar that a service supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// The complete grammar of RFC 7644 section 3.4.2.2.
    Full,
    /// `attribute eq "value"`, also several joined by `and`.
    Conjunction,
    /// A single `attribute eq "value"`.
    Comparison,
}

/// The discovery endpoints (RFC 7644 section 4); the functions get the base URL.
#[derive(Debug)]
pub(super) struct Discovery {
    pub(super) config: fn(&str) -> Value,
    pub(super) schemas: fn(&str) -> Vec<Value>,
    pub(super) resource_types: fn(&str) -> Vec<Value>,
    /// Whether a single resource type can be read.
    pub(super) single_resource_types: bool,
    /// Whether a filter is an error; otherwise it has no effect.
    pub(super) rejects_filters: bool,
    /// The status for a method other than `GET`.
    pub(super) other_methods_status: u16,
}

/// A resource type with the rules of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceType {
    pub(super) profile: &'static Profile,
    pub(super) resource: Resource,
    /// Whether names are compared without case.
    ignores_case: bool,
}

impl Profile {
    pub(super) fn resource_type(&'static self, resource: Resource) -> ResourceType {
        ResourceType {
            profile: self,
            resource,
            ignores_case: self.ignores_case,
        }
    }
}

impl ResourceType {
    /// Returns the same type for the filter of a list, where names are always compared without case.
    pub(super) fn in_filters(self) -> Self {
        Self {
            ignores_case: true,
            ..self
        }
    }

    pub(super) fn rules(self) -> &'static ResourceRules {
        match self.resource {
            Resource::User => &self.profile.users,
            Resource::Group => &self.profile.groups,
        }
    }

    pub(super) fn schema(self) -> &'static Schema {
        self.rules().schema
    }

    /// Returns the name of the endpoint.
    pub(super) fn endpoint(self) -> &'static str {
        endpoint(self.resource)
    }

    /// Returns the extension with this URN.
    pub(super) fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.rules()
            .extension
            .filter(|extension| self.is_name(extension.urn, urn))
    }

    /// Returns a path with the URN of the extension instead of its short name.
    pub(super) fn without_alias(self, path: &str) -> Cow<'_, str> {
        let rules = self.rules();
        let (Some(alias), Some(extension)) = (rules.extension_alias, rules.extension) else {
            return Cow::Borrowed(path);
        };
        match path.strip_prefix(alias) {
            Some("") => Cow::Borrowed(extension.urn),
            Some(rest) if rest.starts_with('.') => {
                Cow::Owned(format!("{}:{}", extension.urn, &rest[1..]))
            }
            _ => Cow::Borrowed(path),
        }
    }

    /// Returns the attribute with this name, except extension attributes.
    pub(super) fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.named(self.schema().attributes, name)
            .or_else(|| self.named(&COMMON, name))
    }

    /// Returns the attribute with this name in a list.
    pub(super) fn named<'a>(
        self,
        attributes: &'a [Attribute],
        name: &str,
    ) -> Option<&'a Attribute> {
        attributes
            .iter()
            .find(|attribute| self.is_name(attribute.name, name))
    }

    /// Returns whether a name in a request means a name of the schemas.
    pub(super) fn is_name(self, known: &str, name: &str) -> bool {
        known == name || (self.ignores_case && known.eq_ignore_ascii_case(name))
    }

    /// Returns the refusal for an attribute that no schema defines.
    pub(super) fn unknown(name: &str) -> Refusal {
        Refusal::value(format!("the attribute `{name}` does not exist"))
    }
}

/// Returns the name of the endpoint of a resource type.
pub(crate) fn endpoint(resource: Resource) -> &'static str {
    match resource {
        Resource::User => "Users",
        Resource::Group => "Groups",
    }
}
