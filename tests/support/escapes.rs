//! The escape sequences that burnwatch may write to a terminal. For `#[path = "support/escapes.rs"] mod escapes;`.
#![expect(clippy::string_slice, reason = "cut where an ASCII character was found; a test may fail so")]

use burnwatch::testing::model::text::is_harmless;

/// The private modes that burnwatch changes: cursor, mouse, alternate screen, bracketed paste, synchronized output.
const MODES: [&str; 6] = ["25", "1000", "1006", "1049", "2004", "2026"];

/// The beginning of the restore sequence: it ends an incomplete string and frame, because frames are written in pieces.
const RESTORE_PREFIX: &str = "\x1b\\\x1b[?2026l";

/// The parts of the output that are neither plain text nor one of burnwatch's sequences. Line breaks are allowed: the terminal
/// driver and lists write them.
pub(crate) fn forbidden_sequences(written: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let written = uncut(written);
    let text = match str::from_utf8(&written) {
        Ok(text) => text,
        Err(error) => {
            found.push(format!("no UTF-8: {error}"));
            return found;
        }
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\x1b' => sequence(rest),
            '\n' | '\r' | '\x07' => Ok(1),
            c if is_harmless(c) => Ok(c.len_utf8()),
            c => Err((format!("a bare {c:?}"), c.len_utf8())),
        };
        let (reported, length) = match length {
            Ok(length) => (None, length),
            Err((reported, length)) => (Some(reported), length),
        };
        if let Some(reported) = reported {
            let near: String = rest.chars().take(40).collect();
            found.push(format!("{reported} in {near:?}"));
        }
        rest = &rest[length..];
    }
    found
}

/// The output without an incomplete character or CSI sequence before the restore sequence.
fn uncut(written: &[u8]) -> Vec<u8> {
    let (mut whole, mut rest) = (Vec::new(), written);
    while let Some(at) =
        rest.windows(RESTORE_PREFIX.len()).position(|bytes| bytes == RESTORE_PREFIX.as_bytes())
    {
        let frame = match str::from_utf8(&rest[..at]) {
            Err(error) if error.error_len().is_none() => &rest[..error.valid_up_to()],
            _ => &rest[..at],
        };
        let begun = frame.iter().rposition(|byte| *byte == 0x1b).filter(|begun| {
            let after = &frame[begun + 1..];
            let is_parameter = |byte: &u8| byte.is_ascii_digit() || b";:?".contains(byte);
            after.is_empty() || after[0] == b'[' && after[1..].iter().all(is_parameter)
        });
        whole.extend_from_slice(&frame[..begun.unwrap_or(frame.len())]);
        whole.extend_from_slice(RESTORE_PREFIX.as_bytes());
        rest = &rest[at + RESTORE_PREFIX.len()..];
    }
    whole.extend_from_slice(rest);
    whole
}

/// The length of the sequence at the beginning of a text; or an error, and how many bytes to skip.
fn sequence(text: &str) -> Result<usize, (String, usize)> {
    let after = &text[1..];
    match after.chars().next() {
        Some('[') => csi(&after[1..]).map(|length| length + 2),
        Some(']') => osc(&after[1..]).map(|length| length + 2),
        Some('P') => passed(&after[1..]).map(|length| length + 2),
        // ST, the end of a string that may be incomplete
        Some('\\') => Ok(2),
        other => Err((format!("ESC and {other:?}"), 1)),
    }
}

fn csi(text: &str) -> Result<usize, (String, usize)> {
    let wrong = |reported: &str| Err((format!("a CSI that is not ours: {reported}"), 1));
    let Some(end) = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':' | '?'))) else {
        return wrong("cut off");
    };
    let (parameters, last) = (&text[..end], text[end..].chars().next().unwrap_or_default());
    let numbers =
        |separators: &[char]| parameters.split(separators).all(|n| n.len() <= 5 && !n.contains('?'));
    let ours = match last {
        'm' => numbers(&[';', ':']),
        'H' => numbers(&[';']) && parameters.matches(';').count() == 1,
        'J' => parameters == "2",
        'K' => parameters.is_empty(),
        'C' => parameters.len() <= 3 && numbers(&[]),
        't' => matches!(parameters, "22;0" | "23;0"),
        'h' | 'l' => parameters.strip_prefix('?').is_some_and(|mode| MODES.contains(&mode)),
        _ => false,
    };
    if ours { Ok(end + 1) } else { wrong(&format!("{parameters}{last:?}")) }
}

fn osc(text: &str) -> Result<usize, (String, usize)> {
    let wrong = |reported: String| Err((format!("an OSC that is not ours: {reported}"), 1));
    let Some(end) = text.find(['\x07', '\x1b']) else { return wrong("without an end".into()) };
    // the restore sequence ends an incomplete string with ST
    let length = end + if text[end..].starts_with("\x1b\\") { 2 } else { 1 };
    if length == end + 1 && text[end..].starts_with('\x1b') {
        return wrong("ended by another sequence".into());
    }
    let whole = &text[..end];
    let is_base64 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    let ours = match whole.split_once(';') {
        Some(("52", rest)) => rest.strip_prefix("c;").is_some_and(is_base64),
        Some(("2" | "9", _)) => true,
        Some(("777", rest)) => rest.starts_with("notify;"),
        _ => false,
    };
    if !ours || !whole.chars().all(is_harmless) {
        return wrong(whole.chars().take(60).collect());
    }
    Ok(length)
}

/// A sequence for tmux to pass on: burnwatch's sequences with each ESC doubled.
fn passed(text: &str) -> Result<usize, (String, usize)> {
    let wrong = |reported: String| Err((format!("a DCS that is not ours: {reported}"), 1));
    let Some(inside) = text.strip_prefix("tmux;") else { return wrong(text.chars().take(20).collect()) };
    let Some(end) = inside.find("\x07\x1b\\") else { return wrong("without an end".into()) };
    let single = inside[..=end].replace("\x1b\x1b", "\x1b");
    let found = forbidden_sequences(single.as_bytes());
    if found.is_empty() { Ok(5 + end + 3) } else { wrong(found.join(", ")) }
}

#[test]
fn a_foreign_sequence_is_found_and_our_own_are_not() {
    for ours in [
        "plain text, 東京, é\n",
        "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[12;3H\x1b[0;1;38;2;1;2;3mred\x1b[0m",
        "a\x1b[12Cb\x1b[K\r\n",
        "\x1b]2;title\x07\x1b]9;a: b\x07\x1b]777;notify;a;b\x07\x1b]52;c;aGk=\x07",
        "\x1bPtmux;\x1b\x1b]9;a: b\x07\x1b\\\x07",
        "a frame that is \x1b[23;38;5;2\x1b\\\x1b[?2026l\x1b[?1049l",
    ] {
        assert_eq!(forbidden_sequences(ours.as_bytes()), [""; 0], "{ours:?}");
    }
    for foreign in [
        "\x1b[6n",
        "\x1b[?1003h",
        "\x1b[31;99999999m",
        "\x1b]8;;http://x\x07",
        "\x1b]0;t\x07",
        "\x1b]2;a\u{202e}\x07",
        "\x1b]52;c;?\x07",
        "\x1bc",
        "\u{9b}2J",
        "\x08",
        "a\u{200b}b",
        "\u{202e}",
        "\x1b",
        "\x1bPq\x1b\\",
        "\x1b[23;38;5;2\x1b\\",
        "\x1b[6n\x1b\\\x1b[?2026l",
    ] {
        assert_eq!(forbidden_sequences(foreign.as_bytes()).len().min(1), 1, "{foreign:?}");
    }
    assert_eq!(forbidden_sequences(b"\x9b2J").len(), 1);
    assert_eq!(forbidden_sequences(b"cut \xe2\x94\x1b\\\x1b[?2026l"), [""; 0]);
}
