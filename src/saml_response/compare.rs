//! Compares how two parsers read the signed part of a response.

use std::str::FromStr as _;

use samael::schema;
use saml_metadata::{Element, Severity};

use super::{
    LintReport, PROTOCOL, assertion_child, assertion_children, rule,
    values::{path, short},
};

/// The expectation of every finding of this module.
const SAME_VALUES: &str = "the same values from both parsers";

/// Reports a finding if samael and this project read different values from the signed element.
pub(super) fn compare(
    signed: Element<'_>,
    assertions: &[Element<'_>],
    xml: &str,
    report: &mut LintReport,
) {
    let is_response = signed.is(PROTOCOL, "Response");
    let Some(ours) = (if is_response {
        assertions.first().copied()
    } else {
        Some(signed)
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
        Ok(Some(theirs)) => samael_values(&theirs),
        Ok(None) => Vec::new(),
        Err(error) => {
            let found = format!("samael cannot read it: {}", short(&error));
            report.add(&rule::READ_01, ours, found, SAME_VALUES.to_owned());
            return;
        }
    };
    let our_values = own_values(ours);
    if let Some((our_value, their_value)) = our_values
        .iter()
        .zip(&theirs)
        .find(|(ours, theirs)| ours != theirs)
    {
        let found = format!("samael reads {their_value:?}, this project reads {our_value:?}");
        report.push(
            &rule::READ_01,
            Severity::Error,
            path(ours),
            found,
            SAME_VALUES.to_owned(),
        );
    } else if our_values.len() != theirs.len() {
        let found = format!(
            "samael reads {} values, this project reads {}",
            theirs.len(),
            our_values.len()
        );
        report.push(
            &rule::READ_01,
            Severity::Error,
            path(ours),
            found,
            SAME_VALUES.to_owned(),
        );
    }
}

/// Returns the issuer, `NameID`, recipients and audiences as this project reads them.
fn own_values(assertion: Element<'_>) -> Vec<String> {
    let text = |element: Element<'_>| element.text().trim().to_owned();
    let mut values: Vec<String> = assertion_child(assertion, "Issuer")
        .map(text)
        .into_iter()
        .collect();
    let subject = assertion_child(assertion, "Subject");
    if let Some(subject) = subject {
        values.extend(assertion_child(subject, "NameID").map(text));
        values.extend(
            assertion_children(subject, "SubjectConfirmation")
                .into_iter()
                .filter_map(|confirmation| assertion_child(confirmation, "SubjectConfirmationData"))
                .filter_map(|data| data.attribute("Recipient"))
                .map(str::to_owned),
        );
    }
    if let Some(conditions) = assertion_child(assertion, "Conditions") {
        values.extend(
            assertion_children(conditions, "AudienceRestriction")
                .into_iter()
                .flat_map(|restriction| assertion_children(restriction, "Audience"))
                .map(text),
        );
    }
    values
}

/// Returns the same values as samael reads them.
fn samael_values(assertion: &schema::Assertion) -> Vec<String> {
    let mut values: Vec<String> = assertion.issuer.value.iter().cloned().collect();
    if let Some(subject) = &assertion.subject {
        values.extend(subject.name_id.iter().map(|name| name.value.clone()));
        values.extend(
            subject
                .subject_confirmations
                .iter()
                .flatten()
                .filter_map(|confirmation| confirmation.subject_confirmation_data.as_ref())
                .filter_map(|data| data.recipient.clone()),
        );
    }
    if let Some(conditions) = &assertion.conditions {
        values.extend(
            conditions
                .audience_restrictions
                .iter()
                .flatten()
                .flat_map(|restriction| restriction.audience.iter().cloned()),
        );
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}
