//! The path of a PATCH operation.

use super::filter::quoted;
use super::reply::Refusal;
use super::{ENTERPRISE, USER};

/// `attribute`, `attribute.inner`, or `attribute[inner eq "value"].inner`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The attribute; the URN of the enterprise extension for the extension as a whole.
    pub(super) attribute: String,
    /// Which values of the attribute are meant: the inner attribute and its value.
    pub(super) filter: Option<(String, String)>,
    /// The inner attribute.
    pub(super) inner: Option<String>,
}

impl Path {
    /// Reads a path.
    ///
    /// The extension can be called by its URN, or `enterprise` as in the developer guide (`PatchUser`).
    ///
    /// # Errors
    ///
    /// If it is not of one of the forms, or filters by anything but `eq`.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let extension = text
            .strip_prefix(ENTERPRISE)
            .map(|rest| (rest, ':'))
            .or_else(|| text.strip_prefix("enterprise").map(|rest| (rest, '.')));
        if let Some((rest, separator)) = extension {
            let inner = match rest {
                "" => None,
                rest => Some(
                    rest.strip_prefix(separator)
                        .filter(|inner| is_name(inner))
                        .ok_or_else(Refusal::invalid)?,
                ),
            };
            return Ok(Self {
                attribute: ENTERPRISE.to_owned(),
                filter: None,
                inner: inner.map(ToOwned::to_owned),
            });
        }
        let text = text
            .strip_prefix(USER)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(text);
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (attribute, mut rest) = text.split_at(end);
        let mut filter = None;
        if let Some(inside) = rest.strip_prefix('[') {
            let (name, after) = inside
                .trim_start()
                .split_once(' ')
                .ok_or_else(Refusal::invalid)?;
            let (operator, after) = after
                .trim_start()
                .split_once(' ')
                .ok_or_else(Refusal::invalid)?;
            if !operator.eq_ignore_ascii_case("eq") || !is_name(name) {
                return Err(Refusal::invalid());
            }
            let (value, after) = quoted(after.trim_start())?;
            rest = after
                .trim_start()
                .strip_prefix(']')
                .ok_or_else(Refusal::invalid)?;
            filter = Some((name.to_owned(), value));
        }
        let inner = match rest {
            "" => None,
            rest => Some(rest.strip_prefix('.').ok_or_else(Refusal::invalid)?),
        };
        if !is_name(attribute) || inner.is_some_and(|inner| !is_name(inner)) {
            return Err(Refusal::invalid());
        }
        Ok(Self {
            attribute: attribute.to_owned(),
            filter,
            inner: inner.map(ToOwned::to_owned),
        })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '$')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.$".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, attribute: &str, filter: Option<(&str, &str)>, inner: Option<&str>) {
        let expected = Path {
            attribute: attribute.to_owned(),
            filter: filter.map(|(name, value)| (name.to_owned(), value.to_owned())),
            inner: inner.map(ToOwned::to_owned),
        };
        assert_eq!(Path::read(text), Ok(expected));
    }

    #[test]
    fn a_path_names_an_attribute_a_value_or_an_inner_attribute() {
        check("active", "active", None, None);
        check("name.givenName", "name", None, Some("givenName"));
        check(
            r#"members[value eq "a]b"]"#,
            "members",
            Some(("value", "a]b")),
            None,
        );
        check(
            r#"emails[type eq "work"].value"#,
            "emails",
            Some(("type", "work")),
            Some("value"),
        );
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
            "name",
            None,
            Some("givenName"),
        );
    }

    #[test]
    fn the_extension_has_two_names() {
        check(ENTERPRISE, ENTERPRISE, None, None);
        check(
            &format!("{ENTERPRISE}:department"),
            ENTERPRISE,
            None,
            Some("department"),
        );
        check(
            "enterprise.manager.value",
            ENTERPRISE,
            None,
            Some("manager.value"),
        );
    }

    #[test]
    fn every_other_path_is_refused() {
        for text in [
            "",
            ".value",
            "emails[",
            r#"emails[type co "work"]"#,
            r#"emails[type eq "work" and primary eq true]"#,
            r#"emails[type eq "work"]value"#,
            "emails[type eq work]",
            "enterprises",
            "a b",
        ] {
            assert_eq!(Path::read(text), Err(Refusal::invalid()), "{text}");
        }
    }
}
