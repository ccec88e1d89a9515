//! Prompts that are said ahead: those of a release that say the same to everybody, so that the
//! first caller does not wait for them.

use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    limits::WARM_AT_ONCE,
    voice::{Prompt, VoiceChoices, Voices},
};

/// How far the preparation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Prompts in all.
    pub prompts: usize,
    /// Prompts that are ready.
    pub ready: usize,
    /// Prompts that could not be said. They are tried again when somebody is to hear them.
    pub failed: usize,
}

/// Prompts that are being prepared. Dropping it ends that.
#[derive(Debug)]
pub struct Warming {
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

impl Warming {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until all is done, and says what came of it.
    pub async fn done(mut self) -> Progress {
        while self.progress.changed().await.is_ok() {}
        self.progress()
    }
}

impl Drop for Warming {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Voices {
    /// Prepares prompts, few at once, and keeps them on disk.
    pub fn warm(&self, choices: Arc<VoiceChoices>, prompts: Vec<Prompt>) -> Warming {
        let (sender, progress) = watch::channel(Progress {
            prompts: prompts.len(),
            ..Progress::default()
        });
        let voices = self.clone();
        let task = tokio::spawn(async move {
            let mut said = stream::iter(prompts)
                .map(|prompt| {
                    let (voices, choices) = (voices.clone(), choices.clone());
                    async move { voices.prepare(&choices, &prompt).await }
                })
                .buffer_unordered(WARM_AT_ONCE);
            while let Some(said) = said.next().await {
                sender.send_modify(|progress| match &said {
                    Ok(_) => progress.ready += 1,
                    Err(_) => progress.failed += 1,
                });
            }
        });
        Warming { progress, task }
    }
}
