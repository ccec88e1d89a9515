//! A scenario's script, line by line.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_engine::{
    Arrival, Channel, Event, Fact, Personal, Reply, Services, Start, Utterance,
    input::Refused,
    service::{Stage, TransferAnswer},
    session::State,
};
use trunkline_flow::{
    Checked,
    scenario::{self, AgentDoes, Expect, Happening, Position, Said, Scenario, Started, TransferComes, fits},
};
use trunkline_model::{ContactId, Digest, Duration, Value, json::to_json};

use crate::{
    AgentDeed, Contact, Offices, Player, Plugins,
    sheet::{Mark, Row},
    told,
};

/// What came of a scenario.
#[derive(Debug)]
pub struct Played {
    /// The first thing that was not as expected, if something was not.
    pub mismatch: Option<Mismatch>,
    /// Script and events side by side.
    pub rows: Vec<Row>,
    /// All that happened.
    pub events: Vec<Event>,
    /// How long it took by the contact's clock.
    pub lasted: Duration,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected and what was found, in a sentence; further lines say what to write.
    pub why: String,
    /// Where the script's line stands; none for one that was made by a program, and for what no
    /// line is about.
    pub place: Option<Position>,
}

impl Played {
    /// Whether all was as expected.
    pub const fn passed(&self) -> bool {
        self.mismatch.is_none()
    }
}

/// A scenario's call, as the engine takes it.
pub fn arrival(scenario: &Scenario) -> Arrival {
    let call = &scenario.call;
    Arrival {
        // Nothing that a flow decides depends on it, so that all scenarios may have the same.
        contact: ContactId::generate(call.at, [0; 10]),
        release: Digest::from_bytes([0; 32]),
        channel: match call.channel {
            scenario::Channel::Voice => Channel::Voice,
            scenario::Channel::Chat => Channel::Chat,
        },
        number: call.number.clone(),
        language: call.language.clone(),
        caller: call.from.clone(),
        claimed: None,
    }
}

/// A scenario's change or event, as the engine takes it.
fn start(scenario: &Scenario, started: &Started) -> Start {
    let arrival = arrival(scenario);
    Start {
        contact: arrival.contact,
        release: arrival.release,
        on: started.on.clone(),
        person: arrival.caller,
        language: arrival.language,
        inputs: started.inputs.clone(),
    }
}

/// Plays a scenario to its end, or to the first thing that is not as expected.
pub fn play<P: Plugins>(hotline: &Checked, scenario: &Scenario, plugins: P) -> Played {
    let at = scenario.call.at;
    let arrival = arrival(scenario);
    let mut services = Services::new(hotline);
    let mut answer_after = BTreeMap::new();
    for (name, agent) in &scenario.agents {
        // Before the contact there is nobody to be offered; a name that is not there is a finding
        // of the file's, and in a scenario made by a program an agent who never comes.
        if agent.available {
            let _ = services.agent_available(name, at);
        }
        if let Some(after) = agent.answers_after {
            answer_after.insert(name.clone(), after);
        }
    }
    let offices = Offices::new(&scenario.services);
    let mut readings = services.readings(None, at);
    offices.read(&mut readings.queues);
    let contact = match (&scenario.begins, &scenario.starts) {
        (_, Some(started)) => Contact::start(hotline, start(scenario, started), at, &readings),
        (None, None) => Contact::arrive(hotline, arrival, at, &readings),
        (Some(begins), None) => Contact::arrive_at(
            hotline,
            arrival,
            (&begins.flow, &begins.step),
            begins.variables.clone(),
            at,
            &readings,
        ),
    };
    let contact = match contact {
        Ok(contact) => contact,
        Err(error) => {
            return Played {
                mismatch: Some(Mismatch {
                    why: error.to_string(),
                    place: None,
                }),
                rows: Vec::new(),
                events: Vec::new(),
                lasted: Duration::default(),
            };
        }
    };
    let mut script = Script {
        player: Player::with_offices(contact, plugins, services, offices).with_agents(answer_after),
        rows: Vec::new(),
        shown: 0,
        heard: 0,
    };
    let mut mismatch = None;
    for (index, line) in scenario.script.iter().enumerate() {
        if let Err(why) = script.line(&line.what) {
            let stuck = script.player.stuck();
            mismatch = Some(Mismatch {
                why: stuck.map_or(why, str::to_owned),
                place: line.place,
            });
            script.fail(line.what.to_string());
            script.not_reached(scenario.script[index + 1..].iter().map(|line| &line.what));
            break;
        }
    }
    if mismatch.is_none() {
        // What follows the last line of the script by itself is part of the contact.
        script.player.settle(|_| false);
        script.show_rest();
        mismatch = script.player.stuck().map(|why| Mismatch {
            why: why.to_owned(),
            place: None,
        });
    }
    let contact = script.player.contact();
    Played {
        mismatch,
        lasted: contact.at().since(at),
        events: contact.events().to_vec(),
        rows: script.rows,
    }
}

struct Script<P> {
    player: Player<P>,
    rows: Vec<Row>,
    /// Events that stand in rows.
    shown: usize,
    /// Events that `hears` does not look at any more.
    heard: usize,
}

impl<P: Plugins> Script<P> {
    fn line(&mut self, what: &Happening) -> Result<(), String> {
        match what {
            Happening::Hears(said) => return self.hears(what, said),
            Happening::Expect(expect) => return self.expect(what, expect),
            Happening::Presses(keys) => {
                // Keys that follow keys of one answer come before its time runs out.
                let goes_on = match &self.player.contact().session().state {
                    State::Hearing(hearing) => !hearing.keys.is_empty(),
                    _ => false,
                };
                if !goes_on {
                    self.rest()?;
                }
                self.heard = self.events().len();
                let reply = self.player.hear(Utterance::Keys(keys.clone()));
                self.taken(reply)?;
            }
            Happening::Says(words) => {
                self.rest()?;
                self.heard = self.events().len();
                let reply = self.player.hear(Utterance::Text(words.clone()));
                self.taken(reply)?;
            }
            Happening::Waits(time) => {
                self.heard = self.events().len();
                self.show_until(self.heard);
                self.player.advance(*time);
            }
            Happening::HangsUp => {
                self.heard = self.events().len();
                let reply = self.player.hang_up();
                self.taken(reply)?;
            }
            Happening::Restarts(away) => {
                self.heard = self.events().len();
                self.player.restart(*away);
            }
            Happening::Agent(does) => {
                self.rest()?;
                self.heard = self.events().len();
                let (name, deed) = match does {
                    AgentDoes::Comes(name) => (name, AgentDeed::Comes),
                    AgentDoes::Goes(name) => (name, AgentDeed::Goes),
                    AgentDoes::Answers(name) => (name, AgentDeed::Answers),
                    AgentDoes::Ends(name) => (name, AgentDeed::Ends),
                };
                // Who answers by themselves may have done so already.
                let done = deed == AgentDeed::Answers && self.player.talks_to(name);
                if !done {
                    self.player
                        .agent(name, deed)
                        .map_err(|why| format!("{why}; {}", self.standing()))?;
                }
            }
            Happening::Transfer(comes) => {
                self.rest()?;
                self.heard = self.events().len();
                self.player
                    .party(came(*comes))
                    .map_err(|why| format!("{why}; {}", self.standing()))?;
            }
            Happening::Happens(event) => {
                self.rest()?;
                self.heard = self.events().len();
                self.player.happens(event);
            }
        }
        self.show_until(self.heard);
        self.show(Some(what.to_string()), Mark::Agrees);
        match self.player.stuck() {
            Some(why) => Err(why.to_owned()),
            None => Ok(()),
        }
    }

    fn events(&self) -> &[Event] {
        self.player.contact().events()
    }

    /// Lets the hotline come to rest, so that the caller's next input meets its question.
    fn rest(&mut self) -> Result<(), String> {
        self.player.settle(|_| false);
        match self.player.stuck() {
            Some(why) => Err(why.to_owned()),
            None => Ok(()),
        }
    }

    fn taken(&self, reply: Reply) -> Result<(), String> {
        match reply {
            Reply::Accepted => Ok(()),
            Reply::Refused(Refused::Ended) => Err(format!("the contact has ended: {}", self.standing())),
            Reply::Refused(why) => Err(format!("it was not taken: {why}; {}", self.standing())),
        }
    }

    /// Finds what is said, from what has not been heard yet on, letting the hotline go on by
    /// itself until it is said.
    fn hears(&mut self, what: &Happening, said: &Said) -> Result<(), String> {
        let from = self.heard;
        let find = |events: &[Event]| {
            let mut events = events.iter().enumerate().skip(from);
            events
                .find(|(_, event)| is_said(event, said))
                .map(|(index, _)| index)
        };
        self.player.settle(|contact| find(contact.events()).is_some());
        if let Some(found) = find(self.events()) {
            self.show_until(found);
            self.show(Some(what.to_string()), Mark::Agrees);
            self.heard = found + 1;
            return Ok(());
        }
        let heard: Vec<String> = self.events()[from..].iter().filter_map(named).collect();
        let heard = if heard.is_empty() {
            "nothing more".to_owned()
        } else {
            heard.join(", ")
        };
        Err(format!(
            "{said} was not heard; the caller heard {heard}, and {}",
            self.standing()
        ))
    }

    fn expect(&mut self, what: &Happening, expect: &Expect) -> Result<(), String> {
        self.rest()?;
        self.show_rest();
        self.met(expect)?;
        self.rows.push(Row {
            expected: Some(what.to_string()),
            actual: None,
            mark: Mark::Agrees,
        });
        Ok(())
    }

    fn met(&self, expect: &Expect) -> Result<(), String> {
        let session = self.player.contact().session();
        if let Some(wanted) = &expect.ended {
            match &session.state {
                State::Ended { outcome, .. } if outcome == wanted => {}
                State::Ended { outcome, .. } => {
                    return Err(format!("the contact ended {outcome}, not {wanted}"));
                }
                _ => return Err(format!("the contact has not ended {wanted}: {}", self.standing())),
            }
        }
        if let Some(wanted) = &expect.step {
            let step = session.place().map(|(_, step)| step);
            if step != Some(wanted) {
                let step = step.map_or("no step", |step| step.as_str());
                return Err(format!("the contact is in {step}, not in {wanted}"));
            }
        }
        if let Some(said) = &expect.said
            && !self.events().iter().any(|event| is_said(event, said))
        {
            return Err(format!("{said} has not been said"));
        }
        if let Some(said) = &expect.not_heard
            && self.events().iter().any(|event| is_said(event, said))
        {
            return Err(format!("{said} was heard"));
        }
        if let Some(wanted) = &expect.language
            && session.language != *wanted
        {
            return Err(format!(
                "the contact's language is {}, not {wanted}",
                session.language
            ));
        }
        for (name, wanted) in &expect.variables {
            let holder = session.frames.iter().rev().find_map(|frame| {
                let wanted = wanted.get(&frame.flow)?;
                Some((frame, wanted))
            });
            let Some((frame, wanted)) = holder else {
                return Err(format!(
                    "the contact is in no flow that has the variable `{name}`"
                ));
            };
            let value = frame.variables.get(name.as_str()).unwrap_or(&Value::None);
            if !fits(wanted, value) {
                return Err(format!("`{name}` is {}, not {}", to_json(value), to_json(wanted)));
            }
        }
        self.services(expect)
    }

    /// What services did for the contact.
    fn services(&self, expect: &Expect) -> Result<(), String> {
        let services = self.player.services();
        if let Some(wanted) = &expect.callback {
            let Some(booked) = services.callbacks().last() else {
                return Err("no callback was booked".to_owned());
            };
            let within = booked.due.since(booked.since);
            if wanted.within.is_some_and(|wanted| wanted != within) {
                return Err(format!("a callback was booked within {within}"));
            }
            if wanted.queue.as_ref().is_some_and(|queue| *queue != booked.queue) {
                return Err(format!("a callback was booked by the queue {}", booked.queue));
            }
        }
        if let Some(wanted) = &expect.ticket {
            let classes: Vec<Arc<str>> = services
                .tickets()
                .map(|ticket| ticket.state.class.clone())
                .collect();
            let is_there = wanted
                .class
                .as_ref()
                .map_or(!classes.is_empty(), |class| classes.contains(class));
            if !is_there {
                return Err(match classes.last() {
                    Some(class) => format!("a ticket of the class {class} was opened"),
                    None => "no ticket was opened".to_owned(),
                });
            }
        }
        match (expect.notified, services.messages().next().is_some()) {
            (Some(true), false) => Err("no message was sent".to_owned()),
            (Some(false), true) => Err("a message was sent".to_owned()),
            _ => Ok(()),
        }
    }

    /// How the contact stands, in a clause.
    fn standing(&self) -> String {
        let session = self.player.contact().session();
        let step = session.place().map_or("no step", |(_, step)| step.as_str());
        match &session.state {
            State::Hearing(hearing) => {
                let words = if hearing.expects.text { " or words" } else { "" };
                format!("in `{step}` it waits for keys {}{words}", hearing.expects.keys)
            }
            State::Calling(calling) => format!("in `{step}` it waits for {}", calling.plugin),
            State::Together(_) => format!("in `{step}` it waits for several plugins"),
            State::Serving(serving) => {
                let service = serving.demand.service();
                match &serving.stage {
                    Stage::Asked | Stage::Waiting(_) => format!("in `{step}` it waits for the {service}"),
                    Stage::Ringing => format!("in `{step}` it rings"),
                    Stage::Talking { agent: Some(agent) } => {
                        format!("in `{step}` the caller talks to {agent}")
                    }
                    Stage::Talking { agent: None } => format!("in `{step}` the caller is connected"),
                }
            }
            State::Waiting { .. } => format!("it waits in `{step}`"),
            State::Ended { outcome, .. } => format!("it ended {outcome} in `{step}`"),
            State::Deciding => format!("it is in `{step}`"),
        }
    }

    /// Shows the events before one as rows that nothing was expected of.
    fn show_until(&mut self, end: usize) {
        while self.shown < end {
            let line = told(&self.events()[self.shown]);
            self.shown += 1;
            if line.is_some() {
                self.rows.push(Row {
                    expected: None,
                    actual: line,
                    mark: Mark::Agrees,
                });
            }
        }
    }

    /// Shows a line of the script beside the next event that has something to tell.
    fn show(&mut self, expected: Option<String>, mark: Mark) {
        let mut actual = None;
        while actual.is_none() && self.shown < self.events().len() {
            actual = told(&self.events()[self.shown]);
            self.shown += 1;
        }
        self.rows.push(Row {
            expected,
            actual,
            mark,
        });
    }

    fn show_rest(&mut self) {
        self.show_until(self.events().len());
    }

    /// Shows the line that was not met, beside all that happened instead.
    fn fail(&mut self, expected: String) {
        self.show(Some(expected), Mark::Differs);
        self.show_rest();
        let standing = self.standing();
        self.rows.push(Row {
            expected: None,
            actual: Some(standing),
            mark: Mark::Differs,
        });
    }

    fn not_reached<'l>(&mut self, lines: impl Iterator<Item = &'l Happening>) {
        self.rows.extend(lines.map(|line| Row {
            expected: Some(line.to_string()),
            actual: None,
            mark: Mark::NotReached,
        }));
    }
}

/// Whether an event says something.
fn is_said(event: &Event, said: &Said) -> bool {
    let Fact::Said { prompt, .. } = &event.fact else {
        return false;
    };
    let text = event.personal.as_ref().and_then(Personal::text);
    let holds = |wanted: &Arc<str>| text.is_some_and(|text| text.contains(&**wanted));
    said.prompt
        .as_ref()
        .is_none_or(|wanted| prompt.as_ref() == Some(wanted))
        && said.text.as_ref().is_none_or(holds)
}

/// What an event said, by its name or its beginning.
fn named(event: &Event) -> Option<String> {
    const CHARS: usize = 12;
    let Fact::Said { prompt, .. } = &event.fact else {
        return None;
    };
    Some(match (prompt, event.personal.as_ref().and_then(Personal::text)) {
        (Some(key), _) => format!("`{key}`"),
        (None, Some(text)) => {
            format!("“{}…”", text.chars().take(CHARS).collect::<String>())
        }
        (None, _) => "something".to_owned(),
    })
}

const fn came(comes: TransferComes) -> TransferAnswer {
    match comes {
        TransferComes::Answered => TransferAnswer::Answered,
        TransferComes::Ended => TransferAnswer::OtherLegEnded,
        TransferComes::Busy => TransferAnswer::Busy,
        TransferComes::NoAnswer => TransferAnswer::NoAnswer,
        TransferComes::Failed => TransferAnswer::Failed,
    }
}
