//! Checks the rules MD-XML: content that the reader accepts, but some consumers cannot handle.

use super::{
    report::{Report, Target},
    rules::document as rules,
};
use crate::{
    Element,
    reader::{chars::is_blank, declaration, escape::shorten},
    source::Encoding,
    tree::{NodeId, NodeKind, to_u32},
};

pub(super) fn check(report: &mut Report<'_>) {
    let document = report.document;
    check_encoding(report);
    // The reader has normalized line ends to line feeds, so a carriage return comes from a
    // character reference.
    let may_return = document.tree.decoded.contains('\r');
    for at in 0..document.tree.nodes.len() {
        let id = NodeId(to_u32(at));
        let node = document.tree.node(id);
        match node.kind {
            NodeKind::ProcessingInstruction => {
                let message = "the document has a processing instruction";
                let help = "Remove the processing instruction: some consumers cannot handle it.";
                report.add(&rules::XML_05, Target::Node(id), (message, help));
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
                    let help = "Remove the carriage return: some consumers cannot handle it.";
                    report.add(&rules::XML_05, element, (message, help));
                }
            }
            _ => {}
        }
    }
}

/// Checks the encoding, which the reader has already accepted.
fn check_encoding(report: &mut Report<'_>) {
    let source = &report.document.source;
    let root = report.document.root();
    let has_mark = source.start() > 0;
    match source.encoding {
        Encoding::Utf8 if has_mark => {
            let message = "the file starts with a byte order mark";
            let help = "Remove the byte order mark (the bytes EF BB BF): sed '1s/^\\xEF\\xBB\\xBF//' FILE > NEW.";
            report.add(&rules::XML_07, root, (message, help));
        }
        Encoding::Utf8 => {}
        Encoding::Utf16Le | Encoding::Utf16Be => {
            let message = "the file is UTF-16";
            let help = "Convert the file to UTF-8, and remove the encoding from the XML declaration: iconv -f UTF-16 -t UTF-8 FILE > NEW.";
            report.add_minor(&rules::XML_07, root, (message, help));
        }
    }
    let declared = declaration::declared_encoding(&source.text[source.start()..]);
    if let Some(declared) = declared
        && let Some(registered) = declaration::registered_name(declared, source.encoding)
    {
        let read_as = match source.encoding {
            Encoding::Utf8 => "UTF-8",
            _ => "UTF-16",
        };
        let (message, help) = if registered == read_as {
            (
                format!(
                    "the document declares the encoding {:?}, whose registered name is {registered}",
                    shorten(declared)
                ),
                "Write the registered name into the XML declaration: some consumers know no other.",
            )
        } else {
            (
                format!(
                    "the document declares the encoding {:?} (registered name: {registered}), and was read as UTF-8, because it has only ASCII characters",
                    shorten(declared)
                ),
                "Declare UTF-8: the bytes stay the same, and some consumers read no other encoding.",
            )
        };
        report.add_minor(&rules::XML_03, root, (message, help));
    }
}

/// Returns the local name of an element, shortened: the element may have any namespace and name.
fn name(element: Element<'_>) -> String {
    shorten(element.local_name())
}
