//! wsgi.input compared with io.BytesIO: from memory, and pulled from a host that may break off.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fmt::Write;

/// First bytes of the input: how often the rest of the data is repeated as the body, where the body
/// is divided, and how long the program is that follows.
const HEAD: usize = 4;

fuzz_target!(|data: &[u8]| {
    let Some((&[times, pieces, gap, program], rest)) = data.split_first_chunk::<HEAD>() else {
        return;
    };
    let (program, seed) = rest.split_at(rest.len().min(usize::from(program)));
    // Enough for a body of several blocks (64 KB), with any seed.
    let times = 1 + usize::from(times) * usize::from(times) / 4;
    let body = seed.repeat(times);
    let call = fuzz::call("input.py")
        .method("POST")
        .header("X-Program", &hex(program))
        .header("X-Whole", &hex(seed))
        .header("X-Times", &times.to_string());
    let breaks = pieces & 1 == 1;
    let answer = if pieces == 0 {
        call.body(&body).run()
    } else {
        let size = usize::from(pieces / 2) * usize::from(gap) + 1;
        let size = size.max(body.len() / 100);
        let mut blocks: Vec<_> = body.chunks(size).map(Some).collect();
        if breaks {
            // The last block does not come.
            blocks.pop();
            blocks.push(None);
        }
        call.upload(&blocks).run()
    };
    fuzz::check(&answer);
    assert!(breaks || answer.body() == b"whole", "OSError, though the body was complete");
});

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
