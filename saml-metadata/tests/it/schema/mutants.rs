//! Draws changes of valid documents, each with one fault.
#![expect(clippy::unnecessary_wraps, reason = "all changes have one type")]

use saml_metadata::{Element, read};

/// A changed document.
pub(super) struct Mutant {
    pub(super) kind: &'static str,
    /// The element or attribute that was changed.
    pub(super) place: String,
    pub(super) xml: String,
}

/// The kinds of change; each gets the same number of mutants.
const KINDS: [(&str, Change); 9] = [
    ("drop an element", drop_element),
    ("double an element", double_element),
    ("rename an element", rename_element),
    ("reorder two elements", reorder),
    ("drop an attribute", drop_attribute),
    ("blank an attribute", blank_attribute),
    ("rename an attribute", rename_attribute),
    ("add a foreign attribute", foreign_attribute),
    ("add stray text", stray_text),
];

/// Changes an element, and returns the changed place and the document; `None` if the element is
/// not suitable.
type Change = fn(&str, Element<'_>, &mut Numbers) -> Option<(String, String)>;

/// Pseudorandom numbers (Knuth's linear congruential generator): every run draws the same mutants.
pub(super) struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

pub(super) fn draw(sources: &[&str], number: usize, seed: u64) -> Vec<Mutant> {
    let mut numbers = Numbers(seed);
    let documents: Vec<_> = sources
        .iter()
        .map(|xml| read(xml.as_bytes()).expect("a valid document"))
        .collect();
    let mut mutants = Vec::new();
    while mutants.len() < number {
        let (kind, change) = KINDS[mutants.len() % KINDS.len()];
        let document = &documents[numbers.below(documents.len())];
        let elements: Vec<Element<'_>> = document.root().descendants().collect();
        let element = elements[numbers.below(elements.len())];
        if let Some((place, xml)) = change(document.text(), element, &mut numbers) {
            mutants.push(Mutant { kind, place, xml });
        }
    }
    mutants
}

fn replace(text: &str, range: std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

fn named(element: Element<'_>) -> String {
    let parent = element.parent().map_or("", Element::qualified_name);
    format!("{parent}/{}", element.qualified_name())
}

fn drop_element(text: &str, element: Element<'_>, _: &mut Numbers) -> Option<(String, String)> {
    element.parent()?;
    Some((named(element), replace(text, element.span(), "")))
}

fn double_element(text: &str, element: Element<'_>, _: &mut Numbers) -> Option<(String, String)> {
    element.parent()?;
    let twice = element.source().repeat(2);
    Some((named(element), replace(text, element.span(), &twice)))
}

fn rename_element(text: &str, element: Element<'_>, _: &mut Numbers) -> Option<(String, String)> {
    let name = element.qualified_name();
    let source = element.source();
    let start = format!("<{name}x{}", &source[1 + name.len()..]);
    let end = format!("</{name}>");
    let renamed = match start.strip_suffix(&end) {
        Some(before) => format!("{before}</{name}x>"),
        None => start,
    };
    Some((named(element), replace(text, element.span(), &renamed)))
}

fn reorder(text: &str, element: Element<'_>, _: &mut Numbers) -> Option<(String, String)> {
    let parent = element.parent()?;
    let next = parent
        .children()
        .skip_while(|child| *child != element)
        .nth(1)?;
    let between = &text[element.span().end..next.span().start];
    let swapped = format!("{}{between}{}", next.source(), element.source());
    let place = format!("{} and {}", named(element), next.qualified_name());
    let range = element.span().start..next.span().end;
    Some((place, replace(text, range, &swapped)))
}

fn with_attribute(
    text: &str,
    element: Element<'_>,
    numbers: &mut Numbers,
    change: impl FnOnce(&str, &str) -> String,
) -> Option<(String, String)> {
    let attributes: Vec<_> = element.attributes().collect();
    if attributes.is_empty() {
        return None;
    }
    let attribute = attributes[numbers.below(attributes.len())];
    let name = attribute.qualified_name();
    let changed = change(name, &text[attribute.value_span()]);
    let place = format!("{}/@{name}", named(element));
    Some((place, replace(text, attribute.span(), &changed)))
}

fn drop_attribute(text: &str, element: Element<'_>, n: &mut Numbers) -> Option<(String, String)> {
    with_attribute(text, element, n, |_, _| String::new())
}

fn blank_attribute(text: &str, element: Element<'_>, n: &mut Numbers) -> Option<(String, String)> {
    with_attribute(text, element, n, |name, _| format!("{name}=\"\""))
}

fn rename_attribute(text: &str, element: Element<'_>, n: &mut Numbers) -> Option<(String, String)> {
    with_attribute(text, element, n, |name, value| {
        format!("{name}x=\"{value}\"")
    })
}

fn foreign_attribute(
    text: &str,
    element: Element<'_>,
    _: &mut Numbers,
) -> Option<(String, String)> {
    let at = element.span().start + 1 + element.qualified_name().len();
    let attribute = " foreign:a=\"1\" xmlns:foreign=\"urn:foreign\"";
    Some((named(element), replace(text, at..at, attribute)))
}

fn stray_text(text: &str, element: Element<'_>, _: &mut Numbers) -> Option<(String, String)> {
    let source = element.source();
    let xml = match source.strip_suffix("/>") {
        Some(start) if element.content_span().is_empty() => {
            let name = element.qualified_name();
            replace(text, element.span(), &format!("{start}>stray</{name}>"))
        }
        _ => {
            let start = element.content_span().start;
            replace(text, start..start, "-")
        }
    };
    Some((named(element), xml))
}
