//! Calls between two exchanges on loopback.

use std::time::Duration;

use crate::common::{
    Node, account, answer, config, next, number, ours, outgoing, pair, settings, trunk, until, up, within,
};
use trunkline_sip::sdp::{Direction, Ours};
use trunkline_sip::{
    Arriving, CallError, Caps, Config, Credentials, Destination, HangUp, Happened, Referred, Register,
    SessionDescription, Settings, Source, Target, Transport, Trunk, Why,
};

#[tokio::test]
async fn a_call_rings_is_answered_and_hung_up_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        let (caller, mut callee) = pair(transport).await;
        let mut out = caller.call(number("carrier", "+49 30")).await;
        let incoming = callee.incoming().await;
        assert_eq!(
            incoming.from,
            Source::Trunk {
                name: "caller".to_owned()
            }
        );
        assert_eq!(
            (incoming.called.as_str(), incoming.to.as_str()),
            ("+49 30", "+49 30")
        );
        let who = incoming.caller.expect("a caller");
        assert_eq!(
            (who.number.as_str(), who.display.as_deref()),
            ("4711", Some("Anna"))
        );
        let mut come = incoming.call;
        let offer = incoming.offer.expect("an offer");
        come.ring();
        assert_eq!(next(&mut out).await, Happened::Ringing);
        come.early(answer(&offer, 50_000));
        assert!(matches!(next(&mut out).await, Happened::Early(_)));
        let answered = answer(&offer, 50_002);
        within(come.answer(answered.clone()))
            .await
            .expect("it is acknowledged");
        assert_eq!(next(&mut out).await, Happened::Answered(answered));
        assert_eq!(next(&mut come).await, Happened::Acknowledged);
        out.hang_up(HangUp::Normal);
        assert_eq!(next(&mut come).await, Happened::HungUp { why: Why::Peer });
        assert_eq!(next(&mut out).await, Happened::HungUp { why: Why::Ours });
        assert!(within(out.events()).await.is_none() && within(come.events()).await.is_none());
        until("no call is left", || {
            caller.sip.counts().calls + callee.sip.counts().calls == 0
        })
        .await;
        until("no dialog is left", || {
            caller.sip.counts().dialogs + callee.sip.counts().dialogs == 0
        })
        .await;
    }
}

#[tokio::test]
async fn the_called_side_hangs_up_and_a_dropped_handle_does() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let (mut out, come) = up(&caller, &mut callee).await;
    come.hang_up(HangUp::Normal);
    assert_eq!(next(&mut out).await, Happened::HungUp { why: Why::Peer });
    let (out, mut come) = up(&caller, &mut callee).await;
    drop(out);
    assert_eq!(next(&mut come).await, Happened::HungUp { why: Why::Peer });
}

#[tokio::test]
async fn a_refusal_and_what_it_says_reach_the_caller() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let mut out = caller.call(number("carrier", "200")).await;
    callee.incoming().await.call.refuse(486, "busy", Some(7));
    assert_eq!(
        next(&mut out).await,
        Happened::Failed {
            status: 486,
            retry_after: Some(7)
        }
    );
    until("no call is left", || {
        caller.sip.counts().calls + callee.sip.counts().calls == 0
    })
    .await;
}

#[tokio::test]
async fn the_caller_gives_up_while_it_rings() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let mut out = caller.call(number("carrier", "200")).await;
    let mut come = callee.incoming().await.call;
    come.ring();
    assert_eq!(next(&mut out).await, Happened::Ringing);
    out.hang_up(HangUp::AnsweredElsewhere);
    assert_eq!(
        next(&mut out).await,
        Happened::Failed {
            status: 487,
            retry_after: None
        }
    );
    assert_eq!(next(&mut come).await, Happened::Cancelled);
    until("no call is left", || {
        caller.sip.counts().calls + callee.sip.counts().calls == 0
    })
    .await;
}

#[tokio::test]
async fn giving_up_and_answering_at_once_leaves_no_call_behind() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    for _ in 0..40 {
        let out = caller.call(number("carrier", "200")).await;
        let incoming = callee.incoming().await;
        let come = incoming.call.clone();
        let answered = answer(&incoming.offer.expect("an offer"), 50_000);
        let ((), _) = tokio::join!(
            async { out.hang_up(HangUp::Normal) },
            within(come.answer(answered))
        );
    }
    until("no call is left", || {
        caller.sip.counts().calls + callee.sip.counts().calls == 0
    })
    .await;
    until("no dialog is left", || {
        caller.sip.counts().dialogs + callee.sip.counts().dialogs == 0
    })
    .await;
}

#[tokio::test]
async fn ringing_has_an_end() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let short = trunkline_sip::Outgoing {
        ring: Duration::from_millis(200),
        ..outgoing(number("carrier", "1"))
    };
    let mut out = caller.sip.call(short).await.unwrap();
    let mut come = callee.incoming().await.call;
    assert_eq!(
        next(&mut out).await,
        Happened::Failed {
            status: 408,
            retry_after: None
        }
    );
    assert_eq!(next(&mut come).await, Happened::Cancelled);
}

#[tokio::test]
async fn nobody_at_the_other_end_is_a_408() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = Some((nobody.local_addr().unwrap(), Transport::Udp));
    let caller = Node::udp(config(trunk("carrier", to))).await;
    let mut out = caller.call(number("carrier", "200")).await;
    assert_eq!(
        next(&mut out).await,
        Happened::Failed {
            status: 408,
            retry_after: None
        }
    );
}

#[tokio::test]
async fn hold_and_resume_go_both_ways() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let (mut out, mut come) = up(&caller, &mut callee).await;
    let hold = SessionDescription::offer(&Ours {
        direction: Direction::SendOnly,
        ..ours(40_000, 2)
    });
    let asks = tokio::spawn({
        let out = out.clone();
        async move { out.offer(hold).await }
    });
    let Happened::Offer(offer) = next(&mut come).await else {
        panic!("an offer")
    };
    assert!(offer.holds());
    come.answer_offer(answer(&offer, 50_000));
    let answered = within(asks).await.unwrap().unwrap();
    assert_eq!(answered.audio().unwrap().direction, Direction::ReceiveOnly);

    let resume = SessionDescription::offer(&ours(50_000, 3));
    let asks = tokio::spawn({
        let come = come.clone();
        async move { come.offer(resume).await }
    });
    let Happened::Offer(_) = next(&mut out).await else {
        panic!("an offer")
    };
    out.refuse_offer(488);
    assert_eq!(
        within(asks).await.unwrap(),
        Err(CallError::Refused { status: 488 })
    );
    come.hang_up(HangUp::Normal);
    assert_eq!(next(&mut out).await, Happened::HungUp { why: Why::Peer });
}

#[tokio::test]
async fn both_sides_offer_at_once_and_both_are_heard() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let (out, come) = up(&caller, &mut callee).await;
    let answers = |mut call: trunkline_sip::Call, port| {
        tokio::spawn(async move {
            while let Some(happened) = call.events().await {
                if let Happened::Offer(offer) = happened {
                    call.answer_offer(answer(&offer, port));
                }
            }
        })
    };
    let (first, second) = (answers(out.clone(), 40_000), answers(come.clone(), 50_000));
    let both = within(async {
        tokio::join!(
            out.offer(SessionDescription::offer(&ours(40_010, 5))),
            come.offer(SessionDescription::offer(&ours(50_010, 5)))
        )
    })
    .await;
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    first.abort();
    second.abort();
}

#[tokio::test]
async fn a_transfer_is_asked_for_and_told_about() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let (out, mut come) = up(&caller, &mut callee).await;
    let asks = tokio::spawn(async move { (out.refer("sip:300@192.0.2.1", None).await, out) });
    let Happened::Refer { to, replaces } = next(&mut come).await else {
        panic!("a transfer")
    };
    assert_eq!((to.as_str(), replaces), ("sip:300@192.0.2.1", None));
    come.notify_referral(180);
    come.notify_referral(200);
    let (result, out) = within(asks).await.unwrap();
    assert_eq!(result, Ok(Referred::Connected));

    let (other, _there) = up(&caller, &mut callee).await;
    let dialog = other.dialog().unwrap();
    let asks = tokio::spawn(async move { out.refer("sip:300@192.0.2.1", Some(&other)).await });
    let Happened::Refer {
        replaces: Some(named),
        ..
    } = next(&mut come).await
    else {
        panic!("a transfer")
    };
    // The one asked stands where the transfer's target does not: it reads the tags the other way round.
    assert_eq!(
        (named.call, named.local, named.remote),
        (dialog.call, dialog.remote, dialog.local)
    );
    come.notify_referral(486);
    assert_eq!(within(asks).await.unwrap(), Ok(Referred::Failed { status: 486 }));
}

#[tokio::test]
async fn a_call_takes_the_place_of_another() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let (first, come) = up(&caller, &mut callee).await;
    let dialog = first.dialog().unwrap();
    let replaces = format!(
        "{};to-tag={};from-tag={}",
        dialog.call, dialog.remote, dialog.local
    );
    let call = |replaces: String| trunkline_sip::Outgoing {
        headers: vec![
            ("Replaces".to_owned(), replaces),
            ("Bad\r\nName".to_owned(), "x".to_owned()),
        ],
        ..outgoing(number("carrier", "200"))
    };
    let _second = caller.sip.call(call(replaces)).await.unwrap();
    let named = callee.incoming().await.replaces.unwrap();
    assert_eq!(callee.sip.call_of(&named).as_deref(), Some(come.id()));
    let mut third = caller
        .sip
        .call(call("nobody;to-tag=a;from-tag=b".to_owned()))
        .await
        .unwrap();
    assert_eq!(
        next(&mut third).await,
        Happened::Failed {
            status: 481,
            retry_after: None
        }
    );
}

#[tokio::test]
async fn caps_hold_and_draining_refuses_new_calls_only() {
    let callee_config = |calls| {
        config(Trunk {
            caps: Caps {
                calls: Some(calls),
                calls_per_second: None,
            },
            ..trunk("caller", None)
        })
    };
    let mut callee = Node::udp(callee_config(1)).await;
    let to = Some((callee.address(Transport::Udp), Transport::Udp));
    let caller = Node::udp(config(trunk("carrier", to))).await;
    let (_out, mut come) = up(&caller, &mut callee).await;
    let full = Happened::Failed {
        status: 503,
        retry_after: Some(5),
    };
    let mut second = caller.call(number("carrier", "200")).await;
    assert_eq!(next(&mut second).await, full);
    callee.sip.configure(callee_config(2));
    callee.sip.drain(true);
    let mut third = caller.call(number("carrier", "200")).await;
    assert_eq!(next(&mut third).await, full);
    callee.sip.drain(false);
    let (_fourth, _) = up(&caller, &mut callee).await;
    assert_eq!(callee.sip.counts().trunks, [("caller".to_owned(), 2)]);
    callee.sip.stop().await;
    assert_eq!(next(&mut come).await, Happened::HungUp { why: Why::Ours });
}

#[tokio::test]
async fn a_trunk_that_calls_too_often_is_told_when_to_come_again() {
    let caps = Caps {
        calls: None,
        calls_per_second: Some(1.0),
    };
    let mut callee = Node::udp(config(Trunk {
        caps,
        ..trunk("caller", None)
    }))
    .await;
    let to = Some((callee.address(Transport::Udp), Transport::Udp));
    let caller = Node::udp(config(trunk("carrier", to))).await;
    let _first = caller.call(number("carrier", "200")).await;
    let _ringing = callee.incoming().await;
    // The second of a burst; how soon the rate allows another is told by the clock, and tested where it stands.
    let mut refused = 0;
    for _ in 0..5 {
        let mut next_call = caller.call(number("carrier", "200")).await;
        tokio::select! {
            happened = next(&mut next_call) => {
                let full = Happened::Failed { status: 503, retry_after: Some(5) };
                assert_eq!(happened, full);
                refused += 1;
            }
            _late = callee.incoming() => {}
        }
    }
    assert!(refused > 0);
    assert_eq!(callee.sip.counts().refused, refused);
}

#[tokio::test]
async fn a_trunk_may_log_in_and_a_wrong_password_may_not() {
    let login = Credentials {
        user: "sbc".to_owned(),
        password: "geheim".to_owned(),
    };
    let trunk_in = Trunk {
        name: "caller".to_owned(),
        login: Some(login.clone()),
        ..Trunk::default()
    };
    let mut callee = Node::udp(config(trunk_in)).await;
    let to = Some((callee.address(Transport::Udp), Transport::Udp));
    let with = |outbound| Trunk {
        outbound,
        ..trunk("carrier", to)
    };
    let right = Node::udp(config(with(Some(login)))).await;
    let mut out = right.call(number("carrier", "200")).await;
    let incoming = callee.incoming().await;
    assert_eq!(
        incoming.from,
        Source::Trunk {
            name: "caller".to_owned()
        }
    );
    incoming.call.refuse(480, "", None);
    assert_eq!(
        next(&mut out).await,
        Happened::Failed {
            status: 480,
            retry_after: None
        }
    );
    let wrong = Credentials {
        user: "sbc".to_owned(),
        password: "falsch".to_owned(),
    };
    for outbound in [None, Some(wrong)] {
        let caller = Node::udp(config(with(outbound))).await;
        let mut out = caller.call(number("carrier", "200")).await;
        assert_eq!(
            next(&mut out).await,
            Happened::Failed {
                status: 401,
                retry_after: None
            }
        );
    }
    assert_eq!(callee.sip.counts().wrong_passwords, 1);
}

/// An exchange that registers with another as a phone does.
async fn phone(at: &Node, transport: Transport, password: &str) -> Node {
    let address = at.address(transport);
    let login = Credentials {
        user: "anna".to_owned(),
        password: password.to_owned(),
    };
    let trunk = Trunk {
        name: "pbx".to_owned(),
        networks: vec!["127.0.0.0/8".parse().unwrap_or_else(|_| panic!("a network"))],
        to: Some(Target {
            host: address.ip().to_string(),
            port: Some(address.port()),
            transport,
        }),
        outbound: Some(login),
        register: Some(Register {
            user: "anna".to_owned(),
            seconds: 600,
        }),
        ..Trunk::default()
    };
    Node::start(settings(&[transport]), config(trunk)).await
}

#[tokio::test]
async fn a_phone_registers_calls_is_called_and_leaves() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        let accounts = Config {
            trunks: Vec::new(),
            accounts: vec![account("anna", "geheim")],
        };
        let mut pbx = Node::start(settings(&[transport]), accounts).await;
        let mut phone = phone(&pbx, transport, "geheim").await;
        let Arriving::Registered { account } = pbx.arriving().await else {
            panic!("a registration")
        };
        assert_eq!(account, "anna");
        assert!(pbx.sip.registered("anna") && !pbx.sip.registered("bert"));

        let mut out = phone.call(number("pbx", "100")).await;
        let incoming = pbx.incoming().await;
        assert_eq!(
            incoming.from,
            Source::Account {
                name: "anna".to_owned()
            }
        );
        incoming.call.refuse(486, "", None);
        assert_eq!(
            next(&mut out).await,
            Happened::Failed {
                status: 486,
                retry_after: None
            }
        );

        let mut out = pbx.call(Destination::Account("anna".to_owned())).await;
        let incoming = phone.incoming().await;
        let answered = answer(&incoming.offer.unwrap(), 50_000);
        within(incoming.call.answer(answered)).await.unwrap();
        assert!(matches!(next(&mut out).await, Happened::Answered(_)));
        out.hang_up(HangUp::Normal);
        let mut there = incoming.call;
        assert_eq!(next(&mut there).await, Happened::Acknowledged);
        assert_eq!(next(&mut there).await, Happened::HungUp { why: Why::Peer });

        let nobody = pbx
            .sip
            .call(outgoing(Destination::Account("bert".to_owned())))
            .await;
        assert_eq!(nobody.err(), Some(CallError::NotRegistered("bert".to_owned())));
        phone.sip.stop().await;
        let Arriving::Unregistered { account } = pbx.arriving().await else {
            panic!("it leaves")
        };
        assert_eq!(account, "anna");
    }
}

#[tokio::test]
async fn an_account_that_is_taken_away_is_unregistered() {
    let accounts = Config {
        trunks: Vec::new(),
        accounts: vec![account("anna", "geheim")],
    };
    let mut pbx = Node::udp(accounts).await;
    let _phone = phone(&pbx, Transport::Udp, "geheim").await;
    assert!(matches!(pbx.arriving().await, Arriving::Registered { .. }));
    pbx.sip.configure(Config::default());
    assert!(matches!(pbx.arriving().await, Arriving::Unregistered { .. }));
    assert!(!pbx.sip.registered("anna"));
}

#[tokio::test]
async fn a_wrong_password_registers_nobody() {
    let accounts = Config {
        trunks: Vec::new(),
        accounts: vec![account("anna", "geheim")],
    };
    let pbx = Node::udp(accounts).await;
    let _phone = phone(&pbx, Transport::Udp, "falsch").await;
    until("it is counted", || pbx.sip.counts().wrong_passwords == 1).await;
    assert!(!pbx.sip.registered("anna"));
}

#[tokio::test]
async fn sessions_are_refreshed_and_one_that_is_too_short_is_corrected() {
    let short = |seconds, least| Settings {
        session_seconds: seconds,
        session_seconds_min: least,
        ..settings(&[Transport::Udp])
    };
    let mut callee = Node::start(short(4, 4), config(trunk("caller", None))).await;
    let to = Some((callee.address(Transport::Udp), Transport::Udp));
    let caller = Node::start(short(2, 1), config(trunk("carrier", to))).await;
    // 422 first, then 4 seconds; refreshed after 2, so it is up after 6.
    let (mut out, mut come) = up(&caller, &mut callee).await;
    let quiet = tokio::time::timeout(Duration::from_secs(6), async {
        tokio::select! {
            happened = out.events() => happened,
            happened = come.events() => happened,
        }
    });
    assert!(quiet.await.is_err(), "refreshes do not reach the phone");
    out.hang_up(HangUp::Normal);
    assert_eq!(next(&mut come).await, Happened::HungUp { why: Why::Peer });
}

#[tokio::test]
async fn tls_carries_calls_and_its_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "basicConstraints=CA:FALSE",
        ])
        .args([
            "-keyout",
            &path("key.pem").to_string_lossy(),
            "-out",
            &path("cert.pem").to_string_lossy(),
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = trunkline_sip::TlsFiles {
        certificate: path("cert.pem"),
        key: path("key.pem"),
    };
    let with = |authorities| Settings {
        tls: Some(files.clone()),
        authorities,
        ..settings(&[Transport::Tls])
    };
    let mut callee = Node::start(with(None), config(trunk("caller", None))).await;
    let to = Some((callee.address(Transport::Tls), Transport::Tls));
    let caller = Node::start(with(Some(path("cert.pem"))), config(trunk("carrier", to))).await;
    let (out, mut come) = up(&caller, &mut callee).await;
    out.hang_up(HangUp::Normal);
    assert_eq!(next(&mut come).await, Happened::HungUp { why: Why::Peer });
    let stranger = Node::start(with(None), config(trunk("carrier", to))).await;
    let mut out = stranger.call(number("carrier", "200")).await;
    assert!(matches!(next(&mut out).await, Happened::Failed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_calls_leave_nothing_behind() {
    let (caller, mut callee) = pair(Transport::Udp).await;
    let answering = tokio::spawn(async move {
        while let Some(arriving) = callee.arrivals.recv().await {
            let Arriving::Call(incoming) = arriving else {
                continue;
            };
            tokio::spawn(async move {
                let mut call = incoming.call;
                if let Some(offer) = incoming.offer {
                    let _ = call.answer(answer(&offer, 50_000)).await;
                }
                while call.events().await.is_some() {}
            });
            if callee.sip.counts().incoming == 2_000 {
                break;
            }
        }
        callee
    });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..2_000 {
        let sip = caller.sip.clone();
        while calls.len() >= 50 {
            calls.join_next().await;
        }
        calls.spawn(async move {
            let mut call = sip
                .call(outgoing(number("carrier", "200")))
                .await
                .expect("there is room");
            assert!(matches!(next(&mut call).await, Happened::Answered(_)));
            call.hang_up(HangUp::Normal);
            assert_eq!(next(&mut call).await, Happened::HungUp { why: Why::Ours });
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    let callee = tokio::time::timeout(Duration::from_secs(60), answering)
        .await
        .unwrap()
        .unwrap();
    for node in [&caller.sip, &callee.sip] {
        until("no call is left", || node.counts().calls == 0).await;
        until("no dialog is left", || node.counts().dialogs == 0).await;
        until("no transaction is left", || node.counts().transactions == 0).await;
        assert!(node.counts().trunks.is_empty());
    }
}
