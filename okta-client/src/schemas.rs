//! Schemas: the attributes of Okta users, and of the users of an app.

use rest_core::{Call, Idempotency};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    App, Client, Edit, EditError, Error, Id, Raw,
    json::{Element, paths, resource},
    raw::{escape, members, text},
};

/// Calls for schemas.
#[derive(Debug, Clone, Copy)]
pub struct Schemas<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for schemas.
    #[must_use]
    pub fn schemas(&self) -> Schemas<'_> {
        Schemas { client: self }
    }
}

impl Schemas<'_> {
    /// Returns the schema of the default type of Okta users.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let schema = okta.schemas().user().await?;
    /// let required = schema.attributes().into_iter().filter(|attribute| attribute.required);
    /// assert!(required.map(|attribute| attribute.name).any(|name| name == "login"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.schemas.read`.
    pub async fn user(&self) -> Result<Schema, Error> {
        self.client.read(Call::get(USER)).await
    }

    /// Adds, changes and removes the attributes of Okta users that `edit` contains, and no others. Start with
    /// [`Edit::new`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut edit = Edit::new();
    /// edit.set_custom_attribute("badge", serde_json::json!({ "title": "Badge", "type": "string" }))?;
    /// let schema = okta.schemas().update_user(&edit).await?;
    /// assert!(schema.attribute("badge").is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects an attribute.
    ///
    /// Scope: `okta.schemas.manage`.
    pub async fn update_user(&self, edit: &Edit<Schema>) -> Result<Schema, Error> {
        self.update(USER, edit).await
    }

    /// Returns the schema of the users of an app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let schema = okta.schemas().app_user(&app).await?;
    /// assert!(schema.attribute("displayName").is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.schemas.read`.
    pub async fn app_user(&self, app: &Id<App>) -> Result<Schema, Error> {
        self.client.read(Call::get(app_path(app))).await
    }

    /// Adds, changes and removes the attributes of an app's users that `edit` contains, and no others. Start with
    /// [`Edit::new`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let mut edit = Edit::new();
    /// let role = serde_json::json!({ "title": "Role", "type": "string", "scope": "NONE" });
    /// edit.set_custom_attribute("role", role)?;
    /// edit.remove_custom_attribute("oldRole");
    /// let schema = okta.schemas().update_app_user(&app, &edit).await?;
    /// assert!(schema.attribute("role").is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects an attribute.
    ///
    /// Scope: `okta.schemas.manage`.
    pub async fn update_app_user(
        &self,
        app: &Id<App>,
        edit: &Edit<Schema>,
    ) -> Result<Schema, Error> {
        self.update(app_path(app), edit).await
    }

    async fn update(
        &self,
        path: impl IntoIterator<Item = impl Into<String>>,
        edit: &Edit<Schema>,
    ) -> Result<Schema, Error> {
        let call = Call::post(path)
            .json(edit)
            .with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }
}

resource! {
    /// A schema (JSON Schema, draft 4). [`attributes`](Self::attributes) has its main content.
    resource Schema {
        /// The id, which is a URL.
        pub id: Option<String> = "/id",
        /// The name.
        pub name: Option<String> = "/name",
        /// The title.
        pub title: Option<String> = "/title",
        /// Time of the last change, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
        base: Attributes = "/definitions/base/properties",
        custom: Attributes = "/definitions/custom/properties",
    }
}

impl Schema {
    /// Returns the attributes: first the base attributes, then the custom ones.
    #[must_use]
    pub fn attributes(&self) -> Vec<SchemaAttribute> {
        let custom = self
            .custom
            .0
            .iter()
            .cloned()
            .map(|attribute| SchemaAttribute {
                is_custom: true,
                ..attribute
            });
        self.base.0.iter().cloned().chain(custom).collect()
    }
}

/// An attribute of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaAttribute {
    /// The name in profiles.
    pub name: String,
    /// The title.
    pub title: Option<String>,
    /// The type, such as `string`, `boolean`, `integer` or `array`.
    pub kind: Option<String>,
    /// The permission to change the attribute, such as `READ_WRITE`.
    pub mutability: Option<String>,
    /// Whether each user needs a value.
    pub required: bool,
    /// Whether values must be unique: `UNIQUE_VALIDATED`, `NOT_UNIQUE`.
    pub unique: Option<String>,
    /// The name at the app, if it differs.
    pub external_name: Option<String>,
    /// Whether an admin added the attribute.
    pub is_custom: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attributes(Vec<SchemaAttribute>);

impl Element for Attributes {
    fn element(raw: &RawValue) -> Option<Self> {
        let attribute = |(key, value): (&RawValue, &RawValue)| {
            let paths = paths![
                "/title",
                "/type",
                "/mutability",
                "/unique",
                "/externalName",
                "/required",
            ];
            let found = paths.scan(value.get());
            let [title, kind, mutability, unique, external_name, required] = found;
            let text_of = |found: Option<&RawValue>| found.and_then(String::element);
            Some(SchemaAttribute {
                name: text(key.get())?.into_owned(),
                title: text_of(title),
                kind: text_of(kind),
                mutability: text_of(mutability),
                required: required.and_then(bool::element).unwrap_or_default(),
                unique: text_of(unique),
                external_name: text_of(external_name),
                is_custom: false,
            })
        };
        Some(Self(
            members(raw.get())?
                .into_iter()
                .filter_map(attribute)
                .collect(),
        ))
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

impl Edit<Schema> {
    /// Sets a custom attribute. The value is its JSON schema, such as `{"title": "Role", "type": "string"}`.
    ///
    /// # Errors
    ///
    /// Fails if `schema` cannot be serialized.
    pub fn set_custom_attribute(
        &mut self,
        name: &str,
        schema: impl Serialize,
    ) -> Result<&mut Self, EditError> {
        self.prepare();
        self.set(&custom(name), schema)
    }

    /// Removes a custom attribute. Okta deletes its values.
    pub fn remove_custom_attribute(&mut self, name: &str) {
        self.prepare();
        self.put(&custom(name), "null".to_owned());
    }

    fn prepare(&mut self) {
        self.set_text("/definitions/custom/id", "#custom");
        self.set_text("/definitions/custom/type", "object");
    }
}

impl Schema {
    /// Returns the JSON text of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Raw> {
        let base = format!("/definitions/base/properties/{}", escape(name));
        self.raw.get(&custom(name)).or_else(|| self.raw.get(&base))
    }
}

fn custom(name: &str) -> String {
    format!("/definitions/custom/properties/{}", escape(name))
}

fn app_path(app: &Id<App>) -> [&str; 7] {
    [
        "api",
        "v1",
        "meta",
        "schemas",
        "apps",
        app.as_str(),
        "default",
    ]
}

const USER: [&str; 6] = ["api", "v1", "meta", "schemas", "user", "default"];
