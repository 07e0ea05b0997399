use super::Organization;
use crate::{
    Account, AccountId, OrganizationalUnit, UnitId,
    replay::{Replay, block_on},
};

fn account_id(text: &str) -> AccountId {
    text.parse().expect("an id")
}

fn unit(id: &str, name: &str, parent: Option<&str>) -> OrganizationalUnit {
    let parse = |id: &str| UnitId::parse(id).expect("an id");
    OrganizationalUnit::new(parse(id), name, parent.map(parse))
}

fn account(id: &str, name: &str, path: &[&str]) -> Account {
    let mut account = Account::new(account_id(id), name);
    let path = path.iter().map(|id| id.parse().expect("an id"));
    account.path = Some(path.collect());
    account
}

const ROOT: &str = "r-ab12";
const WORKLOADS: &str = "ou-ab12-11111111";
const PRODUCTION: &str = "ou-ab12-22222222";
const SANDBOX: &str = "ou-ab12-33333333";

fn organization() -> Organization {
    Organization::new(
        account_id("111111111111"),
        vec![
            account("333333333333", "web", &[ROOT, WORKLOADS, PRODUCTION]),
            account("111111111111", "main", &[ROOT]),
            account("222222222222", "web", &[ROOT, WORKLOADS]),
        ],
        vec![
            unit(PRODUCTION, "Production", Some(WORKLOADS)),
            unit(ROOT, "Root", None),
            unit(WORKLOADS, "Workloads", Some(ROOT)),
            unit(SANDBOX, "Production", Some(ROOT)),
        ],
    )
}

#[test]
fn accounts_are_found_by_id_by_name_and_below_a_unit() {
    let organization = organization();
    let ids = |unit: &str| -> Vec<String> {
        let below = organization.accounts_below(&unit.parse().expect("an id"));
        below.map(|account| account.id.to_string()).collect()
    };
    assert_eq!(ids(ROOT), ["111111111111", "222222222222", "333333333333"]);
    assert_eq!(ids(WORKLOADS), ["222222222222", "333333333333"]);
    assert_eq!(ids(PRODUCTION), ["333333333333"]);
    assert_eq!(ids(SANDBOX), [""; 0]);
    assert_eq!(organization.accounts_named("web").len(), 2);
    assert!(organization.accounts_named("Web").is_empty());
    let main = organization.account(&account_id("111111111111"));
    assert_eq!(main.and_then(|main| main.name.as_deref()), Some("main"));
    assert_eq!(organization.account(&account_id("999999999999")), None);
}

#[test]
fn units_are_found_by_id_name_and_path() {
    let organization = organization();
    let ids = |units: Vec<&OrganizationalUnit>| -> Vec<String> {
        units.iter().map(|unit| unit.id.to_string()).collect()
    };
    assert_eq!(
        ids(organization.units_named("Production")),
        [PRODUCTION, SANDBOX]
    );
    assert_eq!(
        ids(organization.units_at("Workloads/Production")),
        [PRODUCTION]
    );
    assert_eq!(ids(organization.units_at("Production")), [SANDBOX]);
    assert_eq!(ids(organization.units_at("Root/Workloads")), [""; 0]);
    let root = organization.unit(&ROOT.parse().expect("an id"));
    assert_eq!(organization.unit_path(root.expect("the root")), "Root");
}

#[test]
fn the_accounts_alone_need_one_list() {
    let replay = Replay::new().json(r#"{"Accounts": [{"Id": "222222222222", "State": "ACTIVE"}]}"#);
    let (aws, _) = replay.connect();
    let read = Organization::read(&aws, account_id("111111111111"), false);
    let organization = block_on(read).expect("an organization");
    assert_eq!(organization.accounts().len(), 1);
    assert_eq!(replay.operations(), ["ListAccounts"]);
}

#[test]
fn reported_paths_save_the_lists_of_accounts_per_unit() {
    let replay = Replay::new()
        .json(
            r#"{"Accounts": [{"Id": "222222222222", "State": "ACTIVE",
                "Paths": ["o-1/r-ab12/ou-ab12-11111111/222222222222/"]}]}"#,
        )
        .json(r#"{"Roots": [{"Id": "r-ab12", "Name": "Root"}]}"#)
        .json(r#"{"OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Workloads"}]}"#)
        .json(r#"{"OrganizationalUnits": []}"#);
    let (aws, _) = replay.connect();
    let read = Organization::read(&aws, account_id("111111111111"), true);
    let organization = block_on(read).expect("an organization");
    let workloads = organization.units_at("Workloads");
    assert_eq!(organization.accounts_below(&workloads[0].id).count(), 1);
    assert_eq!(
        replay.operations(),
        [
            "ListAccounts",
            "ListRoots",
            "ListOrganizationalUnitsForParent",
            "ListOrganizationalUnitsForParent"
        ]
    );
}

#[test]
fn without_reported_paths_the_walk_lists_the_accounts_of_each_unit() {
    let replay = Replay::new()
        .json(r#"{"Accounts": [{"Id": "222222222222", "Status": "ACTIVE"}]}"#)
        .json(r#"{"Roots": [{"Id": "r-ab12", "Name": "Root"}]}"#)
        .json(r#"{"OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Workloads"}]}"#)
        .json(r#"{"Accounts": []}"#)
        .json(r#"{"OrganizationalUnits": []}"#)
        .json(r#"{"Accounts": [], "NextToken": "t1"}"#)
        .json(r#"{"Accounts": [{"Id": "222222222222", "Status": "ACTIVE"}]}"#);
    let (aws, _) = replay.connect();
    let read = Organization::read(&aws, account_id("111111111111"), true);
    let organization = block_on(read).expect("an organization");
    let below = organization.accounts_below(&WORKLOADS.parse().expect("an id"));
    assert_eq!(below.count(), 1);
    let root = organization.accounts_below(&ROOT.parse().expect("an id"));
    assert_eq!(root.count(), 1);
}

#[test]
fn tags_are_read_for_the_given_accounts_only() {
    let replay = Replay::new().json(r#"{"Tags": [{"Key": "team", "Value": "web"}]}"#);
    let (aws, _) = replay.connect();
    let mut organization = organization();
    let wanted = ["222222222222", "999999999999"].map(account_id);
    block_on(organization.read_tags(&aws, wanted)).expect("the tags");
    let tags = |id: &str| {
        organization
            .account(&account_id(id))
            .expect(id)
            .tags
            .as_ref()
    };
    assert_eq!(tags("222222222222").expect("tags")["team"], "web");
    assert_eq!(tags("333333333333"), None);
    assert_eq!(replay.operations(), ["ListTagsForResource"]);
}
