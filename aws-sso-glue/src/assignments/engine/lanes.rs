//! One queue per account.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{Action, Item, ItemIx};

/// The queues of all accounts. IAM Identity Center updates one role per account at a time, so each
/// account has at most one own operation.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    ready: BTreeSet<(Rank, u32)>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Queued>,
    /// Whether an own operation is outstanding.
    taken: bool,
    paused: bool,
    /// Whether the other accounts are chosen first.
    last: bool,
    /// The first of the conflicts since the last accepted operation.
    conflict_since: Option<Duration>,
    /// The place in `ready`.
    rank: Option<Rank>,
}

/// The order in which lanes are chosen: those that are not the last ones, then deletes, which remove access, then the longest queue,
/// so that no long queue remains at the end.
type Rank = (bool, bool, Reverse<usize>);

#[derive(Debug, Clone, Copy)]
struct Queued {
    item: ItemIx,
    delete: bool,
}

impl Lanes {
    pub(super) fn new(items: &[Item]) -> Self {
        let count = items.iter().map(|item| item.account as usize + 1).max();
        let mut lanes = Vec::new();
        lanes.resize_with(count.unwrap_or(0), Lane::default);
        Self {
            lanes,
            ready: BTreeSet::new(),
        }
    }

    /// Puts an item into the queue of its account. Deletes go first.
    pub(super) fn push(&mut self, item: Item, index: ItemIx) {
        let delete = item.action == Action::Delete;
        self.insert(item, index, delete);
    }

    /// Puts an item that was refused back to the front of its queue.
    pub(super) fn push_front(&mut self, item: Item, index: ItemIx) {
        self.insert(item, index, true);
    }

    /// Returns whether any account can start an operation now.
    pub(super) fn any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the next item, whose account then counts as taken.
    pub(super) fn pop(&mut self) -> Option<ItemIx> {
        let account = self.ready.first()?.1;
        let queued = self.lane(account)?.queue.pop_front();
        self.set_taken(account, true);
        queued.map(|queued| queued.item)
    }

    pub(super) fn set_taken(&mut self, account: u32, taken: bool) {
        self.update(account, |lane| lane.taken = taken);
    }

    pub(super) fn set_paused(&mut self, account: u32, paused: bool) {
        self.update(account, |lane| lane.paused = paused);
    }

    /// Chooses an account only if no other one can start an operation.
    pub(super) fn set_last(&mut self, account: u32) {
        self.update(account, |lane| lane.last = true);
    }

    /// Records a conflict and returns since when the account has had conflicts.
    pub(super) fn conflict(&mut self, account: u32, now: Duration) -> Duration {
        self.lane(account)
            .map_or(now, |lane| *lane.conflict_since.get_or_insert(now))
    }

    pub(super) fn accepted(&mut self, account: u32) {
        if let Some(lane) = self.lane(account) {
            lane.conflict_since = None;
        }
    }

    /// Returns the length of the longest queue. Visits all accounts.
    pub(super) fn longest(&self) -> usize {
        let lengths = self
            .lanes
            .iter()
            .map(|lane| lane.queue.len() + usize::from(lane.taken));
        lengths.max().unwrap_or(0)
    }

    fn insert(&mut self, item: Item, index: ItemIx, front: bool) {
        let queued = Queued {
            item: index,
            delete: item.action == Action::Delete,
        };
        self.update(item.account, |lane| {
            if front {
                lane.queue.push_front(queued);
            } else {
                lane.queue.push_back(queued);
            }
        });
    }

    fn lane(&mut self, account: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(account as usize)
    }

    fn update(&mut self, account: u32, change: impl FnOnce(&mut Lane)) {
        let Some(lane) = self.lanes.get_mut(account as usize) else {
            return;
        };
        change(lane);
        let rank = lane.ready_rank();
        if let Some(old) = std::mem::replace(&mut lane.rank, rank) {
            self.ready.remove(&(old, account));
        }
        if let Some(rank) = rank {
            self.ready.insert((rank, account));
        }
    }
}

impl Lane {
    fn ready_rank(&self) -> Option<Rank> {
        let next = self.queue.front()?;
        let ready = !self.taken && !self.paused;
        ready.then_some((self.last, !next.delete, Reverse(self.queue.len())))
    }
}
