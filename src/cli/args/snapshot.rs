//! The arguments of `snapshot`.

use clap::{Args, ValueEnum};

use super::values::{KeyValues, keys, screen, screens, size};
use crate::app::place::Tab;
use crate::app::widgets::text::wrap;

#[derive(Debug, Args)]
pub(in crate::cli) struct SnapshotArgs {
    #[arg(value_parser = screen(), hide_possible_values = true, help = wrap(&screens().join(" "), 68).join("\n"))]
    pub(in crate::cli) screen: Tab,
    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "120x36", value_parser = size)]
    pub(in crate::cli) size: (u16, u16),
    /// text, ansi (with colours) or svg
    #[arg(long, value_enum, default_value_t = Picture::Text, hide_possible_values = true)]
    pub(in crate::cli) format: Picture,
    /// Keys to press after the data have loaded: down enter
    #[arg(long, value_name = "KEYS", value_parser = keys)]
    pub(in crate::cli) press: Vec<KeyValues>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Picture {
    Text,
    Ansi,
    Svg,
}
