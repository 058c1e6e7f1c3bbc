//! Finds files that import each other in a circle.
//!
//! A file and the files of its own folder (`world.rs`, `world/slos.rs`) are one module in several files and may name each
//! other. Tests do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::{ModuleGraph, Place};

/// What each file names in other files.
type Imports = BTreeMap<Place, BTreeSet<Place>>;

/// Files that import each other, with the imports that close the circle.
#[derive(Debug)]
pub(crate) struct Circle {
    pub(crate) files: Vec<String>,
    pub(crate) imports: Vec<String>,
}

/// All circles of files.
pub(crate) fn circles(house: &ModuleGraph, files: &BTreeSet<Place>) -> Vec<Circle> {
    let imports = imports(house, files);
    let onward: BTreeMap<&Place, BTreeSet<&Place>> =
        imports.keys().map(|file| (file, reached(&imports, file))).collect();
    let mut left: BTreeSet<&Place> = imports.keys().collect();
    let mut found = Vec::new();
    while let Some(file) = left.pop_first() {
        let leads_back = |other: &&&Place| onward.get(**other).is_some_and(|onward| onward.contains(file));
        let circle: BTreeSet<&Place> = onward[file].iter().filter(leads_back).copied().collect();
        if circle.is_empty() {
            continue;
        }
        left.retain(|other| !circle.contains(other));
        let all = imports.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
        let inside = all.filter(|(from, to)| circle.contains(from) && circle.contains(to));
        found.push(Circle {
            imports: inside.map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::"))).collect(),
            files: circle.into_iter().map(|file| file.join("::")).collect(),
        });
    }
    found
}

fn imports(house: &ModuleGraph, files: &BTreeSet<Place>) -> Imports {
    let mut imports = Imports::new();
    for arrow in house.arrows() {
        let Some((first, target)) = arrow.to.split_first() else { continue };
        if first != "crate" || is_test(&arrow.from) || is_test(target) {
            continue;
        }
        let (from, to) = (file_of(files, &arrow.from), file_of(files, target));
        if !(from.is_empty() || to.is_empty() || from.starts_with(&to) || to.starts_with(&from)) {
            imports.entry(from).or_default().insert(to);
        }
    }
    imports
}

/// The file that a path leads into.
fn file_of(files: &BTreeSet<Place>, path: &[String]) -> Place {
    let lengths = (0..=path.len()).rev();
    lengths.map(|length| path[..length].to_vec()).find(|place| files.contains(place)).unwrap_or_default()
}

fn is_test(place: &[String]) -> bool {
    place.iter().any(|name| ["tests", "fixtures", "double"].contains(&name.as_str()))
}

/// All files that one names, directly or by way of others.
fn reached<'a>(imports: &'a Imports, file: &Place) -> BTreeSet<&'a Place> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Place> = imports.get(file).into_iter().flatten().collect();
    while let Some(other) = next.pop() {
        if reached.insert(other) {
            next.extend(imports.get(other).into_iter().flatten());
        }
    }
    reached
}
