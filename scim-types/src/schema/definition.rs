//! The definition of an attribute in a schema, in typed form.

use serde_json::{Number, Value};

use crate::{SchemaAttribute, names};

/// The definition of one attribute in a schema (RFC 7643 section 7).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) multi_valued: bool,
    pub(crate) required: bool,
    pub(crate) mutability: Mutability,
    pub(crate) returned: Returned,
    /// Whether values are case-sensitive. If the schema does not say (`None`), RFC 7643 decides.
    pub(crate) case_exact: Option<bool>,
    /// The sub-attributes; also empty for a complex attribute whose sub-attributes are unknown.
    pub(crate) sub_attributes: Vec<Self>,
}

/// The type of a value (RFC 7643 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Reference,
    Binary,
    Complex,
    /// A type that this crate does not know. Every value is accepted.
    Any,
}

impl Kind {
    /// Returns the noun for a value of the type, for error messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Boolean => "a boolean",
            Self::Decimal => "a number",
            Self::Integer => "an integer",
            Self::DateTime => "a dateTime, such as 2011-05-13T04:42:34Z",
            Self::Reference => "a URI",
            Self::Binary => "Base64 data",
            Self::Complex => "an object",
            Self::Any => "a value",
        }
    }
}

/// Whether a client may write an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// The condition for returning an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    Always,
    Never,
    /// The attribute is returned by default or on request.
    Sometimes,
}

impl Definition {
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            multi_valued: false,
            required: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Sometimes,
            case_exact: None,
            sub_attributes: Vec::new(),
        }
    }

    /// Converts an attribute of a schema document; `None` if the attribute has no name.
    pub(crate) fn read(attribute: &SchemaAttribute) -> Option<Self> {
        let lower_case = |text: &Option<String>| text.as_deref().map(str::to_ascii_lowercase);
        let sub_attributes: Vec<_> = attribute
            .sub_attributes
            .iter()
            .filter_map(Self::read)
            .collect();
        let kind = match lower_case(&attribute.kind).as_deref() {
            Some("boolean") => Kind::Boolean,
            Some("decimal") => Kind::Decimal,
            Some("integer") => Kind::Integer,
            Some("datetime") => Kind::DateTime,
            Some("reference") => Kind::Reference,
            Some("binary") => Kind::Binary,
            Some("complex") => Kind::Complex,
            None if !sub_attributes.is_empty() => Kind::Complex,
            // "string" is the default (RFC 7643 section 2.2).
            Some("string") | None => Kind::Text,
            Some(_) => Kind::Any,
        };
        Some(Self {
            kind,
            multi_valued: attribute.multi_valued == Some(true),
            required: attribute.required == Some(true),
            mutability: match lower_case(&attribute.mutability).as_deref() {
                Some("readonly") => Mutability::ReadOnly,
                Some("immutable") => Mutability::Immutable,
                Some("writeonly") => Mutability::WriteOnly,
                _ => Mutability::ReadWrite,
            },
            returned: match lower_case(&attribute.returned).as_deref() {
                Some("always") => Returned::Always,
                Some("never") => Returned::Never,
                _ => Returned::Sometimes,
            },
            // References and binary values are always case-exact (RFC 7643 sections 2.3.6 and 2.3.7).
            case_exact: attribute
                .case_exact
                .map(|exact| exact || matches!(kind, Kind::Reference | Kind::Binary)),
            sub_attributes,
            ..Self::new(attribute.name.as_deref()?, kind)
        })
    }

    pub(crate) fn multi_valued(self) -> Self {
        Self {
            multi_valued: true,
            ..self
        }
    }

    pub(crate) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(crate) fn immutable(self) -> Self {
        Self {
            mutability: Mutability::Immutable,
            ..self
        }
    }

    /// Makes the attribute and all its sub-attributes read-only.
    pub(crate) fn read_only(self) -> Self {
        let sub_attributes = self.sub_attributes.into_iter().map(Self::read_only);
        Self {
            mutability: Mutability::ReadOnly,
            sub_attributes: sub_attributes.collect(),
            ..self
        }
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// Returns the definition of a sub-attribute.
    pub(crate) fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// Returns whether all sub-attributes are known, so that any other name is an error.
    pub(crate) fn is_closed(&self) -> bool {
        self.kind != Kind::Any && !(self.kind == Kind::Complex && self.sub_attributes.is_empty())
    }

    /// Returns whether a value refers to another resource: it has the id of the resource in `value` and its URI in `$ref`,
    /// like the manager of a user.
    pub(crate) fn is_reference(&self) -> bool {
        let uri = self.sub_attribute("$ref");
        self.sub_attribute("value").is_some() && uri.is_some_and(|uri| uri.kind == Kind::Reference)
    }

    /// Returns whether the elements refer to other resources and are identified by their `value` alone,
    /// like the members of a group.
    pub(crate) fn is_reference_list(&self) -> bool {
        let value = self.sub_attribute("value");
        self.multi_valued && value.is_some_and(|value| value.mutability == Mutability::Immutable)
    }
}

/// Returns the definition of an attribute.
pub(crate) fn find<'d>(definitions: &'d [Definition], name: &str) -> Option<&'d Definition> {
    definitions
        .iter()
        .find(|definition| definition.name.eq_ignore_ascii_case(name))
}

/// Returns whether the elements of an attribute are identified by their `value` alone.
pub(crate) fn is_reference_list(definition: Option<&Definition>, name: &str) -> bool {
    definition.map_or_else(
        || name.eq_ignore_ascii_case("members"),
        Definition::is_reference_list,
    )
}

/// Returns a string that is the same for equal elements.
///
/// If `by_value` is true, only the `value` of an element counts.
pub(crate) fn element_identity(element: &Value, by_value: bool) -> String {
    let value = element
        .as_object()
        .and_then(|attributes| names::assigned(attributes, "value"));
    match value.filter(|_| by_value) {
        Some(value) => names::identity(value),
        None => names::identity(element),
    }
}

/// Parses a number that is written as a string.
pub(crate) fn parse_number(text: &str, kind: Kind) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    (kind != Kind::Integer || is_whole(&number)).then_some(number)
}

/// Returns whether a number has neither a fraction nor an exponent (RFC 7643 section 2.3.4).
pub(crate) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}
