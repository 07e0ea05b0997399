//! Partitions of AWS: groups of Regions with their own accounts, ARNs and host names.

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partition {
    /// The commercial Regions.
    Aws,
    /// The Regions for the government of the United States.
    AwsUsGov,
    /// The Regions in China.
    AwsCn,
}

impl Partition {
    /// Returns the partition of a Region.
    pub(crate) fn of_region(region: &str) -> Self {
        if region.starts_with("us-gov-") {
            Self::AwsUsGov
        } else if region.starts_with("cn-") {
            Self::AwsCn
        } else {
            Self::Aws
        }
    }

    /// Returns the name, which is the second part of every ARN.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        }
    }

    /// Returns the host of the access portal's classic URL, of which the commercial one has the directory in front.
    ///
    /// Sources: user guides of the partitions ("AWS access portal URL").
    pub(crate) fn portal_url(self, name: &str) -> String {
        match self {
            Self::Aws => format!("https://{name}.awsapps.com/start"),
            Self::AwsUsGov => format!("https://start.us-gov-home.awsapps.com/directory/{name}"),
            Self::AwsCn => format!("https://start.home.awsapps.cn/directory/{name}"),
        }
    }

    /// Returns the domain of the hosts that serve sign-in in a Region.
    ///
    /// The hosts outside of the commercial partition are not documented for Identity Center. The sandbox uses the
    /// domains of the sign-in endpoints of IAM.
    pub(crate) fn sign_in_domain(self) -> &'static str {
        match self {
            Self::Aws => "signin.aws.amazon.com",
            Self::AwsUsGov => "signin.amazonaws-us-gov.com",
            Self::AwsCn => "signin.amazonaws.cn",
        }
    }
}
