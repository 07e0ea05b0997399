//! Query parameters of lists, and the selection of the returned attributes.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    filter::{Filter, Scope, Target, target},
    profile::{Paging, Profile, ResourceType},
    reply::Refusal,
    schema::{Attribute, Returned},
};
use crate::paging;

/// The query parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Option<String>,
    pub(super) cursor: Option<String>,
    count: Option<Value>,
    start: Option<Value>,
    show: Option<Vec<String>>,
    hide: Vec<String>,
}

impl Query {
    /// Reads the query of a URL. Parameters that the service does not support have no effect.
    pub(super) fn of_url(profile: &Profile, text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let names = || {
                value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect()
            };
            match name.as_ref() {
                "filter" => query.filter = Some(value.into_owned()),
                "count" => query.count = Some(number_or_text(&value)),
                "startIndex" => query.start = Some(number_or_text(&value)),
                "cursor" => query.cursor = Some(value.into_owned()),
                "attributes" if profile.projection => query.show = Some(names()),
                "excludedAttributes" if profile.projection => query.hide = names(),
                _ => {}
            }
        }
        query
    }

    /// Reads the body of a search (RFC 7644 section 3.4.3).
    pub(super) fn of_body(body: &Map<String, Value>) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| body.get(name).cloned();
        let names = |name: &str| -> Option<Vec<String>> {
            let names = body.get(name)?.as_array()?;
            Some(
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            )
        };
        Self {
            filter: text("filter"),
            count: number("count"),
            start: number("startIndex"),
            cursor: text("cursor"),
            show: names("attributes"),
            hide: names("excludedAttributes").unwrap_or_default(),
        }
    }

    /// Parses the filter for a resource type.
    pub(super) fn filter(&self, resource_type: ResourceType) -> Result<Option<Filter>, Refusal> {
        self.filter
            .as_deref()
            .map(|text| Filter::read(text, resource_type))
            .transpose()
    }

    /// Returns the page size.
    pub(super) fn count(&self, paging: Paging) -> Result<usize, Refusal> {
        let Some(count) = number("count", self.count.as_ref())? else {
            return Ok(paging.max);
        };
        // "A negative value SHALL be interpreted as 0" (RFC 7644 section 3.4.2.4).
        let size = usize::try_from(count).unwrap_or(0);
        if paging.strict_count && !(1..=paging.max).contains(&size) {
            return Err(Refusal::bad("invalidCount", "`count` is out of range"));
        }
        Ok(size.min(paging.max))
    }

    /// Returns the index of the page's first resource; indexes start at 1, and a lower index counts as 1.
    pub(super) fn start(&self, paging: Paging) -> Result<usize, Refusal> {
        if !paging.index {
            return Ok(1);
        }
        let start = number("startIndex", self.start.as_ref())?;
        Ok(start
            .and_then(|start| usize::try_from(start).ok())
            .unwrap_or(1)
            .max(1))
    }

    /// Returns the requested attributes of a resource (RFC 7644 section 3.9).
    pub(super) fn part(
        &self,
        resource_type: ResourceType,
        whole: &Map<String, Value>,
    ) -> Result<Value, Refusal> {
        if self.show.is_some() && !self.hide.is_empty() {
            return Err(Refusal::value(
                "`attributes` and `excludedAttributes` cannot be combined",
            ));
        }
        let read = |names: &[String]| -> Vec<Target> {
            let scope = Scope::Resource(resource_type);
            names
                .iter()
                .filter_map(|name| target(name, scope).ok())
                .collect()
        };
        let has_extension =
            |names: &[String], urn: &str| names.iter().any(|name| name.eq_ignore_ascii_case(urn));
        let (show, hide) = (self.show.as_deref().map(read), read(&self.hide));
        let mut part = Map::new();
        for (name, value) in whole {
            let extension = resource_type.extension(name);
            let kept = match extension {
                Some(extension) => {
                    let all = match &self.show {
                        None => !has_extension(&self.hide, extension.urn),
                        Some(names) => has_extension(names, extension.urn),
                    };
                    let object = value.as_object().cloned().unwrap_or_default();
                    let mut kept = Map::new();
                    for (name, value) in &object {
                        let Some(attribute) = resource_type.named(extension.attributes, name)
                        else {
                            continue;
                        };
                        let selected = if all && show.is_some() {
                            None
                        } else {
                            show.as_deref()
                        };
                        if let Some(value) =
                            project(Some(extension.urn), attribute, value, selected, &hide)
                            && (all || self.show.is_some())
                        {
                            kept.insert(name.clone(), value);
                        }
                    }
                    (!kept.is_empty()).then(|| kept.into())
                }
                None => resource_type
                    .attribute(name)
                    .and_then(|attribute| project(None, attribute, value, show.as_deref(), &hide)),
            };
            if let Some(kept) = kept {
                part.insert(name.clone(), kept);
            }
        }
        Ok(part.into())
    }

    /// Returns a cursor to the resources after a position; the cursor is valid only for this list.
    pub(super) fn cursor_after(&self, position: u64, endpoint: &str, now: Timestamp) -> String {
        let content = format!("{position} {}", now.as_second());
        paging::seal(&content, &self.scope(endpoint))
    }

    /// Returns the position that the cursor contains; `None` for the first page.
    pub(super) fn position(
        &self,
        endpoint: &str,
        paging: Paging,
        now: Timestamp,
    ) -> Result<Option<u64>, Refusal> {
        let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) else {
            return Ok(None);
        };
        let content = paging::open(cursor, &self.scope(endpoint));
        let content = content.as_deref().and_then(|content| {
            let (position, issued) = content.split_once(' ')?;
            Some((position.parse().ok()?, issued.parse::<i64>().ok()?))
        });
        let Some((position, issued)) = content else {
            return Err(Refusal::bad(
                "invalidCursor",
                "the cursor does not belong to this list",
            ));
        };
        let age = now.as_second() - issued;
        if paging.cursor_seconds.is_some_and(|limit| age > limit) {
            return Err(Refusal::bad("expiredCursor", "the cursor has expired"));
        }
        Ok(Some(position))
    }

    /// Returns the scope of a cursor: the requests for all pages of a list have to use the same filter and
    /// attributes (RFC 9865 section 2).
    fn scope(&self, endpoint: &str) -> String {
        format!(
            "scim {endpoint} {:?} {:?} {:?}",
            self.filter, self.show, self.hide
        )
    }
}

/// Returns the requested part of an attribute's value.
fn project(
    holder: Option<&str>,
    attribute: &Attribute,
    value: &Value,
    show: Option<&[Target]>,
    hide: &[Target],
) -> Option<Value> {
    if attribute.returned == Returned::Never {
        return None;
    }
    if attribute.returned == Returned::Always {
        return Some(value.clone());
    }
    let about =
        |target: &&Target| target.holder == holder && target.attribute.name == attribute.name;
    let inner = |targets: &[Target]| -> Vec<&'static str> {
        targets
            .iter()
            .filter(about)
            .filter_map(|target| target.sub_attribute)
            .map(|inner| inner.name)
            .collect()
    };
    let whole = |targets: &[Target]| {
        targets
            .iter()
            .filter(about)
            .any(|target| target.sub_attribute.is_none())
    };
    match show {
        Some(show) if whole(show) => Some(value.clone()),
        Some(show) => {
            let names = inner(show);
            (!names.is_empty()).then(|| filter_members(value, |name| names.contains(&name)))
        }
        None if whole(hide) => None,
        None => {
            let names = inner(hide);
            Some(filter_members(value, |name| !names.contains(&name)))
        }
    }
}

fn filter_members(value: &Value, wanted: impl Fn(&str) -> bool + Copy) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| filter_members(item, wanted))
            .collect(),
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| wanted(name));
            kept.map(|(name, value)| (name.clone(), value.clone()))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value.clone(),
    }
}

fn number_or_text(text: &str) -> Value {
    text.parse::<i64>()
        .map_or_else(|_error| text.into(), Value::from)
}

fn number(name: &str, value: Option<&Value>) -> Result<Option<i64>, Refusal> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let kind = if name == "count" {
        "invalidCount"
    } else {
        "invalidValue"
    };
    value
        .as_i64()
        .map(Some)
        .ok_or_else(|| Refusal::bad(kind, format!("`{name}` must be a number")))
}
