//! Properties of URIs that the rules check.

use url::{Host, Url};

use crate::reader::chars::starts_with_ignoring_case;

/// Returns whether a text is an absolute URI without whitespace (RFC 3986 4.3).
pub(super) fn is_absolute(text: &str) -> bool {
    let Some(colon) = memchr::memchr(b':', text.as_bytes()) else {
        return false;
    };
    let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && !rest.is_empty()
        && !has_white_space_or_controls(text)
}

fn has_white_space_or_controls(text: &str) -> bool {
    // The loop has no branch, so the compiler can check many bytes at once.
    let (mut has_blank, mut all) = (false, 0);
    for byte in text.bytes() {
        has_blank |= byte <= b' ' || byte == 0x7f;
        all |= byte;
    }
    if all.is_ascii() {
        return has_blank;
    }
    text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Returns the scheme in lower case.
pub(super) fn scheme(text: &str) -> String {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.to_ascii_lowercase()
}

/// Returns whether a text is certainly an https URL without [`oddities`].
///
/// Most URLs are plain, and one pass over their bytes detects this. The URL parser decides about
/// all other URLs: URLs with a port, a user name or a fragment, and hosts that are IP addresses,
/// international, in upper case or local.
fn is_plain(text: &str) -> bool {
    let Some(behind) = text.strip_prefix("https://") else {
        return false;
    };
    let (mut length, mut label, mut labels) = (0, 0, 0);
    for byte in behind.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => label += 1,
            b'.' if label > 0 => {
                label = 0;
                labels += 1;
            }
            b'/' | b'?' | b'#' => break,
            _ => return false,
        }
        length += 1;
    }
    let (host, path) = behind.split_at(length);
    let top = &host[length - label..];
    labels > 0
        && top.starts_with(|c: char| c.is_ascii_lowercase())
        && top != "localhost"
        && !host.contains("xn--")
        && memchr::memchr(b'#', path.as_bytes()).is_none()
}

/// Returns whether a text is certainly an absolute URI, an https URL, and without [`oddities`].
///
/// This is a quick check: for some texts with all these properties it returns false.
pub(super) fn is_usual(text: &str) -> bool {
    is_plain(text) && !has_white_space_or_controls(text)
}

/// Returns whether a text is an http or https URL.
pub(super) fn is_web(text: &str) -> bool {
    if is_plain(text) {
        return true;
    }
    matches!(scheme(text).as_str(), "http" | "https")
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Returns the unusual parts of an http or https URL that partners must reach.
pub(super) fn oddities(text: &str) -> Vec<&'static str> {
    let mut odd = Vec::new();
    if is_plain(text) {
        return odd;
    }
    if ["http%3a", "https%3a"]
        .iter()
        .any(|start| starts_with_ignoring_case(text, start))
    {
        return vec!["is percent-encoded, including its scheme"];
    }
    let Ok(url) = Url::parse(text) else {
        return odd;
    };
    if !matches!(url.scheme(), "http" | "https") {
        return odd;
    }
    if url.fragment().is_some() {
        odd.push("has a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        odd.push("has a user name");
    }
    // `Url` has normalized the host and the port, so the checks use them as written.
    let authority = authority(text);
    let host_and_port = authority.rsplit('@').next().unwrap_or(authority);
    if host_and_port.bytes().any(|b| b.is_ascii_uppercase()) {
        odd.push("has upper-case letters in its host");
    }
    let default_port = if url.scheme() == "https" {
        ":443"
    } else {
        ":80"
    };
    if host_and_port.ends_with(default_port) {
        odd.push("contains the default port");
    }
    match url.host() {
        Some(Host::Domain(host)) if host == "localhost" || host.ends_with(".localhost") => {
            odd.push("is reachable only on the local machine");
        }
        Some(Host::Domain(host)) if !host.contains('.') => {
            odd.push("has a host name without a domain");
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => odd.push("has an IP address as its host"),
        _ => {}
    }
    odd
}

/// Returns the part between `//` and the path.
fn authority(text: &str) -> &str {
    let behind = text.split_once("//").map_or("", |(_, behind)| behind);
    behind.split(['/', '?', '#']).next().unwrap_or(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_uri_has_a_scheme_and_text_after_it() {
        for text in ["https://a.example/", "urn:a", "http:x", "mailto:a@b"] {
            assert!(is_absolute(text), "{text}");
        }
        for text in [
            "",
            "a",
            "exk1",
            "urn:",
            ":a",
            "1a:b",
            "https://a b/",
            "http://a\n/",
        ] {
            assert!(!is_absolute(text), "{text}");
        }
    }

    #[test]
    fn the_url_parser_agrees_that_a_plain_url_is_plain() {
        let hosts = [
            "sp.example.com",
            "a.b",
            "a-b.c-",
            "-a.b",
            "1.2.3.4",
            "1.2.3.a",
            "a.0x1",
            "a.1",
            "a.b.",
            ".a.b",
            "a..b",
            "xn--a.b",
            "b.xn--a",
            "A.b",
            "localhost",
            "a.localhost",
            "a",
            "",
            "é.b",
            "a_b.c",
            "u@a.b",
            "a.b:443",
            "a.b:1",
            "a.b:x",
            "a%41.b",
            "[::1]",
            "a b.c",
            "a.b\\c",
        ];
        let paths = [
            "", "/", "/a?b=c&d", "?a", "#a", "/a#", "/a\u{fc}", "/a\\b", "/%zz", "/@:",
        ];
        let mut plain = 0;
        for text in hosts.iter().flat_map(|host| {
            paths
                .iter()
                .map(move |path| format!("https://{host}{path}"))
        }) {
            if is_plain(&text) {
                assert!(
                    is_usual(&text) && is_absolute(&text) && is_web(&text),
                    "{text}"
                );
                let url = Url::parse(&text).expect("a URL");
                assert!(url.has_host() && url.fragment().is_none(), "{text}");
                assert!(url.username().is_empty() && url.port().is_none(), "{text}");
                let host = url.host().expect("a host");
                assert!(matches!(host, Host::Domain(_)), "{text}");
                assert!(text.contains(&format!("//{host}")), "{text}");
                plain += 1;
            }
        }
        assert_eq!(plain, 5 * 8);
    }

    #[test]
    fn every_oddity_is_reported() {
        let cases = [
            ("https://sp.example.com/acs", vec![]),
            ("https://sp.example.com:8443/acs", vec![]),
            ("https://sp.example.com/acs#a", vec!["has a fragment"]),
            ("https://u@sp.example.com/", vec!["has a user name"]),
            (
                "https://SP.example.com/Acs",
                vec!["has upper-case letters in its host"],
            ),
            (
                "https://sp.example.com:443/acs",
                vec!["contains the default port"],
            ),
            (
                "https://localhost/acs",
                vec!["is reachable only on the local machine"],
            ),
            ("https://sp/acs", vec!["has a host name without a domain"]),
            (
                "https://10.0.0.1/acs",
                vec!["has an IP address as its host"],
            ),
            ("https://[::1]/acs", vec!["has an IP address as its host"]),
            (
                "https%3A%2F%2Fsp.example.com",
                vec!["is percent-encoded, including its scheme"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(oddities(text), expected, "{text}");
        }
    }
}
