//! The word that was meant by one that nothing knows.

/// The word of `known` that was most likely meant by `word`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&word, &candidate.to_lowercase());
    let near = |candidate: &str| {
        let length = word.chars().count().max(candidate.chars().count());
        strsim::osa_distance(&word, &candidate.to_lowercase()) <= 1 + length / 4
    };
    known.into_iter().filter(|candidate| near(candidate)).max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// `; did you mean ...?`; empty if there is nothing to suggest.
pub fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The most similar of some names, however little they are alike; empty if there are none.
pub fn most_similar(word: &str, known: impl IntoIterator<Item = &'static str>) -> &'static str {
    let score = |candidate: &str| strsim::jaro_winkler(candidate, word);
    known.into_iter().max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or_default()
}

/// `; did you mean ...?` where something is near, else what there is; empty if there is nothing.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let near = nearest(word, known.clone());
    if near.is_some() {
        return did_you_mean(near);
    }
    let all: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    if all.is_empty() { String::new() } else { format!("; available: {}", all.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("kinds", ["url", "kind"]), Some("kind"));
        assert_eq!(nearest("promethues", ["alertmanager", "prometheus"]), Some("prometheus"));
        assert_eq!(nearest("bananas", ["url", "kind"]), None);
        assert_eq!(hint("bananas", ["url", "kind"]), "; available: `url`, `kind`");
        assert_eq!(hint("bananas", []), "");
    }
}
