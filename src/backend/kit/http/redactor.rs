//! Removes known secrets from the texts and data of a source, because some servers repeat the request in their answers.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use memchr::{memchr2, memchr3};

use crate::config::secret::Secret;

const REPLACEMENT: &str = "[secret]";
/// Shorter secrets are not replaced, in bytes: they would match parts of ordinary words.
const SHORTEST: usize = 4;
/// Shorter secrets are not replaced in data, in bytes: a password such as `prometheus` can also be the name of a service.
const SHORTEST_IN_DATA: usize = 16;
/// The maximum number of encoded forms that are remembered, because secrets are rotated.
const AT_MOST: usize = 256;

/// The secrets of one source, in the encoded forms in which they may come back.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// The oldest form first.
    forms: Vec<Secret>,
}

impl Redactor {
    /// Adds a secret: in plain text and in base64.
    pub(crate) fn with(mut self, secret: &Secret) -> Self {
        let plain = secret.expose();
        if plain.len() < SHORTEST {
            return self;
        }
        for form in [plain, &BASE64_STANDARD.encode(plain), &BASE64_URL_SAFE_NO_PAD.encode(plain)] {
            self.add(Secret::new(form));
        }
        self
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        other.forms.iter().fold(self, |mut redactor, form| {
            redactor.add(form.clone());
            redactor
        })
    }

    /// Adds a form; drops the oldest ones above [`AT_MOST`].
    fn add(&mut self, form: Secret) {
        if form.expose().len() >= SHORTEST && !self.forms.contains(&form) {
            self.forms.push(form);
        }
        let too_many = self.forms.len().saturating_sub(AT_MOST);
        self.forms.drain(..too_many);
    }

    /// A message with the secrets replaced.
    pub(crate) fn words(&self, text: &str) -> String {
        let clean = self.refusal(text.as_bytes().to_vec());
        String::from_utf8(clean).unwrap_or_else(|_| REPLACEMENT.to_owned())
    }

    /// The body of an error response with the secrets replaced.
    pub(crate) fn refusal(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.longest_first(SHORTEST).fold(bytes, replace_secret)
    }

    /// Data with the secrets replaced; only secrets of at least [`SHORTEST_IN_DATA`] bytes.
    pub(crate) fn data(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.longest_first(SHORTEST_IN_DATA).fold(bytes, replace_secret)
    }

    /// The forms of at least this length, the longest first, because a secret can be part of another one.
    fn longest_first(&self, at_least: usize) -> impl Iterator<Item = &[u8]> {
        let mut forms: Vec<&[u8]> = self.forms.iter().map(|form| form.expose().as_bytes()).collect();
        forms.retain(|form| form.len() >= at_least);
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.into_iter()
    }
}

/// Replaces a secret in every spelling that [`matched_length`] knows. Returns the same buffer if there is no match.
fn replace_secret(bytes: Vec<u8>, form: &[u8]) -> Vec<u8> {
    let Some(first) = form.first() else { return bytes };
    let (small, capital) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    // positions where a spelling can begin: the first byte itself, or the start of an escape
    let beginnings = |from: usize| {
        let rest = bytes.get(from..)?;
        let plain = memchr2(small, capital, rest);
        let escaped =
            if *first == b' ' { memchr3(b'%', b'\\', b'+', rest) } else { memchr2(b'%', b'\\', rest) };
        plain.into_iter().chain(escaped).min().map(|at| from + at)
    };
    let (mut kept, mut copied, mut from) = (Vec::new(), 0, 0);
    while let Some(at) = beginnings(from) {
        match bytes.get(at..).and_then(|rest| matched_length(rest, form)) {
            Some(length) => {
                kept.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
                kept.extend_from_slice(REPLACEMENT.as_bytes());
                (copied, from) = (at + length, at + length);
            }
            None => from = at + 1,
        }
    }
    if copied == 0 {
        return bytes;
    }
    kept.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    kept
}

/// The number of bytes that a secret takes at the beginning of a text; `None` if the text does not begin with it. Ignores
/// upper and lower case; each byte may be plain, percent-encoded (RFC 3986, section 2.1), escaped as in JSON (RFC 8259,
/// section 7), or `+` for a space.
fn matched_length(text: &[u8], secret: &[u8]) -> Option<usize> {
    // fast path: most texts differ in the second byte
    if let ([_, two, ..], [_, second, ..]) = (text, secret)
        && !two.eq_ignore_ascii_case(second)
        && !text.iter().take(2).any(|byte| matches!(byte, b'%' | b'\\' | b'+'))
    {
        return None;
    }
    // a secret may contain text that looks like an escape: all interpretations are followed
    let mut ends = vec![0];
    for byte in secret {
        let mut next: Vec<usize> = Vec::new();
        for at in ends {
            let rest = text.get(at..).unwrap_or_default();
            let plain = rest
                .first()
                .is_some_and(|read| read.eq_ignore_ascii_case(byte) || (*read, *byte) == (b'+', b' '));
            let escapes = [percent(rest), json_escape(rest)].into_iter().flatten();
            let escapes =
                escapes.filter(|(read, _)| read.eq_ignore_ascii_case(byte)).map(|(_, length)| length);
            next.extend(plain.then_some(1).into_iter().chain(escapes).map(|length| at + length));
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.last().copied()
}

/// Decodes `%2F`: the byte and the length of the escape.
fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let [b'%', high, low, ..] = text else { return None };
    Some((hex(*high)? << 4 | hex(*low)?, 3))
}

/// Decodes `\"` or `\u002f`: the byte and the length of the escape.
fn json_escape(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((hex(*high)? << 4 | hex(*low)?, 6)),
        [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => Some((*byte, 2)),
        [b'\\', b't', ..] => Some((b'\t', 2)),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_blotted_out_in_every_form_it_comes_back_in() {
        let redactor = Redactor::default().with(&Secret::new("s3cret \"token\"/+x"));
        let said = r#"a s3cret "token"/+x b s3cret+%22token%22%2F%2Bx c s3cret%20%22token%22%2F%2Bx d {"e":"s3cret \"token\"/+x"} f czNjcmV0ICJ0b2tlbiIvK3g= g"#;
        let clean = r#"a [secret] b [secret] c [secret] d {"e":"[secret]"} f [secret] g"#;
        assert_eq!(redactor.words(said), clean);
        assert_eq!(redactor.refusal(said.into()), clean.as_bytes());
        assert_eq!(redactor.data(said.into()), clean.as_bytes());
    }

    #[test]
    fn a_secret_encoded_in_part_or_in_another_case_is_blotted_out_too() {
        let redactor = Redactor::default().with(&Secret::new("EnvTok/en+Abc123="));
        for said in [
            "EnvTok%2Fen+Abc123=",
            "EnvTok%2fen+Abc123=",
            "EnvTok/en%2BAbc123%3D",
            "ENVTOK/EN+ABC123=",
            "envtok%2Fen%2babc123%3d",
            r"EnvTok\/en+Abc123=",
            r"EnvTok\u002fen\u002BAbc123=",
            "%45%6e%76%54%6f%6b%2f%65%6e%2b%41%62%63%31%32%33%3d",
            "RW52VG9rL2VuK0FiYzEyMz0=",
            "RW52VG9rL2VuK0FiYzEyMz0%3D",
        ] {
            assert_eq!(redactor.words(&format!("a {said} b")), "a [secret] b", "{said}");
            assert_eq!(redactor.data(format!("{said}{said}").into()), b"[secret][secret]", "{said}");
        }
        assert_eq!(redactor.words("EnvTok/en+Abc124="), "EnvTok/en+Abc124=");
        let percent = Redactor::default().with(&Secret::new("100%2Fsure"));
        assert_eq!(percent.words("100%2Fsure 100%252Fsure 100%2fSURE"), "[secret] [secret] [secret]");
    }

    proptest! {
        /// Any mixture of plain and escaped bytes, within any text.
        #[test]
        fn no_mixture_of_spellings_gets_through(
            secret in "[A-Za-z0-9/+= \"\\\\._~-]{16,40}",
            ways in proptest::collection::vec(0..5_u8, 40),
            around in "[a-z %\\\\+]{0,6}",
        ) {
            let redactor = Redactor::default().with(&Secret::new(&secret));
            let matched_length: String = secret
                .bytes()
                .zip(&ways)
                .map(|(byte, way)| match (way, byte) {
                    (0, _) => format!("%{byte:02x}"),
                    (1, _) => format!("%{byte:02X}"),
                    (2, _) => format!("\\u{byte:04x}"),
                    (3, b' ') => "+".to_owned(),
                    (3, b'"' | b'\\' | b'/') => format!("\\{}", char::from(byte)),
                    _ => char::from(byte).to_string(),
                })
                .collect();
            let said = format!("{around}|{matched_length}|{around}");
            prop_assert_eq!(redactor.words(&said), format!("{around}|[secret]|{around}"));
        }
    }

    #[test]
    fn a_password_that_is_a_word_leaves_data_alone_and_a_syllable_everything() {
        let redactor = Redactor::default().with(&Secret::new("prometheus")).with(&Secret::new("up"));
        assert_eq!(redactor.data(b"prometheus up".into()), b"prometheus up");
        assert_eq!(redactor.words("prometheus up"), "[secret] up");
    }

    #[test]
    fn secrets_of_long_ago_are_forgotten_and_the_newest_kept() {
        let secret = |n: usize| Secret::new(&format!("secret number {n:06}"));
        let redactor = (0..1000).fold(Redactor::default(), |redactor, n| redactor.with(&secret(n)));
        assert!(redactor.forms.len() <= AT_MOST);
        assert_eq!(redactor.words(secret(999).expose()), REPLACEMENT);
    }
}
