//! The content models of the metadata schema: children, their order and their number.
//!
//! If a separate rule requires an element, such as the `SingleSignOnService` of an identity
//! provider, the model does not require it.

/// The content that an element may have.
pub(crate) struct Model {
    /// The slots for children, in the order of the schema.
    pub(crate) slots: &'static [Slot],
    pub(crate) attributes: &'static [&'static str],
    /// Whether the element contains text instead of elements.
    pub(crate) text: bool,
    /// Whether elements of other namespaces may follow the last slot.
    pub(crate) open: bool,
}

/// The largest number of slots in a model.
pub(crate) const MAX_SLOTS: usize = IDP.len();

/// One slot in the sequence of children: the allowed names, and the allowed number of elements.
pub(crate) struct Slot {
    /// Names of metadata elements. The prefixes `ds:` and `saml:` mark elements of the other two
    /// namespaces.
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

const REQUESTED_ATTRIBUTE: &[Slot] = &[any(&["saml:AttributeValue"])];

const ROLE_ATTRIBUTES: &[&str] = &[
    "ID",
    "validUntil",
    "cacheDuration",
    "protocolSupportEnumeration",
    "errorURL",
];

/// Returns the content model of a metadata element; `None` if there is no such element.
pub(crate) fn of(local_name: &str) -> Option<Model> {
    let text = |attributes| Model {
        slots: &[],
        attributes,
        text: true,
        open: false,
    };
    let sequence = |slots, attributes| Model {
        slots,
        attributes,
        text: false,
        open: false,
    };
    let endpoint = |attributes| Model {
        slots: &[],
        attributes,
        text: false,
        open: true,
    };
    Some(match local_name {
        "EntitiesDescriptor" => sequence(ENTITIES, &["ID", "validUntil", "cacheDuration", "Name"]),
        "EntityDescriptor" => sequence(ENTITY, &["ID", "validUntil", "cacheDuration", "entityID"]),
        "RoleDescriptor" => Model {
            open: true,
            ..sequence(ROLE, ROLE_ATTRIBUTES)
        },
        "IDPSSODescriptor" => sequence(
            IDP,
            &[
                "ID",
                "validUntil",
                "cacheDuration",
                "protocolSupportEnumeration",
                "errorURL",
                "WantAuthnRequestsSigned",
            ],
        ),
        "SPSSODescriptor" => sequence(
            SP,
            &[
                "ID",
                "validUntil",
                "cacheDuration",
                "protocolSupportEnumeration",
                "errorURL",
                "AuthnRequestsSigned",
                "WantAssertionsSigned",
            ],
        ),
        "AuthnAuthorityDescriptor" => sequence(AUTHN_AUTHORITY, ROLE_ATTRIBUTES),
        "PDPDescriptor" => sequence(PDP, ROLE_ATTRIBUTES),
        "AttributeAuthorityDescriptor" => sequence(ATTRIBUTE_AUTHORITY, ROLE_ATTRIBUTES),
        "AffiliationDescriptor" => sequence(
            AFFILIATION,
            &["ID", "validUntil", "cacheDuration", "affiliationOwnerID"],
        ),
        "Organization" => sequence(ORGANIZATION, &[]),
        "ContactPerson" => sequence(CONTACT, &["contactType"]),
        "KeyDescriptor" => sequence(KEY, &["use"]),
        "EncryptionMethod" => endpoint(&["Algorithm"]),
        "AttributeConsumingService" => sequence(ATTRIBUTE_SERVICE, &["index", "isDefault"]),
        "RequestedAttribute" => sequence(
            REQUESTED_ATTRIBUTE,
            &["Name", "NameFormat", "FriendlyName", "isRequired"],
        ),
        "SingleLogoutService"
        | "ManageNameIDService"
        | "SingleSignOnService"
        | "NameIDMappingService"
        | "AssertionIDRequestService"
        | "AuthnQueryService"
        | "AuthzService"
        | "AttributeService" => endpoint(&["Binding", "Location", "ResponseLocation"]),
        "ArtifactResolutionService" | "AssertionConsumerService" => endpoint(&[
            "Binding",
            "Location",
            "ResponseLocation",
            "index",
            "isDefault",
        ]),
        // Separate rules check the content of `Extensions`.
        "Extensions" => endpoint(&[]),
        "OrganizationName"
        | "OrganizationDisplayName"
        | "OrganizationURL"
        | "Company"
        | "GivenName"
        | "SurName"
        | "EmailAddress"
        | "TelephoneNumber"
        | "NameIDFormat"
        | "AttributeProfile"
        | "ServiceName"
        | "ServiceDescription"
        | "AffiliateMember" => text(&[]),
        "AdditionalMetadataLocation" => text(&["namespace"]),
        _ => return None,
    })
}
