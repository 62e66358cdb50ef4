//! GitHub's tokens: the forms of their subjects, and sets of tokens as trust policies to ask with.
//! Source: docs.github.com, "OpenID Connect reference".

use serde_json::{Value, json};

use super::requests::Requests;
pub use crate::config::Github as GithubRepository;
use crate::policy::{Document, PolicyKind, Principal, Statement};

/// The issuer of GitHub's tokens: the end of the provider's ARN, and the prefix of its condition keys.
pub const ISSUER: &str = "token.actions.githubusercontent.com";

/// The audience that AWS's own action asks for.
pub const AUDIENCE: &str = "sts.amazonaws.com";

/// A name for what nothing is called, so that only "any" can mean it.
const ANY: &str = "any";

impl GithubRepository {
    /// A repository by its names alone.
    #[must_use]
    pub fn named(owner: &str, name: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            owner_id: None,
            repository_id: None,
        }
    }

    /// `OWNER/NAME`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What subjects begin with: the form with names, and the form with ids (as a pattern where they are not known).
    #[must_use]
    pub fn prefixes(&self) -> [String; 2] {
        let number = |id: Option<u64>| id.map_or_else(|| "*".to_owned(), |id| id.to_string());
        let Self {
            owner,
            name,
            owner_id,
            repository_id,
        } = self;
        [
            format!("repo:{owner}/{name}"),
            format!(
                "repo:{owner}@{}/{name}@{}",
                number(*owner_id),
                number(*repository_id)
            ),
        ]
    }

    /// Subject patterns of this repository's tokens, customised templates included: a colon inside a claim is
    /// written `%3A`, so a whole part of a subject cannot be forged from another one.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        let full = self.full_name();
        let mut out = vec![
            format!("repository:{full}:*"),
            format!("*:repository:{full}:*"),
            format!("*:repository:{full}"),
        ];
        for prefix in self.prefixes() {
            out.extend([
                format!("{prefix}:*"),
                format!("*:{prefix}:*"),
                format!("*:{prefix}"),
            ]);
        }
        if let Some(id) = self.repository_id {
            out.extend([
                format!("repository_id:{id}:*"),
                format!("*:repository_id:{id}:*"),
                format!("*:repository_id:{id}"),
            ]);
        }
        out
    }
}

/// A family of GitHub's subjects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Runs on the default branch, of `pull_request_target` and `workflow_run` too.
    DefaultBranch(String),
    /// Runs on every other branch.
    OtherBranch(String),
    /// Runs on a tag.
    Tag,
    /// Pull requests from within the repository; those from a fork get no token.
    PullRequest,
    /// Jobs of this environment.
    Environment(String),
    /// Jobs of any other environment: a workflow makes one by naming it.
    OtherEnvironment(Vec<String>),
}

impl Family {
    /// Every family, for a default branch and these environments.
    #[must_use]
    pub fn all(default_branch: &str, environments: &[String]) -> Vec<Self> {
        let mut out = vec![
            Self::DefaultBranch(default_branch.to_owned()),
            Self::OtherBranch(default_branch.to_owned()),
            Self::Tag,
            Self::PullRequest,
        ];
        out.extend(environments.iter().cloned().map(Self::Environment));
        out.push(Self::OtherEnvironment(environments.to_vec()));
        out
    }

    /// Whether anybody who may push can make such a token, by naming a branch or an environment.
    #[must_use]
    pub fn is_anybodys(&self) -> bool {
        matches!(self, Self::OtherBranch(_) | Self::OtherEnvironment(_))
    }

    /// The family in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::DefaultBranch(name) => format!("default branch {name}"),
            Self::OtherBranch(_) => "any other branch".to_owned(),
            Self::Tag => "any tag".to_owned(),
            Self::PullRequest => "pull requests".to_owned(),
            Self::Environment(name) => format!("environment {name}"),
            Self::OtherEnvironment(_) => "any other environment".to_owned(),
        }
    }

    /// What follows the repository in the subject, and the patterns of `ref` and `environment` of such a token; `None`
    /// where a token has no such claim. The ref of an environment's job may be any.
    fn claims(&self, any: &str) -> (String, String, Option<String>) {
        let branch = |name: &str| {
            let full = format!("refs/heads/{name}");
            (format!("ref:{}", full.replace(':', "%3A")), full, None)
        };
        match self {
            Self::DefaultBranch(name) => branch(name),
            Self::OtherBranch(_) => branch(any),
            Self::Tag => (
                format!("ref:refs/tags/{any}"),
                format!("refs/tags/{any}"),
                None,
            ),
            Self::PullRequest => ("pull_request".to_owned(), "refs/pull/*".to_owned(), None),
            Self::Environment(name) => (
                format!("environment:{}", name.replace(':', "%3A")),
                "*".to_owned(),
                Some(name.clone()),
            ),
            Self::OtherEnvironment(_) => (
                format!("environment:{any}"),
                "*".to_owned(),
                Some(any.to_owned()),
            ),
        }
    }

    /// The members of the family that are families of their own.
    fn except(&self) -> Vec<String> {
        match self {
            Self::OtherBranch(default) => vec![format!("ref:refs/heads/{default}")],
            Self::OtherEnvironment(names) => names
                .iter()
                .map(|name| format!("environment:{name}"))
                .collect(),
            Self::DefaultBranch(_) | Self::Tag | Self::PullRequest | Self::Environment(_) => {
                Vec::new()
            }
        }
    }

    /// All tokens of this family of a repository.
    #[must_use]
    pub fn tokens(&self, providers: &[String], repository: &GithubRepository) -> Requests {
        // A name has at least one letter.
        self.claimed(providers, repository, "?*", &self.except())
    }

    /// One token of this family, by a name that nothing trusts by itself: it stands for all of the family.
    #[must_use]
    pub fn any(&self, providers: &[String], repository: &GithubRepository) -> Requests {
        self.claimed(providers, repository, ANY, &[])
    }

    fn claimed(
        &self,
        providers: &[String],
        repository: &GithubRepository,
        any: &str,
        except: &[String],
    ) -> Requests {
        let (context, reference, environment) = self.claims(any);
        let of = |context: &String| {
            repository
                .prefixes()
                .map(|prefix| format!("{prefix}:{context}"))
        };
        let mut conditions = json!({
            "StringLike": { key("sub"): of(&context) },
            "StringLikeIfExists": { key("repository"): repository.full_name(), key("ref"): reference },
        });
        let except: Vec<String> = except.iter().flat_map(of).collect();
        if let Some(conditions) = conditions.as_object_mut() {
            if !except.is_empty() {
                conditions.insert("StringNotLike".to_owned(), json!({ key("sub"): except }));
            }
            match (environment, conditions.get_mut("StringLikeIfExists")) {
                (Some(environment), Some(Value::Object(optional))) => {
                    optional.insert(key("environment"), json!(environment));
                }
                _ => {
                    conditions.insert("Null".to_owned(), json!({ key("environment"): "true" }));
                }
            }
        }
        Requests::tokens(providers, &[conditions])
    }
}

/// The condition key of a claim.
#[must_use]
pub fn key(claim: &str) -> String {
    format!("{ISSUER}:{claim}")
}

/// Whether a principal is GitHub's provider.
#[must_use]
pub fn is_github(principal: &Principal) -> bool {
    matches!(principal, Principal::Federated(arn) if arn.ends_with(&format!(":oidc-provider/{ISSUER}")))
}

/// The ARNs of GitHub's provider that a statement names.
#[must_use]
pub fn federated(statement: &Statement) -> Vec<String> {
    let list = statement
        .principals
        .iter()
        .filter(|principals| !principals.negated)
        .flat_map(|one| &one.list);
    list.filter(|principal| is_github(principal))
        .map(|principal| principal.tagged().1.to_owned())
        .collect()
}

/// The document with every `OWNER/NAME` that differs from the repository's in letter case only written as GitHub
/// writes it; `None` where there is no such thing.
#[must_use]
pub fn mend(document: &Document, repository: &GithubRepository) -> Option<Document> {
    let text = document.text();
    let lower = text.to_ascii_lowercase();
    let owner = repository.owner.to_ascii_lowercase();
    let mut out = text.to_owned();
    for (at, _) in lower.match_indices(&format!("repo:{owner}")) {
        let owner_at = at + "repo:".len();
        replace(&mut out, owner_at, &repository.owner);
        let after = owner_at + owner.len();
        let name_at = lower
            .get(after..)?
            .find('/')
            .map(|slash| after + slash + 1)?;
        let between = lower
            .get(after..name_at.saturating_sub(1))
            .unwrap_or_default();
        let name = repository.name.to_ascii_lowercase();
        let plain = between.is_empty() || between.starts_with('@') && !between.contains(['"', ':']);
        if plain
            && lower
                .get(name_at..)
                .is_some_and(|rest| rest.starts_with(&name))
        {
            replace(&mut out, name_at, &repository.name);
        }
    }
    (out != text)
        .then(|| Document::read(&out, PolicyKind::Trust).ok())
        .flatten()
}

/// Writes a text of the same length over another.
fn replace(text: &mut String, at: usize, new: &str) {
    let end = at + new.len();
    if text
        .get(at..end)
        .is_some_and(|old| old.eq_ignore_ascii_case(new))
    {
        text.replace_range(at..end, new);
    }
}
