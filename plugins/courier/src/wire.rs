//! One request over `wasi:http`, with whatever it is given.

use wasip2::{
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse, Method,
            OutgoingBody, OutgoingRequest, Scheme, http_error_code,
        },
    },
    io::streams::StreamError,
};

use crate::Reply;

/// Bytes asked for by one read of a reply's body.
const CHUNK_BYTES: u64 = 4 * 1024;

/// A request in its parts.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) scheme: String,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn get(authority: &str, path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            scheme: "http".to_owned(),
            authority: authority.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }
}

pub(crate) fn send(request: &Request) -> Result<Reply, String> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value.as_bytes()).map_err(|error| {
            let why = match error {
                HeaderError::InvalidSyntax => "malformed",
                HeaderError::Forbidden => "forbidden",
                HeaderError::Immutable => "immutable",
            };
            format!("the header {name} is {why}")
        })?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let scheme = match request.scheme.as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    outgoing
        .set_method(&method(&request.method))
        .map_err(|()| "the method is malformed".to_owned())?;
    outgoing
        .set_scheme(Some(&scheme))
        .map_err(|()| "the scheme is malformed".to_owned())?;
    outgoing
        .set_authority(Some(&request.authority))
        .map_err(|()| "the authority is malformed".to_owned())?;
    outgoing
        .set_path_with_query(Some(&request.path))
        .map_err(|()| "the path is malformed".to_owned())?;
    let body = outgoing.body().map_err(|()| "the body is taken".to_owned())?;
    let future = outgoing_handler::handle(outgoing, None).map_err(|code| told(&code))?;
    write(body, request.body.as_bytes());
    let response = receive(&future)?;
    let headers = response.headers().entries();
    Ok(Reply {
        status: response.status(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
            .collect(),
        body: read(&response)?,
    })
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        other => Method::Other(other.to_owned()),
    }
}

/// Writes as much as is taken: the reply decides what came of it.
fn write(body: OutgoingBody, bytes: &[u8]) {
    if !bytes.is_empty()
        && let Ok(stream) = body.write()
    {
        let _ = stream.blocking_write_and_flush(bytes);
    }
    let _ = OutgoingBody::finish(body, None);
}

fn receive(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(told(&code)),
        _ => Err("no reply".to_owned()),
    }
}

fn read(response: &IncomingResponse) -> Result<String, String> {
    let body: IncomingBody = response.consume().map_err(|()| "the body is taken".to_owned())?;
    let stream = body.stream().map_err(|()| "the body is being read".to_owned())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK_BYTES) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(
                    http_error_code(&error).map_or_else(|| error.to_debug_string(), |code| told(&code))
                );
            }
        }
    }
}

fn told(code: &ErrorCode) -> String {
    match code {
        ErrorCode::HttpRequestDenied => "denied".to_owned(),
        ErrorCode::DestinationIpProhibited => "address denied".to_owned(),
        other => other.to_string(),
    }
}
