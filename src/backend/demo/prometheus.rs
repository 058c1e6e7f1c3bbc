//! The simulated Prometheus server of a region.

use std::future::ready;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use reqwest::Request;
use serde_json::{Map, Value, json};

use self::metadata::MetadataRequest;
use super::catalog::Catalog;
use super::exchange::{self, ParsedRequest, RefusedRequest, VERSION};
use super::fixtures::Region;
use super::promql::{self, WindowSamples, written};
use super::rules::DemoRule;
use super::sampling::SCRAPE;
use super::series::RegionSeries;
use super::world::DemoWorld;
use crate::backend::{Clock, LocalServer, Receiving};
use crate::model::alert::Alert;
use crate::model::labels::Labels;
use crate::model::promql::parse;

/// The maximum number of points in a range query.
const POINTS: f64 = 11_000.0;

mod metadata;

pub(super) struct PrometheusServer {
    world: Arc<DemoWorld>,
    region: Region,
    clock: Clock,
    catalog: OnceLock<Catalog>,
}

impl LocalServer for PrometheusServer {
    fn answer(&self, request: Request) -> Receiving<'_> {
        let now = self.clock.now();
        let (status, body) =
            self.respond(&ParsedRequest::of(&request), now).unwrap_or_else(|(status, error)| {
                (status, json!({ "status": "error", "errorType": "bad_data", "error": error }))
            });
        Box::pin(ready(Ok(exchange::answer(status, &body, now))))
    }
}

impl PrometheusServer {
    pub(super) fn new(world: Arc<DemoWorld>, region: Region, clock: Clock) -> Self {
        Self { world, region, clock, catalog: OnceLock::new() }
    }

    /// The response to one request.
    fn respond(&self, asked: &ParsedRequest, now: Timestamp) -> Result<(u16, Value), RefusedRequest> {
        let series = self.series();
        let about = MetadataRequest { asked, series: &series, now };
        let (data, is_cut) = match asked.path().as_slice() {
            ["api", "v1", "labels"] => about.labels()?,
            ["api", "v1", "label", name, "values"] => about.values(name)?,
            ["api", "v1", "series"] => about.series()?,
            ["api", "v1", "metadata"] => about.metadata()?,
            ["api", "v1", "query_exemplars"] => about.exemplars()?,
            _ => (self.data(asked, now)?, false),
        };
        let mut body = json!({ "status": "success", "data": data });
        if is_cut && let Some(body) = body.as_object_mut() {
            body.insert("warnings".to_owned(), json!(["results truncated due to limit"]));
        }
        Ok((200, body))
    }

    /// The data of the response to one of the other requests.
    fn data(&self, asked: &ParsedRequest, now: Timestamp) -> Result<Value, RefusedRequest> {
        Ok(match asked.path().as_slice() {
            ["api", "v1", "query"] => self.query(asked, now)?,
            ["api", "v1", "query_range"] => self.range(asked)?,
            ["api", "v1", "rules"] => self.rules(asked, now),
            ["api", "v1", "targets"] => self.targets(now),
            ["api", "v1", "status", "buildinfo"] => {
                json!({ "version": VERSION, "revision": "demo", "branch": "demo", "goVersion": "none" })
            }
            ["api", "v1", "status", "config"] => {
                json!({ "yaml": format!("global:\n  scrape_interval: {SCRAPE}s\n  evaluation_interval: {SCRAPE}s\n") })
            }
            _ => return Err((404, "404 page not found".to_owned())),
        })
    }

    fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| Catalog::of(&self.world, self.region))
    }

    fn series(&self) -> RegionSeries<'_> {
        RegionSeries::new(&self.world, self.catalog())
    }

    /// Answers an instant query.
    fn query(&self, asked: &ParsedRequest, now: Timestamp) -> Result<Value, RefusedRequest> {
        let expr =
            parse(asked.parameter("query").unwrap_or_default()).map_err(|error| (400, error.to_string()))?;
        let t = match asked.parameter("time") {
            Some(_) => seconds(asked, "time")?,
            None => now.as_millisecond() as f64 / 1000.0,
        };
        let value = promql::instant(&self.series(), &expr, t).map_err(|error| (422, error))?;
        let point = |value: f64| json!([t, written(value)]);
        Ok(match value {
            promql::Evaluated::Scalar(values) => {
                json!({ "resultType": "scalar", "result": point(values.first().copied().unwrap_or(f64::NAN)) })
            }
            promql::Evaluated::Text(text) => json!({ "resultType": "string", "result": [t, text] }),
            promql::Evaluated::Lines(lines) => {
                let reported = lines.iter().filter_map(|line| {
                    let value = line.values.first().copied().flatten()?;
                    Some(json!({ "metric": pairs(&line.labels), "value": point(value) }))
                });
                json!({ "resultType": "vector", "result": reported.collect::<Vec<_>>() })
            }
            promql::Evaluated::Samples(all) => {
                let reported =
                    all.iter().map(|WindowSamples { labels, points }| matrix(labels, points.iter().copied()));
                json!({ "resultType": "matrix", "result": reported.collect::<Vec<_>>() })
            }
        })
    }

    /// Answers a range query.
    fn range(&self, asked: &ParsedRequest) -> Result<Value, RefusedRequest> {
        let expr =
            parse(asked.parameter("query").unwrap_or_default()).map_err(|error| (400, error.to_string()))?;
        let [start, end, step] = ["start", "end", "step"].map(|name| seconds(asked, name));
        let (start, end, step) = (start?, end?, step?);
        if step <= 0.0 || end < start || (end - start) / step > POINTS {
            let error =
                "exceeded maximum resolution of 11,000 points per timeseries, or zero or negative times";
            return Err((400, error.to_owned()));
        }
        let mut times = Vec::new();
        while start + times.len() as f64 * step <= end {
            times.push(start + times.len() as f64 * step);
        }
        let lines = promql::range(&self.series(), &expr, &times).map_err(|error| (422, error))?;
        let reported = lines.iter().map(|line| {
            let points = times.iter().zip(&line.values).filter_map(|(t, value)| Some((*t, (*value)?)));
            matrix(&line.labels, points)
        });
        Ok(json!({ "resultType": "matrix", "result": reported.collect::<Vec<_>>() }))
    }

    /// Answers a request for alerting rules, in their groups.
    fn rules(&self, asked: &ParsedRequest, now: Timestamp) -> Value {
        let t = self.world.time.demo(now);
        let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
        let is_wanted = asked.parameter("type").is_none_or(|kind| kind == "alert");
        for rule in self.world.rules_of(self.region).filter(|_| is_wanted) {
            let reported = self::rule(rule, &self.world.alerts_by(rule, t));
            match groups.iter_mut().find(|(name, _)| *name == &*rule.shown.group) {
                Some((_, rules)) => rules.push(reported),
                None => groups.push((&*rule.shown.group, vec![reported])),
            }
        }
        let groups = groups.into_iter().map(|(name, rules)| {
            json!({ "name": name, "file": "demo.yml", "interval": self.world.time.evaluations(), "rules": rules })
        });
        json!({ "groups": groups.collect::<Vec<_>>() })
    }

    /// The scrape targets at this time.
    fn targets(&self, now: Timestamp) -> Value {
        let t = self.world.time.demo(now);
        let each = self.world.services_in(self.region).flat_map(|place| {
            let (version, down) = (self.world.version(place, t), self.world.down(place, t));
            (0..place.service.pods).map(move |pod| {
                json!({
                    "labels": pairs(&place.pod_labels(pod, version)),
                    "scrapePool": &*place.name,
                    "scrapeUrl": format!("http://{}/metrics", place.instance(pod)),
                    "health": if down.contains(&pod) { "down" } else { "up" },
                    "scrapeInterval": format!("{SCRAPE}s"),
                })
            })
        });
        json!({ "activeTargets": each.collect::<Vec<_>>(), "droppedTargets": [] })
    }
}

/// Renders a rule with its alerts as JSON.
fn rule(rule: &DemoRule, alerts: &[Alert]) -> Value {
    let shown = &rule.shown;
    let state = match alerts {
        [] => "inactive",
        some if some.iter().any(Alert::is_firing) => "firing",
        _ => "pending",
    };
    let reported = alerts.iter().map(|alert| {
        // the start of the condition: the alert fires later, by the rule's `for`
        let hold = if alert.is_firing() { shown.hold } else { std::time::Duration::ZERO };
        json!({
            "labels": pairs(&alert.labels),
            "annotations": pairs(&alert.annotations),
            "state": if alert.is_firing() { "firing" } else { "pending" },
            "activeAt": alert.starts_at.saturating_sub(hold).unwrap_or(alert.starts_at).to_string(),
            "value": written(alert.value.unwrap_or(f64::NAN)),
        })
    });
    json!({
        "type": "alerting",
        "name": &*shown.name,
        "query": &*shown.expr,
        "duration": shown.hold.as_secs_f64(),
        "labels": pairs(&shown.labels),
        "annotations": pairs(&shown.annotations),
        "alerts": reported.collect::<Vec<_>>(),
        "health": "ok",
        "state": state,
    })
}

/// A parameter in seconds: a number, or a time in RFC 3339.
fn seconds(asked: &ParsedRequest, name: &str) -> Result<f64, RefusedRequest> {
    let text = asked.parameter(name).unwrap_or_default();
    let moment = || Some(text.parse::<Timestamp>().ok()?.as_millisecond() as f64 / 1000.0);
    let number = text.parse::<f64>().ok().or_else(moment).filter(|number| number.is_finite());
    number.ok_or_else(|| {
        (400, format!("invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"))
    })
}

pub(super) fn pairs(labels: &Labels) -> Map<String, Value> {
    labels.iter().map(|(name, value)| (name.to_string(), Value::from(&**value))).collect()
}

fn matrix(labels: &Labels, points: impl Iterator<Item = (f64, f64)>) -> Value {
    let values: Vec<Value> = points.map(|(t, value)| json!([t, written(value)])).collect();
    json!({ "metric": pairs(labels), "values": values })
}
