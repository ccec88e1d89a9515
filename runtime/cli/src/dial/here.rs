//! A rehearsal: a contact with a hotline that runs in this process, checked as a server would,
//! with nothing kept and nothing listening. Its plugins are really called; its clock can be
//! moved, its plugins made slow or broken, and it can begin anew at any step. A plugin that is
//! saved meanwhile takes the place of the one before.

mod swapping;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::anyhow;
use jiff::civil::DateTime;
use tokio::{sync::Notify, task::JoinHandle};
use trunkline_channel::chat::Turn;
use trunkline_engine::{
    Arrival, Channel, Services, Utterance,
    input::Refused,
    input::Reply as EngineReply,
    session::{Calling, State},
};
use trunkline_flow::{scenario::Begins, start::StartsOn};
use trunkline_model::{
    ContactId, Duration, FaultKind, FlowName, Outcome, PluginName, StepId, Timestamp, json::to_json,
};
use trunkline_node::{Clock, LoadedPlugin, Node, StartError};
use trunkline_plugin::Plugin;
use trunkline_scenario::{Answered, Contact, Player, Plugins};

use super::{
    keeping,
    line::{Called, LISTEN_FOR, Line, Rehearsed, Reply},
    screen::Screen,
    typed::{Given, Rehearsal},
};
use crate::{
    check::{self, findings},
    exit::Failure,
    test::{
        real::{call, no_plugin},
        run::Cast,
    },
};

/// A contact in this process.
pub(crate) struct Here {
    node: Node,
    folder: PathBuf,
    stage: Arc<Stage>,
    /// Takes what is saved meanwhile; it ends with the rehearsal.
    swapping: JoinHandle<()>,
}

/// What the contact and the calls of its plugins share.
struct Stage {
    cast: Cast,
    /// The plugins that calls go to: those of the cast, until others are saved.
    plugins: Mutex<BTreeMap<PluginName, LoadedPlugin>>,
    clock: Clock,
    scene: Mutex<Scene>,
    /// Wakes whoever waits for turns.
    changed: Notify,
}

struct Scene {
    player: Player<Switchboard>,
    /// Where the contact began, when that was not its number's flow.
    begins: Option<Begins>,
    /// Counts contacts, so that no call of one answers another.
    contacts: u32,
    /// What those who wait for turns were woken for last: the contact, its last event, and when
    /// something happens next.
    noticed: Option<(u32, u64, Option<Timestamp>)>,
}

/// Takes the calls of a contact down, to be made outside of the lock.
#[derive(Debug, Default)]
struct Switchboard {
    conduct: BTreeMap<PluginName, Conduct>,
    wanted: Vec<Wanted>,
}

/// How a plugin behaves in this rehearsal, when not as it would.
#[derive(Clone, Copy, Debug, Default)]
struct Conduct {
    slow_by: Duration,
    broken: Option<FaultKind>,
}

/// A call to be made.
#[derive(Debug)]
struct Wanted {
    calling: Calling,
    call: trunkline_plugin::Call,
    /// When its answer may come at the soonest.
    not_before: Timestamp,
}

impl Plugins for Switchboard {
    fn answer(&mut self, calling: &Calling, contact: &Contact) -> Result<Option<Answered>, String> {
        let conduct = self.conduct.get(&calling.plugin).copied().unwrap_or_default();
        if let Some(kind) = conduct.broken {
            return Ok(Some(Answered {
                after: conduct.slow_by,
                outcome: Outcome::fault(kind, "broken in this rehearsal"),
            }));
        }
        self.wanted.push(Wanted {
            calling: calling.clone(),
            call: call(calling, contact),
            not_before: contact.at() + conduct.slow_by,
        });
        Ok(None)
    }
}

/// A time by the clocks of a hotline.
fn by_the_clock(cast: &Cast, at: DateTime) -> Result<Timestamp, Failure> {
    let time = cast.hotline.time_zone.to_ambiguous_timestamp(at).compatible();
    let time = time.map_err(|error| Failure::usage(anyhow!(error)))?;
    Ok(Timestamp::from_millis(time.as_millisecond()))
}

impl Here {
    /// Builds the hotline and begins a contact.
    ///
    /// # Errors
    /// The hotline does not load, or has no such number.
    pub(crate) async fn call(folder: &Path, called: &Called, screen: &Screen) -> Result<Self, Failure> {
        let node = check::rehearse_and_watch(folder)
            .await
            .map_err(|error| match error {
                StartError::Check { report, .. } => {
                    anstream::eprint!("{}", findings(&report, folder));
                    Failure::from(anyhow!(
                        "{} does not load; mend the findings and dial again",
                        folder.display()
                    ))
                }
                error => anyhow!(error).into(),
            })?;
        let release = node
            .releases()
            .current()
            .ok_or_else(|| Failure::from(anyhow!("the hotline was not built")))?;
        let cast = Cast::of(&release);
        let number = number(&cast, called)?;
        let clock = match called.at {
            Some(at) => Clock::beginning_at(by_the_clock(&cast, at)?),
            None => Clock::system(),
        };
        let arrival = Arrival {
            contact: draw_contact(clock.now())?,
            release: release.id(),
            channel: Channel::Chat,
            number: number.into(),
            language: called.language.as_deref().map(Into::into),
            // Whoever runs the hotline may say who calls.
            caller: called.from.as_deref().map(Into::into),
            claimed: None,
        };
        let name = arrival.contact.clone();
        let services = Services::new(&cast.hotline);
        let readings = services.readings(None, clock.now());
        let contact = Contact::arrive(&cast.hotline, arrival, clock.now(), &readings)
            .map_err(|error| Failure::usage(anyhow!(error)))?;
        screen.remark(&format!(
            "contact {name} on release {}, in this process",
            release.id().short()
        ));
        let stage = Arc::new(Stage {
            plugins: Mutex::new(cast.release.plugins().clone()),
            cast,
            clock,
            scene: Mutex::new(Scene {
                player: Player::new(contact, Switchboard::default(), services),
                begins: None,
                contacts: 1,
                noticed: None,
            }),
            changed: Notify::new(),
        });
        stage.settle(&mut stage.scene());
        let swapping = tokio::spawn(swapping::swap(node.clone(), stage.clone(), screen.clone()));
        Ok(Self {
            node,
            folder: folder.to_owned(),
            stage,
            swapping,
        })
    }

    /// Begins anew at a step: of the flow the contact is in, or of another, whose variables are
    /// then not set.
    fn from(&self, step: &str) -> Result<Rehearsed, String> {
        let stage = &self.stage;
        let mut scene = stage.scene();
        let session = scene.player.contact().session();
        let flows = &stage.cast.hotline.flows;
        let here = session.frames.iter().rev().map(|frame| &frame.flow);
        let mut all = here.chain(flows.keys());
        let Some(flow) = all.find(|flow| flows.get(*flow).is_some_and(|flow| flow.steps.contains_key(step)))
        else {
            let names: Vec<&str> = flows
                .values()
                .flat_map(|flow| flow.steps.keys().map(StepId::as_str))
                .collect();
            return Err(format!(
                "no flow has a step `{step}`; there are {}",
                names.join(", ")
            ));
        };
        let frame = session.frames.iter().rev().find(|frame| frame.flow == *flow);
        let begins = Begins {
            flow: FlowName::new(flow.as_str()),
            step: StepId::new(step),
            variables: frame.map(|frame| frame.variables.clone()).unwrap_or_default(),
        };
        let arrival = Arrival {
            contact: draw_contact(stage.clock.now()).map_err(|failure| failure.error.to_string())?,
            release: session.release,
            channel: session.channel,
            number: session.number.clone(),
            language: Some(session.language.clone()),
            caller: session.caller.clone(),
            claimed: None,
        };
        let services = scene.player.services().clone();
        let readings = services.readings(None, stage.clock.now());
        let contact = Contact::arrive_at(
            &stage.cast.hotline,
            arrival,
            (&begins.flow, &begins.step),
            begins.variables.clone(),
            stage.clock.now(),
            &readings,
        )
        .map_err(|error| error.to_string())?;
        let remark = format!(
            "begins anew at `{step}` of the flow `{}`, {}",
            begins.flow,
            match begins.variables.len() {
                0 => "with no variables set".to_owned(),
                1 => "with one variable set".to_owned(),
                count => format!("with {count} variables set"),
            }
        );
        let conduct = std::mem::take(&mut scene.player.plugins().conduct);
        *scene = Scene {
            player: Player::new(
                contact,
                Switchboard {
                    conduct,
                    wanted: Vec::new(),
                },
                services,
            ),
            begins: Some(begins),
            contacts: scene.contacts + 1,
            noticed: None,
        };
        stage.settle(&mut scene);
        Ok(Rehearsed {
            remarks: vec![remark],
            anew: true,
        })
    }

    /// Moves the clock from one deadline of the contact to the next, so that each comes in its
    /// time and what it decides is there before the clock goes on.
    async fn advance(&self, by: Duration) -> String {
        let stage = &self.stage;
        let end = stage.clock.now() + by;
        loop {
            // Bound here, so that the scene is not held while it is settled.
            let next = stage.scene().player.next_at();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            stage.clock.advance(next.since(stage.clock.now()));
            stage.settle(&mut stage.scene());
            // A plugin that is called in passing answers before the clock goes on, if it can.
            tokio::task::yield_now().await;
        }
        stage.clock.advance(end.since(stage.clock.now()));
        stage.settle(&mut stage.scene());
        format!("it is {by} later: {}", self.time_of_day())
    }

    /// How long it is to the next time that it is so late in the day, by the hotline's time zone.
    fn until(&self, time: jiff::civil::Time) -> Result<Duration, String> {
        let now = self.stage.clock.now();
        let zoned = jiff::Timestamp::from_millisecond(now.as_millis())
            .map_err(|error| error.to_string())?
            .to_zoned(self.stage.cast.hotline.time_zone.clone());
        let mut then = zoned
            .with()
            .time(time)
            .build()
            .map_err(|error| error.to_string())?;
        if then <= zoned {
            let tomorrow = zoned.tomorrow().map_err(|error| error.to_string())?;
            then = tomorrow
                .with()
                .time(time)
                .build()
                .map_err(|error| error.to_string())?;
        }
        Ok(Timestamp::from_millis(then.timestamp().as_millisecond()).since(now))
    }

    fn time_of_day(&self) -> String {
        let now = self.stage.clock.now();
        let zone = self.stage.cast.hotline.time_zone.clone();
        jiff::Timestamp::from_millisecond(now.as_millis()).map_or_else(
            |error| error.to_string(),
            |time| time.to_zoned(zone).strftime("%A %Y-%m-%d %H:%M:%S").to_string(),
        )
    }

    /// A plugin of the hotline, by its name.
    fn plugin(&self, name: &str) -> Result<PluginName, String> {
        let plugins = &self.stage.cast.interfaces;
        match plugins.get_key_value(name) {
            Some((name, _)) => Ok(name.clone()),
            None => {
                let names: Vec<_> = plugins.keys().map(PluginName::as_str).collect();
                if names.is_empty() {
                    return Err("the hotline has no plugins".to_owned());
                }
                Err(format!(
                    "there is no plugin `{name}`; there are {}",
                    names.join(", ")
                ))
            }
        }
    }

    fn conduct(&self, name: &str, change: impl FnOnce(&mut Conduct)) -> Result<(), String> {
        let plugin = self.plugin(name)?;
        let mut scene = self.stage.scene();
        change(scene.player.plugins().conduct.entry(plugin).or_default());
        Ok(())
    }

    fn variables(&self) -> Vec<String> {
        let scene = self.stage.scene();
        let Some(frame) = scene.player.contact().session().frames.last() else {
            return vec!["the contact is in no flow".to_owned()];
        };
        if frame.variables.is_empty() {
            return vec![format!("no variable of the flow `{}` is set", frame.flow)];
        }
        let variables = frame.variables.iter();
        variables
            .map(|(name, value)| format!("{name} = {}", to_json(value)))
            .collect()
    }

    fn standing(&self) -> String {
        let scene = self.stage.scene();
        let session = scene.player.contact().session();
        let place = session.place().map_or_else(
            || "no step".to_owned(),
            |(flow, step)| format!("`{step}` of the flow `{flow}`"),
        );
        let left = |until: &Timestamp| until.since(self.stage.clock.now());
        match &session.state {
            State::Hearing(hearing) => {
                let words = if hearing.expects.text { " or words" } else { "" };
                format!(
                    "in {place}; waits {} for keys {}{words}",
                    left(&hearing.until),
                    hearing.expects.keys
                )
            }
            State::Calling(calling) => {
                format!(
                    "in {place}; waits {} for the plugin {}",
                    left(&calling.until),
                    calling.plugin
                )
            }
            State::Waiting { until, .. } => format!("in {place}; waits {}", left(until)),
            State::Ended { outcome, .. } => format!("in {place}; ended {outcome}"),
            _ => match scene.player.next_at() {
                Some(until) => format!("in {place}; waits {}", left(&until)),
                None => format!("in {place}"),
            },
        }
    }
}

impl Stage {
    fn plugin(&self, name: &PluginName) -> Option<Plugin> {
        let plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.get(name).map(|loaded| loaded.plugin.clone())
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the contact up to the clock, and makes the calls that it waits for.
    fn settle(self: &Arc<Self>, scene: &mut Scene) {
        let now = self.clock.now();
        let passed = now.since(scene.player.contact().at());
        scene.player.advance(passed);
        for wanted in std::mem::take(&mut scene.player.plugins().wanted) {
            let (stage, contact) = (self.clone(), scene.contacts);
            tokio::spawn(async move { stage.make(wanted, contact).await });
        }
        // Whoever waits for turns settles the scene, too, and must not wake itself by it.
        let standing = (
            scene.contacts,
            scene.player.contact().session().seq,
            scene.player.next_at(),
        );
        if scene.noticed != Some(standing) {
            scene.noticed = Some(standing);
            self.changed.notify_waiters();
        }
    }

    async fn make(self: Arc<Self>, wanted: Wanted, contact: u32) {
        let Wanted {
            calling,
            call,
            not_before,
        } = wanted;
        let plugin = self.plugin(&calling.plugin);
        let outcome = match plugin {
            Some(plugin) => plugin.call(call).await,
            None => no_plugin(&calling),
        };
        let mut scene = self.scene();
        if scene.contacts == contact {
            self.settle(&mut scene);
            scene
                .player
                .bring(calling.call, calling.attempt, outcome, not_before);
            self.settle(&mut scene);
        }
    }
}

/// The number to call: the hotline's only one when none is given.
fn number(cast: &Cast, called: &Called) -> Result<String, Failure> {
    let numbers: Vec<String> = cast.hotline.numbers.keys().map(ToString::to_string).collect();
    match (&called.number, numbers.as_slice()) {
        (Some(number), _) if numbers.contains(number) => Ok(number.clone()),
        (Some(on), _) if StartsOn::parse(on).is_some() => Err(Failure::usage(anyhow!(
            "nobody calls {on}: a change or an event starts its flow; write a scenario with `starts-on: {on}`, and play \
             it with --script FILE.yaml"
        ))),
        (Some(number), _) => Err(Failure::usage(anyhow!(
            "the hotline has no number {number:?}; it has {}",
            numbers.join(", ")
        ))),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Failure::usage(anyhow!(
            "say which number to call: {}",
            numbers.join(", ")
        ))),
    }
}

fn draw_contact(at: Timestamp) -> Result<ContactId, Failure> {
    let mut random = [0; 10];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::from(anyhow!(error).context("the system gave no random bytes")))?;
    Ok(ContactId::generate(at, random))
}

impl Line for Here {
    async fn give(&self, _id: &str, given: &Given) -> Result<Reply, Failure> {
        let mut scene = self.stage.scene();
        self.stage.settle(&mut scene);
        let reply = match given {
            Given::Keys(keys) => scene.player.hear(Utterance::Keys(keys.as_str().into())),
            Given::Text(text) => scene.player.hear(Utterance::Text(text.as_str().into())),
            Given::HangUp => scene.player.hang_up(),
        };
        self.stage.settle(&mut scene);
        Ok(match reply {
            EngineReply::Accepted => Reply::Taken,
            EngineReply::Refused(Refused::Ended) => Reply::Ended,
            EngineReply::Refused(why) => Reply::Refused(why.to_string()),
        })
    }

    async fn turns(&self, after: u64) -> Result<Vec<Turn>, Failure> {
        let stage = &self.stage;
        let wait = Duration::from_millis(u64::try_from(LISTEN_FOR.as_millis()).unwrap_or(u64::MAX));
        let until = stage.clock.now() + wait;
        loop {
            let changed = stage.changed.notified();
            tokio::pin!(changed);
            let wake = {
                let mut scene = stage.scene();
                stage.settle(&mut scene);
                // Listening begins before the turns are read, so that none is missed.
                changed.as_mut().enable();
                let turns = scene.player.contact().turns(after);
                if !turns.is_empty() {
                    return Ok(turns.iter().map(Turn::from).collect());
                }
                scene.player.next_at().map_or(until, |next| next.min(until))
            };
            if stage.clock.now() >= until {
                return Ok(Vec::new());
            }
            // Dropping either means nothing: both are asked anew.
            tokio::select! {
                () = stage.clock.until(wake) => {}
                () = &mut changed => {}
            }
        }
    }

    async fn rehearse(&self, rehearsal: &Rehearsal) -> Result<Rehearsed, String> {
        self.stage.settle(&mut self.stage.scene());
        let remarks = match rehearsal {
            Rehearsal::Advance(by) => vec![self.advance(*by).await],
            Rehearsal::AdvanceTo(time) => vec![self.advance(self.until(*time)?).await],
            Rehearsal::Slow(plugin, by) => {
                self.conduct(plugin, |conduct| conduct.slow_by = *by)?;
                vec![format!("answers of {plugin} take {by} longer from now on")]
            }
            Rehearsal::Break(plugin, kind) => {
                self.conduct(plugin, |conduct| conduct.broken = Some(*kind))?;
                vec![format!("calls of {plugin} come to the fault {kind} from now on")]
            }
            Rehearsal::Mend(plugin) => {
                self.conduct(plugin, |conduct| *conduct = Conduct::default())?;
                vec![format!("{plugin} is as it is again")]
            }
            Rehearsal::Vars => self.variables(),
            Rehearsal::Where => vec![self.standing()],
            Rehearsal::From(step) => return self.from(step),
            Rehearsal::Restart => {
                let mut scene = self.stage.scene();
                scene.player.restart(Duration::default());
                self.stage.settle(&mut scene);
                vec!["the node stopped, and took the contact up again from its events".to_owned()]
            }
            Rehearsal::Agent(name, deed) => {
                let mut scene = self.stage.scene();
                scene.player.agent(name, *deed)?;
                self.stage.settle(&mut scene);
                let agents = scene.player.services().agents();
                let agent = agents.iter().find(|agent| *agent.name == **name);
                vec![format!(
                    "{name} is {}",
                    agent.map_or("away", |agent| agent.state.as_str())
                )]
            }
            Rehearsal::Transfer(came) => {
                let mut scene = self.stage.scene();
                scene.player.party(*came)?;
                self.stage.settle(&mut scene);
                Vec::new()
            }
            Rehearsal::Save(file, name) => {
                let (begins, events) = {
                    let scene = self.stage.scene();
                    (scene.begins.clone(), scene.player.contact().events().to_vec())
                };
                vec![keeping::save(
                    &self.folder,
                    &self.stage.cast,
                    (file, name),
                    begins,
                    &events,
                )?]
            }
        };
        Ok(Rehearsed { remarks, anew: false })
    }

    fn goes_on(&self) -> bool {
        true
    }

    async fn close(self) {
        self.swapping.abort();
        self.node.shutdown().await;
    }
}
