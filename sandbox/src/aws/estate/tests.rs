//! Tests of an estate that exists at the start, and of lists of a big organization.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::aws::harness::{Harness, seed};
use crate::aws::{Cloud, Seed};
use crate::company::{
    AccountSeed, AccountState, BoundarySeed, Company, Estate, PermissionSetSeed, Person,
    PrincipalSeed,
};
use crate::{IdentityCenterQuotas, Sandbox};

const WEB: &str = "200000000002";
const CLOSED: &str = "200000000004";
const GHOST: &str = "9067729b3d-94f1e0b3-c394-48d5-8ab1-2c122a167074";

fn harness(estate: &Estate) -> Harness {
    let mut harness = Harness::with_identity_center();
    seed_into(&mut harness, estate).expect("the estate is valid");
    harness
}

fn seed_into(harness: &mut Harness, estate: &Estate) -> Result<(), String> {
    harness.cloud.seed_estate(estate, harness.now)
}

fn admins() -> Estate {
    Estate::default()
        .user(Person::new("ada@example.com", "Ada", "Lovelace"))
        .group("admins", ["ada@example.com"])
        .set(PermissionSetSeed::new("Admin").with_managed_policy("AdministratorAccess"))
}

/// Returns all items of a list.
fn all(
    harness: &mut Harness,
    service: &str,
    operation: &str,
    body: Value,
    name: &str,
) -> Vec<Value> {
    let mut items = Vec::new();
    let mut body = body;
    loop {
        let page = match service {
            "sso" => harness.sso(operation, body.clone()),
            "identitystore" => harness.identity(operation, body.clone()),
            _ => harness.organizations(operation, &body),
        };
        let page = page.expect("a page");
        items.extend(page[name].as_array().expect("a list").iter().cloned());
        match page.get("NextToken") {
            Some(next) => body["NextToken"] = next.clone(),
            None => return items,
        }
    }
}

fn only(mut items: Vec<Value>) -> Value {
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

#[test]
fn every_part_of_a_seeded_permission_set_can_be_read() {
    let mut harness = harness(
        &Estate::default().set(PermissionSetSeed {
            description: Some("Everything".to_owned()),
            session_duration: "PT8H".to_owned(),
            relay_state: Some("https://example.com/".to_owned()),
            permissions_boundary: Some(BoundarySeed::Customer("/ops/Limit".to_owned())),
            ..PermissionSetSeed::new("Admin")
                .with_managed_policy("job-function/ViewOnlyAccess")
                .with_customer_managed_policy("/ops/BreakGlass")
                .with_inline_policy("{\"Statement\":[]}")
                .with_tag("owner", "platform")
        }),
    );
    let arn = only(all(
        &mut harness,
        "sso",
        "ListPermissionSets",
        json!({}),
        "PermissionSets",
    ));
    let mut read = |operation: &str, resource: &str| {
        harness
            .sso(operation, json!({ resource: arn }))
            .expect("the request succeeds")
    };
    let set = &read("DescribePermissionSet", "PermissionSetArn")["PermissionSet"];
    assert_eq!(set["Name"], "Admin");
    assert_eq!(set["Description"], "Everything");
    assert_eq!(set["SessionDuration"], "PT8H");
    assert_eq!(set["RelayState"], "https://example.com/");
    assert_eq!(
        read("ListManagedPoliciesInPermissionSet", "PermissionSetArn")["AttachedManagedPolicies"],
        json!([{
            "Name": "ViewOnlyAccess",
            "Arn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        }])
    );
    assert_eq!(
        read(
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            "PermissionSetArn"
        )["CustomerManagedPolicyReferences"],
        json!([{ "Name": "BreakGlass", "Path": "/ops/" }])
    );
    assert_eq!(
        read("GetInlinePolicyForPermissionSet", "PermissionSetArn")["InlinePolicy"],
        "{\"Statement\":[]}"
    );
    assert_eq!(
        read("GetPermissionsBoundaryForPermissionSet", "PermissionSetArn")["PermissionsBoundary"],
        json!({ "CustomerManagedPolicyReference": { "Name": "Limit", "Path": "/ops/" } })
    );
    assert_eq!(
        read("ListTagsForResource", "ResourceArn")["Tags"],
        json!([{ "Key": "owner", "Value": "platform" }])
    );
}

#[test]
fn principals_are_assigned_by_name_or_by_id() {
    let mut harness = harness(
        &admins()
            .assign(PrincipalSeed::Group("admins"), WEB, "Admin")
            .assign(PrincipalSeed::User("ada@example.com"), WEB, "Admin")
            .assign(PrincipalSeed::GroupId(GHOST), WEB, "Admin")
            .assign(PrincipalSeed::Group("admins"), CLOSED, "Admin"),
    );
    let set = harness.cloud.permission_sets()[0].arn.clone();
    let body = json!({ "AccountId": WEB, "PermissionSetArn": set });
    let rows = all(
        &mut harness,
        "sso",
        "ListAccountAssignments",
        body,
        "AccountAssignments",
    );
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["PrincipalType"]).collect();
    assert_eq!(kinds, ["GROUP", "USER", "GROUP"]);
    assert_eq!(rows[2]["PrincipalId"], GHOST);
    let body = json!({ "PrincipalType": "GROUP", "PrincipalId": GHOST });
    let operation = "ListAccountAssignmentsForPrincipal";
    let of_the_ghost = all(&mut harness, "sso", operation, body, "AccountAssignments");
    assert_eq!(of_the_ghost, rows[2..]);
    assert_eq!(harness.cloud.permission_sets()[0].accounts, [WEB, CLOSED]);
}

#[test]
fn a_pair_can_be_provisioned_without_an_assignment_and_can_be_outdated() {
    let mut harness = harness(
        &admins()
            .provision(WEB, "Admin")
            .outdated("200000000001", "Admin"),
    );
    let set = harness.cloud.permission_sets()[0].arn.clone();
    let mut accounts = |status: &str| {
        let body = json!({ "PermissionSetArn": set, "ProvisioningStatus": status });
        let operation = "ListAccountsForProvisionedPermissionSet";
        only(all(&mut harness, "sso", operation, body, "AccountIds"))
    };
    assert_eq!(accounts("LATEST_PERMISSION_SET_PROVISIONED"), WEB);
    assert_eq!(
        accounts("LATEST_PERMISSION_SET_NOT_PROVISIONED"),
        "200000000001"
    );
    assert_eq!(harness.cloud.assignments(), []);
}

#[test]
fn an_unknown_name_is_refused() {
    let group = PrincipalSeed::Group("admins");
    for (estate, message) in [
        (
            admins().assign(group, "999999999999", "Admin"),
            "the organization has no account 999999999999",
        ),
        (
            admins().assign(group, WEB, "Owner"),
            "Identity Center has no permission set Owner",
        ),
        (
            admins().assign(PrincipalSeed::Group("owners"), WEB, "Admin"),
            "the identity store has no GROUP owners",
        ),
        (
            admins().assign(PrincipalSeed::UserId("ada"), WEB, "Admin"),
            "ada is not the id of a user or group",
        ),
        (
            admins().set(PermissionSetSeed::new("Admin")),
            "two permission sets have the name Admin",
        ),
        (
            admins().set(PermissionSetSeed::new("Read").with_managed_policy("ReadAccess")),
            "AWS has no managed policy ReadAccess",
        ),
        (
            admins().set(PermissionSetSeed::new("Read Only")),
            "AWS refuses \"Read Only\" in the permission set Read Only",
        ),
        (
            admins().group("owners", ["eve@example.com"]),
            "the member eve@example.com of the group owners does not exist",
        ),
    ] {
        let mut harness = Harness::with_identity_center();
        assert_eq!(seed_into(&mut harness, &estate), Err(message.to_owned()));
    }
}

#[tokio::test]
async fn an_estate_enables_identity_center() {
    let company = Company::empty()
        .estate(|_| admins().assign(PrincipalSeed::Group("admins"), "111122223333", "Admin"));
    let sandbox = Sandbox::builder().company(company).start().await;
    let sandbox = sandbox.expect("the sandbox starts");
    assert_eq!(sandbox.assignments()[0].principal, "admins");
    assert_eq!(sandbox.identity_users()[0].user_name, "ada@example.com");
}

#[test]
fn a_row_between_two_pages_is_neither_skipped_nor_repeated() {
    let mut estate = admins();
    for number in 0..3 {
        let name = format!("Set{number}");
        estate = estate.set(PermissionSetSeed::new(&name)).assign(
            PrincipalSeed::Group("admins"),
            WEB,
            &name,
        );
    }
    let mut harness = Harness::with(Seed {
        page_size: Some(2),
        ..seed()
    });
    harness.enable();
    seed_into(&mut harness, &estate).expect("the estate is valid");
    let group = harness.cloud.groups()[0].id.clone();
    let body = json!({ "PrincipalType": "GROUP", "PrincipalId": group });
    let operation = "ListAccountAssignmentsForPrincipal";
    let mut page = harness.sso(operation, body.clone()).expect("a page");
    let first = page["AccountAssignments"][0]["PermissionSetArn"].as_str();
    let first = first.expect("an ARN").to_owned();
    let started = harness.sso(
        "DeleteAccountAssignment",
        crate::aws::harness::assignment(WEB, &first, "GROUP", &group),
    );
    started.expect("an operation");
    harness.advance(10);
    let mut body = body;
    body["NextToken"] = page["NextToken"].take();
    let rest = harness.sso(operation, body).expect("a page");
    assert_eq!(rest["AccountAssignments"].as_array().map(Vec::len), Some(1));
    assert!(rest.get("NextToken").is_none());
}

const ACCOUNTS: usize = 3_000;
const SETS: usize = 1_500;
const GROUPS: usize = 4_000;
const MEMBERS: usize = 10;
const ROWS: usize = 400_000;
const PAIRS: usize = ROWS / 2;

/// Returns a company of the size that a large bank has.
fn large_company() -> Company {
    let mut company = Company::empty();
    for number in 1..ACCOUNTS {
        let state = match number % 100 {
            0 => AccountState::Suspended,
            1 => AccountState::PendingClosure,
            2 => AccountState::Closed,
            3 => AccountState::PendingActivation,
            _ => AccountState::Active,
        };
        let unit = format!("Area{}/Team{}", number % 12, number % 240);
        let account = AccountSeed::new(&account_id(number), &format!("Account {number}"), &unit)
            .with_state(state)
            .with_tag("stage", ["production", "development"][number % 2]);
        company = company.account(account);
    }
    company.estate(|mut estate| {
        for number in 0..GROUPS * MEMBERS {
            let login = login(number);
            estate = estate.user(Person::new(&login, "Person", "Example"));
        }
        for number in 0..SETS {
            let set = PermissionSetSeed::new(&format!("Set{number:04}"));
            estate = estate.set(set.with_managed_policy("ReadOnlyAccess"));
        }
        for number in 0..GROUPS {
            let members = (number * MEMBERS..(number + 1) * MEMBERS).map(login);
            estate = estate.group(&group(number), members);
        }
        for number in 0..ROWS {
            let (group, row) = (self::group(number % GROUPS), number / GROUPS);
            // Each group has a hundred pairs, and about two groups have the same pair.
            let account = 1 + (number % (GROUPS / 2) + row * 29) % (ACCOUNTS - 1);
            let set = format!("Set{:04}", (number % (GROUPS / 2) + row * 7) % SETS);
            estate = estate.assign(PrincipalSeed::Group(&group), &account_id(account), &set);
        }
        estate
    })
}

fn account_id(number: usize) -> String {
    format!("{:012}", 200_000_000_000 + number)
}

fn login(number: usize) -> String {
    format!("person.{number:05}@example.com")
}

fn group(number: usize) -> String {
    format!("group-{number:04}")
}

#[tokio::test]
async fn a_large_organization_is_listed_completely() {
    let sandbox = Sandbox::builder()
        .company(large_company())
        .page_size(None)
        .identity_center_quotas(IdentityCenterQuotas {
            calls_per_second: None,
            ..IdentityCenterQuotas::AWS
        })
        .start()
        .await
        .expect("the sandbox starts");
    let empty = Cloud::new(Seed::default());
    let cloud = std::mem::replace(&mut sandbox.state().cloud, empty);
    let mut harness = Harness::of(cloud, sandbox.aws_region(), sandbox.now());
    let accounts = all(
        &mut harness,
        "organizations",
        "ListAccounts",
        json!({}),
        "Accounts",
    );
    assert_eq!(accounts.len(), ACCOUNTS);
    let states: BTreeSet<&str> = accounts
        .iter()
        .filter_map(|account| account["State"].as_str())
        .collect();
    assert_eq!(
        Vec::from_iter(states),
        [
            "ACTIVE",
            "CLOSED",
            "PENDING_ACTIVATION",
            "PENDING_CLOSURE",
            "SUSPENDED"
        ]
    );
    let sets = all(
        &mut harness,
        "sso",
        "ListPermissionSets",
        json!({}),
        "PermissionSets",
    );
    assert_eq!(sets.len(), SETS);
    let groups = all(
        &mut harness,
        "identitystore",
        "ListGroups",
        json!({}),
        "Groups",
    );
    assert_eq!(groups.len(), GROUPS);
    let directory = harness.cloud.directory().expect("Identity Center");
    assert_eq!(directory.users().count(), GROUPS * MEMBERS);
    // Each group has the same number of assignments.
    for group in groups.iter().step_by(200) {
        let body = json!({ "PrincipalType": "GROUP", "PrincipalId": group["GroupId"] });
        let operation = "ListAccountAssignmentsForPrincipal";
        let rows = all(&mut harness, "sso", operation, body, "AccountAssignments");
        assert_eq!(rows.len(), ROWS / GROUPS);
        let body = json!({
            "PermissionSetArn": rows[0]["PermissionSetArn"],
            "AccountId": rows[0]["AccountId"],
        });
        let operation = "ListAccountAssignments";
        let of_pair = all(&mut harness, "sso", operation, body, "AccountAssignments");
        assert!(of_pair.contains(&rows[0]));
    }
    let mut provisioned = 0;
    for set in &sets {
        let body = json!({ "PermissionSetArn": set });
        let operation = "ListAccountsForProvisionedPermissionSet";
        provisioned += all(&mut harness, "sso", operation, body, "AccountIds").len();
    }
    assert_eq!(provisioned, PAIRS);
    assert_eq!(harness.cloud.assignments().len(), ROWS);
    let members = json!({ "GroupId": groups[0]["GroupId"] });
    let operation = "ListGroupMemberships";
    let members = all(
        &mut harness,
        "identitystore",
        operation,
        members,
        "GroupMemberships",
    );
    assert_eq!(members.len(), MEMBERS);
}
