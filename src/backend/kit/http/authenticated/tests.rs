//! Tests of refused and renewed credentials, secrets repeated by the server, and `OAuth2` tokens, against a test server.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use super::*;
use crate::backend::kind;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::kit::http::{EvaluationRange, Http, PromQuery, WriteRequest};
use crate::config::settings::{
    AuthSettings, Login, NamedSecret, OAuth2Settings, SecretProgram, SecretRef, SecretText, Settings,
    SigV4Settings,
};
use crate::model::ask::Weight;
use crate::model::source::SourceId;

const NOW: &str = "2026-01-02T03:04:05Z";

fn http(source: &SourceSettings) -> Http {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(NOW.parse().unwrap()));
    Http::new(&SourceId::new("prom"), source, deps).unwrap()
}

fn secret(text: &str) -> SecretRef {
    SecretRef::Command(SecretProgram(vec!["echo".into(), text.into()]))
}

/// Every authentication scheme that sends a secret in plain text.
fn proofs() -> Vec<AuthSettings> {
    let named = |text: &str| {
        vec![NamedSecret { name: "X-Key".into(), prefix: "GenieKey=".into(), secret: secret(text) }]
    };
    vec![
        AuthSettings::Bearer(secret("canary-bearer-00001")),
        AuthSettings::Token(secret("canary-token-000001")),
        AuthSettings::Basic(Login { user: "ana".into(), password: secret("canary-password-01") }),
        AuthSettings::Header(named("canary-named-000001")),
        AuthSettings::Cookie(named("canary-cookie-00001")),
        AuthSettings::Query(named("canary/query+000001")),
    ]
}

fn no() -> CannedResponse {
    CannedResponse::new(401, "text/plain", "no")
}

/// A program that prints `token-1` at the first call, `token-2` at the second, and so on.
fn counting(folder: &std::path::Path) -> SecretRef {
    let script = format!("cd {} && echo x >>count && echo token-$(($(wc -l <count)))", folder.display());
    SecretRef::Command(SecretProgram(vec!["sh".into(), "-c".into(), script]))
}

#[tokio::test]
async fn a_token_that_ran_out_is_asked_for_anew_once_and_the_question_put_again() {
    let folder = tempfile::tempdir().unwrap();
    let double = Double::start(|asked| match (asked.path.as_str(), asked.header("authorization")) {
        ("/first", Some("Bearer token-1")) | ("/second", Some("Bearer token-2")) => {
            CannedResponse::json("{}")
        }
        _ => no(),
    })
    .await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Bearer(counting(folder.path())));
    let http = http(&source);
    http.get("first", &[]).await.unwrap();
    // now the server only accepts the second token; a write request is also sent again, because a refused request had no
    // effect
    http.send(&WriteRequest::delete("second")).await.unwrap();
    http.get("second", &[]).await.unwrap();
    let tokens: Vec<_> =
        double.asked().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]);
}

#[tokio::test]
async fn a_token_that_stays_the_same_is_not_sent_a_second_time() {
    let double =
        Double::start(|asked| if asked.path == "/fine" { CannedResponse::json("{}") } else { no() }).await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Bearer(secret("the-same")));
    let http = http(&source);
    http.get("fine", &[]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            http.get("other", &[]).await.err().unwrap().kind,
            ErrorKind::Unauthorised { message: "no".into() }
        );
    }
    assert_eq!(double.asked().len(), 3);
}

#[tokio::test]
async fn many_questions_at_once_ask_a_program_once_also_when_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Bearer(counting(folder.path())));
    let well = http(&source);
    let all = (0..8).map(|_| well.get("api", &[]));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    let script = format!("cd {}; echo x >>count; sleep 0.2; exit 1", folder.path().display());
    let failing = SecretProgram(vec!["sh".into(), "-c".into(), script]);
    source.auth = Some(AuthSettings::Bearer(SecretRef::Command(failing)));
    let ill = http(&source);
    let all = (0..8).map(|_| ill.get("api", &[]));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_err));
    let times = std::fs::read_to_string(folder.path().join("count")).unwrap().lines().count();
    assert_eq!(times, 2);
}

#[tokio::test]
async fn what_a_server_repeats_of_our_secrets_is_shown_nowhere() {
    let echo = |asked: &crate::backend::kit::double::ReceivedRequest| {
        let all = asked.headers.iter().chain(&asked.parameters);
        let all: Vec<_> = all.map(|(name, value)| format!("{name}={value}")).collect();
        match asked.path.as_str() {
            "/data" => CannedResponse::json(&serde_json::json!({"warning": all.join(", ")}).to_string()),
            "/shape" => CannedResponse::json(&serde_json::json!([all.join(", ")]).to_string()),
            "/away" => CannedResponse::new(302, "text/plain", "")
                .header("Location", &format!("/{}", all[all.len() - 1])),
            _ => CannedResponse::new(500, "text/plain", &format!("{}{}", "x".repeat(200), all.join(", "))),
        }
    };
    let double = Double::start(echo).await;
    let mut source = double.source("pagerduty");
    source.headers.insert("X-Gate".into(), SecretText::Secret(secret("canary-header/0001")));
    for auth in proofs() {
        source.auth = Some(auth);
        let http = http(&source);
        let body = http.get("data", &[]).await.unwrap();
        let mut said = vec![String::from_utf8(body.bytes.clone()).unwrap()];
        said.push(http.get("shape", &[]).await.unwrap().json::<Vec<u64>>().unwrap_err().to_string());
        for path in ["fail", "away"] {
            said.push(http.get(path, &[]).await.err().unwrap().to_string());
        }
        said.push(http.send(&WriteRequest::delete("x")).await.err().unwrap().to_string());
        // ana:canary-password-01
        for form in ["canary", "YW5hOmNhbmFyeS1wYXNzd29yZC0wMQ"] {
            assert!(said.iter().all(|words| !words.contains(form)), "{form} in {said:#?}");
        }
        assert!(said[0].contains("[secret]") && said[2].contains("[secret]"), "{said:#?}");
    }
}

/// A server with a token endpoint `/token`, whose tokens expire after this many seconds; all other paths require the latest
/// token.
async fn tokens(
    life: u64,
    first: impl Fn(&crate::backend::kit::double::ReceivedRequest) -> Option<CannedResponse>
    + Send
    + Sync
    + 'static,
) -> Double {
    let given = AtomicUsize::new(0);
    Double::start(move |asked| {
        if asked.path != "/token" {
            let last = format!("Bearer granted-token-{:08}", given.load(Ordering::Relaxed));
            return if asked.header("authorization") == Some(&last) {
                CannedResponse::json("{}")
            } else {
                no()
            };
        }
        first(asked).unwrap_or_else(|| {
            let token = format!("granted-token-{:08}", given.fetch_add(1, Ordering::Relaxed) + 1);
            CannedResponse::json(
                &serde_json::json!({"access_token": token, "token_type": "Bearer", "expires_in": life})
                    .to_string(),
            )
        })
    })
    .await
}

fn oauth2(double: &Double) -> SourceSettings {
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::OAuth2(OAuth2Settings {
        token_url: format!("{}/token", double.url),
        client_id: "burn watch".into(),
        client_secret: secret("canary-client-secret"),
        scopes: vec!["metrics.read".into(), "alerts".into()],
        audience: Some("prom".into()),
        ca_file: None,
    }));
    source
}

#[tokio::test]
async fn a_token_by_oauth2_is_fetched_once_for_all_and_again_when_it_is_refused_or_runs_out() {
    let double = tokens(3600, |_| None).await;
    let http = http(&oauth2(&double));
    let all = (0..5).map(|_| http.get("api", &[]));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    let asked = double.asked();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/token").count(), 1);
    // burn+watch:canary-client-secret
    assert_eq!(asked[0].header("authorization"), Some("Basic YnVybit3YXRjaDpjYW5hcnktY2xpZW50LXNlY3JldA=="));
    for (name, value) in
        [("grant_type", "client_credentials"), ("scope", "metrics.read alerts"), ("audience", "prom")]
    {
        assert_eq!(asked[0].parameter(name), value);
    }
    // the server revokes the token, as if another client had fetched a newer one
    reqwest::Client::new().post(format!("{}/token", double.url)).send().await.unwrap();
    http.get("api", &[]).await.unwrap();
    assert_eq!(double.asked().iter().filter(|asked| asked.path == "/token").count(), 3);

    let short = tokens(1, |_| None).await;
    let http = super::tests::http(&oauth2(&short));
    http.get("api", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    http.get("api", &[]).await.unwrap();
    let paths: Vec<_> = short.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/token", "/api", "/token", "/api"]);
}

#[tokio::test]
async fn a_server_of_tokens_that_wants_the_secret_in_the_form_gets_it_there() {
    let double = tokens(60, |asked| {
        let is_there = asked.parameter("client_secret") == "canary-client-secret";
        (!is_there).then(|| CannedResponse::new(401, "application/json", r#"{"error":"invalid_client"}"#))
    })
    .await;
    http(&oauth2(&double)).get("api", &[]).await.unwrap();
    assert_eq!(double.asked()[1].parameter("client_id"), "burn watch");
}

#[tokio::test]
async fn a_server_of_tokens_that_refuses_is_told_in_its_words_without_the_secret() {
    let denied = |status, body: &'static str| async move {
        let double = tokens(60, move |_| Some(CannedResponse::new(status, "application/json", body))).await;
        let error = http(&oauth2(&double)).get("api", &[]).await.err().unwrap();
        assert!(matches!(error.kind, ErrorKind::NoSecret { .. }));
        assert!(double.asked().iter().all(|asked| asked.path == "/token"), "nothing else is asked");
        error.kind.to_string()
    };
    let unknown =
        r#"{"error":"unauthorized_client","error_description":"no such client; canary-client-secret"}"#;
    assert_eq!(
        denied(400, unknown).await,
        "no credentials (no token from 127.0.0.1: unauthorized_client: no such client; [secret])"
    );
    assert_eq!(denied(503, "").await, "no credentials (no token from 127.0.0.1: 503)");
    assert_eq!(
        denied(200, "{}").await,
        "no credentials (no token from 127.0.0.1: the answer contains no token)"
    );
    let mut nobody = oauth2(&tokens(60, |_| None).await);
    if let Some(AuthSettings::OAuth2(oauth)) = &mut nobody.auth {
        oauth.token_url = "http://127.0.0.1:1/token".into();
    }
    let error = http(&nobody).get("api", &[]).await.err().unwrap().to_string();
    assert_eq!(error, "prom: no credentials (no token from 127.0.0.1: cannot connect (connection refused))");
}

#[tokio::test]
async fn requests_are_signed_for_aws_both_ways_of_asking() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    source.url += "/workspaces/ws-1";
    source.auth = Some(AuthSettings::SigV4(SigV4Settings {
        region: "eu-central-1".into(),
        service: "aps".into(),
        profile: None,
        access_key: Some(SecretText::Plain("AKIDEXAMPLE".into())),
        secret_key: Some(secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
        session_token: Some(secret("canary-session-token")),
        command: None,
    }));
    let http = http(&source);
    http.get("api/v1/query", &[("query", "a + b"), ("a", "")]).await.unwrap();
    let query = PromQuery {
        expression: "a + b",
        evaluation: EvaluationRange::Now,
        timeout: Duration::from_secs(10),
        options: Vec::new(),
        is_get: false,
    };
    http.evaluate(Weight::Vital, &query).await.unwrap();
    let asked = double.asked();
    assert_eq!(asked[0].parameter("query"), "a + b");
    assert_eq!(asked[1].body, b"query=a+%2B+b&timeout=10000ms");
    for (asked, names) in [(&asked[0], ""), (&asked[1], "content-type;")] {
        let value = asked.header("authorization").unwrap();
        let scope = "Credential=AKIDEXAMPLE/20260102/eu-central-1/aps/aws4_request";
        let signed = format!("SignedHeaders={names}host;x-amz-date;x-amz-security-token");
        assert!(value.contains(scope) && value.contains(&signed), "{value}");
        assert_eq!(asked.header("x-amz-date"), Some("20260102T030405Z"));
        assert_eq!(asked.header("x-amz-security-token"), Some("canary-session-token"));
        assert_eq!(asked.header("host"), Some(double.url.trim_start_matches("http://")));
    }
}

#[tokio::test]
async fn no_credential_leaves_for_another_origin() {
    let elsewhere = Double::start(|_| CannedResponse::json("{}")).await;
    let (there, same_host) = (elsewhere.url.clone(), elsewhere.url.replace("127.0.0.1", "localhost"));
    let double = Double::start(move |asked| {
        let to = if asked.path.starts_with("/host") { &same_host } else { &there };
        CannedResponse::new(307, "text/plain", "").header("Location", &format!("{to}{}/", asked.path))
    })
    .await;
    for auth in proofs() {
        let mut source = double.source("pagerduty");
        source.auth = Some(auth);
        source.headers.insert("X-Gate".into(), SecretText::Secret(secret("canary-header/0001")));
        let http = http(&source);
        for path in ["port", "host"] {
            let error = http.get(path, &[]).await.err().unwrap();
            assert!(matches!(error.kind, ErrorKind::Redirected { .. }), "{error}");
            let error = http.send(&WriteRequest::delete(path)).await.err().unwrap();
            assert!(matches!(error.error.kind, ErrorKind::Redirected { .. }), "{error}");
        }
    }
    assert_eq!(elsewhere.asked().len(), 0);
    assert_eq!(double.asked().len(), 4 * proofs().len());
}

#[test]
fn keys_are_read_again_before_they_end() {
    let source = SourceSettings::new(kind("prometheus"), "https://aps.example.net");
    let mut source_with_keys = source.clone();
    source_with_keys.auth = Some(AuthSettings::Bearer(secret("x")));
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(NOW.parse().unwrap()));
    let auth_clients = AuthenticatedClients::new(&source_with_keys, &source.url.parse().unwrap(), deps);
    let ending = |text: Option<&str>| {
        let until = text.map(|text| text.parse::<Timestamp>().unwrap());
        let key = |text| crate::config::secret::Secret::new(text);
        let keys = crate::config::secret::aws::Keys { id: key("a"), secret: key("b"), session: None, until };
        let signer = super::super::sigv4::Signer { keys, region: "r".into(), service: "s".into() };
        auth_clients.lasts(&AuthHeaders { signer: Some(signer), ..AuthHeaders::default() })
    };
    assert_eq!(ending(None), Some(SECRETS_KEPT));
    assert_eq!(ending(Some("2026-01-02T05:00:00Z")), Some(SECRETS_KEPT));
    assert_eq!(ending(Some("2026-01-02T03:06:05Z")), Some(Duration::from_secs(60)));
    assert_eq!(ending(Some("2026-01-02T03:00:00Z")), Some(Duration::ZERO));
    assert_eq!(
        AuthenticatedClients::new(&source, &source.url.parse().unwrap(), deps).lasts(&AuthHeaders::default()),
        None
    );
}
