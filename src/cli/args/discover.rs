//! The arguments of `burnwatch discover`.

use clap::{Args, ValueEnum};

use super::ListingArgs;

/// What can be asked for the sources that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiscoveryKind {
    Grafana,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DiscoverArgs {
    /// The kind of source that knows others: grafana
    #[arg(value_enum, value_name = "KIND", hide_possible_values = true)]
    pub(in crate::cli) kind: DiscoveryKind,
    /// The name of the source; default: the only one of the kind
    #[arg(value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
    /// Add sources for these data sources to the configuration file
    #[arg(long)]
    pub(in crate::cli) write: bool,
    /// With --write: ask through /api/ds/query, where the proxy is forbidden
    #[arg(long, requires = "write")]
    pub(in crate::cli) without_proxy: bool,
    #[command(flatten)]
    pub(in crate::cli) listing: ListingArgs,
}

/// The examples and exit codes.
pub(super) const DISCOVER: &str = "\
Examples:
  burnwatch discover grafana
  burnwatch discover grafana prod --write

Exit codes:
  0  success
  1  the configuration file or the output could not be written
  2  wrong usage or configuration
  3  Grafana did not answer";
