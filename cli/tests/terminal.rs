//! Tests of the program in a terminal (a pseudoterminal): questions are visible, lines fit, and Ctrl-C leaves the terminal usable.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use sandbox::Sandbox;

/// A program in a pseudoterminal.
struct Terminal {
    child: Child,
    controller: File,
    output: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    /// Starts the program on "real" tenants, which are a sandbox, so that the operator at the terminal is asked.
    fn start(sandbox: &Sandbox, columns: u16, folder: &Path, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudoterminal");
        grantpt(&controller).expect("a grant");
        unlockpt(&controller).expect("an unlocked pseudoterminal");
        let name = ptsname(&controller, Vec::new()).expect("a name");
        let user = || -> OwnedFd {
            open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("the terminal")
        };
        let size = Winsize {
            ws_row: 50,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&controller, size).expect("a size");
        let blueprint = folder.join("blueprint.toml");
        std::fs::write(&blueprint, BLUEPRINT).expect("a file");
        let child = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_okta-aws-sso")])
            .args(arguments)
            .arg("--blueprint")
            .arg(&blueprint)
            .arg("--state")
            .arg(folder.join("state"))
            .env("OKTA_ORG_URL", sandbox.okta_url())
            .env("OKTA_API_TOKEN", sandbox.okta_token())
            .env("AWS_ENDPOINT_URL", sandbox.aws_endpoint_url())
            .env("AWS_REGION", sandbox.aws_region())
            .env("AWS_ACCESS_KEY_ID", sandbox.aws_access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", sandbox.aws_secret_access_key())
            .env_remove("AWS_PROFILE")
            .env_remove("RUST_LOG")
            .env("TERM", "xterm")
            .stdin(Stdio::from(user()))
            .stdout(Stdio::from(user()))
            .stderr(Stdio::from(user()))
            .spawn()
            .expect("the program starts");
        let controller = File::from(controller);
        let mut reader = controller.try_clone().expect("a clone");
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(number) = reader.read(&mut bytes) {
                if number == 0 || sender.send(bytes[..number].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            controller,
            output,
            shown: String::new(),
        }
    }

    /// Waits until the terminal shows a text.
    fn expect(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let Ok(bytes) = self.output.recv_timeout(Duration::from_mins(1)) else {
                panic!("the terminal does not show {text:?}:\n{}", self.shown);
            };
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn enter(&mut self, keys: &str) {
        self.controller
            .write_all(keys.as_bytes())
            .expect("the terminal");
    }

    fn echoes(&self) -> bool {
        let settings = tcgetattr(&self.controller).expect("settings");
        settings.local_modes.contains(LocalModes::ECHO)
    }
}

/// A plan with long lines.
const BLUEPRINT: &str = r#"
[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"
"#;

/// Returns the lines of a screen, without colors and without the lines that a progress bar repaints.
fn lines(shown: &str) -> Vec<String> {
    let plain = anstream::adapter::strip_str(shown).to_string();
    let lines = plain
        .split('\n')
        .map(|line| line.trim_end_matches('\r').to_owned());
    lines.filter(|line| !line.contains('\r')).collect()
}

fn check_terminal(columns: u16) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sandbox = runtime
        .block_on(Sandbox::builder().page_size(None).start())
        .expect("a sandbox");
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(&sandbox, columns, folder.path(), &["apply"]);
    terminal.expect("Enter `yes` to apply this plan: ");
    assert!(
        terminal.shown.contains("\u{1b}[32m"),
        "a terminal has colors"
    );
    for line in lines(&terminal.shown) {
        let width = line.trim_end().chars().count();
        let is_one_word = !line.trim().contains(' ');
        assert!(
            width <= usize::from(columns) || is_one_word,
            "{width}: {line}"
        );
    }
    terminal.enter("yes\n");
    // The first manual step: its question is the last line, and stays visible.
    terminal.expect("Enable IAM Identity Center");
    terminal.expect("Press Enter");
    check_not_painted_over(&mut terminal);
    terminal.enter("\u{3}");
    let status = terminal.child.wait().expect("the program ends");
    assert_eq!(status.code(), Some(130), "{}", terminal.shown);
    assert!(terminal.echoes(), "the terminal shows what is typed");
}

/// Checks that nothing is printed over a question while it waits for the answer.
fn check_not_painted_over(terminal: &mut Terminal) {
    let later = terminal.output.recv_timeout(Duration::from_millis(400));
    if let Ok(bytes) = later {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            !text.contains('\r') && !text.contains("[2K"),
            "painted over the question: {text:?}"
        );
    }
}

#[test]
fn a_terminal_of_80_columns_shows_each_question_and_survives_ctrl_c() {
    check_terminal(80);
}

#[test]
fn a_terminal_of_140_columns_shows_each_question_and_survives_ctrl_c() {
    check_terminal(140);
}

#[test]
fn ctrl_c_ends_the_program_while_it_waits_for_the_confirmation() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sandbox = runtime
        .block_on(Sandbox::builder().page_size(None).start())
        .expect("a sandbox");
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(&sandbox, 80, folder.path(), &["apply"]);
    terminal.expect("Enter `yes` to apply this plan: ");
    terminal.enter("\u{3}");
    terminal.expect("interrupted");
    let status = terminal.child.wait().expect("the program ends");
    assert_eq!(status.code(), Some(130), "{}", terminal.shown);
    assert_eq!(sandbox.writes().len(), 0);
}
