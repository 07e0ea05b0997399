//! The name of an Okta user in AWS: the user name in the assignment to the app. Okta makes it from the app's template when it
//! assigns the user.
//!
//! AWS signs in the user whose `userName` is the `NameID` of the SAML assertion, and Okta sends the user name of the
//! assignment. Okta's own provisioning and the directory sync write the same name.

use std::{borrow::Cow, collections::BTreeMap};

use okta_client::{App, AppUser, AppUserScope, Client, Id, User};

use crate::error::{Error, Result};

/// The template from which Okta makes the user name of a new assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameTemplate {
    /// `${source.login}`, which a new app of the step `catalog-app` has.
    #[default]
    Login,
    /// `${fn:toLowerCase(source.login)}`
    LowerLogin,
    /// `${source.email}`
    Email,
    /// `${fn:toLowerCase(source.email)}`
    LowerEmail,
    /// Another template, which only Okta evaluates.
    Other(String),
}

impl NameTemplate {
    /// Returns the template of an app.
    pub(crate) fn of(app: &App) -> Self {
        app.user_name_template().map_or(Self::Login, Self::parse)
    }

    /// Reads the template of an app from Okta.
    pub(crate) async fn read(okta: &Client, app: &Id<App>) -> Result<Self> {
        let read = okta.apps().get(app).await;
        let app = read.map_err(|error| {
            Error::service(format!("app {app} could not be read from Okta"), error)
        })?;
        Ok(Self::of(&app))
    }

    fn parse(template: &str) -> Self {
        let expression = template.trim().strip_prefix("${");
        let expression = expression.and_then(|rest| rest.strip_suffix('}'));
        let expression = expression.unwrap_or(template).replace("user.", "source.");
        match expression.trim() {
            "source.login" | "source.userName" => Self::Login,
            "source.email" => Self::Email,
            "fn:toLowerCase(source.login)" => Self::LowerLogin,
            "fn:toLowerCase(source.email)" => Self::LowerEmail,
            _ => Self::Other(template.to_owned()),
        }
    }

    /// Returns the user name that an assignment of the user will have, if the template tells it.
    fn evaluate<'a>(&self, user: &'a User) -> Option<Cow<'a, str>> {
        let (login, email) = (&user.profile.login, user.profile.email.as_deref());
        match self {
            Self::Login => Some(login.into()),
            Self::LowerLogin => Some(login.to_lowercase().into()),
            Self::Email => email.map(Cow::Borrowed),
            Self::LowerEmail => email.map(|email| email.to_lowercase().into()),
            Self::Other(_) => None,
        }
    }
}

/// The users that are assigned to the app, and the template of the other users' names.
#[derive(Default)]
pub(crate) struct AppAssignments {
    users: BTreeMap<Id<User>, AppUser>,
    template: NameTemplate,
}

impl AppAssignments {
    /// Reads the users of the app.
    pub(crate) async fn read(okta: &Client, app: &Id<App>, template: NameTemplate) -> Result<Self> {
        let users = okta.apps().users(app).try_collect().await;
        let users = users.map_err(|error| {
            Error::service(
                format!("the assigned users of app {app} could not be read from Okta"),
                error,
            )
        })?;
        let by_id = users.into_iter().map(|user| (user.id.clone(), user));
        Ok(Self {
            users: by_id.collect(),
            template,
        })
    }

    /// Returns the number of assigned users.
    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    /// Returns the template of the user name of a new assignment.
    pub(crate) fn template(&self) -> &NameTemplate {
        &self.template
    }

    /// Returns the assignment of a user, if the user is assigned to the app.
    pub(crate) fn get(&self, user: &Id<User>) -> Option<&AppUser> {
        self.users.get(user)
    }

    /// Returns whether a user is assigned individually. A user that is assigned only through a group loses access with that
    /// group.
    pub(crate) fn is_individual(&self, user: &Id<User>) -> bool {
        let assigned = self.get(user);
        assigned.is_some_and(|assigned| assigned.scope == AppUserScope::User)
    }

    /// Returns the users that are assigned individually.
    pub(crate) fn individual(&self) -> Vec<&Id<User>> {
        let users = self.users.iter();
        let individual = users.filter(|(_, assigned)| assigned.scope == AppUserScope::User);
        individual.map(|(id, _)| id).collect()
    }

    /// Returns the name in the assignment of the user, which Okta sends as `NameID`. Without an assignment, or if the assignment
    /// has no user name, returns the name that the template gives.
    ///
    /// Returns `None` if only Okta can evaluate the template, or if the template is the email address and the user has none.
    pub(crate) fn name_id<'a>(&'a self, user: &'a User) -> Option<Cow<'a, str>> {
        let assigned = self.get(&user.id);
        let name = assigned.and_then(|assigned| assigned.user_name.as_deref());
        name.map(Cow::Borrowed)
            .or_else(|| self.template.evaluate(user))
    }
}

#[cfg(test)]
mod tests {
    use super::NameTemplate;

    #[test]
    fn the_usual_templates_are_known_in_all_their_spellings() {
        for (template, expected) in [
            ("${source.login}", NameTemplate::Login),
            ("${user.login}", NameTemplate::Login),
            ("source.email", NameTemplate::Email),
            ("${fn:toLowerCase(source.login)}", NameTemplate::LowerLogin),
            ("${fn:toLowerCase(user.email)}", NameTemplate::LowerEmail),
            (
                "${fn:substringBefore(source.login, \"@\")}",
                NameTemplate::Other("${fn:substringBefore(source.login, \"@\")}".to_owned()),
            ),
        ] {
            assert_eq!(NameTemplate::parse(template), expected);
        }
    }
}
