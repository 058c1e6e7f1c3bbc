//! Parses one Rust file and collects the child modules, imports and paths of its modules.

use std::collections::BTreeMap;

use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::visit::{self, Visit};
use syn::{Ident, Lit, Meta, Token, UseTree, token};

use super::arrows::{Module, Place, joined};

/// Adds the module `place` and its inline modules.
pub(crate) fn read(modules: &mut BTreeMap<Place, Module>, place: Place, source: &str) -> syn::Result<()> {
    let file = syn::parse_file(source)?;
    modules.entry(place.clone()).or_default();
    Reader { modules, place }.visit_file(&file);
    Ok(())
}

struct Reader<'a> {
    modules: &'a mut BTreeMap<Place, Module>,
    place: Place,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.modules.entry(self.place.clone()).or_default()
    }

    /// Resolves `crate`, `self` and `super` at the beginning of a path; other paths stay as written.
    fn rooted(&self, path: &[String]) -> Place {
        let mut at = self.place.clone();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate" | "burnwatch") => return joined(&["crate".to_owned()], &path[1..]),
            Some("self" | "super") => {}
            _ => return path.to_vec(),
        }
        while let Some((first, tail)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = tail;
        }
        joined(&["crate".to_owned()], &joined(&at, rest))
    }

    fn name(&mut self, path: &[String]) {
        let path = self.rooted(path);
        self.module().paths.insert(path);
    }

    fn bring_in(&mut self, tree: &UseTree, front: &[String]) {
        match tree {
            UseTree::Path(path) => self.bring_in(&path.tree, &joined(front, &[plain(&path.ident)])),
            UseTree::Name(name) => self.bring_in_as(front, &name.ident, &name.ident),
            UseTree::Rename(rename) => self.bring_in_as(front, &rename.ident, &rename.rename),
            UseTree::Glob(_) => {
                self.name(front);
                let path = self.rooted(front);
                self.module().globs.push(path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.bring_in(tree, front)),
        }
    }

    fn bring_in_as(&mut self, front: &[String], name: &Ident, known_as: &Ident) {
        // `use a::b::{self}` imports `b`
        let itself = name == "self" && !front.is_empty();
        let path = if itself { front.to_vec() } else { joined(front, &[plain(name)]) };
        let known_as =
            if itself && known_as == "self" { front.last().cloned() } else { Some(plain(known_as)) };
        self.name(&path);
        let path = self.rooted(&path);
        self.module().names.insert(known_as.unwrap_or_default(), path);
    }

    /// Collects paths from tokens that may not be Rust: arguments and bodies of macros, arguments of attributes.
    fn scan(&mut self, input: ParseStream<'_>, front: &[String]) -> syn::Result<()> {
        let mut path = front.to_vec();
        while !input.is_empty() {
            let inner;
            if input.peek(token::Paren) {
                syn::parenthesized!(inner in input);
                self.scan(&inner, &[])?;
            } else if input.peek(token::Bracket) {
                syn::bracketed!(inner in input);
                self.scan(&inner, &[])?;
            } else if input.peek(token::Brace) {
                // `use crate::{a, b}`, or a block
                syn::braced!(inner in input);
                self.scan(&inner, &path)?;
                path = front.to_vec();
            } else if input.peek(Ident::peek_any) {
                let ident = Ident::parse_any(input)?;
                path.push(plain(&ident));
                let onward = input.peek(Token![::]);
                if onward {
                    input.parse::<Token![::]>()?;
                }
                if !(onward && (input.peek(Ident::peek_any) || input.peek(token::Brace))) {
                    self.name(&path);
                    path = front.to_vec();
                }
            } else if input.peek(Lit) {
                self.literal(&input.parse::<Lit>()?);
            } else {
                input.step(|cursor| {
                    cursor.token_tree().map(|(_, rest)| ((), rest)).ok_or_else(|| cursor.error("a token"))
                })?;
            }
        }
        Ok(())
    }

    /// Collects a path in a string: `#[serde(with = "crate::model::text")]`.
    fn literal(&mut self, literal: &Lit) {
        let Lit::Str(text) = literal else { return };
        if let Ok(path) = text.parse::<syn::Path>()
            && path.segments.len() > 1
        {
            self.visit_path(&path);
        }
    }
}

fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.module().children.insert(plain(&item.ident), item.content.is_none());
        self.place.push(plain(&item.ident));
        self.module();
        for item in item.content.iter().flat_map(|(_, items)| items) {
            self.visit_item(item);
        }
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.bring_in(&item.tree, &[]);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let known_as = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        let path = if item.ident == "self" { vec!["crate".to_owned()] } else { vec![plain(&item.ident)] };
        self.name(&path);
        self.module().names.insert(plain(known_as), path);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        self.name(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        item.parse_body_with(|input: ParseStream<'_>| self.scan(input, &[])).expect("any tokens will do");
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.visit_path(attribute.path());
        match &attribute.meta {
            Meta::List(list) => {
                let scan = |input: ParseStream<'_>| self.scan(input, &[]);
                scan.parse2(list.tokens.clone()).expect("any tokens will do");
            }
            Meta::NameValue(pair) if !attribute.path().is_ident("doc") => self.visit_expr(&pair.value),
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
    }
}
