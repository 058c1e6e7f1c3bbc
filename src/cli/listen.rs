//! `burnwatch listen`: receives webhooks about changes until a signal ends it.

use crate::backend::Clock;
use crate::backend::listen::{ListenOptions, WebhookListener};
use crate::config::process::expand_home;
use crate::runtime;

use super::args::ListenArgs;
use super::printer::{ExitOutcome, print_error, print_stderr_plain};

pub(super) fn run(wanted: &ListenArgs) -> ExitOutcome {
    let is_local = wanted.changes.is_local();
    if !is_local && !wanted.allow_remote {
        print_error(
            "other machines could reach this address; use 127.0.0.1, [::1] or unix:PATH, or add --allow-remote",
        );
        return ExitOutcome::UsageError;
    }
    if !is_local && wanted.secret.is_empty() {
        print_error("--allow-remote needs --secret, for example --secret env:HOOK_SECRET");
        return ExitOutcome::UsageError;
    }
    let mut secrets = Vec::new();
    for reference in &wanted.secret {
        match reference.read() {
            Ok(secret) => secrets.push(secret),
            Err(error) => {
                print_error(&format!("no secret ({error})"));
                return ExitOutcome::Failure;
            }
        }
    }
    let is_open = secrets.is_empty();
    let file = expand_home(&wanted.file.display().to_string());
    let options = ListenOptions {
        file: file.clone(),
        secrets,
        fields: wanted.field.iter().cloned().collect(),
        max_body: usize::try_from(wanted.max_body).unwrap_or(usize::MAX),
        max_file: wanted.max_file,
        clock: Clock::real(),
    };
    let started = |listener: &WebhookListener| {
        let open = if is_open { "; without --secret, every local program may send" } else { "" };
        let (address, file) = (listener.address(), file.display());
        print_stderr_plain(&format!("listening on {address}, appending to {file}{open}\n"));
    };
    let report = |line: &str| print_stderr_plain(&format!("{line}\n"));
    match runtime::listen(&wanted.changes, options, started, report) {
        Ok(()) => ExitOutcome::Fine,
        Err(error) => {
            print_error(&error);
            ExitOutcome::Failure
        }
    }
}
