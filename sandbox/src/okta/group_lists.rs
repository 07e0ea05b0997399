//! `GET /api/v1/groups` and `GET /api/v1/users/{id}/groups`: lists, filters and searches of groups.

use serde_json::{Value, json};

use super::{
    Org,
    filter::{Filter, Grammar, Searchable as _},
    groups::Group,
    paging::{After, PageSizes, page, sorted},
    query::Call,
    reply::{Refusal, Reply},
};

impl Org {
    pub(super) fn list_groups(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[
            "q",
            "filter",
            "search",
            "limit",
            "after",
            "expand",
            "sortBy",
            "sortOrder",
        ])?;
        check_expand(call)?;
        let sizes = PageSizes::new(10_000, 10_000);
        let document = |group: &Group| self.group_document(call, group).unwrap_or_default();
        let filter = match (call.parameter("filter"), call.parameter("search")) {
            (Some(_), Some(_)) => return Err(Refusal::search_and_filter()),
            (None, Some(search)) => return self.search_groups(call, search, document),
            (Some(filter), None) => Some(Filter::parse(filter, FILTER)?),
            (None, None) => None,
        };
        let prefix = call.parameter("q").map(str::to_lowercase);
        let wanted = |group: &Group| {
            (filter.as_ref()).is_none_or(|filter| filter.matches(&group.document(&call.host)))
                && (prefix.as_ref())
                    .is_none_or(|prefix| group.name.to_lowercase().starts_with(prefix))
        };
        let found = |after: After<'_>| {
            let groups = self.groups.range::<str, _>(after);
            groups.filter(|(_, group)| wanted(group))
        };
        if prefix.is_some() {
            // Okta does not paginate the result of `q` and returns at most 300 groups.
            let mut reply = page(call, PageSizes::new(300, 10_000), None, found, document)?;
            reply.links.clear();
            return Ok(reply);
        }
        page(call, sizes, self.page_size, found, document)
    }

    /// Lists the groups that `search` finds, which may be outdated.
    fn search_groups(
        &self,
        call: &Call<'_>,
        search: &str,
        document: impl FnMut(&Group) -> Value,
    ) -> Result<Reply, Refusal> {
        let filter = Filter::parse(search, SEARCH)?;
        let groups = self.group_search.view(&self.groups, call.now);
        let groups = groups.into_values();
        let groups = groups.filter(|group| filter.matches(&group.document(&call.host)));
        let attribute = call.parameter("sortBy").unwrap_or("id");
        let key = |group: &Group| {
            let mut key = String::new();
            group.document(&call.host).any(attribute, &mut |value| {
                key = value.as_str().unwrap_or_default().to_lowercase();
                true
            });
            format!("{key}\u{0}{}", group.id)
        };
        let items = sorted(call, groups.map(|group| (key(group), group)).collect())?;
        page(
            call,
            PageSizes::new(10_000, 10_000),
            self.page_size,
            items,
            document,
        )
    }

    pub(super) fn list_groups_of_user(
        &self,
        call: &Call<'_>,
        user: &str,
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let user = &self.user(user)?.id;
        let groups = self.groups.values();
        let groups = groups.filter(|group| group.members.contains(user));
        Ok(Reply::ok(
            groups.map(|group| group.document(&call.host)).collect(),
        ))
    }

    /// Returns a group's document with the embedded documents that `expand` names.
    pub(super) fn group_document(&self, call: &Call<'_>, group: &Group) -> Result<Value, Refusal> {
        check_expand(call)?;
        let mut document = group.document(&call.host);
        let expand = call.parameter("expand").unwrap_or_default();
        if expand.contains("stats") {
            let is_assigned = |id: &&str| self.apps[*id].groups.contains_key(&group.id);
            let apps = self.apps.keys().map(String::as_str).filter(is_assigned);
            document["_embedded"]["stats"] = json!({
                "usersCount": group.members.len(),
                "appsCount": apps.count(),
                "groupPushMappingsCount": self.push_count(&group.id),
                "hasAdminPrivilege": false,
            });
        }
        if let (true, Some(app)) = (expand.contains("app"), group.source()) {
            let app = self.app(app)?;
            document["_embedded"]["app"] = json!({
                "id": app.id,
                "name": app.name,
                "label": app.label(),
                "signOnMode": app.catalog_entry.sign_on_mode,
            });
        }
        Ok(document)
    }

    fn push_count(&self, group: &str) -> usize {
        let pushes = self.apps.values().flat_map(|app| app.pushes.values());
        pushes.filter(|push| push.source == group).count()
    }
}

fn check_expand(call: &Call<'_>) -> Result<(), Refusal> {
    match call.parameter("expand") {
        None | Some("stats" | "app" | "stats,app" | "app,stats") => Ok(()),
        Some(_) => Err(Refusal::not_allowed("expand")),
    }
}

/// Source: parameter `filter` of "List all groups" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &["id", "type", "lastUpdated", "lastMembershipUpdated"],
    operators: &["eq"],
    contains: &[],
    timestamps: &["lastUpdated", "lastMembershipUpdated"],
    ignore_case: false,
};

/// Source: parameter `search` of "List all groups" in Okta's API reference.
const SEARCH: Grammar = Grammar {
    attributes: &[
        "id",
        "type",
        "created",
        "lastUpdated",
        "lastMembershipUpdated",
        "source.id",
        "profile.",
    ],
    operators: &["eq", "sw"],
    contains: &["profile.name", "profile.description"],
    timestamps: &["created", "lastUpdated", "lastMembershipUpdated"],
    ignore_case: true,
};
