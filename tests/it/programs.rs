//! Tests of the example programs, run as processes.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use crate::processes::{blueprint, example, integrate, served, stderr, stdout};

#[tokio::test]
async fn integrate_needs_no_arguments() {
    let output = example("integrate")
        .output()
        .await
        .expect("the program starts");
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}\n{}", stderr(&output));
    for part in [
        "Plan: ",
        "Make Okta the identity source",
        "ok create permission set AdministratorAccess",
        "ada.lovelace@example.com",
        "Sign in at https://d-",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
}

#[tokio::test]
async fn a_second_run_of_integrate_prints_no_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), crate::fixture::TEAM);
    let state = folder.path().join("state");
    let run = || integrate(&ready, &blueprint, &state).arg("--yes").output();
    let first = run().await.expect("the program starts");
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(folder.path().join("state/metadata.xml").exists());
    sandbox.clear_requests();
    let second = run().await.expect("the program starts");
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(stdout(&second).lines().next(), Some("No changes"));
    assert_eq!(sandbox.writes().len(), 0);
}

#[tokio::test]
async fn plan_only_writes_nothing_and_json_output_has_one_document_per_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), crate::fixture::SEED);
    let mut command = example("integrate");
    command
        .arg("--target")
        .arg(&ready)
        .arg("--blueprint")
        .arg(&blueprint)
        .args(["--plan-only", "--json"]);
    let output = command.output().await.expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let documents: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(documents[0]["type"], "plan");
    assert!(documents[0]["steps"].is_array());
    assert_eq!(sandbox.writes().len(), 0);
}

#[tokio::test]
async fn a_saved_plan_is_applied_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), crate::fixture::SEED);
    let plan = folder.path().join("plan.json");
    let run = async |arguments: &[&str]| {
        let mut command = integrate(&ready, &blueprint, &folder.path().join("state"));
        let output = command.args(arguments).output().await;
        output.expect("the program starts")
    };
    let path = plan.to_str().expect("a path");
    let planned = run(&["--plan-only", "--out", path]).await;
    assert_eq!(planned.status.code(), Some(2), "{}", stderr(&planned));
    let applied = run(&["--plan", path, "--yes"]).await;
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    let again = run(&["--plan-only"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let stale = run(&["--plan", path, "--yes"]).await;
    assert_eq!(stale.status.code(), Some(1), "{}", stderr(&stale));
    assert!(
        stderr(&stale).contains("the plan is stale"),
        "{}",
        stderr(&stale)
    );
}

#[tokio::test]
async fn an_okta_url_without_a_token_is_an_error() {
    let output = example("integrate")
        .env("OKTA_ORG_URL", "http://127.0.0.1:9")
        .output()
        .await
        .expect("the program starts");
    assert!(!output.status.success());
    assert!(
        stderr(&output)
            .contains("the API token is missing: set one of OKTA_CLIENT_TOKEN, OKTA_API_TOKEN"),
        "{}",
        stderr(&output)
    );
}

/// Runs the metadata example; returns its exit code, standard output and standard error.
async fn saml_metadata<const N: usize>(arguments: [&str; N]) -> (i32, String, String) {
    let output = example("saml_metadata").args(arguments).output().await;
    let output = output.expect("the program starts");
    let code = output.status.code().expect("an exit code");
    (code, stdout(&output), stderr(&output))
}

/// Metadata in Okta's form, of an app of the sandbox.
const IDP: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/cli/src/saml_metadata/okta-metadata.xml"
);
/// A time at which the certificate of [`IDP`] is valid.
const AT: &str = "2027-01-01T00:00:00Z";

#[tokio::test]
async fn the_metadata_example_explains_and_validates() {
    let (code, out, _) = saml_metadata([]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("entity http://www.okta.com/exk"), "{out}");
    assert!(out.ends_with("0 errors, 2 other findings\n"), "{out}");
    let (code, out, _) = saml_metadata(["explain", IDP]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("signing: C=US"), "{out}");
}

#[tokio::test]
async fn the_exit_code_is_1_for_a_broken_rule_and_2_for_an_unreadable_file() {
    let good = ["validate", IDP, "--profile", "okta", "--at", AT];
    assert_eq!(saml_metadata(good).await.0, 0);
    let (code, out, _) = saml_metadata(["validate", IDP, "--at", "2099-01-01T00:00:00Z"]).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("[MD-KEY-05]"), "{out}");
    let (code, out, _) = saml_metadata(["validate", IDP, "--profile", "saml2int"]).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("error[MD-TIME-03]"), "{out}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.xml");
    std::fs::write(&file, "{\"not\": \"xml\"}").expect("a file");
    let (code, _, err) = saml_metadata(["explain", &file.display().to_string()]).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("not XML at all"), "{err}");
    let (code, _, err) = saml_metadata(["explain", "missing.xml"]).await;
    assert_eq!(code, 2, "{err}");
    assert!(
        err.starts_with("error: missing.xml could not be used\n"),
        "{err}"
    );
}

#[tokio::test]
async fn deny_warnings_makes_warnings_fail_the_validation() {
    let okta = ["validate", IDP, "--profile", "edugain", "--deny-warnings"];
    assert_eq!(saml_metadata(okta).await.0, 1);
    let aws = ["validate", IDP, "--at", AT, "--deny-warnings"];
    assert_eq!(saml_metadata(aws).await.0, 0);
}

#[tokio::test]
async fn findings_can_be_printed_as_json_and_sarif() {
    let (_, out, _) = saml_metadata(["validate", IDP, IDP, "--at", AT, "--format", "json"]).await;
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["findings"][0]["rule"], "MD-KEY-06");
    let (_, out, _) = saml_metadata(["validate", IDP, IDP, "--at", AT, "--format", "sarif"]).await;
    let log: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(log["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(log["runs"][1]["results"][0]["ruleId"], "MD-KEY-06");
}

#[tokio::test]
async fn the_metadata_example_lists_what_a_change_breaks() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = folder.path().join("new.xml");
    let text = std::fs::read_to_string(IDP).expect("a file");
    std::fs::write(&new, text.replace("/sso/saml", "/sso/saml2")).expect("a file");
    let new = new.display().to_string();
    let (code, out, _) = saml_metadata(["diff", IDP, &new, "--at", AT]).await;
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("endpoint changed: SingleSignOnService"),
        "{out}"
    );
    assert!(
        out.contains("while the partner has the old file: sign-in fails"),
        "{out}"
    );
    let (code, out, _) = saml_metadata(["diff", IDP, IDP, "--at", AT, "--format", "json"]).await;
    assert_eq!(code, 0, "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["safe"], true);
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_signed_file_verifies_until_it_is_altered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["signer.example.com".to_owned()])
        .and_then(|params| params.self_signed(&key))
        .expect("a certificate");
    std::fs::write(path("key.pem"), key.serialize_pem()).expect("a file");
    std::fs::write(path("signer.pem"), certificate.pem()).expect("a file");
    let (key, signer, output, altered) = (
        path("key.pem"),
        path("signer.pem"),
        path("signed.xml"),
        path("altered.xml"),
    );
    let sign = [
        "sign",
        IDP,
        "--key",
        &key,
        "--certificate",
        &signer,
        "--output",
        &output,
    ];
    let (code, _, err) = saml_metadata(sign).await;
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = saml_metadata(["verify", &output, "--key", &signer]).await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("#ecdsa-sha256\nentity http://www.okta.com/exk"),
        "{out}"
    );

    let text = std::fs::read_to_string(&output).expect("a file");
    std::fs::write(&altered, text.replace("acme.okta.com", "acme.okta.example")).expect("a file");
    let (code, out, _) = saml_metadata(["verify", &altered, "--key", &signer]).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("not verified: MD-SIG-06 "), "{out}");
    assert!(
        !out.contains("entity http"),
        "the output contains unsigned text: {out}"
    );
    // The program rejects a private key as a trusted key, and never prints it.
    let (code, _, err) = saml_metadata(["verify", &output, "--key", &key]).await;
    assert_eq!(code, 2, "{err}");
    assert!(!err.contains("PRIVATE"), "{err}");
}

#[tokio::test]
async fn the_report_example_lists_roles() {
    let output = example("access_report")
        .output()
        .await
        .expect("the program starts");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("group aws-platform-admins"),
        "{}",
        stdout(&output)
    );
}
