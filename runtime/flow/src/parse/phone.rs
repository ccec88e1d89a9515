//! How a hotline is called and calls: `trunks`, `voices`, `ears` and `carriers` of hotline.yaml.

use trunkline_model::Duration;

use super::fields::{Fields, Reader, Style};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::{CallerId, CarrierKind, Codec, PutThrough, Transport},
    limits::{
        CARRIERS_MAX, LINE_CHARS_MAX, NETWORKS_MAX, TRUNK_CALLS_DEFAULT, TRUNK_CALLS_MAX, TRUNKS_MAX,
        VOICE_SPEED_MAX, VOICE_SPEED_MIN,
    },
    source::{Span, Word},
    start::Rate,
    syntax::{CarrierSyntax, EarsSyntax, TrunkSyntax, VoiceSyntax},
    yaml::Node,
};

/// How many new calls a trunk may bring when it does not say.
const RATE_DEFAULT: Rate = Rate {
    count: 20,
    per: Duration::from_secs(1),
};

pub(super) fn trunks(reader: &Reader<'_>, node: &Node) -> Vec<TrunkSyntax> {
    let mut trunks = Vec::new();
    let entries = reader.entries(node, "`trunks`");
    if let Some(entry) = entries.get(TRUNKS_MAX) {
        too_many(reader, entry.key.span, "trunks", TRUNKS_MAX);
    }
    for entry in entries.iter().take(TRUNKS_MAX) {
        reader.name(&entry.key, "a trunk", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a trunk", entry.key.span);
        let _title = fields.word(reader, "title");
        let from = fields.take("from").map(|node| reader.plain_list(node, "`from`"));
        if let Some(network) = from.as_ref().and_then(|from| from.get(NETWORKS_MAX)) {
            too_many(
                reader,
                network.span,
                "addresses and networks of a trunk",
                NETWORKS_MAX,
            );
        }
        let trunk = TrunkSyntax {
            name: entry.key.clone(),
            from,
            login: fields
                .word(reader, "login")
                .inspect(|user| user_name(reader, user)),
            secret: secret(reader, &mut fields),
            to: fields.word(reader, "to"),
            transport: one_of(reader, &mut fields, "transport", &Transport::NAMES, "transport")
                .unwrap_or_default(),
            register: register(reader, &mut fields),
            codecs: codecs(reader, &mut fields),
            calls_max: fields.count_within(reader, "calls", TRUNK_CALLS_DEFAULT, 1..=TRUNK_CALLS_MAX),
            rate: fields
                .word(reader, "rate")
                .and_then(|word| reader.read::<Rate>(&word, "`rate`"))
                .unwrap_or(RATE_DEFAULT),
            strip: fields
                .word(reader, "strip")
                .filter(|strip| is_prefix(reader, strip)),
            caller_id: one_of(
                reader,
                &mut fields,
                "caller-id",
                &CallerId::NAMES,
                "kind of `caller-id`",
            )
            .unwrap_or_default(),
            country: fields
                .word(reader, "country")
                .filter(|country| is_calling_code(reader, country)),
            put_through: one_of(
                reader,
                &mut fields,
                "put-through",
                &PutThrough::NAMES,
                "way to put callers through",
            )
            .unwrap_or_default(),
        };
        fields.finish(reader);
        trunks.push(trunk);
    }
    trunks
}

/// Where `register: true` stands.
fn register(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Option<Span> {
    let registers = fields.bool(reader, "register");
    fields
        .entry("register")
        .filter(|_| registers)
        .map(|entry| entry.key.span)
}

fn too_many(reader: &Reader<'_>, span: Span, what: &str, max: usize) {
    reader.report(Finding::new(
        Code::TooLarge,
        span,
        format!("there may be at most {max} {what}"),
    ));
}

/// A field that takes one of some words.
fn one_of<T: Copy>(
    reader: &Reader<'_>,
    fields: &mut Fields<'_>,
    name: &'static str,
    names: &[(&'static str, T)],
    what: &str,
) -> Option<T> {
    fields
        .word(reader, name)
        .and_then(|word| choice(reader, &word, names, what))
}

fn choice<T: Copy>(reader: &Reader<'_>, word: &Word, names: &[(&'static str, T)], what: &str) -> Option<T> {
    let found = names.iter().find(|(name, _)| *name == word.as_str());
    if found.is_none() {
        reader.report(
            Finding::new(
                Code::WrongValue,
                word.span,
                format!("there is no {what} `{}`", word.as_str()),
            )
            .help_if(did_you_mean(
                "there are",
                word.as_str(),
                names.iter().map(|(name, _)| *name),
            )),
        );
    }
    found.map(|(_, value)| *value)
}

/// What may be spoken; all without a word of it, none only when what was written cannot be.
fn codecs(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Vec<Codec> {
    let Some(entry) = fields.entry("codecs") else {
        fields.take("codecs");
        return Codec::NAMES.map(|(_, codec)| codec).to_vec();
    };
    let written = fields
        .take("codecs")
        .map(|node| reader.plain_list(node, "`codecs`"))
        .unwrap_or_default();
    if written.is_empty() {
        reader.report(
            Finding::new(
                Code::WrongValue,
                entry.key.span,
                "a trunk without codecs carries no speech",
            )
            .help("write `codecs: [pcma, pcmu]`, or leave `codecs` out"),
        );
    }
    let mut codecs = Vec::new();
    for word in &written {
        let Some(codec) = choice(reader, word, &Codec::NAMES, "codec") else {
            continue;
        };
        if codecs.contains(&codec) {
            reader.report(Finding::new(
                Code::DuplicateName,
                word.span,
                format!("`{}` stands here twice", word.as_str()),
            ));
        } else {
            codecs.push(codec);
        }
    }
    codecs
}

fn secret(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Option<Word> {
    let secret = fields.word(reader, "secret");
    if let Some(secret) = &secret {
        reader.name(secret, "a secret", Style::Kebab);
    }
    secret
}

/// Reports a word that cannot stand before the `@` of an address as it is (RFC 3261, 25.1).
fn user_name(reader: &Reader<'_>, user: &Word) {
    let fits = user.as_str().len() <= LINE_CHARS_MAX
        && user
            .as_str()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte));
    if !fits {
        reader.report(
            Finding::new(
                Code::WrongValue,
                user.span,
                format!("`{}` cannot be a user's name", user.as_str()),
            )
            .help("write what stands before the `@` of its address: letters, digits and signs, at most 100"),
        );
    }
}

fn is_prefix(reader: &Reader<'_>, strip: &Word) -> bool {
    let text = strip.as_str();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let fits =
        text.len() <= LINE_CHARS_MAX && !text.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !fits {
        reader.report(
            Finding::new(
                Code::WrongValue,
                strip.span,
                format!("`{text}` is nothing that numbers begin with"),
            )
            .help("write the digits that called numbers begin with, in quotes: `strip: \"+86571\"`"),
        );
    }
    fits
}

/// Digits of a country's calling code (E.164).
const CALLING_CODE_DIGITS_MAX: usize = 3;

/// Whether a text is a country's calling code; reports one that is not.
fn is_calling_code(reader: &Reader<'_>, country: &Word) -> bool {
    let text = country.as_str();
    let fits = (1..=CALLING_CODE_DIGITS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0');
    if !fits {
        reader.report(
            Finding::new(
                Code::WrongValue,
                country.span,
                format!("`{text}` is no country's calling code"),
            )
            .help("write its digits, in quotes: `country: \"86\"`"),
        );
    }
    fits
}

pub(super) fn voices(reader: &Reader<'_>, node: &Node) -> Vec<VoiceSyntax> {
    let mut voices = Vec::new();
    for entry in reader.entries(node, "`voices`") {
        let mut fields = reader.fields(&entry.value, "a voice", entry.key.span);
        let voice = VoiceSyntax {
            language: entry.key.clone(),
            engine: engine(reader, &mut fields, "espeak-ng"),
            voice: fields
                .word(reader, "voice")
                .filter(|voice| is_voice(reader, voice)),
            speed: fields
                .word(reader, "speed")
                .and_then(|word| speed(reader, &word))
                .unwrap_or(1.0),
        };
        fields.finish(reader);
        voices.push(voice);
    }
    voices
}

fn engine(reader: &Reader<'_>, fields: &mut Fields<'_>, example: &str) -> Option<Word> {
    let engine = fields.need_word(reader, "engine", example);
    if let Some(engine) = &engine {
        reader.name(engine, "an engine", Style::Kebab);
    }
    engine
}

/// What an engine calls its voices goes into commands and addresses: nothing that means something there.
fn is_voice(reader: &Reader<'_>, voice: &Word) -> bool {
    let text = voice.as_str();
    let fits = text.chars().count() <= LINE_CHARS_MAX
        && text.starts_with(char::is_alphanumeric)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | ':' | ' '));
    if !fits {
        reader.report(
            Finding::new(
                Code::WrongValue,
                voice.span,
                format!("`{text}` cannot be the name of an engine's voice"),
            )
            .help("write it as the engine lists it, such as `cmn` or `en-us`"),
        );
    }
    fits
}

fn speed(reader: &Reader<'_>, word: &Word) -> Option<f64> {
    let speed = reader.read::<f64>(word, "`speed`")?;
    if (VOICE_SPEED_MIN..=VOICE_SPEED_MAX).contains(&speed) {
        return Some(speed);
    }
    reader.report(
        Finding::new(
            Code::WrongValue,
            word.span,
            format!(
                "`speed` is from {VOICE_SPEED_MIN} to {VOICE_SPEED_MAX}, not {}",
                word.as_str()
            ),
        )
        .help("1 is as fast as the engine speaks by itself"),
    );
    None
}

pub(super) fn ears(reader: &Reader<'_>, node: &Node, start: Span) -> EarsSyntax {
    let mut fields = reader.fields(node, "`ears`", start);
    let engine = engine(reader, &mut fields, "house");
    let languages = fields
        .need(reader, "languages", "[zh-CN]")
        .map(|node| reader.plain_list(node, "`languages`"))
        .unwrap_or_default();
    fields.finish(reader);
    EarsSyntax { engine, languages }
}

pub(super) fn carriers(reader: &Reader<'_>, node: &Node) -> Vec<CarrierSyntax> {
    let mut carriers = Vec::new();
    let entries = reader.entries(node, "`carriers`");
    if let Some(entry) = entries.get(CARRIERS_MAX) {
        too_many(reader, entry.key.span, "carriers", CARRIERS_MAX);
    }
    for entry in entries.iter().take(CARRIERS_MAX) {
        reader.name(&entry.key, "a carrier", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a carrier", entry.key.span);
        let _title = fields.word(reader, "title");
        let kind = fields
            .need_word(reader, "kind", "twiml")
            .and_then(|word| choice(reader, &word, &CarrierKind::NAMES, "kind of carrier"));
        let url = fields
            .need_word(reader, "url", "\"https://hotline.example.org\"")
            .and_then(|word| reader.read(&word, "`url`"));
        let secret = fields.need_word(reader, "secret", "twiml-token");
        if let Some(secret) = &secret {
            reader.name(secret, "a secret", Style::Kebab);
        }
        let numbers = fields
            .take("numbers")
            .map(|node| reader.plain_list(node, "`numbers`"));
        fields.finish(reader);
        carriers.push(CarrierSyntax {
            name: entry.key.clone(),
            kind,
            url,
            secret,
            numbers,
        });
    }
    carriers
}
