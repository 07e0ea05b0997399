//! Pages of lists, and the opaque cursors between them, for every protocol of the sandbox.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Slice<K, T> {
    /// The items of the page.
    pub(crate) items: Vec<T>,
    /// The key of the last item if the list has more items.
    pub(crate) last: Option<K>,
}

/// Returns the first `size` items after the ones that `is_before` selects by their key.
///
/// The items must be in the order of their keys. A cursor contains the key of the last returned item, so
/// insertions and deletions between two pages do not skip or repeat other items.
pub(crate) fn slice<K, T>(
    items: impl IntoIterator<Item = (K, T)>,
    is_before: impl Fn(&K) -> bool,
    size: usize,
) -> Slice<K, T> {
    let mut rest = items.into_iter().skip_while(|(key, _)| is_before(key));
    let mut last = None;
    let mut page = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        last = Some(key);
        page.push(item);
    }
    let has_more = rest.next().is_some();
    Slice {
        items: page,
        last: last.filter(|_| has_more),
    }
}

/// Returns an opaque cursor with this content, which is valid only in its `scope`: a list and its filters.
pub(crate) fn seal(content: &str, scope: &str) -> String {
    STANDARD.encode(format!("{content}:{}", checksum(content, scope)))
}

/// Returns the content of a cursor, or `None` if the cursor was not sealed in this `scope`.
pub(crate) fn open(cursor: &str, scope: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (content, found) = text.rsplit_once(':')?;
    (found == checksum(content, scope)).then(|| content.to_owned())
}

/// Returns the checksum that makes a guessed cursor invalid.
fn checksum(content: &str, scope: &str) -> String {
    STANDARD.encode(&Sha256::digest(format!("page/{content}/{scope}"))[..9])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(keys: &[u64], last: Option<u64>) -> Slice<u64, u64> {
        let items = keys.iter().map(|key| (*key, *key));
        slice(items, |key| last.is_some_and(|last| *key <= last), 2)
    }

    #[test]
    fn following_the_keys_returns_every_item() {
        let first = after(&[1, 2, 3], None);
        assert_eq!((first.items, first.last), (vec![1, 2], Some(2)));
        let second = after(&[1, 2, 3], Some(2));
        assert_eq!((second.items, second.last), (vec![3], None));
    }

    #[test]
    fn a_full_last_page_has_no_key() {
        assert_eq!(after(&[1, 2], None).last, None);
    }

    #[test]
    fn an_item_deleted_between_two_pages_does_not_hide_another_item() {
        assert_eq!(after(&[3, 4], Some(2)).items, [3, 4]);
    }

    #[test]
    fn a_cursor_opens_only_in_its_scope() {
        let cursor = seal("a:b", "users");
        assert_eq!(open(&cursor, "users").as_deref(), Some("a:b"));
        assert_eq!(open(&cursor, "groups"), None);
        assert_eq!(open(&format!("A{}", &cursor[1..]), "users"), None);
        assert_eq!(open("2", "users"), None);
    }
}
