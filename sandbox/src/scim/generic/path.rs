//! The path of a PATCH operation (RFC 7644 figure 7).

use super::{
    document::extension,
    filter::{Filter, Scope, Target, target},
    reply::Refusal,
    schema::{Resource, Schema, named},
};

/// What a PATCH operation is about.
#[derive(Debug)]
pub(super) enum Path {
    /// An extension as a whole.
    Extension(&'static Schema),
    /// An attribute, all values of it or those that fit a filter, or what is inside of them.
    Attribute {
        target: Target,
        filter: Option<Filter>,
    },
}

impl Path {
    pub(super) fn read(text: &str, resource: Resource) -> Result<Self, Refusal> {
        if let Some(extension) = extension(resource, text) {
            return Ok(Self::Extension(extension));
        }
        let (name, inside) = text
            .split_once('[')
            .map_or((text, None), |(name, inside)| (name, Some(inside)));
        let unknown = || Refusal::path(format!("there is nothing at `{text}`"));
        let mut target = target(name, Scope::Resource(resource)).map_err(|_refusal| unknown())?;
        let Some(inside) = inside else {
            return Ok(Self::Attribute {
                target,
                filter: None,
            });
        };
        if !target.attribute.many || target.inner.is_some() {
            return Err(Refusal::path(format!("`{name}` is not a list")));
        }
        let (filter, rest) = Filter::read_inside(inside, target.attribute)?;
        target.inner = match rest.strip_prefix('.') {
            None if rest.is_empty() => None,
            None => return Err(unknown()),
            Some(name) => Some(named(target.attribute.inner, name).ok_or_else(unknown)?),
        };
        Ok(Self::Attribute {
            target,
            filter: Some(filter),
        })
    }
}
