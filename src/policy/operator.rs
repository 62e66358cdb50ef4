//! Condition operators: their names, what they compare, their prefixes and suffixes.
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators", and for the set
//! prefixes "Multivalued context keys".

use std::fmt;

/// What a condition operator compares, before its prefix, negation and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// Exact, letter case counts.
    StringEquals,
    /// Exact, letter case does not count.
    StringEqualsIgnoreCase,
    /// `*` and `?` are wildcards, letter case counts.
    StringLike,
    /// ARN by its six fields, each of which may hold `*` and `?` (`ArnEquals` is the same as `ArnLike`).
    Arn,
    /// `true` or `false`.
    Bool,
    /// Decimal number: equal.
    NumericEquals,
    /// Decimal number: the request's value is less than the policy's.
    NumericLessThan,
    /// Decimal number: less or equal.
    NumericLessThanEquals,
    /// Decimal number: greater.
    NumericGreaterThan,
    /// Decimal number: greater or equal.
    NumericGreaterThanEquals,
    /// Instant: equal.
    DateEquals,
    /// Instant: the request's is before the policy's.
    DateLessThan,
    /// Instant: before or equal.
    DateLessThanEquals,
    /// Instant: after.
    DateGreaterThan,
    /// Instant: after or equal.
    DateGreaterThanEquals,
    /// Address within a CIDR range, IPv4 or IPv6.
    IpAddress,
    /// Base64 text, byte for byte.
    BinaryEquals,
    /// Whether the key is absent (`true`) or present (`false`).
    Null,
}

impl Comparison {
    /// Whether the policy's values may hold variables: "any condition that involves the string operators or the ARN
    /// operators" ("IAM policy elements: Variables and tags").
    #[must_use]
    pub fn takes_variables(self) -> bool {
        matches!(
            self,
            Self::StringEquals | Self::StringEqualsIgnoreCase | Self::StringLike | Self::Arn
        )
    }
}

/// How a condition treats a key with several values ("Multivalued context keys").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// `ForAllValues:`: every value in the request matches; true where the key is missing.
    ForAllValues,
    /// `ForAnyValue:`: some value in the request matches; false where the key is missing.
    ForAnyValue,
}

/// A whole condition operator, such as `ForAnyValue:StringNotLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// The set prefix, if any.
    pub quantifier: Option<Quantifier>,
    /// What is compared.
    pub comparison: Comparison,
    /// The `Not` forms: true where no policy value matches.
    pub negated: bool,
    /// The `IfExists` suffix: true where the key is missing.
    pub if_exists: bool,
}

/// Every operator name without prefix and suffix, as AWS writes it; the order of the guide.
const NAMES: &[(&str, Comparison, bool)] = &[
    ("StringEquals", Comparison::StringEquals, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    (
        "StringEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        true,
    ),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotLike", Comparison::StringLike, true),
    ("NumericEquals", Comparison::NumericEquals, false),
    ("NumericNotEquals", Comparison::NumericEquals, true),
    ("NumericLessThan", Comparison::NumericLessThan, false),
    (
        "NumericLessThanEquals",
        Comparison::NumericLessThanEquals,
        false,
    ),
    ("NumericGreaterThan", Comparison::NumericGreaterThan, false),
    (
        "NumericGreaterThanEquals",
        Comparison::NumericGreaterThanEquals,
        false,
    ),
    ("DateEquals", Comparison::DateEquals, false),
    ("DateNotEquals", Comparison::DateEquals, true),
    ("DateLessThan", Comparison::DateLessThan, false),
    ("DateLessThanEquals", Comparison::DateLessThanEquals, false),
    ("DateGreaterThan", Comparison::DateGreaterThan, false),
    (
        "DateGreaterThanEquals",
        Comparison::DateGreaterThanEquals,
        false,
    ),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::BinaryEquals, false),
    ("IpAddress", Comparison::IpAddress, false),
    ("NotIpAddress", Comparison::IpAddress, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Reads an operator's name; letter case does not count. `None` where IAM has no such operator.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Some(Quantifier::ForAllValues), rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Some(Quantifier::ForAnyValue), rest)
        } else {
            (None, lower.as_str())
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (_, comparison, negated) = NAMES
            .iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(base))?;
        // "You can add IfExists to the end of any condition operator name except the Null condition".
        if *comparison == Comparison::Null && (if_exists || quantifier.is_some()) {
            return None;
        }
        Some(Self {
            quantifier,
            comparison: *comparison,
            negated: *negated,
            if_exists,
        })
    }

    /// Every operator name without prefix and suffix, for hints.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, ..)| *name)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quantifier {
            Some(Quantifier::ForAllValues) => formatter.write_str("ForAllValues:")?,
            Some(Quantifier::ForAnyValue) => formatter.write_str("ForAnyValue:")?,
            None => {}
        }
        let name = NAMES
            .iter()
            .find(|(_, comparison, negated)| {
                *comparison == self.comparison && *negated == self.negated
            })
            .map_or("", |(name, ..)| *name);
        formatter.write_str(name)?;
        if self.if_exists {
            formatter.write_str("IfExists")
        } else {
            Ok(())
        }
    }
}
