//! The access report as text: the path from each user to each account, and the entry of the blueprint behind it.

use std::{collections::BTreeMap, fmt};

use super::{
    AssignmentStatus,
    report::{AccessReport, AccessRow},
};
use crate::text::Shown;

/// The text of a report, in which `Display` writes the path of each role: person, group, role and account, and the entries of
/// the blueprint.
///
/// The report of one account is sorted by person, any other report by account.
///
/// ```text
/// ada.lovelace@example.com
///   Sandbox (222222222222), Workloads/Production
///     Deploy through group deployers: access[1] (company.toml:12)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    report: &'a AccessReport,
}

impl AccessReport {
    /// Returns the report as a text that tells the source of each role.
    #[must_use]
    pub fn explain(&self) -> Explanation<'_> {
        Explanation { report: self }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let user = report.only_user();
        match (user, report.only_account()) {
            (Some(user), _) => writeln!(f, "{}", Shown(user))?,
            (None, Some(id)) => {
                let account = report.snapshot().organization().account(id);
                let name = account.and_then(|account| account.name.as_deref());
                let path = account.and_then(|account| report.path(account));
                writeln!(
                    f,
                    "{}",
                    Place(name.unwrap_or(id.as_str()), id.as_str(), path)
                )?;
            }
            (None, None) => {}
        }
        let mut rows = report.rows().peekable();
        if rows.peek().is_none() {
            writeln!(f, "  no access")?;
        }
        // The rows of one account follow each other.
        while let Some(first) = rows.next() {
            let mut block = vec![first];
            while let Some(row) = rows.next_if(|row| row.account_id == first.account_id) {
                block.push(row);
            }
            self.write_account(f, &block)?;
        }
        write!(
            f,
            "Read on {:.0}: {}",
            report.read_at(),
            report.coverage().text
        )
    }
}

impl Explanation<'_> {
    fn write_account(self, f: &mut fmt::Formatter<'_>, rows: &[AccessRow<'_>]) -> fmt::Result {
        let report = self.report;
        let mut indent = "";
        if report.only_user().is_some() || report.only_account().is_none() {
            let [first, ..] = rows else { return Ok(()) };
            let place = Place(first.account, first.account_id, first.account_path);
            writeln!(f, "  {place}")?;
            indent = "  ";
        }
        let mut people: BTreeMap<Option<&str>, Vec<&AccessRow<'_>>> = BTreeMap::new();
        for row in rows {
            people.entry(row.user).or_default().push(row);
        }
        for (person, mut rows) in people {
            rows.sort_by_key(|row| (row.role, row.group));
            if report.only_user().is_none() {
                let person = person.unwrap_or("no person");
                writeln!(f, "{indent}  {}", Shown(person))?;
            }
            for row in rows {
                write!(
                    f,
                    "    {}{} {}",
                    if report.only_user().is_none() {
                        indent
                    } else {
                        ""
                    },
                    Shown(row.role),
                    Shown(&row.through().to_string())
                )?;
                if report.snapshot().has_blueprint() {
                    if row.entries.is_empty() {
                        f.write_str(": no entry of the blueprint")?;
                    } else {
                        write!(f, ": {}", row.entries)?;
                    }
                }
                match row.status {
                    AssignmentStatus::Active => writeln!(f)?,
                    status => writeln!(f, " ({status})")?,
                }
            }
        }
        Ok(())
    }
}

/// The name, id and path of an account.
struct Place<'a>(&'a str, &'a str, Option<&'a str>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, id, path) = self;
        if name == id {
            write!(f, "{id}")?;
        } else {
            write!(f, "{} ({id})", Shown(name))?;
        }
        match path {
            Some(path) => write!(f, ", {}", Shown(path)),
            None => Ok(()),
        }
    }
}
