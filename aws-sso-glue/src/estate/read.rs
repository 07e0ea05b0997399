//! Reads an [`Estate`] with few calls.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    future::Future,
    sync::Arc,
};

use futures::{
    FutureExt, Stream, StreamExt, TryStreamExt,
    future::{self, BoxFuture},
    stream,
};
use rest_core::{ItemError, Pager};

use super::{
    AssignmentTable, Coverage, CoverageLevel, Estate, FinishedList, Members, PermissionSetTable,
    Principals, ReadLog, SetInEstate, SetNames, Strategy,
    log::ListKey,
    rows::{AssignmentRef, AssignmentSet},
};
use crate::{
    AccountId, Assignment, Error, GroupId, IdentityCenter, IdentityUser, PermissionSetArn,
    Principal,
};

/// Reads an [`Estate`].
///
/// ```
/// # async fn run(center: aws_sso_glue::IdentityCenter) -> Result<(), aws_sso_glue::Error> {
/// use aws_sso_glue::estate::CoverageLevel;
///
/// let estate = center.estate().level(CoverageLevel::Full).read().await?;
/// for row in estate.assignments.iter() {
///     println!("{:?} has {} in {}", row.principal, row.permission_set, row.account);
/// }
/// println!("{}", estate.assignments.coverage());
/// # Ok(()) }
/// ```
///
/// # Calls
///
/// - `ListUsers`, `ListGroups` and `ListPermissionSets`: one call per 100 items;
/// - `DescribePermissionSet`: one call for each [wanted](Self::wanted_sets) set, and for each set whose name is not
///   [known](Self::names);
/// - the assignments: see [`Strategy`]. By pair, a call per set finds the accounts first.
#[derive(Clone)]
#[must_use = "nothing is read before `read` is called"]
pub struct EstateReader {
    center: IdentityCenter,
    level: CoverageLevel,
    users: BTreeSet<String>,
    sets: BTreeSet<String>,
    wanted_pairs: usize,
    by_principal: bool,
    pairs: bool,
    progress: Option<Arc<dyn Fn(ReadProgress) + Send + Sync>>,
    log: Option<Arc<dyn ReadLog>>,
}

/// How far the assignments of an [`Estate`] are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadProgress {
    /// The kind of calls.
    pub strategy: Strategy,
    /// Number of principals or pairs that were read.
    pub done: usize,
    /// Number of principals or pairs to read.
    pub total: usize,
}

impl IdentityCenter {
    /// Returns a reader of the instance's users, groups, permission sets and assignments.
    pub fn estate(&self) -> EstateReader {
        EstateReader {
            center: self.clone(),
            level: CoverageLevel::Groups,
            users: BTreeSet::new(),
            sets: BTreeSet::new(),
            wanted_pairs: 0,
            by_principal: true,
            pairs: false,
            progress: None,
            log: None,
        }
    }
}

impl EstateReader {
    /// Sets the principals whose assignments are read (default: [`CoverageLevel::Groups`]).
    pub fn level(mut self, level: CoverageLevel) -> Self {
        self.level = level;
        self
    }

    /// Adds users whose assignments are read also at [`CoverageLevel::Groups`], by user name.
    pub fn users(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.users
            .extend(names.into_iter().map(|name| name.into().to_lowercase()));
        self
    }

    /// Adds permission sets whose properties are read, by name.
    pub fn wanted_sets(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.sets.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets the number of pairs of permission set and account that the caller expects. With it, the reader can tell without
    /// a call that reading by principal is cheaper.
    pub fn wanted_pairs(mut self, pairs: usize) -> Self {
        self.wanted_pairs = pairs;
        self
    }

    /// Sets whether the caller may list the assignments of a principal (default: yes). If AWS refuses the first call, the
    /// reader reads by pair.
    pub fn by_principal(mut self, allowed: bool) -> Self {
        self.by_principal = allowed;
        self
    }

    /// Reads also the pairs of permission set and account in which AWS has provisioned the set: at least one call per set.
    ///
    /// A pair that no assignment explains is read too. It has an assignment of a user or group that was deleted, or of a user
    /// that was not read, or none at all.
    pub fn provisioned_pairs(mut self) -> Self {
        self.pairs = true;
        self
    }

    /// Adds names of permission sets that an earlier read has found.
    pub fn names(self, names: SetNames) -> Self {
        self.center.permission_sets().remember_names(names);
        self
    }

    /// Calls `progress` after each principal or pair.
    pub fn on_progress(mut self, progress: impl Fn(ReadProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Takes the lists of assignments that the log has from an earlier read, and keeps those that this read finishes there.
    pub fn log(mut self, log: Arc<dyn ReadLog>) -> Self {
        self.log = Some(log);
        self
    }

    /// Reads the estate.
    ///
    /// An item of a list that cannot be read does not fail the call; each table has the items that were not read.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses a call or does not answer.
    pub async fn read(&self) -> Result<Estate, Error> {
        let (principals, sets) =
            future::try_join(self.read_principals(), self.read_permission_sets()).await?;
        let assignments = self.read_assignments(&principals, &sets).await?;
        Ok(Estate {
            principals: Arc::new(principals),
            permission_sets: Arc::new(sets),
            assignments: Arc::new(assignments),
        })
    }

    /// Reads the users and groups.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn read_principals(&self) -> Result<Principals, Error> {
        let store = self.center.identity_store();
        let (users, groups) = future::try_join(
            store.users().collect_partial(),
            store.groups().collect_partial(),
        )
        .await?;
        let unread = [users.errors, groups.errors].concat();
        Ok(Principals::new(users.items, groups.items, unread))
    }

    /// Reads the permission sets.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn read_permission_sets(&self) -> Result<PermissionSetTable, Error> {
        let arns = self
            .center
            .permission_sets()
            .arns()
            .collect_partial()
            .await?;
        let sets = self.sets(arns.items).await?;
        Ok(PermissionSetTable::new(sets, arns.errors))
    }

    /// Reads the assignments of these groups, and of the users as the level says.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn read_assignments(
        &self,
        principals: &Principals,
        sets: &PermissionSetTable,
    ) -> Result<AssignmentTable, Error> {
        let is_named = |user: &&IdentityUser| self.users.contains(&user.user_name.to_lowercase());
        let is_full = self.level == CoverageLevel::Full;
        let users = principals.users().iter();
        let users = users.filter(|user| is_full || is_named(user));
        let groups = principals.groups().iter();
        let wanted: Vec<Principal> = groups
            .map(|group| Principal::Group(group.id.clone()))
            .chain(users.map(|user| Principal::User(user.id.clone())))
            .collect();
        let arns: Vec<&PermissionSetArn> = sets.iter().map(|set| &set.arn).collect();
        let found = self.assignments(wanted, &arns).await?;
        let users = principals.users().len();
        let users_read = match &found.read {
            None => users,
            Some(read) => {
                let users = read.iter().filter(|one| matches!(one, Principal::User(_)));
                users.count()
            }
        };
        let coverage = Coverage {
            level: if users_read >= users {
                CoverageLevel::Full
            } else {
                CoverageLevel::Groups
            },
            strategy: found.strategy,
            users_read,
            users_not_read: users.saturating_sub(users_read),
            unreadable: found.unread.len(),
            denied_by_principal: found.denied,
            from_log: found.from_log,
        };
        let mut table = AssignmentTable {
            rows: found.rows,
            read: found.read,
            provisioned: None,
            unread: found.unread,
            coverage,
        };
        match found.provisioned {
            Some(pairs) if self.pairs => self.read_unexplained(&mut table, pairs).await?,
            pairs => table.provisioned = pairs,
        }
        Ok(table)
    }

    /// Adds the pairs of permission set and account in which AWS has provisioned the set, as
    /// [`provisioned_pairs`](Self::provisioned_pairs) does. Reads nothing if the table has them.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn read_provisioned(
        &self,
        table: &mut AssignmentTable,
        sets: &PermissionSetTable,
    ) -> Result<(), Error> {
        if table.provisioned.is_some() {
            return Ok(());
        }
        let arns: Vec<&PermissionSetArn> = sets.iter().map(|set| &set.arn).collect();
        let pairs = self.pairs(&arns).await?;
        self.read_unexplained(table, pairs).await
    }

    /// Reads the provisioned pairs that no assignment of the table explains.
    async fn read_unexplained(
        &self,
        table: &mut AssignmentTable,
        pairs: Vec<(PermissionSetArn, AccountId)>,
    ) -> Result<(), Error> {
        if table.coverage.strategy == Strategy::ByPrincipal {
            let unexplained = table.rows.unexplained(&pairs);
            let read = self.read_lists(by_pair(unexplained), true).await?;
            table.rows.add(&read.rows);
            table.unread.extend(read.unread);
            table.coverage.unreadable = table.unread.len();
            table.coverage.from_log += read.from_log;
        }
        table.provisioned = Some(pairs);
        Ok(())
    }

    /// Reads the members of these groups, with one call per 100 members and at least one for each group. A group that does not
    /// exist has none.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn read_members(
        &self,
        groups: impl IntoIterator<Item = GroupId>,
    ) -> Result<Members, Error> {
        let lists = groups.into_iter().map(|group| {
            let center = self.center.clone();
            async move {
                let members = center.identity_store().members(&group).try_collect();
                let members = present(members).await?;
                Ok((group, members.unwrap_or_default()))
            }
            .boxed()
        });
        at_once(lists).try_collect().await
    }

    /// Reads again whether these assignments exist, and what belongs to the same principals or pairs.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    pub async fn refresh(
        &self,
        table: &mut AssignmentTable,
        assignments: &[Assignment],
    ) -> Result<(), Error> {
        let unread = match table.coverage.strategy {
            Strategy::ByPrincipal => {
                let principals: BTreeSet<&Principal> =
                    assignments.iter().map(|one| &one.principal).collect();
                let principals: Vec<Principal> = principals.into_iter().cloned().collect();
                let mut read = self.read_lists(by_principal(&principals), false).await?;
                let again: HashSet<&Principal> = principals.iter().collect();
                self.read_deleted(&mut read, assignments).await?;
                table
                    .rows
                    .replace(|row| again.contains(row.principal), &read.rows);
                table.add_read(principals);
                read.unread
            }
            Strategy::ByPair => {
                let pairs = assignments.iter();
                let pairs: BTreeSet<_> = pairs
                    .map(|one| (&one.permission_set, &one.account))
                    .collect();
                let owned = pairs.iter();
                let owned = owned.map(|&(set, account)| (set.clone(), account.clone()));
                let read = self.read_lists(by_pair(owned), false).await?;
                table.rows.replace(
                    |row| pairs.contains(&(row.permission_set, row.account)),
                    &read.rows,
                );
                read.unread
            }
        };
        table.unread.extend(unread);
        table.coverage.unreadable = table.unread.len();
        Ok(())
    }

    /// Reads the pairs of the assignments of principals for which AWS has no list, because they were deleted.
    async fn read_deleted(
        &self,
        read: &mut Lists,
        assignments: &[Assignment],
    ) -> Result<(), Error> {
        let deleted: HashSet<Principal> = std::mem::take(&mut read.deleted).into_iter().collect();
        let of_deleted = assignments
            .iter()
            .filter(|one| deleted.contains(&one.principal));
        let pairs: BTreeSet<_> = of_deleted
            .map(|one| (one.permission_set.clone(), one.account.clone()))
            .collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let found = self.read_lists(by_pair(pairs), false).await?;
        let rows = found.rows.iter();
        let rows = rows.filter(|row| deleted.contains(row.principal));
        let rows: Vec<Assignment> = rows.map(AssignmentRef::to_assignment).collect();
        read.rows.extend(&rows);
        read.unread.extend(found.unread);
        Ok(())
    }

    /// Returns the number of wanted sets.
    pub(super) fn wanted(&self) -> usize {
        self.sets.len()
    }

    pub(super) fn calls_per_second(&self) -> Option<usize> {
        self.center.aws().sso_admin_calls_per_second()
    }

    /// Returns the sets with their names, and with the properties of those that are wanted.
    async fn sets(&self, arns: Vec<PermissionSetArn>) -> Result<Vec<SetInEstate>, Error> {
        let described = arns.into_iter().map(|arn| {
            let center = self.center.clone();
            let known = center.permission_sets().cached_name(&arn);
            let known = known.filter(|name| !self.sets.contains(name));
            async move {
                if let Some(name) = known {
                    let details = None;
                    return Ok(Some(SetInEstate { arn, name, details }));
                }
                let details = center.permission_sets().get_opt(&arn).await?;
                Ok(details.map(|details| SetInEstate {
                    arn,
                    name: details.name.clone(),
                    details: Some(details),
                }))
            }
            .boxed()
        });
        let sets: Vec<Option<SetInEstate>> = at_once(described).try_collect().await?;
        Ok(sets.into_iter().flatten().collect())
    }

    async fn assignments(
        &self,
        principals: Vec<Principal>,
        sets: &[&PermissionSetArn],
    ) -> Result<Found, Error> {
        let mut provisioned = None;
        if self.pairs || !self.is_cheaper_by_principal(principals.len(), sets.len()) {
            provisioned = Some(self.pairs(sets).await?);
        }
        let pairs = provisioned.as_ref().map_or(usize::MAX, Vec::len);
        let mut denied = false;
        if self.by_principal && principals.len() <= pairs {
            match self.read_lists(by_principal(&principals), true).await {
                Err(error) if error.is_permission_denied() => denied = true,
                read => {
                    let read = read?;
                    return Ok(Found {
                        rows: read.rows,
                        unread: read.unread,
                        from_log: read.from_log,
                        read: Some(principals.into_iter().collect()),
                        provisioned,
                        strategy: Strategy::ByPrincipal,
                        denied,
                    });
                }
            }
        }
        let pairs = match provisioned {
            Some(pairs) => pairs,
            None => self.pairs(sets).await?,
        };
        let read = self
            .read_lists(by_pair(pairs.iter().cloned()), true)
            .await?;
        Ok(Found {
            rows: read.rows,
            unread: read.unread,
            from_log: read.from_log,
            read: None,
            provisioned: Some(pairs),
            strategy: Strategy::ByPair,
            denied,
        })
    }

    /// Returns whether reading by principal costs no more calls than reading by pair, which costs at least one call for each set
    /// and each pair.
    fn is_cheaper_by_principal(&self, principals: usize, sets: usize) -> bool {
        self.by_principal && principals <= sets.max(self.wanted_pairs)
    }

    /// Reads the accounts of each set.
    async fn pairs(
        &self,
        sets: &[&PermissionSetArn],
    ) -> Result<Vec<(PermissionSetArn, AccountId)>, Error> {
        let accounts = sets.iter().map(|&arn| {
            let (center, arn) = (self.center.clone(), arn.clone());
            async move {
                let accounts = center.permission_sets().accounts(&arn);
                let accounts = present(accounts.try_collect()).await?.unwrap_or_default();
                let pairs = accounts.into_iter().map(|account| (arn.clone(), account));
                Ok(pairs.collect::<Vec<_>>())
            }
            .boxed()
        });
        let pairs: Vec<Vec<_>> = at_once(accounts).try_collect().await?;
        Ok(pairs.concat())
    }

    /// Reads lists of assignments. With `logged`, the lists of the log are not read, and the others are added to it.
    async fn read_lists(&self, lists: Vec<ListKey>, logged: bool) -> Result<Lists, Error> {
        let total = lists.len();
        let log = self.log.as_ref().filter(|_| logged);
        let mut read = Lists::default();
        let mut left = Vec::with_capacity(total);
        for list in lists {
            match log.and_then(|log| log.take(&list)) {
                Some(found) => {
                    read.from_log += 1;
                    read.rows.push(&found.into_assignments());
                }
                None => left.push(list),
            }
        }
        let mut done = read.from_log;
        let mut lists = at_once(left.into_iter().map(|list| self.list(list)));
        while let Some((list, found)) = lists.try_next().await? {
            let is_deleted = found.is_none();
            let (items, errors) = found.unwrap_or_default();
            if let Some(log) = log
                && errors.is_empty()
            {
                log.keep(FinishedList::new(&list, &items)).await;
            }
            read.rows.push(&items);
            read.unread.extend(errors);
            done += 1;
            if let Some(progress) = &self.progress {
                progress(ReadProgress {
                    strategy: list.strategy(),
                    done,
                    total,
                });
            }
            if let (true, ListKey::Principal(principal)) = (is_deleted, list) {
                read.deleted.push(principal);
            }
        }
        read.rows.sort();
        Ok(read)
    }

    /// Reads a list; `None` if AWS has no such principal or permission set.
    fn list(&self, list: ListKey) -> Call<(ListKey, Option<ItemsAndErrors<Assignment>>)> {
        let center = self.center.clone();
        async move {
            let found = match &list {
                ListKey::Principal(principal) => {
                    let found = partial(center.assignments().for_principal(principal)).await?;
                    found.map(|(mut rows, errors)| {
                        // For a user, AWS can also return the assignments of the user's groups.
                        rows.retain(|row: &Assignment| row.principal == *principal);
                        (rows, errors)
                    })
                }
                ListKey::Pair(set, account) => {
                    let found = partial(center.assignments().list(account, set)).await?;
                    let row = |principal| Assignment {
                        account: account.clone(),
                        permission_set: set.clone(),
                        principal,
                    };
                    found.map(|(principals, errors)| {
                        (principals.into_iter().map(row).collect(), errors)
                    })
                }
            };
            Ok((list, found))
        }
        .boxed()
    }
}

fn by_principal(principals: &[Principal]) -> Vec<ListKey> {
    principals.iter().cloned().map(ListKey::Principal).collect()
}

fn by_pair(pairs: impl IntoIterator<Item = (PermissionSetArn, AccountId)>) -> Vec<ListKey> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(set, account)| ListKey::Pair(set, account))
        .collect()
}

impl fmt::Debug for EstateReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstateReader")
            .field("level", &self.level)
            .field("users", &self.users)
            .field("sets", &self.sets)
            .finish_non_exhaustive()
    }
}

/// Lists of assignments that were read.
#[derive(Default)]
struct Lists {
    rows: AssignmentSet,
    unread: Vec<ItemError>,
    /// The principals that AWS does not have.
    deleted: Vec<Principal>,
    /// Number of lists of an earlier read.
    from_log: usize,
}

/// The assignments as they were read.
struct Found {
    rows: AssignmentSet,
    unread: Vec<ItemError>,
    from_log: usize,
    read: Option<HashSet<Principal>>,
    provisioned: Option<Vec<(PermissionSetArn, AccountId)>>,
    strategy: Strategy,
    denied: bool,
}

type ItemsAndErrors<T> = (Vec<T>, Vec<ItemError>);

/// Reads a list; `None` if it is of something that was deleted.
async fn partial<T>(list: Pager<T, Error>) -> Result<Option<ItemsAndErrors<T>>, Error> {
    let list = present(list.collect_partial()).await?;
    Ok(list.map(|list| (list.items, list.errors)))
}

async fn present<T>(read: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
    match read.await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A call, or the calls of one list.
type Call<T> = BoxFuture<'static, Result<T, Error>>;

/// Sends calls side by side, and returns their results in order.
fn at_once<T>(calls: impl Iterator<Item = Call<T>>) -> impl Stream<Item = Result<T, Error>> {
    // A collection, because a future that owns a borrowing iterator cannot be shown to be `Send`.
    stream::iter(calls.collect::<Vec<_>>()).buffered(CONCURRENT_CALLS)
}

/// A call takes about a third of a second, so 8 concurrent calls use up the rate of about 20 per second.
const CONCURRENT_CALLS: usize = 8;
