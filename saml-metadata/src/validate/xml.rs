//! Checks the rules MD-XML: content that the reader accepts, but some consumers cannot handle.

use super::{
    report::{Report, Target},
    rules::document as rules,
};
use crate::{
    Element,
    reader::{chars::is_blank, escape::shorten},
    tree::{NodeId, NodeKind, to_u32},
};

pub(super) fn check(report: &mut Report<'_>) {
    let document = report.document;
    // The reader has normalized line ends to line feeds, so a carriage return comes from a
    // character reference.
    let may_return = document.tree.decoded.contains('\r') || has_return(document.text());
    for at in 0..document.tree.nodes.len() {
        let id = NodeId(to_u32(at));
        let node = document.tree.node(id);
        match node.kind {
            NodeKind::ProcessingInstruction => {
                report.add(
                    &rules::XML_05,
                    Target::Node(id),
                    "the document has a processing instruction",
                );
            }
            NodeKind::Comment if node.parent != NodeId::NONE => {
                let around = Element::new(document, node.parent);
                let is_value = around.children().next().is_none() && !is_blank(around.text());
                if is_value {
                    let message = format!("the text of {} contains a comment", name(around));
                    report.add(&rules::XML_06, Target::Node(id), message);
                }
            }
            NodeKind::Element if may_return => {
                let element = Element::new(document, id);
                if element.text().contains('\r') {
                    let message =
                        format!("the text of {} contains a carriage return", name(element));
                    report.add(&rules::XML_05, element, message);
                }
            }
            _ => {}
        }
    }
}

/// Returns whether a text has a carriage return. The search checks many bytes at once.
fn has_return(text: &str) -> bool {
    memchr::memchr(b'\r', text.as_bytes()).is_some()
}

/// Returns the local name of an element, shortened: the element may have any namespace and name.
fn name(element: Element<'_>) -> String {
    shorten(element.local_name())
}
