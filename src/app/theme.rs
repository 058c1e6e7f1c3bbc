//! Roles instead of colours: the meaning of a cell decides its style, and each meaning has its own symbol.

use std::ops::RangeInclusive;

use ratatui::style::{Color, Modifier, Style};

use super::sgr;
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::health::Health;
use crate::model::slo::SloState;

macro_rules! roles {
    ($(#[doc = $doc:literal] $role:ident $name:literal $symbol:literal $ascii:literal;)*) => {
        /// The meaning of a cell. A new role needs one row here and its style in `themes/dark.toml`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $(#[doc = $doc] $role,)* }

        impl Role {
            pub const ALL: &[Self] = &[$(Self::$role,)*];

            /// The name in theme files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)* }
            }

            const fn doc(self) -> &'static str {
                match self { $(Self::$role => $doc,)* }
            }

            /// A one-cell symbol that shows the role without colour; a space if the role needs none.
            pub const fn symbol(self) -> &'static str {
                match self { $(Self::$role => $symbol,)* }
            }

            pub const fn ascii(self) -> &'static str {
                match self { $(Self::$role => $ascii,)* }
            }
        }
    };
}

roles! {
    /// Plain text and the screen's background.
    Text       "text"        " " " ";
    /// Less important text.
    Muted      "muted"       " " " ";
    /// Lines and borders.
    Border     "border"      " " " ";
    /// Headings.
    Title      "title"       " " " ";
    /// The current screen and the border of the focused panel.
    Accent     "accent"      " " " ";
    /// Keys in hints and help.
    Key        "key"         " " " ";
    /// Line 1 and the footer.
    Bar        "bar"         " " " ";
    /// The name of a production context.
    Banner     "banner"      "!" "!";
    /// Line 1 in a production context.
    Production "production"  " " " ";
    /// The current row.
    Selected   "selected"    "▌" ">";
    /// A marked row.
    Marked     "marked"      "◆" "*";
    /// A row that is new or has changed since you last looked.
    New        "new"         "•" "+";
    /// An action that was sent and is not confirmed by its source yet.
    Sending    "sending"     "↥" "^";
    /// Text that matches the filter.
    Match      "match"       " " " ";
    /// A critical alert or service.
    Critical   "critical"    "●" "C";
    /// Severity warning.
    Warning    "warning"     "▲" "W";
    /// Severity info.
    Info       "info"        "○" "i";
    /// A pending alert.
    Pending    "pending"     "◌" "~";
    /// A silenced alert.
    Silenced   "silenced"    "∅" "z";
    /// An inhibited alert.
    Inhibited  "inhibited"   "⊘" "-";
    /// A resolved alert.
    Resolved   "resolved"    "✓" "v";
    /// A healthy service or source.
    Healthy    "healthy"     "✓" ".";
    /// A degraded service.
    Degraded   "degraded"    "▲" "d";
    /// An SLO whose error budget is spent too fast.
    Burning    "burning"     "◉" "B";
    /// A service that is down.
    Down       "down"        "✖" "X";
    /// Unknown state.
    Unknown    "unknown"     "?" "?";
    /// Stale data.
    Stale      "stale"       "◷" "!";
    /// An error.
    Trouble    "trouble"     "✖" "!";
    /// First series of a chart.
    Series1    "series-1"    "─" "*";
    /// Second series of a chart.
    Series2    "series-2"    "─" "+";
    /// Third series of a chart.
    Series3    "series-3"    "─" "o";
    /// Fourth series of a chart.
    Series4    "series-4"    "─" "x";
    /// Fifth series of a chart.
    Series5    "series-5"    "─" "#";
    /// Sixth series of a chart.
    Series6    "series-6"    "─" "%";
    /// Seventh series of a chart.
    Series7    "series-7"    "─" "@";
    /// Eighth series of a chart.
    Series8    "series-8"    "─" "&";
    /// A threshold in a chart.
    Threshold  "threshold"   "┄" "-";
    /// The time in which an alert fired, as background of a chart.
    Shade      "shade"       " " " ";
    /// Heat map: few.
    Heat1      "heat-1"      "░" ".";
    /// Heat map: some.
    Heat2      "heat-2"      "▒" ":";
    /// Heat map: many.
    Heat3      "heat-3"      "▓" "+";
    /// Heat map: most.
    Heat4      "heat-4"      "█" "#";
}

/// The number of series that have a role of their own.
pub const SERIES: usize = 8;

impl Role {
    pub const fn of_health(health: Health) -> Self {
        match health {
            Health::Down => Self::Down,
            Health::Critical => Self::Critical,
            Health::Degraded => Self::Degraded,
            Health::Unknown => Self::Unknown,
            Health::Healthy => Self::Healthy,
        }
    }

    pub const fn of_slo(state: SloState) -> Self {
        match state {
            SloState::Page => Self::Critical,
            SloState::Ticket => Self::Warning,
            SloState::Exhausted => Self::Down,
            SloState::NoData => Self::Unknown,
            SloState::Insufficient => Self::Pending,
            SloState::Burning => Self::Burning,
            SloState::Fine => Self::Healthy,
            SloState::Quiet => Self::Info,
        }
    }

    pub const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Info,
            Severity::None => Self::Muted,
        }
    }

    /// The role of an alert: its severity while it fires, else its state.
    pub const fn of_alert(alert: &Alert) -> Self {
        match alert.state {
            AlertState::Firing if matches!(alert.severity, Severity::None) => Self::Info,
            AlertState::Firing => Self::of_severity(alert.severity),
            AlertState::Pending => Self::Pending,
            AlertState::Silenced => Self::Silenced,
            AlertState::Inhibited => Self::Inhibited,
            AlertState::Resolved => Self::Resolved,
        }
    }

    /// The description of the symbol for the legend.
    pub fn meaning(self) -> String {
        let said = self.doc().trim().trim_end_matches('.');
        let slos = SloState::ALL.into_iter().filter(|state| Self::of_slo(*state) == self);
        let slos: Vec<&str> = slos.map(SloState::word).collect();
        if slos.is_empty() { said.to_owned() } else { format!("{said}; SLO: {}", slos.join(", ")) }
    }

    /// The roles that have a symbol.
    pub fn legend() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|role| role.symbol() != " ")
    }

    pub const fn of_line(index: usize) -> Self {
        match index % SERIES {
            0 => Self::Series1,
            1 => Self::Series2,
            2 => Self::Series3,
            3 => Self::Series4,
            4 => Self::Series5,
            5 => Self::Series6,
            6 => Self::Series7,
            _ => Self::Series8,
        }
    }
}

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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
    mixing: Mixing,
}

/// Whether colours between those of the theme can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mixing {
    None,
    Exact,
    /// To the nearest of the 256 colours of xterm.
    Indexed,
}

/// The background of a dark theme that leaves it to the terminal, as far as mixed colours need one.
const DARK_GROUND: [u8; 3] = [0x14, 0x16, 0x1b];
const LIGHT_GROUND: [u8; 3] = [0xff; 3];

impl Theme {
    /// A theme from a function that gives each role its style.
    pub fn new(name: &str, look: impl Fn(Role) -> Style) -> Self {
        let styles = Role::ALL.iter().map(|role| look(*role)).collect();
        Self { name: name.to_owned(), styles, mixing: Mixing::None }
    }

    /// The theme of tests: each role has its own colour index, so that a snapshot shows the roles.
    pub fn probe() -> Self {
        Self::new("probe", |role| {
            let style = Style::new();
            let index = Color::Indexed(16 + u8::try_from(role as usize).unwrap_or(0));
            if matches!(role, Role::Selected | Role::Shade) { style.bg(index) } else { style.fg(index) }
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The same theme, reduced to these colours.
    #[must_use]
    pub fn reduced(&self, colours: Colours) -> Self {
        let ground = self.style(Role::Text).bg;
        let styles = self.styles.iter().map(|style| reduce(*style, ground, colours)).collect();
        let mixing = match colours {
            Colours::True => Mixing::Exact,
            Colours::Indexed => Mixing::Indexed,
            Colours::Sixteen | Colours::None => Mixing::None,
        };
        Self { name: self.name.clone(), styles, mixing }
    }

    /// Whether areas can have every colour, and not only the nearest of 256.
    pub fn has_gradients(&self) -> bool {
        self.mixing == Mixing::Exact
    }

    /// A background in the colour of a role's text: `share`, 0 to 1, of it over the background of `ground`. `None` where only
    /// whole colours can be shown, and for colours that the terminal chooses.
    pub fn tint(&self, role: Role, ground: Role, share: f64) -> Option<Color> {
        let ink = self.rgb(self.style(role).fg?)?;
        let ground = self.style(ground).bg.or(self.style(Role::Text).bg).and_then(|colour| self.rgb(colour));
        let ground = match ground {
            Some(ground) => ground,
            None if is_light(self.rgb(self.style(Role::Text).fg?)?) => DARK_GROUND,
            None => LIGHT_GROUND,
        };
        let mixed = |ink: u8, ground: u8| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
            let mixed =
                (f64::from(ground) + (f64::from(ink) - f64::from(ground)) * share.clamp(0.0, 1.0)) as u8;
            mixed
        };
        let [r, g, b] = [0, 1, 2].map(|channel| mixed(ink[channel], ground[channel]));
        let colour = Color::Rgb(r, g, b);
        Some(if self.has_gradients() { colour } else { nearest(colour, 16..=255) })
    }

    /// A colour's red, green and blue, if they are known and can be mixed.
    fn rgb(&self, colour: Color) -> Option<[u8; 3]> {
        match (self.mixing, colour) {
            (Mixing::Exact, Color::Rgb(r, g, b)) => Some([r, g, b]),
            (Mixing::Indexed, Color::Indexed(index @ 16..)) => Some(sgr::rgb(index, &SIXTEEN)),
            (Mixing::None | Mixing::Exact | Mixing::Indexed, _) => None,
        }
    }
}

/// Whether a text of this colour is meant for a dark background.
fn is_light(rgb: [u8; 3]) -> bool {
    rgb.iter().map(|channel| u32::from(*channel)).sum::<u32>() > 3 * 128
}

/// A style reduced to the colours that the terminal supports.
fn reduce(style: Style, ground: Option<Color>, colours: Colours) -> Style {
    match colours {
        Colours::True => style,
        // the first 16 look different in every terminal
        Colours::Indexed => recoloured(style, |colour| nearest(colour, 16..=255)),
        Colours::Sixteen => recoloured(style, |colour| nearest(colour, 0..=15)),
        Colours::None => {
            // a background other than the theme's has a meaning: without colours, reverse video shows it
            let highlighted = style.bg.is_some() && style.bg != ground;
            let plain = Style { fg: None, bg: None, ..style };
            if highlighted { plain.add_modifier(Modifier::REVERSED) } else { plain }
        }
    }
}

fn recoloured(style: Style, change: impl Fn(Color) -> Color) -> Style {
    Style { fg: style.fg.map(&change), bg: style.bg.map(&change), ..style }
}

/// The usual red, green and blue of the 16 ANSI colours.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The colour among these of xterm's palette that is nearest to a 24-bit colour; other colours stay.
fn nearest(colour: Color, indexes: RangeInclusive<u8>) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let index = indexes.min_by_key(|index| distance([r, g, b], sgr::rgb(*index, &SIXTEEN)));
    index.map_or(Color::Reset, Color::Indexed)
}

/// The squared distance of two colours in RGB space.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_sign_of_its_own_also_in_ascii() {
        let slos = SloState::ALL.map(Role::of_slo);
        let groups: [&[Role]; 3] = [
            &slos,
            &[Role::Down, Role::Critical, Role::Degraded, Role::Unknown, Role::Healthy],
            &[
                Role::Critical,
                Role::Warning,
                Role::Info,
                Role::Pending,
                Role::Silenced,
                Role::Inhibited,
                Role::Resolved,
            ],
        ];
        for group in groups {
            for signs in [Role::symbol as fn(Role) -> &'static str, Role::ascii] {
                let mut seen: Vec<_> = group.iter().map(|role| signs(*role)).collect();
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), group.len(), "{seen:?}");
            }
        }
        assert!(Role::ALL.iter().all(|role| role.ascii().is_ascii() && role.ascii().len() == 1));
    }

    #[test]
    fn the_legend_has_every_state_of_services_alerts_and_slos() {
        let legend: Vec<Role> = Role::legend().collect();
        for role in Health::ALL.map(Role::of_health).into_iter().chain(SloState::ALL.map(Role::of_slo)) {
            assert!(legend.contains(&role), "{role:?}");
        }
        for state in SloState::ALL {
            assert!(Role::of_slo(state).meaning().contains(state.word()), "{state:?}");
        }
    }

    #[test]
    fn symbols_are_one_cell_wide() {
        use unicode_width::UnicodeWidthStr;
        for role in Role::ALL {
            assert_eq!(role.symbol().width(), 1, "{role:?}");
        }
    }

    #[test]
    fn colours_are_reduced_to_what_the_terminal_has() {
        let red = Style::new().fg(Color::Rgb(250, 5, 5)).bg(Color::Rgb(30, 30, 30));
        assert_eq!(reduce(red, None, Colours::True), red);
        assert_eq!(
            reduce(red, None, Colours::Indexed),
            Style::new().fg(Color::Indexed(196)).bg(Color::Indexed(234))
        );
        assert_eq!(
            reduce(red, None, Colours::Sixteen),
            Style::new().fg(Color::Indexed(9)).bg(Color::Indexed(0))
        );
        assert_eq!(reduce(red, None, Colours::None), Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(reduce(red, red.bg, Colours::None), Style::new());
    }
}
