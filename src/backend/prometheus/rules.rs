//! Alerting rules with the alerts that they hold, and when an alert fired before.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::call::Call;
use super::sent::Sent;
use super::wire::Reader;
use crate::backend::http::is_plain_absence;
use crate::backend::lenient::{List, Pairs, Word, left_out};
use crate::model::alert::{Alert, AlertState, Firing, SeverityMap};
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, literal, quoted};
use crate::model::rule::{Rule, RuleBoard};
use crate::model::series::Span;
use crate::model::source::{SourceError, SourceId, Trouble};
use crate::model::warning::Warning;

/// Points missed in a row before a firing counts as over.
const GAP: usize = 2;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups<'a> {
    #[serde(borrow)]
    groups: List<Group<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    rules: List<WireRule<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireRule<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    query: Word<'a>,
    /// In seconds.
    #[serde(borrow)]
    duration: Word<'a>,
    #[serde(borrow)]
    labels: Pairs<'a>,
    #[serde(borrow)]
    annotations: Pairs<'a>,
    #[serde(borrow)]
    last_error: Word<'a>,
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    alerts: List<WireAlert<'a>>,
}

impl WireRule<'_> {
    /// Seconds, or written as in a rule: `5m`.
    fn hold(&self) -> Duration {
        let seconds = self.duration.number().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        seconds.or_else(|| duration::parse(self.duration.0.trim()).ok()).unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireAlert<'a> {
    #[serde(borrow)]
    labels: Pairs<'a>,
    #[serde(borrow)]
    annotations: Pairs<'a>,
    #[serde(borrow)]
    state: Word<'a>,
    #[serde(borrow)]
    active_at: Word<'a>,
    #[serde(borrow)]
    value: Word<'a>,
}

/// What an answer about rules is read with.
pub(super) struct Reading<'a> {
    pub(super) source: &'a SourceId,
    pub(super) severities: &'a SeverityMap,
    pub(super) now: Timestamp,
    /// What happens to alerts on their way to the Alertmanager.
    pub(super) sent: &'a Sent,
}

/// All alerting rules, and what recognises the same answer next time whenever the rules were evaluated.
///
/// # Errors
/// [`Trouble::NotOffered`] where there is no such path, as at a Mimir without ruler.
pub(super) async fn board(call: &Call<'_>, reading: &Reading<'_>) -> Result<(RuleBoard, u64), SourceError> {
    let body = call.get("api/v1/rules", &[("type", "alert")]).await.map_err(|error| match error.trouble {
        // VictoriaMetrics says 400 to a path that it does not know
        Trouble::Refused { status: 404 | 501, ref message } | Trouble::BadQuery { ref message } => {
            let why = if is_plain_absence(message) { String::new() } else { format!(" ({message})") };
            SourceError { trouble: Trouble::NotOffered { what: format!("alerting rules{why}") }, ..error }
        }
        _ => error,
    })?;
    let groups: Groups<'_> = call.open(&body)?;
    if let Some(warning) = left_out(lost(&groups), "rules and alerts") {
        call.warn(warning);
    }
    let board = board_of(&groups, &call.server.reader, reading);
    let digest = digest(&board);
    Ok((board, digest))
}

/// That rules cannot be evaluated: their alerts are not seen.
pub(super) fn failing(board: &RuleBoard) -> Option<Warning> {
    let mut broken = board.rules.iter().filter_map(|rule| Some((&rule.name, rule.error.as_ref()?)));
    let (name, error) = broken.next()?;
    let more = match broken.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(Warning::notice(format!("rule {name} fails to evaluate{more}: {error}")))
}

/// How many groups, rules and alerts could not be read.
fn lost(groups: &Groups<'_>) -> usize {
    let rules = groups.groups.all.iter().map(|group| &group.rules);
    let of_rules = |rules: &List<WireRule<'_>>| {
        let nameless = rules.all.iter().filter(|rule| rule.name.0.is_empty()).count();
        rules.lost + nameless + rules.all.iter().map(|rule| rule.alerts.lost).sum::<usize>()
    };
    groups.groups.lost + rules.map(of_rules).sum::<usize>()
}

fn board_of(groups: &Groups<'_>, reader: &Reader, reading: &Reading<'_>) -> RuleBoard {
    let mut board = RuleBoard { added: reading.sent.added(), ..RuleBoard::default() };
    let mut seen = BTreeSet::new();
    let mut alerts = BTreeMap::new();
    for group in &groups.groups.all {
        let rules = group.rules.all.iter().filter(|rule| !rule.name.0.is_empty());
        for wire in rules.filter(|rule| rule.kind.0 != "recording") {
            let error = &wire.last_error.0;
            let rule = Rule {
                name: reader.text(&wire.name.0),
                group: reader.text(&group.name.0),
                expr: reader.text(&wire.query.0),
                hold: wire.hold(),
                labels: reader.labels(&wire.labels),
                annotations: reader.labels(&wire.annotations),
                error: (!error.is_empty()).then(|| reader.text(error)),
            };
            for alert in &wire.alerts.all {
                let alert = alert_of(alert, &rule.name, reader, reading);
                alerts.entry(alert.fingerprint).or_insert(Arc::new(alert));
            }
            // Thanos may repeat a rule for each replica of its ruler
            let identity = (rule.group.clone(), rule.name.clone(), rule.expr.clone(), rule.labels.clone());
            if seen.insert(identity) {
                board.rules.push(Arc::new(rule));
            }
        }
    }
    board.alerts = alerts.into_values().collect();
    board
}

fn alert_of(wire: &WireAlert<'_>, rule: &Text, reader: &Reader, reading: &Reading<'_>) -> Alert {
    let mut labels = reader.labels(&wire.labels);
    if labels.get("alertname").is_none() {
        let named = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        labels = Labels::new(named.chain([("alertname".into(), rule.clone())]).collect());
    }
    let labels = reading.sent.apply(&labels);
    Alert {
        fingerprint: Fingerprint::of(&labels),
        annotations: reader.labels(&wire.annotations),
        state: if wire.state.0 == "pending" { AlertState::Pending } else { AlertState::Firing },
        severity: reading.severities.of(&labels),
        starts_at: wire.active_at.moment().unwrap_or(reading.now),
        updated_at: reading.now,
        resolved_at: None,
        generator_url: None,
        receivers: Arc::from([]),
        group: Labels::default(),
        silenced_by: Arc::from([]),
        inhibited_by: Arc::from([]),
        value: wire.value.number().filter(|value| value.is_finite()),
        sources: vec![reading.source.clone()],
        labels,
    }
}

/// Over what is shown, for the times of evaluation in the answer change although nothing else does.
fn digest(board: &RuleBoard) -> u64 {
    let mut hasher = DefaultHasher::new();
    for rule in &board.rules {
        (&rule.name, &rule.group, &rule.expr, rule.hold, &rule.labels).hash(&mut hasher);
        (&rule.annotations, &rule.error).hash(&mut hasher);
    }
    for alert in &board.alerts {
        (&alert.labels, &alert.annotations, alert.state, alert.starts_at).hash(&mut hasher);
        alert.value.map(f64::to_bits).hash(&mut hasher);
    }
    hasher.finish()
}

/// When the alert with these labels fired, oldest first.
///
/// The series are found by name and service and must then agree with the alert on every label that both have: labels
/// that a Prometheus adds to what it sends (`external_labels`) are not on its own series.
///
/// # Errors
/// Whatever fails the query.
pub(super) async fn firings(
    call: &Call<'_>,
    service_labels: &[String],
    labels: &Labels,
    span: Span,
) -> Result<Vec<Firing>, SourceError> {
    let service = service_labels.iter().find_map(|name| Some((promql::label(name), labels.get(name)?)));
    // or the label is one of those that are added on sending
    let service =
        service.map(|(name, value)| format!(",{name}=~{}", quoted(&format!("|{}", literal(value)))));
    let selector = format!(
        "alertname={},alertstate=\"firing\"{}",
        quoted(labels.value("alertname")),
        service.unwrap_or_default()
    );
    let step = duration::text(span.step());
    // over the whole step, so that no short firing falls between two points
    let matrix = call.range(&format!("max_over_time(ALERTS{{{selector}}}[{step}])"), span).await?;
    let same = |line: &Labels| {
        line.iter().all(|(name, value)| {
            matches!(&**name, "__name__" | "alertstate") || labels.get(name).is_none_or(|own| own == value)
        })
    };
    let points: BTreeSet<usize> = matrix
        .lines
        .iter()
        .filter(|line| same(&line.labels))
        .flat_map(|line| line.values.iter().enumerate().filter(|(_, value)| **value > 0.0).map(|(at, _)| at))
        .collect();
    Ok(intervals(points.into_iter(), span))
}

fn intervals(points: impl Iterator<Item = usize>, span: Span) -> Vec<Firing> {
    let mut firings: Vec<(usize, usize)> = Vec::new();
    for point in points {
        match firings.last_mut() {
            Some((_, last)) if point - *last <= GAP => *last = point,
            _ => firings.push((point, point)),
        }
    }
    // a point speaks for the step before it
    let begin = |point| span.at(point).checked_sub(span.step()).unwrap_or(span.start());
    firings.into_iter().map(|(from, to)| Firing { from: begin(from), to: span.at(to) }).collect()
}
