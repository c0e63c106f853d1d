//! News for the host that nobody fetches: its loop has lost the notification.
//!
//! A loop that polls first and reads its eventfd afterwards throws away a notification that came in
//! between. No other would follow, as there is one for all news until the next poll: the loop would
//! sleep for ever. So somebody looks, while there is something to look after, whether news have
//! waited for a while, and notifies again.

use super::hub::Hub;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

type Wake = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct News {
    /// How often the host has fetched its news.
    polls: AtomicUsize,
    /// Somebody looks.
    watched: AtomicBool,
    wake: OnceCell<Wake>,
}

impl News {
    pub(super) fn fetched(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }
}

impl Hub {
    /// Sets what makes somebody look.
    pub fn set_watch(&self, wake: Wake) {
        let _ = self.news().wake.set(wake);
    }

    /// The host is told that there are news.
    pub(super) fn notify(&self) {
        self.host().notify();
        let news = self.news();
        if news.watched.load(Ordering::SeqCst) {
            return;
        }
        if let Some(wake) = news.wake.get() {
            news.watched.store(true, Ordering::SeqCst);
            wake();
        }
    }

    pub fn is_watched(&self) -> bool {
        self.news().watched.load(Ordering::SeqCst)
    }

    /// Nobody looks any more, unless there are news: they are seen here, or wake somebody afterwards.
    pub fn unwatch(&self) {
        self.news().watched.store(false, Ordering::SeqCst);
        if self.unheard().is_some() {
            self.news().watched.store(true, Ordering::SeqCst);
        }
    }

    /// How often the host has polled before the news that wait for it, if some do.
    pub fn unheard(&self) -> Option<usize> {
        self.has_news().then(|| self.news().polls.load(Ordering::Relaxed))
    }
}
