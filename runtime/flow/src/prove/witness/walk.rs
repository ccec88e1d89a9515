//! A way, walked with values as the engine would go it: what is said, pressed and answered on it.

use std::{collections::HashMap, sync::Arc};

use jiff::tz::TimeZone;
use trunkline_model::{Duration, Timestamp, Type, Value, json::to_json, limits::TEXT_FIRST_INPUT};

use super::{
    Last, Mock, Move, Witness,
    samples::{answer, answer_type, local, sample, type_of},
    search::{Chosen, Stuck, Wanted},
};
use crate::{
    calendar::ALWAYS,
    expression::{ContactField, Expression, Op, QueueField, Scope},
    hotline::{Flow, SurveySpec},
    prove::{
        facts::walk,
        graph::{By, Graph, Kind, first_input, seconds},
        paths::Path,
    },
    step::{Answer, Ask, Call, Key, Menu, Record, Step, Target, Verb},
};

/// A Friday morning in the hotline's time zone: when contacts of scripts begin, unless a calendar
/// has to say something else.
const MORNING: &str = "2026-11-20T10:00";

/// States that are gone through by themselves at the end of a way.
const GOES_ON_MAX: usize = 200;

struct Frame<'g> {
    flow: &'g Flow,
    variables: HashMap<Arc<str>, Value>,
    /// Which choice a variable's value comes from.
    sources: HashMap<Arc<str>, String>,
}

pub(super) struct Walk<'g, 'h> {
    graph: &'g Graph<'h>,
    chosen: &'g Chosen,
    /// Whether queues are open and closed by their hours alone.
    by_hours: bool,
    /// Time that calls took since the caller did something last.
    called_ms: u64,
    frames: Vec<Frame<'h>>,
    language: Arc<str>,
    at: Timestamp,
    calls: usize,
    asks: usize,
    /// Every value that was used, by what it is for.
    used: HashMap<String, (Value, Type)>,
    witness: Witness,
    place: usize,
}

impl<'g, 'h> Walk<'g, 'h> {
    pub(super) fn begin(graph: &'g Graph<'h>, chosen: &'g Chosen, by_hours: bool) -> Self {
        let zone = &graph.hotline.time_zone;
        let at = match chosen.0.get("at") {
            Some(Value::Time(at)) => *at,
            _ => local(MORNING, zone),
        };
        let text = |what: &str| chosen.0.get(what).and_then(Value::as_text).map(str::to_owned);
        let (from, channel) = (text("caller"), text("channel"));
        Self {
            graph,
            chosen,
            by_hours,
            called_ms: 0,
            frames: Vec::new(),
            language: "".into(),
            at,
            calls: 0,
            asks: 0,
            used: from
                .as_ref()
                .map(|from| ("caller".to_owned(), (Value::from(from.as_str()), Type::Phone)))
                .into_iter()
                .collect(),
            witness: Witness {
                number: graph.number.clone(),
                language: "".into(),
                at: clock(at, zone),
                from,
                channel,
                plugins: Vec::new(),
                services: Vec::new(),
                script: Vec::new(),
                step: "".into(),
                ended: None,
            },
            place: 0,
        }
    }

    pub(super) fn along(mut self, start: usize, path: &Path, last: &Last) -> Result<Witness, Box<Stuck>> {
        let target = path.target(self.graph).unwrap_or(start);
        let start = &self.graph.states[start];
        self.language = start.language.clone();
        self.witness.language = start.language.clone();
        if self.graph.hung_up {
            self.witness.script.push(Move::HangsUp);
        }
        self.enter(start.flow, HashMap::new(), HashMap::new());
        let words_at = |place: usize| match last {
            Last::Says(words, at) if *at == place => Some(words),
            _ => None,
        };
        for (place, (state, index)) in path.0.iter().enumerate() {
            self.place = place;
            match words_at(place) {
                Some(words) => self.by_words(*state, *index, words),
                None => self.take(*state, *index)?,
            }
        }
        self.place = path.0.len();
        if let Some(words) = words_at(self.place) {
            self.says(words.to_string());
        }
        let last = self.go_on(target)?;
        for (name, value) in &self.chosen.0 {
            if name.starts_with("queue.") {
                let read = match value {
                    Value::Duration(duration) => duration.to_string(),
                    value => to_json(value).to_string(),
                };
                self.witness.services.push((name.clone(), read.into()));
            }
        }
        self.witness.ended = self.graph.outcome(last).map(Arc::from);
        self.witness.step = self.graph.name(last).into();
        Ok(self.witness)
    }

    /// Takes what comes by itself and goes well from a state on. The state where it comes to rest.
    fn go_on(&mut self, from: usize) -> Result<usize, Box<Stuck>> {
        let mut at = from;
        for _ in 0..GOES_ON_MAX {
            let graph = self.graph;
            let rests = graph.hears(at)
                || graph.is_human(at)
                || graph.waits_for_event(at)
                || graph.outcome(at).is_some();
            if rests {
                self.waits_for_people(at);
                break;
            }
            let Some(index) = self.goes_well(at) else { break };
            self.take(at, index)?;
            at = graph.states[at].ways[index].to;
        }
        Ok(at)
    }

    /// People are waited for where they are, and not found wanting.
    fn waits_for_people(&mut self, state: usize) {
        match &self.graph.step(state).verb {
            Verb::Queue(queue) => self.serves(&format!("queue.{}", queue.queue), "waits".into()),
            Verb::Transfer(_) => self.serves("transfer", "rings".into()),
            _ => {}
        }
    }

    /// The way of a state that is taken by itself when all goes well.
    fn goes_well(&self, state: usize) -> Option<usize> {
        let graph = self.graph;
        let of = &graph.states[state];
        let step = graph.step(state);
        let holds = |condition: &Expression| condition.evaluate(&self.scope()) == Ok(Value::Bool(true));
        let by = |wanted: &dyn Fn(&By) -> bool| of.ways.iter().position(|way| wanted(&way.by));
        if of.kind == Kind::Gate {
            let entered = step.when.as_ref().is_none_or(holds);
            return by(&|by| *by == if entered { By::Entered } else { By::Passed });
        }
        match &step.verb {
            Verb::Choose(choose) => {
                let taken = choose.branches.iter().position(|(condition, _)| holds(condition));
                let taken = taken.unwrap_or(choose.branches.len());
                by(&|by| matches!(by, By::Branch(index, _) if *index == taken))
            }
            Verb::Run(_) => by(&|by| *by == By::Entered),
            Verb::End(_) => by(&|by| matches!(by, By::Ended(_))),
            // Who cannot be rung is not.
            Verb::Callback(callback) if callback.number.is_none() && self.witness.from.is_none() => {
                by(&|by| exit_of(by) == Some("refused"))
            }
            _ => by(&|by| *by == By::Next),
        }
    }

    /// Takes a way by words, which are kept as the answer where they are one.
    fn by_words(&mut self, state: usize, way: usize, words: &Arc<str>) {
        self.says(words.to_string());
        if let Verb::Ask(ask) = &self.graph.step(state).verb
            && let Some(save) = &ask.save
        {
            let value = match &ask.answer {
                Answer::OneOf(choices) => {
                    let said = crate::words::plain(words);
                    let named = choices.iter().find(|choice| choice.is_named(&said));
                    named.map_or(words, |named| &named.value)
                }
                _ => words,
            };
            self.assign(save.as_str(), Value::Text(value.clone()), None);
        }
        let to = self.graph.states[state].ways[way].to;
        self.frames.truncate(self.graph.frames(to).len().max(1));
    }

    fn enter(
        &mut self,
        flow: &'h Flow,
        variables: HashMap<Arc<str>, Value>,
        sources: HashMap<Arc<str>, String>,
    ) {
        self.frames.push(Frame {
            flow,
            variables,
            sources,
        });
        for (name, variable) in &flow.variables {
            if let Some(initial) = &variable.initial
                && let Ok(value) = initial.evaluate(&self.scope())
            {
                self.assign(name.as_str(), value, None);
            }
        }
    }

    fn scope(&self) -> Here<'_> {
        Here {
            graph: self.graph,
            chosen: self.chosen,
            variables: self.frames.last().map(|frame| &frame.variables),
            result: None,
            language: &self.language,
            at: self.at,
            caller: self.witness.from.as_deref(),
            channel: self.witness.channel.as_deref().unwrap_or("voice"),
        }
    }

    fn assign(&mut self, name: &str, value: Value, source: Option<String>) {
        if let Some(frame) = self.frames.last_mut() {
            match source {
                Some(source) => frame.sources.insert(name.into(), source),
                None => frame.sources.remove(name),
            };
            frame.variables.insert(name.into(), value);
        }
    }

    /// The value for something of a type: the one that was chosen, else any.
    fn value_for(&mut self, what: &str, ty: &Type) -> Value {
        let value = self
            .chosen
            .0
            .get(what)
            .cloned()
            .unwrap_or_else(|| sample(ty, self.at));
        self.used.insert(what.to_owned(), (value.clone(), ty.clone()));
        value
    }

    fn require(&self, condition: &Expression, truth: bool, part: usize) -> Result<(), Box<Stuck>> {
        let holds = condition.evaluate(&self.scope()) == Ok(Value::Bool(true));
        if holds == truth {
            return Ok(());
        }
        let mut sources = HashMap::new();
        let mut values = HashMap::new();
        if let Some(frame) = self.frames.last() {
            for (name, source) in &frame.sources {
                if let Some((value, ty)) = self.used.get(source) {
                    sources.insert(name.to_string(), (source.clone(), ty.clone()));
                    values.insert(source.clone(), value.clone());
                }
            }
        }
        let zone = &self.graph.hotline.time_zone;
        let year = jiff::Timestamp::from_millisecond(self.at.as_millis())
            .map_or(2026, |at| i64::from(zone.to_datetime(at).year()));
        Err(Box::new(Stuck {
            place: self.place,
            part,
            parts_met: condition.parts_met(truth, &self.scope()),
            wants: Wanted::Condition(condition.clone()),
            sources,
            values,
            year,
        }))
    }

    fn pass(&mut self, time: f64) {
        // Times of flows are whole milliseconds far below the limit.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and small"
        )]
        let millis = (time * 1000.0).round() as u64;
        if millis == 0 {
            return;
        }
        self.at = self.at + Duration::from_millis(millis);
        // Calls that ran out meanwhile took their time as well.
        let millis = millis + std::mem::take(&mut self.called_ms);
        let time = Duration::from_millis(millis);
        if let Some(Move::Waits(before)) = self.witness.script.last_mut() {
            *before = Duration::from_millis(before.as_millis() + millis);
        } else {
            self.witness.script.push(Move::Waits(time));
        }
    }

    /// Whether a queue answers that it is closed because it is.
    fn closes_by_itself(&self, queue: &str, answer: &str) -> Result<bool, Box<Stuck>> {
        let hotline = self.graph.hotline;
        let calendar = hotline.queues.get(queue).map(|settings| &settings.calendar);
        let open = calendar
            .and_then(|calendar| hotline.calendars.get(calendar))
            .is_none_or(|calendar| calendar.is_open(self.at, &hotline.time_zone));
        let closed = answer == "closed";
        if self.by_hours && open == closed {
            return Err(self.wants(Wanted::Time));
        }
        Ok(closed && !open)
    }

    /// A service answers.
    fn serves(&mut self, service: &str, answer: Arc<str>) {
        self.witness.services.push((service.to_owned(), answer));
    }

    /// The way cannot be taken unless something else is otherwise.
    fn wants(&self, wants: Wanted) -> Box<Stuck> {
        Box::new(Stuck {
            place: self.place,
            part: 0,
            parts_met: 0,
            wants,
            sources: HashMap::new(),
            values: HashMap::new(),
            year: 0,
        })
    }

    fn presses(&mut self, keys: impl Into<String>) {
        self.called_ms = 0;
        self.witness.script.push(Move::Presses(keys.into()));
    }

    fn says(&mut self, words: impl Into<String>) {
        self.called_ms = 0;
        self.witness.script.push(Move::Says(words.into()));
    }

    fn take(&mut self, state: usize, index: usize) -> Result<(), Box<Stuck>> {
        let graph = self.graph;
        let of = &graph.states[state];
        let way = &of.ways[index];
        let step = graph.step(state);
        if of.kind == Kind::Gate {
            if let Some(when) = &step.when {
                self.require(when, way.by == By::Entered, 0)?;
            }
            return Ok(());
        }
        match &step.verb {
            Verb::Say(_) => {}
            Verb::Menu(menu) => self.menu(menu, &way.by)?,
            Verb::Ask(ask) => self.ask(ask, &way.by),
            Verb::Call(call) => {
                let exit = exit_of(&way.by);
                self.call(step, call, exit, exit);
            }
            Verb::Together(together) => {
                let exit = exit_of(&way.by);
                for (branch, call) in &together.branches {
                    let own = exit.and_then(|exit| exit.strip_prefix(&format!("{branch}.")));
                    self.call(step, call, own, exit);
                }
            }
            Verb::Choose(choose) => {
                if let By::Branch(taken, _) = &way.by {
                    for (place, (condition, _)) in choose.branches.iter().enumerate().take(*taken + 1) {
                        self.require(condition, place == *taken, place)?;
                    }
                }
            }
            Verb::Set(set) => {
                for (target, expression) in &set.assignments {
                    let Ok(value) = expression.evaluate(&self.scope()) else {
                        continue;
                    };
                    match target {
                        Target::Variable(name) => {
                            let source = self.source_of(expression);
                            self.assign(name.as_str(), value, source);
                        }
                        Target::Language => self.language = graph.states[way.to].language.clone(),
                    }
                }
            }
            Verb::Run(run) => {
                let mut variables = HashMap::new();
                let mut sources = HashMap::new();
                for (name, expression) in &run.inputs {
                    if let Ok(value) = expression.evaluate(&self.scope()) {
                        variables.insert(Arc::from(name.as_str()), value);
                        if let Some(source) = self.source_of(expression) {
                            sources.insert(Arc::from(name.as_str()), source);
                        }
                    }
                }
                self.enter(graph.states[way.to].flow, variables, sources);
                return Ok(());
            }
            Verb::End(end) => {
                let outputs: Vec<(Arc<str>, Value)> = end
                    .outputs
                    .iter()
                    .map(|(name, output)| {
                        let value = output.evaluate(&self.scope()).unwrap_or_default();
                        (Arc::from(name.as_str()), value)
                    })
                    .collect();
                if self.frames.len() > 1 {
                    self.frames.pop();
                    let frames = graph.frames(state);
                    if let Some((flow, step)) = frames.iter().rev().nth(1)
                        && let Verb::Run(run) = &flow.steps[*step].verb
                        && &*end.outcome == "completed"
                    {
                        let result = Value::record(outputs);
                        for (name, expression) in &run.save {
                            let scope = Here {
                                result: Some(&result),
                                ..self.scope()
                            };
                            if let Ok(value) = expression.evaluate(&scope) {
                                self.assign(name.as_str(), value, None);
                            }
                        }
                    }
                }
                return Ok(());
            }
            Verb::Wait(wait) => {
                let timed_out = exit_of(&way.by).is_some();
                match &wait.event {
                    Some(event) if !timed_out => self.witness.script.push(Move::Happens(event.clone())),
                    _ => self.pass(seconds(wait.time)),
                }
            }
            Verb::Queue(queue) => {
                let answer = match &way.by {
                    By::Exit(exit) if &**exit != "timeout" => exit.clone(),
                    By::Exit(_) | By::Key(_) | By::Word(_) => "waits".into(),
                    _ => "served".into(),
                };
                if !self.closes_by_itself(&queue.queue, &answer)? {
                    self.serves(&format!("queue.{}", queue.queue), answer);
                }
                match &way.by {
                    By::Exit(exit) if &**exit == "timeout" => self.pass(seconds(queue.max)),
                    By::Key(key) => {
                        if let Some(offer) = queue.offers.iter().find(|offer| offer.key == *key) {
                            self.pass(seconds(offer.after));
                        }
                        self.presses(key.to_string());
                    }
                    By::Word(word) => self.says(&**word),
                    _ => {}
                }
            }
            Verb::Transfer(_) => {
                let answer = exit_of(&way.by).unwrap_or("served");
                self.serves("transfer", answer.into());
            }
            Verb::Callback(_) | Verb::Ticket(_) | Verb::Notify(_) => {
                let verb = step.verb.name();
                match (&way.by, &step.verb) {
                    (By::Exit(exit), _) => self.serves(verb, exit.clone()),
                    (_, Verb::Callback(callback)) => {
                        if callback.number.is_none() && self.witness.from.is_none() {
                            return Err(self.wants(Wanted::Caller));
                        }
                        self.serves(verb, "booked".into());
                    }
                    (_, Verb::Ticket(_)) => self.serves(verb, "done".into()),
                    _ => self.serves(verb, "sent".into()),
                }
                if let Verb::Ticket(ticket) = &step.verb
                    && let Some(save) = &ticket.save
                {
                    let value = match type_of(of.flow, save.as_str()) {
                        Some(ty) => sample(ty.required(), self.at),
                        None => Value::None,
                    };
                    self.assign(save.as_str(), value, None);
                }
            }
            Verb::Survey(survey) => self.survey(&survey.survey, &way.by),
            Verb::Record(record) => {
                let declined = exit_of(&way.by).is_some();
                if let Record::Message { finish, save, .. } = record {
                    // Where texts are sent a text is the message.
                    if self.in_chat() && !declined {
                        self.says(self.own_words());
                    } else {
                        self.presses(finish.to_string());
                    }
                    if !declined {
                        self.assign(save.as_str(), Value::from("recording"), None);
                    }
                }
                // A recording that wants a consent which was not given does not begin.
                if !(declined && matches!(record, Record::Start { .. })) {
                    self.serves("record", exit_of(&way.by).unwrap_or("done").into());
                }
            }
        }
        // What holds anywhere may lead out of flows.
        self.frames.truncate(graph.frames(way.to).len().max(1));
        Ok(())
    }

    fn source_of(&self, expression: &Expression) -> Option<String> {
        let mut found = None;
        let frame = self.frames.last()?;
        walk(expression.root(), &mut |node| match &node.op {
            Op::Variable { name, .. } => {
                if let Some(source) = frame.sources.get(name) {
                    found = Some(source.clone());
                }
            }
            Op::Contact {
                field: ContactField::Caller,
                ..
            } => found = Some("caller".to_owned()),
            _ => {}
        });
        found
    }

    fn call(&mut self, step: &Step, call: &Call, own: Option<&str>, taken: Option<&str>) {
        self.calls += 1;
        let mock = match own {
            None => {
                let what = format!("call {}", self.calls);
                let value = call.ok.as_ref().map(|ty| self.value_for(&what, ty));
                if let (Some(save), Some(value)) = (&call.save, &value) {
                    self.assign(save.as_str(), value.clone(), Some(what));
                }
                Mock::Ok(
                    value
                        .as_ref()
                        .map_or_else(|| "null".to_owned(), |value| to_json(value).to_string()),
                )
            }
            Some(exit) => match exit.strip_prefix("fault.") {
                Some(kind) => {
                    if kind == "timed-out" {
                        self.at = self.at + call.time;
                        self.called_ms += call.time.as_millis();
                    }
                    Mock::Fault(kind.into())
                }
                None => {
                    let payload = call
                        .errors
                        .iter()
                        .find(|(case, _)| &**case == exit)
                        .and_then(|(_, payload)| payload.as_ref())
                        .map(|ty| sample(ty, self.at));
                    if let Some(save) = taken
                        .and_then(|exit| step.exits.get(exit))
                        .and_then(|edge| edge.save.as_ref())
                        && let Some(payload) = &payload
                    {
                        self.assign(save.as_str(), payload.clone(), None);
                    }
                    Mock::Refusal(exit.into(), payload.map(|payload| to_json(&payload).to_string()))
                }
            },
        };
        self.witness.plugins.push((call.written.clone(), mock));
        let retried = matches!(own, Some(exit) if exit.starts_with("fault.") && exit != "fault.timed-out" && exit != "fault.interrupted");
        if retried && !call.at_most_once {
            for _ in 0..call.retries {
                let again = self.witness.plugins.last().cloned();
                self.witness.plugins.extend(again);
            }
        }
    }

    fn menu(&mut self, menu: &Menu, by: &By) -> Result<(), Box<Stuck>> {
        match by {
            By::Key(key) => {
                if let Some(entry) = menu.entries.iter().find(|entry| entry.key == *key)
                    && let Some(when) = &entry.when
                {
                    self.require(when, true, 0)?;
                }
                self.presses(key.to_string());
            }
            By::Word(word) => self.says(&**word),
            By::Intent(case) => {
                self.says(self.own_words());
                if let Some(intent) = &menu.intent {
                    self.witness
                        .plugins
                        .push((intent.written.clone(), Mock::Ok(format!("{case:?}"))));
                }
            }
            By::Exit(exit) if &**exit == "no-input" => self.silence(menu.time, menu.retries),
            By::Exit(_) => {
                let frames = &self.frames;
                let taken = |key: Key| {
                    menu.entries.iter().any(|entry| entry.key == key)
                        || frames
                            .iter()
                            .any(|frame| frame.flow.anywhere.keys.contains_key(&key))
                };
                let wrong = "123456789*0#"
                    .chars()
                    .filter_map(Key::new)
                    .find(|key| !taken(*key));
                for _ in 0..=menu.retries {
                    match wrong {
                        Some(key) => self.presses(key.to_string()),
                        None => self.says("？？？"),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, ask: &Ask, by: &By) {
        match by {
            By::Key(key) => self.presses(key.to_string()),
            By::Word(word) => self.says(&**word),
            By::Answer(choice) => {
                self.asks += 1;
                let what = format!("ask {}", self.asks);
                let ty = answer_type(&ask.answer);
                let value = match self.chosen.0.get(&what) {
                    Some(value) => value.clone(),
                    None => match (choice, &ask.answer) {
                        (Some(choice), Answer::YesNo) => Value::Bool(**choice == *"true"),
                        (Some(choice), Answer::OneOf(_)) => Value::Text(choice.clone()),
                        _ => self.answer(&ask.answer),
                    },
                };
                self.used.insert(what.clone(), (value.clone(), ty));
                self.give(&ask.answer, &value);
                if ask.confirm.is_some() {
                    self.presses("1");
                }
                if let Some(save) = &ask.save {
                    self.assign(save.as_str(), value, Some(what));
                }
            }
            By::Exit(exit) if &**exit == "no-input" => self.silence(ask.time, ask.retries),
            By::Exit(_) => {
                for _ in 0..=ask.retries {
                    // Keys answer no question for a text, and these words no other.
                    match ask.answer {
                        Answer::Text => self.presses("1"),
                        _ => self.says("？？？"),
                    }
                }
            }
            _ => {}
        }
    }

    fn survey(&mut self, name: &str, by: &By) {
        let Some(survey) = self.graph.hotline.surveys.get(name) else {
            return;
        };
        match by {
            By::Key(key) => self.presses(key.to_string()),
            By::Word(word) => self.says(&**word),
            By::Answer(_) => {
                self.answer_all(survey);
                self.serves("survey", "stored".into());
            }
            By::Exit(exit) if &**exit == "declined" => {
                for _ in &survey.questions {
                    self.silence(None, 1);
                }
            }
            _ => {
                self.answer_all(survey);
                self.serves("survey", "failed".into());
            }
        }
    }

    fn answer_all(&mut self, survey: &SurveySpec) {
        for question in &survey.questions {
            let value = self.answer(&question.answer);
            self.give(&question.answer, &value);
        }
    }

    /// What a caller may say of what brings them here, in the contact's language.
    fn own_words(&self) -> &'static str {
        match self.language.split('-').next() {
            Some("zh" | "yue" | "wuu" | "nan") => "我想问一件事",
            _ => "I have a question",
        }
    }

    /// Any answer of a kind.
    fn answer(&self, kind: &Answer) -> Value {
        match kind {
            Answer::Text => Value::from(self.own_words()),
            kind => answer(kind, self.at),
        }
    }

    /// Gives an answer by keys where it can be, else by words.
    fn give(&mut self, answer: &Answer, value: &Value) {
        match (answer, value) {
            (Answer::YesNo, Value::Bool(yes)) => self.presses(if *yes { "1" } else { "2" }),
            (Answer::Digits(digits), Value::Text(keys)) => {
                let full = keys.len() == *digits.length.end();
                let finish = digits.finish.filter(|_| !full).map(|key| key.to_string());
                self.presses(format!("{keys}{}", finish.unwrap_or_default()));
            }
            (Answer::OneOf(choices), Value::Text(chosen)) => {
                match choices
                    .iter()
                    .find(|choice| choice.value == *chosen)
                    .and_then(|choice| choice.key)
                {
                    Some(key) => self.presses(key.to_string()),
                    None => self.says(&**chosen),
                }
            }
            (_, Value::Text(text)) => self.says(&**text),
            (_, Value::Date(date)) => self.says(date.to_string()),
            (_, value) => self.says(to_json(value).to_string().trim_matches('"').to_owned()),
        }
    }

    fn silence(&mut self, time: Option<Duration>, retries: u32) {
        let time = time.or(self.in_chat().then_some(TEXT_FIRST_INPUT));
        self.pass(first_input(time) * f64::from(retries + 1));
    }

    /// Whether the caller writes and reads.
    fn in_chat(&self) -> bool {
        self.witness.channel.as_deref() == Some("chat")
    }
}

/// The name of the exit that a way takes, if it takes one.
fn exit_of(by: &By) -> Option<&str> {
    match by {
        By::Exit(name) => Some(name),
        _ => None,
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(
        |_| MORNING.to_owned(),
        |at| zone.to_datetime(at).strftime("%Y-%m-%dT%H:%M").to_string(),
    )
}

/// What expressions see on a walk.
struct Here<'w> {
    graph: &'w Graph<'w>,
    chosen: &'w Chosen,
    variables: Option<&'w HashMap<Arc<str>, Value>>,
    result: Option<&'w Value>,
    language: &'w Arc<str>,
    at: Timestamp,
    caller: Option<&'w str>,
    channel: &'w str,
}

impl Scope for Here<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables?.get(name).cloned()
    }
    fn answer(&self) -> Option<Value> {
        None
    }
    fn result(&self) -> Option<Value> {
        self.result.cloned()
    }
    fn contact(&self, field: ContactField) -> Option<Value> {
        match field {
            ContactField::Caller => self.caller.map(Value::from),
            ContactField::Claimed => None,
            ContactField::Number => Some(Value::Text(self.graph.number.clone())),
            ContactField::Language => Some(Value::Text(self.language.clone())),
            ContactField::Channel => Some(Value::from(self.channel)),
            ContactField::Id => Some(Value::from("contact")),
        }
    }
    fn calendar_open(&self, name: &str) -> bool {
        let hotline = self.graph.hotline;
        let calendar = hotline.calendars.get(name);
        calendar.is_some_and(|calendar| calendar.is_open(self.at, &hotline.time_zone))
    }
    fn calendar_opens(&self, name: &str) -> Option<Timestamp> {
        let hotline = self.graph.hotline;
        hotline
            .calendars
            .get(name)?
            .next_opening(self.at, &hotline.time_zone)
    }
    fn calendar_closes(&self, name: &str) -> Option<Timestamp> {
        let hotline = self.graph.hotline;
        hotline
            .calendars
            .get(name)?
            .next_closing(self.at, &hotline.time_zone)
    }
    fn queue(&self, name: &str, field: QueueField) -> Value {
        let chosen = self.chosen.0.get(&format!("queue.{name}.{}", field.as_str()));
        chosen.cloned().unwrap_or_else(|| match field {
            QueueField::Open => {
                let calendar = self.graph.hotline.queues.get(name).map(|queue| &queue.calendar);
                let open = |calendar: &Arc<str>| **calendar == *ALWAYS || self.calendar_open(calendar);
                Value::Bool(calendar.is_some_and(open))
            }
            QueueField::Waiting | QueueField::Agents => Value::Int(0),
            QueueField::Wait => Value::Duration(Duration::default()),
        })
    }
    fn position(&self) -> Option<Value> {
        Some(Value::Int(1))
    }
    fn wait(&self) -> Option<Value> {
        Some(Value::Duration(Duration::default()))
    }
    fn now(&self) -> Timestamp {
        self.at
    }
    fn time_zone(&self) -> &TimeZone {
        &self.graph.hotline.time_zone
    }
}
