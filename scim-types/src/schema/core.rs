//! The schemas of RFC 7643 section 8.7.1, with the corrections of its errata.

use super::definition::{Definition, Kind, Mutability, Returned};

/// Returns the common attributes of every resource (RFC 7643 section 3.1).
pub(super) fn common() -> Vec<Definition> {
    vec![
        Definition {
            returned: Returned::Always,
            ..reference("schemas").multi_valued().required()
        },
        Definition {
            returned: Returned::Always,
            ..string("id").read_only()
        },
        string("externalId"),
        complex(
            "meta",
            vec![
                string("resourceType"),
                Definition::new("created", Kind::DateTime),
                Definition::new("lastModified", Kind::DateTime),
                reference("location"),
                string("version"),
            ],
        )
        .read_only(),
    ]
}

/// Returns the attributes of a user (RFC 7643 section 4.1).
pub(super) fn user() -> Vec<Definition> {
    vec![
        string("userName").required(),
        complex(
            "name",
            strings(&[
                "formatted",
                "familyName",
                "givenName",
                "middleName",
                "honorificPrefix",
                "honorificSuffix",
            ]),
        ),
        string("displayName"),
        string("nickName"),
        reference("profileUrl"),
        string("title"),
        string("userType"),
        string("preferredLanguage"),
        string("locale"),
        string("timezone"),
        Definition::new("active", Kind::Boolean),
        Definition {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            ..string("password")
        },
        multi_valued("emails", Kind::Text),
        multi_valued("phoneNumbers", Kind::Text),
        multi_valued("ims", Kind::Text),
        multi_valued("photos", Kind::Reference),
        addresses(),
        complex(
            "groups",
            vec![
                string("value"),
                reference("$ref"),
                string("display"),
                string("type"),
            ],
        )
        .multi_valued()
        .read_only(),
        multi_valued("entitlements", Kind::Text),
        multi_valued("roles", Kind::Text),
        multi_valued("x509Certificates", Kind::Binary),
    ]
}

/// Returns the attributes of a group (RFC 7643 section 4.2).
///
/// The text of section 4.2 requires `displayName`, but the schema in section 8.7.1 does not (erratum 5368).
pub(super) fn group() -> Vec<Definition> {
    vec![
        string("displayName").required(),
        complex(
            "members",
            vec![
                string("value").immutable(),
                reference("$ref").immutable(),
                string("type").immutable(),
                // The RFC does not define `display`; an erratum adds it as read-only. Here it is writable,
                // because clients send it, and the sent value must be kept.
                string("display"),
            ],
        )
        .multi_valued(),
    ]
}

/// Returns the attributes of the enterprise extension of a user (RFC 7643 section 4.3).
pub(super) fn enterprise() -> Vec<Definition> {
    let mut attributes = strings(&[
        "employeeNumber",
        "costCenter",
        "organization",
        "division",
        "department",
    ]);
    attributes.push(complex(
        "manager",
        vec![
            string("value"),
            reference("$ref"),
            string("displayName").read_only(),
        ],
    ));
    attributes
}

fn addresses() -> Definition {
    let mut parts = strings(&[
        "formatted",
        "streetAddress",
        "locality",
        "region",
        "postalCode",
        "country",
        "type",
    ]);
    // RFC 7643 section 2.4 lists these two in "the default set of sub-attributes" of a multi-valued
    // attribute.
    parts.push(string("display"));
    parts.push(Definition::new("primary", Kind::Boolean));
    complex("addresses", parts).multi_valued()
}

/// Returns a multi-valued attribute with the default sub-attributes (RFC 7643 section 2.4).
fn multi_valued(name: &str, kind: Kind) -> Definition {
    let parts = vec![
        Definition::new("value", kind),
        string("display"),
        string("type"),
        Definition::new("primary", Kind::Boolean),
    ];
    complex(name, parts).multi_valued()
}

fn complex(name: &str, sub_attributes: Vec<Definition>) -> Definition {
    Definition {
        sub_attributes,
        ..Definition::new(name, Kind::Complex)
    }
}

fn strings(names: &[&str]) -> Vec<Definition> {
    names.iter().map(|name| string(name)).collect()
}

fn string(name: &str) -> Definition {
    Definition::new(name, Kind::Text)
}

fn reference(name: &str) -> Definition {
    Definition::new(name, Kind::Reference)
}
