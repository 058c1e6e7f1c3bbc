//! The formats in which values of variables are written (`formatRegistry` of Grafana), and those of data sources' query languages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::VariableState;
use super::date::date;

/// How the values of a variable are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableFormat {
    /// `a`, or `{a,b}`: the default.
    Glob,
    Raw,
    /// `(a\.b|c)`
    Regex,
    Pipe,
    Csv,
    Json,
    Html,
    /// `a,name=b`
    Distributed,
    SingleQuote,
    DoubleQuote,
    SqlString,
    PercentEncode,
    /// `var-name=a&var-name=b`
    QueryParam,
    /// The texts instead of the values.
    Text,
    /// Milliseconds since 1970 as a date.
    Date,
    /// `("a" OR "b")`
    Lucene,
    /// The default of Prometheus: regular expressions inside a string of PromQL if several can be chosen.
    Prometheus,
    Loki,
    /// The default of SQL databases: quoted if several can be chosen.
    Sql,
}

impl VariableFormat {
    /// The format with this name, and its arguments: `date:YYYY-MM`. `None` for a name that is not known.
    pub fn from_name(written: &str) -> (Option<Self>, &str) {
        let (name, arguments) = written.split_once(':').unwrap_or((written, ""));
        let format = match name {
            "glob" => Self::Glob,
            "raw" => Self::Raw,
            "regex" => Self::Regex,
            "pipe" => Self::Pipe,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "html" => Self::Html,
            "distributed" => Self::Distributed,
            "singlequote" => Self::SingleQuote,
            "doublequote" => Self::DoubleQuote,
            "sqlstring" => Self::SqlString,
            "percentencode" => Self::PercentEncode,
            "queryparam" => Self::QueryParam,
            "text" => Self::Text,
            "date" => Self::Date,
            "lucene" => Self::Lucene,
            _ => return (None, arguments),
        };
        (Some(format), arguments)
    }

    /// The default for queries of this plug-in.
    pub fn of_plugin(plugin: &str) -> Self {
        match plugin {
            "prometheus" | "grafana-amazonprometheus-datasource" | "grafana-azureprometheus-datasource" => {
                Self::Prometheus
            }
            "loki" => Self::Loki,
            "elasticsearch" | "grafana-opensearch-datasource" => Self::Lucene,
            "influxdb" => Self::Regex,
            "mysql" | "postgres" | "grafana-postgresql-datasource" | "mssql" => Self::Sql,
            _ => Self::Glob,
        }
    }
}

/// The values of a variable in a format.
pub(super) fn formatted(state: &VariableState, format: VariableFormat, arguments: &str) -> String {
    let values: Vec<&str> = state.chosen.iter().map(|(_, value)| &**value).collect();
    let single = match values.as_slice() {
        [one] if !state.is_multi => Some(*one),
        _ => None,
    };
    let joined = |separator: &str| values.join(separator);
    let each = |with: &dyn Fn(&str) -> String, separator: &str| {
        values.iter().map(|value| with(value)).collect::<Vec<_>>().join(separator)
    };
    match format {
        VariableFormat::Glob => match values.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            _ => format!("{{{}}}", joined(",")),
        },
        VariableFormat::Raw | VariableFormat::Csv => joined(","),
        VariableFormat::Pipe => joined("|"),
        VariableFormat::Regex => alternatives(&values, |value| escaped(value, REGEX, "\\"), true),
        VariableFormat::Json => {
            let json = single.map_or_else(|| serde_json::to_string(&values), serde_json::to_string);
            json.unwrap_or_default()
        }
        VariableFormat::Html => html(&joined(", ")),
        VariableFormat::Distributed => {
            let named = |(index, value): (usize, &&str)| {
                if index == 0 { (*value).to_owned() } else { format!("{}={value}", state.name) }
            };
            values.iter().enumerate().map(named).collect::<Vec<_>>().join(",")
        }
        VariableFormat::SingleQuote => each(&|value| format!("'{}'", value.replace('\'', "\\'")), ","),
        VariableFormat::DoubleQuote => each(&|value| format!("\"{}\"", value.replace('"', "\\\"")), ","),
        VariableFormat::SqlString => each(&|value| format!("'{}'", value.replace('\'', "''")), ","),
        VariableFormat::PercentEncode => match values.as_slice() {
            [one] => percent_encoded(one),
            _ => percent_encoded(&format!("{{{}}}", joined(","))),
        },
        VariableFormat::QueryParam => {
            if state.is_all {
                return format!("var-{}=All", state.name);
            }
            each(&|value| format!("var-{}={}", state.name, percent_encoded(value)), "&")
        }
        VariableFormat::Text => state.shown(),
        VariableFormat::Date => each(&|value| date(value, arguments), ","),
        VariableFormat::Lucene => match single {
            Some(one) => lucene(one),
            None if values.is_empty() => "__empty__".to_owned(),
            None => format!("({})", each(&|value| format!("\"{}\"", lucene(value)), " OR ")),
        },
        VariableFormat::Prometheus => match single {
            Some(one) => escaped(&one.replace('\\', "\\\\"), "'", "\\"),
            None => alternatives(&values, in_promql, true),
        },
        VariableFormat::Loki => match single {
            Some(one) => one.replace('\'', "\\'"),
            None => alternatives(&values, in_promql, false),
        },
        VariableFormat::Sql => match single {
            Some(one) => one.replace('\'', "''"),
            None => each(&|value| format!("'{}'", value.replace('\'', "''")), ","),
        },
    }
}

/// Characters that mean something in a regular expression.
const REGEX: &str = "\\^$*+?.()|{}[]/";

fn escaped(value: &str, special: &str, with: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if special.contains(c) {
            out.push_str(with);
        }
        out.push(c);
    }
    out
}

/// Escaped for a regular expression in a string in double quotes: a dot is `\\.`.
fn in_promql(value: &str) -> String {
    escaped(&value.replace('\\', "\\\\\\\\"), "$^*{}[]'+?.()|", "\\\\").replace('"', "\\\"")
}

/// `a`, or `(a|b)`. Nothing chosen matches nothing but the empty value.
fn alternatives(values: &[&str], escape: impl Fn(&str) -> String, is_grouped: bool) -> String {
    if let [one] = values {
        return escape(one);
    }
    let all = values.iter().map(|value| escape(value)).collect::<Vec<_>>().join("|");
    if is_grouped { format!("({all})") } else { all }
}

fn lucene(value: &str) -> String {
    if value.trim().parse::<f64>().is_ok() {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_whitespace() || "!*+-=<>&|()[]{}^~?:\\/\"".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn html(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '/' => out.push_str("&#47;"),
            other => out.push(other),
        }
    }
    out
}

/// Encoded but for letters, digits, `-`, `_`, `.` and `~` (RFC 3986).
pub(super) fn percent_encoded(value: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(value, KEPT).to_string()
}
