//! Views of keys and encryption methods.

use super::{
    certificate::{Certificate, CertificateError},
    values::uri,
    view,
};
use crate::{Element, reader::chars::collapse, tree::NamespaceId};

view! {
    /// `KeyDescriptor`: a key and its use (MD 2.4.1.1).
    KeyDescriptor
}

impl<'a> KeyDescriptor<'a> {
    /// Returns the `use`; `None` if it is missing or unknown.
    ///
    /// A key without a `use` is not limited to one use (errata E62).
    #[must_use]
    pub fn key_use(self) -> Option<KeyUse> {
        match self.0.own_attribute(name!("use")).map(collapse)? {
            "signing" => Some(KeyUse::Signing),
            "encryption" => Some(KeyUse::Encryption),
            _ => None,
        }
    }

    /// Returns whether the key may be used for a purpose.
    ///
    /// A key without a `use` may be used for all purposes, a key with an unknown `use` for none.
    #[must_use]
    pub fn allows_use(self, wanted: KeyUse) -> bool {
        match self.key_use() {
            Some(own) => own == wanted,
            None => self.0.own_attribute(name!("use")).is_none(),
        }
    }

    /// Returns the `ds:KeyInfo`.
    #[must_use]
    pub fn key_info(self) -> Option<Element<'a>> {
        self.0.child_in(NamespaceId::SIGNATURE, name!("KeyInfo"))
    }

    /// Returns the `ds:X509Certificate` elements of all `ds:X509Data`.
    pub fn certificate_elements(self) -> impl Iterator<Item = Element<'a>> {
        self.key_info()
            .into_iter()
            .flat_map(|info| info.children_in(NamespaceId::SIGNATURE, name!("X509Data")))
            .flat_map(|data| data.children_in(NamespaceId::SIGNATURE, name!("X509Certificate")))
    }

    /// Returns the certificates; each item is a certificate or the reason why it is unreadable.
    pub fn certificates(self) -> impl Iterator<Item = Result<Certificate, CertificateError>> {
        self.certificate_elements()
            .map(|element| Certificate::from_base64(element.text()))
    }

    /// Returns the `ds:KeyName`s.
    pub fn key_names(self) -> impl Iterator<Item = &'a str> {
        self.key_info()
            .into_iter()
            .flat_map(|info| info.children_in(NamespaceId::SIGNATURE, name!("KeyName")))
            .map(Element::text)
    }

    /// Returns whether the descriptor has a bare key: a `ds:KeyValue` or a
    /// `dsig11:DEREncodedKeyValue`.
    #[must_use]
    pub fn has_bare_key(self) -> bool {
        self.key_info().is_some_and(|info| {
            info.children().any(|child| {
                child.is_in(NamespaceId::SIGNATURE, name!("KeyValue"))
                    || child.is_in(NamespaceId::SIGNATURE_11, name!("DEREncodedKeyValue"))
            })
        })
    }

    /// Returns the `EncryptionMethod`s that the owner of the key supports.
    pub fn encryption_methods(self) -> impl Iterator<Item = EncryptionMethod<'a>> {
        self.0
            .children_in(NamespaceId::METADATA, name!("EncryptionMethod"))
            .map(EncryptionMethod::new)
    }
}

/// The use of a key: `KeyTypes` (MD 2.4.1.1). The specification defines only these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// Peers verify signatures and TLS connections with the key.
    Signing,
    /// Peers encrypt for the owner with the key.
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
        uri(self.0, name!("Algorithm"))
    }
}
