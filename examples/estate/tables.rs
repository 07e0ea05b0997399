//! The calls as tables.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    apply::Apply,
    creation::{Creation, Creations},
    measure::Measured,
};

/// Returns the tables of all sizes.
pub(crate) fn text(sizes: &[Measured]) -> String {
    let tables = [calls(sizes), least(sizes), operations(sizes)];
    tables.map(|table| table.to_string()).join("\n\n")
}

/// Returns the table of the creation of assignments.
pub(crate) fn creations(creations: &Creations) -> Table {
    let header = [
        "creation",
        "assignments",
        "bound (s)",
        "time (s)",
        "ratio",
        "calls each",
        "refused",
    ];
    let mut table = table(&header);
    let mut add = |name: &str, one: &Creation| {
        table.add_row([
            name.to_owned(),
            one.assignments.to_string(),
            format!("{:.0}", one.bound_seconds),
            format!("{:.0}", one.makespan_seconds),
            format!("{:.3}", one.makespan_ratio),
            format!("{:.2}", one.calls_per_assignment),
            format!("{:.1} %", 100.0 * one.throttled_share),
        ]);
    };
    let Creations {
        equal,
        spread,
        real,
    } = creations;
    for (name, one) in [("10 s each", equal), ("8 to 12 s each", spread)] {
        add(name, one);
        if let Some(fixed) = &one.fixed {
            add(&format!("{name}, 10 workers"), fixed);
        }
    }
    add("10 s each, real clock", real);
    align(table, header.len())
}

/// Returns the table of the CPU time.
pub(crate) fn apply(apply: &Apply) -> Table {
    let header = [
        "assignments",
        "CPU (s)",
        "µs each",
        "writes of the state",
        "of the ledger",
    ];
    let mut table = table(&header);
    for one in std::iter::once(&apply.measured).chain(&apply.other_sizes) {
        table.add_row([
            one.assignments.to_string(),
            format!("{:.1}", one.cpu_seconds),
            format!("{:.0}", one.cpu_microseconds_per_assignment),
            one.state_writes.to_string(),
            one.ledger_writes.to_string(),
        ]);
    }
    align(table, header.len())
}

fn calls(sizes: &[Measured]) -> Table {
    let header = [
        "accounts / sets / groups",
        "users",
        "assignments",
        "plan",
        "least",
        "ratio",
        "seconds",
        "apply",
        "verify",
        "report",
        "all",
        "ratio",
        "members",
        "full",
        "least",
        "ratio",
    ];
    let mut table = table(&header);
    let number = |number: Option<usize>| number.map_or_else(String::new, |it| it.to_string());
    for size in sizes {
        let full_ratio = size.full_ratio.map(|ratio| format!("{ratio:.3}"));
        table.add_row([
            format!(
                "{} / {} / {}",
                size.accounts, size.permission_sets, size.groups
            ),
            size.users.to_string(),
            size.assignments.to_string(),
            size.plan_calls.to_string(),
            size.plan_least.to_string(),
            format!("{:.3}", size.plan_ratio),
            size.plan_seconds.to_string(),
            size.apply_calls.to_string(),
            size.verify_calls.to_string(),
            size.report_calls.to_string(),
            size.all_calls.to_string(),
            format!("{:.3}", size.all_ratio),
            size.member_calls.to_string(),
            number(size.full_calls),
            size.full_least.to_string(),
            full_ratio.unwrap_or_default(),
        ]);
    }
    align(table, header.len())
}

/// Returns the parts of the least number of calls.
fn least(sizes: &[Measured]) -> Table {
    by_name(sizes, "part of the least", |size| {
        let parts = serde_json::to_value(&size.plan_least_parts).unwrap_or_default();
        let parts = parts.as_object().cloned().unwrap_or_default();
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
        let parts = parts.iter();
        parts
            .map(|(name, value)| (name.clone(), number(value)))
            .collect()
    })
}

/// Returns the calls of all phases.
fn operations(sizes: &[Measured]) -> Table {
    by_name(sizes, "operation", |size| {
        let calls = size.calls_by_operation.iter();
        calls
            .map(|(name, calls)| (name.clone(), *calls as u64))
            .collect()
    })
}

fn by_name(
    sizes: &[Measured],
    title: &str,
    numbers: impl Fn(&Measured) -> Vec<(String, u64)>,
) -> Table {
    let mut header = vec![title.to_owned()];
    header.extend(sizes.iter().map(|size| size.accounts.to_string()));
    let mut table = table(&header);
    let columns: Vec<_> = sizes.iter().map(numbers).collect();
    let names: std::collections::BTreeSet<&String> =
        columns.iter().flatten().map(|(name, _)| name).collect();
    for name in names {
        let mut row = vec![name.clone()];
        row.extend(columns.iter().map(|column| {
            let found = column.iter().find(|(known, _)| known == name);
            found.map_or(0, |(_, number)| *number).to_string()
        }));
        table.add_row(row);
    }
    align(table, header.len())
}

fn table<T: AsRef<str>>(header: &[T]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(header.iter().map(AsRef::as_ref));
    table
}

/// Aligns the numbers to the right.
fn align(mut table: Table, columns: usize) -> Table {
    for index in 1..columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
