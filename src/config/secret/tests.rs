use std::time::Duration;

use super::*;

fn command(words: &[&str]) -> SecretRef {
    SecretRef::Command(SecretProgram(words.iter().map(|word| (*word).to_owned()).collect()))
}

#[test]
fn debug_says_nothing() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(...)");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let error = SecretRef::Env("BURNWATCH_NO_SUCH_TOKEN".into()).read().unwrap_err();
    assert_eq!(error.to_string(), "env BURNWATCH_NO_SUCH_TOKEN is not set");
}

#[test]
fn only_the_first_line_of_a_private_file_counts() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "  s3cret \r\nsomething else\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let reference = SecretRef::File(path.display().to_string());
    assert_eq!(reference.read().unwrap().expose(), "s3cret");

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let error = reference.read().unwrap_err();
    assert!(matches!(error.failure, SecretErrorKind::Exposed { .. }));
    assert!(error.to_string().ends_with(&format!("try `chmod 600 {}`", path.display())));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = SecretRef::File("/no/such/token".into()).read().unwrap_err();
    assert_eq!(error.to_string(), "file /no/such/token: not found");
}

#[test]
fn a_program_prints_a_secret_and_no_shell_is_involved() {
    assert_eq!(command(&["echo", "$HOME; id"]).read().unwrap().expose(), "$HOME; id");
    assert_eq!(command(&["true", "s3cret"]).read(), Err(SecretErrorKind::Empty.of("command true")));
}

#[test]
fn a_failing_program_says_how_it_ended_and_not_what_it_was_given() {
    let error = command(&["sh", "-c", "echo s3cret; exit 3"]).read().unwrap_err();
    assert_eq!(error.to_string(), "command sh failed (exit status: 3)");
    let error = command(&["/no/such/program", "s3cret"]).read().unwrap_err();
    assert_eq!(error.to_string(), "command /no/such/program: not found");
}

#[test]
fn a_program_that_hangs_is_stopped() {
    let words = ["sleep".to_owned(), "60".to_owned()];
    let error = program::output(&words, Duration::from_millis(50)).unwrap_err();
    assert_eq!(error, SecretErrorKind::TooSlow);
}

#[test]
fn control_characters_are_refused() {
    let error = command(&["printf", "a\\033b"]).read().unwrap_err();
    assert_eq!(error, SecretErrorKind::NotText.of("command printf"));
}

#[test]
fn arguments_of_a_program_are_shown_nowhere() {
    let reference = command(&["vault", "-token=s3cret", "read"]);
    assert_eq!(format!("{reference:?}"), r#"Command(["vault", ..])"#);
    assert_eq!(reference.to_string(), "command vault");
}

#[test]
fn a_keyring_entry_is_named_without_a_service_of_its_own() {
    let reference: SecretRef = toml::from_str("keyring = { user = \"prom-eu\" }").unwrap();
    assert_eq!(reference.to_string(), "keyring burnwatch/prom-eu");
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, words) in [
        (fifo.display().to_string(), "is a FIFO, not a file"),
        ("/dev/zero".to_owned(), "is a device, not a file"),
        (dir.path().display().to_string(), "is a folder, not a file"),
    ] {
        for error in [
            SecretRef::File(path.clone()).read().unwrap_err(),
            key_file(&path).unwrap_err(),
            certificates(&path).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), format!("file {path}: {words}"));
        }
    }
}

#[test]
fn what_a_program_has_started_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let script = format!("sh -c 'echo $$ > {}; exec sleep 300' & sleep 300", pid.display());
    let words = ["sh", "-c", &script].map(str::to_owned);
    let error = program::output(&words, Duration::from_millis(700)).unwrap_err();
    assert_eq!(error, SecretErrorKind::TooSlow);
    let pid = std::fs::read_to_string(&pid).unwrap();
    let is_gone = || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // its exit status may not have been collected yet
        state.is_empty() || state.contains(") Z ")
    };
    for _ in 0..100 {
        if is_gone() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("it lives on");
}
