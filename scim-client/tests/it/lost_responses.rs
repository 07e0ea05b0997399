//! Tests of lost responses.

use std::error::Error as _;

use scim_client::{Created, Dialect, TransportError};
use scim_types::{ExternalId, User};

use crate::fixture::{Script, broken_connection, id};

fn ada() -> User {
    User {
        external_id: Some(ExternalId::new("00u1")),
        ..User::new("ada")
    }
}

const ADA: &str = r#"{"Resources":[{"id":"u","externalId":"00u1","userName":"ada"}]}"#;
const ADA_WITH_OTHER_ID: &str =
    r#"{"Resources":[{"id":"u","externalId":"00u9","userName":"ada"}]}"#;
const NO_USERS: &str = r#"{"Resources":[]}"#;

#[tokio::test]
async fn a_post_whose_response_was_lost_is_not_retried() {
    let script = Script::new([Err(broken_connection as fn() -> TransportError)]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client
        .users()
        .create(&ada())
        .await
        .expect_err("no response");
    assert!(error.may_have_acted());
    assert_eq!(
        error.to_string(),
        "POST /Users got no usable response, but the server may have processed it"
    );
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the connection broke before the response was complete"
    );
    assert_eq!(
        error.help(),
        Some("check whether the server processed the request before you send it again")
    );
    assert_eq!(script.requests(), ["POST /v2/Users"]);
}

#[tokio::test]
async fn a_post_that_was_not_sent_is_retried() {
    let refused: fn() -> TransportError = || TransportError::not_sent("connection refused");
    let script = Script::new([Err(refused), Ok((201, r#"{"id":"u"}"#))]);
    let user = script
        .client(Dialect::Generic)
        .users()
        .create(&ada())
        .await
        .expect("a user");
    assert_eq!(user.id, Some(id("u")));
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_read_whose_response_was_lost_is_retried() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Ok((200, r#"{"id":"u"}"#)),
    ]);
    script
        .client(Dialect::Generic)
        .users()
        .get(&id("u"))
        .await
        .expect("a user");
    assert_eq!(script.requests(), ["GET /v2/Users/u", "GET /v2/Users/u"]);
}

#[tokio::test]
async fn a_user_is_adopted_if_the_response_of_its_creation_was_lost() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Ok((200, ADA)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let created = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect("a user");
    assert!(matches!(&created, Created::Adopted(user) if user.id == Some(id("u"))));
    assert_eq!(
        script.requests(),
        [
            "POST /v2/Users",
            "GET /v2/Users?filter=externalId%20eq%20%2200u1%22&cursor&count=100"
        ]
    );
}

#[tokio::test]
async fn an_existing_user_is_adopted_by_name() {
    let script = Script::new([
        Ok((409, "{}")),
        Ok((200, NO_USERS)),
        Ok((200, r#"{"Resources":[{"id":"u","userName":"ada"}]}"#)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let created = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect("a user");
    assert_eq!(created.into_resource().id, Some(id("u")));
    assert_eq!(
        script.requests()[2],
        "GET /v2/Users?filter=userName%20eq%20%22ada%22&cursor&count=100"
    );
}

#[tokio::test]
async fn a_user_with_another_external_id_is_never_adopted() {
    let script = Script::new([
        Ok((409, "{}")),
        Ok((200, NO_USERS)),
        Ok((200, ADA_WITH_OTHER_ID)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect_err("a conflict");
    assert!(error.is_conflict());
}

#[tokio::test]
async fn if_no_user_can_be_adopted_the_error_of_the_creation_is_returned() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Ok((200, NO_USERS)),
        Ok((200, NO_USERS)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect_err("no response");
    assert!(error.may_have_acted());
    assert_eq!(script.requests().len(), 3, "the POST is not retried");
}

#[tokio::test]
async fn other_errors_do_not_cause_a_lookup() {
    let script = Script::new([Ok((400, "{}"))]);
    let client = script.client(Dialect::Generic);
    let error = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect_err("the call fails");
    assert_eq!(error.status(), Some(400));
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_deletion_succeeds_if_a_retry_finds_nothing_to_delete() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Ok((404, "")),
    ]);
    script
        .client(Dialect::Generic)
        .users()
        .delete(&id("u"))
        .await
        .expect("deleted");
    let script = Script::new([Ok((404, ""))]);
    let error = script
        .client(Dialect::Generic)
        .users()
        .delete(&id("u"))
        .await;
    assert!(error.expect_err("the call fails").is_not_found());
}
