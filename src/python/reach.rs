//! Finds out what this process may use of the file system, and makes sentences about what it may
//! not.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The most links that may lead to a file. Linux has the same limit.
const MOST_LINKS: usize = 40;

/// Why a file or a folder cannot be used.
#[derive(Debug, PartialEq)]
pub enum Unusable {
    /// It is not there.
    Missing,
    /// This user may not enter or read something on the way: it, or a folder above it.
    Closed(PathBuf),
    Other(String),
}

impl Unusable {
    fn new(path: &Path, err: &io::Error) -> Unusable {
        match err.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unusable::Missing,
            io::ErrorKind::PermissionDenied => Unusable::Closed(closed_on_the_way(path)),
            _ => Unusable::Other(err.to_string()),
        }
    }

    /// What is wrong with `path`, and what to do.
    pub fn sentence(&self, path: &Path) -> String {
        let shown = path.display();
        match self {
            Unusable::Missing => format!("{shown} does not exist"),
            Unusable::Closed(closed) if closed == path => {
                format!("{shown} cannot be read by this user; change its permissions, or its owner")
            }
            Unusable::Closed(closed) => format!(
                "{shown} cannot be read by this user, to whom {} is closed; change the \
                 permissions of that, or its owner, or put the files elsewhere",
                closed.display()
            ),
            Unusable::Other(what) => format!("{shown} cannot be read ({what})"),
        }
    }
}

/// What is at `path`, behind links too.
pub fn look(path: &Path) -> Result<Metadata, Unusable> {
    fs::metadata(path).map_err(|err| Unusable::new(path, &err))
}

/// Whether a file can be read, or a folder listed and entered.
pub fn open(path: &Path) -> Result<(), Unusable> {
    let closed = |err: io::Error| Unusable::new(path, &err);
    let found = look(path)?;
    if found.is_dir() {
        fs::read_dir(path).map_err(closed)?;
        // To list a folder is one right, to enter it another.
        fs::metadata(path.join(".")).map_err(closed)?;
    } else if found.is_file() {
        // To open anything else, such as a pipe, might wait for a process at its other end.
        File::open(path).map_err(closed)?;
    }
    Ok(())
}

/// The first file or folder on the way to `path`, through links too, that this user may not enter.
/// It is `path` itself, or what that is a link to, if that is what cannot be read.
fn closed_on_the_way(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match next_step(&path) {
            Step::Closed(closed) => return closed,
            Step::Link(to) => path = to,
        }
    }
    path
}

enum Step {
    Closed(PathBuf),
    Link(PathBuf),
}

fn next_step(path: &Path) -> Step {
    let all: Vec<&Path> = path.ancestors().collect();
    for part in all.into_iter().rev() {
        let is_denied = |err: &io::Error| err.kind() == io::ErrorKind::PermissionDenied;
        let denied = match part == path {
            true => fs::metadata(part).is_err_and(|err| is_denied(&err)),
            false => fs::metadata(part.join(".")).is_err_and(|err| is_denied(&err)),
        };
        if !denied {
            continue;
        }
        // The link can be read even if its target cannot.
        let Ok(target) = fs::read_link(part) else { return Step::Closed(part.to_owned()) };
        let beyond = path.strip_prefix(part).unwrap_or(Path::new(""));
        let target = part.parent().unwrap_or(Path::new("/")).join(target);
        return Step::Link(match beyond.as_os_str().is_empty() {
            true => target,
            false => target.join(beyond),
        });
    }
    Step::Closed(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_not_closed() {
        let missing = Path::new("/no/such/file");
        assert_eq!(open(missing), Err(Unusable::Missing));
        // A file is not a folder that could hold another.
        assert_eq!(open(Path::new("/etc/passwd/x")), Err(Unusable::Missing));
        assert_eq!(Unusable::Missing.sentence(missing), "/no/such/file does not exist");
    }

    #[test]
    fn the_sentence_names_what_is_closed() {
        let path = Path::new("/srv/venv/bin/python3");
        let sentence = Unusable::Closed("/root".into()).sentence(path);
        assert!(sentence.contains("to whom /root is closed"), "{sentence}");
        let sentence = Unusable::Closed(path.into()).sentence(path);
        assert!(sentence.starts_with("/srv/venv/bin/python3 cannot be read by this user;"));
    }
}
