//! Two readings of what is signed.

use std::str::FromStr as _;

use samael::schema;
use saml_metadata::{Element, Severity};

use super::{
    LintReport, PROTOCOL, assertion_child, assertion_children, rule,
    values::{path, short},
};

/// Compares what samael's types say of the signed part with what is read here.
pub(super) fn compare(
    covered: Element<'_>,
    assertions: &[Element<'_>],
    xml: &str,
    report: &mut LintReport,
) {
    let is_response = covered.is(PROTOCOL, "Response");
    let Some(ours) = (if is_response {
        assertions.first().copied()
    } else {
        Some(covered)
    }) else {
        return;
    };
    let theirs = if is_response {
        schema::Response::from_str(xml)
            .map(|response| response.assertion)
            .map_err(|error| error.to_string())
    } else {
        schema::Assertion::from_str(xml)
            .map(Some)
            .map_err(|error| error.to_string())
    };
    let theirs = match theirs {
        Ok(Some(theirs)) => facts_of(&theirs),
        Ok(None) => Vec::new(),
        Err(error) => {
            let found = format!("samael cannot read it: {}", short(&error));
            report.add(&rule::READ_01, ours, found, "one reading".to_owned());
            return;
        }
    };
    let ours_facts = facts(ours);
    if let Some((ours_fact, theirs_fact)) = ours_facts
        .iter()
        .zip(&theirs)
        .find(|(ours, theirs)| ours != theirs)
    {
        let found = format!("samael reads {theirs_fact:?}, this project reads {ours_fact:?}");
        report.push(
            &rule::READ_01,
            Severity::Error,
            path(ours),
            found,
            "one reading".to_owned(),
        );
    } else if ours_facts.len() != theirs.len() {
        let found = format!(
            "samael reads {} values, this project {}",
            theirs.len(),
            ours_facts.len()
        );
        report.push(
            &rule::READ_01,
            Severity::Error,
            path(ours),
            found,
            "one reading".to_owned(),
        );
    }
}

/// Issuer, `NameID`, recipients and audiences as we read them.
fn facts(assertion: Element<'_>) -> Vec<String> {
    let text = |element: Element<'_>| element.text().trim().to_owned();
    let mut facts: Vec<String> = assertion_child(assertion, "Issuer")
        .map(text)
        .into_iter()
        .collect();
    let subject = assertion_child(assertion, "Subject");
    if let Some(subject) = subject {
        facts.extend(assertion_child(subject, "NameID").map(text));
        facts.extend(
            assertion_children(subject, "SubjectConfirmation")
                .into_iter()
                .filter_map(|confirmation| assertion_child(confirmation, "SubjectConfirmationData"))
                .filter_map(|data| data.attribute("Recipient"))
                .map(str::to_owned),
        );
    }
    if let Some(conditions) = assertion_child(assertion, "Conditions") {
        facts.extend(
            assertion_children(conditions, "AudienceRestriction")
                .into_iter()
                .flat_map(|restriction| assertion_children(restriction, "Audience"))
                .map(text),
        );
    }
    facts
}

/// The same as samael reads them.
fn facts_of(assertion: &schema::Assertion) -> Vec<String> {
    let mut facts: Vec<String> = assertion.issuer.value.iter().cloned().collect();
    if let Some(subject) = &assertion.subject {
        facts.extend(subject.name_id.iter().map(|name| name.value.clone()));
        facts.extend(
            subject
                .subject_confirmations
                .iter()
                .flatten()
                .filter_map(|confirmation| confirmation.subject_confirmation_data.as_ref())
                .filter_map(|data| data.recipient.clone()),
        );
    }
    if let Some(conditions) = &assertion.conditions {
        facts.extend(
            conditions
                .audience_restrictions
                .iter()
                .flatten()
                .flat_map(|restriction| restriction.audience.iter().cloned()),
        );
    }
    facts.iter().map(|fact| fact.trim().to_owned()).collect()
}
