//! Writer for the XML text of new metadata.

use crate::reader::escape::{escape_attribute, escape_text};

/// Writer for XML, without white space between elements.
#[derive(Debug)]
pub(crate) struct Xml {
    text: String,
    /// Whether the last start tag still has no `>`.
    in_tag: bool,
}

impl Xml {
    pub(crate) fn new() -> Self {
        Self {
            text: r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
            in_tag: false,
        }
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.end_tag();
        self.text.push('<');
        self.text.push_str(name);
        self.in_tag = true;
    }

    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        debug_assert!(self.in_tag, "attributes must come before the content");
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape_attribute(value, &mut self.text);
        self.text.push('"');
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.end_tag();
        escape_text(value, &mut self.text);
    }

    pub(crate) fn close(&mut self, name: &str) {
        if self.in_tag {
            self.text.push_str("/>");
            self.in_tag = false;
        } else {
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push('>');
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.text.push('>');
            self.in_tag = false;
        }
    }
}
