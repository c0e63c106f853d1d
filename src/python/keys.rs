//! The keys of a dict that is made anew for each request: built once, interned, found by name.

use super::strings;
use parking_lot::RwLock;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::HashMap;

/// The longest key, prefix included, that is kept.
const MAX_KEY: usize = 64;

/// Keys that are made from names: a prefix, and the name with its ASCII letters in upper case and
/// `_` for `-`.
///
/// It is bounded. A client that makes up names can fill it, but nothing in it is replaced. Only
/// keys that are kept are interned, since Python may keep interned strings until the process ends.
/// Any attached thread may use the cache. Its lock is never held while Python could run other code
/// or wait: under the lock there is only the map, and the count of a reference.
pub struct KeyCache {
    prefix: &'static str,
    max: usize,
    keys: RwLock<HashMap<Box<[u8]>, Py<PyString>>>,
}

impl KeyCache {
    /// An empty cache for at most `max` keys that begin with `prefix`.
    pub fn new(prefix: &'static str, max: usize) -> KeyCache {
        KeyCache { prefix, max, keys: RwLock::new(HashMap::new()) }
    }

    /// Adds the keys that are known beforehand, so that they have a place whatever comes later.
    /// Fails with MemoryError only.
    pub fn preload(&self, py: Python<'_>, names: &[&str]) -> PyResult<()> {
        names.iter().try_for_each(|name| self.get(py, name.as_bytes()).map(drop))
    }

    /// The key for a name. A name that is kept costs no allocation; any other, and any that is not
    /// ASCII, is built each time. Fails with MemoryError only.
    pub fn get<'py>(&self, py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyString>> {
        let mut buffer = [0; MAX_KEY];
        let length = self.prefix.len() + name.len();
        let Some(key) = buffer.get_mut(..length) else {
            let mut key = vec![0; length];
            self.write(&mut key, name);
            return strings::native(py, &key);
        };
        self.write(key, name);
        if let Some(found) = self.keys.read().get(&*key) {
            return Ok(found.bind(py).clone());
        }
        self.make(py, key)
    }

    /// Builds the key for `name` in `key`, which has its length.
    fn write(&self, key: &mut [u8], name: &[u8]) {
        let (prefix, rest) = key.split_at_mut(self.prefix.len());
        prefix.copy_from_slice(self.prefix.as_bytes());
        for (to, from) in rest.iter_mut().zip(name) {
            *to = if *from == b'-' { b'_' } else { from.to_ascii_uppercase() };
        }
    }

    #[cold]
    fn make<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Bound<'py, PyString>> {
        let text = std::str::from_utf8(key).ok().filter(|text| text.is_ascii());
        let Some(text) = text.filter(|_| self.keys.read().len() < self.max) else {
            return strings::native(py, key);
        };
        let string = PyString::intern(py, text);
        let kept = string.clone().unbind();
        let mut keys = self.keys.write();
        // Another thread may have been faster; what it would replace must not be dropped under the
        // lock.
        let unused = if keys.len() < self.max { keys.insert(key.into(), kept) } else { Some(kept) };
        drop(keys);
        drop(unused);
        Ok(string)
    }
}
