//! The parser for filters, and for paths with a filter in brackets.

use super::{
    AttributePath, Filter, Literal, Operator, ParseFilterError,
    attribute_path::{is_name, is_path_byte},
    literal::parse_number,
};

/// Limits on the length and the nesting depth of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of bytes (default: 16 KiB).
    ///
    /// A filter is part of a URL, and servers limit URLs to 8 KiB to 16 KiB.
    pub bytes: usize,
    /// Maximum nesting depth of parentheses and brackets (default: 64). Each level uses stack space.
    pub depth: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024,
            depth: 64,
        }
    }
}

pub(super) fn parse(text: &str, limits: Limits) -> Result<Filter, ParseFilterError> {
    if text.len() > limits.bytes {
        return Err(ParseFilterError::too_long(limits.bytes, text));
    }
    let mut parser = Parser::new(text, limits);
    let filter = parser.disjunction()?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

/// The parts of a path with a filter in brackets (valuePath): `emails[type eq "work"].value`.
pub(crate) struct ValuePath<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) filter: Filter,
    pub(crate) sub_attribute: Option<&'a str>,
}

/// Parses a path with a filter in brackets; `None` if the path has no bracket.
pub(crate) fn parse_value_path(
    text: &str,
    limits: Limits,
) -> Result<Option<ValuePath<'_>>, ParseFilterError> {
    let mut parser = Parser::new(text, limits);
    parser.skip_spaces();
    let attribute = parser.word(is_path_byte);
    if parser.rest().first() != Some(&b'[') {
        return Ok(None);
    }
    parser.in_brackets = true;
    let filter = parser.nested(b']', "`]`")?;
    let mut sub_attribute = None;
    if parser.rest().first() == Some(&b'.') {
        parser.at += 1;
        let start = parser.at;
        let name = parser.word(is_path_byte);
        if !is_name(name) {
            return Err(ParseFilterError::expected("a sub-attribute", text, start));
        }
        sub_attribute = Some(name);
    }
    match parser.peek() {
        None => Ok(Some(ValuePath {
            attribute,
            filter,
            sub_attribute,
        })),
        Some(_) => Err(parser.expected("`.` and a sub-attribute, or the end")),
    }
}

/// A parser that reads from left to right and examines each byte a constant number of times.
struct Parser<'a> {
    text: &'a str,
    /// The position of the next byte.
    at: usize,
    depth: u8,
    limit: u8,
    /// Whether the position is within brackets, where further brackets are not allowed.
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            limit: limits.depth,
            in_brackets: false,
        }
    }

    /// Parses filters joined by `or`.
    fn disjunction(&mut self) -> Result<Filter, ParseFilterError> {
        let mut filter = self.conjunction()?;
        while self.skip_keyword("or") {
            filter = filter.or(self.conjunction()?);
        }
        Ok(filter)
    }

    /// Parses filters joined by `and`.
    fn conjunction(&mut self) -> Result<Filter, ParseFilterError> {
        let mut filter = self.term()?;
        while self.skip_keyword("and") {
            filter = filter.and(self.term()?);
        }
        Ok(filter)
    }

    /// Parses a single filter without `and` and `or`.
    fn term(&mut self) -> Result<Filter, ParseFilterError> {
        if self.peek() == Some(b'(') {
            return self.nested(b')', "`)`");
        }
        let start = self.at;
        let word = self.word(is_path_byte);
        // An attribute may have the name `not`. Only a following parenthesis makes it the operator.
        if word.eq_ignore_ascii_case("not") && self.peek() == Some(b'(') {
            return Ok(!self.nested(b')', "`)`")?);
        }
        let Ok(attribute) = AttributePath::parse(word) else {
            let expected = if self.in_brackets {
                "a sub-attribute"
            } else {
                "an attribute"
            };
            return Err(ParseFilterError::expected(expected, self.text, start));
        };
        match self.rest().first() {
            Some(b'[') => self.elements(attribute),
            _ => self.condition(attribute),
        }
    }

    /// Parses the rest of a condition after the attribute: `pr`, or an operator and a value.
    fn condition(&mut self, attribute: AttributePath) -> Result<Filter, ParseFilterError> {
        self.skip_spaces();
        let start = self.at;
        let word = self.word(|byte| byte.is_ascii_alphanumeric());
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::present(attribute));
        }
        let Some(operator) = Operator::find(word) else {
            return Err(ParseFilterError::expected("an operator", self.text, start));
        };
        let value = self.literal()?;
        Ok(Filter::compare(attribute, operator, value))
    }

    /// Parses `[filter]`, and an optional condition on a sub-attribute after the bracket.
    fn elements(&mut self, attribute: AttributePath) -> Result<Filter, ParseFilterError> {
        if self.in_brackets {
            return Err(self.expected("an operator (brackets cannot be nested)"));
        }
        self.in_brackets = true;
        let mut filter = self.nested(b']', "`]`")?;
        // `emails[type eq "work"].value eq "x"` is not in the grammar, but Microsoft Entra needs it.
        if self.rest().first() == Some(&b'.') {
            self.at += 1;
            let start = self.at;
            let name = self.word(is_path_byte);
            let sub_attribute = AttributePath::parse(name).ok().filter(|_| is_name(name));
            let Some(sub_attribute) = sub_attribute else {
                return Err(ParseFilterError::expected(
                    "a sub-attribute",
                    self.text,
                    start,
                ));
            };
            filter = filter.and(self.condition(sub_attribute)?);
        }
        self.in_brackets = false;
        Ok(Filter::value_path(attribute, filter).expect("the parser rejects nested brackets"))
    }

    /// Parses a filter in parentheses or brackets. The next byte is the opening parenthesis or bracket.
    fn nested(&mut self, close: u8, expected: &'static str) -> Result<Filter, ParseFilterError> {
        if self.depth == self.limit {
            return Err(ParseFilterError::too_deep(self.limit, self.text, self.at));
        }
        self.depth += 1;
        self.at += 1;
        let filter = self.disjunction()?;
        if self.peek() != Some(close) {
            return Err(self.expected(expected));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(filter)
    }

    fn literal(&mut self) -> Result<Literal, ParseFilterError> {
        let start = match self.peek() {
            Some(b'"') => return self.string(),
            _ => self.at,
        };
        let word = self.word(|byte| byte.is_ascii_graphic() && !b"()[]\"".contains(&byte));
        match word {
            "true" => Ok(Literal::Boolean(true)),
            "false" => Ok(Literal::Boolean(false)),
            "null" => Ok(Literal::Null),
            _ => parse_number(word).map(Literal::Number).ok_or_else(|| {
                let expected = "a quoted string, a number, true, false or null";
                ParseFilterError::expected(expected, self.text, start)
            }),
        }
    }

    fn string(&mut self) -> Result<Literal, ParseFilterError> {
        let start = self.at;
        let mut escaped = false;
        let end = self.rest().iter().skip(1).position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        // `length` excludes the two quotes.
        let end = end.map(|length| start + length + 2);
        let text = end.and_then(|end| serde_json::from_str(&self.text[start..end]).ok());
        let malformed = || ParseFilterError::expected("a JSON string", self.text, start);
        let text = text.ok_or_else(malformed)?;
        self.at = end.unwrap_or(self.text.len());
        Ok(Literal::String(text))
    }

    /// Skips a keyword if it is the next whole word, and returns whether it was skipped.
    fn skip_keyword(&mut self, keyword: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest();
        let start = rest.get(..keyword.len());
        let ends = rest
            .get(keyword.len())
            .is_none_or(|byte| !is_path_byte(*byte));
        let matches =
            ends && start.is_some_and(|start| start.eq_ignore_ascii_case(keyword.as_bytes()));
        if matches {
            self.at += keyword.len();
        }
        matches
    }

    /// Reads a word: the longest run of bytes for which `is_word_byte` is true.
    fn word(&mut self, is_word_byte: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|byte| !is_word_byte(*byte))
            .unwrap_or(rest.len());
        let word = &self.text[self.at..self.at + end];
        self.at += end;
        word
    }

    /// Skips spaces and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        self.skip_spaces();
        self.rest().first().copied()
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        let spaces = rest.iter().position(|byte| !b" \t\r\n".contains(byte));
        self.at += spaces.unwrap_or(rest.len());
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn expected(&self, expected: &'static str) -> ParseFilterError {
        ParseFilterError::expected(expected, self.text, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.to_string(), canonical);
        assert_eq!(Filter::parse(canonical).as_ref(), Ok(&filter));
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(Filter::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn not_binds_tighter_than_and_and_and_tighter_than_or() {
        check("a pr or b pr and not (c pr)", "a pr or b pr and not (c pr)");
        check("(a pr or b pr) and c pr", "(a pr or b pr) and c pr");
        check("(a pr and b pr) or (c pr)", "a pr and b pr or c pr");
        check("((a pr and (b pr and c pr)))", "a pr and b pr and c pr");
    }

    #[test]
    fn spaces_and_the_case_of_keywords_do_not_matter() {
        check(" a  PR\tAND NOT(b Eq \"x\") ", "a pr and not (b eq \"x\")");
        check("not ( a pr ) ", "not (a pr)");
        check("emails[ type eq \"work\" ]", "emails[type eq \"work\"]");
    }

    #[test]
    fn the_position_decides_whether_a_word_is_a_name_or_a_keyword() {
        check(
            "not pr or pr pr and and eq null",
            "not pr or pr pr and and eq null",
        );
        check(
            "null eq null and true eq true",
            "null eq null and true eq true",
        );
        check("never eq 1", "never eq 1");
        check("friends[$ref eq \"x\"]", "friends[$ref eq \"x\"]");
    }

    #[test]
    fn strings_may_contain_all_json_escapes_and_brackets() {
        check(
            r#"a eq "\u00e9\ud83d\ude00\"\\\/""#,
            "a eq \"é😀\\\"\\\\/\"",
        );
        check(r#"a[b eq "]) or ("]"#, r#"a[b eq "]) or ("]"#);
        check(r#"a eq """#, r#"a eq """#);
    }

    #[test]
    fn the_form_of_microsoft_entra_is_converted_to_the_grammar() {
        check(
            r#"emails[type eq "work"].value eq "ada@x" or a pr"#,
            r#"emails[type eq "work" and value eq "ada@x"] or a pr"#,
        );
        check(
            r#"emails[type eq "a" or type eq "b"].value pr"#,
            r#"emails[(type eq "a" or type eq "b") and value pr]"#,
        );
        check_error(
            r#"emails[type eq "work"].value"#,
            "expected an operator, but the filter ends",
        );
        check_error(
            r#"emails[type eq "work"].a.b eq 1"#,
            r#"expected a sub-attribute at column 24 of the filter, found "a.b""#,
        );
    }

    #[test]
    fn an_error_message_has_the_column_and_the_unexpected_token() {
        check_error("", "expected an attribute, but the filter ends");
        check_error("   ", "expected an attribute, but the filter ends");
        check_error(
            "é pr",
            r#"expected an attribute at column 1 of the filter, found "é""#,
        );
        check_error("userName", "expected an operator, but the filter ends");
        check_error(
            "a eq \"é\" b pr",
            r#"expected `and`, `or` or the end at column 10 of the filter, found "b""#,
        );
        check_error(
            "meta.x lte 1",
            r#"expected an operator at column 8 of the filter, found "lte""#,
        );
        check_error(
            "not a pr",
            r#"expected an operator at column 5 of the filter, found "a""#,
        );
        check_error("(a pr", "expected `)`, but the filter ends");
        check_error(
            "a[b pr)",
            r#"expected `]` at column 7 of the filter, found ")""#,
        );
        check_error(
            "a[]",
            r#"expected a sub-attribute at column 3 of the filter, found "]""#,
        );
        check_error(
            "a eq 'x'",
            r#"expected a quoted string, a number, true, false or null at column 6 of the filter, found "'x'""#,
        );
        check_error(
            r#"a eq "x\a""#,
            r#"expected a JSON string at column 6 of the filter, found "\"x\\a\"""#,
        );
        check_error(
            "a[b[c pr]]",
            r#"expected an operator (brackets cannot be nested) at column 4 of the filter, found "[c""#,
        );
        check_error(
            "a eq nonsense-that-goes-on-and-on",
            r#"expected a quoted string, a number, true, false or null at column 6 of the filter, found "nonsense-that-goes-on-an…""#,
        );
    }

    #[test]
    fn an_error_has_its_position_and_the_unexpected_token() {
        let error = Filter::parse("a eq \"é\" b").unwrap_err();
        assert_eq!(
            (error.position(), error.column(), error.found()),
            (10, 10, Some("b"))
        );
        assert_eq!(Filter::parse("a").unwrap_err().found(), None);
    }

    #[test]
    fn an_unterminated_string_is_rejected() {
        for text in [r#"a eq "x"#, r#"a eq "x\"#, r#"a eq "x\""#, "a eq \""] {
            assert!(
                Filter::parse(text)
                    .unwrap_err()
                    .to_string()
                    .starts_with("expected a JSON string at")
            );
        }
    }

    #[test]
    fn a_filter_that_is_too_deep_is_rejected_before_the_stack_overflows() {
        let deep = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&deep(64)).is_ok());
        for depth in [65, 5_000] {
            let error = Filter::parse(&deep(depth)).unwrap_err();
            assert!(error.is_too_deep() && !error.is_too_long());
            assert_eq!(
                error.to_string(),
                "the filter is nested more than 64 levels deep at column 65"
            );
        }
        let error = Filter::parse(&"not(".repeat(4_000)).unwrap_err();
        assert!(error.is_too_deep());
    }

    #[test]
    fn a_filter_that_is_too_long_is_rejected() {
        let error = Filter::parse(&"a".repeat(16_385)).unwrap_err();
        assert!(error.is_too_long() && !error.is_too_deep());
        assert_eq!(
            error.to_string(),
            "the filter has 16385 bytes, more than the limit of 16384"
        );
    }

    #[test]
    fn a_long_chain_of_and_has_no_depth() {
        let limits = Limits {
            bytes: usize::MAX,
            ..Limits::default()
        };
        let text = vec!["a pr"; 100_000].join(" and ");
        let Filter::And(terms) = Filter::parse_within(&text, limits).unwrap() else {
            panic!("expected an `and`")
        };
        assert_eq!(terms.iter().count(), 100_000);
    }
}
