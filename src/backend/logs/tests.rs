//! Bad answers, over all kinds of sources of log lines.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fixtures::{counts, lines, of_labels, texts, written};
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::{Clock, KINDS, Source, SourceDeps, connect};
use crate::config::KnownNames;
use crate::config::load::parse;
use crate::config::settings::Settings;
use crate::model::ask::AskKind;
use crate::model::duration::ConfigDuration;
use crate::model::log::{LogDirection, LogPage};
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;

/// The kinds that ask a server. A new one needs its line in [`page_of`].
const SERVERS: [&str; 3] = ["loki", "victorialogs", "elasticsearch"];

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn hour() -> LogPage {
    let from = now().checked_sub(Duration::from_secs(3600)).unwrap();
    LogPage { from, until: now(), direction: LogDirection::Backward, limit: 1000 }
}

#[test]
fn every_kind_of_server_with_log_lines_is_in_the_table() {
    let all = KINDS.iter().filter(|kind| kind.address.is_some() && kind.answers.contains(&AskKind::LogLines));
    assert_eq!(all.map(|kind| kind.name).collect::<Vec<_>>(), SERVERS);
}

fn source(kind: &str, double: &Double, settings: &Settings) -> Arc<dyn Source> {
    connect(&SourceId::new("x"), &double.source(kind), SourceDeps::new(settings, Clock::fixed(now())))
}

/// A server of this kind that answers every question about lines like this.
async fn always(kind: &'static str, response: CannedResponse) -> Double {
    Double::start(move |asked| {
        if kind == "elasticsearch" && asked.path.ends_with("_field_caps") {
            let fields = json!({"@timestamp": {"date": {"aggregatable": true}}, "message": {"text": {}}});
            return CannedResponse::json(&json!({"indices": ["logs"], "fields": fields}).to_string());
        }
        response.clone()
    })
    .await
}

/// The body with these lines, one a second; a line that is `None` has no time.
fn page_of(kind: &str, all: &[Option<&str>]) -> String {
    let time = |at: usize| now().checked_sub(Duration::from_secs(60 - at as u64)).unwrap();
    let each = all.iter().copied().enumerate();
    match kind {
        "loki" => {
            let value = |(at, text): (usize, Option<&str>)| match text {
                Some(text) => json!([time(at).as_nanosecond().to_string(), text]),
                None => json!(["soon", "no time"]),
            };
            let values: Vec<Value> = each.map(value).collect();
            json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {"app": "x"}, "values": values}]}})
                .to_string()
        }
        "victorialogs" => {
            let line = |(at, text): (usize, Option<&str>)| match text {
                Some(text) => format!("{}\n", json!({"_time": time(at).to_string(), "_msg": text})),
                None => "{\"_time\":\"soon\",\"_msg\":\"no time\"}\n".to_owned(),
            };
            each.map(line).collect()
        }
        "elasticsearch" => {
            let hit = |(at, text): (usize, Option<&str>)| match text {
                Some(text) => {
                    json!({"_id": at.to_string(), "_source": {"@timestamp": time(at).to_string(), "message": text}})
                }
                None => json!({"_id": "x", "_source": {"@timestamp": "soon"}}),
            };
            let hits: Vec<Value> = each.map(hit).collect();
            json!({"timed_out": false, "_shards": {"total": 1, "failed": 0}, "hits": {"hits": hits}})
                .to_string()
        }
        other => panic!("{other} has no line here"),
    }
}

#[tokio::test]
async fn whatever_a_server_answers_instead_of_lines_is_said_and_ends() {
    let text = |status, body: &str| CannedResponse::new(status, "text/plain", body);
    let html = |status, body: &str| CannedResponse::new(status, "text/html", body);
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>";
    let endless = "x".repeat(3 * 1024 * 1024);
    // for each answer, what the error says: Loki, VictoriaLogs, Elasticsearch
    let table: Vec<(CannedResponse, [&str; 3])> = vec![
        (text(500, "disk is full\nat line 7"), ["disk is full"; 3]),
        (text(400, "parse error at 3"), ["parse error at 3"; 3]),
        (text(401, "no credentials"), ["no credentials"; 3]),
        (text(429, "too many queries"), ["too many queries"; 3]),
        (text(404, "404 page not found"), ["404", "404", "404: no Elasticsearch API below this address"]),
        (html(502, page), ["502 Bad Gateway"; 3]),
        (html(200, "<html>login</html>"), ["HTML where JSON", "<html>login", "HTML where JSON"]),
        (text(200, "ok, nothing here"), ["cannot be understood", "ok, nothing here", "cannot be understood"]),
        (CannedResponse::json("null"), ["cannot be understood"; 3]),
        (
            CannedResponse::json("{\"data\": {\"resultType\": \"str"),
            ["JSON cut off", "no log lines", "JSON cut off"],
        ),
        (CannedResponse::json(&"[".repeat(100_000)), ["cannot be understood"; 3]),
        (text(200, &endless), ["larger than 1 MiB"; 3]),
        (CannedResponse::close_connection(), ["cannot connect"; 3]),
        (CannedResponse::json("{}").with_claimed_length(100), ["broke before the answer was complete"; 3]),
        (CannedResponse::hang(), ["no complete answer within"; 3]),
    ];
    let mut settings = Settings::default();
    settings.limits.body_mib = 1;
    settings.limits.timeout = ConfigDuration(Duration::from_millis(700));
    let window = TimeGrid::ending(now(), Duration::from_secs(3600), 60, Duration::from_secs(60));
    for (response, said) in table {
        for (kind, said) in SERVERS.into_iter().zip(said) {
            let double = always(kind, response.clone()).await;
            let source = source(kind, &double, &settings);
            let error = lines(&*source, &written("*"), hour()).await.expect_err(said);
            assert!(error.to_string().contains(said), "{kind}: {error}, not {said:?}");
            // and so are the counts, which have other shapes
            let counted = counts(&*source, &written("*"), window).await;
            assert!(counted.is_err() || kind == "victorialogs", "{kind}, {said}: {counted:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_answer_is_none_but_where_it_means_no_lines() {
    let settings = Settings::default();
    for kind in SERVERS {
        let double = always(kind, CannedResponse::new(200, "application/stream+json", "")).await;
        let read = lines(&*source(kind, &double, &settings), &written("*"), hour()).await;
        match read {
            Ok((read, _)) => assert_eq!((kind, read.lines.len()), ("victorialogs", 0)),
            Err(error) => assert!(error.to_string().contains("an empty answer"), "{kind}: {error}"),
        }
    }
}

#[tokio::test]
async fn odd_lines_keep_their_text_and_lost_ones_and_a_clock_are_said() {
    let long = format!("ERROR {}", "y".repeat(1024 * 1024));
    let odd = [
        Some("\u{1b}]0;title\u{7}\u{1b}[31mred\u{1b}[0m\ttab\r\nsecond line"),
        Some("NUL \u{0} and \u{202e}turned\u{2066}"),
        None,
        Some(&*long),
        Some(""),
    ];
    let settings = Settings::default();
    for kind in SERVERS {
        let response =
            CannedResponse::json(&page_of(kind, &odd)).header("Date", "Fri, 15 Jan 2027 08:01:40 GMT");
        let double = always(kind, response).await;
        let (read, warnings) =
            lines(&*source(kind, &double, &settings), &written("*"), hour()).await.unwrap();
        let texts = texts(&read);
        assert_eq!(texts[..2], [odd[0].unwrap(), odd[1].unwrap()], "{kind}");
        assert_eq!((read.lines.len(), texts[2].len()), (4, long.len()), "{kind}");
        assert_eq!(read.lines[2].severity.word(), "error", "{kind}");
        assert_eq!(read.unreadable, 1, "{kind}");
        let words: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(
            words.iter().any(|words| words.contains("1 line that could not be read: left out")),
            "{kind}: {words:?}"
        );
        assert!(words.iter().any(|words| words.contains("its clock is 100 s ahead of")), "{kind}: {words:?}");
    }
}

#[tokio::test]
async fn a_program_may_print_odd_lines_too() {
    let config = "[sources.x]\nkind = \"exec\"\ngives = \"logs\"\ncommand = [\"sh\", \"-c\", '''\
        printf '2027-01-15T07:59:00Z \\033[31mred\\033[0m \\377\\000end\\n'; printf '2027-01-15T07:59:01Z ERROR '; \
        head -c 1048576 /dev/zero | tr '\\0' y; printf '\\nno time of its own\\n' ''']\n";
    let settings =
        parse("config.toml", config, &KnownNames { kinds: &KINDS, ..KnownNames::default() }).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let program = connect(&SourceId::new("x"), &settings.sources["x"], deps);
    let (read, warnings) = lines(&*program, &of_labels(&[("service", "x")]), hour()).await.unwrap();
    assert_eq!(&*read.lines[0].raw, b"2027-01-15T07:59:00Z \x1b[31mred\x1b[0m \xff\0end");
    assert!(read.lines[1].length > 1024 * 1024 && read.lines[1].text().ends_with("y\nno time of its own"));
    assert_eq!((read.lines.len(), warnings), (2, Vec::new()));
}
