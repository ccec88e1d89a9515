//! A scenario that nobody calls in: a change of a feed, or an event of a webhook.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{Type, Value, VariableName, json::record_type};

use super::{World, civil, known_language, moment, phone, value};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    parse::fields::{Fields, Reader},
    scenario::{AT_DEFAULT, Call, Channel, Started},
    source::Word,
    start::StartsOn,
};

/// Reads what starts the contact, and whom it concerns; none when that cannot be.
pub(super) fn started(
    reader: &Reader<'_>,
    world: &World<'_>,
    fields: &mut Fields<'_>,
    on: &Word,
) -> Option<(Call, Started)> {
    const CALLED: &str = "a scenario that begins with a call";
    fields.belongs(reader, "call", CALLED);
    fields.belongs(reader, "begins", CALLED);
    let at = fields.word(reader, "at");
    let language = fields.word(reader, "language");
    known_language(reader, world.hotline, language.as_ref());
    let known = StartsOn::parse(on.as_str())
        .and_then(|known| Some((world.hotline.starts(&known)?.flow.clone()?, known)));
    let Some((flow, known)) = known else {
        for field in ["change", "event", "to"] {
            fields.take(field);
        }
        unknown(reader, world, on);
        return None;
    };
    let flow = world.hotline.flows.get(&flow)?;
    let mut event = None;
    let inputs = match &known {
        StartsOn::Feed(name) => {
            fields.belongs(reader, "event", "a scenario of a webhook");
            let feed = world.hotline.feeds.get(name)?;
            if feed.to.is_none() {
                fields.belongs(
                    reader,
                    "to",
                    "a feed that says whom a change concerns, by its own `to`",
                );
            }
            let node = fields.need(reader, "change", "{ id: a-1 }")?;
            let change = value::read(reader, node, &feed.change, value::Fields::All)?;
            let input = feed.starts.input.clone()?;
            BTreeMap::from([(input, change)])
        }
        StartsOn::Webhook(_) => {
            fields.belongs(reader, "change", "a scenario of a feed");
            let node = fields.need(reader, "event", "{ id: a-1 }")?;
            event = Some(node.span);
            let types = flow.inputs.iter();
            let body: Type = record_type(None, types.map(|(name, ty)| (name.as_str(), ty.clone())));
            match value::read(reader, node, &body, value::Fields::All)? {
                Value::Record(given) => given
                    .iter()
                    .map(|(name, value)| (VariableName::new(Arc::clone(name)), value.clone()))
                    .collect(),
                _ => return None,
            }
        }
    };
    let to = fields.word(reader, "to");
    phone(reader, to.as_ref());
    let named = match &known {
        StartsOn::Webhook(name) => {
            let webhook = world.hotline.webhooks.get(name)?;
            let named = webhook.people(&inputs).into_iter().next();
            if let (Some(to), None, Some(span)) = (&webhook.to, &named, event) {
                reader.report(
                    Finding::new(
                        Code::WrongValue,
                        span,
                        format!("`{to}` holds nobody, and such an event is refused"),
                    )
                    .help("whom an event concerns is a telephone number with + and country code"),
                );
                return None;
            }
            named
        }
        StartsOn::Feed(_) => None,
    };
    let call = Call {
        number: known.to_string().into(),
        from: to.map(|to| to.value).or(named),
        at: match at {
            None => moment(AT_DEFAULT, world.hotline)?,
            Some(at) => civil(reader, &at, world.hotline)?,
        },
        language: language.map(|language| language.value),
        channel: Channel::default(),
    };
    Some((call, Started { on: known, inputs }))
}

fn unknown(reader: &Reader<'_>, world: &World<'_>, on: &Word) {
    let feeds = world.hotline.feeds.keys().map(|name| format!("feed.{name}"));
    let webhooks = world
        .hotline
        .webhooks
        .keys()
        .map(|name| format!("webhook.{name}"));
    let names: Vec<String> = feeds.chain(webhooks).collect();
    reader.report(
        Finding::new(
            Code::UnknownFeed,
            on.span,
            format!("no flow starts on `{}`", on.as_str()),
        )
        .help_if(did_you_mean(
            "there are",
            on.as_str(),
            names.iter().map(String::as_str),
        )),
    );
}
