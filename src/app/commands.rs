//! The table of commands. Key dispatch, help, footer, palette and `docs/keys.md` are all derived from it.

use std::collections::BTreeMap;

use super::key::Key;
use super::place::Tab;
use crate::config::most_similar;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Global,
    List,
    Time,
    Charts,
    Groups,
    HiddenRows,
    Slo,
    Logs,
    Explore,
    Dashboard,
    IncidentActions,
    AnyAction,
}

impl Scope {
    /// Whether the commands of this scope change external systems.
    pub const fn writes(self) -> bool {
        matches!(self, Self::IncidentActions | Self::AnyAction)
    }

    /// Its heading in help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::List => "Lists",
            Self::Time => "Time range",
            Self::Charts => "Charts",
            Self::Groups => "Grouped lists",
            Self::HiddenRows => "Alerts, incidents and silences",
            Self::Slo => "SLO page",
            Self::Logs => "Logs",
            Self::Explore => "Explore",
            Self::Dashboard => "Dashboards",
            Self::IncidentActions => "Incidents and alerts (each action asks for confirmation)",
            Self::AnyAction => "Actions",
        }
    }

    /// The screens of this scope, for a message such as "works in lists".
    pub const fn place(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::List => "in lists",
            Self::Time => "on screens with a time range",
            Self::Charts => "on pages with charts",
            Self::Groups => "on the lists of SLOs, alerts, incidents and resources",
            Self::HiddenRows => "on the lists of alerts, incidents and silences",
            Self::Slo => "on an SLO's page",
            Self::Logs => "on the screen of logs",
            Self::Explore => "in Explore",
            Self::Dashboard => "on a dashboard",
            Self::IncidentActions => "on incidents and alerts",
            Self::AnyAction => "on incidents, alerts, silences and on-call shifts",
        }
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $id:ident $name:literal [$($key:literal),*] $scope:ident $help:literal;)*) => {
        /// A command that the user can run. A new command is one row here and the match arm that the compiler then requires.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Command {
            /// Go to a tab of line 2; the table of screens defines these.
            Go(Tab),
            $(#[doc = $help] $id,)*
        }

        /// The commands of this table, without [`Command::Go`].
        const OWN: &[Command] = &[$(Command::$id,)*];

        impl Command {
            /// The name in the palette and in the configuration.
            pub const fn name(self) -> &'static str {
                match self { Self::Go(tab) => tab.name(), $(Self::$id => $name,)* }
            }

            pub const fn scope(self) -> Scope {
                match self { Self::Go(_) => Scope::Global, $(Self::$id => Scope::$scope,)* }
            }

            /// The description in help and palette.
            pub const fn help(self) -> &'static str {
                match self { Self::Go(tab) => tab.help(), $(Self::$id => $help,)* }
            }

            fn default_keys(self) -> Vec<&'static str> {
                match self { Self::Go(tab) => vec![tab.key()], $(Self::$id => vec![$($key),*],)* }
            }
        }
    };
}

impl Command {
    /// Its usual label in the footer.
    pub const fn label(self) -> &'static str {
        if matches!(self, Self::Acknowledge) {
            "ack"
        } else if matches!(self, Self::Act) {
            "actions"
        } else {
            self.name()
        }
    }

    /// All commands, in the order of help.
    pub fn all() -> impl Iterator<Item = Self> {
        Tab::ALL.iter().copied().map(Self::Go).chain(OWN.iter().copied())
    }
}

commands! {
    Messages      "messages"       ["M"]                 Global "Show the message log";
    Open          "open"           ["enter"]             Global "Open the selected item";
    Back          "back"           ["esc", "backspace"]  Global "Clear the filter, or go back";
    Help          "help"           ["?"]                 Global "Show the keys of this screen";
    Palette       "palette"        [":", "ctrl-p"]       Global "Find any command, screen, service, SLO, alert or incident by name";
    Up            "up"             ["up", "k"]           Global "Up one row";
    Down          "down"           ["down", "j"]         Global "Down one row";
    Left          "left"           ["left", "h"]         Global "Left";
    Right         "right"          ["right", "l"]        Global "Right";
    PageUp        "page-up"        ["pageup", "ctrl-u"]  Global "Up one page";
    PageDown      "page-down"      ["pagedown", "ctrl-d"] Global "Down one page";
    Top           "top"            ["home", "g"]         Global "First row";
    Bottom        "bottom"         ["end", "G"]          Global "Last row";
    NextPanel     "next-panel"     ["tab"]               Global "Next panel";
    PreviousPanel "previous-panel" ["shift-tab"]         Global "Previous panel";
    Filter        "filter"         ["/"]                 List   "Filter: words match fuzzily, label=\"value\" =~ != !~ match labels";
    Mark          "mark"           ["space"]             List   "Mark or unmark";
    MarkAll       "mark-all"       ["*"]                 List   "Mark or unmark all shown rows";
    Sort          "sort"           ["S"]                 List   "Sort; choosing the same order again reverses it";
    Group         "group"          ["b"]                 Groups "Group by a label, by a property or as the receiver does; or do not group";
    Fold          "fold"           ["f"]                 HiddenRows  "Show or hide silenced, inhibited and resolved rows";
    Basis         "basis"          ["B"]                 Slo    "Forecast from the burn rate over the next longer lookback";
    Range         "range"          ["t"]                 Time   "Choose the time range";
    Earlier       "earlier"        ["["]                 Time   "Move the time range back by half its length";
    Later         "later"          ["]"]                 Time   "Move the time range forward by half its length";
    Live          "live"           ["\\"]                Time   "Return to live data";
    Preview       "preview"        ["d"]                 List   "Show or hide a preview of the selected item beside the list (from 120 columns on)";
    Explore       "explore-query"  ["E"]                 Global "Open the query of this chart in Explore; in Explore, edit the query";
    ShowAs        "show-as"        ["m"]                 Explore "Show the result as chart, table or JSON";
    Instant       "instant"        ["I"]                 Explore "Evaluate once, or over the time range";
    Views         "views"          ["V"]                 Explore "Saved views: open, save, delete";
    Hide          "hide"           ["K"]                 Explore "Hide or show the series";
    Alone         "alone"          ["O"]                 Explore "Show only this series, or all";
    Exemplars     "exemplars"      ["J"]                 Explore "Show exemplars: single observations with their traces";
    QuerySource   "query-source"   ["@"]                 Explore "Choose the source that evaluates the query";
    CursorBack    "cursor-back"    [","]                 Charts "Read values: move the value cursor back, then also with Left; Esc removes it";
    CursorForward "cursor-forward" ["."]                 Charts "Move the value cursor forward, then also with Right";
    CursorFarBack "cursor-far-back" ["<"]                Charts "Move the value cursor far back";
    CursorFarForward "cursor-far-forward" [">"]          Charts "Move the value cursor far forward";
    ZoomIn        "zoom-in"        ["+", "="]            Charts "Zoom in around the value cursor; the keys of the time range then move what is shown";
    ZoomOut       "zoom-out"       ["-"]                 Charts "Zoom out";
    WholeRange    "whole-range"    ["0"]                 Charts "Show the whole range; again: zoom to the event";
    LogScale      "log-scale"      ["Y"]                 Charts "Logarithmic or linear value axis";
    Stack         "stack"          ["%"]                 Charts "Stack lines that are parts of a whole; again: as shares; again: not";
    Variables     "variables"      ["$"]                 Dashboard "Choose values of the dashboard's variables";
    Runbook       "runbook"        ["r"]                 Global "Open the runbook";
    Acknowledge   "acknowledge"    ["a"]                 IncidentActions   "Acknowledge the incident; for an alert, its incident";
    Silence       "silence"        ["s"]                 IncidentActions   "Silence the alerts; for an incident, its alerts";
    Note          "note"           ["n"]                 IncidentActions   "Add a note to the incident";
    Escalate      "escalate"       ["e"]                 IncidentActions   "Escalate to a level, or reassign to a user or an escalation policy";
    Snooze        "snooze"         ["z"]                 IncidentActions   "Snooze the incident";
    Resolve       "resolve"        ["R"]                 IncidentActions   "Resolve the incident";
    Act           "act"            ["x"]                 AnyAction "List all actions, and why some are not available";
    Traces        "traces"         ["X"]                 Global "Show the slowest and the failed traces of the selected service";
    Silences      "silences"       ["Z"]                 Global "List all silences";
    NewSilence    "new-silence"    ["N"]                 Global "Create a silence for planned maintenance";
    Capacity      "capacity"       ["C"]                 Global "List resources by the time until they are full, and deadlines";
    Dashboards    "dashboards"     ["P"]                 Global "Open the dashboard or panel that the selected alert is linked with, or list all dashboards";
    Results       "results"        ["A"]                 Global "Show the actions taken and their results";
    Why           "why"            ["i"]                 Global "Show why: the labels, changes and dependencies that explain it";
    Links         "links"          ["o"]                 Global "Links: runbook, dashboard, source, incident page";
    Copy          "copy"           ["y"]                 Global "Copy the selected item (also over SSH)";
    Handoff      "handoff"      ["H"]                 Global "Show the handoff report of the last 12 hours, to read or copy";
    Statistics    "statistics"     ["#"]                 Global "Statistics: pages, MTTD, MTTA, MTTR, MTBF, deployments";
    Changes       "changes"        ["D"]                 Global "What changed in the last day: deployments, restarts, configuration, flags";
    Review        "review"         ["v"]                 Global "Draft a postmortem of the selected incident, alert or service";
    Logs          "logs"           ["L"]                 Global "Show the logs of the selected service, alert, SLO or incident";
    FollowLogs    "follow"         ["F"]                 Logs   "Follow new log lines, or stop";
    FilterServer  "filter-at-source" ["&"]               Logs   "Have the source search the whole time range for the text of the filter";
    Severity      "severity"       ["~"]                 Logs   "Show only lines of at least a severity";
    Surroundings  "context-lines"  ["_"]                 Logs   "Show the lines before and after, of the same stream";
    Wrap          "wrap"           ["W"]                 Logs   "Wrap long lines, or cut them";
    Pager         "pager"          ["|"]                 Logs   "Open the raw lines in $PAGER, such as lnav or less";
    Pause         "pause"          ["p"]                 Global "Pause or resume updates";
    Refresh       "refresh"        ["ctrl-r"]            Global "Refresh everything now";
    Context       "context"        ["c"]                 Global "Switch to another context";
    Theme         "theme"          ["T"]                 Global "Choose a theme";
    Redraw        "redraw"         ["ctrl-l"]            Global "Redraw the screen";
    Suspend       "suspend"        ["ctrl-z"]            Global "Suspend to the shell (fg returns)";
    Quit          "quit"           ["q", "ctrl-c"]       Global "Quit burnwatch";
}

/// An error in the configured key bindings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    #[error("there is no command {name:?}; did you mean {nearest:?}?")]
    NoSuchCommand { name: String, nearest: &'static str },
    #[error("keys.{name}: {error}")]
    NoSuchKey { name: String, error: super::key::KeyError },
    /// Two commands have the same key.
    #[error("key {key} is bound to both {one:?} and {other:?}")]
    Ambiguous { key: Key, one: &'static str, other: &'static str },
}

impl KeyMapError {
    pub fn commands(&self) -> Vec<&str> {
        match self {
            Self::NoSuchCommand { name, .. } | Self::NoSuchKey { name, .. } => vec![name],
            Self::Ambiguous { one, other, .. } => vec![one, other],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMap {
    keys: BTreeMap<Command, Vec<Key>>,
}

impl KeyMap {
    /// The default bindings, replaced by these: the names of commands with their keys.
    ///
    /// # Errors
    /// All errors in the replacements.
    pub fn new(replaced: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<KeyMapError>> {
        let mut errors = Vec::new();
        for name in replaced.keys().filter(|name| !Command::all().any(|c| c.name() == *name)) {
            let nearest = most_similar(name, Command::all().map(Command::name));
            errors.push(KeyMapError::NoSuchCommand { name: name.clone(), nearest });
        }
        let mut keys = BTreeMap::new();
        for command in Command::all() {
            let own = replaced.get(command.name());
            let texts =
                own.map_or_else(|| command.default_keys(), |own| own.iter().map(String::as_str).collect());
            let mut parsed = Vec::new();
            for text in texts {
                match text.parse() {
                    Ok(key) => parsed.push(key),
                    Err(error) => errors.push(KeyMapError::NoSuchKey { name: command.name().into(), error }),
                }
            }
            keys.insert(command, parsed);
        }
        let map = Self { keys };
        errors.extend(map.clashes());
        if errors.is_empty() { Ok(map) } else { Err(errors) }
    }

    /// The keys that are bound to more than one command.
    fn clashes(&self) -> Vec<KeyMapError> {
        let mut clashes = Vec::new();
        for (i, one) in Command::all().enumerate() {
            for other in Command::all().skip(i + 1) {
                for key in self.of(one).iter().filter(|key| self.of(other).contains(key)) {
                    clashes.push(KeyMapError::Ambiguous { key: *key, one: one.name(), other: other.name() });
                }
            }
        }
        clashes
    }

    pub fn of(&self, command: Command) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }

    /// The command bound to a key, if it works in one of these scopes.
    pub fn lookup(&self, key: Key, scopes: &[Scope]) -> Option<Command> {
        let found = self.anywhere(key)?;
        (found.scope() == Scope::Global || scopes.contains(&found.scope())).then_some(found)
    }

    /// The command bound to a key, in any scope.
    pub fn anywhere(&self, key: Key) -> Option<Command> {
        self.keys.iter().find(|(_, keys)| keys.contains(&key)).map(|(command, _)| *command)
    }
}

impl Default for KeyMap {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).expect("the table's own keys are right, a test says so")
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::Role;
    use super::*;

    /// All scopes, in the order of help.
    const SCOPES: &[Scope] = &[
        Scope::Global,
        Scope::List,
        Scope::Time,
        Scope::Charts,
        Scope::Groups,
        Scope::HiddenRows,
        Scope::Slo,
        Scope::Logs,
        Scope::Explore,
        Scope::Dashboard,
        Scope::AnyAction,
        Scope::IncidentActions,
    ];

    /// The table as markdown: `docs/keys.md`.
    fn as_markdown() -> String {
        let mut out = String::from(
            "# Keys\n\nGenerated from the tables in `src/app/commands.rs` and `src/app/theme.rs`; `?` shows them on the screen.\n",
        );
        for scope in SCOPES.iter().copied() {
            let rows = Command::all().filter(|command| command.scope() == scope).map(|command| {
                let keys: Vec<String> =
                    command.default_keys().iter().map(|key| format!("`{key}`").replace('|', "\\|")).collect();
                let help = command.help().replace('|', "\\|");
                format!("| {} | `{}` | {help} |\n", keys.join(" "), command.name())
            });
            let head = format!("\n## {}\n\n| key | command | does |\n| --- | --- | --- |\n", scope.title());
            out.extend(std::iter::once(head).chain(rows));
        }
        out.push_str(
            "\n## Symbols\n\nColours are added to the symbols; `--ascii` uses the second column.\n\n",
        );
        out.push_str("| symbol | ASCII | means |\n| --- | --- | --- |\n");
        let symbols = Role::legend()
            .map(|role| format!("| `{}` | `{}` | {} |\n", role.symbol(), role.ascii(), role.meaning()));
        out.extend(symbols);
        out
    }

    #[test]
    fn the_tables_own_keys_are_right_and_mean_one_thing() {
        assert_eq!(KeyMap::new(&BTreeMap::new()).err(), None);
    }

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<_> = Command::all().map(Command::name).collect();
        assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Command::all().count());
    }

    #[test]
    fn keys_can_be_replaced_and_mistakes_are_named() {
        let own = |name: &str, key: &str| BTreeMap::from([(name.to_owned(), vec![key.to_owned()])]);
        let map = KeyMap::new(&own("quit", "ctrl-q")).unwrap();
        assert_eq!(map.lookup("ctrl-q".parse().unwrap(), &[]), Some(Command::Quit));
        assert_eq!(map.lookup("q".parse().unwrap(), &[]), None);
        let said = |own| {
            KeyMap::new(&own).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(said(own("quitt", "x")), r#"there is no command "quitt"; did you mean "quit"?"#);
        assert_eq!(said(own("quit", "j")), r#"key j is bound to both "down" and "quit""#);
        assert!(said(own("quit", "ctr-q")).contains("is not a key"));
    }

    #[test]
    fn a_key_works_only_where_its_command_does() {
        let map = KeyMap::default();
        assert_eq!(map.lookup(Key::char('/'), &[]), None);
        assert_eq!(map.lookup(Key::char('/'), &[Scope::List]), Some(Command::Filter));
    }

    #[test]
    fn the_page_of_keys_is_what_the_table_prints() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, as_markdown()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), as_markdown(), "run with UPDATE_DOCS=1");
    }
}
