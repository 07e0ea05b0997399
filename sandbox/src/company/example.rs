//! The predefined companies.

use super::{AccountSeed, Company, Person, PersonStatus, Team};

/// Creates a company of 40 people, 6 groups and 12 accounts. AWS would reject four of the people.
pub(super) fn analytical() -> Company {
    let mut people: Vec<Person> = PEOPLE.lines().map(employee).collect();
    let members = |is_member: &dyn Fn(&str, &str) -> bool| -> Vec<String> {
        let is_member = |person: &&Person| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            is_member(&text(&person.department), &text(&person.title))
        };
        let found = people.iter().filter(is_member);
        found.map(|person| person.login.clone()).collect()
    };
    let admins = members(&|department, _| department == "Platform");
    let developers = members(&|department, _| department == "Engineering");
    let auditors = members(&|department, title| department == "Security" || title == "Controller");
    let users = [&admins[..], &developers, &auditors].concat();
    let finance = members(&|department, _| department == "Finance");
    let team = |name: &str, description: &str, members: Vec<String>| Team {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        members,
        directory: None,
    };
    let contractors = vec!["ida.rhodes@example.com".to_owned()];
    let teams = vec![
        team("aws-users", "Everyone who may sign in to AWS", users),
        team(
            "aws-platform-admins",
            "Administrators of every account",
            admins,
        ),
        team("aws-developers", "Developers in their accounts", developers),
        team("aws-auditors", "Readers of every account", auditors),
        team("finance", "The finance department", finance),
        team("contractors", "People who are not employed", contractors),
    ];
    people.extend(imperfect());
    Company {
        people,
        teams,
        accounts: accounts(),
        ..Company::empty()
    }
}

/// Creates a company of any size: numbered people and accounts, and one group with all people.
pub(super) fn numbered(people: usize, accounts: usize) -> Company {
    let mut company = Company::empty();
    for number in 2..=people {
        let login = format!("person.{number:05}@example.com");
        company
            .people
            .push(Person::new(&login, "Person", &format!("Number{number:05}")));
    }
    for number in 2..=accounts {
        let (name, unit) = match number {
            2 => ("Sandbox".to_owned(), "Sandboxes"),
            _ => (format!("Workload {number:04}"), "Workloads"),
        };
        let id = format!("{:012}", 200_000_000_000_u64 + number as u64);
        company.accounts.push(AccountSeed::new(&id, &name, unit));
    }
    let logins: Vec<String> = company
        .people
        .iter()
        .map(|person| person.login.clone())
        .collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    company.team("aws-users", &logins)
}

fn employee(row: &str) -> Person {
    let mut parts = row.splitn(4, ", ").map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (login, name, department, title) = (part(), part(), part(), part());
    let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
    let mut person = Person::new(&format!("{login}@example.com"), first, last);
    person.department = Some(department);
    person.title = Some(title);
    person
}

/// Returns the imperfect users that real orgs also have. None of them is in a group for AWS.
fn imperfect() -> Vec<Person> {
    vec![
        Person::new("charles.wheatstone@example.com", "Charles", "Wheatstone")
            .with_status(PersonStatus::Deprovisioned),
        Person::new("dionysius.lardner@example.com", "Dionysius", "Lardner")
            .with_status(PersonStatus::Suspended),
        Person::new("hypatia@example.com", "Hypatia", ""),
        Person::new("ida.rhodes@example.com", "Ida", "Rhodes")
            .with_display_name("Ida Rhodes; contractor <ext>"),
    ]
}

fn accounts() -> Vec<AccountSeed> {
    vec![
        AccountSeed::new("111122223333", "Management", ""),
        AccountSeed::new("200000000101", "Audit", "Security"),
        AccountSeed::new("200000000102", "Log Archive", "Security"),
        AccountSeed::new("200000000201", "Network", "Infrastructure"),
        AccountSeed::new("200000000202", "Shared Services", "Infrastructure"),
        AccountSeed::new("200000000301", "Web Production", "Workloads/Production"),
        AccountSeed::new("200000000302", "Data Production", "Workloads/Production"),
        AccountSeed::new(
            "200000000303",
            "Payments Production",
            "Workloads/Production",
        ),
        AccountSeed::new("200000000401", "Web Development", "Workloads/Development"),
        AccountSeed::new("200000000402", "Data Development", "Workloads/Development"),
        AccountSeed::new("200000000501", "Sandbox", "Sandboxes"),
        AccountSeed::new("200000000901", "Legacy", "Suspended").suspended(),
    ]
}

/// One line per person: the login before the `@`, the name, the department, the title.
const PEOPLE: &str = "\
ada.lovelace, Ada Lovelace, Platform, Head of Platform
grace.hopper, Grace Hopper, Platform, Platform Engineer
alan.turing, Alan Turing, Platform, Platform Engineer
radia.perlman, Radia Perlman, Platform, Network Engineer
barbara.liskov, Barbara Liskov, Engineering, Principal Engineer
edsger.dijkstra, Edsger Dijkstra, Engineering, Principal Engineer
donald.knuth, Donald Knuth, Engineering, Engineer
frances.allen, Frances Allen, Engineering, Engineer
john.backus, John Backus, Engineering, Engineer
jean.bartik, Jean Bartik, Engineering, Engineer
kathleen.booth, Kathleen Booth, Engineering, Engineer
niklaus.wirth, Niklaus Wirth, Engineering, Engineer
tony.hoare, Tony Hoare, Engineering, Engineer
mary.shaw, Mary Shaw, Engineering, Architect
lynn.conway, Lynn Conway, Engineering, Architect
adele.goldberg, Adele Goldberg, Engineering, Engineer
alonzo.church, Alonzo Church, Engineering, Engineer
robin.milner, Robin Milner, Engineering, Engineer
dennis.ritchie, Dennis Ritchie, Engineering, Engineer
karen.sparckjones, Karen Sparck Jones, Engineering, Search Engineer
claude.shannon, Claude Shannon, Security, Head of Security
dorothy.denning, Dorothy Denning, Security, Security Engineer
joan.clarke, Joan Clarke, Security, Analyst
elizebeth.friedman, Elizebeth Friedman, Security, Analyst
luca.pacioli, Luca Pacioli, Finance, Controller
mary.clarke, Mary Clarke, Finance, Accountant
frank.ramsey, Frank Ramsey, Finance, Treasurer
louis.bachelier, Louis Bachelier, Finance, Analyst
charles.babbage, Charles Babbage, Research, Fellow
george.boole, George Boole, Research, Fellow
augustus.demorgan, Augustus De Morgan, Research, Fellow
emmy.noether, Emmy Noether, Research, Fellow
kurt.goedel, Kurt Gödel, Research, Fellow
mary.somerville, Mary Somerville, People, Head of People
lillian.gilbreth, Lillian Gilbreth, People, Recruiter
florence.nightingale, Florence Nightingale, People, Wellbeing Lead
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_company_has_the_documented_size() {
        let company = analytical();
        assert_eq!(company.people.len(), 40);
        assert_eq!(company.teams.len(), 6);
        assert_eq!(company.accounts.len(), 12);
        assert_eq!(company.teams[0].name, "aws-users");
        assert_eq!(company.teams[0].members.len(), 25);
    }

    #[test]
    fn every_team_member_is_a_person_of_the_company() {
        let company = analytical();
        for login in company.teams.iter().flat_map(|team| &team.members) {
            assert!(
                company.people.iter().any(|person| person.login == *login),
                "{login}"
            );
        }
    }

    #[test]
    fn a_small_company_has_the_requested_number_of_people_and_accounts() {
        let company = numbered(3, 2);
        assert_eq!(company.people.len(), 3);
        assert_eq!(company.accounts.len(), 2);
        assert_eq!(company.accounts[1].name, "Sandbox");
    }
}
