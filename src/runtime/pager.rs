//! Runs the user's pager, such as less or lnav, with log lines on its standard input.
//!
//! Meanwhile the pager has the terminal: burnwatch reads no keys and draws nothing, but goes on asking its sources.

use std::io::ErrorKind;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Variables with the command of the pager, in order of precedence.
const VARIABLES: [&str; 2] = ["BURNWATCH_PAGER", "PAGER"];
/// Without any of them; `-R` shows the colours in lines, and no other escape sequences.
const USUAL: &str = "less -R";

/// The command of the pager.
fn command(variable: impl Fn(&str) -> Option<String>) -> String {
    let named = VARIABLES.iter().find_map(|name| variable(name).filter(|command| !command.trim().is_empty()));
    named.unwrap_or_else(|| USUAL.to_owned())
}

/// Runs the pager until it ends.
///
/// # Errors
/// Why it could not be started, or that it is not installed.
pub(super) async fn run(bytes: &[u8]) -> Result<(), String> {
    let command = command(|name| std::env::var(name).ok());
    run_command(&command, bytes).await
}

async fn run_command(command: &str, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the pager {command:?} cannot be run: {error}");
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // a pager that is left before its end closes the pipe
        if let Err(error) = stdin.write_all(bytes).await
            && error.kind() != ErrorKind::BrokenPipe
        {
            return Err(failed(error));
        }
    }
    match child.wait().await.map_err(failed)?.code() {
        // what a shell says for a command that it does not find or may not run
        Some(126 | 127) => Err(format!("the pager {command:?} was not found; set BURNWATCH_PAGER or PAGER")),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_is_the_users_own() {
        let with = |pairs: &[(&str, &str)]| {
            command(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("PAGER", "more"), ("BURNWATCH_PAGER", "lnav")]), "lnav");
        assert_eq!(with(&[("PAGER", "more"), ("BURNWATCH_PAGER", " ")]), "more");
        assert_eq!(with(&[]), "less -R");
    }

    #[tokio::test]
    async fn the_pager_gets_the_bytes_as_they_are_and_may_end_early() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let bytes = b"one\xff\x1b[31m\ntwo\n";
        run_command(&format!("cat > {}", path.display()), bytes).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert_eq!(run_command("true", &vec![b'x'; 4 * 1024 * 1024]).await, Ok(()));
        let missing = run_command("burnwatch-no-such-pager", b"x").await.unwrap_err();
        assert!(missing.contains("BURNWATCH_PAGER"), "{missing}");
    }
}
