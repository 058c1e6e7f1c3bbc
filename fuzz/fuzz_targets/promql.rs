//! PromQL expressions of rules: parsed, and rewritten.
#![no_main]

use burnwatch::testing::model::promql;
use burnwatch::testing::model::slo::{Selector, Template};
use burnwatch_fuzz::texts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = texts(input);
    let [expr, rest @ ..] = texts.as_slice() else { return };
    let parsed = promql::parse(expr);
    if let Ok(parsed) = &parsed {
        promql::constant(parsed);
    }
    promql::condition(expr);
    promql::selectors(expr).ok();
    promql::returns_one_series(expr, &[]);
    let labels = rest.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    let narrowed = promql::narrowed(expr, labels);
    // the parser refuses deeper nesting than is added here, and label names that are PromQL keywords, which servers accept
    let is_known = |name: &String| promql::parse(&format!("sum by ({name}) (up)")).is_ok();
    if parsed.is_ok() && expr.len() < 200 && rest.len() < 8 && rest.iter().step_by(2).all(is_known) {
        assert!(promql::parse(&narrowed).is_ok(), "{narrowed}");
    }
    if let Ok(selector) = Selector::parse(expr) {
        let written = selector.of("up").to_string();
        assert!(promql::parse(&written).is_ok(), "{written}");
    }
    if let Ok(template) = Template::parse(expr) {
        template.over(std::time::Duration::from_secs(300));
    }
    for text in rest {
        let query = format!("up{{a={}}}", promql::quoted(text));
        assert!(promql::parse(&query).is_ok(), "{query}");
        let pattern = promql::literal(text);
        assert!(pattern.len() >= text.len());
    }
});
