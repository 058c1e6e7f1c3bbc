//! The arguments of `logs`.

use std::time::Duration;

use clap::Args;

use super::ListingArgs;
use super::acting::length;

#[derive(Debug, Args)]
pub(in crate::cli) struct LogsArgs {
    /// A service, or the name of an active alert
    #[arg(value_name = "SERVICE|ALERT", required_unless_present = "query")]
    pub(in crate::cli) subject: Option<String>,
    /// Lines of this time; default: from 15m before the first alert, else 1h
    #[arg(long, value_name = "DURATION", value_parser = length)]
    pub(in crate::cli) since: Option<Duration>,
    /// A query in the language of the source, instead of one by labels
    #[arg(long, value_name = "QUERY")]
    pub(in crate::cli) query: Option<String>,
    /// Only lines with this text, which the source looks for
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) contains: Option<String>,
    /// The most lines or patterns, the newest or most remarkable
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = lines)]
    pub(in crate::cli) limit: usize,
    /// Print new lines as they come
    #[arg(long, short, conflicts_with = "patterns")]
    pub(in crate::cli) follow: bool,
    /// Patterns of lines instead of lines, those that are new first
    #[arg(long)]
    pub(in crate::cli) patterns: bool,
    /// The text of the lines as it came, without anything else
    #[arg(long, conflicts_with_all = ["patterns", "output"])]
    pub(in crate::cli) raw: bool,
    #[command(flatten)]
    pub(in crate::cli) listing: ListingArgs,
}

/// A number of log lines.
fn lines(text: &str) -> Result<usize, String> {
    let most = crate::model::log::MAX_LINES;
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("write a number from 1 to {most}"))
}
