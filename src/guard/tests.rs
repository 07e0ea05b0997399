use jiff::{ToSpan as _, civil::date};
use proptest::prelude::*;

use super::*;
use crate::plan::{StepId, StepPlan, Subject};

const TODAY: Date = date(2026, 3, 10);

fn user(name: &str) -> Change {
    Change::new(Action::Remove, Subject::user(name))
}

fn plan(changes: Vec<Change>) -> Plan {
    plan_of(changes, BTreeMap::new())
}

fn plan_of(changes: Vec<Change>, totals: BTreeMap<Kind, u64>) -> Plan {
    Plan {
        format: Plan::FORMAT,
        complete: true,
        made_at: jiff::Timestamp::UNIX_EPOCH,
        lineage: String::new(),
        serial: 0,
        blueprint: String::new(),
        steps: vec![StepPlan {
            changes,
            totals,
            ..StepPlan::new(StepId::new("directory-sync"), String::new())
        }],
    }
}

/// A plan that removes `removals` of `total` users.
fn users(removals: u64, total: u64) -> Plan {
    let changes = (0..removals)
        .map(|number| user(&format!("user{number}")))
        .collect();
    plan_of(changes, BTreeMap::from([(Kind::User, total)]))
}

/// A history without removals that is older than the window.
fn old_history() -> RemovalHistory {
    RemovalHistory {
        since: Some(TODAY.saturating_sub(30.days())),
        ..RemovalHistory::default()
    }
}

fn check(guard: &Guard, plan: &Plan) -> Result<()> {
    guard.check(plan, &old_history(), TODAY)
}

#[test]
fn a_removal_is_refused_by_default_and_the_refusal_names_the_way_out() {
    let plan = plan(vec![user("ada"), user("bob o'hara")]);
    let error = check(&Guard::default(), &plan).expect_err("removals");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    assert_eq!(
        error.to_string(),
        "the plan removes 2 users, and the guard allows 0 in this run: user ada, user bob o'hara"
    );
    let id = plan.removals_id().expect("an id");
    let help = error.help().expect("help");
    assert!(help.ends_with(&format!("pass --approve {id}")), "{help}");
}

#[test]
fn a_limit_for_one_run_and_an_allowance_above_the_limits_let_the_plan_pass() {
    let plan = users(2, 4);
    for (limits, max_removals, passes) in [
        (vec![(Kind::User, KindLimit::per_run(2))], 0, true),
        (vec![(Kind::User, KindLimit::per_run(1))], 0, false),
        (vec![(Kind::User, KindLimit::per_run(1))], 1, true),
        (vec![(Kind::Group, KindLimit::per_run(2))], 1, false),
        (vec![], 2, true),
    ] {
        let guard = Guard {
            limits: limits.clone().into_iter().collect(),
            max_removals,
            ..Guard::default()
        };
        assert_eq!(
            check(&guard, &plan).is_ok(),
            passes,
            "{limits:?} {max_removals}"
        );
    }
}

#[test]
fn an_approval_is_for_exactly_the_removals_of_the_plan() {
    let two = users(2, 4);
    let approved = Guard {
        approved: two.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    check(&approved, &two).expect("the approved removals");
    for other in [
        users(1, 4),
        users(3, 4),
        plan(vec![user("ada"), user("bob")]),
    ] {
        check(&approved, &other).expect_err("other removals");
    }
}

#[test]
fn additions_are_not_limited() {
    let actions = [
        Action::Create,
        Action::Update,
        Action::Adopt,
        Action::ManualStep,
    ];
    let changes = actions.map(|action| Change::new(action, Subject::user("ada")));
    check(&Guard::default(), &plan(changes.into())).expect("a plan without removals");
}

#[test]
fn a_share_is_rounded_down_and_needs_a_total() {
    let guard = Guard::daily();
    check(&guard, &users(1, 19)).expect_err("5 % of 19 users is less than one user");
    check(&guard, &users(1, 20)).expect("5 % of 20 users");
    check(&guard, &users(2, 39)).expect_err("more than 5 %");
    check(&guard, &users(5, 1000)).expect("5 in a run");
    check(&guard, &users(6, 1000)).expect_err("more than 5 in a run");
    check(&guard, &plan(vec![user("ada")])).expect_err("the number of users is unknown");
}

#[test]
fn the_limits_of_the_window_count_earlier_runs() {
    let guard = Guard::daily();
    let mut history = old_history();
    let five = users(5, 1000);
    for days_ago in [6, 3, 1] {
        let day = TODAY.saturating_sub(days_ago.days());
        guard
            .check(&five, &history, day)
            .expect("within the window");
        history.add(day, &five.removal_counts(), &five.totals());
    }
    let error = guard
        .check(&users(1, 1000), &history, TODAY)
        .expect_err("15 in 7 days");
    assert!(
        error.to_string().contains("allows 0 in this run"),
        "{error}"
    );
    let tomorrow = TODAY.saturating_add(1.days());
    guard
        .check(&five, &history, tomorrow)
        .expect("the first 5 are out of the window");
}

#[test]
fn nine_percent_in_each_run_is_refused_at_the_second_run() {
    let limit = KindLimit {
        per_run: 1000,
        per_run_percent: 10,
        per_window: 1000,
        per_window_percent: 15,
    };
    let guard = Guard {
        limits: BTreeMap::from([(Kind::Membership, limit)]),
        ..Guard::default()
    };
    let nine = |total| {
        let changes = (0..9).map(|number| {
            let user = format!("user{number}");
            Change::new(Action::Remove, Subject::membership("admins", user))
        });
        plan_of(
            changes.collect(),
            BTreeMap::from([(Kind::Membership, total)]),
        )
    };
    let mut history = old_history();
    guard.check(&nine(100), &history, TODAY).expect("9 %");
    history.add(TODAY, &nine(100).removal_counts(), &nine(100).totals());
    guard
        .check(&nine(91), &history, TODAY)
        .expect_err("9 % and 9.9 % are more than 15 %");
}

#[test]
fn without_a_history_only_approved_removals_pass_for_seven_days() {
    let guard = Guard::daily();
    let plan = users(1, 1000);
    let mut history = RemovalHistory::default();
    let error = guard.check(&plan, &history, TODAY).expect_err("no history");
    assert!(
        error.to_string().contains("history of removals is shorter"),
        "{error}"
    );
    history.add(TODAY, &BTreeMap::new(), &BTreeMap::new());
    for (days, passes) in [(0, false), (6, false), (7, true)] {
        let day = TODAY.saturating_add(days.days());
        assert_eq!(
            guard.check(&plan, &history, day).is_ok(),
            passes,
            "{days} days"
        );
    }
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..guard
    };
    approved
        .check(&plan, &RemovalHistory::default(), TODAY)
        .expect("an approval");
}

#[test]
fn removals_that_were_not_made_are_taken_back() {
    let plan = users(5, 100);
    let (planned, totals) = (plan.removal_counts(), plan.totals());
    let mut history = old_history();
    history.add(TODAY, &planned, &totals);
    history.refund(TODAY, &planned, &BTreeMap::from([(Kind::User, 2)]), &totals);
    let window = history.in_window(Kind::User, TODAY).expect("a history");
    assert_eq!((window.removals, window.parts_per_million), (2, 20_000));
    history.refund(
        TODAY,
        &BTreeMap::from([(Kind::User, 2)]),
        &BTreeMap::new(),
        &totals,
    );
    assert!(history.days.is_empty());
}

#[test]
fn a_hazard_needs_its_own_name() {
    let hazard = Hazard::EmptiedGroup {
        group: "admins and friends".into(),
        members: 2,
    };
    let mut plan = users(1, 100);
    plan.steps[0].hazards.push(hazard.clone());
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let found = [hazard.clone()];
    let history = RemovalHistory::default();
    let error = approved.decide(&plan, &found, &history, TODAY);
    let error = error.expect_err("a hazard");
    let help = error.help().expect("help");
    // The plan and the run have found it.
    let option = "--allow 'emptied-group:admins and friends'";
    assert_eq!(help.matches(option).count(), 1, "{help}");
    let allowed = Guard {
        allowed: hazard.id().into_iter().collect(),
        ..approved
    };
    check(&allowed, &plan).expect("an allowed hazard");
}

#[test]
fn the_access_of_the_caller_cannot_be_allowed() {
    let mut plan = users(1, 100);
    plan.steps[0].hazards.push(Hazard::OwnAccess {
        subject: Subject::user("user0"),
    });
    let guard = Guard {
        approved: plan.removals_id().into_iter().collect(),
        max_removals: 100,
        ..Guard::default()
    };
    let error = check(&guard, &plan).expect_err("the caller");
    assert!(
        error
            .help()
            .expect("help")
            .contains("another administrator")
    );
}

#[test]
fn a_protected_group_or_set_is_not_changed_not_even_by_an_addition() {
    let subjects = [
        Subject::membership("awscontroltoweradmins", "ada"),
        Subject::group("AWSControlTowerAdmins"),
        Subject::permission_set("AWSReadOnlyAccess"),
        Subject::Policy {
            permission_set: "AWSReadOnlyAccess".into(),
            policy: crate::plan::PolicyRef::Inline {},
        },
    ];
    for subject in subjects {
        let plan = plan(vec![Change::new(Action::Create, subject.clone())]);
        let error = check(&Guard::default(), &plan).expect_err("a protected subject");
        assert!(error.to_string().contains("is protected"), "{error}");
        let check_only = self::plan(vec![Change::new(Action::Check, subject)]);
        check(&Guard::default(), &check_only).expect("a check writes nothing");
    }
}

#[test]
fn withholding_keeps_the_other_changes_but_not_with_an_empty_source() {
    let guard = Guard {
        excess: Excess::WithholdRemovals,
        ..Guard::default()
    };
    let create = Change::new(Action::Create, Subject::user("eve"));
    let mut plan = plan(vec![create.clone(), user("ada")]);
    let step = StepId::new("directory-sync");
    let withheld = guard
        .decide(&plan, &[], &old_history(), TODAY)
        .expect("no refusal");
    assert!(withheld.contains(&step, &user("ada")) && !withheld.contains(&step, &create));
    plan.steps[0]
        .hazards
        .push(Hazard::EmptySource { managed: 3 });
    guard
        .decide(&plan, &[], &old_history(), TODAY)
        .expect_err("an empty source refuses the plan");
}

#[test]
fn withholding_holds_back_only_what_the_guard_refuses() {
    let membership =
        |group: &str, user: &str| Change::new(Action::Remove, Subject::membership(group, user));
    let changes = vec![
        user("ada"),
        membership("admins", "ada"),
        membership("team", "bob"),
    ];
    let step = StepId::new("directory-sync");
    let held = |plan: &Plan, memberships| {
        let guard = Guard {
            excess: Excess::WithholdRemovals,
            limits: BTreeMap::from([
                (Kind::User, KindLimit::per_run(1)),
                (Kind::Membership, KindLimit::per_run(memberships)),
            ]),
            ..Guard::default()
        };
        let withheld = guard.decide(plan, &[], &old_history(), TODAY);
        let withheld = withheld.expect("no refusal");
        changes
            .iter()
            .map(|change| withheld.contains(&step, change))
            .collect::<Vec<_>>()
    };
    let mut plan = plan(changes.clone());
    assert_eq!(held(&plan, 2), [false; 3]);
    // One kind is over its limit.
    assert_eq!(held(&plan, 1), [false, true, true]);
    // A group would be empty, also because its members are deactivated.
    plan.steps[0].hazards.push(Hazard::EmptiedGroup {
        group: "admins".into(),
        members: 1,
    });
    assert_eq!(held(&plan, 2), [true, true, false]);
}

proptest! {
    /// More removals, smaller totals, or more removals before never turn a refusal into a permission.
    #[test]
    fn the_guard_is_monotonic(
        removals in 1u64..40, total in 1u64..400, before in 0u64..40,
        more in 0u64..10, fewer in 0u64..100, earlier in 0u64..10,
        per_run in 0u32..30, per_run_percent in 0u8..=100, per_window in 0u32..60, per_window_percent in 0u8..=100,
    ) {
        let limit = KindLimit { per_run, per_run_percent, per_window, per_window_percent };
        let guard = Guard { limits: BTreeMap::from([(Kind::User, limit)]), ..Guard::default() };
        let with_history = |number: u64| {
            let mut history = old_history();
            history.add(TODAY, &BTreeMap::from([(Kind::User, number)]), &BTreeMap::from([(Kind::User, 400)]));
            history
        };
        let refused = guard.check(&users(removals, total), &with_history(before), TODAY).is_err();
        let stricter = guard.check(
            &users(removals + more, total.saturating_sub(fewer).max(1)),
            &with_history(before + earlier),
            TODAY,
        );
        prop_assert!(!refused || stricter.is_err());
    }

    /// In every schedule of runs and losses of the state, 7 days in a row never have more unapproved removals than the limit.
    #[test]
    fn seven_days_stay_within_the_limit(runs in proptest::collection::vec((0i64..3, 1u64..6, prop::bool::weighted(0.1)), 1..40)) {
        let limit = KindLimit { per_run: 5, per_run_percent: 100, per_window: 10, per_window_percent: 100 };
        let guard = Guard { limits: BTreeMap::from([(Kind::User, limit)]), ..Guard::default() };
        let (mut history, mut day, mut made) = (old_history(), TODAY, Vec::new());
        for (days, removals, lost) in runs {
            day = day.saturating_add(days.days());
            if lost {
                history = RemovalHistory::default();
            }
            let plan = users(removals, 1000);
            if guard.check(&plan, &history, day).is_ok() {
                history.add(day, &plan.removal_counts(), &plan.totals());
                made.push((day, removals));
            } else {
                history.add(day, &BTreeMap::new(), &BTreeMap::new());
            }
            let first = day.saturating_sub(6.days());
            let sum: u64 = made.iter().filter(|(at, _)| *at >= first).map(|(_, number)| number).sum();
            prop_assert!(sum <= 10, "{} removals in 7 days", sum);
        }
    }
}
