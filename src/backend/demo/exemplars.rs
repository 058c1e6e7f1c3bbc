//! Exemplars: single requests with the ids of their traces, as a histogram of a client library keeps them.

use promql_parser::parser::VectorSelector;
use serde_json::{Value, json};

use super::promql::{is_chosen, written};
use super::requests::TraceKey;
use super::sampling::bounds;
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
        let key = TraceKey::at(place, second)?;
        let request = self.world.request(key)?;
        let value =
            |name: &'static str| Some((name, place.breakdown.label(request.cell, request.version, name)?));
        let own = super::breakdown::CELL_LABELS.into_iter().filter_map(value);
        let own = own.filter(|(_, value): &(&str, &Text)| !value.is_empty());
        let le = bounds().find(|bound| request.seconds <= *bound).map_or_else(|| "+Inf".to_owned(), written);
        let labels = place.labels.with_strs(own).with_strs([("__name__", HISTOGRAM), ("le", &le)]);
        let exemplar = json!({
            "labels": { "trace_id": format!("{:032x}", request.id), "span_id": format!("{:016x}", request.span_id()) },
            "value": written(request.seconds),
            "timestamp": (request.ended * 1000.0).round() / 1000.0,
        });
        Some((labels, exemplar))
    }
}
