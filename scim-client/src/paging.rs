//! Pagination of lists: the request and the next position of each page.

use rest_core::Call;
use scim_types::{ListResponse, Pagination, filter::Filter};

use crate::{Dialect, Error, Paging, UnsupportedRequest};

/// Pagination settings: the method, and the number of resources per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    pub(crate) paging: Paging,
    pub(crate) size: u32,
}

impl Pages {
    /// Returns the settings of a dialect.
    pub(crate) fn for_dialect(dialect: Dialect) -> Self {
        let rules = dialect.rules();
        Self {
            paging: rules.paging,
            size: rules.page_size,
        }
    }

    /// Returns the settings adapted to what the server reports.
    ///
    /// The method is by cursor if the server supports it, because only a cursor finds every resource
    /// while others are created and deleted (RFC 9865 section 1). The page size is limited to the
    /// server's maximum.
    pub(crate) fn with_server_limits(self, pagination: &Pagination) -> Self {
        let max = pagination.max_page_size.filter(|max| *max > 0);
        Self {
            paging: match (pagination.cursor, pagination.index) {
                (Some(true), _) => Paging::Cursor,
                (_, Some(true)) => Paging::Index,
                _ => self.paging,
            },
            size: max.map_or(self.size, |max| {
                u32::try_from(max).map_or(self.size, |max| max.min(self.size))
            }),
        }
    }
}

/// A list to read.
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

    pub(crate) fn with_page_size(mut self, size: u32) -> Self {
        self.pages.size = size;
        self
    }

    /// Returns this list with pagination by index, if the server does not support cursors.
    ///
    /// A server without cursors answers the first page with 501, the status of an unsupported
    /// operation (RFC 7644 section 3.12, table 8); scim2-server 0.8 does so. The position of a later
    /// page contains the pagination method, so only the first page is requested twice.
    pub(crate) fn fallback(&self, position: Option<&str>, error: &Error) -> Option<Self> {
        let unsupported = error.status() == Some(501);
        let first_by_cursor = position.is_none() && self.pages.paging == Paging::Cursor;
        (unsupported && first_by_cursor).then(|| {
            let mut list = self.clone();
            list.pages.paging = Paging::Index;
            list
        })
    }

    /// Returns the request for the page at a position; `None` is the first page.
    ///
    /// All parameters except the position are the same on each page, because AWS rejects a filter
    /// that changes within a list.
    pub(crate) fn call(&self, position: Option<&str>) -> Result<Call, Error> {
        self.check()?;
        let call = Call::get([self.endpoint])
            .query_opt("filter", self.filter.as_ref().map(ToString::to_string));
        let call = match self.position(position)? {
            Position::Index(start) => call.query("startIndex", start.to_string()),
            // AWS's first cursor has no equals sign (SCIM developer guide, ListUsers).
            Position::Cursor(cursor) if cursor.is_empty() => call.query_key("cursor"),
            Position::Cursor(cursor) => call.query("cursor", cursor),
        };
        Ok(call.query("count", self.pages.size.to_string()))
    }

    /// Returns the position of the next page; `None` after the last page.
    pub(crate) fn next<R>(
        &self,
        position: Option<&str>,
        page: &ListResponse<R>,
    ) -> Result<Option<String>, Error> {
        let position = self.position(position)?;
        // A server may return a cursor although the request had none (RFC 9865 section 2).
        let cursor = page
            .next_cursor
            .as_deref()
            .filter(|cursor| !cursor.is_empty());
        if let Some(cursor) = cursor {
            return Ok(Some(Position::Cursor(cursor.to_owned()).to_text()));
        }
        let count = page.resources.len() as u64;
        let total = page.total_results;
        let (found, is_end) = match position {
            Position::Index(start) if start_index_mismatch(start, page) => (start - 1, true),
            Position::Index(start) => (start - 1 + count, count == 0),
            // Only the first page can be compared with the total: for later pages, the number of
            // earlier resources is unknown.
            Position::Cursor(cursor) if cursor.is_empty() => (count, true),
            Position::Cursor(_) => return Ok(None),
        };
        match total {
            Some(total) if found >= total => Ok(None),
            Some(total) if is_end => Err(Error::ShortList {
                operation: self.operation(),
                found,
                total,
                request_id: None,
            }),
            None if is_end => Ok(None),
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
            Some(filter) if !allowed.allow(filter) => Err(UnsupportedRequest {
                operation: self.operation(),
                problem: format!(
                    "{} supports only {}, but the filter is {filter}",
                    rules.name,
                    allowed.describe()
                ),
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn position(&self, position: Option<&str>) -> Result<Position, Error> {
        match (position, self.pages.paging) {
            (Some(text), _) => Position::from_text(text).ok_or_else(|| Error::Request {
                operation: self.operation(),
                source: "the saved position is not a position of a SCIM list".into(),
            }),
            (None, Paging::Index) => Ok(Position::Index(1)),
            (None, Paging::Cursor) => Ok(Position::Cursor(String::new())),
        }
    }

    fn operation(&self) -> String {
        format!("GET /{}", self.endpoint)
    }
}

/// Position of a page.
#[derive(Debug, PartialEq, Eq)]
enum Position {
    /// The index of the first resource of the page, counted from 1.
    Index(u64),
    /// The server's cursor; empty for the first page.
    Cursor(String),
}

impl Position {
    fn to_text(&self) -> String {
        match self {
            Self::Index(start) => start.to_string(),
            Self::Cursor(cursor) => format!("={cursor}"),
        }
    }

    /// Reads a position, which may come from a file of the caller; `None` if it is not valid.
    fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix('=') {
            Some(cursor) => Some(Self::Cursor(cursor.to_owned())),
            None => text
                .parse()
                .ok()
                .filter(|start| *start > 0)
                .map(Self::Index),
        }
    }
}

/// Returns whether a page starts at another index than requested. A server that returns such a page
/// might return the first page forever.
fn start_index_mismatch<R>(start: u64, page: &ListResponse<R>) -> bool {
    start > 1 && page.start_index.is_some_and(|actual| actual != start)
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
    fn check_next(
        dialect: Dialect,
        position: Option<&str>,
        page: &ListResponse<()>,
        expected: Result<Option<&str>, &str>,
    ) {
        let next =
            List::new(dialect, Pages::for_dialect(dialect), "Users", None).next(position, page);
        let next = next.map_err(|error| error.to_string());
        assert_eq!(
            next.as_ref().map(Option::as_deref).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn the_settings_adapt_to_what_the_server_reports() {
        let defaults = Pages::for_dialect(Dialect::Generic);
        let adapted = |cursor, index, max| {
            let pages = defaults.with_server_limits(&Pagination {
                cursor,
                index,
                max_page_size: max,
                ..Pagination::default()
            });
            (pages.paging, pages.size)
        };
        assert_eq!(adapted(None, None, None), (Paging::Index, 100));
        assert_eq!(
            adapted(Some(true), Some(true), Some(50)),
            (Paging::Cursor, 50)
        );
        assert_eq!(
            adapted(Some(false), Some(true), Some(500)),
            (Paging::Index, 100)
        );
        assert_eq!(adapted(None, None, Some(0)), (Paging::Index, 100));
    }

    #[test]
    fn a_list_by_index_ends_when_its_total_is_reached() {
        check_next(
            Dialect::Generic,
            None,
            &page(Some(3), Some(1), None, 2),
            Ok(Some("3")),
        );
        check_next(
            Dialect::Generic,
            Some("3"),
            &page(Some(3), Some(3), None, 1),
            Ok(None),
        );
        check_next(
            Dialect::Generic,
            None,
            &page(Some(0), None, None, 0),
            Ok(None),
        );
        check_next(
            Dialect::Generic,
            Some("3"),
            &page(Some(2), None, None, 0),
            Ok(None),
        );
    }

    #[test]
    fn a_list_by_index_without_a_total_ends_with_an_empty_page() {
        check_next(
            Dialect::Generic,
            None,
            &page(None, None, None, 2),
            Ok(Some("3")),
        );
        check_next(
            Dialect::Generic,
            Some("3"),
            &page(None, None, None, 0),
            Ok(None),
        );
    }

    #[test]
    fn a_list_that_ends_before_its_total_is_an_error() {
        let short = "GET /Users returned only 2 of 5 resources";
        check_next(
            Dialect::Generic,
            Some("3"),
            &page(Some(5), None, None, 0),
            Err(short),
        );
        check_next(
            Dialect::AwsIdentityCenter,
            None,
            &page(Some(5), None, None, 2),
            Err(short),
        );
    }

    #[test]
    fn a_page_that_starts_at_another_index_ends_the_list_with_an_error() {
        let short = "GET /Users returned only 2 of 5 resources";
        check_next(
            Dialect::Generic,
            Some("3"),
            &page(Some(5), Some(1), None, 2),
            Err(short),
        );
    }

    #[test]
    fn a_list_by_cursor_continues_while_there_is_a_cursor() {
        let dialect = Dialect::AwsIdentityCenter;
        check_next(
            dialect,
            None,
            &page(None, None, Some("a+/=:"), 0),
            Ok(Some("=a+/=:")),
        );
        check_next(
            dialect,
            Some("=a"),
            &page(None, None, Some("b"), 0),
            Ok(Some("=b")),
        );
        check_next(dialect, Some("=b"), &page(None, None, None, 7), Ok(None));
        check_next(
            dialect,
            Some("=b"),
            &page(Some(900), None, Some(""), 7),
            Ok(None),
        );
    }

    #[test]
    fn a_cursor_that_was_not_requested_is_followed() {
        check_next(
            Dialect::Generic,
            None,
            &page(Some(9), Some(1), Some("a"), 1),
            Ok(Some("=a")),
        );
        assert_eq!(
            Position::from_text("=a"),
            Some(Position::Cursor("a".into()))
        );
    }
}
