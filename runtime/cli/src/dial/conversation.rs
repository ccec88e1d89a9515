//! A contact from its first turn to its last: what comes is shown, what is typed is given.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use trunkline_channel::chat::Turn;

use super::{
    line::{Line, Reply},
    screen::Screen,
    typed::{self, Given, TYPED_HELP, Typed},
    typing::Typing,
};
use crate::exit::Failure;

/// How long a script waits for a contact to come to rest before it gives its next line anyway:
/// a little longer than any plugin call may take.
const REST_WITHIN: Duration = Duration::from_secs(65);

/// How long a contact may take to end after its caller left.
const GOODBYE_WITHIN: Duration = Duration::from_secs(70);

/// How long a script has for a line after its contact's end.
const AFTERWORD_WITHIN: Duration = Duration::from_millis(300);

/// Leads a contact to its end, and says how it ended; none when that was not waited for.
pub(crate) async fn lead<L: Line>(
    line: &L,
    typing: &mut Typing,
    screen: &Screen,
) -> Result<Option<String>, Failure> {
    let mut contact = Conversation::new(typing.is_scripted())?;
    let mut listening = Box::pin(line.turns(0));
    loop {
        tokio::select! {
            turns = &mut listening => {
                for turn in turns? {
                    screen.turn(&turn);
                    contact.hear(&turn);
                }
                if contact.ended.is_some() {
                    if !line.goes_on() {
                        return Ok(contact.ended);
                    }
                    contact.begin_afterword(screen);
                }
                listening = Box::pin(line.turns(contact.heard));
            }
            // Dropped in the middle, a line that was typed waits in its channel.
            typed = typing.next(), if contact.may_give() => match typed {
                Some(typed) => {
                    if contact.take(&typed, line, screen).await? {
                        listening = Box::pin(line.turns(contact.heard));
                    }
                    if contact.is_over() {
                        return Ok(contact.ended);
                    }
                }
                None if contact.ended.is_some() => return Ok(contact.ended),
                // The end of what is typed is the end of the call.
                None => contact.give(&Given::HangUp, line, screen).await?,
            },
            () = sleep_until(contact.patience), if contact.is_waiting() => contact.waited(),
        }
        if contact.is_over() {
            return Ok(contact.ended);
        }
        if contact.is_lost() {
            screen.trouble("the contact did not end in time; the server will end it");
            return Ok(None);
        }
    }
}

/// What the caller's side knows of the contact.
struct Conversation {
    /// Makes the ids of inputs differ from those of any other conversation.
    name: String,
    given: u32,
    scripted: bool,
    /// The number of the last turn.
    heard: u64,
    /// Whether the open question takes words.
    words_count: bool,
    /// Whether the contact waits for its caller, as far as a script can tell.
    rests: bool,
    left: bool,
    /// How the contact ended.
    ended: Option<String>,
    /// Whether a line was given after the end that only the contact could have taken.
    over: bool,
    /// Until when something is waited for.
    patience: Instant,
}

impl Conversation {
    fn new(scripted: bool) -> Result<Self, Failure> {
        Ok(Self {
            name: super::draw_name()?,
            given: 0,
            scripted,
            heard: 0,
            words_count: true,
            rests: false,
            left: false,
            ended: None,
            over: false,
            patience: Instant::now() + REST_WITHIN,
        })
    }

    /// Whether something that is typed may be given now: a script waits for its turn.
    const fn may_give(&self) -> bool {
        self.ended.is_some() || (!self.left && (!self.scripted || self.rests))
    }

    const fn is_waiting(&self) -> bool {
        if self.ended.is_some() {
            self.scripted
        } else {
            self.left || (self.scripted && !self.rests)
        }
    }

    fn is_lost(&self) -> bool {
        self.ended.is_none() && self.left && Instant::now() >= self.patience
    }

    /// Whether the contact has ended and nothing is left to be done.
    const fn is_over(&self) -> bool {
        self.ended.is_some() && self.over
    }

    const fn waited(&mut self) {
        self.rests = true;
        // A script that has nothing to say after the end has said all.
        self.over = self.ended.is_some();
    }

    /// The contact has ended; whoever rehearses may keep it, or begin anew.
    fn begin_afterword(&mut self, screen: &Screen) {
        self.patience = Instant::now() + AFTERWORD_WITHIN;
        if !self.scripted {
            screen.remark("@save FILE keeps it as a scenario, @from STEP begins anew, ctrl-D leaves");
        }
    }

    /// Takes notice of a turn.
    fn hear(&mut self, turn: &Turn) {
        self.heard = turn.seq();
        match turn {
            Turn::Say { .. } => {}
            Turn::Ask { text, .. } => {
                self.words_count = *text;
                self.rests = true;
            }
            Turn::Ended { outcome, .. } => self.ended = Some(outcome.clone()),
        }
    }

    /// Takes what is typed; whether another contact began.
    async fn take<L: Line>(&mut self, typed: &str, line: &L, screen: &Screen) -> Result<bool, Failure> {
        let meant = typed::read(typed, self.words_count, self.scripted);
        if self.ended.is_some() && matches!(meant, Ok(Typed::Give(_))) {
            // Who leaves a contact that has ended leaves the program; a script has said all.
            self.over = self.scripted || meant == Ok(Typed::Give(Given::HangUp));
            if !self.over {
                screen.trouble("the contact has ended; @from STEP begins anew, ctrl-D leaves");
            }
            return Ok(false);
        }
        if self.scripted && meant != Ok(Typed::Nothing) {
            screen.echo(typed.trim());
        }
        match meant {
            Ok(Typed::Give(given)) => self.give(&given, line, screen).await?,
            Ok(Typed::Help) => TYPED_HELP.lines().for_each(|line| screen.remark(line)),
            Ok(Typed::Wait(time)) if self.scripted => {
                self.rests = false;
                self.patience = Instant::now() + time.to_std();
            }
            Ok(Typed::Wait(_)) => screen.remark("@wait is for scripts; here you are the one who waits"),
            Ok(Typed::Rehearse(rehearsal)) => match line.rehearse(&rehearsal).await {
                Ok(rehearsed) => {
                    rehearsed.remarks.iter().for_each(|remark| screen.remark(remark));
                    if rehearsed.anew {
                        *self = Self {
                            given: self.given,
                            ..Self::new(self.scripted)?
                        };
                        return Ok(true);
                    }
                }
                Err(why) => screen.trouble(&why),
            },
            Ok(Typed::Nothing) => {}
            Err(mend) => screen.trouble(&mend),
        }
        Ok(false)
    }

    async fn give<L: Line>(&mut self, given: &Given, line: &L, screen: &Screen) -> Result<(), Failure> {
        self.given += 1;
        let id = format!("{}-{}", self.name, self.given);
        match line.give(&id, given).await? {
            Reply::Taken => {
                self.rests = false;
                self.patience = Instant::now() + REST_WITHIN;
            }
            Reply::Refused(why) => screen.trouble(&why),
            // Its last turn says how.
            Reply::Ended => {}
        }
        if *given == Given::HangUp {
            self.left = true;
            self.patience = Instant::now() + GOODBYE_WITHIN;
        }
        Ok(())
    }
}
