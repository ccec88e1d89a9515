//! One caller's call: a contact and the line it is on.
//!
//! The task follows its contact and brings the line to where the session says it should be: turns are
//! played in their order, what was hushed is not played on, music sounds while somebody waits, another
//! leg is there when the session talks to somebody. What happens on the line goes to the contact, one
//! input after the other, each durable before the next.

mod other;
mod recording;
mod saying;
mod supervision;
mod wanted;

use std::sync::Arc;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use trunkline_engine::{
    Input, Session, Utterance,
    event::Question,
    input::Reply,
    service::Stage,
    session::State,
    turn::{Kind, Turn},
};
use trunkline_flow::step::Verb;
use trunkline_media::{Sound, Tone};
use trunkline_model::{ContactId, InputId};
use trunkline_node::{DeliverError, Followed, Guest, LineError, Release};
use trunkline_sip::{HangUp, SessionDescription, Source};

use self::{
    other::{Hand, Others},
    recording::Records,
    saying::{Saying, Says},
    supervision::Supervision,
};
use crate::{
    leg::{Leg, LegEvent},
    limits::{ANSWER_SEEN_WITHIN, DEAD_AFTER_S, FAREWELL_MAX, WIND_UP_WITHIN},
    listening::{Heard, Listening},
    phone::Inner,
};

/// What others want of a call.
pub(crate) enum Wish {
    /// Somebody is to be brought into it.
    Add(Guest, oneshot::Sender<Result<u64, LineError>>),
    /// Somebody who was brought into it is to leave.
    Remove(u64, oneshot::Sender<Result<(), LineError>>),
    /// An agent has left it by another way than the phone.
    Release(Arc<str>),
    /// The server stops.
    Stop,
}

/// A caller's call.
pub(crate) struct Caller {
    phone: Arc<Inner>,
    contact: ContactId,
    release: Arc<Release>,
    /// The number that was called.
    number: Arc<str>,
    /// Who brought the call.
    from: Source,
    leg: Leg,
    wishes: mpsc::Receiver<Wish>,
    /// The contact's last event that was looked at.
    seen: u64,
    /// Inputs that were given, to name each.
    given: u64,
    says: Says,
    /// The last turn that was stopped in the middle, until it is known by what.
    cut_off: Option<u64>,
    cut_off_by: CutOffBy,
    /// Whether the caller talks to somebody.
    talks: bool,
    music: Option<Music>,
    /// The prompt that the queue's step plays as music, made into sound.
    tune: Option<(u64, Vec<Sound>)>,
    hides_keys: bool,
    listening: Option<Listening>,
    /// Whether the flow offers to hear words and nobody hears them: told once.
    deaf: bool,
    records: Records,
    others: Others,
    supervision: Supervision,
    /// The answer that is still to be given, while what is said is early media.
    unanswered: Option<SessionDescription>,
    /// The answer that was given, until it was seen.
    answering: Option<JoinHandle<()>>,
    /// Since the contact has ended: until when the rest is played.
    farewell: Option<Instant>,
}

/// What stopped a turn in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CutOffBy {
    /// Something that the contact is given.
    Input,
    /// Speech, which may be nothing.
    Speech,
    /// Speech that was nothing.
    Noise,
}

/// What is heard beneath all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Music {
    /// The tune of a queue, by the event that said it.
    Tune(u64),
    /// It rings at the other end.
    RingBack,
    /// Whom the caller talks to is away for a moment.
    Hold,
}

/// The name under which music is played; turns are played under the numbers of their events.
const MUSIC: u64 = 0;

impl Caller {
    pub(crate) fn new(
        phone: Arc<Inner>,
        (contact, release, number): (ContactId, Arc<Release>, Arc<str>),
        from: Source,
        leg: Leg,
        answer: SessionDescription,
        wishes: mpsc::Receiver<Wish>,
    ) -> Self {
        Self {
            phone,
            contact,
            release,
            number,
            from,
            leg,
            wishes,
            seen: 0,
            given: 0,
            says: Says::default(),
            cut_off: None,
            cut_off_by: CutOffBy::Input,
            talks: false,
            music: None,
            tune: None,
            hides_keys: false,
            listening: None,
            deaf: false,
            records: Records::default(),
            others: Others::default(),
            supervision: Supervision::default(),
            unanswered: Some(answer),
            answering: None,
            farewell: None,
        }
    }

    /// Answers the call, unless that was done. Sound goes out as soon as the answer does; whether it was
    /// seen is told by the dialog.
    fn answer(&mut self) {
        let Some(description) = self.unanswered.take() else {
            return;
        };
        let call = self.leg.call.clone();
        self.answering = Some(tokio::spawn(async move {
            if let Err(error) = call.answer(description).await {
                tracing::info!(call = call.id(), %error, "an answer was not taken");
            }
        }));
    }

    /// Begins with early media where the number wants that and the caller said what it speaks; else with
    /// the answer.
    fn pick_up(&mut self) {
        let is_early = |number: &str| {
            let numbers = &self.release.hotline().numbers;
            numbers.get(number).is_some_and(|number| number.early)
        };
        match &self.unanswered {
            Some(description) if is_early(&self.number) && self.leg.codec().is_some() => {
                self.leg.call.early(description.clone());
            }
            _ => self.answer(),
        }
    }

    /// Leads the call until it is over.
    pub(crate) async fn run(mut self) {
        self.pick_up();
        let mut following = self.follow();
        loop {
            let heard_out = self.farewell.is_some() && self.says.is_silent();
            if heard_out {
                self.part().await;
                break;
            }
            let farewell = self.farewell;
            // Dropping any of these loses nothing: each is asked anew.
            tokio::select! {
                followed = &mut following => match followed {
                    Ok(followed) => {
                        self.take(followed).await;
                        if self.farewell.is_none() {
                            following = self.follow();
                        } else {
                            following = Box::pin(std::future::pending());
                        }
                    }
                    Err(error) => {
                        self.lose(&error).await;
                        break;
                    }
                },
                event = self.leg.next() => {
                    if self.happens(event).await.is_break() {
                        break;
                    }
                }
                (saying, sounds) = self.says.made() => self.play(&saying, sounds),
                hand = self.others.next() => self.lend(hand).await,
                (guest, event) = self.supervision.next() => self.guest_does(guest, &event),
                kept = self.records.kept() => self.phone.node.contacts().recorded(&self.contact, kept),
                heard = Listening::next(&mut self.listening) => self.understood(heard).await,
                wish = self.wishes.recv() => match wish {
                    Some(Wish::Stop) | None => {
                        self.hang_up().await;
                        break;
                    }
                    Some(wish) => self.grant(wish).await,
                },
                () = until(farewell) => {
                    self.part().await;
                    break;
                }
            }
        }
        // Whoever was brought in goes with the caller, and so does a leg that still rings.
        self.others.end();
        self.supervision.end();
        self.wind_up().await;
    }

    /// Ends a call whose contact has ended. One that was never answered is refused as not available.
    async fn part(&mut self) {
        if let Some(answering) = self.answering.take() {
            // A contact may end in the moment in which it begins: it is answered first.
            let _ = timeout(ANSWER_SEEN_WITHIN, answering).await;
        }
        self.leg.call.hang_up(match self.unanswered {
            Some(_) => HangUp::Unavailable,
            None => HangUp::Normal,
        });
    }

    /// The caller is gone. What the contact still wants of its recordings, such as a message to be kept,
    /// is done.
    async fn wind_up(&mut self) {
        let patience = Instant::now() + WIND_UP_WITHIN;
        let mut following = self.follow();
        loop {
            // Dropping either loses nothing.
            tokio::select! {
                followed = &mut following => {
                    let Ok(Followed { session, .. }) = followed else { return };
                    self.seen = session.seq;
                    if session.has_ended() || !recording::is_wanted(&session) {
                        return;
                    }
                    self.record(&session);
                    following = self.follow();
                }
                kept = self.records.kept() => self.phone.node.contacts().recorded(&self.contact, kept),
                news = self.leg.news() => self.records.news(&news, &self.phone, &self.contact),
                () = sleep_until(patience) => return,
            }
        }
    }

    /// What becomes of the contact next.
    fn follow(&self) -> Following {
        let (contacts, contact, seen) = (
            self.phone.node.contacts().clone(),
            self.contact.clone(),
            self.seen,
        );
        Box::pin(async move { contacts.follow(&contact, seen).await })
    }

    /// Brings the line to where the contact is now.
    async fn take(&mut self, followed: Followed) {
        let Followed { turns, session } = followed;
        self.seen = session.seq;
        self.says.hush(session.hushed, &self.leg.stream, &mut self.music);
        self.hide_keys(&session);
        for turn in turns {
            self.hear_turn(turn, &session);
        }
        if session.has_ended() {
            self.farewell = Some(Instant::now() + FAREWELL_MAX);
            self.listening = None;
            self.others.end();
            self.play_music(None);
            return;
        }
        self.talks = matches!(
            &session.state,
            State::Serving(serving) if matches!(serving.stage, Stage::Talking { .. })
        );
        if matches!(session.state, State::Hearing(_) | State::Serving(_)) {
            self.answer();
        }
        self.record(&session);
        self.connect(&session).await;
        self.sound(&session);
        self.listen(&session);
    }

    fn hear_turn(&mut self, turn: Turn, session: &Session) {
        match turn.kind {
            Kind::Say {
                prompt,
                text,
                speech,
                language,
                notice,
            } => {
                if turn.seq <= session.hushed {
                    return;
                }
                let is_music = self.music_of(session).is_some_and(|music| match &prompt {
                    Some(key) => music.key.as_ref() == Some(key),
                    // One that is written in the step has no name.
                    None => music.key.is_none() && crate::prompts::says(music, &language, &text),
                });
                let saying = crate::prompts::Saying {
                    language,
                    parts: speech,
                    text,
                };
                let (phone, release) = (self.phone.clone(), self.release.clone());
                let sounds = tokio::spawn(async move { phone.prompts.sounds(&release, saying).await });
                let kind = match (is_music, notice) {
                    (true, _) => saying::Kind::Music,
                    (false, true) => saying::Kind::Notice,
                    (false, false) => saying::Kind::Prompt,
                };
                self.says.add(Saying {
                    seq: turn.seq,
                    kind,
                    sounds,
                });
            }
            // Who is to leave a message hears when to begin.
            Kind::Ask {
                question: Question::Message,
                ..
            } => self.says.add(Saying {
                seq: turn.seq,
                kind: saying::Kind::Beep,
                sounds: tokio::spawn(async { Some(vec![Sound::tone(Tone::Beep)]) }),
            }),
            Kind::Ask { .. } | Kind::Ended { .. } => {}
        }
    }

    /// The prompt that is the music of the queue in which the caller waits.
    fn music_of(&self, session: &Session) -> Option<&trunkline_flow::step::Prompt> {
        match &self.step(session)?.verb {
            Verb::Queue(queue) => queue.music.as_deref(),
            _ => None,
        }
    }

    fn step(&self, session: &Session) -> Option<&trunkline_flow::step::Step> {
        let (flow, step) = session.place()?;
        self.release.hotline().flows.get(flow)?.steps.get(step)
    }

    fn play(&mut self, saying: &Saying, sounds: Option<Vec<Sound>>) {
        if saying.kind == saying::Kind::Music {
            // It goes on beneath what follows; where it cannot be had, it rings.
            self.tune = sounds
                .filter(|sounds| !sounds.is_empty())
                .map(|sounds| (saying.seq, sounds));
            self.music = None;
            let music = self.tune.as_ref().map(|(seq, _)| Music::Tune(*seq));
            self.play_music(Some(music.unwrap_or(Music::RingBack)));
            return;
        }
        self.says.play(saying, sounds, &self.leg.stream);
    }

    /// Music while somebody waits, and none otherwise.
    fn sound(&mut self, session: &Session) {
        let music = match &session.state {
            State::Serving(serving) if serving.is_waiting() => Some(match &self.tune {
                Some((seq, _)) => Music::Tune(*seq),
                None if self.says.has_music() => return,
                None => Music::RingBack,
            }),
            State::Serving(_) if self.others.rings_unheard() => Some(Music::RingBack),
            State::Serving(_) if self.others.holds() => Some(Music::Hold),
            _ if self.others.talking().is_none() && self.supervision.holds() => Some(Music::Hold),
            _ => None,
        };
        if !matches!(music, Some(Music::Tune(_))) {
            self.tune = None;
        }
        self.play_music(music);
    }

    fn play_music(&mut self, music: Option<Music>) {
        if self.music == music {
            return;
        }
        let sounds = match music {
            None => Vec::new(),
            Some(Music::RingBack) => vec![Sound::tone(Tone::RingBack)],
            Some(Music::Hold) => vec![Sound::tone(Tone::Waiting)],
            Some(Music::Tune(_)) => self
                .tune
                .as_ref()
                .map_or_else(Vec::new, |(_, sounds)| sounds.clone()),
        };
        self.leg.stream.repeat(MUSIC, sounds);
        self.music = music;
    }

    /// What is typed into a secret is in no recording.
    fn hide_keys(&mut self, session: &Session) {
        let secret = matches!(self.step(session).map(|step| &step.verb), Some(Verb::Ask(ask)) if ask.secret);
        if secret != self.hides_keys {
            self.leg.stream.hide_keys(secret);
            self.hides_keys = secret;
        }
    }

    async fn happens(&mut self, event: LegEvent) -> std::ops::ControlFlow<()> {
        match event {
            // What is pressed while somebody is there is for them, and goes there by itself.
            LegEvent::Key(_) if self.talks => {}
            LegEvent::Key(key) => self.give(Utterance::Keys(key.to_string().into())).await,
            LegEvent::Played { id: MUSIC, .. } => {}
            LegEvent::Played { id, complete: false } => {
                // A key stopped it, which is told next; or words, or the contact did, which knows.
                self.says.played(id, false);
                self.cut_off = self.cut_off.max(Some(id));
                if self.cut_off_by == CutOffBy::Noise {
                    self.tell_cut_off().await;
                }
            }
            LegEvent::Played { id, complete: true } => {
                self.says.played(id, true);
                self.records
                    .heard_out(id, &self.leg.stream, &self.phone, &self.contact);
                let _ = self.deliver(Input::Played { seq: id }).await;
            }
            LegEvent::Recording(news) => self.records.news(&news, &self.phone, &self.contact),
            LegEvent::Silent { for_s } if for_s < DEAD_AFTER_S || self.leg.is_held() => {}
            LegEvent::Silent { .. } => {
                tracing::info!(contact = %self.contact, "nothing came on the line for long; the caller counts as gone");
                self.hang_up().await;
                return std::ops::ControlFlow::Break(());
            }
            LegEvent::Refer { .. } => {
                // Who calls a hotline does not tell it whom to call.
                self.leg.call.notify_referral(403);
            }
            LegEvent::Over | LegEvent::Failed { .. } => {
                let _ = self.deliver(Input::HangUp { id: None }).await;
                return std::ops::ControlFlow::Break(());
            }
            LegEvent::Ringing | LegEvent::Early | LegEvent::Answered | LegEvent::Held => {}
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Gives the contact what the caller gave.
    async fn give(&mut self, utterance: Utterance) {
        self.given += 1;
        let id = InputId::new(format!("{}-{}", self.leg.call.id(), self.given));
        let taken = self.deliver(Input::Utterance { id, utterance }).await;
        if let Ok(Reply::Refused(_)) = taken {
            self.tell_cut_off().await;
        }
        self.cut_off = None;
        self.cut_off_by = CutOffBy::Input;
    }

    /// What counted for nothing stopped what was said all the same: nothing more is heard of it, and the
    /// time to answer begins.
    async fn tell_cut_off(&mut self) {
        if let Some(seq) = self.cut_off.take() {
            let _ = self.deliver(Input::Played { seq }).await;
        }
    }

    async fn deliver(&self, input: Input) -> Result<Reply, DeliverError> {
        let delivered = self.phone.node.deliver(&self.contact, input).await;
        match delivered {
            Ok(delivered) => Ok(delivered.reply),
            Err(error) => {
                tracing::error!(contact = %self.contact, %error, "what came on a line could not be given to its contact");
                Err(error)
            }
        }
    }

    /// The caller is gone, or is sent away.
    async fn hang_up(&mut self) {
        let _ = self.deliver(Input::HangUp { id: None }).await;
        self.leg.call.hang_up(HangUp::Normal);
    }

    /// The contact cannot be followed any more: better an end that the caller hears than silence.
    async fn lose(&mut self, error: &DeliverError) {
        tracing::error!(contact = %self.contact, %error, "a contact is lost to its line; the caller is let go");
        let _ = self.deliver(Input::HangUp { id: None }).await;
        self.leg.call.hang_up(HangUp::Failed);
    }

    /// Hears words where the question takes some and the hotline has ears for the language.
    fn listen(&mut self, session: &Session) {
        let asked = match &session.state {
            State::Hearing(hearing)
                if hearing.expects.text
                    && hearing.question != Question::Message
                    && session.notice.is_none() =>
            {
                hearing.seq
            }
            _ => {
                if self.listening.take().is_some() {
                    self.leg.stream.listen(None);
                }
                return;
            }
        };
        if self
            .listening
            .as_ref()
            .is_some_and(|listening| listening.asked == asked)
        {
            return;
        }
        let hotline = self.release.hotline();
        let ears = hotline.ears.as_ref();
        let Some(ears) = ears.filter(|ears| ears.languages.contains(&session.language)) else {
            return;
        };
        let hints = match self.step(session).map(|step| &step.verb) {
            Some(Verb::Menu(menu)) => menu.words.iter().map(|(word, _)| word.to_string()).collect(),
            _ => Vec::new(),
        };
        self.listening = Some(Listening::begin(
            &self.phone.ears,
            &ears.engine,
            &self.leg.stream,
            asked,
            &session.language,
            hints,
        ));
    }

    async fn understood(&mut self, heard: Heard) {
        match heard {
            Heard::Speaks => {
                // Who speaks is not spoken over, but for a legal notice.
                self.cut_off_by = CutOffBy::Speech;
                self.says.barge_in(&self.leg.stream);
                self.music = None;
            }
            Heard::Said(text) => {
                self.stop_listening();
                self.give(Utterance::Text(text.into())).await;
            }
            Heard::Nothing => {
                if let Some(listening) = &mut self.listening {
                    listening.again(&self.leg.stream);
                }
                self.was_noise().await;
            }
            Heard::Failed(why) => {
                self.stop_listening();
                self.was_noise().await;
                if !self.deaf {
                    self.deaf = true;
                    tracing::warn!(contact = %self.contact, why, "nobody hears what the caller says; keys still count");
                }
            }
        }
    }

    /// What stopped the prompt was nothing that can be understood.
    async fn was_noise(&mut self) {
        if self.cut_off_by == CutOffBy::Speech {
            self.cut_off_by = CutOffBy::Noise;
            self.tell_cut_off().await;
        }
    }

    fn stop_listening(&mut self) {
        // It stays there as over, so that the same question is not listened to for ever.
        if let Some(listening) = &mut self.listening {
            listening.end();
        }
        self.leg.stream.listen(None);
    }

    async fn lend(&mut self, hand: Hand) {
        let changed = self.other_does(hand).await;
        if changed {
            self.arrange();
        }
    }
}

type Following = std::pin::Pin<Box<dyn Future<Output = Result<Followed, DeliverError>> + Send>>;

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
