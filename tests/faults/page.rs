//! A runbook's page with every fault: the reason is reported in time, and the page loads after the fault.

use std::time::Duration;

use burnwatch::testing::backend;
use burnwatch::testing::config::settings::Settings;
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::runbook::{RunbookQuery, RunbookSearch};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::fault::Fault;
use crate::proxy::Proxy;

/// The default time-out of a page, and a margin for a busy machine.
const IN_TIME: Duration = Duration::from_secs(14);

/// The expected message for this fault; None: the answer is shown as it is, because any text is valid Markdown.
fn words(fault: Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::Refuses => "connection refused",
        Fault::Vanishes => "without an answer",
        Fault::Resets => "broke before the answer was complete",
        Fault::Drips | Fault::Hangs | Fault::HangsInHead | Fault::HangsInBody => {
            "no complete answer within 10s"
        }
        Fault::TooMany
        | Fault::TooManySeconds
        | Fault::TooManyDate
        | Fault::TooManyOdd
        | Fault::TooManyAbsurd => "429",
        Fault::Broken => "500",
        Fault::Gateway => "502",
        Fault::Unavailable | Fault::StartingUp => "503",
        Fault::Empty => "the runbook is empty",
        Fault::Login => "the content is a web page, not markdown",
        Fault::LoginElsewhere => "redirects to sso.example.com/login",
        Fault::Loops => "redirects to 127.0.0.1",
        Fault::Floods | Fault::Bomb => "larger than 1 MiB",
        Fault::BadGzip => "the compressed answer is corrupt",
        Fault::NotHttp => "does not speak HTTP",
        _ => return None,
    })
}

/// Starts a server with the page; returns its address.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer =
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n# What to do\r\n";
            let Ok(1..) = stream.read(&mut [0; 4096]).await else { continue };
            stream.write_all(answer).await.ok();
            stream.shutdown().await.ok();
        }
    });
    address.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_behind_every_fault_is_missing_for_a_reason_and_found_again() {
    let server = server().await;
    let mut settings = Settings::default();
    settings.runbooks.hosts = vec!["127.0.0.1".into()];
    let source = backend::runbooks(&settings, &backend::Transport::Network);
    let plays = Fault::PLAIN.map(|fault| {
        let (source, server) = (&source, &server);
        async move {
            let proxy = Proxy::start(server, None).await;
            let url = Some(format!("{}/HighErrors.md", proxy.url).into());
            let wanted = RunbookQuery { name: "HighErrors".into(), url, labels: Labels::default() };
            let ask = Query::Runbook { wanted: wanted.into() }.now();
            let search = async || -> RunbookSearch {
                match source.answer(&ask, None).await.expect("that there is none is an answer").answer {
                    Answer::Runbook(search) => search,
                    other => panic!("{other:?}"),
                }
            };
            proxy.fault.send(fault).expect("the proxy runs");
            let begun = Instant::now();
            let ill = search().await;
            assert!(begun.elapsed() < IN_TIME, "{fault:?} took {:?}", begun.elapsed());
            if let Some(words) = words(fault) {
                let why = ill.tried.first().map(|tried| tried.why.to_string()).unwrap_or_default();
                assert!(ill.found.is_none() && why.contains(words), "{fault:?}: {why:?}");
            }
            proxy.fault.send(Fault::None).expect("the proxy runs");
            let well = async {
                while search().await.found.is_none_or(|found| !found.text.contains("What to do")) {}
            };
            tokio::time::timeout(IN_TIME, well)
                .await
                .unwrap_or_else(|_| panic!("{fault:?}: not found again"));
        }
    });
    join_all(plays).await;
}
