//! The access report: each person's roles in each account, with the assignment and the entries of the blueprint behind each
//! role.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use aws_sso_glue::{
    Account, AccountId, AccountState, Aws, GroupId, IdentityCenter, Principal, UnitId, UserId,
    estate::{CoverageLevel, Organization, Strategy},
};
use futures::future;
use jiff::Timestamp;
use rest_core::{Clock, SystemClock};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use super::{AccessQuery, AccessSnapshot, AccountAssignment, AssignmentStatus, require_all};
use crate::{
    blueprint::nearest,
    error::{Error, ErrorKind, Result},
    state::now,
};

/// Each person's roles in each account.
///
/// [`rows`](Self::rows) derives one row for each person, account, role and source, in the order of the accounts. Groups
/// without members, disabled users, closed accounts and orphans are rows too; [`AccessRow::status`] tells them apart. No writer
/// collects the rows: a report of millions of rows takes no more memory than the snapshot, besides 12 bytes for each
/// assignment.
///
/// [`of_user`](Self::of_user) and [`of_account`](Self::of_account) narrow a report to one person or account, which
/// [`explain`](Self::explain) shows as text.
#[derive(Clone, Debug)]
pub struct AccessReport {
    access: AccessSnapshot,
    read_at: Timestamp,
    /// The paths of the units.
    paths: HashMap<UnitId, String>,
    user: Option<OneUser>,
    account: Option<AccountId>,
}

/// The user of a narrowed report.
#[derive(Clone, Debug)]
struct OneUser {
    id: UserId,
    groups: HashSet<GroupId>,
}

/// One role of a user in an account. A group without members has one row too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AccessRow<'a> {
    /// The user name; the id of a user that the identity store no longer has. `None` for a group without members, an orphaned
    /// group, and a group whose members were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    /// The name of the account; its id if it has no name.
    pub account: &'a str,
    /// The id of the account.
    pub account_id: &'a str,
    /// The organizational units above the account, such as `Workloads/Production`; `None` if their names were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_path: Option<&'a str>,
    /// The state of the account; `None` if the organization no longer has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub account_state: Option<&'a AccountState>,
    /// The name of the permission set, which is the role in the account.
    pub role: &'a str,
    /// The group that has the role; the id of a group that the identity store no longer has. `None` if the user has the role
    /// directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
    /// Whether the person can use the role now.
    pub status: AssignmentStatus,
    /// The entries of the blueprint that give the role.
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub entries: Entries<'a>,
}

impl AccessRow<'_> {
    /// Returns the source of the role: `directly`, or `group` with the name of the group.
    #[must_use]
    pub fn through(&self) -> impl fmt::Display {
        Through(self.group)
    }
}

struct Through<'a>(Option<&'a str>);

impl fmt::Display for Through<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(group) => write!(f, "group {group}"),
            None => f.write_str("directly"),
        }
    }
}

/// The entries of the blueprint behind a row. Two entries can give the same role.
///
/// `Display` writes their places, such as `access[2] (company.toml:40)`, with commas between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    positions: &'a [usize],
    places: &'a [String],
}

impl<'a> Entries<'a> {
    pub(super) fn new(positions: &'a [usize], places: &'a [String]) -> Self {
        Self { positions, places }
    }

    /// Returns the positions of the entries in [`Blueprint::access`](crate::Blueprint::access).
    #[must_use]
    pub fn positions(&self) -> &'a [usize] {
        self.positions
    }

    /// Returns the places of the entries, such as `access[2] (company.toml:40)`.
    #[must_use]
    pub fn places(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let places = self.places;
        let place = |entry: &usize| places.get(*entry).map_or("", String::as_str);
        self.positions.iter().map(place)
    }

    /// Returns whether no entry gives the role.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

impl fmt::Display for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{place}")?;
        }
        Ok(())
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.places())
    }
}

impl JsonSchema for Entries<'_> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Entries".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<String>::json_schema(generator)
    }
}

/// The parts of the access that a report shows, and those that it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ReportCoverage {
    /// Whether the report has every role of the users and groups that exist.
    pub is_complete: bool,
    /// `full` if the own assignments of all users were read, or else `groups`.
    pub level: ReportLevel,
    /// Number of users whose own assignments were not read.
    pub users_not_read: usize,
    /// Number of assignments that AWS returned in a form that cannot be read.
    pub unreadable: usize,
    /// Whether the members of the groups were read.
    pub members: bool,
    /// The assignments of deleted users and groups that were read.
    pub orphans: OrphanCoverage,
    /// The coverage as a text.
    pub text: String,
}

/// The users and groups whose assignments a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportLevel {
    /// All groups, and some users.
    Groups,
    /// All groups and users.
    Full,
}

/// The assignments of deleted users and groups that a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OrphanCoverage {
    /// None was looked for.
    NotRead,
    /// An assignment is shown if its permission set has no other assignment in the account. To find the others, each pair of
    /// permission set and account must be read.
    Alone,
    /// All of them.
    All,
}

impl AccessReport {
    /// Creates the report of a snapshot. `read_at` is the time at which it was read.
    #[must_use]
    pub fn new(access: AccessSnapshot, read_at: Timestamp) -> Self {
        let paths = paths(access.organization());
        Self {
            access,
            read_at,
            paths,
            user: None,
            account: None,
        }
    }

    /// Reads the access that an instance gives, without a blueprint, as [`AccessQuery::default`] asks for it.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses a request or cannot be read.
    pub async fn read(aws: &Aws, center: &IdentityCenter) -> Result<Self> {
        Self::read_with(aws, center, &AccessQuery::default(), &SystemClock).await
    }

    /// Reads the access that an instance gives, without a blueprint.
    ///
    /// The accounts need one call per 20 accounts, the organizational units one call per unit, the members one call for each
    /// group that has an assignment. For the assignments see [`IdentityCenter::estate`].
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses a request or cannot be read.
    pub async fn read_with(
        aws: &Aws,
        center: &IdentityCenter,
        query: &AccessQuery,
        clock: &dyn Clock,
    ) -> Result<Self> {
        let read_at = now(clock);
        let read = read(aws, center, query).await;
        let failed = |error| Error::service("the access report could not be read from AWS", error);
        Ok(Self::new(read.map_err(failed)?, read_at))
    }

    /// Narrows the report to a user, by user name, or by id for a user that the identity store no longer has.
    ///
    /// The assignments of the user must be read: by [`AccessQuery::users`], or at the level `Full`. If they were not, the report
    /// has the roles through groups only, and its [`coverage`](Self::coverage) says so.
    ///
    /// # Errors
    ///
    /// Fails if the identity store has no such user. The help has the most similar names.
    pub fn of_user(mut self, name: &str) -> Result<Self> {
        let principals = self.access.principals();
        let known = principals.user_by_name(name).map(|user| user.id.clone());
        let is_assigned = |id: &UserId| {
            let id = Principal::User(id.clone());
            self.access.table().iter().any(|row| *row.principal == id)
        };
        let by_id = || {
            let id = UserId::parse(name).ok()?;
            (principals.user(&id).is_some() || is_assigned(&id)).then_some(id)
        };
        let id = known.or_else(by_id).ok_or_else(|| {
            let names = principals.users().iter().map(|user| &*user.user_name);
            unknown(
                format!("the identity store has no user {name}"),
                name,
                names,
            )
        })?;
        let groups = principals.groups().iter().map(|group| &group.id);
        let has_user = |group: &&GroupId| {
            let members = self.access.members(group);
            members.is_some_and(|members| members.contains(&id))
        };
        let groups = groups.filter(has_user).cloned().collect();
        self.user = Some(OneUser { id, groups });
        Ok(self)
    }

    /// Narrows the report to an account, by id or name.
    ///
    /// # Errors
    ///
    /// Fails if the organization has no such account, or several of that name. The help has the most similar names, or the ids.
    pub fn of_account(mut self, name: &str) -> Result<Self> {
        let organization = self.access.organization();
        let is_assigned = |id: &AccountId| self.access.table().iter().any(|row| row.account == id);
        let by_id = AccountId::parse(name).ok();
        let by_id = by_id.filter(|id| organization.account(id).is_some() || is_assigned(id));
        let id = match (by_id, organization.accounts_named(name).as_slice()) {
            (Some(id), _) => id,
            (None, [account]) => account.id.clone(),
            (None, []) => {
                let accounts = organization.accounts().iter();
                let names = accounts
                    .flat_map(|account| [account.name.as_deref(), Some(account.id.as_str())])
                    .flatten();
                let message = format!("the organization has no account {name}");
                return Err(unknown(message, name, names));
            }
            (None, accounts) => {
                let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
                let message = format!("{} accounts have the name {name}", ids.len());
                return Err(Error::new(ErrorKind::UnusableSubject, message)
                    .with_help(format!("pass one of the ids {}", ids.join(", "))));
            }
        };
        self.account = Some(id);
        Ok(self)
    }

    /// Returns the snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &AccessSnapshot {
        &self.access
    }

    /// Returns the time at which the access was read.
    #[must_use]
    pub fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// Returns the name of the only user of a narrowed report.
    #[must_use]
    pub fn only_user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| self.user_name(&user.id))
    }

    /// Returns the only account of a narrowed report.
    #[must_use]
    pub fn only_account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// Returns which parts of the access the report shows and lacks.
    #[must_use]
    pub fn coverage(&self) -> ReportCoverage {
        let table = self.access.table();
        let read = self.access.coverage();
        let (level, users_not_read, mut text) = match &self.user {
            None => {
                let level = match read.level {
                    CoverageLevel::Full => ReportLevel::Full,
                    _ => ReportLevel::Groups,
                };
                (level, read.users_not_read, read.to_string())
            }
            Some(user) => {
                let name = self.user_name(&user.id);
                if table.was_read(&Principal::User(user.id.clone())) {
                    let text = format!("all assignments of {name} were read");
                    (ReportLevel::Full, 0, text)
                } else {
                    let text = format!("the direct assignments of {name} were not read");
                    (ReportLevel::Groups, 1, text)
                }
            }
        };
        let orphans = match (read.strategy, table.provisioned()) {
            (Strategy::ByPair, _) => OrphanCoverage::All,
            (_, Some(_)) => OrphanCoverage::Alone,
            (_, None) => OrphanCoverage::NotRead,
        };
        let members = self.access.has_members();
        if !members {
            text.push_str("; the members of the groups were not read");
        }
        if self.user.is_none() {
            text.push_str(match orphans {
                OrphanCoverage::NotRead => {
                    "; the assignments of deleted users and groups were not read"
                }
                OrphanCoverage::Alone => {
                    "; an assignment of a deleted user or group is shown if its role has no other assignment in the account (a sweep shows all)"
                }
                OrphanCoverage::All => "",
            });
        }
        ReportCoverage {
            is_complete: users_not_read == 0 && read.unreadable == 0 && members,
            level,
            users_not_read,
            unreadable: read.unreadable,
            members,
            orphans,
            text,
        }
    }

    /// Returns the rows in the order of the accounts. Nothing is collected.
    pub fn rows(&self) -> impl Iterator<Item = AccessRow<'_>> {
        self.assignments().flat_map(move |assignment| {
            let people = self.people(&assignment);
            let alone = people.is_empty().then(|| self.row(&assignment, None));
            let people = people.iter();
            let people = people.map(move |person| self.row(&assignment, Some(person)));
            alone.into_iter().chain(people)
        })
    }

    /// Returns the assignments of the report in the order of the accounts.
    pub(super) fn assignments(&self) -> impl Iterator<Item = AccountAssignment<'_>> {
        let is_shown = |assignment: &AccountAssignment<'_>| {
            let mut account = self.account.iter();
            let mut user = self.user.iter();
            account.all(|account| account == assignment.account_id)
                && user.all(|user| match assignment.principal {
                    Principal::User(id) => *id == user.id,
                    Principal::Group(id) => user.groups.contains(id),
                })
        };
        self.access.assignments().filter(is_shown)
    }

    /// Returns the people who have an assignment: a user, or the members of a group. It is empty for a group without members
    /// and one whose members were not read.
    pub(super) fn people<'a>(&'a self, assignment: &AccountAssignment<'a>) -> &'a [UserId] {
        match (assignment.principal, &self.user) {
            (Principal::User(id), _) => std::slice::from_ref(id),
            (Principal::Group(_), Some(user)) => std::slice::from_ref(&user.id),
            (Principal::Group(id), None) => self.access.members(id).unwrap_or_default(),
        }
    }

    pub(super) fn user_name<'a>(&'a self, id: &'a UserId) -> &'a str {
        let user = self.access.principals().user(id);
        user.map_or(id.as_str(), |user| &user.user_name)
    }

    pub(super) fn group_name<'a>(&'a self, id: &'a GroupId) -> &'a str {
        let group = self.access.principals().group(id);
        group.map_or(id.as_str(), |group| &group.display_name)
    }

    /// Returns whether a user can use an assignment that is active.
    pub(super) fn user_status(&self, id: &UserId) -> AssignmentStatus {
        match self.access.principals().user(id) {
            None => AssignmentStatus::Orphan,
            Some(_) if !self.access.is_enabled(id) => AssignmentStatus::DisabledUser,
            Some(_) => AssignmentStatus::Active,
        }
    }

    pub(super) fn path(&self, account: &Account) -> Option<&str> {
        let unit = account.path.as_ref()?.last()?;
        self.paths.get(unit).map(String::as_str)
    }

    pub(super) fn entries<'a>(&'a self, assignment: &AccountAssignment<'a>) -> Entries<'a> {
        Entries::new(assignment.entries, self.access.places())
    }

    fn row<'a>(
        &'a self,
        assignment: &AccountAssignment<'a>,
        person: Option<&'a UserId>,
    ) -> AccessRow<'a> {
        let account = assignment.account;
        let status = match (assignment.status, person) {
            (AssignmentStatus::Active, Some(person)) => self.user_status(person),
            (status, _) => status,
        };
        AccessRow {
            user: person.map(|person| self.user_name(person)),
            account: account
                .and_then(|account| account.name.as_deref())
                .unwrap_or(assignment.account_id.as_str()),
            account_id: assignment.account_id.as_str(),
            account_path: account.and_then(|account| self.path(account)),
            account_state: account.map(|account| &account.state),
            role: assignment.permission_set,
            group: match assignment.principal {
                Principal::User(_) => None,
                Principal::Group(id) => Some(self.group_name(id)),
            },
            status,
            entries: self.entries(assignment),
        }
    }
}

impl Serialize for AccessReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = ReportDocument {
            read_at: self.read_at,
            coverage: self.coverage(),
            only_user: self.only_user(),
            only_account: self.only_account().map(AccountId::as_str),
            rows: Rows(self),
        };
        document.serialize(serializer)
    }
}

/// The rows as a sequence that is written one by one.
struct Rows<'a>(&'a AccessReport);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        for row in self.0.rows() {
            rows.serialize_element(&row)?;
        }
        rows.end()
    }
}

/// An access report: each person's roles in each account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccessReport")]
struct ReportDocument<'a> {
    /// The time at which the access was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    read_at: Timestamp,
    /// The parts of the access that the report shows, and those that it lacks.
    coverage: ReportCoverage,
    /// The only user of a narrowed report.
    #[serde(skip_serializing_if = "Option::is_none")]
    only_user: Option<&'a str>,
    /// The id of the only account of a narrowed report.
    #[serde(skip_serializing_if = "Option::is_none")]
    only_account: Option<&'a str>,
    /// One row for each person, account, role and source, in the order of the accounts.
    #[schemars(with = "Vec<AccessRow<'a>>")]
    rows: Rows<'a>,
}

impl JsonSchema for AccessReport {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        ReportDocument::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ReportDocument::json_schema(generator)
    }
}

/// Reads the snapshot: the organization beside the instance, and then the members of the groups that have assignments.
async fn read(
    aws: &Aws,
    center: &IdentityCenter,
    query: &AccessQuery,
) -> Result<AccessSnapshot, aws_sso_glue::Error> {
    let reader = center.estate().level(query.level).users(&query.users);
    let reader = reader.by_principal(!query.sweep);
    let reader = if query.provisioned {
        reader.provisioned_pairs()
    } else {
        reader
    };
    let organization = async {
        let details = aws.organizations().describe().await?;
        Organization::read(aws, details.management_account, true).await
    };
    let (organization, estate) = future::try_join(organization, reader.read()).await?;
    require_all(estate.principals.unread())?;
    require_all(estate.permission_sets.unread())?;
    let members = if query.members {
        let groups = super::assigned_groups(&estate.assignments);
        Some(reader.read_members(groups).await?)
    } else {
        None
    };
    Ok(AccessSnapshot {
        organization: organization.into(),
        principals: estate.principals,
        permission_sets: estate.permission_sets,
        assignments: estate.assignments,
        members: members.map(Into::into),
        rules: None,
    })
}

/// Returns the path of each unit. There is none if the units were not read.
fn paths(organization: &Organization) -> HashMap<UnitId, String> {
    let units = organization.units().iter();
    let paths = units.map(|unit| (unit.id.clone(), organization.unit_path(unit)));
    paths.collect()
}

/// Returns the error of a name that matches nothing, with the most similar names.
fn unknown<'a>(message: String, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let lower = name.to_lowercase();
    // The names are compared without case, and shown as they are.
    let by_lower: BTreeMap<String, &str> =
        known.map(|known| (known.to_lowercase(), known)).collect();
    let similar = nearest(&lower, by_lower.keys().map(String::as_str));
    let similar: Vec<String> = similar
        .iter()
        .filter_map(|name| Some(format!("`{}`", by_lower.get(*name)?)))
        .collect();
    let help = match similar.as_slice() {
        [] => "pass the name as AWS has it".to_owned(),
        [one] => format!("did you mean {one}?"),
        [first @ .., last] => format!("did you mean {} or {last}?", first.join(", ")),
    };
    Error::new(ErrorKind::UnusableSubject, message).with_help(help)
}
