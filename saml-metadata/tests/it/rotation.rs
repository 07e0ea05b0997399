//! The rotation of a signing key: each step has its files, and no order breaks sign-in.

use jiff::{SignedDuration, Timestamp};
use saml_metadata::{
    Certificate, Document, Profile, compare,
    names::binding,
    read,
    rollover::{Consumer, Provider, RotationAction, RotationError, RotationPlan, RotationRequest},
    validate,
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{AGGREGATE, OKTA, document, now, read_certificate};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

fn fingerprint(name: &str) -> String {
    read_certificate(name).fingerprint_sha256()
}

#[track_caller]
fn plan(metadata: &Document, consumer: Consumer) -> RotationPlan {
    RotationRequest::new(metadata, &read_certificate("rsa3072"), now())
        .provider(Provider::Okta)
        .consumer(consumer)
        .plan()
        .expect("a plan")
}

fn signing(document: &Document) -> Vec<String> {
    let entity = document.entity().expect("one entity");
    let role = entity.identity_provider().expect("a role");
    let certificates = role.signing_certificates();
    certificates
        .iter()
        .map(Certificate::fingerprint_sha256)
        .collect()
}

#[test]
fn a_rotation_for_identity_center_is_the_documented_procedure_with_dates_and_files() {
    let plan = plan(&document(OKTA), Consumer::aws_identity_center());
    insta::assert_snapshot!(plan.to_string());
    let pem = &plan.steps[0].files[0];
    assert_eq!(pem.name, "1-new-certificate.pem");
    assert_eq!(
        Certificate::from_file(&pem.bytes).expect("PEM"),
        read_certificate("rsa3072")
    );
}

#[test]
fn a_rotation_for_a_consumer_of_metadata_publishes_both_certificates_first() {
    let consumer = Consumer::metadata("the federation").reload(days(2));
    let plan = plan(&document(OKTA), consumer);
    let steps: Vec<(RotationAction, Timestamp)> = plan
        .steps
        .iter()
        .map(|step| (step.action, step.at))
        .collect();
    assert_eq!(
        steps,
        [
            (RotationAction::PublishBoth, now()),
            (RotationAction::Activate, time("2026-11-26T12:00:00Z")),
            (RotationAction::Verify, time("2026-11-26T12:00:00Z")),
            (RotationAction::Retire, time("2026-11-27T12:00:00Z")),
        ]
    );
}

#[test]
fn no_step_breaks_sign_in_and_each_file_is_accepted_by_diff_and_validate() {
    for consumer in [
        Consumer::aws_identity_center(),
        Consumer::metadata("the partner"),
    ] {
        let mut current = document(OKTA);
        let plan = plan(&current, consumer);
        let mut accepted = signing(&current);
        for step in &plan.steps {
            // The keys that sign after the step are accepted before it and after it.
            for key in step
                .signs_with
                .iter()
                .filter(|_| step.action != RotationAction::PublishBoth)
            {
                assert!(
                    accepted.contains(key) && step.accepted.contains(key),
                    "{step}"
                );
            }
            accepted.clone_from(&step.accepted);
            for file in step
                .files
                .iter()
                .filter(|file| !file.name.contains("certificate"))
            {
                let next = read(&file.bytes).expect("metadata");
                assert_eq!(signing(&next), step.accepted, "{}", file.name);
                let result = compare(&current, &next, now()).expect("metadata");
                assert!(result.safe, "{result:#?}");
                let findings = validate(&next, Profile::AwsIdentityCenter, step.at);
                assert!(
                    !findings.iter().any(saml_metadata::Finding::is_error),
                    "{findings:#?}"
                );
                current = next;
            }
        }
        assert_eq!(signing(&current), [fingerprint("rsa3072")]);
        // Without the step between, the same change is not safe.
        assert!(
            !compare(&document(OKTA), &current, now())
                .expect("metadata")
                .safe
        );
    }
}

#[test]
fn each_wrong_order_is_refused_with_the_reason() {
    let metadata = document(OKTA);
    let new = read_certificate("rsa3072");
    let request = || {
        let consumer = Consumer::metadata("the partner").reload(days(2));
        RotationRequest::new(&metadata, &new, now()).consumer(consumer)
    };
    let error = |request: RotationRequest<'_>| request.plan().expect_err("refused").to_string();
    assert_eq!(
        error(request().activate_at(time("2026-11-25T12:00:00Z"))),
        "the new key would sign at 2026-11-25T12:00:00Z, but the partner has its certificate only \
         at 2026-11-26T12:00:00Z and rejects signatures before: publish both first, and sign with \
         the new key then"
    );
    assert_eq!(
        error(
            request()
                .activate_at(time("2026-11-28T12:00:00Z"))
                .retire_at(time("2026-11-27T12:00:00Z"))
        ),
        "the old certificate would be removed at 2026-11-27T12:00:00Z, but its key signs until \
         2026-11-28T12:00:00Z: the partner would reject signatures in between"
    );
    assert!(error(request().activate_at(time("2036-01-01T12:00:00Z"))).contains("valid from"));
    let single = request().consumer(Consumer::metadata("the partner").max_certificates(1));
    assert_eq!(
        error(single),
        "the partner keeps at most 1 signing certificate, but 2 are needed at the same time: sign-in \
         would fail between the change there and the change of the key"
    );
}

#[test]
fn the_new_key_signs_neither_before_its_start_nor_after_the_end_of_the_old_certificate() {
    let idp = |key: &str| {
        IdpMetadata::new("urn:idp")
            .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/")
            .signing_certificate(&read_certificate(key))
            .build()
            .expect("a document")
    };
    let old = idp("rsa2048");
    let future = read_certificate("future");
    let plan = RotationRequest::new(&old, &future, now())
        .plan()
        .expect("a plan");
    assert_eq!(plan.steps[1].at, future.not_before());
    let early =
        RotationRequest::new(&old, &future, now()).activate_at(time("2026-12-24T00:00:00Z"));
    assert!(matches!(
        early.plan(),
        Err(RotationError::NewNotValid { .. })
    ));

    // The certificate `soon` ends on 10 December.
    let old = idp("soon");
    let new = read_certificate("rsa2048");
    let late = RotationRequest::new(&old, &new, now()).activate_at(time("2026-12-11T00:00:00Z"));
    assert_eq!(
        late.plan().expect_err("refused").to_string(),
        "the old certificate expires at 2026-12-10T00:00:00Z, before the new key signs at \
         2026-12-11T00:00:00Z: sign with the new key earlier"
    );
    let plan = RotationRequest::new(&old, &new, now())
        .retire_at(time("2026-12-20T00:00:00Z"))
        .plan()
        .expect("a plan");
    assert_eq!(plan.steps[1].before, Some(time("2026-12-10T00:00:00Z")));
    // If the old certificate has expired already, a rotation is still planned.
    let expired = idp("expired");
    assert!(RotationRequest::new(&expired, &new, now()).plan().is_ok());
}

#[test]
fn a_certificate_that_is_published_already_is_not_published_again() {
    let plan = plan(&document(OKTA), Consumer::metadata("the partner"));
    let both = read(&plan.steps[0].files[0].bytes).expect("metadata");
    let request = RotationRequest::new(&both, &read_certificate("rsa3072"), now());
    let rest = request.plan().expect("a plan");
    assert_eq!(rest.steps[0].action, RotationAction::Activate);
    let done = read(&plan.steps[3].files[0].bytes).expect("metadata");
    let error = RotationRequest::new(&done, &read_certificate("rsa3072"), now()).plan();
    assert!(matches!(error, Err(RotationError::AlreadyRotated { .. })));
}

#[test]
fn a_rotation_needs_one_entity_with_a_signing_certificate() {
    let new = read_certificate("rsa3072");
    let plan = |metadata: &Document| RotationRequest::new(metadata, &new, now()).plan();
    assert!(matches!(
        plan(&document(AGGREGATE)),
        Err(RotationError::Entity(_))
    ));
    let sp = SpMetadata::new("urn:sp")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
        .build()
        .expect("a document");
    assert!(matches!(
        plan(&sp),
        Err(RotationError::NoCertificate { .. })
    ));
    let long = Certificate::from_pem(LONG).expect("a certificate");
    assert!(long.pem().len() > 2_500, "{}", long.pem().len());
    let okta = document(OKTA);
    let request = RotationRequest::new(&okta, &long, now());
    let request = request.consumer(Consumer::aws_identity_center());
    assert!(matches!(
        request.plan(),
        Err(RotationError::TooLong { max: 2_500, .. })
    ));
}

const LONG: &str = include_str!("../fixtures/certificates/long.pem");

#[cfg(feature = "serde")]
#[test]
fn a_plan_is_serialized_without_the_contents_of_the_files() {
    let plan = plan(&document(OKTA), Consumer::metadata("the partner"));
    let json = serde_json::to_value(&plan).expect("JSON");
    assert_eq!(json["steps"][0]["action"], "publish-both");
    assert_eq!(json["steps"][0]["files"][0]["name"], "1-both.xml");
    assert!(json["steps"][0]["files"][0].get("bytes").is_none());
    assert_eq!(json["consumer"]["reload"], "PT24H");
}

#[cfg(feature = "signature")]
#[test]
fn the_files_of_signed_metadata_are_signed_again() {
    use saml_metadata::signature::{Signer, SigningKey, Verifier, VerifyingKey};

    let key = SigningKey::from_pkcs8_pem(include_str!("../fixtures/signature/rsa.key.pem"))
        .expect("a key");
    let trusted =
        VerifyingKey::from_pem(include_str!("../fixtures/signature/rsa.cert.pem")).expect("a key");
    let signed = Signer::new(&key).sign(&document(OKTA)).expect("signed");
    let plan = plan(&signed, Consumer::metadata("the partner"));
    let files: Vec<_> = plan.steps.iter().flat_map(|step| &step.files).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        assert!(file.needs_signature, "{}", file.name);
        let bare = read(&file.bytes).expect("metadata");
        let again = Signer::new(&key).sign(&bare).expect("signed");
        Verifier::new([trusted.clone()])
            .verify(&again)
            .expect("verified");
    }
}
