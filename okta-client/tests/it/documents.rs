//! Tests of documents that are read and written back losslessly.

use okta_client::{AuthScheme, ConnectionStatus, UpdateUser};
use serde_json::json;

use super::{Org, app_id, group_id, json, text, user_id};

/// Returns 40 fields that the client does not know, each with a notation that a value would not keep.
fn unknown_fields() -> String {
    let odd = [
        r#""n":123456789012345678901234567890"#,
        r#""f":1.0"#,
        r#""e":1e400"#,
        r#""z":-0"#,
        r#""u\u00fc\/":"a\/b\u0000\ud83d\ude00""#,
        r#""nested":{"null":null,"list":[null,{"x":null},[]],"e":{}}"#,
        r#""label ":"a name that looks like another""#,
        r#""\u0061":1,"a":2"#,
    ];
    let field = |index: usize| odd[index % odd.len()].replacen('"', &format!("\"{index}"), 1);
    (0..40).map(field).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn unknown_fields_of_an_app_are_written_back_unchanged() {
    let document = json!({
        "id": "0oa1", "name": "amazon_aws_sso", "label": "AWS", "status": "ACTIVE",
        "features": ["GROUP_PUSH"], "signOnMode": "SAML_2_0",
        "settings": {
            "app": { "acsURL": null, "entityID": null, "added in 2027": { "a": [1.5, null] } },
            "signOn": { "attributeStatements": [], "ssoAcsUrlOverride": null }
        },
        "something": { "quite": "new" }, "_links": {}
    });
    let mut after = document.clone();
    after["settings"]["app"]["acsURL"] = json!("https://acs");
    let org = Org::responding([json(200, document), json(200, after)]);
    let client = org.client();

    let app = client.apps().get(&app_id()).await.unwrap();
    let mut edited = app.edit();
    edited.set_setting("acsURL", "https://acs");
    let replaced = client.apps().replace(&app_id(), &edited).await.unwrap();

    assert_eq!(org.requests()[1], "PUT /api/v1/apps/0oa1");
    assert_eq!(
        org.body(1),
        Some(json!({
            "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0",
            "settings": {
                "app": {
                    "acsURL": "https://acs", "entityID": null, "added in 2027": { "a": [1.5, null] }
                },
                "signOn": { "attributeStatements": [], "ssoAcsUrlOverride": null }
            },
            "something": { "quite": "new" }
        }))
    );
    assert_eq!(app.differences(&replaced), ["settings.app.acsURL"]);
    assert_eq!(replaced.features(), ["GROUP_PUSH"]);
}

#[tokio::test]
async fn an_app_without_a_connection_has_the_status_unknown() {
    let unknown = json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
    let org = Org::responding([json(200, unknown)]);
    let connection = org.client().apps().connection(&app_id()).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Unknown);
    assert_eq!(connection.auth_scheme, AuthScheme::Unknown);
    assert_eq!(connection.base_url, None);
    assert_eq!(connection.request_id.as_deref(), Some("request-1"));
}

/// Sends back what was read with two changes, and checks the text of the body.
async fn check_lossless<F: Future<Output = ()>>(
    read: String,
    send: impl FnOnce(okta_client::Client) -> F,
    expected: String,
) {
    let org = Org::responding([text(200, &read), text(200, &read)]);
    send(org.client()).await;
    assert_eq!(org.text(1), expected);
}

#[tokio::test]
async fn two_changes_of_an_app_change_nothing_else() {
    let unknown = unknown_fields();
    let document = |label: &str, url: &str| {
        format!(
            r#""signOnMode":"SAML_2_0","label":{label},{unknown},"settings":{{"app":{{"acsURL":{url},{unknown}}},{unknown}}}"#
        )
    };
    let before = document(r#""AWS""#, "null");
    check_lossless(
        format!(r#"{{"id":"0oa1","status":"ACTIVE","features":[],{before},"_links":{{}}}}"#),
        async |okta| {
            let mut edit = okta.apps().get(&app_id()).await.unwrap().edit();
            edit.set_label("AWS!");
            edit.set_setting("acsURL", "https://acs");
            okta.apps().replace(&app_id(), &edit).await.unwrap();
        },
        format!("{{{}}}", document(r#""AWS!""#, r#""https://acs""#)),
    )
    .await;
}

#[tokio::test]
async fn two_changes_of_a_user_change_nothing_else() {
    let unknown = unknown_fields();
    let document = |department: &str, cost_center: &str| {
        format!(
            r#"{unknown},"profile":{{"login":"ada@example.com","department":{department},{unknown},"costCenter":{cost_center}}}"#
        )
    };
    let before = document("null", "1.50");
    check_lossless(
        format!(r#"{{"id":"00u1","status":"ACTIVE",{before},"credentials":{{"password":{{}}}}}}"#),
        async |okta| {
            let mut edit = okta.users().get(&user_id().into()).await.unwrap().edit();
            edit.set_attribute("department", "R&D").unwrap();
            edit.set_attribute("costCenter", 2).unwrap();
            let options = UpdateUser::default();
            okta.users()
                .replace(&user_id(), &edit, &options)
                .await
                .unwrap();
        },
        format!("{{{}}}", document(r#""R&D""#, "2")),
    )
    .await;
}

#[tokio::test]
async fn two_changes_of_a_group_change_nothing_else() {
    let unknown = unknown_fields();
    let document = |name: &str, description: &str| {
        format!(r#""profile":{{"name":{name},{unknown},"description":{description}}},{unknown}"#)
    };
    let before = document(r#""admins""#, "null");
    check_lossless(
        format!(r#"{{"id":"00g1","type":"OKTA_GROUP",{before},"_links":{{}}}}"#),
        async |okta| {
            let mut edit = okta.groups().get(&group_id()).await.unwrap().edit();
            edit.set_name("owners");
            edit.set_description("");
            okta.groups().replace(&group_id(), &edit).await.unwrap();
        },
        format!("{{{}}}", document(r#""owners""#, r#""""#)),
    )
    .await;
}
