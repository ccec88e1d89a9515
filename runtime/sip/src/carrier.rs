//! Registrations of ours at carriers: one task for each trunk that asks for one, refreshed before they run
//! out, tried again ever more slowly when refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::registration::Registration;
use rsipstack::sip::typed::Contact;
use rsipstack::sip::{Auth, Param, Scheme, StatusCodeKind, Uri};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, wire};
use crate::limits::{REGISTER_RETRY_MAX, REGISTER_RETRY_MIN};
use crate::settings::{Config, Credentials, Register, Target, Transport, Trunk};

/// How long the carrier may take to hear that we leave.
const LEAVE_WAIT: Duration = Duration::from_secs(2);

/// The registrations that run.
#[derive(Default)]
pub(crate) struct Carriers(Mutex<HashMap<String, Running>>);

/// A registration that runs.
struct Running {
    wanted: Wanted,
    end: CancellationToken,
    task: JoinHandle<()>,
}

/// What a registration is made with; another one is begun when it changes.
#[derive(Clone, PartialEq, Eq)]
struct Wanted {
    to: Target,
    outbound: Option<Credentials>,
    register: Register,
}

impl Carriers {
    /// Begins and ends registrations so that they are those of the configuration.
    pub(crate) fn follow(&self, config: &Config, desk: &Arc<Desk>) {
        let mut wanted: HashMap<&str, Wanted> = config
            .trunks
            .iter()
            .filter_map(|trunk| Some((trunk.name.as_str(), wanted(trunk)?)))
            .collect();
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(
            |name,
             Running {
                 wanted: have, end, ..
             }| {
                let stays = wanted.get(name.as_str()) == Some(have);
                if stays {
                    wanted.remove(name.as_str());
                } else {
                    end.cancel();
                }
                stays
            },
        );
        for (name, wanted) in wanted {
            let end = CancellationToken::new();
            let task = tokio::spawn(keep(
                name.to_owned(),
                wanted.clone(),
                Arc::clone(desk),
                end.clone(),
            ));
            running.insert(name.to_owned(), Running { wanted, end, task });
        }
    }

    /// Ends all registrations; their tasks end when the carriers have heard it.
    pub(crate) fn stop(&self) -> Vec<JoinHandle<()>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .drain()
            .map(|(_, Running { end, task, .. })| {
                end.cancel();
                task
            })
            .collect()
    }
}

fn wanted(trunk: &Trunk) -> Option<Wanted> {
    Some(Wanted {
        to: trunk.to.clone()?,
        outbound: trunk.outbound.clone(),
        register: trunk.register.clone()?,
    })
}

async fn keep(trunk: String, wanted: Wanted, desk: Arc<Desk>, end: CancellationToken) {
    let Some(stack) = desk.stack.get() else { return };
    let credential = wanted.outbound.as_ref().map(|login| Credential {
        username: wanted.register.user.clone(),
        password: login.password.clone(),
        realm: None,
        auth_username: Some(login.user.clone()),
    });
    let mut registration = Registration::new(stack.endpoint.clone(), credential);
    registration.contact = contact(&desk, &wanted);
    let server = target(&wanted.to, None);
    let mut retry = REGISTER_RETRY_MIN;
    let mut up = false;
    loop {
        let asked = wanted.register.seconds;
        let result = tokio::select! {
            () = end.cancelled() => break,
            result = registration.register(server.clone(), Some(asked)) => result,
        };
        let wait = match result {
            Ok(response) if response.status_code.kind() == StatusCodeKind::Successful => {
                if !up {
                    tracing::info!(trunk, "registered at the carrier");
                }
                (up, retry) = (true, REGISTER_RETRY_MIN);
                let granted = registration
                    .granted_expires
                    .unwrap_or(asked)
                    .clamp(10, asked.max(10));
                Duration::from_secs(u64::from(granted) * 4 / 5)
            }
            failed => {
                let status = failed.map_or(0, |response| response.status_code.code());
                tracing::warn!(trunk, status, "failed to register at the carrier; trying again");
                metrics::counter!("trunkline_sip_carrier_refusals_total").increment(1);
                up = false;
                let wait = retry;
                retry = (retry * 2).min(REGISTER_RETRY_MAX);
                wait
            }
        };
        tokio::select! {
            () = end.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    if up {
        let left = tokio::time::timeout(LEAVE_WAIT, registration.register(server, Some(0))).await;
        tracing::debug!(trunk, heard = left.is_ok(), "left the carrier");
    }
}

fn contact(desk: &Desk, wanted: &Wanted) -> Option<Contact> {
    let own = desk.own_address(wire(wanted.to.transport))?;
    let auth = Auth {
        user: wanted.register.user.clone(),
        password: None,
    };
    let params = transport_param(wanted.to.transport);
    let uri = Uri {
        scheme: Some(Scheme::Sip),
        auth: Some(auth),
        host_with_port: own.addr,
        params,
        headers: Vec::new(),
    };
    Some(Contact {
        display_name: None,
        uri,
        params: Vec::new(),
    })
}

pub(crate) fn transport_param(transport: Transport) -> Vec<Param> {
    match transport {
        Transport::Udp => Vec::new(),
        other => vec![Param::Transport(wire(other))],
    }
}

/// The URI of a number, or of the server itself, at a target. A host that cannot be read is left to the
/// lookup, which then fails.
pub(crate) fn target(to: &Target, number: Option<&str>) -> Uri {
    let host = rsipstack::sip::HostWithPort {
        host: match to.host.trim_matches(['[', ']']).parse() {
            Ok(address) => rsipstack::sip::Host::IpAddr(address),
            Err(_) => rsipstack::sip::Host::Domain(to.host.clone().into()),
        },
        port: to.port.map(Into::into),
    };
    Uri {
        scheme: Some(Scheme::Sip),
        auth: number.map(|number| Auth {
            user: number.to_owned(),
            password: None,
        }),
        host_with_port: host,
        params: transport_param(to.transport),
        headers: Vec::new(),
    }
}
