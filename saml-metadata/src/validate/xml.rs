//! MD-XML: what the reader let pass, but others may stumble over.

use super::{
    report::{Place, Report},
    rules::document as rules,
};
use crate::{
    Element,
    reader::{chars::is_blank, escape::shorten},
    tree::{NodeId, NodeKind, number},
};

pub(super) fn check(report: &mut Report<'_>) {
    let document = report.document;
    // Line ends are line feeds by now, so a carriage return was written as a reference.
    let may_return = document.tree.decoded.contains('\r') || has_return(document.text());
    for at in 0..document.tree.nodes.len() {
        let id = NodeId(number(at));
        let node = document.tree.node(id);
        match node.kind {
            NodeKind::ProcessingInstruction => {
                report.add(&rules::XML_05, Place::Node(id), "a processing instruction");
            }
            NodeKind::Comment if node.parent != NodeId::NONE => {
                let around = Element::new(document, node.parent);
                let is_value = around.children().next().is_none() && !is_blank(around.text());
                if is_value {
                    let message = format!("a comment stands in the text of {}", name(around));
                    report.add(&rules::XML_06, Place::Node(id), message);
                }
            }
            NodeKind::Element if may_return => {
                let element = Element::new(document, id);
                if element.text().contains('\r') {
                    let message = format!("the text of {} has a carriage return", name(element));
                    report.add(&rules::XML_05, element, message);
                }
            }
            _ => {}
        }
    }
}

/// Returns whether there is a carriage return, looking at many bytes at once.
fn has_return(text: &str) -> bool {
    memchr::memchr(b'\r', text.as_bytes()).is_some()
}

/// Returns a name that may be of another namespace, and of any length.
fn name(element: Element<'_>) -> String {
    shorten(element.local_name())
}
