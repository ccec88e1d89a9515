//! One request over `wasi:http`, under one deadline.

use std::time::Duration;

use wasip2::{
    clocks::monotonic_clock::{now, subscribe_duration},
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method as WasiMethod,
            OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
        },
    },
    io::{
        poll::{Pollable, poll},
        streams::StreamError,
    },
};

use crate::http::{Address, Error, Method, Reply, Request};

/// Bytes asked for by one read of a reply's body.
const CHUNK_BYTES: u64 = 64 * 1024;

pub(crate) fn send(request: &Request, address: &Address<'_>) -> Result<Reply, Error> {
    let deadline = Deadline::starting_now(request.timeout);
    let outgoing = outgoing(request, address)?;
    // The body is taken before the request is handed over, and written after it: nobody
    // reads what is written before.
    let body = outgoing.body().map_err(|()| broken("the body is taken"))?;
    let future = outgoing_handler::handle(outgoing, Some(options(request.timeout)))
        .map_err(|code| from_code(&code, deadline))?;
    write(body, &request.body, deadline)?;
    let response = receive(&future, deadline)?;
    let status = response.status();
    let headers = response.headers().entries();
    let body = read(&response, request.reply_bytes_max, deadline)?;
    Ok(Reply {
        status,
        headers,
        body,
    })
}

fn outgoing(request: &Request, address: &Address<'_>) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    let refused = |name: &str| Error::Header {
        name: name.to_owned(),
    };
    for (name, value) in &request.headers {
        headers
            .append(name, value.as_bytes())
            .map_err(|_| refused(name))?;
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        headers
            .append("content-length", length.as_bytes())
            .map_err(|_| refused("content-length"))?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
    };
    let scheme = if address.secure {
        Scheme::Https
    } else {
        Scheme::Http
    };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(address.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&address.path_with_query)))
        .map_err(|()| Error::Address {
            url: request.url.clone(),
        })?;
    Ok(outgoing)
}

/// Tells the host how long it may try; the deadline here holds whether it listens or not.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let nanos = Some(nanos(timeout));
    // A host without one of these timeouts says so, and the deadline stays.
    let _ = options.set_connect_timeout(nanos);
    let _ = options.set_first_byte_timeout(nanos);
    let _ = options.set_between_bytes_timeout(nanos);
    options
}

fn write(body: OutgoingBody, mut bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| broken("the body is being written"))?;
        let ready = stream.subscribe();
        loop {
            let written = stream.check_write().and_then(|permit| {
                let count = bytes.len().min(usize::try_from(permit).unwrap_or(usize::MAX));
                let (now, later) = bytes.split_at(count);
                bytes = later;
                stream.write(now)
            });
            match written {
                Ok(()) if bytes.is_empty() => break,
                Ok(()) => deadline.wait(&ready)?,
                // A service may answer before it has read everything: the reply decides.
                Err(_) => break,
            }
        }
        // Dropped before the body is finished, its stream included: children go first.
        drop(ready);
        drop(stream);
    }
    // Fails only when the service did not read all of it, and then the reply decides again.
    let _ = OutgoingBody::finish(body, None);
    Ok(())
}

fn receive(future: &FutureIncomingResponse, deadline: Deadline) -> Result<IncomingResponse, Error> {
    deadline.wait(&future.subscribe())?;
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(from_code(&code, deadline)),
        Some(Err(())) => Err(broken("the reply was taken")),
        None => Err(broken("the host woke us without a reply")),
    }
}

fn read(response: &IncomingResponse, bytes_max: usize, deadline: Deadline) -> Result<Vec<u8>, Error> {
    let body: IncomingBody = response.consume().map_err(|()| broken("the body is taken"))?;
    let stream = body.stream().map_err(|()| broken("the body is being read"))?;
    let ready = stream.subscribe();
    let mut bytes = Vec::new();
    loop {
        deadline.wait(&ready)?;
        match stream.read(CHUNK_BYTES) {
            Ok(chunk) if bytes.len() + chunk.len() > bytes_max => {
                return Err(Error::TooLarge { bytes_max });
            }
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => from_code(&code, deadline),
                    None => broken(&error.to_debug_string()),
                });
            }
        }
    }
}

fn broken(why: &str) -> Error {
    Error::Broken { why: why.to_owned() }
}

fn from_code(code: &ErrorCode, deadline: Deadline) -> Error {
    use ErrorCode as Code;
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => Error::Denied,
        Code::ConnectionTimeout
        | Code::ConnectionReadTimeout
        | Code::ConnectionWriteTimeout
        | Code::HttpResponseTimeout
        | Code::DnsTimeout => Error::TimedOut {
            after: deadline.total,
        },
        Code::DnsError(_)
        | Code::DestinationNotFound
        | Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionRefused
        | Code::ConnectionLimitReached
        | Code::TlsProtocolError
        | Code::TlsCertificateError
        | Code::TlsAlertReceived(_) => Error::Unreachable {
            why: code.to_string(),
        },
        Code::InternalError(Some(why)) => broken(why),
        other => broken(&other.to_string()),
    }
}

/// When a request ends, come what may.
#[derive(Clone, Copy)]
struct Deadline {
    total: Duration,
    /// Of the monotonic clock, in nanoseconds.
    end: u64,
}

impl Deadline {
    fn starting_now(total: Duration) -> Self {
        Self {
            total,
            end: now().saturating_add(nanos(total)),
        }
    }

    /// Waits until something is ready.
    fn wait(self, ready: &Pollable) -> Result<(), Error> {
        let timed_out = || Error::TimedOut { after: self.total };
        let left = self.end.saturating_sub(now());
        if left == 0 {
            return Err(timed_out());
        }
        let over = subscribe_duration(left);
        if poll(&[ready, &over]).contains(&0) {
            Ok(())
        } else {
            Err(timed_out())
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
