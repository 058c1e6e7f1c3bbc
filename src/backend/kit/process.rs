//! Runs the program of a source: without a shell, with limits for its time and its output. It is killed with its children when
//! the time is over, when it prints too much, and when the question is dropped.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::cost::Cost;
use crate::config::process::{expand_home, kill_group};
use crate::model::source::ErrorKind;
use crate::model::text::clean;

/// How much of the error output is kept, in bytes and in lines.
const ERROR_BYTES: usize = 4096;
const ERROR_LINES: usize = 3;
/// How long to read the error output of a program that has ended.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// The length of one line of the error output in a message, in characters.
const ERROR_LINE: usize = 200;

/// A program and its limits.
pub(crate) struct SourceProgram<'a> {
    /// The program, and its arguments.
    pub(crate) command: &'a [String],
    /// Environment variables in addition to those of burnwatch.
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) timeout: Duration,
    /// The most bytes of its output.
    pub(crate) max_bytes: usize,
}

/// The output of a program.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) bytes: Vec<u8>,
    /// Whether it printed more than the limit: it was killed then, and the rest is missing.
    pub(crate) is_cut: bool,
    /// The first lines of its error output, although it did not fail.
    pub(crate) complaint: String,
}

/// Kills the program and its children when dropped.
struct RunningGroup {
    child: Child,
    group: Option<u32>,
}

impl Drop for RunningGroup {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            kill_group(group);
        }
    }
}

impl SourceProgram<'_> {
    /// The name of the program for messages: without arguments, which may contain secrets.
    pub(crate) fn name(&self) -> &str {
        let path = self.command.first().map_or("", String::as_str);
        path.rsplit('/').next().unwrap_or(path)
    }

    fn failed(&self, problem: String) -> ErrorKind {
        ErrorKind::Local { what: clean(self.name()).into_owned(), problem }
    }

    /// Runs the program until it ends, and returns what it printed.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] if it cannot be started, fails, or is still running at the end of its time.
    pub(crate) async fn run(&self) -> Result<ProgramOutput, ErrorKind> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(self.failed("cannot be started: `command` is empty".to_owned()));
        };
        let child = Command::new(expand_home(program))
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.failed(format!("cannot be started: {error}")))?;
        let mut running = RunningGroup { group: child.id(), child };
        let output = running.child.stdout.take();
        let errors = running.child.stderr.take();
        let mut complaint = Vec::new();
        let work = async {
            let errors = read_some(errors, &mut complaint);
            let reading = async {
                let (bytes, is_cut) = read(output, self.max_bytes).await?;
                let status = if is_cut { None } else { Some(running.child.wait().await?) };
                Ok::<_, std::io::Error>((bytes, status))
            };
            tokio::pin!(errors, reading);
            let mut is_read = false;
            let ended = loop {
                tokio::select! {
                    ended = &mut reading => break ended?,
                    read = &mut errors, if !is_read => {
                        read?;
                        is_read = true;
                    }
                }
            };
            if !is_read && ended.1.is_some() {
                // what it said last may still be in the pipe
                timeout(LAST_WORDS, errors).await.unwrap_or(Ok(()))?;
            }
            Ok::<_, std::io::Error>(ended)
        };
        let ended = timeout(self.timeout, work).await;
        let complaint = first_lines(&complaint);
        let (bytes, status) = match ended {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return Err(self.failed(format!("cannot be read: {error}"))),
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                return Err(self.failed(with(
                    format!("was still running after {seconds} s and was killed"),
                    &complaint,
                )));
            }
        };
        Cost::count(bytes.len() as u64);
        match status {
            // it ended by itself, and so did whatever held its output open
            Some(status) if status.success() => running.group = None,
            Some(status) => return Err(self.failed(with(format!("failed ({status})"), &complaint))),
            None => {}
        }
        Ok(ProgramOutput { bytes, is_cut: status.is_none(), complaint })
    }
}

fn with(words: String, complaint: &str) -> String {
    if complaint.is_empty() { words } else { format!("{words}: {complaint}") }
}

/// Reads until the end or the limit; whether there was more.
async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: usize) -> std::io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok((bytes, false)) };
    pipe.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    let is_cut = bytes.len() > limit;
    bytes.truncate(limit);
    Ok((bytes, is_cut))
}

/// Reads the beginning into `kept`, and the rest to nowhere: a program whose error output is not read would block.
async fn read_some(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> std::io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = [0; 1024];
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let room = ERROR_BYTES.saturating_sub(kept.len());
        kept.extend(buffer.iter().take(read.min(room)));
    }
}

/// The first lines as one.
fn first_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(ERROR_LINES);
    let lines = lines.map(|line| clean(line).chars().take(ERROR_LINE).collect::<String>());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    async fn run(command: &[String]) -> Result<ProgramOutput, ErrorKind> {
        let variables = vec![("BURNWATCH_SINCE", "yesterday".to_owned())];
        SourceProgram { command, variables, timeout: Duration::from_millis(700), max_bytes: 1000 }.run().await
    }

    #[tokio::test]
    async fn what_a_program_prints_is_read_and_its_errors_are_said() {
        let output = run(&shell("echo $BURNWATCH_SINCE; echo oops >&2; cat")).await.unwrap();
        assert_eq!((output.bytes.as_slice(), output.is_cut), (&b"yesterday\n"[..], false));
        assert_eq!(output.complaint, "oops");
        for (command, said) in [
            (
                shell("echo one >&2; printf 'two\\033[31m\\n' >&2; echo x; exit 3"),
                "sh failed (exit status: 3): one; two",
            ),
            (shell("kill -9 $$"), "sh failed (signal: 9 (SIGKILL))"),
            (vec!["/no/such/program".to_owned(), "secret".to_owned()], "program cannot be started"),
            (vec![], " cannot be started: `command` is empty"),
        ] {
            let error = run(&command).await.unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
            assert!(!error.contains("secret") && !error.contains('\u{1b}'), "{error}");
        }
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let script = format!("(sleep 1.5; touch {}) & echo started >&2; wait", alive.display());
        let begun = Instant::now();
        let error = run(&shell(&script)).await.unwrap_err().to_string();
        assert_eq!(error, "sh was still running after 0.7 s and was killed: started");
        assert!(begun.elapsed() < Duration::from_millis(1400));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!alive.exists(), "a child lived on");
    }

    #[tokio::test]
    async fn a_program_is_killed_when_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let command = shell(&format!("sleep 0.5; touch {}", alive.display()));
        assert!(timeout(Duration::from_millis(150), run(&command)).await.is_err());
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(!alive.exists());
    }

    #[tokio::test]
    async fn a_flood_is_cut_at_once_on_both_outputs() {
        let begun = Instant::now();
        let output = run(&shell("yes")).await.unwrap();
        assert_eq!((output.bytes.len(), output.is_cut), (1000, true));
        let error = run(&shell("yes >&2")).await.unwrap_err().to_string();
        assert!(error.contains("still running") && error.ends_with("y; y; y"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
