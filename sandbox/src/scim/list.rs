//! Lists: a single page without a cursor, or all pages with cursors.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};

use super::reply::{Answer, Refusal};
use crate::aws::{BadToken, Page, PageRequest, Pages};

/// "The default is 100 and the maximum is 100" (developer guide, `count`).
const MAX_PAGE_SIZE: usize = 100;

/// The query parameters of a list request.
#[derive(Debug)]
pub(super) struct Query {
    /// The filter as the client sent it.
    pub(super) filter: Option<String>,
    count: usize,
    cursor: Option<String>,
}

impl Query {
    /// Reads the query of a request.
    ///
    /// `startIndex`, `attributes` and `excludedAttributes` are not supported and have no effect (developer
    /// guide, `ListUsers`), although Okta sends `startIndex`.
    ///
    /// # Errors
    ///
    /// Returns an error for a `count` that is not a number from 1 to 100.
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let mut query = Self {
            filter: None,
            count: MAX_PAGE_SIZE,
            cursor: None,
        };
        let text = request.uri().query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "filter" => query.filter = Some(value.into_owned()),
                "cursor" => query.cursor = Some(value.into_owned()),
                "count" => match value.parse() {
                    Ok(count) if (1..=MAX_PAGE_SIZE).contains(&count) => query.count = count,
                    _ => return Err(Refusal::invalid()),
                },
                _ => {}
            }
        }
        Ok(query)
    }

    /// Returns the requested page.
    ///
    /// Without a cursor, a client cannot get a second page, and `totalResults` is the number of resources
    /// on the first page. With a cursor, `itemsPerPage` is the requested number, and the response has no
    /// total.
    ///
    /// # Errors
    ///
    /// Returns an error for a cursor of another list or another filter.
    pub(super) fn page<T>(
        &self,
        pages: Pages,
        kind: &str,
        items: impl IntoIterator<Item = (u64, T)>,
        convert: impl FnMut(T) -> Value,
    ) -> Result<Answer, Refusal> {
        let scope = format!("scim {kind} {:?}", self.filter);
        let page_request = PageRequest {
            max: Some(self.count),
            token: self.cursor.clone().filter(|cursor| !cursor.is_empty()),
        };
        let page: Page<Value> = pages
            .paginate(items, &scope, &page_request, MAX_PAGE_SIZE)
            .map_err(|BadToken| Refusal::invalid())?
            .map(convert);
        let number = page.items.len();
        let mut response = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "itemsPerPage": self.count,
            "Resources": page.items,
        });
        match (&self.cursor, page.next) {
            (None, _) => {
                response["totalResults"] = number.into();
                response["itemsPerPage"] = number.into();
                response["startIndex"] = 1.into();
            }
            (Some(_), Some(next)) => response["nextCursor"] = next.into(),
            (Some(_), None) => {}
        }
        Ok(Answer::Ok(response))
    }
}
