//! Whether the host fetches its news, or has lost the notification of them.
//!
//! A loop that polls first and reads its eventfd afterwards loses a notification that came in
//! between. No other one follows, since one notification stands for all news until the next poll.
//! So the loop would go on sleeping. The watch (`runtime::unfetched`) prevents that. As long as
//! there may be news, it checks from time to time whether some have waited for a while. Then it
//! notifies the host again.

use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

type Wake = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct News {
    /// How often the host has polled.
    polls: AtomicUsize,
    /// The watch checks from time to time.
    watched: AtomicBool,
    /// Wakes the watch.
    wake: OnceCell<Wake>,
}

impl News {
    pub(super) fn set_watch(&self, wake: Wake) {
        let _ = self.wake.set(wake);
    }

    /// The host polls.
    pub(super) fn fetch(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the host has polled.
    pub(super) fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }

    /// The host was notified. The watch must check from now on.
    pub(super) fn watch(&self) {
        if self.is_watched() {
            return;
        }
        if let Some(wake) = self.wake.get() {
            self.watched.store(true, Ordering::SeqCst);
            wake();
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// The watch stops its checks, unless `has_news` returns true. News that come later wake it.
    pub(super) fn unwatch(&self, has_news: impl FnOnce() -> bool) {
        self.watched.store(false, Ordering::SeqCst);
        if has_news() {
            self.watched.store(true, Ordering::SeqCst);
        }
    }
}
