//! Prompt tables.

use std::sync::Arc;

use super::fields::{Reader, Style};
use crate::{source::Span, syntax::PromptTable, yaml::Document};

pub(super) fn prompts(
    reader: &Reader<'_>,
    language: Arc<str>,
    document: &Document,
    start: Span,
) -> PromptTable {
    let prompts = document
        .root
        .as_ref()
        .map(|root| reader.words(root, "a table of prompts"))
        .unwrap_or_default();
    if document.whole {
        for (key, _) in &prompts {
            reader.name(key, "a prompt", Style::Kebab);
        }
    }
    PromptTable {
        language,
        span: start,
        prompts,
        whole: document.whole,
    }
}
