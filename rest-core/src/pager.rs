//! Pagination: reads a list that the server splits into pages.

use std::{
    collections::{HashSet, VecDeque},
    error, fmt,
    sync::Arc,
};

use futures::{
    future::BoxFuture,
    stream::{self, Stream},
};
use serde::{Deserialize, Serialize};

/// Reads a list page by page, one item at a time.
///
/// A pager requests the first page when it is first read. After the error of a page, the next call
/// requests the same page again. Futures of a pager are cancel-safe: if one is dropped, the next
/// call requests the same page again. A list ends with a page that has no cursor; an empty page with
/// a cursor does not end it.
///
/// An item that cannot be read is an error of its own, [`ListError::Item`], with its place and its
/// raw text. The next call returns the item after it. [`collect_partial`](Self::collect_partial)
/// collects both items and errors. Such a *partial* list proves that its items exist. It does not
/// prove that anything is absent, so nothing may be removed because of it.
///
/// # Limits
///
/// A repeated cursor fails with [`ListError::Repeated`] instead of looping forever. A list of more
/// than [`max_pages`](Self::max_pages) pages fails with [`ListError::TooManyPages`]. The items of
/// all earlier pages are returned before the error.
#[must_use = "a pager requests nothing until it is read"]
pub struct Pager<T, E> {
    operation: Arc<str>,
    fetch: Fetch<T, E>,
    keep: Option<Keep<T>>,
    /// The unread items of the current page.
    items: VecDeque<Result<T, ItemError>>,
    /// The place of the next item.
    position: ListPosition,
    next: Next,
    seen: HashSet<String>,
    pages: usize,
    max_pages: usize,
    endless: bool,
}

impl<T, E> Pager<T, E> {
    /// Returns a pager that requests pages with `fetch`.
    ///
    /// The operation is the call for error messages, such as `GET /api/v1/apps`. The argument of
    /// `fetch` is `None` for the first page, then the cursor from the previous page.
    pub fn new<F>(operation: impl Into<Arc<str>>, fetch: F) -> Self
    where
        F: Fn(Option<String>) -> BoxFuture<'static, Result<Page<T>, E>> + Send + Sync + 'static,
    {
        Self {
            operation: operation.into(),
            fetch: Box::new(fetch),
            keep: None,
            items: VecDeque::new(),
            position: ListPosition::default(),
            next: Next::Page(None),
            seen: HashSet::new(),
            pages: 0,
            max_pages: MAX_PAGES,
            endless: false,
        }
    }

    /// Sets the maximum number of pages (default: 10,000).
    pub fn max_pages(mut self, max_pages: usize) -> Self {
        self.max_pages = max_pages;
        self
    }

    /// Makes this the pager of a list that grows for ever, such as a log. It has no [limits](Self#limits), and its memory does
    /// not grow.
    pub fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// Returns only the items for which `keep` is true. All pages are still requested, and items
    /// that cannot be read are still errors. Places count all items.
    pub fn filter(mut self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.keep = Some(Arc::new(keep));
        self
    }

    /// Returns the place of the next item, to save it and to [`resume`](Self::resume) the list later.
    #[must_use]
    pub fn position(&self) -> ListPosition {
        self.position.clone()
    }

    /// Moves the pager to a position that a pager of the same list has returned.
    ///
    /// The page at the position is requested again, and its items before the position are skipped. If
    /// the page has changed in the meantime, an item can be missing or be returned again. How long a
    /// cursor stays valid depends on the service.
    pub fn resume(mut self, position: ListPosition) -> Self {
        self.items.clear();
        self.next = if position.end {
            Next::End
        } else {
            Next::Page(position.cursor.clone())
        };
        self.position = position;
        self
    }
}

impl<T, E: From<ListError>> Pager<T, E> {
    /// Returns the next item, or `None` at the end of the list.
    ///
    /// # Errors
    ///
    /// Fails if a page cannot be requested, if the item cannot be read, or if the list seems to have
    /// no end ([`ListError`]).
    pub async fn try_next(&mut self) -> Result<Option<T>, E> {
        match self.next_item().await? {
            Some(Ok(item)) => Ok(Some(item)),
            Some(Err(error)) => Err(E::from(ListError::Item(error))),
            None => Ok(None),
        }
    }

    /// Returns all remaining items.
    ///
    /// # Errors
    ///
    /// Fails as [`try_next`](Self::try_next) does. Items read before the error are lost.
    pub async fn try_collect(mut self) -> Result<Vec<T>, E> {
        let mut all = Vec::new();
        while let Some(item) = self.try_next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// Returns all remaining items that can be read, and the errors of the others.
    ///
    /// # Errors
    ///
    /// Fails if a page cannot be requested, or if the list seems to have no end ([`ListError`]).
    pub async fn collect_partial(mut self) -> Result<PartialList<T>, E> {
        let mut list = PartialList {
            items: Vec::new(),
            errors: Vec::new(),
        };
        while let Some(item) = self.next_item().await? {
            match item {
                Ok(item) => list.items.push(item),
                Err(error) => list.errors.push(error),
            }
        }
        Ok(list)
    }

    /// Returns the remaining items as a stream. The error of an item does not end the stream; any
    /// other error does.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, E>> + Send
    where
        T: Send,
        E: Send,
    {
        stream::unfold(Some(self), |pager| async move {
            let mut pager = pager?;
            match pager.next_item().await {
                Ok(Some(Ok(item))) => Some((Ok(item), Some(pager))),
                Ok(Some(Err(error))) => Some((Err(E::from(ListError::Item(error))), Some(pager))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// Returns the next item or its error. The outer error is the error of a page.
    async fn next_item(&mut self) -> Result<Option<Result<T, ItemError>>, E> {
        loop {
            if let Some(item) = self.items.pop_front() {
                self.advance();
                match (&self.keep, &item) {
                    (Some(keep), Ok(item)) if !keep(item) => continue,
                    _ => return Ok(Some(item)),
                }
            }
            let cursor = match &self.next {
                Next::Page(cursor) => cursor.clone(),
                Next::Error(error) => return Err(E::from(error.clone())),
                Next::End => return Ok(None),
            };
            // `self` does not change before the page has arrived, so a dropped future loses
            // nothing.
            let page = (self.fetch)(cursor.clone()).await?;
            self.receive(cursor, page);
        }
    }

    /// Takes over a page that has arrived.
    fn receive(&mut self, cursor: Option<String>, page: Page<T>) {
        self.pages += 1;
        let read_before = if self.position.cursor == cursor {
            self.position.index
        } else {
            0
        };
        let number = self.pages;
        let items = page.items.into_iter().enumerate().skip(read_before);
        self.items = items
            .map(|(index, item)| {
                item.map_err(|error| ItemError {
                    operation: self.operation.clone(),
                    page: number,
                    index,
                    ..error
                })
            })
            .collect();
        self.next = self.next_after(page.next);
        self.position = ListPosition {
            cursor,
            index: read_before,
            end: false,
        };
        if self.items.is_empty() {
            self.end_page();
        }
    }

    /// Moves the position past the item that was returned last.
    fn advance(&mut self) {
        self.position.index += 1;
        if self.items.is_empty() {
            self.end_page();
        }
    }

    /// Moves the position to the page after the current one.
    fn end_page(&mut self) {
        match &self.next {
            Next::Page(cursor) => {
                self.position = ListPosition {
                    cursor: cursor.clone(),
                    index: 0,
                    end: false,
                };
            }
            Next::End => {
                self.position = ListPosition {
                    cursor: None,
                    index: 0,
                    end: true,
                };
            }
            // The list cannot continue, so the position stays in the last page that was read.
            Next::Error(_) => {}
        }
    }

    /// Returns the state after a page that ended with `cursor`.
    fn next_after(&mut self, cursor: Option<String>) -> Next {
        let Some(cursor) = cursor else {
            return Next::End;
        };
        if self.endless {
            return Next::Page(Some(cursor));
        }
        let operation = self.operation.clone();
        if !self.seen.insert(cursor.clone()) {
            return Next::Error(ListError::Repeated {
                operation,
                page: self.pages,
            });
        }
        if self.pages >= self.max_pages {
            return Next::Error(ListError::TooManyPages {
                operation,
                limit: self.max_pages,
            });
        }
        Next::Page(Some(cursor))
    }
}

impl<T, E> fmt::Debug for Pager<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("operation", &self.operation)
            .field("pages", &self.pages)
            .field("waiting", &self.items.len())
            .field("max_pages", &self.max_pages)
            .finish_non_exhaustive()
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items in the server's order; an item that cannot be read is an error.
    pub items: Vec<Result<T, ItemError>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A place in a list, from [`Pager::position`].
///
/// The value can be saved as JSON. It contains the service's cursor, which the service may bind to
/// the credential or to a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// The number of items of the page that were returned already.
    #[serde(default)]
    index: usize,
    #[serde(default)]
    end: bool,
}

/// The items of a list that could be read, and the errors of the others.
#[derive(Debug)]
#[non_exhaustive]
pub struct PartialList<T> {
    /// The items in the server's order.
    pub items: Vec<T>,
    /// The errors of the items that could not be read.
    pub errors: Vec<ItemError>,
}

impl<T> PartialList<T> {
    /// Returns whether items are missing because they could not be read.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.errors.is_empty()
    }
}

/// The error of an item of a list that cannot be read.
#[derive(Clone)]
pub struct ItemError {
    operation: Arc<str>,
    page: usize,
    index: usize,
    raw: Arc<str>,
    source: Arc<dyn error::Error + Send + Sync>,
}

impl ItemError {
    /// Creates the error of an item from its raw text, usually JSON, and the cause. The pager adds
    /// the operation and the place.
    pub fn new(
        raw: impl Into<Arc<str>>,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            operation: Arc::from(""),
            page: 0,
            index: 0,
            raw: raw.into(),
            source: Arc::from(source.into()),
        }
    }

    /// Returns the call that read the list, such as `GET /api/v1/apps`.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the number of the page since the start of this pager, from 1.
    #[must_use]
    pub fn page(&self) -> usize {
        self.page
    }

    /// Returns the index of the item in its page, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the item as the service sent it. It may contain personal data.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "item {} of page {} of {} could not be read",
            self.index + 1,
            self.page,
            self.operation
        )
    }
}

/// Omits the raw text, which may contain personal data.
impl fmt::Debug for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemError")
            .field("operation", &self.operation)
            .field("page", &self.page)
            .field("index", &self.index)
            .field("source", &self.source.to_string())
            .finish_non_exhaustive()
    }
}

impl error::Error for ItemError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The error of a list that is not the error of one request.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// An item cannot be read. The pager continues with the item after it.
    #[error(transparent)]
    Item(ItemError),
    /// A page has the same cursor as an earlier page. The list would never end.
    #[error("page {page} of {operation} repeats the cursor of an earlier page")]
    #[non_exhaustive]
    Repeated {
        /// The call that read the list.
        operation: Arc<str>,
        /// The number of the page, from 1.
        page: usize,
    },
    /// The list has more pages than the limit.
    #[error("{operation} has more than {limit} pages")]
    #[non_exhaustive]
    TooManyPages {
        /// The call that read the list.
        operation: Arc<str>,
        /// The limit.
        limit: usize,
    },
}

impl ListError {
    /// Returns the call that read the list, such as `GET /api/v1/apps`.
    #[must_use]
    pub fn operation(&self) -> &str {
        match self {
            Self::Item(item) => item.operation(),
            Self::Repeated { operation, .. } | Self::TooManyPages { operation, .. } => operation,
        }
    }
}

type Fetch<T, E> =
    Box<dyn Fn(Option<String>) -> BoxFuture<'static, Result<Page<T>, E>> + Send + Sync>;

type Keep<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

enum Next {
    /// The page with this cursor; `None`: the first page.
    Page(Option<String>),
    Error(ListError),
    End,
}

// Two million items at the usual 200 items per page, which is more than any known list.
const MAX_PAGES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::{FutureExt, StreamExt, executor::block_on};

    use super::{ItemError, ListError, ListPosition, Page, Pager};

    #[derive(Debug, PartialEq)]
    enum Failure {
        List(String),
        Server,
    }

    impl From<ListError> for Failure {
        fn from(error: ListError) -> Self {
            Self::List(error.to_string())
        }
    }

    /// The pages in order: items and cursor. The item 0 cannot be read.
    type Script = Vec<Result<(Vec<u32>, Option<&'static str>), Failure>>;
    type Requested = Arc<Mutex<Vec<Option<String>>>>;

    /// Returns a pager over `script`, and the cursors that it requests.
    fn scripted(script: Script) -> (Pager<u32, Failure>, Requested) {
        let requested = Requested::default();
        let script = Arc::new(Mutex::new(script.into_iter()));
        let pager = Pager::new("GET /things", {
            let requested = Arc::clone(&requested);
            move |cursor| {
                requested.lock().unwrap().push(cursor);
                let result = script
                    .lock()
                    .unwrap()
                    .next()
                    .expect("the script has no page left");
                let page = result.map(|(items, next)| Page {
                    items: items.into_iter().map(readable).collect(),
                    next: next.map(str::to_owned),
                });
                async move { page }.boxed()
            }
        });
        (pager, requested)
    }

    fn readable(item: u32) -> Result<u32, ItemError> {
        match item {
            0 => Err(ItemError::new(r#"{"id":null}"#, "the id is missing")),
            item => Ok(item),
        }
    }

    #[test]
    fn nothing_is_requested_before_the_first_call() {
        let (pager, requested) = scripted(vec![]);
        drop(pager);
        assert!(requested.lock().unwrap().is_empty());
    }

    #[test]
    fn each_page_is_requested_with_the_cursor_of_the_previous_page() {
        let (pager, requested) = scripted(vec![Ok((vec![1, 2], Some("b"))), Ok((vec![3], None))]);
        assert_eq!(block_on(pager.try_collect()), Ok(vec![1, 2, 3]));
        assert_eq!(*requested.lock().unwrap(), [None, Some("b".to_owned())]);
    }

    #[test]
    fn an_empty_page_does_not_end_the_list() {
        let (pager, _) = scripted(vec![
            Ok((vec![1], Some("b"))),
            Ok((vec![], Some("c"))),
            Ok((vec![2], None)),
        ]);
        assert_eq!(block_on(pager.try_collect()), Ok(vec![1, 2]));
    }

    #[test]
    fn a_filter_omits_items_and_their_places_count() {
        let (pager, requested) = scripted(vec![
            Ok((vec![1, 2, 0], Some("b"))),
            Ok((vec![3], Some("c"))),
            Ok((vec![4], None)),
        ]);
        let mut even = pager.filter(|number| number % 2 == 0);
        assert_eq!(block_on(even.try_next()), Ok(Some(2)));
        assert_eq!(even.position().index, 2);
        let list = block_on(even.collect_partial()).expect("a list");
        assert_eq!(list.items, [4]);
        assert_eq!(list.errors[0].index(), 2);
        assert_eq!(requested.lock().unwrap().len(), 3);
    }

    #[test]
    fn nothing_is_requested_after_the_end() {
        let (mut pager, requested) = scripted(vec![Ok((vec![], None))]);
        assert_eq!(block_on(pager.try_next()), Ok(None));
        assert_eq!(block_on(pager.try_next()), Ok(None));
        assert_eq!(requested.lock().unwrap().len(), 1);
    }

    #[test]
    fn after_an_error_the_same_page_is_requested_again() {
        let (mut pager, requested) = scripted(vec![
            Ok((vec![1], Some("b"))),
            Err(Failure::Server),
            Ok((vec![2], None)),
        ]);
        assert_eq!(block_on(pager.try_next()), Ok(Some(1)));
        assert_eq!(block_on(pager.try_next()), Err(Failure::Server));
        assert_eq!(block_on(pager.try_next()), Ok(Some(2)));
        let b = Some("b".to_owned());
        assert_eq!(*requested.lock().unwrap(), [None, b.clone(), b]);
    }

    #[test]
    fn a_stream_ends_at_its_first_error() {
        let (pager, _) = scripted(vec![Ok((vec![1], Some("b"))), Err(Failure::Server)]);
        let all: Vec<_> = block_on(pager.into_stream().collect());
        assert_eq!(all, [Ok(1), Err(Failure::Server)]);
    }

    #[test]
    fn a_repeated_cursor_is_an_error_after_all_earlier_items() {
        let (mut pager, _) = scripted(vec![
            Ok((vec![1], Some("b"))),
            Ok((vec![2], Some("c"))),
            Ok((vec![3], Some("b"))),
        ]);
        for expected in [1, 2, 3] {
            assert_eq!(block_on(pager.try_next()), Ok(Some(expected)));
        }
        let repeated = Err(Failure::List(
            "page 3 of GET /things repeats the cursor of an earlier page".to_owned(),
        ));
        assert_eq!(block_on(pager.try_next()), repeated);
        assert_eq!(block_on(pager.try_next()), repeated, "the error persists");
    }

    #[test]
    fn a_list_with_too_many_pages_is_an_error() {
        let (pager, requested) = scripted(vec![Ok((vec![1], Some("b"))), Ok((vec![2], Some("c")))]);
        let result = block_on(pager.max_pages(2).try_collect());
        let error = "GET /things has more than 2 pages".to_owned();
        assert_eq!(result, Err(Failure::List(error)));
        assert_eq!(requested.lock().unwrap().len(), 2);
    }

    #[test]
    fn an_endless_list_has_no_limits() {
        let page = |item, next| Ok((vec![item], Some(next)));
        let (pager, _) = scripted(vec![page(1, "b"), page(2, "b"), page(3, "b"), page(4, "b")]);
        let mut pager = pager.max_pages(2).endless();
        for expected in 1..=4 {
            assert_eq!(block_on(pager.try_next()), Ok(Some(expected)));
        }
    }

    #[test]
    fn an_unreadable_item_is_an_error_with_its_place_and_the_next_item_follows() {
        let (mut pager, requested) =
            scripted(vec![Ok((vec![1], Some("b"))), Ok((vec![2, 0, 3], None))]);
        let unreadable = "item 2 of page 2 of GET /things could not be read".to_owned();
        let results: Vec<_> = (0..5).map(|_| block_on(pager.try_next())).collect();
        assert_eq!(
            results,
            [
                Ok(Some(1)),
                Ok(Some(2)),
                Err(Failure::List(unreadable.clone())),
                Ok(Some(3)),
                Ok(None)
            ]
        );
        assert_eq!(requested.lock().unwrap().len(), 2);

        let (pager, _) = scripted(vec![Ok((vec![0, 1], None))]);
        let all: Vec<_> = block_on(pager.into_stream().collect());
        assert_eq!(all.len(), 2, "a stream continues after such an item");
    }

    #[test]
    fn a_partial_list_has_the_items_and_the_raw_text_of_the_others() {
        let (pager, _) = scripted(vec![Ok((vec![1, 0], Some("b"))), Ok((vec![2], None))]);
        let list = block_on(pager.collect_partial()).expect("a partial list");
        assert_eq!(list.items, [1, 2]);
        assert!(list.is_partial());
        let [error] = list.errors.as_slice() else {
            panic!("one error: {:?}", list.errors);
        };
        assert_eq!((error.page(), error.index()), (1, 1));
        assert_eq!(error.raw(), r#"{"id":null}"#);
        assert!(!format!("{error:?}").contains("null"), "{error:?}");

        let (pager, _) = scripted(vec![Ok((vec![1], None))]);
        assert!(
            !block_on(pager.collect_partial())
                .expect("a list")
                .is_partial()
        );
    }

    #[test]
    fn a_saved_position_resumes_the_list_at_the_next_item() {
        let script = || {
            vec![
                Ok((vec![1, 2], Some("b"))),
                Ok((vec![], Some("c"))),
                Ok((vec![3, 0], Some("d"))),
                Ok((vec![4, 5], None)),
            ]
        };
        let (mut whole, _) = scripted(script());
        let mut positions = vec![whole.position()];
        for _ in 0..6 {
            let _item_or_error = block_on(whole.try_next());
            positions.push(whole.position());
        }
        let cursors = ["a", "b", "c", "d"];
        let rest = [6, 5, 4, 3, 2, 1, 0];
        for (position, left) in positions.into_iter().zip(rest) {
            let json = serde_json::to_string(&position).expect("a position is JSON");
            let position: ListPosition = serde_json::from_str(&json).expect("a position");
            let at = match &position.cursor {
                None if position.end => cursors.len(),
                None => 0,
                Some(cursor) => cursors
                    .iter()
                    .position(|known| known == cursor)
                    .expect("a page"),
            };
            let (pager, _) = scripted(script().split_off(at));
            let list = block_on(pager.resume(position).collect_partial()).expect("a list");
            assert_eq!(list.items.len() + list.errors.len(), left, "{json}");
        }
    }
}
