//! The rotation of keys in roles other than an identity provider with one signing key, and the last
//! allowed time of each step.

use jiff::{SignedDuration, Timestamp};
use saml_metadata::{
    Certificate, Document, Finding, KeyUse, NewElement, Profile, Role, RoleDescriptor, compare,
    names::binding,
    read,
    rollover::{Consumer, RotationAction, RotationPlan, RotationRequest},
    validate,
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{OKTA, certificate, change, document, now, read_certificate};

fn role(document: &Document) -> RoleDescriptor<'_> {
    let entity = document.entity().expect("one entity");
    entity.roles().next().map(Role::descriptor).expect("a role")
}

/// Returns a service provider with keys of these uses.
fn sp(keys: &[(&str, Option<KeyUse>)]) -> Document {
    let document = SpMetadata::new("urn:sp")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
        .build()
        .expect("a document");
    keys.iter().fold(document, |document, (name, key_use)| {
        let key = NewElement::key_descriptor(*key_use, &read_certificate(name));
        let edit = document.edit().insert(role(&document).element(), &key);
        edit.apply().expect("an edit")
    })
}

fn plan(metadata: &Document) -> RotationPlan {
    RotationRequest::new(metadata, &read_certificate("rsa3072"), now())
        .plan()
        .expect("a plan")
}

fn file(plan: &RotationPlan, action: RotationAction) -> Document {
    let mut steps = plan.steps.iter();
    let step = steps.find(|step| step.action == action).expect("a step");
    read(&step.files[0].bytes).expect("metadata")
}

fn is_schema_valid(document: &Document) -> bool {
    let findings = validate(document, Profile::SamlCore, now());
    !findings.iter().any(Finding::is_error)
}

#[test]
fn a_rotation_keeps_the_certificate_that_a_service_provider_also_has_for_encryption() {
    for keys in [
        &[
            ("rsa2048", Some(KeyUse::Signing)),
            ("rsa2048", Some(KeyUse::Encryption)),
        ][..],
        &[("rsa2048", None)],
    ] {
        let old = sp(keys);
        let plan = plan(&old);
        let (own, new) = (read_certificate("rsa2048"), read_certificate("rsa3072"));
        let both = file(&plan, RotationAction::PublishBoth);
        let next = file(&plan, RotationAction::Retire);
        // Partners encrypt only with the key that the service provider has had all the time.
        for document in [&both, &next] {
            assert_eq!(
                role(document).encryption_certificates(),
                std::slice::from_ref(&own)
            );
            assert!(is_schema_valid(document), "{}", document.text());
        }
        assert_eq!(role(&both).signing_certificates(), [own, new.clone()]);
        assert_eq!(role(&next).signing_certificates(), [new]);
        let retire = &plan.steps.last().expect("a step").instructions;
        assert!(retire.contains("keep its key for decryption"), "{retire}");
        for (before, after) in [(&old, &both), (&both, &next)] {
            let result = compare(before, after, now()).expect("metadata");
            assert!(result.safe, "{result:#?}");
        }
    }
}

#[test]
fn a_rotation_removes_each_copy_of_the_old_certificates_and_leaves_no_empty_element() {
    let old = certificate("rsa2048");
    let (chain, copy) = (certificate("authority"), certificate("rsa2048"));
    let several = document(&change(
        OKTA,
        &[(
            "</ds:X509Certificate></ds:X509Data>",
            &format!(
                "</ds:X509Certificate><ds:X509Certificate>{chain}</ds:X509Certificate></ds:X509Data>\
                 <ds:X509Data><ds:X509Certificate>{copy}</ds:X509Certificate></ds:X509Data>\
                 <ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>",
                certificate("rsa3072")
            ),
        )],
    ));
    assert_eq!(role(&several).signing_certificates().len(), 4);
    let plan = plan(&several);
    let next = file(&plan, RotationAction::Retire);
    assert_eq!(
        role(&next).signing_certificates(),
        [read_certificate("rsa3072")]
    );
    assert!(!next.text().contains(&old) && !next.text().contains("<ds:X509Data/>"));
    assert!(is_schema_valid(&next), "{}", next.text());
}

#[test]
fn a_plan_is_safe_if_each_step_is_done_at_its_last_allowed_time() {
    let metadata = document(OKTA);
    let new = read_certificate("rsa3072");
    let reload = SignedDuration::from_hours(48);
    for consumer in [
        Consumer::aws_identity_center().reload(reload),
        Consumer::metadata("the partner").reload(reload),
        Consumer::aws_identity_center(),
    ] {
        for activate in [None, Some(now() + SignedDuration::from_hours(24 * 10))] {
            let reload = consumer.reload;
            let mut request =
                RotationRequest::new(&metadata, &new, now()).consumer(consumer.clone());
            if let Some(time) = activate {
                request = request.activate_at(time);
            }
            let plan = request.plan().expect("a plan");
            let [publish, activate, verify, retire] = &plan.steps[..] else {
                panic!("{plan}");
            };
            let last = |step: &saml_metadata::rollover::RotationStep| -> Timestamp {
                step.before.expect("a last time")
            };
            for step in [publish, activate, verify] {
                assert!(last(step) >= step.at, "{plan}");
            }
            // The consumer has the new certificate when the new key signs.
            assert!(last(publish) + reload <= activate.at, "{plan}");
            // The old key has stopped signing when the consumer drops it.
            assert!(last(activate) <= retire.at, "{plan}");
            assert!(last(verify) <= retire.at, "{plan}");
        }
    }
}

#[test]
fn the_new_key_signs_before_the_first_valid_old_certificate_ends() {
    // The certificate `soon` ends on 10 December, the standby `rsa2048` much later.
    let metadata = IdpMetadata::new("urn:idp")
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/")
        .signing_certificate(&read_certificate("soon"))
        .signing_certificate(&read_certificate("rsa2048"))
        .signing_certificate(&read_certificate("expired"))
        .build()
        .expect("a document");
    let new = read_certificate("rsa3072");
    let request = |time: &str| {
        RotationRequest::new(&metadata, &new, now()).activate_at(time.parse().expect("a time"))
    };
    let late = request("2026-12-11T00:00:00Z").plan();
    assert!(late.expect_err("refused").to_string().starts_with(
        "the old certificate expires at 2026-12-10T00:00:00Z, before the new key signs"
    ));
    assert!(request("2026-12-09T00:00:00Z").plan().is_ok());
}

#[test]
fn a_certificate_for_the_same_key_is_replaced_without_a_step_that_changes_the_key() {
    let metadata = document(OKTA);
    let new = read_certificate("long");
    assert_eq!(
        new.public_key_der(),
        read_certificate("rsa2048").public_key_der()
    );
    let plan = RotationRequest::new(&metadata, &new, now())
        .activate_at(now())
        .plan()
        .expect("a plan");
    let actions: Vec<RotationAction> = plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(
        actions,
        [RotationAction::PublishBoth, RotationAction::Retire]
    );
    let publish = &plan.steps[0].instructions;
    assert!(
        publish.contains("The signing key stays the same."),
        "{publish}"
    );
    assert_eq!(
        role(&file(&plan, RotationAction::Retire)).signing_certificates(),
        [new]
    );
}

#[test]
fn a_rotation_is_refused_for_a_signing_key_that_cannot_be_compared() {
    let new = read_certificate("rsa3072");
    let bare = "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                <ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>\
                </ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor";
    let unreadable = "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                      <ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>\
                      </ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor";
    for (key, text) in [
        (bare, "without a certificate"),
        (unreadable, "a certificate that cannot be read"),
    ] {
        let metadata = document(&change(OKTA, &[("<md:KeyDescriptor", key)]));
        let error = RotationRequest::new(&metadata, &new, now()).plan();
        let error = error.expect_err("refused").to_string();
        assert!(
            error.starts_with("IDPSSODescriptor has ") && error.contains(text),
            "{error}"
        );
    }
    let name = "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                <ds:KeyName>n</ds:KeyName></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor";
    let metadata = document(&change(OKTA, &[("<md:KeyDescriptor", name)]));
    assert!(RotationRequest::new(&metadata, &new, now()).plan().is_ok());
}

#[test]
fn a_negative_reload_counts_as_zero() {
    let consumer = Consumer::metadata("x").reload(SignedDuration::from_hours(-24));
    assert_eq!(consumer.reload, SignedDuration::ZERO);
}

#[test]
fn the_maximum_number_of_certificates_counts_each_certificate_once() {
    let metadata = sp(&[
        ("rsa2048", Some(KeyUse::Signing)),
        ("rsa2048", None),
        ("p256", Some(KeyUse::Encryption)),
    ]);
    let new: Certificate = read_certificate("rsa3072");
    let request = |max: usize| {
        let consumer = Consumer::metadata("the partner").max_certificates(max);
        RotationRequest::new(&metadata, &new, now()).consumer(consumer)
    };
    assert!(request(2).plan().is_ok());
    assert!(request(1).plan().is_err());
}
