//! Bodies within bounds: a guest may neither send nor receive more than its limits say, nor
//! wait for the next piece longer than it wished.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::{
    slots::Slot,
    usage::{Meter, Used},
};

/// The body of a request.
pub(super) struct Sent {
    body: WasiBody,
    left: u64,
    max: u64,
    meter: Arc<Meter>,
}

impl Sent {
    pub(super) fn within(body: WasiBody, max: u64, meter: Arc<Meter>) -> WasiBody {
        Self {
            body,
            left: max,
            max,
            meter,
        }
        .boxed_unsync()
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let taken = taken(frame.as_ref(), self.left);
        Poll::Ready(match taken {
            Some(left) => {
                self.meter.add(Used::HttpSent, self.left - left);
                self.left = left;
                frame
            }
            None => Some(Err(Error::HttpRequestBodySize(Some(self.max)))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response.
pub(super) struct Received {
    body: Incoming,
    left: u64,
    max: u64,
    between: Option<Duration>,
    /// Runs while a piece is awaited.
    patience: Option<Pin<Box<Sleep>>>,
    meter: Arc<Meter>,
    /// The place among the requests under way.
    _under_way: Slot,
}

impl Received {
    pub(super) fn within(
        body: Incoming,
        max: u64,
        between: Option<Duration>,
        meter: Arc<Meter>,
        under_way: Slot,
    ) -> WasiBody {
        Self {
            body,
            left: max,
            max,
            between,
            patience: None,
            meter,
            _under_way: under_way,
        }
        .boxed_unsync()
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            if let Some(between) = this.between {
                let patience = this.patience.get_or_insert_with(|| Box::pin(sleep(between)));
                ready!(patience.as_mut().poll(context));
                return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
            }
            return Poll::Pending;
        };
        this.patience = None;
        let frame = frame.map(|frame| frame.map_err(|error| read_failed(&error)));
        Poll::Ready(match taken(frame.as_ref(), this.left) {
            Some(left) => {
                this.meter.add(Used::HttpReceived, this.left - left);
                this.left = left;
                frame
            }
            None => Some(Err(Error::HttpResponseBodySize(Some(this.max)))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What is left after a piece, or none when it is too much.
fn taken(frame: Option<&Result<Frame<Bytes>, Error>>, left: u64) -> Option<u64> {
    let bytes = match frame {
        Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
        _ => 0,
    };
    left.checked_sub(bytes)
}

fn read_failed(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() || error.is_closed() {
        Error::HttpResponseIncomplete
    } else if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else {
        Error::HttpProtocolError
    }
}
