//! Finds out which room of the house names what: resolves the paths of every module, in macros and attributes too.
//!
//! A path that leads to nothing in the house counts as a path into another crate.

use std::collections::{BTreeMap, BTreeSet};

use super::reader;

/// A place in the house: `["backend", "prometheus"]`; the root is empty.
pub(crate) type Place = Vec<String>;

/// What is written in one module. Paths begin with `crate`, or with a name to be looked up in the module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Modules inside it; `true` if there must be a file for it.
    pub(crate) children: BTreeMap<String, bool>,
    /// Names that `use` and `extern crate` bring in.
    pub(crate) names: BTreeMap<String, Place>,
    /// Where `use path::*` takes names from.
    pub(crate) globs: Vec<Place>,
    /// All paths.
    pub(crate) paths: BTreeSet<Place>,
}

/// All modules of the crate.
#[derive(Debug, Default)]
pub(crate) struct ModuleGraph {
    /// By their place.
    pub(crate) modules: BTreeMap<Place, Module>,
}

/// Something that a module names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dependency {
    /// The module that it is written in.
    pub(crate) from: Place,
    /// What it leads to: `["crate", "model", "alert"]`, or a path into another crate.
    pub(crate) to: Place,
}

/// How many re-exports are followed in a row: more is a circle of them.
const HOPS: usize = 12;

impl ModuleGraph {
    /// Adds the file of the module at `place` (`"app::screens"`, `""` for the root) with all modules inside it.
    pub(crate) fn add(&mut self, place: &str, source: &str) -> syn::Result<()> {
        let place = place.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        reader::read(&mut self.modules, place, source)
    }

    /// The modules that are files.
    pub(crate) fn files(&self) -> BTreeSet<Place> {
        let children = self.modules.iter().flat_map(|(place, module)| {
            let files = module.children.iter().filter(|(_, file)| **file);
            files.map(|(name, _)| joined(place, std::slice::from_ref(name)))
        });
        children.collect()
    }

    /// All that is named anywhere: what is written, and what re-exports on the way stand for.
    pub(crate) fn arrows(&self) -> BTreeSet<Dependency> {
        let mut arrows = BTreeSet::new();
        for (place, module) in &self.modules {
            for path in &module.paths {
                let mut trail = Vec::new();
                self.follow(place, path, HOPS, &mut trail);
                arrows.extend(trail.into_iter().map(|to| Dependency { from: place.clone(), to }));
            }
        }
        arrows
    }

    /// Walks along a path as written in `place`; each thing that it turns out to mean goes on the trail.
    fn follow(&self, place: &Place, path: &[String], hops: usize, trail: &mut Vec<Place>) {
        if hops == 0 {
            return;
        }
        let inside = path.first().is_some_and(|first| first == "crate");
        if inside {
            trail.push(path.to_vec());
        }
        let (mut module, mut rest) = if inside { (Place::new(), &path[1..]) } else { (place.clone(), path) };
        let looked_up = !inside;
        let mut walked = false;
        while let Some((name, tail)) = rest.split_first() {
            if self.modules.get(&module).is_some_and(|found| found.children.contains_key(name)) {
                module.push(name.clone());
                rest = tail;
                walked = true;
                continue;
            }
            let meanings = self.meanings(&module, name, hops);
            for meaning in &meanings {
                let onward = joined(meaning, tail);
                // `use serde;` stands for itself
                if onward == rest || meaning.first() == Some(name) {
                    trail.push(onward);
                } else {
                    self.follow(&module, &onward, hops - 1, trail);
                }
            }
            if meanings.is_empty() && looked_up && !walked {
                trail.push(path.to_vec());
            }
            break;
        }
        if looked_up && walked {
            trail.push(joined(&["crate".to_owned()], &joined(&module, rest)));
        }
    }

    /// The paths that a name of a module may stand for: by its own `use`, or by those with a star.
    fn meanings(&self, place: &Place, name: &String, hops: usize) -> Vec<Place> {
        let Some(module) = self.modules.get(place).filter(|_| hops > 0) else { return Vec::new() };
        if let Some(path) = module.names.get(name) {
            return vec![path.clone()];
        }
        let mut found = Vec::new();
        for glob in &module.globs {
            let mut trail = Vec::new();
            self.follow(place, glob, hops - 1, &mut trail);
            for target in trail.iter().filter(|target| target.first().is_some_and(|first| first == "crate")) {
                let at = target[1..].to_vec();
                let Some(starred) = self.modules.get(&at) else { continue };
                if starred.children.contains_key(name) {
                    found.push(joined(target, std::slice::from_ref(name)));
                } else if at != *place {
                    found.extend(self.meanings(&at, name, hops - 1));
                }
            }
        }
        found
    }
}

pub(crate) fn joined(front: &[String], back: &[String]) -> Place {
    [front, back].concat()
}
