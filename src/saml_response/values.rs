//! Helpers for untrusted values: truncation, quoting, `XPath`, and the form of email addresses.

use saml_metadata::{
    Element,
    aws::{AcsHost, check_acs},
};

/// Truncates an untrusted value to 120 characters.
pub(super) fn short(value: &str) -> String {
    const MAX: usize = 120;
    match value.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Formats a value for a report: quoted and truncated, or `none`.
pub(super) fn quoted(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{:?}", short(value)))
}

/// Formats the URL of a response for a report, with its relation to the expected ACS URLs if it is known.
pub(super) fn quoted_acs(url: Option<&str>, expected: &[String]) -> String {
    match url.and_then(|url| relation(url, expected)) {
        Some(relation) => format!("{}, {relation}", quoted(url)),
        None => quoted(url),
    }
}

fn relation(url: &str, expected: &[String]) -> Option<String> {
    let normal = |url: &str| url.trim().trim_end_matches('/').to_lowercase();
    if expected.iter().any(|other| normal(other) == normal(url)) {
        return Some(
            "which differs only in upper and lower case, white space or a slash at the end"
                .to_owned(),
        );
    }
    if url == "https://signin.aws.amazon.com/saml" {
        let relation = "the URL of AWS IAM's own federation, to which Okta sends if the ACS URL of the application is empty";
        return Some(relation.to_owned());
    }
    let found = check_acs(url).ok()?;
    let is_same = |other: &String| {
        let other = check_acs(other);
        other.is_ok_and(|other| (&other.tenant, &other.region) == (&found.tenant, &found.region))
    };
    Some(match found.host {
        _ if !expected.iter().any(is_same) => {
            format!("an ACS URL of another instance or Region ({})", found.region)
        }
        AcsHost::Classic => "the same tenant at the classic host, which instances enabled from February 2026 do not have".to_owned(),
        _ => "the same tenant at another host; it is correct if the AWS console shows this URL too".to_owned(),
    })
}

/// Returns the `XPath` of an element, with the usual prefix `samlp` for protocol elements too.
pub(super) fn path(element: Element<'_>) -> String {
    [
        "Response",
        "Extensions",
        "Status",
        "StatusCode",
        "StatusMessage",
    ]
    .iter()
    .fold(element.path(), |path, name| {
        path.replace(
            &format!("*[local-name()='{name}']"),
            &format!("samlp:{name}"),
        )
    })
}

/// Returns whether a text has the form that AWS requires, `name@domain.com`.
///
/// This is the part of the `addr-spec` of RFC 2822 that AWS documents.
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_allowed = |c: char| !c.is_whitespace() && !c.is_control();
    !local.is_empty()
        && local.chars().all(is_allowed)
        && !local.contains(['<', '>', '(', ')', ',', ';'])
        && !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::{is_address, short};

    #[test]
    fn an_email_address_has_a_name_and_a_domain() {
        for good in ["ada@example.com", "a.b+c@x.example", "ada@host"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "Ada <ada@example.com>",
            "ada@a..b",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_value_is_truncated_at_a_character_boundary() {
        assert_eq!(short(&"é".repeat(200)).chars().count(), 121);
    }
}
