//! Pagination: reads all pages of a list.

use std::{collections::BTreeSet, future::Future};

use crate::{Error, service::Service};

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The token of the next page.
    pub(crate) next: Option<String>,
}

/// Requests pages with `fetch` until a page has no token, and returns all items.
///
/// An empty page does not end the list: Organizations documents that it returns such pages. A
/// repeated token is an error. The SDK's own paginators end at such a token without an error, but a
/// partial list that looks complete could cause a mass deletion.
pub(crate) async fn collect_pages<T, F>(
    service: Service,
    operation: &'static str,
    mut fetch: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token = None;
    loop {
        let page = fetch(token).await?;
        items.extend(page.items);
        let Some(next) = page.next.filter(|next| !next.is_empty()) else {
            return Ok(items);
        };
        if !seen.insert(next.clone()) {
            let problem = "the list repeats a page: a page token was returned twice";
            return Err(Error::invalid_response(service, operation, problem));
        }
        if seen.len() >= MAX_PAGES {
            let problem = format!("the list has more than {MAX_PAGES} pages");
            return Err(Error::invalid_response(service, operation, problem));
        }
        token = Some(next);
    }
}

/// An identity store has at most 100,000 users (IAM Identity Center quotas), unless AWS agrees to
/// more. 100,000 users are 1,000 pages of 100; a list with ten times as many pages is an error.
const MAX_PAGES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, error::Error as _, future::ready};

    use super::{Page, collect_pages};
    use crate::{Error, replay::block_on, service::Service};

    fn read(pages: &[(&[u8], Option<&str>)]) -> (Result<Vec<u8>, Error>, Vec<Option<String>>) {
        let tokens = RefCell::new(Vec::new());
        let mut pages = pages.iter();
        let result = block_on(collect_pages(
            Service::Organizations,
            "ListAccounts",
            |token| {
                tokens.borrow_mut().push(token);
                let (items, next) = pages.next().expect("a page for each request");
                ready(Ok(Page {
                    items: items.to_vec(),
                    next: next.map(str::to_owned),
                }))
            },
        ));
        (result, tokens.into_inner())
    }

    #[test]
    fn an_empty_page_does_not_end_the_list() {
        let (items, tokens) = read(&[(&[1, 2], Some("a")), (&[], Some("b")), (&[3], None)]);
        assert_eq!(items.expect("a list"), [1, 2, 3]);
        assert_eq!(tokens, [None, Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn an_empty_token_ends_the_list() {
        assert_eq!(read(&[(&[1], Some(""))]).0.expect("a list"), [1]);
    }

    #[test]
    fn a_repeated_token_is_an_error() {
        let (result, _) = read(&[(&[1], Some("a")), (&[2], Some("b")), (&[3], Some("a"))]);
        let error = result.expect_err("a repeated token");
        assert_eq!(
            error.to_string(),
            "AWS's response to organizations ListAccounts could not be decoded"
        );
        assert_eq!(
            error.source().expect("a source").to_string(),
            "the list repeats a page: a page token was returned twice"
        );
    }
}
