//! The content models of the schemas: children, their order and number, attributes and text.
//!
//! The models cover metadata, XML Signature, and the extensions whose schemas are published with
//! SAML. If a separate rule requires an element or attribute, such as the `SingleSignOnService` of
//! an identity provider, the model does not require it.

mod extension;

use std::sync::LazyLock;

use self::extension::{extension, signature};
use crate::{Element, local_name::LocalName, tree::NamespaceId};

/// The content and the attributes that an element may have.
#[derive(Clone, Copy)]
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
pub(crate) type Attribute = (LocalName, Value);

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

use Value::{Boolean, Required, Text};

/// The largest number of slots in a model.
pub(crate) const MAX_SLOTS: usize = IDP.len();

/// One slot in the sequence of children: the allowed names, and the allowed number of elements.
pub(crate) struct Slot {
    /// Names of metadata elements. A usual prefix such as `ds:` marks an element of another
    /// namespace.
    pub(crate) names: &'static [&'static str],
    /// The names as numbers; the entries after them are unused.
    elements: [ElementNumber; MAX_NAMES],
    pub(crate) required: bool,
    pub(crate) repeats: bool,
}

/// The largest number of names in a slot.
const MAX_NAMES: usize = 7;

impl Slot {
    /// Returns whether an element may be in this slot.
    pub(crate) fn takes(&self, element: ElementNumber) -> bool {
        self.elements[..self.names.len()].contains(&element)
    }
}

/// The namespace and the local name of an element as one number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementNumber(u64);

impl ElementNumber {
    /// Returns the number of an element, or `None` if no slot has its name.
    pub(crate) fn of(element: Element<'_>) -> Option<Self> {
        let name = element.local_name_number();
        (name != LocalName::OTHER).then(|| Self::new(element.namespace_id(), name))
    }

    const fn new(namespace: NamespaceId, name: LocalName) -> Self {
        Self(((namespace.0 as u64) << 32) | name.index() as u64)
    }
}

/// Returns names as numbers.
const fn elements(names: &[&str]) -> [ElementNumber; MAX_NAMES] {
    let mut elements = [ElementNumber(0); MAX_NAMES];
    let mut at = 0;
    while at < names.len() {
        let (namespace, prefix) = match names[at].as_bytes() {
            [b'd', b's', b':', ..] => (NamespaceId::SIGNATURE, 3),
            [b's', b'a', b'm', b'l', b':', ..] => (NamespaceId::ASSERTION, 5),
            [b'x', b'e', b'n', b'c', b':', ..] => (NamespaceId::ENCRYPTION, 5),
            [b'm', b'd', b'u', b'i', b':', ..] => (NamespaceId::UI, 5),
            [b'm', b'd', b'r', b'p', b'i', b':', ..] => (NamespaceId::REGISTRATION, 6),
            [b'w', b's', b'a', b':', ..] => (NamespaceId::WS_ADDRESSING, 4),
            _ => (NamespaceId::METADATA, 0),
        };
        let local_name = LocalName::known(names[at].split_at(prefix).1);
        elements[at] = ElementNumber::new(namespace, local_name);
        at += 1;
    }
    elements
}

/// Returns a slot for at most one element.
const fn once(names: &'static [&'static str]) -> Slot {
    Slot {
        names,
        elements: elements(names),
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

const SIGNATURE: &[Slot] = &[
    one(&["ds:SignedInfo"]),
    one(&["ds:SignatureValue"]),
    once(&["ds:KeyInfo"]),
    any(&["ds:Object"]),
];

const ROLE_ATTRIBUTES: &[Attribute] = &[
    (name!("ID"), Text),
    (name!("validUntil"), Text),
    (name!("cacheDuration"), Text),
    (name!("protocolSupportEnumeration"), Text),
    (name!("errorURL"), Text),
];

const ID: &[Attribute] = &[(name!("Id"), Text)];

const ALGORITHM: &[Attribute] = &[(name!("Algorithm"), Required)];

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

/// The models of the elements of metadata by the number of their names.
static METADATA: LazyLock<Vec<Option<Model>>> = LazyLock::new(|| by_number(of));

/// The models of the elements of XML Signature by the number of their names.
static XML_SIGNATURE: LazyLock<Vec<Option<Model>>> = LazyLock::new(|| by_number(signature));

fn by_number(model: impl Fn(&str) -> Option<Model>) -> Vec<Option<Model>> {
    LocalName::all().map(|name| model(name.as_str())).collect()
}

/// Returns the content model of an element; `None` if there is no such element in the schemas.
pub(crate) fn model_of(element: Element<'_>) -> Option<Model> {
    let number = element.local_name_number();
    match element.namespace_id() {
        NamespaceId::METADATA if number != LocalName::OTHER => METADATA[number.index()],
        NamespaceId::SIGNATURE if number != LocalName::OTHER => XML_SIGNATURE[number.index()],
        namespace => model(namespace, element.local_name()),
    }
}

/// Returns the content model of a name; `None` if there is no such element in the schemas.
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
                (name!("ID"), Text),
                (name!("validUntil"), Text),
                (name!("cacheDuration"), Text),
                (name!("Name"), Text),
            ],
        ),
        "EntityDescriptor" => extensible(
            ENTITY,
            &[
                (name!("ID"), Text),
                (name!("validUntil"), Text),
                (name!("cacheDuration"), Text),
                (name!("entityID"), Text),
            ],
        ),
        "RoleDescriptor" => Model {
            open: true,
            ..extensible(ROLE, ROLE_ATTRIBUTES)
        },
        "IDPSSODescriptor" => extensible(
            IDP,
            &[
                (name!("ID"), Text),
                (name!("validUntil"), Text),
                (name!("cacheDuration"), Text),
                (name!("protocolSupportEnumeration"), Text),
                (name!("errorURL"), Text),
                (name!("WantAuthnRequestsSigned"), Boolean),
            ],
        ),
        "SPSSODescriptor" => extensible(
            SP,
            &[
                (name!("ID"), Text),
                (name!("validUntil"), Text),
                (name!("cacheDuration"), Text),
                (name!("protocolSupportEnumeration"), Text),
                (name!("errorURL"), Text),
                (name!("AuthnRequestsSigned"), Boolean),
                (name!("WantAssertionsSigned"), Boolean),
            ],
        ),
        "AuthnAuthorityDescriptor" => extensible(AUTHN_AUTHORITY, ROLE_ATTRIBUTES),
        "PDPDescriptor" => extensible(PDP, ROLE_ATTRIBUTES),
        "AttributeAuthorityDescriptor" => extensible(ATTRIBUTE_AUTHORITY, ROLE_ATTRIBUTES),
        "AffiliationDescriptor" => extensible(
            AFFILIATION,
            &[
                (name!("ID"), Text),
                (name!("validUntil"), Text),
                (name!("cacheDuration"), Text),
                (name!("affiliationOwnerID"), Text),
            ],
        ),
        "Organization" => extensible(ORGANIZATION, &[]),
        "ContactPerson" => extensible(CONTACT, &[(name!("contactType"), Text)]),
        _ => return part(local_name),
    })
}

/// Returns the content model of a metadata element that is not a descriptor of an entity or role.
fn part(local_name: &str) -> Option<Model> {
    Some(match local_name {
        "KeyDescriptor" => sequence(KEY, &[(name!("use"), Text)]),
        "EncryptionMethod" => Model {
            content: Content::Mixed,
            open: true,
            ..sequence(ENCRYPTION_METHOD, ALGORITHM)
        },
        "AttributeConsumingService" => sequence(
            ATTRIBUTE_SERVICE,
            &[(name!("index"), Text), (name!("isDefault"), Boolean)],
        ),
        "RequestedAttribute" => extensible(
            ATTRIBUTE,
            &[
                (name!("Name"), Text),
                (name!("NameFormat"), Text),
                (name!("FriendlyName"), Text),
                (name!("isRequired"), Boolean),
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
            (name!("Binding"), Text),
            (name!("Location"), Text),
            (name!("ResponseLocation"), Text),
        ]),
        "ArtifactResolutionService" | "AssertionConsumerService" => endpoint(&[
            (name!("Binding"), Text),
            (name!("Location"), Text),
            (name!("ResponseLocation"), Text),
            (name!("index"), Text),
            (name!("isDefault"), Boolean),
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
        "AdditionalMetadataLocation" => with(Content::Uri, &[(name!("namespace"), Text)]),
        _ => return None,
    })
}

fn assertion(local_name: &str) -> Option<Model> {
    match local_name {
        "Attribute" => Some(extensible(
            ATTRIBUTE,
            &[
                (name!("Name"), Required),
                (name!("NameFormat"), Text),
                (name!("FriendlyName"), Text),
            ],
        )),
        _ => None,
    }
}
