//! Command line of the program.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use okta_aws_sso::saml::{KeyUse, Profile, RuleId, Severity, signature::SignatureAlgorithm};

use super::source::{FetchOptions, Source};

/// Reads, explains, validates, compares, edits, signs and verifies SAML metadata, and plans the rotation of a key.
///
/// Without a command, the program explains and validates sample metadata from Okta. In place of a file, `-` means standard
/// input, `https://…` a URL, and `okta:APP` an app of Okta by its label or id.
///
/// Exit codes: 0 if the check passes; 1 if a rule is violated, a change breaks sign-in, or a signature is not valid; 2 if
/// the check cannot run, because a file is missing or is not metadata, or because an option is wrong.
#[derive(Parser, Debug)]
#[command(name = "saml_metadata")]
pub(crate) struct Program {
    #[command(flatten)]
    pub(crate) arguments: Arguments,
}

/// The arguments of the program.
#[derive(Group, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) fetch: FetchOptions,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print the contents: entities, endpoints, certificates.
    Explain(Explain),
    /// Validate the metadata against the rules of a profile.
    Validate(Validate),
    /// Print the changes between two files, whether they break sign-in, and whether the key rollover is safe.
    Diff {
        /// The current metadata.
        old: Source,
        /// The new metadata.
        new: Source,
        /// The time to check certificates against, such as 2026-11-24T12:00:00Z (default: now).
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
        /// The output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Plan the rotation of the signing key: the steps, their dates and their files. Exit status 1: no safe order.
    Rollover(Rollover),
    /// Change the metadata and write the changed file; all other bytes stay.
    Edit {
        #[command(subcommand)]
        edit: Edit,
    },
    /// Sign the root element and write the signed metadata.
    Sign(Sign),
    /// Verify the signature with a trusted key, and print only the signed entities.
    Verify {
        #[command(flatten)]
        input: Input,
        /// A trusted certificate or public key in PEM or DER. Do not take it from the metadata file itself.
        #[arg(long = "key", value_name = "KEY.pem", required = true)]
        keys: Vec<PathBuf>,
    },
}

#[derive(Group, Debug)]
pub(crate) struct Input {
    /// The metadata: a file, `-` for standard input, a URL, or `okta:APP`.
    #[arg(default_value = "-")]
    pub(crate) file: Source,
}

#[derive(Group, Debug)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Print the contents as JSON, with each certificate as PEM.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only the certificates, as PEM.
    #[arg(long, conflicts_with = "json")]
    pub(crate) pem: bool,
    /// The time to check certificates against, such as 2026-11-24T12:00:00Z (default: now).
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Group, Debug)]
pub(crate) struct Validate {
    /// The metadata: files, `-` for standard input, URLs, or `okta:APP`. A source that cannot be read does not stop the validation
    /// of the other sources.
    #[arg(default_value = "-")]
    pub(crate) files: Vec<Source>,
    /// The profile: saml-core, saml2int, edugain, okta, aws-identity-center, aws-identity-center-sp, google-workforce,
    /// aws-iam or opensearch.
    #[arg(long, default_value_t = Profile::AwsIdentityCenter)]
    pub(crate) profile: Profile,
    /// The severity of a rule: error, warning, info or off. Can be given several times.
    #[arg(long = "rule", value_name = "ID=SEVERITY", value_parser = rule)]
    pub(crate) rules: Vec<(RuleId, Option<Severity>)>,
    /// Report certificates that expire within this number of days (default: 30).
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub(crate) expiry_notice: Option<SignedDuration>,
    /// The time to check dates against, such as 2026-11-24T12:00:00Z (default: now).
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Also exit with 1 if there are warnings.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Group, Debug)]
pub(crate) struct Rollover {
    /// The current metadata: a file, `-` for standard input, a URL, or `okta:APP`.
    pub(crate) metadata: Source,
    /// The new certificate, in PEM or DER.
    pub(crate) certificate: PathBuf,
    /// The partner that verifies the signatures.
    #[arg(long, value_enum, default_value_t = ConsumerName::AwsIdentityCenter)]
    pub(crate) consumer: ConsumerName,
    /// The software that signs.
    #[arg(long, value_enum, default_value_t = ProviderName::Okta)]
    pub(crate) provider: ProviderName,
    /// The maximum number of signing certificates that the partner keeps (default: no limit).
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_certificates: Option<usize>,
    /// The number of days after which the partner certainly has new metadata (default: 0 for aws-identity-center, 1 for
    /// metadata).
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub(crate) reload: Option<SignedDuration>,
    /// The time of the first step (default: now).
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<Timestamp>,
    /// The time at which the new key begins to sign (default: as early as it is safe).
    #[arg(long, value_name = "TIME")]
    pub(crate) activate_at: Option<Timestamp>,
    /// The time at which the old certificate is removed (default: one day later).
    #[arg(long, value_name = "TIME")]
    pub(crate) retire_at: Option<Timestamp>,
    /// Write the plan (plan.txt, plan.json) and the files of the steps to this folder.
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// The private key that signs metadata files again, if the current metadata is signed; PKCS #8 in PEM or DER.
    #[arg(long, value_name = "KEY.pem", requires = "output")]
    pub(crate) key: Option<PathBuf>,
    /// Print the plan as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConsumerName {
    /// AWS IAM Identity Center: an operator imports the certificate in the console.
    AwsIdentityCenter,
    /// A partner that loads the metadata.
    Metadata,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProviderName {
    /// An app of an Okta org.
    Okta,
    /// Any other software.
    Other,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Edit {
    /// Set or remove `validUntil`.
    ValidUntil {
        /// The time, such as 2027-01-31T12:00:00Z, or `none`.
        #[arg(value_name = "TIME", value_parser = until)]
        until: Until,
        #[command(flatten)]
        options: EditOptions,
    },
    /// Add a certificate to a role, after the other ones.
    AddCertificate {
        /// The certificate, in PEM or DER.
        #[arg(value_name = "CERTIFICATE.pem")]
        certificate: PathBuf,
        /// The use of the key.
        #[arg(long = "use", value_enum, default_value_t = UseName::Signing)]
        key_use: UseName,
        #[command(flatten)]
        options: EditOptions,
    },
    /// Replace a certificate of a role.
    ReplaceCertificate {
        /// The certificate that the role has: its SHA-256 fingerprint, or a file in PEM or DER.
        old: String,
        /// The new certificate, in PEM or DER.
        #[arg(value_name = "NEW.pem")]
        new: PathBuf,
        #[command(flatten)]
        options: EditOptions,
    },
    /// Remove a certificate of a role.
    RemoveCertificate {
        /// The certificate: its SHA-256 fingerprint, or a file in PEM or DER.
        certificate: String,
        #[command(flatten)]
        options: EditOptions,
    },
    /// Add or remove the byte order mark.
    Bom {
        #[arg(value_enum)]
        action: BomAction,
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        output: OutputFile,
    },
    /// Remove the signature of the root element.
    Unsign {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        output: OutputFile,
    },
    /// Write one entity of a group as metadata of its own, with the validity that it inherits.
    Extract {
        /// The entityID.
        entity_id: String,
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        output: OutputFile,
    },
}

#[derive(Group, Debug)]
pub(crate) struct EditOptions {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The entityID of the entity to change; needed if the file describes several.
    #[arg(long, value_name = "ENTITY_ID")]
    pub(crate) entity: Option<String>,
    /// The role to change (default: the identity provider, or else the service provider).
    #[arg(long, value_enum)]
    pub(crate) role: Option<RoleName>,
    /// Remove the signatures that the change makes invalid.
    #[arg(long)]
    pub(crate) unsign: bool,
    /// Remove the signatures that the change makes invalid, and sign the root element with this private key, PKCS #8 in
    /// PEM or DER.
    #[arg(long, value_name = "KEY.pem", conflicts_with = "unsign")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputFile,
}

#[derive(Group, Debug)]
pub(crate) struct OutputFile {
    /// The output file (default: standard output).
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// The identity provider.
    Idp,
    /// The service provider.
    Sp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UseName {
    /// For signatures.
    Signing,
    /// For encryption.
    Encryption,
    /// For both.
    Both,
}

impl UseName {
    pub(crate) fn key_use(self) -> Option<KeyUse> {
        match self {
            Self::Signing => Some(KeyUse::Signing),
            Self::Encryption => Some(KeyUse::Encryption),
            Self::Both => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BomAction {
    /// Add it.
    Add,
    /// Remove it.
    Remove,
}

/// A `validUntil`; `None` removes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until(pub(crate) Option<Timestamp>);

fn until(text: &str) -> Result<Until, String> {
    if text == "none" {
        return Ok(Until(None));
    }
    let time = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Until(Some(time)))
}

fn days(text: &str) -> Result<SignedDuration, String> {
    let days: u16 = text.parse().map_err(|error| format!("{error}"))?;
    Ok(SignedDuration::from_hours(i64::from(days) * 24))
}

fn rule(text: &str) -> Result<(RuleId, Option<Severity>), String> {
    let (id, severity) = text
        .split_once('=')
        .ok_or("the form is ID=SEVERITY, such as MD-TIME-03=off")?;
    let rule = RuleId::parse(id).ok_or_else(|| format!("there is no rule {id:?}"))?;
    let severity = match severity {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "info" => Some(Severity::Info),
        "off" => None,
        _ => return Err("the severity must be one of error, warning, info, off".to_owned()),
    };
    Ok((rule, severity))
}

#[derive(Group, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The private key, PKCS #8 in PEM or DER.
    #[arg(long, value_name = "KEY.pem")]
    pub(crate) key: PathBuf,
    /// The certificate of the key, in PEM or DER, to include in the signature.
    #[arg(long, value_name = "CERTIFICATE.pem")]
    pub(crate) certificate: Option<PathBuf>,
    /// The signature algorithm, as the last part of its URI, such as rsa-sha256 or sha256-rsa-MGF1 (default: depends on
    /// the key).
    #[arg(long, value_parser = algorithm)]
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// Replace the signature of a file that is already signed.
    #[arg(long)]
    pub(crate) renew: bool,
    #[command(flatten)]
    pub(crate) output: OutputFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text with an excerpt of the file for each finding.
    Text,
    /// JSON, one document per line.
    Json,
    /// A SARIF 2.1.0 log, for code hosts and editors.
    Sarif,
}

const ALGORITHMS: [SignatureAlgorithm; 8] = [
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::RsaSha384,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::RsaPssSha256,
    SignatureAlgorithm::RsaPssSha384,
    SignatureAlgorithm::RsaPssSha512,
    SignatureAlgorithm::EcdsaP256Sha256,
    SignatureAlgorithm::EcdsaP384Sha384,
];

fn algorithm(name: &str) -> Result<SignatureAlgorithm, String> {
    let short = |algorithm: &SignatureAlgorithm| {
        let uri = algorithm.uri();
        uri.split_once('#').map_or(uri, |(_, short)| short)
    };
    ALGORITHMS
        .into_iter()
        .find(|algorithm| short(algorithm) == name || algorithm.uri() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = ALGORITHMS.iter().map(short).collect();
            format!("the algorithm must be one of {}", names.join(", "))
        })
}
