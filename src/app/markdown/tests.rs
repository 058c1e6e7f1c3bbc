use std::fmt::Write as _;

use super::*;
use crate::model::tests::shared::shared;
use crate::model::text::clean_document;

fn drawn(source: &str, labels: &Labels, width: u16) -> String {
    let page = page(source, labels, width, Charset::Unicode);
    page.lines.iter().fold(String::new(), |mut out, line| {
        let text: String = line.iter().map(|run| &*run.text).collect();
        writeln!(out, "{}", text.trim_end()).unwrap();
        out
    })
}

fn plain(source: &str, width: u16) -> String {
    drawn(source, &Labels::default(), width)
}

#[test]
fn blocks_look_like_what_they_are() {
    let source = "\
# Title *here*
A paragraph that is **long** enough to be broken,
with a [link](https://a.example) and ![a graph](g.png).

- one
  - two, which goes on
    below itself
- [x] done
- [ ] to do

3. three
4. four

> [!WARNING]
> Take care.
>
> - here

| service | what it does |
| --- | --- |
| cart | keeps what people want |

```sh
kubectl get pods
```
---
Text[^1] <br> end.

[^1]: The note.
";
    insta::assert_snapshot!(plain(source, 40));
}

#[test]
fn a_table_that_is_too_wide_has_a_line_for_each_field() {
    let source = "| name | description |\n| --- | --- |\n| checkout-service | everything-about-orders |\n";
    insta::assert_snapshot!(plain(source, 30));
}

#[test]
fn placeholders_are_filled_in_and_marked() {
    let labels = Labels::from_iter([("namespace", "shop"), ("pod_name", "cart-1")]);
    let source =
        "Look at <namespace> and {{ $labels.pod_name }}.\n\n    kubectl -n ${namespace} {{ labels.node }}\n";
    let page = page(source, &labels, 60, Charset::Unicode);
    let with = |role: Role| {
        let runs = page.lines.iter().flatten().filter(|run| run.role == role);
        runs.map(|run| run.text.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with(Role::Match), ["shop", "cart-1", "shop"]);
    assert_eq!(with(Role::Trouble), ["{{ labels.node }}"]);
    assert_eq!(page.missing, ["{{ labels.node }}"]);
    assert_eq!(page.filled.len(), 3);
    let copied = page.blocks.first().unwrap().for_shell(&labels);
    assert_eq!(copied.text, "kubectl -n shop {{ labels.node }}");
}

#[test]
fn what_markup_escapes_is_not_obeyed_by_the_terminal() {
    let source = "a &#27;[2J b &#x202e; c\n\n[x](https://a.example/&#27;y)\n";
    let page = page(source, &Labels::default(), 80, Charset::Unicode);
    let all: String = page.lines.iter().flatten().map(|run| &*run.text).collect();
    assert!(!all.chars().any(|c| c.is_control() || c == '\u{202e}'), "{all:?}");
    assert!(page.links.iter().all(|(_, url)| !url.chars().any(char::is_control)));
}

#[test]
fn hostile_pages_are_drawn_in_bounds() {
    let mut sources = vec![
        "> ".repeat(20_000) + "deep",
        "- ".repeat(20_000) + "deep",
        "x".repeat(1_000_000),
        "word ".repeat(200_000),
        "[".repeat(50_000),
        "*".repeat(50_000) + "a" + &"*".repeat(50_000),
        "|a".repeat(2_000) + "|\n" + &"|-".repeat(2_000) + "|\n" + &"|b".repeat(2_000) + "|\n",
        "![".repeat(10_000) + &"](x)".repeat(10_000),
        "`".repeat(100_000),
        "<div>\n".repeat(10_000),
        "東".repeat(10_000),
    ];
    sources.push((0..200).fold(String::new(), |mut out, depth| {
        writeln!(out, "{}- item {depth}", "  ".repeat(depth)).unwrap();
        out
    }));
    for source in sources {
        for width in [0, 1, 2, 3, 11, 40, 200] {
            if width < 40 && source.len() > 60_000 {
                continue;
            }
            let page = page(&source, &Labels::default(), width, Charset::Ascii);
            let widest = page.lines.iter().map(|line| text::runs_width(line)).max().unwrap_or(0);
            let start: String = source.chars().take(10).collect();
            assert!(widest <= width.max(4), "{start:?} at {width} is {widest} wide");
        }
    }
}

/// The words of a text as its parser tells them.
fn words(source: &str) -> Vec<String> {
    let mut words = Vec::new();
    for event in TextMergeStream::new(Parser::new_ext(source, options())) {
        if let Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) = event {
            words.extend(clean_document(&text).split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The words that are not on the page: neither whole in a line nor broken over lines that follow each other.
fn lost(source: &str, width: u16) -> Vec<String> {
    let page = page(source, &Labels::default(), width, Charset::Ascii);
    let lines: Vec<String> =
        page.lines.iter().map(|line| line.iter().map(|run| &*run.text).collect::<String>()).collect();
    let whole = lines.join("\n");
    let joined: String =
        lines.iter().map(|line| line.trim_start_matches([' ', '|', ':']).trim_end()).collect();
    words(source)
        .into_iter()
        .filter(|word| !whole.contains(word.as_str()) && !joined.contains(word.as_str()))
        .collect()
}

#[test]
fn no_word_of_any_kind_of_text_is_lost() {
    let source = "# T\n\n> quote `code`\n\n1. one **two***three*\n\n   | a | b |\n   |---|---|\n   | c-long-word | d |\n\n<p>html</p>\n\n[^n]: note\n\nref[^n]\n\n```\n  indented code\n```\n";
    for width in [200, 80, 40, 20] {
        assert_eq!(lost(source, width), Vec::<String>::new(), "at {width}");
    }
}

#[test]
fn no_word_of_the_corpus_is_lost() {
    let Some(shared) = shared() else { return };
    let mut folders = vec![shared.join("corpus/runbooks")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(source) = std::fs::read_to_string(&path) {
                let source = clean_document(&source);
                for width in [200, 80, 40] {
                    assert_eq!(lost(&source, width), Vec::<String>::new(), "{} at {width}", path.display());
                }
                read += 1;
            }
        }
    }
    assert!(read > 0);
}

#[test]
fn whatever_costs_most_is_drawn_all_the_same() {
    let many = |count: usize, text: &str| text.repeat(count);
    let links: Vec<String> = (0..15_000).map(|at| format!("[a]({at}) ")).collect();
    for source in [
        many(120_000, "{{"),
        many(250_000, "<"),
        many(80_000, "${x"),
        links.concat(),
        many(40_000, "![") + &many(40_000, "](u)"),
        format!("|{}\n|{}\n{}", many(25_000, "a|"), many(25_000, "-|"), many(50_000, "|\n")),
        many(60_000, "> ") + &many(60_000, "word\n"),
        many(60_000, "- ") + &many(60_000, "\n- x\n"),
        many(60_000, "* _"),
        many(250_000, "["),
        format!("> [^{}]: note", many(70_000, "n")),
        many(60_000, "a\u{301}"),
    ] {
        let start: String = source.chars().take(6).collect();
        let (done, drawn) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let page = page(&source, &Labels::from_iter([("x", "y")]), 40, Charset::Unicode);
            done.send(page.lines.len())
        });
        // the quadratic ways took hours
        let lines = drawn.recv_timeout(std::time::Duration::from_secs(120));
        assert!(lines.is_ok_and(|lines| lines < 300_000), "{start}: {lines:?}");
    }
}
