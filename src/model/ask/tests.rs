use std::collections::BTreeSet;

use super::*;
use crate::model::series::TimeGrid;
use crate::model::world::WorldPart;

fn moment() -> Moment {
    Moment::At(Timestamp::from_second(1_700_000_000).unwrap())
}

#[test]
fn titles_differ_and_are_words_that_fit_in_a_line() {
    let titles: BTreeSet<&str> = AskKind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(titles.len(), AskKind::ALL.len());
    assert!(titles.iter().all(|title| !title.is_empty() && title.len() <= 30 && title.trim() == *title));
}

#[test]
fn what_is_asked_on_every_screen_is_one_question_to_a_source_and_named_in_the_order_of_the_table() {
    let vital: Vec<AskKind> = AskKind::ALL.into_iter().filter(|kind| kind.is_vital()).collect();
    assert_eq!(AskKind::all_vital(), vital);
    assert_eq!(vital.first(), Some(&AskKind::Probe));
    for kind in AskKind::ALL {
        let query = kind.vital();
        assert_eq!(query.as_ref().map(Query::kind), kind.is_vital().then_some(kind));
        assert!(query.is_none_or(|query| query.topic().kind() == kind && !kind.has_key()));
    }
}

#[test]
fn what_hangs_is_noticed_in_time_on_every_screen() {
    for query in AskKind::ALL.into_iter().filter_map(AskKind::vital) {
        let interval = query.refresh().interval(Duration::from_secs(5));
        assert!(interval <= Duration::from_secs(60), "{query:?}: {interval:?}");
    }
    assert_eq!(Query::Probe.refresh().interval(Duration::from_secs(60)), HEARTBEAT);
}

#[test]
fn what_a_list_is_made_from_is_asked_on_every_screen_and_brings_the_list_up_to_date() {
    let parts = [
        WorldPart::Services,
        WorldPart::Alerts,
        WorldPart::Slos,
        WorldPart::Incidents,
        WorldPart::OnCall,
        WorldPart::Silences,
    ];
    for kind in parts.iter().flat_map(|part| part.depends_on()) {
        assert!(kind.is_vital(), "{kind:?}");
        assert_ne!(kind.merges(), Merges::Nothing, "{kind:?}");
    }
    assert_eq!(WorldPart::Sources.depends_on(), AskKind::all_vital());
}

#[test]
fn only_what_has_a_past_is_asked_about_the_moment_that_is_shown() {
    for kind in AskKind::ALL {
        assert_eq!(kind.moment(Moment::Now), Moment::Now);
        let is_of_the_past = matches!(kind.time(), TimeUse::Moment | TimeUse::Range);
        assert_eq!(kind.moment(moment()) == moment(), is_of_the_past, "{kind:?}");
    }
}

#[test]
fn a_topic_is_the_question_without_its_moment_and_its_part() {
    let span = |end| {
        TimeGrid::ending(
            Timestamp::from_second(end).unwrap(),
            Duration::from_secs(3600),
            60,
            Duration::from_secs(15),
        )
    };
    let of = |query: &str, end| {
        let window = span(end);
        let series = SeriesKey::over(query.into(), window);
        Query::Series { series, time_range: QueryRange { window, tail: window } }
    };
    let (one, later) = (of("up", 7200), of("up", 9000));
    assert_ne!(one, later);
    assert_eq!(one.topic(), later.clone().topic());
    assert_eq!(one.clone().at(moment()).topic(), later.now().topic());
    assert_ne!(one.topic(), of("down", 7200).topic());
    assert_eq!(Query::Steps { since: Timestamp::UNIX_EPOCH }.topic(), Topic::Steps);
}

#[test]
fn charts_are_refreshed_with_each_point_within_bounds() {
    let seconds = Duration::from_secs;
    for (step, configured, expected) in [(1, 5, 5), (15, 5, 15), (3600, 5, 60), (3600, 90, 90), (1, 90, 90)] {
        let interval = Refresh::EachPoint(seconds(step)).interval(seconds(configured));
        assert_eq!(interval, seconds(expected), "{step} {configured}");
    }
}
