//! The SAML URLs of IAM Identity Center.
//!
//! The forms come from the AWS IAM Identity Center user guide, "Workforce access through an
//! additional Region":
//!
//! | URL | form |
//! |---|---|
//! | issuer, which is also entityID and audience | `https://<region>.signin.aws.amazon.com/platform/saml/<identity store id>` |
//! | assertion consumer service (ACS), classic | `https://<region>.signin.aws.amazon.com/platform/saml/acs/<tenant>` |
//! | ACS, IPv4 | `https://<region>.signin.aws/platform/saml/acs/<tenant>` |
//! | ACS, dual-stack | `https://<region>.sso.signin.aws/platform/saml/acs/<tenant>` |
//!
//! AWS GovCloud (US) and China have sign-in hosts of their own. No public document names the hosts of the issuer and of the ACS
//! URLs there. In a Region of these two partitions, every host `<region>.….amazonaws-us-gov.com` or `<region>.….amazonaws.cn` is
//! therefore accepted besides the hosts of the table, and [`has_documented_host`] tells that such a host is not verified. The
//! GovCloud user guide has `<region>.signin-fips.amazonaws-us-gov.com` and `<region>.sso.signin.amazonaws-us-gov.com` in its list
//! of domains; the IAM user guide of China has `signin.amazonaws.cn`.
//!
//! Instances enabled before February 2026 keep the classic URL; newer instances do not have it. The
//! tenant is opaque: UUIDs, longer strings and hexadecimal strings have been observed.

use url::Url;

use crate::{Document, names::binding};

/// AWS IAM Identity Center quotas, "`IdP` certificate file".
pub(crate) const MAX_CERTIFICATE_CHARACTERS: usize = 2_500;

/// The URLs to enter at the identity provider, from the metadata file of Identity Center.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpUrls {
    /// The assertion consumer service (ACS) URLs: the default first, then the others in the file's
    /// order.
    ///
    /// An instance in several Regions lists several URLs. Enter all of them at the identity
    /// provider: a login through a missing URL fails.
    pub acs: Vec<Url>,
    /// The issuer, which is also the audience of assertions.
    pub issuer: Url,
}

impl SpUrls {
    /// Reads the URLs from the metadata file of Identity Center.
    ///
    /// # Errors
    ///
    /// Fails if the document is not the metadata file of Identity Center.
    /// [`validate`](crate::validate()) with
    /// [`Profile::AwsIdentityCenterSp`](crate::Profile::AwsIdentityCenterSp) reports each problem
    /// and its position.
    pub fn read(document: &Document) -> Result<Self, SpUrlsError> {
        let entity = document
            .entity()
            .map_err(|source| SpUrlsError::Entity { source })?;
        let sp = entity
            .service_provider()
            .ok_or(SpUrlsError::NoServiceProvider)?;
        parse_issuer(entity.entity_id()).map_err(|source| SpUrlsError::Issuer { source })?;
        let issuer = parse(entity.entity_id()).map_err(|source| SpUrlsError::Issuer { source })?;
        let default = sp.default_assertion_consumer_service();
        let others = sp
            .assertion_consumer_services()
            .filter(|acs| Some(*acs) != default);
        let mut acs = Vec::new();
        for service in default.into_iter().chain(others) {
            if service.binding() != binding::HTTP_POST {
                return Err(SpUrlsError::Binding);
            }
            let location = service.location();
            check_acs(location).map_err(|source| SpUrlsError::Acs { source })?;
            acs.push(parse(location).map_err(|source| SpUrlsError::Acs { source })?);
        }
        if acs.is_empty() {
            return Err(SpUrlsError::NoAcs);
        }
        Ok(Self { acs, issuer })
    }
}

/// The reason why a document is not the metadata file of Identity Center.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpUrlsError {
    /// The document does not describe one entity.
    #[error("the file does not describe exactly one entity")]
    #[non_exhaustive]
    Entity {
        /// The reason.
        source: crate::EntityError,
    },
    /// The entity is not a service provider. The file may be the identity provider's file.
    #[error("the file describes no service provider")]
    NoServiceProvider,
    /// The entityID is not an issuer of Identity Center.
    #[error("the issuer is not an issuer of IAM Identity Center")]
    #[non_exhaustive]
    Issuer {
        /// The reason.
        source: CheckUrlError,
    },
    /// An ACS URL is not a URL of Identity Center.
    #[error("an ACS URL is not a URL of IAM Identity Center")]
    #[non_exhaustive]
    Acs {
        /// The reason.
        source: CheckUrlError,
    },
    /// An assertion consumer service does not use HTTP-POST.
    #[error("an AssertionConsumerService does not use HTTP-POST")]
    Binding,
    /// There is no assertion consumer service.
    #[error("the file has no AssertionConsumerService")]
    NoAcs,
}

/// The reason why a URL does not have one of the forms of Identity Center.
///
/// The `Display` text follows the name of the URL: "is not https".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckUrlError {
    /// The string is not a URL.
    #[error("is not an absolute URL")]
    NotAUrl,
    /// The scheme is not https.
    #[error("is not https")]
    NotHttps,
    /// The URL has a user, a port, a query or a fragment, or is not normalized.
    #[error("has more than a host and a path, or is not normalized")]
    NotNormalized,
    /// The host does not have a form that Identity Center uses.
    #[error("is not at a sign-in host of AWS: {host:?}")]
    #[non_exhaustive]
    Host {
        /// The host.
        host: String,
    },
    /// The path does not have the expected form.
    #[error("does not have the path {expected}")]
    #[non_exhaustive]
    Path {
        /// The expected path.
        expected: &'static str,
    },
    /// The URL is not the issuer of the expected instance.
    #[error("is not {expected}")]
    #[non_exhaustive]
    OtherIssuer {
        /// The issuer of the expected instance.
        expected: String,
    },
}

/// The parts of an ACS URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acs {
    /// The Region in the host name.
    pub region: String,
    /// The form of the host name.
    pub host: AcsHost,
    /// The opaque last part of the path.
    pub tenant: String,
}

/// The form of the host name of an ACS URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcsHost {
    /// `<region>.signin.aws.amazon.com`, for instances enabled before February 2026.
    Classic,
    /// `<region>.signin.aws`.
    Ipv4,
    /// `<region>.sso.signin.aws`.
    DualStack,
    /// A host of AWS GovCloud (US) or China that no public document names.
    OtherPartition,
}

/// Checks that a string is exactly the issuer of one instance.
///
/// The issuer follows from the instance's primary Region and its identity store id, so the check
/// finds a file from another instance or Region. In AWS GovCloud (US) and China, the host is only
/// checked as far as it is known: see [`has_documented_host`].
///
/// ```
/// use saml_metadata::aws::check_issuer;
///
/// let issuer = "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345";
/// assert!(check_issuer("us-east-1", "d-9067012345", issuer).is_ok());
/// assert_eq!(
///     check_issuer("eu-west-1", "d-9067012345", issuer).unwrap_err().to_string(),
///     "is not https://eu-west-1.signin.aws.amazon.com/platform/saml/d-9067012345",
/// );
/// ```
///
/// # Errors
///
/// Fails if the string is not the issuer of the instance.
pub fn check_issuer(
    region: &str,
    identity_store_id: &str,
    issuer: impl AsRef<str>,
) -> Result<(), CheckUrlError> {
    let issuer = issuer.as_ref();
    let path = format!("{ISSUER_PATH}{identity_store_id}");
    let expected = format!("https://{region}{CLASSIC}{path}");
    if issuer == expected {
        return Ok(());
    }
    let Some(domain) = sign_in_domain(region) else {
        return Err(CheckUrlError::OtherIssuer { expected });
    };
    let is_issuer = |url: &Url| {
        let host = url.host_str().and_then(OtherHost::parse);
        url.path() == path && host.is_some_and(|host| host.region == region)
    };
    match parse(issuer) {
        Ok(url) if is_issuer(&url) => Ok(()),
        _ => Err(CheckUrlError::OtherIssuer {
            expected: format!("https://{region}.*{domain}{path}"),
        }),
    }
}

/// Returns whether the host of an issuer or an ACS URL has a form that AWS documents.
///
/// The hosts of AWS GovCloud (US) and China are accepted without a document that names them. A sign-in of a user confirms such a
/// URL.
///
/// ```
/// use saml_metadata::aws::{check_acs, has_documented_host};
///
/// let acs = "https://us-gov-west-1.signin.amazonaws-us-gov.com/platform/saml/acs/4d3a-11";
/// assert!(check_acs(acs).is_ok());
/// assert!(!has_documented_host(acs));
/// assert!(has_documented_host("https://us-east-1.signin.aws/platform/saml/acs/4d3a-11"));
/// ```
pub fn has_documented_host(url: impl AsRef<str>) -> bool {
    let url = parse(url.as_ref());
    url.is_ok_and(|url| {
        url.host_str()
            .is_some_and(|host| documented_host(host).is_some())
    })
}

/// Returns the Region and the form of a host that AWS documents.
fn documented_host(host: &str) -> Option<(&str, AcsHost)> {
    let forms = [
        (CLASSIC, AcsHost::Classic),
        // The dual-stack form must come before the IPv4 form, which is a suffix of it.
        (".sso.signin.aws", AcsHost::DualStack),
        (".signin.aws", AcsHost::Ipv4),
    ];
    forms
        .into_iter()
        .find_map(|(ending, form)| Some((host.strip_suffix(ending)?, form)))
        .filter(|(region, _)| is_region(region))
}

/// A host of AWS GovCloud (US) or China.
struct OtherHost<'h> {
    region: &'h str,
}

impl<'h> OtherHost<'h> {
    /// Parses a host `<region>.….<domain>`, whose Region is in the partition of the domain.
    fn parse(host: &'h str) -> Option<Self> {
        let (region, rest) = host.split_once('.')?;
        let names = rest.strip_suffix(sign_in_domain(region)?)?;
        (is_region(region) && !names.is_empty()).then_some(Self { region })
    }
}

/// Returns the domain of the sign-in hosts of a Region outside of the commercial partition, with a dot in front.
fn sign_in_domain(region: &str) -> Option<&'static str> {
    if region.starts_with("us-gov-") {
        Some(".amazonaws-us-gov.com")
    } else if region.starts_with("cn-") {
        Some(".amazonaws.cn")
    } else {
        None
    }
}

/// Parses a URL as an ACS URL of Identity Center.
///
/// Accepts every host form and any tenant; the scheme must be https.
///
/// ```
/// use saml_metadata::aws::{AcsHost, check_acs};
///
/// let acs = check_acs("https://us-east-1.sso.signin.aws/platform/saml/acs/4d3a-11")?;
/// assert_eq!((acs.region.as_str(), acs.host), ("us-east-1", AcsHost::DualStack));
/// assert_eq!(
///     check_acs("https://signin.aws.amazon.com/saml").unwrap_err().to_string(),
///     "is not at a sign-in host of AWS: \"signin.aws.amazon.com\"",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if the URL does not have one of the ACS forms.
pub fn check_acs(url: impl AsRef<str>) -> Result<Acs, CheckUrlError> {
    const PATH: &str = "/platform/saml/acs/<tenant>";

    let url = parse(url.as_ref())?;
    let host = url.host_str().unwrap_or_default();
    let other = || Some((OtherHost::parse(host)?.region, AcsHost::OtherPartition));
    let (region, form) =
        documented_host(host)
            .or_else(other)
            .ok_or_else(|| CheckUrlError::Host {
                host: host.to_owned(),
            })?;
    let tenant = url
        .path()
        .strip_prefix("/platform/saml/acs/")
        .filter(|tenant| !tenant.is_empty() && !tenant.contains('/'))
        .ok_or(CheckUrlError::Path { expected: PATH })?;
    Ok(Acs {
        region: region.to_owned(),
        host: form,
        tenant: tenant.to_owned(),
    })
}

const CLASSIC: &str = ".signin.aws.amazon.com";
const ISSUER_PATH: &str = "/platform/saml/";

/// Checks that a string has the form of an Identity Center issuer.
pub(crate) fn parse_issuer(text: &str) -> Result<(), CheckUrlError> {
    const PATH: &str = "/platform/saml/d-<identity store>";

    let url = parse(text)?;
    let host = url.host_str().unwrap_or_default();
    let is_classic = host.strip_suffix(CLASSIC).is_some_and(is_region);
    if !is_classic && OtherHost::parse(host).is_none() {
        return Err(CheckUrlError::Host {
            host: host.to_owned(),
        });
    }
    let id = url.path().strip_prefix(ISSUER_PATH).unwrap_or_default();
    let is_id = id
        .strip_prefix("d-")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
    if is_id {
        Ok(())
    } else {
        Err(CheckUrlError::Path { expected: PATH })
    }
}

/// Parses a normalized https URL that has only a host and a path.
fn parse(text: &str) -> Result<Url, CheckUrlError> {
    // The parser's error adds nothing to "is not an absolute URL".
    let Ok(url) = Url::parse(text) else {
        return Err(CheckUrlError::NotAUrl);
    };
    if url.scheme() != "https" {
        return Err(CheckUrlError::NotHttps);
    }
    // The comparison with the normal form finds a port, a user, upper case, `..` and spaces.
    let plain = format!(
        "https://{}{}",
        url.host_str().unwrap_or_default(),
        url.path()
    );
    if text == plain {
        Ok(url)
    } else {
        Err(CheckUrlError::NotNormalized)
    }
}

/// Returns whether a string looks like a Region: `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [words @ .., number] = parts.as_slice() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}
