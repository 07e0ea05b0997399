//! The access report as one HTML page without other files.
//!
//! The page has tables of the people, groups, accounts and roles, and the assignments as numbers. The browser derives the rows,
//! so that 400,000 assignments, which can be millions of rows, take about 4 MB.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    io::{self, Write},
    sync::LazyLock,
};

use aws_sso_glue::{AccountId, GroupId, PermissionSetArn, Principal, UserId};
use base64::{engine::general_purpose::STANDARD, write::EncoderWriter};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{AssignmentStatus, report::AccessReport};

const TEMPLATE: &str = include_str!("report.html");

/// The page up to its data and after its data, with the policy filled in.
static PAGE: LazyLock<(String, &str)> = LazyLock::new(|| {
    let (before, after) = TEMPLATE
        .split_once("@DATA@")
        .expect("the template has data");
    (before.replace("@POLICY@", &policy()), after)
});

/// Returns a policy that allows this style and this script, and no request.
fn policy() -> String {
    let hash = |tag: &str| {
        let (_, text) = TEMPLATE
            .split_once(&format!("<{tag}>"))
            .expect("the element");
        let (text, _) = text.split_once(&format!("</{tag}>")).expect("its end");
        let hash = Sha256::digest(text);
        format!("'sha256-{}'", base64::Engine::encode(&STANDARD, hash))
    };
    format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash("style"),
        hash("script"),
    )
}

/// The states of an assignment, in the order of their numbers.
const STATUSES: [AssignmentStatus; 5] = [
    AssignmentStatus::Active,
    AssignmentStatus::DisabledUser,
    AssignmentStatus::ClosedAccount,
    AssignmentStatus::Orphan,
    AssignmentStatus::NoMembers,
];

impl AccessReport {
    /// Writes one HTML page that shows the rows, with filters.
    ///
    /// The page needs no other file and no network, and its content security policy forbids requests. It has the names and
    /// the assignments, about 10 bytes for each, and not the rows.
    ///
    /// # Errors
    ///
    /// Fails if `out` fails.
    pub fn write_html(&self, mut out: impl io::Write) -> io::Result<()> {
        let (before, after) = &*PAGE;
        out.write_all(before.as_bytes())?;
        self.write_data(&mut InScript(&mut out))?;
        out.write_all(after.as_bytes())?;
        out.flush()
    }

    fn write_data(&self, out: &mut impl io::Write) -> io::Result<()> {
        let tables = Tables::new(self);
        let snapshot = self.snapshot();
        let organization = snapshot.organization();
        let user = self.only_user().map(ToOwned::to_owned);
        let account = self.only_account().map(|id| {
            let account = organization.account(id);
            let name = account.and_then(|account| account.name.as_deref());
            name.map_or(id.to_string(), |name| format!("{name} ({id})"))
        });
        let statuses = STATUSES.map(|status| json!([status, status.to_string()]));
        let head = json!({
            "format": 0,
            "read_at": self.read_at(),
            "coverage": self.coverage(),
            "blueprint": snapshot.has_blueprint(),
            "only": user.into_iter().chain(account).collect::<Vec<_>>(),
            "statuses": statuses,
            "places": snapshot.places(),
        });
        // The object of the head stays open.
        let head = head.to_string();
        out.write_all(&head.as_bytes()[..head.len() - 1])?;
        write_list(out, "people", tables.people.values.iter(), |id| {
            json!([self.user_name(id), number(self.user_status(id))])
        })?;
        write_list(out, "groups", tables.groups.values.iter(), |id| {
            let name = self.group_name(id);
            match snapshot.members(id) {
                None if snapshot.principals().group(id).is_some() => json!([name, null, null]),
                _ => {
                    let (size, members) = tables.encoded_members(id);
                    json!([name, size, members])
                }
            }
        })?;
        write_list(out, "accounts", tables.accounts.values.iter(), |id| {
            let account = organization.account(id);
            let name = account.and_then(|account| account.name.as_deref());
            let path = account.and_then(|account| self.path(account));
            let state = account.map(|account| &account.state);
            json!([id, name, path, state])
        })?;
        write_list(out, "roles", tables.roles.values.iter(), |arn| {
            json!(snapshot.permission_set_name(arn))
        })?;
        self.write_assignments(out, &tables)?;
        out.write_all(b"}")
    }

    /// Writes the assignments as numbers, five each: the differences of the account and of the principal to the assignment
    /// before it, the role, the status, and the list of entries.
    fn write_assignments(&self, out: &mut impl io::Write, tables: &Tables<'_>) -> io::Result<()> {
        // Lists of entries have numbers in the order of their first use. The list 0 is empty.
        let mut entries: HashMap<&[usize], u64> = HashMap::from([(&[][..], 0)]);
        let mut lists: Vec<&[usize]> = vec![&[]];
        out.write_all(br#","assignments":{"data":""#)?;
        let mut encoder = EncoderWriter::new(&mut *out, &STANDARD);
        let (mut count, mut account, mut principal) = (0_u64, 0, 0);
        let mut bytes = Vec::new();
        for assignment in self.assignments() {
            let next = tables.accounts.number(assignment.account_id);
            push_difference(&mut bytes, &mut account, next);
            let next = match assignment.principal {
                Principal::Group(id) => tables.groups.number(id),
                Principal::User(id) => tables.groups.len() + tables.people.number(id),
            };
            push_difference(&mut bytes, &mut principal, next);
            push(
                &mut bytes,
                tables.roles.number(assignment.permission_set_arn),
            );
            push(&mut bytes, number(assignment.status));
            let list = *entries.entry(assignment.entries).or_insert_with(|| {
                lists.push(assignment.entries);
                lists.len() as u64 - 1
            });
            push(&mut bytes, list);
            encoder.write_all(&bytes)?;
            bytes.clear();
            count += 1;
        }
        encoder.finish()?;
        drop(encoder);
        write!(out, r#"","count":{count}}},"entries":"#)?;
        out.write_all(json!(lists).to_string().as_bytes())
    }
}

/// The distinct values of the assignments, with their numbers in the page.
struct Tables<'a> {
    people: Table<'a, UserId>,
    groups: Table<'a, GroupId>,
    accounts: Table<'a, AccountId>,
    roles: Table<'a, PermissionSetArn>,
    /// The members of the groups whose members are shown.
    members: HashMap<&'a GroupId, &'a [UserId]>,
}

impl<'a> Tables<'a> {
    fn new(report: &'a AccessReport) -> Self {
        let organization = report.snapshot().organization();
        let (mut people, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let (mut accounts, mut roles) = (BTreeSet::new(), BTreeSet::new());
        let mut members = HashMap::new();
        for assignment in report.assignments() {
            let rank = organization.position(assignment.account_id);
            accounts.insert((rank.unwrap_or(usize::MAX), assignment.account_id));
            roles.insert((assignment.permission_set, assignment.permission_set_arn));
            let id = match assignment.principal {
                Principal::Group(id) => Some(id),
                Principal::User(_) => None,
            };
            let is_new = id.is_none_or(|id| groups.insert((report.group_name(id), id)));
            if is_new {
                let shown = report.people(&assignment);
                people.extend(shown.iter().map(|id| (report.user_name(id), id)));
                if let Some(id) = id {
                    members.insert(id, shown);
                }
            }
        }
        Self {
            people: Table::new(people.into_iter().map(|(_, id)| id)),
            groups: Table::new(groups.into_iter().map(|(_, id)| id)),
            accounts: Table::new(accounts.into_iter().map(|(_, id)| id)),
            roles: Table::new(roles.into_iter().map(|(_, arn)| arn)),
            members,
        }
    }

    /// Returns the members of a group as increasing numbers of people.
    fn encoded_members(&self, group: &GroupId) -> (usize, String) {
        let members = self.members.get(group).copied().unwrap_or_default();
        let mut people: Vec<u64> = members.iter().map(|id| self.people.number(id)).collect();
        people.sort_unstable();
        let (mut bytes, mut last) = (Vec::new(), 0);
        for person in &people {
            push_difference(&mut bytes, &mut last, *person);
        }
        (people.len(), base64::Engine::encode(&STANDARD, bytes))
    }
}

/// Values with their numbers.
struct Table<'a, T> {
    values: Vec<&'a T>,
    numbers: HashMap<&'a T, u64>,
}

impl<'a, T: Eq + Hash> Table<'a, T> {
    fn new(values: impl Iterator<Item = &'a T>) -> Self {
        let values: Vec<&T> = values.collect();
        let numbers = (0..).zip(&values).map(|(number, value)| (*value, number));
        Self {
            numbers: numbers.collect(),
            values,
        }
    }

    fn len(&self) -> u64 {
        self.values.len() as u64
    }

    /// Returns the number of a value of the table.
    fn number(&self, value: &T) -> u64 {
        self.numbers[value]
    }
}

/// Writes `,"name":[…]`, one value after the other.
fn write_list<T>(
    out: &mut impl io::Write,
    name: &str,
    values: impl Iterator<Item = T>,
    value: impl Fn(T) -> serde_json::Value,
) -> io::Result<()> {
    write!(out, r#","{name}":["#)?;
    for (index, item) in values.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, &value(item))?;
    }
    out.write_all(b"]")
}

fn number(status: AssignmentStatus) -> u64 {
    let position = STATUSES.iter().position(|known| *known == status);
    position.unwrap_or_default() as u64
}

/// Adds a number: 7 bits a byte, the lowest first.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 128);
    }
}

/// Adds the difference of a number to the one before it: even numbers go up, and odd numbers down.
fn push_difference(bytes: &mut Vec<u8>, last: &mut u64, next: u64) {
    let code = match next.checked_sub(*last) {
        Some(up) => up * 2,
        None => (*last - next) * 2 - 1,
    };
    push(bytes, code);
    *last = next;
}

/// Writes JSON into a script element: `<` becomes an escape, so that no text ends the element.
struct InScript<W>(W);

impl<W: io::Write> io::Write for InScript<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (index, part) in bytes.split(|byte| *byte == b'<').enumerate() {
            if index > 0 {
                self.0.write_all(br"\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_script_that_runs_and_no_address() {
        assert_eq!(TEMPLATE.matches("<script>").count(), 1);
        assert_eq!(TEMPLATE.matches("<style>").count(), 1);
        assert_eq!(TEMPLATE.matches("@DATA@").count(), 1);
        for forbidden in [
            "http:",
            "https:",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            " style=",
            " onclick",
        ] {
            assert!(!TEMPLATE.contains(forbidden), "{forbidden}");
        }
        let policy = policy();
        assert!(
            !policy.contains("unsafe") && policy.contains("default-src 'none'"),
            "{policy}"
        );
    }

    #[test]
    fn no_text_ends_the_script_element() {
        let mut out = Vec::new();
        let name = json!(["</script><script>alert(1)</script>", "<!--"]);
        serde_json::to_writer(InScript(&mut out), &name).expect("memory");
        assert!(!out.contains(&b'<'));
        let back: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(back, name);
    }

    #[test]
    fn numbers_use_seven_bits_of_each_byte() {
        let mut bytes = Vec::new();
        push(&mut bytes, 127);
        push(&mut bytes, 300);
        let mut last = 5;
        push_difference(&mut bytes, &mut last, 6);
        push_difference(&mut bytes, &mut last, 3);
        assert_eq!((bytes.as_slice(), last), (&[127, 0xAC, 2, 2, 5][..], 3));
    }
}
