use std::{borrow::Cow, cmp::Ordering};

use serde_json::{Map, Number, Value};

use super::{AttributePath, Comparison, Filter, Literal, Operator, instant};
use crate::{Schemas, names, schema};

impl Filter {
    /// Returns whether a resource, as JSON, fulfils the filter.
    ///
    /// Names are the same in any case, and so are texts, unless the RFC says `caseExact` of the
    /// attribute or it is a reference (RFC 7643 sections 2.2, 2.3.7 and 8.7.1). Of several values one
    /// is enough; an attribute that is absent, `null` or an empty list equals `null`. Texts that are
    /// both moments are compared as moments.
    ///
    /// # Errors
    ///
    /// When the filter asks for an order that values do not have, as of booleans: what a server
    /// answers with 400 and `invalidFilter`.
    pub fn matches(&self, resource: &Value) -> Result<bool, EvaluateFilterError> {
        self.holds(resource, Scope::default())
    }

    /// Returns whether a resource, as JSON, fulfils the filter, by what its schemas say of `caseExact`.
    ///
    /// It is [`matches`](Self::matches) for resources of a server's own; what a schema leaves unsaid is as there.
    ///
    /// # Errors
    ///
    /// As [`matches`](Self::matches).
    pub fn matches_with(
        &self,
        resource: &Value,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            parent: None,
            schemas: Some(schemas),
        };
        self.holds(resource, scope)
    }

    /// Returns whether one element of the attribute `of` fulfils the filter; its paths start there.
    pub(crate) fn matches_element(
        &self,
        element: &Value,
        of: &AttributePath,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            parent: Some(of),
            schemas: Some(schemas),
        };
        self.holds(&as_object(element), scope)
    }

    /// Returns the attribute and the text of a filter that is `eq` and no more, if no other text is the same to it.
    pub(crate) fn plain_text(&self) -> Option<(&AttributePath, &str)> {
        match self {
            Self::Compare(comparison) => Some((&comparison.attribute, comparison.plain_text()?)),
            _ => None,
        }
    }

    /// Returns the text of an element that such a filter compares, if it is plain.
    pub(crate) fn plain_value<'v>(&self, element: &'v Value) -> Option<&'v str> {
        match self {
            Self::Compare(comparison) => comparison.plain_value(element),
            _ => None,
        }
    }

    fn holds(&self, of: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        match self {
            Self::Present(attribute) => Ok(values(of, attribute).into_iter().any(is_present)),
            Self::Compare(comparison) => comparison.holds(of, scope),
            Self::Elements(elements) => {
                let inside = Scope {
                    parent: Some(elements.attribute()),
                    ..scope
                };
                for element in elements_of(of, elements.attribute()) {
                    if elements.filter().holds(&element, inside)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(filter) => filter.holds(of, scope).map(|holds| !holds),
            Self::And(terms) => {
                // A term that cannot be evaluated is an error wherever it stands.
                terms
                    .iter()
                    .try_fold(true, |all, term| Ok(term.holds(of, scope)? && all))
            }
            Self::Or(terms) => terms
                .iter()
                .try_fold(false, |any, term| Ok(term.holds(of, scope)? || any)),
        }
    }
}

impl Comparison {
    fn holds(&self, of: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        if self.is_plainly_other(of) {
            return Ok(false);
        }
        let rule = Rule {
            operator: self.operator,
            literal: &self.value,
            case_exact: scope.is_case_exact(&self.attribute),
        };
        let unordered = || EvaluateFilterError {
            attribute: self.attribute.to_string(),
            operator: self.operator,
        };
        if is_order(self.operator) && matches!(self.value, Literal::Boolean(_) | Literal::Null) {
            return Err(unordered());
        }
        let mut found = false;
        for value in values(of, &self.attribute) {
            let value = value.map(default_value);
            if is_order(self.operator) && matches!(value, Some(Value::Bool(_))) {
                return Err(unordered());
            }
            found |= rule.holds(value);
        }
        Ok(found)
    }
}

impl Comparison {
    /// Says whether `eq` does not hold for a reason that is quickly seen: a text is there that is another
    /// one in whatever case. Most members of a large group are passed over by it.
    fn is_plainly_other(&self, of: &Value) -> bool {
        self.plain_value(of).is_some_and(|value| {
            self.plain_text()
                .is_some_and(|text| !value.eq_ignore_ascii_case(text))
        })
    }

    /// Returns the text that `eq` is said of, if another text in whatever case is never the same: other letters may be
    /// the same in lower case, and other texts the same moment.
    fn plain_text(&self) -> Option<&str> {
        let (Operator::Eq, Literal::String(text)) = (self.operator, &self.value) else {
            return None;
        };
        let plain = self.attribute.schema().is_none() && self.attribute.sub_attribute().is_none();
        let text = Some(text.as_str()).filter(|text| plain && text.is_ascii())?;
        instant::parse(text).is_none().then_some(text)
    }

    /// Returns the value that is compared, if it is there as it is spelled, and a text of plain letters.
    fn plain_value<'v>(&self, of: &'v Value) -> Option<&'v str> {
        let value = of.get(self.attribute.name()).and_then(Value::as_str);
        value.filter(|value| value.is_ascii())
    }
}

/// A filter asks for an order that the values of an attribute do not have.
#[derive(Debug, thiserror::Error)]
#[error("`{attribute}` cannot be compared with `{operator}`, because its values have no order")]
pub struct EvaluateFilterError {
    attribute: String,
    operator: Operator,
}

/// What one value is held against.
struct Rule<'a> {
    operator: Operator,
    literal: &'a Literal,
    case_exact: bool,
}

impl Rule<'_> {
    fn holds(&self, value: Option<&Value>) -> bool {
        let order = match (value.unwrap_or(&Value::Null), self.literal) {
            (Value::String(value), Literal::String(literal)) => return self.texts(value, literal),
            (Value::Null, Literal::Null) => Some(Ordering::Equal),
            (Value::Number(value), Literal::Number(literal)) => compare_numbers(value, literal),
            (Value::Bool(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
            // Microsoft Entra writes a boolean as a text, in the filter or in the resource.
            (Value::Bool(value), Literal::String(text))
            | (Value::String(text), Literal::Boolean(value)) => {
                names::boolean(text).map(|text| text.cmp(value))
            }
            _ => None,
        };
        match self.operator {
            Operator::Co | Operator::Sw | Operator::Ew => false,
            operator => holds_order(operator, order),
        }
    }

    fn texts(&self, value: &str, literal: &str) -> bool {
        let (value, literal) = if self.case_exact {
            (Cow::Borrowed(value), Cow::Borrowed(literal))
        } else {
            (fold(value), fold(literal))
        };
        match self.operator {
            Operator::Co => value.contains(&*literal),
            Operator::Sw => value.starts_with(&*literal),
            Operator::Ew => value.ends_with(&*literal),
            operator => {
                let instants = instant::parse(&value).zip(instant::parse(&literal));
                let order = instants.map_or_else(
                    || value.cmp(&literal),
                    |(value, literal)| value.cmp(&literal),
                );
                holds_order(operator, Some(order))
            }
        }
    }
}

fn is_order(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
    )
}

/// Says whether an operator holds for an order; values without one are different.
fn holds_order(operator: Operator, order: Option<Ordering>) -> bool {
    match operator {
        Operator::Ne => order != Some(Ordering::Equal),
        Operator::Gt => order.is_some_and(Ordering::is_gt),
        Operator::Ge => order.is_some_and(Ordering::is_ge),
        Operator::Lt => order.is_some_and(Ordering::is_lt),
        Operator::Le => order.is_some_and(Ordering::is_le),
        _ => order == Some(Ordering::Equal),
    }
}

/// Compares whole numbers exactly, and others as doubles.
fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn fold(text: &str) -> Cow<'_, str> {
    let lower = text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if lower {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// Where a filter is evaluated.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// The attribute that what is looked at is an element of.
    parent: Option<&'a AttributePath>,
    /// What is known of the attributes, besides what RFC 7643 says.
    schemas: Option<&'a Schemas>,
}

impl Scope<'_> {
    /// Says whether upper and lower case are different in an attribute: the schemas, where they say it, or else RFC 7643
    /// (sections 2.3.7 and 8.7.1).
    fn is_case_exact(self, attribute: &AttributePath) -> bool {
        let (holder, name, sub_attribute) = match self.parent {
            Some(parent) => (parent, parent.name(), Some(attribute.name())),
            None => (attribute, attribute.name(), attribute.sub_attribute()),
        };
        let said = self.schemas.and_then(|schemas| {
            let extension = holder.schema().filter(|urn| !schema::is_core_urn(urn));
            let extension = extension.filter(|urn| {
                let is_core = |core: &str| core.eq_ignore_ascii_case(urn);
                !schemas.core().is_some_and(is_core)
            });
            schemas.case_exact(extension, name, sub_attribute)
        });
        said.unwrap_or_else(|| is_case_exact(name, sub_attribute.unwrap_or("value")))
    }
}

/// Says whether RFC 7643 makes upper and lower case different in an attribute.
fn is_case_exact(name: &str, sub_attribute: &str) -> bool {
    let is = |text: &str, other: &str| text.eq_ignore_ascii_case(other);
    let listed = CASE_EXACT.iter().any(|(exact_name, exact_sub_attribute)| {
        is(name, exact_name) && is(sub_attribute, exact_sub_attribute)
    });
    is(name, "$ref") || is(sub_attribute, "$ref") || listed
}

/// What `caseExact` is said of, and references and binary values, which always are.
const CASE_EXACT: &[(&str, &str)] = &[
    ("id", "value"),
    ("externalId", "value"),
    ("profileUrl", "value"),
    ("photos", "value"),
    ("x509Certificates", "value"),
    ("meta", "resourceType"),
    ("meta", "version"),
    ("meta", "location"),
];

/// Returns the values a path leads to: at least one, and `None` for each that is absent.
fn values<'v>(of: &'v Value, path: &AttributePath) -> Vec<Option<&'v Value>> {
    let Some((attribute, sub_attribute)) = attribute(of, path) else {
        return vec![None];
    };
    let inner = |value: &'v Value| match (sub_attribute, value) {
        (None, value) => Some(value),
        (Some(name), Value::Object(attributes)) => lookup(attributes, name),
        // A value that is not complex is its own `value`, as in `schemas.value`.
        (Some(name), value) => name.eq_ignore_ascii_case("value").then_some(value),
    };
    match attribute {
        Value::Array(list) if list.is_empty() => vec![None],
        Value::Array(list) => list.iter().map(inner).collect(),
        value => vec![inner(value)],
    }
}

/// Returns the elements of an attribute, each as an object.
fn elements_of<'v>(of: &'v Value, path: &AttributePath) -> Vec<Cow<'v, Value>> {
    let lists = values(of, path)
        .into_iter()
        .flatten()
        .flat_map(|value| match value {
            Value::Array(list) => list.as_slice(),
            Value::Null => &[],
            value => std::slice::from_ref(value),
        });
    lists.map(as_object).collect()
}

/// Returns an element as an object; one that is none is the `value` of one.
fn as_object(element: &Value) -> Cow<'_, Value> {
    match element {
        Value::Object(_) => Cow::Borrowed(element),
        value => Cow::Owned(Value::from(Map::from_iter([(
            "value".to_owned(),
            value.clone(),
        )]))),
    }
}

/// Returns the attribute of a path, and the name of the sub-attribute that is left to look up.
fn attribute<'v, 'p>(
    of: &'v Value,
    path: &'p AttributePath,
) -> Option<(&'v Value, Option<&'p str>)> {
    let attributes = of.as_object()?;
    let (name, sub_attribute) = (path.name(), path.sub_attribute());
    let Some(schema) = path.schema() else {
        return Some((lookup(attributes, name)?, sub_attribute));
    };
    // A path may be the URN of an extension itself, whose last part then looks like an attribute.
    if let Some(extension) = lookup(attributes, &format!("{schema}:{name}")) {
        return Some((extension, sub_attribute));
    }
    let within = match lookup(attributes, schema) {
        Some(extension) => extension.as_object()?,
        None if schema::is_core_urn(schema) => attributes,
        None => return None,
    };
    Some((lookup(within, name)?, sub_attribute))
}

fn lookup<'v>(attributes: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    names::find(attributes, name).map(|(_, value)| value)
}

/// Returns what is compared when the path names a complex attribute as a whole: its `value`.
fn default_value(value: &Value) -> &Value {
    value
        .as_object()
        .and_then(|attributes| lookup(attributes, "value"))
        .unwrap_or(value)
}

fn is_present(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(attributes)) => !attributes.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "Ab7",
            "externalId": "X1",
            "userName": "Ada@Example.com",
            "active": true,
            "title": "",
            "logins": 12,
            "serial": 9_007_199_254_740_993_u64,
            "nothing": null,
            "none": [],
            "name": {"familyName": "Lovelace"},
            "emails": [
                {"value": "ada@example.com", "type": "work", "primary": true},
                {"value": "ADA@home.example", "type": "home"}
            ],
            "friends": [{"$ref": "Users/Charles"}],
            "tags": ["red", "Blue"],
            "meta": {"created": "2011-05-13T04:42:34Z", "version": "W/\"A\""},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "department": "Engines", "manager": {"value": "m1"}
            }
        })
    }

    #[track_caller]
    fn yes(filter: &str) {
        assert!(
            Filter::parse(filter).unwrap().matches(&ada()).unwrap(),
            "{filter}"
        );
    }

    #[track_caller]
    fn no(filter: &str) {
        assert!(
            !Filter::parse(filter).unwrap().matches(&ada()).unwrap(),
            "{filter}"
        );
    }

    #[test]
    fn texts_are_the_same_in_any_case_unless_the_rfc_says_otherwise() {
        yes(r#"USERNAME eq "ada@EXAMPLE.com""#);
        yes(r#"name.familyname sw "LOVE""#);
        no(r#"id eq "ab7""#);
        yes(r#"id eq "Ab7""#);
        no(r#"externalId eq "x1""#);
        no(r#"meta.version co "a""#);
        no(r#"friends[$ref eq "users/charles"]"#);
        yes(r#"friends.$ref ew "/Charles""#);
        yes(r#"friends[$ref eq "Users/Charles"]"#);
    }

    #[test]
    fn absent_null_and_the_empty_list_are_null_and_not_present() {
        for name in ["absent", "nothing", "none", "name.middleName"] {
            yes(&format!(
                "{name} eq null and not ({name} pr) and {name} ne \"x\""
            ));
            no(&format!(
                "{name} ne null or {name} eq \"x\" or {name} gt \"a\""
            ));
        }
        no("title pr or title eq null");
        yes("name pr and emails pr and active pr and logins pr");
        yes("userName ne null");
    }

    #[test]
    fn one_of_several_values_is_enough() {
        yes(r#"emails co "home""#);
        yes(r#"emails.type eq "work" and emails.value co "home""#);
        yes(r#"tags eq "blue" and tags.value eq "red""#);
        no(r#"emails.type eq "other""#);
        yes("emails.primary eq null and emails.primary eq true");
    }

    #[test]
    fn brackets_look_at_one_element_at_a_time() {
        no(r#"emails[type eq "work" and value co "home"]"#);
        yes(r#"emails[type eq "home" and value co "HOME"]"#);
        yes(r#"tags[value eq "red"] and name[familyName pr]"#);
        no("none[value pr] or absent[value pr] or nothing[value pr]");
    }

    #[test]
    fn a_schema_leads_to_its_extension_or_to_the_top() {
        yes("urn:ietf:params:scim:schemas:core:2.0:User:userName pr");
        yes(
            r#"URN:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "engines""#,
        );
        yes(r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m1""#);
        yes("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr");
        no("urn:acme:2.0:User:userName pr");
    }

    #[test]
    fn moments_are_compared_as_moments() {
        yes(r#"meta.created eq "2011-05-13T06:42:34.000+02:00""#);
        yes(r#"meta.created gt "2011-05-13T04:42:33.999Z""#);
        no(r#"meta.created lt "2011-05-13T05:42:34+02:00""#);
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_other_types_are_different() {
        yes("logins gt 11.5 and logins le 12 and logins eq 1.2e1");
        yes("logins gt 11 and logins lt 13 and not (logins lt 12 or logins gt 12)");
        // Doubles cannot tell these two apart.
        yes("serial gt 9007199254740992 and serial ne 9007199254740992");
        no(r#"logins eq "12" or logins co 1 or userName eq 12"#);
        yes(r#"logins ne "12""#);
    }

    #[test]
    fn a_boolean_may_be_written_as_a_text() {
        yes(r#"active eq "True" and active eq true and emails[primary eq "TRUE"]"#);
        no(r#"active eq "yes""#);
    }

    #[test]
    fn an_order_of_booleans_is_an_error_wherever_it_stands() {
        for (filter, message) in [
            (
                "active gt true",
                "`active` cannot be compared with `gt`, because its values have no order",
            ),
            (
                "id pr or active le \"a\"",
                "`active` cannot be compared with `le`, because its values have no order",
            ),
            (
                "absent lt null",
                "`absent` cannot be compared with `lt`, because its values have no order",
            ),
        ] {
            let error = Filter::parse(filter).unwrap().matches(&ada()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_schema_of_ones_own_says_where_case_matters() {
        let schema = |id: &str, attributes: Value| -> crate::Schema {
            serde_json::from_value(serde_json::json!({ "id": id, "attributes": attributes }))
                .unwrap()
        };
        let device = schema(
            "urn:x:2.0:Device",
            serde_json::json!([
                { "name": "serial", "caseExact": true },
                { "name": "owner", "caseExact": false },
                { "name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
                    { "name": "value", "caseExact": true }, { "name": "note" },
                ] },
                { "name": "tags", "multiValued": true, "caseExact": true },
            ]),
        );
        let lab = schema(
            "urn:x:2.0:Lab",
            serde_json::json!([{ "name": "room", "caseExact": true }]),
        );
        let schemas = Schemas::new(&device, &[lab]).unwrap();
        let resource = serde_json::json!({
            "serial": "AbC", "owner": "Ada", "externalId": "eX", "tags": ["Red"],
            "parts": [{ "value": "Gear", "note": "Brass" }], "urn:x:2.0:Lab": { "room": "R1" },
        });
        for (filter, exact, without) in [
            (r#"serial eq "abc""#, false, true),
            (r#"serial eq "AbC""#, true, true),
            (r#"urn:x:2.0:Device:serial eq "abc""#, false, false),
            (r#"owner eq "ADA""#, true, true),
            (r#"externalId eq "ex""#, false, false),
            (r#"tags co "red""#, false, true),
            (r#"parts eq "gear""#, false, true),
            (r#"parts.value eq "gear""#, false, true),
            (r#"parts[value eq "gear"]"#, false, true),
            (r#"parts[value eq "Gear" and note eq "brass"]"#, true, true),
            (r#"urn:x:2.0:Lab:room eq "r1""#, false, true),
        ] {
            let parsed = Filter::parse(filter).unwrap();
            assert_eq!(
                parsed.matches_with(&resource, &schemas).unwrap(),
                exact,
                "{filter}"
            );
            assert_eq!(parsed.matches(&resource).unwrap(), without, "{filter}");
        }
    }
}
