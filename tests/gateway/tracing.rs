//! `threading.settrace` and `threading.setprofile`: a request is traced as a Python thread is.

use crate::host::call;

fn seen(set: &str) -> String {
    // A function that one request sets is called in the next one, and the one after that returns
    // what it has seen. All run on the same thread.
    call("traced").header("X-Set", set).run();
    call("traced").run();
    call("traced").run().text()
}

#[test]
fn requests_are_traced_as_threads_of_threading() {
    // One test, since all of this sets the same function.
    assert_eq!(seen("None"), "", "no function is set");
    assert_eq!(seen("threading.settrace(tracer)"), "traced");
    assert_eq!(
        seen("sys.settrace(None)"),
        "traced",
        "this ends with the request, as with a thread"
    );
    assert_eq!(seen("threading.settrace(another_tracer)"), "traced by another", "a new one");
    assert_eq!(seen("threading.settrace(None)"), "", "no function any more");
    assert_eq!(seen("threading.setprofile(tracer)"), "traced");
    assert_eq!(seen("threading.setprofile(None)"), "");
}
