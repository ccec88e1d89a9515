//! What a step says of itself besides where it leads: fields and their values as texts, so that
//! two versions are compared field by field.

use trunkline_model::{FunctionName, PluginName};

use crate::{
    Expression,
    diff::Field,
    step::{Answer, Call, Prompt, Record, Step, Target, TicketAction, TransferTo, Verb},
};

/// A field and its value.
pub(super) type Fact = (Field, String);

/// The flow that a `run` runs.
pub(super) const RUN_FLOW: Field = Field::new("flow", "流程");

/// Compares the fields of two versions of something; calls for each that differs.
pub(super) fn compare(
    old: &[Fact],
    new: &[Fact],
    mut differs: impl FnMut(Field, Option<String>, Option<String>),
) {
    for (field, to) in new {
        match old.iter().find(|(other, _)| other == field) {
            Some((_, from)) if from == to => {}
            before => differs(
                field.clone(),
                before.map(|(_, from)| from.clone()),
                Some(to.clone()),
            ),
        }
    }
    for (field, from) in old {
        if !new.iter().any(|(other, _)| other == field) {
            differs(field.clone(), Some(from.clone()), None);
        }
    }
}

/// A function by its own name, as flows write it.
pub(super) fn function(plugin: &PluginName, function: &FunctionName) -> String {
    let name = function.as_str().rsplit('#').next().unwrap_or_default();
    format!("{plugin}.{name}")
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, en: &'static str, zh: &'static str, value: impl ToString) {
        self.0.push((Field::new(en, zh), value.to_string()));
    }

    fn add_some(&mut self, en: &'static str, zh: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(en, zh, value);
        }
    }

    fn add_of(&mut self, en: &'static str, zh: &'static str, of: impl Into<String>, value: impl ToString) {
        self.0.push((Field::of(en, zh, of), value.to_string()));
    }

    /// A flag that is set; one that is not says nothing.
    fn add_flag(&mut self, en: &'static str, zh: &'static str, set: bool) {
        if set {
            self.add(en, zh, "yes");
        }
    }

    /// Which prompt it is; the text of one that is written in the flow is compared as prompts are.
    fn add_prompt(&mut self, en: &'static str, zh: &'static str, prompt: &Prompt) {
        let key = prompt.key.as_ref().map(ToString::to_string);
        self.add(en, zh, key.unwrap_or_else(|| "(inline)".to_owned()));
    }

    fn add_call(&mut self, call: &Call) {
        self.add("function", "函数", function(&call.plugin, &call.function));
        let arguments = call.arguments.iter();
        let sources = arguments.map(|argument| argument.as_ref().map_or("(left out)", Expression::source));
        self.add("arguments", "参数", sources.collect::<Vec<_>>().join(", "));
        self.add_some("save", "保存到", call.save.as_ref());
        self.add("time", "时限", call.time);
        self.add("retries", "重试次数", call.retries);
        self.add_flag("at most once", "至多一次", call.at_most_once);
    }
}

/// What a step says of itself.
pub(super) fn facts(step: &Step) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    facts.add_some("condition", "条件", step.when.as_ref().map(Expression::source));
    facts.add_some("title", "标题", step.title.as_ref());
    facts.add_some("service", "服务", step.service.as_ref());
    verb(&step.verb, &mut facts);
    facts.0
}

fn verb(verb: &Verb, facts: &mut Facts) {
    match verb {
        Verb::Say(say) => {
            facts.add_prompt("prompt", "提示音", &say.prompt);
            facts.add_some("notice", "告知", say.notice.as_ref());
        }
        Verb::Menu(menu) => {
            facts.add_prompt("prompt", "提示音", &menu.prompt);
            for entry in &menu.entries {
                if let Some(say) = &entry.say {
                    let key = say
                        .key
                        .as_ref()
                        .map_or_else(|| "(inline)".to_owned(), ToString::to_string);
                    facts.add_of("line of key", "按键提示：按键", entry.key.to_string(), key);
                }
                if let Some(when) = &entry.when {
                    facts.add_of(
                        "condition of key",
                        "按键条件：按键",
                        entry.key.to_string(),
                        when.source(),
                    );
                }
            }
            if let Some(intent) = &menu.intent {
                facts.add("intent", "意图识别", function(&intent.plugin, &intent.function));
                facts.add("intent time", "意图识别时限", intent.time);
            }
            facts.add("retries", "重试次数", menu.retries);
            facts.add_some("time", "时限", menu.time);
        }
        Verb::Ask(ask) => {
            facts.add_prompt("prompt", "提示音", &ask.prompt);
            facts.add("answer", "回答", answer(&ask.answer));
            facts.add_some("save", "保存到", ask.save.as_ref());
            facts.add("retries", "重试次数", ask.retries);
            if let Some(confirm) = &ask.confirm {
                facts.add_prompt("confirmation", "确认提示", confirm);
            }
            facts.add_some("consent", "同意", ask.consent.as_ref());
            facts.add_flag("secret", "保密", ask.secret);
            facts.add_some("label", "数据标签", ask.label.as_ref());
            facts.add_some("time", "时限", ask.time);
        }
        Verb::Call(call) => {
            facts.add_call(call);
            if let Some(meanwhile) = &call.meanwhile {
                facts.add_prompt("meanwhile", "等待提示", meanwhile);
            }
        }
        Verb::Together(together) => {
            for (name, call) in &together.branches {
                let mut branch = Facts(Vec::new());
                branch.add_call(call);
                let told: Vec<String> = branch
                    .0
                    .into_iter()
                    .map(|(field, value)| format!("{} {value}", field.en))
                    .collect();
                facts.add_of("branch", "分支", name.to_string(), told.join(", "));
            }
            if let Some(meanwhile) = &together.meanwhile {
                facts.add_prompt("meanwhile", "等待提示", meanwhile);
            }
        }
        // Its conditions are ways.
        Verb::Choose(_) => {}
        Verb::Set(set) => {
            for (target, value) in &set.assignments {
                let name = match target {
                    Target::Variable(name) => name.as_str(),
                    Target::Language => "language",
                };
                facts.add_of("value of", "赋值：", name, value.source());
            }
        }
        Verb::Run(run) => {
            facts.0.push((RUN_FLOW, run.flow.to_string()));
            for (name, value) in &run.inputs {
                facts.add_of("input", "输入", name.to_string(), value.source());
            }
            for (name, value) in &run.save {
                facts.add_of("save", "保存到", name.to_string(), value.source());
            }
        }
        Verb::Queue(queue) => {
            facts.add("queue", "队列", &queue.queue);
            if !queue.skills.is_empty() {
                facts.add("skills", "技能", queue.skills.join(", "));
            }
            facts.add_some("agent", "指定坐席", queue.agent.as_ref().map(Expression::source));
            facts.add_some(
                "priority",
                "优先级",
                queue.priority.as_ref().map(Expression::source),
            );
            if let Some(music) = &queue.music {
                facts.add_prompt("music", "等待音乐", music);
            }
            if let Some(announce) = &queue.announce {
                facts.add("time between announcements", "播报间隔", announce.every);
                facts.add_prompt("announcement", "排队播报", &announce.prompt);
            }
            for offer in &queue.offers {
                facts.add_of("time to", "提供前等待：", offer.name.to_string(), offer.after);
                facts.add_of("key of", "按键：", offer.name.to_string(), offer.key);
            }
            facts.add("longest wait", "最长等待", queue.max);
        }
        Verb::Transfer(transfer) => {
            let to = match &transfer.to {
                TransferTo::Address(to) => to.source().to_owned(),
                TransferTo::Agent(to) => format!("agent {}", to.source()),
                TransferTo::Hotline(to) => format!("hotline {}", to.source()),
            };
            facts.add("destination", "转接目标", to);
            facts.add_flag("three-way", "三方通话", transfer.three_way);
            facts.add_flag("staffed", "有人值守", transfer.staffed);
            facts.add("time", "时限", transfer.time);
        }
        Verb::Callback(callback) => {
            facts.add("queue", "队列", &callback.queue);
            facts.add("within", "回电时限", callback.within);
            facts.add_some("number", "号码", callback.number.as_ref().map(Expression::source));
            facts.add("attempts", "尝试次数", callback.attempts);
            facts.add("time between attempts", "尝试间隔", callback.every);
            facts.add_some("window", "外呼时段", callback.window.as_ref());
        }
        Verb::Survey(survey) => facts.add("survey", "满意度调查", &survey.survey),
        Verb::Ticket(ticket) => {
            let action = match &ticket.action {
                TicketAction::Open { class } => format!("open {class}"),
                TicketAction::Update { number } => format!("update {}", number.source()),
                TicketAction::LookUp { number } => {
                    format!(
                        "look up {}",
                        number.as_ref().map_or("the latest", Expression::source)
                    )
                }
            };
            facts.add("action", "操作", action);
            for (name, value) in &ticket.fields {
                facts.add_of("field", "字段", name.to_string(), value.source());
            }
            facts.add_some("save", "保存到", ticket.save.as_ref());
        }
        Verb::Notify(notify) => {
            facts.add("channel", "渠道", &notify.channel);
            facts.add_some("recipient", "收件人", notify.to.as_ref().map(Expression::source));
            facts.add_prompt("prompt", "内容", &notify.prompt);
        }
        Verb::Record(record) => match record {
            Record::Start { consent } => {
                facts.add("action", "操作", "start");
                facts.add_some("consent", "同意", consent.as_ref());
            }
            Record::Stop => facts.add("action", "操作", "stop"),
            Record::Pause => facts.add("action", "操作", "pause"),
            Record::Resume => facts.add("action", "操作", "resume"),
            Record::Message {
                prompt,
                max,
                finish,
                save,
            } => {
                facts.add("action", "操作", "message");
                facts.add_prompt("prompt", "提示音", prompt);
                facts.add("longest message", "最长留言", max);
                facts.add("finish key", "结束键", finish);
                facts.add("save", "保存到", save);
            }
        },
        Verb::Wait(wait) => {
            facts.add("time", "时限", wait.time);
            facts.add_some("event", "事件", wait.event.as_ref());
        }
        Verb::End(end) => {
            facts.add("outcome", "结果", &end.outcome);
            for (name, value) in &end.outputs {
                facts.add_of("output", "输出", name.to_string(), value.source());
            }
        }
    }
}

/// What counts as an answer, in a few words.
pub(super) fn answer(answer: &Answer) -> String {
    let bounds = |min: Option<f64>, max: Option<f64>| {
        let bound = |bound: Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        format!("{}..{}", bound(min), bound(max))
    };
    match answer {
        Answer::Text => "text".to_owned(),
        Answer::Digits(digits) => {
            let finish = digits
                .finish
                .map(|key| format!(", finish {key}"))
                .unwrap_or_default();
            let pattern = digits
                .pattern
                .as_ref()
                .map(|pattern| format!(", beginning with {pattern}"))
                .unwrap_or_default();
            format!(
                "{}-{} digits{finish}{pattern}",
                digits.length.start(),
                digits.length.end()
            )
        }
        Answer::Number { min, max, decimal } => {
            let name = if *decimal { "decimal" } else { "number" };
            if min.is_none() && max.is_none() {
                name.to_owned()
            } else {
                format!("{name} {}", bounds(*min, *max))
            }
        }
        Answer::Date => "date".to_owned(),
        Answer::Money => "money".to_owned(),
        Answer::YesNo => "yes-no".to_owned(),
        Answer::Phone => "phone".to_owned(),
        Answer::IdNumber => "id-number".to_owned(),
        Answer::OneOf(choices) => {
            let one = |choice: &crate::step::Choice| {
                let key = choice.key.map(|key| format!("{key} ")).unwrap_or_default();
                let words = if choice.words.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", choice.words.join(", "))
                };
                format!("{key}{}{words}", choice.value)
            };
            format!(
                "one of {}",
                choices.iter().map(one).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// The prompts of a step, each with the field in which it stands.
pub(super) fn prompts<'a>(verb: &'a Verb, take: &mut impl FnMut(String, &'a Prompt)) {
    match verb {
        Verb::Say(say) => take("say".to_owned(), &say.prompt),
        Verb::Menu(menu) => {
            take("menu".to_owned(), &menu.prompt);
            for entry in &menu.entries {
                if let Some(say) = &entry.say {
                    take(format!("key {}", entry.key), say);
                }
            }
        }
        Verb::Ask(ask) => {
            take("ask".to_owned(), &ask.prompt);
            if let Some(confirm) = &ask.confirm {
                take("confirm".to_owned(), confirm);
            }
        }
        Verb::Call(Call {
            meanwhile: Some(meanwhile),
            ..
        }) => take("meanwhile".to_owned(), meanwhile),
        Verb::Together(together) => {
            if let Some(meanwhile) = &together.meanwhile {
                take("meanwhile".to_owned(), meanwhile);
            }
        }
        Verb::Queue(queue) => {
            if let Some(music) = &queue.music {
                take("music".to_owned(), music);
            }
            if let Some(announce) = &queue.announce {
                take("announce".to_owned(), &announce.prompt);
            }
            for offer in &queue.offers {
                take(offer.name.to_string(), &offer.prompt);
            }
        }
        Verb::Notify(notify) => take("notify".to_owned(), &notify.prompt),
        Verb::Record(Record::Message { prompt, .. }) => take("record".to_owned(), prompt),
        Verb::Call(_)
        | Verb::Choose(_)
        | Verb::Set(_)
        | Verb::Run(_)
        | Verb::Transfer(_)
        | Verb::Callback(_)
        | Verb::Survey(_)
        | Verb::Ticket(_)
        | Verb::Record(_)
        | Verb::Wait(_)
        | Verb::End(_) => {}
    }
}
