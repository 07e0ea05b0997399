//! Rules of single products: will that one take the file?

use super::table;

table! {
    AWS_01 "MD-AWS-01" [only AwsIdentityCenter E]
        "the file has at most 75,000 characters",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "Take the metadata of the one app, not of a whole federation.";
    AWS_02 "MD-AWS-02" [only AwsIdentityCenter E]
        "the file describes one identity provider with entityID, signing certificate and SingleSignOnService",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "Download the identity provider's metadata of the app once more.";
    AWS_03 "MD-AWS-03" [only AwsIdentityCenter E] mild [only AwsIdentityCenter W]
        "the file has no encryption key",
        "AWS IAM Identity Center user guide: an encryption key is not supported",
        "Remove the encryption key; Identity Center does not encrypt.";
    AWS_04 "MD-AWS-04" [only AwsIdentityCenter E]
        "the identity provider can send the email address as NameID",
        "AWS IAM Identity Center user guide, Using SAML and SCIM identity federation with external identity providers",
        "Let the app's Name ID format be EmailAddress, equal to the SCIM userName.";
    AWS_05 "MD-AWS-05" [only AwsIdentityCenter W]
        "a certificate has at most 2,500 characters as PEM",
        "AWS IAM Identity Center quotas, IdP certificate file",
        "Make a certificate with a shorter name or a smaller key, such as RSA of 2048 bits.";
    AWS_06 "MD-AWS-06" [only AwsIdentityCenter W]
        "users are sent to an https address by HTTP-POST or HTTP-Redirect",
        "observed",
        "Add a SingleSignOnService with HTTP-Redirect or HTTP-POST and an https address.";
    AWS_07 "MD-AWS-07" [only AwsIdentityCenter I]
        "the file has one signing certificate",
        "not documented; only a live instance can tell",
        "Look in Identity Center after the upload which certificates were taken, and add the others there.";

    AWSSP_01 "MD-AWSSP-01" [only AwsIdentityCenterSp E]
        "the file is the one that IAM Identity Center hands out: its issuer and assertion consumer addresses",
        "AWS IAM Identity Center user guide, Workforce access through an additional Region",
        "Download the service provider metadata again from Settings, Identity source.";
    AWSSP_02 "MD-AWSSP-02" [only AwsIdentityCenterSp W]
        "there is an assertion consumer address of the current form",
        "AWS IAM Identity Center user guide, Workforce access through an additional Region",
        "Nothing for instances enabled before February 2026; others do not use this address.";

    OKTA_01 "MD-OKTA-01" [only Okta E] mild [only Okta W]
        "the file has the shape in which Okta hands out an app's identity provider",
        "observed; Okta Management API, Preview the application SAML metadata",
        "Download the metadata again from the app's Sign On tab.";
    OKTA_02 "MD-OKTA-02" [only Okta I]
        "the text was not decoded as ISO-8859-1 on the way",
        "observed: Okta answers with charset=ISO-8859-1 for UTF-8",
        "Hand the bytes of the answer to the reader, without decoding them first.";

    GCP_01 "MD-GCP-01" [only GoogleWorkforce E] mild [only GoogleWorkforce W]
        "the file is short enough, and has one to three signing certificates whose dates Google takes",
        "Google Cloud IAM API v1, WorkforcePoolProvider Saml.idpMetadataXml",
        "Remove certificates that are not used any more, and make new ones that start now and last at most 15 years.";

    IAM_01 "MD-IAM-01" [only AwsIam E]
        "the file has 1,000 to 10,000,000 characters",
        "AWS IAM API reference, CreateSAMLProvider, SAMLMetadataDocument",
        "Take the metadata of the one app, with its certificate.";

    OS_01 "MD-OS-01" [only OpenSearch E]
        "the file has at most 1,048,576 characters, and its entityID 8 to 512",
        "Amazon OpenSearch Service API reference, SAMLIdp",
        "Take the metadata of the one app, and give its entity an entityID of a usual length.";
}
