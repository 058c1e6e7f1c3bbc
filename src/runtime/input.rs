//! Reads keys, pasted text, mouse actions and sizes on a thread of its own and translates them into events.
//!
//! crossterm must wait with `poll` (feature `use-dev-tty`): with edge-triggered `epoll`, its default, it does not read input
//! that it left in the system's buffer. `EventStream` is not used: at the end of input crossterm 0.29 reads in an endless loop
//! (it treats neither 0 bytes nor EIO as an end), which would block the event loop. Here only this thread is lost, and
//! `signals` notices that the terminal is gone.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::event::{
    self, Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use tokio::sync::mpsc;

use super::failpoint;
use crate::app::event::{Event, MouseAction};
use crate::app::key::{Code, Key, NamedKey};
use crate::model::text;

mod split;

/// The name of the input thread. A panic of this thread ends burnwatch, because keys could no longer be read.
pub(super) const THREAD: &str = "input";
/// The capacity of the channel to the loop; further input waits in the terminal.
const CHANNEL_SIZE: usize = 256;

/// Sizes that follow each other within this time are one resize. Not zero, because `poll` without a time-out finds nothing.
const RESIZE_PAUSE: Duration = Duration::from_millis(1);

/// Whether another program has the terminal, and whether the input thread waits for its end.
static PAUSE: Mutex<(bool, bool)> = Mutex::new((false, false));
static CHANGED: Condvar = Condvar::new();
/// How long to wait for the input thread to stop reading.
const PAUSE_TIMEOUT: Duration = Duration::from_millis(300);

fn pause_state() -> MutexGuard<'static, (bool, bool)> {
    PAUSE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the input thread stop reading, so that another program gets all keys. A signal wakes the thread.
pub(super) fn pause() {
    pause_state().0 = true;
    if let Err(error) =
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::WINCH)
    {
        tracing::warn!(%error, "the input thread cannot be woken");
    }
    drop(CHANGED.wait_timeout_while(pause_state(), PAUSE_TIMEOUT, |(_, is_waiting)| !*is_waiting));
}

/// Makes the input thread read again.
pub(super) fn resume() {
    pause_state().0 = false;
    CHANGED.notify_all();
}

/// Waits while another program has the terminal; false if none has.
fn waited() -> bool {
    let mut state = pause_state();
    if !state.0 {
        return false;
    }
    state.1 = true;
    CHANGED.notify_all();
    let mut state =
        CHANGED.wait_while(state, |(is_paused, _)| *is_paused).unwrap_or_else(PoisonError::into_inner);
    state.1 = false;
    true
}

/// Starts the input thread. The channel closes when the terminal can no longer be read.
pub(super) fn listen() -> io::Result<mpsc::Receiver<Event>> {
    let (events, inbox) = mpsc::channel(CHANNEL_SIZE);
    thread::Builder::new().name(THREAD.into()).spawn(move || read(&events))?;
    Ok(inbox)
}

fn read(events: &mpsc::Sender<Event>) {
    // events that `look_ahead` has already read and processed
    let mut early = VecDeque::new();
    loop {
        let Some(terminal_event) = early.pop_front() else {
            match event::read() {
                Ok(terminal_event) => early = look_ahead(terminal_event, &mut next_within).into(),
                Err(error) => {
                    tracing::warn!(%error, "no more input");
                    return;
                }
            }
            continue;
        };
        failpoint::at(THREAD);
        // what woke the thread is not meant for burnwatch
        if waited() {
            early.clear();
            continue;
        }
        if let Some(event) = translate(terminal_event)
            && events.blocking_send(event).is_err()
        {
            return;
        }
    }
}

/// Combines an event with those that belong to it (resizes, cut escape sequences). `next` returns the next event within a time.
fn look_ahead(
    terminal_event: TerminalEvent,
    next: &mut dyn FnMut(Duration) -> Option<TerminalEvent>,
) -> Vec<TerminalEvent> {
    match terminal_event {
        TerminalEvent::Resize(width, height) => {
            let (last, other) = last_size((width, height), || next(RESIZE_PAUSE));
            let mut all = vec![TerminalEvent::Resize(last.0, last.1)];
            all.extend(other.into_iter().flat_map(|other| look_ahead(other, next)));
            all
        }
        TerminalEvent::Key(KeyEvent { code: KeyCode::Esc, modifiers: KeyModifiers::NONE, .. }) => {
            split::rejoin(next)
        }
        other => vec![other],
    }
}

fn next_within(wait: Duration) -> Option<TerminalEvent> {
    if event::poll(wait).ok()? { event::read().ok() } else { None }
}

/// The last of several sizes in a row, and the event after it, if any: dragging a window's corner is one resize.
fn last_size(
    mut size: (u16, u16),
    mut next: impl FnMut() -> Option<TerminalEvent>,
) -> ((u16, u16), Option<TerminalEvent>) {
    loop {
        match next() {
            Some(TerminalEvent::Resize(width, height)) => size = (width, height),
            other => return (size, other),
        }
    }
}

/// Translates an event of crossterm; None for events that burnwatch ignores.
fn translate(terminal_event: TerminalEvent) -> Option<Event> {
    match terminal_event {
        TerminalEvent::Key(key) => translate_key(key).map(Event::Key),
        // pasted text may contain control characters, as text from a server may
        TerminalEvent::Paste(text) => Some(Event::Pasted(text::pasted(&text))),
        TerminalEvent::Mouse(mouse) => translate_mouse(mouse),
        TerminalEvent::Resize(width, height) if width > 0 && height > 0 => {
            Some(Event::Resized { width, height })
        }
        // some terminals report 0x0 while their window is minimised
        TerminalEvent::Resize(..) | TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

fn translate_mouse(mouse: MouseEvent) -> Option<Event> {
    let action = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseAction::Click,
        MouseEventKind::ScrollUp => MouseAction::WheelUp,
        MouseEventKind::ScrollDown => MouseAction::WheelDown,
        _ => return None,
    };
    Some(Event::Mouse { action, column: mouse.column, row: mouse.row })
}

/// Translates a key to the names of the key map; None for releases and keys that the key map does not know.
fn translate_key(event: KeyEvent) -> Option<Key> {
    let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
    if event.kind == KeyEventKind::Release || !known.contains(event.modifiers) {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let named = |named| Some(Key { code: Code::Named(named), ctrl, alt, shift });
    match event.code {
        KeyCode::Char(' ') => named(NamedKey::Space),
        KeyCode::Null => Some(Key { ctrl: true, ..Key::named(NamedKey::Space) }),
        // some terminals send Ctrl-h for Backspace
        KeyCode::Char('h') if ctrl && !alt => Some(Key::named(NamedKey::Backspace)),
        KeyCode::Char(c) if c.is_control() => None,
        KeyCode::Char(c) => {
            // with Ctrl, letters are lower case even with Caps Lock
            let c = if ctrl { c.to_ascii_lowercase() } else { c };
            Some(Key { code: Code::Char(c), ctrl, alt, shift: false })
        }
        KeyCode::BackTab => Some(Key { code: Code::Named(NamedKey::Tab), ctrl, alt, shift: true }),
        KeyCode::Enter => named(NamedKey::Enter),
        KeyCode::Esc => named(NamedKey::Esc),
        KeyCode::Tab => named(NamedKey::Tab),
        KeyCode::Backspace => named(NamedKey::Backspace),
        KeyCode::Delete => named(NamedKey::Delete),
        KeyCode::Up => named(NamedKey::Up),
        KeyCode::Down => named(NamedKey::Down),
        KeyCode::Left => named(NamedKey::Left),
        KeyCode::Right => named(NamedKey::Right),
        KeyCode::Home => named(NamedKey::Home),
        KeyCode::End => named(NamedKey::End),
        KeyCode::PageUp => named(NamedKey::PageUp),
        KeyCode::PageDown => named(NamedKey::PageDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_in_the_key_map() {
        let none = KeyModifiers::NONE;
        for (code, modifiers, name) in [
            (KeyCode::Char('q'), none, "q"),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, "?"),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, "ctrl-c"),
            (KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT, "ctrl-c"),
            (KeyCode::Char(' '), none, "space"),
            (KeyCode::Char(' '), KeyModifiers::CONTROL, "ctrl-space"),
            (KeyCode::Null, none, "ctrl-space"),
            (KeyCode::Char('x'), KeyModifiers::ALT, "alt-x"),
            (KeyCode::BackTab, none, "shift-tab"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Tab, none, "tab"),
            (KeyCode::PageDown, none, "pagedown"),
            (KeyCode::Up, KeyModifiers::SHIFT, "shift-up"),
            (KeyCode::Char('h'), KeyModifiers::CONTROL, "backspace"),
            (KeyCode::Char('ä'), none, "ä"),
        ] {
            let key = translate_key(KeyEvent::new(code, modifiers)).unwrap();
            assert_eq!(key.to_string(), name, "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn what_has_no_name_is_no_key() {
        let mut release = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        release.kind = KeyEventKind::Release;
        for event in [
            release,
            KeyEvent::new(KeyCode::F(5), KeyModifiers::NONE),
            KeyEvent::new(KeyCode::Char('q'), KeyModifiers::SUPER),
            KeyEvent::new(KeyCode::Char('\u{1}'), KeyModifiers::NONE),
        ] {
            assert_eq!(translate_key(event), None, "{event:?}");
        }
    }

    #[test]
    fn a_key_held_down_repeats() {
        let mut repeat = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
        repeat.kind = KeyEventKind::Repeat;
        assert_eq!(translate_key(repeat), Some(Key::char('j')));
    }

    #[test]
    fn pasted_text_is_cleaned() {
        match translate(TerminalEvent::Paste("a\x1b[2Jb".into())) {
            Some(Event::Pasted(text)) => assert!(!text.contains('\x1b'), "{text:?}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_many_sizes_in_a_row_the_last_counts_and_the_key_after_them_is_kept() {
        let key = TerminalEvent::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
        let mut later =
            vec![TerminalEvent::Resize(90, 30), TerminalEvent::Resize(100, 40), key.clone()].into_iter();
        assert_eq!(last_size((80, 24), || later.next()), ((100, 40), Some(key)));
        assert_eq!(last_size((80, 24), || None), ((80, 24), None));
    }

    #[test]
    fn the_wheel_and_the_left_button_count_and_no_other() {
        let mouse = |kind| {
            translate(TerminalEvent::Mouse(MouseEvent {
                kind,
                column: 3,
                row: 4,
                modifiers: KeyModifiers::NONE,
            }))
        };
        assert!(matches!(
            mouse(MouseEventKind::ScrollDown),
            Some(Event::Mouse { action: MouseAction::WheelDown, column: 3, row: 4 })
        ));
        assert!(mouse(MouseEventKind::Down(MouseButton::Left)).is_some());
        assert!(mouse(MouseEventKind::Down(MouseButton::Right)).is_none());
        assert!(mouse(MouseEventKind::Moved).is_none());
    }
}
