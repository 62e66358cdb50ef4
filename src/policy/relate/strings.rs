//! The string dimension: is there a text in all of these pattern sets and in none of those?
//! A set is one automaton (a trie whose `*` nodes loop); the search is breadth-first over the product of the sets'
//! states, determinised as they are met, so that the text found is a shortest one.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::policy::glob::Token;

/// A character, or above the characters a policy variable: an opaque letter that `*` matches and `?` does not.
pub(super) type Symbol = u32;

/// The first symbol that stands for a variable.
pub(super) const VARIABLES: Symbol = 0x11_0000;

/// The symbols of one pattern, where a run of `*` in another pattern is itself a symbol (see `covers`).
const ANY_RUN: Symbol = 0x20_0000;
const COLONLESS_RUN: Symbol = 0x20_0001;
const ANY_ONE: Symbol = 0x20_0002;
const COLONLESS_ONE: Symbol = 0x20_0003;

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

#[derive(Clone, Debug, Default)]
struct Node {
    /// Sorted by symbol; nearly every node has one.
    letters: Vec<(Symbol, u32)>,
    folds: Vec<(Symbol, u32)>,
    ones: [Option<u32>; 2],
    word: Option<u32>,
    /// Children entered without a symbol: `*` that may not and may hold a colon, and `Words`.
    loops: [Option<u32>; 3],
    /// What the node itself loops on.
    own_loop: Option<Item>,
    accept: bool,
}

/// A set of texts: those that match one of some patterns.
#[derive(Clone, Debug)]
pub(super) struct StringSet {
    pub(super) patterns: Vec<Vec<Item>>,
    nodes: Vec<Node>,
    start: State,
}

type State = Vec<u32>;

impl StringSet {
    pub(super) fn new(patterns: Vec<Vec<Item>>) -> Self {
        let mut set = Self {
            patterns: Vec::new(),
            nodes: vec![Node::default()],
            start: Vec::new(),
        };
        for pattern in &patterns {
            set.insert(pattern);
        }
        set.patterns = patterns;
        let mut start = vec![0];
        set.close(&mut start);
        set.start = start;
        set
    }

    fn insert(&mut self, pattern: &[Item]) {
        let mut at = 0;
        for item in pattern {
            at = self.child(at, *item);
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.accept = true;
        }
    }

    fn child(&mut self, at: u32, item: Item) -> u32 {
        let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let Some(node) = self.nodes.get_mut(at as usize) else {
            return at;
        };
        let child = match item {
            Item::Letter(symbol) => slot_of(&mut node.letters, symbol, fresh),
            Item::Fold(symbol) => slot_of(&mut node.folds, symbol, fresh),
            Item::One { colon: false } => *node.ones[0].get_or_insert(fresh),
            Item::One { colon: true } => *node.ones[1].get_or_insert(fresh),
            Item::Word => *node.word.get_or_insert(fresh),
            Item::Many { colon: false } => *node.loops[0].get_or_insert(fresh),
            Item::Many { colon: true } => *node.loops[1].get_or_insert(fresh),
            Item::Words => *node.loops[2].get_or_insert(fresh),
        };
        if child == fresh {
            let own_loop = matches!(item, Item::Many { .. } | Item::Words).then_some(item);
            self.nodes.push(Node {
                own_loop,
                ..Node::default()
            });
        }
        child
    }

    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }

    /// Whether everything that follows is in the set.
    fn absorbs(&self, at: u32) -> bool {
        self.node(at)
            .is_some_and(|node| node.accept && node.own_loop == Some(Item::Many { colon: true }))
    }

    /// Adds the nodes that are entered without a symbol; a node after which all is accepted stands for all others.
    fn close(&self, state: &mut State) {
        let mut place = 0;
        while let Some(at) = state.get(place).copied() {
            if let Some(node) = self.node(at) {
                state.extend(node.loops.iter().flatten());
                if node.accept && node.own_loop == Some(Item::Many { colon: true }) {
                    state.clear();
                    state.push(at);
                    return;
                }
            }
            place += 1;
        }
        if state.len() > 1 {
            state.sort_unstable();
            state.dedup();
        }
    }

    fn step(&self, state: &State, symbol: Symbol) -> State {
        let mut next = Vec::new();
        self.step_into(state, symbol, &mut next);
        next
    }

    fn step_into(&self, state: &State, symbol: Symbol, next: &mut State) {
        next.clear();
        for at in state {
            let Some(node) = self.node(*at) else { continue };
            if node.own_loop.is_some_and(|item| admits(item, symbol)) {
                next.push(*at);
            }
            next.extend(child_of(&node.letters, symbol));
            if !node.folds.is_empty() {
                next.extend(child_of(&node.folds, lower(symbol)));
            }
            let [within, across] = node.ones;
            next.extend(within.filter(|_| admits(Item::One { colon: false }, symbol)));
            next.extend(across.filter(|_| admits(Item::One { colon: true }, symbol)));
            next.extend(node.word.filter(|_| admits(Item::Word, symbol)));
        }
        self.close(next);
    }

    fn accepts(&self, state: &State) -> bool {
        state
            .iter()
            .any(|at| self.node(*at).is_some_and(|node| node.accept))
    }

    /// Whether the set holds this text.
    pub(super) fn contains(&self, text: &[Symbol]) -> bool {
        let (mut state, mut next) = (self.start.clone(), Vec::new());
        for symbol in text {
            if state.is_empty() {
                return false;
            }
            self.step_into(&state, *symbol, &mut next);
            std::mem::swap(&mut state, &mut next);
        }
        self.accepts(&state)
    }

    /// Whether one pattern of the set holds all that a pattern holds. Runs the pattern through the automaton with its
    /// wildcards as symbols of their own: what it says yes to is so; a union of patterns may cover without this.
    pub(super) fn covers(&self, pattern: &[Item]) -> bool {
        let mut state = self.start.clone();
        for item in pattern {
            let symbol = match item {
                Item::Letter(symbol) => *symbol,
                // A letter of either case: covered only by what folds, or by a wildcard.
                Item::Fold(symbol) => {
                    let upper = self.step(&state, upper(*symbol));
                    let lower = self.step(&state, *symbol);
                    state = lower.into_iter().filter(|at| upper.contains(at)).collect();
                    continue;
                }
                Item::One { colon: true } => ANY_ONE,
                Item::One { colon: false } => COLONLESS_ONE,
                Item::Many { colon: true } => ANY_RUN,
                Item::Many { colon: false } => COLONLESS_RUN,
                Item::Word | Item::Words => return false,
            };
            state = self.step(&state, symbol);
            if state.is_empty() {
                return false;
            }
        }
        self.accepts(&state)
    }

    fn outgoing(&self, state: &State, out: &mut BTreeSet<Symbol>) {
        for at in state {
            let Some(node) = self.node(*at) else { continue };
            out.extend(node.letters.iter().map(|(symbol, _)| *symbol));
            for (symbol, _) in &node.folds {
                out.insert(*symbol);
                out.insert(upper(*symbol));
            }
            let colonless = node.ones[0].is_some()
                || node.word.is_some()
                || matches!(
                    node.own_loop,
                    Some(Item::Many { colon: false } | Item::Words)
                );
            if colonless {
                out.insert(COLON);
            }
        }
    }
}

const COLON: Symbol = ':' as Symbol;

fn child_of(children: &[(Symbol, u32)], symbol: Symbol) -> Option<u32> {
    match children {
        [] => None,
        [(only, child)] => (*only == symbol).then_some(*child),
        many => {
            let place = many
                .binary_search_by_key(&symbol, |(known, _)| *known)
                .ok()?;
            many.get(place).map(|(_, child)| *child)
        }
    }
}

/// The child for a symbol, entered as `fresh` where there is none.
fn slot_of(children: &mut Vec<(Symbol, u32)>, symbol: Symbol, fresh: u32) -> u32 {
    match children.binary_search_by_key(&symbol, |(known, _)| *known) {
        Ok(place) => children.get(place).map_or(fresh, |(_, child)| *child),
        Err(place) => {
            children.insert(place, (symbol, fresh));
            fresh
        }
    }
}

/// Whether a wildcard item takes this symbol, a symbol of `covers` included.
fn admits(item: Item, symbol: Symbol) -> bool {
    match item {
        Item::Letter(wanted) => wanted == symbol,
        Item::Fold(wanted) => wanted == lower(symbol),
        Item::One { colon } => match symbol {
            ANY_ONE => colon,
            COLONLESS_ONE => true,
            COLON => colon,
            other => other < VARIABLES,
        },
        Item::Many { colon } => match symbol {
            ANY_RUN | ANY_ONE | COLON => colon,
            _ => true,
        },
        Item::Word | Item::Words => char::from_u32(symbol)
            .is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '-'),
    }
}

fn lower(symbol: Symbol) -> Symbol {
    if (65..=90).contains(&symbol) {
        symbol + 32
    } else {
        symbol
    }
}

fn upper(symbol: Symbol) -> Symbol {
    if (97..=122).contains(&symbol) {
        symbol - 32
    } else {
        symbol
    }
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
}

impl Style {
    /// What a `*` is filled with, the most readable first. The last is a text that no policy is likely to name.
    fn fills(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Arn => &["example", "", "q7z"],
            Self::Subject => &[
                "ref:refs/heads/main",
                "main",
                "example:ref:refs/heads/main",
                "example/example:ref:refs/heads/main",
                "-evil/example:ref:refs/heads/main",
                "-evil:ref:refs/heads/main",
                "repo:example/example:ref:refs/heads/main",
                "example",
                "",
                "q7z",
            ],
        }
    }

    /// Whether a text is as readable as the style asks.
    fn suits(self, text: &[Symbol]) -> bool {
        if self != Self::Subject {
            return true;
        }
        let text: String = text
            .iter()
            .map(|symbol| char::from_u32(*symbol).unwrap_or('~'))
            .collect();
        let shape = |rest: &str| {
            let (repository, tail) = rest.split_once(':')?;
            let (owner, name) = repository.split_once('/')?;
            let known = [
                "ref:refs/heads/",
                "ref:refs/tags/",
                "environment:",
                "pull_request",
            ];
            let plain = |part: &str| !part.is_empty() && !part.contains(['/', '*', '?']);
            Some(
                plain(owner)
                    && plain(name)
                    && known
                        .iter()
                        .any(|start| tail.starts_with(start) && tail != *start),
            )
        };
        text.strip_prefix("repo:").and_then(shape).unwrap_or(false)
    }
}

/// The search's limit in steps was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// A text of the domain in all of `inside` and in none of `outside`; `work` counts down.
pub(super) fn find(
    domain: &StringSet,
    inside: &[&StringSet],
    outside: &[&StringSet],
    style: Style,
    work: &mut u64,
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
    let good = |text: &[Symbol]| {
        others.iter().all(|set| set.contains(text)) && !outside.iter().any(|set| set.contains(text))
    };
    let mut plain = None;
    for pattern in &walked.patterns {
        for fill in style.fills() {
            *work = work.checked_sub(1).ok_or(Exhausted)?;
            let text = instantiate(pattern, style, fill);
            if good(&text) {
                if style.suits(&text) {
                    return Ok(Some(text));
                }
                plain.get_or_insert(text);
            }
            if pattern
                .iter()
                .all(|item| matches!(item, Item::Letter(_) | Item::Fold(_)))
            {
                break;
            }
        }
    }
    if plain.is_some() {
        return Ok(plain);
    }
    for pattern in &walked.patterns {
        // A pattern without wildcards is one text, which was tried above.
        let single = pattern.iter().all(|item| matches!(item, Item::Letter(_)));
        if single || outside.iter().any(|set| set.covers(pattern)) {
            continue;
        }
        let alone = StringSet::new(vec![pattern.clone()]);
        let mut all = vec![&alone];
        all.extend(&others);
        if let Some(text) = search(&all, outside, work)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// A text of one pattern with usual values for its wildcards.
fn instantiate(pattern: &[Item], style: Style, fill: &str) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::new();
    let mut field = 0;
    let mut fresh = true;
    for item in pattern {
        match item {
            Item::Letter(symbol) => {
                out.push(*symbol);
                fresh = *symbol == COLON;
                field += usize::from(*symbol == COLON);
                continue;
            }
            Item::Fold(symbol) => out.push(*symbol),
            Item::One { .. } | Item::Word => out.push(Symbol::from('x')),
            Item::Many { .. } | Item::Words => {
                let usual = match (style, field, fresh) {
                    (Style::Arn, 1, true) => "aws",
                    (Style::Arn, 2, true) => "s3",
                    (Style::Arn, 3, true) => "us-east-1",
                    (Style::Arn, 4, true) => "123456789012",
                    _ => fill,
                };
                out.extend(usual.chars().map(Symbol::from));
            }
        }
        fresh = false;
    }
    out
}

fn search(
    inside: &[&StringSet],
    outside: &[&StringSet],
    work: &mut u64,
) -> Result<Option<Vec<Symbol>>, Exhausted> {
    let sets: Vec<&StringSet> = inside.iter().chain(outside).copied().collect();
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
        for symbol in symbols(&sets, &states) {
            *work = work.checked_sub(1).ok_or(Exhausted)?;
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
            let child = parents.len();
            parents.push((place, symbol));
            seen.insert(next.clone(), child);
            queue.push_back((child, next));
        }
    }
    Ok(None)
}

/// The symbols that lead to different states from here, and one that stands for all others.
fn symbols(sets: &[&StringSet], states: &[State]) -> Vec<Symbol> {
    let mut out = BTreeSet::new();
    for (set, state) in sets.iter().zip(states) {
        set.outgoing(state, &mut out);
    }
    let other = "xabcdefghijklmnopqrstuvwyz0123456789-_/."
        .chars()
        .map(Symbol::from)
        .find(|symbol| !out.contains(symbol))
        .or_else(|| (0x100..VARIABLES).find(|symbol| !out.contains(symbol)));
    let mut list: Vec<Symbol> = other.into_iter().collect();
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
