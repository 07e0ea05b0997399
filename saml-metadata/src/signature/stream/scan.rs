//! The first reading: all of a stream is made canonical and digested, and its signature checked.

use std::mem::take;

use aws_lc_rs::digest::Context;

use crate::{
    Element,
    c14n::{C14nError, Canonicalizer, Method},
    signature::{
        Refusal, SignatureAlgorithm, SignatureError, Verifier,
        algorithm::DigestAlgorithm,
        profile::{self, check_form},
    },
    stream::{Part, StreamVisitor},
    tree::{NamespaceId, NodeId, NodeKind},
};

/// Sees a stream, and knows in the end whether its root element is signed.
pub(super) struct Scan<'v> {
    verifier: &'v Verifier,
    root: Option<Root>,
    /// The contents of the first signature, and what they are worth.
    signature: Option<Signature>,
    /// How many signatures the root element has.
    signatures: usize,
    has_elements: bool,
    /// Instructions before the root element, and what stands between its start tag and the signature.
    before: Canonicalizer<Vec<u8>>,
    inside: Canonicalizer<Vec<u8>>,
    digest: Digesting,
}

/// What is known of the root element once its start tag has been met.
struct Root {
    id: Option<String>,
    /// Attributes that have the ID as their value.
    same: usize,
    /// Says of the element what is wrong with it.
    unsigned: SignatureError,
}

struct Signature {
    misplaced: SignatureError,
    /// The outcome should another element have the ID of the root.
    if_twice: Option<SignatureError>,
    /// The outcome but for the digest.
    form: Result<Form, SignatureError>,
    is_first: bool,
}

/// A signature by one of the keys, of the form that it must have.
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
    /// It is not known yet how.
    Waits,
    /// It is known that the signature is wrong, or behind what it signs.
    Off,
    On {
        form: Canonicalizer<Context>,
        is_whole: bool,
    },
    Failed(C14nError),
}

/// What a scan has found.
pub(super) enum Outcome {
    Verified(Form),
    /// The signature is right as far as it goes, but was met too late to digest what stands before it.
    Again {
        form: Form,
        /// What to say should that be the end of it.
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
            digest: Digesting::Waits,
        }
    }

    /// Scans again, knowing how to digest.
    pub(super) fn again(verifier: &'v Verifier, form: &Form) -> Self {
        Self {
            digest: Digesting::of(form),
            ..Self::new(verifier)
        }
    }

    /// Says what the whole stream is, in the order in which a document is looked at.
    pub(super) fn finish(self) -> Result<Outcome, SignatureError> {
        let Self {
            root, signature, ..
        } = self;
        // A stream without a root element was refused by the reader.
        let root = root.expect("the reader has asked for a root element");
        let Some(signature) = signature else {
            return Err(root.unsigned);
        };
        if self.signatures > 1 {
            let count = self.signatures;
            return Err(root.unsigned.with(Refusal::SeveralSignatures { count }));
        }
        if !signature.is_first && !self.verifier.policy.any_place {
            return Err(signature.misplaced);
        }
        if root.same > 1
            && let Some(error) = signature.if_twice
        {
            return Err(error);
        }
        let form = signature.form?;
        let digest = match self.digest {
            Digesting::Waits | Digesting::Off => {
                let misplaced = signature.misplaced;
                return Ok(Outcome::Again { form, misplaced });
            }
            Digesting::Failed(source) => {
                return Err(root.unsigned.with(Refusal::NoCanonicalForm { source }));
            }
            Digesting::On { form, .. } => form.finish().finish(),
        };
        if digest.as_ref().len() != form.digest_value.len() {
            return Err(form.wrong_length);
        }
        if digest.as_ref() != form.digest_value {
            return Err(root.unsigned.with(Refusal::Changed));
        }
        Ok(Outcome::Verified(form))
    }

    fn begin(&mut self, root: Element<'_>, part: &Part<'_>) {
        let unsigned = SignatureError::new(root, Refusal::NotSigned);
        self.root = Some(Root {
            id: root.attribute("ID").map(str::to_owned),
            same: 0,
            unsigned: unsigned.placed(|offset| part.position(offset)),
        });
    }

    fn count_ids(&mut self, part: &Part<'_>) {
        let Some(root) = &mut self.root else { return };
        if let Some(id) = &root.id {
            let ids = profile::ids(part.document, part.attributes);
            root.same += ids.filter(|other| other == id).count();
        }
    }

    /// Looks at the children of the root element in a part, and returns the first signature.
    fn children<'a>(
        &mut self,
        root: Element<'a>,
        part: &Part<'a>,
        children: impl Iterator<Item = Element<'a>>,
    ) -> NodeId {
        let mut found = NodeId::NONE;
        for child in children {
            if child.is_in(NamespaceId::SIGNATURE, "Signature") {
                self.signatures += 1;
                if self.signatures == 1 {
                    found = child.id();
                    self.meet(root, child, part);
                }
            }
            self.has_elements = true;
        }
        found
    }

    fn meet<'a>(&mut self, root: Element<'a>, signature: Element<'a>, part: &Part<'a>) {
        let place = |error: SignatureError| error.placed(|offset| part.position(offset));
        let policy = self.verifier.policy;
        let form = |twice| check_form(root, signature, policy, move |_: &str| twice);
        let checked = form(false).and_then(|form| {
            let wrong_length = SignatureError::new(form.reference, Refusal::DIGEST_LENGTH);
            Ok(Form {
                key: self.verifier.check_signature(&form)?,
                algorithm: form.algorithm,
                transform: form.transform,
                digest: form.digest,
                digest_value: form.digest_value,
                is_whole: form.is_whole,
                wrong_length: place(wrong_length),
            })
        });
        self.signature = Some(Signature {
            is_first: !self.has_elements,
            misplaced: place(SignatureError::new(signature, Refusal::Misplaced)),
            if_twice: form(true).err().map(place),
            form: checked.map_err(place),
        });
    }

    /// Starts to digest once the signature has said how, or gives up on it.
    fn settle(&mut self, part: &Part<'_>, is_first: bool) {
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
        self.digest.step(part, |form, is_whole| {
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
            if matches!(self.digest, Digesting::Waits) {
                self.digest = Digesting::Off;
            }
        }
        self.count_ids(part);
        self.digest.step(part, |form, _| form.open(part));
    }

    fn content(&mut self, part: &Part<'_>) {
        let document = part.document;
        if part.group == NodeId::DOCUMENT {
            let root = elements(part).next();
            let mut without = NodeId::NONE;
            if let Some(root) = root {
                self.begin(root, part);
                without = self.children(root, part, root.children());
                self.settle(part, true);
            } else if self.root.is_none() {
                // Instructions have a canonical form always.
                let _ = self.before.content(part, NodeId::NONE);
            }
            self.digest.step(part, |form, is_whole| {
                if is_whole || root.is_some() {
                    form.content(part, without)?;
                }
                Ok(())
            });
        } else if document.tree.root == part.group {
            let is_first = !self.has_elements;
            let root = Element::new(document, part.group);
            let without = self.children(root, part, elements(part));
            if matches!(self.digest, Digesting::Waits) {
                if self.has_elements {
                    self.settle(part, is_first && without != NodeId::NONE);
                } else {
                    // A namespace that is in its way is in the way of the start tag, too.
                    let _ = self.inside.content(part, NodeId::NONE);
                }
            }
            self.digest
                .step(part, |form, _| form.content(part, without));
        } else {
            self.digest
                .step(part, |form, _| form.content(part, NodeId::NONE));
        }
        self.count_ids(part);
    }

    fn close(&mut self, part: &Part<'_>) {
        self.digest.step(part, |form, _| {
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

    fn step(
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

/// Returns the elements right inside of the group that a part is in.
fn elements<'a>(part: &Part<'a>) -> impl Iterator<Item = Element<'a>> {
    let document = part.document;
    let end = part.text.end;
    let next = |id: &NodeId| document.tree.node(*id).next.some();
    std::iter::successors(part.first.some(), next)
        .take_while(move |id| document.tree.node(*id).span.range().start < end)
        .filter(|id| document.tree.node(*id).kind == NodeKind::Element)
        .map(|id| Element::new(document, id))
}
