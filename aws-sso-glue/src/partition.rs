//! Partitions of AWS: groups of Regions with their own accounts, ARNs and host names.

use std::fmt;

use url::Url;

use crate::{InstanceArn, PermissionSetArn};

/// A partition of AWS. It decides the ARNs and the host names of an instance.
///
/// The ARN of an instance names its partition. Before an instance exists, the partition follows from the Region:
///
/// ```
/// use aws_sso_glue::{InstanceArn, Partition};
///
/// let arn = InstanceArn::parse("arn:aws-us-gov:sso:::instance/ssoins-1234567890abcdef")?;
/// assert_eq!(arn.partition(), Partition::AwsUsGov);
/// assert_eq!(Partition::of_region("cn-north-1"), Some(Partition::AwsCn));
/// assert_eq!(
///     arn.partition().managed_policy_arn("job-function/Billing"),
///     "arn:aws-us-gov:iam::aws:policy/job-function/Billing",
/// );
/// # Ok::<(), aws_sso_glue::ParseIdError>(())
/// ```
///
/// AWS has more partitions, such as `aws-eusc` and `aws-iso`. [`Other`](Self::Other) has the name of one of these. Its ARNs
/// are right, because the name is a part of them. Its host names are not known, so the methods for host names return
/// `None`, and a caller accepts the host that AWS shows.
///
/// The endpoints of the services follow from the Region. In GovCloud, whose user guide asks for FIPS endpoints, the SDK's
/// endpoint rules have the same host with and without FIPS for each service that this crate uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Partition {
    /// `aws`: the commercial Regions.
    Aws,
    /// `aws-us-gov`: AWS GovCloud (US).
    AwsUsGov,
    /// `aws-cn`: the Regions in China.
    AwsCn,
    /// A partition whose host names this version does not know, by its name.
    Other(String),
}

impl Partition {
    /// Returns the partition of an ARN, which is its second part. Returns `None` if the text is not an ARN.
    #[must_use]
    pub fn of_arn(arn: &str) -> Option<Self> {
        let (name, _) = arn.strip_prefix("arn:")?.split_once(':')?;
        (!name.is_empty()).then(|| Self::named(name))
    }

    /// Returns the partition of a Region, or `None` if the name of the Region does not show it.
    ///
    /// Source: the patterns of Regions in the endpoint rules of the SDK: `us-gov-<word>-<number>` for GovCloud,
    /// `cn-<word>-<number>` for China, and `<two letters>-<word>-<number>` for the commercial Regions. The Regions of
    /// other partitions have a longer first word or one more part, such as `eusc-de-east-1` and `us-iso-east-1`.
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_number =
            |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match *region.split('-').collect::<Vec<_>>() {
            ["us", "gov", word, number] if is_word(word) && is_number(number) => {
                Some(Self::AwsUsGov)
            }
            ["cn", word, number] if is_word(word) && is_number(number) => Some(Self::AwsCn),
            [area, word, number]
                if area.len() == 2 && is_word(area) && is_word(word) && is_number(number) =>
            {
                Some(Self::Aws)
            }
            _ => None,
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "aws" => Self::Aws,
            "aws-us-gov" => Self::AwsUsGov,
            "aws-cn" => Self::AwsCn,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns the name, such as `aws-us-gov`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
            Self::Other(name) => name,
        }
    }

    /// Returns the ARN of an AWS managed policy. `policy` is its name, with its path if it has one.
    #[must_use]
    pub fn managed_policy_arn(&self, policy: &str) -> String {
        format!("arn:{self}:iam::aws:policy/{policy}")
    }

    /// Returns the domain of the service endpoints.
    ///
    /// Source: the outputs of the partitions in the endpoint rules of the SDK.
    #[must_use]
    pub fn dns_suffix(&self) -> Option<&'static str> {
        match self {
            Self::Aws | Self::AwsUsGov => Some("amazonaws.com"),
            Self::AwsCn => Some("amazonaws.com.cn"),
            Self::Other(_) => None,
        }
    }

    /// Returns the classic URL of an access portal. `name` is the id of the identity store, or the alias if the URL was
    /// customized.
    ///
    /// Sources: the IAM Identity Center user guide, the AWS GovCloud (US) user guide ("AWS IAM Identity Center in AWS
    /// GovCloud (US)") and the guide of the Regions in China ("IAM Identity Center in Amazon Web Services China").
    #[must_use]
    pub fn portal_url(&self, name: &str) -> Option<String> {
        match self {
            Self::Aws => Some(format!("https://{name}.awsapps.com/start")),
            Self::AwsUsGov | Self::AwsCn => Some(format!(
                "https://start.{}/directory/{name}",
                self.portal_domain()?
            )),
            Self::Other(_) => None,
        }
    }

    /// Returns the hosts of the classic URLs that have the name in the path `/directory/<name>`. A commercial portal has
    /// the name in its host instead.
    ///
    /// The second host is in the GovCloud user guide's list of domains; AWS's toolkits accept it in both partitions.
    #[must_use]
    pub fn directory_hosts(&self, region: &str) -> Option<[String; 2]> {
        let domain = self.portal_domain()?;
        Some([
            format!("start.{domain}"),
            format!("start.{region}.{domain}"),
        ])
    }

    /// Returns the partition of the host of a classic portal URL, or `None` for another host.
    #[must_use]
    pub fn of_portal_host(host: &str) -> Option<Self> {
        [Self::AwsUsGov, Self::AwsCn]
            .into_iter()
            .find(|partition| {
                let below = partition
                    .portal_domain()
                    .and_then(|domain| host.strip_suffix(domain));
                below.is_some_and(|below| below.ends_with('.'))
            })
            .or_else(|| host.ends_with(".awsapps.com").then_some(Self::Aws))
    }

    fn portal_domain(&self) -> Option<&'static str> {
        match self {
            Self::AwsUsGov => Some("us-gov-home.awsapps.com"),
            Self::AwsCn => Some("home.awsapps.cn"),
            Self::Aws | Self::Other(_) => None,
        }
    }

    /// Returns the hosts of the access portal that contain the id of the instance: the IPv4 one and the dual-stack one.
    ///
    /// Sources: the IAM Identity Center user guide ("Workforce access through an additional Region"), the AWS GovCloud
    /// (US) user guide for the same forms there, and the AWS CLI, which accepts the forms of China.
    #[must_use]
    pub fn instance_portal_hosts(
        &self,
        instance: &InstanceArn,
        region: &str,
    ) -> Option<[String; 2]> {
        let id = instance.as_str().rsplit('/').next()?;
        let app = match self {
            Self::Aws | Self::AwsUsGov => "app.aws",
            Self::AwsCn => "app.amazonwebservices.com.cn",
            Self::Other(_) => return None,
        };
        let suffix = self.dns_suffix()?;
        Some([
            format!("{id}.{region}.portal.{suffix}"),
            format!("{id}.portal.{region}.{app}"),
        ])
    }

    /// Returns the URL of the IAM Identity Center console in a Region.
    ///
    /// Sources: the AWS General Reference ("AWS Management Console endpoints"), the links of AWS's guides to the consoles
    /// of GovCloud and China.
    #[must_use]
    pub fn console_url(&self, region: &str) -> Option<String> {
        let domain = self.console_domain()?;
        Some(format!("https://{region}.console.{domain}/singlesignon"))
    }

    /// Returns the partition to whose AWS console a URL leads, or `None` if it leads to no console that this version knows.
    #[must_use]
    pub fn of_console_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        [Self::Aws, Self::AwsUsGov, Self::AwsCn]
            .into_iter()
            .find(|partition| {
                let domain = partition.console_domain();
                domain.is_some_and(|domain| {
                    let console = host.strip_suffix(domain);
                    let console = console.and_then(|console| console.strip_suffix('.'));
                    console.is_some_and(|console| console.split('.').any(|part| part == "console"))
                })
            })
    }

    fn console_domain(&self) -> Option<&'static str> {
        match self {
            Self::Aws => Some("aws.amazon.com"),
            Self::AwsUsGov => Some("amazonaws-us-gov.com"),
            Self::AwsCn => Some("amazonaws.cn"),
            Self::Other(_) => None,
        }
    }

    /// Returns the domain of the hosts that serve sign-in, among them the issuer and the assertion consumer service (ACS)
    /// of Identity Center.
    ///
    /// Only the commercial hosts are documented as a whole. The GovCloud user guide lists `<Region>.signin-fips.` and
    /// `<Region>.sso.signin.` in its domain, and the IAM user guide names the domain of China.
    #[must_use]
    pub fn sign_in_domain(&self) -> Option<&'static str> {
        match self {
            Self::Aws => Some("signin.aws.amazon.com"),
            Self::AwsUsGov => Some("amazonaws-us-gov.com"),
            Self::AwsCn => Some("amazonaws.cn"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl InstanceArn {
    /// Returns the partition of the instance.
    #[must_use]
    pub fn partition(&self) -> Partition {
        of_valid(self.as_str())
    }
}

impl PermissionSetArn {
    /// Returns the partition of the permission set.
    #[must_use]
    pub fn partition(&self) -> Partition {
        of_valid(self.as_str())
    }
}

/// Returns the partition of an ARN that was checked when it was parsed.
fn of_valid(arn: &str) -> Partition {
    Partition::of_arn(arn).expect("a checked ARN has a partition")
}

#[cfg(test)]
mod tests {
    use super::Partition;
    use crate::InstanceArn;

    #[test]
    fn the_partition_of_an_arn_is_its_second_part() {
        for (arn, partition) in [
            ("arn:aws:iam::aws:policy/X", Some(Partition::Aws)),
            ("arn:aws-us-gov:sso:::instance/x", Some(Partition::AwsUsGov)),
            ("arn:aws-cn:iam::aws:policy/X", Some(Partition::AwsCn)),
            (
                "arn:aws-eusc:iam::aws:policy/X",
                Some(Partition::Other("aws-eusc".to_owned())),
            ),
            ("arn::iam::aws:policy/X", None),
            ("ReadOnlyAccess", None),
            ("arn:aws", None),
        ] {
            assert_eq!(Partition::of_arn(arn), partition, "{arn}");
        }
    }

    #[test]
    fn a_region_shows_its_partition_only_by_a_pattern_of_the_sdk() {
        for (region, partition) in [
            ("us-east-1", Some(Partition::Aws)),
            ("me-central-1", Some(Partition::Aws)),
            ("us-gov-west-1", Some(Partition::AwsUsGov)),
            ("cn-northwest-1", Some(Partition::AwsCn)),
            ("us-iso-east-1", None),
            ("us-isob-east-1", None),
            ("eu-isoe-west-1", None),
            ("eusc-de-east-1", None),
            ("us-gov-west", None),
            ("us--1", None),
            ("local", None),
        ] {
            assert_eq!(Partition::of_region(region), partition, "{region}");
        }
    }

    #[test]
    fn the_url_of_a_console_shows_its_partition() {
        for (url, partition) in [
            ("https://console.aws.amazon.com/s3/", Some(Partition::Aws)),
            (
                "https://eu-west-1.console.aws.amazon.com/ec2",
                Some(Partition::Aws),
            ),
            (
                "https://111122223333-abc.us-east-1.console.aws.amazon.com/",
                Some(Partition::Aws),
            ),
            (
                "https://console.amazonaws-us-gov.com/",
                Some(Partition::AwsUsGov),
            ),
            (
                "https://cn-north-1.console.amazonaws.cn/",
                Some(Partition::AwsCn),
            ),
            ("https://docs.aws.amazon.com/", None),
            ("https://console.aws.amazon.com.example.com/", None),
            ("https://console.example.com/", None),
            ("mailto:console@aws.amazon.com", None),
        ] {
            let found = Partition::of_console_url(&url.parse().expect("a URL"));
            assert_eq!(found, partition, "{url}");
        }
    }

    #[test]
    fn every_known_partition_has_its_own_hosts() {
        let hosts = |partition: &str, region: &str| {
            let arn = format!("arn:{partition}:sso:::instance/ssoins-1234567890abcdef");
            let arn = InstanceArn::parse(&arn).expect("an ARN");
            let partition = arn.partition();
            let mut hosts = Vec::new();
            hosts.extend(partition.portal_url("acme"));
            hosts.extend(partition.directory_hosts(region).into_iter().flatten());
            let portal = partition.instance_portal_hosts(&arn, region);
            hosts.extend(portal.into_iter().flatten());
            hosts.extend(partition.console_url(region));
            hosts.extend(partition.sign_in_domain().map(str::to_owned));
            hosts.extend(partition.dns_suffix().map(str::to_owned));
            hosts
        };
        assert_eq!(
            hosts("aws", "us-east-1"),
            [
                "https://acme.awsapps.com/start",
                "ssoins-1234567890abcdef.us-east-1.portal.amazonaws.com",
                "ssoins-1234567890abcdef.portal.us-east-1.app.aws",
                "https://us-east-1.console.aws.amazon.com/singlesignon",
                "signin.aws.amazon.com",
                "amazonaws.com",
            ]
        );
        assert_eq!(
            hosts("aws-us-gov", "us-gov-west-1"),
            [
                "https://start.us-gov-home.awsapps.com/directory/acme",
                "start.us-gov-home.awsapps.com",
                "start.us-gov-west-1.us-gov-home.awsapps.com",
                "ssoins-1234567890abcdef.us-gov-west-1.portal.amazonaws.com",
                "ssoins-1234567890abcdef.portal.us-gov-west-1.app.aws",
                "https://us-gov-west-1.console.amazonaws-us-gov.com/singlesignon",
                "amazonaws-us-gov.com",
                "amazonaws.com",
            ]
        );
        assert_eq!(
            hosts("aws-cn", "cn-north-1"),
            [
                "https://start.home.awsapps.cn/directory/acme",
                "start.home.awsapps.cn",
                "start.cn-north-1.home.awsapps.cn",
                "ssoins-1234567890abcdef.cn-north-1.portal.amazonaws.com.cn",
                "ssoins-1234567890abcdef.portal.cn-north-1.app.amazonwebservices.com.cn",
                "https://cn-north-1.console.amazonaws.cn/singlesignon",
                "amazonaws.cn",
                "amazonaws.com.cn",
            ]
        );
        assert_eq!(hosts("aws-eusc", "eusc-de-east-1"), Vec::<String>::new());
    }
}
