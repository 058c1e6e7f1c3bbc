use std::fs;

use serde_json::json;
use tempfile::tempdir;
use toml::Value as Toml;

use super::*;
use crate::backend::{Clock, Source, connect, kind};
use crate::config::settings::Settings as Configuration;
use crate::model::ask::{Ask, Moment, Query};

/// A source of these paths.
fn source(paths: &[&std::path::Path]) -> Arc<dyn Source> {
    let mut settings = SourceSettings::new(kind("dashboards"), "");
    let paths = paths.iter().map(|path| Toml::String(path.display().to_string())).collect();
    settings.own.insert("paths".to_owned(), Toml::Array(paths));
    let configuration = Configuration::default();
    let deps = SourceDeps::new(&configuration, Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap()));
    connect(&SourceId::new("dashboards"), &settings, deps)
}

async fn ask(source: &Arc<dyn Source>, query: Query) -> Answered {
    let ask = Ask { query, at: Moment::Now };
    source.answer(&ask, None).await
}

async fn titles(source: &Arc<dyn Source>) -> (Vec<(Option<String>, String, String)>, usize) {
    let reply = ask(source, Query::Dashboards).await.unwrap();
    let Answer::Dashboards(list) = reply.answer else { panic!() };
    let entry = |entry: &Arc<crate::model::dashboard::DashboardEntry>| {
        (entry.folder.as_deref().map(str::to_owned), entry.title.to_string(), entry.uid.to_string())
    };
    (list.entries.iter().map(entry).collect(), reply.warnings.len())
}

#[tokio::test]
async fn files_of_folders_are_listed_and_read_again_when_they_change() {
    let folder = tempdir().unwrap();
    let team = folder.path().join("team");
    fs::create_dir(&team).unwrap();
    let dashboard = |title: &str| json!({ "title": title, "panels": [{ "type": "stat" }] }).to_string();
    fs::write(folder.path().join("b.json"), dashboard("B")).unwrap();
    fs::write(team.join("a.json"), json!({ "uid": "u", "title": "A", "panels": [] }).to_string()).unwrap();
    fs::write(team.join("values.json"), "{\"not\": \"a dashboard\"}").unwrap();
    fs::write(team.join("broken.json"), "{").unwrap();
    fs::write(team.join("readme.md"), "# x").unwrap();
    let source = source(&[folder.path()]);
    let (entries, warnings) = titles(&source).await;
    let entry = |folder: Option<&str>, title: &str, uid: &str| {
        (folder.map(str::to_owned), title.to_owned(), uid.to_owned())
    };
    assert_eq!(entries, [entry(None, "B", "b"), entry(Some("team"), "A", "u")]);
    assert_eq!(warnings, 1, "the broken file is named, other JSON is not");
    fs::write(folder.path().join("b.json"), dashboard("Beta")).unwrap();
    fs::remove_file(team.join("a.json")).unwrap();
    assert_eq!(titles(&source).await.0, [entry(None, "Beta", "b")]);
    let reply = ask(&source, Query::Dashboard { uid: "b".into() }).await.unwrap();
    let Answer::Dashboard(dashboard) = reply.answer else { panic!() };
    assert_eq!((&*dashboard.entry.title, dashboard.panels()), ("Beta", 1));
    let missing = ask(&source, Query::Dashboard { uid: "gone".into() }).await.unwrap_err();
    assert!(missing.to_string().contains("no file has the dashboard gone"), "{missing}");
}

#[tokio::test]
async fn a_path_that_cannot_be_read_is_the_error_and_beside_others_a_warning() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.json");
    let other = folder.path().join("other.json");
    fs::write(&other, "[]").unwrap();
    let error = titles_error(&source(&[&missing])).await;
    assert!(error.contains("missing.json"), "{error}");
    let error = titles_error(&source(&[&other])).await;
    assert!(error.contains("not a dashboard"), "{error}");
    let good = folder.path().join("good.json");
    fs::write(&good, json!({ "title": "G", "rows": [] }).to_string()).unwrap();
    let (entries, warnings) = titles(&source(&[&good, &missing])).await;
    assert_eq!((entries.len(), warnings), (1, 1));
    let probe = ask(&source(&[&good, &missing]), Query::Probe).await.unwrap();
    assert!(matches!(probe.answer, Answer::Probe(_)));
}

async fn titles_error(source: &Arc<dyn Source>) -> String {
    ask(source, Query::Dashboards).await.unwrap_err().to_string()
}
