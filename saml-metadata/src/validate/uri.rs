//! Properties of URIs that the rules check.

use std::borrow::Cow;

use url::{Host, Url};

use crate::reader::{chars::starts_with_ignoring_case, escape::shorten};

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
pub(super) fn scheme(text: &str) -> Cow<'_, str> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    if scheme.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(scheme.to_ascii_lowercase())
    } else {
        Cow::Borrowed(scheme)
    }
}

/// Limits of the domain name system (RFC 1035 2.3.4), in characters.
const MAX_LABEL: usize = 63;
const MAX_HOST: usize = 253;

/// Returns whether a text is certainly an https URL that can be opened, without [`oddities`].
///
/// Most URLs are plain, and one pass over their bytes detects this. The URL parser decides about
/// all other URLs: URLs with an unusual port, a user name or a fragment, and hosts that are IP addresses,
/// international, in upper case or local.
fn is_plain(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(is_plain_rest)
}

/// Whether a byte can be in a label of a host name; a look-up is faster than comparisons with
/// several ranges.
static IN_LABEL: [bool; 256] = {
    let mut in_label = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        in_label[byte as usize] = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        byte += 1_u8;
    }
    in_label
};

/// Returns whether the part of a URL after `//` is certainly a host and a path without oddities.
fn is_plain_rest(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let mut top = 0;
    let end = loop {
        let label = bytes[top..]
            .iter()
            .take_while(|byte| IN_LABEL[usize::from(**byte)]);
        let end = top + label.count();
        let is_label = (1..=MAX_LABEL).contains(&(end - top));
        match bytes.get(end) {
            Some(b'.') if is_label => top = end + 1,
            None | Some(b'/' | b'?' | b'#' | b':') if is_label => break end,
            _ => return false,
        }
    };
    let (host, after) = rest.split_at(end);
    let Some(path) = path_after_port(after) else {
        return false;
    };
    let top = &host[top..];
    // A host of one label is local.
    top.len() < host.len()
        && end <= MAX_HOST
        && top.starts_with(|c: char| c.is_ascii_lowercase())
        && top != "localhost"
        && !host.contains("xn--")
        // Braces and angle brackets mark placeholders.
        && memchr::memchr3(b'#', b'{', b'<', path.as_bytes()).is_none()
}

/// Returns the text after the port, if there is one. The port must have four digits, as `:8443` has: a
/// port of fewer digits can be the default port, and one of more digits can be too large.
fn path_after_port(text: &str) -> Option<&str> {
    let Some(port) = text.strip_prefix(':') else {
        return Some(text);
    };
    let (port, path) = port.split_at_checked(4)?;
    let is_port = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let is_whole = path.is_empty() || path.starts_with(['/', '?', '#']);
    (is_port && is_whole).then_some(path)
}

/// Returns whether a text is certainly an absolute URI, an https URL, and without [`oddities`].
///
/// This is a quick check: for some texts with all these properties it returns false.
pub(super) fn is_usual(text: &str) -> bool {
    is_plain(text) && !has_white_space_or_controls(text)
}

/// Returns whether a text is an http or https URL that can be opened.
pub(super) fn is_web(text: &str) -> bool {
    web_problem(text).is_none()
}

/// Returns whether a text is an https URL that can be opened.
pub(super) fn is_https(text: &str) -> bool {
    is_plain(text) || scheme(text) == "https" && is_web(text)
}

/// Returns why a text is not an http or https URL that can be opened, and what to do.
pub(super) fn web_problem(text: &str) -> Option<(String, &'static str)> {
    if is_plain(text) {
        None
    } else if matches!(scheme(text).as_ref(), "http" | "https") {
        url_problem(text).map(|problem| (problem.message(), problem.help()))
    } else {
        let help = "Write the complete URL: https://host/path.";
        Some(("is not an http or https URL".to_owned(), help))
    }
}

/// The reason why an http or https URL cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlProblem<'a> {
    Placeholder(&'a str),
    NoSlashes,
    NoHost,
    Port(&'a str),
    Host(&'a str),
}

impl UrlProblem<'_> {
    /// Returns the reason as the rest of a sentence that starts with the name of the URL.
    pub(super) fn message(self) -> String {
        match self {
            Self::Placeholder(text) => format!("contains the placeholder {}", shorten(text)),
            Self::NoSlashes => "has no // after its scheme".to_owned(),
            Self::NoHost => "has no host".to_owned(),
            Self::Port(port) => format!("has the port {}, which cannot exist", shorten(port)),
            Self::Host(host) => format!("has the host {:?}, which cannot exist", shorten(host)),
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Placeholder(_) => {
                "Replace the placeholder by its value, or download the metadata again: no template is used for a URL of metadata."
            }
            Self::NoSlashes => "Write // between the scheme and the host: https://host/path.",
            Self::NoHost => "Write the host: https://host/path.",
            Self::Port(_) => "Write a port from 1 to 65535, or none.",
            Self::Host(_) => {
                "Correct the host: its parts have 1 to 63 letters, digits and hyphens, separated by dots."
            }
        }
    }
}

/// Returns why no browser can open an http or https URL; `None` if the URL has a host that may
/// exist.
pub(super) fn url_problem(text: &str) -> Option<UrlProblem<'_>> {
    // An entityID often has the scheme http.
    let rest = text.strip_prefix("http://");
    if is_plain(text) || rest.is_some_and(is_plain_rest) {
        return None;
    }
    if let Some(placeholder) = placeholder(text) {
        return Some(UrlProblem::Placeholder(placeholder));
    }
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    let Some(rest) = rest.strip_prefix("//") else {
        let is_empty = rest.bytes().all(|b| b == b'/');
        return Some(if is_empty {
            UrlProblem::NoHost
        } else {
            UrlProblem::NoSlashes
        });
    };
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let host_and_port = rest[..end].rsplit('@').next().unwrap_or_default();
    if host_and_port.is_empty() || host_and_port.starts_with(':') {
        return Some(UrlProblem::NoHost);
    }
    let port = host_and_port
        .rsplit_once(':')
        .map(|(_, port)| port)
        .filter(|port| !port.contains(']'));
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::InvalidPort) => return port.map(UrlProblem::Port),
        Err(_) => return Some(UrlProblem::Host(host_and_port)),
    };
    if url.port() == Some(0) {
        return port.map(UrlProblem::Port);
    }
    // The parser accepts more hosts than a name server can have.
    match url.host() {
        Some(Host::Domain(host)) if !is_host_name(host) => Some(UrlProblem::Host(host_and_port)),
        Some(_) => None,
        None => Some(UrlProblem::NoHost),
    }
}

/// Returns whether a normalized host consists of labels that the domain name system can have.
fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    // A scheme before the scheme, as in https://https://host, makes the second one the host.
    host.len() <= MAX_HOST && host.split('.').all(is_label) && !matches!(host, "http" | "https")
}

/// Returns a part of a text that stands for a value, such as `{tenant}` or `<host>`.
///
/// A GUID in braces is a value.
fn placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[memchr::memchr2(b'{', b'<', rest.as_bytes())?..];
        let close = if rest.starts_with('{') { '}' } else { '>' };
        let length = rest.find(close).map_or(rest.len(), |at| at + 1);
        let (found, after) = rest.split_at(length);
        let inner = found.trim_matches(['{', '}']);
        let is_guid =
            inner.len() == 36 && inner.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_guid {
            return Some(found);
        }
        rest = after;
    }
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
    let rest = text.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
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
            "a.b:",
            "a.b:8443",
            "a.b:0443",
            "a.b:84430",
            "a.b:8443x",
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
                assert!(url.username().is_empty(), "{text}");
                assert!(matches!(url.port(), None | Some(8443)), "{text}");
                let host = url.host().expect("a host");
                assert!(matches!(host, Host::Domain(_)), "{text}");
                assert!(text.contains(&format!("//{host}")), "{text}");
                assert!(is_host_name(&host.to_string()), "{text}");
                plain += 1;
            }
        }
        assert_eq!(plain, 6 * 8);
    }

    #[test]
    fn a_url_without_a_host_that_can_exist_cannot_be_opened() {
        let long = format!("https://{}.example.com/", "a".repeat(64));
        let cases = [
            ("https://", UrlProblem::NoHost),
            ("https:", UrlProblem::NoHost),
            ("https:///sso", UrlProblem::NoHost),
            ("https://:443/sso", UrlProblem::NoHost),
            ("https://user@/sso", UrlProblem::NoHost),
            ("https://?a=b", UrlProblem::NoHost),
            ("https:idp.example.com/sso", UrlProblem::NoSlashes),
            ("https:/idp.example.com/sso", UrlProblem::NoSlashes),
            (r"https:\\idp.example.com\sso", UrlProblem::NoSlashes),
            ("HTTPS:idp.example.com", UrlProblem::NoSlashes),
            ("https://a.example:99999/", UrlProblem::Port("99999")),
            ("https://a.example:port/", UrlProblem::Port("port")),
            ("https://a.example:0/", UrlProblem::Port("0")),
            (
                "https://{tenant}.okta.com/sso",
                UrlProblem::Placeholder("{tenant}"),
            ),
            ("https://${host}/sso", UrlProblem::Placeholder("{host}")),
            ("https://{{host}}/sso", UrlProblem::Placeholder("{{host}")),
            (
                "https://a.example/{tenant-id}/sso",
                UrlProblem::Placeholder("{tenant-id}"),
            ),
            (
                "https://a.example/sso?id={0}",
                UrlProblem::Placeholder("{0}"),
            ),
            ("https://<host>/sso", UrlProblem::Placeholder("<host>")),
            ("https://a.example/<app", UrlProblem::Placeholder("<app")),
            ("https://[host]/sso", UrlProblem::Host("[host]")),
            ("https://a..example/sso", UrlProblem::Host("a..example")),
            ("https://.okta.com/sso", UrlProblem::Host(".okta.com")),
            ("https://a.b,c.d/", UrlProblem::Host("a.b,c.d")),
            ("https://*.okta.com/", UrlProblem::Host("*.okta.com")),
            ("https://%HOST%/sso", UrlProblem::Host("%HOST%")),
            ("https://https://a.example/", UrlProblem::Host("https:")),
            ("https://300.1.1.1/", UrlProblem::Host("300.1.1.1")),
            (
                "https://a.example/{4f53cda1-8c2b-4aa3-9f0e-1de1cda2b7b4}/{tenant}",
                UrlProblem::Placeholder("{tenant}"),
            ),
            (&long, UrlProblem::Host(&long[8..long.len() - 1])),
        ];
        for (text, expected) in cases {
            assert_eq!(url_problem(text), Some(expected), "{text}");
            assert!(
                !is_web(text) && !is_https(text) && !is_usual(text),
                "{text}"
            );
        }
        for text in [
            "https://a.example",
            "HTTPS://A.example/",
            "https://a.example:8443/sso",
            "https://a_b.example/",
            "https://a.example./",
            "https://bücher.example/",
            "https://localhost/",
            "https://10.0.0.1/",
            "https://[::1]:8443/",
            "https://a.example/{4f53cda1-8c2b-4aa3-9f0e-1de1cda2b7b4}/sso",
            "https://user@a.example/",
        ] {
            assert_eq!(url_problem(text), None, "{text}");
            assert!(is_https(text), "{text}");
        }
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
