//! Tests that the library sends the same request as the one that is signed and that a local server gets.

use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::kit::http::sigv4::Signer;
use crate::backend::kit::http::{Http, LocalServer, Received, Receiving, Transport};
use crate::backend::{Clock, SourceDeps};
use crate::config::secret::Secret;
use crate::config::secret::aws::Keys;
use crate::config::settings::{
    AuthSettings, NamedSecret, SecretProgram, SecretRef, SecretText, Settings, SigV4Settings, SourceSettings,
};
use crate::model::ask::Weight;
use crate::model::source::SourceId;

const NOW: &str = "2026-01-02T03:04:05Z";
const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn http(source: &SourceSettings, transport: &Transport) -> Http {
    let settings = Settings::default();
    let deps = SourceDeps { transport, ..SourceDeps::new(&settings, Clock::fixed(now())) };
    Http::new(&SourceId::new("prom"), source, deps).unwrap()
}

fn secret(text: &str) -> SecretRef {
    SecretRef::Command(SecretProgram(vec!["echo".into(), text.into()]))
}

/// Every kind of query, by POST and by GET.
fn queries() -> Vec<PromQuery<'static>> {
    let span = TimeGrid::ending(now(), Duration::from_secs(3600), 60, Duration::from_secs(15));
    let mut all = Vec::new();
    for is_get in [false, true] {
        for evaluation in [EvaluationRange::Now, EvaluationRange::At(now()), EvaluationRange::Over(span)] {
            for (expression, options) in [
                ("up", Vec::new()),
                (
                    "sum by (é) (rate(x{path=~\"a+b|%2F&q=~*'\"}[5m])) / 2 # 幅",
                    vec![("nocache", "1".to_owned()), ("limit", "10001".to_owned())],
                ),
            ] {
                all.push(PromQuery {
                    expression,
                    evaluation,
                    timeout: Duration::from_millis(10_500),
                    options,
                    is_get,
                });
            }
        }
    }
    all
}

/// A recorded request in a form that can be signed.
fn request(server: &str, asked: &ReceivedRequest) -> Request {
    let mut url: Url = format!("{server}{}", asked.path).parse().unwrap();
    url.set_query(Some(asked.query.as_str()).filter(|query| !query.is_empty()));
    let mut request = Request::new(asked.method.parse().unwrap(), url);
    if let Some(kind) = asked.header("content-type") {
        request.headers_mut().insert(CONTENT_TYPE, kind.parse().unwrap());
        *request.body_mut() = Some(asked.body.clone().into());
    }
    request
}

#[tokio::test]
async fn what_is_sent_is_what_was_signed() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    for prefix in ["", "/workspaces/ws-1"] {
        let mut source = double.source("prometheus");
        source.url += prefix;
        source.tenant = Some("team-a".into());
        source.auth = Some(AuthSettings::SigV4(SigV4Settings {
            region: "eu-central-1".into(),
            service: "aps".into(),
            profile: None,
            access_key: Some(SecretText::Plain("AKIDEXAMPLE".into())),
            secret_key: Some(secret(KEY)),
            session_token: Some(secret("session-token")),
            command: None,
        }));
        let http = http(&source, &Transport::Network);
        for query in queries() {
            http.evaluate(Weight::Vital, &query).await.unwrap();
        }
    }
    let keys = Keys {
        id: Secret::new("AKIDEXAMPLE"),
        secret: Secret::new(KEY),
        session: Some(Secret::new("session-token")),
        until: None,
    };
    let signer = Signer { keys, region: "eu-central-1".into(), service: "aps".into() };
    let asked = double.asked();
    assert_eq!(asked.len(), 24);
    for asked in asked {
        let came = request(&double.url, &asked);
        let mut signed = came.try_clone().unwrap();
        signer.sign(&mut signed, now()).unwrap();
        assert_eq!(signed.url(), came.url(), "the address was rewritten after it was signed");
        for (name, value) in signed.headers() {
            assert_eq!(asked.header(name.as_str()), Some(value.to_str().unwrap()), "{name} of {asked:?}");
        }
        assert!(signed.headers().contains_key(AUTHORIZATION) && signed.headers().contains_key(HOST));
        assert_eq!(asked.header("x-scope-orgid"), Some("team-a"));
    }
}

#[tokio::test]
async fn a_key_in_the_address_is_sent_with_every_form_of_a_query() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    let key = NamedSecret { name: "api_key".into(), prefix: String::new(), secret: secret("key 1/é") };
    source.auth = Some(AuthSettings::Query(vec![key]));
    let http = http(&source, &Transport::Network);
    for query in queries() {
        http.evaluate(Weight::Vital, &query).await.unwrap();
        let asked = double.asked().pop().unwrap();
        assert_eq!((asked.parameter("api_key"), asked.parameter("query")), ("key 1/é", query.expression));
    }
}

/// A local server that records its requests.
#[derive(Default)]
struct Listener(Mutex<Vec<Request>>);

impl LocalServer for Listener {
    fn answer(&self, request: Request) -> Receiving<'_> {
        self.0.lock().unwrap().push(request);
        let received = Received { status: StatusCode::OK, headers: HeaderMap::new(), body: b"{}".to_vec() };
        Box::pin(async { Ok(received) })
    }
}

#[tokio::test]
async fn a_server_in_this_process_is_asked_what_the_network_is_sent() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let listener = Arc::new(Listener::default());
    for prefix in ["", "/select/0/prometheus"] {
        let mut source = double.source("prometheus");
        source.url += prefix;
        source.tenant = Some("team-a".into());
        source.auth = Some(AuthSettings::Bearer(secret("token-1")));
        let both = [http(&source, &Transport::Network), http(&source, &Transport::Local(listener.clone()))];
        for query in queries() {
            for http in &both {
                http.evaluate(Weight::Vital, &query).await.unwrap();
            }
        }
    }
    let (asked, local) = (double.asked(), listener.0.lock().unwrap());
    assert_eq!((asked.len(), local.len()), (24, 24));
    for (asked, local) in asked.iter().zip(local.iter()) {
        let came = request(&double.url, asked);
        assert_eq!((came.method(), came.url()), (local.method(), local.url()));
        let body = |request: &Request| request.body().and_then(|body| body.as_bytes()).map(<[u8]>::to_vec);
        assert_eq!(body(&came), body(local));
        for (name, value) in local.headers() {
            assert_eq!(asked.header(name.as_str()), Some(value.to_str().unwrap()), "{name}");
        }
        assert_eq!(asked.header("authorization"), Some("Bearer token-1"));
    }
}
