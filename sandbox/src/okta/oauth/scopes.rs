//! The operations of Okta's management API and the scopes that each needs.

use std::{collections::BTreeSet, sync::LazyLock};

use http::Method;

/// An operation of the API: one line of the table.
#[derive(Debug)]
pub(in crate::okta) struct Route {
    method: Method,
    /// The segments of the path. `*` stands for any value.
    path: Vec<&'static str>,
    /// The scopes of which a token needs all. No token can call an operation without scopes.
    pub(super) scopes: Vec<&'static str>,
}

impl Route {
    /// Returns the operation of a request.
    ///
    /// If several paths match, the one with the most literal segments before its first `*` counts.
    pub(in crate::okta) fn of(method: &Method, path: &str) -> Option<&'static Self> {
        let path = segments(path);
        let routes = ROUTES.iter().filter(|route| route.method == *method);
        routes
            .filter(|route| route.matches(&path))
            .max_by_key(|route| {
                route
                    .path
                    .iter()
                    .map(|pattern| *pattern != "*")
                    .collect::<Vec<_>>()
            })
    }

    /// Returns whether the API has this path, with any method.
    pub(in crate::okta) fn has_path(path: &str) -> bool {
        let path = segments(path);
        ROUTES.iter().any(|route| route.matches(&path))
    }

    /// Returns whether a token with these scopes may call the operation.
    pub(super) fn is_allowed_with(&self, granted: &BTreeSet<String>) -> bool {
        !self.scopes.is_empty() && self.is_covered_by(granted)
    }

    fn is_covered_by(&self, granted: &BTreeSet<String>) -> bool {
        self.scopes.iter().all(|scope| {
            // Okta's scopes for `manage` include those for `read`.
            let manage = scope.strip_suffix(".read").map(|of| format!("{of}.manage"));
            granted.contains(*scope) || manage.is_some_and(|manage| granted.contains(&manage))
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        let mut pairs = self.path.iter().zip(path);
        self.path.len() == path.len()
            && pairs.all(|(pattern, segment)| {
                *pattern == "*" && !segment.is_empty() || pattern == segment
            })
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

/// The rights of an admin role: all, or those to call the operations of some scopes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights(Option<BTreeSet<String>>);

impl Rights {
    pub(crate) fn of<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self(Some(scopes.into_iter().map(Into::into).collect()))
    }

    /// Returns whether the role allows an operation.
    pub(in crate::okta) fn allow(&self, route: &Route) -> bool {
        let rights = self.0.as_ref();
        rights.is_none_or(|scopes| route.is_covered_by(scopes))
    }
}

/// Returns the scopes of all operations. A scope can occur several times.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().flat_map(|route| route.scopes.iter().copied())
}

/// The operations, from the `security` sections of Okta's OpenAPI description 2026.06.3.
///
/// A line has a method, a path, and scopes with a plus sign between them, or `-` for an operation that only an API
/// token can call.
static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let lines = include_str!("scopes.txt").lines();
    let routes = lines.map(|line| {
        let mut words = line.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let scopes = words.next()?.split('+').filter(|scope| *scope != "-");
        Some(Route {
            method: method.parse().ok()?,
            path: segments(path),
            scopes: scopes.collect(),
        })
    });
    let routes: Option<_> = routes.collect();
    routes.expect("a line has a method, a path and scopes")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(method: &Method, path: &str) -> Vec<&'static str> {
        let route = Route::of(method, path);
        route.map_or_else(Vec::new, |route| route.scopes.clone())
    }

    #[test]
    fn an_operation_needs_the_scopes_of_its_most_exact_path() {
        let get = |path| scopes(&Method::GET, path);
        assert_eq!(get("/api/v1/users"), ["okta.users.read"]);
        assert_eq!(get("/api/v1/users/00u1/groups"), ["okta.users.read"]);
        assert_eq!(
            scopes(&Method::PUT, "/api/v1/groups/00g1"),
            ["okta.groups.manage"]
        );
        // `user/*` and `user/linkedObjects` both match.
        assert_eq!(
            get("/api/v1/meta/schemas/user/linkedObjects"),
            ["okta.linkedObjects.read"]
        );
        assert_eq!(
            get("/api/v1/meta/schemas/user/default"),
            ["okta.schemas.read"]
        );
        assert_eq!(get("/api/v1/apps/0oa1/grants"), ["okta.appGrants.read"]);
        assert!(get("/api/v1/nothing").is_empty());
        assert!(get("/api/v1/users/").is_empty());
    }

    #[test]
    fn manage_includes_read_and_every_scope_of_an_operation_is_needed() {
        let granted = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect();
        let allowed = |method: &Method, path: &str, scopes: &[&str]| {
            Route::of(method, path).is_some_and(|route| route.is_allowed_with(&granted(scopes)))
        };
        let users = "/api/v1/users";
        assert!(allowed(&Method::GET, users, &["okta.users.manage"]));
        assert!(!allowed(&Method::POST, users, &["okta.users.read"]));
        let pushes = "/api/v1/apps/0oa1/group-push/mappings";
        let both = ["okta.apps.manage", "okta.groups.manage"];
        assert!(allowed(&Method::POST, pushes, &both));
        assert!(!allowed(&Method::POST, pushes, &both[..1]));
        let own = "/api/v1/api-tokens/current";
        assert!(!allowed(&Method::DELETE, own, &["okta.apiTokens.manage"]));
    }
}
