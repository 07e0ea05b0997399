//! Tolerant parsing of response headers.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap,
    header::{AsHeaderName, DATE, RETRY_AFTER},
};

/// Returns a header's trimmed text; `None` if the header is absent, empty or not ASCII.
#[must_use]
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then_some(text)
}

/// Returns the smallest number in a header that may be repeated or comma-separated.
///
/// Gateways duplicate rate-limit headers. The smallest number is the safe choice.
#[must_use]
pub fn smallest_number(headers: &HeaderMap, name: impl AsHeaderName) -> Option<u64> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|number| number.trim().parse().ok())
        .min()
}

/// Returns the server's time from the `Date` header.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, DATE)?).ok()
}

/// Returns the wait that a `Retry-After` header asks for, as seconds or as a date.
///
/// A date is compared with the response's `Date` header, so that the clocks of client and server
/// may differ. Without a `Date` header it is compared with `now`. A date in the past means no wait.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let base = date(headers).unwrap_or(now);
    Some(until.duration_since(base).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{date, retry_after, smallest_number, text};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    fn appended(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn an_empty_header_counts_as_absent() {
        let headers = headers(&[("x-id", "  "), ("x-name", " abc ")]);
        assert_eq!(text(&headers, "x-id"), None);
        assert_eq!(text(&headers, "X-Name"), Some("abc"));
    }

    #[test]
    fn the_smallest_of_repeated_and_comma_separated_numbers_is_returned() {
        assert_eq!(
            smallest_number(&appended("x-left", &["7, 5", "9"]), "x-left"),
            Some(5)
        );
        assert_eq!(
            smallest_number(&appended("x-left", &["many", "9"]), "x-left"),
            Some(9)
        );
        assert_eq!(smallest_number(&HeaderMap::new(), "x-left"), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds() {
        let headers = headers(&[("retry-after", "7")]);
        let wait = retry_after(&headers, SystemTime::UNIX_EPOCH);
        assert_eq!(wait, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_retry_after_date_is_compared_with_the_date_header() {
        let headers = headers(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"),
        ]);
        let wait = retry_after(&headers, SystemTime::UNIX_EPOCH);
        assert_eq!(wait, Some(Duration::from_secs(30)));
    }

    #[test]
    fn without_a_date_header_the_local_clock_is_used() {
        let headers = headers(&[("retry-after", "Thu, 01 Jan 1970 00:00:30 GMT")]);
        let ten = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        assert_eq!(retry_after(&headers, ten), Some(Duration::from_secs(20)));
        let sixty = SystemTime::UNIX_EPOCH + Duration::from_mins(1);
        assert_eq!(retry_after(&headers, sixty), Some(Duration::ZERO));
    }

    #[test]
    fn an_unparsable_time_is_ignored() {
        let headers = headers(&[("retry-after", "soon"), ("date", "today")]);
        assert_eq!(retry_after(&headers, SystemTime::UNIX_EPOCH), None);
        assert_eq!(date(&headers), None);
    }
}
