//! Companies whose access exists when the sandbox starts.

use clap::ValueEnum;
use sandbox::{
    AccountSeed, AccountState, Company, PermissionSetSeed, Person, PersonStatus, PrincipalSeed,
};

/// The access that exists when the sandbox starts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Access {
    /// A few assignments in every state: a disabled user, closed accounts, deleted users and groups, a group without members.
    States,
    /// 50,000 rows: 2,000 users in 40 groups, with 20 permission sets in 200 accounts.
    Large,
}

impl Access {
    pub(crate) fn company(self) -> Company {
        match self {
            Self::States => states(),
            Self::Large => large(),
        }
    }
}

/// Some names contain quotes, HTML, a formula or Hebrew, as names of users and groups can.
fn states() -> Company {
    const SCRIPT: &str = "</script><script>document.title='taken'</script>";
    let disabled = Person::new("grace.hopper@example.com", "Grace", "Hopper");
    Company::empty()
        .account(AccountSeed::new(
            "200000000001",
            "Web Shop",
            "Workloads/Production",
        ))
        .account(AccountSeed::new(
            "200000000002",
            "Web Shop (test)",
            "Workloads/Test",
        ))
        .account(
            AccountSeed::new("200000000003", "Old Data Lake", "Suspended")
                .with_state(AccountState::Closed),
        )
        .account(AccountSeed::new(
            "200000000004",
            "O'Hara \"quotes\" & <b>more</b>",
            "Workloads",
        ))
        .estate(|estate| {
            estate
                .user(Person::new("ada.lovelace@example.com", "Ada", "Lovelace"))
                .user(Person::new("alan.turing@example.com", "Alan", "Turing"))
                .user(disabled.with_status(PersonStatus::Suspended))
                .user(Person::new("=cmd@example.com", "Formula", "User"))
                .user(Person::new(
                    "\u{5d0}\u{5d1}\u{5d2}@example.com",
                    "Hebrew",
                    "User",
                ))
                .group(
                    "deployers",
                    [
                        "ada.lovelace@example.com",
                        "grace.hopper@example.com",
                        "\u{5d0}\u{5d1}\u{5d2}@example.com",
                    ],
                )
                .group(
                    "\u{5de}\u{5e0}\u{5d4}\u{5dc}\u{5d9}\u{5dd}",
                    ["alan.turing@example.com"],
                )
                .group(
                    "auditors of a long name that does not fit into a column of the table",
                    ["=cmd@example.com"],
                )
                .group(SCRIPT, ["alan.turing@example.com"])
                .group::<&str>("newcomers", [])
                .set(
                    PermissionSetSeed::new("AdministratorAccess")
                        .with_managed_policy("AdministratorAccess"),
                )
                .set(PermissionSetSeed::new("Deploy").with_managed_policy("PowerUserAccess"))
                .set(PermissionSetSeed::new("ReadOnly").with_managed_policy("ReadOnlyAccess"))
                .assign(
                    PrincipalSeed::User("ada.lovelace@example.com"),
                    "111122223333",
                    "AdministratorAccess",
                )
                .assign(
                    PrincipalSeed::User("grace.hopper@example.com"),
                    "200000000001",
                    "ReadOnly",
                )
                .assign(PrincipalSeed::Group("deployers"), "200000000001", "Deploy")
                .assign(PrincipalSeed::Group("deployers"), "200000000002", "Deploy")
                .assign(PrincipalSeed::Group("deployers"), "200000000003", "Deploy")
                .assign(
                    PrincipalSeed::Group("\u{5de}\u{5e0}\u{5d4}\u{5dc}\u{5d9}\u{5dd}"),
                    "200000000004",
                    "AdministratorAccess",
                )
                .assign(
                    PrincipalSeed::Group(
                        "auditors of a long name that does not fit into a column of the table",
                    ),
                    "200000000001",
                    "ReadOnly",
                )
                .assign(PrincipalSeed::Group(SCRIPT), "200000000004", "ReadOnly")
                .assign(
                    PrincipalSeed::Group("newcomers"),
                    "200000000002",
                    "ReadOnly",
                )
                .assign(
                    PrincipalSeed::UserId("90000000-1111-2222-3333-000000000001"),
                    "200000000001",
                    "AdministratorAccess",
                )
                .assign(
                    PrincipalSeed::GroupId("90000000-1111-2222-3333-000000000002"),
                    "200000000002",
                    "AdministratorAccess",
                )
        })
}

fn large() -> Company {
    const GROUPS: usize = 10;
    const MEMBERS: usize = 200;
    const ACCOUNTS: usize = 200;
    const SETS: usize = 20;
    let user = |number: usize| format!("person.{number:05}@example.com");
    let account = |number: usize| format!("3{number:011}");
    let set = |number: usize| format!("Role{number:02}");
    let mut company = Company::empty();
    for number in 0..ACCOUNTS {
        let unit = ["Workloads/Production", "Workloads/Test", "Sandboxes"][number % 3];
        let name = format!("Workload {number:04}");
        company = company.account(AccountSeed::new(&account(number), &name, unit));
    }
    company.estate(|mut estate| {
        for number in 0..GROUPS * MEMBERS {
            estate = estate.user(Person::new(
                &user(number),
                "Person",
                &format!("{number:05}"),
            ));
        }
        for number in 0..SETS {
            estate = estate.set(PermissionSetSeed::new(&set(number)));
        }
        for group in 0..GROUPS {
            let name = format!("team-{group:02}");
            let members = (0..MEMBERS).map(|member| user(group * MEMBERS + member));
            estate = estate.group(&name, members);
            // 25 assignments a group: 10 groups of 200 members have 50,000 rows.
            for number in 0..25 {
                let (place, role) = ((group * 5 + number * 8) % ACCOUNTS, (group + number) % SETS);
                let principal = PrincipalSeed::Group(&name);
                estate = estate.assign(principal, &account(place), &set(role));
            }
        }
        estate
    })
}
