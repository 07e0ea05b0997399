//! The order in which the contents of a permission set are changed, without I/O.
//!
//! AWS attaches at most 20 policies to a set. Additions come before removals. In a full set, each removal makes room for one
//! addition.

use std::collections::VecDeque;

use crate::plan::{Change, PolicyRef, Subject, Value};

/// The effect of an edit of a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Sets a property, a tag, a boundary or an inline policy, or creates or adopts the set.
    Set,
    /// Attaches a policy.
    Attach,
    /// Detaches a policy.
    Detach,
    /// Takes off the inline policy or the boundary.
    TakeOff,
}

/// A part of the edits of a set that is made together, by the indexes of the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    One(usize),
    /// Detaches a policy to make room, and attaches another one.
    Swap {
        detach: usize,
        attach: usize,
    },
}

impl Edit {
    pub(super) fn of(change: &Change) -> Self {
        let takes_off = change
            .fields
            .iter()
            .any(|field| field.after == Value::Absent);
        let Subject::Policy { policy, .. } = &change.subject else {
            return Self::Set;
        };
        match (policy, takes_off) {
            (PolicyRef::Managed { .. } | PolicyRef::CustomerManaged { .. }, false) => Self::Attach,
            (PolicyRef::Managed { .. } | PolicyRef::CustomerManaged { .. }, true) => Self::Detach,
            (PolicyRef::Inline {} | PolicyRef::Boundary {}, false) => Self::Set,
            (PolicyRef::Inline {} | PolicyRef::Boundary {}, true) => Self::TakeOff,
        }
    }
}

/// Returns the edits of a set in the order in which they are made: first settings, then policies to attach. A set with
/// [`MAX_POLICIES`] loses one policy for each new one. The other removals come last. `attached` is the number of policies now.
pub(super) fn order(attached: usize, edits: &[Edit]) -> Vec<Move> {
    let of = |kind: Edit| {
        let edits = edits.iter().enumerate();
        edits
            .filter(move |(_, edit)| **edit == kind)
            .map(|(index, _)| index)
    };
    let mut moves: Vec<Move> = of(Edit::Set).map(Move::One).collect();
    let mut detaches: VecDeque<usize> = of(Edit::Detach).collect();
    let mut attached = attached;
    for attach in of(Edit::Attach) {
        if attached < MAX_POLICIES {
            attached += 1;
            moves.push(Move::One(attach));
        } else if let Some(detach) = detaches.pop_front() {
            moves.push(Move::Swap { detach, attach });
        } else {
            // AWS refuses it and says why.
            moves.push(Move::One(attach));
        }
    }
    moves.extend(detaches.into_iter().chain(of(Edit::TakeOff)).map(Move::One));
    moves
}

/// "AWS managed and customer managed policies per permission set: 20" (quotas of IAM Identity Center).
const MAX_POLICIES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of attached policies after each request.
    fn counts(attached: usize, moves: &[Move], edits: &[Edit]) -> Vec<usize> {
        let requests = moves.iter().flat_map(|one| match one {
            Move::One(index) => vec![edits[*index]],
            Move::Swap { detach, attach } => vec![edits[*detach], edits[*attach]],
        });
        let counts = requests.scan(attached, |count, edit| {
            match edit {
                Edit::Attach => *count += 1,
                Edit::Detach => *count -= 1,
                Edit::Set | Edit::TakeOff => {}
            }
            Some(*count)
        });
        counts.collect()
    }

    /// Returns every number of attached policies, with edits that lead to at most 20 policies in several orders.
    fn cases() -> impl Iterator<Item = (usize, Vec<Edit>)> {
        let numbers = (0..=20).flat_map(|attached| {
            (0..=attached).flat_map(move |detached| {
                (0..=20 - (attached - detached)).map(move |new| (attached, detached, new))
            })
        });
        numbers.map(|(attached, detached, new)| {
            let mut edits = vec![Edit::Detach; detached];
            edits.extend(vec![Edit::Attach; new]);
            edits.extend([Edit::TakeOff, Edit::Set]);
            // A rotation by a number that differs from case to case.
            let by = (attached * 7 + detached * 3 + new) % edits.len();
            edits.rotate_left(by);
            (attached, edits)
        })
    }

    #[test]
    fn every_edit_is_made_once() {
        for (attached, edits) in cases() {
            let mut made: Vec<usize> = order(attached, &edits)
                .into_iter()
                .flat_map(|one| match one {
                    Move::One(index) => vec![index],
                    Move::Swap { detach, attach } => vec![detach, attach],
                })
                .collect();
            made.sort_unstable();
            assert_eq!(made, (0..edits.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_set_never_has_more_than_twenty_policies_and_loses_one_at_most_for_a_new_one() {
        for (attached, edits) in cases() {
            let counts = counts(attached, &order(attached, &edits), &edits);
            let end = counts.last().copied().unwrap_or(attached);
            assert!(counts.iter().all(|count| *count <= 20), "{counts:?}");
            // Until everything new is there, a set has what it had, or one less in a swap.
            let least = attached.min(end);
            let in_swap = least.saturating_sub(usize::from(attached == 20 || end == 20));
            assert!(counts.iter().all(|count| *count >= in_swap), "{counts:?}");
        }
    }

    #[test]
    fn nothing_goes_while_there_is_room_for_something_new() {
        for (attached, edits) in cases() {
            let moves = order(attached, &edits);
            let is = |one: &Move, edit: Edit| matches!(one, Move::One(at) if edits[*at] == edit);
            let last_new = moves
                .iter()
                .rposition(|one| !is(one, Edit::Detach) && !is(one, Edit::TakeOff));
            let first_gone = moves
                .iter()
                .position(|one| is(one, Edit::Detach) || is(one, Edit::TakeOff));
            if let (Some(new), Some(gone)) = (last_new, first_gone) {
                assert!(new < gone, "{moves:?}");
            }
            let swaps = moves.iter().filter(|one| matches!(one, Move::Swap { .. }));
            let new = edits.iter().filter(|edit| **edit == Edit::Attach).count();
            assert_eq!(swaps.count(), new.saturating_sub(20 - attached));
        }
    }

    #[test]
    fn twenty_policies_are_swapped_one_for_one() {
        let mut edits = vec![Edit::Attach; 20];
        edits.extend(vec![Edit::Detach; 20]);
        let swap = |number| Move::Swap {
            detach: 20 + number,
            attach: number,
        };
        assert_eq!(order(20, &edits), (0..20).map(swap).collect::<Vec<_>>());
    }

    #[test]
    fn a_policy_without_room_is_left_to_aws() {
        assert_eq!(order(20, &[Edit::Attach]), [Move::One(0)]);
    }
}
