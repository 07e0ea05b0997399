//! Text output of the program.

use std::io::{self, Write};

use okta_aws_sso::saml::{Change, Comparison, EntitySummary, Impact};

/// Prints the certificates as PEM, each after a comment with its use and validity.
pub(crate) fn pem(entities: &[EntitySummary], out: &mut impl Write) -> io::Result<()> {
    for role in entities.iter().flat_map(|entity| &entity.roles) {
        for certificate in &role.certificates {
            writeln!(out, "# {certificate}")?;
            writeln!(out, "# SHA-256 {}", certificate.fingerprint_sha256)?;
            write!(out, "{}", certificate.pem)?;
        }
    }
    Ok(())
}

pub(crate) fn diff(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    for change in &comparison.changes {
        writeln!(out, "{change}")?;
        for (when, impact) in [
            ("while the partner has the old file", change.partner_lags),
            (
                "while only the partner has the new file",
                change.partner_leads,
            ),
        ] {
            if impact != Impact::None {
                writeln!(out, "  {when}: {impact}")?;
            }
        }
    }
    for rollover in &comparison.rollovers {
        writeln!(out, "{}: {}", rollover.entity, rollover.verdict)?;
        for validity in &rollover.certificates {
            writeln!(
                out,
                "  {validity}\n    SHA-256 {}",
                validity.fingerprint_sha256
            )?;
        }
        for unreadable in &rollover.unreadable {
            writeln!(out, "  {unreadable}")?;
        }
        for (number, step) in rollover.verdict.steps.iter().enumerate() {
            writeln!(out, "  {}. {step}", number + 1)?;
        }
    }
    let changes = &comparison.changes;
    let breaking = changes
        .iter()
        .filter(|change| Change::breaks(change))
        .count();
    writeln!(
        out,
        "{}, including {}",
        count(changes.len(), "change"),
        count(breaking, "breaking change")
    )
}

/// Returns a number with a noun, such as `1 change` or `2 changes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
