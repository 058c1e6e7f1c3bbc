//! Where a runbook may be: what its alert says, the folder, the templates; as places that can be read.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::config::settings::RunbookSettings;
use crate::model::labels::{Labels, Text};
use crate::model::placeholder::{TemplatePart, parts};
use crate::model::runbook::RunbookQuery;
use crate::model::text;

/// Where a runbook may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RunbookLocation {
    /// One file.
    File(PathBuf),
    /// A file of one of these names in a folder.
    Folder(PathBuf, Vec<String>),
    /// A page: what is asked for, and how it was named.
    Page(Url, Url),
    /// Nowhere, for this reason.
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
            Self::None(_) => f.write_str("what its alert says"),
        }
    }
}

/// All places, the likeliest first.
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

/// An address or a path as a team wrote it to an alert.
fn of_annotation(text: &str, settings: &RunbookSettings) -> RunbookLocation {
    let text = text.trim();
    if is_web(text) {
        return page(text);
    }
    if let Some(path) = path_of(text) {
        // anybody who can write a rule could else have any file of this machine shown, its secrets too
        let is_below = settings.folder.as_ref().is_some_and(|folder| {
            path.starts_with(folder) && !path.components().any(|step| step == Component::ParentDir)
        });
        if is_below || is_text(&path) {
            return RunbookLocation::File(path);
        }
        return RunbookLocation::None(format!(
            "{text} is neither called .md or .txt nor below the folder of [runbooks]"
        ));
    }
    let Some(folder) = &settings.folder else {
        return RunbookLocation::None(format!(
            "{text} is no address, and there is no folder in [runbooks] to look below"
        ));
    };
    if !is_below(text) {
        return RunbookLocation::None(format!("{text} does not lie below the folder of [runbooks]"));
    }
    RunbookLocation::Folder(PathBuf::from(folder), vec![text.to_owned()])
}

/// What a template comes to with these labels; nothing if one of them is not there or not fit to stand in it.
fn of_template(template: &str, labels: &Labels) -> Option<RunbookLocation> {
    let template = template.trim();
    if is_web(template) {
        let encoded = |value: &str| {
            let is_step = value.is_empty() || value.chars().all(|c| c == '.');
            (!is_step).then(|| byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20"))
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

/// A path that is whole.
fn path_of(text: &str) -> Option<PathBuf> {
    if text.starts_with("file://") {
        return Url::parse(text).ok()?.to_file_path().ok();
    }
    text.starts_with('/').then(|| PathBuf::from(text))
}

/// Whether a file is a text by its name.
fn is_text(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["md", "markdown", "txt"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// Whether a path leads nowhere but down.
fn is_below(text: &str) -> bool {
    let steps = text.split(['/', '\\']);
    !text.is_empty()
        && !text.contains([':', '\0'])
        && steps.into_iter().all(|step| !step.is_empty() && step != "..")
}

fn page(named: &str) -> RunbookLocation {
    match Url::parse(&text::address(named)) {
        Ok(named) if named.host().is_some() => RunbookLocation::Page(raw(&named), named),
        Ok(_) | Err(_) => RunbookLocation::None(format!("{named} cannot be understood as an address")),
    }
}

/// The file itself where the address is of a page about it: GitHub's and GitLab's.
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

/// What is asked where a token is given: GitLab takes it for its API alone, not for its pages.
pub(super) fn with_token(raw: &Url, named: &Url) -> Url {
    let rest = named.path().split_once("/-/blob/").or_else(|| named.path().split_once("/-/raw/"));
    let Some((project, rest)) = rest else { return raw.clone() };
    let Some((branch, file)) = rest.split_once('/') else { return raw.clone() };
    let escaped =
        |text: &str| byte_serialize(decoded(text).as_bytes()).collect::<String>().replace('+', "%20");
    let mut api = raw.clone();
    let project = escaped(project.trim_start_matches('/'));
    api.set_path(&format!("/api/v4/projects/{project}/repository/files/{}/raw", escaped(file)));
    api.set_query(Some(&format!("ref={}", escaped(branch))));
    api
}

fn decoded(text: &str) -> String {
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
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
