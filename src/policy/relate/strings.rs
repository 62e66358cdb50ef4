//! The string dimension: is there a text in all of these pattern sets and in none of those?
//! A set is one automaton (a trie whose `*` nodes loop); the search is breadth-first over the product of the sets'
//! states, determinised as they are met, so that the text found is a shortest one.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::policy::glob::Token;
use crate::policy::home::Home;

use super::subjects;
pub(super) use super::trie::COLON;
use super::trie::{State, Trie};
use super::work::{Exhausted, Work};

/// A character, or above the characters a policy variable: an opaque letter that `*` matches and `?` does not.
pub(super) type Symbol = u32;

/// The first symbol that stands for a variable.
pub(super) const VARIABLES: Symbol = 0x11_0000;

/// One item of a pattern in symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Item {
    /// This symbol.
    Letter(Symbol),
    /// This ASCII letter in either case; the symbol is the lower case.
    Fold(Symbol),
    /// One character that is not a variable.
    One { colon: bool },
    /// Any symbols.
    Many { colon: bool },
    /// One letter, digit or hyphen: what service and action names are made of.
    Word,
    /// Any number of those.
    Words,
}

/// Turns the tokens of a pattern into items; `variable` gives a variable's symbol.
pub(super) fn items(
    tokens: &[Token],
    fold: bool,
    variable: &mut dyn FnMut(&str) -> Symbol,
) -> Vec<Item> {
    tokens
        .iter()
        .map(|token| match token {
            Token::Letter(letter) if fold && letter.is_ascii_alphabetic() => {
                Item::Fold(Symbol::from(letter.to_ascii_lowercase()))
            }
            Token::Letter(letter) => Item::Letter(Symbol::from(*letter)),
            Token::One { colon } => Item::One { colon: *colon },
            Token::Many { colon } => Item::Many { colon: *colon },
            Token::Variable { key, default: _ } => Item::Letter(variable(key)),
        })
        .collect()
}

/// A set of texts: those that match one of some patterns.
#[derive(Clone, Debug)]
pub(super) struct StringSet {
    pub(super) patterns: Vec<Vec<Item>>,
    /// The patterns that are one text each: long lists hold little else.
    literals: HashSet<Vec<Symbol>>,
    /// The automaton of the others.
    wild: Trie,
    /// The automaton of all, made when a search needs it.
    whole: OnceCell<Trie>,
    /// Whether a policy variable stands in a pattern.
    pub(super) varied: bool,
}

impl StringSet {
    pub(super) fn new(patterns: Vec<Vec<Item>>) -> Self {
        let literals: HashSet<Vec<Symbol>> = patterns
            .iter()
            .filter_map(|pattern| literal(pattern))
            .collect();
        let wild = Trie::new(patterns.iter().filter(|pattern| literal(pattern).is_none()));
        let varied = patterns.iter().any(|pattern| holds_variable(pattern));
        Self {
            varied,
            patterns,
            literals,
            wild,
            whole: OnceCell::new(),
        }
    }

    /// Whether the set holds this text.
    pub(super) fn contains(&self, text: &[Symbol], work: &Work) -> Result<bool, Exhausted> {
        work.spend(1 + text.len() / LETTERS_A_STEP)?;
        Ok(self.literals.contains(text) || self.wild.contains(text, work)?)
    }

    /// Whether one pattern of the set holds all that a pattern with wildcards holds.
    pub(super) fn covers(&self, pattern: &[Item], work: &Work) -> Result<bool, Exhausted> {
        self.wild.covers(pattern, work)
    }

    fn trie(&self, work: &Work) -> Result<&Trie, Exhausted> {
        if self.whole.get().is_none() {
            work.spend(self.patterns.iter().map(Vec::len).sum())?;
        }
        Ok(self.whole.get_or_init(|| Trie::new(self.patterns.iter())))
    }
}

/// Whether a policy variable stands in a pattern.
pub(super) fn holds_variable(pattern: &[Item]) -> bool {
    pattern
        .iter()
        .any(|item| matches!(item, Item::Letter(symbol) if *symbol >= VARIABLES))
}

/// The one text of a pattern without wildcards.
pub(super) fn literal(pattern: &[Item]) -> Option<Vec<Symbol>> {
    pattern
        .iter()
        .map(|item| match item {
            Item::Letter(symbol) => Some(*symbol),
            _ => None,
        })
        .collect()
}

/// How a wildcard is filled where a readable text is tried before the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Any text.
    Plain,
    /// An ARN: its first five fields have usual values.
    Arn,
    /// The subject of a GitHub token: a repository and what runs in it.
    Subject,
    /// This text is the usual value.
    Usual(&'static str),
    /// An account's id.
    Account,
    /// A region's name.
    Region,
}

/// A style, and the account and region that usual values are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill<'h> {
    pub(super) style: Style,
    pub(super) home: &'h Home,
}

impl<'h> Fill<'h> {
    /// What a `*` is filled with, the most readable first. The last is a text that no policy is likely to name.
    fn texts(self) -> Vec<&'h str> {
        let mut out: Vec<&str> = Vec::new();
        match self.style {
            Style::Plain | Style::Arn | Style::Subject => {}
            Style::Usual(text) => out.push(text),
            Style::Account => out.push(&self.home.account),
            Style::Region => out.push(&self.home.region),
        }
        out.extend(["example", "", "q7z"]);
        out
    }
}

/// Letters of a text that are copied, hashed or compared in the time of one step of an automaton.
const LETTERS_A_STEP: usize = 8;

/// A text of the domain in all of `inside` and in none of `outside`.
pub(super) fn find(
    domain: &StringSet,
    inside: &[&StringSet],
    outside: &[&StringSet],
    fill: Fill<'_>,
    work: &Work,
) -> Result<Option<Vec<Symbol>>, Exhausted> {
    // Only the patterns of one set need to be walked: that with the fewest.
    let walked = inside
        .iter()
        .copied()
        .min_by_key(|set| set.patterns.len())
        .unwrap_or(domain);
    let others: Vec<&StringSet> = inside
        .iter()
        .copied()
        .chain([domain])
        .filter(|set| !std::ptr::eq(*set, walked))
        .collect();
    let good = |text: &[Symbol]| fits(text, &others, outside, work);
    if fill.style == Style::Subject {
        for pattern in &walked.patterns {
            for text in subjects::of_pattern(pattern) {
                let text = subjects::symbols(&text);
                if good(&text)? {
                    return Ok(Some(text));
                }
            }
        }
    }
    let usual = fill.texts();
    for pattern in &walked.patterns {
        for text in &usual {
            work.spend(pattern.len() / LETTERS_A_STEP)?;
            let text = instantiate(pattern, fill, text);
            if good(&text)? {
                return Ok(Some(text));
            }
            let wild = |item: &Item| !matches!(item, Item::Letter(_) | Item::Fold(_));
            if !pattern.iter().any(wild) {
                break;
            }
        }
    }
    for pattern in &walked.patterns {
        // A pattern without wildcards is one text, which was tried above.
        if literal(pattern).is_some() || covered(pattern, outside, work)? {
            continue;
        }
        work.spend(pattern.len())?;
        let alone = StringSet::new(vec![pattern.clone()]);
        let mut all = vec![&alone];
        all.extend(&others);
        if let Some(text) = search(&all, outside, work)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// Whether a text is in all of some sets and in none of others.
fn fits(
    text: &[Symbol],
    inside: &[&StringSet],
    outside: &[&StringSet],
    work: &Work,
) -> Result<bool, Exhausted> {
    work.spend(1)?;
    for set in inside {
        if !set.contains(text, work)? {
            return Ok(false);
        }
    }
    for set in outside {
        if set.contains(text, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn covered(pattern: &[Item], outside: &[&StringSet], work: &Work) -> Result<bool, Exhausted> {
    for set in outside {
        if set.covers(pattern, work)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A text of one pattern with usual values for its wildcards.
fn instantiate(pattern: &[Item], fill: Fill<'_>, text: &str) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::new();
    let mut field = 0;
    let mut fresh = true;
    for (place, item) in pattern.iter().enumerate() {
        match item {
            // The filling of the `*` that follows is the one character too.
            Item::One { .. }
                if !text.is_empty()
                    && matches!(pattern.get(place + 1), Some(Item::Many { .. })) =>
            {
                continue;
            }
            Item::Letter(symbol) => {
                out.push(*symbol);
                fresh = *symbol == COLON;
                field += usize::from(*symbol == COLON);
                continue;
            }
            Item::Fold(symbol) => out.push(*symbol),
            Item::One { .. } | Item::Word => out.push(Symbol::from('x')),
            Item::Many { .. } | Item::Words => {
                let home = fill.home;
                let usual = match (fill.style, field, fresh) {
                    (Style::Arn, 1, true) => &home.partition,
                    (Style::Arn, 2, true) => "s3",
                    (Style::Arn, 3, true) => &home.region,
                    (Style::Arn, 4, true) => &home.account,
                    (Style::Usual(whole), ..) if text == whole => {
                        rest_of(whole, &out, pattern.get(place + 1..).unwrap_or_default())
                    }
                    _ => text,
                };
                out.extend(usual.chars().map(Symbol::from));
            }
        }
        fresh = false;
    }
    out
}

/// The part of a usual value that a wildcard stands for after these symbols and before those items: a value's parts are
/// set off by `/`, and its version by `@`.
fn rest_of<'t>(usual: &'t str, before: &[Symbol], after: &[Item]) -> &'t str {
    const SLASH: Symbol = '/' as Symbol;
    const AT: Symbol = '@' as Symbol;
    let parts = before.iter().filter(|symbol| **symbol == SLASH).count();
    let rest = (0..parts).fold(usual, |rest, _| {
        rest.split_once('/').map_or("example", |(_, rest)| rest)
    });
    if after.contains(&Item::Letter(AT)) {
        rest.split('@').next().unwrap_or_default()
    } else {
        rest
    }
}

/// Steps of an automaton in whose time the next state of one set is made, beside its nodes.
const STEPPED: usize = 8;

/// Steps in whose time a state of one set is hashed and kept.
const KEPT: usize = 32;

fn search(
    inside: &[&StringSet],
    outside: &[&StringSet],
    work: &Work,
) -> Result<Option<Vec<Symbol>>, Exhausted> {
    let sets = inside.iter().chain(outside).map(|set| set.trie(work));
    let sets: Vec<&Trie> = sets.collect::<Result<_, _>>()?;
    let (inside, outside) = sets.split_at(inside.len());
    let start: Vec<State> = sets.iter().map(|set| set.start.clone()).collect();
    let mut parents: Vec<(usize, Symbol)> = vec![(0, 0)];
    let mut seen: HashMap<Vec<State>, usize> = HashMap::from([(start.clone(), 0)]);
    let mut queue: VecDeque<(usize, Vec<State>)> = VecDeque::from([(0, start)]);
    while let Some((place, states)) = queue.pop_front() {
        let (in_states, out_states) = states.split_at(inside.len());
        let all_in = inside
            .iter()
            .zip(in_states)
            .all(|(set, state)| set.accepts(state));
        if all_in
            && !outside
                .iter()
                .zip(out_states)
                .any(|(set, state)| set.accepts(state))
        {
            return Ok(Some(trace(&parents, place)));
        }
        let size: usize = states.iter().map(Vec::len).sum();
        let symbols = symbols(&sets, &states);
        work.spend(size)?;
        for symbol in symbols {
            work.spend(STEPPED * sets.len() + 2 * size)?;
            let next: Vec<State> = sets
                .iter()
                .zip(&states)
                .map(|(set, state)| set.step(state, symbol))
                .collect();
            let (next_in, next_out) = next.split_at(inside.len());
            let dead = next_in.iter().any(Vec::is_empty)
                || outside
                    .iter()
                    .zip(next_out)
                    .any(|(set, state)| state.iter().any(|at| set.absorbs(*at)));
            if dead || seen.contains_key(&next) {
                continue;
            }
            work.spend(KEPT * sets.len() + 2 * size)?;
            let child = parents.len();
            parents.push((place, symbol));
            seen.insert(next.clone(), child);
            queue.push_back((child, next));
        }
    }
    Ok(None)
}

/// The symbols that lead to different states from here, and one that stands for all others: of each sort, where word
/// characters are told from others.
fn symbols(sets: &[&Trie], states: &[State]) -> Vec<Symbol> {
    let mut out = BTreeSet::new();
    let mut words = false;
    for (set, state) in sets.iter().zip(states) {
        words |= set.outgoing(state, &mut out);
    }
    let fresh = |usual: &str| {
        usual
            .chars()
            .map(Symbol::from)
            .chain(0x100..VARIABLES)
            .find(|symbol| !out.contains(symbol))
    };
    let mut list: Vec<Symbol> = fresh("xabcdefghijklmnopqrstuvwyz0123456789-_/.")
        .into_iter()
        .collect();
    if words {
        list.extend(fresh("_/.").filter(|symbol| !list.contains(symbol)));
    }
    list.extend(out);
    list
}

fn trace(parents: &[(usize, Symbol)], mut place: usize) -> Vec<Symbol> {
    let mut out = Vec::new();
    while place != 0 {
        let Some((parent, symbol)) = parents.get(place).copied() else {
            break;
        };
        out.push(symbol);
        place = parent;
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests;
