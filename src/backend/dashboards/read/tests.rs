use std::path::PathBuf;
use std::{fs, panic};

use serde_json::Value;

use super::*;
use crate::model::dashboard::panel::PanelKind;
use crate::model::tests::shared::shared;

/// All published dashboards, by path.
fn corpus() -> Vec<(String, String)> {
    let Some(shared) = shared() else { return Vec::new() };
    let mut folders = vec![shared.join("corpus/dashboards")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&shared).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

#[test]
fn dump() {
    for (name, json) in corpus() {
        let dashboard = dashboard(&json).unwrap();
        println!(
            "== {name} {} {:?} {} panels {:?}",
            dashboard.entry.title,
            dashboard.schema_version,
            dashboard.panels(),
            dashboard.notes
        );
        for section in &dashboard.sections {
            println!(
                "  [{:?}] collapsed {} repeat {:?}",
                section.title, section.is_collapsed, section.repeat
            );
            for panel in &section.panels {
                println!(
                    "    {} {:?} {} q{} unit {:?} {:?} notes {:?}",
                    panel.id,
                    panel.title,
                    format!("{:?}", panel.kind).chars().take(90).collect::<String>(),
                    panel.queries.len(),
                    panel.options.unit,
                    panel.place,
                    panel.notes
                );
            }
        }
    }
}
