//! Changes: deployments, restarts, configuration and the like, as sources report them and merged over all sources.

use jiff::Timestamp;

use super::labels::{Labels, Text};
use super::source::SourceId;
use super::words::words;
pub use loops::folded;
pub use merge::merged;

words! {
    /// What kind of change it was.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum ChangeKind: word {
        /// A new version.
        Deploy = "deploy",
        /// A return to an earlier version.
        Rollback = "rollback",
        Restart = "restart",
        /// The kernel ended a process that used more memory than its limit.
        OutOfMemory = "oom",
        /// Another number of replicas.
        Scale = "scale",
        Config = "config",
        /// A feature flag.
        Flag = "flag",
        Other = "other",
    }
}

impl ChangeKind {
    /// The kind of this word; also accepts the words that other tools use. Upper and lower case are the same.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        if let Some(kind) = Self::ALL.into_iter().find(|kind| kind.word() == word) {
            return Some(kind);
        }
        match word.as_str() {
            "deployment" | "release" | "rollout" | "sync" | "upgrade" => Some(Self::Deploy),
            "roll-back" | "roll_back" | "revert" => Some(Self::Rollback),
            "reboot" | "start" => Some(Self::Restart),
            "oomkill" | "oomkilled" | "out-of-memory" | "out_of_memory" => Some(Self::OutOfMemory),
            "scaling" | "autoscale" | "hpa" => Some(Self::Scale),
            "configuration" | "settings" | "apply" => Some(Self::Config),
            "feature-flag" | "feature_flag" | "toggle" => Some(Self::Flag),
            _ => None,
        }
    }

    /// The title of a change of this kind if its source gives none.
    pub fn title(self, from: Option<&str>, to: Option<&str>) -> Text {
        let values = match (from, to) {
            (Some(from), Some(to)) => format!("{from} -> {to}"),
            (None, Some(to)) => format!("-> {to}"),
            (Some(from), None) => format!("{from} ->"),
            (None, None) => String::new(),
        };
        let words = match self {
            Self::Deploy if values.is_empty() => "deployed",
            Self::Deploy => "",
            Self::Rollback => "rolled back",
            Self::Restart => "restarted",
            Self::OutOfMemory => "OOM killed",
            Self::Scale => "scaled",
            Self::Config => "configuration changed",
            Self::Flag => "flag changed",
            Self::Other => "changed",
        };
        let title = if words.is_empty() || values.is_empty() { "" } else { " " };
        format!("{words}{title}{values}").into()
    }
}

words! {
    /// How far a change is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum ChangeState: word {
        Running = "running",
        Done = "done",
        Failed = "failed",
    }
}

/// One change.
///
/// The order is by time, then by all other fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// When it began.
    pub at: Timestamp,
    /// When what it brings was made: the time of the commit or of its merge, if the source tells.
    pub made_at: Option<Timestamp>,
    /// Whether the time is only known to within the interval at which the source looks, such as a scrape interval.
    pub is_about: bool,
    pub kind: ChangeKind,
    pub state: ChangeState,
    /// The service that it changed, if known.
    pub service: Option<Text>,
    /// Where: region, zone, pod, namespace, cluster, flag, and what identifies it: version, commit, image.
    pub labels: Labels,
    /// One line without time and service: `4.18.2 -> 4.19.0`, `OOM killed`, `flag new_checkout on`.
    pub title: Text,
    /// The version or value before.
    pub from: Option<Text>,
    /// The version or value since.
    pub to: Option<Text>,
    /// Who made it: a person or a system.
    pub who: Option<Text>,
    /// Its page in the system that made it.
    pub link: Option<Text>,
    /// The id that the reporting system gives it.
    pub id: Option<Text>,
    /// How often it happened; more than once for restarts that are told together.
    pub times: u32,
    /// Every source that reported it; the first is the one whose time is used.
    pub sources: Vec<SourceId>,
}

impl Change {
    /// A change that is done and about which nothing else is known.
    pub fn new(at: Timestamp, kind: ChangeKind, title: impl Into<Text>, source: SourceId) -> Self {
        Self {
            at,
            made_at: None,
            is_about: false,
            kind,
            state: ChangeState::Done,
            service: None,
            labels: Labels::default(),
            title: title.into(),
            from: None,
            to: None,
            who: None,
            link: None,
            id: None,
            times: 1,
            sources: vec![source],
        }
    }

    /// The title for a feature flag and its new value: `flag new_checkout on`.
    pub fn flag_title(flag: &str, value: Option<&str>) -> Text {
        let value = value.map(|value| merge::comparable(ChangeKind::Flag, value));
        match value {
            Some(value) if !value.is_empty() => format!("flag {flag} {value}").into(),
            Some(_) | None => format!("flag {flag} changed").into(),
        }
    }

    /// What changed, in one line: `deploy 4.18.2 -> 4.19.0 (running), by j.doe`.
    pub fn sentence(&self) -> String {
        let word = match self.kind {
            ChangeKind::Deploy => "deploy ",
            // their titles say what they are
            ChangeKind::Rollback
            | ChangeKind::Restart
            | ChangeKind::OutOfMemory
            | ChangeKind::Scale
            | ChangeKind::Config
            | ChangeKind::Flag
            | ChangeKind::Other => "",
        };
        let state = match self.state {
            ChangeState::Done => String::new(),
            ChangeState::Running | ChangeState::Failed => format!(" ({})", self.state.word()),
        };
        let who = self.who.as_ref().map(|who| format!(", by {who}")).unwrap_or_default();
        format!("{word}{}{state}{who}", self.title)
    }

    /// Whether it changed this service.
    pub fn is_of(&self, service: &str) -> bool {
        self.service.as_deref() == Some(service)
    }

    /// The fields that a filter can use: the labels, and `service`, `kind`, `state`, `from`, `to`, `who`, `id`.
    pub fn filter_labels(&self) -> Labels {
        let fields = [
            ("service", self.service.as_ref()),
            ("from", self.from.as_ref()),
            ("to", self.to.as_ref()),
            ("who", self.who.as_ref()),
            ("id", self.id.as_ref()),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, Text::clone(value?))));
        let words = [("kind", self.kind.word()), ("state", self.state.word())];
        self.labels.with(fields.chain(words.map(|(name, word)| (name, word.into()))))
    }
}

/// The changes that one source reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSnapshot {
    /// As the source reports them, each once, the oldest first; [`merged`] joins several reports of one change.
    pub changes: Vec<Change>,
    /// The requested start of the time range.
    pub wanted: Timestamp,
    /// The start of the complete part: later than `wanted` if there was more than could be read.
    pub since: Timestamp,
    /// The end of the time range.
    pub until: Timestamp,
    /// What the source can see, such as "versions", "restarts": empty if it has nothing that tells of changes, so that the
    /// absence of changes means nothing.
    pub covers: Vec<Text>,
}

impl ChangeSnapshot {
    /// The limit for the number of changes; the oldest are dropped first.
    pub const MAX_CHANGES: usize = 5_000;

    /// Sorts the changes, removes duplicates and applies the limit.
    #[must_use]
    pub fn new(mut changes: Vec<Change>, since: Timestamp, until: Timestamp, covers: Vec<Text>) -> Self {
        changes.sort_unstable();
        changes.dedup();
        let over = changes.len().saturating_sub(Self::MAX_CHANGES);
        let dropped = changes.drain(..over).next_back();
        // from the last dropped change backwards the list is incomplete
        let complete = dropped.map_or(since, |change| since.max(change.at));
        Self { changes, wanted: since, since: complete, until, covers }
    }

    /// Adds the changes of a later query. If there is a gap between both, only the later one counts as complete.
    pub fn extend(&mut self, later: Self) {
        let is_joined = later.since <= self.until && self.since <= later.until;
        let (wanted, since) = if is_joined {
            (self.wanted.min(later.wanted), self.since.min(later.since))
        } else {
            (later.wanted, later.since)
        };
        let until = self.until.max(later.until);
        // a later answer knows more about the time that it is about
        let mut changes = std::mem::take(&mut self.changes);
        changes.retain(|change| change.at < later.since || change.at > later.until);
        changes.extend(later.changes);
        let joined = Self::new(changes, since, until, later.covers);
        *self = Self { wanted, ..joined };
    }
}

mod loops;
mod merge;
#[cfg(test)]
mod tests;
