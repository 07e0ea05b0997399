//! Pagination: reads a list that the server splits into pages.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::Arc,
};

use futures::{
    future::BoxFuture,
    stream::{self, Stream},
};

/// Reads a list page by page, one item at a time.
///
/// A pager requests the first page when it is first read. After an error, the next call requests
/// the same page again. Futures of a pager are cancel-safe: if one is dropped, the next call
/// requests the same page again. A list ends with a page that has no cursor; an empty page with a
/// cursor does not end it.
///
/// # Limits
///
/// A repeated cursor fails with [`PagerError::Repeated`] instead of looping forever. A list of more
/// than [`max_pages`](Self::max_pages) pages fails with [`PagerError::TooManyPages`]. The items of
/// all earlier pages are returned before the error.
#[must_use = "a pager requests nothing until it is read"]
pub struct Pager<T, E> {
    fetch: Fetch<T, E>,
    items: VecDeque<T>,
    next: Next,
    seen: HashSet<String>,
    pages: usize,
    max_pages: usize,
}

impl<T, E> Pager<T, E> {
    /// Returns a pager that requests pages with `fetch`.
    ///
    /// The argument of `fetch` is `None` for the first page, then the cursor from the previous
    /// page.
    pub fn new<F>(fetch: F) -> Self
    where
        F: Fn(Option<String>) -> BoxFuture<'static, Result<Page<T>, E>> + Send + Sync + 'static,
    {
        Self {
            fetch: Box::new(fetch),
            items: VecDeque::new(),
            next: Next::Page(None),
            seen: HashSet::new(),
            pages: 0,
            max_pages: MAX_PAGES,
        }
    }

    /// Sets the maximum number of pages (default: 10,000).
    pub fn max_pages(mut self, max_pages: usize) -> Self {
        self.max_pages = max_pages;
        self
    }

    /// Returns only the items for which `keep` is true. All pages are still requested.
    pub fn filter(self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self
    where
        T: 'static,
        E: 'static,
    {
        let Self {
            fetch,
            mut items,
            next,
            seen,
            pages,
            max_pages,
        } = self;
        items.retain(&keep);
        let keep = Arc::new(keep);
        let fetch: Fetch<T, E> = Box::new(move |cursor| {
            let (page, keep) = (fetch(cursor), Arc::clone(&keep));
            Box::pin(async move {
                let mut page = page.await?;
                page.items.retain(|item| keep(item));
                Ok(page)
            })
        });
        Self {
            fetch,
            items,
            next,
            seen,
            pages,
            max_pages,
        }
    }
}

impl<T, E: From<PagerError>> Pager<T, E> {
    /// Returns the next item, or `None` at the end of the list.
    ///
    /// # Errors
    ///
    /// Fails if a page cannot be requested, or if the list seems to have no end ([`PagerError`]).
    pub async fn try_next(&mut self) -> Result<Option<T>, E> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(Some(item));
            }
            let cursor = match &self.next {
                Next::Page(cursor) => cursor.clone(),
                Next::Error(error) => return Err(E::from(*error)),
                Next::End => return Ok(None),
            };
            // `self` does not change before the page has arrived, so a dropped future loses
            // nothing.
            let page = (self.fetch)(cursor).await?;
            self.pages += 1;
            self.items.extend(page.items);
            self.next = self.next_after(page.next);
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

    /// Returns the remaining items as a stream. The stream ends after its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, E>> + Send
    where
        T: Send,
        E: Send,
    {
        stream::try_unfold(self, |mut pager| async move {
            Ok(pager.try_next().await?.map(|item| (item, pager)))
        })
    }

    /// Returns the state after a page that ended with `cursor`.
    fn next_after(&mut self, cursor: Option<String>) -> Next {
        let Some(cursor) = cursor else {
            return Next::End;
        };
        if !self.seen.insert(cursor.clone()) {
            return Next::Error(PagerError::Repeated { page: self.pages });
        }
        if self.pages >= self.max_pages {
            return Next::Error(PagerError::TooManyPages {
                limit: self.max_pages,
            });
        }
        Next::Page(Some(cursor))
    }
}

impl<T, E> fmt::Debug for Pager<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("pages", &self.pages)
            .field("waiting", &self.items.len())
            .field("max_pages", &self.max_pages)
            .finish_non_exhaustive()
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// The cursor of the next page, in the service's own format; `None` on the last page.
    pub next: Option<String>,
}

/// The error of a [`Pager`] whose list seems to have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagerError {
    /// A page has the cursor of an earlier page; following it would never end.
    #[error("page {page} of the list repeats the cursor of an earlier page")]
    #[non_exhaustive]
    Repeated {
        /// The number of the page with the repeated cursor, counted from 1.
        page: usize,
    },
    /// The list has more pages than the limit allows.
    #[error("the list has more than {limit} pages")]
    #[non_exhaustive]
    TooManyPages {
        /// The limit.
        limit: usize,
    },
}

type Fetch<T, E> =
    Box<dyn Fn(Option<String>) -> BoxFuture<'static, Result<Page<T>, E>> + Send + Sync>;

enum Next {
    Page(Option<String>),
    Error(PagerError),
    End,
}

// Two million items at the usual 200 items per page, which is more than any known list.
const MAX_PAGES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::{FutureExt, StreamExt, executor::block_on};

    use super::{Page, Pager, PagerError};

    #[derive(Debug, PartialEq)]
    enum Failure {
        Pager(PagerError),
        Server,
    }

    impl From<PagerError> for Failure {
        fn from(error: PagerError) -> Self {
            Self::Pager(error)
        }
    }

    type Script = Vec<Result<(Vec<u32>, Option<&'static str>), Failure>>;
    type Requested = Arc<Mutex<Vec<Option<String>>>>;

    /// Returns a pager over `script`, and the cursors that it requests.
    fn scripted(script: Script) -> (Pager<u32, Failure>, Requested) {
        let requested = Requested::default();
        let script = Arc::new(Mutex::new(script.into_iter()));
        let pager = Pager::new({
            let requested = Arc::clone(&requested);
            move |cursor| {
                requested.lock().unwrap().push(cursor);
                let result = script
                    .lock()
                    .unwrap()
                    .next()
                    .expect("the script has no page left");
                let page = result.map(|(items, next)| Page {
                    items,
                    next: next.map(str::to_owned),
                });
                async move { page }.boxed()
            }
        });
        (pager, requested)
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
    fn a_filter_omits_items_but_requests_all_pages() {
        let (pager, requested) = scripted(vec![
            Ok((vec![1, 2], Some("b"))),
            Ok((vec![3], Some("c"))),
            Ok((vec![4], None)),
        ]);
        let even = pager.filter(|number| number % 2 == 0);
        assert_eq!(block_on(even.try_collect()), Ok(vec![2, 4]));
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
        let repeated = Err(Failure::Pager(PagerError::Repeated { page: 3 }));
        assert_eq!(block_on(pager.try_next()), repeated);
        assert_eq!(block_on(pager.try_next()), repeated, "the error persists");
    }

    #[test]
    fn a_list_with_too_many_pages_is_an_error() {
        let (pager, requested) = scripted(vec![Ok((vec![1], Some("b"))), Ok((vec![2], Some("c")))]);
        let result = block_on(pager.max_pages(2).try_collect());
        assert_eq!(
            result,
            Err(Failure::Pager(PagerError::TooManyPages { limit: 2 }))
        );
        assert_eq!(requested.lock().unwrap().len(), 2);
    }

    #[test]
    fn the_errors_describe_the_problem_of_the_list() {
        assert_eq!(
            PagerError::Repeated { page: 3 }.to_string(),
            "page 3 of the list repeats the cursor of an earlier page"
        );
        assert_eq!(
            PagerError::TooManyPages { limit: 10_000 }.to_string(),
            "the list has more than 10000 pages"
        );
    }
}
