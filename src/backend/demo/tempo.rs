//! The simulated Tempo: the traces of both regions.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::Arc;

use reqwest::Request;
use serde_json::{Value, json};

use super::breakdown::ServiceRoute;
use super::exchange::{self, ParsedRequest, RefusedRequest, VERSION};
use super::fixtures::Region;
use super::requests::{RequestFailure, TRACES, TraceKey, nanos};
use super::spans::DemoSpan;
use super::world::{DemoWorld, ServiceInRegion};
use crate::backend::{Clock, LocalServer, Receiving};

/// The traces that a search without a limit returns.
const LIMIT: usize = 20;
/// A search looks at no more traces, the newest ones of its range.
const MOST: usize = 2_500;
/// Of the services around the one that is searched for, one in so many traces is looked at.
const AROUND: u64 = 3;

/// From this error ratio on, a search for failures finds one of each moment.
const FAILING: f64 = 0.01;

pub(super) struct TempoServer {
    world: Arc<DemoWorld>,
    clock: Clock,
}

/// The conditions of a search in `TraceQL`.
#[derive(Debug, Default, PartialEq)]
struct TraceQuery {
    service: Option<String>,
    /// The shortest duration, in nanoseconds.
    minimum: i64,
    has_error: bool,
}

impl TraceQuery {
    fn parse(query: &str) -> Result<Self, RefusedRequest> {
        let refused = |what: &str| {
            (400, format!("invalid TraceQL query: parse error at line 1, col 1: syntax error: {what}"))
        };
        let inside = query.trim().strip_prefix('{').and_then(|query| query.strip_suffix('}'));
        let mut search = Self::default();
        for part in inside.ok_or_else(|| refused("expecting {"))?.split("&&").map(str::trim) {
            if part.is_empty() {
                continue;
            }
            let minimum =
                part.strip_prefix("traceDuration >= ").and_then(|minimum| minimum.strip_suffix("ns"));
            let service = part.strip_prefix("resource.service.name = ");
            if let Some(minimum) = minimum {
                search.minimum = minimum.parse().map_err(|_no_number| refused("unexpected duration"))?;
            } else if let Some(service) = service {
                let name =
                    serde_json::from_str(service).map_err(|_no_string| refused("unexpected identifier"))?;
                search.service = Some(name);
            } else if part == "status = error" {
                search.has_error = true;
            } else {
                return Err(refused(&format!("unexpected {part}")));
            }
        }
        Ok(search)
    }

    fn is_of(&self, span: &DemoSpan<'_>) -> bool {
        self.service.as_ref().is_none_or(|service| **service == *span.place.name)
    }
}

impl LocalServer for TempoServer {
    fn answer(&self, request: Request) -> Receiving<'_> {
        let now = self.clock.now();
        let (status, body) = match self.respond(&ParsedRequest::of(&request)) {
            Ok(body) => (200, body),
            Err((status, error)) => (status, Value::from(error)),
        };
        Box::pin(ready(Ok(exchange::answer(status, &body, now))))
    }
}

impl TempoServer {
    pub(super) fn new(world: Arc<DemoWorld>, clock: Clock) -> Self {
        Self { world, clock }
    }

    fn respond(&self, asked: &ParsedRequest) -> Result<Value, RefusedRequest> {
        match asked.path().as_slice() {
            ["api", "status", "buildinfo"] => Ok(json!({ "version": VERSION, "revision": "demo" })),
            ["api", "v2", "traces", id] => {
                let id = u128::from_str_radix(id, 16);
                let id =
                    id.map_err(|_no_id| (400, "trace IDs can only contain hex characters".to_owned()))?;
                let trace = self.trace(id).unwrap_or_else(|| json!({}));
                Ok(json!({ "trace": trace, "metrics": {} }))
            }
            ["api", "search"] => self.search(asked),
            ["api", "v2", "search", "tag", "resource.service.name", "values"] => {
                let names: BTreeSet<&str> = self.world.places.iter().map(|place| &*place.name).collect();
                let value = |name: &str| json!({ "type": "string", "value": name });
                Ok(json!({ "tagValues": names.into_iter().map(value).collect::<Vec<_>>(), "metrics": {} }))
            }
            _ => Err((404, "404 page not found".to_owned())),
        }
    }

    /// A trace in OTLP's JSON.
    fn trace(&self, id: u128) -> Option<Value> {
        let request = self.world.request(self.world.trace_key(id)?)?;
        // a request that has not ended has no trace yet
        if request.ended > self.now() {
            return None;
        }
        let mut processes: BTreeMap<(usize, usize, usize), Vec<DemoSpan<'_>>> = BTreeMap::new();
        for span in self.world.spans(&request) {
            processes.entry((span.place.number, span.pod, span.version)).or_default().push(span);
        }
        let resources = processes.into_values().filter_map(|spans| {
            let first = spans.first()?;
            let resource = resource(first);
            let spans: Vec<Value> = spans.iter().map(|span| otlp_span(span, id)).collect();
            let scope = json!({ "name": "shop.tracing" });
            Some(json!({ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }))
        });
        Some(json!({ "resourceSpans": resources.collect::<Vec<_>>() }))
    }

    fn now(&self) -> f64 {
        self.clock.now().as_microsecond() as f64 / 1e6
    }

    /// The traces that a search finds, the newest first.
    fn search(&self, asked: &ParsedRequest) -> Result<Value, RefusedRequest> {
        let search = TraceQuery::parse(asked.parameter("q").unwrap_or("{}"))?;
        let number = |name: &str, usual: u64| match asked.parameter(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|error| (400, format!("invalid {name}: {error}"))),
        };
        let now = u64::try_from(self.clock.now().as_second()).unwrap_or(0);
        let (start, end) = (number("start", now.saturating_sub(3600))?, number("end", now)?.min(now + 1));
        let limit = number("limit", LIMIT as u64)?;
        let mut found = Vec::new();
        for key in self.keys(&search, (start, end)).take(MOST) {
            if found.len() as u64 >= limit {
                break;
            }
            found.extend(self.summary(key, &search));
        }
        Ok(json!({ "traces": found, "metrics": {} }))
    }

    /// The traces that may have spans of the service, the newest first. Times are in seconds.
    fn keys<'a>(
        &'a self,
        search: &'a TraceQuery,
        (start, end): (u64, u64),
    ) -> impl Iterator<Item = TraceKey> + 'a {
        let mut around: Vec<(usize, u64)> = Vec::new();
        let mut add = |place: &ServiceInRegion, every| {
            if around.iter().all(|(known, _)| *known != place.number) {
                around.push((place.number, every));
            }
        };
        let named = |region| search.service.as_ref().and_then(|name| self.world.place(name, region));
        let its: Vec<&ServiceInRegion> = [Region::Eu, Region::Us].into_iter().filter_map(named).collect();
        for place in &its {
            add(place, 1);
        }
        for place in its {
            let called = place.breakdown.routes.iter().flat_map(ServiceRoute::all_calls);
            for called in called.filter_map(|name| self.world.place(name, place.region)) {
                add(called, AROUND);
            }
            for (caller, _) in self.world.callers_of(place) {
                add(caller, AROUND);
            }
        }
        if search.service.is_none() {
            for place in &self.world.places {
                add(place, AROUND);
            }
        }
        let (first, last) = ((start * 10).div_ceil(TRACES), end * 10 / TRACES);
        (first..=last).rev().flat_map(move |slot| {
            let time = slot * TRACES;
            let its = around.clone().into_iter().filter(move |(_, every)| slot.is_multiple_of(*every));
            its.map(move |(place, _)| TraceKey {
                place,
                time,
                has_failed: search.has_error && self.is_failing(place, time),
            })
        })
    }

    /// Whether so many requests of a service fail that there are failed ones at every moment.
    fn is_failing(&self, place: usize, time: u64) -> bool {
        let t = self.world.time.demo_second(time as f64 / 10.0);
        let errors = self.world.places.get(place).and_then(|place| self.world.errors(place, t));
        errors.is_some_and(|errors| errors > FAILING)
    }

    /// What a search says about a trace; `None` if it does not match.
    fn summary(&self, key: TraceKey, search: &TraceQuery) -> Option<Value> {
        let request = self.world.request(key)?;
        if request.ended > self.now() {
            return None;
        }
        let spans = self.world.spans(&request);
        let is_match =
            |span: &&DemoSpan<'_>| search.is_of(span) && (!search.has_error || span.failure.is_some());
        let matching: Vec<&DemoSpan<'_>> = spans.iter().filter(is_match).collect();
        let root = spans.iter().find(|span| span.parent == 0)?;
        let length = nanos(root.seconds);
        if matching.is_empty() || length < search.minimum {
            return None;
        }
        let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for span in &spans {
            let count = counts.entry(&span.place.name).or_default();
            *count = (count.0 + 1, count.1 + u32::from(span.failure.is_some()));
        }
        let counts: serde_json::Map<String, Value> = counts
            .into_iter()
            .map(|(name, (spans, errors))| {
                (name.to_owned(), json!({ "spanCount": spans, "errorCount": errors }))
            })
            .collect();
        let span = matching.first()?;
        Some(json!({
            "traceID": format!("{:x}", request.id),
            "rootServiceName": &*root.place.name,
            "rootTraceName": root.name,
            "startTimeUnixNano": nanos(root.start).to_string(),
            "durationMs": length / 1_000_000,
            "serviceStats": counts,
            "spanSets": [{
                "matched": matching.len(),
                "spans": [{
                    "spanID": format!("{:016x}", span.id),
                    "startTimeUnixNano": nanos(span.start).to_string(),
                    "durationNanos": nanos(span.seconds).to_string(),
                    "attributes": [],
                }],
            }],
        }))
    }
}

/// An attribute of OTLP.
fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

/// The process of a span.
fn resource(span: &DemoSpan<'_>) -> Value {
    let breakdown = &span.place.breakdown;
    let pod = breakdown.pods.get(span.pod);
    json!({ "attributes": [
        attribute("service.name", &span.place.name),
        attribute("service.version", breakdown.versions.get(span.version).map_or("", |version| version)),
        attribute("k8s.namespace.name", &span.place.service.namespace),
        attribute("k8s.pod.name", pod.map_or("", |pod| &pod.name)),
        attribute("cloud.region", span.place.region.name()),
        attribute("cloud.availability_zone", pod.map_or("", |pod| &pod.zone)),
    ] })
}

fn otlp_span(span: &DemoSpan<'_>, trace: u128) -> Value {
    let (start, end) = (nanos(span.start), nanos(span.start + span.seconds));
    let attributes: Vec<Value> = span.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let parent = if span.parent == 0 { String::new() } else { format!("{:016x}", span.parent) };
    let status = span
        .failure
        .as_ref()
        .map_or_else(|| json!({}), |failure| json!({ "code": 2, "message": failure.said }));
    // an exception is noted where it was thrown, not where its error is passed on
    let event = |failure: &RequestFailure| {
        json!({ "timeUnixNano": end.to_string(), "name": "exception", "attributes": [
            attribute("exception.message", &failure.said),
            attribute("exception.stacktrace", &failure.stack.join("\n")),
        ] })
    };
    let events: Vec<Value> =
        span.failure.iter().filter(|failure| !failure.stack.is_empty()).map(event).collect();
    json!({
        "traceId": format!("{trace:032x}"),
        "spanId": format!("{:016x}", span.id),
        "parentSpanId": parent,
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "events": events,
        "status": status,
    })
}
