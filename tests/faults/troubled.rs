//! The demo world's sources, one of which can fail.

use std::sync::Arc;

use burnwatch::testing::backend::{Answering, Clock, Source, demo};
use burnwatch::testing::model::ask::Ask;
use burnwatch::testing::model::source::{ErrorKind, SourceError};
use burnwatch::testing::model::source_info::SourceInfo;
use tokio::sync::watch::{Receiver, Sender, channel};

/// The message of a source that panics.
pub(crate) const BUG: &str = "a bug in a source";

/// The behaviour of the source.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    Answers,
    Hangs,
    Panics,
    Fails(ErrorKind),
}

struct Troubled {
    source: Arc<dyn Source>,
    mood: Receiver<Mood>,
}

impl Source for Troubled {
    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        let mood = self.mood.borrow().clone();
        match mood {
            Mood::Answers => self.source.answer(ask, known),
            Mood::Hangs => Box::pin(std::future::pending()),
            Mood::Panics => std::panic::panic_any(BUG),
            Mood::Fails(failure) => {
                let error = SourceError::new(self.info().id.clone(), failure);
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

/// The demo's sources, and a sender that changes the behaviour of the one with this name.
pub(crate) fn demo(name: &str, clock: Clock) -> (Vec<Arc<dyn Source>>, Sender<Mood>) {
    let (sender, mood) = channel(Mood::Answers);
    let origin = demo::origin(clock.now(), 1.5, 0.01);
    let wrap = |source: Arc<dyn Source>| -> Arc<dyn Source> {
        if source.info().id.as_str() == name {
            return Arc::new(Troubled { source, mood: mood.clone() });
        }
        source
    };
    (demo::sources(7, clock, origin, 0.01).into_iter().map(wrap).collect(), sender)
}
