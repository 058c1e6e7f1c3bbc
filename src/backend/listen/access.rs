//! Who may send: GitLab's token, GitHub's signature, or a bearer token.

use ring::hmac;
use ring::rand::SystemRandom;

use super::Response;
use super::request::Request;
use crate::config::secret::Secret;

/// GitHub's signature is over the body, so it is checked after the body was read.
const SIGNATURE: &str = "x-hub-signature-256";

/// Refuses what can be refused without the body.
pub(super) fn before_body(request: &Request, secrets: &[Secret]) -> Option<Response> {
    if request.method != "POST" {
        return Some(Response::refused(405, "send changes with POST"));
    }
    // only browsers send it: a page that somebody looks at must not write changes
    if request.has("origin") {
        return Some(Response::refused(403, "requests of web pages are not accepted"));
    }
    if secrets.is_empty() || request.header(SIGNATURE).is_some() {
        return None;
    }
    let bearer = request.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match request.header("x-gitlab-token").or(bearer) {
        Some(token) if secrets.iter().any(|secret| is_same(token, secret)) => None,
        Some(_) => Some(Response::refused(401, "the token is wrong")),
        None => Some(Response::refused(
            401,
            "no credentials: send X-Gitlab-Token, X-Hub-Signature-256 or Authorization: Bearer",
        )),
    }
}

/// Refuses a body whose signature is wrong.
pub(super) fn after_body(request: &Request, secrets: &[Secret]) -> Option<Response> {
    let signature = request.header(SIGNATURE).filter(|_| !secrets.is_empty())?;
    let tag = signature.strip_prefix("sha256=").and_then(bytes);
    let is_signed = |secret: &Secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        tag.as_ref().is_some_and(|tag| hmac::verify(&key, &request.body, tag).is_ok())
    };
    let wrong = || Response::refused(401, "X-Hub-Signature-256 is wrong");
    (!secrets.iter().any(is_signed)).then(wrong)
}

/// Compares in a time that does not depend on where the texts differ: by their codes under a random key.
fn is_same(token: &str, secret: &Secret) -> bool {
    let Ok(key) = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()) else { return false };
    let tag = hmac::sign(&key, secret.expose().as_bytes());
    hmac::verify(&key, token.as_bytes(), tag.as_ref()).is_ok()
}

/// The bytes of a hexadecimal text.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
