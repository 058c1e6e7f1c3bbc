//! The keys for signing AWS requests: from references, a program, the environment, or a profile file.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::program::{LIMIT, output};
use super::{Secret, SecretError, SecretErrorKind, from_file};
use crate::config::process::expand_home;
use crate::config::settings::{SecretProgram, SecretRef, SigV4Settings};

/// Longer than usual, because the program may have to call AWS.
const PROGRAM_LIMIT: std::time::Duration = LIMIT.saturating_mul(3);

/// A set of AWS credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The access key id.
    pub(crate) id: Secret,
    pub(crate) secret: Secret,
    /// The session token of temporary credentials.
    pub(crate) session: Option<Secret>,
    /// When they expire, if known.
    pub(crate) until: Option<Timestamp>,
}

impl SigV4Settings {
    /// Reads the current keys. Blocks while it reads a file or runs a program.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn keys(&self) -> Result<Keys, SecretError> {
        if let Some(program) = &self.command {
            return from_program(program).map_err(|failure| failure.of(program));
        }
        if let (Some(id), Some(secret)) = (&self.access_key, &self.secret_key) {
            let session = self.session_token.as_ref().map(SecretRef::read).transpose()?;
            return Ok(Keys { id: id.read()?, secret: secret.read()?, session, until: None });
        }
        let variable = |name: &str| SecretRef::Env(name.to_owned()).read();
        match (&self.profile, variable("AWS_ACCESS_KEY_ID")) {
            (None, Ok(id)) => Ok(Keys {
                id,
                secret: variable("AWS_SECRET_ACCESS_KEY")?,
                session: variable("AWS_SESSION_TOKEN").ok(),
                until: None,
            }),
            (profile, _) => {
                let text = |name| std::env::var(name).ok().filter(|text: &String| !text.is_empty());
                let profile = profile.clone().or_else(|| text("AWS_PROFILE"));
                let file = text("AWS_SHARED_CREDENTIALS_FILE");
                let file = file.map_or_else(|| expand_home("~/.aws/credentials"), PathBuf::from);
                let profile = profile.as_deref().unwrap_or("default");
                let named = format_args!("profile {profile} in {}", file.display());
                from_profile(&file, profile).map_err(|failure| failure.of(named))
            }
        }
    }
}

/// The output format of `credential_process` in AWS's own tools.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    expiration: Option<Timestamp>,
}

fn from_program(program: &SecretProgram) -> Result<Keys, SecretErrorKind> {
    let bytes = output(&program.0, PROGRAM_LIMIT)?;
    // the decoder's message could contain the secret
    let Ok(printed) = serde_json::from_slice::<Printed>(&bytes) else {
        let reason = "its output does not contain AccessKeyId and SecretAccessKey as JSON".to_owned();
        return Err(SecretErrorKind::Unreadable { reason });
    };
    Ok(Keys {
        id: Secret(printed.access_key_id),
        secret: Secret(printed.secret_access_key),
        session: printed.session_token.map(Secret),
        until: printed.expiration,
    })
}

/// Reads the keys of a profile: `[default]`, then `aws_access_key_id = ...` and so on.
fn from_profile(file: &std::path::Path, profile: &str) -> Result<Keys, SecretErrorKind> {
    let bytes = from_file(file)?;
    let text = std::str::from_utf8(&bytes).ok().ok_or(SecretErrorKind::NotText)?;
    let name =
        |line: &str| line.trim().strip_prefix('[')?.strip_suffix(']').map(|name| name.trim().to_owned());
    let lines = text.lines().skip_while(|line| name(line).as_deref() != Some(profile)).skip(1);
    let own: Vec<&str> = lines.take_while(|line| name(line).is_none()).collect();
    let value = |key: &str| {
        let mut pairs = own.iter().filter_map(|line| line.split_once('='));
        let (_, value) = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(key))?;
        Secret::first_line(value)
    };
    match (value("aws_access_key_id"), value("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Keys { id, secret, session: value("aws_session_token"), until: None }),
        _ => Err(SecretErrorKind::Unreadable {
            reason: "it has no keys; for SSO and roles set `command` to a program that prints them: \
                  [\"aws\", \"configure\", \"export-credentials\"]"
                .to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(text: &str) -> SigV4Settings {
        toml::from_str(&format!("region = \"eu-central-1\"\n{text}")).unwrap()
    }

    #[test]
    fn keys_of_a_profile_are_its_own_and_the_file_is_private() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[default]\naws_access_key_id=AKIA1\naws_secret_access_key=one\n\n[ prod ]\n# x = y\n\
                    aws_access_key_id = AKIA2\naws_secret_access_key = a/b+c==\naws_session_token = t\n[sso]\nx = 1\n";
        std::fs::write(file.path(), text).unwrap();
        let keys = from_profile(file.path(), "prod").unwrap();
        assert_eq!((keys.id.expose(), keys.secret.expose()), ("AKIA2", "a/b+c=="));
        assert_eq!(keys.session.unwrap().expose(), "t");
        assert_eq!(from_profile(file.path(), "default").unwrap().session, None);
        for profile in ["sso", "none"] {
            let error = from_profile(file.path(), profile).unwrap_err().to_string();
            assert!(error.contains("export-credentials") && !error.contains("AKIA"), "{error}");
        }
        std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(from_profile(file.path(), "prod"), Err(SecretErrorKind::Exposed { .. })));
    }

    #[test]
    fn a_program_prints_keys_with_their_end_and_what_makes_no_sense_is_not_repeated() {
        let printed = r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-01-02T03:04:05+00:00"}"#;
        let settings = settings(&format!("command = ['printf', '%s', '{printed}']"));
        let keys = settings.keys().unwrap();
        assert_eq!(
            (keys.id.expose(), keys.until.unwrap().to_string().as_str()),
            ("AKIA", "2026-01-02T03:04:05Z")
        );
        let program = SecretProgram(vec!["echo".into(), "s3cret".into()]);
        let odd = from_program(&program).unwrap_err().of(&program).to_string();
        assert!(
            odd.starts_with("command echo: its output does not contain") && !odd.contains("s3cret"),
            "{odd}"
        );
    }

    #[test]
    fn keys_by_reference_need_no_profile() {
        let text = "access_key = \"AKIA\"\nsecret_key = { command = [\"echo\", \"s\"] }";
        let keys = settings(text).keys().unwrap();
        assert_eq!((keys.id.expose(), keys.secret.expose()), ("AKIA", "s"));
        assert_eq!((keys.session, keys.until), (None, None));
    }
}
