//! What a guest is told when a request fails: WASI's error codes, by the types of the errors.

use std::{error::Error as StdError, io::ErrorKind};

use hyper_util::client::legacy;
use wasmtime_wasi_http::Error;

use super::connect::ConnectError;

/// The error code for a request that hyper gave up.
pub(super) fn told(error: &legacy::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<ConnectError>() {
            return match error {
                ConnectError::Denied => Error::DestinationIpProhibited,
                ConnectError::Name(_) => Error::DnsError {
                    rcode: None,
                    info_code: None,
                },
                ConnectError::Io(error) => connect(error.kind()),
            };
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return match error {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    Error::TlsCertificateError
                }
                _ => Error::TlsProtocolError,
            };
        }
        // What the guest's own body or our bounds on it failed with.
        if let Some(Error::HttpRequestBodySize(size)) = error.downcast_ref::<Error>() {
            return Error::HttpRequestBodySize(*size);
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_incomplete_message() || error.is_closed() {
                return Error::ConnectionTerminated;
            }
            if error.is_parse() {
                return Error::HttpProtocolError;
            }
        }
        cause = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|inner| inner as &(dyn StdError + 'static))
            .or_else(|| error.source());
    }
    if error.is_connect() {
        Error::ConnectionRefused
    } else {
        Error::HttpProtocolError
    }
}

fn connect(kind: ErrorKind) -> Error {
    match kind {
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationUnavailable,
        _ => Error::ConnectionRefused,
    }
}
