//! Edits of a document that keep the unchanged parts byte for byte.

mod element;
mod metadata;

use std::ops::Range;

pub use self::element::NewElement;
use self::element::Prefixes;
use crate::{
    Document, Element, ParseTimeError, ReadError,
    document::read_with,
    names::namespace,
    reader::{
        chars::{is_blank, is_char, is_ncname},
        escape::{escape_attribute, escape_text, shorten},
    },
    validate::schema,
};

/// Changes to values and elements of a document, made by [`Document::edit`].
///
/// An edit rewrites only the named values and elements: all other white space, comments, quotes,
/// prefixes and the order of attributes stay byte for byte. Values are escaped, so a value reads
/// back unchanged.
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
#[must_use = "an edit does nothing until `apply` is called"]
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

    /// Sets an attribute without a namespace; a new attribute is added after the element's name.
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
    /// The new text also replaces comments inside the element.
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
            // `<a/>` has no content: it becomes `<a>text</a>`.
            let name = element.qualified_name();
            self.change(span.end - "/>".len()..span.end, format!(">{text}</{name}>"));
        } else {
            self.change(content, text);
        }
        self
    }

    /// Removes an element and its content.
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

    /// Inserts a new element into a parent at the position that the schema requires.
    ///
    /// The new element follows the last sibling of the same kind. If there is no such sibling, the
    /// position is the one that the schema defines for the kind. The white space before the new
    /// element is the same as before the neighbouring element. If the parent is `Extensions` or not
    /// an element of SAML metadata, the new element goes to the end.
    ///
    /// ```
    /// use saml_metadata::{NewElement, names::name_id_format};
    ///
    /// let document = saml_metadata::read(
    ///     br#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a">
    ///   <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ///     <SingleSignOnService Binding="urn:b" Location="https://a.example.com/"/>
    ///   </IDPSSODescriptor>
    /// </EntityDescriptor>"#,
    /// )?;
    /// let idp = document.entity()?.identity_provider().expect("there is one");
    /// let format = NewElement::name_id_format(name_id_format::EMAIL_ADDRESS);
    /// let edited = document.edit().insert(idp.element(), &format).apply()?;
    /// assert!(edited.text().contains(
    ///     "\n    <NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>\n    <Single"
    /// ));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(mut self, parent: Element<'a>, new: &NewElement) -> Self {
        if !self.accepts(parent, "") {
            return self;
        }
        if let Err(error) = new.check() {
            return self.fail(error);
        }
        let text = self.document.text();
        let (last_before, first_child) = match neighbours(parent, new) {
            Ok(neighbours) => neighbours,
            Err(error) => return self.fail(error),
        };
        let mut written = String::new();
        new.write(&mut Prefixes::inside(Some(parent)), &mut written);
        let content = parent.content_span();
        // The white space between an element and the tag or comment before it.
        let blank_before = |element: Element<'_>| {
            let before = &text[content.start..element.span().start];
            let start = before.rfind('>').map_or(0, |at| at + 1);
            let blank = &before[start..];
            if is_blank(blank) { blank } else { "" }
        };
        if let Some(last) = last_before {
            let at = last.span().end;
            self.change(at..at, format!("{}{written}", blank_before(last)));
        } else if let Some(first) = first_child {
            let at = first.span().start;
            self.change(at..at, format!("{written}{}", blank_before(first)));
        } else if content.end == parent.span().end {
            let name = parent.qualified_name();
            let end = parent.span().end;
            self.change(end - "/>".len()..end, format!(">{written}</{name}>"));
        } else if is_blank(&text[content.clone()]) {
            self.change(content.start..content.start, written);
        } else {
            self.change(content.end..content.end, written);
        }
        self
    }

    /// Replaces an element with a new one.
    pub fn replace(mut self, element: Element<'a>, new: &NewElement) -> Self {
        if !self.accepts(element, "") {
            return self;
        }
        if let Err(error) = new.check() {
            return self.fail(error);
        }
        let mut written = String::new();
        new.write(&mut Prefixes::inside(element.parent()), &mut written);
        self.change(element.span(), written);
        self
    }

    /// Applies the changes and returns the edited document.
    ///
    /// # Errors
    ///
    /// Fails if a change is not possible (with the first such change), if two changes overlap, or if
    /// the result cannot be read, for example because it exceeds a limit.
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

    /// Checks that the element belongs to the document and that XML allows the value. Keeps the
    /// first error.
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

type Neighbours<'a> = (Option<Element<'a>>, Option<Element<'a>>);

/// Returns the child after which a new element is inserted, and the first child of the parent.
///
/// If the first result is `None`, the new element is inserted before the first child.
fn neighbours<'a>(parent: Element<'a>, new: &NewElement) -> Result<Neighbours<'a>, EditError> {
    let last = || Ok((parent.children().last(), None));
    let model = if parent.is(namespace::METADATA, parent.local_name()) {
        schema::of(parent.local_name())
    } else {
        None
    };
    let Some(model) = model.filter(|_| parent.local_name() != "Extensions") else {
        return last();
    };
    let slot_of = |uri: &str, local: &str| {
        let prefix = match uri {
            namespace::METADATA => "",
            namespace::SIGNATURE => "ds:",
            namespace::ASSERTION => "saml:",
            _ => return None,
        };
        let name = format!("{prefix}{local}");
        model
            .slots
            .iter()
            .position(|slot| slot.names.contains(&name.as_str()))
    };
    let Some(slot) = slot_of(&new.namespace, &new.name) else {
        let is_foreign = new.namespace != namespace::METADATA && !new.namespace.is_empty();
        if model.open && is_foreign {
            return last();
        }
        return Err(EditError::NotAllowedHere {
            name: shorten(&new.name),
            parent: shorten(parent.local_name()),
        });
    };
    let child_slot = |child: &Element<'_>| slot_of(child.namespace(), child.local_name());
    let before = parent
        .children()
        .filter(|child| child_slot(child).is_some_and(|other| other <= slot))
        .last();
    Ok((before, parent.children().next()))
}

/// The reason why a document could not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The element belongs to another document.
    #[error("the element belongs to another document")]
    OtherDocument,
    /// The value has a character that XML cannot represent, not even escaped.
    #[error("the character {character:?} is not allowed in XML")]
    #[non_exhaustive]
    Character {
        /// The character.
        character: char,
    },
    /// The attribute name contains a colon or is not an XML name.
    #[error("{name:?} is not a valid name for an attribute without a namespace")]
    #[non_exhaustive]
    Name {
        /// The name, cut after 60 characters.
        name: String,
    },
    /// The name of a new element or attribute contains a colon or is not an XML name.
    #[error("{name:?} is not a valid name without a prefix")]
    #[non_exhaustive]
    NewName {
        /// The name, cut after 60 characters.
        name: String,
    },
    /// The schema does not allow the new element in the parent.
    #[error("the schema does not allow {name} in {parent}")]
    #[non_exhaustive]
    NotAllowedHere {
        /// The new element's name, cut after 60 characters.
        name: String,
        /// The parent's name, cut after 60 characters.
        parent: String,
    },
    /// The text of an element with child elements cannot be set.
    #[error("the element `{name}` has child elements, so its text cannot be set")]
    #[non_exhaustive]
    HasElements {
        /// The element's name, cut after 60 characters.
        name: String,
    },
    /// The role has no such certificate.
    #[error("{role} has no certificate {fingerprint}")]
    #[non_exhaustive]
    NoCertificate {
        /// The element name of the role.
        role: String,
        /// The SHA-256 fingerprint of the certificate.
        fingerprint: String,
    },
    /// The role already has the certificate for this use.
    #[error("{role} already has the certificate {fingerprint}")]
    #[non_exhaustive]
    CertificatePresent {
        /// The element name of the role.
        role: String,
        /// The SHA-256 fingerprint of the certificate.
        fingerprint: String,
    },
    /// The element has no signature that could be removed.
    #[error("`{name}` is not signed")]
    #[non_exhaustive]
    NotSigned {
        /// The element's name, cut after 60 characters.
        name: String,
    },
    /// UTF-16 needs its byte order mark.
    #[error("the document is UTF-16, which cannot be read without its byte order mark")]
    MarkRequired,
    /// An inherited `validUntil` or `cacheDuration` cannot be read.
    #[error("a validity that the element inherits cannot be read")]
    #[non_exhaustive]
    Time {
        /// The error of the parser.
        source: ParseTimeError,
    },
    /// The root element cannot be removed.
    #[error("the root element cannot be removed")]
    Root,
    /// Two changes overlap.
    #[error("two changes overlap")]
    Overlap,
    /// The edited text cannot be read as a document.
    #[error("the edited document cannot be read")]
    #[non_exhaustive]
    Unreadable {
        /// The error of the reader.
        source: ReadError,
    },
}
