//! Status and headers: the client must get what an independent reading of the rules accepts.
#![no_main]

use fuzz::host::Answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let answer = fuzz::call("headers.py").method("POST").body(data).run();
    fuzz::check(&answer);
    assert!(answer.status != 0, "neither accepted nor refused: {:#?}", answer.log);
    if answer.body().starts_with(b"accepted\0") && answer.content_length.is_none() {
        assert_eq!(latin1(&answer.body()), format!("accepted\0{}", arrived(&answer)));
    }
});

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn arrived(answer: &Answer) -> String {
    let fields = answer.headers.iter().flat_map(|(name, value)| [name, value]);
    let head = format!("{}\0{}\0", answer.status, answer.reason);
    fields.fold(head, |text, field| text + field + "\0")
}
