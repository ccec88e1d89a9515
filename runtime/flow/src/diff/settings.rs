//! The hotline's own settings: numbers, languages, rules, queues, agents, surveys, tickets.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Side,
    change::{Change, Field, Noun},
    facts::{answer, function},
};
use crate::{
    calendar::ALWAYS,
    hotline::{Carrier, Deadline, Hotline, Merge, PutThrough, SurveyKind, Trunk, Voice},
    start::{Feed, Starts, Webhook},
};

/// What something says of itself, by field.
type Facts = Vec<(Field, String)>;

pub(super) fn compare(old: &Side<'_>, new: &Side<'_>, changes: &mut Vec<Change>) {
    things(Noun::Signer, &signers(old.keys), &signers(new.keys), changes);
    let (old, new) = (old.hotline, new.hotline);
    things(Noun::Hotline, &itself(old), &itself(new), changes);
    things(Noun::Number, &numbers(old), &numbers(new), changes);
    things(Noun::Language, &languages(old), &languages(new), changes);
    things(Noun::Pack, &packs(old), &packs(new), changes);
    things(Noun::Trunk, &trunks(old), &trunks(new), changes);
    things(Noun::Voice, &voices(old), &voices(new), changes);
    things(Noun::Carrier, &carriers(old), &carriers(new), changes);
    things(Noun::Feed, &feeds(old), &feeds(new), changes);
    things(Noun::Webhook, &webhooks(old), &webhooks(new), changes);
    things(Noun::Queue, &queues(old), &queues(new), changes);
    things(Noun::Agent, &agents(old), &agents(new), changes);
    things(Noun::Survey, &surveys(old), &surveys(new), changes);
    things(Noun::TicketClass, &tickets(old), &tickets(new), changes);
}

/// Compares things of one kind by name, and what both versions have by field.
fn things(
    what: Noun,
    old: &BTreeMap<String, Facts>,
    new: &BTreeMap<String, Facts>,
    changes: &mut Vec<Change>,
) {
    for (name, facts) in new {
        match old.get(name) {
            None => changes.push(Change::Added {
                what,
                name: name.clone(),
                flow: None,
                // Of a number it is worth knowing at once what answers it, of one who signs by which keys.
                detail: match what {
                    // And of what carries calls where they come from or go.
                    Noun::Number | Noun::Signer | Noun::Trunk | Noun::Voice | Noun::Carrier => {
                        facts.first().map(|(_, fact)| fact.clone()).unwrap_or_default()
                    }
                    _ => String::new(),
                },
            }),
            Some(before) => super::facts::compare(before, facts, |field, from, to| {
                changes.push(Change::Changed {
                    what,
                    name: name.clone(),
                    flow: None,
                    field,
                    from,
                    to,
                });
            }),
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        changes.push(Change::Removed {
            what,
            name: name.clone(),
            flow: None,
        });
    }
}

fn itself(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let mut facts = vec![
        (Field::new("name", "名称"), hotline.name.to_string()),
        (
            Field::new("time zone", "时区"),
            hotline.time_zone.iana_name().unwrap_or_default().to_owned(),
        ),
        (
            Field::new("first language", "首选语言"),
            hotline
                .languages
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
    ];
    if let Some(window) = &hotline.calling_window {
        facts.push((Field::new("calling window", "外呼时段"), window.to_string()));
    }
    if let Some(ears) = &hotline.ears {
        let heard = format!("{} ({})", ears.engine, ears.languages.join(", "));
        facts.push((Field::new("ears", "语音识别"), heard));
    }
    let success = &hotline.success;
    facts.extend([
        (Field::new("rate of success", "成功率"), success.rate.to_string()),
        (
            Field::new("window of success", "成功率时段"),
            success.window.to_string(),
        ),
        (
            Field::new("least calls for success", "成功率最少调用数"),
            success.least.to_string(),
        ),
    ]);
    // Both versions are the same thing, whatever they are called.
    BTreeMap::from([(String::new(), facts)])
}

fn numbers(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, number): (&Arc<str>, &crate::hotline::Number)| {
        let mut facts = vec![(Field::new("flow", "流程"), number.flow.to_string())];
        if let Some(language) = &number.language {
            facts.push((Field::new("language", "语言"), language.to_string()));
        }
        if let Some(department) = &number.department {
            facts.push((Field::new("department", "部门"), department.to_string()));
        }
        if let Some(merge) = number.merge {
            let merge = match merge {
                Merge::Whole => "whole",
                Merge::DualNumber => "dual-number",
                Merge::SubCentre => "sub-centre",
            };
            facts.push((Field::new("merge", "归并方式"), merge.to_owned()));
        }
        for (service, presses) in &number.before {
            let field = Field::of(
                "presses before the merge to",
                "归并前按键次数：",
                service.to_string(),
            );
            facts.push((field, presses.to_string()));
        }
        if let Some(trunks) = &number.trunks {
            facts.push((Field::new("trunks", "中继"), trunks.join(", ")));
        }
        if number.early {
            facts.push((
                Field::new("heard before the answer", "应答前放音"),
                number.early.to_string(),
            ));
        }
        (name.to_string(), facts)
    };
    hotline.numbers.iter().map(one).collect()
}

fn trunks(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, trunk): (&Arc<str>, &Trunk)| {
        let mut facts: Facts = Vec::new();
        if !trunk.from.is_empty() {
            let from: Vec<String> = trunk.from.iter().map(ToString::to_string).collect();
            facts.push((Field::new("addresses", "来源地址"), from.join(", ")));
        }
        if let Some(login) = &trunk.login {
            facts.push((Field::new("login", "登录名"), login.user.to_string()));
            facts.push((Field::new("secret", "密钥"), login.secret.to_string()));
        }
        if let Some(to) = &trunk.to {
            facts.push((Field::new("calls to the outside", "呼出去向"), to.to_string()));
        }
        let codecs: Vec<&str> = trunk.codecs.iter().map(|codec| codec.as_str()).collect();
        facts.extend([
            (
                Field::new("transport", "传输方式"),
                trunk.transport.as_str().to_owned(),
            ),
            (Field::new("registers", "注册"), trunk.register.to_string()),
            (Field::new("codecs", "编码"), codecs.join(", ")),
            (
                Field::new("calls at once", "并发呼叫数"),
                trunk.calls_max.to_string(),
            ),
            (Field::new("rate", "速率"), trunk.rate.to_string()),
            (
                Field::new("caller's number", "主叫号码"),
                trunk.caller_id.as_str().to_owned(),
            ),
        ]);
        if let Some(country) = &trunk.country {
            facts.push((
                Field::new("country of callers' numbers", "主叫号码的国家代码"),
                country.to_string(),
            ));
        }
        if trunk.put_through != PutThrough::default() {
            let field = Field::new("callers are put through by", "转接方式");
            facts.push((field, trunk.put_through.as_str().to_owned()));
        }
        if let Some(strip) = &trunk.strip {
            let field = Field::new("what is taken off called numbers", "被叫号码去掉的前缀");
            facts.push((field, strip.to_string()));
        }
        (name.to_string(), facts)
    };
    hotline.trunks.iter().map(one).collect()
}

fn voices(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(language, voice): (&Arc<str>, &Voice)| {
        let mut facts = vec![
            (Field::new("engine", "引擎"), voice.engine.to_string()),
            (Field::new("speed", "语速"), voice.speed.to_string()),
        ];
        if let Some(name) = &voice.voice {
            facts.push((Field::new("voice of the engine", "引擎的语音"), name.to_string()));
        }
        (language.to_string(), facts)
    };
    hotline.voices.iter().map(one).collect()
}

fn carriers(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, carrier): (&Arc<str>, &Carrier)| {
        let mut facts = vec![
            (Field::new("kind", "类型"), carrier.kind.as_str().to_owned()),
            (Field::new("address", "地址"), carrier.url.to_string()),
            (Field::new("secret", "密钥"), carrier.secret.to_string()),
        ];
        if let Some(numbers) = &carrier.numbers {
            facts.push((Field::new("numbers", "号码"), numbers.join(", ")));
        }
        (name.to_string(), facts)
    };
    hotline.carriers.iter().map(one).collect()
}

/// What starts nobody yet is none that is worth telling of.
fn starts(starts: &Starts) -> Facts {
    let flow = starts.flow.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![
        (Field::new("flow", "流程"), flow),
        (Field::new("rate", "速率"), starts.rate.to_string()),
        (
            Field::new("window", "外呼时段"),
            starts.window.as_deref().unwrap_or(ALWAYS).to_owned(),
        ),
        (
            Field::new("most waiting", "最多等待数"),
            starts.waiting_max.to_string(),
        ),
    ]
}

fn feeds(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, feed): (&Arc<str>, &Feed)| {
        let mut facts = starts(&feed.starts);
        facts.extend([
            (
                Field::new("function", "函数"),
                function(&feed.plugin, &feed.function),
            ),
            (
                Field::new("time between runs", "运行间隔"),
                feed.every.to_string(),
            ),
            (Field::new("jitter", "错开时间"), feed.jitter.to_string()),
            (Field::new("time", "时限"), feed.time.to_string()),
        ]);
        if let Some(to) = &feed.to {
            let affected = function(&to.plugin, &to.function);
            facts.push((Field::new("whom it concerns", "涉及的人"), affected));
        }
        if let Some(key) = &feed.key {
            facts.push((Field::new("key", "区分字段"), key.to_string()));
        }
        (name.to_string(), facts)
    };
    hotline.feeds.iter().map(one).collect()
}

fn signers(keys: &BTreeMap<Arc<str>, String>) -> BTreeMap<String, Facts> {
    let one = |(department, keys): (&Arc<str>, &String)| {
        let facts = vec![(Field::new("keys", "公钥"), keys.clone())];
        (department.to_string(), facts)
    };
    keys.iter().map(one).collect()
}

fn webhooks(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, webhook): (&Arc<str>, &Webhook)| {
        let mut facts = starts(&webhook.starts);
        facts.push((Field::new("secret", "密钥"), webhook.secret.to_string()));
        if let Some(to) = &webhook.to {
            facts.push((Field::new("whom it concerns", "涉及的人"), to.to_string()));
        }
        if let Some(key) = &webhook.key {
            facts.push((Field::new("key", "区分字段"), key.to_string()));
        }
        (name.to_string(), facts)
    };
    hotline.webhooks.iter().map(one).collect()
}

fn languages(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let names = hotline.languages.iter();
    names.map(|language| (language.to_string(), Vec::new())).collect()
}

fn packs(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |pack: &crate::hotline::PackUse| {
        let mut facts: Facts = Vec::new();
        for (name, bound) in &pack.settings {
            facts.push((Field::of("bound", "上限", name.to_string()), bound.to_string()));
        }
        for (name, words) in &pack.words {
            facts.push((Field::of("words", "词表", name.to_string()), words.join(", ")));
        }
        if !pack.assume.is_empty() {
            facts.push((Field::new("assumptions", "假设"), pack.assume.join(" && ")));
        }
        (pack.pack.to_string(), facts)
    };
    hotline.checks.iter().map(one).collect()
}

fn queues(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, queue): (&Arc<str>, &crate::hotline::QueueSpec)| {
        let mut facts = vec![
            (Field::new("skills", "技能"), queue.skills.join(", ")),
            (Field::new("calendar", "服务时间"), queue.calendar.to_string()),
            (
                Field::new("callers who may wait", "最多排队人数"),
                queue.waiting_max.to_string(),
            ),
        ];
        if let Some(target) = queue.target {
            facts.push((Field::new("target", "应答目标"), target.to_string()));
        }
        (name.to_string(), facts)
    };
    hotline.queues.iter().map(one).collect()
}

fn agents(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, agent): (&Arc<str>, &crate::hotline::Agent)| {
        let mut facts = vec![(Field::new("skills", "技能"), agent.skills.join(", "))];
        if let Some(title) = &agent.title {
            facts.push((Field::new("title", "称呼"), title.to_string()));
        }
        if let Some(phone) = &agent.phone {
            facts.push((Field::new("phone", "话机"), phone.to_string()));
        }
        if agent.calls_out {
            facts.push((Field::new("calls outside", "可外呼"), "true".to_owned()));
        }
        if agent.supervisor {
            facts.push((Field::new("supervisor", "督导"), "true".to_owned()));
        }
        (name.to_string(), facts)
    };
    hotline.agents.iter().map(one).collect()
}

fn surveys(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, survey): (&Arc<str>, &crate::hotline::SurveySpec)| {
        let kind = match survey.kind {
            SurveyKind::Csat => "csat",
            SurveyKind::Nps => "nps",
            SurveyKind::Comment => "comment",
        };
        let mut facts = vec![(Field::new("kind", "类型"), kind.to_owned())];
        for question in &survey.questions {
            let field = Field::of("question", "问题", question.name.to_string());
            facts.push((field, answer(&question.answer)));
        }
        (name.to_string(), facts)
    };
    hotline.surveys.iter().map(one).collect()
}

fn tickets(hotline: &Hotline) -> BTreeMap<String, Facts> {
    let one = |(name, class): (&Arc<str>, &crate::hotline::TicketClass)| {
        let deadline = match &class.deadline {
            Deadline::Within(time) => time.to_string(),
            Deadline::WorkingDays { days, calendar } => format!("{days} working days ({calendar})"),
        };
        let facts = vec![
            (Field::new("deadline", "时限"), deadline),
            (Field::new("department", "部门"), class.department.to_string()),
        ];
        (name.to_string(), facts)
    };
    hotline.tickets.iter().map(one).collect()
}
