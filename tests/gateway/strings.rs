//! The strings of a request: each member of `wsgi_request` has the keys of `environ` that wsgi.h
//! names.

use crate::host::call;
use std::collections::{BTreeMap, BTreeSet};
use wsgi::host::request::Field;

const HEADER: &str = include_str!("../../include/wsgi.h");

/// The keys in a text of wsgi.h.
fn keys(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let words = words.map(|word| word.trim_end_matches('.'));
    let is_key = |word: &&str| {
        let is_name = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        *word == "wsgi.url_scheme" || word.contains('_') && is_name
    };
    words.filter(is_key).collect()
}

/// The keys that wsgi.h names at each string of `wsgi_request`, in the first sentence, by member.
fn keys_of_members() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let start = HEADER.find("typedef struct wsgi_request {").expect("the structure");
    let end = HEADER[start..].find("} wsgi_request;").expect("its end") + start;
    let mut found = BTreeMap::new();
    let mut comment = "";
    for line in HEADER[start..end].lines().map(str::trim) {
        match (line.strip_prefix("// "), line.strip_prefix("wsgi_str ")) {
            (Some(text), _) if comment.is_empty() => comment = text,
            (_, Some(member)) => {
                let first = comment.split([':', ';']).next().unwrap_or_default();
                found.insert(member.trim_end_matches(';'), keys(first));
                comment = "";
            }
            (None, None) => comment = "",
            _ => {}
        }
    }
    found
}

#[test]
fn each_string_of_a_request_has_the_keys_that_wsgi_h_names() {
    let members = keys_of_members();
    assert_eq!(
        members.keys().copied().collect::<BTreeSet<_>>(),
        Field::ALL.iter().map(|(_, member)| *member).collect(),
        "left: the strings of wsgi_request in wsgi.h; right: those of the library"
    );
    let request = Field::ALL.iter().fold(call("strings_of_environ"), |call, &(field, member)| {
        call.string(field, &format!("/{member}"))
    });
    let answer = request.run();
    let text = answer.text();
    let environ: BTreeMap<&str, &str> = text.lines().filter_map(|it| it.split_once('=')).collect();
    for (member, keys) in &members {
        assert!(!keys.is_empty(), "wsgi.h names no key at the member {member}");
        for key in keys {
            assert_eq!(environ.get(key), Some(&format!("/{member}").as_str()), "{key}");
        }
    }
}

#[test]
fn the_chapter_environ_lists_the_keys_of_all_strings() {
    let chapter = HEADER.find("// * from wsgi_request,").expect("its first item");
    let item = &HEADER[chapter..];
    let item = &item[..item.find(";\n").expect("its end")];
    let mut listed = keys(item);
    // This comes from content_length, and not from a string.
    assert!(listed.remove("CONTENT_LENGTH"));
    let mut named: BTreeSet<&str> = keys_of_members().into_values().flatten().collect();
    // The chapter has it among the other keys of `wsgi`.
    assert!(named.remove("wsgi.url_scheme"));
    assert_eq!(listed, named, "left: the chapter ENVIRON of wsgi.h; right: its wsgi_request");
}
