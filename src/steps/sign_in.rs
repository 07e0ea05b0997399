//! Somebody signs in and has the roles that the plan promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use aws_sso_glue::{AccountId, Aws, DeviceAuthorization, Polled, Session, SignIn};
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use sha2::{Digest as _, Sha256};

use crate::{
    blueprint::{Blueprint, Principal},
    error::{Error, ErrorKind, Outcome},
    operator::{HandOff, HandOffKind},
    plan::{Action, Change, StepId},
    roster::Roster,
    state::hex,
    step::{Applied, Check, Context, Planned, Step, Waiting},
};

/// Somebody signs in through Okta, sees the accounts and roles that the plan promised, and one role's credentials work.
///
/// It is the proof of everything that no API shows: that AWS trusts Okta's certificate, that the URLs are right, and
/// that the names match.
#[derive(Debug)]
pub struct SignInTest {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
    underway: Mutex<Underway>,
}

#[derive(Debug, Default)]
enum Underway {
    #[default]
    Nothing,
    Asked(Box<DeviceAuthorization>),
    SignedIn(Box<Session>),
}

/// What somebody is to see: the roles in each account.
type Promised = BTreeMap<AccountId, BTreeSet<String>>;

impl SignInTest {
    /// The step for the access that a blueprint gives.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
            underway: Mutex::default(),
        }
    }

    /// Who signs in: who the blueprint names for it, or the first who has access.
    fn login(&self, roster: &Roster) -> Outcome<String> {
        if let Some(named) = &self.blueprint.sign_in.user {
            return Ok(named.clone());
        }
        self.blueprint
            .access
            .iter()
            .find_map(|access| match access.principal() {
                Principal::User(login) => Some(login),
                Principal::Group(name) => {
                    let members = roster.pushed.iter().find(|members| members.group.name == name)?;
                    roster.members_who_travel(members).next().map(|user| user.profile.login.clone())
                }
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::Unfit, "nobody has access who could sign in as a test")
                    .help("put somebody who is assigned to the app into one of the groups, or set sign_in.skip = true")
            })
    }

    async fn promised(&self, login: &str, roster: &Roster, cx: &Context) -> Outcome<Promised> {
        let mut promised = Promised::new();
        for access in &self.blueprint.access {
            let applies = match access.principal() {
                Principal::User(user) => user == login,
                Principal::Group(name) => roster.pushed.iter().any(|members| {
                    members.group.name == name
                        && roster
                            .members_who_travel(members)
                            .any(|user| user.profile.login == login)
                }),
            };
            if !applies {
                continue;
            }
            for named in access.accounts() {
                let account = super::account(&self.aws, cx, named).await?;
                promised
                    .entry(account.id.clone())
                    .or_default()
                    .insert(access.permission_set.clone());
            }
        }
        Ok(promised)
    }

    /// A digest of what the test proves: who sees what, and with which key Okta signs.
    fn digest(login: &str, promised: &Promised, cx: &Context) -> String {
        let mut text = format!("{login}\n");
        for (account, roles) in promised {
            for role in roles {
                text.extend([account.as_str(), " ", role, "\n"]);
            }
        }
        text.push_str(
            &cx.expected_idp()
                .map(|idp| idp.certificate)
                .unwrap_or_default(),
        );
        hex(&Sha256::digest(text))
    }

    fn sign_in(&self, cx: &Context) -> Outcome<SignIn> {
        let (portal, instance) = cx.know(|facts| (facts.portal.clone(), facts.instance.clone()));
        let portal =
            portal.ok_or_else(|| super::missing("the access portal URL", "access-portal"))?;
        let instance = instance.ok_or_else(|| {
            super::missing("the instance of IAM Identity Center", "identity-center")
        })?;
        Ok(self.aws.sign_in(&portal, &instance.region))
    }

    async fn signed_in(&self, login: &str, cx: &Context) -> Outcome<Option<Session>> {
        let underway = std::mem::take(&mut *self.lock());
        let sign_in = self.sign_in(cx)?;
        let asked = match underway {
            Underway::SignedIn(session) => return Ok(Some(*session)),
            Underway::Asked(asked) => *asked,
            Underway::Nothing => {
                let asked = sign_in
                    .start()
                    .await
                    .map_err(|error| Error::service("AWS did not start a sign-in", error))?;
                let handoff = HandOff::new(
                    HandOffKind::SignIn,
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
                cx.hand_off(handoff, async |_| Ok(())).await?;
                asked
            }
        };
        match sign_in.poll(&asked).await.map_err(|error| {
            Error::service(format!("the sign-in as {login} did not succeed"), error)
        })? {
            Polled::Done(session) => Ok(Some(session)),
            Polled::Expired => Err(Error::new(
                ErrorKind::HandOff,
                format!("nobody signed in as {login} before the code ran out"),
            )
            .help("run again, and sign in while the code is good")),
            Polled::Denied => Err(Error::new(
                ErrorKind::HandOff,
                format!("the sign-in as {login} was denied in the browser"),
            )
            .help("run again, and allow access")),
            _ => {
                *self.lock() = Underway::Asked(Box::new(asked));
                Ok(None)
            }
        }
    }

    /// What was promised and is not seen yet.
    async fn unseen(&self, session: &Session, promised: &Promised) -> Outcome<Vec<String>> {
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
        for (account, wanted) in promised {
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
    async fn prove_one(
        &self,
        session: &Session,
        promised: &Promised,
        user_name: &str,
    ) -> Outcome<()> {
        let Some((account, role)) = promised
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
        let caller = self.aws.prove(credentials).await.map_err(|error| {
            Error::service(format!("the credentials for {what} do not work"), error)
        })?;
        if caller.account != *account || !caller.arn.contains(&format!("AWSReservedSSO_{role}_")) {
            return Err(Error::new(
                ErrorKind::Moved,
                format!("the credentials for {what} belong to {}", caller.arn),
            )
            .help("look at the permission set's role in that account"));
        }
        // The session is named after the user; STS names have at most 64 characters.
        let signed_in = caller.arn.rsplit('/').next().unwrap_or_default();
        if user_name.len() <= 64 && !signed_in.eq_ignore_ascii_case(user_name) {
            return Err(Error::new(
                ErrorKind::Proof,
                format!("somebody else has answered the sign-in: {signed_in}, not {user_name}"),
            )
            .help("run again, and sign in from a private window: an open session of somebody else's answers for them"));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Underway> {
        self.underway
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

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Planned>> {
        Box::pin(async move {
            let roster = super::roster(&self.okta, &self.blueprint, cx).await?;
            let login = self.login(roster)?;
            let promised = self.promised(&login, roster, cx).await?;
            if promised.is_empty() {
                return Err(Error::new(
                    ErrorKind::Unfit,
                    format!(
                        "{login} is to sign in as a test, and no line of access gives them anything"
                    ),
                )
                .help("name somebody who has access as sign_in.user, or set sign_in.skip = true"));
            }
            let proved = cx.know(|facts| facts.signed_in.clone());
            if proved == Some(Self::digest(&login, &promised, cx)) {
                return Ok(Planned::nothing());
            }
            let mut change = Change::new(Action::Check, format!("sign in as {login}"));
            for (id, roles) in &promised {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                let account = super::account(&self.aws, cx, id.as_str()).await?;
                change = change.with(&super::account_name(account), roles.join(", "));
            }
            Ok(Planned::one(change))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Outcome<Applied>> {
        Box::pin(async move {
            let roster = super::roster(&self.okta, &self.blueprint, cx).await?;
            let login = self.login(roster)?;
            let promised = self.promised(&login, roster, cx).await?;
            let Some(session) = self.signed_in(&login, cx).await? else {
                return Ok(Applied::waiting(format!("{login} to sign in")));
            };
            let unseen = self.unseen(&session, &promised).await?;
            if !unseen.is_empty() {
                *self.lock() = Underway::SignedIn(Box::new(session));
                return Ok(Applied::Waiting(Waiting {
                    on: format!("{login} to see what was assigned"),
                    missing: unseen,
                }));
            }
            let user_name = super::user_name(&self.okta, &self.blueprint, &login, cx).await?;
            self.prove_one(&session, &promised, &user_name).await?;
            // The session has served its purpose; that it cannot be ended early is no reason to fail.
            if let Err(error) = session.logout().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the test session was not ended"
                );
            }
            let digest = Self::digest(&login, &promised, cx);
            cx.learn(|facts| facts.signed_in = Some(digest));
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![if planned.changes.is_empty() {
                Check::proved("sign-in test: passed for the present access and signing key")
            } else {
                Check::cannot_be_proved(
                    "sign-in test: not passed yet for the present access and signing key",
                )
            }])
        })
    }
}
