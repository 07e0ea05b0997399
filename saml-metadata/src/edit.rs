use std::ops::Range;

use crate::{
    Document, Element, ReadError,
    document::read_with,
    reader::{
        chars::{is_char, is_ncname},
        escape::{escape_attribute, escape_text, shorten},
    },
};

/// Changes to single values of a document, made by [`Document::edit`].
///
/// Nothing but the values named is written anew: white space, comments, quotes, prefixes and the
/// order of attributes stay, byte for byte. Values are escaped, so that they read back the same.
///
/// ```
/// let document = saml_metadata::read(
///     b"<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' entityID='a' />",
/// )?;
/// let entity = document.entity()?.element();
/// let edited = document.edit().set_attribute(entity, "entityID", "urn:b&c").apply()?;
/// assert_eq!(
///     edited.text(),
///     "<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:b&amp;c' />",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "an edit does nothing before `apply`"]
pub struct Edit<'a> {
    document: &'a Document,
    changes: Vec<Change>,
    error: Option<EditError>,
}

#[derive(Debug)]
struct Change {
    range: Range<usize>,
    text: String,
}

impl<'a> Edit<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        Self {
            document,
            changes: Vec::new(),
            error: None,
        }
    }

    /// Sets an attribute without a namespace, which is added behind the name if there is none.
    pub fn set_attribute(mut self, element: Element<'a>, name: &str, value: &str) -> Self {
        if !is_ncname(name) || name == "xmlns" {
            return self.fail(EditError::Name {
                name: shorten(name),
            });
        }
        if !self.accepts(element, value) {
            return self;
        }
        let found = element.attributes().find(|a| a.qualified_name() == name);
        let mut text = String::new();
        if let Some(attribute) = found {
            escape_attribute(value, &mut text);
            self.change(attribute.value_span(), text);
        } else {
            text.push(' ');
            text.push_str(name);
            text.push_str("=\"");
            escape_attribute(value, &mut text);
            text.push('"');
            let at = element.name_end();
            self.change(at..at, text);
        }
        self
    }

    /// Removes an attribute without a namespace, with the white space before it.
    pub fn remove_attribute(mut self, element: Element<'a>, name: &str) -> Self {
        if !self.accepts(element, "") {
            return self;
        }
        let found = element.attributes().find(|a| a.qualified_name() == name);
        if let Some(attribute) = found {
            let span = attribute.span();
            let start = self.document.text()[..span.start].trim_end().len();
            self.change(start..span.end, String::new());
        }
        self
    }

    /// Sets the text of an element that has no child elements.
    ///
    /// Comments inside are replaced with the text they stand in.
    pub fn set_text(mut self, element: Element<'a>, value: &str) -> Self {
        if !self.accepts(element, value) {
            return self;
        }
        if element.children().next().is_some() {
            return self.fail(EditError::HasElements {
                name: shorten(element.qualified_name()),
            });
        }
        let mut text = String::new();
        escape_text(value, &mut text);
        let (span, content) = (element.span(), element.content_span());
        if content.end == span.end {
            // `<a/>` has no inside: it becomes `<a>text</a>`.
            let name = element.qualified_name();
            self.change(span.end - "/>".len()..span.end, format!(">{text}</{name}>"));
        } else {
            self.change(content, text);
        }
        self
    }

    /// Removes an element and all inside.
    pub fn remove(mut self, element: Element<'a>) -> Self {
        if !self.accepts(element, "") {
            return self;
        }
        if element.parent().is_none() {
            return self.fail(EditError::Root);
        }
        self.change(element.span(), String::new());
        self
    }

    /// Returns the document with the changes made.
    ///
    /// # Errors
    ///
    /// Fails with the first change that could not be made, when two changes touch the same place,
    /// or when the result is not a document, for instance because it is over a limit now.
    pub fn apply(self) -> Result<Document, EditError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut changes = self.changes;
        changes.sort_by_key(|change| (change.range.start, change.range.end));
        let text = self.document.text();
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for change in changes {
            if change.range.start < at {
                return Err(EditError::Overlap);
            }
            result.push_str(&text[at..change.range.start]);
            result.push_str(&change.text);
            at = change.range.end;
        }
        result.push_str(&text[at..]);
        let bytes = self.document.source.encode(result);
        read_with(bytes, self.document.limits()).map_err(|source| EditError::Unreadable { source })
    }

    fn change(&mut self, range: Range<usize>, text: String) {
        self.changes.push(Change { range, text });
    }

    /// Checks what every change has in common; the first error is kept.
    fn accepts(&mut self, element: Element<'_>, value: &str) -> bool {
        let error = if std::ptr::eq(element.document(), self.document) {
            let forbidden = value.chars().find(|c| !is_char(*c));
            forbidden.map(|character| EditError::Character { character })
        } else {
            Some(EditError::OtherDocument)
        };
        let accepted = error.is_none();
        self.error = self.error.take().or(error);
        accepted
    }

    fn fail(mut self, error: EditError) -> Self {
        self.error = self.error.or(Some(error));
        self
    }
}

/// Why a document could not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// An element of another document was given.
    #[error("the element belongs to another document")]
    OtherDocument,
    /// The value has a character that XML cannot express, not even escaped.
    #[error("the character {character:?} is not allowed in XML")]
    #[non_exhaustive]
    Character {
        /// The character.
        character: char,
    },
    /// The attribute name has a colon or is not a name at all.
    #[error("{name:?} is not the name of an attribute without a namespace")]
    #[non_exhaustive]
    Name {
        /// The name, cut after 60 characters.
        name: String,
    },
    /// Text was to be set on an element that has child elements.
    #[error("the element `{name}` has elements inside, not text")]
    #[non_exhaustive]
    HasElements {
        /// The element's name, cut after 60 characters.
        name: String,
    },
    /// The root element was to be removed.
    #[error("the root element cannot be removed")]
    Root,
    /// Two changes touch the same place.
    #[error("two changes touch the same place")]
    Overlap,
    /// The result is not a document.
    #[error("the edited document cannot be read")]
    #[non_exhaustive]
    Unreadable {
        /// What is wrong with it.
        source: ReadError,
    },
}
