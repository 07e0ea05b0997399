//! Tests of the Identity Store API.

use axum::http::Request;
use serde_json::{Value, json};

use crate::aws::harness::{Harness, ServiceError};

fn error_code(outcome: Result<Value, ServiceError>) -> String {
    outcome.expect_err("the request must fail").0
}

#[test]
fn a_user_is_created_described_and_found() {
    let mut harness = Harness::provisioned();
    let id = harness.user("ada@example.com");
    let user = harness
        .identity("DescribeUser", json!({ "UserId": id }))
        .expect("a user");
    assert_eq!(user["UserName"], "ada@example.com");
    assert_eq!(user["Name"], json!({ "GivenName": "G", "FamilyName": "F" }));
    assert_eq!(
        user["Emails"],
        json!([{ "Value": "ada@example.com", "Primary": true, "Type": "work" }])
    );
    assert_eq!(user["UserStatus"], "ENABLED");
    assert_eq!(user["Revision"], "1");
    assert_eq!(
        user["UserArn"],
        format!("arn:aws:identitystore:::user/{id}")
    );
    assert_eq!(user["CreatedAt"], 1_795_517_828.014);
    for (path, value) in [
        ("userName", "ADA@example.com"),
        ("emails.value", "ada@example.com"),
    ] {
        let identifier =
            json!({ "UniqueAttribute": { "AttributePath": path, "AttributeValue": value } });
        let found = harness
            .identity("GetUserId", json!({ "AlternateIdentifier": identifier }))
            .expect("an id");
        assert_eq!(found["UserId"], id, "{path}");
    }
    let by_arn = harness.identity(
        "DescribeUser",
        json!({ "UserId": format!("arn:aws:identitystore:::user/{id}") }),
    );
    assert_eq!(by_arn.expect("a user")["UserId"], id);
}

#[test]
fn an_external_id_set_through_scim_has_the_tenant_as_issuer() {
    let mut harness = Harness::provisioned();
    let body = json!({
        "externalId": "00u1",
        "userName": "ada@example.com",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "displayName": "Ada",
        "emails": [{ "value": "ada@example.com", "primary": true }],
        "active": false,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Engines" },
    });
    let (_, user) = harness.scim("POST", "/Users", &body);
    let (_, group) = harness.scim(
        "POST",
        "/Groups",
        &json!({ "displayName": "admins", "externalId": "00g1" }),
    );
    let tenant = harness
        .scim
        .clone()
        .expect("a SCIM endpoint")
        .0
        .split('/')
        .nth(3)
        .expect("a tenant")
        .to_owned();
    let issuer = format!("https://scim.aws.com/{tenant}");
    let found = harness.identity("ListUsers", json!({})).expect("users");
    assert_eq!(
        found["Users"][0]["ExternalIds"],
        json!([{ "Issuer": issuer, "Id": "00u1" }])
    );
    assert_eq!(found["Users"][0]["UserStatus"], "DISABLED");
    assert!(found["Users"][0].get("Extensions").is_none());
    let extended = json!({ "UserId": user["id"], "Extensions": ["aws:identitystore:enterprise"] });
    let extended = harness.identity("DescribeUser", extended).expect("a user");
    assert_eq!(
        extended["Extensions"],
        json!({ "aws:identitystore:enterprise": { "department": "Engines" } })
    );
    let identifier = |id: &str, issuer: &str| json!({ "AlternateIdentifier": { "ExternalId": { "Issuer": issuer, "Id": id } } });
    let by_id = harness
        .identity("GetUserId", identifier("00u1", &issuer))
        .expect("an id");
    assert_eq!(by_id["UserId"], user["id"]);
    let by_id = harness
        .identity("GetGroupId", identifier("00g1", &issuer))
        .expect("an id");
    assert_eq!(by_id["GroupId"], group["id"]);
    let elsewhere = harness.identity("GetUserId", identifier("00u1", "https://example.com"));
    assert_eq!(error_code(elsewhere), "ResourceNotFoundException");
}

#[test]
fn an_identifier_must_be_exactly_one_unique_attribute_or_external_id() {
    let mut harness = Harness::with_identity_center();
    let unique = json!({ "AttributePath": "userName", "AttributeValue": "a" });
    for identifier in [
        json!({}),
        json!({ "UniqueAttribute": unique, "ExternalId": { "Issuer": "i", "Id": "1" } }),
        json!({ "UniqueAttribute": { "AttributePath": "title", "AttributeValue": "a" } }),
        json!({ "UniqueAttribute": { "AttributePath": "userName", "AttributeValue": 1 } }),
    ] {
        let outcome = harness.identity("GetUserId", json!({ "AlternateIdentifier": identifier }));
        assert_eq!(error_code(outcome), "ValidationException", "{identifier}");
    }
}

#[test]
fn a_missing_resource_returns_not_found_with_its_kind() {
    let mut harness = Harness::with_identity_center();
    let id = "9067000000-00000000-0000-0000-0000-000000000000";
    for (operation, body) in [
        ("DescribeUser", json!({ "UserId": id })),
        ("DeleteUser", json!({ "UserId": id })),
        ("DescribeGroup", json!({ "GroupId": id })),
        ("ListGroupMemberships", json!({ "GroupId": id })),
        (
            "ListGroupMembershipsForMember",
            json!({ "MemberId": { "UserId": id } }),
        ),
        ("DeleteGroupMembership", json!({ "MembershipId": id })),
        (
            "GetGroupId",
            json!({ "AlternateIdentifier": { "UniqueAttribute": { "AttributePath": "displayName", "AttributeValue": "x" } } }),
        ),
    ] {
        assert_eq!(
            error_code(harness.identity(operation, body)),
            "ResourceNotFoundException",
            "{operation}"
        );
    }
    let message = harness
        .identity("DescribeUser", json!({ "UserId": id }))
        .expect_err("the request must fail")
        .1;
    assert_eq!(message, "USER not found.");
}

#[test]
fn the_constraints_of_the_model_are_checked_before_the_resource() {
    let mut harness = Harness::with_identity_center();
    let id = "9067000000-00000000-0000-0000-0000-000000000000";
    let operations = json!([{ "AttributePath": "title", "AttributeValue": "x" }]);
    for (operation, body) in [
        (
            "ListGroupMemberships",
            json!({ "GroupId": id, "MaxResults": 0 }),
        ),
        (
            "UpdateUser",
            json!({ "UserId": id, "Operations": operations, "Revision": "x" }),
        ),
        (
            "UpdateGroup",
            json!({ "GroupId": id, "Operations": operations, "Revision": "x" }),
        ),
        ("DeleteUser", json!({ "UserId": id, "Revision": "x" })),
        ("DeleteGroup", json!({ "GroupId": id, "Revision": "x" })),
    ] {
        assert_eq!(
            error_code(harness.identity(operation, body)),
            "ValidationException",
            "{operation}"
        );
    }
}

#[test]
fn another_store_or_region_is_not_found() {
    let mut harness = Harness::with_identity_center();
    let head = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSIdentityStore.ListUsers");
    let body = json!({ "IdentityStoreId": "d-0000000000" });
    let request = harness.signed("identitystore", head, &body.to_string());
    let other: Value = serde_json::from_slice(harness.send(&request).body()).expect("an error");
    // The id of a store does not match the model's pattern of `ResourceId`.
    assert_eq!(
        other,
        json!({
            "__type": "ResourceNotFoundException",
            "Message": "IDENTITY_STORE not found.",
            "ResourceType": "IDENTITY_STORE",
        })
    );
    harness.region = "us-east-1".to_owned();
    assert_eq!(
        error_code(harness.identity("ListUsers", json!({}))),
        "ResourceNotFoundException"
    );
    let stores = harness
        .identity("ListIdentityStores", json!({}))
        .expect("stores");
    assert_eq!(stores["IdentityStores"], json!([]));
}

#[test]
fn a_store_can_be_addressed_by_id_and_by_arn() {
    let mut harness = Harness::with_identity_center();
    let store = harness.store();
    let arn = format!("arn:aws:identitystore::111122223333:identitystore/{store}");
    let listed = harness
        .identity("ListIdentityStores", json!({}))
        .expect("stores");
    assert_eq!(
        listed["IdentityStores"],
        json!([{ "IdentityStoreId": store, "IdentityStoreArn": arn }])
    );
    let described = harness
        .identity("DescribeIdentityStore", json!({ "IdentityStoreId": arn }))
        .expect("a store");
    assert_eq!(described["IdentityStoreId"], store);
    let malformed = harness.identity("ListUsers", json!({ "IdentityStoreId": "store" }));
    assert_eq!(error_code(malformed), "ValidationException");
}

#[test]
fn a_user_needs_names_and_at_most_one_value_per_list() {
    let mut harness = Harness::with_identity_center();
    let whole = json!({ "UserName": "a", "DisplayName": "A", "Name": { "GivenName": "G", "FamilyName": "F" } });
    for name in ["UserName", "DisplayName", "Name"] {
        let mut body = whole.clone();
        body.as_object_mut().expect("an object").remove(name);
        assert_eq!(
            error_code(harness.identity("CreateUser", body)),
            "ValidationException",
            "{name}"
        );
    }
    let mut body = whole.clone();
    body["Emails"] = json!([{ "Value": "a@b" }, { "Value": "c@d" }]);
    assert_eq!(
        error_code(harness.identity("CreateUser", body)),
        "ValidationException"
    );
    for (name, value) in [
        ("NickName", json!("")),
        ("Emails", json!([{ "Value": "x".repeat(1025) }])),
        ("Addresses", json!([{ "Country": "" }])),
        ("Photos", json!([])),
        ("Photos", json!([{ "Type": "photo" }])),
    ] {
        let mut body = whole.clone();
        body[name] = value;
        let (code, message) = harness
            .identity("CreateUser", body)
            .expect_err("the request must fail");
        assert_eq!(code, "ValidationException", "{name}");
        let member = format!("at '{}{}", name[..1].to_lowercase(), &name[1..]);
        assert!(message.contains(&member), "{message}");
    }
    let mut body = whole.clone();
    body["Name"]["MiddleName"] = "".into();
    assert_eq!(
        error_code(harness.identity("CreateUser", body)),
        "ValidationException"
    );
    let mut body = whole.clone();
    body["UserName"] = "with space".into();
    assert_eq!(
        error_code(harness.identity("CreateUser", body)),
        "ValidationException"
    );
    let mut body = whole.clone();
    body["UserName"] = "Administrator".into();
    assert_eq!(
        error_code(harness.identity("CreateUser", body)),
        "ValidationException"
    );
    harness.identity("CreateUser", whole).expect("a user");
}

#[test]
fn duplicate_names_and_memberships_are_rejected() {
    let mut harness = Harness::with_identity_center();
    let ada = harness.user("ada@example.com");
    let body = json!({ "UserName": "Ada@example.com", "DisplayName": "A", "Name": { "GivenName": "G", "FamilyName": "F" } });
    assert_eq!(
        harness
            .identity("CreateUser", body)
            .expect_err("the request must fail"),
        (
            "ConflictException".to_owned(),
            "Duplicate userName".to_owned()
        )
    );
    let group = harness.group("admins", &[&ada]);
    assert_eq!(
        error_code(harness.identity("CreateGroup", json!({ "DisplayName": "admins" }))),
        "ConflictException"
    );
    let body = json!({ "GroupId": group, "MemberId": { "UserId": ada } });
    assert_eq!(
        error_code(harness.identity("CreateGroupMembership", body)),
        "ConflictException"
    );
}

#[test]
fn memberships_are_listed_by_group_and_by_member() {
    let mut harness = Harness::with_identity_center();
    let (ada, eve) = (
        harness.user("ada@example.com"),
        harness.user("eve@example.com"),
    );
    let (admins, readers) = (
        harness.group("admins", &[&ada]),
        harness.group("readers", &[&ada, &eve]),
    );
    let members = harness
        .identity("ListGroupMemberships", json!({ "GroupId": readers }))
        .expect("members");
    let ids: Vec<&Value> = members["GroupMemberships"]
        .as_array()
        .expect("members")
        .iter()
        .map(|membership| &membership["MemberId"]["UserId"])
        .collect();
    assert_eq!(ids, [&json!(ada), &json!(eve)]);
    let groups = harness
        .identity(
            "ListGroupMembershipsForMember",
            json!({ "MemberId": { "UserId": ada } }),
        )
        .expect("groups");
    assert_eq!(groups["GroupMemberships"].as_array().map(Vec::len), Some(2));
    let results = harness
        .identity(
            "IsMemberInGroups",
            json!({ "MemberId": { "UserId": eve }, "GroupIds": [admins, readers] }),
        )
        .expect("results");
    let results: Vec<&Value> = results["Results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| &result["MembershipExists"])
        .collect();
    assert_eq!(results, [&json!(false), &json!(true)]);
    let found = harness
        .identity(
            "GetGroupMembershipId",
            json!({ "GroupId": readers, "MemberId": { "UserId": eve } }),
        )
        .expect("an id");
    let id = &found["MembershipId"];
    let described = harness
        .identity("DescribeGroupMembership", json!({ "MembershipId": id }))
        .expect("a membership");
    assert_eq!(described["GroupId"], readers);
    harness
        .identity("DeleteGroupMembership", json!({ "MembershipId": id }))
        .expect("the request succeeds");
    let members = harness
        .identity("ListGroupMemberships", json!({ "GroupId": readers }))
        .expect("members");
    assert_eq!(
        members["GroupMemberships"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn lists_are_filtered_by_name_only() {
    let mut harness = Harness::with_identity_center();
    harness.user("ada@example.com");
    harness.user("eve@example.com");
    let filter = |path: &str, value: &str| json!({ "Filters": [{ "AttributePath": path, "AttributeValue": value }] });
    let users = harness
        .identity("ListUsers", filter("UserName", "eve@example.com"))
        .expect("users");
    assert_eq!(users["Users"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        error_code(harness.identity("ListUsers", filter("DisplayName", "x"))),
        "ValidationException"
    );
    let groups = harness
        .identity("ListGroups", filter("DisplayName", "missing"))
        .expect("groups");
    assert_eq!(groups["Groups"], json!([]));
}

#[test]
fn pages_have_size_limits_and_a_token_is_valid_for_one_operation() {
    let mut harness = Harness::with_identity_center();
    harness.user("ada@example.com");
    harness.user("eve@example.com");
    let page = harness
        .identity("ListUsers", json!({ "MaxResults": 1 }))
        .expect("a page");
    let token = page["NextToken"].clone();
    let rest = harness
        .identity("ListUsers", json!({ "NextToken": token }))
        .expect("a page");
    assert_eq!(rest["Users"][0]["UserName"], "eve@example.com");
    assert!(rest.get("NextToken").is_none());
    assert_eq!(
        error_code(harness.identity("ListGroups", json!({ "NextToken": token }))),
        "ValidationException"
    );
    assert_eq!(
        error_code(harness.identity("ListUsers", json!({ "NextToken": "eA==" }))),
        "ValidationException"
    );
    assert_eq!(
        error_code(harness.identity("ListUsers", json!({ "MaxResults": 0 }))),
        "ValidationException"
    );
    assert_eq!(
        error_code(harness.identity("ListUsers", json!({ "MaxResults": 101 }))),
        "ValidationException"
    );
}

#[test]
fn attributes_are_updated_one_by_one() {
    let mut harness = Harness::with_identity_center();
    let id = harness.user("ada@example.com");
    let operations = json!([
        { "AttributePath": "displayName", "AttributeValue": "Ada" },
        { "AttributePath": "name.givenName", "AttributeValue": "Augusta" },
        { "AttributePath": "emails", "AttributeValue": [{ "Value": "a@example.com", "Primary": true }] },
        { "AttributePath": "aws:identitystore:enterprise.department", "AttributeValue": "Engines" },
        { "AttributePath": "title" },
    ]);
    let updated = harness
        .identity(
            "UpdateUser",
            json!({ "UserId": id, "Operations": operations }),
        )
        .expect("an update");
    assert_eq!(updated["Revision"], "2");
    let user = harness
        .identity("DescribeUser", json!({ "UserId": id }))
        .expect("a user");
    assert_eq!(user["DisplayName"], "Ada");
    assert_eq!(user["Name"]["GivenName"], "Augusta");
    assert_eq!(
        user["Emails"],
        json!([{ "Value": "a@example.com", "Primary": true }])
    );
    for operation in [
        json!({ "AttributePath": "userName" }),
        json!({ "AttributePath": "nonsense", "AttributeValue": "x" }),
        json!({ "AttributePath": "emails", "AttributeValue": [{}, {}] }),
    ] {
        let outcome = harness.identity(
            "UpdateUser",
            json!({ "UserId": id, "Operations": [operation] }),
        );
        assert_eq!(error_code(outcome), "ValidationException", "{operation}");
    }
}

#[test]
fn an_outdated_revision_is_a_conflict() {
    let mut harness = Harness::with_identity_center();
    let id = harness.group("admins", &[]);
    let operations = json!([{ "AttributePath": "displayName", "AttributeValue": "owners" }]);
    let update =
        |revision: &str| json!({ "GroupId": id, "Operations": operations, "Revision": revision });
    assert_eq!(
        error_code(harness.identity("UpdateGroup", update("7"))),
        "ConflictException"
    );
    harness
        .identity("UpdateGroup", update("1"))
        .expect("an update");
    assert_eq!(harness.cloud.groups()[0].display_name, "owners");
    let delete = json!({ "GroupId": id, "Revision": "1" });
    assert_eq!(
        error_code(harness.identity("DeleteGroup", delete)),
        "ConflictException"
    );
    harness
        .identity("DeleteGroup", json!({ "GroupId": id, "Revision": "2" }))
        .expect("the request succeeds");
}

#[test]
fn the_assignments_of_a_deleted_principal_remain() {
    let mut harness = Harness::with_identity_center();
    let group = harness.group("admins", &[]);
    let user = harness.user("ada@example.com");
    let set = harness.permission_set("Admin");
    harness.assign("200000000002", &set, "GROUP", &group);
    harness.assign("200000000002", &set, "USER", &user);
    harness
        .identity("DeleteGroup", json!({ "GroupId": group }))
        .expect("the request succeeds");
    harness
        .identity("DeleteUser", json!({ "UserId": user }))
        .expect("the request succeeds");
    let assigned = harness.cloud.assignments();
    let principals: Vec<&str> = assigned.iter().map(|row| row.principal.as_str()).collect();
    assert_eq!(principals, [group.as_str(), user.as_str()]);
    assert_eq!(
        harness.cloud.permission_sets()[0].accounts,
        ["200000000002"]
    );
    let again = harness.group("admins", &[]);
    assert_ne!(again, group);
    let body = json!({ "PrincipalType": "GROUP", "PrincipalId": again });
    let listed = harness
        .sso("ListAccountAssignmentsForPrincipal", body)
        .expect("assignments");
    assert_eq!(listed["AccountAssignments"], json!([]));
}

#[test]
fn member_accounts_have_no_access() {
    let mut harness = Harness::with_identity_center();
    harness.sign_as("200000000002");
    let (code, message) = harness
        .identity("ListUsers", json!({}))
        .expect_err("the request must fail");
    assert_eq!(code, "AccessDeniedException");
    assert!(message.starts_with("User: arn:aws:iam::200000000002:user/integration is not authorized to perform: identitystore:ListUsers"), "{message}");
}

#[test]
fn a_text_that_the_service_model_refuses_is_neither_created_nor_updated() {
    let mut harness = Harness::provisioned();
    let id = harness.user("ada@example.com");
    let group = harness.identity("CreateGroup", json!({ "DisplayName": "admins" }));
    let group = group.expect("a group")["GroupId"].clone();
    let update = |key: &str, id: &Value, path: &str, value: Value| json!({ key: id, "Operations": [{ "AttributePath": path, "AttributeValue": value }] });
    let id = json!(id);
    let user = |name: &str, title: &str| {
        json!({
            "UserName": name,
            "DisplayName": "Eve",
            "Name": { "GivenName": "Eve", "FamilyName": "F" },
            "Title": title,
            "Extensions": { "aws:identitystore:enterprise": { "department": title } },
        })
    };
    for (operation, body) in [
        ("CreateUser", user("a b", "t")),
        ("CreateUser", user("a\u{200b}b", "t")),
        ("CreateUser", user("Administrator", "t")),
        ("CreateUser", user("eve", "a\u{2028}b")),
        ("CreateGroup", json!({ "DisplayName": "a\u{200b}b" })),
        ("CreateGroup", json!({ "DisplayName": "AWSAdministrators" })),
        (
            "UpdateUser",
            update("UserId", &id, "userName", json!("a b")),
        ),
        (
            "UpdateUser",
            update("UserId", &id, "userName", json!("Administrator")),
        ),
        (
            "UpdateUser",
            update("UserId", &id, "title", json!("a\u{200b}b")),
        ),
        (
            "UpdateUser",
            update("UserId", &id, "emails", json!([{ "Value": "a\u{e000}b" }])),
        ),
        (
            "UpdateUser",
            update("UserId", &id, "name.givenName", json!("")),
        ),
        (
            "UpdateGroup",
            update("GroupId", &group, "displayName", json!("a\u{2028}b")),
        ),
        (
            "UpdateGroup",
            update("GroupId", &group, "displayName", json!("Administrator")),
        ),
    ] {
        let text = body.to_string();
        let outcome = harness.identity(operation, body);
        assert_eq!(
            error_code(outcome),
            "ValidationException",
            "{operation} {text}"
        );
    }
    for (operation, body) in [
        ("CreateUser", user("a:b", "a\tb\u{3000}c")),
        (
            "UpdateUser",
            update("UserId", &id, "title", json!("<a>; b:\n%")),
        ),
        (
            "UpdateGroup",
            update("GroupId", &group, "displayName", json!("a: b")),
        ),
    ] {
        harness.identity(operation, body).expect("accepted");
    }
    let mut department = user("ada", "t");
    department["Extensions"]["aws:identitystore:enterprise"]["department"] = "a\u{7}".into();
    assert_eq!(
        error_code(harness.identity("CreateUser", department)),
        "ValidationException"
    );
}
