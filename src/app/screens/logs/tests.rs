//! The screen of logs with a source that keeps lines.

use jiff::SignedDuration;

use super::*;
use crate::app::display_settings::{Charset, Colours, DisplaySettings};
use crate::app::event::{Arrival, Event};
use crate::app::state::State;
use crate::app::widgets::probe::lines;
use crate::app::{render, update};
use crate::model::ask::{Answer, Answered, Question, Reply};
use crate::model::fixtures;
use crate::model::log::{
    Comparer, LogDirection, LogHistogram, LogLine, LogLines, LogPage, LogQuery, ReadLines, SampledLines,
};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).unwrap()
}

fn line(second: i64, pod: &str, text: &str) -> LogLine {
    LogLine::new(
        at(second),
        Labels::from_iter([("app", "pay"), ("pod", pod)]),
        Labels::default(),
        text.as_bytes(),
    )
}

/// Lines of the usual kind, and an error that begins two minutes ago.
fn usual() -> Vec<LogLine> {
    let done = (0..600).map(|n| {
        line(-3000 + n * 5, "pay-1", &format!(r#"{{"level":"info","msg":"request {n} done","path":"/pay"}}"#))
    });
    let failed = (0..40).map(|n| line(-120 + n * 3, "pay-2", &format!("ERROR POST /charge: nil amount {n}")));
    done.chain(failed).collect()
}

/// A terminal with the screen, and the source that answers its questions.
struct Night {
    state: State,
    now: Timestamp,
    lines: Vec<LogLine>,
    failure: Option<ErrorKind>,
    /// The questions about lines, in the order in which they were asked.
    asked: Vec<LogPage>,
    effects: Vec<Effect>,
}

impl Night {
    fn new(size: (u16, u16), lines: Vec<LogLine>) -> Self {
        Self::with(size, lines, None)
    }

    fn with(size: (u16, u16), lines: Vec<LogLine>, failure: Option<ErrorKind>) -> Self {
        let answers = vec![AskKind::LogLines, AskKind::LogCounts, AskKind::LogPatterns];
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let shared = Shared::new("prod", vec![fixtures::source("loki", "loki", answers)], look, size);
        let mut night = Self {
            state: State::new(shared),
            now: at(0),
            lines,
            failure,
            asked: Vec::new(),
            effects: Vec::new(),
        };
        let labels = Labels::from_iter([("service", "pay")]);
        let subject =
            LogSubject::new("pay".into(), LogQuery { labels, ..LogQuery::default() }, Some(at(-90)));
        night.state.reset_to(Place::Logs(Arc::new(subject)));
        night.send(Event::Tick);
        night
    }

    fn send(&mut self, event: Event) {
        let mut effects = update(&mut self.state, event, self.now);
        for _ in 0..20 {
            let asked: Vec<Question> = effects
                .iter()
                .filter_map(
                    |effect| if let Effect::Fetch(question) = effect { Some(question.clone()) } else { None },
                )
                .collect();
            self.effects.append(&mut effects);
            if asked.is_empty() {
                return;
            }
            for question in asked {
                let answered = self.answer(&question);
                let arrival = Arrival { question, answered, took: Duration::ZERO };
                effects.extend(update(&mut self.state, Event::Answered(Box::new(arrival)), self.now));
            }
        }
    }

    fn answer(&mut self, question: &Question) -> Answered {
        if let Some(kind) = &self.failure {
            return Err(SourceError::new(question.source.clone(), kind.clone()));
        }
        let of = |wanted: &LogQuery| -> Vec<LogLine> {
            let has = |line: &&LogLine| {
                let contains = wanted.contains.as_ref().is_none_or(|text| line.text().contains(&**text));
                let is_stream = !wanted.is_stream || line.labels == wanted.labels;
                contains && is_stream && line.at <= self.now
            };
            self.lines.iter().filter(has).cloned().collect()
        };
        let query: Text = "{app=\"pay\"}".into();
        let answer = match &question.ask.query {
            Query::LogLines { wanted, page } => {
                let mut lines: Vec<LogLine> = of(wanted)
                    .into_iter()
                    .filter(|line| (page.from..page.until).contains(&line.at))
                    .collect();
                lines.sort_by_key(|line| line.at);
                let limit = page.limit as usize;
                let is_cut = lines.len() >= limit;
                let surplus = lines.len().saturating_sub(limit);
                match page.direction {
                    LogDirection::Backward => drop(lines.drain(..surplus)),
                    LogDirection::Forward => lines.truncate(limit),
                }
                self.asked.push(*page);
                let read = ReadLines { lines, is_cut, ..ReadLines::default() };
                let notes = vec!["labels: service is app".into()];
                Answer::LogLines(LogLines::of_page(query, notes, page, read))
            }
            Query::LogCounts { wanted, window } => {
                let mut counts = LogHistogram::new(query, *window);
                for line in of(wanted) {
                    counts.add(line.severity, line.at.as_second() as f64, 1);
                }
                Answer::LogCounts(counts)
            }
            Query::LogPatterns { wanted, split } => {
                let mut comparer = Comparer::default();
                let mut sides = [0_u64; 2];
                for line in of(wanted) {
                    let is_after = line.at >= split.at;
                    comparer.add(&Arc::new(line), is_after);
                    sides[usize::from(is_after)] += 1;
                }
                let [before, after] = sides.map(|lines| SampledLines {
                    lines,
                    covered: Duration::from_secs(900),
                    is_cut: false,
                });
                Answer::LogPatterns(comparer.compare(query, *split, before, after))
            }
            other => panic!("{other:?} is no question of this screen"),
        };
        let warnings = vec![Warning::notice("its clock is 40 s ahead")];
        Ok(Reply { warnings, ..Reply::free(answer) })
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.send(Event::Key(key.parse().unwrap()));
        }
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
            self.press(&[&key]);
        }
    }

    /// Lets time pass, second by second.
    fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
            self.send(Event::Tick);
        }
    }

    fn text(&self) -> String {
        let (width, height) = self.state.shared.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        render(&self.state, self.now, &mut buf);
        lines(&buf).join("\n") + "\n"
    }

    fn shows(&self, what: &str) -> bool {
        self.text().contains(what)
    }

    fn screen(&self) -> &OpenLogs {
        &self.state.screens.logs
    }

    fn current(&self) -> String {
        self.screen().list.current().map(|line| line.text().into_owned()).unwrap_or_default()
    }
}

#[test]
fn what_is_new_the_query_and_the_newest_lines_are_on_one_screen() {
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        let night = Night::new((width, height), usual());
        let text = night.text();
        for part in [
            "Logs pay 640 lines  following",
            r#"loki {app="pay"}"#,
            "error 40",
            "info 600",
            "New or more frequent since",
            "40x error",
            "ERROR POST /charge: nil amount <n>",
            "ERROR POST /charge: nil amount 39",
        ] {
            assert!(text.contains(part), "{part} at {width}x{height}:\n{text}");
        }
        assert!(!text.contains("\"msg\""), "JSON is shown by its message:\n{text}");
        if width > 100 {
            assert!(
                text.contains("labels: service is app") && text.contains("its clock is 40 s ahead"),
                "{text}"
            );
            assert!(text.contains("first alert"), "{text}");
        }
    }
    assert!(Night::new((40, 10), usual()).shows("ERROR POST /charge: nil"), "a tiny window has lines");
}

#[test]
fn new_lines_appear_while_it_follows_and_not_when_it_does_not() {
    let mut night = Night::new((120, 36), usual());
    night.lines.push(line(3, "pay-1", "INFO fresh one"));
    night.wait(5);
    assert!(night.shows("fresh one") && night.current().contains("fresh"), "{}", night.text());
    // a cursor that was moved stays where it is, and the badge counts what came
    night.press(&["up", "up"]);
    let before = night.current();
    night.lines.push(line(8, "pay-1", "INFO second one"));
    night.wait(6);
    assert_eq!(night.current(), before);
    assert!(night.shows("following, 3 newer"), "{}", night.text());
    night.press(&["F"]);
    let asked = night.asked.len();
    night.lines.push(line(15, "pay-1", "INFO third one"));
    night.wait(10);
    assert_eq!(night.asked.len(), asked, "nothing is asked");
    assert!(night.shows("not following (F)") && !night.shows("third one"), "{}", night.text());
    night.press(&["F"]);
    night.wait(3);
    assert!(night.current().contains("third one"), "{}", night.text());
}

#[test]
fn the_filter_is_of_the_loaded_lines_and_can_be_given_to_the_source() {
    let mut night = Night::new((120, 36), usual());
    night.press(&["/"]);
    night.type_text("amount 39");
    assert!(night.shows("1 of 640 loaded lines"), "{}", night.text());
    night.press(&["enter"]);
    assert!(night.shows("(of the loaded lines; & asks the source)"), "{}", night.text());
    night.press(&["&"]);
    assert!(night.shows("at the source: amount 39") && night.shows("1 line "), "{}", night.text());
    // back: the filter is still there, and Esc clears it
    night.press(&["esc"]);
    assert!(night.shows("1 of 640 loaded lines"), "{}", night.text());
    night.press(&["esc"]);
    assert!(night.shows("640 lines"), "{}", night.text());
    night.press(&["~", "~", "~"]);
    assert!(night.shows("40 of 640 loaded lines") && night.shows("error and worse"), "{}", night.text());
    night.press(&["/"]);
    night.type_text("nowhere");
    assert!(night.shows("None of the 640 loaded lines matches"), "{}", night.text());
}

#[test]
fn the_lines_of_a_pattern_come_from_the_source() {
    let mut night = Night::new((120, 36), usual());
    night.press(&["tab", "enter"]);
    assert!(night.shows("at the source: ERROR POST /charge: nil amount"), "{}", night.text());
    assert!(night.shows("40 lines"), "{}", night.text());
}

#[test]
fn a_line_opens_as_fields_and_is_found_among_those_of_its_stream() {
    let mut night = Night::new((120, 40), usual());
    night.press(&["/"]);
    night.type_text("request 590");
    night.press(&["enter", "enter"]);
    for part in ["path", "/pay", "pod", "pay-1", "JSON", "stream"] {
        assert!(night.shows(part), "{part}:\n{}", night.text());
    }
    night.press(&["_"]);
    night.wait(1);
    let text = night.text();
    assert!(
        text.contains("around ") && text.contains("request 589 done") && text.contains("request 591 done"),
        "{text}"
    );
    assert!(!text.contains("nil amount"), "lines of another stream:\n{text}");
    assert!(night.current().contains("request 590"), "{}", night.current());
    night.press(&["esc"]);
    assert!(night.current().contains("request 590"), "back at the line:\n{}", night.text());
}

#[test]
fn older_lines_are_loaded_when_the_cursor_comes_near_to_the_oldest() {
    let lines: Vec<LogLine> =
        (0..3500).map(|n| line(-3500 + n, "pay-1", &format!("INFO line {n}"))).collect();
    let mut night = Night::new((120, 36), lines);
    assert_eq!(night.screen().list.lines().len(), 1000);
    night.press(&["g"]);
    night.wait(3);
    // a line at the border comes twice, and is there once
    assert!(night.screen().list.lines().len() >= 1999, "{}", night.text());
    for _ in 0..8 {
        night.press(&["g"]);
        night.wait(3);
    }
    let oldest = night.screen().list.lines().iter().map(|line| line.at).min().unwrap();
    assert_eq!(oldest, at(-3500), "all of the last hour");
    assert!(night.asked.iter().all(|page| page.limit <= 1000));
}

#[test]
fn errors_and_missing_queries_are_said_in_the_panel() {
    let refused = ErrorKind::BadQuery { message: "parse error at line 1, col 20".into() };
    let night = Night::with((120, 36), Vec::new(), Some(refused));
    assert!(night.shows("it rejects the query: parse error at line 1, col 20"), "{}", night.text());
    assert!(night.shows("no histogram"), "{}", night.text());
    let night = Night::new((120, 36), Vec::new());
    assert!(night.shows("no lines in this time range"), "{}", night.text());
}

#[test]
fn lines_are_copied_and_piped_as_they_came() {
    let raw = "ERROR \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} end";
    let mut night = Night::new((120, 36), vec![line(-20, "a", "first"), line(-10, "a", raw)]);
    assert!(night.shows("red \\x1b]0;title\\x07 end"), "{}", night.text());
    night.effects.clear();
    night.press(&["y", "|"]);
    let copied = night
        .effects
        .iter()
        .find_map(|effect| if let Effect::Copy(text) = effect { Some(text.clone()) } else { None });
    assert_eq!(copied.as_deref(), Some(raw));
    let piped = night
        .effects
        .iter()
        .find_map(|effect| if let Effect::Pipe(bytes) = effect { Some(Arc::clone(bytes)) } else { None });
    assert_eq!(piped.as_deref(), Some(format!("first\n{raw}\n").as_bytes()));
    // the newest first on the screen, the oldest first in the pager
    night.press(&["S"]);
    assert!(night.shows("The newest line comes first"), "{}", night.text());
    night.effects.clear();
    night.press(&["|"]);
    let piped = night
        .effects
        .iter()
        .find_map(|effect| if let Effect::Pipe(bytes) = effect { Some(Arc::clone(bytes)) } else { None });
    assert_eq!(piped.as_deref(), Some(format!("first\n{raw}\n").as_bytes()));
}

#[test]
fn clocks_that_differ_are_said_and_lines_of_the_future_are_there() {
    let mut night = Night::new((160, 36), usual());
    night.now = at(0);
    let future = line(0, "a", "x");
    night.lines = vec![LogLine { at: at(58), ..future }];
    let page = LogPage { from: at(-10), until: at(0), direction: LogDirection::Backward, limit: 10 };
    let read = ReadLines { lines: night.lines.clone(), ..ReadLines::default() };
    let lines = LogLines::of_page("q".into(), Vec::new(), &page, read);
    assert_eq!((lines.lines.len(), lines.until), (1, at(0)), "new lines are still asked for from now on");
}

#[test]
fn no_size_is_too_small_and_a_long_line_is_cut_and_said() {
    let long = format!("ERROR {}", "x".repeat(1024 * 1024));
    let mut lines = usual();
    lines.push(line(-1, "a", &long));
    let mut night = Night::new((120, 36), lines);
    assert!(night.shows("[1.05 MB in all]") || night.shows("…"), "{}", night.text());
    night.press(&["W", "enter"]);
    assert!(night.shows("1.05 MB"), "{}", night.text());
    for width in [0, 1, 5, 20, 41, 80] {
        for height in [0, 1, 2, 3, 5, 8, 12, 30] {
            night.send(Event::Resized { width, height });
            night.press(&["down", "tab", "up", "pageup", "tab"]);
            night.text();
        }
    }
}

#[test]
fn keys_with_ten_thousand_lines_lay_out_only_what_is_seen() {
    let lines: Vec<LogLine> = (0..10_000)
        .map(|n| {
            line(
                -3000 + n / 4,
                "a",
                &format!(r#"{{"level":"info","msg":"request {n} done","path":"/pay/{n}","took_ms":{n}}}"#),
            )
        })
        .collect();
    let mut night = Night::new((200, 60), lines);
    for _ in 0..30 {
        night.press(&["g"]);
        night.wait(3);
    }
    assert_eq!(night.screen().list.lines().len(), 10_000);
    // only what is in sight is laid out; benches count the instructions
    for _ in 0..20 {
        night.press(&["up", "pageup", "down", "pagedown", "W"]);
        assert!(night.text().contains("request"), "{}", night.text());
    }
}
