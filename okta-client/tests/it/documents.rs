//! Tests of documents that are read and written back losslessly.

use okta_client::{AuthScheme, ConnectionStatus};
use serde_json::json;

use super::{Org, app_id, json};

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
