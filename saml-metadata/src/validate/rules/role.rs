//! Rules about roles and their endpoints.

use super::table;

table! {
    ROLE_01 "MD-ROLE-01" [E E E E]
        "protocolSupportEnumeration lists the protocols as URIs",
        "saml-metadata-2.0-os 2.4.1",
        "For SAML 2.0 write urn:oasis:names:tc:SAML:2.0:protocol.";
    ROLE_02 "MD-ROLE-02" [E E E E]
        "bindings belong to a protocol that the role lists",
        "UK federation ukf-meta check_saml1, check_saml2, check_shibboleth",
        "Add the protocol to protocolSupportEnumeration, or remove the endpoint.";
    ROLE_03 "MD-ROLE-03" [W W W W] mild [I O O O]
        "an identity provider has an errorURL, and it is an https address",
        "saml-metadata-2.0-os 2.4.1; saml2int SDP-MD12",
        "Give an https page that helps users for whom login fails.";
    ROLE_04 "MD-ROLE-04" [I I I I]
        "a RoleDescriptor is of a known type",
        "saml-metadata-2.0-os 2.4.1",
        "Nothing: roles of other protocols, such as WS-Federation, are for others to read.";

    EP_01 "MD-EP-01" [E E E E]
        "an endpoint has Binding and Location, both absolute URIs",
        "saml-metadata-2.0-os 2.2.2",
        "Give the whole address, starting with https://.";
    EP_02 "MD-EP-02" [E E E E]
        "an endpoint that browsers are sent to is an http or https address",
        "saml-bindings-2.0-os 3; CVE-2023-45683",
        "Do not use this metadata: the address would run as a script or read a file.";
    EP_03 "MD-EP-03" [W W O W]
        "an endpoint is an https address",
        "saml2int SDP-IDP03 and SDP-SP09",
        "Serve the endpoint over https.";
    EP_04 "MD-EP-04" [W W W W]
        "an endpoint's address is a plain one that others can reach",
        "UK federation ukf-meta check_ukreg, check_urlenc",
        "Use a public host name in lower case, without user, fragment or default port.";
    EP_05 "MD-EP-05" [E E E E]
        "the binding fits the kind of endpoint",
        "saml-metadata-2.0-os 2.4.2 to 2.4.7; saml-profiles-2.0-os 4",
        "Use a binding that the profile has for this endpoint.";
    EP_06 "MD-EP-06" [W W W W]
        "bindings are known ones",
        "UK federation ukf-meta check_bindings",
        "Check the binding for a spelling mistake; consumers ignore what they do not know.";
    EP_07 "MD-EP-07" [E E E E]
        "indexed endpoints have an index up to 65535, each its own",
        "saml-metadata-2.0-os 2.2.3",
        "Number the endpoints of one kind from 0 or 1.";
    EP_08 "MD-EP-08" [E E E E]
        "at most one of a set is the default",
        "saml-metadata-2.0-os 2.2.3",
        "Keep isDefault=\"true\" on one of them.";
    EP_09 "MD-EP-09" [E E E E]
        "ResponseLocation is used only where there are responses",
        "saml-metadata-2.0-os 2.4.2 to 2.4.4",
        "Remove ResponseLocation.";
    EP_10 "MD-EP-10" [W W W W]
        "each binding has one SingleSignOnService",
        "UK federation ukf-meta check_saml2",
        "Keep one of them; consumers take one, you cannot say which.";

    IDP_01 "MD-IDP-01" [E E E E]
        "an identity provider has a SingleSignOnService",
        "saml-metadata-2.0-os 2.4.3",
        "Add the SingleSignOnService.";
    IDP_02 "MD-IDP-02" [W W O O]
        "an identity provider takes requests by HTTP-Redirect and HTTP-POST",
        "saml2int SDP-IDP02",
        "Add the other binding; most service providers use HTTP-Redirect.";
    IDP_03 "MD-IDP-03" [E E E E]
        "an identity provider has a key to sign with",
        "saml2int SDP-MD08; eduGAIN Metadata Aggregation Practice Statement R1",
        "Add the certificate that assertions are signed with.";
    IDP_04 "MD-IDP-04" [W O O O]
        "an identity provider has a SingleLogoutService",
        "saml2int SDP-IDP33",
        "Add one if single logout is wanted.";
    IDP_05 "MD-IDP-05" [W W W W]
        "a saml:Attribute says its NameFormat",
        "UK federation ukf-meta check_saml2int",
        "Add NameFormat, most often urn:oasis:names:tc:SAML:2.0:attrname-format:uri.";

    SP_01 "MD-SP-01" [E E E E]
        "a service provider has an AssertionConsumerService",
        "saml-metadata-2.0-os 2.4.4",
        "Add the AssertionConsumerService.";
    SP_02 "MD-SP-02" [W W W O]
        "a service provider takes assertions by HTTP-POST",
        "saml2int SDP-SP08",
        "Add an AssertionConsumerService with HTTP-POST.";
    SP_03 "MD-SP-03" [W O O O]
        "a service provider has a key to encrypt for it",
        "saml2int SDP-MD08",
        "Add a certificate for encryption, if the service can decrypt.";
    SP_04 "MD-SP-04" [E E E E]
        "a service provider that signs its requests has a key to sign with",
        "UK federation ukf-meta check_saml2_sp_signedrequests",
        "Add the certificate, or set AuthnRequestsSigned to false.";
    SP_05 "MD-SP-05" [W O O W]
        "a service provider wants its assertions signed",
        "saml-metadata-2.0-os 2.4.4",
        "Set WantAssertionsSigned to true.";
    SP_06 "MD-SP-06" [E E E E]
        "an AttributeConsumingService has a name, attributes and its own index",
        "saml-metadata-2.0-os 2.4.4.1",
        "Add ServiceName and RequestedAttribute, number the services, keep one default.";
    SP_07 "MD-SP-07" [W W W W]
        "a RequestedAttribute says the NameFormat that its name has",
        "UK federation ukf-meta check_reqattr",
        "Add NameFormat; names that are URIs need urn:oasis:names:tc:SAML:2.0:attrname-format:uri.";
    SP_08 "MD-SP-08" [W W W W]
        "a DiscoveryResponse has the discovery binding and its own index",
        "sstc-saml-idp-discovery 2.5",
        "Set Binding to urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol and number them.";

    NID_01 "MD-NID-01" [W W W W]
        "NameIDFormats are known ones, each once, and not only unspecified",
        "saml-metadata-2.0-os 2.4.2; saml-core-2.0-os 8.3",
        "List the formats that are really sent.";
}
