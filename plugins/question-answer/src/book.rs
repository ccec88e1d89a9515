//! The questions that are known, their answers, and words that decide a topic on their own.

use std::collections::BTreeMap;

use crate::near::{Worth, is_chinese, pieces};

/// The questions that come with the component.
const BUILT_IN: &str = include_str!("../questions.txt");

/// From which nearness on a known question tells what a text is about.
const TOPIC_FROM: f64 = 0.25;

/// Questions that a book may have, and ways to ask each.
const QUESTIONS_MAX: usize = 500;
const WAYS_MAX: usize = 20;

/// What a text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Orders,
    Delivery,
    Returns,
    Invoices,
    Account,
    Complaint,
    Human,
}

impl Topic {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "orders" => Self::Orders,
            "delivery" => Self::Delivery,
            "returns" => Self::Returns,
            "invoices" => Self::Invoices,
            "account" => Self::Account,
            "complaint" => Self::Complaint,
            "human" => Self::Human,
            _ => return None,
        })
    }
}

/// Why a book cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct Unreadable {
    line: usize,
    why: &'static str,
}

/// Questions, answers and telling words.
pub(crate) struct Book {
    questions: Vec<Question>,
    telling: Vec<(String, Topic)>,
    worth: Worth,
}

struct Question {
    topic: Topic,
    /// Where it begins in the book.
    line: usize,
    ways: Vec<BTreeMap<String, f64>>,
    /// By language: `zh`, `en`.
    answers: BTreeMap<String, String>,
}

/// An answer that was found.
#[derive(Debug, PartialEq)]
pub(crate) struct Found<'a> {
    pub(crate) text: &'a str,
    pub(crate) confidence: f64,
}

impl Book {
    /// The book that comes with the component.
    pub(crate) fn built_in() -> Self {
        Self::read(BUILT_IN).expect("the tests read it")
    }

    /// Reads a book.
    ///
    /// # Errors
    /// A line has no form that is known, or stands where it means nothing.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut topic = None;
        let mut questions: Vec<Question> = Vec::new();
        let mut telling = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let fails = |why| Unreadable { line: index + 1, why };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("topic:") {
                let known = Topic::parse(name.trim()).ok_or_else(|| {
                    fails("a topic is orders, delivery, returns, invoices, account, complaint or human")
                })?;
                topic = Some(known);
                continue;
            }
            let topic = topic.ok_or_else(|| fails("a `topic:` comes first"))?;
            if let Some(words) = line.strip_prefix('+') {
                telling.extend(words.split_whitespace().map(|word| (word.to_lowercase(), topic)));
            } else if let Some(way) = line.strip_prefix('?') {
                match questions.last_mut() {
                    Some(open) if open.answers.is_empty() && open.topic == topic => {
                        open.ways.push(pieces(way));
                    }
                    _ => questions.push(Question {
                        topic,
                        line: index + 1,
                        ways: vec![pieces(way)],
                        answers: BTreeMap::new(),
                    }),
                }
            } else if let Some(answer) = line.strip_prefix('=') {
                let (language, answer) = answer
                    .trim()
                    .split_once(' ')
                    .ok_or_else(|| fails("an answer is `= LANGUAGE TEXT`"))?;
                let open = questions.last_mut().filter(|open| open.topic == topic);
                let open = open.ok_or_else(|| fails("an answer stands under its question"))?;
                open.answers.insert(language.to_owned(), answer.trim().to_owned());
            } else {
                return Err(fails("a line begins with `topic:`, `?`, `=`, `+` or `#`"));
            }
            if questions.len() > QUESTIONS_MAX
                || questions.last().is_some_and(|last| last.ways.len() > WAYS_MAX)
            {
                return Err(fails("there are at most 500 questions, and 20 ways to ask each"));
            }
        }
        if let Some(silent) = questions.iter().find(|question| question.answers.is_empty()) {
            let line = silent.line;
            return Err(Unreadable {
                line,
                why: "this question has no answer: add `= zh …` or `= en …` under it",
            });
        }
        Ok(Self {
            worth: Worth::of(questions.iter().flat_map(|question| &question.ways)),
            questions,
            telling,
        })
    }

    /// What a text is about; none when nothing tells.
    pub(crate) fn topic(&self, text: &str) -> Option<Topic> {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
        let told = self.telling.iter().find(|(word, _)| {
            // Chinese words stand anywhere, others on their own.
            if word.chars().any(is_chinese) {
                lower.contains(word)
            } else {
                words.contains(&&**word)
            }
        });
        if let Some((_, topic)) = told {
            return Some(*topic);
        }
        let (question, nearness) = self.nearest(text)?;
        (nearness >= TOPIC_FROM).then_some(question.topic)
    }

    /// The answer to the nearest question, in the text's language where it has one.
    pub(crate) fn answer(&self, text: &str) -> Option<Found<'_>> {
        let (question, confidence) = self.nearest(text)?;
        let language = if text.chars().any(is_chinese) { "zh" } else { "en" };
        let answer = question
            .answers
            .get(language)
            .or_else(|| question.answers.values().next())?;
        Some(Found {
            text: answer,
            confidence,
        })
    }

    fn nearest(&self, text: &str) -> Option<(&Question, f64)> {
        let asked = pieces(text);
        let nearness = |question: &Question| {
            let ways = question.ways.iter().map(|way| self.worth.nearness(&asked, way));
            ways.fold(0.0, f64::max)
        };
        self.questions
            .iter()
            .map(|question| (question, nearness(question)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            // What has nothing in common with any question is near to none.
            .filter(|(_, nearness)| *nearness > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart_in_both_languages() {
        let book = Book::built_in();
        for (text, topic) in [
            ("请问几天可以到货", Some(Topic::Delivery)),
            ("我的快递现在到哪里了", Some(Topic::Delivery)),
            ("I have forgotten my password", Some(Topic::Account)),
            ("衣服不合适，我想退货", Some(Topic::Returns)),
            ("退款到账要多久", Some(Topic::Returns)),
            ("帮我开一张发票", Some(Topic::Invoices)),
            ("can I cancel the order?", Some(Topic::Orders)),
            ("where's my package", Some(Topic::Delivery)),
            ("我要投诉你们", Some(Topic::Complaint)),
            ("转人工", Some(Topic::Human)),
            ("let me talk to a human", Some(Topic::Human)),
            ("humane treatment of cats", None),
            ("今天天气真好", None),
            ("", None),
        ] {
            assert_eq!(book.topic(text), topic, "{text}");
        }
    }

    #[test]
    fn answers_are_in_the_language_of_the_question() {
        let book = Book::built_in();
        let found = book.answer("退款什么时候到账？").unwrap();
        assert!(found.text.contains("三个工作日"), "{found:?}");
        assert!(found.confidence > 0.9);
        let found = book.answer("How long does a refund take").unwrap();
        assert!(found.text.starts_with("We refund"), "{found:?}");
        let strange = book.answer("can my cat play the piano");
        assert!(strange.is_none_or(|found| found.confidence < 0.45));
    }

    #[test]
    fn a_slip_in_a_book_names_its_line() {
        let error = |text: &str| Book::read(text).err().unwrap().to_string();
        assert_eq!(error("? 几天到货"), "line 1: a `topic:` comes first");
        assert!(error("topic: shoes").starts_with("line 1: a topic is orders"));
        assert!(error("topic: orders\n? a\n= zh\n").starts_with("line 3: an answer is"));
        assert!(error("topic: orders\nanything").starts_with("line 2: a line begins with"));
        assert!(error("topic: orders\n? a\n").starts_with("line 2: this question has no answer"));
        let own = Book::read("topic: delivery\n? 几天到货\n= zh 三天。\n").unwrap();
        assert_eq!(own.answer("几天到货").unwrap().text, "三天。");
    }
}
