//! The hotline that is called: a menu with a plugin behind it at 100, a long recording at 200.

use std::{f64::consts::TAU, fs, path::Path, time::Duration};

use trunkline_media::Codec;

/// The number that asks, looks it up and answers.
pub(crate) const ASKS: &str = "100";
/// The number that plays for long.
pub(crate) const PLAYS: &str = "200";
/// How long that is.
pub(crate) const STORY: Duration = Duration::from_secs(90);

const RATE: u32 = 8_000;

const HOTLINE: &str = r#"hotline: capacity
languages: [en]
time-zone: Asia/Shanghai
numbers:
  "100": { flow: asks }
  "200": { flow: plays }
plugins:
  sentiment:
    component: plugins/sentiment.wasm
    department: hotline-centre
    config: { anxious-from: "0.35", angry-from: "0.5" }
trunks:
  exchange: { from: [127.0.0.1], rate: 5000 per second, calls: 5000 }
"#;

const GRANTS: &str = "sentiment:\n  limits: { time: 2s, memory: 16MiB, concurrent: 64 }\n";

const ASKS_FLOW: &str = r#"flow: asks
vars: { words: string?, mood: sentiment.mood? }
start: topics
steps:
  topics:
    menu: topics
    keys: { 1: { say: k-bus, next: bus }, 2: { say: k-park, next: park } }
    on: { no-input: mute, no-match: mute }
  bus: { set: { words: "${'I am furious, the bus is late again and nobody answers! SAVE'}" }, next: feel }
  park: { set: { words: "${'Thank you, the new park is lovely.'}" }, next: feel }
  feel:
    call: sentiment.score
    with: { text: "${words}" }
    save: mood
    time: 2s
    on: { fault: unscored }
    next: by-mood
  by-mood:
    choose:
      - { when: "${has(mood) && mood.level == 'angry'}", next: sorry }
      - { else: not-angry }
  sorry: { say: sorry, next: done }
  not-angry: { end: not-angry }
  done: { end: completed }
  mute: { end: mute }
  unscored: { end: unscored }
"#;

const PLAYS_FLOW: &str =
    "flow: plays\nstart: story\nsteps:\n  story: { say: story, next: done }\n  done: { end: completed }\n";

/// Prompts with the seconds of their recordings, and the pitch by which they are told apart.
const PROMPTS: [(&str, u64, f64); 5] = [
    ("topics", 1, 440.0),
    ("k-bus", 1, 500.0),
    ("k-park", 1, 550.0),
    ("sorry", 1, 600.0),
    ("story", STORY.as_secs(), 700.0),
];

/// Writes the hotline into a folder's folder `hotline`, with the plugin that is built from source.
pub(crate) fn write(place: &Path) -> anyhow::Result<()> {
    let folder = place.join("hotline");
    for part in ["flows", "prompts", "audio", "plugins"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("hotline.yaml"), HOTLINE)?;
    fs::write(folder.join("grants.yaml"), GRANTS)?;
    fs::write(folder.join("flows/plays.yaml"), PLAYS_FLOW)?;
    let mut table = String::new();
    for (name, seconds, pitch) in PROMPTS {
        table.push_str(&format!(
            "{name}: {{ recording: audio/{name}.wav, text: \"This is {name}.\" }}\n"
        ));
        fs::write(folder.join(format!("audio/{name}.wav")), wav(seconds, pitch))?;
    }
    fs::write(folder.join("prompts/en.yaml"), table)?;
    fs::write(
        folder.join("plugins/sentiment.wasm"),
        benchmarks::component("sentiment")?,
    )?;
    save(place, 0)
}

/// Saves the flow that asks so that it differs from every other save.
pub(crate) fn save(place: &Path, number: u32) -> anyhow::Result<()> {
    let text = ASKS_FLOW.replace("SAVE", &format!("Complaint {number}."));
    Ok(fs::write(place.join("hotline/flows/asks.yaml"), text)?)
}

/// Writes the prompts of the number that asks into a folder, as µ-law without a head.
pub(crate) fn write_mu_law(folder: &Path) -> anyhow::Result<()> {
    for (name, seconds, pitch) in PROMPTS.into_iter().filter(|(name, ..)| *name != "story") {
        let samples: Vec<_> = tone(seconds, pitch).collect();
        let mut bytes = vec![0; samples.len()];
        Codec::Pcmu.encode_into(&samples, &mut bytes);
        fs::write(folder.join(format!("{name}.ulaw")), bytes)?;
    }
    Ok(())
}

fn tone(seconds: u64, pitch: f64) -> impl Iterator<Item = i16> {
    let sample = move |at: u64| (at as f64 * pitch / f64::from(RATE) * TAU).sin() * 8_000.0;
    (0..seconds * u64::from(RATE)).map(move |at| sample(at) as i16)
}

/// A tone as a WAV file of 16 bits.
fn wav(seconds: u64, pitch: f64) -> Vec<u8> {
    let bytes = seconds as u32 * RATE * 2;
    let mut wav = Vec::with_capacity(44 + bytes as usize);
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * 2).to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    for sample in tone(seconds, pitch) {
        wav.extend(sample.to_le_bytes());
    }
    wav
}
