//! Configuration from environment variables and files.

use std::{fmt, time::Duration};

use rest_core::Secret;

use crate::{BuildError, Client, ClientBuilder, Credential, KeyError, PrivateKey, ServiceApp};

mod settings;
mod sources;

use settings::Setting;
pub use sources::Environment;
use sources::{Found, Sources};

/// The org, the credential and the connection settings from the environment and from files.
///
/// The names are those of Okta's SDKs and of the Terraform provider for Okta, so a machine that is set up
/// for one of them needs no more settings. For each setting, the first place in this list that has a
/// value counts:
///
/// 1. the variable of the SDKs, such as `OKTA_CLIENT_ORGURL`
/// 2. the variable of the Terraform provider, such as `OKTA_API_TOKEN`
/// 3. the files `okta.yaml`, `.okta.yaml` and `.okta/okta.yaml` in the current folder
/// 4. the file `.okta/okta.yaml` in the home folder
///
/// An empty value counts as absent. The Python SDK reads its files last, so that they override the
/// environment; its documentation and the other SDKs have the order of this list.
///
/// | setting | environment | key below `okta.client` in a file |
/// | --- | --- | --- |
/// | org URL | `OKTA_CLIENT_ORGURL`, `OKTA_ORG_URL`, or `OKTA_ORG_NAME` with `OKTA_BASE_URL` (default: `okta.com`) | `orgUrl` |
/// | authorization mode | `OKTA_CLIENT_AUTHORIZATIONMODE` | `authorizationMode` |
/// | API token | `OKTA_CLIENT_TOKEN`, `OKTA_API_TOKEN` | `token` |
/// | access token | `OKTA_CLIENT_TOKEN` with the mode `Bearer`, `OKTA_ACCESS_TOKEN` | `token` with the mode `Bearer` |
/// | client id | `OKTA_CLIENT_CLIENTID`, `OKTA_API_CLIENT_ID` | `clientId` |
/// | scopes, separated by spaces or commas | `OKTA_CLIENT_SCOPES`, `OKTA_API_SCOPES` | `scopes` |
/// | private key: PEM, a JWK, or the path of a file with one | `OKTA_CLIENT_PRIVATEKEY`, `OKTA_API_PRIVATE_KEY` | `privateKey` |
/// | key id | `OKTA_CLIENT_KID`, `OKTA_CLIENT_KEYID`, `OKTA_CLIENT_PRIVATEKEYID`, `OKTA_API_PRIVATE_KEY_ID` | `kid`, `keyId`, `privateKeyId` |
/// | DPoP (default: `true`) | `OKTA_CLIENT_DPOPENABLED` | `dpopEnabled` |
/// | proxy | `OKTA_CLIENT_PROXY_HOST`, `…_PORT`, `…_USERNAME`, `…_PASSWORD` | `proxy.host`, … |
/// | connect timeout in seconds (0: the default) | `OKTA_CLIENT_CONNECTIONTIMEOUT` | `connectionTimeout` |
/// | request timeout in seconds (0: the default) | `OKTA_CLIENT_REQUESTTIMEOUT` | `requestTimeout` |
///
/// The mode is `SSWS`, `Bearer` or `PrivateKey`. Without a mode, the first of these credentials that is
/// set counts, as in the Terraform provider: `OKTA_ACCESS_TOKEN`, an API token, a private key. An API
/// token therefore takes precedence over a private key, as in the SDKs, whose default mode is `SSWS`.
/// With a client id alone, the error names the private key.
///
/// ```
/// use okta_client::{Config, Environment};
///
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let variables = |name: &str| match name {
///     "OKTA_CLIENT_ORGURL" => Some("https://acme.okta.com".to_owned()),
///     "OKTA_CLIENT_TOKEN" => Some("00abc".to_owned()),
///     _ => None,
/// };
/// let okta = Config::read(&Environment::new(variables))?.into_builder().build()?;
/// # Ok(()) }
/// # f().unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// The URL of the org.
    pub org_url: String,
    /// The credential.
    pub credential: Credential,
    /// The proxy for HTTPS. It may contain a password.
    pub proxy: Option<Secret>,
    /// The timeout for opening a connection.
    pub connect_timeout: Option<Duration>,
    /// The timeout of one attempt of a request.
    pub request_timeout: Option<Duration>,
}

impl Config {
    /// Reads the configuration of this process: its variables, its current folder and the home folder
    /// of its user.
    ///
    /// It reads a few small files without yielding to other tasks, so call it when the program starts.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Environment::of_process())
    }

    /// Reads the configuration of an environment.
    ///
    /// # Errors
    ///
    /// Fails if a setting is missing or not valid, or if a file cannot be read. The error names the
    /// setting and all places where it was looked for, and contains no value of a secret.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let sources = Sources::read(environment)?;
        let mut missing = Vec::new();
        let org_url = settings::org_url(&sources, &mut missing);
        let credential = credential(&sources, &mut missing)?;
        let (Some(org_url), Some(credential)) = (org_url, credential) else {
            return Err(ConfigError::Missing { settings: missing });
        };
        Ok(Self {
            org_url,
            credential,
            proxy: settings::proxy(&sources)?,
            connect_timeout: settings::seconds(&sources, Setting::ConnectTimeout)?,
            request_timeout: settings::seconds(&sources, Setting::RequestTimeout)?,
        })
    }

    /// Returns whether a variable has an org or a credential. Files are not looked at.
    ///
    /// A program with a default of its own uses it, so that a file in the home folder alone does not
    /// direct the program to a real org.
    #[must_use]
    pub fn is_in_variables(environment: &Environment) -> bool {
        [
            Setting::OrgUrl,
            Setting::OrgName,
            Setting::Token,
            Setting::AccessToken,
            Setting::ClientId,
            Setting::PrivateKey,
        ]
        .into_iter()
        .any(|setting| sources::variable(environment, setting).is_some())
    }

    /// Returns a builder of a client with this configuration.
    pub fn into_builder(self) -> ClientBuilder {
        let mut builder = Client::builder(&self.org_url, self.credential);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.expose());
        }
        if let Some(timeout) = self.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(timeout) = self.request_timeout {
            builder = builder.request_timeout(timeout);
        }
        builder
    }
}

impl Client {
    /// Returns a client with the configuration of this process; see [`Config`].
    ///
    /// # Errors
    ///
    /// Fails if the configuration cannot be read, or if no client can be built from it.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Config::from_env()?.into_builder().build()?)
    }
}

/// Reads the credential. Returns `None` if settings are missing, which are then added to `missing`.
fn credential(
    sources: &Sources,
    missing: &mut Vec<MissingSetting>,
) -> Result<Option<Credential>, ConfigError> {
    let mode = sources.get(Setting::Mode);
    let has = |setting| sources.get(setting).is_some();
    let mode = match &mode {
        // The SDKs compare the case as well; a mode in another case has one meaning only.
        Some(found) => match found.text.to_ascii_lowercase().as_str() {
            "ssws" => Mode::ApiToken,
            "bearer" => Mode::Bearer,
            "privatekey" => Mode::PrivateKey,
            _ => {
                return Err(
                    found.invalid("is no authorization mode: use SSWS, PrivateKey or Bearer")
                );
            }
        },
        None if has(Setting::AccessToken) => Mode::Bearer,
        None if !has(Setting::Token) && (has(Setting::PrivateKey) || has(Setting::ClientId)) => {
            Mode::PrivateKey
        }
        None => Mode::ApiToken,
    };
    Ok(match mode {
        Mode::ApiToken => {
            let token = sources.require(Setting::Token, missing);
            token.map(|token| Credential::ApiToken(token.secret()))
        }
        Mode::Bearer => {
            // The variable of the Terraform provider has only one meaning.
            let token = sources.get(Setting::AccessToken);
            let token = token.or_else(|| sources.require(Setting::BearerToken, missing));
            token.map(|token| Credential::Bearer(token.secret()))
        }
        Mode::PrivateKey => {
            let client_id = sources.require(Setting::ClientId, missing);
            let scopes = sources.require(Setting::Scopes, missing);
            let key = sources.require(Setting::PrivateKey, missing);
            let (Some(client_id), Some(scopes), Some(key)) = (client_id, scopes, key) else {
                return Ok(None);
            };
            let mut key = private_key(sources, &key)?;
            if let Some(key_id) = sources.get(Setting::KeyId) {
                key = key.with_key_id(key_id.text.trim());
            }
            let scopes = scopes.text.split([' ', ',', '\t', '\r', '\n']);
            let scopes = scopes.filter(|scope| !scope.is_empty());
            let app = ServiceApp::new(client_id.text.trim(), key, scopes);
            let dpop = settings::flag(sources, Setting::Dpop)?.unwrap_or(true);
            Some(Credential::ServiceApp(app.dpop(dpop)))
        }
    })
}

enum Mode {
    ApiToken,
    Bearer,
    PrivateKey,
}

/// Reads a private key from its text or from the file that the text names, as the Python SDK does.
fn private_key(sources: &Sources, found: &Found) -> Result<PrivateKey, ConfigError> {
    let invalid = |source| ConfigError::Key {
        place: found.place.clone(),
        source,
    };
    match PrivateKey::parse(&found.secret()) {
        Err(KeyError::Format) if !found.text.trim_start().starts_with(['{', '-']) => {
            // The text could be a key without its PEM header, so the error must not repeat it.
            let key = sources.read_key(found.text.trim());
            let key = key.ok_or_else(|| invalid(KeyError::Format))?;
            PrivateKey::parse(&key).map_err(invalid)
        }
        result => result.map_err(invalid),
    }
}

/// The error of a configuration that cannot be used. It contains no value of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Settings are missing.
    #[error("{}", missing(settings))]
    #[non_exhaustive]
    Missing {
        /// The settings, with the places where they were looked for.
        settings: Vec<MissingSetting>,
    },
    /// The value of a setting is not valid.
    #[error("{place} {problem}")]
    #[non_exhaustive]
    Value {
        /// The place of the value, such as `OKTA_CLIENT_REQUESTTIMEOUT`.
        place: String,
        /// The problem, as the end of a sentence that starts with the place.
        problem: &'static str,
    },
    /// The private key cannot be used.
    #[error("the private key in {place} cannot be used")]
    #[non_exhaustive]
    Key {
        /// The place of the key, such as `OKTA_CLIENT_PRIVATEKEY`.
        place: String,
        /// The cause.
        source: KeyError,
    },
    /// A file exists, but cannot be read.
    #[error("{file} could not be read")]
    #[non_exhaustive]
    File {
        /// The file.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A file is not valid YAML. Its text is not repeated, because it may contain a secret.
    #[error("{file} is not valid YAML{}", at(*line))]
    #[non_exhaustive]
    Yaml {
        /// The file.
        file: String,
        /// The number of the line, if it is known.
        line: Option<u64>,
    },
    /// The settings are complete, but no client can be built from them.
    #[error("the client could not be built from the configuration")]
    Build(#[from] BuildError),
}

/// A setting that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingSetting {
    /// The name of the setting, such as `the org URL`.
    pub name: &'static str,
    /// The places where it was looked for, such as `OKTA_CLIENT_ORGURL`.
    pub places: Vec<String>,
}

impl fmt::Display for MissingSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, places) = (self.name, self.places.join(", "));
        write!(f, "{name} is missing: set one of {places}")
    }
}

fn missing(settings: &[MissingSetting]) -> String {
    let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
    settings.join("; ")
}

fn at(line: Option<u64>) -> String {
    line.map(|line| format!(" at line {line}"))
        .unwrap_or_default()
}
