//! The access report as comma-separated values.

use std::{borrow::Cow, io};

use super::{AccessReport, AccessRow, ReportCoverage, ReportLevel};

const COLUMNS: [&str; 12] = [
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

impl AccessReport {
    /// Writes the rows as comma-separated values (RFC 4180), with a header.
    ///
    /// The columns `read_at` and `coverage` are the same in each row: `full`, or the level with what was not read. A cell that
    /// starts with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe before it, because spreadsheets take such
    /// a cell for a formula.
    ///
    /// # Errors
    ///
    /// Fails if `out` fails.
    pub fn write_csv(&self, out: impl io::Write) -> io::Result<()> {
        let read_at = self.read_at().to_string();
        write_rows(self.rows(), &read_at, &text(&self.coverage()), out)
    }
}

/// Writes each row before it takes the next one.
fn write_rows<'a>(
    rows: impl Iterator<Item = AccessRow<'a>>,
    read_at: &str,
    coverage: &str,
    out: impl io::Write,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    writer.write_record(COLUMNS)?;
    for row in rows {
        let status = row.status.to_string();
        let state = row.account_state.cloned().map(String::from);
        let entries = row.entries.to_string();
        let through = if row.group.is_some() {
            "group"
        } else {
            "directly"
        };
        let cells = [
            row.user.unwrap_or_default(),
            row.account,
            row.account_id,
            row.account_path.unwrap_or_default(),
            state.as_deref().unwrap_or_default(),
            row.role,
            through,
            row.group.unwrap_or_default(),
            &status,
            &entries,
            read_at,
            coverage,
        ];
        writer.write_record(cells.map(safe).iter().map(|cell| cell.as_bytes()))?;
    }
    writer.flush()
}

/// Returns a cell that no spreadsheet takes for a formula.
fn safe(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

fn text(coverage: &ReportCoverage) -> String {
    match coverage.level {
        ReportLevel::Full if coverage.is_complete => "full".to_owned(),
        ReportLevel::Full => format!("full: {}", coverage.text),
        ReportLevel::Groups => format!("groups: {}", coverage.text),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;
    use crate::access::{AssignmentStatus, Entries};

    fn row<'a>(user: &'a str, group: &'a str) -> AccessRow<'a> {
        AccessRow {
            user: Some(user),
            account: "Sandbox",
            account_id: "111122223333",
            account_path: None,
            account_state: None,
            role: "Deploy",
            group: Some(group),
            status: AssignmentStatus::Active,
            entries: Entries::new(&[], &[]),
        }
    }

    #[test]
    fn a_cell_that_could_be_a_formula_gets_an_apostrophe() {
        for (cell, written) in [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(safe(cell), written);
        }
        let rows = [row("=user", "+group")];
        let mut out = Vec::new();
        write_rows(rows.into_iter(), "now", "full", &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("\r\n'=user,Sandbox,"), "{text}");
        assert!(text.contains(",group,'+group,active,"), "{text}");
    }

    #[test]
    fn a_cell_with_quotes_commas_and_line_breaks_is_read_back_as_it_was() {
        let name = "a \"quoted\", name\r\nin two lines";
        let mut out = Vec::new();
        write_rows([row("ada", name)].into_iter(), "now", "full", &mut out).expect("memory");
        assert!(out.ends_with(b"\r\n"));
        let mut reader = csv::Reader::from_reader(&*out);
        let records: Vec<csv::StringRecord> =
            reader.records().collect::<Result<_, _>>().expect("CSV");
        assert_eq!(records.len(), 1);
        assert_eq!((&records[0][0], &records[0][7]), ("ada", name));
    }

    /// Fails if more rows are taken than the written bytes explain, besides a buffer.
    struct Follows {
        taken: Rc<Cell<usize>>,
        written: usize,
        most: usize,
    }

    impl io::Write for Follows {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written += bytes.split(|byte| *byte == b'\n').count() - 1;
            self.most = self.most.max(self.taken.get().saturating_sub(self.written));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_writer_holds_no_more_rows_than_its_buffer() {
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        let rows = std::iter::repeat_n(row("ada", "deployers"), 100_000);
        let rows = rows.inspect(move |_| count.set(count.get() + 1));
        let mut out = Follows {
            taken,
            written: 0,
            most: 0,
        };
        write_rows(rows, "now", "full", &mut out).expect("a writer");
        assert_eq!(out.written, 100_001);
        // The buffer has 8 KiB, and a row more than 50 bytes.
        assert!(out.most < 160, "{}", out.most);
    }
}
