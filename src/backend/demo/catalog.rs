//! The time series of a region, with their labels.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::alerts::AlertSeriesKind;
use super::breakdown::CELL_LABELS;
use super::demo_slos::{DemoSlo, LOOKBACKS, WINDOW};
use super::fact_list::facts_of;
use super::facts::FactSeries;
use super::fixtures::{Region, SimulatedNumber, SloObjective};
use super::sampling::{BOUNDS, SeriesPart, bounds};
use super::scenario::Begin;
use super::world::{DemoWorld, ServiceInRegion};
use crate::model::labels::{Labels, Text};
use crate::model::slo;

/// A metric derived from a simulated number: its name, the name of the number, the form of the series, and an additional
/// label.
type DemoMetric = (&'static str, &'static str, SeriesForm, Option<(&'static str, &'static str)>);

/// Metrics of resource utilisation.
const RESOURCES: [DemoMetric; 8] = [
    ("queue_messages_ready", "queue", SeriesForm::Times(1000.0), None),
    ("queue_messages_limit", "queue", SeriesForm::Always(1000.0), None),
    ("pg_stat_activity_count", "connections", SeriesForm::Times(200.0), None),
    ("pg_settings_max_connections", "connections", SeriesForm::Always(200.0), None),
    ("container_memory_working_set_bytes", "memory", SeriesForm::Times(2_147_483_648.0), None),
    ("container_spec_memory_limit_bytes", "memory", SeriesForm::Always(2_147_483_648.0), None),
    ("container_cpu_usage_seconds_total", "cpu", SeriesForm::Grows(4.0), None),
    ("kube_pod_container_resource_limits", "cpu", SeriesForm::Always(4.0), Some(("resource", "cpu"))),
];

/// Metrics of other numbers that rules use.
const GAUGES: [DemoMetric; 8] = [
    ("kubelet_volume_stats_available_bytes", "volume_free", SeriesForm::Times(107_374_182_400.0), VOLUME),
    ("kubelet_volume_stats_capacity_bytes", "volume_free", SeriesForm::Always(107_374_182_400.0), VOLUME),
    (
        "probe_ssl_earliest_cert_expiry",
        "cert_days",
        SeriesForm::Ahead(86_400.0),
        Some(("hostname", "www.shop.example")),
    ),
    ("node_disk_io_time_weighted_seconds_total", "disk_wait", SeriesForm::Grows(100.0), POD),
    ("node_disk_writes_completed_total", "disk_wait", SeriesForm::GrowsEvenly(100.0), POD),
    (
        "kafka_consumergroup_lag",
        "consumer_lag",
        SeriesForm::Times(1.0),
        Some(("consumergroup", "%service%-events")),
    ),
    ("pg_replication_lag_seconds", "replication_lag", SeriesForm::Times(1.0), None),
    ("backup_last_success_timestamp_seconds", "backup_age_hours", SeriesForm::Ahead(-3600.0), None),
];
const VOLUME: Option<(&str, &str)> = Some(("persistentvolumeclaim", "data-%service%-0"));
const POD: Option<(&str, &str)> = Some(("pod", "%pod%"));

/// How the values of a series are derived from a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum SeriesForm {
    Times(f64),
    /// A constant, for example the limit of the resource.
    Always(f64),
    /// A Unix time: the number, multiplied by this, in seconds from now.
    Ahead(f64),
    /// A counter that grows by the number, multiplied by this, per second.
    Grows(f64),
    /// A counter that grows by this much per second.
    GrowsEvenly(f64),
}

/// What a series represents.
#[derive(Debug)]
pub(super) enum SeriesKind {
    /// `up` of a pod while it runs this version.
    Up {
        pod: u32,
        /// An index of the service's versions.
        version: usize,
    },
    /// A counter of requests.
    Requests(SeriesPart),
    Number(SimulatedNumber, SeriesForm),
    /// The ratio of bad events over this many seconds.
    Recorded {
        bad_event: SloObjective,
        lookback: f64,
    },
    Constant(f64),
    Fact(FactSeries),
    /// An alert of the rule with this index. `is_standing`: a background event that lasts for hours or for ever, not a
    /// chapter.
    Alert {
        rule: usize,
        pod: u32,
        shows: AlertSeriesKind,
        is_standing: bool,
    },
}

/// One series of the catalog.
#[derive(Debug)]
pub(super) struct CatalogSeries {
    pub(super) labels: Labels,
    /// The index of the service in the world; `None` for alerts without a service.
    pub(super) place: Option<usize>,
    pub(super) what: SeriesKind,
}

/// One metric of a service, or one bucket of a histogram.
#[derive(Debug)]
pub(super) struct RequestFamily {
    /// The labels that all its series have.
    pub(super) labels: Labels,
    /// The index of the service in the world.
    pub(super) place: usize,
    pub(super) part: SeriesPart,
}

impl RequestFamily {
    /// The labels that only some of its series have.
    pub(super) fn own_labels(&self, place: &ServiceInRegion) -> Vec<&'static str> {
        let code = (self.part.codes().len() > 1).then_some("code");
        CELL_LABELS.into_iter().filter(|name| place.breakdown.has(name)).chain(code).collect()
    }
}

/// All series of a region by metric name.
#[derive(Debug)]
pub(super) struct Catalog {
    region: Region,
    pub(super) series: BTreeMap<Text, Vec<CatalogSeries>>,
    pub(super) families: BTreeMap<Text, Vec<RequestFamily>>,
    /// Those of [`FACT_NAMES`](super::facts::FACT_NAMES), which few queries ask for.
    facts: OnceLock<BTreeMap<Text, Vec<CatalogSeries>>>,
}

impl Catalog {
    /// Creates the series of all services, SLOs and alerts of a region.
    pub(super) fn of(world: &DemoWorld, region: Region) -> Self {
        let mut catalog = Self::empty(region);
        for place in world.services_in(region) {
            catalog.add_targets(place);
            catalog.add_requests(place);
            catalog.add_numbers(place);
            for demo_slo in world.demo_slos.iter().filter(|demo_slo| demo_slo.service() == &*place.name) {
                catalog.add_slo(place, demo_slo);
            }
        }
        catalog.add_alerts(world, region);
        catalog
    }

    fn empty(region: Region) -> Self {
        Self { region, series: BTreeMap::new(), families: BTreeMap::new(), facts: OnceLock::new() }
    }

    /// The series of [`FACT_NAMES`](super::facts::FACT_NAMES).
    pub(super) fn facts(&self, world: &DemoWorld) -> &BTreeMap<Text, Vec<CatalogSeries>> {
        self.facts.get_or_init(|| {
            let mut facts = Self::empty(self.region);
            for place in world.services_in(self.region) {
                for (name, labels, fact) in facts_of(world, place) {
                    facts.add(name, Some(place.number), &labels, &[], SeriesKind::Fact(fact));
                }
            }
            facts.series
        })
    }

    fn add(
        &mut self,
        name: &str,
        place: Option<usize>,
        labels: &Labels,
        more: &[(&str, &str)],
        what: SeriesKind,
    ) {
        let labels = labels.with_strs(more.iter().copied()).with_strs([("__name__", name)]);
        self.series.entry(name.into()).or_default().push(CatalogSeries { labels, place, what });
    }

    /// Adds `up`, for each pod and version.
    fn add_targets(&mut self, place: &ServiceInRegion) {
        for (number, version) in place.versions().enumerate() {
            for pod in 0..place.service.pods {
                let what = SeriesKind::Up { pod, version: number };
                self.add("up", Some(place.number), &place.pod_labels(pod, version), &[], what);
            }
        }
    }

    /// Adds the request counters and the latency histogram.
    fn add_requests(&mut self, place: &ServiceInRegion) {
        let mut add = |name: &str, more: &[(&str, &str)], part| {
            let labels = place.labels.with_strs(more.iter().copied()).with_strs([("__name__", name)]);
            self.families.entry(name.into()).or_default().push(RequestFamily {
                labels,
                place: place.number,
                part,
            });
        };
        if place.service.latency.is_some() {
            for (text, bound) in BOUNDS.iter().zip(bounds()) {
                add("http_request_duration_seconds_bucket", &[("le", text)], SeriesPart::Within(bound));
            }
            add("http_request_duration_seconds_count", &[], SeriesPart::All);
            add("http_request_duration_seconds_sum", &[], SeriesPart::Seconds);
        }
        if place.service.errors.is_some() {
            add("http_requests_total", &[], SeriesPart::Well);
            add("http_requests_total", &[], SeriesPart::Failed);
        } else {
            // a service without an error ratio: its counter has no label for failures
            let what = SeriesKind::Requests(SeriesPart::All);
            self.add("http_server_requests_seconds_count", Some(place.number), &place.labels, &[], what);
        }
    }

    /// Adds the metrics of resources and other numbers.
    fn add_numbers(&mut self, place: &ServiceInRegion) {
        let mut add = |name: &str, more: Option<(&str, &str)>, measure, form| {
            let filled = more.map(|(label, value)| (label, place.filled(value, 0)));
            let more: Vec<(&str, &str)> = filled.iter().map(|(label, value)| (*label, &**value)).collect();
            self.add(name, Some(place.number), &place.labels, &more, SeriesKind::Number(measure, form));
        };
        for resource in place.service.resources.keys() {
            let measure = || SimulatedNumber::Resource(resource.clone());
            add(&format!("{resource}_saturation_ratio"), None, measure(), SeriesForm::Times(1.0));
            for (name, _, form, more) in RESOURCES.iter().filter(|(_, of, ..)| of == resource) {
                add(name, *more, measure(), *form);
            }
        }
        for gauge in place.service.gauges.keys() {
            for (name, _, form, more) in GAUGES.iter().filter(|(_, of, ..)| of == gauge) {
                add(name, *more, SimulatedNumber::Gauge(gauge.clone()), *form);
            }
        }
    }

    /// The recorded series of an SLO, as Sloth's rules write them.
    fn add_slo(&mut self, place: &ServiceInRegion, demo_slo: &DemoSlo) {
        let slo = &demo_slo.slo;
        let objective = slo.objective.ratio_text().parse().unwrap_or(1.0);
        let own = [("sloth_id", &*slo.id), ("sloth_service", &*place.name), ("sloth_slo", &*slo.name)];
        let mut add = |name: &str, more: &[(&str, &str)], what| {
            self.add(name, Some(place.number), &slo.labels, &[&own, more].concat(), what);
        };
        add("slo:objective:ratio", &[], SeriesKind::Constant(objective));
        add("slo:time_period:days", &[], SeriesKind::Constant(WINDOW.as_secs_f64() / 86_400.0));
        let about = [("sloth_mode", "x-demo"), ("sloth_spec", "prometheus/v1"), ("sloth_version", "x-demo")];
        add("sloth_slo_info", &about, SeriesKind::Constant(1.0));
        let is_measured = match demo_slo.bad_event {
            SloObjective::Errors => place.service.errors.is_some(),
            SloObjective::Slower(_) => place.service.latency.is_some(),
        };
        if !is_measured {
            return;
        }
        for lookback in LOOKBACKS.map(Duration::from_secs).into_iter().chain([WINDOW]) {
            let lookback_text = slo::written(lookback);
            let name = format!("slo:sli_error:ratio_rate{lookback_text}");
            let what =
                SeriesKind::Recorded { bad_event: demo_slo.bad_event, lookback: lookback.as_secs_f64() };
            add(&name, &[("sloth_window", &lookback_text)], what);
        }
    }

    /// The series of all alerts that the scenario can cause.
    fn add_alerts(&mut self, world: &DemoWorld, region: Region) {
        for rule in world.rules_of(region) {
            for series in world.series_of(rule) {
                let begins = series.place.map(|place| place.begins(&rule.measure));
                if begins.as_ref().is_some_and(Vec::is_empty) {
                    continue;
                }
                let is_standing = begins.iter().flatten().all(|begin| matches!(begin, Begin::Every { .. }));
                let labels = series.alert_labels();
                let place = series.place.map(|place| place.number);
                let alert =
                    |shows| SeriesKind::Alert { rule: rule.number, pod: series.pod, shows, is_standing };
                self.add(
                    "ALERTS",
                    place,
                    &labels,
                    &[("alertstate", "pending")],
                    alert(AlertSeriesKind::Pending),
                );
                self.add(
                    "ALERTS",
                    place,
                    &labels,
                    &[("alertstate", "firing")],
                    alert(AlertSeriesKind::Firing),
                );
                self.add("ALERTS_FOR_STATE", place, &labels, &[], alert(AlertSeriesKind::Since));
            }
        }
    }
}
