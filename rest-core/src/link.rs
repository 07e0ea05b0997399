//! The `Link` header (RFC 8288), as far as paging needs it.

use http::{HeaderMap, header::LINK};

/// Returns the address of the link with relation `next`, as the server wrote it.
///
/// Links may come in separate headers or joined by commas, in any order; relations are compared
/// without regard to case, and a link may have several. Whether the address may be followed is not
/// decided here: see [`Call::get_link`](crate::Call::get_link).
///
/// # Errors
///
/// A header that cannot be read is an error, because taking it for "no next page" would end a list
/// too early. At most 64 links of 8,192 bytes each are read.
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

/// Why a `Link` header could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The header has characters that are not visible ASCII.
    #[error("the Link header is not ASCII text")]
    NotText(#[source] http::header::ToStrError),
    /// The header is not a list of links.
    #[error("the Link header cannot be read from character {position} on")]
    #[non_exhaustive]
    Malformed {
        /// The character that was not expected, counted from 1.
        position: usize,
    },
    /// There are more links than anybody needs.
    #[error("the answer has more than {limit} links")]
    #[non_exhaustive]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A link is longer than any address has to be.
    #[error("the answer has a link of more than {limit} bytes")]
    #[non_exhaustive]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

/// Reads one header value from left to right.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Returns the next link's address and whether its relation is `next`.
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
        let mut elsewhere = false;
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
                // The link is about another document than this answer (RFC 8288, 3.2).
                elsewhere = true;
            }
        }
        let is_next = relation.is_some_and(|relation| {
            relation
                .split_ascii_whitespace()
                .any(|word| word.eq_ignore_ascii_case("next"))
        });
        Ok(Some((target, is_next && !elsewhere)))
    }

    /// Returns what follows a parameter's `=`, without quotes; empty if there is no `=`.
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

    fn skip(&mut self, what: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&what) {
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
// Servers and proxies cut request lines off at about this length (nginx: 8k, Apache: 8,190).
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
            next_link(&headers(values)).expect("readable").as_deref(),
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
    fn no_header_or_no_next_is_the_end() {
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
    fn relations_may_be_bare_in_capitals_or_among_others() {
        check(&["<u>;rel=next"], Some("u"));
        check(&["<u> ; REL = \"NEXT\" ; title=x"], Some("u"));
        check(&["<u>; rel=\"last next\""], Some("u"));
        check(&["<u>; rel=nextish"], None);
    }

    #[test]
    fn what_is_quoted_is_not_syntax() {
        check(
            &[r#"<u>; title="a, <v>; rel=\"next\"; b"; rel="self", <w>; rel="next""#],
            Some("w"),
        );
    }

    #[test]
    fn only_the_first_relation_of_a_link_counts() {
        check(&["<u>; rel=self; rel=next"], None);
    }

    #[test]
    fn a_link_about_another_document_is_not_ours() {
        check(&["<u>; rel=next; anchor=\"/other\""], None);
    }

    #[test]
    fn a_broken_header_is_an_error_and_not_the_end_of_the_list() {
        check_error(
            &["https://a.example/x"],
            "the Link header cannot be read from character 1 on",
        );
        check_error(
            &["<u; rel=next"],
            "the Link header cannot be read from character 13 on",
        );
        check_error(
            &["<u> rel=next"],
            "the Link header cannot be read from character 5 on",
        );
        check_error(
            &["<u>; rel=\"next"],
            "the Link header cannot be read from character 15 on",
        );
        check_error(
            &["<u>; rel=\"a\\"],
            "the Link header cannot be read from character 12 on",
        );
    }

    #[test]
    fn text_outside_ascii_is_an_error() {
        let mut headers = HeaderMap::new();
        headers.append(
            LINK,
            HeaderValue::from_bytes(b"<\xff>; rel=next").expect("a value"),
        );
        let error = next_link(&headers).expect_err("an error");
        assert_eq!(error.to_string(), "the Link header is not ASCII text");
    }

    #[test]
    fn the_limits_have_errors_of_their_own() {
        check_error(&[&"<u>,".repeat(65)], "the answer has more than 64 links");
        check_error(
            &[&format!("<{}>; rel=next", "u".repeat(8193))],
            "the answer has a link of more than 8192 bytes",
        );
    }
}
