//! Tests of the lists of users and groups: pagination, filters and memberships.

use std::time::Duration;

use okta_aws_sandbox::{Company, Person, PersonStatus};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, next, okta, post, refusal, sandbox, send};

async fn logins(sandbox: &okta_aws_sandbox::Sandbox, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = Some(path.to_owned());
    while let Some(current) = path {
        let response = send(okta(sandbox, Method::GET, &current)).await;
        assert_eq!(response.status(), 200);
        path = next(&response).map(|next| next.replace(&sandbox.okta_url(), ""));
        let page: Vec<Value> = response.json().await.expect("a list");
        found.extend(page.iter().map(|user| {
            user["profile"]["login"]
                .as_str()
                .expect("a login")
                .to_owned()
        }));
    }
    found
}

#[tokio::test]
async fn lists_have_pages_of_one_item_by_default() {
    let default = sandbox().await;
    let all = [
        "ada.lovelace@example.com",
        "person.00002@example.com",
        "person.00003@example.com",
    ];
    assert_eq!(logins(&default, "/api/v1/users?limit=200").await, all);
    assert_eq!(default.requests().len(), 3);
    // The result of `q` has no pages.
    assert_eq!(logins(&default, "/api/v1/users?q=person").await, all[1..]);
    assert_eq!(default.requests().len(), 4);

    let unlimited = builder().page_size(None).start().await.expect("a sandbox");
    assert_eq!(logins(&unlimited, "/api/v1/users").await, all);
    assert_eq!(unlimited.requests().len(), 1);
    assert_eq!(logins(&unlimited, "/api/v1/users?limit=2").await, all);
    assert_eq!(unlimited.requests().len(), 3);
}

#[tokio::test]
async fn a_cursor_is_opaque_and_belongs_to_its_list() {
    let sandbox = sandbox().await;
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users")).await;
    let next = next(&response).expect("another page");
    assert!(!next.contains("00u"), "{next}");
    let cursor = next.split("after=").nth(1).expect("a cursor");
    for path in [
        format!("/api/v1/groups?after={cursor}"),
        "/api/v1/users?after=x".to_owned(),
    ] {
        let (status, code, _, cause) = refusal(okta(&sandbox, Method::GET, &path)).await;
        assert_eq!((status, code.as_str()), (400, "E0000001"));
        assert_eq!(cause, "after: The cursor is not valid");
    }
}

// Source: a limit above the documented maximum is reduced for users, and refused elsewhere.
#[tokio::test]
async fn a_limit_above_the_maximum_is_reduced_for_users_and_refused_elsewhere() {
    let company = Company::small(201, 1);
    let builder = builder().company(company).page_size(None);
    let sandbox = builder.start().await.expect("a sandbox");
    let page = get(&sandbox, "/api/v1/users?limit=1000").await;
    assert_eq!(page.as_array().map(Vec::len), Some(200));
    for (path, cause) in [
        (
            "/api/v1/users?limit=0",
            "limit: must be a number from 1 to 200",
        ),
        (
            "/api/v1/apps?limit=201",
            "limit: must be a number from 1 to 200",
        ),
        (
            "/api/v1/groups?limit=10001",
            "limit: must be a number from 1 to 10000",
        ),
    ] {
        let refused = refusal(okta(&sandbox, Method::GET, path)).await;
        assert_eq!((refused.0, refused.3.as_str()), (400, cause), "{path}");
        assert_eq!(refused.2, "Api validation failed: limit");
    }
}

#[tokio::test]
async fn deprovisioned_users_are_found_by_filters_but_not_listed() {
    let deprovisioned = Person::new("left@example.com", "Charles", "Wheatstone")
        .with_status(PersonStatus::Deprovisioned);
    let company = Company::small(1, 1).person(deprovisioned);
    let sandbox = builder().company(company).start().await.expect("a sandbox");
    assert_eq!(
        logins(&sandbox, "/api/v1/users").await,
        ["ada.lovelace@example.com"]
    );
    let filtered = logins(
        &sandbox,
        "/api/v1/users?filter=status%20eq%20%22DEPROVISIONED%22",
    )
    .await;
    assert_eq!(filtered, ["left@example.com"]);
    let searched = logins(
        &sandbox,
        "/api/v1/users?search=profile.lastName%20sw%20%22wheat%22",
    )
    .await;
    assert_eq!(searched, ["left@example.com"]);
    // "Using the `q` parameter in a request omits users that have a status of `DEPROVISIONED`" (API reference).
    assert_eq!(logins(&sandbox, "/api/v1/users?q=Char").await, [""; 0]);
    assert_eq!(logins(&sandbox, "/api/v1/users?q=Ad").await.len(), 1);
}

#[tokio::test]
async fn a_malformed_filter_is_rejected_with_the_error_of_okta() {
    let sandbox = sandbox().await;
    for filter in [
        "status%20eq%20ACTIVE",
        "status",
        "profile.department%20eq%20%22x%22",
    ] {
        let path = format!("/api/v1/users?filter={filter}");
        let (status, code, summary, cause) = refusal(okta(&sandbox, Method::GET, &path)).await;
        assert_eq!((status, code.as_str()), (400, "E0000031"), "{filter}");
        assert_eq!(summary, "Invalid search criteria.");
        assert_eq!(cause, "Invalid search syntax.");
    }
}

#[tokio::test]
async fn a_user_is_found_by_id_login_and_me() {
    let sandbox = sandbox().await;
    let me = get(&sandbox, "/api/v1/users/me").await;
    assert_eq!(me["profile"]["login"], "ada.lovelace@example.com");
    assert_eq!(me["status"], "ACTIVE");
    assert_eq!(me["profile"]["mobilePhone"], Value::Null);
    let id = me["id"].as_str().expect("an id");
    assert!(id.starts_with("00u") && id.len() == 20, "{id}");
    for name in [id, "ada.lovelace%40example.com", "ada.lovelace"] {
        assert_eq!(
            get(&sandbox, &format!("/api/v1/users/{name}")).await["id"],
            me["id"]
        );
    }
    let (status, _, summary, _) =
        refusal(okta(&sandbox, Method::GET, "/api/v1/users/unknown")).await;
    assert_eq!(status, 404);
    assert_eq!(summary, "Not found: Resource not found: unknown (User)");
}

#[tokio::test]
async fn a_group_name_is_unique_and_adding_a_member_is_idempotent() {
    let sandbox = sandbox().await;
    let body = json!({ "profile": { "name": "auditors", "description": "They read" } });
    let group = post(&sandbox, "/api/v1/groups", &body).await;
    assert_eq!(group["type"], "OKTA_GROUP");
    let (status, _, _, cause) =
        refusal(okta(&sandbox, Method::POST, "/api/v1/groups").json(&body)).await;
    assert_eq!(status, 400);
    assert_eq!(
        cause,
        "name: An object with this field already exists in the current organization"
    );

    let group = group["id"].as_str().expect("an id");
    let ada = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let member = format!("/api/v1/groups/{group}/users/{ada}");
    for _ in 0..2 {
        let response =
            send(okta(&sandbox, Method::PUT, &member).header("content-length", "0")).await;
        assert_eq!(response.status(), 204);
    }
    let members = get(&sandbox, &format!("/api/v1/groups/{group}/users")).await;
    assert_eq!(members[0]["id"], ada.as_str());
    assert_eq!(
        send(okta(&sandbox, Method::DELETE, &member)).await.status(),
        204
    );
    assert_eq!(
        get(&sandbox, &format!("/api/v1/groups/{group}/users")).await,
        json!([])
    );
}

#[tokio::test]
async fn the_group_everyone_cannot_be_edited() {
    let sandbox = sandbox().await;
    let found = get(&sandbox, "/api/v1/groups?q=every").await;
    assert_eq!(found[0]["type"], "BUILT_IN");
    let everyone = found[0]["id"].as_str().expect("an id");
    let path = format!(
        "/api/v1/groups/{everyone}/users/{}",
        sandbox.user_id("ada.lovelace@example.com").expect("Ada")
    );
    let (status, code, ..) = refusal(okta(&sandbox, Method::DELETE, &path)).await;
    assert_eq!((status, code.as_str()), (403, "E0000006"));
}

// Source: parameter `search` of "List all users". The other parameters and look-ups are consistent at once.
#[tokio::test]
async fn a_search_finds_a_change_after_the_delay_and_a_filter_at_once() {
    let delay = Duration::from_secs(5);
    let builder = builder().search_delay(delay);
    let sandbox = builder.start().await.expect("a sandbox");
    let search = "/api/v1/users?search=profile.title%20eq%20%22countess%22";
    let ada = "ada.lovelace@example.com";
    sandbox.set_user_attribute(ada, "title", "Countess");
    let new = Person::new("new@example.com", "New", "User");
    let id = sandbox.add_user(&new);
    let all = "/api/v1/users?search=status%20eq%20%22ACTIVE%22";
    let found = logins(&sandbox, all).await;
    assert_eq!((found.len(), logins(&sandbox, search).await.len()), (3, 0));
    let filter = format!("/api/v1/users?filter=id%20eq%20%22{id}%22");
    assert_eq!(logins(&sandbox, &filter).await, ["new@example.com"]);
    assert_eq!(
        get(&sandbox, &format!("/api/v1/users/{id}")).await["id"],
        id.as_str()
    );
    let group = json!({ "profile": { "name": "fresh" } });
    let group = post(&sandbox, "/api/v1/groups", &group).await;
    let by_name = "/api/v1/groups?search=profile.name%20eq%20%22fresh%22";
    assert_eq!(get(&sandbox, by_name).await, json!([]));
    sandbox.advance(delay);
    assert_eq!(logins(&sandbox, search).await, [ada]);
    assert_eq!(logins(&sandbox, all).await.len(), 4);
    assert_eq!(get(&sandbox, by_name).await[0]["id"], group["id"]);
}

// Source: parameters `sortBy` and `sortOrder` of "List all users".
#[tokio::test]
async fn a_search_is_sorted_by_one_attribute_in_either_order() {
    let company = Company::small(3, 2)
        .person(Person::new("abel@example.com", "Zeta", "Abel"))
        .team("zebras", &[])
        .team("ants", &[]);
    let sandbox = builder().company(company).page_size(None);
    let sandbox = sandbox.start().await.expect("a sandbox");
    let search = "/api/v1/users?search=status%20eq%20%22active%22&sortBy=profile.lastName";
    let mut expected = [
        "abel@example.com",
        "ada.lovelace@example.com",
        "person.00002@example.com",
        "person.00003@example.com",
    ];
    assert_eq!(logins(&sandbox, search).await, expected);
    expected.reverse();
    let descending = format!("{search}&sortOrder=desc");
    assert_eq!(logins(&sandbox, &descending).await, expected);

    let search = "/api/v1/groups?search=type%20eq%20%22OKTA_GROUP%22&sortBy=profile.name";
    let names = async |path: &str| {
        let groups = get(&sandbox, path).await;
        let groups = groups.as_array().expect("a list").iter();
        let names = groups.map(|group| {
            group["profile"]["name"]
                .as_str()
                .expect("a name")
                .to_owned()
        });
        names.collect::<Vec<_>>()
    };
    let mut ascending = names(search).await;
    assert!(
        ascending.is_sorted() && ascending.len() >= 2,
        "{ascending:?}"
    );
    ascending.reverse();
    let descending = names(&format!("{search}&sortOrder=desc")).await;
    assert_eq!(descending, ascending);
}

// Source: parameters `search` of "List all users" and "List all groups", and error code E0000033.
#[tokio::test]
async fn a_search_has_few_operators_and_no_filter_beside_it() {
    let sandbox = sandbox().await;
    let found = logins(
        &sandbox,
        "/api/v1/users?search=profile.email%20co%20%2200002%22",
    )
    .await;
    assert_eq!(found, ["person.00002@example.com"]);
    for (path, expected) in [
        (
            "/api/v1/users?search=profile.title%20co%20%22x%22",
            "E0000031",
        ),
        (
            "/api/v1/users?search=status%20ne%20%22ACTIVE%22",
            "E0000031",
        ),
        ("/api/v1/groups?search=id%20co%20%22x%22", "E0000031"),
        ("/api/v1/groups?search=id%20pr&filter=id%20pr", "E0000033"),
        ("/api/v1/users?search=id%20pr&filter=id%20pr", "E0000033"),
    ] {
        let (status, code, ..) = refusal(okta(&sandbox, Method::GET, path)).await;
        assert_eq!((status, code.as_str()), (400, expected), "{path}");
    }
}

#[tokio::test]
async fn a_page_at_the_end_of_a_long_list_reads_only_its_own_users() {
    let builder = builder().company(Company::small(5000, 1)).page_size(None);
    let sandbox = builder.start().await.expect("a sandbox");
    let all = logins(&sandbox, "/api/v1/users").await;
    assert_eq!(all.len(), 5000);
    assert!(all.is_sorted());
    assert_eq!(sandbox.requests().len(), 25);
}
