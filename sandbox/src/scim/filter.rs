//! Filters of the form `attribute eq "value"`; `and` can join two of them.

use super::reply::Refusal;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// The resource with this name, external id or id; at most one matches.
    By {
        /// The attribute, in SCIM's spelling.
        attribute: &'static str,
        /// The required value.
        value: String,
    },
    /// The members of a group, or the groups of a user.
    Related {
        /// The id of the group (filter on users) or of the user (filter on groups).
        other: String,
        /// The id of the only resource that the result may contain; `None` does not restrict the result.
        id: Option<String>,
    },
    /// The user with this id, if the user has this manager.
    Managed {
        /// The id of the user.
        id: String,
        /// The id of the manager.
        manager: String,
    },
}

/// Parses a filter on users.
///
/// # Errors
///
/// Returns an error for every filter that the developer guide (`ListUsers`) does not list.
pub(super) fn of_users(text: &str) -> Result<Filter, Refusal> {
    read(
        text,
        &["userName", "externalId", "id"],
        &["groups.value"],
        "manager",
    )
}

/// Parses a filter on groups.
///
/// Both `member` and `members` are accepted, because the text of the developer guide uses `member` and its
/// example uses `members`.
///
/// # Errors
///
/// Returns an error for every filter that the developer guide (`ListGroups`) does not list.
pub(super) fn of_groups(text: &str) -> Result<Filter, Refusal> {
    read(
        text,
        &["displayName", "externalId", "id"],
        &["members.value"],
        "members",
    )
}

fn read(
    text: &str,
    single: &[&'static str],
    related: &[&'static str],
    pair: &str,
) -> Result<Filter, Refusal> {
    let mut terms = terms(text)?;
    let second = terms.pop();
    match (terms.pop(), second) {
        (None, Some((name, value))) => {
            if let Some(attribute) = known(&name, single) {
                return Ok(Filter::By { attribute, value });
            }
            match known(&name, related) {
                Some(_) => Ok(Filter::Related {
                    other: value,
                    id: None,
                }),
                None => Err(Refusal::invalid()),
            }
        }
        (Some((first, one)), Some((second, two))) => {
            let (id, other, name) = match (first.as_str(), second.as_str()) {
                ("id", _) => (one, two, second),
                (_, "id") => (two, one, first),
                _ => return Err(Refusal::invalid()),
            };
            match (name.as_str(), pair) {
                ("members" | "member", "members") => Ok(Filter::Related {
                    other,
                    id: Some(id),
                }),
                ("manager", "manager") => Ok(Filter::Managed { id, manager: other }),
                _ => Err(Refusal::invalid()),
            }
        }
        _ => Err(Refusal::invalid()),
    }
}

/// Returns the compared attributes and values of a filter, at most two.
fn terms(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut rest = text.trim();
    let mut terms = Vec::new();
    loop {
        let (name, after) = word(rest)?;
        let (operator, after) = word(after)?;
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(Refusal::invalid());
        }
        let (value, after) = quoted(after.trim_start())?;
        terms.push((name.to_owned(), value));
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(terms);
        }
        let (joint, after) = word(rest)?;
        if !joint.eq_ignore_ascii_case("and") || terms.len() == 2 {
            return Err(Refusal::invalid());
        }
        rest = after.trim_start();
    }
}

/// Splits a text at the first space.
fn word(text: &str) -> Result<(&str, &str), Refusal> {
    text.trim_start()
        .split_once(' ')
        .ok_or_else(Refusal::invalid)
}

/// Parses a non-empty JSON string at the start of `text`; returns the string and the remaining text.
pub(super) fn quoted(text: &str) -> Result<(String, &str), Refusal> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match values.next() {
        Some(Ok(value)) if !value.is_empty() => Ok((value, &text[values.byte_offset()..])),
        _ => Err(Refusal::invalid()),
    }
}

fn known(name: &str, names: &[&'static str]) -> Option<&'static str> {
    names
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(attribute: &'static str, value: &str) -> Filter {
        Filter::By {
            attribute,
            value: value.to_owned(),
        }
    }

    fn related(other: &str, id: Option<&str>) -> Filter {
        Filter::Related {
            other: other.to_owned(),
            id: id.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn users_can_be_filtered_by_name_external_id_id_group_and_manager() {
        assert_eq!(
            of_users(r#"userName eq "ada@example.com""#),
            Ok(by("userName", "ada@example.com"))
        );
        assert_eq!(
            of_users(r#"externalId eq "00u1""#),
            Ok(by("externalId", "00u1"))
        );
        assert_eq!(of_users(r#"id eq "1""#), Ok(by("id", "1")));
        assert_eq!(of_users(r#"groups.value eq "g""#), Ok(related("g", None)));
        let managed = Filter::Managed {
            id: "1".to_owned(),
            manager: "2".to_owned(),
        };
        assert_eq!(
            of_users(r#"id eq "1" and manager eq "2""#),
            Ok(managed.clone())
        );
        assert_eq!(of_users(r#"manager eq "2" and id eq "1""#), Ok(managed));
    }

    #[test]
    fn groups_can_be_filtered_by_name_external_id_id_and_member() {
        assert_eq!(
            of_groups(r#"displayName eq "a \"b\"""#),
            Ok(by("displayName", "a \"b\""))
        );
        assert_eq!(of_groups(r#"members.value eq "u""#), Ok(related("u", None)));
        assert_eq!(
            of_groups(r#"id eq "g" and members eq "u""#),
            Ok(related("u", Some("g")))
        );
        assert_eq!(
            of_groups(r#"member eq "u" and id eq "g""#),
            Ok(related("u", Some("g")))
        );
    }

    #[test]
    fn every_other_filter_is_rejected() {
        for text in [
            "",
            "userName",
            r#"userName eq """#,
            r#"userName co "ada""#,
            "userName eq ada",
            r#"userName eq "ada"#,
            r#"userName eq "ada" or userName eq "eve""#,
            r#"userName eq "ada" and externalId eq "1""#,
            r#"id eq "1" and manager eq "2" and userName eq "ada""#,
            r#"id eq "1" and members eq "2""#,
            r#"not (userName eq "ada")"#,
            r#"(userName eq "ada")"#,
            r#"emails.value eq "ada@example.com""#,
            r#"displayName eq "Ada""#,
            r#"members.value eq "u""#,
            "userName pr",
        ] {
            assert_eq!(of_users(text), Err(Refusal::invalid()), "{text}");
        }
        for text in [
            r#"userName eq "ada""#,
            r#"groups.value eq "g""#,
            r#"id eq "g" and manager eq "u""#,
        ] {
            assert_eq!(of_groups(text), Err(Refusal::invalid()), "{text}");
        }
    }
}
