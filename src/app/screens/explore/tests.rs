//! Explore with a source of metrics, one of logs and one of traces that answer from a script.

use super::*;
use crate::app::display_settings::{Charset, Colours, DisplaySettings};
use crate::app::event::{Arrival, Effect, Event};
use crate::app::state::State;
use crate::app::widgets::probe::lines;
use crate::app::{render, update};
use crate::model::ask::{Answer, Answered, Moment, Question, Reply};
use crate::model::evaluation::{EvaluatedQuery, Exemplar, LabelList};
use crate::model::fixtures;
use crate::model::log::LogLine;
use crate::model::metric::MetricCatalog;
use crate::model::series::Series;
use crate::model::source::ErrorKind;
use crate::model::source_info::SourceInfo;
use crate::model::warning::Warning;

const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).unwrap()
}

/// A terminal on Explore, and its sources.
struct Desk {
    state: State,
    now: Timestamp,
    asked: Vec<Question>,
    effects: Vec<Effect>,
    /// Whether evaluations stay unanswered.
    is_slow: bool,
}

impl Desk {
    fn new(size: (u16, u16), sources: Vec<SourceInfo>) -> Self {
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let shared = Shared::new("prod", sources, look, size);
        let (asked, effects) = (Vec::new(), Vec::new());
        let mut desk = Self { state: State::new(shared), now: at(0), asked, effects, is_slow: false };
        desk.state.reset_to(Place::Explore);
        desk.send(Event::Tick);
        desk
    }

    /// With metrics, logs in `LogQL` and traces.
    fn usual() -> Self {
        Self::new(
            (120, 36),
            vec![logs(), metrics(), fixtures::source("tempo", "tempo", vec![AskKind::Trace])],
        )
    }

    fn send(&mut self, event: Event) {
        let mut effects = update(&mut self.state, event, self.now);
        for _ in 0..20 {
            let is_question = |effect: &Effect| match effect {
                Effect::Fetch(question) => Some(question.clone()),
                _ => None,
            };
            let asked: Vec<Question> = effects.iter().filter_map(is_question).collect();
            self.effects.append(&mut effects);
            if asked.is_empty() {
                return;
            }
            for question in asked {
                self.asked.push(question.clone());
                let is_evaluation = question.ask.kind() == AskKind::Evaluation;
                if self.is_slow && is_evaluation {
                    continue;
                }
                let answered = answer(&question, self.now);
                let arrival = Arrival { question, answered, took: Duration::ZERO };
                effects.extend(update(&mut self.state, Event::Answered(Box::new(arrival)), self.now));
            }
        }
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.send(Event::Key(key.parse().unwrap()));
        }
    }

    /// Writes a query and runs it.
    fn run(&mut self, query: &str) {
        self.press(&["E", "ctrl-u"]);
        self.send(Event::Pasted(query.to_owned()));
        self.press(&["enter"]);
    }

    fn text(&self) -> String {
        let (width, height) = self.state.shared.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        render(&self.state, self.now, &mut buf);
        lines(&buf).join("\n") + "\n"
    }

    fn shows(&self, what: &str) {
        assert!(self.text().contains(what), "no {what} in\n{}", self.text());
    }

    /// The evaluations that were asked for: source, query, step, whether at the present.
    fn evaluations(&self) -> Vec<(String, String, u64, bool)> {
        let of = |question: &Question| match &question.ask.query {
            Query::Evaluation { evaluation, .. } => Some((
                question.source.to_string(),
                evaluation.query.to_string(),
                evaluation.step().as_secs(),
                question.ask.at == Moment::Now,
            )),
            _ => None,
        };
        self.asked.iter().filter_map(of).collect()
    }
}

fn metrics() -> SourceInfo {
    let answers = vec![AskKind::Evaluation, AskKind::Metrics, AskKind::Labels, AskKind::Exemplars];
    fixtures::source("prom", "prometheus", answers)
}

fn logs() -> SourceInfo {
    let answers = vec![AskKind::LogLines, AskKind::Evaluation, AskKind::Labels];
    SourceInfo { language: QueryLanguage::LogQl, ..fixtures::source("loki", "loki", answers) }
}

fn trace_id(second: i64) -> String {
    format!("{:032x}", 0xabc_0000 + second)
}

fn answer(question: &Question, now: Timestamp) -> Answered {
    let evaluated = |result| Answer::Evaluation(Arc::new(EvaluatedQuery::new(result, b"{}")));
    let answer = match &question.ask.query {
        Query::Evaluation { evaluation, .. } if evaluation.query.contains("refused") => {
            let message = "parse error at line 1, col 3: syntax error: odd".to_owned();
            let kind = ErrorKind::BadQuery { message };
            return Err(SourceError::new(question.source.clone(), kind));
        }
        Query::Evaluation { evaluation, window: Some(window) } => {
            if evaluation.query.starts_with('{') {
                let line = |n: i64| {
                    let labels = Labels::from_iter([
                        ("app", "pay"),
                        ("pod", ["a", "b", "c"][usize::try_from(n % 3).unwrap()]),
                    ]);
                    let text = format!("level=error msg=\"charge {n} failed\"");
                    let fields = Labels::from_iter([("route", "/pay")]);
                    Arc::new(LogLine::new(at(-60 + n), labels, fields, text.as_bytes()))
                };
                evaluated(QueryResult::Lines { lines: (0..30).map(line).collect() })
            } else {
                let values = (0..window.count()).map(|at| at as f64).collect();
                let lines = vec![Series { labels: Labels::from_iter([("pod", "a")]), values }];
                evaluated(QueryResult::Matrix {
                    matrix: Matrix { span: *window, lines },
                    histograms: Vec::new(),
                })
            }
        }
        Query::Evaluation { window: None, .. } => evaluated(QueryResult::Scalar(1.0)),
        Query::Metrics => Answer::Metrics(Arc::new(MetricCatalog::new(vec!["up".into()], Vec::new(), None))),
        Query::Labels { wanted } => {
            let sets = [("a", "eu"), ("b", "eu"), ("c", "eu")];
            let sets: Vec<Labels> =
                sets.iter().map(|(pod, zone)| Labels::from_iter([("pod", *pod), ("zone", *zone)])).collect();
            let list = match &wanted.name {
                Some(_) => LabelList::of(["pay".into(), "search".into()].into()),
                None if wanted.is_counted => LabelList::counted(&sets),
                None => LabelList::of(["app".into(), "pod".into()].into()),
            };
            Answer::Labels(Arc::new(list))
        }
        Query::Exemplars { window, .. } => {
            let exemplar = |second: i64| Exemplar {
                series: Labels::from_iter([("le", "1"), ("route", "/pay")]),
                labels: Labels::from_iter([("trace_id", trace_id(second).as_str())]),
                value: 1.0 + second as f64 / 100.0,
                at: window.end().checked_sub(Duration::from_secs(second.unsigned_abs())).unwrap(),
            };
            Answer::Exemplars(Arc::from([0, 7, 900].map(exemplar)))
        }
        other => {
            return Err(SourceError::new(
                question.source.clone(),
                ErrorKind::NotOffered { what: format!("{other:?} at {now}") },
            ));
        }
    };
    let is_of_logs = question.source.as_str() == "loki";
    let warnings = is_of_logs.then(|| Warning::notice("only the newest lines".to_owned()));
    Ok(Reply { warnings: warnings.into_iter().collect(), ..Reply::free(answer) })
}

#[test]
fn metrics_are_asked_first_and_the_language_follows_the_source() {
    let mut desk = Desk::usual();
    desk.run("up");
    assert_eq!(desk.evaluations()[0].0, "prom", "although the logs are configured first");
    desk.press(&["@"]);
    desk.shows("loki  LogQL");
    desk.press(&["home", "enter"]);
    desk.shows("Queries are written in LogQL now");
    desk.shows("loki LogQL");
    // what PromQL accepts, this language need not, and the other way round
    desk.run("{app=\"pay\"} |= \"a\" | logfmt");
    assert_eq!(desk.evaluations().last().unwrap().0, "loki");
    desk.shows("30 lines");
    desk.shows("charge 29 failed");
    desk.shows("only the newest");
}

#[test]
fn lines_are_opened_filtered_counted_by_a_label_and_followed_in_the_logs() {
    let mut desk = Desk::usual();
    desk.press(&["@", "home", "enter"]);
    desk.run("{app=\"pay\"}");
    desk.press(&["enter"]);
    desk.shows("route");
    desk.press(&["/"]);
    desk.send(Event::Pasted("29".to_owned()));
    desk.press(&["enter"]);
    desk.shows("1/30 lines");
    desk.press(&["esc", "y"]);
    let copied =
        desk.effects.iter().any(|effect| matches!(effect, Effect::Copy(text) if text.contains("charge")));
    assert!(copied);
    desk.press(&["tab"]);
    desk.shows("Count lines by");
    desk.shows("pod    3 values");
    desk.shows("all series have the same value");
    desk.press(&["enter"]);
    desk.shows("sum by (pod) (count_over_time({app=\"pay\"} [1m]))");
    desk.shows("1 series");
    // only this one: a filter behind the stages
    desk.press(&["enter"]);
    desk.shows("{app=\"pay\"} | pod=\"a\" [1m]");
    desk.run("{app=\"pay\"}");
    desk.press(&["L"]);
    assert!(
        matches!(desk.state.place(), Place::Logs(subject) if subject.query.written.as_deref() == Some("{app=\"pay\"}"))
    );
}

#[test]
fn the_history_and_the_errors_are_those_of_the_language() {
    let mut desk = Desk::usual();
    desk.run("up + 1");
    desk.press(&["@", "home", "enter"]);
    desk.run("{app=\"pay\"}");
    let edits = desk.effects.iter().filter_map(|effect| match effect {
        Effect::ChangeQueries(change) => Some(change.clone()),
        _ => None,
    });
    let edits = edits.collect::<Vec<_>>();
    let mut store = QueryStore::default();
    for change in edits {
        store.apply(change);
    }
    assert_eq!(store.source_of("prod", "{app=\"pay\"}").map(|source| &**source), Some("loki"));
    desk.send(Event::QueriesRead(store));
    desk.press(&["E", "ctrl-u", "esc", "up"]);
    assert_eq!(desk.state.screens.explore.editor.text(), "{app=\"pay\"}", "not the expression of metrics");
    desk.press(&["esc"]);
    // a bracket that is not closed is not sent; the server's place is shown
    let before = desk.evaluations().len();
    desk.run("{app=\"pay\"");
    assert_eq!(desk.evaluations().len(), before);
    desk.shows("1:11: unexpected the end of the query, expected } for the { at 1:1");
    desk.press(&["esc", "esc"]);
    desk.run("rate(refused[1m])");
    desk.shows("loki: 1:3: syntax error: odd");
}

#[test]
fn labels_values_and_stages_are_completed() {
    let mut desk = Desk::usual();
    desk.press(&["@", "home", "enter", "E", "ctrl-u"]);
    for keys in [&["{", "a"][..], &["tab"]] {
        desk.press(keys);
    }
    assert_eq!(desk.state.screens.explore.editor.text(), "{app=\"");
    desk.shows("search");
    desk.press(&["p", "tab", "}", "space", "|", "space", "l"]);
    desk.shows("key=value pairs become labels");
    desk.press(&["o", "g", "tab", "enter"]);
    assert_eq!(desk.evaluations().last().unwrap().1, "{app=\"pay\"} | logfmt");
}

#[test]
fn a_zoomed_chart_asks_for_finer_points_and_keeps_the_old_ones_until_they_come() {
    let mut desk = Desk::usual();
    desk.state.shared.range.length = Duration::from_secs(24 * 3600);
    desk.run("up");
    let steps = |desk: &Desk| desk.evaluations().iter().map(|one| (one.2, one.3)).collect::<Vec<_>>();
    assert_eq!(steps(&desk), [(600, true)]);
    desk.shows("step 10m");
    desk.is_slow = true;
    desk.press(&["+", "+"]);
    assert_eq!(steps(&desk).last(), Some(&(120, true)), "{:?}", steps(&desk));
    desk.shows("step 10m");
    desk.shows("LAST");
    desk.is_slow = false;
    desk.press(&["+"]);
    assert_eq!(steps(&desk).last(), Some(&(60, true)));
    desk.shows("step 1m");
    // panned: about another moment, which is asked for at once
    desk.press(&["["]);
    assert_eq!(steps(&desk).last(), Some(&(60, false)));
    desk.shows("step 1m");
    desk.press(&["0"]);
    desk.shows("step 10m");
    let asked = desk.evaluations().len();
    desk.send(Event::Tick);
    assert_eq!(desk.evaluations().len(), asked, "nothing is asked twice");
}

#[test]
fn exemplars_are_points_that_the_cursor_reads_and_enter_opens_their_trace() {
    let query = "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))";
    let mut desk = Desk::usual();
    desk.run(query);
    desk.press(&["J"]);
    desk.shows("◇ 3 exemplars");
    desk.press(&[","]);
    desk.shows("◆");
    desk.shows(&format!("trace {}", trace_id(7)));
    desk.shows("route=/pay");
    desk.press(&["enter"]);
    assert!(
        matches!(desk.state.place(), Place::Trace(id) if id.to_string() == trace_id(7)),
        "{:?}",
        desk.state.place()
    );
    // without a source of traces, the link or the id is copied
    let mut desk = Desk::new((120, 36), vec![metrics()]);
    desk.state.shared.trace_url = Some("https://tempo.example/{{ trace_id }}".into());
    desk.run(query);
    desk.press(&["J", ",", "enter"]);
    let link = format!("https://tempo.example/{}", trace_id(7));
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Copy(text) if *text == link)));
    assert_eq!(*desk.state.place(), Place::Explore);
}
