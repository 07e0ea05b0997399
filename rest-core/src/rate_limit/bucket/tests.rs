use super::{
    Bucket, Decision,
    Decision::{Send, WaitForResult, WaitUntil},
    Duration, RateLimit, SystemTime,
};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A report of a window that ends `resets_in` seconds after `at`, at which the response arrives.
#[expect(clippy::unnecessary_wraps, reason = "a response may have no report")]
fn report(limit: u64, remaining: u64, at: u64, resets_in: u64) -> Option<RateLimit> {
    Some(RateLimit {
        limit,
        remaining,
        reset: SystemTime::UNIX_EPOCH + secs(at + resets_in),
        resets_in: secs(resets_in),
        window: Some(secs(60)),
    })
}

/// Sends a request at `from`, and records its report at `to`.
fn exchange(bucket: &mut Bucket, from: u64, report: Option<RateLimit>, to: u64) {
    let sent = bucket.send(secs(from));
    bucket.answered(sent, report, secs(to));
}

#[track_caller]
fn check(bucket: &mut Bucket, at: u64, expected: Decision) {
    assert_eq!(bucket.decide(1.0, secs(at)), expected);
}

/// Returns a bucket with the report of a first request at 0.
fn bucket(limit: u64, remaining: u64, resets_in: u64) -> Bucket {
    let mut bucket = Bucket::default();
    exchange(&mut bucket, 0, report(limit, remaining, 0, resets_in), 0);
    bucket
}

#[test]
fn two_requests_are_in_flight_until_the_limit_is_known() {
    let mut bucket = Bucket::default();
    check(&mut bucket, 0, Send);
    let first = bucket.send(secs(0));
    check(&mut bucket, 0, Send);
    let second = bucket.send(secs(0));
    check(&mut bucket, 0, WaitForResult);
    bucket.lost(first);
    check(&mut bucket, 0, Send);
    bucket.answered(second, report(10, 7, 1, 59), secs(1));
    for _ in 0..7 {
        check(&mut bucket, 1, Send);
        bucket.send(secs(1));
    }
    check(&mut bucket, 1, WaitForResult);
}

#[test]
fn a_service_that_reports_nothing_is_not_limited() {
    let mut bucket = Bucket::default();
    exchange(&mut bucket, 0, None, 1);
    for _ in 0..100 {
        check(&mut bucket, 1, Send);
        bucket.send(secs(1));
    }
}

#[test]
fn a_used_up_window_is_waited_for_until_its_end() {
    let mut bucket = bucket(10, 0, 40);
    check(&mut bucket, 5, WaitUntil(secs(40)));
    check(&mut bucket, 39, WaitUntil(secs(40)));
    check(&mut bucket, 40, Send);
}

#[test]
fn a_request_without_a_response_counts_as_used() {
    let mut bucket = bucket(10, 1, 40);
    let sent = bucket.send(secs(1));
    check(&mut bucket, 1, WaitForResult);
    bucket.lost(sent);
    check(&mut bucket, 1, WaitUntil(secs(40)));
}

#[test]
fn the_responses_of_one_window_may_arrive_in_any_order() {
    let mut bucket = bucket(100, 9, 60);
    let [first, second] = [(), ()].map(|()| bucket.send(secs(1)));
    bucket.answered(second, report(100, 7, 2, 58), secs(2));
    bucket.answered(first, report(100, 8, 2, 58), secs(2));
    for _ in 0..7 {
        check(&mut bucket, 2, Send);
        bucket.send(secs(2));
    }
    check(&mut bucket, 2, WaitForResult);
}

#[test]
fn a_clock_of_the_server_that_was_set_back_begins_a_window() {
    let mut bucket = bucket(10, 9, 60);
    check(&mut bucket, 60, Send);
    exchange(&mut bucket, 60, report(10, 0, 0, 40), 61);
    check(&mut bucket, 61, WaitUntil(secs(101)));
}

#[test]
fn a_late_response_of_the_window_before_says_nothing_of_the_current_one() {
    let mut bucket = bucket(10, 9, 10);
    let late = bucket.send(secs(1));
    check(&mut bucket, 10, Send);
    bucket.answered(late, report(10, 0, 1, 9), secs(30));
    check(&mut bucket, 30, Send);
    exchange(&mut bucket, 30, report(10, 9, 30, 60), 30);
    let late = bucket.send(secs(31));
    // Its time to the reset, counted from its arrival, is that of a later window.
    bucket.answered(late, report(10, 0, 31, 59), secs(95));
    check(&mut bucket, 96, Send);
}

#[test]
fn a_window_that_the_server_began_early_replaces_the_one_before() {
    let mut bucket = bucket(10, 0, 10);
    exchange(&mut bucket, 0, report(10, 9, 5, 60), 5);
    check(&mut bucket, 5, Send);
}

#[test]
fn the_end_of_a_window_is_the_earliest_that_a_report_allows() {
    // The first response has 63 s to the reset, by the rounding of whole seconds.
    let mut known = bucket(10, 0, 63);
    check(&mut known, 1, WaitUntil(secs(60)));
    let mut middle = bucket(10, 1, 42);
    exchange(&mut middle, 5, report(10, 0, 5, 35), 5);
    check(&mut middle, 6, WaitUntil(secs(40)));
}

#[test]
fn a_window_that_is_longer_than_documented_is_found_out() {
    let mut long = bucket(10, 0, 120);
    check(&mut long, 1, WaitUntil(secs(120)));
    // A response after the supposed end has the reset of before.
    let mut a_little_longer = bucket(10, 0, 63);
    check(&mut a_little_longer, 60, Send);
    exchange(&mut a_little_longer, 60, report(10, 0, 60, 3), 60);
    check(&mut a_little_longer, 61, WaitUntil(secs(63)));
    check(&mut a_little_longer, 63, Send);
    exchange(&mut a_little_longer, 63, report(10, 0, 63, 62), 63);
    check(&mut a_little_longer, 64, WaitUntil(secs(125)));
}

#[test]
fn a_limit_is_tried_again_after_a_day_whatever_its_reset() {
    let mut bucket = Bucket::default();
    let forever = RateLimit {
        resets_in: Duration::MAX,
        window: None,
        ..report(10, 0, 1, 60).expect("a report")
    };
    exchange(&mut bucket, 1, Some(forever), 1);
    check(&mut bucket, 2, WaitUntil(secs(1 + 24 * 3600)));
}

#[test]
fn a_share_of_the_limit_counts_the_own_requests_of_each_window() {
    let mut bucket = bucket(10, 9, 60);
    for remaining in [8, 7, 6, 5] {
        assert_eq!(bucket.decide(0.5, secs(1)), Send);
        exchange(&mut bucket, 1, report(10, remaining, 1, 59), 1);
    }
    assert_eq!(bucket.decide(0.5, secs(1)), WaitUntil(secs(60)));
    assert_eq!(bucket.decide(1.0, secs(1)), Send);
    assert_eq!(bucket.decide(0.5, secs(60)), Send);
}

#[test]
fn a_share_never_stops_a_client_for_ever() {
    let mut bucket = bucket(10, 9, 60);
    assert_eq!(bucket.decide(0.0, secs(1)), WaitUntil(secs(60)));
    assert_eq!(bucket.decide(0.0, secs(60)), Send);
    let sent = bucket.send(secs(60));
    assert_eq!(bucket.decide(0.0, secs(60)), WaitForResult);
    bucket.lost(sent);
    assert_eq!(bucket.decide(0.0, secs(61)), Send);
}

#[test]
fn the_pace_of_other_programs_is_left_to_them() {
    let mut bucket = bucket(100, 99, 60);
    // 10 requests of others in each second.
    for second in 1..9 {
        let remaining = 99 - 11 * second;
        exchange(
            &mut bucket,
            second,
            report(100, remaining, second, 60 - second),
            second,
        );
    }
    check(&mut bucket, 8, Send);
    check(&mut bucket, 10, WaitUntil(secs(60)));
}
