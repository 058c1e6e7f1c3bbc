//! Checks that a schema cannot express: names that must exist, valid URLs, values within their range.

mod access;
mod dependencies;
mod machine;

pub(crate) use access::{is_exposed, is_this_machine, unsafe_address};
pub(super) use machine::machine;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use url::Url;

use super::kind::{Address, KindSpec};
use super::nearest::{did_you_mean, hint, nearest};
use super::settings::{ConfigDuration, ContextSettings, Settings, SourceSettings};
use super::toml_document::{ConfigProblem, TomlDocument};
use crate::model::notify::QuietHours;

/// Names that other modules define; an empty list is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownNames<'a> {
    /// The supported kinds of sources.
    pub kinds: &'a [&'static KindSpec],
    pub themes: &'a [&'a str],
    /// The commands that keys can be assigned to.
    pub commands: &'a [&'a str],
    /// The available metric packs.
    pub packs: &'a [&'a str],
    /// Checks the keys assigned to commands.
    pub keys: Option<KeyChecker>,
}

/// Returns the problems of key assignments: the affected commands, and the message.
pub type KeyChecker = fn(&BTreeMap<String, Vec<String>>) -> Vec<(Vec<String>, String)>;

const MAX_BODY_MIB: u64 = 4096;
const MAX_IN_FLIGHT: usize = 64;

struct Check<'c> {
    document: &'c TomlDocument<'c>,
    found: Vec<ConfigProblem>,
}

/// All problems of settings that conform to the schema, in the order of the file.
pub(super) fn check(
    settings: &Settings,
    document: &TomlDocument<'_>,
    known: &KnownNames<'_>,
) -> Vec<ConfigProblem> {
    let mut check = Check { document, found: Vec::new() };
    check.contexts(settings);
    for (name, source) in &settings.sources {
        check.source(name, source);
    }
    check.services(settings, known);
    check.health(settings);
    check.severity(settings);
    check.slo(settings);
    check.runbooks(settings);
    check.notify(settings);
    check.limits(settings);
    check.ui(settings, known);
    check.found.sort();
    check.found
}

impl Check<'_> {
    fn wrong(&mut self, path: &[&str], message: &str) {
        self.found.push(self.document.problem_at(path, message));
    }

    /// As [`Check::wrong`]; the message begins with the name of the option and its section.
    fn option(&mut self, path: &[&str], words: &str) {
        self.wrong(path, &format!("{} {words}", named(path)));
    }

    fn failure(&mut self, path: &[&str], failure: &str) {
        self.wrong(path, &format!("{}: {failure}", named(path)));
    }

    fn contexts(&mut self, settings: &Settings) {
        let contexts = || settings.contexts.keys().map(String::as_str);
        let sources = || settings.sources.keys().map(String::as_str);
        if let Some(name) = &settings.context
            && !settings.contexts.contains_key(name)
            && !self.document.has_value(&["contexts", name])
        {
            let hint = hint(name, contexts());
            self.wrong(&["context"], &format!("there is no context `{name}`{hint}"));
        }
        for (name, context) in &settings.contexts {
            self.name(&["contexts", name], name);
            // a source that exists but does not conform to the schema is already reported
            let is_missing = |source: &&String| {
                !settings.sources.contains_key(*source) && !self.document.has_value(&["sources", source])
            };
            let missing: Vec<&String> = context.sources.iter().filter(is_missing).collect();
            for source in missing {
                let hint = hint(source, sources());
                let message =
                    format!("[contexts.{name}] lists the source `{source}`, which does not exist{hint}");
                self.wrong(&["contexts", name, "sources"], &message);
            }
            self.guard(name, context);
        }
    }

    /// Checks the guardrails: a value outside its range could disable one unnoticed.
    fn guard(&mut self, name: &str, context: &ContextSettings) {
        let share = context.silence_share;
        if !(share > 0.0 && share <= 1.0) {
            let meant = if share > 1.0 && share <= 100.0 {
                format!("; did you mean {}?", share / 100.0)
            } else {
                String::new()
            };
            self.option(
                &["contexts", name, "silence_share"],
                &format!("must be above 0 and at most 1 (30% is 0.3), not {share}{meant}"),
            );
        }
        if context.max_bulk == 0 {
            self.option(
                &["contexts", name, "max_bulk"],
                "must be at least 1, not 0; `read_only = true` or `deny` forbids actions",
            );
        }
    }

    fn name(&mut self, path: &[&str], name: &str) {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(is_plain) {
            let message = "a name must have 1 to 64 letters, digits, `-`, `_`, `.` or `:`";
            self.wrong(path, message);
        }
    }

    fn source(&mut self, name: &str, source: &SourceSettings) {
        let at = |key| ["sources", name, key];
        self.name(&["sources", name], name);
        let is_needed = source.kind.address == Some(Address::Needed);
        if is_needed && source.url.is_empty() && !self.document.has_value(&at("url")) {
            self.wrong(&["sources", name], &format!("[sources.{name}] lacks `url`"));
        } else if let Some(failure) = address_trouble(source.address())
            && source.kind.address.is_some()
        {
            self.failure(&at("url"), &failure);
        }
        for (key, words) in (source.kind.options.failures)(&source.own) {
            self.option(&at(key), &words);
        }
        self.access(name, source);
        if let Some(tenant) = &source.tenant
            && (tenant.trim().is_empty() || tenant.contains(char::is_control))
        {
            self.option(&at("tenant"), "is empty or not plain text");
        }
    }

    fn services(&mut self, settings: &Settings, known: &KnownNames<'_>) {
        let services = &settings.services;
        if services.labels.is_empty() {
            self.option(
                &["services", "labels"],
                "must not be empty: no label would give the name of a service",
            );
        }
        self.labels(&["services", "labels"], &services.labels);
        self.labels(&["services", "describe_by"], &services.describe_by);
        for pack in services.packs.iter().filter(|pack| is_missing(pack, known.packs)) {
            let message = format!("there is no pack `{pack}`{}", hint(pack, known.packs.to_vec()));
            self.wrong(&["services", "packs"], &message);
        }
        for (caller, message) in dependencies::problems(services) {
            self.wrong(&["services", "depends_on", &caller], &message);
        }
        self.above_zero(&["services", "apdex"], services.apdex);
        if let Some(lookback) = services.lookback {
            self.at_least_a_second(&["services", "lookback"], lookback);
        }
    }

    fn notify(&mut self, settings: &Settings) {
        for hours in settings.notify.quiet_hours.iter().filter(|text| QuietHours::parse(text).is_none()) {
            self.failure(
                &["notify", "quiet_hours"],
                &format!("`{hours}` is not of the form \"22:00-07:00\""),
            );
        }
        if let Some(zone) = &settings.notify.zone
            && TimeZone::get(zone).is_err()
        {
            self.failure(
                &["notify", "zone"],
                &format!("unknown time zone `{zone}`; use an IANA name such as \"Europe/Berlin\""),
            );
        }
    }

    fn runbooks(&mut self, settings: &Settings) {
        let runbooks = &settings.runbooks;
        for template in &runbooks.templates {
            let is_web = template.starts_with("https://") || template.starts_with("http://");
            let is_file = template.starts_with('/') || template.starts_with("file://");
            if !(is_web || is_file || template.starts_with("~/")) {
                let message = format!("`templates`: `{template}` is neither an address nor an absolute path");
                self.wrong(&["runbooks", "templates"], &message);
            }
        }
        let is_host = |host: &str| !host.is_empty() && !host.contains(['/', ':', '@', ' ', '?', '#']);
        for host in runbooks.hosts.iter().filter(|host| !is_host(host)) {
            let message = format!("`hosts`: `{host}` must be a host name without scheme and port");
            self.wrong(&["runbooks", "hosts"], &message);
        }
        for (host, secret) in &runbooks.tokens {
            let path = ["runbooks", "tokens", host];
            if !is_host(host) {
                let message = format!("`tokens`: `{host}` must be a host name without scheme and port");
                self.wrong(&path, &message);
            }
            self.secret(&path, secret);
        }
    }

    fn labels(&mut self, path: &[&str], labels: &[String]) {
        let key = path.last().copied().unwrap_or_default();
        for label in labels {
            if label.is_empty() {
                self.wrong(path, &format!("`{key}` has an empty label"));
            } else if label.contains(|c: char| c.is_control() || c.is_whitespace() || "\"{}=".contains(c)) {
                self.wrong(path, &format!("`{key}`: `{label}` is not a label name"));
            }
        }
    }

    fn health(&mut self, settings: &Settings) {
        let health = &settings.health;
        let ratios = [
            ("error_ratio_degraded", health.error_ratio_degraded),
            ("error_ratio_critical", health.error_ratio_critical),
            ("saturation_degraded", health.saturation_degraded),
        ];
        for (key, ratio) in ratios {
            if !(ratio > 0.0 && ratio <= 1.0) {
                self.option(
                    &["health", key],
                    &format!("must be above 0 and at most 1 (5% is 0.05), not {ratio}"),
                );
            }
        }
        if health.error_ratio_degraded > health.error_ratio_critical {
            let key = if self.document.has_value(&["health", "error_ratio_degraded"]) {
                "error_ratio_degraded"
            } else {
                "error_ratio_critical"
            };
            let message = format!(
                "`error_ratio_degraded` ({}) must not be above `error_ratio_critical` ({})",
                health.error_ratio_degraded, health.error_ratio_critical
            );
            self.wrong(&["health", key], &message);
        }
        if !(health.few_errors.is_finite() && health.few_errors >= 0.0) {
            self.option(&["health", "few_errors"], &format!("must be 0 or more, not {}", health.few_errors));
        }
        self.above_zero(&["health", "p95_degraded"], health.p95_degraded);
    }

    fn severity(&mut self, settings: &Settings) {
        let severity = &settings.severity;
        self.labels(&["severity", "labels"], &severity.labels);
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, values) in
            [("critical", &severity.critical), ("warning", &severity.warning), ("info", &severity.info)]
        {
            for value in values {
                let before = seen.insert(value.to_lowercase(), key);
                if let Some(before) = before.filter(|before| *before != key) {
                    let message = format!("[severity] gives `{value}` two meanings: {before} and {key}");
                    self.wrong(&["severity", key], &message);
                }
            }
        }
        if severity.watchdogs.iter().any(|name| name.trim().is_empty()) {
            self.wrong(&["severity", "watchdogs"], "`watchdogs` has an empty name");
        }
    }

    fn slo(&mut self, settings: &Settings) {
        let slo = &settings.slo;
        self.above_zero(&["slo", "window"], slo.window);
        if slo.files.iter().any(|path| path.trim().is_empty()) {
            self.option(&["slo", "files"], "has an empty name");
        }
        for source in slo.sources.iter().filter(|source| !settings.sources.contains_key(*source)) {
            let hint = hint(source, settings.sources.keys().map(String::as_str));
            let message = format!("[slo] lists the source `{source}`, which does not exist{hint}");
            self.wrong(&["slo", "sources"], &message);
        }
    }

    fn limits(&mut self, settings: &Settings) {
        let limits = &settings.limits;
        self.above_zero(&["limits", "connect_timeout"], limits.connect_timeout);
        self.above_zero(&["limits", "timeout"], limits.timeout);
        self.at_least_a_second(&["limits", "interval"], limits.interval);
        if !(1..=MAX_BODY_MIB).contains(&limits.body_mib) {
            self.option(
                &["limits", "body_mib"],
                &format!("must be 1 to {MAX_BODY_MIB}, not {}", limits.body_mib),
            );
        }
        if !(1..=MAX_IN_FLIGHT).contains(&limits.in_flight) {
            self.option(
                &["limits", "in_flight"],
                &format!("must be 1 to {MAX_IN_FLIGHT}, not {}", limits.in_flight),
            );
        }
    }

    fn ui(&mut self, settings: &Settings, known: &KnownNames<'_>) {
        if let Some(theme) = settings.ui.theme.as_ref().filter(|theme| is_missing(theme, known.themes)) {
            let message = format!("there is no theme `{theme}`{}", hint(theme, known.themes.to_vec()));
            self.wrong(&["ui", "theme"], &message);
        }
        for command in settings.ui.keys.keys().filter(|command| is_missing(command, known.commands)) {
            // the list of all commands would fill a page
            let hint = did_you_mean(nearest(command, known.commands.iter().copied()));
            self.wrong(&["ui", "keys", command], &format!("there is no command `{command}`{hint}"));
        }
        for (commands, failure) in known.keys.map(|find| find(&settings.ui.keys)).unwrap_or_default() {
            // a conflict is reported at the key in the file, not at the default that it conflicts with
            let own = commands.iter().find(|command| settings.ui.keys.contains_key(*command));
            let mut path = vec!["ui", "keys"];
            path.extend(own.map(String::as_str));
            self.wrong(&path, &failure);
        }
    }

    fn above_zero(&mut self, path: &[&str], span: ConfigDuration) {
        if span.0.is_zero() {
            self.option(path, "must be longer than zero");
        }
    }

    fn at_least_a_second(&mut self, path: &[&str], span: ConfigDuration) {
        if span.0.as_secs() == 0 {
            self.option(path, "must be at least 1s");
        }
    }
}

/// `` `url` in [sources.prom] ``
fn named(path: &[&str]) -> String {
    let (key, section) = path.split_last().unwrap_or((&"", &[]));
    format!("`{key}` in [{}]", section.join("."))
}

fn is_missing(name: &str, known: &[&str]) -> bool {
    !known.is_empty() && !known.contains(&name)
}

/// Why the URL of a source is invalid; `None` if it is valid.
pub(super) fn address_trouble(text: &str) -> Option<String> {
    if !text.contains("://") {
        if text.contains('@') {
            // the URL is not repeated: the part before the `@` may be a password
            return Some(
                "it has no http:// or https://, and a user or password belongs in `auth`".to_owned(),
            );
        }
        return Some(format!("`{text}` has no http:// or https://; did you mean `http://{text}`?"));
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return Some(format!("not an address ({error})")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        Some(format!("`{}` is neither http nor https", url.scheme()))
    } else if !url.username().is_empty() || url.password().is_some() {
        // the URL is not repeated because it contains a secret
        Some("it contains a user or password, which would be shown; use `auth`".to_owned())
    } else if url.query().is_some() || url.fragment().is_some() {
        Some("it has a `?` or `#` part; give only the base URL of the API".to_owned())
    } else {
        None
    }
}
