//! Step `identity-source`: Okta is the identity source of Identity Center.

use aws_sso_glue::{Aws, Partition};
use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};
use saml_metadata::{Finding, Profile, aws as sp};
use url::Url;

use super::{
    catalog::{ACS_URL, ENTITY_ID},
    identity_center, idp_metadata, ids, lookup,
};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{Answers, AskKind, ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, Note, StepId, Subject, Value},
    state::{IdentitySourceFact, IdpFact, InstanceFact, TrustedIdp},
    step::{Applied, Check, Planned, Step},
    sync::identity_store_error,
};

/// Makes Okta the identity source of Identity Center, as an external identity provider.
///
/// No public API can set or read the identity source. The operator sets it in the AWS console with Okta's validated
/// metadata, and enters the service provider values that AWS shows. The sign-in test verifies that AWS trusts Okta.
#[derive(Clone, Debug)]
pub struct IdentitySource {
    okta: Okta,
    aws: Aws,
}

impl IdentitySource {
    /// Creates the step. It uses the app and the instance of earlier steps.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
        }
    }

    /// Returns the removal of the current identity source, if it has users or groups.
    ///
    /// No public API shows the kind of the source. Users cannot sign in with their passwords any more, and AWS deletes the
    /// users, groups and assignments of Active Directory.
    async fn removal(&self, cx: &Context) -> Result<Option<Change>> {
        let Some(center) = lookup::identity_center(&self.aws, cx) else {
            return Ok(None);
        };
        let store = center.identity_store();
        let users = store.users().try_collect().await;
        let users = users.map_err(identity_store_error)?.len();
        let groups = store.groups().try_collect().await;
        let groups = groups.map_err(identity_store_error)?.len();
        if users == 0 && groups == 0 {
            return Ok(None);
        }
        let mut change = Change::new(Action::Remove, Subject::IdentitySource {});
        for (name, number) in [("users", users), ("groups", groups)] {
            if number > 0 {
                change = change.field(name, Value::Known(number.to_string()), Value::Absent);
            }
        }
        Ok(Some(change.because(Note::new(
            "replaces-identity-source",
            "users lose the sign-in through the current identity source; if it is Active Directory, AWS deletes its users, groups and assignments",
        ))))
    }

    /// Reads the instance again, because a change from Active Directory gives it another identity store.
    async fn current_instance(&self, known: &InstanceFact) -> Result<InstanceFact> {
        let all = self.aws.instances().try_collect().await.map_err(|error| {
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

/// Returns the identity source that the app's URLs describe, or `None` if they do not belong to the instance.
///
/// Matching URLs in the app mean that the identity source is already configured.
fn source_in_app(app: &App, instance: &InstanceFact) -> Option<IdentitySourceFact> {
    let acs = Url::parse(app.setting(ACS_URL)?).ok()?;
    let issuer = Url::parse(app.setting(ENTITY_ID)?).ok()?;
    verify_urls(instance, vec![acs], issuer, None).ok()
}

/// Verifies the operator's answers: the metadata file, or the two URLs.
fn verify_answers(
    instance: &InstanceFact,
    trusts: &TrustedIdp,
    cx: &Context,
    answers: &Answers,
) -> Result<IdentitySourceFact> {
    let trusts = Some(trusts.clone());
    if let Some(bytes) = answers.get_file("sp_metadata") {
        let rejected = |why: String| {
            Error::new(ErrorKind::InvalidAnswer, format!("the file is not the service provider metadata of IAM Identity Center: {why}"))
                .with_help("download it from IAM Identity Center > Settings > Identity source > \"Download metadata file\", or copy the ACS URL and the issuer URL from there")
        };
        let document = saml_metadata::read(bytes)
            .map_err(|error| rejected(error.to_string()).with_source(error))?;
        let findings = saml_metadata::validate(&document, Profile::AwsIdentityCenterSp, cx.now());
        let errors: Vec<String> = findings
            .iter()
            .filter(|finding| Finding::is_error(finding))
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(rejected(errors.join("; ")));
        }
        let urls = sp::SpUrls::read(&document).map_err(|error| rejected(error.to_string()))?;
        return verify_urls(instance, urls.acs, urls.issuer, trusts);
    }
    let url = |key: &str, name: &str| {
        let text = answers.get(key).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("neither the metadata file nor the {name} was entered"),
            )
            .with_help("provide the metadata file that AWS offers for download, or both URLs")
        })?;
        Url::parse(text).map_err(|error| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("`{text}` is not a valid {name}: {error}"),
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

/// Verifies that the URLs belong to the instance.
///
/// The issuer URL follows from the Region and the identity store. The ACS URL has one of a few known hosts.
fn verify_urls(
    instance: &InstanceFact,
    acs: Vec<Url>,
    issuer: Url,
    trusts: Option<TrustedIdp>,
) -> Result<IdentitySourceFact> {
    let rejected = |why: String| {
        Error::new(ErrorKind::InvalidAnswer, why).with_help("copy both from IAM Identity Center > Settings > Identity source, in the Region of the instance")
    };
    sp::check_issuer(&instance.region, instance.identity_store.as_str(), &issuer)
        .map_err(|error| rejected(format!("the issuer URL {issuer} {error}")))?;
    let mut regions = Vec::new();
    for url in &acs {
        let parsed =
            sp::check_acs(url).map_err(|error| rejected(format!("the ACS URL {url} {error}")))?;
        regions.push(parsed.region);
    }
    if !regions.contains(&instance.region) {
        return Err(rejected(format!(
            "no ACS URL is in the Region of the instance, {}; found: {}",
            instance.region,
            if regions.is_empty() {
                "none".to_owned()
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

/// Returns the warning about issuer and ACS URLs whose hosts AWS does not document, as in GovCloud and China. They are accepted.
fn hosts_to_compare(partition: &Partition) -> Option<String> {
    if *partition == Partition::Aws {
        return None;
    }
    let domain = match partition.sign_in_domain() {
        Some(domain) => {
            format!("; a host in the Region of the instance below {domain} is accepted")
        }
        None => String::new(),
    };
    Some(format!(
        "no public document names the hosts of the issuer URL and the ACS URLs in partition {partition}{domain}. Compare both URLs with the console; the sign-in test confirms them"
    ))
}

/// Returns the plan for an identity source that only the app's URLs show.
fn assumed() -> Planned {
    Planned::nothing().note(
        "identity-source-assumed",
        "the app already has this instance's URLs, so the identity source is assumed to be configured; the sign-in test verifies it",
    )
}

/// Returns the note about a certificate that AWS does not have.
fn certificate_note(trusts: &TrustedIdp, idp: Option<&IdpFact>) -> (&'static str, &'static str) {
    if idp.is_some_and(|idp| trusts.has_key_of(idp)) {
        (
            "certificate-renewed",
            "Okta signs with the same key, but has a new certificate for it, which AWS does not have: import it before the \
             old certificate expires",
        )
    } else {
        (
            "certificate-changed",
            "Okta now signs with a certificate that AWS does not have: users cannot sign in until AWS has it",
        )
    }
}

impl Step for IdentitySource {
    fn id(&self) -> StepId {
        ids::IDENTITY_SOURCE
    }

    fn title(&self) -> String {
        "Identity source: Okta".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::IdentitySource]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (instance, source) =
                cx.facts(|facts| (facts.instance.clone(), facts.identity_source.clone()));
            let idp = idp_metadata::planned(cx);
            let manual_step = || {
                let certificate = idp.as_ref().map(|idp| idp.certificate.clone());
                Planned::one(
                    Change::new(Action::ManualStep, Subject::IdentitySource {})
                        .with("upload", super::idp_metadata::FILE)
                        .with_value(
                            "certificate",
                            Value::known_or_after(certificate, &ids::IDP_METADATA),
                        )
                        .with(
                            "asks for",
                            "service provider metadata, or ACS URL and issuer URL",
                        ),
                )
            };
            let partition = instance.as_ref().map(|instance| instance.arn.partition());
            let noted = |planned: Planned| {
                // A user that signs in confirms the URLs.
                let is_confirmed = cx.facts(|facts| facts.signed_in.is_some());
                match partition.as_ref().and_then(hosts_to_compare) {
                    Some(text) if !is_confirmed => planned.note("undocumented-hosts", text),
                    _ => planned,
                }
            };
            let belongs_to_instance = |source: &IdentitySourceFact| {
                instance.as_ref().is_some_and(|instance| {
                    verify_urls(instance, source.acs.clone(), source.issuer.clone(), None).is_ok()
                })
            };
            let Some(source) = source.filter(belongs_to_instance) else {
                let app = lookup::app(&self.okta, cx).await?;
                let configured = instance.and_then(|instance| source_in_app(&app?, &instance));
                let planned = if configured.is_some() {
                    assumed()
                } else {
                    let mut planned = manual_step();
                    if let Some(removal) = self.removal(cx).await? {
                        planned.changes.insert(0, removal);
                    }
                    planned
                };
                cx.update_facts(|facts| facts.identity_source = configured);
                return Ok(noted(planned));
            };
            Ok(noted(match (source.trusts, &idp) {
                (Some(trusts), idp)
                    if !idp
                        .as_ref()
                        .is_some_and(|idp| trusts.has_certificate_of(idp)) =>
                {
                    let (code, text) = certificate_note(&trusts, idp.as_ref());
                    manual_step().note(code, text)
                }
                // An earlier plan of this run has assumed it.
                (None, _) if cx.facts_at_start().identity_source.is_none() => assumed(),
                _ => Planned::nothing(),
            }))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            // The manual step that follows replaces the source.
            if change.action == Action::Remove {
                return Ok(Applied::Done);
            }
            let (instance, idp) = cx.facts(|facts| (facts.instance.clone(), facts.idp.clone()));
            let instance = instance.ok_or_else(|| {
                lookup::missing_prerequisite(
                    "the instance of IAM Identity Center",
                    &ids::IDENTITY_CENTER,
                )
            })?;
            let idp = idp.ok_or_else(|| {
                lookup::missing_prerequisite("Okta's metadata", &ids::IDP_METADATA)
            })?;
            let partition = instance.arn.partition();
            let settings = format!(
                "AWS console > IAM Identity Center > Settings > Identity source{}",
                lookup::console(&partition, &instance.region)
            );
            let manual_step = if cx.facts(|facts| facts.identity_source.is_some()) {
                ManualStep::new(ManualStepKind::IdentitySource, "Import Okta's new certificate into IAM Identity Center", settings)
                    .instructions([
                        "Actions > Manage authentication.",
                        "Import the certificate from the file below, or replace the identity provider metadata with the file. Keep the old certificate until all users sign in with the new one.",
                        "Download the service provider metadata again, or copy the ACS URL and the issuer URL.",
                    ])
            } else {
                ManualStep::new(ManualStepKind::IdentitySource, "Make Okta the identity source of IAM Identity Center", settings)
                    .warning("Keep break-glass access that does not use Identity Center, such as an IAM user or role of the management account.")
                    .warning("If the identity source is now the Identity Center directory: users, groups and assignments stay, but users can sign in only through Okta, and only if their user names match.")
                    .warning("If the identity source is now Active Directory: AWS DELETES all users, groups and assignments, and the identity store id and the portal URL change.")
                    .instructions([
                        "Actions > Change identity source, and choose External identity provider. (If this Okta app is already the identity source, only download the file of the next step.)",
                        "Under Service provider metadata, download the metadata file (or copy the ACS URL and the issuer URL).",
                        "Under Identity provider metadata, upload the file below.",
                        "Read AWS's warnings, type ACCEPT, and change the identity source.",
                        "If this run cannot ask for answers, enter the two URLs in the Sign On tab of the app in Okta. The next run reads them there.",
                    ])
            }
            .warnings(hosts_to_compare(&partition))
            .file(super::idp_metadata::FILE, super::idp_metadata::current(&self.okta, cx).await?)
            .value("signing certificate (SHA-256)", &idp.certificate)
            .ask_optional("sp_metadata", AskKind::File, "downloaded service provider metadata file")
            .ask_optional("acs_url", AskKind::Text, "or: IAM Identity Center Assertion Consumer Service (ACS) URL")
            .ask_optional("issuer_url", AskKind::Text, "and: IAM Identity Center issuer URL");
            let (instance, source) = cx
                .manual_step(manual_step, async |answers| {
                    // A change from Active Directory gives the instance another identity store.
                    let instance = self.current_instance(&instance).await?;
                    verify_answers(&instance, &TrustedIdp::of(&idp), cx, &answers)
                        .map(|source| (instance, source))
                })
                .await?;
            identity_center::forget(cx);
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
                    "identity source: no public API shows it; the sign-in test verifies it",
                )
            } else {
                Check::failed("identity source: AWS does not have Okta's current metadata")
            }])
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn idp(certificate: &str, public_key: Option<&str>) -> IdpFact {
        let mut fact = json!({
            "entity_id": "http://www.okta.com/exk1", "kid": "kid", "sha256": "00",
            "certificate": certificate, "not_after": "2036-01-01T00:00:00Z",
        });
        if let Some(key) = public_key {
            fact["public_key"] = json!(key);
        }
        serde_json::from_value(fact).expect("a fact, also of a state of an earlier version")
    }

    #[test]
    fn a_certificate_renewed_around_the_same_key_does_not_stop_sign_in() {
        let note =
            |old: IdpFact, new: IdpFact| certificate_note(&TrustedIdp::of(&old), Some(&new)).0;
        let renewed = note(idp("A", Some("K")), idp("B", Some("K")));
        assert_eq!(renewed, "certificate-renewed");
        for (old, new) in [(Some("K"), Some("L")), (None, Some("K")), (None, None)] {
            assert_eq!(note(idp("A", old), idp("B", new)), "certificate-changed");
        }
        let trusts = TrustedIdp::of(&idp("A", None));
        assert!(trusts.has_certificate_of(&idp("A", Some("K"))));
        assert!(!trusts.has_certificate_of(&idp("B", None)));
    }
}
