//! Step `profile-mapping`: the app's profile mapping gives every user a display name, which AWS requires.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use okta_client::{
    App, Client as Okta, Edit, Id, ListProfileMappings, ProfileMapping as Mapping, PropertyPush,
    Raw, User,
};

use super::{
    accounts::{Account, Accounts},
    app_lists::{Cached, RUN},
    ids, lookup,
};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Note, Problem, StepId, Subject, Value},
    resolved_scope::ResolvedScope,
    step::{Applied, Planned, Step},
    text::abbreviated,
};

/// Maps the first and the last name to the display name of users who have none in Okta.
///
/// AWS refuses a user without a display name. The step changes only the property `displayName`, and only if it has no
/// expression, or `user.displayName`. It keeps any other expression.
#[derive(Clone, Debug)]
pub struct ProfileMapping {
    okta: Okta,
}

/// The mappings of one context.
#[derive(Default)]
struct Cache {
    ids: Cached<Id<App>, Vec<Id<Mapping>>>,
    mappings: Cached<Id<App>, Vec<Mapping>>,
}

impl ProfileMapping {
    /// Creates the step. It uses the app of an earlier step.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }

    /// Fails if the app has no mapping, or if its users have no attribute for a display name.
    async fn check(&self, app: &Id<App>, mappings: &[Mapping]) -> Result<()> {
        let unusable = |message: String| Error::new(ErrorKind::UnusableSubject, message);
        if mappings.is_empty() {
            return Err(unusable(format!("Okta has no profile mapping to app {app}"))
                .with_help("look at the mappings of the app in Okta (Directory > Profile Editor > the app > Mappings), then run again; Okta creates them together with the app"));
        }
        let schema = self.okta.schemas().app_user(app).await.map_err(|error| {
            let what =
                format!("the attributes of the users of app {app} could not be read from Okta");
            Error::service(what, error)
        })?;
        if schema.attribute(ATTRIBUTE).is_some() {
            return Ok(());
        }
        Err(unusable(format!(
            "the users of app {app} have no attribute `{ATTRIBUTE}`, so no mapping can give them one"
        ))
        .with_help("add the attribute in Okta (Directory > Profile Editor > the app), or fill in the display names and remove provisioning.display_name from the blueprint"))
    }
}

/// Returns the mappings from Okta users to the users of the app, one for each type of Okta users.
///
/// They are read once per context, and again after a change of the step.
async fn mappings(okta: &Okta, app: &Id<App>, cx: &Context) -> Result<Arc<Vec<Mapping>>> {
    let unreadable = || format!("the profile mappings of app {app} could not be read from Okta");
    let cache = cx.run_memory::<Cache>();
    let list = async {
        let to_app = ListProfileMappings {
            target: Some(app.clone().into()),
            ..ListProfileMappings::default()
        };
        let found = okta.profile_mappings().list(to_app).try_collect().await;
        let found = found.map_err(|error| Error::service(unreadable(), error))?;
        Ok(found.into_iter().map(|mapping| mapping.id).collect())
    };
    let read = async {
        let mut mappings = Vec::new();
        // The items of the list have no properties.
        for id in &*cache.ids.get(app.clone(), cx, RUN, list).await? {
            let mapping = okta.profile_mappings().get(id).await;
            mappings.push(mapping.map_err(|error| Error::service(unreadable(), error))?);
        }
        Ok(mappings)
    };
    cache.mappings.get(app.clone(), cx, RUN, read).await
}

/// Returns the expression for the display name, or `None` if there is none.
fn expression(mapping: &Mapping) -> Option<&str> {
    let property = mapping.properties().get(ATTRIBUTE)?;
    Some(property.expression.as_str()).filter(|text| !text.trim().is_empty())
}

/// Returns whether the mapping sends no display name for a user who has none in Okta. Any other expression is an operator's
/// choice, and is trusted.
fn is_incomplete(mapping: &Mapping) -> bool {
    let expression = expression(mapping).map(str::trim);
    matches!(
        expression,
        None | Some("user.displayName" | "source.displayName")
    )
}

/// Returns the expressions of the incomplete mappings as a plan shows them. An org with several types of users has several
/// mappings.
fn shown(incomplete: &[&Mapping]) -> Value {
    let found = incomplete.iter().map(|mapping| expression(mapping));
    let found: BTreeSet<Option<&str>> = found.collect();
    if found.iter().all(Option::is_none) {
        return Value::Absent;
    }
    let found = found.iter().map(|found| found.unwrap_or("no expression"));
    Value::Known(found.collect::<Vec<_>>().join(" or "))
}

impl Step for ProfileMapping {
    fn id(&self) -> StepId {
        ids::PROFILE_MAPPING
    }

    fn title(&self) -> String {
        "Display names of the users of the Okta app".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::ProfileMapping]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let subject = || Subject::ProfileMapping {};
            let change = |before| {
                let after = Value::Known(EXPRESSION.to_owned());
                Planned::one(Change::new(Action::Update, subject()).field(ATTRIBUTE, before, after))
            };
            let Some(app) = cx.facts(|facts| facts.app.clone()) else {
                return Ok(change(Value::AfterApply(ids::CATALOG_APP)));
            };
            let mappings = mappings(&self.okta, &app, cx).await?;
            let (incomplete, complete): (Vec<&Mapping>, Vec<_>) =
                mappings.iter().partition(|mapping| is_incomplete(mapping));
            let mut planned = if incomplete.is_empty() && !complete.is_empty() {
                Planned::nothing()
            } else {
                match self.check(&app, &mappings).await {
                    Ok(()) => change(shown(&incomplete)),
                    Err(error) if error.kind() == ErrorKind::UnusableSubject => {
                        let mut planned = Planned::nothing();
                        planned.problem(subject(), &error);
                        planned
                    }
                    Err(error) => return Err(error),
                }
            };
            let kept = complete.into_iter().filter_map(expression);
            for kept in kept.filter(|kept| *kept != EXPRESSION) {
                planned = planned.note(
                    "other-display-name",
                    format!("the app's profile mapping has `{kept}` for {ATTRIBUTE}, which is kept; AWS refuses a user if it gives no text"),
                );
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let app = cx.facts(|facts| facts.app.clone());
            let app =
                app.ok_or_else(|| lookup::missing_prerequisite("the Okta app", &ids::CATALOG_APP))?;
            let mappings = mappings(&self.okta, &app, cx).await?;
            cx.run_memory::<Cache>().mappings.forget();
            for mapping in mappings.iter().filter(|mapping| is_incomplete(mapping)) {
                let current = mapping.properties().get(ATTRIBUTE);
                let push = current.map_or(&PropertyPush::Push, |current| &current.push_status);
                let mut edit = Edit::new();
                edit.set_property(ATTRIBUTE, EXPRESSION, push);
                let written = self
                    .okta
                    .profile_mappings()
                    .update(&mapping.id, &edit)
                    .await;
                let written = written.map_err(|error| {
                    let what = format!(
                        "Okta did not change {ATTRIBUTE} of profile mapping {}",
                        mapping.id
                    );
                    Error::service(what, error)
                })?;
                if expression(&written) != Some(EXPRESSION) {
                    return Err(Error::new(
                        ErrorKind::StalePlan,
                        format!(
                            "Okta accepted the expression for {ATTRIBUTE} of profile mapping {} but returns {}",
                            mapping.id,
                            expression(&written).unwrap_or("none")
                        ),
                    )
                    .with_help("the mapping may have been changed elsewhere at the same time: look at it in Okta (Directory > Profile Editor > the app > Mappings), then run again"));
                }
            }
            Ok(Applied::Done)
        })
    }
}

/// The users of a scope that have no display name in Okta and no account in AWS yet.
#[derive(Default)]
pub(super) struct Unnamed<'a> {
    /// The users that get no display name from the mapping: AWS refuses them.
    refused: Vec<&'a User>,
    /// The users that get a display name from the step `profile-mapping`.
    mapped_later: Vec<&'a User>,
    /// A note that names all of them.
    pub(super) note: Option<Note>,
}

impl<'a> Unnamed<'a> {
    /// Finds the users. The mapping is read only if there are any, so that a run without them needs no right to read it.
    ///
    /// `is_mapped` tells whether the run has the step `profile-mapping`.
    pub(super) async fn find(
        okta: &Okta,
        is_mapped: bool,
        scope: &'a ResolvedScope,
        accounts: &Accounts<'_>,
        cx: &Context,
    ) -> Result<Self> {
        let is_unnamed = |user: &&User| {
            let name = user.profile.display_name.as_deref();
            name.is_none_or(str::is_empty) && !matches!(accounts.of(user), Account::Provisioned)
        };
        let users: Vec<&User> = scope.provisionable_users().filter(is_unnamed).collect();
        let mut unnamed = Self::default();
        if users.is_empty() {
            return Ok(unnamed);
        }
        let mappings = match cx.facts(|facts| facts.app.clone()) {
            Some(app) => mappings(okta, &app, cx).await,
            None => Ok(Arc::default()),
        };
        let consequence = match &mappings {
            Ok(mappings) => {
                for &user in &users {
                    if gives_name(mappings, user) {
                        continue;
                    }
                    if is_mapped {
                        unnamed.mapped_later.push(user);
                    } else {
                        unnamed.refused.push(user);
                    }
                }
                if !unnamed.refused.is_empty() {
                    format!("AWS refuses {}", names(&unnamed.refused))
                } else if !unnamed.mapped_later.is_empty() {
                    format!(
                        "step {} maps their first and last name",
                        ids::PROFILE_MAPPING
                    )
                } else {
                    let found: BTreeSet<&str> = mappings.iter().filter_map(expression).collect();
                    let found: Vec<&str> = found.into_iter().collect();
                    format!(
                        "the app's profile mapping has `{}` instead",
                        found.join("`, `")
                    )
                }
            }
            // AWS refuses the users if the mapping gives them no name, and the run then shows Okta's message.
            Err(error) if error.is_permission_denied() => {
                if is_mapped {
                    unnamed.mapped_later.clone_from(&users);
                }
                format!(
                    "the app's profile mapping, which may give them one, could not be read: grant okta.profileMappings.read, or fill in {ATTRIBUTE} in Okta"
                )
            }
            Err(_) => return mappings.map(|_| unnamed),
        };
        let number = match users.len() {
            1 => "1 user has".to_owned(),
            number => format!("{number} users have"),
        };
        let text = format!(
            "AWS requires a display name, and {number} none in Okta: {} ({consequence})",
            names(&users)
        );
        let note = Note::new("display-name", text).about(Subject::ProfileMapping {});
        unnamed.note = Some(note);
        Ok(unnamed)
    }

    /// Returns the problems of the users that AWS refuses.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        self.refused.iter().map(|user| {
            let login = &user.profile.login;
            let error = Error::new(
                ErrorKind::UnusableSubject,
                format!("AWS refuses user `{login}`: the user has no display name in Okta, and the app's profile mapping gives none"),
            )
            .with_help(format!("fill in {ATTRIBUTE} in Okta (Directory > People > the user > Profile), or set provisioning.display_name = true in the blueprint, which maps the first and the last name"));
            Problem::new(Some(Subject::user(login)), &error)
        })
    }

    /// Returns whether AWS refuses the user.
    pub(super) fn is_refused(&self, user: &User) -> bool {
        self.refused.iter().any(|refused| refused.id == user.id)
    }

    /// Adds to an assignment that the user needs the display name of the step `profile-mapping`.
    pub(super) fn depend(&self, assignment: Change, user: &User) -> Change {
        if self.mapped_later.iter().any(|mapped| mapped.id == user.id) {
            assignment.with_value(ATTRIBUTE, Value::AfterApply(ids::PROFILE_MAPPING))
        } else {
            assignment
        }
    }
}

/// Returns whether an assignment needs the display name of the step `profile-mapping`.
pub(super) fn needs_mapping(assignment: &Change) -> bool {
    let mut fields = assignment.fields.iter();
    fields.any(|field| field.name == ATTRIBUTE)
}

/// Returns whether the mapping of the user's type gives a display name to a user who has none in Okta.
fn gives_name(mappings: &[Mapping], user: &User) -> bool {
    let kind = user.raw().get("/type/id");
    let kind = kind.as_ref().and_then(Raw::as_text);
    let is_of_kind = |mapping: &&Mapping| {
        kind.as_deref()
            .is_some_and(|kind| mapping.source_id.as_deref() == Some(kind))
    };
    let of_kind: Vec<&Mapping> = mappings.iter().filter(is_of_kind).collect();
    let candidates = if of_kind.is_empty() {
        mappings.iter().collect()
    } else {
        of_kind
    };
    !candidates.is_empty() && !candidates.into_iter().any(is_incomplete)
}

fn names(users: &[&User]) -> String {
    let logins = users.iter().map(|user| user.profile.login.clone());
    abbreviated(&logins.collect::<Vec<_>>(), MAX_NAMES)
}

/// The attribute of the app's users, spelled as in Okta.
const ATTRIBUTE: &str = "displayName";

/// The expression for the display name.
///
/// Source: Okta, "Okta Expression Language overview", which documents `AND`, `!=` and the conditional expression.
const EXPRESSION: &str = "user.displayName != null AND user.displayName != \"\" ? user.displayName : user.firstName + \" \" + user.lastName";

/// Maximum number of names of users in a note.
const MAX_NAMES: usize = 10;

#[cfg(test)]
mod tests {
    use rest_core::Secret;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_mapping_of_the_users_own_type_counts() {
        let mut server = mockito::Server::new_async().await;
        let mut mocks = Vec::new();
        for (kind, expression) in [("full", "user.firstName"), ("empty", "user.displayName")] {
            let mapping = json!({
                "id": format!("prm{kind}"),
                "source": { "id": format!("oty{kind}"), "type": "user" },
                "target": { "id": "0oa1", "type": "appuser" },
                "properties": { "displayName": { "expression": expression, "pushStatus": "PUSH" } },
            });
            let user = json!({ "id": format!("00u{kind}"), "status": "ACTIVE", "type": { "id": format!("oty{kind}") } });
            for (path, body) in [
                (format!("/api/v1/mappings/prm{kind}"), mapping),
                (format!("/api/v1/users/00u{kind}"), user),
            ] {
                let mock = server.mock("GET", &*path).with_body(body.to_string());
                mocks.push(mock.create_async().await);
            }
        }
        let okta = Okta::builder(&server.url(), Secret::new("token")).build();
        let okta = okta.expect("a client");
        let mut mappings = Vec::new();
        for id in ["prmfull", "prmempty"] {
            let id = Id::parse(id).expect("an id");
            let mapping = okta.profile_mappings().get(&id).await;
            mappings.push(mapping.expect("a mapping"));
        }
        for (id, gives) in [("00ufull", true), ("00uempty", false)] {
            let id: Id<User> = Id::parse(id).expect("an id");
            let user = okta.users().get(&id.into()).await.expect("a user");
            assert_eq!(gives_name(&mappings, &user), gives, "{user:?}");
            // Without a mapping of the type, all must give a name.
            assert!(!gives_name(&mappings[1..], &user));
            assert!(!gives_name(&[], &user));
        }
    }
}
