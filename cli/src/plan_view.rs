//! A plan for a terminal: colored, with long lists of additions folded, and with the summary at the end.

use std::{collections::BTreeMap, fmt::Write as _};

use okta_aws_sso::{
    Plan,
    plan::{Action, Kind, StepPlan},
};

/// Returns the text of a plan. Long lists of changes that take nothing away are folded, unless `full` is true.
///
/// Removals, adoptions, manual steps, hazards and problems are never folded: a reviewer decides about each of them.
pub(crate) fn text(plan: &Plan, full: bool) -> String {
    let mut text = String::new();
    for (number, step) in plan.steps.iter().enumerate() {
        if step.is_empty() {
            continue;
        }
        let (shown, folded) = if full {
            (step.clone(), Vec::new())
        } else {
            fold(step)
        };
        let _infallible = writeln!(text, "{:>3}  {} ({})", number + 1, step.title, step.step);
        for line in shown.to_string().lines() {
            let _infallible = writeln!(text, "{}", painted(line));
        }
        for line in folded {
            let _infallible = writeln!(text, "     {line}");
        }
        text.push('\n');
    }
    let _infallible = write!(text, "Plan: {}", plan.summary());
    if let Some(approval) = plan.approval() {
        let _infallible = write!(text, "\n{approval}");
    }
    text
}

/// Returns a step with the first changes of each kind, and a line for the others.
fn fold(step: &StepPlan) -> (StepPlan, Vec<String>) {
    let mut counts: BTreeMap<(Action, Kind), usize> = BTreeMap::new();
    for change in &step.changes {
        *counts
            .entry((change.action, change.subject.kind()))
            .or_default() += 1;
    }
    let is_folded = |action: Action, number: usize| {
        number > MAX_SHOWN && matches!(action, Action::Create | Action::Update | Action::Wait)
    };
    let mut shown = step.clone();
    let mut seen: BTreeMap<(Action, Kind), usize> = BTreeMap::new();
    shown.changes.retain(|change| {
        let key = (change.action, change.subject.kind());
        let seen = seen.entry(key).or_default();
        *seen += 1;
        !is_folded(key.0, counts[&key]) || *seen <= SHOWN_IF_FOLDED
    });
    let folded = counts
        .into_iter()
        .filter(|((action, _), number)| is_folded(*action, *number))
        .map(|((action, kind), number)| {
            let kind = kind.to_string().replace('-', " ");
            format!(
                "{} … and {} more of kind {kind} to {} (--full lists all)",
                action.mark(),
                number - SHOWN_IF_FOLDED,
                action.verb()
            )
        })
        .collect();
    (shown, folded)
}

/// Returns a line of a plan with the color of its mark.
fn painted(line: &str) -> String {
    let Some(rest) = line.strip_prefix(INDENT) else {
        return line.to_owned();
    };
    let color = match rest.chars().next() {
        Some('+') => GREEN,
        Some('~' | '=') => YELLOW,
        Some('-' | 'x') => RED,
        Some('@' | '!') => MAGENTA,
        _ => return line.to_owned(),
    };
    format!("{INDENT}{color}{rest}{RESET}")
}

/// The number of changes of one action and kind from which on a list is folded.
const MAX_SHOWN: usize = 20;
/// The number of changes that a folded list shows.
const SHOWN_IF_FOLDED: usize = 5;

/// The indentation of the changes in the text of a plan.
const INDENT: &str = "     ";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";
const MAGENTA: &str = "\u{1b}[35m";
const RESET: &str = "\u{1b}[0m";
