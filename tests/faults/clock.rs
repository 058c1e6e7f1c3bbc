//! A server whose clock is wrong by hours: every timestamp in requests and answers is shifted.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fault::{Fault, HOURS};

/// The server's answer to a request with its clock off by the hours of the fault.
pub(crate) async fn answer(server: &str, request: Vec<u8>, fault: Fault) -> std::io::Result<Vec<u8>> {
    let by = SignedDuration::from_hours(if fault == Fault::Ahead { HOURS } else { -HOURS });
    let mut server = TcpStream::connect(server).await?;
    server.write_all(&asked(&request, by)).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, body) = answer.split_at(end);
    let mut body = body.get(4..).unwrap_or_default().to_vec();
    if let Ok(mut json) = serde_json::from_slice(&body) {
        moved(&mut json, by);
        body = json.to_string().into_bytes();
    }
    let head = String::from_utf8_lossy(head);
    let kept = head.lines().filter_map(|line| match line.split_once(": ") {
        Some((name, _)) if name.eq_ignore_ascii_case("content-length") => None,
        Some((name, date)) if name.eq_ignore_ascii_case("date") => {
            let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?.checked_add(by).ok()?;
            Some(format!("Date: {}", date.strftime("%a, %d %b %Y %H:%M:%S GMT")))
        }
        _ => Some(line.to_owned()),
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let mut whole = format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    whole.extend_from_slice(&body);
    Ok(whole)
}

/// The request with its timestamps shifted back, asking for an answer without compression and chunks.
fn asked(request: &[u8], by: SignedDuration) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| {
            let is_moment = matches!(&*name, "time" | "start" | "end");
            match value.parse::<f64>() {
                Ok(moment) if is_moment => (name.into(), (moment - by.as_secs_f64()).to_string()),
                _ => (name.into(), value.into()),
            }
        })
        .collect();
    let is_form = head.to_lowercase().contains("x-www-form-urlencoded");
    let body = if is_form {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    } else {
        body.to_owned()
    };
    let lines = head.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let kept = lines.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        !matches!(name.as_str(), "content-length" | "accept-encoding")
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Shifts every timestamp: texts that are timestamps, and the number in a pair of number and text (a sample).
fn moved(json: &mut Value, by: SignedDuration) {
    match json {
        Value::String(text) => {
            let is_moment = text.len() >= 20 && !text.starts_with("0001");
            let at = text.parse::<Timestamp>().ok().filter(|_| is_moment);
            if let Some(at) = at.and_then(|at| at.checked_add(by).ok()) {
                *text = at.to_string();
            }
        }
        Value::Array(list) => match list.as_mut_slice() {
            [Value::Number(at), Value::String(_)] => {
                let moved = at.as_f64().map(|at| at + by.as_secs_f64());
                *at = moved.and_then(serde_json::Number::from_f64).expect("a moment");
            }
            _ => list.iter_mut().for_each(|value| moved(value, by)),
        },
        Value::Object(fields) => fields.values_mut().for_each(|value| moved(value, by)),
        _ => {}
    }
}
