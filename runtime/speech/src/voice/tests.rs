use std::{fs, path::Path};

use trunkline_model::Duration as Span;

use super::*;
use crate::{Progress, wav};

/// A folder with an engine in it: a program that notes what it was asked, and says it with a
/// sound of 10 ms for each byte of the text.
struct House {
    folder: tempfile::TempDir,
    /// The settings besides the engine's command.
    settings: String,
}

impl House {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        for length in 1..100_u32 {
            fs::write(
                folder.path().join(format!("{length}.wav")),
                wav::sample(length * 10),
            )
            .expect("there is room");
        }
        Self {
            folder,
            settings: settings.to_owned(),
        }
    }

    fn voices(&self) -> Voices {
        const SAYS: &str = r#"cd "$1"; text=$(cat); echo "$2 $3 $text" >> asked; sleep 0.1
            case $text in *wrong*) exit 1;; esac
            exec cat "$(printf '%s' "$text" | wc -c | tr -d ' ').wav""#;
        let mut settings: Settings = toml::from_str(&self.settings).expect("they are read");
        let command = [
            "sh",
            "-c",
            SAYS,
            "sh",
            &self.path().display().to_string(),
            "{voice}",
            "{speed}",
        ];
        settings.engines.entry("house".to_owned()).or_default().command =
            Some(command.map(str::to_owned).to_vec());
        settings.cache.folder = settings.cache.folder.map(|folder| self.path().join(folder));
        Voices::new(&settings, &Secrets::new(|_| None)).expect("they are good")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the engine was asked, in the order of the texts.
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.path().join("asked")).unwrap_or_default();
        let mut asked: Vec<_> = asked.lines().map(str::to_owned).collect();
        asked.sort();
        asked
    }

    fn files(&self) -> usize {
        fs::read_dir(self.path().join("kept")).map_or(0, Iterator::count)
    }
}

fn choices(yaml_like: &[(&str, &str, Option<f32>)]) -> VoiceChoices {
    let choices = yaml_like.iter().map(|(language, voice, speed)| {
        let choice = VoiceChoice {
            engine: "house".into(),
            voice: (!voice.is_empty()).then(|| (*voice).into()),
            speed: *speed,
        };
        ((*language).into(), choice)
    });
    VoiceChoices(choices.collect())
}

fn prompt(parts: Vec<Speech>, text: &str) -> Prompt {
    Prompt {
        language: "en".into(),
        parts,
        text: text.into(),
    }
}

fn nothing(_: &str) -> Option<Sound> {
    None
}

fn millis(spoken: &Spoken) -> Vec<u128> {
    spoken
        .sounds
        .iter()
        .map(|sound| sound.length().as_millis())
        .collect()
}

#[tokio::test]
async fn a_prompt_is_words_silence_and_recordings_in_their_order() {
    let house = House::new("");
    let voices = house.voices();
    let choices = choices(&[("en", "amy", Some(1.5))]);
    let parts = vec![
        Speech::Text("Nine char".into()),
        Speech::Pause(Span::from_millis(500)),
        Speech::Text("Press ".into()),
        Speech::Digits("12".into()),
        Speech::Text(".".into()),
    ];
    let spoken = voices
        .say(&choices, &prompt(parts, "not said"), &nothing)
        .await
        .unwrap();
    assert_eq!(millis(&spoken), [90, 500, 100]);
    assert_eq!(spoken.length(), Duration::from_millis(690));
    assert_eq!(spoken.synthesised, 2);
    assert_eq!(house.asked(), ["amy 1.5 Nine char", "amy 1.5 Press 1 2."]);

    let recording = Speech::Recording {
        path: "audio/a.wav".into(),
        length: Span::from_secs(1),
    };
    let recorded = prompt(vec![recording], "Welcome");
    let play = |path: &str| (path == "audio/a.wav").then(|| Sound::silence(Duration::from_secs(1)));
    let spoken = voices.say(&choices, &recorded, &play).await.unwrap();
    assert_eq!((millis(&spoken), spoken.synthesised), (vec![1_000], 0));
    // It cannot be played: its text is said.
    let spoken = voices.say(&choices, &recorded, &nothing).await.unwrap();
    assert_eq!((millis(&spoken), spoken.synthesised), (vec![70], 1));
}

#[tokio::test]
async fn the_same_is_said_once_by_the_engine_whoever_asks_and_whenever() {
    let house = House::new("");
    let voices = house.voices();
    let choices = choices(&[("en", "", None)]);
    let hello = prompt(Vec::new(), "Hello");
    let at_once = futures::future::join_all((0..20).map(|_| voices.say(&choices, &hello, &nothing))).await;
    let synthesised: usize = at_once
        .into_iter()
        .map(|spoken| spoken.unwrap().synthesised)
        .sum();
    assert_eq!(synthesised, 1);
    assert_eq!(
        voices.say(&choices, &hello, &nothing).await.unwrap().synthesised,
        0
    );
    assert_eq!(house.asked(), [" 1 Hello"]);
    // Whoever hangs up does not take it from the others, and alone takes it from the engine.
    let other = prompt(Vec::new(), "Other");
    let gone = voices.say(&choices, &other, &nothing);
    let stays = voices.say(&choices, &other, &nothing);
    let (gone, stays) = tokio::join!(tokio::time::timeout(Duration::from_millis(30), gone), stays);
    assert!(gone.is_err() && stays.is_ok());
    assert_eq!(house.asked().len(), 2);
}

#[tokio::test]
async fn what_is_said_to_one_caller_is_not_written_to_disk() {
    let house = House::new("[cache]\nfolder = \"kept\"");
    let choices = Arc::new(choices(&[("en", "", None)]));
    let (private, public) = (prompt(Vec::new(), "Ms Wang"), prompt(Vec::new(), "Hello"));
    let voices = house.voices();
    voices.say(&choices, &private, &nothing).await.unwrap();
    // Said before it was prepared, and on disk all the same when it is.
    voices.say(&choices, &public, &nothing).await.unwrap();
    assert_eq!(house.files(), 0);
    let warmed = voices.warm(choices.clone(), vec![public.clone()]).done().await;
    assert_eq!((warmed.ready, house.files()), (1, 1));
    // Another process.
    let voices = house.voices();
    assert_eq!(
        voices.say(&choices, &public, &nothing).await.unwrap().synthesised,
        0
    );
    assert_eq!(
        voices
            .say(&choices, &private, &nothing)
            .await
            .unwrap()
            .synthesised,
        1
    );
    // A file that was touched is made again.
    let file = fs::read_dir(house.path().join("kept"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(
        house
            .voices()
            .say(&choices, &public, &nothing)
            .await
            .unwrap()
            .synthesised,
        1
    );

    let house = House::new("[cache]\nfolder = \"kept\"\nkeep = \"all\"");
    house.voices().say(&choices, &private, &nothing).await.unwrap();
    assert_eq!(house.files(), 1);
    assert_eq!(
        house
            .voices()
            .say(&choices, &private, &nothing)
            .await
            .unwrap()
            .synthesised,
        0
    );
}

#[tokio::test]
async fn voices_and_speeds_are_not_taken_for_each_other() {
    let house = House::new("[engines.house]\nvoice = \"usual\"");
    let voices = house.voices();
    let hello = prompt(Vec::new(), "Hello");
    for (voice, speed) in [
        ("", None),
        ("amy", None),
        ("amy", Some(1.5)),
        ("amy", Some(9.0)),
        ("amy", Some(f32::NAN)),
    ] {
        voices
            .say(&choices(&[("en", voice, speed)]), &hello, &nothing)
            .await
            .unwrap();
    }
    assert_eq!(
        house.asked(),
        ["amy 1 Hello", "amy 1.5 Hello", "amy 2 Hello", "usual 1 Hello"]
    );
}

#[tokio::test]
async fn prompts_are_prepared_until_nobody_wants_them() {
    let house = House::new("[cache]\nfolder = \"kept\"");
    let voices = house.voices();
    let choices = Arc::new(choices(&[("en", "", None)]));
    let prompts = |count| {
        (0..count)
            .map(|number| prompt(Vec::new(), &format!("Prompt {number}")))
            .collect::<Vec<_>>()
    };
    let mut three = prompts(2);
    three.push(prompt(Vec::new(), "This is wrong"));
    let done = voices.warm(choices.clone(), three).done().await;
    let expected = Progress {
        prompts: 3,
        ready: 2,
        failed: 1,
    };
    assert_eq!(done, expected);

    let warming = voices.warm(choices, prompts(100));
    while warming.progress().ready < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(warming);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = house.asked().len();
    assert!(asked < 20, "{asked}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.asked().len(), asked);
}

#[tokio::test]
async fn what_cannot_be_said_says_why() {
    let house = House::new("");
    let voices = house.voices();
    let text = |text: &str| prompt(Vec::new(), text);
    // One utterance that fails fails the whole.
    let parts = vec![
        Speech::Text("Do".into()),
        Speech::Pause(Span::from_millis(1)),
        Speech::Text("wrong".into()),
    ];
    let error = voices
        .say(&choices(&[("en", "", None)]), &prompt(parts, ""), &nothing)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "failed");
    let mut unknown = choices(&[("en", "", None)]);
    if let Some(choice) = unknown.0.get_mut("en") {
        choice.engine = "cloud".into();
    }
    let error = voices.say(&unknown, &text("Hello"), &nothing).await.unwrap_err();
    assert_eq!(voices.available("cloud"), Err(error.clone()));
    assert_eq!(
        error.to_string(),
        "the engine cloud is missing: declare it as [engines.cloud] in phone.toml, or name another in hotline.yaml"
    );
    assert_eq!(voices.available("house"), Ok(()));
    // Silence needs no voice.
    let silence = prompt(vec![Speech::Pause(Span::from_millis(20))], "");
    let spoken = voices.say(&unknown, &silence, &nothing).await.unwrap();
    assert_eq!(millis(&spoken), [20]);
}

#[test]
fn a_language_takes_the_voice_of_its_shorter_tag() {
    let choices = choices(&[
        ("zh", "zh", None),
        ("zh-yue", "yue", None),
        ("en-GB", "amy", None),
    ]);
    for (language, voice) in [
        ("zh-CN", Some("zh")),
        ("zh-yue", Some("yue")),
        ("zh-yue-HK", Some("yue")),
        ("ZH-cn", Some("zh")),
        ("en-gb", Some("amy")),
        ("en", None),
        ("de", None),
    ] {
        let found = choices.find(language).and_then(|choice| choice.voice.as_deref());
        assert_eq!(found, voice, "{language}");
    }
}
