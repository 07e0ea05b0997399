//! A value in a body, whose fields and end are found in one pass.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::scan::{Paths, length};
use crate::Raw;

/// A value in a body.
///
/// Its end is found while its fields are read, because a pass over the text costs more than all else that is done with it.
pub(crate) struct Json<'a> {
    body: &'a Bytes,
    /// The body from the start of the value on.
    rest: &'a str,
    /// The length of the value: `None` before it is known, and if this is not JSON.
    length: Option<usize>,
}

impl<'a> Json<'a> {
    /// Returns the value at the start of `rest`, which is a part of `body`.
    pub(crate) fn new(body: &'a Bytes, rest: &'a str) -> Self {
        Self {
            body,
            rest,
            length: None,
        }
    }

    /// Returns the values at `paths`, and the text of the whole value.
    pub(crate) fn scan<const N: usize>(
        &mut self,
        paths: &Paths<'_, N>,
    ) -> ([Option<&'a RawValue>; N], Raw) {
        let (found, length) = paths.scan_start(self.rest);
        self.length = length;
        let text = &self.rest[..length.unwrap_or(0)];
        (found, Raw::part(self.body, text))
    }

    /// Returns the text of the value and the text after it, or `None` if this is not JSON.
    pub(crate) fn split(self) -> Option<(&'a str, &'a str)> {
        let length = self.length.or_else(|| length(self.rest))?;
        Some(self.rest.split_at(length))
    }
}
