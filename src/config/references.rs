//! How names of resources are read: a declared resource, or an ARN, or what each kind allows besides.

use super::declared::Declared;
use super::diagnostic::nearest;
use super::model::{
    ClusterReference, Image, LogGroupReference, PolicyReference, RoleReference, SecretReference,
};
use super::node::{Node, Value};
use super::reader::{Decode, Reader};
use super::table::table;

/// One line `NAME PATH` for each AWS managed policy, sorted; scripts/aws-managed-policies writes it.
const AWS_MANAGED_POLICIES: &str = include_str!("managed_policies.txt");

/// The path of an AWS managed policy, such as `/service-role/`.
fn aws_managed_path(name: &str) -> Option<&'static str> {
    let lines = AWS_MANAGED_POLICIES.lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .find(|(other, _)| *other == name)
        .map(|it| it.1)
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// Checks the form of an ARN and that it is one of a service and of this partition.
pub(super) fn check_arn(
    node: &Node,
    service: &str,
    resource: &str,
    reader: &mut Reader<'_>,
) -> bool {
    let text = node.text().unwrap_or_default();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let partition = reader.declared.partition().as_str();
    let place = if service == "iam" {
        ":ACCOUNT"
    } else {
        "REGION:ACCOUNT"
    };
    let form = format!("arn:{partition}:{service}:{place}:{resource}NAME");
    let message = match parts.as_slice() {
        ["arn", other, ..] if *other != partition => {
            let region = &reader.declared.region;
            format!("This ARN is of the partition {other}; the region {region} is in {partition}.")
        }
        ["arn", _, found, _, _, rest] if *found == service && rest.starts_with(resource) => {
            return true;
        }
        _ => {
            let what = resource.trim_end_matches(['/', ':']);
            format!("`{text}` is not the ARN of a {what}.")
        }
    };
    reader.error(&node.at, message, format!("Write {form}."));
    false
}

/// The declared resource of a name, or an error that names the nearest one.
fn declared(node: &Node, kind: &str, or: &str, reader: &mut Reader<'_>) -> Option<String> {
    let name = node.text()?;
    if let Some(named) = reader.declared.get(kind, name) {
        return Some(named.arn.clone());
    }
    let hint = match nearest(name, reader.declared.names_of(kind)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("{} {or}", reader.declared.hint(kind, name)),
    };
    reader.error(
        &node.at,
        format!("There is no {kind} named `{name}`."),
        hint,
    );
    None
}

const OR_ARN: &str = "Or give the ARN of one that is managed elsewhere.";

impl Decode for RoleReference {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let name = String::decode(node, reader)?;
        if is_arn(&name) {
            return check_arn(node, "iam", "role/", reader).then_some(Self {
                arn: name,
                declared: None,
            });
        }
        let arn = declared(node, "role", OR_ARN, reader)?;
        Some(Self {
            arn,
            declared: Some(name),
        })
    }
}

impl Decode for PolicyReference {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let name = String::decode(node, reader)?;
        if is_arn(&name) {
            return check_arn(node, "iam", "policy/", reader).then(|| Self {
                declared: declared_policy(&name, &reader.declared),
                arn: name,
            });
        }
        if let Some(named) = reader.declared.get("policy", &name) {
            return Some(Self {
                arn: named.arn.clone(),
                declared: Some(name),
            });
        }
        if let Some(path) = aws_managed_path(&name) {
            let partition = reader.declared.partition().as_str();
            return Some(Self {
                arn: format!("arn:{partition}:iam::aws:policy{path}{name}"),
                declared: None,
            });
        }
        let managed = AWS_MANAGED_POLICIES
            .lines()
            .filter_map(|line| Some(line.split_once(' ')?.0));
        let known = reader.declared.names_of("policy").chain(managed);
        let hint = match nearest(&name, known) {
            Some(near) => format!("Did you mean `{near}`? Any other policy is given by its ARN."),
            None => "Declare it as [policy.NAME], or give its ARN.".to_owned(),
        };
        let message =
            format!("`{name}` is neither a declared policy nor one of AWS's that is known here.");
        reader.error(&node.at, message, hint);
        None
    }
}

/// The name of the declared policy that has this ARN.
fn declared_policy(arn: &str, declared: &Declared) -> Option<String> {
    let same = |name: &&str| {
        declared
            .get("policy", name)
            .is_some_and(|named| named.arn == arn)
    };
    declared.names_of("policy").find(same).map(str::to_owned)
}

impl Decode for ClusterReference {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let name = String::decode(node, reader)?;
        if !is_arn(&name) {
            let arn = declared(node, "cluster", OR_ARN, reader)?;
            return Some(Self {
                name,
                arn,
                declared: true,
            });
        }
        check_arn(node, "ecs", "cluster/", reader).then(|| Self {
            name: name.rsplit('/').next().unwrap_or_default().to_owned(),
            arn: name,
            declared: false,
        })
    }
}

table! {
    /// A log group that is managed elsewhere.
    pub(super) struct ForeignLogGroupTable {
        /// Its name.
        name: String,
    }
}

impl Decode for LogGroupReference {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Table(_) = node.value {
            let name = ForeignLogGroupTable::decode(node, reader)?.name;
            return Some(Self {
                declared: reader.declared.get("log_group", &name).is_some(),
                name,
            });
        }
        let name = String::decode(node, reader)?;
        let or = "Or write { name = \"...\" } for one that is managed elsewhere.";
        declared(node, "log_group", or, reader)?;
        Some(Self {
            name,
            declared: true,
        })
    }
}

impl Decode for SecretReference {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::decode(node, reader)?;
        if is_arn(&text) {
            let parameter = text.split(':').nth(2) == Some("ssm");
            let (service, resource) = if parameter {
                ("ssm", "parameter/")
            } else {
                ("secretsmanager", "secret:")
            };
            return check_arn(node, service, resource, reader).then_some(Self::Arn(text));
        }
        if let Some(parameter) = text.strip_prefix("ssm:") {
            if parameter.is_empty() {
                reader.error(
                    &node.at,
                    "`ssm:` names no parameter.",
                    "Write `ssm:/NAME`.".to_owned(),
                );
                return None;
            }
            return Some(Self::Parameter(parameter.to_owned()));
        }
        let (name, suffix) = text.split_once(':').unwrap_or((&text, ""));
        let suffix = secret_suffix(node, suffix, reader)?;
        let bare = Node::new(node.at.clone(), Value::Text(name.to_owned()));
        declared(
            &bare,
            "secret",
            "Or give an ARN, or `ssm:NAME` for a parameter.",
            reader,
        )?;
        Some(Self::Declared {
            name: name.to_owned(),
            suffix,
        })
    }
}

/// The end of a secret's reference in the form that ECS wants: `:KEY:STAGE:VERSION`.
fn secret_suffix(node: &Node, suffix: &str, reader: &mut Reader<'_>) -> Option<String> {
    if suffix.is_empty() {
        return Some(String::new());
    }
    let mut parts: Vec<&str> = suffix.split(':').collect();
    parts.resize(parts.len().max(3), "");
    if let [key, stage, version] = parts.as_slice()
        && (stage.is_empty() || version.is_empty())
    {
        return Some(format!(":{key}:{stage}:{version}"));
    }
    let hint = "Write NAME, NAME:KEY, NAME:KEY:STAGE: or NAME:KEY::VERSION.".to_owned();
    reader.error(
        &node.at,
        "What follows the secret's name cannot be read.",
        hint,
    );
    None
}

table! {
    /// An image of a declared repository.
    pub(super) struct ImageTable {
        /// The name of a `[repository.*]`.
        repository: String,
        /// The tag that deployments look at.
        tag: String,
    }
}

impl Decode for Image {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Text(text) = &node.value {
            return fixed_image(node, text, reader);
        }
        let ImageTable { repository, tag } = ImageTable::decode(node, reader)?;
        let name = node.get("repository").unwrap_or(node);
        declared(
            name,
            "repository",
            "Or give the whole image as a string.",
            reader,
        )?;
        if !is_tag(&tag) {
            let message = format!("`{tag}` is no image tag.");
            let hint = "A tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with none of `.` and `-`.";
            reader.error_at(node, &["tag"], message, hint.to_owned());
            return None;
        }
        Some(Self::Repository {
            name: repository,
            tag,
        })
    }
}

fn is_tag(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=128).contains(&text.len()) && text.chars().all(letter) && !text.starts_with(['.', '-'])
}

fn fixed_image(node: &Node, text: &str, reader: &mut Reader<'_>) -> Option<Image> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./:@#".contains(c);
    // The limit of ECS's field `image`.
    if text.is_empty() || text.len() > 255 || !text.chars().all(allowed) {
        let hint =
            "Write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST, at most 255 characters.";
        reader.error(
            &node.at,
            format!("`{text}` is no image reference."),
            hint.to_owned(),
        );
        return None;
    }
    Some(Image::Fixed(text.to_owned()))
}
