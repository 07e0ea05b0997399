//! Tests of the command `sync` as a scheduler starts it: with nothing but variables, and as an AWS Lambda function.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use okta_aws_sso::blueprint::EXAMPLE;
use sandbox::{Sandbox, ScimProfile, Stage};
use tokio::process::Command;

/// A sandbox as the target, and the variables of a job that writes the users of a file to it.
struct Job {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    variables: BTreeMap<&'static str, String>,
}

impl Job {
    async fn new() -> Self {
        let sandbox = Sandbox::builder().stage(Stage::Federated).start().await;
        let sandbox = sandbox.expect("a sandbox");
        let shown = sandbox.console().enable_automatic_provisioning();
        let shown = shown.expect("a token");
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!(
            "--source '{0}/the directory.json' --state {0}/state",
            folder.path().display()
        );
        let variables = BTreeMap::from([
            ("SCIM_ENDPOINT", shown.scim_endpoint),
            ("SCIM_TOKEN", shown.access_token),
            ("SYNC_OPTIONS", options),
        ]);
        let job = Self {
            sandbox,
            folder,
            variables,
        };
        job.source(&["ada", "bob"]);
        job
    }

    /// Replaces the source by these users, and a group with all of them.
    fn source(&self, names: &[&str]) {
        let users = names.iter().map(|name| {
            serde_json::json!({"id": name, "profile": {
                "user_name": format!("{name}@example.com"), "given_name": name, "family_name": "Example",
                "display_name": name, "email": format!("{name}@example.com"), "active": true,
            }})
        });
        let users: Vec<_> = users.collect();
        let groups = serde_json::json!([{"id": "g1", "name": "engines", "members": names}]);
        let text = serde_json::json!({"users": users, "groups": groups}).to_string();
        std::fs::write(self.folder.path().join("the directory.json"), text).expect("a file");
    }

    /// Reads Okta instead of the file, with an API token, and with the same org in a file of the home folder.
    fn read_okta(&mut self) {
        let folder = self.folder.path();
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("company.toml"), EXAMPLE).expect("a file");
        let (org, token) = (self.sandbox.okta_url(), self.sandbox.okta_token());
        std::fs::create_dir(path(".okta")).expect("a folder");
        let text = format!("okta: {{ client: {{ orgUrl: '{org}', token: '{token}' }} }}");
        std::fs::write(path(".okta/okta.yaml"), text).expect("a file");
        let options = format!(
            "--blueprint {} --state {}",
            path("company.toml"),
            path("state")
        );
        self.variables.insert("SYNC_OPTIONS", options);
        self.variables.insert("HOME", path(""));
        self.variables.insert("OKTA_ORG_URL", org);
        self.variables.insert("OKTA_API_TOKEN", token.to_owned());
    }

    fn users(&self) -> usize {
        self.sandbox.identity_users().len()
    }

    fn all(&self) -> impl Iterator<Item = (&str, &String)> {
        self.variables.iter().map(|(name, value)| (*name, value))
    }
}

/// Returns the entry point of the image with nothing but these variables.
fn command<'a>(variables: impl IntoIterator<Item = (&'a str, &'a String)>) -> Command {
    let (program, arguments) = entry_point();
    let name = Path::new(&program).file_name().expect("a name");
    let built = Path::new(env!("CARGO_BIN_EXE_okta-aws-sso"));
    assert_eq!(built.file_name(), Some(name));
    let mut command = Command::new(built);
    command.args(arguments).env_clear().envs(variables);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run<'a>(variables: impl IntoIterator<Item = (&'a str, &'a String)>) -> Output {
    command(variables).output().await.expect("the program")
}

fn file(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(name)).expect(name)
}

/// Returns the values of an instruction of the Dockerfile.
fn instruction(name: &str) -> Vec<String> {
    let text = file("Dockerfile");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.map(ToOwned::to_owned).collect()
}

/// Returns the program and the arguments that the image starts.
fn entry_point() -> (String, Vec<String>) {
    let list = |name: &str| -> Vec<String> {
        let last = instruction(name).pop();
        last.map_or_else(Vec::new, |list| {
            serde_json::from_str(&list).expect("the exec form")
        })
    };
    let mut command = list("ENTRYPOINT");
    command.extend(list("CMD"));
    let arguments = command.split_off(1);
    (command.remove(0), arguments)
}

fn text(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    texts.concat()
}

#[tokio::test]
async fn the_entry_point_of_the_image_needs_nothing_but_variables() {
    let job = Job::new().await;
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let expected = "Done: 2 users created, 1 group created, 2 members added";
    assert!(text(&output).contains(expected), "{}", text(&output));
    assert_eq!(job.users(), 2);

    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).starts_with("Sync: No changes"),
        "{}",
        text(&output)
    );
}

#[test]
fn the_image_does_not_run_as_root_and_contains_what_the_build_stage_builds() {
    let user = instruction("USER").pop().expect("a user");
    let id = user.split(':').next().and_then(|id| id.parse::<u32>().ok());
    assert!(id.is_some_and(|id| id != 0), "{user}");
    let (program, _) = entry_point();
    let copied = instruction("COPY").pop().expect("a copy");
    assert!(copied.ends_with(&format!(" {program}")), "{copied}");
    let toolchain = file("rust-toolchain.toml");
    let version = instruction("FROM").remove(0);
    let version = version
        .trim_start_matches("rust:")
        .split('-')
        .next()
        .expect("a version");
    assert!(
        toolchain.contains(&format!("\"{version}")),
        "{version}: {toolchain}"
    );
}

#[test]
fn the_file_of_variables_that_the_documentation_names_is_not_in_the_image() {
    let page = file("docs/SCHEDULED_SYNC.md");
    let (_, command) = page.split_once("--env-file ").expect("a command");
    let name = command.split(' ').next().expect("a file");
    assert!(
        file(".dockerignore").lines().any(|line| line == name),
        "{name}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_line_of_cron_reads_the_file_of_variables() {
    let job = Job::new().await;
    let folder = job.folder.path();
    let file_name = |name: &str| format!("'{}'", folder.join(name).display());
    std::fs::write(folder.join("company.toml"), EXAMPLE).expect("a file");
    let source = folder.join("the directory.json");
    let text = format!(
        "SCIM_ENDPOINT={}\nSCIM_TOKEN={}\nSYNC_OPTIONS='--source \"{}\"'\n",
        job.variables["SCIM_ENDPOINT"],
        job.variables["SCIM_TOKEN"],
        source.display()
    );
    std::fs::write(folder.join("environment"), text).expect("a file");
    let page = file("docs/SCHEDULED_SYNC.md");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("*/15 * * * * "));
    let line = line
        .expect("the line")
        .replace(
            "/usr/local/bin/okta-aws-sso",
            env!("CARGO_BIN_EXE_okta-aws-sso"),
        )
        .replace("/etc/okta-aws-sso/environment", &file_name("environment"))
        .replace("/etc/okta-aws-sso/company.toml", &file_name("company.toml"))
        .replace("/var/lib/okta-aws-sso/log", &file_name("log"))
        .replace("/var/lib/okta-aws-sso", &file_name("state"));
    let output = Command::new("/bin/sh")
        .arg("-c")
        .arg(line)
        .env_clear()
        .output()
        .await;
    let log = std::fs::read_to_string(folder.join("log")).expect("a log");
    assert_eq!(output.expect("a shell").status.code(), Some(0), "{log}");
    assert!(log.contains("Done: 2 users created"), "{log}");
    assert_eq!(job.users(), 2);
}

#[tokio::test]
async fn a_job_with_a_misspelled_variable_fails_and_writes_nothing() {
    let job = Job::new().await;
    let names = ["SCIM_ENDPOINT", "SCIM_TOKEN", "SYNC_OPTIONS"];
    fails_if_misspelled(&job, &names).await;

    let mut job = Job::new().await;
    job.variables.remove("SCIM_TOKEN");
    job.variables
        .insert("SCIM_TOKEN_SECRET_ARN", ARN.to_owned());
    fails_if_misspelled(&job, &["SCIM_TOKEN_SECRET_ARN"]).await;

    let mut job = Job::new().await;
    job.read_okta();
    fails_if_misspelled(&job, &["OKTA_ORG_URL", "OKTA_API_TOKEN"]).await;
    job.variables.remove("OKTA_API_TOKEN");
    job.variables
        .insert("OKTA_API_TOKEN_SECRET_ARN", ARN.to_owned());
    fails_if_misspelled(&job, &["OKTA_API_TOKEN_SECRET_ARN"]).await;
    job.variables.remove("OKTA_API_TOKEN_SECRET_ARN");
    let names = [
        "OKTA_API_CLIENT_ID",
        "OKTA_API_SCOPES",
        "OKTA_API_PRIVATE_KEY",
    ];
    for name in names {
        job.variables.insert(name, "0oa1".to_owned());
    }
    fails_if_misspelled(&job, &names[1..]).await;
    job.variables.remove("OKTA_API_PRIVATE_KEY");
    job.variables
        .insert("OKTA_API_PRIVATE_KEY_SECRET_ARN", ARN.to_owned());
    fails_if_misspelled(&job, &["OKTA_API_PRIVATE_KEY_SECRET_ARN"]).await;

    let mut job = Job::new().await;
    job.variables.insert(
        "SOURCE_SCIM_ENDPOINT",
        "https://scim.example.com".to_owned(),
    );
    job.variables
        .insert("SOURCE_SCIM_TOKEN", "token".to_owned());
    let options = format!("--state {}/state", job.folder.path().display());
    job.variables.insert("SYNC_OPTIONS", options);
    fails_if_misspelled(&job, &["SOURCE_SCIM_ENDPOINT", "SOURCE_SCIM_TOKEN"]).await;

    let output = run([]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("SCIM_ENDPOINT is not set"),
        "{}",
        text(&output)
    );
}

const ARN: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:sync-AbCdEf";

/// Runs a job with each of these variables misspelled.
async fn fails_if_misspelled(job: &Job, names: &[&str]) {
    for misspelled in names {
        let wrong = format!("{misspelled}S");
        let variables = job.all();
        let variables = variables.map(|(name, value)| match name {
            name if name == *misspelled => (wrong.as_str(), value),
            name => (name, value),
        });
        let output = run(variables).await;
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{misspelled}: {text}");
        let expected = match *misspelled {
            "SYNC_OPTIONS" => "pass --blueprint FILE",
            name => name,
        };
        assert!(text.contains(expected), "{misspelled}: {text}");
        assert_eq!(job.users(), 0, "{misspelled}: {text}");
    }
}

#[tokio::test]
async fn a_secret_beside_a_credential_that_would_be_used_before_it_is_refused() {
    let mut job = Job::new().await;
    job.read_okta();
    job.variables.remove("OKTA_API_TOKEN");
    for (arn, others) in [
        ("SCIM_TOKEN_SECRET_ARN", &["SCIM_TOKEN"][..]),
        (
            "OKTA_API_TOKEN_SECRET_ARN",
            &["OKTA_API_TOKEN", "OKTA_CLIENT_TOKEN", "OKTA_ACCESS_TOKEN"],
        ),
        (
            "OKTA_API_PRIVATE_KEY_SECRET_ARN",
            &[
                "OKTA_API_PRIVATE_KEY",
                "OKTA_CLIENT_PRIVATEKEY",
                "OKTA_API_TOKEN",
                "OKTA_CLIENT_TOKEN",
                "OKTA_ACCESS_TOKEN",
            ],
        ),
    ] {
        for other in others {
            let secret = (arn, &ARN.to_owned());
            let token = (*other, &job.variables["SCIM_TOKEN"]);
            let output = run(job.all().chain([secret, token])).await;
            let text = text(&output);
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(
                text.contains(&format!("{other} and {arn} are both set")),
                "{text}"
            );
        }
    }
    assert_eq!(job.users(), 0);
}

#[tokio::test]
async fn an_option_of_the_command_line_replaces_the_one_of_sync_options() {
    let job = Job::new().await;
    let state = job.folder.path().join("another state");
    let options = format!("--yes {}", job.variables["SYNC_OPTIONS"]);
    let mut command = command(job.all());
    command
        .env("SYNC_OPTIONS", options)
        .arg("--state")
        .arg(&state);
    let output = command.output().await.expect("the program");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(state.exists() && !job.folder.path().join("state").exists());
}

#[tokio::test]
async fn a_scim_server_of_the_variables_is_a_source() {
    let mut job = Job::new().await;
    let generic = Sandbox::builder().scim_profile(ScimProfile::Generic);
    let generic = generic.start().await.expect("a sandbox");
    let url = generic.scim_url().expect("a SCIM server");
    let options = format!("{} --generic", job.variables["SYNC_OPTIONS"]);
    let token = Sandbox::SCIM_TOKEN.to_owned();
    let server = [
        ("SCIM_ENDPOINT", &url),
        ("SCIM_TOKEN", &token),
        ("SYNC_OPTIONS", &options),
    ];
    let output = run(job.all().chain(server)).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    job.variables.insert("SOURCE_SCIM_ENDPOINT", url);
    job.variables.insert("SOURCE_SCIM_TOKEN", token);
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let expected = "select one source, and --source or the OKTA_ variables another one";
    assert!(text(&output).contains(expected), "{}", text(&output));

    let options = format!("--state {}/second", job.folder.path().display());
    job.variables.insert("SYNC_OPTIONS", options);
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let expected = "Done: 2 users created, 1 group created, 2 members added";
    assert!(text(&output).contains(expected), "{}", text(&output));
    assert_eq!(job.users(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_job_that_gets_sigterm_ends_with_130() {
    let mut job = Job::new().await;
    // An endpoint that accepts a connection and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    job.variables
        .insert("SCIM_ENDPOINT", format!("http://{address}/scim/v2"));
    let mut command = command(job.all());
    let process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let process = process.expect("the program");
    let _connection = listener.accept().await.expect("a request");
    let id = i32::try_from(process.id().expect("an id")).expect("an id");
    let id = rustix::process::Pid::from_raw(id).expect("an id");
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("a process");
    let output = process.wait_with_output().await.expect("an end");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert!(text(&output).contains("interrupted"), "{}", text(&output));
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn the_region_of_the_bucket_is_enough_for_a_state_in_s3() {
    let mut job = Job::new().await;
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let refuse = move |request: axum::extract::Request| {
        let signed = request.headers()["authorization"].to_str().expect("ASCII");
        sender.send(signed.to_owned()).expect("a test that waits");
        async { axum::http::StatusCode::FORBIDDEN }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = axum::Router::new().fallback(refuse);
    tokio::spawn(async move { axum::serve(listener, server).await });
    let options = job.variables["SYNC_OPTIONS"]
        .split(" --state")
        .next()
        .expect("the source")
        .to_owned();
    let options = format!("{options} --state 's3://states/sync?region=eu-central-1'");
    for (name, value) in [
        ("SYNC_OPTIONS", &*options),
        ("AWS_ENDPOINT_URL_S3", &format!("http://{address}")),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ] {
        job.variables.insert(name, value.to_owned());
    }
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let signed = requests.try_recv().expect("a request");
    assert!(signed.contains("/eu-central-1/s3/"), "{signed}");
}

#[tokio::test]
async fn a_job_without_a_place_for_its_state_fails() {
    let mut job = Job::new().await;
    let options = job.variables["SYNC_OPTIONS"].clone();
    let source = options.split(" --state").next().expect("the source");
    for (options, status, message) in [
        (source, 1, "needs a place for its state"),
        ("--source '", 64, "SYNC_OPTIONS is not a list of options"),
        ("--state gs://states/sync", 64, "and not at gs://"),
        ("--stat /state", 64, "unexpected argument"),
    ] {
        job.variables.insert("SYNC_OPTIONS", options.to_owned());
        let output = run(job.all()).await;
        assert_eq!(
            output.status.code(),
            Some(status),
            "{options}: {}",
            text(&output)
        );
        assert!(
            text(&output).contains(message),
            "{options}: {}",
            text(&output)
        );
    }
    assert_eq!(job.users(), 0);
}

#[tokio::test]
async fn a_refused_token_is_in_no_output_not_even_in_the_log() {
    let mut job = Job::new().await;
    let token = "a-token-that-the-endpoint-refuses";
    job.variables.insert("SCIM_TOKEN", token.to_owned());
    job.variables.insert("RUST_LOG", "trace".to_owned());
    let output = run(job.all()).await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("401") && text.contains("TRACE"), "{text}");
    assert!(!text.contains(token), "{text}");
}

#[cfg(not(feature = "s3"))]
#[tokio::test]
async fn a_build_without_s3_names_the_missing_feature() {
    let mut job = Job::new().await;
    let options = job.variables["SYNC_OPTIONS"].replace("--state ", "--state s3://states");
    job.variables.insert("SYNC_OPTIONS", options);
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("with the feature `s3`"),
        "{}",
        text(&output)
    );
}

#[cfg(not(feature = "secrets-manager"))]
#[tokio::test]
async fn a_build_without_secrets_manager_names_the_missing_feature() {
    let mut job = Job::new().await;
    job.variables.remove("SCIM_TOKEN");
    job.variables
        .insert("SCIM_TOKEN_SECRET_ARN", ARN.to_owned());
    let output = run(job.all()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("with the feature `secrets-manager`"),
        "{}",
        text(&output)
    );
}

#[cfg(feature = "lambda")]
mod lambda {
    use std::sync::{Arc, Mutex};

    use axum::{
        Json, Router,
        extract::{Path, State},
        http::StatusCode,
        response::IntoResponse,
        routing::{get, post},
    };
    use serde_json::Value;
    use tokio::sync::mpsc;

    use super::{Job, command};

    /// The end of an invocation: `response` or `error`, and the body.
    type End = (String, Value);

    /// The Runtime API of AWS Lambda for one function, in this process.
    struct Runtime {
        events: mpsc::UnboundedSender<u32>,
        ends: mpsc::UnboundedReceiver<End>,
        address: String,
    }

    #[derive(Clone)]
    struct Shared {
        events: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<u32>>>,
        ends: mpsc::UnboundedSender<End>,
        current: Arc<Mutex<Option<String>>>,
    }

    /// Waits for the next event.
    async fn next(State(shared): State<Shared>) -> impl IntoResponse {
        let number = shared.events.lock().await.recv().await;
        let id = format!("invocation-{}", number.unwrap_or_default());
        *shared.current.lock().expect("the invocation") = Some(id.clone());
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", id),
            ("Lambda-Runtime-Deadline-Ms", "4102444800000".to_owned()),
            (
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:111122223333:function:sync".to_owned(),
            ),
        ];
        (
            headers,
            Json(serde_json::json!({"source": "aws.scheduler"})),
        )
    }

    async fn end(
        State(shared): State<Shared>,
        Path((id, kind)): Path<(String, String)>,
        body: String,
    ) -> StatusCode {
        let current = shared.current.lock().expect("the invocation").take();
        assert_eq!(current, Some(id));
        let body = serde_json::from_str(&body).expect("JSON");
        shared.ends.send((kind, body)).expect("a test that waits");
        StatusCode::ACCEPTED
    }

    impl Runtime {
        async fn start() -> Self {
            let (events, received) = mpsc::unbounded_channel();
            let (sender, ends) = mpsc::unbounded_channel();
            let shared = Shared {
                events: Arc::new(tokio::sync::Mutex::new(received)),
                ends: sender,
                current: Arc::default(),
            };
            let root = "/2018-06-01/runtime/invocation";
            let api = Router::new()
                .route(&format!("{root}/next"), get(next))
                .route(&format!("{root}/{{id}}/{{kind}}"), post(end))
                .with_state(shared);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address").to_string();
            tokio::spawn(async move { axum::serve(listener, api).await });
            Self {
                events,
                ends,
                address,
            }
        }

        /// Sends an event, and returns the end of its invocation.
        async fn invoke(&mut self, number: u32) -> End {
            self.events.send(number).expect("a server");
            self.ends.recv().await.expect("an end")
        }
    }

    /// Starts the program as AWS Lambda does.
    fn started(job: &Job, runtime: &Runtime) -> tokio::process::Child {
        let mut program = command(job.all());
        in_lambda(&mut program, runtime);
        program.spawn().expect("the program")
    }

    fn in_lambda(program: &mut tokio::process::Command, runtime: &Runtime) {
        program.env("AWS_LAMBDA_RUNTIME_API", &runtime.address);
        for (name, value) in [
            ("FUNCTION_NAME", "sync"),
            ("FUNCTION_VERSION", "1"),
            ("FUNCTION_MEMORY_SIZE", "256"),
        ] {
            program.env(format!("AWS_LAMBDA_{name}"), value);
        }
    }

    #[tokio::test]
    async fn a_lambda_function_runs_one_sync_for_each_event_and_returns_its_counts() {
        let job = Job::new().await;
        let mut runtime = Runtime::start().await;
        let _process = started(&job, &runtime);
        let (kind, body) = runtime.invoke(1).await;
        assert_eq!(kind, "response", "{body}");
        assert_eq!(body["done"]["users_created"], 2, "{body}");
        assert_eq!(job.users(), 2);

        job.source(&["ada", "bob", "cyd"]);
        let (kind, body) = runtime.invoke(2).await;
        assert_eq!(kind, "response", "{body}");
        assert_eq!(body["done"]["users_created"], 1, "{body}");
        let (_, body) = runtime.invoke(3).await;
        assert_eq!(body["done"]["users_created"], 0, "{body}");
        assert_eq!(job.users(), 3);
    }

    #[tokio::test]
    async fn a_failed_sync_is_an_error_of_the_invocation_and_the_next_event_runs_again() {
        let job = Job::new().await;
        let mut runtime = Runtime::start().await;
        let _process = started(&job, &runtime);
        std::fs::write(job.folder.path().join("the directory.json"), "{").expect("a file");
        let (kind, body) = runtime.invoke(1).await;
        assert_eq!(kind, "error", "{body}");
        let message = body["errorMessage"].as_str().expect("a message");
        assert!(
            message.contains("the directory.json") && message.contains("to do:"),
            "{message}"
        );
        assert!(body["errorType"].is_string(), "{body}");
        job.source(&["ada"]);
        let (kind, body) = runtime.invoke(2).await;
        assert_eq!(kind, "response", "{body}");
        assert_eq!(job.users(), 1);
    }

    #[tokio::test]
    async fn a_lambda_function_uses_its_arguments() {
        let mut job = Job::new().await;
        let options = job.variables.remove("SYNC_OPTIONS").expect("options");
        job.variables
            .insert("SYNC_OPTIONS", "--yes --state /dev/null/state".to_owned());
        let mut runtime = Runtime::start().await;
        let mut program = command(job.all());
        in_lambda(&mut program, &runtime);
        let options = shlex::split(&options).expect("options");
        let _process = program.args(options).spawn().expect("the program");
        let (kind, body) = runtime.invoke(1).await;
        assert_eq!(kind, "response", "{body}");
        assert_eq!(job.users(), 2);
    }

    #[tokio::test]
    async fn another_command_in_a_lambda_function_runs_as_usual() {
        let job = Job::new().await;
        let runtime = Runtime::start().await;
        for arguments in [&["--version"][..], &["validate"]] {
            let built = env!("CARGO_BIN_EXE_okta-aws-sso");
            let mut program = tokio::process::Command::new(built);
            in_lambda(
                program.args(arguments).env_clear().envs(job.all()),
                &runtime,
            );
            let output = program.kill_on_drop(true).output();
            let output = tokio::time::timeout(std::time::Duration::from_mins(1), output).await;
            let output = output.expect("an end").expect("the program");
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert!(!output.stdout.is_empty(), "{arguments:?}");
        }
    }

    #[tokio::test]
    async fn withheld_removals_are_an_error_of_the_invocation_with_their_names() {
        let job = Job::new().await;
        let mut runtime = Runtime::start().await;
        let _process = started(&job, &runtime);
        let (kind, body) = runtime.invoke(1).await;
        assert_eq!(kind, "response", "{body}");
        job.source(&["ada", "cyd"]);
        let (kind, body) = runtime.invoke(2).await;
        assert_eq!(kind, "error", "{body}");
        let message = body["errorMessage"].as_str().expect("a message");
        assert!(
            message.contains("bob@example.com") && message.contains("withheld"),
            "{message}"
        );
        assert_eq!(job.users(), 3);
        assert!(job.sandbox.identity_users().iter().all(|user| user.active));
    }

    #[tokio::test]
    async fn a_lambda_function_with_a_misspelled_variable_fails() {
        let mut job = Job::new().await;
        let options = job.variables.remove("SYNC_OPTIONS").expect("options");
        job.variables.insert("SYNC_OPTION", options);
        let mut runtime = Runtime::start().await;
        let _process = started(&job, &runtime);
        let (kind, body) = runtime.invoke(1).await;
        assert_eq!(kind, "error", "{body}");
        let message = body["errorMessage"].as_str().expect("a message");
        assert!(message.contains("--blueprint FILE"), "{message}");
        assert_eq!(job.users(), 0);
    }
}
