//! Filters (RFC 7644 section 3.4.2.2): parsing and evaluation.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    profile::{Grammar, ResourceType},
    reply::Refusal,
    schema::{Attribute, Kind, Returned},
};

/// A parsed filter, resolved against the schemas.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Present(Target),
    Compare(Target, Operator, Value),
    /// Matches if a single value of a multi-valued attribute matches the complete inner filter.
    Each(Target, Box<Self>),
}

/// An attribute or a sub-attribute.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The URN of the extension that contains the attribute; `None` for other attributes.
    pub(super) holder: Option<&'static str>,
    pub(super) attribute: &'static Attribute,
    pub(super) sub_attribute: Option<&'static Attribute>,
}

/// A comparison operator.
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

/// The scope of the attribute names in a filter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// The attributes of a resource.
    Resource(ResourceType),
    /// The sub-attributes of a multi-valued attribute.
    Inside(ResourceType, &'static Attribute),
}

/// The maximum nesting depth of parentheses and brackets.
const MAX_DEPTH: usize = 50;

impl Filter {
    /// Parses the filter of a list.
    ///
    /// # Errors
    ///
    /// Returns an error if the filter is malformed, or if the service does not support it.
    pub(super) fn read(text: &str, resource_type: ResourceType) -> Result<Self, Refusal> {
        let grammar = resource_type.profile.list_filters;
        let mut parser = Parser::new(text, grammar);
        let filter = parser.or_expression(Scope::Resource(resource_type.in_filters()))?;
        parser.skip_spaces();
        if !parser.rest.is_empty() {
            return Err(parser.syntax_error("the end"));
        }
        let names = &parser.names;
        let is_allowed = |allowed: &&[&str]| match (*allowed, names.as_slice()) {
            ([known], [name]) => name.eq_ignore_ascii_case(known),
            // A service that lists combinations documents them in one spelling.
            (allowed, names) => {
                allowed.len() == names.len() && allowed.iter().all(|known| names.contains(known))
            }
        };
        match resource_type.rules().filters {
            Some(filters) if !filters.iter().any(is_allowed) => Err(invalid(format!(
                "a filter on {} is not supported",
                names.join(", ")
            ))),
            _ => Ok(filter),
        }
    }

    /// Parses a filter in brackets in a path; returns the filter and the text after the closing bracket.
    pub(super) fn read_inside<'t>(
        text: &'t str,
        resource_type: ResourceType,
        attribute: &'static Attribute,
    ) -> Result<(Self, &'t str), Refusal> {
        let mut parser = Parser::new(text, resource_type.profile.path_filters);
        let filter = parser.group(Scope::Inside(resource_type, attribute), ']')?;
        Ok((filter, parser.rest))
    }

    /// Returns the filters that all have to match.
    pub(super) fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(one, other) => [one.conjuncts(), other.conjuncts()].concat(),
            other => vec![other],
        }
    }

    /// Returns the attribute and the text of a comparison with `eq`.
    pub(super) fn equality(&self) -> Option<(&Target, &str)> {
        match self {
            Self::Compare(target, Operator::Eq, Value::String(text)) => Some((target, text)),
            _ => None,
        }
    }

    pub(super) fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::And(one, other) => one.matches(object) && other.matches(object),
            Self::Or(one, other) => one.matches(object) || other.matches(object),
            Self::Not(inner) => !inner.matches(object),
            Self::Present(target) => target.values(object).into_iter().any(|value| *value != ""),
            Self::Compare(target, operator, wanted) => target.compare(object, *operator, wanted),
            Self::Each(target, inner) => target
                .values(object)
                .into_iter()
                .any(|value| value.as_object().is_some_and(|value| inner.matches(value))),
        }
    }
}

impl Target {
    /// Returns the name in dotted form, without the URN of an extension.
    pub(super) fn name(&self) -> String {
        match self.sub_attribute {
            Some(inner) => format!("{}.{}", self.attribute.name, inner.name),
            None => self.attribute.name.to_owned(),
        }
    }

    /// Returns the compared attribute: the sub-attribute if the target names one, else the attribute itself.
    pub(super) fn last(&self) -> &'static Attribute {
        self.sub_attribute.unwrap_or(self.attribute)
    }

    /// Returns all values; a list contributes each of its items.
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
        match self.sub_attribute {
            None => values,
            Some(inner) => values
                .into_iter()
                .filter_map(|value| value.get(inner.name))
                .collect(),
        }
    }

    fn compare(&self, object: &Map<String, Value>, operator: Operator, wanted: &Value) -> bool {
        let values = self.values(object);
        // Null counts as "no value" (RFC 7643 section 2.5).
        if wanted.is_null() {
            return (operator == Operator::Eq) == values.is_empty();
        }
        let equal = |value: &&Value| self.matches(value, Operator::Eq, wanted);
        match operator {
            Operator::Ne => !values.iter().any(equal),
            operator => values
                .into_iter()
                .any(|value| self.matches(value, operator, wanted)),
        }
    }

    fn matches(&self, value: &Value, operator: Operator, wanted: &Value) -> bool {
        let attribute = self.last();
        match (value, wanted) {
            (Value::String(value), Value::String(wanted)) if attribute.kind == Kind::DateTime => {
                let (Ok(value), Ok(wanted)) =
                    (value.parse::<Timestamp>(), wanted.parse::<Timestamp>())
                else {
                    return false;
                };
                operator.orders(value.cmp(&wanted))
            }
            (Value::String(value), Value::String(wanted)) => {
                let fold = |text: &str| {
                    if attribute.case_exact {
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
    grammar: Grammar,
    /// The compared attributes, as written.
    names: Vec<&'t str>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, grammar: Grammar) -> Self {
        Self {
            text,
            rest: text,
            depth: 0,
            grammar,
            names: Vec::new(),
        }
    }

    fn or_expression(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        let mut left = self.and_expression(scope)?;
        while self.grammar == Grammar::Full && self.keyword("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and_expression(scope)?));
        }
        Ok(left)
    }

    fn and_expression(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        let mut left = self.term(scope)?;
        while self.grammar != Grammar::Comparison && self.keyword("and") {
            left = Filter::And(Box::new(left), Box::new(self.term(scope)?));
        }
        Ok(left)
    }

    /// Reads a comparison, or a filter in parentheses or brackets.
    fn term(&mut self, scope: Scope) -> Result<Filter, Refusal> {
        let full = self.grammar == Grammar::Full;
        self.skip_spaces();
        if full && self.take('(') {
            return self.group(scope, ')');
        }
        let name = self.word();
        if full && name.eq_ignore_ascii_case("not") {
            self.skip_spaces();
            if self.take('(') {
                return Ok(Filter::Not(Box::new(self.group(scope, ')')?)));
            }
        }
        let target = target(scope.without_alias(name), scope)?;
        self.names.push(name);
        if full && self.take('[') {
            if !target.attribute.multi_valued || target.sub_attribute.is_some() {
                return Err(invalid(format!(
                    "`{name}` is not a multi-valued complex attribute"
                )));
            }
            let inner = self.group(scope.inside(target.attribute), ']')?;
            return Ok(Filter::Each(target, Box::new(inner)));
        }
        self.skip_spaces();
        let operator = self.word();
        if full && operator.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(target));
        }
        let operator = Operator::of(operator).ok_or_else(|| self.syntax_error("an operator"))?;
        self.skip_spaces();
        let value = self.value()?;
        let is_text = value.as_str().is_some_and(|text| !text.is_empty());
        let is_equality = operator == Operator::Eq && is_text;
        if !full && !is_equality {
            return Err(self.syntax_error("`eq` and a text"));
        }
        comparison(target, operator, value)
    }

    /// Reads the filter up to the closing parenthesis or bracket `end`.
    fn group(&mut self, scope: Scope, end: char) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(invalid(format!(
                "parentheses and brackets are nested deeper than {MAX_DEPTH} levels"
            )));
        }
        let inner = self.or_expression(scope)?;
        self.skip_spaces();
        self.depth -= 1;
        if self.take(end) {
            Ok(inner)
        } else {
            Err(self.syntax_error(&end.to_string()))
        }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        if !self.rest.starts_with('"') {
            let word = self.word();
            return serde_json::from_str(word)
                .ok()
                .filter(|value: &Value| !value.is_array() && !value.is_object())
                .ok_or_else(|| self.syntax_error("a JSON value"));
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = &self.rest[values.byte_offset()..];
                Ok(value)
            }
            _ => Err(self.syntax_error("a JSON string")),
        }
    }

    /// Reads the text before the next space, bracket or parenthesis.
    fn word(&mut self) -> &'t str {
        let end = self.rest.find([' ', '[', ']', '(', ')']);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        self.skip_spaces();
        let spaced = self.rest.len() < before.len();
        if spaced && self.word().eq_ignore_ascii_case(keyword) {
            return true;
        }
        self.rest = before;
        false
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, wanted: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn syntax_error(&self, expected: &str) -> Refusal {
        let column = self.text.len() - self.rest.len() + 1;
        invalid(format!("expected {expected} at column {column}"))
    }
}

fn comparison(target: Target, operator: Operator, value: Value) -> Result<Filter, Refusal> {
    // A multi-valued complex attribute is compared by its `value` (RFC 7644 section 3.4.2.2).
    let mut target = target;
    if target.attribute.multi_valued && target.sub_attribute.is_none() {
        target.sub_attribute = target
            .attribute
            .sub_attributes
            .iter()
            .find(|attribute| attribute.name == "value");
    }
    let attribute = target.last();
    let name = attribute.name;
    if attribute.returned == Returned::Never {
        return Err(invalid(format!("`{name}` cannot be used in a filter")));
    }
    let valid = match (attribute.kind, &value) {
        (_, Value::Null) => matches!(operator, Operator::Eq | Operator::Ne),
        (Kind::Boolean, value) => {
            value.is_boolean() && matches!(operator, Operator::Eq | Operator::Ne)
        }
        (Kind::Binary, value) => {
            value.is_string() && matches!(operator, Operator::Eq | Operator::Ne)
        }
        (Kind::DateTime, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Kind::String | Kind::Reference, value) => value.is_string(),
        (Kind::DateTime | Kind::Complex, _) => false,
    };
    if valid {
        Ok(Filter::Compare(target, operator, value))
    } else {
        Err(invalid(format!(
            "`{name}` does not support this operator with this value"
        )))
    }
}

impl Scope {
    /// Returns the attribute that a name in a filter means.
    fn without_alias(self, name: &str) -> &str {
        let aliases = match self {
            Self::Resource(resource_type) => resource_type.rules().filter_aliases,
            Self::Inside(..) => &[],
        };
        aliases
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
            .map_or(name, |(_, full)| full)
    }

    /// Returns the scope of a filter in brackets after `attribute`.
    fn inside(self, attribute: &'static Attribute) -> Self {
        match self {
            Self::Resource(resource_type) | Self::Inside(resource_type, _) => {
                Self::Inside(resource_type, attribute)
            }
        }
    }
}

/// Resolves an attribute name, with or without the URN of its schema.
pub(super) fn target(name: &str, scope: Scope) -> Result<Target, Refusal> {
    find(name, scope).ok_or_else(|| invalid(format!("the attribute `{name}` does not exist")))
}

fn find(name: &str, scope: Scope) -> Option<Target> {
    let resource_type = match scope {
        Scope::Inside(resource_type, attribute) => {
            return Some(Target {
                holder: None,
                attribute: resource_type.named(attribute.sub_attributes, name)?,
                sub_attribute: None,
            });
        }
        Scope::Resource(resource_type) => resource_type,
    };
    let (urn, name) = name
        .rsplit_once(':')
        .map_or((None, name), |(urn, name)| (Some(urn), name));
    let (first, inner) = name
        .split_once('.')
        .map_or((name, None), |(first, inner)| (first, Some(inner)));
    let (holder, attribute) = match urn {
        None => (None, resource_type.attribute(first)?),
        Some(urn) if resource_type.is_name(resource_type.schema().urn, urn) => {
            (None, resource_type.attribute(first)?)
        }
        Some(urn) => {
            let extension = resource_type.extension(urn)?;
            let attribute = resource_type.named(extension.attributes, first)?;
            (Some(extension.urn), attribute)
        }
    };
    let sub_attribute = match inner {
        None => None,
        Some(inner) => Some(resource_type.named(attribute.sub_attributes, inner)?),
    };
    Some(Target {
        holder,
        attribute,
        sub_attribute,
    })
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::bad("invalidFilter", detail)
}
