//! Tests of the AWS Organizations API.

use serde_json::{Value, json};

use crate::aws::harness::{Harness, ServiceError, seed};

fn error_code(outcome: Result<Value, ServiceError>) -> String {
    outcome.expect_err("the request must fail").0
}

fn accounts(harness: &mut Harness, operation: &str, mut body: Value) -> (Vec<Value>, Vec<usize>) {
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = harness.organizations(operation, &body).expect("a page");
        let items = page["Accounts"].as_array().expect("accounts").clone();
        sizes.push(items.len());
        all.extend(items);
        match page.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => return (all, sizes),
        }
    }
}

#[test]
fn the_organization_has_all_features_and_a_management_account() {
    let mut harness = Harness::new();
    let organization = harness
        .organizations("DescribeOrganization", &json!({}))
        .expect("an organization");
    let organization = &organization["Organization"];
    assert_eq!(organization["FeatureSet"], "ALL");
    assert_eq!(organization["MasterAccountId"], "111122223333");
    assert_eq!(
        organization["MasterAccountEmail"],
        "aws+management@example.com"
    );
    let id = organization["Id"].as_str().expect("an id");
    assert!(id.starts_with("o-") && id.len() == 12, "{id}");
}

#[test]
fn an_account_has_a_state_a_status_and_a_path() {
    let mut harness = Harness::new();
    let account = harness
        .organizations("DescribeAccount", &json!({ "AccountId": "200000000002" }))
        .expect("an account");
    let account = &account["Account"];
    assert_eq!(account["Name"], "Web Production");
    assert_eq!(account["State"], "ACTIVE");
    assert_eq!(account["Status"], "ACTIVE");
    let path = account["Paths"][0].as_str().expect("a path");
    let parts: Vec<&str> = path.split('/').collect();
    assert_eq!(parts.len(), 6, "{path}");
    assert!(
        parts[0].starts_with("o-") && parts[1].starts_with("r-") && parts[3].starts_with("ou-"),
        "{path}"
    );
    assert_eq!(&parts[4..], ["200000000002", ""]);
}

#[test]
fn status_maps_newer_states_to_older_values() {
    let mut harness = Harness::new();
    let (accounts, _) = accounts(&mut harness, "ListAccounts", json!({}));
    let states: Vec<(&str, &str)> = accounts
        .iter()
        .map(|account| {
            (
                account["State"].as_str().expect("a state"),
                account["Status"].as_str().expect("a status"),
            )
        })
        .collect();
    assert_eq!(
        states[3..],
        [
            ("SUSPENDED", "SUSPENDED"),
            ("CLOSED", "SUSPENDED"),
            ("PENDING_CLOSURE", "PENDING_CLOSURE"),
        ]
    );
}

#[test]
fn the_retired_status_member_can_be_turned_off() {
    let mut seed = seed();
    seed.account_status = false;
    let mut harness = Harness::with(seed);
    let (accounts, _) = accounts(&mut harness, "ListAccounts", json!({}));
    assert!(
        accounts
            .iter()
            .all(|account| account.get("Status").is_none())
    );
}

#[test]
fn a_list_of_accounts_has_an_empty_page_in_the_middle() {
    let mut harness = Harness::new();
    let (all, sizes) = accounts(&mut harness, "ListAccounts", json!({ "MaxResults": 4 }));
    assert_eq!(all.len(), 6);
    assert_eq!(sizes, [4, 0, 2]);
}

#[test]
fn a_page_has_at_most_twenty_accounts() {
    let mut harness = Harness::new();
    let refusal = harness
        .organizations("ListAccounts", &json!({ "MaxResults": 21 }))
        .expect_err("the request must fail");
    assert_eq!(
        refusal,
        (
            "InvalidInputException".to_owned(),
            "1 validation error detected: Value '21' at 'maxResults' failed to satisfy constraint: Member must \
             have value less than or equal to 20"
                .to_owned()
        )
    );
}

#[test]
fn a_token_of_another_list_is_rejected() {
    let mut harness = Harness::new();
    let page = harness
        .organizations("ListAccounts", &json!({ "MaxResults": 1 }))
        .expect("a page");
    let roots = harness.organizations("ListRoots", &json!({ "NextToken": page["NextToken"] }));
    assert_eq!(error_code(roots), "InvalidInputException");
}

#[test]
fn a_missing_account_returns_not_found() {
    let mut harness = Harness::new();
    let missing = harness.organizations("DescribeAccount", &json!({ "AccountId": "999999999999" }));
    assert_eq!(error_code(missing), "AccountNotFoundException");
    let malformed = harness.organizations("DescribeAccount", &json!({ "AccountId": "ada" }));
    assert_eq!(error_code(malformed), "InvalidInputException");
}

#[test]
fn units_and_accounts_are_listed_from_the_root() {
    let mut harness = Harness::new();
    let roots = harness
        .organizations("ListRoots", &json!({}))
        .expect("roots");
    let root = roots["Roots"][0]["Id"].clone();
    let units = harness
        .organizations(
            "ListOrganizationalUnitsForParent",
            &json!({ "ParentId": root }),
        )
        .expect("units");
    let names: Vec<&str> = units["OrganizationalUnits"]
        .as_array()
        .expect("units")
        .iter()
        .map(|unit| unit["Name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["Security", "Workloads", "Empty"]);
    let workloads = units["OrganizationalUnits"][1]["Id"].clone();
    let (below, _) = accounts(
        &mut harness,
        "ListAccountsForParent",
        json!({ "ParentId": workloads }),
    );
    let ids: Vec<&str> = below
        .iter()
        .map(|account| account["Id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["200000000003"]);
    let parents = harness
        .organizations("ListParents", &json!({ "ChildId": "200000000003" }))
        .expect("parents");
    assert_eq!(
        parents["Parents"][0],
        json!({ "Id": workloads, "Type": "ORGANIZATIONAL_UNIT" })
    );
}

#[test]
fn a_missing_parent_returns_not_found() {
    let mut harness = Harness::new();
    let missing = harness.organizations(
        "ListAccountsForParent",
        &json!({ "ParentId": "ou-0000-00000000" }),
    );
    assert_eq!(error_code(missing), "ParentNotFoundException");
}

#[test]
fn accounts_have_tags() {
    let mut harness = Harness::new();
    let tags = harness
        .organizations(
            "ListTagsForResource",
            &json!({ "ResourceId": "200000000002" }),
        )
        .expect("tags");
    assert_eq!(
        tags["Tags"],
        json!([{ "Key": "stage", "Value": "production" }])
    );
    harness
        .organizations(
            "TagResource",
            &json!({ "ResourceId": "200000000002", "Tags": [{ "Key": "a", "Value": "b" }] }),
        )
        .expect("a tag");
    let tags = harness
        .organizations(
            "ListTagsForResource",
            &json!({ "ResourceId": "200000000002" }),
        )
        .expect("tags");
    assert_eq!(tags["Tags"][0], json!({ "Key": "a", "Value": "b" }));
    let missing = harness.organizations(
        "ListTagsForResource",
        &json!({ "ResourceId": "999999999999" }),
    );
    assert_eq!(error_code(missing), "TargetNotFoundException");
}

#[test]
fn enabling_service_access_makes_the_service_trusted() {
    let mut harness = Harness::new();
    let trusted = harness
        .organizations("ListAWSServiceAccessForOrganization", &json!({}))
        .expect("services");
    assert_eq!(trusted["EnabledServicePrincipals"], json!([]));
    let body = json!({ "ServicePrincipal": "sso.amazonaws.com" });
    let response = harness
        .organizations("EnableAWSServiceAccess", &body)
        .expect("trusted access");
    assert_eq!(response, Value::Null);
    let trusted = harness
        .organizations("ListAWSServiceAccessForOrganization", &json!({}))
        .expect("services");
    assert_eq!(
        trusted["EnabledServicePrincipals"][0]["ServicePrincipal"],
        "sso.amazonaws.com"
    );
    let unknown = harness.organizations(
        "EnableAWSServiceAccess",
        &json!({ "ServicePrincipal": "sso" }),
    );
    assert_eq!(error_code(unknown), "InvalidInputException");
}

#[test]
fn enabling_identity_center_enables_trusted_access() {
    let mut harness = Harness::with_identity_center();
    let trusted = harness
        .organizations("ListAWSServiceAccessForOrganization", &json!({}))
        .expect("services");
    assert_eq!(
        trusted["EnabledServicePrincipals"][0]["ServicePrincipal"],
        "sso.amazonaws.com"
    );
}

#[test]
fn a_delegated_administrator_is_registered_once_for_a_trusted_service() {
    let mut harness = Harness::new();
    let body = json!({ "AccountId": "200000000001", "ServicePrincipal": "sso.amazonaws.com" });
    let untrusted = harness.organizations("RegisterDelegatedAdministrator", &body);
    assert_eq!(error_code(untrusted), "ConstraintViolationException");
    harness
        .organizations(
            "EnableAWSServiceAccess",
            &json!({ "ServicePrincipal": "sso.amazonaws.com" }),
        )
        .expect("trusted access");
    harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    let again = harness.organizations("RegisterDelegatedAdministrator", &body);
    assert_eq!(error_code(again), "AccountAlreadyRegisteredException");
    let delegates = harness
        .organizations(
            "ListDelegatedAdministrators",
            &json!({ "ServicePrincipal": "sso.amazonaws.com" }),
        )
        .expect("delegates");
    assert_eq!(
        delegates["DelegatedAdministrators"][0]["Id"],
        "200000000001"
    );
    let others = harness
        .organizations(
            "ListDelegatedAdministrators",
            &json!({ "ServicePrincipal": "guardduty.amazonaws.com" }),
        )
        .expect("delegates");
    assert_eq!(others["DelegatedAdministrators"], json!([]));
    harness
        .organizations("DeregisterDelegatedAdministrator", &body)
        .expect("the administrator is deregistered");
    let again = harness.organizations("DeregisterDelegatedAdministrator", &body);
    assert_eq!(error_code(again), "AccountNotRegisteredException");
}

#[test]
fn the_management_account_and_unknown_accounts_cannot_be_delegated_administrators() {
    let mut harness = Harness::with_identity_center();
    for (account, code) in [
        ("111122223333", "ConstraintViolationException"),
        ("999999999999", "AccountNotFoundException"),
    ] {
        let body = json!({ "AccountId": account, "ServicePrincipal": "sso.amazonaws.com" });
        assert_eq!(
            error_code(harness.organizations("RegisterDelegatedAdministrator", &body)),
            code
        );
    }
}

#[test]
fn a_member_account_may_only_describe_the_organization() {
    let mut harness = Harness::with_identity_center();
    harness.sign_as("200000000001");
    harness
        .organizations("DescribeOrganization", &json!({}))
        .expect("the organization");
    let refusal = harness
        .organizations("ListAccounts", &json!({}))
        .expect_err("the request must fail");
    assert_eq!(
        refusal,
        (
            "AccessDeniedException".to_owned(),
            "You don't have permissions to access this resource.".to_owned()
        )
    );
}

#[test]
fn a_delegated_administrator_may_read_but_not_write() {
    let mut harness = Harness::with_identity_center();
    let body = json!({ "AccountId": "200000000001", "ServicePrincipal": "sso.amazonaws.com" });
    harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    harness.sign_as("200000000001");
    let (all, _) = accounts(&mut harness, "ListAccounts", json!({}));
    assert_eq!(all.len(), 6);
    assert_eq!(
        error_code(harness.organizations("DeregisterDelegatedAdministrator", &body)),
        "AccessDeniedException"
    );
}

#[test]
fn enabling_all_features_twice_is_an_error() {
    let mut harness = Harness::with({
        let mut seed = seed();
        seed.all_features = false;
        seed
    });
    let error = harness
        .cloud
        .enable_identity_center("us-east-1", harness.now)
        .expect_err("the request must fail");
    assert_eq!(
        error,
        "enable all features of the organization before you enable IAM Identity Center"
    );
    let handshake = harness
        .organizations("EnableAllFeatures", &json!({}))
        .expect("a handshake");
    assert_eq!(handshake["Handshake"]["Action"], "ENABLE_ALL_FEATURES");
    let organization = harness
        .organizations("DescribeOrganization", &json!({}))
        .expect("an organization");
    assert_eq!(organization["Organization"]["FeatureSet"], "ALL");
    assert_eq!(
        error_code(harness.organizations("EnableAllFeatures", &json!({}))),
        "HandshakeConstraintViolationException"
    );
}

const WEB: &str = "200000000002";

#[test]
fn a_closed_account_is_pending_closure_first_and_keeps_its_assignments() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let group = harness.group("admins", &[]);
    harness.assign(WEB, &set, "GROUP", &group);
    let body = json!({ "AccountId": WEB });
    harness
        .organizations("CloseAccount", &body)
        .expect("the request succeeds");
    let state = |harness: &mut Harness| {
        let described = harness.organizations("DescribeAccount", &body);
        described.expect("an account")["Account"]["State"].clone()
    };
    assert_eq!(state(&mut harness), "PENDING_CLOSURE");
    let again = harness.organizations("CloseAccount", &body);
    assert_eq!(again.expect_err("a refusal").0, "ConflictException");
    harness.advance(10);
    assert_eq!(state(&mut harness), "CLOSED");
    let again = harness.organizations("CloseAccount", &body);
    assert_eq!(
        again.expect_err("a refusal").0,
        "AccountAlreadyClosedException"
    );
    assert_eq!(harness.cloud.assignments().len(), 1);
    let management = json!({ "AccountId": "111122223333" });
    let refused = harness.organizations("CloseAccount", &management);
    assert_eq!(
        refused.expect_err("a refusal").0,
        "ConstraintViolationException"
    );
}

#[test]
fn a_moved_account_has_another_parent_and_path() {
    let mut harness = Harness::new();
    let mut call = |operation: &str, body: Value| harness.organizations(operation, &body);
    let parents = call("ListParents", json!({ "ChildId": WEB })).expect("a parent");
    let source = parents["Parents"][0]["Id"].clone();
    let roots = call("ListRoots", json!({})).expect("a root");
    let root = roots["Roots"][0]["Id"].clone();
    let moving = json!({
        "AccountId": WEB, "SourceParentId": source, "DestinationParentId": root,
    });
    call("MoveAccount", moving.clone()).expect("the request succeeds");
    let again = call("MoveAccount", moving).expect_err("a refusal");
    assert_eq!(again.0, "SourceParentNotFoundException");
    let same = json!({ "AccountId": WEB, "SourceParentId": root, "DestinationParentId": root });
    let same = call("MoveAccount", same).expect_err("a refusal");
    assert_eq!(same.0, "DuplicateAccountException");
    let children = json!({ "ParentId": source, "ChildType": "ACCOUNT" });
    let left = call("ListChildren", children).expect("children");
    assert_eq!(left["Children"], json!([]));
    let described = call("DescribeAccount", json!({ "AccountId": WEB })).expect("an account");
    let path = described["Account"]["Paths"][0].as_str().expect("a path");
    let root = root.as_str().expect("an id");
    assert!(path.ends_with(&format!("/{root}/{WEB}/")), "{path}");
}

#[test]
fn a_new_account_appears_in_the_root_when_its_creation_has_succeeded() {
    let mut harness = Harness::new();
    let body = json!({ "Email": "aws+new@example.com", "AccountName": "New" });
    let create = |harness: &mut Harness| {
        let started = harness.organizations("CreateAccount", &body);
        let started = started.expect("a creation")["CreateAccountStatus"].clone();
        assert_eq!(started["State"], "IN_PROGRESS");
        harness.advance(10);
        let request = json!({ "CreateAccountRequestId": started["Id"] });
        let described = harness.organizations("DescribeCreateAccountStatus", &request);
        described.expect("a status")["CreateAccountStatus"].clone()
    };
    let created = create(&mut harness);
    assert_eq!(created["State"], "SUCCEEDED");
    let id = json!({ "AccountId": created["AccountId"] });
    let described = harness.organizations("DescribeAccount", &id);
    let account = described.expect("an account")["Account"].clone();
    assert_eq!(
        (&account["Name"], &account["State"]),
        (&json!("New"), &json!("ACTIVE"))
    );
    assert_eq!(
        create(&mut harness)["FailureReason"],
        "EMAIL_ALREADY_EXISTS"
    );
    let unknown = json!({ "CreateAccountRequestId": "car-00000000" });
    let unknown = harness.organizations("DescribeCreateAccountStatus", &unknown);
    assert_eq!(
        unknown.expect_err("a refusal").0,
        "CreateAccountStatusNotFoundException"
    );
}

#[test]
fn children_and_units_are_read_by_their_ids() {
    let mut harness = Harness::new();
    let mut call = |operation: &str, body: Value| harness.organizations(operation, &body);
    let roots = call("ListRoots", json!({})).expect("a root");
    let root = roots["Roots"][0]["Id"].clone();
    let units = json!({ "ParentId": root, "ChildType": "ORGANIZATIONAL_UNIT" });
    let units = call("ListChildren", units).expect("children");
    let unit = units["Children"][0]["Id"].clone();
    let described = json!({ "OrganizationalUnitId": unit });
    let described = call("DescribeOrganizationalUnit", described).expect("a unit");
    assert_eq!(described["OrganizationalUnit"]["Name"], "Security");
    let unknown = json!({ "OrganizationalUnitId": "ou-0000-00000000" });
    let unknown = call("DescribeOrganizationalUnit", unknown).expect_err("a refusal");
    assert_eq!(unknown.0, "OrganizationalUnitNotFoundException");
}
