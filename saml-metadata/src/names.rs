//! The URIs used in SAML metadata.

/// Namespace URIs, with the prefixes that findings and builders use for them.
pub mod namespace {
    /// SAML 2.0 metadata, `md:` (MD 1.1).
    pub const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
    /// SAML 2.0 assertions, `saml:` (MD 1.1).
    pub const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    /// XML Signature, `ds:`.
    pub const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
    /// XML Signature 1.1, `dsig11:`.
    pub const SIGNATURE_11: &str = "http://www.w3.org/2009/xmldsig11#";
    /// XML Encryption, `xenc:`.
    pub const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
    /// XML Encryption 1.1, `xenc11:`.
    pub const ENCRYPTION_11: &str = "http://www.w3.org/2009/xmlenc11#";
    /// Metadata extensions for login and discovery user interfaces, `mdui:`.
    pub const UI: &str = "urn:oasis:names:tc:SAML:metadata:ui";
    /// Metadata extensions for registration and publication information, `mdrpi:`.
    pub const REGISTRATION: &str = "urn:oasis:names:tc:SAML:metadata:rpi";
    /// Metadata extension for entity attributes, `mdattr:`.
    pub const ENTITY_ATTRIBUTES: &str = "urn:oasis:names:tc:SAML:metadata:attribute";
    /// Metadata profile for algorithm support, `alg:`.
    pub const ALGORITHM: &str = "urn:oasis:names:tc:SAML:metadata:algsupport";
    /// Shibboleth's metadata extensions, `shibmd:`.
    pub const SHIBBOLETH: &str = "urn:mace:shibboleth:metadata:1.0";
    /// Identity provider discovery service protocol, `idpdisc:`.
    pub const DISCOVERY: &str = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
    /// Service provider request initiation, `init:`.
    pub const REQUEST_INITIATION: &str = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
    /// Holder-of-key web browser single sign-on, `hoksso:`.
    pub const HOLDER_OF_KEY: &str =
        "urn:oasis:names:tc:SAML:2.0:profiles:holder-of-key:SSO:browser";
    /// REFEDS' metadata extensions, `remd:`.
    pub const REFEDS: &str = "http://refeds.org/metadata";
    /// WS-Federation, `fed:`; Active Directory Federation Services (AD FS) writes WS-Federation roles.
    pub const WS_FEDERATION: &str = "http://docs.oasis-open.org/wsfed/federation/200706";
    /// WS-Addressing, `wsa:`; used inside WS-Federation roles.
    pub const WS_ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
    /// WS-Federation authorization claims, `auth:`.
    pub const WS_AUTHORIZATION: &str = "http://docs.oasis-open.org/wsfed/authorization/200706";
    /// XML Schema instance, `xsi:`.
    pub const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
    /// XML Schema, `xs:`.
    pub const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
    /// The namespace of `xml:lang`, always bound to `xml:`.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
    /// The namespace of the namespace declarations (`xmlns` attributes).
    pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

    /// The namespaces that the crate knows, with their usual prefix. The index is the namespace id.
    pub(crate) const KNOWN: [(&str, &str); 23] = [
        ("", ""),
        (XML, "xml"),
        (XMLNS, "xmlns"),
        (METADATA, "md"),
        (ASSERTION, "saml"),
        (SIGNATURE, "ds"),
        (SIGNATURE_11, "dsig11"),
        (ENCRYPTION, "xenc"),
        (ENCRYPTION_11, "xenc11"),
        (UI, "mdui"),
        (REGISTRATION, "mdrpi"),
        (ENTITY_ATTRIBUTES, "mdattr"),
        (ALGORITHM, "alg"),
        (SHIBBOLETH, "shibmd"),
        (DISCOVERY, "idpdisc"),
        (REQUEST_INITIATION, "init"),
        (HOLDER_OF_KEY, "hoksso"),
        (REFEDS, "remd"),
        (WS_FEDERATION, "fed"),
        (WS_ADDRESSING, "wsa"),
        (WS_AUTHORIZATION, "auth"),
        (SCHEMA_INSTANCE, "xsi"),
        (SCHEMA, "xs"),
    ];
}

/// Binding URIs of endpoints (saml-bindings-2.0-os section 3).
pub mod binding {
    /// HTTP Redirect: the message is in the query of the URL.
    pub const HTTP_REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
    /// HTTP POST: the message is in an HTML form.
    pub const HTTP_POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
    /// HTTP POST with the signature beside the message instead of inside it.
    pub const HTTP_POST_SIMPLE_SIGN: &str =
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST-SimpleSign";
    /// HTTP Artifact: only a reference to the message passes through the browser.
    pub const HTTP_ARTIFACT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact";
    /// SOAP over HTTP, server to server.
    pub const SOAP: &str = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP";
    /// Reverse SOAP, for enhanced clients.
    pub const PAOS: &str = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS";
    /// Assertions fetched by URI.
    pub const URI: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URI";

    /// Returns a binding of SAML 2.0 without the prefix of its URI, and other bindings unchanged.
    pub(crate) fn short_name(binding: &str) -> &str {
        let short = binding.strip_prefix("urn:oasis:names:tc:SAML:2.0:bindings:");
        short.unwrap_or(binding)
    }
}

/// Protocol URIs of `protocolSupportEnumeration` (MD 2.4.1).
pub mod protocol {
    /// SAML 2.0.
    pub const SAML_2_0: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
    /// SAML 1.1.
    pub const SAML_1_1: &str = "urn:oasis:names:tc:SAML:1.1:protocol";
    /// SAML 1.0.
    pub const SAML_1_0: &str = "urn:oasis:names:tc:SAML:1.0:protocol";
    /// Shibboleth's request profile of SAML 1.
    pub const SHIBBOLETH: &str = "urn:mace:shibboleth:1.0";
}

/// Name identifier formats (saml-core-2.0-os section 8.3).
pub mod name_id_format {
    /// A format that the two providers agree on.
    pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
    /// An email address, the format that IAM Identity Center expects.
    pub const EMAIL_ADDRESS: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    /// A name that stays the same for one pair of providers.
    pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    /// A name for one session.
    pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    /// The identifier of a provider itself.
    pub const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
    /// A name inside an encrypted element.
    pub const ENCRYPTED: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted";
    /// An X.509 subject name.
    pub const X509_SUBJECT_NAME: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
    /// A Windows domain-qualified name.
    pub const WINDOWS_DOMAIN_QUALIFIED_NAME: &str =
        "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName";
    /// A Kerberos principal name.
    pub const KERBEROS: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos";

    /// All formats that the specification defines.
    pub(crate) const KNOWN: [&str; 9] = [
        UNSPECIFIED,
        EMAIL_ADDRESS,
        PERSISTENT,
        TRANSIENT,
        ENTITY,
        ENCRYPTED,
        X509_SUBJECT_NAME,
        WINDOWS_DOMAIN_QUALIFIED_NAME,
        KERBEROS,
    ];
}

/// Attribute name formats (saml-core-2.0-os section 8.2).
pub mod attribute_name_format {
    /// The name is any string.
    pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified";
    /// The name is a URI.
    pub const URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
    /// The name is a simple token.
    pub const BASIC: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic";
}

/// Names of entity attributes (Metadata Extension for Entity Attributes).
pub mod entity_attribute {
    /// The categories that an entity belongs to (RFC 8409).
    pub const CATEGORY: &str = "http://macedir.org/entity-category";
    /// The categories that an identity provider supports (RFC 8409).
    pub const CATEGORY_SUPPORT: &str = "http://macedir.org/entity-category-support";
    /// The certifications of an entity (SAML V2.0 Identity Assurance Profiles).
    pub const ASSURANCE_CERTIFICATION: &str =
        "urn:oasis:names:tc:SAML:attribute:assurance-certification";
    /// The kind of subject identifier that a service requires (saml-subject-id-attr-v1.0 4.1).
    pub const SUBJECT_ID_REQUIREMENT: &str = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
}

/// Values of entity attributes that federations have agreed on.
pub mod entity_category {
    /// REFEDS Research and Scholarship.
    pub const RESEARCH_AND_SCHOLARSHIP: &str =
        "http://refeds.org/category/research-and-scholarship";
    /// GÉANT Data Protection Code of Conduct, version 1.
    pub const CODE_OF_CONDUCT_1: &str =
        "http://www.geant.net/uri/dataprotection-code-of-conduct/v1";
    /// REFEDS Data Protection Code of Conduct, version 2.
    pub const CODE_OF_CONDUCT_2: &str = "https://refeds.org/category/code-of-conduct/v2";
    /// REFEDS Anonymous Access.
    pub const ANONYMOUS: &str = "https://refeds.org/category/anonymous";
    /// REFEDS Pseudonymous Access.
    pub const PSEUDONYMOUS: &str = "https://refeds.org/category/pseudonymous";
    /// REFEDS Personalized Access.
    pub const PERSONALIZED: &str = "https://refeds.org/category/personalized";
    /// REFEDS Hide From Discovery.
    pub const HIDE_FROM_DISCOVERY: &str = "http://refeds.org/category/hide-from-discovery";
    /// Sirtfi version 1, an assurance certification.
    pub const SIRTFI: &str = "https://refeds.org/sirtfi";
    /// Sirtfi version 2, an assurance certification.
    pub const SIRTFI_2: &str = "https://refeds.org/sirtfi2";
}
