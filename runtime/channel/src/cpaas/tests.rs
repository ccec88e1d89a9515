//! Documents as carriers read them, and requests as they write them.

use super::*;

fn said(text: &str) -> Said {
    Said {
        text: text.into(),
        speech: Vec::new(),
        language: "en".into(),
        recording: None,
        firm: false,
    }
}

fn gather() -> Gather {
    Gather {
        action: "https://h.example/x?after=1&kind=gather".to_owned(),
        keys_max: 4,
        finish: Some('#'),
        first: Duration::from_secs(8),
        next: Duration::from_secs(3),
        words: true,
        language: "zh-CN".into(),
    }
}

#[test]
fn a_question_stands_in_gather_and_a_notice_before_it() {
    let script = Script {
        said: vec![
            Said {
                firm: true,
                ..said("This call is recorded.")
            },
            said("Your number?"),
        ],
        then: Then::Gather(gather()),
    };
    assert_eq!(
        render(Dialect::Twiml, &script),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en-US\">This call is recorded.\
         </Say><Gather input=\"dtmf speech\" action=\"https://h.example/x?after=1&amp;kind=gather\" \
         method=\"POST\" actionOnEmptyResult=\"true\" timeout=\"8\" numDigits=\"4\" finishOnKey=\"#\" \
         speechTimeout=\"auto\" language=\"cmn-Hans-CN\"><Say language=\"en-US\">Your number?</Say></Gather>\
         </Response>"
    );
    let verbs: serde_json::Value = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    assert_eq!(verbs[0]["verb"], "say");
    assert_eq!(verbs[0]["text"], "This call is recorded.");
    assert_eq!(verbs[1]["verb"], "gather");
    assert_eq!(verbs[1]["say"]["text"], "Your number?");
    assert_eq!(verbs[1]["interDigitTimeout"], 3);
    assert_eq!(verbs[1]["recognizer"]["language"], "zh-CN");
    assert_eq!(verbs.as_array().unwrap().len(), 2);
}

#[test]
fn what_is_said_cannot_leave_its_place() {
    let script = Script {
        said: vec![said("</Say><Dial>+1</Dial> & \"quotes\" \u{0}\u{b}")],
        then: Then::HangUp,
    };
    let xml = render(Dialect::Twiml, &script);
    assert!(
        !xml.contains("<Dial>") && !xml.contains('\u{0}') && !xml.contains('\u{b}'),
        "{xml}"
    );
    assert!(
        xml.contains("&lt;/Say&gt;&lt;Dial&gt;+1&lt;/Dial&gt; &amp; &quot;quotes&quot;"),
        "{xml}"
    );
    let verbs: serde_json::Value = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    let text = verbs[0]["text"].as_str().unwrap();
    assert!(text.starts_with("<speak>&lt;/Say&gt;"), "{text}");
}

#[test]
fn digits_are_read_one_by_one() {
    let script = Script {
        said: vec![Said {
            speech: vec![
                Speech::Text("Your code is ".into()),
                Speech::Digits("1234".into()),
                Speech::Pause(Duration::from_millis(500)),
            ],
            ..said("Your code is 1234")
        }],
        then: Then::HangUp,
    };
    let ssml = "Your code is <say-as interpret-as=\"characters\">1234</say-as><break time=\"500ms\"/>";
    assert!(render(Dialect::Twiml, &script).contains(ssml));
    let verbs: serde_json::Value = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    assert_eq!(verbs[0]["text"], format!("<speak>{ssml}</speak>"));
}

#[test]
fn recordings_are_played_and_a_gather_of_jambonz_holds_the_last() {
    let script = Script {
        said: vec![
            Said {
                recording: Some("https://h.example/a.wav".to_owned()),
                ..said("Hello.")
            },
            said("One."),
            said("Two."),
        ],
        then: Then::Gather(gather()),
    };
    assert!(render(Dialect::Twiml, &script).contains("<Play>https://h.example/a.wav</Play><Say"));
    let verbs: serde_json::Value = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    assert_eq!(verbs[0]["verb"], "play");
    assert_eq!(verbs[1]["say"]["text"], "One.\nTwo.");
}

#[test]
fn a_transfer_tells_when_it_is_answered() {
    let script = Script {
        said: vec![],
        then: Then::Dial {
            target: Target::of("+86 571-12345").unwrap(),
            ring: Duration::from_secs(30),
            action: "https://h.example/d".to_owned(),
            answered: "https://h.example/a".to_owned(),
        },
    };
    assert!(
        render(Dialect::Twiml, &script).contains(
            "<Dial action=\"https://h.example/d\" method=\"POST\" timeout=\"30\"><Number \
             statusCallback=\"https://h.example/a\" statusCallbackEvent=\"answered\" \
             statusCallbackMethod=\"POST\">+8657112345</Number></Dial>"
        ),
        "{}",
        render(Dialect::Twiml, &script)
    );
    let verbs: serde_json::Value = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    assert_eq!(verbs[0]["target"][0]["number"], "+8657112345");
    assert_eq!(verbs[0]["confirmHook"]["url"], "https://h.example/a");
    assert_eq!(Target::of("sip:a@b"), Some(Target::Sip("sip:a@b".into())));
    assert_eq!(
        Target::of("tel:(0571) 12345"),
        Some(Target::Number("057112345".into()))
    );
    for neither in [
        "zhang@b",
        "zhang-wei",
        "client:zhang",
        "sip:",
        "sip:a b",
        "",
        "+",
        "https://b/1",
    ] {
        assert_eq!(Target::of(neither), None, "{neither}");
    }
}

#[test]
fn a_form_is_read_as_browsers_write_it() {
    let body =
        b"CallSid=CA1&From=%2B8613800138000&To=%2B12345&CallStatus=in-progress&Digits=12&SpeechResult=\
                 %E5%85%AC%E7%A7%AF+a&DialCallStatus=no-answer&RecordingSid=RE1";
    let posted = Posted::read(Dialect::Twiml, body).unwrap();
    assert_eq!(posted.call, "CA1");
    assert_eq!(posted.from.as_deref(), Some("+8613800138000"));
    assert_eq!(posted.digits.as_deref(), Some("12"));
    assert_eq!(posted.words.as_deref(), Some("公积 a"));
    assert_eq!(posted.dialled, Some(Dialled::NoAnswer));
    assert_eq!(posted.phase, Some(Phase::UnderWay));
    for bad in [&b"CallSid=%zz"[..], b"CallSid=%ff", b"CallSid=%2"] {
        assert_eq!(
            Posted::read(Dialect::Twiml, bad),
            Err(BadPost::NotForm),
            "{bad:?}"
        );
    }
    assert_eq!(Posted::read(Dialect::Twiml, b"Digits=1"), Err(BadPost::NoCall));
    let many = "a=1&".repeat(POSTED_FIELDS_MAX + 1);
    assert_eq!(
        Posted::read(Dialect::Twiml, many.as_bytes()),
        Err(BadPost::NotForm)
    );
}

#[test]
fn json_is_read_as_jambonz_writes_it() {
    let body = r#"{"call_sid":"c","from":"+1","to":"12345","call_status":"completed","direction":"inbound",
        "reason":"speechDetected","speech":{"is_final":true,"alternatives":[{"transcript":"hello","confidence":0.9}]}}"#;
    let posted = Posted::read(Dialect::Jambonz, body.as_bytes()).unwrap();
    assert_eq!(
        (posted.words.as_deref(), posted.phase),
        (Some("hello"), Some(Phase::Over))
    );
    for bad in [&b"[]"[..], b"{\"call_sid\":1}", b"\xff", b""] {
        assert_eq!(
            Posted::read(Dialect::Jambonz, bad),
            Err(BadPost::NotJson),
            "{bad:?}"
        );
    }
    let deep = "[".repeat(60_000);
    assert_eq!(
        Posted::read(Dialect::Jambonz, deep.as_bytes()),
        Err(BadPost::NotJson)
    );
}

#[test]
fn a_number_that_is_withheld_is_no_caller() {
    for (number, word) in WITHHELD {
        // It is the word as it stands on the keys of a telephone.
        let keys: String = word
            .chars()
            .map(|letter| match letter {
                'A'..='C' => '2',
                'D'..='F' => '3',
                'G'..='I' => '4',
                'J'..='L' => '5',
                'M'..='O' => '6',
                'P'..='S' => '7',
                'T'..='V' => '8',
                _ => '9',
            })
            .collect();
        assert_eq!(number, format!("+{keys}"));
        let form = format!("CallSid=CA1&From=%2B{keys}");
        let hook = format!(r#"{{"call_sid":"CA1","from":"+{keys}"}}"#);
        for (dialect, body) in [(Dialect::Twiml, form), (Dialect::Jambonz, hook)] {
            let posted = Posted::read(dialect, body.as_bytes()).unwrap();
            assert_eq!(posted.from, None, "{word}");
        }
    }
    let posted = Posted::read(Dialect::Twiml, b"CallSid=CA1&From=%2B8613800138000").unwrap();
    assert_eq!(posted.from.as_deref(), Some("+8613800138000"));
}

#[test]
fn a_long_text_is_said_in_parts() {
    let sentence = "Your call is answered in the order in which it came. ";
    let script = Script {
        said: vec![said(&sentence.repeat(100))],
        then: Then::HangUp,
    };
    let twiml = render(Dialect::Twiml, &script);
    assert_eq!(twiml.matches("<Say ").count(), 2, "{twiml}");
    let verbs: Vec<serde_json::Value> = serde_json::from_str(&render(Dialect::Jambonz, &script)).unwrap();
    assert_eq!(verbs.len(), 3);
    let first = verbs[0]["text"].as_str().unwrap();
    assert!(first.ends_with("it came.") && first.len() <= 3_000, "{first}");
}
