//! Hazards: consequences of a plan that the number of its removals does not show.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Change, Name, Subject, count};
use crate::text::Shown;

/// A consequence of a plan that the number of its removals does not show. The [`Guard`](crate::Guard) refuses the plan unless
/// the hazard is allowed by its [id](Self::id).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "hazard", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Hazard {
    /// A group loses all of its members, so that no user has its access.
    EmptiedGroup {
        /// The name of the group.
        group: Name,
        /// The number of members that leave.
        members: u64,
    },
    /// A group that exists in AWS is adopted by its name, and has members that the group in Okta does not have. These users get
    /// the roles of the group.
    GivesAccessTo {
        /// The name of the group.
        group: Name,
        /// The names of the users.
        users: Vec<Name>,
        /// The roles that the users get, such as `AdministratorAccess in 111122223333`.
        roles: Vec<String>,
    },
    /// The plan changes a protected user, group or permission set, or something inside it.
    TouchesProtected {
        /// The subject of the change.
        subject: Subject,
    },
    /// The source has no active users.
    EmptySource {
        /// The number of active managed users in AWS.
        managed: u64,
    },
    /// The source has new ids for most of the managed users, as after a change of the Okta org.
    NewIds {
        /// The number of active managed users in AWS.
        managed: u64,
        /// The number of these users whose id the source no longer has.
        missing: u64,
    },
    /// The removal takes access away from the caller of this run.
    OwnAccess {
        /// The subject of the removal.
        subject: Subject,
    },
    /// An account has no active user with `AdministratorAccess` any more.
    LastAdministrator {
        /// The account id.
        account: Name,
    },
    /// A selector of the blueprint matches many more accounts than before, for example because an organizational unit was moved.
    SelectionGrown {
        /// The selector.
        selector: String,
        /// The ids of the accounts that it did not match before.
        accounts: Vec<Name>,
    },
    /// The effect of the removals on the access cannot be read.
    UnknownAccess {
        /// The reason, with the response of the service.
        reason: String,
    },
}

impl Hazard {
    /// Returns the id by which the guard allows the hazard, such as `emptied-group:aws-auditors`. Returns `None` if the hazard
    /// cannot be allowed.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(match self {
            Self::EmptiedGroup { group, .. } => format!("emptied-group:{}", &**group),
            Self::GivesAccessTo { group, .. } => format!("gives-access-to:{}", &**group),
            Self::TouchesProtected { subject } => {
                format!(
                    "protected:{}",
                    protected_name(subject).map_or("", |name| name)
                )
            }
            Self::EmptySource { .. } => "empty-source".to_owned(),
            Self::NewIds { .. } => "new-ids".to_owned(),
            Self::OwnAccess { .. } => return None,
            Self::LastAdministrator { account } => format!("last-administrator:{}", &**account),
            Self::SelectionGrown { selector, .. } => format!("selection-grown:{selector}"),
            Self::UnknownAccess { .. } => "unknown-access".to_owned(),
        })
    }

    /// Describes the hazard, with the option that allows it.
    pub(crate) fn with_option(&self) -> String {
        match self.id() {
            Some(id) => format!("{self} (to allow it: --allow {})", Shown(&id)),
            None => self.to_string(),
        }
    }

    /// Returns whether the plan is refused as a whole, also if the guard only [withholds](crate::guard::Excess) removals.
    pub(crate) const fn refuses_plan(&self) -> bool {
        matches!(
            self,
            Self::EmptySource { .. } | Self::NewIds { .. } | Self::TouchesProtected { .. }
        )
    }

    /// Returns whether the hazard is a consequence of this change, or may be one.
    pub(crate) fn concerns(&self, change: &Change) -> bool {
        match self {
            Self::GivesAccessTo { group, .. } => {
                change.action == Action::Adopt
                    && matches!(&change.subject, Subject::Group { name } if name == group)
            }
            Self::EmptiedGroup { group, .. } => {
                change.action == Action::Remove
                    && match &change.subject {
                        Subject::Membership { group: of, .. } => of == group,
                        Subject::User { .. } => true,
                        _ => false,
                    }
            }
            Self::OwnAccess { subject } => {
                change.action == Action::Remove && change.subject == *subject
            }
            Self::SelectionGrown { accounts, .. } => {
                change.action == Action::Create
                    && matches!(&change.subject, Subject::Assignment { account, .. } if accounts.contains(account))
            }
            _ => change.action == Action::Remove,
        }
    }
}

/// Returns the name by which a subject is protected: of itself, or of the group or permission set that it is a part of.
pub(crate) fn protected_name(subject: &Subject) -> Option<&Name> {
    match subject {
        Subject::User { name } | Subject::Group { name } | Subject::PermissionSet { name } => {
            Some(name)
        }
        Subject::Membership { group, .. } | Subject::GroupPush { group } => Some(group),
        Subject::Policy { permission_set, .. } | Subject::Provisioning { permission_set } => {
            Some(permission_set)
        }
        _ => None,
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptiedGroup { group, members } => write!(
                f,
                "group {group} would be empty: all {members} members leave"
            ),
            Self::GivesAccessTo {
                group,
                users,
                roles,
            } => {
                let names: Vec<String> = users.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "group {group} exists in AWS and has {} that the group in Okta does not have: {names}",
                    count(users.len(), "member")
                )?;
                if !roles.is_empty() {
                    write!(f, "; they would get {}", roles.join(", "))?;
                }
                Ok(())
            }
            Self::TouchesProtected { subject } => write!(f, "{subject} is protected"),
            Self::EmptySource { managed: 0 } => f.write_str("the source has no active users"),
            Self::EmptySource { managed } => write!(
                f,
                "the source has no active users, and AWS has {managed} managed users"
            ),
            Self::NewIds { managed, missing } => write!(
                f,
                "the source no longer has the ids of {missing} of {managed} managed users"
            ),
            Self::OwnAccess { subject } => write!(
                f,
                "the removal of {subject} takes away the access of the caller of this run"
            ),
            Self::LastAdministrator { account } => write!(
                f,
                "account {account} would have no active user with AdministratorAccess"
            ),
            Self::SelectionGrown { selector, accounts } => write!(
                f,
                "`{}` matches {} more than before",
                Shown(selector),
                count(accounts.len(), "account")
            ),
            Self::UnknownAccess { reason } => {
                write!(f, "the effect of the removals cannot be read: {reason}")
            }
        }
    }
}
