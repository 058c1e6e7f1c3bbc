//! Colour codes of terminals: Select Graphic Rendition (SGR), as in ECMA-48 and xterm.

use ratatui::style::Color;

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
pub fn code(colour: Color, base: u8) -> String {
    match (colour, number(colour)) {
        (_, Some(number @ 0..8)) => (base + number).to_string(),
        (_, Some(number @ 8..16)) => (base + 52 + number).to_string(),
        (_, Some(number)) => format!("{};5;{number}", base + 8),
        (Color::Rgb(r, g, b), None) => format!("{};2;{r};{g};{b}", base + 8),
        (_, None) => (base + 9).to_string(),
    }
}
