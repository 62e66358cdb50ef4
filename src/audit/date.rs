//! Days, for acceptances and ages.

use std::fmt;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A day of the Gregorian calendar; ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: i64,
    month: i64,
    number: i64,
}

impl Day {
    /// The day of this many seconds since the Unix epoch, in UTC.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        // Days are counted from 1 March of year 0, so that a leap day is the last of its year.
        let days = seconds.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month,
            number: day_of_year - (153 * shifted + 2) / 5 + 1,
        }
    }

    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (Some(Some(year)), Some(Some(month)), Some(Some(day))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            year,
            month,
            number: day,
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.number)
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` of seconds since the Unix epoch.
pub(super) fn timestamp(seconds: i64) -> String {
    let second = seconds.rem_euclid(DAY);
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        Day::of(seconds),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(Day::of(0).to_string(), "1970-01-01");
        assert_eq!(Day::of(1_795_478_399).to_string(), "2026-11-23");
        assert_eq!(Day::of(951_782_400).to_string(), "2000-02-29");
        assert_eq!(Day::parse("2026-11-24"), Some(Day::of(1_795_500_000)));
        assert!(Day::parse("2026-13-01").is_none());
    }
}
