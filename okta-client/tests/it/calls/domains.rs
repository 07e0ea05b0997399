//! Requests about domains.

use okta_client::{CertificateSource, DomainCertificate, Id, NewDomain};
use rest_core::Secret;
use serde_json::json;

use super::{check, done, wire};
use crate::{Org, empty, json};

#[tokio::test]
async fn calls_for_domains_match_the_api_reference() {
    let domain = || json!({ "id": "OcD1", "domain": "login.example.com" });
    let id = Id::parse("OcD1").unwrap();

    let org = Org::responding([json(200, json!({ "domains": [domain()] }))]);
    assert_eq!(
        org.client().domains().list().try_collect().await.unwrap()[0].name,
        "login.example.com"
    );
    check(&org, "GET /api/v1/domains", None);

    let org = Org::responding([json(200, domain())]);
    org.client().domains().get(&id).await.unwrap();
    check(&org, "GET /api/v1/domains/OcD1", None);

    let new = NewDomain {
        name: "login.example.com".to_owned(),
        certificate: CertificateSource::OktaManaged,
    };
    // Documented status: 200. Actual status: 201.
    let org = Org::responding([json(201, domain())]);
    org.client().domains().create(&new).await.unwrap();
    let body = json!({ "domain": "login.example.com", "certificateSourceType": "OKTA_MANAGED" });
    check(&org, "POST /api/v1/domains", body);

    let org = Org::responding([json(200, domain())]);
    org.client().domains().verify(&id).await.unwrap();
    check(&org, "POST /api/v1/domains/OcD1/verify", None);
    assert_eq!(org.header(0, "content-length").as_deref(), Some("0"));

    let org = done(204);
    org.client().domains().delete(&id).await.unwrap();
    check(&org, "DELETE /api/v1/domains/OcD1", None);
}

#[tokio::test]
async fn a_domain_is_looked_up_if_its_creation_returns_an_empty_body() {
    let list = json!({ "domains": [
        { "id": "OcD1", "domain": "other.example.com" },
        { "id": "OcD2", "domain": "login.example.com" }
    ] });
    // Only the domain itself has its records.
    let record = json!({ "recordType": "TXT", "fqdn": "_oktaverification.login.example.com", "values": ["a"] });
    let domain = json!({ "id": "OcD2", "domain": "login.example.com", "dnsRecords": [record] });
    let org = Org::responding([empty(204), json(200, list), json(200, domain)]);
    let new = NewDomain {
        name: "Login.example.com".to_owned(),
        certificate: CertificateSource::Manual,
    };
    let domain = org.client().domains().create(&new).await.unwrap();
    assert_eq!(domain.id.as_str(), "OcD2");
    assert_eq!(domain.dns_records.len(), 1);
}

#[tokio::test]
async fn calls_for_certificates_and_brands_of_domains_match_the_api_reference() {
    let id = || Id::parse("OcD1").unwrap();
    let certificate = || DomainCertificate {
        certificate: "cert".to_owned(),
        chain: "chain".to_owned(),
        private_key: Secret::new("do-not-show-this-key"),
    };
    wire(
        empty(204),
        async |okta| {
            okta.domains()
                .upload_certificate(&id(), &certificate())
                .await
                .unwrap();
        },
        "PUT /api/v1/domains/OcD1/certificate",
        json!({
            "type": "PEM", "privateKey": "do-not-show-this-key", "certificate": "cert",
            "certificateChain": "chain"
        }),
    )
    .await;
    let refusal = json!({ "errorCode": "E0000001", "errorSummary": "bad: do-not-show-this-key" });
    let org = Org::responding([json(400, refusal)]);
    let result = org
        .client()
        .domains()
        .upload_certificate(&id(), &certificate())
        .await;
    let text = format!("{:?} {:?}", result.expect_err("a refusal"), certificate());
    assert!(!text.contains("do-not-show"), "{text}");
    wire(
        json(200, json!({ "id": "OcD1", "brandId": "bnd1" })),
        async |okta| {
            let brand = Id::parse("bnd1").unwrap();
            let domain = okta.domains().set_brand(&id(), &brand).await.unwrap();
            assert_eq!(domain.brand, Some(brand));
        },
        "PUT /api/v1/domains/OcD1",
        json!({ "brandId": "bnd1" }),
    )
    .await;
}
