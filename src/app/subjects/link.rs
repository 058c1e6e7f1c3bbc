//! Recognises links that may be opened, and makes those of traces.

use crate::model::labels::Text;

/// Whether a text is an http or https address.
pub fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The address of a trace by a template with the placeholder `{{ trace_id }}`; without a template the id alone, to copy.
pub fn of_trace(template: Option<&str>, id: &Text) -> Text {
    // an id is hexadecimal; anything else must not change the address
    let safe: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let filled =
        template.map(|template| template.replace("{{ trace_id }}", &safe).replace("{{trace_id}}", &safe));
    filled.map_or_else(|| id.clone(), Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_an_address_only_if_a_template_is_configured() {
        let template = Some("https://tempo.example/trace/{{ trace_id }}?x=1");
        assert_eq!(&*of_trace(template, &"4bf92f".into()), "https://tempo.example/trace/4bf92f?x=1");
        assert_eq!(&*of_trace(template, &"../a b".into()), "https://tempo.example/trace/___a_b?x=1");
        assert_eq!(&*of_trace(None, &"4bf92f".into()), "4bf92f");
    }
}
