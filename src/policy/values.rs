//! Values that conditions compare: numbers, instants, address ranges, booleans.
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators", one section per type.

use std::net::IpAddr;

use super::operator::Comparison;

/// The nearest of some names to a misspelt one, if any is near.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Three edits: a letter case, a plural and a typo; further away a suggestion misleads.
    const NEAR: usize = 3;
    // No name that is known is as long, and no distance to a text without end is worth the time.
    const LONGEST: usize = 120;
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    known
        .filter(|candidate| candidate.len().abs_diff(lower.len()) <= NEAR)
        .map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= NEAR)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let substitute = row.get(j).copied().unwrap_or(0) + usize::from(a != *b);
            let delete = row.get(j + 1).copied().unwrap_or(0) + 1;
            let insert = next.get(j).copied().unwrap_or(0) + 1;
            next.push(substitute.min(delete).min(insert));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Whether a policy may hold this value under this operator; the error is a hint.
pub(super) fn check(comparison: Comparison, text: &str) -> Result<(), &'static str> {
    let valid = match comparison {
        Comparison::Bool | Comparison::Null => boolean(text).is_some(),
        Comparison::NumericEquals
        | Comparison::NumericLessThan
        | Comparison::NumericLessThanEquals
        | Comparison::NumericGreaterThan
        | Comparison::NumericGreaterThanEquals => Number::parse(text).is_some(),
        Comparison::DateEquals
        | Comparison::DateLessThan
        | Comparison::DateLessThanEquals
        | Comparison::DateGreaterThan
        | Comparison::DateGreaterThanEquals => instant(text).is_some(),
        Comparison::IpAddress => Range::parse(text).is_some(),
        Comparison::BinaryEquals
        | Comparison::StringEquals
        | Comparison::StringEqualsIgnoreCase
        | Comparison::StringLike
        | Comparison::Arn => true,
    };
    if valid {
        return Ok(());
    }
    Err(match comparison {
        Comparison::Bool | Comparison::Null => "Use true or false.",
        Comparison::IpAddress => {
            "Use an address or a range, such as 203.0.113.0/24 or 2001:db8::/32."
        }
        Comparison::DateEquals
        | Comparison::DateLessThan
        | Comparison::DateLessThanEquals
        | Comparison::DateGreaterThan
        | Comparison::DateGreaterThanEquals => {
            "Use ISO 8601, such as 2026-01-31T00:00:00Z, or seconds since 1970."
        }
        _ => "Use a decimal number.",
    })
}

/// `true` or `false`; letter case does not count.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A decimal number, exact: an integer scaled by 10^SCALE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Number(pub(super) i128);

impl Number {
    /// Decimal places kept; more would not fit beside 20 digits before the point.
    const PLACES: usize = 15;
    /// Ten to the power of `PLACES`: the number one.
    pub(super) const ONE: i128 = 1_000_000_000_000_000;

    /// Reads an optional sign, digits, and optionally a fraction; at most 20 digits and 15 decimal places.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = fraction.trim_end_matches('0');
        if (whole.is_empty() && fraction.is_empty())
            || !plain(whole)
            || !plain(fraction)
            || whole.len() > 20
            || fraction.len() > Self::PLACES
        {
            return None;
        }
        let padded = format!("{whole}{fraction:0<width$}", width = Self::PLACES);
        let value: i128 = padded.parse().ok()?;
        Some(Self(if negative { -value } else { value }))
    }

    /// The shortest text that reads back as this number.
    pub(super) fn text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        let one = Self::ONE.unsigned_abs();
        let fraction = format!("{:0width$}", value % one, width = Self::PLACES);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            format!("{sign}{}", value / one)
        } else {
            format!("{sign}{}.{fraction}", value / one)
        }
    }
}

/// Milliseconds since 1970 of an ISO 8601 date, or of a number of seconds ("Date condition operators").
pub(super) fn instant(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // A year alone has four digits; anything longer is a count of seconds.
    if digits.len() > 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year: i64 = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
    let month: i64 = parts.next().map_or(Some(1), two_digits)?;
    let day: i64 = parts.next().map_or(Some(1), two_digits)?;
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
    {
        return None;
    }
    let offset = time.map_or(Some(0), time_of_day)?;
    Some(days_from_epoch(year, month, day) * 86_400_000 + offset)
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Milliseconds since midnight UTC of `HH:MM[:SS[.fff]][Z|+HH:MM]`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, "Z"),
    };
    let zone_minutes = if zone.eq_ignore_ascii_case("z") {
        0
    } else {
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let digits = zone.get(1..)?.replace(':', "");
        let hours = two_digits(digits.get(..2)?)?;
        let minutes = if digits.len() == 2 {
            0
        } else {
            two_digits(digits.get(2..)?)?
        };
        sign * (hours * 60 + minutes)
    };
    let mut parts = clock.split(':');
    let hours = two_digits(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0), two_digits)?;
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
            let padded = format!("{fraction:0<3}");
            (two_digits(whole)?, padded.get(..3)?.parse::<i64>().ok()?)
        }
    };
    if parts.next().is_some() || hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(((hours * 60 + minutes - zone_minutes) * 60 + seconds) * 1000 + fraction)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The ISO 8601 text of an instant, for witnesses.
pub(super) fn instant_text(milliseconds: i64) -> String {
    let days = milliseconds.div_euclid(86_400_000);
    let rest = milliseconds.rem_euclid(86_400_000);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted - era * 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 {
        month_shifted + 3
    } else {
        month_shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, fraction) = (rest / 1000 % 60, rest % 1000);
    let fraction = if fraction == 0 {
        String::new()
    } else {
        format!(".{fraction:03}")
    };
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z")
}

/// A range of addresses of one family, as numbers, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Range {
    /// IPv6 rather than IPv4.
    pub(super) six: bool,
    pub(super) first: u128,
    pub(super) last: u128,
}

impl Range {
    /// Reads an address or a CIDR block ("IP address condition operators").
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (six, number, bits) = address_number(address)?;
        let length: u32 = match length {
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().ok()?
            }
            Some(_) => return None,
            None => bits,
        };
        if length > bits {
            return None;
        }
        let host = bits - length;
        let mask = if host == 128 {
            u128::MAX
        } else {
            (1u128 << host) - 1
        };
        Some(Self {
            six,
            first: number & !mask,
            last: number | mask,
        })
    }

    /// Whether an address of the request lies within.
    pub(super) fn contains(self, six: bool, number: u128) -> bool {
        self.six == six && self.first <= number && number <= self.last
    }
}

/// Family, number and width of an address.
pub(super) fn address_number(text: &str) -> Option<(bool, u128, u32)> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some((false, u128::from(u32::from(address)), 32)),
        IpAddr::V6(address) => Some((true, u128::from(address), 128)),
    }
}

/// The text of an address.
pub(super) fn address_text(six: bool, number: u128) -> String {
    if six {
        std::net::Ipv6Addr::from(number).to_string()
    } else {
        std::net::Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_reads_back_as_it_is_written() {
        const DAY: i64 = 86_400_000;
        // 1600-01-01, which begins 400 years of the calendar, and the day after the next 800.
        let (first, last) = (days_from_epoch(1600, 1, 1), days_from_epoch(2400, 1, 1));
        assert_eq!((first, last), (-135_140, 157_054));
        let mut month_ends = 0;
        for day in first..last {
            let text = instant_text(day * DAY);
            assert_eq!(instant(&text), Some(day * DAY), "{text}");
            let next = instant_text((day + 1) * DAY);
            assert!(text < next, "{text} {next}");
            month_ends += usize::from(text.get(5..7) != next.get(5..7));
        }
        assert_eq!(month_ends, 800 * 12);
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_234_567_890_123, "2009-02-13T23:31:30.123Z"),
            (951_782_400_000 + 45_296_007, "2000-02-29T12:34:56.007Z"),
            (4_107_456_000_000, "2100-02-28T00:00:00Z"),
        ] {
            assert_eq!(instant_text(milliseconds), text);
            assert_eq!(instant(text), Some(milliseconds), "{text}");
        }
    }

    #[test]
    fn numbers_read_back_as_they_are_written() {
        for (written, text) in [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("+1.50", "1.5"),
            ("-1.05", "-1.05"),
            (".5", "0.5"),
            ("-0.000000000000001", "-0.000000000000001"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            let number = Number::parse(written).unwrap();
            assert_eq!(number.text(), text, "{written}");
            assert_eq!(Number::parse(text), Some(number), "{written}");
        }
    }

    #[test]
    fn names_are_near_within_three_letters() {
        let known = ["Action", "Effect", "Resource"];
        for (name, near) in [
            ("action", Some("Action")),
            ("Actoins", Some("Action")),
            ("Resources", Some("Resource")),
            ("Effe", Some("Effect")),
            ("Eff", Some("Effect")),
            ("Ef", None),
            ("Actionably", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), near, "{name}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        // Of two that are as near the first; the nearer one wherever it stands.
        assert_eq!(nearest("abcd", ["abce", "abcf"].into_iter()), Some("abce"));
        assert_eq!(nearest("abcd", ["abxy", "abcf"].into_iter()), Some("abcf"));
        let long = "a".repeat(121);
        assert_eq!(nearest(&long, [long.as_str()].into_iter()), None);
        let longest = "a".repeat(120);
        assert_eq!(
            nearest(&longest, [longest.as_str()].into_iter()),
            Some(longest.as_str())
        );
    }
}
