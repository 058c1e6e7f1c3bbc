//! The capabilities of the terminal, the chosen theme, and the arguments that all drawing functions share.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;

use super::event::TerminalLink;
pub use super::theme::Colours;
use super::theme::{Role, Theme};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Box drawing, blocks and braille.
    Unicode,
    Ascii,
}

impl Charset {
    /// The value for this charset.
    pub fn pick<T>(self, unicode: T, ascii: T) -> T {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}

/// The characters that lines of charts are drawn with, the finest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartSymbols {
    /// Solid blocks, 2 by 4 in a cell (Unicode 16).
    Octant,
    /// Dots, 2 by 4 in a cell.
    Braille,
    /// Half blocks, 1 by 2 in a cell.
    Half,
    Ascii,
}

/// The arguments that all drawing functions share.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub theme: &'a Theme,
    pub charset: Charset,
    pub chart_symbols: ChartSymbols,
    pub now: Timestamp,
    /// The time zone in which times are shown.
    pub zone: &'a TimeZone,
    /// Whether output has to be small because the connection is slow.
    pub is_slow_link: bool,
}

impl Cx<'_> {
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The symbol of a role; one cell wide.
    pub fn symbol(&self, role: Role) -> &'static str {
        self.charset.pick(role.symbol(), role.ascii())
    }
}

/// On a slow connection the clock advances in steps of this many seconds.
const SLOW_LINK_STEP: i64 = 10;

/// Theme, charset, time zone and connection of the terminal.
#[derive(Debug, Clone)]
pub struct DisplaySettings {
    /// All themes with their full colours.
    pub themes: Vec<Theme>,
    pub theme: usize,
    /// The theme in use, reduced to the colours that the terminal supports.
    pub shown: Theme,
    pub colours: Colours,
    pub charset: Charset,
    /// With ASCII as the charset, charts are drawn with ASCII, too.
    pub chart_symbols: ChartSymbols,
    /// The time zone in which times are shown.
    pub zone: TimeZone,
    /// How fast the terminal shows what is drawn.
    pub link: TerminalLink,
    /// The time step of the last tick on a slow connection; None on a fast one.
    step: Option<i64>,
}

impl DisplaySettings {
    /// A look with the theme of this name, else with the first theme.
    pub fn new(
        themes: Vec<Theme>,
        name: Option<&str>,
        colours: Colours,
        charset: Charset,
        zone: TimeZone,
    ) -> Self {
        let theme = themes.iter().position(|theme| Some(theme.name()) == name).unwrap_or(0);
        let shown = themes.get(theme).map_or_else(Theme::probe, |theme| theme.reduced(colours));
        let (chart_symbols, link) = (ChartSymbols::Braille, TerminalLink::default());
        Self { themes, theme, shown, colours, charset, chart_symbols, zone, link, step: None }
    }

    /// A look with the probe theme, which gives each role its own colour, for tests that read the cells.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests begin with it"))]
    pub fn probe(colours: Colours, charset: Charset) -> Self {
        Self::new(vec![Theme::probe()], None, colours, charset, TimeZone::UTC)
    }

    /// Switches to a slow connection, which also uses 16 colours because their escape sequences are short.
    pub fn spare(&mut self) {
        self.link = TerminalLink::Slow;
        if matches!(self.colours, Colours::True | Colours::Indexed) {
            self.colours = Colours::Sixteen;
            self.choose(self.theme);
        }
    }

    /// Whether the connection is slow: then seconds are not shown and sparklines are coarse.
    pub fn is_slow_link(&self) -> bool {
        self.link == TerminalLink::Slow
    }

    /// Whether a tick needs a new frame. On a slow connection that is so only once per time step; a frame drawn for another
    /// reason still shows its own time.
    pub(super) fn steps(&mut self, now: Timestamp) -> bool {
        let step = self.is_slow_link().then(|| now.as_second().div_euclid(SLOW_LINK_STEP));
        let before = std::mem::replace(&mut self.step, step);
        step.is_none() || step != before
    }

    pub fn choose(&mut self, theme: usize) {
        if let Some(chosen) = self.themes.get(theme) {
            (self.theme, self.shown) = (theme, chosen.reduced(self.colours));
        }
    }
}
