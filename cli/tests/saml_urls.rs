//! Tests of the commands `saml …` with metadata from URLs and from apps of Okta.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use sandbox::{Sandbox, Stage};
use tokio::process::Command;

const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../saml-metadata/tests/fixtures"
);

/// The label of the app for AWS in the sandbox.
const LABEL: &str = "AWS IAM Identity Center";

/// The documents of a server by path, and the paths of its requests.
#[derive(Clone, Default)]
struct Pages {
    documents: Arc<Mutex<BTreeMap<String, String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

struct Server {
    pages: Pages,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let pages = Pages::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(pages.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { pages, url }
    }

    /// Serves a document, and returns its URL.
    fn put(&self, path: &str, document: impl Into<String>) -> String {
        let mut documents = self.pages.documents.lock().expect("a lock");
        documents.insert(path.to_owned(), document.into());
        format!("{}{path}", self.url)
    }

    fn remove(&self, path: &str) {
        self.pages.documents.lock().expect("a lock").remove(path);
    }

    fn requests(&self) -> usize {
        self.pages.requests.lock().expect("a lock").len()
    }
}

/// Answers with the document of the path, or else with a sign-in page and 404.
async fn answer(State(pages): State<Pages>, uri: Uri) -> (StatusCode, HeaderMap, String) {
    let path = uri.path().to_owned();
    pages.requests.lock().expect("a lock").push(path.clone());
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", "r1".parse().expect("a value"));
    match pages.documents.lock().expect("a lock").get(&path) {
        Some(document) => (StatusCode::OK, headers, document.clone()),
        None => (
            StatusCode::NOT_FOUND,
            headers,
            "<html>Sign in</html>".to_owned(),
        ),
    }
}

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).expect("a file")
}

/// Runs `okta-aws-sso saml` with these variables.
async fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-aws-sso"));
    command.arg("saml").args(arguments).env_clear();
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command.output().await.expect("the program")
}

async fn run(arguments: &[&str]) -> Output {
    run_with(&[], arguments).await
}

/// Returns Okta's metadata, signed with the key of `rsa.cert.pem`.
async fn signed_metadata() -> String {
    let (file, key) = (fixture("okta.xml"), fixture("signature/rsa.key.pem"));
    text(&run(&["sign", &file, "--key", &key]).await.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[tokio::test]
async fn each_command_reads_a_url_as_it_reads_the_file_there() {
    let server = Server::start().await;
    let file = fixture("okta.xml");
    let url = server.put("/okta.xml", read(&file));
    let folder = tempfile::tempdir().expect("a folder");
    let signed = folder.path().join("signed.xml").display().to_string();
    std::fs::write(&signed, signed_metadata().await).expect("a file");
    let signed_url = server.put("/signed.xml", read(&signed));
    let (key, certificate) = (
        fixture("signature/rsa.key.pem"),
        fixture("signature/rsa.cert.pem"),
    );
    let new = fixture("certificates/rsa3072.pem");
    let at = ["--at", "2026-11-24T12:00:00Z"];
    let commands: [(&[&str], &str, &str); 9] = [
        (&["explain", at[0], at[1]], &file, &url),
        (
            &["validate", "--profile", "okta", at[0], at[1]],
            &file,
            &url,
        ),
        (&["diff", &file, at[0], at[1]], &file, &url),
        (
            &["diff", "--format", "json", &file, at[0], at[1]],
            &signed,
            &signed_url,
        ),
        (
            &["rollover", "--start", "2026-11-24T12:00:00Z"],
            &file,
            &url,
        ),
        (
            &["edit", "valid-until", "2027-01-31T12:00:00Z"],
            &file,
            &url,
        ),
        (&["edit", "unsign"], &signed, &signed_url),
        (&["sign", "--key", &key], &file, &url),
        (&["verify", "--key", &certificate], &signed, &signed_url),
    ];
    for (command, file, url) in commands {
        let mut with = [command, &[file]].concat();
        let mut by_url = [command, &[url]].concat();
        if command[0] == "rollover" {
            with.push(&new);
            by_url.push(&new);
        }
        let (with, by_url) = (run(&with).await, run(&by_url).await);
        let error = text(&by_url.stderr);
        assert_eq!(
            with.status.code(),
            by_url.status.code(),
            "{command:?}: {error}"
        );
        let out = text(&with.stdout);
        assert_eq!(text(&by_url.stdout), out.replace(file, url), "{command:?}");
        assert!(!out.is_empty());
        contains(&error, &[url, ": fetched; its signature was not checked"]);
    }
}

#[tokio::test]
async fn a_wrong_url_does_not_stop_the_other_files_and_shows_no_secret() {
    let server = Server::start().await;
    let file = fixture("okta.xml");
    let none = format!("{}/none?token=hunter2", server.url);
    let with_password = "https://user:hunter2@idp.example.org/";
    let plain = "http://idp.example.org/m";
    let validate = async |format: &str| {
        let scheme = "file:///m.xml";
        let sources = [&*none, with_password, plain, scheme, "okta:AWS", &file];
        let options = ["validate", "--profile", "okta", "--format", format];
        let output = run(&[&options[..], &sources].concat()).await;
        assert_eq!(output.status.code(), Some(2));
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert!(
            !out.contains("hunter2") && !error.contains("hunter2"),
            "{out}{error}"
        );
        out
    };
    let shown = format!("{}/none?…", server.url);
    contains(
        &validate("text").await,
        &[
            &format!(
                "{shown}: not validated: the server refused the SAML metadata of {shown} with 404 Not Found"
            ),
            "404 text/plain; charset=utf-8, first element <html>, 20 bytes (request r1)",
            "the URL: not validated: ",
            "a user name or a password",
            "http://idp.example.org/m: not validated: ",
            "use https, or pin the key",
            "its scheme is file",
            "okta:AWS: not validated: ",
            "OKTA_API_TOKEN",
            &format!("{file}: 0 errors"),
        ],
    );
    let json = validate("json").await;
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let failed: Vec<bool> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(failed, [true, true, true, true, true, false]);
    let sarif: serde_json::Value = serde_json::from_str(&validate("sarif").await).expect("JSON");
    assert_eq!(sarif["runs"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn a_pinned_key_decides_about_the_metadata_of_a_url() {
    let server = Server::start().await;
    let url = server.put("/signed.xml", signed_metadata().await);
    let unsigned = server.put("/unsigned.xml", read(fixture("okta.xml")));
    let (good, other) = (
        fixture("signature/rsa.cert.pem"),
        fixture("signature/other.cert.pem"),
    );
    let output = run(&["explain", "--pin-key", &other, "--pin-key", &good, &url]).await;
    assert_eq!(output.status.code(), Some(0));
    contains(&text(&output.stderr), &[&format!("signed with {good}")]);
    for (key, url, reason) in [
        (&other, &url, "does not verify with any of the given keys"),
        (&good, &unsigned, "the element is not signed"),
    ] {
        let output = run(&["explain", url, "--pin-key", key]).await;
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        contains(&text(&output.stderr), &[url, reason, "to do:"]);
    }
    // A file is not checked with the key, which the program says.
    let output = run(&["explain", &fixture("okta.xml"), "--pin-key", &good]).await;
    contains(&text(&output.stderr), &["not checked with --pin-key"]);
    let missing = run(&["explain", &url, "--pin-key", "missing.pem"]).await;
    assert_eq!(missing.status.code(), Some(2));
}

#[tokio::test]
async fn the_cache_folder_saves_requests_and_helps_if_the_server_fails() {
    let server = Server::start().await;
    let namespace = "urn:oasis:names:tc:SAML:2.0:metadata";
    let document = |id, attributes| {
        format!("<EntityDescriptor xmlns='{namespace}' entityID='urn:{id}' {attributes}/>")
    };
    let fresh = server.put("/fresh", document("fresh", "cacheDuration='P9D'"));
    let always = server.put("/always", document("always", ""));
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("new").display().to_string();
    let explain = async |options: &[&str]| {
        let options = [&["explain", "--cache-dir", &folder][..], options].concat();
        let output = run(&options).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    for url in [&fresh, &always] {
        explain(&[url]).await;
    }
    assert_eq!(server.requests(), 2);
    let (out, error) = explain(&[&fresh]).await;
    contains(&out, &["urn:fresh"]);
    contains(&error, &["which is fresh"]);
    assert_eq!(server.requests(), 2);
    explain(&[&fresh, "--refresh"]).await;
    assert_eq!(server.requests(), 3);
    server.remove("/always");
    let (out, error) = explain(&[&always]).await;
    contains(&out, &["urn:always"]);
    contains(
        &error,
        &[
            "warning: the server refused",
            "404",
            "because the request failed",
        ],
    );
}

#[tokio::test]
async fn an_app_of_okta_is_read_from_a_sandbox_and_with_the_variables_and_files_of_okta() {
    let sandbox = Sandbox::builder().stage(Stage::Federated).start().await;
    let sandbox = sandbox.expect("a sandbox");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("ready.json"), sandbox.ready().to_string()).expect("a file");
    let app = format!("okta:{LABEL}");
    let validate = ["validate", "--profile", "okta", &app];
    let (org, token) = (sandbox.okta_url(), sandbox.okta_token());
    let yaml = format!("okta: {{ client: {{ orgUrl: '{org}', token: '{token}' }} }}");
    std::fs::create_dir(path(".okta")).expect("a folder");
    std::fs::write(path(".okta/okta.yaml"), yaml).expect("a file");
    let (home, ready) = (path(""), path("ready.json"));
    let with_target = [&validate[..], &["--target", &ready]].concat();
    for (variables, arguments) in [
        (&[][..], &with_target[..]),
        (
            &[("OKTA_ORG_URL", &*org), ("OKTA_API_TOKEN", token)],
            &validate,
        ),
        (&[("HOME", &*home)], &validate),
    ] {
        let output = run_with(variables, arguments).await;
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}{error}");
        contains(&out, &[&format!("{app}: 0 errors")]);
        contains(&error, &[&format!("{app}: read from {org}")]);
    }
    let missing = run(&["explain", "--target", &ready, "okta:None"]).await;
    assert_eq!(missing.status.code(), Some(2));
    contains(
        &text(&missing.stderr),
        &["has no app with the label or id `None`", "to do:"],
    );
}
