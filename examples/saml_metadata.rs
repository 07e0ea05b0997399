//! What is in this SAML metadata, and will AWS take it?
//! `cargo run --example saml_metadata -- FILE` (`-` is standard input; without a file, what Okta hands out for a sandbox)
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program says what it found"
)]

use std::{io::Read as _, process::ExitCode, time::SystemTime};

use clap::Parser;
use okta_aws_sso::saml::{self, Document, Profile};

/// Reads, explains and validates SAML metadata. Ends with 1 if a rule is broken, 2 if it cannot be read.
#[derive(Parser)]
struct Args {
    /// The file; `-` for standard input.
    file: Option<String>,
    /// Whom the file is for: saml-core, saml2int, edugain, okta, aws-identity-center, aws-identity-center-sp,
    /// google-workforce, aws-iam or opensearch.
    #[arg(long, default_value_t = Profile::AwsIdentityCenter)]
    profile: Profile,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let bytes = match args.file.as_deref() {
        None => Ok(include_bytes!("okta-metadata.xml").to_vec()),
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        Some(path) => std::fs::read(path),
    };
    let document = match bytes
        .map_err(|error| error.to_string())
        .and_then(|bytes| saml::read(&bytes).map_err(|error| error.to_string()))
    {
        Ok(document) => document,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    explain(&document);
    #[expect(
        clippy::disallowed_methods,
        reason = "a program reads the clock once, and hands the moment on"
    )]
    let now = SystemTime::now()
        .try_into()
        .expect("a clock that is within some thousand years");
    let findings = saml::validate(&document, args.profile, now);
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    println!(
        "{errors} errors, {} other findings",
        findings.len() - errors
    );
    if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn explain(document: &Document) {
    for entity in document.entities() {
        println!("entity {}", entity.entity_id());
        if let Some(idp) = entity.identity_provider() {
            for sso in idp.single_sign_on_services() {
                println!("  sign-in   {} ({})", sso.location(), sso.binding());
            }
            idp.name_id_formats()
                .for_each(|format| println!("  NameID    {format}"));
            for certificate in idp.signing_certificates() {
                println!(
                    "  signs with {} until {}\n            SHA-256 {}",
                    certificate.subject(),
                    certificate.not_after(),
                    certificate.fingerprint_sha256()
                );
            }
        }
        if let Some(sp) = entity.service_provider() {
            for acs in sp.assertion_consumer_services() {
                println!(
                    "  takes assertions at {} ({})",
                    acs.location(),
                    acs.binding()
                );
            }
        }
    }
}
