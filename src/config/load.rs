//! Loads the settings: defaults < file < environment < flags, and reports all problems at once.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::{KnownNames, check, machine};
use super::files;
use super::kind::KindSpec;
use super::nearest::hint;
use super::process::expand_home;
use super::schema::schema;
use super::settings::{SecretRef, Settings, SourceSettings};
use super::toml_document::{ConfigProblem, TomlDocument};
use crate::model::text::with_article;

/// Far larger than real configuration files; a protection against a wrong path.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file given by the user does not exist.
    #[error("{}: no such file; `burnwatch config init` prints an example", path.display())]
    Missing { path: PathBuf },
    #[error("{}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// The file or a flag has an invalid value.
    #[error("{0}")]
    Wrong(Problems),
    /// No source is configured or given.
    #[error("no source is configured. Try one of\n{0}")]
    NoSource(StartSuggestions),
}

/// Suggestions if no source is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartSuggestions {
    /// A kind of source that has a flag.
    pub kind: Option<&'static KindSpec>,
}

impl fmt::Display for StartSuggestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = self.kind.and_then(|kind| {
            let words = format!("--{} {}", kind.name, kind.flag?.example);
            Some((words, format!("{}, no config file needed", with_article(kind.title))))
        });
        let way = |words: &str, what: &str| (words.to_owned(), what.to_owned());
        let ways = [way("demo", "a simulated environment, no network needed")]
            .into_iter()
            .chain(flag)
            .chain([way("config init", "an example configuration file")]);
        let ways: Vec<(String, String)> = ways.collect();
        let widest = ways.iter().map(|(words, _)| words.len()).max().unwrap_or_default();
        let lines = ways.iter().map(|(words, what)| format!("  burnwatch {words:<widest$}  {what}"));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// All problems, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<ConfigProblem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        vec![problem].into()
    }
}

impl From<Vec<ConfigProblem>> for ConfigError {
    fn from(problems: Vec<ConfigProblem>) -> Self {
        Self::Wrong(Problems(problems))
    }
}

/// Settings from flags and environment variables, which take precedence over the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--theme` or `BURNWATCH_THEME`.
    pub theme: Option<String>,
    /// `--utc` or `BURNWATCH_UTC`.
    pub utc: bool,
    pub ascii: bool,
    pub low_bandwidth: bool,
    /// `--slo`: added to the files of the configuration.
    pub slo_files: Vec<String>,
}

/// Settings and their file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loaded {
    /// All options with their effective values.
    pub settings: Settings,
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
}

/// Reads the file `asked` if given, else the default file `usual` if it exists, and checks it.
///
/// # Errors
/// [`ConfigError`] with all problems.
pub fn load(
    asked: Option<&Path>,
    usual: Option<&Path>,
    overrides: &Overrides,
    known: &KnownNames<'_>,
) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded::default();
    if let Some((path, text)) = find(asked, usual)? {
        loaded.settings = parse(&path.display().to_string(), &text, known)?;
        resolve_file_paths(&mut loaded.settings, path.parent().unwrap_or(Path::new("")));
        loaded.file = Some(path.to_owned());
    }
    loaded.with(overrides, known)
}

/// The file `asked` if given, else the default file `usual` if it exists, with its text.
fn find<'p>(
    asked: Option<&'p Path>,
    usual: Option<&'p Path>,
) -> Result<Option<(&'p Path, String)>, ConfigError> {
    let Some(path) = asked.or(usual) else { return Ok(None) };
    match text(path) {
        Ok(text) => Ok(Some((path, text))),
        Err(ConfigError::Missing { .. }) if asked.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Loaded {
    /// The same with the values that take precedence over the file.
    fn with(mut self, overrides: &Overrides, known: &KnownNames<'_>) -> Result<Self, ConfigError> {
        if let Some(theme) = &overrides.theme {
            if !known.themes.is_empty() && !known.themes.contains(&theme.as_str()) {
                let message = format!("there is no theme `{theme}`{}", hint(theme, known.themes.to_vec()));
                return Err(ConfigProblem { origin: "--theme".into(), place: None, message }.into());
            }
            self.settings.ui.theme = Some(theme.clone());
        }
        self.settings.ui.utc |= overrides.utc;
        self.settings.ui.ascii |= overrides.ascii;
        if overrides.low_bandwidth {
            self.settings.ui.low_bandwidth = Some(true);
        }
        self.settings.slo.files.extend(overrides.slo_files.iter().cloned());
        Ok(self)
    }
}

/// A configuration with its problems and warnings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Examined {
    pub loaded: Loaded,
    /// Problems that prevent a start, and those on this machine, in the order of the file.
    pub problems: Vec<ConfigProblem>,
    /// Warnings about settings that may be intended.
    pub warnings: Vec<ConfigProblem>,
}

/// As [`load`], but also checks the files, variables and programs that the configuration refers to, and returns all problems.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read, or if it cannot be parsed at all.
pub fn examine(
    asked: Option<&Path>,
    usual: Option<&Path>,
    overrides: &Overrides,
    known: &KnownNames<'_>,
) -> Result<Examined, ConfigError> {
    let Some((path, text)) = find(asked, usual)? else {
        let loaded = Loaded::default().with(overrides, known)?;
        return Ok(Examined { loaded, ..Examined::default() });
    };
    let document = TomlDocument::parse(&path.display().to_string(), &text)?;
    let (mut settings, mut problems) = read(&document, &text, known)?;
    resolve_file_paths(&mut settings, path.parent().unwrap_or(Path::new("")));
    let found = machine(&settings, &document);
    problems.extend(found.problems);
    problems.sort();
    let mut loaded = Loaded { settings, file: Some(path.to_owned()) };
    if problems.is_empty() {
        loaded = loaded.with(overrides, known)?;
    }
    Ok(Examined { loaded, problems, warnings: found.warnings })
}

/// The settings of a text with all its problems: invalid parts are left out, so that the rest is checked too.
///
/// # Errors
/// [`ConfigError::Wrong`] if no settings can be read.
fn read(
    document: &TomlDocument<'_>,
    text: &str,
    known: &KnownNames<'_>,
) -> Result<(Settings, Vec<ConfigProblem>), ConfigError> {
    let (mut problems, schema_violations) = document.schema_violations(&schema(known.kinds));
    let read = toml::from_str(text).and_then(|mut root: toml::Table| {
        for path in &schema_violations {
            remove(&mut root, path);
        }
        settings_of(root, known.kinds)
    });
    match read {
        Ok(settings) => {
            problems.extend(check(&settings, document, known));
            problems.sort();
            Ok((settings, problems))
        }
        Err(error) => {
            let reported = document.problem(error.span().unwrap_or(0..0), error.message());
            problems.extend(schema_violations.is_empty().then_some(reported));
            Err(problems.into())
        }
    }
}

fn remove(root: &mut toml::Table, path: &[String]) {
    let Some((last, tables)) = path.split_last() else { return };
    let mut table = Some(root);
    for name in tables {
        table = table.and_then(|table| table.get_mut(name)?.as_table_mut());
    }
    if let Some(table) = table {
        table.remove(last);
    }
}

fn settings_of(mut root: toml::Table, kinds: &[&'static KindSpec]) -> Result<Settings, toml::de::Error> {
    let sources = root.remove("sources").map(BTreeMap::<String, toml::Table>::deserialize).transpose()?;
    let mut settings = Settings::deserialize(root)?;
    for (name, table) in sources.unwrap_or_default() {
        settings.sources.insert(name, SourceSettings::read(table, kinds)?);
    }
    Ok(settings)
}

/// Parses settings; `origin` is the file name for messages.
///
/// # Errors
/// [`ConfigError::Wrong`] with all problems.
pub fn parse(origin: &str, text: &str, known: &KnownNames<'_>) -> Result<Settings, ConfigError> {
    let document = TomlDocument::parse(origin, text)?;
    let (settings, problems) = read(&document, text, known)?;
    if problems.is_empty() { Ok(settings) } else { Err(problems.into()) }
}

/// Deserialises a parsed file, if it conforms to the schema.
pub(super) fn typed<T: DeserializeOwned>(
    document: &TomlDocument<'_>,
    text: &str,
    schema: &Value,
) -> Result<T, ConfigError> {
    let (schema_violations, _) = document.schema_violations(schema);
    if !schema_violations.is_empty() {
        return Err(schema_violations.into());
    }
    toml::from_str(text)
        .map_err(|error| document.problem(error.span().unwrap_or(0..0), error.message()).into())
}

/// The TOML files of a folder, sorted by name; empty if the folder does not exist.
pub fn toml_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// [`ConfigError::Missing`] or [`ConfigError::Unreadable`], with the path.
pub fn text(path: &Path) -> Result<String, ConfigError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing { path: path.to_owned() },
        _ => ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() },
    };
    let bytes = files::read(path, MAX_CONFIG_BYTES + 1).map_err(failed)?;
    let unreadable = |reason: &str| ConfigError::Unreadable { path: path.to_owned(), reason: reason.into() };
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(unreadable("larger than 4 MiB"));
    }
    let text = String::from_utf8(bytes).ok().ok_or_else(|| unreadable("not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Resolves relative paths against the folder of the configuration file, not the current folder.
fn resolve_file_paths(settings: &mut Settings, base: &Path) {
    for path in settings.slo.files.iter_mut().chain(&mut settings.runbooks.folder) {
        *path = base.join(expand_home(path)).display().to_string();
    }
    for path in settings.runbooks.templates.iter_mut().filter(|template| template.starts_with("~/")) {
        *path = expand_home(path).display().to_string();
    }
    let tokens = settings.runbooks.tokens.values_mut().filter_map(SecretRef::file_mut);
    let of_sources = settings.sources.values_mut().flat_map(SourceSettings::files_mut);
    // paths below `~/` stay unresolved, because the output of `config show` may be shared
    for path in tokens.chain(of_sources).filter(|path| expand_home(path).is_relative()) {
        *path = base.join(&*path).display().to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kind::tests::{KINDS, known as of_kinds};
    use crate::config::settings::{AuthSettings, SecretText};

    fn write(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn without_a_file_the_defaults_count() {
        let usual = Path::new("/no/such/config.toml");
        let loaded = load(None, Some(usual), &Overrides::default(), &of_kinds()).unwrap();
        assert_eq!(loaded, Loaded::default());
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let asked = Path::new("/no/such/config.toml");
        let error = load(Some(asked), None, &Overrides::default(), &of_kinds()).unwrap_err();
        assert!(error.to_string().starts_with("/no/such/config.toml: no such file; "));
    }

    #[test]
    fn flags_count_more_than_the_file() {
        let (_dir, path) = write("\u{feff}[ui]\ntheme = \"light\"\n");
        let overrides = Overrides {
            theme: Some("dark".into()),
            utc: true,
            ascii: false,
            low_bandwidth: true,
            slo_files: vec!["more.yaml".into()],
        };
        let loaded = load(Some(&path), None, &overrides, &of_kinds()).unwrap();
        assert_eq!(loaded.settings.ui.theme.as_deref(), Some("dark"));
        assert!(loaded.settings.ui.utc && !loaded.settings.ui.ascii);
        assert_eq!(loaded.settings.ui.low_bandwidth, Some(true));
        assert_eq!(loaded.settings.slo.files, ["more.yaml"]);
        let known = KnownNames { themes: &["light", "dark"], ..of_kinds() };
        let overrides = Overrides { theme: Some("drak".into()), ..Overrides::default() };
        let error = load(Some(&path), None, &overrides, &known).unwrap_err();
        assert_eq!(error.to_string(), "--theme: there is no theme `drak`; did you mean `dark`?");
    }

    #[test]
    fn names_of_themes_commands_and_packs_are_checked_where_they_are_known() {
        let text = "[ui]\ntheme = \"drk\"\n[ui.keys]\nquitt = [\"x\"]\n[services]\npacks = [\"htp\"]\n";
        assert!(parse("c.toml", text, &of_kinds()).is_ok());
        let known = KnownNames {
            kinds: &KINDS,
            themes: &["dark"],
            commands: &["quit"],
            packs: &["http", "grpc"],
            keys: None,
        };
        let error = parse("c.toml", text, &known).unwrap_err();
        assert_eq!(
            error.to_string(),
            "c.toml:2:9: there is no theme `drk`; did you mean `dark`?\n\
             c.toml:4:9: there is no command `quitt`; did you mean `quit`?\n\
             c.toml:6:9: there is no pack `htp`; did you mean `http`?"
        );
    }

    #[test]
    fn what_does_not_fit_hides_nothing_else_that_is_wrong() {
        let (_dir, path) = write(
            "contxt = \"a\"\n\
             [sources.a]\nkind = \"prometheus\"\nurl = \"nonsense\"\ntimeuot = \"1s\"\n\
             [sources.b]\nkind = \"promethues\"\nurl = \"http://b\"\n\
             [sources.c]\nkind = \"prometheus\"\nurl = \"http://c\"\nca_file = \"no-such.pem\"\n\
             [contexts.x]\nsources = [\"a\", \"b\", \"d\"]\nsilence_share = \"0.3\"\nmax_bulk = 0\n\
             [ui.keys]\nquit = [1]\n",
        );
        let known = KnownNames { commands: &["quit"], ..of_kinds() };
        let examined = examine(Some(&path), None, &Overrides::default(), &known).unwrap();
        let reported: Vec<String> = examined.problems.iter().map(|problem| problem.message.clone()).collect();
        let parts = [
            "unknown key `contxt`",
            "`url` in [sources.a]",
            "unknown key `timeuot`",
            "`kind` in [sources.b]",
            "`ca_file` in [sources.c] needs https",
            "no-such.pem",
            "lists the source `d`",
            "`silence_share`",
            "`max_bulk`",
            "an entry of `quit`",
        ];
        assert_eq!(reported.len(), parts.len(), "{reported:#?}");
        for (part, reported) in parts.iter().zip(&reported) {
            assert!(reported.contains(part), "{part}: {reported}");
        }
        assert!(load(Some(&path), None, &Overrides::default(), &known).is_err());
    }

    #[test]
    fn a_secret_file_is_named_as_seen_from_the_configuration() {
        let (dir, path) = write(
            "[sources.prom]\nkind = \"prometheus\"\nurl = \"http://x\"\nauth.bearer.file = \"token\"\n\
             headers.X-Key = { file = \"/abs\" }\n",
        );
        let loaded = load(Some(&path), None, &Overrides::default(), &of_kinds()).unwrap();
        let source = &loaded.settings.sources["prom"];
        let token = dir.path().join("token").display().to_string();
        assert_eq!(source.auth, Some(AuthSettings::Bearer(SecretRef::File(token))));
        assert_eq!(source.headers["X-Key"], SecretText::Secret(SecretRef::File("/abs".into())));
    }

    #[test]
    fn a_file_that_is_no_text_is_refused() {
        let (_dir, path) = write("");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = load(Some(&path), None, &Overrides::default(), &of_kinds()).unwrap_err();
        assert!(error.to_string().ends_with("config.toml: not UTF-8 text"));
        let error = load(path.parent(), None, &Overrides::default(), &of_kinds()).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }));
    }
}
