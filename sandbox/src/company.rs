//! Plain data of a fictional company, whose Okta org and AWS organization the sandbox imitates.

mod estate;
mod example;

pub use estate::{BoundarySeed, Estate, PermissionSetSeed, PrincipalSeed};
pub(crate) use estate::{PrincipalText, RowKind};

/// A fictional company: its people, its Okta groups and its AWS accounts.
///
/// The same company always gets the same ids. A caller that fills in fields ends with
/// `..Company::default()`, because later versions may add fields.
#[derive(Clone, Debug)]
pub struct Company {
    /// The first label of the Okta org's host name: `analytical` of `analytical.okta.com`.
    pub subdomain: String,
    /// The AWS Region in which Identity Center is or will be enabled.
    ///
    /// The organization is in the partition of this Region: `us-gov-west-1` is in `aws-us-gov`, `cn-north-1` in
    /// `aws-cn`.
    pub region: String,
    /// The people, who are the Okta users.
    pub people: Vec<Person>,
    /// The Okta groups, in addition to the built-in group `Everyone`.
    pub teams: Vec<Team>,
    /// The AWS accounts; the first is the management account.
    pub accounts: Vec<AccountSeed>,
    /// The access that exists in Identity Center. If there is any, the sandbox starts with Identity Center enabled.
    pub estate: Estate,
}

/// One Okta user.
///
/// A caller that fills in fields ends with [`Person::new`], because later versions may add fields:
///
/// ```
/// use okta_aws_sandbox::Person;
///
/// let ada = Person {
///     title: Some("Countess".to_owned()),
///     ..Person::new("ada@example.com", "Ada", "Lovelace")
/// };
/// assert_eq!(ada.email, "ada@example.com");
/// ```
#[derive(Clone, Debug)]
pub struct Person {
    /// The login, which has the form of an email address.
    pub login: String,
    /// The primary email address; default: the login.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name. It may be empty, but AWS rejects users without a family name.
    pub last_name: String,
    /// The display name; default: the given name and the family name.
    ///
    /// In a real org, many users have no display name, and AWS then refuses to create them.
    pub display_name: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// Further attributes: names as in Okta, and values.
    pub attributes: Vec<(String, String)>,
    /// The lifecycle status of the user.
    pub status: PersonStatus,
}

/// The lifecycle status of an Okta user (`UserStatus` in Okta's API description).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PersonStatus {
    /// The user can sign in.
    #[default]
    Active,
    /// The user was created and never activated.
    Staged,
    /// The user was activated, and has to set a password or confirm the activation.
    Provisioned,
    /// The user has to reset the password.
    Recovery,
    /// The user has to change the password at the next sign-in.
    PasswordExpired,
    /// The user has exceeded the number of sign-in attempts.
    LockedOut,
    /// The user temporarily cannot sign in.
    Suspended,
    /// The user was deactivated, such as someone that has left the company. Lists do not contain such users.
    Deprovisioned,
    /// A status that Okta may add, such as `"ARCHIVED"`. No operation of the API applies to such a user.
    Other(&'static str),
}

impl PersonStatus {
    /// Returns the name in the API, such as `PASSWORD_EXPIRED`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Recovery => "RECOVERY",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::LockedOut => "LOCKED_OUT",
            Self::Suspended => "SUSPENDED",
            Self::Deprovisioned => "DEPROVISIONED",
            Self::Other(name) => name,
        }
    }
}

/// One Okta group and the logins of its members; a caller that fills in fields ends with [`Team::new`].
#[derive(Clone, Debug)]
pub struct Team {
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The logins of the members.
    pub members: Vec<String>,
    /// The label of the Active Directory instance that the group is imported from; default: none, the group
    /// was created in Okta.
    ///
    /// Only groups that were created in Okta have unique names.
    pub directory: Option<String>,
}

/// One AWS account; a caller that fills in fields ends with [`AccountSeed::new`].
#[derive(Clone, Debug)]
pub struct AccountSeed {
    /// The account id, which has twelve digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The email address of the root user.
    pub email: String,
    /// The organizational unit as a path of names, such as `Workloads/Production`; empty for the root.
    pub unit: String,
    /// The state of the account.
    pub state: AccountState,
    /// The tags of the account in Organizations.
    pub tags: Vec<(String, String)>,
    /// The customer managed policies of the account, by path and name, such as `/ops/BreakGlass`.
    pub policies: Vec<String>,
}

/// The state of an AWS account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// The account can be used.
    #[default]
    Active,
    /// The account is suspended: it is listed, but cannot be used.
    Suspended,
    /// The account is being closed.
    PendingClosure,
    /// The account is closed. It is listed for 90 days, and cannot be used.
    Closed,
    /// The account was created, and cannot be used yet.
    PendingActivation,
}

impl AccountState {
    /// Returns the name in the API, such as `PENDING_CLOSURE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::PendingActivation => "PENDING_ACTIVATION",
        }
    }
}

impl Company {
    /// Creates a company with one administrator, `ada.lovelace@example.com`, and one account.
    ///
    /// Add people, teams and accounts with the methods below, or push them to the fields.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            subdomain: "analytical".to_owned(),
            region: "us-east-1".to_owned(),
            people: vec![Person::new("ada.lovelace@example.com", "Ada", "Lovelace")],
            teams: Vec::new(),
            accounts: vec![AccountSeed::new("111122223333", "Management", "")],
            estate: Estate::default(),
        }
    }

    /// Creates a company of `people` numbered people, all in the group `aws-users`, and `accounts` accounts.
    ///
    /// The first person is always Ada Lovelace. The account after the management account is `Sandbox`.
    #[must_use]
    pub fn small(people: usize, accounts: usize) -> Self {
        example::numbered(people, accounts)
    }

    /// Adds an Okta user.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Adds a customer managed policy to each account so far, by path and name.
    #[must_use]
    pub fn policy_in_accounts(mut self, name: &str) -> Self {
        for account in &mut self.accounts {
            account.policies.push(name.to_owned());
        }
        self
    }

    /// Adds a group whose members are the people with these logins.
    #[must_use]
    pub fn team(mut self, name: &str, members: &[&str]) -> Self {
        self.teams.push(Team::new(name, members));
        self
    }

    /// Adds a group with the same name as other groups may have: it is imported from this Active Directory
    /// instance.
    #[must_use]
    pub fn imported_team(mut self, directory: &str, name: &str, members: &[&str]) -> Self {
        self.teams
            .push(Team::new(name, members).imported_from(directory));
        self
    }

    /// Adds an account.
    #[must_use]
    pub fn account(mut self, account: AccountSeed) -> Self {
        self.accounts.push(account);
        self
    }

    /// Adds users, groups, permission sets and assignments to Identity Center.
    #[must_use]
    pub fn estate(mut self, add: impl FnOnce(Estate) -> Estate) -> Self {
        self.estate = add(self.estate);
        self
    }
}

impl Default for Company {
    /// Creates a company of 40 people, 6 groups and 12 accounts. A few people have imperfect profiles.
    fn default() -> Self {
        example::analytical()
    }
}

impl Person {
    /// Creates an active person. The email address is the login, and the display name is the full name.
    #[must_use]
    pub fn new(login: &str, first_name: &str, last_name: &str) -> Self {
        Self {
            login: login.to_owned(),
            email: login.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            display_name: Some(format!("{first_name} {last_name}").trim().to_owned()),
            department: None,
            title: None,
            attributes: Vec::new(),
            status: PersonStatus::Active,
        }
    }

    /// Sets an attribute by its name in Okta, such as `primaryPhone`.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns an optional attribute by its name in Okta. A further attribute comes before a field of the same name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut further = self.attributes.iter().rev();
        let further = further.find(|(known, _)| known == name);
        let field = match name {
            "department" => self.department.as_deref(),
            "title" => self.title.as_deref(),
            _ => None,
        };
        further.map(|(_, value)| value.as_str()).or(field)
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: PersonStatus) -> Self {
        self.status = status;
        self
    }

    /// Removes the display name.
    #[must_use]
    pub fn without_display_name(mut self) -> Self {
        self.display_name = None;
        self
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_display_name(mut self, name: &str) -> Self {
        self.display_name = Some(name.to_owned());
        self
    }
}

impl Team {
    /// Creates a group whose members are the people with these logins.
    #[must_use]
    pub fn new(name: &str, members: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            members: members.iter().map(|&login| login.to_owned()).collect(),
            directory: None,
        }
    }

    /// Makes the group one that is imported from the Active Directory instance with this label.
    #[must_use]
    pub fn imported_from(mut self, directory: &str) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }
}

impl AccountSeed {
    /// Creates an active account in an organizational unit (empty for the root).
    ///
    /// The email address is derived from the name.
    #[must_use]
    pub fn new(id: &str, name: &str, unit: &str) -> Self {
        let local = name.to_lowercase().replace(' ', "-");
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("aws+{local}@example.com"),
            unit: unit.to_owned(),
            state: AccountState::Active,
            tags: Vec::new(),
            policies: Vec::new(),
        }
    }

    /// Marks the account as suspended.
    #[must_use]
    pub fn suspended(self) -> Self {
        self.with_state(AccountState::Suspended)
    }

    /// Sets the state.
    #[must_use]
    pub fn with_state(mut self, state: AccountState) -> Self {
        self.state = state;
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a customer managed policy, by path and name.
    #[must_use]
    pub fn with_policy(mut self, name: &str) -> Self {
        self.policies.push(name.to_owned());
        self
    }
}
