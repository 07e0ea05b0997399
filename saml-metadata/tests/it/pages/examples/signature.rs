use saml_metadata::Profile;

use super::{Base, Example};

const SIGNATURE: &str = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signature by rsa}</ds:Signature>";

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-SIG-01",
        profile: Profile::SamlCore,
        base: Base::Signed,
        place: SIGNATURE,
        passes: SIGNATURE,
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-SIG-02",
        profile: Profile::SamlCore,
        base: Base::Signed,
        place: SIGNATURE,
        passes: SIGNATURE,
        fails: "<md:Extensions/>
<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signature by rsa}</ds:Signature>",
    },
    Example {
        rule: "MD-SIG-03",
        profile: Profile::SamlCore,
        base: Base::Signature,
        place: "<ds:Reference URI=\"#_idp\">",
        passes: "<ds:Reference URI=\"#_idp\">",
        fails: "<ds:Reference URI=\"#_other\">",
    },
    Example {
        rule: "MD-SIG-04",
        profile: Profile::SamlCore,
        base: Base::Signature,
        place: "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
        passes: "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
        fails: "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"/>",
    },
    Example {
        rule: "MD-SIG-05",
        profile: Profile::SamlCore,
        base: Base::Signature,
        place: "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>",
        passes: "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>",
        fails: "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#rsa-sha1\"/>",
    },
    Example {
        rule: "MD-SIG-06",
        profile: Profile::SamlCore,
        base: Base::Signed,
        place: "entityID=\"https://idp.example.com/metadata\"",
        passes: "entityID=\"https://idp.example.com/metadata\"",
        fails: "entityID=\"https://evil.example.net/\"",
    },
    Example {
        rule: "MD-SIG-07",
        profile: Profile::SamlCore,
        base: Base::Signature,
        place: "</ds:SignatureValue>",
        passes: "</ds:SignatureValue>",
        fails: "</ds:SignatureValue>
<ds:Object/>",
    },
    Example {
        rule: "MD-SIG-08",
        profile: Profile::SamlCore,
        base: Base::SignedInGroup,
        place: "entityID=\"https://idp.example.com/metadata\"",
        passes: "entityID=\"https://idp.example.com/metadata\"",
        fails: "entityID=\"https://evil.example.net/\"",
    },
    Example {
        rule: "MD-SIG-09",
        profile: Profile::SamlCore,
        base: Base::Signed,
        place: SIGNATURE,
        passes: SIGNATURE,
        fails: "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signature by a key with an expired certificate}</ds:Signature>",
    },
];
