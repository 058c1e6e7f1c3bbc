//! The program `burnwatch`; the code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    burnwatch::run(std::env::args_os())
}
