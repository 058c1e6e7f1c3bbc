//! Alerts, for all screens: sort order, filter fields, texts, links.

use std::cmp::Reverse;

use super::link::is_link;
use super::runbook;
use crate::app::filter::FilterFields;
use crate::app::identity::WhySubject;
use crate::app::prelude::*;
use crate::app::widgets::chart::ChartMark;
use crate::model::alert::Severity;

/// The sort key of an alert, worst and newest first; unique by the fingerprint.
pub type AlertRank = (AlertState, Severity, Reverse<Timestamp>, Fingerprint);

/// The sort key of an alert; the smallest is the worst and newest.
pub fn alert_rank(alert: &Alert) -> AlertRank {
    (alert.state, alert.severity, Reverse(alert.starts_at), alert.fingerprint)
}

pub fn haystack(world: &World, now: Timestamp) -> Haystack {
    haystack_of(world.alerts_with_services(), now)
}

/// The haystack of these alerts with their services.
pub fn haystack_of<'a>(
    alerts: impl Iterator<Item = (&'a Arc<Alert>, Option<&'a Text>)>,
    now: Timestamp,
) -> Haystack {
    const FIELDS: FilterFields = FilterFields {
        words: &["state", "severity", "service"],
        numbers: &["age", "for", "value"],
        flags: &["silenced", "inhibited"],
    };
    // all alerts share one string for each word
    let states = AlertState::ALL.map(|state| (state, Text::from(state.word())));
    let severities = Severity::ALL.map(|severity| (severity, Text::from(severity.word())));
    let row = |(alert, service): (&'a Arc<Alert>, Option<&'a Text>)| {
        let state = states.iter().find(|(state, _)| *state == alert.state).map(|(_, word)| word.clone());
        let severity = severities.iter().find(|(severity, _)| *severity == alert.severity);
        let words = [state, severity.map(|(_, word)| word.clone()), service.cloned()];
        let age = age(alert.starts_at, now).as_secs_f64();
        (&alert.labels, alert.receivers.iter(), words, [age, age, alert.value.unwrap_or(f64::NAN)])
    };
    Haystack::with_fields(FIELDS, alerts.map(row))
}

/// When it began, for a chart.
pub fn mark(cx: &Cx<'_>, alert: &Alert) -> ChartMark<'static> {
    let role = Role::of_alert(alert);
    ChartMark { at: alert.starts_at, symbol: cx.symbol(role), role }
}

impl Item for Fingerprint {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Alert(*self))
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::Alerts(chosen)
    }

    /// Its labels.
    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        shared.world.alert(*self).map(|alert| alert.labels.to_string())
    }

    /// Those of its annotations, a runbook first, those of its labels, and its source.
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(alert) = shared.world.alert(*self) else { return Vec::new() };
        let of = |labels: &Labels| {
            let found = labels.iter().filter(|(_, value)| is_link(value));
            found.map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>()
        };
        let mut links = of(&alert.annotations);
        links.sort_by_key(|(name, _)| !name.starts_with("runbook"));
        links.extend(of(&alert.labels));
        links.extend(
            alert
                .generator_url
                .iter()
                .filter(|url| is_link(url))
                .map(|url| ("source".to_owned(), url.clone())),
        );
        links
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        shared.world.alert(*self).map(|alert| runbook::of_alert(alert)).into_iter().collect()
    }

    fn is_handled(&self, handled: &Handled<'_>) -> bool {
        match handled {
            Handled::Alerts(covers) => covers.contains(self),
            Handled::Incident { .. } | Handled::Silence(_) => false,
        }
    }

    fn is_group_handled(handled: &Handled<'_>) -> bool {
        matches!(handled, Handled::Alerts(_))
    }

    fn why(&self) -> Option<WhySubject> {
        Some(WhySubject::Alert(*self))
    }
}
