//! The files of dashboards: found in folders, read again when they change.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::read;
use crate::model::dashboard::{Dashboard, DashboardList};
use crate::model::labels::Text;
use crate::model::text::{clean, counted};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// The most files of all paths.
const MAX_FILES: usize = 2000;
/// How deep folders are followed.
const MAX_DEPTH: usize = 8;
/// The most problems that are named.
const MAX_PROBLEMS: usize = 20;

/// The dashboards of some files and folders.
#[derive(Debug, Default)]
pub(super) struct DashboardFiles {
    paths: Vec<PathBuf>,
    known: BTreeMap<PathBuf, KnownFile>,
    /// What could not be read, since the last update.
    pub(super) problems: Vec<String>,
}

#[derive(Debug)]
struct KnownFile {
    changed: Option<SystemTime>,
    bytes: u64,
    read: Result<Arc<Dashboard>, String>,
}

impl DashboardFiles {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, ..Self::default() }
    }

    /// Reads what is new or changed, and forgets what is gone.
    pub(super) fn update(&mut self) {
        let mut found = FoundFiles::default();
        for path in &self.paths {
            found.add(path, None, 0);
        }
        self.known.retain(|path, _| found.files.iter().any(|(found, _)| found == path));
        for (path, folder) in &found.files {
            let (changed, bytes) =
                fs::metadata(path).map_or((None, 0), |about| (about.modified().ok(), about.len()));
            let is_same =
                self.known.get(path).is_some_and(|known| (known.changed, known.bytes) == (changed, bytes));
            if !is_same || changed.is_none() {
                let read = read_file(path).map(|dashboard| Arc::new(in_folder(dashboard, folder.as_ref())));
                self.known.insert(path.clone(), KnownFile { changed, bytes, read });
            }
        }
        self.problems = found.problems;
        let failed = self.known.iter().filter_map(|(path, known)| {
            let why = known.read.as_ref().err()?;
            // a folder may have JSON of other things
            let is_named = self.paths.contains(path) || !why.starts_with("not a dashboard");
            is_named.then(|| format!("{}: {why}", clean(&path.display().to_string())))
        });
        self.problems.extend(failed);
        let more = self.problems.len().saturating_sub(MAX_PROBLEMS);
        if more > 0 {
            self.problems.truncate(MAX_PROBLEMS);
            self.problems.push(format!("and {}", counted(more, "more file")));
        }
    }

    /// The dashboards that could be read.
    pub(super) fn dashboards(&self) -> impl Iterator<Item = &Arc<Dashboard>> {
        self.known.values().filter_map(|known| known.read.as_ref().ok())
    }

    /// By folder and title; of the same uid, the first file counts.
    pub(super) fn list(&self) -> DashboardList {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut notes: Vec<Text> = Vec::new();
        let mut entries = Vec::new();
        for dashboard in self.dashboards() {
            if seen.insert(&dashboard.entry.uid) {
                entries.push(Arc::new(dashboard.entry.clone()));
            } else {
                let note = format!("Several files have the uid {}; the first is shown.", dashboard.entry.uid);
                notes.push(note.into());
            }
        }
        entries.sort_by(|a, b| (&a.folder, &a.title, &a.uid).cmp(&(&b.folder, &b.title, &b.uid)));
        DashboardList { entries, notes }
    }

    /// The dashboard with this uid.
    pub(super) fn find(&self, uid: &str) -> Option<Arc<Dashboard>> {
        self.dashboards().find(|dashboard| *dashboard.entry.uid == *uid).map(Arc::clone)
    }
}

fn in_folder(mut dashboard: Dashboard, folder: Option<&Text>) -> Dashboard {
    if dashboard.entry.folder.is_none() {
        dashboard.entry.folder = folder.cloned();
    }
    dashboard
}

#[derive(Default)]
struct FoundFiles {
    files: Vec<(PathBuf, Option<Text>)>,
    problems: Vec<String>,
}

impl FoundFiles {
    fn add(&mut self, path: &Path, folder: Option<Text>, depth: usize) {
        if self.files.len() >= MAX_FILES {
            let note = format!("Only the first {MAX_FILES} files are read.");
            if !self.problems.contains(&note) {
                self.problems.push(note);
            }
            return;
        }
        let about = match fs::metadata(path) {
            Ok(about) => about,
            Err(error) => {
                self.problems.push(format!("{}: {error}", clean(&path.display().to_string())));
                return;
            }
        };
        if !about.is_dir() {
            if about.is_file() || depth == 0 {
                self.files.push((path.to_owned(), folder));
            }
            return;
        }
        let mut inside: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(inside) => inside.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            Err(error) => {
                self.problems.push(format!("{}: {error}", clean(&path.display().to_string())));
                return;
            }
        };
        inside.sort();
        for path in inside {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
            // a link to a folder may lead in a circle
            let is_folder = fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir());
            if is_folder && depth < MAX_DEPTH && !name.starts_with('.') {
                let below = folder.as_ref().map_or_else(|| name.clone(), |folder| format!("{folder}/{name}"));
                self.add(&path, Some(below.into()), depth + 1);
            } else if is_json {
                self.add(&path, folder.clone(), depth + 1);
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Dashboard, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {} MiB", MAX_BYTES / (1024 * 1024)));
    }
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let json = String::from_utf8_lossy(&bytes);
    let mut dashboard = read::dashboard(&json).map_err(|error| error.to_string())?;
    // dashboards in repositories often have no uid, or the same one
    if dashboard.entry.uid == dashboard.entry.title && !name.is_empty() {
        dashboard.entry.uid = name.into();
    }
    Ok(dashboard)
}
