//! Helpers of tests that run the example programs as processes.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use sandbox::{Company, Sandbox};
use tokio::process::Command;

/// Returns the folder of the build profile, such as `target/debug`.
pub(crate) fn profile_folder() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of the test binary");
    let folder = tests.ancestors().nth(2);
    folder.expect("the folder of the build profile").to_owned()
}

/// Returns a command for a program of `examples/`, which `cargo test` builds beside the tests, without any variable.
pub(crate) fn example(name: &str) -> Command {
    let mut command = Command::new(profile_folder().join("examples").join(name));
    command.env_clear();
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Returns a command that runs the integration on a sandbox.
pub(crate) fn integrate(ready: &Path, blueprint: &Path, state: &Path) -> Command {
    let mut command = example("integrate");
    command
        .arg("--target")
        .arg(ready)
        .arg("--blueprint")
        .arg(blueprint)
        .arg("--state")
        .arg(state);
    command
}

/// Starts a sandbox with short delays; returns it and the file with its URLs and credentials.
pub(crate) async fn served(folder: &Path) -> (Sandbox, PathBuf) {
    served_company(folder, crate::fixture::company()).await
}

/// Starts a sandbox with this company, as [`served`] does.
pub(crate) async fn served_company(folder: &Path, company: Company) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::builder()
        .company(company)
        .page_size(None)
        .provisioning_delay(Duration::from_millis(300))
        .operation_delay(Duration::from_millis(100))
        .start()
        .await
        .expect("a sandbox");
    let ready = folder.join("ready.json");
    std::fs::write(&ready, sandbox.ready().to_string()).expect("a file");
    (sandbox, ready)
}

/// Writes a blueprint to a file, and returns the path.
pub(crate) fn blueprint(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("blueprint.toml");
    std::fs::write(&path, text).expect("a file");
    path
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
