use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-XML-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:Company>Example Ltd</md:Company>",
        passes: "<md:Company>Example &amp; Sons</md:Company>",
        fails: "<md:Company>Example & Sons</md:Company>",
    },
    Example {
        rule: "MD-XML-02",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        passes: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        fails: r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE md:EntityDescriptor>"#,
    },
    Example {
        rule: "MD-XML-03",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        passes: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        fails: r#"<?xml version="1.0" encoding="UTF-7"?>"#,
    },
    Example {
        rule: "MD-XML-04",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:Extensions>",
        passes: "<md:Extensions>",
        fails: "<md:Extensions>
{300 elements}",
    },
    Example {
        rule: "MD-XML-05",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:Organization>",
        passes: "<md:Organization>",
        fails: "<?page break?>
<md:Organization>",
    },
    Example {
        rule: "MD-XML-06",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        passes: "<md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        fails: "<md:EmailAddress>mailto:ada@example.com<!-- -->.example.org</md:EmailAddress>",
    },
    Example {
        rule: "MD-ROOT-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata""#,
        passes: r#"xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata""#,
        fails: r#"xmlns:md="urn:oasis:names:tc:SAML:1.0:metadata""#,
    },
    Example {
        rule: "MD-ROOT-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"ID="_idp""#,
        passes: r#"ID="_idp""#,
        fails: r#"ID="1234""#,
    },
    Example {
        rule: "MD-ROOT-03",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:SurName>Lovelace</md:SurName>
    <md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        passes: "<md:SurName>Lovelace</md:SurName>
    <md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        fails: "<md:EmailAddress>mailto:ada@example.com</md:EmailAddress>
    <md:SurName>Lovelace</md:SurName>",
    },
    Example {
        rule: "MD-ROOT-04",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:Organization>",
        passes: "<md:Organization>",
        fails: r#"<x:note xmlns:x="urn:example:note">ours</x:note>
<md:Organization>"#,
    },
    Example {
        rule: "MD-ROOT-05",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:Organization>",
        passes: "<md:Organization>",
        fails: "<md:Organization>
    <md:Extensions/>",
    },
    Example {
        rule: "MD-ROOT-06",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"  <md:EntitiesDescriptor Name="https://federation.example.org/inner" validUntil="2026-11-30T00:00:00Z" cacheDuration="PT2H">
    <md:EntityDescriptor entityID="https://b.example.com" validUntil="2026-12-31T00:00:00Z">
      <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
        <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://b.example.com/acs" index="0"/>
      </md:SPSSODescriptor>
    </md:EntityDescriptor>
    <md:EntityDescriptor entityID="https://c.example.com" validUntil="2026-11-28T00:00:00Z">
      <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
        <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://c.example.com/acs" index="0"/>
      </md:SPSSODescriptor>
    </md:EntityDescriptor>
  </md:EntitiesDescriptor>"#,
        passes: r#"    <md:EntityDescriptor entityID="https://b.example.com" validUntil="2026-12-31T00:00:00Z">
      <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
        <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://b.example.com/acs" index="0"/>
      </md:SPSSODescriptor>
    </md:EntityDescriptor>"#,
        fails: r#"  <md:EntitiesDescriptor>
    <md:EntityDescriptor entityID="https://b.example.com" validUntil="2026-12-31T00:00:00Z">
      <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
        <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://b.example.com/acs" index="0"/>
      </md:SPSSODescriptor>
    </md:EntityDescriptor>
  </md:EntitiesDescriptor>"#,
    },
    Example {
        rule: "MD-ROOT-07",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">"#,
        passes: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">"#,
        fails: "",
    },
    Example {
        rule: "MD-ROOT-08",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"xmlns:shibmd="urn:mace:shibboleth:metadata:1.0""#,
        passes: r#"xmlns:shibmd="urn:mace:shibboleth:metadata:1.0""#,
        fails: r#"xmlns:shibmd="urn:mace:shibboleth:metadata:2.0""#,
    },
    Example {
        rule: "MD-ROOT-09",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"entityID="https://b.example.com""#,
        passes: r#"entityID="https://b.example.com""#,
        fails: r#"entityID="https://a.example.com""#,
    },
    Example {
        rule: "MD-TIME-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"cacheDuration="PT4H""#,
        passes: r#"cacheDuration="PT4H""#,
        fails: r#"cacheDuration="P1DT""#,
    },
    Example {
        rule: "MD-TIME-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"validUntil="2026-12-01T00:00:00Z""#,
        passes: r#"validUntil="2026-12-01T00:00:00Z""#,
        fails: r#"validUntil="2026-11-01T00:00:00Z""#,
    },
    Example {
        rule: "MD-TIME-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"validUntil="2026-12-01T00:00:00Z" cacheDuration="PT4H""#,
        passes: r#"validUntil="2026-12-01T00:00:00Z" cacheDuration="PT4H""#,
        fails: r#"cacheDuration="PT4H""#,
    },
    Example {
        rule: "MD-TIME-04",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"validUntil="2026-12-01T00:00:00Z""#,
        passes: r#"validUntil="2026-12-01T00:00:00Z""#,
        fails: r#"validUntil="2036-12-01T00:00:00Z""#,
    },
    Example {
        rule: "MD-TIME-05",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"cacheDuration="PT4H""#,
        passes: r#"cacheDuration="PT4H""#,
        fails: r#"cacheDuration="PT0S""#,
    },
    Example {
        rule: "MD-TIME-06",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"entityID="https://sp.example.com/metadata" validUntil="2026-12-01T00:00:00Z""#,
        passes: r#"entityID="https://sp.example.com/metadata" validUntil="2026-12-01T00:00:00Z""#,
        fails: r#"entityID="https://sp.example.com/metadata""#,
    },
    Example {
        rule: "MD-XML-07",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        passes: r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        fails: "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    },
];
