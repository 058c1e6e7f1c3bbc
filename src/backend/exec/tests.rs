use super::*;
use crate::backend::{KINDS, Source};
use crate::config::KnownNames;
use crate::config::load::parse;
use crate::model::ask::{Ask, Query};
use crate::model::log::{LogDirection, LogLines, LogPage, LogQuery, LogSeverity};
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn source(script: &str, more: &str) -> Exec {
    let text = format!(
        "[sources.x]\nkind = \"exec\"\ngives = \"changes\"\ncommand = [\"sh\", \"-c\", {script:?}]\n{more}"
    );
    let known = KnownNames { kinds: &KINDS, ..KnownNames::default() };
    let settings = parse("config.toml", &text, &known).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Exec::new(&SourceId::new("x"), &settings.sources["x"], deps).unwrap()
}

fn hour() -> Ask {
    Query::Changes { since: now().checked_sub(Duration::from_secs(3600)).unwrap() }.now()
}

async fn changes(source: &Exec) -> Result<(ChangeSnapshot, Vec<String>), String> {
    let reply = source.answer(&hour(), None).await.map_err(|error| error.to_string())?;
    let Answer::Changes(snapshot) = reply.answer else { panic!("no changes") };
    Ok((snapshot, reply.warnings.iter().map(|warning| warning.text.to_string()).collect()))
}

#[tokio::test]
async fn a_program_gets_the_time_range_and_gives_changes() {
    let script = r#"printf '{"time": "%s", "title": "plan", "service": "%s"}\nnot json\n' "$BURNWATCH_SINCE" "$BURNWATCH_SOURCE"; echo hm >&2"#;
    let (snapshot, warnings) = changes(&source(script, "")).await.unwrap();
    let [change] = snapshot.changes.as_slice() else { panic!("{snapshot:?}") };
    assert_eq!((change.at, change.service.as_deref()), (now() - Duration::from_secs(3600), Some("x")));
    assert_eq!(warnings, ["left out: 1 line not a JSON object (the last: \"not json\")", "it said: hm"]);
    let list = r#"echo '[{"time": 1772366340, "kind": "deploy", "to": "2"}, {"time": 1772366341,
        "kind": "config"}]'"#;
    assert_eq!(changes(&source(list, "")).await.unwrap().0.changes.len(), 2);
    // nothing printed is no change, and no failure
    assert_eq!(changes(&source("true", "")).await.unwrap().0.changes, []);
}

#[tokio::test]
async fn a_program_that_hangs_floods_fails_or_prints_no_json_is_said() {
    for (script, more, said) in [
        ("sleep 60", "timeout = \"1s\"", "x: sh was still running after 1 s and was killed"),
        ("echo no access >&2; exit 2", "", "x: sh failed (exit status: 2): no access"),
        (
            "echo '<html>'",
            "",
            "x: the answer cannot be understood (no changes as JSON lines: left out: 1 line not a JSON object",
        ),
    ] {
        let error = changes(&source(script, more)).await.unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
    let flood = r#"while :; do echo '{"time": 1772366340, "title": "x"}'; done"#;
    let (snapshot, warnings) = changes(&source(flood, "max_bytes = 4096")).await.unwrap();
    assert_eq!(snapshot.changes.len(), 1, "the same line is one change");
    assert_eq!(warnings, ["it printed more than max_bytes (4096) and was killed: the rest is missing"]);
}

#[tokio::test]
async fn a_program_runs_once_in_its_interval_also_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    for (end, count) in [("", 1), ("exit 1", 2)] {
        let source = source(&format!("echo run >> {}; {end}", runs.display()), "");
        for _ in 0..3 {
            drop(changes(&source).await);
        }
        // a probe runs nothing
        source.answer(&Query::Probe.now(), None).await.unwrap();
        assert_eq!(std::fs::read_to_string(&runs).unwrap().lines().count(), count);
        // an earlier time range needs another run, unless the last one failed
        let day = Query::Changes { since: now().checked_sub(Duration::from_secs(86_400)).unwrap() };
        drop(source.answer(&day.now(), None).await);
        let more = usize::from(end.is_empty());
        assert_eq!(std::fs::read_to_string(&runs).unwrap().lines().count(), count + more);
        std::fs::write(&runs, "run\n").unwrap();
    }
}

#[tokio::test]
async fn options_are_checked_and_a_missing_program_is_noticed_without_running_it() {
    let known = KnownNames { kinds: &KINDS, ..KnownNames::default() };
    let text =
        "[sources.x]\nkind = \"exec\"\ngives = \"logs\"\ncommand = []\ntimeout = \"0s\"\nmax_bytes = 1\n";
    assert_eq!(
        parse("config.toml", text, &known).unwrap_err().to_string(),
        "config.toml:4:11: `command` in [sources.x] must begin with a program, like [\"git\", \"log\"]\n\
         config.toml:5:11: `timeout` in [sources.x] must be at least 1s\n\
         config.toml:6:13: `max_bytes` in [sources.x] must be 1024 to 268435456, not 1"
    );
    let text = "[sources.x]\nkind = \"exec\"\ngives = \"logs\"\ncommand = [\"no-such-program\", \"--token=secret\"]\n";
    let settings = parse("config.toml", text, &known).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = Exec::new(&SourceId::new("x"), &settings.sources["x"], deps).unwrap();
    assert!(!source.info().answers.contains(&AskKind::Changes));
    assert_eq!(&*source.info().address, "no-such-program");
    let error = source.answer(&Query::Probe.now(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "x: no-such-program is not an executable program");
}

fn log_source(script: &str, more: &str) -> Exec {
    let text = format!(
        "[sources.x]\nkind = \"exec\"\ngives = \"logs\"\ncommand = [\"sh\", \"-c\", {script:?}, \"sh\", \"{{{{ labels.service }}}}\", \"{{{{ since }}}}\"]\n{more}"
    );
    let known = KnownNames { kinds: &KINDS, ..KnownNames::default() };
    let settings = parse("config.toml", &text, &known).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Exec::new(&SourceId::new("x"), &settings.sources["x"], deps).unwrap()
}

async fn lines_of(
    source: &Exec,
    labels: &[(&str, &str)],
    limit: u32,
) -> Result<(LogLines, Vec<String>), String> {
    let wanted = Arc::new(LogQuery { labels: labels.iter().copied().collect(), ..LogQuery::default() });
    let from = now().checked_sub(Duration::from_secs(3600)).unwrap();
    let page = LogPage { from, until: now(), direction: LogDirection::Backward, limit };
    let ask = Query::LogLines { wanted, page }.now();
    let reply = source.answer(&ask, None).await.map_err(|error| error.to_string())?;
    let Answer::LogLines(lines) = reply.answer else { panic!("no lines") };
    Ok((lines, reply.warnings.iter().map(|warning| warning.text.to_string()).collect()))
}

#[tokio::test]
async fn printed_lines_have_the_time_and_the_severity_that_they_tell() {
    let script = r#"echo "{\"ts\":\"2026-03-01T11:30:00Z\",\"level\":\"error\",\"msg\":\"$1 since $2\"}"
        echo '2026-03-01T11:10:00Z INFO first'; echo '2026-03-01T09:00:00Z before the range'"#;
    let (lines, warnings) = lines_of(&log_source(script, ""), &[("service", "cart")], 100).await.unwrap();
    let told: Vec<(String, LogSeverity)> =
        lines.lines.iter().map(|line| (line.text().into_owned(), line.severity)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], ("2026-03-01T11:10:00Z INFO first".to_owned(), LogSeverity::Info));
    assert!(told[1].0.contains("cart since 2026-03-01T11:00:00Z"), "{told:?}");
    assert_eq!((told[1].1, warnings), (LogSeverity::Error, Vec::new()));
    assert!(lines.query.contains(r#""cart""#), "{}", lines.query);
    // one line of two: there are older ones
    let (lines, _) = lines_of(&log_source(script, ""), &[("service", "cart")], 1).await.unwrap();
    assert!(lines.lines.len() == 1 && lines.has_older(now().checked_sub(Duration::from_secs(3600)).unwrap()));
}

#[tokio::test]
async fn a_label_that_is_missing_or_would_be_an_option_is_said_and_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let ran = folder.path().join("ran");
    let source = log_source(&format!("touch {}", ran.display()), "");
    for (labels, said) in [
        ([("app", "x")], "not run: there is no label for {{ labels.service }}"),
        ([("service", "--all")], "not run: \"--all\" would be an option of the program"),
    ] {
        let (lines, _) = lines_of(&source, &labels, 10).await.unwrap();
        assert_eq!((&*lines.query, &*lines.notes[0]), ("", said));
    }
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_program_of_logs_that_hangs_floods_or_fails_is_said() {
    let labels = [("service", "cart")];
    let error = lines_of(&log_source("sleep 60", "timeout = \"1s\""), &labels, 10).await.unwrap_err();
    assert_eq!(error, "x: sh was still running after 1 s and was killed");
    let error = lines_of(&log_source("echo no such unit >&2; exit 1", ""), &labels, 10).await.unwrap_err();
    assert_eq!(error, "x: sh failed (exit status: 1): no such unit");
    let flood = log_source("while :; do echo 2026-03-01T11:59:00Z x; done", "max_bytes = 4096");
    // the second time it is not run again
    for _ in 0..2 {
        let (lines, warnings) = lines_of(&flood, &labels, 5000).await.unwrap();
        assert!(lines.lines.len() == 1 && lines.complete_from.is_none(), "more lines than were read");
        assert_eq!(warnings, ["it printed more than max_bytes (4096) and was killed: the rest is missing"]);
    }
    let (lines, warnings) = lines_of(&log_source("echo no time here", ""), &labels, 10).await.unwrap();
    assert_eq!((lines.lines.len(), &*warnings[0]), (1, "1 line without a time: shown at that of the run"));
}
