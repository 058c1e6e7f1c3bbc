//! The user's own themes and packs together with the built-in ones, and the errors in the user's files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::app::commands::{Command, KeyMap, KeyMapError};
use crate::app::theme::Theme;
use crate::app::themes;
use crate::backend::KINDS;
use crate::backend::packs::{Pack, chosen};
use crate::config::load::{self, toml_files};
use crate::config::{KnownNames, Paths, theme};

/// All available themes and packs, and the names that the configuration may use.
pub(super) struct UserAssets {
    pub(super) themes: Vec<Theme>,
    /// Only the user's own packs.
    pub(super) packs: Vec<Pack>,
    /// One line for each file with an error.
    pub(super) asset_errors: Vec<String>,
}

impl UserAssets {
    /// Reads the user's themes and packs from the default paths.
    pub(super) fn read(paths: Option<&Paths>) -> Self {
        let (files, errors) = paths.map(|paths| theme::own_themes(&paths.themes)).unwrap_or_default();
        let mut asset_errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let (themes, errors) = themes::all(&files);
        asset_errors.extend(errors.iter().map(ToString::to_string));
        let packs = paths.map(|paths| user_packs(&paths.packs, &mut asset_errors)).unwrap_or_default();
        Self { themes, packs, asset_errors }
    }

    /// Calls `check` with the names that the configuration may use.
    pub(super) fn with_known_names<T>(&self, check: impl FnOnce(&KnownNames<'_>) -> T) -> T {
        let themes: Vec<&str> = self.themes.iter().map(Theme::name).collect();
        let commands: Vec<&str> = Command::all().map(Command::name).collect();
        let packs = chosen(&self.packs, &[]);
        let packs: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
        let (themes, commands, packs) = (&*themes, &*commands, &*packs);
        check(&KnownNames { kinds: &KINDS, themes, commands, packs, keys: Some(key_map_errors) })
    }
}

/// The errors of `[ui.keys]`, each with the commands that it is about. Unknown command names are reported elsewhere, with other
/// unknown names.
pub(super) fn key_map_errors(keys: &BTreeMap<String, Vec<String>>) -> Vec<(Vec<String>, String)> {
    let errors = KeyMap::new(keys).err().unwrap_or_default();
    let errors = errors.iter().filter(|error| !matches!(error, KeyMapError::NoSuchCommand { .. }));
    let named = |error: &KeyMapError| error.commands().into_iter().map(str::to_owned).collect();
    errors.map(|error| (named(error), format!("[ui.keys]: {error}"))).collect()
}

/// The packs of a directory in the order of file names; none if the directory does not exist.
fn user_packs(dir: &Path, asset_errors: &mut Vec<String>) -> Vec<Pack> {
    let mut packs = Vec::new();
    for path in toml_files(dir) {
        let text = load::text(&path).map_err(|error| error.to_string());
        let named = |reason: String| format!("{}: {}", path.display(), reason.trim_end());
        match text.and_then(|text| Pack::parse(&text).map_err(|error| named(error.to_string()))) {
            Ok(pack) => packs.push(pack),
            Err(complaint) => asset_errors.push(complaint),
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_stand_beside_the_built_in_ones_and_broken_ones_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        let paths = Paths {
            config: place("config.toml"),
            packs: place("packs"),
            themes: place("themes"),
            log: place("log"),
            state: place("state"),
        };
        for folder in [&paths.packs, &paths.themes] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("broken.toml"), "x = 1\n").unwrap();
        }
        std::fs::write(paths.themes.join("mine.toml"), "name = \"mine\"\n").unwrap();
        let own = UserAssets::read(Some(&paths));
        assert_eq!(own.asset_errors.len(), 2, "{:?}", own.asset_errors);
        own.with_known_names(|known| {
            assert!(known.themes.contains(&"mine") && known.themes.contains(&"dark"));
            assert!(known.packs.contains(&"http") && known.commands.contains(&"quit"));
        });
    }
}
