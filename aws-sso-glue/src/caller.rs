//! The caller: the account and the name that a connection's credentials belong to.

use crate::{AccountId, Aws, Credentials, Error, service::Service};

/// The identity that credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The ARN of the user, or of the role and its session.
    pub arn: String,
}

impl Aws {
    /// Returns the identity of this connection's credentials. This call needs no permission.
    ///
    /// # Errors
    ///
    /// Fails if the credentials are missing, expired or unknown to AWS, or if AWS does not answer.
    pub async fn caller(&self) -> Result<Caller, Error> {
        caller(self.sdk().sts()).await
    }

    /// Verifies that AWS accepts `credentials`, and returns their identity.
    ///
    /// # Errors
    ///
    /// Fails if the credentials are expired or unknown to AWS, or if AWS does not answer.
    pub async fn verify_credentials(&self, credentials: Credentials) -> Result<Caller, Error> {
        caller(&self.sts_as(credentials)).await
    }
}

async fn caller(sts: &aws_sdk_sts::Client) -> Result<Caller, Error> {
    let call = sts.get_caller_identity().send();
    Service::Sts
        .call_and_read(OPERATION, call, |response| {
            Ok(Caller {
                account: Service::Sts.id(OPERATION, "Account", response.account)?,
                arn: Service::Sts.require_field(OPERATION, "Arn", response.arn)?,
            })
        })
        .await
}

const OPERATION: &str = "GetCallerIdentity";

#[cfg(test)]
mod tests {
    use rest_core::Secret;

    use crate::{
        Credentials,
        replay::{Replay, block_on},
    };

    const RESPONSE: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:sts::111111111111:assumed-role/Admin/ada</Arn>\
        <UserId>AROAEXAMPLE:ada</UserId><Account>111111111111</Account></GetCallerIdentityResult>\
        </GetCallerIdentityResponse>";

    #[test]
    fn the_caller_has_an_account_and_an_arn() {
        let (aws, _) = Replay::new().xml(200, RESPONSE).connect();
        let caller = block_on(aws.caller()).expect("a caller");
        assert_eq!(caller.account.as_str(), "111111111111");
        assert_eq!(
            caller.arn,
            "arn:aws:sts::111111111111:assumed-role/Admin/ada"
        );
    }

    #[test]
    fn credentials_are_verified_with_a_request_that_they_sign() {
        let replay = Replay::new().xml(200, RESPONSE);
        let (aws, _) = replay.connect();
        let credentials = Credentials {
            access_key_id: "ASIAOTHER".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: Some(Secret::new("session token")),
        };
        block_on(aws.verify_credentials(credentials)).expect("a caller");
        let request = &replay.requests()[0];
        assert!(
            request
                .header("authorization")
                .contains("Credential=ASIAOTHER/")
        );
        assert_eq!(request.header("x-amz-security-token"), "session token");
    }

    #[test]
    fn expired_and_unknown_credentials_have_different_help_texts() {
        let refusal = |code: &str| {
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                 <Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>\
                 <RequestId>r-1</RequestId></ErrorResponse>"
            )
        };
        for (code, help) in [
            ("ExpiredToken", "the credentials have expired"),
            ("InvalidClientTokenId", "AWS does not know the access key"),
            (
                "SignatureDoesNotMatch",
                "the secret access key does not belong",
            ),
        ] {
            let (aws, clock) = Replay::new().xml(403, &refusal(code)).connect();
            let error = block_on(aws.caller()).expect_err("must be refused");
            assert_eq!(error.code(), Some(code));
            assert!(error.is_unauthenticated() && !error.is_permission_denied());
            assert!(
                error.help().expect("help").starts_with(help),
                "{code}: {:?}",
                error.help()
            );
            assert!(
                clock.slept().is_empty(),
                "a retry does not make a key known"
            );
        }
    }
}
