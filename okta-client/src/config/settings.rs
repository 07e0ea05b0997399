//! The settings with their names, and those that are not texts.

use std::time::Duration;

use rest_core::Secret;

use super::{ConfigError, MissingSetting, Sources};

/// A setting; [`names`](Setting::names) has its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    OrgUrl,
    OrgName,
    BaseUrl,
    Mode,
    Token,
    /// The token with the mode `Bearer`, which has no name of its own in the SDKs.
    BearerToken,
    AccessToken,
    ClientId,
    Scopes,
    PrivateKey,
    KeyId,
    Dpop,
    ProxyHost,
    ProxyPort,
    ProxyUser,
    ProxyPassword,
    ConnectTimeout,
    RequestTimeout,
}

/// The title of a setting in errors, its variables in the order of their precedence, and its keys
/// below `okta.client` in files.
pub(super) struct Names {
    pub(super) title: &'static str,
    pub(super) variables: &'static [&'static str],
    pub(super) keys: &'static [&'static str],
}

impl Setting {
    pub(super) fn names(self) -> Names {
        let (title, variables, keys): (_, &'static [_], &'static [_]) = match self {
            Self::OrgUrl => (
                "the org URL",
                &["OKTA_CLIENT_ORGURL", "OKTA_ORG_URL"],
                &["orgUrl"],
            ),
            Self::OrgName => ("the name of the org", &["OKTA_ORG_NAME"], &[]),
            Self::BaseUrl => ("the domain of the org", &["OKTA_BASE_URL"], &[]),
            Self::Mode => (
                "the authorization mode",
                &["OKTA_CLIENT_AUTHORIZATIONMODE"],
                &["authorizationMode"],
            ),
            Self::Token => (
                "the API token",
                &["OKTA_CLIENT_TOKEN", "OKTA_API_TOKEN"],
                &["token"],
            ),
            Self::BearerToken => (
                "the access token",
                &["OKTA_ACCESS_TOKEN", "OKTA_CLIENT_TOKEN"],
                &["token"],
            ),
            Self::AccessToken => ("the access token", &["OKTA_ACCESS_TOKEN"], &[]),
            Self::ClientId => (
                "the client id",
                &["OKTA_CLIENT_CLIENTID", "OKTA_API_CLIENT_ID"],
                &["clientId"],
            ),
            Self::Scopes => (
                "the list of scopes",
                &["OKTA_CLIENT_SCOPES", "OKTA_API_SCOPES"],
                &["scopes"],
            ),
            Self::PrivateKey => (
                "the private key",
                &["OKTA_CLIENT_PRIVATEKEY", "OKTA_API_PRIVATE_KEY"],
                &["privateKey"],
            ),
            Self::KeyId => (
                "the key id",
                &[
                    "OKTA_CLIENT_KID",
                    "OKTA_CLIENT_KEYID",
                    "OKTA_CLIENT_PRIVATEKEYID",
                    "OKTA_API_PRIVATE_KEY_ID",
                ],
                &["kid", "keyId", "privateKeyId"],
            ),
            Self::Dpop => (
                "the use of DPoP",
                &["OKTA_CLIENT_DPOPENABLED"],
                &["dpopEnabled"],
            ),
            Self::ProxyHost => ("the proxy", &["OKTA_CLIENT_PROXY_HOST"], &["proxy.host"]),
            Self::ProxyPort => (
                "the port of the proxy",
                &["OKTA_CLIENT_PROXY_PORT"],
                &["proxy.port"],
            ),
            Self::ProxyUser => (
                "the user of the proxy",
                &["OKTA_CLIENT_PROXY_USERNAME"],
                &["proxy.username"],
            ),
            Self::ProxyPassword => (
                "the password of the proxy",
                &["OKTA_CLIENT_PROXY_PASSWORD"],
                &["proxy.password"],
            ),
            Self::ConnectTimeout => (
                "the connect timeout",
                &["OKTA_CLIENT_CONNECTIONTIMEOUT"],
                &["connectionTimeout"],
            ),
            Self::RequestTimeout => (
                "the request timeout",
                &["OKTA_CLIENT_REQUESTTIMEOUT"],
                &["requestTimeout"],
            ),
        };
        Names {
            title,
            variables,
            keys,
        }
    }
}

/// Returns the org URL, or the one that the Terraform provider's two settings are parts of.
pub(super) fn org_url(sources: &Sources, missing: &mut Vec<MissingSetting>) -> Option<String> {
    let url = sources.get(Setting::OrgUrl);
    let name = sources.get(Setting::OrgName);
    match (url, name) {
        (Some(url), name) if url.is_variable || name.is_none() => Some(url.text.to_string()),
        (_, Some(name)) => {
            let base = sources.get(Setting::BaseUrl);
            let base = base.as_ref().map_or("okta.com", |base| base.text.trim());
            Some(format!("https://{}.{base}", name.text.trim()))
        }
        (_, None) => {
            let mut setting = sources.missing(Setting::OrgUrl);
            let variables = Setting::OrgUrl.names().variables.len();
            setting.places.insert(variables, "OKTA_ORG_NAME".to_owned());
            missing.push(setting);
            None
        }
    }
}

/// Returns the URL of the proxy.
pub(super) fn proxy(sources: &Sources) -> Result<Option<Secret>, ConfigError> {
    let Some(host) = sources.get(Setting::ProxyHost) else {
        return Ok(None);
    };
    let text = host.text.trim();
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let mut url =
        url::Url::parse(&text).map_err(|_error| host.invalid("is not the host of a proxy"))?;
    if let Some(port) = sources.get(Setting::ProxyPort) {
        let number = port.text.trim().parse();
        let number = number.map_err(|_error| port.invalid("is not a port, such as 8080"))?;
        url.set_port(Some(number))
            .map_err(|()| host.invalid("is not the host of a proxy"))?;
    }
    let user = sources.get(Setting::ProxyUser);
    let password = sources.get(Setting::ProxyPassword);
    // Neither call fails for a URL with a host.
    if let Some(user) = &user {
        let _ = url.set_username(user.text.trim());
    }
    if let Some(password) = &password {
        let _ = url.set_password(Some(&password.text));
    }
    Ok(Some(Secret::new(url)))
}

/// Returns a timeout. The SDKs use 0 for their default.
pub(super) fn seconds(
    sources: &Sources,
    setting: Setting,
) -> Result<Option<Duration>, ConfigError> {
    let Some(found) = sources.get(setting) else {
        return Ok(None);
    };
    let seconds: u64 = found
        .text
        .trim()
        .parse()
        .map_err(|_error| found.invalid("is not a number of seconds, such as 30"))?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}

/// Returns a setting that is `true` or `false`.
pub(super) fn flag(sources: &Sources, setting: Setting) -> Result<Option<bool>, ConfigError> {
    let Some(found) = sources.get(setting) else {
        return Ok(None);
    };
    match found.text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => Err(found.invalid("is neither true nor false")),
    }
}
