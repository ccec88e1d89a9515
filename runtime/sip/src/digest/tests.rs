//! Tests of the module above.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn nonce_of(challenge: &str) -> &str {
    challenge
        .split("nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a nonce")
}

fn answer(nonce: &str, algorithm: &str, nc: &str, password: &str) -> String {
    let hash = |text: String| match algorithm {
        "MD5" => hex::write(&Md5::digest(text.as_bytes())),
        _ => hex::write(&Sha256::digest(text.as_bytes())),
    };
    let who = hash(format!("anna:trunkline:{password}"));
    let what = hash("REGISTER:sip:pbx".to_owned());
    let response = hash(format!("{who}:{nonce}:{nc}:c:auth:{what}"));
    format!(
        "Digest username=\"anna\", realm=\"trunkline\", nonce=\"{nonce}\", uri=\"sip:pbx\", response=\"{response}\", \
         algorithm={algorithm}, cnonce=\"c\", nc={nc}, qop=auth"
    )
}

fn verify(digester: &Digester, header: &str) -> Verdict {
    digester.verify(header, "REGISTER", |user| {
        (user == "anna").then(|| "geheim".to_owned())
    })
}

#[test]
fn both_algorithms_let_the_right_password_in_and_no_other() {
    let digester = Digester::new("trunkline", true).unwrap();
    let challenges = digester.challenge(false);
    let [sha, md5] = challenges.as_slice() else {
        panic!("{challenges:?}");
    };
    let known = Verdict::Known("anna".to_owned());
    assert_eq!(
        verify(&digester, &answer(nonce_of(sha), "SHA-256", "00000001", "geheim")),
        known
    );
    assert_eq!(
        verify(&digester, &answer(nonce_of(md5), "MD5", "00000002", "geheim")),
        known
    );
    assert_eq!(
        verify(&digester, &answer(nonce_of(md5), "MD5", "00000003", "falsch")),
        Verdict::Wrong
    );
    let header = answer(nonce_of(md5), "MD5", "00000003", "geheim");
    assert_eq!(digester.verify(&header, "REGISTER", |_| None), Verdict::Wrong);
    assert_eq!(
        digester.verify(&header, "INVITE", |_| Some("geheim".to_owned())),
        Verdict::Wrong
    );
}

#[test]
fn counters_count_in_hexadecimal_and_are_good_once() {
    let digester = Digester::new("trunkline", true).unwrap();
    let md5 = &digester.challenge(false)[1];
    for nc in 1..40 {
        let header = answer(nonce_of(md5), "MD5", &format!("{nc:08x}"), "geheim");
        assert_eq!(
            verify(&digester, &header),
            Verdict::Known("anna".to_owned()),
            "{nc}"
        );
        assert_eq!(verify(&digester, &header), Verdict::Stale, "{nc} again");
    }
    let upper = answer(nonce_of(md5), "MD5", "000000FF", "geheim");
    assert_eq!(verify(&digester, &upper), Verdict::Known("anna".to_owned()));
    let overtaken = answer(nonce_of(md5), "MD5", "000000fe", "geheim");
    assert_eq!(verify(&digester, &overtaken), Verdict::Known("anna".to_owned()));
    assert_eq!(
        verify(&digester, &answer(nonce_of(md5), "MD5", "00000001", "geheim")),
        Verdict::Stale
    );
    assert_eq!(
        verify(&digester, &answer(nonce_of(md5), "MD5", "zz", "geheim")),
        Verdict::Wrong
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_nonce_and_a_foreign_one_are_stale() {
    let digester = Digester::new("trunkline", true).unwrap();
    let sha = &digester.challenge(false)[0];
    tokio::time::advance(NONCE_LIFE + Duration::from_secs(2)).await;
    assert_eq!(
        verify(&digester, &answer(nonce_of(sha), "SHA-256", "00000001", "geheim")),
        Verdict::Stale
    );
    let foreign = &Digester::new("trunkline", true).unwrap().challenge(false)[0];
    assert_eq!(
        verify(
            &digester,
            &answer(nonce_of(foreign), "SHA-256", "00000001", "geheim")
        ),
        Verdict::Stale
    );
    assert!(digester.challenge(true)[0].ends_with("stale=true"));
}

#[test]
fn phones_that_know_md5_alone_are_asked_by_it() {
    let digester = Digester::new("trunkline", false).unwrap();
    let challenges = digester.challenge(false);
    let [md5] = challenges.as_slice() else {
        panic!("{challenges:?}");
    };
    assert!(md5.contains("algorithm=MD5"), "{md5}");
    let known = Verdict::Known("anna".to_owned());
    let stronger = answer(nonce_of(md5), "SHA-256", "00000001", "geheim");
    assert_eq!(verify(&digester, &stronger), known);
    let plain = answer(nonce_of(md5), "MD5", "00000002", "geheim");
    assert_eq!(verify(&digester, &plain), known);
}

#[test]
fn a_challenge_to_us_is_put_in_the_stacks_words() {
    assert_eq!(
        simple_challenge(
            "Digest realm=\"a, b\",nonce=\"c\", algorithm=SHA-256 , qop=\"auth-int, auth\",stale=TRUE"
        )
        .as_deref(),
        Some("Digest realm=\"a, b\", nonce=\"c\", algorithm=sha256, qop=\"auth\", stale=TRUE")
    );
    assert_eq!(
        simple_challenge("Digest realm=\"a\", nonce=\"c\", algorithm=SHA-512-256"),
        None
    );
    assert_eq!(
        simple_challenge("Digest realm=\"a\", nonce=\"c\", qop=\"auth-int\""),
        None
    );
    assert_eq!(simple_challenge("Basic realm=\"a\""), None);
}

#[test]
fn quotes_and_commas_in_a_user_are_read() {
    let answer = read("digest username=\"a\\\"b, c\", uri=\"sip:x\" , qop=auth,nc=01").unwrap();
    assert_eq!(
        (answer.username.as_str(), answer.uri, answer.nc),
        ("a\"b, c", "sip:x", "01")
    );
    assert!(read("Basic abc").is_none());
    assert!(read("Digest username=\"unending").is_none());
}

proptest! {
    #[test]
    fn nothing_makes_reading_panic(header in "(Digest )?.{0,200}") {
        let digester = Digester::new("trunkline", true).unwrap();
        prop_assert_ne!(verify(&digester, &header), Verdict::Known("anna".to_owned()));
    }
}
