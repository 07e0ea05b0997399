//! Who calls.

use crate::{AccountId, Aws, Credentials, Error, service::Service};

/// The owner of a set of credentials, as AWS sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The user, or the role and the session in it.
    pub arn: String,
}

impl Aws {
    /// Returns who this connection calls as; needs no permission.
    ///
    /// # Errors
    ///
    /// If the credentials are missing, expired or unknown, or AWS does not answer.
    pub async fn caller(&self) -> Result<Caller, Error> {
        caller(self.sts()).await
    }

    /// Returns whose `credentials` these are, which proves that AWS accepts them.
    ///
    /// # Errors
    ///
    /// If the credentials are expired or unknown, or AWS does not answer.
    pub async fn prove(&self, credentials: Credentials) -> Result<Caller, Error> {
        caller(&self.sts_as(credentials)).await
    }
}

async fn caller(sts: &aws_sdk_sts::Client) -> Result<Caller, Error> {
    let answer = Service::Sts
        .call(OPERATION, sts.get_caller_identity().send())
        .await?;
    Ok(Caller {
        account: Service::Sts.id(OPERATION, "Account", answer.account)?,
        arn: Service::Sts.require_field(OPERATION, "Arn", answer.arn)?,
    })
}

const OPERATION: &str = "GetCallerIdentity";

#[cfg(test)]
mod tests {
    use rest_core::Secret;

    use crate::{
        Credentials,
        replay::{Replay, block_on},
    };

    const ANSWER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:sts::111111111111:assumed-role/Admin/ada</Arn>\
        <UserId>AROAEXAMPLE:ada</UserId><Account>111111111111</Account></GetCallerIdentityResult>\
        </GetCallerIdentityResponse>";

    #[test]
    fn the_caller_is_an_account_and_a_name() {
        let (aws, _) = Replay::new().xml(200, ANSWER).connect();
        let caller = block_on(aws.caller()).expect("a caller");
        assert_eq!(caller.account.as_str(), "111111111111");
        assert_eq!(
            caller.arn,
            "arn:aws:sts::111111111111:assumed-role/Admin/ada"
        );
    }

    #[test]
    fn other_credentials_are_proved_by_signing_with_them() {
        let replay = Replay::new().xml(200, ANSWER);
        let (aws, _) = replay.connect();
        let credentials = Credentials {
            access_key_id: "ASIAOTHER".to_owned(),
            secret_access_key: Secret::new("hunter2"),
            session_token: Some(Secret::new("of the session")),
        };
        block_on(aws.prove(credentials)).expect("a caller");
        let request = &replay.requests()[0];
        assert!(
            request
                .header("authorization")
                .contains("Credential=ASIAOTHER/")
        );
        assert_eq!(request.header("x-amz-security-token"), "of the session");
    }

    #[test]
    fn expired_credentials_are_told_from_unknown_ones() {
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
            assert!(error.is_unauthenticated() && !error.is_access_denied());
            assert!(
                error.help().expect("help").starts_with(help),
                "{code}: {:?}",
                error.help()
            );
            assert!(
                clock.slept().is_empty(),
                "no second attempt makes a key known"
            );
        }
    }
}
