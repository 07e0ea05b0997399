//! Answers that are lost, and what is done about them.

use std::error::Error as _;

use scim_client::{Created, Dialect};
use scim_types::{ExternalId, User};

use crate::fixture::{Script, id, lost};
use rest_core::TransportError;

fn ada() -> User {
    User {
        external_id: Some(ExternalId::new("00u1")),
        ..User::new("ada")
    }
}

const ADA: &str = r#"{"Resources":[{"id":"u","externalId":"00u1","userName":"ada"}]}"#;
const ADA_OF_ANOTHER: &str = r#"{"Resources":[{"id":"u","externalId":"00u9","userName":"ada"}]}"#;
const NOBODY: &str = r#"{"Resources":[]}"#;

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_sent_again() {
    let script = Script::new([Err(lost as fn() -> TransportError)]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client.users().create(&ada()).await.expect_err("no answer");
    assert!(error.may_have_acted());
    assert_eq!(
        error.to_string(),
        "POST /Users got no usable answer, and may have been done all the same"
    );
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the connection broke before the answer was complete"
    );
    assert_eq!(
        error.help(),
        Some("look whether it was done before it is sent again")
    );
    assert_eq!(script.asked(), ["POST /v2/Users"]);
}

#[tokio::test]
async fn a_post_that_never_left_is_sent_again() {
    let refused: fn() -> TransportError = || TransportError::not_sent("connection refused");
    let script = Script::new([Err(refused), Ok((201, r#"{"id":"u"}"#))]);
    let user = script
        .client(Dialect::Generic)
        .users()
        .create(&ada())
        .await
        .expect("a user");
    assert_eq!(user.id, Some(id("u")));
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test]
async fn a_read_whose_answer_was_lost_is_sent_again() {
    let script = Script::new([
        Err(lost as fn() -> TransportError),
        Ok((200, r#"{"id":"u"}"#)),
    ]);
    script
        .client(Dialect::Generic)
        .users()
        .get(&id("u"))
        .await
        .expect("a user");
    assert_eq!(script.asked(), ["GET /v2/Users/u", "GET /v2/Users/u"]);
}

#[tokio::test]
async fn a_user_that_was_created_though_the_answer_was_lost_is_adopted() {
    let script = Script::new([Err(lost as fn() -> TransportError), Ok((200, ADA))]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let created = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect("a user");
    assert!(matches!(&created, Created::Adopted(user) if user.id == Some(id("u"))));
    assert_eq!(
        script.asked(),
        [
            "POST /v2/Users",
            "GET /v2/Users?filter=externalId%20eq%20%2200u1%22&cursor&count=100"
        ]
    );
}

#[tokio::test]
async fn a_user_that_was_there_before_is_adopted_by_name() {
    let script = Script::new([
        Ok((409, "{}")),
        Ok((200, NOBODY)),
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
        script.asked()[2],
        "GET /v2/Users?filter=userName%20eq%20%22ada%22&cursor&count=100"
    );
}

#[tokio::test]
async fn a_user_with_another_external_id_is_never_adopted() {
    let script = Script::new([
        Ok((409, "{}")),
        Ok((200, NOBODY)),
        Ok((200, ADA_OF_ANOTHER)),
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
async fn a_user_that_is_nowhere_leaves_the_lost_answer_as_the_error() {
    let script = Script::new([
        Err(lost as fn() -> TransportError),
        Ok((200, NOBODY)),
        Ok((200, NOBODY)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect_err("no answer");
    assert!(error.may_have_acted());
    assert_eq!(script.asked().len(), 3, "and the POST is not repeated");
}

#[tokio::test]
async fn another_refusal_is_not_looked_into() {
    let script = Script::new([Ok((400, "{}"))]);
    let client = script.client(Dialect::Generic);
    let error = client
        .users()
        .create_or_adopt(&ada())
        .await
        .expect_err("a refusal");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn what_is_gone_when_a_deletion_is_repeated_counts_as_deleted() {
    let script = Script::new([Err(lost as fn() -> TransportError), Ok((404, ""))]);
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
    assert!(error.expect_err("a refusal").is_not_found());
}
