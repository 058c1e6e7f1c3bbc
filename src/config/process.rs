//! What running another program needs everywhere: its path, and ending it with its children.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills the processes of the group with this id, which is that of the program that was started in a group of its own; a group
/// that has ended already is ignored.
pub(crate) fn kill_group(id: u32) {
    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        kill_process_group(group, Signal::KILL).ok();
    }
}

/// The path with `~/` replaced by the home directory, if it is known.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    let home = || directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
    match path.strip_prefix("~/").and_then(|rest| Some(home()?.join(rest))) {
        Some(written_out) => written_out,
        None => PathBuf::from(path),
    }
}

/// Whether a program is executable, at its path or in `PATH`.
pub(crate) fn is_program(name: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let can_run = |path: &Path| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return can_run(&expand_home(name));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| can_run(&folder.join(name)))
}
