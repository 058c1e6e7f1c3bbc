//! Computes alerts from the simulated numbers and the rules, and their state in Alertmanager.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use crate::model::alert::{Alert, AlertState, SeverityMap};
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{self, Matcher};
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;

use super::annotation;
use super::fixtures::{self, Region, SimulatedNumber};
use super::noise::{floor, mix_text};
use super::rules::{Cause, ConditionSpan, DemoRule};
use super::scenario::{Begin, Occurrence};
use super::timeline::{DemoTimeline, EVERY};
use super::world::{DemoWorld, ServiceInRegion};

/// The maximum number of evaluations to find the start and the end of a condition.
const TRIES: f64 = 240.0;
/// Pending silences are listed this long before they start, in seconds.
const ANNOUNCED: f64 = 86_400.0;
/// Since when the Watchdog alert fires, in demo time: before all other events.
const WATCHDOG_SINCE: f64 = -30.0 * 86_400.0;

/// One series of a rule's expression.
pub(super) struct ExpressionLine<'a> {
    pub(super) place: Option<&'a ServiceInRegion>,
    pub(super) pod: u32,
    pub(super) labels: Labels,
}

/// The kind of an alert's series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shows {
    Pending,
    Firing,
    /// `ALERTS_FOR_STATE`: the time since which the alert is active, pending or firing.
    Since,
}

impl DemoWorld {
    /// The series that a rule's expression returns: one per service of the region (one per pod for `up`), and one without a
    /// service for a rule that always fires.
    pub(super) fn subjects<'a>(&'a self, rule: &'a DemoRule) -> Vec<ExpressionLine<'a>> {
        if rule.measure == SimulatedNumber::Always {
            return vec![ExpressionLine { place: None, pod: 0, labels: Labels::default() }];
        }
        let places = self.watched(rule.region).filter(|place| rule.concerns(&place.name));
        let measured = places.filter(|place| self.measure(&rule.measure, place, 0, 0.0).is_some());
        measured.flat_map(|place| subjects_at(rule, place)).collect()
    }

    /// The value of a series.
    pub(super) fn value(
        &self,
        rule: &DemoRule,
        place: Option<&ServiceInRegion>,
        pod: u32,
        t: f64,
    ) -> Option<f64> {
        place.map_or(Some(1.0), |place| self.measure(&rule.measure, place, pod, t))
    }

    /// When a rule's condition holds for a series because of one occurrence of an event; cached.
    fn condition_span(
        &self,
        rule: &DemoRule,
        (place, pod): (&ServiceInRegion, u32),
        begin: Begin,
        once: Occurrence,
    ) -> Option<ConditionSpan> {
        let cause = Cause {
            rule: rule.number,
            place: place.number,
            pod,
            begin: begin.key(),
            start: once.start.to_bits(),
        };
        let known =
            |condition_spans: &HashMap<Cause, Option<ConditionSpan>>| condition_spans.get(&cause).copied();
        let condition_spans = || self.condition_spans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(condition_span) = known(&condition_spans()) {
            return condition_span;
        }
        let condition_span = self.search_condition_span(rule, (place, pod), begin, once);
        condition_spans().insert(cause, condition_span);
        condition_span
    }

    /// Searches the time range of the occurrence; only events of the scenario can make a value cross its threshold.
    fn search_condition_span(
        &self,
        rule: &DemoRule,
        (place, pod): (&ServiceInRegion, u32),
        begin: Begin,
        once: Occurrence,
    ) -> Option<ConditionSpan> {
        let (from, to) = place.effect_range(begin, &rule.measure);
        let step = ((to - from) / TRIES / EVERY).ceil().max(1.0) * EVERY;
        let first = ((once.start + from) / EVERY).ceil() * EVERY;
        let holding = |t: f64| self.value(rule, Some(place), pod, t).is_some_and(|value| rule.holds(value));
        let (count, _) = floor((to - from) / step);
        let mut times = (0..=count).map(|i| first + i as f64 * step);
        let from = times.find(|t| holding(*t))?;
        let last = times.rfind(|t| holding(*t)).unwrap_or(from);
        Some(ConditionSpan {
            from: edge(holding, from, from - step),
            to: edge(holding, last, last + step) + EVERY,
        })
    }

    /// The condition of a series that holds at `t`.
    fn condition_span_at(
        &self,
        rule: &DemoRule,
        subject: &ExpressionLine<'_>,
        t: f64,
    ) -> Option<ConditionSpan> {
        let condition_spans = self.condition_spans(rule, subject.place, subject.pod, (t, t));
        condition_spans
            .into_iter()
            .find(|condition_span| (condition_span.from..condition_span.to).contains(&t))
    }

    /// The conditions of a series that overlap a time range.
    fn condition_spans(
        &self,
        rule: &DemoRule,
        place: Option<&ServiceInRegion>,
        pod: u32,
        (from, to): (f64, f64),
    ) -> Vec<ConditionSpan> {
        if rule.measure == SimulatedNumber::Always {
            return vec![ConditionSpan { from: WATCHDOG_SINCE, to: f64::INFINITY }];
        }
        let Some(place) = place else { return Vec::new() };
        let occurrences = place.begins(&rule.measure).into_iter().flat_map(|begin| {
            let (_, lasts) = place.effect_range(begin, &rule.measure);
            self.schedule.between(begin, from - lasts, to).into_iter().map(move |once| (begin, once))
        });
        let condition_spans =
            occurrences.filter_map(|(begin, once)| self.condition_span(rule, (place, pod), begin, once));
        condition_spans
            .filter(|condition_span| condition_span.from <= to && condition_span.to > from)
            .collect()
    }

    /// When the alert of a series is in this state, within a time range of demo time.
    pub(super) fn alert_ranges(
        &self,
        rule: &DemoRule,
        place: Option<&ServiceInRegion>,
        pod: u32,
        shows: Shows,
        (from, to): (f64, f64),
    ) -> Vec<(f64, f64)> {
        let time_range = |condition_span: ConditionSpan| match shows {
            Shows::Pending => (condition_span.from, condition_span.to.min(condition_span.from + rule.hold)),
            Shows::Firing => (condition_span.from + rule.hold, condition_span.to),
            Shows::Since => (condition_span.from, condition_span.to),
        };
        let time_ranges = self.condition_spans(rule, place, pod, (from, to)).into_iter().map(time_range);
        let mut all: Vec<(f64, f64)> =
            time_ranges.filter(|(begin, end)| begin < end && *begin <= to && *end > from).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// The rules of a region.
    pub(super) fn rules_of(&self, region: Region) -> impl Iterator<Item = &DemoRule> {
        self.rules.iter().filter(move |rule| rule.region == region)
    }

    /// The pending and firing alerts of all rules of a region.
    pub(super) fn alerts_of(&self, region: Region, t: f64, clock: &DemoTimeline) -> Vec<Alert> {
        self.rules_of(region).flat_map(|rule| self.alerts_by(rule, t, clock)).collect()
    }

    /// The pending and firing alerts of a rule.
    pub(super) fn alerts_by(&self, rule: &DemoRule, t: f64, clock: &DemoTimeline) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = Vec::new();
        for subject in self.subjects(rule) {
            if let Some(condition_span) = self.condition_span_at(rule, &subject, t) {
                alerts.extend(self.alert(rule, &subject, condition_span, t, clock));
            }
        }
        alerts
    }

    /// The alert of a series at `t`; `condition_span` is the condition that it belongs to.
    fn alert(
        &self,
        rule: &DemoRule,
        subject: &ExpressionLine<'_>,
        condition_span: ConditionSpan,
        t: f64,
        clock: &DemoTimeline,
    ) -> Option<Alert> {
        let fires = condition_span.from + rule.hold;
        let firing = t >= fires;
        let value = self.value(rule, subject.place, subject.pod, t)?;
        let labels = alert_labels(rule, subject);
        let mut annotations = annotation::filled(&rule.shown.annotations, &labels, value);
        if let Some((deploy, start)) = subject.place.and_then(|place| self.deploy(place, t)) {
            annotations =
                annotation::with_change(&annotations, deploy, |offset| clock.wall_time(start + offset));
        }
        let source = rule.region.source();
        let severity = SeverityMap::default().of(&labels);
        Some(Alert {
            annotations,
            state: if firing { AlertState::Firing } else { AlertState::Pending },
            starts_at: clock.wall_time(if firing { fires } else { condition_span.from }),
            updated_at: clock.wall_time((t / EVERY).floor() * EVERY),
            generator_url: annotation::graph(source, &rule.shown.expr),
            value: Some(value),
            ..Alert::new(labels, severity, SourceId::new(source))
        })
    }

    /// The alerts in Alertmanager: those that fire in any region, with groups, silences and inhibitions.
    pub(super) fn alertmanager_alerts(
        &self,
        t: f64,
        clock: &DemoTimeline,
        source: &SourceId,
        silences: &[Silence],
    ) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = Region::ALL
            .into_iter()
            .flat_map(|region| self.alerts_of(region, t, clock))
            .filter(Alert::is_firing)
            .collect();
        let inhibited: Vec<Vec<Text>> = alerts.iter().map(|alert| self.inhibitors(alert, &alerts)).collect();
        for (alert, inhibited_by) in alerts.iter_mut().zip(inhibited) {
            let active = silences.iter().filter(|silence| silence.state == SilenceState::Active);
            alert.silenced_by =
                active.filter(|silence| silence.matches(&alert.labels)).map(|s| Arc::clone(&s.id)).collect();
            alert.inhibited_by = inhibited_by.into();
            alert.state = match (alert.silenced_by.is_empty(), alert.inhibited_by.is_empty()) {
                (false, _) => AlertState::Silenced,
                (true, false) => AlertState::Inhibited,
                (true, true) => AlertState::Firing,
            };
            let receivers = self.fixtures.rules.receivers.get(alert.labels.value("severity"));
            alert.receivers = receivers.into_iter().flatten().map(|name| name.as_str().into()).collect();
            alert.group = alert.labels.without(|name| !matches!(name, "team" | "service"));
            alert.value = None;
            alert.sources = vec![source.clone()];
        }
        alerts.sort_by_key(|alert| alert.fingerprint);
        alerts
    }

    /// The fingerprints of the alerts that inhibit an alert.
    fn inhibitors(&self, target: &Alert, alerts: &[Alert]) -> Vec<Text> {
        let mut by: Vec<Text> = Vec::new();
        for inhibit in &self.fixtures.rules.inhibit {
            if !fits(&matchers(&inhibit.target), &target.labels) {
                continue;
            }
            let source = matchers(&inhibit.source);
            let equal =
                |alert: &Alert| inhibit.equal.iter().all(|l| alert.labels.get(l) == target.labels.get(l));
            by.extend(
                alerts
                    .iter()
                    .filter(|alert| alert.fingerprint != target.fingerprint)
                    .filter(|alert| fits(&source, &alert.labels) && equal(alert))
                    .map(|alert| Text::from(alert.fingerprint.to_string())),
            );
        }
        by
    }

    /// The active silences, and those that start within a day.
    pub(super) fn silences(&self, t: f64, clock: &DemoTimeline, source: &SourceId) -> Vec<Silence> {
        let (chapter, start) = self.schedule.now(t);
        let reported = chapter.and_then(|number| self.fixtures.scenario.chapter.get(number));
        let of_story = reported.into_iter().flat_map(|chapter| &chapter.silence).filter_map(|silence| {
            let (from, until) = (start + silence.from.0, start + silence.until.0);
            // silences of a chapter react to an incident and are not planned, so they are not listed before they start
            (from..until).contains(&t).then_some((silence, from, until))
        });
        let standing = self.fixtures.scenario.silence.iter().filter_map(|silence| {
            let every = silence.every.map_or(f64::INFINITY, |every| every.0);
            let rounds = ((t - silence.until.0) / every).floor() + 1.0;
            let shift = if rounds.is_finite() && every.is_finite() { rounds * every } else { 0.0 };
            let (from, until) = (silence.from.0 + shift, silence.until.0 + shift);
            (t >= from - ANNOUNCED && t < until).then_some((silence, from, until))
        });
        of_story
            .chain(standing)
            .map(|(silence, from, until)| shown(silence, from, until, t, clock, source))
            .collect()
    }
}

/// The series of an expression for one service in a region; one per pod for `up`.
fn subjects_at<'a>(rule: &DemoRule, place: &'a ServiceInRegion) -> Vec<ExpressionLine<'a>> {
    let pods = if rule.measure == SimulatedNumber::Up { place.service.pods } else { 1 };
    (0..pods)
        .map(|pod| {
            let fill = |value: &str| place.filled(value, pod).into();
            let further = rule.line.iter().map(|(name, value)| (name.as_str().into(), fill(value)));
            let known = place.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
            ExpressionLine { place: Some(place), pod, labels: Labels::new(known.chain(further).collect()) }
        })
        .collect()
}

/// The evaluation closest to `outside` at which the condition still holds; the condition holds at `inside`.
fn edge(holding: impl Fn(f64) -> bool, mut inside: f64, mut outside: f64) -> f64 {
    while (inside - outside).abs() > EVERY {
        let middle = (f64::midpoint(inside, outside) / EVERY).floor() * EVERY;
        if middle <= inside.min(outside) {
            break;
        }
        if holding(middle) { inside = middle } else { outside = middle }
    }
    inside
}

/// The labels of an alert: those of the series and of the rule, and its name.
pub(super) fn alert_labels(rule: &DemoRule, subject: &ExpressionLine<'_>) -> Labels {
    let known = subject.labels.iter().chain(rule.shown.labels.iter());
    let known = known.map(|(name, value)| (name.clone(), value.clone()));
    Labels::new(known.chain([("alertname".into(), Arc::clone(&rule.shown.name))]).collect())
}

fn matchers(text: &str) -> Vec<Matcher> {
    matcher::parse(text).expect("the embedded matchers are read by the tests")
}

fn fits(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels))
}

/// A silence of the scenario, with an id derived from its contents.
fn shown(
    silence: &fixtures::SilenceFixture,
    from: f64,
    until: f64,
    t: f64,
    clock: &DemoTimeline,
    source: &SourceId,
) -> Silence {
    let (starts_at, ends_at): (Timestamp, Timestamp) = (clock.wall_time(from), clock.wall_time(until));
    let id = mix_text(from.to_bits(), &silence.comment);
    let tail = mix_text(id, &silence.by) >> 16;
    Silence {
        id: format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{tail:012x}",
            id >> 32,
            id >> 16 & 0xffff,
            id & 0xfff,
            id >> 4 & 0xfff
        )
        .into(),
        state: if t < from { SilenceState::Pending } else { SilenceState::Active },
        matchers: matchers(&silence.matchers),
        starts_at,
        ends_at,
        created_by: silence.by.as_str().into(),
        comment: silence.comment.as_str().into(),
        annotations: Labels::default(),
        updated_at: None,
        source: source.clone(),
    }
}
