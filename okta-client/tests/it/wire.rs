//! Tests over a real connection.

use okta_client::{Client, Id, ListGroups};
use rest_core::Secret;

use super::{TOKEN, app_id, group_id, privacy, user_id};

fn client(server: &mockito::Server) -> Client {
    privacy::start_log();
    Client::builder(&server.url(), Secret::new(TOKEN))
        .user_agent("tester/1")
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_token_is_not_sent_to_another_origin() {
    let mut okta = mockito::Server::new_async().await;
    let mut foreign = mockito::Server::new_async().await;
    let untouched = foreign
        .mock("GET", mockito::Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let requested = okta
        .mock("GET", "/api/v1/groups?limit=200")
        .match_header("authorization", "SSWS 00-do-not-show-this-token")
        .match_header("user-agent", "tester/1")
        .match_header("accept", "application/json")
        .with_header("content-type", "application/json")
        .with_header(
            "link",
            &format!("<{}/api/v1/groups>; rel=\"next\"", foreign.url()),
        )
        .with_body(r#"[{"id":"00g1","profile":{"name":"admins"}}]"#)
        .create_async()
        .await;

    let client = client(&okta);
    let mut groups = client.groups().list(ListGroups::default());
    assert_eq!(
        groups.try_next().await.unwrap().expect("a group").name,
        "admins"
    );
    groups.try_next().await.expect_err("the call fails");
    requested.assert_async().await;
    untouched.assert_async().await;
}

#[tokio::test]
async fn a_write_without_a_body_has_content_length_zero() {
    let mut okta = mockito::Server::new_async().await;
    let mock = okta
        .mock("PUT", "/api/v1/groups/00g1/users/00u1")
        .match_header("content-length", "0")
        .with_status(204)
        .create_async()
        .await;
    client(&okta)
        .groups()
        .add_member(&group_id(), &user_id())
        .await
        .unwrap();
    mock.assert_async().await;
}

#[tokio::test]
async fn metadata_is_returned_byte_for_byte() {
    // The header declares Latin-1 and the document declares UTF-8, as in Okta's responses.
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<EntityDescriptor>Zürich\u{feff}</EntityDescriptor>\n";
    let mut okta = mockito::Server::new_async().await;
    okta.mock("GET", "/api/v1/apps/0oa1/sso/saml/metadata?kid=k")
        .match_header("accept", "application/xml")
        .with_header("content-type", "application/xml;charset=ISO-8859-1")
        .with_body(xml)
        .create_async()
        .await;
    let bytes = client(&okta)
        .apps()
        .saml_metadata(&app_id(), &Id::parse("k").unwrap())
        .await
        .unwrap();
    assert_eq!(bytes, xml.as_bytes());
}
