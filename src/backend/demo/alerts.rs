//! Computes alerts from the simulated numbers and the rules, and their state in Alertmanager.

use std::ops::Range;
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
use super::rules::DemoRule;
use super::scenario::{Begin, Occurrence};
use super::timeline::EVERY;
use super::world::{DemoWorld, ServiceInRegion};

/// The maximum number of evaluations to find the start and the end of a condition.
const TRIES: f64 = 240.0;
/// Pending silences are listed this long before they start, in seconds.
const ANNOUNCED: f64 = 86_400.0;
/// Since when the Watchdog alert fires, in demo time: before all other events.
const WATCHDOG_SINCE: f64 = -30.0 * 86_400.0;

/// One series of a rule's expression.
#[derive(Clone, Copy)]
pub(super) struct RuleSeries<'a> {
    pub(super) rule: &'a DemoRule,
    /// `None` for a rule that is about no service.
    pub(super) place: Option<&'a ServiceInRegion>,
    pub(super) pod: u32,
}

/// The kind of an alert's series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AlertSeriesKind {
    Pending,
    Firing,
    /// `ALERTS_FOR_STATE`: the time since which the alert is active, pending or firing.
    Since,
}

impl DemoWorld {
    /// The series that a rule's expression returns: one per service of the region (one per pod for `up`), and one without a
    /// service for a rule that always fires.
    pub(super) fn series_of<'a>(&'a self, rule: &'a DemoRule) -> Vec<RuleSeries<'a>> {
        if rule.measure == SimulatedNumber::Always {
            return vec![RuleSeries { rule, place: None, pod: 0 }];
        }
        let places = self.services_in(rule.region).filter(|place| rule.concerns(&place.name));
        let measured = places.filter(|place| self.measure(&rule.measure, place, 0, 0.0).is_some());
        let by_pod = |place: &'a ServiceInRegion| {
            let pods = if rule.measure == SimulatedNumber::Up { place.service.pods } else { 1 };
            (0..pods).map(move |pod| RuleSeries { rule, place: Some(place), pod })
        };
        measured.flat_map(by_pod).collect()
    }

    /// The value of a series.
    pub(super) fn value(&self, RuleSeries { rule, place, pod }: RuleSeries<'_>, t: f64) -> Option<f64> {
        place.map_or(Some(1.0), |place| self.measure(&rule.measure, place, pod, t))
    }

    /// When the rule's condition holds for a series because of one occurrence of an event, in demo time; cached.
    fn condition(
        &self,
        series: RuleSeries<'_>,
        place: &ServiceInRegion,
        begin: Begin,
        once: Occurrence,
    ) -> Option<Range<f64>> {
        let key = (series.rule.number, place.number, series.pod, begin.key(), once.start.to_bits());
        let cache = || self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(condition) = cache().get(&key) {
            return condition.clone();
        }
        // only events of the scenario can make a value cross its threshold
        let (from, to) = place.effect_range(begin, &series.rule.measure);
        let step = ((to - from) / TRIES / EVERY).ceil().max(1.0) * EVERY;
        let first = ((once.start + from) / EVERY).ceil() * EVERY;
        let holding = |t: f64| self.value(series, t).is_some_and(|value| series.rule.holds(value));
        let (count, _) = floor((to - from) / step);
        let mut times = (0..=count).map(|i| first + i as f64 * step);
        let condition = times.find(|t| holding(*t)).map(|from| {
            let last = times.rfind(|t| holding(*t)).unwrap_or(from);
            edge(holding, from, from - step)..edge(holding, last, last + step) + EVERY
        });
        cache().insert(key, condition.clone());
        condition
    }

    /// When the condition of a series holds, for all times that overlap a time range of demo time.
    fn conditions(&self, series: RuleSeries<'_>, (from, to): (f64, f64)) -> Vec<Range<f64>> {
        let measure = &series.rule.measure;
        if *measure == SimulatedNumber::Always {
            return vec![WATCHDOG_SINCE..f64::INFINITY];
        }
        let Some(place) = series.place else { return Vec::new() };
        let occurrences = place.begins(measure).into_iter().flat_map(|begin| {
            let (_, lasts) = place.effect_range(begin, measure);
            self.schedule.between(begin, from - lasts, to).into_iter().map(move |once| (begin, once))
        });
        let conditions = occurrences.filter_map(|(begin, once)| self.condition(series, place, begin, once));
        conditions.filter(|condition| condition.start <= to && condition.end > from).collect()
    }

    /// When the alert of a series is in this state, within a time range of demo time.
    pub(super) fn alert_ranges(
        &self,
        series: RuleSeries<'_>,
        shows: AlertSeriesKind,
        (from, to): (f64, f64),
    ) -> Vec<(f64, f64)> {
        let in_state = |Range { start, end }: Range<f64>| match shows {
            AlertSeriesKind::Pending => (start, end.min(start + series.rule.hold)),
            AlertSeriesKind::Firing => (start + series.rule.hold, end),
            AlertSeriesKind::Since => (start, end),
        };
        let mut all: Vec<(f64, f64)> =
            self.conditions(series, (from, to)).into_iter().map(in_state).collect();
        all.retain(|(begin, end)| begin < end && *begin <= to && *end > from);
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// The rules of a region.
    pub(super) fn rules_of(&self, region: Region) -> impl Iterator<Item = &DemoRule> {
        self.rules.iter().filter(move |rule| rule.region == region)
    }

    /// The pending and firing alerts of all rules of a region.
    pub(super) fn alerts_of(&self, region: Region, t: f64) -> Vec<Alert> {
        self.rules_of(region).flat_map(|rule| self.alerts_by(rule, t)).collect()
    }

    /// The pending and firing alerts of a rule.
    pub(super) fn alerts_by(&self, rule: &DemoRule, t: f64) -> Vec<Alert> {
        let alert = |series: RuleSeries<'_>| {
            let mut conditions = self.conditions(series, (t, t)).into_iter();
            let condition = conditions.find(|condition| condition.contains(&t))?;
            self.alert(series, condition.start, t)
        };
        self.series_of(rule).into_iter().filter_map(alert).collect()
    }

    /// The alert of a series at `t`; its condition holds from `since` on.
    fn alert(&self, series: RuleSeries<'_>, since: f64, t: f64) -> Option<Alert> {
        let rule = series.rule;
        let fires = since + rule.hold;
        let firing = t >= fires;
        let value = self.value(series, t)?;
        let labels = series.alert_labels();
        let mut annotations = annotation::filled(&rule.shown.annotations, &labels, value);
        if let Some((deploy, start)) = series.place.and_then(|place| self.deploy(place, t)) {
            annotations =
                annotation::with_change(&annotations, deploy, |offset| self.time.wall_time(start + offset));
        }
        let source = rule.region.source();
        let severity = SeverityMap::default().of(&labels);
        Some(Alert {
            annotations,
            state: if firing { AlertState::Firing } else { AlertState::Pending },
            starts_at: self.time.wall_time(if firing { fires } else { since }),
            updated_at: self.time.wall_time((t / EVERY).floor() * EVERY),
            generator_url: annotation::graph(source, &rule.shown.expr),
            value: Some(value),
            ..Alert::new(labels, severity, SourceId::new(source))
        })
    }

    /// The alerts in Alertmanager: those that fire in any region, with groups, silences and inhibitions.
    pub(super) fn alertmanager_alerts(&self, t: f64, source: &SourceId, silences: &[Silence]) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = Region::ALL
            .into_iter()
            .flat_map(|region| self.alerts_of(region, t))
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
    pub(super) fn silences(&self, t: f64, source: &SourceId) -> Vec<Silence> {
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
            .map(|(silence, from, until)| self.shown(silence, from, until, t, source))
            .collect()
    }

    /// A silence of the scenario, with an id derived from its contents.
    fn shown(
        &self,
        silence: &fixtures::SilenceFixture,
        from: f64,
        until: f64,
        t: f64,
        source: &SourceId,
    ) -> Silence {
        let (starts_at, ends_at): (Timestamp, Timestamp) =
            (self.time.wall_time(from), self.time.wall_time(until));
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

impl RuleSeries<'_> {
    /// The labels of the series.
    pub(super) fn labels(&self) -> Labels {
        self.place.map_or_else(Labels::default, |place| {
            let line = self.rule.line.iter();
            place.labels.with_strs(line.map(|(name, value)| (name, place.filled(value, self.pod))))
        })
    }

    /// The labels of the alert: those of the series and of the rule, and the rule's name.
    pub(super) fn alert_labels(&self) -> Labels {
        let shown = &self.rule.shown;
        self.labels().with_strs(shown.labels.iter()).with_strs([("alertname", &*shown.name)])
    }
}

fn matchers(text: &str) -> Vec<Matcher> {
    matcher::parse(text).expect("the embedded matchers are read by the tests")
}

fn fits(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels))
}
