//! Somebody signs in and has the roles that the plan expected.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use aws_sso_glue::{AccountId, Aws, DeviceAuthorization, Polled, Session, SignIn};
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use sha2::{Digest as _, Sha256};

use crate::{
    blueprint::{Blueprint, PrincipalSpec},
    error::{Error, ErrorKind, Result},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, StepId},
    resolved_scope::ResolvedScope,
    state::hex,
    step::{Applied, Check, Context, Planned, Step, Waiting},
};

/// Somebody signs in through Okta, sees the accounts and roles that the plan expected, and one role's credentials work.
///
/// It is the proof of everything that no API shows: that AWS trusts Okta's certificate, that the URLs are right, and
/// that the names match.
#[derive(Debug)]
pub struct SignInTest {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
    pending: Mutex<PendingSignIn>,
}

#[derive(Debug, Default)]
enum PendingSignIn {
    #[default]
    Nothing,
    Asked(Box<DeviceAuthorization>),
    SignedIn(Box<Session>),
}

/// What somebody is to see: the roles in each account.
type Expected = BTreeMap<AccountId, BTreeSet<String>>;

impl SignInTest {
    /// The step for the access that a blueprint gives.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
            pending: Mutex::default(),
        }
    }

    /// Who signs in: who the blueprint names for it, or the first who has access.
    fn login(&self, scope: &ResolvedScope) -> Result<String> {
        if let Some(named) = &self.blueprint.sign_in.user {
            return Ok(named.clone());
        }
        self.blueprint
            .access
            .iter()
            .find_map(|access| match access.principal() {
                PrincipalSpec::User(login) => Some(login),
                PrincipalSpec::Group(name) => {
                    let members = scope.pushed.iter().find(|members| members.group.name == name)?;
                    scope.provisionable_members(members).next().map(|user| user.profile.login.clone())
                }
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::UnusableSubject, "nobody has access who could sign in as a test")
                    .with_help("put somebody who is assigned to the app into one of the groups, or set sign_in.skip = true")
            })
    }

    async fn expected(&self, login: &str, scope: &ResolvedScope, cx: &Context) -> Result<Expected> {
        let mut expected = Expected::new();
        for access in &self.blueprint.access {
            let applies = match access.principal() {
                PrincipalSpec::User(user) => user == login,
                PrincipalSpec::Group(name) => scope.pushed.iter().any(|members| {
                    members.group.name == name
                        && scope
                            .provisionable_members(members)
                            .any(|user| user.profile.login == login)
                }),
            };
            if !applies {
                continue;
            }
            for named in access.accounts() {
                let account = super::account(&self.aws, cx, named).await?;
                expected
                    .entry(account.id.clone())
                    .or_default()
                    .insert(access.permission_set.clone());
            }
        }
        Ok(expected)
    }

    /// A digest of what the test verifies: who sees what, and with which key Okta signs.
    fn digest(login: &str, expected: &Expected, cx: &Context) -> String {
        let mut text = format!("{login}\n");
        for (account, roles) in expected {
            for role in roles {
                text.extend([account.as_str(), " ", role, "\n"]);
            }
        }
        text.push_str(
            &cx.planned_idp()
                .map(|idp| idp.certificate)
                .unwrap_or_default(),
        );
        hex(&Sha256::digest(text))
    }

    fn sign_in(&self, cx: &Context) -> Result<SignIn> {
        let (portal, instance) = cx.facts(|facts| (facts.portal.clone(), facts.instance.clone()));
        let portal =
            portal.ok_or_else(|| super::missing("the access portal URL", "access-portal"))?;
        let instance = instance.ok_or_else(|| {
            super::missing("the instance of IAM Identity Center", "identity-center")
        })?;
        Ok(self.aws.sign_in(&portal, &instance.region))
    }

    async fn signed_in(&self, login: &str, cx: &Context) -> Result<Option<Session>> {
        let pending = std::mem::take(&mut *self.lock());
        let sign_in = self.sign_in(cx)?;
        let asked = match pending {
            PendingSignIn::SignedIn(session) => return Ok(Some(*session)),
            PendingSignIn::Asked(asked) => *asked,
            PendingSignIn::Nothing => {
                let asked = sign_in
                    .start()
                    .await
                    .map_err(|error| Error::service("AWS did not start a sign-in", error))?;
                let manual_step = ManualStep::new(
                    ManualStepKind::SignIn,
                    format!("Sign in as {login}"),
                    asked.verification_uri_complete.to_string(),
                )
                .warning("Use a private window, so that nobody else's session answers.")
                .instructions([
                    format!("Open the address, and sign in through Okta as {login}."),
                    "Confirm that the code is the one below, and allow access.".to_owned(),
                ])
                .value("user", login)
                .value("code", &asked.user_code);
                cx.manual_step(manual_step, async |_| Ok(())).await?;
                asked
            }
        };
        match sign_in.poll(&asked).await.map_err(|error| {
            Error::service(format!("the sign-in as {login} did not succeed"), error)
        })? {
            Polled::Done(session) => Ok(Some(session)),
            Polled::Expired => Err(Error::new(
                ErrorKind::ManualStep,
                format!("nobody signed in as {login} before the code ran out"),
            )
            .with_help("run again, and sign in while the code is good")),
            Polled::Denied => Err(Error::new(
                ErrorKind::ManualStep,
                format!("the sign-in as {login} was denied in the browser"),
            )
            .with_help("run again, and allow access")),
            _ => {
                *self.lock() = PendingSignIn::Asked(Box::new(asked));
                Ok(None)
            }
        }
    }

    /// What was expected and is not seen yet.
    async fn unseen(&self, session: &Session, expected: &Expected) -> Result<Vec<String>> {
        let failed =
            |error| Error::service("the access portal did not list what the user sees", error);
        let seen: BTreeSet<AccountId> = session
            .accounts()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|account| account.id)
            .collect();
        let mut unseen = Vec::new();
        for (account, wanted) in expected {
            if !seen.contains(account) {
                unseen.push(format!("account {account}"));
                continue;
            }
            let roles: BTreeSet<String> = session
                .roles(account)
                .await
                .map_err(failed)?
                .into_iter()
                .collect();
            unseen.extend(
                wanted
                    .difference(&roles)
                    .map(|role| format!("role {role} in account {account}")),
            );
        }
        Ok(unseen)
    }

    /// Takes one role's credentials and asks AWS who has them.
    async fn verify_one(
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
        let what = format!("role {role} in account {account}");
        let credentials = session.credentials(account, role).await.map_err(|error| {
            Error::service(
                format!("the access portal gave no credentials for {what}"),
                error,
            )
        })?;
        let caller = self.aws.verify_credentials(credentials).await.map_err(|error| {
            Error::service(format!("the credentials for {what} do not work"), error)
        })?;
        if caller.account != *account || !caller.arn.contains(&format!("AWSReservedSSO_{role}_")) {
            return Err(Error::new(
                ErrorKind::StalePlan,
                format!("the credentials for {what} belong to {}", caller.arn),
            )
            .with_help("look at the permission set's role in that account"));
        }
        // The session is named after the user; STS names have at most 64 characters.
        let signed_in = caller.arn.rsplit('/').next().unwrap_or_default();
        if user_name.len() <= 64 && !signed_in.eq_ignore_ascii_case(user_name) {
            return Err(Error::new(
                ErrorKind::InvalidAnswer,
                format!("somebody else has answered the sign-in: {signed_in}, not {user_name}"),
            )
            .with_help("run again, and sign in from a private window: an open session of somebody else's answers for them"));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, PendingSignIn> {
        self.pending
            .lock()
            .expect("nobody panics while holding the sign-in")
    }
}

impl Step for SignInTest {
    fn id(&self) -> StepId {
        StepId::new("sign-in")
    }

    fn title(&self) -> String {
        "Sign-in test".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let login = self.login(scope)?;
            let expected = self.expected(&login, scope, cx).await?;
            if expected.is_empty() {
                return Err(Error::new(
                    ErrorKind::UnusableSubject,
                    format!(
                        "{login} is to sign in as a test, and no line of access gives them anything"
                    ),
                )
                .with_help(
                    "name somebody who has access as sign_in.user, or set sign_in.skip = true",
                ));
            }
            let verified = cx.facts(|facts| facts.signed_in.clone());
            if verified == Some(Self::digest(&login, &expected, cx)) {
                return Ok(Planned::nothing());
            }
            let mut change = Change::new(Action::Check, format!("sign in as {login}"));
            for (id, roles) in &expected {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                let account = super::account(&self.aws, cx, id.as_str()).await?;
                change = change.with(&super::account_name(account), roles.join(", "));
            }
            Ok(Planned::one(change))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let login = self.login(scope)?;
            let expected = self.expected(&login, scope, cx).await?;
            let Some(session) = self.signed_in(&login, cx).await? else {
                return Ok(Applied::waiting(format!("{login} to sign in")));
            };
            let unseen = self.unseen(&session, &expected).await?;
            if !unseen.is_empty() {
                *self.lock() = PendingSignIn::SignedIn(Box::new(session));
                return Ok(Applied::Waiting(Waiting {
                    on: format!("{login} to see what was assigned"),
                    missing: unseen,
                }));
            }
            let user_name = super::user_name(&self.okta, &self.blueprint, &login, cx).await?;
            self.verify_one(&session, &expected, &user_name).await?;
            // The session has served its purpose; that it cannot be ended early is no reason to fail.
            if let Err(error) = session.logout().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the test session was not ended"
                );
            }
            let digest = Self::digest(&login, &expected, cx);
            cx.update_facts(|facts| facts.signed_in = Some(digest));
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![if planned.changes.is_empty() {
                Check::verified("sign-in test: passed for the present access and signing key")
            } else {
                Check::unverifiable(
                    "sign-in test: not passed yet for the present access and signing key",
                )
            }])
        })
    }
}
