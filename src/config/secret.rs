//! Secrets: read from the place that a reference names, never displayed, and wiped from memory after use.

pub(crate) mod aws;
mod keyring;
mod program;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::files;
use super::process::expand_home;
use super::settings::{KeyringEntry, SecretProgram, SecretRef, SecretText};
use program::LIMIT;

/// Longer than any token or key; a protection against a wrong path.
const MAX_SECRET_BYTES: usize = 64 * 1024;
/// Longer than the list of all CAs that a system trusts.
const MAX_CERTIFICATE_BYTES: u64 = 4 * 1024 * 1024;

/// A secret in memory: it has no `Display` or `Serialize`, its `Debug` output is fixed, and it is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret that does not come from a reference.
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The first line of `text`, trimmed; `None` if it is empty.
    fn first_line(text: &str) -> Option<Self> {
        let line = text.lines().next().unwrap_or_default().trim();
        (!line.is_empty()).then(|| Self::new(line))
    }

    /// The secret itself; only for use in requests.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// The bytes of a secret; wiped when dropped.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Why a secret could not be read; contains the reference, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reference}{failure}")]
pub struct SecretError {
    reference: String,
    failure: SecretErrorKind,
}

/// Why a secret could not be read; the text follows the name of the reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum SecretErrorKind {
    #[error(" is not set")]
    NotSet,
    #[error(" is empty")]
    Empty,
    /// It is not a single line of text, so it cannot be sent in a header.
    #[error(" is not plain text")]
    NotText,
    #[error(" can be read by everyone on this machine; try `chmod 600 {path}`")]
    Exposed { path: String },
    /// The file could not be read, or the program could not be started.
    #[error(": {reason}")]
    Unreadable { reason: String },
    #[error(" failed ({status})")]
    Failed { status: String },
    #[error(" took longer than {} s", LIMIT.as_secs())]
    TooSlow,
    /// The system's keyring program is not installed.
    #[error(": `{tool}` is not installed ({package})")]
    NoTool { tool: &'static str, package: &'static str },
    #[error(": no such entry, or the keyring is locked; create one with `{store}`")]
    NoEntry { store: String },
}

impl SecretErrorKind {
    fn of(self, reference: impl fmt::Display) -> SecretError {
        SecretError { reference: reference.to_string(), failure: self }
    }
}

impl From<io::Error> for SecretErrorKind {
    fn from(error: io::Error) -> Self {
        Self::Unreadable { reason: error_words(&error) }
    }
}

impl fmt::Display for SecretRef {
    /// The origin of the secret: `env PROM_TOKEN`. Of a command only the program, because arguments can contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Command(program) => program.fmt(f),
            Self::Keyring(KeyringEntry { service, user }) => write!(f, "keyring {service}/{user}"),
        }
    }
}

impl fmt::Display for SecretProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command {}", self.0.first().map_or("", String::as_str))
    }
}

impl SecretRef {
    /// Reads the secret. Blocks while it reads a file or runs a program.
    ///
    /// # Errors
    /// If the secret cannot be read, or is not valid in a header.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let bytes = match self {
            Self::Env(name) => from_env(name),
            Self::File(path) => from_file(&expand_home(path)),
            Self::Command(program) => program::output(&program.0, LIMIT),
            Self::Keyring(entry) => keyring::read(entry),
        };
        bytes.and_then(|bytes| one_line(&bytes)).map_err(|failure| failure.of(self))
    }
}

impl SecretText {
    /// The text, read if it is a reference. Blocks as [`SecretRef::read`] does.
    ///
    /// # Errors
    /// The errors of [`SecretRef::read`].
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Plain(text) => Ok(Secret::new(text)),
            Self::Secret(reference) => reference.read(),
        }
    }
}

/// Reads a file with a private key.
///
/// # Errors
/// If it cannot be read, or is readable by all users.
pub(crate) fn key_file(path: &str) -> Result<Bytes, SecretError> {
    from_file(&expand_home(path)).map_err(|failure| failure.of(format_args!("file {path}")))
}

/// Reads a file with certificates, which need not be private.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn certificates(path: &str) -> Result<Vec<u8>, SecretError> {
    files::read(&expand_home(path), MAX_CERTIFICATE_BYTES)
        .map_err(|error| SecretErrorKind::from(error).of(format_args!("file {path}")))
}

fn one_line(bytes: &[u8]) -> Result<Secret, SecretErrorKind> {
    let text = std::str::from_utf8(bytes).ok().ok_or(SecretErrorKind::NotText)?;
    let secret = Secret::first_line(text).ok_or(SecretErrorKind::Empty)?;
    if secret.0.chars().any(char::is_control) { Err(SecretErrorKind::NotText) } else { Ok(secret) }
}

fn from_env(name: &str) -> Result<Bytes, SecretErrorKind> {
    std::env::var(name).map(|text| Zeroizing::new(text.into_bytes())).map_err(|error| match error {
        std::env::VarError::NotPresent => SecretErrorKind::NotSet,
        std::env::VarError::NotUnicode(_) => SecretErrorKind::NotText,
    })
}

fn from_file(path: &Path) -> Result<Bytes, SecretErrorKind> {
    if files::is_given_pipe(path) {
        return program::read_within(File::open(path)?, LIMIT);
    }
    let mut file = files::open(path)?;
    if is_world_readable(&file)? {
        return Err(SecretErrorKind::Exposed { path: path.display().to_string() });
    }
    Ok(read_limited(&mut file)?)
}

/// Reads everything up to a limit into one buffer of fixed size: a growing buffer would leave copies of the secret in memory.
fn read_limited(reader: &mut impl Read) -> io::Result<Bytes> {
    let mut bytes = Zeroizing::new(vec![0; MAX_SECRET_BYTES]);
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn is_world_readable(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

fn error_words(error: &io::Error) -> String {
    if let Some(other) = error.get_ref().and_then(|inner| inner.downcast_ref::<files::FileError>()) {
        return other.to_string();
    }
    let words = match error.kind() {
        io::ErrorKind::NotFound => "not found",
        io::ErrorKind::PermissionDenied => "permission denied",
        _ => "cannot be read",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
