//! Requests about users.

use okta_client::{
    CreateUser, Edit, ListUsers, NewUser, SendEmail, SortOrder, UpdateUser, UserProvider, UserRef,
};
use rest_core::{Secret, TransportError};
use serde_json::{Map, json};

use super::{check, list, no_items, resource, user, wire};
use crate::{Org, empty, group_id, json, user_id, with};

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
        ..ListUsers::default()
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
async fn options_of_the_user_list_are_sent() {
    wire(
        list(),
        async |okta| {
            let options = ListUsers {
                query: Some("ada".to_owned()),
                sort_by: Some("profile.lastName".to_owned()),
                sort_order: Some(SortOrder::Descending),
                fields: Some("id,status,profile:(login)".to_owned()),
                ..ListUsers::default()
            };
            okta.users().list(options).try_collect().await.unwrap();
        },
        "GET /api/v1/users?limit=200&q=ada&sortBy=profile.lastName&sortOrder=desc\
         &fields=id%2Cstatus%2Cprofile%3A%28login%29",
        None,
    )
    .await;
}

#[tokio::test]
async fn calls_that_change_users_match_the_api_reference() {
    wire(
        resource("00u1"),
        async |okta| {
            let user = NewUser {
                login: "ada@example.com".to_owned(),
                email: "ada@example.com".to_owned(),
                first_name: "Ada".to_owned(),
                last_name: "Lovelace".to_owned(),
                attributes: Map::from_iter([("department".to_owned(), json!("Research"))]),
                password: Some(Secret::new("correct horse")),
                provider: Some(UserProvider {
                    kind: "FEDERATION".to_owned(),
                    name: "FEDERATION".to_owned(),
                }),
                groups: vec![group_id()],
            };
            let options = CreateUser {
                change_password: true,
                ..CreateUser::default()
            };
            okta.users().create(&user, &options).await.unwrap();
        },
        "POST /api/v1/users?activate=true&provider=true&nextLogin=changePassword",
        json!({
            "profile": {
                "login": "ada@example.com", "email": "ada@example.com", "firstName": "Ada",
                "lastName": "Lovelace", "department": "Research"
            },
            "credentials": {
                "password": { "value": "correct horse" },
                "provider": { "type": "FEDERATION", "name": "FEDERATION" }
            },
            "groupIds": ["00g1"]
        }),
    )
    .await;
    wire(
        resource("00u1"),
        async |okta| {
            let user = NewUser {
                login: "ada@example.com".to_owned(),
                ..NewUser::default()
            };
            let staged = CreateUser {
                activate: false,
                ..CreateUser::default()
            };
            okta.users().create(&user, &staged).await.unwrap();
        },
        "POST /api/v1/users?activate=false",
        json!({ "profile": { "login": "ada@example.com" } }),
    )
    .await;
    wire(
        resource("00u1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set_attribute("department", "R&D").unwrap();
            edit.set_attribute("costCenter", ()).unwrap();
            let options = UpdateUser::default();
            okta.users()
                .update(&user_id(), &edit, &options)
                .await
                .unwrap();
        },
        "POST /api/v1/users/00u1",
        json!({ "profile": { "department": "R&D", "costCenter": null } }),
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.users().delete(&user_id()).await.unwrap(),
        "DELETE /api/v1/users/00u1",
        None,
    )
    .await;
    wire(
        list(),
        async |okta| drop(okta.users().groups(&user_id()).try_collect().await.unwrap()),
        "GET /api/v1/users/00u1/groups",
        None,
    )
    .await;
}

#[tokio::test]
async fn a_replacement_of_a_user_names_the_version_that_was_read() {
    let user = json!({ "id": "00u1", "profile": { "login": "ada@example.com" } });
    let read = with(json(200, user.clone()), "etag", "W/\"17\"");
    let changed = json!({ "errorCode": "E0000152" });
    let org = Org::responding([read, json(412, changed.clone()), json(412, changed)]);
    let okta = org.client();
    let user = okta.users().get(&user_id().into()).await.unwrap();
    assert_eq!(user.etag.as_deref(), Some("W/\"17\""));
    let options = UpdateUser {
        if_match: user.etag.clone(),
        strict: true,
    };
    let result = okta
        .users()
        .replace(&user_id(), &user.edit(), &options)
        .await;
    assert_eq!(result.expect_err("a conflict").status(), Some(412));
    let result = okta
        .users()
        .update(&user_id(), &Edit::new(), &options)
        .await;
    assert_eq!(result.expect_err("a conflict").status(), Some(412));
    let line = "/api/v1/users/00u1?strict=true";
    assert_eq!(
        org.requests()[1..],
        [format!("PUT {line}"), format!("POST {line}")]
    );
    for request in 1..3 {
        assert_eq!(org.header(request, "if-match").as_deref(), Some("W/\"17\""));
    }
}

#[tokio::test]
async fn a_lost_write_of_a_version_is_not_repeated_because_the_repetition_would_name_an_old_one() {
    let lost = || TransportError::maybe_sent("reset");
    let org = Org::default().then(Err(lost())).then(Err(lost()));
    let (okta, edit) = (org.client(), Edit::new());
    let options = UpdateUser {
        if_match: Some("W/\"17\"".to_owned()),
        ..UpdateUser::default()
    };
    let users = okta.users();
    for result in [
        users.update(&user_id(), &edit, &options).await,
        users.replace(&user_id(), &edit, &options).await,
    ] {
        assert!(result.expect_err("no answer").may_have_acted());
    }
    assert_eq!(org.requests().len(), 2);
}

#[tokio::test]
async fn a_lost_deletion_is_not_repeated_because_the_repetition_would_delete_a_deactivated_user() {
    let lost = TransportError::maybe_sent("reset");
    let org = Org::default().then(Err(lost)).then(Ok(empty(204)));
    let error = org
        .client()
        .users()
        .delete(&user_id())
        .await
        .expect_err("no answer");
    assert!(error.may_have_acted());
    assert_eq!(org.requests().len(), 1);
}

#[tokio::test]
async fn calls_for_the_life_of_a_user_match_the_api_reference() {
    let base = "POST /api/v1/users/00u1/lifecycle";
    let link = json!({ "activationUrl": "https://acme.okta.com/tokens/x", "activationToken": "x" });
    wire(
        json(200, link),
        async |okta| {
            let activation = okta
                .users()
                .activate(&user_id(), SendEmail::No)
                .await
                .unwrap();
            assert_eq!(activation.token.as_ref().expect("a token").expose(), "x");
            assert!(!format!("{activation:?}").contains("tokens/x"));
        },
        &format!("{base}/activate?sendEmail=false"),
        None,
    )
    .await;
    wire(
        json(200, json!({})),
        async |okta| {
            let activation = okta
                .users()
                .reactivate(&user_id(), SendEmail::Yes)
                .await
                .unwrap();
            assert!(activation.url.is_none());
        },
        &format!("{base}/reactivate?sendEmail=true"),
        None,
    )
    .await;
    wire(
        json(200, json!({})),
        async |okta| {
            okta.users()
                .deactivate(&user_id(), SendEmail::No)
                .await
                .unwrap();
        },
        &format!("{base}/deactivate?sendEmail=false"),
        None,
    )
    .await;
    for (action, line) in ["suspend", "unsuspend", "unlock"].map(|a| (a, format!("{base}/{a}"))) {
        wire(
            json(200, json!({})),
            async |okta| match action {
                "suspend" => okta.users().suspend(&user_id()).await.unwrap(),
                "unsuspend" => okta.users().unsuspend(&user_id()).await.unwrap(),
                _ => okta.users().unlock(&user_id()).await.unwrap(),
            },
            &line,
            None,
        )
        .await;
    }
    wire(
        json(
            200,
            json!({ "resetPasswordUrl": "https://acme.okta.com/reset" }),
        ),
        async |okta| {
            let reset = okta
                .users()
                .reset_password(&user_id(), SendEmail::No)
                .await
                .unwrap();
            assert_eq!(
                reset.url.expect("a link").expose(),
                "https://acme.okta.com/reset"
            );
        },
        &format!("{base}/reset_password?sendEmail=false"),
        None,
    )
    .await;
    wire(
        resource("00u1"),
        async |okta| drop(okta.users().expire_password(&user_id()).await.unwrap()),
        &format!("{base}/expire_password"),
        None,
    )
    .await;
    wire(
        json(200, json!({ "tempPassword": "f4Lr" })),
        async |okta| {
            let users = okta.users();
            let temporary = users
                .expire_password_with_temporary(&user_id())
                .await
                .unwrap();
            assert_eq!(temporary.password.expose(), "f4Lr");
        },
        &format!("{base}/expire_password_with_temp_password"),
        None,
    )
    .await;
}

#[tokio::test]
async fn an_error_does_not_repeat_the_password_of_a_new_user() {
    let body =
        json!({ "errorCode": "E0000001", "errorSummary": "correct horse battery is too short" });
    let org = Org::responding([json(400, body)]);
    let user = NewUser {
        password: Some(Secret::new("correct horse battery")),
        ..NewUser::default()
    };
    let result = org
        .client()
        .users()
        .create(&user, &CreateUser::default())
        .await;
    let error = result.expect_err("a refusal");
    assert_eq!(error.message(), Some("(a secret) is too short"));
    assert!(!format!("{user:?}").contains("correct horse battery"));
}
