//! From text to tree: a strict layer over quick-xml's tokenizer.
//!
//! quick-xml finds where tags, comments and sections begin and end. Everything else that XML 1.0
//! and Namespaces in XML ask of a document is checked here, because a pull tokenizer leaves most of
//! it to its user: characters, names, attributes, references, which end tag ends what, the
//! declaration, what may stand outside the root element, and namespaces.

pub(crate) mod chars;
mod declaration;
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
    reader::{
        chars::{is_blank, is_ncname, is_space, scan, starts_with_ignoring_case},
        escape::{decode_cdata, decode_text, reference, shorten},
        scope::Scope,
    },
    source::{Encoding, Source, start},
    tree::{AttributeRecord, DECODED, NamespaceId, Node, NodeId, NodeKind, Slice, Tree, number},
};

/// Reads the tree of a document.
pub(crate) fn parse(source: &Source, limits: &Limits) -> Result<Tree, Fault> {
    parse_text(&source.text, source.encoding, limits)
}

/// Reads the tree of a document whose bytes were in that encoding.
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

/// Bytes from one element to the next, and from one attribute to the next, in usual metadata.
const USUAL_DISTANCE: usize = 128;

/// Takes the tokens of a text, one by one.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    /// Where the document begins, behind a byte order mark.
    pub(crate) base: usize,
    pub(crate) encoding: Encoding,
    pub(crate) limits: &'a Limits,
    pub(crate) carriage_return: bool,
    pub(crate) state: &'a mut State,
}

/// What has been read so far.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<AttributeRecord>,
    pub(crate) decoded: String,
    pub(crate) scope: Scope,
    /// The elements around the place being read, the document itself at the bottom.
    pub(crate) open: Vec<Open>,
    entities: usize,
    pub(crate) root: Option<NodeId>,
}

impl State {
    /// Makes room for a text of that length.
    pub(crate) fn new(length: usize) -> Self {
        let mut nodes = Vec::with_capacity(length / USUAL_DISTANCE);
        nodes.push(empty_node(NodeKind::Document, NodeId::NONE, 0..0));
        Self {
            nodes,
            attributes: Vec::with_capacity(length / USUAL_DISTANCE),
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
            root: None,
        }
    }
}

/// An element whose end tag has not been met.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: NodeId,
    pub(crate) last_child: NodeId,
    /// Declarations in force outside of it.
    scope: usize,
    pub(crate) has_elements: bool,
    /// Whether its text is more than one plain run: has references, sections or comments in it.
    is_mixed: bool,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<NodeId, Fault> {
        let base = self.base;
        // It would be refused as text before the root element, which nobody sees in an editor.
        if self.text[base..].starts_with('\u{feff}') {
            return Err(second_mark(base));
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
                Err(NoToken::Wrong { error, at, .. }) => {
                    return Err(token_fault(rest, &error, start, start + at));
                }
                Err(NoToken::End | NoToken::Part) => return self.finish(),
            }
        }
    }

    /// Takes the next token, which stands at `range` of the text.
    pub(crate) fn token(&mut self, token: Token, range: Range<usize>) -> Result<(), Fault> {
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

    /// Checks that the text may end where it does, and returns the root element.
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

    /// Adds an element whose tag is `range`, its name and attributes ending at `inner_end`.
    fn element(&mut self, range: Range<usize>, inner_end: usize) -> Result<Open, Fault> {
        // The document itself is the first of the open ones, so this counts the new element.
        if self.state.open.len() > self.limits.depth {
            return Err(Fault::limit(Limit::Depth, self.limits.depth, range.start));
        }
        if self.state.open.len() == 1 && self.state.root.is_some() {
            let message = "a second element stands beside the root element";
            return Err(Fault::malformed(range.start, message));
        }
        let scope = self.state.scope.depth();
        let tag = self.tag(range.start + 1, inner_end)?;
        let local = &self.text[tag.name.range()][tag.prefix_len as usize..];
        if tag.namespace == NamespaceId::METADATA && local == "EntityDescriptor" {
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
            // Space may stand behind the name.
            let found = found.trim_end_matches(|c: char| c.is_ascii() && is_space(c as u8));
            if expected != Some(found) {
                return Err(wrong_end(range.start, expected, found));
            }
        }
        let open = self.state.open.pop().expect("looked at just before");
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

    /// Puts the text of an element together that has references, sections or comments in it.
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
            let place = if self.state.root.is_some() {
                "behind"
            } else {
                "before"
            };
            let message = format!("text stands {place} the root element");
            return Err(Fault::malformed(range.start + before, message));
        }
        self.check_text_length(&range)?;
        // Searching for one byte first goes through many at once.
        if memchr::memchr(b'>', text.as_bytes()).is_some()
            && let Some(at) = text.find("]]>")
        {
            return Err(Fault::malformed(
                range.start + at,
                "`]]>` must not stand in text",
            ));
        }
        Ok(())
    }

    fn reference(&mut self, range: Range<usize>) -> Result<(), Fault> {
        if self.state.open.len() == 1 {
            let message = "a reference stands outside of the root element";
            return Err(Fault::malformed(range.start, message));
        }
        let name = &self.text[range.start + 1..range.end - 1];
        reference(name).map_err(|message| Fault::malformed(range.start, message))?;
        self.check_text_length(&range)?;
        self.parent().is_mixed = true;
        Ok(())
    }

    fn cdata(&mut self, range: Range<usize>) -> Result<(), Fault> {
        if self.state.open.len() == 1 {
            let message = "a CDATA section stands outside of the root element";
            return Err(Fault::malformed(range.start, message));
        }
        self.check_text_length(&range)?;
        let content = range.start + "<![CDATA[".len()..range.end - "]]>".len();
        let node = self.push(NodeKind::CData, range)?;
        self.state.nodes[node.0 as usize].content = Slice::new(content);
        self.parent().is_mixed = true;
        Ok(())
    }

    fn comment(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let text = &self.text[range.start + "<!--".len()..range.end - "-->".len()];
        // quick-xml's own check would give a wrong place from the second hyphen on.
        let wrong = text.find("--").or_else(|| {
            let last = text.len().checked_sub(1)?;
            text.ends_with('-').then_some(last)
        });
        if let Some(at) = wrong {
            return Err(Fault::malformed(
                range.start + "<!--".len() + at,
                "`--` must not stand in a comment",
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
                "`<?xml …?>` may stand only at the very start of the document",
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
                "`<?xml …?>` may stand only at the very start of the document",
            ));
        }
        declaration::check(&self.text[range.clone()], self.encoding, range.start)
    }

    /// Adds a node as the last child of the innermost open element.
    fn push(&mut self, kind: NodeKind, range: Range<usize>) -> Result<NodeId, Fault> {
        // The document node is not counted.
        if self.state.nodes.len() > self.limits.nodes {
            return Err(Fault::limit(Limit::Nodes, self.limits.nodes, range.start));
        }
        let id = NodeId(number(self.state.nodes.len()));
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

    fn parent(&mut self) -> &mut Open {
        self.state
            .open
            .last_mut()
            .expect("the document is always open")
    }

    /// Keeps a value that is written differently from what it means.
    fn decode(&mut self, write: impl FnOnce(&mut String)) -> Slice {
        let start = self.state.decoded.len();
        write(&mut self.state.decoded);
        Slice::new(DECODED + start..DECODED + self.state.decoded.len())
    }

    /// Bounds the text of an element from its start to the end of the piece just read.
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

/// Says in our words what the tokenizer found wrong in the token at `start`, where `text` begins.
pub(crate) fn token_fault(text: &str, error: &quick_xml::Error, start: usize, at: usize) -> Fault {
    use quick_xml::{Error, errors::SyntaxError};

    // A DOCTYPE is refused however broken it is.
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

/// Refuses an end tag where that of another element is expected, or of none.
#[cold]
fn wrong_end(at: usize, expected: Option<&str>, found: &str) -> Fault {
    let found = shorten(found);
    let message = match expected {
        Some(expected) => format!(
            "`</{found}>` stands where `</{}>` is expected",
            shorten(expected)
        ),
        None => format!("`</{found}>` has no start tag"),
    };
    Fault::malformed(at, message)
}

/// Refuses a byte order mark behind the first.
pub(crate) fn second_mark(at: usize) -> Fault {
    Fault::malformed(at, "a second byte order mark follows the first")
}

pub(crate) fn doctype(at: usize) -> Fault {
    Fault::new(
        ReadErrorKind::Doctype,
        at,
        "the document has a DOCTYPE, which metadata may not have",
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
        first_attribute: 0,
        attributes: 0,
        value: Slice::default(),
    }
}
