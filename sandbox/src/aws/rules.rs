//! Constraints from the service models (botocore 1.44: sso-admin, identitystore, organizations).

use super::params::Rule;
use crate::characters::{MAX_EXTERNAL_ID, MAX_TEXT, MAX_USER_NAME, is_space, is_visible};

/// An account id: twelve digits.
pub(crate) const ACCOUNT_ID: Rule = rule(12, 12, r"\d{12}", is_account);

/// The ARN of an Identity Center instance.
pub(crate) const INSTANCE_ARN: Rule = rule(
    10,
    1224,
    r"arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}",
    is_instance,
);

/// The ARN of a permission set.
pub(crate) const PERMISSION_SET_ARN: Rule = rule(
    10,
    1224,
    r"arn:aws(-[a-z]{1,5}){0,3}:sso:::permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}",
    is_permission_set,
);

/// The ARN of a resource in sso-admin that can have tags.
pub(crate) const TAGGABLE_ARN: Rule = rule(
    10,
    2048,
    r"arn:aws(-[a-z]{1,5}){0,3}:sso::((:instance/(sso)?ins-[a-zA-Z0-9-.]{16})|(:permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}))",
    |text| is_instance(text) || is_permission_set(text),
);

/// The name of a Region.
pub(crate) const REGION_NAME: Rule = rule(1, 32, r"([a-z]+-){2,3}\d", super::sigv4::is_region);

/// The maximum number of items in each list of a network configuration (botocore model, `VpcArnList`, `IpCidrList`,
/// `ApplicationArnList`).
pub(crate) const MAX_NETWORK_ITEMS: usize = 50;

/// The ARN of a virtual private cloud.
pub(crate) const VPC_ARN: Rule = rule(
    43,
    128,
    r"arn:aws(-[a-z]{1,5}){0,3}:ec2:[a-z0-9-]+:[0-9]{12}:vpc/vpc-([0-9a-f]){8}(([0-9a-f]){9})?",
    is_vpc_arn,
);

/// The ARN or the id of a virtual private cloud.
pub(crate) const VPC: Rule = rule(
    12,
    128,
    r"(arn:aws(-[a-z]{1,5}){0,3}:ec2:[a-z]{2,4}(-[a-z]{1,10}){1,3}-[0-9]{1,2}:[0-9]{12}:vpc/)?vpc-([0-9a-f]){8}(([0-9a-f]){9})?",
    |text| is_vpc(text) || is_vpc_arn(text),
);

/// A range of IP addresses, such as `192.0.2.0/24`.
pub(crate) const IP_RANGE: Rule = rule(2, 43, "IP address or CIDR block", |text| {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    let max = if address.contains(':') { 128 } else { 32 };
    address.parse::<std::net::IpAddr>().is_ok()
        && length.parse::<u8>().is_ok_and(|length| length <= max)
});

/// The ARN of an application.
pub(crate) const APPLICATION_ARN: Rule = rule(
    10,
    1224,
    r"arn:aws(-[a-z]{1,5}){0,3}:[a-z0-9-]+:[a-z0-9-*]*:[0-9]{12}:[-a-zA-Z0-9./:_*]+",
    |text| after_partition(text).is_some_and(|rest| rest.split(':').count() >= 5),
);

/// The name of a permission set: no spaces.
pub(crate) const PERMISSION_SET_NAME: Rule = rule(1, 32, r"[\w+=,.@-]+", is_name);

/// The name of an instance.
pub(crate) const INSTANCE_NAME: Rule = rule(0, 255, r"[\w+=,.@-]+", is_name);

/// The description of a permission set.
pub(crate) const DESCRIPTION: Rule = rule(
    1,
    700,
    r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
    |text| {
        text.chars()
            .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
    },
);

/// An ISO 8601 duration; a separate rule limits the length of a session.
pub(crate) const SESSION_DURATION: Rule = rule(
    1,
    100,
    r"(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    |text| {
        text.trim_start_matches('-').starts_with('P')
            && !text.contains(|letter: char| letter.is_ascii_lowercase())
            && text.parse::<jiff::Span>().is_ok()
    },
);

/// The relay state: the URL at which a session of a permission set starts.
pub(crate) const RELAY_STATE: Rule = rule(
    1,
    240,
    r#"[a-zA-Z0-9&$@#\\\/%?=~\-_'"|!:,.;*+\[\]\ \(\)\{\}]+"#,
    |text| {
        !text.is_empty()
            && text.chars().all(|c| {
                c.is_ascii_alphanumeric() || r#"&$@#\/%?=~-_'"|!:,.;*+[] (){}"#.contains(c)
            })
    },
);

/// The ARN of an AWS managed policy.
pub(crate) const MANAGED_POLICY_ARN: Rule = rule(
    20,
    2048,
    r"arn:aws(-[a-z]{1,5}){0,3}:iam::aws:policy((/[A-Za-z0-9\.,\+@=_-]+)*)/([A-Za-z0-9\.,\+=@_-]+)",
    |text| {
        after_partition(text)
            .and_then(|rest| rest.strip_prefix(":iam::aws:policy/"))
            .is_some_and(|path| path.split('/').all(is_path_part))
    },
);

/// The name of a customer managed policy.
pub(crate) const POLICY_NAME: Rule = rule(1, 128, r"[\w+=,.@-]+", is_name);

/// The path of a customer managed policy.
pub(crate) const POLICY_PATH: Rule = rule(1, 512, r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", |text| {
    text == "/"
        || (text.starts_with('/')
            && text.ends_with('/')
            && text[1..text.len() - 1].split('/').all(is_path_part))
});

/// The text of an inline policy.
pub(crate) const INLINE_POLICY: Rule =
    rule(1, 32_768, r"[\u0009\u000A\u000D\u0020-\u00FF]+", |text| {
        text.chars()
            .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
    });

/// The id of an assigned user or group.
pub(crate) const PRINCIPAL_ID: Rule = rule(
    1,
    47,
    r"([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
    is_resource,
);

/// The id of an asynchronous operation.
pub(crate) const REQUEST_ID: Rule = rule(
    36,
    36,
    r"\b[0-9a-f]{8}\b-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-\b[0-9a-f]{12}\b",
    is_uuid,
);

/// The key of a tag.
pub(crate) const TAG_KEY: Rule = rule(1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", is_tag);

/// The value of a tag.
pub(crate) const TAG_VALUE: Rule = rule(0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", is_tag);

/// The key of an attribute for access control.
pub(crate) const ATTRIBUTE_KEY: Rule = rule(1, 128, r"[\p{L}\p{Z}\p{N}_.:\/=+\-@]+", is_tag);

/// The source of the value of an attribute for access control.
pub(crate) const ATTRIBUTE_SOURCE: Rule = rule(
    0,
    256,
    r#"[\p{L}\p{Z}\p{N}_.:\/=+\-@\[\]\{\}\$\\"]*"#,
    |text| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || r#"_.:/=+-@[]{}$\""#.contains(c))
    },
);

/// A pagination token of sso-admin.
pub(crate) const ADMIN_TOKEN: Rule = rule(0, 2048, r"[-a-zA-Z0-9+=/_]*", |text| {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-+=/_".contains(c))
});

/// A pagination token of the Identity Store.
pub(crate) const STORE_TOKEN: Rule = rule(1, 65_535, r"[-a-zA-Z0-9+=/:_]*", |text| {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-+=/:_".contains(c))
});

/// A pagination token of Organizations.
pub(crate) const ORGANIZATIONS_TOKEN: Rule = rule(0, 100_000, r"[\s\S]*", |_| true);

/// A service principal.
pub(crate) const SERVICE_PRINCIPAL: Rule = rule(1, 128, r"[\w+=,.@-]*", is_name);

/// The id of a root or an organizational unit.
pub(crate) const PARENT_ID: Rule = rule(
    0,
    100,
    r"^(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$",
    |text| text.starts_with("r-") || text.starts_with("ou-"),
);

/// The name of a new account.
pub(crate) const ACCOUNT_NAME: Rule = rule(1, 50, r"[\u0020-\u007E]+", |text| {
    text.chars().all(|c| matches!(c, ' '..='~'))
});

/// The email address of the root user of a new account.
pub(crate) const ACCOUNT_EMAIL: Rule = rule(6, 64, r"[^\s@]+@[^\s@]+\.[^\s@]+", |text| {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !text.contains(char::is_whitespace)
            && !domain.contains('@')
            && domain
                .rsplit_once('.')
                .is_some_and(|(host, top)| !host.is_empty() && !top.is_empty())
    })
});

/// The id of the creation of an account.
pub(crate) const CREATION_ID: Rule = rule(0, 36, r"^car-[a-z0-9]{8,32}$", |text| {
    text.starts_with("car-")
});

/// The id of an organizational unit.
pub(crate) const UNIT_ID: Rule = rule(0, 68, r"^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$", |text| {
    text.starts_with("ou-")
});

/// The id of a root, an organizational unit or an account.
pub(crate) const TARGET_ID: Rule = rule(
    0,
    130,
    r"^(r-[0-9a-z]{4,32})|(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$",
    |text| text.starts_with("r-") || text.starts_with("ou-") || is_account(text),
);

/// The id or the ARN of an identity store.
pub(crate) const IDENTITY_STORE_ID: Rule = rule(
    1,
    93,
    r"d-[0-9a-f]{10}$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    |text| {
        let id = match text.rsplit_once(":identitystore/") {
            Some((arn, id)) if arn.starts_with("arn:aws") => id,
            Some(_) => return false,
            None => text,
        };
        is_uuid(id)
            || id
                .strip_prefix("d-")
                .is_some_and(|digits| is_hex(digits, 10))
    },
);

/// The id or the ARN of a user, group or membership.
pub(crate) const RESOURCE_ID: Rule = rule(
    1,
    100,
    r"([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
    |text| is_resource(text.rsplit_once('/').map_or(text, |(_, id)| id)),
);

/// The path of an attribute, such as `name.givenName`.
pub(crate) const ATTRIBUTE_PATH: Rule = rule(
    1,
    255,
    r"(?:\p{L}+:\p{L}+:\p{L}+(?:\.\p{L}+){0,3}|\p{L}+(?:\.\p{L}+){0,2})",
    |text| {
        text.split(['.', ':'])
            .all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic))
    },
);

/// A name, a title or another text of a user or group, or the value of a filter (`SensitiveStringType`, `GroupDisplayName`).
pub(crate) const ATTRIBUTE_VALUE: Rule = rule(
    1,
    MAX_TEXT,
    "[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r \u{a0}\u{3000}]+",
    |text| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| is_visible(c) || is_space(c) || matches!(c, '\t' | '\n' | '\r'))
    },
);

/// The name of a user, without white space.
pub(crate) const USER_NAME: Rule = rule(1, MAX_USER_NAME, VISIBLE, is_visible_text);

/// The issuer of an external id, or the id.
pub(crate) const EXTERNAL_ID: Rule = rule(1, MAX_EXTERNAL_ID, VISIBLE, is_visible_text);

const VISIBLE: &str = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+";

fn is_visible_text(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_visible)
}

/// The revision of a user or group.
pub(crate) const REVISION: Rule = rule(1, 64, r"[0-9]+", |text| {
    text.chars().all(|c| c.is_ascii_digit())
});

const fn rule(min: usize, max: usize, pattern: &'static str, matches: fn(&str) -> bool) -> Rule {
    Rule {
        min,
        max,
        pattern,
        matches,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_instance(text: &str) -> bool {
    after_partition(text)
        .and_then(|rest| rest.strip_prefix(":sso:::instance/"))
        .is_some_and(is_instance_id)
}

fn is_permission_set(text: &str) -> bool {
    after_partition(text)
        .and_then(|rest| rest.strip_prefix(":sso:::permissionSet/"))
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(instance, set)| {
            is_instance_id(instance)
                && set.strip_prefix("ps-").is_some_and(|id| {
                    id.len() == 16
                        && id
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte))
                })
        })
}

fn is_instance_id(text: &str) -> bool {
    text.strip_prefix("sso")
        .unwrap_or(text)
        .strip_prefix("ins-")
        .is_some_and(|id| {
            id.len() == 16
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        })
}

fn is_vpc(text: &str) -> bool {
    text.strip_prefix("vpc-")
        .is_some_and(|digits| is_hex(digits, 8) || is_hex(digits, 17))
}

fn is_vpc_arn(text: &str) -> bool {
    let parts = after_partition(text).and_then(|rest| rest.strip_prefix(":ec2:"));
    let parts: Vec<&str> = parts.unwrap_or_default().split(':').collect();
    match parts.as_slice() {
        [region, account, vpc] => {
            super::sigv4::is_region(region)
                && is_account(account)
                && vpc.strip_prefix("vpc/").is_some_and(is_vpc)
        }
        _ => false,
    }
}

/// Returns the text after `arn:aws`, `arn:aws-cn` or `arn:aws-us-gov`.
fn after_partition(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("arn:aws")?;
    let end = rest.find(':')?;
    let partition = &rest[..end];
    let parts = partition.split('-').skip(1);
    let is_partition = partition.is_empty()
        || (partition.starts_with('-')
            && partition.matches('-').count() <= 3
            && parts.into_iter().all(|part| {
                (1..=5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
            }));
    is_partition.then_some(&rest[end..])
}

fn is_name(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

fn is_path_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".,+@=_-".contains(c))
}

fn is_tag(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c))
}

fn is_resource(text: &str) -> bool {
    match text.len() {
        36 => is_uuid(&text.to_ascii_lowercase()),
        47 => {
            text.is_ascii()
                && is_hex(&text[..10], 10)
                && text.as_bytes()[10] == b'-'
                && is_uuid(&text[11..].to_ascii_lowercase())
        }
        _ => false,
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 5
        && parts
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(part, length)| is_hex(part, length))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &Rule, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!((rule.matches)(text), "{text} should match {}", rule.pattern);
        }
        for text in bad {
            assert!(
                !(rule.matches)(text),
                "{text} should not match {}",
                rule.pattern
            );
        }
    }

    #[test]
    fn an_instance_arn_is_not_a_permission_set_arn() {
        let instance = "arn:aws:sso:::instance/ssoins-7223b02a4a3c1d5e";
        let set = "arn:aws-us-gov:sso:::permissionSet/ssoins-7223b02a4a3c1d5e/ps-0123456789abcdef";
        check(
            &INSTANCE_ARN,
            &[instance],
            &[
                set,
                "arn:aws:sso:::instance/ssoins-1",
                "ssoins-7223b02a4a3c1d5e",
            ],
        );
        check(
            &PERMISSION_SET_ARN,
            &[set],
            &[
                instance,
                "arn:aws:sso:::permissionSet/ps-0123456789abcdef",
                "arn:aws-TOOLONG:sso:::permissionSet/x",
            ],
        );
    }

    #[test]
    fn names_of_permission_sets_have_no_spaces() {
        check(
            &PERMISSION_SET_NAME,
            &["Admin", "a_b+c=d,e.f@g-h"],
            &["Read Only", "Größe", "a/b"],
        );
    }

    #[test]
    fn a_managed_policy_arn_has_the_owner_aws() {
        check(
            &MANAGED_POLICY_ARN,
            &[
                "arn:aws:iam::aws:policy/AdministratorAccess",
                "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
            ],
            &[
                "arn:aws:iam::111122223333:policy/Mine",
                "arn:aws:iam::aws:policy/",
                "AdministratorAccess",
            ],
        );
    }

    #[test]
    fn policy_paths_begin_and_end_with_a_slash() {
        check(
            &POLICY_PATH,
            &["/", "/ops/", "/a/b/"],
            &["ops", "/ops", "//"],
        );
    }

    #[test]
    fn a_principal_id_is_a_uuid_with_an_optional_directory_prefix() {
        check(
            &PRINCIPAL_ID,
            &[
                "94f1e0b3-c394-48d5-8ab1-2c122a167074",
                "9067729b3d-94f1e0b3-c394-48d5-8ab1-2c122a167074",
            ],
            &[
                "ada@example.com",
                "9067729b3d_94f1e0b3-c394-48d5-8ab1-2c122a167074",
            ],
        );
    }

    #[test]
    fn an_identity_store_is_given_by_id_or_arn() {
        check(
            &IDENTITY_STORE_ID,
            &[
                "d-9067729b3d",
                "arn:aws:identitystore::111122223333:identitystore/d-9067729b3d",
            ],
            &["d-90677", "d-9067729B3D", "x:identitystore/d-9067729b3d"],
        );
    }

    #[test]
    fn only_the_identity_store_takes_the_id_of_a_private_cloud() {
        let arn = "arn:aws:ec2:eu-central-1:111122223333:vpc/vpc-0123456789abcdef0";
        check(
            &VPC_ARN,
            &[arn],
            &["vpc-01234567", "arn:aws:ec2:vpc/vpc-01234567"],
        );
        check(&VPC, &[arn, "vpc-01234567"], &["vpc-0", "subnet-01234567"]);
    }

    #[test]
    fn user_names_and_external_ids_have_no_white_space_and_no_invisible_characters() {
        let long = |length| "ü".repeat(length);
        for (rule, max) in [(&USER_NAME, 128), (&EXTERNAL_ID, 256)] {
            check(rule, &["ada@example.com", "a:b;c<d>%", "李🙂"], &[""]);
            for blank in INVISIBLE.iter().chain(&[' ', '\t', '\u{a0}', '\u{3000}']) {
                check(rule, &[], &[&format!("a{blank}b")]);
            }
            assert!(rule.accepts(&long(max)) && !rule.accepts(&long(max + 1)));
        }
    }

    #[test]
    fn other_texts_have_six_characters_of_white_space() {
        let spaces = "a\tb\nc\rd e\u{a0}f\u{3000}";
        check(&ATTRIBUTE_VALUE, &[spaces, " "], &[""]);
        for blank in INVISIBLE {
            check(&ATTRIBUTE_VALUE, &[], &[&format!("a{blank}b")]);
        }
        assert!(ATTRIBUTE_VALUE.accepts(&"ü".repeat(1024)));
        assert!(!ATTRIBUTE_VALUE.accepts(&"ü".repeat(1025)));
    }

    /// Control and format characters, separators and characters of private use.
    const INVISIBLE: [char; 9] = [
        '\u{7}', '\u{b}', '\u{85}', '\u{200b}', '\u{2003}', '\u{2028}', '\u{202e}', '\u{feff}',
        '\u{e000}',
    ];

    #[test]
    fn durations_are_iso_8601() {
        check(
            &SESSION_DURATION,
            &["PT1H", "PT12H", "PT90M"],
            &["1h", "3600", "PT"],
        );
    }
}
