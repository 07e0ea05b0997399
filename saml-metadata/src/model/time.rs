//! Parsers for `xs:dateTime` and `xs:duration`.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};

use crate::{Element, reader::chars::collapse, reader::escape::shorten};

/// The error for a `validUntil` or `cacheDuration` that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseTimeError {
    text: String,
    expected: &'static str,
}

impl ParseTimeError {
    /// Returns the source text, cut after 60 characters.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A parsed `xs:dateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XmlDateTime {
    pub(crate) timestamp: Timestamp,
    /// Whether the text ends with `Z` for UTC, as SAML requires.
    pub(crate) is_utc: bool,
}

/// Parses an `xs:dateTime`; a time without a zone is UTC (saml-core-2.0-os 1.3.3).
pub(crate) fn parse_date_time(text: &str) -> Result<XmlDateTime, ParseTimeError> {
    let trimmed = collapse(text);
    let time = simple_date_time(trimmed).or_else(|| any_date_time(trimmed));
    time.ok_or_else(|| ParseTimeError {
        text: shorten(text),
        expected: "a time like 2026-01-31T12:00:00Z",
    })
}

/// Parses the common form `YYYY-MM-DDThh:mm:ssZ`, which the specification requires.
fn simple_date_time(text: &str) -> Option<XmlDateTime> {
    let two = |at: usize| {
        let [tens, ones] = [text.as_bytes()[at], text.as_bytes()[at + 1]];
        let are_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        are_digits.then(|| i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok())?
    };
    let [
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        b'-',
        _,
        _,
        b'T',
        _,
        _,
        b':',
        _,
        _,
        b':',
        _,
        _,
        b'Z',
    ] = text.as_bytes()
    else {
        return None;
    };
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let civil = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, 0).ok()?;
    let timestamp = Offset::UTC.to_timestamp(civil).ok()?;
    Some(XmlDateTime {
        timestamp,
        is_utc: true,
    })
}

/// Parses every form of `xs:dateTime`.
fn any_date_time(text: &str) -> Option<XmlDateTime> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (date, time) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?;
    if year.len() < 4 || year.len() > 4 && year.starts_with('0') {
        return None;
    }
    let year = i16::try_from(digits(year)?).ok()?;
    let month = fixed(parts.next()?, 2)?;
    let day = fixed(parts.next()?, 2)?;
    let zone_start = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_start);
    let mut parts = clock.splitn(3, ':');
    let hour = fixed(parts.next()?, 2)?;
    let minute = fixed(parts.next()?, 2)?;
    let second = parts.next()?;
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) => (second, nanoseconds(fraction)?),
        None => (second, 0),
    };
    let second = fixed(second, 2)?;
    // XML Schema allows 24:00:00 for midnight at the end of a day.
    let end_of_day = hour == 24 && minute == 0 && second == 0 && fraction == 0;
    let year = if negative { -year } else { year };
    let hour = if end_of_day { 0 } else { hour };
    let civil = DateTime::new(year, month, day, hour, minute, second, fraction).ok()?;
    let mut timestamp = offset(zone)?.to_timestamp(civil).ok()?;
    if end_of_day {
        timestamp = timestamp.checked_add(SignedDuration::from_hours(24)).ok()?;
    }
    Some(XmlDateTime {
        timestamp,
        is_utc: zone == "Z",
    })
}

fn offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "" | "Z") {
        return Some(Offset::UTC);
    }
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (fixed(hours, 2)?, fixed(minutes, 2)?);
    if hours > 14 || minutes > 59 || hours == 14 && minutes > 0 {
        return None;
    }
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    Offset::from_seconds(sign * seconds).ok()
}

fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn fixed(text: &str, len: usize) -> Option<i8> {
    if text.len() != len {
        return None;
    }
    i8::try_from(digits(text)?).ok()
}

/// Parses the digits after a decimal point; digits after the ninth are ignored.
fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut nanoseconds = 0;
    for at in 0..9 {
        let digit = fraction.as_bytes().get(at).map_or(0, |b| b - b'0');
        nanoseconds = nanoseconds * 10 + i32::from(digit);
    }
    Some(nanoseconds)
}

/// The time for which metadata may be cached (MD 2.3.1, 2.3.2).
///
/// An `xs:duration` can contain months and years, which have no fixed length. Like most consumers,
/// [`CacheDuration::estimate`] uses 30 and 365 days for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheDuration {
    months: i64,
    exact: SignedDuration,
}

impl CacheDuration {
    /// Returns the duration with months of 30 days and years of 365 days.
    #[must_use]
    pub fn estimate(self) -> SignedDuration {
        let (years, months) = (self.months / 12, self.months % 12);
        let days = years.saturating_mul(365).saturating_add(months * 30);
        let calendar = SignedDuration::from_secs(days.saturating_mul(86_400));
        calendar.saturating_add(self.exact)
    }
}

impl PartialOrd for CacheDuration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.estimate().cmp(&other.estimate()))
    }
}

/// Parses an `xs:duration`.
pub(crate) fn parse_duration(text: &str) -> Result<CacheDuration, ParseTimeError> {
    duration(collapse(text)).ok_or_else(|| ParseTimeError {
        text: shorten(text),
        expected: "a duration like PT6H or P1D",
    })
}

fn duration(text: &str) -> Option<CacheDuration> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        // `P1DT` is not a duration: at least one part must follow the T.
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let [years, months, days] = whole_parts(date, ['Y', 'M', 'D'])?;
    let (time, fraction) = match time.split_once('.') {
        Some((whole, rest)) => {
            let fraction = rest.strip_suffix('S')?;
            (format!("{whole}S"), nanoseconds(fraction)?)
        }
        None => (time.to_owned(), 0),
    };
    let [hours, minutes, seconds] = whole_parts(&time, ['H', 'M', 'S'])?;
    let months = years.checked_mul(12)?.checked_add(months)?;
    let seconds = days
        .checked_mul(24)?
        .checked_add(hours)?
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(seconds)?;
    Some(CacheDuration {
        months: sign * months,
        exact: SignedDuration::new(sign * seconds, if sign < 0 { -fraction } else { fraction }),
    })
}

/// Parses numbers with unit letters; a unit can be missing, but the order is fixed.
fn whole_parts(mut text: &str, letters: [char; 3]) -> Option<[i64; 3]> {
    let mut parts = [0; 3];
    for (part, letter) in parts.iter_mut().zip(letters) {
        if let Some((number, rest)) = text.split_once(letter) {
            *part = i64::try_from(digits(number)?).ok()?;
            text = rest;
        }
    }
    text.is_empty().then_some(parts)
}

/// Returns an element's own `validUntil`.
pub(crate) fn valid_until(element: Element<'_>) -> Result<Option<Timestamp>, ParseTimeError> {
    let text = element.own_attribute(name!("validUntil"));
    text.map(|text| parse_date_time(text).map(|time| time.timestamp))
        .transpose()
}

/// Returns an element's own `cacheDuration`.
pub(crate) fn cache_duration(
    element: Element<'_>,
) -> Result<Option<CacheDuration>, ParseTimeError> {
    element
        .own_attribute(name!("cacheDuration"))
        .map(parse_duration)
        .transpose()
}

/// Returns the earliest `validUntil` of an element and its ancestors.
pub(crate) fn effective_valid_until(
    element: Element<'_>,
) -> Result<Option<Timestamp>, ParseTimeError> {
    element.ancestors().try_fold(None, |least, ancestor| {
        let own = valid_until(ancestor)?;
        Ok(match (least, own) {
            (Some(least), Some(own)) => Some(std::cmp::min::<Timestamp>(least, own)),
            (least, own) => least.or(own),
        })
    })
}

/// Returns the shortest `cacheDuration` of an element and its ancestors.
pub(crate) fn effective_cache_duration(
    element: Element<'_>,
) -> Result<Option<CacheDuration>, ParseTimeError> {
    element.ancestors().try_fold(None, |least, ancestor| {
        let own = cache_duration(ancestor)?;
        Ok(match (least, own) {
            (Some(least), Some(own)) => Some(if own < least { own } else { least }),
            (least, own) => least.or(own),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        parse_date_time(text).expect("a time").timestamp.to_string()
    }

    #[test]
    fn every_form_of_date_time_is_parsed() {
        assert_eq!(at("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
        assert_eq!(at(" 2026-01-31T12:00:00.25Z\n"), "2026-01-31T12:00:00.25Z");
        assert_eq!(at("2026-01-31T12:00:00+02:00"), "2026-01-31T10:00:00Z");
        assert_eq!(at("2026-01-31T24:00:00Z"), "2026-02-01T00:00:00Z");
        assert_eq!(at("2026-01-31T12:00:00"), "2026-01-31T12:00:00Z");
        assert_eq!(at("1969-12-31T23:59:59-14:00"), "1970-01-01T13:59:59Z");
        assert_eq!(
            at("2026-01-31T12:00:00.1234567891Z"),
            "2026-01-31T12:00:00.123456789Z"
        );
    }

    #[test]
    fn an_invalid_date_time_is_an_error() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-1-31T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31T24:00:01Z",
            "2026-01-31T25:00:00Z",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+2:00",
            "2026-01-31T12:00:00+15:00",
            "2026-01-31T12:00:00ZZ",
            "02026-01-31T12:00:00Z",
            "+026-01-31T12:00:00Z",
            "2026-01-31T12:00:00:00Z",
            "2026-01-31T12:00:00.0:00Z",
        ] {
            let error = parse_date_time(text).expect_err(text).to_string();
            assert_eq!(
                error,
                format!("{text:?} is not a time like 2026-01-31T12:00:00Z")
            );
        }
    }

    #[test]
    fn only_a_time_with_z_is_marked_as_utc() {
        assert!(
            parse_date_time("2026-01-31T12:00:00Z")
                .expect("a time")
                .is_utc
        );
        assert!(
            !parse_date_time("2026-01-31T12:00:00+00:00")
                .expect("a time")
                .is_utc
        );
        assert!(
            !parse_date_time("2026-01-31T12:00:00")
                .expect("a time")
                .is_utc
        );
    }

    fn seconds(text: &str) -> i64 {
        parse_duration(text)
            .expect("a duration")
            .estimate()
            .as_secs()
    }

    #[test]
    fn every_form_of_duration_is_parsed() {
        assert_eq!(seconds("PT1H"), 3_600);
        assert_eq!(seconds("P1D"), 86_400);
        assert_eq!(seconds("P1Y2M3DT4H5M6S"), (365 + 60 + 3) * 86_400 + 14_706);
        assert_eq!(seconds("-PT30M"), -1_800);
        assert_eq!(seconds("PT0S"), 0);
        assert_eq!(seconds("PT1.5S"), 1);
        assert_eq!(seconds("PT36000M"), 2_160_000);
    }

    #[test]
    fn an_invalid_duration_is_an_error() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "1D",
            "P1H",
            "P1D2Y",
            "PT1D",
            "P-1D",
            "P1.5D",
            "PT1.5",
            "PT.S",
            "P1DT1",
            "p1d",
            "P99999999999999999999D",
            "PT1M1H",
            "P+1D",
        ] {
            let error = parse_duration(text).expect_err(text).to_string();
            assert_eq!(
                error,
                format!("{text:?} is not a duration like PT6H or P1D")
            );
        }
    }
}
