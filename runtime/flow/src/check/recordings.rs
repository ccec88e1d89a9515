//! Recordings of prompts: they are there, their length is known, and they say no values.

use super::{prompts::place, world::World};
use crate::{
    diagnostics::{Code, Finding},
    expression::markup::Markup,
    limits::RECORDING_SECONDS_MAX,
    source::Word,
    step::Recording,
    syntax::RecordingSyntax,
};

/// By how many seconds the length that is written may miss the file's.
const SECONDS_OFF_MAX: f64 = 0.1;

/// The recording that says a text; none when it is not there, or something is wrong with it.
pub(super) fn check(
    world: &World<'_>,
    written: &RecordingSyntax,
    text: &Word,
    markup: Option<&Markup>,
) -> Option<Recording> {
    let path = &written.path;
    if let Some(tree) = markup.and_then(Markup::first_value) {
        world.report(
            Finding::new(
                Code::RecordingWithValues,
                place(world, text, tree.range.clone()),
                format!("the recording `{}` cannot say a value", path.as_str()),
            )
            .label(path.span, "the recording")
            .help("leave the recording out, so that the text is said with the value in it"),
        );
        return None;
    }
    let Some(known) = world.recordings.get(&path.value) else {
        world.report(
            Finding::new(
                Code::NoRecording,
                path.span,
                format!(
                    "there is no file {}, so a synthetic voice says the text",
                    path.as_str()
                ),
            )
            .help("copy the recording into the hotline's folder, or write the text alone"),
        );
        return None;
    };
    let stated = written.seconds.map(|seconds| seconds.value);
    let seconds = match (known, &written.seconds) {
        (Some(known), Some(seconds)) if (known - seconds.value).abs() > SECONDS_OFF_MAX => {
            world.report(
                Finding::new(
                    Code::RecordingLength,
                    seconds.span,
                    format!(
                        "the recording is {known:.1} seconds long, not {}, and that is what counts",
                        seconds.value
                    ),
                )
                .warning()
                .help("leave `seconds` out: the file tells it"),
            );
            Some(*known)
        }
        (known, _) => known.or(stated),
    };
    let Some(seconds) = seconds else {
        world.report(
            Finding::new(
                Code::RecordingLength,
                path.span,
                format!("how long {} is cannot be told from the file", path.as_str()),
            )
            .help("write its length beside it: `seconds: 6.5`; of a WAV file the header tells it"),
        );
        return None;
    };
    if seconds > RECORDING_SECONDS_MAX {
        world.report(
            Finding::new(
                Code::RecordingLength,
                path.span,
                format!("the recording is {seconds:.0} seconds long; it may be {RECORDING_SECONDS_MAX}"),
            )
            .help("say less at a time"),
        );
        return None;
    }
    if !world.hotline.trunks.is_empty() && !is_wav(path.as_str()) {
        world.report(
            Finding::new(
                Code::NotForPhones,
                path.span,
                format!(
                    "phones cannot play {}, so a synthetic voice says the text",
                    path.as_str()
                ),
            )
            .help("save the recording as WAV: mono, 8 kHz or more; the hotline has `trunks`"),
        );
        // What is said is what rules judge: R8 wants a synthetic voice to be announced.
        return None;
    }
    Some(Recording {
        path: path.value.clone(),
        seconds,
    })
}

fn is_wav(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("wav"))
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn recordings_are_there_and_their_length_is_known() {
        assert_findings(
            r##"
--- audio/welcome.wav
6.5
--- audio/long.wav
4000
--- audio/notice.mp3
--- prompts/zh-CN.yaml
a: { recording: audio/welcome.wav, text: "您好[pause 1s]请讲" }
b: { recording: audio/welcome.wav, text: 您好, seconds: 5 }
#                                                     ^ TL0410: the recording is 6.5 seconds long, not 5
c: { recording: audio/notice.mp3, text: 您好, seconds: 5.5 }
d: { recording: audio/notice.mp3, text: 您好 }
#               ^^^^^^^^^^^^^^^^ TL0410: how long audio/notice.mp3 is cannot be told
e: { recording: audio/gone.wav, text: 您好 }
#               ^^^^^^^^^^^^^^ TL0411: there is no file audio/gone.wav
f: { recording: audio/welcome.wav, text: "您好{contact.number}" }
#                                            ^^^^^^^^^^^^^^ TL0409: the recording `audio/welcome.wav` cannot say a value
g: { recording: ../welcome.wav, text: 您好, second: 1 }
#               ^^^^^^^^^^^^^^ TL0010: `../welcome.wav` is no plain path
#                                         ^^^^^^ TL0006: a prompt has no field `second`
h: { recording: audio/welcome.txt, text: 您好, seconds: 0 }
#               ^^^^^^^^^^^^^^^^^ TL0010: `audio/welcome.txt` is no recording by its ending
#                                                     ^ TL0010: `seconds` should be more than 0
i: { text: 您好 }
# TL0007: a prompt needs `recording`
j: { recording: audio/long.wav, text: 您好 }
#               ^^^^^^^^^^^^^^ TL0410: the recording is 4000 seconds long
--- prompts/en.yaml
a: Hello
b: Hello
c: Hello
d: Hello
e: Hello
f: Hello
g: Hello
h: Hello
i: Hello
j: Hello
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: a, next: b }
  b: { say: b, next: c }
  c: { say: c, next: d }
  d: { say: d, next: e }
  e: { say: e, next: f }
  f: { say: f, next: g }
  g: { say: g, next: h }
  h: { say: h, next: i }
  i: { say: i, next: j }
  j: { say: j, next: done }
  done: { end: completed }
"##,
        );
    }
}
