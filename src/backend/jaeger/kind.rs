//! The description of the kind `jaeger` for the configuration.

use super::ANSWERS;
use crate::backend::traces::TraceSettings;
use crate::config::kind::{Flag, KindSpec, Options};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "jaeger",
    title: "Jaeger",
    summary: "traces",
    about: "Single traces by their id, and the slowest and the failed traces of a service. The address is the one of Jaeger's
user interface (`jaeger-query`). burnwatch uses the API v3, and the older API where the server has no other. Where a service has
another name in traces than in metrics, set `services`. `link` is the page of a trace; the default is the one in Jaeger's user
interface.",
    example: r#"
[sources.jaeger]
kind = "jaeger"
url = "http://jaeger.example.net:16686"
# The page of a trace in the source's user interface, with {trace_id} in place of the id.
link = "https://jaeger.example.net/trace/{trace_id}"
# The most traces that one search reads.
max_traces = 100
"#,
    flag: Some(Flag { source: "jaeger", example: "http://localhost:16686" }),
    ..KindSpec::reading(ANSWERS, Options::of::<TraceSettings>())
};
