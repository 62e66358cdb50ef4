//! From JSON to statements: the grammar of the policy language and its errors.
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements reference".

use std::collections::BTreeSet;

use super::json::{Fault, Member, Node, Value};
use super::kind::PolicyKind;
use super::operator::Operator;
use super::shape::{self, Misshapen};
use super::statement::{Condition, Effect, Patterns, Principal, Principals, Statement};
use super::values;

/// How strictly a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// What IAM accepts when a policy is written.
    Writing,
    /// What has a meaning: also `"Effect": "allow"`, free-form resources, and values of another type.
    Naming,
    /// As `Naming`, and a trust policy's statement with neither principal nor resource is about nobody.
    Meaning,
}

/// A document's elements before positions are turned into lines.
pub(super) struct Parsed {
    pub(super) version_2012: bool,
    pub(super) id: Option<String>,
    pub(super) statements: Vec<Statement>,
    /// Byte offset of each statement, in order.
    pub(super) offsets: Vec<usize>,
}

const TOP_LEVEL: &[&str] = &["Version", "Id", "Statement"];
const ELEMENTS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL_KEYS: &[&str] = &["AWS", "Federated", "Service", "CanonicalUser"];

/// Reads the elements of a document; every fault is collected.
pub(super) fn read(
    node: &Node,
    kind: PolicyKind,
    strictness: Strictness,
) -> Result<Parsed, Vec<Fault>> {
    let mut grammar = Grammar {
        kind,
        strictness,
        faults: Vec::new(),
    };
    let parsed = grammar.document(node);
    match parsed {
        Some(parsed) if grammar.faults.is_empty() => Ok(parsed),
        _ => Err(grammar.faults),
    }
}

struct Grammar {
    kind: PolicyKind,
    strictness: Strictness,
    faults: Vec<Fault>,
}

impl Grammar {
    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn strict(&self) -> bool {
        self.strictness == Strictness::Writing
    }

    /// "Grammar of the IAM JSON policy language": an object of `Version`, `Id` and one statement or a list of them, no
    /// key twice.
    fn document(&mut self, node: &Node) -> Option<Parsed> {
        let Value::Object(members) = &node.value else {
            self.fault(Fault::new(
                node.at,
                format!(
                    "A policy document is an object, not {}.",
                    node.value.type_name()
                ),
            ));
            return None;
        };
        self.check_keys(members, TOP_LEVEL, "a policy document");
        let version_2012 =
            find(members, "Version").is_some_and(|member| self.version(&member.node));
        let id = find(members, "Id").and_then(|member| self.text(&member.node, "Id"));
        let Some(statement) = find(members, "Statement") else {
            self.fault(
                Fault::new(node.at, "The document has no `Statement`.")
                    .hint("Add \"Statement\": [...] with at least one statement."),
            );
            return None;
        };
        let nodes: Vec<&Node> = match &statement.node.value {
            Value::Array(items) => items.iter().collect(),
            _ => vec![&statement.node],
        };
        if nodes.is_empty() {
            self.fault(
                Fault::new(statement.node.at, "`Statement` is empty.")
                    .hint("IAM wants at least one statement."),
            );
        }
        let statements: Vec<Statement> = nodes
            .iter()
            .enumerate()
            .filter_map(|(place, node)| self.statement(node, place + 1))
            .collect();
        self.check_sids(&nodes, &statements);
        Some(Parsed {
            version_2012,
            id,
            statements,
            offsets: nodes.iter().map(|node| node.at).collect(),
        })
    }

    /// "IAM JSON policy elements: Version": two values, and the older one where it is absent.
    fn version(&mut self, node: &Node) -> bool {
        match &node.value {
            Value::String(text) if text == "2012-10-17" => true,
            Value::String(text) if text == "2008-10-17" => false,
            Value::String(text) => {
                self.fault(
                    Fault::new(
                        node.at,
                        format!("`{text}` is not a version of the policy language."),
                    )
                    .hint("Use \"2012-10-17\"."),
                );
                false
            }
            other => {
                self.fault(Fault::new(
                    node.at,
                    format!("`Version` is a string, not {}.", other.type_name()),
                ));
                false
            }
        }
    }

    /// "IAM JSON policy elements: Sid": unique within a policy.
    fn check_sids(&mut self, nodes: &[&Node], statements: &[Statement]) {
        if !self.strict() {
            return;
        }
        let mut seen = BTreeSet::new();
        for statement in statements {
            let Some(sid) = &statement.sid else { continue };
            if !seen.insert(sid) {
                let at = nodes.get(statement.index - 1).map_or(0, |node| node.at);
                self.fault(
                    Fault::new(at, format!("The Sid `{sid}` is used twice."))
                        .hint("Sids are unique within a policy."),
                );
            }
        }
    }

    fn check_keys(&mut self, members: &[Member], known: &[&str], of: &str) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for member in members {
            if !seen.insert(&member.key) {
                self.fault(Fault::new(
                    member.key_at,
                    format!("The key `{}` stands twice in {of}.", member.key),
                ));
            }
            if !known.contains(&member.key.as_str()) {
                let fault = Fault::new(
                    member.key_at,
                    format!("`{}` is not an element of {of}.", member.key),
                );
                let hint = values::nearest(&member.key, known.iter().copied()).map_or_else(
                    || format!("Known: {}.", known.join(", ")),
                    |name| format!("Did you mean `{name}`?"),
                );
                self.fault(fault.hint(hint));
            }
        }
    }

    fn text(&mut self, node: &Node, element: &str) -> Option<String> {
        if let Value::String(text) = &node.value {
            return Some(text.clone());
        }
        self.fault(Fault::new(
            node.at,
            format!("`{element}` is a string, not {}.", node.value.type_name()),
        ));
        None
    }

    /// "Grammar of the IAM JSON policy language": a statement's elements; `Effect` and one of `Action` and `NotAction`
    /// must stand in it.
    fn statement(&mut self, node: &Node, index: usize) -> Option<Statement> {
        let Value::Object(members) = &node.value else {
            self.fault(Fault::new(
                node.at,
                format!("A statement is an object, not {}.", node.value.type_name()),
            ));
            return None;
        };
        self.check_keys(members, ELEMENTS, "a statement");
        let sid = find(members, "Sid").and_then(|member| self.sid(&member.node));
        let effect = self.effect(node, members);
        let principals = self.principals(node, members);
        let actions = self.patterns(members, "Action", "NotAction");
        if actions.is_none()
            && find(members, "Action")
                .or(find(members, "NotAction"))
                .is_none()
        {
            self.fault(Fault::new(
                node.at,
                "The statement has neither `Action` nor `NotAction`.",
            ));
        }
        let resources = self.resources(node, members);
        let conditions = find(members, "Condition")
            .map(|member| self.conditions(&member.node))
            .unwrap_or_default();
        let (effect, actions) = (effect?, actions?);
        Some(Statement {
            index,
            line: 0,
            sid,
            effect,
            principals,
            actions,
            resources,
            conditions,
        })
    }

    /// "IAM JSON policy elements: Sid": letters and digits; of what is empty nothing is left.
    fn sid(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "Sid")?;
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // Services with resource policies of their own allow more than IAM does.
        if self.strict() && self.kind != PolicyKind::Resource && !plain {
            self.fault(
                Fault::new(
                    node.at,
                    format!("The Sid `{text}` has characters that IAM refuses."),
                )
                .hint("A Sid holds letters and digits only."),
            );
        }
        (!text.is_empty()).then_some(text)
    }

    /// "IAM JSON policy elements: Effect": the value is case-sensitive.
    fn effect(&mut self, node: &Node, members: &[Member]) -> Option<Effect> {
        let Some(member) = find(members, "Effect") else {
            self.fault(
                Fault::new(node.at, "The statement has no `Effect`.")
                    .hint("Add \"Effect\": \"Allow\" or \"Deny\"."),
            );
            return None;
        };
        let text = self.text(&member.node, "Effect")?;
        let effect = match text.as_str() {
            "Allow" => return Some(Effect::Allow),
            "Deny" => return Some(Effect::Deny),
            other if other.eq_ignore_ascii_case("allow") => Some(Effect::Allow),
            other if other.eq_ignore_ascii_case("deny") => Some(Effect::Deny),
            _ => None,
        };
        if self.strict() || effect.is_none() {
            self.fault(
                Fault::new(member.node.at, format!("`{text}` is not an effect."))
                    .hint("Use \"Allow\" or \"Deny\", spelt exactly so."),
            );
        }
        effect
    }

    /// "IAM JSON policy elements: `NotAction`", "... `NotResource`": in the place of the plain element, never beside it.
    fn patterns(&mut self, members: &[Member], plain: &str, negative: &str) -> Option<Patterns> {
        let (member, negated) = match (find(members, plain), find(members, negative)) {
            (Some(_), Some(member)) => {
                self.fault(
                    Fault::new(
                        member.key_at,
                        format!("The statement has both `{plain}` and `{negative}`."),
                    )
                    .hint("Keep one of them."),
                );
                return None;
            }
            (Some(member), None) => (member, false),
            (None, Some(member)) => (member, true),
            (None, None) => return None,
        };
        let list = self.strings(&member.node, &member.key)?;
        if plain == "Action" {
            for (text, at) in &list {
                self.shape(shape::action_pattern(text), *at);
            }
        } else if self.strict() {
            for (text, at) in &list {
                self.shape(shape::resource_pattern(text), *at);
            }
        }
        Some(Patterns {
            negated,
            list: list.into_iter().map(|(text, _)| text).collect(),
            over_fields: false,
        })
    }

    fn shape(&mut self, found: Result<(), Misshapen>, at: usize) {
        if let Err(Misshapen { message, hint }) = found {
            self.fault(Fault::new(at, message).hint(hint));
        }
    }

    /// "IAM JSON policy elements: Resource": an identity policy has it or `NotResource`; a trust policy has neither,
    /// since its resource is the role; any other resource policy may leave it to the resource that it is
    /// attached to.
    fn resources(&mut self, node: &Node, members: &[Member]) -> Option<Patterns> {
        let patterns = self.patterns(members, "Resource", "NotResource");
        let member = find(members, "Resource").or(find(members, "NotResource"));
        let named = find(members, "Principal").or(find(members, "NotPrincipal"));
        match (self.kind, member) {
            // With a principal it is a policy of another kind, which that error says.
            (PolicyKind::Identity, None) if named.is_none() => {
                self.fault(Fault::new(
                    node.at,
                    "The statement has neither `Resource` nor `NotResource`.",
                ));
            }
            (PolicyKind::Trust, Some(member)) if self.strict() => {
                self.fault(
                    Fault::new(
                        member.key_at,
                        format!("A trust policy has no `{}`.", member.key),
                    )
                    .hint("Remove it: the resource is the role itself."),
                );
            }
            _ => {}
        }
        patterns
    }

    /// A string or a list of strings, with positions; a list is not empty.
    fn strings(&mut self, node: &Node, element: &str) -> Option<Vec<(String, usize)>> {
        let items: Vec<&Node> = match &node.value {
            Value::Array(items) => items.iter().collect(),
            _ => vec![node],
        };
        if items.is_empty() {
            self.fault(Fault::new(
                node.at,
                format!("`{element}` is an empty list."),
            ));
            return None;
        }
        let mut out = Vec::new();
        for item in items {
            out.push((self.text(item, element)?, item.at));
        }
        Some(out)
    }

    /// "AWS JSON policy elements: Principal", "... `NotPrincipal`": one of them, and neither in an identity policy.
    fn principals(&mut self, node: &Node, members: &[Member]) -> Option<Principals> {
        let (member, negated) = match (find(members, "Principal"), find(members, "NotPrincipal")) {
            (Some(_), Some(member)) => {
                self.fault(Fault::new(
                    member.key_at,
                    "The statement has both `Principal` and `NotPrincipal`.",
                ));
                return None;
            }
            (Some(member), None) => (member, false),
            (None, Some(member)) => (member, true),
            (None, None) => return self.no_principal(node, members),
        };
        if self.kind == PolicyKind::Identity {
            self.fault(
                Fault::new(member.key_at, format!("An identity policy has no `{}`.", member.key))
                    .hint("Remove it: the policy applies to whom it is attached to. Is this a trust policy (--kind trust)?"),
            );
            return None;
        }
        let list = self.principal_list(&member.node, &member.key)?;
        if list.is_empty() && self.strictness != Strictness::Meaning {
            self.fault(Fault::new(
                member.node.at,
                format!("`{}` names nobody.", member.key),
            ));
        }
        Some(Principals { negated, list })
    }

    /// "AWS JSON policy elements: Principal": an identity policy has none; every other names somebody.
    fn no_principal(&mut self, node: &Node, members: &[Member]) -> Option<Principals> {
        let named = find(members, "Resource").or(find(members, "NotResource"));
        let nobody = Principals {
            negated: false,
            list: Vec::new(),
        };
        match (self.kind, named) {
            (PolicyKind::Identity, _) => return None,
            (PolicyKind::Trust, None) if self.strictness == Strictness::Meaning => {
                return Some(nobody);
            }
            _ => {}
        }
        let hint = if named.is_some() && !self.strict() {
            "A trust or resource policy says who may: add \"Principal\". Is this an identity policy (--kind identity)?"
        } else {
            "A trust or resource policy says who may: add \"Principal\"."
        };
        self.fault(Fault::new(node.at, "The statement has no `Principal`.").hint(hint));
        Some(nobody)
    }

    /// "AWS JSON policy elements: Principal": `"*"`, or an object from kind to one value or a list.
    fn principal_list(&mut self, node: &Node, element: &str) -> Option<Vec<Principal>> {
        let members = match &node.value {
            Value::String(text) if text == "*" => return Some(vec![Principal::Everyone]),
            Value::String(text) if !self.strict() => return Some(vec![Principal::from_aws(text)]),
            Value::Object(members) => members,
            other => {
                self.fault(
                    Fault::new(
                        node.at,
                        format!(
                            "`{element}` is \"*\" or an object, not {}.",
                            other.type_name()
                        ),
                    )
                    .hint("Write {\"AWS\": ...}, {\"Service\": ...} or {\"Federated\": ...}."),
                );
                return None;
            }
        };
        self.check_keys(members, PRINCIPAL_KEYS, &format!("`{element}`"));
        let mut out = Vec::new();
        for member in members {
            if matches!(&member.node.value, Value::Array(items) if items.is_empty()) {
                continue;
            }
            for (text, _) in self.strings(&member.node, &member.key)? {
                out.push(match member.key.as_str() {
                    "AWS" => Principal::from_aws(&text),
                    "Federated" => Principal::Federated(text),
                    "Service" => Principal::Service(text),
                    _ => Principal::CanonicalUser(text),
                });
            }
        }
        Some(out)
    }

    /// "IAM JSON policy elements: Condition": operator → key → one value or a list. Operators and keys must all hold
    /// ("Multiple context keys or values": a logical AND), of a key's values one (a logical OR).
    fn conditions(&mut self, node: &Node) -> Vec<Condition> {
        let Value::Object(operators) = &node.value else {
            self.fault(Fault::new(
                node.at,
                format!("`Condition` is an object, not {}.", node.value.type_name()),
            ));
            return Vec::new();
        };
        let mut out = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for member in operators {
            let Some(operator) = Operator::parse(&member.key) else {
                let fault = Fault::new(
                    member.key_at,
                    format!("`{}` is not a condition operator.", member.key),
                );
                let hint = values::nearest(&member.key, Operator::names()).map_or_else(
                    || "See the IAM guide, condition operators.".to_owned(),
                    |name| format!("Did you mean `{name}`?"),
                );
                self.fault(fault.hint(hint));
                continue;
            };
            if !seen.insert(self.spelling(&member.key)) {
                self.fault(Fault::new(
                    member.key_at,
                    format!("The operator `{}` stands twice.", member.key),
                ));
            }
            self.condition_keys(operator, &member.node, &mut out);
        }
        out
    }

    fn condition_keys(&mut self, operator: Operator, node: &Node, out: &mut Vec<Condition>) {
        let Value::Object(keys) = &node.value else {
            self.fault(Fault::new(
                node.at,
                format!(
                    "`{operator}` holds an object from keys to values, not {}.",
                    node.value.type_name()
                ),
            ));
            return;
        };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for member in keys {
            if !seen.insert(self.spelling(&member.key)) {
                self.fault(Fault::new(
                    member.key_at,
                    format!("The key `{}` stands twice under `{operator}`.", member.key),
                ));
            }
            let items: Vec<&Node> = match &member.node.value {
                Value::Array(items) => items.iter().collect(),
                _ => vec![&member.node],
            };
            if items.is_empty() {
                self.fault(Fault::new(
                    member.node.at,
                    format!("The condition on `{}` has no value.", member.key),
                ));
            }
            let values = items
                .into_iter()
                .filter_map(|item| self.condition_value(operator, item))
                .collect();
            out.push(Condition {
                operator,
                key: member.key.clone(),
                values,
            });
        }
    }

    /// "Condition key names are not case-sensitive": keys that differ in letter case are the same key; both conditions
    /// hold, but IAM refuses to store them.
    fn spelling(&self, key: &str) -> String {
        if self.strict() {
            key.to_ascii_lowercase()
        } else {
            key.to_owned()
        }
    }

    /// "Grammar of the IAM JSON policy language": values are strings, numbers and booleans, and quoted ones are the same.
    fn condition_value(&mut self, operator: Operator, node: &Node) -> Option<String> {
        let text = match &node.value {
            Value::String(text) | Value::Number(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            other => {
                self.fault(Fault::new(
                    node.at,
                    format!(
                        "A condition's value is a string, not {}.",
                        other.type_name()
                    ),
                ));
                return None;
            }
        };
        if self.strict()
            && let Err(hint) = values::check(operator.comparison, &text)
        {
            self.fault(
                Fault::new(
                    node.at,
                    format!("`{text}` is not a value for `{operator}`."),
                )
                .hint(hint),
            );
        }
        Some(text)
    }
}

fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.key == key)
}
