//! Pagination of lists with opaque tokens.

use super::params::PageRequest;
use crate::paging;

/// The pagination settings of lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    size: Option<usize>,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// The items of the page.
    pub(crate) items: Vec<T>,
    /// The token of the next page; `None` on the last page.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// Returns the same page with converted items.
    pub(crate) fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }
}

/// The error for a token that this list did not issue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

impl Pages {
    /// Returns settings for pages of at most `size` items; `None` keeps the limit of the service.
    pub(crate) fn new(size: Option<usize>) -> Self {
        Self {
            size: size.map(|size| size.max(1)),
        }
    }

    /// Returns the configured maximum page size.
    pub(crate) fn max_size(self) -> Option<usize> {
        self.size
    }

    /// Returns the requested page of a list.
    ///
    /// `items` returns the items from a position on, with ascending positions. `scope` identifies the list and
    /// its filters; a token is only valid for its own scope. A token contains the position of the last returned
    /// item, so insertions and deletions between two pages do not skip or repeat other items.
    ///
    /// # Errors
    ///
    /// Returns [`BadToken`] for a token of another list or a modified token.
    pub(crate) fn paginate<T, I: IntoIterator<Item = (u64, T)>>(
        self,
        items: impl FnOnce(u64) -> I,
        scope: &str,
        request: &PageRequest,
        default: usize,
    ) -> Result<Page<T>, BadToken> {
        let requested = request.max.unwrap_or(default);
        let size = self.size.map_or(requested, |size| size.min(requested));
        let first = match &request.token {
            Some(token) => decode_token(token, scope)?.0.saturating_add(1),
            None => 0,
        };
        let page = paging::slice(items(first), |_| false, size);
        Ok(Page {
            items: page.items,
            next: page
                .last
                .map(|last| encode_token(last, EmptyPage::Done, scope)),
        })
    }

    /// Returns the requested page like [`paginate`](Self::paginate), but inserts an empty page between the first
    /// and the second page.
    ///
    /// Organizations "can occasionally return an empty set of results even when more results are available"
    /// (API reference, `ListAccounts`). The sandbox does so once for every list with several pages.
    ///
    /// # Errors
    ///
    /// Returns [`BadToken`] for a token of another list or a modified token.
    pub(crate) fn paginate_with_empty_page<T, I: IntoIterator<Item = (u64, T)>>(
        self,
        items: impl FnOnce(u64) -> I,
        scope: &str,
        request: &PageRequest,
        default: usize,
    ) -> Result<Page<T>, BadToken> {
        if let Some(token) = &request.token {
            let (position, empty_page) = decode_token(token, scope)?;
            if empty_page == EmptyPage::Pending {
                return Ok(Page {
                    items: Vec::new(),
                    next: Some(encode_token(position, EmptyPage::Done, scope)),
                });
            }
            return self.paginate(items, scope, request, default);
        }
        let mut page = self.paginate(items, scope, request, default)?;
        if let Some(token) = &page.next {
            let (position, _) = decode_token(token, scope)?;
            page.next = Some(encode_token(position, EmptyPage::Pending, scope));
        }
        Ok(page)
    }
}

/// Whether the empty page was already returned while a client follows the tokens of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EmptyPage {
    Pending,
    Done,
}

fn encode_token(position: u64, empty_page: EmptyPage, scope: &str) -> String {
    let flag = if empty_page == EmptyPage::Pending {
        'p'
    } else {
        'c'
    };
    paging::seal(&format!("{position}{flag}"), scope)
}

fn decode_token(token: &str, scope: &str) -> Result<(u64, EmptyPage), BadToken> {
    let content = paging::open(token, scope).ok_or(BadToken)?;
    let (position, empty_page) = match content.strip_suffix('p') {
        Some(position) => (position, EmptyPage::Pending),
        None => (content.trim_end_matches('c'), EmptyPage::Done),
    };
    let position = position.parse().map_err(|_error| BadToken)?;
    Ok((position, empty_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_request(token: Option<String>) -> PageRequest {
        PageRequest { max: None, token }
    }

    fn items(positions: &[u64]) -> impl FnOnce(u64) -> Vec<(u64, u64)> {
        |first| {
            let rest = positions.iter().filter(|position| **position >= first);
            rest.map(|&position| (position, position)).collect()
        }
    }

    #[test]
    fn a_token_of_another_list_and_a_modified_token_are_rejected() {
        let pages = Pages::new(Some(1));
        let token = pages
            .paginate(items(&[1, 2]), "a", &page_request(None), 100)
            .expect("a page")
            .next
            .expect("a token");
        let other = pages.paginate(items(&[1, 2]), "b", &page_request(Some(token.clone())), 100);
        assert_eq!(other.map(|page| page.items), Err(BadToken));
        let changed = pages.paginate(
            items(&[1, 2]),
            "a",
            &page_request(Some(format!("A{}", &token[1..]))),
            100,
        );
        assert_eq!(changed.map(|page| page.items), Err(BadToken));
        let made_up = pages.paginate(
            items(&[1, 2]),
            "a",
            &page_request(Some("2".to_owned())),
            100,
        );
        assert_eq!(made_up.map(|page| page.items), Err(BadToken));
    }

    #[test]
    fn an_organization_list_has_an_empty_page_in_the_middle() {
        let pages = Pages::new(Some(1));
        let mut token = None;
        let mut seen = Vec::new();
        for _ in 0..5 {
            let page = pages
                .paginate_with_empty_page(items(&[1, 2, 3]), "a", &page_request(token), 20)
                .expect("a page");
            seen.push(page.items);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [vec![1], vec![], vec![2], vec![3]]);
    }
}
