//! Completion scripts for shells: verbs, flags, and names from the configuration where the shell can run a program for them.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::app::theme::Theme;
use crate::app::themes;
use crate::config::context::{self, ContextChoice};

use super::CliContext;
use super::args::{ALL_CONTEXTS, ALL_SOURCES, CommandLine, CompletionNames, USER_THEMES};

/// Each placeholder in a script, with the argument of `burnwatch names` that prints its values.
const PLACEHOLDERS: [(&str, &str); 3] =
    [(ALL_CONTEXTS, "contexts"), (ALL_SOURCES, "sources"), (USER_THEMES, "themes")];

pub(super) fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "burnwatch", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    PLACEHOLDERS.into_iter().fold(script, |script, (place, names)| match shell {
        Shell::Bash => script.replace(
            place,
            &format!(r#"$("${{COMP_WORDS[0]}}" names {names} -- "${{COMP_WORDS[@]:1}}" 2>/dev/null)"#),
        ),
        // all words of the line, because those of a verb lack the flags before it
        Shell::Zsh => {
            script.replace(place, &format!("$(burnwatch names {names} -- ${{(z)BUFFER}} 2>/dev/null)"))
        }
        Shell::Fish => fill_fish_placeholder(&script, place, names),
        // completions of other shells have no values of flags
        _ => script,
    })
}

/// The place in fish's script that looks for the verb. An option without its value would be an error there, so the second
/// text removes that option first.
const FISH_ARGPARSE: &str = "set -e cmd[1]\n    argparse";
const FISH_ARGPARSE_BEFORE_VALUE: &str =
    "set -e cmd[1]\n    string match -q -- '-*' \"$cmd[-1]\"; and set -e cmd[-1]\n    argparse";

/// Fills in a placeholder in fish's script, where each value is an argument of its own.
fn fill_fish_placeholder(script: &str, place: &str, names: &str) -> String {
    let asked = format!("(burnwatch names {names} -- (commandline -opc)[2..] 2>/dev/null)");
    script.replace(&format!("{place}\\t''"), &asked).replacen(FISH_ARGPARSE, FISH_ARGPARSE_BEFORE_VALUE, 1)
}

/// The names for completions, one per line; none if the configuration cannot be read.
pub(super) fn names(cx: &CliContext<'_>, what: CompletionNames) -> String {
    let own = cx.own_assets();
    let settings = || cx.settings(&own).ok();
    let all: Vec<String> = match what {
        CompletionNames::Contexts => settings()
            .map(|settings| context::names(&settings, &ContextChoice::default()))
            .unwrap_or_default(),
        CompletionNames::Sources => {
            settings().into_iter().flat_map(|settings| settings.sources.into_keys()).collect()
        }
        CompletionNames::Themes => {
            let is_own = |name: &&str| !themes::names().any(|built_in| built_in == *name);
            own.themes.iter().map(Theme::name).filter(is_own).map(str::to_owned).collect()
        }
    };
    all.iter().filter(|name| is_safe(name)).flat_map(|name| [name, "\n"]).collect()
}

/// The file after the last `--config` on the command line to complete.
pub(super) fn named_file(line: &[OsString]) -> Option<&Path> {
    let after = line.iter().zip(line.iter().skip(1));
    let apart = after.filter(|(flag, _)| *flag == "--config").map(|(_, file)| Path::new(file)).next_back();
    let mut joined = line.iter().filter_map(|word| word.to_str()?.strip_prefix("--config=")).map(Path::new);
    apart.or_else(|| joined.next_back())
}

/// Whether a shell would not split or expand the name. Other names are not offered.
fn is_safe(name: &str) -> bool {
    !name.starts_with('-')
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '+'))
}
