//! What the user of the example says.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use okta_aws_sso::saml::{Profile, signature::SignatureAlgorithm};

/// Reads, explains, validates, compares, signs and verifies SAML metadata.
///
/// Without a command it explains and validates what Okta hands out for an org of the sandbox. A file named `-` is standard
/// input.
///
/// Ends with 0 if all is well, with 1 if a rule is broken, a change breaks sign-in or a signature does not hold, and with 2
/// if it could not be found out: a file that is missing or is not metadata, or a wrong option.
#[derive(Parser, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Say what is in it: entities, endpoints, certificates.
    Explain {
        #[command(flatten)]
        input: Input,
    },
    /// Hold it to the rules of a profile.
    Validate(Validate),
    /// Say what changed between two files, whether it breaks sign-in, and whether the change of keys is safe.
    Diff {
        /// The metadata as it was.
        old: String,
        /// The metadata as it is to be.
        new: String,
        /// The moment to judge certificates at, such as 2026-11-24T12:00:00Z; now, if not said.
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Write it out with a signature in its root element.
    Sign(Sign),
    /// Prove that it is signed with a key that you hold, and print only what is signed.
    Verify {
        #[command(flatten)]
        input: Input,
        /// A certificate or a public key, as PEM, that you trust and have not taken from the file itself.
        #[arg(long = "key", value_name = "KEY.pem", required = true)]
        keys: Vec<PathBuf>,
    },
}

#[derive(Group, Debug)]
pub(crate) struct Input {
    /// The metadata; `-` for standard input.
    #[arg(default_value = "-")]
    pub(crate) file: String,
}

#[derive(Group, Debug)]
pub(crate) struct Validate {
    /// The metadata, any number of files; `-` for standard input.
    #[arg(default_value = "-")]
    pub(crate) files: Vec<String>,
    /// Whom the metadata is for: saml-core, saml2int, edugain, okta, aws-identity-center, aws-identity-center-sp,
    /// google-workforce, aws-iam or opensearch.
    #[arg(long, default_value_t = Profile::AwsIdentityCenter)]
    pub(crate) profile: Profile,
    /// The moment to judge dates at, such as 2026-11-24T12:00:00Z; now, if not said.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// End with 1 on warnings too.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Group, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The private key, as PKCS #8 in PEM.
    #[arg(long, value_name = "KEY.pem")]
    pub(crate) key: PathBuf,
    /// A certificate of the key, as PEM, to be shown in the signature.
    #[arg(long, value_name = "CERTIFICATE.pem")]
    pub(crate) certificate: Option<PathBuf>,
    /// How to sign, by the last part of the algorithm's URI, such as rsa-sha256 or sha256-rsa-MGF1; what is usual for the
    /// key, if not said.
    #[arg(long, value_parser = algorithm)]
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// Where to write to; standard output, if not said.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the piece of the file that is meant.
    Text,
    /// JSON, one document a line.
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
            format!("it is one of {}", names.join(", "))
        })
}
