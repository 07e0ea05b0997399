//! Checks whether AWS accepts SAML metadata. The program also explains, compares, edits, signs and verifies metadata, and
//! plans the rotation of a signing key.

mod args;
mod edit;
mod output;
mod rollover;
mod source;

use std::{
    error::Error,
    fs,
    io::{self, BufWriter, Write, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use okta_aws_sso::saml::{
    self, Document, EntitySummary, Finding, Policy, Profile, ReadError, Renderer, sarif,
    signature::{Verifier, VerifyingKey},
};
use serde_json::{Value, json};

pub(crate) use args::Arguments;
use args::{Command, Explain, Format, Input, Program, Validate};
use source::{Reader, Source};

use crate::{Status, terminal};

/// Metadata of the app in an Okta org.
const SAMPLE: &[u8] = include_bytes!("saml_metadata/okta-metadata.xml");

/// Runs the program `saml_metadata` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |program: Program| program.arguments.run().await).await
}

impl Arguments {
    /// Returns 0 if the check passes, 1 if it does not, and 2 if it cannot run.
    pub(crate) async fn run(self) -> Status {
        let mut out = BufWriter::new(stdout());
        let result = run(self, &mut out).await.and_then(|status| {
            out.flush()?;
            Ok(status)
        });
        match result {
            Ok(status) => status,
            // A reader that closes the pipe early is not an error.
            Err(error) if is_broken_pipe(&*error) => Status::Done,
            Err(error) => {
                terminal::note(&format!("error: {error}"));
                let mut source = error.source();
                while let Some(cause) = source {
                    terminal::note(&format!("  caused by: {cause}"));
                    source = cause.source();
                }
                Status::NoMetadata
            }
        }
    }
}

async fn run(args: Arguments, out: &mut impl Write) -> Result<Status, Box<dyn Error>> {
    let reader = &Reader::new(args.fetch)?;
    match args.command {
        None => sample(out),
        Some(Command::Explain(args)) => explain(&args, reader, out).await,
        Some(Command::Validate(args)) => validate(&args, reader, out).await,
        Some(Command::Diff {
            old,
            new,
            at,
            format,
        }) => diff((&old, &new), reader, at.unwrap_or_else(now), format, out).await,
        Some(Command::Rollover(args)) => rollover::run(&args, reader, out).await,
        Some(Command::Edit { edit: command }) => {
            edit::run(&command, reader, out).await?;
            Ok(Status::Done)
        }
        Some(Command::Sign(args)) => {
            edit::sign(&args, reader, out).await?;
            Ok(Status::Done)
        }
        Some(Command::Verify { input, keys }) => verify(&input, &keys, reader, out).await,
    }
}

/// Returns the status of a check.
fn status(passed: bool) -> Status {
    if passed { Status::Done } else { Status::Failed }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn sample(out: &mut impl Write) -> Result<Status, Box<dyn Error>> {
    let document = saml::read(SAMPLE)?;
    for entity in saml::explain(&document, now())? {
        write!(out, "{entity}")?;
    }
    let findings = saml::validate(&document, Profile::AwsIdentityCenter, now());
    print_findings("the sample", &document, &findings, out)?;
    Ok(status(passes(&findings, false)))
}

async fn explain(
    args: &Explain,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<Status, Box<dyn Error>> {
    let document = reader.read(&args.input.file).await?;
    let entities = saml::explain(&document, args.at.unwrap_or_else(now))
        .map_err(|error| file_error(&args.input.file, error))?;
    if args.json {
        writeln!(out, "{}", json!({ "entities": entities }))?;
    } else if args.pem {
        output::pem(&entities, out)?;
    } else {
        for entity in entities {
            write!(out, "{entity}")?;
        }
    }
    Ok(Status::Done)
}

/// Validates all files. A file that cannot be read is a result of its own, and the other files are validated.
async fn validate(
    args: &Validate,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<Status, Box<dyn Error>> {
    let at = args.at.unwrap_or_else(now);
    let mut policy = Policy::new(args.profile);
    for (rule, severity) in &args.rules {
        policy = match severity {
            Some(severity) => policy.severity(*rule, *severity),
            None => policy.without(*rule),
        };
    }
    if let Some(notice) = args.expiry_notice {
        policy = policy.certificate_notice(notice);
    }
    let (mut passed, mut all_read) = (true, true);
    let mut logs: Option<Value> = None;
    for source in &args.files {
        let read = reader.read(source).await;
        let file = &*source.to_string();
        let log = match &read {
            Ok(document) => {
                let findings = saml::validate(document, &policy, at);
                passed &= passes(&findings, args.deny_warnings);
                match args.format {
                    Format::Text => {
                        print_findings(file, document, &findings, out)?;
                        None
                    }
                    Format::Json => {
                        writeln!(out, "{}", json!({ "file": file, "findings": findings }))?;
                        None
                    }
                    Format::Sarif => Some(sarif::log(document, file, &findings)),
                }
            }
            Err(error) => {
                all_read = false;
                let cause = &*error.source;
                match args.format {
                    Format::Text => {
                        writeln!(out, "{file}: not validated: {cause}")?;
                        None
                    }
                    Format::Json => {
                        writeln!(out, "{}", unreadable(file, cause))?;
                        None
                    }
                    Format::Sarif => Some(sarif::unreadable(file, cause)),
                }
            }
        };
        let Some(mut log) = log else { continue };
        match &mut logs {
            None => logs = Some(log),
            // All files are in one log, each file as its own run.
            Some(logs) => {
                if let Some(runs) = logs["runs"].as_array_mut() {
                    runs.push(log["runs"][0].take());
                }
            }
        }
    }
    if let Some(log) = logs {
        writeln!(out, "{log:#}")?;
    }
    Ok(if all_read {
        status(passed)
    } else {
        Status::NoMetadata
    })
}

/// Returns the JSON for a file that cannot be read.
fn unreadable(file: &str, error: &(dyn Error + 'static)) -> Value {
    let mut result = json!({ "file": file, "error": error.to_string() });
    if let Some(error) = error.downcast_ref::<ReadError>() {
        result["rule"] = json!(error.rule());
        result["position"] = json!(error.position());
    }
    result
}

fn print_findings(
    name: &str,
    document: &Document,
    findings: &[Finding],
    out: &mut impl Write,
) -> io::Result<()> {
    let colors = anstream::AutoStream::choice(&stdout());
    let renderer = match colors {
        anstream::ColorChoice::Never => Renderer::plain(),
        _ => Renderer::colored(),
    };
    if !findings.is_empty() {
        writeln!(out, "{}\n", renderer.render(document, name, findings))?;
    }
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    writeln!(
        out,
        "{name}: {}, {}",
        output::count(errors, "error"),
        output::count(findings.len() - errors, "other finding")
    )
}

fn passes(findings: &[Finding], deny_warnings: bool) -> bool {
    !findings.iter().any(|finding| {
        finding.is_error() || deny_warnings && finding.severity == saml::Severity::Warning
    })
}

async fn diff(
    (old, new): (&Source, &Source),
    reader: &Reader,
    at: jiff::Timestamp,
    format: Format,
    out: &mut impl Write,
) -> Result<Status, Box<dyn Error>> {
    let (before, after) = (reader.read(old).await?, reader.read(new).await?);
    let comparison = saml::compare(&before, &after, at).map_err(|error| {
        let file = match error.side {
            saml::Side::Old => old,
            _ => new,
        };
        file_error(file, error.source)
    })?;
    match format {
        Format::Text => output::diff(&comparison, out)?,
        Format::Json | Format::Sarif => writeln!(out, "{}", json!(comparison))?,
    }
    Ok(status(comparison.safe))
}

async fn verify(
    input: &Input,
    keys: &[PathBuf],
    reader: &Reader,
    out: &mut impl Write,
) -> Result<Status, Box<dyn Error>> {
    let document = reader.read(&input.file).await?;
    let mut trusted = Vec::new();
    for path in keys {
        let key = VerifyingKey::from_file(&read_bytes(path)?)
            .map_err(|error| file_error(&path.display(), error))?;
        trusted.push(key);
    }
    match Verifier::new(trusted).verify(&document) {
        Ok(verified) => {
            writeln!(
                out,
                "signed with {}, {}",
                keys[verified.key()].display(),
                verified.algorithm().uri()
            )?;
            for entity in verified.entities() {
                write!(out, "{}", EntitySummary::new(entity, now()))?;
            }
            Ok(Status::Done)
        }
        Err(error) => {
            writeln!(out, "not verified: {} {error}", error.rule())?;
            Ok(Status::Failed)
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program has nothing else to do"
)]
fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|error| file_error(&path.display(), error))
}

/// The error of a file that cannot be read, parsed or written.
#[derive(Debug, thiserror::Error)]
#[error("{file} could not be used")]
struct FileError {
    file: String,
    source: Box<dyn Error + Send + Sync>,
}

fn file_error(file: &impl ToString, source: impl Error + Send + Sync + 'static) -> FileError {
    FileError {
        file: file.to_string(),
        source: source.into(),
    }
}

fn now() -> jiff::Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program reads the clock once and passes the time on"
    )]
    let now = SystemTime::now();
    now.try_into()
        .expect("the clock's time fits into a timestamp")
}
