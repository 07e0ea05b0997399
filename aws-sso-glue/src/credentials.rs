//! Explicit credentials.

use aws_credential_types::provider::SharedCredentialsProvider;
use rest_core::Secret;

/// Keys that sign calls to AWS, as a source of credentials of a connection.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the access key, such as `ASIA…`. It is not secret.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token. AWS accepts temporary keys only with their token.
    pub session_token: Option<Secret>,
}

impl From<Credentials> for SharedCredentialsProvider {
    fn from(keys: Credentials) -> Self {
        Self::new(aws_credential_types::Credentials::new(
            keys.access_key_id,
            keys.secret_access_key.expose(),
            keys.session_token.map(|token| token.expose().to_owned()),
            None,
            "explicit",
        ))
    }
}

#[cfg(test)]
mod tests {
    use rest_core::Secret;

    use super::{Credentials, SharedCredentialsProvider};

    #[test]
    fn debug_output_of_this_crate_and_the_sdk_contains_no_secret() {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: Some(Secret::new("hunter3")),
        };
        let ours = format!("{credentials:?}");
        let sdk = format!("{:?}", SharedCredentialsProvider::from(credentials));
        assert!(ours.contains("ASIAEXAMPLE"), "{ours}");
        for output in [&ours, &sdk] {
            assert!(!output.contains("hunter"), "{output}");
        }
    }
}
