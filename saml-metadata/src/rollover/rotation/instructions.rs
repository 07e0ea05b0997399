//! The instructions of the steps.

use super::{AWS_SOURCE, Delivery, Provider, RotationRequest};

impl RotationRequest<'_> {
    pub(super) fn import_instructions(&self, keeps_key: bool) -> String {
        format!(
            "In the IAM Identity Center console, choose Settings, Identity source, Actions, Manage \
             authentication, and import {{file}}. All imported certificates are active: AWS then \
             accepts signatures by the old and by the new key. Do not delete the old certificate. \
             {}See {AWS_SOURCE}",
            match self.provider {
                _ if keeps_key => "",
                Provider::Okta => "In Okta, the new certificate stays inactive. ",
                Provider::Other => "Nothing signs with the new key yet. ",
            }
        )
    }

    pub(super) fn publish_instructions(&self, keeps_key: bool) -> String {
        let okta = match self.provider {
            Provider::Okta => {
                " The metadata URL of Okta has one certificate per key, so the partner needs this file."
            }
            Provider::Other => "",
        };
        let key = if keeps_key {
            "The signing key stays the same."
        } else {
            "Nothing signs with the new key yet."
        };
        format!(
            "Publish {{file}}, which has the old and the new certificate, and let {} load it. {key}{okta}",
            self.consumer.name
        )
    }

    pub(super) fn activate_instructions(&self) -> String {
        match self.provider {
            Provider::Okta => "In Okta, activate the new certificate in the app's Sign On tab, or \
                               send PUT /api/v1/apps/{id} with the new credentials.signing.kid."
                .to_owned(),
            Provider::Other => "Sign with the new key.".to_owned(),
        }
    }

    pub(super) fn verify_instructions(&self, new: &str) -> String {
        let aws = match self.consumer.delivery {
            Delivery::AwsConsole => " CloudTrail has an event ExternalIdPDirectoryLogin.",
            Delivery::Metadata => "",
        };
        format!(
            "Sign in, and verify that the response is signed with {new}.{aws} If the sign-in fails, \
             sign with the old key again: {} still accepts it.",
            self.consumer.name
        )
    }

    pub(super) fn retire_instructions(
        &self,
        old: &[String],
        keeps_key: bool,
        encrypts: bool,
    ) -> String {
        let old = old.join(", ");
        let first = if keeps_key {
            "If the software that signs sends its certificate with the signature, configure the new \
             certificate there first. "
        } else {
            ""
        };
        let encryption = if encrypts {
            " There, the old certificate is only for encryption: keep its key for decryption."
        } else {
            ""
        };
        match self.consumer.delivery {
            Delivery::AwsConsole => format!(
                "{first}In the same page of the IAM Identity Center console, delete the certificate {old}. \
                 At least one certificate must stay. {{file}} is the metadata from now on.{encryption}"
            ),
            Delivery::Metadata => {
                format!(
                    "{first}Publish {{file}}, which no longer has {old} for signatures.{encryption}"
                )
            }
        }
    }
}
