//! Checks of OIDC providers, policies and roles.

use super::super::documents::check_size;
use super::super::model::{OidcProvider, Policy, PolicyReference, Role};
use super::super::names;
use super::super::node::Node;
use super::super::reader::Reader;

/// Characters of a managed policy, not counting whitespace: fixed by IAM.
const MANAGED_POLICY_SIZE: usize = 6144;
/// Characters of a trust policy: IAM's default quota.
const TRUST_POLICY_SIZE: usize = 2048;
/// Characters of all inline policies of a role together: fixed by IAM.
const INLINE_POLICIES_SIZE: usize = 10_240;
/// Attached policies of a role: IAM's default quota.
const ATTACHED_POLICIES: usize = 10;
/// Audiences of an OIDC provider: IAM's quota.
const CLIENT_IDS: usize = 100;
/// Thumbprints of an OIDC provider: IAM's limit.
const THUMBPRINTS: usize = 5;

/// Checks an OIDC provider.
pub(in super::super) fn oidc_provider(
    provider: &OidcProvider,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let OidcProvider {
        url: _,
        client_ids,
        thumbprints,
        tags,
    } = provider;
    reader.once(node, &["client_ids"], client_ids);
    let message = format!(
        "There are {} client ids; {CLIENT_IDS} are allowed.",
        client_ids.len()
    );
    let few = client_ids.len() <= CLIENT_IDS;
    reader.demand(few, node, &["client_ids"], &message, "Leave some out.");
    for (index, id) in client_ids.iter().enumerate() {
        let fits = (1..=255).contains(&id.len());
        let message = "A client id has 1 to 255 characters.";
        reader.demand(
            fits,
            node,
            &["client_ids", &index.to_string()],
            message,
            "Shorten it.",
        );
    }
    for (index, print) in thumbprints.iter().flatten().enumerate() {
        let hexadecimal = print.len() == 40 && print.chars().all(|c| c.is_ascii_hexdigit());
        let message = format!("`{print}` is no thumbprint.");
        let hint =
            "It has 40 hexadecimal digits. For GitHub it can be left out: AWS does not use it.";
        let path = ["thumbprints", &index.to_string()];
        reader.demand(hexadecimal, node, &path, &message, hint);
    }
    let few = thumbprints
        .as_ref()
        .is_none_or(|prints| prints.len() <= THUMBPRINTS);
    let message = format!("At most {THUMBPRINTS} thumbprints are allowed.");
    reader.demand(few, node, &["thumbprints"], &message, "Leave some out.");
    super::tags(node, &["tags"], tags, reader);
}

/// Checks a managed policy.
pub(in super::super) fn policy(policy: &Policy, node: &Node, reader: &mut Reader<'_>) {
    let Policy {
        document,
        description,
        path,
        tags,
    } = policy;
    let at = node.follow(&["document"]);
    check_size(
        document,
        at,
        MANAGED_POLICY_SIZE,
        "a managed policy",
        reader,
    );
    check_description(description.as_deref(), node, reader);
    check_path(path, node, reader);
    super::tags(node, &["tags"], tags, reader);
}

/// Checks a role.
pub(in super::super) fn role(role: &Role, node: &Node, reader: &mut Reader<'_>) {
    let Role {
        trust,
        description,
        path,
        max_session_duration,
        permissions_boundary: _,
        managed_policies,
        inline_policies,
        tags,
    } = role;
    let key = if node.get("trust_policy").is_some() {
        "trust_policy"
    } else {
        "trust"
    };
    check_size(
        trust,
        node.follow(&[key]),
        TRUST_POLICY_SIZE,
        "a trust policy",
        reader,
    );
    check_description(description.as_deref(), node, reader);
    check_path(path, node, reader);
    // IAM's own limits of MaxSessionDuration.
    reader.range(
        node,
        &["max_session_duration"],
        max_session_duration.0,
        3600..=43_200,
    );
    check_attached(managed_policies, node, reader);
    for name in inline_policies.keys() {
        let fault = names::fault_of_name("policy", name);
        if let Some((message, hint)) = fault {
            reader.error_at(node, &["inline_policies", name], message, hint);
        }
    }
    let size: usize = inline_policies.values().map(|it| it.document.size()).sum();
    let message = format!(
        "The inline policies have {size} characters together; {INLINE_POLICIES_SIZE} are allowed."
    );
    let hint = "Make managed policies of some: [policy.NAME].";
    reader.demand(
        size <= INLINE_POLICIES_SIZE,
        node,
        &["inline_policies"],
        &message,
        hint,
    );
    super::tags(node, &["tags"], tags, reader);
}

/// Checks the attached policies in the order in which they are written.
fn check_attached(policies: &[PolicyReference], node: &Node, reader: &mut Reader<'_>) {
    let count = policies.len();
    let message = format!("There are {count} attached policies; {ATTACHED_POLICIES} are allowed.");
    let hint = "Merge some. The quota can be raised, but validate knows only the default.";
    reader.demand(
        count <= ATTACHED_POLICIES,
        node,
        &["managed_policies"],
        &message,
        hint,
    );
    for (index, policy) in policies.iter().enumerate() {
        let twice = policies
            .iter()
            .take(index)
            .any(|other| other.arn == policy.arn);
        let message = format!("{} is attached twice.", policy.arn);
        let path = ["managed_policies", &index.to_string()];
        reader.demand(!twice, node, &path, &message, "Leave one out.");
    }
}

fn check_description(description: Option<&str>, node: &Node, reader: &mut Reader<'_>) {
    let Some(text) = description else { return };
    // IAM's pattern of descriptions: tab, line ends and Latin-1; at most 1000.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if let Some(letter) = text.chars().find(|letter| !allowed(*letter)) {
        let message = format!("`{letter}` cannot stand in a description of IAM.");
        let hint = "Only letters of Latin-1 are allowed: write `-` for a dash.".to_owned();
        reader.error_at(node, &["description"], message, hint);
    }
    let length = text.chars().count();
    let message = format!("The description has {length} characters; 1000 are allowed.");
    reader.demand(
        length <= 1000,
        node,
        &["description"],
        &message,
        "Shorten it.",
    );
}

fn check_path(path: &str, node: &Node, reader: &mut Reader<'_>) {
    let slashes = path.starts_with('/') && path.ends_with('/');
    let letters = path.chars().all(|c| c.is_ascii_graphic());
    let message = format!("`{path}` is no path of IAM.");
    let hint = format!(
        "A path begins and ends with `/`: \"/{}/\".",
        path.trim_matches('/')
    );
    reader.demand(
        slashes && letters && path.len() <= 512,
        node,
        &["path"],
        &message,
        &hint,
    );
}
