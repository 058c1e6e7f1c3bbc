//! The format of theme files. Which roles exist and how they are drawn is defined elsewhere.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use super::load::{ConfigError, text, toml_files, typed};
use super::toml_document::TomlDocument;

/// One theme file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThemeFile {
    /// The name by which it is selected.
    pub name: String,
    /// One line about the theme.
    #[serde(default)]
    pub description: String,
    /// The theme that provides the roles that this one does not define.
    #[serde(default)]
    pub extends: Option<String>,
    /// The look of each role, by the role's name.
    #[serde(default)]
    pub roles: BTreeMap<String, RoleLook>,
}

/// The look of one role; missing values mean the terminal's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the attributes of a terminal's cell are independent switches"
)]
pub struct RoleLook {
    /// The text colour.
    pub fg: Option<Colour>,
    /// The background colour.
    pub bg: Option<Colour>,
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Text and background swapped.
    pub reverse: bool,
}

/// A colour: `"#ff8800"`, one of the terminal's sixteen colours (`"red"`, `"bright-red"`), a palette index 0 to 255, or
/// `"default"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Colour {
    /// The terminal's default text or background colour.
    Default,
    /// A palette index; 0 to 15 are the terminal's sixteen colours.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// The terminal's first eight colours, by index; the other eight are `bright-` and the same name.
const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// A text that is not a colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a colour; write \"#rrggbb\", 0 to 255, \"red\", \"bright-red\" or \"default\"")]
pub struct ColourError(String);

impl FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let wrong = || ColourError(text.to_owned());
        if let Some(digits) = text.strip_prefix('#') {
            let is_hex = digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or_else(wrong)?;
            let [_, red, green, blue] = number.to_be_bytes();
            return Ok(Self::Rgb(red, green, blue));
        }
        let (plain, first) = text.strip_prefix("bright-").map_or((text, 0), |plain| (plain, 8));
        match (text, (first..).zip(NAMES).find(|(_, name)| *name == plain).map(|(number, _)| number)) {
            ("default", _) => Ok(Self::Default),
            (_, Some(number)) => Ok(Self::Indexed(number)),
            ("gray" | "grey", _) => Ok(Self::Indexed(8)),
            _ => Err(wrong()),
        }
    }
}

/// A colour as written.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenColour {
    Number(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WrittenColour::deserialize(deserializer)? {
            WrittenColour::Text(text) => text.parse().map_err(D::Error::custom),
            WrittenColour::Number(number) => u8::try_from(number).map(Self::Indexed).map_err(|_not_a_byte| {
                D::Error::invalid_value(Unexpected::Signed(number), &"a colour from 0 to 255")
            }),
        }
    }
}

impl JsonSchema for Colour {
    fn schema_name() -> Cow<'static, str> {
        "Colour".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0, "maximum": 255 }] })
    }
}

/// Parses a theme; `origin` is the file name for messages.
///
/// # Errors
/// [`ConfigError::Wrong`] with all problems and their positions.
pub fn parse(origin: &str, text: &str) -> Result<ThemeFile, ConfigError> {
    let document = TomlDocument::parse(origin, text)?;
    typed(&document, text, &schemars::schema_for!(ThemeFile).to_value())
}

/// The user's own themes, sorted by file name, and the errors of those that cannot be used.
///
/// A missing folder means no themes, and is not an error.
pub fn own_themes(dir: &Path) -> (Vec<ThemeFile>, Vec<ConfigError>) {
    let read = |path: &Path| parse(&path.display().to_string(), &text(path)?);
    let (mut themes, mut errors) = (Vec::new(), Vec::new());
    for path in toml_files(dir) {
        match read(&path) {
            Ok(theme) => themes.push(theme),
            Err(error) => errors.push(error),
        }
    }
    (themes, errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_read() {
        let text = "name = \"x\"\nextends = \"dark\"\n[roles]\n\
                    critical = { fg = \"#ff8000\", bg = 17, bold = true }\ndim = { fg = \"bright-black\" }\n";
        let theme = parse("x.toml", text).unwrap();
        let critical = RoleLook {
            fg: Some(Colour::Rgb(255, 128, 0)),
            bg: Some(Colour::Indexed(17)),
            bold: true,
            ..RoleLook::default()
        };
        assert_eq!(theme.roles["critical"], critical);
        assert_eq!(theme.roles["dim"].fg, Some(Colour::Indexed(8)));
        assert_eq!(theme.extends.as_deref(), Some("dark"));
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let error =
            parse("x.toml", "nam = \"x\"\n[roles.critical]\nforeground = \"red\"\nbold = 1\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.toml:1:1: the file lacks `name`\n\
             x.toml:1:1: unknown key `nam`; did you mean `name`?\n\
             x.toml:3:1: unknown key `foreground` in [roles.critical]; available: `bg`, `bold`, `dim`, `fg`, `italic`, `reverse`, `underline`\n\
             x.toml:4:8: `bold` in [roles.critical] must be true or false, not a whole number"
        );
        let error = parse("x.toml", "name = \"x\"\n[roles]\na.fg = \"crimson\"\n").unwrap_err();
        assert!(error.to_string().starts_with("x.toml:3:8: `crimson` is not a colour"), "{error}");
        let error = parse("x.toml", "name = \"x\"\n[roles]\na.fg = 256\n").unwrap_err();
        assert!(error.to_string().starts_with("x.toml:3:8: "), "{error}");
    }

    #[test]
    fn a_colour_is_six_hex_digits_and_no_sign() {
        for wrong in ["#12345", "#+12345", "#1234567", "", "Red!", "#µµµ"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
        assert_eq!("default".parse(), Ok(Colour::Default));
    }

    #[test]
    fn own_themes_are_read_and_broken_ones_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.toml"), "name = \"a\"\n").unwrap();
        std::fs::write(dir.path().join("b.toml"), "name = 1\n").unwrap();
        std::fs::write(dir.path().join("c.txt"), "").unwrap();
        let (themes, errors) = own_themes(dir.path());
        assert_eq!((themes.len(), errors.len()), (1, 1));
        assert_eq!(own_themes(Path::new("/no/such/dir")), (Vec::new(), Vec::new()));
    }
}
