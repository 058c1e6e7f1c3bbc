//! The description of the kind `dashboards` and its options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::config::kind::{KindSpec, Options, OwnSettings};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "dashboards",
    title: "folder of dashboards",
    summary: "Grafana dashboards in JSON files: exported ones, those of a repository, mixins",
    about: "Dashboards as Grafana exports them, of all versions: the classic schema, the second schema (`elements` and `layout`), and the
answers of its API. A path is a file or a folder, which is read with the folders in it; `--dashboard PATH` adds one without a configuration
file. The panels are asked from the other sources of the context: their data sources are found by uid or name, else by kind. Files that are
not dashboards are named in a warning.",
    example: r#"
[sources.dashboards]
kind = "dashboards"
# JSON files, and folders with JSON files
paths = ["/etc/grafana/dashboards", "/srv/mixins/node.json"]
"#,
    ..KindSpec::local(ANSWERS, Options::of::<Settings>())
};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// JSON files, and folders of them, relative to the configuration file.
    #[serde(default)]
    pub(super) paths: Vec<String>,
}

impl OwnSettings for Settings {
    const FILES: &'static [&'static str] = &["paths"];

    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_bad = self.paths.is_empty() || self.paths.iter().any(|path| path.trim().is_empty());
        is_bad.then(|| ("paths", "must name a file or a folder".to_owned())).into_iter().collect()
    }
}
