//! burnwatch in a terminal, before one source that faults befall one after the other, and two that are well.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, Seen};
use crate::harness::Terminal;
use crate::names::Names;
use crate::proc::Footprint;

/// The promise: two intervals, and never later.
const NAMED: Duration = Duration::from_secs(15);
/// Long enough for a fault to show its last words: a time-out after the promise to name it.
const WORDS: Duration = Duration::from_secs(26);
/// How long a machine that is busy with all faults at once may take from a key to the screen.
const KEY: Duration = Duration::from_secs(5);
/// How long something is looked at that must not be named.
const WATCHED: Duration = Duration::from_secs(11);
/// What only the screens of the sources and of the overview show.
const SOURCES: &str = "what it is";
const OVERVIEW: &str = "Firing and pending";
const OFTEN: Duration = Duration::from_millis(40);

/// Who falls ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultySource {
    Prometheus,
    Alertmanager,
    PagerDuty,
}

impl FaultySource {
    pub(crate) const ALL: [Self; 3] = [Self::Prometheus, Self::Alertmanager, Self::PagerDuty];

    /// Its name in the configuration.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Prometheus => "prom",
            Self::Alertmanager => "am",
            Self::PagerDuty => "pd",
        }
    }

    /// The key of the screen that shows it, and what must stay in sight there.
    fn screen(self) -> (&'static str, &'static str) {
        match self {
            Self::Prometheus => ("2", "prometheus"),
            Self::Alertmanager => ("4", "AlwaysFiring"),
            Self::PagerDuty => ("5", "Q1 is failing"),
        }
    }

    /// How often `j` is pressed on Sources until the cursor is at it.
    fn row(self) -> usize {
        match self {
            Self::Alertmanager => 0,
            Self::PagerDuty => 1,
            Self::Prometheus => 2,
        }
    }
}

/// Where each source is.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) prom: String,
    pub(crate) am: String,
    pub(crate) pd: String,
}

impl Addresses {
    /// One of them somewhere else.
    pub(crate) fn with(&self, who: FaultySource, url: &str) -> Self {
        let mut addresses = self.clone();
        *match who {
            FaultySource::Prometheus => &mut addresses.prom,
            FaultySource::Alertmanager => &mut addresses.am,
            FaultySource::PagerDuty => &mut addresses.pd,
        } = url.to_owned();
        addresses
    }
}

/// What became of one fault of one source.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) fault: Fault,
    pub(crate) who: FaultySource,
    /// After how long it was seen that something is wrong; none: it was not, and should not be.
    pub(crate) named: Option<Duration>,
    /// What was said of it.
    pub(crate) said: String,
    /// The longest that a key took to the screen meanwhile.
    pub(crate) key: Duration,
    /// After how long all was well again.
    pub(crate) back: Option<Duration>,
    pub(crate) footprint: Option<Footprint>,
}

/// burnwatch in its terminal.
pub(crate) struct TerminalRun {
    who: FaultySource,
    terminal: Terminal,
    _home: TempDir,
}

impl TerminalRun {
    /// Starts it with this source on the Sources screen under the cursor.
    pub(crate) async fn start(who: FaultySource, addresses: &Addresses, authority: Option<&str>) -> Self {
        Self::start_among(who, addresses, authority, None).await
    }

    /// As [`Self::start`], where these names hold.
    pub(crate) async fn start_among(
        who: FaultySource,
        addresses: &Addresses,
        authority: Option<&str>,
        names: Option<&Names>,
    ) -> Self {
        let home = TempDir::new().expect("a folder can be made");
        let configuration = write(home.path(), "config.toml", &configuration(addresses));
        let path = home.path().to_str().expect("a folder for tests has a plain name");
        let authority = authority.map(|pem| write(home.path(), "authority.pem", pem));
        let mut env =
            vec![("HOME", path), ("XDG_STATE_HOME", path), ("TZ", "UTC"), ("USER", "ana"), ("KEY", "u+x")];
        env.extend(authority.as_ref().map(|path| ("SSL_CERT_FILE", path.as_str())));
        let program = env!("CARGO_BIN_EXE_burnwatch");
        let args = ["--config", &configuration];
        let mut terminal = if let Some(names) = names {
            let words = names.around(program, &args);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            Terminal::start("unshare", &words, &env, (200, 50))
        } else {
            Terminal::start(program, &args, &env, (200, 50))
        };
        let shown = |screen: &str| screen.contains("sources");
        let begun = Instant::now();
        while !shown(&terminal.screen()) && begun.elapsed() < Duration::from_secs(30) {
            sleep(OFTEN).await;
        }
        terminal.send("9");
        terminal.send(&"j".repeat(who.row()));
        Self { who, terminal, _home: home }
    }

    /// Its process.
    pub(crate) fn footprint(&self) -> Option<Footprint> {
        Footprint::of(self.terminal.pid)
    }

    /// Waits until the screen looks so; says how long that took.
    ///
    /// # Errors
    /// What was waited for in vain, with the screen.
    pub(crate) async fn wait(
        &self,
        limit: Duration,
        what: &str,
        looks: impl Fn(&str) -> bool,
    ) -> Result<Duration, String> {
        let begun = Instant::now();
        loop {
            let screen = self.terminal.screen();
            let took = begun.elapsed();
            if looks(&screen) {
                return Ok(took);
            }
            if took > limit {
                return Err(format!("after {took:.1?} not yet: {what}\n{screen}"));
            }
            sleep(OFTEN).await;
        }
    }

    /// Waits until all sources are well.
    pub(crate) async fn well(&self, limit: Duration) -> Result<Duration, String> {
        self.wait(limit, "all sources are well", |screen| screen.contains("3/3 sources")).await
    }

    /// Presses a key, and says how long it took until the screen showed these words.
    async fn press(&mut self, key: &str, words: &str) -> Result<Duration, String> {
        self.terminal.send(key);
        // what was on the screen before may hold the same words
        let is_there = |screen: &str| screen.contains(words) && (key == "9" || !screen.contains(SOURCES));
        self.wait(KEY, &format!("{words:?} after {key:?}"), is_there).await
    }

    /// What is known of the source is still in sight on its screen, named as old where it is so.
    pub(crate) async fn kept(&mut self, is_in_doubt: bool) -> Result<Duration, String> {
        let (key, known) = self.who.screen();
        let mut longest = self.press(key, known).await?;
        if is_in_doubt {
            let id = self.who.id();
            self.wait(KEY, "it is named with its age", |screen| {
                screen.lines().any(|line| is_named(line, id))
            })
            .await?;
        }
        for (key, words) in [("1", OVERVIEW), ("9", SOURCES)] {
            longest = longest.max(self.press(key, words).await?);
        }
        Ok(longest)
    }

    /// Waits until what is to be kept is there.
    pub(crate) async fn known(&mut self) {
        for _ in 0..10 {
            if self.kept(false).await.is_ok() {
                return;
            }
        }
    }

    /// Plays one fault through.
    ///
    /// # Errors
    /// The promise that was not kept, with the screen.
    pub(crate) async fn play(&mut self, fault: Fault, ways: &Sender<Fault>) -> Result<Cell, String> {
        let begins = || assert!(ways.send(fault).is_ok(), "the proxy runs");
        let ends = || assert!(ways.send(Fault::None).is_ok(), "the proxy runs");
        self.play_with(fault, begins, ends).await
    }

    /// As [`Self::play`], for what begins and ends in another way than by a proxy.
    pub(crate) async fn play_with(
        &mut self,
        fault: Fault,
        begins: impl FnOnce(),
        ends: impl FnOnce(),
    ) -> Result<Cell, String> {
        self.well(Duration::from_secs(40)).await?;
        begins();
        let (named, said, key) = match fault.seen() {
            Seen::Doubt(words) => self.doubted(fault, words).await?,
            Seen::Note(words) => self.noted(words).await?,
        };
        ends();
        let back = self.well(fault.back()).await?;
        let key = key.max(self.kept(false).await?);
        let back = named.is_some().then_some(back);
        Ok(Cell { fault, who: self.who, named, said, key, back, footprint: self.footprint() })
    }

    /// As [`Self::play`], for a source that was never there.
    pub(crate) async fn play_absent(&mut self, fault: Fault, words: &str) -> Result<Cell, String> {
        let (named, said, key) = self.doubted(fault, words).await?;
        Ok(Cell { fault, who: self.who, named, said, key, back: None, footprint: self.footprint() })
    }

    /// What happens while a source is in doubt: after how long it is named, how, and how quickly keys work meanwhile.
    async fn doubted(
        &mut self,
        fault: Fault,
        words: &str,
    ) -> Result<(Option<Duration>, String, Duration), String> {
        let begun = Instant::now();
        let named = self.wait(NAMED, "it is named", |screen| screen.contains("2/3 sources")).await?;
        let id = self.who.id();
        let says = |screen: &str| reason(screen, id).filter(|reason| reason.contains(words));
        let what = format!("{words:?} is said of it");
        self.wait(WORDS.saturating_sub(begun.elapsed()), &what, |screen| says(screen).is_some()).await?;
        let said = says(&self.terminal.screen()).unwrap_or_else(|| words.to_owned());
        if fault != Fault::Flaps {
            self.wait(KEY, "what to do", |screen| screen.contains("what to do")).await?;
        }
        let key = match fault {
            // nothing was ever known
            Fault::NoSuchHost => self.press("1", OVERVIEW).await?.max(self.press("9", SOURCES).await?),
            // an Alertmanager's empty list may be `null`: only its status is in doubt
            Fault::Null if self.who == FaultySource::Alertmanager => self.kept(false).await?,
            _ => self.kept(fault != Fault::Flaps).await?,
        };
        Ok((Some(named), said, key))
    }

    /// What happens while a source is odd and well.
    async fn noted(&mut self, words: &str) -> Result<(Option<Duration>, String, Duration), String> {
        let begun = Instant::now();
        let mut key = Duration::ZERO;
        while begun.elapsed() < WATCHED {
            key = key.max(self.kept(false).await?);
            let screen = self.terminal.screen();
            if !screen.contains("3/3 sources") {
                return Err(format!("it is named, but should not be\n{screen}"));
            }
            sleep(OFTEN).await;
        }
        self.wait(WORDS, &format!("{words:?} is said of it"), |screen| screen.contains(words)).await?;
        Ok((None, words.to_owned(), key))
    }
}

/// The comment: why a source is in doubt, as the page below the list says it.
fn reason(screen: &str, id: &str) -> Option<String> {
    let line = screen.lines().find(|line| line.contains("trouble") && is_named(line, id))?;
    Some(line.split_once("; ")?.1.trim().to_owned())
}

/// Whether a line says of a source that what it told is old (`prom: rules 16s old`), or that it told nothing yet.
pub(crate) fn is_named(line: &str, id: &str) -> bool {
    let Some((_, said)) = line.split_once(&format!("{id}: ")) else { return false };
    said.starts_with("no data yet") || said.contains(" old")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("it can be written");
    path.to_str().expect("a folder for tests has a plain name").to_owned()
}

fn configuration(addresses: &Addresses) -> String {
    let Addresses { prom, am, pd } = addresses;
    format!(
        "[sources.prom]\nkind = \"prometheus\"\nurl = \"{prom}\"\n\
         [sources.am]\nkind = \"alertmanager\"\nurl = \"{am}\"\n\
         [sources.pd]\nkind = \"pagerduty\"\nurl = \"{pd}\"\nauth.token = {{ env = \"KEY\" }}\n\
         [limits]\nbody_mib = 4\n"
    )
}
