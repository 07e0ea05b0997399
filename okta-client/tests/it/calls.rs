//! Tests of each call's request: paths, parameters and bodies match Okta's API reference.

use okta_client::{
    CertificateSource, Id, ListApps, ListGroups, ListUsers, NewApp, NewDomain, NewPushMapping,
    ProvisioningOptions, PushActivation, PushTarget, TargetGroupAction, UserRef,
};
use rest_core::Secret;
use serde_json::{Value, json};

use super::{Org, SCIM_TOKEN, app_id, empty, group_id, json, text, user_id};

/// Asserts that `org` got exactly one request, `line` with `body`.
#[track_caller]
fn check(org: &Org, line: &str, body: impl Into<Option<Value>>) {
    assert_eq!(org.requests(), [line]);
    assert_eq!(org.body(0), body.into());
}

fn user() -> Org {
    Org::responding([json(
        200,
        json!({ "id": "00u1", "profile": { "login": "ada@example.com" } }),
    )])
}

fn group() -> Org {
    Org::responding([json(
        200,
        json!({ "id": "00g1", "profile": { "name": "admins" } }),
    )])
}

fn app(status: u16) -> Org {
    Org::responding([json(status, json!({ "id": "0oa1" }))])
}

fn no_items() -> Org {
    Org::responding([json(200, json!([]))])
}

fn done(status: u16) -> Org {
    Org::responding([empty(status)])
}

#[tokio::test]
async fn calls_for_users_match_the_api_reference() {
    let org = user();
    assert_eq!(
        org.client().users().me().await.unwrap().profile.login,
        "ada@example.com"
    );
    check(&org, "GET /api/v1/users/me", None);

    let org = user();
    org.client().users().get(&user_id().into()).await.unwrap();
    check(&org, "GET /api/v1/users/00u1", None);

    let org = user();
    org.client()
        .users()
        .get_opt(&UserRef::login("ada+x@example.com/.."))
        .await
        .unwrap();
    check(&org, "GET /api/v1/users/ada+x@example.com%2F..", None);

    let org = no_items();
    org.client()
        .users()
        .list(ListUsers::default())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/users?limit=200", None);

    let org = no_items();
    let options = ListUsers {
        filter: Some("status eq \"ACTIVE\"".to_owned()),
        search: Some("profile.a sw \"b\"".to_owned()),
        limit: Some(5),
    };
    org.client()
        .users()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    let line = "GET /api/v1/users?limit=5&filter=status%20eq%20%22ACTIVE%22\
                &search=profile.a%20sw%20%22b%22";
    check(&org, line, None);
}

#[tokio::test]
async fn calls_for_groups_match_the_api_reference() {
    let org = group();
    org.client().groups().get(&group_id()).await.unwrap();
    check(&org, "GET /api/v1/groups/00g1", None);

    let org = no_items();
    org.client()
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups?limit=200", None);

    let org = no_items();
    let options = ListGroups {
        name_prefix: Some("aws-".to_owned()),
        ..ListGroups::default()
    };
    org.client()
        .groups()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups?q=aws-", None);

    let org = group();
    org.client().groups().create("admins", None).await.unwrap();
    check(
        &org,
        "POST /api/v1/groups",
        json!({ "profile": { "name": "admins" } }),
    );

    let org = group();
    org.client()
        .groups()
        .create("admins", Some("They"))
        .await
        .unwrap();
    let body = json!({ "profile": { "name": "admins", "description": "They" } });
    check(&org, "POST /api/v1/groups", body);

    let org = done(204);
    org.client().groups().delete(&group_id()).await.unwrap();
    check(&org, "DELETE /api/v1/groups/00g1", None);

    let org = no_items();
    org.client()
        .groups()
        .members(&group_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups/00g1/users?limit=200", None);

    let org = done(204);
    org.client()
        .groups()
        .add_member(&group_id(), &user_id())
        .await
        .unwrap();
    check(&org, "PUT /api/v1/groups/00g1/users/00u1", None);
    assert_eq!(org.header(0, "content-length").as_deref(), Some("0"));

    let org = done(204);
    org.client()
        .groups()
        .remove_member(&group_id(), &user_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/groups/00g1/users/00u1", None);
}

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
async fn calls_for_saml_match_the_api_reference() {
    let org = Org::responding([text(200, "<EntityDescriptor/>")]);
    let bytes = org
        .client()
        .apps()
        .saml_metadata(&app_id(), "kid/1")
        .await
        .unwrap();
    assert_eq!(bytes, "<EntityDescriptor/>");
    check(
        &org,
        "GET /api/v1/apps/0oa1/sso/saml/metadata?kid=kid%2F1",
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
            .kid,
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
async fn calls_for_assignments_match_the_api_reference() {
    let org = no_items();
    org.client()
        .apps()
        .users(&app_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/users?limit=500", None);

    let org = user();
    org.client()
        .apps()
        .user_opt(&app_id(), &user_id())
        .await
        .unwrap()
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/users/00u1", None);

    let org = user();
    org.client()
        .apps()
        .assign_user(&app_id(), &user_id())
        .await
        .unwrap();
    check(
        &org,
        "POST /api/v1/apps/0oa1/users",
        json!({ "id": "00u1", "scope": "USER" }),
    );

    let org = done(204);
    org.client()
        .apps()
        .unassign_user(&app_id(), &user_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/apps/0oa1/users/00u1", None);

    let org = no_items();
    org.client()
        .apps()
        .groups(&app_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/groups?limit=200", None);

    let org = group();
    org.client()
        .apps()
        .assign_group(&app_id(), &group_id())
        .await
        .unwrap();
    check(&org, "PUT /api/v1/apps/0oa1/groups/00g1", json!({}));

    let org = done(204);
    org.client()
        .apps()
        .unassign_group(&app_id(), &group_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/apps/0oa1/groups/00g1", None);
}

#[tokio::test]
async fn calls_for_push_mappings_match_the_api_reference() {
    let mapping = || json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "ACTIVE" });
    let id = Id::parse("gPm1").unwrap();

    let org = no_items();
    org.client()
        .push_mappings(&app_id())
        .list()
        .try_collect()
        .await
        .unwrap();
    check(
        &org,
        "GET /api/v1/apps/0oa1/group-push/mappings?limit=1000",
        None,
    );

    for (target, body) in [
        (
            PushTarget::NewGroup("admins".to_owned()),
            json!({ "sourceGroupId": "00g1", "targetGroupName": "admins" }),
        ),
        (
            PushTarget::ExistingGroup(Id::parse("00g2").unwrap()),
            json!({ "sourceGroupId": "00g1", "targetGroupId": "00g2" }),
        ),
    ] {
        // Documented status: 201. Actual status: 200.
        let org = Org::responding([json(200, mapping())]);
        let new = NewPushMapping {
            source_group: group_id(),
            target,
        };
        org.client()
            .push_mappings(&app_id())
            .create(&new)
            .await
            .unwrap();
        check(&org, "POST /api/v1/apps/0oa1/group-push/mappings", body);
    }

    let org = Org::responding([json(200, mapping())]);
    let client = org.client();
    client
        .push_mappings(&app_id())
        .set_status(&id, PushActivation::Inactive)
        .await
        .unwrap();
    let line = "PATCH /api/v1/apps/0oa1/group-push/mappings/gPm1";
    check(&org, line, json!({ "status": "INACTIVE" }));

    for (target, value) in [
        (TargetGroupAction::Keep, "false"),
        (TargetGroupAction::Delete, "true"),
    ] {
        // Documented status: 204. Actual status: 200, without a body.
        let org = done(200);
        org.client()
            .push_mappings(&app_id())
            .delete(&id, target)
            .await
            .unwrap();
        let path = "DELETE /api/v1/apps/0oa1/group-push/mappings/gPm1";
        check(&org, &format!("{path}?deleteTargetGroup={value}"), None);
    }
}

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
    let org = Org::responding([empty(204), json(200, list)]);
    let new = NewDomain {
        name: "Login.example.com".to_owned(),
        certificate: CertificateSource::Manual,
    };
    let domain = org.client().domains().create(&new).await.unwrap();
    assert_eq!(domain.id.as_str(), "OcD2");
}

#[tokio::test]
async fn a_mapping_is_read_again_if_its_update_returns_an_empty_body() {
    let mapping = json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "INACTIVE" });
    let org = Org::responding([empty(204), json(200, mapping)]);
    let id = Id::parse("gPm1").unwrap();
    let client = org.client();
    client
        .push_mappings(&app_id())
        .set_status(&id, PushActivation::Inactive)
        .await
        .unwrap();
    assert_eq!(
        org.requests()[1],
        "GET /api/v1/apps/0oa1/group-push/mappings/gPm1"
    );
}

#[tokio::test]
async fn the_futures_of_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let client = Org::default().client();
    let mut pager = is_send(client.groups().list(ListGroups::default()));
    drop(is_send(pager.try_next()));
    drop(is_send(pager.into_stream()));
    drop(is_send(client.groups().find_by_name("admins")));
    drop(is_send(client.apps().keys(&app_id())));
    drop(is_send(client.users().me()));
}
