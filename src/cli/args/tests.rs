use clap::CommandFactory;

use super::*;
use crate::backend;

fn parse(words: &str) -> CommandLine {
    CommandLine::try_parse_from(words.split(' ')).unwrap()
}

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_help_text_fits_in_eighty_columns() {
    let mut command = CommandLine::command();
    command.build();
    let all = command.get_subcommands().flat_map(|verb| verb.get_subcommands().chain([verb]));
    for verb in all.chain([&command]) {
        let help = verb.clone().render_long_help().to_string();
        let too_wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(too_wide.is_empty(), "{}: {too_wide:#?}", verb.get_name());
    }
}

#[test]
fn flags_stand_before_or_after_the_verb() {
    for words in [
        "burnwatch --prometheus http://a --prometheus http://b alerts -o json",
        "burnwatch alerts --output json --prometheus http://a --prometheus http://b",
    ] {
        assert_eq!(parse(words).demo(), Ok(None));
        let wanted = parse(words).choice();
        let given: Vec<_> = wanted.sources.iter().filter(|(_, urls)| !urls.is_empty()).collect();
        assert_eq!(given, [&(backend::kind("prometheus"), vec!["http://a".into(), "http://b".into()])]);
    }
}

#[test]
fn the_demo_world_is_a_flag_and_a_verb() {
    let flags = DemoFlags { seed: Some(7), speed: None, at: Some(1.5) };
    for words in ["burnwatch demo --seed 7 --at 1.5", "burnwatch snapshot overview --demo --seed 7 --at 1.5"]
    {
        assert_eq!(parse(words).demo(), Ok(Some(flags)));
    }
    assert!(parse("burnwatch --seed 7").demo().unwrap_err().contains("--demo"));
    assert!(parse("burnwatch demo --prometheus http://a").demo().is_err());
}

#[test]
fn odd_numbers_are_refused() {
    for words in [
        "demo --speed NaN",
        "demo --speed -1",
        "demo --at inf",
        "snapshot x --size 0x5",
        "snapshot x --size 9",
    ] {
        let words = format!("burnwatch {words}");
        assert!(CommandLine::try_parse_from(words.split(' ')).is_err(), "{words}");
    }
    assert_eq!((switch("Yes"), switch("")), (Ok(true), Ok(false)));
    assert!(switch("perhaps").is_err());
}
