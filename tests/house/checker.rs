//! The checks themselves, on small sources that keep or break each rule.

use super::arrows::ModuleGraph;
use super::circles::circles;
use super::items::Types;
use super::{MODULES, find_cycle, rings, wrongs};

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
