//! Tests that a sequential step sends nothing after a failed change.

use futures::future::BoxFuture;
use okta_aws_sso::{
    Applied, Context, Error, ErrorKind, Guard, Pipeline, Planned, Result, Step, okta,
    plan::{Action, Change, StepId, Subject},
};
use sandbox::{Fault, PersonStatus, Service};

use crate::fixture::{Fixture, SEED, TEAM, apply, direct};

/// Creates one Okta group per change.
struct CreateGroups {
    okta: okta::Client,
    parallelism: usize,
}

impl Step for CreateGroups {
    fn id(&self) -> StepId {
        StepId::new("create-groups")
    }

    fn title(&self) -> String {
        "Groups".to_owned()
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        let changes = ["first", "second", "third"].map(|name| {
            let subject = Subject::custom(self.id(), name);
            Change::new(Action::Create, subject)
        });
        Box::pin(std::future::ready(Ok(Planned::changes(changes.into()))))
    }

    fn apply<'a>(&'a self, change: &'a Change, _: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let Subject::Custom { name, .. } = &change.subject else {
                panic!("another subject: {change}");
            };
            let created = self.okta.groups().create(name, None).await;
            created.map_err(|error| Error::service("the group could not be created", error))?;
            Ok(Applied::Done)
        })
    }

    /// With a parallelism of more than one, each change is a chain.
    fn chain(&self, change: &Change) -> Option<Subject> {
        (self.parallelism > 1).then(|| change.subject.clone())
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }
}

/// Applies three changes of which the second is refused, and returns the names of the groups that exist then.
async fn groups_after_a_refused_second_change(parallelism: usize) -> (Vec<String>, usize) {
    let fixture = Fixture::new(SEED).await;
    let step = CreateGroups {
        okta: fixture.okta.clone(),
        parallelism,
    };
    let pipeline = Pipeline::new(step);
    let plan = pipeline.plan().await.expect("a plan");
    fixture.sandbox.inject(
        Fault::refuse(Service::Okta, 400, None)
            .on("POST /api/v1/groups")
            .after(1),
    );
    fixture.sandbox.clear_requests();
    let error = apply(&pipeline, &plan).await.expect_err("a refused change");
    assert_eq!(error.kind(), ErrorKind::Service);
    let sent = fixture.sandbox.writes().len();
    let mut existing = Vec::new();
    for name in ["first", "second", "third"] {
        let found = fixture.okta.groups().named(name).await;
        let names = found.expect("an answer").into_iter();
        existing.extend(names.map(|group| group.name));
    }
    (existing, sent)
}

#[tokio::test]
async fn a_sequential_step_sends_nothing_after_its_first_failed_change() {
    let (existing, sent) = groups_after_a_refused_second_change(1).await;
    assert_eq!(existing, ["first"]);
    assert_eq!(sent, 2);
}

#[tokio::test]
async fn a_parallel_step_tries_all_changes_and_reports_the_failed_one() {
    let (existing, sent) = groups_after_a_refused_second_change(3).await;
    assert_eq!(existing.len(), 2, "{existing:?}");
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn no_policy_is_detached_after_a_refused_attach() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let instance = &fixture
        .aws
        .instances()
        .try_collect()
        .await
        .expect("instances")[0];
    let center = fixture.aws.identity_center(instance);
    let sets = center.permission_sets();
    let deploy = sets
        .find("Deploy")
        .await
        .expect("an answer")
        .expect("the set")
        .arn;
    let policy = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    sets.attach_managed_policy(&deploy, &policy("IAMFullAccess"))
        .await
        .expect("an attached policy");
    sets.detach_managed_policy(&deploy, &policy("PowerUserAccess"))
        .await
        .expect("a detached policy");

    let pipeline = fixture.pipeline().guard(Guard {
        max_removals: 1,
        ..Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    fixture
        .sandbox
        .inject(Fault::refuse(Service::Aws, 400, None).on("AttachManagedPolicyToPermissionSet"));
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect_err("a refused attach");
    let writes: Vec<String> = fixture
        .sandbox
        .writes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(
        writes[0].contains("AttachManagedPolicyToPermissionSet"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn a_failed_scim_write_of_one_user_does_not_keep_another_user_active() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    fixture
        .sandbox
        .set_user_attribute("person.00002@example.com", "title", "Lead");
    fixture
        .sandbox
        .set_user_status("person.00003@example.com", PersonStatus::Deprovisioned);

    let pipeline = fixture.pipeline().guard(Guard {
        max_removals: 2,
        ..Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    fixture
        .sandbox
        .inject(Fault::refuse(Service::Scim, 400, None).on("PUT "));
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect_err("a refused write");
    let writes: Vec<String> = fixture
        .sandbox
        .writes()
        .iter()
        .filter(|request| request.service == Service::Scim)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        writes.iter().filter(|write| write.contains("PUT ")).count(),
        1,
        "{writes:?}"
    );
    let users = fixture.sandbox.identity_users();
    let active = users.iter().filter(|user| user.active);
    let active: Vec<&str> = active.map(|user| user.user_name.as_str()).collect();
    assert!(!active.contains(&"person.00003@example.com"), "{active:?}");
    assert!(active.contains(&"person.00002@example.com"), "{active:?}");
}
