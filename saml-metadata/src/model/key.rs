use super::{
    certificate::{Certificate, CertificateError},
    values::uri,
    view,
};
use crate::{Element, reader::chars::collapse, tree::NamespaceId};

view! {
    /// `KeyDescriptor`: a key, and what it is for (MD 2.4.1.1).
    KeyDescriptor
}

impl<'a> KeyDescriptor<'a> {
    /// Returns the `use`; without one, or with one that is not known, the key is not limited to
    /// one use (errata E62).
    #[must_use]
    pub fn key_use(self) -> Option<KeyUse> {
        match self.0.attribute("use").map(collapse)? {
            "signing" => Some(KeyUse::Signing),
            "encryption" => Some(KeyUse::Encryption),
            _ => None,
        }
    }

    /// Returns whether the key may be used for that.
    ///
    /// A key without a `use` may be used for everything, one with an unknown `use` for nothing.
    #[must_use]
    pub fn serves(self, wanted: KeyUse) -> bool {
        match self.key_use() {
            Some(own) => own == wanted,
            None => self.0.attribute("use").is_none(),
        }
    }

    /// Returns the `ds:KeyInfo`.
    #[must_use]
    pub fn key_info(self) -> Option<Element<'a>> {
        self.0.child_in(NamespaceId::SIGNATURE, "KeyInfo")
    }

    /// Returns the `ds:X509Certificate` elements of all `ds:X509Data`.
    pub fn certificate_elements(self) -> impl Iterator<Item = Element<'a>> {
        self.key_info()
            .into_iter()
            .flat_map(|info| info.children_in(NamespaceId::SIGNATURE, "X509Data"))
            .flat_map(|data| data.children_in(NamespaceId::SIGNATURE, "X509Certificate"))
    }

    /// Returns the certificates, each read or with the reason why it could not be.
    pub fn certificates(self) -> impl Iterator<Item = Result<Certificate, CertificateError>> {
        self.certificate_elements()
            .map(|element| Certificate::from_base64(element.text()))
    }

    /// Returns the `ds:KeyName`s.
    pub fn key_names(self) -> impl Iterator<Item = &'a str> {
        self.key_info()
            .into_iter()
            .flat_map(|info| info.children_in(NamespaceId::SIGNATURE, "KeyName"))
            .map(Element::text)
    }

    /// Returns whether the key itself is given without a certificate: a `ds:KeyValue` or a
    /// `dsig11:DEREncodedKeyValue`.
    #[must_use]
    pub fn has_bare_key(self) -> bool {
        self.key_info().is_some_and(|info| {
            info.children().any(|child| {
                child.is_in(NamespaceId::SIGNATURE, "KeyValue")
                    || child.is_in(NamespaceId::SIGNATURE_11, "DEREncodedKeyValue")
            })
        })
    }

    /// Returns the `EncryptionMethod`s that the owner of the key understands.
    pub fn encryption_methods(self) -> impl Iterator<Item = EncryptionMethod<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, "EncryptionMethod")
            .map(EncryptionMethod::new)
    }
}

/// What a key is for: `KeyTypes` (MD 2.4.1.1). The specification has these two only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// To check signatures, and TLS.
    Signing,
    /// To encrypt for the owner.
    Encryption,
}

view! {
    /// `EncryptionMethod`: an encryption algorithm (MD 2.4.1.1).
    EncryptionMethod
}

impl<'a> EncryptionMethod<'a> {
    /// Returns the `Algorithm` URI. Key size and parameters are child elements.
    #[must_use]
    pub fn algorithm(self) -> &'a str {
        uri(self.0, "Algorithm")
    }
}
