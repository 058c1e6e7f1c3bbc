//! The one sanitiser: what text from outside may put on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::repeat_n;

use unicode_width::UnicodeWidthChar;

/// Longest text kept from one outside field, in bytes; the rest is cut at a character and marked with `…`.
pub const LIMIT: usize = 8 * 1024;

/// Marks in a row that are kept on one character.
const MARKS: usize = 2;

/// `text` as it may be shown: no control, escape, bidi or invisible formatting character is left.
///
/// Shape: any string -> a string of at most [`LIMIT`] bytes plus `…`. A tab or line break becomes one space, another
/// control character its code in the form `\x1b`, so that an attack is seen rather than swallowed; bidi marks and
/// zero-width characters become `\u{202e}`. Runs of more than two combining marks are cut. Of an emoji stay its pictures:
/// what joins, colours or selects them goes, for terminals do not agree how wide that is.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitised(text, false, LIMIT)
}

/// As [`clean`], but line breaks stay: for descriptions that are shown as paragraphs.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    sanitised(text, true, LIMIT)
}

/// As [`clean_lines`], but of any length: for documents, whose size is limited where they are read. Tabs become blanks.
pub fn clean_document(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    clean_output(&text).into_owned()
}

/// As [`clean_lines`], but of any length: for what burnwatch itself has put together.
pub fn clean_output(text: &str) -> Cow<'_, str> {
    sanitised(text, true, usize::MAX)
}

/// Whether a character may reach a terminal: what [`clean`] leaves as it is.
pub fn is_harmless(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// As it may go to a terminal that does not take UTF-8: each character beyond ASCII is a `?` for every column that it has, but
/// for the `…` of what was cut, which is the screen's `~`. Parts of such a character are control characters there (`ě` ends
/// in 0x9b, which begins a sequence).
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let fitting = |c: char| match c {
        '…' => repeat_n('~', 1),
        c if c.is_ascii() => repeat_n(c, 1),
        c => repeat_n('?', c.width().unwrap_or(0)),
    };
    Cow::Owned(text.chars().flat_map(fitting).collect())
}

fn sanitised(text: &str, keep_lines: bool, limit: usize) -> Cow<'_, str> {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) || keep_lines && byte == b'\n';
    if text.len() <= limit && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(limit) + 8);
    let (mut marks, mut before) = (0, ' ');
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let whole = out.len();
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        match c {
            '\n' if keep_lines => out.push('\n'),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() => push_code(&mut out, "\\x", c),
            c if is_of_emoji(before, c, chars.peek().map(|(_, next)| *next)) => continue,
            c if is_invisible(c) => push_code(&mut out, "\\u", c),
            _ if marks > MARKS => {}
            c => out.push(c),
        }
        before = c;
        // what is dropped counts too: a flood is not read to its end
        if out.len() > limit || at / 4 > limit {
            out.truncate(whole);
            out.push('…');
            break;
        }
    }
    Cow::Owned(out)
}

fn push_code(out: &mut String, prefix: &str, c: char) {
    let code = u32::from(c);
    let written = if prefix == "\\x" { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
    written.expect("writing to a String cannot fail");
}

/// Whether `c` only says how the picture before it is drawn: as text or in colour, in which skin, joined to the next.
fn is_of_emoji(before: char, c: char, next: Option<char>) -> bool {
    let is_picture =
        |c: char| !c.is_ascii() && !c.is_alphanumeric() && is_harmless(c) && c.width() != Some(0);
    let is_keycap = next == Some('\u{20e3}') && matches!(before, '0'..='9' | '#' | '*');
    match c {
        '\u{fe0e}' | '\u{fe0f}' => is_picture(before) || is_keycap,
        '\u{1f3fb}'..='\u{1f3ff}' => is_picture(before),
        '\u{200d}' => is_picture(before) && next.is_some_and(is_picture),
        _ => false,
    }
}

/// Bidi controls, zero-width and other format characters, private use, tags, line and paragraph separators, and what is no
/// character at all.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1_3430..=0x1_345f | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0x10_ffff)
        || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_controls_and_bidi_are_shown_not_obeyed() {
        for (hostile, shown) in [
            ("plain", "plain"),
            ("a\x1b[2Jb", "a\\x1b[2Jb"),
            ("a\u{9b}31m", "a\\x9b31m"),
            ("tab\there\r\nline", "tab here  line"),
            ("\u{7f}", "\\x7f"),
            ("evil\u{202e}txt", "evil\\u{202e}txt"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("Grüße 東京", "Grüße 東京"),
            ("e\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}"),
            ("\u{e48}\u{93c}\u{483}\u{20d0}x", "\u{e48}\u{93c}x"),
            ("⚠\u{fe0f} 1\u{fe0f}\u{20e3} 👍\u{1f3fd} 👩\u{200d}💻", "⚠ 1\u{20e3} 👍 👩💻"),
            ("a\u{fe0f}b\u{200d}c\u{200d}💻", "a\\u{fe0f}b\\u{200d}c\\u{200d}💻"),
            ("tag\u{e0041}\u{e007f}\u{ffff}", "tag\\u{e0041}\\u{e007f}\\u{ffff}"),
            ("\u{2066}isolated\u{2069}", "\\u{2066}isolated\\u{2069}"),
            ("nul\0", "nul\\x00"),
        ] {
            assert_eq!(clean(hostile), shown, "{hostile:?}");
        }
        assert_eq!(clean_lines("one\ntwo\x07"), "one\ntwo\\x07");
    }

    #[test]
    fn where_utf8_is_not_taken_each_column_is_a_question_mark() {
        assert!(matches!(ascii("plain\x1b[m\n"), Cow::Borrowed(_)));
        assert_eq!(ascii("Pr\u{11b}hled e\u{301} \u{6771}\u{4eac} \u{1f44d}\n"), "Pr?hled e ???? ??\n");
        assert_eq!(ascii("payments-wor…"), "payments-wor~");
    }

    #[test]
    fn a_megabyte_is_cut_at_a_character_and_says_so() {
        let cut = clean(&"é".repeat(500_000)).into_owned();
        assert!(cut.len() <= LIMIT + 5 && cut.ends_with('…'));
    }

    #[test]
    fn a_flood_of_marks_is_not_read_to_its_end() {
        let flood = format!("a{}b", "\u{301}".repeat(500_000));
        assert_eq!(clean(&flood), "a\u{301}\u{301}…");
    }

    #[test]
    fn what_is_cut_is_cut_between_codes() {
        for before in 0..12 {
            let once = clean(&format!("{}{}", "x".repeat(before), "\u{202e}".repeat(LIMIT))).into_owned();
            assert!(once.len() <= LIMIT + 3 && once.ends_with("}…"));
            assert_eq!(clean(&once), once);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_survives(text in any::<String>()) {
            let safe = clean(&text).into_owned();
            prop_assert!(safe.chars().all(is_harmless), "{:?}", safe);
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC{0,200}") {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once).into_owned(), once);
        }
    }
}
