//! Edits of metadata: validity, certificates, signatures, the byte order mark, and one entity alone.

use jiff::Timestamp;

use super::{Edit, EditError, NewElement};
use crate::{
    Certificate, Document, Element, EntityDescriptor, KeyDescriptor, KeyUse, ParseTimeError,
    RoleDescriptor, base64,
    document::read_with,
    model::time,
    reader::escape::{escape_attribute, shorten},
    source::{BYTE_ORDER_MARK, Encoding},
    tree::NamespaceId,
};

impl<'a> Edit<'a> {
    /// Sets the `validUntil` of an entity, a group or a role.
    pub fn set_valid_until(self, element: Element<'a>, until: Timestamp) -> Self {
        self.set_attribute(element, "validUntil", &until.to_string())
    }

    /// Removes the `validUntil` of an entity, a group or a role, if it has one.
    pub fn remove_valid_until(self, element: Element<'a>) -> Self {
        self.remove_attribute(element, "validUntil")
    }

    /// Adds a certificate to a role, in a `KeyDescriptor` after the other ones.
    ///
    /// Fails if the role already has the certificate for this use.
    pub fn add_certificate(
        self,
        role: RoleDescriptor<'a>,
        key_use: Option<KeyUse>,
        certificate: &Certificate,
    ) -> Self {
        let own = std::slice::from_ref(certificate);
        if keys_with(role, own).any(|(key, _)| key.key_use() == key_use) {
            return self.present(role, certificate);
        }
        let key = NewElement::key_descriptor(key_use, certificate);
        self.insert(role.element(), &key)
    }

    /// Replaces a certificate of a role with another one, in each `KeyDescriptor` that has it.
    ///
    /// Other descriptions of the old key beside the certificate, such as a `ds:KeyValue`, are
    /// removed; a `ds:KeyName` stays. Fails if the role does not have the certificate, or if it
    /// already has the new one for the same use.
    pub fn replace_certificate(
        mut self,
        role: RoleDescriptor<'a>,
        old: &Certificate,
        new: &Certificate,
    ) -> Self {
        let mut found = false;
        for (key, elements) in keys_with(role, std::slice::from_ref(old)) {
            found = true;
            let mut others = keys_with(role, std::slice::from_ref(new));
            if others.any(|(other, _)| other.key_use() == key.key_use()) {
                return self.present(role, new);
            }
            for element in elements {
                self = self.set_text(element, &base64::encode_lines(new.der(), 76));
            }
            for item in key.key_info().into_iter().flat_map(Element::children) {
                if !item.is_in(NamespaceId::SIGNATURE, name!("X509Data")) {
                    if !item.is_in(NamespaceId::SIGNATURE, name!("KeyName")) {
                        self = self.remove(item);
                    }
                    continue;
                }
                let is_certificate = |part: &Element<'_>| {
                    part.is_in(NamespaceId::SIGNATURE, name!("X509Certificate"))
                };
                if !item.children().any(|part| is_certificate(&part)) {
                    // Without its children, the element would not be valid.
                    self = self.remove(item);
                    continue;
                }
                for part in item.children().filter(|part| !is_certificate(part)) {
                    self = self.remove(part);
                }
            }
        }
        self.unless_missing(found, role, old)
    }

    /// Removes a certificate of a role from the keys of every use, with its `KeyDescriptor` if that
    /// has no other certificate.
    ///
    /// Fails if the role does not have the certificate.
    pub fn remove_certificate(
        mut self,
        role: RoleDescriptor<'a>,
        certificate: &Certificate,
    ) -> Self {
        let mut found = false;
        for (key, elements) in keys_with(role, std::slice::from_ref(certificate)) {
            found = true;
            self = self.remove_from(key, &elements);
        }
        self.unless_missing(found, role, certificate)
    }

    /// Removes certificates from the signing keys of a role.
    ///
    /// Partners can still encrypt with the keys: a `KeyDescriptor` with `use="encryption"` stays. One
    /// without `use` gets `use="encryption"`, except in an `IDPSSODescriptor`, where it is removed:
    /// partners do not encrypt for an identity provider during sign-in. Fails if a certificate is in
    /// no signing key.
    pub fn remove_signing_certificates(
        mut self,
        role: RoleDescriptor<'a>,
        certificates: &[Certificate],
    ) -> Self {
        let is_idp = role.element().local_name() == "IDPSSODescriptor";
        let signing = || {
            let keys = keys_with(role, certificates);
            keys.filter(|(key, _)| key.allows_use(KeyUse::Signing))
        };
        let found: Vec<&str> = signing()
            .flat_map(|(_, elements)| elements)
            .map(Element::text)
            .collect();
        let found: Vec<Certificate> = found
            .into_iter()
            .filter_map(|text| Certificate::from_base64(text).ok())
            .collect();
        for certificate in certificates {
            self = self.unless_missing(found.contains(certificate), role, certificate);
        }
        for (key, elements) in signing() {
            let encrypts = key.key_use().is_none() && !is_idp;
            if encrypts && elements.len() == key.certificate_elements().count() {
                self = self.set_attribute(key.element(), "use", "encryption");
                continue;
            }
            if encrypts {
                for certificate in elements
                    .iter()
                    .map(|own| Certificate::from_base64(own.text()))
                {
                    let Ok(certificate) = certificate else {
                        continue;
                    };
                    let key = NewElement::key_descriptor(Some(KeyUse::Encryption), &certificate);
                    self = self.insert(role.element(), &key);
                }
            }
            self = self.remove_from(key, &elements);
        }
        self
    }

    /// Removes certificates of a key, with the elements that would be empty without them.
    fn remove_from(mut self, key: KeyDescriptor<'a>, elements: &[Element<'a>]) -> Self {
        if elements.len() == key.certificate_elements().count() {
            return self.remove(key.element());
        }
        let info = key.key_info().into_iter();
        for data in
            info.flat_map(|info| info.children_in(NamespaceId::SIGNATURE, name!("X509Data")))
        {
            let is_removed = |element: &Element<'a>| elements.contains(element);
            let own = || data.children_in(NamespaceId::SIGNATURE, name!("X509Certificate"));
            if own().next().is_some() && own().all(|element| is_removed(&element)) {
                // The other children, such as the subject's name, describe the same certificates.
                self = self.remove(data);
                continue;
            }
            for element in own().filter(is_removed) {
                self = self.remove(element);
            }
        }
        self
    }

    fn present(self, role: RoleDescriptor<'_>, certificate: &Certificate) -> Self {
        self.fail(EditError::CertificatePresent {
            role: role.element().local_name().to_owned(),
            fingerprint: certificate.fingerprint_sha256(),
        })
    }

    fn unless_missing(
        self,
        found: bool,
        role: RoleDescriptor<'_>,
        certificate: &Certificate,
    ) -> Self {
        if found {
            return self;
        }
        self.fail(EditError::NoCertificate {
            role: role.element().local_name().to_owned(),
            fingerprint: certificate.fingerprint_sha256(),
        })
    }

    /// Removes the signature of an entity, a group or a role.
    ///
    /// An edit of a signed element, or of an element inside it, makes its signature invalid. Fails if
    /// the element has no signature.
    pub fn remove_signature(self, element: Element<'a>) -> Self {
        match element.signature() {
            Some(signature) => self.remove(signature),
            None => self.fail(EditError::NotSigned {
                name: shorten(element.qualified_name()),
            }),
        }
    }

    /// Adds a byte order mark, if there is none.
    pub fn add_byte_order_mark(mut self) -> Self {
        if !self.document.text().starts_with(BYTE_ORDER_MARK) {
            self.change(0..0, BYTE_ORDER_MARK.to_string());
        }
        self
    }

    /// Removes the byte order mark, if there is one.
    ///
    /// A signature stays valid. Fails for UTF-16, which needs the mark.
    pub fn remove_byte_order_mark(mut self) -> Self {
        if self.document.source.encoding != Encoding::Utf8 {
            return self.fail(EditError::MarkRequired);
        }
        self.change(0..self.document.source.start(), String::new());
        self
    }
}

/// Returns the `KeyDescriptor`s with at least one of the certificates, each with all elements of these
/// certificates.
fn keys_with<'a>(
    role: RoleDescriptor<'a>,
    wanted: &[Certificate],
) -> impl Iterator<Item = (KeyDescriptor<'a>, Vec<Element<'a>>)> {
    role.key_descriptors().filter_map(move |key| {
        let elements = key.certificate_elements().zip(key.certificates());
        let elements: Vec<Element<'a>> = elements
            .filter(|(_, certificate)| certificate.as_ref().is_ok_and(|own| wanted.contains(own)))
            .map(|(element, _)| element)
            .collect();
        (!elements.is_empty()).then_some((key, elements))
    })
}

impl EntityDescriptor<'_> {
    /// Returns the entity as a document of its own, in UTF-8.
    ///
    /// The root element declares the namespaces that were in scope. It has the effective `validUntil`
    /// and `cacheDuration`, so that the entity does not become valid for longer than its group was
    /// ([`effective_valid_until`](Self::effective_valid_until)). If one of these attributes changes, a
    /// signature of the entity itself is removed, because it would be invalid. The groups outside a
    /// verified element are not signed: the result has their namespaces, but not their validity.
    ///
    /// # Errors
    ///
    /// Fails if an inherited validity cannot be read, or if the result exceeds a limit.
    pub fn to_document(self) -> Result<Document, EditError> {
        let element = self.element();
        // A verified element does not reach the unsigned groups around it. Their prefixes are needed.
        let whole = Element::new(element.document(), element.id());
        let (source, start) = (element.source(), element.span().start);
        let (name, rest) = source.split_at(element.name_end() - start);
        let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{name}");
        let mut declared: Vec<&str> = element.namespace_declarations().map(|(p, _)| p).collect();
        for group in whole.ancestors().skip(1) {
            for (prefix, uri) in group.namespace_declarations() {
                if declared.contains(&prefix) {
                    continue;
                }
                declared.push(prefix);
                if !uri.is_empty() {
                    text.push_str(if prefix.is_empty() {
                        " xmlns"
                    } else {
                        " xmlns:"
                    });
                    text.push_str(prefix);
                    text.push_str("=\"");
                    escape_attribute(uri, &mut text);
                    text.push('"');
                }
            }
        }
        text.push_str(rest);
        let document = read_with(text, element.document().limits())
            .map_err(|source| EditError::Unreadable { source })?;
        let inherited = |error| EditError::Time { source: error };
        let until = least(element, "validUntil", time::valid_until).map_err(inherited)?;
        let cache = least(element, "cacheDuration", time::cache_duration).map_err(inherited)?;
        let root = document.root();
        let mut edit = document.edit();
        let mut is_changed = false;
        for (name, value) in [("validUntil", until), ("cacheDuration", cache)] {
            if let Some(value) = value.filter(|value| root.attribute(name) != Some(*value)) {
                edit = edit.set_attribute(root, name, value);
                is_changed = true;
            }
        }
        if !is_changed {
            return Ok(document);
        }
        if root.signature().is_some() {
            edit = edit.remove_signature(root);
        }
        edit.apply()
    }
}

/// Returns the text of the least value of an attribute of an element and its ancestors.
fn least<'a, T: PartialOrd>(
    element: Element<'a>,
    name: &str,
    parse: impl Fn(Element<'a>) -> Result<Option<T>, ParseTimeError>,
) -> Result<Option<&'a str>, ParseTimeError> {
    let mut least: Option<(T, &str)> = None;
    for ancestor in element.ancestors() {
        let Some(value) = parse(ancestor)? else {
            continue;
        };
        if least.as_ref().is_none_or(|(known, _)| value < *known) {
            least = ancestor.attribute(name).map(|text| (value, text));
        }
    }
    Ok(least.map(|(_, text)| text))
}
