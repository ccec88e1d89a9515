//! What a voice says of a text with values and pauses, in the elements of SSML that carriers have in common.

use trunkline_flow::speech::Speech;

use super::xml::Writer;

/// The longest silence within a text.
const BREAK_MS_MAX: u64 = 10_000;

/// A part of what is said.
pub(super) fn spoken(xml: &mut Writer, part: &Speech, whole: &str) {
    let as_ = |xml: &mut Writer, kind: &str, text: &str| {
        xml.element("say-as", &[("interpret-as", kind)], |xml| xml.text(text));
    };
    match part {
        Speech::Text(text) | Speech::Number(text) => xml.text(text),
        Speech::Pause(time) => {
            let time = format!("{}ms", time.as_millis().min(BREAK_MS_MAX));
            xml.empty("break", &[("time", &time)]);
        }
        Speech::Digits(digits) => as_(xml, "characters", digits),
        Speech::Ordinal(place) => as_(xml, "ordinal", place),
        Speech::Date(date) => {
            let text = date.strftime("%Y-%m-%d").to_string();
            let attributes = [("interpret-as", "date"), ("format", "ymd")];
            xml.element("say-as", &attributes, |xml| xml.text(&text));
        }
        Speech::Time { hour, minute } => xml.text(&format!("{hour:02}:{minute:02}")),
        Speech::Money { amount, currency } => xml.text(&format!("{amount} {currency}")),
        // Reached only when the recording cannot be played.
        Speech::Recording { .. } => xml.text(whole),
    }
}
