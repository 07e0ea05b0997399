//! Reads lists to their end.

use std::{collections::BTreeSet, future::Future};

use crate::{Error, service::Service};

/// One page, as every service answers it.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Asks for page after page until no token is left.
///
/// An empty page is not the end: Organizations documents that it sends some. A token that comes
/// back is an error; the SDK's own paginators end there without a word, and half a list that looks
/// whole is the beginning of a mass deletion.
pub(crate) async fn all<T, F>(
    service: Service,
    operation: &'static str,
    mut page: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token = None;
    loop {
        let answer = page(token).await?;
        items.extend(answer.items);
        let Some(next) = answer.next.filter(|next| !next.is_empty()) else {
            return Ok(items);
        };
        if !seen.insert(next.clone()) {
            let problem = "the list goes in circles: a page's token came twice";
            return Err(Error::unreadable(service, operation, problem));
        }
        if seen.len() >= MAX_PAGES {
            let problem = format!("the list has more than {MAX_PAGES} pages");
            return Err(Error::unreadable(service, operation, problem));
        }
        token = Some(next);
    }
}

/// An identity store holds 100,000 users at most unless AWS agrees to more (IAM Identity Center
/// quotas), 1,000 pages of 100; ten times that is a fault.
const MAX_PAGES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, error::Error as _, future::ready};

    use super::{Page, all};
    use crate::{Error, replay::block_on, service::Service};

    fn read(pages: &[(&[u8], Option<&str>)]) -> (Result<Vec<u8>, Error>, Vec<Option<String>>) {
        let asked = RefCell::new(Vec::new());
        let mut pages = pages.iter();
        let result = block_on(all(Service::Organizations, "ListAccounts", |token| {
            asked.borrow_mut().push(token);
            let (items, next) = pages.next().expect("no more pages than given");
            ready(Ok(Page {
                items: items.to_vec(),
                next: next.map(str::to_owned),
            }))
        }));
        (result, asked.into_inner())
    }

    #[test]
    fn an_empty_page_in_the_middle_is_not_the_end() {
        let (items, asked) = read(&[(&[1, 2], Some("a")), (&[], Some("b")), (&[3], None)]);
        assert_eq!(items.expect("a list"), [1, 2, 3]);
        assert_eq!(asked, [None, Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn an_empty_token_is_the_end() {
        assert_eq!(read(&[(&[1], Some(""))]).0.expect("a list"), [1]);
    }

    #[test]
    fn a_token_that_comes_back_is_an_error_and_not_half_a_list() {
        let (result, _) = read(&[(&[1], Some("a")), (&[2], Some("b")), (&[3], Some("a"))]);
        let error = result.expect_err("goes in circles");
        assert_eq!(
            error.to_string(),
            "AWS's answer to organizations ListAccounts could not be read"
        );
        assert_eq!(
            error.source().expect("a source").to_string(),
            "the list goes in circles: a page's token came twice"
        );
    }
}
