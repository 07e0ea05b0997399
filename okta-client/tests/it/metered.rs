//! An org that counts requests as Okta does, with a latency, a clock of its own and other programs that
//! use the same rate limit.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{
    future::{BoxFuture, Either, join_all, select},
    pin_mut,
};
use http::{Request, Response};
use okta_client::{Client, ClientBuilder};
use rest_core::{Clock, ManualClock, Secret, Transport, TransportError};
use serde_json::json;

use super::{TOKEN, app_id, clock, json, privacy, with};

/// The requests of other programs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Foreign {
    None,
    /// One request in each of these intervals.
    Every(Duration),
    /// As many requests as the client, at once after each of its requests, until half of the window is used
    /// by them.
    HalfOfEachWindow,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) limit: u64,
    pub(crate) window: Duration,
    pub(crate) latency: Duration,
    pub(crate) foreign: Foreign,
    /// The largest number of concurrent requests.
    pub(crate) concurrency: usize,
    /// The time of the org's clock, ahead of the client's clock.
    pub(crate) ahead: Duration,
    /// Whether the reset is rounded down to whole seconds.
    pub(crate) rounds_down: bool,
}

impl Setup {
    /// 600 requests per minute, and a latency as between continents.
    pub(crate) const WORKFORCE: Self = Self {
        limit: 600,
        window: Duration::from_mins(1),
        latency: Duration::from_millis(150),
        foreign: Foreign::None,
        concurrency: 1000,
        ahead: Duration::from_millis(3_600_370),
        rounds_down: false,
    };
}

#[derive(Debug, Clone)]
pub(crate) struct Metered {
    clock: ManualClock,
    setup: Setup,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    window: Option<Window>,
    foreign_at: Duration,
    in_flight: usize,
    /// The end of the window of which a response with 0 remaining requests has arrived.
    silent_until: Duration,
    counts: Counts,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Duration,
    own: u64,
    foreign: u64,
}

/// The requests of the clients, as the org counts them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) answered: u64,
    pub(crate) throttled: u64,
    pub(crate) too_many_in_flight: u64,
    pub(crate) most_in_flight: usize,
    /// Requests that were sent although a response had said that none remain.
    pub(crate) sent_in_vain: u64,
    /// Refused requests of other programs.
    pub(crate) foreign_throttled: u64,
}

impl Metered {
    pub(crate) fn new(setup: Setup) -> Self {
        // This must run before the first trace event; see `Org::client_at`.
        privacy::start_log();
        Self {
            clock: clock(),
            setup,
            state: Arc::default(),
        }
    }

    pub(crate) fn builder(&self, token: &str) -> ClientBuilder {
        Client::builder("https://acme.okta.com", Secret::new(token))
            .transport(Arc::new(self.clone()))
            .clock(Arc::new(Unheld(self.clock.clone())))
    }

    pub(crate) fn client(&self) -> Client {
        self.builder(TOKEN).build().unwrap()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state.lock().unwrap().counts
    }

    /// Sends calls with each of these clients in `parallel` tasks, and returns the time until the last answer.
    pub(crate) async fn call(&self, clients: &[Client], parallel: usize, calls: u64) -> Duration {
        let left = Mutex::new(calls);
        let begin = self.clock.elapsed();
        let workers = clients
            .iter()
            .flat_map(|client| (0..parallel).map(move |_| client));
        let work = join_all(workers.map(|client| async {
            loop {
                {
                    let mut left = left.lock().unwrap();
                    if *left == 0 {
                        return;
                    }
                    *left -= 1;
                }
                client.apps().get(&app_id()).await.unwrap();
            }
        }));
        // The time moves to this deadline if no call sleeps or is in flight.
        let deadlock = self.clock.sleep(Duration::from_hours(1000));
        pin_mut!(work);
        if let Either::Right(_) = select(work, deadlock).await {
            panic!("the calls wait for each other: {:?}", self.counts());
        }
        self.clock.elapsed().saturating_sub(begin)
    }

    /// Returns the response to a request that is counted now, and the end of the window if no requests remain.
    fn process(&self, is_one_too_many: bool) -> (Response<Bytes>, Option<Duration>) {
        let now = self.clock.elapsed();
        let mut state = self.state.lock().unwrap();
        if is_one_too_many {
            state.counts.too_many_in_flight += 1;
            let reset = now + Duration::from_mins(1);
            return (self.response(now, 429, 0, 0, reset), None);
        }
        if let Foreign::Every(interval) = self.setup.foreign {
            while state.foreign_at + interval <= now {
                state.foreign_at += interval;
                let at = state.foreign_at;
                state.foreign_request(at, &self.setup);
            }
        }
        let is_accepted = state.window(now, &self.setup).take(&self.setup);
        let window = state.window(now, &self.setup);
        window.own += u64::from(is_accepted);
        if matches!(self.setup.foreign, Foreign::HalfOfEachWindow)
            && window.foreign < self.setup.limit / 2
        {
            state.foreign_request(now, &self.setup);
        }
        let window = *state.window(now, &self.setup);
        if is_accepted {
            state.counts.answered += 1;
        } else {
            state.counts.throttled += 1;
        }
        // A report has the number as it was when this request was counted.
        let remaining = self.setup.limit - window.own - window.foreign;
        let status = if is_accepted { 200 } else { 429 };
        let response = self.response(now, status, self.setup.limit, remaining, window.ends);
        (response, (remaining == 0).then_some(window.ends))
    }

    fn response(
        &self,
        now: Duration,
        status: u16,
        limit: u64,
        remaining: u64,
        reset: Duration,
    ) -> Response<Bytes> {
        let second = |time: Duration, up: bool| {
            let time = time + self.setup.ahead + Duration::from_hours(500_000);
            time.as_secs() + u64::from(up && time.subsec_nanos() > 0)
        };
        let body = match status {
            200 => json!({ "id": "0oa1" }),
            _ => {
                json!({ "errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests." })
            }
        };
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(second(now, false));
        let response = with(json(status, body), "date", &httpdate::fmt_http_date(date));
        let response = with(response, "x-rate-limit-limit", &limit.to_string());
        let response = with(response, "x-rate-limit-remaining", &remaining.to_string());
        let reset = second(reset, !self.setup.rounds_down);
        with(response, "x-rate-limit-reset", &reset.to_string())
    }
}

impl State {
    /// Returns the window at this time. A window begins with its first request.
    fn window(&mut self, now: Duration, setup: &Setup) -> &mut Window {
        self.window.take_if(|window| window.ends <= now);
        self.window.get_or_insert(Window {
            ends: now + setup.window,
            own: 0,
            foreign: 0,
        })
    }

    fn foreign_request(&mut self, at: Duration, setup: &Setup) {
        let window = self.window(at, setup);
        if window.take(setup) {
            window.foreign += 1;
        } else {
            self.counts.foreign_throttled += 1;
        }
    }
}

impl Window {
    fn take(&self, setup: &Setup) -> bool {
        self.own + self.foreign < setup.limit
    }
}

impl Transport for Metered {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_one_too_many = {
                let mut state = self.state.lock().unwrap();
                state.in_flight += 1;
                state.counts.most_in_flight = state.counts.most_in_flight.max(state.in_flight);
                state.counts.sent_in_vain += u64::from(self.clock.elapsed() < state.silent_until);
                state.in_flight > self.setup.concurrency
            };
            self.clock.sleep(self.setup.latency / 2).await;
            let (response, used_up_until) = self.process(is_one_too_many);
            self.clock.sleep(self.setup.latency / 2).await;
            let mut state = self.state.lock().unwrap();
            state.in_flight -= 1;
            state.silent_until = state.silent_until.max(used_up_until.unwrap_or_default());
            Ok(response)
        })
    }
}

/// A manual clock whose time moves while a request is in flight, because the org sleeps on it.
#[derive(Debug)]
struct Unheld(ManualClock);

impl Clock for Unheld {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn timeline(&self) -> Option<usize> {
        self.0.timeline()
    }
}
