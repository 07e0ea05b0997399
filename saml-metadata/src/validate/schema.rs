//! The content models of the schemas: children, their order and number, attributes and text.
//!
//! The models cover metadata, XML Signature, and the extensions whose schemas are published with
//! SAML. If a separate rule requires an element or attribute, such as the `SingleSignOnService` of
//! an identity provider, the model does not require it.

use crate::tree::NamespaceId;

/// The content and the attributes that an element may have.
pub(crate) struct Model {
    /// The slots for children, in the order of the schema.
    pub(crate) slots: &'static [Slot],
    pub(crate) attributes: &'static [Attribute],
    pub(crate) content: Content,
    /// Whether elements of other namespaces may follow the last slot.
    pub(crate) open: bool,
    /// Whether the element may have attributes of other namespaces (`anyAttribute`).
    pub(crate) foreign_attributes: bool,
}

/// The kind of content of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Child elements and no text.
    Elements,
    /// Child elements, at least one, and no text.
    NotEmpty,
    /// Child elements and text.
    Mixed,
    /// Child elements, at least one, and text.
    MixedNotEmpty,
    /// Elements of every namespace, but no text.
    AnyElements,
    /// Every content.
    Any,
    /// Text, and no elements.
    Text,
    /// A URI reference.
    Uri,
    /// Text in base64.
    Base64,
    /// An integer.
    Integer,
}

/// An attribute without a namespace, and its type.
pub(crate) type Attribute = (&'static str, Value);

/// The type of an attribute. Separate rules check the types that are not listed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Text,
    /// A text that must be present.
    Required,
    Boolean,
    /// `xs:positiveInteger`.
    Positive,
    /// `xs:unsignedShort`, which must be present.
    Short,
    /// `xs:unsignedByte`.
    Byte,
}

use Value::{Boolean, Byte, Positive, Required, Short, Text};

/// The largest number of slots in a model.
pub(crate) const MAX_SLOTS: usize = IDP.len();

/// One slot in the sequence of children: the allowed names, and the allowed number of elements.
pub(crate) struct Slot {
    /// Names of metadata elements. A usual prefix such as `ds:` marks an element of another
    /// namespace.
    pub(crate) names: &'static [&'static str],
    pub(crate) required: bool,
    pub(crate) repeats: bool,
}

/// Returns a slot for at most one element.
const fn once(names: &'static [&'static str]) -> Slot {
    Slot {
        names,
        required: false,
        repeats: false,
    }
}

/// Returns a slot for exactly one element.
const fn one(names: &'static [&'static str]) -> Slot {
    Slot {
        required: true,
        ..once(names)
    }
}

/// Returns a slot for any number of elements.
const fn any(names: &'static [&'static str]) -> Slot {
    Slot {
        repeats: true,
        ..once(names)
    }
}

/// Returns a slot for one or more elements.
const fn some(names: &'static [&'static str]) -> Slot {
    Slot {
        required: true,
        ..any(names)
    }
}

const ENTITIES: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["EntityDescriptor", "EntitiesDescriptor"]),
];

const ENTITY: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&[
        "RoleDescriptor",
        "IDPSSODescriptor",
        "SPSSODescriptor",
        "AuthnAuthorityDescriptor",
        "AttributeAuthorityDescriptor",
        "PDPDescriptor",
        "AffiliationDescriptor",
    ]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    any(&["AdditionalMetadataLocation"]),
];

const ROLE: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
];

const IDP: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    any(&["ArtifactResolutionService"]),
    any(&["SingleLogoutService"]),
    any(&["ManageNameIDService"]),
    any(&["NameIDFormat"]),
    any(&["SingleSignOnService"]),
    any(&["NameIDMappingService"]),
    any(&["AssertionIDRequestService"]),
    any(&["AttributeProfile"]),
    any(&["saml:Attribute"]),
];

const SP: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    any(&["ArtifactResolutionService"]),
    any(&["SingleLogoutService"]),
    any(&["ManageNameIDService"]),
    any(&["NameIDFormat"]),
    any(&["AssertionConsumerService"]),
    any(&["AttributeConsumingService"]),
];

const AUTHN_AUTHORITY: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    some(&["AuthnQueryService"]),
    any(&["AssertionIDRequestService"]),
    any(&["NameIDFormat"]),
];

const PDP: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    some(&["AuthzService"]),
    any(&["AssertionIDRequestService"]),
    any(&["NameIDFormat"]),
];

const ATTRIBUTE_AUTHORITY: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["KeyDescriptor"]),
    once(&["Organization"]),
    any(&["ContactPerson"]),
    some(&["AttributeService"]),
    any(&["AssertionIDRequestService"]),
    any(&["NameIDFormat"]),
    any(&["AttributeProfile"]),
    any(&["saml:Attribute"]),
];

const AFFILIATION: &[Slot] = &[
    once(&["ds:Signature"]),
    once(&["Extensions"]),
    any(&["AffiliateMember"]),
    any(&["KeyDescriptor"]),
];

const ORGANIZATION: &[Slot] = &[
    once(&["Extensions"]),
    any(&["OrganizationName"]),
    any(&["OrganizationDisplayName"]),
    any(&["OrganizationURL"]),
];

const CONTACT: &[Slot] = &[
    once(&["Extensions"]),
    once(&["Company"]),
    once(&["GivenName"]),
    once(&["SurName"]),
    any(&["EmailAddress"]),
    any(&["TelephoneNumber"]),
];

const KEY: &[Slot] = &[once(&["ds:KeyInfo"]), any(&["EncryptionMethod"])];

const ATTRIBUTE_SERVICE: &[Slot] = &[
    any(&["ServiceName"]),
    any(&["ServiceDescription"]),
    any(&["RequestedAttribute"]),
];

const ATTRIBUTE: &[Slot] = &[any(&["saml:AttributeValue"])];

const ENCRYPTION_METHOD: &[Slot] = &[once(&["xenc:KeySize"]), once(&["xenc:OAEPparams"])];

const KEY_INFO: &[Slot] = &[any(&[
    "ds:X509Data",
    "ds:KeyName",
    "ds:KeyValue",
    "ds:RetrievalMethod",
    "ds:PGPData",
    "ds:SPKIData",
    "ds:MgmtData",
])];

const X509_DATA: &[Slot] = &[any(&[
    "ds:X509Certificate",
    "ds:X509IssuerSerial",
    "ds:X509SKI",
    "ds:X509SubjectName",
    "ds:X509CRL",
])];

const ISSUER_SERIAL: &[Slot] = &[one(&["ds:X509IssuerName"]), one(&["ds:X509SerialNumber"])];

const KEY_VALUE: &[Slot] = &[once(&["ds:RSAKeyValue", "ds:DSAKeyValue"])];

const RSA_KEY: &[Slot] = &[one(&["ds:Modulus"]), one(&["ds:Exponent"])];

const DSA_KEY: &[Slot] = &[
    once(&["ds:P"]),
    once(&["ds:Q"]),
    once(&["ds:G"]),
    one(&["ds:Y"]),
    once(&["ds:J"]),
    once(&["ds:Seed"]),
    once(&["ds:PgenCounter"]),
];

const SIGNATURE: &[Slot] = &[
    one(&["ds:SignedInfo"]),
    one(&["ds:SignatureValue"]),
    once(&["ds:KeyInfo"]),
    any(&["ds:Object"]),
];

const SIGNED_INFO: &[Slot] = &[
    one(&["ds:CanonicalizationMethod"]),
    one(&["ds:SignatureMethod"]),
    some(&["ds:Reference"]),
];

const REFERENCE: &[Slot] = &[
    once(&["ds:Transforms"]),
    one(&["ds:DigestMethod"]),
    one(&["ds:DigestValue"]),
];

const TRANSFORMS: &[Slot] = &[some(&["ds:Transform"])];

const TRANSFORMS_ONLY: &[Slot] = &[once(&["ds:Transforms"])];

const HMAC: &[Slot] = &[once(&["ds:HMACOutputLength"])];

const XPATH: &[Slot] = &[any(&["ds:XPath"])];

const UI_INFO: &[Slot] = &[any(&[
    "mdui:DisplayName",
    "mdui:Description",
    "mdui:Keywords",
    "mdui:Logo",
    "mdui:InformationURL",
    "mdui:PrivacyStatementURL",
])];

const DISCO_HINTS: &[Slot] = &[any(&[
    "mdui:IPHint",
    "mdui:DomainHint",
    "mdui:GeolocationHint",
])];

const ENTITY_ATTRIBUTES: &[Slot] = &[any(&["saml:Attribute", "saml:Assertion"])];

const REGISTRATION_INFO: &[Slot] = &[any(&["mdrpi:RegistrationPolicy"])];

const PUBLICATION_INFO: &[Slot] = &[any(&["mdrpi:UsagePolicy"])];

const PUBLICATION_PATH: &[Slot] = &[any(&["mdrpi:Publication"])];

const KEY_AUTHORITY: &[Slot] = &[some(&["ds:KeyInfo"])];

const WS_FEDERATION_ENDPOINT: &[Slot] = &[some(&["wsa:EndpointReference"])];

const ENDPOINT_REFERENCE: &[Slot] = &[
    one(&["wsa:Address"]),
    once(&["wsa:ReferenceParameters"]),
    once(&["wsa:Metadata"]),
];

const ROLE_ATTRIBUTES: &[Attribute] = &[
    ("ID", Text),
    ("validUntil", Text),
    ("cacheDuration", Text),
    ("protocolSupportEnumeration", Text),
    ("errorURL", Text),
];

const ID: &[Attribute] = &[("Id", Text)];

const ALGORITHM: &[Attribute] = &[("Algorithm", Required)];

const fn sequence(slots: &'static [Slot], attributes: &'static [Attribute]) -> Model {
    Model {
        slots,
        attributes,
        content: Content::Elements,
        open: false,
        foreign_attributes: false,
    }
}

/// Returns a model whose type has `anyAttribute`.
const fn extensible(slots: &'static [Slot], attributes: &'static [Attribute]) -> Model {
    Model {
        foreign_attributes: true,
        ..sequence(slots, attributes)
    }
}

const fn with(content: Content, attributes: &'static [Attribute]) -> Model {
    Model {
        content,
        ..sequence(&[], attributes)
    }
}

const fn endpoint(attributes: &'static [Attribute]) -> Model {
    Model {
        open: true,
        ..extensible(&[], attributes)
    }
}

const TEXT: Model = with(Content::Text, &[]);
const URI: Model = with(Content::Uri, &[]);
const BASE64: Model = with(Content::Base64, &[]);

/// An extension with the type of an endpoint, which no rule about endpoints checks for attributes.
const EXTENSION_ENDPOINT: Model = endpoint(&[
    ("Binding", Required),
    ("Location", Required),
    ("ResponseLocation", Text),
]);

/// Returns the content model of an element; `None` if there is no such element in the schemas.
pub(crate) fn model(namespace: NamespaceId, local_name: &str) -> Option<Model> {
    match namespace {
        NamespaceId::METADATA => of(local_name),
        NamespaceId::SIGNATURE => signature(local_name),
        NamespaceId::ASSERTION => assertion(local_name),
        NamespaceId::ENCRYPTION => match local_name {
            "KeySize" => Some(with(Content::Integer, &[])),
            "OAEPparams" => Some(BASE64),
            _ => None,
        },
        _ => extension(namespace, local_name),
    }
}

/// Returns the content model of a metadata element; `None` if there is no such element.
pub(crate) fn of(local_name: &str) -> Option<Model> {
    Some(match local_name {
        "EntitiesDescriptor" => sequence(
            ENTITIES,
            &[
                ("ID", Text),
                ("validUntil", Text),
                ("cacheDuration", Text),
                ("Name", Text),
            ],
        ),
        "EntityDescriptor" => extensible(
            ENTITY,
            &[
                ("ID", Text),
                ("validUntil", Text),
                ("cacheDuration", Text),
                ("entityID", Text),
            ],
        ),
        "RoleDescriptor" => Model {
            open: true,
            ..extensible(ROLE, ROLE_ATTRIBUTES)
        },
        "IDPSSODescriptor" => extensible(
            IDP,
            &[
                ("ID", Text),
                ("validUntil", Text),
                ("cacheDuration", Text),
                ("protocolSupportEnumeration", Text),
                ("errorURL", Text),
                ("WantAuthnRequestsSigned", Boolean),
            ],
        ),
        "SPSSODescriptor" => extensible(
            SP,
            &[
                ("ID", Text),
                ("validUntil", Text),
                ("cacheDuration", Text),
                ("protocolSupportEnumeration", Text),
                ("errorURL", Text),
                ("AuthnRequestsSigned", Boolean),
                ("WantAssertionsSigned", Boolean),
            ],
        ),
        "AuthnAuthorityDescriptor" => extensible(AUTHN_AUTHORITY, ROLE_ATTRIBUTES),
        "PDPDescriptor" => extensible(PDP, ROLE_ATTRIBUTES),
        "AttributeAuthorityDescriptor" => extensible(ATTRIBUTE_AUTHORITY, ROLE_ATTRIBUTES),
        "AffiliationDescriptor" => extensible(
            AFFILIATION,
            &[
                ("ID", Text),
                ("validUntil", Text),
                ("cacheDuration", Text),
                ("affiliationOwnerID", Text),
            ],
        ),
        "Organization" => extensible(ORGANIZATION, &[]),
        "ContactPerson" => extensible(CONTACT, &[("contactType", Text)]),
        _ => return part(local_name),
    })
}

/// Returns the content model of a metadata element that is not a descriptor of an entity or role.
fn part(local_name: &str) -> Option<Model> {
    Some(match local_name {
        "KeyDescriptor" => sequence(KEY, &[("use", Text)]),
        "EncryptionMethod" => Model {
            content: Content::Mixed,
            open: true,
            ..sequence(ENCRYPTION_METHOD, ALGORITHM)
        },
        "AttributeConsumingService" => sequence(
            ATTRIBUTE_SERVICE,
            &[("index", Text), ("isDefault", Boolean)],
        ),
        "RequestedAttribute" => extensible(
            ATTRIBUTE,
            &[
                ("Name", Text),
                ("NameFormat", Text),
                ("FriendlyName", Text),
                ("isRequired", Boolean),
            ],
        ),
        "SingleLogoutService"
        | "ManageNameIDService"
        | "SingleSignOnService"
        | "NameIDMappingService"
        | "AssertionIDRequestService"
        | "AuthnQueryService"
        | "AuthzService"
        | "AttributeService" => endpoint(&[
            ("Binding", Text),
            ("Location", Text),
            ("ResponseLocation", Text),
        ]),
        "ArtifactResolutionService" | "AssertionConsumerService" => endpoint(&[
            ("Binding", Text),
            ("Location", Text),
            ("ResponseLocation", Text),
            ("index", Text),
            ("isDefault", Boolean),
        ]),
        // Separate rules check the content of `Extensions`.
        "Extensions" => Model {
            open: true,
            ..sequence(&[], &[])
        },
        "OrganizationName"
        | "OrganizationDisplayName"
        | "Company"
        | "GivenName"
        | "SurName"
        | "TelephoneNumber"
        | "ServiceName"
        | "ServiceDescription" => TEXT,
        "OrganizationURL" | "EmailAddress" | "NameIDFormat" | "AttributeProfile"
        | "AffiliateMember" => URI,
        "AdditionalMetadataLocation" => with(Content::Uri, &[("namespace", Text)]),
        _ => return None,
    })
}

/// Returns the content model of an element of XML Signature.
fn signature(local_name: &str) -> Option<Model> {
    Some(match local_name {
        "X509Certificate" => {
            // The rules about keys check the text.
            TEXT
        }
        "X509Data" => Model {
            open: true,
            content: Content::NotEmpty,
            ..sequence(X509_DATA, &[])
        },
        "KeyInfo" => Model {
            open: true,
            content: Content::MixedNotEmpty,
            ..sequence(KEY_INFO, ID)
        },
        "KeyName" | "MgmtData" | "X509SubjectName" | "X509IssuerName" => TEXT,
        "X509SKI" | "X509CRL" | "DigestValue" | "Modulus" | "Exponent" | "P" | "Q" | "G" | "Y"
        | "J" | "Seed" | "PgenCounter" => BASE64,
        "X509SerialNumber" => with(Content::Integer, &[]),
        "X509IssuerSerial" => sequence(ISSUER_SERIAL, &[]),
        "KeyValue" => Model {
            open: true,
            content: Content::MixedNotEmpty,
            ..sequence(KEY_VALUE, &[])
        },
        "RSAKeyValue" => sequence(RSA_KEY, &[]),
        "DSAKeyValue" => sequence(DSA_KEY, &[]),
        "RetrievalMethod" => sequence(TRANSFORMS_ONLY, &[("URI", Text), ("Type", Text)]),
        "Signature" => sequence(SIGNATURE, ID),
        "SignedInfo" => sequence(SIGNED_INFO, ID),
        "SignatureValue" => with(Content::Base64, ID),
        "Reference" => sequence(REFERENCE, &[("Id", Text), ("URI", Text), ("Type", Text)]),
        "Transforms" => sequence(TRANSFORMS, &[]),
        "CanonicalizationMethod" => with(Content::Any, ALGORITHM),
        "SignatureMethod" => Model {
            open: true,
            content: Content::Mixed,
            ..sequence(HMAC, ALGORITHM)
        },
        "Transform" => Model {
            open: true,
            content: Content::Mixed,
            ..sequence(XPATH, ALGORITHM)
        },
        "DigestMethod" => Model {
            open: true,
            content: Content::Mixed,
            ..sequence(&[], ALGORITHM)
        },
        "Object" => with(
            Content::Any,
            &[("Id", Text), ("MimeType", Text), ("Encoding", Text)],
        ),
        _ => return None,
    })
}

fn assertion(local_name: &str) -> Option<Model> {
    match local_name {
        "Attribute" => Some(extensible(
            ATTRIBUTE,
            &[
                ("Name", Required),
                ("NameFormat", Text),
                ("FriendlyName", Text),
            ],
        )),
        _ => None,
    }
}

/// Returns the content model of a known extension, or of an element inside it.
fn extension(namespace: NamespaceId, local_name: &str) -> Option<Model> {
    Some(match (namespace, local_name) {
        (NamespaceId::ALGORITHM, "DigestMethod") => with(Content::AnyElements, ALGORITHM),
        (NamespaceId::ALGORITHM, "SigningMethod") => with(
            Content::AnyElements,
            &[
                ("Algorithm", Required),
                ("MinKeySize", Positive),
                ("MaxKeySize", Positive),
            ],
        ),
        (NamespaceId::UI, "UIInfo") => Model {
            open: true,
            ..sequence(UI_INFO, &[])
        },
        (NamespaceId::UI, "DiscoHints") => Model {
            open: true,
            ..sequence(DISCO_HINTS, &[])
        },
        (NamespaceId::UI, "Logo") => with(Content::Uri, &[("height", Text), ("width", Text)]),
        (NamespaceId::UI, "DisplayName" | "Description" | "Keywords" | "IPHint" | "DomainHint") => {
            TEXT
        }
        (NamespaceId::UI, "InformationURL" | "PrivacyStatementURL" | "GeolocationHint")
        | (NamespaceId::REGISTRATION, "RegistrationPolicy" | "UsagePolicy") => URI,
        (NamespaceId::REGISTRATION, "RegistrationInfo") => Model {
            open: true,
            ..extensible(
                REGISTRATION_INFO,
                &[
                    ("registrationAuthority", Text),
                    ("registrationInstant", Text),
                ],
            )
        },
        (NamespaceId::REGISTRATION, "PublicationInfo") => Model {
            open: true,
            ..extensible(
                PUBLICATION_INFO,
                &[
                    ("publisher", Text),
                    ("creationInstant", Text),
                    ("publicationId", Text),
                ],
            )
        },
        (NamespaceId::REGISTRATION, "PublicationPath") => sequence(PUBLICATION_PATH, &[]),
        (NamespaceId::REGISTRATION, "Publication") => sequence(
            &[],
            &[
                ("publisher", Required),
                ("creationInstant", Text),
                ("publicationId", Text),
            ],
        ),
        // The rules about entity attributes check the children.
        (NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes") => Model {
            content: Content::NotEmpty,
            ..sequence(ENTITY_ATTRIBUTES, &[])
        },
        (NamespaceId::SHIBBOLETH, "Scope") => with(Content::Text, &[("regexp", Text)]),
        (NamespaceId::SHIBBOLETH, "KeyAuthority") => {
            extensible(KEY_AUTHORITY, &[("VerifyDepth", Byte)])
        }
        (NamespaceId::DISCOVERY, "DiscoveryResponse") => endpoint(&[
            ("Binding", Required),
            ("Location", Required),
            ("ResponseLocation", Text),
            ("index", Short),
            ("isDefault", Boolean),
        ]),
        (NamespaceId::REQUEST_INITIATION, "RequestInitiator") => EXTENSION_ENDPOINT,
        (NamespaceId::WS_FEDERATION, name)
            if name.ends_with("Endpoint") || name == "TargetScopes" =>
        {
            sequence(WS_FEDERATION_ENDPOINT, &[])
        }
        (NamespaceId::WS_ADDRESSING, "EndpointReference") => Model {
            open: true,
            ..extensible(ENDPOINT_REFERENCE, &[])
        },
        (NamespaceId::WS_ADDRESSING, "Address") => Model {
            foreign_attributes: true,
            ..URI
        },
        _ => return None,
    })
}
