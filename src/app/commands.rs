//! The one table of commands: what dispatches the keys is what help, footer, palette and `docs/keys.md` are drawn from.

use std::collections::BTreeMap;

use super::key::Key;
use super::place::Tab;

/// Where a command works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// On screens with a list.
    List,
    /// On screens that show a stretch of time.
    Time,
    /// On lists whose rows can be grouped.
    Groups,
    /// On lists that fold away what is quiet or over.
    HiddenRows,
    Slo,
    /// Where incidents or alerts are, to which something can be done.
    IncidentActions,
    /// Wherever something outside can be changed.
    AnyAction,
}

impl Scope {
    /// Whether what works there changes something outside.
    pub const fn writes(self) -> bool {
        matches!(self, Self::IncidentActions | Self::AnyAction)
    }

    /// Its heading in help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::List => "In lists",
            Self::Time => "In time",
            Self::Groups => "In lists with groups",
            Self::HiddenRows => "Alerts, incidents and silences",
            Self::Slo => "One SLO",
            Self::IncidentActions => "On incidents and alerts (asks for confirmation)",
            Self::AnyAction => "Any action",
        }
    }

    /// Where it works, in words.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::List => "in lists",
            Self::Time => "where time is shown",
            Self::Groups => "on the lists of SLOs, alerts and incidents",
            Self::HiddenRows => "on the lists of alerts, incidents and silences",
            Self::Slo => "on one SLO",
            Self::IncidentActions => "on incidents and alerts",
            Self::AnyAction => "on incidents, alerts, silences and who is on call",
        }
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $id:ident $name:literal [$($key:literal),*] $scope:ident $help:literal;)*) => {
        /// Something that the person can have done. A row here and the arm that the compiler asks for is a new command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Command {
            /// Go to a screen of line 2; these come from the table of screens.
            Go(Tab),
            $(#[doc = $help] $id,)*
        }

        /// The commands of this table.
        const OWN: &[Command] = &[$(Command::$id,)*];

        impl Command {
            /// As the palette and the configuration call it.
            pub const fn name(self) -> &'static str {
                match self { Self::Go(tab) => tab.name(), $(Self::$id => $name,)* }
            }

            /// Where it works.
            pub const fn scope(self) -> Scope {
                match self { Self::Go(_) => Scope::Global, $(Self::$id => Scope::$scope,)* }
            }

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
    /// All commands, in the order of help.
    pub const ALL: &[Self] = {
        const COUNT: usize = Tab::ALL.len() + OWN.len();
        const ALL: [Command; COUNT] = {
            let mut all = [Command::Quit; COUNT];
            let mut at = 0;
            #[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and would refuse it")]
            while at < COUNT {
                let tabs = Tab::ALL.len();
                all[at] = if at < tabs { Command::Go(Tab::ALL[at]) } else { OWN[at - tabs] };
                at += 1;
            }
            all
        };
        &ALL
    };
}

commands! {
    Messages      "messages"       ["M"]                 Global "The message log";
    Open          "open"           ["enter"]             Global "Open the selected item";
    Back          "back"           ["esc", "backspace"]  Global "Clear the filter, or go back";
    Help          "help"           ["?"]                 Global "The keys of this screen";
    Palette       "palette"        [":", "ctrl-p"]       Global "Any command, screen, service, SLO, alert or incident by name";
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
    MarkAll       "mark-all"       ["*"]                 List   "Mark all shown rows, or none";
    Sort          "sort"           ["S"]                 List   "Sort; the same order again reverses it";
    Group         "group"          ["b"]                 Groups "Group by a label or a property, as the receiver groups alerts, or not at all";
    Fold          "fold"           ["f"]                 HiddenRows  "Show or hide what is silenced, inhibited or resolved";
    Basis         "basis"          ["B"]                 Slo    "Forecast by the burn rate over the next longer lookback";
    Range         "range"          ["t"]                 Time   "Choose the time range";
    Earlier       "earlier"        ["["]                 Time   "Half a range earlier";
    Later         "later"          ["]"]                 Time   "Half a range later";
    Live          "live"           ["\\"]                Time   "Back to now";
    Runbook       "runbook"        ["r"]                 Global "Open the runbook";
    Acknowledge   "acknowledge"    ["a"]                 IncidentActions   "Acknowledge the incident; for an alert, its incident";
    Silence       "silence"        ["s"]                 IncidentActions   "Silence the alerts; for an incident, its alerts";
    Note          "note"           ["n"]                 IncidentActions   "Write a note to the incident";
    Escalate      "escalate"       ["e"]                 IncidentActions   "Escalate to a level, reassign to a person or a policy";
    Snooze        "snooze"         ["z"]                 IncidentActions   "Snooze the incident";
    Resolve       "resolve"        ["R"]                 IncidentActions   "Resolve the incident";
    Act           "act"            ["x"]                 AnyAction "All actions here, and why others are not available";
    Silences      "silences"       ["Z"]                 Global "All silences";
    NewSilence    "new-silence"    ["N"]                 Global "Write a new silence, for planned work";
    Results       "results"        ["A"]                 Global "Actions taken, and their results";
    Links         "links"          ["o"]                 Global "Links: runbook, dashboard, source, page of the incident";
    Copy          "copy"           ["y"]                 Global "Copy the selected item (also over SSH)";
    Handoff      "handoff"      ["H"]                 Global "The handoff of the last 12 hours, to read and to copy";
    Statistics    "statistics"     ["#"]                 Global "How often people were paged: MTTA, MTTR, MTBF, hours";
    Review        "review"         ["v"]                 Global "A draft review of the selected incident";
    Pause         "pause"          ["p"]                 Global "Pause or resume";
    Refresh       "refresh"        ["ctrl-r"]            Global "Refresh everything now";
    Context       "context"        ["c"]                 Global "Go to another context";
    Theme         "theme"          ["T"]                 Global "Choose a theme";
    Redraw        "redraw"         ["ctrl-l"]            Global "Redraw the screen";
    Suspend       "suspend"        ["ctrl-z"]            Global "Suspend to the shell (fg returns)";
    Quit          "quit"           ["q", "ctrl-c"]       Global "Quit burnwatch";
}

/// What is wrong with a configured key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    #[error("there is no command {name:?}; did you mean {nearest:?}?")]
    NoSuchCommand {
        /// What was written.
        name: String,
        /// The command whose name is nearest.
        nearest: &'static str,
    },
    #[error("keys.{name}: {error}")]
    NoSuchKey {
        name: String,
        /// What is wrong with the key.
        error: super::key::KeyError,
    },
    /// Two commands that can work at the same time want the key.
    #[error("key {key} means both {one:?} and {other:?}")]
    Ambiguous {
        key: Key,
        one: &'static str,
        /// Another.
        other: &'static str,
    },
}

impl KeyMapError {
    /// The commands that it is about.
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
    /// The defaults with these commands' keys replaced.
    ///
    /// # Errors
    /// All that is wrong with the replacements.
    pub fn new(replaced: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<KeyMapError>> {
        let mut errors = Vec::new();
        for name in replaced.keys().filter(|name| !Command::ALL.iter().any(|c| c.name() == *name)) {
            let nearest = Command::ALL.iter().max_by(|a, b| {
                let likeness = |c: &Command| strsim::jaro_winkler(c.name(), name);
                likeness(a).total_cmp(&likeness(b))
            });
            let nearest = nearest.map_or("help", |c| c.name());
            errors.push(KeyMapError::NoSuchCommand { name: name.clone(), nearest });
        }
        let mut keys = BTreeMap::new();
        for command in Command::ALL {
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
            keys.insert(*command, parsed);
        }
        let map = Self { keys };
        errors.extend(map.clashes());
        if errors.is_empty() { Ok(map) } else { Err(errors) }
    }

    fn clashes(&self) -> Vec<KeyMapError> {
        let mut clashes = Vec::new();
        for (i, one) in Command::ALL.iter().enumerate() {
            for other in Command::ALL.iter().skip(i + 1) {
                for key in self.of(*one).iter().filter(|key| self.of(*other).contains(key)) {
                    clashes.push(KeyMapError::Ambiguous { key: *key, one: one.name(), other: other.name() });
                }
            }
        }
        clashes
    }

    pub fn of(&self, command: Command) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }

    /// The command of a key, if it works in one of these scopes.
    pub fn lookup(&self, key: Key, scopes: &[Scope]) -> Option<Command> {
        let found = self.anywhere(key)?;
        (found.scope() == Scope::Global || scopes.contains(&found.scope())).then_some(found)
    }

    /// The command of a key, wherever it works.
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
    const SCOPES: [Scope; 8] = [
        Scope::Global,
        Scope::List,
        Scope::Time,
        Scope::Groups,
        Scope::HiddenRows,
        Scope::Slo,
        Scope::AnyAction,
        Scope::IncidentActions,
    ];

    /// The table as markdown: `docs/keys.md`.
    fn as_markdown() -> String {
        let mut out = String::from(
            "# Keys\n\nDrawn from the tables in `src/app/commands.rs` and `src/app/theme.rs`; `?` shows the same inside.\n",
        );
        for scope in SCOPES {
            let rows = Command::ALL.iter().filter(|command| command.scope() == scope).map(|command| {
                let keys: Vec<String> = command.default_keys().iter().map(|key| format!("`{key}`")).collect();
                let help = command.help().replace('|', "\\|");
                format!("| {} | `{}` | {help} |\n", keys.join(" "), command.name())
            });
            let head = format!("\n## {}\n\n| key | command | does |\n| --- | --- | --- |\n", scope.title());
            out.extend(std::iter::once(head).chain(rows));
        }
        out.push_str(
            "\n## Symbols\n\nColours come on top of them; `--ascii` shows those of the second column.\n\n",
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
        let mut names: Vec<_> = Command::ALL.iter().map(|c| c.name()).collect();
        assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Command::ALL.len());
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
        assert_eq!(said(own("quit", "j")), r#"key j means both "down" and "quit""#);
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
