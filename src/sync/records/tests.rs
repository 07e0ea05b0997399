//! Tests of contradictions in a source: only the records that contradict each other are left out.

use super::*;
use crate::sync::profile::UserProfile;

fn ext(id: &str) -> ExternalId {
    ExternalId::new(id)
}

fn user(id: &str, name: &str, active: bool) -> User {
    let profile = UserProfile {
        user_name: name.into(),
        active,
        ..UserProfile::default()
    };
    User::new(ext(id), profile)
}

fn group(id: &str, members: &[&str]) -> Group {
    Group {
        id: ext(id),
        name: format!("group {id}"),
        members: members.iter().map(|id| ext(id)).collect(),
    }
}

fn read(users: Vec<User>, groups: Vec<Group>) -> Usable {
    let directory = Directory {
        users,
        groups,
        ..Directory::default()
    };
    usable(&directory).expect("a usable directory")
}

/// Returns the ids of the users that count, each with whether it has problems.
fn users(usable: &Usable) -> Vec<(&str, bool)> {
    let users = usable.directory.users.iter();
    users
        .map(|user| (user.id.as_str(), !user.problems.is_empty()))
        .collect()
}

fn members<'a>(usable: &'a Usable, id: &str) -> Vec<&'a str> {
    let group = usable
        .directory
        .groups
        .iter()
        .find(|group| group.id == ext(id));
    let members = &group.expect("the group counts").members;
    members.iter().map(ExternalId::as_str).collect()
}

#[test]
fn the_active_record_counts_beside_an_inactive_one_with_the_same_name() {
    let found = read(
        vec![
            user("1", "Ada", false),
            user("2", "ada", true),
            user("3", "bob", true),
        ],
        Vec::new(),
    );
    assert_eq!(users(&found), [("2", false), ("3", false)]);
    assert_eq!(
        found.directory.remarks,
        [
            "user Ada: the inactive record 1 is left out, because the active record 2 has the same user name; remove one of them from the source"
        ]
    );
    assert!(found.protected_users.contains(&ext("1")));
}

#[test]
fn a_record_without_id_is_left_out_and_its_account_is_kept() {
    let found = read(
        vec![user("", "ada", true), user("3", "bob", true)],
        Vec::new(),
    );
    assert_eq!(users(&found), [("3", false)]);
    assert!(found.protected_names.contains(&name_key("ADA")));
    assert!(found.directory.remarks[0].starts_with("user ada is left out: the record has no id"));
}

#[test]
fn of_records_with_one_id_the_active_one_counts_and_two_different_active_ones_change_nothing() {
    let found = read(
        vec![
            user("1", "old", false),
            user("1", "new", true),
            user("2", "same", true),
            user("2", "same", true),
            user("3", "one", true),
            user("3", "other", true),
            user("4", "left", false),
            user("4", "leaver", false),
        ],
        Vec::new(),
    );
    assert_eq!(
        users(&found),
        [("1", false), ("2", false), ("3", true), ("4", false)]
    );
    assert_eq!(found.directory.users[0].profile.user_name, "new");
    assert!(found.directory.users[2].profile.active);
    assert!(!found.directory.users[3].profile.active);
    assert_eq!(found.directory.remarks.len(), 1);
}

#[test]
fn a_source_without_a_usable_user_is_an_error() {
    let directory = Directory {
        users: vec![user("", "ada", true)],
        ..Directory::default()
    };
    let error = usable(&directory).expect_err("no usable user");
    assert_eq!(error.kind(), ErrorKind::UnusableSubject);
    assert!(error.to_string().contains("user ada"), "{error}");
    assert!(usable(&Directory::default()).is_ok());
}

#[test]
fn groups_without_id_and_different_groups_with_one_id_are_left_out_and_not_removed() {
    let mut other = group("g", &[]);
    other.name = "another".into();
    let found = read(
        vec![user("1", "ada", true)],
        vec![
            group("", &["1"]),
            group("g", &["1"]),
            other,
            group("h", &["1"]),
            group("h", &["1"]),
        ],
    );
    assert_eq!(found.directory.groups, [group("h", &["1"])]);
    assert!(found.protected_groups.contains(&ext("g")));
    assert!(found.protected_group_names.contains("group "));
    assert_eq!(found.directory.remarks.len(), 2);
}

#[test]
fn members_of_nested_groups_are_members_and_a_cycle_is_named_once() {
    let found = read(
        vec![
            user("1", "ada", true),
            user("2", "bob", true),
            user("3", "eve", true),
        ],
        vec![
            group("a", &["1", "b"]),
            group("b", &["2", "c"]),
            group("c", &["3", "b"]),
        ],
    );
    assert_eq!(members(&found, "a"), ["1", "2", "3"]);
    assert_eq!(members(&found, "b"), ["2", "3"]);
    assert_eq!(members(&found, "c"), ["2", "3"]);
    assert_eq!(
        found.directory.remarks,
        [
            "groups of the source contain each other: group b > group c > group b; each group counts once"
        ]
    );
}

#[test]
fn unknown_members_are_named_per_group() {
    let found = read(
        vec![user("1", "ada", true)],
        vec![group("a", &["1", "x", "y"]), group("b", &["x"])],
    );
    assert_eq!(members(&found, "a"), ["1"]);
    assert_eq!(
        found.directory.remarks,
        [
            "group group a: 2 members are not in the source: `x`, `y`",
            "group group b: 1 member is not in the source: `x`"
        ]
    );
}

#[test]
fn a_group_loses_no_member_through_a_nested_group_that_is_left_out() {
    let mut other = group("b", &[]);
    other.name = "another".into();
    let found = read(
        vec![user("1", "ada", true), user("2", "bob", true)],
        vec![group("a", &["1", "b"]), group("b", &["2"]), other],
    );
    assert!(found.open_groups.contains(&ext("a")));
}
