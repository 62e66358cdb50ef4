//! What each of AWS's error codes means, over all the services that are called.
//! A code of AWS decides alone, whatever the HTTP status; only an answer without one is judged by it.

use super::Class;
use super::error::{BROKEN, CREDENTIALS, REFUSED, TIMEOUT, UNSENT};

/// What came back, as far as it decides the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An error in the service's protocol.
    Code { code: String, status: u16 },
    /// An HTTP error that is not in the service's protocol.
    Bare(u16),
    /// A success that could not be parsed, such as a truncated body.
    Garbled(u16),
    /// None; the word says why.
    None(&'static str),
}

/// What an endpoint may lack without harm (reliability.md, promise 12): the next source is asked.
const OPTIONAL: &[&str] = &[
    "GetResources",
    "ListServiceDeployments",
    "ListServiceRevisions",
    "DescribeServiceRevisions",
    "LookupEvents",
];

/// Codes and the class that they mean, by class. Where a code fits a suffix of `by_shape` too, the
/// table wins.
const CODES: &[(Class, &[&str])] = &[
    (
        Class::NotFound,
        &["NoSuchEntity", "ServiceNotActiveException"],
    ),
    (
        Class::Exists,
        &[
            "EntityAlreadyExists",
            "ResourceExistsException",
            "ParameterAlreadyExists",
        ],
    ),
    (
        Class::AccessDenied,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "UnauthorizedAccess",
            "AuthorizationError",
            "NotAuthorized",
            "OptInRequired",
            "BlockedException",
        ],
    ),
    (
        Class::Credentials,
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "AuthFailure",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "RequestTimeTooSkewed",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "InvalidToken",
        ],
    ),
    (
        Class::Throttled,
        &[
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "PriorRequestNotComplete",
            "SlowDown",
            "BandwidthLimitExceeded",
        ],
    ),
    (
        // Each counts something that stands, not requests.
        Class::Quota,
        &[
            "LimitExceeded",
            "LimitExceededException",
            "ParameterLimitExceeded",
            "ParameterVersionLimitExceeded",
            "HierarchyLevelLimitExceededException",
            "ServiceQuotaExceededException",
            "TooManyTagsException",
            "TooManyTagsError",
        ],
    ),
    (
        Class::Conflict,
        &[
            "ConcurrentModification",
            "ConcurrentModificationException",
            "EntityTemporarilyUnmodifiable",
            "OperationAbortedException",
            "UpdateInProgressException",
            "ConflictException",
            "TooManyUpdates",
        ],
    ),
    (
        Class::InUse,
        &[
            "DeleteConflict",
            "RepositoryNotEmptyException",
            "ResourceInUseException",
            "ClusterContainsServicesException",
            "ClusterContainsTasksException",
            "ClusterContainsContainerInstancesException",
            "ClusterContainsCapacityProviderException",
        ],
    ),
    (
        Class::Passing,
        &[
            "InternalFailure",
            "InternalError",
            "InternalServerError",
            "InternalServerException",
            "InternalServiceError",
            "InternalServiceException",
            "ServerException",
            "ServiceFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "IDPCommunicationError",
            "RequestTimeout",
            "RequestTimeoutException",
        ],
    ),
    (
        Class::Unsupported,
        &[
            "UnknownOperationException",
            "UnknownOperation",
            "InvalidAction",
            "UnsupportedOperation",
            "UnsupportedOperationException",
            "NotImplemented",
        ],
    ),
    (
        Class::Invalid,
        &[
            "ValidationError",
            "ValidationException",
            "InvalidParameterException",
            "InvalidParameterValueException",
            "InvalidRequestException",
            "InvalidInput",
            "ClientException",
            "MalformedPolicyDocument",
            "MalformedPolicyDocumentException",
        ],
    ),
];

/// Parts of the sentences with which AWS says that a role, or a principal, has not arrived yet
/// (facts.md section 3). A real misconfiguration is told in the same words.
const UNSETTLED: &[&str] = &[
    "unable to assume the role",
    "unable to assume the service linked role",
    "unable to assume role and validate the listeners",
    "unable to assume the configured ecs infrastructure role",
    "invalid principal",
];

/// Parts of the sentences of ECS's general errors whose code says too little.
const SENTENCES: &[(&str, Class)] = &[
    (
        "too many concurrent attempts to create a new revision",
        Class::Conflict,
    ),
    ("was not idempotent", Class::Exists),
    ("service already exists", Class::Exists),
];

pub(super) fn classify(operation: &str, answer: &Answer, message: &str) -> Class {
    match answer {
        Answer::Code { code, status } => by_code(code, *status, message),
        Answer::Garbled(_) => Class::Unreadable,
        Answer::Bare(404 | 500..) if is_optional(operation) => Class::Unsupported,
        Answer::Bare(status) => by_status(*status),
        Answer::None(TIMEOUT | REFUSED | BROKEN) => Class::Passing,
        Answer::None(CREDENTIALS) => Class::Credentials,
        Answer::None(UNSENT) => Class::Invalid,
        Answer::None(_) => Class::Other,
    }
}

fn by_status(status: u16) -> Class {
    match status {
        403 => Class::AccessDenied,
        429 => Class::Throttled,
        501 => Class::Unsupported,
        400..=499 => Class::Invalid,
        500.. => Class::Passing,
        _ => Class::Unreadable,
    }
}

fn is_optional(operation: &str) -> bool {
    operation
        .rsplit(':')
        .next()
        .is_some_and(|name| OPTIONAL.contains(&name))
}

fn by_code(code: &str, status: u16, message: &str) -> Class {
    let sentence = message.to_ascii_lowercase();
    let known = CODES
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map(|(class, _)| *class);
    match known {
        Some(Class::Invalid) => by_sentence(&sentence).unwrap_or(Class::Invalid),
        Some(Class::AccessDenied) if sentence.contains("unable to assume") => Class::Unsettled,
        Some(class) => class,
        None => by_shape(code, status).unwrap_or(Class::Other),
    }
}

fn by_sentence(sentence: &str) -> Option<Class> {
    if UNSETTLED.iter().any(|part| sentence.contains(part)) {
        return Some(Class::Unsettled);
    }
    SENTENCES
        .iter()
        .find(|(part, _)| sentence.contains(part))
        .map(|(_, class)| *class)
}

/// Codes that are formed alike in every service, those of services to come among them.
fn by_shape(code: &str, status: u16) -> Option<Class> {
    if code.starts_with("Throttl") {
        Some(Class::Throttled)
    } else if code.contains("NotFound") {
        Some(Class::NotFound)
    } else if code.contains("AlreadyExists") {
        Some(Class::Exists)
    } else if status >= 500 {
        Some(Class::Passing)
    } else if (400..500).contains(&status) {
        Some(Class::Invalid)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str, status: u16, message: &str) -> Class {
        let code = code.to_owned();
        classify("iam:CreateRole", &Answer::Code { code, status }, message)
    }

    #[test]
    fn a_quota_is_not_throttling() {
        assert_eq!(class("LimitExceededException", 400, ""), Class::Quota);
        assert_eq!(class("ThrottlingException", 400, ""), Class::Throttled);
        assert_eq!(class("ThrottledException", 400, ""), Class::Throttled);
        assert_eq!(class("Throttling", 400, "Rate exceeded"), Class::Throttled);
    }

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(class("ThrottlingException", 503, ""), Class::Throttled);
        assert_eq!(class("ServerException", 400, ""), Class::Passing);
        assert_eq!(
            class("RepositoryNotFoundException", 400, ""),
            Class::NotFound
        );
        assert_eq!(
            class("RepositoryAlreadyExistsException", 400, ""),
            Class::Exists
        );
        assert_eq!(class("SomethingNew", 400, ""), Class::Invalid);
        assert_eq!(class("SomethingNew", 500, ""), Class::Passing);
    }

    #[test]
    fn a_role_that_has_not_arrived_is_told_from_what_is_wrong() {
        let sentence = "Unable to assume the service linked role. Please verify that it exists.";
        assert_eq!(
            class("InvalidParameterException", 400, sentence),
            Class::Unsettled
        );
        assert_eq!(
            class(
                "ClientException",
                400,
                "ECS was unable to assume the role 'x'"
            ),
            Class::Unsettled
        );
        assert_eq!(
            class(
                "MalformedPolicyDocument",
                400,
                "Invalid principal in policy: \"AWS\":\"x\""
            ),
            Class::Unsettled
        );
        assert_eq!(
            class("MalformedPolicyDocument", 400, "Syntax errors in policy."),
            Class::Invalid
        );
    }

    #[test]
    fn only_what_may_be_lacking_is_believed_to_lack() {
        let bare = Answer::Bare(500);
        assert_eq!(
            classify("ecs:ListServiceDeployments", &bare, ""),
            Class::Unsupported
        );
        assert_eq!(
            classify("tagging:GetResources", &Answer::Bare(404), ""),
            Class::Unsupported
        );
        assert_eq!(classify("ecs:DescribeServices", &bare, ""), Class::Passing);
        assert_eq!(
            classify("ecs:DescribeServices", &Answer::Bare(501), ""),
            Class::Unsupported
        );
        let denied = Answer::Code {
            code: "AccessDeniedException".to_owned(),
            status: 400,
        };
        assert_eq!(
            classify("tagging:GetResources", &denied, ""),
            Class::AccessDenied
        );
    }

    #[test]
    fn a_code_stands_in_one_class() {
        let mut seen = std::collections::BTreeSet::new();
        for code in CODES.iter().flat_map(|(_, codes)| *codes) {
            assert!(seen.insert(code), "{code} stands in two classes");
        }
    }
}
