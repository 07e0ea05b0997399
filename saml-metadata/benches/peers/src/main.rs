//! Measures one task of one library on one file, in a separate process.
//!
//! `saml-metadata-peers TASK FILE [RUNS]` prints the best time of the runs in nanoseconds, the peak
//! memory in KiB, and the number of counted elements, which shows whether all libraries saw the same
//! content. `saml-metadata-peers generate BYTES` writes an aggregate, and
//! `saml-metadata-peers sign FILE` writes a signed document.

use std::{
    error::Error,
    fs::{self, File},
    hint::black_box,
    io::{BufReader, BufWriter, Write as _},
    time::Instant,
};

use quick_xml::{NsReader, Reader, XmlVersion, events::Event};
use saml_metadata::{Document, EntityStream, Profile, read_with, validate};

#[path = "../../generate/aggregate.rs"]
mod aggregate;
mod signatures;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or("usage: TASK FILE [RUNS]")?;
    let file = arguments.next().ok_or("usage: TASK FILE [RUNS]")?;
    let runs: usize = arguments.next().map_or(Ok(1), |runs| runs.parse())?;
    if what == "generate" {
        let mut to = BufWriter::new(std::io::stdout().lock());
        aggregate::write(file.parse()?, &mut to)?;
        return Ok(to.flush()?);
    }
    if what == "sign" {
        return signatures::sign(&file);
    }
    let streamed = what.ends_with("-stream");
    let text = if streamed {
        String::new()
    } else {
        String::from_utf8(fs::read(&file)?)?
    };
    let mut best = u128::MAX;
    let mut count = 0;
    for _ in 0..runs {
        // Our reader takes ownership of the bytes, so the copy is made outside the measured time.
        let owned = if what.starts_with("ours") && !streamed {
            text.clone().into_bytes()
        } else {
            Vec::new()
        };
        let start = Instant::now();
        count = black_box(work(&what, &file, &text, owned)?);
        best = best.min(start.elapsed().as_nanos());
    }
    println!("{best} {} {count}", peak()?);
    Ok(())
}

/// Runs the task and returns the number of entities, or the number of elements if the library does
/// not know entities.
fn work(what: &str, file: &str, text: &str, owned: Vec<u8>) -> Result<usize> {
    match what {
        "quick-xml" => events(text),
        "nsreader" => resolved(text),
        "nsreader-stream" => resolved_stream(file),
        "roxmltree" => {
            let document = roxmltree::Document::parse(text)?;
            Ok(document
                .descendants()
                .filter(|node| node.is_element())
                .count())
        }
        "samael" => {
            let document: samael::metadata::EntityDescriptorType = text.parse()?;
            Ok(document.iter().count())
        }
        "ours-stream" => {
            let input = BufReader::with_capacity(64 << 10, File::open(file)?);
            EntityStream::new(input).try_fold(0, |count, entity| {
                black_box(entity?.entity().entity_id());
                Ok(count + 1)
            })
        }
        "ours-validate-stream" => {
            let input = BufReader::with_capacity(64 << 10, File::open(file)?);
            let now = "2026-11-24T12:00:00Z".parse()?;
            EntityStream::new(input).try_fold(0, |count, entity| {
                let findings = entity?.validate(Profile::SamlCore, now);
                if findings.iter().any(saml_metadata::Finding::is_error) {
                    return Err("a finding is an error".into());
                }
                Ok(count + 1)
            })
        }
        "ours-verify-stream" => signatures::verify_stream(file),
        "ours-verify" => signatures::verify(owned),
        "ours-c14n-stream" => signatures::canonicalize_stream(file),
        "ours-read" => Ok(ours(owned)?.entities().count()),
        "ours-read-validate" => {
            let document = ours(owned)?;
            let now = "2026-11-24T12:00:00Z".parse()?;
            let findings = validate(&document, Profile::SamlCore, now);
            if findings.iter().any(saml_metadata::Finding::is_error) {
                return Err("a finding is an error".into());
            }
            Ok(document.entities().count())
        }
        _ => Err(format!("unknown task {what}").into()),
    }
}

pub(crate) fn ours(bytes: Vec<u8>) -> Result<Document> {
    Ok(read_with(bytes, &saml_metadata::Limits::default())?)
}

fn events(text: &str) -> Result<usize> {
    let mut reader = Reader::from_str(text);
    let mut tags = 0;
    loop {
        match reader.read_event()? {
            Event::Start(_) | Event::Empty(_) => tags += 1,
            Event::Eof => return Ok(tags),
            _ => {}
        }
    }
}

fn resolved(text: &str) -> Result<usize> {
    let mut reader = NsReader::from_str(text);
    let mut tags = 0;
    loop {
        match reader.read_resolved_event()? {
            (namespace, Event::Start(tag) | Event::Empty(tag)) => {
                black_box(namespace);
                for attribute in tag.attributes() {
                    let attribute = attribute?;
                    black_box(reader.resolver().resolve_attribute(attribute.key));
                    black_box(attribute.normalized_value(XmlVersion::Explicit1_0)?);
                }
                tags += 1;
            }
            (_, Event::Eof) => return Ok(tags),
            _ => {}
        }
    }
}

fn resolved_stream(file: &str) -> Result<usize> {
    let mut reader = NsReader::from_reader(BufReader::with_capacity(64 << 10, File::open(file)?));
    let mut buffer = Vec::new();
    let mut tags = 0;
    loop {
        match reader.read_resolved_event_into(&mut buffer)? {
            (namespace, Event::Start(tag) | Event::Empty(tag)) => {
                black_box(namespace);
                for attribute in tag.attributes() {
                    let attribute = attribute?;
                    black_box(reader.resolver().resolve_attribute(attribute.key));
                    black_box(attribute.normalized_value(XmlVersion::Explicit1_0)?);
                }
                tags += 1;
            }
            (_, Event::Eof) => return Ok(tags),
            _ => {}
        }
        buffer.clear();
    }
}

fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("/proc/self/status has no VmHWM line")?.parse()?)
}
