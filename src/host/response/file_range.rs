//! A part of a regular file, as a piece of a response.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

/// It has at least one byte.
#[derive(Debug)]
pub struct FileRange {
    pub file: OwnedFd,
    pub offset: u64,
    pub length: u64,
}

impl FileRange {
    /// The file behind `fd` from `offset` to its end. None if it is not a regular file, or ends
    /// before that. The descriptor is duplicated, so the caller may close `fd` at once.
    pub fn rest_of(fd: RawFd, offset: u64) -> Option<Self> {
        if fd < 0 {
            return None;
        }
        // SAFETY: `fd` is not -1, and is only duplicated; if no file is open there, that fails.
        let file = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().ok()?;
        let file = File::from(file);
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let length = metadata.len().checked_sub(offset).filter(|&length| length > 0)?;
        Some(FileRange { file: file.into(), offset, length })
    }
}
