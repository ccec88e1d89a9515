//! What is said of a change, in Chinese and in English. Names stay as they are written.

use std::fmt::Write as _;

use super::{
    change::{Area, Change, Field, Noun, Way},
    text::Piece,
};
use crate::{
    prove::Reach,
    tongue::Tongue::{self, Chinese, English},
};

/// Characters of unchanged text that are shown on each side of a change.
const CONTEXT_CHARS: usize = 10;

impl Tongue {
    fn quoted(self, name: &str) -> String {
        match self {
            Chinese => format!("“{name}”"),
            English => format!("`{name}`"),
        }
    }

    /// Names in a row.
    fn list(self, names: &[String]) -> String {
        match (self, names) {
            (_, [one]) => one.clone(),
            (Chinese, names) => names.join("、"),
            (English, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
            (English, []) => String::new(),
        }
    }
}

impl Area {
    /// Its heading.
    pub const fn title(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Services => tongue.pick("到达各项服务", "reaching services"),
            Self::Hotline => tongue.pick("热线", "hotline"),
            Self::Flows => tongue.pick("流程", "flows"),
            Self::Prompts => tongue.pick("提示音", "prompts"),
            Self::Calendars => tongue.pick("服务时间", "calendars"),
            Self::Centre => tongue.pick("队列、坐席与工单", "queues, agents and tickets"),
            Self::Plugins => tongue.pick("插件", "plugins"),
        }
    }
}

impl Noun {
    const fn name(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Hotline => tongue.pick("热线", "the hotline"),
            Self::Number => tongue.pick("号码", "number"),
            Self::Language => tongue.pick("语言", "language"),
            Self::Pack => tongue.pick("规则包", "rule pack"),
            Self::Trunk => tongue.pick("中继", "trunk"),
            Self::Voice => tongue.pick("语音", "voice"),
            Self::Carrier => tongue.pick("云通信商", "carrier"),
            Self::Feed => tongue.pick("变更源", "feed"),
            Self::Webhook => tongue.pick("事件入口", "webhook"),
            Self::Flow => tongue.pick("流程", "flow"),
            Self::Variable => tongue.pick("变量", "variable"),
            Self::Prompt => tongue.pick("提示音", "prompt"),
            Self::Calendar => tongue.pick("日历", "calendar"),
            Self::Queue => tongue.pick("队列", "queue"),
            Self::Agent => tongue.pick("坐席", "agent"),
            Self::Survey => tongue.pick("满意度调查", "survey"),
            Self::TicketClass => tongue.pick("工单类别", "ticket class"),
            Self::Plugin => tongue.pick("插件", "plugin"),
            Self::Signer => tongue.pick("签名部门", "signing department"),
        }
    }

    /// The kind of thing and its name.
    fn named(self, name: &str, flow: Option<&str>, tongue: Tongue) -> String {
        let what = self.name(tongue);
        if name.is_empty() {
            return what.to_owned();
        }
        let name = tongue.quoted(name);
        match (flow, tongue) {
            (None, Chinese) => format!("{what}{name}"),
            (None, English) => format!("{what} {name}"),
            (Some(flow), Chinese) => format!("流程{}的{what}{name}", tongue.quoted(flow)),
            (Some(flow), English) => format!("{what} {name} of flow {}", tongue.quoted(flow)),
        }
    }
}

impl Field {
    fn name(&self, tongue: Tongue) -> String {
        let name = tongue.pick(self.zh, self.en);
        match (&self.of, tongue) {
            (None, _) => name.to_owned(),
            (Some(of), Chinese) => format!("{name}{}", tongue.quoted(of)),
            (Some(of), English) => format!("{name} {}", tongue.quoted(of)),
        }
    }
}

impl Way {
    fn name(&self, tongue: Tongue) -> String {
        let kind = |zh: &str, en: &str, name: &str| match tongue {
            Chinese => format!("{zh}{}", tongue.quoted(name)),
            English => format!("{en} {}", tongue.quoted(name)),
        };
        match self {
            Self::Next => tongue.pick("下一步", "next").to_owned(),
            Self::Key(key) => match tongue {
                Chinese => format!("按键{key}"),
                English => format!("key {key}"),
            },
            Self::Word(word) => kind("关键词", "word", word),
            Self::Intent(case) => kind("意图", "intent", case),
            Self::Condition(condition) => kind("条件", "condition", condition),
            Self::Else => tongue.pick("其他情况", "else").to_owned(),
            Self::Offer(name) => kind("排队时的选项", "offer", name),
            // What it is of says that it is a way out.
            Self::Exit(name) => match tongue {
                Chinese => format!("出口{}", tongue.quoted(name)),
                English => tongue.quoted(name),
            },
            Self::Anywhere(name) => kind("随处可用的", "anywhere", name),
            Self::Start => tongue.pick("起点", "start").to_owned(),
            Self::HangUp => tongue.pick("挂机后", "hanging up").to_owned(),
        }
    }
}

fn ways(ways: &[Way], tongue: Tongue) -> String {
    // Exits after the first are named without their kind.
    let mut names: Vec<String> = Vec::new();
    let mut exit_named = false;
    for way in ways {
        names.push(match way {
            Way::Exit(name) if std::mem::replace(&mut exit_named, true) => tongue.quoted(name),
            way => way.name(tongue),
        });
    }
    tongue.list(&names)
}

/// `between 1 and 3`, or one number when both are the same.
fn span(min: &str, max: &str, tongue: Tongue) -> String {
    if min == max {
        min.to_owned()
    } else {
        match tongue {
            Chinese => format!("{min}到{max}"),
            English => format!("{min} to {max}"),
        }
    }
}

fn cost(cost: &Reach, tongue: Tongue) -> String {
    // What may not be reached at all has no most, and what no way leads to no least.
    let told = |count: Option<String>| count.unwrap_or_else(|| "∞".to_owned());
    let pressed = |presses: Option<u32>| told(presses.map(|presses| presses.to_string()));
    let lasted = |seconds: Option<f64>| told(seconds.map(|seconds| format!("{seconds:.0}")));
    let presses = span(&pressed(cost.presses_min), &pressed(cost.presses_max), tongue);
    let seconds = span(&lasted(cost.seconds_min), &lasted(cost.seconds_max), tongue);
    match tongue {
        Chinese => format!("按键{presses}次、{seconds}秒"),
        English => {
            let plural = |count: &str| if count == "1" { "" } else { "s" };
            format!(
                "{presses} press{} and {seconds} second{}",
                if presses == "1" { "" } else { "es" },
                plural(&seconds)
            )
        }
    }
}

fn service(cost: &Reach, tongue: Tongue) -> String {
    let service = tongue.quoted(&cost.service);
    match tongue {
        Chinese => format!("拨打{}（{}）到达服务{service}", cost.number, cost.language),
        English => format!("service {service} from {} in {}", cost.number, cost.language),
    }
}

/// Words that stayed, went and came: `…请按[-1-]{+9+}，…`.
fn pieces(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = match piece {
            Piece::Lost(lost) => write!(text, "[-{lost}-]"),
            Piece::Gained(gained) => write!(text, "{{+{gained}+}}"),
            Piece::Same(same) => {
                text.push_str(&near(same, index > 0, index + 1 < pieces.len()));
                Ok(())
            }
        };
    }
    text
}

/// Unchanged text as far as it is near to a change before it or after it.
fn near(same: &str, after_change: bool, before_change: bool) -> String {
    let chars: Vec<char> = same.chars().collect();
    let shown = CONTEXT_CHARS * (usize::from(after_change) + usize::from(before_change));
    if chars.len() <= shown + 2 {
        return same.to_owned();
    }
    let first: String = if after_change {
        chars[..CONTEXT_CHARS].iter().collect()
    } else {
        String::new()
    };
    let last: String = if before_change {
        chars[chars.len() - CONTEXT_CHARS..].iter().collect()
    } else {
        String::new()
    };
    format!("{first}…{last}")
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Mondays"),
    ("周二", "Tuesdays"),
    ("周三", "Wednesdays"),
    ("周四", "Thursdays"),
    ("周五", "Fridays"),
    ("周六", "Saturdays"),
    ("周日", "Sundays"),
];

fn changed(of: &str, field: &Field, from: Option<&str>, to: Option<&str>, tongue: Tongue) -> String {
    let field = field.name(tongue);
    let shown = |value: &str| {
        if value.is_empty() {
            tongue.pick("（无）", "(none)").to_owned()
        } else {
            value.to_owned()
        }
    };
    match (from, to, tongue) {
        (Some(from), Some(to), Chinese) => format!("{of}：{field}由{}改为{}", shown(from), shown(to)),
        (Some(from), Some(to), English) => format!("{of}: {field} from {} to {}", shown(from), shown(to)),
        (Some(from), None, Chinese) => format!("{of}：不再有{field}（原为{}）", shown(from)),
        (Some(from), None, English) => format!("{of}: {field} is gone (was {})", shown(from)),
        (None, to, Chinese) => format!("{of}：新增{field}：{}", shown(to.unwrap_or_default())),
        (None, to, English) => format!("{of}: {field} is new: {}", shown(to.unwrap_or_default())),
    }
}

impl Change {
    /// The change in words, without a full stop.
    pub fn say(&self, tongue: Tongue) -> String {
        let quoted = |name: &str| tongue.quoted(name);
        let with = |detail: &str| match (detail, tongue) {
            ("", _) => String::new(),
            (detail, Chinese) => format!("（{detail}）"),
            (detail, English) => format!(" ({detail})"),
        };
        match self {
            Self::ServiceGained { is } => match tongue {
                Chinese => format!("现在可以{}：{}", service(is, tongue), cost(is, tongue)),
                English => format!("{} can be reached now: {}", service(is, tongue), cost(is, tongue)),
            },
            Self::ServiceLost { was } => match tongue {
                Chinese => format!("无法再{}（原为{}）", service(was, tongue), cost(was, tongue)),
                English => format!(
                    "{} cannot be reached any more (was {})",
                    service(was, tongue),
                    cost(was, tongue)
                ),
            },
            Self::ServiceCost { was, is } => match tongue {
                Chinese => format!(
                    "{}：原为{}，现为{}",
                    service(is, tongue),
                    cost(was, tongue),
                    cost(is, tongue)
                ),
                English => format!(
                    "{}: was {}, now {}",
                    service(is, tongue),
                    cost(was, tongue),
                    cost(is, tongue)
                ),
            },
            Self::Added {
                what,
                name,
                flow,
                detail,
            } => {
                let named = what.named(name, flow.as_ref().map(AsRef::as_ref), tongue);
                match tongue {
                    Chinese => format!("新增{named}{}", with(detail)),
                    English => format!("{named} is new{}", with(detail)),
                }
            }
            Self::Removed { what, name, flow } => {
                let named = what.named(name, flow.as_ref().map(AsRef::as_ref), tongue);
                match tongue {
                    Chinese => format!("删除{named}"),
                    English => format!("{named} is gone"),
                }
            }
            Self::FlowRenamed { from, to } => match tongue {
                Chinese => format!("流程{}改名为{}", quoted(from.as_str()), quoted(to.as_str())),
                English => format!(
                    "flow {} is called {} now",
                    quoted(from.as_str()),
                    quoted(to.as_str())
                ),
            },
            Self::Changed {
                what,
                name,
                flow,
                field,
                from,
                to,
            } => {
                let named = what.named(name, flow.as_ref().map(AsRef::as_ref), tongue);
                changed(&named, field, from.as_deref(), to.as_deref(), tongue)
            }
            Self::StepAdded {
                flow,
                step,
                verb,
                about,
            } => {
                let step = step_of(flow.as_str(), step.as_str(), tongue);
                let detail = if about.is_empty() {
                    (*verb).to_owned()
                } else {
                    format!("{verb}: {about}")
                };
                match tongue {
                    Chinese => format!("新增{step}{}", with(&detail)),
                    English => format!("{step} is new{}", with(&detail)),
                }
            }
            Self::StepRemoved {
                flow,
                step,
                verb,
                about,
            } => {
                let step = step_of(flow.as_str(), step.as_str(), tongue);
                let detail = if about.is_empty() {
                    (*verb).to_owned()
                } else {
                    format!("{verb}: {about}")
                };
                match tongue {
                    Chinese => format!("删除{step}{}", with(&detail)),
                    English => format!("{step} is gone{}", with(&detail)),
                }
            }
            Self::StepRenamed { flow, from, to } => {
                let step = step_of(flow.as_str(), from.as_str(), tongue);
                match tongue {
                    Chinese => format!("{step}改名为{}", quoted(to.as_str())),
                    English => format!("{step} is called {} now", quoted(to.as_str())),
                }
            }
            Self::VerbChanged { flow, step, from, to } => {
                let step = step_of(flow.as_str(), step.as_str(), tongue);
                match tongue {
                    Chinese => format!("{step}原为 {from}，现为 {to}"),
                    English => format!("{step} was a {from}, now a {to}"),
                }
            }
            Self::StepChanged {
                flow,
                step,
                field,
                from,
                to,
            } => {
                let step = step_of(flow.as_str(), step.as_str(), tongue);
                changed(&step, field, from.as_deref(), to.as_deref(), tongue)
            }
            Self::WaysGained {
                flow,
                step,
                ways: which,
                to,
            } => {
                let of = leaving(flow.as_str(), step.as_ref().map(AsRef::as_ref), which, tongue);
                match tongue {
                    Chinese => format!("新增{of}，通往{}", quoted(to.as_str())),
                    English => format!("{of} is new and leads to {}", quoted(to.as_str())),
                }
            }
            Self::WaysLost {
                flow,
                step,
                ways: which,
                from,
            } => {
                let of = leaving(flow.as_str(), step.as_ref().map(AsRef::as_ref), which, tongue);
                match tongue {
                    Chinese => format!("删除{of}（原通往{}）", quoted(from.as_str())),
                    English => format!("{of} is gone (led to {})", quoted(from.as_str())),
                }
            }
            Self::WaysMoved {
                flow,
                step,
                ways: which,
                from,
                to,
            } => {
                let of = leaving(flow.as_str(), step.as_ref().map(AsRef::as_ref), which, tongue);
                match tongue {
                    Chinese => format!(
                        "{of}原通往{}，现通往{}",
                        quoted(from.as_str()),
                        quoted(to.as_str())
                    ),
                    English => format!(
                        "{of} led to {}, now to {}",
                        quoted(from.as_str()),
                        quoted(to.as_str())
                    ),
                }
            }
            Self::PromptChanged {
                prompt,
                language,
                pieces: words,
            } => match (words.is_empty(), tongue) {
                (true, Chinese) => format!(
                    "提示音{}（{language}）：文字不变，停顿、格式或录音有变化",
                    quoted(prompt)
                ),
                (true, English) => format!(
                    "prompt {} in {language}: the same words, other pauses, formats or recording",
                    quoted(prompt)
                ),
                (false, Chinese) => format!("提示音{}（{language}）：{}", quoted(prompt), pieces(words)),
                (false, English) => format!("prompt {} in {language}: {}", quoted(prompt), pieces(words)),
            },
            Self::HoursChanged {
                calendar,
                weekday,
                from,
                to,
            } => {
                let (zh, en) = WEEKDAYS.get(*weekday).copied().unwrap_or_default();
                let shown = |hours: &str| {
                    if hours.is_empty() {
                        tongue.pick("休息", "closed").to_owned()
                    } else {
                        hours.to_owned()
                    }
                };
                match tongue {
                    Chinese => format!(
                        "日历{}：{zh}原为{}，现为{}",
                        quoted(calendar),
                        shown(from),
                        shown(to)
                    ),
                    English => format!(
                        "calendar {}: {en} were {}, now {}",
                        quoted(calendar),
                        shown(from),
                        shown(to)
                    ),
                }
            }
            Self::DaysChanged {
                calendar,
                days,
                exceptions,
            } => {
                let days = tongue.list(days);
                match (tongue, exceptions) {
                    (Chinese, true) => format!("日历{}：{days}不再按平日时间", quoted(calendar)),
                    (Chinese, false) => format!("日历{}：{days}改按平日时间", quoted(calendar)),
                    (English, true) => format!(
                        "calendar {}: {days} no longer follow their weekday's hours",
                        quoted(calendar)
                    ),
                    (English, false) => format!(
                        "calendar {}: {days} follow their weekday's hours now",
                        quoted(calendar)
                    ),
                }
            }
            Self::ComponentChanged { plugin, from, to } => match tongue {
                Chinese => format!("插件{}：版本由{from}改为{to}", quoted(plugin)),
                English => format!("plugin {}: version {from} became {to}", quoted(plugin)),
            },
            Self::FunctionGained { plugin, signature } => match tongue {
                Chinese => format!("插件{}：新增函数 {signature}", quoted(plugin)),
                English => format!("plugin {}: function {signature} is new", quoted(plugin)),
            },
            Self::FunctionLost { plugin, signature } => match tongue {
                Chinese => format!("插件{}：删除函数 {signature}", quoted(plugin)),
                English => format!("plugin {}: function {signature} is gone", quoted(plugin)),
            },
            Self::FunctionChanged { plugin, from, to } => match tongue {
                Chinese => format!("插件{}：函数由 {from} 改为 {to}", quoted(plugin)),
                English => format!("plugin {}: function {from} became {to}", quoted(plugin)),
            },
            Self::GrantGained { plugin, grant } => match tongue {
                Chinese => format!("插件{}：新增授权 {grant}", quoted(plugin)),
                English => format!("plugin {}: granted {grant}", quoted(plugin)),
            },
            Self::GrantLost { plugin, grant } => match tongue {
                Chinese => format!("插件{}：收回授权 {grant}", quoted(plugin)),
                English => format!("plugin {}: no longer granted {grant}", quoted(plugin)),
            },
        }
    }
}

fn step_of(flow: &str, step: &str, tongue: Tongue) -> String {
    let (flow, step) = (tongue.quoted(flow), tongue.quoted(step));
    match tongue {
        Chinese => format!("流程{flow}的步骤{step}"),
        English => format!("step {step} of flow {flow}"),
    }
}

/// Ways and what they leave.
fn leaving(flow: &str, step: Option<&str>, which: &[Way], tongue: Tongue) -> String {
    let which = ways(which, tongue);
    let (flow, step) = (tongue.quoted(flow), step.map(|step| tongue.quoted(step)));
    match (step, tongue) {
        (Some(step), Chinese) => format!("流程{flow}中{step}的{which}"),
        (Some(step), English) => format!("{which} of {step} in flow {flow}"),
        (None, Chinese) => format!("流程{flow}的{which}"),
        (None, English) => format!("{which} of flow {flow}"),
    }
}
