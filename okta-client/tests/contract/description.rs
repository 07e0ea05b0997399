//! The `OpenAPI` description of Okta.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The description, with accessors that resolve `$ref`, `allOf` and `oneOf`.
pub(crate) struct Description(Value);

/// The properties of an object schema.
#[derive(Default)]
struct Object<'a> {
    properties: BTreeMap<&'a str, &'a Value>,
    required: BTreeSet<&'a str>,
}

impl Description {
    pub(crate) fn read(yaml: &str) -> Self {
        // The limits protect from hostile input, and this file is larger than they allow.
        let options = serde_saphyr::options! { budget: None };
        Self(serde_saphyr::from_str_with_options(yaml, options).unwrap())
    }

    /// Returns the origin of the contract and the number of operations that Okta describes.
    pub(crate) fn about(&self) -> Value {
        let paths = self.0["paths"].as_object().unwrap();
        let operations = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().keys())
            .filter(|key| METHODS.contains(&key.as_str()))
            .count();
        let info = &self.0["info"];
        json!({
            "title": info["title"],
            "version": info["version"],
            "license": info["license"]["name"],
            "operations": operations,
        })
    }

    /// Returns the facts of an operation, such as `GET /api/v1/apps`, and adds the schemas of its response to `schemas`.
    pub(crate) fn operation(&self, name: &str, schemas: &mut Map<String, Value>) -> Value {
        let (method, path) = name.split_once(' ').unwrap();
        let path = &self.0["paths"][path];
        let operation = &path[method.to_lowercase()];
        assert!(operation.is_object(), "the description has no {name}");
        let mut facts = json!({ "id": operation["operationId"] });
        let parameters = [path, operation]
            .into_iter()
            .flat_map(|place| items(&place["parameters"]));
        let query: Map<String, Value> = parameters
            .map(|parameter| self.resolve(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| {
                let name = parameter["name"].as_str().unwrap().to_owned();
                (name, json!(parameter["required"] == true))
            })
            .collect();
        if !query.is_empty() {
            facts["query"] = query.into();
        }
        let body = self.resolve(&operation["requestBody"]);
        if let Some((kind, media)) = first(&body["content"]) {
            let mut required = Vec::new();
            self.required(&media["schema"], "", &mut required);
            facts["body"] =
                json!({ "type": kind, "optional": body["required"] != true, "required": required });
        }
        let scopes = items(&operation["security"]).flat_map(|scheme| items(&scheme["oauth2"]));
        facts["scopes"] = scopes.cloned().collect();
        let success = operation["responses"].as_object().unwrap().iter();
        let success: Vec<(&String, &Value)> =
            success.filter(|(code, _)| code.starts_with('2')).collect();
        let codes = success
            .iter()
            .map(|(code, _)| json!(code.parse::<u16>().unwrap()));
        facts["success"] = codes.collect();
        for (_, response) in success {
            let content = &self.resolve(response)["content"];
            if let Some((kind, media)) = first(content)
                && kind == "application/json"
            {
                facts["response"] = self.value_type(&media["schema"], schemas);
            }
        }
        facts
    }

    /// Collects the paths of the properties that a request body must have.
    fn required(&self, schema: &Value, prefix: &str, paths: &mut Vec<String>) {
        let mut object = Object::default();
        self.collect(schema, &mut object, &mut BTreeSet::new());
        for name in object.required {
            let Some(schema) = object.properties.get(name) else {
                continue;
            };
            if self.scalar(schema)["readOnly"] == true {
                continue;
            }
            let path = format!("{prefix}/{name}");
            paths.push(path.clone());
            if path.matches('/').count() < DEPTH {
                self.required(schema, &path, paths);
            }
        }
    }

    /// Collects the properties of a schema. A property is required if all alternatives require it.
    fn collect<'a>(
        &'a self,
        schema: &'a Value,
        object: &mut Object<'a>,
        seen: &mut BTreeSet<&'a str>,
    ) {
        if let Some(reference) = schema["$ref"].as_str()
            && !seen.insert(reference)
        {
            return;
        }
        let schema = self.resolve(schema);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            object.properties.insert(name, property);
        }
        let required = items(&schema["required"]).filter_map(Value::as_str);
        object.required.extend(required);
        for part in items(&schema["allOf"]) {
            self.collect(part, object, seen);
        }
        let mut required: Option<BTreeSet<&str>> = None;
        for alternatives in ["oneOf", "anyOf"] {
            for part in items(&schema[alternatives]) {
                let mut alternative = Object::default();
                self.collect(part, &mut alternative, &mut seen.clone());
                for (name, property) in alternative.properties {
                    object.properties.entry(name).or_insert(property);
                }
                required = Some(match required {
                    Some(both) => both.intersection(&alternative.required).copied().collect(),
                    None => alternative.required,
                });
            }
        }
        object.required.extend(required.unwrap_or_default());
    }

    /// Returns the schema that has the type: `allOf` with one part is a reference with a description.
    fn scalar<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let schema = self.resolve(schema);
        match items(&schema["allOf"]).next() {
            Some(part) if schema["type"].is_null() && schema["nullable"].is_null() => {
                self.scalar(part)
            }
            _ => schema,
        }
    }

    pub(super) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').unwrap();
                self.resolve(self.0.pointer(pointer).unwrap())
            }
            None => node,
        }
    }
}

pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn first(content: &Value) -> Option<(&String, &Value)> {
    content.as_object()?.iter().next()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The depth down to which required properties are listed: enough for `/profile/authScheme`.
const DEPTH: usize = 3;
