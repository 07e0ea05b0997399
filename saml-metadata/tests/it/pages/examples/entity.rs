use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-ENT-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"entityID="https://sp.example.com/metadata""#,
        passes: r#"entityID="https://sp.example.com/metadata""#,
        fails: r#"entityID="https://sp.example.com/{250 characters}""#,
    },
    Example {
        rule: "MD-ENT-02",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"entityID="https://sp.example.com/metadata""#,
        passes: r#"entityID="https://sp.example.com/metadata""#,
        fails: r#"entityID="sp.example.com""#,
    },
    Example {
        rule: "MD-ENT-03",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">
      <md:AffiliateMember>https://b.example.com</md:AffiliateMember>
      <md:AffiliateMember>https://c.example.com</md:AffiliateMember>
    </md:AffiliationDescriptor>"#,
        passes: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">
      <md:AffiliateMember>https://b.example.com</md:AffiliateMember>
      <md:AffiliateMember>https://c.example.com</md:AffiliateMember>
    </md:AffiliationDescriptor>"#,
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-ENT-04",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"<md:PDPDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
        passes: r#"<md:PDPDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
        fails: r#"<md:PDPDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      <md:AuthzService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://d.example.com/authz/1"/>
    </md:PDPDescriptor>
    <md:PDPDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
    },
    Example {
        rule: "MD-ENT-05",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:OrganizationURL xml:lang="en">https://www.example.com/</md:OrganizationURL>"#,
        passes: r#"<md:OrganizationURL xml:lang="en">https://www.example.com/</md:OrganizationURL>"#,
        fails: r#"<md:OrganizationURL xml:lang="en">www.example.com</md:OrganizationURL>"#,
    },
    Example {
        rule: "MD-ENT-06",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:ContactPerson contactType="technical">"#,
        passes: r#"<md:ContactPerson contactType="technical">"#,
        fails: r#"<md:ContactPerson contactType="boss">"#,
    },
    Example {
        rule: "MD-ENT-07",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        passes: "<md:EmailAddress>mailto:ada@example.com</md:EmailAddress>",
        fails: "<md:EmailAddress>ada@example.com</md:EmailAddress>",
    },
    Example {
        rule: "MD-ENT-08",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:GivenName>Ada</md:GivenName>",
        passes: "<md:GivenName>Ada</md:GivenName>",
        fails: "<md:GivenName></md:GivenName>",
    },
    Example {
        rule: "MD-ENT-09",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:OrganizationName xml:lang="en">Example Ltd</md:OrganizationName>"#,
        passes: r#"<md:OrganizationName xml:lang="en">Example Ltd</md:OrganizationName>"#,
        fails: "<md:OrganizationName>Example Ltd</md:OrganizationName>",
    },
    Example {
        rule: "MD-ENT-10",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>",
        passes: "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>",
        fails: "<md:NameIDFormat> urn:oasis:names:tc:SAML:2.0:nameid-format:transient </md:NameIDFormat>",
    },
    Example {
        rule: "MD-ENT-11",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:AdditionalMetadataLocation namespace="urn:oasis:names:tc:SAML:2.0:metadata">https://idp.example.com/more</md:AdditionalMetadataLocation>"#,
        passes: r#"<md:AdditionalMetadataLocation namespace="urn:oasis:names:tc:SAML:2.0:metadata">https://idp.example.com/more</md:AdditionalMetadataLocation>"#,
        fails: "<md:AdditionalMetadataLocation>https://idp.example.com/more</md:AdditionalMetadataLocation>",
    },
    Example {
        rule: "MD-AFF-01",
        profile: Profile::SamlCore,
        base: Base::Aggregate,
        place: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">"#,
        passes: r#"<md:AffiliationDescriptor affiliationOwnerID="https://a.example.com">"#,
        fails: "<md:AffiliationDescriptor>",
    },
];
