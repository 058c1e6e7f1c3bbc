//! What the terminal can show, and everything that a drawing function needs besides its data.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;

use super::theme::{Role, Theme};

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// 24 bit.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The 16 that every terminal has.
    Sixteen,
    /// None, or none wanted (`NO_COLOR`): bold, reverse and underline remain.
    None,
}

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
    /// The zone in which times are shown.
    pub zone: &'a TimeZone,
    /// Whether bytes are dear.
    pub sparing: bool,
}

impl Cx<'_> {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The symbol of a role; one cell wide.
    pub fn symbol(&self, role: Role) -> &'static str {
        self.charset.pick(role.symbol(), role.ascii())
    }
}
