//! Tests of the program as a process: help, exit status, output in a pipe.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::process::{Command, Output, Stdio};

/// Runs the program on a sandbox in its own process, without a terminal.
fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program runs")
}

/// Returns the program without the variables of this process.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-aws-sso"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn the_help_of_each_command_is_as_documented() {
    for command in [
        "plan", "apply", "verify", "report", "sync", "saml", "schema", "validate", "rehearse",
    ] {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        insta::assert_snapshot!(format!("help_{command}"), stdout(&output));
    }
    insta::assert_snapshot!("help", stdout(&run(&["--help"])));
}

#[test]
fn the_help_of_sync_names_its_variables_and_exit_statuses() {
    let help = stdout(&run(&["sync", "--help"]));
    for part in [
        "SCIM_ENDPOINT",
        "_SECRET_ARN",
        "SYNC_OPTIONS",
        "Exit status",
        "SIGTERM",
    ] {
        assert!(help.contains(part), "no {part} in\n{help}");
    }
}

#[test]
fn sync_runs_on_its_own_sandbox_only_without_options_of_a_real_run_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let blueprint = folder.path().join("company.toml");
    std::fs::write(&blueprint, "").expect("a file");
    let blueprint = blueprint.to_str().expect("a path");
    for arguments in [
        &["--blueprint", blueprint][..],
        &["--plan-only", "--state", "state"],
        &["--source", "directory.json"],
        &["--guard", "daily"],
        &["--allow-removals", "1"],
        &["--approve", "id"],
        &["--allow", "emptied-group:a"],
        &["--withhold-removals"],
        &["--verify-every", "2"],
        &["--verify"],
        &["--full"],
        &["--generic"],
        &["--yes"],
    ] {
        let output = run(&[&["sync"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(
            text.contains("SCIM_ENDPOINT is not set"),
            "{arguments:?}: {text}"
        );
    }
    let output = run(&["sync", "--plan-only", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let plan = stdout(&output);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("on a sandbox in this process"), "{text}");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("one line of JSON");
    assert_eq!(plan["type"], "plan");
}

#[test]
fn a_run_on_a_sandbox_reads_no_secret() {
    let mut command = program(&["plan"]);
    command.env("SCIM_TOKEN_SECRET_ARN", "an ARN that cannot be read");
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    for arguments in [
        &["unknown"][..],
        &["plan", "--unknown"],
        &["apply", "--allow-removals", "many"],
        &["apply", "--allow-removals", "people=3"],
        &["sync", "--target", "READY.json", "--generic"],
        &[],
    ] {
        assert_eq!(run(arguments).status.code(), Some(64), "{arguments:?}");
    }
}

#[test]
fn a_plan_with_changes_ends_with_2_and_its_summary_is_last() {
    let output = run(&["plan"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stdout(&output);
    let last = text.trim_end().lines().last().expect("a line");
    assert!(last.starts_with("Plan: "), "{last}");
    assert!(!text.contains('\u{1b}'), "a pipe has no colors");
}

/// Returns a text without ids, times, ports and waits, which differ from run to run.
fn stable(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("  .. waiting for "));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    for (pattern, replacement) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (
            r"\b(0oa|00u|00g|exk|ssoins-|d-|OcD)[0-9A-Za-z]{8,}",
            "${1}ID",
        ),
        (r"\b[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,31}\b", "FINGERPRINT"),
        (
            r"\b[0-9a-f]{10}-[0-9a-f-]{36}|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "UUID",
        ),
        (r"\brequest [0-9A-Za-z-]+", "request ID"),
        (r"/tmp/[^ ]+/", "FOLDER/"),
    ] {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    text
}

#[test]
fn the_texts_of_plan_and_run_are_as_documented() {
    insta::assert_snapshot!("text_plan", stable(&stdout(&run(&["plan"]))));
    insta::assert_snapshot!("text_apply", stable(&stdout(&run(&["apply"]))));
}

#[test]
fn the_texts_of_problems_and_errors_are_as_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("faults.toml");
    let text = "[[access]]\nuser = \"ada.lovelace@example.com\"\naccount = \"Sandbox\"\n\
        permission_set = \"AdministratorAccess\"\n\n[[access]]\nuser = \"unknown@example.com\"\n\
        account = \"Legacy\"\npermission_set = \"ReadOnlyAccess\"\n";
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("a path");
    let problems = run(&["apply", "--blueprint", file]);
    assert_eq!(problems.status.code(), Some(1));
    insta::assert_snapshot!("text_problems", stable(&stdout(&problems)));

    let refused = run(&["apply", "--blueprint", file, "--strict"]);
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8(refused.stderr).expect("UTF-8");
    insta::assert_snapshot!("text_refused", stable(&text));

    let missing = run(&["apply", "--plan", "missing.json"]);
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).expect("UTF-8");
    insta::assert_snapshot!("text_no_plan", stable(&text));
}

#[test]
fn the_text_of_a_plan_with_a_sign_on_policy_and_display_names_is_as_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("blueprint.toml");
    let text = "[okta]\nsign_on_policy = \"Phishing resistant\"\n[provisioning]\ndisplay_name = true\n\
        [[access]]\nuser = \"ada.lovelace@example.com\"\naccount = \"Sandbox\"\n\
        permission_set = \"AdministratorAccess\"\n";
    std::fs::write(&file, text).expect("a file");
    let plan = run(&["plan", "--blueprint", file.to_str().expect("a path")]);
    assert_eq!(plan.status.code(), Some(2));
    insta::assert_snapshot!("text_plan_of_options", stable(&stdout(&plan)));
}

#[test]
fn an_apply_on_the_sandbox_ends_with_0_and_a_report_of_the_roles() {
    let output = run(&["apply"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("Sign in at https://") && text.contains("ada.lovelace@example.com"));
}

/// Starts a sandbox and stops it again. Returns the Okta org that it has printed.
fn rehearsed_org(arguments: &[&str]) -> serde_json::Value {
    let mut command = program(&["rehearse"]);
    let command = command.args(arguments).stderr(Stdio::null());
    let mut sandbox = command.stdout(Stdio::piped()).spawn().expect("a process");
    let output = sandbox.stdout.take().expect("its output");
    let mut documents = serde_json::Deserializer::from_reader(output).into_iter();
    let ready: Option<Result<serde_json::Value, _>> = documents.next();
    sandbox.kill().expect("a running sandbox");
    sandbox.wait().expect("its end");
    ready.expect("a document").expect("JSON")["okta"].take()
}

#[test]
fn a_rehearsal_has_a_service_app_if_it_is_asked_for() {
    assert!(rehearsed_org(&[])["client_id"].is_null());
    let org = rehearsed_org(&["--okta-oauth"]);
    assert!(org["client_id"].is_string());
    let scopes = org["scopes"].as_array().expect("a list");
    assert!(scopes.contains(&"okta.users.manage".into()));
    let key = org["private_key"].as_str().expect("a key");
    let key: serde_json::Value = serde_json::from_str(key).expect("a JWK");
    assert_eq!(
        key["kty"], "RSA",
        "the Python SDK of Okta reads no other keys"
    );
}

#[test]
fn each_line_of_json_has_a_type_and_a_format() {
    let output = run(&["apply", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let mut types = std::collections::BTreeSet::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert_eq!(line["format"], 0, "{line}");
        types.insert(line["type"].as_str().expect("a type").to_owned());
    }
    let expected = ["access", "event", "plan", "report", "verification"];
    assert!(types.iter().eq(expected), "{types:?}");
}

#[test]
fn a_wrong_blueprint_is_shown_with_its_place_and_ends_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "[okta]\napp_labl = \"AWS\"\n").expect("a file");
    let file = file.to_str().expect("a path");
    let output = run(&["validate", "--blueprint", file]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        text.contains("app_labl") && text.contains("wrong.toml:2"),
        "{text}"
    );
    assert_eq!(run(&["validate"]).status.code(), Some(0));
}

#[test]
fn a_setting_that_cannot_be_used_is_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("blueprint.toml");
    std::fs::write(&file, "").expect("a file");
    for (org_url, token, reason) in [
        (
            "https://acme.okta.com",
            "00abc\ndef",
            "the Okta token cannot be used: the secret has a space, a line break or another character that a header cannot contain",
        ),
        (
            "http://acme.okta.com",
            "00abcdef",
            "the configuration for Okta cannot be used: the org URL must use https, because a token is sent to acme.okta.com",
        ),
    ] {
        let mut command = program(&["plan", "--blueprint", file.to_str().expect("a path")]);
        command.env("OKTA_ORG_URL", org_url);
        let output = command.env("OKTA_API_TOKEN", token).output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(text.contains(reason), "{text}");
        assert!(!text.contains(token), "{text}");
    }
}

#[test]
fn the_schema_is_json() {
    for of in ["blueprint", "document"] {
        let schema: serde_json::Value =
            serde_json::from_str(&stdout(&run(&["schema", of]))).expect("JSON");
        assert!(schema["$schema"].is_string());
    }
}

#[test]
fn an_unattended_apply_waits_for_the_operator_with_3() {
    let output = run(&["apply", "--no-input"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
}

#[test]
fn saml_ends_with_1_for_a_broken_rule_and_2_for_a_file_that_is_not_metadata() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/saml_metadata/okta-metadata.xml"
    );
    assert_eq!(run(&["saml", "validate", file]).status.code(), Some(0));
    let missing = run(&["saml", "validate", "--profile", "okta", "missing.xml"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_report_explains_the_roles_of_a_user_with_the_entries_of_the_blueprint() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("access.html");
    let page = page.to_str().expect("UTF-8");
    let user = ["report", "--rehearse", "--user", "ada.lovelace@example.com"];
    let output = run(&user);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("ada.lovelace@example.com\n  "), "{text}");
    assert!(text.contains(": access["), "{text}");
    assert!(
        text.contains("all assignments of ada.lovelace@example.com were read"),
        "{text}"
    );

    let output = run(&["report", "--rehearse", "--format", "html", "--output", page]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b""[..]));
    let html = std::fs::read_to_string(page).expect("a file");
    assert!(html.starts_with("<!doctype html>") && html.contains("ada.lovelace@example.com"));
}

#[test]
fn a_report_of_an_unknown_user_names_the_nearest_user() {
    let output = run(&["report", "--rehearse", "--user", "ada.lovelac@example.com"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        text.contains("did you mean `ada.lovelace@example.com`"),
        "{text}"
    );
}
