use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::compare::PatternChange;
use super::fields::{LineFormat, all, format, message};
use super::pattern::{joined, literal, masked};
use super::*;

fn at(nanos: i128) -> Timestamp {
    Timestamp::from_nanosecond(1_800_000_000_000_000_000 + nanos).unwrap()
}

fn stream(name: &str) -> Labels {
    Labels::from_iter([("app", name)])
}

fn line(nanos: i128, text: &str) -> LogLine {
    LogLine::new(at(nanos), stream("shop"), Labels::default(), text.as_bytes())
}

fn page(from: i128, until: i128, direction: LogDirection, limit: u32) -> LogPage {
    LogPage { from: at(from), until: at(until), direction, limit }
}

/// What a server with these lines answers to a page.
fn served(all: &[LogLine], page: &LogPage) -> LogLines {
    let mut lines: Vec<LogLine> =
        all.iter().filter(|line| (page.from..page.until).contains(&line.at)).cloned().collect();
    lines.sort_by_key(|line| line.at);
    let limit = usize::try_from(page.limit).unwrap();
    let is_cut = lines.len() >= limit;
    if page.direction == LogDirection::Backward {
        lines.reverse();
    }
    lines.truncate(limit);
    lines.sort_by_key(|line| line.at);
    LogLines::of_page("q".into(), Vec::new(), page, ReadLines { lines, is_cut, ..ReadLines::default() })
}

fn texts(lines: &LogLines) -> Vec<String> {
    lines.lines.iter().map(|line| line.text().into_owned()).collect()
}

#[test]
fn pages_backwards_give_every_line_once_also_where_times_are_equal_at_the_border() {
    let all: Vec<LogLine> = (0..10).map(|n| line(n / 3, &format!("line {n}"))).collect();
    let mut loaded = served(&all, &page(0, 100, LogDirection::Backward, 4));
    assert_eq!(texts(&loaded), ["line 6", "line 7", "line 8", "line 9"]);
    assert_eq!((loaded.from, loaded.has_older(at(0))), (at(3), true));
    while loaded.has_older(at(0)) {
        let next = LogPage { limit: 4, ..page(0, 0, LogDirection::Backward, 4) };
        let next = LogPage { until: loaded.from, ..next };
        let newer = served(&all, &next);
        loaded.extend(newer, &next);
    }
    assert_eq!(texts(&loaded), (0..10).map(|n| format!("line {n}")).collect::<Vec<_>>());
    assert_eq!(loaded.crowded, Vec::new());
}

#[test]
fn more_lines_at_one_nanosecond_than_a_page_takes_are_read_with_the_largest_page_and_else_said() {
    let crowd: Vec<LogLine> =
        (0..6000).map(|n| line(5, &format!("crowd {n}"))).chain([line(1, "old")]).collect();
    let demand =
        LogDemand { from: at(0), until: at(10), around: None, wants_older: true, wants_newer: false };
    let mut loaded: Option<LogLines> = None;
    for _ in 0..6 {
        let Some(next) = next_page(loaded.as_ref(), &demand) else { break };
        let newer = served(&crowd, &next);
        match &mut loaded {
            Some(loaded) => loaded.extend(newer, &next),
            None => loaded = Some(newer),
        }
    }
    let loaded = loaded.unwrap();
    assert_eq!(loaded.crowded, [at(5)]);
    assert_eq!(loaded.lines.first().map(|line| line.text().into_owned()).as_deref(), Some("old"));
    assert_eq!(loaded.lines.len(), 5001, "all that the server gives, and the line before");
    assert!(!loaded.has_older(at(0)));
}

#[test]
fn a_follower_reads_the_last_seconds_again_and_drops_what_it_has() {
    const SECOND: i128 = 1_000_000_000;
    let mut all: Vec<LogLine> = (0..50).map(|n| line(n * SECOND, &format!("line {n}"))).collect();
    let demand = |until| LogDemand {
        from: at(0),
        until: at(until),
        around: None,
        wants_older: false,
        wants_newer: true,
    };
    let first = next_page(None, &demand(50 * SECOND)).unwrap();
    let mut loaded = served(&all, &first);
    assert_eq!(next_page(Some(&loaded), &demand(50 * SECOND)), None, "nothing can be new yet");
    // one line arrives late, one is new
    all.extend([line(45 * SECOND + 1, "late"), line(51 * SECOND, "new")]);
    let next = next_page(Some(&loaded), &demand(52 * SECOND)).unwrap();
    assert_eq!(next, page(20 * SECOND, 52 * SECOND, LogDirection::Forward, PAGE));
    loaded.extend(served(&all, &next), &next);
    assert_eq!(loaded.lines.len(), 52);
    assert_eq!(loaded.lines[46].text(), "late");
    assert!(!loaded.is_behind);
}

#[test]
fn a_flood_is_followed_page_by_page_without_a_gap() {
    let all: Vec<LogLine> = (0..2600).map(|n| line(100 + n, &format!("line {n}"))).collect();
    let mut loaded = served(&all, &page(0, 100, LogDirection::Backward, PAGE));
    let demand =
        LogDemand { from: at(0), until: at(9000), around: None, wants_older: false, wants_newer: true };
    let mut behind = Vec::new();
    for _ in 0..4 {
        let Some(next) = next_page(Some(&loaded), &demand) else { break };
        loaded.extend(served(&all, &next), &next);
        behind.push(loaded.is_behind);
    }
    assert_eq!((loaded.lines.len(), behind), (2600, vec![true, true, false]));
}

#[test]
fn lines_around_a_moment_are_loaded_on_both_sides() {
    let all: Vec<LogLine> = (0..3000).map(|n| line(n, &format!("line {n}"))).collect();
    let demand = LogDemand {
        from: at(0),
        until: at(3000),
        around: Some(at(1500)),
        wants_older: false,
        wants_newer: false,
    };
    let first = next_page(None, &demand).unwrap();
    let mut loaded = served(&all, &first);
    let second = next_page(Some(&loaded), &demand).unwrap();
    loaded.extend(served(&all, &second), &second);
    assert_eq!(next_page(Some(&loaded), &demand), None);
    assert_eq!((loaded.lines[0].at, loaded.lines.last().unwrap().at), (at(501), at(2500)));
}

#[test]
fn the_oldest_are_dropped_when_too_many_are_loaded_and_that_is_counted() {
    let all: Vec<LogLine> = (0..25_000).map(|n| line(n, "x")).collect();
    let mut loaded = LogLines::of_page(
        "q".into(),
        Vec::new(),
        &page(0, 100, LogDirection::Backward, PAGE),
        ReadLines::default(),
    );
    let next = page(0, 25_000, LogDirection::Forward, 30_000);
    loaded.extend(served(&all, &next), &next);
    assert_eq!((loaded.lines.len(), loaded.trimmed), (MAX_LINES, 5000));
    assert!(loaded.is_full() && loaded.lines[0].at == at(5000));
    let demand =
        LogDemand { from: at(0), until: at(25_000), around: None, wants_older: true, wants_newer: false };
    assert_eq!(next_page(Some(&loaded), &demand), None, "older lines are not loaded beyond the limit");
}

#[test]
fn a_line_of_a_megabyte_is_kept_and_a_longer_one_says_what_is_cut() {
    let long = "x".repeat(1024 * 1024);
    assert_eq!((line(0, &long).raw.len(), line(0, &long).cut_bytes()), (1024 * 1024, 0));
    let longer = "y".repeat(MAX_LINE + 7);
    assert_eq!((line(0, &longer).raw.len(), line(0, &longer).cut_bytes()), (MAX_LINE, 7));
}

#[test]
fn lines_of_two_sources_are_merged_in_time_and_each_is_there_once() {
    let of = |lines: Vec<LogLine>| {
        LogLines::of_page(
            "q".into(),
            Vec::new(),
            &page(0, 100, LogDirection::Forward, PAGE),
            ReadLines { lines, ..ReadLines::default() },
        )
    };
    let one = of(vec![line(1, "a"), line(3, "c"), line(3, "d")]);
    let mut other = LogLine::new(at(3), stream("aaa"), Labels::default(), b"c");
    other.severity = LogSeverity::Unknown;
    let two = of(vec![line(2, "b"), line(3, "c"), other]);
    let merged: Vec<(String, String)> = merged([&one, &two])
        .iter()
        .map(|line| (line.labels.value("app").to_owned(), line.text().into_owned()))
        .collect();
    let of_shop = |text: &str| ("shop".to_owned(), text.to_owned());
    assert_eq!(
        merged,
        [of_shop("a"), of_shop("b"), ("aaa".to_owned(), "c".to_owned()), of_shop("c"), of_shop("d")]
    );
}

#[test]
fn the_fields_of_a_line_are_those_of_its_form() {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(
        all(r#"{"a":"x \"y\"","http":{"status":500,"tags":[1,2]},"n":null}"#),
        (
            LineFormat::Json,
            owned(&[("a", "x \"y\""), ("http.status", "500"), ("http.tags", "[1,2]"), ("n", "null")])
        )
    );
    assert_eq!(
        all(r#"level=warn msg="two \"words\"" took=3ms"#),
        (LineFormat::Logfmt, owned(&[("level", "warn"), ("msg", "two \"words\""), ("took", "3ms")]))
    );
    let klog = all("E0102 15:04:05.000000    1234 file.go:12] cannot reach x");
    assert_eq!(klog.0, LineFormat::Klog);
    assert_eq!(klog.1[0], ("message".to_owned(), "cannot reach x".to_owned()));
    assert_eq!(all("plain text with a=b in it"), (LineFormat::Plain, Vec::new()));
    assert_eq!(all(r#"{"cut":"of"#), (LineFormat::Plain, Vec::new()), "no valid JSON");
    assert_eq!(format("a=1"), LineFormat::Plain, "one pair is no logfmt");
}

#[test]
fn the_message_of_a_line_is_its_field_with_the_cause() {
    for (text, says) in [
        (r#"{"ts":1,"msg":"request failed","error":"upstream 502"}"#, "request failed: upstream 502"),
        (r#"{"level":"info","message":"done"}"#, "done"),
        (r#"{"error":"only a cause"}"#, "only a cause"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"level=info msg="request done" a=1"#, "request done"),
        ("E0102 15:04:05.000000    1234 file.go:12] cannot reach x", "cannot reach x"),
        ("plain", "plain"),
    ] {
        assert_eq!(message(text), says, "{text}");
    }
}

#[test]
fn values_are_masked_and_words_stay() {
    for (text, pattern) in [
        (
            "POST /charge: nil amount in currency minor units",
            "POST /charge: nil amount in currency minor units",
        ),
        ("job 55742 finished in 48ms", "job <n> finished in <n>"),
        ("job -1.5 finished in 3m12s.", "job <n> finished in <n>."),
        ("refreshed checkout index, 46146 entries", "refreshed checkout index, <n> entries"),
        ("published event catalog.updated partition=5", "published event catalog.updated partition=<n>"),
        (r#"validation failed: field "sku" is required"#, r#"validation failed: field "<*>" is required"#),
        ("user 'ana' isn't known", "user '<*>' isn't known"),
        ("GET /users/12345/orders/9f86d081884c7d65 500", "GET /users/<n>/orders/<hex> <n>"),
        ("request 9f86d081-884c-7d65-9a2f-eaa0c55ad015 done", "request <id> done"),
        ("dial tcp 10.0.0.12:5432: connection refused", "dial tcp <addr>: connection refused"),
        ("dial stock-db:5432 timed out", "dial stock-db:<n> timed out"),
        ("from [fe80::1] and 2001:db8::ff", "from [<addr>] and <addr>"),
        ("2026-11-30 11:33:00,123 done", "<time> done"),
        ("at 2026-11-30T11:33:00.123Z and 11:33:00", "at <time> and <time>"),
        ("pod checkout-d95kkzbmlp-8tv8r started", "pod checkout-<id>-<id> started"),
        ("http2 over utf8 with sha256 v1", "http2 over utf8 with sha256 v1"),
        ("0xdeadbeef at deadbeefcafe", "<hex> at <hex>"),
        ("trace bcacf1da9bcb657dc2ca86f67839d8ae", "trace <hex>"),
        ("", ""),
        ("  many   blanks ", "many blanks"),
    ] {
        assert_eq!(masked(text), pattern, "{text}");
    }
}

#[test]
fn a_word_with_many_values_is_a_variable_and_a_few_routes_are_not() {
    let users: Vec<String> =
        ["ana", "ben", "cleo", "dan", "eva"].map(|name| format!("user {name} logged in")).into();
    let routes = ["POST /charge failed now", "POST /refund failed now", "GET /charge failed now"];
    let all: Vec<&str> = users.iter().map(String::as_str).chain(routes).collect();
    let became = joined(all.iter().copied());
    assert_eq!(became.len(), 5);
    assert!(became.values().all(|pattern| pattern == "user <*> logged in"), "{became:?}");
    assert_eq!(joined(all.iter().rev().copied()), became, "the order does not matter");
}

#[test]
fn the_longest_fixed_part_of_a_pattern_can_be_searched_for() {
    assert_eq!(literal("job <n> finished in <n>"), "finished in");
    assert_eq!(literal(r#"validation failed: field "<*>" is required"#), "validation failed: field");
    assert_eq!(literal("<time> <addr> ok"), "");
}

fn compared(before: &[(u32, &str)], after: &[(u32, &str)]) -> LogComparison {
    let mut comparer = Comparer::default();
    let mut nanos = 0;
    for (side, is_after) in [(before, false), (after, true)] {
        for (count, text) in side {
            for n in 0..*count {
                nanos += 1;
                comparer.add(&Arc::new(line(nanos, &text.replace("{n}", &n.to_string()))), is_after);
            }
        }
    }
    let sampled = |side: &[(u32, &str)]| SampledLines {
        lines: side.iter().map(|(count, _)| u64::from(*count)).sum(),
        covered: Duration::from_secs(600),
        is_cut: false,
    };
    let split = LogSplit { from: at(0), at: at(1), until: at(nanos + 1) };
    comparer.compare("q".into(), split, sampled(before), sampled(after))
}

#[test]
fn what_is_new_and_frequent_comes_first_with_its_counts() {
    let news = compared(
        &[(1000, "INFO request {n} done"), (3, "WARN retrying charge {n}"), (20, "INFO cache warmed")],
        &[
            (1100, "INFO request {n} done"),
            (812, "ERROR POST /charge: nil amount in currency minor units"),
            (97, "ERROR upstream risk-score: 50{n}"),
            (41, "WARN retrying charge {n}"),
            (2, "INFO config reloaded"),
        ],
    );
    let told: Vec<String> = news
        .patterns
        .iter()
        .map(|pattern| {
            format!(
                "{}x {} {} {}",
                pattern.after,
                pattern.severity.word(),
                pattern.text,
                pattern.change.words()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "812x error ERROR POST /charge: nil amount in currency minor units (new)",
            "97x error ERROR upstream risk-score: <n> (new)",
            "41x warn WARN retrying charge <n> (12x more)",
            "2x info INFO config reloaded (new)",
            "1100x info INFO request <n> done ",
            "0x info INFO cache warmed (gone)",
        ]
    );
    assert_eq!(news.remarkable().count(), 4);
}

#[test]
fn without_lines_before_nothing_is_called_new() {
    let news = compared(&[], &[(5, "ERROR a"), (500, "INFO b")]);
    assert!(news.patterns.iter().all(|pattern| pattern.change == PatternChange::Same));
    assert_eq!(&*news.patterns[0].text, "INFO b");
    let quiet = compared(&[(5, "ERROR a")], &[]);
    assert_eq!(quiet.remarkable().count(), 0, "no lines after: nothing is said about what is gone");
}

#[test]
fn ten_thousand_lines_are_compared_in_bounded_memory() {
    let mut comparer = Comparer::default();
    let lines: Vec<Arc<LogLine>> = (0..10_000)
        .map(|n| {
            // a text of its own for each line, without a digit
            let word: String =
                format!("{n:05}").bytes().map(|digit| char::from(digit - b'0' + b'g')).collect();
            Arc::new(line(n, &format!("{word} {word}x something {word}y")))
        })
        .collect();
    let started = Instant::now();
    for line in &lines {
        comparer.add(line, true);
    }
    let split = LogSplit { from: at(0), at: at(0), until: at(10_000) };
    let sampled = SampledLines { lines: 10_000, covered: Duration::from_secs(1), is_cut: true };
    let news = comparer.compare("q".into(), split, sampled, sampled);
    assert!(news.patterns.len() <= 2001, "{}", news.patterns.len());
    assert_eq!(news.patterns.iter().map(|pattern| pattern.after).sum::<u64>(), 10_000, "no line is lost");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}, unoptimised", started.elapsed());
}

proptest! {
    #[test]
    fn any_text_has_a_pattern_that_is_its_own_pattern_and_ends(text in "\\PC{0,120}") {
        let pattern = masked(&text);
        prop_assert!(pattern.len() <= 4 * text.len() + 16, "{pattern}");
        let fields = all(&text);
        prop_assert!(fields.1.len() <= 500);
        prop_assert!(message(&text).len() <= 2 * text.len() + 2);
    }

    #[test]
    fn numbers_do_not_change_a_pattern(one in 0..1_000_000_u32, other in 0..1_000_000_u32) {
        let text = |n: u32| format!("order {n} of user-{n} took {n}ms at /v1/orders/{n}");
        prop_assert_eq!(masked(&text(one + 1000)), masked(&text(other + 1000)));
    }

    #[test]
    fn any_bytes_have_a_severity(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let line = LogLine::new(at(0), Labels::default(), Labels::default(), &bytes);
        prop_assert_eq!(&*line.raw, &bytes[..]);
        prop_assert!(LogSeverity::ALL.contains(&line.severity));
    }

    #[test]
    fn whatever_the_pages_every_line_is_loaded_once_in_order(
        times in prop::collection::vec(0..40_i128, 0..60),
        limit in 3..20_u32,
    ) {
        let mut all: Vec<LogLine> = times.iter().enumerate().map(|(n, at)| line(*at, &format!("{n}"))).collect();
        all.sort_by_key(|line| line.at);
        let crowd = (0..40).map(|at| times.iter().filter(|time| **time == at).count()).max().unwrap_or(0);
        let mut loaded = served(&all, &page(0, 40, LogDirection::Backward, limit));
        for _ in 0..200 {
            if !loaded.has_older(at(0)) {
                break;
            }
            let next = LogPage { from: at(0), until: loaded.from, direction: LogDirection::Backward, limit: limit.max(u32::try_from(crowd + 1).unwrap()) };
            loaded.extend(served(&all, &next), &next);
        }
        let mut keys: Vec<_> = loaded.lines.iter().map(|line| line.key()).collect();
        prop_assert_eq!(keys.len(), all.len());
        prop_assert!(loaded.lines.windows(2).all(|two| two[0].at <= two[1].at));
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), all.len());
    }
}
