//! The access that exists in IAM Identity Center when the sandbox starts.

use std::collections::HashMap;
use std::hash::Hash;

use super::Person;

/// The users, groups, permission sets and assignments of Identity Center when the sandbox starts.
///
/// [`Company::estate`](crate::Company::estate) fills in an estate. Accounts are given by id, and users, groups and
/// permission sets by name, in any order. The sandbox does not start if a name is unknown, or if AWS refuses a value of
/// a permission set.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use okta_aws_sandbox::{AccountSeed, Company, PermissionSetSeed, Person, PrincipalSeed, Sandbox};
///
/// let company = Company::empty()
///     .account(AccountSeed::new("200000000001", "Web", "Workloads/Production"))
///     .estate(|estate| {
///         estate
///             .user(Person::new("ada@example.com", "Ada", "Lovelace"))
///             .group("admins", ["ada@example.com"])
///             .set(PermissionSetSeed::new("Admin").with_managed_policy("AdministratorAccess"))
///             .assign(PrincipalSeed::Group("admins"), "200000000001", "Admin")
///     });
/// let sandbox = Sandbox::builder().company(company).start().await?;
/// assert_eq!(sandbox.assignments().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an estate has no effect until a company has it"]
pub struct Estate {
    pub(crate) users: Vec<Person>,
    pub(crate) groups: Vec<GroupSeed>,
    pub(crate) sets: Vec<PermissionSetSeed>,
    /// The ids of the accounts of the rows.
    pub(crate) accounts: Distinct<String>,
    /// The names of the permission sets of the rows.
    pub(crate) set_names: Distinct<String>,
    pub(crate) principals: Distinct<PrincipalText>,
    pub(crate) rows: Vec<Row>,
}

impl Estate {
    /// Adds a user to the identity store, without an external id. The login is the user name, and the further attributes are
    /// those that Okta would provision.
    ///
    /// A user with the status `Suspended` or `Deprovisioned` is disabled.
    pub fn user(mut self, person: Person) -> Self {
        self.users.push(person);
        self
    }

    /// Adds a group to the identity store, whose members are the users with these names.
    pub fn group<S: AsRef<str>>(
        mut self,
        name: &str,
        members: impl IntoIterator<Item = S>,
    ) -> Self {
        let members = members.into_iter();
        let members = members.map(|member| member.as_ref().to_owned()).collect();
        self.groups.push(GroupSeed {
            name: name.to_owned(),
            members,
        });
        self
    }

    /// Adds a permission set.
    pub fn set(mut self, set: PermissionSetSeed) -> Self {
        self.sets.push(set);
        self
    }

    /// Assigns a permission set to a user or group in an account, and provisions the set there.
    ///
    /// The state of the account does not matter: an account that was closed later keeps its assignments.
    pub fn assign(mut self, principal: PrincipalSeed<'_>, account: &str, set: &str) -> Self {
        let principal = match principal {
            PrincipalSeed::Group(name) => PrincipalText::Name("GROUP", name.to_owned()),
            PrincipalSeed::User(name) => PrincipalText::Name("USER", name.to_owned()),
            PrincipalSeed::GroupId(id) => PrincipalText::Id("GROUP", id.to_owned()),
            PrincipalSeed::UserId(id) => PrincipalText::Id("USER", id.to_owned()),
        };
        let principal = self.principals.index(principal);
        self.push(account, set, RowKind::Assigned(principal))
    }

    /// Provisions a permission set to an account, without an assignment.
    pub fn provision(self, account: &str, set: &str) -> Self {
        self.push(account, set, RowKind::Provisioned)
    }

    /// Provisions an earlier version of a permission set to an account, so that the account is behind.
    pub fn outdated(self, account: &str, set: &str) -> Self {
        self.push(account, set, RowKind::Outdated)
    }

    /// Returns whether the estate has nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.groups.is_empty()
            && self.sets.is_empty()
            && self.rows.is_empty()
    }

    fn push(mut self, account: &str, set: &str, kind: RowKind) -> Self {
        let row = Row {
            account: self.accounts.index(account.to_owned()),
            set: self.set_names.index(set.to_owned()),
            kind,
        };
        self.rows.push(row);
        self
    }
}

/// The user or group of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalSeed<'a> {
    /// The group of the estate with this name.
    Group(&'a str),
    /// The user of the estate with this user name.
    User(&'a str),
    /// A group by its id. The group need not exist: AWS keeps the assignments of deleted groups.
    GroupId(&'a str),
    /// A user by its id. The user need not exist: AWS keeps the assignments of deleted users.
    UserId(&'a str),
}

/// A permission set.
///
/// A caller that fills in fields ends with [`PermissionSetSeed::new`], because later versions may add fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSetSeed {
    /// The name, of at most 32 letters, digits and `+=,.@_-`.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The session duration in ISO 8601; default: `PT1H`.
    pub session_duration: String,
    /// The URL at which a console session starts.
    pub relay_state: Option<String>,
    /// The AWS managed policies, by path and name, such as `job-function/ViewOnlyAccess`.
    pub managed_policies: Vec<String>,
    /// The customer managed policies, by path and name, such as `/ops/BreakGlass`.
    pub customer_managed_policies: Vec<String>,
    /// The inline policy.
    pub inline_policy: Option<String>,
    /// The permissions boundary.
    pub permissions_boundary: Option<BoundarySeed>,
    /// The tags.
    pub tags: Vec<(String, String)>,
}

/// The policy that is the permissions boundary of a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundarySeed {
    /// An AWS managed policy, by path and name, such as `job-function/ViewOnlyAccess`.
    Managed(String),
    /// A customer managed policy, by path and name, such as `/ops/Limit`.
    Customer(String),
}

impl PermissionSetSeed {
    /// Creates a permission set with a session duration of an hour and no policies.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            session_duration: "PT1H".to_owned(),
            relay_state: None,
            managed_policies: Vec::new(),
            customer_managed_policies: Vec::new(),
            inline_policy: None,
            permissions_boundary: None,
            tags: Vec::new(),
        }
    }

    /// Attaches an AWS managed policy, by path and name.
    #[must_use]
    pub fn with_managed_policy(mut self, name: &str) -> Self {
        self.managed_policies.push(name.to_owned());
        self
    }

    /// Attaches a customer managed policy, by path and name.
    #[must_use]
    pub fn with_customer_managed_policy(mut self, name: &str) -> Self {
        self.customer_managed_policies.push(name.to_owned());
        self
    }

    /// Sets the inline policy.
    #[must_use]
    pub fn with_inline_policy(mut self, document: &str) -> Self {
        self.inline_policy = Some(document.to_owned());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// A group of the identity store.
#[derive(Clone, Debug)]
pub(crate) struct GroupSeed {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
}

/// A pair of account and permission set, with the principal of an assignment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) account: u32,
    pub(crate) set: u32,
    pub(crate) kind: RowKind,
}

/// The effect of a row on its pair.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowKind {
    /// The pair is provisioned, and the principal with this index is assigned.
    Assigned(u32),
    /// The pair is provisioned.
    Provisioned,
    /// The pair is provisioned with an earlier version of the permission set.
    Outdated,
}

/// The user or group of an assignment, by name or by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PrincipalText {
    Name(&'static str, String),
    Id(&'static str, String),
}

/// Distinct values, which rows refer to by their index.
#[derive(Clone, Debug)]
pub(crate) struct Distinct<T> {
    pub(crate) values: Vec<T>,
    indexes: HashMap<T, u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            indexes: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    fn index(&mut self, value: T) -> u32 {
        if let Some(index) = self.indexes.get(&value) {
            return *index;
        }
        let index = u32::try_from(self.values.len()).expect("fewer than 2^32 values");
        self.values.push(value.clone());
        self.indexes.insert(value, index);
        index
    }
}
