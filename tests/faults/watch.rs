//! Observes four screens every second while a source fails and recovers.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::app;
use burnwatch::testing::app::display_settings::{Charset, Colours, DisplaySettings};
use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::shared::Shared;
use burnwatch::testing::app::state::State;
use burnwatch::testing::backend::Clock;
use burnwatch::testing::backend::Source;
use burnwatch::testing::config::settings::LimitSettings;
use burnwatch::testing::model::guard::Guard;
use burnwatch::testing::model::source::SourceId;
use burnwatch::testing::runtime::GatedSources;
use burnwatch::testing::runtime::headless::gather;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;

use crate::lane::is_named;

/// The screens: key and title.
const SCREENS: [(&str, &str); 4] = [("1", "Overview"), ("2", "Services"), ("4", "Alerts"), ("9", "Sources")];
/// The time limit to report a fault: two intervals at most.
const NAMED: Duration = Duration::from_secs(15);
/// The time limit for recovery: about one interval, or the time-out of the question in flight at the end of the fault.
const BACK: Duration = Duration::from_secs(13);
/// Long enough for the final message of a fault: a time-out after the limit to report it.
const WORDS: Duration = Duration::from_secs(26);

/// One fault to observe.
pub(crate) struct Play<F> {
    pub(crate) what: String,
    /// The source that fails.
    pub(crate) source: &'static str,
    /// The text on the Sources screen.
    pub(crate) words: &'static str,
    /// A service and an alert that must stay visible.
    pub(crate) service: &'static str,
    pub(crate) alert: &'static str,
    pub(crate) sources: Vec<Arc<dyn Source>>,
    pub(crate) limits: LimitSettings,
    pub(crate) clock: Clock,
    /// Starts the fault (true) or ends it (false).
    pub(crate) change: F,
}

/// The real state, and its screens at the last tick.
struct Watcher {
    state: State,
    pictures: Vec<String>,
}

impl Watcher {
    fn new(sources: &GatedSources) -> Self {
        let look = DisplaySettings::probe(Colours::True, Charset::Unicode);
        let setup = Shared::new("faults", sources.infos(), look, (200, 50));
        let state = State::new(Shared { guard: Guard::read_only("a watch"), ..setup });
        Self { state, pictures: vec![String::new(); SCREENS.len()] }
    }

    /// Whether the screen reports the source's data as old or missing.
    fn names(&self, screen: usize, source: &str) -> bool {
        self.pictures[screen].lines().any(|line| is_named(line, source))
    }

    fn doubts_anything(&self) -> bool {
        let ids: Vec<SourceId> = self.state.shared.sources.iter().map(|info| info.id.clone()).collect();
        (0..self.pictures.len()).any(|screen| ids.iter().any(|id| self.names(screen, id.as_str())))
    }

    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let tick = matches!(event, Event::Tick);
        let mut effects = app::update(&mut self.state, event, now);
        if tick {
            for (screen, (key, _)) in SCREENS.iter().enumerate() {
                effects.extend(app::update(&mut self.state, Event::Key(key.parse().expect("a key")), now));
                let (width, height) = self.state.shared.size;
                let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
                app::render(&self.state, now, &mut buffer);
                let rows = buffer.content().chunks(usize::from(width));
                let lines = rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
                self.pictures[screen] = lines.collect::<Vec<_>>().join("\n");
            }
        }
        effects
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Starts,
    Ill(Instant),
    Named(Instant),
    Well(Instant),
}

/// Runs the fault from its start to the recovery; panics with the screens if an expectation fails.
pub(crate) async fn play<F: Fn(bool)>(play: Play<F>) {
    let Play { what, source, words, service, alert, sources, limits, clock, change } = play;
    let sources = GatedSources::new(sources, limits);
    let mut watcher = Watcher::new(&sources);
    let act = Cell::new(Act::Starts);
    let begun = Instant::now();
    let check = |watcher: &Watcher| {
        let broken = |promise: &str| {
            let pictures = watcher.pictures.join("\n\n");
            panic!("{what}, {:?} after the start, {:?}: {promise}\n{pictures}", begun.elapsed(), act.get());
        };
        let kept = watcher.pictures[1].contains(service) && watcher.pictures[2].contains(alert);
        match act.get() {
            Act::Starts if kept && !watcher.doubts_anything() => {
                act.set(Act::Ill(Instant::now()));
                change(true);
            }
            Act::Starts if begun.elapsed() > Duration::from_secs(20) => broken("it is well at first"),
            Act::Starts => {}
            Act::Ill(since) => {
                let unnamed = (0..SCREENS.len()).find(|screen| !watcher.names(*screen, source));
                match unnamed {
                    None => act.set(Act::Named(since)),
                    Some(screen) if since.elapsed() > NAMED => {
                        broken(&format!("{} names it within 15 s", SCREENS[screen].1));
                    }
                    Some(_) => {}
                }
            }
            Act::Named(since) => {
                if !kept {
                    broken("old data are kept");
                }
                if source.contains("alertmanager") && watcher.pictures[0].contains("✓ present") {
                    broken("a watchdog that nobody hears is not said to live");
                }
                if watcher.pictures[3].contains(words) {
                    if !watcher.pictures[3].contains("what to do") {
                        broken("Sources says what to do");
                    }
                    act.set(Act::Well(Instant::now()));
                    change(false);
                } else if since.elapsed() > WORDS {
                    broken(&format!("Sources says {words:?}"));
                }
            }
            Act::Well(since) => {
                if !watcher.doubts_anything() {
                    return true;
                }
                if since.elapsed() > BACK {
                    broken("it is back soon after the fault");
                }
            }
        }
        false
    };
    let done = gather(&mut watcher, Watcher::update, &sources, (clock, Duration::from_secs(90)), check).await;
    assert!(done, "{what}: not done after 90 s, {:?}", act.get());
}
