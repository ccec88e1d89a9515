//! `queue`: what is said and offered to a caller who waits.

use super::{Fields, Reader, prompt_field, value_field};
use crate::{
    source::Word,
    syntax::{AnnounceSyntax, OfferSyntax, QueueSyntax, VerbSyntax},
    yaml::{Entry, Node},
};

/// What a caller may be offered instead of waiting on.
const OFFERS: [&str; 2] = ["offer-callback", "offer-channel"];

pub(super) fn queue(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let skills = fields
        .take("skills")
        .map(|node| reader.plain_list(node, "`skills`"))
        .unwrap_or_default();
    let agent = value_field(reader, fields, "agent");
    let priority = value_field(reader, fields, "priority");
    let music = prompt_field(reader, fields, "music");
    fields.take("announce");
    let announce = fields.entry("announce").map(|entry| announce(reader, entry));
    let mut offers = Vec::new();
    for name in OFFERS {
        fields.take(name);
        offers.extend(fields.entry(name).map(|entry| offer(reader, entry)));
    }
    let max = fields.duration(reader, "max");
    Some(VerbSyntax::Queue(Box::new(QueueSyntax {
        queue: reader.word(node, "`queue`")?,
        skills,
        agent,
        priority,
        music,
        announce,
        offers,
        max,
    })))
}

fn announce(reader: &Reader<'_>, entry: &Entry) -> AnnounceSyntax {
    let mut fields = reader.fields(&entry.value, "`announce`", entry.key.span);
    fields.need(reader, "every", "60s");
    let every = fields.duration(reader, "every");
    fields.need(reader, "say", "your-place");
    let prompt = prompt_field(reader, &mut fields, "say");
    fields.finish(reader);
    AnnounceSyntax {
        span: entry.key.span,
        every,
        prompt,
    }
}

fn offer(reader: &Reader<'_>, entry: &Entry) -> OfferSyntax {
    let what = format!("`{}`", entry.key.as_str());
    let mut fields = reader.fields(&entry.value, &what, entry.key.span);
    fields.need(reader, "after", "60s");
    let after = fields.duration(reader, "after");
    fields.need(reader, "say", "offer-callback");
    let prompt = prompt_field(reader, &mut fields, "say");
    let key: Option<Word> = fields.need_word(reader, "key", "1");
    let next = fields.need_word(reader, "next", "ring-back");
    fields.finish(reader);
    OfferSyntax {
        name: entry.key.clone(),
        after,
        prompt,
        key,
        next,
    }
}
