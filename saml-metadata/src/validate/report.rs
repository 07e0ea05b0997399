use std::{collections::HashMap, ops::Range};

use jiff::Timestamp;

use super::{Finding, Policy, RuleId, Severity, rules::Rule};
use crate::{
    Attribute, Document, Element, Position,
    reader::escape::{one_line, shorten},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// Where a finding is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Element(Element<'a>),
    /// An attribute as written; the element, should it be missing.
    Attribute(Element<'a>, &'a str),
    /// A comment or processing instruction.
    Node(NodeId),
}

impl<'a> From<Element<'a>> for Place<'a> {
    fn from(element: Element<'a>) -> Self {
        Self::Element(element)
    }
}

impl<'a> From<(Element<'a>, &'a str)> for Place<'a> {
    fn from((element, attribute): (Element<'a>, &'a str)) -> Self {
        Self::Attribute(element, attribute)
    }
}

/// Collects what the checks find.
pub(super) struct Report<'a> {
    pub(super) document: &'a Document,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    drafts: Vec<Draft>,
    /// One for each rule that found something, and there are not many rules.
    counts: Vec<(RuleId, Count)>,
}

/// The findings of one rule.
#[derive(Default)]
struct Count {
    listed: usize,
    /// The first that was not listed any more, as severe as the worst of those, and their number.
    more: Option<(Draft, usize)>,
}

/// A finding whose path and line are not known yet.
struct Draft {
    rule: &'static Rule,
    severity: Severity,
    node: NodeId,
    attribute: Option<String>,
    span: Range<usize>,
    message: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(document: &'a Document, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            document,
            policy,
            now,
            drafts: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Returns whether one of the rules counts.
    pub(super) fn wants(&self, rules: &[&'static Rule]) -> bool {
        rules
            .iter()
            .any(|rule| self.policy.severity_of(rule).is_some())
    }

    /// Notes that a rule is broken, if the profile has it.
    // Cold, so that what makes messages stays out of the way of the checks that find nothing.
    #[cold]
    pub(super) fn add<'p>(
        &mut self,
        rule: &'static Rule,
        place: impl Into<Place<'p>>,
        message: impl Into<String>,
    ) {
        if let Some(severity) = self.policy.severity_of(rule) {
            self.push(rule, severity, place.into(), message.into());
        }
    }

    /// Notes that a rule is broken in a way that matters less.
    #[cold]
    pub(super) fn add_minor<'p>(
        &mut self,
        rule: &'static Rule,
        place: impl Into<Place<'p>>,
        message: impl Into<String>,
    ) {
        if let Some(severity) = self.policy.mild_severity_of(rule) {
            self.push(rule, severity, place.into(), message.into());
        }
    }

    fn push(&mut self, rule: &'static Rule, severity: Severity, place: Place<'_>, message: String) {
        let (node, attribute, span) = match place {
            Place::Element(element) => (element.id(), None, start_tag(element)),
            Place::Attribute(element, name) => {
                let found = element.attributes().find(|a| a.qualified_name() == name);
                let span = found.map_or_else(|| start_tag(element), Attribute::span);
                (element.id(), Some(shorten(name)), span)
            }
            Place::Node(id) => (id, None, self.document.tree.node(id).span.range()),
        };
        let draft = Draft {
            rule,
            severity,
            node,
            attribute,
            span,
            message: one_line(message),
        };
        let known = self.counts.iter().position(|(id, _)| *id == rule.id);
        let at = known.unwrap_or_else(|| {
            self.counts.push((rule.id, Count::default()));
            self.counts.len() - 1
        });
        let count = &mut self.counts[at].1;
        if count.listed < self.policy.findings_per_rule {
            count.listed += 1;
            self.drafts.push(draft);
        } else if let Some((first, number)) = &mut count.more {
            first.severity = first.severity.max(severity);
            *number += 1;
        } else {
            count.more = Some((draft, 1));
        }
    }

    /// Returns the findings in the order of the document.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut lines = Lines::new(self.document);
        self.finish_at(|_| true, |offset| lines.position(offset))
    }

    /// Returns the findings of some places only, of which somebody else knows the position.
    pub(super) fn finish_at(
        mut self,
        is_wanted: impl Fn(usize) -> bool,
        mut position: impl FnMut(usize) -> Position,
    ) -> Vec<Finding> {
        let more = self.counts.into_iter().filter_map(|(_, count)| count.more);
        self.drafts.extend(more.map(|(draft, number)| Draft {
            message: format!("{number} more findings of this rule, from here on"),
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
                path: paths.of(self.document, draft.node, draft.attribute.as_deref()),
                position: position(draft.span.start),
                span: draft.span,
                help: draft.rule.help,
                clause: draft.rule.clause,
            })
            .collect()
    }
}

/// Returns the whole of an element that holds text, the start tag of one that holds elements.
fn start_tag(element: Element<'_>) -> Range<usize> {
    let span = element.span();
    if element.children().next().is_some() {
        span.start..element.content_span().start
    } else {
        span
    }
}

/// Children that are counted anew for each path.
const FEW_CHILDREN: usize = 16;

/// Writes `XPath`s, counting the children of each parent with many of them only once.
#[derive(Default)]
struct Paths {
    numbers: HashMap<NodeId, HashMap<NodeId, usize>>,
}

impl Paths {
    fn of(&mut self, document: &Document, node: NodeId, attribute: Option<&str>) -> String {
        // Comments and instructions are found by the element around them.
        let mut around = node;
        while around != NodeId::DOCUMENT && document.tree.node(around).kind != NodeKind::Element {
            around = document.tree.node(around).parent;
        }
        if around == NodeId::DOCUMENT {
            return "/".to_owned();
        }
        let mut path = self.element(Element::new(document, around));
        if let Some(name) = attribute {
            path.push_str("/@");
            path.push_str(name);
        }
        path
    }

    fn element(&mut self, element: Element<'_>) -> String {
        let steps: Vec<Element<'_>> = element.ancestors().collect();
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            step.push_step(self.number(step), &mut path);
        }
        path
    }

    /// Returns the number of an element among those of its name, 0 if it is the only one.
    fn number(&mut self, element: Element<'_>) -> usize {
        let Some(parent) = element.parent() else {
            return 0;
        };
        // Few are counted sooner than they are put into a table.
        if parent.children().nth(FEW_CHILDREN).is_none() {
            return element.number();
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

/// Counts lines once for all findings, which come in the order of the document.
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
