//! burnwatch in a terminal with three sources: one gets one fault after the other, two are healthy.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, Seen};
use crate::harness::Terminal;
use crate::names::Names;
use crate::proc::Footprint;

/// The time limit to report a fault: two intervals at most.
const NAMED: Duration = Duration::from_secs(15);
/// Long enough for the final message of a fault: a time-out after the limit to report it.
const WORDS: Duration = Duration::from_secs(26);
/// The time limit from a key to the screen, on a machine that runs all faults at once.
const KEY: Duration = Duration::from_secs(5);
/// How long a source is observed that must not be reported.
const WATCHED: Duration = Duration::from_secs(11);
/// A text that only the screens Sources and Overview have.
const SOURCES: &str = "data/min";
const OVERVIEW: &str = "Firing and pending";
const OFTEN: Duration = Duration::from_millis(40);

/// The source that gets faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultySource {
    Prometheus,
    Alertmanager,
    PagerDuty,
}

impl FaultySource {
    pub(crate) const ALL: [Self; 3] = [Self::Prometheus, Self::Alertmanager, Self::PagerDuty];

    /// The source's name in the configuration.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Prometheus => "prom",
            Self::Alertmanager => "am",
            Self::PagerDuty => "pd",
        }
    }

    /// The key of the screen that shows its data, and a text that must stay visible there.
    fn screen(self) -> (&'static str, &'static str) {
        match self {
            Self::Prometheus => ("2", "prometheus"),
            Self::Alertmanager => ("4", "AlwaysFiring"),
            Self::PagerDuty => ("5", "Q1 is failing"),
        }
    }

    /// How often `j` must be pressed on the Sources screen to reach it.
    fn row(self) -> usize {
        match self {
            Self::Alertmanager => 0,
            Self::PagerDuty => 1,
            Self::Prometheus => 2,
        }
    }
}

/// The addresses of the sources.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) prom: String,
    pub(crate) am: String,
    pub(crate) pd: String,
}

impl Addresses {
    /// The same addresses, with another one for this source.
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

/// The result of one fault of one source.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) fault: Fault,
    pub(crate) who: FaultySource,
    /// The time until the fault was reported; None: it was not reported, as expected.
    pub(crate) named: Option<Duration>,
    /// The reported reason.
    pub(crate) said: String,
    /// The longest time from a key to the screen during the fault.
    pub(crate) key: Duration,
    /// The time until all sources were fine again.
    pub(crate) back: Option<Duration>,
    pub(crate) footprint: Option<Footprint>,
}

/// burnwatch in a terminal.
pub(crate) struct TerminalRun {
    who: FaultySource,
    terminal: Terminal,
    _home: TempDir,
}

impl TerminalRun {
    /// Starts burnwatch on the Sources screen with the cursor on this source.
    pub(crate) async fn start(who: FaultySource, addresses: &Addresses, authority: Option<&str>) -> Self {
        Self::start_among(who, addresses, authority, None).await
    }

    /// As [`Self::start`], with these host names.
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

    /// The memory and open files of the process.
    pub(crate) fn footprint(&self) -> Option<Footprint> {
        Footprint::of(self.terminal.pid)
    }

    /// Waits until the screen is as expected; returns how long that took.
    ///
    /// # Errors
    /// The failed expectation, with the screen.
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

    /// Waits until all sources are fine.
    pub(crate) async fn well(&self, limit: Duration) -> Result<Duration, String> {
        self.wait(limit, "all sources are well", |screen| screen.contains("3/3 sources")).await
    }

    /// Presses a key; returns how long it took until the screen showed this text.
    async fn press(&mut self, key: &str, words: &str) -> Result<Duration, String> {
        self.terminal.send(key);
        // the screen before may have the same text
        let is_there = |screen: &str| screen.contains(words) && (key == "9" || !screen.contains(SOURCES));
        self.wait(KEY, &format!("{words:?} after {key:?}"), is_there).await
    }

    /// Checks that the source's data are still visible on its screen, marked as old if they are.
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

    /// Waits until the data that must stay visible have loaded.
    pub(crate) async fn known(&mut self) {
        for _ in 0..10 {
            if self.kept(false).await.is_ok() {
                return;
            }
        }
    }

    /// Runs one fault from its start to the recovery.
    ///
    /// # Errors
    /// The failed expectation, with the screen.
    pub(crate) async fn play(&mut self, fault: Fault, ways: &Sender<Fault>) -> Result<Cell, String> {
        let begins = || assert!(ways.send(fault).is_ok(), "the proxy runs");
        let ends = || assert!(ways.send(Fault::None).is_ok(), "the proxy runs");
        self.play_with(fault, begins, ends).await
    }

    /// As [`Self::play`], for a fault that starts and ends without the proxy.
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

    /// As [`Self::play`], for a source that never existed.
    pub(crate) async fn play_absent(&mut self, fault: Fault, words: &str) -> Result<Cell, String> {
        let (named, said, key) = self.doubted(fault, words).await?;
        Ok(Cell { fault, who: self.who, named, said, key, back: None, footprint: self.footprint() })
    }

    /// Observes a fault that must be reported: the time until then, the reason, and the slowest key meanwhile.
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
            // there were never any data
            Fault::NoSuchHost => self.press("1", OVERVIEW).await?.max(self.press("9", SOURCES).await?),
            // `null` is a valid empty list of an Alertmanager: only its status fails
            Fault::Null if self.who == FaultySource::Alertmanager => self.kept(false).await?,
            _ => self.kept(fault != Fault::Flaps).await?,
        };
        Ok((Some(named), said, key))
    }

    /// Observes a fault that only causes a note.
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

/// The reason in the details below the list of sources.
fn reason(screen: &str, id: &str) -> Option<String> {
    let line = screen.lines().find(|line| line.contains("error") && is_named(line, id))?;
    Some(line.split_once("; ")?.1.trim().to_owned())
}

/// Whether a line reports that a source's data are old (`prom: rules 16s old`) or missing.
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
