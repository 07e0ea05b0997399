//! Checks the rules MD-UI: the display information of a role.

use std::net::IpAddr;

use super::{extended, is_second, registration::is_english, scope::is_domain};
use crate::{
    Element, EntityDescriptor, Logo, Role, UiInfo,
    model::values::Localized,
    reader::{
        chars::{collapse, is_blank},
        escape::shorten,
    },
    validate::{
        report::Report,
        rules::extension as rules,
        uri::{is_https, web_problem},
    },
};

/// Maximum length of a data: URL in characters. A larger image slows down every consumer of the
/// metadata.
const MAX_DATA_URL: usize = 50_000;

pub(super) fn check(report: &mut Report<'_>, element: Element<'_>) {
    match element.local_name() {
        "UIInfo" => check_place(
            report,
            element,
            "UIInfo",
            &["IDPSSODescriptor", "SPSSODescriptor"],
        ),
        "DiscoHints" => check_place(report, element, "DiscoHints", &["IDPSSODescriptor"]),
        "Logo" => check_logo(report, Logo::new(element)),
        "Keywords" => check_keywords(report, element),
        "InformationURL" | "PrivacyStatementURL" => check_page(report, element),
        "IPHint" => check_hint(report, element, is_network, "a network in CIDR notation"),
        "DomainHint" => check_hint(report, element, is_domain, "a domain"),
        "GeolocationHint" => check_hint(report, element, is_geo_uri, "a geo: URI"),
        _ => {}
    }
}

fn check_place(report: &mut Report<'_>, element: Element<'_>, name: &'static str, roles: &[&str]) {
    if !extended(element).is_some_and(|role| roles.contains(&role.local_name())) {
        let message = format!("{name} must be in the Extensions of {}", roles.join(" or "));
        report.add(&rules::UI_01, element, message);
    } else if is_second(element) {
        report.add(&rules::UI_01, element, format!("{name} appears twice"));
    }
}

fn check_logo(report: &mut Report<'_>, logo: Logo<'_>) {
    let element = logo.element();
    for (name, pixels) in [("width", logo.width()), ("height", logo.height())] {
        if pixels.is_none_or(|pixels| pixels == 0) {
            let message = format!("the {name} of the Logo is not a positive number");
            let help = "Set width and height to the size of the image in pixels.";
            report.add(&rules::UI_03, (element, name), (message, help));
        }
    }
    let url = logo.url();
    let is_data = url
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:"));
    if is_data {
        if url.len() > MAX_DATA_URL {
            let message = format!("the Logo is a data: URL of {} characters", url.len());
            let help =
                "Use the https URL of the image: every consumer loads the data with the metadata.";
            report.add_minor(&rules::UI_03, element, (message, help));
        }
    } else if let Some((problem, help)) = web_problem(url) {
        let problem = problem.replace("http or https", "http, https or data:");
        let message = format!("the Logo {:?} {problem}", shorten(url));
        report.add(&rules::UI_03, element, (message, help));
    } else if !is_https(url) {
        let help = "Serve the image over https: browsers refuse others on a page of https.";
        report.add_minor(
            &rules::UI_03,
            element,
            ("the Logo is not an https URL", help),
        );
    }
}

fn check_page(report: &mut Report<'_>, element: Element<'_>) {
    let url = collapse(element.text());
    let Some((problem, help)) = web_problem(url) else {
        return;
    };
    let name = element.local_name();
    let message = (format!("{name} {:?} {problem}", shorten(url)), help);
    report.add(&rules::UI_06, element, message);
}

fn check_keywords(report: &mut Report<'_>, element: Element<'_>) {
    let text = element.text();
    if is_blank(text) {
        report.add(&rules::UI_04, element, "Keywords is empty");
    }
    let words = text.split_whitespace();
    if let Some(word) = words
        .into_iter()
        .find(|word| word.starts_with('+') || word.ends_with('+') || word.contains("++"))
    {
        let message = format!(
            "the keyword {:?} has a + that does not join two words",
            shorten(word)
        );
        report.add(&rules::UI_04, element, message);
    } else if text.contains(',') {
        let message = "Keywords are separated by commas instead of spaces";
        report.add_minor(&rules::UI_04, element, message);
    }
}

fn check_hint(
    report: &mut Report<'_>,
    element: Element<'_>,
    is_fine: impl Fn(&str) -> bool,
    expected: &str,
) {
    let text = collapse(element.text());
    if !is_fine(text) {
        let name = element.local_name();
        let message = format!("the {name} {:?} is not {expected}", shorten(text));
        report.add(&rules::UI_04, element, message);
    }
}

/// Returns whether a text is an IP address and a prefix length (RFC 4632 3.1).
fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    length.bytes().all(|b| b.is_ascii_digit())
        && length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// Returns whether a text is a `geo` URI with valid coordinates (RFC 5870 3.3).
fn is_geo_uri(text: &str) -> bool {
    let Some(("geo", rest)) = text.split_once(':') else {
        return false;
    };
    let coordinates = rest.split(';').next().unwrap_or(rest);
    let numbers: Result<Vec<f64>, _> = coordinates.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok([latitude, longitude] | [latitude, longitude, _]) => {
            latitude.abs() <= 90.0 && longitude.abs() <= 180.0
        }
        _ => false,
    }
}

pub(super) fn check_entity(report: &mut Report<'_>, entity: EntityDescriptor<'_>) {
    for role in entity.roles() {
        let is_service = match role {
            Role::IdentityProvider(_) => false,
            Role::ServiceProvider(_) => true,
            _ => continue,
        };
        let descriptor = role.descriptor();
        let info = descriptor.extensions().and_then(crate::Extensions::ui_info);
        match info {
            Some(info) => check_info(report, info, is_service),
            None => report.add_minor(
                &rules::UI_02,
                descriptor.element(),
                "the role has no UIInfo",
            ),
        }
    }
}

fn check_info(report: &mut Report<'_>, info: UiInfo<'_>, is_service: bool) {
    fn lacks<'a>(mut texts: impl Iterator<Item = Localized<'a>>) -> bool {
        !texts.any(|text| is_english(text.language()))
    }
    let element = info.element();
    let mut missing = Vec::new();
    if lacks(info.display_names()) {
        missing.push("DisplayName in English");
    }
    if info.logos().next().is_none() {
        missing.push("Logo");
    }
    if is_service && lacks(info.descriptions()) {
        missing.push("Description in English");
    }
    if is_service && lacks(info.privacy_statement_urls()) {
        missing.push("PrivacyStatementURL in English");
    }
    for part in missing {
        report.add(&rules::UI_02, element, format!("UIInfo has no {part}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_ip_address_and_a_prefix_length() {
        for text in ["192.0.2.0/24", "192.0.2.1/32", "2001:db8::/32", "::/0"] {
            assert!(is_network(text), "{text}");
        }
        for text in [
            "192.0.2.0",
            "192.0.2.0/33",
            "192.0.2/24",
            "a/8",
            "::/129",
            "192.0.2.0/+8",
        ] {
            assert!(!is_network(text), "{text}");
        }
    }

    #[test]
    fn a_geo_uri_has_valid_coordinates() {
        for text in ["geo:47.37,8.53", "geo:-90,180", "geo:1,2,3;crs=wgs84;u=10"] {
            assert!(is_geo_uri(text), "{text}");
        }
        for text in [
            "47.37,8.53",
            "geo:91,0",
            "geo:0,181",
            "geo:1",
            "geo:a,b",
            "geo:NaN,0",
            "",
        ] {
            assert!(!is_geo_uri(text), "{text}");
        }
    }
}
