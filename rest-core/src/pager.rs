//! Lists that are longer than one answer.

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
/// Nothing is requested before the first call. An error keeps the place: the next call asks for
/// the same page again. Dropping a `Pager`, or a future of it, is always safe: the page in flight
/// is simply asked for again. An empty page is not the end of a list; the end is a page without a
/// cursor.
///
/// # Limits
///
/// A cursor that was seen before is [`PagerError::Repeated`] instead of a loop, and a list of more
/// than [`max_pages`](Self::max_pages) pages is [`PagerError::TooManyPages`]. Both arrive after
/// the items that came before them.
#[must_use = "a pager asks for nothing until it is read"]
pub struct Pager<T, E> {
    fetch: Fetch<T, E>,
    items: VecDeque<T>,
    next: Next,
    seen: HashSet<String>,
    pages: usize,
    max_pages: usize,
}

impl<T, E> Pager<T, E> {
    /// Returns a pager that asks for pages with `fetch`.
    ///
    /// `fetch` gets `None` for the first page, then the cursor of the page before.
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

    /// Limits how many pages are read; 10,000 unless told otherwise.
    pub fn max_pages(mut self, max_pages: usize) -> Self {
        self.max_pages = max_pages;
        self
    }

    /// Leaves out the items that `keep` is false for; the pages are asked for all the same.
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
    /// What asking for a page failed with, or a [`PagerError`].
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
            // Nothing of `self` changes before the page is here, so a dropped future loses nothing.
            let page = (self.fetch)(cursor).await?;
            self.pages += 1;
            self.items.extend(page.items);
            self.next = self.after(page.next);
        }
    }

    /// Returns every item that is left.
    ///
    /// # Errors
    ///
    /// As [`try_next`](Self::try_next); the items read before an error are lost.
    pub async fn try_collect(mut self) -> Result<Vec<T>, E> {
        let mut all = Vec::new();
        while let Some(item) = self.try_next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// Returns the items that are left as a stream, which ends after its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, E>> + Send
    where
        T: Send,
        E: Send,
    {
        stream::try_unfold(self, |mut pager| async move {
            Ok(pager.try_next().await?.map(|item| (item, pager)))
        })
    }

    fn after(&mut self, cursor: Option<String>) -> Next {
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
    /// The items, in the order of the server.
    pub items: Vec<T>,
    /// Where the next page is, in whatever form the service speaks; `None` at the end.
    pub next: Option<String>,
}

/// Why a list that the server keeps answering for was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagerError {
    /// A page pointed to a page that was read before, which would go on for ever.
    #[error("page {page} of the list leads back to an earlier page")]
    #[non_exhaustive]
    Repeated {
        /// The page with the repeated cursor, counted from 1.
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

// Two million items at the usual 200 a page; more than any list met so far.
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
    type Asked = Arc<Mutex<Vec<Option<String>>>>;

    /// A pager over `script`, and the cursors it has asked for.
    fn scripted(script: Script) -> (Pager<u32, Failure>, Asked) {
        let asked = Asked::default();
        let script = Arc::new(Mutex::new(script.into_iter()));
        let pager = Pager::new({
            let asked = Arc::clone(&asked);
            move |cursor| {
                asked.lock().unwrap().push(cursor);
                let answer = script
                    .lock()
                    .unwrap()
                    .next()
                    .expect("no page was left to ask for");
                let page = answer.map(|(items, next)| Page {
                    items,
                    next: next.map(str::to_owned),
                });
                async move { page }.boxed()
            }
        });
        (pager, asked)
    }

    #[test]
    fn nothing_is_asked_for_before_the_first_call() {
        let (pager, asked) = scripted(vec![]);
        drop(pager);
        assert!(asked.lock().unwrap().is_empty());
    }

    #[test]
    fn pages_follow_their_cursors() {
        let (pager, asked) = scripted(vec![Ok((vec![1, 2], Some("b"))), Ok((vec![3], None))]);
        assert_eq!(block_on(pager.try_collect()), Ok(vec![1, 2, 3]));
        assert_eq!(*asked.lock().unwrap(), [None, Some("b".to_owned())]);
    }

    #[test]
    fn an_empty_page_in_the_middle_is_not_the_end() {
        let (pager, _) = scripted(vec![
            Ok((vec![1], Some("b"))),
            Ok((vec![], Some("c"))),
            Ok((vec![2], None)),
        ]);
        assert_eq!(block_on(pager.try_collect()), Ok(vec![1, 2]));
    }

    #[test]
    fn a_filter_leaves_items_out_and_no_pages() {
        let (pager, asked) = scripted(vec![
            Ok((vec![1, 2], Some("b"))),
            Ok((vec![3], Some("c"))),
            Ok((vec![4], None)),
        ]);
        let even = pager.filter(|number| number % 2 == 0);
        assert_eq!(block_on(even.try_collect()), Ok(vec![2, 4]));
        assert_eq!(asked.lock().unwrap().len(), 3);
    }

    #[test]
    fn after_the_end_nothing_is_asked_for() {
        let (mut pager, asked) = scripted(vec![Ok((vec![], None))]);
        assert_eq!(block_on(pager.try_next()), Ok(None));
        assert_eq!(block_on(pager.try_next()), Ok(None));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_error_keeps_the_place() {
        let (mut pager, asked) = scripted(vec![
            Ok((vec![1], Some("b"))),
            Err(Failure::Server),
            Ok((vec![2], None)),
        ]);
        assert_eq!(block_on(pager.try_next()), Ok(Some(1)));
        assert_eq!(block_on(pager.try_next()), Err(Failure::Server));
        assert_eq!(block_on(pager.try_next()), Ok(Some(2)));
        let b = Some("b".to_owned());
        assert_eq!(*asked.lock().unwrap(), [None, b.clone(), b]);
    }

    #[test]
    fn a_stream_ends_at_its_first_error() {
        let (pager, _) = scripted(vec![Ok((vec![1], Some("b"))), Err(Failure::Server)]);
        let all: Vec<_> = block_on(pager.into_stream().collect());
        assert_eq!(all, [Ok(1), Err(Failure::Server)]);
    }

    #[test]
    fn a_repeated_cursor_is_an_error_after_the_items_before_it() {
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
        assert_eq!(block_on(pager.try_next()), repeated, "and stays one");
    }

    #[test]
    fn a_list_of_too_many_pages_is_an_error() {
        let (pager, asked) = scripted(vec![Ok((vec![1], Some("b"))), Ok((vec![2], Some("c")))]);
        let result = block_on(pager.max_pages(2).try_collect());
        assert_eq!(
            result,
            Err(Failure::Pager(PagerError::TooManyPages { limit: 2 }))
        );
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[test]
    fn the_errors_say_what_is_wrong_with_the_list() {
        assert_eq!(
            PagerError::Repeated { page: 3 }.to_string(),
            "page 3 of the list leads back to an earlier page"
        );
        assert_eq!(
            PagerError::TooManyPages { limit: 10_000 }.to_string(),
            "the list has more than 10000 pages"
        );
    }
}
