//! Words of a caller: one question, one listening.

use tokio::sync::mpsc;
use trunkline_media::Stream;
use trunkline_speech::{Ears, Understood};

/// Pieces of sound that wait for a provider: a second.
const SOUND_WAITING_MAX: usize = 50;

/// How often one question is listened to again after nothing was understood.
const AGAIN_MAX: u32 = 5;

/// Somebody listens to the answer to a question.
pub(crate) struct Listening {
    /// The event that asked.
    pub(crate) asked: u64,
    understood: Option<mpsc::Receiver<Understood>>,
    spoke: bool,
    again: u32,
    begin: Begin,
}

/// What was heard.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// Words begin to be understood.
    Speaks,
    /// Words.
    Said(String),
    /// Nothing, again and again.
    Nothing,
    /// Nobody hears.
    Failed(&'static str),
}

/// Listens anew: the stream gives its sound to another listener.
type Begin = Box<dyn Fn(&Stream) -> mpsc::Receiver<Understood> + Send + Sync>;

impl Listening {
    /// Begins to listen to what comes on a stream.
    pub(crate) fn begin(
        ears: &Ears,
        engine: &str,
        stream: &Stream,
        asked: u64,
        language: &str,
        hints: Vec<String>,
    ) -> Self {
        let (ears, engine, language) = (ears.clone(), engine.to_owned(), language.to_owned());
        let begin: Begin = Box::new(move |stream| {
            let (sender, sound) = mpsc::channel(SOUND_WAITING_MAX);
            stream.listen(Some(sender));
            ears.listen(&engine, &language, &hints, sound)
        });
        Self {
            asked,
            understood: Some(begin(stream)),
            spoke: false,
            again: 0,
            begin,
        }
    }

    /// What is heard next; pends when nobody listens. Dropping the future loses nothing.
    pub(crate) async fn next(listening: &mut Option<Self>) -> Heard {
        let Some(listening) = listening else {
            return std::future::pending().await;
        };
        loop {
            let Some(understood) = &mut listening.understood else {
                return std::future::pending().await;
            };
            match understood.recv().await {
                Some(Understood::Began) => {}
                Some(Understood::Partial(text)) if text.trim().is_empty() || listening.spoke => {}
                Some(Understood::Partial(_)) => {
                    listening.spoke = true;
                    return Heard::Speaks;
                }
                Some(Understood::Final { text, .. }) if text.trim().is_empty() => return Heard::Nothing,
                Some(Understood::Final { text, .. }) => return Heard::Said(text),
                Some(Understood::Failed(error)) => return Heard::Failed(error.kind()),
                None => return Heard::Nothing,
            }
        }
    }

    /// Listens to the same question again, unless that was done often enough.
    pub(crate) fn again(&mut self, stream: &Stream) {
        self.spoke = false;
        self.understood = (self.again < AGAIN_MAX).then(|| (self.begin)(stream));
        self.again += 1;
    }

    /// Nobody listens any more. The question stays, so that it is not listened to anew.
    pub(crate) fn end(&mut self) {
        self.understood = None;
    }
}
