//! How a list is asked for, page by page: requests and places as values.

use http::StatusCode;
use rest_core::Call;
use scim_types::{ListResponse, Pagination, filter::Filter};

use crate::{Dialect, Error, Paging, RefusedRequest};

/// How lists are asked for: by what, and how many resources at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    pub(crate) paging: Paging,
    pub(crate) size: u32,
}

impl Pages {
    /// What is known of the server before it was asked.
    pub(crate) fn of(dialect: Dialect) -> Self {
        let rules = dialect.rules();
        Self {
            paging: rules.paging,
            size: rules.page_size,
        }
    }

    /// What the server says of itself: by cursor where it can, as only that finds every resource while others come and go
    /// (RFC 9865 section 1), and as many as it gives.
    pub(crate) fn with_server_limits(self, pagination: &Pagination) -> Self {
        let most = pagination.max_page_size.filter(|most| *most > 0);
        Self {
            paging: match (pagination.cursor, pagination.index) {
                (Some(true), _) => Paging::Cursor,
                (_, Some(true)) => Paging::Index,
                _ => self.paging,
            },
            size: most.map_or(self.size, |most| {
                u32::try_from(most).map_or(self.size, |most| most.min(self.size))
            }),
        }
    }
}

/// A list that is to be read.
#[derive(Clone, Debug)]
pub(crate) struct List {
    dialect: Dialect,
    endpoint: &'static str,
    filter: Option<Filter>,
    pages: Pages,
}

impl List {
    pub(crate) fn new(
        dialect: Dialect,
        pages: Pages,
        endpoint: &'static str,
        filter: Option<Filter>,
    ) -> Self {
        Self {
            dialect,
            endpoint,
            filter,
            pages,
        }
    }

    pub(crate) fn of_size(mut self, size: u32) -> Self {
        self.pages.size = size;
        self
    }

    /// Returns this list as every server can page it, if that is another way and the server is known not to have this one.
    ///
    /// 501 is for an operation a server does not have (RFC 7644 section 3.12, table 8); scim2-server 0.8 says it of a cursor.
    /// Places tell by themselves what they are, so only the first page is asked for twice.
    pub(crate) fn fallback(&self, position: Option<&str>, error: &Error) -> Option<Self> {
        let refused = error.status() == Some(StatusCode::NOT_IMPLEMENTED);
        let by_cursor = position.is_none() && self.pages.paging == Paging::Cursor;
        (refused && by_cursor).then(|| {
            let mut list = self.clone();
            list.pages.paging = Paging::Index;
            list
        })
    }

    /// Returns the request for the page at a place, which is `None` for the first.
    ///
    /// Everything but the place is the same on each page: AWS refuses another filter in the middle.
    pub(crate) fn call(&self, position: Option<&str>) -> Result<Call, Error> {
        self.check()?;
        let call = Call::get([self.endpoint])
            .query_opt("filter", self.filter.as_ref().map(ToString::to_string));
        let call = match self.position(position) {
            Position::Index(start) => call.query("startIndex", start.to_string()),
            // AWS writes the first one without an equals sign (SCIM developer guide, ListUsers).
            Position::Cursor(cursor) if cursor.is_empty() => call.query_key("cursor"),
            Position::Cursor(cursor) => call.query("cursor", cursor),
        };
        Ok(call.query("count", self.pages.size.to_string()))
    }

    /// Returns the place of the next page; `None` after the last one.
    pub(crate) fn next<R>(
        &self,
        position: Option<&str>,
        page: &ListResponse<R>,
    ) -> Result<Option<String>, Error> {
        let here = self.position(position);
        // A server may page by cursor though nobody asked for it (RFC 9865 section 2).
        let cursor = page
            .next_cursor
            .as_deref()
            .filter(|cursor| !cursor.is_empty());
        if let Some(cursor) = cursor {
            return Ok(Some(Position::Cursor(cursor.to_owned()).to_text()));
        }
        let count = page.resources.len() as u64;
        let total = page.total_results;
        let (found, end) = match here {
            Position::Index(start) if start_index_mismatch(start, page) => (start - 1, true),
            Position::Index(start) => (start - 1 + count, count == 0),
            // Only the first page can be compared with the total: how many came before the others
            // is not known here.
            Position::Cursor(cursor) if cursor.is_empty() => (count, true),
            Position::Cursor(_) => return Ok(None),
        };
        match total {
            Some(total) if found >= total => Ok(None),
            Some(total) if end => Err(Error::ShortList {
                operation: self.operation(),
                found,
                total,
                request_id: None,
            }),
            None if end => Ok(None),
            _ => Ok(Some(Position::Index(found + 1).to_text())),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let rules = self.dialect.rules();
        let allowed = if self.endpoint == "Groups" {
            &rules.group_filters
        } else {
            &rules.user_filters
        };
        match &self.filter {
            Some(filter) if !allowed.allow(filter) => Err(RefusedRequest {
                operation: self.operation(),
                problem: format!(
                    "{} takes {}, and not {filter}",
                    rules.name,
                    allowed.listed()
                ),
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn position(&self, position: Option<&str>) -> Position {
        match (position, self.pages.paging) {
            (Some(text), _) => Position::from_text(text),
            (None, Paging::Index) => Position::Index(1),
            (None, Paging::Cursor) => Position::Cursor(String::new()),
        }
    }

    fn operation(&self) -> String {
        format!("GET /{}", self.endpoint)
    }
}

/// Where a page begins.
#[derive(Debug, PartialEq, Eq)]
enum Position {
    /// At this number; the first resource of all is 1.
    Index(u64),
    /// Where the server said; empty for the first page.
    Cursor(String),
}

impl Position {
    fn to_text(&self) -> String {
        match self {
            Self::Index(start) => start.to_string(),
            Self::Cursor(cursor) => format!("={cursor}"),
        }
    }

    fn from_text(text: &str) -> Self {
        match text.strip_prefix('=') {
            Some(cursor) => Self::Cursor(cursor.to_owned()),
            None => Self::Index(text.parse().expect("a position is a cursor or a number")),
        }
    }
}

/// Says whether a page begins somewhere else than it was asked for: such a server would give the
/// first page for ever.
fn start_index_mismatch<R>(start: u64, page: &ListResponse<R>) -> bool {
    start > 1 && page.start_index.is_some_and(|told| told != start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(
        total: Option<u64>,
        start: Option<u64>,
        cursor: Option<&str>,
        count: usize,
    ) -> ListResponse<()> {
        ListResponse {
            total_results: total,
            start_index: start,
            next_cursor: cursor.map(Into::into),
            resources: vec![(); count],
            ..ListResponse::default()
        }
    }

    #[track_caller]
    fn next(
        dialect: Dialect,
        position: Option<&str>,
        page: &ListResponse<()>,
        expected: Result<Option<&str>, &str>,
    ) {
        let next = List::new(dialect, Pages::of(dialect), "Users", None).next(position, page);
        let next = next.map_err(|error| error.to_string());
        assert_eq!(
            next.as_ref().map(Option::as_deref).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn a_server_says_itself_how_it_is_paged() {
        let known = Pages::of(Dialect::Generic);
        let told = |cursor, index, most| {
            let told = known.with_server_limits(&Pagination {
                cursor,
                index,
                max_page_size: most,
                ..Pagination::default()
            });
            (told.paging, told.size)
        };
        assert_eq!(told(None, None, None), (Paging::Index, 100));
        assert_eq!(told(Some(true), Some(true), Some(50)), (Paging::Cursor, 50));
        assert_eq!(
            told(Some(false), Some(true), Some(500)),
            (Paging::Index, 100)
        );
        assert_eq!(told(None, None, Some(0)), (Paging::Index, 100));
    }

    #[test]
    fn a_list_by_index_goes_on_until_its_total_is_there() {
        next(
            Dialect::Generic,
            None,
            &page(Some(3), Some(1), None, 2),
            Ok(Some("3")),
        );
        next(
            Dialect::Generic,
            Some("3"),
            &page(Some(3), Some(3), None, 1),
            Ok(None),
        );
        next(
            Dialect::Generic,
            None,
            &page(Some(0), None, None, 0),
            Ok(None),
        );
        next(
            Dialect::Generic,
            Some("3"),
            &page(Some(2), None, None, 0),
            Ok(None),
        );
    }

    #[test]
    fn a_list_by_index_without_a_total_goes_on_until_a_page_is_empty() {
        next(
            Dialect::Generic,
            None,
            &page(None, None, None, 2),
            Ok(Some("3")),
        );
        next(
            Dialect::Generic,
            Some("3"),
            &page(None, None, None, 0),
            Ok(None),
        );
    }

    #[test]
    fn a_list_that_stops_short_of_its_total_is_an_error() {
        let short = "the answers to GET /Users hold 2 of 5 resources, and say no more";
        next(
            Dialect::Generic,
            Some("3"),
            &page(Some(5), None, None, 0),
            Err(short),
        );
        next(
            Dialect::AwsIdentityCenter,
            None,
            &page(Some(5), None, None, 2),
            Err(short),
        );
    }

    #[test]
    fn a_server_that_begins_elsewhere_is_not_followed() {
        let short = "the answers to GET /Users hold 2 of 5 resources, and say no more";
        next(
            Dialect::Generic,
            Some("3"),
            &page(Some(5), Some(1), None, 2),
            Err(short),
        );
    }

    #[test]
    fn a_list_by_cursor_goes_on_as_long_as_there_is_one() {
        let dialect = Dialect::AwsIdentityCenter;
        next(
            dialect,
            None,
            &page(None, None, Some("a+/=:"), 0),
            Ok(Some("=a+/=:")),
        );
        next(
            dialect,
            Some("=a"),
            &page(None, None, Some("b"), 0),
            Ok(Some("=b")),
        );
        next(dialect, Some("=b"), &page(None, None, None, 7), Ok(None));
        next(
            dialect,
            Some("=b"),
            &page(Some(900), None, Some(""), 7),
            Ok(None),
        );
    }

    #[test]
    fn a_cursor_nobody_asked_for_is_followed() {
        next(
            Dialect::Generic,
            None,
            &page(Some(9), Some(1), Some("a"), 1),
            Ok(Some("=a")),
        );
        assert_eq!(Position::from_text("=a"), Position::Cursor("a".into()));
    }
}
