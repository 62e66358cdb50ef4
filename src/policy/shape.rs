//! The shapes of actions and resources: what a policy may write, and what a request may ask.
//! Sources: IAM User Guide, "IAM JSON policy elements: Action", "IAM JSON policy elements: Resource", and
//! "Identify AWS resources with Amazon Resource Names (ARNs)".

/// Why a text is no action or no resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub hint: &'static str,
}

const ACTION_HINT: &str = "Actions are written service:Name, such as ecr:PutImage, or \"*\".";
const ARN_HINT: &str = "An ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.";

/// An ARN has six fields: "arn:partition:service:region:account-id:resource".
pub(super) const FIELD_COLONS: usize = 5;

/// An action pattern of a policy: `*`, or a service and a name, each with wildcards or without.
pub fn action_pattern(text: &str) -> Result<(), Misshapen> {
    if only_stars(text) || service_and_name(text) {
        return Ok(());
    }
    Err(not_an_action(text, ACTION_HINT))
}

/// A resource pattern of a policy that IAM stores: an ARN or `*`.
pub fn resource_pattern(text: &str) -> Result<(), Misshapen> {
    if only_stars(text) || text.starts_with("arn:") {
        return Ok(());
    }
    Err(Misshapen {
        message: format!("The resource `{text}` is neither an ARN nor \"*\"."),
        hint: ARN_HINT,
    })
}

/// The action of a request: one service and one name.
pub fn action(text: &str) -> Result<(), Misshapen> {
    let special = |letter: char| letter.is_whitespace() || matches!(letter, '*' | '?');
    if service_and_name(text) && !text.contains(special) {
        return Ok(());
    }
    Err(not_an_action(
        text,
        "A request asks for one action, written service:Name, such as ecr:PutImage.",
    ))
}

/// The resource of a request: one ARN, or `*` for an action that takes no resource.
pub fn resource(text: &str) -> Result<(), Misshapen> {
    if text == "*" || is_arn(text) {
        return Ok(());
    }
    Err(not_a_resource(text))
}

/// A pattern of resources that somebody asks about: `*`, an ARN, or the beginning of one that ends in `*`.
pub fn asked_resource(text: &str) -> Result<(), Misshapen> {
    if only_stars(text) || is_arn(text) || (text.starts_with("arn:") && text.ends_with('*')) {
        return Ok(());
    }
    Err(not_a_resource(text))
}

/// Whether the text has an ARN's six fields.
#[must_use]
pub fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.matches(':').count() >= FIELD_COLONS
}

fn only_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

fn service_and_name(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
}

fn not_an_action(text: &str, hint: &'static str) -> Misshapen {
    Misshapen {
        message: format!("`{text}` is not an action."),
        hint,
    }
}

fn not_a_resource(text: &str) -> Misshapen {
    Misshapen {
        message: format!("The resource `{text}` is neither an ARN nor `*`."),
        hint: ARN_HINT,
    }
}
