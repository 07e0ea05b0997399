//! Filters: the whole grammar of RFC 7644 section 3.4.2.2, read and applied.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    document::extension,
    reply::Refusal,
    schema::{Attribute, Kind, Resource, Returned, named},
};

/// A filter that has been read against the schemas.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Present(Target),
    Compare(Target, Operator, Value),
    /// Values of a list that fit a filter together.
    Each(Target, Box<Self>),
}

/// An attribute, or one inside of it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The extension that holds the attribute.
    pub(super) holder: Option<&'static str>,
    pub(super) attribute: &'static Attribute,
    pub(super) inner: Option<&'static Attribute>,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// Where names in a filter are looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Resource(Resource),
    /// Inside of one value of a list.
    Inside(&'static Attribute),
}

/// Parentheses and brackets in one another at most.
const DEEPEST: usize = 50;

impl Filter {
    pub(super) fn read(text: &str, scope: Scope) -> Result<Self, Refusal> {
        let mut parser = Parser {
            text,
            rest: text,
            depth: 0,
        };
        let filter = parser.any(scope)?;
        parser.skip();
        if parser.rest.is_empty() {
            Ok(filter)
        } else {
            Err(parser.wrong("the end"))
        }
    }

    /// Reads a filter in brackets, and returns what follows the bracket that ends it.
    pub(super) fn read_inside<'t>(
        text: &'t str,
        attribute: &'static Attribute,
    ) -> Result<(Self, &'t str), Refusal> {
        let mut parser = Parser {
            text,
            rest: text,
            depth: 0,
        };
        let filter = parser.group(Scope::Inside(attribute), ']')?;
        Ok((filter, parser.rest))
    }

    pub(super) fn fits(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::And(one, other) => one.fits(object) && other.fits(object),
            Self::Or(one, other) => one.fits(object) || other.fits(object),
            Self::Not(inner) => !inner.fits(object),
            Self::Present(target) => target.values(object).into_iter().any(|value| *value != ""),
            Self::Compare(target, operator, wanted) => target.compare(object, *operator, wanted),
            Self::Each(target, inner) => target
                .values(object)
                .into_iter()
                .any(|value| value.as_object().is_some_and(|value| inner.fits(value))),
        }
    }
}

impl Target {
    /// The attribute that is compared in the end.
    pub(super) fn last(&self) -> &'static Attribute {
        self.inner.unwrap_or(self.attribute)
    }

    /// All values, those of lists one by one.
    fn values<'o>(&self, object: &'o Map<String, Value>) -> Vec<&'o Value> {
        let object = match self.holder {
            None => Some(object),
            Some(holder) => object.get(holder).and_then(Value::as_object),
        };
        let Some(value) = object.and_then(|object| object.get(self.attribute.name)) else {
            return Vec::new();
        };
        let values: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        match self.inner {
            None => values,
            Some(inner) => values
                .into_iter()
                .filter_map(|value| value.get(inner.name))
                .collect(),
        }
    }

    fn compare(&self, object: &Map<String, Value>, operator: Operator, wanted: &Value) -> bool {
        let values = self.values(object);
        // Null is the same as no value at all (RFC 7643 section 2.5).
        if wanted.is_null() {
            return (operator == Operator::Eq) == values.is_empty();
        }
        let equal = |value: &&Value| self.fits(value, Operator::Eq, wanted);
        match operator {
            Operator::Ne => !values.iter().any(equal),
            operator => values
                .into_iter()
                .any(|value| self.fits(value, operator, wanted)),
        }
    }

    fn fits(&self, value: &Value, operator: Operator, wanted: &Value) -> bool {
        let attribute = self.last();
        match (value, wanted) {
            (Value::String(value), Value::String(wanted)) if attribute.kind == Kind::Moment => {
                let (Ok(value), Ok(wanted)) =
                    (value.parse::<Timestamp>(), wanted.parse::<Timestamp>())
                else {
                    return false;
                };
                operator.orders(value.cmp(&wanted))
            }
            (Value::String(value), Value::String(wanted)) => {
                let fold = |text: &str| {
                    if attribute.exact {
                        text.to_owned()
                    } else {
                        text.to_lowercase()
                    }
                };
                let (value, wanted) = (fold(value), fold(wanted));
                match operator {
                    Operator::Co => value.contains(&wanted),
                    Operator::Sw => value.starts_with(&wanted),
                    Operator::Ew => value.ends_with(&wanted),
                    operator => operator.orders(value.cmp(&wanted)),
                }
            }
            (value, wanted) => operator == Operator::Eq && value == wanted,
        }
    }
}

impl Operator {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "co" => Self::Co,
            "sw" => Self::Sw,
            "ew" => Self::Ew,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    fn orders(self, found: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => found.is_eq(),
            Self::Gt => found.is_gt(),
            Self::Ge => found.is_ge(),
            Self::Lt => found.is_lt(),
            Self::Le => found.is_le(),
            Self::Ne | Self::Co | Self::Sw | Self::Ew => false,
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        let mut left = self.all(scope)?;
        while self.keyword("or") {
            left = Filter::Or(Box::new(left), Box::new(self.all(scope)?));
        }
        Ok(left)
    }

    fn all(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        let mut left = self.term(scope)?;
        while self.keyword("and") {
            left = Filter::And(Box::new(left), Box::new(self.term(scope)?));
        }
        Ok(left)
    }

    fn term(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        self.skip();
        if self.take('(') {
            return self.group(scope, ')');
        }
        let name = self.word();
        if name.eq_ignore_ascii_case("not") {
            self.skip();
            if self.take('(') {
                return Ok(Filter::Not(Box::new(self.group(scope, ')')?)));
            }
        }
        let target = target(name, scope)?;
        if self.take('[') {
            if !target.attribute.many || target.inner.is_some() {
                return Err(invalid(format!("`{name}` is not a list of objects")));
            }
            let inner = self.group(Scope::Inside(target.attribute), ']')?;
            return Ok(Filter::Each(target, Box::new(inner)));
        }
        self.skip();
        let operator = self.word();
        if operator.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(target));
        }
        let operator = Operator::of(operator).ok_or_else(|| self.wrong("an operator"))?;
        self.skip();
        let value = self.value()?;
        comparable(target, operator, value)
    }

    fn group(&mut self, scope: Scope, end: char) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(invalid(format!(
                "more than {DEEPEST} parentheses in one another"
            )));
        }
        let inner = self.any(scope)?;
        self.skip();
        self.depth -= 1;
        if self.take(end) {
            Ok(inner)
        } else {
            Err(self.wrong(&end.to_string()))
        }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        if !self.rest.starts_with('"') {
            let word = self.word();
            return serde_json::from_str(word)
                .ok()
                .filter(|value: &Value| !value.is_array() && !value.is_object())
                .ok_or_else(|| self.wrong("a value as in JSON"));
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = &self.rest[values.byte_offset()..];
                Ok(value)
            }
            _ => Err(self.wrong("a string as in JSON")),
        }
    }

    /// The text up to a space, bracket or parenthesis.
    fn word(&mut self) -> &'t str {
        let end = self.rest.find([' ', '[', ']', '(', ')']);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        self.skip();
        let spaced = self.rest.len() < before.len();
        if spaced && self.word().eq_ignore_ascii_case(keyword) {
            return true;
        }
        self.rest = before;
        false
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, wanted: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn wrong(&self, expected: &str) -> Refusal {
        let column = self.text.len() - self.rest.len() + 1;
        invalid(format!("expected {expected} at column {column}"))
    }
}

fn comparable(target: Target, operator: Operator, value: Value) -> Result<Filter, Refusal> {
    // A list of objects is compared by its `value` (RFC 7644 section 3.4.2.2).
    let mut target = target;
    if target.attribute.many && target.inner.is_none() {
        target.inner = named(target.attribute.inner, "value");
    }
    let attribute = target.last();
    let name = attribute.name;
    if attribute.returned == Returned::Never {
        return Err(invalid(format!("`{name}` cannot be asked about")));
    }
    let fits = match (attribute.kind, &value) {
        (_, Value::Null) => matches!(operator, Operator::Eq | Operator::Ne),
        (Kind::Truth, value) => {
            value.is_boolean() && matches!(operator, Operator::Eq | Operator::Ne)
        }
        (Kind::Binary, value) => {
            value.is_string() && matches!(operator, Operator::Eq | Operator::Ne)
        }
        (Kind::Moment, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Kind::Text | Kind::Reference, value) => value.is_string(),
        (Kind::Moment | Kind::Complex, _) => false,
    };
    if fits {
        Ok(Filter::Compare(target, operator, value))
    } else {
        Err(invalid(format!("`{name}` cannot be compared like that")))
    }
}

/// The attribute a name stands for, with or without the URN of its schema.
pub(super) fn target(name: &str, scope: Scope) -> Result<Target, Refusal> {
    find(name, scope).ok_or_else(|| invalid(format!("there is no attribute `{name}`")))
}

fn find(name: &str, scope: Scope) -> Option<Target> {
    let resource = match scope {
        Scope::Inside(attribute) => {
            return Some(Target {
                holder: None,
                attribute: named(attribute.inner, name)?,
                inner: None,
            });
        }
        Scope::Resource(resource) => resource,
    };
    let (urn, name) = name
        .rsplit_once(':')
        .map_or((None, name), |(urn, name)| (Some(urn), name));
    let (first, inner) = name
        .split_once('.')
        .map_or((name, None), |(first, inner)| (first, Some(inner)));
    let (holder, attribute) = match urn {
        None => (None, resource.attribute(first)?),
        Some(urn) if urn.eq_ignore_ascii_case(resource.schema().urn) => {
            (None, resource.attribute(first)?)
        }
        Some(urn) => {
            let extension = extension(resource, urn)?;
            (Some(extension.urn), named(extension.attributes, first)?)
        }
    };
    let inner = match inner {
        None => None,
        Some(inner) => Some(named(attribute.inner, inner)?),
    };
    Some(Target {
        holder,
        attribute,
        inner,
    })
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::bad("invalidFilter", detail)
}
