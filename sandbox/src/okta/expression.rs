//! The part of Okta's expression language that group rules, profile mappings and user name templates need.
//!
//! Source: "Okta Expression Language overview" in Okta's developer documentation.

use serde_json::Value;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Literal(Value),
    /// An attribute of an object, such as `user.department`.
    Attribute(String, String),
    Call(String, Vec<Self>),
    Not(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    Conditional(Box<[Self; 3]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Plus,
}

/// The values that an expression reads.
pub(super) trait Context {
    /// Returns an attribute, such as `department` of `user`; null if it has no value.
    fn attribute(&self, object: &str, name: &str) -> Value;

    /// Returns whether the user is a member of a group that `is_wanted` selects by id and name.
    fn is_member(&self, is_wanted: &dyn Fn(&str, &str) -> bool) -> bool;
}

impl Expression {
    /// Parses an expression. The error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            position: 0,
        };
        let expression = parser.conditional()?;
        match parser.tokens.get(parser.position) {
            None => Ok(expression),
            Some(token) => Err(format!("Unexpected {token:?}")),
        }
    }

    /// Parses a template of user names, such as `${fn:toLowerCase(source.email)}`.
    pub(super) fn parse_template(template: &str) -> Result<Self, String> {
        let inner = template
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        Self::parse(&inner.unwrap_or(template).replace("fn:", "String."))
    }

    /// Returns the value of the expression; null if a part of it has no value.
    pub(super) fn evaluate(&self, context: &impl Context) -> Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Attribute(object, name) => context.attribute(object, name),
            Self::Call(function, arguments) => call(function, arguments, context),
            Self::Not(inner) => (!inner.is_true(context)).into(),
            Self::Conditional(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if condition.is_true(context) { yes } else { no }.evaluate(context)
            }
            Self::Binary(operator, left, right) => match operator {
                Operator::Or => (left.is_true(context) || right.is_true(context)).into(),
                Operator::And => (left.is_true(context) && right.is_true(context)).into(),
                Operator::Equal => (left.evaluate(context) == right.evaluate(context)).into(),
                Operator::NotEqual => (left.evaluate(context) != right.evaluate(context)).into(),
                Operator::Plus => {
                    let text = |part: &Self| part.text(context).unwrap_or_default();
                    format!("{}{}", text(left), text(right)).into()
                }
            },
        }
    }

    /// Returns the attributes that the expression reads, each with its object.
    pub(super) fn attributes(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Attribute(object, name) => vec![(object, name)],
            Self::Call(_, arguments) => arguments.iter().flat_map(Self::attributes).collect(),
            Self::Not(inner) => inner.attributes(),
            Self::Binary(_, left, right) => [left.attributes(), right.attributes()].concat(),
            Self::Conditional(parts) => parts.iter().flat_map(Self::attributes).collect(),
        }
    }

    pub(super) fn is_true(&self, context: &impl Context) -> bool {
        self.evaluate(context) == Value::Bool(true)
    }

    /// Returns the value as text; `None` if there is no value.
    pub(super) fn text(&self, context: &impl Context) -> Option<String> {
        match self.evaluate(context) {
            Value::Null => None,
            Value::String(text) => Some(text),
            value => Some(value.to_string()),
        }
    }
}

fn call(function: &str, arguments: &[Expression], context: &impl Context) -> Value {
    let texts: Vec<Option<String>> = arguments.iter().map(|part| part.text(context)).collect();
    let texts: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
    let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
    match function {
        "isMemberOfGroup" | "isMemberOfAnyGroup" => {
            return context.is_member(&|id, _| texts.contains(&id)).into();
        }
        "isMemberOfGroupName" => return context.is_member(&|_, name| texts.contains(&name)).into(),
        "isMemberOfGroupNameStartsWith" => {
            return context
                .is_member(&|_, name| any(&|text| name.starts_with(text)))
                .into();
        }
        "isMemberOfGroupNameContains" => {
            return context
                .is_member(&|_, name| any(&|text| name.contains(text)))
                .into();
        }
        _ => {}
    }
    match (function, texts.as_slice()) {
        ("String.startsWith", [text, prefix]) => text.starts_with(prefix).into(),
        ("String.stringContains", [text, part]) => text.contains(part).into(),
        ("String.startsWith" | "String.stringContains", _) => false.into(),
        ("String.toLowerCase", [text]) => text.to_lowercase().into(),
        ("String.toUpperCase", [text]) => text.to_uppercase().into(),
        ("String.removeSpaces", [text]) => text.replace(' ', "").into(),
        ("String.append", [text, suffix]) => format!("{text}{suffix}").into(),
        ("String.join", [separator, parts @ ..]) => parts.join(separator).into(),
        ("String.substringBefore", [text, separator]) => {
            text.split(separator).next().unwrap_or_default().into()
        }
        ("String.substringAfter", [text, separator]) => match text.split_once(separator) {
            Some((_, after)) => after.into(),
            None => "".into(),
        },
        ("String.replace", [text, from, to]) => text.replace(from, to).into(),
        _ => Value::Null,
    }
}

/// The functions that [`call`] knows.
const FUNCTIONS: [&str; 15] = [
    "isMemberOfGroup",
    "isMemberOfAnyGroup",
    "isMemberOfGroupName",
    "isMemberOfGroupNameStartsWith",
    "isMemberOfGroupNameContains",
    "String.startsWith",
    "String.stringContains",
    "String.toLowerCase",
    "String.toUpperCase",
    "String.removeSpaces",
    "String.append",
    "String.join",
    "String.substringBefore",
    "String.substringAfter",
    "String.replace",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 12] = [
    "==", "!=", "&&", "||", "!", "+", "(", ")", ",", "?", ":", ".",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '\'' {
            let inner = &rest[1..];
            let end = inner.find(first).ok_or("A string has no end")?;
            tokens.push(Token::Text(inner[..end].to_owned()));
            rest = &inner[end + 1..];
        } else {
            let is_end = |character: char| !character.is_alphanumeric() && character != '_';
            let end = rest.find(is_end).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("Unexpected character {first}"));
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
}

impl Parser {
    fn take(&mut self, wanted: &[&str]) -> bool {
        let found = match self.tokens.get(self.position) {
            Some(Token::Sign(sign)) => wanted.contains(sign),
            Some(Token::Word(word)) => wanted.contains(&word.as_str()),
            _ => false,
        };
        self.position += usize::from(found);
        found
    }

    fn require(&mut self, sign: &str) -> Result<(), String> {
        self.take(&[sign])
            .then_some(())
            .ok_or_else(|| format!("{sign} is missing"))
    }

    fn conditional(&mut self) -> Result<Expression, String> {
        let condition = self.or()?;
        if !self.take(&["?"]) {
            return Ok(condition);
        }
        let yes = self.conditional()?;
        self.require(":")?;
        let no = self.conditional()?;
        Ok(Expression::Conditional(Box::new([condition, yes, no])))
    }

    fn binary(
        &mut self,
        operators: &[(&[&str], Operator)],
        operand: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = operand(self)?;
        'next: loop {
            for (signs, operator) in operators {
                if self.take(signs) {
                    let right = Box::new(operand(self)?);
                    left = Expression::Binary(*operator, Box::new(left), right);
                    continue 'next;
                }
            }
            return Ok(left);
        }
    }

    fn or(&mut self) -> Result<Expression, String> {
        self.binary(&[(&["||", "OR", "or"], Operator::Or)], Self::and)
    }

    fn and(&mut self) -> Result<Expression, String> {
        self.binary(&[(&["&&", "AND", "and"], Operator::And)], Self::comparison)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let operators: [(&[&str], Operator); 2] = [
            (&["==", "eq"], Operator::Equal),
            (&["!=", "ne"], Operator::NotEqual),
        ];
        self.binary(&operators, Self::sum)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.binary(&[(&["+"], Operator::Plus)], Self::operand)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        if self.take(&["!", "NOT", "not"]) {
            return Ok(Expression::Not(Box::new(self.operand()?)));
        }
        if self.take(&["("]) {
            let inner = self.conditional()?;
            self.require(")")?;
            return Ok(inner);
        }
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        let word = match token {
            Some(Token::Text(text)) => return Ok(Expression::Literal(text.into())),
            Some(Token::Word(word)) => word,
            Some(Token::Sign(sign)) => return Err(format!("Unexpected {sign}")),
            None => return Err("The expression is not complete".to_owned()),
        };
        if let Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) =
            serde_json::from_str(&word)
        {
            return Ok(Expression::Literal(value));
        }
        let name = if self.take(&["."]) {
            let Some(Token::Word(name)) = self.tokens.get(self.position).cloned() else {
                return Err(format!("An attribute of {word} is missing"));
            };
            self.position += 1;
            Some(name)
        } else {
            None
        };
        if self.take(&["("]) {
            let function = name.map_or_else(|| word.clone(), |name| format!("{word}.{name}"));
            return self.arguments(function);
        }
        match name {
            Some(name) => Ok(Expression::Attribute(word, name)),
            None => Err(format!("Unknown name {word}")),
        }
    }

    fn arguments(&mut self, function: String) -> Result<Expression, String> {
        if !FUNCTIONS.contains(&function.as_str()) {
            return Err(format!("Unknown function {function}"));
        }
        let mut arguments = Vec::new();
        while !self.take(&[")"]) {
            if !arguments.is_empty() {
                self.require(",")?;
            }
            arguments.push(self.conditional()?);
        }
        Ok(Expression::Call(function, arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ada;

    impl Context for Ada {
        fn attribute(&self, object: &str, name: &str) -> Value {
            match (object, name) {
                ("user", "department") => "Platform".into(),
                ("user" | "source", "email") => "Ada@Example.com".into(),
                _ => Value::Null,
            }
        }

        fn is_member(&self, is_wanted: &dyn Fn(&str, &str) -> bool) -> bool {
            is_wanted("00g1", "aws-users")
        }
    }

    #[track_caller]
    fn check(expression: &str, expected: impl Into<Value>) {
        let parsed = Expression::parse(expression).expect("an expression");
        assert_eq!(parsed.evaluate(&Ada), expected.into(), "{expression}");
    }

    #[test]
    fn conditions_have_the_operators_of_the_language() {
        check(r#"user.department=="Platform""#, true);
        check(r#"user.department != "Platform""#, false);
        check(r#"user.title == null AND !(user.department == "x")"#, true);
        check(r#"user.department == "x" || user.title != null"#, false);
        check(r#"user.title == null ? "none" : user.title"#, "none");
    }

    #[test]
    fn functions_read_text_and_memberships() {
        check(r#"String.startsWith(user.department, "Plat")"#, true);
        check(r#"String.stringContains(user.title, "Plat")"#, false);
        check(r#"String.substringBefore(user.email, "@") + "!""#, "Ada!");
        check(r#"isMemberOfAnyGroup("00g0", "00g1")"#, true);
        check(r#"isMemberOfGroupName("admins")"#, false);
        check(r#"isMemberOfGroupNameStartsWith("aws-")"#, true);
    }

    #[test]
    fn a_template_is_an_expression_with_functions_of_its_own_prefix() {
        let template = Expression::parse_template("${fn:toLowerCase(source.email)}");
        assert_eq!(
            template.expect("a template").evaluate(&Ada),
            Value::from("ada@example.com")
        );
    }

    #[test]
    fn an_invalid_expression_is_refused() {
        for text in [
            "",
            "user.",
            "ada",
            "reverse(user.email)",
            r#"user.a == "x"#,
            "(user.a",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
