//! Reads a blueprint from a text, or from a file with the files that it includes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, de::DeserializeOwned};
use toml::{Spanned, de::DeTable};

use super::{
    Access, Blueprint, MAX_BYTES, ParseBlueprintError, PermissionSetSpec,
    diagnostic::{NamedText, locate},
    validate::{self, At, Problem, problem},
};

/// The places of the entries of access in the files of the blueprint.
///
/// They do not count when blueprints are compared.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub Vec<Origin>);

/// The place of an entry of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, if the blueprint was read from a file.
    pub file: Option<Arc<str>>,
    /// The line, starting at 1. It is not known for JSON.
    pub line: Option<usize>,
}

impl PartialEq for Origins {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origins {}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}"),
            (Some(file), None) => f.write_str(file),
            (None, Some(line)) => write!(f, "line {line}"),
            (None, None) => f.write_str("JSON"),
        }
    }
}

/// The format of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Json,
}

/// The keys that an included file may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Included {
    #[serde(default)]
    access: Vec<Access>,
    #[serde(default)]
    permission_sets: BTreeMap<String, PermissionSetSpec>,
    #[serde(default)]
    lists: BTreeMap<String, Vec<String>>,
}

/// A text with the part of the blueprint that it has.
struct Source {
    text: Arc<NamedText>,
    format: Format,
    access: Range<usize>,
}

/// The texts of a blueprint. The first one is the main one.
struct Sources {
    sources: Vec<Source>,
    /// The sources of the permission sets and of the lists.
    tables: BTreeMap<(&'static str, String), usize>,
}

/// Reads a blueprint without includes.
pub(super) fn from_text(text: &str, format: Format) -> Result<Blueprint, ParseBlueprintError> {
    let text = NamedText {
        name: None,
        text: text.to_owned(),
    };
    let (blueprint, sources) = Sources::main(text, format)?;
    sources.validated(blueprint)
}

impl Blueprint {
    /// Reads a blueprint and the files that it includes, and validates the result. A file whose name ends in `.json` is JSON,
    /// every other file is TOML.
    ///
    /// The function blocks while it reads the files.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read, if an included file is outside the folder of the blueprint, or if two files have the
    /// same permission set or list. It also fails in the cases of [`Blueprint::from_toml`].
    /// [`ParseBlueprintError::explain`] shows the positions in the files.
    pub fn load(path: &Path) -> Result<Self, ParseBlueprintError> {
        let (mut blueprint, mut sources) = Sources::main(read(path)?, format_of(path))?;
        let patterns = std::mem::take(&mut blueprint.include);
        let mut files = BTreeSet::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let found = included_files(path, pattern).map_err(|problem| {
                sources.error(&problem.below(&["include", &index.to_string()]))
            })?;
            for file in found {
                if files.insert(file.clone()) {
                    sources.include(&mut blueprint, path, &file)?;
                }
            }
        }
        sources.validated(blueprint)
    }
}

impl Sources {
    fn main(text: NamedText, format: Format) -> Result<(Blueprint, Self), ParseBlueprintError> {
        let text = Arc::new(text);
        let blueprint: Blueprint = parse(&text, format)?;
        let mut sources = Self {
            sources: Vec::new(),
            tables: BTreeMap::new(),
        };
        let sets = blueprint.permission_sets.keys();
        let sets = sets.map(|name| ((SETS, name.clone()), 0));
        let lists = blueprint.lists.keys();
        let lists = lists.map(|name| ((LISTS, name.clone()), 0));
        sources.tables.extend(sets.chain(lists));
        sources.sources.push(Source {
            text,
            format,
            access: 0..blueprint.access.len(),
        });
        Ok((blueprint, sources))
    }

    /// Adds the contents of a file to the blueprint.
    fn include(
        &mut self,
        blueprint: &mut Blueprint,
        main: &Path,
        file: &Path,
    ) -> Result<(), ParseBlueprintError> {
        let folder = main.parent().unwrap_or(Path::new(""));
        let format = format_of(file);
        let text = Arc::new(read(&folder.join(file))?);
        let included: Included = parse(&text, format)?;
        let start = blueprint.access.len();
        blueprint.access.extend(included.access);
        let number = self.sources.len();
        self.sources.push(Source {
            text,
            format,
            access: start..blueprint.access.len(),
        });
        let sets = included.permission_sets.keys().map(|name| (SETS, name));
        let lists = included.lists.keys().map(|name| (LISTS, name));
        for (table, name) in sets.chain(lists) {
            let first = self.tables.insert((table, name.clone()), number);
            if let Some(first) = first {
                return Err(self.double(table, name, first));
            }
        }
        blueprint.permission_sets.extend(included.permission_sets);
        blueprint.lists.extend(included.lists);
        Ok(())
    }

    /// Returns the error for a permission set or a list that two files have, with both places.
    fn double(&self, table: &'static str, name: &str, first: usize) -> ParseBlueprintError {
        let at = [table, name];
        let what = if table == SETS {
            "permission set"
        } else {
            "list"
        };
        let first = &self.sources[first];
        let place = first.origin(&problem(&at, "", "").at);
        let problem = problem(
            &at,
            format!("{what} `{name}` is also in {place}"),
            "keep one of the two",
        );
        self.error(&problem)
    }

    /// Returns the blueprint with the places of its entries, or the errors of all violated rules.
    fn validated(self, mut blueprint: Blueprint) -> Result<Blueprint, ParseBlueprintError> {
        let problems = validate::problems(&blueprint);
        if let Some(error) =
            ParseBlueprintError::all(problems.iter().map(|problem| self.error(problem)))
        {
            return Err(error);
        }
        let origins = self.sources.iter().flat_map(Source::origins);
        blueprint.origins = Origins(origins.collect());
        Ok(blueprint)
    }

    /// Returns the error for a violated rule, with its position in the text that has it.
    fn error(&self, problem: &Problem) -> ParseBlueprintError {
        let mut at = problem.at.clone();
        let mut number = 0;
        match at.as_mut_slice() {
            [At::Key(key), At::Index(entry), ..] if key == "access" => {
                let has_entry = |source: &Source| source.access.contains(entry);
                number = self.sources.iter().position(has_entry).unwrap_or(0);
                *entry -= self.sources[number].access.start;
            }
            [At::Key(table), At::Key(name), ..] => {
                let tables = [SETS, LISTS].into_iter().find(|known| known == table);
                let known = tables.and_then(|table| self.tables.get(&(table, name.clone())));
                number = known.copied().unwrap_or(0);
            }
            _ => {}
        }
        let source = &self.sources[number];
        let document = source.document();
        let span = document.map(|document| locate(&document, &at));
        ParseBlueprintError::of_problem(problem, span, &source.text)
    }
}

impl Source {
    fn document(&self) -> Option<Spanned<DeTable<'_>>> {
        let is_toml = self.format == Format::Toml;
        is_toml.then(|| DeTable::parse(&self.text.text).ok())?
    }

    /// Returns the place of a value of this text.
    fn origin(&self, at: &[At]) -> Origin {
        let span = self.document().map(|document| locate(&document, at));
        Origin {
            file: self.text.name.clone(),
            line: span.map(|span| line(&self.line_starts(), span.start)),
        }
    }

    /// Returns the places of the entries of this text.
    fn origins(&self) -> Vec<Origin> {
        let (document, starts) = (self.document(), self.line_starts());
        let entries = 0..self.access.len();
        let origins = entries.map(|entry| {
            let at = [At::Key("access".to_owned()), At::Index(entry)];
            let span = document.as_ref().map(|document| locate(document, &at));
            Origin {
                file: self.text.name.clone(),
                line: span.map(|span| line(&starts, span.start)),
            }
        });
        origins.collect()
    }

    /// Returns the positions after the line breaks.
    fn line_starts(&self) -> Vec<usize> {
        let breaks = self.text.text.match_indices('\n');
        breaks.map(|(position, _)| position + 1).collect()
    }
}

/// Returns the line of a position, starting at 1.
fn line(starts: &[usize], position: usize) -> usize {
    1 + starts.partition_point(|start| *start <= position)
}

fn parse<T: DeserializeOwned>(
    text: &Arc<NamedText>,
    format: Format,
) -> Result<T, ParseBlueprintError> {
    ParseBlueprintError::check_size(&text.text, MAX_BYTES).map_err(|error| error.of(text))?;
    let parsed = match format {
        Format::Toml => toml::from_str(&text.text)
            .map_err(|error| ParseBlueprintError::toml(&text.text, &error)),
        Format::Json => serde_json::from_str(&text.text)
            .map_err(|error| ParseBlueprintError::json(&text.text, &error)),
    };
    parsed.map_err(|error| error.of(text))
}

fn format_of(path: &Path) -> Format {
    let extension = path.extension();
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        Format::Json
    } else {
        Format::Toml
    }
}

#[expect(clippy::disallowed_methods, reason = "documented: the function blocks")]
fn read(path: &Path) -> Result<NamedText, ParseBlueprintError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ParseBlueprintError::file(
            format!("the blueprint {name} cannot be read: {error}"),
            "pass the path of a TOML or JSON file",
        )
    })?;
    Ok(NamedText {
        name: Some(name.into()),
        text,
    })
}

/// Returns the files that a pattern of `include` matches, sorted, as paths relative to the folder of the main file.
#[expect(clippy::disallowed_methods, reason = "documented: the function blocks")]
fn included_files(main: &Path, pattern: &str) -> Result<Vec<PathBuf>, Problem> {
    let failed = |why: String| {
        let help = "use paths relative to the blueprint, such as `teams/*.toml`";
        problem(&[], format!("`{pattern}` cannot be included: {why}"), help)
    };
    let resolve = |path: &Path| {
        std::fs::canonicalize(path).map_err(|error| failed(format!("{}: {error}", path.display())))
    };
    let main = resolve(main)?;
    let folder = main.parent().unwrap_or(Path::new("/"));
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    let paths =
        glob::glob(&format!("{escaped}/{pattern}")).map_err(|error| failed(error.to_string()))?;
    let mut files = Vec::new();
    for path in paths {
        let path = resolve(&path.map_err(|error| failed(error.to_string()))?)?;
        let Ok(file) = path.strip_prefix(folder) else {
            return Err(failed(format!(
                "{} is outside the folder of the blueprint",
                path.display()
            )));
        };
        if path != main {
            files.push(file.to_owned());
        }
    }
    if files.is_empty() {
        return Err(failed("no file matches".to_owned()));
    }
    Ok(files)
}

const SETS: &str = "permission_sets";
const LISTS: &str = "lists";

#[cfg(test)]
mod tests;
