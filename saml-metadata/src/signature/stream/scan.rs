//! The first pass over a stream: canonicalizes and digests the content, and verifies the signature.

use std::mem::take;

use aws_lc_rs::digest::Context;

use crate::{
    Element,
    c14n::{C14nError, Canonicalizer, Method},
    signature::{
        SignatureAlgorithm, SignatureError, SignatureErrorKind, Verifier,
        algorithm::DigestAlgorithm,
        profile::{self, check_form},
    },
    stream::{Part, StreamVisitor},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// Visits a stream and determines whether its root element is signed.
pub(super) struct Scan<'v> {
    verifier: &'v Verifier,
    root: Option<Root>,
    /// The first signature of the root element, with the result of its checks.
    signature: Option<Signature>,
    /// Number of signatures of the root element.
    signatures: usize,
    has_elements: bool,
    /// Canonical form of the processing instructions before the root element.
    before: Canonicalizer<Vec<u8>>,
    /// Canonical form of the text between the root element's start tag and the signature.
    inside: Canonicalizer<Vec<u8>>,
    digest: Digesting,
}

/// The properties of the root element that its start tag shows.
struct Root {
    id: Option<String>,
    /// Number of attributes in the document with the same value as the ID.
    same: usize,
    /// The error for a root element without a signature; also supplies the position of other errors.
    unsigned: SignatureError,
}

struct Signature {
    misplaced: SignatureError,
    /// The error to return if another element has the ID of the root element.
    if_duplicate_id: Option<SignatureError>,
    /// The result of all checks except the digest.
    form: Result<Form, SignatureError>,
    is_first: bool,
}

/// A signature with a valid form that verifies with one of the keys.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) key: usize,
    pub(super) algorithm: SignatureAlgorithm,
    transform: Method,
    digest: DigestAlgorithm,
    digest_value: Vec<u8>,
    is_whole: bool,
    wrong_length: SignatureError,
}

enum Digesting {
    /// The algorithms are not known yet.
    Waiting,
    /// The signature is invalid, or some content comes before it.
    Off,
    On {
        form: Canonicalizer<Context>,
        is_whole: bool,
    },
    Failed(C14nError),
}

/// The result of a scan.
pub(super) enum Outcome {
    Verified(Form),
    /// The signature verifies, but it comes after a part of the content, which was not digested.
    NeedsSecondScan {
        form: Form,
        /// The error to return if there is no second scan.
        misplaced: SignatureError,
    },
}

impl<'v> Scan<'v> {
    pub(super) fn new(verifier: &'v Verifier) -> Self {
        Self {
            verifier,
            root: None,
            signature: None,
            signatures: 0,
            has_elements: false,
            before: Canonicalizer::default(),
            inside: Canonicalizer::default(),
            digest: Digesting::Waiting,
        }
    }

    /// Creates a second scan, with the algorithms that the first scan found.
    pub(super) fn with_form(verifier: &'v Verifier, form: &Form) -> Self {
        Self {
            digest: Digesting::of(form),
            ..Self::new(verifier)
        }
    }

    /// Returns the result for the whole stream. The checks have the same order as in
    /// [`Verifier::verify`].
    pub(super) fn finish(self) -> Result<Outcome, SignatureError> {
        let Self {
            root, signature, ..
        } = self;
        // The reader fails on a stream without a root element.
        let root = root.expect("the reader requires a root element");
        let Some(signature) = signature else {
            return Err(root.unsigned);
        };
        if self.signatures > 1 {
            let count = self.signatures;
            return Err(root
                .unsigned
                .with(SignatureErrorKind::SeveralSignatures { count }));
        }
        if !signature.is_first && !self.verifier.policy.any_position {
            return Err(signature.misplaced);
        }
        if root.same > 1
            && let Some(error) = signature.if_duplicate_id
        {
            return Err(error);
        }
        let form = signature.form?;
        let digest = match self.digest {
            Digesting::Waiting | Digesting::Off => {
                let misplaced = signature.misplaced;
                return Ok(Outcome::NeedsSecondScan { form, misplaced });
            }
            Digesting::Failed(source) => {
                return Err(root
                    .unsigned
                    .with(SignatureErrorKind::NoCanonicalForm { source }));
            }
            Digesting::On { form, .. } => form.finish().finish(),
        };
        if digest.as_ref().len() != form.digest_value.len() {
            return Err(form.wrong_length);
        }
        if digest.as_ref() != form.digest_value {
            return Err(root.unsigned.with(SignatureErrorKind::Changed));
        }
        Ok(Outcome::Verified(form))
    }

    fn begin(&mut self, root: Element<'_>, part: &Part<'_>) {
        let unsigned = SignatureError::new(root, SignatureErrorKind::NotSigned);
        self.root = Some(Root {
            id: root.own_attribute(name!("ID")).map(str::to_owned),
            same: 0,
            unsigned: unsigned.map_position(|offset| part.position(offset)),
        });
    }

    fn count_ids(&mut self, part: &Part<'_>) {
        let Some(root) = &mut self.root else { return };
        if let Some(id) = &root.id {
            let ids = profile::ids(part.document, part.attributes);
            root.same += ids.filter(|other| other == id).count();
        }
    }

    /// Checks the children of the root element in a part, and returns the first signature.
    fn children<'a>(
        &mut self,
        root: Element<'a>,
        part: &Part<'a>,
        children: impl Iterator<Item = Element<'a>>,
    ) -> NodeId {
        let mut found = NodeId::NONE;
        for child in children {
            if child.is_in(NamespaceId::SIGNATURE, name!("Signature")) {
                self.signatures += 1;
                if self.signatures == 1 {
                    found = child.id();
                    self.check_signature(root, child, part);
                }
            }
            self.has_elements = true;
        }
        found
    }

    fn check_signature<'a>(&mut self, root: Element<'a>, signature: Element<'a>, part: &Part<'a>) {
        let in_stream = |error: SignatureError| error.map_position(|offset| part.position(offset));
        let policy = self.verifier.policy;
        let form =
            |is_duplicate_id| check_form(root, signature, policy, move |_: &str| is_duplicate_id);
        let checked = form(false).and_then(|form| {
            let wrong_length =
                SignatureError::new(form.reference, SignatureErrorKind::DIGEST_LENGTH);
            Ok(Form {
                key: self.verifier.check_signature(&form)?,
                algorithm: form.algorithm,
                transform: form.transform,
                digest: form.digest,
                digest_value: form.digest_value,
                is_whole: form.is_whole,
                wrong_length: in_stream(wrong_length),
            })
        });
        self.signature = Some(Signature {
            is_first: !self.has_elements,
            misplaced: in_stream(SignatureError::new(
                signature,
                SignatureErrorKind::Misplaced,
            )),
            if_duplicate_id: form(true).err().map(in_stream),
            form: checked.map_err(in_stream),
        });
    }

    /// Starts the digest if the signature is valid and the first element, otherwise turns the
    /// digest off.
    fn start_digest(&mut self, part: &Part<'_>, is_first: bool) {
        let Some(Ok(form)) = self.signature.as_ref().map(|found| &found.form) else {
            self.digest = Digesting::Off;
            return;
        };
        if !is_first {
            self.digest = Digesting::Off;
            return;
        }
        self.digest = Digesting::of(form);
        let before = take(&mut self.before).finish();
        let inside = take(&mut self.inside).finish();
        self.digest.update(part, |form, is_whole| {
            if is_whole {
                form.raw(&before);
            }
            if part.group != NodeId::DOCUMENT {
                form.open(part)?;
                form.raw(&inside);
            }
            Ok(())
        });
    }
}

impl StreamVisitor for Scan<'_> {
    fn open(&mut self, part: &Part<'_>) {
        let group = Element::new(part.document, part.group);
        if group.parent().is_none() {
            self.begin(group, part);
        } else {
            self.has_elements = true;
            if matches!(self.digest, Digesting::Waiting) {
                self.digest = Digesting::Off;
            }
        }
        self.count_ids(part);
        self.digest.update(part, |form, _| form.open(part));
    }

    fn content(&mut self, part: &Part<'_>) {
        let document = part.document;
        if part.group == NodeId::DOCUMENT {
            let root = elements(part).next();
            let mut without = NodeId::NONE;
            if let Some(root) = root {
                self.begin(root, part);
                without = self.children(root, part, root.children());
                self.start_digest(part, true);
            } else if self.root.is_none() {
                // The call cannot fail: processing instructions always have a canonical form.
                let _ = self.before.content(part, NodeId::NONE);
            }
            self.digest.update(part, |form, is_whole| {
                if is_whole || root.is_some() {
                    form.content(part, without)?;
                }
                Ok(())
            });
        } else if document.tree.root == part.group {
            let is_first = !self.has_elements;
            let root = Element::new(document, part.group);
            let without = self.children(root, part, elements(part));
            if matches!(self.digest, Digesting::Waiting) {
                if self.has_elements {
                    self.start_digest(part, is_first && without != NodeId::NONE);
                } else {
                    // The call fails only for a namespace of the start tag, and the scan reports
                    // that error for the start tag.
                    let _ = self.inside.content(part, NodeId::NONE);
                }
            }
            self.digest
                .update(part, |form, _| form.content(part, without));
        } else {
            self.digest
                .update(part, |form, _| form.content(part, NodeId::NONE));
        }
        self.count_ids(part);
    }

    fn close(&mut self, part: &Part<'_>) {
        self.digest.update(part, |form, _| {
            form.close(part);
            Ok(())
        });
    }
}

impl Digesting {
    fn of(form: &Form) -> Self {
        Self::On {
            form: Canonicalizer::new(form.transform.clone(), form.digest.context()),
            is_whole: form.is_whole,
        }
    }

    /// Writes a part to the digest, if it is on.
    fn update(
        &mut self,
        part: &Part<'_>,
        write: impl FnOnce(&mut Canonicalizer<Context>, bool) -> Result<(), C14nError>,
    ) {
        if let Self::On { form, is_whole } = self
            && let Err(error) = write(form, *is_whole)
        {
            *self = Self::Failed(error.map_offset(|offset| part.position(offset).offset));
        }
    }
}

/// Returns the child elements of the group that are in the part.
fn elements<'a>(part: &Part<'a>) -> impl Iterator<Item = Element<'a>> {
    let document = part.document;
    let end = part.text.end;
    let next = |id: &NodeId| document.tree.node(*id).next.some();
    std::iter::successors(part.first.some(), next)
        .take_while(move |id| document.tree.node(*id).span.range().start < end)
        .filter(|id| document.tree.node(*id).kind == NodeKind::Element)
        .map(|id| Element::new(document, id))
}
