//! Reads what types there are, and which matches over our own enums have an arm that takes whatever is left.

use std::collections::{BTreeMap, BTreeSet};

use syn::parse::ParseStream;
use syn::visit::{self, Visit};
use syn::{Arm, Ident, Item, Pat, Path, Token, UseTree};

/// The types of a crate, by name.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// The files that define a type of this name which others can see.
    shared: BTreeMap<String, Vec<String>>,
    enums: BTreeSet<String>,
}

impl Types {
    /// Adds those of a file, but for those of its tests.
    pub(crate) fn add(&mut self, file: &str, source: &syn::File) {
        Names { types: self, file }.visit_file(source);
    }

    /// The names that several types have, each with the files that define one.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.shared.iter().filter(|(_, files)| files.len() > 1)
    }

    /// The functions of a file that have a match over one of these enums with an arm that takes whatever is left.
    pub(crate) fn catch_alls(&self, source: &syn::File) -> Vec<String> {
        let mut brought_in = BTreeMap::new();
        for item in &source.items {
            match item {
                Item::Use(item) => bring_in(&mut brought_in, &item.tree, &[]),
                Item::Mod(item) => {
                    brought_in
                        .insert(item.ident.to_string(), vec!["self".to_owned(), item.ident.to_string()]);
                }
                _ => {}
            }
        }
        let mut matches =
            Matches { types: self, brought_in, own: Vec::new(), function: String::new(), found: Vec::new() };
        matches.visit_file(source);
        matches.found
    }
}

/// Whether an item is compiled for tests alone.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// What each name stands for that a `use` brings in.
fn bring_in(names: &mut BTreeMap<String, Vec<String>>, tree: &UseTree, front: &[String]) {
    let with = |name: &Ident| [front, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => bring_in(names, &path.tree, &with(&path.ident)),
        UseTree::Group(group) => group.items.iter().for_each(|tree| bring_in(names, tree, front)),
        UseTree::Name(name) if name.ident == "self" => {
            names.extend(front.last().map(|last| (last.clone(), front.to_vec())));
        }
        UseTree::Name(name) => {
            names.insert(name.ident.to_string(), with(&name.ident));
        }
        UseTree::Rename(rename) => {
            names.insert(rename.rename.to_string(), with(&rename.ident));
        }
        UseTree::Glob(_) => {}
    }
}

struct Names<'a> {
    types: &'a mut Types,
    file: &'a str,
}

impl Names<'_> {
    fn name(&mut self, seen: &syn::Visibility, name: &Ident) {
        if !matches!(seen, syn::Visibility::Inherited) {
            self.types.shared.entry(name.to_string()).or_default().push(self.file.to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    /// Enums that a macro makes from what is written in its braces.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let enums = |input: ParseStream<'_>| {
            let (mut is_named, mut found) = (false, Vec::new());
            while !input.is_empty() {
                if is_named && let Ok(name) = input.fork().parse::<Ident>() {
                    found.push(name.to_string());
                }
                is_named = input.peek(Token![enum]);
                input.step(|cursor| Ok(((), cursor.token_tree().expect("it is not empty").1)))?;
            }
            Ok(found)
        };
        for name in item.parse_body_with(enums).expect("any tokens will do") {
            self.types.shared.entry(name.clone()).or_default().push(self.file.to_owned());
            self.types.enums.insert(name);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.name(&item.vis, &item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.name(&item.vis, &item.ident);
        self.types.enums.insert(item.ident.to_string());
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.name(&item.vis, &item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.name(&item.vis, &item.ident);
    }
}

struct Matches<'a> {
    types: &'a Types,
    /// What the names stand for that the file brings in.
    brought_in: BTreeMap<String, Vec<String>>,
    /// What `Self` stands for, the innermost last.
    own: Vec<String>,
    function: String,
    found: Vec<String>,
}

impl Matches<'_> {
    /// Whether a path leads to a variant of one of our enums.
    fn is_ours(&self, path: &Path) -> bool {
        let mut names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(whole) = names.first().and_then(|first| self.brought_in.get(first)) {
            names.splice(0..1, whole.iter().cloned());
        }
        let [front @ .., of, variant] = names.as_slice() else { return false };
        let is_here = front.first().is_none_or(|root| ["crate", "super", "self"].contains(&root.as_str()));
        let of = self.own.last().filter(|_| of == "Self").unwrap_or(of);
        let is_variant = variant.starts_with(|first: char| first.is_uppercase());
        is_here && is_variant && self.types.enums.contains(of)
    }
}

impl<'ast> Visit<'ast> for Matches<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let own = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.own.push(own.unwrap_or_default());
        visit::visit_item_impl(self, item);
        self.own.pop();
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.function = signature.ident.to_string();
    }

    fn visit_expr_match(&mut self, item: &'ast syn::ExprMatch) {
        let is_over_ours = |arm: &Arm| {
            let mut variants = Variants { matches: self, is_found: false };
            variants.visit_pat(&arm.pat);
            variants.is_found
        };
        if item.arms.iter().any(|arm| takes_everything(&arm.pat)) && item.arms.iter().any(is_over_ours) {
            self.found.push(self.function.clone());
        }
        visit::visit_expr_match(self, item);
    }
}

/// `_`, a name, or several of them in a tuple.
fn takes_everything(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Tuple(tuple) => tuple.elems.iter().all(takes_everything),
        Pat::Ident(name) => {
            name.subpat.is_none() && name.ident.to_string().starts_with(|first: char| first.is_lowercase())
        }
        _ => false,
    }
}

struct Variants<'a, 'm> {
    matches: &'a Matches<'m>,
    is_found: bool,
}

impl<'ast> Visit<'ast> for Variants<'_, '_> {
    fn visit_path(&mut self, path: &'ast Path) {
        self.is_found |= self.matches.is_ours(path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.is_found |= self.matches.is_ours(&pattern.ident.clone().into());
        visit::visit_pat_ident(self, pattern);
    }
}
