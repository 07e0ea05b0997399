use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-ROLE-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" errorURL"#,
        passes: r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" errorURL"#,
        fails: r#"protocolSupportEnumeration="SAML2" errorURL"#,
    },
    Example {
        rule: "MD-ROLE-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" errorURL"#,
        passes: r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" errorURL"#,
        fails: r#"protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol" errorURL"#,
    },
    Example {
        rule: "MD-ROLE-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"errorURL="https://idp.example.com/help""#,
        passes: r#"errorURL="https://idp.example.com/help""#,
        fails: r#"errorURL="help""#,
    },
    Example {
        rule: "MD-ROLE-04",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<md:Organization>",
        passes: "<md:Organization>",
        fails: r#"<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:example" xsi:type="x:OracleType" protocolSupportEnumeration="urn:example:oracle"/>
<md:Organization>"#,
    },
    Example {
        rule: "MD-IDP-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=1&amp;mode=redirect"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        passes: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=1&amp;mode=redirect"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-IDP-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=1&amp;mode=redirect"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        passes: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=1&amp;mode=redirect"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        fails: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
    },
    Example {
        rule: "MD-IDP-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:KeyDescriptor use="signing">"#,
        passes: r#"<md:KeyDescriptor use="signing">"#,
        fails: r#"<md:KeyDescriptor use="encryption">"#,
    },
    Example {
        rule: "MD-IDP-04",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/logout" ResponseLocation="https://idp.example.com/logout/done"/>"#,
        passes: r#"<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/logout" ResponseLocation="https://idp.example.com/logout/done"/>"#,
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-IDP-05",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.3" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" FriendlyName="mail"/>"#,
        passes: r#"<saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.3" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" FriendlyName="mail"/>"#,
        fails: r#"<saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.3" FriendlyName="mail"/>"#,
    },
    Example {
        rule: "MD-SP-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/acs/3" index="3"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/acs/3" index="3"/>"#,
        fails: "<!-- nothing -->",
    },
    Example {
        rule: "MD-SP-02",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/acs/3" index="3"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/acs/3" index="3"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/acs/3" index="3"/>"#,
    },
    Example {
        rule: "MD-SP-03",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:KeyDescriptor>",
        passes: "<md:KeyDescriptor>",
        fails: r#"<md:KeyDescriptor use="signing">"#,
    },
    Example {
        rule: "MD-SP-04",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:KeyDescriptor>",
        passes: "<md:KeyDescriptor>",
        fails: r#"<md:KeyDescriptor use="encryption">"#,
    },
    Example {
        rule: "MD-SP-05",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"WantAssertionsSigned="true""#,
        passes: r#"WantAssertionsSigned="true""#,
        fails: r#"WantAssertionsSigned="false""#,
    },
    Example {
        rule: "MD-SP-06",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:ServiceName xml:lang="en">Example service</md:ServiceName>"#,
        passes: r#"<md:ServiceName xml:lang="en">Example service</md:ServiceName>"#,
        fails: "<!-- no ServiceName -->",
    },
    Example {
        rule: "MD-SP-07",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:RequestedAttribute Name="urn:oid:2.5.4.42" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"/>"#,
        passes: r#"<md:RequestedAttribute Name="urn:oid:2.5.4.42" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"/>"#,
        fails: r#"<md:RequestedAttribute Name="urn:oid:2.5.4.42"/>"#,
    },
    Example {
        rule: "MD-SP-08",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<idpdisc:DiscoveryResponse Binding="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol" Location="https://sp.example.com/disco" index="1" isDefault="true"/>"#,
        passes: r#"<idpdisc:DiscoveryResponse Binding="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol" Location="https://sp.example.com/disco" index="1" isDefault="true"/>"#,
        fails: r#"<idpdisc:DiscoveryResponse Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/disco" index="1" isDefault="true"/>"#,
    },
    Example {
        rule: "MD-NID-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>",
        passes: "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>",
        fails: "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:unspecified</md:NameIDFormat>",
    },
    Example {
        rule: "MD-IDP-06",
        profile: Profile::AwsIdentityCenter,
        base: Base::Okta,
        place: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/>"#,
        passes: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/>"#,
        fails: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml"/>"#,
    },
];
