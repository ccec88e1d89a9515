//! Adds up what the words of a text tell of a mood.
//!
//! Each word of mood has a strength. Words of degree before it multiply it, a word of degree
//! right after it too; a negator before it turns it: worry denied is a little calm, content
//! denied is displeasure. Exclamation marks and capitals strengthen. Sums become numbers
//! from 0 to 1 by `1 - e^(-sum / SCALE)`: each further word moves the score less.

use crate::{
    lexicon::Class,
    segment::{Piece, Reading, segment},
    wording,
};

/// The sum at which a score reaches 63 %.
const SCALE: f64 = 3.0;

/// Unknown characters or words that may stand between a modifier and its word.
const REACH: usize = 4;

/// The most that words of degree make of a word together, and the least.
const DEGREE_MAX: f64 = 2.5;
const DEGREE_MIN: f64 = 0.3;

/// What is left, as calm, of anger or worry that is denied: "not angry" is not joy.
const DENIED_AS_CALM: f64 = 0.4;

/// What is left, as anger, of content that is denied: "not happy".
const DENIED_AS_ANGER: f64 = 1.2;

/// How much calm takes away of distress: politeness does not undo an emergency.
const CALM_COUNTS: f64 = 0.6;

/// What counts of a clause before "but".
const BEFORE_CONTRAST: f64 = 0.5;

/// From how much trouble on praise is scorn, and how much scorn it is.
const TROUBLE_FROM: f64 = 0.7;
const SCORN: f64 = 1.2;

/// What a thing gone wrong counts as anger when somebody is blamed for it, or when there is so
/// much anger already; and the most, which alone makes nobody angry.
const WRONG_AS_ANGER: f64 = 0.5;
const WRONG_AS_ANGER_MAX: f64 = 1.5;
const ANGRY_ALREADY: f64 = 1.0;

/// Words of this strength together leave half to the wording.
const WORDS_SUFFICE: f64 = 3.0;

/// What one exclamation mark adds to its clause, and how many count.
const EXCLAMATION_ADDS: f64 = 0.15;
const EXCLAMATIONS_MAX: usize = 4;

/// What capitals make of a word.
const SHOUTED: f64 = 1.3;

/// Words that are given back.
const WORDS_MAX: usize = 16;

/// A mood, without the words of the interface.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mood {
    pub level: Level,
    /// From 0 to 1.
    pub score: f64,
    /// The words that decided, each once.
    pub words: Vec<String>,
}

/// The levels of a mood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Calm,
    Anxious,
    Angry,
}

/// From where a level holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thresholds {
    /// Distress and anger together reach this: at least anxious.
    pub anxious_from: f64,
    /// Anger alone reaches this: angry.
    pub angry_from: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            anxious_from: 0.35,
            angry_from: 0.5,
        }
    }
}

/// Scores a text.
pub(crate) fn score(text: &str, thresholds: Thresholds) -> Mood {
    let mut clause = Clause::default();
    let mut sums = Sums::default();
    let mut words: Vec<String> = Vec::new();
    let mut blamed = false;
    let reading = Reading::of(text);
    for piece in segment(&reading) {
        match piece {
            Piece::Unknown => clause.pass_over(),
            Piece::Stop { exclamations } => sums.add(clause.end(exclamations)),
            Piece::Entry {
                class,
                words: entry,
                shouted,
            } => {
                let factor = if shouted { SHOUTED } else { 1.0 };
                match class {
                    Class::Neutral => clause.pass_over(),
                    Class::Negate => clause.negate(),
                    Class::Degree(degree) => clause.strengthen_next(degree),
                    Class::DegreeAfter(degree) => clause.strengthen_last(degree),
                    Class::Contrast => {
                        sums.add(clause.end(0));
                        sums.scale(BEFORE_CONTRAST);
                    }
                    Class::Blame => {
                        blamed = true;
                        clause.pass_over();
                    }
                    Class::Prohibit => clause.prohibit(),
                    Class::Anger(_)
                    | Class::Accuse(_)
                    | Class::Anxiety(_)
                    | Class::Wrong(_)
                    | Class::Calm(_)
                    | Class::Praise(_)
                    | Class::Ease(_) => {
                        let told = clause.tell(class, factor);
                        if told.is_trouble() && words.len() < WORDS_MAX && !words.contains(&entry) {
                            words.push(entry);
                        }
                    }
                }
            }
        }
    }
    sums.add(clause.end(0));
    let sums = sums.taken_together(blamed);
    let wording = wording::weigh(&reading.lower);
    // The more the words tell, the less the wording is asked.
    let open = WORDS_SUFFICE / (WORDS_SUFFICE + sums.anger + sums.anxiety + sums.calm);
    let calm = sums.calm * CALM_COUNTS;
    let anger = saturate(sums.anger - calm + wording.anger * open);
    let score = saturate(sums.anger + sums.anxiety - calm + wording.trouble * open).max(anger);
    let level = if anger >= thresholds.angry_from {
        Level::Angry
    } else if score >= thresholds.anxious_from {
        Level::Anxious
    } else {
        Level::Calm
    };
    Mood { level, score, words }
}

/// From a sum to a number between 0 and 1.
fn saturate(sum: f64) -> f64 {
    1.0 - (-sum.max(0.0) / SCALE).exp()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feeling {
    Anger,
    Anxiety,
    Wrong,
    Calm,
    Praise,
}

impl Feeling {
    fn is_trouble(self) -> bool {
        matches!(self, Self::Anger | Self::Anxiety | Self::Wrong)
    }
}

/// The strengths of a text so far.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    anger: f64,
    anxiety: f64,
    /// Things gone wrong, which are worry or anger by what else is said.
    wrong: f64,
    calm: f64,
    /// Which is calm or scorn by what else is said.
    praise: f64,
}

impl Sums {
    /// What is one thing or another by what else a text says, made that.
    fn taken_together(self, blamed: bool) -> Self {
        let Self {
            mut anger,
            mut anxiety,
            wrong,
            mut calm,
            praise,
        } = self;
        if praise > 0.0 && anger + anxiety + wrong >= TROUBLE_FROM {
            anger += praise * SCORN;
        } else {
            calm += praise;
        }
        let turned = if blamed || anger >= ANGRY_ALREADY {
            (wrong * WRONG_AS_ANGER).min(WRONG_AS_ANGER_MAX)
        } else {
            0.0
        };
        anger += turned;
        anxiety += wrong - turned;
        Self {
            anger,
            anxiety,
            calm,
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.anger += other.anger;
        self.anxiety += other.anxiety;
        self.wrong += other.wrong;
        self.calm += other.calm;
        self.praise += other.praise;
    }

    fn scale(&mut self, factor: f64) {
        self.anger *= factor;
        self.anxiety *= factor;
        self.wrong *= factor;
        self.calm *= factor;
        self.praise *= factor;
    }

    fn of(&mut self, feeling: Feeling) -> &mut f64 {
        match feeling {
            Feeling::Anger => &mut self.anger,
            Feeling::Anxiety => &mut self.anxiety,
            Feeling::Wrong => &mut self.wrong,
            Feeling::Calm => &mut self.calm,
            Feeling::Praise => &mut self.praise,
        }
    }
}

/// A clause while it is read: what it tells so far, and the modifiers that wait for a word.
#[derive(Debug, Default)]
struct Clause {
    sums: Sums,
    waiting: Option<Modifiers>,
    /// The last word of mood and how many unknown ones came since.
    last: Option<(Feeling, f64, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Modifiers {
    degree: f64,
    negations: usize,
    /// Negations that tell somebody not to.
    prohibitions: usize,
    /// Unknown pieces passed since the last of them.
    passed: usize,
}

impl Clause {
    fn pass_over(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.passed += 1;
        }
        self.waiting = self.waiting.filter(|waiting| waiting.passed <= REACH);
        if let Some((_, _, passed)) = &mut self.last {
            *passed += 1;
        }
    }

    fn modifiers(&mut self) -> &mut Modifiers {
        let waiting = self.waiting.get_or_insert(Modifiers {
            degree: 1.0,
            negations: 0,
            prohibitions: 0,
            passed: 0,
        });
        waiting.passed = 0;
        waiting
    }

    fn negate(&mut self) {
        self.modifiers().negations += 1;
    }

    fn prohibit(&mut self) {
        self.modifiers().prohibitions += 1;
    }

    fn strengthen_next(&mut self, degree: f32) {
        self.modifiers().degree *= f64::from(degree);
    }

    fn strengthen_last(&mut self, degree: f32) {
        // "气死我了": one unknown character may stand between.
        if let Some((feeling, strength, 0 | 1)) = self.last.take() {
            *self.sums.of(feeling) += strength * (f64::from(degree) - 1.0);
        }
    }

    /// Counts a word of mood, and says what it told in the end.
    fn tell(&mut self, class: Class, factor: f64) -> Feeling {
        let (feeling, strength) = match class {
            Class::Anger(strength) | Class::Accuse(strength) => (Feeling::Anger, strength),
            Class::Anxiety(strength) => (Feeling::Anxiety, strength),
            Class::Wrong(strength) => (Feeling::Wrong, strength),
            Class::Calm(strength) | Class::Ease(strength) => (Feeling::Calm, strength),
            Class::Praise(strength) => (Feeling::Praise, strength),
            Class::Degree(_)
            | Class::DegreeAfter(_)
            | Class::Blame
            | Class::Negate
            | Class::Prohibit
            | Class::Contrast
            | Class::Neutral => return Feeling::Calm,
        };
        let modifiers = self.waiting.take();
        let degree = modifiers.map_or(1.0, |modifiers| modifiers.degree.clamp(DEGREE_MIN, DEGREE_MAX));
        let denied = modifiers.is_some_and(|modifiers| match class {
            // "Don't lie to me" says that somebody does.
            Class::Accuse(_) => modifiers.negations % 2 == 1,
            // These hold their own negators.
            Class::Wrong(_) | Class::Ease(_) => false,
            _ => (modifiers.negations + modifiers.prohibitions) % 2 == 1,
        });
        let (feeling, turned) = match (feeling, denied) {
            (feeling, false) => (feeling, 1.0),
            (Feeling::Anger | Feeling::Anxiety | Feeling::Wrong, true) => (Feeling::Calm, DENIED_AS_CALM),
            (Feeling::Calm | Feeling::Praise, true) => (Feeling::Anger, DENIED_AS_ANGER),
        };
        let strength = f64::from(strength);
        let strength = strength * degree * turned * factor;
        *self.sums.of(feeling) += strength;
        self.last = Some((feeling, strength, 0));
        feeling
    }

    /// Ends the clause and begins the next.
    fn end(&mut self, exclamations: usize) -> Sums {
        let mut sums = std::mem::take(self).sums;
        let marks = exclamations.min(EXCLAMATIONS_MAX) as f64;
        sums.scale(1.0 + EXCLAMATION_ADDS * marks);
        sums
    }
}

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod tests;
