//! The space of requests that some documents speak of, and their statements as boxes in it.
//! A box is a conjunction of signed literals, each over one dimension: action, resource, principal, or one key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::policy::actions::ResourceType;
use crate::policy::document::Document;
use crate::policy::evaluate::StatementRef;
use crate::policy::glob::{self, Reading};
use crate::policy::home::Home;
use crate::policy::kind::PolicyKind;
use crate::policy::request::{Known, RequestPrincipal};
use crate::policy::statement::{Condition, Effect, Patterns, Principals};

use super::cases::{Case, cases, defaults, is_github, required, substitute};
use super::keys::{Form, Key, Values, World};
use super::principals;
use super::strings::{self, Fill, Item, StringSet, Style, Symbol, VARIABLES};
use super::variables::{self, Assignment, Model};
use super::work::{Exhausted, Work};

/// A dimension: these three, then one per key.
pub(super) type Dimension = u32;
pub(super) const ACTION: Dimension = 0;
pub(super) const RESOURCE: Dimension = 1;
pub(super) const PRINCIPAL: Dimension = 2;
const FIRST_KEY: Dimension = 3;

/// Literals that are looked up for a principal in the time of one step of an automaton.
const LOOKED_AT: usize = 16;

/// A literal without its sign, numbered within the space.
pub(super) type AtomId = u32;

/// A signed literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal {
    pub(super) dimension: Dimension,
    pub(super) atom: AtomId,
    pub(super) positive: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum AtomShape {
    Strings(Dimension, Vec<Vec<Item>>),
    Principals(Principals),
    Key(Dimension, Form),
}

enum Atom {
    Strings(StringSet),
    Principals(Vec<bool>),
    Form(Form),
}

/// One statement, or one case of it, as a conjunction.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub(super) literals: Vec<Literal>,
    /// What holds of every request that the statement is about, beyond what it says.
    pub(super) assumptions: Vec<Literal>,
    pub(super) origin: Origin,
}

/// Where a box comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// Place of the document among those of the first layer.
    pub(super) document: usize,
    pub(super) statement: StatementRef,
}

/// Dimension → signed atoms, sorted.
pub(super) type Constraints = BTreeMap<Dimension, Vec<(AtomId, bool)>>;

/// A point of one dimension.
#[derive(Clone, Debug)]
pub(super) enum Point {
    Text(Vec<Symbol>),
    Principal(usize),
    Values(Values),
}

/// A question about one dimension.
type Asked = (Dimension, Vec<(AtomId, bool)>);

/// The space.
pub(super) struct Space {
    ids: HashMap<AtomShape, AtomId>,
    atoms: Vec<Atom>,
    pub(super) keys: Vec<Key>,
    key_ids: BTreeMap<String, usize>,
    pub(super) variables: Vec<String>,
    pub(super) candidates: Vec<RequestPrincipal>,
    principal_atoms: Vec<(AtomId, Principals)>,
    domains: [StringSet; 2],
    everything: StringSet,
    arns: StringSet,
    memo: HashMap<Asked, Option<Point>>,
    pub(super) work: Work,
    trust: bool,
    /// Variables that have one value here; elsewhere each is an opaque letter.
    fixed: Assignment,
    model: Model,
    /// Where examples are.
    pub(super) home: Home,
}

/// The calls that a trust policy may speak of: "Permissions for `AssumeRole`, `AssumeRoleWithSAML`,
/// `AssumeRoleWithWebIdentity`", and those that come with them (session tags, source identity, context).
pub(super) const TRUST_ACTIONS: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "sts:SetContext",
];

/// The issuer of GitHub's tokens, which is also the prefix of its condition keys.
pub(super) const GITHUB: &str = "token.actions.githubusercontent.com";

impl Space {
    pub(super) fn new(kind: PolicyKind, home: Home, fixed: Assignment) -> Self {
        let everything = StringSet::new(vec![vec![Item::Many { colon: true }]]);
        let colon = Item::Letter(Symbol::from(':'));
        let actions = if kind == PolicyKind::Trust {
            TRUST_ACTIONS
                .iter()
                .map(|name| action_pattern(name))
                .collect()
        } else {
            vec![vec![
                Item::Word,
                Item::Words,
                colon,
                Item::Word,
                Item::Words,
            ]]
        };
        let tokens = glob::parse_resource("arn:*:*:*:*:*", false);
        let arn = strings::items(&tokens, false, &mut |_| VARIABLES);
        let resources = vec![arn.clone(), vec![Item::Letter(Symbol::from('*'))]];
        Self {
            ids: HashMap::new(),
            atoms: Vec::new(),
            keys: Vec::new(),
            key_ids: BTreeMap::new(),
            variables: Vec::new(),
            candidates: Vec::new(),
            principal_atoms: Vec::new(),
            domains: [StringSet::new(actions), StringSet::new(resources)],
            everything,
            arns: StringSet::new(vec![arn.clone()]),
            memo: HashMap::new(),
            work: Work::default(),
            trust: kind == PolicyKind::Trust,
            fixed,
            model: Model::Fresh,
            home,
        }
    }

    /// Reads the variables otherwise from now on.
    pub(super) fn read_variables(&mut self, model: Model) {
        self.model = model;
        self.memo.clear();
    }

    /// The pattern lists that a text of one dimension is tested against, by dimension.
    pub(super) fn pattern_lists(&self) -> Vec<Vec<&[Vec<Item>]>> {
        let of = |wanted: Dimension| -> Vec<&[Vec<Item>]> {
            self.ids
                .keys()
                .filter_map(|shape| match shape {
                    AtomShape::Strings(dimension, patterns) if *dimension == wanted => {
                        Some(patterns.as_slice())
                    }
                    _ => None,
                })
                .collect()
        };
        let mut out = vec![of(RESOURCE)];
        out.extend(self.keys.iter().map(|key| key.texts().collect()));
        out
    }

    /// The boxes of a document's statements of one effect.
    pub(super) fn boxes(
        &mut self,
        document: &Document,
        place: usize,
        effect: Effect,
    ) -> Vec<Region> {
        let mut out = Vec::new();
        for statement in document
            .statements()
            .iter()
            .filter(|statement| statement.effect == effect)
        {
            for part in cases(statement, document) {
                let origin = Origin {
                    document: place,
                    statement: StatementRef::of(statement),
                };
                out.push(self.region(&part, document.has_variables(), origin));
            }
        }
        out
    }

    /// To be called after all `boxes`.
    pub(super) fn close(&mut self) {
        if self.trust {
            self.name_trust_actions();
        }
        for key in &mut self.keys {
            key.close();
        }
        self.candidates = principals::candidates(
            self.principal_atoms
                .iter()
                .map(|(_, principals)| principals),
        );
        let known: Vec<Known<'_>> = self
            .candidates
            .iter()
            .map(RequestPrincipal::known)
            .collect();
        for (atom, principals) in &self.principal_atoms {
            let names = |one| principals::names(principals, one);
            let mask = known.iter().map(names).collect();
            if let Some(slot) = self.atoms.get_mut(*atom as usize) {
                *slot = Atom::Principals(mask);
            }
        }
    }

    /// Actions that a trust policy names in full are told apart too, whether they exist or not.
    fn name_trust_actions(&mut self) {
        let mut named: BTreeSet<Vec<Item>> = BTreeSet::new();
        for shape in self.ids.keys() {
            if let AtomShape::Strings(ACTION, patterns) = shape {
                let plain = |pattern: &&Vec<Item>| {
                    pattern.iter().all(|item| matches!(item, Item::Letter(_)))
                };
                named.extend(patterns.iter().filter(plain).cloned());
            }
        }
        let mut allowed: Vec<Vec<Item>> = TRUST_ACTIONS
            .iter()
            .map(|name| action_pattern(name))
            .collect();
        named.retain(|name| !allowed.contains(name));
        allowed.extend(named);
        let [actions, _] = &mut self.domains;
        *actions = StringSet::new(allowed);
    }

    fn region(&mut self, case: &Case<'_>, variables: bool, origin: Origin) -> Region {
        let Case {
            statement,
            principals,
            present,
            absent,
        } = case;
        let mut literals = Vec::new();
        let actions = &statement.actions;
        let patterns = |list: &[String]| -> Vec<Vec<Item>> {
            list.iter().map(|text| action_pattern(text)).collect()
        };
        literals.extend(self.strings(ACTION, patterns(&actions.list), !actions.negated));
        if let Some(resources) = &statement.resources {
            let patterns = self.resource_patterns(resources, variables, absent);
            literals.extend(self.strings(RESOURCE, patterns, !resources.negated));
        }
        if let Some(principals) = principals {
            literals.push(self.principals(principals));
        }
        for condition in &statement.conditions {
            let absent_defaults = defaults(absent);
            let values = condition
                .values
                .iter()
                .map(|text| substitute(text, variables, &self.fixed, &absent_defaults))
                .collect();
            let condition = Condition {
                values,
                ..condition.clone()
            };
            let key = self.key(&condition.key);
            if let Some((form, positive)) = self.form(key, &condition, variables) {
                literals.push(self.key_literal(key, form, positive));
            }
        }
        let required = if variables {
            required(statement)
        } else {
            BTreeSet::new()
        };
        for name in present.iter().chain(&required) {
            let key = self.key(name);
            literals.push(self.key_literal(key, Form::Present, true));
        }
        for (name, _) in absent {
            let key = self.key(name);
            literals.push(self.key_literal(key, Form::Present, false));
        }
        literals.sort_unstable();
        literals.dedup();
        let assumptions = self.assumptions(principals.as_ref());
        Region {
            literals,
            assumptions,
            origin,
        }
    }

    fn form(&mut self, key: usize, condition: &Condition, variables: bool) -> Option<(Form, bool)> {
        let names = &mut self.variables;
        let mut variable = |name: &str| symbol_of(names, name);
        self.keys
            .get_mut(key)?
            .condition(condition, variables, &mut variable)
    }

    /// "For GitHub tokens `sub` and `aud` are always present and single": GitHub's documentation of its OIDC tokens.
    /// No subject holds the characters `*` and `?`.
    fn assumptions(&mut self, principals: Option<&Principals>) -> Vec<Literal> {
        let mut out = Vec::new();
        for (name, value) in self.fixed.clone() {
            let letters = value
                .chars()
                .map(|letter| Item::Letter(Symbol::from(letter)));
            let key = self.key(&name);
            if let Some(slot) = self.keys.get_mut(key) {
                let test = slot.text_test(vec![letters.collect()]);
                out.push(self.key_literal(key, Form::Some(test), true));
            }
        }
        let github = principals.is_some_and(|principals| {
            !principals.negated
                && !principals.list.is_empty()
                && principals.list.iter().all(is_github)
        });
        if !github {
            return out;
        }
        let any = Item::Many { colon: true };
        for claim in ["sub", "aud"] {
            let key = self.key(&format!("{GITHUB}:{claim}"));
            out.push(self.key_literal(key, Form::Present, true));
            let wild = ['*', '?'].map(|letter| vec![any, Item::Letter(Symbol::from(letter)), any]);
            let mut never = wild.to_vec();
            never.push(Vec::new());
            if let Some(slot) = self.keys.get_mut(key) {
                if claim == "sub" {
                    slot.style = Some(Style::Subject);
                }
                let test = slot.text_test(never);
                out.push(self.key_literal(key, Form::Some(test), false));
            }
        }
        out
    }

    fn resource_patterns(
        &mut self,
        resources: &Patterns,
        variables: bool,
        absent: &[(String, String)],
    ) -> Vec<Vec<Item>> {
        let absent = defaults(absent);
        let names = &mut self.variables;
        resources
            .list
            .iter()
            .map(|text| {
                let text = substitute(text, variables, &self.fixed, &absent);
                let tokens = resources.resource_tokens(&text, variables);
                strings::items(&tokens, false, &mut |name| symbol_of(names, name))
            })
            .collect()
    }

    /// The literal of a pattern list; `None` where it holds of everything.
    fn strings(
        &mut self,
        dimension: Dimension,
        mut patterns: Vec<Vec<Item>>,
        positive: bool,
    ) -> Option<Literal> {
        patterns.sort();
        patterns.dedup();
        if positive
            && patterns
                .iter()
                .any(|pattern| pattern.as_slice() == [Item::Many { colon: true }])
        {
            return None;
        }
        let atom = self.atom(AtomShape::Strings(dimension, patterns));
        Some(Literal {
            dimension,
            atom,
            positive,
        })
    }

    fn principals(&mut self, principals: &Principals) -> Literal {
        let mut plain = Principals {
            negated: false,
            list: principals.list.clone(),
        };
        plain.list.sort();
        plain.list.dedup();
        let atom = self.atom(AtomShape::Principals(plain));
        Literal {
            dimension: PRINCIPAL,
            atom,
            positive: !principals.negated,
        }
    }

    fn key(&mut self, name: &str) -> usize {
        let lower = name.to_ascii_lowercase();
        if let Some(place) = self.key_ids.get(&lower) {
            return *place;
        }
        self.keys.push(Key::new(name));
        self.key_ids.insert(lower, self.keys.len() - 1);
        self.keys.len() - 1
    }

    fn key_literal(&mut self, key: usize, form: Form, positive: bool) -> Literal {
        let dimension = FIRST_KEY + u32::try_from(key).unwrap_or(u32::MAX - FIRST_KEY);
        let atom = self.atom(AtomShape::Key(dimension, form));
        Literal {
            dimension,
            atom,
            positive,
        }
    }

    fn atom(&mut self, shape: AtomShape) -> AtomId {
        if let Some(id) = self.ids.get(&shape) {
            return *id;
        }
        let id = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        self.atoms.push(match &shape {
            AtomShape::Strings(_, patterns) => Atom::Strings(StringSet::new(patterns.clone())),
            AtomShape::Principals(principals) => {
                self.principal_atoms.push((id, principals.clone()));
                Atom::Principals(Vec::new())
            }
            AtomShape::Key(_, form) => Atom::Form(*form),
        });
        self.ids.insert(shape, id);
        id
    }

    /// The positive literal that holds where one of some positive literals does. A statement has at most one
    /// positive literal of patterns per dimension; a box of several layers keeps the others.
    pub(super) fn union(&mut self, dimension: Dimension, atoms: &[AtomId]) -> Literal {
        if let [only] = atoms {
            return Literal {
                dimension,
                atom: *only,
                positive: true,
            };
        }
        let mut patterns: Vec<Vec<Item>> = Vec::new();
        for atom in atoms {
            if let Some(Atom::Strings(set)) = self.atoms.get(*atom as usize) {
                patterns.extend(set.patterns.iter().cloned());
            }
        }
        patterns.sort();
        patterns.dedup();
        let atom = self.atom(AtomShape::Strings(dimension, patterns));
        Literal {
            dimension,
            atom,
            positive: true,
        }
    }

    /// A point of one dimension that satisfies these literals and one more. Where the point of these satisfies that one
    /// too, no search is needed.
    pub(super) fn solve_with(
        &mut self,
        dimension: Dimension,
        signed: &[(AtomId, bool)],
        more: (AtomId, bool),
    ) -> Result<bool, Exhausted> {
        let mut all = signed.to_vec();
        all.push(more);
        all.sort_unstable();
        if (dimension == ACTION || dimension == RESOURCE)
            && self.model == Model::Fresh
            && !self.memo.contains_key(&(dimension, all.clone()))
            && let Some(Some(Point::Text(text))) = self.memo.get(&(dimension, signed.to_vec()))
            && let Some(Atom::Strings(set)) = self.atoms.get(more.0 as usize)
            && set.contains(text, &self.work)? == more.1
        {
            let point = Point::Text(text.clone());
            self.memo.insert((dimension, all), Some(point));
            return Ok(true);
        }
        Ok(self.solve(dimension, &all)?.is_some())
    }

    /// A point of one dimension that satisfies these literals, if there is one.
    pub(super) fn solve(
        &mut self,
        dimension: Dimension,
        signed: &[(AtomId, bool)],
    ) -> Result<Option<Point>, Exhausted> {
        self.work.spend(1 + signed.len())?;
        let memo_key = (dimension, signed.to_vec());
        if let Some(known) = self.memo.get(&memo_key) {
            return Ok(known.clone());
        }
        let answer = match dimension {
            ACTION | RESOURCE => self.solve_text(dimension, signed)?,
            PRINCIPAL => self.solve_principal(signed)?,
            _ => self.solve_key(dimension, signed)?,
        };
        self.memo.insert(memo_key, answer.clone());
        Ok(answer)
    }

    fn solve_text(
        &mut self,
        dimension: Dimension,
        signed: &[(AtomId, bool)],
    ) -> Result<Option<Point>, Exhausted> {
        let sets = |wanted: bool| -> Vec<&StringSet> {
            signed
                .iter()
                .filter(|(_, sign)| *sign == wanted)
                .filter_map(|(atom, _)| match self.atoms.get(*atom as usize) {
                    Some(Atom::Strings(set)) => Some(set),
                    _ => None,
                })
                .collect()
        };
        let [actions, resources] = &self.domains;
        let (domain, style) = if dimension == ACTION {
            (actions, Style::Plain)
        } else {
            (resources, Style::Arn)
        };
        let (inside, outside) = (sets(true), sets(false));
        let fill = Fill {
            style,
            home: &self.home,
        };
        let found = variables::find(self.model, domain, &inside, &outside, fill, &self.work)?;
        Ok(found.map(Point::Text))
    }

    fn solve_principal(&self, signed: &[(AtomId, bool)]) -> Result<Option<Point>, Exhausted> {
        let masks = signed.iter().filter_map(|(atom, sign)| {
            let Some(Atom::Principals(mask)) = self.atoms.get(*atom as usize) else {
                return None;
            };
            Some((mask, *sign))
        });
        let masks: Vec<(&Vec<bool>, bool)> = masks.collect();
        for place in 0..self.candidates.len() {
            let fits = |(mask, sign): &(&Vec<bool>, bool)| mask.get(place) == Some(sign);
            let fitting = masks.iter().take_while(|one| fits(one)).count();
            self.work.spend(1 + fitting / LOOKED_AT)?;
            if fitting == masks.len() {
                return Ok(Some(Point::Principal(place)));
            }
        }
        Ok(None)
    }

    fn solve_key(
        &mut self,
        dimension: Dimension,
        signed: &[(AtomId, bool)],
    ) -> Result<Option<Point>, Exhausted> {
        let literals: Vec<(Form, bool)> = signed
            .iter()
            .filter_map(|(atom, sign)| match self.atoms.get(*atom as usize) {
                Some(Atom::Form(form)) => Some((*form, *sign)),
                _ => None,
            })
            .collect();
        let Some(key) = self.keys.get((dimension - FIRST_KEY) as usize) else {
            return Ok(None);
        };
        let domain = if key.arn {
            &self.arns
        } else {
            &self.everything
        };
        let world = World {
            model: self.model,
            home: &self.home,
        };
        Ok(key
            .solve(&literals, domain, world, &self.work)?
            .map(Point::Values))
    }

    /// Whether any statement says who may.
    pub(super) fn candidates_matter(&self) -> bool {
        !self.principal_atoms.is_empty()
    }

    /// A key as it is shown.
    pub(super) fn key_spelling<'s>(&'s self, name: &'s str) -> &'s str {
        let place = self.key_ids.get(name);
        place
            .and_then(|place| self.keys.get(*place))
            .map_or(name, |key| key.spelling.as_str())
    }

    /// The key of a dimension, if it is one, in lower case.
    pub(super) fn key_name(&self, dimension: Dimension) -> Option<&str> {
        let place = dimension.checked_sub(FIRST_KEY)?;
        self.keys.get(place as usize).map(|key| key.name.as_str())
    }

    /// Whether a text satisfies the action or resource literals; an action is in lower case.
    pub(super) fn text_satisfies(
        &self,
        signed: &[(AtomId, bool)],
        text: &str,
    ) -> Result<bool, Exhausted> {
        let symbols: Vec<Symbol> = text.chars().map(Symbol::from).collect();
        for (atom, sign) in signed {
            if let Some(Atom::Strings(set)) = self.atoms.get(*atom as usize)
                && set.contains(&symbols, &self.work)? != *sign
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A resource of this type that satisfies the literals and holds no variable.
    pub(super) fn resource_of_type(
        &mut self,
        signed: &[(AtomId, bool)],
        wanted: &ResourceType,
    ) -> Result<Option<String>, Exhausted> {
        // What varies is not empty.
        let pattern = wanted.pattern().replace('*', "?*");
        let tokens = glob::parse_resource(&pattern, false);
        let form = StringSet::new(vec![strings::items(&tokens, false, &mut |_| VARIABLES)]);
        let sets = |wanted: bool| -> Vec<&StringSet> {
            signed
                .iter()
                .filter(|(_, sign)| *sign == wanted)
                .filter_map(|(atom, _)| match self.atoms.get(*atom as usize) {
                    Some(Atom::Strings(set)) => Some(set),
                    _ => None,
                })
                .collect()
        };
        let fill = Fill {
            style: Style::Arn,
            home: &self.home,
        };
        let found = strings::find(&form, &sets(true), &sets(false), fill, &self.work)?;
        Ok(found.and_then(|symbols| symbols.into_iter().map(char::from_u32).collect()))
    }
}

/// An action pattern, in lower case: letter case does not count, so one case is enough.
fn action_pattern(text: &str) -> Vec<Item> {
    let tokens = glob::parse(
        &text.to_ascii_lowercase(),
        Reading {
            wildcards: true,
            variables: false,
        },
    );
    strings::items(&tokens, false, &mut |_| VARIABLES)
}

fn symbol_of(names: &mut Vec<String>, name: &str) -> Symbol {
    let place = names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
    VARIABLES + u32::try_from(place).unwrap_or(0)
}
