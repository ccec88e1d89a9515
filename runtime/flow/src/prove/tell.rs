//! A script in a line of words, in either language.

use super::witness::{Mock, Move, Witness};
use crate::tongue::Tongue::{self, Chinese, English};

/// What services answer when they do what is asked of them: that is not told.
const ORDINARY: [&str; 7] = ["served", "waits", "rings", "booked", "done", "sent", "stored"];

impl Witness {
    /// The script in a line.
    pub fn in_words(&self) -> String {
        self.in_tongue(English)
    }

    /// The script in a line, in a language.
    pub fn in_tongue(&self, tongue: Tongue) -> String {
        let at = self.at.replace('T', " ");
        let mut parts = vec![match tongue {
            Chinese => format!("{at} 有人拨打 {}", self.number),
            English => format!("somebody calls {} at {at}", self.number),
        }];
        let plugins = self.plugins.iter();
        parts.extend(plugins.filter_map(|(function, mock)| mock.told(function, tongue)));
        parts.extend(
            self.services
                .iter()
                .filter(|(_, answer)| !ORDINARY.contains(&&**answer))
                .map(|(service, answer)| format!("{service} {} `{answer}`", tongue.pick("为", "is"))),
        );
        parts.extend(self.script.iter().map(|step| step.told(tongue)));
        parts.push(match (&self.ended, tongue) {
            (Some(outcome), Chinese) => format!("联络在 `{}` 以 `{outcome}` 结束", self.step),
            (Some(outcome), English) => format!("the contact ends `{outcome}` at `{}`", self.step),
            (None, Chinese) => format!("联络停在 `{}`", self.step),
            (None, English) => format!("the contact is at `{}`", self.step),
        });
        parts.join(tongue.pick("；", "; "))
    }
}

impl Mock {
    /// What a function answers, unless all goes well.
    fn told(&self, function: &str, tongue: Tongue) -> Option<String> {
        Some(match (self, tongue) {
            (Self::Ok(_), _) => return None,
            (Self::Refusal(case, _), Chinese) => format!("{function} 返回 `{case}`"),
            (Self::Refusal(case, _), English) => format!("{function} answers `{case}`"),
            (Self::Fault(kind), Chinese) => format!("{function} 发生故障（`{kind}`）"),
            (Self::Fault(kind), English) => format!("{function} fails (`{kind}`)"),
        })
    }
}

impl Move {
    fn told(&self, tongue: Tongue) -> String {
        match (self, tongue) {
            (Self::Presses(keys), Chinese) => format!("按 {keys}"),
            (Self::Presses(keys), English) => format!("presses {keys}"),
            (Self::Says(words), Chinese) => format!("说“{words}”"),
            (Self::Says(words), English) => format!("says “{words}”"),
            (Self::Waits(time), Chinese) => format!("等待 {time}"),
            (Self::Waits(time), English) => format!("waits {time}"),
            (Self::HangsUp, tongue) => tongue.pick("挂机", "hangs up").to_owned(),
            (Self::Happens(event), Chinese) => format!("发生 `{event}`"),
            (Self::Happens(event), English) => format!("`{event}` happens"),
        }
    }
}
