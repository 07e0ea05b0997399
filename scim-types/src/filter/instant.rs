//! Parsing of dateTime strings, so that two strings for the same point in time are equal.

/// A point in time: seconds since 1970 in UTC, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(i64, u32);

/// Returns whether a string is an `xsd:dateTime`.
pub(crate) fn is_date_time(text: &str) -> bool {
    parse(text).is_some()
}

/// Parses an `xsd:dateTime`, such as `2011-05-13T04:42:34.5Z` (default offset: UTC).
pub(super) fn parse(text: &str) -> Option<Instant> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, rest) = time.split_at_checked(8)?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let (nanos, offset) = fraction(rest)?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 24
        && minute <= 59
        && second <= 60;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    in_range.then_some(Instant(seconds - offset_seconds(offset)?, nanos))
}

/// Parses three numbers of fixed lengths, separated by a character.
fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        *number = parts
            .next()
            .filter(|part| part.len() == length)
            .and_then(digits)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Parses a fraction of a second as nanoseconds, and returns it with the rest of the text.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(text) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (fraction, rest) = text.split_at(end);
    if fraction.is_empty() {
        return None;
    }
    let nanos: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Some((nanos.parse().ok()?, rest))
}

fn offset_seconds(text: &str) -> Option<i64> {
    let (sign, offset) = match text.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => (1, &text[1..]),
        [b'-', ..] => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = offset.split_once(':').filter(|_| offset.len() == 5)?;
    Some(sign * (digits(hours)? * 3_600 + digits(minutes)? * 60))
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Returns the days since 1970-01-01 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // A year that starts in March ends with the leap day, and its month lengths repeat every five months.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // There are 719,468 days between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_is_parsed_to_seconds_since_1970_in_utc() {
        let seconds = |text: &str| parse(text).map(|instant| instant.0);
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2011-05-13T04:42:34Z"), Some(1_305_261_754));
        assert_eq!(seconds("2000-02-29T23:59:60Z"), Some(951_868_800));
        assert_eq!(seconds("1969-12-31T23:59:59"), Some(-1));
        assert_eq!(seconds("2011-05-13T06:42:34+02:00"), Some(1_305_261_754));
        assert_eq!(seconds("2011-05-12T23:12:34-05:30"), Some(1_305_261_754));
    }

    #[test]
    fn fractions_are_truncated_to_nanoseconds() {
        assert_eq!(
            parse("1970-01-01T00:00:00.5Z"),
            Some(Instant(0, 500_000_000))
        );
        assert_eq!(
            parse("1970-01-01T00:00:00.1234567899Z"),
            Some(Instant(0, 123_456_789))
        );
        assert!(parse("1970-01-01T00:00:00.500Z") == parse("1970-01-01T00:00:00.5Z"));
    }

    #[test]
    fn a_malformed_date_time_is_rejected() {
        for text in [
            "",
            "2019-10-17",
            "2019-10-17T",
            "2019-10-17T1:2:3Z",
            "2019-13-01T00:00:00Z",
            "2019-10-17T00:00:00X",
            "2019-10-17T00:00:00.Z",
            "2019-10-17 00:00:00",
            "é019-10-17T00:00:00Z",
            "2019-10-17T00:00:00+0200",
            "2019-10-17T00:00:00é",
            "+019-10-17T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
