//! What is counted of calls. Never a number in a label.

/// Calls up now, by who brought them.
pub(crate) const CALLS: &str = "trunkline_phone_calls";

/// Calls that came and what became of each at the beginning: `answered`, `no-such-number`,
/// `no-codec`, `no-media`, `draining`, `too-many`, `failed`.
pub(crate) const ARRIVED: &str = "trunkline_phone_arrived_total";

/// Legs that were called out, and what came of each.
pub(crate) const LEGS: &str = "trunkline_phone_legs_total";

/// Prompts that became no sound, by why.
pub(crate) const MUTE: &str = "trunkline_phone_prompts_failed_total";

/// From the INVITE to the 200, in seconds.
pub(crate) const ANSWER_SECONDS: &str = "trunkline_phone_answer_seconds";

/// Describes the metrics.
pub(crate) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(CALLS, "Calls up now, by who brought them.");
    describe_counter!(
        ARRIVED,
        "Calls that came, by what became of each at its beginning."
    );
    describe_counter!(LEGS, "Legs that were called out, by what came of each.");
    describe_counter!(MUTE, "Prompts that became no sound, by why.");
    describe_histogram!(ANSWER_SECONDS, Unit::Seconds, "From the INVITE to the 200.");
}
