//! The paths of burnwatch's own files on this machine.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The paths of burnwatch's own files; none of them must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub config: PathBuf,
    /// The user's metric packs, one `NAME.toml` each.
    pub packs: PathBuf,
    /// The user's themes, one `NAME.toml` each.
    pub themes: PathBuf,
    pub log: PathBuf,
    /// The folder for data that is kept between runs.
    pub state: PathBuf,
}

impl Paths {
    /// By the conventions of the operating system (on Linux the XDG directories); `None` if the user has no home directory.
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

    /// The journal of actions on external systems, one line per step.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// The journal of actions in demo mode.
    pub fn demo_journal(&self) -> PathBuf {
        self.state.join("journal-demo.jsonl")
    }

    /// The saved views and the history of queries; those of demo mode are in a file of their own.
    pub fn queries(&self, is_demo: bool) -> PathBuf {
        self.state.join(if is_demo { "explore-demo.json" } else { "explore.json" })
    }

    /// All paths with their names for users.
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
