//! One answer being heard: sound goes to the provider as it can take it, what it understands comes
//! back.
//!
//! A connection that breaks is made again once, and the last seconds of sound are sent again. A
//! provider that breaks the protocol is not asked again: it would do so again.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use hyper::body::Bytes;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError};

use super::{
    EarsError, Understood,
    protocol::{Received, Sent, code, confidence, words},
    provider::{Provider, Socket},
};
use crate::limits::{
    FRAME_SAMPLES, FRAMES_KEPT, FRAMES_WAITING_MAX, LISTENING_MAX, MESSAGES_PER_SECOND_MAX,
    PARTIALS_PER_SECOND_MAX,
};

/// How long closing a connection may take: the other side has nothing to say any more.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How long the last of what was understood waits to be taken.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

pub(super) struct Hearing {
    provider: Arc<Provider>,
    language: String,
    hints: Vec<String>,
    sound: mpsc::Receiver<Arc<[i16]>>,
    understood: mpsc::Sender<Understood>,
    frames: Frames,
    /// When `sound` ended: nothing more will be said.
    ended: bool,
    began: bool,
    /// By when something has to come, once somebody spoke or all was said.
    answer_by: Option<Instant>,
    until: Instant,
    messages: Rate,
    partials: Rate,
}

/// How a connection ended.
enum End {
    /// With the last of what is to be told.
    Told(Understood),
    /// Nobody listens any more, or there was nothing to be understood.
    Nothing,
    /// It broke.
    Broke,
}

impl Hearing {
    pub(super) fn new(
        provider: Arc<Provider>,
        language: String,
        hints: Vec<String>,
        sound: mpsc::Receiver<Arc<[i16]>>,
        understood: mpsc::Sender<Understood>,
    ) -> Self {
        let now = Instant::now();
        Self {
            provider,
            language,
            hints,
            sound,
            understood,
            frames: Frames::default(),
            ended: false,
            began: false,
            answer_by: None,
            until: now + LISTENING_MAX,
            messages: Rate::new(now),
            partials: Rate::new(now),
        }
    }

    pub(super) async fn run(mut self) {
        let mut reconnected = false;
        let told = loop {
            let end = match self.connect().await {
                Some(Ok(socket)) => self.converse(socket).await,
                // A provider that is not there at the second time is as lost as one that breaks again.
                Some(Err(_)) if reconnected => End::Broke,
                Some(Err(error)) => End::Told(Understood::Failed(error)),
                None => End::Nothing,
            };
            match end {
                End::Told(told) => break Some(told),
                End::Nothing => break None,
                End::Broke if !reconnected => {
                    reconnected = true;
                    self.frames.again();
                    tracing::info!(provider = %self.provider.name, "a provider of speech input was lost: connecting again");
                }
                End::Broke => {
                    break Some(Understood::Failed(EarsError::Lost {
                        name: self.provider.name.clone(),
                    }));
                }
            }
        };
        if self.frames.dropped > 0 {
            tracing::warn!(
                provider = %self.provider.name, frames = self.frames.dropped,
                "a provider of speech input did not take all of the sound"
            );
        }
        let result = match &told {
            Some(Understood::Failed(error)) => {
                tracing::warn!(provider = %self.provider.name, kind = error.kind(), "speech input failed: {error}");
                error.kind()
            }
            Some(_) => "ok",
            None => "nothing",
        };
        metrics::counter!("trunkline_speech_listenings_total", "provider" => self.provider.name.to_string(), "result" => result)
            .increment(1);
        if let Some(told) = told {
            // Whoever does not take it in time has gone, or hangs; either way it is not waited for.
            let _ = timeout(TAKEN_WITHIN, self.understood.send(told)).await;
        }
    }

    /// Connects, while sound goes on; none when nobody listens any more.
    async fn connect(&mut self) -> Option<Result<Socket, EarsError>> {
        let provider = self.provider.clone();
        let mut connecting = std::pin::pin!(provider.connect());
        loop {
            tokio::select! {
                biased;
                () = self.understood.closed() => return None,
                socket = &mut connecting => return Some(socket),
                frame = self.sound.recv(), if !self.ended => self.heard(frame),
            }
        }
    }

    /// Takes a frame of the caller's sound, or its end.
    fn heard(&mut self, frame: Option<Arc<[i16]>>) {
        match frame {
            Some(frame) => self.frames.add(&frame),
            None => {
                self.ended = true;
                self.answer_by = Some(Instant::now() + self.provider.last);
            }
        }
    }

    async fn converse(&mut self, socket: Socket) -> End {
        let (mut sink, mut stream) = socket.split();
        let mut start = Some(Message::text(Sent::start(&self.language, &self.hints).json()));
        let (mut stopped, mut unflushed) = (false, false);
        let end = loop {
            let by = self.answer_by.map_or(self.until, |by| by.min(self.until));
            let to_send = start.is_some() || self.frames.any() || (self.ended && !stopped);
            // Dropping an arm loses nothing: a frame or a message is taken when its arm is done.
            tokio::select! {
                biased;
                () = self.understood.closed() => break End::Nothing,
                () = sleep_until(by) => break End::Told(self.too_late()),
                frame = self.sound.recv(), if !self.ended => self.heard(frame),
                message = stream.next() => {
                    if let Some(end) = self.received(message) {
                        break end;
                    }
                }
                ready = poll_fn(|cx| {
                    if unflushed { sink.poll_flush_unpin(cx) } else { sink.poll_ready_unpin(cx) }
                }), if to_send || unflushed => {
                    let went = match ready {
                        // Each message goes out before the next: what waits, waits where it can be dropped.
                        Ok(()) if unflushed => {
                            unflushed = false;
                            continue;
                        }
                        Ok(()) => {
                            let message = if let Some(start) = start.take() {
                                start
                            } else if let Some(frame) = self.frames.next() {
                                Message::binary(frame)
                            } else {
                                stopped = true;
                                Message::text(Sent::Stop {}.json())
                            };
                            unflushed = true;
                            sink.start_send_unpin(message)
                        }
                        Err(error) => Err(error),
                    };
                    if went.is_err() {
                        // What it said before it broke comes first.
                        break self.rest(&mut stream).await;
                    }
                }
            }
        };
        if !matches!(end, End::Broke) {
            let _ = timeout(CLOSE_WITHIN, sink.close()).await;
        }
        end
    }

    /// What a provider said before it stopped taking anything.
    async fn rest(&mut self, stream: &mut (impl StreamExt<Item = Result<Message, Error>> + Unpin)) -> End {
        loop {
            let message = timeout(CLOSE_WITHIN, stream.next()).await.ok().flatten();
            if let Some(end) = self.received(message) {
                return end;
            }
        }
    }

    fn too_late(&self) -> Understood {
        let name = self.provider.name.clone();
        Understood::Failed(if self.answer_by.is_some() {
            EarsError::TimedOut { name }
        } else {
            EarsError::TooLong { name }
        })
    }

    /// Takes what came; gives the end of the connection, if it is that.
    fn received(&mut self, message: Option<Result<Message, Error>>) -> Option<End> {
        let now = Instant::now();
        let understood = match message {
            Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_)))
                if self.messages.over(now, MESSAGES_PER_SECOND_MAX) =>
            {
                Err("it sends too many messages")
            }
            Some(Ok(Message::Text(text))) => Received::read(&text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return None,
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => Err("it sends binary messages"),
            Some(Ok(Message::Close(_))) | None => return Some(self.broke()),
            Some(Err(Error::Capacity(_))) => Err("a message is too large"),
            Some(Err(Error::Utf8(_))) => Err("a message is no UTF-8"),
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                return Some(self.broke());
            }
            Some(Err(Error::Protocol(_))) => Err("what it sends is no WebSocket"),
            Some(Err(_)) => return Some(self.broke()),
        };
        match understood.and_then(|received| self.understand(received, now)) {
            Ok(told) => told.map(End::Told),
            Err(what) => Some(End::Told(Understood::Failed(EarsError::Protocol {
                name: self.provider.name.clone(),
                what,
            }))),
        }
    }

    /// A connection that ended before an answer. After all was sent and nobody had spoken that is
    /// an answer, too.
    fn broke(&self) -> End {
        if self.ended && !self.began && !self.frames.any() {
            End::Nothing
        } else {
            End::Broke
        }
    }

    fn understand(&mut self, received: Received, now: Instant) -> Result<Option<Understood>, &'static str> {
        if !matches!(received, Received::Error { .. } | Received::Unknown) && !self.frames.sent {
            return Err("it understands before it was sent any sound");
        }
        match received {
            Received::SpeechStarted {} => self.spoke(now),
            Received::Partial { text } => {
                let text = words(&text)?;
                self.spoke(now);
                // One more or less makes no difference: the next replaces it.
                if !self.partials.over(now, PARTIALS_PER_SECOND_MAX) {
                    let _ = self.understood.try_send(Understood::Partial(text));
                }
            }
            Received::Final {
                text,
                confidence: stated,
            } => {
                let text = words(&text)?;
                if !text.is_empty() {
                    self.spoke(now);
                }
                let confidence = confidence(stated);
                if stated.is_some() && confidence.is_none() {
                    tracing::warn!(provider = %self.provider.name, "a provider's confidence is not from 0 to 1: it is passed over");
                }
                return Ok(Some(Understood::Final { text, confidence }));
            }
            Received::Error { code: stated } => {
                return Ok(Some(Understood::Failed(EarsError::Failed {
                    name: self.provider.name.clone(),
                    code: code(stated.as_deref()).into(),
                })));
            }
            Received::Unknown => {}
        }
        Ok(None)
    }

    /// Somebody speaks: whatever was said has to be answered.
    fn spoke(&mut self, now: Instant) {
        if !self.began {
            self.began = true;
            let _ = self.understood.try_send(Understood::Began);
        }
        // After the end of the sound the provider's time does not begin again.
        if !self.ended {
            self.answer_by = Some(now + self.provider.answer);
        }
    }
}

/// Sound on its way.
#[derive(Debug, Default)]
struct Frames {
    /// Sent before, on a connection that broke.
    again: VecDeque<Bytes>,
    waiting: VecDeque<Bytes>,
    /// Sent last, should the connection break.
    kept: VecDeque<Bytes>,
    sent: bool,
    dropped: u64,
}

impl Frames {
    fn add(&mut self, samples: &[i16]) {
        for frame in samples.chunks(FRAME_SAMPLES) {
            if self.waiting.len() >= FRAMES_WAITING_MAX {
                self.waiting.pop_front();
                self.dropped += 1;
            }
            let bytes: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            self.waiting.push_back(bytes.into());
        }
    }

    fn any(&self) -> bool {
        !self.again.is_empty() || !self.waiting.is_empty()
    }

    fn next(&mut self) -> Option<Bytes> {
        let frame = self.again.pop_front().or_else(|| self.waiting.pop_front())?;
        if self.kept.len() >= FRAMES_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(frame.clone());
        self.sent = true;
        Some(frame)
    }

    /// Sends again what was sent last.
    fn again(&mut self) {
        self.again = std::mem::take(&mut self.kept);
    }
}

/// How many there were in this second.
#[derive(Debug)]
struct Rate {
    since: Instant,
    count: u32,
}

impl Rate {
    const fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    fn over(&mut self, now: Instant, max: u32) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        self.count > max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_that_is_not_taken_is_dropped_the_oldest_first() {
        let mut frames = Frames::default();
        for number in 0..FRAMES_WAITING_MAX + 3 {
            frames.add(&[i16::try_from(number).unwrap(); FRAME_SAMPLES]);
        }
        assert_eq!(frames.dropped, 3);
        assert_eq!(frames.next().unwrap()[..2], 3_i16.to_le_bytes());
        // A longer piece is sent as frames.
        let mut frames = Frames::default();
        frames.add(&[1; FRAME_SAMPLES + 1]);
        assert_eq!(frames.next().unwrap().len(), 2 * FRAME_SAMPLES);
        assert_eq!(frames.next().unwrap().len(), 2);
        assert!(!frames.any());
        frames.again();
        assert_eq!(frames.next().unwrap().len(), 2 * FRAME_SAMPLES);
    }
}
