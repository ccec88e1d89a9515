//! The session timer (RFC 4028) as a value: what a message asks for, what is granted, and when something is
//! due.

use std::time::Duration;

use tokio::time::Instant;

/// Who refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresher {
    /// The side that sent the request.
    Client,
    /// The side that answered it.
    Server,
}

/// What a Session-Expires header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expires {
    pub(crate) seconds: u32,
    pub(crate) refresher: Option<Refresher>,
}

impl Expires {
    pub(crate) fn parse(text: &str) -> Option<Expires> {
        let mut parts = text.split(';').map(str::trim);
        let seconds = parts.next()?.parse().ok()?;
        let refresher = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            match (
                name.trim().to_ascii_lowercase().as_str(),
                value.trim().to_ascii_lowercase().as_str(),
            ) {
                ("refresher", "uac") => Some(Refresher::Client),
                ("refresher", "uas") => Some(Refresher::Server),
                _ => None,
            }
        });
        Some(Expires { seconds, refresher })
    }
}

/// The timer of a session that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer {
    seconds: u32,
    /// Whether we refresh; else the peer does.
    pub(crate) ours: bool,
    since: Instant,
}

impl Timer {
    pub(crate) fn new(seconds: u32, ours: bool, now: Instant) -> Timer {
        Timer {
            seconds: seconds.max(1),
            ours,
            since: now,
        }
    }

    /// When to act: half way for a refresh of ours, shortly before the end to give up on the peer's.
    pub(crate) fn due(&self) -> Instant {
        let whole = Duration::from_secs(self.seconds.into());
        let after = if self.ours {
            whole / 2
        } else {
            whole - (whole / 3).min(Duration::from_secs(32))
        };
        self.since + after
    }

    pub(crate) fn seconds(&self) -> u32 {
        self.seconds
    }
}

/// What we grant as the side that answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    /// The peer asks for less than we take: 422 with our least.
    TooSmall,
    /// This many seconds, and who refreshes. `peer_knows` is whether the peer knows of session timers at all.
    Grant {
        seconds: u32,
        refresher: Refresher,
        peer_knows: bool,
    },
}

/// Decides as the side that answers.
pub(crate) fn grant(asked: Option<Expires>, peer_knows: bool, least: u32, wanted: u32, most: u32) -> Granted {
    match asked {
        Some(asked) if asked.seconds < least => Granted::TooSmall,
        Some(asked) => {
            let refresher = asked.refresher.unwrap_or(if peer_knows {
                Refresher::Client
            } else {
                Refresher::Server
            });
            Granted::Grant {
                seconds: asked.seconds.min(most),
                refresher,
                peer_knows,
            }
        }
        // The peer asks for none: we watch it ourselves.
        None => Granted::Grant {
            seconds: wanted,
            refresher: Refresher::Server,
            peer_knows,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read() {
        assert_eq!(
            Expires::parse("1800;refresher=uac"),
            Some(Expires {
                seconds: 1800,
                refresher: Some(Refresher::Client)
            })
        );
        assert_eq!(
            Expires::parse(" 90 ; x=y ; Refresher = UAS"),
            Some(Expires {
                seconds: 90,
                refresher: Some(Refresher::Server)
            })
        );
        assert_eq!(
            Expires::parse("90"),
            Some(Expires {
                seconds: 90,
                refresher: None
            })
        );
        assert_eq!(Expires::parse("soon"), None);
    }

    #[test]
    fn what_is_asked_is_granted_within_bounds() {
        let asked = |seconds, refresher| Some(Expires { seconds, refresher });
        assert_eq!(grant(asked(60, None), true, 90, 1800, 7200), Granted::TooSmall);
        let granted = |asked, knows| match grant(asked, knows, 90, 1800, 7200) {
            Granted::Grant {
                seconds, refresher, ..
            } => (seconds, refresher),
            Granted::TooSmall => panic!("not too small"),
        };
        assert_eq!(granted(asked(600, None), true), (600, Refresher::Client));
        assert_eq!(
            granted(asked(600, Some(Refresher::Server)), true),
            (600, Refresher::Server)
        );
        assert_eq!(granted(asked(600, None), false), (600, Refresher::Server));
        assert_eq!(granted(asked(99_999, None), true), (7200, Refresher::Client));
        assert_eq!(granted(None, true), (1800, Refresher::Server));
    }

    #[tokio::test(start_paused = true)]
    async fn ours_is_due_half_way_and_theirs_shortly_before_the_end() {
        let now = Instant::now();
        assert_eq!(Timer::new(1800, true, now).due() - now, Duration::from_secs(900));
        assert_eq!(
            Timer::new(1800, false, now).due() - now,
            Duration::from_secs(1768)
        );
        assert_eq!(Timer::new(90, false, now).due() - now, Duration::from_secs(60));
    }
}
