//! Calls that are not taken: by whom, to what, with what, and when there is no room.

use std::{net::Ipv4Addr, process::Command, time::Duration};

use end_to_end::{eventually, programs};

use crate::{
    exchange::{Hotline, LOW},
    g711::Codec,
    line::Line,
    sipp::Sipp,
};

/// Goes on until the caller presses a key.
const WAITS: &str = "
start: hello
steps:
  hello: { say: low, next: rest }
  rest: { menu: middle, keys: { 5: done }, time: 60s, on: { no-input: silent, no-match: silent } }
  silent: { end: silent }
  done: { end: completed }
";

#[tokio::test]
async fn a_call_that_makes_no_sense_is_refused_and_begins_no_contact() {
    let exchange = Hotline::new(&[("1001", WAITS)]).start().await;
    let stranger = Ipv4Addr::new(127, 0, 0, 3);
    let garbage = "v=0\n      this is no description";
    let no_address =
        "v=0\n      o=- 1 1 IN IP4 127.0.0.1\n      s=-\n      t=0 0\n      m=audio 4000 RTP/AVP 0";
    let video = "v=0\n      o=- 1 1 IN IP4 127.0.0.1\n      s=-\n      c=IN IP4 127.0.0.1\n      t=0 0\n      m=video 4000 RTP/AVP 96\n      a=rtpmap:96 H264/90000";
    let refused = |number: &str, status: &str, says: &str| {
        exchange
            .call("refused", number)
            .with("status", status)
            .with("says", says)
    };
    let described = |status: &str, description: &str| {
        exchange
            .call("refused-description", "1001")
            .with("status", status)
            .with("description", description)
    };
    for sipp in [
        // A number that is none of the hotline's.
        refused("9999", "404", "SIP/2.0 404"),
        // Whoever is of no trunk has to say who they are.
        refused("1001", "401", "WWW-Authenticate: *Digest").from(stranger),
        // G.729 alone.
        refused("1001", "488", "SIP/2.0 488").with("formats", "18 101"),
        described("488", garbage),
        described("488", no_address),
        described("488", video),
    ] {
        sipp.start().ends().await;
    }
    assert!(exchange.contacts("1001").await.is_empty());
    exchange.told_nothing(&[]);
}

#[tokio::test]
async fn a_trunk_that_is_full_is_told_when_to_come_again() {
    let exchange = Hotline::new(&[("1001", WAITS)]).trunk(", calls: 1").start().await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(LOW).await;
    let full = || {
        exchange
            .call("refused", "1001")
            .with("status", "503")
            .with("says", "Retry-After: *[1-9]")
    };
    full().start().ends().await;
    line.press("5");
    call.ends().await;
    eventually("the place is free again", async || {
        let (_, up) = exchange.server.asked("/api/v1/calls").await;
        up["calls"].as_array().is_some_and(Vec::is_empty)
    })
    .await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange
        .call_on("call-and-leave", "1001", &line)
        .with("pause", 500)
        .start();
    call.ends().await;
    assert_eq!(exchange.contacts("1001").await.len(), 2);
}

#[tokio::test]
async fn a_server_that_is_full_is_so_for_all_trunks() {
    let exchange = Hotline::new(&[("1001", WAITS)]).calls(1).start().await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(LOW).await;
    exchange
        .call("refused", "1001")
        .with("status", "503")
        .with("says", "Retry-After: *[1-9]")
        .start()
        .ends()
        .await;
    line.press("5");
    call.ends().await;
}

#[tokio::test]
async fn a_server_that_drains_takes_no_calls_and_says_who_is_left() {
    let exchange = Hotline::new(&[("1001", WAITS)]).start().await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(LOW).await;
    let contact = exchange.contact("1001").await;
    let (ended, told) = drain(&exchange.server.url(), "0s").await;
    assert_eq!(ended, Some(1), "{told}");
    assert!(told.contains(&contact), "{told}");
    // Signalling looks every half second.
    tokio::time::sleep(Duration::from_secs(3)).await;
    Sipp::calls("refused", exchange.udp, "1001")
        .with("status", "503")
        .with("says", "Retry-After: *[1-9]")
        .start()
        .ends()
        .await;
    // Who is on a line stays on it, and the command waits for them.
    let server = exchange.server.url();
    let leaves = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        line.press("5");
        call.ends().await;
    };
    let ((), (ended, told)) = tokio::join!(leaves, drain(&server, "20s"));
    assert_eq!(ended, Some(0), "{told}");
    assert!(told.contains("nobody is on a line"), "{told}");
    assert_eq!(
        exchange.ended("1001").await.outcome().as_deref(),
        Some("completed")
    );
}

/// `trunkline drain`: how it ended, and what it said.
async fn drain(server: &str, wait: &str) -> (Option<i32>, String) {
    let (server, wait) = (server.to_owned(), wait.to_owned());
    tokio::task::spawn_blocking(move || {
        let output = Command::new(programs::trunkline())
            .args(["drain", "--server", &server, "--wait", &wait])
            .env_remove("TRUNKLINE_API_KEY")
            .output()
            .expect("trunkline runs");
        (
            output.status.code(),
            format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        )
    })
    .await
    .expect("the command runs to its end")
}
