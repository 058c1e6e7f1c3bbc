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
use crate::model::alert::AlertBoard;
use crate::model::ask::{Answer, Answered, Ask, AskKind, Reply};
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
            Self::Prometheus(region) => (
                region.source(),
                vec![
                    AskKind::Probe,
                    AskKind::Services,
                    AskKind::Trends,
                    AskKind::Detail,
                    AskKind::Rules,
                    AskKind::Series,
                    AskKind::Firings,
                    AskKind::Slos,
                ],
            ),
            Self::Alertmanager => ("alertmanager", vec![AskKind::Probe, AskKind::Alerts, AskKind::Silences]),
            Self::Pager => (
                "pager",
                vec![AskKind::Probe, AskKind::Incidents, AskKind::Incident, AskKind::Steps, AskKind::OnCall],
            ),
        };
        let address = format!("demo:{name}").into();
        SourceInfo {
            tenant: None,
            is_exposed: false,
            id: SourceId::new(name),
            kind: Kind::Demo,
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
        Box::pin(async move { self.reply(ask, known) })
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

impl DemoSource {
    fn reply(&self, ask: &Ask, known: Option<u64>) -> Answered {
        let now = self.clock.now();
        let done = doings::so_far(&self.done);
        // only time and what is done here change an answer: these recognise it
        let digest = match ask {
            Ask::Probe
            | Ask::Services { .. }
            | Ask::Alerts
            | Ask::Rules
            | Ask::Silences
            | Ask::Slos { .. }
            | Ask::Incidents
            | Ask::Incident { .. }
            | Ask::OnCall => {
                let moment = noise::mix(moment(ask, now).as_millisecond().cast_unsigned(), ask.kind() as u64);
                Some(noise::mix(moment, done.changes()))
            }
            Ask::Trends(_)
            | Ask::Detail { .. }
            | Ask::Steps { .. }
            | Ask::Series { .. }
            | Ask::Firings { .. }
            | Ask::Runbook(_) => None,
        };
        if digest.is_some() && digest == known {
            return Ok(Reply { digest, ..Reply::free(Answer::Unchanged) });
        }
        let answer = match self.role {
            Role::Prometheus(region) => self.as_prometheus(region, ask, now),
            Role::Alertmanager => self.as_alertmanager(ask, &done, now),
            Role::Pager => self.as_pager(ask, &done, now),
        };
        match answer {
            Ok(answer) => Ok(Reply { digest, ..Reply::free(answer) }),
            Err(trouble) => Err(SourceError::new(self.info.id.clone(), trouble)),
        }
    }

    fn as_prometheus(&self, region: Region, ask: &Ask, now: Timestamp) -> Result<Answer, Trouble> {
        let (world, time) = (&self.world, &self.time);
        let t = time.demo(moment(ask, now));
        Ok(match ask {
            Ask::Probe => Answer::Probe(offer(vec![
                ("services", world.watched(region).count().to_string()),
                ("region", region.name().to_owned()),
                ("rules", world.rules_of(region).count().to_string()),
                ("scrape interval", "5s".to_owned()),
                ("story", world.chapter(t).to_owned()),
            ])),
            Ask::Services { .. } => Answer::Services(world.services(region, t)),
            Ask::Trends(stretch) => Answer::Trends(world.trends(region, stretch.tail, time)),
            Ask::Detail { service, stretch } => {
                Answer::Detail(world.detail(service, region, stretch.tail, time))
            }
            Ask::Rules => Answer::Rules(RuleBoard {
                added: Labels::default(),
                broken: Vec::new(),
                rules: world.rules_of(region).map(|rule| Arc::clone(&rule.shown)).collect(),
                alerts: world.alerts_of(region, t, time).into_iter().map(Arc::new).collect(),
            }),
            Ask::Series { query, stretch } => {
                Answer::Series(world.series(query, region, stretch.tail, time)?)
            }
            Ask::Firings { labels, from, until, .. } => {
                let looked_at = Bounds { start: *from, end: (*until).min(now) };
                let firings = world.all_firings(labels, region, looked_at, time);
                Answer::Firings(FiringBoard { looked_at, firings, is_whole: true })
            }
            Ask::Slos { .. } => Answer::Slos(world.slos(region, moment(ask, now), time)),
            Ask::Alerts
            | Ask::Silences
            | Ask::Incidents
            | Ask::Incident { .. }
            | Ask::Steps { .. }
            | Ask::OnCall
            | Ask::Runbook(_) => {
                return Err(not_offered(ask));
            }
        })
    }

    fn as_alertmanager(&self, ask: &Ask, done: &Done, now: Timestamp) -> Result<Answer, Trouble> {
        let managed = |silences: &[Silence]| {
            self.world.managed(self.time.demo(now), &self.time, &self.info.id, silences)
        };
        let silences = self.silences(done, now);
        Ok(match ask {
            Ask::Probe => Answer::Probe(offer(vec![
                ("alerts", managed(&silences).len().to_string()),
                (
                    "silences",
                    silences.iter().filter(|one| one.state != SilenceState::Expired).count().to_string(),
                ),
                ("peers", "1".to_owned()),
            ])),
            Ask::Alerts => {
                Answer::Alerts(AlertBoard { alerts: managed(&silences).into_iter().map(Arc::new).collect() })
            }
            Ask::Silences => Answer::Silences(silences.into_iter().map(Arc::new).collect()),
            Ask::Services { .. }
            | Ask::Trends(_)
            | Ask::Detail { .. }
            | Ask::Rules
            | Ask::Slos { .. }
            | Ask::Incidents
            | Ask::Incident { .. }
            | Ask::Steps { .. }
            | Ask::OnCall
            | Ask::Series { .. }
            | Ask::Firings { .. }
            | Ask::Runbook(_) => return Err(not_offered(ask)),
        })
    }
}

impl DemoSource {
    fn silences(&self, done: &Done, now: Timestamp) -> Vec<Silence> {
        done.silences(self.world.silences(self.time.demo(now), &self.time, &self.info.id), now)
    }

    fn incidents(&self, done: &Done, now: Timestamp) -> IncidentBoard {
        self.world.incidents(done, now, &self.time, &self.info.id)
    }

    fn detail(&self, id: &str, done: &Done, now: Timestamp) -> Option<IncidentDetail> {
        self.world.incident_detail(id, done, now, &self.time, &self.info.id)
    }

    fn as_pager(&self, ask: &Ask, done: &Done, now: Timestamp) -> Result<Answer, Trouble> {
        Ok(match ask {
            Ask::Probe => {
                let open = self.incidents(done, now).incidents;
                let open = open.iter().filter(|incident| incident.is_open()).count();
                Answer::Probe(offer(vec![("open incidents", open.to_string())]))
            }
            Ask::Incidents => Answer::Incidents(self.incidents(done, now)),
            Ask::Incident { id } => {
                Answer::Incident(self.detail(id, done, now).ok_or_else(|| not_offered(ask))?)
            }
            Ask::Steps { since } => {
                Answer::Steps(self.world.all_steps(done, (*since, now), &self.time, &self.info.id))
            }
            Ask::OnCall => {
                let stood_in = done.stood_in_by(now);
                Answer::OnCall(self.world.paging.on_call(&self.world, now, &stood_in))
            }
            Ask::Services { .. }
            | Ask::Trends(_)
            | Ask::Detail { .. }
            | Ask::Alerts
            | Ask::Rules
            | Ask::Silences
            | Ask::Slos { .. }
            | Ask::Series { .. }
            | Ask::Firings { .. }
            | Ask::Runbook(_) => return Err(not_offered(ask)),
        })
    }
}

/// The moment that a question is about.
fn moment(ask: &Ask, now: Timestamp) -> Timestamp {
    match ask {
        Ask::Services { at: Some(at) } | Ask::Slos { at: Some(at) } => *at,
        _ => now,
    }
}

fn not_offered(ask: &Ask) -> Trouble {
    Trouble::NotOffered { what: ask.kind().word().to_owned() }
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
