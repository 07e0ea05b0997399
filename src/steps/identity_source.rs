//! Identity Center's identity source is Okta.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};
use saml_metadata::{Finding, Profile, aws};
use url::Url;

use super::{ACS_URL, ENTITY_ID};
use crate::{
    error::{Error, ErrorKind, Outcome},
    operator::{Answers, AskKind, HandOff, HandOffKind},
    plan::{Action, Change, StepId, Value},
    state::{InstanceFact, SourceFact},
    step::{Applied, Check, Context, Planned, Step},
};

/// Identity Center's identity source is Okta as an external identity provider.
///
/// No public API can set it or read it. A person does it with the validated metadata, and hands back what AWS shows;
/// whether AWS really trusts Okta is proved by the sign-in test.
#[derive(Clone, Debug)]
pub struct IdentitySource {
    okta: Okta,
}

impl IdentitySource {
    /// The step for the app and the instance that earlier steps have made or found.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }
}

/// What the app holds already, if it fits the instance: then somebody has set the source up before.
fn held_by(app: &App, instance: &InstanceFact) -> Option<SourceFact> {
    let acs = Url::parse(app.setting(ACS_URL)?).ok()?;
    let issuer = Url::parse(app.setting(ENTITY_ID)?).ok()?;
    prove_urls(instance, vec![acs], issuer, None).ok()
}

/// Proves what a person hands back: the file, or the two URLs.
fn prove(
    instance: &InstanceFact,
    idp_sha256: Option<&str>,
    cx: &Context,
    answers: &Answers,
) -> Outcome<SourceFact> {
    let idp = idp_sha256.map(ToOwned::to_owned);
    if let Some(bytes) = answers.get_file("sp_metadata") {
        let refused = |why: String| {
            Error::new(ErrorKind::Proof, format!("the file is not the service provider metadata of IAM Identity Center: {why}"))
                .help("download it from IAM Identity Center > Settings > Identity source > \"Download metadata file\", or copy the ACS URL and the issuer URL from there")
        };
        let document = saml_metadata::read(bytes)
            .map_err(|error| refused(error.to_string()).because(error))?;
        let findings = saml_metadata::validate(&document, Profile::AwsIdentityCenterSp, cx.now());
        let errors: Vec<String> = findings
            .iter()
            .filter(|finding| Finding::is_error(finding))
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(refused(errors.join("; ")));
        }
        let urls = aws::SpUrls::read(&document).map_err(|error| refused(error.to_string()))?;
        return prove_urls(instance, urls.acs, urls.issuer, idp);
    }
    let url = |key: &str, name: &str| {
        let text = answers.get(key).ok_or_else(|| {
            Error::new(
                ErrorKind::Proof,
                format!("neither the metadata file nor the {name} was handed back"),
            )
            .help("hand back the file that AWS offers for download, or both URLs")
        })?;
        Url::parse(text).map_err(|error| {
            Error::new(
                ErrorKind::Proof,
                format!("`{text}` is not the {name}: {error}"),
            )
        })
    };
    prove_urls(
        instance,
        vec![url(
            "acs_url",
            "IAM Identity Center Assertion Consumer Service (ACS) URL",
        )?],
        url("issuer_url", "IAM Identity Center issuer URL")?,
        idp,
    )
}

/// The issuer can be derived from the Region and the identity store, and the ACS URL has one of a few hosts.
fn prove_urls(
    instance: &InstanceFact,
    acs: Vec<Url>,
    issuer: Url,
    idp_sha256: Option<String>,
) -> Outcome<SourceFact> {
    let refused = |why: String| {
        Error::new(ErrorKind::Proof, why).help("copy both from IAM Identity Center > Settings > Identity source, in the Region of the instance")
    };
    aws::check_issuer(&instance.region, instance.identity_store.as_str(), &issuer)
        .map_err(|error| refused(format!("the issuer URL {issuer} {error}")))?;
    for url in &acs {
        aws::check_acs(url).map_err(|error| refused(format!("the ACS URL {url} {error}")))?;
    }
    if acs.is_empty() {
        return Err(refused(
            "there is no assertion consumer service URL".to_owned(),
        ));
    }
    Ok(SourceFact {
        acs,
        issuer,
        idp_sha256,
    })
}

impl Step for IdentitySource {
    fn id(&self) -> StepId {
        StepId::new("identity-source")
    }

    fn title(&self) -> String {
        "Identity source: Okta".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Planned>> {
        Box::pin(async move {
            let facts = cx.facts();
            let metadata = Value::known_or_after(
                facts
                    .idp
                    .as_ref()
                    .map(|idp| format!("{} sha256 {}", super::idp_metadata::FILE, idp.sha256)),
                &StepId::new("idp-metadata"),
            );
            let hand_off = || {
                Planned::one(
                    Change::new(Action::HandOff, "external identity provider")
                        .with_value("upload", metadata)
                        .with(
                            "hands back",
                            "service provider metadata, or ACS URL and issuer URL",
                        ),
                )
            };
            let Some(instance) = facts.instance else {
                return Ok(hand_off());
            };
            match facts.identity_source {
                // The same source, but Okta's metadata has changed since: AWS does not trust the new key yet.
                Some(SourceFact {
                    idp_sha256: Some(given),
                    ..
                }) if facts.idp.as_ref().is_some_and(|idp| idp.sha256 != given) => {
                    return Ok(hand_off().note("Okta's metadata has changed since AWS was given it: until AWS has the new one, signing in fails if Okta already signs with the new key"));
                }
                Some(source)
                    if prove_urls(&instance, source.acs.clone(), source.issuer.clone(), None)
                        .is_ok() =>
                {
                    return Ok(Planned::nothing());
                }
                _ => {}
            }
            let held = super::app(&self.okta, cx)
                .await?
                .and_then(|app| held_by(&app, &instance));
            Ok(match held {
                Some(source) => {
                    cx.learn(|facts| facts.identity_source = Some(source));
                    Planned::nothing().note("the app already has this instance's URLs, so the source counts as set up; the sign-in test proves it")
                }
                None => hand_off(),
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Outcome<Applied>> {
        Box::pin(async move {
            let (instance, idp) = cx.know(|facts| (facts.instance.clone(), facts.idp.clone()));
            let instance = instance.ok_or_else(|| {
                super::missing("the instance of IAM Identity Center", "identity-center")
            })?;
            let idp = idp.ok_or_else(|| super::missing("Okta's metadata", "idp-metadata"))?;
            let handoff = HandOff::new(
                HandOffKind::IdentitySource,
                "Make Okta the identity source of IAM Identity Center",
                format!(
                    "AWS console > IAM Identity Center > Settings > Identity source > Actions > Change identity source (https://{}.console.aws.amazon.com/singlesignon)",
                    instance.region
                ),
            )
            .warning("Keep a way in that does not go through Identity Center, such as an IAM user or role of the management account.")
            .warning("From the Identity Center directory, users, groups and assignments stay, but people sign in through Okta only, and only those whose user names match.")
            .warning("From Active Directory, AWS DELETES all users, groups and assignments, and the store's id and the portal's address change.")
            .instructions([
                "Choose External identity provider.",
                "Under Service provider metadata, download the metadata file (or copy the ACS URL and the issuer URL).",
                "Under Identity provider metadata, upload the file given here.",
                "Read what AWS warns of, type ACCEPT, and change the identity source.",
            ])
            .file(super::idp_metadata::FILE, super::idp_metadata::current(&self.okta, cx).await?)
            .value("signing certificate (SHA-256)", &idp.certificate)
            .ask_optional("sp_metadata", AskKind::File, "the service provider metadata file, downloaded")
            .ask_optional("acs_url", AskKind::Text, "or: IAM Identity Center Assertion Consumer Service (ACS) URL")
            .ask_optional("issuer_url", AskKind::Text, "and: IAM Identity Center issuer URL");
            let source = cx
                .hand_off(handoff, async |answers| {
                    prove(&instance, Some(&idp.sha256), cx, &answers)
                })
                .await?;
            cx.learn(|facts| facts.identity_source = Some(source));
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![if planned.changes.is_empty() {
                Check::cannot_be_proved(
                    "identity source: no public API shows it; the sign-in test does",
                )
            } else {
                Check::failed("identity source: AWS has not been given Okta's present metadata")
            }])
        })
    }
}
