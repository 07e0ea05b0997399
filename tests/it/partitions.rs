//! Tests of AWS GovCloud (US) and China: the whole integration with the ARNs and hosts of each partition.

use okta_aws_sso::{
    Plan,
    operator::{ManualStep, ManualStepKind},
    plan::{StepId, Value},
};
use sandbox::{Company, Sandbox, Stage};
use serde_json::Value as Json;

use crate::fixture::{Fixture, SEED, TEAM, company, lines, note};

/// A partition, with the values that its documents give.
struct Partition {
    region: &'static str,
    name: &'static str,
    portal: &'static str,
    console: &'static str,
    sign_in: &'static str,
}

/// Sources: "AWS IAM Identity Center in AWS GovCloud (US)" (AWS GovCloud (US) user guide) for portal and ARNs. The console is the
/// link of AWS's guides, such as the Amazon ECS developer guide, with the path of the commercial console. The sign-in host is the
/// one of IAM (AWS GovCloud (US) user guide, "AWS Identity and Access Management"): no document names the one of Identity Center.
const GOVCLOUD: Partition = Partition {
    region: "us-gov-west-1",
    name: "aws-us-gov",
    portal: "https://start.us-gov-home.awsapps.com/directory/",
    console: "https://us-gov-west-1.console.amazonaws-us-gov.com/singlesignon",
    sign_in: "https://us-gov-west-1.signin.amazonaws-us-gov.com/platform/saml/",
};

/// Sources: "IAM Identity Center in Amazon Web Services China" (Getting Started with Amazon Web Services in China) for portal and
/// ARNs. The console and the sign-in host have the domain of "How IAM users sign in" (IAM user guide of China); no document names
/// the ones of Identity Center.
const CHINA: Partition = Partition {
    region: "cn-north-1",
    name: "aws-cn",
    portal: "https://start.home.awsapps.cn/directory/",
    console: "https://cn-north-1.console.amazonaws.cn/singlesignon",
    sign_in: "https://cn-north-1.signin.amazonaws.cn/platform/saml/",
};

/// A blueprint with a name, a path and a name, a well-known set and a boundary-free set of every kind of managed policy.
const NAMES: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
managed_policies = ["PowerUserAccess", "job-function/Billing"]

[permission_sets.SecurityAudit]

[[access]]
user = "ada.lovelace@example.com"
account = "Sandbox"
permission_set = "AdministratorAccess"

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "Deploy"

[[access]]
group = "deployers"
account = "Workload 0003"
permission_set = "SecurityAudit"
"#;

fn company_in(partition: &Partition) -> Company {
    Company {
        region: partition.region.to_owned(),
        ..company()
    }
}

async fn fixture(partition: &Partition, blueprint: &str) -> Fixture {
    let sandbox = Sandbox::builder().company(company_in(partition));
    Fixture::with_sandbox(sandbox, blueprint).await
}

fn undocumented_hosts(plan: &Plan) -> Option<String> {
    note(plan, "undocumented-hosts")
}

fn place(asked: &[ManualStep], kind: ManualStepKind) -> &ManualStep {
    let mut found = asked.iter().filter(|step| step.kind == kind);
    found.next().expect("the manual step")
}

/// Returns the URLs of AWS in the Okta app.
fn urls_of_app(fixture: &Fixture) -> Vec<String> {
    let snapshot = fixture.sandbox.okta_snapshot();
    let mut urls = Vec::new();
    collect_urls(&snapshot["apps"], &mut urls);
    urls.sort();
    urls.dedup();
    urls
}

fn collect_urls(value: &Json, urls: &mut Vec<String>) {
    match value {
        Json::String(text) if text.contains("/platform/saml/") => urls.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_urls(item, urls)),
        Json::Object(fields) => fields.values().for_each(|field| collect_urls(field, urls)),
        _ => {}
    }
}

#[tokio::test]
async fn the_whole_integration_has_the_arns_and_hosts_of_the_partition() {
    for partition in [GOVCLOUD, CHINA] {
        let mut fixture = fixture(&partition, NAMES).await;
        let asked = fixture.watch_operator(|_| false);
        let policy = |name: &str| format!("arn:{}:iam::aws:policy/{name}", partition.name);
        let first = fixture.pipeline().plan().await.expect("the first plan");
        assert_eq!(first.problems().count(), 0, "{first}");
        assert!(!first.to_string().contains("arn:aws:"), "{first}");
        let sets = lines(&first, "permission-sets");
        for expected in [
            format!(
                "create policy {} of permission set Deploy",
                policy("job-function/Billing")
            ),
            format!(
                "create policy {} of permission set SecurityAudit",
                policy("SecurityAudit")
            ),
        ] {
            assert!(sets.contains(&expected), "{sets:?}");
        }

        let (_, report) = fixture.run().await.expect("the first run");
        // The test user has signed in at the portal, and saw the role.
        assert!(report.facts.signed_in.is_some());
        let instance = report.facts.instance.as_ref().expect("an instance");
        assert_eq!(instance.arn.partition().as_str(), partition.name);
        let portal = report.facts.portal.as_ref().expect("a portal");
        assert_eq!(
            portal.as_str(),
            format!("{}{}", partition.portal, instance.identity_store)
        );
        for set in fixture.sandbox.permission_sets() {
            let expected = match set.name.as_str() {
                "Deploy" => vec![policy("PowerUserAccess"), policy("job-function/Billing")],
                name => vec![policy(name)],
            };
            assert_eq!(set.managed_policies, expected);
        }
        assert_eq!(fixture.assignments().len(), 3);
        let source = report.facts.identity_source.as_ref().expect("a source");
        assert_eq!(
            source.issuer.as_str(),
            format!("{}{}", partition.sign_in, instance.identity_store)
        );
        let urls = urls_of_app(&fixture);
        assert_eq!(urls.len(), 2, "{urls:?}");
        assert!(
            urls.iter().all(|url| url.starts_with(partition.sign_in)),
            "{urls:?}"
        );

        let asked = asked.lock().expect("a lock").clone();
        for kind in [
            ManualStepKind::EnableIdentityCenter,
            ManualStepKind::IdentitySource,
        ] {
            let place = &place(&asked, kind).place;
            assert!(
                place.ends_with(&format!("({})", partition.console)),
                "{place}"
            );
        }
        let identity_source = place(&asked, ManualStepKind::IdentitySource);
        assert!(
            identity_source
                .warnings
                .iter()
                .any(|text| text.contains(partition.name)),
            "{:?}",
            identity_source.warnings
        );

        let (plan, _) = fixture.run().await.expect("the second run");
        assert_eq!(
            plan.to_string().lines().next(),
            Some("Plan: No changes"),
            "{plan}"
        );
        assert_eq!(
            undocumented_hosts(&plan),
            None,
            "the sign-in has confirmed the URLs"
        );
    }
}

#[tokio::test]
async fn the_plan_of_an_instance_names_its_default_portal_and_warns_about_the_hosts() {
    for partition in [GOVCLOUD, CHINA] {
        let sandbox = Sandbox::builder().company(company_in(&partition));
        let sandbox = sandbox.stage(Stage::IdentityCenter);
        let fixture = Fixture::with_sandbox(sandbox, SEED).await;
        let plan = fixture.pipeline().plan().await.expect("a plan");
        let portal = plan.step(&StepId::new("access-portal")).expect("the step");
        let Value::Known(url) = &portal.changes[0].fields[0].after else {
            panic!("a known URL: {portal}");
        };
        assert!(url.starts_with(&format!("{}d-", partition.portal)), "{url}");
        let warning = undocumented_hosts(&plan).expect("a warning");
        assert!(
            warning.contains(&format!("in partition {}", partition.name)),
            "{warning}"
        );
    }
    let sandbox = Sandbox::builder().company(company());
    let fixture = Fixture::with_sandbox(sandbox.stage(Stage::IdentityCenter), SEED).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(undocumented_hosts(&plan), None);
}

#[tokio::test]
async fn a_policy_of_another_partition_is_a_problem_of_its_set_alone() {
    // TEAM has `arn:aws:iam::aws:policy/PowerUserAccess` in the set `Deploy`.
    let fixture = fixture(&GOVCLOUD, TEAM).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let problems: Vec<_> = plan.problems().collect();
    let [problem] = problems.as_slice() else {
        panic!("one problem: {plan}");
    };
    assert_eq!(
        problem.message,
        "permission set Deploy cannot be written: policy arn:aws:iam::aws:policy/PowerUserAccess is in another partition of AWS than the instance, which is in aws-us-gov"
    );
    assert!(
        problem.help.contains("`arn:aws-us-gov:iam::aws:policy/…`"),
        "{}",
        problem.help
    );
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(!report.is_complete());
    assert_eq!(
        fixture.assignments(),
        ["USER ada.lovelace@example.com: AdministratorAccess in 200000000002"]
    );
    let commercial = Fixture::new(&TEAM.replace("arn:aws:", "arn:aws-cn:")).await;
    let plan = commercial.pipeline().plan().await.expect("a plan");
    assert_eq!(plan.problems().count(), 1, "{plan}");
}

#[tokio::test]
async fn the_plan_warns_about_a_relay_state_of_another_partition() {
    let blueprint = format!(
        "{SEED}\n[permission_sets.Consoles]\nrelay_state = \"https://console.aws.amazon.com/s3/\"\n"
    );
    let code = "relay-state-of-another-partition";
    let fixture = fixture(&GOVCLOUD, &blueprint).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let text = note(&plan, code).expect("a note");
    assert!(
        text.contains(
            "leads to the AWS console of partition aws, and the instance is in partition aws-us-gov"
        ),
        "{text}"
    );
    let commercial = Fixture::new(&blueprint).await;
    let plan = commercial.pipeline().plan().await.expect("a plan");
    assert_eq!(note(&plan, code), None);
}

#[tokio::test]
async fn a_region_of_another_partition_than_the_credentials_is_refused() {
    let blueprint = format!("[aws]\nregion = \"cn-north-1\"\n{SEED}");
    let fixture = Fixture::new(&blueprint).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "identity-center"),
        [
            "problem: IAM Identity Center cannot be enabled in cn-north-1: this Region is in partition aws-cn, and the AWS credentials are of aws (Region us-east-1)"
        ]
    );
}
