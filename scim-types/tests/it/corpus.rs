//! Access to the collected documents, which are not part of the repository.

use std::{env, fs, path::PathBuf};

use serde::de::DeserializeOwned;

/// Returns the folder of a set; prints that the test is skipped and returns `None` if the folder is missing.
///
/// The parent folder is in the environment variable `SCIM_CORPUS` (default: a folder next to the repository).
#[expect(clippy::print_stdout, reason = "a skipped test prints the reason")]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/scim");
    let folder = env::var_os("SCIM_CORPUS")
        .map_or_else(beside, PathBuf::from)
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: the collected documents `{name}` are missing; set SCIM_CORPUS to their folder"
    );
    None
}

/// Returns a parsed file of a set; prints that the test is skipped and returns `None` if the set is missing.
pub(crate) fn json<T: DeserializeOwned>(set: &str, file: &str) -> Option<T> {
    let text = fs::read_to_string(folder(set)?.join(file)).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON in the format of the set"))
}
