use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-EP-01",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-02",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="javascript:alert(1)" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-03",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="http://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-04",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://localhost/acs/1" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-05",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-06",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-PUT" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-07",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="2" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-08",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="true"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/2" index="2" isDefault="true"/>"#,
    },
    Example {
        rule: "MD-EP-09",
        profile: Profile::SamlCore,
        base: Base::Sp,
        place: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        passes: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" index="1" isDefault="false"/>"#,
        fails: r#"<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs/1" ResponseLocation="https://sp.example.com/acs/r" index="1" isDefault="false"/>"#,
    },
    Example {
        rule: "MD-EP-10",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        passes: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        fails: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso2"/>"#,
    },
    Example {
        rule: "MD-EP-11",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        passes: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>"#,
        fails: r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https:///sso"/>"#,
    },
];
