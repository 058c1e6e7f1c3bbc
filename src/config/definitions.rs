//! Reads SLO definitions from files and folders: Sloth, OpenSLO, Pyrra and burnwatch's own TOML format. No network.

mod finding;
mod folder;
mod from_toml;
mod from_yaml;
mod node;
mod openslo;
mod own;
mod pyrra;
mod sloth;
mod table;
mod terms;
pub mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::duration;
use crate::model::slo::{DefinitionOrigin as SloOrigin, Slo};

use finding::{FileOrigin, Findings};
pub use finding::{Finding, FindingLevel};
use folder::OpenedFile;
use node::{DocumentNode, NodeKind, ReadFault};
use sloth::{SlothFormat, SlothPeriod};
use table::TableValue;

/// Sloth's period unless an `AlertWindows` document sets another one.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(30 * 86_400);

/// The definitions of a set of files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definitions {
    /// Each id once, in the order of files and lines.
    pub slos: Vec<Slo>,
    /// Errors, warnings and notes about the files, in order.
    pub findings: Vec<Finding>,
}

/// Reads all definitions in files and folders. An invalid definition is reported and skipped; the others are read.
///
/// References are resolved across all files. A Sloth definition has no window of its own: it gets the window of the only
/// `AlertWindows` document among the files, else `period`.
pub fn load(paths: &[PathBuf], period: Duration) -> Definitions {
    let findings = Findings::default();
    let files = folder::open(paths, &findings);
    read(&files, period, findings)
}

/// Parses a text as a file of this name: `.toml` is burnwatch's own format, anything else is YAML.
pub fn parse(path: &Path, text: &str, period: Duration) -> Definitions {
    let file = OpenedFile { path: path.to_owned(), text: text.to_owned(), named: true };
    read(&[file], period, Findings::default())
}

fn read(files: &[OpenedFile], period: Duration, findings: Findings) -> Definitions {
    let parsed = files.iter().map(|file| {
        let errors = findings.errors();
        let trees = trees(file, &findings);
        (trees, findings.errors() > errors)
    });
    let parsed: Vec<(Vec<DocumentNode>, bool)> = parsed.collect();
    let mut documents_by_format = DocumentSet::default();
    for (file, (trees, is_broken)) in files.iter().zip(&parsed) {
        let origin = FileOrigin { path: &file.path, findings: &findings };
        let before = (documents_by_format.taken, findings.errors());
        for tree in trees {
            documents_by_format.add_document(TableValue::document(tree, origin), file.named);
        }
        let has_nothing = before == (documents_by_format.taken, findings.errors());
        if file.named && !is_broken && has_nothing {
            let message = if trees.is_empty() {
                "is empty"
            } else {
                "no SLO found; supported are Sloth, OpenSLO, Pyrra and TOML files with [[slo]]"
            };
            findings.say(&file.path, None, FindingLevel::Warning, message);
        }
    }
    let mut slos = Vec::new();
    documents_by_format.read(period, &mut slos);
    let slos = first_of_each_id(slos, &findings);
    drop(documents_by_format);
    Definitions { slos, findings: findings.into_list() }
}

fn trees(file: &OpenedFile, findings: &Findings) -> Vec<DocumentNode> {
    let is_toml = file.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let (trees, faults) = if is_toml {
        let (tree, faults) = from_toml::document(&file.text);
        // an invalid file that was found in a folder and has no `slo` key: it probably has another purpose
        if !file.named && tree.field("slo").is_none() && !file.text.contains("[[slo]]") {
            return Vec::new();
        }
        (vec![tree], faults)
    } else {
        from_yaml::documents(&file.text)
    };
    for ReadFault { line, message } in faults {
        findings.say(&file.path, Some(line), FindingLevel::Error, &message);
    }
    trees
}

/// The documents of all files, sorted by format.
#[derive(Default)]
struct DocumentSet<'l> {
    documents: Vec<(DocumentReader, TableValue<'l>)>,
    windows: Vec<TableValue<'l>>,
    openslo: openslo::OpenSloObjects<'l>,
    /// The number of documents added.
    taken: usize,
}

/// Reads the SLOs of a document.
type DocumentReader = fn(&TableValue<'_>, &SlothPeriod, &mut Vec<Slo>);

impl<'l> DocumentSet<'l> {
    /// Adds a document; of a list of documents each one.
    fn add_document(&mut self, document: TableValue<'l>, named: bool) {
        let node = document.node();
        match &node.kind {
            NodeKind::Nothing => return,
            NodeKind::List(_) => {
                for inner in document.list() {
                    self.add_document(inner, named);
                }
                return;
            }
            NodeKind::Scalar { .. } if !named => return,
            NodeKind::Scalar { .. } => return document.warn("expected a definition, found plain text"),
            NodeKind::Table(_) => {}
        }
        let word = |name: &str| node.field(name).and_then(DocumentNode::text).unwrap_or_default().trim();
        let (version, kind) = (word("apiVersion"), word("kind"));
        let reader: DocumentReader = match (version, kind) {
            ("sloth.slok.dev/v1", "PrometheusServiceLevel") => {
                |document, period, slos| sloth::read(document, SlothFormat::Kubernetes, period, slos)
            }
            ("sloth.slok.dev/v1", "AlertWindows") => {
                self.taken += 1;
                return self.windows.push(document);
            }
            ("pyrra.dev/v1alpha1", "ServiceLevelObjective") => {
                |document, _, slos| slos.extend(pyrra::read(document))
            }
            ("openslo/v1", kind) => {
                self.taken += 1;
                return self.openslo.add(openslo::OpenSloVersion::One, kind, document);
            }
            ("openslo/v1alpha", kind) => {
                self.taken += 1;
                return self.openslo.add(openslo::OpenSloVersion::Alpha, kind, document);
            }
            // lists as `kubectl get -o yaml` prints them, and the typed lists of clients
            (version, kind)
                if kind.ends_with("List")
                    && (version == "v1" || is_supported_group(version))
                    && node.field("items").is_some() =>
            {
                let items = document.table().and_then(|table| table.get("items"));
                for item in items.map(|items| items.list()).unwrap_or_default() {
                    self.add_document(item, named);
                }
                return;
            }
            ("", "") if word("version") == "prometheus/v1" => {
                |document, period, slos| sloth::read(document, SlothFormat::Plain, period, slos)
            }
            ("", "") if node.field("slo").is_some() => |document, _, slos| own::read(document, slos),
            ("", "") if node.field("slos").is_some() && node.field("service").is_some() => {
                return document.error("looks like a Sloth document, but lacks `version: prometheus/v1`");
            }
            (version, kind) if is_supported_group(version) => {
                return document.error(&format!(
                    "unsupported `kind: {kind}` of `{version}`{}",
                    supported_instead(version)
                ));
            }
            ("", "") => return,
            (version, kind) => {
                let level = FindingLevel::Note;
                let message = format!("ignored: {kind} of {version} does not define SLOs");
                return document.origin().say(document.line(), level, &message);
            }
        };
        self.taken += 1;
        self.documents.push((reader, document));
    }

    fn read(&self, period: Duration, slos: &mut Vec<Slo>) {
        let period = self.period(period);
        for (reader, document) in &self.documents {
            reader(document, &period, slos);
        }
        self.openslo.read(slos);
    }

    /// The window and burn-rate conditions of Sloth's definitions.
    fn period(&self, usual: Duration) -> SlothPeriod {
        let read: Vec<_> =
            self.windows.iter().filter_map(|value| Some((value, sloth::windows(value)?))).collect();
        match read.as_slice() {
            [] => SlothPeriod::of(usual),
            [(_, period)] => period.clone(),
            [(first, period), rest @ ..] => {
                let fitting = read.iter().find(|(_, period)| period.window == usual);
                let (taken, period) = fitting.map_or((*first, period), |(value, period)| (*value, period));
                let others = rest.len();
                taken.warn(&format!(
                    "found {others} more AlertWindows; this one, for {}, applies to all Sloth SLOs",
                    duration::text(period.window)
                ));
                period.clone()
            }
        }
    }
}

/// Whether the API group of a version belongs to a supported tool.
fn is_supported_group(version: &str) -> bool {
    let group = version.split('/').next().unwrap_or_default();
    matches!(group, "openslo" | "openslo.com" | "sloth.slok.dev" | "pyrra.dev")
}

fn supported_instead(version: &str) -> &'static str {
    match version.split('/').next().unwrap_or_default() {
        "pyrra.dev" => "; supported: ServiceLevelObjective of pyrra.dev/v1alpha1",
        "sloth.slok.dev" => "; supported: PrometheusServiceLevel and AlertWindows of sloth.slok.dev/v1",
        _ => "; supported: openslo/v1 and openslo/v1alpha",
    }
}

/// Keeps the first SLO of each id; duplicates are reported as errors.
fn first_of_each_id(mut slos: Vec<Slo>, findings: &Findings) -> Vec<Slo> {
    let place = |slo: &Slo| match &slo.origin {
        SloOrigin::File { path, line, .. } => (path.clone(), *line),
        SloOrigin::Series => (PathBuf::new(), 0),
    };
    slos.sort_by_cached_key(place);
    let mut seen = BTreeMap::new();
    slos.retain(|slo| {
        let (path, line) = place(slo);
        let Some((first, at)) = seen.get(&slo.id) else {
            seen.insert(slo.id.clone(), (path, line));
            return true;
        };
        let message = format!(
            "`{}` is already defined at {}:{at}; this duplicate is ignored",
            slo.id,
            Path::display(first)
        );
        findings.say(&path, Some(line), FindingLevel::Error, &message);
        false
    });
    slos
}
