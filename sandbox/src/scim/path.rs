//! The path of a PATCH operation (RFC 7644 figure 7).

use super::{
    filter::{Filter, Scope, Target, target},
    profile::ResourceType,
    reply::Refusal,
    schema::Schema,
};

/// The target of a PATCH operation.
#[derive(Debug)]
pub(super) enum Path {
    /// A complete extension.
    Extension(&'static Schema),
    /// An attribute or a sub-attribute; the filter selects some values of a multi-valued attribute.
    Attribute {
        target: Target,
        filter: Option<Filter>,
    },
}

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    ///
    /// Returns an error if the path is malformed, or if no schema defines its attribute.
    pub(super) fn read(text: &str, resource_type: ResourceType) -> Result<Self, Refusal> {
        let full = resource_type.without_alias(text);
        let text = full.as_ref();
        if let Some(extension) = resource_type.extension(text) {
            return Ok(Self::Extension(extension));
        }
        let (name, inside) = text
            .split_once('[')
            .map_or((text, None), |(name, inside)| (name, Some(inside)));
        let unknown = || Refusal::path(format!("the path `{text}` does not exist"));
        if name.contains(':') && !resource_type.rules().urn_paths {
            return Err(unknown());
        }
        let mut target =
            target(name, Scope::Resource(resource_type)).map_err(|_refusal| unknown())?;
        let Some(inside) = inside else {
            return Ok(Self::Attribute {
                target,
                filter: None,
            });
        };
        if !target.attribute.multi_valued || target.sub_attribute.is_some() {
            return Err(Refusal::path(format!(
                "`{name}` is not a multi-valued attribute"
            )));
        }
        let (filter, rest) = Filter::read_inside(inside, resource_type, target.attribute)?;
        target.sub_attribute = match rest.strip_prefix('.') {
            None if rest.is_empty() => None,
            None => return Err(unknown()),
            Some(name) => Some(
                resource_type
                    .named(target.attribute.sub_attributes, name)
                    .ok_or_else(unknown)?,
            ),
        };
        Ok(Self::Attribute {
            target,
            filter: Some(filter),
        })
    }
}
