//! Identity Center's identity source is Okta.

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};
use saml_metadata::{Finding, Profile, aws as sp};
use url::Url;

use super::{ACS_URL, ENTITY_ID};
use crate::{
    error::{Error, ErrorKind, Result},
    operator::{Answers, AskKind, ManualStep, ManualStepKind},
    plan::{Action, Change, StepId, Value},
    state::{IdentitySourceFact, InstanceFact, TrustedIdp},
    step::{Applied, Check, Context, Planned, Step},
};

/// Identity Center's identity source is Okta as an external identity provider.
///
/// No public API can set it or read it. A person does it with the validated metadata, and hands back what AWS shows;
/// whether AWS really trusts Okta is verified by the sign-in test.
#[derive(Clone, Debug)]
pub struct IdentitySource {
    okta: Okta,
    aws: Aws,
}

impl IdentitySource {
    /// The step for the app and the instance that earlier steps have made or found.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
        }
    }

    /// The instance as it is now: its identity store is another one after a change from Active Directory.
    async fn instance_now(&self, known: &InstanceFact) -> Result<InstanceFact> {
        let all = self.aws.instances().await.map_err(|error| {
            Error::service(
                "the instances of Identity Center could not be listed",
                error,
            )
        })?;
        let found = all.iter().find(|instance| instance.arn == known.arn);
        Ok(found.map_or_else(
            || known.clone(),
            |found| InstanceFact::of(found, known.permission_sets),
        ))
    }
}

/// What the app holds already, if it fits the instance: then somebody has set the source up before.
fn held_by(app: &App, instance: &InstanceFact) -> Option<IdentitySourceFact> {
    let acs = Url::parse(app.setting(ACS_URL)?).ok()?;
    let issuer = Url::parse(app.setting(ENTITY_ID)?).ok()?;
    verify_urls(instance, vec![acs], issuer, None).ok()
}

/// Proves what a person hands back: the file, or the two URLs.
fn verify_answers(
    instance: &InstanceFact,
    trusts: &TrustedIdp,
    cx: &Context,
    answers: &Answers,
) -> Result<IdentitySourceFact> {
    let trusts = Some(trusts.clone());
    if let Some(bytes) = answers.get_file("sp_metadata") {
        let refused = |why: String| {
            Error::new(ErrorKind::InvalidAnswer, format!("the file is not the service provider metadata of IAM Identity Center: {why}"))
                .with_help("download it from IAM Identity Center > Settings > Identity source > \"Download metadata file\", or copy the ACS URL and the issuer URL from there")
        };
        let document = saml_metadata::read(bytes)
            .map_err(|error| refused(error.to_string()).with_source(error))?;
        let findings = saml_metadata::validate(&document, Profile::AwsIdentityCenterSp, cx.now());
        let errors: Vec<String> = findings
            .iter()
            .filter(|finding| Finding::is_error(finding))
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(refused(errors.join("; ")));
        }
        let urls = sp::SpUrls::read(&document).map_err(|error| refused(error.to_string()))?;
        return verify_urls(instance, urls.acs, urls.issuer, trusts);
    }
    let url = |key: &str, name: &str| {
        let text = answers.get(key).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("neither the metadata file nor the {name} was handed back"),
            )
            .with_help("hand back the file that AWS offers for download, or both URLs")
        })?;
        Url::parse(text).map_err(|error| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("`{text}` is not the {name}: {error}"),
            )
        })
    };
    verify_urls(
        instance,
        vec![url(
            "acs_url",
            "IAM Identity Center Assertion Consumer Service (ACS) URL",
        )?],
        url("issuer_url", "IAM Identity Center issuer URL")?,
        trusts,
    )
}

/// The issuer can be derived from the Region and the identity store, and the ACS URL has one of a few hosts.
fn verify_urls(
    instance: &InstanceFact,
    acs: Vec<Url>,
    issuer: Url,
    trusts: Option<TrustedIdp>,
) -> Result<IdentitySourceFact> {
    let refused = |why: String| {
        Error::new(ErrorKind::InvalidAnswer, why).with_help("copy both from IAM Identity Center > Settings > Identity source, in the Region of the instance")
    };
    sp::check_issuer(&instance.region, instance.identity_store.as_str(), &issuer)
        .map_err(|error| refused(format!("the issuer URL {issuer} {error}")))?;
    let mut regions = Vec::new();
    for url in &acs {
        let parsed =
            sp::check_acs(url).map_err(|error| refused(format!("the ACS URL {url} {error}")))?;
        regions.push(parsed.region);
    }
    if !regions.contains(&instance.region) {
        return Err(refused(format!(
            "no ACS URL is in the Region of the instance, {}: {}",
            instance.region,
            if regions.is_empty() {
                "there is none".to_owned()
            } else {
                regions.join(", ")
            }
        )));
    }
    Ok(IdentitySourceFact {
        acs,
        issuer,
        trusts,
    })
}

impl Step for IdentitySource {
    fn id(&self) -> StepId {
        StepId::new("identity-source")
    }

    fn title(&self) -> String {
        "Identity source: Okta".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (instance, source) =
                cx.facts(|facts| (facts.instance.clone(), facts.identity_source.clone()));
            let idp = cx.planned_idp();
            let manual_step = || {
                let certificate = idp.as_ref().map(|idp| idp.certificate.clone());
                Planned::one(
                    Change::new(Action::ManualStep, "external identity provider")
                        .with("upload", super::idp_metadata::FILE)
                        .with_value(
                            "certificate",
                            Value::known_or_after(certificate, &StepId::new("idp-metadata")),
                        )
                        .with(
                            "hands back",
                            "service provider metadata, or ACS URL and issuer URL",
                        ),
                )
            };
            let fits = |source: &IdentitySourceFact| {
                instance.as_ref().is_some_and(|instance| {
                    verify_urls(instance, source.acs.clone(), source.issuer.clone(), None).is_ok()
                })
            };
            let Some(source) = source.filter(fits) else {
                let app = super::app(&self.okta, cx).await?;
                let held = instance.and_then(|instance| held_by(&app?, &instance));
                let planned = if held.is_some() {
                    Planned::nothing().note("the app already has this instance's URLs, so the source counts as set up; the sign-in test verifies it")
                } else {
                    manual_step()
                };
                cx.update_facts(|facts| facts.identity_source = held);
                return Ok(planned);
            };
            Ok(match (source.trusts, &idp) {
                (Some(trusts), idp) if idp.as_ref().map(TrustedIdp::of) != Some(trusts.clone()) => manual_step().note(
                    "Okta signs with another certificate than AWS was given: until AWS has the new one too, nobody can sign in",
                ),
                _ => Planned::nothing(),
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let (instance, idp) = cx.facts(|facts| (facts.instance.clone(), facts.idp.clone()));
            let instance = instance.ok_or_else(|| {
                super::missing("the instance of IAM Identity Center", "identity-center")
            })?;
            let idp = idp.ok_or_else(|| super::missing("Okta's metadata", "idp-metadata"))?;
            let settings = format!(
                "AWS console > IAM Identity Center > Settings > Identity source (https://{}.console.aws.amazon.com/singlesignon)",
                instance.region
            );
            let manual_step = if cx.facts(|facts| facts.identity_source.is_some()) {
                ManualStep::new(ManualStepKind::IdentitySource, "Give IAM Identity Center the new certificate of Okta", settings)
                    .instructions([
                        "Actions > Manage authentication.",
                        "Import the certificate of the file given here (or replace the identity provider metadata by it). Keep the old certificate until everybody signs in with the new one.",
                        "Download the service provider metadata again, or copy the ACS URL and the issuer URL.",
                    ])
            } else {
                ManualStep::new(ManualStepKind::IdentitySource, "Make Okta the identity source of IAM Identity Center", settings)
                    .warning("Keep a way in that does not go through Identity Center, such as an IAM user or role of the management account.")
                    .warning("From the Identity Center directory, users, groups and assignments stay, but people sign in through Okta only, and only those whose user names match.")
                    .warning("From Active Directory, AWS DELETES all users, groups and assignments, and the store's id and the portal's address change.")
                    .instructions([
                        "Actions > Change identity source, and choose External identity provider. (If this Okta app is the source already, only download the file of the next step.)",
                        "Under Service provider metadata, download the metadata file (or copy the ACS URL and the issuer URL).",
                        "Under Identity provider metadata, upload the file given here.",
                        "Read what AWS warns of, type ACCEPT, and change the identity source.",
                        "If nobody can hand anything back to this run: put the two URLs into the Sign On tab of the app in Okta; the next run finds them there.",
                    ])
            }
            .file(super::idp_metadata::FILE, super::idp_metadata::current(&self.okta, cx).await?)
            .value("signing certificate (SHA-256)", &idp.certificate)
            .ask_optional("sp_metadata", AskKind::File, "the service provider metadata file, downloaded")
            .ask_optional("acs_url", AskKind::Text, "or: IAM Identity Center Assertion Consumer Service (ACS) URL")
            .ask_optional("issuer_url", AskKind::Text, "and: IAM Identity Center issuer URL");
            let (instance, source) = cx
                .manual_step(manual_step, async |answers| {
                    // From Active Directory, the change gives the instance another identity store.
                    let instance = self.instance_now(&instance).await?;
                    verify_answers(&instance, &TrustedIdp::of(&idp), cx, &answers)
                        .map(|source| (instance, source))
                })
                .await?;
            cx.update_facts(|facts| {
                facts.instance = Some(instance);
                facts.identity_source = Some(source);
            });
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![if planned.changes.is_empty() {
                Check::unverifiable(
                    "identity source: no public API shows it; the sign-in test does",
                )
            } else {
                Check::failed("identity source: AWS has not been given Okta's present metadata")
            }])
        })
    }
}
