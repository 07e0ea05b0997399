//! Lists: a single page without a cursor, or a walk with one.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};

use super::reply::{Answer, Refusal};
use crate::aws::{Ask, BadToken, Page, Pages};

/// "The default is 100 and the maximum is 100" (developer guide, `count`).
const MOST: usize = 100;

/// What a request for a list asks for.
#[derive(Debug)]
pub(super) struct Query {
    /// The filter, as it was sent.
    pub(super) filter: Option<String>,
    count: usize,
    cursor: Option<String>,
}

impl Query {
    /// Reads the query of a request.
    ///
    /// `startIndex`, `attributes` and `excludedAttributes` are not supported (developer guide,
    /// `ListUsers`): Okta sends the first of them, and they change nothing.
    ///
    /// # Errors
    ///
    /// For a `count` that is not a number from 1 to 100.
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let mut query = Self {
            filter: None,
            count: MOST,
            cursor: None,
        };
        let text = request.uri().query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "filter" => query.filter = Some(value.into_owned()),
                "cursor" => query.cursor = Some(value.into_owned()),
                "count" => match value.parse() {
                    Ok(count) if (1..=MOST).contains(&count) => query.count = count,
                    _ => return Err(Refusal::invalid()),
                },
                _ => {}
            }
        }
        Ok(query)
    }

    /// The page asked for.
    ///
    /// Without a cursor there is no way to a second page, and `totalResults` is what is on the first.
    /// With one, `itemsPerPage` is what was asked for, and there is no total.
    ///
    /// # Errors
    ///
    /// For a cursor of another list or another filter.
    pub(super) fn page<T>(
        &self,
        pages: Pages,
        kind: &str,
        items: impl IntoIterator<Item = (u64, T)>,
        form: impl FnMut(T) -> Value,
    ) -> Result<Answer, Refusal> {
        let scope = format!("scim {kind} {:?}", self.filter);
        let ask = Ask {
            max: Some(self.count),
            token: self.cursor.clone().filter(|cursor| !cursor.is_empty()),
        };
        let page: Page<Value> = pages
            .cut(items, &scope, &ask, MOST)
            .map_err(|BadToken| Refusal::invalid())?
            .map(form);
        let number = page.items.len();
        let mut answer = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "itemsPerPage": self.count,
            "Resources": page.items,
        });
        match (&self.cursor, page.next) {
            (None, _) => {
                answer["totalResults"] = number.into();
                answer["itemsPerPage"] = number.into();
                answer["startIndex"] = 1.into();
            }
            (Some(_), Some(next)) => answer["nextCursor"] = next.into(),
            (Some(_), None) => {}
        }
        Ok(Answer::Ok(answer))
    }
}
