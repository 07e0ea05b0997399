//! Checks the rules MD-SIG: signatures, verified with the caller's keys.

use jiff::Timestamp;

use super::{Finding, Policy, report::Report, rules::signature as rules};
use crate::{
    Document, Element,
    error::with_causes,
    signature::{SignatureError, Verifier, VerifyingKey, signature_rules},
    tree::NamespaceId,
};

/// Checks a document against the rules about signatures.
pub(crate) fn check(
    document: &Document,
    verifier: &Verifier,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let mut report = Report::new(document, policy, now);
    let root = document.root();
    match verifier.verify(document) {
        Ok(found) => check_key(&mut report, root, verifier.key_of(found)),
        Err(error) => add(&mut report, root, &error),
    }
    for element in signed_below(root) {
        match verifier.verify_element(element) {
            Ok(found) => check_key(&mut report, element, verifier.key_of(found)),
            Err(error) => {
                let message = format!(
                    "the signature of this element is invalid: {}",
                    with_causes(error.kind())
                );
                report.add(&rules::SIG_08, element, message);
            }
        }
    }
    report.finish()
}

fn add(report: &mut Report<'_>, root: Element<'_>, error: &SignatureError) {
    let at = root.signature();
    let message = with_causes(error.kind());
    if let Some(rule) = signature_rules().find(|rule| rule.id == error.rule()) {
        report.add(rule, at.unwrap_or(root), message);
    }
}

fn check_key(report: &mut Report<'_>, element: Element<'_>, key: &VerifyingKey) {
    let Some((from, until)) = key.validity() else {
        return;
    };
    let message = if report.now > until {
        format!("the certificate of the signing key expired at {until}")
    } else if report.now < from {
        format!("the certificate of the signing key is not valid before {from}")
    } else {
        return;
    };
    let at = element.signature();
    report.add_minor(&rules::SIG_09, at.unwrap_or(element), message);
}

/// Returns the groups, entities and roles inside an element that have their own signature.
fn signed_below(root: Element<'_>) -> Vec<Element<'_>> {
    let mut signed = Vec::new();
    let mut open = vec![root];
    // Other elements are not searched, in particular not the content of `Extensions`.
    while let Some(element) = open.pop() {
        let is_group = element.is_in(NamespaceId::METADATA, name!("EntitiesDescriptor"));
        if is_group || element.is_in(NamespaceId::METADATA, name!("EntityDescriptor")) {
            let children = element.children();
            open.extend(children.filter(|child| child.namespace_id() == NamespaceId::METADATA));
        }
        let signature = element.signature();
        if signature.is_some() && element != root {
            signed.push(element);
        }
    }
    signed
}
