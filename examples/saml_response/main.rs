//! Lists the problems of a SAML response that AWS refuses, with the fix for each problem.
//! `cargo run --example saml_response -- FILE --metadata IDP.xml --acs URL --issuer URL`; see `--help`.
#![expect(clippy::print_stderr, reason = "a program prints its errors")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program has no async code, and reads the clock once"
)]

mod sample;

use std::{
    error::Error,
    fs,
    io::{self, Read as _, Write, stdin, stdout},
    path::PathBuf,
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser;
use okta_aws_sso::{
    saml,
    saml_response::{Expectations, LintReport, lint},
};

use sample::Sample;

/// Lists the reasons why AWS refuses a SAML response, and what to change in Okta or AWS.
///
/// Without arguments, the program checks two sample responses, which it signs with a new key: one that AWS accepts, and one
/// for another instance of Identity Center.
///
/// Exit codes: 0 if AWS would accept the response; 1 if AWS would refuse it; 2 if the check cannot run, because the input
/// is not a SAML response, a file is missing, or an option is wrong. The response contains personal data: the program
/// prints only the findings, and saves nothing.
#[derive(Parser, Debug)]
struct Args {
    /// The file with the response, as copied from the browser; `-` means standard input.
    ///
    /// Accepts the value of the form field `SAMLResponse` (Base64, also URL-encoded, with HTML character references, or
    /// compressed), a request body or URL with this field, the source of the page with the form, a HAR file, and XML.
    #[arg(requires_all = ["metadata", "acs", "issuer"])]
    file: Option<String>,
    /// The identity provider metadata that AWS has.
    #[arg(long, value_name = "IDP.xml", requires = "file")]
    metadata: Option<PathBuf>,
    /// The "IAM Identity Center Assertion Consumer Service (ACS) URL" of AWS's console; repeat the option for several URLs.
    #[arg(long, value_name = "URL", requires = "file")]
    acs: Vec<String>,
    /// The "IAM Identity Center issuer URL" of AWS's console.
    #[arg(long, value_name = "URL", requires = "file")]
    issuer: Option<String>,
    /// A PEM file with a certificate that AWS has besides those of the metadata; repeat the option for several.
    #[arg(long, value_name = "CERTIFICATE.pem", requires = "file")]
    certificate: Vec<PathBuf>,
    /// The SCIM userName of the user in AWS.
    #[arg(long, value_name = "NAME", requires = "file")]
    user_name: Option<String>,
    /// The time of the sign-in, such as 2026-11-24T12:00:00Z (default: now).
    #[arg(long, value_name = "TIME", requires = "file")]
    at: Option<jiff::Timestamp>,
}

fn main() -> ExitCode {
    let mut out = stdout().lock();
    match run(Args::parse(), &mut out) {
        Ok(code) => code,
        // A reader that closes the pipe early is not an error.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

fn run(args: Args, out: &mut impl Write) -> Result<ExitCode, Box<dyn Error>> {
    let (Some(file), Some(metadata), Some(issuer)) = (args.file, args.metadata, args.issuer) else {
        return samples(out);
    };
    let mut acs = args.acs.into_iter();
    let first = acs.next().unwrap_or_default();
    let mut expectations = Expectations::new(first, issuer, args.at.unwrap_or_else(now));
    for url in acs {
        expectations = expectations.acs_url(url);
    }
    if let Some(name) = args.user_name {
        expectations = expectations.user_name(name);
    }
    for file in args.certificate {
        let name = file.display().to_string();
        let pem = fs::read_to_string(&file).map_err(|error| file_error(&name, error))?;
        let certificate =
            saml::Certificate::from_pem(&pem).map_err(|error| file_error(&name, error))?;
        expectations = expectations.certificate(certificate);
    }
    let name = metadata.display().to_string();
    let bytes = fs::read(&metadata).map_err(|error| file_error(&name, error))?;
    let metadata = saml::read(&bytes).map_err(|error| file_error(&name, error))?;
    let report = lint(&read_text(&file)?, &metadata, &expectations);
    writeln!(out, "{report}")?;
    Ok(exit_code(&report))
}

fn samples(out: &mut impl Write) -> Result<ExitCode, Box<dyn Error>> {
    for (title, sample) in [
        ("a valid response", Sample::valid()?),
        (
            "a response for another instance",
            Sample::for_another_instance()?,
        ),
    ] {
        let report = lint(&sample.form_value, &sample.metadata, &sample.expectations);
        writeln!(out, "== {title}\n{report}\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn exit_code(report: &LintReport) -> ExitCode {
    if !report.is_readable() {
        ExitCode::from(2)
    } else if report.is_accepted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read_text(file: &str) -> Result<String, FileError> {
    if file != "-" {
        return fs::read_to_string(file).map_err(|error| file_error(file, error));
    }
    let mut text = String::new();
    stdin()
        .read_to_string(&mut text)
        .map_err(|error| file_error("standard input", error))?;
    Ok(text)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The error of a file that cannot be read or parsed.
#[derive(Debug, thiserror::Error)]
#[error("{file} could not be used")]
struct FileError {
    file: String,
    source: Box<dyn Error + Send + Sync>,
}

fn file_error(file: &str, source: impl Error + Send + Sync + 'static) -> FileError {
    FileError {
        file: file.to_owned(),
        source: source.into(),
    }
}

fn now() -> jiff::Timestamp {
    let now = SystemTime::now();
    now.try_into()
        .expect("the clock's time fits into a timestamp")
}
