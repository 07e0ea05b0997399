use saml_metadata::Severity;

/// Something that a response is held to.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintRule {
    /// Its name, such as `RESP-AUD-01`.
    pub id: &'static str,
    /// How much it matters, as a rule.
    pub severity: Severity,
    /// The document and section it comes from.
    pub clause: &'static str,
    /// Why AWS would refuse a response that breaks it.
    pub reason: &'static str,
    /// What to change in Okta or AWS.
    pub help: &'static str,
}

/// Returns all rules.
pub fn rules() -> impl Iterator<Item = &'static LintRule> {
    ALL.iter().copied()
}

macro_rules! table {
    ($($name:ident: $id:literal, $severity:ident, $clause:literal, $reason:literal, $help:literal;)+) => {
        $(pub(super) static $name: LintRule = LintRule {
            id: $id,
            severity: Severity::$severity,
            clause: $clause,
            reason: $reason,
            help: $help,
        };)+

        static ALL: &[&LintRule] = &[$(&$name),+];
    };
}

table! {
    XML_01: "RESP-XML-01", Error,
        "saml-bindings-2.0-os 3.5.4",
        "AWS cannot read the response at all",
        "copy the whole value of the form field SAMLResponse from the browser's network log, not from a page that shows it decoded";
    XML_02: "RESP-XML-02", Error,
        "saml-core-2.0-os 1.3; CVE-2024-52596 and its kind",
        "a DOCTYPE can redefine what the signed text says, so service providers refuse it",
        "find out who changed the response on its way: Okta never writes a DOCTYPE";
    XML_03: "RESP-XML-03", Error,
        "saml-core-2.0-os 3.3.3",
        "the ACS URL takes SAML 2.0 responses and nothing else",
        "copy the form field SAMLResponse, not SAMLRequest or RelayState";
    XML_04: "RESP-XML-04", Error,
        "IAM Identity Center user guide, quotas: SAML assertion, 50,000 characters",
        "AWS has a quota for assertions",
        "send fewer attributes and groups from the Okta application";
    VERSION_01: "RESP-VERSION-01", Error,
        "saml-core-2.0-os 3.2.2, 4.1",
        "AWS speaks SAML 2.0",
        "use an Okta application whose sign-on mode is SAML 2.0";
    STATUS_01: "RESP-STATUS-01", Error,
        "saml-core-2.0-os 3.2.2.2",
        "the identity provider says that it did not sign the person in, so there is nothing to accept",
        "look up the event in Okta's system log: assignment of the user, sign-on policy, or session";
    ISS_01: "RESP-ISS-01", Error,
        "saml-profiles-2.0-os 4.1.4.2; saml-core-2.0-os 2.2.5",
        "AWS knows one identity provider, by the entityID of the metadata that it was given",
        "give AWS the metadata of the Okta application that sends this response: each application has an issuer of its own";
    DEST_01: "RESP-DEST-01", Error,
        "saml-bindings-2.0-os 3.5.5.2; saml-core-2.0-os 3.2.2",
        "the response is addressed to somebody else",
        "set the ACS URL of the Okta application to the one that AWS's console shows";
    IRT_01: "RESP-IRT-01", Info,
        "saml-profiles-2.0-os 4.1.4.3, 4.1.5",
        "nothing: this is how the sign-in was begun",
        "nothing to do";
    IRT_02: "RESP-IRT-02", Error,
        "saml-profiles-2.0-os 4.1.4.3",
        "the assertion answers another request than the response does",
        "sign in again in a new window; a replayed or mixed-up response cannot be mended";
    ASSERT_01: "RESP-ASSERT-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "without an assertion there is nobody to sign in",
        "look at the status of the response, and at Okta's system log";
    ASSERT_02: "RESP-ASSERT-02", Error,
        "saml-profiles-2.0-os 4.1.4.2; saml-core-2.0-os 2.3.3",
        "which of several assertions counts is anybody's guess, which attacks make use of",
        "send one assertion";
    ASSERT_03: "RESP-ASSERT-03", Error,
        "IAM Identity Center user guide, other identity providers: encryption is not supported",
        "AWS has no key to decrypt with",
        "turn off assertion encryption in the SAML settings of the Okta application";
    SIG_01: "RESP-SIG-01", Error,
        "saml-profiles-2.0-os 4.1.4.5",
        "anybody could have written an unsigned response",
        "turn on the signature of the assertion, the response or both in the SAML settings of the Okta application";
    SIG_02: "RESP-SIG-02", Error,
        "saml-core-2.0-os 5.4; XML Signature 3.2",
        "the response was signed with another key than those AWS was given, or was changed after it was signed",
        "download the metadata of the Okta application again and give it to AWS: its signing certificate may have been rotated";
    SIG_03: "RESP-SIG-03", Error,
        "saml-core-2.0-os 5.4.2",
        "the signature is about something else than the assertion that would be read: this is how signature wrapping attacks look",
        "treat this response as forged; sign in again and compare";
    SIG_04: "RESP-SIG-04", Error,
        "saml-core-2.0-os 5.4.1 to 5.4.4",
        "the signature has a form that SAML does not allow",
        "let Okta sign, and let nothing between Okta and AWS rewrite the response";
    SIG_05: "RESP-SIG-05", Warning,
        "saml-core-2.0-os 5.4",
        "xmlsec1 and this project's own verifier disagree about the signature, so AWS's may side with either",
        "compare the reasons; a plain RSA-SHA256 signature with exclusive canonicalization is taken by both";
    SIG_06: "RESP-SIG-06", Error,
        "IAM Identity Center user guide, rotating SAML certificates",
        "AWS refuses assertions by certificates whose time is over",
        "make a new signing certificate in Okta, give AWS the metadata with it, and then activate it in Okta";
    SIG_07: "RESP-SIG-07", Error,
        "IAM Identity Center user guide, other identity providers: the metadata has an X509Certificate",
        "AWS has no key to verify the signature with",
        "give AWS metadata with a signing certificate";
    ALG_01: "RESP-ALG-01", Error,
        "field reports of refused SHA-1 signatures, no page of AWS; NIST SP 800-131A",
        "a SHA-1 signature can be forged by whoever can pay for it, and is refused in practice",
        "set signature and digest algorithm of the Okta application to RSA-SHA256 and SHA256";
    READ_01: "RESP-READ-01", Warning,
        "saml-core-2.0-os 2 and 3",
        "two readers see different things in the same signed response, or one of them cannot read it, so AWS may see a third",
        "let Okta write the response, and let nothing rewrite it";
    COND_01: "RESP-COND-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "an assertion for the web has conditions that say until when and for whom it is",
        "let Okta write the assertion";
    AUD_01: "RESP-AUD-01", Error,
        "saml-core-2.0-os 2.5.1.4; saml-profiles-2.0-os 4.1.4.2",
        "the assertion is meant for another service provider",
        "set the issuer URL (audience) of the Okta application to the \"IAM Identity Center issuer URL\" of AWS's console";
    TIME_01: "RESP-TIME-01", Error,
        "saml-core-2.0-os 2.5.1.2",
        "the assertion is not valid yet",
        "compare the clocks: the moment given here, Okta's and AWS's";
    TIME_02: "RESP-TIME-02", Error,
        "saml-core-2.0-os 2.5.1.2",
        "the assertion is no longer valid",
        "sign in again; a response is good for minutes. If the moment of the sign-in was another, give that one";
    TIME_03: "RESP-TIME-03", Error,
        "saml-profiles-2.0-os 4.1.4.2, 4.1.4.3",
        "the time to deliver the assertion is over",
        "sign in again; a response is good for minutes. If the moment of the sign-in was another, give that one";
    TIME_04: "RESP-TIME-04", Error,
        "saml-core-2.0-os 2.7.2",
        "the session that the assertion speaks of is over",
        "sign in again, and look at the session lifetime of the Okta application";
    TIME_05: "RESP-TIME-05", Error,
        "saml-core-2.0-os 1.3.3",
        "a time that cannot be read is not a time that has not passed",
        "let Okta write the assertion";
    CONF_01: "RESP-CONF-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "an assertion that a browser carries has a bearer confirmation",
        "let Okta write the assertion";
    REC_01: "RESP-REC-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "the assertion is for delivery to another address",
        "set the ACS URL of the Okta application to the one that AWS's console shows; in several Regions, add each of them";
    NID_01: "RESP-NID-01", Error,
        "saml-profiles-2.0-os 4.1.4.2; IAM Identity Center user guide, other identity providers",
        "AWS finds the person by the NameID",
        "map the application username in the Okta application";
    NID_02: "RESP-NID-02", Error,
        "IAM Identity Center user guide, other identity providers: NameID format",
        "AWS takes NameIDs of the format emailAddress",
        "set the NameID format of the Okta application to EmailAddress";
    NID_03: "RESP-NID-03", Error,
        "IAM Identity Center user guide, other identity providers; RFC 2822 3.4.1",
        "AWS takes NameIDs of the form name@domain.com",
        "set the application username format in Okta to the login or the email address";
    NID_04: "RESP-NID-04", Error,
        "IAM Identity Center user guide, other identity providers: NameID equals the user name",
        "no user in AWS has this name, and signing in creates none",
        "use the same application username for SAML and for provisioning, and assign the user so that Okta provisions them first";
    AUTHN_01: "RESP-AUTHN-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "the assertion does not say that somebody was authenticated",
        "let Okta write the assertion";
    ATTR_01: "RESP-ATTR-01", Warning,
        "IAM user guide, SAML assertions for the authentication response",
        "the attribute is for AWS IAM's own SAML federation; Identity Center makes nothing of it",
        "use Okta's application \"AWS IAM Identity Center\" (amazon_aws_sso), not \"AWS Account Federation\" (amazon_aws)";
    ATTR_02: "RESP-ATTR-02", Error,
        "AWS STS API reference, Tag: key",
        "a session tag of this name cannot be made, so no role can be taken",
        "name the attribute with 1 to 128 letters, digits, spaces or _ . : / = + - @";
    ATTR_03: "RESP-ATTR-03", Error,
        "AWS STS API reference, Tag: value",
        "a session tag with this value cannot be made, so no role can be taken",
        "send one value of at most 256 letters, digits, spaces or _ . : / = + - @";
    ATTR_04: "RESP-ATTR-04", Error,
        "AWS STS API reference, Tag: at most 50 session tags",
        "a session has at most 50 tags",
        "send fewer AccessControl attributes";
}
