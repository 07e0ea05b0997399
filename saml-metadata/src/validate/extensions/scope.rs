//! Checks the rules MD-SHIB: the domains (`Scope`) of an identity provider.

use crate::{
    Element,
    model::{extensions::Scope, values::boolean},
    reader::{
        chars::{collapse, is_blank},
        escape::shorten,
    },
    validate::{report::Report, rules::extension as rules},
};

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    if element.local_name() != "Scope" {
        return;
    }
    let scope = Scope::new(element);
    let text = scope.text();
    if is_blank(text) {
        report.add(&rules::SHIB_01, element, "the Scope is empty");
        return;
    }
    match element.own_attribute(name!("regexp")) {
        None => report.add_minor(
            &rules::SHIB_01,
            element,
            "the Scope has no regexp attribute",
        ),
        Some(value) if boolean(element, name!("regexp")).is_none() => {
            let message = format!("regexp is {:?}, not true or false", shorten(value));
            report.add(&rules::SHIB_01, (element, "regexp"), message);
        }
        Some(_) => {}
    }
    let shown = shorten(text);
    if collapse(element.text()) != element.text() || text.contains(char::is_whitespace) {
        let message = format!("the Scope {shown:?} contains whitespace");
        report.add(&rules::SHIB_01, element, message);
    } else if scope.is_regexp() {
        if !(text.starts_with('^') && text.ends_with('$')) {
            let message =
                format!("the regular expression {shown:?} does not start with ^ and end with $");
            report.add(&rules::SHIB_01, element, message);
        }
    } else if !is_domain(text) {
        let message = format!("the Scope {shown:?} is not a domain");
        report.add(&rules::SHIB_01, element, message);
    } else if !text.contains('.') {
        let message = format!("the Scope {shown:?} is a whole top-level domain");
        report.add(&rules::SHIB_01, element, message);
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        let message = format!("the Scope {shown:?} is not in lower case");
        report.add_minor(&rules::SHIB_01, element, message);
    }
}

/// Returns whether a text is a host name with one or more labels.
pub(super) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.chars().count())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
