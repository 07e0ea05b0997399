//! Runs the integration behind an HTTP service: `POST /runs` streams the run as JSON lines, `POST /answers` answers its manual
//! step. `cargo run --example server` starts the service on a sandbox, and is its client too.
#![expect(clippy::print_stdout, reason = "a program prints its result")]

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    routing::post,
};
use futures::{StreamExt as _, channel::mpsc, future::BoxFuture};
use okta_aws_sso::{
    Blueprint, Document, Operator, Pipeline, Problem, Secret,
    aws::{Aws, ConnectOptions, Credentials},
    blueprint::EXAMPLE,
    okta,
    operator::{Answers, AskKind, ManualStep, OperatorError, SandboxOperator},
    steps,
};
use sandbox::Sandbox;
use tokio::sync::oneshot;

/// An operator whose answers come with another request.
#[derive(Clone, Default)]
struct RemoteOperator(Arc<Mutex<Option<Question>>>);

/// A manual step, and the place for its answers.
type Question = (ManualStep, oneshot::Sender<Answers>);

impl Operator for RemoteOperator {
    fn ask<'a>(&'a self, step: &'a ManualStep) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        let (sender, answers) = oneshot::channel();
        *self.0.lock().expect("no panic with the lock") = Some((step.clone(), sender));
        Box::pin(async move {
            let answered = answers.await;
            answered.map_err(|_dropped| OperatorError::Declined("a later question".to_owned()))
        })
    }
}

/// The service: the clients of both tenants, and the operator of the run in progress.
#[derive(Clone)]
struct Service {
    okta: okta::Client,
    aws: Aws,
    operator: RemoteOperator,
}

/// Plans and applies the blueprint, and streams plan, events and report as JSON lines.
async fn start_run(State(service): State<Service>) -> Result<Body, (StatusCode, String)> {
    let blueprint = Blueprint::from_toml(EXAMPLE)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let (lines, body) = mpsc::unbounded::<String>();
    let events = lines.clone();
    let steps = steps::default_steps(&blueprint, &service.okta, &service.aws);
    let pipeline = Pipeline::new(steps)
        .blueprint(&blueprint)
        .operator(service.operator)
        .on_event(move |event| send(&events, &Document::event(event)));
    // The run goes on if the client disconnects.
    tokio::spawn(async move {
        let run = async {
            let plan = pipeline.plan().await?;
            send(&lines, &Document::Plan(&plan));
            pipeline.apply(&plan).await
        };
        match run.await {
            Ok(report) => send(&lines, &Document::Report(&report)),
            Err(error) => send(&lines, &Document::problem(&Problem::new(None, &error))),
        }
    });
    let lines = body.map(|line| Ok::<_, std::convert::Infallible>(Bytes::from(line)));
    Ok(Body::from_stream(lines))
}

fn send(lines: &mpsc::UnboundedSender<String>, document: &Document<'_>) {
    // The client may have disconnected.
    let _disconnected = lines.unbounded_send(format!("{document}\n"));
}

/// Answers the manual step that waits: one text for each key that the step asks for.
async fn answer(
    State(service): State<Service>,
    Json(texts): Json<BTreeMap<String, String>>,
) -> StatusCode {
    let waiting = service
        .operator
        .0
        .lock()
        .expect("no panic with the lock")
        .take();
    let Some((step, sender)) = waiting else {
        return StatusCode::CONFLICT;
    };
    let answers = step.asks.iter().fold(Answers::default(), |answers, ask| {
        match (texts.get(ask.key), ask.kind) {
            (None, _) => answers,
            (Some(text), AskKind::Secret) => answers.secret(ask.key, Secret::new(text.clone())),
            (Some(text), AskKind::File) => answers.file(ask.key, text.clone()),
            (Some(text), _) => answers.text(ask.key, text),
        }
    });
    match sender.send(answers) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_run_has_ended) => StatusCode::GONE,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().page_size(None).start().await?;
    let service = connect(&sandbox).await?;
    let operator = service.operator.clone();
    let routes = Router::new()
        .route("/runs", post(start_run))
        .route("/answers", post(answer))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });

    // The client: it reads the lines of the run, and answers each question with a second request.
    let http = reqwest::Client::new();
    let mut run = http.post(format!("{address}/runs")).send().await?;
    let console = SandboxOperator::new(sandbox.console_url().parse()?)?;
    let mut unread = String::new();
    while let Some(bytes) = run.chunk().await? {
        unread.push_str(std::str::from_utf8(&bytes)?);
        while let Some((line, rest)) = unread.split_once('\n') {
            let document: serde_json::Value = serde_json::from_str(line)?;
            unread = rest.to_owned();
            show(&document);
            if document["event"] == "operator-asked" {
                let body = answers_of(&console, &operator).await?;
                let answers = http.post(format!("{address}/answers"));
                let answered = answers
                    .header("content-type", "application/json")
                    .body(body)
                    .send()
                    .await?;
                println!("    answered: {}", answered.status());
            }
        }
    }
    Ok(())
}

fn show(document: &serde_json::Value) {
    let kind = document["type"].as_str().unwrap_or_default();
    let event = document["event"].as_str().unwrap_or_default();
    let result = document["outcome"]["result"].as_str().unwrap_or_default();
    println!(
        "{kind} {event} {result}{}",
        document["manual_step"]["title"]
            .as_str()
            .unwrap_or_default()
    );
}

/// Does the manual step in the sandbox's console, and returns the answers as JSON.
async fn answers_of(
    console: &SandboxOperator,
    operator: &RemoteOperator,
) -> Result<String, Box<dyn Error>> {
    // The event comes before the question, so the question may still be on its way.
    let waiting = || {
        let question = operator.0.lock().expect("no panic with the lock");
        question.as_ref().map(|(step, _)| step.clone())
    };
    let step = loop {
        match waiting() {
            Some(step) => break step,
            None => tokio::task::yield_now().await,
        }
    };
    let answers = console.ask(&step).await?;
    let texts: BTreeMap<&str, String> = step
        .asks
        .iter()
        .filter_map(|ask| {
            let file = answers.get_file(ask.key).map(String::from_utf8_lossy);
            let secret = answers
                .get_secret(ask.key)
                .map(|secret| secret.expose().to_owned());
            let text = answers.get(ask.key).map(str::to_owned);
            let text = text
                .or(secret)
                .or_else(|| file.map(std::borrow::Cow::into_owned));
            Some((ask.key, text?))
        })
        .collect();
    Ok(serde_json::to_string(&texts)?)
}

async fn connect(sandbox: &Sandbox) -> Result<Service, Box<dyn Error>> {
    let token = Secret::new(sandbox.okta_token());
    let credentials = Credentials {
        access_key_id: sandbox.aws_access_key_id().to_owned(),
        secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
        session_token: None,
    };
    Ok(Service {
        okta: okta::Client::builder(&sandbox.okta_url(), token).build()?,
        aws: Aws::connect(ConnectOptions {
            region: Some(sandbox.aws_region().to_owned()),
            endpoint_url: Some(sandbox.aws_endpoint_url().parse()?),
            credentials: Some(credentials.into()),
            ..ConnectOptions::default()
        })
        .await?,
        operator: RemoteOperator::default(),
    })
}
