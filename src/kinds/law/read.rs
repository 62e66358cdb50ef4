//! The documents that the law needs and that are in no spec: AWS managed policies, other people's.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use super::IamLaw;
use crate::aws::iam::{self, Account};
use crate::aws::{self, Aws};
use crate::error::Result;
use crate::kind::{Law, Scope};
use crate::kinds::identity::{self, Names};
use crate::policy::{Document, Home, PolicyKind};

/// The law for this run.
///
/// # Errors
/// What AWS answers.
pub async fn observe(aws: &Aws, scope: &Scope) -> Result<Box<dyn Law>> {
    Ok(Box::new(IamLaw::read(aws, scope).await?))
}

impl IamLaw {
    /// Reads the documents of what the roles of the plan have or will have attached. One that
    /// is not there, or not a policy that we read, stays unknown; one that may not be read is an error.
    ///
    /// # Errors
    /// What AWS answers.
    pub async fn read(aws: &Aws, scope: &Scope) -> Result<Self> {
        let account = iam::account(aws).await?;
        let mut law = Self::default();
        let home = scope.config.project.home();
        let mut missing = Vec::new();
        for arn in used(&account, scope) {
            match account.policies.get(arn) {
                Some(policy) => law.insert(arn, &policy.document, &home),
                None => missing.push(arn),
            }
        }
        let read = missing.into_iter().map(|arn| async move {
            let text = iam::policy_document(aws, arn).await?;
            Ok::<_, aws::Error>((arn, text))
        });
        for (arn, text) in try_join_all(read).await? {
            match text.as_deref() {
                Some(text) => law.insert(arn, text, &home),
                None => law.miss(arn, "there is none.".to_owned()),
            }
        }
        Ok(law)
    }

    fn insert(&mut self, arn: &str, text: &str, home: &Home) {
        match Document::parse_encoded(text, PolicyKind::Identity) {
            Ok(document) => {
                self.documents
                    .insert(arn.to_owned(), document.at_home(home));
            }
            Err(errors) => {
                let first = errors.first().map(|error| error.message.clone());
                self.miss(arn, first.unwrap_or_default());
            }
        }
    }

    fn miss(&mut self, arn: &str, why: String) {
        self.unread.insert(arn.to_owned(), why);
    }
}

/// The ARNs that the live roles of the plan use, and those that they are to use. A role that is made
/// in this plan has nothing to lose and gets only what the goal gives: its policies are not read.
fn used<'a>(account: &'a Account, scope: &'a Scope) -> BTreeSet<&'a str> {
    let names = Names::new(&scope.config.roles);
    let mut used = BTreeSet::new();
    for role in account.roles.values() {
        if !identity::in_plan(role, &names, scope) {
            continue;
        }
        used.extend(role.managed_policies.iter().map(String::as_str));
        used.extend(role.permissions_boundary.as_deref());
        let declared = names
            .declared(&role.name)
            .and_then(|name| scope.config.roles.get(name));
        let Some(declared) = declared else { continue };
        let references = declared
            .managed_policies
            .iter()
            .chain(&declared.permissions_boundary);
        used.extend(
            references
                .filter(|policy| policy.declared.is_none())
                .map(|policy| policy.arn.as_str()),
        );
    }
    used
}
