//! The colours of dashboards as roles of the theme, so that they fit it and keep their meaning without colour.

use crate::app::theme::Role;
use crate::model::dashboard::field::GrafanaColour;

/// The role of a value's colour: red is critical, orange and yellow warn, green is healthy.
pub fn role_of(colour: GrafanaColour) -> Role {
    match colour {
        GrafanaColour::Red => Role::Critical,
        GrafanaColour::Orange => Role::Warning,
        GrafanaColour::Yellow => Role::Pending,
        GrafanaColour::Green => Role::Healthy,
        GrafanaColour::Blue => Role::Info,
        GrafanaColour::Purple => Role::Unknown,
        GrafanaColour::Plain => Role::Text,
        GrafanaColour::Transparent => Role::Muted,
        GrafanaColour::Rgb(r, g, b) => named(r, g, b).map_or(Role::Text, role_of),
    }
}

/// The role of a line that the dashboard gives a colour: one of the series, which areas can have.
pub fn series_role_of(colour: GrafanaColour) -> Role {
    match colour {
        GrafanaColour::Blue => Role::Series1,
        GrafanaColour::Orange => Role::Series2,
        GrafanaColour::Green => Role::Series3,
        GrafanaColour::Purple => Role::Series4,
        GrafanaColour::Red => Role::Series6,
        GrafanaColour::Yellow => Role::Series7,
        GrafanaColour::Plain => Role::Text,
        GrafanaColour::Transparent => Role::Muted,
        GrafanaColour::Rgb(r, g, b) => named(r, g, b).map_or(Role::Text, series_role_of),
    }
}

/// The named colour of red, green and blue by its hue; `None` for grey.
fn named(r: u8, g: u8, b: u8) -> Option<GrafanaColour> {
    let [r, g, b] = [r, g, b].map(f64::from);
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let span = high - low;
    if span < 0.15 * 255.0 {
        return None;
    }
    let sector = if high <= r {
        ((g - b) / span).rem_euclid(6.0)
    } else if high <= g {
        (b - r) / span + 2.0
    } else {
        (r - g) / span + 4.0
    };
    Some(match sector * 60.0 {
        hue if hue < 16.0 => GrafanaColour::Red,
        hue if hue < 43.0 => GrafanaColour::Orange,
        hue if hue < 70.0 => GrafanaColour::Yellow,
        hue if hue < 170.0 => GrafanaColour::Green,
        hue if hue < 255.0 => GrafanaColour::Blue,
        hue if hue < 330.0 => GrafanaColour::Purple,
        _ => GrafanaColour::Red,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_old_dashboards_have_the_roles_of_their_names() {
        for (rgb, role) in [
            ((0xd4, 0x4a, 0x3a), Role::Critical),
            ((0xf5, 0x36, 0x36), Role::Critical),
            ((237, 129, 40), Role::Warning),
            ((0xea, 0xb8, 0x39), Role::Pending),
            ((0x29, 0x9c, 0x46), Role::Healthy),
            ((50, 172, 45), Role::Healthy),
            ((0x1f, 0x60, 0xc4), Role::Info),
            ((0x8f, 0x3b, 0xb8), Role::Unknown),
            ((0x80, 0x80, 0x80), Role::Text),
            ((255, 255, 255), Role::Text),
            ((0, 0, 0), Role::Text),
        ] {
            assert_eq!(role_of(GrafanaColour::Rgb(rgb.0, rgb.1, rgb.2)), role, "{rgb:?}");
        }
    }
}
