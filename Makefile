# The one way in: build, serve, test. `make` alone lists the targets.

PYTHON ?= /usr/bin/python3
NGINX ?= $(shell PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v nginx || echo nginx)
NGINX_SRC ?= /usr/share/nginx/src
CARGO ?= $(shell scripts/find-cargo)
APP ?= examples/nginx/app.py
CALLABLE ?= $(if $(filter examples/nginx/app.py,$(APP)),hello_world)
PORT ?= 8080
VENV ?=
DIR ?=
PREFIX ?= /usr/local
TARGET ?=
ROW ?=
PEER ?=
CASE ?=
OPTIONS ?=
ACCEPT ?=
SECONDS ?= 600
N ?= 40
SEED ?=
FILES ?=
MINUTES ?= 30

# nginx reads a variable NGINX of its own: the sockets that it inherits.
unexport NGINX
export WSGI_NGINX = $(NGINX)
export PYTHON CARGO NGINX_SRC APP CALLABLE PORT VENV DIR PREFIX DESTDIR
export PYO3_PYTHON = $(PYTHON)
export CARGO_TARGET_DIR = $(CURDIR)/target
export WSGI_INCLUDE = $(CURDIR)/include
export WSGI_LIBRARY = $(CURDIR)/target/release/libwsgi.a
export WSGI_MODULE = $(CURDIR)/build/ngx_http_wsgi_module.so

CARGO_MUTANTS = $(CURDIR)/build/cargo-mutants/bin/cargo-mutants

LINK = WSGI_LINK="$$($(PYTHON) scripts/python-link "$(WSGI_LIBRARY)")"
PYTEST = $(LINK) build/venv/bin/python -m pytest -q -ra

.NOTPARALLEL:
.PHONY: help serve build library install install-library test header-check lint test-scripts test-rust test-c test-nginx \
	test-newer header sanitize fuzz soak attack slow-readers peers conformance bench bench-micro bench-instructions clean \
	serve-dependencies test-dependencies bench-dependencies instructions-dependencies \
	peers-dependencies mutants mutants-dependencies test-tools

help: ## list the targets and the variables
	@scripts/help $(firstword $(MAKEFILE_LIST))

serve: serve-dependencies build ## serve APP in nginx on PORT, in the foreground
	@exec $(PYTHON) scripts/serve

build: library ## build libwsgi.a and the nginx module
	@$(LINK) scripts/build-nginx-module

library: ## build libwsgi.a alone, without nginx
	@$(PYTHON) scripts/python-link >/dev/null
	$(CARGO) rustc --locked --release --lib --crate-type staticlib

install: ## copy the built module into nginx's folder of modules
	@scripts/install-module

install-library: ## install libwsgi.a, wsgi.h and libwsgi.pc below PREFIX, for C programs
	@scripts/install-library

test: test-dependencies header-check lint test-scripts test-rust test-c test-nginx test-newer ## everything CI runs
	@$(PYTHON) scripts/check-ran

header-check: library ## is include/wsgi.h what src/abi says?
	$(CARGO) test --locked --quiet -p header

# Whether an example of the documents loads is nginx's to say, and it needs the module for that.
lint: test-dependencies build ## formatting, clippy, shellcheck, documents, messages of commits
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --quiet -- -D warnings
	@scripts/lint-scripts
	@$(PYTHON) scripts/check-docs
	@$(PYTHON) scripts/check-words
	@$(PYTHON) scripts/check-commits
	@$(PYTHON) scripts/check-nginx-examples

test-scripts: build test-tools ## what the scripts of this Makefile do, also when they are interrupted
	$(PYTEST) --junitxml=build/ran/scripts.xml tests/scripts

test-rust: ## the Rust tests, and the model check of the queue
	@scripts/test-rust

test-c: library test-tools ## C and C++ hosts against the header and the library
	$(PYTEST) --junitxml=build/ran/c.xml tests/c

test-nginx: build test-tools ## a real nginx, and real frameworks in it
	$(PYTEST) --junitxml=build/ran/nginx.xml tests/nginx
	WSGI_TEST_INLINE=1 $(PYTEST) --junitxml=build/ran/inline.xml tests/nginx
	WSGI_TEST_VALIDATE=1 $(PYTEST) --junitxml=build/ran/validated.xml tests/nginx

test-newer: test-dependencies test-tools ## the nginx tests with a newer nginx and a newer Python
	@scripts/test-newer

header: ## write include/wsgi.h from src/abi
	$(CARGO) run --locked --quiet -p header

sanitize: test-dependencies library test-tools ## the nginx tests under sanitizers; the pool under ThreadSanitizer
	@scripts/sanitize-pool
	@$(LINK) scripts/sanitize

fuzz: test-dependencies ## fuzz TARGET for SECONDS
	@TARGET="$(TARGET)" SECONDS_EACH="$(SECONDS)" scripts/fuzz

soak: build test-tools ## mixed load for MINUTES; judges whether memory stays flat
	@build/venv/bin/python benches/soak/soak.py --minutes $(MINUTES)

attack: build test-tools ## clients and configurations drawn by SEED, for MINUTES: is each response right?
	@build/venv/bin/python benches/soak/attack.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

slow-readers: build test-tools ## 200 clients that take a byte a second: what do the others notice?
	@build/venv/bin/python benches/soak/slow_readers.py

peers: serve-dependencies peers-dependencies build ## install other WSGI servers into build/peers, and say which run
	@PYTHONPATH=benches $(PYTHON) -m peers

conformance: serve-dependencies peers-dependencies build ## PEP 3333's rows against ours and others; ROW, PEER
	@$(PYTHON) tests/conformance $(if $(ROW),--row $(ROW)) $(if $(PEER),--peer $(PEER))

bench: bench-dependencies $(if $(filter none,$(PEER)),,peers-dependencies) build ## whole servers beside each other; CASE, PEER
	@$(PYTHON) benches/servers/measure.py $(if $(CASE),--case $(CASE)) $(if $(PEER),--peer $(PEER)) $(OPTIONS)

mutants: mutants-dependencies test-tools ## break N lines, drawn by SEED, and ask whether a test notices; FILES
	@CARGO_MUTANTS="$(CARGO_MUTANTS)" $(PYTHON) tests/mutants --number $(N) $(if $(SEED),--seed $(SEED)) $(if $(FILES),--files $(FILES))

bench-micro: serve-dependencies ## measure the pieces of a request one at a time, in nanoseconds
	$(CARGO) bench --locked --quiet --bench micro

bench-instructions: instructions-dependencies build ## count a request's instructions; compares with the record
	@$(LINK) $(PYTHON) benches/instructions/measure.py --case "$(CASE)" $(if $(ACCEPT),--accept)

clean: ## remove everything that was built
	rm -rf target build

serve-dependencies:
	@scripts/install-dependencies serve

mutants-dependencies: test-dependencies
	@scripts/install-dependencies mutants

test-dependencies:
	@scripts/install-dependencies test

bench-dependencies:
	@scripts/install-dependencies bench

# What cannot be installed leaves a server out, and no more.
peers-dependencies:
	-@scripts/install-dependencies peers

instructions-dependencies:
	@scripts/install-dependencies instructions

test-tools:
	@$(PYTHON) scripts/check-commits --install
	@scripts/test-tools
