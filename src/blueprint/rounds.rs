//! The key `for`: an entry for each value of a list.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use super::{
    access::{Access, ForEach},
    text::suggestion,
};

/// The reason why an entry cannot be repeated.
#[derive(Debug)]
pub(super) struct Unrepeatable {
    pub(super) message: String,
    pub(super) help: String,
}

/// Returns the entries that an entry stands for: itself, or one for each value of its list.
pub(super) fn rounds<'a>(
    access: &'a Access,
    lists: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Cow<'a, Access>>, Unrepeatable> {
    let Some(each) = &access.for_each else {
        return Ok(vec![Cow::Borrowed(access)]);
    };
    let (name, values) = values(each, lists)?;
    let template = Access {
        for_each: None,
        ..access.clone()
    };
    let template = serde_json::to_value(template).map_err(|error| invalid(&error))?;
    let round = |value: &String| {
        let filled = fill(template.clone(), name, value)?;
        let entry = serde_json::from_value(filled).map_err(|error| invalid(&error))?;
        Ok(Cow::Owned(entry))
    };
    values.iter().map(round).collect()
}

/// Returns the name of the placeholder and its values.
fn values<'a>(
    each: &'a ForEach,
    lists: &'a BTreeMap<String, Vec<String>>,
) -> Result<(&'a str, &'a [String]), Unrepeatable> {
    let (name, values) = match each {
        ForEach::List(name) => (name, lists.get(name)),
        ForEach::Inline(lists) => match lists.iter().next() {
            Some((name, values)) => (name, Some(values)),
            None => {
                return Err(Unrepeatable {
                    message: "`for` has no list".to_owned(),
                    help: "name a list of `lists`, or write a table with one list".to_owned(),
                });
            }
        },
    };
    match values {
        None => Err(Unrepeatable {
            message: format!("`for` names the list `{name}`, which is not in `lists`"),
            help: suggestion(name, lists.keys().map(String::as_str))
                .unwrap_or_else(|| format!("add `{name} = [\"…\"]` to the table `[lists]`")),
        }),
        Some(values) if values.is_empty() => Err(Unrepeatable {
            message: format!("the list `{name}` of `for` is empty"),
            help: "add a value to the list, or remove the entry".to_owned(),
        }),
        Some(values) => Ok((name, values)),
    }
}

/// Replaces the placeholder in all texts and keys of a value. The lists of two keys that become equal are joined.
fn fill(value: Value, name: &str, with: &str) -> Result<Value, Unrepeatable> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(&text, name, with)?),
        Value::Array(items) => {
            let items = items.into_iter().map(|item| fill(item, name, with));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let mut filled = serde_json::Map::new();
            for (key, value) in entries {
                let key = fill_text(&key, name, with)?;
                match (filled.get_mut(&key), fill(value, name, with)?) {
                    (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                    (_, value) => drop(filled.insert(key, value)),
                }
            }
            Value::Object(filled)
        }
        other => other,
    })
}

/// Replaces `{name}` in a text, and `{{` by a brace.
fn fill_text(text: &str, name: &str, with: &str) -> Result<String, Unrepeatable> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            filled.push('{');
            rest = after;
            continue;
        }
        match after.split_once('}') {
            Some((placeholder, after)) if placeholder == name => {
                filled.push_str(with);
                rest = after;
            }
            _ => {
                return Err(Unrepeatable {
                    message: format!("`{text}` has a placeholder that `for` does not define"),
                    help: format!("use `{{{name}}}`, or `{{{{` for a brace"),
                });
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn invalid(error: &serde_json::Error) -> Unrepeatable {
    Unrepeatable {
        message: format!("the entry cannot be repeated: {error}"),
        help: "correct the entry".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Blueprint, blueprint::PrincipalSpec};

    /// Returns the users and groups of the entries of a blueprint.
    #[track_caller]
    fn principals(text: &str) -> Vec<String> {
        let blueprint = Blueprint::from_toml(text).expect(text);
        let principals = blueprint.principals().into_iter();
        principals.map(|principal| principal.to_string()).collect()
    }

    #[track_caller]
    fn error(text: &str) -> String {
        let error = Blueprint::from_toml(text).expect_err(text);
        format!("{error}: {}", error.help().unwrap_or_default())
    }

    #[test]
    fn an_entry_is_repeated_for_each_value_of_a_list() {
        let text = "
            lists = { team = ['a', 'b'] }
            [[access]]
            for = 'team'
            group = 'aws-{team}'
            account = '{team}-prod'
            permission_set = 'Billing'";
        assert_eq!(principals(text), ["group aws-a", "group aws-b"]);
        let blueprint = Blueprint::from_toml(text).expect("a blueprint");
        let entries: Vec<_> = blueprint.entries().collect();
        assert_eq!(entries[1].0, 0);
        assert_eq!(entries[1].1.account.as_deref(), Some("b-prod"));
    }

    #[test]
    fn an_inline_list_and_the_keys_of_tables_are_filled_in() {
        let text = "
            [[access]]
            for = { n = ['1', '2'] }
            users = { 'c-{n}@example.com' = 'Billing', '{{n}' = 'Billing' }
            accounts = { tag = { 't-{n}' = '{n}*' } }";
        assert_eq!(
            principals(text),
            ["user c-1@example.com", "user c-2@example.com", "user {n}"]
        );
        let blueprint = Blueprint::from_toml(text).expect("a blueprint");
        let entries = blueprint.entries();
        let selectors: Vec<String> = entries
            .map(|(_, access)| access.selector().to_string())
            .collect();
        assert_eq!(selectors, ["tag t-1 = 1*", "tag t-2 = 2*"]);
    }

    #[test]
    fn the_roles_of_two_keys_that_become_equal_are_joined() {
        let text = "
            [[access]]
            for = { n = ['1'] }
            groups = { 'a-{n}' = 'Billing', a-1 = 'ReadOnlyAccess' }
            account = 'x'";
        let blueprint = Blueprint::from_toml(text).expect("a blueprint");
        let (_, access) = blueprint.entries().next().expect("an entry");
        let sets: Vec<&str> = access.grants().map(|(_, set)| set).collect();
        assert_eq!(sets.len(), 2, "{sets:?}");
    }

    #[test]
    fn braces_of_an_entry_without_for_are_kept() {
        let text = "
            [[access]]
            group = '{x}{{'
            account = 'x'
            permission_set = 'Billing'";
        let blueprint = Blueprint::from_toml(text).expect("a blueprint");
        let expected = PrincipalSpec::Group("{x}{{".to_owned());
        assert!(blueprint.principals().contains(&expected));
    }

    #[test]
    fn a_wrong_for_is_explained() {
        for (each, group, expected) in [
            (
                "'teams'",
                "{teams}",
                "`for` names the list `teams`, which is not in `lists`: did you mean `team`?",
            ),
            (
                "'none'",
                "{none}",
                "the list `none` of `for` is empty: add a value to the list, or remove the entry",
            ),
            (
                "'team'",
                "{tema}",
                "`{tema}` has a placeholder that `for` does not define: use `{team}`, or `{{` for a brace",
            ),
            (
                "'team'",
                "{team",
                "`{team` has a placeholder that `for` does not define: use `{team}`, or `{{` for a brace",
            ),
            (
                "{ a = ['1'], b = ['2'] }",
                "{a}",
                "the table must have exactly one list: ",
            ),
        ] {
            let text = format!(
                "lists = {{ team = ['a'], none = [] }}
                [[access]]
                for = {each}
                group = '{group}'
                account = 'x'
                permission_set = 'Billing'"
            );
            assert_eq!(error(&text), expected);
        }
    }
}
