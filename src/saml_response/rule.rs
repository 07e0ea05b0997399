//! The rules of the linter, each with its clause, reason and help text.

use saml_metadata::Severity;

/// A rule that the linter checks in a SAML response.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintRule {
    /// The rule id, such as `RESP-AUD-01`.
    pub id: &'static str,
    /// The usual severity. The severity of a finding can be lower or higher.
    pub severity: Severity,
    /// The document and section that define the rule.
    pub clause: &'static str,
    /// The reason why AWS would refuse a response that breaks the rule.
    pub reason: &'static str,
    /// The change to make in Okta or AWS.
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
        "AWS cannot read the response",
        "copy the whole value of the form field SAMLResponse from the browser's network log; do not copy it from a page that shows the decoded response";
    XML_02: "RESP-XML-02", Error,
        "saml-core-2.0-os 1.3; CVE-2024-52596 and similar",
        "a DOCTYPE can change the meaning of the signed text, so service providers refuse it",
        "find the component between Okta and AWS that changed the response: Okta never writes a DOCTYPE";
    XML_03: "RESP-XML-03", Error,
        "saml-core-2.0-os 3.3.3",
        "the ACS URL accepts only SAML 2.0 responses",
        "copy the form field SAMLResponse, not SAMLRequest or RelayState";
    XML_04: "RESP-XML-04", Error,
        "IAM Identity Center user guide, quotas: SAML assertion, 50,000 characters",
        "AWS limits the length of an assertion",
        "send fewer attributes and groups from the Okta application";
    VERSION_01: "RESP-VERSION-01", Error,
        "saml-core-2.0-os 3.2.2, 4.1",
        "AWS supports only SAML 2.0",
        "use an Okta application whose sign-on mode is SAML 2.0";
    STATUS_01: "RESP-STATUS-01", Error,
        "saml-core-2.0-os 3.2.2.2",
        "the identity provider reports that it did not sign the user in, so AWS has no sign-in to accept",
        "find the event in Okta's system log; check the user's assignment, the sign-on policy and the session";
    ISS_01: "RESP-ISS-01", Error,
        "saml-profiles-2.0-os 4.1.4.2; saml-core-2.0-os 2.2.5",
        "AWS trusts one identity provider, and identifies it by the entityID of the uploaded metadata",
        "upload the metadata of the Okta application that sends this response to AWS: each application has its own issuer";
    DEST_01: "RESP-DEST-01", Error,
        "saml-bindings-2.0-os 3.5.5.2; saml-core-2.0-os 3.2.2",
        "the response is addressed to another URL",
        "set the ACS URL of the Okta application to the ACS URL that the AWS console shows";
    IRT_01: "RESP-IRT-01", Info,
        "saml-profiles-2.0-os 4.1.4.3, 4.1.5",
        "no problem: this finding only says where the sign-in started",
        "nothing to do";
    IRT_02: "RESP-IRT-02", Error,
        "saml-profiles-2.0-os 4.1.4.3",
        "the assertion and the response answer different requests",
        "sign in again in a new browser window; a replayed or mixed-up response cannot be repaired";
    ASSERT_01: "RESP-ASSERT-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "without an assertion, AWS does not know which user signs in",
        "check the status of the response, and Okta's system log";
    ASSERT_02: "RESP-ASSERT-02", Error,
        "saml-profiles-2.0-os 4.1.4.2; saml-core-2.0-os 2.3.3",
        "with several assertions, it is unclear which one AWS reads; attacks exploit this",
        "send exactly one assertion";
    ASSERT_03: "RESP-ASSERT-03", Error,
        "IAM Identity Center user guide, other identity providers: encryption is not supported",
        "AWS has no key to decrypt the assertion",
        "turn off assertion encryption in the SAML settings of the Okta application";
    SIG_01: "RESP-SIG-01", Error,
        "saml-profiles-2.0-os 4.1.4.5",
        "the sender of an unsigned response cannot be verified",
        "turn on the signature of the assertion, the response or both in the SAML settings of the Okta application";
    SIG_02: "RESP-SIG-02", Error,
        "saml-core-2.0-os 5.4; XML Signature 3.2",
        "the response was signed with a key that AWS does not have",
        "download the metadata of the Okta application again and upload it to AWS: the signing certificate may have been rotated, or the response comes from another Okta application";
    SIG_03: "RESP-SIG-03", Error,
        "saml-core-2.0-os 5.4.2",
        "the signature does not cover the assertion that AWS would read, as in a signature wrapping attack",
        "treat this response as forged; sign in again and compare the two responses";
    SIG_04: "RESP-SIG-04", Error,
        "saml-core-2.0-os 5.4.1 to 5.4.4",
        "the signature has a form that SAML does not allow",
        "let Okta sign the response, and make sure that no component between Okta and AWS rewrites it";
    SIG_05: "RESP-SIG-05", Warning,
        "saml-core-2.0-os 5.4",
        "xmlsec1 and this project's verifier disagree about the signature, so AWS may accept or refuse it",
        "compare the reasons; both verifiers accept a plain RSA-SHA256 signature with exclusive canonicalization";
    SIG_06: "RESP-SIG-06", Error,
        "IAM Identity Center user guide, rotating SAML certificates",
        "AWS refuses assertions that are signed with an expired certificate",
        "create a new signing certificate in Okta, upload the metadata with this certificate to AWS, and then activate the certificate in Okta";
    SIG_07: "RESP-SIG-07", Error,
        "IAM Identity Center user guide, other identity providers: the metadata has an X509Certificate",
        "AWS has no key to verify the signature",
        "upload metadata with a signing certificate to AWS";
    SIG_08: "RESP-SIG-08", Error,
        "XML Signature 3.2; Exclusive XML Canonicalization 1.0: white space between elements is signed",
        "the response was formatted for reading after it was signed, which makes its signature invalid",
        "copy the original value of the form field SAMLResponse from the browser's network log, not XML that a viewer has formatted. If AWS gets the formatted response, find the component between Okta and AWS that formats it";
    SIG_09: "RESP-SIG-09", Error,
        "saml-core-2.0-os 5.4; XML Signature 3.2",
        "the content was changed after it was signed, so it is not what Okta wrote",
        "copy the original value of the form field SAMLResponse from the browser's network log. If AWS gets the same response, find the component that changes it, or treat it as forged";
    ALG_01: "RESP-ALG-01", Error,
        "field reports of refused SHA-1 signatures (not documented by AWS); NIST SP 800-131A",
        "an attacker with enough money can forge a SHA-1 signature, and such signatures are refused in practice",
        "set the signature algorithm of the Okta application to RSA-SHA256, and the digest algorithm to SHA256";
    ALG_02: "RESP-ALG-02", Error,
        "NIST SP 800-131A; SAML V2.0 Interoperability Deployment Profile SDP-MD06",
        "an attacker with enough money can break an RSA key of fewer than 2048 bits, so such a signature is not verified",
        "create a new signing certificate in Okta, and upload the metadata with this certificate to AWS";
    TEXT_01: "RESP-TEXT-01", Warning,
        "Exclusive XML Canonicalization 1.0: comments are not signed; CVE-2017-11427 and similar",
        "a signature does not cover a comment, so any sender can add one. A service provider with this flaw reads only the text before the comment, which can be the name of another user",
        "find the component that adds the comment: Okta writes none. Treat a comment in the NameID as an attack";
    READ_01: "RESP-READ-01", Warning,
        "saml-core-2.0-os 2 and 3",
        "two parsers read different values from the same signed response, or one of them cannot read it, so AWS may read yet other values",
        "let Okta generate the response, and make sure that no component rewrites it";
    COND_01: "RESP-COND-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "an assertion for web sign-in needs Conditions that limit its validity period and its audience",
        "let Okta generate the assertion";
    AUD_01: "RESP-AUD-01", Error,
        "saml-core-2.0-os 2.5.1.4; saml-profiles-2.0-os 4.1.4.2",
        "the assertion is for another service provider",
        "set the issuer URL (audience) of the Okta application to the \"IAM Identity Center issuer URL\" that the AWS console shows";
    TIME_01: "RESP-TIME-01", Error,
        "saml-core-2.0-os 2.5.1.2",
        "the assertion is not valid yet",
        "compare the sign-in time given to the linter with the clocks of Okta and AWS";
    TIME_02: "RESP-TIME-02", Error,
        "saml-core-2.0-os 2.5.1.2",
        "the assertion has expired",
        "sign in again: a response is valid for a few minutes. If the sign-in happened at another time, give the linter that time";
    TIME_03: "RESP-TIME-03", Error,
        "saml-profiles-2.0-os 4.1.4.2, 4.1.4.3",
        "the deadline for delivering the assertion has passed",
        "sign in again: a response is valid for a few minutes. If the sign-in happened at another time, give the linter that time";
    TIME_04: "RESP-TIME-04", Error,
        "saml-core-2.0-os 2.7.2",
        "the session that the assertion describes has expired",
        "sign in again, and check the session lifetime of the Okta application";
    TIME_05: "RESP-TIME-05", Error,
        "saml-core-2.0-os 1.3.3",
        "AWS cannot check a time limit that it cannot parse",
        "let Okta generate the assertion";
    CONF_01: "RESP-CONF-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "an assertion that a browser delivers needs a bearer confirmation",
        "let Okta generate the assertion";
    REC_01: "RESP-REC-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "the assertion is for delivery to another URL",
        "set the ACS URL of the Okta application to the ACS URL that the AWS console shows; for several Regions, add the ACS URL of each Region";
    NID_01: "RESP-NID-01", Error,
        "saml-profiles-2.0-os 4.1.4.2; IAM Identity Center user guide, other identity providers",
        "AWS finds the user by the NameID",
        "map the application username in the Okta application";
    NID_02: "RESP-NID-02", Error,
        "IAM Identity Center user guide, other identity providers: NameID format",
        "AWS accepts only NameIDs of the format emailAddress",
        "set the NameID format of the Okta application to EmailAddress";
    NID_03: "RESP-NID-03", Error,
        "IAM Identity Center user guide, other identity providers; RFC 2822 3.4.1",
        "AWS accepts only NameIDs of the form name@domain.com",
        "set the application username format in Okta to the login or the email address";
    NID_04: "RESP-NID-04", Error,
        "IAM Identity Center user guide, other identity providers: NameID equals the user name",
        "no user in AWS has this name, and a sign-in does not create a user",
        "use the same application username for SAML and for provisioning, and assign the user so that Okta provisions the user before the sign-in";
    AUTHN_01: "RESP-AUTHN-01", Error,
        "saml-profiles-2.0-os 4.1.4.2",
        "the assertion does not say that the user was authenticated",
        "let Okta generate the assertion";
    ATTR_01: "RESP-ATTR-01", Warning,
        "IAM user guide, SAML assertions for the authentication response",
        "the attribute is for AWS IAM's own SAML federation; Identity Center does not use it",
        "use Okta's application \"AWS IAM Identity Center\" (amazon_aws_sso), not \"AWS Account Federation\" (amazon_aws)";
    ATTR_02: "RESP-ATTR-02", Error,
        "AWS STS API reference, Tag: key",
        "AWS cannot create a session tag with this key, so the user cannot assume a role",
        "name the attribute with 1 to 128 letters, digits, spaces or _ . : / = + - @";
    ATTR_03: "RESP-ATTR-03", Error,
        "AWS STS API reference, Tag: value",
        "AWS cannot create a session tag with this value, so the user cannot assume a role",
        "send one value of at most 256 letters, digits, spaces or _ . : / = + - @";
    ATTR_04: "RESP-ATTR-04", Error,
        "AWS STS API reference, Tag: at most 50 session tags",
        "a session has at most 50 tags",
        "send fewer AccessControl attributes";
}
