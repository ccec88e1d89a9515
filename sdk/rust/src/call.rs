//! The call under way.

use std::time::Duration;

use crate::host;

/// What a plugin may know about the call it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Stable across attempts: use it as an idempotency key.
    pub id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Language of the contact, a BCP 47 tag such as `zh-CN`.
    pub locale: String,
    /// Time that is left before the host stops this call.
    pub remaining: Duration,
}

impl Context {
    /// The language without region or script: `zh` of `zh-CN`.
    pub fn language(&self) -> &str {
        self.locale.split('-').next().unwrap_or_default()
    }

    /// The time that a request to another service may take so that `margin` is left to put
    /// its failure into an answer, rather than being stopped without one.
    pub fn remaining_less(&self, margin: Duration) -> Duration {
        self.remaining.saturating_sub(margin)
    }
}

/// The context of the call under way, as of now.
pub fn current() -> Context {
    host::current_call()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_and_margin() {
        let mut context = Context {
            id: "c-1".to_owned(),
            attempt: 1,
            locale: "zh-CN".to_owned(),
            remaining: Duration::from_millis(30),
        };
        assert_eq!(context.language(), "zh");
        context.locale = "en".to_owned();
        assert_eq!(context.language(), "en");
        assert_eq!(context.remaining_less(Duration::from_millis(10)).as_millis(), 20);
        assert!(context.remaining_less(Duration::from_millis(50)).is_zero());
    }
}
