//! What the terminal can show, what was chosen of it, and everything that a drawing function needs besides its data.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;

use super::event::TerminalLink;
pub use super::theme::Colours;
use super::theme::{Role, Theme};

/// Which characters may be drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Box drawing, blocks and braille.
    Unicode,
    /// ASCII only.
    Ascii,
}

impl Charset {
    /// `unicode` or its stand-in.
    pub fn pick<T>(self, unicode: T, ascii: T) -> T {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}

/// What drawing functions share: look and moment.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Styles by role.
    pub theme: &'a Theme,
    /// Which characters may be drawn with.
    pub charset: Charset,
    /// The moment that the frame shows.
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    /// Whether bytes are dear.
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

/// Over a slow line time goes on in steps of so many seconds.
const SLOW_LINK_STEP: i64 = 10;

#[derive(Debug, Clone)]
pub struct Look {
    /// All themes, as their files say.
    pub themes: Vec<Theme>,
    /// The one in use.
    pub theme: usize,
    /// The one in use, with no more colours than the terminal has.
    pub shown: Theme,
    /// How many colours the terminal has.
    pub colours: Colours,
    /// Which characters may be drawn with.
    pub charset: Charset,
    pub zone: TimeZone,
    /// How what is drawn reaches the person.
    pub link: TerminalLink,
    /// Over a slow line: in which step of time the last tick was.
    step: Option<i64>,
}

impl Look {
    /// Of these themes the one with this name, else the first.
    pub fn new(
        themes: Vec<Theme>,
        name: Option<&str>,
        colours: Colours,
        charset: Charset,
        zone: TimeZone,
    ) -> Self {
        let theme = themes.iter().position(|theme| Some(theme.name()) == name).unwrap_or(0);
        let shown = themes.get(theme).map_or_else(Theme::probe, |theme| theme.reduced(colours));
        Self { themes, theme, shown, colours, charset, zone, link: TerminalLink::default(), step: None }
    }

    /// In the theme that gives each role a colour of its own, for whoever reads the cells.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests begin with it"))]
    pub fn probe(colours: Colours, charset: Charset) -> Self {
        Self::new(vec![Theme::probe()], None, colours, charset, TimeZone::UTC)
    }

    /// For a line that is known to be slow: colours with short names, too.
    pub fn spare(&mut self) {
        self.link = TerminalLink::Slow;
        if matches!(self.colours, Colours::True | Colours::Indexed) {
            self.colours = Colours::Sixteen;
            self.choose(self.theme);
        }
    }

    /// Whether bytes are dear: coarse trends, no seconds.
    pub fn is_slow_link(&self) -> bool {
        self.link == TerminalLink::Slow
    }

    /// Whether the time that passed since the last tick is worth a frame: over a slow line only in steps. A frame that is
    /// drawn for whatever reason shows its own moment: what is stale, and who is on call, goes by that.
    pub(super) fn steps(&mut self, now: Timestamp) -> bool {
        let step = self.is_slow_link().then(|| now.as_second().div_euclid(SLOW_LINK_STEP));
        let before = std::mem::replace(&mut self.step, step);
        step.is_none() || step != before
    }

    /// Takes another theme into use.
    pub fn choose(&mut self, theme: usize) {
        if let Some(chosen) = self.themes.get(theme) {
            (self.theme, self.shown) = (theme, chosen.reduced(self.colours));
        }
    }
}
