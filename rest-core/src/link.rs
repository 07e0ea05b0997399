//! Parser for the `Link` header (RFC 8288), limited to what pagination needs.

use http::{HeaderMap, header::LINK};

/// Returns the URL of the link with relation `next`, unchanged.
///
/// Links may be in separate headers or comma-separated in one header, in any order. A link may
/// have several relations; their case is ignored. The URL is not checked here, but when a
/// [`Call::get_link`](crate::Call::get_link) is sent.
///
/// # Errors
///
/// Fails if a header cannot be parsed, because treating it as "no next page" would end a list too
/// early. Also fails if there are more than 64 links, or if a link is longer than 8,192 bytes.
pub fn next_link(headers: &HeaderMap) -> Result<Option<String>, LinkError> {
    let mut count = 0;
    for value in headers.get_all(LINK) {
        let text = value.to_str().map_err(LinkError::NotText)?;
        let mut reader = Reader { text, at: 0 };
        while let Some((target, is_next)) = reader.link()? {
            count += 1;
            if count > MAX_LINKS {
                return Err(LinkError::TooMany { limit: MAX_LINKS });
            }
            if target.len() > MAX_TARGET {
                return Err(LinkError::TooLong { limit: MAX_TARGET });
            }
            if is_next {
                return Ok(Some(target.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The error of [`next_link`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The header contains characters that are not visible ASCII.
    #[error("the Link header is not ASCII text")]
    NotText(#[source] http::header::ToStrError),
    /// The header is not a list of links.
    #[error("the Link header is malformed at character {position}")]
    #[non_exhaustive]
    Malformed {
        /// The position of the unexpected character, counted from 1.
        position: usize,
    },
    /// The response has too many links.
    #[error("the response has more than {limit} links")]
    #[non_exhaustive]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A link is too long.
    #[error("the response has a link of more than {limit} bytes")]
    #[non_exhaustive]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Parser of one header value.
struct Reader<'a> {
    text: &'a str,
    /// The position of the next byte.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Returns the next link's URL, and whether the link leads to the next page.
    fn link(&mut self) -> Result<Option<(&'a str, bool)>, LinkError> {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b','));
        match self.peek() {
            None => return Ok(None),
            Some(b'<') => self.at += 1,
            Some(_) => return Err(self.malformed()),
        }
        let target = self.until(|byte| byte == b'>').trim();
        self.expect(b'>')?;
        let mut relation = None;
        let mut has_anchor = false;
        loop {
            self.skip(is_space);
            match self.peek() {
                None | Some(b',') => break,
                Some(b';') => self.at += 1,
                Some(_) => return Err(self.malformed()),
            }
            self.skip(is_space);
            let name = self.until(|byte| matches!(byte, b'=' | b';' | b',' | b' ' | b'\t'));
            let value = self.value()?;
            // "The relation type of a link is conveyed in the "rel" parameter's value ...
            // occurrences after the first MUST be ignored by parsers" (RFC 8288, 3.3).
            if name.eq_ignore_ascii_case("rel") && relation.is_none() {
                relation = Some(value);
            } else if name.eq_ignore_ascii_case("anchor") {
                // The link belongs to another resource than this response (RFC 8288, 3.2).
                has_anchor = true;
            }
        }
        let is_next = relation.is_some_and(|relation| {
            relation
                .split_ascii_whitespace()
                .any(|word| word.eq_ignore_ascii_case("next"))
        });
        Ok(Some((target, is_next && !has_anchor)))
    }

    /// Returns the value after a parameter's `=`, without quotes; empty if there is no `=`.
    fn value(&mut self) -> Result<String, LinkError> {
        self.skip(is_space);
        if self.peek() != Some(b'=') {
            return Ok(String::new());
        }
        self.at += 1;
        self.skip(is_space);
        if self.peek() != Some(b'"') {
            return Ok(self
                .until(|byte| matches!(byte, b';' | b',' | b' ' | b'\t'))
                .to_owned());
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            value.push_str(self.until(|byte| matches!(byte, b'"' | b'\\')));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(_) if self.at + 1 < self.text.len() => {
                    value.push(char::from(self.text.as_bytes()[self.at + 1]));
                    self.at += 2;
                }
                _ => return Err(self.malformed()),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), LinkError> {
        if self.peek() != Some(byte) {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(())
    }

    fn skip(&mut self, matches: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&matches) {
            self.at += 1;
        }
    }

    fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        self.skip(|byte| !stop(byte));
        &self.text[start..self.at]
    }

    fn malformed(&self) -> LinkError {
        LinkError::Malformed {
            position: self.at + 1,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const MAX_LINKS: usize = 64;
// Servers and proxies limit request lines to about this length (nginx: 8k, Apache: 8,190).
const MAX_TARGET: usize = 8192;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::LINK};

    use super::next_link;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LINK, HeaderValue::from_str(value).expect("a header value"));
        }
        headers
    }

    #[track_caller]
    fn check(values: &[&str], expected: Option<&str>) {
        assert_eq!(
            next_link(&headers(values))
                .expect("a valid header")
                .as_deref(),
            expected
        );
    }

    #[track_caller]
    fn check_error(values: &[&str], expected: &str) {
        assert_eq!(
            next_link(&headers(values))
                .expect_err("an error")
                .to_string(),
            expected
        );
    }

    const SELF: &str = r#"<https://a.example/x>; rel="self""#;
    const NEXT: &str = r#"<https://a.example/x?after=1,2;3>; rel="next""#;
    const TARGET: Option<&str> = Some("https://a.example/x?after=1,2;3");

    #[test]
    fn without_a_next_link_the_list_ends() {
        check(&[], None);
        check(&[""], None);
        check(&[SELF], None);
        check(&["<https://a.example/x>"], None);
    }

    #[test]
    fn links_are_found_in_separate_and_in_joined_headers() {
        check(&[SELF, NEXT], TARGET);
        check(&[&format!("{SELF}, {NEXT}")], TARGET);
        check(&[&format!("{NEXT},{SELF}")], TARGET);
        check(&[&format!(" , ,{NEXT}")], TARGET);
    }

    #[test]
    fn relations_may_be_unquoted_in_capitals_or_one_of_several() {
        check(&["<u>;rel=next"], Some("u"));
        check(&["<u> ; REL = \"NEXT\" ; title=x"], Some("u"));
        check(&["<u>; rel=\"last next\""], Some("u"));
        check(&["<u>; rel=nextish"], None);
    }

    #[test]
    fn quoted_text_is_not_parsed_as_syntax() {
        check(
            &[r#"<u>; title="a, <v>; rel=\"next\"; b"; rel="self", <w>; rel="next""#],
            Some("w"),
        );
    }

    #[test]
    fn only_the_first_rel_parameter_counts() {
        check(&["<u>; rel=self; rel=next"], None);
    }

    #[test]
    fn a_link_with_an_anchor_is_ignored() {
        check(&["<u>; rel=next; anchor=\"/other\""], None);
    }

    #[test]
    fn a_malformed_header_is_an_error() {
        check_error(
            &["https://a.example/x"],
            "the Link header is malformed at character 1",
        );
        check_error(
            &["<u; rel=next"],
            "the Link header is malformed at character 13",
        );
        check_error(
            &["<u> rel=next"],
            "the Link header is malformed at character 5",
        );
        check_error(
            &["<u>; rel=\"next"],
            "the Link header is malformed at character 15",
        );
        check_error(
            &["<u>; rel=\"a\\"],
            "the Link header is malformed at character 12",
        );
    }

    #[test]
    fn a_header_that_is_not_ascii_is_an_error() {
        let mut headers = HeaderMap::new();
        headers.append(
            LINK,
            HeaderValue::from_bytes(b"<\xff>; rel=next").expect("a header value"),
        );
        let error = next_link(&headers).expect_err("an error");
        assert_eq!(error.to_string(), "the Link header is not ASCII text");
    }

    #[test]
    fn too_many_links_and_a_too_long_link_are_errors() {
        check_error(&[&"<u>,".repeat(65)], "the response has more than 64 links");
        check_error(
            &[&format!("<{}>; rel=next", "u".repeat(8193))],
            "the response has a link of more than 8192 bytes",
        );
    }
}
