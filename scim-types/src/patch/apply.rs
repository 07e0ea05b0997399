//! Application of operations, one after another, to a copy of the resource.

use serde_json::{Map, Value};

use super::{
    ListedRemoval, Options, PatchError, Path,
    change::Change,
    error::{Refusal, Short},
    removals::{self, AnyOf},
    target::{Resolver, SelectBy, Step, Target},
    value::as_list,
};
use crate::{Op, PatchOp, PatchOperation, Schemas, names, schema::declares};

impl PatchOp {
    /// Returns a copy of a resource with all operations of this patch applied, or the first error.
    ///
    /// The URN of an extension is added to `schemas` with the extension's first attribute, and removed with
    /// its last attribute. To find out whether the patch changed anything, compare the two resources.
    ///
    /// # Errors
    ///
    /// Fails if an operation is malformed, has no target, or is not allowed by its schema or the options.
    /// The error has the index of the operation, and the `scimType` for the response of a server.
    pub fn apply(&self, resource: &Value, options: &Options) -> Result<Value, PatchError> {
        let Value::Object(attributes) = resource else {
            let refusal = Refusal::invalid_syntax("the resource is not an object");
            return Err(PatchError::whole(refusal));
        };
        let (count, limit) = (self.operations.len(), options.max_operations);
        if count == 0 {
            let refusal = Refusal::invalid_syntax("it has no operations");
            return Err(PatchError::whole(refusal));
        }
        if count > limit {
            let refusal = format!("it has {count} operations, more than the limit of {limit}");
            return Err(PatchError::whole(Refusal::too_many(refusal)));
        }
        let schemas = options.schemas.clone();
        let schemas = schemas.unwrap_or_else(|| Schemas::of(resource));
        let start = || Patched {
            resolver: Resolver {
                schemas: &schemas,
                options,
                before: attributes,
                sets_references: self.operations.iter().any(sets_reference),
            },
            attributes: attributes.clone(),
        };
        // All changes are made to a copy, so an error leaves no partial change in the resource.
        let mut patched = start();
        let mut index = 0;
        while let Some(remaining @ [operation, ..]) = self.operations.get(index..) {
            let error_at = |index: usize, operation: &PatchOperation, refusal| {
                PatchError::at(index, operation.op, operation.path.clone(), refusal)
            };
            let Some((count, path, any)) =
                removals::leading_removals(remaining, options.path_limits)
            else {
                patched
                    .run(operation)
                    .map_err(|refusal| error_at(index, operation, refusal))?;
                index += 1;
                continue;
            };
            if patched.remove_any(&path, &any).is_err() {
                // To find the operation that fails, all operations are applied one by one.
                patched = start();
                for (index, operation) in self.operations.iter().enumerate() {
                    patched
                        .run(operation)
                        .map_err(|refusal| error_at(index, operation, refusal))?;
                }
                break;
            }
            index += count;
        }
        Ok(patched.attributes.into())
    }
}

struct Patched<'a> {
    resolver: Resolver<'a>,
    attributes: Map<String, Value>,
}

impl Patched<'_> {
    /// Removes every element that at least one of several removals selects.
    fn remove_any(&mut self, path: &Path, any: &AnyOf) -> Result<(), Refusal> {
        match self.resolver.target(path, &self.attributes)? {
            Target::Attribute {
                extension,
                mut steps,
            } => {
                let selections = steps.iter_mut().filter_map(|step| step.selection.as_mut());
                selections.for_each(|selection| selection.by = SelectBy::AnyOf(any));
                self.change_attribute(extension.as_deref(), &steps, &Change::Remove)
            }
            Target::Resource | Target::Extension(_) => Err(Refusal::invalid_path(
                "the target of the removal has no elements",
            )),
        }
    }

    fn run(&mut self, operation: &PatchOperation) -> Result<(), Refusal> {
        let Some(path) = operation.path.as_deref().filter(|path| !path.is_empty()) else {
            return self.run_without_path(operation);
        };
        let path = Path::parse_within(path, self.resolver.options.path_limits)?;
        let change = self.change(operation)?;
        match self.resolver.target(&path, &self.attributes)? {
            Target::Resource => self.change_all(None, change),
            Target::Extension(urn) => self.change_all(Some(&urn), change),
            Target::Attribute { extension, steps } => {
                self.change_attribute(extension.as_deref(), &steps, &change)
            }
        }
    }

    fn run_without_path(&mut self, operation: &PatchOperation) -> Result<(), Refusal> {
        match operation.op {
            Op::Remove => Err(Refusal::no_target("a removal needs a path")),
            Op::Add | Op::Replace => {
                let change = self.change(operation)?;
                self.change_all(None, change)
            }
        }
    }

    fn change(&self, operation: &PatchOperation) -> Result<Change, Refusal> {
        let value = operation.value.clone();
        match (operation.op, value) {
            (Op::Remove, None | Some(Value::Null)) => Ok(Change::Remove),
            (Op::Remove, Some(value)) => match self.resolver.options.listed_removal {
                ListedRemoval::RemoveListed => Ok(Change::RemoveListed(value)),
                ListedRemoval::Refuse => Err(Refusal::invalid_value(
                    "a removal must not have a value (a server that ignores it removes all values)",
                )),
            },
            (Op::Add, Some(value)) => Ok(Change::Add(value)),
            (Op::Replace, Some(value)) => Ok(Change::Replace(value)),
            (Op::Add | Op::Replace, None) => Err(Refusal::invalid_value("it has no value")),
        }
    }

    /// Applies an object of attributes to the resource or an extension, or removes the extension.
    fn change_all(&mut self, extension: Option<&str>, change: Change) -> Result<(), Refusal> {
        let (values, add) = match (change, extension) {
            (Change::Add(Value::Object(values)), _) => (values, true),
            (Change::Replace(Value::Object(values)), _) => (values, false),
            (Change::Replace(Value::Null) | Change::Remove, Some(urn)) => {
                self.attributes
                    .retain(|name, _| !name.eq_ignore_ascii_case(urn));
                self.undeclare(urn);
                return Ok(());
            }
            (Change::Remove | Change::RemoveListed(_), _) => {
                return Err(Refusal::mutability(
                    "a patch cannot remove a whole resource",
                ));
            }
            (Change::Add(_) | Change::Replace(_), _) => {
                return Err(Refusal::invalid_value(
                    "the value must be an object of attributes",
                ));
            }
        };
        for (name, value) in values {
            let is_object = value.is_object();
            let change = if add {
                Change::Add(value)
            } else {
                Change::Replace(value)
            };
            match extension {
                Some(urn) => {
                    let step = self.resolver.step(extension, &name)?;
                    self.change_unless_same(Some(urn), &[step], &change)?;
                }
                None => self.change_named(&name, is_object, change)?,
            }
        }
        Ok(())
    }

    /// Changes the target of a name in the value of an operation without a path: `title`, `name.givenName`, a URN.
    fn change_named(&mut self, name: &str, is_object: bool, change: Change) -> Result<(), Refusal> {
        let path = match Path::parse_within(name, self.resolver.options.path_limits) {
            Ok(path) => path,
            // If no schema is known, any name may be an attribute.
            Err(_) if self.resolver.schemas.core().is_none() => {
                let step = self.resolver.step(None, name)?;
                return self.change_unless_same(None, &[step], &change);
            }
            Err(error) => return Err(error.into()),
        };
        match self.resolver.target(&path, &self.attributes)? {
            Target::Resource => self.change_all(None, change),
            Target::Extension(urn) => self.change_all(Some(&urn), change),
            Target::Attribute {
                extension: Some(urn),
                ..
            } if is_object && self.resolver.extension(&urn, &self.attributes).is_none() => {
                // The URN is unknown. An extension is more likely than a complex attribute of an extension.
                self.change_all(Some(name), change)
            }
            Target::Attribute { extension, steps } => {
                self.change_unless_same(extension.as_deref(), &steps, &change)
            }
        }
    }

    /// Changes an attribute, but ignores a read-only attribute that the client sends back with its current
    /// value (Okta sends the `id` with every new name of a group).
    fn change_unless_same(
        &mut self,
        extension: Option<&str>,
        steps: &[Step<'_>],
        change: &Change,
    ) -> Result<(), Refusal> {
        let (Change::Add(value) | Change::Replace(value)) = change else {
            return self.change_attribute(extension, steps, change);
        };
        let read_only = steps.iter().any(Step::is_read_only);
        if read_only && names::is_same(&self.current(extension, steps), value) {
            return Ok(());
        }
        self.change_attribute(extension, steps, change)
    }

    /// Returns the current value at the end of the steps, if the steps have no filter.
    fn current(&self, extension: Option<&str>, steps: &[Step<'_>]) -> Value {
        let names = extension
            .into_iter()
            .chain(steps.iter().map(|step| step.name));
        let mut attributes = Some(&self.attributes);
        let mut value = None;
        for name in names {
            value = attributes.and_then(|attributes| names::assigned(attributes, name));
            attributes = value.and_then(Value::as_object);
        }
        value.cloned().unwrap_or_default()
    }

    fn change_attribute(
        &mut self,
        extension: Option<&str>,
        steps: &[Step<'_>],
        change: &Change,
    ) -> Result<(), Refusal> {
        let Some(urn) = extension else {
            let schemas = steps.first().is_some_and(is_schemas);
            let declared = schemas.then(|| self.attributes.clone());
            self.resolver.change(&mut self.attributes, steps, change)?;
            return declared.map_or(Ok(()), |before| self.keep_schemas(&before));
        };
        let known = names::find(&self.attributes, urn).map(|(name, _)| name.to_owned());
        let existing = known
            .as_deref()
            .and_then(|name| self.attributes.get_mut(name));
        let mut attributes = match existing.map(Value::take) {
            Some(Value::Object(attributes)) => attributes,
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                return Err(Refusal::invalid_path(format!(
                    "`{}` is not an extension",
                    Short(urn)
                )));
            }
        };
        self.resolver.change(&mut attributes, steps, change)?;
        if attributes.values().all(names::is_unassigned) {
            self.attributes
                .retain(|name, _| !name.eq_ignore_ascii_case(urn));
            if known.is_some() {
                self.undeclare(urn);
            }
        } else {
            let name = known.unwrap_or_else(|| urn.to_owned());
            self.declare(&name);
            self.attributes.insert(name, attributes.into());
        }
        Ok(())
    }

    /// Adds a URN to `schemas`.
    fn declare(&mut self, urn: &str) {
        if declares(Some(&self.attributes), urn) {
            return;
        }
        let schemas = self.schemas();
        let core = self.resolver.schemas.core().filter(|_| schemas.is_empty());
        let declared = core.map(Value::from).into_iter().chain(schemas);
        let schemas: Value = declared.chain([urn.into()]).collect();
        self.set_schemas(schemas);
    }

    /// Removes a URN from `schemas`.
    fn undeclare(&mut self, urn: &str) {
        let others = self.schemas().into_iter().filter(|schema| {
            schema
                .as_str()
                .is_none_or(|schema| !schema.eq_ignore_ascii_case(urn))
        });
        let others: Vec<Value> = others.collect();
        if others.is_empty() {
            self.attributes
                .retain(|name, _| !name.eq_ignore_ascii_case(SCHEMAS));
        } else {
            self.set_schemas(others.into());
        }
    }

    /// Refuses the removal of the core schema from `schemas`, and keeps the URN of every extension that the resource
    /// has.
    fn keep_schemas(&mut self, before: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(core) = self.resolver.schemas.core() {
            let lost = declares(Some(before), core) && !declares(Some(&self.attributes), core);
            if lost {
                return Err(Refusal::mutability(format!(
                    "`schemas` must contain `{core}`, the core schema"
                )));
            }
        }
        let declared = before
            .iter()
            .filter(|(name, value)| value.is_object() && declares(Some(before), name));
        for (name, _) in declared {
            self.declare(name);
        }
        Ok(())
    }

    fn schemas(&self) -> Vec<Value> {
        names::find(&self.attributes, SCHEMAS)
            .map(|(_, schemas)| as_list(schemas.clone()))
            .unwrap_or_default()
    }

    fn set_schemas(&mut self, schemas: Value) {
        let name = names::find(&self.attributes, SCHEMAS).map(|(name, _)| name.to_owned());
        let name = name.unwrap_or_else(|| SCHEMAS.to_owned());
        self.attributes.insert(name, schemas);
    }
}

/// Returns whether an operation sets a `$ref` by its path or in its value.
fn sets_reference(operation: &PatchOperation) -> bool {
    fn contains(value: &Value) -> bool {
        match value {
            Value::Object(attributes) => attributes.iter().any(|(name, value)| {
                name.to_ascii_lowercase().ends_with("$ref") && !names::is_unassigned(value)
                    || contains(value)
            }),
            Value::Array(list) => list.iter().any(contains),
            _ => false,
        }
    }
    let path = operation.path.as_deref().unwrap_or_default();
    let in_path = path.to_ascii_lowercase().ends_with("$ref") && operation.op != Op::Remove;
    in_path || operation.value.as_ref().is_some_and(contains)
}

fn is_schemas(step: &Step<'_>) -> bool {
    step.name.eq_ignore_ascii_case(SCHEMAS)
}

const SCHEMAS: &str = "schemas";
