//! Checks the rules MD-ENT-08 to MD-ENT-10 and MD-UI-05: the texts of elements and attributes.

use std::borrow::Cow;

use super::{
    report::Report,
    rules::{entity as rules, extension},
    seen::Seen,
};
use crate::{
    Element,
    reader::{
        chars::{collapse, is_blank},
        escape::shorten,
    },
    tree::{NamespaceId, NodeId},
};

pub(super) fn check<'a>(
    report: &mut Report<'a>,
    element: Element<'a>,
    languages: &mut Languages<'a>,
) {
    match element.namespace_id() {
        NamespaceId::METADATA => {
            check_values(report, element);
            let is_localized = is_localized(element);
            check_text(report, element, is_localized);
            if is_localized {
                check_language(report, element, languages);
            }
        }
        NamespaceId::UI | NamespaceId::REGISTRATION if is_localized(element) => {
            check_language(report, element, languages);
        }
        _ => {}
    }
}

pub(super) fn is_localized(element: Element<'_>) -> bool {
    let localized = names![
        "OrganizationName",
        "OrganizationDisplayName",
        "OrganizationURL",
        "ServiceName",
        "ServiceDescription",
        "DisplayName",
        "Description",
        "Keywords",
        "InformationURL",
        "PrivacyStatementURL",
        "RegistrationPolicy",
        "UsagePolicy",
    ];
    localized.contains(element.local_name_number())
}

fn check_values(report: &mut Report<'_>, element: Element<'_>) {
    // URIs and other short values.
    let values = names![
        "entityID",
        "ID",
        "Binding",
        "Location",
        "ResponseLocation",
        "errorURL",
        "affiliationOwnerID",
        "contactType",
        "use",
        "Algorithm",
    ];
    for attribute in element.attributes() {
        if attribute.namespace_id() == NamespaceId::NONE
            && values.contains(attribute.local_name_number())
            && collapse(attribute.value()) != attribute.value()
        {
            let name = attribute.local_name();
            let message = format!("{name} has leading or trailing whitespace");
            report.add(&rules::ENT_10, (element, name), message);
        }
    }
}

fn check_text(report: &mut Report<'_>, element: Element<'_>, is_localized: bool) {
    let others = names![
        "Company",
        "GivenName",
        "SurName",
        "EmailAddress",
        "TelephoneNumber",
        "NameIDFormat",
        "AttributeProfile",
        "AffiliateMember",
        "AdditionalMetadataLocation",
    ];
    let is_text = is_localized || others.contains(element.local_name_number());
    if !is_text {
        return;
    }
    let (name, text) = (element.local_name(), element.text());
    if is_blank(text) {
        // MD-ENT-05 checks the texts of an Organization.
        if !name.starts_with("Organization") {
            report.add(&rules::ENT_08, element, format!("{name} is empty"));
        }
    } else if collapse(text) != text {
        let message = format!("{name} has leading or trailing whitespace");
        report.add(&rules::ENT_10, element, message);
    }
}

const ADD_LANGUAGE: &str = "Add xml:lang, for example xml:lang=\"en\".";

/// The languages seen so far, in lower case, per parent and element name.
pub(super) struct Languages<'a> {
    seen: Seen<(Option<NodeId>, &'a str, Cow<'a, str>)>,
    /// The end of all parents of the seen elements.
    end: usize,
}

impl<'a> Languages<'a> {
    /// Returns the state before the root element.
    pub(super) fn new() -> Self {
        Self {
            seen: Seen::new(),
            end: 0,
        }
    }

    /// Adds the language of an element, and returns whether it is new for this parent and name.
    fn insert(&mut self, element: Element<'a>, language: Cow<'a, str>) -> bool {
        // A parent that has ended gets no further children, so its entries are removed. This keeps
        // the list short in a large document.
        if element.span().start >= self.end {
            self.seen.clear();
        }
        let parent = element.parent();
        let end = parent.map_or(usize::MAX, |parent| parent.span().end);
        self.end = self.end.max(end);
        self.seen
            .insert((parent.map(Element::id), element.local_name(), language))
    }
}

fn check_language<'a>(
    report: &mut Report<'a>,
    element: Element<'a>,
    languages: &mut Languages<'a>,
) {
    let name = element.local_name();
    let language = match element.language() {
        None => {
            let message = format!("{name} has no xml:lang");
            report.add(&rules::ENT_09, element, (message, ADD_LANGUAGE));
            return;
        }
        Some(language) if is_blank(language) => {
            let message = format!("the xml:lang of {name} is empty");
            report.add(
                &rules::ENT_09,
                (element, "xml:lang"),
                (message, ADD_LANGUAGE),
            );
            return;
        }
        Some(language) => language,
    };
    let lower_case = if language.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(language.to_ascii_lowercase())
    } else {
        Cow::Borrowed(language)
    };
    if !languages.insert(element, lower_case) {
        let message = format!(
            "{name} appears twice in the language {:?}",
            shorten(language)
        );
        let target = (element, "xml:lang");
        if element.namespace_id() == NamespaceId::UI {
            report.add(&extension::UI_05, target, message);
        } else {
            let help = "Keep one text per language.";
            report.add_minor(&rules::ENT_09, target, (message, help));
        }
    }
}
