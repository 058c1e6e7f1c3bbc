//! Prometheus and what speaks its API: services and their signals, rules, charts, earlier firings.

mod ages;
mod call;
mod firings;
mod history;
mod identity;
mod interval;
mod kept;
mod kind;
mod rules;
mod sent;
mod services;
mod slos;
mod survey;
mod wire;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::handlers::{Handler, answer_by, kinds};
use super::kit::http::{Http, of_absence};
use super::kit::{probe, skew};
use super::{Answering, Clock, Means, Source, packs};
use crate::config::settings::SourceSettings;
use crate::model::alert::SeverityMap;
use crate::model::ask::{Answer, Answered, Ask, AskKind};
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::rule::BrokenRule;
use crate::model::series::Span;
use crate::model::slo::Bounds;
use crate::model::source::{Offer, SourceError, SourceId, Trouble};
use crate::model::source_info::SourceInfo;
use crate::model::warning::Warning;
use ages::Ages;
use call::{Call, Manners, Server};
use identity::{Flavour, Identity};
use kept::{KEPT_AFTER_LOSS, KEPT_LONGEST, Kept, again_after, holds_for};
pub(super) use kind::SPEC;
use sent::Sent;
use services::LookedAt;
use slos::Slos;
use survey::{Plan, Survey};

/// How long it is taken to be so which recording rules fail.
const RECORDINGS_KEPT: Duration = Duration::from_secs(60);

/// One server.
pub(super) struct Prometheus {
    info: SourceInfo,
    server: Server,
    plan: Plan,
    severities: SeverityMap,
    clock: Clock,
    identity: Mutex<Option<Kept<Identity>>>,
    survey: Mutex<Option<Kept<Arc<Survey>>>>,
    ages: Mutex<Ages>,
    recordings: Mutex<Option<Kept<Vec<BrokenRule>>>>,
    slos: Slos,
}

/// Whether what was found before can stand although the server could not be surveyed: it answers, if not everything.
fn answers_something(trouble: &Trouble) -> bool {
    !trouble.is_source_wide() || matches!(trouble, Trouble::TimedOut { .. } | Trouble::RateLimited { .. })
}

/// The questions that it can be asked; about SLOs only where they are looked for or defined.
const ANSWERS: &[AskKind] = &kinds(&HANDLERS);

const HANDLERS: [Handler<Prometheus>; 8] = [
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Services(|source, put| Box::pin(source.services(put.at.past()))),
    Handler::Trends(|source, _, stretch| Box::pin(source.trends(stretch.tail))),
    Handler::Detail(|source, _, service, stretch| Box::pin(source.detail(service, stretch.tail))),
    Handler::Rules(|source, put| Box::pin(source.rules(put.known))),
    Handler::Series(|source, _, series, stretch| Box::pin(source.series(&series.query, stretch.tail))),
    Handler::Firings(|source, _, _, labels, from, until| {
        Box::pin(source.firings(labels, Bounds { start: *from, end: *until }))
    }),
    Handler::Slos(|source, put| Box::pin(source.slos(put.at.past(), put.known))),
];

impl Prometheus {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Trouble::Unreachable`] if the address is none.
    pub(super) fn new(id: &SourceId, source: &SourceSettings, means: Means<'_>) -> Result<Self, SourceError> {
        let settings = means.settings;
        let http = Http::new(id, source, means)?;
        let slos = Slos::new(settings.slo.discover, means.slos);
        let mut answers = ANSWERS.to_vec();
        answers.retain(|kind| *kind != AskKind::Slos || slos.are_asked_for());
        let info = SourceInfo { answers, ..super::info(id, source, http.address()) };
        let timeout = settings.limits.timeout.0;
        let packs = packs::chosen(means.packs, &settings.services.packs);
        Ok(Self {
            info,
            server: Server { http, reader: wire::Reader::default(), manners: Manners::default(), timeout },
            plan: Plan::new(&settings.services, packs),
            severities: settings.severity_map(),
            clock: means.clock,
            identity: Mutex::new(None),
            survey: Mutex::new(None),
            ages: Mutex::default(),
            recordings: Mutex::new(None),
            slos,
        })
    }

    fn call(&self, kind: AskKind) -> Call<'_> {
        Call::new(&self.server, kind.weight())
    }

    async fn services(&self, at: Option<Timestamp>) -> Answered {
        let call = self.call(AskKind::Services);
        let survey = self.survey(&call).await?;
        let now = at.unwrap_or_else(|| self.server.manners.skew.there(self.clock.now()));
        let moment = LookedAt { at, now };
        let mut kept = self.ages.lock().await;
        // how old things were at a moment of the past says nothing of now
        let mut own = Ages::default();
        let ages = if at.is_none() { &mut *kept } else { &mut own };
        let board = services::board(&call, &self.plan, &survey, ages, moment).await;
        if board.is_err() {
            // whoever answers again may have been away
            *kept = Ages::default();
        }
        if at.is_none() && kept.has_lost() {
            self.hold_no_longer(&survey).await;
        }
        Ok(call.reply(Answer::Services(board?)))
    }

    async fn trends(&self, span: Span) -> Answered {
        let call = self.call(AskKind::Trends);
        let survey = self.survey(&call).await?;
        let trends = history::trends(&call, &survey, span).await?;
        Ok(call.reply(Answer::Trends(trends)))
    }

    async fn detail(&self, service: &str, span: Span) -> Answered {
        let call = self.call(AskKind::Detail);
        let survey = self.survey(&call).await?;
        let detail = history::detail(&call, &survey, service, span).await?;
        Ok(call.reply(Answer::Detail(detail)))
    }

    async fn rules(&self, known: Option<u64>) -> Answered {
        let call = self.call(AskKind::Rules);
        let identity = self.identity(&call).await?;
        let reading = self.reading(&identity.sent);
        let (board, recordings) = tokio::join!(rules::board(&call, &reading), self.recordings(&call));
        let mut board = board?;
        board.broken.extend(recordings);
        let digest = rules::digest(&board);
        Ok(call.reply_if_new(Answer::Rules(board), digest, known))
    }

    async fn series(&self, query: &str, span: Span) -> Answered {
        let call = self.call(AskKind::Series);
        self.identity(&call).await?;
        let matrix = call.range(query, span).await?;
        Ok(call.reply(Answer::Series(matrix)))
    }

    async fn firings(&self, labels: &Labels, looked_at: Bounds) -> Answered {
        let call = self.call(AskKind::Firings);
        let identity = self.identity(&call).await?;
        let reading = self.reading(&identity.sent);
        let board = firings::board(&call, &self.plan.labels, &reading, labels, looked_at).await?;
        Ok(call.reply(Answer::Firings(board)))
    }

    async fn slos(&self, at: Option<Timestamp>, known: Option<u64>) -> Answered {
        let call = self.call(AskKind::Slos);
        let identity = self.identity(&call).await?;
        let reading = self.reading(&identity.sent);
        let (board, digest) = self.slos.board(&call, &reading, at, self.server.timeout).await?;
        Ok(call.reply_if_new(Answer::Slos(board), digest, known))
    }

    fn reading<'a>(&'a self, sent: &'a Sent) -> rules::Reading<'a> {
        rules::Reading { source: &self.info.id, severities: &self.severities, now: self.clock.now(), sent }
    }

    /// Who it is, found out once in a while.
    async fn identity(&self, call: &Call<'_>) -> Result<Identity, SourceError> {
        let mut kept = self.identity.lock().await;
        if let Some(identity) = Kept::known(kept.as_ref(), call) {
            return Ok(identity);
        }
        // what is said beside these answers says nothing about the one that is asked for
        let identifying = call.beside();
        let identity = Identity::ask(&identifying, &self.reading(&Sent::default())).await;
        call.add_cost_of(&identifying);
        let identity = identity?;
        let is_victoria = identity.flavour == Flavour::VictoriaMetrics;
        self.server.manners.is_victoria.store(is_victoria, Ordering::Relaxed);
        Ok(Kept::new(identity, KEPT_LONGEST, Vec::new()).put(&mut kept, call))
    }

    /// Its recording rules that fail. There may be many more of them than alerting rules: they are read seldom.
    async fn recordings(&self, call: &Call<'_>) -> Vec<BrokenRule> {
        let mut kept = self.recordings.lock().await;
        if let Some(broken) = Kept::known(kept.as_ref(), call) {
            return broken;
        }
        let broken = rules::broken_recordings(call).await;
        Kept::new(broken, RECORDINGS_KEPT, Vec::new()).put(&mut kept, call)
    }

    /// What it has, found out once in a while. If that fails later on, what was found last still holds.
    async fn survey(&self, call: &Call<'_>) -> Result<Arc<Survey>, SourceError> {
        self.identity(call).await?;
        let mut kept = self.survey.lock().await;
        if let Some(survey) = Kept::known(kept.as_ref(), call) {
            return Ok(survey);
        }
        let surveying = call.beside();
        let made = Survey::make(&surveying, &self.plan, kept.as_ref().map(|kept| &*kept.value)).await;
        call.add_cost_of(&surveying);
        let found = match (made, &*kept) {
            (Ok(survey), before) => {
                let warnings = surveying.warnings();
                let is_whole = !warnings.iter().any(Warning::is_missing_data);
                let lasts = holds_for(&survey, is_whole, before.as_ref().map(|kept| kept.lasts));
                Kept::new(Arc::new(survey), lasts, warnings)
            }
            (Err(error), Some(old)) if answers_something(&error.trouble) => {
                let text = format!("services cannot be looked for again: {}", error.trouble);
                let lasts = again_after(Some(old.lasts));
                Kept::new(Arc::clone(&old.value), lasts, vec![Warning::part(text)])
            }
            (Err(error), _) => return Err(error),
        };
        Ok(found.put(&mut kept, call))
    }

    /// Has the server surveyed anew soon, unless that was done meanwhile.
    async fn hold_no_longer(&self, survey: &Arc<Survey>) {
        if let Some(kept) = self.survey.lock().await.as_mut().filter(|kept| Arc::ptr_eq(&kept.value, survey))
        {
            kept.lasts = kept.lasts.min(KEPT_AFTER_LOSS);
        }
    }

    async fn probe(&self) -> Answered {
        let call = self.call(AskKind::Probe);
        let offer = self.offer(&call).await?;
        Ok(call.reply(Answer::Probe(offer)))
    }

    /// Once everything is known, one light request.
    async fn offer(&self, call: &Call<'_>) -> Result<Offer, SourceError> {
        let (date, refusal) = match call.get("api/v1/query", &[("query", "1")]).await {
            Ok(body) => {
                call.open::<wire::Data<'_>>(&body)?;
                (body.date, None)
            }
            // an API without queries, or credentials only for rules; anything else is a server that is not well
            Err(error)
                if matches!(
                    error.trouble,
                    Trouble::Forbidden { .. } | Trouble::Refused { status: 404, .. }
                ) =>
            {
                (None, Some(error))
            }
            Err(error) => return Err(error),
        };
        let identity = self.identity(call).await?;
        let mut offer = probe::offer(identity.flavour.name(), identity.version);
        if let Some(error) = refusal {
            if identity.rules.is_err() && !matches!(error.trouble, Trouble::Forbidden { .. }) {
                let said = error.trouble.said();
                return Err(call.server.http.error(of_absence("Prometheus API", said)));
            }
            offer.warn(format!("it answers no query: {}", error.trouble));
        }
        match self.survey(call).await {
            Ok(survey) => self.tell_survey(&survey, &mut offer),
            Err(error) if error.trouble.is_source_wide() => return Err(error),
            Err(error) => offer.warn(format!("services cannot be found: {}", error.trouble)),
        }
        match (identity.rules, identity.flavour) {
            (Err(trouble), _) => {
                offer.warn(format!("no rules, no expressions, no pending alerts: {trouble}"));
            }
            (Ok(0), Flavour::VictoriaMetrics) => offer
                .warn("no rule API here? Without -vmalert.proxyURL there are no rules and no pending alerts"),
            (Ok(rules), _) => offer.fact("alerting rules", rules.to_string()),
        }
        if self.slos.are_asked_for() {
            match self.slos.count(call, &self.reading(&identity.sent)).await {
                Ok(slos) => offer.fact("SLOs", slos.to_string()),
                Err(error) if error.trouble.is_source_wide() => return Err(error),
                Err(error) => offer.warn(format!("SLOs cannot be found: {}", error.trouble)),
            }
        }
        offer.clock(date, self.clock.now(), "ages are off by that");
        let large = offer.clock_ahead_seconds.filter(|ahead| skew::is_large(*ahead));
        self.server.manners.skew.set(large);
        Ok(offer)
    }

    fn tell_survey(&self, survey: &Survey, offer: &mut Offer) {
        offer.fact("services", survey.services.len().to_string());
        offer.fact("services by", survey.labels().join(", "));
        offer.fact("packs", survey.packs.join(", "));
        offer.fact("scrape interval", survey.intervals.words());
        offer.fact("rates over", duration::text(survey.lookback));
        if survey.is_empty() {
            let labels = self.plan.labels.join(", ");
            offer.warn(format!(
                "no service found: no known metric, and no target with one of the labels {labels}"
            ));
        }
        if survey.scrape_interval().is_some_and(|interval| survey.lookback < 2 * interval) {
            offer.warn("services.lookback is shorter than two scrapes: rates will be missing");
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
            let answered = answer_by(self, &HANDLERS, ask, known).await;
            if let Err(SourceError { trouble: Trouble::Unreachable { .. }, .. }) = &answered {
                // whoever answers there next may be another
                *self.identity.lock().await = None;
                *self.survey.lock().await = None;
                *self.ages.lock().await = Ages::default();
            }
            answered
        })
    }
}

#[cfg(test)]
mod tests;
