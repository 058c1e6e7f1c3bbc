//! Secrets: read where a reference says, shown nowhere.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::settings::{SecretRef, SecretText};

/// How long a program may take to print a secret.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);
/// How long a program may take to end after it closed its output, in steps of [`PATIENCE`].
const PATIENCE_STEPS: u32 = 100;
const PATIENCE: Duration = Duration::from_millis(10);
/// Longer than any token; a guard against pointing at the wrong file.
const BYTES_AT_MOST: u64 = 64 * 1024;

/// A secret in memory: no `Display`, no `Serialize`, and its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The first line of `text` without the space around it; `None` if nothing is left.
    fn first_line(text: &str) -> Option<Self> {
        let line = text.lines().next().unwrap_or_default().trim();
        (!line.is_empty()).then(|| Self(line.to_owned()))
    }

    /// The secret itself, to be put into a request and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// Why a secret could not be had; names the reference, never what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The environment variable does not exist.
    #[error("{reference} is not set")]
    NotSet {
        /// Where it was looked for.
        reference: String,
    },
    /// There is nothing on the first line.
    #[error("{reference} is empty")]
    Empty {
        /// Where it was looked for.
        reference: String,
    },
    /// It is not text of one line that could stand in a header.
    #[error("{reference} is not plain text")]
    NotText {
        /// Where it was looked for.
        reference: String,
    },
    /// Everyone on this machine could read it.
    #[error("{reference} can be read by everyone on this machine; try `chmod 600 {path}`")]
    Exposed {
        /// Where it was looked for.
        reference: String,
        /// The file.
        path: String,
    },
    /// The file could not be read, or the program could not be started.
    #[error("{reference}: {reason}")]
    Unreadable {
        /// Where it was looked for.
        reference: String,
        /// What the system says.
        reason: String,
    },
    /// The program ended with a failure.
    #[error("{reference} failed ({status})")]
    Failed {
        /// Where it was looked for.
        reference: String,
        /// How it ended.
        status: String,
    },
    /// The program took too long, and was stopped.
    #[error("{reference} took longer than {} s", COMMAND_LIMIT.as_secs())]
    TooSlow {
        /// Where it was looked for.
        reference: String,
    },
}

impl fmt::Display for SecretRef {
    /// Where the secret is to be had: `env PROM_TOKEN`. Of a command only the program, for its arguments may tell much.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Command(words) => write!(f, "command {}", words.first().map_or("", String::as_str)),
        }
    }
}

impl SecretRef {
    /// Fetches the secret. Waits for a file or a program: not for a thread that has other things to do.
    ///
    /// # Errors
    /// Where it is not to be had, or is not fit to be sent in a header.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let reference = self.to_string();
        let text = match self {
            Self::Env(name) => from_env(name, reference.clone())?,
            Self::File(path) => from_file(&at_home(path), reference.clone())?,
            Self::Command(words) => from_command(words, &reference, COMMAND_LIMIT)?,
        };
        let secret = Secret::first_line(&text).ok_or(SecretError::Empty { reference: reference.clone() })?;
        if secret.0.chars().any(char::is_control) {
            return Err(SecretError::NotText { reference });
        }
        Ok(secret)
    }
}

impl SecretText {
    /// The text, fetched if it is a reference. Waits as [`SecretRef::read`] does.
    ///
    /// # Errors
    /// As [`SecretRef::read`].
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Plain(text) => Ok(Secret(text.clone())),
            Self::Secret(reference) => reference.read(),
        }
    }
}

fn from_env(name: &str, reference: String) -> Result<String, SecretError> {
    match std::env::var(name) {
        Ok(text) => Ok(text),
        Err(std::env::VarError::NotPresent) => Err(SecretError::NotSet { reference }),
        Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NotText { reference }),
    }
}

fn from_file(path: &Path, reference: String) -> Result<String, SecretError> {
    let unreadable = |error: &io::Error| SecretError::Unreadable {
        reference: reference.clone(),
        reason: plainly(error).to_owned(),
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    if is_open_to_all(&file).map_err(|error| unreadable(&error))? {
        return Err(SecretError::Exposed { reference, path: path.display().to_string() });
    }
    let mut bytes = Vec::new();
    file.take(BYTES_AT_MOST).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).ok().ok_or(SecretError::NotText { reference })
}

#[cfg(unix)]
fn is_open_to_all(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn from_command(words: &[String], reference: &str, limit: Duration) -> Result<String, SecretError> {
    let reference = || reference.to_owned();
    let Some((program, arguments)) = words.split_first() else {
        return Err(SecretError::Empty { reference: reference() });
    };
    let unreadable = |error: &io::Error| SecretError::Unreadable {
        reference: reference(),
        reason: plainly(error).to_owned(),
    };
    // what it says to the terminal would tear the screen, and may hold the secret
    let mut child = Command::new(at_home(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| unreadable(&error))?;
    let Some(mut output) = child.stdout.take() else {
        return Err(SecretError::Empty { reference: reference() });
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.by_ref().take(BYTES_AT_MOST).read_to_end(&mut bytes).map(|_| bytes);
        // drained, so that a talkative program can come to its end
        let drained = io::copy(&mut output, &mut io::sink());
        // nobody listens any more after the limit
        drop(sender.send(read.and_then(|bytes| drained.map(|_| bytes))));
    });
    let Ok(read) = receiver.recv_timeout(limit) else {
        stop(&mut child);
        return Err(SecretError::TooSlow { reference: reference() });
    };
    let bytes = read.map_err(|error| unreadable(&error))?;
    for _ in 0..PATIENCE_STEPS {
        match child.try_wait().map_err(|error| unreadable(&error))? {
            Some(status) if status.success() => {
                return String::from_utf8(bytes)
                    .ok()
                    .ok_or_else(|| SecretError::NotText { reference: reference() });
            }
            Some(status) => {
                return Err(SecretError::Failed { reference: reference(), status: status.to_string() });
            }
            None => thread::park_timeout(PATIENCE),
        }
    }
    stop(&mut child);
    Err(SecretError::TooSlow { reference: reference() })
}

/// Ends a program; that it has ended already is no trouble.
fn stop(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

fn plainly(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "not found",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "is a directory",
        _ => "cannot be read",
    }
}

/// The path with `~/` written out, where a home is known.
pub(super) fn at_home(path: &str) -> PathBuf {
    let home = || directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
    match path.strip_prefix("~/").and_then(|rest| Some(home()?.join(rest))) {
        Some(written_out) => written_out,
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> SecretRef {
        SecretRef::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", Secret("hunter2".into())), "Secret(...)");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = SecretRef::Env("BURNWATCH_NO_SUCH_TOKEN".into()).read().unwrap_err();
        assert_eq!(error.to_string(), "env BURNWATCH_NO_SUCH_TOKEN is not set");
    }

    #[test]
    #[cfg(unix)]
    fn only_the_first_line_of_a_private_file_counts() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "  s3cret \r\nsomething else\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let reference = SecretRef::File(path.display().to_string());
        assert_eq!(reference.read().unwrap().expose(), "s3cret");

        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let error = reference.read().unwrap_err();
        assert!(matches!(error, SecretError::Exposed { .. }));
        assert!(error.to_string().ends_with(&format!("try `chmod 600 {}`", path.display())));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = SecretRef::File("/no/such/token".into()).read().unwrap_err();
        assert_eq!(error.to_string(), "file /no/such/token: not found");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_prints_a_secret_and_no_shell_is_involved() {
        assert_eq!(command(&["echo", "$HOME; id"]).read().unwrap().expose(), "$HOME; id");
        assert_eq!(
            command(&["true", "s3cret"]).read(),
            Err(SecretError::Empty { reference: "command true".into() })
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_failing_program_says_how_it_ended_and_not_what_it_was_given() {
        let error = command(&["sh", "-c", "echo s3cret; exit 3"]).read().unwrap_err();
        assert_eq!(error.to_string(), "command sh failed (exit status: 3)");
        let error = command(&["/no/such/program", "s3cret"]).read().unwrap_err();
        assert_eq!(error.to_string(), "command /no/such/program: not found");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_that_hangs_is_stopped() {
        let words = ["sleep".to_owned(), "60".to_owned()];
        let error = from_command(&words, "command sleep", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error, SecretError::TooSlow { reference: "command sleep".into() });
    }

    #[test]
    #[cfg(unix)]
    fn control_characters_are_refused() {
        let error = command(&["printf", "a\\033b"]).read().unwrap_err();
        assert_eq!(error, SecretError::NotText { reference: "command printf".into() });
    }
}
