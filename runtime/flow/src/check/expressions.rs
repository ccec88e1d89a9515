//! Expressions, values and prompts of a flow, typed where they stand.

mod saying;
mod values;

use std::{rc::Rc, sync::Arc};

use trunkline_model::{Type, Value};

use super::{
    flow::FlowView,
    presence::{Presence, State},
    prompts::place,
};
use crate::{
    diagnostics::{Code, Finding},
    expression::{
        Expression, Node, Op,
        formula::{Formula, FormulaError},
        typing::{Complaint, Names, Typist, shown_by},
    },
    source::{Span, Word},
    step::Answer,
};

/// Types what stands at one place of a flow, and reports what does not fit.
pub(super) struct Scribe<'s, 'v, 'w, 'a> {
    view: &'v FlowView<'w, 'a>,
    presence: &'s Presence<'v, 'w, 'a>,
    /// What is known here; none where nothing leads, and then nothing is complained about.
    state: Option<&'s State>,
    shown: Vec<String>,
    answer: Option<Type>,
    result: Option<Option<Type>>,
    quiet: bool,
}

/// A typed value and the type it has of itself, which tells whether it may be absent.
pub(super) struct Valued {
    pub(super) expression: Expression,
    pub(super) given: Type,
}

impl<'s, 'v, 'w, 'a> Scribe<'s, 'v, 'w, 'a> {
    pub(super) const fn new(
        view: &'v FlowView<'w, 'a>,
        presence: &'s Presence<'v, 'w, 'a>,
        state: Option<&'s State>,
    ) -> Self {
        Self {
            view,
            presence,
            state,
            shown: Vec::new(),
            answer: None,
            result: None,
            quiet: false,
        }
    }

    fn derived(&self) -> Self {
        Self {
            view: self.view,
            presence: self.presence,
            state: self.state,
            shown: self.shown.clone(),
            answer: self.answer.clone(),
            result: self.result.clone(),
            quiet: self.quiet,
        }
    }

    /// The same.
    pub(super) fn knowing_nothing_more(&self) -> Self {
        self.derived()
    }

    /// The same, saying nothing.
    pub(super) fn quiet(&self) -> Self {
        Self {
            quiet: true,
            ..self.derived()
        }
    }

    /// The same, knowing that a condition is `truth`.
    pub(super) fn knowing(&self, condition: &Word, truth: bool) -> Self {
        let mut scribe = self.derived();
        if let Some(formula) = self.formula(condition)
            && let Some(tree) = formula.sole()
        {
            scribe.shown.extend(shown_by(tree, truth));
        }
        scribe
    }

    /// The same, after a variable has been set.
    pub(super) fn after_setting(&self, variable: &str, present: bool) -> Self {
        let mut scribe = self.derived();
        let inside = format!("{variable}.");
        scribe
            .shown
            .retain(|path| path != variable && !path.starts_with(&inside));
        if present {
            scribe.shown.push(variable.to_owned());
        }
        scribe
    }

    /// The same, where `answer` is known.
    pub(super) fn with_answer(&self, ty: Type) -> Self {
        Self {
            answer: Some(ty),
            ..self.derived()
        }
    }

    /// The same, where `result` is known.
    pub(super) fn with_result(&self, ty: Option<Type>) -> Self {
        Self {
            result: Some(ty),
            ..self.derived()
        }
    }

    /// The text of a value, parsed; an error in it is reported.
    pub(super) fn formula(&self, word: &Word) -> Option<Rc<Formula>> {
        if let Some(known) = self.view.formulas.borrow().get(&word.span) {
            return known.clone();
        }
        let formula = match Formula::value(word.as_str()) {
            Ok(formula) => Some(Rc::new(formula)),
            Err(error) => {
                let (code, error, help) = match error {
                    FormulaError::Unbalanced(error) => (
                        Code::Unbalanced,
                        error,
                        Some("close it with `}` and put the whole in quotes: \"${…}\"".to_owned()),
                    ),
                    FormulaError::Expression(error) => {
                        let long =
                            error.message.starts_with("the expression") && !error.message.ends_with("empty");
                        let code = if long {
                            Code::ExpressionTooLarge
                        } else {
                            Code::ExpressionSyntax
                        };
                        let help = error.help.clone();
                        (code, error, help)
                    }
                };
                let span = place(self.view.world, word, error.range);
                self.view
                    .world
                    .report(Finding::new(code, span, error.message).help_if(help));
                None
            }
        };
        self.view.formulas.borrow_mut().insert(word.span, formula.clone());
        formula
    }

    /// Types something with the names known here; whether nothing was wrong with it.
    fn typed<T>(&self, look: impl FnOnce(&mut Typist<'_>) -> T) -> (T, Vec<Complaint>) {
        let present = |path: &str| {
            self.shown.iter().any(|shown| shown == path)
                || self.state.is_none_or(|state| self.presence.knows(state, path))
        };
        let names = Names {
            variables: &self.view.head.variables,
            calendars: &self.view.world.calendars,
            answer: self.answer.clone(),
            result: self.result.clone(),
            present: &present,
        };
        let mut typist = Typist::new(&names);
        let seen = look(&mut typist);
        (seen, typist.complaints)
    }

    fn complain(&self, word: &Word, complaints: Vec<Complaint>, said_at: Option<Span>) -> bool {
        let fine = complaints.is_empty();
        if self.quiet {
            return fine;
        }
        for complaint in complaints {
            let span = place(self.view.world, word, complaint.range);
            let mut finding = Finding::new(complaint.code, span, complaint.message).help_if(complaint.help);
            if let Some(said_at) = said_at {
                finding = finding.label(said_at, "it is said here");
            }
            self.view.world.report(finding);
        }
        fine
    }

    fn report(&self, finding: Finding) {
        if !self.quiet {
            self.view.world.report(finding);
        }
    }

    /// A condition: an expression and nothing else, of type bool.
    pub(super) fn condition(&self, word: &Word) -> Option<Expression> {
        let formula = self.formula(word)?;
        let Some(tree) = formula.sole() else {
            let bare = word.as_str();
            let plain = matches!(bare, "true" | "false");
            self.report(
                Finding::new(
                    Code::ExpressionSyntax,
                    word.span,
                    "a condition is an expression in `${…}` and nothing else",
                )
                .help(if plain || bare.contains("${") {
                    "write it as \"${attempts > 3}\"".to_owned()
                } else {
                    format!("write it as \"${{{bare}}}\"")
                }),
            );
            return None;
        };
        let (node, complaints) = self.typed(|typist| typist.expect(tree, &Type::Bool));
        self.complain(word, complaints, None)
            .then(|| Expression::compiled(word.value.clone(), Type::Bool, node))
    }
}

fn nested(expression: Expression) -> Node {
    Node {
        op: Op::Nested(expression),
        range: 0..0,
    }
}

fn constant(source: Arc<str>, ty: &Type, value: Value) -> Expression {
    let node = Node {
        range: 0..source.len(),
        op: Op::Constant(value),
    };
    Expression::compiled(source, ty.clone(), node)
}

/// A value as an expression of its own.
pub(super) fn as_expression(node: Node, ty: &Type) -> Expression {
    match node.op {
        Op::Nested(expression) => expression,
        op => Expression::compiled("".into(), ty.clone(), Node { op, range: 0..0 }),
    }
}

/// An expression with a value that is known now.
pub(super) fn fixed(word: &Word, ty: &Type, value: Value) -> Expression {
    constant(word.value.clone(), ty, value)
}

/// The type of an answer as it is saved.
pub(super) fn type_of_answer(answer: &Answer) -> Type {
    match answer {
        Answer::Text | Answer::Digits(_) | Answer::IdNumber | Answer::OneOf(_) => Type::String,
        Answer::Number { decimal: false, .. } => Type::INT,
        Answer::Number { decimal: true, .. } | Answer::Money => Type::Decimal,
        Answer::Date => Type::Date,
        Answer::YesNo => Type::Bool,
        Answer::Phone => Type::Phone,
    }
}
