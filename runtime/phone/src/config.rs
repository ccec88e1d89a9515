//! What a release says of trunks and phones, as signalling takes it. A password that is not there
//! leaves its trunk or phone out, and says so.

use trunkline_flow::{
    hotline::{self, Hotline},
    start::Rate,
};
use trunkline_sip::{Account, Caps, Config, Credentials, Register, Target, Transport, Trunk};

use crate::phone::Secrets;

/// Seconds for which we register at a trunk.
const REGISTER_SECONDS: u32 = 300;

/// The trunks and phones of a hotline.
pub(crate) fn of(hotline: &Hotline, secrets: &Secrets) -> Config {
    let mut config = Config::default();
    for (name, declared) in &hotline.trunks {
        match trunk_of(name, declared, secrets) {
            Some(trunk) => config.trunks.push(trunk),
            None => tracing::error!(
                trunk = %name,
                "the trunk is left out: the secret that is its password has no value; put it into the server's secrets"
            ),
        }
    }
    for (name, agent) in &hotline.agents {
        let Some(secret) = &agent.phone else { continue };
        let Some(password) = secrets.value(secret) else {
            tracing::error!(
                agent = %name,
                %secret,
                "the agent's phone is left out: the secret that is its password has no value; put it into the server's \
                 secrets"
            );
            continue;
        };
        config.accounts.push(Account {
            name: name.to_string(),
            login: Credentials {
                user: name.to_string(),
                password,
            },
        });
    }
    config
}

fn trunk_of(name: &str, declared: &hotline::Trunk, secrets: &Secrets) -> Option<Trunk> {
    let login = match &declared.login {
        Some(login) => Some(Credentials {
            user: login.user.to_string(),
            password: secrets.value(&login.secret)?,
        }),
        None => None,
    };
    let transport = match declared.transport {
        hotline::Transport::Udp => Transport::Udp,
        hotline::Transport::Tcp => Transport::Tcp,
        hotline::Transport::Tls => Transport::Tls,
    };
    Some(Trunk {
        name: name.to_owned(),
        networks: declared.from.clone(),
        transport: Some(transport),
        to: declared.to.as_ref().map(|to| Target {
            host: to.host.to_string(),
            port: to.port,
            transport,
        }),
        outbound: login.clone(),
        register: login
            .as_ref()
            .filter(|_| declared.register)
            .map(|login| Register {
                user: login.user.clone(),
                seconds: REGISTER_SECONDS,
            }),
        // Where addresses tell who calls, nobody is asked for a password.
        login: login.filter(|_| declared.from.is_empty()),
        caps: Caps {
            calls: Some(declared.calls_max as usize),
            calls_per_second: Some(per_second(declared.rate)),
        },
    })
}

fn per_second(rate: Rate) -> f64 {
    f64::from(rate.count) / rate.per.to_std().as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The codecs of a trunk, in order of preference; both where the call came from a phone.
pub(crate) fn codecs(hotline: &Hotline, trunk: Option<&str>) -> Vec<trunkline_sip::sdp::Codec> {
    let declared = trunk.and_then(|name| hotline.trunks.get(name));
    declared.map_or_else(
        || vec![trunkline_sip::sdp::Codec::Pcma, trunkline_sip::sdp::Codec::Pcmu],
        |trunk| {
            trunk
                .codecs
                .iter()
                .map(|codec| match codec {
                    hotline::Codec::Pcma => trunkline_sip::sdp::Codec::Pcma,
                    hotline::Codec::Pcmu => trunkline_sip::sdp::Codec::Pcmu,
                })
                .collect()
        },
    )
}

/// The codecs that a leg is offered: those of its trunk, and of them the one first that is spoken on the
/// other leg.
pub(crate) fn codecs_after(
    hotline: &Hotline,
    trunk: Option<&str>,
    spoken: Option<trunkline_sip::sdp::Codec>,
) -> Vec<trunkline_sip::sdp::Codec> {
    let mut codecs = codecs(hotline, trunk);
    codecs.sort_by_key(|codec| Some(*codec) != spoken);
    codecs
}
