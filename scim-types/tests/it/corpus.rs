//! Finds collected documents, which are not part of the project.

use std::{env, fs, path::PathBuf};

use serde::de::DeserializeOwned;

/// Returns the folder of a set, or says that the test is skipped.
///
/// It is looked for in the folder `SCIM_CORPUS` names, or else beside the project.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/scim");
    let folder = env::var_os("SCIM_CORPUS")
        .map_or_else(beside, PathBuf::from)
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: the collected documents `{name}` are not here; SCIM_CORPUS may say where");
    None
}

/// Returns a file of a set, or says that the test is skipped.
pub(crate) fn json<T: DeserializeOwned>(set: &str, file: &str) -> Option<T> {
    let text = fs::read_to_string(folder(set)?.join(file)).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON of the form the set has"))
}
