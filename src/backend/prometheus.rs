//! Prometheus and servers with the Prometheus API: services and their signals, SLOs, rules, charts, and past firings of
//! alerts.

mod ages;
mod cached;
mod call;
mod capacity;
mod changes;
mod explore;
mod external_labels;
mod firings;
mod flavour;
mod history;
mod interval;
mod kind;
mod metric_discovery;
mod onsets;
mod panels;
mod rules;
mod services;
mod slos;
mod whole_results;
mod why;
mod wire;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::handlers::{Handler, answer_by, kinds};
use super::kit::http::{Http, of_absence};
use super::kit::{probe, skew};
use super::{Answering, Source, SourceDeps, packs};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, Ask, AskKind};
use crate::model::dashboard::PanelQuery;
use crate::model::detection::OnsetQuery;
use crate::model::duration;
use crate::model::evaluation::{EvaluationKey, LabelSearch};
use crate::model::health::Thresholds;
use crate::model::labels::{Labels, Text};
use crate::model::rule::BrokenRule;
use crate::model::series::TimeGrid;
use crate::model::slo::TimeRange;
use crate::model::source::{ErrorKind, ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::warning::Warning;
use crate::model::why::WhyQuery;
use ages::Ages;
use cached::{
    Cached, DISCOVERY_INTERVAL_AFTER_LOSS, DISCOVERY_INTERVAL_MAX, RECORDINGS_INTERVAL, is_partly_available,
    next_attempt_after, validity_of,
};
use call::{ApiQuirks, PromServer, QuestionRequests};
use flavour::{Flavour, ServerIdentity};
pub(super) use kind::SPEC;
use metric_discovery::{DiscoveryPlan, MetricDiscovery};
use slos::ServerSlos;

/// One server with the Prometheus API.
pub(super) struct Prometheus {
    info: SourceInfo,
    server: PromServer,
    plan: DiscoveryPlan,
    identity: Mutex<Option<Cached<ServerIdentity>>>,
    discovery: Mutex<Option<Cached<Arc<MetricDiscovery>>>>,
    ages: Mutex<Ages>,
    recordings: Mutex<Option<Cached<Vec<BrokenRule>>>>,
    slos: ServerSlos,
    /// When services are warned of resources that are soon full.
    thresholds: Thresholds,
}

/// The kinds of questions that every server answers; `Slos` only if SLOs are configured or discovered.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Prometheus>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Services(|source, put| Box::pin(source.services(put.at.past()))),
    Handler::Trends(|source, _, time_range| Box::pin(source.trends(time_range.tail))),
    Handler::Detail(|source, _, service, time_range| Box::pin(source.detail(service, time_range.tail))),
    Handler::Rules(|source, put| Box::pin(source.rules(put.known))),
    Handler::Series(|source, _, series, time_range| Box::pin(source.series(&series.query, time_range.tail))),
    Handler::Firings(|source, _, _, labels, from, until| {
        Box::pin(source.firings(labels, TimeRange { start: *from, end: *until }))
    }),
    Handler::Slos(|source, put| Box::pin(source.slos(put.at.past(), put.known))),
    Handler::Changes(|source, _, since| Box::pin(source.changes(*since))),
    Handler::Why(|source, put, wanted| Box::pin(source.why(wanted, put.at.past()))),
    Handler::Onsets(|source, _, wanted| Box::pin(source.onsets(wanted))),
    Handler::Filling(|source, _| Box::pin(source.filling())),
    Handler::Capacity(|source, _| Box::pin(source.capacity())),
    Handler::Evaluation(|source, put, key, window| Box::pin(source.evaluation(key, *window, put.at.past()))),
    Handler::Metrics(|source, _| Box::pin(source.metrics())),
    Handler::Labels(|source, _, wanted| Box::pin(source.labels(wanted))),
    Handler::Exemplars(|source, _, series, window| Box::pin(source.exemplars(&series.query, *window))),
    Handler::PanelData(|source, put, wanted, window| Box::pin(source.panel(wanted, *window, put.at.past()))),
    Handler::VariableValues(|source, put, wanted, window| {
        Box::pin(source.variable(&wanted.query, *window, put.at.past()))
    }),
];

impl Prometheus {
    /// Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let settings = deps.settings;
        let http = Http::new(id, source, deps)?;
        let slos = ServerSlos::new(settings.slo.discover, deps.slos);
        let mut answers = ANSWERS.to_vec();
        answers.retain(|kind| *kind != AskKind::Slos || slos.may_have_slos());
        let info = SourceInfo { answers, ..super::info(id, source, http.address()) };
        let timeout = settings.limits.timeout.0;
        let packs = packs::chosen(deps.packs, &settings.services.packs);
        Ok(Self {
            info,
            server: PromServer {
                http,
                reader: wire::Reader::default(),
                quirks: ApiQuirks::default(),
                timeout,
                severities: settings.severity_map(),
                clock: deps.clock,
                id: id.clone(),
            },
            plan: DiscoveryPlan { packs, services: settings.services.clone() },
            identity: Mutex::new(None),
            discovery: Mutex::new(None),
            ages: Mutex::default(),
            recordings: Mutex::new(None),
            slos,
            thresholds: settings.health,
        })
    }

    fn call(&self, kind: AskKind) -> QuestionRequests<'_> {
        QuestionRequests::new(&self.server, kind.weight())
    }

    /// The readings of all services, at a past time or now.
    async fn services(&self, at: Option<Timestamp>) -> Answered {
        let call = self.call(AskKind::Services);
        let discovery = self.discovery(&call).await?;
        let mut kept = self.ages.lock().await;
        // ages at a past time must not replace the current ones
        let mut own = Ages::default();
        let ages = if at.is_none() { &mut *kept } else { &mut own };
        let snapshot = services::snapshot(&call, &discovery, ages, at).await;
        if snapshot.is_err() {
            // after a failure, the server may have been restarted with other data
            *kept = Ages::default();
        }
        if at.is_none() && kept.has_lost() {
            self.shorten_validity(&discovery).await;
        }
        Ok(call.reply(Answer::Services(snapshot?)))
    }

    async fn trends(&self, span: TimeGrid) -> Answered {
        let call = self.call(AskKind::Trends);
        let discovery = self.discovery(&call).await?;
        let trends = history::trends(&call, &discovery, span).await?;
        Ok(call.reply(Answer::Trends(trends)))
    }

    async fn detail(&self, service: &str, span: TimeGrid) -> Answered {
        let call = self.call(AskKind::Detail);
        let discovery = self.discovery(&call).await?;
        let detail = history::detail(&call, &discovery, service, span).await?;
        Ok(call.reply(Answer::Detail(detail)))
    }

    /// Reads the alerting rules, and adds the failing recording rules.
    async fn rules(&self, known: Option<u64>) -> Answered {
        let call = self.call(AskKind::Rules);
        self.identity(&call).await?;
        let (snapshot, recordings) = tokio::join!(rules::snapshot(&call), self.recordings(&call));
        let mut snapshot = snapshot?;
        snapshot.broken.extend(recordings);
        let digest = rules::digest(&snapshot);
        Ok(call.reply_if_new(Answer::Rules(snapshot), digest, known))
    }

    /// Evaluates a query over time, for a chart.
    async fn series(&self, query: &str, span: TimeGrid) -> Answered {
        let call = self.call(AskKind::Series);
        self.identity(&call).await?;
        let matrix = call.range(query, span).await?;
        Ok(call.reply(Answer::Series(matrix)))
    }

    /// Reads when the alert with these labels fired.
    async fn firings(&self, labels: &Labels, looked_at: TimeRange) -> Answered {
        let call = self.call(AskKind::Firings);
        self.identity(&call).await?;
        let snapshot = firings::snapshot(&call, &self.plan.services.labels, labels, looked_at).await?;
        Ok(call.reply(Answer::Firings(snapshot)))
    }

    /// Reads what changed since then.
    async fn changes(&self, since: Timestamp) -> Answered {
        let call = self.call(AskKind::Changes);
        let discovery = self.discovery(&call).await?;
        let snapshot = changes::snapshot(&call, &discovery, &self.plan.services.labels, since).await?;
        Ok(call.reply(Answer::Changes(snapshot)))
    }

    /// Finds when services became bad before incidents.
    async fn onsets(&self, wanted: &[OnsetQuery]) -> Answered {
        let call = self.call(AskKind::Onsets);
        let discovery = self.discovery(&call).await?;
        let snapshot = onsets::snapshot(&call, &discovery, wanted).await;
        Ok(call.reply(Answer::Onsets(snapshot)))
    }

    /// The resources that are soon full or over.
    async fn filling(&self) -> Answered {
        let call = self.call(AskKind::Filling);
        let discovery = self.discovery(&call).await?;
        let snapshot = capacity::soon(&call, &discovery, &self.thresholds).await?;
        Ok(call.reply(Answer::Filling(snapshot)))
    }

    /// All resources with their forecasts.
    async fn capacity(&self) -> Answered {
        let call = self.call(AskKind::Capacity);
        let discovery = self.discovery(&call).await?;
        let snapshot = capacity::snapshot(&call, &discovery).await?;
        Ok(call.reply(Answer::Capacity(snapshot)))
    }

    /// Evaluates an expression that a user wrote.
    async fn evaluation(
        &self,
        key: &EvaluationKey,
        window: Option<TimeGrid>,
        at: Option<Timestamp>,
    ) -> Answered {
        let call = self.call(AskKind::Evaluation);
        self.identity(&call).await?;
        let evaluation = explore::evaluate(&call, key, window, at).await?;
        Ok(call.reply(Answer::Evaluation(Arc::new(evaluation))))
    }

    /// Lists the metrics. The scrape interval comes from metric discovery, if that succeeds.
    async fn metrics(&self) -> Answered {
        let call = self.call(AskKind::Metrics);
        let discovering = call.separate();
        let discovery = self.discovery(&discovering).await.ok();
        let interval = discovery.and_then(|discovery| discovery.scrape_interval());
        let catalog = explore::metrics(&call, interval).await?;
        Ok(call.reply(Answer::Metrics(Arc::new(catalog))))
    }

    async fn labels(&self, wanted: &LabelSearch) -> Answered {
        let call = self.call(AskKind::Labels);
        let list = explore::labels(&call, wanted).await?;
        Ok(call.reply(Answer::Labels(Arc::new(list))))
    }

    async fn exemplars(&self, query: &str, window: TimeGrid) -> Answered {
        let call = self.call(AskKind::Exemplars);
        let exemplars = explore::exemplars(&call, query, window).await?;
        Ok(call.reply(Answer::Exemplars(Arc::from(exemplars))))
    }

    /// The data of a panel of a dashboard. The interval between samples comes from metric discovery, if a query needs it.
    async fn panel(&self, wanted: &PanelQuery, window: TimeGrid, past: Option<Timestamp>) -> Answered {
        let call = self.call(AskKind::PanelData);
        self.identity(&call).await?;
        let scrape = if panels::needs_scrape_interval(wanted) {
            let discovering = call.separate();
            self.discovery(&discovering).await.ok().and_then(|discovery| discovery.scrape_interval())
        } else {
            None
        };
        let frames = panels::frames(&call, wanted, window, scrape, past).await?;
        Ok(call.reply(Answer::PanelData(Arc::new(frames))))
    }

    /// The values of a variable of a dashboard.
    async fn variable(&self, query: &str, window: TimeGrid, past: Option<Timestamp>) -> Answered {
        let call = self.call(AskKind::VariableValues);
        self.identity(&call).await?;
        let values = panels::values(&call, query, window, past).await?;
        Ok(call.reply(Answer::VariableValues(values)))
    }

    async fn slos(&self, at: Option<Timestamp>, known: Option<u64>) -> Answered {
        let call = self.call(AskKind::Slos);
        self.identity(&call).await?;
        let (snapshot, digest) = self.slos.snapshot(&call, at).await?;
        Ok(call.reply_if_new(Answer::Slos(snapshot), digest, known))
    }

    /// Finds out why a service is unhealthy, at a past time or now.
    async fn why(&self, wanted: &WhyQuery, at: Option<Timestamp>) -> Answered {
        let call = self.call(AskKind::Why);
        let analysis = Box::pin(why::analysis(&call, &self.plan, wanted, at)).await?;
        Ok(call.reply(Answer::Why(analysis)))
    }

    /// The identity of the server, cached for ten minutes. Asking for it sets the server's quirks, so this comes before the
    /// requests of a question.
    async fn identity(&self, call: &QuestionRequests<'_>) -> Result<ServerIdentity, SourceError> {
        let mut kept = self.identity.lock().await;
        if let Some(identity) = Cached::known(kept.as_ref(), call) {
            return Ok(identity);
        }
        // the warnings of these answers do not concern the question
        let identifying = call.separate();
        let identity = ServerIdentity::ask(&identifying).await?;
        Ok(Cached::new(identity, DISCOVERY_INTERVAL_MAX, Vec::new()).put(&mut kept, call))
    }

    /// The failing recording rules, cached: there may be many more recording rules than alerting rules.
    async fn recordings(&self, call: &QuestionRequests<'_>) -> Vec<BrokenRule> {
        let mut kept = self.recordings.lock().await;
        if let Some(broken) = Cached::known(kept.as_ref(), call) {
            return broken;
        }
        let broken = rules::broken_recordings(call).await;
        Cached::new(broken, RECORDINGS_INTERVAL, Vec::new()).put(&mut kept, call)
    }

    /// The result of metric discovery, cached. If a later discovery fails, the last result stays in use, with a warning.
    async fn discovery(&self, call: &QuestionRequests<'_>) -> Result<Arc<MetricDiscovery>, SourceError> {
        self.identity(call).await?;
        let mut kept = self.discovery.lock().await;
        if let Some(discovery) = Cached::known(kept.as_ref(), call) {
            return Ok(discovery);
        }
        let discovering = call.separate();
        let made =
            MetricDiscovery::make(&discovering, &self.plan, kept.as_ref().map(|kept| &*kept.value)).await;
        let found = match (made, &*kept) {
            (Ok(discovery), before) => {
                let warnings = discovering.warnings();
                let is_whole = !warnings.iter().any(Warning::is_missing_data);
                let lasts = validity_of(&discovery, is_whole, before.as_ref().map(|kept| kept.lasts));
                Cached::new(Arc::new(discovery), lasts, warnings)
            }
            (Err(error), Some(old)) if is_partly_available(&error.kind) => {
                let text =
                    format!("metric discovery failed, the last known services are used: {}", error.kind);
                let lasts = next_attempt_after(Some(old.lasts));
                Cached::new(Arc::clone(&old.value), lasts, vec![Warning::part(text)])
            }
            (Err(error), _) => return Err(error),
        };
        Ok(found.put(&mut kept, call))
    }

    /// Lets discovery run again soon, unless it already ran in the meantime.
    async fn shorten_validity(&self, discovery: &Arc<MetricDiscovery>) {
        if let Some(kept) =
            self.discovery.lock().await.as_mut().filter(|kept| Arc::ptr_eq(&kept.value, discovery))
        {
            kept.lasts = kept.lasts.min(DISCOVERY_INTERVAL_AFTER_LOSS);
        }
    }

    async fn probe(&self) -> Answered {
        let call = self.call(AskKind::Probe);
        let probe_report = self.probe_report(&call).await?;
        Ok(call.reply(Answer::Probe(probe_report)))
    }

    /// The probe report. If identity and discovery are cached, this takes a single small request.
    async fn probe_report(&self, call: &QuestionRequests<'_>) -> Result<ProbeReport, SourceError> {
        let (date, refusal) = match call.get("api/v1/query", &[("query", "1")]).await {
            Ok(body) => {
                call.open::<wire::Data<'_>>(&body)?;
                (body.date, None)
            }
            // the server has no query API, or the credentials only allow reading rules; any other error is a failure of the
            // server
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Forbidden { .. } | ErrorKind::Refused { status: 404, .. }
                ) =>
            {
                (None, Some(error))
            }
            Err(error) => return Err(error),
        };
        let identity = self.identity(call).await?;
        let mut probe_report = probe::probe_report(identity.flavour.name(), identity.version);
        if let Some(error) = refusal {
            if identity.rules.is_err() && !matches!(error.kind, ErrorKind::Forbidden { .. }) {
                let said = error.kind.said();
                return Err(call.server.http.error(of_absence("Prometheus API", said)));
            }
            probe_report.warn(format!("the server answers no queries: {}", error.kind));
        }
        match self.discovery(call).await {
            Ok(discovery) => self.add_discovery_facts(&discovery, &mut probe_report),
            Err(error) if error.kind.is_source_wide() => return Err(error),
            Err(error) => probe_report.warn(format!("metric discovery failed: {}", error.kind)),
        }
        match (identity.rules, identity.flavour) {
            (Err(failure), _) => {
                probe_report
                    .warn(format!("no rules, so no alert expressions and no pending alerts: {failure}"));
            }
            (Ok(0), Flavour::VictoriaMetrics) => probe_report.warn(
                "no rules found: VictoriaMetrics needs -vmalert.proxyURL to serve rules and pending alerts",
            ),
            (Ok(rules), _) => probe_report.fact("alerting rules", rules.to_string()),
        }
        if self.slos.may_have_slos() {
            match self.slos.count(call).await {
                Ok(slos) => probe_report.fact("SLOs", slos.to_string()),
                Err(error) if error.kind.is_source_wide() => return Err(error),
                Err(error) => probe_report.warn(format!("SLOs could not be read: {}", error.kind)),
            }
        }
        probe_report.clock(date, self.server.clock.now(), "displayed ages are wrong by that much");
        let large = probe_report.clock_ahead_seconds.filter(|ahead| skew::is_large(*ahead));
        self.server.quirks.skew.set(large);
        Ok(probe_report)
    }

    fn add_discovery_facts(&self, discovery: &MetricDiscovery, probe_report: &mut ProbeReport) {
        probe_report.fact("services", discovery.services.len().to_string());
        probe_report.fact("services by", discovery.labels().join(", "));
        probe_report.fact("packs", discovery.packs.join(", "));
        probe_report.fact("scrape interval", discovery.intervals.words());
        probe_report.fact("rates over", duration::text(discovery.lookback));
        probe_report.fact("changes by", changes::covers(discovery).join(", "));
        if discovery.is_empty() {
            let labels = self.plan.services.labels.join(", ");
            probe_report.warn(format!(
                "no service found: the server has no known metric, and no target with one of the labels {labels}"
            ));
        }
        if discovery.scrape_interval().is_some_and(|interval| discovery.lookback < 2 * interval) {
            probe_report
                .warn("services.lookback is shorter than two scrape intervals: rates will be missing");
        }
    }
}

impl Source for Prometheus {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn load(&self) -> Option<Text> {
        self.server.http.load()
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        Box::pin(async move {
            let answered = answer_by(self, HANDLERS, ask, known).await;
            if let Err(SourceError { kind: ErrorKind::Unreachable { .. }, .. }) = &answered {
                // after an outage, another server may answer at this address
                *self.identity.lock().await = None;
                *self.discovery.lock().await = None;
                *self.ages.lock().await = Ages::default();
            }
            answered
        })
    }
}

#[cfg(test)]
mod tests;
