//! sipp, which calls. Its callers are scenarios in `scenarios/`.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::hotline;

/// Beyond what its calls should take, until sipp gives up.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Says how to install what is missing.
pub(crate) fn ensure_there() -> anyhow::Result<()> {
    let there = Command::new("sipp")
        .arg("-v")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match there {
        Ok(_) => Ok(()),
        Err(error) => bail!("sipp cannot be run ({error}); install it with `apt-get install sip-tester`"),
    }
}

/// Writes what sipp reads.
pub(crate) fn write_scenarios(place: &Path) -> anyhow::Result<()> {
    fs::write(place.join("ask.xml"), include_str!("scenarios/ask.xml"))?;
    fs::write(place.join("hold.xml"), include_str!("scenarios/hold.xml"))?;
    fs::write(place.join("talk.xml"), include_str!("scenarios/talk.xml"))?;
    fs::write(place.join("key.pcap"), pcap())?;
    // Ten seconds of what is no silence; it is repeated.
    let noise = (0..80_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
    fs::write(place.join("talk.ulaw"), noise.collect::<Vec<_>>())?;
    Ok(())
}

/// What sipp is to do.
pub(crate) struct Load {
    scenario: &'static str,
    number: &'static str,
    rate: u32,
    calls: u32,
    held: Duration,
    ports: bool,
}

impl Load {
    /// Calls that press a key and hear the answer.
    pub(crate) const fn asking(rate: u32, calls: u32) -> Self {
        Self::new("ask", hotline::ASKS, rate, calls, Duration::ZERO, false)
    }

    /// Calls that listen for so long, at the ports that were written.
    pub(crate) const fn holding(rate: u32, calls: u32, held: Duration) -> Self {
        Self::new("hold", hotline::PLAYS, rate, calls, held, true)
    }

    /// Calls that listen and talk for so long.
    pub(crate) const fn talking(rate: u32, calls: u32, held: Duration) -> Self {
        Self::new("talk", hotline::PLAYS, rate, calls, held, false)
    }

    const fn new(
        scenario: &'static str,
        number: &'static str,
        rate: u32,
        calls: u32,
        held: Duration,
        ports: bool,
    ) -> Self {
        Self {
            scenario,
            number,
            rate,
            calls,
            held,
            ports,
        }
    }

    fn lasts(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.calls) / f64::from(self.rate)) + self.held
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) calls: u32,
    pub(crate) failed: u32,
    pub(crate) retransmissions: u32,
    /// New calls a second, while they were made.
    pub(crate) rate: f64,
    /// From each INVITE to its 200.
    pub(crate) answered: Vec<Duration>,
    pub(crate) wall: Duration,
    /// What sipp has spent.
    pub(crate) processor: Duration,
}

/// sipp against a server.
pub(crate) struct Sipp<'a> {
    place: &'a Path,
    server: SocketAddr,
}

impl<'a> Sipp<'a> {
    pub(crate) const fn new(place: &'a Path, server: SocketAddr) -> Self {
        Self { place, server }
    }

    fn ports_file(&self) -> PathBuf {
        self.place.join("ports.csv")
    }

    /// Writes the ports at which calls listen, one after the other.
    pub(crate) fn write_ports(&self, ports: &[u16]) -> anyhow::Result<()> {
        let mut text = "SEQUENTIAL\n".to_owned();
        for port in ports {
            text.push_str(&format!("{port}\n"));
        }
        Ok(fs::write(self.ports_file(), text)?)
    }

    /// Makes the calls, and waits until all are over.
    pub(crate) fn run(&self, load: &Load) -> anyhow::Result<Outcome> {
        // What is left of a run before is not read as this one's.
        for file in self.files("_rtt.csv")? {
            fs::remove_file(file)?;
        }
        let statistics = self.place.join("sipp.stat.csv");
        let _ = fs::remove_file(&statistics);
        let mut command = Command::new("sipp");
        command
            .current_dir(self.place)
            .arg(self.server.to_string())
            .args(["-sf", &format!("{}.xml", load.scenario), "-s", load.number])
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1"])
            .args(["-p", &free_port()?.to_string(), "-mp", &media_port()?.to_string()])
            .args(["-cp", &free_port()?.to_string()])
            .args(["-r", &load.rate.to_string(), "-m", &load.calls.to_string()])
            .args(["-l", &load.calls.to_string()])
            .args(["-d", &load.held.as_millis().to_string()])
            .args(["-nostdin", "-trace_rtt", "-rtt_freq", "1"])
            .args(["-trace_stat", "-stf", "sipp.stat.csv", "-fd", "250ms"])
            .args(["-trace_err", "-error_file", "sipp.errors"])
            .args(["-timeout", &format!("{}s", (load.lasts() + PATIENCE).as_secs())]);
        if load.ports {
            command.arg("-inf").arg(self.ports_file());
        }
        let (begin, before) = (Instant::now(), children_spent()?);
        let mut sipp = command
            .stdin(Stdio::null())
            .stdout(File::create(self.place.join("sipp.out"))?)
            .stderr(Stdio::null())
            .spawn()
            .context("failed to run sipp")?;
        // It waits for ever for calls that the other side has forgotten, whatever it is told: those have failed.
        let mut stopped = false;
        let status = loop {
            if let Some(status) = sipp.try_wait()? {
                break status;
            }
            if begin.elapsed() > load.lasts() + PATIENCE * 2 {
                stopped = true;
                sipp.kill()?;
            }
            thread::sleep(LOOK_EVERY);
        };
        let wall = begin.elapsed();
        let processor = children_spent()?.saturating_sub(before);
        // 0 when all went well, 1 when calls failed, 97 when some were still up at the end of the time; else
        // nothing was measured.
        ensure!(
            (stopped || matches!(status.code(), Some(0 | 1 | 97))) && statistics.exists(),
            "sipp ended with {status} instead of calling; it said: {}",
            fs::read_to_string(self.place.join("sipp.errors"))
                .unwrap_or_default()
                .lines()
                .next()
                .unwrap_or("nothing")
        );
        let statistics = Statistics::of(fs::read_to_string(&statistics)?)?;
        let succeeded = statistics.last("SuccessfulCall(C)")?;
        Ok(Outcome {
            calls: load.calls,
            // A call that was not even begun has failed, too.
            failed: load.calls.saturating_sub(succeeded as u32),
            retransmissions: statistics.last("Retransmissions(C)")? as u32,
            rate: statistics.rate()?,
            answered: self.answered()?,
            wall,
            processor,
        })
    }

    fn files(&self, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.place)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(ending) {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// `Date_ms;response_time_ms;rtd_no`, a line a call.
    fn answered(&self) -> anyhow::Result<Vec<Duration>> {
        let mut answered = Vec::new();
        for file in self.files("_rtt.csv")? {
            let text = fs::read_to_string(file)?;
            for line in text.lines().skip(1) {
                let time = line.split(';').nth(1).and_then(|time| time.parse::<f64>().ok());
                answered.push(Duration::from_secs_f64(
                    time.with_context(|| format!("sipp writes {line:?} of a response"))? / 1e3,
                ));
            }
        }
        Ok(answered)
    }
}

/// What sipp wrote of its run, a row every quarter of a second.
struct Statistics {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Statistics {
    fn of(text: String) -> anyhow::Result<Self> {
        let split = |line: &str| line.split(';').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = text.lines().map(split);
        let names = lines.next().context("sipp wrote no statistics")?;
        Ok(Self {
            names,
            rows: lines.collect(),
        })
    }

    fn value(&self, row: &[String], name: &str) -> anyhow::Result<f64> {
        let column = self.names.iter().position(|column| column == name);
        column
            .and_then(|column| row.get(column)?.parse().ok())
            .with_context(|| format!("sipp's statistics have no {name}"))
    }

    fn last(&self, name: &str) -> anyhow::Result<f64> {
        self.value(self.rows.last().context("sipp wrote no statistics")?, name)
    }

    /// New calls a second until the last one was made.
    fn rate(&self) -> anyhow::Result<f64> {
        // `DATE\tTIME\tSECONDS`.
        let seconds = |row: &[String], name: &str| {
            let column = self.names.iter().position(|column| column == name)?;
            row.get(column)?.rsplit('\t').next()?.parse::<f64>().ok()
        };
        let all = self.last("TotalCallCreated")?;
        for row in &self.rows {
            if self.value(row, "TotalCallCreated")? >= all {
                let begin = seconds(row, "StartTime").context("sipp tells no StartTime")?;
                let end = seconds(row, "CurrentTime").context("sipp tells no CurrentTime")?;
                // Rows are a quarter of a second apart: the last call was made up to that much before.
                return Ok(all / (end - begin - 0.125).max(0.25));
            }
        }
        bail!("sipp's statistics do not tell when the last call was made")
    }
}

/// Processor time of children that were waited for.
fn children_spent() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/stat")?;
    let after = text.rsplit(") ").next().unwrap_or_default();
    // Fields 16 and 17, the third being the first after the name.
    let ticks = after
        .split(' ')
        .skip(13)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()?;
    Ok(Duration::from_millis(10) * ticks)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// An even port with the one two further on free, both of which sipp binds.
fn media_port() -> anyhow::Result<u16> {
    (30_000..32_000)
        .step_by(4)
        .find(|port| {
            [*port, port + 2]
                .into_iter()
                .all(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        })
        .context("no two ports are free for sipp's sound")
}

/// The key 1 as its packets were captured: RFC 4733, 100 ms, the end sent three times.
fn pcap() -> Vec<u8> {
    const EVENT: u8 = 101;
    let event = |ends: bool, lasts: u16| {
        let [high, low] = lasts.to_be_bytes();
        [1, if ends { 0x8a } else { 0x0a }, high, low]
    };
    let parts = (1..=5).map(|part| event(false, part * 160));
    let events = parts.chain([event(true, 800); 3]);
    let packets = events.enumerate().map(|(index, event)| {
        let marker = if index == 0 { 0x80 } else { 0 };
        let mut packet = vec![0x80, EVENT | marker];
        packet.extend((1_000 + index as u16).to_be_bytes());
        packet.extend(50_000_u32.to_be_bytes());
        packet.extend(0x51a9_dead_u32.to_be_bytes());
        packet.extend(event);
        (Duration::from_millis(20) * (index as u32).min(5), packet)
    });

    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    for field in [0_u32, 0, 65_535, 1] {
        file.extend(field.to_le_bytes());
    }
    for (at, packet) in packets {
        let udp = 8 + packet.len() as u16;
        let mut bytes = vec![0; 12];
        bytes.extend([0x08, 0x00, 0x45, 0]);
        bytes.extend((20 + udp).to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        for field in [6_000, 6_000, udp, 0] {
            bytes.extend(u16::to_be_bytes(field));
        }
        bytes.extend(packet);
        for field in [
            1_000 + at.as_secs() as u32,
            at.subsec_micros(),
            bytes.len() as u32,
            bytes.len() as u32,
        ] {
            file.extend(field.to_le_bytes());
        }
        file.extend(bytes);
    }
    file
}
