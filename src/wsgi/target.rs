//! The place of an application, as a configuration names it. It is checked here without Python.

use crate::error::{Error, Result};
use crate::python::reach::{self, Unusable};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file or a module, and the name of the application in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    File { path: PathBuf, callable: String },
    Module { module: String, attribute: String },
}

impl Target {
    pub fn file(path: PathBuf, callable: &str) -> Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(Error::invalid(
                "the path of the application's file is empty; name a Python file",
            ));
        }
        check_expression(callable)?;
        Ok(Target::File { path, callable: callable.into() })
    }

    /// `text` is `package.module:attr`.
    pub fn module(text: &str) -> Result<Self> {
        let (module, attribute) = text.split_once(':').unwrap_or((text, ""));
        if !is_dotted_name(module) {
            return Err(Error::invalid(format!(
                "\"{text}\" names no application: write FILE CALLABLE, such as \"/srv/app.py \
                 application\", or MODULE:CALLABLE, such as \"package.module:application\""
            )));
        }
        if attribute.is_empty() {
            return Err(Error::invalid(format!(
                "\"{text}\" does not say what in the module is the application: write \
                 \"{module}:application\", with your application's name after the colon"
            )));
        }
        check_expression(attribute)?;
        Ok(Target::Module { module: module.into(), attribute: attribute.into() })
    }

    /// Checks what can be checked without an import: the file exists, this process can read it, and
    /// it may be Python source.
    pub fn check(&self) -> Result<()> {
        let Target::File { path, callable } = self else { return Ok(()) };
        let shown = path.display();
        let found = reach::look(path).map_err(|why| unusable(path, &why))?;
        if found.is_dir() {
            return Err(Error::invalid(format!(
                "\"{shown}\" is a folder; name the Python file in it that has the application, or \
                 write MODULE:CALLABLE and add the folder to python_path"
            )));
        }
        if !found.is_file() {
            return Err(Error::invalid(format!("\"{shown}\" is not a regular file")));
        }
        reach::open(path).map_err(|why| unusable(path, &why))?;
        let Some(kind) = kind_of_binary(path) else { return Ok(()) };
        let module = path.file_stem().unwrap_or_default().to_string_lossy();
        let module = module.split('.').next().unwrap_or_default();
        Err(Error::invalid(format!(
            "\"{shown}\" is {kind} and not the source of a Python module; name the .py file, or \
             write {module}:{callable} and add the folder that Python imports it from to \
             python_path"
        )))
    }
}

fn unusable(path: &Path, why: &Unusable) -> Error {
    let shown = path.display();
    Error::invalid(match why {
        Unusable::Missing => {
            format!("the application's file \"{shown}\" cannot be found: no such file")
        }
        why => format!("the application's file {}", why.sentence(path)),
    })
}

/// The kind of a file whose first bytes show that it is not Python source.
fn kind_of_binary(path: &Path) -> Option<&'static str> {
    let mut start = [0; 4];
    File::open(path).ok()?.read_exact(&mut start).ok()?;
    match start {
        // A .pyc begins with the number of a version of CPython 3, then CR and LF.
        [_, 0x0b..=0x0f, b'\r', b'\n'] => Some("compiled Python (.pyc)"),
        [0x7f, b'E', b'L', b'F'] => Some("a compiled extension or program"),
        [b'P', b'K', 3, 4] => Some("a zip file"),
        _ => None,
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File { path, callable } => write!(f, "{} {callable}", path.display()),
            Target::Module { module, attribute } => write!(f, "{module}:{attribute}"),
        }
    }
}

fn check_expression(text: &str) -> Result<()> {
    if is_dotted_name(text.strip_suffix("()").unwrap_or(text)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "\"{text}\" is not the name of an application: write a name such as \"application\", \
         \"package.application\", or \"create_app()\" for a factory"
    )))
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_needs_an_attribute() {
        let error = Target::module("package.module").unwrap_err().to_string();
        assert!(error.contains("\"package.module:application\""), "{error}");
        assert!(Target::module("package.module:").is_err());
    }

    #[test]
    fn a_factory_and_a_dotted_name_are_accepted() {
        assert!(Target::module("a.b:make.it()").is_ok());
        assert!(Target::file("/srv/app.py".into(), "création").is_ok());
    }

    #[test]
    fn a_callable_that_is_not_a_name_is_refused() {
        for word in ["", "a b", "1a", "a..b", "a()()", "a(1)", ".a", "a."] {
            assert!(Target::file("/srv/app.py".into(), word).is_err(), "{word}");
        }
        assert!(Target::module("/srv/app.py").is_err());
    }

    #[test]
    fn a_folder_is_refused_with_advice() {
        let error = Target::file("/".into(), "app").unwrap().check().unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_source_is_refused_with_advice() {
        let folder = std::env::temp_dir().join(format!("wsgi-target-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let check = |name: &str, start: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, start).unwrap();
            Target::file(path, "app").unwrap().check().map_err(|error| error.to_string())
        };
        let error = check("shop.cpython-311.pyc", b"\xa7\x0d\r\n\0\0\0\0").unwrap_err();
        assert!(error.contains("is compiled Python (.pyc)"), "{error}");
        assert!(error.contains("write shop:app"), "{error}");
        assert!(check("shop.so", b"\x7fELF\x02").unwrap_err().contains("is a compiled extension"));
        assert!(check("shop.pyz", b"PK\x03\x04").unwrap_err().contains("is a zip file"));
        for source in [&b"\"\"\r\n"[..], b"", b"#", b"app = None\n", b"\xef\xbb\xbfx\r\n"] {
            assert_eq!(check("shop.py", source), Ok(()));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
