//! Tests of private keys.

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use okta_client::{KeyError, PrivateKey, ServiceApp, SigningAlgorithm};
use rest_core::Secret;
use serde_json::{Value, json};

use super::{EC256, answer, field, key, part, token, verified};
use crate::{Org, clock};

/// Returns the assertion of a service app with this key.
async fn assertion_with(key: PrivateKey) -> String {
    let org = Org::responding([token("Bearer", "access-1", 3600), answer(200, json!([]))]);
    let app = ServiceApp::new("0oaservice", key, ["okta.users.read"]).dpop(false);
    let client = org.client_with(app, &clock());
    client
        .groups()
        .list(okta_client::ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    let requests = org.0.requests.lock().unwrap();
    field(&requests[0], "client_assertion")
}

#[tokio::test]
async fn each_kind_of_key_signs_with_its_algorithm() {
    for (text, public, algorithm) in [
        (
            include_str!("keys/rsa.pkcs8.pem"),
            include_str!("keys/rsa.public.jwk.json"),
            "RS256",
        ),
        (
            include_str!("keys/rsa.pkcs1.pem"),
            include_str!("keys/rsa.public.jwk.json"),
            "RS256",
        ),
        (
            include_str!("keys/rsa.jwk.json"),
            include_str!("keys/rsa.public.jwk.json"),
            "RS256",
        ),
        (EC256, include_str!("keys/ec256.public.jwk.json"), "ES256"),
        (
            include_str!("keys/ec256.sec1.pem"),
            include_str!("keys/ec256.public.jwk.json"),
            "ES256",
        ),
        (
            include_str!("keys/ec256.jwk.json"),
            include_str!("keys/ec256.public.jwk.json"),
            "ES256",
        ),
        (
            include_str!("keys/ec384.pkcs8.pem"),
            include_str!("keys/ec384.public.jwk.json"),
            "ES384",
        ),
        (
            include_str!("keys/ec384.sec1.pem"),
            include_str!("keys/ec384.public.jwk.json"),
            "ES384",
        ),
        (
            include_str!("keys/ec384.jwk.json"),
            include_str!("keys/ec384.public.jwk.json"),
            "ES384",
        ),
    ] {
        let jwt = assertion_with(key(text)).await;
        let (header, _) = verified(&jwt, &serde_json::from_str(public).unwrap());
        assert_eq!(header, json!({ "typ": "JWT", "alg": algorithm }));
    }
}

#[tokio::test]
async fn a_key_on_p_521_signs_with_es512() {
    let public: Value = serde_json::from_str(include_str!("keys/ec521.public.jwk.json")).unwrap();
    let mut point = vec![4];
    for member in ["x", "y"] {
        let number = BASE64_URL_SAFE_NO_PAD.decode(public[member].as_str().unwrap());
        point.extend(number.unwrap());
    }
    for text in [
        include_str!("keys/ec521.pkcs8.pem"),
        include_str!("keys/ec521.sec1.pem"),
        include_str!("keys/ec521.jwk.json"),
    ] {
        let jwt = assertion_with(key(text)).await;
        assert_eq!(part(&jwt, 0)["alg"], "ES512");
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, &point)
            .verify(
                message.as_bytes(),
                &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .expect("a valid signature");
    }
}

#[tokio::test]
async fn an_rsa_key_signs_with_the_algorithm_that_is_asked_for() {
    let public = serde_json::from_str(include_str!("keys/rsa.public.jwk.json")).unwrap();
    for (algorithm, name) in [
        (SigningAlgorithm::Rs384, "RS384"),
        (SigningAlgorithm::Rs512, "RS512"),
    ] {
        let key = key(include_str!("keys/rsa.pkcs8.pem")).with_algorithm(algorithm);
        let jwt = assertion_with(key.unwrap()).await;
        assert_eq!(verified(&jwt, &public).0["alg"], name);
    }
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    for (text, algorithm) in [
        (include_str!("keys/rsa.pkcs8.pem"), SigningAlgorithm::Es256),
        (EC256, SigningAlgorithm::Rs256),
        (EC256, SigningAlgorithm::Es384),
    ] {
        let error = key(text).with_algorithm(algorithm).expect_err("an error");
        let text = format!("the private key cannot sign with {algorithm}");
        assert!(error.to_string().starts_with(&text), "{error}");
    }
}

#[tokio::test]
async fn the_key_id_is_the_callers_or_the_one_of_the_jwk() {
    let mut jwk: Value = serde_json::from_str(include_str!("keys/rsa.jwk.json")).unwrap();
    jwk["kid"] = json!("kid-1");
    jwk["alg"] = json!("RS512");
    let jwk = key(&jwk.to_string());
    assert_eq!(jwk.key_id(), Some("kid-1"));
    let header = part(&assertion_with(jwk.clone()).await, 0);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "RS512", "kid": "kid-1" })
    );
    let header = part(&assertion_with(jwk.with_key_id("kid-2")).await, 0);
    assert_eq!(header["kid"], "kid-2");
}

#[test]
fn a_key_is_accepted_as_people_paste_it() {
    let wrapped = include_str!("keys/ec256.jwk.json").replace("\"d\":\"", "\"d\":\"\n ");
    for text in [
        EC256.replace('\n', "\\n"),
        format!("\n  {EC256}\n"),
        EC256.replace('\n', "\r\n"),
        wrapped.replace("\n ", "\\n "),
    ] {
        let key = PrivateKey::parse(&Secret::new(text.clone()));
        assert_eq!(key.expect(&text).algorithm(), SigningAlgorithm::Es256);
    }
}

#[test]
fn a_text_that_is_no_usable_key_is_refused_with_the_reason() {
    let rsa: Value = serde_json::from_str(include_str!("keys/rsa.jwk.json")).unwrap();
    let without = |member: &str| {
        let mut jwk = rsa.clone();
        jwk.as_object_mut().unwrap().remove(member);
        jwk.to_string()
    };
    let with = |member: &str, value: &str| {
        let mut jwk = rsa.clone();
        jwk[member] = json!(value);
        jwk.to_string()
    };
    for (text, expected) in [
        (String::new(), KeyError::Format),
        ("MIIEvQIBADANBgkqhkiG9w0BAQ".to_owned(), KeyError::Format),
        ("{\"kty\": \"RSA\"".to_owned(), KeyError::Format),
        (
            "-----BEGIN PRIVATE KEY-----\nabc".to_owned(),
            KeyError::Format,
        ),
        (
            include_str!("keys/encrypted.pem").to_owned(),
            KeyError::Encrypted,
        ),
        (include_str!("keys/public.pem").to_owned(), KeyError::Public),
        (
            include_str!("keys/rsa.public.jwk.json").to_owned(),
            KeyError::Public,
        ),
        (
            include_str!("keys/rsa1024.pem").to_owned(),
            KeyError::Unsupported,
        ),
        (
            include_str!("keys/ed25519.pem").to_owned(),
            KeyError::Unsupported,
        ),
        (with("n", "AQAB"), KeyError::Unsupported),
        (EC256.replacen("MIG", "MIH", 1), KeyError::Unsupported),
    ] {
        let error = PrivateKey::parse(&Secret::new(text.clone())).expect_err(&text);
        assert_eq!(error, expected, "{text}");
    }
    for (text, member) in [
        (without("p"), "p"),
        (without("qi"), "qi"),
        (with("dp", "not base64"), "dp"),
        (with("alg", "HS256"), "alg"),
        (with("kty", "oct"), "kty"),
    ] {
        let error = PrivateKey::parse(&Secret::new(text)).expect_err(member);
        let text = format!("the JWK has no valid `{member}`");
        assert!(error.to_string().starts_with(&text), "{error}");
    }
}

#[test]
fn debug_output_has_no_part_of_the_key() {
    let jwk: Value = serde_json::from_str(include_str!("keys/ec256.jwk.json")).unwrap();
    let key = key(&jwk.to_string()).with_key_id("kid-1");
    let text = format!("{key:?}");
    assert_eq!(
        text,
        "PrivateKey { algorithm: Es256, key_id: Some(\"kid-1\"), .. }"
    );
}
