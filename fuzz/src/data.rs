//! The fuzzer's bytes as choices; 0 after the last byte.

use std::ffi::CString;

pub struct Data<'a>(pub &'a [u8]);

impl Data<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn choose<T: Copy>(&mut self, options: &[T]) -> T {
        options[usize::from(self.byte()) % options.len()]
    }

    pub fn bytes(&mut self, most: u8) -> Vec<u8> {
        let size = usize::from(self.byte() % most).min(self.0.len());
        let (bytes, rest) = self.0.split_at(size);
        self.0 = rest;
        bytes.to_vec()
    }

    pub fn number(&mut self) -> u64 {
        let byte = self.byte();
        let numbers = [0, 1, 7, 255, 1 << 16, 1 << 20, 1 << 31, 1 << 40, u64::MAX >> 1, u64::MAX];
        if byte & 1 == 0 { u64::from(byte) } else { numbers[usize::from(byte >> 1) % 10] }
    }

    /// A string for C, or None for NULL.
    pub fn string(&mut self) -> Option<CString> {
        let bytes = self.bytes(30);
        let known = self.choose(&[None, None, Some(""), Some("/"), Some("a:b"), Some("app")]);
        match known {
            Some(known) => CString::new(known).ok(),
            None => CString::new(bytes).ok(),
        }
    }

    /// Sometimes changes a `struct_size` to a wrong one.
    pub fn spoil(&mut self, size: &mut usize) {
        if self.byte() >= 250 {
            *size = size.wrapping_add(self.number() as usize);
        }
    }
}
