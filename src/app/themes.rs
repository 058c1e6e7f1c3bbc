//! The built-in themes and those of the user: converts theme files to styles.

use ratatui::style::{Color, Modifier, Style};

use super::theme::{Role, Theme};
use crate::config::most_similar;
use crate::config::theme::{self, Colour, RoleLook, ThemeFile};

/// The files of the built-in themes. A new theme is one more row; the first one is the default.
const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("terminal", include_str!("../../themes/terminal.toml")),
];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    #[error("theme {theme:?} extends {base:?}, which is not among the built-in themes")]
    NoSuchBase { theme: String, base: String },
    #[error("theme {theme:?}: there is no role {role:?}; did you mean {nearest:?}?")]
    NoSuchRole { theme: String, role: String, nearest: &'static str },
}

pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

pub fn built_in() -> Vec<Theme> {
    let dark = Theme::new("", |_| Style::new());
    let files = BUILT_IN.iter().filter_map(|(name, text)| theme::parse(name, text).ok());
    files.map(|file| from_file(&file, &dark)).collect()
}

/// The built-in themes and those of the user. A role that a file leaves out is inherited from the theme that it extends, else
/// from the first theme. A file with the name of a built-in theme replaces that theme.
///
/// # Errors
/// All errors in the files, together with the themes that can be used.
pub fn all(own: &[ThemeFile]) -> (Vec<Theme>, Vec<ThemeError>) {
    let mut themes = built_in();
    let mut errors = Vec::new();
    for file in own {
        for role in file.roles.keys().filter(|name| !Role::ALL.iter().any(|role| role.name() == *name)) {
            let nearest = most_similar(role, Role::ALL.iter().map(|role| role.name()));
            errors.push(ThemeError::NoSuchRole { theme: file.name.clone(), role: role.clone(), nearest });
        }
        let base = match &file.extends {
            None => themes.first(),
            Some(name) => themes.iter().find(|theme| theme.name() == name),
        };
        let Some(base) = base else {
            let base = file.extends.clone().unwrap_or_default();
            errors.push(ThemeError::NoSuchBase { theme: file.name.clone(), base });
            continue;
        };
        let theme = from_file(file, base);
        match themes.iter_mut().find(|known| known.name() == theme.name()) {
            Some(known) => *known = theme,
            None => themes.push(theme),
        }
    }
    (themes, errors)
}

/// The theme of a file; roles that the file does not set are those of `base`.
fn from_file(file: &ThemeFile, base: &Theme) -> Theme {
    Theme::new(&file.name, |role| {
        file.roles.get(role.name()).map_or_else(|| base.style(role), |look| style(*look))
    })
}

fn style(look: RoleLook) -> Style {
    let attributes = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ];
    let on = attributes.into_iter().filter(|(on, _)| *on).fold(Modifier::empty(), |all, (_, one)| all | one);
    Style { fg: look.fg.map(colour), bg: look.bg.map(colour), ..Style::new() }.add_modifier(on)
}

fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Default => Color::Reset,
        Colour::Indexed(index) => Color::Indexed(index),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_read_and_has_its_own_name() {
        let names: Vec<String> = built_in().iter().map(|theme| theme.name().to_owned()).collect();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name.to_owned()));
    }

    #[test]
    fn an_own_theme_changes_what_it_names_and_keeps_the_rest() {
        let file = theme::parse(
            "mine.toml",
            "name = \"mine\"\nextends = \"light\"\n[roles]\ncritical = { fg = \"#010203\" }",
        );
        let (themes, errors) = all(&[file.unwrap()]);
        assert_eq!(errors, []);
        let (mine, light) = (themes.last().unwrap(), &themes[1]);
        assert_eq!(mine.style(Role::Critical).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(mine.style(Role::Warning), light.style(Role::Warning));
    }

    #[test]
    fn a_role_that_there_is_not_is_named_with_the_nearest() {
        let file = theme::parse("mine.toml", "name = \"mine\"\n[roles]\ncritcal = { bold = true }").unwrap();
        assert_eq!(
            all(&[file]).1[0].to_string(),
            "theme \"mine\": there is no role \"critcal\"; did you mean \"critical\"?"
        );
    }
}
