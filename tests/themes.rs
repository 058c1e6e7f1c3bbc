//! Every shipped theme defines every role, and its texts have enough contrast.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;

use burnwatch::testing::app::theme::Role;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    roles: BTreeMap<String, Look>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "five switches that the file format has")]
struct Look {
    fg: Option<Colour>,
    bg: Option<Colour>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Colour {
    Index(u8),
    Name(String),
}

impl Colour {
    fn rgb(&self) -> Option<[f64; 3]> {
        let Self::Name(name) = self else { return None };
        let hex = name.strip_prefix('#').filter(|hex| hex.len() == 6)?;
        let value = u32::from_str_radix(hex, 16).ok()?;
        Some([value >> 16, value >> 8, value].map(|channel| f64::from(channel & 0xff) / 255.0))
    }
}

/// The lightest of the common dark backgrounds: text that is legible on it is legible on black, too.
const DARK_GROUND: [f64; 3] = [30.0 / 255.0; 3];
const ANSI: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// Roles of lines, areas and backgrounds, which need less contrast than text.
const GRAPHICS: [Role; 7] =
    [Role::Border, Role::Selected, Role::Shade, Role::Heat1, Role::Heat2, Role::Heat3, Role::Heat4];

fn themes() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            path.file_stem().unwrap().to_str(),
            Some(file.name.as_str()),
            "a theme is called like its file"
        );
        files.push(file);
    }
    files
}

/// Relative luminance; source: WCAG 2.2.
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = rgb.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Contrast ratio, 1 to 21; source: WCAG 2.2.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

impl File {
    fn look(&self, role: Role) -> Look {
        self.roles.get(role.name()).cloned().unwrap_or_default()
    }

    fn is_true_colour(&self) -> bool {
        self.look(Role::Text).fg.and_then(|colour| colour.rgb()).is_some()
    }

    fn ground(&self) -> [f64; 3] {
        self.look(Role::Text).bg.and_then(|colour| colour.rgb()).unwrap_or(DARK_GROUND)
    }

    fn fg(&self, role: Role) -> [f64; 3] {
        let look = self.look(role);
        look.fg
            .and_then(|colour| colour.rgb())
            .unwrap_or_else(|| panic!("{}: {role:?} has no colour", self.name))
    }

    fn bg(&self, role: Role) -> [f64; 3] {
        self.look(role).bg.and_then(|colour| colour.rgb()).unwrap_or_else(|| self.ground())
    }
}

#[test]
fn the_five_themes_are_there_and_say_what_they_are() {
    let mut names: Vec<_> = themes().into_iter().map(|theme| theme.name).collect();
    names.sort_unstable();
    for name in ["colour-blind", "dark", "high-contrast", "light", "terminal"] {
        assert!(names.iter().any(|n| n == name), "{name} is not among {names:?}");
    }
    assert!(themes().iter().all(|theme| !theme.description.is_empty()));
}

#[test]
fn every_theme_fills_every_role_and_no_other() {
    for theme in themes() {
        for role in Role::ALL {
            assert!(theme.roles.contains_key(role.name()), "{} lacks {}", theme.name, role.name());
        }
        for name in theme.roles.keys() {
            assert!(Role::ALL.iter().any(|role| role.name() == name), "{} has unknown {name}", theme.name);
        }
    }
}

#[test]
fn every_colour_is_one() {
    for theme in themes() {
        for (name, look) in &theme.roles {
            for colour in [&look.fg, &look.bg].into_iter().flatten() {
                let is_colour = match colour {
                    Colour::Index(_) => true,
                    Colour::Name(ansi) => {
                        colour.rgb().is_some() || ANSI.contains(&ansi.strip_prefix("bright-").unwrap_or(ansi))
                    }
                };
                assert!(is_colour, "{}: {name}: {colour:?}", theme.name);
            }
        }
    }
}

#[test]
fn texts_are_legible_on_their_ground_on_the_bar_and_on_the_current_row() {
    for theme in themes().iter().filter(|theme| theme.is_true_colour()) {
        let enough = if theme.name == "high-contrast" { 7.0 } else { 4.5 };
        let selected = theme.look(Role::Selected);
        for role in Role::ALL.iter().filter(|role| !GRAPHICS.contains(role)) {
            let ratio = contrast(theme.fg(*role), theme.bg(*role));
            assert!(ratio >= enough, "{}: {role:?} has only {ratio:.1}:1", theme.name);
            if theme.look(*role).bg.is_none() {
                let ink = selected.fg.as_ref().and_then(Colour::rgb).unwrap_or_else(|| theme.fg(*role));
                let ratio = contrast(ink, theme.bg(Role::Selected));
                assert!(
                    ratio >= enough.min(4.5),
                    "{}: {role:?} on the current row: {ratio:.1}:1",
                    theme.name
                );
            }
        }
    }
}

#[test]
fn lines_are_seen_on_the_shade_and_grounds_differ() {
    for theme in themes().iter().filter(|theme| theme.is_true_colour()) {
        for role in Role::ALL
            .iter()
            .copied()
            .filter(|role| role.name().starts_with("series-") || *role == Role::Threshold)
        {
            let ratio = contrast(theme.fg(role), theme.bg(Role::Shade));
            assert!(ratio >= 3.0, "{}: {role:?} on the shade: {ratio:.1}:1", theme.name);
        }
        assert!(
            contrast(theme.fg(Role::Border), theme.ground()) >= 2.0,
            "{}: borders are not seen",
            theme.name
        );
        for role in [Role::Selected, Role::Shade] {
            assert!(contrast(theme.bg(role), theme.ground()) > 1.1, "{}: {role:?}", theme.name);
        }
    }
}

#[test]
fn more_heat_stands_out_more() {
    for theme in themes().iter().filter(|theme| theme.is_true_colour()) {
        let ratios = [Role::Heat1, Role::Heat2, Role::Heat3, Role::Heat4]
            .map(|role| contrast(theme.fg(role), theme.ground()));
        assert!(ratios.is_sorted_by(|a, b| a * 1.25 < *b), "{}: {ratios:.1?}", theme.name);
        assert!(ratios[0] >= 1.35, "{}: {ratios:.1?}", theme.name);
    }
}

#[test]
fn the_colour_blind_theme_tells_states_apart_by_brightness_alone() {
    let themes = themes();
    let theme = themes.iter().find(|theme| theme.name == "colour-blind").unwrap();
    for states in
        [[Role::Critical, Role::Warning, Role::Healthy], [Role::Critical, Role::Degraded, Role::Healthy]]
    {
        for (i, a) in states.iter().enumerate() {
            for b in &states[i + 1..] {
                let ratio = contrast(theme.fg(*a), theme.fg(*b));
                assert!(ratio >= 1.3, "{a:?} and {b:?} differ by {ratio:.2}:1 only");
            }
        }
    }
}

#[test]
fn the_terminal_theme_leaves_all_colours_to_the_terminal() {
    let themes = themes();
    let theme = themes.iter().find(|theme| theme.name == "terminal").unwrap();
    for (name, look) in &theme.roles {
        for colour in [&look.fg, &look.bg].into_iter().flatten() {
            let is_own = match colour {
                Colour::Index(index) => *index < 16,
                Colour::Name(name) => !name.starts_with('#'),
            };
            assert!(is_own, "{name}: {colour:?}");
        }
    }
    let text = theme.look(Role::Text);
    assert!(text.fg.is_none() && text.bg.is_none() && !text.bold && !text.dim && !text.italic);
    let selected = theme.look(Role::Selected);
    assert!(selected.reverse && !selected.underline, "the current row is seen in any 16 colours");
}
