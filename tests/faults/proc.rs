//! Memory and open files of a process, from `/proc`.

/// Memory and open files at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Resident memory in KiB.
    pub(crate) memory: u64,
    pub(crate) threads: u64,
    /// Open files and sockets.
    pub(crate) files: u64,
}

impl Footprint {
    /// The values of this process; None without `/proc`.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
        let files = u64::try_from(files).ok()?;
        Some(Self { memory: number("VmRSS:")?, threads: number("Threads:")?, files })
    }
}
