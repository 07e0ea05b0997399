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
            NodeKind::Element => {
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

/// Returns a name that may be of another namespace, and of any length.
fn name(element: Element<'_>) -> String {
    shorten(element.local_name())
}
