//! The trace of a request: the services that called, the span of the service itself, and those that it called. What makes the
//! request slow or fail has the time or the error, so that a waterfall shows the cause.

use super::breakdown::{RequestCell, ServiceRoute};
use super::noise::{mix, mix_text, unit};
use super::requests::{DemoRequest, RequestFailure, likeliest};
use super::rollout::VersionOf;
use super::scenario::active_effects;
use super::world::{DemoWorld, ServiceInRegion};

/// The longest chain of callers, and of calls.
const DEPTH: usize = 4;
/// The part of its time that a request spends in the call that makes it slow or fail.
const CULPRIT: f64 = 0.92;
/// The most of its time that a request spends in all other calls.
const OTHERS: f64 = 0.6;
/// A request that takes this many times as long as usual is slow for a reason.
const SLOW: f64 = 3.0;
/// The time of a request and its answer on the network, in seconds.
const NETWORK: f64 = 0.0004;

/// One span.
#[derive(Debug, Clone)]
pub(super) struct DemoSpan<'a> {
    pub(super) id: u64,
    /// Zero for the root.
    pub(super) parent: u64,
    pub(super) place: &'a ServiceInRegion,
    pub(super) pod: usize,
    pub(super) version: usize,
    pub(super) name: String,
    pub(super) kind: SpanRole,
    /// Unix seconds.
    pub(super) start: f64,
    pub(super) seconds: f64,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) failure: Option<RequestFailure>,
}

/// The role of a span in a call, with the number of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanRole {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// The work of one service on a request.
struct ServedRequest<'a> {
    place: &'a ServiceInRegion,
    cell: &'a RequestCell,
    version: usize,
    id: u64,
    parent: u64,
    start: f64,
    seconds: f64,
    failure: Option<RequestFailure>,
}

/// A call by one service of another one.
struct MadeCall<'a> {
    /// The pod and the version of the caller.
    caller: (&'a ServiceInRegion, usize, usize),
    server: &'a ServiceInRegion,
    parent: u64,
    key: u64,
    start: f64,
    seconds: f64,
    failure: Option<RequestFailure>,
}

/// Builds a trace.
struct SpanBuilder<'a> {
    world: &'a DemoWorld,
    request: &'a DemoRequest<'a>,
    spans: Vec<DemoSpan<'a>>,
}

impl DemoWorld {
    /// The spans of the trace of a request, in no order.
    pub(super) fn spans<'a>(&'a self, request: &'a DemoRequest<'a>) -> Vec<DemoSpan<'a>> {
        let mut builder = SpanBuilder { world: self, request, spans: Vec::new() };
        let parent = builder.callers();
        let DemoRequest { place, cell, version, seconds, failure, .. } = request;
        let served = ServedRequest {
            place,
            cell,
            version: *version,
            id: request.span_id(),
            parent,
            start: request.started(),
            seconds: *seconds,
            failure: failure.clone(),
        };
        builder.serve(&served, DEPTH);
        builder.spans
    }

    /// The services of a region that call a service, with the routes that do.
    pub(super) fn callers_of(&self, place: &ServiceInRegion) -> Vec<(&ServiceInRegion, usize)> {
        let routes = self.services_in(place.region).flat_map(|caller| {
            let routes = caller.breakdown.routes.iter().enumerate();
            routes.filter(|(_, route)| route.calls(&place.name)).map(move |(number, _)| (caller, number))
        });
        routes.collect()
    }
}

impl ServiceRoute {
    /// Its name as a span has it: `POST /charges`.
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path).trim().to_owned()
    }
}

/// Whether a service has no spans of its own: databases and caches are only seen by those that call them.
fn is_store(place: &ServiceInRegion) -> Option<&'static str> {
    [("postgres-", "postgresql"), ("redis-", "redis")]
        .into_iter()
        .find_map(|(prefix, system)| place.name.starts_with(prefix).then_some(system))
}

/// A span of a service that answers, without its times.
fn answering<'a>(place: &'a ServiceInRegion, cell: &RequestCell, version: usize) -> DemoSpan<'a> {
    let route = place.breakdown.routes.get(cell.route);
    let name = route.map(ServiceRoute::name).filter(|name| !name.is_empty());
    let attributes = route.filter(|route| !route.path.is_empty()).map_or_else(Vec::new, |route| {
        vec![("http.request.method", route.method.to_string()), ("http.route", route.path.to_string())]
    });
    DemoSpan {
        id: 0,
        parent: 0,
        place,
        pod: cell.pod,
        version,
        name: name.unwrap_or_else(|| format!("{}/Handle", place.name)),
        kind: SpanRole::Server,
        start: 0.0,
        seconds: 0.0,
        attributes,
        failure: None,
    }
}

/// A span of a service that calls another one, without its times.
fn calling<'a>(
    (place, pod, version): (&'a ServiceInRegion, usize, usize),
    server: &ServiceInRegion,
) -> DemoSpan<'a> {
    let (name, attributes) = match is_store(server) {
        Some("redis") => ("GET".to_owned(), vec![("db.system", "redis".to_owned())]),
        Some(system) => {
            let table = server.name.rsplit('-').next().unwrap_or_default();
            let query = format!("SELECT * FROM {table} WHERE id = $1");
            (format!("SELECT {table}"), vec![("db.system", system.to_owned()), ("db.query.text", query)])
        }
        None => (format!("call {}", server.name), Vec::new()),
    };
    let peer = [
        ("peer.service", server.name.to_string()),
        ("server.address", format!("{}.{}", server.name, server.service.namespace)),
    ];
    DemoSpan {
        id: 0,
        parent: 0,
        place,
        pod,
        version,
        name,
        kind: SpanRole::Client,
        start: 0.0,
        seconds: 0.0,
        attributes: attributes.into_iter().chain(peer).collect(),
        failure: None,
    }
}

impl<'a> SpanBuilder<'a> {
    /// Adds the spans of those that called the service; returns the id of the one that called it directly, or zero.
    fn callers(&mut self) -> u64 {
        let request = self.request;
        let (mut place, mut start, mut seconds) = (request.place, request.started(), request.seconds);
        let mut failure = request.failure.clone();
        let mut chain: Vec<DemoSpan<'a>> = Vec::new();
        for depth in 0..DEPTH {
            let all = self.world.callers_of(place);
            let key = mix(request.key, 40 + depth as u64);
            let Some((caller, route)) =
                usize::try_from(key).ok().and_then(|key| all.get(key.checked_rem(all.len())?).copied())
            else {
                break;
            };
            let routes = caller.breakdown.routes.len().max(1);
            let pod = usize::try_from(mix(key, 1)).unwrap_or(0) % caller.breakdown.pods.len().max(1);
            let Some(cell) = caller.breakdown.cells.get(pod * routes + route) else { break };
            let version = self.version(caller, cell);
            failure = failure.map(|failure| RequestFailure {
                said: format!("upstream {}: {}", place.name, failure.code),
                code: "503".to_owned(),
                from: Some(place.name.to_string()),
                stack: Vec::new(),
            });
            let own = caller.service.latency.unwrap_or(0.01);
            let (before, after) =
                (own * (0.1 + 0.4 * unit(mix(key, 2))), own * (0.05 + 0.1 * unit(mix(key, 3))));
            let called = (caller, cell.pod, version);
            let client = DemoSpan {
                id: mix(key, 4).max(1),
                start: start - NETWORK,
                seconds: seconds + 2.0 * NETWORK,
                failure: failure.clone(),
                ..calling(called, place)
            };
            (start, seconds) = (client.start - before, client.seconds + before + after);
            let server = DemoSpan {
                id: mix(key, 5).max(1),
                start,
                seconds,
                failure: failure.clone(),
                ..answering(caller, cell, version)
            };
            chain.push(client);
            chain.push(server);
            place = caller;
        }
        // each span is a child of the next one
        let parents: Vec<u64> = chain.iter().skip(1).map(|span| span.id).chain([0]).collect();
        let direct = chain.first().map_or(0, |span| span.id);
        self.spans.extend(chain.into_iter().zip(parents).map(|(span, parent)| DemoSpan { parent, ..span }));
        direct
    }

    fn version(&self, place: &ServiceInRegion, cell: &RequestCell) -> usize {
        let pod = u32::try_from(cell.pod).unwrap_or(0);
        self.world.version_number(place, VersionOf::Pod(pod), self.request.t)
    }

    /// Adds the span of a service and those of what it calls.
    fn serve(&mut self, served: &ServedRequest<'a>, depth: usize) {
        let ServedRequest { place, cell, version, id, parent, start, seconds, failure } = served;
        let span = answering(place, cell, *version);
        let (id, parent, start, seconds) = (*id, *parent, *start, *seconds);
        let code = failure.as_ref().map_or("200", |failure| &failure.code).to_owned();
        let attributes =
            span.attributes.iter().cloned().chain([("http.response.status_code", code)]).collect();
        self.spans.push(DemoSpan {
            id,
            parent,
            start,
            seconds,
            failure: failure.clone(),
            attributes,
            ..span
        });
        if depth == 0 {
            return;
        }
        let route = place.breakdown.routes.get(cell.route);
        let called = route.map_or(&[][..], |route| route.all_calls());
        let servers: Vec<&ServiceInRegion> =
            called.iter().filter_map(|name| self.world.place(name, place.region)).collect();
        let culprit = self.culprit(served);
        let at_fault =
            culprit.as_deref().and_then(|name| servers.iter().position(|server| *server.name == *name));
        let is_own = culprit.is_some() && at_fault.is_none();
        // what the calls take besides the one at fault
        let usual: Vec<f64> = servers
            .iter()
            .map(|server| {
                let share = 0.2 + 0.6 * unit(mix(mix_text(self.request.key, &server.name), 50));
                let numbers = self.world.numbers(server, self.request.t);
                numbers.latency.map_or(0.002, |latency| latency.at_share(share))
            })
            .collect();
        let others: f64 =
            usual.iter().zip(0..).filter(|(_, n)| Some(*n) != at_fault).map(|(usual, _)| usual).sum();
        let free = if culprit.is_some() { seconds * (1.0 - CULPRIT) * OTHERS } else { seconds * OTHERS };
        let shrink = if others > free { free / others } else { 1.0 };
        let mut now = start + seconds * (1.0 - CULPRIT) * 0.2;
        for (number, server) in servers.iter().enumerate() {
            let is_culprit = Some(number) == at_fault;
            let took = if is_culprit {
                seconds * CULPRIT
            } else {
                usual.get(number).copied().unwrap_or(0.0) * shrink
            };
            let failure = failure.as_ref().filter(|_| is_culprit).map(|failure| RequestFailure {
                code: failure.code.clone(),
                from: None,
                said: self.world.trouble_at(server, self.request).unwrap_or_else(|| failure.said.clone()),
                stack: Vec::new(),
            });
            let call = MadeCall {
                caller: (place, cell.pod, *version),
                server,
                parent: id,
                key: mix(id, number as u64),
                start: now,
                seconds: took,
                failure,
            };
            now += took;
            let has_failed = call.failure.is_some();
            self.call(call, depth);
            if has_failed {
                // nothing is called any more
                return;
            }
        }
        if is_own {
            let work = DemoSpan {
                id: mix(id, 77).max(1),
                parent: id,
                name: format!("{} handler", place.name),
                kind: SpanRole::Internal,
                start: now,
                seconds: (start + seconds - now).max(0.0) * 0.98,
                attributes: vec![("code.namespace", place.service.namespace.clone())],
                failure: failure.clone(),
                ..answering(place, cell, *version)
            };
            self.spans.push(work);
        }
    }

    /// Adds a call, and what the called service does.
    fn call(&mut self, call: MadeCall<'a>, depth: usize) {
        let MadeCall { caller, server, parent, key, start, seconds, failure } = call;
        let id = mix(key, 60).max(1);
        let client = calling(caller, server);
        self.spans.push(DemoSpan { id, parent, start, seconds, failure: failure.clone(), ..client });
        let inside = seconds - 2.0 * NETWORK;
        if is_store(server).is_some() || inside <= 0.0 {
            return;
        }
        let cells = &server.breakdown.cells;
        let all = vec![1.0; cells.len()];
        let Some(cell) = likeliest(server, &all, mix(key, 61)).and_then(|pick| cells.get(pick)) else {
            return;
        };
        let version = self.version(server, cell);
        let served = ServedRequest {
            place: server,
            cell,
            version,
            id: mix(key, 62).max(1),
            parent: id,
            start: start + NETWORK,
            seconds: inside,
            failure,
        };
        self.serve(&served, depth - 1);
    }

    /// What makes a request fail or slow: the name of a dependency, or of the service itself; `None` if nothing does.
    fn culprit(&self, served: &ServedRequest<'_>) -> Option<String> {
        let ServedRequest { place, cell, version, .. } = served;
        if let Some(failure) = &served.failure {
            return Some(failure.from.clone().unwrap_or_else(|| place.name.to_string()));
        }
        let usual = place.service.latency?;
        if served.seconds < SLOW * usual {
            return None;
        }
        let effects = active_effects(&place.events, &self.world.schedule, self.request.t);
        let slowing = effects.filter(|(effect, _)| {
            (effect.latency > 0.0 || effect.slow > 0.0)
                && place.breakdown.is_hit(&effect.only, cell, *version)
        });
        let strongest = slowing.max_by(|(one, a), (other, b)| {
            ((one.latency + 50.0 * one.slow) * a).total_cmp(&((other.latency + 50.0 * other.slow) * b))
        });
        strongest.map(|(effect, _)| effect.from.clone().unwrap_or_else(|| place.name.to_string()))
    }
}
