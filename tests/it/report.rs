//! Tests of the access report: its rows, forms and explanations.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sso::{
    Access, AccessQuery, AccessReport, Blueprint, Document, Error,
    access::{AccessRow, AssignmentStatus, OrphanCoverage, ReportLevel},
    aws::estate::{CoverageLevel, Strategy},
    deps::jiff::Timestamp,
};
use sandbox::{
    AccountSeed, AccountState, Company, PermissionSetSeed, Person, PersonStatus, PrincipalSeed,
    Sandbox,
};
use serde_json::Value;

use crate::fixture::{Fixture, SEED, START, TEAM, company};

const DELETED_USER: &str = "90000000-1111-2222-3333-000000000001";
const DELETED_GROUP: &str = "90000000-1111-2222-3333-000000000002";
const SCRIPT: &str = "</script><script>alert(1)</script>";

/// A company with an assignment in every state.
fn states() -> Company {
    let grace = Person::new("grace@example.com", "Grace", "Hopper");
    Company::empty()
        .account(AccountSeed::new(
            "200000000001",
            "Web",
            "Workloads/Production",
        ))
        .account(AccountSeed::new("200000000002", "Old", "").with_state(AccountState::Closed))
        .account(AccountSeed::new("200000000003", "=Twin", "Workloads"))
        .account(AccountSeed::new("200000000004", "=Twin", "Workloads"))
        .estate(|estate| {
            let user = PrincipalSeed::User;
            let group = PrincipalSeed::Group;
            estate
                .user(Person::new("ada@example.com", "Ada", "Lovelace"))
                .user(grace.with_status(PersonStatus::Suspended))
                .user(Person::new("alan@example.com", "Alan", "Turing"))
                .group("deployers", ["ada@example.com", "grace@example.com"])
                .group("+newcomers", [""; 0])
                .group(SCRIPT, ["alan@example.com"])
                .set(PermissionSetSeed::new("Admin"))
                .set(PermissionSetSeed::new("Deploy"))
                .set(PermissionSetSeed::new("ReadOnly"))
                .assign(user("ada@example.com"), "111122223333", "Admin")
                .assign(user("grace@example.com"), "200000000001", "Admin")
                .assign(group("deployers"), "200000000001", "Deploy")
                .assign(group("deployers"), "200000000002", "Deploy")
                .assign(group("+newcomers"), "200000000003", "Deploy")
                .assign(group(SCRIPT), "200000000004", "Deploy")
                .assign(
                    PrincipalSeed::UserId(DELETED_USER),
                    "200000000001",
                    "ReadOnly",
                )
                .assign(
                    PrincipalSeed::GroupId(DELETED_GROUP),
                    "200000000003",
                    "Admin",
                )
        })
}

async fn fixture(company: Company) -> Fixture {
    Fixture::with_sandbox(Sandbox::builder().company(company), SEED).await
}

async fn read(fixture: &Fixture, query: &AccessQuery) -> AccessReport {
    let center = fixture.center().await;
    let report = AccessReport::read_with(&fixture.aws, &center, query, &fixture.clock).await;
    report.expect("a report")
}

fn line(row: &AccessRow<'_>) -> String {
    let (user, path) = (row.user.unwrap_or("-"), row.account_path.unwrap_or("-"));
    let through = row.through();
    format!(
        "{} {path}: {user} {} {through}, {}",
        row.account_id, row.role, row.status
    )
}

/// Returns the rows, sorted within each account.
fn lines(report: &AccessReport) -> Vec<String> {
    let accounts: Vec<&str> = report.rows().map(|row| row.account_id).collect();
    assert!(accounts.is_sorted(), "{accounts:?}");
    let mut lines: Vec<String> = report.rows().map(|row| line(&row)).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_report_shows_each_state_of_access() {
    let fixture = fixture(states()).await;
    let report = read(&fixture, &AccessQuery::full()).await;
    insta::assert_snapshot!(lines(&report).join("\n"), @r"
    111122223333 Root: ada@example.com Admin directly, active
    200000000001 Workloads/Production: 90000000-1111-2222-3333-000000000001 ReadOnly directly, orphan
    200000000001 Workloads/Production: ada@example.com Deploy group deployers, active
    200000000001 Workloads/Production: grace@example.com Admin directly, disabled user
    200000000001 Workloads/Production: grace@example.com Deploy group deployers, disabled user
    200000000002 Root: ada@example.com Deploy group deployers, closed account
    200000000002 Root: grace@example.com Deploy group deployers, closed account
    200000000003 Workloads: - Admin group 90000000-1111-2222-3333-000000000002, orphan
    200000000003 Workloads: - Deploy group +newcomers, group without members
    200000000004 Workloads: alan@example.com Deploy group </script><script>alert(1)</script>, active
    ");
    assert!(report.coverage().is_complete);
    assert_eq!(
        report.read_at(),
        START.parse::<Timestamp>().expect("a time")
    );
}

#[tokio::test]
async fn a_report_says_which_assignments_it_lacks() {
    let company = states().estate(|mut estate| {
        for number in 0..40 {
            let name = format!("person.{number}@example.com");
            estate = estate.user(Person::new(&name, "Person", "Person"));
        }
        estate
    });
    let fixture = fixture(company).await;
    let groups = read(&fixture, &AccessQuery::default()).await;
    let coverage = groups.coverage();
    assert_eq!(
        (
            coverage.is_complete,
            coverage.level,
            coverage.users_not_read
        ),
        (false, ReportLevel::Groups, 43)
    );
    assert!(
        coverage
            .text
            .contains("not the direct assignments of 43 users"),
        "{}",
        coverage.text
    );
    let full = read(&fixture, &AccessQuery::full()).await;
    assert_eq!(
        (full.coverage().is_complete, full.coverage().level),
        (true, ReportLevel::Full)
    );

    let mut query = AccessQuery::default();
    (query.members, query.provisioned) = (false, false);
    let partial = read(&fixture, &query).await;
    let coverage = partial.coverage();
    assert!(
        !coverage.is_complete && !coverage.members && coverage.orphans == OrphanCoverage::NotRead
    );
    assert!(
        coverage
            .text
            .contains("members of the groups were not read"),
        "{}",
        coverage.text
    );
    assert!(
        coverage
            .text
            .contains("deleted users and groups were not read"),
        "{}",
        coverage.text
    );
    let unknown = partial.rows().filter(|row| row.user.is_none());
    assert!(
        unknown.count() >= 4,
        "a group whose members were not read has a row"
    );
}

#[tokio::test]
async fn a_sweep_shows_an_orphan_whose_role_another_group_has_in_the_account() {
    let account = "111122223333";
    let company = company().estate(|estate| {
        estate
            .group("deployers", [""; 0])
            .set(PermissionSetSeed::new("Deploy"))
            .set(PermissionSetSeed::new("Admin"))
            .assign(PrincipalSeed::Group("deployers"), account, "Deploy")
            .assign(PrincipalSeed::UserId(DELETED_USER), account, "Deploy")
    });
    let fixture = fixture(company).await;
    let orphans = |report: &AccessReport| {
        let rows = report.rows();
        let orphans = rows.filter(|row| row.status == AssignmentStatus::Orphan);
        (report.coverage().orphans, orphans.count())
    };
    let mut query = AccessQuery::default();
    let found = orphans(&read(&fixture, &query).await);
    assert_eq!(found, (OrphanCoverage::Alone, 0));
    query.sweep = true;
    let found = orphans(&read(&fixture, &query).await);
    assert_eq!(found, (OrphanCoverage::All, 1));

    // A pipeline reads again what it has read without a sweep.
    let (fixture, _) = joined().await;
    let pipeline = fixture.pipeline();
    for (sweep, strategy) in [(false, Strategy::ByPrincipal), (true, Strategy::ByPair)] {
        query.sweep = sweep;
        let access = pipeline.access(&query).await.expect("the access");
        assert_eq!(access.table().coverage().strategy, strategy);
    }
}

#[tokio::test]
async fn a_report_of_a_user_has_the_own_assignments_if_the_query_names_the_user() {
    let company = states().estate(|mut estate| {
        for number in 0..40 {
            let name = format!("person.{number}@example.com");
            estate = estate.user(Person::new(&name, "Person", "Person"));
        }
        // A pair that a group has too, so that nothing else finds the assignment of the user.
        estate.assign(
            PrincipalSeed::User("alan@example.com"),
            "200000000001",
            "Deploy",
        )
    });
    let fixture = fixture(company).await;
    let without = read(&fixture, &AccessQuery::default()).await;
    let without = without.of_user("Alan@example.com").expect("a user");
    assert_eq!(lines(&without).len(), 1);
    assert!(!without.coverage().is_complete);
    assert!(
        without
            .explain()
            .to_string()
            .contains("the direct assignments of alan@example.com were not read")
    );

    let mut query = AccessQuery::default();
    query.users.push("alan@example.com".to_owned());
    let report = read(&fixture, &query).await;
    let report = report.of_user("alan@example.com").expect("a user");
    assert_eq!(
        lines(&report),
        [
            "200000000001 Workloads/Production: alan@example.com Deploy directly, active",
            &format!("200000000004 Workloads: alan@example.com Deploy group {SCRIPT}, active"),
        ]
    );
    assert!(report.coverage().is_complete, "{:?}", report.coverage());
}

#[tokio::test]
async fn a_report_of_a_user_has_no_other_member_of_the_users_groups() {
    let fixture = fixture(states()).await;
    let report = read(&fixture, &AccessQuery::full()).await;
    let report = report.of_user("ada@example.com").expect("a user");
    assert_eq!(
        lines(&report),
        [
            "111122223333 Root: ada@example.com Admin directly, active",
            "200000000001 Workloads/Production: ada@example.com Deploy group deployers, active",
            "200000000002 Root: ada@example.com Deploy group deployers, closed account",
        ]
    );
    let both = report.of_account("Web").expect("an account");
    assert_eq!(lines(&both).len(), 1);
}

#[tokio::test]
async fn a_name_that_matches_nothing_is_an_error_with_the_nearest_names() {
    let fixture = fixture(states()).await;
    let report = read(&fixture, &AccessQuery::full()).await;
    let text = |found: Result<AccessReport, Error>| found.expect_err("an error").explain();
    let error = text(report.clone().of_user("AD@example.com"));
    assert!(
        error.contains("no user AD@example.com") && error.contains("`ada@example.com`"),
        "{error}"
    );
    let error = text(report.clone().of_account("web"));
    assert!(
        error.contains("no account web") && error.contains("did you mean `Web`"),
        "{error}"
    );
    let error = text(report.clone().of_account("999999999999"));
    assert!(error.contains("no account 999999999999"), "{error}");
    let error = text(report.clone().of_account("=Twin"));
    assert!(error.contains("2 accounts have the name =Twin"), "{error}");
    assert!(error.contains("200000000003, 200000000004"), "{error}");

    // The ids of what AWS no longer has are names too.
    let deleted = report.of_user(DELETED_USER).expect("a user");
    assert_eq!(
        lines(&deleted),
        [format!(
            "200000000001 Workloads/Production: {DELETED_USER} ReadOnly directly, orphan"
        )]
    );
}

/// The facts of a row that every form has.
type Cells = [String; 9];

fn cells(row: &AccessRow<'_>) -> Cells {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        text(row.user),
        row.account.to_owned(),
        row.account_id.to_owned(),
        text(row.account_path),
        row.account_state
            .map_or(String::new(), |state| String::from(state.clone())),
        row.role.to_owned(),
        text(row.group),
        row.status.to_string(),
        row.entries.to_string(),
    ]
}

fn all_cells(report: &AccessReport) -> Vec<Cells> {
    report.rows().map(|row| cells(&row)).collect()
}

/// Returns the cells of a row in JSON.
fn json_cells(row: &Value) -> Cells {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let status = match row["status"].as_str().expect("a status") {
        "no-members" => "group without members".to_owned(),
        status => status.replace('-', " "),
    };
    let entries = row["entries"].as_array().cloned().unwrap_or_default();
    let entries: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
    [
        text("user"),
        text("account"),
        text("account_id"),
        text("account_path"),
        text("account_state"),
        text("role"),
        text("group"),
        status,
        entries.join(", "),
    ]
}

/// Returns the reports of a company without a blueprint and of one with a blueprint.
async fn reports() -> [AccessReport; 2] {
    let fixture = fixture(states()).await;
    let states = read(&fixture, &AccessQuery::full()).await;
    [states, joined().await.1]
}

#[tokio::test]
async fn the_csv_has_the_rows_the_coverage_and_no_formula() {
    for report in reports().await {
        let mut out = Vec::new();
        report.write_csv(&mut out).expect("memory");
        let mut reader = csv::Reader::from_reader(&*out);
        let header = reader.headers().expect("a header").clone();
        let header: Vec<&str> = header.iter().collect();
        let columns = [
            "user",
            "account",
            "account_id",
            "account_path",
            "account_state",
            "role",
            "through",
            "group",
            "status",
            "entries",
            "read_at",
            "coverage",
        ];
        assert_eq!(header, columns);
        let mut found = Vec::new();
        for record in reader.records() {
            let record = record.expect("a record");
            assert!(
                record
                    .iter()
                    .all(|cell| !cell.starts_with(['=', '+', '-', '@'])),
                "{record:?}"
            );
            let through = if record[7].is_empty() {
                "directly"
            } else {
                "group"
            };
            assert_eq!(
                (&record[6], &record[10], &record[11]),
                (through, START, "full")
            );
            let cells = [0, 1, 2, 3, 4, 5, 7, 8, 9].map(|index| {
                let cell = &record[index];
                cell.strip_prefix('\'').unwrap_or(cell).to_owned()
            });
            found.push(cells);
        }
        assert_eq!(found, all_cells(&report));
    }
}

#[tokio::test]
async fn json_and_json_lines_have_the_rows_and_the_coverage() {
    for report in reports().await {
        let access = Access {
            portal_url: None,
            report: &report,
        };
        let mut out = Vec::new();
        access.write_json(&mut out).expect("memory");
        let json: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(
            json.to_string(),
            serde_json::from_str::<Value>(&Document::access(&access).to_string())
                .expect("JSON")
                .to_string()
        );
        assert_eq!(
            (&json["type"], &json["read_at"]),
            (&"access".into(), &START.into())
        );
        assert_eq!(
            (&json["coverage"]["level"], &json["coverage"]["is_complete"]),
            (&"full".into(), &true.into())
        );
        let rows = json["rows"].as_array().expect("rows").iter();
        assert_eq!(rows.map(json_cells).collect::<Vec<_>>(), all_cells(&report));

        let mut out = Vec::new();
        access.write_json_lines(&mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let header = lines.next().expect("a header");
        assert_eq!(
            (&header["type"], &header["read_at"]),
            (&"access-header".into(), &START.into())
        );
        assert_eq!(header["coverage"], json["coverage"]);
        let rows = lines.inspect(|row| assert_eq!(row["type"], "access-row"));
        assert_eq!(
            rows.map(|row| json_cells(&row)).collect::<Vec<_>>(),
            all_cells(&report)
        );
    }
}

/// Reads the numbers of the page: 7 bits a byte, the lowest first.
struct Numbers(std::vec::IntoIter<u8>);

impl Numbers {
    fn new(text: &Value) -> Self {
        let bytes = STANDARD.decode(text.as_str().expect("base64"));
        Self(bytes.expect("base64").into_iter())
    }

    fn next(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.0.next().expect("a byte");
            number |= usize::from(byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                return number;
            }
        }
    }

    fn after(&mut self, last: &mut usize) -> usize {
        let code = self.next();
        *last = match code % 2 {
            0 => *last + code / 2,
            _ => *last - code.div_ceil(2),
        };
        *last
    }
}

/// Returns the rows of the page, as the browser derives them.
fn page_cells(data: &Value) -> Vec<Cells> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = data["groups"].as_array().expect("groups");
    let mut numbers = Numbers::new(&data["assignments"]["data"]);
    let (mut account, mut principal) = (0, 0);
    let mut rows = Vec::new();
    for _ in 0..data["assignments"]["count"].as_u64().expect("a number") {
        let place = &data["accounts"][numbers.after(&mut account)];
        let one = numbers.after(&mut principal);
        let role = &data["roles"][numbers.next()];
        let status = numbers.next();
        let entries = &data["entries"][numbers.next()];
        let entries = entries.as_array().expect("entries").iter();
        let entries = entries.map(|entry| text(&data["places"][index(entry)]));
        let entries = entries.collect::<Vec<_>>().join(", ");
        let group = groups.get(one);
        let people = match group {
            None => vec![Some(one - groups.len())],
            Some(group) => {
                let size = group[1].as_u64().unwrap_or(0);
                let mut members = (size > 0).then(|| Numbers::new(&group[2]));
                let mut last = 0;
                let members =
                    (0..size).map(|_| Some(members.as_mut().expect("numbers").after(&mut last)));
                let members: Vec<_> = members.collect();
                if members.is_empty() {
                    vec![None]
                } else {
                    members
                }
            }
        };
        for person in people {
            let person = person.map(|person| &data["people"][person]);
            let own = person.map(|person| index(&person[1]));
            let status = if status == 0 {
                own.unwrap_or(0)
            } else {
                status
            };
            let name = if place[1].is_null() {
                &place[0]
            } else {
                &place[1]
            };
            rows.push([
                person.map_or(String::new(), |person| text(&person[0])),
                text(name),
                text(&place[0]),
                text(&place[2]),
                text(&place[3]),
                text(role),
                group.map_or(String::new(), |group| text(&group[0])),
                text(&data["statuses"][status][1]),
                entries.clone(),
            ]);
        }
    }
    rows
}

#[tokio::test]
async fn the_page_has_the_same_rows_in_one_file() {
    let [states, joined] = reports().await;
    let narrowed = states.clone().of_user("ada@example.com").expect("a user");
    for report in [states, joined, narrowed] {
        let mut out = Vec::new();
        report.write_html(&mut out).expect("memory");
        let page = String::from_utf8(out).expect("UTF-8");
        let data = page.split_once(r#"id="data">"#).expect("data").1;
        let data = data.split_once("</script>").expect("its end").0;
        let data: Value = serde_json::from_str(data).expect("JSON");
        let sorted = |mut rows: Vec<Cells>| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(page_cells(&data)), sorted(all_cells(&report)));
        assert_eq!(data["read_at"], START);
        assert_eq!(data["coverage"]["level"], "full");
        assert_eq!(page.matches("<script").count(), 2, "a name is a script");
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}

/// A blueprint with two entries for one assignment.
fn overlapping() -> String {
    format!("{TEAM}\n[[access]]\ngroups = {{ deployers = \"Deploy\" }}\naccounts = [\"Sandbox\"]\n")
}

/// Returns the report of a company that a blueprint has joined, with one assignment of another origin.
async fn joined() -> (Fixture, AccessReport) {
    let mut fixture = Fixture::new(TEAM).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("company.toml");
    #[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
    std::fs::write(&path, overlapping()).expect("a file");
    fixture.blueprint = Blueprint::load(&path).expect("a blueprint");
    fixture.run().await.expect("a run");
    let by_hand = fixture.assignment("ada.lovelace@example.com", "Deploy", "Management");
    fixture.change_assignment(&by_hand.await, true).await;
    let mut query = AccessQuery::default();
    query.level = CoverageLevel::Full;
    let access = fixture.pipeline().access(&query).await.expect("access");
    let report = AccessReport::new(access, START.parse().expect("a time"));
    (fixture, report)
}

#[tokio::test]
async fn an_explanation_names_the_path_and_the_line_of_the_blueprint() {
    let (_fixture, report) = joined().await;
    let person = report.clone().of_user("person.00002@example.com");
    let folder = regex::Regex::new(r"\(\S*company\.toml").expect("a pattern");
    let text = |report: AccessReport| {
        folder
            .replace_all(&report.explain().to_string(), "(company.toml")
            .into_owned()
    };
    insta::assert_snapshot!(text(person.expect("a user")), @r"
    person.00002@example.com
      Sandbox (200000000002)
        Deploy group deployers: access[1] (company.toml:16), access[2] (company.toml:21)
      Workload 0003 (200000000003)
        Deploy group deployers: access[1] (company.toml:16)
    Read on 2026-11-24T09:00:00Z: all assignments of person.00002@example.com were read
    ");
    let ada = report.clone().of_user("ada.lovelace@example.com");
    insta::assert_snapshot!(text(ada.expect("a user")), @r"
    ada.lovelace@example.com
      Management (111122223333)
        Deploy directly: no entry of the blueprint
      Sandbox (200000000002)
        AdministratorAccess directly: access[0] (company.toml:11)
    Read on 2026-11-24T09:00:00Z: all assignments of ada.lovelace@example.com were read
    ");
    insta::assert_snapshot!(text(report.of_account("Sandbox").expect("an account")), @r"
    Sandbox (200000000002)
      ada.lovelace@example.com
        AdministratorAccess directly: access[0] (company.toml:11)
      person.00002@example.com
        Deploy group deployers: access[1] (company.toml:16), access[2] (company.toml:21)
      person.00003@example.com
        Deploy group deployers: access[1] (company.toml:16), access[2] (company.toml:21)
    Read on 2026-11-24T09:00:00Z: the assignments of all groups and users were read; an assignment of a deleted user or group is shown if its role has no other assignment in the account (a sweep shows all)
    ");
}

/// Returns a number of the page as an index.
fn index(value: &Value) -> usize {
    let number = value.as_u64().and_then(|number| number.try_into().ok());
    number.expect("an index")
}
