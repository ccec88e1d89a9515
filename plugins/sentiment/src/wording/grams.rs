//! The pieces of a text that are counted: Chinese characters and marks, and runs of two and three
//! of them; English words, and pairs of them. Each is known by a hash. The build counts them in
//! sentences with the same lines as the component reads them with.

/// The longest run of characters.
const RUN_MAX: usize = 3;

/// Gives each piece of a text in lower case and half-width, as often as it stands there, and
/// returns how many characters and words it has.
pub(crate) fn grams(text: &[char], mut give: impl FnMut(u32)) -> usize {
    let mut places = 0;
    let mut run = 0;
    let mut at = 0;
    let mut before = None;
    while at < text.len() {
        if is_counted(text[at]) {
            run += 1;
            at += 1;
            places += 1;
            for length in 1..=run.min(RUN_MAX) {
                give(hash(0, &text[at - length..at]));
            }
        } else if is_letter(text[at]) {
            run = 0;
            let end = text[at..]
                .iter()
                .position(|&char| !is_letter(char))
                .map_or(text.len(), |length| at + length);
            let word = hash(1, &text[at..end]);
            give(word);
            if let Some(before) = before.replace(word) {
                give(hash(before, &text[at..end]));
            }
            at = end;
            places += 1;
        } else {
            run = 0;
            at += 1;
        }
    }
    places
}

fn is_counted(char: char) -> bool {
    matches!(char, '\u{4e00}'..='\u{9fff}' | '!' | '?')
}

fn is_letter(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '\''
}

/// FNV-1a over the characters, from a seed.
fn hash(seed: u32, chars: &[char]) -> u32 {
    chars.iter().fold(0x811c_9dc5 ^ seed, |hash, &char| {
        (hash ^ u32::from(char)).wrapping_mul(0x0100_0193)
    })
}
