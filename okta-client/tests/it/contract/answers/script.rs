//! Requests that reach each covered operation that the sandbox serves, in the states that change an answer.

mod apps;
mod groups;
mod org;
mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use rest_core::{HttpTransport, Transport as _};
use sandbox::{
    Clock, Company, Person,
    PersonStatus::{
        Active, Deprovisioned, LockedOut, PasswordExpired, Provisioned, Recovery, Staged, Suspended,
    },
    Sandbox, Stage,
};
use serde_json::Value;

use super::{
    super::{CONTRACT, check, operation},
    compare::differences,
};

/// A sandbox, and the differences between its answers and the description.
pub(super) struct Org {
    sandbox: Sandbox,
    transport: HttpTransport,
    /// The operations that answered with success.
    pub(super) answered: BTreeSet<&'static str>,
    /// The number of JSON documents that were compared; each item of a list is one.
    pub(super) documents: usize,
    /// The differences, each with the first request that showed it.
    pub(super) differences: BTreeMap<String, String>,
}

/// Sends all requests.
pub(super) async fn run() -> Org {
    let mut org = Org::start().await;
    users::run(&mut org).await;
    groups::run(&mut org).await;
    apps::run(&mut org).await;
    org::run(&mut org).await;
    org
}

impl Org {
    async fn start() -> Self {
        let statuses = [
            Active,
            Staged,
            Provisioned,
            Recovery,
            PasswordExpired,
            LockedOut,
            Suspended,
            Deprovisioned,
        ];
        let people = statuses.into_iter().map(|status| {
            let login = format!("{}@example.com", status.name().to_lowercase());
            Person::new(&login, "Grace", "Hopper").with_status(status)
        });
        // AWS refuses a user without a last name.
        let company = people
            .fold(Company::small(3, 1), Company::person)
            .person(Person::new("hypatia@example.com", "Hypatia", ""))
            .team("developers", &["ada.lovelace@example.com"])
            .team("testers", &["ada.lovelace@example.com"])
            .imported_team("Analytical", "operators", &["ada.lovelace@example.com"]);
        let sandbox = Sandbox::builder()
            .company(company)
            .clock(Clock::Manual("2026-06-01T12:00:00Z".parse().unwrap()))
            .stage(Stage::Provisioned)
            .page_size(None)
            .connections_supported(true)
            .start()
            .await
            .unwrap();
        Self {
            sandbox,
            transport: HttpTransport::default(),
            answered: BTreeSet::new(),
            documents: 0,
            differences: BTreeMap::new(),
        }
    }

    async fn get(&mut self, target: &str) -> Value {
        self.send("GET", target, Value::Null).await
    }

    async fn post(&mut self, target: &str, body: Value) -> Value {
        self.send("POST", target, body).await
    }

    async fn put(&mut self, target: &str, body: Value) -> Value {
        self.send("PUT", target, body).await
    }

    async fn delete(&mut self, target: &str) {
        self.send("DELETE", target, Value::Null).await;
    }

    /// Sends a request to a target below `/api/v1/`, which must succeed, and compares the answer.
    ///
    /// The value `null` is no body.
    async fn send(&mut self, method: &str, target: &str, body: Value) -> Value {
        self.send_as("application/json", method, target, json_text(&body))
            .await
    }

    /// Like [`send`](Self::send), with a body of any media type.
    async fn send_as(&mut self, kind: &str, method: &str, target: &str, body: Bytes) -> Value {
        let (line, response) = self.exchange(kind, method, target, body).await;
        let status = response.status();
        let text = str::from_utf8(response.body()).unwrap();
        assert!(status.is_success(), "{line}: {status} {text}");
        let (name, facts) = described(method, target);
        self.answered.insert(name);
        let codes = facts["success"].as_array().unwrap();
        if !codes.iter().any(|code| *code == status.as_u16()) {
            self.add(format!("{name} answers {}", status.as_u16()), &line);
        }
        let is_json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/json");
        let kind = &facts["response"];
        if !is_json {
            if !kind.is_null() {
                self.add(format!("{name} answers without a document"), &line);
            }
            return Value::Null;
        }
        let value: Value = serde_json::from_str(text).unwrap();
        if kind.is_null() {
            self.add(format!("{name} answers a document"), &line);
        } else {
            self.compare(kind, &value, &line);
        }
        value
    }

    /// Sends a request that the sandbox must refuse, and compares the refusal.
    async fn refused(&mut self, method: &str, target: &str, body: Value) -> u16 {
        let kind = "application/json";
        let exchanged = self.exchange(kind, method, target, json_text(&body));
        let (line, response) = exchanged.await;
        let status = response.status();
        let text = str::from_utf8(response.body()).unwrap();
        assert!(status.is_client_error(), "{line}: {status} {text}");
        let value = serde_json::from_str(text).unwrap();
        self.compare(&CONTRACT["refusal"], &value, &line);
        status.as_u16()
    }

    async fn exchange(
        &self,
        kind: &str,
        method: &str,
        target: &str,
        body: Bytes,
    ) -> (String, Response<Bytes>) {
        let line = format!("{method} /api/v1/{target}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1/{target}", self.sandbox.okta_url()))
            .header(
                header::AUTHORIZATION,
                format!("SSWS {}", Sandbox::OKTA_TOKEN),
            )
            .header(header::ACCEPT, "application/json, application/xml");
        request = if body.is_empty() {
            request.header(header::CONTENT_LENGTH, 0)
        } else {
            request.header(header::CONTENT_TYPE, kind)
        };
        let request = request.body(body).unwrap();
        check(&request);
        (line, self.transport.send(request).await.unwrap())
    }

    fn compare(&mut self, kind: &Value, value: &Value, line: &str) {
        self.documents += value.as_array().map_or(1, Vec::len);
        let schemas = CONTRACT["schemas"].as_object().unwrap();
        for difference in differences(schemas, kind, value, "answer") {
            self.add(difference, line);
        }
    }

    fn add(&mut self, difference: String, line: &str) {
        self.differences
            .entry(difference)
            .or_insert_with(|| line.to_owned());
    }

    fn user(&self, login: &str) -> String {
        self.sandbox.user_id(login).unwrap()
    }

    fn group(&self, name: &str) -> String {
        self.sandbox.group_id(name).unwrap()
    }

    /// Lets Okta provision.
    fn advance(&self) {
        self.sandbox.advance(Duration::from_hours(1));
    }
}

/// Returns a body as text. The value `null` is no body.
fn json_text(body: &Value) -> Bytes {
    match body {
        Value::Null => Bytes::new(),
        body => body.to_string().into(),
    }
}

/// Returns the operation of a request with its facts.
fn described(method: &str, target: &str) -> (&'static str, &'static Value) {
    let path = target.split('?').next().unwrap();
    operation(method, &format!("/api/v1/{path}")).unwrap()
}

/// Returns a string of a document.
#[track_caller]
fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    let text = document[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {document}"))
}
