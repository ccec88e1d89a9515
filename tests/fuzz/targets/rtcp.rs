//! RTCP: compound datagrams are walked within bounds, and what was read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_media::rtcp;

fuzz_target!(|bytes: &[u8]| {
    // The first four bytes say who we are.
    let Some((us, bytes)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let us = u32::from_be_bytes(*us);
    let Ok(report) = rtcp::parse(bytes, us) else {
        return;
    };
    assert!(report.about_us.is_none_or(|block| block.ssrc == us));
    let mut into = [0; rtcp::REPORT_BYTES_MAX];
    let length = rtcp::write_report(
        &mut into,
        report.ssrc,
        report.sender.as_ref(),
        report.about_us.as_ref(),
        b"0123456789abcdef",
    );
    let again = rtcp::parse(&into[..length], us).expect("our own report");
    assert_eq!(
        (again.ssrc, again.sender, again.about_us),
        (report.ssrc, report.sender, report.about_us)
    );
    let length = rtcp::write_goodbye(&mut into, report.ssrc);
    assert!(rtcp::parse(&into[..length], us).expect("our own goodbye").goodbye);
});
