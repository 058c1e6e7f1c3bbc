//! Sets the terminal's modes, writes to the terminal, and restores it: one function, called by `Drop`, by the panic hook, before
//! a suspension and at the end.
//!
//! Output goes to a duplicated descriptor and not through `std::io::Stdout`: a blocked writer would hold the lock of `Stdout`
//! and prevent the restore. It is also unbuffered.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::termios::tcgetattr;
use tokio::process::Command;
use tokio::time::Instant;

use super::backpressure::FrameWrite;
use super::notice::{self, KEEP_TITLE, RESTORE_TITLE};

/// Alternate screen, cursor hidden, bracketed paste.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Ends an incomplete string or frame, then undoes every mode that may have been set.
const LEAVE: &str = "\x1b\\\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/// Reports clicks and the wheel, but no moves: these would be too much for a slow connection.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// How long the restore waits for the current write to end.
const WRITE_WAIT: Duration = Duration::from_millis(400);
/// How long the restore may take in total: a terminal that accepts no output must not keep burnwatch running.
const RESTORE_TIMEOUT: Duration = Duration::from_millis(800);
/// Bytes per write: about as much as a slow connection accepts within the time above.
const WRITE_SIZE: usize = 512;

/// Shell commands that stop the job. burnwatch catches SIGTSTP, so it gets SIGSTOP; the other processes of its pipeline get
/// SIGTSTP. If no shell could continue the job, the system ignores SIGTSTP; then the last command continues burnwatch.
const STOP_JOB_COMMANDS: &str = "kill -STOP $PPID; kill -TSTP 0; kill -CONT $PPID";

/// The speed that pseudo-terminals report, in baud. A lower speed is that of a serial line.
const PTY_SPEED: u32 = 38_400;

/// The state of the terminal.
#[derive(Debug)]
struct TerminalHolder {
    /// Whether burnwatch has the terminal; otherwise the shell has it.
    has_terminal: bool,
    /// Whether a write is in progress.
    writing: bool,
    /// Whether burnwatch has set the title, so that the saved one must be restored.
    titled: bool,
}

static HOLDER: Mutex<TerminalHolder> =
    Mutex::new(TerminalHolder { has_terminal: false, writing: false, titled: false });
static WRITTEN: Condvar = Condvar::new();

fn holder() -> MutexGuard<'static, TerminalHolder> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal's columns and rows; 80x24 if they are unknown.
pub fn size() -> (u16, u16) {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => (width, height),
        _ => (80, 24),
    }
}

/// Whether the terminal is on a slow serial line, by its speed in termios. Pseudo-terminals report 38,400 baud, whatever the
/// speed of the connection behind them.
pub fn is_serial() -> bool {
    tcgetattr(io::stdout()).is_ok_and(|line| (1..PTY_SPEED).contains(&line.output_speed()))
}

/// Whether standard input and output are a terminal. After a hang-up they are not.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What the event loop needs from the terminal besides drawing; tests have one of their own.
pub(super) trait Terminal {
    /// Restores the terminal and stops the whole job, as Ctrl-z does for other programs. SIGCONT comes when it continues (at once
    /// if there is no job control); then call [`Self::take_over`] again.
    ///
    /// # Errors
    /// The system's error if the signals cannot be sent.
    fn stop(&mut self) -> io::Result<()>;
    /// Restores the terminal for another program, which burnwatch waits for.
    fn release(&mut self);
    /// Sets the terminal's modes, at the start and after another program used the terminal.
    fn take_over(&mut self) -> io::Result<()>;
    /// Columns and rows.
    fn size(&self) -> (u16, u16);
}

/// The terminal in burnwatch's modes; dropping this restores it.
pub(super) struct TerminalSession {
    pub(super) mouse: bool,
}

impl Terminal for TerminalSession {
    fn stop(&mut self) -> io::Result<()> {
        restore();
        // through `sh`; its end is not waited for, because it stops with the job
        Command::new("sh").args(["-c", STOP_JOB_COMMANDS]).stdin(Stdio::null()).spawn().map(drop)
    }

    fn release(&mut self) {
        restore();
    }

    fn take_over(&mut self) -> io::Result<()> {
        // so that the original modes are read again: the shell may have changed them
        disable_raw_mode().ok();
        enable_raw_mode()?;
        holder().has_terminal = true;
        write(ENTER.as_bytes())?;
        write(if self.mouse { MOUSE_ON } else { MOUSE_OFF }.as_bytes())?;
        Ok(())
    }

    fn size(&self) -> (u16, u16) {
        size()
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        restore();
    }
}

/// Writes to the terminal; does nothing while the shell has the terminal. Blocks while the terminal accepts no output, and
/// returns how long the writes took.
///
/// # Errors
/// The system's error, such as EIO when the terminal is gone.
pub(super) fn write(bytes: &[u8]) -> io::Result<FrameWrite> {
    let mut out = output()?;
    let mut flow = FrameWrite::default();
    for piece in bytes.chunks(WRITE_SIZE) {
        {
            let mut holder = holder();
            if !holder.has_terminal {
                return Ok(flow);
            }
            holder.writing = true;
        }
        let began = Instant::now();
        let written = write_whole(&mut out, piece);
        holder().writing = false;
        WRITTEN.notify_all();
        written?;
        flow.add(piece.len(), began.elapsed());
    }
    Ok(flow)
}

fn output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn write_whole(out: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // another process that shares the terminal may have made it non-blocking
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::park_timeout(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The bytes that set a title; the first ones also save the terminal's own title.
pub(super) fn titled(title: &str) -> String {
    let keep = if std::mem::replace(&mut holder().titled, true) { "" } else { KEEP_TITLE };
    format!("{keep}{}", notice::title(title))
}

/// Restores the terminal; does nothing if it is restored already. Takes less than a second, whatever the terminal does.
pub(super) fn restore() {
    if !std::mem::take(&mut holder().has_terminal) {
        return;
    }
    let (done, restored) = mpsc::sync_channel(1);
    let work = move || {
        // a write in progress must not end on the shell's screen
        drop(WRITTEN.wait_timeout_while(holder(), WRITE_WAIT, |holder| holder.writing));
        if let Ok(mut out) = output() {
            write_whole(&mut out, LEAVE.as_bytes()).ok();
            if std::mem::take(&mut holder().titled) {
                write_whole(&mut out, RESTORE_TITLE.as_bytes()).ok();
            }
        }
        done.send(()).ok();
    };
    // on a thread of its own, because a write to a terminal that accepts no output never returns
    if thread::Builder::new().name("restore".into()).spawn(work).is_ok() {
        restored.recv_timeout(RESTORE_TIMEOUT).ok();
    }
    disable_raw_mode().ok();
}
