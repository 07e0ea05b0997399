//! Requests about keys.

use okta_client::{CsrSubject, Id};
use serde_json::json;

use super::{check, list, resource, wire};
use crate::{Org, app_id, empty, json, text, with};

#[tokio::test]
async fn calls_for_saml_match_the_api_reference() {
    let org = Org::responding([text(200, "<EntityDescriptor/>")]);
    let bytes = org
        .client()
        .apps()
        .saml_metadata(&app_id(), &Id::parse("kid-1").unwrap())
        .await
        .unwrap();
    assert_eq!(bytes, "<EntityDescriptor/>");
    check(
        &org,
        "GET /api/v1/apps/0oa1/sso/saml/metadata?kid=kid-1",
        None,
    );
    assert_eq!(org.header(0, "accept").as_deref(), Some("application/xml"));

    let org = Org::responding([json(200, json!([{ "kid": "a" }, { "kid": "b" }]))]);
    assert_eq!(
        org.client()
            .apps()
            .keys(&app_id())
            .try_collect()
            .await
            .unwrap()
            .len(),
        2
    );
    check(&org, "GET /api/v1/apps/0oa1/credentials/keys", None);

    let org = Org::responding([json(201, json!({ "kid": "c" }))]);
    assert_eq!(
        org.client()
            .apps()
            .generate_key(&app_id(), 2)
            .await
            .unwrap()
            .kid
            .as_str(),
        "c"
    );
    check(
        &org,
        "POST /api/v1/apps/0oa1/credentials/keys/generate?validityYears=2",
        None,
    );
    assert_eq!(org.header(0, "content-length").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_page_or_nothing_is_not_saml_metadata() {
    let page = "<html><body>Sign in to see the EntityDescriptor</body></html>";
    let page = with(text(200, page), "content-type", "text/html; charset=utf-8");
    let bodies = ["<html><body>Sign in</body></html>", "", "{}"];
    for response in bodies.map(|body| text(200, body)).into_iter().chain([page]) {
        let org = Org::responding([response]);
        let metadata = org
            .client()
            .apps()
            .saml_metadata(&app_id(), &Id::parse("k").unwrap())
            .await;
        let error = metadata.expect_err("no metadata");
        assert_eq!(error.status(), Some(200));
        assert!(error.help().is_some_and(|help| help.contains("proxy")));
    }
}

#[tokio::test]
async fn calls_for_keys_match_the_api_reference() {
    let kid = || Id::parse("kid-1").unwrap();
    wire(
        json(200, json!({ "kid": "kid-1" })),
        async |okta| drop(okta.apps().key(&app_id(), &kid()).await.unwrap()),
        "GET /api/v1/apps/0oa1/credentials/keys/kid-1",
        None,
    )
    .await;
    wire(
        json(201, json!({ "kid": "kid-1" })),
        async |okta| {
            let target = Id::parse("0oa2").unwrap();
            okta.apps()
                .clone_key(&app_id(), &kid(), &target)
                .await
                .unwrap();
        },
        "POST /api/v1/apps/0oa1/credentials/keys/kid-1/clone?targetAid=0oa2",
        None,
    )
    .await;
}

#[tokio::test]
async fn calls_for_certificate_signing_requests_match_the_api_reference() {
    let id = || Id::parse("csr1").unwrap();
    let base = "/api/v1/apps/0oa1/credentials/csrs";
    wire(
        list(),
        async |okta| drop(okta.apps().csrs(&app_id()).try_collect().await.unwrap()),
        &format!("GET {base}"),
        None,
    )
    .await;
    wire(
        json(201, json!({ "id": "csr1", "csr": "MIIC", "kty": "RSA" })),
        async |okta| {
            let subject = CsrSubject {
                common_name: Some("saml.example.com".to_owned()),
                country: Some("CH".to_owned()),
                dns_names: vec!["saml.example.com".to_owned()],
                ..CsrSubject::default()
            };
            let csr = okta.apps().create_csr(&app_id(), &subject).await.unwrap();
            assert_eq!(csr.csr, "MIIC");
        },
        &format!("POST {base}"),
        json!({
            "subject": { "commonName": "saml.example.com", "countryName": "CH" },
            "subjectAltNames": { "dnsNames": ["saml.example.com"] }
        }),
    )
    .await;
    wire(
        resource("csr1"),
        async |okta| drop(okta.apps().csr(&app_id(), &id()).await.unwrap()),
        &format!("GET {base}/csr1"),
        None,
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.apps().revoke_csr(&app_id(), &id()).await.unwrap(),
        &format!("DELETE {base}/csr1"),
        None,
    )
    .await;
    let org = Org::responding([json(201, json!({ "kid": "kid-1" }))]);
    let key = org
        .client()
        .apps()
        .publish_csr(&app_id(), &id(), "der bytes")
        .await
        .unwrap();
    assert_eq!(key.kid.as_str(), "kid-1");
    assert_eq!(
        org.requests(),
        [format!("POST {base}/csr1/lifecycle/publish")]
    );
    assert_eq!(org.text(0), "der bytes");
    assert_eq!(
        org.header(0, "content-type").as_deref(),
        Some("application/pkix-cert")
    );
}
