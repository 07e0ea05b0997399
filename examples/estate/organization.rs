//! An organization whose access is as its blueprint says.

use std::fmt::Write as _;

use sandbox::{AccountSeed, Company, PermissionSetSeed, Person, PrincipalSeed, Team};

/// The size of an organization.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    pub(crate) sets: usize,
    pub(crate) groups: usize,
    /// Number of organizational units that have the accounts.
    pub(crate) teams: usize,
}

impl Size {
    pub(crate) const ALL: [Self; 5] = [
        Self::new(12, 3, 6, 3),
        Self::new(50, 10, 20, 5),
        Self::new(200, 30, 60, 10),
        Self::new(1_000, 100, 200, 20),
        Self::new(3_000, 1_500, 4_000, 60),
    ];

    pub(crate) const fn new(accounts: usize, sets: usize, groups: usize, teams: usize) -> Self {
        Self {
            accounts,
            sets,
            groups,
            teams,
        }
    }

    /// Returns the number of users. Each user is in two groups.
    pub(crate) fn users(self) -> usize {
        self.groups * MEMBERS / 2
    }

    /// Returns the number of accounts in a unit. The management account is in the root.
    fn accounts_in(self, team: usize) -> usize {
        (1..self.accounts)
            .filter(|account| account % self.teams == team)
            .count()
    }

    /// Returns the permission sets of a group, as their numbers.
    fn sets_of(self, group: usize) -> [usize; SETS_OF_A_GROUP] {
        [group % self.sets, (group + 1) % self.sets]
    }

    /// Returns the number of assignments of each group.
    pub(crate) fn rows(self) -> impl Iterator<Item = usize> {
        (0..self.groups).map(move |group| SETS_OF_A_GROUP * self.accounts_in(group % self.teams))
    }

    /// Returns the number of assignments of the groups of each user. The same users are in two groups.
    pub(crate) fn rows_of_users(self) -> impl Iterator<Item = usize> {
        let rows: Vec<usize> = self.rows().collect();
        let of_users = rows.chunks(2).map(|groups| groups.iter().sum());
        let of_users: Vec<usize> = of_users.collect();
        of_users.into_iter().flat_map(|rows| [rows; MEMBERS])
    }

    /// Returns the number of accounts of each permission set.
    pub(crate) fn accounts_of_sets(self) -> Vec<usize> {
        let mut teams = vec![std::collections::BTreeSet::new(); self.sets];
        for group in 0..self.groups {
            for set in self.sets_of(group) {
                teams[set].insert(group % self.teams);
            }
        }
        let teams = teams.into_iter();
        teams
            .map(|teams| teams.into_iter().map(|team| self.accounts_in(team)).sum())
            .collect()
    }

    pub(crate) fn set_names(self) -> impl Iterator<Item = String> {
        (0..self.sets).map(set_name)
    }

    /// Returns the company in Okta and in AWS, with the access of its blueprint.
    pub(crate) fn company(self) -> Company {
        self.company_with(true)
    }

    /// Returns the company in Okta and in AWS, without assignments.
    pub(crate) fn company_without_access(self) -> Company {
        self.company_with(false)
    }

    fn company_with(self, assigned: bool) -> Company {
        let mut company = Company::empty();
        let logins: Vec<String> = (0..self.users()).map(login).collect();
        let members = |group: usize| {
            let first = group / 2 * MEMBERS;
            &logins[first..first + MEMBERS]
        };
        company.people = logins
            .iter()
            .map(|login| Person::new(login, "Member", login))
            .collect();
        company.teams = (0..self.groups)
            .map(|group| team(&group_name(group), members(group)))
            .chain([team(ASSIGNED, &logins)])
            .collect();
        company.accounts.extend((1..self.accounts).map(|account| {
            let unit = format!("{UNIT}/{}", unit_name(account % self.teams));
            AccountSeed::new(
                &account_id(account),
                &format!("account-{account:04}"),
                &unit,
            )
        }));
        let people = company.people.clone();
        company.estate(|mut estate| {
            for person in people {
                estate = estate.user(person);
            }
            for group in 0..self.groups {
                estate = estate.group(&group_name(group), members(group));
            }
            for set in 0..self.sets {
                let seed = PermissionSetSeed::new(&set_name(set));
                estate = estate.set(seed.with_managed_policy(POLICY));
            }
            for group in (0..self.groups).filter(|_| assigned) {
                let name = group_name(group);
                for set in self.sets_of(group) {
                    let team = group % self.teams;
                    for account in (1..self.accounts).filter(|id| id % self.teams == team) {
                        let principal = PrincipalSeed::Group(&name);
                        estate = estate.assign(principal, &account_id(account), &set_name(set));
                    }
                }
            }
            estate
        })
    }

    /// Returns the blueprint of the company's access.
    pub(crate) fn blueprint(self) -> String {
        let mut text =
            format!("[provisioning]\nassign_groups = [\"{ASSIGNED}\"]\n[sign_in]\nskip = true\n");
        for set in 0..self.sets {
            let _infallible = writeln!(
                text,
                "[permission_sets.{}]\nmanaged_policies = [\"arn:aws:iam::aws:policy/{POLICY}\"]",
                set_name(set)
            );
        }
        for group in 0..self.groups {
            let sets = self
                .sets_of(group)
                .map(|set| format!("{:?}", set_name(set)));
            let _infallible = writeln!(
                text,
                "[[access]]\ngroups = {{ {} = [{}] }}\naccounts = {{ ou = [\"{UNIT}/{}\"] }}",
                group_name(group),
                sets.join(", "),
                unit_name(group % self.teams)
            );
        }
        text
    }
}

fn team(name: &str, members: &[String]) -> Team {
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    Team::new(name, &members)
}

fn login(user: usize) -> String {
    format!("user.{user:05}@example.com")
}

pub(crate) fn group_name(group: usize) -> String {
    format!("group-{group:04}")
}

fn set_name(set: usize) -> String {
    format!("Set-{set:04}")
}

fn unit_name(team: usize) -> String {
    format!("team-{team:02}")
}

fn account_id(account: usize) -> String {
    format!("3{account:011}")
}

/// The number of users in each group.
const MEMBERS: usize = 10;

/// Each group has these sets in all accounts of a unit.
const SETS_OF_A_GROUP: usize = 2;

/// The group whose members are assigned to the Okta app.
pub(crate) const ASSIGNED: &str = "aws-users";

/// The unit that has the units with the accounts.
const UNIT: &str = "Teams";

/// The policy of each permission set.
const POLICY: &str = "ReadOnlyAccess";
