//! Every interleaving of `Credit`, within loom's bounds; a producer that sleeps for ever is a
//! deadlock, which loom reports.
//!
//! That these checks can fail was tried: loom reports a deadlock if the producer looks at the count
//! and sets PARKED in two steps or not at all, if it is woken without the lock, if only one of two
//! is woken, if `release` decides by the count before its own bytes, and if `end` or `open` wakes nobody.

use loom::sync::Arc;
use loom::thread;
use model::checked::credit::Credit;

/// A producer that parks is woken by the bytes that come back, from however many threads.
#[test]
fn a_parked_producer_is_woken_by_give() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let givers = [1, 2].map(|bytes| {
            let credit = credit.clone();
            thread::spawn(move || credit.release(bytes))
        });
        assert!(credit.wait());
        for giver in givers {
            giver.join().expect("no thread panics");
        }
        assert!(!credit.is_over());
    });
}

/// A producer that fills its credit again after each wait gets all its bytes out.
#[test]
fn a_producer_parks_again_and_again() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(3));
        credit.reserve(4);
        let giving = credit.clone();
        let giver = thread::spawn(move || {
            giving.release(3);
            giving.release(1);
        });
        assert!(credit.wait());
        credit.reserve(1);
        assert!(credit.wait());
        giver.join().expect("no thread panics");
    });
}

/// Producers that share a credit are all woken, though the first to wake clears PARKED and may fill
/// the credit again.
#[test]
fn all_parked_producers_are_woken() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(4);
        let producers = [(); 2].map(|()| {
            let credit = credit.clone();
            thread::spawn(move || {
                assert!(credit.wait());
                credit.reserve(2);
                credit.release(2);
            })
        });
        credit.release(2);
        credit.release(1);
        for producer in producers {
            producer.join().expect("no thread panics");
        }
    });
}

/// A producer that parks is woken by `end`, also when nothing ever comes back.
#[test]
fn a_parked_producer_is_woken_by_end() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let ending = credit.clone();
        let end = thread::spawn(move || ending.end());
        assert!(!credit.wait());
        assert!(credit.is_ended());
        end.join().expect("no thread panics");
    });
}

/// A producer that parks is woken by `open`, and does not park while it is open.
#[test]
fn a_parked_producer_is_woken_by_open() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let opening = credit.clone();
        let opener = thread::spawn(move || opening.open());
        assert!(credit.wait());
        credit.reserve(1);
        opener.join().expect("no thread panics");
        assert!(credit.wait());
        assert!(!credit.is_ended());
    });
}

/// A producer that finds it closed again is woken by what comes back.
#[test]
fn it_may_close_before_the_producer_has_seen_it_open() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let opening = credit.clone();
        let opener = thread::spawn(move || {
            opening.open();
            opening.close();
            opening.release(3);
        });
        assert!(credit.wait());
        opener.join().expect("no thread panics");
        assert_eq!(credit.in_flight(), 0);
    });
}

/// `release` and `end` at once: the producer wakes, and after `end` it does not go on for long.
#[test]
fn give_and_end_may_race() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let giving = credit.clone();
        let giver = thread::spawn(move || giving.release(3));
        let ending = credit.clone();
        let end = thread::spawn(move || ending.end());
        credit.wait();
        giver.join().expect("no thread panics");
        end.join().expect("no thread panics");
        assert!(!credit.wait());
    });
}
