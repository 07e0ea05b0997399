//! Requests about apps.

use std::time::Duration;

use okta_client::{Edit, ListApps, NewApp};
use serde_json::json;

use super::{app, check, done, list, no_items, resource, wire};
use crate::{Org, app_id, clock, empty, json};

#[tokio::test]
async fn calls_for_apps_match_the_api_reference() {
    let org = no_items();
    let options = ListApps {
        name: Some("amazon_aws_sso".to_owned()),
        ..ListApps::default()
    };
    org.client()
        .apps()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    check(
        &org,
        "GET /api/v1/apps?limit=200&filter=name%20eq%20%22amazon_aws_sso%22",
        None,
    );

    let org = app(200);
    org.client().apps().get(&app_id()).await.unwrap();
    check(&org, "GET /api/v1/apps/0oa1", None);

    let org = app(200);
    let new = NewApp {
        name: "amazon_aws_sso".to_owned(),
        label: "AWS".to_owned(),
        sign_on_mode: "SAML_2_0".to_owned(),
        ..NewApp::default()
    };
    org.client().apps().create(&new).await.unwrap();
    let body = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
    check(&org, "POST /api/v1/apps?activate=true", body);

    for (action, line) in [
        ("activate", "POST /api/v1/apps/0oa1/lifecycle/activate"),
        ("deactivate", "POST /api/v1/apps/0oa1/lifecycle/deactivate"),
    ] {
        let org = Org::responding([json(200, json!({}))]);
        let client = org.client();
        match action {
            "activate" => client.apps().activate(&app_id()).await.unwrap(),
            _ => client.apps().deactivate(&app_id()).await.unwrap(),
        }
        check(&org, line, None);
        assert_eq!(org.header(0, "content-length").as_deref(), Some("0"));
    }

    let org = done(204);
    org.client().apps().delete(&app_id()).await.unwrap();
    check(&org, "DELETE /api/v1/apps/0oa1", None);
}

#[tokio::test]
async fn an_app_of_another_name_is_left_out_of_a_list_by_name() {
    let app = |id: &str, name: &str| json!({ "id": id, "name": name, "status": "ACTIVE" });
    let list = json!([app("0oa1", "bookmark"), app("0oa2", "amazon_aws_sso")]);
    let org = Org::responding([json(200, list)]);
    let options = ListApps {
        name: Some("amazon_aws_sso".to_owned()),
        ..ListApps::default()
    };
    let apps = org
        .client()
        .apps()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    let ids: Vec<&str> = apps.iter().map(|app| app.id().as_str()).collect();
    assert_eq!(ids, ["0oa2"]);
}

#[tokio::test]
async fn an_app_is_created_from_its_whole_document() {
    wire(
        resource("0oa1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set("/label", "ci").unwrap();
            edit.set("/signOnMode", "OPENID_CONNECT").unwrap();
            edit.set("/settings/oauthClient/application_type", "service")
                .unwrap();
            okta.apps().create_with(&edit).await.unwrap();
        },
        "POST /api/v1/apps?activate=true",
        json!({ "label": "ci", "signOnMode": "OPENID_CONNECT", "settings": { "oauthClient": { "application_type": "service" } } }),
    )
    .await;
}

#[tokio::test]
async fn an_app_is_looked_up_by_its_exact_label() {
    let app = |id: &str, label: &str| json!({ "id": id, "label": label });
    let apps = json!([
        app("0oa1", "AWS prod"),
        app("0oa2", "AWS"),
        app("0oa3", "AWS")
    ]);
    let one = json!([
        app("0oa1", "AWS prod"),
        app("0oa2", "AWS"),
        app("0oa3", "aws")
    ]);
    let org = Org::responding([
        json(200, apps.clone()),
        json(200, apps),
        json(200, one),
        list(),
    ]);
    let okta = org.client();
    let found = okta.apps().by_label("AWS").await.unwrap();
    let ids: Vec<&str> = found.iter().map(|app| app.id().as_str()).collect();
    assert_eq!(ids, ["0oa2", "0oa3"]);
    let error = okta
        .apps()
        .only_by_label("AWS")
        .await
        .expect_err("two apps");
    assert_eq!(
        error.to_string(),
        "GET /api/v1/apps found several resources with the name \"AWS\": 0oa2, 0oa3"
    );
    assert!(error.help().is_some() && !error.may_have_acted());
    assert_eq!(error.operation(), Some("GET /api/v1/apps"));
    let app = okta
        .apps()
        .only_by_label("AWS")
        .await
        .unwrap()
        .expect("an app");
    assert_eq!(app.id().as_str(), "0oa2");
    assert_eq!(okta.apps().only_by_label("AWS").await.unwrap(), None);
    assert_eq!(org.requests()[0], "GET /api/v1/apps?limit=200&q=AWS");
}

#[tokio::test]
async fn a_deletion_right_after_the_deactivation_is_tried_again() {
    let refused = || json(403, json!({ "errorCode": "E0000056" }));
    let app = |status: &str| json(200, json!({ "id": "0oa1", "status": status }));
    let org = Org::responding([
        refused(),
        app("INACTIVE"),
        refused(),
        app("INACTIVE"),
        empty(204),
    ]);
    let clock = clock();
    org.client_at(&clock)
        .apps()
        .delete(&app_id())
        .await
        .unwrap();
    assert_eq!(clock.slept(), [1, 2].map(Duration::from_secs));

    // Without a deactivation, the refusal does not go away.
    let org = Org::responding([refused(), app("ACTIVE")]);
    let result = org.client().apps().delete(&app_id()).await;
    assert_eq!(result.expect_err("a refusal").code(), Some("E0000056"));

    // Six attempts, then the refusal is the result.
    let attempts = (0..5).flat_map(|_| [refused(), app("INACTIVE")]);
    let org = Org::responding(attempts.chain([refused()]));
    let clock = crate::clock();
    let result = org.client_at(&clock).apps().delete(&app_id()).await;
    assert_eq!(result.expect_err("a refusal").code(), Some("E0000056"));
    assert_eq!(
        clock.slept().iter().sum::<Duration>(),
        Duration::from_secs(30)
    );

    let org = Org::responding([json(403, json!({ "errorCode": "E0000006" }))]);
    let result = org.client().apps().delete(&app_id()).await;
    assert_eq!(result.expect_err("a refusal").code(), Some("E0000006"));
}
