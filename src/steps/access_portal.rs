//! Step `access-portal`: finds and verifies the URL of the AWS access portal.

use aws_sso_glue::{Aws, Partition};
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

/// Returns the URL of an instance whose portal URL was not customized. Returns `None` in a partition whose URLs are not known.
fn default_portal(instance: &InstanceFact) -> Option<String> {
    let partition = instance.arn.partition();
    partition.portal_url(instance.identity_store.as_str())
}

/// Parses a URL and checks it against the forms that AWS documents for the partition of the instance: see
/// [`Partition::portal_url`] and [`Partition::instance_portal_hosts`]. In a partition whose forms are not known, only the parts
/// that all of them have in common are checked; AWS starts a sign-in for the URL of a portal alone.
fn parse(instance: &InstanceFact, text: &str) -> Result<Url> {
    let rejected = |why: &str| {
        let default = default_portal(instance).map_or_else(String::new, |default| {
            format!("; if it was not customized, it is {default}")
        });
        Error::new(ErrorKind::InvalidAnswer, format!("`{text}` is not the access portal of instance {}: {why}", instance.arn)).with_help(format!(
            "copy the AWS access portal URL from IAM Identity Center > Dashboard in the console{default}"
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
    let partition = instance.arn.partition();
    match (&partition, Partition::of_portal_host(host)) {
        (Partition::Aws | Partition::AwsUsGov | Partition::AwsCn, None) => {
            let hosts = partition.instance_portal_hosts(&instance.arn, &instance.region);
            if hosts.is_some_and(|hosts| hosts.iter().any(|known| known == host)) {
                return Ok(url);
            }
        }
        (Partition::Aws, Some(Partition::Aws)) => {
            if url.path() != "/start" {
                return Err(rejected("it does not end in /start"));
            }
            let name = host.strip_suffix(".awsapps.com");
            if !is_name_of(instance, name.unwrap_or_default()) {
                return Err(rejected("it belongs to another identity store"));
            }
            return Ok(url);
        }
        (Partition::AwsUsGov | Partition::AwsCn, Some(found)) if found == partition => {
            let hosts = partition.directory_hosts(&instance.region);
            let name = url.path().strip_prefix("/directory/");
            let name = name.filter(|name| !name.is_empty() && !name.contains('/'));
            if hosts.is_some_and(|hosts| hosts.iter().any(|known| known == host)) {
                let name = name.ok_or_else(|| rejected("its path is not /directory/<name>"))?;
                if !is_name_of(instance, name) {
                    return Err(rejected("it belongs to another identity store"));
                }
                return Ok(url);
            }
        }
        (Partition::Aws | Partition::AwsUsGov | Partition::AwsCn, Some(found)) => {
            return Err(rejected(&format!(
                "it is an access portal of partition {found}, and the instance is in partition {partition}"
            )));
        }
        _ => return Ok(url),
    }
    Err(rejected(
        "its host is not an access portal host of this instance",
    ))
}

/// Returns whether a portal of the instance can have this name: an alias, or the id of its identity store.
fn is_name_of(instance: &InstanceFact, name: &str) -> bool {
    !name.starts_with("d-") || name == instance.identity_store.as_str()
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
                (false, None) => {
                    let url = match default_portal(&instance) {
                        Some(default) => format!("{default} (unless customized)"),
                        None => "as the console shows it".to_owned(),
                    };
                    Planned::one(change(Action::ManualStep).with("URL", url))
                }
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
                    ]);
                let default = default_portal(&instance);
                let manual_step = match &default {
                    Some(default) => manual_step.value("default", default).ask_optional(
                        "portal_url",
                        AskKind::Text,
                        "AWS access portal URL (empty: the default)",
                    ),
                    None => manual_step.ask("portal_url", AskKind::Text, "AWS access portal URL"),
                };
                cx.manual_step(manual_step, async |answers| {
                    let entered = answers.get("portal_url").or(default.as_deref());
                    let url = entered.ok_or_else(|| {
                        Error::new(
                            ErrorKind::InvalidAnswer,
                            "the AWS access portal URL was not entered",
                        )
                        .with_help("copy it from IAM Identity Center > Dashboard in the console")
                    })?;
                    self.verify_url(&instance, url).await
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
        instance_in("aws", "us-east-1")
    }

    fn instance_in(partition: &str, region: &str) -> InstanceFact {
        let arn = format!("arn:{partition}:sso:::instance/ssoins-72231234abcd5678");
        InstanceFact {
            arn: InstanceArn::parse(&arn).expect("an ARN"),
            identity_store: IdentityStoreId::parse("d-9067abcdef").expect("an id"),
            owner: AccountId::parse("111122223333").expect("an id"),
            region: region.to_owned(),
            permission_sets: true,
        }
    }

    /// Returns the reason why a URL is refused, or `None`.
    fn refusal(instance: &InstanceFact, text: &str) -> Option<String> {
        let error = parse(instance, text).err()?.to_string();
        let (_, why) = error.split_once("ssoins-72231234abcd5678: ")?;
        Some(why.to_owned())
    }

    #[test]
    fn each_partition_has_its_own_portals() {
        let (gov, china) = (
            instance_in("aws-us-gov", "us-gov-west-1"),
            instance_in("aws-cn", "cn-north-1"),
        );
        for (instance, valid) in [
            (
                &gov,
                "https://start.us-gov-home.awsapps.com/directory/d-9067abcdef",
            ),
            (
                &gov,
                "https://start.us-gov-home.awsapps.com/directory/acme/",
            ),
            (
                &gov,
                "https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/acme",
            ),
            (
                &gov,
                "https://ssoins-72231234abcd5678.us-gov-west-1.portal.amazonaws.com",
            ),
            (
                &gov,
                "https://ssoins-72231234abcd5678.portal.us-gov-west-1.app.aws",
            ),
            (
                &china,
                "https://start.home.awsapps.cn/directory/d-9067abcdef",
            ),
            (
                &china,
                "https://start.cn-north-1.home.awsapps.cn/directory/acme",
            ),
            (
                &china,
                "https://ssoins-72231234abcd5678.cn-north-1.portal.amazonaws.com.cn",
            ),
            (
                &china,
                "https://ssoins-72231234abcd5678.portal.cn-north-1.app.amazonwebservices.com.cn",
            ),
        ] {
            assert_eq!(refusal(instance, valid), None, "{valid}");
        }
        assert_eq!(
            default_portal(&china).as_deref(),
            Some("https://start.home.awsapps.cn/directory/d-9067abcdef")
        );
    }

    #[test]
    fn a_portal_of_another_partition_or_form_is_refused_with_the_reason() {
        let (gov, china) = (
            instance_in("aws-us-gov", "us-gov-west-1"),
            instance_in("aws-cn", "cn-north-1"),
        );
        let other = |found: &str, partition: &str| {
            format!(
                "it is an access portal of partition {found}, and the instance is in partition {partition}"
            )
        };
        let host = "its host is not an access portal host of this instance";
        for (instance, invalid, why) in [
            (
                &gov,
                "https://acme.awsapps.com/start",
                &*other("aws", "aws-us-gov"),
            ),
            (
                &gov,
                "https://start.home.awsapps.cn/directory/acme",
                &*other("aws-cn", "aws-us-gov"),
            ),
            (
                &instance(),
                "https://start.us-gov-home.awsapps.com/start",
                &*other("aws-us-gov", "aws"),
            ),
            (
                &china,
                "https://start.home.awsapps.cn/start",
                "its path is not /directory/<name>",
            ),
            (
                &china,
                "https://start.home.awsapps.cn/directory/a/b",
                "its path is not /directory/<name>",
            ),
            (
                &china,
                "https://start.home.awsapps.cn/directory/d-9067ffffff",
                "it belongs to another identity store",
            ),
            (
                &china,
                "https://start.cn-northwest-1.home.awsapps.cn/directory/acme",
                host,
            ),
            (
                &china,
                "https://ssoins-72231234abcd5678.cn-north-1.portal.amazonaws.com",
                host,
            ),
            (&china, "https://evil.example/directory/acme", host),
        ] {
            assert_eq!(
                refusal(instance, invalid).as_deref(),
                Some(why),
                "{invalid}"
            );
        }
    }

    #[test]
    fn a_portal_of_an_unknown_partition_is_taken_as_it_is_entered() {
        let instance = instance_in("aws-eusc", "eusc-de-east-1");
        assert_eq!(refusal(&instance, "https://acme.portal.example"), None);
        assert_eq!(
            refusal(&instance, "http://acme.portal.example").as_deref(),
            Some("it is not an https URL")
        );
        assert_eq!(default_portal(&instance), None);
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
