//! Tests that the errors of all clients and of the facade have the same accessors, with the same meaning.

use okta_aws_sso::{
    Error,
    aws::AccountId,
    okta::{self, Id},
    scim,
};
use rest_core::Secret;
use sandbox::{Sandbox, Stage};

use crate::fixture::{Fixture, SEED};

/// The answer of a service as an error shows it.
#[derive(Debug, PartialEq)]
struct Answer {
    operation: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    has_message: bool,
    has_request_id: bool,
    has_help: bool,
    predicates: Vec<&'static str>,
}

/// Reads an error of any of the four crates: they have the same methods and no common trait.
macro_rules! answer {
    ($error:expr) => {{
        let error = $error;
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        let predicates = [
            (error.is_not_found(), "not found"),
            (error.is_conflict(), "conflict"),
            (error.is_throttled(), "throttled"),
            (error.is_unauthenticated(), "unauthenticated"),
            (error.is_permission_denied(), "permission denied"),
            (error.may_have_acted(), "may have acted"),
        ];
        Answer {
            operation: owned(error.operation()),
            status: error.status(),
            code: owned(error.code()),
            has_message: error.message().is_some(),
            has_request_id: error.request_id().is_some(),
            has_help: error.help().is_some(),
            predicates: predicates
                .into_iter()
                .filter_map(|(is, name)| is.then_some(name))
                .collect(),
        }
    }};
}

/// Checks the answer of a client, and that the facade's error of it has the same answer.
macro_rules! check {
    ($error:expr, $operation:literal, $prefix:literal, $status:expr, $code:expr, $predicate:literal) => {{
        let error = $error;
        let expected = Answer {
            operation: Some($operation.to_owned()),
            status: Some($status),
            code: $code,
            has_message: true,
            has_request_id: true,
            has_help: true,
            predicates: vec![$predicate],
        };
        assert_eq!(answer!(&error), expected);
        let facade = Error::service("the summary", error);
        let expected = Answer {
            operation: Some(format!("{}{}", $prefix, $operation)),
            ..expected
        };
        assert_eq!(answer!(&facade), expected);
        let printed = format!("{facade:?}");
        assert!(printed.starts_with("the summary\n"), "{printed}");
        assert!(printed.contains("to do:"), "{printed}");
    }};
}

#[tokio::test]
async fn one_refusal_of_each_service_has_the_same_answer_in_its_client_and_in_the_facade() {
    let fixture = Fixture::new(SEED).await;

    let app: Id<okta::App> = "0oaunknown".parse().expect("an id");
    let error = fixture.okta.apps().get(&app).await.expect_err("no app");
    check!(
        error,
        "GET /api/v1/apps/0oaunknown",
        "Okta ",
        404,
        Some("E0000007".to_owned()),
        "not found"
    );

    let account: AccountId = "999999999999".parse().expect("an id");
    let organizations = fixture.aws.organizations();
    let error = organizations
        .account(&account)
        .await
        .expect_err("no account");
    check!(
        error,
        "organizations DescribeAccount",
        "",
        400,
        Some("AccountNotFoundException".to_owned()),
        "not found"
    );

    let sandbox = Sandbox::builder()
        .stage(Stage::Federated)
        .start()
        .await
        .expect("a sandbox");
    let shown = sandbox
        .console()
        .enable_automatic_provisioning()
        .expect("a token");
    let endpoint = scim::Endpoint::parse(&shown.scim_endpoint).expect("an endpoint");
    let client = scim::Client::builder(&endpoint, Secret::new(shown.access_token))
        .build()
        .expect("a client");
    let error = client
        .users()
        .get(&"unknown".parse().expect("an id"))
        .await
        .expect_err("no user");
    check!(error, "GET /Users/unknown", "SCIM ", 404, None, "not found");
}

#[test]
fn an_error_that_is_not_of_a_call_has_no_answer() {
    let error = Error::new(okta_aws_sso::ErrorKind::Blueprint, "two groups of one name");
    assert_eq!(error.operation(), None);
    assert_eq!(
        (error.status(), error.code(), error.message()),
        (None, None, None)
    );
    assert!(!error.may_have_acted());
}
