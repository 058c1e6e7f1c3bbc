//! The one sanitiser: what text from outside may put on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest text kept from one outside field, in bytes; the rest is cut at a character and marked with `…`.
pub const LIMIT: usize = 8 * 1024;

/// `text` as it may be shown: no control, escape, bidi or invisible formatting character is left.
///
/// Shape: any string -> a string of at most [`LIMIT`] bytes plus `…`. A tab or line break becomes one space, another
/// control character its code in the form `\x1b`, so that an attack is seen rather than swallowed; bidi marks and
/// zero-width characters become `\u{202e}`. Runs of more than two combining marks are cut.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitise(text, false)
}

/// As [`clean`], but line breaks stay: for descriptions that are shown as paragraphs.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    sanitise(text, true)
}

/// As [`clean_lines`], but of any length: for documents, whose size is limited where they are read. Tabs become blanks.
pub fn clean_document(text: &str) -> String {
    // emoji come with a mark that says how to draw them; it says nothing to the reader
    let text = text.replace("\r\n", "\n").replace('\t', "    ").replace('\u{fe0f}', "");
    sanitised(&text, true, usize::MAX).into_owned()
}

fn sanitise(text: &str, keep_lines: bool) -> Cow<'_, str> {
    sanitised(text, keep_lines, LIMIT)
}

fn sanitised(text: &str, keep_lines: bool, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit && text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(limit) + 8);
    let mut marks = 0;
    for c in text.chars() {
        if out.len() >= limit {
            out.push('…');
            break;
        }
        marks = if is_combining(c) { marks + 1 } else { 0 };
        match c {
            '\n' if keep_lines => out.push('\n'),
            '\t' | '\n' | '\r' => out.push(' '),
            _ if marks > 2 => {}
            c if c.is_control() => push_code(&mut out, "\\x", c),
            c if is_invisible(c) => push_code(&mut out, "\\u", c),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn push_code(out: &mut String, prefix: &str, c: char) {
    let code = u32::from(c);
    let written = if prefix == "\\x" { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
    written.expect("writing to a String cannot fail");
}

/// Bidi controls, zero-width and other format characters, private use, tags, line and paragraph separators.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
        | 0xfff0..=0xfffb | 0x1_d173..=0x1_d17a | 0xe_0000..=0x10_ffff)
}

fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x0610..=0x061a | 0x064b..=0x065f
        | 0x0e31..=0x0e3a | 0x0e47..=0x0e4e | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
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
        ] {
            assert_eq!(clean(hostile), shown, "{hostile:?}");
        }
        assert_eq!(clean_lines("one\ntwo\x07"), "one\ntwo\\x07");
    }

    #[test]
    fn a_megabyte_is_cut_at_a_character_and_says_so() {
        let cut = clean(&"é".repeat(500_000)).into_owned();
        assert!(cut.len() <= LIMIT + 5 && cut.ends_with('…'));
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_survives(text in any::<String>()) {
            let safe = clean(&text).into_owned();
            prop_assert!(!safe.chars().any(|c| c.is_control() || is_invisible(c)), "{:?}", safe);
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC{0,200}") {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once).into_owned(), once);
        }
    }
}
