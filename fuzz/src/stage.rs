//! A state whose sources answer with templates, in which every `@` is replaced by a text of the input; the target opens
//! screens and checks them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app::event::{Arrival, Effect, Event};
use burnwatch::testing::app::display_settings::{Charset, Colours, DisplaySettings};
use burnwatch::testing::app::shared::Shared;
use burnwatch::testing::app::state::State;
use burnwatch::testing::app::{render, update};
use burnwatch::testing::backend::{Source, runbooks};
use burnwatch::testing::config::settings::Settings;
use burnwatch::testing::model::notify::Notification;
use burnwatch::testing::model::text::is_harmless;
use burnwatch::testing::runtime::written;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

use crate::{answering, assert_ours, now, received, source, wait};

/// The end of a path, and the answer for it.
const TEMPLATES: [(&str, &str); 14] = [
    ("/alerts/groups", include_str!("../templates/groups.json")),
    ("/api/v2/silences", include_str!("../templates/silences.json")),
    ("/api/v2/status", include_str!("../templates/status.json")),
    ("/receivers", include_str!("../templates/receivers.json")),
    ("/api/v1/query", include_str!("../templates/vector.json")),
    ("/api/v1/rules", include_str!("../templates/rules.json")),
    ("/api/v1/targets", include_str!("../templates/targets.json")),
    ("/incidents", include_str!("../templates/incidents.json")),
    ("/incidents/P@", include_str!("../templates/incident.json")),
    ("/log_entries", include_str!("../templates/log_entries.json")),
    ("/oncalls", include_str!("../templates/oncalls.json")),
    ("/users/me", include_str!("../templates/user.json")),
    ("/notes", include_str!("../templates/notes.json")),
    ("/alerts", include_str!("../templates/alerts.json")),
];

/// A state with its sources.
pub struct Stage {
    state: State,
    sources: Vec<Arc<dyn Source>>,
    title: String,
    copied: String,
    notice: Notification,
}

impl Stage {
    /// Creates the state and answers the questions of its first screen; the texts are used in turn.
    pub fn new(texts: Vec<String>, runbook: Vec<u8>, size: (u16, u16)) -> Self {
        let mut place = 0;
        let transport = answering(move |path| {
            let template = TEMPLATES.iter().find(|(end, _)| path.ends_with(end));
            let Some((_, template)) = template else { return received(&runbook) };
            let mut value: Value = serde_json::from_str(template).expect("a template is JSON");
            fill(&mut value, &texts, &mut place);
            received(value.to_string().as_bytes())
        });
        let settings = Settings::default();
        let sources: Vec<Arc<dyn Source>> = vec![
            source("prometheus", &transport),
            source("alertmanager", &transport),
            source("pagerduty", &transport),
        ];
        let named = sources.iter().zip(["prom", "am", "pd"]).map(|(source, name)| {
            let mut info = source.info().clone();
            info.id = burnwatch::testing::model::source::SourceId::new(name);
            info
        });
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let setup = Shared::new("fuzz", named.collect(), look, size);
        let state = State::new(Shared { person: "ana".into(), ..setup });
        let notice = Notification { bell: true, desktop: None };
        let mut stage = Self { state, sources, title: String::new(), copied: String::new(), notice };
        stage.sources.push(runbooks(&settings, &transport));
        stage.send(Event::Tick);
        stage
    }

    /// Presses a key; ignores text that is no key.
    pub fn press(&mut self, key: &str) {
        if let Ok(key) = key.parse() {
            self.send(Event::Key(key));
        }
    }

    /// Handles an event, and answers the questions that follow from it.
    pub fn send(&mut self, event: Event) {
        let mut effects: VecDeque<Effect> = update(&mut self.state, event, now()).into();
        for _ in 0..200 {
            match effects.pop_front() {
                Some(Effect::Fetch(question)) => {
                    let at =
                        ["prom", "am", "pd"].iter().position(|name| *name == question.source.to_string());
                    let source = &self.sources[at.unwrap_or(3)];
                    let answered = wait(source.answer(&question.ask, question.known));
                    let arrival = Arrival { question, answered, took: Duration::from_millis(1) };
                    effects.extend(update(&mut self.state, Event::Answered(Box::new(arrival)), now()));
                }
                Some(Effect::Title(title)) => self.title = title,
                Some(Effect::Copy(text)) => self.copied = text,
                Some(Effect::Notify(notice)) => self.notice = notice,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Draws a frame and checks each cell and each byte for the terminal.
    ///
    /// # Panics
    /// If a cell or a byte is not allowed.
    pub fn check(&self) {
        let (width, height) = self.state.shared.size;
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
        render(&self.state, now(), &mut buffer);
        for cell in buffer.content() {
            let marks = cell.symbol().chars().count();
            assert!(cell.symbol().chars().all(is_harmless) && marks <= 64, "{:?} in a cell", cell.symbol());
        }
        assert_ours(&written(buffer, self.title.clone(), &self.notice, self.copied.clone()));
    }
}

fn fill(value: &mut Value, texts: &[String], place: &mut usize) {
    match value {
        Value::String(text) if text.contains('@') => {
            *place += 1;
            *text = text.replace('@', texts.get(*place % texts.len().max(1)).map_or("", String::as_str));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| fill(value, texts, place)),
        Value::Object(fields) => {
            let old = std::mem::take(fields);
            for (name, mut value) in old {
                fill(&mut value, texts, place);
                *place += usize::from(name.contains('@'));
                let text = texts.get(*place % texts.len().max(1)).map_or("", String::as_str);
                fields.insert(name.replace('@', text), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
