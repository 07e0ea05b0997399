//! The local names of the schemas as numbers, which are faster to compare than texts.

use crate::tree::same;

/// The number of a local name of [`NAMES`], or [`LocalName::OTHER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalName(u8);

/// Returns the number of a local name at compile time.
macro_rules! name {
    ($name:expr) => {
        const { $crate::local_name::LocalName::known($name) }
    };
}

/// Returns a set of local names at compile time.
macro_rules! names {
    ($($name:literal),+ $(,)?) => {
        const { $crate::local_name::LocalNames::known(&[$($name),+]) }
    };
}

/// A set of local names of the table, one bit per name.
#[derive(Clone, Copy)]
pub(crate) struct LocalNames([u64; NAMES.len().div_ceil(64)]);

impl LocalNames {
    /// Returns the set of these names of the table, at compile time.
    pub(crate) const fn known(names: &[&str]) -> Self {
        let mut bits = [0; NAMES.len().div_ceil(64)];
        let mut at = 0;
        while at < names.len() {
            let number = LocalName::known(names[at]).index();
            bits[number / 64] |= 1 << (number % 64);
            at += 1;
        }
        Self(bits)
    }

    /// Returns whether the set has a name.
    pub(crate) fn contains(self, name: LocalName) -> bool {
        self.0[name.index() / 64] >> (name.index() % 64) & 1 == 1
    }
}

impl LocalName {
    /// Any name that the table does not have.
    pub(crate) const OTHER: Self = Self(0);

    /// Returns the number of a name of the table, at compile time.
    pub(crate) const fn known(name: &str) -> Self {
        let mut at = hash(name.as_bytes());
        while TABLE[at] != 0 {
            if same(NAMES[TABLE[at] as usize].as_bytes(), name.as_bytes()) {
                return Self(TABLE[at]);
            }
            at = (at + 1) % TABLE.len();
        }
        panic!("the name is missing from the table of local names");
    }

    /// Returns the number of a name.
    pub(crate) fn of(name: &str) -> Self {
        let mut at = hash(name.as_bytes());
        while TABLE[at] != 0 {
            if NAMES[TABLE[at] as usize] == name {
                return Self(TABLE[at]);
            }
            at = (at + 1) % TABLE.len();
        }
        Self::OTHER
    }

    /// Returns the name; empty if the table does not have it.
    pub(crate) fn as_str(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    /// Returns all names in the order of their numbers, first [`OTHER`](Self::OTHER).
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self).take(NAMES.len())
    }

    /// Returns the number, as an index of a list of all names.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Numbers of names, each at the hash of the name or at the next free place. 0 is free.
static TABLE: [u8; 512] = table();

const fn table() -> [u8; 512] {
    let mut table = [0; 512];
    let mut number = 1;
    while number < NAMES.len() {
        let mut at = hash(NAMES[number].as_bytes());
        while table[at] != 0 {
            at = (at + 1) % table.len();
        }
        #[expect(clippy::cast_possible_truncation, reason = "the table is short")]
        let small = number as u8;
        table[at] = small;
        number += 1;
    }
    table
}

/// A hash of a few bytes. The factors leave few names of the table with the same hash.
const fn hash(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    (name.len() * 7
        + name[0] as usize * 8
        + name[name.len() - 1] as usize * 55
        + name[name.len() / 2] as usize * 28)
        % 512
}

/// The local names of elements and attributes that the rules and the schemas contain. The first entry stands for all
/// other names.
static NAMES: [&str; 157] = [
    "",
    "AdditionalMetadataLocation",
    "Address",
    "AffiliateMember",
    "AffiliationDescriptor",
    "Algorithm",
    "ArtifactResolutionService",
    "Assertion",
    "AssertionConsumerService",
    "AssertionIDRequestService",
    "Attribute",
    "AttributeAuthorityDescriptor",
    "AttributeConsumingService",
    "AttributeProfile",
    "AttributeService",
    "AttributeValue",
    "AuthnAuthorityDescriptor",
    "AuthnQueryService",
    "AuthnRequestsSigned",
    "AuthzService",
    "Binding",
    "CanonicalizationMethod",
    "Company",
    "ContactPerson",
    "DEREncodedKeyValue",
    "DSAKeyValue",
    "Description",
    "DigestMethod",
    "DigestValue",
    "DiscoHints",
    "DiscoveryResponse",
    "DisplayName",
    "DomainHint",
    "EmailAddress",
    "Encoding",
    "EncryptionMethod",
    "EndpointReference",
    "EntitiesDescriptor",
    "EntityAttributes",
    "EntityDescriptor",
    "Exponent",
    "Extensions",
    "FriendlyName",
    "G",
    "GeolocationHint",
    "GivenName",
    "HMACOutputLength",
    "ID",
    "IDPSSODescriptor",
    "IPHint",
    "Id",
    "InformationURL",
    "Issuer",
    "J",
    "KeyAuthority",
    "KeyDescriptor",
    "KeyInfo",
    "KeyName",
    "KeySize",
    "KeyValue",
    "Keywords",
    "Location",
    "Logo",
    "ManageNameIDService",
    "MaxKeySize",
    "Metadata",
    "MgmtData",
    "MimeType",
    "MinKeySize",
    "Modulus",
    "Name",
    "NameFormat",
    "NameIDFormat",
    "NameIDMappingService",
    "OAEPparams",
    "Object",
    "Organization",
    "OrganizationDisplayName",
    "OrganizationName",
    "OrganizationURL",
    "P",
    "PDPDescriptor",
    "PGPData",
    "PgenCounter",
    "PrefixList",
    "PrivacyStatementURL",
    "Publication",
    "PublicationInfo",
    "PublicationPath",
    "Q",
    "RSAKeyValue",
    "Reference",
    "ReferenceParameters",
    "RegistrationInfo",
    "RegistrationPolicy",
    "RequestInitiator",
    "RequestedAttribute",
    "ResponseLocation",
    "RetrievalMethod",
    "RoleDescriptor",
    "SPKIData",
    "SPSSODescriptor",
    "Scope",
    "Seed",
    "ServiceDescription",
    "ServiceName",
    "Signature",
    "SignatureMethod",
    "SignatureValue",
    "SignedInfo",
    "SigningMethod",
    "SingleLogoutService",
    "SingleSignOnService",
    "SurName",
    "TargetScopes",
    "TelephoneNumber",
    "Transform",
    "Transforms",
    "Type",
    "UIInfo",
    "URI",
    "UsagePolicy",
    "VerifyDepth",
    "WantAssertionsSigned",
    "WantAuthnRequestsSigned",
    "X509CRL",
    "X509Certificate",
    "X509Data",
    "X509IssuerName",
    "X509IssuerSerial",
    "X509SKI",
    "X509SerialNumber",
    "X509SubjectName",
    "XPath",
    "Y",
    "affiliationOwnerID",
    "cacheDuration",
    "contactType",
    "creationInstant",
    "entityID",
    "errorURL",
    "height",
    "index",
    "isDefault",
    "isRequired",
    "lang",
    "namespace",
    "protocolSupportEnumeration",
    "publicationId",
    "publisher",
    "regexp",
    "registrationAuthority",
    "registrationInstant",
    "type",
    "use",
    "validUntil",
    "width",
];

#[cfg(test)]
mod tests {
    use super::LocalName;

    #[test]
    fn each_name_has_its_own_number_and_other_names_have_none() {
        for number in LocalName::all() {
            let name = number.as_str();
            assert_eq!(LocalName::of(name), number, "{name}");
            assert_eq!(LocalName::of(&format!("{name}x")), LocalName::OTHER);
            // The hash does not contain the second letter.
            if name.len() > 4 {
                let other = format!("{}\u{1}{}", &name[..1], &name[2..]);
                assert_eq!(LocalName::of(&other), LocalName::OTHER, "{other}");
            }
        }
    }
}
