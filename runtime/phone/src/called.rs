//! Which of a hotline's numbers a call is for, and what is known of who calls.

use std::sync::Arc;

use trunkline_flow::hotline::{CallerId, Hotline};
use trunkline_node::is_e164;
use trunkline_sip::{Caller, Source};

/// The number of the hotline that a call is for: where it was diverted from, if that is one of the
/// hotline's (an old number that forwards to the new one keeps its flow), else what was dialled.
pub(crate) fn number(
    hotline: &Hotline,
    trunk: Option<&str>,
    diverted: &[String],
    called: &str,
    to: &str,
) -> Option<Arc<str>> {
    let strip = trunk
        .and_then(|name| hotline.trunks.get(name))
        .and_then(|trunk| trunk.strip.as_deref());
    let dialled = diverted.iter().map(String::as_str).chain([called, to]);
    dialled
        .filter_map(|dialled| find(hotline, strip, dialled))
        .find(|number| may_be_called(hotline, trunk, number))
}

/// A number of the hotline by what was dialled: as it is, without the `+`, or without what the trunk
/// puts before it.
fn find(hotline: &Hotline, strip: Option<&str>, dialled: &str) -> Option<Arc<str>> {
    let stripped = strip.and_then(|strip| {
        dialled
            .strip_prefix(strip)
            .or_else(|| dialled.strip_prefix('+')?.strip_prefix(strip))
    });
    [Some(dialled), dialled.strip_prefix('+'), stripped]
        .into_iter()
        .flatten()
        .find_map(|dialled| hotline.numbers.get_key_value(dialled))
        .map(|(number, _)| number.clone())
}

/// Whether a number is called from a trunk; agents' phones call every number.
fn may_be_called(hotline: &Hotline, trunk: Option<&str>, number: &str) -> bool {
    let trunks = hotline
        .numbers
        .get(number)
        .and_then(|number| number.trunks.as_ref());
    match (trunks, trunk) {
        (Some(trunks), Some(trunk)) => trunks.iter().any(|allowed| **allowed == *trunk),
        _ => true,
    }
}

/// Who calls, vouched for or claimed; both none when it is withheld, or is no number of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) caller: Option<String>,
    pub(crate) claimed: Option<String>,
}

/// What is known of who calls. A trunk's word counts where the hotline says so; what an agent's phone
/// says of itself is not the caller's number.
pub(crate) fn caller(hotline: &Hotline, from: &Source, caller: Option<&Caller>) -> Known {
    let Source::Trunk { name } = from else {
        return Known::default();
    };
    let trunk = hotline.trunks.get(name.as_str());
    let country = trunk.and_then(|trunk| trunk.country.as_deref());
    let Some(number) = caller.and_then(|caller| e164(&caller.number, country)) else {
        return Known::default();
    };
    match trunk.map(|trunk| trunk.caller_id) {
        Some(CallerId::Trusted) => Known {
            caller: Some(number),
            claimed: None,
        },
        Some(CallerId::Claimed) | None => Known {
            caller: None,
            claimed: Some(number),
        },
    }
}

/// Digits of a number that may be one of a country, without its calling code.
const NATIONAL_DIGITS_MIN: usize = 7;

/// A number of the world in E.164; none where it says no country, and neither does its trunk.
fn e164(number: &str, country: Option<&str>) -> Option<String> {
    let digits: String = number
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
        .collect();
    let number = match (digits.strip_prefix("00"), country) {
        (Some(rest), _) => format!("+{rest}"),
        (None, Some(country)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Within a country a 0 stands before what is dialled from afar.
            let national = digits.trim_start_matches('0');
            if national.len() < NATIONAL_DIGITS_MIN {
                return None;
            }
            format!("+{country}{national}")
        }
        (None, _) => digits,
    };
    is_e164(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::testing::hotline;

    fn found(trunk: Option<&str>, diverted: &[&str], called: &str, to: &str) -> Option<String> {
        let diverted: Vec<String> = diverted.iter().map(ToString::to_string).collect();
        number(&hotline(), trunk, &diverted, called, to).map(|number| number.to_string())
    }

    #[test]
    fn the_dialled_number_picks_the_flow() {
        let telecom = Some("telecom");
        for (diverted, called, to, expected) in [
            (&[][..], "12345", "12345", Some("12345")),
            (&[], "+12345", "x", Some("12345")),
            (&[], "057112345", "x", Some("12345")),
            (&[], "+057112345", "x", Some("12345")),
            // Dialled 12329, routed to a number that is none of ours.
            (&[], "8000", "12329", Some("12329")),
            // An old number that forwards to the new one keeps its flow.
            (&["12329"], "12345", "12345", Some("12329")),
            (&["99999", "12329"], "12345", "12345", Some("12329")),
            (&["99999"], "12345", "12345", Some("12345")),
            (&[], "110", "110", None),
            // That number is not called from this trunk.
            (&[], "900", "900", None),
        ] {
            assert_eq!(
                found(telecom, diverted, called, to).as_deref(),
                expected,
                "{diverted:?} {called} {to}"
            );
        }
        assert_eq!(found(Some("other"), &[], "900", "900").as_deref(), Some("900"));
        assert_eq!(found(None, &[], "900", "900").as_deref(), Some("900"));
    }

    #[test]
    fn a_trunks_word_counts_where_the_hotline_says_so() {
        let hotline = hotline();
        let from = |name: &str| Source::Trunk {
            name: name.to_owned(),
        };
        let of = |number: &str| Caller {
            number: number.to_owned(),
            display: None,
            vouched: false,
        };
        let known = caller(&hotline, &from("telecom"), Some(&of("+86 138-0013-8000")));
        assert_eq!(known.caller.as_deref(), Some("+8613800138000"));
        let known = caller(&hotline, &from("telecom"), Some(&of("008613800138000")));
        assert_eq!(known.caller.as_deref(), Some("+8613800138000"));
        let known = caller(&hotline, &from("other"), Some(&of("+8613800138000")));
        assert_eq!(
            (known.caller, known.claimed.as_deref()),
            (None, Some("+8613800138000"))
        );
        // That trunk says which country's numbers it tells.
        for number in ["13800138000", "013800138000"] {
            let known = caller(&hotline, &from("branch"), Some(&of(number)));
            assert_eq!(known.caller.as_deref(), Some("+8613800138000"), "{number}");
        }
        for number in ["110", "0110", "anonymous"] {
            assert_eq!(
                caller(&hotline, &from("branch"), Some(&of(number))),
                Known::default(),
                "{number}"
            );
        }
        for number in ["13800138000", "anonymous", "", "+", "+0", "sip:x"] {
            assert_eq!(
                caller(&hotline, &from("telecom"), Some(&of(number))),
                Known::default(),
                "{number}"
            );
        }
        let agent = Source::Account {
            name: "li-na".to_owned(),
        };
        assert_eq!(
            caller(&hotline, &agent, Some(&of("+8613800138000"))),
            Known::default()
        );
        assert_eq!(caller(&hotline, &from("telecom"), None), Known::default());
    }
}
