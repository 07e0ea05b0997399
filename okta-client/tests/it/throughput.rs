//! Tests of the pace of calls: no request is throttled, and little of a limit is left unused.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "small numbers; `--nocapture` shows the measured figures"
)]

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use okta_client::{Call, Client, Secret};
use proptest::prelude::*;
use rest_core::Clock as _;
use sandbox::{OktaRateLimits, Sandbox};

use super::{
    TOKEN,
    metered::{Counts, Foreign, Metered, Setup},
};

const CALLS: u64 = 5000;
/// Eight windows of 600 requests pass before the last 200 requests can be sent.
const MINIMUM: Duration = Duration::from_mins(8);

#[track_caller]
fn check_pace(what: &str, org: &Metered, took: Duration) {
    let share = took.as_secs_f64() / MINIMUM.as_secs_f64();
    println!(
        "{what}: {took:?}, {share:.4} of the minimum, {:?}",
        org.counts()
    );
    assert_eq!(org.counts().throttled, 0);
    assert_eq!(org.counts().sent_in_vain, 0);
    assert_eq!(org.counts().answered, CALLS);
    assert!(share <= 1.02, "{share}");
}

#[tokio::test]
async fn no_call_of_5000_is_throttled_and_they_take_the_time_of_the_limit() {
    for (what, parallel) in [("8 tasks", 8), ("5000 tasks", 5000)] {
        let org = Metered::new(Setup::WORKFORCE);
        let took = org.call(&[org.client()], parallel, CALLS).await;
        check_pace(what, &org, took);
    }
}

#[tokio::test]
async fn clones_and_separate_clients_of_one_token_count_together() {
    let org = Metered::new(Setup::WORKFORCE);
    let client = org.client();
    let clones = [0; 4].map(|_| client.clone());
    let took = org.call(&clones, 5, CALLS).await;
    check_pace("4 clones", &org, took);

    let org = Metered::new(Setup::WORKFORCE);
    let separate = [0; 4].map(|_| org.client());
    let took = org.call(&separate, 5, CALLS).await;
    check_pace("4 separate clients", &org, took);
}

/// Returns the time in which the limit and the latency allow the calls, as a part of the time that they took.
fn ratio(what: &str, org: &Metered, setup: Setup, parallel: usize, took: Duration) -> f64 {
    let window = setup.window.as_secs_f64();
    let foreign = match setup.foreign {
        Foreign::None => 0.0,
        Foreign::HalfOfEachWindow => setup.limit as f64 / 2.0,
        Foreign::Every(interval) => window / interval.as_secs_f64(),
    };
    let possible = window / setup.latency.as_secs_f64() * parallel as f64;
    let of_each_window = (setup.limit as f64 - foreign).min(possible).floor();
    let answered = org.counts().answered as f64;
    let full = ((answered - 1.0) / of_each_window).floor();
    let rest = answered - full * of_each_window;
    let minimum = full * window + rest / possible * window;
    let ratio = minimum / took.as_secs_f64();
    println!(
        "{what}: {took:?}, {ratio:.3} of the possible throughput, {:?}",
        org.counts()
    );
    ratio
}

/// Each client has a token of its own and knows nothing of the others, as in four processes.
#[tokio::test]
async fn four_processes_with_one_limit_are_not_throttled() {
    let org = Metered::new(Setup::WORKFORCE);
    let tokens = ["00a", "00b", "00c", "00d"];
    let clients = tokens.map(|token| org.builder(token).build().unwrap());
    let took = org.call(&clients, 5, CALLS).await;
    assert!(ratio("4 processes", &org, Setup::WORKFORCE, 20, took) > 0.95);
    assert_eq!(org.counts().throttled, 0);
}

#[tokio::test]
async fn other_programs_that_use_half_of_each_window_cause_no_throttled_call() {
    let setup = Setup {
        foreign: Foreign::HalfOfEachWindow,
        ..Setup::WORKFORCE
    };
    let org = Metered::new(setup);
    let took = org.call(&[org.client()], 8, CALLS).await;
    assert!(ratio("half for others", &org, setup, 8, took) > 0.95);
    assert_eq!(org.counts().throttled, 0);
}

#[tokio::test]
async fn a_share_of_the_limit_leaves_the_rest_to_other_programs() {
    let setup = Setup {
        foreign: Foreign::Every(Duration::from_millis(210)),
        ..Setup::WORKFORCE
    };
    let org = Metered::new(setup);
    let client = org.builder(TOKEN).rate_limit_share(0.5).build().unwrap();
    let took = org.call(&[client], 8, 2000).await;
    // Six windows of 300 requests pass before the last 200 requests.
    assert!(took >= Duration::from_mins(6), "{took:?}");
    assert!(took <= Duration::from_secs(375), "{took:?}");
    assert_eq!(org.counts().throttled, 0);
    assert_eq!(org.counts().foreign_throttled, 0);
}

#[tokio::test]
async fn until_the_first_answer_of_a_bucket_two_calls_are_in_flight() {
    let org = Metered::new(Setup::WORKFORCE);
    org.call(&[org.client()], 8, 2).await;
    assert_eq!(org.counts().most_in_flight, 2);
    let org = Metered::new(Setup {
        limit: 2,
        ..Setup::WORKFORCE
    });
    org.call(&[org.client()], 8, 8).await;
    assert_eq!(org.counts().throttled, 0);
}

#[tokio::test]
async fn the_number_of_concurrent_calls_adapts_to_that_which_the_org_accepts() {
    let setup = Setup {
        limit: 100_000,
        concurrency: 3,
        ..Setup::WORKFORCE
    };
    let org = Metered::new(setup);
    let took = org.call(&[org.client()], 10, 4000).await;
    let Counts {
        answered,
        too_many_in_flight,
        ..
    } = org.counts();
    // With three calls at a time, they take 200 s. One more is tried every 10 s.
    println!("concurrency: {took:?}, {:?}", org.counts());
    assert_eq!(answered, 4000);
    assert!(too_many_in_flight <= 100, "{too_many_in_flight}");
    assert!(took <= Duration::from_secs(220), "{took:?}");
}

/// Okta documents 60 s.
#[tokio::test]
async fn a_window_that_is_a_little_longer_than_documented_costs_two_throttled_calls_once() {
    for seconds in [61, 62, 63] {
        let window = Duration::from_secs(seconds);
        let org = Metered::new(Setup {
            window,
            ..Setup::WORKFORCE
        });
        org.call(&[org.client()], 8, 2000).await;
        assert!(org.counts().throttled <= 2, "{:?}", org.counts());
    }
}

#[tokio::test]
async fn a_sandbox_with_600_requests_a_minute_throttles_no_call_of_5000() {
    let sandbox = Sandbox::builder()
        .clock(sandbox::Clock::Manual(
            "2027-01-15T08:00:00Z".parse().unwrap(),
        ))
        .rate_limits(OktaRateLimits::Workforce)
        .start()
        .await
        .unwrap();
    let clock = super::clock();
    clock.on_sleep(sandbox.advance_fn());
    let client = Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let calls = (0..CALLS).map(|_| client.send(Call::get(["api", "v1", "org"])));
    for response in join_all(calls).await {
        assert_eq!(response.unwrap().attempts(), 1);
    }
    println!("sandbox: {:?}", clock.elapsed());
    assert!(
        (MINIMUM..=MINIMUM.mul_f64(1.02)).contains(&clock.elapsed()),
        "{:?}",
        clock.elapsed()
    );
}

fn setups() -> impl Strategy<Value = (Setup, usize)> {
    // Windows of 61 to 63 s are the subject of the test below.
    let window = prop_oneof![45_u64..=60, 64_u64..150];
    let foreign = prop_oneof![Just(None), (0.05..0.5).prop_map(Some)];
    (
        (4_u64..800, window, 10_u64..1000, 0_u64..4_000_000),
        (1_usize..30, any::<bool>(), foreign),
    )
        .prop_map(
            |((limit, window, latency, ahead), (parallel, rounds_down, foreign))| {
                let window = Duration::from_secs(window);
                let every = |part: f64| Foreign::Every(window.div_f64(part * limit as f64));
                let setup = Setup {
                    limit,
                    window,
                    latency: Duration::from_millis(latency),
                    foreign: foreign.map_or(Foreign::None, every),
                    concurrency: 1000,
                    ahead: Duration::from_millis(ahead),
                    rounds_down,
                };
                (setup, parallel)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_never_deadlock_and_are_never_sent_in_vain_and_use_the_limit((setup, parallel) in setups()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let org = Metered::new(setup);
        let took = runtime.block_on(org.call(&[org.client()], parallel, 3 * setup.limit + 1));
        let counts = org.counts();
        prop_assert_eq!(counts.sent_in_vain, 0);
        prop_assert!(ratio("random", &org, setup, parallel.min(10), took) >= 0.9, "{:?} {:?}", took, counts);
        if matches!(setup.foreign, Foreign::None) {
            prop_assert_eq!(counts.throttled, 0, "{:?}", setup);
        }
    }
}
