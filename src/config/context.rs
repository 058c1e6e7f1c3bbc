//! Selects the sources: those given by flags, else those of a context, else all.

use url::Url;

use crate::model::guard::Guard;
use crate::model::source::SourceId;

use super::check::address_trouble;
use super::kind::KindSpec;
use super::load::{ConfigError, StartSuggestions};
use super::nearest::hint;
use super::settings::{ContextSettings, Settings, SourceSettings};
use super::toml_document::ConfigProblem;

/// The name of the context with all sources, if no contexts are configured.
const ALL: &str = "default";

/// The flags and environment variables that select a context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextChoice {
    /// `--context` or `BURNWATCH_CONTEXT`.
    pub context: Option<String>,
    /// The kinds that have a flag, with the URLs given after it.
    pub sources: Vec<(&'static KindSpec, Vec<String>)>,
    /// A kind that reads files of this machine, and the paths given after its flag; they are added to every context.
    pub files: Option<(&'static KindSpec, Vec<String>)>,
    /// `--read-only` or `BURNWATCH_READ_ONLY`.
    pub read_only: bool,
    /// `--dry-run`.
    pub dry_run: bool,
}

/// A named set of sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub name: String,
    /// Its sources, each with a unique id.
    pub sources: Vec<(SourceId, SourceSettings)>,
    /// Its guardrails.
    pub guard: Guard,
    /// Whether to show a warning that this is production.
    pub production: bool,
}

/// The names of all selectable contexts, in order.
pub fn names(settings: &Settings, wanted: &ContextChoice) -> Vec<String> {
    let own = first_address(wanted).map(|address| host(address));
    let configured = settings.contexts.keys().cloned();
    let all = (settings.contexts.is_empty() && !settings.sources.is_empty()).then(|| ALL.to_owned());
    own.into_iter().chain(configured).chain(all).collect()
}

/// The selected context. URLs given as flags form a context of their own, named after the first host.
///
/// # Errors
/// [`ConfigError::Wrong`] for an unknown context or an invalid URL; [`ConfigError::NoSource`] if
/// no source is configured.
pub fn resolve(settings: &Settings, wanted: &ContextChoice) -> Result<Context, ConfigError> {
    if let Some(first) = first_address(wanted) {
        let mut sources = named_by_flags(wanted)?;
        add_files(&mut sources, wanted);
        return Ok(Context {
            name: host(first),
            sources,
            guard: guarded(&ContextSettings::default(), wanted),
            production: false,
        });
    }
    if settings.sources.is_empty() {
        let mut sources = Vec::new();
        add_files(&mut sources, wanted);
        if sources.is_empty() {
            return Err(nothing(wanted));
        }
        let guard = guarded(&ContextSettings::default(), wanted);
        return Ok(Context { name: ALL.to_owned(), sources, guard, production: false });
    }
    let name = wanted.context.as_ref().or(settings.context.as_ref());
    let name = name.or_else(|| settings.contexts.keys().next()).map_or(ALL, String::as_str);
    enter(settings, wanted, name)
}

/// The context with this name.
///
/// # Errors
/// The errors of [`resolve`].
pub fn enter(settings: &Settings, wanted: &ContextChoice, name: &str) -> Result<Context, ConfigError> {
    if first_address(wanted).is_some_and(|first| host(first) == name) {
        return resolve(settings, wanted);
    }
    let all = || settings.sources.keys().cloned().collect::<Vec<_>>();
    let plain = ContextSettings::default();
    let (sources, context) = match settings.contexts.get(name) {
        Some(context) if context.sources.is_empty() => (all(), context),
        Some(context) => (context.sources.clone(), context),
        None if name == ALL && settings.contexts.is_empty() => (all(), &plain),
        None => {
            let known = names(settings, wanted);
            let hint = hint(name, known.iter().map(String::as_str));
            let message = format!("there is no context `{name}`{hint}");
            return Err(ConfigProblem { origin: "--context".into(), place: None, message }.into());
        }
    };
    let mut found: Vec<(SourceId, SourceSettings)> = Vec::new();
    for source in sources {
        let id = SourceId::new(&source);
        if let Some(settings) = settings.sources.get(&source)
            && found.iter().all(|(known, _)| *known != id)
        {
            found.push((id, settings.clone()));
        }
    }
    if found.is_empty() {
        return Err(nothing(wanted));
    }
    add_files(&mut found, wanted);
    Ok(Context {
        name: name.to_owned(),
        sources: found,
        guard: guarded(context, wanted),
        production: context.production,
    })
}

/// The guardrails of a context, with those added by flags.
fn guarded(context: &ContextSettings, wanted: &ContextChoice) -> Guard {
    let read_only = match (wanted.read_only, context.read_only) {
        (true, _) => Some("--read-only".into()),
        (false, true) => Some("the context is read_only".into()),
        (false, false) => None,
    };
    Guard {
        read_only,
        deny: context.deny.iter().copied().collect(),
        max_bulk: context.max_bulk,
        silence_share: context.silence_share,
        dry_run: wanted.dry_run,
    }
}

fn nothing(wanted: &ContextChoice) -> ConfigError {
    ConfigError::NoSource(StartSuggestions { kind: wanted.sources.first().map(|(kind, _)| *kind) })
}

fn first_address(wanted: &ContextChoice) -> Option<&String> {
    wanted.sources.iter().find_map(|(_, addresses)| addresses.first())
}

fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or(address).to_owned()
}

fn named_by_flags(wanted: &ContextChoice) -> Result<Vec<(SourceId, SourceSettings)>, ConfigError> {
    let mut sources: Vec<(SourceId, SourceSettings)> = Vec::new();
    for (kind, addresses) in &wanted.sources {
        let first = kind.flag.map_or(kind.name, |flag| flag.source);
        for (i, address) in addresses.iter().enumerate() {
            if let Some(message) = address_trouble(address) {
                return Err(ConfigProblem { origin: format!("--{}", kind.name), place: None, message }.into());
            }
            let name = if i == 0 { first.to_owned() } else { format!("{first}-{}", i + 1) };
            sources.push((SourceId::new(&name), SourceSettings::new(kind, address)));
        }
    }
    Ok(sources)
}

/// Adds a source with the files that flags name, under a name that is free.
fn add_files(sources: &mut Vec<(SourceId, SourceSettings)>, wanted: &ContextChoice) {
    let Some((kind, paths)) = wanted.files.as_ref().filter(|(_, paths)| !paths.is_empty()) else { return };
    let mut source = SourceSettings::new(kind, "");
    let paths = paths.iter().map(|path| toml::Value::String(path.clone())).collect();
    source.own.insert("paths".to_owned(), toml::Value::Array(paths));
    let is_free = |name: &String| sources.iter().all(|(id, _)| id.as_str() != name);
    let names = std::iter::once(kind.name.to_owned()).chain((2..).map(|n| format!("{}-{n}", kind.name)));
    if let Some(name) = names.into_iter().find(is_free) {
        sources.push((SourceId::new(&name), source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kind::tests::{KINDS, known};
    use crate::config::load::parse;

    fn settings(text: &str) -> Settings {
        parse("config.toml", text, &known()).unwrap()
    }

    fn ids(context: &Context) -> Vec<&str> {
        context.sources.iter().map(|(id, _)| id.as_str()).collect()
    }

    const TWO: &str = r#"
        [sources.prom-eu]
        kind = "prometheus"
        url = "https://prom.eu.example.net"
        [sources.am]
        kind = "alertmanager"
        url = "https://am.example.net"
        [contexts.staging]
        sources = ["prom-eu", "prom-eu"]
        [contexts.prod]
        read_only = true
        production = true
    "#;

    #[test]
    fn flags_make_a_context_without_any_file() {
        let wanted = ContextChoice {
            sources: vec![
                (KINDS[0], vec!["http://prom.example.net:9090/p".into(), "http://[::1]:9091".into()]),
                (KINDS[1], vec!["http://am".into()]),
            ],
            ..ContextChoice::default()
        };
        let context = resolve(&settings(TWO), &wanted).unwrap();
        assert_eq!(
            (context.name.as_str(), ids(&context)),
            ("prom.example.net", vec!["prom", "prom-2", "am"])
        );
        assert_eq!(names(&settings(TWO), &wanted), ["prom.example.net", "prod", "staging"]);
    }

    #[test]
    fn an_address_without_a_scheme_is_refused_with_the_right_one() {
        let wanted = ContextChoice {
            sources: vec![(KINDS[0], vec!["localhost:9090".into()])],
            ..ContextChoice::default()
        };
        let error = resolve(&Settings::default(), &wanted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--prometheus: `localhost:9090` has no http:// or https://; did you mean `http://localhost:9090`?"
        );
    }

    #[test]
    fn the_first_context_counts_unless_another_is_wanted() {
        let settings = settings(TWO);
        let first = resolve(&settings, &ContextChoice::default()).unwrap();
        assert_eq!((first.name.as_str(), ids(&first)), ("prod", vec!["am", "prom-eu"]));
        assert!(first.guard.read_only.is_some() && first.production);
        let wanted =
            ContextChoice { context: Some("staging".into()), read_only: true, ..ContextChoice::default() };
        let other = resolve(&settings, &wanted).unwrap();
        assert_eq!(ids(&other), ["prom-eu"]);
        assert!(other.guard.read_only.is_some() && !other.production);
    }

    #[test]
    fn sources_without_contexts_are_one_context() {
        let settings = settings("[sources.p]\nkind = \"prometheus\"\nurl = \"http://p\"\n");
        assert_eq!(resolve(&settings, &ContextChoice::default()).unwrap().name, "default");
        assert_eq!(names(&settings, &ContextChoice::default()), ["default"]);
    }

    #[test]
    fn a_context_that_is_not_there_is_refused_with_the_nearest() {
        let wanted = ContextChoice { context: Some("prd".into()), ..ContextChoice::default() };
        let error = resolve(&settings(TWO), &wanted).unwrap_err();
        assert_eq!(error.to_string(), "--context: there is no context `prd`; did you mean `prod`?");
    }

    #[test]
    fn with_nothing_to_ask_it_says_what_to_do() {
        let wanted = ContextChoice { sources: vec![(KINDS[0], Vec::new())], ..ContextChoice::default() };
        let error = resolve(&Settings::default(), &wanted).unwrap_err().to_string();
        for way in ["burnwatch demo", "burnwatch --prometheus http", "burnwatch config init"] {
            assert!(error.contains(way), "{error}");
        }
    }
}
