//! Surveys: questions that can be asked in every language, and answers that can be scored.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use indexmap::IndexMap;

use super::{
    expressions::Scribe,
    flow::FlowView,
    presence::Presence,
    verbs,
    world::{FlowHead, World},
};
use crate::{
    diagnostics::{Code, Finding},
    hotline::{SurveyKind, SurveyQuestion, SurveySpec},
    source::Span,
    step::Answer,
    syntax::{QuestionSyntax, SurveySyntax},
};

/// Checks all surveys; none when something in one is wrong.
pub(super) fn check<'a>(
    world: &World<'a>,
    surveys: &'a [SurveySyntax],
) -> Option<BTreeMap<Arc<str>, SurveySpec>> {
    let mut names = BTreeMap::new();
    let mut checked = BTreeMap::new();
    let mut fine = true;
    for written in surveys {
        let name = &written.name;
        if let Some(first) = names.insert(name.as_str(), name.span) {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    name.span,
                    format!("there are two surveys `{}`", name.as_str()),
                )
                .label(first, "the other")
                .help("give one of them another name"),
            );
        }
        match survey(world, written) {
            Some(spec) => {
                checked.insert(written.name.value.clone(), spec);
            }
            None => fine = false,
        }
    }
    fine.then_some(checked)
}

fn survey<'a>(world: &World<'a>, written: &'a SurveySyntax) -> Option<SurveySpec> {
    let head = FlowHead {
        syntax: &written.scene,
        inputs: IndexMap::new(),
        outputs: IndexMap::new(),
        variables: IndexMap::new(),
        initial: BTreeMap::new(),
        outcomes: BTreeMap::new(),
        opaque: false,
        waits: true,
    };
    let view = FlowView::of_survey(world, &head);
    let presence = Presence::new(&view);
    let nothing = presence.nothing();
    let scribe = Scribe::new(&view, &presence, Some(&nothing));
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let mut questions = Vec::new();
    let mut fine = true;
    for (index, question) in written.questions.iter().enumerate() {
        if let Some(name) = &question.name
            && let Some(first) = seen.insert(name.as_str(), name.span)
        {
            fine = false;
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    name.span,
                    format!("there are two questions `{}`", name.as_str()),
                )
                .label(first, "the first"),
            );
        }
        match lower(&view, question, &scribe) {
            Some(lowered) => {
                if let Some(kind) = written.kind.as_ref().filter(|_| index == 0) {
                    fine &= scored(world, kind.value, &lowered.answer, question);
                }
                questions.push(lowered);
            }
            None => fine = false,
        }
    }
    let kind = written.kind.as_ref()?;
    fine.then_some(SurveySpec {
        kind: kind.value,
        questions,
    })
}

fn lower(
    view: &FlowView<'_, '_>,
    question: &QuestionSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<SurveyQuestion> {
    let prompt = question.prompt.as_ref().map(|prompt| scribe.prompt(prompt));
    let answer = verbs::answer(view, &question.answer);
    Some(SurveyQuestion {
        name: question.name.as_ref()?.value.clone(),
        prompt: prompt??,
        answer: answer?,
    })
}

/// Whether the first answer gives the score of such a survey; reports when not.
fn scored(world: &World<'_>, kind: SurveyKind, answer: &Answer, question: &QuestionSyntax) -> bool {
    let (what, least, most) = match kind {
        SurveyKind::Csat => ("csat", 1, 5),
        SurveyKind::Nps => ("nps", 0, 10),
        SurveyKind::Comment => return true,
    };
    let wanted = Answer::Number {
        min: Some(f64::from(least)),
        max: Some(f64::from(most)),
        decimal: false,
    };
    let fits = *answer == wanted;
    if !fits {
        world.report(
            Finding::new(
                Code::BadSurvey,
                question.span,
                format!("the first question of a survey of kind {what} is answered by a whole number from {least} to {most}"),
            )
            .help(format!("write `answer: number, min: {least}, max: {most}`")),
        );
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, hotline::SurveyKind, parse, step::Answer};

    const FLOW: &str = "--- flows/main.yaml\nflow: main\nstart: ask\nsteps:\n  ask: { survey: csat, on: { else: done }, next: done }\n  done: { end: completed }\n";

    #[test]
    fn a_survey_asks_and_scores() {
        let text = format!(
            "--- surveys/csat.yaml\nsurvey: csat\nkind: csat\nquestions:\n  - {{ name: score, ask: hello, answer: number, min: 1, max: 5 }}\n  - {{ name: number, ask: {{ zh-CN: \"{{number}}\", en: \"{{number}}\" }}, answer: {{ one-of: [good, {{ value: bad, key: 2 }}] }} }}\n{FLOW}"
        );
        let report = check(&parse(&files(&text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let survey = &checked.surveys["csat"];
        assert_eq!(survey.kind, SurveyKind::Csat);
        let names: Vec<&str> = survey.questions.iter().map(|question| &*question.name).collect();
        assert_eq!(names, ["score", "number"]);
        assert!(matches!(survey.questions[1].answer, Answer::OneOf(_)));
    }

    #[test]
    fn surveys_are_named_asked_and_scored_right() {
        assert_findings(&[r##"
--- surveys/csat.yaml
survey: csat
kind: csat
questions:
  - { name: score, ask: hello, answer: number, max: 5 }
#           ^^^^^ TL0808: the first question of a survey of kind csat is answered by a whole number from 1 to 5
  - { name: score, ask: helo, answer: digits }
#           ^^^^^ TL0109: there are two questions `score`
#                       ^^^^ TL0401: there is no prompt `helo`
#                                     ^^^^^^ TL0506: nothing says when the answer is complete
--- surveys/nps.yaml
survey: nps
kind: npx
#     ^^^ TL0010: `npx` is no kind of survey
questions: []
# TL0010: a survey asks one to 20 questions
--- surveys/other.yaml
survey: nps
#       ^^^ TL0109: there are two surveys `nps`
#       ^^^ TL0807: no step asks the survey `nps`
kind: nps
questions: [{ name: x, ask: { zh-CN: "{words}{contact.caller}", en: hi }, answer: number, min: 0, max: 10, save: y }]
#                                      ^^^^^ TL0106: a survey reads no variables of flows
#                                             ^^^^^^^^^^^^^^ TL0205: `contact.caller` may be absent here
#                                                                                                          ^^^^ TL0006: a question has no field `save`
"##, FLOW].concat());
    }
}
