//! Rules about roles and their endpoints.

use super::table;

table! {
    ROLE_01 "MD-ROLE-01" [E E E E]
        "protocolSupportEnumeration lists the supported protocols as URIs",
        "saml-metadata-2.0-os 2.4.1",
        "For SAML 2.0, write urn:oasis:names:tc:SAML:2.0:protocol.";
    ROLE_02 "MD-ROLE-02" [E E E E] minor [E E W E]
        "every binding belongs to a protocol that the role lists",
        "UK federation ukf-meta check_saml1, check_saml2, check_shibboleth",
        "Add the protocol to protocolSupportEnumeration, or remove the endpoint.";
    ROLE_03 "MD-ROLE-03" [W W W W] minor [I O O O]
        "an identity provider has an errorURL, which is an https URL",
        "saml-metadata-2.0-os 2.4.1; saml2int SDP-MD12",
        "Add the https URL of a page that helps users whose sign-in failed.";
    ROLE_04 "MD-ROLE-04" [I I I I]
        "a RoleDescriptor has a known type",
        "saml-metadata-2.0-os 2.4.1",
        "No change is needed: a role of another protocol, such as WS-Federation, is for consumers of that protocol.";

    EP_01 "MD-EP-01" [E E E E] minor [E E W E]
        "an endpoint has a Binding and a Location, and both are absolute URIs",
        "saml-metadata-2.0-os 2.2.2",
        "Write the complete URL, which starts with https://.";
    EP_02 "MD-EP-02" [E E E E]
        "the URL of an endpoint has the scheme https or http",
        "saml-bindings-2.0-os 3; CVE-2023-45683",
        "Do not use this metadata: a browser that is sent to such a URL may run a script or read a file.";
    EP_03 "MD-EP-03" [W W O W]
        "the URL of an endpoint has the scheme https",
        "saml2int SDP-IDP03 and SDP-SP09",
        "Serve the endpoint over https.";
    EP_04 "MD-EP-04" [W W W W]
        "the URL of an endpoint is plain, and partners can reach it",
        "UK federation ukf-meta check_ukreg, check_urlenc",
        "Use a public host name in lower case, without a user name, a fragment or the default port.";
    EP_05 "MD-EP-05" [E E W E]
        "the binding fits the type of the endpoint",
        "saml-metadata-2.0-os 2.4.2 to 2.4.7; saml-profiles-2.0-os 4",
        "Use a binding that the SAML profile defines for this endpoint.";
    EP_06 "MD-EP-06" [W W W W]
        "all bindings are known",
        "UK federation ukf-meta check_bindings",
        "Check the spelling of the binding: consumers ignore a binding that they do not know.";
    EP_07 "MD-EP-07" [E E W E]
        "each indexed endpoint has its own index from 0 to 65535",
        "saml-metadata-2.0-os 2.2.3",
        "Number the endpoints of each type from 0 or 1.";
    EP_08 "MD-EP-08" [E E W E]
        "at most one endpoint of each type is the default",
        "saml-metadata-2.0-os 2.2.3",
        "Keep isDefault=\"true\" on one of the endpoints.";
    EP_09 "MD-EP-09" [E E W E]
        "only SingleLogoutService and ManageNameIDService have a ResponseLocation",
        "saml-metadata-2.0-os 2.4.2 to 2.4.4",
        "Remove ResponseLocation.";
    EP_10 "MD-EP-10" [W W W W]
        "an identity provider has only one SingleSignOnService per binding",
        "UK federation ukf-meta check_saml2",
        "Keep one of the services: a consumer uses one, and you cannot control which.";

    EP_11 "MD-EP-11" [E E E E] minor [E E W E]
        "the URL of an endpoint can be opened: it has a host that can exist, and no placeholder",
        "RFC 3986 3.2; RFC 9110 4.2; RFC 1123 2.1",
        "Write the real URL of the endpoint: https://, a host name and a path.";

    IDP_01 "MD-IDP-01" [E E E E]
        "an identity provider has a SingleSignOnService",
        "saml-metadata-2.0-os 2.4.3",
        "Add a SingleSignOnService: service providers send users to it for sign-in.";
    IDP_02 "MD-IDP-02" [W W O O]
        "an identity provider accepts requests by HTTP-Redirect and by HTTP-POST",
        "saml2int SDP-IDP02",
        "Add the missing binding: most service providers use HTTP-Redirect.";
    IDP_03 "MD-IDP-03" [E E E E]
        "an identity provider has a signing key",
        "saml2int SDP-MD08; eduGAIN Metadata Aggregation Practice Statement R1",
        "Add the certificate of the key that signs the assertions: service providers verify assertions with this key.";
    IDP_04 "MD-IDP-04" [W O O O]
        "an identity provider has a SingleLogoutService",
        "saml2int SDP-IDP33",
        "Add a SingleLogoutService if you want single logout.";
    IDP_05 "MD-IDP-05" [W W W W]
        "a saml:Attribute has a NameFormat",
        "UK federation ukf-meta check_saml2int",
        "Add NameFormat, usually urn:oasis:names:tc:SAML:2.0:attrname-format:uri.";

    IDP_06 "MD-IDP-06" [O O E O]
        "a browser can use the identity provider: it has a SingleSignOnService with HTTP-Redirect or HTTP-POST",
        "saml-profiles-2.0-os 4.1.3",
        "Add a SingleSignOnService with HTTP-Redirect or HTTP-POST: sign-in in a browser uses no other binding here.";

    SP_01 "MD-SP-01" [E E E E]
        "a service provider has an AssertionConsumerService",
        "saml-metadata-2.0-os 2.4.4",
        "Add an AssertionConsumerService: identity providers send assertions to it.";
    SP_02 "MD-SP-02" [W W W O]
        "a service provider accepts assertions by HTTP-POST",
        "saml2int SDP-SP08",
        "Add an AssertionConsumerService with HTTP-POST.";
    SP_03 "MD-SP-03" [W O O O]
        "a service provider has an encryption key",
        "saml2int SDP-MD08",
        "Add an encryption certificate if the service provider can decrypt assertions.";
    SP_04 "MD-SP-04" [E E E E]
        "a service provider that signs its requests has a signing key",
        "UK federation ukf-meta check_saml2_sp_signedrequests",
        "Add the certificate of the signing key, because identity providers verify the requests with it, or set AuthnRequestsSigned to false.";
    SP_05 "MD-SP-05" [W O O W]
        "a service provider requires signed assertions",
        "saml-metadata-2.0-os 2.4.4",
        "Set WantAssertionsSigned to true.";
    SP_06 "MD-SP-06" [E E E E]
        "an AttributeConsumingService has a name, at least one attribute and its own index",
        "saml-metadata-2.0-os 2.4.4.1",
        "Add ServiceName and RequestedAttribute, give each service its own index, and keep one default.";
    SP_07 "MD-SP-07" [W W W W]
        "a RequestedAttribute has the NameFormat that fits its Name",
        "UK federation ukf-meta check_reqattr",
        "Set NameFormat: a Name that is a URI needs urn:oasis:names:tc:SAML:2.0:attrname-format:uri.";
    SP_08 "MD-SP-08" [W W W W]
        "a DiscoveryResponse has the discovery binding and its own index",
        "sstc-saml-idp-discovery 2.5",
        "Set Binding to urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol, and give each DiscoveryResponse its own index.";

    NID_01 "MD-NID-01" [W W W W]
        "each NameIDFormat is known and listed only once, and unspecified is not the only format",
        "saml-metadata-2.0-os 2.4.2; saml-core-2.0-os 8.3",
        "List the formats that assertions really use.";
}
