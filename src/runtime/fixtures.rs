//! A small application, and sources whose answers the test chooses, for the tests of `runtime`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::app::event::Wait;
use crate::app::event::{Arrival, Effect, Event, TerminalLink};
use crate::app::key::Key;
use crate::backend::{Answering, Source};
use crate::config::settings::LimitSettings;
use crate::model::ask::{Answer, Ask, Query, QueryRange, Question, Reply, SeriesKey};
use crate::model::fixtures;
use crate::model::labels::Text;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;

use super::App;
use super::context::GatedSources;

/// How a source answers.
#[derive(Debug, Clone)]
pub(super) enum Answers {
    Never,
    After(Duration),
    With(ErrorKind),
    Panics,
}

pub(super) struct Fake {
    info: SourceInfo,
    answers: std::sync::Mutex<Answers>,
    pub(super) asked: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    pub(super) most: AtomicUsize,
}

impl Fake {
    pub(super) fn new(name: &str, answers: Answers) -> Arc<Self> {
        let info = fixtures::source(name, "toy", vec![]);
        Arc::new(Self {
            info,
            answers: answers.into(),
            asked: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    pub(super) fn now(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }
}

struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Source for Fake {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, _: &'a Ask, _: Option<u64>) -> Answering<'a> {
        let answers = self.answers.lock().unwrap().clone();
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            let _guard = InFlight(&self.in_flight);
            self.most.fetch_max(now, Ordering::SeqCst);
            match answers {
                Answers::Never => std::future::pending().await,
                Answers::After(delay) => tokio::time::sleep(delay).await,
                Answers::With(failure) => return Err(SourceError::new(self.info.id.clone(), failure)),
                Answers::Panics => panic!("a bug in a source"),
            }
            Ok(Reply::free(Answer::Unchanged))
        })
    }
}

pub(super) fn sources(list: &[(&str, Answers)]) -> GatedSources {
    let list = list.iter().map(|(name, answers)| Fake::new(name, answers.clone()) as Arc<dyn Source>);
    GatedSources::new(list.collect(), LimitSettings::default())
}

pub(super) fn question(source: &str, name: &str) -> Question {
    let minute = TimeGrid::ending(Timestamp::UNIX_EPOCH, Duration::from_secs(60), 60, Duration::ZERO);
    let time_range = QueryRange { window: minute, tail: minute };
    let ask = Query::Series { series: SeriesKey::over(name.into(), time_range.window), time_range }.now();
    Question { context: 0, source: SourceId::new(source), ask, known: None }
}

/// An application that sends its questions at each tick, quits on `q`, panics on `!`, and has a new version after each event.
#[derive(Debug, Default)]
pub(super) struct FakeApp {
    pub(super) ask: Vec<Question>,
    pub(super) ticks: usize,
    pub(super) links: Vec<TerminalLink>,
    pub(super) clicks: Vec<(u16, u16)>,
    pub(super) good: usize,
    pub(super) failed: Vec<SourceError>,
    pub(super) keys: Vec<Key>,
    pub(super) entered: Vec<Text>,
    pub(super) messages: Vec<String>,
    pub(super) size: (u16, u16),
    pub(super) version: u64,
    pub(super) rendered: AtomicUsize,
    pub(super) waits: Option<Wait>,
    pub(super) read: usize,
}

impl FakeApp {
    pub(super) fn asking(source: &str) -> Self {
        Self { ask: vec![question(source, "up")], ..Self::default() }
    }
}

impl App for FakeApp {
    fn update(&mut self, event: Event, _: Timestamp) -> Vec<Effect> {
        self.version += 1;
        match event {
            Event::Link(link) => self.links.push(link),
            Event::Tick => {
                self.ticks += 1;
                return self.ask.iter().cloned().map(Effect::Fetch).collect();
            }
            Event::Key(key) => {
                self.keys.push(key);
                let effect = match key.typed() {
                    Some('q') => Effect::Quit,
                    Some('c') => Effect::Copy("copied".into()),
                    Some('C') => Effect::Copy("x".repeat(200_000)),
                    Some('l') => Effect::Redraw,
                    Some('e') => Effect::Enter("other".into()),
                    Some('z') => Effect::Suspend,
                    Some('f') => Effect::CancelFetch(question("dead", "up")),
                    Some('!') => panic!("asked to panic"),
                    _ => return vec![],
                };
                return vec![effect];
            }
            Event::Answered(arrival) => {
                let Arrival { answered, .. } = *arrival;
                match answered {
                    Ok(_) => self.good += 1,
                    Err(error) => self.failed.push(error),
                }
            }
            Event::Resized { width, height } => self.size = (width, height),
            Event::Entered { context, .. } => self.entered.push(context),
            Event::MessageReceived(message) => self.messages.push(message.text),
            Event::Mouse { column, row, .. } => self.clicks.push((column, row)),
            Event::Read(_) => {
                self.read += 1;
                self.waits = None;
            }
            Event::Woken { .. }
            | Event::Pasted(_)
            | Event::ActionProgressed { .. }
            | Event::JournalRead(_)
            | Event::QueriesRead(_) => {}
        }
        vec![]
    }

    fn render(&self, _: Timestamp, buf: &mut Buffer) {
        self.rendered.fetch_add(1, Ordering::SeqCst);
        let text = format!("toy {} keys {} ticks", self.keys.len(), self.ticks);
        buf.set_string(0, 0, text, Style::default());
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn waits(&self) -> Option<Wait> {
        self.waits
    }
}
