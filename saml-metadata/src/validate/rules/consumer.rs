//! Rules of single products: the requirements that each product has for the file.

use super::table;

table! {
    AWS_01 "MD-AWS-01" [only AwsIdentityCenter E]
        "the file has at most 75,000 characters",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "IAM Identity Center accepts no larger file. Use the metadata of this one app, not the metadata of a whole federation.";
    AWS_02 "MD-AWS-02" [only AwsIdentityCenter E]
        "the file describes one identity provider with an entityID, a signing certificate and a SingleSignOnService",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "Download the app's identity provider metadata again: IAM Identity Center needs one identity provider with an entityID, a signing certificate and a SingleSignOnService.";
    AWS_03 "MD-AWS-03" [only AwsIdentityCenter W] minor [only AwsIdentityCenter W]
        "the file has no encryption key",
        "AWS IAM Identity Center user guide: an encryption key is not supported",
        "Remove the encryption key, and mark each remaining key with use=\"signing\": IAM Identity Center does not encrypt.";
    AWS_04 "MD-AWS-04" [only AwsIdentityCenter W]
        "the identity provider supports the NameID format emailAddress",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "Set the app's Name ID format to EmailAddress. IAM Identity Center finds the user by this value, so it must equal the SCIM userName.";
    AWS_05 "MD-AWS-05" [only AwsIdentityCenter W]
        "a certificate has at most 2,500 characters as PEM",
        "AWS IAM Identity Center quotas, IdP certificate file",
        "IAM Identity Center has a quota for the size of a certificate. Create a certificate with a shorter subject name or a smaller key, for example RSA with 2048 bits.";
    AWS_06 "MD-AWS-06" [only AwsIdentityCenter W]
        "each SingleSignOnService has an https URL",
        "observed",
        "IAM Identity Center sends users to this URL for sign-in. Serve the SingleSignOnService over https.";
    AWS_07 "MD-AWS-07" [only AwsIdentityCenter I]
        "the file has one signing certificate",
        "not documented; only a test with a live instance can confirm the rule",
        "After the upload, check in IAM Identity Center which certificates it imported, and add the missing ones there.";

    AWSSP_01 "MD-AWSSP-01" [only AwsIdentityCenterSp E]
        "the file is the service provider metadata of IAM Identity Center, with its issuer and its assertion consumer service (ACS) URLs",
        "AWS IAM Identity Center user guide, Workforce access through an additional Region",
        "In IAM Identity Center, open Settings, Identity source, and download the service provider metadata again.";
    AWSSP_02 "MD-AWSSP-02" [only AwsIdentityCenterSp W]
        "at least one assertion consumer service (ACS) URL has the current form",
        "AWS IAM Identity Center user guide, Workforce access through an additional Region",
        "Instances enabled before February 2026 need no change. Newer instances do not have the classic URL: download the metadata again.";
    AWSSP_03 "MD-AWSSP-03" [only AwsIdentityCenterSp W]
        "the hosts of the issuer and of the assertion consumer service (ACS) URLs are documented",
        "not documented for AWS GovCloud (US) and China; only a test with a live instance can confirm the hosts",
        "Compare the URLs with the console of IAM Identity Center, and sign in as a test user.";

    OKTA_01 "MD-OKTA-01" [only Okta E] minor [only Okta W]
        "the file has the structure of the identity provider metadata that Okta generates for an app",
        "observed; Okta Management API, Preview the application SAML metadata",
        "The file may have been edited, or may not come from Okta. Download the metadata again from the app's Sign On tab.";
    OKTA_02 "MD-OKTA-02" [only Okta I]
        "the text was never decoded as ISO-8859-1",
        "observed: Okta sends UTF-8 with the header value charset=ISO-8859-1",
        "Pass the bytes of Okta's response to the reader, without decoding them first.";

    GCP_01 "MD-GCP-01" [only GoogleWorkforce E] minor [only GoogleWorkforce W]
        "the file has at most 131,072 characters, and one to three signing certificates with dates that Google accepts",
        "Google Cloud IAM API v1, WorkforcePoolProvider Saml.idpMetadataXml",
        "Google rejects other files. Remove unused certificates, and create new ones that are valid from now on and for at most 15 years.";

    IAM_01 "MD-IAM-01" [only AwsIam E]
        "the file describes one identity provider, and has 1,000 to 10,000,000 characters",
        "AWS IAM API reference, CreateSAMLProvider, SAMLMetadataDocument",
        "AWS IAM accepts no other size. Use the metadata of this one app, with its certificate.";

    OS_01 "MD-OS-01" [only OpenSearch E]
        "the file describes one identity provider, has at most 1,048,576 characters, and has an entityID of 8 to 512 characters",
        "Amazon OpenSearch Service API reference, SAMLIdp",
        "Amazon OpenSearch Service accepts no other sizes. Use the metadata of this one app, with an entityID of 8 to 512 characters.";
}
