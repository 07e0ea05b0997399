//! Ids and ARNs of AWS resources, checked when they are parsed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The error of each id type's `parse`: the text does not have the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct ParseIdError {
    found: String,
    expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Parses ", $expected, ".")]
            ///
            /// # Errors
            ///
            /// Fails if `text` does not have the expected form. The error contains the text and the
            /// expected form.
            pub fn parse(text: &str) -> Result<Self, ParseIdError> {
                Self::try_from(text.to_owned())
            }

            /// Returns the id or ARN as a string, in AWS's form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                if $check(&text) {
                    Ok(Self(text))
                } else {
                    Err(ParseIdError { found: text, expected: $expected })
                }
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The id of an AWS account, 12 digits.
    ///
    /// ```
    /// use aws_sso_glue::AccountId;
    ///
    /// let account: AccountId = "123456789012".parse()?;
    /// assert_eq!(account.to_string(), "123456789012");
    /// let error = AccountId::parse("1234-5678-9012").unwrap_err();
    /// assert_eq!(error.to_string(), "`1234-5678-9012` is not an AWS account id (12 digits)");
    /// # Ok::<(), aws_sso_glue::ParseIdError>(())
    /// ```
    AccountId, "an AWS account id (12 digits)", is_account
);
id!(
    /// The id of a root (`r-…`) or of an organizational unit (`ou-…`).
    UnitId, "the id of a root or an organizational unit (r-… or ou-…)", is_unit
);
id!(
    /// The ARN of an IAM Identity Center instance, `arn:aws:sso:::instance/ssoins-…`.
    InstanceArn,
    "the ARN of an IAM Identity Center instance (arn:aws:sso:::instance/ssoins-…)",
    is_instance
);
id!(
    /// The ARN of a permission set, `arn:aws:sso:::permissionSet/ssoins-…/ps-…`.
    PermissionSetArn,
    "the ARN of a permission set (arn:aws:sso:::permissionSet/ssoins-…/ps-…)",
    is_permission_set
);
id!(
    /// The id of an identity store: `d-` and ten characters, or a UUID for old stores.
    IdentityStoreId, "the id of an identity store (d-…)", is_identity_store
);
id!(
    /// The id of a user in an identity store.
    UserId, "the id of a user in an identity store", is_principal
);
id!(
    /// The id of a group in an identity store.
    GroupId, "the id of a group in an identity store", is_principal
);
id!(
    /// The request id of an asynchronous write.
    RequestId, "the request id of an asynchronous operation", is_request
);

#[cfg(feature = "secrets-manager")]
mod secret {
    use std::{fmt, str::FromStr};

    use serde::{Deserialize, Serialize};

    use super::{ParseIdError, is_account};
    use crate::Partition;

    id!(
        /// The ARN of a secret in AWS Secrets Manager, `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`. Needs the feature
        /// `secrets-manager`.
        ///
        /// ```
        /// use aws_sso_glue::{Partition, SecretArn};
        ///
        /// let secret: SecretArn = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:scim-AbCdEf".parse()?;
        /// assert_eq!((secret.region(), secret.partition()), ("cn-north-1", Partition::AwsCn));
        /// # Ok::<(), aws_sso_glue::ParseIdError>(())
        /// ```
        SecretArn,
        "the ARN of a secret (arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-XXXXXX)",
        is_secret
    );

    impl SecretArn {
        /// Returns the Region that has the secret.
        #[must_use]
        pub fn region(&self) -> &str {
            self.0.split(':').nth(3).unwrap_or_default()
        }

        /// Returns the partition that has the secret.
        #[must_use]
        pub fn partition(&self) -> Partition {
            Partition::of_arn(&self.0).unwrap_or(Partition::Aws)
        }
    }

    /// Accepts a name of the characters that `CreateSecret` allows (Secrets Manager API reference), in a Region of the
    /// partition.
    fn is_secret(text: &str) -> bool {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, "secretsmanager", region, account, "secret", name] = *parts else {
            return false;
        };
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
        let is_region_byte =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let partition = Partition::of_arn(text);
        !region.is_empty()
            && region.bytes().all(is_region_byte)
            && partition.is_some_and(|partition| {
                Partition::of_region(region).is_none_or(|of_region| of_region == partition)
            })
            && is_account(account)
            && !name.is_empty()
            && name.bytes().all(is_name_byte)
    }

    #[cfg(test)]
    mod tests {
        use super::SecretArn;
        use crate::Partition;

        #[test]
        fn the_arn_of_a_secret_has_its_region_and_partition() {
            for (arn, region, partition) in [
                (
                    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:sync/scim_token-a1B2c3",
                    "eu-west-1",
                    Partition::Aws,
                ),
                (
                    "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:scim-a1B2c3",
                    "us-gov-west-1",
                    Partition::AwsUsGov,
                ),
                (
                    "arn:aws-eusc:secretsmanager:eusc-de-east-1:111122223333:secret:scim-a1B2c3",
                    "eusc-de-east-1",
                    Partition::Other("aws-eusc".to_owned()),
                ),
            ] {
                let arn = SecretArn::parse(arn).expect(arn);
                assert_eq!((arn.region(), arn.partition()), (region, partition));
            }
        }

        #[test]
        fn a_text_that_is_not_the_whole_arn_of_a_secret_is_refused() {
            for text in [
                "scim-token",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:scim token",
                // A part of the value, as Amazon ECS names it.
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:scim-a1B2c3:token::",
                "arn:aws:secretsmanager::111122223333:secret:scim-a1B2c3",
                "arn:aws:secretsmanager:evil.example/:111122223333:secret:scim-a1B2c3",
                "arn:aws:secretsmanager:eu-west-1:1111:secret:scim-a1B2c3",
                // The Region of another partition.
                "arn:aws:secretsmanager:cn-north-1:111122223333:secret:scim-a1B2c3",
                "arn:aws:ssm:eu-west-1:111122223333:secret:scim-a1B2c3",
            ] {
                SecretArn::parse(text).expect_err(text);
            }
        }
    }
}
#[cfg(feature = "secrets-manager")]
pub use secret::SecretArn;

// The patterns are from the service models "SSO Admin" and "IdentityStore".

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The patterns of the service model "Organizations": `^r-[0-9a-z]{4,32}$` and
/// `^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`.
fn is_unit(text: &str) -> bool {
    let is_part = |part: &str, min: usize| {
        (min..=32).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_unit = |(root, unit)| is_part(root, 4) && is_part(unit, 8);
    text.strip_prefix("r-").is_some_and(|root| is_part(root, 4))
        || text
            .strip_prefix("ou-")
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(is_unit)
}

fn is_instance(text: &str) -> bool {
    sso_resource(text, "instance/").is_some_and(is_instance_id)
}

fn is_permission_set(text: &str) -> bool {
    sso_resource(text, "permissionSet/")
        .and_then(|resource| resource.split_once('/'))
        .is_some_and(|(instance, set)| is_instance_id(instance) && is_prefixed_id(set, "ps-"))
}

fn is_identity_store(text: &str) -> bool {
    is_prefixed_id_of_length(text, "d-", 10) || is_uuid(text)
}

/// Accepts a UUID, or in old directories ten hexadecimal digits, a hyphen and a UUID.
fn is_principal(text: &str) -> bool {
    is_uuid(text)
        || text.split_once('-').is_some_and(|(directory, rest)| {
            directory.len() == 10
                && directory.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && is_uuid(rest)
        })
}

fn is_request(text: &str) -> bool {
    is_uuid(text)
}

fn sso_resource<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
    let partition_is_aws = partition.starts_with("aws")
        && partition
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    rest.strip_prefix("sso:::")?
        .strip_prefix(kind)
        .filter(|_| partition_is_aws)
}

fn is_instance_id(text: &str) -> bool {
    is_prefixed_id(text, "ssoins-") || is_prefixed_id(text, "ins-")
}

fn is_prefixed_id(text: &str, prefix: &str) -> bool {
    is_prefixed_id_of_length(text, prefix, 16)
}

fn is_prefixed_id_of_length(text: &str, prefix: &str, length: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == length
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    })
}

/// Accepts any string in the form of a UUID. The characters need not be hexadecimal.
fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    lengths.iter().all(|&length| {
        parts.next().is_some_and(|part| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{
        AccountId, GroupId, IdentityStoreId, InstanceArn, PermissionSetArn, RequestId, UserId,
    };

    #[test]
    fn ids_that_match_the_service_model_are_accepted() {
        for instance in [
            "arn:aws:sso:::instance/ssoins-1234567890abcdef",
            "arn:aws-us-gov:sso:::instance/ssoins-1234567890abcdef",
        ] {
            assert_eq!(
                InstanceArn::parse(instance).expect(instance).as_str(),
                instance
            );
        }
        PermissionSetArn::parse(
            "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef",
        )
        .expect("a permission set");
        IdentityStoreId::parse("d-9067642ac7").expect("an identity store");
        UserId::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6").expect("a user");
        GroupId::parse("906764a2c7-f81d4fae-7dec-11d0-a765-00a0c91e6bf6").expect("a group");
        RequestId::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6").expect("a request");
    }

    #[track_caller]
    fn assert_rejected<T: std::fmt::Debug>(result: Result<T, super::ParseIdError>, text: &str) {
        assert_eq!(result.expect_err("must not parse").to_string(), text);
    }

    #[test]
    fn a_parse_error_contains_the_text_and_the_expected_form() {
        assert_rejected(
            AccountId::parse("12345678901"),
            "`12345678901` is not an AWS account id (12 digits)",
        );
        assert_rejected(
            InstanceArn::parse("arn:aws:iam:::instance/ssoins-1234567890abcdef"),
            "`arn:aws:iam:::instance/ssoins-1234567890abcdef` is not the ARN of an IAM Identity Center \
             instance (arn:aws:sso:::instance/ssoins-…)",
        );
        assert_rejected(
            PermissionSetArn::parse("arn:aws:sso:::instance/ssoins-1234567890abcdef"),
            "`arn:aws:sso:::instance/ssoins-1234567890abcdef` is not the ARN of a permission set \
             (arn:aws:sso:::permissionSet/ssoins-…/ps-…)",
        );
        assert_rejected(
            IdentityStoreId::parse("d-90676"),
            "`d-90676` is not the id of an identity store (d-…)",
        );
        assert_rejected(
            UserId::parse("ada"),
            "`ada` is not the id of a user in an identity store",
        );
        assert_rejected(
            GroupId::parse(""),
            "`` is not the id of a group in an identity store",
        );
    }

    #[test]
    fn an_id_is_checked_when_it_is_deserialized() {
        let account: AccountId = serde_json::from_str("\"123456789012\"").expect("an account");
        assert_eq!(
            serde_json::to_string(&account).expect("JSON"),
            "\"123456789012\""
        );
        let error = serde_json::from_str::<AccountId>("\"1\"").expect_err("too short");
        assert_eq!(
            error.to_string(),
            "`1` is not an AWS account id (12 digits)"
        );
    }
}
