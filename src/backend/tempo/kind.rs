//! The description of the kind `tempo` for the configuration.

use super::ANSWERS;
use crate::backend::traces::TraceSettings;
use crate::config::kind::{Flag, KindSpec, Options};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "tempo",
    title: "Tempo",
    summary: "traces, by TraceQL",
    about: "Grafana Tempo: single traces by their id, and the slowest and the failed traces of a service. The address is the one
before `/api/search`. `tenant` is sent as `X-Scope-OrgID`. A trace is found by the attribute `service.name` of its spans: where
that differs from the name of the service in the metrics, set `services`. `link` is the page of a trace in Grafana, which
burnwatch shows as a link.",
    example: r#"
[sources.tempo]
kind = "tempo"
url = "http://tempo.example.net:3200"
# The tenant, if Tempo has several.
tenant = "team-shop"
# The page of a trace in the source's user interface, with {trace_id} in place of the id.
link = "https://grafana.example.net/explore?left=%7B%22queries%22:%5B%7B%22query%22:%22{trace_id}%22%7D%5D%7D"
# Services that have another name in traces: their names in burnwatch, and those in traces.
services = { checkout = "checkout-svc" }
"#,
    flag: Some(Flag { source: "tempo", example: "http://localhost:3200" }),
    ..KindSpec::reading(ANSWERS, Options::of::<TraceSettings>())
};
