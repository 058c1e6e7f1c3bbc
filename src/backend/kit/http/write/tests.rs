use std::time::Duration;

use serde_json::json;

use super::*;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::{Clock, SourceDeps, kind};
use crate::config::settings::{
    AuthSettings, ConfigDuration, LimitSettings, SecretRef, Settings, SourceSettings,
};
use crate::model::source::SourceId;

fn http(source: &SourceSettings) -> Http {
    let limits = LimitSettings {
        timeout: ConfigDuration(Duration::from_millis(400)),
        body_mib: 1,
        ..LimitSettings::default()
    };
    let settings = Settings { limits, ..Settings::default() };
    let deps = SourceDeps::new(&settings, Clock::fixed(jiff::Timestamp::UNIX_EPOCH));
    Http::new(&SourceId::new("pd"), source, deps).unwrap()
}

fn change() -> WriteRequest {
    WriteRequest::post("incidents", json!({"a": "\u{202e}b"}))
}

async fn failed(canned: CannedResponse) -> ActionError {
    let double = Double::start(move |_| canned.clone()).await;
    let error = http(&double.source("pagerduty")).send(&change()).await.err();
    assert_eq!(double.asked().len(), 1, "never sent a second time");
    error.expect("it must fail")
}

#[tokio::test]
async fn a_change_is_sent_once_with_its_body_and_headers() {
    let double = Double::start(|_| CannedResponse::new(202, "application/json", "{}")).await;
    let http = http(&double.source("pagerduty"));
    http.send(&change().header("from", "ana@example.org")).await.unwrap();
    http.send(&WriteRequest::delete(format!("silence/{}", segment("a/../b c.ü")))).await.unwrap();
    let asked = double.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].header("from")), ("POST", Some("ana@example.org")));
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(asked[0].json(), json!({"a": "\u{202e}b"}));
    assert_eq!((asked[1].method.as_str(), asked[1].body.len()), ("DELETE", 0));
    assert_eq!(asked[1].path, "/silence/a%2F%2E%2E%2Fb%20c%2E%C3%BC");
}

#[test]
fn what_is_shown_of_a_change_has_no_secret_and_nothing_that_plays_with_the_terminal() {
    let mut source = SourceSettings::new(kind("pagerduty"), "https://me:secret@pd.example/v2/?key=secret");
    source.auth = Some(AuthSettings::Token(SecretRef::Env("SECRET".into())));
    let shown = change().preview(http(&source).address());
    assert_eq!(shown.to_string(), r#"POST https://pd.example/v2/incidents {"a":"\u202eb"}"#);
}

#[tokio::test]
async fn what_never_left_or_was_refused_was_surely_not_done() {
    let nobody = SourceSettings::new(kind("pagerduty"), "http://127.0.0.1:1");
    let error = http(&nobody).send(&change()).await.err().unwrap();
    assert!(!error.is_unclear && matches!(error.error.kind, ErrorKind::Unreachable { .. }), "{error}");
    let mut locked = SourceSettings::new(kind("pagerduty"), "http://127.0.0.1:1");
    locked.auth = Some(AuthSettings::Token(SecretRef::Env("BURNWATCH_NO_SUCH_VARIABLE".into())));
    let error = http(&locked).send(&change()).await.err().unwrap();
    assert!(!error.is_unclear && matches!(error.error.kind, ErrorKind::NoSecret { .. }), "{error}");
    let said = r#"{"error":{"message":"Invalid","errors":["From is wrong"]}}"#;
    for (status, shown) in [
        (400, "400: Invalid: From is wrong"),
        (401, "401 Unauthorized: Invalid: From is wrong"),
        (403, "403: Invalid: From is wrong"),
        (404, "404: Invalid: From is wrong"),
        (413, "413: Invalid: From is wrong"),
        (422, "422: Invalid: From is wrong"),
        (302, "it redirects to nowhere"),
    ] {
        let error = failed(CannedResponse::new(status, "application/json", said)).await;
        assert_eq!((error.is_unclear, &*error.error.kind.to_string()), (false, shown));
    }
    let busy = failed(CannedResponse::new(429, "text/plain", "").header("Retry-After", "17")).await;
    assert_eq!((busy.is_unclear, busy.error.retry_after), (false, Some(Duration::from_secs(17))));
    assert_eq!(busy.error.kind, ErrorKind::RateLimited { message: String::new() });
}

#[tokio::test]
async fn what_went_out_without_a_sure_answer_is_unclear() {
    let half = CannedResponse::json("{}").with_claimed_length(900);
    let gateway = CannedResponse::new(502, "text/html", "<html>Bad Gateway</html>");
    for canned in [
        CannedResponse::close_connection(),
        CannedResponse::hang(),
        half,
        gateway,
        CannedResponse::new(500, "text/plain", "oops"),
    ] {
        let error = failed(canned).await;
        assert!(error.is_unclear, "{error}");
    }
}

#[tokio::test]
async fn a_change_that_a_redirect_made_a_question_of_does_not_count_as_done() {
    let double = Double::start(|asked| {
        let moved = CannedResponse::new(301, "text/plain", "").header("Location", "/incidents/");
        if asked.method == "POST" { moved } else { CannedResponse::json("{}") }
    })
    .await;
    let error = http(&double.source("pagerduty")).send(&change()).await.err().unwrap();
    assert!(error.is_unclear && matches!(error.error.kind, ErrorKind::Redirected { .. }), "{error}");
}
