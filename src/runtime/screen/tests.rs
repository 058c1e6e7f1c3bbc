use super::*;
use crate::runtime::capability::CAPABLE;
use ratatui::style::{Color, Style};

fn frame(width: u16, lines: &[&str]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, u16::try_from(lines.len()).unwrap()));
    for (y, line) in (0..).zip(lines) {
        buffer.set_string(0, y, line, Style::default());
    }
    buffer
}

fn encoded(shown: &Buffer, job: &WriteJob) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, shown, job).unwrap();
    bytes
}

fn job(frame: Buffer) -> WriteJob {
    WriteJob { frame, whole: true, utf8: true, ..WriteJob::default() }
}

#[test]
fn only_what_changed_is_written_and_the_terminal_shows_the_frame() {
    let mut terminal = vt100::Parser::new(3, 30, 0);
    let frames = [
        frame(30, &["prod-eu  02:52:07", "checkout 火 burning", ""]),
        frame(30, &["prod-eu  02:52:08", "checkout 火 burning", ""]),
        frame(30, &["prod-eu  02:52:09", "checkout ok", "日本語"]),
    ];
    let mut shown = Buffer::default();
    for (n, next) in frames.into_iter().enumerate() {
        let bytes = encoded(&shown, &job(next.clone()));
        terminal.process(&bytes);
        if n == 1 {
            assert!(bytes.len() < 40, "a tick of the clock costs {} bytes", bytes.len());
        }
        shown = next;
    }
    let lines: Vec<String> = terminal.screen().rows(0, 30).map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(lines, ["prod-eu  02:52:09", "checkout ok", "日本語"]);
}

#[test]
fn a_terminal_without_utf8_gets_ascii_alone_and_nothing_moves() {
    // in an 8-bit character set the last byte of the second letter starts an escape sequence
    let next = frame(30, &["P\u{159}\u{11b}[2Jhled", "checkout \u{706b} burning", "ok"]);
    let extras = FrameExtras { title: Some("\u{11b}".into()), ..FrameExtras::default() };
    let bytes = encoded(&Buffer::default(), &WriteJob { utf8: false, extras, ..job(next) });
    assert!(bytes.is_ascii(), "{bytes:?}");
    let mut terminal = vt100::Parser::new(3, 30, 0);
    terminal.process(&bytes);
    assert_eq!(terminal.screen().contents(), "P??[2Jhled\ncheckout ?? burning\nok");
}

#[test]
fn the_same_frame_costs_nothing() {
    let shown = frame(10, &["same"]);
    assert!(encoded(&shown, &job(shown.clone())).is_empty());
}

#[test]
fn a_frame_drawn_anew_or_of_another_size_repairs_what_others_wrote() {
    let shown = frame(10, &["same", ""]);
    let mut terminal = vt100::Parser::new(2, 10, 0);
    terminal.process(b"\x1b[31mgarbage\r\ngarbage");
    terminal.process(&encoded(&shown, &WriteJob { is_full_redraw: true, ..job(shown.clone()) }));
    assert_eq!(terminal.screen().contents(), "same");
    terminal.process(b"\x1b[Hgarbage");
    terminal.process(&encoded(&shown, &job(frame(9, &["less", ""]))));
    assert_eq!(terminal.screen().contents(), "less");
}

#[test]
fn each_frame_is_one_for_the_terminal_where_it_knows_frames() {
    let next = job(frame(10, &["x"]));
    let bytes = encoded(&Buffer::default(), &next);
    assert!(bytes.starts_with(b"\x1b[?2026h") && bytes.ends_with(b"\x1b[?2026l"));
    let mut plain = Vec::new();
    encode(&mut plain, &Buffer::default(), &WriteJob { whole: false, ..next }).unwrap();
    assert!(!String::from_utf8(plain).unwrap().contains("2026"));
}

#[test]
fn what_is_copied_reaches_the_terminal_as_base64_only() {
    let shown = frame(10, &["same"]);
    let mut job = job(shown.clone());
    job.extras.copy = Some("a\x1b]0;title\x07 b".into());
    let bytes = String::from_utf8(encoded(&shown, &job)).unwrap();
    assert_eq!(bytes, "\x1b]52;c;YRtdMDt0aXRsZQcgYg==\x07");
}

#[test]
fn an_empty_screen_is_no_trouble() {
    let nothing = Buffer::empty(Rect::new(0, 0, 0, 0));
    encoded(&nothing, &WriteJob { is_full_redraw: true, ..job(nothing.clone()) });
}

#[test]
fn bold_and_colour_reach_the_terminal() {
    let mut next = frame(10, &["x"]);
    next.set_string(0, 0, "x", Style::default().fg(Color::Red).bold());
    let mut terminal = vt100::Parser::new(1, 10, 0);
    terminal.process(&encoded(&Buffer::default(), &job(next)));
    let cell = terminal.screen().cell(0, 0).unwrap();
    assert!(cell.bold() && cell.fgcolor() == vt100::Color::Idx(1), "{cell:?}");
}

#[tokio::test]
async fn a_terminal_that_takes_no_output_holds_one_frame_and_not_the_loop() {
    let (mut screen, writer) = screen(CAPABLE);
    let (stalled, go_on) = std::sync::mpsc::channel::<()>();
    let (seen, writes) = std::sync::mpsc::channel();
    writer
        .start(move |bytes| {
            go_on.recv().ok();
            seen.send(String::from_utf8_lossy(bytes).into_owned()).ok();
            Ok(FrameWrite::default())
        })
        .unwrap();
    let mut drawn = 0;
    for n in 0..100 {
        screen.draw((20, 1), |buf| {
            drawn += 1;
            buf.set_string(0, 0, format!("frame {n}"), Style::default());
        });
    }
    assert_eq!(drawn, 1, "the others were not even drawn");
    stalled.send(()).unwrap();
    screen.written().await.unwrap();
    screen.draw((20, 1), |buf| buf.set_string(0, 0, "newest", Style::default()));
    stalled.send(()).unwrap();
    screen.written().await.unwrap();
    assert!(writes.recv().unwrap().contains("frame"));
    assert!(writes.recv().unwrap().contains("newest"));
}

#[tokio::test]
async fn a_terminal_that_is_gone_is_told() {
    let (mut screen, writer) = screen(CAPABLE);
    writer.start(|_| Err(io::Error::from_raw_os_error(5))).unwrap();
    screen.draw((20, 1), |buf| buf.set_string(0, 0, "x", Style::default()));
    assert_eq!(screen.written().await.unwrap_err().raw_os_error(), Some(5));
}

#[test]
fn notices_and_the_title_go_out_once_with_a_frame_even_if_it_is_the_same() {
    let (mut screen, _writer) = screen(CAPABLE);
    let shown = frame(10, &["same"]);
    screen.notify(&Notification { bell: true, desktop: Some(("Page".into(), "cart is down".into())) });
    screen.title("(1!) burnwatch prod");
    assert!(screen.has_more());
    let extras = std::mem::take(&mut screen.extras);
    let bytes = encoded(&shown, &WriteJob { extras, ..job(shown.clone()) });
    let text = String::from_utf8(bytes).unwrap();
    let title = "\x1b]2;(1!) burnwatch prod\x07";
    assert!(text.contains(title) && text.contains("\x1b]9;Page: cart is down\x07"), "{text:?}");
    assert_eq!(text.chars().filter(|c| *c == '\x07').count(), 4);
    screen.come_back();
    let extras = std::mem::take(&mut screen.extras);
    assert_eq!(encoded(&shown, &WriteJob { extras, ..job(shown.clone()) }), title.as_bytes());
}
