//! The rights that the calls of this crate need, as data.
//!
//! A service app (OAuth 2.0) needs the scopes of an operation, and an admin role that allows it. An API token (SSWS)
//! has no scopes: it has the roles of the admin who created it.
//!
//! ```
//! use okta_client::rights;
//!
//! let push = rights::operation("POST", "/api/v1/apps/0oa1/group-push/mappings").expect("known");
//! assert_eq!(push.scopes(), ["okta.apps.manage", "okta.groups.manage"]);
//! assert_eq!(push.role().expect("a role").as_str(), "APP_ADMIN");
//! ```

use std::fmt;

use crate::open_enum::open_enum;

mod table;

use table::OPERATIONS;

/// An operation of Okta's management API that this crate calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    method: &'static str,
    path: &'static str,
    scopes: &'static [&'static str],
}

impl Operation {
    /// Returns the HTTP method, such as `GET`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the path with its parameters in braces, such as `/api/v1/apps/{appId}`.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Returns the OAuth 2.0 scopes; an access token needs all of them.
    ///
    /// For Okta, a scope that ends in `.manage` includes the one that ends in `.read`.
    #[must_use]
    pub fn scopes(&self) -> &'static [&'static str] {
        self.scopes
    }

    /// Returns the admin role that the operation is known to need, if any.
    ///
    /// Okta documents that only a Super Administrator grants scopes ("Implement OAuth for Okta with a service app").
    /// Users of Okta's Terraform provider needed the rights of an Application Administrator for group push
    /// (terraform-provider-okta#1409).
    #[must_use]
    pub fn role(&self) -> Option<AdminRole> {
        match (self.method, self.path) {
            ("POST", "/api/v1/apps/{appId}/grants") => Some(AdminRole::SuperAdmin),
            (_, path) if path.starts_with("/api/v1/apps/{appId}/group-push/") => {
                Some(AdminRole::AppAdmin)
            }
            _ => None,
        }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let mut segments = path.split('/');
        let is_path = self.path.split('/').all(|expected| {
            segments.next().is_some_and(|segment| {
                segment == expected || expected.starts_with('{') && !segment.is_empty()
            })
        });
        self.method == method && is_path && segments.next().is_none()
    }
}

/// Shows the method and the path.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

open_enum! {
    /// A standard admin role of Okta.
    AdminRole {
        /// The Super Administrator.
        SuperAdmin = "SUPER_ADMIN",
        /// The Application Administrator.
        AppAdmin = "APP_ADMIN",
    }
}

/// Returns all operations that this crate calls.
#[must_use]
pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

/// Returns the operation of a request, or `None` if this crate does not model it.
///
/// `path` is the path of a URL, such as `/api/v1/apps/0oa1`, without the query.
#[must_use]
pub fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.matches(method, path))
        // `/groups/rules` is no group.
        .min_by_key(|operation| operation.path.matches('{').count())
}

/// Returns what to grant if `operation`, such as `GET /api/v1/apps/0oa1`, is refused for a missing right.
pub(crate) fn advice(operation: &str) -> Option<String> {
    let (method, path) = operation.split_once(' ')?;
    let operation = self::operation(method, path)?;
    let scopes = operation.scopes.join(" and ");
    let s = if operation.scopes.len() == 1 { "" } else { "s" };
    let role = match operation.role() {
        Some(role) => format!("the role {role}"),
        None => "an admin role that allows it".to_owned(),
    };
    Some(format!(
        "{operation} needs {role}; a service app also needs the scope{s} {scopes} (Admin Console: Applications > the \
         app > Okta API Scopes and Admin roles). An API token has the roles of the admin who created it."
    ))
}
