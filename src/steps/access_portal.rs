//! Step `access-portal`: finds and verifies the URL of the AWS access portal.

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use url::Url;

use super::{ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{AskKind, ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, StepId, Subject, Value},
    state::InstanceFact,
    step::{Applied, Check, Planned, Step},
};

/// Finds and verifies the URL of the access portal, where users sign in.
#[derive(Clone, Debug)]
pub struct AccessPortal {
    aws: Aws,
    configured: Option<Url>,
}

impl AccessPortal {
    /// Creates the step. A URL from the blueprint is verified; without one, the operator is asked for it.
    #[must_use]
    pub fn new(aws: &Aws, configured: Option<&Url>) -> Self {
        Self {
            aws: aws.clone(),
            configured: configured.cloned(),
        }
    }

    /// Verifies the form of a URL, and starts a sign-in with the URL: AWS starts a sign-in only for the URL of an access
    /// portal.
    async fn verify_url(&self, instance: &InstanceFact, text: &str) -> Result<Url> {
        let portal = parse(instance, text)?;
        self.aws.sign_in(&portal, &instance.region).start().await.map_err(|error| {
            Error::service(format!("AWS does not start a sign-in at {portal}"), error)
                .with_help("copy the AWS access portal URL from IAM Identity Center > Dashboard in the console")
        })?;
        Ok(portal)
    }
}

/// Returns the URL of an instance whose portal URL was not customized.
fn default_portal(instance: &InstanceFact) -> String {
    format!("https://{}.awsapps.com/start", instance.identity_store)
}

/// Parses a URL and checks it against the forms that AWS documents (IAM Identity Center user guide, "Workforce access
/// through an additional Region").
fn parse(instance: &InstanceFact, text: &str) -> Result<Url> {
    let rejected = |why: &str| {
        Error::new(ErrorKind::InvalidAnswer, format!("`{text}` is not the access portal of instance {}: {why}", instance.arn)).with_help(format!(
            "copy the AWS access portal URL from IAM Identity Center > Dashboard in the console; if it was not customized, it is {}",
            default_portal(instance)
        ))
    };
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| rejected(&error.to_string()))?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" {
        return Err(rejected("it is not an https URL"));
    }
    if url.port().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(rejected("it has a port, a query or a fragment"));
    }
    if let Some(name) = host.strip_suffix(".awsapps.com") {
        if url.path() != "/start" {
            return Err(rejected("it does not end in /start"));
        }
        if name.starts_with("d-") && name != instance.identity_store.as_str() {
            return Err(rejected("it belongs to another identity store"));
        }
        return Ok(url);
    }
    let instance_id = instance.arn.as_str().rsplit('/').next().unwrap_or_default();
    let region = &instance.region;
    if host == format!("{instance_id}.{region}.portal.amazonaws.com")
        || host == format!("{instance_id}.portal.{region}.app.aws")
    {
        return Ok(url);
    }
    Err(rejected(
        "its host is not an access portal host of this instance",
    ))
}

fn change(action: Action) -> Change {
    Change::new(action, Subject::AccessPortal {})
}

impl Step for AccessPortal {
    fn id(&self) -> StepId {
        ids::ACCESS_PORTAL
    }

    fn title(&self) -> String {
        "AWS access portal".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::AccessPortal]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (instance, known) =
                cx.facts(|facts| (facts.instance.clone(), facts.portal.clone()));
            // The action follows from the blueprint, so that it stays the same once the instance is known.
            let Some(instance) = instance else {
                return Ok(Planned::one(match &self.configured {
                    Some(url) => change(Action::Check).with("URL", url.as_str()),
                    None => change(Action::ManualStep)
                        .with_value("URL", Value::AfterApply(ids::IDENTITY_CENTER)),
                }));
            };
            if let Some(configured) = &self.configured {
                parse(&instance, configured.as_str())?;
            }
            let verified = known.as_ref().is_some_and(|known| {
                parse(&instance, known.as_str()).is_ok()
                    && self
                        .configured
                        .as_ref()
                        .is_none_or(|configured| configured == known)
            });
            Ok(match (verified, &self.configured) {
                (true, _) => Planned::nothing(),
                (false, Some(configured)) => {
                    Planned::one(change(Action::Check).with("URL", configured.as_str()))
                }
                // No public API returns the URL, so the operator reads it. The default is the most likely value.
                (false, None) => Planned::one(change(Action::ManualStep).with(
                    "URL",
                    format!("{} (unless customized)", default_portal(&instance)),
                )),
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let instance = cx.facts(|facts| facts.instance.clone()).ok_or_else(|| {
                lookup::missing_prerequisite(
                    "the instance of IAM Identity Center",
                    &ids::IDENTITY_CENTER,
                )
            })?;
            let portal = if let Some(configured) = &self.configured {
                self.verify_url(&instance, configured.as_str()).await?
            } else {
                let manual_step = ManualStep::new(
                        ManualStepKind::AccessPortal,
                        "Read the URL of the access portal",
                        "AWS console > IAM Identity Center > Dashboard > Settings summary",
                    )
                    .instructions([
                        "Copy the AWS access portal URL.",
                        "To use your own name in the URL, customize the URL first. It can be customized only once.",
                        "If this run cannot ask for answers, set aws.portal_url in the blueprint.",
                    ])
                    .value("default", default_portal(&instance))
                    .ask_optional("portal_url", AskKind::Text, "AWS access portal URL (empty: the default)");
                cx.manual_step(manual_step, async |answers| {
                    let default = default_portal(&instance);
                    self.verify_url(&instance, answers.get("portal_url").unwrap_or(&default))
                        .await
                })
                .await?
            };
            cx.update_facts(|facts| facts.portal = Some(portal));
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            Ok(vec![match cx.facts(|facts| facts.portal.clone()) {
                Some(portal) => Check::unverifiable(format!(
                    "AWS access portal {portal}: verified when the URL was saved"
                )),
                None => Check::unverifiable("AWS access portal: its URL is not known yet"),
            }])
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_sso_glue::{AccountId, IdentityStoreId, InstanceArn};

    use super::*;

    fn instance() -> InstanceFact {
        InstanceFact {
            arn: InstanceArn::parse("arn:aws:sso:::instance/ssoins-72231234abcd5678")
                .expect("an ARN"),
            identity_store: IdentityStoreId::parse("d-9067abcdef").expect("an id"),
            owner: AccountId::parse("111122223333").expect("an id"),
            region: "us-east-1".to_owned(),
            permission_sets: true,
        }
    }

    #[test]
    fn every_documented_url_form_is_accepted() {
        for valid in [
            "https://d-9067abcdef.awsapps.com/start",
            "https://d-9067abcdef.awsapps.com/start/",
            "https://acme.awsapps.com/start",
            "https://ssoins-72231234abcd5678.us-east-1.portal.amazonaws.com",
            "https://ssoins-72231234abcd5678.portal.us-east-1.app.aws",
        ] {
            parse(&instance(), valid).expect(valid);
        }
    }

    #[test]
    fn a_portal_of_another_identity_store_or_form_is_rejected_with_the_reason() {
        for (invalid, why) in [
            ("http://acme.awsapps.com/start", "it is not an https URL"),
            ("https://acme.awsapps.com/", "it does not end in /start"),
            (
                "https://acme.awsapps.com:8443/start",
                "it has a port, a query or a fragment",
            ),
            (
                "https://acme.awsapps.com/start?a=b",
                "it has a port, a query or a fragment",
            ),
            (
                "https://d-9067ffffff.awsapps.com/start",
                "it belongs to another identity store",
            ),
            (
                "https://awsapps.com.example.net/start",
                "its host is not an access portal host of this instance",
            ),
            ("acme", "relative URL without a base"),
        ] {
            let error = parse(&instance(), invalid).expect_err(invalid);
            assert_eq!(
                error.to_string(),
                format!(
                    "`{invalid}` is not the access portal of instance arn:aws:sso:::instance/ssoins-72231234abcd5678: {why}"
                )
            );
        }
    }
}
