//! Collects the findings of all checks, and computes their paths and positions.

use std::{collections::HashMap, ops::Range, rc::Rc};

use jiff::Timestamp;

use super::{Finding, Policy, RuleId, Severity, rules::Rule};
use crate::{
    Attribute, Certificate, CertificateError, Document, Element, IdpSsoDescriptor, KeyDescriptor,
    KeyUse, Position,
    reader::escape::{one_line, shorten},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// The part of the document that a finding is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    Element(Element<'a>),
    /// An attribute by its name as written; the element if the attribute is missing.
    Attribute(Element<'a>, &'a str),
    /// A part of the text of an element: its offset in the document and its length.
    Text(Element<'a>, usize, usize),
    /// A comment or a processing instruction.
    Node(NodeId),
}

impl<'a> From<Element<'a>> for Target<'a> {
    fn from(element: Element<'a>) -> Self {
        Self::Element(element)
    }
}

impl<'a> From<(Element<'a>, &'a str)> for Target<'a> {
    fn from((element, attribute): (Element<'a>, &'a str)) -> Self {
        Self::Attribute(element, attribute)
    }
}

/// The advice for a file that does not describe exactly one identity provider.
pub(super) const ONE_ENTITY: &str =
    "Use the metadata of one identity provider: the file that belongs to this one app.";

/// The message of a finding, and the advice for its cause if a rule has several causes.
pub(super) struct Message {
    text: String,
    help: Option<&'static str>,
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self { text, help: None }
    }
}

impl<T: Into<String>> From<(T, &'static str)> for Message {
    fn from((text, help): (T, &'static str)) -> Self {
        Self {
            text: text.into(),
            help: Some(help),
        }
    }
}

/// The certificates of one entity, by their texts.
///
/// Entities often list one certificate for several uses and roles, and the rules of consumers need
/// it again. Reading a certificate takes much longer than comparing two.
#[derive(Default)]
pub(super) struct Certificates<'a> {
    read: Vec<(&'a str, Rc<Result<Certificate, CertificateError>>)>,
}

impl<'a> Certificates<'a> {
    /// Maximum number of certificates that are kept. Further ones are read each time, because the
    /// search would take longer.
    const MAX: usize = 32;

    /// Returns the certificate of an element of the current entity.
    pub(super) fn of(&mut self, element: Element<'a>) -> Rc<Result<Certificate, CertificateError>> {
        let text = element.text();
        if let Some((_, known)) = self.read.iter().find(|(known, _)| *known == text) {
            return Rc::clone(known);
        }
        let certificate = Rc::new(Certificate::from_base64(text));
        if self.read.len() < Self::MAX {
            self.read.push((text, Rc::clone(&certificate)));
        }
        certificate
    }

    /// Forgets the certificates of the entity before.
    pub(super) fn clear(&mut self) {
        self.read.clear();
    }
}

/// Collects the findings of all checks.
pub(super) struct Report<'a> {
    pub(super) document: &'a Document,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    /// The certificates of the current entity.
    pub(super) certificates: Certificates<'a>,
    drafts: Vec<Draft>,
    /// Whether the profile is that of a consumer that reads only a part of the document.
    reads_a_part: bool,
    /// One entry per rule with findings. A list suffices, because there are few rules.
    counts: Vec<(RuleId, Count)>,
}

/// The metadata elements that a consumer of an identity provider does not read.
const UNREAD: [&str; 10] = [
    "SPSSODescriptor",
    "RoleDescriptor",
    "AttributeAuthorityDescriptor",
    "AuthnAuthorityDescriptor",
    "PDPDescriptor",
    "AffiliationDescriptor",
    "Extensions",
    "Organization",
    "ContactPerson",
    "AdditionalMetadataLocation",
];

/// The findings of one rule.
#[derive(Default)]
struct Count {
    listed: usize,
    /// The first finding over the limit, with the highest severity of all findings over the limit,
    /// and the number of those findings.
    unlisted: Option<(Draft, usize)>,
}

/// A finding without its path and its line, which are computed at the end.
struct Draft {
    rule: &'static Rule,
    severity: Severity,
    node: NodeId,
    attribute: Option<String>,
    span: Range<usize>,
    message: String,
    help: &'static str,
}

impl<'a> Report<'a> {
    pub(super) fn new(document: &'a Document, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            document,
            policy,
            now,
            certificates: Certificates::default(),
            drafts: Vec::new(),
            reads_a_part: policy.profile().reads_only_the_identity_provider(),
            counts: Vec::new(),
        }
    }

    /// Returns the entity and its identity provider. If there is not exactly one entity or no identity
    /// provider, adds the message with the help to each rule.
    pub(super) fn one_identity_provider(
        &mut self,
        rules: &[&'static Rule],
        help: &'static str,
    ) -> Option<IdpSsoDescriptor<'a>> {
        let document = self.document;
        let (element, message) = match document.entity() {
            Err(error) => (document.root(), error.to_string()),
            Ok(entity) => match entity.identity_provider() {
                Some(idp) => return Some(idp),
                None => (
                    entity.element(),
                    "the file describes no identity provider".to_owned(),
                ),
            },
        };
        for rule in rules {
            self.add(rule, element, (message.clone(), help));
        }
        None
    }

    /// Returns whether at least one of the rules is on.
    pub(super) fn wants(&self, rules: &[&'static Rule]) -> bool {
        rules
            .iter()
            .any(|rule| self.policy.severity_of(rule).is_some())
    }

    /// Adds a violation of a rule, if the rule is on.
    // The attribute `cold` keeps the code that builds messages away from checks without findings.
    #[cold]
    pub(super) fn add<'p>(
        &mut self,
        rule: &'static Rule,
        target: impl Into<Target<'p>>,
        message: impl Into<Message>,
    ) {
        if let Some(severity) = self.policy.severity_of(rule) {
            self.push(rule, severity, target.into(), message.into());
        }
    }

    /// Adds a minor violation of a rule, if the policy reports it.
    #[cold]
    pub(super) fn add_minor<'p>(
        &mut self,
        rule: &'static Rule,
        target: impl Into<Target<'p>>,
        message: impl Into<Message>,
    ) {
        if let Some(severity) = self.policy.minor_severity_of(rule) {
            self.push(rule, severity, target.into(), message.into());
        }
    }

    /// Adds a violation of a rule, or a minor violation.
    #[cold]
    pub(super) fn add_as<'p>(
        &mut self,
        is_minor: bool,
        rule: &'static Rule,
        target: impl Into<Target<'p>>,
        message: impl Into<Message>,
    ) {
        if is_minor {
            self.add_minor(rule, target, message);
        } else {
            self.add(rule, target, message);
        }
    }

    fn push(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        target: Target<'_>,
        message: Message,
    ) {
        let (node, attribute, span) = match target {
            Target::Element(element) => (element.id(), None, span_of(element)),
            Target::Attribute(element, name) => {
                let found = element.attributes().find(|a| a.qualified_name() == name);
                let span = found.map_or_else(|| span_of(element), Attribute::span);
                (element.id(), Some(shorten(name)), span)
            }
            Target::Text(element, start, length) => (element.id(), None, start..start + length),
            Target::Node(id) => (id, None, self.document.tree.node(id).span.range()),
        };
        let is_unread = self.reads_a_part && severity == Severity::Error && self.is_unread(node);
        let draft = Draft {
            rule,
            severity: if is_unread {
                Severity::Warning
            } else {
                severity
            },
            node,
            attribute,
            span,
            message: one_line(message.text),
            help: message.help.unwrap_or(rule.help),
        };
        let severity = draft.severity;
        let known = self.counts.iter().position(|(id, _)| *id == rule.id);
        let at = known.unwrap_or_else(|| {
            self.counts.push((rule.id, Count::default()));
            self.counts.len() - 1
        });
        let count = &mut self.counts[at].1;
        if count.listed < self.policy.findings_per_rule {
            count.listed += 1;
            self.drafts.push(draft);
        } else if let Some((first, number)) = &mut count.unlisted {
            first.severity = first.severity.max(severity);
            *number += 1;
        } else {
            count.unlisted = Some((draft, 1));
        }
    }

    /// Returns whether a node is in a part of the document that consumers of an identity provider
    /// do not read: another role, an extension, an organization, a contact, another document's
    /// location, an encryption key or an attribute.
    fn is_unread(&self, mut node: NodeId) -> bool {
        while let Some(id) = node.some() {
            let record = self.document.tree.node(id);
            if record.kind == NodeKind::Element {
                let element = Element::new(self.document, id);
                let is_unread = match record.namespace {
                    NamespaceId::METADATA => {
                        UNREAD.contains(&element.local_name())
                            || element.local_name() == "KeyDescriptor"
                                && KeyDescriptor::new(element).key_use() == Some(KeyUse::Encryption)
                    }
                    NamespaceId::ASSERTION => true,
                    _ => false,
                };
                if is_unread {
                    return true;
                }
            }
            node = record.parent;
        }
        false
    }

    /// Returns the findings in document order.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut lines = Lines::new(self.document);
        self.finish_at(|_| true, |offset| lines.position(offset))
    }

    /// Returns only the findings at wanted offsets, with positions that the caller supplies.
    pub(super) fn finish_at(
        mut self,
        is_wanted: impl Fn(usize) -> bool,
        mut position: impl FnMut(usize) -> Position,
    ) -> Vec<Finding> {
        let unlisted = self
            .counts
            .into_iter()
            .filter_map(|(_, count)| count.unlisted);
        self.drafts.extend(unlisted.map(|(draft, number)| Draft {
            message: format!(
                "{number} more {} of this rule, starting here",
                if number == 1 { "finding" } else { "findings" }
            ),
            ..draft
        }));
        self.drafts
            .sort_by_key(|draft| (draft.span.start, draft.rule.id));
        let mut paths = Paths::default();
        self.drafts
            .into_iter()
            .filter(|draft| is_wanted(draft.span.start))
            .map(|draft| Finding {
                rule: draft.rule.id,
                severity: draft.severity,
                message: draft.message,
                path: paths.path(self.document, draft.node, draft.attribute.as_deref()),
                position: position(draft.span.start),
                span: draft.span,
                help: draft.help,
                clause: draft.rule.clause,
            })
            .collect()
    }
}

/// Returns the range of the start tag, or of the whole element if it has no child elements.
fn span_of(element: Element<'_>) -> Range<usize> {
    let span = element.span();
    if element.children().next().is_some() {
        span.start..element.content_span().start
    } else {
        span
    }
}

/// A length in bytes that most paths do not exceed.
const USUAL_PATH: usize = 120;

/// Maximum number of children of a parent that are counted again for each path.
const FEW_CHILDREN: usize = 128;

/// Writes `XPath`s, and counts the children of a parent with many children only once.
#[derive(Default)]
pub(crate) struct Paths {
    numbers: HashMap<NodeId, HashMap<NodeId, usize>>,
    /// The last element and its path: several findings in a row are often about one element.
    last: Option<(NodeId, String)>,
}

impl Paths {
    fn path(&mut self, document: &Document, node: NodeId, attribute: Option<&str>) -> String {
        // The path of a comment or processing instruction is the path of its parent element.
        let mut around = node;
        while around != NodeId::DOCUMENT && document.tree.node(around).kind != NodeKind::Element {
            around = document.tree.node(around).parent;
        }
        if around == NodeId::DOCUMENT {
            return "/".to_owned();
        }
        let (_, path) = match self.last.take() {
            Some(last) if last.0 == around => self.last.insert(last),
            _ => {
                let path = self.element(Element::new(document, around));
                self.last.insert((around, path))
            }
        };
        match attribute {
            Some(name) => [path, "/@", name].concat(),
            None => path.clone(),
        }
    }

    pub(crate) fn element(&mut self, element: Element<'_>) -> String {
        let mut path = String::with_capacity(USUAL_PATH);
        let steps: Vec<Element<'_>> = element.ancestors().collect();
        for step in steps.into_iter().rev() {
            step.push_step(self.sibling_number(step), &mut path);
        }
        path
    }

    /// Returns the number of an element among its siblings of the same name, counted from 1; 0 if
    /// no sibling has the same name.
    fn sibling_number(&mut self, element: Element<'_>) -> usize {
        let Some(parent) = element.parent() else {
            return 0;
        };
        // Counting a few children is faster than building a table.
        if parent.children().nth(FEW_CHILDREN).is_none() {
            return element.sibling_number();
        }
        let numbers = self
            .numbers
            .entry(parent.id())
            .or_insert_with(|| number_children(parent));
        numbers.get(&element.id()).copied().unwrap_or_default()
    }
}

fn number_children(parent: Element<'_>) -> HashMap<NodeId, usize> {
    let mut groups: HashMap<(NamespaceId, &str), Vec<NodeId>> = HashMap::new();
    for child in parent.children() {
        let name = (child.namespace_id(), child.local_name());
        groups.entry(name).or_default().push(child.id());
    }
    let several = groups.into_values().filter(|group| group.len() > 1);
    several
        .flat_map(|group| group.into_iter().zip(1..))
        .collect()
}

/// Counts lines once for all findings, which come in document order.
struct Lines<'a> {
    document: &'a Document,
    last: Option<Position>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            last: None,
            at: 0,
        }
    }

    fn position(&mut self, offset: usize) -> Position {
        let position = match self.last {
            None => self.document.position(offset),
            Some(last) => self.document.source.position_from(last, self.at, offset),
        };
        self.last = Some(position);
        self.at = offset;
        position
    }
}
