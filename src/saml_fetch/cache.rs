//! The cache file of a URL: a line of JSON, and then the document.

use std::path::{Path as FilePath, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use object_store::{ObjectStoreExt as _, PutPayload, local::LocalFileSystem, path::Path};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use rest_core::headers;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{FetchError, MetadataUrl, Warning, in_thread};
use crate::text::hex;

/// The cache file of a URL.
///
/// The store replaces a file with a rename, and gives each writer a temporary file of its own.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    location: Path,
    store: LocalFileSystem,
}

/// The validators of a response.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    /// The URL without its query, for a reader of the file.
    url: String,
    url_sha256: String,
    fetched_at: Timestamp,
    #[serde(flatten)]
    validators: Validators,
    document_sha256: String,
}

/// A copy of a document.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) fetched_at: Timestamp,
    pub(super) validators: Validators,
    pub(super) document: Bytes,
}

const FORMAT: &str = "okta-aws-sso metadata cache 1";

/// The longest first line. Headers of a response have at most a few kilobytes.
const MAX_HEAD: usize = 64 << 10;

impl Validators {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers::text(headers, name).map(ToOwned::to_owned);
        Self {
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        }
    }

    /// Returns these validators of a 304, and the earlier ones that it does not repeat.
    pub(super) fn or(self, earlier: Self) -> Self {
        Self {
            etag: self.etag.or(earlier.etag),
            last_modified: self.last_modified.or(earlier.last_modified),
        }
    }

    /// Returns the header of a conditional request: the `ETag`, or else the time.
    pub(super) fn condition(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match (&self.etag, &self.last_modified) {
            (Some(etag), _) => (header::IF_NONE_MATCH, etag),
            (None, Some(time)) => (header::IF_MODIFIED_SINCE, time),
            (None, None) => return None,
        };
        Some((name, HeaderValue::from_str(value).ok()?))
    }
}

impl Cache {
    /// Returns the cache file of a URL in a folder. Nothing is read or created.
    pub(super) fn new(folder: &FilePath, url: &MetadataUrl) -> Result<Self, FetchError> {
        let failed = |why: &dyn std::fmt::Display| {
            FetchError::options(&format!(
                "the folder {} cannot hold its cache file: {why}",
                folder.display()
            ))
            .with_help("pass the path of another folder")
        };
        let host = url.url().host_str().unwrap_or_default();
        let host = host.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ".");
        let name = format!("{}-{}.saml", host.trim_matches('.'), &url.digest()[..16]);
        let path = std::path::absolute(folder).map_err(|error| failed(&error))?;
        let path = path.join(name);
        Ok(Self {
            location: Path::from_absolute_path(&path).map_err(|error| failed(&error))?,
            path,
            store: LocalFileSystem::new(),
        })
    }

    pub(super) fn path(&self) -> &FilePath {
        &self.path
    }

    pub(super) fn ignored(&self, reason: impl Into<String>) -> Warning {
        Warning::CacheIgnored {
            file: self.path.display().to_string(),
            reason: reason.into(),
        }
    }

    /// Returns the copy of the document, if there is one. The error is the reason to ignore the file.
    pub(super) async fn read(
        &self,
        url: &MetadataUrl,
        max_bytes: usize,
    ) -> Result<Option<Entry>, String> {
        let file = match self.store.get(&self.location).await {
            Ok(file) => file,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if file.meta.size > max_bytes.saturating_add(MAX_HEAD) as u64 {
            return Err(too_large(max_bytes));
        }
        let bytes = file.bytes().await.map_err(|error| error.to_string())?;
        let url = url.clone();
        in_thread(move || parse(&bytes, &url, max_bytes))
            .await
            .map(Some)
    }

    /// Replaces the file.
    pub(super) async fn write(&self, url: &MetadataUrl, entry: &Entry) -> Result<(), Warning> {
        let (url, entry) = (url.clone(), entry.clone());
        let parts = in_thread(move || [head(&url, &entry), entry.document]).await;
        let written = self.store.put(&self.location, PutPayload::from_iter(parts));
        written.await.map_err(|error| Warning::CacheNotWritten {
            file: self.path.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(())
    }
}

fn head(url: &MetadataUrl, entry: &Entry) -> Bytes {
    let head = Head {
        format: FORMAT.to_owned(),
        url: url.to_string(),
        url_sha256: url.digest(),
        fetched_at: entry.fetched_at,
        validators: entry.validators.clone(),
        document_sha256: hex(&Sha256::digest(&entry.document)),
    };
    let mut line = serde_json::to_vec(&head).expect("texts and a time");
    line.push(b'\n');
    line.into()
}

/// Returns the copy in a file. The error is the reason to ignore the file.
fn parse(bytes: &Bytes, url: &MetadataUrl, max_bytes: usize) -> Result<Entry, String> {
    let foreign = || "it is not a cache file of this program".to_owned();
    let end = bytes.iter().take(MAX_HEAD).position(|byte| *byte == b'\n');
    let end = end.ok_or_else(foreign)?;
    // A foreign file may hold anything, so its content is not quoted.
    let head: Head = serde_json::from_slice(&bytes[..end]).map_err(|_foreign| foreign())?;
    if head.format != FORMAT {
        return Err(foreign());
    }
    if head.url_sha256 != url.digest() {
        return Err("it belongs to another URL".to_owned());
    }
    let document = bytes.slice(end + 1..);
    if document.len() > max_bytes {
        return Err(too_large(max_bytes));
    }
    if head.document_sha256 != hex(&Sha256::digest(&document)) {
        return Err("it is damaged: its document has another digest".to_owned());
    }
    Ok(Entry {
        fetched_at: head.fetched_at,
        validators: head.validators,
        document,
    })
}

fn too_large(max_bytes: usize) -> String {
    format!("its document is larger than {max_bytes} bytes")
}
