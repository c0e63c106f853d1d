//! `threading.settrace` and `threading.setprofile`: a request is traced as a thread of Python's.

use crate::host::call;

fn seen(set: &str) -> String {
    // What is set for the next request is seen by the one after it, on the same thread.
    call("traced").header("X-Set", set).run();
    call("traced").run();
    call("traced").run().text()
}

#[test]
fn threading_traces_requests_as_its_threads() {
    // One test, as all set the same.
    assert_eq!(seen("None"), "", "nothing is set");
    assert_eq!(seen("threading.settrace(tracer)"), "traced");
    assert_eq!(seen("sys.settrace(None)"), "traced", "of one request only, as of one thread");
    assert_eq!(seen("threading.settrace(another_tracer)"), "traced by another", "a new one");
    assert_eq!(seen("threading.settrace(None)"), "", "and none");
    assert_eq!(seen("threading.setprofile(tracer)"), "traced");
    assert_eq!(seen("threading.setprofile(None)"), "");
}
