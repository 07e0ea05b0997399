//! Runs of the program `integrate` behind a proxy with faults.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use sandbox::Sandbox;
use tokio::process::Command;

use crate::{
    campaign::{End, RERUNS, Verdict},
    end_state::end_state,
    fixture::{TEAM, WITH_DOMAIN},
    processes::{blueprint, integrate, served},
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
    let world = World::new(BTreeMap::new()).await;
    let (end, shown) = world.run(&mut Verdict::default()).await;
    assert_eq!(end, End::Complete, "{shown}");
    Reference {
        requests: world.proxy.requests(),
        end_state: end_state(&world.sandbox),
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
    let world = World::new(faults).await;
    let mut verdict = Verdict::default();
    verdict.first = Some(world.run(&mut verdict).await);
    // A run that failed early does not come to its later faults.
    world.proxy.clear_faults();
    for rerun in 1..=RERUNS {
        let end = world.run(&mut verdict).await;
        if verdict.end_rerun(rerun, end, &world.sandbox, &reference.end_state) {
            break;
        }
    }
    if let Some(python) = python.filter(|_| verdict.right_after.is_some()) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/official_clients.py");
        let ready = world.folder.path().join("ready.json");
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

/// A sandbox with a proxy, and the files of the program.
struct World {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    proxy: Proxy,
    blueprint: PathBuf,
}

impl World {
    async fn new(faults: BTreeMap<usize, ProxyFault>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (sandbox, _) = served(folder.path()).await;
        let proxy = Proxy::start(&sandbox, faults).await;
        fs::write(folder.path().join("proxy.json"), proxy.ready()).expect("a file");
        let blueprint = blueprint(folder.path(), &format!("{WITH_DOMAIN}{TEAM}"));
        Self {
            folder,
            sandbox,
            proxy,
            blueprint,
        }
    }

    /// Runs the program once and checks what it prints. Returns its end, and the text that it prints.
    async fn run(&self, verdict: &mut Verdict) -> (End, String) {
        let folder = self.folder.path();
        let file = folder.join("output");
        let output = File::create(&file).expect("a file");
        let ready = folder.join("proxy.json");
        let mut program = integrate(&ready, &self.blueprint, &folder.join("state"));
        program.arg("--yes");
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
        for file in fs::read_dir(folder.join("state")).into_iter().flatten() {
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
