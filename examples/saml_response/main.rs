//! Why does AWS not let this person in? What AWS has against a SAML response, and what to change.
//! `cargo run --features samael --example saml_response -- FILE --metadata IDP.xml --acs URL --issuer URL`; `--help` has the rest
#![expect(clippy::print_stderr, reason = "a program says what went wrong")]

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
    saml_response::{Expectations, Report, lint},
};

use sample::Sample;

/// Says what AWS has against a SAML response, and what to change in Okta or AWS.
///
/// Without arguments it looks at two responses of its own, which were signed a moment ago by a key made for them: one that AWS
/// takes, and one for another instance of Identity Center.
///
/// Ends with 0 if AWS would take the response, with 1 if it would not, and with 2 if that could not be found out: what was
/// pasted is not a response, a file is missing, or an option is wrong. The response names a person: only the findings are
/// printed, and nothing is kept.
#[derive(Parser, Debug)]
struct Args {
    /// The value of the form field `SAMLResponse`, as Base64, URL-encoded or XML; `-` for standard input.
    #[arg(requires_all = ["metadata", "acs", "issuer"])]
    file: Option<String>,
    /// The identity provider's metadata, as AWS was given it.
    #[arg(long, value_name = "IDP.xml", requires = "file")]
    metadata: Option<PathBuf>,
    /// The "IAM Identity Center Assertion Consumer Service (ACS) URL" of AWS's console; several, if there are several.
    #[arg(long, value_name = "URL", requires = "file")]
    acs: Vec<String>,
    /// The "IAM Identity Center issuer URL" of AWS's console.
    #[arg(long, value_name = "URL", requires = "file")]
    issuer: Option<String>,
    /// The SCIM userName of the person in AWS.
    #[arg(long, value_name = "NAME", requires = "file")]
    user_name: Option<String>,
    /// The moment of the sign-in, such as 2026-11-24T12:00:00Z; now, if not said.
    #[arg(long, value_name = "TIME", requires = "file")]
    at: Option<jiff::Timestamp>,
}

fn main() -> ExitCode {
    let mut out = stdout().lock();
    match run(Args::parse(), &mut out) {
        Ok(code) => code,
        // Whoever reads has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because {cause}");
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
    for more in acs {
        expectations = expectations.acs_url(more);
    }
    if let Some(name) = args.user_name {
        expectations = expectations.user_name(name);
    }
    let name = metadata.display().to_string();
    let bytes = fs::read(&metadata).map_err(|error| about(&name, error))?;
    let metadata = saml::read(&bytes).map_err(|error| about(&name, error))?;
    let report = lint(&text(&file)?, &metadata, &expectations);
    writeln!(out, "{report}")?;
    Ok(verdict(&report))
}

fn samples(out: &mut impl Write) -> Result<ExitCode, Box<dyn Error>> {
    for (title, sample) in [
        ("a response that is as it should be", Sample::good()?),
        ("a response for another instance", Sample::misdirected()?),
    ] {
        let report = lint(&sample.pasted, &sample.metadata, &sample.expectations);
        writeln!(out, "== {title}\n{report}\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn verdict(report: &Report) -> ExitCode {
    if !report.is_readable() {
        ExitCode::from(2)
    } else if report.is_accepted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn text(file: &str) -> Result<String, Unread> {
    if file != "-" {
        return fs::read_to_string(file).map_err(|error| about(file, error));
    }
    let mut text = String::new();
    stdin()
        .read_to_string(&mut text)
        .map_err(|error| about("standard input", error))?;
    Ok(text)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Something that could not be read, and why.
#[derive(Debug, thiserror::Error)]
#[error("{what} could not be used")]
struct Unread {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

fn about(what: &str, source: impl Error + Send + Sync + 'static) -> Unread {
    Unread {
        what: what.to_owned(),
        source: source.into(),
    }
}

fn now() -> jiff::Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program reads the clock, and hands the moment on"
    )]
    let now = SystemTime::now();
    now.try_into()
        .expect("a clock that is within some thousand years")
}
