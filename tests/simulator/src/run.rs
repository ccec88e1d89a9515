//! One run: a few contacts of one hotline, and everything that may happen to them.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use trunkline_engine::{
    Arrival, Channel, Decision, Event, Fact, Input, Reply, Services, Session, Utterance, arrive, decide,
    service::TransferAnswer, services::Told,
};
use trunkline_journal::{Error as JournalError, Head, Journal, MasterKey, StoreSpec, open};
use trunkline_model::{CallId, ContactId, Digest, Duration, InputId, Outcome, Signature, Timestamp, WorkId};

use crate::{
    chance::Chance,
    faults::{Fault, Faulty},
    hotlines::Simulated,
    invariants, values,
};

/// Contacts of one run.
const CONTACTS_MAX: usize = 4;
/// Steps of one run, at most.
const STEPS_MAX: usize = 160;
/// Moves in which contacts that are left alone must have ended.
const DRAIN_MAX: usize = 20_000;
/// Lines of the trace that a failure shows.
const TRACE_MAX: usize = 40;
/// One run in so many keeps its journal on a disk.
const ON_DISK_ONE_IN: usize = 200;
/// One append in so many fails.
const FAULT_ONE_IN: usize = 30;
/// Contacts that are read of a journal at once.
const PAGE: usize = 100;
/// Friday 20 November 2026, 10:00 in Shanghai.
const BEGINS: i64 = 1_795_140_000_000;
/// The key under which runs keep personal data.
const KEY: [u8; 32] = [7; 32];

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Contacts that began.
    pub contacts: usize,
    /// Events that were made durable.
    pub events: usize,
    /// How often the node was killed.
    pub kills: usize,
    /// How often the journal failed.
    pub faults: usize,
    /// Steps before everybody was left alone.
    pub steps: usize,
}

/// Something that does not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// The fewest steps that show it.
    pub steps: usize,
    /// What does not hold.
    pub what: String,
    /// What happened last.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {} fails after {} steps: {}",
            self.seed, self.steps, self.what
        )?;
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        write!(f, "again: cargo xtask sim --seed {}", self.seed)
    }
}

/// Runs a seed, and looks for the fewest steps that show a failure.
///
/// # Errors
/// What does not hold.
pub async fn run(seed: u64, hotlines: &[Simulated]) -> Result<Tally, Box<Failure>> {
    let failure = match once(seed, hotlines, STEPS_MAX).await {
        Ok(tally) => return Ok(tally),
        Err(failure) => failure,
    };
    for steps in 0..failure.steps {
        // The first that fails is the shortest.
        once(seed, hotlines, steps).await?;
    }
    Err(failure)
}

async fn once(seed: u64, hotlines: &[Simulated], steps_max: usize) -> Result<Tally, Box<Failure>> {
    let mut world = World::new(seed, hotlines);
    let played = world.play(steps_max).await;
    played.map(|()| world.tally).map_err(|what| {
        Box::new(Failure {
            seed,
            steps: world.tally.steps,
            what,
            trace: world.trace.into(),
        })
    })
}

struct World<'a> {
    chance: Chance,
    simulated: &'a Simulated,
    at: Timestamp,
    disk: Option<tempfile::TempDir>,
    store: Arc<Faulty>,
    journal: Journal,
    services: Services,
    contacts: Vec<Known>,
    /// Calls that plugins are at.
    flights: Vec<Flight>,
    /// Answers that were given, to be given again.
    past: Vec<(ContactId, Input)>,
    /// What callers gave, and what they were told.
    sent: Vec<(ContactId, Input, Reply)>,
    said: VecDeque<Told>,
    ids: u64,
    tally: Tally,
    trace: VecDeque<String>,
}

/// A contact, as far as anybody outside of the node knows it.
struct Known {
    id: ContactId,
    /// Its acknowledged events.
    events: Vec<Event>,
    /// What the node holds of it.
    session: Session,
    head: Option<Head>,
    asked: BTreeSet<(CallId, u32)>,
    asked_services: BTreeSet<(WorkId, u32)>,
    /// Events that services were told of.
    told: usize,
}

struct Flight {
    contact: ContactId,
    call: CallId,
    attempt: u32,
    signature: Signature,
}

/// What became of an append.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Landed {
    Yes,
    No,
    /// The node was killed before it knew.
    Killed,
}

impl<'a> World<'a> {
    fn new(seed: u64, hotlines: &'a [Simulated]) -> Self {
        let mut chance = Chance::of(seed);
        let simulated = &hotlines[chance.below(hotlines.len())];
        let disk = chance
            .one_in(ON_DISK_ONE_IN)
            .then(|| tempfile::tempdir().expect("a folder for a store can be made"));
        let (store, journal) = opened(disk.as_ref());
        Self {
            at: Timestamp::from_millis(BEGINS) + Duration::from_secs(chance.next() % 172_800),
            chance,
            services: Services::new(&simulated.hotline),
            simulated,
            disk,
            store,
            journal,
            contacts: Vec::new(),
            flights: Vec::new(),
            past: Vec::new(),
            sent: Vec::new(),
            said: VecDeque::new(),
            ids: 0,
            tally: Tally::default(),
            trace: VecDeque::new(),
        }
    }

    fn note(&mut self, line: String) {
        if self.trace.len() == TRACE_MAX {
            self.trace.pop_front();
        }
        let at = self.at.as_millis() - BEGINS;
        self.trace.push_back(format!("{at:>10} {line}"));
    }

    async fn play(&mut self, steps_max: usize) -> Result<(), String> {
        let steps = self.chance.below(STEPS_MAX).min(steps_max);
        self.arrive().await?;
        for _ in 0..steps {
            self.tally.steps += 1;
            self.step().await?;
        }
        self.drain().await
    }

    async fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..=4 if self.contacts.len() < CONTACTS_MAX => self.arrive().await,
            0..=39 => self.caller().await,
            40..=59 => self.answer().await,
            60..=74 => self.pass_time().await,
            75..=79 => self.again().await,
            80..=82 => self.stale().await,
            83..=90 => self.agent().await,
            91..=92 => self.party().await,
            93..=94 => self.happens().await,
            _ => {
                let away = Duration::from_millis([0, 500, 30_000, 900_000][self.chance.below(4)]);
                self.kill(away).await
            }
        }
    }

    /// Everybody is left alone: callers say nothing, plugins answer, time passes.
    async fn drain(&mut self) -> Result<(), String> {
        for _ in 0..DRAIN_MAX {
            if self.contacts.iter().all(|contact| contact.session.has_ended()) {
                return Ok(());
            }
            if self.flights.is_empty() || self.chance.one_in(4) {
                self.next_deadline().await?;
            } else {
                self.answer().await?;
            }
        }
        let open = self.contacts.iter().find(|contact| !contact.session.has_ended());
        Err(format!(
            "a contact that is left alone does not end: {:?}",
            open.map(|contact| &contact.session.state)
        ))
    }

    fn draw_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    async fn arrive(&mut self) -> Result<(), String> {
        let number = self.draw_id();
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let id = ContactId::generate(self.at, random);
        let hotline = &self.simulated.hotline;
        let numbers: Vec<_> = hotline.numbers.keys().cloned().collect();
        let arrival = Arrival {
            contact: id.clone(),
            release: Digest::of(b"release"),
            channel: if self.chance.one_in(2) {
                Channel::Voice
            } else {
                Channel::Chat
            },
            number: self.chance.pick(&numbers).cloned().unwrap_or_default(),
            language: self.chance.pick(&hotline.languages).cloned(),
            caller: (!self.chance.one_in(3)).then(|| "+8613800138000".into()),
            claimed: self.chance.one_in(3).then(|| "+8613900139000".into()),
        };
        self.note(format!("{id} arrives at {} of {}", arrival.number, hotline.name));
        let readings = self.services.readings(None, self.at);
        let decision = arrive(hotline, arrival, self.at, &readings).map_err(|error| error.to_string())?;
        self.contacts.push(Known {
            id: id.clone(),
            events: Vec::new(),
            session: Session::new(id.clone()),
            head: None,
            asked: BTreeSet::new(),
            asked_services: BTreeSet::new(),
            told: 0,
        });
        self.tally.contacts += 1;
        let index = self.contacts.len() - 1;
        if self.commit(index, decision).await? == Landed::No {
            // Nobody was told of it: it is as if nobody had called.
            self.contacts.pop();
        }
        self.settle().await
    }

    /// A contact that is under way, by chance.
    fn somebody(&mut self) -> Option<usize> {
        let open: Vec<usize> = (0..self.contacts.len())
            .filter(|index| !self.contacts[*index].session.has_ended())
            .collect();
        self.chance.pick(&open).copied()
    }

    async fn caller(&mut self) -> Result<(), String> {
        let Some(index) = self.somebody() else {
            return Ok(());
        };
        let id = InputId::new(format!("i{}", self.draw_id()));
        let input = match self.chance.below(20) {
            0 => Input::HangUp { id: Some(id) },
            1..=12 => {
                let keys = [
                    "1", "2", "3", "4", "9", "0", "*", "#", "12", "113", "x", "", "1234#",
                ];
                let keys = keys[self.chance.below(keys.len())];
                Input::Utterance {
                    id,
                    utterance: Utterance::Keys(keys.into()),
                }
            }
            _ => {
                let words = [
                    "公积金",
                    "人工",
                    "是",
                    "no",
                    "西湖区",
                    "房子漏水",
                    "最新",
                    "救命",
                    " ",
                    "1",
                    "租房",
                ];
                let words = words[self.chance.below(words.len())];
                Input::Utterance {
                    id,
                    utterance: Utterance::Text(words.into()),
                }
            }
        };
        self.give(index, input).await?;
        self.settle().await
    }

    /// A plugin answers: any that is at a call.
    async fn answer(&mut self) -> Result<(), String> {
        if self.flights.is_empty() {
            return Ok(());
        }
        let flight = self.chance.below(self.flights.len());
        let flight = self.flights.swap_remove(flight);
        let outcome: Outcome = values::outcome(&mut self.chance, &flight.signature);
        let input = Input::Answer {
            call: flight.call,
            attempt: flight.attempt,
            outcome,
        };
        self.past.push((flight.contact.clone(), input.clone()));
        if let Some(index) = self.place(&flight.contact) {
            self.give(index, input).await?;
        }
        self.settle().await
    }

    fn place(&self, id: &ContactId) -> Option<usize> {
        self.contacts.iter().position(|contact| contact.id == *id)
    }

    async fn pass_time(&mut self) -> Result<(), String> {
        if self.chance.one_in(2) {
            return self.next_deadline().await;
        }
        let ms = [1, 400, 2_000, 9_000, 70_000][self.chance.below(5)];
        self.at = self.at + Duration::from_millis(ms);
        self.due().await
    }

    async fn next_deadline(&mut self) -> Result<(), String> {
        let wakes = self
            .contacts
            .iter()
            .filter_map(|contact| contact.session.pending().wake);
        let next = wakes.chain(self.services.next_wake()).min();
        if let Some(next) = next {
            self.at = self.at.max(next);
        }
        self.due().await
    }

    /// Gives whoever's time is over the news, in any order.
    async fn due(&mut self) -> Result<(), String> {
        let told = self.services.advance(self.at);
        self.said.extend(told);
        self.settle().await?;
        for _ in 0..CONTACTS_MAX {
            let due: Vec<usize> = (0..self.contacts.len())
                .filter(|index| {
                    let wake = self.contacts[*index].session.pending().wake;
                    wake.is_some_and(|wake| wake <= self.at)
                })
                .collect();
            let Some(index) = self.chance.pick(&due).copied() else {
                break;
            };
            self.give(index, Input::TimeUp).await?;
            self.settle().await?;
        }
        Ok(())
    }

    /// A client sends again what it has sent: it is told the same, and nothing happens.
    async fn again(&mut self) -> Result<(), String> {
        if self.sent.is_empty() {
            return Ok(());
        }
        let (contact, input, reply) = self.sent[self.chance.below(self.sent.len())].clone();
        let Some(index) = self.place(&contact) else {
            return Ok(());
        };
        let (Input::Utterance { id, .. } | Input::HangUp { id: Some(id) }) = &input else {
            return Ok(());
        };
        let known = &self.contacts[index];
        // What came long ago is forgotten, and an ended contact refuses whatever comes.
        if known.session.reply_to(id).is_none() {
            return Ok(());
        }
        self.note(format!("{contact} is sent {input:?} again"));
        let known = &self.contacts[index];
        let readings = self.services.readings(Some(&contact), self.at);
        let decision = decide(
            &self.simulated.hotline,
            &known.session,
            &input,
            self.at,
            &readings,
        );
        if decision.reply != reply {
            return Err(format!(
                "a duplicate was answered {:?}, and {reply:?} before",
                decision.reply
            ));
        }
        if !decision.events.is_empty() {
            return Err(format!("a duplicate moved something: {:?}", decision.events));
        }
        Ok(())
    }

    /// An answer comes that came before, or an attempt of long ago: it moves nothing.
    async fn stale(&mut self) -> Result<(), String> {
        if self.past.is_empty() {
            return Ok(());
        }
        let (contact, input) = self.past[self.chance.below(self.past.len())].clone();
        let Some(index) = self.place(&contact) else {
            return Ok(());
        };
        let (Input::Answer { call, attempt, .. }, pending) = (&input, self.contacts[index].session.pending())
        else {
            return Ok(());
        };
        if pending
            .calls
            .iter()
            .any(|calling| calling.call == *call && calling.attempt == *attempt)
        {
            return Ok(());
        }
        let before = self.contacts[index].events.len();
        self.give(index, input).await?;
        let moved = self.place(&contact).map_or(&[][..], |index| {
            self.contacts[index].events.get(before..).unwrap_or_default()
        });
        match moved.iter().find(|event| {
            !matches!(
                event.fact,
                // A killed node takes the contact up again in the same breath.
                Fact::AnsweredLate { .. } | Fact::LimitHit { .. } | Fact::Ended { .. }
            )
        }) {
            Some(event)
                if !moved
                    .iter()
                    .any(|event| matches!(event.fact, Fact::Resumed { .. })) =>
            {
                Err(format!("a late answer moved something: {event:?}"))
            }
            _ => self.settle().await,
        }
    }

    async fn agent(&mut self) -> Result<(), String> {
        const NAMES: [&str; 2] = ["li-na", "zhang-wei"];
        let mut names: Vec<Arc<str>> = self.simulated.hotline.agents.keys().cloned().collect();
        if names.is_empty() {
            names.extend(NAMES.map(Arc::from));
        }
        let name = names[self.chance.below(names.len())].clone();
        let contact = match self.somebody() {
            Some(index) => self.contacts[index].id.clone(),
            None => return Ok(()),
        };
        let told = match self.chance.below(4) {
            0 | 1 => match self.services.agent_answers(&name, &contact, self.at) {
                Ok(told) => Ok(told),
                Err(_) => self.services.agent_available(&name, self.at),
            },
            2 => self.services.agent_ends(&name, &contact, self.at),
            _ => self.services.agent_away(&name, self.at),
        };
        // What an agent cannot do now is not done.
        if let Ok(told) = told {
            self.note(format!("agent {name} does something for {contact}"));
            self.said.extend(told);
        }
        self.settle().await
    }

    async fn party(&mut self) -> Result<(), String> {
        const CAME: [TransferAnswer; 7] = [
            TransferAnswer::Ringing,
            TransferAnswer::Answered,
            TransferAnswer::Joined,
            TransferAnswer::OtherLegEnded,
            TransferAnswer::Busy,
            TransferAnswer::NoAnswer,
            TransferAnswer::Failed,
        ];
        let Some(index) = self.somebody() else {
            return Ok(());
        };
        let contact = self.contacts[index].id.clone();
        let came = CAME[self.chance.below(CAME.len())];
        if let Ok(told) = self.services.party(&contact, came) {
            self.note(format!("of the transfer of {contact} comes {came:?}"));
            self.said.extend(told);
        }
        self.settle().await
    }

    async fn happens(&mut self) -> Result<(), String> {
        let Some(index) = self.somebody() else {
            return Ok(());
        };
        let id = InputId::new(format!("e{}", self.draw_id()));
        let event = ["ticket.closed", "ticket.answered", "callback.done"][self.chance.below(3)].into();
        self.give(index, Input::EventHappened { id, event }).await?;
        self.settle().await
    }

    /// Gives a contact an input, again and again until it is durable; a caller may give up.
    async fn give(&mut self, index: usize, input: Input) -> Result<(), String> {
        loop {
            let Some(known) = self.contacts.get(index) else {
                return Ok(());
            };
            let contact = known.id.clone();
            self.note(format!("{contact} is given {input:?}"));
            let known = &self.contacts[index];
            let readings = self.services.readings(Some(&contact), self.at);
            let decision = decide(
                &self.simulated.hotline,
                &known.session,
                &input,
                self.at,
                &readings,
            );
            let reply = decision.reply;
            match self.commit(index, decision).await? {
                Landed::Yes => {
                    if matches!(input, Input::Utterance { .. } | Input::HangUp { .. }) {
                        self.sent.push((contact, input, reply));
                    }
                    return Ok(());
                }
                Landed::Killed => return Ok(()),
                Landed::No => {
                    let is_callers = matches!(input, Input::Utterance { .. } | Input::HangUp { .. });
                    if is_callers && self.chance.one_in(2) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Makes a decision durable, and looks at what must hold.
    async fn commit(&mut self, index: usize, decision: Decision) -> Result<Landed, String> {
        let fault = self.chance.one_in(FAULT_ONE_IN).then(|| {
            [Fault::Unavailable, Fault::UnknownAndLost, Fault::UnknownAndLanded][self.chance.below(3)]
        });
        let killed = fault.is_some() && self.chance.one_in(3);
        if decision.events.is_empty() {
            return Ok(Landed::Yes);
        }
        if let Some(fault) = fault {
            self.tally.faults += 1;
            self.note(format!(
                "the journal fails: {fault:?}{}",
                if killed { ", and the node" } else { "" }
            ));
            self.store.fail_next(fault);
        }
        let known = &mut self.contacts[index];
        let written = match &mut known.head {
            Some(head) => self.journal.append(head, &decision.events).await,
            None => match self.journal.begin(&known.id, &decision.events).await {
                Ok(head) => {
                    known.head = Some(head);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        if killed {
            self.kill(Duration::default()).await?;
            return Ok(Landed::Killed);
        }
        match written {
            Ok(()) => {
                known.events.extend(decision.events);
            }
            Err(JournalError::Unavailable { .. }) => return Ok(Landed::No),
            Err(JournalError::Unknown { .. }) => {
                let Some(recorded) = self
                    .journal
                    .read(&known.id)
                    .await
                    .map_err(|error| error.to_string())?
                else {
                    return Ok(Landed::No);
                };
                invariants::nothing_lost(&known.events, &recorded.events)?;
                let landed = recorded.events.len() > known.events.len();
                known.head = Some(recorded.head);
                if !landed {
                    return Ok(Landed::No);
                }
                known.events = recorded.events;
            }
            Err(error) => return Err(format!("the journal failed in another way: {error}")),
        }
        known.session = decision.session;
        self.tally.events = self.contacts.iter().map(|contact| contact.events.len()).sum();
        let known = &self.contacts[index];
        invariants::hold(&known.events, &known.session)?;
        Ok(Landed::Yes)
    }

    /// Makes the calls that are pending, asks services, and gives what they say.
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..DRAIN_MAX {
            self.dispatch()?;
            let Some(told) = self.said.pop_front() else {
                return Ok(());
            };
            if let Some(index) = self.place(&told.contact) {
                self.give(index, told.input).await?;
            }
        }
        Err("services and contacts answer each other for ever".to_owned())
    }

    fn dispatch(&mut self) -> Result<(), String> {
        for known in &mut self.contacts {
            for event in &known.events[known.told.min(known.events.len())..] {
                match &event.fact {
                    Fact::ServiceLeft { work } => {
                        self.said.extend(self.services.left(&known.id, work, self.at));
                    }
                    fact if fact.ends_contact() => self.said.extend(self.services.ended(&known.id, self.at)),
                    _ => {}
                }
            }
            known.told = known.events.len();
            let pending = known.session.pending();
            for calling in pending.calls {
                if !known.asked.insert((calling.call.clone(), calling.attempt)) {
                    continue;
                }
                let interface = self.simulated.interfaces.get(&calling.plugin);
                let signature = interface.and_then(|interface| {
                    let mut functions = interface.functions.iter();
                    functions.find(|signature| signature.function == calling.function)
                });
                let Some(signature) = signature else {
                    return Err(format!("there is no {} of {}", calling.function, calling.plugin));
                };
                self.flights.push(Flight {
                    contact: known.id.clone(),
                    call: calling.call.clone(),
                    attempt: calling.attempt,
                    signature: signature.clone(),
                });
            }
            if let Some(serving) = pending.service
                && known
                    .asked_services
                    .insert((serving.work.clone(), serving.attempt))
            {
                self.said.extend(self.services.ask(&known.id, serving, self.at));
            }
        }
        Ok(())
    }

    /// The node is killed and started again: all that was in memory is gone, what plugins were at
    /// is lost, and every contact that has not ended is taken up from its journal.
    async fn kill(&mut self, away: Duration) -> Result<(), String> {
        self.tally.kills += 1;
        self.note(format!("the node is killed, and is back after {away}"));
        self.flights.clear();
        self.said.clear();
        self.services = Services::new(&self.simulated.hotline);
        if let Some(disk) = &self.disk {
            for known in &mut self.contacts {
                known.head = None;
            }
            // The directory is locked until its last holder has let go.
            (self.store, self.journal) = opened(None);
            (self.store, self.journal) = opened(Some(disk));
        }
        self.at = self.at + away;
        let open = self
            .journal
            .open_contacts(None, PAGE)
            .await
            .map_err(|error| error.to_string())?;
        let mut kept = Vec::new();
        for mut known in std::mem::take(&mut self.contacts) {
            let recorded = self
                .journal
                .read(&known.id)
                .await
                .map_err(|error| error.to_string())?;
            let Some(recorded) = recorded else {
                if !known.events.is_empty() {
                    return Err(format!("the journal of {} is gone", known.id));
                }
                continue;
            };
            invariants::nothing_lost(&known.events, &recorded.events)?;
            known.session = Session::fold(known.id.clone(), &recorded.events);
            known.events = recorded.events;
            known.head = Some(recorded.head);
            // The new node has made no call yet; what ended services forget by themselves.
            known.asked.clear();
            known.asked_services.clear();
            known.told = known.events.len();
            invariants::hold(&known.events, &known.session)?;
            if open.contains(&known.id) == known.session.has_ended() {
                return Err(format!(
                    "the journal does not know whether {} has ended",
                    known.id
                ));
            }
            kept.push(known);
        }
        self.contacts = kept;
        for index in 0..self.contacts.len() {
            let known = &self.contacts[index];
            if known.session.has_ended() {
                continue;
            }
            let readings = self.services.readings(Some(&known.id), self.at);
            let decision = decide(
                &self.simulated.hotline,
                &known.session,
                &Input::Recovered,
                self.at,
                &readings,
            );
            self.take_up(index, decision).await?;
        }
        Ok(())
    }

    /// Makes a recovery durable. Nothing fails here: that the node may be killed again is for
    /// another step.
    async fn take_up(&mut self, index: usize, decision: Decision) -> Result<(), String> {
        let known = &mut self.contacts[index];
        let Some(head) = &mut known.head else {
            return Err("a contact that was read has no head".to_owned());
        };
        self.journal
            .append(head, &decision.events)
            .await
            .map_err(|error| format!("a recovery was not written: {error}"))?;
        known.events.extend(decision.events);
        known.session = decision.session;
        invariants::hold(&known.events, &known.session)
    }
}

/// A store with faults and a journal over it: in memory, or in a folder.
fn opened(disk: Option<&tempfile::TempDir>) -> (Arc<Faulty>, Journal) {
    let spec = disk.map_or(StoreSpec::Memory, |disk| {
        StoreSpec::Fjall(disk.path().join("store"))
    });
    let inner = open(&spec).expect("a store opens in a folder of its own");
    let store = Arc::new(Faulty::new(inner));
    let journal = Journal::new(store.clone(), MasterKey::from_bytes(&KEY));
    (store, journal)
}
