//! Every interleaving of `Credit`, within loom's bounds. A producer that never wakes up is a
//! deadlock, which loom reports.
//!
//! These checks can fail, as trials have shown. Loom reports a deadlock if the producer reads the
//! count and sets PARKED in two steps, or does not set it, if a thread wakes it without the lock,
//! if only one of two is woken, if `release` decides by the count before its own bytes, and if
//! `end` or `open` wakes no producer.

use loom::sync::Arc;
use loom::thread;
use model::checked::credit::Credit;

/// The bytes that threads release wake a parked producer, even if no single release is enough.
#[test]
fn a_parked_producer_is_woken_by_release() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let releasers = [1, 2].map(|bytes| {
            let credit = credit.clone();
            thread::spawn(move || credit.release(bytes))
        });
        assert!(credit.wait());
        for releaser in releasers {
            releaser.join().expect("no thread panics");
        }
        assert!(!credit.is_over());
    });
}

/// A producer that fills its credit again after each wait is woken each time.
#[test]
fn a_producer_parks_again_and_again() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(3));
        credit.reserve(4);
        let releasing = credit.clone();
        let releaser = thread::spawn(move || {
            releasing.release(3);
            releasing.release(1);
        });
        assert!(credit.wait());
        credit.reserve(1);
        assert!(credit.wait());
        releaser.join().expect("no thread panics");
    });
}

/// All producers that share a credit are woken. The first of them clears PARKED and may fill the
/// credit again.
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

/// `end` wakes a parked producer, even if no byte is ever released.
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

/// `open` wakes a parked producer. It does not park again while the credit is open.
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

/// A producer that finds the credit closed again is woken by a release.
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

/// With `release` and `end` at the same time, the producer wakes, and finds the end at its next
/// wait.
#[test]
fn release_and_end_may_race() {
    loom::model(|| {
        let credit = Arc::new(Credit::new(2));
        credit.reserve(3);
        let releasing = credit.clone();
        let releaser = thread::spawn(move || releasing.release(3));
        let ending = credit.clone();
        let end = thread::spawn(move || ending.end());
        credit.wait();
        releaser.join().expect("no thread panics");
        end.join().expect("no thread panics");
        assert!(!credit.wait());
    });
}
