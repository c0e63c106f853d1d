//! Where an application is: the words of a configuration, before Python is asked.

use crate::error::{Error, Result};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;

/// A file and the application's name in it, or a module and the name in that.
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

    /// All that can be said without importing: the file is there and this process can read it.
    pub fn check(&self) -> Result<()> {
        let Target::File { path, .. } = self else { return Ok(()) };
        let shown = path.display();
        let metadata = std::fs::metadata(path).map_err(|error| {
            Error::invalid(format!("the application's file \"{shown}\" cannot be found: {error}"))
        })?;
        if metadata.is_dir() {
            return Err(Error::invalid(format!(
                "\"{shown}\" is a folder; name the Python file in it that has the application, or \
                 write MODULE:CALLABLE and put the folder on wsgi_python_path"
            )));
        }
        if !metadata.is_file() {
            return Err(Error::invalid(format!("\"{shown}\" is not a regular file")));
        }
        File::open(path).map(drop).map_err(|error| {
            Error::invalid(format!(
                "the application's file \"{shown}\" cannot be read: {error}; let the server's user \
                 read it and enter its folders"
            ))
        })
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
    fn a_factory_and_a_dotted_name_are_fine() {
        assert!(Target::module("a.b:make.it()").is_ok());
        assert!(Target::file("/srv/app.py".into(), "création").is_ok());
    }

    #[test]
    fn words_that_are_no_names_are_refused() {
        for word in ["", "a b", "1a", "a..b", "a()()", "a(1)", ".a", "a."] {
            assert!(Target::file("/srv/app.py".into(), word).is_err(), "{word}");
        }
        assert!(Target::module("/srv/app.py").is_err());
    }

    #[test]
    fn a_folder_is_refused_with_what_to_do() {
        let error = Target::file("/".into(), "app").unwrap().check().unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
    }
}
