//! Step `account-assignments`: users and groups have the permission sets of the blueprint in their accounts.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use aws_sso_glue::{
    AccountId, Assignment, AssignmentChange, AssignmentEnd, AssignmentRunEvent, Aws, GroupId,
    IdentityCenter, OperationKind, PermissionSetArn, Principal, UserId, estate::AssignmentRef,
};
use futures::future::BoxFuture;
use okta_client::Client as Okta;

use super::{
    access_drift::{self, id as principal_id},
    access_hazards::{Role, Services, access_hazards},
    access_ids::Ids,
    caller::{self, ManagementOnly},
    estate::InstanceReads,
    ids, lookup,
    owned_access::{InAws, Owner, without_ledger},
    retired_sets::RemovedAssignments,
};
use crate::{
    access::{AccessQuery, AccessSnapshot, Rules},
    batch::{Batch, Waiting},
    blueprint::{Blueprint, Expansion, Ownership, PrincipalSpec, Row},
    context::Context,
    drift::Drift,
    error::{Error, ErrorKind, Result},
    outcome::{Cause, Outcome},
    plan::{self, Action, Change, Hazard, Kind, Note, Plan, Selection, StepId, Subject, Value},
    state::Ledger,
    step::{Applied, Planned, Step, unknown_change},
};

/// Assigns permission sets in accounts to users and groups.
///
/// AWS creates an assignment in the background and reports a failure only at the end, so the step waits for the result of
/// each assignment. Assignments outside the blueprint are kept; those of expired entries are removed.
#[derive(Clone, Debug)]
pub struct AccountAssignments {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

impl AccountAssignments {
    /// Creates the step for the `access` of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    /// Returns the reads of the instance, or `None` if there is no instance that gives access to accounts.
    fn reads<'a>(&self, cx: &'a Context) -> Option<InstanceReads<'a>> {
        lookup::assignable_identity_center(&self.aws, cx)?;
        InstanceReads::new(&self.aws, cx)
    }

    /// Returns the access of the blueprint in the accounts of the organization.
    async fn expansion(&self, cx: &Context) -> Result<Arc<Expansion>> {
        lookup::access(&self.aws, &self.blueprint, cx).await
    }

    /// Looks up the principal in the identity store. Returns `None` if the principal has not arrived there.
    async fn find_principal(
        &self,
        center: &IdentityCenter,
        principal: &PrincipalSpec,
        cx: &Context,
    ) -> Result<Option<Principal>> {
        let failed = |error| {
            Error::service(
                format!("{principal} could not be looked up in the identity store"),
                error,
            )
        };
        let store = center.identity_store();
        Ok(match principal {
            PrincipalSpec::User(login) => {
                let name = lookup::aws_user_name(&self.okta, &self.blueprint, login, cx).await?;
                let Some(name) = name else {
                    return Ok(None);
                };
                store
                    .user_by_name(&name)
                    .await
                    .map_err(failed)?
                    .map(|user| Principal::User(user.id))
            }
            PrincipalSpec::Group(name) => store
                .group_by_name(name)
                .await
                .map_err(failed)?
                .map(|group| Principal::Group(group.id)),
        })
    }

    /// Returns the assignment of a change by AWS's ids. A user or group whose id was not known at planning is looked up.
    async fn target(&self, change: &Change, cx: &Context) -> Result<Assignment> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let Subject::Assignment {
            principal,
            account,
            permission_set,
        } = &change.subject
        else {
            return Err(unknown_change(&self.id(), change));
        };
        let unknown = || unknown_change(&self.id(), change);
        let user = |id: &str| UserId::parse(id).ok().map(Principal::User);
        let group = |id: &str| GroupId::parse(id).ok().map(Principal::Group);
        let planned = planned_principal(change);
        let (known, spec) = match principal {
            plan::Principal::User { name } => (
                planned.and_then(user),
                PrincipalSpec::User(name.to_string()),
            ),
            plan::Principal::Group { name } => (
                planned.and_then(group),
                PrincipalSpec::Group(name.to_string()),
            ),
            plan::Principal::DeletedUser { id } => (user(id), PrincipalSpec::User(id.to_string())),
            plan::Principal::DeletedGroup { id } => {
                (group(id), PrincipalSpec::Group(id.to_string()))
            }
        };
        let principal = match known {
            Some(known) => known,
            None => self
                .find_principal(&center, &spec, cx)
                .await?
                .ok_or_else(|| {
                    let what = format!("{spec} in the identity store");
                    lookup::missing_prerequisite(&what, &ids::ARRIVAL)
                })?,
        };
        Ok(Assignment {
            account: AccountId::parse(account).map_err(|_not_an_id| unknown())?,
            permission_set: self.permission_set(permission_set, cx).await?,
            principal,
        })
    }

    /// Returns the ARN of a permission set: of the blueprint, or of another one that the instance has.
    async fn permission_set(&self, name: &str, cx: &Context) -> Result<PermissionSetArn> {
        if let Some(arn) = cx.facts(|facts| facts.permission_sets.get(name).cloned()) {
            return Ok(arn);
        }
        let found = match InstanceReads::new(&self.aws, cx) {
            Some(reads) => {
                let sets = reads.permission_sets([]).await?;
                sets.by_name(name).map(|set| set.arn.clone())
            }
            None => None,
        };
        found.ok_or_else(|| {
            let what = format!("permission set {name}");
            lookup::missing_prerequisite(&what, &ids::PERMISSION_SETS)
        })
    }

    /// Returns what a plan has to read. What is removed as exclusive must be known whole.
    fn query(&self) -> AccessQuery {
        if self.blueprint.ownership.access == Ownership::Exclusive {
            AccessQuery {
                members: false,
                ..AccessQuery::full()
            }
        } else {
            AccessQuery::plan()
        }
    }

    /// Returns whether an existing assignment of the blueprint is taken over as made by it.
    fn adopts(&self, assignment: Option<AssignmentRef<'_>>, ledger: Option<&Ledger>) -> bool {
        let is_owned = |one| ledger.is_some_and(|ledger| ledger.assignments.contains(one));
        self.blueprint.ownership.adopt && assignment.is_some_and(|one| !is_owned(one))
    }

    /// Records that the run has created, adopted or removed an assignment.
    fn record(&self, change: &Change, assignment: &Assignment, cx: &Context) {
        let Some(reads) = InstanceReads::new(&self.aws, cx) else {
            return;
        };
        if change.action != Action::Adopt {
            reads.written(assignment);
        }
        if change.action == Action::Remove {
            cx.run_memory::<RemovedAssignments>().made(assignment);
        }
        cx.update_ledger(|ledger| match change.action {
            Action::Remove => ledger.assignments.remove(assignment),
            _ => ledger.assignments.insert(assignment),
        });
    }

    /// Reads the access that AWS gives, with the entries of the blueprint.
    async fn snapshot(&self, query: &AccessQuery, cx: &Context) -> Result<Option<AccessSnapshot>> {
        let Some(reads) = self.reads(cx) else {
            return Ok(None);
        };
        let expansion = self.expansion(cx).await?;
        let rows: Vec<Row<'_>> = expansion.rows().chain(expansion.expired()).collect();
        let roles: Vec<Role<'_>> = rows.iter().map(Role::of).collect();
        let (ids, principals) =
            Ids::read((&self.okta, &self.blueprint), &roles, &reads, cx).await?;
        let wanted = ids.assignments(&roles);
        let in_aws = InAws::read(&reads, principals, &wanted, None, query).await?;
        let members = if query.members {
            Some(Arc::new(reads.members(&in_aws.assignments).await?))
        } else {
            None
        };
        let specs = ids.principals.into_iter();
        let places = 0..self.blueprint.access.len();
        let of_blueprint = Rules {
            specs: specs.map(|(spec, principal)| (principal, spec)).collect(),
            places: places.map(|entry| self.blueprint.place(entry)).collect(),
            expansion: Arc::clone(&expansion),
        };
        Ok(Some(AccessSnapshot {
            organization: expansion.shared_organization(),
            principals: in_aws.principals,
            permission_sets: in_aws.sets,
            assignments: in_aws.assignments,
            members,
            rules: Some(of_blueprint),
        }))
    }

    /// Plans the removals of assignments that are not `wanted`, as the ownership says, and returns them.
    async fn plan_foreign(
        &self,
        access: &Expansion,
        in_aws: &InAws,
        ids: &Ids,
        wanted: &HashSet<AssignmentRef<'_>>,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<Vec<Assignment>> {
        let total = in_aws.assignments.len() as u64;
        planned.totals.insert(Kind::Assignment, total);
        let ledger = cx.ledger()?;
        let others = if self.blueprint.may_remove_assignments() {
            Some(cx.other_ledgers().await?)
        } else {
            None
        };
        let (blueprint, principals) = (&self.blueprint, &ids.principals);
        let ledger = ledger.as_deref();
        let owner = Owner::new(blueprint, access, in_aws, principals, ledger, others, cx);
        let foreign = owner.foreign(wanted);
        let management = ManagementOnly::read(&self.aws, cx).await?;
        let mut removed = Vec::new();
        for (row, reason) in &foreign.removed {
            let change = owner.removal(*row, *reason);
            let set = in_aws.set_name(row.permission_set);
            let before = planned.changes.len();
            match &management {
                Some(management) => {
                    let set = (set, Some(row.permission_set));
                    management.plan_assignment(planned, change, row.account, set);
                }
                None => planned.changes.push(change),
            }
            if planned.changes.len() > before {
                removed.push(row.to_assignment());
            }
        }
        planned.notes.extend(owner.notes(&foreign));
        planned.problems.extend(foreign.problem);
        Ok(removed)
    }

    /// Ends the changes that are not sent to AWS: the adoptions, those without an assignment, and the removals that a creation
    /// without an assignment would replace. Returns the indexes and the assignments of the others.
    async fn take_writes(
        &self,
        batch: &Batch<'_>,
        cx: &Context,
    ) -> Result<(Vec<usize>, Vec<AssignmentChange>)> {
        let mut targets = Vec::new();
        for change in batch.changes() {
            targets.push(self.target(change, cx).await);
        }
        let unknown = batch.changes().iter().zip(&targets);
        let unknown =
            unknown.filter(|(change, target)| change.action == Action::Create && target.is_err());
        // The creations that cannot be sent, so that what they replace must stay.
        let unknown: Vec<&Subject> = unknown.map(|(change, _)| &change.subject).collect();
        let (mut indexes, mut changes) = (Vec::new(), Vec::new());
        for ((index, change), target) in batch.changes().iter().enumerate().zip(targets) {
            let replacement = unknown.iter().find(|created| replaces(created, change));
            if let Some(created) = replacement {
                if batch.start(index).await? {
                    let because = Cause::Subject((*created).clone());
                    batch
                        .finish(index, Ok(Outcome::Skipped { because }))
                        .await?;
                }
                continue;
            }
            match target {
                Ok(assignment) if change.action != Action::Adopt => {
                    indexes.push(index);
                    changes.push(AssignmentChange {
                        kind: kind(change),
                        assignment,
                    });
                }
                adopted => {
                    if batch.start(index).await? {
                        let adopted = adopted.map(|assignment| {
                            self.record(change, &assignment, cx);
                            Outcome::Done
                        });
                        batch.finish(index, adopted).await?;
                    }
                }
            }
        }
        Ok((indexes, changes))
    }

    /// Applies all changes: the adoptions, and then all others together.
    async fn apply_batch(&self, batch: &Batch<'_>, cx: &Context) -> Result<()> {
        let (indexes, changes) = self.take_writes(batch, cx).await?;
        let Some(reads) = InstanceReads::new(&self.aws, cx).filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        let planned: Vec<&Change> = indexes
            .iter()
            .map(|index| &batch.changes()[*index])
            .collect();
        // The ledger gets the assignments before AWS creates them, so that a crash right after a creation loses none.
        let created = changes
            .iter()
            .filter(|one| one.kind == OperationKind::Create);
        cx.update_ledger(|ledger| {
            created.for_each(|one| ledger.assignments.insert(&one.assignment));
        });
        cx.checkpoint().await?;
        let mut run = reads.center().assignments().run(changes);
        // The assignments that do not exist at the end, as far as the run knows.
        let mut absent = Vec::new();
        loop {
            match run.next().await {
                AssignmentRunEvent::Start(position) => {
                    if batch.start(indexes[position]).await? {
                        run.start(position);
                    } else {
                        run.skip(position);
                    }
                }
                AssignmentRunEvent::Ended(position, end) => {
                    let change = planned[position];
                    let is_unknown =
                        matches!(end, AssignmentEnd::TimedOut | AssignmentEnd::Unknown(_));
                    let outcome = outcome(change, end, &planned);
                    let one = &run.changes()[position];
                    let is_made = outcome.as_ref().is_ok_and(Outcome::is_success);
                    if is_made {
                        reads.written(&one.assignment);
                    }
                    if is_made && change.action == Action::Remove {
                        cx.run_memory::<RemovedAssignments>().made(&one.assignment);
                    }
                    if is_made == (change.action == Action::Remove) && !is_unknown {
                        absent.push(position);
                    }
                    batch.finish(indexes[position], outcome).await?;
                }
                AssignmentRunEvent::Progress(progress) => {
                    let on = format!("AWS: {progress}");
                    batch
                        .look(Waiting {
                            on,
                            missing: Vec::new(),
                        })
                        .await?;
                }
                AssignmentRunEvent::Stopped(error) => {
                    let summary = "AWS did not tell which assignments are in progress";
                    return Err(Error::service(summary, error));
                }
                _ => break,
            }
        }
        cx.update_ledger(|ledger| {
            for position in absent {
                ledger
                    .assignments
                    .remove(&run.changes()[position].assignment);
            }
        });
        Ok(())
    }
}

/// Returns whether a removal has to wait for a creation: both are of the same user or group, or of the same account and
/// permission set.
fn replaces(created: &Subject, change: &Change) -> bool {
    let (
        Subject::Assignment {
            principal,
            account,
            permission_set,
        },
        Subject::Assignment {
            principal: removed_from,
            account: in_account,
            permission_set: removed_set,
        },
    ) = (created, &change.subject)
    else {
        return false;
    };
    let is_same_pair = account == in_account && permission_set == removed_set;
    change.action == Action::Remove && (principal == removed_from || is_same_pair)
}

/// Returns the kind of write of a change.
fn kind(change: &Change) -> OperationKind {
    match change.action {
        Action::Remove => OperationKind::Delete,
        _ => OperationKind::Create,
    }
}

/// Returns the outcome of a change. `changes` are all changes of the run.
fn outcome(change: &Change, end: AssignmentEnd, changes: &[&Change]) -> Result<Outcome> {
    let subject = &change.subject;
    Err(match end {
        AssignmentEnd::Done => return Ok(Outcome::Done),
        AssignmentEnd::AlreadyDone => return Ok(Outcome::AlreadyDone),
        AssignmentEnd::Skipped => {
            // The run has given it an outcome already.
            let because = Cause::Stopped;
            return Ok(Outcome::Skipped { because });
        }
        AssignmentEnd::ReplacementFailed(position) => {
            let because = Cause::Subject(changes[position].subject.clone());
            return Ok(Outcome::Skipped { because });
        }
        AssignmentEnd::Refused(error) => {
            Error::service(format!("AWS did not {} {subject}", verb(change)), error)
        }
        AssignmentEnd::Unknown(error) => {
            let summary = format!("AWS may {} {subject}, and did not tell", verb(change));
            Error::service(summary, error).with_help("plan again: the plan shows what AWS has made")
        }
        AssignmentEnd::TimedOut => Error::new(
            ErrorKind::TimedOut,
            format!(
                "AWS has not ended the request to {} {subject} in time",
                verb(change)
            ),
        )
        .with_help("plan again: AWS may still make the change"),
        AssignmentEnd::Failed { reason } => Error::new(
            ErrorKind::Service,
            format!(
                "AWS could not {} {subject}: {}",
                verb(change),
                reason.as_deref().unwrap_or("no reason given")
            ),
        )
        .with_help("fix the cause, then run again"),
        _ => Error::new(ErrorKind::Service, format!("{change} has an unknown end")),
    })
}

/// Returns the id of the user or group of a change, if it was known at planning.
fn planned_principal(change: &Change) -> Option<&str> {
    let field = change
        .fields
        .iter()
        .find(|field| field.name == "principal")?;
    match (&field.before, &field.after) {
        (Value::Known(id), Value::Absent) | (_, Value::Known(id)) => Some(id),
        _ => None,
    }
}

/// Returns the verb of a change for a message.
fn verb(change: &Change) -> &'static str {
    match change.action {
        Action::Remove => "remove",
        _ => "create",
    }
}

impl Step for AccountAssignments {
    fn id(&self) -> StepId {
        ids::ACCOUNT_ASSIGNMENTS
    }

    fn title(&self) -> String {
        "Account assignments".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            if let Some(error) = caller::without_permission_sets(cx) {
                return Ok(cannot_assign(&self.blueprint, &error));
            }
            let access = self.expansion(cx).await?;
            let mut planned = Planned {
                problems: access.problems.clone(),
                notes: access.notes.clone(),
                selections: access.selections.clone(),
                hazards: access.selections.iter().filter_map(grown).collect(),
                ..Planned::default()
            };
            let management = ManagementOnly::read(&self.aws, cx).await?;
            let rows: Vec<Row<'_>> = access.rows().collect();
            let expired: Vec<Row<'_>> = access.expired().collect();
            let roles = rows.iter().chain(&expired).map(Role::of);
            let roles: Vec<Role<'_>> = roles.collect();
            let ledger = cx.ledger()?;
            let ledger = ledger.as_deref();
            let (mut ids, mut in_aws) = (Ids::known(cx), None);
            let reads = self.reads(cx);
            let principals = match &reads {
                Some(reads) => {
                    let (read, principals) =
                        Ids::read((&self.okta, &self.blueprint), &roles, reads, cx).await?;
                    ids = read;
                    Some(principals)
                }
                None => None,
            };
            let assignments = ids.assignments(&roles);
            if let (Some(reads), Some(principals)) = (&reads, principals) {
                let query = self.query();
                let read = InAws::read(reads, principals, &assignments, ledger, &query);
                in_aws = Some(read.await?);
            }
            let in_aws = in_aws.as_ref();
            let is_assigned = |assignment| in_aws.is_some_and(|in_aws| in_aws.has(assignment));
            let (wanted, ended) = assignments.split_at(rows.len());
            let mut names = Names::default();
            for (row, assignment) in rows.iter().zip(wanted) {
                let principal = ids.principals.get(row.principal);
                let action = if !is_assigned(*assignment) {
                    Action::Create
                } else if self.adopts(*assignment, ledger) {
                    Action::Adopt
                } else {
                    continue;
                };
                let change = change(action, row, principal, &mut names);
                plan_change(&mut planned, change, row, management.as_ref(), cx);
            }
            let mut removed = BTreeSet::new();
            for (row, assignment) in expired.iter().zip(ended) {
                if let Some(assignment) = assignment.filter(|one| is_assigned(Some(*one))) {
                    let principal = ids.principals.get(row.principal);
                    let change = change(Action::Remove, row, principal, &mut names);
                    let change = change.because(Note::new("expired", "the access has expired"));
                    let before = planned.changes.len();
                    plan_change(&mut planned, change, row, management.as_ref(), cx);
                    if planned.changes.len() > before {
                        removed.insert(assignment.to_assignment());
                    }
                }
            }
            if let Some(in_aws) = in_aws {
                let wanted = assignments.iter().flatten().copied().collect();
                let foreign = self.plan_foreign(&access, in_aws, &ids, &wanted, &mut planned, cx);
                removed.extend(foreign.await?);
                planned
                    .notes
                    .extend(without_ledger(&self.blueprint, ledger, cx));
                if in_aws.assignments.coverage().denied_by_principal {
                    planned.notes.push(caller::read_by_pair(cx));
                }
            }
            cx.run_memory::<RemovedAssignments>().plan(removed);
            planned.notes.extend(ids.notes());
            let principals = ids.principals.iter();
            let principals =
                principals.map(|(spec, principal)| (principal_id(principal), spec.clone()));
            cx.update_facts(|facts| {
                facts.selections.clone_from(&access.matches);
                facts.principals.extend(principals);
            });
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let assignment = self.target(change, cx).await?;
            if change.action == Action::Adopt {
                self.record(change, &assignment, cx);
                return Ok(Applied::Done);
            }
            let one = AssignmentChange {
                kind: kind(change),
                assignment,
            };
            let center = lookup::require_identity_center(&self.aws, cx)?;
            let mut run = center.assignments().run(vec![one.clone()]);
            loop {
                match run.next().await {
                    AssignmentRunEvent::Start(index) => run.start(index),
                    AssignmentRunEvent::Ended(_, end) => {
                        let outcome = outcome(change, end, &[change])?;
                        self.record(change, &one.assignment, cx);
                        debug_assert!(outcome.is_success(), "one change replaces nothing");
                        return Ok(Applied::Done);
                    }
                    AssignmentRunEvent::Stopped(error) => {
                        return Err(Error::service(
                            format!("the end of {change} is unknown"),
                            error,
                        ));
                    }
                    _ => {}
                }
            }
        })
    }

    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.apply_batch(batch, cx))
    }

    /// Each assignment is independent of the others, except for a removal and what replaces it.
    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(change.subject.clone())
    }

    fn hazards<'a>(
        &'a self,
        plan: &'a Plan,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<Hazard>>> {
        Box::pin(async move {
            let Some(center) = lookup::assignable_identity_center(&self.aws, cx) else {
                return Ok(Vec::new());
            };
            let access = self.expansion(cx).await?;
            let rows: Vec<Row<'_>> = access.rows().chain(access.expired()).collect();
            let roles: Vec<Role<'_>> = rows.iter().map(Role::of).collect();
            let services = Services {
                okta: &self.okta,
                aws: &self.aws,
                blueprint: &self.blueprint,
                center: &center,
            };
            access_hazards(&services, &roles, plan, cx).await
        })
    }

    fn access<'a>(
        &'a self,
        query: &'a AccessQuery,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Option<AccessSnapshot>>> {
        Box::pin(self.snapshot(query, cx))
    }

    fn drift<'a>(
        &'a self,
        query: &'a AccessQuery,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Drift>> {
        Box::pin(async move {
            let Some(access) = self.snapshot(query, cx).await? else {
                return Ok(Drift::from(self.plan(cx).await?));
            };
            match self.reads(cx) {
                Some(reads) => access_drift::findings(&self.blueprint, &access, &reads, cx).await,
                None => Ok(Drift::default()),
            }
        })
    }
}

/// Returns the change that creates or removes an assignment.
fn change<'a>(
    action: Action,
    row: &Row<'a>,
    principal: Option<&Principal>,
    names: &mut Names<'a>,
) -> Change {
    let name = row.account.name.clone();
    let name = name.unwrap_or_else(|| row.account.id.to_string());
    let principal = Value::known_or_after(principal.map(principal_id), &ids::ARRIVAL);
    let subject = Subject::Assignment {
        principal: match row.principal {
            PrincipalSpec::User(login) => plan::Principal::User {
                name: names.get(login),
            },
            PrincipalSpec::Group(name) => plan::Principal::Group {
                name: names.get(name),
            },
        },
        account: names.get(row.account.id.as_str()),
        permission_set: names.get(row.permission_set),
    };
    let change = Change::new(action, subject);
    match action {
        Action::Remove => change
            .field("account", Value::Known(name), Value::Absent)
            .field("principal", principal, Value::Absent),
        _ => change
            .with("account", name)
            .with_value("principal", principal),
    }
}

/// The names in a plan. Changes share them, because a large plan has hundreds of thousands.
#[derive(Default)]
struct Names<'a>(HashMap<&'a str, plan::Name>);

impl<'a> Names<'a> {
    fn get(&mut self, text: &'a str) -> plan::Name {
        let name = self.0.entry(text).or_insert_with(|| text.into());
        name.clone()
    }
}

/// Plans the change of a row, or makes a problem of it if only the management account may make it.
fn plan_change(
    planned: &mut Planned,
    change: Change,
    row: &Row<'_>,
    management: Option<&ManagementOnly>,
    cx: &Context,
) {
    let Some(management) = management else {
        planned.changes.push(change);
        return;
    };
    let name = row.permission_set;
    let set = cx.facts(|facts| facts.permission_sets.get(name).cloned());
    management.plan_assignment(planned, change, &row.account.id, (name, set.as_ref()));
}

/// Returns the plan for an instance without permission sets: one problem, if the blueprint gives access.
fn cannot_assign(blueprint: &Blueprint, error: &Error) -> Planned {
    let mut planned = Planned::default();
    if blueprint.entries().next().is_some() {
        planned.problems.push(plan::Problem::new(None, error));
    }
    planned
}

/// Returns the hazard of a selection that has grown.
fn grown(selection: &Selection) -> Option<Hazard> {
    selection.grown.then(|| Hazard::SelectionGrown {
        selector: selection.selector.clone(),
        accounts: selection
            .new
            .iter()
            .map(|account| account.id.clone())
            .collect(),
    })
}
