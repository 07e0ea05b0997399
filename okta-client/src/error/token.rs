//! Errors of access tokens.

use super::Error;

/// The cause of a call that was not sent, because there is no access token for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint issued no token for a service app. The source is the error of the token
    /// request, with the code of OAuth, such as `invalid_client`.
    #[error(
        "no access token for the service app {client_id} with the {}",
        list(scopes)
    )]
    #[non_exhaustive]
    Endpoint {
        /// The client id of the app.
        client_id: String,
        /// The scopes that were requested.
        scopes: Vec<String>,
        /// The error of the token request.
        source: Box<Error>,
    },
    /// The caller's [`TokenSource`](crate::TokenSource) failed.
    #[error("the token source has no access token")]
    #[non_exhaustive]
    Source {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TokenError {
    /// Returns the error of the token request, if the token endpoint was asked.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Error> {
        match self {
            Self::Endpoint { source, .. } => Some(source),
            Self::Source { .. } => None,
        }
    }
}

fn list(scopes: &[String]) -> String {
    match scopes {
        [scope] => format!("scope {scope}"),
        scopes => format!("scopes {}", scopes.join(" ")),
    }
}

/// Help texts by the codes of OAuth (RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 9449 section 5).
pub(super) const OAUTH_HELP: [(&str, &str); 9] = [
    (
        "invalid_client",
        "Okta does not accept the client id or the assertion: check that the app is active and uses \
         \"Public key / Private key\", that it has the public key of this private key with the same key id \
         (kid), and that the clock of this computer is right.",
    ),
    (
        "invalid_scope",
        "A requested scope is not granted to the service app: a super admin grants it in the Admin Console \
         under Applications > the app > Okta API Scopes. Or request fewer scopes.",
    ),
    (
        "access_denied",
        "Okta denies the service app a token: assign an admin role to the app, under Applications > the \
         app > Admin roles, and check the policies of the org.",
    ),
    (
        "unauthorized_client",
        "The app may not use client credentials: it must be an API service app, with \"Public key / Private \
         key\" as its client authentication.",
    ),
    (
        "invalid_request",
        "Okta does not accept the token request: check the client id, the scopes, and that the app is an API \
         service app.",
    ),
    (
        "invalid_dpop_proof",
        "The app requires a proof of possession (DPoP), or Okta does not accept the proof: leave DPoP on \
         for this app, use the org URL as Okta shows it, and check the clock of this computer.",
    ),
    (
        "use_dpop_nonce",
        "Okta rejected the nonce of two proofs in a row: try again later, and check whether a proxy removes \
         the header `dpop-nonce`.",
    ),
    (
        "invalid_token",
        "Okta does not accept the access token: it is expired, revoked, or bound to the key of another \
         client.",
    ),
    (
        "insufficient_scope",
        "The access token lacks a scope: grant the scope to the service app in the Admin Console under \
         Applications > the app > Okta API Scopes, and request it.",
    ),
];
