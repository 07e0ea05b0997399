//! Explicit credentials.

use rest_core::Secret;

/// Keys that sign calls to AWS.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the access key, such as `ASIA…`. It is not secret.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token. AWS accepts temporary keys only with their token.
    pub session_token: Option<Secret>,
}

impl Credentials {
    pub(crate) fn into_sdk(self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            self.access_key_id,
            self.secret_access_key.expose(),
            self.session_token.map(|token| token.expose().to_owned()),
            None,
            "explicit",
        )
    }
}

#[cfg(test)]
mod tests {
    use rest_core::Secret;

    use super::Credentials;

    #[test]
    fn debug_output_of_this_crate_and_the_sdk_contains_no_secret() {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: Some(Secret::new("hunter3")),
        };
        let ours = format!("{credentials:?}");
        let sdk = format!("{:?}", credentials.into_sdk());
        for output in [&ours, &sdk] {
            assert!(output.contains("ASIAEXAMPLE"), "{output}");
            assert!(!output.contains("hunter"), "{output}");
        }
    }
}
