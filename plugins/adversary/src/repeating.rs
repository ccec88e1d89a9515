//! Gives back what it takes.

use crate::{
    Adversary,
    echoes::{self, Channels, Citizen, LookupError, Mood, Refusal, Shape},
};

fn someone() -> Citizen {
    Citizen {
        id: "c-1".to_owned(),
        date_of_birth: (1971, 2, 3),
        phones: vec!["+8613800138000".to_owned()],
        district: None,
    }
}

impl echoes::Guest for Adversary {
    fn all_ints(
        a: i8,
        b: u8,
        c: i16,
        d: u16,
        e: i32,
        f: u32,
        g: i64,
        h: u64,
    ) -> (i8, u8, i16, u16, i32, u32, i64, u64) {
        (a, b, c, d, e, f, g, h)
    }

    fn floats(narrow: f32, wide: f64) -> (f32, f64) {
        (narrow, wide)
    }

    fn boolean(value: bool) -> bool {
        value
    }

    fn character(value: char) -> char {
        value
    }

    fn text(value: String) -> String {
        value
    }

    fn bytes(value: Vec<u8>) -> Vec<u8> {
        value
    }

    fn citizens(value: Vec<Citizen>) -> Vec<Citizen> {
        value
    }

    fn shapes(value: Vec<Shape>) -> Vec<Shape> {
        value
    }

    fn moods(value: Vec<Mood>) -> Vec<Mood> {
        value
    }

    fn channel_set(value: Channels) -> Channels {
        value
    }

    fn maybe(value: Option<u32>) -> Option<u32> {
        value
    }

    fn maybe_maybe(value: Option<Option<u32>>) -> Option<Option<u32>> {
        value
    }

    fn results(value: Vec<Result<u32, String>>) -> Vec<Result<u32, String>> {
        value
    }

    fn empty_results(value: Vec<Result<(), ()>>) -> Vec<Result<(), ()>> {
        value
    }

    fn nested(value: Vec<Vec<Vec<Option<Vec<String>>>>>) -> Vec<Vec<Vec<Option<Vec<String>>>>> {
        value
    }

    fn nothing() {}

    fn find(how: String) -> Result<Citizen, LookupError> {
        match how.as_str() {
            "not-found" => Err(LookupError::NotFound),
            "ambiguous" => Err(LookupError::Ambiguous(3)),
            "broken" => Err(LookupError::Broken(someone())),
            _ => Ok(someone()),
        }
    }

    fn refuse_by_name(which: Refusal) -> Result<u32, Refusal> {
        Err(which)
    }

    fn refuse_in_words(words: String) -> Result<(), String> {
        Err(words)
    }

    fn refuse_silently() -> Result<u32, ()> {
        Err(())
    }
}
