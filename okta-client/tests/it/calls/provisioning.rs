//! Requests about provisioning.

use okta_client::{Edit, FeatureName, ProvisioningOptions};
use rest_core::Secret;
use serde_json::json;

use super::{check, done, list, wire};
use crate::{Org, SCIM_TOKEN, app_id, json};

#[tokio::test]
async fn calls_for_provisioning_match_the_api_reference() {
    let connected = json!({ "status": "ENABLED", "profile": { "authScheme": "TOKEN" } });
    let org = Org::responding([json(200, connected.clone())]);
    org.client().apps().connection(&app_id()).await.unwrap();
    check(&org, "GET /api/v1/apps/0oa1/connections/default", None);

    let org = Org::responding([json(201, connected)]);
    let token = Secret::new(SCIM_TOKEN);
    let apps = org.client();
    apps.apps()
        .set_connection(&app_id(), "https://scim/v2", &token, true)
        .await
        .unwrap();
    let body = json!({
        "baseUrl": "https://scim/v2",
        "profile": { "authScheme": "TOKEN", "token": SCIM_TOKEN }
    });
    check(
        &org,
        "POST /api/v1/apps/0oa1/connections/default?activate=true",
        body,
    );

    let org = done(204);
    org.client()
        .apps()
        .activate_connection(&app_id())
        .await
        .unwrap();
    check(
        &org,
        "POST /api/v1/apps/0oa1/connections/default/lifecycle/activate",
        None,
    );

    let org = done(204);
    org.client()
        .apps()
        .deactivate_connection(&app_id())
        .await
        .unwrap();
    check(
        &org,
        "POST /api/v1/apps/0oa1/connections/default/lifecycle/deactivate",
        None,
    );

    let feature = json!({ "name": "USER_PROVISIONING", "status": "ENABLED" });
    let org = Org::responding([json(200, feature.clone())]);
    org.client().apps().provisioning(&app_id()).await.unwrap();
    check(
        &org,
        "GET /api/v1/apps/0oa1/features/USER_PROVISIONING",
        None,
    );

    let org = Org::responding([json(200, feature)]);
    let options = ProvisioningOptions {
        create: true,
        update: true,
        deactivate: false,
    };
    org.client()
        .apps()
        .set_provisioning(&app_id(), &options)
        .await
        .unwrap();
    let body = json!({
        "create": { "lifecycleCreate": { "status": "ENABLED" } },
        "update": {
            "profile": { "status": "ENABLED" }, "lifecycleDeactivate": { "status": "DISABLED" }
        }
    });
    check(
        &org,
        "PUT /api/v1/apps/0oa1/features/USER_PROVISIONING",
        body,
    );
}

#[tokio::test]
async fn calls_for_features_match_the_api_reference() {
    wire(
        list(),
        async |okta| drop(okta.apps().features(&app_id()).try_collect().await.unwrap()),
        "GET /api/v1/apps/0oa1/features",
        None,
    )
    .await;
    wire(
        json(
            200,
            json!({ "name": "INBOUND_PROVISIONING", "status": "DISABLED" }),
        ),
        async |okta| {
            let name = FeatureName::InboundProvisioning;
            let feature = okta.apps().feature(&app_id(), &name).await.unwrap();
            assert_eq!(feature.name, name);
        },
        "GET /api/v1/apps/0oa1/features/INBOUND_PROVISIONING",
        None,
    )
    .await;
    wire(
        json(200, json!({ "name": "USER_PROVISIONING" })),
        async |okta| {
            let mut edit = Edit::new();
            edit.set("/update/password/status", "DISABLED").unwrap();
            let name = FeatureName::UserProvisioning;
            okta.apps()
                .update_feature(&app_id(), &name, &edit)
                .await
                .unwrap();
        },
        "PUT /api/v1/apps/0oa1/features/USER_PROVISIONING",
        json!({ "update": { "password": { "status": "DISABLED" } } }),
    )
    .await;
}
