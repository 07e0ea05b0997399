//! The made-up company whose Okta org and AWS organization the sandbox imitates: plain data.

mod example;

/// Who works for a company, in which groups, and which AWS accounts it has.
///
/// The same company always gets the same ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Company {
    /// The first label of the Okta org's host name: `analytical` of `analytical.okta.com`.
    pub subdomain: String,
    /// The AWS Region in which Identity Center is or will be enabled.
    pub region: String,
    /// The people, as they stand in Okta.
    pub people: Vec<Person>,
    /// The Okta groups, besides the built-in `Everyone`.
    pub teams: Vec<Team>,
    /// The AWS accounts; the first is the management account.
    pub accounts: Vec<AccountSeed>,
}

/// One Okta user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Person {
    /// The login, which has the form of an email address.
    pub login: String,
    /// The primary email address; the login unless set otherwise.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name; may be empty, which AWS does not accept.
    pub last_name: String,
    /// What is shown for the person; often nothing in a real org.
    pub display_name: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// Where in its life the account is.
    pub status: PersonStatus,
}

/// Where in its life an Okta user is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PersonStatus {
    /// Can sign in.
    #[default]
    Active,
    /// Created and never activated.
    Staged,
    /// Cannot sign in for the time being.
    Suspended,
    /// Has left; lists leave such a user out.
    Deprovisioned,
}

/// One Okta group and the logins of its members.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Team {
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The logins of the members.
    pub members: Vec<String>,
}

/// One AWS account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountSeed {
    /// The twelve digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address of the root user.
    pub email: String,
    /// The organizational unit as a path of names, such as `Workloads/Production`; empty for the root.
    pub unit: String,
    /// Whether the account can be used.
    pub state: AccountState,
}

/// Whether an AWS account can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// In use.
    #[default]
    Active,
    /// Suspended: it is listed, and nothing can be done in it.
    Suspended,
}

impl Company {
    /// A company with one administrator, `ada.lovelace@example.com`, and one account.
    ///
    /// People, teams and accounts are pushed to its fields or added by the methods below.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            subdomain: "analytical".to_owned(),
            region: "us-east-1".to_owned(),
            people: vec![Person::new("ada.lovelace@example.com", "Ada", "Lovelace")],
            teams: Vec::new(),
            accounts: vec![AccountSeed::new("111122223333", "Management", "")],
        }
    }

    /// A company of `people` numbered people, all in the group `aws-users`, and `accounts` accounts.
    ///
    /// The first person is always Ada; the account after the management account is `Sandbox`.
    #[must_use]
    pub fn small(people: usize, accounts: usize) -> Self {
        example::numbered(people, accounts)
    }

    /// Adds a person.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Adds a group with the people of these logins in it.
    #[must_use]
    pub fn team(mut self, name: &str, members: &[&str]) -> Self {
        self.teams.push(Team::new(name, members));
        self
    }

    /// Adds an account.
    #[must_use]
    pub fn account(mut self, account: AccountSeed) -> Self {
        self.accounts.push(account);
        self
    }
}

impl Default for Company {
    /// Forty people with a few imperfect ones among them, six groups and twelve accounts.
    fn default() -> Self {
        example::analytical()
    }
}

impl Person {
    /// An active person whose email address is the login, without a display name.
    #[must_use]
    pub fn new(login: &str, first_name: &str, last_name: &str) -> Self {
        Self {
            login: login.to_owned(),
            email: login.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            display_name: None,
            department: None,
            title: None,
            status: PersonStatus::Active,
        }
    }

    /// The same person with another status.
    #[must_use]
    pub fn with_status(mut self, status: PersonStatus) -> Self {
        self.status = status;
        self
    }

    /// The same person with a display name.
    #[must_use]
    pub fn with_display_name(mut self, name: &str) -> Self {
        self.display_name = Some(name.to_owned());
        self
    }
}

impl Team {
    /// A group with the people of these logins in it.
    #[must_use]
    pub fn new(name: &str, members: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            members: members.iter().map(|&login| login.to_owned()).collect(),
        }
    }
}

impl AccountSeed {
    /// An active account in an organizational unit (empty for the root), with an address after its name.
    #[must_use]
    pub fn new(id: &str, name: &str, unit: &str) -> Self {
        let local = name.to_lowercase().replace(' ', "-");
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("aws+{local}@example.com"),
            unit: unit.to_owned(),
            state: AccountState::Active,
        }
    }

    /// The same account, suspended.
    #[must_use]
    pub fn suspended(mut self) -> Self {
        self.state = AccountState::Suspended;
        self
    }
}
