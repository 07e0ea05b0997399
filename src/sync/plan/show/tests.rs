//! Texts from outside cannot forge a line, control the terminal or reorder a line of what the sync shows.

use std::collections::BTreeMap;

use scim_types::ResourceId;

use super::*;
use crate::{
    error::{Error, ErrorKind, ServiceResponse},
    guard::{Guard, RemovalHistory},
    plan::Hazard,
    sync::{
        Failed, FailedMembership, Skipped, SyncReport, Totals, UnreadItem, UserProfile,
        plan::Member,
    },
    token_age::TokenAge,
};

/// A text from outside that forges a line, clears the terminal and reorders text.
const BAD: &str = "a\n  - user root\u{1b}[2J\r\u{202e}b\u{2028}c";

#[track_caller]
fn assert_safe(lines: usize, text: &str) {
    assert_eq!(text.lines().count(), lines, "{text:?}");
    let is_bad = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(c));
    assert!(!text.contains(is_bad), "{text:?}");
    assert!(
        text.contains("\\u{a}") && text.contains("\\u{2028}"),
        "{text:?}"
    );
}

fn bad_id() -> ExternalId {
    ExternalId::new(BAD)
}

fn id() -> ResourceId {
    ResourceId::parse("x").expect("an id")
}

fn profile() -> UserProfile {
    UserProfile {
        user_name: BAD.into(),
        ..UserProfile::default()
    }
}

fn removed(name: Option<&str>) -> RemovedPrincipal {
    RemovedPrincipal {
        id: id(),
        external_id: Some(bad_id()),
        name: name.map(ToOwned::to_owned),
        why: Why::ProfileRefused {
            problems: vec![BAD.into()],
        },
        adopted: true,
    }
}

#[test]
fn a_plan_shows_texts_from_outside_on_one_line() {
    let users = vec![
        UserChange::Create {
            external_id: bad_id(),
            profile: profile(),
        },
        UserChange::Update {
            id: id(),
            external_id: bad_id(),
            before: Some(Box::new(UserProfile {
                user_name: format!("{BAD}2"),
                ..profile()
            })),
            profile: profile(),
            removes: BTreeSet::new(),
            adopts: true,
            deactivates: true,
        },
        UserChange::Deactivate(removed(Some(BAD))),
        UserChange::Delete(removed(None)),
    ];
    let member = |external_id: Option<ExternalId>, name: Option<&str>| RemovedMember {
        id: id(),
        external_id,
        name: name.map(ToOwned::to_owned),
        why: Why::NotMember,
    };
    let groups = vec![
        GroupChange::Create {
            external_id: bad_id(),
            name: BAD.into(),
            members: vec![Member {
                external_id: bad_id(),
                name: BAD.into(),
                id: None,
            }],
        },
        GroupChange::Update {
            id: id(),
            external_id: bad_id(),
            name: BAD.into(),
            renamed_from: Some(BAD.into()),
            adopts: true,
            add: Vec::new(),
            remove: vec![member(None, Some(BAD)), member(Some(bad_id()), None)],
        },
        GroupChange::Delete(removed(Some(BAD))),
    ];
    for change in &users {
        assert_safe(1, &change.to_string());
    }
    for change in &groups {
        assert_safe(1, &change.to_string());
    }
    let unread = UnreadItem {
        item: BAD.into(),
        reason: BAD.into(),
    };
    assert_safe(1, &unread.to_string());
    let (kept_users, kept_groups) = (users.clone(), groups.clone());
    let plan = SyncPlan {
        version: SyncPlan::VERSION,
        made_at: jiff::Timestamp::UNIX_EPOCH,
        serial: 0,
        members_of_adopted: BTreeMap::new(),
        totals: Totals::default(),
        users,
        groups,
        skipped: vec![skipped()],
        unread: vec![BAD.into()],
        kept: vec![Kept {
            reason: BAD.into(),
            users: kept_users,
            groups: kept_groups,
        }],
        notes: vec![BAD.into()],
        hazards: vec![Hazard::EmptiedGroup {
            group: BAD.into(),
            members: 1,
        }],
        token: Some(TokenAge::of(BAD, None, jiff::Timestamp::UNIX_EPOCH)),
    };
    // The last line has the approval.
    assert_safe(1 + 4 + 3 + 5 + 1, &plan.to_string());
    let guard = Guard::default();
    let refused = guard.check(
        &plan.to_plan(),
        &RemovalHistory::default(),
        jiff::civil::date(2026, 1, 1),
    );
    assert_safe(1, &refused.expect_err("removals").to_string());
}

fn skipped() -> Skipped {
    Skipped {
        external_id: bad_id(),
        name: BAD.into(),
        since: None,
        days: 0,
        reason: BAD.into(),
    }
}

#[test]
fn a_report_and_a_refusal_show_texts_from_outside_on_one_line() {
    let response = ServiceResponse {
        call: BAD.into(),
        status: Some(400),
        code: Some(BAD.into()),
        message: Some(BAD.into()),
        request_id: Some(BAD.into()),
    };
    let failed = Failed {
        change: BAD.into(),
        response: response.clone(),
        help: None,
    };
    assert_safe(1, &failed.to_string());
    let membership = FailedMembership {
        group: BAD.into(),
        user: BAD.into(),
        external_id: Some(bad_id()),
        removal: false,
        response: Some(response),
        ids: None,
    };
    assert_safe(1, &membership.to_string());
    let report = SyncReport {
        failed: vec![failed],
        failed_memberships: vec![membership],
        not_kept: [(BAD.to_owned(), 1)].into(),
        stopped_early: Some(BAD.into()),
        left_out: vec![skipped()],
        notes: vec![BAD.into()],
        ..SyncReport::default()
    };
    assert_safe(1 + 2 + 1 + 1 + 1, &report.to_string());
    let error = report.complete().expect_err("an incomplete run");
    assert_safe(1, &error.to_string());
    let error = Error::new(ErrorKind::UnusableSubject, BAD);
    assert_safe(1, &error.to_string());
}
