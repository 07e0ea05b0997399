use super::*;

const LATER: StepId = StepId::new("later");

fn set() -> Change {
    Change::new(
        Action::Create,
        Subject::PermissionSet { name: "set".into() },
    )
}

#[test]
fn a_later_plan_may_fill_in_unknown_values_and_lack_set_values() {
    let reviewed = set()
        .with_value("id", Value::AfterApply(LATER))
        .with("duration", "PT1H");
    assert_eq!(set().with("id", "7").deviation_from(&reviewed), None);
    assert_eq!(set().deviation_from(&reviewed), None);
    assert_eq!(reviewed.deviation_from(&reviewed), None);
    // A current value that was unknown may become known.
    let reviewed = set().field("id", Value::AfterApply(LATER), Value::Known("7".to_owned()));
    let later = set().from_to("id", Some("6".to_owned()), "7");
    assert_eq!(later.deviation_from(&reviewed), None);
}

#[test]
fn a_later_plan_may_not_alter_values() {
    let reviewed = set().with("policy", "a");
    for (later, why) in [
        (
            set().with("policy", "c"),
            "policy was planned as a, and is now c",
        ),
        (
            set().from_to("policy", Some("x".to_owned()), "a"),
            "policy was planned as a, and is now x -> a",
        ),
        (
            set().with("duration", "PT1H"),
            "duration was planned as unchanged, and is now PT1H",
        ),
        (
            set().with_value("policy", Value::AfterApply(LATER)),
            "policy was planned as a, and is now (known after later)",
        ),
    ] {
        assert_eq!(later.deviation_from(&reviewed).as_deref(), Some(why));
    }
}

#[test]
fn two_changes_of_one_subject_are_a_problem() {
    let mut plan = StepPlan::new(StepId::new("step"), String::new());
    plan.changes = vec![set(), set()];
    plan.check();
    assert_eq!(plan.changes, [set()]);
    let problems: Vec<_> = plan.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["step step plans to create permission set set twice"]
    );
}

#[test]
fn a_value_of_a_step_that_is_not_in_the_pipeline_is_never_known() {
    let mut plan = StepPlan::new(StepId::new("step"), String::new());
    let wait = Change::new(Action::Wait, Subject::IdentityCenter {})
        .with_value("Region", Value::AfterApply(LATER));
    plan.changes = vec![set(), wait.clone()];
    assert_eq!(
        plan.never_known(&[StepId::new("step")]),
        Some((&wait, "Region", &LATER))
    );
    assert_eq!(plan.never_known(&[LATER]), None);
}

#[test]
fn a_plan_is_the_same_after_json() {
    let mut step = StepPlan::new(StepId::new("step"), "Sets".to_owned());
    step.changes = vec![
        set()
            .with("policy", "a")
            .with_value("secret", Value::Secret),
        Change::new(
            Action::Remove,
            Subject::Policy {
                permission_set: "set".into(),
                policy: PolicyRef::Inline {},
            },
        )
        .because(Note::new("test", "a reason")),
    ];
    step.notes = vec![Note::new("adopted", "a note").about(Subject::ScimEndpoint {})];
    let json = serde_json::to_string(&step).expect("JSON");
    let read: StepPlan = serde_json::from_str(&json).expect("a plan");
    assert_eq!(read, step);
}

#[test]
fn an_unknown_field_of_a_subject_is_an_error() {
    for json in [
        r#"{"kind":"scim-endpoint","name":"x"}"#,
        r#"{"kind":"user"}"#,
        r#"{"kind":"nothing"}"#,
    ] {
        serde_json::from_str::<Subject>(json).expect_err(json);
    }
}

#[test]
fn a_name_cannot_forge_a_line_of_the_plan() {
    let mut step = StepPlan::new(StepId::new("step"), "Users".to_owned());
    let name = "ada\n     - user grace\u{1b}[2K";
    step.changes =
        vec![Change::new(Action::Create, Subject::User { name: name.into() }).with("title", name)];
    step.notes = vec![Note::new("adopted", name)];
    let text = step.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

/// Fields are compared one by one, so changes with one field of each value, before and after, stand for all changes.
#[test]
fn agreement_with_a_reviewed_change_is_reflexive_and_transitive() {
    let values = [
        Value::Absent,
        Value::Known("1".to_owned()),
        Value::Known("2".to_owned()),
        Value::AfterApply(LATER),
        Value::Secret,
    ];
    let mut changes = vec![set()];
    for before in &values {
        let field = |after: &Value| set().field("a", before.clone(), after.clone());
        changes.extend(values.iter().map(field));
    }
    let agrees = |later: &Change, earlier: &Change| later.deviation_from(earlier).is_none();
    for reviewed in &changes {
        assert!(agrees(reviewed, reviewed), "{reviewed:?}");
        for later in changes.iter().filter(|later| agrees(later, reviewed)) {
            for last in changes.iter().filter(|last| agrees(last, later)) {
                assert!(agrees(last, reviewed), "{last:?} {later:?} {reviewed:?}");
            }
        }
    }
}
