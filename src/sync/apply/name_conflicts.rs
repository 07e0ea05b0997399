//! Names that wait for each other.
//!
//! A name belongs to one user or group at a time, and with AWS an email address does too. Where A is to get the name
//! that B has, and B another, B goes first; where they swap, one of them has a name in between that nobody wants.

mod changes;

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use scim_client::Error as ScimError;
use scim_types::{ExternalId, PatchOp, PatchOperation, User};

use changes::unique;

use super::{GroupChange, ResourceId, Run, UserChange, retry_undecodable, run_all, target};
use crate::sync::{UserProfile, plan::Counts};

/// One thing that is done to the target.
pub(super) trait Change: Sync {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>>;

    /// What is done, to whom.
    fn what(&self) -> String;

    fn count(&self, done: &mut Counts);

    /// What it is to be called, in every way that has to be unique.
    fn wanted(&self) -> Vec<String>;

    /// Whether it takes something away and may give up names by that.
    fn releases_names(&self) -> bool {
        false
    }

    /// Notes that it is done before its turn.
    fn mark_applied_early(&self, _: &Run<'_>) {}

    /// What is there already, and is called otherwise than it will be perhaps.
    fn named<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<Option<Named>, ScimError>>;
}

/// A change that was refused because of something that is there.
pub(super) struct Blocked<'c, C> {
    pub(super) change: &'c C,
    pub(super) error: ScimError,
}

/// A user or a group of the target, and what it is called.
pub(super) enum Named {
    User {
        id: ResourceId,
        external_id: ExternalId,
        user: Box<User>,
        wanted: Box<UserProfile>,
    },
    Group {
        id: ResourceId,
        name: String,
        wanted: String,
    },
}

impl Named {
    fn names(&self) -> Vec<String> {
        match self {
            Self::User { user, .. } => unique(&UserProfile::of(user)),
            Self::Group { name, .. } => vec![name.to_lowercase()],
        }
    }
}

/// A change that is still blocked, and what is known of it.
struct Waiting<'c, C> {
    change: &'c C,
    error: ScimError,
    /// What is called otherwise than it will be.
    named: Option<Named>,
    wanted: Vec<String>,
    /// It was tried when nobody who waits was in its way, and something else is.
    stuck: bool,
    aside: bool,
}

impl Run<'_> {
    /// Tries each again once nobody who waits is in its way. Where all of a ring wait for each other, one is moved aside;
    /// it gets its name back if that was of no use.
    pub(super) async fn resolve_conflicts<C: Change>(&self, blocked: Vec<Blocked<'_, C>>) {
        let mut waiting: Vec<Waiting<'_, C>> = blocked
            .into_iter()
            .map(|Blocked { change, error }| Waiting {
                wanted: change.wanted(),
                change,
                error,
                named: None,
                stuck: false,
                aside: false,
            })
            .collect();
        self.look(&mut waiting).await;
        while !waiting.is_empty() {
            let free = free(&waiting);
            if !free.is_empty() {
                self.each_again(&mut waiting, &free).await;
                continue;
            }
            let Some((first, held)) = find_cycle(&waiting) else {
                break;
            };
            let one = &mut waiting[first];
            if let Some(named) = &one.named {
                match self.call(named, Some(&held)).await {
                    Ok(()) => one.aside = true,
                    Err(error) => {
                        one.error = error;
                        one.stuck = true;
                    }
                }
            }
        }
        // Something that could not be seen may be out of the way by now.
        let all: Vec<usize> = (0..waiting.len()).collect();
        self.each_again(&mut waiting, &all).await;
        for one in waiting {
            self.record_result(Err(one.error), one.change);
            if let Some(named) = one.named.filter(|_| one.aside)
                && let Err(error) = self.call(&named, None).await
            {
                self.record_result(Err(error), one.change);
            }
        }
    }

    /// Finds out what those who wait are called now. Who cannot be read is in no ring that could be seen.
    async fn look<C: Change>(&self, waiting: &mut [Waiting<'_, C>]) {
        let mut work: Vec<BoxFuture<'_, Option<(usize, Named)>>> = Vec::new();
        for (place, one) in waiting.iter().enumerate() {
            let change = one.change;
            work.push(Box::pin(async move {
                Some((place, change.named(self).await.ok().flatten()?))
            }));
        }
        for (place, named) in run_all(work, target::width(self.scim)).await {
            waiting[place].named = Some(named);
        }
    }

    /// Tries some of it again; what is done, or fails for another reason, waits no more.
    async fn each_again<C: Change>(&self, waiting: &mut Vec<Waiting<'_, C>>, places: &[usize]) {
        let changes: Vec<&C> = places.iter().map(|place| waiting[*place].change).collect();
        let blocked = self.each(&changes).await;
        let mut blocked: HashMap<*const C, ScimError> = blocked
            .into_iter()
            .map(|Blocked { change, error }| (std::ptr::from_ref(change), error))
            .collect();
        let tried: HashSet<*const C> = changes.into_iter().map(std::ptr::from_ref).collect();
        waiting.retain_mut(|one| {
            let place = std::ptr::from_ref(one.change);
            if !tried.contains(&place) {
                return true;
            }
            let error = blocked.remove(&place);
            let waits = error.is_some();
            if let Some(error) = error {
                one.error = error;
                one.stuck = true;
            }
            waits
        });
    }

    /// Calls something by its old names; or moves it aside: by its new ones where nobody of those who wait has them, and
    /// with something before the old ones where somebody has.
    async fn call(&self, named: &Named, held: Option<&HashSet<String>>) -> Result<(), ScimError> {
        let called = |old: &str, new: &str| match held {
            None => old.to_owned(),
            Some(held) if held.contains(&new.to_lowercase()) => format!("{TEMPORARY_PREFIX}{old}"),
            Some(_) => new.to_owned(),
        };
        match named {
            Named::User {
                id,
                external_id,
                user,
                wanted,
            } => {
                let old = UserProfile::of(user);
                let email = match (&old.email, &wanted.email) {
                    (Some(old), Some(new)) => Some(called(old, new)),
                    (Some(_), None) if held.is_some() => None,
                    (old, _) => old.clone(),
                };
                let profile = UserProfile {
                    user_name: called(&old.user_name, &wanted.user_name),
                    email,
                    ..old
                };
                let written = profile.written_onto(user.as_ref().clone(), external_id);
                retry_undecodable(|| async { self.scim.users().replace(id, &written).await })
                    .await?;
            }
            Named::Group { id, name, wanted } => {
                let name = called(name, wanted);
                let patch: PatchOp = PatchOperation::replace("displayName", name).into();
                retry_undecodable(|| async { self.scim.groups().patch(id, &patch).await }).await?;
            }
        }
        Ok(())
    }
}

/// Who of those who wait has which name.
fn holders<C>(waiting: &[Waiting<'_, C>]) -> HashMap<String, usize> {
    let mut holders = HashMap::new();
    for (place, one) in waiting.iter().enumerate() {
        let held = one.named.as_ref().filter(|_| !one.aside).map(Named::names);
        holders.extend(held.into_iter().flatten().map(|name| (name, place)));
    }
    holders
}

/// Those in whose way nobody is who waits, and nobody else as far as that is known.
fn free<C>(waiting: &[Waiting<'_, C>]) -> Vec<usize> {
    let holders = holders(waiting);
    (0..waiting.len())
        .filter(|place| {
            let one = &waiting[*place];
            let mut held = one.wanted.iter().filter_map(|name| holders.get(name));
            !one.stuck && held.all(|other| other == place)
        })
        .collect()
}

/// The first who may be moved aside of those who wait for each other all around, and which names others than it have.
///
/// Who wants a name besides that nobody of them has goes first: it gets that name at once, or it shows that a stranger has
/// it, before anybody has given up a name for it.
fn find_cycle<C>(waiting: &[Waiting<'_, C>]) -> Option<(usize, HashSet<String>)> {
    let holders = holders(waiting);
    let waits_for = |place: usize| {
        let wanted = waiting[place].wanted.iter();
        let others = wanted.filter_map(|name| holders.get(name));
        others.copied().filter(move |other| *other != place)
    };
    let in_a_cycle = |first: usize| {
        if waiting[first].aside || waiting[first].stuck {
            return false;
        }
        let (mut seen, mut is_cycle) = (HashSet::new(), false);
        let mut next: Vec<usize> = waits_for(first).collect();
        while let Some(place) = next.pop() {
            if waiting[place].stuck {
                // Who waits for one that gets no further gets no further either.
                return false;
            }
            is_cycle |= place == first;
            if seen.insert(place) {
                next.extend(waits_for(place));
            }
        }
        is_cycle
    };
    let doubtful = |place: &usize| {
        let wanted = &waiting[*place].wanted;
        !wanted.iter().all(|name| holders.contains_key(name))
    };
    let (doubtful, sure): (Vec<usize>, Vec<usize>) = (0..waiting.len()).partition(doubtful);
    let first = doubtful
        .into_iter()
        .chain(sure)
        .find(|place| in_a_cycle(*place))?;
    let held = holders
        .into_iter()
        .filter_map(|(name, place)| (place != first).then_some(name));
    Some((first, held.collect()))
}

/// Before the names of who is moved aside: nobody wants such a name, and who sees it knows what goes on.
const TEMPORARY_PREFIX: &str = "renaming-";
