//! The addresses of IAM Identity Center's side of SAML.
//!
//! The forms are those of the AWS IAM Identity Center user guide, "Workforce access through an
//! additional Region":
//!
//! | what | form |
//! |---|---|
//! | issuer, which is also entityID and audience | `https://<region>.signin.aws.amazon.com/platform/saml/<identity store id>` |
//! | assertion consumer, classic | `https://<region>.signin.aws.amazon.com/platform/saml/acs/<tenant>` |
//! | assertion consumer, IPv4 | `https://<region>.signin.aws/platform/saml/acs/<tenant>` |
//! | assertion consumer, dual-stack | `https://<region>.sso.signin.aws/platform/saml/acs/<tenant>` |
//!
//! Instances enabled before February 2026 keep the classic address; newer ones do not have it. The
//! tenant is opaque: seen were UUIDs, longer texts, and hexadecimal ones.

use url::Url;

use crate::{Document, names::binding};

/// What to enter at the identity provider, from the file that Identity Center hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpUrls {
    /// The assertion consumer addresses: the default one first, the others in the file's order.
    ///
    /// Identity Center in several Regions lists several; all of them belong into the identity
    /// provider, or logins through the others fail.
    pub acs: Vec<Url>,
    /// The issuer, which is the audience of assertions.
    pub issuer: Url,
}

impl SpUrls {
    /// Reads the addresses out of Identity Center's file.
    ///
    /// # Errors
    ///
    /// Fails when the document is not that file. [`validate`](crate::validate()) with
    /// [`Profile::AwsIdentityCenterSp`](crate::Profile::AwsIdentityCenterSp) says all that is
    /// wrong with it, and where.
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

/// Why a document is not the file that Identity Center hands out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpUrlsError {
    /// The document does not describe one entity.
    #[error("the file is not the metadata of one service")]
    #[non_exhaustive]
    Entity {
        /// What it describes.
        source: crate::EntityError,
    },
    /// The entity is not a service provider; perhaps it is the identity provider's file.
    #[error("the file describes no service provider")]
    NoServiceProvider,
    /// The entityID is not an Identity Center's.
    #[error("the issuer is not IAM Identity Center's")]
    #[non_exhaustive]
    Issuer {
        /// What is wrong with it.
        source: CheckUrlError,
    },
    /// An assertion consumer address is not an Identity Center's.
    #[error("an assertion consumer address is not IAM Identity Center's")]
    #[non_exhaustive]
    Acs {
        /// What is wrong with it.
        source: CheckUrlError,
    },
    /// An assertion consumer service is not by HTTP-POST.
    #[error("an assertion consumer service is not by HTTP-POST")]
    Binding,
    /// There is no assertion consumer service.
    #[error("the file has no assertion consumer service")]
    NoAcs,
}

/// Why an address is not of the form that Identity Center has.
///
/// `Display` says it so that it can follow the name of the address: "is not https".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckUrlError {
    /// It is not an address at all.
    #[error("is not an absolute address")]
    NotAnAddress,
    /// It is not https.
    #[error("is not https")]
    NotHttps,
    /// It has a user, a port, a query or a fragment, or is not written the normal way.
    #[error("has more than host and path, or an unusual spelling")]
    Decorated,
    /// The host is none of Identity Center's forms.
    #[error("is not at a sign-in host of AWS: {host:?}")]
    #[non_exhaustive]
    Host {
        /// The host.
        host: String,
    },
    /// The path is not the one of the forms.
    #[error("has not the path {expected}")]
    #[non_exhaustive]
    Path {
        /// The path there should be.
        expected: &'static str,
    },
    /// It is an issuer, but of another instance.
    #[error("is not {expected}")]
    #[non_exhaustive]
    OtherIssuer {
        /// The issuer of the instance asked for.
        expected: String,
    },
}

/// An assertion consumer address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acs {
    /// The Region it is in.
    pub region: String,
    /// The form of its host.
    pub host: AcsHost,
    /// The opaque last part of the path.
    pub tenant: String,
}

/// The forms of hosts for assertion consumer addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcsHost {
    /// `<region>.signin.aws.amazon.com`, of instances enabled before February 2026.
    Classic,
    /// `<region>.signin.aws`.
    Ipv4,
    /// `<region>.sso.signin.aws`.
    DualStack,
}

/// Checks that an issuer is the one of an instance, to the letter.
///
/// The issuer follows from the instance's primary Region and its identity store id, so a file
/// pasted from another instance or Region is caught.
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
/// Fails when the issuer is another text.
pub fn check_issuer(
    region: &str,
    identity_store_id: &str,
    issuer: impl AsRef<str>,
) -> Result<(), CheckUrlError> {
    let expected = format!("https://{region}{CLASSIC}{ISSUER_PATH}{identity_store_id}");
    if issuer.as_ref() == expected {
        Ok(())
    } else {
        Err(CheckUrlError::OtherIssuer { expected })
    }
}

/// Checks that an address is an assertion consumer of Identity Center, and takes it apart.
///
/// Every host form is accepted, and any tenant; only https is.
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
/// Fails when the address is of none of the forms.
pub fn check_acs(url: impl AsRef<str>) -> Result<Acs, CheckUrlError> {
    const PATH: &str = "/platform/saml/acs/<tenant>";

    let url = parse(url.as_ref())?;
    let host = url.host_str().unwrap_or_default();
    let forms = [
        (CLASSIC, AcsHost::Classic),
        // Before the IPv4 form, whose ending it has too.
        (".sso.signin.aws", AcsHost::DualStack),
        (".signin.aws", AcsHost::Ipv4),
    ];
    let (region, form) = forms
        .into_iter()
        .find_map(|(ending, form)| Some((host.strip_suffix(ending)?, form)))
        .filter(|(region, _)| is_region(region))
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

/// Checks that a text is the issuer of some instance.
pub(crate) fn parse_issuer(text: &str) -> Result<(), CheckUrlError> {
    const PATH: &str = "/platform/saml/d-<identity store>";

    let url = parse(text)?;
    let host = url.host_str().unwrap_or_default();
    if !host.strip_suffix(CLASSIC).is_some_and(is_region) {
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

/// Parses an https address that is nothing but host and path, written the normal way.
fn parse(text: &str) -> Result<Url, CheckUrlError> {
    // Whatever is wrong with it, the text is not an address.
    let Ok(url) = Url::parse(text) else {
        return Err(CheckUrlError::NotAnAddress);
    };
    if url.scheme() != "https" {
        return Err(CheckUrlError::NotHttps);
    }
    // Comparing with the normal form catches the port, the user, upper case, `..` and blanks.
    let plain = format!(
        "https://{}{}",
        url.host_str().unwrap_or_default(),
        url.path()
    );
    if text == plain {
        Ok(url)
    } else {
        Err(CheckUrlError::Decorated)
    }
}

/// Returns whether a text looks like a Region: `us-east-1`, `us-gov-west-1`.
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
