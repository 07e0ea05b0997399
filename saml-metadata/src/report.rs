//! Findings for a terminal, each with the piece of the document that it is about.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Snippet};

use crate::{Document, Finding, Position, Severity};

/// Documents without any line break are common. The renderer shows the part of a line that fits,
/// but of a line longer than this it shall not see more than a part.
const LONG_LINE: usize = 16 * 1024;
/// Of a long line, this many bytes are taken on each side of a finding.
const AROUND: usize = 200;

/// Writes findings with the piece of the document that each is about.
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
    /// Writes without colours.
    #[must_use]
    pub fn plain() -> Self {
        Self(annotate_snippets::Renderer::plain())
    }

    /// Writes with the colours of a terminal.
    #[must_use]
    pub fn coloured() -> Self {
        Self(annotate_snippets::Renderer::styled())
    }

    /// Sets how many columns the terminal has; 140 if not set.
    #[must_use]
    pub fn width(self, columns: usize) -> Self {
        Self(self.0.term_width(columns))
    }

    /// Returns findings about a document, with an empty line between them.
    ///
    /// `origin` is what to call the document, such as its path.
    pub fn render<'f>(
        &self,
        document: &Document,
        origin: &str,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> String {
        let texts: Vec<String> = findings
            .into_iter()
            .map(|finding| self.one(document, origin, finding))
            .collect();
        texts.join("\n\n")
    }

    fn one(&self, document: &Document, origin: &str, finding: &Finding) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let Position { line, column, .. } = finding.position;
        let (piece, span, is_whole) = piece(document.text(), &finding.span);
        let mut snippet = Snippet::source(piece).line_start(line).annotation(
            AnnotationKind::Primary
                .span(span)
                .label(finding.path.as_str()),
        );
        let mut elements: Vec<Element<'_>> = Vec::new();
        if is_whole {
            snippet = snippet.path(origin);
        } else {
            // The column in the piece is not the one in the document.
            let place = Origin::path(origin).line(line).char_column(column);
            elements.push(place.into());
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

/// Returns the line on which a span begins, or what is around it of a long one; the span in that;
/// and whether it is the whole line.
///
/// Of a span of several lines, the first is enough to find the rest.
fn piece(text: &str, span: &Range<usize>) -> (String, Range<usize>, bool) {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = span.end.clamp(start, line_end);
    if line_end - line_start <= LONG_LINE {
        let line = text[line_start..line_end].to_owned();
        return (line, start - line_start..end - line_start, true);
    }
    // Long spans are cut as well.
    let end = text.floor_char_boundary(end.min(start + AROUND));
    let from = text.ceil_char_boundary(line_start.max(start.saturating_sub(AROUND)));
    let to = text.floor_char_boundary(line_end.min(end + AROUND));
    let mut piece = String::from(if from > line_start { "…" } else { "" });
    let shift = piece.len();
    piece.push_str(&text[from..to]);
    if to < line_end {
        piece.push('…');
    }
    (piece, start - from + shift..end - from + shift, false)
}
