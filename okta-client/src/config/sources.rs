//! The places that have settings: variables and files.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rest_core::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{ConfigError, MissingSetting, Setting};

/// Where [`Config::read`](crate::Config::read) looks for settings.
///
/// ```
/// # use okta_client::Environment;
/// // Only the variables of this process, and no files.
/// let environment = Environment::new(|name| std::env::var(name).ok());
/// ```
#[derive(Clone)]
pub struct Environment {
    variable: Arc<Variables>,
    has_files: bool,
    folder: Option<PathBuf>,
    home: Option<PathBuf>,
}

/// Returns the value of the variable with a name.
type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// Returns an environment with these variables, and without folders.
    #[must_use]
    pub fn new(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            variable: Arc::new(variable),
            has_files: true,
            folder: None,
            home: None,
        }
    }

    /// Returns the environment of this process: its variables, its current folder, and the home folder
    /// of its user.
    #[must_use]
    pub fn of_process() -> Self {
        let environment = Self::new(|name| env::var(name).ok()).folder(".");
        match env::home_dir() {
            Some(home) => environment.home(home),
            None => environment,
        }
    }

    /// Sets the folder that takes the place of the current folder. Paths of private keys are relative
    /// to it.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Reads no configuration files. A variable can still name the file of a private key.
    ///
    /// A program without an operator uses it, so that a variable with a misspelt name is an error, and not replaced by a
    /// file that belongs to another program.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.has_files = false;
        self
    }

    /// Sets the home folder.
    #[must_use]
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("has_files", &self.has_files)
            .field("folder", &self.folder)
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

/// The variables and the files that exist.
pub(super) struct Sources {
    environment: Environment,
    files: Vec<File>,
}

struct File {
    path: PathBuf,
    /// The settings below `okta.client`; `None` if the file does not exist.
    settings: Option<Value>,
}

/// A value with the place that has it.
pub(super) struct Found {
    pub(super) text: Zeroizing<String>,
    pub(super) place: String,
    pub(super) is_variable: bool,
}

impl Found {
    pub(super) fn secret(&self) -> Secret {
        Secret::new(self.text.as_str())
    }

    pub(super) fn invalid(&self, problem: &'static str) -> ConfigError {
        ConfigError::Value {
            place: self.place.clone(),
            problem,
        }
    }
}

impl Sources {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let folder = environment.folder.iter();
        let paths = folder
            .flat_map(|folder| LOCAL_FILES.map(|name| folder.join(name)))
            .chain(environment.home.iter().map(|home| home.join(HOME_FILE)));
        let paths = paths.filter(|_| environment.has_files);
        let files: Result<_, _> = paths.map(read_file).collect();
        Ok(Self {
            environment: environment.clone(),
            files: files?,
        })
    }

    /// Returns the value of a setting from the first place that has one.
    pub(super) fn get(&self, setting: Setting) -> Option<Found> {
        let names = setting.names();
        variable(&self.environment, setting).or_else(|| {
            let keys = || names.keys.iter();
            let places = self
                .files
                .iter()
                .flat_map(|file| keys().map(move |key| (file, key)));
            places.into_iter().find_map(|(file, key)| {
                let pointer = format!("/{}", key.replace('.', "/"));
                let text = text(file.settings.as_ref()?.pointer(&pointer)?)?;
                Some(Found {
                    text: Zeroizing::new(text),
                    place: place(&file.path, key),
                    is_variable: false,
                })
            })
        })
    }

    /// Returns the value of a setting, or adds the setting to `missing`.
    pub(super) fn require(
        &self,
        setting: Setting,
        missing: &mut Vec<MissingSetting>,
    ) -> Option<Found> {
        let found = self.get(setting);
        if found.is_none() {
            missing.push(self.missing(setting));
        }
        found
    }

    /// Returns the places where a setting was looked for.
    pub(super) fn missing(&self, setting: Setting) -> MissingSetting {
        let names = setting.names();
        let variables = names.variables.iter().map(|name| (*name).to_owned());
        let in_files = self.files.iter().filter_map(|file| {
            let key = names.keys.first()?;
            let absent = if file.settings.is_none() {
                " (no such file)"
            } else {
                ""
            };
            Some(format!("{}{absent}", place(&file.path, key)))
        });
        MissingSetting {
            name: names.title,
            places: variables.chain(in_files).collect(),
        }
    }

    /// Reads a private key from a file. Returns `None` if `path` names no file that can be read.
    pub(super) fn read_key(&self, path: &str) -> Option<Secret> {
        let path = self.environment.folder.as_ref()?.join(path);
        read_text(&path).ok().map(Secret::new)
    }
}

/// Returns the value of the first variable of a setting that has one.
pub(super) fn variable(environment: &Environment, setting: Setting) -> Option<Found> {
    setting.names().variables.iter().find_map(|name| {
        Some(Found {
            text: Zeroizing::new((environment.variable)(name).filter(|text| !is_blank(text))?),
            place: (*name).to_owned(),
            is_variable: true,
        })
    })
}

fn place(file: &Path, key: &str) -> String {
    format!("okta.client.{key} in {}", file.display())
}

fn read_file(path: PathBuf) -> Result<File, ConfigError> {
    let file = path.display().to_string();
    let text = match read_text(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if is_absent(&error) => {
            return Ok(File {
                path,
                settings: None,
            });
        }
        Err(source) => return Err(ConfigError::File { file, source }),
    };
    // The parser's error could repeat a part of the text.
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| ConfigError::Yaml {
        file,
        line: error.location().map(|location| location.line()),
    })?;
    let settings = value.pointer("/okta/client").cloned();
    Ok(File {
        path,
        settings: Some(settings.unwrap_or_default()),
    })
}

/// Returns whether there is no file, also if a part of its path is a file.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the configuration is read once, before the first request"
)]
fn read_text(path: &Path) -> io::Result<String> {
    // A device or a log file of many gigabytes is no configuration.
    if std::fs::metadata(path)?.len() > MAX_FILE {
        return Err(io::Error::other("the file is larger than 1 MB"));
    }
    std::fs::read_to_string(path)
}

/// Returns the text of a value in a file: a list is a list of scopes, and an object a JWK.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let texts: Vec<_> = list.iter().filter_map(Value::as_str).collect();
            texts.join(" ")
        }
        Value::Null => return None,
        other => other.to_string(),
    };
    (!is_blank(&text)).then_some(text)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

const LOCAL_FILES: [&str; 3] = ["okta.yaml", ".okta.yaml", ".okta/okta.yaml"];
const HOME_FILE: &str = ".okta/okta.yaml";
/// The limit of the Python SDK.
const MAX_FILE: u64 = 1024 * 1024;
