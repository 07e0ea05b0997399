//! Keys, as a person or another program hands them over.

use rest_core::Secret;

/// Keys that sign calls to AWS.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the access key, such as `ASIA…`; no secret.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: Secret,
    /// What belongs to temporary keys; without it, AWS does not know them.
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
    fn neither_ours_nor_the_sdks_debug_output_shows_a_secret() {
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
