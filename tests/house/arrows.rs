//! Finds the dependencies between modules: resolves the paths in every module, also in macros and attributes.
//!
//! A path that resolves to nothing in this crate counts as a path into another crate.

use std::collections::{BTreeMap, BTreeSet};

use super::reader;

/// The path of a module: `["backend", "prometheus"]`; the root is empty.
pub(crate) type Place = Vec<String>;

/// The contents of one module. Paths begin with `crate`, or with a name to look up in the module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Child modules; `true` if the child must have a file.
    pub(crate) children: BTreeMap<String, bool>,
    /// Names that `use` and `extern crate` import.
    pub(crate) names: BTreeMap<String, Place>,
    /// The modules of `use path::*`.
    pub(crate) globs: Vec<Place>,
    /// All paths in its code.
    pub(crate) paths: BTreeSet<Place>,
}

/// All modules of the crate.
#[derive(Debug, Default)]
pub(crate) struct ModuleGraph {
    /// The modules by their paths.
    pub(crate) modules: BTreeMap<Place, Module>,
}

/// A dependency of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dependency {
    /// The module with the path.
    pub(crate) from: Place,
    /// The target: `["crate", "model", "alert"]`, or a path into another crate.
    pub(crate) to: Place,
}

/// How many re-exports are followed in a row; more are a cycle.
const HOPS: usize = 12;

impl ModuleGraph {
    /// Adds the file of the module `place` (`"app::screens"`, `""` for the root) with its inline modules.
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

    /// All dependencies: of the paths as written, and of the re-exports on their way.
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

    /// Resolves a path of the module `place`; each target on the way is added to `trail`.
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
                // `use serde;` resolves to itself
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

    /// The paths that a name of a module may mean: by its own `use`, or by glob imports.
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
