//! The canonical form of a stream, without holding the whole document.

use std::{
    fmt,
    io::{self, BufRead, Write},
};

use super::{
    C14nError, Method,
    namespaces::Namespaces,
    walk::Walk,
    write::{Output, Sink},
};
use crate::{
    EntityStream, StreamError,
    stream::{Part, StreamVisitor},
    tree::NodeId,
};

impl Method {
    /// Writes the canonical form of metadata of any size in constant memory.
    ///
    /// The output is the same as from [`document`](Self::document). The limits of
    /// [`EntityStream::new`] apply. If the call fails, discard the output.
    ///
    /// ```
    /// use saml_metadata::c14n::Method;
    ///
    /// let aggregate = br#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    ///     ><md:EntityDescriptor entityID='urn:a'/></md:EntitiesDescriptor>"#;
    /// let mut form = Vec::new();
    /// Method::exclusive().stream(&aggregate[..], &mut form)?;
    /// assert_eq!(form, Method::exclusive().document(&saml_metadata::read(aggregate)?)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the input is not readable metadata, if a namespace URI is relative, or if the output
    /// cannot be written.
    pub fn stream(&self, input: impl BufRead, output: impl Write) -> Result<(), C14nStreamError> {
        let written = Written {
            output,
            failure: None,
        };
        let mut whole = Whole {
            form: Canonicalizer::new(self.clone(), written),
            failure: None,
        };
        EntityStream::new(input).visit(&mut whole)?;
        if let Some(source) = whole.failure {
            return Err(C14nStreamError::NoCanonicalForm { source });
        }
        let Written {
            mut output,
            failure,
        } = whole.form.finish();
        match failure.map_or_else(|| output.flush(), Err) {
            Ok(()) => Ok(()),
            Err(source) => Err(C14nStreamError::Write { source }),
        }
    }
}

/// The reason why the canonical form of a stream could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum C14nStreamError {
    /// The input is not readable metadata.
    #[error("the metadata to canonicalize cannot be read")]
    Read(#[from] StreamError),
    /// The input has no canonical form.
    #[error("the metadata has no canonical form")]
    #[non_exhaustive]
    NoCanonicalForm {
        /// The reason, with an offset from the start of the stream.
        source: C14nError,
    },
    /// The output could not be written.
    #[error("the canonical form cannot be written")]
    #[non_exhaustive]
    Write {
        /// The I/O error of the output.
        source: io::Error,
    },
}

/// Visitor that canonicalizes a whole stream.
struct Whole<S> {
    form: Canonicalizer<S>,
    failure: Option<C14nError>,
}

impl<S: Sink> Whole<S> {
    /// Keeps the first error.
    fn record(&mut self, result: Result<(), C14nError>, part: &Part<'_>) {
        if let Err(error) = result
            && self.failure.is_none()
        {
            self.failure = Some(error.map_offset(|offset| part.position(offset).offset));
        }
    }
}

impl<S: Sink> StreamVisitor for Whole<S> {
    fn open(&mut self, part: &Part<'_>) {
        let result = self.form.open(part);
        self.record(result, part);
    }

    fn content(&mut self, part: &Part<'_>) {
        let result = self.form.content(part, NodeId::NONE);
        self.record(result, part);
    }

    fn close(&mut self, part: &Part<'_>) {
        self.form.close(part);
    }
}

struct Written<W> {
    output: W,
    failure: Option<io::Error>,
}

impl<W: Write> Sink for Written<W> {
    fn receive(&mut self, chunk: &[u8]) {
        if self.failure.is_none() {
            self.failure = self.output.write_all(chunk).err();
        }
    }
}

/// Builds a canonical form from the parts of a stream.
pub(crate) struct Canonicalizer<S> {
    method: Method,
    output: Output<S>,
    /// The declarations written on the open groups, copied because the stream drops the text of the
    /// groups.
    written: Vec<(String, String)>,
    /// For each open group, the number of declarations written on the groups around it.
    depths: Vec<usize>,
    is_after_root: bool,
}

impl<S: Sink> Canonicalizer<S> {
    pub(crate) fn new(method: Method, sink: S) -> Self {
        Self {
            method,
            output: Output::new(sink),
            written: Vec::new(),
            depths: Vec::new(),
            is_after_root: false,
        }
    }

    /// Writes bytes that are already canonical.
    pub(crate) fn raw(&mut self, form: &[u8]) {
        self.output.bytes(form);
    }

    /// Writes the start tag of a group.
    pub(crate) fn open(&mut self, part: &Part<'_>) -> Result<(), C14nError> {
        let parent = part.document.tree.node(part.group).parent;
        let depth = self.written.len();
        let mut walk = self.walk(part, NodeId::NONE);
        walk.start(part.group, parent == NodeId::DOCUMENT)?;
        walk.flush();
        let new: Vec<_> = walk.namespaces().written_since(depth).collect();
        self.written.extend(new);
        self.depths.push(depth);
        self.is_after_root |= parent == NodeId::DOCUMENT;
        Ok(())
    }

    /// Writes a part of the content of a group or of the document, without one node.
    pub(crate) fn content(&mut self, part: &Part<'_>, without: NodeId) -> Result<(), C14nError> {
        if part.group == NodeId::DOCUMENT {
            let mut is_after = self.is_after_root;
            let mut walk = self.walk(part, without);
            walk.document_content(part.first, &mut is_after)?;
            walk.flush();
            self.is_after_root = is_after;
            return Ok(());
        }
        let mut walk = self.walk(part, without);
        walk.content(part.text.clone(), part.first)?;
        walk.flush();
        Ok(())
    }

    /// Writes the end tag of a group.
    pub(crate) fn close(&mut self, part: &Part<'_>) {
        let mut walk = self.walk(part, NodeId::NONE);
        walk.end(part.group);
        walk.flush();
        self.written.truncate(self.depths.pop().unwrap_or_default());
    }

    /// Writes the rest to the sink and returns it.
    pub(crate) fn finish(self) -> S {
        self.output.finish()
    }

    fn walk<'a>(&'a mut self, part: &Part<'a>, without: NodeId) -> Walk<'a, 'a, S> {
        let namespaces = Namespaces::from_written(&self.written);
        Walk::new(&self.method, part.document, without, &mut self.output)
            .with_namespaces(namespaces)
    }
}

impl Default for Canonicalizer<Vec<u8>> {
    fn default() -> Self {
        Self::new(Method::exclusive(), Vec::new())
    }
}

impl<S> fmt::Debug for Canonicalizer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canonicalizer")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
