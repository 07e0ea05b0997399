use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-KEY-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:KeyDescriptor use="encryption">"#,
        passes: r#"<md:KeyDescriptor use="encryption">"#,
        fails: r#"<md:KeyDescriptor use="both">"#,
    },
    Example {
        rule: "MD-KEY-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-KEY-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{p256}</ds:X509Certificate>
<ds:X509Certificate>{rsa3072}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-04",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>-----BEGIN CERTIFICATE-----
{p256}
-----END CERTIFICATE-----</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-05",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{expired}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-06",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{rsa1024}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-07",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{roca}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-08",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{sha1}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-09",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{p256}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>"#,
        passes: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{p256}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>"#,
        fails: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{p256}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{p256}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>"#,
    },
    Example {
        rule: "MD-KEY-10",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        passes: "<ds:X509Certificate>{p256}</ds:X509Certificate>",
        fails: "<ds:X509Certificate>{authority}</ds:X509Certificate>",
    },
    Example {
        rule: "MD-KEY-11",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{p256}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>"#,
        passes: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{p256}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>"#,
        fails: r#"<md:KeyDescriptor use="signing">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{p256}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
      <md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>
    </md:KeyDescriptor>"#,
    },
    Example {
        rule: "MD-ALG-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        passes: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        fails: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>"#,
    },
];
