//! A macro for each structure that a host fills. It has all members in order, with their defaults.

use syn::{Item, ItemStruct, Type};

/// The macros for the structures of one file of src/abi that begin with `struct_size`.
pub fn of(source: &str) -> String {
    let file = syn::parse_file(source).expect("a file of src/abi is Rust");
    let structs = file.items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    });
    structs
        .filter(|item| names(item).next().is_some_and(|name| name == "struct_size"))
        .map(one)
        .collect()
}

fn names(item: &ItemStruct) -> impl Iterator<Item = String> {
    item.fields.iter().filter_map(|field| field.ident.as_ref().map(ToString::to_string))
}

fn one(item: &ItemStruct) -> String {
    let name = item.ident.to_string();
    let values: Vec<_> = names(item)
        .zip(&item.fields)
        .map(|(field, its)| value(&name, &field, &its.ty).to_owned())
        .collect();
    let macro_name = format!("{}_INIT", name.to_uppercase());
    let mut text = format!(
        "\n// What a `{name}` begins with: `{name} x = {macro_name};`\n#define {macro_name} {{"
    );
    let mut line = String::new();
    for (index, value) in values.iter().enumerate() {
        let piece = if index + 1 < values.len() { format!("{value}, ") } else { value.clone() };
        if line.is_empty() || line.len() + piece.len() > 85 {
            text.push_str(line.trim_end());
            text.push_str(" \\\n    ");
            line.clear();
        }
        line.push_str(&piece);
    }
    format!("{text}{line} \\\n}}\n")
}

fn value(structure: &str, field: &str, kind: &Type) -> String {
    match field {
        "struct_size" => return format!("sizeof({structure})"),
        "abi_version" => return "WSGI_ABI_VERSION".into(),
        // Zero would mean a length, or a file, for these members.
        "content_length" | "body_fd" => return "-1".into(),
        _ => {}
    }
    match kind {
        Type::Ptr(_) => "NULL".into(),
        Type::Path(path) => match path.path.segments.last().expect("a type has a name") {
            last if last.ident == "Option" => "NULL".into(),
            last if last.ident == "wsgi_str" => "{NULL, 0}".into(),
            _ => "0".into(),
        },
        _ => panic!("{structure}.{field} has a type without a known initialiser"),
    }
}
