//! Tests of the command `sync` as a scheduler starts it: with nothing but variables, and as an AWS Lambda function.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use sandbox::{Sandbox, Stage};
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

#[tokio::test]
async fn a_job_with_a_misspelled_variable_fails_and_writes_nothing() {
    let job = Job::new().await;
    for misspelled in ["SCIM_ENDPOINT", "SCIM_TOKEN", "SYNC_OPTIONS"] {
        let wrong = format!("{misspelled}S");
        let variables = job.all();
        let variables = variables.map(|(name, value)| match name {
            name if name == misspelled => (wrong.as_str(), value),
            name => (name, value),
        });
        let output = run(variables).await;
        assert_eq!(
            output.status.code(),
            Some(1),
            "{misspelled}: {}",
            text(&output)
        );
        let named = match misspelled {
            "SYNC_OPTIONS" => "pass --blueprint FILE",
            name => &format!("{name} is not set"),
        };
        assert!(
            text(&output).contains(named),
            "{misspelled}: {}",
            text(&output)
        );
    }
    let output = run([]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("SCIM_ENDPOINT is not set"),
        "{}",
        text(&output)
    );
    assert_eq!(job.users(), 0);
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
    let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:scim-AbCdEf";
    job.variables
        .insert("SCIM_TOKEN_SECRET_ARN", arn.to_owned());
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
        program.env("AWS_LAMBDA_RUNTIME_API", &runtime.address);
        for (name, value) in [
            ("FUNCTION_NAME", "sync"),
            ("FUNCTION_VERSION", "1"),
            ("FUNCTION_MEMORY_SIZE", "256"),
        ] {
            program.env(format!("AWS_LAMBDA_{name}"), value);
        }
        program.spawn().expect("the program")
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
        assert!(!message.contains(&job.variables["SCIM_TOKEN"]), "{message}");
        assert!(body["errorType"].is_string(), "{body}");
        job.source(&["ada"]);
        let (kind, body) = runtime.invoke(2).await;
        assert_eq!(kind, "response", "{body}");
        assert_eq!(job.users(), 1);
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
