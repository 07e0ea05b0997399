//! Expressions of the parameters `filter` and `search`: `attribute operator "value"`, `and`, `or`, brackets.

use serde_json::Value;

use super::reply::Refusal;

/// The attributes and operators that an endpoint supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// The attributes. A name that ends in a dot includes all attributes below it.
    pub(super) attributes: &'static [&'static str],
    /// The operators that all attributes support.
    pub(super) operators: &'static [&'static str],
    /// The attributes that also support `co`, in the same notation as `attributes`.
    pub(super) contains: &'static [&'static str],
    /// The timestamp attributes, which also support `gt`, `ge`, `lt` and `le`.
    pub(super) timestamps: &'static [&'static str],
    /// Whether `eq` ignores the case of its value.
    pub(super) ignore_case: bool,
}

/// An object whose attributes an expression can compare.
pub(super) trait Searchable {
    /// Returns whether a value of the attribute passes the test. An array has the values of its elements.
    fn any(&self, attribute: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool;
}

impl Searchable for Value {
    fn any(&self, attribute: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        match self {
            Self::Array(items) => items.iter().any(|item| item.any(attribute, test)),
            _ if attribute.is_empty() => !self.is_null() && test(self),
            _ => {
                let (name, rest) = attribute.split_once('.').unwrap_or((attribute, ""));
                self.get(name).is_some_and(|value| value.any(rest, test))
            }
        }
    }
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Compare {
        attribute: String,
        operator: String,
        value: String,
    },
    Present(String),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Filter {
    /// Parses an expression.
    pub(super) fn parse(text: &str, grammar: Grammar) -> Result<Self, Refusal> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            position: 0,
            grammar,
        };
        let filter = parser.or_expression()?;
        match parser.next() {
            None => Ok(filter),
            Some(_) => Err(Refusal::search_syntax()),
        }
    }

    /// Returns whether an object matches the expression.
    pub(super) fn matches(&self, object: &impl Searchable) -> bool {
        match self {
            Self::And(left, right) => left.matches(object) && right.matches(object),
            Self::Or(left, right) => left.matches(object) || right.matches(object),
            Self::Present(attribute) => object.any(attribute, &mut |_| true),
            Self::Compare {
                attribute,
                operator,
                value,
            } => {
                let mut test = |found: &Value| match found {
                    Value::String(found) => compare(found, operator, value),
                    Value::Bool(found) => compare(&found.to_string(), operator, value),
                    _ => false,
                };
                object.any(attribute, &mut test)
            }
        }
    }

    /// Returns the value that the attribute must be equal to, if the expression is that comparison alone.
    pub(super) fn only_equal(&self, name: &str) -> Option<&str> {
        match self {
            Self::Compare {
                attribute,
                operator,
                value,
            } if attribute == name && operator.starts_with("eq") => Some(value),
            _ => None,
        }
    }
}

fn compare(found: &str, operator: &str, value: &str) -> bool {
    match operator {
        "eq" => found == value,
        IGNORE_CASE_EQUAL => found.to_lowercase() == value.to_lowercase(),
        "sw" => found.to_lowercase().starts_with(&value.to_lowercase()),
        "co" => found.to_lowercase().contains(&value.to_lowercase()),
        "gt" => found > value,
        "ge" => found >= value,
        "lt" => found < value,
        "le" => found <= value,
        _ => false,
    }
}

/// The operator `eq` in a grammar that ignores case.
const IGNORE_CASE_EQUAL: &str = "eq (any case)";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' | ')' => {
                tokens.push(if first == '(' {
                    Token::Open
                } else {
                    Token::Close
                });
                rest = &rest[1..];
            }
            '"' => {
                let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let Some(Ok(value)) = stream.next() else {
                    return Err(Refusal::search_syntax());
                };
                let read = stream.byte_offset();
                tokens.push(Token::Text(value));
                rest = &rest[read..];
            }
            _ => {
                let end = rest.find([' ', '(', ')', '"']).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    grammar: Grammar,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.position), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.position += usize::from(found);
        found
    }

    fn or_expression(&mut self) -> Result<Filter, Refusal> {
        let mut filter = self.and_expression()?;
        while self.take_keyword("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.and_expression()?));
        }
        Ok(filter)
    }

    fn and_expression(&mut self) -> Result<Filter, Refusal> {
        let mut filter = self.comparison_or_group()?;
        while self.take_keyword("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.comparison_or_group()?));
        }
        Ok(filter)
    }

    fn comparison_or_group(&mut self) -> Result<Filter, Refusal> {
        let attribute = match self.next() {
            Some(Token::Open) => {
                let filter = self.or_expression()?;
                return match self.next() {
                    Some(Token::Close) => Ok(filter),
                    _ => Err(Refusal::search_syntax()),
                };
            }
            Some(Token::Word(attribute)) if self.has_attribute(&attribute) => attribute,
            _ => return Err(Refusal::search_syntax()),
        };
        let Some(Token::Word(operator)) = self.next() else {
            return Err(Refusal::search_syntax());
        };
        let operator = operator.to_ascii_lowercase();
        if !self.has_operator(&attribute, &operator) {
            return Err(Refusal::search_syntax());
        }
        if operator == "pr" {
            return Ok(Filter::Present(attribute));
        }
        let value = match self.next() {
            Some(Token::Text(value)) => value,
            Some(Token::Word(value)) if value == "true" || value == "false" => value,
            _ => return Err(Refusal::search_syntax()),
        };
        let operator = match operator.as_str() {
            "eq" if self.grammar.ignore_case => IGNORE_CASE_EQUAL.to_owned(),
            _ => operator,
        };
        Ok(Filter::Compare {
            attribute,
            operator,
            value,
        })
    }

    fn has_attribute(&self, attribute: &str) -> bool {
        includes(self.grammar.attributes, attribute)
    }

    fn has_operator(&self, attribute: &str, operator: &str) -> bool {
        self.grammar.operators.contains(&operator)
            || (operator == "co" && includes(self.grammar.contains, attribute))
            || (self.grammar.timestamps.contains(&attribute)
                && ["gt", "ge", "lt", "le"].contains(&operator))
    }
}

/// Returns whether the names include an attribute. A name that ends in a dot includes all attributes below it.
fn includes(names: &[&str], attribute: &str) -> bool {
    names.iter().any(|name| match name.strip_suffix('.') {
        None => *name == attribute,
        Some(above) => attribute
            .strip_prefix(above)
            .is_some_and(|below| below.len() > 1 && below.starts_with('.')),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USERS: Grammar = Grammar {
        attributes: &["status", "lastUpdated", "profile.login", "profile."],
        operators: &["eq", "sw", "pr"],
        contains: &[],
        timestamps: &["lastUpdated"],
        ignore_case: false,
    };

    #[track_caller]
    fn check(filter: &str, expected: bool) {
        let document = json!({
            "status": "ACTIVE",
            "lastUpdated": "2026-03-25T06:09:58.000Z",
            "profile": { "login": "ada@example.com", "title": null },
        });
        let filter = Filter::parse(filter, USERS).expect("a filter");
        assert_eq!(filter.matches(&document), expected);
    }

    #[test]
    fn and_binds_tighter_than_or() {
        check(
            r#"status eq "ACTIVE" or status eq "A" and status eq "B""#,
            true,
        );
        check(
            r#"(status eq "ACTIVE" or status eq "A") and status eq "B""#,
            false,
        );
    }

    #[test]
    fn values_are_compared_with_the_operator() {
        check(r#"profile.login eq "ada@example.com""#, true);
        check(r#"profile.login sw "ADA""#, true);
        check("profile.title pr", false);
        check(r#"lastUpdated gt "2026-01-01T00:00:00.000Z""#, true);
    }

    #[test]
    fn invalid_or_unsupported_expressions_are_rejected() {
        for filter in [
            "",
            "status",
            "status eq",
            "status eq ACTIVE",
            r#"status eq "ACTIVE" and"#,
            r#"status eq "ACTIVE" status eq "B""#,
            r#"(status eq "ACTIVE""#,
            r#"nickname eq "x""#,
            r#"status gt "A""#,
            r#"status eq "ACTIVE"#,
        ] {
            let refusal = Filter::parse(filter, USERS).expect_err(filter);
            assert_eq!(refusal.code, "E0000031", "{filter}");
        }
    }
}
