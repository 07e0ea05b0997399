//! `/api/v1/mappings`: the mappings between the profiles of Okta's users and of an application's users.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Org,
    apps::App,
    expression::{Context, Expression},
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    users::{DEFAULT_SCHEMA, DEFAULT_TYPE, User},
};
use crate::user_attributes::OPTIONAL;

/// One mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    id: String,
    app: String,
    direction: Direction,
    properties: BTreeMap<String, Property>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// From the user of Okta to the user of the application.
    ToApp,
    FromApp,
}

/// The expression of one target attribute.
#[derive(Clone, Debug)]
struct Property {
    text: String,
    expression: Expression,
    /// Whether the attribute is also sent when a user is updated, and not only when it is created.
    push: bool,
}

/// The attributes of the user of Okta.
struct Source<'a>(&'a User);

impl Context for Source<'_> {
    fn attribute(&self, object: &str, name: &str) -> Value {
        let name = match name {
            "userName" => "login",
            name => name,
        };
        let value = self.0.attribute(name);
        value
            .filter(|_| ["user", "source"].contains(&object))
            .into()
    }

    fn is_member(&self, _: &dyn Fn(&str, &str) -> bool) -> bool {
        false
    }
}

impl Mapping {
    fn document(&self, app: &App, host: &str) -> Value {
        let mut document = self.summary(app, host);
        let properties = self.properties.iter().map(|(name, property)| {
            let status = if property.push { "PUSH" } else { "DONT_PUSH" };
            let value = json!({ "expression": property.text, "pushStatus": status });
            (name.clone(), value)
        });
        document["properties"] = properties.collect::<Map<_, _>>().into();
        document
    }

    /// Returns the document of a list, which has no properties.
    fn summary(&self, app: &App, host: &str) -> Value {
        let api = format!("http://{host}/api/v1");
        let user = json!({
            "id": DEFAULT_TYPE,
            "name": "user",
            "type": "user",
            "_links": {
                "self": { "href": format!("{api}/meta/types/user/{DEFAULT_TYPE}") },
                "schema": { "href": format!("{api}/meta/schemas/user/{DEFAULT_SCHEMA}") },
            },
        });
        let app_user = json!({
            "id": app.id,
            "name": app.name,
            "type": "appuser",
            "_links": {
                "self": { "href": format!("{api}/apps/{}", app.id) },
                "schema": { "href": format!("{api}/meta/schemas/apps/{}/default", app.id) },
            },
        });
        let (source, target) = match self.direction {
            Direction::ToApp => (user, app_user),
            Direction::FromApp => (app_user, user),
        };
        json!({
            "id": self.id,
            "source": source,
            "target": target,
            "_links": { "self": { "href": format!("{api}/mappings/{}", self.id) } },
        })
    }

    fn ids(&self) -> (&str, &str) {
        match self.direction {
            Direction::ToApp => (DEFAULT_TYPE, &self.app),
            Direction::FromApp => (&self.app, DEFAULT_TYPE),
        }
    }
}

impl Org {
    pub(super) fn mappings_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_mappings(call),
            (&Method::GET, [id]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.mapping_document(call, id)?))
            }
            (&Method::POST, [id]) => self.update_mapping(call, id),
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn mapping_document(&self, call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
        let mapping = self.mappings.get(id);
        let mapping = mapping.ok_or_else(|| Refusal::not_found(id, "ProfileMapping"))?;
        Ok(mapping.document(self.app(&mapping.app)?, &call.host))
    }

    fn list_mappings(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["sourceId", "targetId", "limit", "after"])?;
        let (source, target) = (call.parameter("sourceId"), call.parameter("targetId"));
        let wanted = |mapping: &Mapping| {
            let ids = mapping.ids();
            source.is_none_or(|id| ids.0 == id) && target.is_none_or(|id| ids.1 == id)
        };
        let found = |after: After<'_>| {
            let mappings = self.mappings.range::<str, _>(after);
            let mappings = mappings.filter(|(_, mapping)| wanted(mapping));
            mappings.filter_map(|(id, mapping)| Some((id, (mapping, self.apps.get(&mapping.app)?))))
        };
        let sizes = PageSizes::new(20, 200);
        page(call, sizes, self.page_size, found, |(mapping, app)| {
            mapping.summary(app, &call.host)
        })
    }

    /// Adds, changes and removes properties. A property that is null is removed, and others stay.
    fn update_mapping(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let mapping = self.mappings.get(id);
        let mapping = mapping.ok_or_else(|| Refusal::not_found(id, "ProfileMapping"))?;
        let Some(Value::Object(sent)) = body.get("properties") else {
            return Err(Refusal::blank("properties"));
        };
        let of_app = &self.app(&mapping.app)?.user_schema;
        // Source: "Modify attributes with expressions", which names the objects of each direction.
        let (source, objects, schema) = match mapping.direction {
            Direction::ToApp => (&self.user_schema, ["user", "source"], of_app),
            Direction::FromApp => (of_app, ["appuser", "source"], &self.user_schema),
        };
        let mut properties = mapping.properties.clone();
        for (name, value) in sent {
            if value.is_null() {
                properties.remove(name);
                continue;
            }
            if schema.property(name).is_none() {
                let cause = format!("{name}: The attribute is not in the schema of the target");
                return Err(Refusal::invalid("properties", cause));
            }
            let property = read_property(value, properties.get(name))?;
            let attributes = property.expression.attributes();
            let is_known = |(object, name): &(&str, &str)| {
                objects.contains(object) && source.property(name).is_some()
            };
            if let Some((object, name)) = attributes.iter().find(|used| !is_known(used)) {
                let cause =
                    format!("expression: Invalid property {name} in expression for {object}");
                return Err(Refusal::invalid("expression", cause));
            }
            properties.insert(name.clone(), property);
        }
        if let Some(mapping) = self.mappings.get_mut(id) {
            mapping.properties = properties;
        }
        Ok(Reply::ok(self.mapping_document(call, id)?))
    }

    /// Adds the two mappings of a new application.
    pub(super) fn add_mappings(&mut self, app: &str) {
        let display_name = self.display_name_mapping.clone();
        let names = ["firstName", "lastName", "email"].map(|name| (name, name));
        let optional = OPTIONAL.iter();
        let optional = optional.map(|attribute| (attribute.app, attribute.okta));
        let mut to_app: Vec<(&str, String)> = names
            .into_iter()
            .chain(optional)
            .map(|(app, okta)| (app, format!("user.{okta}")))
            .collect();
        to_app.extend(display_name.map(|text| ("displayName", text)));
        for direction in [Direction::ToApp, Direction::FromApp] {
            let properties = match direction {
                Direction::ToApp => to_app.as_slice(),
                Direction::FromApp => &[],
            };
            let properties = properties.iter().filter_map(|(name, text)| {
                let property = Property {
                    text: text.clone(),
                    expression: Expression::parse(text).ok()?,
                    push: true,
                };
                Some(((*name).to_owned(), property))
            });
            let mapping = Mapping {
                id: self.ids.id("prm"),
                app: app.to_owned(),
                direction,
                properties: properties.collect(),
            };
            self.mappings.insert(mapping.id.clone(), mapping);
        }
    }

    /// Returns the expressions of the mapping to an application, by attribute.
    pub(super) fn mapped_properties(&self, app: &str) -> Value {
        let properties = self.properties_to(app);
        let texts = properties.map(|(name, property)| (name.clone(), property.text.clone().into()));
        Value::Object(texts.collect())
    }

    /// Returns whether the mapping to an application sets this attribute.
    pub(super) fn is_mapped(&self, app: &str, name: &str) -> bool {
        self.properties_to(app).any(|(mapped, _)| mapped == name)
    }

    pub(super) fn remove_mappings(&mut self, app: &str) {
        self.mappings.retain(|_, mapping| mapping.app != app);
    }

    /// Returns the properties of the mapping to an application.
    fn properties_to(&self, app: &str) -> impl Iterator<Item = (&String, &Property)> {
        let mappings = self.mappings.values();
        let to_app = mappings
            .filter(move |mapping| mapping.app == app && mapping.direction == Direction::ToApp);
        to_app.flat_map(|mapping| &mapping.properties)
    }

    /// Returns the attributes that a user has at an application, with `true` if updates send them.
    pub(crate) fn mapped_profile(&self, app: &str, user: &User) -> BTreeMap<&str, (Value, bool)> {
        self.properties_to(app)
            .map(|(name, property)| {
                let value = property.expression.evaluate(&Source(user));
                (name.as_str(), (value, property.push))
            })
            .collect()
    }
}

fn read_property(sent: &Value, old: Option<&Property>) -> Result<Property, Refusal> {
    let push = match sent["pushStatus"].as_str() {
        Some("PUSH") => true,
        Some("DONT_PUSH") => false,
        Some(_) => return Err(Refusal::not_allowed("pushStatus")),
        None => old.is_none_or(|old| old.push),
    };
    match (sent["expression"].as_str(), old) {
        (Some(text), _) => Ok(Property {
            text: text.to_owned(),
            expression: Expression::parse(text)
                .map_err(|cause| Refusal::invalid("expression", format!("expression: {cause}")))?,
            push,
        }),
        (None, Some(old)) => Ok(Property {
            push,
            ..old.clone()
        }),
        (None, None) => Err(Refusal::blank("expression")),
    }
}

/// Returns the name that a template of user names gives to a user.
pub(super) fn user_name(template: &str, user: &User) -> Option<String> {
    Expression::parse_template(template)
        .ok()?
        .text(&Source(user))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::company::Person;

    #[track_caller]
    fn check(template: &str, expected: Option<&str>) {
        let mut person = Person::new("Ada.Lovelace@example.com", "Ada", "Lovelace");
        "Ada@Example.com".clone_into(&mut person.email);
        let user = User::new("00u1".to_owned(), &person, Timestamp::UNIX_EPOCH);
        assert_eq!(user_name(template, &user).as_deref(), expected);
    }

    #[test]
    fn a_user_name_is_the_result_of_the_template() {
        check("${source.login}", Some("Ada.Lovelace@example.com"));
        check("${fn:toLowerCase(source.email)}", Some("ada@example.com"));
        check(
            r#"${fn:substringBefore(source.login, "@")}"#,
            Some("Ada.Lovelace"),
        );
        check("user.email", Some("Ada@Example.com"));
    }

    #[test]
    fn an_unsupported_template_gives_no_user_name() {
        check("${fn:reverse(source.login)}", None);
        check("${source.nickName}", None);
        check("ada", None);
    }
}
