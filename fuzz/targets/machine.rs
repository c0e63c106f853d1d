//! The response of an application that does anything in any order.
#![no_main]

use fuzz::host::Answer;
use libfuzzer_sys::fuzz_target;
use wsgi::host::Outcome;

/// Must be equal to PERIOD of applications/machine.py.
const PERIOD: usize = 251;

fuzz_target!(|data: &[u8]| {
    let Some((&how, program)) = data.split_first() else {
        return;
    };
    let mut call = fuzz::call("machine.py").body(program);
    call = call.method(if how & 1 == 0 { "GET" } else { "HEAD" });
    if how & 0x80 != 0 {
        call = call.leave_at_write(1 + usize::from(how >> 1 & 3));
    }
    let answer = call.run();
    fuzz::check(&answer);
    check_body(&answer);
    check_iterable(&answer);
});

fn count(answer: &Answer, what: &str) -> usize {
    answer.log.iter().filter(|line| *line == what).count()
}

/// No byte may be lost, doubled or out of order.
fn check_body(answer: &Answer) {
    let body = answer.body();
    let mut bytes = body.iter().enumerate();
    assert!(bytes.all(|(at, &byte)| usize::from(byte) == at % PERIOD), "not the pattern: {body:?}");
    let gave = answer.log.iter().rev().find_map(|line| line.strip_prefix("gave "));
    let excess = ["WSGI0205", "WSGI0217", "write failed"].iter().any(|word| answer.logged(word));
    let whole = answer.is_complete() && !answer.no_body && !excess;
    if let Some(gave) = gave.filter(|_| whole) {
        let gave: usize = gave.parse().expect("machine.py writes a number");
        assert_eq!(body.len(), gave, "not all that the application gave");
    }
}

/// The server calls close() once for each iterable, and a failure must not look like success.
fn check_iterable(answer: &Answer) {
    let (made, closed) = (count(answer, "made"), count(answer, "closed"));
    assert_eq!(made, closed, "close() of an iterable: {:#?}", answer.log);
    let failed = count(answer, "raised") > 0;
    assert!(!failed || answer.outcome != Some(Outcome::Complete), "{:#?}", answer.log);
}
