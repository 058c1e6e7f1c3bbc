//! The terminal's modes, and the one way out of them: taken by `Drop`, by the panic hook, before a stop and at the end.
//!
//! Output goes to a descriptor of our own rather than through `std::io::Stdout`: no lock that a stuck writer could hold
//! against the restore, and no line buffer.

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
/// Ends whatever was cut off half-way (string, frame), then undoes everything that can have been set.
const LEAVE: &str = "\x1b\\\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/// Clicks and the wheel, not every move: moves would be a flood over a slow line.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// How long the restore waits for the piece that is just being written.
const WRITE_WAIT: Duration = Duration::from_millis(400);
/// How long the restore may take in all; a terminal that takes no output must not keep burnwatch.
const RESTORE_TIMEOUT: Duration = Duration::from_millis(800);
/// What is written in one go: as much as a slow line takes within the patience above, or not much more.
const WRITE_SIZE: usize = 512;

/// SIGTSTP is caught here, so it is SIGSTOP that stops burnwatch; what is piped together with it gets SIGTSTP and stops, too.
/// That is no signal to a job that nobody could continue: then the last word is reached, and says to go on.
const STOP_JOB_COMMANDS: &str = "kill -STOP $PPID; kill -TSTP 0; kill -CONT $PPID";

/// What a line says whose speed does not matter, in baud.
const PTY_SPEED: u32 = 38_400;

#[derive(Debug)]
struct TerminalHolder {
    /// It is ours; else the shell's.
    has_terminal: bool,
    /// A piece of output is on its way to it.
    writing: bool,
    /// Its own title is kept by it, and ours stands there.
    titled: bool,
}

static HOLDER: Mutex<TerminalHolder> =
    Mutex::new(TerminalHolder { has_terminal: false, writing: false, titled: false });
static WRITTEN: Condvar = Condvar::new();

fn holder() -> MutexGuard<'static, TerminalHolder> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Columns and rows; 80x24 where the terminal does not know.
pub fn size() -> (u16, u16) {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => (width, height),
        _ => (80, 24),
    }
}

/// Whether the terminal hangs on a serial line that says itself how slow it is. Pseudo-terminals say 38,400 baud, however
/// fast or slow what stands behind them is.
pub fn is_serial() -> bool {
    tcgetattr(io::stdout()).is_ok_and(|line| (1..PTY_SPEED).contains(&line.output_speed()))
}

/// Whether both ends of the terminal are there. After a hang-up they are not, whatever they were before.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal in our modes, from its take-over until this is dropped.
pub(super) struct TerminalSession {
    pub(super) mouse: bool,
}

impl TerminalSession {
    /// Takes the terminal over, the first time or once more after somebody else had it.
    pub(super) fn take_over(&self) -> io::Result<()> {
        // what the modes were is read anew: the shell may have changed them meanwhile
        disable_raw_mode().ok();
        enable_raw_mode()?;
        holder().has_terminal = true;
        write(ENTER.as_bytes())?;
        write(if self.mouse { MOUSE_ON } else { MOUSE_OFF }.as_bytes())?;
        Ok(())
    }

    /// Gives the terminal back and stops the whole job, as Ctrl-z does elsewhere. SIGCONT says when it goes on, which is at
    /// once where nobody could continue it; the terminal is then to be taken over again.
    ///
    /// # Errors
    /// What the system says when the signals cannot be sent.
    pub(super) fn stop() -> io::Result<()> {
        restore();
        // a shell is where there is job control; nobody waits for it, for it stops with the others
        Command::new("sh").args(["-c", STOP_JOB_COMMANDS]).stdin(Stdio::null()).spawn().map(drop)
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        restore();
    }
}

/// Writes while the terminal is ours, and drops what comes when it is not. Blocks as long as the terminal does, and says
/// how long that was.
///
/// # Errors
/// What the system says, for instance EIO when the terminal is gone.
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
            // somebody who shares the terminal has made it non-blocking
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::park_timeout(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The bytes of a title; before the first one since the terminal is ours its own title is kept.
pub(super) fn titled(title: &str) -> String {
    let keep = if std::mem::replace(&mut holder().titled, true) { "" } else { KEEP_TITLE };
    format!("{keep}{}", notice::title(title))
}

/// Gives the terminal back, once; called again, does nothing. Takes less than a second whatever the terminal does.
pub(super) fn restore() {
    if !std::mem::take(&mut holder().has_terminal) {
        return;
    }
    let (done, restored) = mpsc::sync_channel(1);
    let work = move || {
        // the piece on its way must not land on the shell's screen
        drop(WRITTEN.wait_timeout_while(holder(), WRITE_WAIT, |holder| holder.writing));
        if let Ok(mut out) = output() {
            write_whole(&mut out, LEAVE.as_bytes()).ok();
            if std::mem::take(&mut holder().titled) {
                write_whole(&mut out, RESTORE_TITLE.as_bytes()).ok();
            }
        }
        done.send(()).ok();
    };
    // on a thread of its own: writing to a terminal that takes no output never returns
    if thread::Builder::new().name("restore".into()).spawn(work).is_ok() {
        restored.recv_timeout(RESTORE_TIMEOUT).ok();
    }
    disable_raw_mode().ok();
}
