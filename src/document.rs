//! The line format: everything that a program writes as data, one JSON document per line.

use std::{fmt, io};

use aws_sso_glue::AccountId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use crate::{
    access::{AccessReport, AccessRow, ReportCoverage},
    drift::Drift,
    event::Event,
    outcome::Report,
    pipeline::Verification,
    plan::{Plan, Problem},
    sync::SyncReport,
};

/// One line of the line format: a JSON object with `type` and `format`.
///
/// `Display` writes the line without a line break.
///
/// # Compatibility
///
/// Format 0 may change with every version. From format 1 on, fields and enum values are only added: codes, kinds, actions, events
/// and names of fields stay. The text of messages may change. A reader ignores what it does not know; but a plan that has
/// something unknown is not applied. The JSON Schemas are the files `schema/*-0.json`.
///
/// ```
/// use okta_aws_sso::{Document, Error, ErrorKind, plan::Problem};
///
/// let error = Error::new(ErrorKind::Locked, "the state is locked").with_help("wait");
/// assert_eq!(
///     Document::problem(&Problem::new(None, &error)).to_string(),
///     r#"{"type":"problem","format":0,"kind":"locked","message":"the state is locked","help":"wait"}"#
/// );
/// ```
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Document<'a> {
    /// A plan.
    Plan(&'a Plan),
    /// An event of a run.
    Event(Formatted<'a, Event>),
    /// The result of a run.
    Report(&'a Report),
    /// The result of a verification.
    Verification(Formatted<'a, Verification>),
    /// The differences between the services and the blueprint.
    Drift(Formatted<'a, Drift>),
    /// The access of users to accounts.
    Access(Formatted<'a, Access<'a>>),
    /// The first of the lines that have the access of users to accounts, one row each.
    AccessHeader(Formatted<'a, AccessHeader<'a>>),
    /// A row of the access of users to accounts.
    AccessRow(Formatted<'a, AccessRow<'a>>),
    /// The result of a directory sync.
    SyncReport(Formatted<'a, SyncReport>),
    /// The error that has ended a program.
    Problem(Formatted<'a, Problem>),
}

/// The access of users to accounts, with the page on which they sign in.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Access<'a> {
    /// The URL of the access portal; `None` if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub portal_url: Option<&'a Url>,
    /// The roles.
    #[serde(flatten)]
    pub report: &'a AccessReport,
}

/// The properties that all rows of an access report share.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AccessHeader<'a> {
    /// The URL of the access portal; `None` if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub portal_url: Option<&'a Url>,
    /// The time at which the access was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub read_at: Timestamp,
    /// The parts of the access that the report shows, and those that it lacks.
    pub coverage: ReportCoverage,
    /// The only user of a narrowed report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_user: Option<&'a str>,
    /// The id of the only account of a narrowed report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_account: Option<&'a str>,
}

impl Access<'_> {
    /// Writes the report as one JSON document, one row after the other.
    ///
    /// # Errors
    ///
    /// Fails if `out` fails.
    pub fn write_json(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer(&mut out, &Document::access(self))?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Writes the report as one JSON document a line: an [`AccessHeader`], and then the rows.
    ///
    /// # Errors
    ///
    /// Fails if `out` fails.
    pub fn write_json_lines(&self, mut out: impl io::Write) -> io::Result<()> {
        let header = AccessHeader {
            portal_url: self.portal_url,
            read_at: self.report.read_at(),
            coverage: self.report.coverage(),
            only_user: self.report.only_user(),
            only_account: self.report.only_account().map(AccountId::as_str),
        };
        let header = Document::AccessHeader(Formatted::new(&header));
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        for row in self.report.rows() {
            serde_json::to_writer(&mut out, &Document::AccessRow(Formatted::new(&row)))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

/// A value with the version of its format.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Formatted<'a, T: Serialize> {
    /// The version of the format; see [`Plan::FORMAT`].
    format: u32,
    #[serde(flatten)]
    value: &'a T,
}

impl<'a, T: Serialize> Formatted<'a, T> {
    fn new(value: &'a T) -> Self {
        let format = Plan::FORMAT;
        Self { format, value }
    }
}

impl<'a> Document<'a> {
    /// Creates the line of an event.
    #[must_use]
    pub fn event(event: &'a Event) -> Self {
        Self::Event(Formatted::new(event))
    }

    /// Creates the line of a verification.
    #[must_use]
    pub fn verification(verification: &'a Verification) -> Self {
        Self::Verification(Formatted::new(verification))
    }

    /// Creates the line of a drift.
    #[must_use]
    pub fn drift(drift: &'a Drift) -> Self {
        Self::Drift(Formatted::new(drift))
    }

    /// Creates the line of an access report.
    #[must_use]
    pub fn access(access: &'a Access<'a>) -> Self {
        Self::Access(Formatted::new(access))
    }

    /// Creates the line of the result of a directory sync.
    #[must_use]
    pub fn sync_report(report: &'a SyncReport) -> Self {
        Self::SyncReport(Formatted::new(report))
    }

    /// Creates the line of a problem.
    #[must_use]
    pub fn problem(problem: &'a Problem) -> Self {
        Self::Problem(Formatted::new(problem))
    }

    /// Returns the JSON Schema of a line.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Document<'static>>()
    }
}

impl fmt::Display for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_error| fmt::Error)?;
        f.write_str(&json)
    }
}
