//! The output of `config init`: a configuration file in which every option is commented out with its default.

use super::kind::KindSpec;

/// The common options, and placeholders for the parts of the kinds.
const FRAME: &str = include_str!("../../config/default.toml");
/// Placeholder for the names of all kinds.
const NAMES: &str = "{kinds}";
/// Placeholder for the examples of all kinds.
const EXAMPLES: &str = "{examples}\n";

pub fn sample(kinds: &[&'static KindSpec]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("{} ({})", kind.name, kind.summary)).collect();
    let examples: Vec<String> = kinds.iter().map(|kind| commented(kind.example)).collect();
    FRAME.replacen(NAMES, &names.join("; "), 1).replacen(EXAMPLES, &examples.join("\n"), 1)
}

/// Comments out every line of TOML.
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
