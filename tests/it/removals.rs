//! Each way in which a run can take access away (docs/GUARD.md), in each provisioning mode, with the state of earlier runs and
//! without it: the removal is in the plan by name, nothing is written before it is approved, and it is made once.

use okta_aws_sso::{
    Blueprint, ErrorKind, Guard, Plan, StateStore, okta::PushActivation, plan::Hazard,
};

use crate::fixture::{Fixture, TEAM, apply, direct};

/// A member of the group `deployers`.
const LEAVER: &str = "person.00003@example.com";
/// A policy that the blueprint does not have.
const EXTRA_POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A change of the world or of the blueprint.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    /// A member leaves a group in Okta.
    MemberLeaves,
    /// A user is suspended in Okta.
    UserSuspended,
    /// The blueprint no longer names a group.
    GroupOutOfScope,
    /// The URLs of the app are those of another instance.
    OtherUrls,
    /// The blueprint names another sign-on policy than the app has.
    OtherSignOnPolicy,
    /// A push is switched off, and its group in AWS has a member that the group in Okta does not have.
    PushOff,
    /// A policy is attached by hand to a set that the blueprint describes.
    ExtraPolicy,
    /// The inline policy of the blueprint allows less than that of the set.
    InlinePolicyReduced,
    /// The inline policy of the blueprint denies more.
    InlinePolicyDenies,
    /// The blueprint no longer has an inline policy.
    InlinePolicyGone,
    /// The blueprint attaches the policy that denies everything.
    DenyAll,
    /// Other tools change a set that the blueprint only names, and do not provision it.
    NamedSetChanged,
    /// The blueprint is empty of access.
    AccessDropped,
}

use Event::*;

/// The removals that a plan must have after an event.
struct Row {
    event: Event,
    okta: Removals,
    direct: Removals,
}

/// The removals of a later run, and of a run with a new state.
type Removals = [&'static [&'static str]; 2];

const NONE: Removals = [&[], &[]];

/// The removals are the same in both modes, with and without a state.
const fn always(event: Event, removals: &'static [&'static str]) -> Row {
    Row {
        event,
        okta: [removals; 2],
        direct: [removals; 2],
    }
}

const ROWS: &[Row] = &[
    // In mode `okta`, Okta itself takes members out, and the run only verifies it.
    Row {
        event: MemberLeaves,
        okta: NONE,
        direct: [&["membership of person.00003@example.com in group deployers"]; 2],
    },
    Row {
        event: UserSuspended,
        okta: NONE,
        direct: [&["user person.00003@example.com"]; 2],
    },
    always(GroupOutOfScope, &[]),
    // The run with a new state is the test `an_app_of_another_organization_is_not_repointed_unless_the_guard_allows_it`.
    Row {
        event: OtherUrls,
        okta: [&["SAML settings of the app"], &[]],
        direct: [&["SAML settings of the app"], &[]],
    },
    always(OtherSignOnPolicy, &["sign-on policy of the app"]),
    // In direct mode, nothing is pushed. A run with a state trusts it, and a run without one reads the members in AWS.
    Row {
        event: PushOff,
        okta: [&["group deployers pushed to AWS"]; 2],
        direct: [
            &[],
            &["membership of ada.lovelace@example.com in group deployers"],
        ],
    },
    always(
        ExtraPolicy,
        &["policy arn:aws:iam::aws:policy/ReadOnlyAccess of permission set Deploy"],
    ),
    always(
        InlinePolicyReduced,
        &["inline policy of permission set Deploy"],
    ),
    always(
        InlinePolicyDenies,
        &["inline policy of permission set Deploy"],
    ),
    always(
        InlinePolicyGone,
        &["inline policy of permission set Deploy"],
    ),
    always(
        DenyAll,
        &["policy arn:aws:iam::aws:policy/AWSDenyAll of permission set Deploy"],
    ),
    always(NamedSetChanged, &[]),
    always(AccessDropped, &[]),
];

#[tokio::test]
async fn each_removal_is_named_and_needs_an_approval_in_mode_okta() {
    for row in ROWS {
        for (removals, is_first) in row.okta.into_iter().zip([false, true]) {
            check(row.event, TEAM, str::to_owned, removals, is_first).await;
        }
    }
}

#[tokio::test]
async fn each_removal_is_named_and_needs_an_approval_in_mode_direct() {
    for row in ROWS {
        for (removals, is_first) in row.direct.into_iter().zip([false, true]) {
            check(row.event, TEAM, direct, removals, is_first).await;
        }
    }
}

async fn check(
    event: Event,
    blueprint: &str,
    mode: impl Fn(&str) -> String,
    removals: &[&str],
    is_first: bool,
) {
    if event == OtherUrls && is_first {
        return;
    }
    let case = format!("{event:?}, first run: {is_first}");
    // The inline policy allows something, so that an event can take it away.
    let text = blueprint.replace(DENY, ALLOW);
    let mut fixture = Fixture::new(&mode(&text)).await;
    fixture.run().await.expect("the first run");
    happen(event, &mut fixture, &text, &mode).await;
    if is_first {
        fixture.store = StateStore::memory();
    }
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(subjects(&plan), removals, "{case}: {plan}");

    let before = world(&fixture);
    fixture.sandbox.clear_requests();
    let applied = pipeline.apply(&plan).await;
    if removals.is_empty() {
        let _report = applied.expect("a plan without removals");
        assert_eq!(world(&fixture), before, "{case}");
        return;
    }
    let error = applied.expect_err("removals without an approval");
    assert_eq!(error.kind(), ErrorKind::GuardRejected, "{case}");
    assert!(fixture.sandbox.writes().is_empty(), "{case}");

    let guard = Guard {
        approved: plan.removals_id().into_iter().collect(),
        allowed: plan.hazards().filter_map(Hazard::id).collect(),
        ..Guard::default()
    };
    let pipeline = fixture.pipeline().guard(guard);
    apply(&pipeline, &plan).await.expect("approved removals");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(subjects(&plan), [""; 0], "{case}: {plan}");
    assert_eq!(plan.problems().count(), 0, "{case}: {plan}");
}

/// Returns the subjects of the removals.
fn subjects(plan: &Plan) -> Vec<String> {
    let removals = plan.removals();
    removals
        .map(|(_, change)| change.subject.to_string())
        .collect()
}

/// Returns the access in AWS: members of groups, active users, policies of permission sets, assignments.
fn world(fixture: &Fixture) -> String {
    let groups = fixture.sandbox.identity_groups();
    let groups = groups
        .iter()
        .map(|group| format!("{} {:?}", group.display_name, group.members));
    let users = fixture.sandbox.identity_users();
    let users = users
        .iter()
        .map(|user| format!("{} {}", user.user_name, user.active));
    let sets = fixture.sandbox.permission_sets();
    let sets = sets.iter().map(|set| {
        format!(
            "{} {:?} {:?}",
            set.name, set.managed_policies, set.inline_policy
        )
    });
    let lines: Vec<String> = groups
        .chain(users)
        .chain(sets)
        .chain(fixture.assignments())
        .collect();
    lines.join("\n")
}

const DENY: &str = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
const ALLOW: &str = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}"#;

async fn happen(
    event: Event,
    fixture: &mut Fixture,
    blueprint: &str,
    mode: impl Fn(&str) -> String,
) {
    let mut set_blueprint = |text: String| {
        fixture.blueprint = Blueprint::from_toml(&mode(&text)).expect("a blueprint");
    };
    match event {
        InlinePolicyReduced => set_blueprint(blueprint.replace(r#","s3:PutObject""#, "")),
        InlinePolicyDenies => set_blueprint(blueprint.replace(ALLOW, &format!("{ALLOW},{DENY}"))),
        InlinePolicyGone => {
            let lines = blueprint
                .lines()
                .filter(|line| !line.starts_with("inline_policy"));
            set_blueprint(lines.collect::<Vec<_>>().join("\n"));
        }
        DenyAll => set_blueprint(blueprint.replace(
            "managed_policies = [",
            "managed_policies = [\"arn:aws:iam::aws:policy/AWSDenyAll\", ",
        )),
        OtherSignOnPolicy => set_blueprint(format!(
            "[okta]\nsign_on_policy = \"Phishing resistant\"\n{blueprint}"
        )),
        GroupOutOfScope => {
            let from = blueprint.rfind("[[access]]").expect("access of the group");
            set_blueprint(blueprint[..from].to_owned());
        }
        AccessDropped => {
            let from = blueprint.find("[[access]]").expect("access");
            let head = &blueprint[..from];
            set_blueprint(format!("{head}\n[sign_in]\nskip = true\n"));
        }
        MemberLeaves => fixture.sandbox.set_group_member("deployers", LEAVER, false),
        UserSuspended => fixture
            .sandbox
            .set_user_status(LEAVER, sandbox::PersonStatus::Suspended),
        OtherUrls => {
            let app = fixture.app().await;
            let app = fixture.okta.apps().get(&app).await.expect("the app");
            let mut document = app.edit();
            let other = "https://eu-west-1.signin.aws/platform/saml";
            document.set_setting("acsURL", format!("{other}/acs/other"));
            document.set_setting("entityID", format!("{other}/d-0123456789"));
            let written = fixture.okta.apps().replace(app.id(), &document).await;
            written.expect("other URLs");
        }
        PushOff => {
            let app = fixture.app().await;
            let mappings = fixture.okta.push_mappings(&app);
            for mapping in mappings.list().try_collect().await.expect("mappings") {
                let off = mappings.set_status(&mapping.id, PushActivation::Inactive);
                off.await.expect("a status");
            }
            let ada = "ada.lovelace@example.com";
            fixture.add_to_aws_group("deployers", ada).await;
        }
        ExtraPolicy => attach(fixture, "Deploy").await,
        NamedSetChanged => attach(fixture, "AdministratorAccess").await,
    }
}

async fn attach(fixture: &Fixture, set: &str) {
    let instances = fixture.aws.instances().try_collect().await;
    let center = fixture
        .aws
        .identity_center(&instances.expect("instances")[0]);
    let sets = center.permission_sets();
    let set = sets.find(set).await.expect("a call").expect("the set");
    let attached = sets.attach_managed_policy(&set.arn, EXTRA_POLICY).await;
    attached.expect("a policy");
}
