//! The name of an Okta user in AWS: the user name in the assignment to the app, or the login if there is none.
//!
//! AWS signs in the user whose `userName` is the `NameID` of the SAML assertion, and Okta sends the user name of the
//! assignment. Okta's own provisioning and the directory sync write the same name.

use std::collections::BTreeMap;

use okta_client::{App, AppUser, AppUserScope, Client, Id, User};

use crate::error::{Error, Result};

/// The users that are assigned to the app.
#[derive(Default)]
pub(crate) struct AppAssignments(BTreeMap<Id<User>, AppUser>);

impl AppAssignments {
    /// Reads the users of the app; without an app, there are none.
    pub(crate) async fn read(okta: &Client, app: Option<&Id<App>>) -> Result<Self> {
        let Some(app) = app else {
            return Ok(Self::default());
        };
        let users = okta.apps().users(app).try_collect().await;
        let users = users.map_err(|error| {
            Error::service(
                format!("the assigned users of app {app} could not be read from Okta"),
                error,
            )
        })?;
        let by_id = users.into_iter().map(|user| (user.id.clone(), user));
        Ok(Self(by_id.collect()))
    }

    /// Returns the number of assigned users.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the assignment of a user, if the user is assigned to the app.
    pub(crate) fn get(&self, user: &Id<User>) -> Option<&AppUser> {
        self.0.get(user)
    }

    /// Returns whether a user is assigned individually. A user that is assigned only through a group loses access with that
    /// group.
    pub(crate) fn is_individual(&self, user: &Id<User>) -> bool {
        let assigned = self.get(user);
        assigned.is_some_and(|assigned| assigned.scope == AppUserScope::User)
    }

    /// Returns the users that are assigned individually.
    pub(crate) fn individual(&self) -> Vec<&Id<User>> {
        let users = self.0.iter();
        let individual = users.filter(|(_, assigned)| assigned.scope == AppUserScope::User);
        individual.map(|(id, _)| id).collect()
    }

    /// Returns the user's name in AWS.
    pub(crate) fn aws_user_name<'a>(&'a self, user: &'a User) -> &'a str {
        let assigned = self.get(&user.id);
        let name = assigned.and_then(|assigned| assigned.user_name.as_deref());
        name.unwrap_or(&user.profile.login)
    }
}
