//! Known secrets, blotted out of whatever a source says: there are servers that repeat what they were sent.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use memchr::memmem;

use crate::config::secret::Secret;

/// What stands in a secret's place.
const BLOT: &str = "[secret]";
/// Shorter ones are not looked for: they would blot out syllables.
const SHORTEST: usize = 4;
/// In data, too, only what is no word that a service could be called by: `prometheus` is a password somewhere.
const NO_WORD: usize = 16;
/// Of rotated secrets so many forms are remembered.
const AT_MOST: usize = 256;

/// The secrets of one source, as they could come back.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// The oldest first.
    forms: Vec<Secret>,
}

impl Mask {
    /// One that knows this secret as well: as it is, and as it looks in base64, in an address, and in JSON.
    pub(crate) fn with(mut self, secret: &Secret) -> Self {
        let plain = secret.expose();
        if plain.len() < SHORTEST {
            return self;
        }
        let in_address: String = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let in_json = serde_json::Value::from(plain).to_string();
        for form in [
            plain,
            &BASE64_STANDARD.encode(plain),
            &BASE64_URL_SAFE_NO_PAD.encode(plain),
            &in_address.replace('+', "%20"),
            &in_address,
            in_json.trim_matches('"'),
        ] {
            self.add(Secret::new(form));
        }
        self
    }

    /// One that knows what both know.
    pub(crate) fn and(self, other: &Self) -> Self {
        other.forms.iter().fold(self, |mut mask, form| {
            mask.add(form.clone());
            mask
        })
    }

    fn add(&mut self, form: Secret) {
        if form.expose().len() >= SHORTEST && !self.forms.contains(&form) {
            self.forms.push(form);
        }
        let too_many = self.forms.len().saturating_sub(AT_MOST);
        self.forms.drain(..too_many);
    }

    /// A message without them.
    pub(crate) fn words(&self, text: &str) -> String {
        self.longest_first(SHORTEST).fold(text.to_owned(), |text, form| text.replace(form, BLOT))
    }

    /// The body of a refusal without them.
    pub(crate) fn refusal(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.longest_first(SHORTEST).fold(bytes, blot)
    }

    /// Data without them.
    pub(crate) fn data(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.longest_first(NO_WORD).fold(bytes, blot)
    }

    /// One may be a part of another.
    fn longest_first(&self, at_least: usize) -> impl Iterator<Item = &str> {
        let mut forms: Vec<&str> = self.forms.iter().map(Secret::expose).collect();
        forms.retain(|form| form.len() >= at_least);
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.into_iter()
    }
}

/// Copies nothing where there is nothing to blot out.
fn blot(bytes: Vec<u8>, form: &str) -> Vec<u8> {
    let clean = {
        let mut found = memmem::find_iter(&bytes, form).peekable();
        if found.peek().is_none() {
            Cow::Borrowed(&bytes)
        } else {
            let (mut kept, mut from) = (Vec::with_capacity(bytes.len()), 0);
            for at in found {
                kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
                kept.extend_from_slice(BLOT.as_bytes());
                from = at + form.len();
            }
            kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
            Cow::Owned(kept)
        }
    };
    match clean {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(kept) => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_blotted_out_in_every_form_it_comes_back_in() {
        let mask = Mask::default().with(&Secret::new("s3cret \"token\"/+x"));
        let said = r#"a s3cret "token"/+x b s3cret+%22token%22%2F%2Bx c s3cret%20%22token%22%2F%2Bx d {"e":"s3cret \"token\"/+x"} f czNjcmV0ICJ0b2tlbiIvK3g= g"#;
        let clean = r#"a [secret] b [secret] c [secret] d {"e":"[secret]"} f [secret] g"#;
        assert_eq!(mask.words(said), clean);
        assert_eq!(mask.refusal(said.into()), clean.as_bytes());
        assert_eq!(mask.data(said.into()), clean.as_bytes());
    }

    #[test]
    fn a_password_that_is_a_word_leaves_data_alone_and_a_syllable_everything() {
        let mask = Mask::default().with(&Secret::new("prometheus")).with(&Secret::new("up"));
        assert_eq!(mask.data(b"prometheus up".into()), b"prometheus up");
        assert_eq!(mask.words("prometheus up"), "[secret] up");
    }

    #[test]
    fn secrets_of_long_ago_are_forgotten_and_the_newest_kept() {
        let secret = |n: usize| Secret::new(&format!("secret number {n:06}"));
        let mask = (0..1000).fold(Mask::default(), |mask, n| mask.with(&secret(n)));
        assert!(mask.forms.len() <= AT_MOST);
        assert_eq!(mask.words(secret(999).expose()), BLOT);
    }
}
