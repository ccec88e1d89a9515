//! Ways to misbehave.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::{Adversary, mischief};

/// Bytes of one piece that the memory bomb asks for.
const PIECE: usize = 1 << 20;

impl mischief::Guest for Adversary {
    fn trap() {
        panic!("trapped on purpose");
    }

    fn spin() {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns.wrapping_add(1));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "busy by the clock is what this is for")]
    fn work(ms: u32) -> u64 {
        let end = Instant::now() + Duration::from_millis(ms.into());
        let mut turns = 0_u64;
        while Instant::now() < end {
            for _ in 0..1_000 {
                turns = black_box(turns.wrapping_add(1));
            }
        }
        turns
    }

    fn allocate() -> u64 {
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        loop {
            pieces.push(black_box(vec![1; PIECE]));
        }
    }

    fn recurse(depth: u64) -> u64 {
        if black_box(depth) == u64::MAX {
            return 0;
        }
        black_box(Self::recurse(depth + 1)) + 1
    }

    fn recurse_wide(depth: u64) -> u64 {
        let frame = black_box([depth; 128]);
        if frame[0] == u64::MAX {
            return 0;
        }
        black_box(Self::recurse_wide(depth + 1)) + frame[7]
    }

    fn flood_log(lines: u32) -> u32 {
        for line in 0..lines {
            trunkline_sdk::log::info!("line {line}");
        }
        lines
    }

    fn huge_text(bytes: u32) -> String {
        "x".repeat(bytes as usize)
    }

    fn huge_list(bytes: u32) -> Vec<u8> {
        vec![7; bytes as usize]
    }

    fn doze(ms: u32) {
        std::thread::sleep(Duration::from_millis(ms.into()));
    }

    fn leave(status: u8) {
        std::process::exit(status.into());
    }

    fn no_number() -> f64 {
        f64::NAN
    }

    fn long_line(bytes: u32) {
        trunkline_sdk::log::warn!("{}", "好".repeat(bytes as usize / 3));
    }

    fn look_around() -> u32 {
        let files = std::fs::read_dir("/").map_or(0, Iterator::count);
        let found = files + std::env::vars().count() + std::env::args().count();
        let network = std::net::TcpStream::connect("127.0.0.1:80").is_ok();
        found as u32 + u32::from(network)
    }
}
