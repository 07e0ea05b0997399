//! Tests of the example program `scim_sync`, run as a process.

use sandbox::{PersonStatus, Sandbox, Stage};

use crate::processes::{blueprint, example, served, stderr, stdout};

const TEAM: &str =
    "[provisioning]\nassign_groups = [\"aws-users\"]\npush_groups = [\"deployers\"]\n";

#[tokio::test]
async fn scim_sync_needs_no_arguments_and_counts_its_requests() {
    let output = example("scim_sync").output().await.expect("the program");
    let out = stdout(&output);
    assert!(output.status.success(), "{out}\n{}", stderr(&output));
    for part in [
        "Sync: 25 users to create, 3 groups to create, 25 members to add",
        "Done: 25 users created, 3 groups created, 25 members added",
        "  written: 0 requests to Okta, 0 SCIM reads, 28 SCIM writes",
        "Sync: No changes",
        "  again: 11 requests to Okta, 1 SCIM read, 0 SCIM writes",
    ] {
        assert!(out.contains(part), "no {part:?} in\n{out}");
    }
}

#[tokio::test]
async fn the_example_continues_from_its_state_and_exits_with_1_if_a_limit_is_exceeded() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let enabled = sandbox.console().enable_identity_center();
    enabled.expect("an instance");
    let file = blueprint(folder.path(), TEAM);
    let run = async |more: &[&str]| {
        let output = example("scim_sync")
            .arg("--target")
            .arg(&ready)
            .arg("--blueprint")
            .arg(&file)
            .arg("--state")
            .arg(folder.path().join("state"))
            .args(more)
            .output()
            .await
            .expect("the program");
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, _, err) = run(&[]).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("connect the sandbox first"), "{err}");

    let integrated = example("integrate")
        .arg("--target")
        .arg(&ready)
        .arg("--blueprint")
        .arg(crate::processes::blueprint(
            folder.path(),
            crate::fixture::SEED,
        ))
        .arg("--yes")
        .output()
        .await
        .expect("the program");
    assert!(integrated.status.success(), "{}", stderr(&integrated));
    blueprint(folder.path(), TEAM);

    let writes = || {
        let requests = sandbox.writes();
        sandbox.clear_requests();
        let scim = requests
            .iter()
            .filter(|request| request.service == sandbox::Service::Scim);
        scim.count()
    };
    writes();
    let (code, out, err) = run(&["--dry-run"]).await;
    assert_eq!(code, Some(2), "{err}");
    assert!(out.contains("Nothing was written."), "{out}");
    assert_eq!(writes(), 0);
    let (code, _, err) = run(&[]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(writes() > 0);
    let (code, out, err) = run(&[]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("Sync: No changes"), "{out}");
    assert_eq!(writes(), 0);

    for number in 2..=3 {
        let login = format!("person.0000{number}@example.com");
        sandbox.set_user_status(&login, PersonStatus::Deprovisioned);
    }
    let (code, out, err) = run(&["--verify"]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("the guard allows 0 in this run"), "{err}");
    assert!(err.contains("--approve"), "{err}");
    assert_eq!(writes(), 0);
    let (code, _, err) = run(&[
        "--verify",
        "--allow-removals",
        "10",
        "--allow",
        "emptied-group:deployers",
    ])
    .await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(writes(), 3);
}

#[tokio::test]
async fn a_variable_of_a_real_tenant_selects_no_sandbox() {
    for (name, value) in [
        ("SCIM_TOKEN", "a-token"),
        ("OKTA_ORG_URL", "https://acme.okta.com"),
    ] {
        let output = example("scim_sync").env(name, value).output().await;
        let output = output.expect("the program");
        assert!(!output.status.success(), "{name}: {}", stdout(&output));
        let err = stderr(&output);
        assert!(err.contains("SCIM_ENDPOINT is not set"), "{name}: {err}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may block")]
#[tokio::test]
async fn a_folder_of_tables_is_a_source_and_a_wrong_row_removes_no_user() {
    let sandbox = Sandbox::builder().stage(Stage::Federated).start().await;
    let sandbox = sandbox.expect("a sandbox");
    let shown = sandbox.console().enable_automatic_provisioning();
    let shown = shown.expect("a token");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    let users = |count: usize| {
        let rows = (1..=count).map(|number| {
            format!("u{number},p{number}@example.com,P,N{number},P{number},p{number}@example.com\n")
        });
        let header = "id,user_name,given_name,family_name,display_name,email\n";
        header.to_owned() + &rows.collect::<String>()
    };
    write("users.csv", &users(3));
    write("groups.csv", "id,name\ng1,engines\n");
    write("members.csv", "group,member\ng1,u1\ng1,u3\n");
    let run = async |more: &[&str]| {
        let output = example("scim_sync")
            .env("SCIM_ENDPOINT", &shown.scim_endpoint)
            .env("SCIM_TOKEN", &shown.access_token)
            .arg("--source")
            .arg(folder.path())
            .arg("--state")
            .arg(folder.path().join("state"))
            .args(more)
            .output()
            .await
            .expect("the program");
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, out, err) = run(&["--yes"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("3 users created, 1 group created, 2 members added"),
        "{out}"
    );
    let groups = sandbox.identity_groups();
    assert_eq!(groups.len(), 1);
    let (code, out, err) = run(&["--yes"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("Sync: No changes"), "{out}");
    // One row is wrong, and two users are missing.
    write("users.csv", &(users(1) + "u2,,P,N2,P2,\n"));
    let (code, out, err) = run(&["--yes"]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("line 3 of table users"), "{out}");
    assert!(
        out.contains("-- not complete: 1 item could not be read"),
        "{out}"
    );
    assert!(sandbox.identity_users().iter().all(|user| user.active));
    // A schedule withholds what the guard refuses, and writes the rest.
    let new = "u4,p4@example.com,P,N4,P4,p4@example.com\n";
    write("users.csv", &(users(1) + new));
    let (code, out, err) = run(&["--yes"]).await;
    assert_eq!(code, Some(1), "{err}");
    assert!(out.contains("--approve"), "{out}");
    assert!(
        out.contains("remove user p2@example.com: withheld by the guard"),
        "{out}"
    );
    assert!(out.contains("1 user created"), "{out}");
    assert!(sandbox.identity_users().iter().all(|user| user.active));
    let (code, out, err) = run(&["--yes", "--json"]).await;
    assert_eq!(code, Some(1), "{err}");
    let documents: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(documents.len(), 2, "{out}");
    assert_eq!(documents[0]["type"], "plan");
    assert_eq!(documents[1]["type"], "sync-report");
    assert_eq!(
        documents[1]["withheld"].as_array().map(Vec::len),
        Some(3),
        "{out}"
    );
    let (code, _, err) = run(&["--yes", "--allow-removals", "3"]).await;
    assert_eq!(code, Some(0), "{err}");
    let active = sandbox
        .identity_users()
        .into_iter()
        .filter(|user| user.active);
    assert_eq!(active.count(), 2);
}
