//! SLOs, for all screens: sort order, grouping, filter fields; texts, queries and budget history in submodules.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use super::runbook;
use crate::app::columns::{ThingOrder, ascending, compare, descending};
use crate::app::filter::FilterFields;
use crate::app::identity::WhySubject;
use crate::app::prelude::*;
use crate::model::slo::{BASIS, Exhaustion, GroupStatus, RECENT, SloState};

pub mod burn_down;
pub mod course;
pub mod queries;
pub mod words;

pub const ORDERS: [ThingOrder<SloStatus>; 7] = [
    descending("state, worst first", "state", SloStatus::by_urgency),
    ascending("budget left, least first", "budget", |a, b| by_number(a, b, |status| status.worst()?.left())),
    descending("burn rate over 1h, highest first", "1h", |a, b| {
        by_number(a, b, |status| Some(-status.worst()?.burn(BASIS)?))
    }),
    ascending("exhaustion, soonest first", "exhausted", |a, b| {
        by_number(a, b, |status| seconds(status.worst()?.exhaustion?))
    }),
    ascending("name", "SLO", |a, b| a.slo.id.cmp(&b.slo.id)),
    descending("objective, strictest first", "objective", |a, b| {
        by_number(a, b, |status| Some(-status.slo.objective.as_ratio()))
    }),
    ascending("service", "service", |a, b| {
        (a.service.is_none(), &a.service).cmp(&(b.service.is_none(), &b.service))
    }),
];

/// The least first; what is not known comes behind everything that is.
fn by_number(a: &SloStatus, b: &SloStatus, number: fn(&SloStatus) -> Option<f64>) -> Ordering {
    let key = |status: &SloStatus| number(status).unwrap_or(f64::INFINITY);
    key(a).total_cmp(&key(b))
}

/// The remaining budget as text, for the palette.
pub fn left_text(status: &SloStatus) -> String {
    words::left(status.worst()).text.into_owned()
}

/// The value of a label of an SLO: of its definition, else of its recorded series; empty if it has none.
pub fn value_of(status: &SloStatus, label: &str) -> Text {
    let named = match label {
        "service" => status.service.clone(),
        "source" => Some(status.source.as_str().into()),
        _ => None,
    };
    let recorded = || status.slo.recorded.as_ref().and_then(|recorded| recorded.labels.get(label));
    named.or_else(|| status.slo.labels.get(label).or_else(recorded).cloned()).unwrap_or_default()
}

/// The labels by which SLOs can be grouped: `service`, then the others, most frequent first.
pub fn labels(world: &World) -> Vec<String> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for status in world.slos() {
        let recorded = status.slo.recorded.iter().flat_map(|recorded| recorded.labels.iter());
        for (name, _) in status.slo.labels.iter().chain(recorded) {
            *names.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().filter(|(name, _)| *name != "service").collect();
    names.sort_by_key(|(name, count)| (Reverse(*count), *name));
    std::iter::once("service").chain(names.into_iter().map(|(name, _)| name)).map(str::to_owned).collect()
}

/// The haystack of these SLOs. Words search all fields, matchers one.
pub fn haystack(slos: &[SloStatus]) -> Haystack {
    const FIELDS: FilterFields =
        FilterFields { words: &[], numbers: &["left", "burn", "burn_5m", "objective", "alerts"], flags: &[] };
    let states = SloState::ALL.map(|state| (state, Text::from(state.word())));
    let described: Vec<Labels> = slos.iter().map(|status| described(status, &states)).collect();
    let numbers = |status: &SloStatus| {
        let worst = status.worst();
        let burn = |lookback| worst.and_then(|worst| worst.burn(lookback));
        let objective = Some(status.slo.objective.as_ratio());
        let alerts = Some(status.alerts.len() as f64);
        let all = [worst.and_then(GroupStatus::left), burn(BASIS), burn(RECENT), objective, alerts];
        all.map(|number| number.unwrap_or(f64::NAN))
    };
    Haystack::with_fields(
        FIELDS,
        slos.iter().zip(&described).map(|(status, labels)| (labels, [&status.slo.name], [], numbers(status))),
    )
}

/// The text fields that a filter can use. The SLO's own fields override labels of the same name.
fn described(status: &SloStatus, states: &[(SloState, Text)]) -> Labels {
    let slo = &status.slo;
    let recorded = slo.recorded.iter().flat_map(|recorded| recorded.labels.iter());
    let given = recorded.chain(slo.labels.iter()).map(|(name, value)| (name.clone(), value.clone()));
    let state = states.iter().find(|(state, _)| *state == status.state()).map(|(_, word)| word.clone());
    let own = [
        ("slo", Some(slo.id.clone())),
        ("id", Some(slo.id.clone())),
        ("state", state),
        ("service", status.service.clone()),
        ("source", Some(status.source.as_str().into())),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((Text::from(name), value?)));
    Labels::new(given.chain(own).collect())
}

/// The seconds until the budget is exhausted; None if it will not be.
fn seconds(exhaustion: Exhaustion) -> Option<f64> {
    match exhaustion {
        Exhaustion::Exhausted => Some(0.0),
        Exhaustion::In(after) => Some(after.as_secs_f64()),
        Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never => None,
    }
}

/// The SLOs that pass the filter, in the sort order; equal ones by urgency.
pub fn ordered<'a>(slos: &'a [SloStatus], passes: Option<&[bool]>, order: SortOrder) -> Vec<&'a SloStatus> {
    let mut shown: Vec<&SloStatus> = passing(slos, passes).collect();
    shown.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.by_urgency(b)));
    shown
}

impl Item for SloKey {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Slo(self.clone()))
    }

    fn selection(shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::of_slos(&shared.world, &chosen)
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        Some(self.id.to_string())
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.status(&shared.world).map_or_else(Vec::new, |status| runbook::of_slo(shared, status))
    }

    fn why(&self) -> Option<WhySubject> {
        Some(WhySubject::Slo(self.clone()))
    }
}
