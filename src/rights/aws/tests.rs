//! Tests of the resources of a policy. `tests/it/aws_rights.rs` compares the actions with the calls of a run.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{AccountId, InstanceArn, PermissionSetArn};

use super::{
    ActionPart, AwsPolicy, AwsRights, AwsTarget,
    actions::uses,
    aws_rights,
    conditions::Input,
    policy::{self, Actions, Resource},
    resources::resources as resources_of,
};
use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind},
    plan::{Action, Change, Plan, Principal, Problem, StepId, StepPlan, Subject},
    steps::ids,
};

const MANAGEMENT: &str = "111122223333";

fn blueprint() -> Blueprint {
    Blueprint::from_toml(
        r#"
[permission_sets.Set0]
managed_policies = ["ReadOnlyAccess"]

[[access]]
group = "ops"
accounts = ["a"]
permission_set = "Set0"
"#,
    )
    .expect("a blueprint")
}

fn plan(step: StepId, changes: Vec<Change>) -> Plan {
    let step = StepPlan {
        step,
        title: String::new(),
        changes,
        problems: Vec::new(),
        hazards: Vec::new(),
        notes: Vec::new(),
        selections: Vec::new(),
        totals: BTreeMap::new(),
    };
    Plan {
        format: Plan::FORMAT,
        made_at: jiff::Timestamp::UNIX_EPOCH,
        lineage: String::new(),
        serial: 0,
        blueprint: String::new(),
        complete: true,
        steps: vec![step],
    }
}

fn assignment(action: Action, account: &str, set: &str) -> Change {
    let subject = Subject::Assignment {
        principal: Principal::Group { name: "ops".into() },
        account: account.into(),
        permission_set: set.into(),
    };
    Change::new(action, subject)
}

/// A target of this partition in which the number of sets is known, named `Set0`, `Set1` and so on.
fn target(partition: &str, sets: usize) -> AwsTarget {
    let instance = format!("arn:{partition}:sso:::instance/ssoins-1234567890abcdef");
    let instance = InstanceArn::parse(&instance).expect("an ARN");
    let set = |number: usize| {
        let arn =
            format!("arn:{partition}:sso:::permissionSet/ssoins-1234567890abcdef/ps-{number:016}");
        let arn = PermissionSetArn::parse(&arn).expect("an ARN");
        (format!("Set{number}"), arn)
    };
    AwsTarget {
        partition: instance.partition(),
        instance: Some(instance),
        organization: Some("o-1234567890".to_owned()),
        management_account: Some(AccountId::parse(MANAGEMENT).expect("an id")),
        permission_sets: (0..sets).map(set).collect(),
        ..AwsTarget::in_region("us-east-1")
    }
}

/// Returns the resources of the statement with this action.
#[track_caller]
fn resources<'a>(rights: &'a AwsRights, action: &str) -> Vec<&'a str> {
    let mut statements = rights.read.iter().chain(&rights.write);
    let found = statements.find(|one| one.actions.contains(&action));
    let found = found.unwrap_or_else(|| panic!("no statement with {action}"));
    found.resources.iter().map(String::as_str).collect()
}

#[test]
fn an_assignment_names_its_account_and_its_set_in_the_partition_of_the_instance() {
    for partition in ["aws", "aws-us-gov", "aws-cn"] {
        let changes = vec![assignment(Action::Create, "200000000002", "Set1")];
        let plan = plan(ids::ACCOUNT_ASSIGNMENTS, changes);
        let rights = aws_rights(&plan, &blueprint(), &target(partition, 2));
        let prefix = format!("arn:{partition}:sso:::");
        assert_eq!(
            resources(&rights, "sso:CreateAccountAssignment"),
            [
                format!("{prefix}instance/ssoins-1234567890abcdef"),
                format!("{prefix}permissionSet/ssoins-1234567890abcdef/ps-0000000000000001"),
                format!("{prefix}account/200000000002"),
            ]
        );
        let policy = rights.policy();
        let arns = policy.statements.iter().flat_map(|one| &one.resources);
        for arn in arns.filter(|arn| *arn != "*") {
            assert!(arn.starts_with(&format!("arn:{partition}:")), "{arn}");
        }
        assert!(!policy.actions().contains("sso:DeleteAccountAssignment"));
        assert!(!policy.actions().contains("iam:CreateRole"));
    }
}

#[test]
fn before_an_instance_is_known_the_region_tells_the_partition() {
    let changes = vec![assignment(Action::Remove, "200000000002", "Set0")];
    let plan = plan(ids::ACCOUNT_ASSIGNMENTS, changes);
    for (region, partition) in [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eu-west-1", "aws"),
    ] {
        let rights = aws_rights(&plan, &blueprint(), &AwsTarget::in_region(region));
        assert_eq!(
            resources(&rights, "sso:DeleteAccountAssignment"),
            [
                format!("arn:{partition}:sso:::instance/*"),
                format!("arn:{partition}:sso:::permissionSet/*/*"),
                format!("arn:{partition}:sso:::account/200000000002"),
            ]
        );
        assert_eq!(
            resources(&rights, "iam:DeleteRole"),
            [format!(
                "arn:{partition}:iam::*:role/aws-reserved/sso.amazonaws.com/*"
            )]
        );
    }
}

#[test]
fn the_roles_of_the_management_account_are_in_the_policy_of_a_plan_that_changes_them() {
    let target = target("aws", 1);
    let iam = |rights: &AwsRights| {
        let actions = rights.policy().actions().into_iter();
        let actions = actions.filter(|action| action.starts_with("iam:"));
        actions.collect::<Vec<_>>()
    };
    let of = |action, account, target: &AwsTarget| {
        let changes = vec![assignment(action, account, "Set0")];
        let plan = plan(ids::ACCOUNT_ASSIGNMENTS, changes);
        aws_rights(&plan, &blueprint(), target)
    };
    assert_eq!(iam(&of(Action::Create, "200000000002", &target)), [""; 0]);
    let created = of(Action::Create, MANAGEMENT, &target);
    assert!(!iam(&created).contains(&"iam:DeleteRole"));
    assert_eq!(
        resources(&created, "iam:CreateRole"),
        [format!(
            "arn:aws:iam::{MANAGEMENT}:role/aws-reserved/sso.amazonaws.com/*"
        )]
    );
    assert_eq!(
        resources(&created, "iam:GetSAMLProvider"),
        [format!(
            "arn:aws:iam::{MANAGEMENT}:saml-provider/AWSSSO_*_DO_NOT_DELETE"
        )]
    );
    let is_optional = |rights: &AwsRights, action: &str| {
        let mut optional = rights.optional.iter();
        optional.any(|one| one.action == action)
    };
    assert!(!is_optional(&created, "iam:CreateRole"));
    let removed = of(Action::Remove, MANAGEMENT, &target);
    assert!(iam(&removed).contains(&"iam:DeleteRole"));
    assert!(!iam(&removed).contains(&"iam:CreateRole"));
    // An adoption writes nothing, and a delegated administrator may not change these roles.
    assert_eq!(iam(&of(Action::Adopt, MANAGEMENT, &target)), [""; 0]);
    let delegated = target
        .clone()
        .caller(AccountId::parse("200000000003").expect("an id"));
    assert_eq!(iam(&of(Action::Create, MANAGEMENT, &delegated)), [""; 0]);
    // If the management account is not known, each account can be it.
    let unknown = of(
        Action::Create,
        MANAGEMENT,
        &AwsTarget::in_region("us-east-1"),
    );
    assert!(is_optional(&unknown, "iam:CreateRole"));
    assert!(
        !unknown
            .required_policy()
            .actions()
            .contains("iam:CreateRole")
    );
}

#[test]
fn a_set_that_the_plan_creates_is_every_set_of_the_instance() {
    let created = Subject::permission_set("Set0");
    let changes = vec![Change::new(Action::Create, created)];
    let mut plan = plan(ids::PERMISSION_SETS, changes);
    plan.steps.push(StepPlan {
        step: ids::ACCOUNT_ASSIGNMENTS,
        changes: vec![assignment(Action::Create, "200000000002", "Set0")],
        ..plan.steps[0].clone()
    });
    // The target knows a set of this name that was deleted since.
    let rights = aws_rights(&plan, &blueprint(), &target("aws", 1));
    for action in ["sso:CreatePermissionSet", "sso:CreateAccountAssignment"] {
        let found = resources(&rights, action);
        assert_eq!(
            found[1],
            "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/*"
        );
    }
}

#[test]
fn a_provisioning_in_the_management_account_changes_its_role() {
    let change = |accounts: &str| {
        let subject = Subject::Provisioning {
            permission_set: "Set0".into(),
        };
        let change = Change::new(Action::Update, subject).with("accounts", accounts);
        let plan = plan(ids::PERMISSION_SETS, vec![change]);
        aws_rights(&plan, &blueprint(), &target("aws", 1))
    };
    let other = change("200000000002, 200000000003").policy().actions();
    assert!(other.contains("sso:ProvisionPermissionSet"));
    assert!(!other.contains("iam:UpdateRole"));
    let own = change("200000000002, 111122223333").policy().actions();
    assert!(own.contains("iam:UpdateRole"));
}

#[test]
fn a_policy_that_would_be_too_long_names_accounts_and_then_sets_by_a_pattern() {
    let of = |accounts: usize, sets: usize| {
        let pairs = (0..accounts.max(sets)).map(|number| {
            let account = format!("2{:011}", number % accounts);
            assignment(Action::Create, &account, &format!("Set{}", number % sets))
        });
        let plan = plan(ids::ACCOUNT_ASSIGNMENTS, pairs.collect());
        let rights = aws_rights(&plan, &blueprint(), &target("aws", sets));
        assert!(
            rights.policy().characters() <= AwsPolicy::MAX_CHARACTERS,
            "{accounts} accounts, {sets} sets: {}",
            rights.policy().characters()
        );
        let collapsed = rights.collapsed.iter().map(ToString::to_string);
        (collapsed.collect::<Vec<_>>(), rights)
    };
    let (collapsed, rights) = of(20, 2);
    assert_eq!(collapsed, [""; 0]);
    assert_eq!(resources(&rights, "sso:CreateAccountAssignment").len(), 23);
    let accounts = "200 accounts: arn:aws:sso:::account/* allows all of this kind";
    let (collapsed, rights) = of(200, 4);
    assert_eq!(collapsed, [accounts]);
    assert_eq!(resources(&rights, "sso:CreateAccountAssignment").len(), 6);
    let (collapsed, rights) = of(200, 150);
    assert_eq!(
        collapsed,
        [
            accounts,
            "150 permission sets: arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/* allows all of this kind"
        ]
    );
    assert_eq!(resources(&rights, "sso:CreateAccountAssignment").len(), 3);
}

/// Accounts with a problem are only read, so they become a pattern before the accounts of changes.
#[test]
fn many_unusable_accounts_are_one_pattern() {
    let problem = |number: u32| {
        let subject = Subject::Account {
            id: format!("9{number:011}").into(),
        };
        let error = Error::new(ErrorKind::UnusableSubject, "no such account");
        Problem::new(Some(subject), &error)
    };
    let changes = vec![assignment(Action::Create, "200000000002", "Set0")];
    let mut plan = plan(ids::ACCOUNT_ASSIGNMENTS, changes);
    plan.steps[0].problems = (0..2).map(problem).collect();
    let rights = aws_rights(&plan, &blueprint(), &target("aws", 1));
    assert_eq!(
        resources(&rights, "organizations:DescribeAccount"),
        [0, 1].map(|number| format!(
            "arn:aws:organizations::{MANAGEMENT}:account/o-1234567890/90000000000{number}"
        ))
    );
    plan.steps[0].problems = (0..100).map(problem).collect();
    let rights = aws_rights(&plan, &blueprint(), &target("aws", 1));
    let collapsed: Vec<String> = rights.collapsed.iter().map(ToString::to_string).collect();
    assert_eq!(
        collapsed,
        [
            "100 unusable accounts: arn:aws:organizations::111122223333:account/o-1234567890/* allows all of this kind"
        ]
    );
    let assigned = resources(&rights, "sso:CreateAccountAssignment");
    assert_eq!(assigned[2], "arn:aws:sso:::account/200000000002");
}

/// The longest policy has each action of the table, with all patterns.
#[test]
fn the_policy_of_all_actions_fits() {
    let (plan, blueprint) = (plan(ids::PERMISSION_SETS, Vec::new()), blueprint());
    let mut target = target("aws-us-gov", 0);
    target.owner = target.management_account.clone();
    target.identity_store = Some("d-1234567890".parse().expect("an id"));
    let (sets, created) = (BTreeMap::new(), BTreeSet::new());
    let input = Input {
        plan: &plan,
        step: &plan.steps[0],
        blueprint: &blueprint,
        target: &target,
        sets: &sets,
        created: &created,
    };
    let (mut read, mut write) = (Actions::new(), Actions::new());
    for known in uses() {
        let part = match known.part {
            ActionPart::Read => &mut read,
            ActionPart::Write => &mut write,
        };
        let mut found = resources_of(known.action, &input, None);
        if found.is_empty() {
            found.push(Resource::OrganizationAccounts);
        }
        part.entry(known.action).or_default().extend(found);
    }
    let (read, write, _) = policy::statements(&read, &write, &target);
    let policy = AwsPolicy::new([read, write].concat());
    let characters = policy.characters();
    assert!(
        (4_000..=AwsPolicy::MAX_CHARACTERS).contains(&characters),
        "{characters}"
    );
}
