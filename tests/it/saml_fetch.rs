//! Tests of SAML metadata by URL, against a server on this machine and with a manual clock.
#![expect(clippy::disallowed_methods, reason = "a test may read and write files")]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures::future::join_all;
use jiff::Timestamp;
use mockito::{Matcher, Mock, ServerGuard};
use okta_aws_sso::{
    deps::reqwest,
    saml::{
        self,
        signature::{Signer, SigningKey, VerifyingKey},
    },
    saml_fetch::{
        self, FetchError, FetchErrorKind, FetchedMetadata, Fetcher, FetcherBuilder, MetadataUrl,
        Origin, Signature, Warning,
    },
};
use rest_core::ManualClock;
use sandbox::Stage;

use crate::fixture::START;

const HOUR: Duration = Duration::from_hours(1);

/// A server with the metadata at `/saml/metadata`, a clock and a folder for the cache.
struct World {
    server: ServerGuard,
    clock: ManualClock,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self {
            server: mockito::Server::new_async().await,
            clock: ManualClock::new(time(START)),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn get(&mut self) -> Mock {
        self.server.mock("GET", "/saml/metadata")
    }

    /// Answers all requests with this document, and expects `times` requests.
    async fn serve(&mut self, document: &str, times: usize) -> Mock {
        self.server.reset();
        let mock = self.get().with_header("etag", "\"1\"");
        mock.with_body(document).expect(times).create_async().await
    }

    async fn answer(&mut self, status: usize, headers: &[(&str, &str)], body: impl AsRef<[u8]>) {
        self.server.reset();
        let mut mock = self.get().with_status(status).with_body(body);
        for (name, value) in headers {
            mock = mock.with_header(*name, value);
        }
        mock.create_async().await;
    }

    fn builder(&self) -> FetcherBuilder {
        self.builder_of("/saml/metadata")
    }

    fn builder_of(&self, path: &str) -> FetcherBuilder {
        let url = MetadataUrl::parse(&format!("{}{path}", self.server.url())).expect("a URL");
        Fetcher::builder(url).clock(Arc::new(self.clock.clone()))
    }

    fn cached(&self) -> FetcherBuilder {
        self.builder().cache_folder(self.folder.path())
    }

    async fn fetch(&self) -> Result<FetchedMetadata, FetchError> {
        self.cached().build()?.fetch().await
    }

    fn file(&self) -> PathBuf {
        let fetcher = self.cached().build().expect("a fetcher");
        fetcher.cache_file().expect("a cache").to_owned()
    }
}

/// Returns metadata with these attributes of the root element.
fn metadata(attributes: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:a\" {attributes}/>"
    )
}

fn time(text: &str) -> SystemTime {
    let time: Timestamp = text.parse().expect("a time");
    time.try_into().expect("a time of the clock")
}

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/saml-metadata/tests/fixtures/");
    std::fs::read_to_string(Path::new(folder).join(name)).expect(name)
}

fn key(name: &str) -> VerifyingKey {
    VerifyingKey::from_pem(&fixture(&format!("signature/{name}.cert.pem"))).expect("a key")
}

fn signed(document: &str, name: &str) -> String {
    let key = fixture(&format!("signature/{name}.key.pem"));
    let key = SigningKey::from_pkcs8_pem(&key).expect("a key");
    let document = saml::read(document.as_bytes()).expect("metadata");
    let signed = Signer::new(&key).sign(&document).expect("a signature");
    signed.text().to_owned()
}

#[track_caller]
fn is(fetched: &Result<FetchedMetadata, FetchError>, origin: &str) {
    let fetched = fetched.as_ref().expect("metadata");
    let found = format!("{:?}", fetched.origin());
    assert!(found.starts_with(origin), "{fetched:?}");
}

#[track_caller]
fn fails(result: Result<FetchedMetadata, FetchError>, kind: FetchErrorKind, texts: &[&str]) {
    let error = result.expect_err("no metadata");
    let text = error.explain();
    assert_eq!(error.kind(), kind, "{text}");
    for part in texts.iter().chain(&["to do:"]) {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[tokio::test]
async fn a_copy_younger_than_the_cache_duration_sends_no_request_unless_it_is_refreshed() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='PT6H'");
    let mock = world.serve(&document, 3).await;
    let first = world.fetch().await;
    is(&first, "Fetched");
    let first = first.expect("metadata");
    assert_eq!(first.bytes(), document.as_bytes());
    assert_eq!(first.fetched_at().to_string(), START);
    let refresh_at = first.refresh_at().expect("a time").to_string();
    assert_eq!(refresh_at, "2026-11-24T15:00:00Z");
    world.clock.advance(Duration::from_secs(6 * 3600 - 1));
    let cached = world.fetch().await;
    is(&cached, "Cached");
    assert_eq!(cached.expect("metadata").bytes(), document.as_bytes());
    is(
        &world.cached().build().expect("a fetcher").refresh().await,
        "Fetched",
    );
    world.clock.advance(6 * HOUR);
    is(&world.fetch().await, "Fetched");
    is(&world.fetch().await, "Cached");
    mock.assert_async().await;
    // Without a cache folder, each fetch sends a request.
    is(
        &world.builder().build().expect("a fetcher").fetch().await,
        "Fetched",
    );
}

#[tokio::test]
async fn a_304_renews_the_age_of_the_copy() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='PT6H'");
    world.serve(&document, 1).await;
    is(&world.fetch().await, "Fetched");
    world.clock.advance(7 * HOUR);
    world.server.reset();
    let unchanged = world
        .get()
        .match_header("if-none-match", "\"1\"")
        .match_header("if-modified-since", Matcher::Missing)
        .with_status(304)
        .create_async()
        .await;
    let renewed = world.fetch().await;
    is(&renewed, "NotModified");
    let renewed = renewed.expect("metadata");
    assert_eq!(renewed.bytes(), document.as_bytes());
    assert_eq!(renewed.fetched_at().to_string(), "2026-11-24T16:00:00Z");
    world.clock.advance(5 * HOUR);
    is(&world.fetch().await, "Cached");
    // The ETag is kept although the 304 did not repeat it.
    world.clock.advance(HOUR);
    is(&world.fetch().await, "NotModified");
    unchanged.expect(2).assert_async().await;
}

#[tokio::test]
async fn without_an_etag_the_time_of_the_document_is_the_condition() {
    let mut world = World::new().await;
    let time = "Tue, 24 Nov 2026 08:00:00 GMT";
    world
        .answer(200, &[("last-modified", time)], metadata(""))
        .await;
    is(&world.fetch().await, "Fetched");
    world.server.reset();
    world
        .get()
        .match_header("if-none-match", Matcher::Missing)
        .match_header("if-modified-since", time)
        .with_status(304)
        .create_async()
        .await;
    is(&world.fetch().await, "NotModified");
}

#[tokio::test]
async fn the_validator_of_a_304_replaces_that_of_the_copy() {
    let mut world = World::new().await;
    world.serve(&metadata(""), 1).await;
    is(&world.fetch().await, "Fetched");
    world.server.reset();
    for (known, sent) in [("\"1\"", "W/\"2\""), ("W/\"2\"", "\"3\"")] {
        let unchanged = world
            .get()
            .match_header("if-none-match", known)
            .with_status(304)
            .with_header("etag", sent)
            .create_async()
            .await;
        is(&world.fetch().await, "NotModified");
        unchanged.assert_async().await;
    }
}

#[tokio::test]
async fn a_document_without_a_usable_cache_duration_is_asked_for_each_time() {
    for (attributes, warns) in [
        ("", false),
        ("cacheDuration='PT0S'", false),
        ("cacheDuration='-PT1H'", false),
        ("cacheDuration='six hours'", true),
    ] {
        let mut world = World::new().await;
        let mock = world.serve(&metadata(attributes), 2).await;
        is(&world.fetch().await, "Fetched");
        let second = world.fetch().await.expect("metadata");
        assert!(matches!(second.origin(), Origin::Fetched), "{attributes}");
        let is_warned = matches!(second.warnings(), [Warning::CacheDuration { .. }]);
        assert_eq!(is_warned, warns, "{second:?}");
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_copy_from_the_future_is_not_fresh() {
    let mut world = World::new().await;
    world.serve(&metadata("cacheDuration='PT6H'"), 2).await;
    is(&world.fetch().await, "Fetched");
    world.clock.set(time("2026-11-23T09:00:00Z"));
    is(&world.fetch().await, "Fetched");
}

#[tokio::test]
async fn an_expired_document_is_an_error_that_names_the_date() {
    let mut world = World::new().await;
    // The document expires at its `validUntil`, and not after it.
    for until in ["2026-11-01T00:00:00Z", START] {
        let document = metadata(&format!("validUntil='{until}'"));
        world.answer(200, &[("x-request-id", "r1")], document).await;
        let text = format!("expired at {until}");
        fails(
            world.fetch().await,
            FetchErrorKind::Expired,
            &[&text, "/saml/metadata: 200", "(request r1)", "clock"],
        );
        assert!(!world.file().exists());
    }
    let document = metadata("validUntil='next year'");
    world.answer(200, &[], document).await;
    fails(
        world.fetch().await,
        FetchErrorKind::NotMetadata,
        &["`validUntil` cannot be read", "next year"],
    );
}

#[tokio::test]
async fn a_copy_that_has_expired_is_never_returned() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='P30D' validUntil='2026-11-24T10:00:00Z'");
    world.serve(&document, 1).await;
    let first = world.fetch().await.expect("metadata");
    assert_eq!(first.refresh_at(), first.expires_at());
    world.clock.advance(Duration::from_secs(3599));
    is(&world.fetch().await, "Cached");
    world.clock.advance(Duration::from_secs(1));
    world.answer(404, &[], "").await;
    fails(
        world.fetch().await,
        FetchErrorKind::Refused,
        &["404", "its document expired at 2026-11-24T10:00:00Z"],
    );
    // The request is not conditional: the copy cannot be used.
    world.server.reset();
    let whole = world.get().match_header("if-none-match", Matcher::Missing);
    let new = metadata("validUntil='2026-12-24T10:00:00Z'");
    whole.with_body(&new).create_async().await;
    let fetched = world.fetch().await.expect("metadata");
    assert_eq!(fetched.bytes(), new.as_bytes());
    assert!(matches!(fetched.warnings(), [Warning::CacheIgnored { .. }]));
}

#[tokio::test]
async fn a_copy_that_expires_during_the_request_is_not_returned() {
    for (status, kind) in [
        (304, FetchErrorKind::Expired),
        (404, FetchErrorKind::Refused),
    ] {
        let mut world = World::new().await;
        let document = metadata("validUntil='2026-11-24T10:00:00Z'");
        world.serve(&document, 1).await;
        is(&world.fetch().await, "Fetched");
        world.answer(status, &[], "").await;
        world.clock.set_round_trip(2 * HOUR);
        fails(world.fetch().await, kind, &["/saml/metadata"]);
    }
}

#[tokio::test]
async fn if_the_request_fails_the_copy_is_returned_with_the_reason() {
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let expired = metadata("validUntil='2026-11-01T00:00:00Z'");
    let answers: [(usize, &str, FetchErrorKind); 7] = [
        (503, "", FetchErrorKind::Refused),
        (404, html, FetchErrorKind::Refused),
        (401, "", FetchErrorKind::Refused),
        (302, "", FetchErrorKind::Redirected),
        (200, html, FetchErrorKind::NotMetadata),
        (200, "", FetchErrorKind::NotMetadata),
        (200, &expired, FetchErrorKind::Expired),
    ];
    let mut world = World::new().await;
    let document = metadata("");
    world.serve(&document, 1).await;
    is(&world.fetch().await, "Fetched");
    let before = std::fs::read(world.file()).expect("a file");
    for (status, body, kind) in answers {
        world.answer(status, &[("etag", "\"2\"")], body).await;
        let stale = world.fetch().await.expect("the copy");
        assert_eq!(stale.bytes(), document.as_bytes());
        assert_eq!(stale.fetched_at().to_string(), START);
        let Origin::Stale(error) = stale.origin() else {
            panic!("{stale:?}");
        };
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert_eq!(std::fs::read(world.file()).expect("a file"), before);
    }
    // No server has port 1.
    let proxy = reqwest::Proxy::all("http://127.0.0.1:1").expect("a proxy");
    let http = reqwest::ClientBuilder::new().proxy(proxy);
    let fetcher = world.cached().http(http).build().expect("a fetcher");
    let stale = fetcher.fetch().await.expect("the copy");
    assert!(
        matches!(stale.origin(), Origin::Stale(error) if error.kind() == FetchErrorKind::Unreachable),
        "{stale:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_no_metadata_is_an_error_that_says_what_came() {
    let whole = fixture("okta.xml");
    let half = &whole[..whole.len() / 2];
    let html = "<!DOCTYPE html>\n<html><body>Sign in</body></html>";
    let aggregate = fixture("aggregate.xml");
    let most = &aggregate[..aggregate.len() - 30];
    let answers: [(usize, &str, &[u8], &[&str]); 10] = [
        (
            200,
            "text/html",
            html.as_bytes(),
            &["200 text/html, first element <html>, 49 bytes", "HTML page"],
        ),
        (
            200,
            "application/json",
            b"{\"errorCode\":\"E0000007\"}",
            &["200 application/json, 24 bytes", "looks like JSON"],
        ),
        (
            200,
            "application/xml",
            most.as_bytes(),
            &["first element <md:EntitiesDescriptor>", "line "],
        ),
        (
            200,
            "application/xml",
            b"",
            &["application/xml, 0 bytes", "empty"],
        ),
        (
            200,
            "application/xml",
            half.as_bytes(),
            &["first element <md:EntityDescriptor>", "line "],
        ),
        (
            200,
            "application/xml",
            b"\x1f\x8b\x08\x00",
            &["application/xml, 4 bytes", "gzip"],
        ),
        (
            200,
            "application/xml",
            b"<rss><a/></rss>",
            &["first element <rss>", "not SAML metadata"],
        ),
        (204, "application/xml", b"", &["204", "empty"]),
        (
            403,
            "text/html",
            html.as_bytes(),
            &[
                "403 Forbidden",
                "403 text/html, first element <html>",
                "sign-in",
            ],
        ),
        (304, "", b"", &["304 Not Modified"]),
    ];
    for (status, kind, body, texts) in answers {
        let mut world = World::new().await;
        let headers = [("content-type", kind), ("x-okta-request-id", "reqA1")];
        world.answer(status, &headers, body).await;
        let kind = match status {
            200 | 204 => FetchErrorKind::NotMetadata,
            _ => FetchErrorKind::Refused,
        };
        let result = world.fetch().await;
        let url = format!("GET {}/saml/metadata", world.server.url());
        fails(result, kind, &[texts, &[&url, "(request reqA1)"]].concat());
        assert!(!world.file().exists());
    }
}

#[tokio::test]
async fn a_redirect_names_the_new_address_and_is_not_followed() {
    let mut world = World::new().await;
    let target = world.server.mock("GET", "/new").expect(0).create_async();
    target.await;
    for (location, shown) in [
        (
            "https://other.example.org/new?token=hunter2",
            "redirects to https://other.example.org/new?…",
        ),
        ("/new", "/new"),
        (
            "https://user:hunter2@other.example.org/",
            "redirects to https://other.example.org/",
        ),
    ] {
        world.answer(302, &[("location", location)], "").await;
        let error = world.fetch().await.expect_err("a redirect");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        fails(
            Err(error),
            FetchErrorKind::Redirected,
            &[shown, "check the new address"],
        );
    }
}

#[tokio::test]
async fn a_throttled_request_is_sent_again_after_the_wait_that_the_server_asks_for() {
    let mut world = World::new().await;
    world
        .get()
        .with_status(429)
        .with_header("retry-after", "7")
        .expect(1)
        .create_async()
        .await;
    world.get().with_body(metadata("")).create_async().await;
    is(&world.fetch().await, "Fetched");
    assert_eq!(world.clock.slept(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn a_pinned_key_must_have_signed_the_root_element() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='PT6H'");
    let by_p256 = signed(&document, "p256");
    let group = format!(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{by_p256}</EntitiesDescriptor>"
    );
    for (body, text) in [
        (document.clone(), "the element is not signed"),
        (group, "the element is not signed"),
        (signed(&document, "other"), "none of the given keys fits"),
        (by_p256.replace("urn:a", "urn:b"), "the content was changed"),
    ] {
        world.answer(200, &[], body).await;
        let fetcher = world.cached().pin(key("p256")).build().expect("a fetcher");
        fails(
            fetcher.fetch().await,
            FetchErrorKind::NotVerified,
            &[text, "pin the new key"],
        );
        assert!(!world.file().exists());
    }
    world.answer(200, &[], &by_p256).await;
    let pinned = world.cached().pin(key("rsa")).pin(key("p256"));
    let fetched = pinned.build().expect("a fetcher").fetch().await;
    let verified = Signature::Verified { key: 1 };
    assert_eq!(fetched.expect("metadata").signature(), verified);
    let unpinned = world.builder().build().expect("a fetcher").fetch().await;
    let unpinned = unpinned.expect("metadata");
    assert_eq!(unpinned.signature(), Signature::NotChecked);
}

#[tokio::test]
async fn a_key_is_pinned_and_not_its_certificate() {
    let mut world = World::new().await;
    world.answer(200, &[], signed(&metadata(""), "p384")).await;
    // Another certificate of the same key, which has expired.
    let pinned = world.builder().pin(key("p384-expired"));
    let fetched = pinned.build().expect("a fetcher").fetch().await;
    let verified = Signature::Verified { key: 0 };
    assert_eq!(fetched.expect("metadata").signature(), verified);
}

#[tokio::test]
async fn the_copy_is_verified_with_the_pinned_key_each_time_it_is_read() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='PT6H'");
    world.serve(&document, 1).await;
    is(&world.fetch().await, "Fetched");
    // The copy was made without a pinned key. The request for a signed document is not conditional.
    let by_p256 = signed(&document, "p256");
    world.server.reset();
    let whole = world.get().match_header("if-none-match", Matcher::Missing);
    whole.with_body(&by_p256).create_async().await;
    let fetch = async |name| {
        let pinned = world.cached().pin(key(name)).build().expect("a fetcher");
        pinned.fetch().await
    };
    let fetched = fetch("p256").await;
    is(&fetched, "Fetched");
    let warnings = fetched.expect("metadata").warnings().to_vec();
    assert!(
        warnings[0]
            .to_string()
            .contains("the element is not signed"),
        "{warnings:?}"
    );
    let cached = fetch("p256").await;
    is(&cached, "Cached");
    let verified = Signature::Verified { key: 0 };
    assert_eq!(cached.expect("metadata").signature(), verified);
    fails(
        fetch("rsa").await,
        FetchErrorKind::NotVerified,
        &["was ignored"],
    );
}

#[test]
fn plain_http_needs_a_pinned_key_or_this_machine() {
    let builder = |url: &str| Fetcher::builder(MetadataUrl::parse(url).expect("a URL"));
    for url in [
        "https://idp.example.org/m",
        "http://localhost:8080/m",
        "http://127.0.0.1/m",
        "http://[::1]/m",
    ] {
        builder(url).build().expect(url);
    }
    let plain = "http://idp.example.org/m";
    builder(plain).pin(key("p256")).build().expect(plain);
    for url in [plain, "http://localhost.example.org/m", "http://10.0.0.1/m"] {
        let error = builder(url).build().expect_err(url);
        assert_eq!(error.kind(), FetchErrorKind::Options);
        let text = error.explain();
        assert!(text.contains("use https, or pin the key"), "{text}");
    }
}

#[tokio::test]
async fn a_document_over_the_limit_is_refused_while_it_is_read() {
    let mut world = World::new().await;
    let document = metadata(&format!("ID='{}'", "a".repeat(5000)));
    let small = || world.cached().max_bytes(1000).build().expect("a fetcher");
    let small = small();
    world.answer(200, &[], &document).await;
    fails(
        small.fetch().await,
        FetchErrorKind::TooLarge,
        &["limit of 1000 bytes", "max_bytes"],
    );
    // A body whose length is not announced.
    world.server.reset();
    let body = document.clone();
    let chunked = world.get().with_chunked_body(move |out| {
        body.as_bytes()
            .chunks(500)
            .try_for_each(|chunk| out.write_all(chunk))
    });
    chunked.create_async().await;
    fails(small.fetch().await, FetchErrorKind::TooLarge, &["1000"]);
    // A copy that was made with a larger limit.
    is(&world.fetch().await, "Fetched");
    world.answer(200, &[], metadata("")).await;
    let fetched = small.fetch().await.expect("metadata");
    let warning = fetched.warnings()[0].to_string();
    assert!(warning.contains("larger than 1000 bytes"), "{warning}");
}

#[tokio::test]
async fn a_cache_file_that_cannot_be_used_is_ignored_with_a_warning_and_replaced() {
    let mut world = World::new().await;
    let document = metadata("cacheDuration='PT6H'");
    world.serve(&document, 1).await;
    is(&world.fetch().await, "Fetched");
    let (path, good) = (world.file(), std::fs::read(world.file()).expect("a file"));
    let text = String::from_utf8(good.clone()).expect("UTF-8");
    let other = world.builder_of("/other").cache_folder(world.folder.path());
    world
        .server
        .mock("GET", "/other")
        .with_body(&document)
        .create_async()
        .await;
    let other = other.build().expect("a fetcher");
    is(&other.fetch().await, "Fetched");
    let of_other = std::fs::read(other.cache_file().expect("a cache")).expect("a file");
    let endless = vec![0xff; 100_000];
    let changed = text.replace("urn:a", "urn:b");
    let later = text.replace("cache 1", "cache 2");
    let files: [(&[u8], &str); 8] = [
        (b"", "not a cache file"),
        (b"<EntityDescriptor/>\n", "not a cache file"),
        (&endless, "not a cache file"),
        (&good[..50], "not a cache file"),
        (&good[..good.len() - 1], "damaged"),
        (changed.as_bytes(), "damaged"),
        (later.as_bytes(), "not a cache file"),
        (&of_other, "belongs to another URL"),
    ];
    for (bytes, reason) in files {
        std::fs::write(&path, bytes).expect("a file");
        let fetched = world.fetch().await;
        is(&fetched, "Fetched");
        let warnings = fetched.expect("metadata").warnings().to_vec();
        assert_eq!(warnings.len(), 1, "{reason}: {warnings:?}");
        let warning = warnings[0].to_string();
        assert!(
            warning.contains(reason) && warning.contains(path.to_str().expect("UTF-8")),
            "{reason}: {warning}"
        );
        assert_eq!(std::fs::read(&path).expect("a file"), good, "{reason}");
        is(&world.fetch().await, "Cached");
    }
}

#[tokio::test]
async fn a_part_of_a_file_that_a_killed_process_has_left_is_no_obstacle() {
    let mut world = World::new().await;
    let path = world.file();
    // The names of the store's temporary files.
    for number in 1..3 {
        let part = format!("{}#{number}", path.display());
        std::fs::write(part, "half a docu").expect("a file");
    }
    world.serve(&metadata("cacheDuration='PT6H'"), 1).await;
    let fetched = world.fetch().await.expect("metadata");
    assert_eq!(fetched.warnings(), []);
    is(&world.fetch().await, "Cached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fetchers_at_once_leave_a_whole_file() {
    let mut world = World::new().await;
    // Each answer has another length.
    let answers = AtomicUsize::new(0);
    let answer = world.get().with_body_from_request(move |_| {
        let length = answers.fetch_add(9999, Ordering::Relaxed);
        let document = metadata("cacheDuration='PT6H'");
        format!("{document}<!--{}-->", "a".repeat(length)).into_bytes()
    });
    answer.expect(16).create_async().await;
    let fetches = (0..16).map(|_| {
        let fetcher = world.cached().build().expect("a fetcher");
        tokio::spawn(async move {
            fetcher
                .refresh()
                .await
                .map(|fetched| fetched.warnings().to_vec())
        })
    });
    for fetched in join_all(fetches).await {
        assert_eq!(fetched.expect("a task").expect("metadata"), []);
    }
    let cached = world.fetch().await;
    is(&cached, "Cached");
    assert_eq!(cached.expect("metadata").warnings(), []);
    let files = std::fs::read_dir(world.folder.path()).expect("a folder");
    assert_eq!(files.count(), 1);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_a_warning() {
    let mut world = World::new().await;
    world.serve(&metadata("cacheDuration='PT6H'"), 2).await;
    let file = world.folder.path().join("a file");
    std::fs::write(&file, "").expect("a file");
    let fetcher = world
        .builder()
        .cache_folder(&file)
        .build()
        .expect("a fetcher");
    for _ in 0..2 {
        let metadata = fetcher.fetch().await.expect("metadata");
        assert!(matches!(metadata.origin(), Origin::Fetched));
        let is_written = |warning: &Warning| !matches!(warning, Warning::CacheNotWritten { .. });
        assert!(!metadata.warnings().iter().all(is_written), "{metadata:?}");
    }
}

#[tokio::test]
async fn any_name_of_a_folder_can_hold_the_cache() {
    let mut world = World::new().await;
    world.serve(&metadata("cacheDuration='PT6H'"), 1).await;
    let folder = world.folder.path().join("a folder/ä #1 100% ~{x}?");
    let fetcher = world
        .builder()
        .cache_folder(folder)
        .build()
        .expect("a fetcher");
    is(&fetcher.fetch().await, "Fetched");
    assert!(fetcher.cache_file().expect("a cache").exists());
    is(&fetcher.fetch().await, "Cached");
}

#[tokio::test]
async fn a_secret_in_the_url_is_in_no_message_and_in_no_file() {
    let mut world = World::new().await;
    let path = "/saml/metadata?token=hunter2&hunter3#hunter4";
    let fetcher = world.builder_of(path).cache_folder(world.folder.path());
    let fetcher = fetcher.build().expect("a fetcher");
    let mock = world
        .server
        .mock("GET", "/saml/metadata?token=hunter2&hunter3");
    let mock = mock.with_body(metadata("")).create_async().await;
    let first = fetcher.fetch().await.expect("metadata");
    mock.assert_async().await;
    let path = fetcher.cache_file().expect("a cache");
    let file = std::fs::read_to_string(path).expect("a file");
    assert!(file.contains("/saml/metadata?…"), "{file}");
    world.server.reset();
    let stale = fetcher.fetch().await.expect("the copy");
    std::fs::remove_file(path).expect("a file");
    let error = fetcher.fetch().await.expect_err("no server");
    let user = MetadataUrl::parse("https://user:hunter2@idp.example.org/").expect_err("a user");
    let scheme = MetadataUrl::parse("ftp://idp.example.org/hunter2").expect_err("a scheme");
    let none = MetadataUrl::parse("https://hunter2:99999/").expect_err("a port");
    let shown =
        format!("{fetcher:?} {first:?} {stale:?} {error:?} {user:?} {scheme:?} {none:?} {file}");
    assert!(
        shown.contains("501 ") && !shown.contains("hunter"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_attributes_of_the_root_element_count_for_an_aggregate() {
    let mut world = World::new().await;
    // Its second group has `cacheDuration="PT2H"` and an earlier `validUntil`.
    let aggregate = fixture("signature/xmlsec1-aggregate-whole.xml");
    world.serve(&aggregate, 1).await;
    let pinned = world.cached().pin(key("rsa")).build().expect("a fetcher");
    let fetched = pinned.fetch().await.expect("metadata");
    assert_eq!(fetched.signature(), Signature::Verified { key: 0 });
    let at = |time: Option<Timestamp>| time.expect("a time").to_string();
    assert_eq!(at(fetched.expires_at()), "2026-12-05T00:00:00Z");
    assert_eq!(at(fetched.refresh_at()), "2026-11-24T15:00:00Z");
    assert!(fetched.document().expect("a document").entities().count() > 1);
    let namespace = "xmlns='urn:oasis:names:tc:SAML:2.0:metadata'";
    let expired = metadata("validUntil='2026-11-01T00:00:00Z' cacheDuration='PT1H'");
    for content in ["", &expired] {
        let group = format!(
            "<EntitiesDescriptor {namespace} cacheDuration='PT2H'>{content}</EntitiesDescriptor>"
        );
        world.serve(&group, 1).await;
        let fetched = world.builder().build().expect("a fetcher").fetch().await;
        let fetched = fetched.expect("metadata");
        assert_eq!(at(fetched.refresh_at()), "2026-11-24T11:00:00Z");
        assert_eq!(fetched.expires_at(), None);
    }
}

#[tokio::test]
async fn the_metadata_of_an_okta_app_is_read_by_label_or_id() {
    let sandbox = sandbox::Sandbox::builder().stage(Stage::Federated).start();
    let sandbox = sandbox.await.expect("a sandbox");
    let token = rest_core::Secret::new(sandbox.okta_token());
    let okta = okta_aws_sso::okta::Client::builder(&sandbox.okta_url(), token);
    let okta = okta.build().expect("a client");
    let apps = okta.apps().list(okta_aws_sso::okta::ListApps::default());
    let apps = apps.try_collect().await.expect("the apps");
    let app = apps
        .iter()
        .find(|app| app.name() == "amazon_aws_sso")
        .expect("the app");
    let by_label = saml_fetch::okta_app(&okta, app.label())
        .await
        .expect("metadata");
    let by_id = saml_fetch::okta_app(&okta, app.id().as_str()).await;
    assert_eq!(by_label, by_id.expect("metadata"));
    let document = saml::read(&by_label).expect("metadata");
    let entity = document.entity().expect("an entity");
    assert!(entity.entity_id().starts_with("http://www.okta.com/"));
    for name in ["No such app", "0oa00000000000000000"] {
        let error = saml_fetch::okta_app(&okta, name).await.expect_err(name);
        let text = error.explain();
        assert!(
            text.contains(name) && text.contains("copy the label"),
            "{text}"
        );
    }
    let other = apps
        .iter()
        .find(|app| app.signing_kid().is_none())
        .expect("an app without SAML");
    let error = saml_fetch::okta_app(&okta, other.label())
        .await
        .expect_err("no SAML");
    assert!(error.explain().contains("name a SAML app"), "{error:?}");
}
