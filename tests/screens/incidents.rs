//! Snapshots of incidents and on-call in every state, and the navigation from and to them.

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::screens::incidents::Row;
use burnwatch::testing::app::screens::{alert, incident as open, overview, service};
use burnwatch::testing::model::ask::{AskKind, Query};
use burnwatch::testing::model::incident::Incident;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::oncall::OnCallSnapshot;
use burnwatch::testing::model::source::SourceId;

use crate::SIZES;
use crate::pager::{Pager, incident, incidents, on_call};
use crate::stage::Stage;

fn stage(size: (u16, u16)) -> Stage {
    Stage::pager(size, Pager::new(incidents(), on_call()))
}

fn pictures(name: &str, keys: &[&str]) {
    for (width, height) in SIZES {
        let mut stage = stage((width, height));
        stage.press(keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.body());
    }
}

#[test]
fn the_list_of_incidents() {
    pictures("incidents", &["5"]);
}

#[test]
fn one_incident() {
    pictures("incident", &["5", "enter", "tab"]);
}

#[test]
fn who_is_on_call() {
    pictures("oncall", &["6"]);
}

#[test]
fn one_policy() {
    pictures("policy", &["6", "enter"]);
}

#[test]
fn an_overview_with_open_incidents() {
    pictures("overview_incidents", &["tab"]);
}

#[test]
fn the_stories_screens() {
    for (name, keys) in
        [("incidents_demo", &["5"][..]), ("oncall_demo", &["6"]), ("incident_demo", &["5", "enter"])]
    {
        let mut stage = Stage::demo((120, 36), 8.0);
        stage.press(keys);
        insta::assert_snapshot!(name, stage.body_text());
    }
}

#[test]
fn the_week_in_three_zones_over_a_change_of_the_clock() {
    // the test clock starts in January: it is moved to the days before the change of daylight saving time
    for (zone, day) in [
        ("Europe/Berlin", "2026-03-27T09:00Z"),
        ("America/New_York", "2026-03-06T09:00Z"),
        ("Australia/Lord_Howe", "2026-04-02T22:00Z"),
        ("Asia/Kathmandu", "2026-03-27T09:00Z"),
    ] {
        let begin: jiff::Timestamp = day.parse().unwrap();
        let ahead = begin.as_second() - Stage::start().as_second();
        let mut snapshot = on_call();
        let later = |at: jiff::Timestamp| at + jiff::SignedDuration::from_secs(ahead);
        (snapshot.from, snapshot.until) = (later(snapshot.from), later(snapshot.until));
        for shift in &mut snapshot.shifts {
            (shift.start, shift.end) = (shift.start.map(later), shift.end.map(later));
        }
        let mut stage = Stage::pager((120, 36), Pager::new(Vec::new(), snapshot));
        stage.zone(zone);
        stage.jump(ahead);
        stage.press(&["6"]);
        insta::assert_snapshot!(format!("oncall_{}", zone.replace('/', "_")), stage.body_text());
    }
}

#[test]
fn states_without_data_are_told_apart() {
    let mut quiet = Stage::pager((80, 24), Pager::new(Vec::new(), OnCallSnapshot::default()));
    quiet.press(&["5"]);
    assert!(quiet.text().contains("No open incidents."), "{}", quiet.text());
    quiet.press(&["6"]);
    assert!(quiet.text().contains("has no escalation policies"), "{}", quiet.text());
    let mut none = Stage::promises((80, 24), Vec::new());
    for key in ["5", "6"] {
        none.press(&[key]);
        assert!(none.text().contains("kind = \"pagerduty\""), "{}", none.text());
    }
    assert!(!none.text().contains("on call:"), "nobody told who is on call");
    let mut asking = Stage::unanswered((80, 24));
    asking.press(&["5"]);
    assert!(asking.text().contains("Loading incidents"), "{}", asking.text());
    let mut dead = stage((120, 36));
    dead.kill("pager", 130);
    for (key, name) in [("5", "incidents"), ("6", "oncall")] {
        dead.press(&[key]);
        let picture = dead.picture();
        assert!(picture.contains("connection refused") && picture.contains("Stale"), "{picture}");
        insta::assert_snapshot!(format!("{name}_stale"), dead.body());
    }
}

#[test]
fn resolved_ones_are_folded_away_and_come_back() {
    let mut stage = stage((120, 36));
    stage.press(&["5"]);
    assert!(stage.text().contains("hidden: 2 resolved"), "{}", stage.text());
    let folded = stage.state().screens.incidents.rows.list.rows().len();
    stage.press(&["f"]);
    assert_eq!(stage.state().screens.incidents.rows.list.rows().len(), folded + 2);
    stage.press(&["f"]);
    assert_eq!(stage.state().screens.incidents.rows.list.rows().len(), folded);
}

#[test]
fn the_way_leads_to_the_alert_and_the_service_and_back_to_the_incident() {
    let mut stage = stage((120, 36));
    stage.press(&["5", "enter"]);
    let incident = stage.state().place().clone();
    assert!(matches!(&incident, Place::Incident(key) if &*key.id == "P1"), "{}", stage.text());
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Service(name) if &**name == "checkout"));
    stage.press(&["shift-tab"]);
    assert_eq!(stage.state().panel(), service::INCIDENTS, "{}", stage.text());
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &incident);
    stage.press(&["tab"]);
    assert_eq!(stage.state().panel(), open::ALERTS);
    stage.press(&["enter"]);
    assert!(matches!(stage.state().place(), Place::Alert(_)), "{}", stage.text());
    stage.press(&["shift-tab"]);
    assert_eq!(stage.state().panel(), alert::INCIDENT, "{}", stage.text());
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &incident);
    stage.press(&["esc", "esc", "esc", "esc", "esc"]);
    assert_eq!(stage.state().place(), &Place::Incidents);
    stage.press(&["1", "shift-tab"]);
    assert_eq!(stage.state().panel(), overview::INCIDENTS, "{}", stage.text());
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &incident);
}

#[test]
fn incidents_are_grouped_filtered_marked_and_ordered() {
    let mut stage = stage((120, 36));
    stage.press(&["5", "b", "2"]);
    let heads = |stage: &Stage| {
        stage
            .state()
            .screens
            .incidents
            .rows
            .list
            .rows()
            .iter()
            .filter(|row| matches!(row, Row::Group(_)))
            .count()
    };
    assert_eq!(heads(&stage), 3, "checkout, without a service, cart: {}", stage.text());
    stage.press(&["left"]);
    let rows = &stage.state().screens.incidents.rows;
    assert!(matches!(rows.list.current(), Some(Row::Group(group)) if rows.is_folded(group)));
    stage.press(&["enter", "b", "1"]);
    assert_eq!(heads(&stage), 0);
    for (filter, count) in
        [("status=acknowledged", 2), ("urgency=\"low\"", 2), ("who=~\"Kofi.*\"", 2), ("team=Store cart", 1)]
    {
        stage.press(&["/", "ctrl-u"]);
        stage.send(Event::Pasted(filter.to_owned()));
        stage.press(&["enter"]);
        assert_eq!(
            stage.state().screens.incidents.rows.list.rows().len(),
            count,
            "{filter}: {}",
            stage.text()
        );
    }
    stage.press(&["esc", "*"]);
    assert_eq!(stage.state().screens.incidents.rows.list.marks().len(), 5);
    stage.press(&["S", "3"]);
    let Some(Row::Item(first)) = stage.state().screens.incidents.rows.list.rows().first() else {
        panic!("a list")
    };
    assert_eq!(&*first.id, "P4", "the oldest");
}

#[test]
fn an_open_incident_is_asked_for_and_given_up_when_it_is_left() {
    let known = incidents().into_iter().map(|known| Incident { firing: vec![Labels::default()], ..known });
    let mut stage = Stage::pager((120, 36), Pager::new(known.collect(), on_call()));
    stage.press(&["5"]);
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("enter".parse().unwrap()));
    let of_it = |effect: &&Effect| matches!(effect, Effect::Fetch(q) if q.ask == Query::Incident { id: "P1".into() }.now());
    assert_eq!(asked.iter().filter(of_it).count(), 1, "{asked:?}");
    assert!(stage.text().contains("loading"), "{}", stage.text());
    let left = stage.effects_of(Event::Key("esc".parse().unwrap()));
    let is_given_up =
        |effect: &Effect| matches!(effect, Effect::CancelFetch(q) if q.ask.kind() == AskKind::Incident);
    assert!(left.iter().any(is_given_up), "{left:?}");
}

#[test]
fn open_ones_whose_alerts_the_list_does_not_tell_are_read_once_wherever_one_is() {
    let stage = &mut stage((120, 36));
    let has_unknown_alerts = |stage: &Stage| {
        let world = &stage.state().shared.world;
        world
            .incidents()
            .iter()
            .filter(|known| known.incident.is_open() && world.has_unknown_alerts(known))
            .count()
    };
    assert_eq!(has_unknown_alerts(stage), 0);
    let read = |stage: &Stage, id: &str| {
        let cache = stage.state().shared.world.cache(&SourceId::new("pager")).expect("it is asked");
        cache.incident_details().get(id).and_then(|remote| remote.at)
    };
    let first = read(stage, "P1");
    stage.jump(20);
    assert_eq!((read(stage, "P1"), first.is_some()), (first, true));
    // the incident on the screen is still refreshed as often
    stage.press(&["5", "enter"]);
    let opened = read(stage, "P1");
    stage.jump(11);
    assert!(opened > first && read(stage, "P1") > opened);
    assert!(read(stage, "P2").is_some() && read(stage, "P2") < opened);
}

#[test]
fn line_one_says_who_is_on_call_and_gives_way_when_it_is_narrow() {
    let mut stage = stage((120, 36));
    let first = |stage: &Stage| stage.text().lines().next().unwrap_or_default().to_owned();
    assert!(first(&stage).contains("on call: Ana Lima (you) -> Kofi Mensah in 4h"), "{}", first(&stage));
    stage.resize((80, 24));
    assert!(first(&stage).contains("on call: Ana Lima (you)  "), "{}", first(&stage));
    stage.resize((50, 24));
    assert!(!first(&stage).contains("on call"), "{}", first(&stage));
    stage.resize((120, 36));
    stage.jump(41 * 3600);
    assert!(first(&stage).contains("L1 nobody, L2 Jörg Müller"), "{}", first(&stage));
}

#[test]
fn nobody_on_call_is_loud() {
    let mut stage = stage((120, 36));
    stage.press(&["6"]);
    let picture = stage.text();
    for said in ["✖ nobody on call", "1 with nobody on call", "6 On-call ✖1"] {
        assert!(picture.contains(said), "{said:?} in\n{picture}");
    }
}

#[test]
fn links_and_what_is_copied_name_the_incident() {
    let mut stage = stage((120, 36));
    stage.press(&["5"]);
    let effects = stage.effects_of(Event::Key("y".parse().unwrap()));
    let copied = "#1 [FIRING:1] CheckoutBurns (checkout page) https://pager.example/incidents/P1";
    assert!(effects.contains(&Effect::Copy(copied.to_owned())), "{effects:?}");
    stage.press(&["enter", "o"]);
    for link in ["incidents/P1", "meet.example", "grafana.example", "incidents/P0"] {
        assert!(stage.text().contains(link), "{link}: {}", stage.text());
    }
}

#[test]
fn an_incident_that_is_not_there_is_said_to_be_gone() {
    let mut stage = Stage::pager((80, 24), Pager::new(vec![incident(1, "x", 2)], on_call()));
    stage.press(&["5", "enter"]);
    assert!(stage.text().contains("triggered 2m"), "{}", stage.text());
    stage.retell(Vec::new());
    stage.jump(60);
    assert!(stage.text().contains("This incident is no longer listed"), "{}", stage.text());
    stage.press(&["tab", "down", "enter", "o", "y", "esc"]);
    assert_eq!(stage.state().place(), &Place::Incidents);
}
