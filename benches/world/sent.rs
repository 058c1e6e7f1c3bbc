//! Bodies as the servers of a fleet send them: the alerts of an Alertmanager, a matrix of a Prometheus.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::fleet::NOW;

/// An Alertmanager's alert groups; each alert has 13 labels and 4 annotations, about 1 KiB.
pub(crate) fn groups(services: usize, alerts: usize) -> String {
    let mut json = String::from("[");
    for service in 0..services {
        let comma = if service == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"labels":{{"service":"service-{service}"}},"receiver":{{"name":"tickets"}},"alerts":["#)
            .unwrap();
        for (place, n) in (service..alerts).step_by(services).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let severity = if n % 3 == 0 { "page" } else { "ticket" };
            let (zone, minute, kind) = (n % 3, n % 60, n % 12);
            write!(
                json,
                r#"{comma}{{"labels":{{"alertname":"Alert{kind}","service":"service-{service}","severity":"{severity}",
                "instance":"10.0.{}.{}:9090","pod":"service-{service}-{n:05x}","namespace":"team-{}","cluster":"c{zone}",
                "region":"eu-west-{zone}","zone":"{zone}","job":"fleet","env":"prod","team":"team-{}","tier":"{}"}},
                "annotations":{{"summary":"service-{service} has a problem of kind {kind} on pod {n:05x}",
                "description":"The ratio of failed requests of service-{service} has been above its threshold for long",
                "runbook_url":"https://runbooks.example.com/alert{kind}","dashboard":"https://grafana.example.com/d/{kind}"}},
                "startsAt":"2026-01-14T02:{minute:02}:00.000Z","endsAt":"2026-01-14T06:00:00.000Z",
                "updatedAt":"2026-01-14T02:{minute:02}:30.000Z","fingerprint":"{:016x}","receivers":[{{"name":"tickets"}}],
                "status":{{"state":"active","silencedBy":[],"inhibitedBy":[],"mutedBy":[]}},
                "generatorURL":"http://prometheus.example.com/graph?g0.expr={kind}"}}"#,
                n / 250, n % 250, service % 8, service % 8, service % 3,
                (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )
            .unwrap();
        }
        json.push_str("]}");
    }
    json.push(']');
    json
}

/// Starts a server that answers requests with these bodies in turn; returns its URL.
pub(crate) fn serve(bodies: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (bodies, turn) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, bodies, turn) = (stream.unwrap(), Arc::clone(&bodies), Arc::clone(&turn));
            thread::spawn(move || {
                let mut request = vec![0; 8192];
                while matches!(stream.read(&mut request), Ok(1..)) {
                    let body = &bodies[turn.fetch_add(1, Ordering::Relaxed) % bodies.len()];
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let sent = stream.write_all(head.as_bytes());
                    if sent.and_then(|()| stream.write_all(body.as_bytes())).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// A matrix with this many series, as Prometheus sends it.
pub(crate) fn matrix(series: usize, points: u32) -> String {
    let mut json = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for n in 0..series {
        let comma = if n == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"metric":{{"service":"service-{n}","zone":"z{}"}},"values":["#, n % 3)
            .unwrap();
        for point in 0..points {
            let comma = if point == 0 { "" } else { "," };
            write!(json, r#"{comma}[{},"{}.{point:03}"]"#, NOW + i64::from(point) * 15, n * 7).unwrap();
        }
        json.push_str("]}");
    }
    json.push_str("]}}");
    json
}
