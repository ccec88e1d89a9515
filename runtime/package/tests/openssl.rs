//! Keys and signatures that openssl and this crate make are read by the other. cosign signs and
//! verifies the same bytes with the same curve and hash, so what openssl accepts it accepts.

use std::{fs, path::Path, process::Command};

use trunkline_model::Digest;
use trunkline_package::{
    key::{PrivateKey, PublicKey},
    signature::Signature,
};

/// Made once by `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, then
/// `openssl dgst -sha256 -sign publisher.key payload.json | base64 -w0`.
const PUBLIC: &str = include_str!("openssl/publisher.pub");
const PAYLOAD: &[u8] = include_bytes!("openssl/payload.json");
const SIGNATURE: &str = include_str!("openssl/payload.sig");

/// `openssl pkey -pubin -in publisher.pub -outform DER | sha256sum`
const FINGERPRINT: &str = "ad4b41aceab4d61e36fd7cedd85ff1bc9132bf9d57844eb3ab706b4be762a1c2";

fn openssl(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("openssl runs: install it (Debian: apt-get install openssl)");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn a_signature_made_by_openssl_holds() {
    let key = PublicKey::from_pem("publisher.pub", PUBLIC.as_bytes()).unwrap();
    assert_eq!(key.fingerprint().to_string(), FINGERPRINT);
    assert_eq!(key.to_pem(), PUBLIC);
    let signature = Signature {
        payload: PAYLOAD.to_vec(),
        signature: SIGNATURE.trim().to_owned(),
    };
    let digest: Digest = "20bec1c4d0d0a4d9ac9f6b0a8b8e0f3d7ff6d0f6a8a3c1bb2d9c7e5f40f1fe55"
        .parse()
        .unwrap();
    signature.verify(&key, &digest).unwrap();
    assert!(signature.verify(&key, &Digest::of(b"another")).is_err());
}

#[test]
fn openssl_verifies_what_is_signed_here() {
    let folder = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate_files(&folder.path().join("civil")).unwrap();
    let signature = Signature::make(&key, "registry.example/civil/crm", &Digest::of(b"manifest")).unwrap();
    fs::write(folder.path().join("payload.json"), &signature.payload).unwrap();
    fs::write(folder.path().join("payload.b64"), &signature.signature).unwrap();
    let decode = ["base64", "-d", "-A", "-in", "payload.b64", "-out", "payload.sig"];
    assert!(openssl(folder.path(), &decode).0);
    let verify = [
        "dgst",
        "-sha256",
        "-verify",
        "civil.pub",
        "-signature",
        "payload.sig",
        "payload.json",
    ];
    let (holds, said) = openssl(folder.path(), &verify);
    assert!(holds && said.contains("Verified OK"), "{said}");
    fs::write(folder.path().join("payload.json"), "other words").unwrap();
    assert!(!openssl(folder.path(), &verify).0);
}

#[test]
fn a_key_made_by_openssl_signs_here() {
    let folder = tempfile::tempdir().unwrap();
    let make = [
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        "made.key",
    ];
    assert!(openssl(folder.path(), &make).0);
    let public = ["pkey", "-in", "made.key", "-pubout", "-out", "made.pub"];
    assert!(openssl(folder.path(), &public).0);
    let pem = fs::read(folder.path().join("made.key")).unwrap();
    let private = PrivateKey::from_pem("made.key", &pem).unwrap();
    let public = PublicKey::read(&folder.path().join("made.pub")).unwrap();
    assert_eq!(private.public(), &public);
    let digest = Digest::of(b"manifest");
    let signature = Signature::make(&private, "registry.example/civil/crm", &digest).unwrap();
    signature.verify(&public, &digest).unwrap();
}
