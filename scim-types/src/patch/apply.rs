//! Operations, done one after the other on a copy.

use serde_json::{Map, Value};

use super::{
    ListedRemoval, Options, PatchError, Path,
    change::Change,
    error::{Refusal, Short},
    removals::{self, AnyOf},
    target::{By, Resolver, Step, Target},
    value::as_list,
};
use crate::{Op, PatchOp, PatchOperation, Schemas, names, schema::declares};

impl PatchOp {
    /// Returns a resource with the changes of this patch: all of them, or the error that stopped one.
    ///
    /// The URN of an extension comes into `schemas` with the first attribute that is set in it, and
    /// goes with the last that is removed. Whether anything changed is seen by comparing the two.
    ///
    /// # Errors
    ///
    /// When an operation is malformed, leads nowhere, or does what its schema or the options do not
    /// allow; the error says which one, and what a server answers.
    pub fn apply(&self, resource: &Value, options: &Options) -> Result<Value, PatchError> {
        let Value::Object(attributes) = resource else {
            let refusal = Refusal::invalid_syntax("the resource is not an object");
            return Err(PatchError::whole(refusal));
        };
        let (count, limit) = (self.operations.len(), options.max_operations);
        if count == 0 {
            let refusal = Refusal::invalid_syntax("it has no operation");
            return Err(PatchError::whole(refusal));
        }
        if count > limit {
            let refusal = format!("it has {count} operations, and {limit} are allowed");
            return Err(PatchError::whole(Refusal::too_many(refusal)));
        }
        let schemas = options.schemas.clone();
        let schemas = schemas.unwrap_or_else(|| Schemas::of(resource));
        let begin = || Patched {
            resolver: Resolver {
                schemas: &schemas,
                options,
                before: attributes,
            },
            attributes: attributes.clone(),
        };
        // Nothing of the resource itself is touched, so an error leaves nothing half done.
        let mut patched = begin();
        let mut index = 0;
        while let Some(left @ [operation, ..]) = self.operations.get(index..) {
            let wrong = |index: usize, operation: &PatchOperation, refusal| {
                PatchError::at(index, operation.op, operation.path.clone(), refusal)
            };
            let Some((count, path, any)) = removals::at_start_of(left, options.path_limits) else {
                patched
                    .run(operation)
                    .map_err(|refusal| wrong(index, operation, refusal))?;
                index += 1;
                continue;
            };
            if patched.remove_any(&path, &any).is_err() {
                // Which of them it was is known when they are done one by one.
                patched = begin();
                for (index, operation) in self.operations.iter().enumerate() {
                    patched
                        .run(operation)
                        .map_err(|refusal| wrong(index, operation, refusal))?;
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
    /// Removes every element that any of several removals chooses.
    fn remove_any(&mut self, path: &Path, any: &AnyOf) -> Result<(), Refusal> {
        match self.resolver.target(path, &self.attributes)? {
            Target::Attribute {
                extension,
                mut steps,
            } => {
                let chosen = steps.iter_mut().filter_map(|step| step.chosen.as_mut());
                chosen.for_each(|chosen| chosen.by = By::AnyOf(any));
                self.change_attribute(extension.as_deref(), &steps, &Change::Remove)
            }
            Target::Resource | Target::Extension(_) => {
                Err(Refusal::invalid_path("what is removed has no elements"))
            }
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
            Op::Remove => Err(Refusal::no_target("a removal says no path")),
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
                ListedRemoval::Listed => Ok(Change::RemoveListed(value)),
                ListedRemoval::Refuse => Err(Refusal::invalid_value(
                    "a removal has a value, which could be overlooked and everything removed",
                )),
            },
            (Op::Add, Some(value)) => Ok(Change::Add(value)),
            (Op::Replace, Some(value)) => Ok(Change::Replace(value)),
            (Op::Add | Op::Replace, None) => Err(Refusal::invalid_value("it says no value")),
        }
    }

    /// Changes the resource or an extension by an object of attributes, or removes the extension.
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
                return Err(Refusal::mutability("a resource is not removed by a patch"));
            }
            (Change::Add(_) | Change::Replace(_), _) => {
                return Err(Refusal::invalid_value("an object of attributes is needed"));
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

    /// Changes what a name in an object without a path stands for: `title`, `name.givenName`, a URN.
    fn change_named(&mut self, name: &str, is_object: bool, change: Change) -> Result<(), Refusal> {
        let path = match Path::parse_within(name, self.resolver.options.path_limits) {
            Ok(path) => path,
            // Where no schema is known, any name may be one.
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
                // Neither is known, and an extension is likelier than a complex attribute of one.
                self.change_all(Some(name), change)
            }
            Target::Attribute { extension, steps } => {
                self.change_unless_same(extension.as_deref(), &steps, &change)
            }
        }
    }

    /// Changes an attribute, unless it is read-only and has that value: what a client sends back is
    /// overlooked (Okta sends the `id` with every new name of a group).
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

    /// Returns what stands where the steps lead, if they choose no elements.
    fn current(&self, extension: Option<&str>, steps: &[Step<'_>]) -> Value {
        let names = extension
            .into_iter()
            .chain(steps.iter().map(|step| step.name));
        let mut attributes = Some(&self.attributes);
        let mut found = None;
        for name in names {
            found = attributes.and_then(|attributes| names::assigned(attributes, name));
            attributes = found.and_then(Value::as_object);
        }
        found.cloned().unwrap_or_default()
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
        let place = known
            .as_deref()
            .and_then(|name| self.attributes.get_mut(name));
        let mut attributes = match place.map(Value::take) {
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

    /// Puts a URN into `schemas`.
    fn declare(&mut self, urn: &str) {
        if declares(Some(&self.attributes), urn) {
            return;
        }
        let schemas = self.schemas();
        let core = self.resolver.schemas.core().filter(|_| schemas.is_empty());
        let said = core.map(Value::from).into_iter().chain(schemas);
        let schemas: Value = said.chain([urn.into()]).collect();
        self.set_schemas(schemas);
    }

    /// Takes a URN out of `schemas`.
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

    /// Refuses to lose the core schema, and keeps the URN of every extension that is there.
    fn keep_schemas(&mut self, before: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(core) = self.resolver.schemas.core() {
            let lost = declares(Some(before), core) && !declares(Some(&self.attributes), core);
            if lost {
                return Err(Refusal::mutability(format!(
                    "`schemas` must say `{core}`, the core schema"
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

fn is_schemas(step: &Step<'_>) -> bool {
    step.name.eq_ignore_ascii_case(SCHEMAS)
}

const SCHEMAS: &str = "schemas";
