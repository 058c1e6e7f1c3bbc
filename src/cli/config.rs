//! `burnwatch config`: prints, checks and locates the configuration.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::load::{ConfigError, Examined, Loaded, Overrides, examine, load};
use crate::config::{KnownNames, Paths, hint, sample, schema};
use crate::model::text::{clean, counted};

use super::args::ConfigVerb;

/// The configuration file to read, and the options that override it.
pub(super) struct ConfigLocation<'a> {
    /// `--config` or `BURNWATCH_CONFIG`.
    pub(super) asked: Option<&'a Path>,
    /// The default paths; None without a home directory.
    pub(super) paths: Option<&'a Paths>,
    pub(super) overrides: &'a Overrides,
    pub(super) known: &'a KnownNames<'a>,
}

impl ConfigLocation<'_> {
    /// Reads the effective settings.
    pub(super) fn load(&self) -> Result<Loaded, ConfigError> {
        load(self.asked, self.usual(), self.overrides, self.known)
    }

    /// Reads the effective settings and collects all errors, also those of this machine (missing files, unset variables).
    fn examine(&self) -> Result<Examined, ConfigError> {
        examine(self.asked, self.usual(), self.overrides, self.known)
    }

    /// The path of the configuration file, whether or not it exists.
    fn file(&self) -> Option<PathBuf> {
        self.asked.or(self.usual()).map(Path::to_owned)
    }

    /// The default path of the configuration file.
    fn usual(&self) -> Option<&Path> {
        self.paths.map(|paths| paths.config.as_path())
    }
}

/// The output of a verb of `config`, or the errors. `asset_errors` are those of the user's own themes and packs.
pub(super) fn run(
    verb: &ConfigVerb,
    place: &ConfigLocation<'_>,
    asset_errors: &[String],
) -> Result<String, String> {
    match verb {
        ConfigVerb::Init { write: false } => Ok(sample(place.known.kinds)),
        ConfigVerb::Init { write: true } => write(&sample(place.known.kinds), place.file()),
        ConfigVerb::Check => check(place, asset_errors),
        ConfigVerb::Show => show(place).map_err(|error| error.to_string()),
        ConfigVerb::Schema => Ok(format!("{:#}\n", schema(place.known.kinds))),
        ConfigVerb::Path { which } => path(place, which.as_deref()),
    }
}

fn write(sample: &str, file: Option<PathBuf>) -> Result<String, String> {
    let file =
        file.ok_or("there is no home directory for the configuration file; name a file with --config")?;
    let write = || -> io::Result<()> {
        if let Some(dir) = file.parent() {
            fs::create_dir_all(dir)?;
        }
        OpenOptions::new().write(true).create_new(true).open(&file)?.write_all(sample.as_bytes())
    };
    match write() {
        Ok(()) => Ok(format!("{}\n", file.display())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(format!("{} exists already and is left as it is", file.display()))
        }
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn check(place: &ConfigLocation<'_>, asset_errors: &[String]) -> Result<String, String> {
    let Examined { loaded, problems, warnings } = match place.examine() {
        Ok(examined) => examined,
        Err(error) => {
            let wrong = [error.to_string()].into_iter().chain(asset_errors.iter().cloned());
            return Err(wrong.collect::<Vec<_>>().join("\n"));
        }
    };
    let warned = warnings.iter().map(|warning| format!("{warning} (a warning)"));
    let wrong: Vec<String> =
        problems.iter().map(ToString::to_string).chain(asset_errors.iter().cloned()).collect();
    if !wrong.is_empty() {
        return Err(wrong.into_iter().chain(warned).collect::<Vec<_>>().join("\n"));
    }
    let warned: String = warned.map(|warning| warning + "\n").collect();
    let sources = counted(loaded.settings.sources.len(), "source");
    let contexts = counted(loaded.settings.contexts.len(), "context");
    let more =
        if warnings.is_empty() { String::new() } else { format!(", {}", counted(warnings.len(), "warning")) };
    let said = match &loaded.file {
        Some(file) if loaded.settings.sources.is_empty() => {
            format!("{}: fine, but it has no source yet; add a section [sources.NAME]\n", file.display())
        }
        Some(file) => format!("{}: fine; {sources}, {contexts}{more}\n", file.display()),
        None => "There is no configuration file; the defaults apply. `burnwatch config init` prints one.\n"
            .to_owned(),
    };
    Ok(warned + &said)
}

/// The effective settings in the format of a configuration file; secrets stay references.
fn show(place: &ConfigLocation<'_>) -> Result<String, ConfigError> {
    let loaded = place.load()?;
    let origin = match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "no file".to_owned(),
    };
    let mut shown = toml::Table::try_from(&loaded.settings).expect("settings are tables of plain values");
    hide_arguments(&mut shown);
    Ok(format!("# effective settings: flags, environment, {}, defaults\n{shown}", clean(&origin)))
}

/// Hides the arguments of programs that print a secret: the arguments may be secrets themselves.
fn hide_arguments(table: &mut toml::Table) {
    for (key, value) in table {
        match value {
            toml::Value::Array(words) if key == "command" && words.len() > 1 => {
                words.truncate(1);
                words.push("...".into());
            }
            toml::Value::Table(inner) => hide_arguments(inner),
            _ => {}
        }
    }
}

fn path(place: &ConfigLocation<'_>, which: Option<&str>) -> Result<String, String> {
    let paths = place.paths.ok_or("there is no home directory, so burnwatch has no paths for its files")?;
    let mut all = paths.all().map(|(word, path)| (word, path.clone()));
    if let (Some(asked), Some((_, config))) = (place.asked, all.first_mut()) {
        asked.clone_into(config);
    }
    match which {
        None => {
            let lines = all.iter().map(|(word, path)| format!("{word:<7} {}", path.display()));
            Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
        }
        Some(which) => {
            let found = all.iter().find(|(word, _)| *word == which);
            let words = all.iter().map(|(word, _)| *word).collect::<Vec<_>>();
            found
                .map(|(_, path)| format!("{}\n", path.display()))
                .ok_or_else(|| format!("there is no `{which}` among burnwatch's files{}", hint(which, words)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::KINDS;
    use crate::cli::user_assets::key_map_errors;

    fn with_place<T>(text: &str, test: impl FnOnce(&ConfigLocation<'_>, &Path) -> T) -> T {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        fs::write(&file, text).unwrap();
        let (overrides, known) = (
            Overrides { utc: true, ..Overrides::default() },
            KnownNames { kinds: &KINDS, ..KnownNames::default() },
        );
        test(&ConfigLocation { asked: Some(&file), paths: None, overrides: &overrides, known: &known }, &file)
    }

    #[test]
    fn what_is_shown_is_what_counts_and_holds_no_secret() {
        let text = "[sources.p]\nkind = \"prometheus\"\nurl = \"http://p\"\nauth.bearer.env = \"PATH\"\n\
                    headers.X = { command = [\"vault\", \"-token=s3cret\"] }\n";
        let shown = with_place(text, |place, _| show(place).unwrap());
        assert!(shown.contains("utc = true") && shown.contains("env = \"PATH\""), "{shown}");
        assert!(shown.contains(r#"command = ["vault", "..."]"#), "{shown}");
        assert!(!shown.contains(&std::env::var("PATH").unwrap()) && !shown.contains("s3cret"));
    }

    #[test]
    fn a_right_file_is_counted_and_a_wrong_one_told() {
        let text = "[sources.p]\nkind = \"prometheus\"\nurl = \"http://p\"\n";
        let reported = with_place(text, |place, _| check(place, &[])).unwrap();
        assert!(reported.ends_with("config.toml: fine; 1 source, 0 contexts\n"), "{reported}");
        let error =
            with_place("x = 1\n", |place, _| check(place, &["b.toml: broken".to_owned()])).unwrap_err();
        assert!(
            error.contains("config.toml:1:1: unknown key `x`") && error.ends_with("\nb.toml: broken"),
            "{error}"
        );
    }

    /// The output of `config check` for this configuration, without the path of its folder.
    fn checked(text: &str) -> Result<String, String> {
        with_place(text, |place, file| {
            let known = KnownNames { keys: Some(key_map_errors), ..*place.known };
            let folder = file.parent().unwrap().display().to_string();
            let reported = check(&ConfigLocation { known: &known, ..*place }, &[]);
            let plain = |text: String| text.replace(&format!("{folder}/"), "");
            reported.map(plain).map_err(plain)
        })
    }

    #[test]
    fn what_would_not_work_on_this_machine_is_told_with_its_place_and_all_at_once() {
        let wrong = checked(
            r#"[sources.prom]
kind = "prometheus"
url = "https://prom.example.net"
auth.bearer = { env = "BURNWATCH_NOT_SET_ANYWHERE" }
ca_file = "no-such.pem"

[sources.other]
kind = "prometheus"
url = "https://prom.example.net"
auth.bearer = { command = ["burnwatch-no-such-program", "s3cret"] }
client_cert = "config.toml"
client_key = "no-such-key.pem"

[sources.pager]
kind = "pagerduty"
url = "http://pd.example.net"
auth.token = { file = "no-such-token" }

[contexts.prod]
silence_share = 30

[slo]
files = ["no-such.yaml"]

[ui.keys]
silence = ["q"]
"#,
        )
        .unwrap_err();
        let expected = [
            "config.toml:4:1: env BURNWATCH_NOT_SET_ANYWHERE is not set",
            "config.toml:5:11: file no-such.pem: not found",
            "config.toml:10:1: command burnwatch-no-such-program: no executable program of this name",
            "config.toml:11:15: file config.toml contains no certificate in PEM format",
            "config.toml:12:14: file no-such-key.pem: not found",
            "config.toml:16:7: `url` in [sources.pager]: it must begin with https://",
            "config.toml:17:1: file no-such-token: not found",
            "config.toml:20:17: `silence_share` in [contexts.prod]",
            "config.toml:23:9: `files` in [slo]: no-such.yaml: not found",
            "config.toml:26:11: [ui.keys]: key q is bound to both",
        ];
        for (reported, expected) in wrong.lines().zip(expected) {
            assert!(reported.starts_with(expected), "{reported}\n{expected}\n\n{wrong}");
        }
        assert_eq!(wrong.lines().count(), expected.len(), "{wrong}");
        assert!(!wrong.contains("s3cret"), "{wrong}");
    }

    #[test]
    fn a_secret_that_goes_by_http_to_another_machine_is_a_warning_and_to_this_one_none() {
        let source = |url: &str| {
            format!(
                "[sources.p]\nkind = \"prometheus\"\nurl = \"{url}\"\nauth.bearer = {{ env = \"PATH\" }}\n"
            )
        };
        let reported = checked(&source("http://prom.example.net")).unwrap();
        assert!(reported.starts_with("config.toml:3:7: [sources.p] sends its secret"), "{reported}");
        assert!(reported.ends_with("config.toml: fine; 1 source, 0 contexts, 1 warning\n"), "{reported}");
        for url in ["https://prom.example.net", "http://localhost:9090", "http://127.0.0.1", "http://[::1]"] {
            let reported = checked(&source(url)).unwrap();
            assert!(reported.ends_with("config.toml: fine; 1 source, 0 contexts\n"), "{url}: {reported}");
        }
    }

    #[test]
    fn an_existing_file_is_left_alone() {
        with_place("", |_, file| {
            let error = write("# sample", Some(file.to_owned())).unwrap_err();
            assert!(error.contains("left as it is"));
            let new = file.with_file_name("deep").join("new.toml");
            write("# sample", Some(new.clone())).unwrap();
            assert_eq!(fs::read_to_string(new).unwrap(), "# sample");
        });
    }
}
