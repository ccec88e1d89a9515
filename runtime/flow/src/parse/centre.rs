//! What a centre has besides flows: queues, agents, surveys, classes of tickets.

use trunkline_model::limits::WAIT_MAX;

use super::{
    fields::{Fields, Reader, Style},
    step, value,
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::SurveyKind,
    limits::{QUEUE_WAITING_DEFAULT, QUEUE_WAITING_MAX, SURVEY_QUESTIONS_MAX, WORKING_DAYS_MAX},
    source::{Span, Spanned, Word},
    syntax::{
        AgentSyntax, AnywhereSyntax, DeadlineSyntax, FlowSyntax, QuestionSyntax, QueueSpecSyntax,
        SurveySyntax, TicketClassSyntax,
    },
    yaml::{Kind, Node},
};

/// `queues` of hotline.yaml.
pub(super) fn queues(reader: &Reader<'_>, node: &Node) -> Vec<QueueSpecSyntax> {
    let mut queues = Vec::new();
    for entry in reader.entries(node, "`queues`") {
        reader.name(&entry.key, "a queue", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "a queue", entry.key.span);
        let _title = fields.word(reader, "title");
        let queue = QueueSpecSyntax {
            name: entry.key.clone(),
            skills: skills(reader, &mut fields),
            target: fields.duration(reader, "target"),
            waiting_max: fields.count_within(
                reader,
                "max-waiting",
                QUEUE_WAITING_DEFAULT,
                1..=QUEUE_WAITING_MAX,
            ),
            calendar: fields.word(reader, "calendar"),
        };
        fields.finish(reader);
        queues.push(queue);
    }
    queues
}

fn skills(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Vec<Word> {
    let skills = fields
        .take("skills")
        .map(|node| reader.plain_list(node, "`skills`"))
        .unwrap_or_default();
    for skill in &skills {
        reader.name(skill, "a skill", Style::Kebab);
    }
    skills
}

/// agents.yaml.
pub(super) fn agents(reader: &Reader<'_>, root: &Node) -> Vec<AgentSyntax> {
    let mut agents = Vec::new();
    for entry in reader.entries(root, "agents.yaml") {
        reader.name(&entry.key, "an agent", Style::Kebab);
        let mut fields = reader.fields(&entry.value, "an agent", entry.key.span);
        let title = fields.word(reader, "title");
        let skills = skills(reader, &mut fields);
        let phone = fields.word(reader, "phone");
        if let Some(phone) = &phone {
            reader.name(phone, "a secret", Style::Kebab);
        }
        let supervisor = fields.bool(reader, "supervisor");
        let calls_out = fields.bool(reader, "calls-out");
        let place = fields.entry("supervisor").filter(|_| supervisor);
        let supervisor = place.map(|entry| entry.key.span);
        fields.finish(reader);
        agents.push(AgentSyntax {
            name: entry.key.clone(),
            title,
            skills,
            phone,
            supervisor,
            calls_out,
        });
    }
    agents
}

/// How surveys are scored, as they are written.
const KINDS: [(&str, SurveyKind); 3] = [
    ("csat", SurveyKind::Csat),
    ("nps", SurveyKind::Nps),
    ("comment", SurveyKind::Comment),
];

/// A survey; none when it has no name.
pub(super) fn survey(reader: &Reader<'_>, root: &Node, start: Span) -> Option<SurveySyntax> {
    let mut fields = reader.fields(root, "a survey", start);
    let name = fields.need_word(reader, "survey", "csat");
    if let Some(name) = &name {
        reader.name(name, "a survey", Style::Kebab);
        fields.span = name.span;
    }
    let kind = fields
        .need_word(reader, "kind", "csat")
        .and_then(|word| kind(reader, &word));
    let _title = fields.word(reader, "title");
    let example = "[{ name: score, ask: how-was-it, answer: number, min: 1, max: 5 }]";
    let written = fields
        .need(reader, "questions", example)
        .map(|node| reader.list(node, "`questions`"));
    let place = fields
        .entry("questions")
        .map_or(fields.span, |entry| entry.key.span);
    fields.finish(reader);
    if let Some(written) = written
        && !(1..=SURVEY_QUESTIONS_MAX).contains(&written.len())
    {
        reader.report(Finding::new(
            Code::WrongValue,
            place,
            format!("a survey asks one to {SURVEY_QUESTIONS_MAX} questions"),
        ));
    }
    let questions = written.unwrap_or_default().iter();
    let questions = questions.map(|node| question(reader, node)).collect();
    let name = name?;
    Some(SurveySyntax {
        scene: scene(&name),
        name,
        kind,
        questions,
    })
}

fn kind(reader: &Reader<'_>, word: &Word) -> Option<Spanned<SurveyKind>> {
    let found = KINDS.iter().find(|(name, _)| *name == word.as_str());
    if found.is_none() {
        let names = KINDS.iter().map(|(name, _)| *name);
        reader.report(
            Finding::new(
                Code::WrongValue,
                word.span,
                format!("`{}` is no kind of survey", word.as_str()),
            )
            .help_if(did_you_mean("there are", word.as_str(), names)),
        );
    }
    found.map(|(_, kind)| Spanned::new(*kind, word.span))
}

fn question(reader: &Reader<'_>, node: &Node) -> QuestionSyntax {
    let mut fields = reader.fields(node, "a question", node.span);
    let name = fields.need_word(reader, "name", "score");
    if let Some(name) = &name {
        reader.name(name, "a question", Style::Field);
    }
    let prompt = fields
        .need(reader, "ask", "how-was-it")
        .and_then(|node| value::prompt(reader, node, "`ask`"));
    let answer = step::answer_fields(reader, &mut fields);
    fields.finish(reader);
    QuestionSyntax {
        span: name.as_ref().map_or(node.span, |name| name.span),
        name,
        prompt,
        answer,
    }
}

/// A flow without anything of its own.
fn scene(name: &Word) -> FlowSyntax {
    FlowSyntax {
        name: name.clone(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        vars: Vec::new(),
        otherwise: None,
        anywhere: AnywhereSyntax::default(),
        starts_on: None,
        on_hangup: None,
        start: None,
        steps: Vec::new(),
    }
}

/// A class of tickets; none when it has no name.
pub(super) fn ticket(reader: &Reader<'_>, root: &Node, start: Span) -> Option<TicketClassSyntax> {
    let mut fields = reader.fields(root, "a class of tickets", start);
    let name = fields.need_word(reader, "ticket", "noise");
    if let Some(name) = &name {
        reader.name(name, "a class of tickets", Style::Kebab);
        fields.span = name.span;
    }
    let department = fields.need_word(reader, "department", "environment");
    let deadline = fields
        .need(reader, "deadline", "2h")
        .and_then(|node| deadline(reader, node));
    let _title = fields.word(reader, "title");
    fields.finish(reader);
    Some(TicketClassSyntax {
        name: name?,
        department,
        deadline,
    })
}

/// `2h`, or `{ working-days: 5, calendar: office }`.
fn deadline(reader: &Reader<'_>, node: &Node) -> Option<DeadlineSyntax> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        return reader
            .duration(node, "`deadline`", WAIT_MAX)
            .map(DeadlineSyntax::Within);
    }
    let mut fields = reader.fields(node, "`deadline`", node.span);
    let days = fields
        .need_word(reader, "working-days", "5")
        .and_then(|word| reader.count(&word, "`working-days`", 1..=WORKING_DAYS_MAX));
    let calendar = fields.need_word(reader, "calendar", "office");
    fields.finish(reader);
    Some(DeadlineSyntax::WorkingDays {
        days: days?,
        calendar: calendar?,
    })
}
