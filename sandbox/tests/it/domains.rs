//! Tests of custom domains: DNS records, verification, certificates, and metadata that names the domain.

use std::time::Duration;

use okta_aws_sandbox::{DnsRecord, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, identity_center, okta, post, refusal, sandbox, send};

const DELAY: Duration = Duration::from_mins(5);

async fn create(sandbox: &Sandbox, name: &str) -> Value {
    let body = json!({ "domain": name, "certificateSourceType": "OKTA_MANAGED" });
    let response = send(okta(sandbox, Method::POST, "/api/v1/domains").json(&body)).await;
    assert_eq!(response.status(), 201);
    response.json().await.expect("JSON")
}

async fn verify(sandbox: &Sandbox, domain: &Value) -> Value {
    let path = format!(
        "/api/v1/domains/{}/verify",
        domain["id"].as_str().expect("an id")
    );
    let response = send(okta(sandbox, Method::POST, &path).header("content-length", "0")).await;
    assert_eq!(response.status(), 200);
    response.json().await.expect("JSON")
}

/// Publishes the records that Okta requires, in the notation of a DNS provider.
fn publish(sandbox: &Sandbox, domain: &Value) {
    let records = domain["dnsRecords"].as_array().expect("records").iter();
    let records: Vec<DnsRecord> = records
        .map(|record| {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let name = format!("{}.", text(&record["fqdn"]).to_uppercase());
            DnsRecord::new(
                text(&record["recordType"]),
                name,
                text(&record["values"][0]),
            )
        })
        .collect();
    sandbox.console().publish_dns(&records);
}

#[tokio::test]
async fn a_domain_is_verified_by_its_records_and_gets_a_certificate_later() {
    let sandbox = builder()
        .certificate_delay(DELAY)
        .start()
        .await
        .expect("a sandbox");
    let domain = create(&sandbox, "Login.Example.com").await;
    assert_eq!(domain["domain"], "login.example.com");
    assert_eq!(domain["validationStatus"], "NOT_STARTED");
    assert_eq!(
        domain["dnsRecords"][0]["fqdn"],
        "_oktaverification.login.example.com"
    );
    assert_eq!(
        domain["dnsRecords"][0]["values"][0].as_str().map(str::len),
        Some(32)
    );
    assert_eq!(
        domain["dnsRecords"][1]["values"][0],
        "analytical.customdomains.okta.com"
    );

    assert_eq!(
        verify(&sandbox, &domain).await["validationStatus"],
        "FAILED_TO_VERIFY"
    );
    publish(&sandbox, &domain);
    assert_eq!(
        verify(&sandbox, &domain).await["validationStatus"],
        "IN_PROGRESS"
    );
    let path = format!("/api/v1/domains/{}", domain["id"].as_str().expect("an id"));
    assert_eq!(
        get(&sandbox, &path).await["validationStatus"],
        "IN_PROGRESS"
    );
    sandbox.advance(DELAY);
    let domain = get(&sandbox, &path).await;
    assert_eq!(domain["validationStatus"], "COMPLETED");
    assert_eq!(
        domain["publicCertificate"]["subject"],
        "CN=login.example.com"
    );
    let list = get(&sandbox, "/api/v1/domains").await;
    assert_eq!(list["domains"][0]["id"], "default");
    let listed = &list["domains"][1];
    assert_eq!(listed["id"], domain["id"]);
    assert!(listed["dnsRecords"].is_null() && listed["publicCertificate"].is_null());
}

#[tokio::test]
async fn a_failed_verification_can_require_a_new_value_of_the_txt_record() {
    for (required, changes) in [(false, false), (true, true)] {
        let sandbox = builder().new_dns_values(required);
        let sandbox = sandbox.start().await.expect("a sandbox");
        let created = create(&sandbox, "login.example.com").await;
        let failed = verify(&sandbox, &created).await;
        assert_eq!(failed["validationStatus"], "FAILED_TO_VERIFY");
        let [before, after] = [&created, &failed].map(|domain| &domain["dnsRecords"]);
        assert_eq!(before[0] != after[0], changes);
        assert_eq!(before[1], after[1], "the CNAME record stays");
        publish(&sandbox, &failed);
        let verified = verify(&sandbox, &failed).await;
        assert_eq!(verified["validationStatus"], "COMPLETED");
        assert_eq!(verified["dnsRecords"], *after);
    }
}

#[tokio::test]
async fn a_domain_without_a_managed_certificate_waits_for_an_upload() {
    let sandbox = sandbox().await;
    let body = json!({ "domain": "login.example.com", "certificateSourceType": "MANUAL" });
    let domain = post(&sandbox, "/api/v1/domains", &body).await;
    let refused = sandbox.console().upload_certificate("login.example.com");
    assert!(refused.is_err(), "the domain is not verified");
    publish(&sandbox, &domain);
    for _ in 0..2 {
        assert_eq!(
            verify(&sandbox, &domain).await["validationStatus"],
            "VERIFIED"
        );
        sandbox.advance(DELAY);
    }
    sandbox
        .console()
        .upload_certificate("login.example.com")
        .expect("an upload");
    let completed = verify(&sandbox, &domain).await;
    assert_eq!(completed["validationStatus"], "COMPLETED");
    assert_eq!(completed["certificateSourceType"], "MANUAL");
}

#[tokio::test]
async fn metadata_names_the_custom_domain_of_the_request() {
    let sandbox = sandbox().await;
    let domain = create(&sandbox, "login.example.com").await;
    let path = format!(
        "/api/v1/apps/{}/sso/saml/metadata",
        identity_center(&sandbox).await
    );
    let metadata = async |host: Option<&str>| {
        let mut request = okta(&sandbox, Method::GET, &path).header("accept", "application/xml");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        send(request).await.text().await.expect("a body")
    };
    let custom = "Location=\"https://login.example.com/app/";
    assert!(
        !metadata(Some("login.example.com")).await.contains(custom),
        "not before the domain is verified"
    );
    publish(&sandbox, &domain);
    assert_eq!(
        verify(&sandbox, &domain).await["validationStatus"],
        "COMPLETED"
    );
    assert!(metadata(Some("login.example.com")).await.contains(custom));
    assert!(
        metadata(None)
            .await
            .contains("Location=\"https://analytical.okta.com/app/")
    );
}

#[tokio::test]
async fn an_apex_domain_a_duplicate_and_a_fourth_domain_are_rejected() {
    let sandbox = sandbox().await;
    let body = |name: &str| json!({ "domain": name, "certificateSourceType": "MANUAL" });
    let refused = async |name: &str| {
        refusal(okta(&sandbox, Method::POST, "/api/v1/domains").json(&body(name))).await
    };
    assert_eq!(
        refused("example.com").await.3,
        "domain: The domain is not valid"
    );
    for name in ["a.example.com", "b.example.com", "c.example.com"] {
        post(&sandbox, "/api/v1/domains", &body(name)).await;
    }
    assert_eq!(
        refused("A.example.com").await.3,
        "domain: The domain already exists"
    );
    let (status, code, ..) = refused("d.example.com").await;
    assert_eq!((status, code.as_str()), (403, "E0000165"));
}

// Source: "Replace a custom domain's brand": 404 is one of its responses.
#[tokio::test]
async fn a_domain_has_a_brand_that_exists() {
    let sandbox = sandbox().await;
    let domain = create(&sandbox, "login.example.com").await;
    let path = format!("/api/v1/domains/{}", domain["id"].as_str().expect("an id"));
    let brand = get(&sandbox, "/api/v1/brands").await[0]["id"].clone();
    let put = |brand: Value| okta(&sandbox, Method::PUT, &path).json(&json!({ "brandId": brand }));
    let response = send(put(brand.clone())).await;
    assert_eq!(response.status(), 200);
    let changed: Value = response.json().await.expect("JSON");
    assert_eq!(changed["brandId"], brand);
    assert_eq!(refusal(put(json!("bnd1none"))).await.0, 404);
    assert_eq!(refusal(put(Value::Null)).await.0, 400);
}
