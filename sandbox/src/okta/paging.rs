//! Pages: `limit`, opaque `after` cursors, and `Link` headers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    answer::{Refusal, Reply},
    query::Call,
};

/// How many items a list gives in one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) smallest: usize,
    pub(super) default: usize,
    pub(super) largest: usize,
}

impl Sizes {
    pub(super) const fn new(default: usize, largest: usize) -> Self {
        Self {
            smallest: 1,
            default,
            largest,
        }
    }
}

/// One page of `items`, which come in the order of their keys, together with its links.
///
/// A cursor names the last key of the page before, so a list may change between two pages.
pub(super) fn page<'a, T>(
    call: &Call<'_>,
    sizes: Sizes,
    cap: Option<usize>,
    items: impl Iterator<Item = (&'a str, T)>,
    document: impl Fn(T) -> Value,
) -> Result<Reply, Refusal> {
    let asked = limit(call, sizes)?;
    let size = cap.map_or(asked, |cap| asked.min(cap.max(1)));
    let after = match call.parameter("after") {
        None => None,
        Some(cursor) => Some(read_cursor(call, cursor)?),
    };
    let mut rest = items.skip_while(|(key, _)| after.as_deref().is_some_and(|after| *key <= after));
    let mut last = String::new();
    let mut found = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        key.clone_into(&mut last);
        found.push(document(item));
    }
    let more = rest.next().is_some();
    let mut reply = Reply::ok(Value::Array(found));
    reply
        .links
        .push(("self", address(call, call.parameter("after"))));
    if more {
        let cursor = write_cursor(call, &last);
        reply.links.push(("next", address(call, Some(&cursor))));
    }
    Ok(reply)
}

fn limit(call: &Call<'_>, sizes: Sizes) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else {
        return Ok(sizes.default);
    };
    let Sizes {
        smallest, largest, ..
    } = sizes;
    match text.parse() {
        Ok(limit) if (smallest..=largest).contains(&limit) => Ok(limit),
        _ => Err(Refusal::invalid(
            "limit",
            format!("limit: must be a number from {smallest} to {largest}"),
        )),
    }
}

fn address(call: &Call<'_>, after: Option<&str>) -> String {
    let mut query = call.query_without(&["after"]);
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("http://{}{}{mark}{query}", call.host, call.path)
}

fn write_cursor(call: &Call<'_>, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{key}", call.path))
}

/// The key in a cursor, which must be one that this very list gave out.
fn read_cursor(call: &Call<'_>, cursor: &str) -> Result<String, Refusal> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once('\n')) {
        Some((path, key)) if path == call.path => Ok(key.to_owned()),
        _ => Err(Refusal::invalid("after", "after: The cursor is not valid")),
    }
}
