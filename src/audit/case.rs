//! What the rules judge: the facts, the trust policies read as GitHub tokens, and the way from git to production.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::config::Position;
use crate::policy::{Statement, StatementRef, Witness};
use crate::reach::{Facts, Graph, Held, Holder, ISSUER, State, TrustText, subject};

use super::finding::{Confidence, Evidence, Finding, Severity};
use super::trust::Trust;
use super::{About, Day};

/// Everything that a rule may ask.
pub struct Case<'a> {
    /// What is declared and what is there.
    pub facts: &'a Facts<'a>,
    /// The day of the audit.
    pub today: Day,
    now: i64,
    /// Every trust policy for GitHub, declared and live, and with its letter case mended.
    pub(super) trusts: Vec<Trust<'a>>,
    graph: OnceCell<Graph>,
}

impl<'a> Case<'a> {
    /// Reads the trust policies.
    #[must_use]
    pub fn new(facts: &'a Facts<'a>, now: i64) -> Self {
        let declared = facts.repository();
        let trusts = facts
            .trusts()
            .flat_map(|(role, _, held)| Trust::read(role, held, declared.as_ref()))
            .collect();
        Self {
            facts,
            today: Day::of(now),
            now,
            trusts,
            graph: OnceCell::new(),
        }
    }

    /// The way from git refs to what runs.
    pub fn graph(&self) -> &Graph {
        self.graph.get_or_init(|| {
            let texts: Vec<TrustText<'_>> = self
                .trusts
                .iter()
                .map(|trust| TrustText {
                    role: trust.role,
                    document: &trust.document,
                    mended: trust.mended,
                    repositories: trust.repositories(),
                })
                .collect();
            self.facts.graph(&texts)
        })
    }

    /// The audiences of GitHub's provider: as infra.toml declares them, else as they are.
    #[must_use]
    pub fn audiences(&self, providers: &[String]) -> Option<Vec<String>> {
        if let Some(declared) = self.facts.config.oidc_providers.get(ISSUER) {
            return Some(declared.client_ids.clone());
        }
        let live = providers
            .iter()
            .find_map(|arn| self.facts.account.providers.get(arn))?;
        Some(live.client_ids.clone())
    }

    /// When the audit is: seconds since the Unix epoch.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.now
    }

    /// The roles that GitHub's tokens are meant to assume, in each of their states.
    pub fn ci_states(&self) -> impl Iterator<Item = (&'a Holder, &'a State)> {
        let roles: BTreeSet<&str> = self
            .trusts
            .iter()
            .map(|trust| trust.role.address.as_str())
            .collect();
        let facts = self.facts;
        facts
            .roles()
            .filter(move |role| roles.contains(role.address.as_str()))
            .flat_map(|role| role.states.iter().map(move |state| (role, state)))
    }

    /// The declared service whose task definitions are of this family.
    #[must_use]
    pub fn family(&self, family: &str) -> Option<String> {
        let mut services = self.facts.config.services.iter();
        services
            .find(|(_, service)| service.task.family == family)
            .map(|(key, _)| key.clone())
    }

    /// Where an address is declared; the line of `[project]` for what is not.
    #[must_use]
    pub fn declaration(&self, address: &str) -> Position {
        let config = self.facts.config;
        config.declarations.get(address).map_or_else(
            || config.project.position.clone(),
            |found| found.position.clone(),
        )
    }

    /// Where a statement stands; without a file of its own, where its holder is declared.
    #[must_use]
    pub fn place(&self, address: &str, held: &Held, statement: Option<&Statement>) -> Position {
        match (&held.path, statement) {
            (Some(path), Some(statement)) if *path != self.facts.config.path => {
                let line = held
                    .document
                    .text()
                    .lines()
                    .nth(statement.line.saturating_sub(1))
                    .unwrap_or_default();
                let column = line
                    .chars()
                    .take_while(|letter| letter.is_whitespace())
                    .count()
                    + 1;
                Position {
                    path: path.clone(),
                    line: statement.line,
                    column,
                }
            }
            (Some(path), None) if *path != self.facts.config.path => Position {
                path: path.clone(),
                line: 1,
                column: 1,
            },
            _ => self.declaration(address),
        }
    }

    /// A finding about a resource.
    #[must_use]
    pub fn finding(
        &self,
        about: &'static About,
        address: &str,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            rule: about.id,
            severity: about.severity,
            confidence: about.confidence,
            address: address.to_owned(),
            message: message.into(),
            evidence: Vec::new(),
            location: self.declaration(address),
            remedy: about.remedy.to_owned(),
            revert: None,
            accept: None,
        }
    }

    /// A finding that a holder may make a request.
    #[must_use]
    pub fn held_finding(
        &self,
        about: &'static About,
        holder: &Holder,
        state: &State,
        witness: &Witness,
        message: &str,
    ) -> Finding {
        let mut finding = self.finding(about, &holder.address, message);
        let held = state.held(witness);
        if let Some(held) = held {
            let statement = held
                .document
                .statements()
                .iter()
                .find(|one| one.index == witness.statement.index);
            let source = if held.name.starts_with("policy/") {
                held.name.clone()
            } else {
                holder.address.clone()
            };
            finding.location = self.place(&source, held, statement);
        }
        let request = &witness.request;
        let what = format!("{} on {} is allowed", request.action, request.resource);
        finding.evidence(Evidence::allowed(
            what,
            held.map(|held| held.name.clone()).unwrap_or_default(),
            witness,
        ))
    }

    /// A finding about a statement of a trust policy.
    pub(super) fn trust_finding(
        &self,
        about: &'static About,
        trust: &Trust<'a>,
        statement: Option<&Statement>,
        message: &str,
    ) -> Finding {
        let message = if trust.mended {
            format!("With the letter case mended: {message}")
        } else {
            message.to_owned()
        };
        let address = &trust.role.address;
        let mut finding = self.finding(about, address, message);
        finding.location = self.place(address, trust.held, statement);
        if let Some(statement) = statement {
            finding.evidence.push(Evidence::Statement {
                policy: trust.held.name.clone(),
                statement: StatementRef::of(statement),
                what: format!("trusts {}", trust.providers.join(", ")),
            });
        }
        finding
    }

    /// A finding that a token passes.
    pub(super) fn token_finding(
        &self,
        about: &'static About,
        trust: &Trust<'a>,
        witness: &Witness,
        message: &str,
    ) -> Finding {
        let mut finding = self.trust_finding(about, trust, trust.statement(witness), message);
        finding.evidence = vec![token(trust, witness)];
        finding
    }
}

/// The evidence that a token passes.
pub(super) fn token(trust: &Trust<'_>, witness: &Witness) -> Evidence {
    let what = match subject(&witness.request) {
        Some(subject) => format!("a token with the subject {subject} is let in"),
        None => format!("{} is let in", witness.request.principal.text()),
    };
    Evidence::allowed(what, trust.held.name.clone(), witness)
}

impl Finding {
    /// With another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With another confidence.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// With one more piece of evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// At another place.
    #[must_use]
    pub fn at(mut self, location: Position) -> Self {
        self.location = location;
        self
    }

    /// With another remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}
