//! Expressions, values and prompts of a flow, typed where they stand.

use std::{collections::BTreeMap, ops::Range, rc::Rc, sync::Arc};

use trunkline_model::{PromptKey, Type, Value};

use super::{
    flow::FlowView,
    presence::{Presence, State},
    prompts::{PromptText, place, template},
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    expression::{
        Expression, Node, Op,
        formula::{Formula, FormulaError, Piece},
        literal,
        typing::{Complaint, Names, Typed, Typist, article, shown_by},
    },
    source::{Span, Word},
    step::{Part, Prompt, Template},
    syntax::{PromptSyntax, ValueKind, ValueSyntax},
};

/// The prompt that a hotline has without writing it.
const READ_BACK: &str = "read-back";

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

    /// A value where a type is wanted; with none, one of whatever type it is.
    pub(super) fn value(&self, value: &ValueSyntax, wanted: Option<&Type>) -> Option<Valued> {
        match &value.kind {
            ValueKind::Scalar(text) => self.scalar(&Word::new(text.clone(), value.span), wanted),
            ValueKind::List(parts) => {
                let wanted = wanted?;
                self.list(value, parts, wanted)
            }
            ValueKind::Map(entries) => {
                let wanted = wanted?;
                self.map(value, entries, wanted)
            }
        }
    }

    fn scalar(&self, word: &Word, wanted: Option<&Type>) -> Option<Valued> {
        let formula = self.formula(word)?;
        if let Some(tree) = formula.sole() {
            let (typed, complaints) = self.typed(|typist| match wanted {
                Some(wanted) => typist.expected(tree, wanted),
                None => typist.infer(tree),
            });
            if !self.complain(word, complaints, None) {
                return None;
            }
            let given = typed.ty?;
            let ty = wanted.unwrap_or(&given).clone();
            return Some(Valued {
                expression: Expression::compiled(word.value.clone(), ty, typed.node),
                given,
            });
        }
        if let Some(text) = formula.plain() {
            return self.literal(word, text, wanted?);
        }
        let (parts, complaints) = self.typed(|typist| {
            formula
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text_node(text),
                    Piece::Tree(tree) => typist.printed(tree).node,
                })
                .collect::<Vec<_>>()
        });
        if !self.complain(word, complaints, None) {
            return None;
        }
        if let Some(wanted) = wanted
            && !wanted.accepts(&Type::String)
        {
            self.report(
                Finding::new(
                    Code::TypeMismatch,
                    word.span,
                    format!(
                        "this should be {}, but text with expressions in it is a string",
                        article(wanted)
                    ),
                )
                .help("put the whole into one expression: \"${…}\""),
            );
            return None;
        }
        let node = Node {
            op: Op::Interpolate(parts),
            range: 0..word.value.len(),
        };
        Some(Valued {
            expression: Expression::compiled(word.value.clone(), Type::String, node),
            given: Type::String,
        })
    }

    fn literal(&self, word: &Word, text: &str, wanted: &Type) -> Option<Valued> {
        match literal::read(text, wanted) {
            Ok(value) => Some(Valued {
                expression: constant(word.value.clone(), wanted, value),
                given: wanted.required().clone(),
            }),
            Err(problem) => {
                // A variable's name without its braces is the likely slip.
                let variable = self.view.head.variables.contains_key(text);
                let mut finding = Finding::new(problem.code, word.span, problem.message);
                finding = if variable {
                    finding.help(format!("for the variable write \"${{{text}}}\""))
                } else {
                    finding.help_if(problem.help)
                };
                self.report(finding);
                None
            }
        }
    }

    fn list(&self, value: &ValueSyntax, parts: &[ValueSyntax], wanted: &Type) -> Option<Valued> {
        let inner = wanted.required();
        let types: Vec<&Type> = match inner {
            Type::List(of) => vec![&**of; parts.len()],
            Type::Tuple(types) if types.len() == parts.len() => types.iter().collect(),
            Type::Flags(_) => vec![&Type::String; parts.len()],
            _ => {
                self.report(Finding::new(
                    Code::TypeMismatch,
                    value.span,
                    format!(
                        "this should be {}, not a list of {} values",
                        article(wanted),
                        parts.len()
                    ),
                ));
                return None;
            }
        };
        let mut nodes = Vec::new();
        let mut fine = true;
        for (part, ty) in parts.iter().zip(types) {
            match self.value(part, Some(ty)) {
                Some(valued) => nodes.push(nested(valued.expression)),
                None => fine = false,
            }
            if let (Type::Flags(names), ValueKind::Scalar(text)) = (inner, &part.kind)
                && let Err(problem) = literal::case(text, &names.cases, inner)
            {
                self.report(Finding::new(problem.code, part.span, problem.message).help_if(problem.help));
                fine = false;
            }
        }
        fine.then(|| self.composed(value, Op::List(nodes), wanted))
    }

    fn map(&self, value: &ValueSyntax, entries: &[(Word, ValueSyntax)], wanted: &Type) -> Option<Valued> {
        let cases: Vec<(Arc<str>, Option<Type>)> = match wanted.required() {
            Type::Record(record) => {
                let fields: Vec<(&str, &Type)> = record
                    .fields
                    .iter()
                    .map(|field| (&*field.name, &field.ty))
                    .collect();
                let named = self.named(entries, &fields, value.span, "the value")?;
                let fields = named
                    .into_iter()
                    .map(|(name, node)| (name.into(), node))
                    .collect();
                return Some(self.composed(value, Op::Record(fields), wanted));
            }
            Type::Variant(variant) => variant
                .cases
                .iter()
                .map(|case| (case.name.clone(), case.payload.clone()))
                .collect(),
            Type::Result { ok, error } => vec![
                ("ok".into(), ok.as_deref().cloned()),
                ("error".into(), error.as_deref().cloned()),
            ],
            _ => {
                self.report(
                    Finding::new(
                        Code::TypeMismatch,
                        value.span,
                        format!("this should be {}, not fields", article(wanted)),
                    )
                    .help("an expression in braces has to be quoted: \"${…}\""),
                );
                return None;
            }
        };
        let [(case, payload)] = entries else {
            self.report(Finding::new(
                Code::TypeMismatch,
                value.span,
                format!("{} is one of its cases: `{{ case: … }}`", article(wanted)),
            ));
            return None;
        };
        let Some((name, ty)) = cases.iter().find(|(name, _)| *name == case.value) else {
            let names = cases.iter().map(|(name, _)| &**name);
            self.report(
                Finding::new(
                    Code::UnknownCase,
                    case.span,
                    format!("{wanted} has no case `{}`", case.as_str()),
                )
                .help_if(did_you_mean("its cases are", case.as_str(), names)),
            );
            return None;
        };
        let Some(ty) = ty else {
            self.report(
                Finding::new(
                    Code::TypeMismatch,
                    payload.span,
                    format!("the case `{name}` carries nothing"),
                )
                .help(format!("write `{name}` alone")),
            );
            return None;
        };
        let payload = self.value(payload, Some(ty))?;
        let op = Op::Variant(name.clone(), Some(Box::new(nested(payload.expression))));
        Some(self.composed(value, op, wanted))
    }

    /// Values by name: every one that has to be there is, and none that is not known.
    pub(super) fn named(
        &self,
        entries: &[(Word, ValueSyntax)],
        wanted: &[(&str, &Type)],
        span: Span,
        what: &str,
    ) -> Option<Vec<(String, Node)>> {
        let mut nodes = Vec::new();
        let mut fine = true;
        for (name, value) in entries {
            if !wanted.iter().any(|(known, _)| *known == name.as_str()) {
                fine = false;
                self.report(
                    Finding::new(
                        Code::UnknownArgument,
                        name.span,
                        format!("{what} has no `{}`", name.as_str()),
                    )
                    .help_if(
                        did_you_mean("it has", name.as_str(), wanted.iter().map(|(name, _)| *name))
                            .or_else(|| Some("it takes nothing".to_owned())),
                    ),
                );
                // What is wrong inside is said all the same.
                self.value(value, None);
            }
        }
        let mut missing = Vec::new();
        for (name, ty) in wanted {
            match entries.iter().find(|(given, _)| given.as_str() == *name) {
                Some((_, value)) => match self.value(value, Some(ty)) {
                    Some(valued) => nodes.push(((*name).to_owned(), nested(valued.expression))),
                    None => fine = false,
                },
                None if ty.is_optional() => {
                    nodes.push(((*name).to_owned(), nested(constant("".into(), ty, Value::None))));
                }
                None => missing.push((*name, *ty)),
            }
        }
        if !missing.is_empty() {
            let names = one_of(missing.iter().map(|(name, _)| *name));
            let lines: Vec<String> = missing
                .iter()
                .map(|(name, ty)| format!("{name}: … ({ty})"))
                .collect();
            self.report(
                Finding::new(Code::MissingArgument, span, format!("{what} needs {names}"))
                    .help(format!("add {}", lines.join(", "))),
            );
            return None;
        }
        fine.then_some(nodes)
    }

    fn composed(&self, value: &ValueSyntax, op: Op, wanted: &Type) -> Valued {
        let source: Arc<str> = self.view.world.files.text(value.span).into();
        let node = Node {
            op,
            range: 0..source.len(),
        };
        Valued {
            expression: Expression::compiled(source, wanted.clone(), node),
            given: wanted.required().clone(),
        }
    }

    /// What a step says.
    pub(super) fn prompt(&self, prompt: &PromptSyntax) -> Option<Arc<Prompt>> {
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
    pub(super) fn confirmation(&self, prompt: &PromptSyntax) -> Option<Arc<Prompt>> {
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
                Part::Value(Expression::compiled("answer".into(), answer, node)),
                Part::Text(after.into()),
            ];
            texts.insert(language.clone(), Template { parts });
        }
        Some(Arc::new(Prompt {
            key: Some(PromptKey::new(key.value.clone())),
            texts,
        }))
    }

    fn inline(&self, span: Span, written: &'_ [(Word, Word)]) -> Option<Arc<Prompt>> {
        let world = self.view.world;
        let mut texts = BTreeMap::new();
        let mut fine = true;
        for (language, text) in written {
            match super::hotline::language(world, language) {
                Some(language) => {
                    let formula = template(world, text);
                    texts.insert(language.clone(), PromptText { word: text, formula });
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
            let Some(formula) = &text.formula else {
                fine = false;
                continue;
            };
            let (parts, complaints) = self.typed(|typist| {
                formula
                    .pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => Part::Text(text.clone()),
                        Piece::Tree(tree) => {
                            let Typed { node, ty } = typist.printed(tree);
                            let source = part_of(&text.word.value, &tree.range);
                            let node = Node {
                                op: Op::Nested(Expression::compiled(
                                    text.word.value.clone(),
                                    ty.clone().unwrap_or(Type::String),
                                    node,
                                )),
                                range: 0..source.len(),
                            };
                            Part::Value(Expression::compiled(source, ty.unwrap_or(Type::String), node))
                        }
                    })
                    .collect::<Vec<_>>()
            });
            let said_at = key.is_some().then_some(said_at);
            fine &= self.complain(text.word, complaints, said_at);
            templates.insert(language.clone(), Template { parts });
        }
        (fine && !templates.is_empty()).then(|| {
            Arc::new(Prompt {
                key: key.map(|key| PromptKey::new(key.value.clone())),
                texts: templates,
            })
        })
    }
}

fn part_of(text: &str, range: &Range<usize>) -> Arc<str> {
    text.get(range.clone()).unwrap_or_default().into()
}

fn text_node(text: &Arc<str>) -> Node {
    Node {
        op: Op::Constant(Value::Text(text.clone())),
        range: 0..0,
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
pub(super) fn type_of_answer(answer: &crate::step::Answer) -> Type {
    use crate::step::Answer;
    match answer {
        Answer::Text | Answer::Digits(_) | Answer::OneOf(_) => Type::String,
        Answer::Number { decimal: false, .. } => Type::INT,
        Answer::Number { decimal: true, .. } | Answer::Money => Type::Decimal,
        Answer::Date => Type::Date,
        Answer::YesNo => Type::Bool,
        Answer::Phone => Type::Phone,
    }
}
