//! Text output of the program.

use std::io::{self, Write};

use jiff::Timestamp;
use okta_aws_sso::saml::{
    Change, Document, EntityDescriptor, Impact,
    rollover::{self, CertificateValidity, Verdict},
};

pub(crate) fn explain(document: &Document, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    for described in document.entities() {
        entity(described, now, out)?;
    }
    Ok(())
}

pub(crate) fn entity(
    entity: EntityDescriptor<'_>,
    now: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "entity {}", entity.entity_id())?;
    if let Some(idp) = entity.identity_provider() {
        for sso in idp.single_sign_on_services() {
            writeln!(out, "  sign-in   {} ({})", sso.location(), sso.binding())?;
        }
        for format in idp.name_id_formats() {
            writeln!(out, "  NameID    {format}")?;
        }
        if idp.want_authn_requests_signed() {
            writeln!(out, "  requires signed authentication requests")?;
        }
    }
    if let Some(sp) = entity.service_provider() {
        for acs in sp.assertion_consumer_services() {
            writeln!(out, "  ACS       {} ({})", acs.location(), acs.binding())?;
        }
        for format in sp.name_id_formats() {
            writeln!(out, "  NameID    {format}")?;
        }
    }
    certificates(entity, now, out)
}

fn certificates(
    entity: EntityDescriptor<'_>,
    now: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    for validity in rollover::timeline(entity, now) {
        writeln!(
            out,
            "  {validity}\n            SHA-256 {}\n            SHA-1   {}",
            validity.fingerprint_sha256, validity.fingerprint_sha1
        )?;
    }
    Ok(())
}

pub(crate) fn diff(
    changes: &[Change],
    rollovers: &[(EntityDescriptor<'_>, Verdict)],
    at: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    for change in changes {
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
    for (entity, verdict) in rollovers {
        let keys: Vec<CertificateValidity> = rollover::timeline(*entity, at);
        writeln!(out, "{}: {verdict}", entity.entity_id())?;
        for validity in keys {
            writeln!(
                out,
                "  {validity}\n    SHA-256 {}",
                validity.fingerprint_sha256
            )?;
        }
        for (number, step) in verdict.steps.iter().enumerate() {
            writeln!(out, "  {}. {step}", number + 1)?;
        }
    }
    let breaking = changes.iter().filter(|change| change.breaks()).count();
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
