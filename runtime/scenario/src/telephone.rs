//! How a contact would pass on a telephone, where what is said takes its time.

use trunkline_engine::{Event, Fact, Personal};
use trunkline_flow::length::text_seconds;

/// Seconds from the answer to each event: by the contact's clock, and by how long everything takes
/// that was said before, as a voice says it.
pub fn seconds_at(events: &[Event]) -> Vec<f64> {
    let began = events.first().map(|event| event.at).unwrap_or_default();
    let mut said = 0.0;
    let at = |event: &Event, said: f64| event.at.since(began).to_std().as_secs_f64() + said;
    events
        .iter()
        .map(|event| {
            let seconds = at(event, said);
            if let Fact::Said { .. } = event.fact {
                let text = event.personal.as_ref().and_then(Personal::text);
                said += text.map_or(0.0, |text| text_seconds(text));
            }
            seconds
        })
        .collect()
}
