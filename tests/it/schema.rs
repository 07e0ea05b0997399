//! Tests of the JSON Schemas: the files are as the types, and a schema refuses what the reader refuses for its shape.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use okta_aws_sso::{
    Access, AccessReport, Blueprint, Document, Error, ErrorKind, Pipeline, Problem,
};

use crate::{
    fixture::{Fixture, SEED, TEAM},
    secrets::has_secret,
};

/// Compares a schema with its file in `schema/`, or writes the file if `UPDATE_SCHEMAS` is set.
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
fn check_file(name: &str, schema: &schemars::Schema) {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schema")
        .join(name);
    let current = serde_json::to_string_pretty(schema).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&file, &current).expect("a file");
    }
    let saved = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        saved == current,
        "{name} is not as its type: run the test with UPDATE_SCHEMAS=1, and review the change"
    );
}

#[test]
fn the_schema_files_are_as_their_types() {
    check_file("blueprint-0.json", &Blueprint::json_schema());
    check_file("document-0.json", &Document::json_schema());
}

/// Returns why the schema of blueprints refuses a TOML text.
fn refusal(text: &str) -> Option<String> {
    let schema = serde_json::to_value(Blueprint::json_schema()).expect("JSON");
    let document: toml::Value = toml::from_str(text).ok()?;
    let document = serde_json::to_value(document).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let error = validator.iter_errors(&document).next()?;
    Some(error.to_string())
}

#[test]
fn the_schema_refuses_what_the_reader_refuses_for_its_shape() {
    let access = "[[access]]\npermission_set = \"AdministratorAccess\"\n";
    let set = |line: &str| format!("[permission_sets.Dev]\n{line}\n");
    let refused = [
        "unknown = 1".to_owned(),
        access.to_owned(),
        format!("{access}user = \"a\""),
        format!("{access}user = \"a\"\ngroup = \"b\"\naccount = \"c\""),
        format!("{access}user = \"a\"\naccounts = []"),
        format!("{access}user = \"a\"\naccounts = [\"c\", \"c\"]"),
        format!("{access}user = 1\naccount = \"c\""),
        "[[access]]\nuser = \"a\"\naccount = \"c\"".to_owned(),
        "[okta]\ncustom_domain = \"https://login.example.com\"".to_owned(),
        "[okta]\ncustom_domain = \"example.com\"".to_owned(),
        "[okta]\napp_label = \"\"".to_owned(),
        "[okta]\napp_label = \"x\\u001b[31my\"".to_owned(),
        "[okta]\napp_id = \"0oa/1\"".to_owned(),
        "[okta]\nsign_on_policy = \" \"".to_owned(),
        "[aws]\nportal_url = \"http://acme.awsapps.com/start\"".to_owned(),
        "[aws]\nportal_url = \"https://acme.awsapps.com:8443/start\"".to_owned(),
        "[aws]\nportal_url = \"https://acme.awsapps.com/start?a=b\"".to_owned(),
        "[aws]\nportal_url = \"https://acme.awsapps.com/start#a\"".to_owned(),
        set("description = \"\""),
        set(&format!("description = \"{}\"", "x".repeat(701))),
        set("session_duration = \"8 hours\""),
        set("session_duration = \"13h\""),
        set("session_duration = \"PT13H\""),
        set("managed_policies = [\"Read Only\"]"),
        set("managed_policies = [\"arn:aws:iam::111122223333:policy/Own\"]"),
        set("customer_managed_policies = [\"a b\"]"),
        set("customer_managed_policies = [\"path/name\"]"),
        set("permissions_boundary = \"PowerUserAccess\""),
        set("permissions_boundary = { managed_policy = \"A\", customer_managed_policy = \"B\" }"),
        set("relay_state = \"\""),
        set("relay_state = \"a<b\""),
        set("tags = { \"aws:a\" = \"b\" }"),
        set("tags = { \"\" = \"b\" }"),
        set("inline_policy = []"),
        set("inline_policy = \"[]\""),
        set("inline_policy = {}"),
        set("inline_policy = { Statement = [], Statements = [] }"),
        "[permission_sets.\"a b\"]".to_owned(),
        format!("[permission_sets.{}]", "x".repeat(33)),
        "[provisioning]\nmode = \"other\"".to_owned(),
        "[provisioning]\npush_groups = \"aws-*\"".to_owned(),
        "[provisioning]\npush_groups = {}".to_owned(),
        "[provisioning]\npush_groups = { except = [\"a\"] }".to_owned(),
        "[provisioning]\nassign_groups = { name = [] }".to_owned(),
        "[provisioning]\nassign_groups = { prefix = \"a\" }".to_owned(),
        "[provisioning]\nassign_users = { search = \" \" }".to_owned(),
        "[provisioning]\ndisplay_name = \"first-last\"".to_owned(),
        "[provisioning.attributes]\nphon = \"mobilePhone\"".to_owned(),
        "[provisioning.attributes]\nphone = 1".to_owned(),
        "[provisioning.attributes]\nphone = \"user.mobilePhone\"".to_owned(),
        "[lists]\nteam = \"a\"".to_owned(),
        "include = \"a.toml\"".to_owned(),
    ];
    let groups = "[[access]]\ngroups = { a = \"Billing\" }\n";
    let with_keys = [
        "",
        "account = 1",
        "accounts = []",
        "accounts = [\"c\", \"c\"]",
        "accounts = \"c\"",
        "accounts = {}",
        "accounts = { all = false }",
        "accounts = { all = true, ou = [\"A\"] }",
        "accounts = { ou = [] }",
        "accounts = { ou = \"A\" }",
        "accounts = { tag = {} }",
        "accounts = { tag = { team = [] } }",
        "accounts = { name = [] }",
        "accounts = { except = [\"A\"] }",
        "accounts = { units = [\"A\"] }",
        "accounts = { all = true, except = { ou = [\"A\"], except = [\"B\"] } }",
        "accounts = { all = true, except = {} }",
        "account = \"c\"\naccounts = { all = true }",
        "account = \"c\"\npermission_set = \"Billing\"",
        "account = \"c\"\ngroup = \"b\"",
        "account = \"c\"\nuser = \"b\"\npermission_set = \"Billing\"",
        "account = \"c\"\nusers = {}",
        "account = \"c\"\nusers = { b = [] }",
        "account = \"c\"\nfor = {}",
        "account = \"c\"\nfor = { a = [\"1\"], b = [\"2\"] }",
        "account = \"c\"\nfor = [\"1\"]",
        "account = \"c\"\nuntil = 1",
        "account = \"c\"\nprotected = \"yes\"",
        "account = \"c\"\nowner = 1",
    ];
    let with_keys = with_keys.map(|keys| format!("{groups}{keys}"));
    for text in refused.into_iter().chain(with_keys) {
        Blueprint::from_toml(&text).expect_err(&text);
        assert!(refusal(&text).is_some(), "the schema accepts {text}");
    }
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let set = |line: &str| format!("[permission_sets.Dev]\n{line}\n");
    for text in [
        SEED,
        TEAM,
        include_str!("../../examples/blueprint.toml"),
        "",
        "[okta]\nsign_on_policy = \"Any two factors\"\n[provisioning]\ndisplay_name = true",
        "[aws]\nportal_url = \"https://acme.awsapps.com/start\"",
        "[provisioning.attributes]\nphone = \"mobilePhone\"\nmanager = \"\"",
        &set("session_duration = \"PT1H30M\""),
        &set("session_duration = \"8h\""),
        &set("session_duration = \"90m\""),
        &set(
            "managed_policies = [\"ReadOnlyAccess\", \"job-function/Billing\", \"arn:aws-cn:iam::aws:policy/A\"]",
        ),
        &set("customer_managed_policies = [\"Deploy\", \"/teams/web/Deploy\", \"/Deploy\"]"),
        &set("permissions_boundary = { customer_managed_policy = \"/teams/Limit\" }"),
        &set(
            "inline_policy = { Version = \"2012-10-17\", Statement = { Effect = \"Deny\", Action = \"*\", Resource = \"*\" } }",
        ),
        &set("relay_state = \"https://console.aws.amazon.com/s3/\""),
        &set("tags = { owner = \"web\" }"),
        &set("existing = true"),
        include_str!("../../src/blueprint/expand/tests/selectors.toml"),
        "[[access]]\nusers = { a = [\"Billing\", \"ReadOnlyAccess\"] }\naccount = \"c\"\naccounts = [\"d\"]",
        "[[access]]\ngroups = { a = \"Billing\" }\naccounts = { all = true, except = { tag = { a = \"b\" } } }",
    ] {
        Blueprint::from_toml(text).expect(text);
        assert_eq!(refusal(text), None, "{text}");
    }
}

#[test]
fn a_huge_blueprint_is_refused_at_once() {
    let text = "# a line of comment\n".repeat(300_000);
    let error = Blueprint::from_toml(&text).expect_err("6 MB");
    assert!(error.to_string().contains("at most 4194304"), "{error}");
    Blueprint::from_json(&text).expect_err("6 MB");
}

/// The documents of runs, which are checked against the schema and for secrets.
#[derive(Clone, Default)]
pub(crate) struct Documents(Arc<Mutex<Vec<String>>>);

impl Documents {
    /// Adds the events of a pipeline.
    pub(crate) fn of_events(&self, pipeline: Pipeline) -> Pipeline {
        let documents = self.clone();
        pipeline.on_event(move |event| documents.add(&Document::event(event)))
    }

    pub(crate) fn add(&self, document: &Document<'_>) {
        self.0.lock().expect("a lock").push(document.to_string());
    }

    /// Checks the documents, and returns them.
    pub(crate) fn checked(&self) -> Vec<serde_json::Value> {
        static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
            let schema = serde_json::to_value(Document::json_schema()).expect("JSON");
            jsonschema::validator_for(&schema).expect("a schema")
        });
        let check = |line: String| {
            let document: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(document["format"], 0, "{line}");
            if let Err(error) = VALIDATOR.validate(&document) {
                panic!("{error}\n{line}");
            }
            assert!(!has_secret(&line), "a document contains a secret");
            document
        };
        let lines = std::mem::take(&mut *self.0.lock().expect("a lock"));
        lines.into_iter().map(check).collect()
    }
}

#[tokio::test]
async fn every_document_of_a_run_is_as_its_schema_says() {
    let fixture = Fixture::new(TEAM).await;
    let documents = Documents::default();
    let pipeline = documents.of_events(fixture.pipeline());
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a run");
    let verification = pipeline.verify().await.expect("a verification");
    let instance = report.facts.instance.as_ref().expect("an instance");
    let center = fixture.aws.identity_center(&instance.instance());
    let error = Error::new(ErrorKind::Pipeline, "an error").with_help("do something");
    let problem = Problem::new(None, &error);
    let access = AccessReport::read(&fixture.aws, &center).await;
    let access = Access {
        portal_url: report.facts.portal.as_ref(),
        report: &access.expect("an access report"),
    };
    let mut lines = Vec::new();
    access.write_json_lines(&mut lines).expect("memory");
    let lines = String::from_utf8(lines).expect("UTF-8");
    let lines = lines.lines().map(ToOwned::to_owned);
    documents.0.lock().expect("a lock").extend(lines);
    for document in [
        Document::Plan(&plan),
        Document::Report(&report),
        Document::verification(&verification),
        Document::access(&access),
        Document::problem(&problem),
    ] {
        documents.add(&document);
    }
    assert!(documents.checked().len() > 24);
}
