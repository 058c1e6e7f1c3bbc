//! Resources with a limit, for all screens: sort order, grouping, filter fields, roles.

use std::cmp::Ordering;

use crate::app::columns::{ThingOrder, ascending, compare, descending};
use crate::app::filter::FilterFields;
use crate::app::list_screen::EmptyState;
use crate::app::prelude::*;
use crate::model::capacity::{CapacityKey, CapacityReading, CapacityUse, FillTime, Outlook, left};
use crate::model::health::Thresholds;
use crate::model::host::place;

/// A deadline or a full resource within this time is critical.
const VERY_SOON: Duration = Duration::from_secs(86_400);

pub const ORDERS: [ThingOrder<CapacityReading>; 6] = [
    ascending("time left, least first", "full in", CapacityReading::by_urgency),
    descending("used share, fullest first", "used", |a, b| by_number(a, b, CapacityReading::ratio)),
    ascending("resource", "resource", |a, b| a.key.resource.cmp(&b.key.resource)),
    ascending("service", "service", |a, b| {
        (a.key.service.is_empty(), &a.key.service).cmp(&(b.key.service.is_empty(), &b.key.service))
    }),
    ascending("place", "where", |a, b| (&a.host, &a.key.part).cmp(&(&b.host, &b.key.part))),
    descending("growth as a share of the limit", "per day", |a, b| by_number(a, b, daily_share)),
];

/// The largest first; what is not known comes behind everything that is.
fn by_number(
    a: &CapacityReading,
    b: &CapacityReading,
    number: fn(&CapacityReading) -> Option<f64>,
) -> Ordering {
    let key = |one: &CapacityReading| number(one).unwrap_or(f64::NEG_INFINITY);
    key(b).total_cmp(&key(a))
}

/// The growth per day as a share of the limit.
fn daily_share(reading: &CapacityReading) -> Option<f64> {
    match (reading.amount, &reading.trend) {
        (CapacityUse::Amount { limit: Some(limit), .. }, Some(trend)) => Some(trend.per_day / limit),
        (CapacityUse::Amount { .. } | CapacityUse::Until(_), _) => None,
    }
}

/// The resources that pass the filter, in the sort order; equal ones by urgency.
pub fn ordered<'a>(
    all: &'a [Arc<CapacityReading>],
    passes: Option<&[bool]>,
    order: SortOrder,
) -> Vec<&'a CapacityReading> {
    let mut shown: Vec<&CapacityReading> = passing(all, passes).map(|reading| &**reading).collect();
    shown.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.by_urgency(b)));
    shown
}

/// The properties by which resources can be grouped.
pub const GROUPS: [&str; 4] = ["service", "resource", "state", "source"];

/// The value of one of [`GROUPS`]; empty if it has none.
pub fn value_of(reading: &CapacityReading, name: &str) -> Text {
    match name {
        "service" => reading.key.service.clone(),
        "resource" => reading.key.resource.clone(),
        "state" => reading.outlook.word().into(),
        "source" => reading.key.source.as_str().into(),
        _ => Text::default(),
    }
}

/// The haystack of these resources. Words search all fields; `used` is a share, `left` the time until the end.
pub fn haystack(all: &[Arc<CapacityReading>], now: Timestamp) -> Haystack {
    const FIELDS: FilterFields = FilterFields { words: &[], numbers: &["used", "left"], flags: &[] };
    let described: Vec<Labels> = all.iter().map(|reading| described(reading)).collect();
    let numbers = |reading: &CapacityReading| {
        let end = reading.outlook.end(now).map(|end| left(end, now).as_secs_f64());
        [reading.ratio(), end].map(|number| number.unwrap_or(f64::NAN))
    };
    Haystack::with_fields(
        FIELDS,
        all.iter().zip(&described).map(|(reading, labels)| (labels, [&reading.host], [], numbers(reading))),
    )
}

/// The text fields that a filter can use.
pub fn described(reading: &CapacityReading) -> Labels {
    let CapacityKey { source, service, resource, instance, part } = &reading.key;
    Labels::default().with([
        ("resource", Text::clone(resource)),
        ("service", service.clone()),
        ("host", reading.host.clone()),
        ("instance", instance.clone()),
        ("part", part.clone()),
        ("state", reading.outlook.word().into()),
        ("source", source.as_str().into()),
    ])
}

/// `web-17 /data`
pub fn where_is(reading: &CapacityReading) -> String {
    place(&reading.host, &reading.key.part).trim_start_matches(" on ").to_owned()
}

/// The role of a resource: critical if it is over or is so within a day, a warning within the configured times.
pub fn role(reading: &CapacityReading, thresholds: &Thresholds, now: Timestamp) -> Role {
    let soon = |at: Timestamp, within: Duration| match left(at, now) {
        left if left <= VERY_SOON.min(within) => Role::Critical,
        left if left <= within => Role::Warning,
        _ => Role::Healthy,
    };
    match reading.outlook {
        // some resources are full on purpose; of a budget, the SLO says how bad that is
        Outlook::Full if !reading.is_warned => Role::Info,
        Outlook::Full => Role::Critical,
        Outlook::Fills(FillTime { at, latest: Some(_), .. }) => soon(at, thresholds.full_within.0),
        Outlook::Fills(FillTime { at, latest: None, .. }) if left(at, now) <= thresholds.full_within.0 => {
            Role::Warning
        }
        Outlook::Ends(at) => soon(at, thresholds.expires_within.0),
        Outlook::Unclear { .. } | Outlook::NeedsHistory { .. } => Role::Pending,
        Outlook::Unknown => Role::Unknown,
        Outlook::WithoutLimit => Role::Muted,
        Outlook::Fills(_) | Outlook::NotWithin(_) | Outlook::Steady | Outlook::Falling => Role::Healthy,
    }
}

/// The queries for all resources.
pub fn wants(shared: &Shared) -> Vec<Want> {
    let asked = shared.answering(AskKind::Capacity);
    asked.map(|source| want::of(shared, &source.id, Query::Capacity)).collect()
}

/// The texts of an empty list of resources if a source or an answer is missing.
pub const LACK: EmptyState = EmptyState {
    kinds: &[AskKind::Capacity],
    no_source: ("No source of resources: add", "."),
    source: "source",
    loading: "the usage of resources over four weeks",
    one: Some("resource"),
};

impl Item for CapacityKey {
    /// The page of the resource; of an error budget, the page of its SLO.
    fn place(&self, shared: &Shared) -> Option<Place> {
        let reading = shared.world.capacity_of(self)?;
        if reading.query.is_empty() {
            let its = |status: &&SloStatus| {
                status.source == self.source
                    && (status.slo.id == self.part || self.part.starts_with(&format!("{} ", status.slo.id)))
            };
            return shared.world.slos().iter().find(its).map(|status| Place::Slo(SloKey::of(status)));
        }
        Some(Place::Resource(self.clone()))
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        let names = chosen.into_iter().map(|key| key.service).filter(|name| !name.is_empty());
        Selection::Services(crate::app::selection::once(names)).or_nothing()
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        shared.world.capacity_of(self).map(|reading| sentence(reading, now))
    }

    fn runbooks(&self, _shared: &Shared) -> Vec<RunbookQuery> {
        let name = Some(&self.service).filter(|name| !name.is_empty());
        name.map(super::runbook::of_service).into_iter().collect()
    }
}

/// `ledger: disk /data on web-17, 390 GiB of 500 GiB, full in 3d4h (2d-6d)`
pub fn sentence(reading: &CapacityReading, now: Timestamp) -> String {
    let service =
        if reading.key.service.is_empty() { String::new() } else { format!("{}: ", reading.key.service) };
    let amounts = Some(reading.amounts()).filter(|words| !words.is_empty());
    let amounts = amounts.map(|words| format!(", {words}")).unwrap_or_default();
    format!("{service}{}{amounts}, {}", reading.title(), verdict(reading, now))
}

/// The outlook as part of a sentence: `full in 3d4h (2d-6d)`, `ends in 6d`, `does not grow`.
pub fn verdict(reading: &CapacityReading, now: Timestamp) -> String {
    let words = reading.outlook.words(now);
    match reading.outlook {
        Outlook::Fills(_) => format!("full in {words}"),
        Outlook::Ends(at) if at > now => format!("ends in {words}"),
        Outlook::NotWithin(_) => format!("{words} full"),
        Outlook::Unclear { .. } => format!("growth {words}"),
        Outlook::Full
        | Outlook::Ends(_)
        | Outlook::Steady
        | Outlook::Falling
        | Outlook::NeedsHistory { .. }
        | Outlook::Unknown
        | Outlook::WithoutLimit => words,
    }
}
