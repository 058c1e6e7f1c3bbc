use std::time::Duration;

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::config::settings::{ConfigDuration, SecretRef};
use crate::model::ask::Query;
use crate::model::labels::Labels;

fn settings(runbooks: RunbookSettings) -> Settings {
    let limits =
        LimitSettings { timeout: ConfigDuration(Duration::from_millis(600)), ..LimitSettings::default() };
    Settings { runbooks, limits, ..Settings::default() }
}

fn here() -> RunbookSettings {
    RunbookSettings { hosts: vec!["127.0.0.1".into()], ..RunbookSettings::default() }
}

async fn search(runbooks: RunbookSettings, url: &str) -> RunbookSearch {
    let wanted = RunbookQuery {
        name: "HighErrors".into(),
        url: (!url.is_empty()).then(|| url.into()),
        labels: Labels::from_iter([("service", "cart")]),
    };
    Runbooks::new(&settings(runbooks), &Transport::Network).search(&wanted).await.0
}

/// The error text of a search that finds no runbook because the server gives this answer.
async fn why(answer: impl Fn(&ReceivedRequest) -> CannedResponse + Send + Sync + 'static) -> String {
    let double = Double::start(answer).await;
    let search = search(here(), &format!("{}/A.md", double.url)).await;
    assert_eq!(search.found, None);
    search.tried.first().map(|tried| tried.why.to_string()).unwrap_or_default()
}

fn markdown(text: &str) -> CannedResponse {
    CannedResponse::new(200, "text/plain; charset=utf-8", text)
}

#[tokio::test]
async fn a_page_is_read_cleaned_and_knows_where_it_is_from() {
    let double = Double::start(|_| markdown("# Do\r\n\tthis \u{1b}[2J\u{202e}")).await;
    let search = search(here(), &format!("{}/A.md?token=secret", double.url)).await;
    let found = search.found.unwrap();
    assert_eq!(&*found.text, "# Do\n    this \\x1b[2J\\u{202e}");
    assert_eq!(&*found.from, format!("{}/A.md", double.url));
}

#[tokio::test]
async fn what_is_no_runbook_is_said_with_its_reason() {
    assert_eq!(why(|_| CannedResponse::new(404, "text/plain", "no such page")).await, "404: no such page");
    assert!(why(|_| CannedResponse::new(200, "text/html", "<p>x")).await.contains("web page"));
    assert!(why(|_| markdown("<!DOCTYPE html><html>")).await.contains("web page"));
    assert_eq!(why(|_| markdown(" \n")).await, "the runbook is empty");
    assert_eq!(why(|_| markdown(&"x".repeat(1_048_577))).await, "the page is larger than 1 MiB");
    assert!(
        why(|_| CannedResponse::new(200, "text/plain", "x").with_claimed_length(2_000_000))
            .await
            .contains("1 MiB")
    );
    assert!(why(|_| CannedResponse::hang()).await.contains("no complete answer within"));
    assert!(
        why(|_| markdown("slow").with_byte_delay(Duration::from_millis(400)))
            .await
            .contains("no complete answer")
    );
    let login =
        why(|_| CannedResponse::new(302, "text/html", "").header("Location", "https://login.example/?to=x"))
            .await;
    assert_eq!(
        login,
        "the server redirects to login.example/; set a token in [runbooks.tokens] if it needs a login"
    );
}

#[tokio::test]
async fn redirects_on_the_same_host_are_followed_but_not_for_ever() {
    let to = |path: &str| CannedResponse::new(301, "text/html", "").header("Location", path);
    let double =
        Double::start(move |asked| if asked.path == "/A.md" { to("/b/B.md") } else { markdown("# B") }).await;
    let found = search(here(), &format!("{}/A.md", double.url)).await.found;
    assert_eq!(&*found.unwrap().text, "# B");
    assert!(why(move |_| to("/A.md")).await.contains("redirects"));
}

#[tokio::test]
async fn private_and_metadata_addresses_are_not_asked_unless_they_are_named() {
    let double = Double::start(|_| markdown("# secret")).await;
    let closed = search(RunbookSettings::default(), &format!("{}/A.md", double.url)).await;
    assert!(closed.tried.first().unwrap().why.contains("private network"), "{closed:?}");
    let by_name = double.url.replace("127.0.0.1", "localhost");
    let closed = search(RunbookSettings::default(), &format!("{by_name}/A.md")).await;
    assert!(closed.tried.first().unwrap().why.contains("private network"), "{closed:?}");
    assert!(double.asked().is_empty());
    let open = RunbookSettings { allow_private: true, ..RunbookSettings::default() };
    assert!(search(open.clone(), &format!("{}/A.md", double.url)).await.found.is_some());
    for metadata in [
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "metadata.google.internal",
        "100.100.100.200",
    ] {
        let search = search(open.clone(), &format!("http://{metadata}/latest/meta-data")).await;
        assert!(search.tried.first().unwrap().why.contains("private network"), "{search:?}");
    }
}

#[tokio::test]
async fn a_token_goes_to_its_host_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "s3cret").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let secret = SecretRef::File(file.display().to_string());
    let double = Double::start(|_| markdown("# A")).await;
    let with = |host: &str| RunbookSettings { tokens: [(host.to_owned(), secret.clone())].into(), ..here() };
    search(with("127.0.0.1"), &format!("{}/A.md", double.url)).await;
    search(with("other.example"), &format!("{}/A.md", double.url)).await;
    let sent: Vec<_> =
        double.asked().iter().map(|asked| asked.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer s3cret".to_owned()), None]);
}

#[tokio::test]
async fn the_folder_helps_where_the_page_does_not() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cart.md"), "# Cart").unwrap();
    let folder = Some(dir.path().display().to_string());
    let search =
        search(RunbookSettings { folder, ..RunbookSettings::default() }, "http://127.0.0.1:1/A.md").await;
    assert_eq!(search.tried.len(), 1);
    assert_eq!(&*search.found.unwrap().text, "# Cart");
}

#[tokio::test]
async fn the_same_again_is_known() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("HighErrors.md"), "# Errors").unwrap();
    let folder = Some(dir.path().display().to_string());
    let source = Runbooks::new(
        &settings(RunbookSettings { folder, ..RunbookSettings::default() }),
        &Transport::Network,
    );
    let wanted = RunbookQuery { name: "HighErrors".into(), url: None, labels: Labels::default() };
    let ask = Query::Runbook { wanted: Arc::new(wanted) }.now();
    let first = source.answer(&ask, None).await.unwrap();
    assert!(matches!(first.answer, Answer::Runbook(RunbookSearch { found: Some(_), .. })));
    let again = source.answer(&ask, first.digest).await.unwrap();
    assert!(matches!(again.answer, Answer::Unchanged));
    assert!(source.answer(&Query::Probe.now(), None).await.is_err());
}
