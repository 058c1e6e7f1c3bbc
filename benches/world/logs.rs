//! The screen of logs with many loaded lines.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::display_settings::{Charset, Colours, DisplaySettings};
use burnwatch::testing::app::event::{Arrival, Effect, Event};
use burnwatch::testing::app::log_subject::LogSubject;
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::shared::Shared;
use burnwatch::testing::app::state::State;
use burnwatch::testing::app::{render, update};
use burnwatch::testing::model::ask::{Answer, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::log::{LogLine, LogLines, LogQuery, ReadLines};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::fleet::now;

const SIZE: (u16, u16) = (200, 60);

/// The screen with its lines.
pub(crate) struct Logs {
    state: State,
    buffer: Buffer,
}

impl Logs {
    pub(crate) fn new(count: i64) -> Self {
        let source = fixtures::source("loki", "loki", vec![AskKind::LogLines]);
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let mut state = State::new(Shared::new("bench", vec![source], look, SIZE));
        let subject = LogSubject::new("pay".into(), LogQuery::default(), None);
        state.reset_to(Place::Logs(Arc::new(subject)));
        let labels = Labels::from_iter([("service_name", "pay"), ("pod", "pay-1")]);
        let line = |n: i64| {
            let text = format!(
                r#"{{"ts":"x","level":"info","msg":"request {n} done","route":"/pay/:id","status":200,"took_ms":{n}}}"#
            );
            let at = now() - SignedDuration::from_millis((count - n) * 100);
            LogLine::new(at, labels.clone(), Labels::default(), text.as_bytes())
        };
        let lines: Vec<LogLine> = (0..count).map(line).collect();
        for effect in update(&mut state, Event::Tick, now()) {
            let Effect::Fetch(question) = effect else { continue };
            let Query::LogLines { page, .. } = &question.ask.query else { continue };
            let read = ReadLines { lines: lines.clone(), ..ReadLines::default() };
            let answer = LogLines::of_page("{service_name=\"pay\"}".into(), Vec::new(), page, read);
            let answered = Ok(Reply::free(Answer::LogLines(answer)));
            let arrival = Arrival { question, answered, took: Duration::ZERO };
            update(&mut state, Event::Answered(Box::new(arrival)), now());
        }
        assert_eq!(i64::try_from(state.screens.logs.list.lines().len()).ok(), Some(count));
        Self { state, buffer: Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1)) }
    }

    pub(crate) fn press(&mut self, key: &str) {
        black_box(update(&mut self.state, Event::Key(key.parse().unwrap()), now()));
    }

    pub(crate) fn draw(&mut self) {
        self.buffer.reset();
        render(&self.state, now(), &mut self.buffer);
        black_box(&self.buffer);
    }
}
