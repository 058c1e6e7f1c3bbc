//! Dashboards: the list, the grid at every size, which panels are asked, variables, a panel on the whole screen.

#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::sync::{Arc, Mutex};

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::app::theme::Role;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::dashboard::field::FieldOptions;
use burnwatch::testing::model::dashboard::panel::{
    GridPlace, LegendOptions, Panel, PanelKind, PanelQueryDefinition, PanelRepeat,
};
use burnwatch::testing::model::dashboard::variable::{
    Variable, VariableKind, VariableSort, VariableValues, VariableVisibility,
};
use burnwatch::testing::model::dashboard::{
    Dashboard, DashboardEntry, DashboardList, DashboardSection, DataSourceRef, PanelQuery,
};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::frame::{DataFrame, FieldValues, FrameField, PanelFrames, QueryFailure};
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::source_info::SourceInfo;

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too, pictures};

/// A source with one dashboard that answers its panels, too.
struct BoardSource {
    info: SourceInfo,
    dashboard: Arc<Dashboard>,
    /// The queries of panels so far, as JSON.
    asked: Arc<Mutex<Vec<String>>>,
}

fn panel(id: u32, title: &str, place: GridPlace, json: &str) -> Panel {
    let legend =
        LegendOptions { is_shown: true, is_table: false, is_right: false, values: Vec::new(), sort: None };
    let query = PanelQueryDefinition {
        ref_id: "A".into(),
        data_source: DataSourceRef { kind: Some("prometheus".into()), uid: None },
        is_hidden: false,
        json: json.into(),
        expression: Some(json.into()),
    };
    Panel {
        id,
        title: title.into(),
        description: None,
        place,
        kind: PanelKind::TimeSeries { legend },
        data_source: DataSourceRef::default(),
        queries: vec![query],
        max_points: None,
        min_interval: None,
        relative_from: None,
        time_shift: None,
        transformations: Vec::new(),
        options: FieldOptions::default(),
        overrides: Vec::new(),
        repeat: None,
        links: Vec::new(),
        library: None,
        notes: Vec::new(),
    }
}

fn query(name: &str, query: &str, is_multi: bool) -> Variable {
    Variable {
        name: name.into(),
        label: None,
        kind: VariableKind::Query {
            data_source: DataSourceRef::default(),
            query: query.into(),
            regex: None,
            sort: VariableSort::None,
            follows_time: false,
        },
        current: Vec::new(),
        is_multi,
        includes_all: is_multi,
        all_value: None,
        visibility: VariableVisibility::Shown,
    }
}

/// Two columns of panels, with a row title before every tenth.
fn many(count: u32) -> Vec<DashboardSection> {
    let panels: Vec<Arc<Panel>> = (0..count)
        .map(|i| {
            let (x, y) = (u16::try_from(i % 2).unwrap() * 12, u16::try_from(i / 2).unwrap() * 8);
            let place = GridPlace { x, y, width: 12, height: 8 };
            Arc::new(panel(i + 1, &format!("panel {i}"), place, &format!(r#"{{"expr":"q{i}"}}"#)))
        })
        .collect();
    vec![DashboardSection { panels, ..DashboardSection::default() }]
}

impl BoardSource {
    fn new(sections: Vec<DashboardSection>, variables: Vec<Variable>) -> Self {
        let kinds =
            vec![AskKind::Dashboards, AskKind::Dashboard, AskKind::PanelData, AskKind::VariableValues];
        let entry = DashboardEntry {
            uid: "u1".into(),
            title: "Nodes".into(),
            folder: Some("Infra".into()),
            tags: vec!["linux".into()],
            url: Some("https://g.example/d/u1".into()),
            is_starred: false,
        };
        let dashboard = Dashboard {
            entry,
            description: None,
            schema_version: Some(39),
            from: "now-3h".into(),
            to: "now".into(),
            variables,
            sections,
            notes: Vec::new(),
        };
        let info = fixtures::source("grafana", "prometheus", kinds);
        Self { info, dashboard: Arc::new(dashboard), asked: Arc::default() }
    }

    /// Its stage, with the dashboard open.
    fn open(self, size: (u16, u16)) -> (Stage, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::clone(&self.asked);
        let mut stage = Stage::source(size, Arc::new(self));
        stage.press(&["P", "enter"]);
        assert!(matches!(stage.state().place(), Place::Dashboard(_)), "{:?}", stage.state().place());
        (stage, asked)
    }
}

/// A series that ends at the start of the test, or what the query asks for.
fn frames(wanted: &PanelQuery) -> PanelFrames {
    let json = wanted.queries.first().map_or("", |query| &query.json).to_owned();
    if json.contains("fails") {
        let message = "parse error: unexpected end of input".into();
        let failures = vec![QueryFailure { ref_id: "A".into(), message }];
        return PanelFrames { failures, ..PanelFrames::default() };
    }
    if json.contains("empty") {
        return PanelFrames::default();
    }
    let end = Stage::start().as_second() / 60 * 60;
    let minutes = 0..180;
    let times = minutes.clone().map(|i| Some((end - 60 * (179 - i)) * 1000)).collect();
    let value = |i: i64| if json.contains("zero") { 0.0 } else { i as f64 };
    let values = minutes.map(|i| Some(value(i))).collect();
    let fields = vec![
        FrameField::named("Time", FieldValues::Times(times)),
        FrameField {
            display_name: Some("the value".into()),
            ..FrameField::named("Value", FieldValues::Numbers(values))
        },
    ];
    let frame = DataFrame { ref_id: "A".into(), name: None, fields, notices: Vec::new() };
    PanelFrames { frames: vec![frame], ..PanelFrames::default() }
}

impl Source for BoardSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let answer = match &ask.query {
            Query::Dashboards => {
                let entries = vec![Arc::new(self.dashboard.entry.clone())];
                Answer::Dashboards(DashboardList { entries, notes: Vec::new() })
            }
            Query::Dashboard { .. } => Answer::Dashboard(Arc::clone(&self.dashboard)),
            Query::PanelData { wanted, .. } => {
                let all = wanted.queries.iter().map(|query| query.json.to_string());
                self.asked.lock().unwrap().extend(all);
                Answer::PanelData(Arc::new(frames(wanted)))
            }
            Query::VariableValues { wanted, .. } => {
                let names: &[&str] = match &*wanted.query {
                    "namespaces" => &["shop", "ads"],
                    "pods(shop)" => &["cart-1", "cart-2"],
                    "pods(ads)" => &["bid-1"],
                    _ => &[],
                };
                let values: Vec<(Text, Text)> =
                    names.iter().map(|name| ((*name).into(), (*name).into())).collect();
                Answer::VariableValues(VariableValues { total: values.len(), values })
            }
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

fn one(json: &str) -> Vec<DashboardSection> {
    let place = GridPlace { x: 0, y: 0, width: 24, height: 8 };
    let panels = vec![Arc::new(panel(1, "load", place, json))];
    vec![DashboardSection { panels, ..DashboardSection::default() }]
}

#[test]
fn the_dashboards_of_the_demo_are_listed() {
    pictures("dashboards", &["P"]);
}

#[test]
fn a_dashboard_of_the_demo_at_four_sizes() {
    pictures("dashboard", &["P", "enter"]);
}

#[test]
fn panels_of_the_demo_have_values_and_colours() {
    let mut stage = Stage::demo((200, 50), 1.5);
    stage.press(&["P", "enter"]);
    let text = stage.body_text();
    for words in
        ["Golden signals", "Requests by status code", "Region eu-west-1", "Service checkout", "Latency"]
    {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(!text.contains("No data") && !text.contains("loading"), "{text}");
    assert!(stage.shows(Role::Series1) && stage.shows(Role::Healthy), "{text}");
}

#[test]
fn in_ascii_and_without_colour_nothing_is_lost() {
    in_ascii_too(|| BoardSource::new(many(4), Vec::new()).open((120, 36)).0, &[]);
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.look(Charset::Ascii, Colours::None);
    stage.press(&["P", "enter"]);
    let drawn = stage.body_text();
    let odd: String = drawn.chars().filter(|c| !c.is_ascii() && !c.is_alphanumeric()).collect();
    assert!(odd.is_empty(), "{odd:?}\n{drawn}");
}

#[test]
fn only_panels_that_are_visible_or_one_screen_away_are_asked() {
    let (mut stage, asked) = BoardSource::new(many(300), Vec::new()).open((200, 50));
    let first = asked.lock().unwrap().len();
    // 46 lines of which two are heading: three rows of 14 lines, and as many again
    assert!((8..=16).contains(&first), "{first}");
    stage.press(&["G"]);
    assert!(stage.body_text().contains("panel 299"), "{}", stage.body_text());
    let all = asked.lock().unwrap().clone();
    assert!(all.len() <= 40 && all.iter().any(|json| json.contains("q299")), "{}", all.len());
    assert!(!all.iter().any(|json| json.contains("q150\"")), "what is between was never in sight");
}

#[test]
fn failed_empty_zero_and_unanswered_panels_are_told_apart() {
    for (json, words) in [
        (r#"{"expr":"fails"}"#, "A: parse error: unexpected end of input"),
        (r#"{"expr":"empty"}"#, "No data"),
        (r#"{"expr":"zero"}"#, "the value 0"),
    ] {
        for size in SIZES {
            let (stage, _) = BoardSource::new(one(json), Vec::new()).open(size);
            let text = stage.body_text();
            let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
            // in a small panel the line at 0 has no name
            let is_shown = match (words, size.0 > 60) {
                ("the value 0", false) => !squeezed.contains("No data") && !squeezed.contains("error"),
                (_, false) => squeezed.contains(words.split(' ').next().unwrap()),
                (_, true) => squeezed.contains(words),
            };
            assert!(is_shown, "{size:?} {words}:\n{text}");
        }
    }
    let mut stage = Stage::source((120, 36), Arc::new(BoardSource::new(one("{}"), Vec::new())));
    stage.press(&["P"]);
    stage.answer(false);
    stage.press(&["enter"]);
    assert!(stage.body_text().contains("loading..."), "{}", stage.body_text());
}

#[test]
fn values_of_variables_are_chained_and_panels_are_asked_again() {
    let variables = vec![query("pod", "pods($namespace)", true), query("namespace", "namespaces", false)];
    let (mut stage, asked) =
        BoardSource::new(one(r#"{"expr":"load{pod=~\"$pod\"}"}"#), variables).open((120, 36));
    let text = stage.body_text();
    assert!(text.contains("namespace shop") && text.contains("pod All"), "{text}");
    let last = || asked.lock().unwrap().last().cloned().unwrap();
    assert!(last().contains("cart-1") && last().contains("cart-2"), "{}", last());
    // the second variable, its second value
    stage.press(&["$", "2", "a", "d", "s", "enter"]);
    let text = stage.body_text();
    assert!(text.contains("namespace ads") && last().contains("bid-1"), "{}\n{text}", last());
    assert!(!last().contains("cart"), "{}", last());
}

#[test]
fn several_values_are_chosen_one_after_the_other() {
    let variables = vec![query("namespace", "namespaces", true)];
    let (mut stage, _) = BoardSource::new(one("{}"), variables).open((120, 36));
    stage.press(&["$", "1", "s", "h", "o", "p", "enter"]);
    assert!(stage.body_text().contains("chosen"), "the list stays open:\n{}", stage.body_text());
    stage.press(&["backspace", "backspace", "backspace", "backspace", "a", "d", "s", "enter", "esc"]);
    assert!(stage.body_text().contains("namespace shop + ads"), "{}", stage.body_text());
}

#[test]
fn a_panel_takes_the_whole_screen_and_gives_it_back() {
    let (mut stage, asked) = BoardSource::new(many(6), Vec::new()).open((120, 36));
    let before = asked.lock().unwrap().len();
    stage.press(&["right", "enter"]);
    let text = stage.body_text();
    assert!(text.contains("Nodes › panel 1") && !text.contains("panel 0"), "{text}");
    stage.press(&["right"]);
    assert!(stage.body_text().contains("Nodes › panel 2"), "{}", stage.body_text());
    let meanwhile = asked.lock().unwrap()[before..].to_vec();
    assert!(meanwhile.iter().all(|json| json.contains("q1\"") || json.contains("q2\"")), "{meanwhile:#?}");
    stage.press(&["esc"]);
    let text = stage.body_text();
    assert!(text.contains("panel 0") && text.contains("panel 2"), "{text}");
    stage.press(&["E"]);
    assert!(matches!(stage.state().place(), Place::Explore), "{:?}", stage.state().place());
    stage.press(&["esc"]);
    assert!(stage.body_text().contains("panel 2"), "{}", stage.body_text());
}

#[test]
fn rows_fold_and_panels_are_repeated_for_the_values_of_a_variable() {
    let place = GridPlace { x: 0, y: 0, width: 24, height: 8 };
    let repeat = PanelRepeat { variable: "namespace".into(), is_vertical: false, per_row: 4 };
    let repeated =
        Panel { repeat: Some(repeat), ..panel(1, "of $namespace", place, r#"{"expr":"load $namespace"}"#) };
    let sections = vec![
        DashboardSection {
            title: Some("First".into()),
            panels: vec![Arc::new(repeated)],
            ..DashboardSection::default()
        },
        DashboardSection {
            title: Some("In $namespace".into()),
            is_collapsed: true,
            repeat: Some("namespace".into()),
            panels: vec![Arc::new(panel(2, "inside", place, "{}"))],
        },
    ];
    let (mut stage, asked) =
        BoardSource::new(sections, vec![query("namespace", "namespaces", true)]).open((120, 36));
    let text = stage.body_text();
    assert!(text.contains("of shop") && text.contains("of ads"), "{text}");
    assert!(
        text.contains("In shop  1 panel") && text.contains("In ads  1 panel") && !text.contains("inside"),
        "{text}"
    );
    assert_eq!(asked.lock().unwrap().len(), 2);
    stage.press(&["G", "enter"]);
    assert!(stage.body_text().contains("inside"), "{}", stage.body_text());
    stage.press(&["g", "enter"]);
    assert!(!stage.body_text().contains("of shop"), "{}", stage.body_text());
}

#[test]
fn the_dashboards_own_range_is_taken_once() {
    let (mut stage, _) = BoardSource::new(one("{}"), Vec::new()).open((120, 36));
    assert!(stage.body_text().contains("last 3h"), "{}", stage.body_text());
    stage.press(&["t", "1"]);
    assert!(stage.body_text().contains("last 15m"), "{}", stage.body_text());
    stage.wait(3);
    assert!(stage.body_text().contains("last 15m"), "{}", stage.body_text());
    stage.press(&["["]);
    assert!(stage.body_text().contains("15m until"), "{}", stage.body_text());
}

#[test]
fn an_alert_leads_to_its_dashboard_with_its_labels_as_variables() {
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.press(&["4", "enter", "P"]);
    let Place::Dashboard(target) = stage.state().place().clone() else {
        panic!("{:?}", stage.state().place())
    };
    assert_eq!(&*target.key.uid, "golden");
    let service = target.variables.iter().find(|(name, _)| **name == *"service").unwrap();
    let text = stage.body_text();
    assert!(text.contains(&format!("Service {}", service.1[0])), "{service:?}\n{text}");
    stage.press(&["esc"]);
    assert!(matches!(stage.state().place(), Place::Alert(_)));
}

#[test]
fn no_size_makes_it_fail() {
    let (mut stage, _) =
        BoardSource::new(many(5), vec![query("namespace", "namespaces", true)]).open((80, 24));
    for width in [0, 1, 2, 3, 7, 12, 25, 39, 41, 77, 119, 121, 260] {
        for height in [0, 1, 2, 3, 4, 5, 6, 9, 13, 30, 70] {
            stage.resize((width, height));
            stage.draw();
        }
    }
    stage.press(&["enter"]);
    for (width, height) in [(0, 0), (1, 9), (20, 3), (40, 10), (300, 4)] {
        stage.resize((width, height));
        stage.draw();
    }
}

#[test]
fn old_data_are_marked_with_their_age() {
    let (mut stage, _) = BoardSource::new(one(r#"{"expr":"load"}"#), Vec::new()).open((120, 36));
    stage.kill("grafana", 1);
    stage.jump(1200);
    let text = stage.body_text();
    assert!(text.contains("20m") && stage.shows(Role::Stale), "{text}");
    assert!(text.contains("the value 179"), "the last values stay visible:\n{text}");
}
