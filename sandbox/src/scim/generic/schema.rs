//! The schemas of users, groups and the enterprise extension (RFC 7643 section 4), as data.

use serde_json::{Map, Value, json};

use crate::scim::{ENTERPRISE, GROUP, USER};

/// A schema.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) urn: &'static str,
    pub(super) name: &'static str,
    pub(super) attributes: &'static [Attribute],
}

/// The definition of an attribute (RFC 7643 section 7).
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the characteristics of RFC 7643 section 2.2"
)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) many: bool,
    pub(super) required: bool,
    pub(super) exact: bool,
    pub(super) mutability: Mutability,
    pub(super) returned: Returned,
    pub(super) unique: bool,
    pub(super) canonical: &'static [&'static str],
    pub(super) references: &'static [&'static str],
    pub(super) inner: &'static [Self],
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Truth,
    Moment,
    Binary,
    Reference,
    Complex,
}

/// Who changes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
    WriteOnly,
}

/// When a value is in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Always,
    Default,
    Never,
}

const fn attribute(name: &'static str, kind: Kind) -> Attribute {
    Attribute {
        name,
        kind,
        many: false,
        required: false,
        exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        unique: false,
        canonical: &[],
        references: &[],
        inner: &[],
    }
}

const fn text(name: &'static str) -> Attribute {
    attribute(name, Kind::Text)
}

const fn truth(name: &'static str) -> Attribute {
    attribute(name, Kind::Truth)
}

const fn reference(name: &'static str, references: &'static [&'static str]) -> Attribute {
    Attribute {
        references,
        exact: true,
        ..attribute(name, Kind::Reference)
    }
}

const fn complex(name: &'static str, inner: &'static [Attribute]) -> Attribute {
    Attribute {
        inner,
        ..attribute(name, Kind::Complex)
    }
}

const fn many(name: &'static str, inner: &'static [Attribute]) -> Attribute {
    Attribute {
        many: true,
        ..complex(name, inner)
    }
}

impl Attribute {
    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    const fn read_only(self) -> Self {
        Self {
            mutability: Mutability::ReadOnly,
            ..self
        }
    }

    const fn immutable(self) -> Self {
        Self {
            mutability: Mutability::Immutable,
            ..self
        }
    }

    const fn exact(self) -> Self {
        Self {
            exact: true,
            ..self
        }
    }

    const fn canonical(self, canonical: &'static [&'static str]) -> Self {
        Self { canonical, ..self }
    }

    fn shown(&self) -> Value {
        let mut shown = json!({
            "name": self.name,
            "description": format!("The attribute {} of RFC 7643.", self.name),
            "type": match self.kind {
                Kind::Text => "string",
                Kind::Truth => "boolean",
                Kind::Moment => "dateTime",
                Kind::Binary => "binary",
                Kind::Reference => "reference",
                Kind::Complex => "complex",
            },
            "multiValued": self.many,
            "required": self.required,
            "mutability": match self.mutability {
                Mutability::ReadWrite => "readWrite",
                Mutability::ReadOnly => "readOnly",
                Mutability::Immutable => "immutable",
                Mutability::WriteOnly => "writeOnly",
            },
            "returned": match self.returned {
                Returned::Always => "always",
                Returned::Default => "default",
                Returned::Never => "never",
            },
        });
        if !matches!(self.kind, Kind::Complex | Kind::Truth | Kind::Moment) {
            shown["caseExact"] = self.exact.into();
            shown["uniqueness"] = if self.unique { "server" } else { "none" }.into();
        }
        if !self.canonical.is_empty() {
            shown["canonicalValues"] = self.canonical.into();
        }
        if !self.references.is_empty() {
            shown["referenceTypes"] = self.references.into();
        }
        if self.kind == Kind::Complex {
            shown["subAttributes"] = self.inner.iter().map(Self::shown).collect();
        }
        shown
    }
}

/// The attributes that most lists of values have (RFC 7643 section 2.4).
macro_rules! plural {
    ($name:literal, $value:expr, $canonical:expr) => {
        many(
            $name,
            const {
                &[
                    $value,
                    text("display"),
                    text("type").canonical(&$canonical),
                    truth("primary"),
                ]
            },
        )
    };
}

pub(super) static USERS: Schema = Schema {
    urn: USER,
    name: "User",
    attributes: &[
        Attribute {
            unique: true,
            required: true,
            ..text("userName")
        },
        complex(
            "name",
            &[
                text("formatted"),
                text("familyName"),
                text("givenName"),
                text("middleName"),
                text("honorificPrefix"),
                text("honorificSuffix"),
            ],
        ),
        text("displayName"),
        text("nickName"),
        reference("profileUrl", &["external"]),
        text("title"),
        text("userType"),
        text("preferredLanguage"),
        text("locale"),
        text("timezone"),
        truth("active"),
        Attribute {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            ..text("password")
        },
        plural!("emails", text("value"), ["work", "home", "other"]),
        plural!(
            "phoneNumbers",
            text("value"),
            ["work", "home", "mobile", "fax", "pager", "other"]
        ),
        plural!(
            "ims",
            text("value"),
            ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]
        ),
        plural!(
            "photos",
            reference("value", &["external"]),
            ["photo", "thumbnail"]
        ),
        many(
            "addresses",
            &[
                text("formatted"),
                text("streetAddress"),
                text("locality"),
                text("region"),
                text("postalCode"),
                text("country"),
                text("type").canonical(&["work", "home", "other"]),
                truth("primary"),
            ],
        ),
        many(
            "groups",
            &[
                text("value").read_only(),
                reference("$ref", &["User", "Group"]).read_only(),
                text("display").read_only(),
                text("type").canonical(&["direct", "indirect"]).read_only(),
            ],
        )
        .read_only(),
        plural!("entitlements", text("value"), []),
        plural!("roles", text("value"), []),
        plural!(
            "x509Certificates",
            attribute("value", Kind::Binary).exact(),
            []
        ),
    ],
};

pub(super) static ENTERPRISE_USERS: Schema = Schema {
    urn: ENTERPRISE,
    name: "EnterpriseUser",
    attributes: &[
        text("employeeNumber"),
        text("costCenter"),
        text("organization"),
        text("division"),
        text("department"),
        complex(
            "manager",
            &[
                text("value"),
                reference("$ref", &["User"]),
                text("displayName").read_only(),
            ],
        ),
    ],
};

pub(super) static GROUPS: Schema = Schema {
    urn: GROUP,
    name: "Group",
    attributes: &[
        text("displayName").required(),
        many(
            "members",
            &[
                text("value").immutable().exact(),
                reference("$ref", &["User", "Group"]).immutable(),
                text("display").read_only(),
                text("type").canonical(&["User", "Group"]).immutable(),
            ],
        ),
    ],
};

/// What every resource has (RFC 7643 section 3.1); no schema lists these.
pub(super) static COMMON: [Attribute; 4] = [
    Attribute {
        returned: Returned::Always,
        many: true,
        ..reference("schemas", &["uri"])
    },
    Attribute {
        returned: Returned::Always,
        mutability: Mutability::ReadOnly,
        ..text("id").exact()
    },
    text("externalId").exact(),
    complex(
        "meta",
        &[
            text("resourceType").read_only().exact(),
            attribute("created", Kind::Moment).read_only(),
            attribute("lastModified", Kind::Moment).read_only(),
            reference("location", &["uri"]).read_only(),
            text("version").read_only().exact(),
        ],
    )
    .read_only(),
];

/// What kinds of resources there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Resource {
    User,
    Group,
}

impl Resource {
    pub(super) fn of_endpoint(endpoint: &str) -> Option<Self> {
        match endpoint {
            "Users" => Some(Self::User),
            "Groups" => Some(Self::Group),
            _ => None,
        }
    }

    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    pub(super) fn schema(self) -> &'static Schema {
        match self {
            Self::User => &USERS,
            Self::Group => &GROUPS,
        }
    }

    pub(super) fn extension(self) -> Option<&'static Schema> {
        (self == Self::User).then_some(&ENTERPRISE_USERS)
    }

    /// The attribute of this name, outside of extensions; names know no case (RFC 7643 section 2.1).
    pub(super) fn attribute(self, name: &str) -> Option<&'static Attribute> {
        named(&COMMON, name).or_else(|| named(self.schema().attributes, name))
    }
}

pub(super) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The schemas as the service shows them.
pub(super) fn shown(base: &str) -> Vec<Value> {
    [&USERS, &GROUPS, &ENTERPRISE_USERS]
        .into_iter()
        .map(|schema| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
                "id": schema.urn,
                "name": schema.name,
                "description": format!("{} as in RFC 7643.", schema.name),
                "attributes": schema.attributes.iter().map(Attribute::shown).collect::<Vec<_>>(),
                "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.urn)),
            })
        })
        .collect()
}

/// The resource types as the service shows them.
pub(super) fn resource_types(base: &str) -> Vec<Value> {
    [Resource::User, Resource::Group]
        .into_iter()
        .map(|resource| {
            let name = resource.schema().name;
            let mut shown = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": name,
                "name": name,
                "endpoint": format!("/{}", resource.endpoint()),
                "description": format!("{name} as in RFC 7643."),
                "schema": resource.schema().urn,
                "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{name}")),
            });
            if let Some(extension) = resource.extension() {
                shown["schemaExtensions"] = json!([{ "schema": extension.urn, "required": false }]);
            }
            shown
        })
        .collect()
}

/// What the service can do.
pub(super) fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A bearer token as in RFC 6750",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": super::query::MOST },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": super::query::MOST,
            "maxPageSize": super::query::MOST,
            "cursorTimeout": super::query::CURSOR_SECONDS,
        },
        "meta": meta("ServiceProviderConfig", &format!("{base}/ServiceProviderConfig")),
    })
}

fn meta(kind: &str, location: &str) -> Value {
    json!({ "resourceType": kind, "location": location })
}

/// An object without anything in it.
pub(super) fn nothing() -> Map<String, Value> {
    Map::new()
}
