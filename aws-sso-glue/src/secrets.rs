//! Secrets of AWS Secrets Manager.

use rest_core::Secret;

use crate::{Aws, Error, SecretArn, service::Service};

impl Aws {
    /// Returns the current value of a secret, which must be a text. Needs the feature `secrets-manager`.
    ///
    /// The call goes to the Region of the ARN. It needs `secretsmanager:GetSecretValue` on the secret, and `kms:Decrypt` on its
    /// key if the key is customer-managed (Secrets Manager API reference, `GetSecretValue`).
    ///
    /// # Errors
    ///
    /// Fails if the secret does not exist or is marked for deletion, if the caller may not read it, if its value is binary, or
    /// if AWS does not answer.
    pub async fn secret(&self, secret: &SecretArn) -> Result<Secret, Error> {
        let client = self.secrets_manager(secret.region());
        let call = client.get_secret_value().secret_id(secret.as_str()).send();
        SERVICE
            .call_and_read(OPERATION, call, |response| {
                let text =
                    SERVICE.require_field(OPERATION, "SecretString", response.secret_string)?;
                Ok(Secret::new(text))
            })
            .await
    }
}

const SERVICE: Service = Service::SecretsManager;
const OPERATION: &str = "GetSecretValue";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, block_on, capture_log};

    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:scim/token-AbCdEf";

    fn read(replay: &Replay) -> Result<Secret, Error> {
        block_on(replay.connect().0.secret(&ARN.parse().expect("an ARN")))
    }

    #[test]
    fn a_secret_is_read_in_the_region_of_its_arn() {
        let replay = Replay::new().json(r#"{"SecretString": "hunter2"}"#);
        assert_eq!(read(&replay).expect("a secret").expose(), "hunter2");
        let request = &replay.requests()[0];
        assert_eq!(request.target(), "secretsmanager.GetSecretValue");
        assert_eq!(
            request.uri,
            "https://secretsmanager.eu-central-1.amazonaws.com/"
        );
        assert_eq!(request.body, format!(r#"{{"SecretId":"{ARN}"}}"#));
    }

    #[test]
    fn a_throttled_read_of_a_secret_is_repeated() {
        let replay = Replay::new()
            .refuse(400, "ThrottlingException", "Rate exceeded")
            .json(r#"{"SecretString": "hunter2"}"#);
        read(&replay).expect("a secret");
        assert_eq!(replay.requests().len(), 2);
    }

    #[test]
    fn no_log_contains_a_secret() {
        let replay = Replay::new().json(r#"{"SecretString": "hunter2"}"#);
        let log = capture_log(|| drop(read(&replay).expect("a secret")));
        assert!(
            log.contains("GetSecretValue") && !log.contains("hunter2"),
            "{log}"
        );
    }

    #[test]
    fn each_refusal_of_a_secret_has_its_advice() {
        for (code, advice) in [
            (
                "ResourceNotFoundException",
                "the Region has no secret with this ARN",
            ),
            (
                "AccessDeniedException",
                "allow `secretsmanager:GetSecretValue` on the secret",
            ),
            ("DecryptionFailure", "allow `kms:Decrypt`"),
            (
                "InvalidRequestException",
                "the secret may be marked for deletion",
            ),
        ] {
            let error = read(&Replay::new().refuse(400, code, "no")).expect_err("refused");
            assert_eq!(error.operation(), Some("secretsmanager GetSecretValue"));
            assert_eq!(
                (error.code(), error.request_id()),
                (Some(code), Some("request-1"))
            );
            assert!(
                error.help().expect("help").contains(advice),
                "{code}: {:?}",
                error.help()
            );
        }
    }

    #[test]
    fn a_binary_secret_is_refused_without_its_value() {
        let replay = Replay::new().json(r#"{"SecretBinary": "aHVudGVyMg=="}"#);
        let error = read(&replay).expect_err("not a text");
        assert!(
            error
                .help()
                .expect("help")
                .contains("store the value as a text")
        );
        assert!(!format!("{error:?}").contains("aHVudGVyMg"));
    }
}
