//! Pages of lists, and the opaque tokens that lead from one to the next.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ids::{digest, hex_of};
use super::params::Ask;

/// How lists are cut into pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    size: Option<usize>,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// The same page with its items in another form.
    pub(crate) fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(form).collect(),
            next: self.next,
        }
    }
}

/// The token is not one that this list has handed out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

impl Pages {
    /// Pages of at most `size` items, or of as many as the service allows.
    pub(crate) fn new(size: Option<usize>) -> Self {
        Self {
            size: size.map(|size| size.max(1)),
        }
    }

    /// The number of items on a page if `asked` were asked for.
    pub(crate) fn size(self, asked: usize) -> usize {
        self.size.map_or(asked, |size| size.min(asked))
    }

    /// The page asked for, out of items with ascending places in their list.
    ///
    /// `scope` is everything the list depends on: a token is refused for another one. A token names
    /// the last item seen, so that items which come or go between two pages do no harm.
    ///
    /// # Errors
    ///
    /// [`BadToken`] for a token of another list, or one that was changed.
    pub(crate) fn cut<T>(
        self,
        items: impl IntoIterator<Item = (u64, T)>,
        scope: &str,
        ask: &Ask,
        default: usize,
    ) -> Result<Page<T>, BadToken> {
        let size = self.size(ask.max.unwrap_or(default));
        let after = match &ask.token {
            Some(token) => Some(open(token, scope)?.0),
            None => None,
        };
        let mut rest = items
            .into_iter()
            .skip_while(|(place, _)| after.is_some_and(|after| *place <= after))
            .peekable();
        let mut page = Vec::new();
        let mut last = 0;
        while page.len() < size
            && let Some((place, item)) = rest.next()
        {
            last = place;
            page.push(item);
        }
        let next = rest.peek().map(|_| seal(last, Pause::Over, scope));
        Ok(Page { items: page, next })
    }

    /// Like [`cut`](Self::cut), with an empty page between the first and the second.
    ///
    /// Organizations "can occasionally return an empty set of results even when more results are
    /// available" (API reference, `ListAccounts`); this list does so once on every walk.
    ///
    /// # Errors
    ///
    /// [`BadToken`] for a token of another list, or one that was changed.
    pub(crate) fn cut_with_a_pause<T>(
        self,
        items: impl IntoIterator<Item = (u64, T)>,
        scope: &str,
        ask: &Ask,
        default: usize,
    ) -> Result<Page<T>, BadToken> {
        if let Some(token) = &ask.token {
            let (place, pause) = open(token, scope)?;
            if pause == Pause::Ahead {
                return Ok(Page {
                    items: Vec::new(),
                    next: Some(seal(place, Pause::Over, scope)),
                });
            }
            return self.cut(items, scope, ask, default);
        }
        let mut page = self.cut(items, scope, ask, default)?;
        if let Some(token) = &page.next {
            let (place, _) = open(token, scope)?;
            page.next = Some(seal(place, Pause::Ahead, scope));
        }
        Ok(page)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    Ahead,
    Over,
}

fn seal(place: u64, pause: Pause, scope: &str) -> String {
    let flag = if pause == Pause::Ahead { 'p' } else { 'c' };
    let content = format!("{place}{flag}");
    let mark = mark(&content, scope);
    STANDARD.encode(format!("{content}:{mark}"))
}

fn open(token: &str, scope: &str) -> Result<(u64, Pause), BadToken> {
    let bytes = STANDARD.decode(token).map_err(|_refused| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_refused| BadToken)?;
    let (content, found) = text.split_once(':').ok_or(BadToken)?;
    if found != mark(content, scope) {
        return Err(BadToken);
    }
    let (place, pause) = match content.strip_suffix('p') {
        Some(place) => (place, Pause::Ahead),
        None => (content.trim_end_matches('c'), Pause::Over),
    };
    let place = place.parse().map_err(|_refused| BadToken)?;
    Ok((place, pause))
}

/// Binds a token to its list; nobody outside this file can make one up by accident.
fn mark(content: &str, scope: &str) -> String {
    let mut mark = hex_of(&digest(&format!("page/{content}/{scope}")));
    mark.truncate(16);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(token: Option<String>) -> Ask {
        Ask { max: None, token }
    }

    fn items(places: &[u64]) -> Vec<(u64, u64)> {
        places.iter().map(|&place| (place, place)).collect()
    }

    #[test]
    fn a_list_is_walked_page_by_page_to_its_end() {
        let pages = Pages::new(Some(2));
        let first = pages
            .cut(items(&[1, 2, 3]), "a", &ask(None), 100)
            .expect("a page");
        assert_eq!(first.items, [1, 2]);
        let second = pages
            .cut(items(&[1, 2, 3]), "a", &ask(first.next), 100)
            .expect("a page");
        assert_eq!(second.items, [3]);
        assert_eq!(second.next, None);
    }

    #[test]
    fn an_item_that_goes_away_between_two_pages_hides_no_other() {
        let pages = Pages::new(Some(2));
        let first = pages
            .cut(items(&[1, 2, 3]), "a", &ask(None), 100)
            .expect("a page");
        let second = pages
            .cut(items(&[2, 3]), "a", &ask(first.next), 100)
            .expect("a page");
        assert_eq!(second.items, [3]);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let page = Pages::new(Some(2))
            .cut(items(&[1, 2]), "a", &ask(None), 100)
            .expect("a page");
        assert_eq!(page.next, None);
    }

    #[test]
    fn a_token_of_another_list_or_a_changed_one_is_refused() {
        let pages = Pages::new(Some(1));
        let token = pages
            .cut(items(&[1, 2]), "a", &ask(None), 100)
            .expect("a page")
            .next
            .expect("a token");
        let other = pages.cut(items(&[1, 2]), "b", &ask(Some(token.clone())), 100);
        assert_eq!(other.map(|page| page.items), Err(BadToken));
        let changed = pages.cut(
            items(&[1, 2]),
            "a",
            &ask(Some(format!("A{}", &token[1..]))),
            100,
        );
        assert_eq!(changed.map(|page| page.items), Err(BadToken));
        let made_up = pages.cut(items(&[1, 2]), "a", &ask(Some("2".to_owned())), 100);
        assert_eq!(made_up.map(|page| page.items), Err(BadToken));
    }

    #[test]
    fn an_organization_list_has_an_empty_page_in_the_middle() {
        let pages = Pages::new(Some(1));
        let mut token = None;
        let mut seen = Vec::new();
        for _ in 0..5 {
            let page = pages
                .cut_with_a_pause(items(&[1, 2, 3]), "a", &ask(token), 20)
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
