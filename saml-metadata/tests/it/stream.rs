//! A stream returns the same entities as the whole document, and buffers little.

use std::io::{self, BufRead, BufReader, Read};

use proptest::prelude::*;
use saml_metadata::{
    Document, EntityStream, Limit, Limits, Position, Profile, ReadErrorKind, StreamError,
    StreamedEntity, read, validate,
};

use crate::support::{AGGREGATE, ALL, IDP, OKTA, SP, change, now};

fn stream(bytes: &[u8]) -> Result<Vec<StreamedEntity>, StreamError> {
    EntityStream::new(bytes).collect()
}

#[track_caller]
fn error(bytes: &[u8]) -> StreamError {
    let mut stream = EntityStream::new(bytes);
    let error = stream.by_ref().find_map(Result::err).expect("an error");
    assert!(stream.next().is_none(), "nothing follows an error");
    error
}

fn kind(error: &StreamError) -> Option<ReadErrorKind> {
    match error {
        StreamError::Read { source, .. } => Some(source.kind()),
        _ => None,
    }
}

/// Compares each streamed entity with the same entity of the whole document.
#[track_caller]
fn compare(document: &Document, streamed: &[StreamedEntity]) {
    let entities: Vec<_> = document.entities().collect();
    assert_eq!(entities.len(), streamed.len());
    for (whole, streamed) in entities.into_iter().zip(streamed) {
        let entity = streamed.entity();
        let element = entity.element();
        assert_eq!(element.source(), whole.element().source());
        assert_eq!(entity.entity_id(), whole.entity_id());
        assert_eq!(
            entity.effective_valid_until(),
            whole.effective_valid_until()
        );
        assert_eq!(
            entity.effective_cache_duration(),
            whole.effective_cache_duration()
        );
        let group = |entity: saml_metadata::EntityDescriptor<'_>| {
            let group = entity.group()?;
            // The schema forbids extensions after an entity. A stream has not read them yet.
            let start = entity.element().span().start;
            let extensions = group
                .extensions()
                .map(saml_metadata::Extensions::element)
                .filter(|extensions| extensions.span().start < start)
                .map(|extensions| extensions.source().to_owned());
            Some((group.name().map(str::to_owned), extensions))
        };
        assert_eq!(group(entity), group(whole));
        // Reading the bytes of the streamed document gives the same tree.
        let again = read(streamed.document().bytes()).expect("a document");
        let all = |document: &Document| -> Vec<_> {
            document
                .root()
                .descendants()
                .map(|e| {
                    let attributes: Vec<_> = e
                        .attributes()
                        .map(|a| (a.namespace().to_owned(), a.value().to_owned(), a.span()))
                        .collect();
                    let name = (e.namespace().to_owned(), e.local_name().to_owned());
                    (
                        name,
                        attributes,
                        e.text().to_owned(),
                        e.span(),
                        e.content_span(),
                    )
                })
                .collect()
        };
        assert_eq!(all(streamed.document()), all(&again));
        // Positions and spans refer to the stream.
        for (own, other) in element.descendants().zip(whole.element().descendants()) {
            assert_eq!(own.namespace(), other.namespace());
            let position = document.position(other.span().start);
            assert_eq!(streamed.position_of(own.span().start), position);
            let end = document.position(other.span().end).offset;
            assert_eq!(streamed.span_of(own.span()), position.offset..end);
        }
    }
}

#[test]
fn a_stream_has_the_entities_of_the_whole_document() {
    for (name, xml) in ALL {
        let document = read(xml.as_bytes()).expect(name);
        let streamed = stream(xml.as_bytes()).expect(name);
        compare(&document, &streamed);
    }
}

#[test]
fn a_single_entity_is_a_stream_of_one() {
    let streamed = stream(IDP.as_bytes()).expect("a stream");
    assert_eq!(streamed.len(), 1);
    assert!(streamed[0].entity().group().is_none());
    assert_eq!(
        streamed[0].position().line,
        IDP[..IDP.find("<md:Ent").expect("a root")].lines().count() + 1
    );
}

#[test]
fn a_streamed_entity_has_its_groups_but_no_other_entities() {
    let streamed = stream(AGGREGATE.as_bytes()).expect("a stream");
    let ids: Vec<&str> = streamed.iter().map(|s| s.entity().entity_id()).collect();
    assert_eq!(
        ids,
        [
            "https://a.example.com",
            "https://b.example.com",
            "https://c.example.com",
            "https://d.example.com",
            "https://e.example.com"
        ]
    );
    let inner = &streamed[1];
    assert!(
        inner
            .document()
            .text()
            .ends_with("</md:EntityDescriptor></md:EntitiesDescriptor></md:EntitiesDescriptor>")
    );
    assert_eq!(
        inner
            .document()
            .text()
            .matches("<md:EntityDescriptor")
            .count(),
        1
    );
    let until = inner.entity().effective_valid_until().expect("times");
    assert_eq!(
        until.map(|t| t.to_string()).as_deref(),
        Some("2026-11-30T00:00:00Z")
    );
    let group = inner.entity().group().expect("a group");
    assert_eq!(group.name(), Some("https://federation.example.org/inner"));
    let outer = streamed[3].entity().group().expect("a group");
    let published = outer
        .extensions()
        .and_then(saml_metadata::Extensions::publication_info)
        .expect("publication info");
    assert_eq!(published.publisher(), "https://federation.example.org/");
    // The namespace declarations of the groups are in scope.
    let fed = "http://docs.oasis-open.org/wsfed/federation/200706";
    assert_eq!(
        streamed[3].entity().element().namespace_of_prefix("fed"),
        Some(fed)
    );
}

#[test]
fn a_streamed_entity_is_edited_like_any_document() {
    let streamed = stream(AGGREGATE.as_bytes()).expect("a stream");
    let document = streamed[1].document();
    let element = streamed[1].entity().element();
    let edited = document
        .edit()
        .set_attribute(element, "entityID", "urn:new")
        .apply()
        .expect("an edit");
    assert_eq!(edited.entity().expect("one entity").entity_id(), "urn:new");
}

#[test]
fn a_group_counts_as_signed_after_its_signature_was_read() {
    let signature = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>";
    let signed = change(AGGREGATE, &[("PT6H\">", &format!("PT6H\">{signature}"))]);
    let streamed = stream(signed.as_bytes()).expect("a stream");
    assert!(streamed.iter().all(StreamedEntity::group_is_signed));
    assert!(!streamed[0].document().text().contains("Signature"));
    let streamed = stream(AGGREGATE.as_bytes()).expect("a stream");
    assert!(!streamed.iter().any(StreamedEntity::group_is_signed));
}

#[test]
fn large_group_extensions_are_left_out_and_reported_as_missing() {
    let large = format!(
        "<x:y xmlns:x='urn:x'>{}</x:y></md:Extensions>",
        "z".repeat(20_000)
    );
    let xml = change(AGGREGATE, &[("</md:Extensions>", &large)]);
    let streamed = stream(xml.as_bytes()).expect("a stream");
    assert!(streamed[0].lacks_group_extensions());
    assert!(
        streamed[0]
            .entity()
            .group()
            .expect("a group")
            .extensions()
            .is_none()
    );
    let streamed = stream(AGGREGATE.as_bytes()).expect("a stream");
    assert!(!streamed[0].lacks_group_extensions());
}

#[test]
fn findings_have_their_positions_in_the_whole_stream() {
    // Rules about groups see one entity at a time. The findings about entities are the same.
    let several_in_an_entity = AGGREGATE
        .replace("xml:lang=\"en\"", "xml:lang=\"\u{e9}n\"")
        .replace("Location=\"https://", "Location=\"http://");
    for xml in [AGGREGATE, &several_in_an_entity] {
        let document = read(xml.as_bytes()).expect("a document");
        let mut whole = validate(&document, Profile::SamlCore, now());
        let streamed = stream(xml.as_bytes()).expect("a stream");
        let mut parts: Vec<_> = streamed
            .iter()
            .flat_map(|entity| entity.validate(Profile::SamlCore, now()))
            .collect();
        // The paths differ: an entity of a stream has no siblings.
        for finding in whole.iter_mut().chain(&mut parts) {
            finding.path.clear();
        }
        whole.sort_by_key(|finding| (finding.span.start, finding.rule));
        parts.sort_by_key(|finding| (finding.span.start, finding.rule));
        assert_eq!(parts, whole);
    }
}

#[test]
fn an_error_after_an_entity_does_not_hide_the_entity() {
    let broken = change(
        AGGREGATE,
        &[("  <md:EntitiesDescriptor Name", "  <md:A></md:B>")],
    );
    let mut stream = EntityStream::new(broken.as_bytes());
    assert!(stream.next().is_some_and(|first| first.is_ok()));
    let error = stream.next().expect("an item").expect_err("an error");
    let expected = read(broken.as_bytes()).expect_err("refused").position();
    assert_eq!(error.position(), Some(expected));
    assert!(stream.next().is_none());
}

#[test]
fn the_first_error_in_the_input_is_reported() {
    for first in ["</md:Other>", "<!other>", "&<"] {
        for later in [&b"\xff"[..], b"\0"] {
            let mut xml =
                br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">"#
                    .to_vec();
            let expected = xml.len();
            xml.extend_from_slice(first.as_bytes());
            xml.extend_from_slice(later);
            let error = error(&xml);
            assert_eq!(kind(&error), Some(ReadErrorKind::Malformed), "{error:?}");
            let offset = error.position().map(|position| position.offset);
            assert_eq!(offset, Some(expected), "{error:?}");
        }
    }
}

/// Returns documents with one error each.
fn broken() -> Vec<String> {
    let with = |inside: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>\n\
             <md:EntityDescriptor entityID='é'/>{inside}</md:EntitiesDescriptor>"
        )
    };
    let mut all: Vec<String> = [
        "<!DOCTYPE a>",
        "text <a/> &nope;",
        "&#0;",
        "<!-- a -- b -->",
        "<?xml version='1.0'?>",
        "<?XML ?>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<p:a/>",
        "<a p:b=''/>",
        "<a:b:c/>",
        "<a b=c/>",
        "<a",
        "<a b='",
        "<!-- ",
        "<![CDATA[",
        "<?a ",
        "]]>",
        "</b>",
        "<a></b>",
        "&a",
        "<xmlns:a/>",
        "<a xmlns:p=''/>",
        "<a xmlns:p='u' xmlns:q='u' p:a='' q:a=''/>",
        "<!a>",
        "\u{fffe}",
        "<md:EntityDescriptor entityID='a&#x110000;'/>",
        "<a>\u{1}</a>",
        "<md:EntitiesDescriptor><b></md:EntitiesDescriptor>",
    ]
    .into_iter()
    .map(with)
    .collect();
    all.extend([
        with("") + "<a/>",
        with("") + "text",
        with("") + "<![CDATA[]]>",
        with("") + "&amp;",
        "\n".to_owned() + "<?xml version='1.0'?>" + &with(""),
        "<?xml version='1.1'?>".to_owned() + &with(""),
        "<?xml version='1.0' encoding='latin1'?>".to_owned() + &with(""),
        "\u{feff}\u{feff}".to_owned() + &with(""),
        "text".to_owned() + &with(""),
        with("").replace("</md:EntitiesDescriptor>", ""),
        "<!-- only -->".to_owned(),
        String::new(),
        " \n ".to_owned(),
        "{\"a\": 1}".to_owned(),
        "<!doctype html><html></html>".to_owned(),
    ]);
    all
}

#[test]
fn a_stream_and_the_reader_report_the_same_error_at_the_same_position() {
    for xml in broken() {
        let expected = read(xml.as_bytes()).expect_err(&xml);
        let error = error(xml.as_bytes());
        let StreamError::Read { source, .. } = &error else {
            panic!("{xml}: {error:?}");
        };
        assert_eq!(source.to_string(), expected.to_string(), "{xml}");
        assert_eq!(source.position(), expected.position(), "{xml}");
        assert_eq!(source.kind(), expected.kind(), "{xml}");
    }
}

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    units
        .flat_map(|u| {
            if big_endian {
                u.to_be_bytes()
            } else {
                u.to_le_bytes()
            }
        })
        .collect()
}

#[test]
fn utf16_and_byte_order_marks_are_read_and_offsets_count_stream_bytes() {
    let text = change(
        AGGREGATE,
        &[
            ("encoding=\"UTF-8\"", "encoding=\"UTF-16\""),
            ("https://b.", "https://😀é"),
        ],
    );
    for big_endian in [false, true] {
        let bytes = utf16(&text, big_endian);
        let document = read(&bytes).expect("a document");
        compare(&document, &stream(&bytes).expect("a stream"));
        let input = SlowReader(&bytes, 1);
        let streamed: Result<Vec<_>, _> =
            EntityStream::new(BufReader::with_capacity(1, input)).collect();
        compare(&document, &streamed.expect("a stream"));
    }
    let marked = format!("\u{feff}{AGGREGATE}");
    let document = read(marked.as_bytes()).expect("a document");
    compare(&document, &stream(marked.as_bytes()).expect("a stream"));
}

#[test]
fn a_stream_and_the_reader_refuse_the_same_encodings() {
    let cases: [Vec<u8>; 7] = [
        [AGGREGATE.as_bytes(), b"\xff"].concat(),
        [
            &AGGREGATE.as_bytes()[..600],
            b"\xc3\x28",
            &AGGREGATE.as_bytes()[600..],
        ]
        .concat(),
        [AGGREGATE.as_bytes(), "é".as_bytes().split_at(1).0].concat(),
        b"\xff\xfe\0\0<\0\0\0".to_vec(),
        b"<\0a\0/\0>\0".to_vec(),
        [utf16("<a/>", false).as_slice(), b"\x00\xd8 \0"].concat(),
        [utf16("<a/>", true).as_slice(), b"\0"].concat(),
    ];
    for bytes in cases {
        let expected = read(&bytes).expect_err("refused");
        let error = error(&bytes);
        // A stream that is not metadata fails at its root element, before the wrong byte.
        if kind(&error) != Some(ReadErrorKind::NotMetadata) {
            assert_eq!(kind(&error), Some(expected.kind()));
            assert_eq!(error.position(), Some(expected.position()));
        }
    }
}

/// A reader that returns at most the given number of bytes at a time.
struct SlowReader<'a>(&'a [u8], usize);

impl Read for SlowReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(to.len()).min(self.0.len());
        to[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn an_io_error_of_the_source_is_returned() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
    let start = &AGGREGATE.as_bytes()[..1200];
    let mut stream = EntityStream::new(BufReader::new(start.chain(Broken)));
    let error = stream.find_map(Result::err).expect("an error");
    assert_eq!(error.to_string(), "the metadata cannot be read");
    let StreamError::Io { source, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
    assert!(stream.next().is_none());
}

#[test]
fn a_root_that_is_not_metadata_is_refused() {
    let error = error(b"<?xml version='1.0'?>\n<a><b/></a>");
    assert_eq!(kind(&error), Some(ReadErrorKind::NotMetadata));
    let StreamError::Read { source, .. } = error else {
        panic!("expected a read error");
    };
    assert_eq!(
        source.to_string(),
        "line 2, column 1: the stream is not SAML metadata: its root element is `a`"
    );
    assert_eq!(source.rule().as_str(), "MD-ROOT-01");
}

#[test]
fn limits_apply_to_the_buffered_part_and_to_the_number_of_entities() {
    let limits = Limits {
        bytes: 2_000,
        nodes: 20,
        ..Limits::default()
    };
    let wrap = |inside: &str| {
        format!(
            "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'>{inside}</EntitiesDescriptor>"
        )
    };
    let run = |xml: &str| -> Result<usize, Option<ReadErrorKind>> {
        let mut count = 0;
        for item in EntityStream::with_limits(xml.as_bytes(), &limits) {
            item.map_err(|error| kind(&error))?;
            count += 1;
        }
        Ok(count)
    };
    let small = "<EntityDescriptor entityID='urn:a'/>";
    assert_eq!(run(&wrap(&small.repeat(1_000))), Ok(1_000));
    let limit = |which| Err(Some(ReadErrorKind::Limit(which)));
    let long = format!("<EntityDescriptor>{}</EntityDescriptor>", " ".repeat(2_000));
    assert_eq!(run(&wrap(&long)), limit(Limit::Bytes));
    let many = format!("<EntityDescriptor>{}</EntityDescriptor>", "<a/>".repeat(30));
    assert_eq!(run(&wrap(&many)), limit(Limit::Nodes));
    let endless = format!(
        "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'><!--{}",
        "-x".repeat(200_000)
    );
    assert_eq!(run(&endless), limit(Limit::Bytes));
    let count = Limits {
        entities: 5,
        ..Limits::default()
    };
    let xml = wrap(&small.repeat(6));
    let items: Vec<_> = EntityStream::with_limits(xml.as_bytes(), &count).collect();
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 5);
    let last = items
        .last()
        .and_then(|item| item.as_ref().err())
        .expect("an error");
    assert_eq!(kind(last), Some(ReadErrorKind::Limit(Limit::Entities)));
}

/// An aggregate that repeats one entity, so that it is never in memory as a whole.
struct RepeatedEntity<'a> {
    head: &'a [u8],
    entity: &'a [u8],
    left: usize,
    tail: &'a [u8],
    at: usize,
}

impl Read for RepeatedEntity<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(to.len());
        to[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for RepeatedEntity<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.head.len() && !self.head.is_empty() {
            (self.head, self.at) = (&[], 0);
        }
        if !self.head.is_empty() {
            return Ok(&self.head[self.at..]);
        }
        if self.at == self.entity.len() && self.left > 0 {
            (self.left, self.at) = (self.left - 1, 0);
        }
        Ok(if self.left > 0 {
            &self.entity[self.at..]
        } else {
            &self.tail[self.at..]
        })
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

#[test]
fn a_large_stream_buffers_at_most_one_entity_and_one_chunk() {
    let start = OKTA
        .find("<md:EntityDescriptor")
        .or_else(|| OKTA.find("<EntityDescriptor"));
    let entity = &OKTA[start.expect("an entity")..];
    let head = "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' Name='n'>";
    let tail = "</md:EntitiesDescriptor>\n";
    let copies = 8 * 1024 * 1024 / entity.len();
    let input = RepeatedEntity {
        head: head.as_bytes(),
        entity: entity.as_bytes(),
        left: copies,
        tail: tail.as_bytes(),
        at: 0,
    };
    let mut stream = EntityStream::new(input);
    let (mut count, mut most, mut last) = (0, 0, None::<Position>);
    while let Some(item) = stream.next() {
        let streamed = item.expect("an entity");
        count += 1;
        most = most.max(stream.memory_bytes());
        let position = streamed.position();
        assert_eq!(position.offset, head.len() + (count - 1) * entity.len());
        assert!(last.is_none_or(|last| last < position));
        last = Some(position);
    }
    assert_eq!(count, copies);
    assert!(most < 1 << 20, "{most} bytes were buffered");
}

fn piece() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "<md:EntityDescriptor entityID='urn:x' validUntil='2026-12-01T00:00:00Z'/>",
        "<md:EntityDescriptor xmlns:n='urn:new' n:a='&amp;' entityID='urn:é'>t&lt;<!-- c --><n:b/></md:EntityDescriptor>",
        "<q:EntityDescriptor xmlns:q='urn:oasis:names:tc:SAML:2.0:metadata' entityID='urn:q'>\r\n<q:A>1\r2</q:A></q:EntityDescriptor>",
        "<md:EntitiesDescriptor Name='in' cacheDuration='PT1H' xmlns:r='urn:r'>",
        "<q:EntitiesDescriptor xmlns:q='urn:oasis:names:tc:SAML:2.0:metadata' xmlns:md='urn:other'>",
        "</md:EntitiesDescriptor>",
        "</q:EntitiesDescriptor>",
        "<EntitiesDescriptor xmlns='urn:other'><md:EntityDescriptor entityID='no'/></EntitiesDescriptor>",
        "<md:Extensions><x:y xmlns:x='urn:x'><md:EntityDescriptor entityID='no'/></x:y></md:Extensions>",
        "<md:EntitiesDescriptor/>",
        "<!-- é -->",
        "<?pi a?>",
        "\n  ",
        "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'>s</ds:Signature>",
        "<a>",
        "</a>",
        "&#233;",
        "<![CDATA[x]]>",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_streamed_entities_equal_those_of_any_whole_document(
        pieces in prop::collection::vec(piece(), 0..25),
        balanced in any::<bool>(),
        step in 1..200_usize,
    ) {
        let mut xml = String::from("<?xml version='1.0'?>\n<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' Name='out'>");
        let mut open = vec!["</md:EntitiesDescriptor>"];
        for piece in &pieces {
            if balanced {
                let is_end = piece.starts_with("</");
                if is_end && (open.len() < 2 || open.last() != Some(&piece.as_str())) {
                    continue;
                }
                if is_end {
                    open.pop();
                }
                match piece.as_str() {
                    "<a>" => open.push("</a>"),
                    p if p.starts_with("<md:EntitiesDescriptor Name") => open.push("</md:EntitiesDescriptor>"),
                    p if p.starts_with("<q:EntitiesDescriptor") => open.push("</q:EntitiesDescriptor>"),
                    _ => {}
                }
            }
            xml.push_str(piece);
        }
        xml.extend(open.into_iter().rev());
        let input = BufReader::with_capacity(step, xml.as_bytes());
        let streamed: Result<Vec<_>, _> = EntityStream::new(input).collect();
        match (read(xml.as_bytes()), streamed) {
            (Ok(document), Ok(streamed)) => compare(&document, &streamed),
            (Err(expected), Err(StreamError::Read { source, .. })) => prop_assert_eq!(expected, source),
            (expected, streamed) => prop_assert!(false, "{:?} but {:?} for {}", expected, streamed, xml),
        }
    }

    #[test]
    fn a_damaged_stream_ends_with_the_error_of_the_reader(
        which in 0..ALL.len(),
        cut in any::<prop::sample::Index>(),
        with in prop::sample::select(vec!["<", ">", "&", "'", "\"", "</a>", "<a>", "<!--", "]]>", "\u{1}", "=", " "]),
    ) {
        let text = ALL[which].1;
        let at = text.floor_char_boundary(cut.index(text.len()));
        let xml = format!("{}{with}{}", &text[..at], &text[at..]);
        match (read(xml.as_bytes()), stream(xml.as_bytes())) {
            (Ok(document), Ok(streamed)) => compare(&document, &streamed),
            (Err(expected), Err(StreamError::Read { source, .. })) => {
                // The reader checks for forbidden characters first. The stream checks them while it reads.
                if source.kind() != ReadErrorKind::NotMetadata {
                    prop_assert_eq!(expected.kind(), source.kind());
                }
            }
            (Ok(_), Err(error)) => prop_assert_eq!(kind(&error), Some(ReadErrorKind::NotMetadata)),
            (expected, streamed) => prop_assert!(false, "{:?} but {:?}", expected, streamed),
        }
    }
}

#[test]
fn a_streamed_service_provider_has_its_certificate() {
    let streamed = stream(SP.as_bytes()).expect("a stream");
    let role = streamed[0].entity().service_provider().expect("a role");
    assert_eq!(role.signing_certificates().len(), 1);
}

#[test]
fn corpus_documents_stream_as_they_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/saml");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: there is no corpus at {folder}");
        return;
    };
    let mut count = 0;
    for file in files {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|e| e != "xml") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let Ok(document) = read(&bytes) else { continue };
        match stream(&bytes) {
            Ok(streamed) if document.entities().count() <= 50 => compare(&document, &streamed),
            Ok(streamed) => assert_eq!(document.entities().count(), streamed.len()),
            Err(error) => assert_eq!(
                kind(&error),
                Some(ReadErrorKind::NotMetadata),
                "{}: {error:?}",
                path.display()
            ),
        }
        count += 1;
    }
    assert!(count > 100, "only {count} documents");
}
