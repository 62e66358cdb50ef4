//! Requests against a scripted HTTP client: what is sent again, what is counted, what is said.

use std::collections::VecDeque;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::clock::VirtualClock;
use crate::error;

const ACCOUNT: &str = "633607774026";

/// What the endpoint does with one request.
#[derive(Clone, Debug)]
enum Deed {
    Answer(u16, &'static str),
    Break,
    Late(&'static str),
}

#[derive(Clone, Debug)]
struct Scripted {
    deeds: Arc<Mutex<VecDeque<Deed>>>,
    clock: Arc<VirtualClock>,
}

impl HttpConnector for Scripted {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut deeds = self.deeds.lock().unwrap();
        // The last deed is done for ever.
        let deed = match deeds.len() {
            0 | 1 => deeds.front().cloned(),
            _ => deeds.pop_front(),
        };
        let answer = |status: u16, body: &'static str| {
            Ok(HttpResponse::new(
                status.try_into().unwrap(),
                SdkBody::from(body),
            ))
        };
        HttpConnectorFuture::ready(match deed.unwrap() {
            Deed::Answer(status, body) => answer(status, body),
            Deed::Break => Err(ConnectorError::io("connection reset".into())),
            Deed::Late(body) => {
                self.clock.advance(Duration::from_hours(1));
                answer(200, body)
            }
        })
    }
}

async fn aws(deeds: &[Deed]) -> (Aws, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::at(Duration::ZERO));
    let scripted = Scripted {
        deeds: Arc::new(Mutex::new(deeds.iter().cloned().collect())),
        clock: clock.clone(),
    };
    let mut connection = Connection::new("us-east-2", "us-east-1");
    let connector = SharedHttpConnector::new(scripted);
    connection.http_client = Some(http_client_fn(move |_, _| connector.clone()));
    let aws = Aws::connect(&connection, ACCOUNT.into(), "aws".into(), clock.clone(), 16);
    (aws.await, clock)
}

async fn list(aws: &Aws) -> Result<Vec<String>, Error> {
    let answer = aws.read("ecs:ListClusters", |clients| {
        clients.ecs.list_clusters().send()
    });
    Ok(answer.await?.cluster_arns.unwrap_or_default())
}

async fn create(aws: &Aws) -> Result<(), Error> {
    let sent = aws.write("ecs:CreateCluster", Attempts::Once, |clients| {
        clients.ecs.create_cluster().cluster_name("one").send()
    });
    sent.await.map(|_| ())
}

const CLUSTERS: &str = r#"{"clusterArns": ["arn"]}"#;
const THROTTLED: &str = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;

#[tokio::test]
async fn a_throttled_request_is_sent_again_later() {
    let (aws, clock) = aws(&[Deed::Answer(400, THROTTLED), Deed::Answer(200, CLUSTERS)]).await;
    assert_eq!(list(&aws).await, Ok(vec!["arn".to_owned()]));
    assert!(clock.now() >= Duration::from_millis(50));
    let ledger = aws.ledger();
    assert_eq!(
        (ledger.requests, ledger.retries, ledger.throttled),
        (2, 1, 1)
    );
    assert_eq!(ledger.writes, 0);
}

#[tokio::test]
async fn a_create_whose_reply_is_lost_is_sent_once_and_uncertain() {
    for deed in [Deed::Break, Deed::Answer(503, ""), Deed::Late("{}")] {
        let (aws, _) = aws(std::slice::from_ref(&deed)).await;
        let error = create(&aws).await.unwrap_err();
        assert_eq!(error.class, Class::Passing, "{deed:?}");
        assert!(error::Error::from(error).uncertain);
        assert_eq!(aws.ledger().writes, 1);
    }
}

#[tokio::test]
async fn a_read_is_sent_again_until_it_is_answered() {
    let deeds = [
        Deed::Break,
        Deed::Answer(500, "<html>no</html>"),
        Deed::Late(CLUSTERS),
        Deed::Answer(200, r#"{"clusterArns": ["ar"#),
        Deed::Answer(200, CLUSTERS),
    ];
    let (aws, _) = aws(&deeds).await;
    assert_eq!(list(&aws).await, Ok(vec!["arn".to_owned()]));
    assert_eq!(aws.ledger().requests, 5);
}

#[tokio::test]
async fn a_read_that_always_fails_ends() {
    for (deed, class) in [
        (Deed::Break, Class::Passing),
        (Deed::Answer(200, "{"), Class::Unreadable),
        (Deed::Answer(400, THROTTLED), Class::Throttled),
    ] {
        let (aws, clock) = aws(&[deed]).await;
        assert_eq!(list(&aws).await.unwrap_err().class, class);
        assert!(aws.ledger().requests <= 8);
        assert!(clock.now() < Duration::from_mins(2));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_shorter_list() {
    const WHOLE: &str = "<ListPolicyTagsResponse><ListPolicyTagsResult><IsTruncated>false</IsTruncated><Tags><member>\
        <Key>a</Key><Value>b</Value></member><member><Key>c</Key><Value>d</Value></member></Tags>\
        </ListPolicyTagsResult></ListPolicyTagsResponse>";
    let tags = async |body: &'static str| {
        let (aws, _) = aws(&[Deed::Answer(200, body)]).await;
        let sent = aws.read("iam:ListPolicyTags", |clients| {
            clients.iam.list_policy_tags().policy_arn("arn").send()
        });
        // Tokio's turns would let a timeout pass where nobody waits.
        let answer = tokio::task::unconstrained(sent).await;
        answer.map(|answer| answer.tags.len())
    };
    assert_eq!(tags(WHOLE).await.unwrap(), 2);
    for end in 0..WHOLE.len() {
        let error = tags(WHOLE.get(..end).unwrap()).await.unwrap_err();
        assert_eq!(error.class, Class::Unreadable, "{end}: {error:?}");
    }
    let (between, _) = WHOLE.split_once("<member><Key>c").unwrap();
    let error = error::Error::from(tags(between).await.unwrap_err());
    assert_eq!(
        error.message,
        "iam:ListPolicyTags failed: garbled answer: It breaks off."
    );
}

#[tokio::test]
async fn a_quota_and_a_refusal_are_final() {
    for (body, class) in [
        (r#"{"__type": "LimitExceededException"}"#, Class::Quota),
        (
            r#"{"__type": "AccessDeniedException"}"#,
            Class::AccessDenied,
        ),
        (r#"{"__type": "ExpiredTokenException"}"#, Class::Credentials),
    ] {
        let (aws, _) = aws(&[Deed::Answer(400, body)]).await;
        assert_eq!(list(&aws).await.unwrap_err().class, class);
        assert_eq!(aws.ledger().requests, 1);
    }
}

#[tokio::test]
async fn a_refused_create_whose_role_is_new_is_sent_again_for_a_while() {
    let body = r#"{"__type": "InvalidParameterException",
        "message": "Unable to assume the service linked role. Please verify that it exists."}"#;
    let (aws, _) = aws(&[Deed::Answer(400, body), Deed::Answer(200, "{}")]).await;
    assert_eq!(create(&aws).await, Ok(()));
    let (aws, clock) = self::aws(&[Deed::Answer(400, body)]).await;
    assert_eq!(create(&aws).await.unwrap_err().class, Class::Unsettled);
    let waited = clock.now();
    assert!(waited >= Duration::from_mins(2) && waited < Duration::from_mins(3));
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:sts::633607774026:assumed-role/Deploy/run</Arn><UserId>A:run</UserId>\
    <Account>633607774026</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
const STRANGER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::111122223333:user/x</Arn><UserId>A</UserId>\
    <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

#[tokio::test]
async fn the_identity_is_asked_once() {
    let (aws, _) = aws(&[Deed::Answer(200, IDENTITY)]).await;
    assert_eq!(aws.identity().await.unwrap().role_name(), Some("Deploy"));
    assert!(aws.identity().await.is_ok());
    assert_eq!(aws.ledger().requests, 1);
}

#[tokio::test]
async fn another_account_is_refused() {
    let (aws, _) = aws(&[Deed::Answer(200, STRANGER)]).await;
    let error = aws.identity().await.unwrap_err();
    assert_eq!(error.kind.exit_code(), 1);
    assert!(error.message.contains("111122223333") && error.message.contains(ACCOUNT));
    assert!(error.hint.unwrap().contains("--profile"));
}

#[test]
fn missing_credentials_are_explained_and_not_retried() {
    let failure: SdkError<aws_sdk_ecs::operation::list_clusters::ListClustersError, HttpResponse> =
        SdkError::construction_failure(CredentialsError::not_loaded("no providers"));
    let error = Error::from_sdk("ecs:ListClusters", &failure);
    assert_eq!(error.class, Class::Credentials);
    let mut retry = Retry::new(Attempts::Idempotent);
    retry.begin();
    assert_eq!(retry.after(&error, 1, Duration::ZERO), None);
    assert!(
        error::Error::from(error)
            .hint
            .unwrap()
            .contains("aws sso login")
    );
}

#[test]
fn an_error_says_what_failed_in_one_sentence() {
    let error = Error {
        class: Class::InUse,
        operation: "ecr:DeleteRepository".to_owned(),
        code: "RepositoryNotEmptyException".to_owned(),
        message: "It holds images".to_owned(),
    };
    assert_eq!(
        error::Error::from(error).to_string(),
        "ecr:DeleteRepository failed: RepositoryNotEmptyException: It holds images."
    );
}
