//! Pagination with `limit`, opaque `after` cursors and `Link` headers.

use std::ops::Bound;

use http::StatusCode;
use serde::Serialize;

use super::{
    query::Call,
    reply::{Body, Refusal, Reply},
};
use crate::paging;

/// The page sizes of a list: the minimum, the default and the maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSizes {
    pub(super) min: usize,
    pub(super) default: usize,
    pub(super) max: usize,
    /// Whether a limit above the maximum is the maximum. Otherwise it is refused.
    pub(super) clamped: bool,
}

/// The range of the keys after the last key of the previous page, for `BTreeMap::range`.
pub(super) type After<'a> = (Bound<&'a str>, Bound<&'a str>);

impl PageSizes {
    pub(super) const fn new(default: usize, max: usize) -> Self {
        Self {
            min: 1,
            default,
            max,
            clamped: false,
        }
    }

    /// Accepts a limit above the maximum, and returns pages of the maximum size.
    pub(super) const fn clamped(self) -> Self {
        Self {
            clamped: true,
            ..self
        }
    }
}

/// Returns one page of a list with its links.
///
/// `items` returns the items whose keys are in the given range, in the order of the keys. A cursor contains
/// the last key of the previous page, so the list may change between two pages, and a page costs the same
/// wherever it is in the list. `max_size` limits the page size, in addition to the request's limit.
pub(super) fn page<K: AsRef<str>, T, I: IntoIterator<Item = (K, T)>, D: Serialize>(
    call: &Call<'_>,
    sizes: PageSizes,
    max_size: Option<usize>,
    items: impl FnOnce(After<'_>) -> I,
    document: impl FnMut(T) -> D,
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
    let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let page = paging::slice(items((start, Bound::Unbounded)), |_| false, size);
    let documents: Vec<D> = page.items.into_iter().map(document).collect();
    let text = serde_json::to_vec(&documents).map_err(|_error| Refusal::internal())?;
    let mut reply = Reply::empty(StatusCode::OK);
    reply.body = Body::Json(text.into());
    reply
        .links
        .push(("self", page_url(call, call.parameter("after"))));
    if let Some(last) = page.last {
        reply.links.push(("next", next_url(call, last.as_ref())));
    }
    Ok(reply)
}

/// Returns the items in the order of their keys, or in the opposite order if the request has `sortOrder=desc`.
///
/// The result is the `items` of [`page`].
pub(super) fn sorted<T>(
    call: &Call<'_>,
    mut items: Vec<(String, T)>,
) -> Result<impl FnOnce(After<'_>) -> std::vec::IntoIter<(String, T)> + use<T>, Refusal> {
    let descending = match call
        .parameter("sortOrder")
        .map(str::to_lowercase)
        .as_deref()
    {
        None | Some("asc" | "ascending") => false,
        Some("desc" | "descending") => true,
        Some(_) => return Err(Refusal::not_allowed("sortOrder")),
    };
    items.sort_by(|(left, _), (right, _)| left.cmp(right));
    if descending {
        items.reverse();
    }
    Ok(move |(after, _): After<'_>| {
        if let Bound::Excluded(after) = after {
            items.retain(|(key, _)| {
                if descending {
                    key.as_str() < after
                } else {
                    key.as_str() > after
                }
            });
        }
        items.into_iter()
    })
}

fn limit(call: &Call<'_>, sizes: PageSizes) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else {
        return Ok(sizes.default);
    };
    let PageSizes {
        min, max, clamped, ..
    } = sizes;
    match text.parse() {
        Ok(limit) if clamped && limit > max => Ok(max),
        Ok(limit) if (min..=max).contains(&limit) => Ok(limit),
        _ => Err(Refusal::invalid(
            "limit",
            format!("limit: must be a number from {min} to {max}"),
        )),
    }
}

/// Returns the URL of the page after the item with this key.
pub(super) fn next_url(call: &Call<'_>, last: &str) -> String {
    page_url(call, Some(&paging::seal(last, call.path)))
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
