//! The values that conditions compare, at the edges of what is a number, a date or an address.

use serde_json::json;

use crate::cases::holds;

/// Whether this value of the request compares so with the policy's.
fn compares(operator: &str, policy: &str, request: &str) -> bool {
    let (mut condition, context) = (json!({}), json!({ "k": request }));
    condition[operator]["k"] = json!(policy);
    holds("2012-10-17", condition, context)
}

#[test]
fn numbers_are_exact_and_end_somewhere() {
    for (one, other) in [
        ("1.50", "1.5"),
        ("+1", "1"),
        ("-0", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("1.50000000000000000000", "1.5"),
        ("0.123456789012345", "0.1234567890123450"),
        ("99999999999999999999", "99999999999999999999.0"),
    ] {
        assert!(compares("NumericEquals", one, other), "{one} {other}");
        assert!(compares("NumericEquals", other, one), "{other} {one}");
    }
    assert!(compares(
        "NumericLessThan",
        "0.000000000000002",
        "0.000000000000001"
    ));
    assert!(compares("NumericLessThan", "-1", "-1.5"));
    assert!(compares("NumericGreaterThan", "1.5", "10"));
    for text in [
        "",
        ".",
        "-",
        "1.2.3",
        "1a",
        "a.1",
        "1.a",
        "--1",
        "1e3",
        "0.1234567890123456",
        "100000000000000000000",
    ] {
        assert!(!compares("NumericGreaterThanEquals", "-1", text), "{text}");
    }
}

#[test]
fn dates_are_counted_in_the_calendar() {
    for (date, seconds) in [
        ("2000-02-29", "951782400"),
        ("2100-03-01", "4107542400"),
        ("2004-02-29", "1078012800"),
        ("2400-02-29", "13574563200"),
        ("2026-12-31", "1798675200"),
        ("2023-11-30", "1701302400"),
        ("2026-06", "1780272000"),
        ("2026", "1767225600"),
        ("1969-12-31", "-86400"),
        ("1900-02-28", "-2203977600"),
        ("1600-03-01", "-11670912000"),
        ("0001-01-01", "-62135596800"),
        ("2026-01-31T00:00:00Z", "1769817600"),
        ("2026-01-31t01:02:03z", "1769821323"),
        ("2026-01-31 01:02", "1769821320"),
        ("2026-01-31T01", "1769821200"),
        ("2026-01-31T24:00:00Z", "1769904000"),
        ("2026-01-31T00:00:60Z", "1769817660"),
        ("2026-01-31T05:30:00+05:30", "1769817600"),
        ("2026-01-31T05:30:00+0530", "1769817600"),
        ("2026-01-31T05:00:00+05", "1769817600"),
        ("2026-01-30T22:15:00-01:45", "1769817600"),
    ] {
        assert!(compares("DateEquals", date, seconds), "{date} {seconds}");
        assert!(compares("DateEquals", seconds, date), "{seconds} {date}");
    }
    let equal = |one: &str, other: &str| {
        let at = |rest: &str| format!("2026-01-01T00:00:00{rest}");
        compares("DateEquals", &at(one), &at(other))
    };
    assert!(equal(".5Z", ".500Z") && equal(".0429Z", ".042Z"));
    assert!(!equal(".05Z", ".5Z") && !equal("Z", ".001Z"));
    for text in [
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2026-06-31",
        "2026-09-31",
        "2026-11-31",
        "2026-02-29",
        "2024-02-30",
        "2100-02-29",
        "2026-1-1",
        "2026-01-01-01",
        "20-01-01",
        "12026-01-01",
        "-1",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00:00Z",
        "2026-01-01T0:00:00Z",
        "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00+01:0",
        "2026-01-01T",
        "99999999999999999999",
    ] {
        assert!(
            !compares("DateGreaterThanEquals", "0001-01-01", text),
            "{text}"
        );
    }
}

#[test]
fn addresses_lie_within_their_range() {
    for (range, address, within) in [
        ("10.0.0.128/25", "10.0.0.127", false),
        ("10.0.0.128/25", "10.0.0.128", true),
        ("10.0.0.128/25", "10.0.0.255", true),
        ("10.0.0.128/25", "10.0.1.0", false),
        ("10.0.0.129/25", "10.0.0.128", true),
        ("10.0.0.1/32", "10.0.0.1", true),
        ("10.0.0.1/32", "10.0.0.2", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "ffff::1", true),
        ("::/0", "1.2.3.4", false),
        ("2001:db8::/127", "2001:db8::1", true),
        ("2001:db8::/127", "2001:db8::2", false),
        ("2001:db8::1", "2001:db8:0::1", true),
    ] {
        assert_eq!(
            compares("IpAddress", range, address),
            within,
            "{range} {address}"
        );
        assert_eq!(
            compares("NotIpAddress", range, address),
            !within,
            "{range} {address}"
        );
    }
    assert!(!compares("IpAddress", "10.0.0.0/8", "10.0.0"));
}
