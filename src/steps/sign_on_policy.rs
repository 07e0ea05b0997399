//! Step `sign-on-policy`: the Okta app has the sign-on policy of the blueprint.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta, Policy, PolicyType};

use super::{
    app_lists::{self, AppLists},
    ids, lookup,
};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Note, StepId, Subject, Value, count},
    step::{Applied, Planned, Step},
    text::abbreviated,
};

/// Selects the sign-on policy of the app (the API calls it an access policy, the Admin Console an app sign-in policy).
///
/// Users who do not meet the rules of another policy can no longer sign in, so the change is a removal if the app has users.
#[derive(Clone, Debug)]
pub struct SignOnPolicy {
    okta: Okta,
    name_or_id: String,
}

impl SignOnPolicy {
    /// Creates the step for the policy with this name or id. It uses the app of an earlier step.
    #[must_use]
    pub fn new(okta: &Okta, name_or_id: &str) -> Self {
        Self {
            okta: okta.clone(),
            name_or_id: name_or_id.to_owned(),
        }
    }

    async fn policies(&self) -> Result<Vec<Policy>> {
        let policies = self.okta.policies().list(&PolicyType::AccessPolicy);
        policies.try_collect().await.map_err(|error| {
            Error::service("the sign-on policies could not be listed from Okta", error)
        })
    }

    /// Returns the policy of the blueprint. The id wins: the name of a policy may look like the id of another one.
    fn find<'a>(&self, all: &'a [Policy]) -> Result<&'a Policy> {
        let wanted = &self.name_or_id;
        let unusable = |message: String| Error::new(ErrorKind::UnusableSubject, message);
        let by_id = all.iter().find(|policy| policy.id.as_str() == wanted);
        let by_name = all.iter().filter(|policy| policy.name == *wanted);
        let policy = match (by_id, by_name.collect::<Vec<_>>().as_slice()) {
            (Some(policy), _) => policy,
            (None, [policy]) => *policy,
            (None, []) => {
                let names: Vec<String> = all.iter().map(|policy| policy.name.clone()).collect();
                return Err(unusable(format!(
                    "Okta has no sign-on policy `{wanted}`; it has {}",
                    match names.as_slice() {
                        [] => "none".to_owned(),
                        names => abbreviated(names, MAX_NAMES),
                    }
                ))
                .with_help(
                    "correct okta.sign_on_policy in the blueprint; names are compared exactly",
                ));
            }
            (None, twins) => {
                let ids: Vec<&str> = twins.iter().map(|policy| policy.id.as_str()).collect();
                return Err(unusable(format!(
                    "`{wanted}` is the name of {} sign-on policies: {}",
                    ids.len(),
                    ids.join(", ")
                ))
                .with_help("use the id of one of them as okta.sign_on_policy in the blueprint"));
            }
        };
        match policy.status.as_deref() {
            None | Some("ACTIVE") => Ok(policy),
            Some(status) => Err(unusable(format!("sign-on policy `{wanted}` is {status} in Okta"))
                .with_help("activate the policy in Okta, or name another one as okta.sign_on_policy in the blueprint")),
        }
    }
}

/// Returns the policy as a plan shows it: its name, with its id if another policy has the same name.
fn shown(policy: &Policy, all: &[Policy]) -> String {
    let is_twin = |other: &Policy| other.name == policy.name && other.id != policy.id;
    if all.iter().any(is_twin) {
        format!("{} ({})", policy.name, policy.id)
    } else {
        policy.name.clone()
    }
}

/// Returns the current policy of an app as a plan shows it.
fn shown_current(app: &App, all: &[Policy]) -> Value {
    let current = app.access_policy().map(|id| {
        let known = all.iter().find(|policy| policy.id == id);
        known.map_or_else(|| id.to_string(), |policy| shown(policy, all))
    });
    current.into()
}

impl Step for SignOnPolicy {
    fn id(&self) -> StepId {
        ids::SIGN_ON_POLICY
    }

    fn title(&self) -> String {
        "Sign-on policy of the Okta app".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::SignOnPolicy]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let all = self.policies().await?;
            let policy = match self.find(&all) {
                Ok(policy) => policy,
                Err(error) => {
                    let mut planned = Planned::nothing();
                    planned.problem(Subject::SignOnPolicy {}, &error);
                    return Ok(planned);
                }
            };
            let app = lookup::app(&self.okta, cx).await?;
            let (before, users) = match &app {
                Some(app) if app.access_policy().as_ref() == Some(&policy.id) => {
                    return Ok(Planned::nothing());
                }
                Some(app) => {
                    let users = AppLists::new(&self.okta, cx).users(app_lists::RUN).await?;
                    (shown_current(app, &all), users.len())
                }
                // Okta gives a new app its default policy.
                None => (Value::AfterApply(ids::CATALOG_APP), 0),
            };
            let (action, why) = if users == 0 {
                let why = "the policy decides who can sign in to the app, and how";
                (Action::Update, why.to_owned())
            } else {
                let users = count(users, "user");
                let why = format!(
                    "the policy decides who can sign in to the app, and how: users that do not meet the rules of the new policy can no longer sign in, and the app has {users}"
                );
                (Action::Remove, why)
            };
            Ok(Planned::one(
                Change::new(action, Subject::SignOnPolicy {})
                    .field("policy", before, Value::Known(shown(policy, &all)))
                    .because(Note::new("changes-sign-in", why)),
            ))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let all = self.policies().await?;
            let policy = self.find(&all)?;
            let app = lookup::require_app(&self.okta, cx).await?;
            let apps = self.okta.apps();
            let set = apps.set_access_policy(app.id(), &policy.id);
            set.await.map_err(|error| {
                let what = format!(
                    "Okta did not give app {} the sign-on policy `{}`",
                    app.id(),
                    policy.name
                );
                Error::service(what, error)
            })?;
            let app = lookup::require_app(&self.okta, cx).await?;
            if app.access_policy().as_ref() == Some(&policy.id) {
                return Ok(Applied::Done);
            }
            let current = shown_current(&app, &all);
            Err(Error::new(
                ErrorKind::StalePlan,
                format!(
                    "Okta accepted the sign-on policy `{}` for app {} but now returns {current}",
                    policy.name,
                    app.id(),
                ),
            )
            .with_help("the app may have been changed elsewhere at the same time: look at the policy in its Sign On tab in Okta, then run again"))
        })
    }
}

/// Maximum number of names of policies in a message.
const MAX_NAMES: usize = 10;
