//! What `config init` prints: a configuration file that changes nothing, with every option and its default as comments.

use super::kind::KindSpec;

/// The options that all kinds have, and where those of the kinds go.
const FRAME: &str = include_str!("../../config/default.toml");
/// Stands for the names of all kinds.
const NAMES: &str = "{kinds}";
/// The line that stands for the examples of all kinds.
const EXAMPLES: &str = "{examples}\n";

/// The file, where these kinds can be configured.
pub fn sample(kinds: &[&'static KindSpec]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("{} ({})", kind.name, kind.summary)).collect();
    let examples: Vec<String> = kinds.iter().map(|kind| commented(kind.example)).collect();
    FRAME.replacen(NAMES, &names.join("; "), 1).replacen(EXAMPLES, &examples.join("\n"), 1)
}

/// TOML of which no line is in force.
fn commented(toml: &str) -> String {
    toml.trim()
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line if line.starts_with('#') => format!("{line}\n"),
            option => format!("#{option}\n"),
        })
        .collect()
}
