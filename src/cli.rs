//! The command line: verbs without a screen, and the start of the one with it.

mod alerts;
mod args;
mod config;
mod doctor;
#[cfg(test)]
mod fixtures;
mod printer;
mod report;
mod services;
mod sources;
mod status;
mod view;
