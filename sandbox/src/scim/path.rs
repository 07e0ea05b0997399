//! The path of a PATCH operation.

use super::filter::quoted;
use super::reply::Refusal;
use super::{ENTERPRISE, USER};

/// A path: `attribute`, `attribute.sub`, or `attribute[sub eq "value"].sub`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The name of the attribute; for the complete enterprise extension, its URN.
    pub(super) attribute: String,
    /// The sub-attribute and the value that select some values of the attribute.
    pub(super) filter: Option<(String, String)>,
    /// The sub-attribute.
    pub(super) sub_attribute: Option<String>,
}

impl Path {
    /// Parses a path.
    ///
    /// The extension can be given by its URN, or as `enterprise` like in the developer guide (`PatchUser`).
    ///
    /// # Errors
    ///
    /// Returns an error if the path has another form, or if its filter uses an operator other than `eq`.
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
                sub_attribute: inner.map(ToOwned::to_owned),
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
            sub_attribute: inner.map(ToOwned::to_owned),
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
            sub_attribute: inner.map(ToOwned::to_owned),
        };
        assert_eq!(Path::read(text), Ok(expected));
    }

    #[test]
    fn a_path_selects_an_attribute_a_value_or_a_sub_attribute() {
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
    fn the_extension_is_given_by_urn_or_short_name() {
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
    fn every_other_path_is_rejected() {
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
