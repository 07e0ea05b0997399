//! Pagination with `limit`, opaque `after` cursors and `Link` headers.

use serde_json::Value;

use super::{
    query::Call,
    reply::{Refusal, Reply},
};
use crate::paging;

/// The page sizes of a list: the minimum, the default and the maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSizes {
    pub(super) min: usize,
    pub(super) default: usize,
    pub(super) max: usize,
}

impl PageSizes {
    pub(super) const fn new(default: usize, max: usize) -> Self {
        Self {
            min: 1,
            default,
            max,
        }
    }
}

/// Returns one page of `items` with its links. The items must be in the order of their keys.
///
/// A cursor contains the last key of the previous page, so the list may change between two pages.
/// `max_size` limits the page size, in addition to the request's limit.
pub(super) fn page<'a, T>(
    call: &Call<'_>,
    sizes: PageSizes,
    max_size: Option<usize>,
    items: impl Iterator<Item = (&'a str, T)>,
    document: impl FnMut(T) -> Value,
) -> Result<Reply, Refusal> {
    let limit = limit(call, sizes)?;
    let size = max_size.map_or(limit, |max_size| limit.min(max_size.max(1)));
    let after = match call.parameter("after") {
        None => None,
        // A cursor of another list does not open.
        Some(cursor) => Some(
            paging::open(cursor, call.path)
                .ok_or_else(|| Refusal::invalid("after", "after: The cursor is not valid"))?,
        ),
    };
    let is_before = |key: &&str| after.as_deref().is_some_and(|after| *key <= after);
    let page = paging::slice(items, is_before, size);
    let mut reply = Reply::ok(page.items.into_iter().map(document).collect::<Value>());
    reply
        .links
        .push(("self", page_url(call, call.parameter("after"))));
    if let Some(last) = page.last {
        let cursor = paging::seal(last, call.path);
        reply.links.push(("next", page_url(call, Some(&cursor))));
    }
    Ok(reply)
}

fn limit(call: &Call<'_>, sizes: PageSizes) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else {
        return Ok(sizes.default);
    };
    let PageSizes { min, max, .. } = sizes;
    match text.parse() {
        Ok(limit) if (min..=max).contains(&limit) => Ok(limit),
        _ => Err(Refusal::invalid(
            "limit",
            format!("limit: must be a number from {min} to {max}"),
        )),
    }
}

fn page_url(call: &Call<'_>, after: Option<&str>) -> String {
    let mut query = call.query_without(&["after"]);
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    let query = query.finish();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("http://{}{}{separator}{query}", call.host, call.path)
}
