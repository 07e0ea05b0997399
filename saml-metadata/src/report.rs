//! Renders findings for a terminal, each with an excerpt of the document.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Snippet};

use crate::{Document, Finding, Position, Severity};

/// The maximum length in bytes of a line that is passed to the renderer as a whole.
///
/// Documents without line breaks are common. The renderer cuts a line to the part that fits, but it
/// should not receive a very long line.
const LONG_LINE: usize = 16 * 1024;
/// Number of bytes of a long line that are kept on each side of a finding.
const AROUND: usize = 200;

/// Renders findings for a terminal, each with an excerpt of the document.
///
/// ```
/// use saml_metadata::{Profile, Renderer, validate};
///
/// let document = saml_metadata::read(
///     br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="exk1"/>"#,
/// )?;
/// let findings = validate(&document, Profile::SamlCore, "2026-11-24T12:00:00Z".parse()?);
/// let finding = findings.iter().find(|finding| finding.rule.as_str() == "MD-ENT-02");
/// let text = Renderer::plain().render(&document, "idp.xml", finding);
/// assert!(text.starts_with("error[MD-ENT-02]: the entityID \"exk1\" is not an absolute URI\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Renderer(annotate_snippets::Renderer);

impl Renderer {
    /// Returns a renderer without colours.
    #[must_use]
    pub fn plain() -> Self {
        Self(annotate_snippets::Renderer::plain())
    }

    /// Returns a renderer with terminal colours.
    #[must_use]
    pub fn colored() -> Self {
        Self(annotate_snippets::Renderer::styled())
    }

    /// Sets the number of columns of the terminal; default: 140.
    #[must_use]
    pub fn width(self, columns: usize) -> Self {
        Self(self.0.term_width(columns))
    }

    /// Returns the text for the findings about a document, separated by empty lines.
    ///
    /// `origin` names the document, for example by its path.
    pub fn render<'f>(
        &self,
        document: &Document,
        origin: &str,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> String {
        let texts: Vec<String> = findings
            .into_iter()
            .map(|finding| self.render_one(document, origin, finding))
            .collect();
        texts.join("\n\n")
    }

    fn render_one(&self, document: &Document, origin: &str, finding: &Finding) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let Position { line, column, .. } = finding.position;
        let (excerpt, span, is_whole) = excerpt(document.text(), &finding.span);
        let mut snippet = Snippet::source(excerpt).line_start(line).annotation(
            AnnotationKind::Primary
                .span(span)
                .label(finding.path.as_str()),
        );
        let mut elements: Vec<Element<'_>> = Vec::new();
        if is_whole {
            snippet = snippet.path(origin);
        } else {
            // The column in the excerpt differs from the column in the document.
            let location = Origin::path(origin).line(line).char_column(column);
            elements.push(location.into());
        }
        elements.push(snippet.into());
        elements.push(Level::HELP.message(finding.help).into());
        elements.push(Level::NOTE.message(finding.clause).into());
        let title = level
            .primary_title(finding.message.as_str())
            .id(finding.rule.as_str());
        let group: Group<'_> = title.elements(elements);
        self.0.render(&[group])
    }
}

/// Returns an excerpt of the text, the span in this excerpt, and whether it is a whole line.
///
/// The excerpt is the line on which the span starts, or the part of a long line around the span. If
/// a span has several lines, the excerpt contains only the first one.
fn excerpt(text: &str, span: &Range<usize>) -> (String, Range<usize>, bool) {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = span.end.clamp(start, line_end);
    if line_end - line_start <= LONG_LINE {
        let line = text[line_start..line_end].to_owned();
        return (line, start - line_start..end - line_start, true);
    }
    // A long span is cut too.
    let end = text.floor_char_boundary(end.min(start + AROUND));
    let from = text.ceil_char_boundary(line_start.max(start.saturating_sub(AROUND)));
    let to = text.floor_char_boundary(line_end.min(end + AROUND));
    let mut excerpt = String::from(if from > line_start { "…" } else { "" });
    let shift = excerpt.len();
    excerpt.push_str(&text[from..to]);
    if to < line_end {
        excerpt.push('…');
    }
    (excerpt, start - from + shift..end - from + shift, false)
}
