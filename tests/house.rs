//! The rules of the code base, checked by parsing the sources: which top-level module may use which, which crates each may use,
//! and how long a file may be.
//!
//! `docs/architecture.md` has the diagram. To change a rule, change it there first, with the reason, then the tables here.
#![cfg(test)]

#[path = "house/arrows.rs"]
mod arrows;
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
    ("WriteRequest::", &["src/backend/alertmanager/act.rs", "src/backend/pagerduty/act.rs"]),
    // ... and leaves by one way; a query may go by POST too
    // (and so may one for a token)
    (
        "Method::P",
        &["src/backend/kit/http/promql.rs", "src/backend/kit/http/write.rs", "src/backend/kit/http/oauth.rs"],
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
fn a_circle_of_files_is_found_and_a_folder_is_one_module() {
    let find_cycle = |files: &[(&str, &str)]| {
        let mut house = ModuleGraph::default();
        for (place, source) in files {
            house.add(place, source).unwrap();
        }
        let places = files.iter().map(|(place, _)| place.split("::").map(str::to_owned).collect()).collect();
        circles(&house, &places).into_iter().map(|find_cycle| find_cycle.files).collect::<Vec<_>>()
    };
    let one = ("a::b", "use super::c::X;");
    assert_eq!(find_cycle(&[("a", "mod b; mod c;"), one, ("a::c", "use super::b::Y;")]), [["a::b", "a::c"]]);
    let test = ("a::c", "#[cfg(test)] mod tests { use crate::a::b::Y; }");
    assert_eq!(find_cycle(&[("a", "mod b; mod c;"), one, test]), Vec::<Vec<String>>::new());
    let folder = [("a", "mod b; use b::Y;"), ("a::b", "use super::X;")];
    assert_eq!(find_cycle(&folder), Vec::<Vec<String>>::new());
}

#[test]
fn an_arm_for_whatever_is_left_of_our_own_enum_is_found_and_of_others_it_is_not() {
    let caught = |source: &str| {
        let ours = "pub enum Kind { One, Two } pub enum Value { A }";
        let source = syn::parse_file(&format!("{source} {ours}")).unwrap();
        let mut types = Types::default();
        types.add("a.rs", &source);
        types.catch_alls(&source)
    };
    for source in [
        "fn f() { match x { Kind::One => 1, _ => 2 } }",
        "fn f() { match x { Some(Kind::One) => 1, other => 2 } }",
        "impl Kind { fn f(self) { match self { Self::One => 1, _ => 2 } } }",
        "use crate::kind::Kind::One; fn f() { match x { One => 1, _ => 2 } }",
        "fn f() { match (x, y) { (Kind::One, 1) => 1, (_, _) => 2 } }",
        "words! { pub enum Made: word { A = \"a\" } } fn f() { match x { Made::A => 1, _ => 2 } }",
    ] {
        assert_eq!(caught(source), ["f"], "{source}");
    }
    for source in [
        "fn f() { match x { Kind::One => 1, Kind::Two => 2 } }",
        "use toml::Value; fn f() { match x { Value::Table(t) => 1, _ => 2 } }",
        "fn f() { match x { serde_json::Value::Array(t) => 1, _ => 2 } }",
        "fn f() { match x { 1 => 1, _ => 2 } }",
        "#[cfg(test)] mod tests { fn f() { match x { super::Kind::One => 1, _ => 2 } } }",
    ] {
        assert_eq!(caught(source), Vec::<String>::new(), "{source}");
    }
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
        let nameless = path.with_extension("");
        for part in nameless.strip_prefix(ROOT).unwrap().iter().filter_map(|part| part.to_str()) {
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

/// The violations of a small test crate, given as module paths with sources.
fn violations_in(files: &[(&str, &str)]) -> Vec<String> {
    let mut house = ModuleGraph::default();
    let root = "mod app; mod backend; mod cli; mod config; mod model; mod runtime;";
    if !files.iter().any(|(place, _)| place.is_empty()) {
        house.add("", root).unwrap();
    }
    for (place, source) in files {
        let source = if place.is_empty() { format!("{root} {source}") } else { (*source).to_owned() };
        house.add(place, &source).unwrap();
    }
    wrongs(&house)
}

fn assert_wrong(files: &[(&str, &str)], expected: &str) {
    let wrongs = violations_in(files);
    assert!(
        wrongs.iter().any(|wrong| wrong.contains(expected)),
        "{expected:?} is not in {wrongs:#?} of {files:#?}"
    );
}

#[test]
fn allowed_arrows_are_let_through() {
    let files = [
        ("cli", "use crate::{runtime::Loop, model as words}; fn f() { words::x(); tokio::main(); }"),
        ("runtime", "use super::app; use crossterm::event; fn f() { app::update(); crate::backend::f(); }"),
        (
            "app::view",
            "use super::super::model::alert::*; use super::Row; use self::inner::x; mod inner { use super::*; }",
        ),
        (
            "backend",
            "use reqwest::Client; #[cfg(test)] mod tests { use super::*; use crate::config::Settings; }",
        ),
        ("model", "mod reqwest_like; use std::fmt; pub(crate) fn f() -> fmt::Result { super::model::g() }"),
        ("main", "fn main() { burnwatch::cli::main() }"),
    ];
    assert_eq!(violations_in(&files), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_is_found_however_it_is_written() {
    let known = "model may not know app";
    for source in [
        "use crate::app::State;",
        "use crate::{config as c, app::{self, State}};",
        "use super::app;",
        "fn f() { super::app::update(); }",
        "fn f() { let x: Vec<crate::app::State> = Vec::new(); }",
        "fn f() { <u8 as crate::app::Trait>::f(); }",
        "mod inner { mod deep { fn f() { super::super::super::app::update() } } }",
        "mod inner { use crate as top; fn f() { top::app::update(); } }",
        "use super::*; fn f() { app::update(); }",
        "#[cfg(test)] mod tests { use crate::app::State; }",
        "extern crate self as ourselves; fn f() { ourselves::app::update(); }",
        "fn f() { r#crate_less(); burnwatch::app::update(); }",
    ] {
        assert_wrong(&[("model", source)], known);
    }
}

#[test]
fn a_forbidden_arrow_inside_a_macro_or_an_attribute_is_found() {
    for source in [
        "fn f() { format!(\"{}\", crate::app::NAME); }",
        "fn f() { vec![(1, super::app::NAME)]; }",
        "macro_rules! m { ($x:ident) => { $crate::app::$x() }; }",
        "macro_rules! m { () => { use crate::{model::x, app::y}; }; }",
        "thing! { use super::{app} }",
        "#[serde(with = \"crate::app::text\")] struct S;",
        "#[derive(crate::app::Derive)] struct S;",
    ] {
        assert_wrong(&[("model", source)], "model may not know app");
    }
}

#[test]
fn a_re_export_does_not_hide_an_arrow() {
    let user = ("app", "use crate::Client; fn f() { Client::new(); }");
    assert_wrong(&[("", "pub use backend::Client;"), user], "app may not know backend");
    assert_wrong(
        &[("", "pub use crate::backend::*;"), ("backend", "pub mod Client {}"), user],
        "app may not know backend",
    );
    let client = ("runtime", "use crate::backend::Client;");
    assert_wrong(&[("backend", "pub use reqwest::Client;"), client], "reqwest stays in backend");
    let door = ("config", "pub use door::Open; mod door { pub use crate::model::Open; }");
    assert_wrong(&[("model", "use crate::config::Open;"), door], "model may not know config");
    let round = ("app", "pub use self::a::x; mod a { pub use super::x; }");
    assert_eq!(violations_in(&[round]), Vec::<String>::new(), "re-exports in a circle end");
}

#[test]
fn guarded_crates_stay_in_their_rooms() {
    for (room, source) in [
        ("app", "use ratatui::crossterm::event::Event;"),
        ("app", "fn f() { std::fs::read(\"x\"); }"),
        ("app", "use std::{fmt, fs};"),
        ("model", "#[cfg(test)] mod tests { #[tokio::test] async fn t() {} }"),
        ("model", "fn f() { tokio::select! {} }"),
        ("config", "use ::reqwest::Client;"),
        ("cli", "use crossterm as c;"),
        ("backend", "use crossterm::{self};"),
        ("runtime", "fn f(x: reqwest::Client) {}"),
        ("main", "fn main() { tokio::spawn(); }"),
    ] {
        assert_wrong(&[(room, source)], "stays in");
    }
}

#[test]
fn a_circle_of_rooms_is_found() {
    let one = ("config", "use crate::model::A;");
    assert_wrong(&[one, ("model", "use crate::config::B;")], "a circle: config -> model -> config");
    let long = [("app", "use crate::config::A;"), one, ("model", "use crate::app::State;")];
    assert_wrong(&long, "a circle: app -> config -> model -> app");
}

#[test]
fn a_ring_inside_a_room_is_found_and_a_parent_is_no_part_of_one() {
    let ring = |files: &[(&str, &str)]| {
        let mut house = ModuleGraph::default();
        for (place, source) in files {
            house.add(place, source).unwrap();
        }
        rings(&house, "app")
    };
    let app = ("app", "mod a; mod b;");
    let (a, b) = (("app::a", "use super::b::B; mod c;"), ("app::b", "pub(crate) struct B;"));
    assert!(ring(&[app, a, b, ("app::a::c", "use super::super::b::B; use super::X;")]).is_empty());
    let back = ("app::b", "use crate::app::a::c::C;");
    assert_eq!(ring(&[app, a, back, ("app::a::c", "")]), ["in app: a -> b -> a"]);
    let tests = ("app::b", "mod tests { use crate::app::a::c::C; }");
    assert!(ring(&[app, a, tests, ("app::a::c", "")]).is_empty());
}

#[test]
fn the_rules_themselves_have_no_circle() {
    let owned = |rooms: &[&str]| rooms.iter().map(|&room| room.to_owned()).collect();
    let rules = MODULES.iter().map(|(room, may)| ((*room).to_owned(), owned(may))).collect();
    assert_eq!(find_cycle(&rules), None);
}
