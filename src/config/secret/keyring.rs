//! Reads the system's keyring with the system's own command-line tool, without implementing its protocol.

use super::program::{LIMIT, output};
use super::{Bytes, SecretErrorKind};
use crate::config::settings::KeyringEntry;

/// A command-line tool for a keyring.
struct Tool {
    name: &'static str,
    package: &'static str,
    lookup: fn(&KeyringEntry) -> Vec<String>,
    /// The command that creates an entry.
    store: fn(&KeyringEntry) -> String,
}

/// The keychain of macOS.
const SECURITY: Tool = Tool {
    name: "security",
    package: "it is a part of macOS",
    lookup: |entry| {
        ["security", "find-generic-password", "-s", &entry.service, "-a", &entry.user, "-w"]
            .map(str::to_owned)
            .into()
    },
    store: |entry| format!("security add-generic-password -s {} -a {} -w", entry.service, entry.user),
};

/// The Secret Service of freedesktop.org: GNOME Keyring, `KWallet`, `KeePassXC`.
const SECRET_TOOL: Tool = Tool {
    name: "secret-tool",
    package: "Debian and Ubuntu: libsecret-tools, others: libsecret",
    lookup: |entry| {
        ["secret-tool", "lookup", "service", &entry.service, "username", &entry.user]
            .map(str::to_owned)
            .into()
    },
    store: |entry| {
        let KeyringEntry { service, user } = entry;
        format!("secret-tool store --label={service} service {service} username {user}")
    },
};

pub(super) fn read(entry: &KeyringEntry) -> Result<Bytes, SecretErrorKind> {
    let tool = if cfg!(target_os = "macos") { SECURITY } else { SECRET_TOOL };
    ask(&tool, entry)
}

fn ask(tool: &Tool, entry: &KeyringEntry) -> Result<Bytes, SecretErrorKind> {
    output(&(tool.lookup)(entry), LIMIT).map_err(|failure| {
        if matches!(&failure, SecretErrorKind::Unreadable { reason } if reason == "not found") {
            SecretErrorKind::NoTool { tool: tool.name, package: tool.package }
        } else if matches!(failure, SecretErrorKind::Failed { .. }) {
            SecretErrorKind::NoEntry { store: (tool.store)(entry) }
        } else {
            failure
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> KeyringEntry {
        KeyringEntry { service: "burnwatch".into(), user: "prom eu; id".into() }
    }

    #[test]
    fn both_tools_are_asked_by_words_and_never_through_a_shell() {
        for (tool, first) in [(&SECURITY, "-s"), (&SECRET_TOOL, "service")] {
            let words = (tool.lookup)(&entry());
            let at = words.iter().position(|word| word == first).unwrap();
            assert_eq!((words[0].as_str(), words[at + 1].as_str()), (tool.name, "burnwatch"));
            assert!(words.contains(&"prom eu; id".to_owned()));
        }
    }

    #[test]
    fn a_missing_tool_says_what_brings_it_and_a_missing_entry_how_to_make_it() {
        let missing = Tool { lookup: |_| vec!["no-such-secret-tool".into()], ..SECRET_TOOL };
        assert_eq!(
            ask(&missing, &entry()).unwrap_err().of("keyring a/b").to_string(),
            "keyring a/b: `secret-tool` is not installed (Debian and Ubuntu: libsecret-tools, others: libsecret)"
        );
        let empty = Tool { lookup: |_| vec!["false".into()], ..SECRET_TOOL };
        assert_eq!(
            ask(&empty, &KeyringEntry { service: "burnwatch".into(), user: "prom".into() })
                .unwrap_err()
                .of("keyring a/b")
                .to_string(),
            "keyring a/b: no such entry, or the keyring is locked; \
             create one with `secret-tool store --label=burnwatch service burnwatch username prom`"
        );
    }
}
