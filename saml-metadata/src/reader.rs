//! Builds the tree from the text: a strict layer over quick-xml's tokenizer.
//!
//! quick-xml finds the start and end of tags, comments and sections. This module checks all other
//! requirements of XML 1.0 and Namespaces in XML, because a pull tokenizer leaves most of them to
//! its user: characters, names, attributes, references, matching end tags, the declaration, the
//! content outside the root element, and namespaces.

pub(crate) mod chars;
pub(crate) mod declaration;
pub(crate) mod escape;
mod scope;
mod tag;
mod token;

use std::ops::Range;

use quick_xml::errors::IllFormedError;

pub(crate) use self::token::{NoToken, Token, next_token};
use crate::{
    Limit, Limits, ReadErrorKind,
    error::Fault,
    local_name::LocalName,
    reader::{
        chars::{is_blank, is_ncname, is_space, scan, starts_with_ignoring_case},
        escape::{decode_cdata, decode_text, reference, shorten},
        scope::Scope,
    },
    source::{Encoding, Source, start},
    tree::{AttributeRecord, DECODED, NamespaceId, Node, NodeId, NodeKind, Slice, Tree, to_u32},
};

/// Reads the tree of a document.
pub(crate) fn parse(source: &Source, limits: &Limits) -> Result<Tree, Fault> {
    parse_text(&source.text, source.encoding, limits)
}

/// Reads the tree of a document, given the encoding of its original bytes.
pub(crate) fn parse_text(text: &str, encoding: Encoding, limits: &Limits) -> Result<Tree, Fault> {
    let scan = scan(text);
    if let Some((at, c)) = scan.forbidden {
        let message = format!("the character U+{:04X} is not allowed in XML", u32::from(c));
        return Err(Fault::malformed(at, message));
    }
    let mut state = State::new(text.len());
    let root = Reader {
        text,
        base: start(text),
        encoding,
        limits,
        carriage_return: scan.carriage_return,
        state: &mut state,
    }
    .document()?;
    Ok(Tree {
        nodes: state.nodes,
        attributes: state.attributes,
        namespaces: state.scope.namespaces,
        decoded: state.decoded,
        root,
    })
}

/// Typical number of bytes per element, and per attribute, in metadata.
const TYPICAL_DISTANCE: usize = 128;

/// Checks the tokens of a text, one at a time, and adds them to the tree.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    /// Offset at which the document begins, after a byte order mark.
    pub(crate) base: usize,
    pub(crate) encoding: Encoding,
    pub(crate) limits: &'a Limits,
    pub(crate) carriage_return: bool,
    pub(crate) state: &'a mut State,
}

/// The part of the document that has been read so far.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<AttributeRecord>,
    pub(crate) decoded: String,
    pub(crate) scope: Scope,
    /// The open elements, outermost first; the first entry is the document node.
    pub(crate) open: Vec<Open>,
    entities: usize,
    /// The declared encoding, if it has the same bytes as UTF-8 only for ASCII characters.
    ascii_only: Option<String>,
    pub(crate) root: Option<NodeId>,
}

impl State {
    /// Creates a state with capacity for a text of this length.
    pub(crate) fn new(length: usize) -> Self {
        let mut nodes = Vec::with_capacity(length / TYPICAL_DISTANCE);
        nodes.push(empty_node(NodeKind::Document, NodeId::NONE, 0..0));
        Self {
            nodes,
            attributes: Vec::with_capacity(length / TYPICAL_DISTANCE),
            decoded: String::new(),
            scope: Scope::default(),
            open: vec![Open {
                node: NodeId::DOCUMENT,
                last_child: NodeId::NONE,
                scope: 0,
                has_elements: false,
                is_mixed: false,
            }],
            entities: 0,
            ascii_only: None,
            root: None,
        }
    }
}

/// An element whose end tag has not been read yet.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: NodeId,
    pub(crate) last_child: NodeId,
    /// Number of namespace declarations in scope outside the element.
    scope: usize,
    pub(crate) has_elements: bool,
    /// Whether the text contains references, CDATA sections, comments or processing instructions.
    is_mixed: bool,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<NodeId, Fault> {
        let base = self.base;
        // Without this check the error would be about text before the root element, but a byte
        // order mark is invisible in an editor.
        if self.text[base..].starts_with('\u{feff}') {
            return Err(second_byte_order_mark(base));
        }
        self.state.nodes[0].span = Slice::new(0..self.text.len());
        self.state.nodes[0].content = Slice::new(base..self.text.len());
        let mut start = base;
        loop {
            let rest = &self.text[start..];
            match next_token(rest, true) {
                Ok((token, length)) => {
                    self.token(token, start..start + length)?;
                    start += length;
                }
                Err(NoToken::Malformed { error, at, .. }) => {
                    return Err(token_fault(rest, &error, start, start + at));
                }
                Err(NoToken::End | NoToken::Incomplete) => return self.finish(),
            }
        }
    }

    /// Checks the next token, which is at `range` of the text, and adds it to the tree.
    pub(crate) fn token(&mut self, token: Token, range: Range<usize>) -> Result<(), Fault> {
        if let Some(declared) = &self.state.ascii_only
            && let Some((at, c)) = self.text[range.clone()]
                .char_indices()
                .find(|(_, c)| !c.is_ascii())
        {
            return Err(declaration::not_ascii(declared, c, range.start + at));
        }
        match token {
            Token::Start => self.start(range),
            Token::Empty => self.empty(range),
            Token::End => self.end(range),
            Token::Text => self.plain_text(range),
            Token::Reference => self.reference(range),
            Token::CData => self.cdata(range),
            Token::Comment => self.comment(range),
            Token::Instruction => self.instruction(range),
            Token::Declaration => self.declaration(range),
            Token::Doctype => Err(doctype(range.start)),
        }
    }

    /// Checks that no element is open at the end of the text, and returns the root element.
    pub(crate) fn finish(&mut self) -> Result<NodeId, Fault> {
        if self.state.open.len() > 1 {
            let open = self.state.open.pop().expect("checked just before");
            let node = self.state.nodes[open.node.0 as usize];
            let name = shorten(&self.text[node.name.range()]);
            let message = format!("the document ends before `</{name}>`");
            return Err(Fault::malformed(self.text.len(), message));
        }
        self.state
            .root
            .ok_or_else(|| Fault::malformed(self.text.len(), "the document has no element"))
    }

    fn start(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let open = self.element(range.clone(), range.end - 1)?;
        self.state.open.push(open);
        Ok(())
    }

    fn empty(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let open = self.element(range.clone(), range.end - 2)?;
        self.state.scope.leave(open.scope);
        Ok(())
    }

    /// Adds an element whose start tag is `range`; its name and attributes end at `inner_end`.
    fn element(&mut self, range: Range<usize>, inner_end: usize) -> Result<Open, Fault> {
        // The document node is the first open entry, so the length already counts the new element.
        if self.state.open.len() > self.limits.depth {
            return Err(Fault::limit(Limit::Depth, self.limits.depth, range.start));
        }
        if self.state.open.len() == 1 && self.state.root.is_some() {
            let message = "the document has a second root element";
            return Err(Fault::malformed(range.start, message));
        }
        let scope = self.state.scope.depth();
        let tag = self.tag(range.start + 1, inner_end)?;
        let local_name = LocalName::of(&self.text[tag.name.range()][tag.prefix_len as usize..]);
        if tag.namespace == NamespaceId::METADATA && local_name == name!("EntityDescriptor") {
            self.state.entities += 1;
            if self.state.entities > self.limits.entities {
                let limit = self.limits.entities;
                return Err(Fault::limit(Limit::Entities, limit, range.start));
            }
        }
        let end = range.end;
        let node = self.push(NodeKind::Element, range)?;
        let record = &mut self.state.nodes[node.0 as usize];
        record.content = Slice::new(end..end);
        record.value = record.content;
        record.name = tag.name;
        record.prefix_len = tag.prefix_len;
        record.namespace = tag.namespace;
        record.local_name = local_name;
        record.first_attribute = tag.first_attribute;
        record.attributes = tag.attributes;
        if self.state.open.len() == 1 {
            self.state.root = Some(node);
        }
        self.parent().has_elements = true;
        Ok(Open {
            node,
            last_child: NodeId::NONE,
            scope,
            has_elements: false,
            is_mixed: false,
        })
    }

    fn end(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let found = &self.text[range.start + "</".len()..range.end - ">".len()];
        let open = self
            .state
            .open
            .last()
            .filter(|open| open.node != NodeId::DOCUMENT);
        let expected = open.map(|open| {
            let name = self.state.nodes[open.node.0 as usize].name;
            &self.text[name.range()]
        });
        if expected != Some(found) {
            // White space is allowed after the name.
            let found = found.trim_end_matches(|c: char| c.is_ascii() && is_space(c as u8));
            if expected != Some(found) {
                return Err(mismatched_end_tag(range.start, expected, found));
            }
        }
        let open = self.state.open.pop().expect("checked just before");
        self.state.scope.leave(open.scope);
        let node = &mut self.state.nodes[open.node.0 as usize];
        let content = node.content.start as usize..range.start;
        node.span = Slice::new(node.span.start as usize..range.end);
        node.content = Slice::new(content.clone());
        if open.has_elements {
            return Ok(());
        }
        let text = &self.text[content.clone()];
        let decode = open.is_mixed || self.carriage_return && text.contains('\r');
        self.state.nodes[open.node.0 as usize].value = if decode {
            self.mixed_text(open.node, content)
        } else {
            Slice::new(content)
        };
        Ok(())
    }

    /// Decodes the text of an element that contains references, CDATA sections, comments,
    /// processing instructions or carriage returns.
    fn mixed_text(&mut self, element: NodeId, content: Range<usize>) -> Slice {
        let mut decoded = std::mem::take(&mut self.state.decoded);
        let start = decoded.len();
        let mut at = content.start;
        let mut child = self.state.nodes[element.0 as usize].first_child.some();
        while let Some(id) = child {
            let node = self.state.nodes[id.0 as usize];
            let span = node.span.range();
            decode_text(&self.text[at..span.start], &mut decoded);
            if node.kind == NodeKind::CData {
                decode_cdata(&self.text[node.content.range()], &mut decoded);
            }
            at = span.end;
            child = node.next.some();
        }
        decode_text(&self.text[at..content.end], &mut decoded);
        let slice = Slice::new(DECODED + start..DECODED + decoded.len());
        self.state.decoded = decoded;
        slice
    }

    fn plain_text(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let text = &self.text[range.clone()];
        if self.state.open.len() == 1 {
            if is_blank(text) {
                return Ok(());
            }
            let before = text.len() - text.trim_start().len();
            let relation = if self.state.root.is_some() {
                "after"
            } else {
                "before"
            };
            let message = format!("text {relation} the root element is not allowed");
            return Err(Fault::malformed(range.start + before, message));
        }
        self.check_text_length(&range)?;
        // The search for a single byte is faster: it checks many bytes at once.
        if memchr::memchr(b'>', text.as_bytes()).is_some()
            && let Some(at) = text.find("]]>")
        {
            return Err(Fault::malformed(
                range.start + at,
                "`]]>` is not allowed in text",
            ));
        }
        if !is_blank(text) {
            self.note_text();
        }
        Ok(())
    }

    fn reference(&mut self, range: Range<usize>) -> Result<(), Fault> {
        if self.state.open.len() == 1 {
            let message = "a reference outside the root element is not allowed";
            return Err(Fault::malformed(range.start, message));
        }
        let name = &self.text[range.start + 1..range.end - 1];
        reference(name).map_err(|message| Fault::malformed(range.start, message))?;
        self.check_text_length(&range)?;
        self.parent().is_mixed = true;
        self.note_text();
        Ok(())
    }

    fn cdata(&mut self, range: Range<usize>) -> Result<(), Fault> {
        if self.state.open.len() == 1 {
            let message = "a CDATA section outside the root element is not allowed";
            return Err(Fault::malformed(range.start, message));
        }
        self.check_text_length(&range)?;
        let content = range.start + "<![CDATA[".len()..range.end - "]]>".len();
        let node = self.push(NodeKind::CData, range)?;
        self.state.nodes[node.0 as usize].content = Slice::new(content);
        self.parent().is_mixed = true;
        self.note_text();
        Ok(())
    }

    fn comment(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let text = &self.text[range.start + "<!--".len()..range.end - "-->".len()];
        // quick-xml's own check would report a wrong position from the second hyphen on.
        let error_at = text.find("--").or_else(|| {
            let last = text.len().checked_sub(1)?;
            text.ends_with('-').then_some(last)
        });
        if let Some(at) = error_at {
            return Err(Fault::malformed(
                range.start + "<!--".len() + at,
                "`--` is not allowed in a comment",
            ));
        }
        self.push(NodeKind::Comment, range)?;
        self.parent().is_mixed = true;
        Ok(())
    }

    fn instruction(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let inner = &self.text[range.start + "<?".len()..range.end - "?>".len()];
        let end = inner.bytes().position(chars::is_space);
        let target = &inner[..end.unwrap_or(inner.len())];
        if target.eq_ignore_ascii_case("xml") {
            return Err(Fault::malformed(
                range.start,
                "`<?xml …?>` is allowed only at the start of the document",
            ));
        }
        if !is_ncname(target) {
            let message = format!(
                "the processing instruction name `{}` is not a name",
                shorten(target)
            );
            return Err(Fault::malformed(range.start, message));
        }
        self.push(NodeKind::ProcessingInstruction, range)?;
        self.parent().is_mixed = true;
        Ok(())
    }

    fn declaration(&mut self, range: Range<usize>) -> Result<(), Fault> {
        if range.start != self.base {
            return Err(Fault::malformed(
                range.start,
                "`<?xml …?>` is allowed only at the start of the document",
            ));
        }
        let text = &self.text[range.clone()];
        self.state.ascii_only =
            declaration::check(text, self.encoding, range.start)?.map(str::to_owned);
        Ok(())
    }

    /// Adds a node as the last child of the innermost open element.
    fn push(&mut self, kind: NodeKind, range: Range<usize>) -> Result<NodeId, Fault> {
        // The document node is not counted.
        if self.state.nodes.len() > self.limits.nodes {
            return Err(Fault::limit(Limit::Nodes, self.limits.nodes, range.start));
        }
        let id = NodeId(to_u32(self.state.nodes.len()));
        let parent = self.parent();
        let (parent_id, last) = (parent.node, parent.last_child);
        parent.last_child = id;
        match last.some() {
            Some(last) => self.state.nodes[last.0 as usize].next = id,
            None => self.state.nodes[parent_id.0 as usize].first_child = id,
        }
        self.state.nodes.push(empty_node(kind, parent_id, range));
        Ok(id)
    }

    /// Notes that the innermost open element has text.
    fn note_text(&mut self) {
        let node = self.parent().node;
        self.state.nodes[node.0 as usize].may_have_text = true;
    }

    fn parent(&mut self) -> &mut Open {
        self.state
            .open
            .last_mut()
            .expect("the document is always open")
    }

    /// Stores a decoded value that differs from its source text.
    fn decode(&mut self, write: impl FnOnce(&mut String)) -> Slice {
        let start = self.state.decoded.len();
        write(&mut self.state.decoded);
        Slice::new(DECODED + start..DECODED + self.state.decoded.len())
    }

    /// Checks the length of an element's text, from its start to the end of the current token.
    fn check_text_length(&mut self, range: &Range<usize>) -> Result<(), Fault> {
        let limit = self.limits.text_length;
        let open = self.parent();
        let (has_elements, node) = (open.has_elements, open.node);
        let start = if has_elements {
            range.start
        } else {
            self.state.nodes[node.0 as usize].content.start as usize
        };
        if range.end - start > limit {
            return Err(Fault::limit(Limit::TextLength, limit, range.start));
        }
        Ok(())
    }
}

/// Converts an error of the tokenizer for the token at `start`, where `text` begins.
pub(crate) fn token_fault(text: &str, error: &quick_xml::Error, start: usize, at: usize) -> Fault {
    use quick_xml::{Error, errors::SyntaxError};

    // A malformed DOCTYPE also gets the error for a DOCTYPE.
    if starts_with_ignoring_case(text, "<!doctype") {
        return doctype(start);
    }
    let message = match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => {
            "`&` starts a reference that has no `;`".to_owned()
        }
        Error::Syntax(SyntaxError::UnclosedComment) => "a comment has no end".to_owned(),
        Error::Syntax(SyntaxError::UnclosedCData) => "a CDATA section has no end".to_owned(),
        Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
            "a processing instruction has no end".to_owned()
        }
        Error::Syntax(SyntaxError::InvalidBangMarkup) => {
            "`<!` starts neither a comment nor a CDATA section".to_owned()
        }
        Error::Syntax(_) => "a tag has no end".to_owned(),
        other => other.to_string(),
    };
    Fault::malformed(at, message)
}

/// Returns the error for an end tag that does not match the open element.
#[cold]
fn mismatched_end_tag(at: usize, expected: Option<&str>, found: &str) -> Fault {
    let found = shorten(found);
    let message = match expected {
        Some(expected) => format!("expected `</{}>`, found `</{found}>`", shorten(expected)),
        None => format!("`</{found}>` has no start tag"),
    };
    Fault::malformed(at, message)
}

/// Returns the error for a second byte order mark.
pub(crate) fn second_byte_order_mark(at: usize) -> Fault {
    Fault::malformed(at, "a second byte order mark follows the first")
}

pub(crate) fn doctype(at: usize) -> Fault {
    Fault::new(
        ReadErrorKind::Doctype,
        at,
        "the document has a DOCTYPE, which is not allowed in metadata",
    )
}

fn empty_node(kind: NodeKind, parent: NodeId, span: Range<usize>) -> Node {
    Node {
        kind,
        parent,
        next: NodeId::NONE,
        first_child: NodeId::NONE,
        span: Slice::new(span),
        content: Slice::default(),
        name: Slice::default(),
        prefix_len: 0,
        namespace: NamespaceId::NONE,
        local_name: LocalName::OTHER,
        first_attribute: 0,
        attributes: 0,
        value: Slice::default(),
        may_have_text: false,
    }
}
