//! A simulated fleet: its services, alerts and SLOs, and a state that has received all of them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::display_settings::{Charset, Colours, DisplaySettings};
use burnwatch::testing::app::event::{Arrival, Effect, Event};
use burnwatch::testing::app::shared::Shared;
use burnwatch::testing::app::state::State;
use burnwatch::testing::app::{render, update};
use burnwatch::testing::model::alert::{Alert, AlertSnapshot};
use burnwatch::testing::model::ask::{Answer, AskKind, Question, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::{Interner, Labels};
use burnwatch::testing::model::rule::RuleSnapshot;
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot, Signals};
use burnwatch::testing::model::slo::{
    Evaluation, Family, GroupReading, MeasuredRatio, RecordedSeries, Slo, SloAlerting, SloReading,
    SloSnapshot,
};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const SIZE: (u16, u16) = (200, 60);
pub(crate) const NOW: i64 = 1_768_359_127;
/// The lookbacks of each SLO, in seconds.
const LOOKBACKS: [u64; 7] = [300, 1800, 3600, 7200, 21_600, 86_400, 259_200];

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// An SLO for each service, one in ten of them burning.
fn promises(services: usize) -> SloSnapshot {
    let reading = |n: usize| {
        let id = format!("service-{n}-availability");
        let slo = Slo {
            name: "availability".into(),
            service: Some(format!("service-{n}").into()),
            labels: Labels::from_iter([("team", format!("team-{}", n % 8)), ("tier", (n % 3).to_string())]),
            // a name that many alerts have
            alerting: SloAlerting { name: Some(format!("Alert{}", n % 12).into()), ..SloAlerting::default() },
            recorded: Some(RecordedSeries {
                family: Family::Sloth,
                id: id.as_str().into(),
                labels: Labels::default(),
                metric: "".into(),
                lookbacks: LOOKBACKS.map(Duration::from_secs).to_vec(),
                plugins: Vec::new(),
            }),
            ..fixtures::slo(&id)
        };
        let error = if n.is_multiple_of(10) { 0.02 } else { 0.0002 + n as f64 * 1e-7 };
        let measured = MeasuredRatio::Ratio { error, events: None };
        let recent = LOOKBACKS.map(|seconds| (Duration::from_secs(seconds), measured)).to_vec();
        let group = GroupReading { is_time_weighted: true, ..fixtures::group(measured, recent) };
        SloReading { evaluation: Evaluation::Recorded, ..fixtures::reading(slo, vec![group]) }
    };
    let mut readings: Vec<SloReading> = (0..services).map(reading).collect();
    readings.sort_by(|a, b| a.slo.id.cmp(&b.slo.id));
    SloSnapshot { at: now(), readings }
}

/// A state that has received all answers of a fleet.
pub(crate) struct Fleet {
    state: State,
    now: Timestamp,
    pub(crate) alerts: AlertSnapshot,
    pub(crate) rules: RuleSnapshot,
    services: ServiceSnapshot,
    slos: SloSnapshot,
    buffer: Buffer,
}

impl Fleet {
    pub(crate) fn new(services: usize, alerts: AlertSnapshot) -> Self {
        let answers = [
            ("prometheus", vec![AskKind::Services, AskKind::Slos, AskKind::Rules]),
            ("alertmanager", vec![AskKind::Alerts]),
        ];
        let sources = answers.map(|(kind, answers)| fixtures::source(kind, kind, answers));
        let mut interner = Interner::default();
        let reading = |n: usize| ServiceReading {
            name: interner.text(&format!("service-{n}")),
            labels: Labels::from_iter([("team", format!("team-{}", n % 8))]),
            signals: Signals {
                request_rate: Some(n as f64),
                error_ratio: Some(if n.is_multiple_of(10) { 0.2 } else { 0.0 }),
                p95: Some(0.2),
                ..Signals::default()
            },
            ..ServiceReading::default()
        };
        let mut readings: Vec<ServiceReading> = (0..services).map(reading).collect();
        readings.sort_by(|a, b| a.name.cmp(&b.name));
        let services = ServiceSnapshot { readings, lookback: Duration::from_secs(60) };
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let state = State::new(Shared::new("bench", sources.to_vec(), look, SIZE));
        let buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        let slos = promises(services.readings.len());
        let rules = RuleSnapshot::default();
        let mut fleet = Self { state, now: now(), alerts, rules, services, slos, buffer };
        for kind in [AskKind::Services, AskKind::Slos, AskKind::Rules, AskKind::Alerts] {
            fleet.answer(kind);
        }
        fleet
    }

    /// Lets time pass until questions of this kind are due, and returns these.
    pub(crate) fn asked(&mut self, kind: AskKind) -> Vec<Question> {
        self.now += SignedDuration::from_mins(2);
        let mut wanted = Vec::new();
        for effect in update(&mut self.state, Event::Tick, self.now) {
            match effect {
                Effect::Fetch(question) if question.ask.kind() == kind => wanted.push(question),
                Effect::Fetch(question) => self.reply(question, Answer::Unchanged),
                _ => {}
            }
        }
        wanted
    }

    fn reply(&mut self, question: Question, answer: Answer) {
        let arrival = Arrival { question, answered: Ok(Reply::free(answer)), took: Duration::ZERO };
        update(&mut self.state, Event::Answered(Box::new(arrival)), self.now);
    }

    /// Answers these questions, which are all of one kind.
    pub(crate) fn give(&mut self, questions: Vec<Question>) {
        for question in questions {
            let answer = match question.ask.kind() {
                AskKind::Alerts => Answer::Alerts(self.alerts.clone()),
                AskKind::Rules => Answer::Rules(self.rules.clone()),
                AskKind::Slos => Answer::Slos(SloSnapshot { at: self.now, ..self.slos.clone() }),
                _ => Answer::Services(self.services.clone()),
            };
            self.reply(question, answer);
        }
    }

    pub(crate) fn answer(&mut self, kind: AskKind) {
        let questions = self.asked(kind);
        self.give(questions);
    }

    pub(crate) fn press(&mut self, key: &str) {
        update(&mut self.state, Event::Key(key.parse().unwrap()), self.now);
    }

    pub(crate) fn draw(&mut self) {
        self.buffer.reset();
        render(&self.state, self.now, &mut self.buffer);
        black_box(&self.buffer);
    }
}

/// The same alerts; each `every`th has another annotation.
pub(crate) fn changed(snapshot: &AlertSnapshot, every: usize) -> AlertSnapshot {
    let change = |(n, alert): (usize, &Arc<Alert>)| {
        if !n.is_multiple_of(every) {
            return Arc::clone(alert);
        }
        let pairs = alert.annotations.iter().map(|(name, value)| (name.clone(), value.clone()));
        let annotations = Labels::new(pairs.chain([("value".into(), "0.07".into())]).collect());
        Arc::new(Alert { annotations, ..(**alert).clone() })
    };
    AlertSnapshot { alerts: snapshot.alerts.iter().enumerate().map(change).collect() }
}

/// The alerting rules behind these alerts.
pub(crate) fn raised(snapshot: &AlertSnapshot) -> RuleSnapshot {
    let of = |alert: &Arc<Alert>| {
        Arc::new(Alert { receivers: Arc::from([]), value: Some(0.07), ..(**alert).clone() })
    };
    RuleSnapshot { alerts: snapshot.alerts.iter().map(of).collect(), ..RuleSnapshot::default() }
}
