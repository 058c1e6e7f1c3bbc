//! Asks the sources whether series exist, with the range queries of charts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::app::event::{Effect, Event};
use crate::cli::session::{Session, SessionError};
use crate::model::ask::{Answer, AskKind, Query, QueryRange, Question, SeriesKey};
use crate::model::series::{Series, TimeGrid};
use crate::model::source::SourceId;

/// How far back series are looked for: long enough that a missed scrape does not matter.
const LOOKBACK: Duration = Duration::from_secs(900);

/// The numbers of series that the sources have.
#[derive(Debug, Default)]
pub(super) struct KnownSeries {
    /// For each selector, how many series each source has; `None` if the source did not answer.
    pub(super) counts: BTreeMap<String, BTreeMap<SourceId, Option<f64>>>,
    /// The errors of the sources, each once.
    pub(super) failures: BTreeSet<String>,
}

impl KnownSeries {
    /// The number of series of the selector at the source with the most; `None` if no source answered.
    pub(super) fn most(&self, selector: &str) -> Option<f64> {
        let counts = self.counts.get(selector)?;
        counts.values().copied().flatten().reduce(f64::max)
    }

    /// Whether an answer is missing.
    pub(super) fn is_partial(&self) -> bool {
        self.counts.values().any(|counts| counts.is_empty() || counts.values().any(Option::is_none))
    }
}

/// Asks every source of the session that answers range queries for the number of series of each selector.
pub(super) fn ask(session: &Session, selectors: BTreeSet<String>) -> Result<KnownSeries, SessionError> {
    let sources = session.active.sources.infos().into_iter();
    let asked = sources.filter(|info| info.answers.contains(&AskKind::Series)).map(|info| info.id);
    let asked: Vec<SourceId> = asked.collect();
    let window = TimeGrid::ending(session.active.clock.now(), LOOKBACK, 15, Duration::from_secs(60));
    let mut questions = BTreeMap::new();
    let mut known = KnownSeries::default();
    for selector in selectors {
        let query = format!("count({selector})").into();
        let series = SeriesKey::over(query, window);
        let ask = Query::Series { series, time_range: QueryRange { window, tail: window } }.now();
        known.counts.insert(selector.clone(), asked.iter().map(|id| (id.clone(), None)).collect());
        for source in &asked {
            let question = Question { context: 0, source: source.clone(), ask: ask.clone(), known: None };
            questions.insert(question, selector.clone());
        }
    }
    if asked.is_empty() {
        known.failures.insert("no source of this context answers queries for series".to_owned());
        return Ok(known);
    }
    // a source answers a few questions at a time, so the deadline grows with their number
    let rounds = u32::try_from(questions.len() / 4 + 1).unwrap_or(u32::MAX);
    let deadline = session.deadline().saturating_mul(rounds);
    let mut asking = SeriesProbe { questions, is_asked: false, known };
    let is_complete = |asking: &SeriesProbe| asking.questions.is_empty();
    if !session.gather(&mut asking, SeriesProbe::update, is_complete, deadline)? {
        asking.known.failures.insert(format!("no answer within {} s", deadline.as_secs()));
    }
    Ok(asking.known)
}

/// Asks each of its questions once and counts the series of the answers.
struct SeriesProbe {
    questions: BTreeMap<Question, String>,
    is_asked: bool,
    known: KnownSeries,
}

impl SeriesProbe {
    fn update(&mut self, event: Event, _: Timestamp) -> Vec<Effect> {
        if let Event::Answered(arrival) = event
            && let Some(selector) = self.questions.remove(&arrival.question)
        {
            let answer = arrival.answered.map(|reply| reply.answer);
            let count = if let Ok(Answer::Series(matrix)) = &answer {
                Some(matrix.lines.first().and_then(Series::last).unwrap_or(0.0))
            } else {
                None
            };
            self.known.failures.extend(answer.err().map(|error| error.to_string()));
            self.known.counts.entry(selector).or_default().insert(arrival.question.source, count);
        }
        if std::mem::replace(&mut self.is_asked, true) {
            return Vec::new();
        }
        self.questions.keys().cloned().map(Effect::Fetch).collect()
    }
}
