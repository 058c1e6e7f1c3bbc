//! Colours as dashboards write them.

use crate::model::dashboard::field::GrafanaColour;

/// A colour: a name with or without shade, `#rgb`, `#rrggbb`, `rgb()`, `rgba()`; one that is nearly transparent is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
pub(super) fn colour(written: &str) -> Option<GrafanaColour> {
    let written = written.trim();
    if let Some(hex) = written.strip_prefix('#') {
        return hexadecimal(hex);
    }
    if let Some(inside) = written.strip_prefix("rgb").and_then(|rest| rest.split_once('(')) {
        let parts: Vec<f64> =
            inside.1.trim_end_matches(')').split(',').filter_map(|part| part.trim().parse().ok()).collect();
        let channel = |value: f64| value.clamp(0.0, 255.0).round() as u8;
        return match parts.as_slice() {
            [_, _, _, alpha] if *alpha < 0.05 => Some(GrafanaColour::Transparent),
            [red, green, blue, ..] => {
                Some(GrafanaColour::Rgb(channel(*red), channel(*green), channel(*blue)))
            }
            _ => None,
        };
    }
    let name = written.to_ascii_lowercase();
    let hue =
        ["super-light-", "semi-dark-", "light-", "dark-"].iter().find_map(|shade| name.strip_prefix(shade));
    Some(match hue.unwrap_or(&name) {
        "red" => GrafanaColour::Red,
        "orange" => GrafanaColour::Orange,
        "yellow" => GrafanaColour::Yellow,
        "green" => GrafanaColour::Green,
        "blue" => GrafanaColour::Blue,
        "purple" => GrafanaColour::Purple,
        "text" | "white" => GrafanaColour::Plain,
        "transparent" => GrafanaColour::Transparent,
        "black" => GrafanaColour::Rgb(0, 0, 0),
        "gray" | "grey" => GrafanaColour::Rgb(0x80, 0x80, 0x80),
        "cyan" | "aqua" => GrafanaColour::Rgb(0, 0xff, 0xff),
        "magenta" | "fuchsia" => GrafanaColour::Rgb(0xff, 0, 0xff),
        "pink" => GrafanaColour::Rgb(0xff, 0xc0, 0xcb),
        "brown" => GrafanaColour::Rgb(0xa5, 0x2a, 0x2a),
        _ => return None,
    })
}

fn hexadecimal(hex: &str) -> Option<GrafanaColour> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pair = |high: u8, low: u8| high * 16 + low;
    match digits.as_slice() {
        [r, g, b] | [r, g, b, _] => Some(GrafanaColour::Rgb(pair(*r, *r), pair(*g, *g), pair(*b, *b))),
        [_, _, _, _, _, _, 0, 0..=12] => Some(GrafanaColour::Transparent),
        [r1, r2, g1, g2, b1, b2] | [r1, r2, g1, g2, b1, b2, _, _] => {
            Some(GrafanaColour::Rgb(pair(*r1, *r2), pair(*g1, *g2), pair(*b1, *b2)))
        }
        _ => None,
    }
}
