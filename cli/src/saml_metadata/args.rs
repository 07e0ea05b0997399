//! Command line of the program.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use okta_aws_sso::saml::{Profile, signature::SignatureAlgorithm};

/// Reads, explains, validates, compares, signs and verifies SAML metadata.
///
/// Without a command, the program explains and validates sample metadata from Okta. The file name `-` means standard
/// input.
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
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print the contents: entities, endpoints, certificates.
    Explain {
        #[command(flatten)]
        input: Input,
    },
    /// Validate the metadata against the rules of a profile.
    Validate(Validate),
    /// Print the changes between two files, whether they break sign-in, and whether the key rollover is safe.
    Diff {
        /// The current metadata.
        old: String,
        /// The new metadata.
        new: String,
        /// The time to check certificates against, such as 2026-11-24T12:00:00Z (default: now).
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
        /// The output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Sign the root element and write the signed metadata.
    Sign(Sign),
    /// Verify the signature with a trusted key, and print only the signed entities.
    Verify {
        #[command(flatten)]
        input: Input,
        /// A trusted certificate or public key in PEM. Do not take it from the metadata file itself.
        #[arg(long = "key", value_name = "KEY.pem", required = true)]
        keys: Vec<PathBuf>,
    },
}

#[derive(Group, Debug)]
pub(crate) struct Input {
    /// The metadata file; `-` means standard input.
    #[arg(default_value = "-")]
    pub(crate) file: String,
}

#[derive(Group, Debug)]
pub(crate) struct Validate {
    /// The metadata files; `-` means standard input.
    #[arg(default_value = "-")]
    pub(crate) files: Vec<String>,
    /// The profile: saml-core, saml2int, edugain, okta, aws-identity-center, aws-identity-center-sp, google-workforce,
    /// aws-iam or opensearch.
    #[arg(long, default_value_t = Profile::AwsIdentityCenter)]
    pub(crate) profile: Profile,
    /// The time to check dates against, such as 2026-11-24T12:00:00Z (default: now).
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Also exit with 1 if there are warnings.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Group, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The private key, PKCS #8 in PEM.
    #[arg(long, value_name = "KEY.pem")]
    pub(crate) key: PathBuf,
    /// The certificate of the key, in PEM, to include in the signature.
    #[arg(long, value_name = "CERTIFICATE.pem")]
    pub(crate) certificate: Option<PathBuf>,
    /// The signature algorithm, as the last part of its URI, such as rsa-sha256 or sha256-rsa-MGF1 (default: depends on
    /// the key).
    #[arg(long, value_parser = algorithm)]
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// The output file (default: standard output).
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
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
