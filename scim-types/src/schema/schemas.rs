//! The schemas of a resource type: built-in, or from the schema documents of a server.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::{
    Schema, core,
    definition::{self, Definition},
};
use crate::{names, schema_uri};

/// The schemas of a resource type: a core schema and extensions.
///
/// Patches and documents are checked against these schemas. The attributes of any other extension are
/// unknown and accept any value. Clones share the definitions.
///
/// ```
/// use scim_types::Schemas;
///
/// let schemas = Schemas::of(&serde_json::json!({
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
/// }));
/// assert_eq!(schemas, Schemas::group());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas(Arc<Parts>);

#[derive(Debug, Default, PartialEq)]
struct Parts {
    core: Option<Part>,
    extensions: Vec<Part>,
}

#[derive(Debug, PartialEq)]
struct Part {
    urn: String,
    attributes: Vec<Definition>,
}

impl Schemas {
    /// Returns the schemas of a user: the core schema and the enterprise extension.
    #[must_use]
    pub fn user() -> Self {
        USER.clone()
    }

    /// Returns the schema of a group.
    #[must_use]
    pub fn group() -> Self {
        GROUP.clone()
    }

    /// Returns an empty set of schemas, with which every attribute accepts every value.
    #[must_use]
    pub fn unknown() -> Self {
        UNKNOWN.clone()
    }

    /// Returns the schemas of a resource that declares the user or group schema; for any other resource,
    /// [`unknown`](Self::unknown).
    #[must_use]
    pub fn of(resource: &Value) -> Self {
        let declared = |urn: &str| declares(resource.as_object(), urn);
        if declared(schema_uri::USER) {
            Self::user()
        } else if declared(schema_uri::GROUP) {
            Self::group()
        } else {
            Self::unknown()
        }
    }

    /// Returns the schemas from the schema documents of a server.
    ///
    /// `core` may omit the common attributes of all resources (`id`, `externalId`, `meta`, `schemas`). An
    /// attribute without a name is ignored.
    ///
    /// # Errors
    ///
    /// Fails if a schema has no `id` (its URN).
    pub fn new(core: &Schema, extensions: &[Schema]) -> Result<Self, MissingSchemaIdError> {
        let mut core = Part::read(core)?;
        for definition in core::common() {
            if definition::find(&core.attributes, &definition.name).is_none() {
                core.attributes.push(definition);
            }
        }
        let extensions = extensions.iter().map(Part::read);
        Ok(Self(Arc::new(Parts {
            core: Some(core),
            extensions: extensions.collect::<Result<_, _>>()?,
        })))
    }

    /// Returns the URN of the core schema; `None` if no core schema is known.
    #[must_use]
    pub fn core(&self) -> Option<&str> {
        self.0.core.as_ref().map(|core| core.urn.as_str())
    }

    /// Returns the URNs of the extensions.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.0.extensions.iter().map(|part| part.urn.as_str())
    }

    /// Returns the definitions of the attributes at the top level (`None`) or in an extension.
    pub(crate) fn attributes(&self, extension: Option<&str>) -> Option<&[Definition]> {
        let part = match extension {
            None => self.0.core.as_ref(),
            Some(urn) => self
                .0
                .extensions
                .iter()
                .find(|part| part.urn.eq_ignore_ascii_case(urn)),
        };
        part.map(|part| part.attributes.as_slice())
    }

    /// Returns `caseExact` of an attribute or its sub-attribute (default: `value`), if the schemas define it.
    pub(crate) fn case_exact(
        &self,
        extension: Option<&str>,
        name: &str,
        sub_attribute: Option<&str>,
    ) -> Option<bool> {
        let definition = definition::find(self.attributes(extension)?, name)?;
        let inner = definition::find(&definition.sub_attributes, sub_attribute.unwrap_or("value"));
        match (inner, sub_attribute) {
            (Some(inner), _) => inner.case_exact,
            (None, None) => definition.case_exact,
            // A simple value is its own `value`.
            (None, Some(name)) if name.eq_ignore_ascii_case("value") => definition.case_exact,
            (None, Some(_)) => None,
        }
    }

    /// Returns whether a URN is the URN of the core schema.
    ///
    /// If no core schema is known, every URN of an RFC core schema counts. The first URN that the resource
    /// declares counts too, unless the resource has an extension with this URN.
    pub(crate) fn is_core(&self, urn: &str, resource: &Map<String, Value>) -> bool {
        if let Some(core) = self.core() {
            return core.eq_ignore_ascii_case(urn);
        }
        let first = names::find(resource, "schemas")
            .and_then(|(_, schemas)| schemas.as_array()?.first()?.as_str());
        let is_first = first.is_some_and(|first| first.eq_ignore_ascii_case(urn));
        is_core_urn(urn) || is_first && names::find(resource, urn).is_none()
    }

    /// Returns the URN of an extension in its existing spelling, if the schemas or the resource have the extension.
    pub(crate) fn extension(&self, urn: &str, resource: &Map<String, Value>) -> Option<String> {
        let known = self
            .extensions()
            .find(|known| known.eq_ignore_ascii_case(urn))
            .map(str::to_owned);
        let present = || {
            names::find(resource, urn)
                .filter(|(_, value)| value.is_object())
                .map(|(name, _)| name.to_owned())
        };
        let declared = || declares(Some(resource), urn).then(|| urn.to_owned());
        // The spelling in the resource has precedence.
        present().or(known).or_else(declared)
    }
}

impl Part {
    fn new(urn: &str, attributes: Vec<Definition>) -> Self {
        Self {
            urn: urn.to_owned(),
            attributes,
        }
    }

    fn read(schema: &Schema) -> Result<Self, MissingSchemaIdError> {
        let urn = schema.id.as_deref().ok_or_else(|| MissingSchemaIdError {
            name: schema.name.clone().unwrap_or_default(),
        })?;
        let attributes = schema.attributes.iter().filter_map(Definition::read);
        Ok(Self::new(urn, attributes.collect()))
    }
}

/// The error of [`Schemas::new`]: a schema has no `id` (its URN).
#[derive(Debug, thiserror::Error)]
#[error("the schema {name:?} has no `id` (its URN)")]
pub struct MissingSchemaIdError {
    name: String,
}

/// Returns whether a URN belongs to a core schema, whose attributes are at the top level of a resource.
pub(crate) fn is_core_urn(urn: &str) -> bool {
    let Some((start, rest)) = urn.split_at_checked(schema_uri::CORE_PREFIX.len()) else {
        return false;
    };
    // The rest is a version and a name. A URN with a third part is the path of an attribute.
    start.eq_ignore_ascii_case(schema_uri::CORE_PREFIX) && rest.matches(':').count() == 1
}

/// Returns whether a resource declares a schema.
pub(crate) fn declares(resource: Option<&Map<String, Value>>, urn: &str) -> bool {
    let schemas = resource.and_then(|resource| names::find(resource, "schemas"));
    let schemas = schemas.and_then(|(_, schemas)| schemas.as_array());
    schemas.into_iter().flatten().any(|schema| {
        schema
            .as_str()
            .is_some_and(|schema| schema.eq_ignore_ascii_case(urn))
    })
}

fn built_in(urn: &str, attributes: Vec<Definition>, extensions: Vec<Part>) -> Schemas {
    let attributes = [core::common(), attributes].concat();
    Schemas(Arc::new(Parts {
        core: Some(Part::new(urn, attributes)),
        extensions,
    }))
}

static USER: LazyLock<Schemas> = LazyLock::new(|| {
    let enterprise = Part::new(schema_uri::ENTERPRISE_USER, core::enterprise());
    built_in(schema_uri::USER, core::user(), vec![enterprise])
});
static GROUP: LazyLock<Schemas> =
    LazyLock::new(|| built_in(schema_uri::GROUP, core::group(), Vec::new()));
static UNKNOWN: LazyLock<Schemas> = LazyLock::new(|| Schemas(Arc::default()));

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_declared_schemas_determine_the_built_in_schemas() {
        let of = |schemas: Value| Schemas::of(&json!({ "schemas": schemas }));
        assert_eq!(
            of(json!([
                "urn:x",
                "URN:ietf:params:scim:schemas:CORE:2.0:User"
            ])),
            Schemas::user()
        );
        assert_eq!(of(json!([schema_uri::GROUP])), Schemas::group());
        assert_eq!(of(json!(["urn:x"])), Schemas::unknown());
        assert_eq!(Schemas::of(&json!("x")), Schemas::unknown());
        assert_eq!(Schemas::unknown().core(), None);
    }

    #[test]
    fn schemas_of_a_server_are_completed_with_the_common_attributes() {
        let device = Schema {
            id: Some("urn:acme:2.0:Device".into()),
            ..serde_json::from_value(json!({"attributes": [
                {"name": "serial", "type": "STRING", "required": true, "mutability": "immutable"},
                {"name": "size", "type": "quantity"},
                {"name": "parts", "multiValued": true, "subAttributes": [{"name": "n", "type": "integer"}]},
                {"description": "no name"}
            ]}))
            .unwrap()
        };
        let schemas = Schemas::new(&device, &[]).unwrap();
        let top = schemas.attributes(None).unwrap();
        let names: Vec<_> = top
            .iter()
            .map(|definition| definition.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "serial",
                "size",
                "parts",
                "schemas",
                "id",
                "externalId",
                "meta"
            ]
        );
        assert_eq!(
            (top[0].required, top[0].mutability),
            (true, definition::Mutability::Immutable)
        );
        assert_eq!(
            [top[1].kind, top[2].kind],
            [definition::Kind::Any, definition::Kind::Complex]
        );
        assert_eq!(schemas.attributes(Some("urn:acme:2.0:Device")), None);
        let nameless = Schema {
            name: Some("Thing".into()),
            ..Schema::default()
        };
        assert_eq!(
            Schemas::new(&device, &[nameless]).unwrap_err().to_string(),
            r#"the schema "Thing" has no `id` (its URN)"#
        );
    }
}
