//! Which alerts fired over a stretch of time, as the rules' own series tell it: for hand-overs and reviews.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::due::Want;
use super::range;
use super::state::State;
use crate::model::ask::{Ask, AskKind};
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::measures::{REPEAT_GAP, merged};
use crate::model::remote::Remote;
use crate::model::series::{Matrix, Span};
use crate::model::slo::Bounds;

/// Points of the stretch: each alert costs so many numbers.
const POINTS: u16 = 240;
/// Rules are seldom evaluated more often.
const STEP: Duration = Duration::from_secs(60);
/// How often it is asked for while it is shown.
const INTERVAL: Duration = Duration::from_secs(60);

/// Alerts of one name and service that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// The alert's name.
    pub name: Text,
    /// The service that it is about, if it names one.
    pub service: Option<Text>,
    /// When, in the order of time; repeats with short gaps are one.
    pub bouts: Vec<Bounds>,
}

impl Fired {
    /// For how long in all.
    pub fn time(&self) -> Duration {
        self.bouts.iter().map(|bout| bout.length()).sum()
    }
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// By name and service, what fired most often first.
    pub fired: Vec<Fired>,
    /// Whether all sources that could tell have done so.
    pub is_whole: bool,
}

fn query(span: Span) -> Text {
    // over the whole step, so that no short firing falls between two points
    let step = duration::text(span.step());
    format!("max_over_time(ALERTS{{alertstate=\"firing\"}}[{step}])").into()
}

fn span(until: Timestamp, length: Duration) -> Span {
    Span::ending(until, length, POINTS, STEP)
}

fn asked(state: &State) -> impl Iterator<Item = &crate::model::source::SourceInfo> {
    state
        .sources
        .iter()
        .filter(|source| [AskKind::Series, AskKind::Rules].iter().all(|kind| source.answers.contains(kind)))
}

/// The questions: one to each source that has rules and keeps series.
pub fn wants(state: &State, until: Timestamp, length: Duration) -> Vec<Want> {
    let window = span(until, length);
    let want = |source: &crate::model::source::SourceInfo| {
        let query = query(window);
        let known = remote(state, source, &query).and_then(Remote::whole).map(|matrix| matrix.span);
        let ask = Ask::Series { query, stretch: range::stretch(window, known) };
        Want { source: source.id.clone(), ask, known: None, interval: INTERVAL }
    };
    asked(state).map(want).collect()
}

fn remote<'a>(
    state: &'a State,
    source: &crate::model::source::SourceInfo,
    query: &str,
) -> Option<&'a Remote<Matrix>> {
    state.world.held(&source.id)?.series.get(query)
}

/// What fired between two moments, as far as it was told.
pub fn between(state: &State, from: Timestamp, until: Timestamp) -> Noise {
    let length = Duration::try_from(until.duration_since(from)).unwrap_or_default();
    let query = query(span(until, length));
    let told: Vec<Option<&Matrix>> =
        asked(state).map(|source| remote(state, source, &query).and_then(Remote::value)).collect();
    let is_whole = !told.is_empty() && told.iter().all(Option::is_some);
    let mut by_labels: BTreeMap<Labels, Vec<Bounds>> = BTreeMap::new();
    for matrix in told.into_iter().flatten() {
        for line in &matrix.lines {
            let labels = line.labels.without(|name| matches!(name, "__name__" | "alertstate"));
            let bouts = bouts(matrix.span, &line.values).filter(|bout| bout.end > from && bout.start < until);
            by_labels.entry(labels).or_default().extend(bouts);
        }
    }
    let mut by_name: BTreeMap<(Text, Option<Text>), Vec<Bounds>> = BTreeMap::new();
    for (labels, bouts) in by_labels {
        let name = labels.value("alertname");
        if name.is_empty() || state.world.is_watchdog(name) {
            continue;
        }
        let service = state.world.service_of(&labels).cloned();
        // of a pair of servers both tell of it
        by_name.entry((name.into(), service)).or_default().extend(merged(bouts, REPEAT_GAP));
    }
    let mut fired: Vec<Fired> = by_name
        .into_iter()
        .map(|((name, service), mut bouts)| {
            bouts.sort_by_key(|bout| (bout.start, bout.end));
            Fired { name, service, bouts }
        })
        .filter(|fired| !fired.bouts.is_empty())
        .collect();
    fired.sort_by_key(|fired| std::cmp::Reverse((fired.bouts.len(), fired.time())));
    Noise { fired, is_whole }
}

/// The runs of points above zero; a point speaks for the step before it.
fn bouts(span: Span, values: &[f64]) -> impl Iterator<Item = Bounds> {
    let fires = |at: usize| values.get(at).is_some_and(|value| *value > 0.0);
    let mut spans = Vec::new();
    let mut begun = None;
    for at in 0..=values.len() {
        match (begun, fires(at)) {
            (None, true) => begun = Some(at),
            (Some(first), false) => {
                let start = span.at(first).checked_sub(span.step()).unwrap_or(span.start());
                spans.push(Bounds { start, end: span.at(at - 1) });
                begun = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    spans.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_points_are_bouts() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let span = Span::ending(at(600), Duration::from_secs(540), 10, STEP);
        let nan = f64::NAN;
        let values = [nan, 1.0, 1.0, nan, nan, 1.0, nan, nan, nan, 1.0];
        let first = span.start();
        let minutes = |bounds: Bounds| {
            let minute = |at: Timestamp| at.duration_since(first).as_secs() / 60;
            (minute(bounds.start), minute(bounds.end))
        };
        assert_eq!(span.len(), 10);
        let found: Vec<_> = bouts(span, &values).map(minutes).collect();
        assert_eq!(found, [(0, 2), (4, 5), (8, 9)]);
        assert_eq!(bouts(span, &[]).count(), 0);
    }
}
