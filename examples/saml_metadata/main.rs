//! What is in this SAML metadata, will AWS take it, what has changed, and who has signed it?
//! `cargo run --example saml_metadata -- validate --profile okta FILE`, and `explain`, `diff`, `sign`, `verify`; `--help` has the rest
#![expect(clippy::print_stderr, reason = "a program says what went wrong")]

mod args;
mod show;

use std::{
    error::Error,
    fs,
    io::{self, BufWriter, IsTerminal as _, Read as _, Write, stdin, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser as _;
use okta_aws_sso::saml::{
    self, Certificate, Document, Finding, Profile, Renderer, rollover, sarif,
    signature::{Signer, SigningKey, Verifier, VerifyingKey},
};
use serde_json::{Value, json};

use args::{Args, Command, Format, Input, Sign, Validate};

/// What Okta hands out for the app in an org of the sandbox.
const SAMPLE: &[u8] = include_bytes!("../okta-metadata.xml");

/// Whether what was asked is as it should be.
type Good = bool;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut out = BufWriter::new(stdout().lock());
    let result = run(args, &mut out).and_then(|good| {
        out.flush()?;
        Ok(good)
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
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

fn run(args: Args, out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
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

fn sample(out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
    let document = saml::read(SAMPLE)?;
    show::explain(&document, now(), out)?;
    let findings = saml::validate(&document, Profile::AwsIdentityCenter, now());
    judge("the sample", &document, &findings, false, out)
}

fn explain(input: &Input, out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
    show::explain(&read(&input.file)?, now(), out)?;
    Ok(true)
}

fn validate(args: &Validate, out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
    let at = args.at.unwrap_or_else(now);
    let mut good = true;
    let mut logs: Option<Value> = None;
    for file in &args.files {
        let document = read(file)?;
        let findings = saml::validate(&document, args.profile, at);
        good &= match args.format {
            Format::Text => judge(file, &document, &findings, args.deny_warnings, out)?,
            Format::Json => {
                writeln!(out, "{}", json!({ "file": file, "findings": findings }))?;
                is_good(&findings, args.deny_warnings)
            }
            Format::Sarif => {
                let mut log = sarif::log(&document, file, &findings);
                match &mut logs {
                    None => logs = Some(log),
                    // All files belong into one log.
                    Some(logs) => {
                        if let Some(runs) = logs["runs"].as_array_mut() {
                            runs.push(log["runs"][0].take());
                        }
                    }
                }
                is_good(&findings, args.deny_warnings)
            }
        };
    }
    if let Some(log) = logs {
        writeln!(out, "{log:#}")?;
    }
    Ok(good)
}

fn judge(
    name: &str,
    document: &Document,
    findings: &[Finding],
    deny_warnings: bool,
    out: &mut impl Write,
) -> Result<Good, Box<dyn Error>> {
    let renderer = if stdout().is_terminal() {
        Renderer::coloured()
    } else {
        Renderer::plain()
    };
    if !findings.is_empty() {
        writeln!(out, "{}\n", renderer.render(document, name, findings))?;
    }
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    writeln!(
        out,
        "{name}: {errors} errors, {} other findings",
        findings.len() - errors
    )?;
    Ok(is_good(findings, deny_warnings))
}

fn is_good(findings: &[Finding], deny_warnings: bool) -> Good {
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
) -> Result<Good, Box<dyn Error>> {
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
    let good = !changes.iter().any(saml::Change::breaks)
        && rollovers.iter().all(|(_, verdict)| verdict.safe);
    match format {
        Format::Text => show::diff(&changes, &rollovers, at, out)?,
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
                json!({ "changes": changes, "rollovers": rollovers, "safe": good })
            )?;
        }
    }
    Ok(good)
}

fn sign(args: &Sign, out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
    let document = read(&args.input.file)?;
    let key = SigningKey::from_pkcs8_pem(&text(&args.key)?)
        .map_err(|error| about(&args.key.display(), error))?;
    let mut signer = Signer::new(&key);
    if let Some(algorithm) = args.algorithm {
        signer = signer.algorithm(algorithm);
    }
    if let Some(path) = &args.certificate {
        let certificate =
            Certificate::from_pem(&text(path)?).map_err(|error| about(&path.display(), error))?;
        signer = signer.certificate(&certificate);
    }
    let document = signer
        .sign(&document)
        .map_err(|error| about(&args.input.file, error))?;
    match &args.output {
        Some(path) => {
            fs::write(path, document.bytes()).map_err(|error| about(&path.display(), error))?;
        }
        None => out.write_all(document.bytes())?,
    }
    Ok(true)
}

fn verify(input: &Input, keys: &[PathBuf], out: &mut impl Write) -> Result<Good, Box<dyn Error>> {
    let document = read(&input.file)?;
    let mut trusted = Vec::new();
    for path in keys {
        let key =
            VerifyingKey::from_pem(&text(path)?).map_err(|error| about(&path.display(), error))?;
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
                show::entity(entity, now(), out)?;
            }
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "not to be trusted: {} {error}", error.rule())?;
            Ok(false)
        }
    }
}

fn read(file: &str) -> Result<Document, Box<dyn Error>> {
    let name = if file == "-" { "standard input" } else { file };
    let bytes = if file == "-" {
        if stdin().is_terminal() {
            eprintln!("reading metadata from standard input");
        }
        let mut bytes = Vec::new();
        stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| about(&name, error))?;
        bytes
    } else {
        fs::read(file).map_err(|error| about(&file, error))?
    };
    saml::read(&bytes).map_err(|error| about(&name, error).into())
}

fn text(path: &Path) -> Result<String, Unread> {
    fs::read_to_string(path).map_err(|error| about(&path.display(), error))
}

/// Something that could not be read or written, and why.
#[derive(Debug, thiserror::Error)]
#[error("{what} could not be used")]
struct Unread {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

fn about(what: &impl ToString, source: impl Error + Send + Sync + 'static) -> Unread {
    Unread {
        what: what.to_string(),
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
