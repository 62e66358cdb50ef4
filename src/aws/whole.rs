//! Whether an answer in XML is whole. The SDK's reader takes the end of a text for the end of a list, so that an answer
//! that breaks off between two elements would be a shorter list; here it is an answer that cannot be read.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The answer is not whole.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("It breaks off.")]
pub(super) struct BrokenOff;

/// Refuses answers that break off, of the services that speak awsQuery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() && !is_whole(&String::from_utf8_lossy(body)) {
            return Err(BrokenOff.into());
        }
        Ok(())
    }
}

/// Whether a document ends with the end of the element that it begins with. Nothing at all is left to the SDK's reader,
/// which wants an element wherever there is something to read.
fn is_whole(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return true;
    }
    let root = match text.strip_prefix("<?xml") {
        Some(rest) => rest
            .split_once("?>")
            .map_or("", |(_, rest)| rest.trim_start()),
        None => text,
    };
    let name = root
        .strip_prefix('<')
        .and_then(|rest| rest.split(['>', ' ', '/', '\n', '\r', '\t']).next())
        .unwrap_or_default();
    let alone = root.ends_with("/>") && root.matches('<').count() == 1;
    !name.is_empty() && (alone || text.ends_with(&format!("</{name}>")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_an_answer_is_told_from_the_whole() {
        let body = "<ListPolicyTagsResult><Tags><member><Key>a</Key><Value>b</Value></member></Tags></ListPolicyTagsResult>";
        for head in ["", "<?xml version=\"1.0\"?>\n"] {
            let answer = format!(
                "{head}<ListPolicyTagsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">{body}</ListPolicyTagsResponse>"
            );
            assert!(is_whole(&answer) && is_whole(&format!("{answer}\n")));
            assert!(is_whole(&format!("{head}<TagRoleResponse/>")));
            assert!(!is_whole(&format!(
                "{head}<TagRoleResponse><ResponseMetadata/>"
            )));
            for end in 1..answer.len() {
                let beginning = answer.get(..end).unwrap();
                assert!(!is_whole(beginning), "{beginning}");
            }
        }
    }
}
