//! What the user can do about an error of AWS: the missing IAM action by its name, how to renew
//! credentials, which quota to raise.

use super::error::{CREDENTIALS, REFUSED};
use super::{Class, Error};

/// Prefixes in IAM where they differ from the ones in `Error::operation`.
const PREFIXES: &[(&str, &str)] = &[("tagging", "tag"), ("secrets", "secretsmanager")];

/// What to do next, where there is something to say.
pub(super) fn of(error: &Error) -> Option<String> {
    match error.class {
        Class::AccessDenied => Some(access_denied(error)),
        Class::Credentials => Some(credentials(error).to_owned()),
        Class::Quota => Some(
            "A quota of the account is reached: remove what is not needed, or ask AWS for more \
             with `aws service-quotas request-service-quota-increase`."
                .to_owned(),
        ),
        Class::Throttled => Some(
            "AWS refuses the rate of requests; others in the account share it. Wait a minute and \
             run the same command again, with a lower --parallelism if it persists."
                .to_owned(),
        ),
        Class::Unsupported => Some(
            "The endpoint does not know this operation: check --endpoint-url, or use one that does."
                .to_owned(),
        ),
        Class::Unsettled => Some(
            "This was tried for two minutes, so the role is not merely new: check that it exists \
             and that its trust policy names the service."
                .to_owned(),
        ),
        Class::Passing if error.code == REFUSED => Some(
            "Nothing answers at the endpoint: check --endpoint-url, AWS_ENDPOINT_URL, the network \
             and the proxy."
                .to_owned(),
        ),
        Class::Passing | Class::Conflict | Class::Unreadable => {
            Some("Run the same command again: it goes on from where this one stopped.".to_owned())
        }
        Class::NotFound | Class::Exists | Class::InUse | Class::Invalid | Class::Other => None,
    }
}

fn access_denied(error: &Error) -> String {
    let action = named_action(&error.message).unwrap_or_else(|| iam_action(&error.operation));
    if error.message.contains("explicit deny") {
        return format!(
            "A statement denies {action} explicitly: find it in the policies that AWS's message \
             names, such as a permissions boundary or a service control policy."
        );
    }
    format!("Allow {action} to the identity that runs provision.")
}

/// The action in AWS's sentence "is not authorized to perform: ACTION on resource: ...".
fn named_action(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest
        .split(|letter: char| letter.is_whitespace() || letter == ',')
        .next()?;
    action
        .contains(':')
        .then(|| action.trim_end_matches('.').to_owned())
}

/// The IAM action that allows an operation.
#[must_use]
pub fn iam_action(operation: &str) -> String {
    match operation.split_once(':') {
        Some((service, name)) => {
            let prefix = PREFIXES
                .iter()
                .find(|(ours, _)| *ours == service)
                .map_or(service, |(_, iam)| iam);
            format!("{prefix}:{name}")
        }
        None => operation.to_owned(),
    }
}

fn credentials(error: &Error) -> &'static str {
    match error.code.as_str() {
        CREDENTIALS => {
            "No usable AWS credentials were found: run `aws sso login` or `aws configure`, choose \
             a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY."
        }
        "ExpiredToken" | "ExpiredTokenException" => {
            "The credentials have expired: renew them, for example with `aws sso login`, and run \
             the same command again; it goes on from where this one stopped."
        }
        "RequestExpired" | "RequestTimeTooSkewed" => {
            "AWS's time and this machine's differ: set the clock."
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
            "AWS does not know the access key: check --profile, AWS_PROFILE and AWS_ACCESS_KEY_ID, \
             and that the key belongs to this partition."
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "The secret key does not fit the access key, or this machine's clock is wrong: check \
             AWS_SECRET_ACCESS_KEY."
        }
        _ => "Check the credentials with `aws sts get-caller-identity`.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(operation: &str, message: &str) -> String {
        of(&Error {
            class: Class::AccessDenied,
            operation: operation.to_owned(),
            code: "AccessDenied".to_owned(),
            message: message.to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn access_denied_names_the_action_that_aws_names() {
        let message = "User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on \
                       resource: arn:aws:iam::1:role/y";
        assert!(denied("ecs:CreateService", message).starts_with("Allow iam:PassRole "));
    }

    #[test]
    fn access_denied_names_the_operation_where_aws_names_nothing() {
        assert!(denied("tagging:GetResources", "no").starts_with("Allow tag:GetResources "));
        assert!(denied("ecs:CreateService", "no").starts_with("Allow ecs:CreateService "));
    }

    #[test]
    fn an_explicit_deny_is_not_mended_by_allowing() {
        let message = "is not authorized to perform: ecr:CreateRepository with an explicit deny in \
                       a service control policy";
        assert!(denied("ecr:CreateRepository", message).contains("denies ecr:CreateRepository"));
    }
}
