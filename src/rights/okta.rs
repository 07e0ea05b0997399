//! The rights in Okta that a plan needs.

use std::collections::BTreeSet;

use okta_client::rights;

use crate::{
    plan::{Action, Kind, Plan, StepId, Subject},
    steps::ids,
};

/// The operations of Okta that a step calls.
struct StepOperations {
    step: StepId,
    /// The operations that planning and verifying call.
    reads: &'static [&'static str],
    /// The operations that planning and verifying call besides if the plan has a change, a problem or a note about a subject of
    /// this kind.
    reads_about: &'static [(Kind, &'static [&'static str])],
    /// The operations that a change calls, by the kind of its subject.
    writes: &'static [(Kind, &'static [&'static str])],
    /// The operations that the step does without if it may not call them.
    optional: &'static [OptionalOperation],
}

/// An operation that a step does without if it may not call it.
struct OptionalOperation {
    operation: &'static str,
    /// The kinds of the subjects whose changes can call the operation.
    kinds: &'static [Kind],
    purpose: &'static str,
}

/// The rights in Okta that a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRights {
    /// The step.
    pub step: StepId,
    /// The scopes that planning and verifying need, also those that only some plans need.
    pub plan: BTreeSet<&'static str>,
    /// The scopes that applying needs besides.
    pub apply: BTreeSet<&'static str>,
    /// The scopes without which the step can be planned and applied, too.
    pub optional: BTreeSet<&'static str>,
}

/// A scope without which a plan can be applied, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct OptionalScope {
    /// The scope, such as `okta.logs.read`.
    pub scope: &'static str,
    /// The purpose of the scope, such as `shows Okta's reason for a user that is not provisioned`.
    pub purpose: &'static str,
}

/// Returns the OAuth 2.0 scopes that planning, applying and verifying this plan needs in Okta.
///
/// The result has the scopes of each request: `okta.apps.read` is in it beside `okta.apps.manage`, although Okta's
/// `manage` scopes include those for reading. A plan without changes needs the scopes for reading. A service app also
/// needs an admin role that allows the operations ([`okta::rights`](crate::okta::rights)). Steps of other crates are
/// not known here.
#[must_use]
pub fn required_scopes(plan: &Plan) -> BTreeSet<&'static str> {
    let mut scopes = BTreeSet::new();
    for known in STEPS {
        let Some(step) = plan.step(&known.step) else {
            continue;
        };
        scopes.extend(scopes_of(known.reads));
        let changes = step.changes.iter().map(|change| Some(&change.subject));
        let problems = step.problems.iter().map(|problem| problem.subject.as_ref());
        let notes = step.notes.iter().map(|note| note.subject.as_ref());
        let subjects = changes.chain(problems).chain(notes).flatten();
        let kinds: BTreeSet<Kind> = subjects.map(Subject::kind).collect();
        let reads = known.reads_about.iter();
        let reads = reads.filter(|(kind, _)| kinds.contains(kind));
        scopes.extend(reads.flat_map(|(_, operations)| scopes_of(operations)));
        for change in step
            .changes
            .iter()
            .filter(|change| change.action != Action::Check)
        {
            let kind = change.subject.kind();
            let writes = known.writes.iter().filter(|(of, _)| *of == kind);
            scopes.extend(writes.flat_map(|(_, operations)| scopes_of(operations)));
        }
    }
    scopes
}

/// Returns the OAuth 2.0 scopes that applying this plan uses if they are granted.
///
/// Without them, the plan can be applied all the same. They are no part of [`required_scopes`].
#[must_use]
pub fn optional_scopes(plan: &Plan) -> BTreeSet<OptionalScope> {
    // The directory sync provisions instead of Okta, so Okta logs no failures.
    if plan.step(&ids::DIRECTORY_SYNC).is_some() {
        return BTreeSet::new();
    }
    let mut scopes = BTreeSet::new();
    for known in STEPS {
        let Some(step) = plan.step(&known.step) else {
            continue;
        };
        let kinds: BTreeSet<Kind> = step
            .changes
            .iter()
            .map(|change| change.subject.kind())
            .collect();
        for optional in known.optional {
            if optional.kinds.iter().any(|kind| kinds.contains(kind)) {
                let purpose = optional.purpose;
                let found = scopes_of_one(optional.operation);
                scopes.extend(found.map(|scope| OptionalScope { scope, purpose }));
            }
        }
    }
    scopes
}

/// Returns the rights that each step of this crate needs, in the order of the steps. Other steps need none in Okta.
#[must_use]
pub fn steps() -> Vec<StepRights> {
    STEPS
        .iter()
        .map(|known| {
            let about = known.reads_about.iter();
            let about = about.flat_map(|(_, operations)| scopes_of(operations));
            let plan: BTreeSet<_> = scopes_of(known.reads).chain(about).collect();
            let writes = known
                .writes
                .iter()
                .flat_map(|(_, writes)| scopes_of(writes));
            let apply = writes.filter(|scope| !plan.contains(scope)).collect();
            let optional = known.optional.iter();
            let optional = optional.flat_map(|optional| scopes_of_one(optional.operation));
            StepRights {
                step: known.step.clone(),
                plan,
                apply,
                optional: optional.collect(),
            }
        })
        .collect()
}

fn scopes_of(operations: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    operations
        .iter()
        .flat_map(|operation| scopes_of_one(operation))
}

fn scopes_of_one(operation: &'static str) -> impl Iterator<Item = &'static str> {
    let operation = operation.split_once(' ');
    let operation = operation.and_then(|(method, path)| rights::operation(method, path));
    let scopes = operation.map(rights::Operation::scopes);
    scopes.unwrap_or_default().iter().copied()
}

const APP: &str = "GET /api/v1/apps/{appId}";
const APP_USERS: &str = "GET /api/v1/apps/{appId}/users";
const PUSHES: &str = "GET /api/v1/apps/{appId}/group-push/mappings";
const USER: &str = "GET /api/v1/users/{id}";
const GROUPS: &str = "GET /api/v1/groups";
const MEMBERS: &str = "GET /api/v1/groups/{groupId}/users";
const MAPPINGS: &str = "GET /api/v1/mappings";
const MAPPING: &str = "GET /api/v1/mappings/{mappingId}";

const LOGS: &str = "GET /api/v1/logs";
const LOGS_PURPOSE: &str = "shows Okta's reason for a user or group that is not provisioned";

const LOGS_OF_PUSHES: OptionalOperation = OptionalOperation {
    operation: LOGS,
    kinds: &[Kind::GroupPush],
    purpose: LOGS_PURPOSE,
};
const LOGS_OF_ARRIVAL: OptionalOperation = OptionalOperation {
    operation: LOGS,
    kinds: &[Kind::User, Kind::Group, Kind::Membership],
    purpose: LOGS_PURPOSE,
};

static STEPS: &[StepOperations] = &[
    StepOperations {
        step: ids::CUSTOM_DOMAIN,
        reads: &["GET /api/v1/domains", "GET /api/v1/domains/{domainId}"],
        reads_about: &[],
        writes: &[(
            Kind::CustomDomain,
            &[
                "POST /api/v1/domains",
                "POST /api/v1/domains/{domainId}/verify",
            ],
        )],
        optional: &[],
    },
    StepOperations {
        step: ids::CATALOG_APP,
        reads: &["GET /api/v1/apps", APP],
        reads_about: &[],
        writes: &[(
            Kind::App,
            &[
                "POST /api/v1/apps",
                "POST /api/v1/apps/{appId}/lifecycle/activate",
            ],
        )],
        optional: &[],
    },
    StepOperations {
        step: ids::IDP_METADATA,
        reads: &[APP, "GET /api/v1/apps/{appId}/sso/saml/metadata"],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
    StepOperations {
        step: ids::IDENTITY_SOURCE,
        reads: &[APP],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
    StepOperations {
        step: ids::SAML_SETTINGS,
        reads: &[APP],
        reads_about: &[],
        writes: &[(Kind::AppSettings, &["PUT /api/v1/apps/{appId}"])],
        optional: &[],
    },
    StepOperations {
        step: ids::SIGN_ON_POLICY,
        reads: &[APP, "GET /api/v1/policies"],
        reads_about: &[(Kind::SignOnPolicy, &[APP_USERS])],
        writes: &[(
            Kind::SignOnPolicy,
            &["PUT /api/v1/apps/{appId}/policies/{policyId}"],
        )],
        optional: &[],
    },
    StepOperations {
        step: ids::SCIM_ENDPOINT,
        reads: &[APP],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
    StepOperations {
        step: ids::OKTA_PROVISIONING,
        reads: &[APP],
        reads_about: &[],
        writes: &[(
            Kind::OktaProvisioning,
            &[
                "POST /api/v1/apps/{appId}/connections/default",
                "PUT /api/v1/apps/{appId}/features/{featureName}",
            ],
        )],
        optional: &[],
    },
    StepOperations {
        step: ids::PROFILE_MAPPING,
        reads: &[MAPPINGS, MAPPING],
        reads_about: &[(
            Kind::ProfileMapping,
            &["GET /api/v1/meta/schemas/apps/{appId}/default"],
        )],
        writes: &[(Kind::ProfileMapping, &["POST /api/v1/mappings/{mappingId}"])],
        optional: &[],
    },
    StepOperations {
        step: ids::APP_ACCESS,
        reads: &[
            USER,
            GROUPS,
            MEMBERS,
            APP_USERS,
            "GET /api/v1/apps/{appId}/groups",
            PUSHES,
        ],
        reads_about: &[(Kind::ProfileMapping, &[MAPPINGS, MAPPING])],
        writes: &[
            (
                Kind::AppUser,
                &[
                    "POST /api/v1/apps/{appId}/users",
                    "DELETE /api/v1/apps/{appId}/users/{userId}",
                ],
            ),
            (
                Kind::AppGroup,
                &[
                    "PUT /api/v1/apps/{appId}/groups/{groupId}",
                    "DELETE /api/v1/apps/{appId}/groups/{groupId}",
                ],
            ),
            (
                Kind::GroupPush,
                &[
                    "POST /api/v1/apps/{appId}/group-push/mappings",
                    "PATCH /api/v1/apps/{appId}/group-push/mappings/{mappingId}",
                    "DELETE /api/v1/apps/{appId}/group-push/mappings/{mappingId}",
                ],
            ),
        ],
        optional: &[LOGS_OF_PUSHES],
    },
    StepOperations {
        step: ids::DIRECTORY_SYNC,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
    StepOperations {
        step: ids::ARRIVAL,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS, PUSHES],
        reads_about: &[],
        writes: &[],
        optional: &[LOGS_OF_ARRIVAL],
    },
    StepOperations {
        step: ids::ACCOUNT_ASSIGNMENTS,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
    StepOperations {
        step: ids::SIGN_IN,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        reads_about: &[],
        writes: &[],
        optional: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::{STEPS, rights};

    #[test]
    fn each_operation_is_one_of_the_client() {
        let operations = STEPS.iter().flat_map(|step| {
            let writes = step.writes.iter().flat_map(|(_, writes)| *writes);
            let about = step.reads_about.iter().flat_map(|(_, reads)| *reads);
            let optional = step.optional.iter().map(|optional| &optional.operation);
            step.reads.iter().chain(about).chain(writes).chain(optional)
        });
        for operation in operations {
            let known = rights::operations().iter();
            let mut known = known.map(ToString::to_string);
            assert!(known.any(|known| known == *operation), "{operation}");
        }
    }
}
