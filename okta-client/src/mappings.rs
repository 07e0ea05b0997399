//! Profile mappings: the expressions from which Okta computes the attributes of users at apps.

use std::collections::BTreeMap;

use rest_core::{Call, Idempotency, Pager};
use serde_json::json;

use crate::{
    App, Client, Edit, Error, Id,
    json::{Element, resource},
    open_enum::open_enum,
    raw::{escape, members, text},
};

/// Calls for profile mappings. Okta creates and deletes mappings itself.
#[derive(Debug, Clone, Copy)]
pub struct ProfileMappings<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for profile mappings.
    #[must_use]
    pub fn profile_mappings(&self) -> ProfileMappings<'_> {
        ProfileMappings { client: self }
    }
}

impl ProfileMappings<'_> {
    /// Lists the mappings that match `options`. The items have no properties: read them with [`get`](Self::get).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let to_app = ListProfileMappings { target: Some(app.into()), ..ListProfileMappings::default() };
    /// let mappings = okta.profile_mappings().list(to_app).try_collect().await?;
    /// assert_eq!(mappings[0].target_kind.as_deref(), Some("appuser"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.profileMappings.read`.
    pub fn list(&self, options: ListProfileMappings) -> Pager<ProfileMapping, Error> {
        self.client.list(move || {
            let id = |side: &Option<MappingSide>| Some(side.as_ref()?.as_str().to_owned());
            Call::get(MAPPINGS)
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("sourceId", id(&options.source))
                .query_opt("targetId", id(&options.target))
        })
    }

    /// Returns a mapping with its properties.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = mapping(&okta).await?;
    /// let mapping = okta.profile_mappings().get(&id).await?;
    /// assert_eq!(mapping.properties()["displayName"].expression, "user.displayName");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the mapping does not exist.
    ///
    /// Scope: `okta.profileMappings.read`.
    pub async fn get(&self, id: &Id<ProfileMapping>) -> Result<ProfileMapping, Error> {
        self.client.read(Call::get(path(id))).await
    }

    /// Adds, changes and removes the properties that `edit` contains, and no others. Start with [`Edit::new`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = mapping(&okta).await?;
    /// let mut edit = Edit::new();
    /// let expression = "user.firstName + \" \" + user.lastName";
    /// edit.set_property("displayName", expression, &PropertyPush::Push);
    /// let mapping = okta.profile_mappings().update(&id, &edit).await?;
    /// assert_eq!(mapping.properties()["displayName"].expression, expression);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the mapping does not exist, or if Okta rejects an expression.
    ///
    /// Scope: `okta.profileMappings.manage`.
    pub async fn update(
        &self,
        id: &Id<ProfileMapping>,
        edit: &Edit<ProfileMapping>,
    ) -> Result<ProfileMapping, Error> {
        let call = Call::post(path(id))
            .json(edit)
            .with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }
}

/// Options of [`ProfileMappings::list`].
///
/// Fields may be added: end with `..ListProfileMappings::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListProfileMappings {
    /// The side whose attributes the expressions use.
    pub source: Option<MappingSide>,
    /// The side whose attributes are computed.
    pub target: Option<MappingSide>,
    /// Number of mappings per page (default: 200, Okta's maximum).
    pub limit: Option<u32>,
}

/// One side of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappingSide {
    /// The users of an app.
    App(Id<App>),
    /// The Okta users of a type.
    UserType(Id<UserType>),
}

impl MappingSide {
    fn as_str(&self) -> &str {
        match self {
            Self::App(id) => id.as_str(),
            Self::UserType(id) => id.as_str(),
        }
    }
}

impl From<Id<App>> for MappingSide {
    fn from(id: Id<App>) -> Self {
        Self::App(id)
    }
}

impl From<Id<UserType>> for MappingSide {
    fn from(id: Id<UserType>) -> Self {
        Self::UserType(id)
    }
}

/// A type of Okta users, for ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserType {}

resource! {
    /// A profile mapping.
    resource ProfileMapping {
        /// The id.
        pub id: Id<ProfileMapping> = "/id",
        /// The id of the source: an app or a user type.
        pub source_id: Option<String> = "/source/id",
        /// The kind of the source, such as `user` or `appuser`.
        pub source_kind: Option<String> = "/source/type",
        /// The id of the target: an app or a user type.
        pub target_id: Option<String> = "/target/id",
        /// The kind of the target, such as `user` or `appuser`.
        pub target_kind: Option<String> = "/target/type",
        properties: Properties = "/properties",
    }
}

impl ProfileMapping {
    /// Returns the expressions by the target's attributes.
    #[must_use]
    pub fn properties(&self) -> &BTreeMap<String, PropertyMapping> {
        &self.properties.0
    }
}

resource! {
    /// The expression of one attribute.
    part PropertyMapping {
        /// The expression in Okta's expression language, such as `user.firstName`.
        pub expression: String = "/expression",
        /// Whether later changes reach the target.
        pub push_status: PropertyPush = "/pushStatus",
    }
}

open_enum! {
    /// Whether later changes of an attribute reach the target.
    PropertyPush {
        /// The attribute is set when the user is created, and updated later.
        Push = "PUSH",
        /// The attribute is only set when the user is created.
        DontPush = "DONT_PUSH",
    }
}

impl Edit<ProfileMapping> {
    /// Sets the expression of an attribute of the target.
    pub fn set_property(&mut self, attribute: &str, expression: &str, push: &PropertyPush) {
        let value = json!({ "expression": expression, "pushStatus": push.as_str() });
        self.put(
            &format!("/properties/{}", escape(attribute)),
            value.to_string(),
        );
    }

    /// Removes the expression of an attribute of the target.
    pub fn remove_property(&mut self, attribute: &str) {
        self.put(
            &format!("/properties/{}", escape(attribute)),
            "null".to_owned(),
        );
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Properties(BTreeMap<String, PropertyMapping>);

impl Element for Properties {
    fn element(raw: &serde_json::value::RawValue) -> Option<Self> {
        let property = |(key, value): (&_, &_)| {
            let key: &serde_json::value::RawValue = key;
            Some((
                text(key.get())?.into_owned(),
                PropertyMapping::element(value)?,
            ))
        };
        Some(Self(
            members(raw.get())?
                .into_iter()
                .filter_map(property)
                .collect(),
        ))
    }

    fn absent() -> Option<Self> {
        Some(Self(BTreeMap::new()))
    }
}

fn path(id: &Id<ProfileMapping>) -> [&str; 4] {
    let [api, version, mappings] = MAPPINGS;
    [api, version, mappings, id.as_str()]
}

const MAPPINGS: [&str; 3] = ["api", "v1", "mappings"];
const PAGE: u32 = 200;
