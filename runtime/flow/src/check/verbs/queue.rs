//! `queue` as the engine runs it.

use trunkline_model::{Duration, Type};

use super::super::{
    expressions::Scribe,
    flow::{FlowView, key},
    queues::words,
};
use crate::{
    diagnostics::{Code, Finding, one_of},
    limits::QUEUE_TIME_DEFAULT,
    source::{Span, Word},
    step::{Announce, Offer, Queue},
    syntax::{AnnounceSyntax, OfferSyntax, QueueSyntax},
};

pub(super) fn lower(
    view: &FlowView<'_, '_>,
    queue: &QueueSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Queue> {
    let max = queue.max.unwrap_or(QUEUE_TIME_DEFAULT);
    let known = view.world.centre.queue(view.world, &queue.queue);
    let skilled = view.world.centre.skills(view.world, &queue.skills);
    if known && skilled {
        served(view, queue);
    }
    let agent = queue.agent.as_ref().map(|agent| {
        let named = view.world.centre.agent(view.world, agent);
        let valued = scribe.value(agent, Some(&Type::String))?;
        named.then_some(valued.expression)
    });
    let priority = queue
        .priority
        .as_ref()
        .map(|value| Some(scribe.value(value, Some(&Type::INT))?.expression));
    let music = queue.music.as_ref().map(|prompt| scribe.prompt(prompt));
    let announce = queue
        .announce
        .as_ref()
        .map(|written| announce(view, written, max, scribe));
    let mut offers = Vec::new();
    let mut fine = known && skilled;
    for written in &queue.offers {
        match offer(view, written, max, scribe) {
            Some(offer) => offers.push(offer),
            None => fine = false,
        }
    }
    // Each part has been looked at, so that all findings are made before any `?` below.
    fine.then_some(())?;
    Some(Queue {
        queue: queue.queue.value.clone(),
        skills: words(&queue.skills),
        agent: whole(agent)?,
        priority: whole(priority)?,
        music: whole(music)?,
        announce: whole(announce)?,
        offers,
        max,
    })
}

/// A part that may be left out, but not be wrong.
pub(super) fn whole<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        Some(part) => part.map(Some),
        None => Some(None),
    }
}

/// Reports demands that no agent can meet, where the queue's own alone could be.
fn served(view: &FlowView<'_, '_>, queue: &QueueSyntax) {
    let centre = &view.world.centre;
    let own = centre.queues.get(queue.queue.as_str()).map(|queue| &queue.skills);
    let own: Vec<&Word> = own.into_iter().flatten().collect();
    let all: Vec<&Word> = own.iter().copied().chain(&queue.skills).collect();
    if centre.somebody_has(&own) && !centre.somebody_has(&all) {
        view.world.report(
            Finding::new(
                Code::NobodyServes,
                queue.queue.span,
                format!(
                    "no agent has the skills {} together",
                    one_of(all.iter().map(|skill| skill.as_str()))
                ),
            )
            .help("give an agent of agents.yaml these skills, or ask for fewer"),
        );
    }
}

fn announce(
    view: &FlowView<'_, '_>,
    written: &AnnounceSyntax,
    max: Duration,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Announce> {
    let prompt = written
        .prompt
        .as_ref()
        .map(|prompt| scribe.announcing().prompt(prompt));
    let every = written.every?;
    in_time(view, written.span, every, max);
    Some(Announce {
        every,
        prompt: prompt??,
    })
}

fn offer(
    view: &FlowView<'_, '_>,
    written: &OfferSyntax,
    max: Duration,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Offer> {
    let prompt = written.prompt.as_ref().map(|prompt| scribe.prompt(prompt));
    let after = written.after?;
    in_time(view, written.name.span, after, max);
    Some(Offer {
        name: written.name.value.clone(),
        after,
        prompt: prompt??,
        key: key(view.world, written.key.as_ref()?)?,
        next: view.step_id(view.find(written.next.as_ref()?)?),
    })
}

/// Reports what would come only when the wait is over.
fn in_time(view: &FlowView<'_, '_>, span: Span, at: Duration, max: Duration) {
    if at >= max {
        view.world.report(
            Finding::new(
                Code::NeverTaken,
                span,
                format!("this comes after {at}, but the wait is over after {max}"),
            )
            .help("let it come earlier, or give the wait a longer `max`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse, step::Verb};
    use trunkline_model::Duration;

    const HOTLINE: &str = "--- hotline.yaml\nhotline: test\nlanguages: [zh-CN, en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\nqueues: { general: {}, city-desk: {} }\n";

    #[test]
    fn waiting_is_said_and_offered_right() {
        assert_findings(
            &(HOTLINE.to_owned()
                + r##"--- flows/main.yaml
flow: main
anywhere: { keys: { "9": last } }
vars: { n: { type: int, is: 1 }, name: string? }
start: a
steps:
  a:
    queue: general
    priority: "${n > 1 ? 'a' : 'b'}"
#                        ^^^ TL0202: this should be an int, not a string
#                              ^^^ TL0202: this should be an int, not a string
    agent: "${name}"
#             ^^^^ TL0205: `name` may be absent here
    announce: { every: 60s, say: { zh-CN: "{position}{wait}", en: "{position.x}" } }
#                                                                            ^ TL0204: an int has no field `x`
    music: helo
#          ^^^^ TL0401: there is no prompt `helo`
    offer-callback: { after: 60s, say: hello, key: 1, next: b }
    offer-channel: { after: 20m, say: hello, key: 1, next: c }
#   ^^^^^^^^^^^^^ TL0310: this comes after 20m, but the wait is over after 10m
#                                                 ^ TL0502: the key `1` takes two offers
    on: { else: b }
    next: b
  b:
    queue: city-desk
    announce: { evry: 60s, say: hello }
#   ^^^^^^^^ TL0007: `announce` needs `every`
#               ^^^^ TL0006: `announce` has no field `evry`
    offer-callback: { after: 60s, say: { zh-CN: "{position}", en: hi }, key: 9, next: lost }
#                                                 ^^^^^^^^ TL0203: `position` is known in the prompt of a queue's `announce` only
#                                                                            ^ TL0503: this key hides the one that holds anywhere
#                                                                                     ^^^^ TL0101: the flow `main` has no step `lost`
    on: { else: c }
    next: c
  c: { choose: [{ when: "${queue.city_desk.waiting > 3 && queue.general.wait > '30s'}", next: last }, { when: "${queue.general}", next: last }, { else: last }] }
#                                                                                                                ^^^^^^^^^^^^^ TL0203: the queue itself is no value
  last: { end: completed }
"##),
        );
    }

    #[test]
    fn a_wait_is_as_it_is_written() {
        let text = HOTLINE.to_owned()
            + r##"--- flows/main.yaml
flow: main
start: a
steps:
  a:
    queue: general
    priority: 7
    announce: { every: 60s, say: { zh-CN: "{position} {wait}", en: "{position} {wait}" } }
    offer-channel: { after: 90s, say: hello, key: "*", next: b }
    max: 5m
    on: { timeout: b, else: done }
    next: done
  b: { queue: city-desk, on: { else: done }, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(&text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let steps = &checked.flows["main"].steps;
        let Verb::Queue(queue) = &steps["a"].verb else {
            panic!("a queue")
        };
        assert_eq!(queue.max, Duration::from_secs(300));
        assert_eq!(queue.offers[0].key.as_char(), '*');
        assert_eq!(
            (&*queue.offers[0].name, queue.offers[0].next.as_str()),
            ("offer-channel", "b")
        );
        assert!(queue.priority.is_some() && queue.agent.is_none());
        assert_eq!(steps["a"].exits["timeout"].next.as_str(), "b");
        assert_eq!(steps["a"].exits["no-agents"].next.as_str(), "done");
        let Verb::Queue(plain) = &steps["b"].verb else {
            panic!("a queue")
        };
        assert_eq!(plain.max, Duration::from_secs(600));
    }
}
