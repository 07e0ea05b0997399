//! Tests that no credential leaves the org.

use okta_client::{Credential, Error, ListGroups};
use rest_core::Secret;
use serde_json::json;

use super::{app, token};
use crate::{Org, clock, json as answer, with};

/// Links that lead, or seem to lead, to another origin.
const FOREIGN: [&str; 10] = [
    "https://evil.example/api/v1/groups?after=1",
    "https://acme.okta.com@evil.example/api/v1/groups",
    "https://ada:pw@acme.okta.com/api/v1/groups",
    "http://acme.okta.com/api/v1/groups",
    "https://acme.okta.com:8443/api/v1/groups",
    "//evil.example/api/v1/groups",
    "\\\\evil.example\\api\\v1\\groups",
    "https:\\\\evil.example\\@acme.okta.com/api/v1/groups",
    // A Cyrillic letter that looks like an "a".
    "https://%D0%B0cme.okta.com/api/v1/groups",
    "https://acme.okta.com./api/v1/groups",
];

#[tokio::test]
async fn no_credential_is_sent_to_the_origin_of_a_foreign_link() {
    for link in FOREIGN {
        for (credential, token_response) in [
            (Credential::from(Secret::new("00abcdefgh")), None),
            (
                Credential::from(app()),
                Some(token("DPoP", "access-1", 3600)),
            ),
            (
                Credential::from(app().dpop(false)),
                Some(token("Bearer", "access-1", 3600)),
            ),
        ] {
            let page = answer(
                200,
                json!([{ "id": "00g1", "profile": { "name": "admins" } }]),
            );
            let page = with(page, "link", &format!("<{link}>; rel=\"next\""));
            let org = Org::responding(token_response.into_iter().chain([page]));
            let client = org.client_with(credential, &clock());
            let mut groups = client.groups().list(ListGroups::default());
            groups.try_next().await.unwrap().expect("a group");
            let sent = org.requests().len();
            let error = groups.try_next().await.expect_err(link);
            assert!(matches!(error, Error::Request { .. }), "{link}: {error:?}");
            assert_eq!(org.requests().len(), sent, "{link}");
        }
    }
}

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let redirect = with(
        crate::empty(302),
        "location",
        "https://evil.example/oauth2/v1/token",
    );
    let org = Org::responding([redirect]);
    let client = org.client_with(app(), &clock());
    client.users().me().await.expect_err("a redirect");
    assert_eq!(org.requests(), ["POST /oauth2/v1/token"]);
}
