use saml_metadata::Profile;

use super::{Base, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        rule: "MD-UI-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<mdui:UIInfo>",
        passes: "<mdui:UIInfo>",
        fails: "<mdui:UIInfo/>
      <mdui:UIInfo>",
    },
    Example {
        rule: "MD-UI-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdui:Logo width="80" height="60" xml:lang="en">https://idp.example.com/logo.png</mdui:Logo>"#,
        passes: r#"<mdui:Logo width="80" height="60" xml:lang="en">https://idp.example.com/logo.png</mdui:Logo>"#,
        fails: "<!-- no Logo -->",
    },
    Example {
        rule: "MD-UI-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdui:Logo width="80" height="60" xml:lang="en">https://idp.example.com/logo.png</mdui:Logo>"#,
        passes: r#"<mdui:Logo width="80" height="60" xml:lang="en">https://idp.example.com/logo.png</mdui:Logo>"#,
        fails: r#"<mdui:Logo width="80px" height="60" xml:lang="en">logo.png</mdui:Logo>"#,
    },
    Example {
        rule: "MD-UI-04",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<mdui:IPHint>192.0.2.0/24</mdui:IPHint>",
        passes: "<mdui:IPHint>192.0.2.0/24</mdui:IPHint>",
        fails: "<mdui:IPHint>192.0.2.*</mdui:IPHint>",
    },
    Example {
        rule: "MD-UI-05",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdui:DisplayName xml:lang="en">Example login</mdui:DisplayName>"#,
        passes: r#"<mdui:DisplayName xml:lang="en">Example login</mdui:DisplayName>
<mdui:DisplayName xml:lang="de">Beispiel-Anmeldung</mdui:DisplayName>"#,
        fails: r#"<mdui:DisplayName xml:lang="en">Example login</mdui:DisplayName>
<mdui:DisplayName xml:lang="en">Other login</mdui:DisplayName>"#,
    },
    Example {
        rule: "MD-RPI-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<mdrpi:RegistrationInfo",
        passes: "<mdrpi:RegistrationInfo",
        fails: r#"<mdrpi:RegistrationInfo registrationAuthority="https://other.example.org/"/>
    <mdrpi:RegistrationInfo"#,
    },
    Example {
        rule: "MD-RPI-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdrpi:RegistrationInfo registrationAuthority="https://federation.example.org/" registrationInstant="2020-05-01T08:00:00Z">"#,
        passes: r#"<mdrpi:RegistrationInfo registrationAuthority="https://federation.example.org/" registrationInstant="2020-05-01T08:00:00Z">"#,
        fails: r#"<mdrpi:RegistrationInfo registrationInstant="2030-05-01T08:00:00Z">"#,
    },
    Example {
        rule: "MD-RPI-03",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdrpi:RegistrationPolicy xml:lang="en">https://federation.example.org/policy</mdrpi:RegistrationPolicy>"#,
        passes: r#"<mdrpi:RegistrationPolicy xml:lang="en">https://federation.example.org/policy</mdrpi:RegistrationPolicy>"#,
        fails: r#"<mdrpi:RegistrationPolicy xml:lang="de">https://federation.example.org/policy</mdrpi:RegistrationPolicy>"#,
    },
    Example {
        rule: "MD-ATTR-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<mdattr:EntityAttributes>",
        passes: "<mdattr:EntityAttributes>",
        fails: "<mdattr:EntityAttributes/>
    <mdattr:EntityAttributes>",
    },
    Example {
        rule: "MD-ATTR-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: "<saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue>",
        passes: "<saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue>",
        fails: "<saml:AttributeValue> http://refeds.org/category/research-and-scholarship </saml:AttributeValue>",
    },
    Example {
        rule: "MD-SHIB-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<shibmd:Scope regexp="false">example.com</shibmd:Scope>"#,
        passes: r#"<shibmd:Scope regexp="true">^example\.com$</shibmd:Scope>"#,
        fails: r#"<shibmd:Scope regexp="true">example\.com</shibmd:Scope>"#,
    },
    Example {
        rule: "MD-EXT-01",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        passes: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        fails: r#"<alg:DigestMethode Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
    },
    Example {
        rule: "MD-EXT-02",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        passes: r#"<alg:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
        fails: r"<alg:DigestMethod/>",
    },
    Example {
        rule: "MD-UI-06",
        profile: Profile::SamlCore,
        base: Base::Idp,
        place: r#"<mdui:InformationURL xml:lang="en">https://idp.example.com/about</mdui:InformationURL>"#,
        passes: r#"<mdui:InformationURL xml:lang="en">https://idp.example.com/about</mdui:InformationURL>"#,
        fails: r#"<mdui:InformationURL xml:lang="en">/about</mdui:InformationURL>"#,
    },
];
