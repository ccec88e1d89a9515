//! Scenarios: tests of a hotline in the reader's language, one in each file of `tests/`.
//!
//! A [`Scenario`] is what a file says, with every name found in the hotline and every mocked
//! answer typed by the function that it stands for. Who plays it is not this crate's business.
//! [`to_yaml`](Scenario::to_yaml) writes one that was made by a program (a rehearsal that is
//! kept, a counterexample of a proof); reading what it wrote gives the same scenario.

mod print;

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{
    Duration, FlowName, FunctionName, Outcome, PluginName, PromptKey, StepId, Timestamp, Value, VariableName,
    signature::Interface,
};

pub use crate::source::Position;
use crate::{
    check::Checked,
    diagnostics::{Diagnostic, Findings},
    limits::FILES_MAX,
    parse,
    source::{Files, Sources},
    start::StartsOn,
};

/// When a scenario's call comes unless it says so: a Monday that is a working day everywhere,
/// at ten in the morning, by the hotline's time zone.
pub const AT_DEFAULT: &str = "2026-01-12T10:00";

/// The folder of a hotline that holds its scenarios.
pub const FOLDER: &str = "tests";

/// One call and what is to come of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub name: Arc<str>,
    /// The file it stands in, relative to the hotline's folder; empty for one made by a program.
    pub file: Arc<str>,
    /// Who calls, where and when.
    pub call: Call,
    /// Where the contact begins, when that is not its number's flow.
    pub begins: Option<Begins>,
    /// What starts the contact, when nobody calls: then the call's number names it, and whom it
    /// concerns stands as the caller.
    pub starts: Option<Started>,
    /// What plugins answer.
    pub plugins: Vec<Mock>,
    /// What services answer that do not do as they do by themselves.
    pub services: Vec<ServiceMock>,
    /// Agents who are there.
    pub agents: BTreeMap<Arc<str>, AgentAtWork>,
    /// What happens, in order.
    pub script: Vec<Line>,
}

/// Who calls, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The number that is called.
    pub number: Arc<str>,
    /// The caller's number, as a trunk would vouch for it; E.164.
    pub from: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
    /// The language that the caller's client asks for.
    pub language: Option<Arc<str>>,
    /// How the contact comes.
    pub channel: Channel,
}

/// How a scenario's contact comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// By telephone.
    #[default]
    Voice,
    /// By text.
    Chat,
}

/// A place in a flow where a scenario's contact begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Begins {
    /// The flow.
    pub flow: FlowName,
    /// The step.
    pub step: StepId,
    /// Variables of the flow that are set already.
    pub variables: BTreeMap<VariableName, Value>,
}

/// A change or an event that starts a scenario's contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// The feed or the webhook.
    pub on: StartsOn,
    /// What the flow is given.
    pub inputs: BTreeMap<VariableName, Value>,
}

/// What a plugin's function answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Mock {
    /// The function as flows write it: `crm.find-citizen`.
    pub written: Arc<str>,
    /// The plugin.
    pub plugin: PluginName,
    /// The function's full name.
    pub function: FunctionName,
    /// Its answers. One that says whom it is `for` answers every such call; the others answer
    /// one call each in order, or every call when [`repeated`](Self::repeated).
    pub answers: Vec<Answer>,
    /// Whether the only answer was written without a list: then it answers every call.
    pub repeated: bool,
}

/// One answer of a mocked function.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The arguments that a call must have for it, by the parameters' names; of records only the
    /// fields that are given.
    pub only_for: BTreeMap<Arc<str>, Value>,
    /// How long it takes.
    pub after: Duration,
    /// What comes of the call.
    pub outcome: Outcome,
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceMock {
    /// The service: `queue.general`, `transfer`, `callback`, `ticket`, `notify`, `survey`, `record`; or
    /// what flows read of a queue, such as `queue.general.waiting`.
    pub service: Arc<str>,
    /// Its answers: the exit that is taken, `served`, or what is read.
    pub answers: Vec<Arc<str>>,
    /// Whether the only answer was written without a list: then it answers every demand.
    pub repeated: bool,
}

/// An agent who is there when the call comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentAtWork {
    /// Whether the agent takes callers.
    pub available: bool,
    /// How soon the agent answers a call by themselves; none when the script says so.
    pub answers_after: Option<Duration>,
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where it stands in the file.
    pub place: Option<Position>,
    /// What it says.
    pub what: Happening,
}

/// What a line of a script says.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The caller hears a prompt; what is said before it is passed over.
    Hears(Said),
    /// The caller presses keys.
    Presses(Arc<str>),
    /// The caller says or writes words.
    Says(Arc<str>),
    /// The caller lets time pass.
    Waits(Duration),
    /// The caller leaves.
    HangsUp,
    /// An agent does something.
    Agent(AgentDoes),
    /// What comes of a transfer to somebody who is no agent.
    Transfer(TransferComes),
    /// Something happens elsewhere that the flow may wait for, such as `ticket.closed`.
    Happens(Arc<str>),
    /// The node stops, and begins again after this time.
    Restarts(Duration),
    /// What must be so now.
    Expect(Box<Expect>),
}

/// Something that is said to the caller: a prompt, anything that holds a text, or a prompt that
/// holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The prompt's key.
    pub prompt: Option<PromptKey>,
    /// A part of the text.
    pub text: Option<Arc<str>>,
}

/// What comes of a transfer to somebody who is no agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferComes {
    /// Somebody answers.
    Answered,
    /// Who answered leaves.
    Ended,
    /// The line is busy.
    Busy,
    /// Nobody answers.
    NoAnswer,
    /// There is no connection.
    Failed,
}

impl TransferComes {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Answered,
        Self::Ended,
        Self::Busy,
        Self::NoAnswer,
        Self::Failed,
    ];

    /// Its name in scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Ended => "ended",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
        }
    }
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentDoes {
    /// Comes and is free.
    Comes(Arc<str>),
    /// Goes away.
    Goes(Arc<str>),
    /// Answers the call that is offered.
    Answers(Arc<str>),
    /// Ends the call.
    Ends(Arc<str>),
}

/// What must be so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// The contact has ended, with this outcome.
    pub ended: Option<Arc<str>>,
    /// The step the contact is in, or was in last.
    pub step: Option<StepId>,
    /// Something that has been said.
    pub said: Option<Said>,
    /// Something that has not been said.
    pub not_heard: Option<Said>,
    /// What variables hold, for each flow that has them all; nothing for one that is not set. Of
    /// records only the fields that are given count.
    pub variables: BTreeMap<VariableName, BTreeMap<FlowName, Value>>,
    /// The language the contact is led in.
    pub language: Option<Arc<str>>,
    /// A ring-back was booked, within this time if one is given.
    pub callback: Option<BookedCallback>,
    /// A ticket was opened, of this class if one is given.
    pub ticket: Option<OpenedTicket>,
    /// Whether a message was sent.
    pub notified: Option<bool>,
}

/// A ring-back that was booked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookedCallback {
    /// Within what time it was promised.
    pub within: Option<Duration>,
    /// The queue that rings back.
    pub queue: Option<Arc<str>>,
}

/// A ticket that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenedTicket {
    /// Its class.
    pub class: Option<Arc<str>>,
}

/// The scenarios of a hotline, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Scenarios {
    /// Those that can be played, in the order of their files.
    pub scenarios: Vec<Scenario>,
    /// All findings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the scenarios among `sources` (`tests/*.yaml`; other files are passed over) for a
/// checked hotline and the interfaces of its plugins. A scenario with an error is not among
/// those that can be played.
pub fn read(
    sources: &Sources,
    hotline: &Checked,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
) -> Scenarios {
    let files = Files::new(sources);
    let mut findings = Findings::default();
    let mut scenarios = Vec::new();
    let world = parse::scenario::World::new(hotline, interfaces);
    for (index, file) in files.0.iter().enumerate().take(FILES_MAX) {
        if is_scenario(&file.path) {
            scenarios.extend(parse::scenario::read(index, file, &world, &mut findings));
        }
    }
    Scenarios {
        scenarios,
        diagnostics: findings.into_diagnostics(&files),
    }
}

/// Whether a file of a hotline's folder is a scenario, by its path.
pub fn is_scenario(path: &str) -> bool {
    path.split_once('/')
        .is_some_and(|(folder, name)| folder == FOLDER && name.ends_with(".yaml") && !name.contains('/'))
}

impl Answer {
    /// Whether it answers a call with these arguments, given the parameters' names in order.
    pub fn answers<'a>(&self, arguments: impl IntoIterator<Item = (&'a str, &'a Value)>) -> bool {
        let given: BTreeMap<&str, &Value> = arguments.into_iter().collect();
        self.only_for
            .iter()
            .all(|(name, wanted)| given.get(&**name).is_some_and(|value| fits(wanted, value)))
    }
}

/// Whether a value is the one that is wanted; of records only the fields that are wanted count.
pub fn fits(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Record(wanted), Value::Record(_)) => wanted
            .iter()
            .all(|(name, wanted)| value.field(name).is_some_and(|value| fits(wanted, value))),
        (Value::List(wanted), Value::List(values)) => {
            wanted.len() == values.len() && wanted.iter().zip(values.iter()).all(|(a, b)| fits(a, b))
        }
        (
            Value::Variant {
                case: wanted,
                payload: Some(inner),
            },
            Value::Variant {
                case,
                payload: Some(payload),
            },
        ) => wanted == case && fits(inner, payload),
        _ => wanted == value,
    }
}

impl Expect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check, check::harness, parse};

    const FLOW: &str = "--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, mood: sentiment.mood?, count: u32? }
start: hello
steps:
  hello: { say: hello, next: find }
  find:
    call: crm.find-citizen
    with: { phone: \"1\" }
    save: citizen
    on: { ambiguous: { next: bye, save: count }, else: bye }
    next: bye
  bye: { end: completed }
";

    fn read_all(test: &str) -> (Sources, Scenarios) {
        let sources = harness::files(&format!("{FLOW}{test}"));
        let interfaces = harness::interfaces();
        let report = check(&parse(&sources), &interfaces);
        let checked = report
            .checked
            .unwrap_or_else(|| panic!("{:#?}", report.diagnostics));
        let scenarios = read(&sources, &checked, &interfaces);
        (sources, scenarios)
    }

    /// The findings of a test, each as its line, its code and its message.
    fn findings(test: &str) -> Vec<String> {
        let (_, read) = read_all(&format!("--- tests/a.yaml\n{test}"));
        read.diagnostics
            .iter()
            .map(|finding| {
                format!(
                    "{}:{} {} {}",
                    finding.line, finding.column, finding.code, finding.message
                )
            })
            .collect()
    }

    const FULL: &str = "--- tests/full.yaml
scenario: everything that a file may hold
call: { number: \"12345\", from: \"+8613800138000\", at: \"2026-11-21T20:05\", language: en, channel: chat }
begins: { flow: main, step: find, vars: { count: 2 } }
plugins:
  crm.find-citizen:
    - { for: { phone: \"1\" }, ok: { id: c-1, name: 王芳 }, after: 3s }
    - { refusal: ambiguous, with: 3 }
    - { refusal: not-found }
    - { fault: timed-out }
agents: { zhang-wei: { state: available, answers-after: 5s } }
script:
  - hears: hello
  - hears: { text: \"您\" }
  - hears: { prompt: hello, text: 您好 }
  - presses: \"0\"
  - says: 我很着急
  - wait: 60s
  - agent: { answers: zhang-wei }
  - agent: { ends: zhang-wei }
  - agent: { goes: zhang-wei }
  - agent: { comes: zhang-wei }
  - transfer: busy
  - happens: ticket.closed
  - restarts: true
  - restarts: 30s
  - expect:
      ended: completed
      step: bye
      said: hello
      not-heard: { text: no }
      vars: { citizen: { name: 王芳 }, count: null }
      language: en
      notified: false
  - hangs-up: true
";

    #[test]
    fn what_is_read_is_written_and_read_again() {
        let (_, read_once) = read_all(FULL);
        assert!(
            read_once
                .diagnostics
                .iter()
                .all(|finding| finding.code == crate::Code::UncalledMock),
            "{:#?}",
            read_once.diagnostics
        );
        let scenario = &read_once.scenarios[0];
        assert_eq!(scenario.call.at, Timestamp::from_millis(1_795_262_700_000));
        assert_eq!(scenario.plugins[0].answers.len(), 4);
        assert_eq!(scenario.script.len(), 16);
        let written = scenario.to_yaml(&jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
        let (_, again) = read_all(&format!("--- tests/full.yaml\n{written}"));
        let without_places = |scenario: &Scenario| {
            let mut scenario = scenario.clone();
            for line in &mut scenario.script {
                line.place = None;
            }
            scenario
        };
        assert_eq!(
            without_places(&again.scenarios[0]),
            without_places(scenario),
            "{written}"
        );
    }

    const OUTBOUND: &str = "--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
  works: { component: plugins/works.wasm, department: roads }
feeds:
  road-works: { call: works.changes, every: 5m, key: id, to: works.affected }
  quiet: { call: works.changes, every: 5m }
webhooks: { sensor: { secret: key, to: phone } }
--- flows/works.yaml
flow: works
starts-on: feed.road-works
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/quiet.yaml
flow: quiet
starts-on: feed.quiet
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/alarm.yaml
flow: alarm
starts-on: webhook.sensor
inputs: { id: string, phone: phone?, level: int? }
start: done
steps: { done: { end: completed } }
";

    #[test]
    fn a_contact_that_nobody_called_for_is_read_and_written() {
        let (_, read) = read_all(&format!(
            "{OUTBOUND}--- tests/a.yaml
scenario: a change
starts-on: feed.road-works
change: {{ id: w-1, text: 施工 }}
to: \"+8613800138000\"
at: \"2026-11-21T20:05\"
language: en
script: [{{ expect: {{ ended: completed }} }}]
--- tests/b.yaml
scenario: an event
starts-on: webhook.sensor
event: {{ id: s-1, phone: \"+8613800138001\" }}
script: [{{ expect: {{ ended: completed }} }}]
"
        ));
        assert!(read.diagnostics.is_empty(), "{:#?}", read.diagnostics);
        let [change, event] = read.scenarios.as_slice() else {
            panic!()
        };
        assert_eq!(&*change.call.number, "feed.road-works");
        assert_eq!(change.call.from.as_deref(), Some("+8613800138000"));
        assert_eq!(change.call.at, Timestamp::from_millis(1_795_262_700_000));
        let inputs = &change.starts.as_ref().unwrap().inputs;
        assert_eq!(inputs["change"].field("text"), Some(&Value::text("施工")));
        // Whom an event concerns stands in it.
        assert_eq!(event.call.from.as_deref(), Some("+8613800138001"));
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        for scenario in [change, event] {
            let written = scenario.to_yaml(&zone);
            let (_, again) = read_all(&format!("{OUTBOUND}--- tests/a.yaml\n{written}"));
            assert_eq!(again.scenarios[0].starts, scenario.starts, "{written}");
            assert_eq!(again.scenarios[0].call, scenario.call, "{written}");
        }
    }

    #[test]
    fn a_change_is_held_to_its_type_and_a_call_is_none() {
        let (_, read) = read_all(&format!(
            "{OUTBOUND}--- tests/a.yaml
scenario: a change
starts-on: feed.road-wroks
script: [{{ expect: {{ ended: completed }} }}]
--- tests/b.yaml
scenario: a change
starts-on: feed.quiet
call: {{ number: \"12345\" }}
change: {{ id: w-1, txt: 施工 }}
to: \"+8613800138000\"
script: [{{ expect: {{ ended: completed }} }}]
--- tests/c.yaml
scenario: an event
starts-on: webhook.sensor
change: {{ id: s-1 }}
script: [{{ expect: {{ ended: completed }} }}]
--- tests/d.yaml
scenario: an event about nobody
starts-on: webhook.sensor
event: {{ id: s-1 }}
script: [{{ expect: {{ ended: completed }} }}]
"
        ));
        let found: Vec<String> = read
            .diagnostics
            .iter()
            .map(|finding| {
                format!(
                    "{}:{} {} {}",
                    finding.file, finding.line, finding.code, finding.message
                )
            })
            .collect();
        for expected in [
            "tests/a.yaml:2 TL0812 ",
            "tests/b.yaml:3 TL0006 `call` belongs to",
            "tests/b.yaml:4 TL0204 ",
            "tests/b.yaml:5 TL0006 `to` belongs to",
            "tests/c.yaml:1 TL0007 a scenario needs `event`",
            "tests/c.yaml:3 TL0006 `change` belongs to",
            "tests/d.yaml:3 TL0010 `phone` holds nobody",
        ] {
            assert!(
                found.iter().any(|finding| finding.starts_with(expected)),
                "{expected}: {found:#?}"
            );
        }
        assert!(read.scenarios.is_empty());
    }

    #[test]
    fn names_that_do_not_exist_are_found() {
        let found = findings(
            "scenario: names
call: { number: \"12346\", language: fr }
plugins:
  crm.find-citizn: { ok: { id: a, name: b } }
  cmr.find-citizen: { ok: { id: a, name: b } }
script:
  - hears: helo
  - expect: { step: by, vars: { cont: 1 }, ended: complete }
",
        );
        for (place, code, what) in [
            ("2:", "TL0112", "12346"),
            ("2:", "TL0111", "fr"),
            ("4:", "TL0104", "find-citizn"),
            ("5:", "TL0103", "cmr"),
            ("7:", "TL0401", "helo"),
            ("8:", "TL0101", "by"),
            ("8:", "TL0106", "cont"),
            ("8:", "TL1105", "complete"),
        ] {
            assert!(
                found.iter().any(|finding| finding.starts_with(place)
                    && finding.contains(code)
                    && finding.contains(what)),
                "{code} {what}: {found:#?}"
            );
        }
        assert_eq!(found.len(), 8, "{found:#?}");
    }

    #[test]
    fn mocked_answers_are_typed() {
        let found = findings(
            "scenario: types
call: { number: \"12345\" }
plugins:
  crm.find-citizen:
    - { ok: { id: a, nam: b } }
    - { ok: { id: a, name: [b] } }
    - { refusal: not-fund }
    - { refusal: ambiguous }
    - { refusal: ambiguous, with: many }
    - { refusal: not-found, with: 1 }
    - { fault: slow }
    - { after: 3s }
    - { ok: { id: a, name: b }, fault: trap }
    - { ok: { id: a, name: b }, for: { fone: \"1\" } }
script:
  - hears: hello
",
        );
        for (line, code) in [
            ("5:", "TL0204"),
            ("6:", "TL0202"),
            ("7:", "TL0207"),
            ("8:", "TL1102"),
            ("9:", "TL0209"),
            ("10:", "TL1102"),
            ("11:", "TL0010"),
            ("12:", "TL1102"),
            ("13:", "TL1102"),
            ("14:", "TL0211"),
        ] {
            assert!(
                found
                    .iter()
                    .any(|finding| finding.starts_with(line) && finding.contains(code)),
                "{line} {code}: {found:#?}"
            );
        }
    }

    #[test]
    fn wrong_lines_and_empty_scripts_are_found() {
        let found = findings(
            "scenario: x\ncall: { number: \"12345\" }\nscript:\n  - press: 1\n  - { hears: hello, presses: 1 }\n  - presses: 1a\n  - hangs-up: false\n",
        );
        for (line, code) in [
            ("4:", "TL1101"),
            ("5:", "TL1101"),
            ("6:", "TL0501"),
            ("7:", "TL0010"),
        ] {
            assert!(
                found
                    .iter()
                    .any(|finding| finding.starts_with(line) && finding.contains(code)),
                "{line} {code}: {found:#?}"
            );
        }
        let found = findings("scenario: x\ncall: { number: \"12345\" }\nscript:\n  - presses: 1\n");
        assert!(
            found.iter().any(|finding| finding.contains("TL1104")),
            "{found:#?}"
        );
    }
}
