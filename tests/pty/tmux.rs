//! Runs a program in a tmux server of its own, for tests that need a terminal multiplexer.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

/// The interval of checks of the pane, and their maximum number: 20 s.
const LOOK: (Duration, u32) = (Duration::from_millis(50), 400);

/// A tmux server with one pane.
pub(crate) struct Tmux {
    folder: TempDir,
}

impl Tmux {
    /// Starts a shell command in a pane of this many columns and rows; `None` if there is no tmux.
    pub(crate) fn start(command: &str, columns: u16, rows: u16) -> Option<Self> {
        Command::new("tmux").arg("-V").output().ok()?;
        let tmux = Self { folder: TempDir::new().expect("a folder for the socket can be made") };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let made = tmux.tell(&["new-session", "-d", "-x", &columns, "-y", &rows, command]);
        assert!(made.status.success(), "tmux does not start: {}", String::from_utf8_lossy(&made.stderr));
        Some(tmux)
    }

    /// Types keys by their tmux names: `q`, `Enter`, `C-c`.
    pub(crate) fn send_keys(&self, keys: &[&str]) {
        let sent = self.tell(&[&["send-keys"], keys].concat());
        assert!(sent.status.success(), "the pane is gone: {}", String::from_utf8_lossy(&sent.stderr));
    }

    /// The text of the pane; empty once the pane is closed.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tell(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// Waits until the pane shows this text; fails the test with the pane otherwise.
    pub(crate) fn wait_for(&self, text: &str) {
        let shown = (0..LOOK.1).any(|_| {
            let shown = self.screen().contains(text);
            if !shown {
                std::thread::park_timeout(LOOK.0);
            }
            shown
        });
        assert!(shown, "waited in vain for {text:?} in tmux:\n{}", self.screen());
    }

    fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn tell(&self, words: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.env_remove("TMUX").arg("-S").arg(self.socket().join("tmux")).args(["-u", "-f", "/dev/null"]);
        tmux.args(words).output().expect("tmux was there at the start")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tell(&["kill-server"]);
    }
}
