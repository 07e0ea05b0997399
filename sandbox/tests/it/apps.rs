//! Tests of applications: documents, keys, metadata and assignments.

use okta_aws_sandbox::AppCreation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, identity_center, okta, post, refusal, sandbox, send, write};

#[tokio::test]
async fn an_application_is_created_from_the_catalog_with_blank_settings_and_a_key() {
    let sandbox = sandbox().await;
    let id = identity_center(&sandbox).await;
    assert!(id.starts_with("0oa") && id.len() == 20, "{id}");
    let app = get(&sandbox, &format!("/api/v1/apps/{id}")).await;
    assert_eq!(app["status"], "ACTIVE");
    assert_eq!(app["features"], json!([]));
    assert_eq!(
        app["settings"]["app"],
        json!({ "acsURL": null, "entityID": null })
    );
    assert_eq!(
        app["credentials"]["userNameTemplate"],
        json!({ "template": "${source.login}", "type": "BUILT_IN" })
    );
    assert_eq!(
        app["credentials"]["signing"]["kid"]
            .as_str()
            .expect("a kid")
            .len(),
        43
    );
    assert_eq!(app["settings"]["signOn"]["attributeStatements"], json!([]));
    assert_eq!(app["created"], "2026-06-01T12:00:00.000Z");
    let home = app["_links"]["appLinks"][0]["href"]
        .as_str()
        .expect("a link");
    assert!(
        home.ends_with(&format!("/home/amazon_aws_sso/{id}/aln1ghfn5xxV7ZPbE1d8")),
        "{home}"
    );
}

#[tokio::test]
async fn a_name_that_is_not_in_the_catalog_is_refused() {
    let sandbox = sandbox().await;
    for name in ["amazon_sso", "saasure"] {
        let body = json!({ "name": name, "label": "AWS", "signOnMode": "SAML_2_0" });
        let (status, code, ..) =
            refusal(okta(&sandbox, Method::POST, "/api/v1/apps").json(&body)).await;
        assert_eq!((status, code.as_str()), (400, "E0000001"), "{name}");
    }
}

#[tokio::test]
async fn a_filter_by_name_is_exact_and_q_matches_prefixes() {
    let sandbox = builder().page_size(None).start().await.expect("a sandbox");
    let id = identity_center(&sandbox).await;
    let found = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22&limit=200",
    )
    .await;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["id"], id.as_str());
    let by_prefix = get(&sandbox, "/api/v1/apps?q=amazon_aws").await;
    assert_eq!(by_prefix.as_array().map(Vec::len), Some(2));
    assert_eq!(sandbox.app_count("amazon_aws_sso"), 1);
}

#[tokio::test]
async fn replacing_an_application_changes_only_the_edited_writable_fields() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let before = get(&sandbox, &path).await;
    let mut sent = before.clone();
    sent["settings"]["app"]["acsURL"] = "https://us-east-1.signin.aws/platform/saml/acs/x".into();
    sent["settings"]["app"]["entityID"] = "https://us-east-1.signin.aws/platform/saml/d-1".into();
    sent["settings"]["signOn"]["audienceOverride"] = "".into();
    sent["name"] = "amazon_aws".into();
    sent["features"] = json!(["SCIM_PROVISIONING"]);
    let after = write(&sandbox, Method::PUT, &path, &sent).await;
    let mut expected = before;
    expected["settings"]["app"] = sent["settings"]["app"].clone();
    expected["lastUpdated"] = after["lastUpdated"].clone();
    assert_eq!(after, expected);
}

#[tokio::test]
async fn a_missing_object_is_kept_and_a_sent_object_is_replaced_completely() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let urls = json!({ "acsURL": "https://a", "entityID": "https://e" });
    let settings = json!({ "app": urls, "notes": { "admin": "by hand", "enduser": null } });
    let body = json!({ "label": "AWS", "signOnMode": "SAML_2_0", "settings": settings });
    write(&sandbox, Method::PUT, &path, &body).await;
    let body = json!({ "label": "AWS", "signOnMode": "SAML_2_0" });
    let kept = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(kept["settings"]["app"]["entityID"], "https://e");
    let settings = json!({ "app": { "acsURL": "https://b", "entityID": "https://e" } });
    let mut body = body;
    body["settings"] = settings;
    body["settings"]["signOn"] = json!({ "audienceOverride": "a" });
    write(&sandbox, Method::PUT, &path, &body).await;
    body["settings"]["signOn"] = json!({ "recipientOverride": "r" });
    let replaced = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(replaced["settings"]["app"]["acsURL"], "https://b");
    assert_eq!(
        replaced["settings"]["signOn"]["audienceOverride"],
        Value::Null
    );
    assert_eq!(replaced["settings"]["signOn"]["recipientOverride"], "r");
}

#[tokio::test]
async fn an_update_with_blank_settings_is_refused_and_names_both() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let document = get(&sandbox, &path).await;
    let response = send(okta(&sandbox, Method::PUT, &path).json(&document)).await;
    assert_eq!(response.status(), 403);
    let refused: Value = response.json().await.expect("JSON");
    assert_eq!(refused["errorCode"], "E0000039");
    assert_eq!(
        refused["errorCauses"],
        json!([
            { "errorSummary": "acsURL: The field cannot be left blank" },
            { "errorSummary": "entityID: The field cannot be left blank" },
        ])
    );
    // The API documents an update of the signing key without any settings.
    let body = json!({ "label": "Renamed", "signOnMode": "SAML_2_0" });
    let renamed = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(renamed["label"], "Renamed");
}

#[tokio::test]
async fn an_org_can_refuse_a_new_application_without_settings_or_every_one() {
    let blank = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
    let mut complete = blank.clone();
    complete["settings"] = json!({ "app": { "acsURL": "https://a", "entityID": "https://e" } });
    for (creation, statuses) in [
        (AppCreation::Accepted, [200, 200]),
        (AppCreation::NeedsSettings, [400, 200]),
        (AppCreation::Refused, [400, 400]),
    ] {
        let sandbox = builder().app_creation(creation);
        let sandbox = sandbox.start().await.expect("a sandbox");
        for (body, status) in [&blank, &complete].into_iter().zip(statuses) {
            let request = okta(&sandbox, Method::POST, "/api/v1/apps").json(body);
            assert_eq!(send(request).await.status(), status, "{creation:?}");
        }
        // The Admin Console adds it in any case, with blank settings.
        let added = sandbox.console().add_application("By hand").expect("an id");
        let app = get(&sandbox, &format!("/api/v1/apps/{added}")).await;
        assert_eq!(app["settings"]["app"]["acsURL"], Value::Null);
    }
}

#[tokio::test]
async fn an_update_can_add_the_defaults_of_okta() {
    let sandbox = builder().app_defaults(true);
    let sandbox = sandbox.start().await.expect("a sandbox");
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let mut document = get(&sandbox, &path).await;
    assert_eq!(document["licensing"], Value::Null);
    document["settings"]["app"] = json!({ "acsURL": "https://a", "entityID": "https://e" });
    let after = write(&sandbox, Method::PUT, &path, &document).await;
    assert_eq!(after["licensing"], json!({ "seatCount": 0 }));
    assert_eq!(after["settings"]["signOn"]["honorForceAuthn"], false);
    assert_eq!(
        after["settings"]["signOn"]["attributeStatements"],
        Value::Null
    );
}

#[tokio::test]
async fn a_creation_with_blank_settings_is_refused_on_request() {
    let strict = builder().app_creation(AppCreation::NeedsSettings);
    let sandbox = strict.start().await.expect("a sandbox");
    let body = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
    let request = okta(&sandbox, Method::POST, "/api/v1/apps").json(&body);
    let (status, code, summary, cause) = refusal(request).await;
    assert_eq!((status, code.as_str()), (400, "E0000001"));
    assert_eq!(summary, "Api validation failed: acsURL");
    assert_eq!(cause, "acsURL: The field cannot be left blank");
}

#[tokio::test]
async fn misspelled_settings_are_dropped() {
    let sandbox = sandbox().await;
    let body = json!({
        "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0",
        "settings": { "app": { "acsUrl": "https://a", "entityID": "https://e" } },
    });
    let app = post(&sandbox, "/api/v1/apps", &body).await;
    assert_eq!(
        app["settings"]["app"],
        json!({ "acsURL": null, "entityID": "https://e" })
    );
}

#[tokio::test]
async fn fields_of_a_custom_saml_application_get_status_500() {
    let sandbox = sandbox().await;
    let body = json!({
        "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0",
        "settings": { "signOn": { "ssoAcsUrl": "https://a" } },
    });
    let (status, code, summary, _) =
        refusal(okta(&sandbox, Method::POST, "/api/v1/apps").json(&body)).await;
    assert_eq!((status, code.as_str()), (500, "E0000009"));
    assert_eq!(summary, "Internal Server Error");
    assert_eq!(sandbox.app_count("amazon_aws_sso"), 0);
}

#[tokio::test]
async fn an_active_application_cannot_be_deleted() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let (status, code, ..) = refusal(okta(&sandbox, Method::DELETE, &path)).await;
    assert_eq!((status, code.as_str()), (403, "E0000056"));
    let deactivated = post(
        &sandbox,
        &format!("{path}/lifecycle/deactivate"),
        &json!({}),
    )
    .await;
    assert_eq!(deactivated, json!({}));
    assert_eq!(
        send(okta(&sandbox, Method::DELETE, &path)).await.status(),
        204
    );
    assert_eq!(sandbox.app_count("amazon_aws_sso"), 0);
}

#[tokio::test]
async fn metadata_has_the_format_of_okta_and_declares_the_wrong_charset() {
    let sandbox = sandbox().await;
    let id = identity_center(&sandbox).await;
    let app = get(&sandbox, &format!("/api/v1/apps/{id}")).await;
    let kid = app["credentials"]["signing"]["kid"]
        .as_str()
        .expect("a kid");
    let path = format!("/api/v1/apps/{id}/sso/saml/metadata?kid={kid}");
    let request = okta(&sandbox, Method::GET, &path).header("accept", "application/xml");
    let response = send(request).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/xml;charset=ISO-8859-1"
    );
    let text = response.text().await.expect("a body");
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><md:EntityDescriptor entityID=\"http://www.okta.com/exk"), "{text}");
    assert!(text.contains("WantAuthnRequestsSigned=\"false\""));
    assert_eq!(text.matches("<md:NameIDFormat>").count(), 2);
    assert!(text.contains("Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://analytical.okta.com/app/amazon_aws_sso/exk"));
    let certificate = text
        .split("<ds:X509Certificate>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a certificate");
    let longest = certificate.split('\n').map(str::len).max();
    assert_eq!(longest, Some(76));
    let keys = get(&sandbox, &format!("/api/v1/apps/{id}/credentials/keys")).await;
    assert_eq!(keys[0]["x5c"][0], certificate.replace('\n', ""));
}

#[tokio::test]
async fn a_new_key_signs_only_after_the_application_selects_it() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let old = get(&sandbox, &path).await["credentials"]["signing"]["kid"].clone();
    let generate = okta(
        &sandbox,
        Method::POST,
        &format!("{path}/credentials/keys/generate?validityYears=2"),
    );
    let response = send(generate.header("content-length", "0")).await;
    assert_eq!(response.status(), 201);
    let key: Value = response.json().await.expect("JSON");
    assert_eq!(key["expiresAt"], "2028-06-01T00:00:00.000Z");
    assert_eq!(
        get(&sandbox, &path).await["credentials"]["signing"]["kid"],
        old
    );
    let body = json!({ "label": "AWS", "signOnMode": "SAML_2_0", "credentials": { "signing": { "kid": key["kid"] } } });
    let app = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(app["credentials"]["signing"]["kid"], key["kid"]);
    assert_eq!(app["credentials"]["userNameTemplate"]["type"], "BUILT_IN");
    let body = json!({ "label": "AWS", "signOnMode": "SAML_2_0", "credentials": { "signing": { "kid": "unknown" } } });
    let (status, ..) = refusal(okta(&sandbox, Method::PUT, &path).json(&body)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn an_assigned_group_assigns_its_members_until_it_is_unassigned() {
    let sandbox = sandbox().await;
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let group = sandbox.group_id("aws-users").expect("a group");
    let assigned = write(
        &sandbox,
        Method::PUT,
        &format!("{path}/groups/{group}"),
        &json!({}),
    )
    .await;
    assert_eq!(assigned["id"], group.as_str());
    assert_eq!(assigned["priority"], 0);

    let ada = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let user = get(&sandbox, &format!("{path}/users/{ada}")).await;
    assert_eq!(user["scope"], "GROUP");
    assert_eq!(user["status"], "ACTIVE");
    assert_eq!(user["syncState"], "DISABLED");
    assert_eq!(user["externalId"], Value::Null);
    assert_eq!(user["credentials"]["userName"], "ada.lovelace@example.com");

    let direct = post(
        &sandbox,
        &format!("{path}/users"),
        &json!({ "id": ada, "scope": "USER" }),
    )
    .await;
    assert_eq!(direct["scope"], "USER");
    assert_eq!(
        send(okta(
            &sandbox,
            Method::DELETE,
            &format!("{path}/groups/{group}")
        ))
        .await
        .status(),
        204
    );
    let remaining = get(&sandbox, &format!("{path}/users?limit=500")).await;
    assert_eq!(remaining.as_array().map(Vec::len), Some(1));
    assert_eq!(
        send(okta(
            &sandbox,
            Method::DELETE,
            &format!("{path}/users/{ada}")
        ))
        .await
        .status(),
        204
    );
    let (status, _, summary, _) =
        refusal(okta(&sandbox, Method::GET, &format!("{path}/users/{ada}"))).await;
    assert_eq!(status, 404);
    assert_eq!(
        summary,
        format!("Not found: Resource not found: {ada} (AppUser)")
    );
}

#[tokio::test]
async fn the_page_limit_of_assigned_groups_is_at_least_20() {
    let sandbox = sandbox().await;
    let path = format!(
        "/api/v1/apps/{}/groups?limit=1",
        identity_center(&sandbox).await
    );
    let (status, _, _, cause) = refusal(okta(&sandbox, Method::GET, &path)).await;
    assert_eq!(status, 400);
    assert_eq!(cause, "limit: must be a number from 20 to 200");
}
