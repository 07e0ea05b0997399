//! The users and groups of Okta that a selector of the blueprint matches.

use std::collections::BTreeMap;

use okta_client::{Client, Group, ListGroups, ListUsers, Pager, User, UserStatus};

use crate::{
    blueprint::{Principals, is_pattern, matches_text},
    error::{Error, ErrorKind, Result, ServiceError as _},
    plan::{Problem, Subject},
};

/// The users or groups that a selector matches and does not name exactly.
pub(super) struct Selected<T> {
    /// By name or login. Several groups may have one name.
    pub(super) found: BTreeMap<String, Vec<T>>,
    /// The problems: names and patterns without a match, and items that could not be read.
    pub(super) problems: Vec<Problem>,
}

/// A user or a group.
pub(super) trait Listed: Sized {
    const NOUN: &'static str;
    /// The attribute of the name in Okta's search expressions.
    const NAME: &'static str;

    fn id(&self) -> &str;

    fn name(&self) -> &str;

    /// Returns whether a selector can match it.
    fn is_selectable(&self) -> bool {
        true
    }

    /// Lists all users or groups, or those that a search expression finds.
    fn list(okta: &Client, search: Option<String>) -> Pager<Self, okta_client::Error>;
}

impl Listed for Group {
    const NOUN: &'static str = "group";
    const NAME: &'static str = "profile.name";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn list(okta: &Client, search: Option<String>) -> Pager<Self, okta_client::Error> {
        okta.groups().list(ListGroups {
            search,
            ..ListGroups::default()
        })
    }
}

impl Listed for User {
    const NOUN: &'static str = "user";
    const NAME: &'static str = "profile.login";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.profile.login
    }

    /// Okta's search also finds deactivated users; its list does not have them.
    fn is_selectable(&self) -> bool {
        self.status != UserStatus::Deprovisioned
    }

    fn list(okta: &Client, search: Option<String>) -> Pager<Self, okta_client::Error> {
        okta.users().list(ListUsers {
            search,
            ..ListUsers::default()
        })
    }
}

/// Reads the users or groups that a selector matches and does not name exactly. `key` is its place in the blueprint.
///
/// # Errors
///
/// Fails if Okta does not answer, or refuses something else than the search expression.
pub(super) async fn select<T: Listed>(
    okta: &Client,
    selector: &Principals,
    key: &str,
) -> Result<Selected<T>> {
    let mut selection: Selection<'_, T> = Selection {
        okta,
        selector,
        key,
        found: BTreeMap::new(),
        problems: Vec::new(),
    };
    if let Some(search) = selector.search() {
        let found = selection.list(Some(search.to_owned())).await?;
        selection.add(found, |name| selector.has_name(name));
    } else {
        for pattern in selector.names().iter().filter(|name| is_pattern(name)) {
            let prefix = pattern.split(['*', '?']).next().unwrap_or_default();
            let search = format!("{} sw {}", T::NAME, serde_json::Value::from(prefix));
            let search = Some(search).filter(|_| !prefix.is_empty());
            let found = selection.list(search).await?;
            // An exact name has priority over a pattern.
            let is_name = found.iter().any(|item| item.name() == pattern);
            let matches = |name: &str| name == pattern || !is_name && matches_text(pattern, name);
            if !selection.add(found, matches) {
                selection.problem(
                    format!("`{pattern}` matches no {} of Okta", T::NOUN),
                    "correct the pattern (names are compared exactly, and as a whole), or remove it",
                );
            }
        }
    }
    selection.leave_out().await?;
    Ok(Selected {
        found: selection.found,
        problems: selection.problems,
    })
}

/// A selector that is being resolved.
struct Selection<'a, T> {
    okta: &'a Client,
    selector: &'a Principals,
    key: &'a str,
    found: BTreeMap<String, Vec<T>>,
    problems: Vec<Problem>,
}

impl<T: Listed> Selection<'_, T> {
    /// Lists what a search expression finds. An expression that Okta refuses is a problem.
    async fn list(&mut self, search: Option<String>) -> Result<Vec<T>> {
        let list = T::list(self.okta, search).collect_partial().await;
        let list = match list {
            Ok(list) => list,
            Err(error) if error.status() == Some(400) && self.selector.search().is_some() => {
                let what = format!("Okta refuses the search expression of `{}`", self.selector);
                let error = Error::new(ErrorKind::UnusableSubject, what)
                    .with_response(error.response())
                    .with_source(error)
                    .with_help("correct the expression: Okta's API reference, \"List all users\" and \"List all groups\", parameter `search`");
                self.problems.push(self.at(".search", &error));
                return Ok(Vec::new());
            }
            Err(error) => {
                let what = format!(
                    "the {}s of `{}` could not be listed from Okta",
                    T::NOUN,
                    self.key
                );
                return Err(Error::service(what, error));
            }
        };
        for unread in &list.errors {
            let what = format!(
                "a {} of `{}` could not be read: {unread}",
                T::NOUN,
                self.selector
            );
            self.problem(
                what,
                "run again; if it happens again, report it with its raw text",
            );
        }
        Ok(list.items)
    }

    /// Adds what has a wanted name, and returns whether there is any.
    fn add(&mut self, found: Vec<T>, is_wanted: impl Fn(&str) -> bool) -> bool {
        let mut is_any = false;
        for item in found {
            if item.is_selectable() && is_wanted(item.name()) {
                is_any = true;
                let found = self.found.entry(item.name().to_owned()).or_default();
                // Two patterns can match one group.
                if found.iter().all(|known| known.id() != item.id()) {
                    found.push(item);
                }
            }
        }
        is_any
    }

    /// Leaves out the exceptions.
    async fn leave_out(&mut self) -> Result<()> {
        let exact: Vec<&str> = self.selector.exact().map(|(_, name)| name).collect();
        let names = self.selector.names();
        let is_matched = |name: &String| self.found.contains_key(name) || names.contains(name);
        let except = self.selector.except().iter();
        let unmatched = except.filter(|name| !is_pattern(name) && !is_matched(name));
        let unmatched: Vec<&String> = unmatched.collect();
        let mut wrong = None;
        for name in unmatched {
            // A user who is deactivated is left out already.
            let search = format!("{} eq {}", T::NAME, serde_json::Value::from(name.as_str()));
            let found = self.list(Some(search)).await?;
            if found
                .iter()
                .all(|item| item.name() != name || item.is_selectable())
            {
                wrong = Some(name);
                break;
            }
        }
        if let Some(name) = wrong {
            // A wrong exception would include what it was to leave out.
            let what = format!(
                "`{name}` of `except` is no {} that the filter matches",
                T::NOUN
            );
            self.problem(
                what,
                "correct the name, or remove it; until then, the filter matches nothing",
            );
            self.found.clear();
            return Ok(());
        }
        let selector = self.selector;
        self.found.retain(|name, _| !selector.leaves_out(name));
        if self.found.is_empty()
            && exact.is_empty()
            && self.problems.is_empty()
            && selector.is_open()
        {
            self.problem(
                format!("`{selector}` matches no {} of Okta", T::NOUN),
                "correct the filter, or remove it",
            );
        }
        Ok(())
    }

    fn problem(&mut self, message: String, help: &'static str) {
        let error = Error::new(ErrorKind::UnusableSubject, message).with_help(help);
        self.problems.push(self.at("", &error));
    }

    fn at(&self, below: &str, error: &Error) -> Problem {
        let path = format!("{}{below}", self.key);
        Problem::new(Some(Subject::Input { path: path.into() }), error)
    }
}
