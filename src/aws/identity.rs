//! Who runs: `GetCallerIdentity`, asked once per run and before anything else is read, so that no
//! account but the one of infra.toml is ever looked at.

use super::{Aws, Error};
use crate::error;

/// The identity of the run's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that they belong to.
    pub account_id: String,
    /// Of the user, or of the assumed role's session.
    pub arn: String,
}

impl Identity {
    /// The name of the role whose session this is; `None` for a user.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        let (_, resource) = self.arn.split_once(":assumed-role/")?;
        resource.split('/').next()
    }
}

impl Aws {
    /// The identity of the run; an error where it belongs to another account than infra.toml's.
    pub async fn identity(&self) -> error::Result<&Identity> {
        self.identity.get_or_try_init(|| self.identify()).await
    }

    /// The identity of the run's credentials, whatever account they belong to.
    pub async fn caller(&self) -> error::Result<Identity> {
        let answer = self
            .read("sts:GetCallerIdentity", |clients| async move {
                clients.sts.get_caller_identity().send().await
            })
            .await?;
        let (Some(account_id), Some(arn)) = (answer.account, answer.arn) else {
            return Err(Error::unreadable("sts:GetCallerIdentity names no account.").into());
        };
        Ok(Identity { account_id, arn })
    }

    async fn identify(&self) -> error::Result<Identity> {
        let Identity { account_id, arn } = self.caller().await?;
        if account_id != self.account_id {
            return Err(error::Error::failed(format!(
                "The credentials belong to account {account_id} ({arn}), and infra.toml is for \
                 account {}. Nothing was read or written.",
                self.account_id
            ))
            .hint(
                "Choose other credentials with --profile or AWS_PROFILE, or correct `account_id` \
                 under [project].",
            ));
        }
        Ok(Identity { account_id, arn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_names_its_role_and_a_user_none() {
        let identity = |arn: &str| Identity {
            account_id: "1".to_owned(),
            arn: arn.to_owned(),
        };
        let session = identity("arn:aws:sts::1:assumed-role/Deploy/run-7");
        assert_eq!(session.role_name(), Some("Deploy"));
        assert_eq!(identity("arn:aws:iam::1:user/x").role_name(), None);
    }
}
