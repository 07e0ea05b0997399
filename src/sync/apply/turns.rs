//! Names that wait for each other.
//!
//! A name belongs to one user or group at a time, and with AWS an email address does too. Where A is to get the name
//! that B has, and B another, B goes first; where they swap, one of them has a name in between that nobody wants.

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use scim_client::Error as ScimError;
use scim_types::{ExternalId, PatchOp, PatchOperation, User};

use super::{GroupChange, ResourceId, Run, UserChange, again};
use crate::sync::{Profile, plan::Counts};

/// One thing that is done to the target.
pub(super) trait Change: Sync {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>>;

    /// What is done, to whom.
    fn what(&self) -> String;

    fn count(&self, done: &mut Counts);

    /// What it is to be called, in every way that has to be unique.
    fn wanted(&self) -> Vec<String>;

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
    },
    Group {
        id: ResourceId,
        name: String,
    },
}

impl Named {
    fn names(&self) -> Vec<String> {
        match self {
            Self::User { user, .. } => unique(&Profile::of(user)),
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
    aside: bool,
}

impl Run<'_> {
    /// Tries again for as long as that moves somebody out of another's way. Where all of a ring wait for each other, one
    /// is moved aside; it gets its name back if that was of no use.
    pub(super) async fn in_turns<C: Change>(&self, blocked: Vec<Blocked<'_, C>>) {
        let mut waiting: Vec<Waiting<'_, C>> = blocked
            .into_iter()
            .map(|Blocked { change, error }| Waiting {
                change,
                error,
                named: None,
                aside: false,
            })
            .collect();
        let mut looked = false;
        while !waiting.is_empty() {
            let before = waiting.len();
            self.each_again(&mut waiting).await;
            if waiting.len() < before {
                continue;
            }
            if !std::mem::replace(&mut looked, true) {
                for one in &mut waiting {
                    // Who cannot be read now is in no ring that could be seen.
                    one.named = one.change.named(self).await.unwrap_or_default();
                }
            }
            let Some(first) = first_of_a_ring(&waiting) else {
                break;
            };
            let one = &mut waiting[first];
            if let Some(named) = &one.named
                && let Err(error) = self.call(named, Some(MOVING)).await
            {
                one.error = error;
                break;
            }
            one.aside = true;
        }
        for one in waiting {
            self.judge(Err(one.error), one.change);
            if let Some(named) = one.named.filter(|_| one.aside)
                && let Err(error) = self.call(&named, None).await
            {
                self.judge(Err(error), one.change);
            }
        }
    }

    /// Tries all of it again; what is done, or fails for another reason, waits no more.
    async fn each_again<C: Change>(&self, waiting: &mut Vec<Waiting<'_, C>>) {
        let changes: Vec<&C> = waiting.iter().map(|one| one.change).collect();
        let mut blocked = self.each(&changes).await;
        waiting.retain_mut(|one| {
            let place = blocked
                .iter()
                .position(|blocked| std::ptr::eq(blocked.change, one.change));
            if let Some(place) = place {
                one.error = blocked.swap_remove(place).error;
            }
            place.is_some()
        });
    }

    /// Calls something by its old names, with something before them if it is moved aside.
    async fn call(&self, named: &Named, before: Option<&str>) -> Result<(), ScimError> {
        let called = |name: &str| format!("{}{name}", before.unwrap_or_default());
        match named {
            Named::User {
                id,
                external_id,
                user,
            } => {
                let old = Profile::of(user);
                let profile = Profile {
                    user_name: called(&old.user_name),
                    email: old.email.as_deref().map(called),
                    ..old
                };
                let written = profile.written_onto(user.as_ref().clone(), external_id);
                again(|| async { self.scim.users().replace(id, &written).await }).await?;
            }
            Named::Group { id, name } => {
                let patch: PatchOp = PatchOperation::replace("displayName", called(name)).into();
                again(|| async { self.scim.groups().patch(id, &patch).await }).await?;
            }
        }
        Ok(())
    }
}

/// The first who may be moved aside of those who wait for each other all around.
///
/// What it is to be called has to be given up by others who wait: what a stranger has, is free never, and its own names
/// may be somebody else's by the time that shows.
fn first_of_a_ring<C: Change>(waiting: &[Waiting<'_, C>]) -> Option<usize> {
    let mut holder: HashMap<String, usize> = HashMap::new();
    for (place, one) in waiting.iter().enumerate() {
        let held = one.named.as_ref().filter(|_| !one.aside).map(Named::names);
        holder.extend(held.into_iter().flatten().map(|name| (name, place)));
    }
    let wanted: Vec<Vec<String>> = waiting.iter().map(|one| one.change.wanted()).collect();
    let waits_for = |place: usize| {
        let holders = wanted[place].iter().filter_map(|name| holder.get(name));
        holders.copied().filter(move |other| *other != place)
    };
    (0..waiting.len()).find(|first| {
        if waiting[*first].aside || !wanted[*first].iter().all(|name| holder.contains_key(name)) {
            return false;
        }
        let mut seen = HashSet::new();
        let mut next: Vec<usize> = waits_for(*first).collect();
        while let Some(place) = next.pop() {
            if place == *first {
                return true;
            }
            if seen.insert(place) {
                next.extend(waits_for(place));
            }
        }
        false
    })
}

/// What has to be unique of a user.
fn unique(profile: &Profile) -> Vec<String> {
    let names = [Some(&profile.user_name), profile.email.as_ref()];
    names
        .into_iter()
        .flatten()
        .map(|name| name.to_lowercase())
        .collect()
}

impl Change for UserChange {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.user(self))
    }

    fn what(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Delete(_) => "delete",
            _ if self.removes() => "deactivate",
            _ => "update",
        };
        format!("{verb} user {}", self.name())
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.users_created += 1,
            Self::Delete(_) => done.users_deleted += 1,
            _ if self.removes() => done.users_deactivated += 1,
            _ => done.users_updated += 1,
        }
    }

    fn wanted(&self) -> Vec<String> {
        match self {
            Self::Create { profile, .. } | Self::Update { profile, .. } => unique(profile),
            Self::Deactivate(_) | Self::Delete(_) => Vec::new(),
        }
    }

    fn named<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<Option<Named>, ScimError>> {
        Box::pin(async move {
            let Self::Update {
                id,
                external_id,
                base,
                ..
            } = self
            else {
                return Ok(None);
            };
            let user = match &base.0 {
                Some(user) => user.clone(),
                None => Box::new(run.scim.users().get(id).await?),
            };
            Ok(Some(Named::User {
                id: id.clone(),
                external_id: external_id.clone(),
                user,
            }))
        })
    }
}

impl Change for GroupChange {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.group(self))
    }

    fn what(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete(_) => "delete",
        };
        format!("{verb} group {}", self.name())
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.groups_created += 1,
            Self::Update { .. } => done.groups_updated += 1,
            Self::Delete(_) => done.groups_deleted += 1,
        }
    }

    fn wanted(&self) -> Vec<String> {
        match self {
            Self::Create { name, .. } | Self::Update { name, .. } => vec![name.to_lowercase()],
            Self::Delete(_) => Vec::new(),
        }
    }

    fn named<'r>(&'r self, _: &'r Run<'_>) -> BoxFuture<'r, Result<Option<Named>, ScimError>> {
        let named = match self {
            Self::Update {
                id,
                renamed_from: Some(name),
                ..
            } => Some(Named::Group {
                id: id.clone(),
                name: name.clone(),
            }),
            _ => None,
        };
        Box::pin(std::future::ready(Ok(named)))
    }
}

/// Before the names of who is moved aside: nobody wants such a name, and who sees it knows what goes on.
const MOVING: &str = "renaming-";
