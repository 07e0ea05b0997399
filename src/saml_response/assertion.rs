//! Checks of the assertion: subject, conditions, statements and attributes.

use std::collections::BTreeSet;

use saml_metadata::{Document, Element, names::name_id_format::EMAIL_ADDRESS};

use super::{
    Expectations, LintReport, assertion_child, assertion_children, rule, status,
    time::{self, Bound},
    values::{is_address, quoted, quoted_acs, short},
};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";
const MAX_TAGS: usize = 50;

pub(super) fn check(
    response: Element<'_>,
    assertion: Element<'_>,
    metadata: &Document,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    match assertion_child(assertion, "Issuer") {
        Some(issuer) => status::check_issuer(issuer, metadata, report),
        None => report.add(
            &rule::ISS_01,
            assertion,
            "no Issuer".to_owned(),
            "an Issuer".to_owned(),
        ),
    }
    let subject = assertion_child(assertion, "Subject");
    check_name_id(subject.unwrap_or(assertion), expectations, report);
    check_confirmations(response, subject.unwrap_or(assertion), expectations, report);
    check_conditions(assertion, expectations, report);
    let statements = assertion_children(assertion, "AuthnStatement");
    if statements.is_empty() {
        let expected = "an AuthnStatement".to_owned();
        report.add(
            &rule::AUTHN_01,
            assertion,
            "no AuthnStatement".to_owned(),
            expected,
        );
    }
    for statement in statements {
        time::check(
            statement,
            "SessionNotOnOrAfter",
            Bound::NotOnOrAfter,
            &rule::TIME_04,
            expectations,
            report,
        );
    }
    check_attributes(assertion, report);
}

fn check_name_id(subject: Element<'_>, expectations: &Expectations, report: &mut LintReport) {
    let Some(name_id) = assertion_child(subject, "NameID") else {
        let found = match assertion_child(subject, "EncryptedID") {
            Some(_) => "an EncryptedID, which AWS cannot decrypt",
            None => "no NameID",
        };
        report.add(
            &rule::NID_01,
            subject,
            found.to_owned(),
            "a NameID".to_owned(),
        );
        return;
    };
    let format = name_id.attribute("Format");
    if format != Some(EMAIL_ADDRESS) {
        let found = format!("Format is {}", quoted(format));
        report.add(&rule::NID_02, name_id, found, format!("{EMAIL_ADDRESS:?}"));
    }
    let name = name_id.text();
    if !is_address(name) {
        report.add(
            &rule::NID_03,
            name_id,
            format!("{:?}", short(name)),
            "name@domain.com".to_owned(),
        );
    }
    if let Some(user_name) = &expectations.user_name
        && name != user_name
    {
        let found = if name.to_lowercase() == user_name.to_lowercase() {
            format!(
                "{:?}, which differs only in upper and lower case",
                short(name)
            )
        } else {
            format!("{:?}", short(name))
        };
        report.add(
            &rule::NID_04,
            name_id,
            found,
            format!("the SCIM userName {user_name:?}"),
        );
    }
}

fn check_confirmations(
    response: Element<'_>,
    subject: Element<'_>,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    let bearer: Vec<Element<'_>> = assertion_children(subject, "SubjectConfirmation")
        .into_iter()
        .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER))
        .filter_map(|confirmation| assertion_child(confirmation, "SubjectConfirmationData"))
        .collect();
    if bearer.is_empty() {
        let expected =
            "a SubjectConfirmation with the method bearer and SubjectConfirmationData".to_owned();
        report.add(&rule::CONF_01, subject, "none".to_owned(), expected);
        return;
    }
    // One valid confirmation is enough, so the report gets only the confirmation with the fewest errors.
    let mut best: Option<LintReport> = None;
    for data in bearer {
        let mut candidate = LintReport::new();
        check_confirmation(response, data, expectations, &mut candidate);
        let errors = |report: &LintReport| {
            report
                .findings()
                .iter()
                .filter(|finding| finding.is_error())
                .count()
        };
        if best
            .as_ref()
            .is_none_or(|best| errors(&candidate) < errors(best))
        {
            best = Some(candidate);
        }
    }
    if let Some(best) = best {
        report.append(best);
    }
}

fn check_confirmation(
    response: Element<'_>,
    data: Element<'_>,
    expectations: &Expectations,
    report: &mut LintReport,
) {
    let recipient = data.attribute("Recipient");
    if !recipient.is_some_and(|url| expectations.acs_urls.iter().any(|acs| acs == url)) {
        let found = format!(
            "Recipient is {}",
            quoted_acs(recipient, &expectations.acs_urls)
        );
        report.add(
            &rule::REC_01,
            data,
            found,
            expectations.acs_urls.join(" or "),
        );
    }
    if data.attribute("NotOnOrAfter").is_none() {
        let found = "no NotOnOrAfter".to_owned();
        report.add(
            &rule::TIME_03,
            data,
            found,
            "a deadline for the delivery".to_owned(),
        );
    }
    time::check(
        data,
        "NotOnOrAfter",
        Bound::NotOnOrAfter,
        &rule::TIME_03,
        expectations,
        report,
    );
    time::check(
        data,
        "NotBefore",
        Bound::NotBefore,
        &rule::TIME_01,
        expectations,
        report,
    );
    let (outer, inner) = (
        response.attribute("InResponseTo"),
        data.attribute("InResponseTo"),
    );
    if outer != inner {
        let found = format!("InResponseTo is {}", quoted(inner));
        report.add(
            &rule::IRT_02,
            data,
            found,
            format!("the InResponseTo of the response, {}", quoted(outer)),
        );
    }
}

fn check_conditions(assertion: Element<'_>, expectations: &Expectations, report: &mut LintReport) {
    let Some(conditions) = assertion_child(assertion, "Conditions") else {
        let expected = "Conditions with an AudienceRestriction".to_owned();
        report.add(
            &rule::COND_01,
            assertion,
            "no Conditions".to_owned(),
            expected,
        );
        return;
    };
    time::check(
        conditions,
        "NotBefore",
        Bound::NotBefore,
        &rule::TIME_01,
        expectations,
        report,
    );
    time::check(
        conditions,
        "NotOnOrAfter",
        Bound::NotOnOrAfter,
        &rule::TIME_02,
        expectations,
        report,
    );
    let restrictions = assertion_children(conditions, "AudienceRestriction");
    let expected = || format!("the issuer URL {:?}", expectations.issuer_url);
    if restrictions.is_empty() {
        report.add(
            &rule::AUD_01,
            conditions,
            "no AudienceRestriction".to_owned(),
            expected(),
        );
    }
    // The issuer URL must be an audience of every restriction.
    for restriction in restrictions {
        let audiences: Vec<&str> = assertion_children(restriction, "Audience")
            .into_iter()
            .map(|audience| audience.text().trim())
            .collect();
        if !audiences.contains(&expectations.issuer_url.as_str()) {
            let found: Vec<String> = audiences
                .iter()
                .take(3)
                .map(|audience| quoted(Some(audience)))
                .collect();
            let found = if found.is_empty() {
                "no Audience".to_owned()
            } else {
                found.join(", ")
            };
            report.add(&rule::AUD_01, restriction, found, expected());
        }
    }
}

fn check_attributes(assertion: Element<'_>, report: &mut LintReport) {
    let mut keys = BTreeSet::new();
    let attributes = assertion_children(assertion, "AttributeStatement")
        .into_iter()
        .flat_map(|statement| assertion_children(statement, "Attribute"));
    for attribute in attributes {
        let name = attribute.attribute("Name").unwrap_or_default();
        let Some(known) = name.strip_prefix(ATTRIBUTES) else {
            continue;
        };
        if let Some(key) = known.strip_prefix("AccessControl:") {
            keys.insert(key);
            check_tag(attribute, key, report);
        } else if ["Role", "RoleSessionName", "SessionDuration"].contains(&known) {
            let expected = "no attribute of the Okta application AWS Account Federation".to_owned();
            report.add(&rule::ATTR_01, attribute, format!("{name:?}"), expected);
        }
    }
    if keys.len() > MAX_TAGS {
        let found = format!("{} AccessControl attributes", keys.len());
        report.add(
            &rule::ATTR_04,
            assertion,
            found,
            format!("at most {MAX_TAGS}"),
        );
    }
}

/// Checks an access control attribute against the limits of session tags.
fn check_tag(attribute: Element<'_>, key: &str, report: &mut LintReport) {
    if !(1..=128).contains(&key.chars().count()) || !key.chars().all(is_tag_character) {
        let expected = "1 to 128 letters, digits, spaces or _ . : / = + - @".to_owned();
        report.add(
            &rule::ATTR_02,
            attribute,
            format!("the key {:?}", short(key)),
            expected,
        );
    }
    let values = assertion_children(attribute, "AttributeValue");
    if values.len() != 1 {
        let found = format!("{} values of {:?}", values.len(), short(key));
        report.add(&rule::ATTR_03, attribute, found, "one value".to_owned());
    }
    for value in values {
        let text = value.text();
        if text.chars().count() > 256 || !text.chars().all(is_tag_character) {
            let found = format!(
                "{:?}, a value of {} characters",
                short(text),
                text.chars().count()
            );
            let expected = "at most 256 letters, digits, spaces or _ . : / = + - @".to_owned();
            report.add(&rule::ATTR_03, value, found, expected);
        }
    }
}

/// Returns whether a session tag can contain the character: `[\p{L}\p{Z}\p{N}_.:/=+\-@]` (STS API reference).
fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}
