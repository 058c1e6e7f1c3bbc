//! A host name that exists only in a hosts file of the test, so that it can disappear and come back.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::skip::skip;

pub(crate) const HOST: &str = "source.burnwatch.test";
const LOCAL: &str = "127.0.0.1 localhost\n";
/// Mounts the test's files over the system's for one program only, then starts it.
const SCRIPT: &str = "mount --bind \"$1\" /etc/hosts && { mount --bind \"$2\" /etc/resolv.conf || :; } && shift 2 && exec \"$@\"";

/// The hosts file and the resolver configuration of the test.
pub(crate) struct Names {
    folder: TempDir,
}

impl Names {
    /// None if this system does not allow such mounts.
    pub(crate) fn new() -> Option<Self> {
        let names = Self { folder: TempDir::new().expect("a folder can be made") };
        // no name server answers for names that are not in the hosts file
        std::fs::write(names.path("resolv"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            .expect("it can be written");
        names.tell();
        let words = names.around("true", &[]);
        let tried = Command::new("unshare").args(words).stdin(Stdio::null()).stderr(Stdio::null()).status();
        if tried.is_ok_and(|status| status.success()) {
            return Some(names);
        }
        skip(
            "no file of hosts of our own is to be had here (unshare -rm): a name that goes and comes is not tried",
        );
        None
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The arguments of `unshare` that start a program with these files.
    pub(crate) fn around(&self, program: &str, args: &[&str]) -> Vec<String> {
        let (hosts, resolv) = (self.path("hosts"), self.path("resolv"));
        let words = ["-rm", "sh", "-c", SCRIPT, "sh", &hosts, &resolv, program];
        words.iter().chain(args).map(|word| (*word).to_owned()).collect()
    }

    /// Adds the name.
    pub(crate) fn tell(&self) {
        self.write(&format!("{LOCAL}127.0.0.1 {HOST}\n"));
    }

    /// Removes the name.
    pub(crate) fn forget(&self) {
        self.write(LOCAL);
    }

    fn write(&self, hosts: &str) {
        // written in place: a new file of the same name would not be the mounted one
        std::fs::write(self.path("hosts"), hosts).expect("it can be written");
    }
}
