//! Gate 6: random glob problems, against a solver that is not ours.

use aws_smt_strings::regular_expressions::{ReManager, RegLan};
use aws_smt_strings::smt_strings::SmtString;

use super::*;

/// Problems; a few thousand of them hold every pair of items.
const PROBLEMS: usize = 100_000;

/// A generator of the xorshift family: the same problems in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn pattern(&mut self) -> Vec<Item> {
        let letter = |text: char| Item::Letter(Symbol::from(text));
        let items = [
            letter('a'),
            letter('a'),
            letter('b'),
            letter('B'),
            letter(':'),
            Item::Fold(Symbol::from('b')),
            Item::One { colon: true },
            Item::One { colon: false },
            Item::Many { colon: true },
            Item::Many { colon: true },
            Item::Many { colon: false },
            Item::Word,
            Item::Words,
        ];
        let length = self.below(7);
        (0..length)
            .map(|_| items[self.below(items.len())])
            .collect()
    }

    fn sets(&mut self, least: usize, most: usize) -> Vec<Vec<Vec<Item>>> {
        let count = least + self.below(most - least + 1);
        (0..count)
            .map(|_| (0..=self.below(3)).map(|_| self.pattern()).collect())
            .collect()
    }
}

fn expression(solver: &mut ReManager, patterns: &[Vec<Item>]) -> RegLan {
    let all: Vec<RegLan> = patterns
        .iter()
        .map(|pattern| {
            let parts: Vec<RegLan> = pattern.iter().map(|item| of_item(solver, *item)).collect();
            solver.concat_list(parts)
        })
        .collect();
    solver.union_list(all)
}

fn of_item(solver: &mut ReManager, item: Item) -> RegLan {
    match item {
        Item::Letter(symbol) => solver.char(symbol),
        Item::Fold(symbol) => {
            let (small, large) = (solver.char(symbol), solver.char(symbol - 32));
            solver.union(small, large)
        }
        Item::One { colon: true } => solver.all_chars(),
        Item::One { colon: false } => {
            let (any, colon) = (solver.all_chars(), solver.char(COLON));
            solver.diff(any, colon)
        }
        Item::Many { colon } => {
            let one = of_item(solver, Item::One { colon });
            solver.star(one)
        }
        Item::Word => {
            let ranges = [('a', 'z'), ('A', 'Z'), ('0', '9'), ('-', '-')];
            let parts = ranges.map(|(low, high)| solver.range(low.into(), high.into()));
            solver.union_list(parts)
        }
        Item::Words => {
            let one = of_item(solver, Item::Word);
            solver.star(one)
        }
    }
}

#[test]
fn gate_6_random_globs_against_another_solver() {
    let mut random = Random(6);
    let mut found = 0;
    let mut solver = ReManager::new();
    for place in 0..PROBLEMS {
        if place % 1_000 == 0 {
            // It keeps every term that it ever made.
            solver = ReManager::new();
        }
        let (inside, outside) = (random.sets(1, 3), random.sets(0, 3));
        let own = |sets: &[Vec<Vec<Item>>]| -> Vec<StringSet> {
            sets.iter().map(|set| StringSet::new(set.clone())).collect()
        };
        let (own_inside, own_outside) = (own(&inside), own(&outside));
        let domain = StringSet::new(vec![vec![Item::Many { colon: true }]]);
        let work = Work::new(u64::MAX);
        let ours = find(
            &domain,
            &own_inside.iter().collect::<Vec<_>>(),
            &own_outside.iter().collect::<Vec<_>>(),
            Fill {
                style: Style::Plain,
                home: &Home::default(),
            },
            &work,
        )
        .unwrap_or_else(|Exhausted| panic!("no limit is set"));
        let within: Vec<RegLan> = inside
            .iter()
            .map(|set| expression(&mut solver, set))
            .collect();
        let beyond: Vec<RegLan> = outside
            .iter()
            .map(|set| expression(&mut solver, set))
            .collect();
        let within = solver.inter_list(within);
        let whole = solver.diff_list(within, beyond);
        match ours {
            Some(text) => {
                found += 1;
                let theirs = solver.str_in_re(&SmtString::from(text.as_slice()), whole);
                assert!(theirs, "{text:?} is no answer to {inside:?} {outside:?}");
            }
            None => assert!(
                solver.is_empty_re(whole),
                "there is an answer to {inside:?} {outside:?}"
            ),
        }
    }
    println!("gate 6: {PROBLEMS} problems, {found} with an answer, no disagreement");
    assert!(found > PROBLEMS / 10 && found < PROBLEMS * 9 / 10);
}
