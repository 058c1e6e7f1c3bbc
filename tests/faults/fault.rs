//! All faults of a connection or a server, with the messages that burnwatch must show.

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A fault of the connection or the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    // network
    Late,
    Jitters,
    Refuses,
    Vanishes,
    Resets,
    Drips,
    Hangs,
    HangsInHead,
    HangsInBody,
    Flaps,
    Twice,
    // refused requests
    TooMany,
    TooManySeconds,
    TooManyDate,
    TooManyOdd,
    TooManyAbsurd,
    Broken,
    Gateway,
    Unavailable,
    StartingUp,
    // wrong answers
    HalfJson,
    WrongType,
    Null,
    Empty,
    Nested,
    Login,
    LoginElsewhere,
    Loops,
    Floods,
    Bomb,
    BadGzip,
    Garbage,
    NotHttp,
    // wrong clocks
    Ahead,
    Behind,
    // certificates
    Expired,
    Unknown,
    OtherHost,
    NoLock,
    // faults without a proxy
    NoSuchHost,
    NameGone,
    Restarts,
}

/// The expected display of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The source's data are marked as old or missing, with this text in the reason.
    Doubt(&'static str),
    /// The source is fine, and this note is shown.
    Note(&'static str),
}

/// By how many hours a wrong clock is off.
pub(crate) const HOURS: i64 = 3;

impl Fault {
    /// The faults of a plain proxy, those that take longest first.
    pub(crate) const PLAIN: [Self; 35] = [
        Self::TooManyAbsurd,
        Self::Hangs,
        Self::HangsInHead,
        Self::HangsInBody,
        Self::Drips,
        Self::Flaps,
        Self::Late,
        Self::Jitters,
        Self::Refuses,
        Self::Vanishes,
        Self::Resets,
        Self::Twice,
        Self::TooMany,
        Self::TooManySeconds,
        Self::TooManyDate,
        Self::TooManyOdd,
        Self::Broken,
        Self::Gateway,
        Self::Unavailable,
        Self::StartingUp,
        Self::HalfJson,
        Self::WrongType,
        Self::Null,
        Self::Empty,
        Self::Nested,
        Self::Login,
        Self::LoginElsewhere,
        Self::Loops,
        Self::Floods,
        Self::Bomb,
        Self::BadGzip,
        Self::Garbage,
        Self::NotHttp,
        Self::Ahead,
        Self::Behind,
    ];
    /// The faults of a proxy with HTTPS.
    pub(crate) const LOCKED: [Self; 4] = [Self::Expired, Self::Unknown, Self::OtherHost, Self::NoLock];

    /// The name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Late => "2 s late",
            Self::Jitters => "late by 0 to 3 s, out of order",
            Self::Refuses => "connection refused",
            Self::Vanishes => "accepts and closes",
            Self::Resets => "reset in the body",
            Self::Drips => "a byte now and then",
            Self::Hangs => "hangs before the answer",
            Self::HangsInHead => "hangs in the headers",
            Self::HangsInBody => "hangs in the body",
            Self::Flaps => "up for one second in four",
            Self::Twice => "every answer twice",
            Self::TooMany => "429",
            Self::TooManySeconds => "429, Retry-After in seconds",
            Self::TooManyDate => "429, Retry-After as a date",
            Self::TooManyOdd => "429, Retry-After: soon",
            Self::TooManyAbsurd => "429, Retry-After: a day",
            Self::Broken => "500",
            Self::Gateway => "502 with HTML",
            Self::Unavailable => "503 with HTML",
            Self::StartingUp => "503 while it starts",
            Self::HalfJson => "JSON cut off",
            Self::WrongType => "JSON of another type",
            Self::Null => "null",
            Self::Empty => "an empty answer",
            Self::Nested => "JSON nested 100,000 deep",
            Self::Login => "a login page",
            Self::LoginElsewhere => "redirect to another host",
            Self::Loops => "redirect loop",
            Self::Floods => "500 MB",
            Self::Bomb => "500 MB in gzip",
            Self::BadGzip => "broken gzip",
            Self::Garbage => "garbage in the body",
            Self::NotHttp => "something other than HTTP",
            Self::Ahead => "its clock 3 h ahead",
            Self::Behind => "its clock 3 h behind",
            Self::Expired => "certificate expired",
            Self::Unknown => "certificate of an unknown CA",
            Self::OtherHost => "certificate of another host",
            Self::NoLock => "plain HTTP on the port for HTTPS",
            Self::NoSuchHost => "host not in DNS",
            Self::NameGone => "gone from DNS, and back",
            Self::Restarts => "killed and started again",
        }
    }

    /// The expected display.
    pub(crate) fn seen(self) -> Seen {
        Seen::Doubt(match self {
            Self::None | Self::Late | Self::Jitters | Self::Twice => return Seen::Note(""),
            Self::Ahead => return Seen::Note("ahead of this machine's"),
            Self::Behind => return Seen::Note("behind this machine's"),
            Self::Refuses | Self::Restarts => "cannot connect (connection refused)",
            Self::Vanishes | Self::Flaps => {
                "cannot connect (the server closes the connection without an answer)"
            }
            Self::Resets => "the connection broke before the answer was complete",
            Self::Drips | Self::Hangs | Self::HangsInHead | Self::HangsInBody => {
                "no complete answer within 10s"
            }
            Self::TooMany
            | Self::TooManySeconds
            | Self::TooManyDate
            | Self::TooManyOdd
            | Self::TooManyAbsurd => "429 Too Many Requests",
            Self::Broken => "500: out of order",
            Self::Gateway => "502",
            Self::Unavailable => "503",
            Self::StartingUp => "503: Service Unavailable",
            Self::HalfJson => "JSON cut off",
            Self::WrongType | Self::Null | Self::Nested | Self::Garbage => "the answer cannot be understood",
            Self::Empty => "an empty answer where JSON is expected",
            Self::Login => "HTML where JSON is expected",
            Self::LoginElsewhere => "it redirects to sso.example.com/login",
            Self::Loops => "it redirects to 127.0.0.1",
            Self::Floods | Self::Bomb => "the answer is larger than 4 MiB",
            Self::BadGzip => "the compressed answer is corrupt",
            Self::NotHttp => "does not speak HTTP",
            Self::Expired => "its certificate was not accepted (expired)",
            Self::Unknown => "its certificate was not accepted (issuer not trusted on this machine)",
            Self::OtherHost => "its certificate was not accepted (issued for another name)",
            Self::NoLock => "the server does not speak TLS; use http:// if that is intended",
            Self::NoSuchHost | Self::NameGone => "cannot connect",
        })
    }

    /// The time limit for recovery after the end of the fault: an interval, and a margin for a machine that runs all faults at
    /// once.
    pub(crate) fn back(self) -> Duration {
        Duration::from_secs(match self {
            // burnwatch waits as long as the server asks, up to a minute
            Self::TooManyAbsurd => 75,
            // the server replays its write-ahead log first
            Self::Restarts => 30,
            _ => 12,
        })
    }

    /// The proxy's own answer to a request for this path; None: the server answers.
    pub(crate) fn answer(self, path: &str) -> Option<Vec<u8>> {
        let text = |head: &str, body: &str| Some(whole(head, body.as_bytes()));
        match self {
            Self::TooMany => text("429 Too Many Requests", "slow down"),
            Self::TooManySeconds => text("429 Too Many Requests\r\nRetry-After: 4", "slow down"),
            Self::TooManyDate => text(
                "429 Too Many Requests\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2015 07:28:04 GMT",
                "",
            ),
            Self::TooManyOdd => text("429 Too Many Requests\r\nRetry-After: soon", ""),
            Self::TooManyAbsurd => text("429 Too Many Requests\r\nRetry-After: 86400", ""),
            Self::Broken => text("500 Internal Server Error", "{\"error\":\"out of order\"}"),
            Self::Gateway => text("502 Bad Gateway", "<html><h1>Bad Gateway</h1></html>"),
            Self::Unavailable => text("503 Service Unavailable", "<html><h1>Back soon</h1></html>"),
            Self::StartingUp => text("503 Service Unavailable", "Service Unavailable"),
            Self::HalfJson => text("200 OK", "{\"status\":\"success\",\"data\":{\"resultType\":\"vec"),
            Self::WrongType => text("200 OK", "{\"status\":\"success\",\"data\":17}"),
            Self::Null => text("200 OK", "null"),
            Self::Empty => text("200 OK", ""),
            Self::Nested => {
                text("200 OK", &format!("{{\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)))
            }
            Self::Login => text("200 OK\r\nContent-Type: text/html", "<!doctype html><title>Log in</title>"),
            Self::LoginElsewhere => {
                text("302 Found\r\nLocation: https://sso.example.com/login?next=secret", "")
            }
            Self::Loops => {
                let to = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
                text(&format!("307 Temporary Redirect\r\nLocation: {to}"), "")
            }
            Self::Bomb => Some(whole("200 OK\r\nContent-Encoding: gzip", &bomb())),
            Self::BadGzip => Some(whole("200 OK\r\nContent-Encoding: gzip", &[7; 900])),
            Self::Garbage => Some(whole("200 OK", &garbage())),
            Self::NotHttp => Some(b"SSH-2.0-OpenSSH_9.6\r\n\x00\x00\x01\x1c".to_vec()),
            _ => None,
        }
    }
}

fn whole(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A gzip bomb of 500 MB of spaces: one megabyte five hundred times.
fn bomb() -> Vec<u8> {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let blank = vec![b' '; 1024 * 1024];
        for _ in 0..500 {
            encoder.write_all(&blank).expect("a Vec takes everything");
        }
        encoder.finish().expect("a Vec takes everything")
    });
    BOMB.clone()
}

/// Meaningless bytes, the same in each run.
fn garbage() -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    std::iter::once(0xff).chain(random.take(5000)).collect()
}
