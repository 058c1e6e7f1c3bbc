//! Exemplars: single requests with the ids of their traces, as a histogram of a client library keeps them.

use promql_parser::parser::VectorSelector;
use serde_json::{Value, json};

use super::catalog::bounds;
use super::noise::{mix, mix_text, unit};
use super::promql::{is_chosen, written};
use super::rollout::VersionOf;
use super::series::RegionSeries;
use super::world::ServiceInRegion;
use crate::model::labels::{Labels, Text};

/// The histogram that has exemplars.
const HISTOGRAM: &str = "http_request_duration_seconds_bucket";
/// The distance between the exemplars of a service in seconds, and the most of them in one answer.
const EVERY: f64 = 20.0;
const MOST: usize = 60;

impl RegionSeries<'_> {
    /// The exemplars of the series that match one of the selectors, between two Unix times, as the API returns them.
    pub(super) fn exemplars(&self, selectors: &[VectorSelector], (from, to): (f64, f64)) -> Value {
        let mut all: Vec<(Labels, Vec<Value>)> = Vec::new();
        let families = self.catalog.families.get(HISTOGRAM).into_iter().flatten();
        let mut places: Vec<usize> = families.map(|family| family.place).collect();
        places.dedup();
        for place in places.into_iter().filter_map(|place| self.world.places.get(place)) {
            let newest = (to / EVERY).floor();
            let times = (0..MOST).map(|back| (newest - back as f64) * EVERY).take_while(|t| *t >= from);
            for second in times {
                let Some((labels, exemplar)) = self.exemplar(place, second) else { continue };
                if !selectors.iter().any(|selector| is_chosen(&labels, selector)) {
                    continue;
                }
                match all.iter_mut().find(|(known, _)| *known == labels) {
                    Some((_, exemplars)) => exemplars.insert(0, exemplar),
                    None => all.push((labels, vec![exemplar])),
                }
            }
        }
        let series = all.into_iter().map(|(labels, exemplars)| {
            json!({ "seriesLabels": super::prometheus::pairs(&labels), "exemplars": exemplars })
        });
        series.collect()
    }

    /// The labels of a bucket, and a request in it.
    fn exemplar(&self, place: &ServiceInRegion, second: f64) -> Option<(Labels, Value)> {
        let key = mix(mix_text(place.key, "exemplar"), second.to_bits());
        let t = self.world.time.demo_second(second);
        let latency = self.numbers(place, t).latency?;
        let seconds = latency.at_share(unit(mix(key, 1)));
        let cells = &place.breakdown.cells;
        let pick = usize::try_from(mix(key, 2)).ok()? % cells.len();
        let cell = cells.get(pick)?;
        let version = self.world.version_number(place, VersionOf::Pod(u32::try_from(cell.pod).ok()?), t);
        let value = |name: &'static str| Some((name, place.breakdown.label(cell, version, name)?));
        let own = super::breakdown::CELL_LABELS.into_iter().filter_map(value);
        let own = own.filter(|(_, value): &(&str, &Text)| !value.is_empty());
        let le = bounds().find(|bound| seconds <= *bound).map_or_else(|| "+Inf".to_owned(), written);
        let labels = place.labels.with_strs(own).with_strs([("__name__", HISTOGRAM), ("le", &le)]);
        let trace = format!("{:016x}{:016x}", mix(key, 3), mix(key, 4));
        let moment = second - EVERY * unit(mix(key, 5));
        let exemplar = json!({
            "labels": { "trace_id": trace, "span_id": format!("{:016x}", mix(key, 6)) },
            "value": written(seconds),
            "timestamp": (moment * 1000.0).round() / 1000.0,
        });
        Some((labels, exemplar))
    }
}
