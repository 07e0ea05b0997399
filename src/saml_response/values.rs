use saml_metadata::Element;

/// Cuts a value that comes from a stranger.
pub(super) fn short(value: &str) -> String {
    const MOST: usize = 120;
    match value.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// A value for a report: quoted, cut, or `none`.
pub(super) fn quoted(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{:?}", short(value)))
}

/// The `XPath` of an element, with the usual prefix of protocol elements too.
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

/// Whether a text is an `addr-spec` of RFC 2822 as far as AWS asks for one: `name@domain.com`.
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    !local.is_empty()
        && local.chars().all(plain)
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
    fn an_address_has_a_name_and_a_domain() {
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
    fn a_cut_falls_between_characters() {
        assert_eq!(short(&"é".repeat(200)).chars().count(), 121);
    }
}
