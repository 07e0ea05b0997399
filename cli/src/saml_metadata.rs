//! Checks whether AWS accepts SAML metadata. The program also explains, compares, signs and verifies metadata.

mod args;
mod output;

use std::{
    error::Error,
    fs,
    io::{self, BufWriter, IsTerminal as _, Read as _, Write, stdin, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use okta_aws_sso::saml::{
    self, Certificate, Document, Finding, Profile, Renderer, rollover, sarif,
    signature::{Signer, SigningKey, Verifier, VerifyingKey},
};
use serde_json::{Value, json};

pub(crate) use args::Arguments;
use args::{Command, Format, Input, Program, Sign, Validate};

use crate::{Status, terminal};

/// Metadata of the app in an Okta org.
const SAMPLE: &[u8] = include_bytes!("saml_metadata/okta-metadata.xml");

/// Whether the check passed.
type Passed = bool;

/// Runs the program `saml_metadata` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |program: Program| program.arguments.run()).await
}

impl Arguments {
    /// Returns 0 if the check passes, 1 if it does not, and 2 if it cannot run.
    pub(crate) fn run(self) -> Status {
        let mut out = BufWriter::new(stdout().lock());
        let result = run(self, &mut out).and_then(|passed| {
            out.flush()?;
            Ok(passed)
        });
        match result {
            Ok(true) => Status::Done,
            Ok(false) => Status::Failed,
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

fn run(args: Arguments, out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    match args.command {
        None => sample(out),
        Some(Command::Explain { input }) => explain(&input, out),
        Some(Command::Validate(args)) => validate(&args, out),
        Some(Command::Diff {
            old,
            new,
            at,
            format,
        }) => diff(&old, &new, at.unwrap_or_else(now), format, out),
        Some(Command::Sign(args)) => sign(&args, out),
        Some(Command::Verify { input, keys }) => verify(&input, &keys, out),
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn sample(out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    let document = saml::read(SAMPLE)?;
    output::explain(&document, now(), out)?;
    let findings = saml::validate(&document, Profile::AwsIdentityCenter, now());
    print_findings("the sample", &document, &findings, false, out)
}

fn explain(input: &Input, out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    output::explain(&read(&input.file)?, now(), out)?;
    Ok(true)
}

fn validate(args: &Validate, out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    let at = args.at.unwrap_or_else(now);
    let mut passed = true;
    let mut logs: Option<Value> = None;
    for file in &args.files {
        let document = read(file)?;
        let findings = saml::validate(&document, args.profile, at);
        passed &= match args.format {
            Format::Text => print_findings(file, &document, &findings, args.deny_warnings, out)?,
            Format::Json => {
                writeln!(out, "{}", json!({ "file": file, "findings": findings }))?;
                passes(&findings, args.deny_warnings)
            }
            Format::Sarif => {
                let mut log = sarif::log(&document, file, &findings);
                match &mut logs {
                    None => logs = Some(log),
                    // All files are in one log, each file as its own run.
                    Some(logs) => {
                        if let Some(runs) = logs["runs"].as_array_mut() {
                            runs.push(log["runs"][0].take());
                        }
                    }
                }
                passes(&findings, args.deny_warnings)
            }
        };
    }
    if let Some(log) = logs {
        writeln!(out, "{log:#}")?;
    }
    Ok(passed)
}

fn print_findings(
    name: &str,
    document: &Document,
    findings: &[Finding],
    deny_warnings: bool,
    out: &mut impl Write,
) -> Result<Passed, Box<dyn Error>> {
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
    )?;
    Ok(passes(findings, deny_warnings))
}

fn passes(findings: &[Finding], deny_warnings: bool) -> Passed {
    !findings.iter().any(|finding| {
        finding.is_error() || deny_warnings && finding.severity == saml::Severity::Warning
    })
}

fn diff(
    old: &str,
    new: &str,
    at: jiff::Timestamp,
    format: Format,
    out: &mut impl Write,
) -> Result<Passed, Box<dyn Error>> {
    let (old, new) = (read(old)?, read(new)?);
    let changes = saml::diff(&old, &new);
    let rollovers: Vec<_> = new
        .entities()
        .filter_map(|new| {
            let old = old
                .entities()
                .find(|old| old.entity_id() == new.entity_id())?;
            Some((new, rollover::rollover(old, new, at)))
        })
        .collect();
    let safe = !changes.iter().any(saml::Change::breaks)
        && rollovers.iter().all(|(_, verdict)| verdict.safe);
    match format {
        Format::Text => output::diff(&changes, &rollovers, at, out)?,
        Format::Json | Format::Sarif => {
            let rollovers: Vec<_> = rollovers
                .iter()
                .map(|(entity, verdict)| {
                    json!({
                        "entity": entity.entity_id(),
                        "certificates": rollover::timeline(*entity, at),
                        "verdict": verdict,
                    })
                })
                .collect();
            writeln!(
                out,
                "{}",
                json!({ "changes": changes, "rollovers": rollovers, "safe": safe })
            )?;
        }
    }
    Ok(safe)
}

fn sign(args: &Sign, out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    let document = read(&args.input.file)?;
    let key = SigningKey::from_pkcs8_pem(&read_text(&args.key)?)
        .map_err(|error| file_error(&args.key.display(), error))?;
    let mut signer = Signer::new(&key);
    if let Some(algorithm) = args.algorithm {
        signer = signer.algorithm(algorithm);
    }
    if let Some(path) = &args.certificate {
        let certificate = Certificate::from_pem(&read_text(path)?)
            .map_err(|error| file_error(&path.display(), error))?;
        signer = signer.certificate(&certificate);
    }
    let document = signer
        .sign(&document)
        .map_err(|error| file_error(&args.input.file, error))?;
    match &args.output {
        Some(path) => {
            #[expect(
                clippy::disallowed_methods,
                reason = "the program has nothing else to do"
            )]
            fs::write(path, document.bytes())
                .map_err(|error| file_error(&path.display(), error))?;
        }
        None => out.write_all(document.bytes())?,
    }
    Ok(true)
}

fn verify(input: &Input, keys: &[PathBuf], out: &mut impl Write) -> Result<Passed, Box<dyn Error>> {
    let document = read(&input.file)?;
    let mut trusted = Vec::new();
    for path in keys {
        let key = VerifyingKey::from_pem(&read_text(path)?)
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
                output::entity(entity, now(), out)?;
            }
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "not verified: {} {error}", error.rule())?;
            Ok(false)
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program has nothing else to do"
)]
fn read(file: &str) -> Result<Document, Box<dyn Error>> {
    let name = if file == "-" { "standard input" } else { file };
    let bytes = if file == "-" {
        if stdin().is_terminal() {
            terminal::note("reading metadata from standard input");
        }
        let mut bytes = Vec::new();
        stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| file_error(&name, error))?;
        bytes
    } else {
        fs::read(file).map_err(|error| file_error(&file, error))?
    };
    saml::read(&bytes).map_err(|error| file_error(&name, error).into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program has nothing else to do"
)]
fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| file_error(&path.display(), error))
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
