//! Resolution of a path to its target in a resource.

use serde_json::{Map, Value};

use super::{
    Options, Path, UnknownAttributes,
    error::{Refusal, Short},
    path::Kind,
    removals::AnyOf,
};
use crate::{
    Schemas,
    filter::{AttributePath, EvaluateFilterError, Filter},
    schema::{
        definition::{self, Definition},
        is_core_urn,
    },
};

/// The target of a path.
#[derive(Debug)]
pub(super) enum Target<'a> {
    /// The resource as a whole.
    Resource,
    /// An extension as a whole, by its URN.
    Extension(String),
    /// An attribute or a sub-attribute, in the resource or in an extension.
    Attribute {
        extension: Option<String>,
        steps: Vec<Step<'a>>,
    },
}

/// One attribute name on the way from an object to the target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// The name as the schema spells it; for an unknown attribute, as the path spells it.
    pub(super) name: &'a str,
    pub(super) definition: Option<&'a Definition>,
    /// The selection of elements, if the path has a filter at this step.
    pub(super) selection: Option<Selection<'a>>,
}

/// A selection of elements of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection<'a> {
    pub(super) by: SelectBy<'a>,
    /// The path of the list.
    pub(super) list: &'a AttributePath,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum SelectBy<'a> {
    Filter(&'a Filter),
    AnyOf(&'a AnyOf),
}

impl Selection<'_> {
    pub(super) fn matches(
        self,
        element: &Value,
        resolver: Resolver<'_>,
    ) -> Result<bool, EvaluateFilterError> {
        let matches = |filter: &Filter| {
            let (schemas, lenient) = (resolver.schemas, resolver.options.lenient_values);
            filter.matches_element(element, self.list, schemas, lenient)
        };
        match self.by {
            SelectBy::Filter(filter) => matches(filter),
            SelectBy::AnyOf(any) => any.matches(element, matches),
        }
    }
}

impl Step<'_> {
    pub(super) fn is_read_only(&self) -> bool {
        self.definition.is_some_and(Definition::is_read_only)
    }

    pub(super) fn is_reference_list(&self) -> bool {
        definition::is_reference_list(self.definition, self.name)
    }
}

/// Resolves names with the schemas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) options: &'a Options,
    /// The resource before the patch. An extension of that resource stays known after
    /// its last value is removed.
    pub(super) before: &'a Map<String, Value>,
    /// Whether an operation of the patch sets a `$ref`.
    pub(super) sets_references: bool,
}

impl<'a> Resolver<'a> {
    pub(super) fn target(
        self,
        path: &'a Path,
        resource: &Map<String, Value>,
    ) -> Result<Target<'a>, Refusal> {
        match path.kind() {
            Kind::Schema(urn) => self.schema(urn, resource),
            Kind::Attribute(attribute) => self.attribute(attribute, None, None, resource),
            Kind::ValuePath {
                attribute,
                filter,
                sub_attribute,
            } => self.attribute(attribute, Some(filter), sub_attribute.as_deref(), resource),
        }
    }

    fn schema(self, urn: &'a str, resource: &Map<String, Value>) -> Result<Target<'a>, Refusal> {
        if self.schemas.is_core(urn, resource) {
            return Ok(Target::Resource);
        }
        if let Some(extension) = self.extension(urn, resource) {
            return Ok(Target::Extension(extension));
        }
        if let Some((schema, name)) = urn.rsplit_once(':') {
            let core = self.schemas.is_core(schema, resource);
            let extension = self.extension(schema, resource);
            if core || extension.is_some() {
                let steps = vec![self.step(extension.as_deref(), name)?];
                return Ok(Target::Attribute { extension, steps });
            }
        }
        self.refuse_other_core(urn)?;
        Ok(Target::Extension(urn.to_owned()))
    }

    fn attribute(
        self,
        path: &'a AttributePath,
        filter: Option<&'a Filter>,
        last: Option<&'a str>,
        resource: &Map<String, Value>,
    ) -> Result<Target<'a>, Refusal> {
        let (mut name, mut sub_attribute) = (path.name(), path.sub_attribute());
        let mut extension = None;
        if let Some(schema) = path.schema() {
            // The text after the last colon may be the last part of the URN. Microsoft Entra once
            // separated such a URN and the attribute by a dot.
            let whole = format!("{schema}:{name}");
            let core = self.schemas.is_core(&whole, resource);
            let known = self.extension(&whole, resource);
            if core || known.is_some() {
                extension = known;
                match (sub_attribute.take(), filter) {
                    (Some(attribute), _) => name = attribute,
                    (None, None) => {
                        return Ok(extension.map_or(Target::Resource, Target::Extension));
                    }
                    (None, Some(_)) => {
                        return Err(Refusal::invalid_path(format!(
                            "`{}` is a schema and has no elements",
                            Short(&whole)
                        )));
                    }
                }
            } else if !self.schemas.is_core(schema, resource) {
                self.refuse_other_core(schema)?;
                let known = self.extension(schema, resource);
                extension = known.or_else(|| Some(schema.to_owned()));
            }
        }
        let mut steps = vec![self.step(extension.as_deref(), name)?];
        if let Some(name) = sub_attribute {
            self.push_sub_step(&mut steps, name)?;
        }
        if let (Some(filter), Some(step)) = (filter, steps.last_mut()) {
            step.selection = Some(Selection {
                by: SelectBy::Filter(filter),
                list: path,
            });
        }
        if let Some(name) = last {
            self.push_sub_step(&mut steps, name)?;
        }
        Ok(Target::Attribute { extension, steps })
    }

    /// Returns the URN of an extension in its existing spelling, if the URN names an extension.
    pub(super) fn extension(self, urn: &str, resource: &Map<String, Value>) -> Option<String> {
        let current = self.schemas.extension(urn, resource);
        current.or_else(|| self.schemas.extension(urn, self.before))
    }

    /// Returns the step to an attribute of the resource, or of an extension.
    pub(super) fn step(self, extension: Option<&str>, name: &'a str) -> Result<Step<'a>, Refusal> {
        let definitions = self.schemas.attributes(extension);
        let definition = definitions.and_then(|definitions| definition::find(definitions, name));
        if definitions.is_some() && definition.is_none() {
            self.refuse_unknown(name)?;
        }
        Ok(Step {
            name: definition.map_or(name, |definition| definition.name.as_str()),
            definition,
            selection: None,
        })
    }

    fn push_sub_step(self, steps: &mut Vec<Step<'a>>, name: &'a str) -> Result<(), Refusal> {
        let parent = steps.last().and_then(|step| step.definition);
        let definition = parent.and_then(|parent| parent.sub_attribute(name));
        if let (None, Some(parent)) = (definition, parent) {
            if !matches!(
                parent.kind,
                definition::Kind::Complex | definition::Kind::Any
            ) {
                return Err(Refusal::invalid_path(format!(
                    "`{}` has no sub-attributes",
                    parent.name
                )));
            }
            if parent.is_closed() {
                self.refuse_unknown(name)?;
            }
        }
        steps.push(Step {
            name: definition.map_or(name, |definition| definition.name.as_str()),
            definition,
            selection: None,
        });
        Ok(())
    }

    /// Refuses an attribute that is not in its schema, unless the options keep unknown attributes.
    pub(super) fn refuse_unknown(self, name: &str) -> Result<(), Refusal> {
        match self.options.unknown_attributes {
            UnknownAttributes::Keep => Ok(()),
            UnknownAttributes::Refuse => Err(Refusal::invalid_path(format!(
                "the schema has no attribute `{}`",
                Short(name)
            ))),
        }
    }

    /// Refuses the core schema of another resource type.
    fn refuse_other_core(self, urn: &str) -> Result<(), Refusal> {
        match self.schemas.core() {
            Some(core) if is_core_urn(urn) => Err(Refusal::invalid_path(format!(
                "the core schema of the resource is `{core}`, not `{}`",
                Short(urn)
            ))),
            _ => Ok(()),
        }
    }
}
