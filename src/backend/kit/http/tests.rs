use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::{Clock, kind};
use crate::config::settings::{AuthSettings, ConfigDuration, LimitSettings, SecretRef, SecretText, Settings};

fn connected(source: &SourceSettings) -> Result<Http, SourceError> {
    let timeout = ConfigDuration(Duration::from_millis(600));
    let limits = LimitSettings { timeout, body_mib: 1, ..LimitSettings::default() };
    let settings = Settings { limits, ..Settings::default() };
    Http::new(&SourceId::new("prom"), source, SourceDeps::new(&settings, Clock::fixed(Timestamp::UNIX_EPOCH)))
}

fn http(source: &SourceSettings) -> Http {
    connected(source).unwrap()
}

fn at(url: &str) -> SourceSettings {
    SourceSettings::new(kind("prometheus"), url)
}

/// The result of one GET with this answer.
async fn ask(canned: CannedResponse) -> Result<Body, SourceError> {
    let double = Double::start(move |_| canned.clone()).await;
    http(&at(&double.url)).get("api", &[]).await
}

async fn failure(canned: CannedResponse) -> ErrorKind {
    ask(canned).await.err().expect("it must fail").kind
}

async fn garbled(canned: CannedResponse) -> String {
    match ask(canned).await.unwrap().json::<Value>() {
        Err(SourceError { kind: ErrorKind::Garbled { reason }, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn base_and_path_meet_in_one_slash_and_the_query_is_escaped() {
    let double = Double::start(|_| CannedResponse::json("[1]")).await;
    for base in ["", "/", "/select/0/prometheus", "/select/0/prometheus/"] {
        let body =
            http(&at(&format!("{}{base}", double.url))).get("/api/v1/query", &[("query", "a&b=c d")]).await;
        assert_eq!(body.unwrap().json::<Vec<u8>>().unwrap(), [1]);
    }
    let asked = double.asked();
    let paths: Vec<_> = asked.iter().map(|asked| asked.path.as_str()).collect();
    let below = "/select/0/prometheus/api/v1/query";
    assert_eq!(paths, ["/api/v1/query", "/api/v1/query", below, below]);
    assert_eq!(asked[0].parameter("query"), "a&b=c d");
}

#[tokio::test]
async fn user_and_password_of_the_address_become_basic_auth_and_are_not_shown() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let http = http(&at(&double.url.replace("//", "//me:p%40ss+&x@").replace("http", "HTTP")));
    http.get("api", &[("a", "b")]).await.unwrap();
    assert_eq!(&**http.address(), double.url);
    // me:p@ss+&x
    assert_eq!(double.asked()[0].header("authorization"), Some("Basic bWU6cEBzcysmeA=="));
}

#[tokio::test]
async fn a_rotated_token_is_read_again_after_a_401_and_tenant_and_headers_go_along() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old\n").unwrap();
    let double = Double::start(|asked| match asked.header("authorization") {
        Some("Bearer new") => CannedResponse::json("{}"),
        _ => CannedResponse::new(401, "text/plain", "no"),
    })
    .await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Bearer(SecretRef::File(file.path().display().to_string())));
    source.tenant = Some("team-a".into());
    source.headers.insert("X-Proxy".into(), SecretText::Plain("yes".into()));
    let http = http(&source);
    let first = http.get("api", &[]).await.err().unwrap();
    assert_eq!(first.kind, ErrorKind::Unauthorised { message: "no".into() });
    std::fs::write(file.path(), "new\n").unwrap();
    http.get("api", &[]).await.unwrap();
    let asked = double.asked();
    for (name, value) in [("x-scope-orgid", "team-a"), ("thanos-tenant", "team-a"), ("x-proxy", "yes")] {
        assert_eq!(asked[1].header(name), Some(value));
    }
}

#[tokio::test]
async fn a_missing_secret_fails_the_request_and_sends_nothing() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = double.source("prometheus");
    source.auth = Some(AuthSettings::Bearer(SecretRef::Env("BURNWATCH_NOT_SET_ANYWHERE".into())));
    let error = http(&source).get("api", &[]).await.err().unwrap();
    assert!(error.to_string().contains("BURNWATCH_NOT_SET_ANYWHERE"), "{error}");
    assert!(matches!(error.kind, ErrorKind::NoSecret { .. }) && double.asked().is_empty());
}

#[tokio::test]
async fn each_status_means_what_a_person_would_do_about_it() {
    let json = |status, body: &str| CannedResponse::new(status, "application/json", body);
    let refused = |status, message: &str| ErrorKind::Refused { status, message: message.into() };
    let bad = |message: &str| ErrorKind::BadQuery { message: message.into() };
    for (canned, expected) in [
        (json(401, ""), ErrorKind::Unauthorised { message: String::new() }),
        (
            CannedResponse::new(401, "text/plain", "no org id\n"),
            ErrorKind::Unauthorised { message: "no org id".into() },
        ),
        (
            json(401, r#"{"status":"error","errorType":"unauthorized","error":"invalid scope requested"}"#),
            ErrorKind::Unauthorised { message: "invalid scope requested".into() },
        ),
        (
            json(
                403,
                r#"{"error":"Forbidden","message":"Permissions needed: alert.silences:read.","traceID":"x"}"#,
            ),
            ErrorKind::Forbidden { message: "Forbidden: Permissions needed: alert.silences:read".into() },
        ),
        (
            json(403, r#"{"error":{"message":"Access Denied","code":2010,"errors":["no scope", "x"]}}"#),
            ErrorKind::Forbidden { message: "Access Denied: no scope: x".into() },
        ),
        (
            json(
                403,
                "<!DOCTYPE html>\n<html><head><TITLE lang=en>\n  Sign in &middot; Grafana\n</TITLE></head><body>words</body>",
            ),
            ErrorKind::Forbidden { message: "Sign in · Grafana".into() },
        ),
        (json(403, r#"{"code":7,"list":[1]}"#), ErrorKind::Forbidden { message: String::new() }),
        (
            json(403, "アクセスが拒否されました"),
            ErrorKind::Forbidden { message: "アクセスが拒否されました".into() },
        ),
        (
            json(429, r#"{"status":"error","error":"rate limit, set to 5 requests/s (err-mimir-x)"}"#),
            ErrorKind::RateLimited { message: "rate limit, set to 5 requests/s (err-mimir-x)".into() },
        ),
        (json(404, r#"{"errors":[{"message":"no such tenant"}]}"#), refused(404, "no such tenant")),
        (json(403, ""), ErrorKind::Forbidden { message: String::new() }),
        (json(429, ""), ErrorKind::RateLimited { message: String::new() }),
        (
            json(400, r#"{"status":"error","errorType":"bad_data","error":"parse \u001b[2Jerror"}"#),
            bad("parse \\x1b[2Jerror"),
        ),
        (json(422, r#"{"code":602,"message":"too many"}"#), bad("too many")),
        (json(400, r#""bad matcher format: bad""#), bad("bad matcher format: bad")),
        (json(400, r#"{"error":"compressed"}"#).gzip(), bad("compressed")),
        (json(404, "404 page not found\nmore"), refused(404, "404 page not found")),
        (json(502, "<html>Bad Gateway</html>"), refused(502, "")),
        (json(503, r#"{"error":{"deep":1}}"#), refused(503, "")),
    ] {
        assert_eq!(failure(canned).await, expected);
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
    let canned = CannedResponse::new(429, "text/plain", "").header("Retry-After", "7");
    assert_eq!(ask(canned).await.err().unwrap().retry_after, Some(Duration::from_secs(7)));
    let canned = CannedResponse::new(503, "text/plain", "")
        .header("Date", "Wed, 21 Oct 2015 07:28:00 GMT")
        .header("Retry-After", "Wed, 21 Oct 2015 07:28:30 GMT");
    assert_eq!(ask(canned).await.err().unwrap().retry_after, Some(Duration::from_secs(30)));
    let canned = CannedResponse::new(429, "text/plain", "").header("Retry-After", "soon");
    assert_eq!(ask(canned).await.err().unwrap().retry_after, None);
}

#[tokio::test]
async fn a_redirect_is_followed_for_a_slash_and_never_elsewhere() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/" => CannedResponse::json("[7]"),
        "/api" => CannedResponse::new(301, "text/html", "").header("Location", "/api/"),
        "/turn" => CannedResponse::new(302, "text/html", "").header("Location", "/turn/"),
        "/turn/" => CannedResponse::new(302, "text/html", "").header("Location", "/turn"),
        "/away" => CannedResponse::new(302, "text/html", "")
            .header("Location", "https://login.example/sso?token=secret"),
        _ => CannedResponse::new(302, "text/html", "").header("Location", "/login"),
    })
    .await;
    let http = http(&double.source("prometheus"));
    assert_eq!(http.get("api", &[]).await.unwrap().json::<Vec<u8>>().unwrap(), [7]);
    for (path, to) in
        [("away", "login.example/sso"), ("other", "127.0.0.1/login"), ("turn", "127.0.0.1/turn")]
    {
        let error = http.get(path, &[]).await.err().unwrap();
        assert!(
            matches!(&error.kind, ErrorKind::Redirected { to: found } if found.trim_end_matches('/') == to),
            "{error}"
        );
    }
    assert!(double.asked().len() <= 8);
}

#[tokio::test]
async fn what_is_no_json_is_named() {
    assert_eq!(
        garbled(CannedResponse::new(200, "text/html", " <!doctype html>")).await,
        "HTML where JSON is expected"
    );
    assert_eq!(garbled(CannedResponse::json("")).await, "an empty answer where JSON is expected");
    assert_eq!(garbled(CannedResponse::json(r#"{"a": [1, 2"#)).await, "JSON cut off after 11 bytes");
    assert!(garbled(CannedResponse::json("nonsense")).await.contains("column"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_garbled() {
    let cut = failure(CannedResponse::json(r#"{"a": [1, 2"#).with_claimed_length(500)).await;
    assert!(matches!(cut, ErrorKind::Garbled { .. } | ErrorKind::Unreachable { .. }), "{cut:?}");
    let mut broken = CannedResponse::json("[1, 2, 3, 4, 5, 6, 7, 8, 9]").gzip();
    broken.body.truncate(20);
    assert!(matches!(failure(broken).await, ErrorKind::Garbled { .. }));
}

#[tokio::test]
async fn too_much_is_refused_by_its_length_in_its_chunks_and_inflated() {
    let too_large = ErrorKind::TooLarge { limit: 1024 * 1024 };
    let megabytes = " ".repeat(3 * 1024 * 1024);
    assert_eq!(failure(CannedResponse::json("").with_claimed_length(500_000_000)).await, too_large);
    assert_eq!(failure(CannedResponse::json(&megabytes)).await, too_large);
    let bomb = CannedResponse::json(&megabytes).gzip();
    assert!(bomb.body.len() < 10_000);
    assert_eq!(failure(bomb).await, too_large);
}

#[tokio::test]
async fn gzip_is_inflated_and_the_inflated_bytes_are_counted() {
    let text = format!("[{}1]", "1,".repeat(5000));
    let canned = CannedResponse::json(&text).gzip().header("Date", "Wed, 21 Oct 2015 07:28:00 GMT");
    let body = ask(canned.clone()).await.unwrap();
    assert!(canned.body.len() < text.len());
    assert_eq!((body.size(), &*body.bytes), (text.len() as u64, text.as_bytes()));
    assert_eq!(body.date.unwrap().to_string(), "2015-10-21T07:28:00Z");
    assert_eq!(body.digest(), ask(canned).await.unwrap().digest());
    assert_ne!(body.digest(), ask(CannedResponse::json("[]")).await.unwrap().digest());
}

#[tokio::test]
async fn silence_and_dripping_end_at_the_time_limit() {
    let timed_out = ErrorKind::TimedOut { after: Duration::from_millis(600) };
    let begin = Instant::now();
    assert_eq!(failure(CannedResponse::hang()).await, timed_out);
    let with_byte_delay = CannedResponse::json(&"1".repeat(500)).with_byte_delay(Duration::from_millis(20));
    assert_eq!(failure(with_byte_delay).await, timed_out);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn no_connection_says_why_in_a_few_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = http(&at(&url)).get("api", &[]).await.err().unwrap();
    assert_eq!(error.to_string(), "prom: cannot connect (connection refused)");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain =
        async { listener.accept().await.unwrap().0.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await };
    let source = http(&at(&url));
    let (error, _) = tokio::join!(source.get("api", &[]), plain);
    assert_eq!(
        error.err().unwrap().to_string(),
        "prom: cannot connect (the server does not speak TLS; use http:// if that is intended)"
    );
}

#[test]
fn an_address_that_is_none_is_refused_before_anything_is_sent() {
    for url in ["", "prom:9090", "ftp://prom", "http://", "unix:/run/x"] {
        assert!(connected(&at(url)).is_err(), "{url:?}");
    }
}
