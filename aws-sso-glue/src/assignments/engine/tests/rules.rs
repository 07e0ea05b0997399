//! The rules of the engine, one test each.

use std::time::Duration;

use super::{
    super::{Entry, ReadError, Skip, Status, window::Window},
    Action::{Create, Delete},
    Bench, End, Item, Next, Refusal, Settings, creates, fixed_limit, item,
};

#[test]
fn an_account_has_one_operation_at_a_time() {
    let mut bench = Bench::new(&creates(4, 2));
    assert_eq!(bench.sends(), [0, 1]);
    bench.start(&[0, 1]);
    bench.list(Create, &[1]);
    assert_eq!(bench.sends(), [2]);
}

#[test]
fn deletes_go_first_and_then_long_queues() {
    let accounts = [0, 1, 1, 2, 2, 2, 3];
    let mut items: Vec<_> = accounts
        .map(|account| item(Create, account, 0, account))
        .to_vec();
    items[6] = item(Delete, 3, 9, 9);
    let settings = fixed_limit(1);
    let mut bench = Bench::with(&items, settings);
    let mut order = Vec::new();
    for _ in 0..items.len() {
        let sent = bench.sends()[0];
        bench.refuse(sent, Refusal::Permanent);
        order.push(sent);
    }
    assert_eq!(order, [6, 3, 1, 4, 0, 2, 5]);
}

#[test]
fn the_limit_grows_while_aws_accepts_as_many() {
    let mut bench = Bench::new(&creates(20, 20));
    let first = bench.sends();
    assert_eq!(first.len(), 10);
    bench.start(&first);
    for limit in 11..=15 {
        let sent = bench.sends();
        assert_eq!((sent.len(), bench.limit()), (1, limit));
        bench.start(&sent);
        assert!(bench.sends().is_empty());
        bench.pass(0.25);
    }
    assert_eq!((bench.sends().len(), bench.limit()), (0, 15));
}

#[test]
fn a_refused_limit_is_tried_again_after_one_minute_then_two() {
    let mut window = Window::new(10, 15);
    let mut now = Duration::ZERO;
    for minutes in [1, 2, 4, 8, 10, 10] {
        window.refused(now, now, 8, 0);
        // A request of the same burst changes neither the limit nor the pause.
        window.refused(now + Duration::from_millis(1), Duration::ZERO, 8, 0);
        window.accepted(8);
        assert_eq!(
            (window.limit(), window.grows_at()),
            (8, Some(now + Duration::from_mins(minutes)))
        );
        now += Duration::from_mins(minutes);
        window.grow(now);
        assert_eq!(window.limit(), 9);
        now += Duration::from_secs(1);
    }
}

#[test]
fn foreign_operations_use_slots() {
    let mut bench = Bench::new(&creates(40, 40));
    bench
        .engine
        .adopt(bench.now, Create, (100..104).map(|id| (id, None)).collect());
    let sent = bench.sends();
    assert_eq!(sent.len(), 6);
    bench.start(&sent);
    bench.list(Create, &[0, 1, 2, 3, 4, 5, 100]);
    assert_eq!(bench.sends().len(), 3);
}

#[test]
fn an_operation_that_is_listed_before_its_response_is_not_foreign() {
    let mut bench = Bench::with(&creates(20, 20), fixed_limit(10));
    let sent = bench.sends();
    bench.start(&sent[..9]);
    bench.list(Create, &sent);
    bench.start(&sent[9..]);
    bench.engine.on_status(bench.now, 0, Ok(Status::Succeeded));
    assert_eq!(bench.sends().len(), 1);
}

#[test]
fn foreign_operations_that_caused_a_refusal_are_part_of_the_limit() {
    let mut bench = Bench::new(&creates(40, 40));
    let sent = bench.sends();
    bench.start(&sent[..7]);
    sent[7..]
        .iter()
        .for_each(|item| bench.refuse(*item, Refusal::TooManyOutstanding));
    assert_eq!(bench.limit(), 7);
    bench.list(Create, &[0, 1, 2, 3, 4, 5, 6, 100, 101, 102]);
    assert_eq!((bench.limit(), bench.sends()), (10, vec![]));
}

#[test]
fn one_operation_is_tried_if_others_fill_the_instance() {
    let mut bench = Bench::new(&creates(2, 2));
    bench
        .engine
        .adopt(bench.now, Create, (100..120).map(|id| (id, None)).collect());
    assert_eq!(bench.sends(), [0]);
    bench.refuse(0, Refusal::TooManyOutstanding);
    assert!(bench.sends().is_empty());
    bench.pass(1.3);
    assert_eq!(bench.sends(), [0]);
}

#[test]
fn two_conflicts_in_idle_accounts_count_as_the_limit_only_near_it() {
    for (started, limit) in [(10, 10), (5, 15)] {
        let settings = Settings {
            start_limit: 15,
            ..Settings::default()
        };
        let mut bench = Bench::with(&creates(30, 30), settings);
        let sent = bench.sends();
        bench.start(&sent[..started]);
        sent[started..13]
            .iter()
            .for_each(|item| bench.refuse(*item, Refusal::Permanent));
        bench.refuse(sent[13], Refusal::Conflict);
        bench.refuse(sent[14], Refusal::Conflict);
        assert_eq!(bench.limit(), limit);
    }
}

#[test]
fn an_item_fails_after_8_conflicts() {
    let mut bench = Bench::new(&creates(1, 1));
    for attempt in 1..=8 {
        assert_eq!(bench.next_requests(), [Next::Send(0)], "attempt {attempt}");
        bench.refuse(0, Refusal::Conflict);
    }
    assert_eq!(bench.ended(), [(0, End::Failed("refused"))]);
    let seconds = bench.now.as_secs();
    assert!(
        (58..98).contains(&seconds),
        "2 + 4 + 8 + 4 · 16 seconds with jitter: {seconds}"
    );
}

#[test]
fn an_item_fails_after_5_minutes_of_conflicts() {
    let mut bench = Bench::new(&creates(3, 1));
    bench.sends();
    bench.refuse(0, Refusal::Conflict);
    bench.pass(300.0);
    bench.sends();
    bench.refuse(0, Refusal::Conflict);
    assert_eq!(bench.ended(), [(0, End::Failed("refused"))]);
    assert_eq!(bench.sends(), [1]);
    bench.start(&[1]);
    assert_eq!(bench.ended(), []);
    bench.engine.on_status(bench.now, 1, Ok(Status::Succeeded));
    bench.sends();
    bench.refuse(2, Refusal::Conflict);
    assert_eq!(
        bench.ended(),
        [(1, End::Succeeded)],
        "the time counts from the last operation"
    );
}

#[test]
fn a_throttled_item_pauses_alone_and_never_ends() {
    let mut bench = Bench::with(&creates(3, 3), fixed_limit(2));
    assert_eq!(bench.sends(), [0, 1]);
    bench.refuse(0, Refusal::Throttled);
    assert_eq!(bench.sends(), [2], "the rate limiter delays the others");
    bench.start(&[1, 2]);
    bench.engine.on_status(bench.now, 1, Ok(Status::Succeeded));
    for _ in 0..100 {
        let before = bench.now;
        assert_eq!(bench.sends_next(), 0);
        let pause = bench.now.saturating_sub(before).as_secs_f64();
        assert!((0.75..=1.25).contains(&pause), "{pause}");
        bench.refuse(0, Refusal::Throttled);
    }
    assert_eq!(bench.ended(), [(1, End::Succeeded)]);
}

#[test]
fn an_account_with_a_provisioning_is_chosen_last() {
    let mut items = creates(5, 3);
    items.push(item(Delete, 0, 9, 99));
    let mut bench = Bench::with(&items, fixed_limit(1));
    bench.engine.choose_last(0);
    bench.engine.choose_last(99);
    let mut order = Vec::new();
    for _ in 0..items.len() {
        let sent = bench.sends()[0];
        bench.refuse(sent, Refusal::Permanent);
        order.push(sent);
    }
    assert_eq!(order, [1, 4, 2, 5, 0, 3]);
}

#[test]
fn an_item_fails_after_5_server_errors() {
    let mut bench = Bench::new(&creates(1, 1));
    for _ in 0..5 {
        assert_eq!(bench.next_requests(), [Next::Send(0)]);
        bench.refuse(0, Refusal::Transient);
    }
    assert_eq!(bench.ended(), [(0, End::Failed("refused"))]);
}

#[test]
fn a_lost_response_blocks_the_account_until_the_assignment_was_read() {
    let items = [
        item(Create, 0, 0, 0),
        item(Create, 0, 1, 1),
        item(Delete, 1, 0, 2),
    ];
    let mut bench = Bench::new(&items);
    assert_eq!(bench.sends(), [2, 0]);
    bench.engine.on_lost(bench.now, 0, "lost");
    bench.engine.on_lost(bench.now, 2, "lost");
    assert_eq!(
        bench.next_requests(),
        [Next::ReadPair(0), Next::ReadPair(2)]
    );
    assert_eq!(bench.now, Duration::from_secs(5));
    bench.engine.on_pair(bench.now, 0, Ok(true));
    bench.engine.on_pair(bench.now, 2, Ok(true));
    assert_eq!(bench.ended(), [(0, End::Succeeded)]);
    assert_eq!(bench.sends(), [2, 1]);
    bench.engine.on_lost(bench.now, 2, "lost");
    for _ in 0..3 {
        bench.next_requests();
        bench
            .engine
            .on_pair(bench.now, 2, Err(ReadError::Throttled));
        bench.next_requests();
        bench
            .engine
            .on_pair(bench.now, 2, Err(ReadError::Failed("unreadable")));
    }
    assert_eq!(bench.ended(), []);
    bench.next_requests();
    bench
        .engine
        .on_pair(bench.now, 2, Err(ReadError::Failed("unreadable")));
    assert_eq!(bench.ended(), [(2, End::Failed("unreadable"))]);
}

#[test]
fn an_operation_whose_response_was_lost_is_taken_over_and_not_sent_again() {
    let mut bench = Bench::new(&[item(Create, 0, 0, 0)]);
    assert_eq!(bench.sends(), [0]);
    bench.engine.on_lost(bench.now, 0, "lost");
    assert_eq!(bench.next_requests(), [Next::ReadPair(0)]);
    bench.engine.on_found(bench.now, 0, 7);
    assert_eq!(bench.engine.own_ids(Create).len(), 1);
    assert!(bench.sends().is_empty());
    bench.list(Create, &[7]);
    assert_eq!(bench.ended(), []);
}

#[test]
fn an_item_whose_responses_are_all_lost_fails() {
    let mut bench = Bench::new(&[item(Create, 0, 0, 0)]);
    for _ in 0..5 {
        assert_eq!(bench.sends(), [0]);
        bench.engine.on_lost(bench.now, 0, "lost");
        assert_eq!(bench.next_requests(), [Next::ReadPair(0)]);
        bench.engine.on_pair(bench.now, 0, Ok(false));
    }
    assert_eq!(bench.ended(), [(0, End::Failed("lost"))]);
}

#[test]
fn a_result_waits_for_a_list_of_failures_that_was_read_after_the_end() {
    let mut bench = Bench::with(&creates(30, 30), fixed_limit(10));
    let sent = bench.sends();
    bench.start(&sent);
    bench.list(Create, &sent[2..]);
    let first = bench.now;
    assert_eq!(bench.ended(), []);
    assert_eq!(bench.sends().len(), 2, "the slots are free at once");
    while !bench.next_requests().contains(&Next::ListFailed(Create)) {
        bench
            .engine
            .on_in_progress(bench.now, Create, Some(sent[2..].to_vec()));
    }
    assert_eq!(bench.now, first + Duration::from_secs(30));
    bench.pass(0.1);
    bench.list(Create, &sent[3..]); // Operation 2 ends while the list of failures is read.
    bench.answer_failed(Create, &[1], true);
    assert_eq!(bench.ended(), [(0, End::Succeeded)]);
    assert!(bench.requests().contains(&Next::Describe(1, 1)));
    bench
        .engine
        .on_status(bench.now, 1, Ok(Status::Failed("no such user")));
    assert_eq!(bench.ended(), [(1, End::Failed("no such user"))]);
}

#[test]
fn an_operation_that_is_listed_again_has_not_succeeded() {
    let mut bench = Bench::new(&creates(2, 2));
    bench.sends();
    bench.start(&[0, 1]);
    bench.list(Create, &[1]);
    let first = bench.now;
    bench.list(Create, &[0, 1]);
    let again = bench.now;
    assert!(again > first);
    while !bench.next_requests().contains(&Next::ListFailed(Create)) {
        bench
            .engine
            .on_in_progress(bench.now, Create, Some(vec![1]));
    }
    assert_eq!(bench.now, again + Duration::from_secs(30));
}

#[test]
fn a_new_operation_may_be_missing_in_the_list_for_one_second() {
    let mut bench = Bench::new(&creates(20, 20));
    let sent = bench.sends();
    bench.start(&sent[..9]);
    bench.refuse(sent[9], Refusal::TooManyOutstanding); // The engine lists at once.
    bench.list(Create, &[]);
    assert_eq!(bench.engine.progress().in_flight, 9);
    bench.pass(1.0);
    bench.list(Create, &[]);
    assert_eq!(bench.engine.progress().in_flight, 0);
}

#[test]
fn each_status_is_read_if_there_are_too_many_failures() {
    let mut bench = Bench::new(&creates(2, 2));
    bench.sends();
    bench.start(&[0, 1]);
    bench.list(Create, &[]);
    bench.next_requests();
    bench.answer_failed(Create, &[77], false);
    assert_eq!(
        bench.requests(),
        [Next::Describe(0, 0), Next::Describe(1, 1)]
    );
    bench.engine.on_status(bench.now, 0, Ok(Status::Succeeded));
    bench.engine.on_status(bench.now, 1, Ok(Status::InProgress));
    assert_eq!(bench.next_requests(), [Next::Describe(1, 1)]);
    for _ in 0..5 {
        bench
            .engine
            .on_status(bench.now, 1, Err(ReadError::Failed("unreadable")));
        bench.next_requests_or_done();
    }
    assert_eq!(
        bench.ended(),
        [(0, End::Succeeded), (1, End::Failed("unreadable"))]
    );
}

#[test]
fn an_operation_that_failed_for_now_is_repeated_twice_at_the_end() {
    let settings = fixed_limit(1);
    let mut bench = Bench::with(
        &[0, 0, 1].map(|account| item(Create, account, 0, 0)),
        settings,
    );
    let mut order = Vec::new();
    while bench.engine.progress().failed == 0 {
        let sent = bench.sends_next();
        order.push(sent);
        bench.start(&[sent]);
        let status = if sent == 0 {
            Status::FailedForNow("slow")
        } else {
            Status::Succeeded
        };
        bench.engine.on_status(bench.now, sent, Ok(status));
    }
    assert_eq!(order, [0, 1, 2, 0, 0]);
    assert_eq!(
        bench.ended(),
        [
            (1, End::Succeeded),
            (2, End::Succeeded),
            (0, End::Failed("slow"))
        ]
    );
}

/// A user's assignment moves from set 0 to set 1, a user replaces a group, a leaver loses an assignment.
fn replacement() -> [Item; 5] {
    [
        item(Create, 0, 1, 7),
        item(Delete, 0, 0, 7),
        item(Create, 1, 3, 8),
        item(Delete, 1, 3, 50),
        item(Delete, 2, 0, 9),
    ]
}

#[test]
fn a_delete_waits_for_the_creates_that_replace_it() {
    let mut bench = Bench::new(&replacement());
    assert_eq!(bench.sends(), [4, 0, 2]);
    bench.start(&[0, 2]);
    bench.refuse(4, Refusal::NotFound);
    assert_eq!(bench.ended(), [(4, End::AlreadyDone)]);
    bench.list(Create, &[2]);
    let left = bench.now;
    bench.list_failed(Create, &[]);
    assert_eq!(
        bench.now, left,
        "the result is needed at once, because slots are unused"
    );
    assert_eq!(bench.ended(), [(0, End::Succeeded)]);
    assert_eq!(bench.sends(), [1]);
    bench
        .engine
        .on_status(bench.now, 2, Ok(Status::Failed("no such user")));
    let skipped = End::Skipped(Skip::ReplacementFailed(2));
    assert_eq!(
        bench.ended(),
        [(2, End::Failed("no such user")), (3, skipped)]
    );
    bench.start(&[1]);
    bench
        .engine
        .on_status(bench.now, 1, Ok(Status::NotFound("no such assignment")));
    assert_eq!(bench.ended(), [(1, End::AlreadyDone)]);
    assert_eq!(bench.engine.next(bench.now), Next::Done);
}

#[test]
fn a_skipped_create_skips_the_delete() {
    let mut bench = Bench::new(&replacement());
    bench.sends();
    bench.engine.skip(0);
    let skipped = End::Skipped(Skip::ReplacementFailed(0));
    assert_eq!(
        bench.ended(),
        [(0, End::Skipped(Skip::ByCaller)), (1, skipped)]
    );
    bench.start(&[0, 4]);
    bench.engine.skip(4);
    assert_eq!(bench.ended(), [], "a running operation is not skipped");
}

#[test]
fn an_adopted_delete_is_not_repeated_before_its_creates() {
    let mut bench = Bench::new(&replacement());
    bench.engine.adopt(
        bench.now,
        Delete,
        vec![(1, Some(1)), (100, Some(99)), (101, Some(0))],
    );
    assert_eq!(bench.engine.progress().in_flight, 1);
    assert_eq!(
        bench.sends(),
        [4, 2],
        "the account of the adopted delete is taken"
    );
    bench
        .engine
        .on_status(bench.now, 1, Ok(Status::FailedForNow("slow")));
    assert_eq!(bench.ended(), [(1, End::Failed("slow"))]);
}

#[test]
fn a_stuck_operation_keeps_its_account_and_slot_until_it_leaves() {
    let mut bench = Bench::new(&creates(2, 1));
    bench.sends();
    bench.start(&[0]);
    while bench.now < Duration::from_mins(30) {
        assert_eq!(bench.ended(), []);
        bench.list(Create, &[0]);
    }
    assert_eq!(bench.ended(), [(0, End::TimedOut)]);
    assert_eq!(
        (bench.sends(), bench.engine.progress().in_flight),
        (vec![], 1)
    );
    bench.list(Create, &[]);
    assert_eq!(bench.sends(), [1]);
}

#[test]
fn unexpected_responses_are_ignored() {
    let mut bench = Bench::new(&creates(2, 2));
    for item in [0, 99] {
        bench.engine.on_started(bench.now, item, 5);
        bench.engine.on_lost(bench.now, item, "lost");
        bench.engine.on_pair(bench.now, item, Ok(true));
        bench
            .engine
            .on_status(bench.now, item, Ok(Status::Succeeded));
        bench.refuse(item, Refusal::Permanent);
    }
    bench.engine.skip(99);
    bench.engine.on_in_progress(bench.now, Create, Some(vec![]));
    bench.answer_failed(Create, &[0], true);
    assert_eq!((bench.ended(), bench.sends()), (vec![], vec![0, 1]));
    bench.start(&[0, 0, 1]);
    bench.refuse(0, Refusal::Permanent);
    assert_eq!(
        (bench.ended(), bench.engine.progress().in_flight),
        (vec![], 2)
    );
}

#[test]
fn a_list_that_fails_is_repeated_after_a_growing_pause() {
    let mut bench = Bench::new(&creates(1, 1));
    bench.sends();
    bench.start(&[0]);
    let mut pauses = Vec::new();
    let mut before = None;
    for _ in 0..7 {
        assert_eq!(bench.next_requests(), [Next::ListInProgress(Create)]);
        pauses.extend(
            before
                .map(|before| bench.now.saturating_sub(before))
                .map(|pause| pause.as_secs_f64()),
        );
        before = Some(bench.now);
        bench.engine.on_in_progress(bench.now, Create, None);
    }
    for (pause, expected) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 16.0]) {
        assert!((0.75..=1.25).contains(&(pause / expected)), "{pauses:?}");
    }
}

#[test]
fn progress_is_a_guess_until_operations_end() {
    let mut bench = Bench::new(&creates(20, 2));
    let progress = bench.engine.progress();
    assert_eq!(
        (progress.remaining.as_secs(), progress.is_guess),
        (24, true)
    );
    bench.sends();
    bench.start(&[0, 1]);
    for sent in 0..6 {
        bench.pass(5.0);
        bench
            .engine
            .on_status(bench.now, sent, Ok(Status::Succeeded));
        let next = bench.sends();
        bench.start(&next);
    }
    let progress = bench.engine.progress();
    assert_eq!(
        (progress.total, progress.done, progress.in_flight),
        (20, 6, 2)
    );
    assert_eq!(
        (progress.remaining.as_secs(), progress.is_guess),
        (70, false)
    );
}

#[test]
fn an_item_needs_little_memory() {
    assert_eq!(size_of::<Entry>(), 24);
}
