//! Step `sign-in`: a test user signs in and has the expected roles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use aws_sso_glue::{AccountId, Aws, DeviceAuthorization, PollResult, Session, SignIn};
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{caller, idp_metadata, ids, lookup};
use crate::{
    batch::Waiting,
    blueprint::{Blueprint, PrincipalSpec, account_name},
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, Need, StepId, Subject},
    resolved_scope::ResolvedScope,
    step::{Applied, Check, Planned, Step},
    text::hex,
};

/// Has the operator sign in as a test user, and verifies the accounts, the roles, and the credentials of one role.
///
/// The test verifies conditions that no API shows: AWS trusts Okta's certificate, the URLs are correct, and the user names
/// match.
#[derive(Debug)]
pub struct SignInTest {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// The progress of the sign-in between two calls of `apply`.
#[derive(Default)]
struct PendingSignIn(Mutex<Progress>);

#[derive(Default)]
enum Progress {
    #[default]
    NotStarted,
    Started(Box<DeviceAuthorization>),
    SignedIn(Box<Session>),
}

impl PendingSignIn {
    /// Sets the progress of this run, and returns the progress before.
    fn replace(cx: &Context, progress: Progress) -> Progress {
        let pending = cx.run_memory::<Self>();
        let mut current = pending.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, progress)
    }
}

/// The roles that the test user must see in each account.
type Expected = BTreeMap<AccountId, BTreeSet<String>>;

impl SignInTest {
    /// Creates the step for the `access` of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    /// Returns the login of the test user: `sign_in.user` of the blueprint, or else the first user with access.
    fn test_login(&self, scope: &ResolvedScope) -> Result<String> {
        if let Some(login) = &self.blueprint.sign_in.user {
            return Ok(login.clone());
        }
        self.blueprint
            .entries()
            .find_map(|(_, access)| {
                access.principals().find_map(|principal| match principal {
                    PrincipalSpec::User(login) => Some(login),
                    PrincipalSpec::Group(name) => {
                        let members = scope.pushed.iter().find(|members| members.group.name == name)?;
                        scope.provisionable_members(members).next().map(|user| user.profile.login.clone())
                    }
                })
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::UnusableSubject, "`access` has no user that can sign in as the test user")
                    .with_help("add a user who is assigned to the app to a group of `access`, or set sign_in.skip = true")
            })
    }

    /// Returns the accounts and roles that the blueprint gives to the user, and whether accounts are left out because they
    /// have a problem, which the step for account assignments reports.
    async fn expected_roles(
        &self,
        login: &str,
        scope: &ResolvedScope,
        cx: &Context,
    ) -> Result<(Expected, bool)> {
        let access = lookup::access(&self.aws, &self.blueprint, cx).await?;
        let mut applies: BTreeMap<&PrincipalSpec, bool> = BTreeMap::new();
        let mut expected = Expected::new();
        for row in access.rows() {
            let applies = applies
                .entry(row.principal)
                .or_insert_with(|| match row.principal {
                    PrincipalSpec::User(user) => user == login,
                    PrincipalSpec::Group(name) => scope.pushed.iter().any(|members| {
                        members.group.name == *name
                            && scope
                                .provisionable_members(members)
                                .any(|user| user.profile.login == login)
                    }),
                });
            if *applies {
                let roles = expected.entry(row.account.id.clone()).or_default();
                roles.insert(row.permission_set.to_owned());
            }
        }
        Ok((expected, !access.problems.is_empty()))
    }

    /// Returns a digest of what the test verifies and no API shows: Okta's signing certificate, the URLs that Okta and AWS
    /// exchange, and the portal. Changes of users, groups and access need no new test.
    fn digest(cx: &Context) -> String {
        let certificate = idp_metadata::planned(cx).map(|idp| idp.certificate);
        let (acs, issuer, portal) = cx.facts(|facts| {
            let source = facts.identity_source.as_ref();
            let acs = source.and_then(|source| source.acs.first());
            let issuer = source.map(|source| &source.issuer);
            (acs.cloned(), issuer.cloned(), facts.portal.clone())
        });
        let url = |url: Option<Url>| url.map(String::from).unwrap_or_default();
        let parts = [
            certificate.unwrap_or_default(),
            url(acs),
            url(issuer),
            url(portal),
        ];
        hex(&Sha256::digest(parts.join("\n")))
    }

    fn sign_in(&self, cx: &Context) -> Result<SignIn> {
        let (portal, instance) = cx.facts(|facts| (facts.portal.clone(), facts.instance.clone()));
        let portal = portal.ok_or_else(|| {
            lookup::missing_prerequisite("the access portal URL", &ids::ACCESS_PORTAL)
        })?;
        let instance = instance.ok_or_else(|| {
            lookup::missing_prerequisite(
                "the instance of IAM Identity Center",
                &ids::IDENTITY_CENTER,
            )
        })?;
        Ok(self.aws.sign_in(&portal, &instance.region))
    }

    /// Returns the session of the test user, or `None` if the sign-in is still pending.
    async fn session(&self, login: &str, cx: &Context) -> Result<Option<Session>> {
        let pending = PendingSignIn::replace(cx, Progress::NotStarted);
        let sign_in = self.sign_in(cx)?;
        let authorization = match pending {
            Progress::SignedIn(session) => return Ok(Some(*session)),
            Progress::Started(authorization) => *authorization,
            Progress::NotStarted => {
                let authorization = sign_in
                    .start()
                    .await
                    .map_err(|error| Error::service("AWS did not start a sign-in", error))?;
                let manual_step = ManualStep::new(
                    ManualStepKind::SignIn,
                    format!("Sign in as {login}"),
                    authorization.verification_uri_complete.to_string(),
                )
                .warning("Use a private browser window, so that the browser does not use another user's session.")
                .instructions([
                    format!("Open the URL, and sign in through Okta as {login}."),
                    "Check that the browser shows the code below, and allow access.".to_owned(),
                ])
                .value("user", login)
                .value("code", &authorization.user_code);
                cx.manual_step(manual_step, async |_| Ok(())).await?;
                authorization
            }
        };
        match sign_in
            .poll(&authorization)
            .await
            .map_err(|error| Error::service(format!("the sign-in as {login} failed"), error))?
        {
            PollResult::Done(session) => Ok(Some(session)),
            PollResult::Expired => Err(Error::new(
                ErrorKind::ManualStep,
                format!("the code expired before {login} signed in"),
            )
            .with_help("run again, and sign in before the code expires")),
            PollResult::Denied => Err(Error::new(
                ErrorKind::ManualStep,
                format!("the sign-in as {login} was denied in the browser"),
            )
            .with_help("run again, and allow access")),
            _ => {
                PendingSignIn::replace(cx, Progress::Started(Box::new(authorization)));
                Ok(None)
            }
        }
    }

    /// Returns the expected accounts and roles that the access portal does not list yet.
    async fn missing_access(&self, session: &Session, expected: &Expected) -> Result<Vec<String>> {
        let failed =
            |error| Error::service("the user's accounts and roles could not be listed", error);
        let visible: BTreeSet<AccountId> = session
            .accounts()
            .try_collect()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|account| account.id)
            .collect();
        let mut missing = Vec::new();
        for (account, expected_roles) in expected {
            if !visible.contains(account) {
                missing.push(format!("account {account}"));
                continue;
            }
            let roles: BTreeSet<String> = session
                .roles(account)
                .try_collect()
                .await
                .map_err(failed)?
                .into_iter()
                .collect();
            missing.extend(
                expected_roles
                    .difference(&roles)
                    .map(|role| format!("role {role} in account {account}")),
            );
        }
        Ok(missing)
    }

    /// Gets the credentials of one role and verifies with AWS that they belong to the role and the user.
    async fn verify_credentials(
        &self,
        session: &Session,
        expected: &Expected,
        user_name: &str,
    ) -> Result<()> {
        let Some((account, role)) = expected
            .iter()
            .find_map(|(account, roles)| Some((account, roles.first()?)))
        else {
            return Ok(());
        };
        let target = format!("role {role} in account {account}");
        let credentials = session.credentials(account, role).await.map_err(|error| {
            Error::service(
                format!("the access portal returned no credentials for {target}"),
                error,
            )
        })?;
        let caller = self
            .aws
            .verify_credentials(credentials)
            .await
            .map_err(|error| {
                Error::service(format!("the credentials for {target} do not work"), error)
            })?;
        if caller.account != *account || !caller.arn.contains(&format!("AWSReservedSSO_{role}_")) {
            return Err(Error::new(
                ErrorKind::StalePlan,
                format!("the credentials for {target} belong to {}", caller.arn),
            )
            .with_help("check the role of the permission set in that account"));
        }
        // The session has the user's name. Session names in STS have at most 64 characters.
        let signed_in = caller.arn.rsplit('/').next().unwrap_or_default();
        if user_name.len() <= 64 && !signed_in.eq_ignore_ascii_case(user_name) {
            return Err(Error::new(
                ErrorKind::InvalidAnswer,
                format!("{signed_in} signed in instead of the test user {user_name}"),
            )
            .with_help("run again, and sign in from a private browser window: otherwise the browser can use another user's session"));
        }
        Ok(())
    }
}

impl Step for SignInTest {
    fn id(&self) -> StepId {
        ids::SIGN_IN
    }

    fn title(&self) -> String {
        "Sign-in test".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let verified = cx.facts(|facts| facts.signed_in.clone());
            if verified == Some(Self::digest(cx)) {
                return Ok(Planned::nothing());
            }
            if caller::without_permission_sets(cx).is_some() {
                return Ok(Planned::nothing().note(
                    "no-sign-in-test",
                    "the sign-in test needs a role in an account, and the instance has no permission sets",
                ));
            }
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let login = self.test_login(&scope)?;
            let (expected, left_out) = self.expected_roles(&login, &scope, cx).await?;
            if expected.is_empty() {
                let mut planned = Planned::nothing();
                if !left_out {
                    let error = Error::new(
                        ErrorKind::UnusableSubject,
                        format!("the test user {login} gets no role from the blueprint"),
                    )
                    .with_help(
                        "set sign_in.user to a user who has access, or set sign_in.skip = true",
                    );
                    planned.problem(
                        Subject::SignIn {
                            user: (&login).into(),
                        },
                        &error,
                    );
                }
                return Ok(planned);
            }
            let mut change = Change::new(
                Action::Check,
                Subject::SignIn {
                    user: (&login).into(),
                },
            );
            let access = lookup::access(&self.aws, &self.blueprint, cx).await?;
            for (id, roles) in &expected {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                let account = access.organization().account(id);
                let name = account.map_or_else(|| id.to_string(), account_name);
                change = change.with(name, roles.join(", "));
            }
            Ok(Planned::one(change))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let login = self.test_login(&scope)?;
            let (expected, _) = self.expected_roles(&login, &scope, cx).await?;
            let Some(session) = self.session(&login, cx).await? else {
                return Ok(Applied::waiting(format!("{login} to sign in")));
            };
            let missing = self.missing_access(&session, &expected).await?;
            if !missing.is_empty() {
                PendingSignIn::replace(cx, Progress::SignedIn(Box::new(session)));
                return Ok(Applied::Waiting(Waiting {
                    on: format!("the access portal to list the assigned roles of {login}"),
                    missing,
                }));
            }
            let user_name = lookup::aws_user_name(&self.okta, &self.blueprint, &login, cx).await?;
            let user_name = user_name.as_deref().unwrap_or(&login);
            self.verify_credentials(&session, &expected, user_name)
                .await?;
            // The session is no longer needed, so a failed logout does not fail the test.
            if let Err(error) = session.logout().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the session of the test user could not be ended"
                );
            }
            let digest = Self::digest(cx);
            cx.update_facts(|facts| facts.signed_in = Some(digest));
            Ok(Applied::Done)
        })
    }

    /// The test user must see the roles, so the test comes after the assignments.
    fn needs(&self, change: &Change) -> Vec<Need> {
        let mut needs = change.subject.needs();
        needs.push(Need::Kind(Kind::Assignment));
        needs
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            let is_verified = planned.changes.is_empty()
                && planned.problems.is_empty()
                && caller::without_permission_sets(cx).is_none();
            Ok(vec![if is_verified {
                Check::verified("sign-in test: passed for the current signing key and URLs")
            } else {
                Check::unverifiable(
                    "sign-in test: not passed yet for the current signing key and URLs",
                )
            }])
        })
    }
}
