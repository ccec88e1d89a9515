//! Sends any request it is told to, without an SDK: bindings by wit-bindgen, and WASI. The host's
//! tests build it from source and see what gets through.

mod text;
mod wire;

use bindings::{
    exports::trunkline::courier::errands::{Guest, Reply},
    trunkline::host::secrets::{self, Algorithm},
};

mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/host-0.1.0", "wit"],
        world: "trunkline:courier/courier",
        generate_all,
    });
}
bindings::export!(Courier with_types_in bindings);

struct Courier;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 5;

impl Guest for Courier {
    fn send(
        method: String,
        scheme: String,
        authority: String,
        path: String,
        headers: Vec<(String, String)>,
        body: String,
    ) -> Result<Reply, String> {
        let mut filled = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            filled.push((name, text::filled(&value, placeholder)?));
        }
        wire::send(&wire::Request {
            method,
            scheme,
            authority,
            path: text::filled(&path, placeholder)?,
            headers: filled,
            body: text::filled(&body, placeholder)?,
        })
    }

    fn follow(authority: String, path: String) -> Vec<String> {
        let mut stops = Vec::new();
        let (mut authority, mut path) = (authority, path);
        for _ in 0..=REDIRECTS_MAX {
            let request = wire::Request::get(&authority, &path);
            let reply = match wire::send(&request) {
                Ok(reply) => reply,
                Err(why) => {
                    stops.push(why);
                    return stops;
                }
            };
            stops.push(format!("{} {}", reply.status, reply.body));
            let location = reply.headers.iter().find(|(name, _)| name == "location");
            let Some((_, location)) = location else {
                return stops;
            };
            match location.strip_prefix("http://") {
                Some(elsewhere) => {
                    let (to, rest) = elsewhere.split_once('/').unwrap_or((elsewhere, ""));
                    authority = to.to_owned();
                    path = format!("/{rest}");
                }
                None => path.clone_from(location),
            }
        }
        stops
    }

    fn placeholder(name: String) -> Result<String, String> {
        placeholder(&name)
    }

    fn sign(name: String, algorithm: String, text: String) -> Result<String, String> {
        let algorithm = match algorithm.as_str() {
            "hmac-sha256" => Algorithm::HmacSha256,
            "hmac-sha512" => Algorithm::HmacSha512,
            "ed25519" => Algorithm::Ed25519,
            other => return Err(format!("no algorithm {other}")),
        };
        let signature = secrets::sign(&name, algorithm, text.as_bytes()).map_err(|error| told(&error))?;
        Ok(signature.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn placeholder(name: &str) -> Result<String, String> {
    secrets::placeholder(name).map_err(|error| told(&error))
}

fn told(error: &secrets::Error) -> String {
    match error {
        secrets::Error::NotGranted => "not granted".to_owned(),
        secrets::Error::Missing => "missing".to_owned(),
        secrets::Error::Unusable(why) => format!("unusable: {why}"),
    }
}
