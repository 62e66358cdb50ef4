//! The dimension of one condition key: absent, or a list of values; and which of these satisfy some conditions.
//! Every condition is brought to one of a few forms, so that a negated operator is the negation of a plain one.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::context;
use crate::policy::evaluate::compare;
use crate::policy::glob::{self, Reading};
use crate::policy::home::Home;
use crate::policy::operator::{Comparison, Operator, Quantifier};
use crate::policy::statement::Condition;
use crate::policy::values::{self, Number, Range};

use super::space::GITHUB;
use super::strings::{self, Fill, Item, StringSet, Style, Symbol};
use super::variables::{self, Model};
use super::work::{Exhausted, Work};

/// A test of one value; the number names it among the tests of its key.
pub(super) type TestId = usize;

/// A condition on one key, without its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form {
    /// The key is there.
    Present,
    /// The key is there and a value passes.
    Some(TestId),
    /// The key is absent, or a value passes.
    AbsentOrSome(TestId),
    /// The key is absent, or all its values pass (or all fail, where negated).
    All { test: TestId, negated: bool },
    /// The key is absent, or some value passes (or fails, where negated), whatever the others do.
    AbsentOrAny { test: TestId, negated: bool },
}

/// A test of one value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Test {
    /// The value matches one of these patterns.
    Text(Vec<Vec<Item>>),
    /// The value compares so with one of these numbers.
    Number(Comparison, Vec<i128>),
    /// The value compares so with one of these instants.
    Instant(Comparison, Vec<i64>),
    /// The address is in one of these ranges.
    Range(Vec<Range>),
}

/// What is known of one key in the documents that are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    /// In lower case.
    pub(super) name: String,
    /// As a document or AWS writes it.
    pub(super) spelling: String,
    tests: Vec<Test>,
    sets: Vec<Option<StringSet>>,
    boolean: bool,
    /// Compared as an ARN somewhere: its values are ARNs.
    pub(super) arn: bool,
    /// Values that are tried where the key holds numbers, instants, addresses or booleans.
    candidates: Vec<String>,
    /// How a readable value is made.
    pub(super) style: Option<Style>,
}

/// A value of a key: absent, or a list, as symbols.
pub(super) type Values = Option<Vec<Vec<Symbol>>>;

impl Key {
    pub(super) fn new(written: &str) -> Self {
        let name = written.to_ascii_lowercase();
        Self {
            style: usual(&name),
            name,
            spelling: context::spelling(written),
            ..Self::default()
        }
    }

    /// Registers a condition; `None` where it always holds. The flag is the sign. What operators mean is told, with its
    /// sources, at `evaluate::condition_holds`: this is the same in forms that can be solved.
    pub(super) fn condition(
        &mut self,
        condition: &Condition,
        variables: bool,
        variable: &mut dyn FnMut(&str) -> Symbol,
    ) -> Option<(Form, bool)> {
        let Operator {
            quantifier,
            comparison,
            negated,
            if_exists,
        } = condition.operator;
        if comparison == Comparison::Null {
            let asked: BTreeSet<Option<bool>> = condition
                .values
                .iter()
                .map(|value| values::boolean(value))
                .collect();
            return match (asked.contains(&Some(true)), asked.contains(&Some(false))) {
                (true, true) => None,
                (true, false) => Some((Form::Present, false)),
                (false, true) => Some((Form::Present, true)),
                // Nothing matches: a test that no value passes.
                (false, false) => Some((Form::Some(self.test(Test::Text(Vec::new()))), true)),
            };
        }
        self.boolean |= comparison == Comparison::Bool;
        self.arn |= comparison == Comparison::Arn;
        let test = read(comparison, &condition.values, variables, variable);
        let test = self.test(test);
        Some(match (quantifier, negated, if_exists) {
            (None, false, false) => (Form::Some(test), true),
            (None, false, true) => (Form::AbsentOrSome(test), true),
            // "Condition operators": a missing key satisfies a negated operator with or without IfExists.
            (None, true, _) => (Form::Some(test), false),
            (Some(Quantifier::ForAllValues), negated, _) => (Form::All { test, negated }, true),
            (Some(Quantifier::ForAnyValue), negated, false) => (
                Form::All {
                    test,
                    negated: !negated,
                },
                false,
            ),
            (Some(Quantifier::ForAnyValue), negated, true) => {
                (Form::AbsentOrAny { test, negated }, true)
            }
        })
    }

    /// Registers a test of text against patterns.
    pub(super) fn text_test(&mut self, patterns: Vec<Vec<Item>>) -> TestId {
        self.test(Test::Text(patterns))
    }

    fn test(&mut self, test: Test) -> TestId {
        if let Some(place) = self.tests.iter().position(|known| *known == test) {
            return place;
        }
        self.sets.push(match &test {
            Test::Text(patterns) => Some(StringSet::new(patterns.clone())),
            _ => None,
        });
        self.tests.push(test);
        self.tests.len() - 1
    }

    /// To be called when all conditions are known.
    pub(super) fn close(&mut self) {
        let typed = self.boolean || self.tests.iter().any(|test| !matches!(test, Test::Text(_)));
        if !typed {
            return;
        }
        let mut out: Vec<String> = Vec::new();
        if self.boolean {
            out.extend(["true".to_owned(), "false".to_owned()]);
        }
        let mut numbers = BTreeSet::new();
        let mut instants = BTreeSet::new();
        let mut ranges = BTreeSet::new();
        for test in &self.tests {
            match test {
                Test::Number(_, constants) => numbers.extend(constants),
                Test::Instant(_, constants) => instants.extend(constants),
                Test::Range(constants) => ranges.extend(constants),
                Test::Text(patterns) => {
                    out.extend(patterns.iter().filter_map(|pattern| literal(pattern)));
                }
            }
        }
        out.extend(
            around(&numbers, Number::ONE)
                .into_iter()
                .map(|value| Number(value).text()),
        );
        out.extend(around_instants(&instants));
        out.extend(around_ranges(&ranges));
        // Values that tests of every type can read: a key has one type.
        if !numbers.is_empty() {
            out.retain(|value| Number::parse(value).is_some());
        } else if !instants.is_empty() {
            out.retain(|value| values::instant(value).is_some());
        } else if !ranges.is_empty() {
            out.retain(|value| values::address_number(value).is_some());
        } else {
            out.retain(|value| values::boolean(value).is_some());
        }
        out.dedup();
        self.candidates = out;
    }

    fn typed(&self) -> bool {
        self.boolean || self.tests.iter().any(|test| !matches!(test, Test::Text(_)))
    }

    /// A value that satisfies all of these signed forms, if there is one.
    pub(super) fn solve(
        &self,
        literals: &[(Form, bool)],
        domain: &StringSet,
        world: World<'_>,
        work: &Work,
    ) -> Result<Option<Values>, Exhausted> {
        let absent = literals
            .iter()
            .all(|(form, sign)| absent_satisfies(*form) == *sign);
        if absent {
            return Ok(Some(None));
        }
        let mut every: Vec<(TestId, bool)> = Vec::new();
        let mut some: Vec<(TestId, bool)> = Vec::new();
        let mut plain = false;
        for (form, sign) in literals {
            match (*form, *sign) {
                (Form::Present, true) => {}
                (Form::Present, false) => return Ok(None),
                (Form::Some(test) | Form::AbsentOrSome(test), sign) => {
                    plain = true;
                    if sign {
                        some.push((test, true));
                    } else {
                        every.push((test, false));
                    }
                }
                (Form::All { test, negated }, true) => every.push((test, !negated)),
                (Form::All { test, negated }, false) => some.push((test, negated)),
                (Form::AbsentOrAny { test, negated }, true) => some.push((test, !negated)),
                (Form::AbsentOrAny { test, negated }, false) => every.push((test, negated)),
            }
        }
        let all: Vec<(TestId, bool)> = every.iter().chain(&some).copied().collect();
        if let Some(value) = self.value(&all, domain, world, work)? {
            return Ok(Some(Some(vec![value])));
        }
        // A plain operator asks for a key with one value ("Single-valued vs. multivalued context keys").
        if plain || some.is_empty() {
            return Ok(None);
        }
        let mut list = Vec::new();
        for one in some {
            let tests: Vec<(TestId, bool)> = every.iter().copied().chain([one]).collect();
            match self.value(&tests, domain, world, work)? {
                Some(value) => list.push(value),
                None => return Ok(None),
            }
        }
        list.sort();
        list.dedup();
        Ok(Some(Some(list)))
    }

    /// One value that passes and fails these tests.
    fn value(
        &self,
        tests: &[(TestId, bool)],
        domain: &StringSet,
        world: World<'_>,
        work: &Work,
    ) -> Result<Option<Vec<Symbol>>, Exhausted> {
        if self.typed() {
            for value in &self.candidates {
                let mut passes = true;
                for (test, sign) in tests {
                    passes = passes && self.may(*test, value, *sign, world.model, work)?;
                }
                if passes {
                    return Ok(Some(value.chars().map(Symbol::from).collect()));
                }
            }
            return Ok(None);
        }
        let sets = |wanted: bool| -> Vec<&StringSet> {
            tests
                .iter()
                .filter(|(_, sign)| *sign == wanted)
                .filter_map(|(test, _)| self.sets.get(*test).and_then(Option::as_ref))
                .collect()
        };
        let style = if self.arn { Style::Arn } else { Style::Plain };
        let fill = Fill {
            style: self.style.unwrap_or(style),
            home: world.home,
        };
        variables::find(world.model, domain, &sets(true), &sets(false), fill, work)
    }

    /// Whether a value may pass, or fail, a test: where variables take any value, a test with one may do either.
    fn may(
        &self,
        test: TestId,
        value: &str,
        sign: bool,
        model: Model,
        work: &Work,
    ) -> Result<bool, Exhausted> {
        let set = self.sets.get(test).and_then(Option::as_ref);
        let varied = model == Model::Any && set.is_some_and(|set| set.varied);
        Ok(varied || self.passes(test, value, work)? == sign)
    }

    /// The patterns of each test of text.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[Vec<Item>]> {
        self.sets
            .iter()
            .flatten()
            .map(|set| set.patterns.as_slice())
    }

    fn passes(&self, test: TestId, value: &str, work: &Work) -> Result<bool, Exhausted> {
        let constants = match self.tests.get(test) {
            Some(Test::Number(_, list)) => list.len(),
            Some(Test::Instant(_, list)) => list.len(),
            Some(Test::Range(list)) => list.len(),
            Some(Test::Text(_)) | None => 0,
        };
        // To read the value costs as much as to compare it a few times.
        work.spend(8 + constants)?;
        Ok(match self.tests.get(test) {
            Some(Test::Text(_)) => {
                let symbols: Vec<Symbol> = value.chars().map(Symbol::from).collect();
                match self.sets.get(test).and_then(Option::as_ref) {
                    Some(set) => set.contains(&symbols, work)?,
                    None => false,
                }
            }
            Some(Test::Number(comparison, constants)) => {
                Number::parse(value).is_some_and(|number| {
                    let mut all = constants.iter();
                    all.any(|wanted| compare(*comparison, number.0.cmp(wanted)))
                })
            }
            Some(Test::Instant(comparison, constants)) => {
                values::instant(value).is_some_and(|instant| {
                    constants
                        .iter()
                        .any(|wanted| compare(*comparison, instant.cmp(wanted)))
                })
            }
            Some(Test::Range(ranges)) => {
                values::address_number(value).is_some_and(|(six, number, _)| {
                    ranges.iter().any(|range| range.contains(six, number))
                })
            }
            None => false,
        })
    }
}

/// How a key's value is usually made, where its name tells.
fn usual(name: &str) -> Option<Style> {
    let claim = name
        .strip_prefix(GITHUB)
        .and_then(|rest| rest.strip_prefix(':'));
    Some(match claim.unwrap_or(name) {
        "aud" if claim.is_some() => Style::Usual("sts.amazonaws.com"),
        "repository" if claim.is_some() => Style::Usual("example/example"),
        "repository_id" | "repository_owner_id" | "actor_id" if claim.is_some() => {
            Style::Usual("1")
        }
        "ref" if claim.is_some() => Style::Usual("refs/heads/main"),
        "environment" if claim.is_some() => Style::Usual("production"),
        "job_workflow_ref" if claim.is_some() => {
            Style::Usual("example/example/.github/workflows/main.yml@refs/heads/main")
        }
        "aws:principalaccount" | "aws:resourceaccount" | "aws:sourceaccount" => Style::Account,
        "aws:requestedregion" => Style::Region,
        "aws:principalorgid" | "aws:resourceorgid" | "aws:sourceorgid" => {
            Style::Usual("o-example0000")
        }
        "iam:passedtoservice" => Style::Usual("ecs-tasks.amazonaws.com"),
        _ => return None,
    })
}

/// How variables are read, and where examples are.
#[derive(Clone, Copy, Debug)]
pub(super) struct World<'h> {
    pub(super) model: Model,
    pub(super) home: &'h Home,
}

fn absent_satisfies(form: Form) -> bool {
    match form {
        Form::Present | Form::Some(_) => false,
        Form::AbsentOrSome(_) | Form::All { .. } | Form::AbsentOrAny { .. } => true,
    }
}

/// Reads a condition's values into one test; values that can match nothing are left out.
fn read(
    comparison: Comparison,
    texts: &[String],
    variables: bool,
    variable: &mut dyn FnMut(&str) -> Symbol,
) -> Test {
    let fold = matches!(
        comparison,
        Comparison::StringEqualsIgnoreCase | Comparison::Bool
    );
    let mut patterns: Vec<Vec<Item>> = match comparison {
        Comparison::StringEquals
        | Comparison::StringEqualsIgnoreCase
        | Comparison::BinaryEquals
        | Comparison::Bool
        | Comparison::StringLike => {
            let reading = Reading {
                wildcards: comparison == Comparison::StringLike,
                variables: variables && comparison.takes_variables(),
            };
            let boolean = comparison == Comparison::Bool;
            texts
                .iter()
                .filter(|text| !boolean || values::boolean(text).is_some())
                .map(|text| strings::items(&glob::parse(text, reading), fold, variable))
                .collect()
        }
        Comparison::Arn => texts
            .iter()
            .filter_map(|text| glob::parse_arn(text, variables))
            .map(|tokens| strings::items(&tokens, false, variable))
            .collect(),
        Comparison::IpAddress => {
            let ranges: BTreeSet<Range> =
                texts.iter().filter_map(|text| Range::parse(text)).collect();
            return Test::Range(ranges.into_iter().collect());
        }
        Comparison::DateEquals
        | Comparison::DateLessThan
        | Comparison::DateLessThanEquals
        | Comparison::DateGreaterThan
        | Comparison::DateGreaterThanEquals => {
            let instants: BTreeSet<i64> = texts
                .iter()
                .filter_map(|text| values::instant(text))
                .collect();
            return Test::Instant(comparison, instants.into_iter().collect());
        }
        Comparison::NumericEquals
        | Comparison::NumericLessThan
        | Comparison::NumericLessThanEquals
        | Comparison::NumericGreaterThan
        | Comparison::NumericGreaterThanEquals => {
            let numbers: BTreeSet<i128> = texts
                .iter()
                .filter_map(|text| Number::parse(text))
                .map(|number| number.0)
                .collect();
            return Test::Number(comparison, numbers.into_iter().collect());
        }
        Comparison::Null => Vec::new(),
    };
    patterns.sort();
    patterns.dedup();
    Test::Text(patterns)
}

/// The text of a pattern without wildcards and variables.
fn literal(pattern: &[Item]) -> Option<String> {
    pattern
        .iter()
        .map(|item| match item {
            Item::Letter(symbol) | Item::Fold(symbol) => char::from_u32(*symbol),
            _ => None,
        })
        .collect()
}

/// The constants, the midpoints between them, and one beyond each end: every answer of every comparison.
fn around(constants: &BTreeSet<i128>, one: i128) -> Vec<i128> {
    let list: Vec<i128> = constants.iter().copied().collect();
    let mut out = list.clone();
    for pair in list.windows(2) {
        if let [low, high] = pair {
            let whole = low / one * one + one;
            out.push(if whole > *low && whole < *high {
                whole
            } else {
                low + (high - low) / 2
            });
        }
    }
    if let (Some(low), Some(high)) = (list.first(), list.last()) {
        out.extend([high + one, low - one]);
    }
    out
}

fn around_instants(constants: &BTreeSet<i64>) -> Vec<String> {
    /// A day beyond the ends reads better than a millisecond.
    const DAY: i128 = 86_400_000;
    let wide: BTreeSet<i128> = constants.iter().map(|value| i128::from(*value)).collect();
    around(&wide, DAY)
        .into_iter()
        .filter_map(|value| i64::try_from(value).ok())
        .map(values::instant_text)
        .collect()
}

/// The ends of the ranges and their neighbours, and one address far from all of them.
fn around_ranges(constants: &BTreeSet<Range>) -> Vec<String> {
    if constants.is_empty() {
        return Vec::new();
    }
    let mut points: BTreeMap<bool, BTreeSet<u128>> = BTreeMap::new();
    points
        .entry(false)
        .or_default()
        .extend([u128::from(u32::from_be_bytes([198, 51, 100, 7]))]);
    points
        .entry(true)
        .or_default()
        .extend([0x2001_0db8_0000_0000_0000_0000_0000_0007]);
    for range in constants {
        let set = points.entry(range.six).or_default();
        set.extend([range.first, range.last]);
        set.extend(range.first.checked_sub(1));
        set.extend(range.last.checked_add(1));
    }
    points
        .into_iter()
        .flat_map(|(six, numbers)| {
            let limit = if six { u128::MAX } else { u128::from(u32::MAX) };
            numbers
                .into_iter()
                .filter(move |number| *number <= limit)
                .map(move |number| values::address_text(six, number))
        })
        .collect()
}
