//! The rules of the code base, checked by parsing the sources: which top-level module may use which, which crates each may use,
//! and how long a file may be.
//!
//! `docs/architecture.md` has the diagram. To change a rule, change it there first, with the reason, then the tables here.
#![cfg(test)]

#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/checker.rs"]
mod checker;
#[path = "house/circles.rs"]
mod circles;
#[path = "house/items.rs"]
mod items;
#[path = "house/left.rs"]
mod left;
#[path = "house/reader.rs"]
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrows::{ModuleGraph, Place, joined};
use circles::circles;
use items::Types;

/// Each top-level module with the modules that it may use.
const MODULES: [(&str, &[&str]); 8] = [
    ("main", &["cli"]),
    ("testing", &["cli", "runtime", "app", "backend", "config", "model"]),
    ("cli", &["runtime", "app", "backend", "config", "model"]),
    ("runtime", &["app", "backend", "config", "model"]),
    ("app", &["config", "model"]),
    ("backend", &["config", "model"]),
    ("config", &["model"]),
    ("model", &[]),
];

/// External crates and functions, each with the modules that may use them.
const RESTRICTED: [(&str, &[&str]); 12] = [
    ("reqwest", &["backend"]),
    ("prometheus_http_query", &["backend"]),
    ("std::net::TcpStream", &["backend"]),
    ("std::net::TcpListener", &["backend"]),
    ("std::net::UdpSocket", &["backend"]),
    ("crossterm", &["runtime"]),
    ("ratatui::crossterm", &["runtime"]),
    ("ratatui::backend::CrosstermBackend", &["runtime"]),
    ("ratatui::prelude::CrosstermBackend", &["runtime"]),
    ("tokio", &["runtime", "backend", "cli"]),
    ("std::fs", &["runtime", "backend", "cli", "config"]),
    ("std::process::Command", &["runtime", "backend", "cli", "config"]),
];

/// Those that the tests of any module may use, to compare with a file of the repository.
const IN_TESTS: [&str; 2] = ["std::fs", "std::process::Command"];

/// What changes a system outside, and where alone it is said: the guard and the journal stand before all of it, in the executor.
const WRITES: [(&str, &[&str]); 6] = [
    // what is done is put together by the sources' own plans ...
    ("WriteRequest::", &["src/backend/alertmanager_api/silences.rs", "src/backend/pagerduty/act.rs"]),
    // ... and leaves by one way; a query may go by POST too
    // (and so may one for a token, and a question to a path that changes nothing)
    (
        "Method::P",
        &[
            "src/backend/kit/http/promql.rs",
            "src/backend/kit/http/write.rs",
            "src/backend/kit/http/oauth.rs",
            "src/backend/kit/http/question.rs",
        ],
    ),
    ("Method::DELETE", &["src/backend/kit/http/write.rs"]),
    ("http().send(", &["src/backend/writes.rs"]),
    ("source.execute(", &["src/runtime/gate.rs"]),
    ("gate.execute(", &["src/runtime/executor.rs"]),
];

/// Type names that are read with their module (`alerts::Row`, `pagerduty::Settings`), so that several may have one.
const CONVENTIONAL: [&str; 6] = ["Error", "Row", "Settings", "State", "View", "Widths"];

const LINES: usize = 600;
const NAMELESS: [&str; 5] = ["utils", "helpers", "common", "types", "mod"];
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The violations of the rules, one line each.
fn wrongs(house: &ModuleGraph) -> Vec<String> {
    let mut wrongs = BTreeSet::new();
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    for arrow in house.arrows() {
        // the root only declares and re-exports modules; a use of a re-export is checked by its target
        let Some(from) = arrow.from.first() else { continue };
        let place = arrow.from.join("::");
        let path = arrow.to.join("::");
        match arrow.to.split_first() {
            Some((first, rest)) if first == "crate" => {
                let Some(to) = rest.first().filter(|to| MODULES.iter().any(|(room, _)| room == to)) else {
                    continue;
                };
                if to == from {
                    continue;
                }
                seen.entry(from.clone()).or_default().insert(to.clone());
                if !MODULES.iter().any(|(room, may)| room == from && may.contains(&to.as_str())) {
                    wrongs.insert(format!("{place} names {path}: {from} may not know {to}"));
                }
            }
            _ => {
                let guard = RESTRICTED.iter().find(|(guarded, _)| {
                    path.strip_prefix(guarded).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                });
                let test = arrow.from.iter().any(|name| name == "tests");
                let guard = guard.filter(|(guarded, _)| !(test && IN_TESTS.contains(guarded)));
                if let Some((guarded, rooms)) = guard.filter(|(_, rooms)| !rooms.contains(&from.as_str())) {
                    wrongs.insert(format!("{place} names {path}: {guarded} stays in {}", rooms.join(", ")));
                }
            }
        }
    }
    wrongs.extend(find_cycle(&seen).map(|rooms| format!("a circle: {}", rooms.join(" -> "))));
    wrongs.into_iter().collect()
}

/// A cycle of modules, if there is one.
fn find_cycle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    // whoever knows nobody of those that are left is in no circle
    let mut left: BTreeSet<&String> = arrows.keys().collect();
    let onward = |left: &BTreeSet<&String>, from: &String| {
        arrows.get(from).into_iter().flatten().find(|to| left.contains(to)).cloned()
    };
    while let Some(free) = left.iter().find(|from| onward(&left, from).is_none()).copied() {
        left.remove(free);
    }
    let mut trail = vec![(*left.first()?).clone()];
    loop {
        let next = onward(&left, trail.last()?)?;
        if let Some(start) = trail.iter().position(|seen| *seen == next) {
            trail.push(next);
            return Some(trail.split_off(start));
        }
        trail.push(next);
    }
}

/// The circles inside a room: in each folder, its parts (a file with the folder of its name) that know each other in a ring.
fn rings(house: &ModuleGraph, room: &str) -> Vec<String> {
    let mut parts = BTreeMap::<Place, BTreeMap<String, BTreeSet<String>>>::new();
    for arrow in house.arrows() {
        let Some((first, to)) = arrow.to.split_first() else { continue };
        let tests = arrow.from.iter().any(|name| name == "tests");
        if tests || first != "crate" || arrow.from.first().is_none_or(|from| from != room) {
            continue;
        }
        let shared = arrow.from.iter().zip(to).take_while(|(from, to)| from == to).count();
        let folder = &arrow.from[..shared];
        // what is no module is a thing in the parent's own file
        let is_part = |name: &String| house.modules.contains_key(&joined(folder, std::slice::from_ref(name)));
        if let (Some(from), Some(to)) = (arrow.from.get(shared), to.get(shared).filter(|to| is_part(to))) {
            parts.entry(folder.to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
        }
    }
    let rings = parts.iter().filter_map(|(folder, arrows)| Some((folder, find_cycle(arrows)?)));
    rings.map(|(folder, ring)| format!("in {}: {}", folder.join("::"), ring.join(" -> "))).collect()
}

/// All Rust files below a folder of the repository.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap().display().to_string()
}

/// This crate, and the paths of its files.
fn this_crate() -> (ModuleGraph, BTreeSet<Place>) {
    let (mut house, mut places) = (ModuleGraph::default(), BTreeSet::new());
    for path in sources("src") {
        let inner = path.strip_prefix(Path::new(ROOT).join("src")).unwrap().with_extension("");
        let place: Place = inner.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        let place = if place == ["lib"] { Place::new() } else { place };
        let source = std::fs::read_to_string(&path).unwrap();
        house.add(&place.join("::"), &source).unwrap_or_else(|error| panic!("{}: {error}", short(&path)));
        places.insert(place);
    }
    (house, places)
}

/// What breaks a rule must be what the rule's list of things left over has: what is new is wrong, and what is gone goes from it.
fn assert_only_left(rule: &str, left: &[&str], found: &BTreeMap<String, String>) {
    let new: Vec<_> = found.iter().filter(|(name, _)| !left.contains(&name.as_str())).collect();
    let new: Vec<_> = new.iter().map(|(name, how)| format!("{name}: {how}")).collect();
    assert!(new.is_empty(), "{rule}:\n{}", new.join("\n"));
    let gone: Vec<_> = left.iter().filter(|name| !found.contains_key(**name)).collect();
    assert!(gone.is_empty(), "{rule}: strike {gone:?} from the list");
}

/// The sources of the program without tests, by file.
fn program() -> Vec<(String, syn::File)> {
    let test = ["tests", "fixtures", "double"];
    let is_test =
        |path: &Path| path.with_extension("").iter().any(|part| test.iter().any(|name| part == *name));
    let own = sources("src").into_iter().filter(|path| !is_test(path.strip_prefix(ROOT).unwrap()));
    own.map(|path| (short(&path), syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap()))
        .collect()
}

fn types(program: &[(String, syn::File)]) -> Types {
    let mut types = Types::default();
    for (file, source) in program {
        types.add(file, source);
    }
    types
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let (house, files) = this_crate();
    let mut found = BTreeMap::new();
    for find_cycle in circles(&house, &files) {
        for file in find_cycle.files {
            found.insert(file, find_cycle.imports.join(", "));
        }
    }
    assert_only_left("a circle of imports", left::CIRCLES, &found);
}

#[test]
fn a_match_over_an_enum_of_ours_names_all_of_its_variants() {
    let program = program();
    let types = types(&program);
    let caught = program.iter().map(|(file, source)| (file.clone(), types.catch_alls(source)));
    let found = caught.filter(|(_, functions)| !functions.is_empty());
    let found = found.map(|(file, functions)| (file, format!("in {}", functions.join(", ")))).collect();
    assert_only_left("a match takes whatever is left of one of our enums", left::CATCH_ALLS, &found);
}

#[test]
fn one_name_is_one_type() {
    let types = types(&program());
    let found = types.repeated().filter(|(name, _)| !CONVENTIONAL.contains(&name.as_str()));
    let found = found.map(|(name, files)| (name.clone(), files.join(", "))).collect();
    assert_only_left("several types have one name", left::NAMES, &found);
}

#[test]
fn rooms_know_only_the_rooms_below_them() {
    let (house, _) = this_crate();
    let wrongs = wrongs(&house);
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
    let arrows = house.arrows();
    let known = arrows.iter().filter(|arrow| arrow.to.starts_with(&["crate".to_owned(), "model".to_owned()]));
    assert!(known.count() > 10, "the checker sees too few arrows to be believed");
}

#[test]
fn no_part_of_the_screens_knows_itself_by_way_of_others() {
    let (house, _) = this_crate();
    let rings = rings(&house, "app");
    assert!(rings.is_empty(), "{}", rings.join("\n"));
}

#[test]
fn no_screen_knows_another() {
    let (house, _) = this_crate();
    let screens = ["app", "screens"].map(str::to_owned);
    let of = |place: &[String]| place.strip_prefix(&screens).and_then(|rest| rest.first()).cloned();
    let is_screen = |name: &String| house.modules.contains_key(&joined(&screens, std::slice::from_ref(name)));
    let mut seen = BTreeSet::new();
    for arrow in house.arrows() {
        let Some(from) = of(&arrow.from).filter(|from| from != "tests") else { continue };
        seen.insert(from.clone());
        if let Some(to) = of(&arrow.to[1..]).filter(is_screen) {
            assert_eq!(from, to, "{} names {}", arrow.from.join("::"), arrow.to.join("::"));
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn every_file_belongs_to_a_room_and_is_declared() {
    let (house, places) = this_crate();
    let own = [Place::new(), vec!["main".to_owned()]];
    let files: BTreeSet<_> = house.files().into_iter().chain(own).collect();
    assert_eq!(files, places, "declared modules (left) and files (right)");
    for place in places {
        let room = place.first().map_or("main", String::as_str);
        assert!(MODULES.iter().any(|(name, _)| *name == room), "{room} is not a room");
    }
}

#[test]
fn files_are_short_well_named_and_finished() {
    // joined here, so that this file does not contain the marks
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    for path in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        let (name, source) = (short(&path), std::fs::read_to_string(&path).unwrap());
        let lines = source.lines().count();
        assert!(lines <= LINES, "{name} has {lines} lines; {LINES} is the wall");
        let without_name = path.with_extension("");
        for part in without_name.strip_prefix(ROOT).unwrap().iter().filter_map(|part| part.to_str()) {
            assert!(!NAMELESS.contains(&part), "{name}: name files after the thing");
        }
        for mark in &marks {
            assert!(!source.contains(mark.as_str()), "{name} has a {mark}: do it, or open an issue");
        }
        if name.starts_with("src") {
            let hidden = source.contains("#[path") || source.contains("include!(");
            assert!(!hidden, "{name}: modules are found by their names");
        }
    }
}

#[test]
fn whatever_changes_a_system_outside_goes_through_the_one_executor() {
    for (call, places) in WRITES {
        let named = sources("src").into_iter().filter(|path| {
            let source = std::fs::read_to_string(path).unwrap();
            let own = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            own.lines().any(|line| line.contains(call) && !line.trim_start().starts_with("//"))
        });
        // the demo's servers answer requests and send none
        let found: BTreeSet<String> = named
            .map(|path| short(&path))
            .filter(|name| !name.contains("tests") && !name.contains("/demo/"))
            .collect();
        assert_eq!(found, places.iter().map(ToString::to_string).collect(), "{call}");
    }
}
