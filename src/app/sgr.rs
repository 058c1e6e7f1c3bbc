//! Colour codes of terminals: Select Graphic Rendition (SGR), as in ECMA-48 and xterm.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Each attribute with the parameters that turn it on and off.
const ATTRIBUTES: [(Modifier, &str, &str); 9] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::RAPID_BLINK, "6", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];
/// The attributes that are visible on a space, besides its background colour.
pub const VISIBLE_ON_SPACE: Modifier =
    Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// The colours and attributes of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellStyle {
    pub fg: Color,
    pub bg: Color,
    pub attributes: Modifier,
}

impl CellStyle {
    pub const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, attributes: Modifier::empty() };

    pub fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, attributes: cell.modifier }
    }

    /// Whether a space in this style is visible.
    pub fn shows_on_space(self) -> bool {
        self.bg != Color::Reset || self.attributes.intersects(VISIBLE_ON_SPACE)
    }

    /// The parameters that change this style to another one; empty if both are equal.
    pub fn change_to(self, to: Self) -> String {
        let mut codes: Vec<String> = Vec::new();
        let mut gone = self.attributes.difference(to.attributes);
        let mut new = to.attributes.difference(self.attributes);
        for (attribute, _, off) in ATTRIBUTES {
            if gone.contains(attribute) {
                codes.push(off.to_owned());
                // the same number turns off another attribute, too (bold and dim): turn that on again
                for (twin, _, _) in ATTRIBUTES.iter().filter(|(_, _, other)| *other == off) {
                    gone.remove(*twin);
                    new |= to.attributes & *twin;
                }
            }
        }
        let on = ATTRIBUTES.iter().filter(|(attribute, ..)| new.contains(*attribute));
        codes.extend(on.map(|(_, on, _)| (*on).to_owned()));
        if self.fg != to.fg {
            codes.push(code(to.fg, 30));
        }
        if self.bg != to.bg {
            codes.push(code(to.bg, 40));
        }
        codes.join(";")
    }
}

/// The index in xterm's 256-colour palette; `None` for the default colour and for 24-bit colours.
pub fn number(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Reset | Color::Rgb(..) => return None,
        Color::Indexed(number) => number,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    })
}

/// The red, green and blue of a colour of xterm's palette; the first 16 differ between terminals and are given.
pub fn rgb(index: u8, sixteen: &[[u8; 3]; 16]) -> [u8; 3] {
    // the colour cube has six steps of each colour
    let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match (index, index.wrapping_sub(16)) {
        (0..16, _) => sixteen.get(usize::from(index)).copied().unwrap_or_default(),
        (16..232, n) => [step(n / 36), step(n / 6 % 6), step(n % 6)],
        (232.., _) => [8 + 10 * (index - 232); 3],
    }
}

/// The SGR parameters of a colour; `base` is 30 for the foreground and 40 for the background.
fn code(colour: Color, base: u8) -> String {
    match (colour, number(colour)) {
        (_, Some(number @ 0..8)) => (base + number).to_string(),
        (_, Some(number @ 8..16)) => (base + 52 + number).to_string(),
        (_, Some(number)) => format!("{};5;{number}", base + 8),
        (Color::Rgb(r, g, b), None) => format!("{};2;{r};{g};{b}", base + 8),
        (_, None) => (base + 9).to_string(),
    }
}
