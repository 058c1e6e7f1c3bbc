//! Where burnwatch's own files lie on this machine.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The places of burnwatch's own files; none of them need exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub config: PathBuf,
    /// Own SLI packs, one `NAME.toml` each.
    pub packs: PathBuf,
    /// Own themes, one `NAME.toml` each.
    pub themes: PathBuf,
    /// What happened, for looking into later.
    pub log: PathBuf,
    /// What outlives a run.
    pub state: PathBuf,
}

impl Paths {
    /// By the custom of this system (on Linux the XDG directories); `None` where the person has no home.
    pub fn of_this_machine() -> Option<Self> {
        let dirs = ProjectDirs::from("", "", "burnwatch")?;
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned();
        let config = dirs.config_dir();
        Some(Self {
            config: config.join("config.toml"),
            packs: config.join("packs"),
            themes: config.join("themes"),
            log: state.join("burnwatch.log"),
            state,
        })
    }

    /// What was done to the systems outside, a line for each step.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// The same for what was played in the demo world.
    pub fn demo_journal(&self) -> PathBuf {
        self.state.join("journal-demo.jsonl")
    }

    /// Each place with the word for it.
    pub fn all(&self) -> [(&'static str, &PathBuf); 5] {
        [
            ("config", &self.config),
            ("packs", &self.packs),
            ("themes", &self.themes),
            ("log", &self.log),
            ("state", &self.state),
        ]
    }
}
