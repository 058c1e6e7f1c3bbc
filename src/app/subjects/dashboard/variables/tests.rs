use super::*;

fn pairs(values: &[&str]) -> Vec<(Text, Text)> {
    values.iter().map(|value| ((*value).into(), (*value).into())).collect()
}

fn texts(values: &[(Text, Text)]) -> Vec<&str> {
    values.iter().map(|(text, _)| &**text).collect()
}

#[test]
fn a_regular_expression_keeps_and_cuts_values_and_each_is_there_once() {
    let all = pairs(&["pod-10", "pod-2", "web", "pod-2"]);
    let natural = VariableSort::Natural { is_descending: false };
    assert_eq!(texts(&arranged(&all, Some("/^pod/"), natural)), ["pod-2", "pod-10"]);
    assert_eq!(texts(&arranged(&all, Some("pod-(\\d+)"), VariableSort::None)), ["10", "2"]);
    let named = arranged(&pairs(&["a=1"]), Some("(?<text>\\w)=(?<value>\\d)"), VariableSort::None);
    assert_eq!(named, [("a".into(), "1".into())]);
    let down = VariableSort::Alphabetical { is_descending: true };
    assert_eq!(texts(&arranged(&all, None, down)), ["web", "pod-2", "pod-10"]);
    assert_eq!(arranged(&all, Some("(unclosed"), VariableSort::None).len(), 3, "an invalid one keeps all");
}
