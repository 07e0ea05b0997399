use super::{
    AttributePath, Filter, Literal, Operator, ParseFilterError,
    attribute_path::{is_name, is_path_byte},
    literal::parse_number,
};

/// How long and how deep a filter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes; a filter comes in a URL, which servers cut off at 8 KiB to 16 KiB.
    pub bytes: usize,
    /// The most levels of parentheses and brackets; each takes a little of the stack.
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
    let filter = parser.either()?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

/// The parts of a path that chooses elements: `emails[type eq "work"].value`.
pub(crate) struct ChosenElements<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) filter: Filter,
    pub(crate) sub_attribute: Option<&'a str>,
}

/// Reads a path that chooses elements; `None` when it has no bracket.
pub(crate) fn parse_chosen(
    text: &str,
    limits: Limits,
) -> Result<Option<ChosenElements<'_>>, ParseFilterError> {
    let mut parser = Parser::new(text, limits);
    parser.skip_spaces();
    let attribute = parser.word(is_path_byte);
    if parser.rest().first() != Some(&b'[') {
        return Ok(None);
    }
    parser.brackets = true;
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
        None => Ok(Some(ChosenElements {
            attribute,
            filter,
            sub_attribute,
        })),
        Some(_) => Err(parser.expected("`.` and a sub-attribute, or the end")),
    }
}

/// Reads from left to right; every byte is looked at a fixed number of times.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    limit: u8,
    /// Whether this is between brackets, where brackets must not stand.
    brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            limit: limits.depth,
            brackets: false,
        }
    }

    /// Reads filters joined by `or`.
    fn either(&mut self) -> Result<Filter, ParseFilterError> {
        let mut filter = self.both()?;
        while self.skip_keyword("or") {
            filter = filter.or(self.both()?);
        }
        Ok(filter)
    }

    /// Reads filters joined by `and`.
    fn both(&mut self) -> Result<Filter, ParseFilterError> {
        let mut filter = self.one()?;
        while self.skip_keyword("and") {
            filter = filter.and(self.one()?);
        }
        Ok(filter)
    }

    /// Reads one filter that is not joined with others.
    fn one(&mut self) -> Result<Filter, ParseFilterError> {
        if self.peek() == Some(b'(') {
            return self.nested(b')', "`)`");
        }
        let start = self.at;
        let word = self.word(is_path_byte);
        // An attribute may be called `not`: only parentheses make it the operator.
        if word.eq_ignore_ascii_case("not") && self.peek() == Some(b'(') {
            return Ok(!self.nested(b')', "`)`")?);
        }
        let Ok(attribute) = AttributePath::parse(word) else {
            let expected = if self.brackets {
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

    /// Reads what follows an attribute: `pr`, or an operator and a value.
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

    /// Reads `[filter]`, and what may follow it.
    fn elements(&mut self, attribute: AttributePath) -> Result<Filter, ParseFilterError> {
        if self.brackets {
            return Err(self.expected("an operator (brackets do not stand in brackets)"));
        }
        self.brackets = true;
        let mut filter = self.nested(b']', "`]`")?;
        // `emails[type eq "work"].value eq "x"`: not in the grammar, and needed by Microsoft Entra.
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
        self.brackets = false;
        Ok(Filter::elements(attribute, filter).expect("nothing between brackets has brackets"))
    }

    /// Reads a filter between parentheses or brackets; the opening one comes next.
    fn nested(&mut self, close: u8, expected: &'static str) -> Result<Filter, ParseFilterError> {
        if self.depth == self.limit {
            return Err(ParseFilterError::too_deep(self.limit, self.text, self.at));
        }
        self.depth += 1;
        self.at += 1;
        let filter = self.either()?;
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
                let expected = "a text in quotes, a number, true, false or null";
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
        // Two quotes stand around what was skipped and found.
        let end = end.map(|length| start + length + 2);
        let text = end.and_then(|end| serde_json::from_str(&self.text[start..end]).ok());
        let wrong = || ParseFilterError::expected("a text as JSON writes it", self.text, start);
        let text = text.ok_or_else(wrong)?;
        self.at = end.unwrap_or(self.text.len());
        Ok(Literal::String(text))
    }

    /// Skips a keyword, if it comes next as a word of its own.
    fn skip_keyword(&mut self, keyword: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest();
        let found = rest.get(..keyword.len());
        let ends = rest
            .get(keyword.len())
            .is_none_or(|byte| !is_path_byte(*byte));
        let comes = ends && found.is_some_and(|it| it.eq_ignore_ascii_case(keyword.as_bytes()));
        if comes {
            self.at += keyword.len();
        }
        comes
    }

    /// Reads as many bytes as belong to a word.
    fn word(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|byte| !belongs(*byte))
            .unwrap_or(rest.len());
        let word = &self.text[self.at..self.at + end];
        self.at += end;
        word
    }

    /// Skips spaces, and returns the byte that comes next.
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
    fn refused(text: &str, message: &str) {
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
    fn a_name_that_is_also_a_keyword_is_told_by_its_place() {
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
    fn texts_may_hold_every_escape_of_json_and_every_bracket() {
        check(
            r#"a eq "\u00e9\ud83d\ude00\"\\\/""#,
            "a eq \"é😀\\\"\\\\/\"",
        );
        check(r#"a[b eq "]) or ("]"#, r#"a[b eq "]) or ("]"#);
        check(r#"a eq """#, r#"a eq """#);
    }

    #[test]
    fn the_form_microsoft_entra_needs_becomes_one_of_the_grammar() {
        check(
            r#"emails[type eq "work"].value eq "ada@x" or a pr"#,
            r#"emails[type eq "work" and value eq "ada@x"] or a pr"#,
        );
        check(
            r#"emails[type eq "a" or type eq "b"].value pr"#,
            r#"emails[(type eq "a" or type eq "b") and value pr]"#,
        );
        refused(
            r#"emails[type eq "work"].value"#,
            "the filter ends where an operator should be",
        );
        refused(
            r#"emails[type eq "work"].a.b eq 1"#,
            r#"a sub-attribute should be at column 24 of the filter, not "a.b""#,
        );
    }

    #[test]
    fn a_mistake_is_said_with_its_place_and_its_text() {
        refused("", "the filter ends where an attribute should be");
        refused("   ", "the filter ends where an attribute should be");
        refused(
            "é pr",
            r#"an attribute should be at column 1 of the filter, not "é""#,
        );
        refused("userName", "the filter ends where an operator should be");
        refused(
            "a eq \"é\" b pr",
            r#"`and`, `or` or the end should be at column 10 of the filter, not "b""#,
        );
        refused(
            "meta.x lte 1",
            r#"an operator should be at column 8 of the filter, not "lte""#,
        );
        refused(
            "not a pr",
            r#"an operator should be at column 5 of the filter, not "a""#,
        );
        refused("(a pr", "the filter ends where `)` should be");
        refused(
            "a[b pr)",
            r#"`]` should be at column 7 of the filter, not ")""#,
        );
        refused(
            "a[]",
            r#"a sub-attribute should be at column 3 of the filter, not "]""#,
        );
        refused(
            "a eq 'x'",
            r#"a text in quotes, a number, true, false or null should be at column 6 of the filter, not "'x'""#,
        );
        refused(
            r#"a eq "x\a""#,
            r#"a text as JSON writes it should be at column 6 of the filter, not "\"x\\a\"""#,
        );
        refused(
            "a[b[c pr]]",
            r#"an operator (brackets do not stand in brackets) should be at column 4 of the filter, not "[c""#,
        );
        refused(
            "a eq nonsense-that-goes-on-and-on",
            r#"a text in quotes, a number, true, false or null should be at column 6 of the filter, not "nonsense-that-goes-on-an…""#,
        );
    }

    #[test]
    fn an_error_says_where_it_is() {
        let error = Filter::parse("a eq \"é\" b").unwrap_err();
        assert_eq!(
            (error.position(), error.column(), error.found()),
            (10, 10, Some("b"))
        );
        assert_eq!(Filter::parse("a").unwrap_err().found(), None);
    }

    #[test]
    fn a_text_that_never_ends_is_refused() {
        for text in [r#"a eq "x"#, r#"a eq "x\"#, r#"a eq "x\""#, "a eq \""] {
            assert!(
                Filter::parse(text)
                    .unwrap_err()
                    .to_string()
                    .starts_with("a text as JSON")
            );
        }
    }

    #[test]
    fn a_filter_that_is_too_deep_is_refused_before_the_stack_is() {
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
    fn a_filter_that_is_too_long_is_refused() {
        let error = Filter::parse(&"a".repeat(16_385)).unwrap_err();
        assert!(error.is_too_long() && !error.is_too_deep());
        assert_eq!(
            error.to_string(),
            "the filter has 16385 bytes, and 16384 are allowed"
        );
    }

    #[test]
    fn a_long_chain_is_not_deep() {
        let limits = Limits {
            bytes: usize::MAX,
            ..Limits::default()
        };
        let text = vec!["a pr"; 100_000].join(" and ");
        let Filter::And(terms) = Filter::parse_within(&text, limits).unwrap() else {
            panic!("not an and")
        };
        assert_eq!(terms.iter().count(), 100_000);
    }
}
