//! Voices that say what nobody has recorded, and ears that hear what callers say.

use std::sync::Arc;

use super::Language;

/// The engine that needs no operator: it is started on the server where it is installed.
pub const ENGINE_BUILT_IN: &str = "espeak-ng";

/// Who says the texts of a language.
#[derive(Debug, Clone, PartialEq)]
pub struct Voice {
    /// The engine: [`ENGINE_BUILT_IN`], or one that the operator defines by this name.
    pub engine: Arc<str>,
    /// Which of the engine's voices; without, the one it has for the language.
    pub voice: Option<Arc<str>>,
    /// How fast it speaks; 1 is as the engine has it.
    pub speed: f64,
}

/// Who hears what callers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ears {
    /// The engine, which the operator defines by this name.
    pub engine: Arc<str>,
    /// The languages that it hears; at least one.
    pub languages: Vec<Language>,
}
