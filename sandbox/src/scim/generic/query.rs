//! Query parameters of lists, and the selection of the returned attributes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    filter::{Filter, Scope, Target, target},
    reply::Refusal,
    schema::{Attribute, Resource, Returned, empty_object},
};

/// The maximum number of resources on a page.
pub(super) const MAX_PAGE_SIZE: usize = 100;
/// The lifetime of a cursor, in seconds.
pub(super) const CURSOR_SECONDS: i64 = 3600;

/// The query parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Option<String>,
    pub(super) count: Option<i64>,
    pub(super) start: Option<i64>,
    pub(super) cursor: Option<String>,
    show: Option<Vec<String>>,
    hide: Vec<String>,
}

impl Query {
    /// Reads the query of a URL.
    pub(super) fn of_url(text: &str) -> Result<Self, Refusal> {
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
                "count" => query.count = Some(number("count", &value)?),
                "startIndex" => query.start = Some(number("startIndex", &value)?),
                "cursor" => query.cursor = Some(value.into_owned()),
                "attributes" => query.show = Some(names()),
                "excludedAttributes" => query.hide = names(),
                _ => {}
            }
        }
        Ok(query)
    }

    /// Reads the body of a search (RFC 7644 section 3.4.3).
    pub(super) fn of_body(body: &Map<String, Value>) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| body.get(name).and_then(Value::as_i64);
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
    pub(super) fn filter(&self, resource: Resource) -> Result<Option<Filter>, Refusal> {
        let scope = Scope::Resource(resource);
        self.filter
            .as_deref()
            .map(|text| Filter::read(text, scope))
            .transpose()
    }

    pub(super) fn count(&self) -> usize {
        // "A negative value SHALL be interpreted as 0" (RFC 7644 section 3.4.2.4).
        self.count
            .map_or(MAX_PAGE_SIZE, |count| usize::try_from(count).unwrap_or(0))
            .min(MAX_PAGE_SIZE)
    }

    /// Returns the index of the page's first resource; indexes start at 1, and a lower index counts as 1.
    pub(super) fn start(&self) -> usize {
        self.start
            .and_then(|start| usize::try_from(start).ok())
            .unwrap_or(1)
            .max(1)
    }

    /// Returns the requested attributes of a resource (RFC 7644 section 3.9).
    pub(super) fn part(
        &self,
        resource: Resource,
        whole: &Map<String, Value>,
    ) -> Result<Value, Refusal> {
        if self.show.is_some() && !self.hide.is_empty() {
            return Err(Refusal::value(
                "`attributes` and `excludedAttributes` cannot be combined",
            ));
        }
        let read = |names: &[String]| -> Vec<Target> {
            let scope = Scope::Resource(resource);
            names
                .iter()
                .filter_map(|name| target(name, scope).ok())
                .collect()
        };
        let has_extension =
            |names: &[String], urn: &str| names.iter().any(|name| name.eq_ignore_ascii_case(urn));
        let (show, hide) = (self.show.as_deref().map(read), read(&self.hide));
        let mut part = empty_object();
        for (name, value) in whole {
            let extension = super::document::extension(resource, name);
            let kept = match extension {
                Some(extension) => {
                    let all = match &self.show {
                        None => !has_extension(&self.hide, extension.urn),
                        Some(names) => has_extension(names, extension.urn),
                    };
                    let object = value.as_object().cloned().unwrap_or_default();
                    let mut kept = empty_object();
                    for (name, value) in &object {
                        let Some(attribute) = super::schema::named(extension.attributes, name)
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
                None => resource
                    .attribute(name)
                    .and_then(|attribute| project(None, attribute, value, show.as_deref(), &hide)),
            };
            if let Some(kept) = kept {
                part.insert(name.clone(), kept);
            }
        }
        Ok(part.into())
    }

    /// Returns a cursor to the resource at a position; the cursor is valid only for this list.
    pub(super) fn cursor_to(&self, position: u64, endpoint: &str, now: Timestamp) -> String {
        let text = format!(
            "{position} {} {}",
            now.as_second(),
            self.fingerprint(endpoint)
        );
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Returns the position that a cursor contains.
    pub(super) fn position(
        &self,
        cursor: &str,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<u64, Refusal> {
        let invalid = || Refusal::bad("invalidCursor", "the cursor does not belong to this list");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_error| invalid())?;
        let text = String::from_utf8(bytes).map_err(|_error| invalid())?;
        let mut parts = text.split(' ');
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let (Some(position), Some(issued)) = (number(), number()) else {
            return Err(invalid());
        };
        if parts.next() != Some(&self.fingerprint(endpoint)) {
            return Err(invalid());
        }
        if now.as_second() - issued > CURSOR_SECONDS {
            return Err(Refusal::bad("expiredCursor", "the cursor has expired"));
        }
        u64::try_from(position).map_err(|_error| invalid())
    }

    /// Returns the fingerprint of a list: the requests for all of its pages have to use the same filter and
    /// attributes (RFC 9865 section 2).
    fn fingerprint(&self, endpoint: &str) -> String {
        let text = format!(
            "{endpoint} {:?} {:?} {:?}",
            self.filter, self.show, self.hide
        );
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9])
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

fn number(name: &str, text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_error| {
        let kind = if name == "count" {
            "invalidCount"
        } else {
            "invalidValue"
        };
        Refusal::bad(kind, format!("`{name}` must be a number"))
    })
}
