//! Reads include/wsgi.h with bindgen, and writes the audit: Rust that compiles only if src/abi
//! agrees with the header. tests/audit.rs includes it.

use proc_macro2::TokenStream;
use quote::quote;
use std::path::{Path, PathBuf};
use syn::{ForeignItem, ForeignItemFn, Item, ItemConst, ItemEnum, ItemStruct};

fn main() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include/wsgi.h");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", header.display());

    // If bindgen cannot read the header, the audit must fail, and not this script: `make header`
    // builds this package too, and repairs the header.
    let (audit, functions) = match read(&header) {
        Ok(items) => (items.iter().map(comparison).collect(), functions(&items)),
        Err(error) => (quote!(compile_error!(#error);), Vec::new()),
    };
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    write(out.join("audit.rs"), audit);
    write(out.join("functions.rs"), quote!(const FUNCTIONS: &[&str] = &[#(#functions),*];));
}

fn write(path: PathBuf, code: TokenStream) {
    std::fs::write(path, code.to_string()).expect("OUT_DIR can be written to");
}

/// The header as bindgen translates it to Rust.
fn read(header: &Path) -> Result<Vec<Item>, String> {
    let bindings = bindgen::Builder::default()
        .header(header.display().to_string())
        .allowlist_file(".*/wsgi\\.h")
        .default_enum_style(bindgen::EnumVariation::Rust { non_exhaustive: false })
        .layout_tests(false)
        .generate_comments(false)
        .generate()
        .map_err(|error| format!("include/wsgi.h: {error}"))?;
    let file: syn::File = syn::parse_str(&bindings.to_string()).map_err(|e| e.to_string())?;
    Ok(file.items)
}

fn declared(item: &Item) -> impl Iterator<Item = &ForeignItemFn> {
    let items = if let Item::ForeignMod(block) = item { block.items.as_slice() } else { &[] };
    items.iter().filter_map(|item| if let ForeignItem::Fn(f) = item { Some(f) } else { None })
}

fn functions(items: &[Item]) -> Vec<String> {
    items.iter().flat_map(declared).map(|f| f.sig.ident.to_string()).collect()
}

/// The comparison of one declaration of the header. `c` has the types of bindgen, `abi` those of
/// src/abi. A name without a path is that of src/abi, even in code that bindgen wrote.
fn comparison(item: &Item) -> TokenStream {
    match item {
        Item::Const(constant) => same_constant(constant),
        Item::Enum(item) => same_enum(item),
        Item::Struct(item) => same_struct(item),
        Item::ForeignMod(_) => declared(item).map(same_signature).collect(),
        _ => TokenStream::new(),
    }
}

fn same_constant(ItemConst { ident, ty, expr, .. }: &ItemConst) -> TokenStream {
    quote! {
        const _: () = { let ours: #ty = abi::#ident; assert!(ours == #expr) };
    }
}

fn same_enum(item: &ItemEnum) -> TokenStream {
    let name = &item.ident;
    let variants: Vec<_> = item.variants.iter().map(|variant| &variant.ident).collect();
    let values = item.variants.iter().map(|variant| &variant.discriminant.as_ref().expect("=").1);
    quote! {
        const _: () = assert!(size_of::<abi::#name>() == size_of::<core::ffi::c_uint>());
        #(const _: () = assert!(abi::#name::#variants as u32 == #values);)*
        const _: fn(abi::#name) = |ours| match ours { #(abi::#name::#variants => (),)* };
    }
}

fn same_struct(item: &ItemStruct) -> TokenStream {
    let name = &item.ident;
    let fields: Vec<_> = item.fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    if fields.iter().any(|field| *field == "_unused") {
        // An opaque structure has only a name.
        return quote!(const _: Option<*const abi::#name> = None;);
    }
    let types = item.fields.iter().map(|field| &field.ty);
    let theirs = ItemStruct { attrs: vec![syn::parse_quote!(#[repr(C)])], ..item.clone() };
    quote! {
        const _: () = {
            mod c {
                #[allow(unused_imports)]
                use super::abi::*;
                #theirs
            }
            assert!(size_of::<abi::#name>() == size_of::<c::#name>());
            assert!(align_of::<abi::#name>() == align_of::<c::#name>());
            #(assert!(
                core::mem::offset_of!(abi::#name, #fields) == core::mem::offset_of!(c::#name, #fields)
            );)*
        };
        const _: fn(abi::#name) = |abi::#name { #(#fields),* }| { #(let _: #types = #fields;)* };
    }
}

fn same_signature(ForeignItemFn { sig, .. }: &ForeignItemFn) -> TokenStream {
    let (name, inputs, output) = (&sig.ident, &sig.inputs, &sig.output);
    quote!(const _: unsafe extern "C" fn(#inputs) #output = abi::#name;)
}
