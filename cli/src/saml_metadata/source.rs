//! The metadata that a command reads: a file, standard input, a URL or an app of Okta.

use std::{
    convert::Infallible,
    error::Error,
    fmt, fs,
    io::{IsTerminal as _, Read as _, stdin},
    path::PathBuf,
    str::FromStr,
};

use clap::Args;
use okta_aws_sso::{
    saml::{self, Document, signature::VerifyingKey},
    saml_fetch::{self, FetchedMetadata, Fetcher, MetadataUrl, Origin, Signature},
};

use super::{FileError, file_error, read_bytes};
use crate::{
    Failure,
    environment::{okta_client, ready_file, real_okta},
    terminal,
    variables::{ConfigFiles, Variables},
};

/// The metadata of an argument.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// `-`.
    StandardInput,
    /// The path of a file.
    File(String),
    /// `https://…` or `http://…`, or a URL that cannot be used.
    Url(String),
    /// `okta:APP`.
    OktaApp(String),
}

impl FromStr for Source {
    type Err = Infallible;

    /// Reads an argument. A URL is parsed when it is used: a wrong one does not stop the other files.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" {
            Self::StandardInput
        } else if text.contains("://") {
            Self::Url(text.to_owned())
        } else if let Some(app) = text.strip_prefix("okta:") {
            Self::OktaApp(app.to_owned())
        } else {
            Self::File(text.to_owned())
        })
    }
}

impl fmt::Display for Source {
    /// Writes the argument without the parts of a URL that may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => f.write_str("-"),
            Self::File(path) => f.write_str(path),
            Self::Url(text) => match MetadataUrl::parse(text) {
                Ok(url) => url.fmt(f),
                Err(_) => f.write_str("the URL"),
            },
            Self::OktaApp(app) => write!(f, "okta:{app}"),
        }
    }
}

/// The options for metadata that is not in a file.
#[derive(Args, Debug)]
#[command(
    next_help_heading = "Metadata from a URL (https://…) or an Okta app (okta:LABEL or okta:ID)"
)]
pub(crate) struct FetchOptions {
    /// Accept metadata from a URL only with a signature by this certificate or public key, in PEM or DER. Can be given
    /// several times; one of the keys must have signed. An http:// URL needs it.
    #[arg(long = "pin-key", value_name = "FILE", global = true)]
    pins: Vec<PathBuf>,
    /// Keep the metadata of each URL in this folder: it is not requested again within its cacheDuration, and is used if the
    /// server fails.
    #[arg(long, value_name = "DIR", global = true)]
    cache_dir: Option<PathBuf>,
    /// Ask the server also within the cacheDuration.
    #[arg(long, global = true, requires = "cache_dir")]
    refresh: bool,
    /// Read apps of the Okta org of a running sandbox (default: the org of the OKTA_ variables or of okta.yaml). READY.json
    /// is the file that the sandbox has written (`--ready-file`).
    #[arg(long, value_name = "READY.json", global = true)]
    target: Option<PathBuf>,
}

/// Reads the metadata of arguments.
pub(crate) struct Reader {
    options: FetchOptions,
    pins: Vec<VerifyingKey>,
}

impl Reader {
    /// Reads the pinned keys.
    pub(super) fn new(options: FetchOptions) -> Result<Self, FileError> {
        let pin = |path: &PathBuf| {
            VerifyingKey::from_file(&read_bytes(path)?)
                .map_err(|error| file_error(&path.display(), error))
        };
        let pins = options.pins.iter().map(pin).collect::<Result<_, _>>()?;
        Ok(Self { options, pins })
    }

    pub(super) async fn read(&self, source: &Source) -> Result<Document, FileError> {
        let bytes = match source {
            Source::StandardInput => standard_input()?,
            Source::File(path) => file(path)?,
            Source::OktaApp(app) => self
                .okta_app(app)
                .await
                .map_err(|text| explained(source, text))?,
            Source::Url(url) => {
                let fetched = self.fetch(url).await;
                let fetched = fetched.map_err(|error| explained(source, error.explain()))?;
                self.note(source, &fetched);
                return fetched
                    .document()
                    .map_err(|error| file_error(source, error));
            }
        };
        if !self.pins.is_empty() {
            terminal::note(&format!(
                "{source}: not checked with --pin-key, which is for URLs; `saml verify` checks the signature of a file"
            ));
        }
        let name: &dyn ToString = match source {
            Source::StandardInput => &"standard input",
            source => source,
        };
        saml::read(&bytes).map_err(|error| file_error(&name.to_string(), error))
    }

    async fn fetch(&self, url: &str) -> Result<FetchedMetadata, saml_fetch::FetchError> {
        let mut builder = Fetcher::builder(MetadataUrl::parse(url)?);
        for pin in &self.pins {
            builder = builder.pin(pin.clone());
        }
        if let Some(folder) = &self.options.cache_dir {
            builder = builder.cache_folder(folder);
        }
        let fetcher = builder.build()?;
        if self.options.refresh {
            fetcher.refresh().await
        } else {
            fetcher.fetch().await
        }
    }

    /// Says where the metadata of a URL comes from.
    fn note(&self, source: &Source, fetched: &FetchedMetadata) {
        for warning in fetched.warnings() {
            terminal::note(&format!("warning: {source}: {warning}"));
        }
        let at = fetched.fetched_at();
        let origin = match fetched.origin() {
            Origin::NotModified => "not modified since the last request".to_owned(),
            Origin::Cached => format!("the copy of {at}, which is fresh"),
            Origin::Stale(reason) => {
                terminal::note(&format!("warning: {}", reason.explain()));
                format!("the copy of {at}, because the request failed")
            }
            _ => "fetched".to_owned(),
        };
        let signature = match fetched.signature() {
            Signature::Verified { key } => {
                format!("signed with {}", self.options.pins[key].display())
            }
            Signature::NotChecked => "its signature was not checked (--pin-key)".to_owned(),
        };
        terminal::note(&format!("{source}: {origin}; {signature}"));
    }

    /// Returns the metadata of an app, or the message of the error.
    async fn okta_app(&self, app: &str) -> Result<Vec<u8>, String> {
        let okta = match &self.options.target {
            Some(path) => ready_file(path)
                .and_then(|ready| okta_client(&ready.okta.org_url, ready.okta.api_token)),
            None => match Variables::read(ConfigFiles::Read).await {
                Ok(variables) => real_okta(&variables),
                Err(failure) => Err(failure),
            },
        };
        let okta = okta.map_err(|failure| message(&failure))?;
        let bytes = saml_fetch::okta_app(&okta, app).await;
        let bytes = bytes.map_err(|error| error.explain())?;
        terminal::note(&format!("okta:{app}: read from {}", okta.org_url()));
        Ok(bytes)
    }
}

fn message(failure: &Failure) -> String {
    failure.explain().trim_start_matches("error: ").to_owned()
}

fn standard_input() -> Result<Vec<u8>, FileError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the program has nothing else to do"
    )]
    let mut input = stdin();
    if input.is_terminal() {
        terminal::note("reading metadata from standard input");
    }
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| file_error(&"standard input", error))?;
    Ok(bytes)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program has nothing else to do"
)]
fn file(path: &str) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|error| file_error(&path, error))
}

/// An error of the library, with the response of the service and what to do.
#[derive(Debug)]
struct Explained(String);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Explained {}

fn explained(source: &Source, text: String) -> FileError {
    file_error(source, Explained(text))
}
