//! `GET /api/v1/users`: lists, filters and searches of users.

use super::{
    Org,
    filter::{Filter, Grammar, Searchable},
    paging::{After, PageSizes, page, sorted},
    query::Call,
    reply::{Refusal, Reply},
    users::{User, UserDocument},
};

impl Org {
    pub(super) fn list_users<'a>(&'a self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[
            "q",
            "filter",
            "search",
            "limit",
            "after",
            "sortBy",
            "sortOrder",
            "expand",
        ])?;
        let document = |user: &'a User| user.listed_document(call);
        let sizes = PageSizes::new(200, 200).clamped();
        match (call.parameter("filter"), call.parameter("search")) {
            (Some(_), Some(_)) => Err(Refusal::search_and_filter()),
            (None, Some(search)) => self.search_users(call, search, document),
            (Some(filter), None) => {
                let filter = Filter::parse(filter, FILTER)?;
                // A look-up by id or login does not read the other users.
                let one = match (filter.only_equal("id"), filter.only_equal("profile.login")) {
                    (Some(id), _) => Some(self.users.get(id)),
                    (_, Some(login)) => Some(self.users.by_login(login)),
                    _ => None,
                };
                let found = |after: After<'_>| -> Box<dyn Iterator<Item = (&str, &User)> + '_> {
                    let users: Box<dyn Iterator<Item = &User>> = match one {
                        Some(user) => Box::new(user.into_iter()),
                        None => Box::new(self.users.range(after).map(|(_, user)| user)),
                    };
                    let users = users.filter(|user| filter.matches(*user));
                    Box::new(users.map(|user| (user.id.as_str(), user)))
                };
                page(call, sizes, self.page_size, found, document)
            }
            (None, None) => {
                let prefix = call.parameter("q").map(str::to_lowercase);
                let wanted = |user: &User| {
                    !user.is_deprovisioned()
                        && prefix.as_ref().is_none_or(|prefix| {
                            user.has_prefix(prefix, &["firstName", "lastName", "email"])
                        })
                };
                let found = |after: After<'_>| {
                    let users = self.users.range(after);
                    users.filter(|(_, user)| wanted(user))
                };
                if prefix.is_none() {
                    return page(call, sizes, self.page_size, found, document);
                }
                // Okta does not paginate the result of `q`.
                let sizes = PageSizes::new(10, 200).clamped();
                let mut reply = page(call, sizes, None, found, document)?;
                reply.links.clear();
                Ok(reply)
            }
        }
    }

    /// Lists the users that `search` finds, which may be outdated.
    fn search_users<'a>(
        &'a self,
        call: &Call<'_>,
        search: &str,
        document: impl FnMut(&'a User) -> UserDocument<'a>,
    ) -> Result<Reply, Refusal> {
        let filter = Filter::parse(search, SEARCH)?;
        let sizes = PageSizes::new(200, 200).clamped();
        let outdated = self.users.outdated_view(call.now);
        if let (Some(view), None) = (&outdated, call.parameter("sortBy")) {
            let found = |after: After<'_>| {
                let users = view.range::<str, _>(after).map(|(id, user)| (*id, *user));
                users.filter(|(_, user)| filter.matches(*user))
            };
            return page(call, sizes, self.page_size, found, document);
        }
        let Some(attribute) = call.parameter("sortBy") else {
            let found = |after: After<'_>| {
                let users = self.users.range(after);
                users.filter(|(_, user)| filter.matches(*user))
            };
            return page(call, sizes, self.page_size, found, document);
        };
        let users: Vec<&User> = match &outdated {
            Some(view) => view.values().copied().collect(),
            None => self.users.values().collect(),
        };
        let users = users.into_iter().filter(|user| filter.matches(*user));
        let users = users.map(|user| (user.sort_key(attribute), user));
        let items = sorted(call, users.collect())?;
        page(call, sizes, self.page_size, items, document)
    }
}

impl User {
    /// Returns whether one of the attributes begins with a prefix in lower case.
    pub(super) fn has_prefix(&self, prefix: &str, attributes: &[&str]) -> bool {
        attributes
            .iter()
            .filter_map(|name| self.attribute(name))
            .any(|value| value.to_lowercase().starts_with(prefix))
    }

    /// Returns the key of a sorted list: the attribute and then the id.
    fn sort_key(&self, attribute: &str) -> String {
        let mut key = String::new();
        self.any(attribute, &mut |value| {
            key = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_lowercase);
            true
        });
        format!("{key}\u{0}{}", self.id)
    }
}

/// Source: parameter `filter` of "List all users" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &[
        "status",
        "lastUpdated",
        "id",
        "profile.login",
        "profile.email",
        "profile.firstName",
        "profile.lastName",
    ],
    operators: &["eq"],
    contains: &[],
    timestamps: &["lastUpdated"],
    ignore_case: false,
};

/// Source: parameter `search` of "List all users" in Okta's API reference.
const SEARCH: Grammar = Grammar {
    attributes: &[
        "status",
        "lastUpdated",
        "id",
        "created",
        "activated",
        "statusChanged",
        "type.id",
        "profile.",
    ],
    operators: &["eq", "ge", "gt", "le", "lt", "sw", "pr"],
    contains: &[
        "profile.firstName",
        "profile.lastName",
        "profile.email",
        "profile.login",
    ],
    timestamps: &[],
    ignore_case: true,
};
