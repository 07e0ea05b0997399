//! The rights in Okta that a plan needs.

use std::collections::BTreeSet;

use okta_client::rights;

use crate::{
    plan::{Action, Kind, Plan, StepId},
    steps::ids,
};

/// The operations of Okta that a step calls.
struct StepOperations {
    step: StepId,
    /// The operations that planning and verifying call.
    reads: &'static [&'static str],
    /// The operations that a change calls, by the kind of its subject.
    writes: &'static [(Kind, &'static [&'static str])],
}

/// The rights in Okta that a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRights {
    /// The step.
    pub step: StepId,
    /// The scopes that planning and verifying need.
    pub plan: BTreeSet<&'static str>,
    /// The scopes that applying needs besides.
    pub apply: BTreeSet<&'static str>,
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

/// Returns the rights that each step of this crate needs, in the order of the steps. Other steps need none in Okta.
#[must_use]
pub fn steps() -> Vec<StepRights> {
    STEPS
        .iter()
        .map(|known| {
            let plan: BTreeSet<_> = scopes_of(known.reads).collect();
            let writes = known
                .writes
                .iter()
                .flat_map(|(_, writes)| scopes_of(writes));
            let apply = writes.filter(|scope| !plan.contains(scope)).collect();
            StepRights {
                step: known.step.clone(),
                plan,
                apply,
            }
        })
        .collect()
}

fn scopes_of(operations: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    operations
        .iter()
        .filter_map(|operation| {
            let (method, path) = operation.split_once(' ')?;
            rights::operation(method, path)
        })
        .flat_map(|operation| operation.scopes().iter().copied())
}

const APP: &str = "GET /api/v1/apps/{appId}";
const APP_USERS: &str = "GET /api/v1/apps/{appId}/users";
const PUSHES: &str = "GET /api/v1/apps/{appId}/group-push/mappings";
const USER: &str = "GET /api/v1/users/{id}";
const GROUPS: &str = "GET /api/v1/groups";
const MEMBERS: &str = "GET /api/v1/groups/{groupId}/users";

static STEPS: &[StepOperations] = &[
    StepOperations {
        step: ids::CUSTOM_DOMAIN,
        reads: &["GET /api/v1/domains"],
        writes: &[(
            Kind::CustomDomain,
            &[
                "POST /api/v1/domains",
                "POST /api/v1/domains/{domainId}/verify",
            ],
        )],
    },
    StepOperations {
        step: ids::CATALOG_APP,
        reads: &["GET /api/v1/apps", APP],
        writes: &[(
            Kind::App,
            &[
                "POST /api/v1/apps",
                "POST /api/v1/apps/{appId}/lifecycle/activate",
            ],
        )],
    },
    StepOperations {
        step: ids::IDP_METADATA,
        reads: &[APP, "GET /api/v1/apps/{appId}/sso/saml/metadata"],
        writes: &[],
    },
    StepOperations {
        step: ids::IDENTITY_SOURCE,
        reads: &[APP],
        writes: &[],
    },
    StepOperations {
        step: ids::SAML_SETTINGS,
        reads: &[APP],
        writes: &[(Kind::AppSettings, &["PUT /api/v1/apps/{appId}"])],
    },
    StepOperations {
        step: ids::SCIM_ENDPOINT,
        reads: &[APP],
        writes: &[],
    },
    StepOperations {
        step: ids::OKTA_PROVISIONING,
        reads: &[APP],
        writes: &[(
            Kind::OktaProvisioning,
            &[
                "POST /api/v1/apps/{appId}/connections/default",
                "PUT /api/v1/apps/{appId}/features/{featureName}",
            ],
        )],
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
        writes: &[
            (Kind::AppUser, &["POST /api/v1/apps/{appId}/users"]),
            (
                Kind::AppGroup,
                &["PUT /api/v1/apps/{appId}/groups/{groupId}"],
            ),
            (
                Kind::GroupPush,
                &[
                    "POST /api/v1/apps/{appId}/group-push/mappings",
                    "PATCH /api/v1/apps/{appId}/group-push/mappings/{mappingId}",
                ],
            ),
        ],
    },
    StepOperations {
        step: ids::DIRECTORY_SYNC,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        writes: &[],
    },
    StepOperations {
        step: ids::ARRIVAL,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS, PUSHES],
        writes: &[],
    },
    StepOperations {
        step: ids::ACCOUNT_ASSIGNMENTS,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        writes: &[],
    },
    StepOperations {
        step: ids::SIGN_IN,
        reads: &[USER, GROUPS, MEMBERS, APP_USERS],
        writes: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::{STEPS, rights};

    #[test]
    fn each_operation_is_one_of_the_client() {
        let operations = STEPS.iter().flat_map(|step| {
            let writes = step.writes.iter().flat_map(|(_, writes)| *writes);
            step.reads.iter().chain(writes)
        });
        for operation in operations {
            let known = rights::operations().iter();
            let mut known = known.map(ToString::to_string);
            assert!(known.any(|known| known == *operation), "{operation}");
        }
    }
}
