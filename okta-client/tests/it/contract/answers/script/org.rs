//! The org, its tokens, rate limits, brands, domains, policies, user schema and System Log.

use sandbox::DnsRecord;
use serde_json::{Value, json};

use super::{Org, text};

pub(super) async fn run(org: &mut Org) {
    org.get("org").await;
    policies(org).await;
    schema(org).await;
    domains(org).await;
    rate_limits(org).await;
    let events = org
        .get("logs?since=2026-01-01T00:00:00.000Z&limit=1000")
        .await;
    let failed = |event: &Value| event["outcome"]["result"] == "FAILURE";
    assert!(events.as_array().unwrap().iter().any(failed));
    org.get(
        "logs?since=2026-01-01T00:00:00.000Z&until=2026-07-01T00:00:00.000Z&sortOrder=DESCENDING",
    )
    .await;
    let phone = json!({ "phoneNumber": "+1 555 0100" });
    org.post("org", phone).await;
    tokens(org).await;
}

async fn policies(org: &mut Org) {
    let policies = org.get("policies?type=ACCESS_POLICY").await;
    let id = text(&policies[0], "id");
    org.get(&format!("policies/{id}")).await;
    org.refused("GET", "policies?type=OTHER", Value::Null).await;
}

async fn schema(org: &mut Org) {
    org.get("meta/schemas/user/default").await;
    let cost = json!({ "title": "Badge", "type": "string", "enum": ["red", "blue"] });
    let definitions = json!({ "custom": { "properties": { "badge": cost } } });
    let changed = json!({ "definitions": definitions });
    org.post("meta/schemas/user/default", changed).await;
}

async fn domains(org: &mut Org) {
    let brands = org.get("brands").await;
    let brand = format!("brands/{}", text(&brands[0], "id"));
    org.get(&brand).await;
    let managed = json!({ "domain": "login.example.com", "certificateSourceType": "OKTA_MANAGED" });
    let created = org.post("domains", managed).await;
    let domain = format!("domains/{}", text(&created, "id"));
    let verify = format!("{domain}/verify");
    let failed = org.post(&verify, Value::Null).await;
    assert_eq!(failed["validationStatus"], "FAILED_TO_VERIFY");
    publish(org, &failed);
    org.post(&verify, Value::Null).await;
    org.advance();
    let completed = org.get(&domain).await;
    assert_eq!(completed["validationStatus"], "COMPLETED");
    let other = json!({ "brandId": text(&completed, "brandId") });
    org.put(&domain, other).await;
    org.get("domains").await;
    org.get(&format!("{brand}/domains")).await;
    org.delete(&domain).await;

    let manual = json!({ "domain": "sso.example.com", "certificateSourceType": "MANUAL" });
    let created = org.post("domains", manual).await;
    let domain = format!("domains/{}", text(&created, "id"));
    publish(org, &created);
    org.post(&format!("{domain}/verify"), Value::Null).await;
    let certificate = json!({
        "type": "PEM", "privateKey": "x", "certificate": "x", "certificateChain": "x",
    });
    org.put(&format!("{domain}/certificate"), certificate).await;
    org.get(&domain).await;
    org.refused("GET", "domains/OcD0", Value::Null).await;
}

/// Publishes the DNS records of a domain.
fn publish(org: &Org, domain: &Value) {
    let records = domain["dnsRecords"].as_array().unwrap().iter();
    let records = records.map(|record| {
        let value = record["values"][0].as_str().unwrap();
        DnsRecord::new(text(record, "recordType"), text(record, "fqdn"), value)
    });
    org.sandbox
        .console()
        .publish_dns(&records.collect::<Vec<_>>());
}

async fn rate_limits(org: &mut Org) {
    let mut limit = json!({
        "principalId": "0oa1", "principalType": "OAUTH_CLIENT",
        "defaultPercentage": 40, "defaultConcurrencyPercentage": 60,
    });
    let created = org.post("principal-rate-limits", limit.clone()).await;
    let target = format!("principal-rate-limits/{}", text(&created, "id"));
    limit["defaultPercentage"] = 80.into();
    org.put(&target, limit).await;
    org.get(&target).await;
    let filter = "filter=principalType%20eq%20%22OAUTH_CLIENT%22";
    org.get(&format!("principal-rate-limits?{filter}")).await;
    org.refused("GET", "principal-rate-limits/prl0", Value::Null)
        .await;
}

/// Reads the token and revokes it, so that no further request is answered.
async fn tokens(org: &mut Org) {
    let tokens = org.get("api-tokens").await;
    let token = format!("api-tokens/{}", text(&tokens[0], "id"));
    org.get(&token).await;
    org.delete(&token).await;
    assert_eq!(org.refused("GET", "api-tokens", Value::Null).await, 401);
}
