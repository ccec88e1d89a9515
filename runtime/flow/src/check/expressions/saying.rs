//! What steps say: prompts with the values in them, in every language.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use trunkline_model::{PromptKey, Type};

use super::{
    super::{
        hotline,
        prompts::{PromptText, markup},
    },
    Scribe,
};
use crate::{
    diagnostics::{Code, Finding, one_of},
    expression::{
        Expression, Node, Op,
        markup::Piece,
        typing::{Complaint, Typed, Typist, article},
    },
    source::{Span, Word},
    speech::Format,
    step::{Part, Prompt, Template},
    syntax::PromptSyntax,
};

/// The prompt that a hotline has without writing it.
const READ_BACK: &str = "read-back";

impl Scribe<'_, '_, '_, '_> {
    /// What a step says.
    pub(in crate::check) fn prompt(&self, prompt: &PromptSyntax) -> Option<Arc<Prompt>> {
        match prompt {
            PromptSyntax::Key(key) => {
                if let Some(said) = self.view.world.prompts.plain(key.as_str()) {
                    return Some(said);
                }
                let texts = self.view.world.prompts.say(self.view.world, key)?;
                let said = self.texts(Some(key), texts, key.span)?;
                self.view.world.prompts.keep_if_plain(&said);
                Some(said)
            }
            PromptSyntax::Inline { span, texts } => self.inline(*span, texts),
        }
    }

    /// What a step says to confirm an answer: any prompt, or the one that is built in.
    pub(in crate::check) fn confirmation(&self, prompt: &PromptSyntax) -> Option<Arc<Prompt>> {
        match prompt {
            PromptSyntax::Key(key)
                if key.as_str() == READ_BACK && !self.view.world.prompts.has(READ_BACK) =>
            {
                self.read_back(key)
            }
            prompt => self.prompt(prompt),
        }
    }

    fn read_back(&self, key: &Word) -> Option<Arc<Prompt>> {
        let mut texts = BTreeMap::new();
        for language in &self.view.world.languages {
            let (before, after) = match language.split('-').next().unwrap_or_default() {
                "zh" => ("您输入的是", "。正确请按1，重新输入请按2。"),
                "en" => (
                    "You entered ",
                    ". Press 1 if that is right, or 2 to enter it again.",
                ),
                _ => {
                    self.report(
                        Finding::new(
                            Code::MissingTranslation,
                            key.span,
                            format!("`{READ_BACK}` is not built in for {language}"),
                        )
                        .help(format!(
                            "add a line `{READ_BACK}: … {{answer}} …` to the prompts of every language"
                        )),
                    );
                    return None;
                }
            };
            let answer = self.answer.clone().unwrap_or(Type::String);
            let node = Node {
                op: Op::Answer,
                range: 0.."answer".len(),
            };
            let parts = vec![
                Part::Text(before.into()),
                Part::Value(Expression::compiled("answer".into(), answer, node), None),
                Part::Text(after.into()),
            ];
            texts.insert(
                language.clone(),
                Template {
                    parts,
                    recording: None,
                },
            );
        }
        Some(Arc::new(Prompt {
            key: Some(PromptKey::new(key.value.clone())),
            texts,
            dialects: self.view.world.dialects.clone(),
        }))
    }

    fn inline(&self, span: Span, written: &'_ [(Word, Word)]) -> Option<Arc<Prompt>> {
        let world = self.view.world;
        let mut texts = BTreeMap::new();
        let mut fine = true;
        for (language, text) in written {
            match hotline::language(world, language) {
                Some(language) => {
                    let text = PromptText {
                        word: text,
                        markup: markup(world, text),
                        recording: None,
                    };
                    texts.insert(language.clone(), text);
                }
                None => fine = false,
            }
        }
        let missing: Vec<&str> = world
            .languages
            .iter()
            .filter(|language| !texts.contains_key(*language))
            .map(|language| &**language)
            .collect();
        if fine && !missing.is_empty() {
            fine = false;
            self.report(
                Finding::new(
                    Code::MissingTranslation,
                    span,
                    format!("the text is missing in {}", missing.join(", ")),
                )
                .help(format!("add `{}: …` beside the others", missing[0])),
            );
        }
        let said = self.texts(None, &texts, span);
        said.filter(|_| fine)
    }

    fn texts(
        &self,
        key: Option<&Word>,
        texts: &BTreeMap<Arc<str>, PromptText<'_>>,
        said_at: Span,
    ) -> Option<Arc<Prompt>> {
        let mut templates = BTreeMap::new();
        let mut fine = true;
        for (language, text) in texts {
            let Some(markup) = &text.markup else {
                fine = false;
                continue;
            };
            let (parts, mut complaints) = self.typed(|typist| {
                let pieces = markup.pieces.iter();
                pieces
                    .map(|piece| part(typist, text.word, piece))
                    .collect::<Vec<_>>()
            });
            complaints.extend(parts.iter().zip(&markup.pieces).filter_map(misfit));
            let said_at = key.is_some().then_some(said_at);
            fine &= self.complain(text.word, complaints, said_at);
            let template = Template {
                parts,
                recording: text.recording.clone(),
            };
            templates.insert(language.clone(), template);
        }
        (fine && !templates.is_empty()).then(|| {
            Arc::new(Prompt {
                key: key.map(|key| PromptKey::new(key.value.clone())),
                texts: templates,
                dialects: self.view.world.dialects.clone(),
            })
        })
    }
}

/// A piece of a prompt, typed.
fn part(typist: &mut Typist<'_>, word: &Word, piece: &Piece) -> Part {
    match piece {
        Piece::Text(text) => Part::Text(text.clone()),
        Piece::Pause(length) => Part::Pause(*length),
        Piece::Value(tree, format) => {
            let Typed { node, ty } = typist.printed(tree);
            let source = part_of(&word.value, &tree.range);
            let ty = ty.unwrap_or(Type::String);
            let node = Node {
                op: Op::Nested(Expression::compiled(word.value.clone(), ty.clone(), node)),
                range: 0..source.len(),
            };
            Part::Value(
                Expression::compiled(source, ty, node),
                format.as_ref().map(|at| at.format),
            )
        }
    }
}

/// What is wrong with the format of a value, if it does not fit the value's type.
fn misfit((part, piece): (&Part, &Piece)) -> Option<Complaint> {
    let (Part::Value(expression, Some(format)), Piece::Value(_, Some(at))) = (part, piece) else {
        return None;
    };
    let ty = expression.ty();
    if format.fits(ty) {
        return None;
    }
    let others: Vec<&str> = Format::NAMES
        .into_iter()
        .filter(|name| Format::of_name(name).is_some_and(|format| format.fits(ty)))
        .collect();
    Some(Complaint {
        code: Code::FormatMismatch,
        range: at.range.clone(),
        message: format!(
            "`{}` takes {}, not {}",
            format.name(),
            format.wants(),
            article(ty)
        ),
        help: Some(if others.is_empty() {
            format!("leave the format out: {} is said as it is", article(ty))
        } else {
            format!("formats of {}: {}", article(ty), one_of(others))
        }),
    })
}

fn part_of(text: &str, range: &Range<usize>) -> Arc<str> {
    text.get(range.clone()).unwrap_or_default().into()
}
