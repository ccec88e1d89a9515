//! What it costs callers to reach a human, and each service that a flow names.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    game::{Game, Values},
    graph::{self, By, Graph, Trouble, Way},
};
use crate::{
    hotline::{Hotline, Language},
    step::Step,
};

/// The name under which a human is counted among the services.
pub const HUMAN: &str = "human";

/// What it takes from the answer of a number to a service, in a language.
///
/// The least is what a caller needs who knows the way and presses at once, when all goes well.
/// The most is what a caller needs who goes straight there but hears every question to its end,
/// when all goes as slowly and as badly as it can; none when it may not be reached at all. Each is counted
/// by itself: fewest presses may be another way than fewest seconds. Presses are those of a caller who goes
/// there by keys; where that cannot be, those of one who also speaks, or waits until a question gives up.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reach {
    /// The number that is called.
    pub number: Arc<str>,
    /// The language the contact begins in.
    pub language: Language,
    /// The service, as `service` of a step names it, or `human`.
    pub service: Arc<str>,
    /// Keys pressed, at least; none when no way leads there.
    pub presses_min: Option<u32>,
    /// Keys pressed, at most; none when it may not be reached at all.
    pub presses_max: Option<u32>,
    /// Seconds, at least; none when no way leads there.
    pub seconds_min: Option<f64>,
    /// Seconds, at most; none when it may not be reached at all.
    pub seconds_max: Option<f64>,
}

/// What every service costs, for each number and language, in the order of the numbers.
pub fn budget(hotline: &Hotline) -> Vec<Reach> {
    let services: BTreeSet<Arc<str>> = hotline
        .flows
        .values()
        .flat_map(|flow| flow.steps.values())
        .filter_map(|step| step.service.clone())
        .collect();
    let mut reaches = Vec::new();
    for number in hotline.numbers.keys() {
        let Some(graph) = graph::build(hotline, number, &[]) else {
            continue;
        };
        let named = services.iter().filter(|name| &***name != HUMAN);
        let names = std::iter::once(Arc::from(HUMAN)).chain(named.cloned());
        for service in names {
            let costs = Costs::of(&graph, &service);
            for (language, start) in &graph.starts {
                let reach = costs.at(&graph, language, *start, &service);
                // A service that this number never leads to is none of its services.
                if reach.presses_min.is_some() || &*service == HUMAN {
                    reaches.push(reach);
                }
            }
        }
    }
    reaches
}

/// Whether a state offers a service.
pub(crate) fn offers(graph: &Graph<'_>, state: usize, service: &str) -> bool {
    let named = |step: &Step| step.service.as_deref() == Some(service);
    graph.states[state].kind == graph::Kind::Step
        && (named(graph.step(state)) || (service == HUMAN && graph.is_human(state)))
}

/// The game of a caller who goes to a service by keys: neither by words nor by waiting until the
/// questions give up.
pub(crate) fn by_keys<'g, 'h>(graph: &'g Graph<'h>, service: &str) -> Game<'g, 'h> {
    Game::new(graph, |state| offers(graph, state, service)).closing(|state, way| {
        matches!(way.by, By::Word(_) | By::Intent(_)) || graph.trouble(state, way) == Some(Trouble::Silence)
    })
}

/// The fewest presses from a start to a service, for a caller who goes there by keys.
pub(crate) fn presses_least(graph: &Graph<'_>, start: usize, service: &str) -> Option<u32> {
    whole(
        by_keys(graph, service)
            .least(|way| f64::from(way.presses.0))
            .at(start),
    )
}

struct Costs {
    presses_min: Values,
    presses_max: Values,
    seconds_min: Values,
    seconds_max: Values,
}

impl Costs {
    fn of(graph: &Graph<'_>, service: &str) -> Self {
        let game = Game::new(graph, |state| offers(graph, state, service));
        let keys = by_keys(graph, service);
        let or = |by_keys: Values, else_by: Values| {
            let both = by_keys.0.into_iter().zip(else_by.0);
            Values(
                both.map(|(keys, other)| if keys.is_finite() { keys } else { other })
                    .collect(),
            )
        };
        Self {
            presses_min: or(
                keys.least(|way| f64::from(way.presses.0)),
                game.least(|way| f64::from(way.presses.0)),
            ),
            presses_max: or(
                keys.costs(|way| f64::from(way.presses.1)),
                game.costs(|way| f64::from(way.presses.1)),
            ),
            seconds_min: game.least(|way: &Way| way.seconds.0),
            seconds_max: game.costs(|way: &Way| way.seconds.1),
        }
    }

    fn at(&self, graph: &Graph<'_>, language: &Language, start: usize, service: &Arc<str>) -> Reach {
        let seconds = |values: &Values| Some(values.at(start)).filter(|seconds| seconds.is_finite());
        Reach {
            number: graph.number.clone(),
            language: language.clone(),
            service: service.clone(),
            presses_min: whole(self.presses_min.at(start)),
            presses_max: whole(self.presses_max.at(start)),
            seconds_min: seconds(&self.seconds_min),
            seconds_max: seconds(&self.seconds_max),
        }
    }
}

fn whole(count: f64) -> Option<u32> {
    // A count of presses is a whole number far below the limit of exact doubles.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite, whole and not negative"
    )]
    count.is_finite().then_some(count as u32)
}
