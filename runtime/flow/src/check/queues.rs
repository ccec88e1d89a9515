//! Queues and the agents who serve them.

use std::{collections::BTreeMap, sync::Arc};

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::{Agent, QueueSpec},
    source::Word,
    syntax::{AgentSyntax, QueueSpecSyntax},
};

pub(super) fn agents(world: &World<'_>) -> BTreeMap<Arc<str>, Agent> {
    world
        .centre
        .roster()
        .unwrap_or_default()
        .iter()
        .map(|agent| {
            listens_in(world, agent);
            let named = Agent {
                skills: words(&agent.skills),
                title: agent.title.as_ref().map(|title| title.value.clone()),
                phone: agent.phone.as_ref().map(|phone| phone.value.clone()),
                supervisor: agent.supervisor.is_some(),
                calls_out: agent.calls_out,
            };
            (agent.name.value.clone(), named)
        })
        .collect()
}

/// Reports a supervisor who has nothing to listen in with.
fn listens_in(world: &World<'_>, agent: &AgentSyntax) {
    if let (Some(place), None) = (agent.supervisor, &agent.phone) {
        let name = agent.name.as_str();
        world.report(
            Finding::new(
                Code::MissingField,
                place,
                format!("`{name}` has no phone to listen in with"),
            )
            .help(format!(
                "name the server's secret that is the password of the phone: `phone: {name}-phone`"
            )),
        );
    }
}

pub(super) fn words(words: &[Word]) -> Vec<Arc<str>> {
    words.iter().map(|word| word.value.clone()).collect()
}

pub(super) fn check(world: &World<'_>) -> BTreeMap<Arc<str>, QueueSpec> {
    let mut queues = BTreeMap::new();
    for queue in &world.hotline.queues {
        served(world, queue);
        by_phone(world, queue);
        if let Some(calendar) = &queue.calendar {
            world.calendar(calendar);
        }
        queues.insert(
            queue.name.value.clone(),
            QueueSpec {
                skills: words(&queue.skills),
                target: queue.target,
                waiting_max: queue.waiting_max,
                calendar: queue.calendar.as_ref().map_or_else(
                    || crate::calendar::ALWAYS.into(),
                    |calendar| calendar.value.clone(),
                ),
            },
        );
    }
    queues
}

/// Reports a queue that no agent of agents.yaml can serve.
fn served(world: &World<'_>, queue: &QueueSpecSyntax) {
    let skills: Vec<&Word> = queue.skills.iter().collect();
    if world.centre.somebody_has(&skills) {
        return;
    }
    let agents = world.centre.roster().unwrap_or_default();
    let had = || agents.iter().flat_map(|agent| &agent.skills);
    // A skill that none has at all is likely a slip of the pen.
    let stray = queue
        .skills
        .iter()
        .find(|skill| had().all(|other| other.value != skill.value));
    let near = stray.and_then(|skill| did_you_mean("agents have", skill.as_str(), had().map(Word::as_str)));
    world.report(
        Finding::new(
            Code::NobodyServes,
            stray.map_or(queue.name.span, |skill| skill.span),
            match stray {
                Some(skill) => format!(
                    "no agent has the skill `{}`, so nobody serves the queue `{}`",
                    skill.as_str(),
                    queue.name.as_str()
                ),
                None => format!(
                    "no agent has all the skills of the queue `{}`",
                    queue.name.as_str()
                ),
            },
        )
        .help_if(near)
        .help("give an agent of agents.yaml these skills, or ask for fewer"),
    );
}

/// Reports a queue of a hotline that is called by phone, over a trunk or a carrier, none of whose agents has
/// one.
fn by_phone(world: &World<'_>, queue: &QueueSpecSyntax) {
    let is_called = !world.hotline.trunks.is_empty() || !world.hotline.carriers.is_empty();
    let Some(agents) = world.centre.roster().filter(|_| is_called) else {
        return;
    };
    let mut serve = agents.iter().filter(|agent| {
        let mut skills = queue.skills.iter();
        skills.all(|skill| agent.skills.iter().any(|had| had.value == skill.value))
    });
    let Some(first) = serve.next() else { return };
    if first.phone.is_none() && serve.all(|agent| agent.phone.is_none()) {
        let name = first.name.as_str();
        world.report(
            Finding::new(
                Code::NobodyByPhone,
                queue.name.span,
                format!("no agent of the queue `{}` has a phone", queue.name.as_str()),
            )
            .label(first.name.span, "such an agent")
            .help(format!(
                "name the server's secret that is the password of an agent's phone: `{name}: {{ phone: {name}-phone, … }}`"
            )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse};
    use trunkline_model::Duration;

    #[test]
    fn queues_have_agents_hours_and_callers() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
calling-window: offise
#               ^^^^^^ TL0601: there is no calendar `offise`
queues:
  general: { skills: [mandarin], max-waiting: 0, calendar: ofice }
#                                             ^ TL0010: `max-waiting` is at least 1
#                                                          ^^^^^ TL0601: there is no calendar `ofice`
  expert: { skills: [mandarin, law] }
# ^^^^^^ TL0806: no agent has all the skills of the queue `expert`
  english: { skills: [englsh], targt: 30s }
#                     ^^^^^^ TL0806: no agent has the skill `englsh`
#                              ^^^^^ TL0006: a queue has no field `targt`
  spare: {}
# ^^^^^ TL0807: no step leads to the queue `spare`
agents: { a: {} }
# TL0006: `agents` belongs to a file of its own, agents.yaml
--- agents.yaml
zhang-wei: { title: 张伟, skills: [mandarin] }
li-na: { skills: [english, law], skils: [] }
#                                ^^^^^ TL0006: an agent has no field `skils`
Wang: {}
# TL0107: `Wang` cannot be the name of an agent
--- calendars/office.yaml
calendar: office
open: { monday: ["08:30-12:00"], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { queue: genral, on: { else: b }, next: b }
#             ^^^^^^ TL0801: there is no queue `genral`
  b: { queue: general, skills: [mandarim], agent: zhang-wie, on: { else: c }, next: c }
#                               ^^^^^^^^ TL0802: no agent of agents.yaml has the skill `mandarim`
#                                                 ^^^^^^^^^ TL0803: agents.yaml names no agent `zhang-wie`
  c: { queue: general, skills: [law], on: { else: d }, next: d }
#             ^^^^^^^ TL0806: no agent has the skills `mandarin`, `law` together
  d: { queue: expert, on: { else: e }, next: e }
  e: { callback: { within: 30m, queue: english, window: nigth }, on: { else: f }, next: f }
#                                                       ^^^^^ TL0601: there is no calendar `nigth`
  f: { choose: [{ when: "${queue.generl.open}", next: g }, { when: "${queue.general.length > 1}", next: g }, { else: g }] }
#                                ^^^^^^ TL0801: there is no queue `generl`
#                                                                                   ^^^^^^ TL0203: a queue has no `length`
  g: { end: completed }
"##,
        );
    }

    #[test]
    fn callers_of_carriers_meet_agents_with_phones() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
carriers: { cloud: { kind: twiml, url: "https://hotline.example.org", secret: twiml-token } }
queues: { general: { skills: [mandarin] }, law: { skills: [law] } }
#         ^^^^^^^ TL0821: no agent of the queue `general` has a phone
--- agents.yaml
zhang-wei: { skills: [mandarin] }
li-na: { skills: [law], phone: li-na-phone }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { queue: general, on: { else: b }, next: b }
  b: { queue: law, on: { else: done }, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn without_a_roster_agents_are_not_judged() {
        let text = r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
queues: { general: { skills: [mandarin], target: 30s }, bare: }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { queue: general, skills: [law], agent: anybody, on: { else: b }, next: b }
  b: { queue: bare, on: { else: done }, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let general = &checked.queues["general"];
        assert_eq!(general.skills, ["mandarin".into()]);
        assert_eq!(general.target, Some(Duration::from_secs(30)));
        assert_eq!((general.waiting_max, &*general.calendar), (500, "always"));
        assert!(checked.queues["bare"].skills.is_empty());
        assert!(checked.agents.is_empty());
    }
}
