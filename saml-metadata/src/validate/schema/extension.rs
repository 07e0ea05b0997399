//! The content models of XML Signature and of the extensions.

use super::{
    ALGORITHM, BASE64, Content, ID, Model, SIGNATURE, Slot, TEXT, URI,
    Value::{Boolean, Byte, Positive, Required, Short, Text},
    any, endpoint, extensible, once, one, sequence, some, with,
};
use crate::tree::NamespaceId;

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

/// An extension with the type of an endpoint, which no rule about endpoints checks for attributes.
const EXTENSION_ENDPOINT: Model = endpoint(&[
    (name!("Binding"), Required),
    (name!("Location"), Required),
    (name!("ResponseLocation"), Text),
]);

/// Returns the content model of an element of XML Signature.
pub(super) fn signature(local_name: &str) -> Option<Model> {
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
        "RetrievalMethod" => sequence(
            TRANSFORMS_ONLY,
            &[(name!("URI"), Text), (name!("Type"), Text)],
        ),
        "Signature" => sequence(SIGNATURE, ID),
        "SignedInfo" => sequence(SIGNED_INFO, ID),
        "SignatureValue" => with(Content::Base64, ID),
        "Reference" => sequence(
            REFERENCE,
            &[
                (name!("Id"), Text),
                (name!("URI"), Text),
                (name!("Type"), Text),
            ],
        ),
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
            &[
                (name!("Id"), Text),
                (name!("MimeType"), Text),
                (name!("Encoding"), Text),
            ],
        ),
        _ => return None,
    })
}

/// Returns the content model of a known extension, or of an element inside it.
pub(super) fn extension(namespace: NamespaceId, local_name: &str) -> Option<Model> {
    Some(match (namespace, local_name) {
        (NamespaceId::ALGORITHM, "DigestMethod") => with(Content::AnyElements, ALGORITHM),
        (NamespaceId::ALGORITHM, "SigningMethod") => with(
            Content::AnyElements,
            &[
                (name!("Algorithm"), Required),
                (name!("MinKeySize"), Positive),
                (name!("MaxKeySize"), Positive),
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
        (NamespaceId::UI, "Logo") => with(
            Content::Uri,
            &[(name!("height"), Text), (name!("width"), Text)],
        ),
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
                    (name!("registrationAuthority"), Text),
                    (name!("registrationInstant"), Text),
                ],
            )
        },
        (NamespaceId::REGISTRATION, "PublicationInfo") => Model {
            open: true,
            ..extensible(
                PUBLICATION_INFO,
                &[
                    (name!("publisher"), Text),
                    (name!("creationInstant"), Text),
                    (name!("publicationId"), Text),
                ],
            )
        },
        (NamespaceId::REGISTRATION, "PublicationPath") => sequence(PUBLICATION_PATH, &[]),
        (NamespaceId::REGISTRATION, "Publication") => sequence(
            &[],
            &[
                (name!("publisher"), Required),
                (name!("creationInstant"), Text),
                (name!("publicationId"), Text),
            ],
        ),
        // The rules about entity attributes check the children.
        (NamespaceId::ENTITY_ATTRIBUTES, "EntityAttributes") => Model {
            content: Content::NotEmpty,
            ..sequence(ENTITY_ATTRIBUTES, &[])
        },
        (NamespaceId::SHIBBOLETH, "Scope") => with(Content::Text, &[(name!("regexp"), Text)]),
        (NamespaceId::SHIBBOLETH, "KeyAuthority") => {
            extensible(KEY_AUTHORITY, &[(name!("VerifyDepth"), Byte)])
        }
        (NamespaceId::DISCOVERY, "DiscoveryResponse") => endpoint(&[
            (name!("Binding"), Required),
            (name!("Location"), Required),
            (name!("ResponseLocation"), Text),
            (name!("index"), Short),
            (name!("isDefault"), Boolean),
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
