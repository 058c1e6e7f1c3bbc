//! The simulation's numbers in the shape of the answers of a Prometheus.

use std::sync::Arc;
use std::time::Duration;

use crate::model::host::{self, Host, Usage};
use crate::model::labels::{Labels, Text};
use crate::model::series::{Line, Matrix, Span};
use crate::model::service::{Detail, DownTarget, Reading, ServiceBoard, Targets, Trends};
use crate::model::signal::Unknowns;

use super::book::Region;
use super::noise::{P50, P95, P99};
use super::timeline::Timeline;
use super::world::{DemoWorld, Place};

/// Over how long rates are taken.
const LOOKBACK: Duration = Duration::from_secs(60);

/// Upper bounds of the latency buckets, in seconds, as they are written; the last one is without bound.
const BUCKETS: [(&str, f64); 16] = [
    ("0.0005", 0.0005),
    ("0.001", 0.001),
    ("0.0025", 0.0025),
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2.5", 2.5),
    ("5", 5.0),
    ("7.5", 7.5),
    ("10", 10.0),
    ("+Inf", f64::INFINITY),
];

impl DemoWorld {
    /// The services of a region.
    pub(super) fn services(&self, region: Region, t: f64) -> ServiceBoard {
        let readings = self.watched(region).map(|place| self.reading(place, t)).collect();
        ServiceBoard { readings, lookback: LOOKBACK }
    }

    fn reading(&self, place: &Place, t: f64) -> Reading {
        let service = &place.service;
        let down: Vec<DownTarget> = self
            .down(place, t)
            .map(|pod| DownTarget { instance: place.instance(pod).into(), job: place.name.clone() })
            .collect();
        let missing = u32::try_from(down.len()).unwrap_or(u32::MAX);
        Reading {
            name: place.name.clone(),
            labels: Labels::from_iter([
                ("team", service.team.as_str()),
                ("tier", &service.tier),
                ("namespace", &service.namespace),
                ("region", place.region.name()),
                ("version", self.version(place, t)),
            ]),
            signals: self.signals(place, t),
            targets: Targets { up: service.pods.saturating_sub(missing), total: service.pods, down },
            hosts: self.hosts(place, t),
            ..Reading::default()
        }
    }

    /// Its resources, as of the service as a whole.
    fn hosts(&self, place: &Place, t: f64) -> Arc<[Host]> {
        let usages = self.resources(place, t).into_iter().map(|(resource, ratio)| Usage {
            resource: resource.into(),
            part: Text::default(),
            ratio,
        });
        let mut hosts = [Host { usages: usages.collect(), ..Host::default() }];
        host::order(&mut hosts);
        Arc::new(hosts)
    }

    /// Short histories of the services of a region.
    pub(super) fn trends(&self, region: Region, span: Span, clock: &Timeline) -> Trends {
        let lines = |value: &dyn Fn(&Place, f64) -> Option<f64>| {
            let each = self.watched(region).map(|place| Line {
                labels: Labels::from_iter([("service", &place.name)]),
                values: over(span, clock, |t| value(place, t)),
            });
            matrix(span, each.collect())
        };
        Trends {
            request_rate: lines(&|place, t| Some(self.rate(place, t))),
            error_ratio: lines(&|place, t| self.errors(place, t)),
            p95: lines(&|place, t| Some(self.latency(place, t)?.quantile(P95))),
        }
    }

    /// The signals of one service over time; without lines if the region does not run it.
    pub(super) fn detail(&self, service: &str, region: Region, span: Span, clock: &Timeline) -> Detail {
        let Some(place) = self.place(service, region) else {
            let none = || Matrix::empty(span);
            return Detail {
                request_rate: none(),
                error_ratio: none(),
                latency: none(),
                saturation: none(),
                buckets: none(),
                unknown: Unknowns::default(),
            };
        };
        let one = |value: &dyn Fn(f64) -> Option<f64>| {
            matrix(span, vec![Line { labels: Labels::default(), values: over(span, clock, value) }])
        };
        let quantiles = [P50, P95, P99].map(|quantile| Line {
            labels: Labels::from_iter([("quantile", quantile.name)]),
            values: over(span, clock, |t| Some(self.latency(place, t)?.quantile(quantile))),
        });
        let resources = place.service.resources.keys().map(|name| Line {
            labels: Labels::from_iter([("resource", name)]),
            values: over(span, clock, |t| self.resource(place, name, t)),
        });
        Detail {
            request_rate: one(&|t| Some(self.rate(place, t))),
            error_ratio: one(&|t| self.errors(place, t)),
            latency: matrix(span, quantiles.into()),
            saturation: matrix(span, resources.collect()),
            buckets: self.buckets(place, span, clock),
            unknown: Unknowns::default(),
        }
    }

    fn buckets(&self, place: &Place, span: Span, clock: &Timeline) -> Matrix {
        let mut lower = 0.0;
        let lines = BUCKETS.map(|(name, upper)| {
            let values = over(span, clock, |t| {
                let latency = self.latency(place, t)?;
                let share = latency.below(upper) - if lower > 0.0 { latency.below(lower) } else { 0.0 };
                Some(self.rate(place, t) * share.max(0.0))
            });
            lower = upper;
            Line { labels: Labels::from_iter([("le", name)]), values }
        });
        matrix(span, lines.into())
    }
}

/// A value for each point of the span, NaN where there is none.
fn over(span: Span, clock: &Timeline, value: impl Fn(f64) -> Option<f64>) -> Vec<f64> {
    (0..span.count()).map(|i| value(clock.demo(span.at(i))).unwrap_or(f64::NAN)).collect()
}

/// The lines that have any value, in the order of their labels.
fn matrix(span: Span, mut lines: Vec<Line>) -> Matrix {
    lines.retain(|line| line.values.iter().any(|value| value.is_finite()));
    lines.sort_by(|a, b| a.labels.cmp(&b.labels));
    Matrix { span, lines }
}
