//! The automaton of some patterns: a trie whose `*` nodes loop, determinised as its states are met.

use std::collections::BTreeSet;

use super::strings::{Item, Symbol, VARIABLES};
use super::work::{Exhausted, Work};

/// The symbols of a pattern's wildcards where the pattern itself is run through an automaton (see `covers`).
const ANY_RUN: Symbol = 0x20_0000;
const COLONLESS_RUN: Symbol = 0x20_0001;
const ANY_ONE: Symbol = 0x20_0002;
const COLONLESS_ONE: Symbol = 0x20_0003;

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

/// The automaton.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    pub(super) start: State,
}

/// Active nodes, sorted.
pub(super) type State = Vec<u32>;

impl Trie {
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p Vec<Item>>) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
            start: Vec::new(),
        };
        for pattern in patterns {
            trie.insert(pattern);
        }
        let mut start = vec![0];
        trie.close(&mut start);
        trie.start = start;
        trie
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
    pub(super) fn absorbs(&self, at: u32) -> bool {
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

    pub(super) fn step(&self, state: &State, symbol: Symbol) -> State {
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

    pub(super) fn accepts(&self, state: &State) -> bool {
        state
            .iter()
            .any(|at| self.node(*at).is_some_and(|node| node.accept))
    }

    /// Whether the set holds this text.
    pub(super) fn contains(&self, text: &[Symbol], work: &Work) -> Result<bool, Exhausted> {
        let (mut state, mut next) = (self.start.clone(), Vec::new());
        for symbol in text {
            if state.is_empty() {
                return Ok(false);
            }
            work.spend(state.len())?;
            self.step_into(&state, *symbol, &mut next);
            std::mem::swap(&mut state, &mut next);
        }
        Ok(self.accepts(&state))
    }

    /// Whether one pattern of the set holds all that a pattern holds. Runs the pattern through the automaton with its
    /// wildcards as symbols of their own: what it says yes to is so; a union of patterns may cover without this.
    pub(super) fn covers(&self, pattern: &[Item], work: &Work) -> Result<bool, Exhausted> {
        let mut state = self.start.clone();
        for item in pattern {
            work.spend(state.len())?;
            let symbol = match item {
                Item::Letter(symbol) => *symbol,
                // A letter of either case: covered only by what folds, or by a wildcard.
                Item::Fold(symbol) => {
                    let upper = self.step(&state, upper(*symbol));
                    let lower = self.step(&state, *symbol);
                    state = lower
                        .into_iter()
                        .filter(|at| upper.binary_search(at).is_ok())
                        .collect();
                    continue;
                }
                Item::One { colon: true } => ANY_ONE,
                Item::One { colon: false } => COLONLESS_ONE,
                Item::Many { colon: true } => ANY_RUN,
                Item::Many { colon: false } => COLONLESS_RUN,
                Item::Word | Item::Words => return Ok(false),
            };
            state = self.step(&state, symbol);
            if state.is_empty() {
                return Ok(false);
            }
        }
        Ok(self.accepts(&state))
    }

    /// The symbols that the next step tells apart, and whether it tells word characters from others.
    pub(super) fn outgoing(&self, state: &State, out: &mut BTreeSet<Symbol>) -> bool {
        let mut words = false;
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
            words |= node.word.is_some() || node.own_loop == Some(Item::Words);
        }
        words
    }
}

pub(super) const COLON: Symbol = ':' as Symbol;

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
            COLONLESS_ONE => true,
            ANY_ONE | COLON => colon,
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
