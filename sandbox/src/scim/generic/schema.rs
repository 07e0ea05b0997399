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
    pub(super) multi_valued: bool,
    pub(super) required: bool,
    pub(super) case_exact: bool,
    pub(super) mutability: Mutability,
    pub(super) returned: Returned,
    pub(super) unique: bool,
    pub(super) canonical: &'static [&'static str],
    pub(super) references: &'static [&'static str],
    pub(super) sub_attributes: &'static [Self],
}

/// The data type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Boolean,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// The write access of clients to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
    WriteOnly,
}

/// The condition under which responses contain an attribute.
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
        multi_valued: false,
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        unique: false,
        canonical: &[],
        references: &[],
        sub_attributes: &[],
    }
}

const fn string(name: &'static str) -> Attribute {
    attribute(name, Kind::String)
}

const fn boolean(name: &'static str) -> Attribute {
    attribute(name, Kind::Boolean)
}

const fn reference(name: &'static str, references: &'static [&'static str]) -> Attribute {
    Attribute {
        references,
        case_exact: true,
        ..attribute(name, Kind::Reference)
    }
}

const fn complex(name: &'static str, sub_attributes: &'static [Attribute]) -> Attribute {
    Attribute {
        sub_attributes,
        ..attribute(name, Kind::Complex)
    }
}

const fn multi_valued(name: &'static str, sub_attributes: &'static [Attribute]) -> Attribute {
    Attribute {
        multi_valued: true,
        ..complex(name, sub_attributes)
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

    const fn case_exact(self) -> Self {
        Self {
            case_exact: true,
            ..self
        }
    }

    const fn canonical(self, canonical: &'static [&'static str]) -> Self {
        Self { canonical, ..self }
    }

    fn definition(&self) -> Value {
        let mut json = json!({
            "name": self.name,
            "description": format!("The attribute {} of RFC 7643.", self.name),
            "type": match self.kind {
                Kind::String => "string",
                Kind::Boolean => "boolean",
                Kind::DateTime => "dateTime",
                Kind::Binary => "binary",
                Kind::Reference => "reference",
                Kind::Complex => "complex",
            },
            "multiValued": self.multi_valued,
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
        if !matches!(self.kind, Kind::Complex | Kind::Boolean | Kind::DateTime) {
            json["caseExact"] = self.case_exact.into();
            json["uniqueness"] = if self.unique { "server" } else { "none" }.into();
        }
        if !self.canonical.is_empty() {
            json["canonicalValues"] = self.canonical.into();
        }
        if !self.references.is_empty() {
            json["referenceTypes"] = self.references.into();
        }
        if self.kind == Kind::Complex {
            json["subAttributes"] = self.sub_attributes.iter().map(Self::definition).collect();
        }
        json
    }
}

/// Defines a multi-valued attribute with the standard sub-attributes (RFC 7643 section 2.4).
macro_rules! plural {
    ($name:literal, $value:expr, $canonical:expr) => {
        multi_valued(
            $name,
            const {
                &[
                    $value,
                    string("display"),
                    string("type").canonical(&$canonical),
                    boolean("primary"),
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
            ..string("userName")
        },
        complex(
            "name",
            &[
                string("formatted"),
                string("familyName"),
                string("givenName"),
                string("middleName"),
                string("honorificPrefix"),
                string("honorificSuffix"),
            ],
        ),
        string("displayName"),
        string("nickName"),
        reference("profileUrl", &["external"]),
        string("title"),
        string("userType"),
        string("preferredLanguage"),
        string("locale"),
        string("timezone"),
        boolean("active"),
        Attribute {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            ..string("password")
        },
        plural!("emails", string("value"), ["work", "home", "other"]),
        plural!(
            "phoneNumbers",
            string("value"),
            ["work", "home", "mobile", "fax", "pager", "other"]
        ),
        plural!(
            "ims",
            string("value"),
            ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]
        ),
        plural!(
            "photos",
            reference("value", &["external"]),
            ["photo", "thumbnail"]
        ),
        multi_valued(
            "addresses",
            &[
                string("formatted"),
                string("streetAddress"),
                string("locality"),
                string("region"),
                string("postalCode"),
                string("country"),
                string("type").canonical(&["work", "home", "other"]),
                boolean("primary"),
            ],
        ),
        multi_valued(
            "groups",
            &[
                string("value").read_only(),
                reference("$ref", &["User", "Group"]).read_only(),
                string("display").read_only(),
                string("type")
                    .canonical(&["direct", "indirect"])
                    .read_only(),
            ],
        )
        .read_only(),
        plural!("entitlements", string("value"), []),
        plural!("roles", string("value"), []),
        plural!(
            "x509Certificates",
            attribute("value", Kind::Binary).case_exact(),
            []
        ),
    ],
};

pub(super) static ENTERPRISE_USERS: Schema = Schema {
    urn: ENTERPRISE,
    name: "EnterpriseUser",
    attributes: &[
        string("employeeNumber"),
        string("costCenter"),
        string("organization"),
        string("division"),
        string("department"),
        complex(
            "manager",
            &[
                string("value"),
                reference("$ref", &["User"]),
                string("displayName").read_only(),
            ],
        ),
    ],
};

pub(super) static GROUPS: Schema = Schema {
    urn: GROUP,
    name: "Group",
    attributes: &[
        string("displayName").required(),
        multi_valued(
            "members",
            &[
                string("value").immutable().case_exact(),
                reference("$ref", &["User", "Group"]).immutable(),
                string("display").read_only(),
                string("type").canonical(&["User", "Group"]).immutable(),
            ],
        ),
    ],
};

/// The attributes that every resource has (RFC 7643 section 3.1); the schemas do not list them.
pub(super) static COMMON: [Attribute; 4] = [
    Attribute {
        returned: Returned::Always,
        multi_valued: true,
        ..reference("schemas", &["uri"])
    },
    Attribute {
        returned: Returned::Always,
        mutability: Mutability::ReadOnly,
        ..string("id").case_exact()
    },
    string("externalId").case_exact(),
    complex(
        "meta",
        &[
            string("resourceType").read_only().case_exact(),
            attribute("created", Kind::DateTime).read_only(),
            attribute("lastModified", Kind::DateTime).read_only(),
            reference("location", &["uri"]).read_only(),
            string("version").read_only().case_exact(),
        ],
    )
    .read_only(),
];

/// A resource type.
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

    /// Returns the attribute with this name, except extension attributes; names are compared without case
    /// (RFC 7643 section 2.1).
    pub(super) fn attribute(self, name: &str) -> Option<&'static Attribute> {
        named(&COMMON, name).or_else(|| named(self.schema().attributes, name))
    }
}

pub(super) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// Returns the schemas in the format of the `/Schemas` endpoint.
pub(super) fn schemas(base: &str) -> Vec<Value> {
    [&USERS, &GROUPS, &ENTERPRISE_USERS]
        .into_iter()
        .map(|schema| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
                "id": schema.urn,
                "name": schema.name,
                "description": format!("{} as in RFC 7643.", schema.name),
                "attributes": schema.attributes.iter().map(Attribute::definition).collect::<Vec<_>>(),
                "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.urn)),
            })
        })
        .collect()
}

/// Returns the resource types in the format of the `/ResourceTypes` endpoint.
pub(super) fn resource_types(base: &str) -> Vec<Value> {
    [Resource::User, Resource::Group]
        .into_iter()
        .map(|resource| {
            let name = resource.schema().name;
            let mut json = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": name,
                "name": name,
                "endpoint": format!("/{}", resource.endpoint()),
                "description": format!("{name} as in RFC 7643."),
                "schema": resource.schema().urn,
                "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{name}")),
            });
            if let Some(extension) = resource.extension() {
                json["schemaExtensions"] = json!([{ "schema": extension.urn, "required": false }]);
            }
            json
        })
        .collect()
}

/// Returns the capabilities of the service.
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
        "filter": { "supported": true, "maxResults": super::query::MAX_PAGE_SIZE },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": super::query::MAX_PAGE_SIZE,
            "maxPageSize": super::query::MAX_PAGE_SIZE,
            "cursorTimeout": super::query::CURSOR_SECONDS,
        },
        "meta": meta("ServiceProviderConfig", &format!("{base}/ServiceProviderConfig")),
    })
}

fn meta(kind: &str, location: &str) -> Value {
    json!({ "resourceType": kind, "location": location })
}

/// Returns an empty object.
pub(super) fn empty_object() -> Map<String, Value> {
    Map::new()
}
