//! The arguments of `burnwatch query`.

use std::time::Duration;

use clap::Args;

use super::ListingArgs;
use super::acting::length;

#[derive(Debug, Args)]
pub(in crate::cli) struct QueryArgs {
    /// The expression; - reads it from standard input
    #[arg(value_name = "EXPR")]
    pub(in crate::cli) expr: String,
    /// Moment or end of the range: RFC 3339, Unix seconds or 10m (ago)
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) time: Option<String>,
    /// Evaluate over a range of this length
    #[arg(long, value_name = "DURATION", value_parser = length)]
    pub(in crate::cli) since: Option<Duration>,
    /// The time between two points of the range; default: about 240 points
    #[arg(long, value_name = "DURATION", value_parser = length, requires = "since")]
    pub(in crate::cli) step: Option<Duration>,
    /// Only this source, in its language; default: all that answer PromQL
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
    /// Print the answer of one source as it came
    #[arg(long, conflicts_with = "output")]
    pub(in crate::cli) raw: bool,
    /// Only check the expression: errors and hints, without a source
    #[arg(long, conflicts_with_all = ["raw", "time", "since", "source"])]
    pub(in crate::cli) lint: bool,
    /// The scrape interval, for hints about windows that are too short
    #[arg(long, value_name = "DURATION", value_parser = length, requires = "lint")]
    pub(in crate::cli) scrape_interval: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) listing: ListingArgs,
}
