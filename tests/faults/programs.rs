//! Runs of the program `integrate` behind a proxy with faults.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use sandbox::{Company, Sandbox};
use tokio::process::Command;

use crate::{
    campaign::{End, RERUNS, Verdict},
    end_state::end_state,
    fixture::{TEAM, WITH_DOMAIN},
    processes::{blueprint, integrate, served_company},
    proxy::{Proxy, ProxyFault},
};

/// A complete run without faults.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The first lines of the requests.
    pub(crate) requests: Vec<String>,
    end_state: String,
}

pub(crate) async fn reference() -> Reference {
    let (program, sandbox) = world().await;
    let (end, shown) = program.run(&[], &mut Verdict::default()).await;
    assert_eq!(end, End::Complete, "{shown}");
    Reference {
        requests: program.proxy.requests(),
        end_state: end_state(&sandbox),
    }
}

/// Runs the program once with the faults, then without faults until the end state is that of the reference.
///
/// With a Python that has the official clients, they read the end state too.
pub(crate) async fn run(
    faults: BTreeMap<usize, ProxyFault>,
    reference: &Reference,
    python: Option<&Path>,
) -> Verdict {
    let (program, sandbox) = world().await;
    program.proxy.set_faults(faults);
    let mut verdict = Verdict::default();
    verdict.first = Some(program.run(&[], &mut verdict).await);
    // A run that failed early does not come to its later faults.
    program.proxy.clear_faults();
    for rerun in 1..=RERUNS {
        let end = program.run(&[], &mut verdict).await;
        if verdict.end_rerun(rerun, end, &sandbox, &reference.end_state) {
            break;
        }
    }
    if let Some(python) = python.filter(|_| verdict.right_after.is_some()) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/official_clients.py");
        let ready = program.folder.path().join("ready.json");
        let clients = Command::new(python)
            .arg(script)
            .arg("--ready")
            .arg(ready)
            .output()
            .await;
        let clients = clients.expect("Python starts");
        verdict.official = true;
        if !clients.status.success() {
            let shown = String::from_utf8_lossy(&clients.stderr).into_owned();
            verdict
                .wrong
                .push(format!("the official clients disagree: {shown}"));
        }
    }
    verdict
}

/// Returns a sandbox with the small company, and the program on it.
async fn world() -> (Program, Sandbox) {
    let blueprint = format!("{WITH_DOMAIN}{TEAM}");
    Program::with_sandbox(crate::fixture::company(), &blueprint).await
}

/// The program with its files, behind a proxy.
pub(crate) struct Program {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) proxy: Proxy,
    blueprint: PathBuf,
}

impl Program {
    /// Starts a sandbox with this company, and prepares the program for it.
    pub(crate) async fn with_sandbox(company: Company, text: &str) -> (Self, Sandbox) {
        let folder = tempfile::tempdir().expect("a folder");
        let (sandbox, _) = served_company(folder.path(), company).await;
        let proxy = Proxy::start(&sandbox).await;
        fs::write(folder.path().join("proxy.json"), proxy.ready()).expect("a file");
        let blueprint = blueprint(folder.path(), text);
        let program = Self {
            folder,
            proxy,
            blueprint,
        };
        (program, sandbox)
    }

    /// Replaces the blueprint of the next run.
    pub(crate) fn set_blueprint(&self, text: &str) {
        blueprint(self.folder.path(), text);
    }

    /// Returns the folder of the state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Runs the program once and checks what it prints. Returns its end, and the text that it prints.
    pub(crate) async fn run(&self, options: &[&str], verdict: &mut Verdict) -> (End, String) {
        let folder = self.folder.path();
        let file = folder.join("output");
        let output = File::create(&file).expect("a file");
        let ready = folder.join("proxy.json");
        let mut program = integrate(&ready, &self.blueprint, &self.state());
        program.arg("--yes").args(options);
        program.stderr(output.try_clone().expect("a file"));
        let mut program = program.stdout(output).spawn().expect("the program starts");
        let status: Option<ExitStatus> = tokio::select! {
            status = program.wait() => Some(status.expect("an exit status")),
            () = self.proxy.killed() => None,
            _ = tokio::time::timeout(LONGEST_RUN, std::future::pending::<()>()) => {
                verdict.wrong.push(format!("the program did not end within {LONGEST_RUN:?}"));
                None
            }
        };
        if status.is_none() {
            // The signal is SIGKILL, so no destructor runs.
            program.kill().await.expect("the signal is sent");
        }
        let shown = fs::read_to_string(&file).expect("text");
        verdict.check_secrets(&shown);
        for file in fs::read_dir(self.state()).into_iter().flatten() {
            let path = file.expect("a file").path();
            verdict.check_secrets(&String::from_utf8_lossy(
                &fs::read(path).unwrap_or_default(),
            ));
        }
        match status.map(|status| status.code()) {
            None => (End::Killed, String::new()),
            Some(Some(0)) => (End::Complete, String::new()),
            Some(code) => {
                if code.is_none_or(|code| code >= 64) || !shown.contains("to do:") {
                    verdict
                        .wrong
                        .push(format!("exit status {code:?} without help: {shown}"));
                }
                (End::Failed, shown)
            }
        }
    }
}

/// The longest run of the program, in real time.
const LONGEST_RUN: Duration = Duration::from_mins(1);
