//! Tests of what each authentication scheme sends, and that secrets appear nowhere else.

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::kit::http::{Http, WriteRequest};
use crate::backend::{Clock, SourceDeps};
use crate::config::settings::{Login, SecretProgram, SecretRef, Settings};
use crate::model::source::SourceId;

fn http(source: &SourceSettings) -> Http {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(Timestamp::UNIX_EPOCH));
    Http::new(&SourceId::new("source"), source, deps).unwrap()
}

fn secret(text: &str) -> SecretRef {
    SecretRef::Command(SecretProgram(vec!["printf".into(), "%s".into(), text.into()]))
}

fn named(name: &str, prefix: &str, text: &str) -> NamedSecret {
    NamedSecret { name: name.into(), prefix: prefix.into(), secret: secret(text) }
}

/// The credentials of a request: the headers that not every request has, and the parameters.
fn carried(asked: &ReceivedRequest) -> Vec<String> {
    let usual = ["host", "accept", "accept-encoding", "user-agent"];
    let headers = asked.headers.iter().filter(|(name, _)| !usual.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    headers.chain(asked.parameters.iter().map(|(name, value)| format!("?{name}={value}"))).collect()
}

#[tokio::test]
async fn each_way_puts_its_secret_where_it_belongs() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let keys = vec![named("DD-API-KEY", "", "one"), named("DD-APPLICATION-KEY", "", "two")];
    let cases: [(AuthSettings, &[&str]); 8] = [
        (AuthSettings::Bearer(secret("abc")), &["authorization: Bearer abc", "?a=1"]),
        (AuthSettings::Token(secret("abc")), &["authorization: Token token=abc", "?a=1"]),
        (
            AuthSettings::Basic(Login { user: "ana".into(), password: secret("abc") }),
            &["authorization: Basic YW5hOmFiYw==", "?a=1"],
        ),
        (
            AuthSettings::Header(vec![named("Authorization", "GenieKey ", "abc")]),
            &["authorization: GenieKey abc", "?a=1"],
        ),
        (AuthSettings::Header(keys.clone()), &["dd-api-key: one", "dd-application-key: two", "?a=1"]),
        (AuthSettings::Cookie(keys.clone()), &["cookie: DD-API-KEY=one; DD-APPLICATION-KEY=two", "?a=1"]),
        (AuthSettings::Query(keys), &["?a=1", "?DD-API-KEY=one", "?DD-APPLICATION-KEY=two"]),
        (AuthSettings::Query(vec![named("key", "v1 ", "a&b=c+d/é")]), &["?a=1", "?key=v1 a&b=c+d/é"]),
    ];
    for (auth, expected) in cases {
        let mut source = double.source("pagerduty");
        source.auth = Some(auth);
        http(&source).get("api", &[("a", "1")]).await.unwrap();
        assert_eq!(carried(double.asked().last().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_secret_in_the_address_shows_in_no_message() {
    let key = "canary/query+000001";
    let double = Double::start(|asked| {
        let query: Vec<_> = asked.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        match asked.path.as_str() {
            "/away" => CannedResponse::new(302, "text/plain", "")
                .header("Location", &format!("/{0}/login?{0}", query.join("&"))),
            "/slash" => CannedResponse::new(307, "text/plain", "").header("Location", "/slash/"),
            "/slash/" | "/fine" => CannedResponse::json("{}"),
            _ => CannedResponse::new(400, "text/plain", &format!("no such thing: {}", query.join("&"))),
        }
    })
    .await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Query(vec![named("api_key", "", key)]));
    let there = http(&source);
    // the response of a successful write is not a redirect
    there.send(&WriteRequest::delete("fine")).await.unwrap();
    let led = there.send(&WriteRequest::delete("slash")).await.err().unwrap();
    assert!(matches!(led.error.kind, ErrorKind::Redirected { .. }), "{led:?}");
    let mut said = vec![led.error.to_string()];
    for path in ["bad", "away"] {
        said.push(there.get(path, &[]).await.err().unwrap().to_string());
    }
    // nothing listens on this port and this host does not exist: the HTTP client's own error contains the address
    for url in ["http://127.0.0.1:1", "http://nowhere.invalid"] {
        source.url = url.into();
        said.push(http(&source).get("api", &[]).await.err().unwrap().to_string());
    }
    assert!(said.iter().all(|words| !words.contains("canary") && !words.contains("000001")), "{said:#?}");
    assert!(said[1].contains("no such thing: api_key=[secret]"), "{said:#?}");
    assert!(there.address().ends_with(&double.url), "{}", there.address());
}

#[tokio::test]
async fn what_cannot_stand_in_a_cookie_is_not_sent() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Cookie(vec![named("session", "", "canary; admin=1")]));
    let error = http(&source).get("api", &[]).await.err().unwrap();
    assert!(
        matches!(error.kind, ErrorKind::NoSecret { .. }) && !error.to_string().contains("canary"),
        "{error}"
    );
    assert_eq!(double.asked().len(), 0);
}

#[tokio::test]
async fn a_key_is_not_sent_where_the_kind_has_no_header_for_it() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Token(secret("canary")));
    let error = http(&source).get("api", &[]).await.err().unwrap();
    assert!(matches!(error.kind, ErrorKind::NoSecret { .. }), "{error}");
    assert_eq!(double.asked().len(), 0);
}
