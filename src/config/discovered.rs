//! Sources that another source knows, added to a configuration file: the text stays as it is, with its comments, and the new
//! tables are appended.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::{Table, Value};

use crate::model::text::clean;

/// The options that a source behind another one shares with it.
const SHARED: [&str; 6] = ["auth", "ca_file", "client_cert", "client_key", "proxy", "proxy_auth"];
/// The header that selects an organisation of Grafana.
const ORGANISATION: &str = "X-Grafana-Org-Id";

/// A source to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredSource {
    /// The name that people know it by.
    pub title: String,
    /// The kind of burnwatch's source.
    pub kind: &'static str,
    /// The path below the address of the source that knows it, without a slash at its beginning.
    pub path: String,
    /// Further options: key and value.
    pub options: Vec<(&'static str, String)>,
}

/// A configuration file with sources added to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtendedConfig {
    /// The new text of the file.
    pub text: String,
    /// The names of the added sources.
    pub added: Vec<String>,
    /// The titles of those that the file has already.
    pub present: Vec<String>,
    /// What could not be repeated.
    pub notes: Vec<String>,
}

/// Adds sources that are reached through the source `from` of the file. Its authentication is repeated by its references, never
/// as a secret.
///
/// # Errors
/// Why the file cannot be extended.
pub fn extended(text: &str, from: &str, found: &[DiscoveredSource]) -> Result<ExtendedConfig, String> {
    let document: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let sources = document.get("sources").and_then(Value::as_table);
    let own = sources.and_then(|all| all.get(from)).and_then(Value::as_table);
    let own = own.ok_or_else(|| format!("the file has no [sources.{from}]"))?;
    let address = own.get("url").and_then(Value::as_str).unwrap_or_default().trim().trim_end_matches('/');
    if address.is_empty() {
        return Err(format!("[sources.{from}] has no url"));
    }
    let mut names: BTreeSet<String> = sources.into_iter().flat_map(Table::keys).cloned().collect();
    let is_present = |url: &str, found: &DiscoveredSource| {
        sources.into_iter().flat_map(Table::values).filter_map(Value::as_table).any(|other| {
            let option = |key: &str| other.get(key).and_then(Value::as_str).unwrap_or_default();
            let is_same = found.options.iter().all(|(key, value)| option(key) == value);
            option("url").trim_end_matches('/') == url && is_same
        })
    };
    let mut extended = ExtendedConfig { text: text.to_owned(), ..ExtendedConfig::default() };
    if !text.is_empty() && !text.ends_with('\n') {
        extended.text.push('\n');
    }
    for source in found {
        let url = [address, source.path.as_str()].join("/").trim_end_matches('/').to_owned();
        if is_present(&url, source) {
            extended.present.push(source.title.clone());
            continue;
        }
        let name = free_name(&source.title, source.kind, &names);
        names.insert(name.clone());
        let mut table = format!("\n# {}, through {from}\n[sources.{name}]\n", clean(&source.title));
        let mut put = |key: &str, value: &Value| {
            writeln!(table, "{key} = {value}").expect("writing to a String cannot fail");
        };
        put("kind", &Value::from(source.kind));
        put("url", &Value::from(url));
        for (key, value) in &source.options {
            put(key, &Value::from(value.as_str()));
        }
        for key in SHARED {
            if let Some(value) = own.get(key) {
                put(key, value);
            }
        }
        let headers = headers(own, from, &mut extended.notes);
        if !headers.is_empty() {
            put("headers", &Value::Table(headers));
        }
        extended.text.push_str(&table);
        extended.added.push(name);
    }
    extended.notes.dedup();
    // an inline table `sources = { ... }` cannot be extended by further tables
    extended.text.parse::<Table>().map_err(|error| {
        format!(
            "`sources` of the file is one value and not tables, so none can be added: {}",
            error.message()
        )
    })?;
    Ok(extended)
}

/// The headers that are references to secrets, and the organisation. Headers as plain text are not repeated: they may be secrets.
fn headers(own: &Table, from: &str, notes: &mut Vec<String>) -> Table {
    let mut headers = Table::new();
    for (name, value) in own.get("headers").and_then(Value::as_table).into_iter().flatten() {
        if value.is_table() {
            headers.insert(name.clone(), value.clone());
        } else {
            notes.push(format!(
                "the header {} of [sources.{from}] is plain text and was not repeated",
                clean(name)
            ));
        }
    }
    if let Some(organisation) = own.get("organisation").and_then(Value::as_integer) {
        headers.insert(ORGANISATION.to_owned(), organisation.to_string().into());
    }
    headers
}

/// A name for a source that no other has: small letters, digits and dashes.
fn free_name(title: &str, kind: &str, taken: &BTreeSet<String>) -> String {
    let mut name = String::new();
    for c in title.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(40);
    let name = name.trim_matches('-');
    let name = if name.is_empty() { kind } else { name };
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# my sources\n[sources.grafana] # the one\nkind = \"grafana\"\nurl = \"https://g.example.net/sub/\"\n\
                        auth.bearer = { env = \"TOKEN\" }\norganisation = 3\nheaders = { X-Plain = \"s3cret\", X-Ref = { file = \"x\" } }\n\n\
                        [sources.main]\nkind = \"prometheus\"\nurl = \"http://other\"";

    fn prometheus(title: &str, uid: &str) -> DiscoveredSource {
        DiscoveredSource {
            title: title.to_owned(),
            kind: "prometheus",
            path: format!("api/datasources/proxy/uid/{uid}"),
            options: Vec::new(),
        }
    }

    #[test]
    fn the_text_of_the_file_stays_and_secrets_stay_references() {
        let made =
            extended(FILE, "grafana", &[prometheus("Main", "a"), prometheus("Üb\u{1b}[31m/x", "b")]).unwrap();
        let rest = made.text.strip_prefix(FILE).unwrap();
        assert_eq!(made.added, ["main-2", "b-31m-x"]);
        assert!(!rest.contains("s3cret") && !rest.contains('\u{1b}'), "{rest}");
        assert_eq!(
            made.notes,
            ["the header X-Plain of [sources.grafana] is plain text and was not repeated"]
        );
        let document: Table = made.text.parse().unwrap();
        let table = document["sources"]["main-2"].as_table().unwrap();
        assert_eq!(table["url"].as_str(), Some("https://g.example.net/sub/api/datasources/proxy/uid/a"));
        assert_eq!(table["auth"]["bearer"]["env"].as_str(), Some("TOKEN"));
        assert_eq!(table["headers"]["X-Grafana-Org-Id"].as_str(), Some("3"));
        assert_eq!(table["headers"]["X-Ref"]["file"].as_str(), Some("x"));
    }

    #[test]
    fn what_the_file_has_already_is_not_added_again() {
        let once = extended(FILE, "grafana", &[prometheus("Main", "a")]).unwrap();
        let twice = extended(&once.text, "grafana", &[prometheus("Main", "a")]).unwrap();
        assert_eq!((twice.text, twice.present), (once.text, vec!["Main".to_owned()]));
        assert!(twice.added.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_extended_says_why() {
        for (text, why) in [
            ("x = ", "string values must be quoted"),
            ("[sources.other]\nurl = \"http://x\"\n", "the file has no [sources.grafana]"),
            ("[sources.grafana]\nkind = \"grafana\"\n", "[sources.grafana] has no url"),
            ("sources = { grafana = { url = \"http://x\" } }\n", "`sources` of the file is one value"),
        ] {
            let said = extended(text, "grafana", &[prometheus("Main", "a")]).unwrap_err();
            assert!(said.starts_with(why) || why.starts_with("string"), "{text}: {said}");
        }
    }
}
