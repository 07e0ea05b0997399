//! The estate of the campaign: access of several groups in six accounts, of which one run has to change a part.
//!
//! A world starts with a finished integration. Then the blueprint changes, and the run with faults has to create,
//! remove and replace assignments, to edit two permission sets and to create a third one.

pub(crate) mod checks;
pub(crate) mod faults;
pub(crate) mod kills;

use std::time::Duration;

use okta_aws_sso::Blueprint;
use sandbox::{Company, OperationDurations, Sandbox, SandboxBuilder};

use crate::fixture::Fixture;

/// The access that a run removes although the blueprint does not name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    Managed,
    Exclusive,
}

impl Ownership {
    pub(crate) const ALL: [Self; 2] = [Self::Managed, Self::Exclusive];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Exclusive => "exclusive",
        }
    }

    /// Returns a blueprint with this ownership.
    pub(crate) fn blueprint(self, access: &str) -> String {
        format!("[ownership]\naccess = \"{}\"\n{access}", self.name())
    }
}

/// Returns a company of 9 people, 6 groups and 6 accounts.
pub(crate) fn company() -> Company {
    let person = |number: u32| format!("person.{number:05}@example.com");
    let mut company = Company::small(9, 6);
    for (name, numbers) in [
        ("platform", &[2, 3][..]),
        ("developers", &[4, 5]),
        ("auditors", &[6]),
        ("support", &[7, 8]),
        ("contractors", &[9]),
    ] {
        let members: Vec<String> = numbers.iter().map(|number| person(*number)).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        company = company.team(name, &members);
    }
    company
}

/// The access at the start.
pub(crate) const BEFORE: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
description = "Deploys"
managed_policies = ["PowerUserAccess"]

[permission_sets.Read]
managed_policies = ["ReadOnlyAccess"]

[[access]]
group = "platform"
accounts = ["Management", "Sandbox", "Workload 0003", "Workload 0004", "Workload 0005", "Workload 0006"]
permission_set = "AdministratorAccess"

[[access]]
group = "developers"
accounts = ["Sandbox", "Workload 0003", "Workload 0004"]
permission_set = "Deploy"

[[access]]
group = "auditors"
accounts = ["Workload 0003", "Workload 0004", "Workload 0005"]
permission_set = "Read"

[[access]]
group = "support"
accounts = ["Workload 0005", "Workload 0006"]
permission_set = "Deploy"

[[access]]
group = "contractors"
accounts = ["Workload 0006"]
permission_set = "Deploy"

[[access]]
group = "contractors"
accounts = ["Sandbox"]
permission_set = "Read"
"#;

/// The access that the run has to reach.
pub(crate) const AFTER: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
description = "Deploys and pays"
managed_policies = ["PowerUserAccess", "job-function/Billing"]

[permission_sets.Read]
description = "Reads"
managed_policies = ["ReadOnlyAccess"]

[permission_sets.Ops]
managed_policies = ["job-function/SystemAdministrator"]

[[access]]
group = "platform"
accounts = ["Management", "Sandbox", "Workload 0003", "Workload 0004", "Workload 0005", "Workload 0006"]
permission_set = "AdministratorAccess"

[[access]]
group = "developers"
accounts = ["Sandbox", "Workload 0003", "Workload 0005"]
permission_set = "Deploy"

[[access]]
group = "auditors"
accounts = ["Workload 0003", "Workload 0004", "Workload 0005", "Workload 0006"]
permission_set = "Read"

[[access]]
group = "support"
accounts = ["Workload 0005", "Workload 0006"]
permission_set = "Ops"

[[access]]
group = "support"
accounts = ["Workload 0003", "Workload 0004", "Workload 0005", "Workload 0006"]
permission_set = "Read"

[[access]]
group = "contractors"
accounts = ["Sandbox"]
permission_set = "Read"
"#;

/// The access of the administrators alone. A plan of it names the assignments that earlier runs have made.
pub(crate) const LAST: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[[access]]
group = "platform"
accounts = ["Management", "Sandbox", "Workload 0003", "Workload 0004", "Workload 0005", "Workload 0006"]
permission_set = "AdministratorAccess"
"#;

/// The group whose assignments AWS keeps under its old id, because it was deleted and created again.
const RECREATED: &str = "contractors";

/// Returns the settings of the sandbox of a world.
pub(crate) fn sandbox() -> SandboxBuilder {
    Sandbox::builder().company(company()).page_size(None)
}

/// The facts about the start of a run that the checks need.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) ownership: Ownership,
    /// The number of operations that AWS has accepted before.
    pub(crate) operations: usize,
    /// The id of the deleted group.
    pub(crate) orphan: String,
}

/// A sandbox before the run with faults, with the clients and the state of the pipeline.
pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(crate) start: Start,
}

impl World {
    pub(crate) async fn new(ownership: Ownership, sandbox: SandboxBuilder) -> Self {
        let before = ownership.blueprint(BEFORE);
        let mut fixture = Fixture::with_sandbox(sandbox, &before).await;
        fixture.run().await.expect("the run before");
        let start = by_hand(&fixture, ownership).await;
        fixture.blueprint = Blueprint::from_toml(&ownership.blueprint(AFTER)).expect("a blueprint");
        // An operation often takes longer than the pause before a lost response is looked up.
        let durations = Duration::from_secs(4)..=Duration::from_secs(20);
        fixture
            .sandbox
            .set_operation_durations(OperationDurations::uniform(durations, 1));
        fixture.sandbox.clear_requests();
        Self { fixture, start }
    }
}

/// Makes the changes of other people: an assignment of a group outside the blueprint, one that the blueprint will give,
/// and a group that is deleted and created again.
pub(crate) async fn by_hand(fixture: &Fixture, ownership: Ownership) -> Start {
    // The fixture does not wait in real time.
    let durations = OperationDurations::constant(Duration::ZERO);
    fixture.sandbox.set_operation_durations(durations);
    fixture
        .create_aws_group("night-shift", &["person.00004@example.com"])
        .await;
    for (group, set, account) in [
        ("night-shift", "Deploy", "Sandbox"),
        ("auditors", "Read", "Workload 0006"),
    ] {
        let assignment = fixture.assignment(group, set, account).await;
        fixture.change_assignment(&assignment, true).await;
    }
    let groups = fixture.sandbox.identity_groups();
    let old = groups
        .into_iter()
        .find(|group| group.display_name == RECREATED);
    let old = old.expect("a group");
    fixture.delete_aws_group(RECREATED).await;
    let members: Vec<&str> = old.members.iter().map(String::as_str).collect();
    fixture.create_aws_group(RECREATED, &members).await;
    Start {
        ownership,
        operations: fixture.sandbox.operations().len(),
        orphan: old.id,
    }
}
