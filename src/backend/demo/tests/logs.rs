//! The simulated Loki, asked by the real source.

use super::*;
use crate::backend::demo::log_lines::LogHead;
use crate::model::log::compare::PatternChange;
use crate::model::log::{
    LARGEST_PAGE, LogComparison, LogDirection, LogHistogram, LogLines, LogPage, LogQuery, LogSeverity,
    LogSplit,
};

fn loki(seed: u64, seconds: i64) -> Arc<dyn Source> {
    demo(seed, seconds).into_iter().find(|source| &*source.info().id.to_string() == "loki").unwrap()
}

fn of(service: &str, region: &str) -> LogQuery {
    LogQuery { labels: Labels::from_iter([("service", service), ("region", region)]), ..LogQuery::default() }
}

fn written(query: &str) -> LogQuery {
    LogQuery { written: Some(query.into()), ..LogQuery::default() }
}

fn page(from: i64, until: i64, direction: LogDirection, limit: u32) -> LogPage {
    LogPage { from: at(from), until: at(until), direction, limit }
}

fn lines(source: &dyn Source, query: LogQuery, page: LogPage) -> LogLines {
    match ask(source, &Query::LogLines { wanted: Arc::new(query), page }.now()) {
        Answer::LogLines(lines) => lines,
        other => panic!("{other:?}"),
    }
}

fn patterns(seed: u64, query: LogQuery, (from, split, until): (i64, i64, i64)) -> LogComparison {
    let split = LogSplit { from: at(from), at: at(split), until: at(until) };
    match ask(&*loki(seed, until), &Query::LogPatterns { wanted: Arc::new(query), split }.now()) {
        Answer::LogPatterns(patterns) => patterns,
        other => panic!("{other:?}"),
    }
}

fn counts(source: &dyn Source, query: LogQuery, end: i64, minutes: u64) -> LogHistogram {
    let window = TimeGrid::ending(at(end), super::minutes(minutes), 60, Duration::from_secs(1));
    match ask(source, &Query::LogCounts { wanted: Arc::new(query), window }.now()) {
        Answer::LogCounts(counts) => counts,
        other => panic!("{other:?}"),
    }
}

/// Where each chapter breaks something, and what the new lines there say.
const CAUSES: [(u32, &str, &str, &str); 8] = [
    (0, "payments", "eu-west-1", "nil amount in currency minor units"),
    (0, "checkout", "eu-west-1", "upstream payments: "),
    (1, "search-index", "us-east-1", "wildcard rewritten to a scan of all segments"),
    (1, "search", "us-east-1", "search-index: context deadline exceeded"),
    (2, "auth", "us-east-1", "session store: OOM command not allowed"),
    (2, "redis-sessions", "us-east-1", "OOM command not allowed"),
    (3, "inventory", "eu-west-1", "no connection to postgres-inventory"),
    (3, "postgres-inventory", "eu-west-1", "remaining connection slots are reserved"),
];

#[test]
fn what_is_new_in_the_logs_names_the_cause_of_each_chapter() {
    for (chapter, service, region, cause) in CAUSES {
        let start = i64::from(chapter) * 600;
        let found = patterns(0, of(service, region), (start - 900, start, start + 150));
        let new = found.patterns.iter().take(3).filter(|one| matches!(one.change, PatternChange::New));
        let texts: Vec<&str> = new.map(|one| &*one.text).collect();
        assert!(texts.iter().any(|text| text.contains(cause)), "{service}: {texts:?}");
    }
}

#[test]
fn with_no_incident_nothing_severe_is_new() {
    let found = patterns(0, of("payments", "eu-west-1"), (-3600, -1200, -600));
    let new = found.patterns.iter().filter(|one| one.severity <= LogSeverity::Error && one.after > 3);
    let texts: Vec<_> =
        new.filter(|one| matches!(one.change, PatternChange::New)).map(|one| &one.text).collect();
    assert!(texts.is_empty(), "{texts:?}");
}

#[test]
fn pages_in_both_directions_have_the_same_lines_and_the_histogram_counts_them() {
    let source = loki(7, 200);
    let whole =
        lines(&*source, of("checkout", "eu-west-1"), page(-120, 140, LogDirection::Backward, LARGEST_PAGE));
    assert!(whole.lines.len() > 200, "{}", whole.lines.len());
    let mut walked = Vec::new();
    let mut from = -120_000_000_000_i128 + at(0).as_nanosecond();
    loop {
        let from_time = Timestamp::from_nanosecond(from).unwrap();
        let next = LogPage { from: from_time, until: at(140), direction: LogDirection::Forward, limit: 37 };
        let part = lines(&*source, of("checkout", "eu-west-1"), next);
        let Some(last) = part.lines.last() else { break };
        from = last.at.as_nanosecond() + 1;
        walked.extend(part.lines);
    }
    let keys = |lines: &[Arc<crate::model::log::LogLine>]| {
        lines.iter().map(|line| line.key()).collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&walked), keys(&whole.lines));
    assert_eq!(walked.len(), whole.lines.len(), "no line twice");
    // the last bar of the histogram begins at its end
    let counted = counts(&*source, of("checkout", "eu-west-1"), 120, 4);
    let (from, step) = (counted.span.start(), counted.span.step());
    let until = counted.span.end().checked_add(step).unwrap();
    let whole = LogPage { from, until, direction: LogDirection::Backward, limit: LARGEST_PAGE };
    let all = lines(&*source, of("checkout", "eu-west-1"), whole);
    let errors = all.lines.iter().filter(|line| line.severity == LogSeverity::Error).count() as u64;
    let of = |severity| counted.total(severity);
    assert!(of(LogSeverity::Error).abs_diff(errors) <= 2, "{} {errors}", of(LogSeverity::Error));
    assert!(counted.lines().abs_diff(all.lines.len() as u64) <= 3, "{} {}", counted.lines(), all.lines.len());
}

#[test]
fn the_same_seed_and_time_have_the_same_lines_whatever_now_is() {
    let of_now = |seed, now| {
        lines(&*loki(seed, now), of("auth", "us-east-1"), page(-300, -120, LogDirection::Backward, 1000))
            .lines
    };
    let keys = |seed, now| of_now(seed, now).iter().map(|line| line.key()).collect::<Vec<_>>();
    assert!(keys(7, 10) == keys(7, 5000) && keys(7, 10).len() > 100);
    assert!(keys(7, 10) != keys(8, 10));
    let early =
        lines(&*loki(7, -200), of("auth", "us-east-1"), page(-300, -120, LogDirection::Backward, 1000)).lines;
    assert!(early.last().unwrap().at <= at(-200), "there are no lines of the future");
}

#[test]
fn written_queries_filter_and_wrong_ones_are_refused() {
    let source = loki(0, 150);
    let all = page(-60, 150, LogDirection::Backward, 500);
    let nil = lines(
        &*source,
        written("{service_name=\"payments\", region=\"eu-west-1\"} |= `nil amount` | json | code >= 500"),
        all,
    );
    assert!(nil.lines.len() > 50 && nil.lines.iter().all(|line| line.text().contains("nil amount")));
    assert!(nil.lines.iter().all(|line| line.fields.get("trace_id").is_some_and(|id| id.len() == 32)));
    let fatal = lines(&*source, written("{namespace=\"money\"} | detected_level=\"fatal\""), all);
    assert!(fatal.lines.iter().any(|line| line.text().contains("nil pointer")), "{:?}", fatal.lines);
    let wrong = answered(
        &*source,
        &Query::LogLines { wanted: Arc::new(written("{a=\"b\"} | line_format \"x\"")), page: all }.now(),
    );
    assert!(wrong.unwrap_err().to_string().contains("line_format"));
    let wide = page(-30 * 86_400, 150, LogDirection::Backward, 500);
    let wide =
        Query::LogLines { wanted: Arc::new(written("{region=\"eu-west-1\"} |= \"not there\"")), page: wide };
    assert!(answered(&*source, &wide.now()).unwrap_err().to_string().contains("too many bytes"));
}

#[test]
fn every_service_logs_and_the_lines_have_the_severities_that_loki_detects() {
    let world = DemoWorld::new(7, DemoTimeline::new(start(), 1.0));
    let range = world.time.second(-900.0)..world.time.second(0.0);
    for place in &world.places {
        let mut heads: Vec<LogHead<'_>> = Vec::new();
        world.each_line(place, &range, &mut |head| heads.push(head));
        assert!(heads.len() > 60, "{}: {}", place.name, heads.len());
        for head in heads.iter().take(200) {
            let text = head.text(&world, head.trace().as_deref());
            assert!(!text.contains("{n:") && !text.contains("{of:") && !text.contains("{path}"), "{text}");
            let word = LogSeverity::named(head.level.word());
            assert!(word.is_some() && !text.is_empty());
        }
    }
}
