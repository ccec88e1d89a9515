//! Asks the host for more than is good.

use std::{hint::black_box, time::Duration};

use trunkline_sdk::{http, kv};
use wasip2::{
    clocks::{monotonic_clock, wall_clock},
    http::{
        outgoing_handler,
        types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
    },
    random::random::get_random_bytes,
};

use crate::{Adversary, floods};

const NANOS_PER_MS: u64 = 1_000_000;

impl floods::Guest for Adversary {
    fn kv(times: u32) -> u32 {
        let set = |time: u32| kv::set("flood", &time.to_le_bytes(), None).is_ok();
        (0..times).map(|time| u32::from(set(time))).sum()
    }

    fn kv_reads(times: u32) -> u32 {
        (0..times).map(|_| u32::from(kv::get("flood").is_ok())).sum()
    }

    fn clocks(times: u32) -> u64 {
        (0..times).fold(0, |sum, _| {
            sum ^ monotonic_clock::now() ^ wall_clock::now().seconds
        })
    }

    fn random(bytes: u64, times: u32) -> u64 {
        (0..times).map(|_| get_random_bytes(bytes).len() as u64).sum()
    }

    fn subscriptions(times: u32) -> u32 {
        let kept: Vec<_> = (0..times)
            .map(|_| monotonic_clock::subscribe_duration(1))
            .collect();
        black_box(kept.len()) as u32
    }

    fn fill(bytes: u32, times: u32) -> u32 {
        let mut memory = vec![0_u8; bytes as usize];
        for time in 0..times {
            black_box(&mut memory).fill(time as u8);
        }
        memory.iter().map(|byte| u32::from(*byte)).sum()
    }

    fn requests(url: String, times: u32) -> u32 {
        let answered = || {
            let reply = http::get(url.clone()).timeout(Duration::from_secs(60)).send();
            u32::from(reply.is_ok())
        };
        (0..times).map(|_| answered()).sum()
    }

    fn trickle(url: String, bytes: u32, pause_ms: u32) -> Result<u16, String> {
        let broken = |why: &str| why.to_owned();
        let rest = url.strip_prefix("http://").ok_or("only http:// is known")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = OutgoingRequest::new(Fields::new());
        let set = [
            request.set_method(&Method::Post),
            request.set_scheme(Some(&Scheme::Http)),
            request.set_authority(Some(authority)),
            request.set_path_with_query(Some(path)),
        ];
        if set.contains(&Err(())) {
            return Err(broken("no address"));
        }
        let body = request.body().map_err(|()| broken("no body"))?;
        let reply = outgoing_handler::handle(request, None).map_err(|code| code.to_string())?;
        let stream = body.write().map_err(|()| broken("no stream"))?;
        for _ in 0..bytes {
            monotonic_clock::subscribe_duration(u64::from(pause_ms) * NANOS_PER_MS).block();
            stream
                .blocking_write_and_flush(b"x")
                .map_err(|error| format!("the body was cut: {error}"))?;
        }
        drop(stream);
        OutgoingBody::finish(body, None).map_err(|code| code.to_string())?;
        reply.subscribe().block();
        match reply.get() {
            Some(Ok(Ok(response))) => Ok(response.status()),
            Some(Ok(Err(code))) => Err(code.to_string()),
            _ => Err(broken("no reply")),
        }
    }
}
