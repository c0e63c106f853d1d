//! What the fuzz targets share: the gateway's host in memory, and what every answer must fulfil.

pub mod data;
pub mod event_host;
pub mod hostile;

// The time limit of its calls.
#[path = "../../tests/gateway/limit.rs"]
pub mod limit;

#[path = "../../tests/gateway/host.rs"]
pub mod host;

use host::{Answer, Call};
use std::path::Path;
use wsgi::host::Outcome;

/// A call of `app` in a file of fuzz/applications.
pub fn call(file: &str) -> Call {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("applications");
    host::call_file(folder.join(file), "app")
}

/// Whether the line begins with WSGI0004, a bug of the library's own, or with the word that
/// `mismatch` in program.py writes. The function compares the words by their hash (FNV-1a): a
/// fuzzer learns the words of a comparison, and would put them into its inputs, which lines of the
/// log quote.
fn is_finding(line: &str) -> bool {
    const WORDS: [u64; 2] = [0xb028_6a8c_7db9_572f, 0x777f_e41a_01a2_b548];
    let word = line.split(' ').next().unwrap_or_default();
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    WORDS.contains(&hash)
}

/// What PEP 3333, HTTP and wsgi.h promise of an answer, with any application.
pub fn check(answer: &Answer) {
    assert!(!answer.log.iter().any(|line| is_finding(line)), "{:#?}", answer.log);
    let (started, length) = (answer.status != 0, answer.body().len() as u64);
    assert!(answer.writes.iter().all(|write| !write.is_empty()), "an empty write");
    assert!(!answer.no_body || length == 0, "a body where there must be none");
    assert!(length <= answer.content_length.unwrap_or(u64::MAX), "more than Content-Length");
    match answer.outcome {
        Some(Outcome::Complete) => {
            assert!(started, "complete without a head");
            let stated = answer.content_length.filter(|_| !answer.no_body);
            assert!(stated.is_none_or(|stated| stated == length), "less than Content-Length");
        }
        Some(Outcome::Truncated) => assert!(started, "truncated before its head"),
        Some(Outcome::Failed) => assert!(!started && length == 0, "failed after its head"),
        Some(Outcome::Unavailable { .. }) => panic!("a blocking host must not get Unavailable"),
        None => {
            let left = answer.leave_at_write.is_some_and(|at| answer.writes.len() >= at);
            assert!(left, "no outcome, though the client stayed");
        }
    }
    if started {
        check_head(answer);
    }
}

fn check_head(answer: &Answer) {
    let is_clean = |text: &str| text.chars().all(|c| !c.is_control() || c > '\x7f' || c == '\t');
    assert!((200..1000).contains(&answer.status));
    assert!(is_clean(&answer.reason), "{:?}", answer.reason);
    for (name, value) in &answer.headers {
        let token =
            name.chars().all(|c| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]{}".contains(c));
        assert!(token && !name.is_empty(), "{name:?}");
        assert!(is_clean(value) && value.trim_matches([' ', '\t']) == value, "{value:?}");
        let owned = ["content-length", "connection", "keep-alive", "transfer-encoding", "upgrade"];
        assert!(!owned.contains(&name.to_ascii_lowercase().as_str()), "{name} is the server's");
    }
}
