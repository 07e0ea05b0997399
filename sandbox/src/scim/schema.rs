//! The schemas of users, groups and the enterprise extension (RFC 7643 section 4), as data.

use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, USER};
use crate::characters::contains_name;

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
    /// The texts that the attribute accepts.
    pub(super) text: Text,
    /// The maximum number of values of a multi-valued attribute.
    pub(super) max_values: Option<usize>,
    /// Whether every value has to be primary.
    pub(super) primary_only: bool,
    /// Whether the service ignores unknown sub-attributes instead of rejecting them.
    pub(super) open: bool,
}

/// The texts that an attribute accepts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    /// Every text.
    Any,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The texts that follow a rule.
    Rule(TextRule),
}

/// The rule for the texts of an attribute. An empty text breaks every rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextRule {
    /// The maximum number of characters.
    pub(super) max: usize,
    /// Returns whether a text may have a character.
    pub(super) allows: fn(char) -> bool,
    /// The texts that are refused in any letter case, although their characters are allowed.
    pub(super) reserved: &'static [&'static str],
}

impl Text {
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(texts) => texts.contains(&text),
            Self::Rule(rule) => {
                (1..=rule.max).contains(&text.chars().count())
                    && text.chars().all(rule.allows)
                    && !contains_name(rule.reserved, text)
            }
        }
    }
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

impl Kind {
    /// Returns the name of the type in a schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

/// The write access of clients to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
    WriteOnly,
    /// A request that contains the attribute is rejected; the attribute exists only in filters.
    FilterOnly,
}

/// The condition under which responses contain an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Always,
    Default,
    Never,
    /// Responses always contain the attribute, but never its values.
    Empty,
}

pub(super) const fn attribute(name: &'static str, kind: Kind) -> Attribute {
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
        text: Text::Any,
        max_values: None,
        primary_only: false,
        open: false,
    }
}

pub(super) const fn string(name: &'static str) -> Attribute {
    attribute(name, Kind::String)
}

pub(super) const fn boolean(name: &'static str) -> Attribute {
    attribute(name, Kind::Boolean)
}

const fn reference(name: &'static str, references: &'static [&'static str]) -> Attribute {
    Attribute {
        references,
        case_exact: true,
        ..attribute(name, Kind::Reference)
    }
}

pub(super) const fn complex(name: &'static str, sub_attributes: &'static [Attribute]) -> Attribute {
    Attribute {
        sub_attributes,
        ..attribute(name, Kind::Complex)
    }
}

pub(super) const fn multi_valued(
    name: &'static str,
    sub_attributes: &'static [Attribute],
) -> Attribute {
    Attribute {
        multi_valued: true,
        ..complex(name, sub_attributes)
    }
}

impl Attribute {
    pub(super) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(super) const fn read_only(self) -> Self {
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

    pub(super) const fn case_exact(self) -> Self {
        Self {
            case_exact: true,
            ..self
        }
    }

    const fn canonical(self, canonical: &'static [&'static str]) -> Self {
        Self { canonical, ..self }
    }

    pub(super) fn definition(&self) -> Value {
        let mut json = json!({
            "name": self.name,
            "description": format!("The attribute {} of RFC 7643.", self.name),
            "type": self.kind.name(),
            "multiValued": self.multi_valued,
            "required": self.required,
            "mutability": match self.mutability {
                Mutability::ReadWrite => "readWrite",
                Mutability::ReadOnly | Mutability::FilterOnly => "readOnly",
                Mutability::Immutable => "immutable",
                Mutability::WriteOnly => "writeOnly",
            },
            "returned": match self.returned {
                Returned::Always => "always",
                Returned::Default | Returned::Empty => "default",
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
