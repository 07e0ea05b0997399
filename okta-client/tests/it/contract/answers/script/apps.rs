//! Apps of each sign-on mode, with their keys, provisioning, assignments, group push and mappings.

use serde_json::{Value, json};

use super::{Org, text};

pub(super) async fn run(org: &mut Org) {
    // Before other apps exist: the app that Okta provisions, and the apps of every org.
    let apps = org.get("apps?limit=200").await;
    let apps = apps.as_array().unwrap();
    for app in apps {
        org.get(&format!("apps/{}", text(app, "id"))).await;
    }
    let named = |name: &str| {
        let app = apps.iter().find(|app| app["name"] == name).unwrap();
        format!("apps/{}", text(app, "id"))
    };
    mappings(org, &named("amazon_aws_sso")).await;
    assignments(org, &named("amazon_aws_sso")).await;
    pushes(org, &named("amazon_aws_sso")).await;
    grants(org, &named("saasure")).await;
    lifecycle(org).await;
    org.refused("GET", "apps/0oa0", Value::Null).await;
}

async fn lifecycle(org: &mut Org) {
    let body = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
    let created = org.post("apps?activate=false", body).await;
    let app = format!("apps/{}", text(&created, "id"));
    let target = format!("{app}/features");
    org.refused("GET", &target, Value::Null).await;
    let body = json!({
        "name": "amazon_aws_sso", "label": "AWS 2", "signOnMode": "SAML_2_0",
        "settings": { "app": { "acsURL": "https://acs", "entityID": "https://issuer" } },
    });
    org.put(&app, body).await;
    org.refused(
        "PUT",
        &app,
        json!({ "label": "", "signOnMode": "SAML_2_0" }),
    )
    .await;
    org.post(&format!("{app}/lifecycle/activate"), Value::Null)
        .await;
    let policies = org.get("policies?type=ACCESS_POLICY").await;
    let policy = text(&policies[1], "id");
    org.put(&format!("{app}/policies/{policy}"), Value::Null)
        .await;
    keys(org, &app).await;
    provisioning(org, &app).await;
    org.post(&format!("{app}/lifecycle/deactivate"), Value::Null)
        .await;
    org.delete(&app).await;

    let body = json!({
        "name": "bookmark", "label": "Wiki", "signOnMode": "BOOKMARK",
        "settings": { "app": { "url": "https://wiki.example.com", "requestIntegration": false } },
    });
    org.post("apps", body).await;
}

async fn keys(org: &mut Org, app: &str) {
    let keys = format!("{app}/credentials/keys");
    let generated = org
        .post(&format!("{keys}/generate?validityYears=2"), Value::Null)
        .await;
    let kid = text(&generated, "kid");
    org.get(&keys).await;
    org.get(&format!("{keys}/{kid}")).await;
    let metadata = org.get(&format!("{app}/sso/saml/metadata?kid={kid}")).await;
    assert_eq!(metadata, Value::Null);
    let other = json!({ "name": "amazon_aws_sso", "label": "AWS 3", "signOnMode": "SAML_2_0" });
    let other = org.post("apps", other).await;
    let target = format!("{keys}/{kid}/clone?targetAid={}", text(&other, "id"));
    org.post(&target, Value::Null).await;
    org.refused("POST", &target, Value::Null).await;

    let csrs = format!("{app}/credentials/csrs");
    let subject = json!({ "subject": { "commonName": "acme" } });
    let revoked = org.post(&csrs, subject.clone()).await;
    org.get(&csrs).await;
    let target = format!("{csrs}/{}", text(&revoked, "id"));
    org.get(&target).await;
    org.delete(&target).await;
    org.refused("GET", &target, Value::Null).await;
    let created = org.post(&csrs, subject).await;
    let certificate = org.sandbox.issue_certificate(text(&created, "csr"));
    let publish = format!("{csrs}/{}/lifecycle/publish", text(&created, "id"));
    let media_type = "application/pkix-cert";
    org.send_as(media_type, "POST", &publish, certificate.into())
        .await;
}

async fn provisioning(org: &mut Org, app: &str) {
    let connection = format!("{app}/connections/default");
    org.get(&connection).await;
    let body = json!({
        "baseUrl": "https://scim.us-east-1.amazonaws.com/x/scim/v2",
        "profile": { "authScheme": "TOKEN", "token": "x" },
    });
    org.post(&format!("{connection}?activate=false"), body)
        .await;
    org.post(&format!("{connection}/lifecycle/activate"), Value::Null)
        .await;
    org.get(&connection).await;
    let features = format!("{app}/features");
    org.get(&features).await;
    for name in ["USER_PROVISIONING", "INBOUND_PROVISIONING"] {
        org.get(&format!("{features}/{name}")).await;
    }
    let create = json!({ "create": { "lifecycleCreate": { "status": "ENABLED" } } });
    org.put(&format!("{features}/USER_PROVISIONING"), create)
        .await;
    org.get(app).await;
    org.post(&format!("{connection}/lifecycle/deactivate"), Value::Null)
        .await;
}

/// Assigns users and groups before and after Okta provisions them, and one user that AWS refuses.
async fn assignments(org: &mut Org, app: &str) {
    let (ada, developers) = (
        org.user("ada.lovelace@example.com"),
        org.group("developers"),
    );
    let (users, groups) = (format!("{app}/users"), format!("{app}/groups"));
    let body = json!({
        "id": ada, "scope": "USER",
        "credentials": { "userName": "ada" }, "profile": { "phone": "+1 555 0100" },
    });
    org.post(&users, body).await;
    org.post(&users, json!({ "id": org.user("hypatia@example.com") }))
        .await;
    org.put(&format!("{groups}/{developers}"), json!({ "priority": 1 }))
        .await;
    let priority = json!([{ "op": "replace", "path": "/priority", "value": 0 }]);
    org.send("PATCH", &format!("{groups}/{developers}"), priority)
        .await;
    org.get(&format!("{groups}/{developers}")).await;
    org.get(&format!("{groups}?expand=group")).await;
    org.get(&format!("groups/{developers}/apps")).await;
    org.get(&users).await;
    org.advance();
    let provisioned = org.get(&format!("{users}?expand=user")).await;
    let states: Vec<&str> = provisioned
        .as_array()
        .unwrap()
        .iter()
        .map(|user| text(user, "syncState"))
        .collect();
    assert!(
        states.contains(&"SYNCHRONIZED") && states.contains(&"ERROR"),
        "{states:?}"
    );
    let ada = format!("{users}/{ada}");
    org.post(
        &ada,
        json!({ "credentials": { "userName": "ada.lovelace" } }),
    )
    .await;
    org.get(&ada).await;
    org.delete(&format!("{users}/{}", org.user("hypatia@example.com")))
        .await;
    org.refused("GET", &format!("{users}/00u0"), Value::Null)
        .await;
}

/// Pushes a group, and another one after AWS has forgotten the token.
async fn pushes(org: &mut Org, app: &str) {
    let mappings = format!("{app}/group-push/mappings");
    let push = async |org: &mut Org, name: &str| {
        let body = json!({ "sourceGroupId": org.group(name), "targetGroupName": name });
        org.post(&mappings, body).await;
        org.advance();
    };
    push(org, "developers").await;
    assert_eq!(org.sandbox.console().delete_scim_tokens(), 1);
    push(org, "testers").await;
    let list = org.get(&mappings).await;
    let pushed = |name: &str| {
        let id = org.group(name);
        let mut mappings = list.as_array().unwrap().iter();
        mappings
            .find(|mapping| mapping["sourceGroupId"] == id)
            .unwrap()
    };
    let (developers, testers) = (pushed("developers"), pushed("testers"));
    assert!(developers["lastPush"].is_string(), "{developers}");
    assert!(testers["errorSummary"].is_string(), "{testers}");
    let mapping = format!("{mappings}/{}", text(developers, "id"));
    org.get(&mapping).await;
    org.get("groups?expand=stats").await;
    org.send("PATCH", &mapping, json!({ "status": "INACTIVE" }))
        .await;
    org.delete(&format!("{mapping}?deleteTargetGroup=false"))
        .await;
    let groups = format!("{app}/groups/{}", org.group("developers"));
    org.delete(&groups).await;
}

async fn mappings(org: &mut Org, app: &str) {
    let id = app.strip_prefix("apps/").unwrap();
    let list = org.get(&format!("mappings?targetId={id}")).await;
    let mapping = format!("mappings/{}", text(&list[0], "id"));
    org.get(&mapping).await;
    let title = json!({ "expression": "user.title", "pushStatus": "DONT_PUSH" });
    org.post(&mapping, json!({ "properties": { "title": title } }))
        .await;
    let schema = format!("meta/schemas/{app}/default");
    org.get(&schema).await;
    let phone = json!({ "title": "Phone", "type": "string", "required": false });
    let definitions = json!({ "custom": { "properties": { "phone": phone } } });
    org.post(&schema, json!({ "definitions": definitions }))
        .await;
}

async fn grants(org: &mut Org, app: &str) {
    let grants = format!("{app}/grants");
    let body = json!({ "scopeId": "okta.users.read", "issuer": "https://acme.okta.com" });
    let granted = org.post(&grants, body).await;
    let grant = format!("{grants}/{}", text(&granted, "id"));
    org.get(&grants).await;
    org.get(&format!("{grant}?expand=scope")).await;
    org.delete(&grant).await;
}
