//! Asks the sources exactly what a list is made from, once, through the same gates as the screen.
//!
//! The screen's own state would ask for what a screen shows, trends and all; a list in a script should cost what it tells.

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use crate::app::event::{Effect, Event};
use crate::model::ask::{Ask, AskKind, Question};
use crate::model::source::SourceInfo;
use crate::model::world::{Judgement, World};
use crate::runtime::App;

use super::view::is_settled;

/// A world, and the questions that it still waits for.
pub(super) struct Inquiry {
    pub(super) world: World,
    pub(super) sources: Vec<SourceInfo>,
    needs: &'static [AskKind],
    has_asked: bool,
}

impl Inquiry {
    /// Of these sources, about these things.
    pub(super) fn new(sources: Vec<SourceInfo>, needs: &'static [AskKind], judgement: Judgement) -> Self {
        let ids = sources.iter().map(|source| source.id.clone());
        Self { world: World::new(ids, judgement), sources, needs, has_asked: false }
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_settled(&self) -> bool {
        is_settled(&self.world, &self.sources, self.needs)
    }

    fn ask(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        for source in &self.sources {
            let asks = self
                .needs
                .iter()
                .filter(|kind| source.answers.contains(kind))
                .filter_map(|kind| simple(*kind));
            for ask in asks {
                let question = Question { context: 0, source: source.id.clone(), ask, known: None };
                self.world.asked(&question, now);
                effects.push(Effect::Fetch(question));
            }
        }
        effects
    }
}

impl App for Inquiry {
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        match event {
            Event::Tick if !self.has_asked => {
                self.has_asked = true;
                self.ask(now)
            }
            Event::Answered(arrival) => {
                self.world.apply(&arrival.question, arrival.answered, now);
                Vec::new()
            }
            Event::Tick
            | Event::Key(_)
            | Event::Pasted(_)
            | Event::Mouse { .. }
            | Event::Resized { .. }
            | Event::Entered { .. }
            | Event::Told(_) => Vec::new(),
        }
    }

    fn render(&self, _: Timestamp, _: &mut Buffer) {}

    fn version(&self) -> u64 {
        self.world.revision()
    }
}

/// The question of a kind that needs no further arguments.
fn simple(kind: AskKind) -> Option<Ask> {
    match kind {
        AskKind::Probe => Some(Ask::Probe),
        AskKind::Services => Some(Ask::Services { at: None }),
        AskKind::Alerts => Some(Ask::Alerts),
        AskKind::Rules => Some(Ask::Rules),
        AskKind::Silences => Some(Ask::Silences),
        AskKind::Trends | AskKind::Detail | AskKind::Series | AskKind::Firings => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::backend::{Answering, Source};
    use crate::config::settings::LimitSettings;
    use crate::model::alert::AlertBoard;
    use crate::model::ask::{Answer, Reply};
    use crate::model::source::{Kind, SourceError, SourceId, Trouble};
    use crate::runtime::{Clock, Sources, headless};

    /// Has no alerts, refuses rules, and never answers who it is.
    struct Odd(SourceInfo);

    impl Source for Odd {
        fn info(&self) -> &SourceInfo {
            &self.0
        }

        fn answer<'a>(&'a self, ask: &'a Ask, _: Option<u64>) -> Answering<'a> {
            Box::pin(async move {
                match ask.kind() {
                    AskKind::Alerts => Ok(Reply::free(Answer::Alerts(AlertBoard::default()))),
                    AskKind::Probe => std::future::pending().await,
                    _ => Err(SourceError::new(self.0.id.clone(), Trouble::Forbidden)),
                }
            })
        }
    }

    async fn ask(needs: &'static [AskKind]) -> (bool, Inquiry) {
        let info = SourceInfo {
            id: SourceId::new("odd"),
            kind: Kind::Alertmanager,
            address: "http://odd".into(),
            answers: vec![AskKind::Probe, AskKind::Alerts, AskKind::Rules],
        };
        let sources = Sources::new(vec![Arc::new(Odd(info))], LimitSettings::default());
        let mut inquiry = Inquiry::new(sources.infos(), needs, Judgement::default());
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let deadline = Duration::from_secs(3);
        let is_done = headless::gather(&mut inquiry, &sources, clock, Inquiry::is_settled, deadline).await;
        (is_done, inquiry)
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_as_soon_as_all_is_told_or_refused() {
        let (is_done, inquiry) = ask(&[AskKind::Alerts, AskKind::Rules, AskKind::Services]).await;
        assert!(is_done);
        let held = inquiry.world.held(&SourceId::new("odd")).unwrap();
        assert!(held.alerts.value().is_some() && held.rules.trouble().is_some());
        assert!(held.services.trouble().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_no_longer_than_the_deadline() {
        let (is_done, inquiry) = ask(&[AskKind::Probe, AskKind::Alerts]).await;
        assert!(!is_done);
        assert!(inquiry.world.held(&SourceId::new("odd")).unwrap().alerts.value().is_some());
    }
}
