//! `make header`: writes include/wsgi.h.

fn main() -> std::io::Result<()> {
    std::fs::write(header::path(), header::generate())
}
