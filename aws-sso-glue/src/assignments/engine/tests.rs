mod rules;
mod scenarios;
mod simulator;

use std::time::Duration;

use super::{Action, End, Engine, FailedList, Item, ItemIx, Next, Refusal, Settings};

/// An engine whose requests a test answers. The request id of an operation is the number of its
/// item.
struct Bench {
    engine: Engine<u32, &'static str>,
    now: Duration,
}

impl Bench {
    fn new(items: &[Item]) -> Self {
        Self::with(items, Settings::default())
    }

    fn with(items: &[Item], settings: Settings) -> Self {
        let engine = Engine::new(items, settings);
        Self {
            engine,
            now: Duration::ZERO,
        }
    }

    /// Returns the requests that are due.
    fn requests(&mut self) -> Vec<Next<u32>> {
        let next = || match self.engine.next(self.now) {
            Next::Wait(_) | Next::Done => None,
            next => Some(next),
        };
        std::iter::from_fn(next).collect()
    }

    /// Returns the items to send, and drops all other requests.
    fn sends(&mut self) -> Vec<ItemIx> {
        let sent = |next| match next {
            Next::Send(item) => Some(item),
            _ => None,
        };
        self.requests().into_iter().filter_map(sent).collect()
    }

    fn start(&mut self, items: &[ItemIx]) {
        for item in items {
            self.engine.on_started(self.now, *item, *item);
        }
    }

    fn refuse(&mut self, item: ItemIx, refusal: Refusal) {
        self.engine.on_refused(self.now, item, refusal, "refused");
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    /// Lets time pass until a request is due, and returns the requests.
    fn next_requests(&mut self) -> Vec<Next<u32>> {
        loop {
            let requests = self.requests();
            if !requests.is_empty() {
                return requests;
            }
            match self.engine.next(self.now) {
                Next::Wait(Some(time)) => self.now = time,
                other => panic!("no request is due: {other:?}"),
            }
        }
    }

    /// Lets time pass until the list of operations in progress is due, and answers it.
    fn list(&mut self, action: Action, ids: &[u32]) {
        while !self.next_requests().contains(&Next::ListInProgress(action)) {}
        self.engine
            .on_in_progress(self.now, action, Some(ids.to_vec()));
    }

    /// Lets time pass until the list of failures is due, and answers it.
    fn list_failed(&mut self, action: Action, ids: &[u32]) {
        while !self.next_requests().contains(&Next::ListFailed(action)) {}
        self.answer_failed(action, ids, true);
    }

    fn answer_failed(&mut self, action: Action, ids: &[u32], complete: bool) {
        let list = FailedList {
            ids: ids.to_vec(),
            complete,
        };
        self.engine.on_failed_list(self.now, action, Some(list));
    }

    fn next_requests_or_done(&mut self) {
        if self.engine.next(self.now) != Next::Done {
            self.next_requests();
        }
    }

    fn sends_next(&mut self) -> ItemIx {
        loop {
            if let Some(Next::Send(item)) = self.next_requests().first() {
                return *item;
            }
        }
    }

    fn ended(&mut self) -> Vec<(ItemIx, End<&'static str>)> {
        self.engine.drain_ended().collect()
    }

    fn limit(&self) -> u32 {
        self.engine.progress().limit
    }
}

fn fixed_limit(limit: u32) -> Settings {
    Settings {
        start_limit: limit,
        max_limit: limit,
        ..Settings::default()
    }
}

fn item(action: Action, account: u32, permission_set: u32, principal: u32) -> Item {
    Item {
        action,
        account,
        permission_set,
        principal,
    }
}

/// Returns creates of different principals, spread over accounts.
fn creates(count: u32, accounts: u32) -> Vec<Item> {
    (0..count)
        .map(|index| item(Action::Create, index % accounts, index / accounts, index))
        .collect()
}
