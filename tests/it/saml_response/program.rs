//! Tests of the example program `saml_response`.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{fs, path::Path};

use crate::processes::{example, stderr, stdout};

use super::forge::{ACS_URL, ASSERTION, ISSUER_URL, NOW, RESPONSE, base64, change, metadata, sign};

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(folder: &Path, pasted: &str, more: &[&str]) -> Run {
    let (file, idp) = (folder.join("response.txt"), folder.join("idp.xml"));
    fs::write(&file, pasted).expect("a file");
    fs::write(&idp, metadata().bytes()).expect("a file");
    let output = example("saml_response")
        .arg(file)
        .arg("--metadata")
        .arg(idp)
        .args(["--acs", ACS_URL, "--issuer", ISSUER_URL, "--at", NOW])
        .args(more)
        .output()
        .await
        .expect("the program");
    Run {
        code: output.status.code(),
        out: stdout(&output),
        err: stderr(&output),
    }
}

#[tokio::test]
async fn the_exit_code_says_whether_aws_would_accept_the_response() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = base64(&sign(RESPONSE, ASSERTION));
    let accepted = run(folder.path(), &good, &[]).await;
    assert_eq!(accepted.code, Some(0), "{}{}", accepted.out, accepted.err);
    let refused = run(folder.path(), &good, &["--user-name", "eve@example.com"]).await;
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    let unreadable = run(folder.path(), "It's not you, it's us", &[]).await;
    assert_eq!(
        unreadable.code,
        Some(2),
        "{}{}",
        unreadable.out,
        unreadable.err
    );
}

#[tokio::test]
async fn no_value_of_a_forged_response_is_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let forged = change(&sign(RESPONSE, ASSERTION), &[("engines", "looms")]);
    let refused = run(folder.path(), &base64(&forged), &[]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    for text in [&refused.out, &refused.err] {
        assert!(!text.contains("ada.lovelace"), "{text}");
        assert!(!text.contains("looms"), "{text}");
    }
}
