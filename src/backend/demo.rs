//! The built-in demo world: an online shop in two regions with a story, without network, the same for the same seed.
//!
//! Nothing is stored and nothing is random: every number is a function of the seed and of demo time, so that answers
//! agree with each other and any history is there at once. What there is and what happens stands in `assets/demo`.

mod acts;
mod alerts;
mod annotation;
mod answer;
mod book;
mod doings;
mod incidents;
mod noise;
mod paging;
mod payload;
mod promised;
#[cfg_attr(not(test), expect(dead_code, reason = "the simulated servers answer with it"))]
mod promql;
mod query;
mod rules;
mod runbooks;
mod slos;
mod story;
mod timeline;
mod world;

use std::future::ready;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::action::{Action, Call};
use crate::model::alert::{Alert, AlertBoard};
use crate::model::ask::{Answer, Ask, AskKind, Reply, TimeUse};
use crate::model::firing::FiringBoard;
use crate::model::incident::{IncidentBoard, IncidentDetail};
use crate::model::labels::Labels;
use crate::model::labels::Text;
use crate::model::rule::RuleBoard;
use crate::model::silence::{Silence, SilenceState};
use crate::model::slo::Bounds;
use crate::model::source::{Kind, Offer, SourceError, SourceId, SourceInfo, Trouble};

use self::book::Region;
use self::doings::Done;
use self::timeline::Timeline;
use super::handlers::{Handler, Put, answer_by, kinds};
use super::{Acting, Answering, Clock, LookingBack, Source};

pub use self::world::DemoWorld;

/// When the demo began, if at `now` it has reached this minute of its story.
pub fn origin(now: Timestamp, minute: f64, speed: f64) -> Timestamp {
    Timeline::new(now, speed).wall(-minute * 60.0)
}

/// The sources of the demo: `prom-eu`, `prom-us`, `alertmanager` and `pager`, all of one world.
///
/// At `origin` demo time is 0; it passes `speed` times as fast as `clock` (0.01 to 1000; anything senseless counts as 1).
pub fn sources(seed: u64, clock: Clock, origin: Timestamp, speed: f64) -> Vec<Arc<dyn Source>> {
    let world = Arc::new(DemoWorld::new(seed));
    let time = Timeline::new(origin, speed);
    let done = doings::Shared::default();
    [Role::Prometheus(Region::Eu), Role::Prometheus(Region::Us), Role::Alertmanager, Role::Pager]
        .into_iter()
        .map(|role| -> Arc<dyn Source> {
            Arc::new(DemoSource {
                info: role.info(),
                role,
                world: Arc::clone(&world),
                clock,
                time,
                done: Arc::clone(&done),
            })
        })
        .chain([Arc::new(runbooks::Runbooks::new()) as Arc<dyn Source>])
        .collect()
}

/// Which part of the world a source shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Prometheus(Region),
    Alertmanager,
    Pager,
}

impl Role {
    fn info(self) -> SourceInfo {
        let (name, answers) = match self {
            Self::Prometheus(region) => (region.source(), kinds(&PROMETHEUS).to_vec()),
            Self::Alertmanager => ("alertmanager", kinds(&ALERTMANAGER).to_vec()),
            Self::Pager => ("pager", kinds(&PAGER).to_vec()),
        };
        let address = format!("demo:{name}").into();
        SourceInfo {
            tenant: None,
            is_exposed: false,
            id: SourceId::new(name),
            kind: Kind::DEMO,
            address,
            answers,
            acts: self.acts(),
        }
    }
}

struct DemoSource {
    info: SourceInfo,
    role: Role,
    world: Arc<DemoWorld>,
    clock: Clock,
    time: Timeline,
    done: doings::Shared,
}

impl Source for DemoSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        match self.role {
            Role::Prometheus(_) => answer_by(self, &PROMETHEUS, ask, known),
            Role::Alertmanager => answer_by(self, &ALERTMANAGER, ask, known),
            Role::Pager => answer_by(self, &PAGER, ask, known),
        }
    }

    fn calls(&self, action: &Action) -> Vec<Call> {
        self.calls_of(action)
    }

    fn act<'a>(&'a self, action: &'a Action) -> Acting<'a> {
        Box::pin(ready(self.do_it(action)))
    }

    fn look_back<'a>(&'a self, action: &'a Action, sent_at: Timestamp) -> LookingBack<'a> {
        Box::pin(ready(Ok(self.found(action, sent_at))))
    }
}

const PROMETHEUS: [Handler<DemoSource>; 8] = [
    Handler::Probe(|source, put| {
        source.told(AskKind::Probe, put, |moment, _| {
            let (world, region) = (&source.world, source.region());
            Ok(Answer::Probe(offer(vec![
                ("services", world.watched(region).count().to_string()),
                ("region", region.name().to_owned()),
                ("rules", world.rules_of(region).count().to_string()),
                ("scrape interval", "5s".to_owned()),
                ("story", world.chapter(source.time.demo(moment)).to_owned()),
            ])))
        })
    }),
    Handler::Services(|source, put| {
        source.told(AskKind::Services, put, |moment, _| {
            Ok(Answer::Services(source.world.services(source.region(), source.time.demo(moment))))
        })
    }),
    Handler::Trends(|source, put, stretch| {
        source.told(AskKind::Trends, put, |_, _| {
            Ok(Answer::Trends(source.world.trends(source.region(), stretch.tail, &source.time)))
        })
    }),
    Handler::Detail(|source, put, service, stretch| {
        source.told(AskKind::Detail, put, |_, _| {
            Ok(Answer::Detail(source.world.detail(service, source.region(), stretch.tail, &source.time)))
        })
    }),
    Handler::Rules(|source, put| {
        source.told(AskKind::Rules, put, |moment, _| {
            let (world, region, time) = (&source.world, source.region(), &source.time);
            Ok(Answer::Rules(RuleBoard {
                added: Labels::default(),
                broken: Vec::new(),
                rules: world.rules_of(region).map(|rule| Arc::clone(&rule.shown)).collect(),
                alerts: world.alerts_of(region, time.demo(moment), time).into_iter().map(Arc::new).collect(),
            }))
        })
    }),
    Handler::Series(|source, put, series, stretch| {
        source.told(AskKind::Series, put, |_, _| {
            let matrix = source.world.series(&series.query, source.region(), stretch.tail, &source.time)?;
            Ok(Answer::Series(matrix))
        })
    }),
    Handler::Firings(|source, put, _, labels, from, until| {
        source.told(AskKind::Firings, put, |now, _| {
            let looked_at = Bounds { start: *from, end: (*until).min(now) };
            let firings = source.world.all_firings(labels, source.region(), looked_at, &source.time);
            Ok(Answer::Firings(FiringBoard { looked_at, firings, is_whole: true }))
        })
    }),
    Handler::Slos(|source, put| {
        source.told(AskKind::Slos, put, |moment, _| {
            Ok(Answer::Slos(source.world.slos(source.region(), moment, &source.time)))
        })
    }),
];

const ALERTMANAGER: [Handler<DemoSource>; 3] = [
    Handler::Probe(|source, put| {
        source.told(AskKind::Probe, put, |now, done| {
            let silences = source.silences(done, now);
            let kept = silences.iter().filter(|one| one.state != SilenceState::Expired).count();
            Ok(Answer::Probe(offer(vec![
                ("alerts", source.managed(&silences, now).len().to_string()),
                ("silences", kept.to_string()),
                ("peers", "1".to_owned()),
            ])))
        })
    }),
    Handler::Alerts(|source, put| {
        source.told(AskKind::Alerts, put, |now, done| {
            let alerts = source.managed(&source.silences(done, now), now);
            Ok(Answer::Alerts(AlertBoard { alerts: alerts.into_iter().map(Arc::new).collect() }))
        })
    }),
    Handler::Silences(|source, put| {
        source.told(AskKind::Silences, put, |now, done| {
            Ok(Answer::Silences(source.silences(done, now).into_iter().map(Arc::new).collect()))
        })
    }),
];

const PAGER: [Handler<DemoSource>; 5] = [
    Handler::Probe(|source, put| {
        source.told(AskKind::Probe, put, |now, done| {
            let open = source.incidents(done, now).incidents;
            let open = open.iter().filter(|incident| incident.is_open()).count();
            Ok(Answer::Probe(offer(vec![("open incidents", open.to_string())])))
        })
    }),
    Handler::Incidents(|source, put| {
        source.told(AskKind::Incidents, put, |now, done| Ok(Answer::Incidents(source.incidents(done, now))))
    }),
    Handler::Incident(|source, put, id| {
        source.told(AskKind::Incident, put, |now, done| {
            let detail = source.detail(id, done, now);
            let what = AskKind::Incident.word().to_owned();
            detail.map(Answer::Incident).ok_or(Trouble::NotOffered { what })
        })
    }),
    Handler::Steps(|source, put, since| {
        source.told(AskKind::Steps, put, |now, done| {
            Ok(Answer::Steps(source.world.all_steps(done, (*since, now), &source.time, &source.info.id)))
        })
    }),
    Handler::OnCall(|source, put| {
        source.told(AskKind::OnCall, put, |now, done| {
            let stood_in = done.stood_in_by(now);
            Ok(Answer::OnCall(source.world.paging.on_call(&source.world, now, &stood_in)))
        })
    }),
];

impl DemoSource {
    /// What is so at the moment that is asked about, after all that was done here.
    fn told(
        &self,
        kind: AskKind,
        put: Put,
        answer: impl FnOnce(Timestamp, &Done) -> Result<Answer, Trouble>,
    ) -> Answering<'_> {
        let moment = put.at.past().unwrap_or_else(|| self.clock.now());
        let done = doings::so_far(&self.done);
        // only time and what is done here change an answer: these recognise it
        let digest = match kind.time() {
            TimeUse::Now | TimeUse::Moment => {
                let moment = noise::mix(moment.as_millisecond().cast_unsigned(), kind as u64);
                Some(noise::mix(moment, done.changes()))
            }
            TimeUse::Since | TimeUse::Range => None,
        };
        let answer = if digest.is_some() && digest == put.known {
            Ok(Answer::Unchanged)
        } else {
            answer(moment, &done).map_err(|trouble| SourceError::new(self.info.id.clone(), trouble))
        };
        Box::pin(ready(answer.map(|answer| Reply { digest, ..Reply::free(answer) })))
    }

    /// What a Prometheus watches; the others look at all of the world.
    fn region(&self) -> Region {
        match self.role {
            Role::Prometheus(region) => region,
            Role::Alertmanager | Role::Pager => Region::Eu,
        }
    }

    fn managed(&self, silences: &[Silence], now: Timestamp) -> Vec<Alert> {
        self.world.managed(self.time.demo(now), &self.time, &self.info.id, silences)
    }

    fn silences(&self, done: &Done, now: Timestamp) -> Vec<Silence> {
        done.silences(self.world.silences(self.time.demo(now), &self.time, &self.info.id), now)
    }

    fn incidents(&self, done: &Done, now: Timestamp) -> IncidentBoard {
        self.world.incidents(done, now, &self.time, &self.info.id)
    }

    fn detail(&self, id: &str, done: &Done, now: Timestamp) -> Option<IncidentDetail> {
        self.world.incident_detail(id, done, now, &self.time, &self.info.id)
    }
}

fn offer(facts: Vec<(&str, String)>) -> Offer {
    Offer {
        flavour: Text::from("demo"),
        version: env!("CARGO_PKG_VERSION").into(),
        facts: facts.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        warnings: Vec::new(),
        refuses: None,
        clock_ahead_seconds: Some(0),
    }
}

#[cfg(test)]
mod tests;
