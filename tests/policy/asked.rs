//! What may be asked of a policy: queries, requests, and who a principal is.

use provision::policy::{
    Answer, Context, Document, Grants, PolicyKind, Principal, Query, Request, RequestPrincipal,
    batch, find, lint, shape,
};
use serde_json::{Value, json};

use crate::lines::line;

fn answer(statement: Value, kind: PolicyKind, query: &Query) -> Result<Vec<Request>, String> {
    let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let document = Document::read(&text, kind).expect("a document");
    match find(&Grants::of(&document), kind, query) {
        Answer::None => Ok(Vec::new()),
        Answer::Some(witnesses) => Ok(witnesses.into_iter().map(|one| one.request).collect()),
        Answer::Unknown(why) => Err(why),
    }
}

fn query(actions: &[&str], resources: &[&str]) -> Query {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Query {
        actions: texts(actions),
        resources: texts(resources),
        principal: None,
        condition: None,
    }
}

#[test]
fn a_query_leaves_free_what_it_does_not_say() {
    let statement = json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::a/*"});
    let ask = |query: &Query| answer(statement.clone(), PolicyKind::Identity, query);
    for (actions, resources, found) in [
        (&[][..], &[][..], true),
        (&["s3:GetObject"], &[], true),
        (&["s3:PutObject"], &[], false),
        (
            &["s3:PutObject", "s3:GetObject"],
            &["arn:aws:s3:::a/x"],
            true,
        ),
        (&["s3:GetObject"], &["arn:aws:s3:::b/*"], false),
        (&[], &["arn:aws:s3:::b/*", "arn:aws:s3:::*/x"], true),
    ] {
        let requests = ask(&query(actions, resources)).expect("an answer");
        assert_eq!(
            requests.len(),
            usize::from(found),
            "{actions:?} {resources:?}"
        );
        for request in requests {
            assert!(request.action.starts_with("s3:Get"), "{request:?}");
            assert!(
                request.resource.starts_with("arn:aws:s3:::a/"),
                "{request:?}"
            );
        }
    }
    let mut wrong = query(&["nonsense"], &[]);
    assert!(ask(&wrong).expect_err("no action").contains("`nonsense`"));
    wrong = query(&[], &[]);
    wrong.condition = Some(json!({"Nonsense": {"k": "v"}}));
    assert!(ask(&wrong).is_err());
}

#[test]
fn a_query_may_say_who_and_under_which_conditions() {
    let one = "arn:aws:iam::123456789012:role/one";
    let trust = json!({"Effect": "Allow", "Principal": {"AWS": [one, "210987654321"]}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": ["x", "y"]}}});
    let ask = |principal: Option<Value>, condition: Option<Value>| {
        let query = Query {
            principal,
            condition,
            ..query(&[], &[])
        };
        answer(trust.clone(), PolicyKind::Trust, &query).expect("an answer")
    };
    assert_eq!(ask(None, None).len(), 1);
    assert_eq!(ask(Some(json!({"AWS": "000000000000"})), None), []);
    let found = ask(
        Some(json!({"AWS": one})),
        Some(json!({"StringEquals": {"sts:ExternalId": "y"}})),
    );
    assert_eq!(found[0].principal, RequestPrincipal::Aws(one.to_owned()));
    assert_eq!(
        found[0].context.get("sts:externalid"),
        Some(&vec!["y".to_owned()])
    );
    let other = json!({"StringEquals": {"sts:ExternalId": "z"}});
    assert_eq!(ask(None, Some(other)), []);
    // A trust policy is about the role that has it, whichever that is.
    let role = "arn:aws:iam::123456789012:role/asked";
    let found = answer(trust.clone(), PolicyKind::Trust, &query(&[], &[role]));
    assert_eq!(found.expect("an answer")[0].resource, role);
    // A resource policy has resources and principals.
    let bucket = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"});
    for (resource, found) in [("arn:aws:s3:::a/x", 1), ("arn:aws:s3:::b/x", 0)] {
        let mut asked = query(&[], &[resource]);
        asked.principal = Some(json!({"AWS": one}));
        let requests = answer(bucket.clone(), PolicyKind::Resource, &asked).expect("an answer");
        assert_eq!(requests.len(), found, "{resource}");
    }
}

#[test]
fn actions_and_resources_have_their_shapes() {
    for (text, pattern, one) in [
        ("*", true, false),
        ("**", true, false),
        ("s3:Get*", true, false),
        ("s3:Get?bject", true, false),
        ("s3:GetObject", true, true),
        ("s3: GetObject", true, false),
        ("s3:", false, false),
        (":GetObject", false, false),
        ("s3", false, false),
        ("", false, false),
    ] {
        assert_eq!(shape::action_pattern(text).is_ok(), pattern, "{text}");
        assert_eq!(shape::action(text).is_ok(), one, "{text}");
    }
    // As IAM stores it, as somebody asks about it, as a request holds it.
    for (text, stored, asked, one) in [
        ("*", true, true, true),
        ("**", true, true, false),
        ("arn:aws:s3:::a", true, true, true),
        ("arn:aws:s3:::a:b:c", true, true, true),
        ("arn:aws:s3*", true, true, false),
        ("arn:aws:s3", true, false, false),
        ("a*", false, false, false),
        ("a:b:c:d:e:f", false, false, false),
        ("", false, false, false),
    ] {
        assert_eq!(shape::resource_pattern(text).is_ok(), stored, "{text}");
        assert_eq!(shape::asked_resource(text).is_ok(), asked, "{text}");
        assert_eq!(shape::resource(text).is_ok(), one, "{text}");
        assert_eq!(
            shape::is_arn(text),
            text.starts_with("arn:") && one,
            "{text}"
        );
    }
}

#[test]
fn a_principal_has_an_account_and_is_named_by_what_stands_for_it() {
    let aws = |text: &str| RequestPrincipal::Aws(text.to_owned());
    for (principal, account) in [
        (aws("123456789012"), Some("123456789012")),
        (
            aws("arn:aws:iam::123456789012:role/a"),
            Some("123456789012"),
        ),
        (aws("arn:aws:iam:::role/a"), None),
        (aws("someone"), None),
        (RequestPrincipal::Service("123456789012".to_owned()), None),
        (RequestPrincipal::Anonymous, None),
    ] {
        assert_eq!(principal.account(), account, "{principal:?}");
    }
    let session = "arn:aws:sts::123456789012:assumed-role/ci/one";
    let user = "arn:aws:sts::123456789012:federated-user/ann";
    for (principal, entry, named) in [
        (session, "arn:aws:iam::123456789012:role/ci", true),
        (session, "arn:aws:iam::123456789012:role/team/ci", true),
        (session, session, true),
        (session, "123456789012", true),
        (session, "*", true),
        (session, "arn:aws:iam::123456789012:role/cii", false),
        (session, "arn:aws:iam::123456789012:role/xci", false),
        (session, "arn:aws:iam::123456789012:user/ci", false),
        (session, "arn:aws:iam::210987654321:role/ci", false),
        (session, "arn:aws-cn:iam::123456789012:role/ci", false),
        (session, "arn:aws:sts::123456789012:role/ci", false),
        (session, "210987654321", false),
        (user, "arn:aws:iam::123456789012:user/ann", true),
        (user, "arn:aws:iam::123456789012:role/ann", false),
        ("arn:aws:iam::123456789012:role/ci", session, false),
        ("arn:aws:iam::123456789012:root", "123456789012", true),
        ("123456789012", "arn:aws:iam::123456789012:root", true),
    ] {
        let entry = Principal::from_aws(entry);
        assert_eq!(
            aws(principal).named_by(&entry),
            named,
            "{principal} {entry:?}"
        );
    }
    let service = RequestPrincipal::Service("a.amazonaws.com".to_owned());
    for (entry, named) in [
        (Principal::Service("a.amazonaws.com".to_owned()), true),
        (Principal::Service("*".to_owned()), true),
        (Principal::Service("b.amazonaws.com".to_owned()), false),
        (Principal::Federated("a.amazonaws.com".to_owned()), false),
        (
            Principal::CanonicalUser("a.amazonaws.com".to_owned()),
            false,
        ),
        (Principal::from_aws("123456789012"), false),
    ] {
        assert_eq!(service.named_by(&entry), named, "{entry:?}");
    }
    let user = RequestPrincipal::CanonicalUser("abc".to_owned());
    for (id, named) in [("abc", true), ("abd", false), ("*", false)] {
        let entry = Principal::CanonicalUser(id.to_owned());
        assert_eq!(user.named_by(&entry), named, "{id}");
    }
}

#[test]
fn documents_of_two_kinds_are_told_apart_in_words() {
    let text = |element: &str| {
        format!(
            "{{\"Statement\": [{{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", {element}}}]}}"
        )
    };
    let identity = text("\"Resource\": \"*\"");
    let trust = text("\"Principal\": \"*\"");
    let resource = text("\"Principal\": \"*\", \"Resource\": \"*\"");
    let both = |a: &str, b: &str| PolicyKind::of_both(a, b);
    assert_eq!(both(&trust, &trust), Ok(PolicyKind::Trust));
    assert_eq!(both(&trust, "nothing"), Ok(PolicyKind::Trust));
    assert_eq!(both("nothing", "nothing"), Ok(PolicyKind::Identity));
    let told =
        "A reads as an identity policy and B as a trust: they can be compared as one kind only.";
    assert_eq!(both(&identity, &trust), Err(told.to_owned()));
    let told =
        "A reads as a resource policy and B as an identity: they can be compared as one kind only.";
    assert_eq!(both(&resource, &identity), Err(told.to_owned()));
}

#[test]
fn a_document_is_valid_unless_a_finding_is_an_error() {
    let text = r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
    for (severity, valid) in [
        (lint::Severity::Error, false),
        (lint::Severity::Critical, true),
        (lint::Severity::Low, true),
    ] {
        let found = lint::Finding {
            rule: "a-rule",
            severity,
            line: 1,
            message: "It is so.".to_owned(),
            hint: None,
        };
        let rules = |_: &Document| vec![found.clone()];
        let checked = batch::check_text(text, PolicyKind::Identity, &rules);
        assert_eq!((checked.valid, checked.findings.len()), (valid, 1));
    }
    let checked = batch::check_text(text, PolicyKind::Identity, &|_| Vec::new());
    assert!(checked.valid && checked.findings.is_empty());
}

#[test]
fn of_many_unknown_actions_the_first_hundred_have_a_hint() {
    let actions: Vec<String> = (0..102)
        .map(|number| format!("ecr:PutImag{number}"))
        .collect();
    let text =
        json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string();
    let document = Document::read(&text, PolicyKind::Identity).expect("a document");
    let findings = lint::findings(&document);
    let hinted = findings.iter().map(|one| one.hint.is_some());
    let expected = (0..102).map(|number| number < 100);
    assert!(hinted.eq(expected), "{findings:?}");
}

#[test]
fn the_text_of_a_principal_tells_its_kind() {
    let (hex, other) = ("0123456789abcdef".repeat(4), "g".repeat(64));
    let provider = "arn:aws:iam::123456789012:oidc-provider/x.example";
    let saml = "arn:aws:iam::123456789012:saml-provider/x";
    let role = "arn:aws:iam::123456789012:role/x";
    for (text, meant) in [
        ("", RequestPrincipal::Anonymous),
        ("*", RequestPrincipal::Anonymous),
        ("anonymous", RequestPrincipal::Anonymous),
        (provider, RequestPrincipal::Federated(provider.to_owned())),
        (saml, RequestPrincipal::Federated(saml.to_owned())),
        (role, RequestPrincipal::Aws(role.to_owned())),
        (
            "123456789012",
            RequestPrincipal::Aws("123456789012".to_owned()),
        ),
        (
            "a.example",
            RequestPrincipal::Service("a.example".to_owned()),
        ),
        (hex.as_str(), RequestPrincipal::CanonicalUser(hex.clone())),
        (&hex[1..], RequestPrincipal::Aws(hex[1..].to_owned())),
        (other.as_str(), RequestPrincipal::Aws(other.clone())),
    ] {
        let principal = RequestPrincipal::parse(text);
        assert_eq!(principal, meant, "{text}");
        let shown = if meant == RequestPrincipal::Anonymous {
            "*"
        } else {
            text
        };
        assert_eq!(principal.text(), shown);
    }
}

#[test]
fn a_decision_names_the_statements_that_made_it() {
    let statement = |sid: &str, effect: &str, action: &str| json!({"Sid": sid, "Effect": effect, "Action": action, "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        statement("All", "Allow", "s3:*"), statement("Get", "Allow", "s3:Get*"), statement("No", "Deny", "s3:Delete*")]});
    let decided = |action: &str, more: &Value| {
        let mut case = json!({"policy": policy, "request":
            {"principal": "arn:aws:iam::123456789012:role/x", "action": action, "resource": "arn:aws:s3:::a/b"}});
        let members = case.as_object_mut().expect("an object");
        members.extend(more.as_object().cloned().unwrap_or_default());
        let answer = batch::eval(line(&case.to_string())).line;
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let sids = answer["statements"].as_array().expect("a list").iter();
        let sids: Vec<String> = sids
            .map(|one| one["sid"].as_str().unwrap_or_default().to_owned())
            .collect();
        (answer["allowed"].as_bool(), sids.join(" "))
    };
    let alone = json!({});
    assert_eq!(
        decided("s3:GetObject", &alone),
        (Some(true), "All Get".to_owned())
    );
    assert_eq!(
        decided("s3:PutObject", &alone),
        (Some(true), "All".to_owned())
    );
    assert_eq!(
        decided("s3:DeleteObject", &alone),
        (Some(false), "No".to_owned())
    );
    assert_eq!(
        decided("sqs:SendMessage", &alone),
        (Some(false), String::new())
    );
    // A boundary beside one policy counts as it does beside several.
    let boundary =
        json!({"Version": "2012-10-17", "Statement": [statement("Put", "Allow", "s3:Put*")]});
    let bounded = json!({"boundary": boundary});
    assert_eq!(decided("s3:GetObject", &bounded).0, Some(false));
    assert_eq!(decided("s3:PutObject", &bounded).0, Some(true));
}

#[test]
fn a_document_has_so_many_characters_and_no_more() {
    let statement = |kind: PolicyKind, padding: usize| {
        let long = "a".repeat(padding);
        match kind {
            PolicyKind::Trust => json!({"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalTag/x": long}}}),
            PolicyKind::Identity => {
                json!({"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{long}")})
            }
            PolicyKind::Resource => {
                json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*", "Sid": long})
            }
        }
    };
    let sizes = |kind: PolicyKind, size: usize| {
        let text = |padding| json!({"Statement": [statement(kind, padding)]}).to_string();
        let text = text(size - text(0).len());
        assert_eq!(text.len(), size);
        let document = Document::read(&text, kind).expect("a document");
        let findings = lint::findings(&document);
        findings
            .iter()
            .map(|one| (one.rule, one.severity))
            .collect::<Vec<_>>()
    };
    let error = [("size", lint::Severity::Error)];
    for (kind, most) in [(PolicyKind::Trust, 2_048), (PolicyKind::Identity, 6_144)] {
        assert_eq!(sizes(kind, most), []);
        assert_eq!(sizes(kind, most + 1), error);
    }
    assert_eq!(sizes(PolicyKind::Resource, 9_000), []);
}

#[test]
fn severities_have_their_names() {
    use lint::Severity;
    let all = [
        (Severity::Error, "error"),
        (Severity::Critical, "critical"),
        (Severity::High, "high"),
        (Severity::Medium, "medium"),
        (Severity::Low, "low"),
        (Severity::Info, "info"),
    ];
    for (severity, name) in all {
        assert_eq!(severity.name(), name);
        assert_eq!(serde_json::to_value(severity).expect("JSON"), name);
    }
    assert!(all.is_sorted_by_key(|(severity, _)| *severity));
}

#[test]
fn a_context_is_made_of_pairs() {
    let pair = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
    let context = Context::from([pair("A", "1"), pair("b", "2")]);
    assert_eq!(context.get("a"), Some(&vec!["1".to_owned()]));
    assert_eq!(context.iter().count(), 2);
    assert_eq!(
        context,
        [pair("A", "1"), pair("b", "2")].into_iter().collect()
    );
    let mut other = Context::new();
    assert!(other.is_empty() && !context.is_empty() && other != context);
    other.add("a", "1".to_owned());
    other.add("A", "2".to_owned());
    assert!(!other.is_empty());
    let both = vec!["1".to_owned(), "2".to_owned()];
    assert_eq!(other.iter().collect::<Vec<_>>(), [("a", both.as_slice())]);
}

#[test]
fn a_request_holds_strings_numbers_and_booleans() {
    let read = |value: Value| {
        let request = json!({"principal": "*", "action": "s3:GetObject", "resource": "*", "context": {"K": value}});
        let request = serde_json::from_value::<Request>(request).ok()?;
        request.context.get("k").cloned()
    };
    let texts = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
    for (value, meant) in [
        (json!("a"), texts(&["a"])),
        (json!(7), texts(&["7"])),
        (json!(1.5), texts(&["1.5"])),
        (json!(true), texts(&["true"])),
        (json!(["a", 1, false]), texts(&["a", "1", "false"])),
        (json!({}), None),
        (json!([[]]), None),
    ] {
        assert_eq!(read(value.clone()), meant, "{value}");
    }
}
