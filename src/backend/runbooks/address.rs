//! The locations where a runbook may be: the alert's `runbook_url`, the runbook folder, and the configured templates.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::config::settings::RunbookSettings;
use crate::model::labels::{Labels, Text};
use crate::model::placeholder::{TemplatePart, parts};
use crate::model::runbook::RunbookQuery;
use crate::model::text;

/// The characters that are escaped in an address: all but letters, digits, `*`, `-`, `.` and `_`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

#[derive(Debug, Clone, PartialEq)]
pub(super) enum RunbookLocation {
    File(PathBuf),
    /// A folder, and the file names to look for in it.
    Folder(PathBuf, Vec<String>),
    /// A web page: the address to request, and the address as it was written.
    Page(Url, Url),
    /// No location, with the reason.
    None(String),
}

impl fmt::Display for RunbookLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Folder(folder, names) => write!(f, "{}: {}", folder.display(), names.join(", ")),
            Self::Page(_, named) => {
                write!(f, "{}://{}{}", named.scheme(), named.host_str().unwrap_or_default(), named.path())
            }
            Self::None(_) => f.write_str("the alert's runbook_url"),
        }
    }
}

/// All locations for a runbook, in the order in which they are tried.
pub(super) fn places(wanted: &RunbookQuery, settings: &RunbookSettings) -> Vec<RunbookLocation> {
    let mut labels: Vec<(Text, Text)> = wanted.labels.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    if wanted.labels.get("alertname").is_none() {
        labels.push(("alertname".into(), wanted.name.clone()));
    }
    let labels = Labels::new(labels);
    let mut places = Vec::new();
    if let Some(url) = &wanted.url {
        let filled = fill(url, &labels, |value| Some(value.to_owned()));
        places.push(of_annotation(&filled.unwrap_or(url.to_string()), settings));
    }
    if let Some(folder) = &settings.folder {
        let of_label = |name: &str| labels.get(name).map(|value| format!("{value}.md"));
        let names = [Some(format!("{}.md", wanted.name)), of_label("service"), of_label("job")];
        places.push(RunbookLocation::Folder(PathBuf::from(folder), names.into_iter().flatten().collect()));
    }
    places.extend(settings.templates.iter().filter_map(|template| of_template(template, &labels)));
    places.dedup();
    if places.is_empty() {
        let why = "no runbook_url, and [runbooks] in the configuration names no folder and no template";
        places.push(RunbookLocation::None(why.to_owned()));
    }
    places
}

/// The location of an alert's `runbook_url`: a web address, an absolute path, or a path relative to the folder.
fn of_annotation(text: &str, settings: &RunbookSettings) -> RunbookLocation {
    let text = text.trim();
    if is_web(text) {
        return page(text);
    }
    if let Some(path) = path_of(text) {
        // without this check, anybody who can write an alerting rule could display any file of this machine, also secrets
        let is_below = settings.folder.as_ref().is_some_and(|folder| {
            path.starts_with(folder) && !path.components().any(|step| step == Component::ParentDir)
        });
        if is_below || is_text(&path) {
            return RunbookLocation::File(path);
        }
        return RunbookLocation::None(format!(
            "{text} is not shown: it has no ending .md, .markdown or .txt and is outside of the folder of [runbooks]"
        ));
    }
    let Some(folder) = &settings.folder else {
        return RunbookLocation::None(format!(
            "{text} is not a web address, and [runbooks] sets no folder to look in"
        ));
    };
    if !is_below(text) {
        return RunbookLocation::None(format!("{text} is outside of the folder of [runbooks]"));
    }
    RunbookLocation::Folder(PathBuf::from(folder), vec![text.to_owned()])
}

/// The location of a template, filled with these labels; `None` if a label is missing or its value is not safe in a path.
fn of_template(template: &str, labels: &Labels) -> Option<RunbookLocation> {
    let template = template.trim();
    if is_web(template) {
        let encoded = |value: &str| {
            let is_step = value.is_empty() || value.chars().all(|c| c == '.');
            (!is_step).then(|| utf8_percent_encode(value, ESCAPED).to_string())
        };
        return fill(template, labels, encoded).map(|address| page(&address));
    }
    let plain = |value: &str| {
        let is_name =
            !value.is_empty() && value != "." && !value.contains("..") && !value.contains(['/', '\\', '\0']);
        is_name.then(|| value.to_owned())
    };
    path_of(&fill(template, labels, plain)?).map(RunbookLocation::File)
}

/// Fills the placeholders of a template. `fit` escapes or checks each value; `None` if a label is missing or `fit` returns
/// `None`.
fn fill(template: &str, labels: &Labels, fit: impl Fn(&str) -> Option<String>) -> Option<String> {
    let parts = parts(template, labels).into_iter().map(|part| match part {
        TemplatePart::Plain(text) => Some(text.to_owned()),
        TemplatePart::Filled { value, .. } => fit(value),
        TemplatePart::Missing { .. } => None,
    });
    parts.collect()
}

fn is_web(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The path of an absolute path or of a `file://` address.
fn path_of(text: &str) -> Option<PathBuf> {
    if text.starts_with("file://") {
        return Url::parse(text).ok()?.to_file_path().ok();
    }
    text.starts_with('/').then(|| PathBuf::from(text))
}

fn is_text(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["md", "markdown", "txt"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// Whether a relative path stays below its folder: no `..`, no empty step, no drive letter.
fn is_below(text: &str) -> bool {
    let steps = text.split(['/', '\\']);
    !text.is_empty()
        && !text.contains([':', '\0'])
        && steps.into_iter().all(|step| !step.is_empty() && step != "..")
}

/// The location of a web address; for a page of a known code host, the address of the raw file.
fn page(named: &str) -> RunbookLocation {
    match Url::parse(&text::address(named)) {
        Ok(named) if named.host().is_some() => RunbookLocation::Page(raw(&named), named),
        Ok(_) | Err(_) => RunbookLocation::None(format!("{named} is not a valid address")),
    }
}

/// The address of the raw file for a page that displays the file: for GitHub, GitLab and Bitbucket. Other addresses stay as
/// they are.
fn raw(url: &Url) -> Url {
    let mut raw = url.clone();
    let steps: Vec<&str> = url.path().trim_start_matches('/').split('/').collect();
    if matches!(url.host_str(), Some("github.com" | "www.github.com"))
        && let [owner, repository, "blob" | "raw" | "blame", rest @ ..] = steps.as_slice()
    {
        let path = format!("/{owner}/{repository}/{}", rest.join("/"));
        if raw.set_host(Some("raw.githubusercontent.com")).is_ok() {
            raw.set_path(&path);
            raw.set_query(None);
            raw.set_fragment(None);
        }
    } else if let Some((project, rest)) = url.path().split_once("/-/blob/") {
        raw.set_path(&format!("{project}/-/raw/{rest}"));
        raw.set_query(None);
        raw.set_fragment(None);
    } else if let [workspace, repository, "src", rest @ ..] = steps.as_slice()
        && url.host_str() == Some("bitbucket.org")
    {
        raw.set_path(&format!("/{workspace}/{repository}/raw/{}", rest.join("/")));
    }
    raw
}

/// The address to request with a token: for GitLab the repository files API, because its pages do not accept the token.
pub(super) fn with_token(raw: &Url, named: &Url) -> Url {
    let rest = named.path().split_once("/-/blob/").or_else(|| named.path().split_once("/-/raw/"));
    let Some((project, rest)) = rest else { return raw.clone() };
    let Some((branch, file)) = rest.split_once('/') else { return raw.clone() };
    let escaped =
        |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), ESCAPED).to_string();
    let mut api = raw.clone();
    let project = escaped(project.trim_start_matches('/'));
    api.set_path(&format!("/api/v4/projects/{project}/repository/files/{}/raw", escaped(file)));
    api.set_query(Some(&format!("ref={}", escaped(branch))));
    api
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: Option<&str>, templates: &[&str]) -> RunbookSettings {
        let templates = templates.iter().map(|template| (*template).to_owned()).collect();
        RunbookSettings { folder: folder.map(str::to_owned), templates, ..RunbookSettings::default() }
    }

    fn wanted(url: Option<&str>, labels: &[(&str, &str)]) -> RunbookQuery {
        let labels = labels.iter().copied().collect();
        RunbookQuery { name: "HighErrors".into(), url: url.map(Into::into), labels }
    }

    fn shown(place: &RunbookLocation) -> String {
        match place {
            RunbookLocation::Page(url, _) => url.to_string(),
            RunbookLocation::None(why) => why.clone(),
            place => place.to_string(),
        }
    }

    #[test]
    fn pages_of_files_become_the_files() {
        for (page, file) in [
            (
                "https://github.com/o/r/blob/main/runbooks/A.md#diagnosis",
                "https://raw.githubusercontent.com/o/r/main/runbooks/A.md",
            ),
            (
                "https://gitlab.example/g/s/p/-/blob/main/A.md?plain=1",
                "https://gitlab.example/g/s/p/-/raw/main/A.md",
            ),
            ("https://raw.example/A.md?x=1", "https://raw.example/A.md?x=1"),
            ("https://github.com/o/r/wiki/A", "https://github.com/o/r/wiki/A"),
        ] {
            assert_eq!(raw(&page.parse().unwrap()).as_str(), file);
        }
        let named: Url = "https://gitlab.example/g/p/-/blob/main/a%20b/A.md".parse().unwrap();
        assert_eq!(
            with_token(&raw(&named), &named).as_str(),
            "https://gitlab.example/api/v4/projects/g%2Fp/repository/files/a%20b%2FA.md/raw?ref=main"
        );
    }

    #[test]
    fn what_the_alert_says_comes_before_the_folder_and_that_before_templates() {
        let settings = settings(Some("/r"), &["https://w.example/{{ labels.alertname }}/{{ labels.team }}"]);
        let places = places(
            &wanted(Some("https://x.example/A.md"), &[("service", "cart"), ("team", "a b/c")]),
            &settings,
        );
        let shown: Vec<String> = places.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "https://x.example/A.md",
                "/r: HighErrors.md, cart.md",
                "https://w.example/HighErrors/a%20b%2Fc"
            ]
        );
    }

    #[test]
    fn labels_lead_nowhere_but_down() {
        let settings =
            settings(Some("/r"), &["/t/{{ labels.service }}.md", "https://w.example/{{ labels.service }}/x"]);
        for service in ["../../etc/passwd", "..", "a/b", "", "a\\b"] {
            let places = places(&wanted(None, &[("service", service)]), &settings);
            assert!(
                !places.iter().any(|place| matches!(place, RunbookLocation::File(_))),
                "{service}: {places:?}"
            );
        }
        for url in ["../secret.md", "a/../../b", "a//b", "c:x"] {
            let first = places(&wanted(Some(url), &[]), &settings).into_iter().next();
            assert!(matches!(first, Some(RunbookLocation::None(_))), "{url}: {first:?}");
        }
        let at = |url: &str| places(&wanted(Some(url), &[]), &settings).into_iter().next();
        assert_eq!(at("node/A.md"), Some(RunbookLocation::Folder("/r".into(), vec!["node/A.md".into()])));
        assert_eq!(at("file:///srv/A.md"), Some(RunbookLocation::File("/srv/A.md".into())));
        assert_eq!(at("/r/x/A"), Some(RunbookLocation::File("/r/x/A".into())));
        for path in ["/proc/self/environ", "/etc/passwd", "/r/../etc/passwd", "file:///home/ana/.ssh/id_rsa"]
        {
            assert!(matches!(at(path), Some(RunbookLocation::None(_))), "{path}: {:?}", at(path));
        }
    }

    #[test]
    fn a_template_without_its_label_is_passed_over_and_nothing_at_all_is_said() {
        let one = settings(None, &["https://w.example/{{ labels.team }}.md"]);
        let places_of = |settings| places(&wanted(None, &[]), settings).iter().map(shown).collect::<Vec<_>>();
        assert!(places_of(&one).first().unwrap().starts_with("no runbook_url"));
    }
}
