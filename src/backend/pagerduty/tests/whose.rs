//! Tests of the owner of the key, and of the probe.

use super::*;
use crate::model::ask::Query;

fn facts(offer: &ProbeReport) -> String {
    offer.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

fn account_key(asked: &ReceivedRequest) -> CannedResponse {
    let ana = json!({"id": "PANA", "type": "user", "name": "Ana Pereira", "email": "Ana@Example.org"});
    let other = json!({"id": "PX", "type": "user", "name": "ana@example.org", "email": "joana@example.org"});
    match asked.path.as_str() {
        "/users/me" => refused(400),
        "/users" => page(asked, "users", &[other, ana]),
        _ => quiet(asked),
    }
}

#[tokio::test]
async fn a_users_key_tells_whose_it_is_and_what_may_still_be_asked() {
    let double = Double::start(|asked| {
        quiet(asked)
            .header("Date", "Thu, 20 Aug 2026 10:21:10 GMT")
            .header("ratelimit-limit", "960")
            .header("ratelimit-remaining", "40")
            .header("ratelimit-reset", "12")
    })
    .await;
    let mut source = double.source("pagerduty");
    source.headers.insert("X-Team".into(), crate::config::settings::SecretText::Plain("sre".into()));
    let reply = pagerduty(&double).answer(&Query::Probe.now(), None).await.unwrap();
    assert_eq!(reply.requests, 1);
    let offer = offer(Ok(reply));
    assert_eq!((&*offer.flavour, offer.clock_ahead_seconds), ("PagerDuty", Some(70)));
    assert_eq!(
        facts(&offer),
        "account: example.pagerduty.com; key of: Ana Pereira; role: user; requests left: 40 of 960"
    );
    let warnings = names(&offer.warnings);
    assert!(warnings.contains("only 40 of 960 requests are left for the next 12 s"), "{warnings}");
    assert!(warnings.contains("70 s ahead"), "{warnings}");
    let asked = double.asked();
    assert_eq!(asked[0].header("accept"), Some("application/vnd.pagerduty+json;version=2"));
}

#[tokio::test]
async fn a_key_is_sent_as_pagerduty_wants_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "y_NbAkKc66ryYTWUXYEu\n").unwrap();
    let secret = crate::config::settings::SecretRef::File(file.path().display().to_string());
    let auth = crate::config::settings::AuthSettings::Token(secret);
    let double = Double::start(quiet).await;
    connected(&double, |source| source.auth = Some(auth), Clock::fixed(now()))
        .answer(&Query::Probe.now(), None)
        .await
        .unwrap();
    assert_eq!(double.asked()[0].header("authorization"), Some("Token token=y_NbAkKc66ryYTWUXYEu"));
}

#[tokio::test]
async fn a_reader_is_told_that_actions_will_be_refused() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/users/me" => json(&json!({"user": {"id": "PO", "name": "Ola", "role": "read_only_user"}})),
        _ => quiet(asked),
    })
    .await;
    let offer = offer(pagerduty(&double).answer(&Query::Probe.now(), None).await);
    assert_eq!(names(&offer.warnings), "Ola may only read (read_only_user): actions will be refused");
}

#[tokio::test]
async fn an_accounts_key_needs_to_know_who_you_are() {
    let double = Double::start(account_key).await;
    let nobody = pagerduty(&double);
    let reported = offer(nobody.answer(&Query::Probe.now(), None).await);
    assert_eq!(facts(&reported), "key of: the account");
    assert!(names(&reported.warnings).contains("actions need `from`"), "{:?}", reported.warnings);
    assert_eq!(turns(nobody.answer(&Query::OnCall.now(), None).await).me, None);

    let ana = connected(&double, set("from", "ana@example.org"), Clock::fixed(now()));
    let reported = offer(ana.answer(&Query::Probe.now(), None).await);
    assert_eq!(
        (facts(&reported), reported.warnings.len()),
        ("key of: the account; from: Ana Pereira".into(), 0)
    );
    let snapshot = turns(ana.answer(&Query::OnCall.now(), None).await);
    assert_eq!(snapshot.me.as_ref().map(|me| &*me.id), Some("PANA"));

    let stranger = connected(&double, set("from", "jo@example.org"), Clock::fixed(now()));
    let reported = offer(stranger.answer(&Query::Probe.now(), None).await);
    assert!(names(&reported.warnings).contains("the account has no user with the address `jo@example.org`"));
}

#[tokio::test]
async fn a_key_without_any_right_is_refused_and_one_with_few_is_not() {
    let double = Double::start(|_| refused(403)).await;
    assert_eq!(
        pagerduty(&double).answer(&Query::Probe.now(), None).await.unwrap_err().kind,
        ErrorKind::Forbidden { message: "No: not this time".into() }
    );
    let double =
        Double::start(|asked| if asked.path == "/users/me" { refused(403) } else { quiet(asked) }).await;
    let reported = offer(pagerduty(&double).answer(&Query::Probe.now(), None).await);
    assert!(names(&reported.warnings).contains("may not read users"), "{:?}", reported.warnings);
    let double = Double::start(|_| refused(401)).await;
    assert_eq!(
        pagerduty(&double).answer(&Query::Probe.now(), None).await.unwrap_err().kind,
        ErrorKind::Unauthorised { message: "No: not this time".into() }
    );
}

#[tokio::test]
async fn what_is_no_pagerduty_is_named() {
    for canned in [
        CannedResponse::new(404, "text/plain", "404 page not found"),
        CannedResponse::new(200, "text/html", "<html>Sign in</html>"),
        CannedResponse::json("{}"),
        CannedResponse::json(r#"{"user": 7}"#),
    ] {
        let double = Double::start(move |_| canned.clone()).await;
        let error = pagerduty(&double).answer(&Query::Probe.now(), None).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{error}");
    }
}
