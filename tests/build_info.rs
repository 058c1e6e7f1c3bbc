//! The commit of a build: from git, from a packed crate, or unknown.
#![cfg(test)]

#[path = "../build.rs"]
#[expect(dead_code, reason = "main belongs to cargo")]
mod build;

use std::path::Path;
use std::process::Command;

fn git(folder: &Path, words: &[&str]) {
    let who = ["-c", "user.name=ana", "-c", "user.email=ana@example.net", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(who).args(words).current_dir(folder).output().expect("git runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

#[test]
fn a_build_names_its_commit_and_says_when_the_sources_were_changed_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    assert_eq!(build::commit(root), None, "no repository");
    write(root, "src/main.rs", "fn main() {}\n");
    write(root, "README.md", "one\n");
    git(root, &["init", "-q"]);
    assert_eq!(build::commit(root), None, "nothing committed");
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "first"]);
    let first = build::commit(root).expect("a commit");
    assert!(first.len() == 12 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    write(root, "README.md", "two\n");
    assert_eq!(build::commit(root).as_ref(), Some(&first), "not a part of the program");
    write(root, "src/main.rs", "fn main() { }\n");
    assert_eq!(build::commit(root), Some(format!("{first}, modified")));
    // a crate that was unpacked inside another repository does not have that repository's commit
    assert_eq!(build::commit(&root.join("src")), None);
}

#[test]
fn a_packed_crate_names_the_commit_that_it_was_packed_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let name = "0a59d21f0a59d21f0a59d21f0a59d21f0a59d21f";
    for (text, said) in [
        (
            format!("{{\n  \"git\": {{\n    \"sha1\": \"{name}\"\n  }},\n  \"path_in_vcs\": \"\"\n}}"),
            Some("0a59d21f0a59"),
        ),
        (format!("{{\"git\":{{\"sha1\":\"{name}\",\"dirty\":true}}}}"), Some("0a59d21f0a59, modified")),
        ("{\"git\":{\"sha1\":\"$(touch x)\"}}".to_owned(), None),
        ("{}".to_owned(), None),
    ] {
        write(root, ".cargo_vcs_info.json", &text);
        assert_eq!(build::commit(root).as_deref(), said, "{text}");
    }
}
