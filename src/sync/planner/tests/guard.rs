//! Tests of the guard over a sync plan.

use super::*;
use crate::{
    guard::{Guard, KindLimit, RemovalHistory},
    plan::{Kind, Plan, StepPlan},
    sync::{
        changes::{STEP, UserNames, changes},
        hazards::hazards,
        state::SyncState,
    },
};

fn source_of(range: std::ops::Range<usize>) -> Directory {
    Directory {
        users: range
            .map(|number| {
                let name = format!("user{number}");
                User::new(ext(number), profile(&name))
            })
            .collect(),
        ..Directory::default()
    }
}

fn target(range: std::ops::Range<usize>, prefix: &str) -> TargetSnapshot {
    TargetSnapshot {
        users: range
            .map(|number| {
                target_user(
                    &format!("r{number}"),
                    Some(&format!("{prefix}{number}")),
                    &profile(&format!("user{number}")),
                )
            })
            .collect(),
        ..TargetSnapshot::default()
    }
}

/// Returns the message of the guard that refuses the plan.
fn refusal(source: &Directory, target: &TargetSnapshot, guard: &Guard) -> Option<String> {
    let mut plan = plan(source, target, DELETE, now(), 0);
    let mut state = SyncState::default();
    state.update_from(target, &BTreeSet::new(), now());
    plan.hazards = hazards(&plan, &state, &HashMap::new());
    let today = jiff::tz::TimeZone::UTC.to_datetime(now()).date();
    let refused = guard.check(&plan.to_plan(), &RemovalHistory::default(), today);
    refused.err().map(|error| error.to_string())
}

/// Returns a guard that allows all removals, and these hazards.
fn lifted(hazards: &[&str]) -> Guard {
    let kinds = [Kind::User, Kind::Group, Kind::Membership];
    Guard {
        limits: kinds
            .map(|kind| (kind, KindLimit::per_run(u32::MAX)))
            .into(),
        allowed: hazards.iter().map(ToString::to_string).collect(),
        ..Guard::default()
    }
}

#[test]
fn an_empty_source_is_refused_unless_it_is_allowed_by_name() {
    let message = refusal(&source_of(0..0), &target(0..50, ""), &lifted(&[]));
    assert_eq!(
        message.as_deref(),
        Some("the source has no active users, and AWS has 50 managed users")
    );
    let allowed = lifted(&["empty-source"]);
    assert_eq!(
        refusal(&source_of(0..0), &target(0..50, ""), &allowed),
        None
    );
}

#[test]
fn each_kind_has_its_own_limit_and_the_refusal_names_who_is_removed() {
    let all = target(0..20, "");
    assert_eq!(
        refusal(&source_of(0..18), &all, &Guard::default()).as_deref(),
        Some(
            "the plan removes 2 users of 20, and the guard allows 0 in this run: user user18, user user19"
        )
    );
    let mut guard = Guard {
        limits: [(Kind::User, KindLimit::per_run(2))].into(),
        ..Guard::default()
    };
    assert_eq!(refusal(&source_of(0..18), &all, &guard), None);
    assert!(refusal(&source_of(0..17), &all, &guard).is_some());
    let other_kind = [(Kind::Group, KindLimit::per_run(2))];
    guard.limits = other_kind.into();
    assert!(refusal(&source_of(0..18), &all, &guard).is_some());
}

#[test]
fn a_source_with_new_ids_for_all_users_is_refused_even_if_the_names_are_unchanged() {
    let (source, old) = (source_of(0..20), target(0..20, "old"));
    let message = refusal(&source, &old, &lifted(&[]));
    assert!(message.is_some_and(|message| message.contains("20 of 20")));
    assert_eq!(refusal(&source, &old, &lifted(&["new-ids"])), None);
}

#[test]
fn a_group_with_a_protected_name_is_not_created_adopted_renamed_or_deleted() {
    let name = "AWSControlTowerAdmins";
    let protected = source(&[], &[("g", name, &[])]);
    let other = source(&[], &[("g", "other", &[])]);
    let group = |external_id, name| TargetSnapshot {
        users: Vec::new(),
        groups: vec![target_group("t", external_id, name, &[])],
        ..TargetSnapshot::default()
    };
    let allowed = ["empty-source"];
    for (source, target) in [
        (&protected, TargetSnapshot::default()),
        (&protected, group(None, name)),
        (&protected, group(Some("g"), "other")),
        (&other, group(Some("g"), name)),
        (&super::source(&[], &[]), group(Some("g"), name)),
    ] {
        let message = refusal(source, &target, &lifted(&allowed)).expect("a refusal");
        assert!(message.contains("protected"), "{message}");
        assert!(message.contains(name), "{message}");
    }
    let unchanged = group(Some("g"), name);
    let guard = lifted(&allowed);
    assert_eq!(refusal(&protected, &unchanged, &guard), None);
}

#[test]
fn a_group_that_loses_all_members_is_a_hazard() {
    let mut target = target(0..20, "");
    let members: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    target.groups = vec![target_group("t", Some("g"), "team", &members)];
    let mut source = source_of(0..20);
    source.groups = vec![Group {
        id: ext("g"),
        name: "team".into(),
        members: BTreeSet::new(),
    }];
    let message = refusal(&source, &target, &lifted(&[])).expect("a refusal");
    assert!(
        message.contains("team") && message.contains("20"),
        "{message}"
    );
    let allowed = lifted(&["emptied-group:team"]);
    assert_eq!(refusal(&source, &target, &allowed), None);
}

#[test]
fn the_protected_name_of_a_user_in_the_target_is_found_under_another_name_in_the_source() {
    let guard = Guard {
        protected: ["root.admin".to_owned()].into(),
        ..lifted(&["empty-source"])
    };
    let target = TargetSnapshot {
        users: vec![target_user("r", Some("1"), &profile("root.admin"))],
        ..TargetSnapshot::default()
    };
    // The user has left the source, and the source knows the user by another name.
    let missing = plan(&source(&[], &[]), &target, DELETE, now(), 0);
    let names = UserNames {
        logins: [(ext("1"), "another.login".into())].into(),
        ..UserNames::default()
    };
    // The user is renamed and deactivated together.
    let mut renamed = source(&[("1", "another.login")], &[]);
    renamed.users[0].profile.active = false;
    let renamed = plan(&renamed, &target, DELETE, now(), 0);
    for plan in [missing, renamed] {
        let [removal] = &changes(&plan, &names)[..] else {
            panic!("{plan}");
        };
        let mut step = StepPlan::new(STEP, String::new());
        step.changes = vec![removal.change.clone()];
        let plan = Plan {
            steps: vec![step],
            ..plan.to_plan()
        };
        let refused = guard.check(
            &plan,
            &RemovalHistory::default(),
            jiff::civil::date(2026, 1, 1),
        );
        let refused = refused.expect_err("a protected name").to_string();
        assert!(refused.contains("root.admin is protected"), "{refused}");
    }
}
