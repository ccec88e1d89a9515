//! Languages whose words are not known here: figures as they are, for the engine to read. Digits
//! that are said one by one stand apart.

use trunkline_flow::speech::Speech;

use super::groups;

pub(super) fn spoken(value: &Speech) -> String {
    match value {
        Speech::Digits(text) => {
            let said: Vec<String> = groups(text)
                .iter()
                .map(|group| group.iter().map(char::to_string).collect::<Vec<_>>().join(" "))
                .collect();
            said.join(", ")
        }
        Speech::Number(text) | Speech::Ordinal(text) => text.to_string(),
        Speech::Date(date) => date.to_string(),
        Speech::Time { hour, minute } => format!("{hour}:{minute:02}"),
        Speech::Money { amount, currency } => format!("{amount} {currency}"),
        Speech::Text(_) | Speech::Pause(_) | Speech::Recording { .. } => String::new(),
    }
}
