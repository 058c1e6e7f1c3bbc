//! Which commit this is, for `burnwatch --version`: of a release build, out of git or of what `cargo package` noted down.
//!
//! Neither git nor a repository is needed: without them the version stands alone. `BURNWATCH_COMMIT` names the commit where
//! a packager knows it better. A debug build says that it is one: the commit would be compiled in anew after each commit.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the program is made of.
const MADE_OF: [&str; 6] = ["src", "config", "themes", "Cargo.toml", "Cargo.lock", "build.rs"];

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&root);
    println!("cargo::rerun-if-env-changed=BURNWATCH_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let named = std::env::var("BURNWATCH_COMMIT").ok().filter(|name| !name.trim().is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let build = match named {
        Some(name) => Some(name.trim().to_owned()),
        None if is_release => {
            for path in watched(root) {
                println!("cargo::rerun-if-changed={path}");
            }
            commit(root)
        }
        None => Some("debug build".to_owned()),
    };
    let build = build.map_or_else(String::new, |build| format!(" ({build})"));
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=BURNWATCH_VERSION={version}{build}");
}

/// The commit that the sources in `root` are of, with a word where they were changed since.
pub(crate) fn commit(root: &Path) -> Option<String> {
    noted(root).or_else(|| checked_out(root))
}

/// What `cargo package` writes into what it packs.
fn noted(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let name = rest.split('"').nth(1).filter(|name| is_commit(name))?;
    let is_changed = text.split_once("\"dirty\"").is_some_and(|(_, rest)| rest.contains("true"));
    Some(in_words(name, is_changed))
}

/// What git says, if `root` itself is what was checked out: a repository around it is another project.
fn checked_out(root: &Path) -> Option<String> {
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(root).ok()? {
        return None;
    }
    let name = git(root, &["rev-parse", "HEAD"]).filter(|name| is_commit(name))?;
    let mut asked = vec!["status", "--porcelain", "--untracked-files=no", "--"];
    asked.extend(MADE_OF);
    let changes = git(root, &asked)?;
    Some(in_words(&name, !changes.is_empty()))
}

fn in_words(name: &str, is_changed: bool) -> String {
    let short = name.get(..12).unwrap_or(name);
    if is_changed { format!("{short}, modified") } else { short.to_owned() }
}

fn is_commit(name: &str) -> bool {
    name.len() >= 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What changes when the commit or the sources do; only what is there, or cargo would build anew each time.
fn watched(root: &Path) -> Vec<String> {
    let in_git = ["HEAD", "logs/HEAD"].map(|name| git(root, &["rev-parse", "--git-path", name]));
    let own = MADE_OF.iter().chain(&[".cargo_vcs_info.json"]).map(|name| (*name).to_owned());
    own.chain(in_git.into_iter().flatten()).filter(|path| root.join(path).exists()).collect()
}

fn git(root: &Path, words: &[&str]) -> Option<String> {
    // inside of a hook these would point at another repository
    let said = Command::new("git")
        .args(words)
        .current_dir(root)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .ok()?;
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}
