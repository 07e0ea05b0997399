//! Pagination with `limit`, opaque `after` cursors and `Link` headers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    query::Call,
    reply::{Refusal, Reply},
};

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
    document: impl Fn(T) -> Value,
) -> Result<Reply, Refusal> {
    let limit = limit(call, sizes)?;
    let size = max_size.map_or(limit, |max_size| limit.min(max_size.max(1)));
    let after = match call.parameter("after") {
        None => None,
        Some(cursor) => Some(decode_cursor(call, cursor)?),
    };
    let mut rest = items.skip_while(|(key, _)| after.as_deref().is_some_and(|after| *key <= after));
    let mut last = String::new();
    let mut found = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        key.clone_into(&mut last);
        found.push(document(item));
    }
    let has_more = rest.next().is_some();
    let mut reply = Reply::ok(Value::Array(found));
    reply
        .links
        .push(("self", page_url(call, call.parameter("after"))));
    if has_more {
        let cursor = encode_cursor(call, &last);
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

fn encode_cursor(call: &Call<'_>, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{key}", call.path))
}

/// Returns the key in a cursor. Fails if the cursor belongs to another list.
fn decode_cursor(call: &Call<'_>, cursor: &str) -> Result<String, Refusal> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once('\n')) {
        Some((path, key)) if path == call.path => Ok(key.to_owned()),
        _ => Err(Refusal::invalid("after", "after: The cursor is not valid")),
    }
}
