# ferrapi's commands. They need Python 3.11 or later (PYTHON names it), a Rust toolchain and make; everything else is
# installed into folders of this checkout: .venv/ (one environment per Python version), dist/, target/ and .cache/.
#
# ferrapi is built once per change of its sources, as a wheel; everything below runs the installed wheel.

PYTHON ?= python3
CARGO ?= cargo
# The address of `make run`.
HOST ?= 127.0.0.1
PORT ?= 8000
# Arguments for pytest, for example PYTEST_ARGS='-k cookies -x'.
PYTEST_ARGS ?=
# How many processes share the tests.
TEST_PROCESSES ?= auto
# The folder of the conformance runner (conformance.py, surface.py, requirements-conformance.txt).
CONFORMANCE ?= ../shared/conformance
# The folder of JSONTestSuite (test_parsing/*.json).
JSON_SUITE ?= $(CONFORMANCE)/../data/JSONTestSuite

PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(PYTHON_VERSION),)
$(error "$(PYTHON)" does not run; name a Python 3.11 or later with PYTHON=...)
endif

VENV := .venv/$(PYTHON_VERSION)
BIN := $(VENV)/bin
CONFORMANCE_VENV := .venv/conformance-$(PYTHON_VERSION)
WHEELS := dist/$(PYTHON_VERSION)
SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md LICENSE $(shell find python rust -type f \
	-not -path '*/__pycache__/*' -not -path '*/target/*' -not -name '*.so' -not -path 'rust/wire/fuzz/*' -not -path 'rust/wire/benches/*')

PIP_INSTALL := pip install --quiet --disable-pip-version-check
# The interpreter that the extension is checked against; always the same one, or cargo builds everything again.
export PYO3_PYTHON := $(abspath $(BIN)/python)

.DEFAULT_GOAL := help
.PHONY: help build run test test-rust test-python store-services deployment clients ray check check-rust check-python \
	conformance conformance-update libraries dist lowest newest follow chromium browser docs peers bench bench-full \
	bench-store bench-soak bench-engine uvicorn-tests uvicorn-versions clean

help:
	@echo 'make run                 build ferrapi and serve the store example on http://$(HOST):$(PORT)'
	@echo 'make test                build ferrapi, test the Rust crates and the installed package'
	@echo 'make store-services      the store example on PostgreSQL and Redis, which the tests start'
	@echo 'make deployment          the store under each server, behind nginx and Traefik, and the files of deploy/'
	@echo 'make clients             a TypeScript client and Schemathesis, made from the document of the store, against the store'
	@echo 'make ray                 the store on a local cluster of Ray Serve, of which a replica is killed'
	@echo 'make check               formatting, lints and types of everything, and the native stub against the binary'
	@echo 'make conformance         FastAPI 0.165.0'"'"'s own tests and public surface, and JSONTestSuite, asked of ferrapi'
	@echo 'make conformance-update  write tests/conformance/passing.json anew'
	@echo 'make libraries           libraries that are written against FastAPI, used through ferrapi.as_fastapi'
	@echo 'make docs                the documentation as a site in site/'
	@echo 'make browser             documentation pages of applications in a headless Chromium; screenshots in .cache/browser'
	@echo 'make dist                wheels for Linux and the source distribution, built, checked and tried (dist/release)'
	@echo 'make lowest              the tests with the oldest releases that ferrapi may be installed with'
	@echo 'make newest              the tests with the newest ones'
	@echo 'make follow VERSION=...  what another release of FastAPI changes'
	@echo 'make bench               a short comparison with FastAPI, a hand-written ASGI application and Go (20 minutes)'
	@echo 'make bench-full          all peers and shapes at full length, scaling, the engine in process, instructions (3 hours)'
	@echo 'make bench-store         the store example on FastAPI and ferrapi, with SQLite and with PostgreSQL (6 minutes)'
	@echo 'make bench-soak          full load with clients that misbehave: nothing lost, no growth (20 minutes)'
	@echo 'make peers               install and build what `make bench-full` compares with'
	@echo 'make bench-engine        the engine in process alone'
	@echo 'make uvicorn-tests       uvicorn'"'"'s own tests of protocols, with ferrapi'"'"'s protocol'
	@echo 'make uvicorn-versions    the protocol on sockets, under the oldest, a middle and the newest uvicorn'
	@echo 'make clean               remove everything that these commands made'
	@echo 'Variables: PYTHON=$(PYTHON) HOST=$(HOST) PORT=$(PORT) PYTEST_ARGS=$(PYTEST_ARGS) CONFORMANCE=$(CONFORMANCE)'

# --- environments and the package -------------------------------------------------------------------------------------

$(VENV)/.created:
	@echo '== Making the environment $(VENV) with $(PYTHON)'
	@$(PYTHON) -c 'import sys; sys.exit("ferrapi needs Python 3.11 or later, this is %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/$(PIP_INSTALL) 'maturin>=1.9,<2'
	@touch $@

$(WHEELS)/.built: $(SOURCES) | $(VENV)/.created
	@echo '== Building ferrapi for Python $(PYTHON_VERSION) (release; the first time takes some minutes)'
	@rm -rf $(WHEELS)
	@$(BIN)/maturin build --release --locked --quiet --interpreter $(BIN)/python --out $(WHEELS)
	@touch $@

$(VENV)/.ferrapi: $(WHEELS)/.built
	@echo '== Installing ferrapi into $(VENV)'
	@$(BIN)/$(PIP_INSTALL) --force-reinstall --no-deps $(WHEELS)/*.whl
	@$(BIN)/$(PIP_INSTALL) $(WHEELS)/*.whl
	@touch $@

$(VENV)/.store: examples/store/requirements.txt | $(VENV)/.created
	@echo '== Installing what the store example needs'
	@$(BIN)/$(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt examples/store/requirements.txt examples/store/requirements-services.txt | $(VENV)/.created
	@echo '== Installing what tests and checks need'
	@$(BIN)/$(PIP_INSTALL) -r $<
	@touch $@

# The runner's own environment: its pinned requirements and ferrapi.
$(CONFORMANCE_VENV)/.created: $(CONFORMANCE)/requirements-conformance.txt
	@echo '== Making the environment $(CONFORMANCE_VENV) with what the conformance runner needs'
	@$(PYTHON) -m venv --clear $(CONFORMANCE_VENV)
	@$(CONFORMANCE_VENV)/bin/$(PIP_INSTALL) -r $<
	@touch $@

$(CONFORMANCE_VENV)/.ferrapi: $(WHEELS)/.built $(CONFORMANCE_VENV)/.created
	@echo '== Installing ferrapi into $(CONFORMANCE_VENV)'
	@$(CONFORMANCE_VENV)/bin/$(PIP_INSTALL) --force-reinstall --no-deps $(WHEELS)/*.whl
	@$(CONFORMANCE_VENV)/bin/$(PIP_INSTALL) $(WHEELS)/*.whl
	@touch $@

build: $(VENV)/.ferrapi

# --- run, test, check -------------------------------------------------------------------------------------------------

run: build $(VENV)/.store
	@echo '== Serving the store example on http://$(HOST):$(PORT) with ferrapi'"'"'s own protocol (stop it with Ctrl-C)'
	@echo '   Another address: make run PORT=8080 HOST=0.0.0.0'
	@exec $(BIN)/ferrapi run examples.store.main:app --http ferrapi --host $(HOST) --port $(PORT)

test: test-rust test-python

test-rust: $(VENV)/.created
	@echo '== Testing the Rust crates'
	@$(CARGO) test --workspace --locked --quiet

test-python: build $(VENV)/.dev
	@echo '== Testing ferrapi with Python $(PYTHON_VERSION)'
	@$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

store-services: build $(VENV)/.dev
	@echo '== Testing the store on PostgreSQL and Redis (apt-get install postgresql redis-server)'
	@STORE_TEST_SERVICES=1 $(BIN)/python -m pytest tests/examples $(PYTEST_ARGS)

$(VENV)/.deployment: requirements-deployment.txt $(VENV)/.dev
	@echo '== Installing Traefik and the linters of deploy/'
	@$(BIN)/$(PIP_INSTALL) -r $<
	@touch $@

deployment: build $(VENV)/.deployment
	@echo '== The store under each server and behind nginx (apt-get install nginx-light) and Traefik; the files of deploy/'
	@FERRAPI_DEPLOYMENT=1 $(BIN)/python -m pytest tests/deployment $(PYTEST_ARGS)

CLIENTS := .cache/clients

$(CLIENTS)/.installed: tests/api_clients/package.json
	@echo '== Installing TypeScript and what makes clients from OpenAPI documents'
	@mkdir -p $(CLIENTS)
	@cp $< $(CLIENTS)/package.json
	@npm install --prefix $(CLIENTS) --no-audit --no-fund --silent
	@touch $@

$(VENV)/.clients: requirements-clients.txt $(VENV)/.dev
	@echo '== Installing Schemathesis'
	@$(BIN)/$(PIP_INSTALL) -r $<
	@touch $@

clients: build $(VENV)/.clients $(CLIENTS)/.installed
	@echo '== The store, asked by programs that know its OpenAPI document alone (needs Node; some minutes)'
	@FERRAPI_CLIENTS=$(CLIENTS) $(BIN)/python -m pytest tests/api_clients $(PYTEST_ARGS)

# Ray has an environment of its own: it is large, and has its own opinion of some versions.
RAY_VENV := .venv/ray-$(PYTHON_VERSION)

$(RAY_VENV)/.created: requirements-ray.txt examples/store/requirements.txt
	@echo '== Making the environment $(RAY_VENV) with Ray Serve'
	@$(PYTHON) -m venv --clear $(RAY_VENV)
	@$(RAY_VENV)/bin/$(PIP_INSTALL) -r requirements-ray.txt
	@touch $@

ray: $(WHEELS)/.built $(RAY_VENV)/.created
	@$(RAY_VENV)/bin/$(PIP_INSTALL) --force-reinstall --no-deps $(WHEELS)/*.whl
	@$(RAY_VENV)/bin/$(PIP_INSTALL) $(WHEELS)/*.whl
	@echo '== The store on Ray Serve: two replicas under load, one of them killed (two minutes)'
	@FERRAPI_RAY=1 $(RAY_VENV)/bin/python -m pytest tests/ray -o addopts= -o filterwarnings= $(PYTEST_ARGS)

check: check-rust check-python

check-rust: $(VENV)/.created
	@echo '== Formatting of the Rust code'
	@$(CARGO) fmt --all --check
	@echo '== Lints of the Rust code'
	@$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings

check-python: build $(VENV)/.dev
	@echo '== Lints and formatting of the Python code'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo '== Import cycles, hidden ones among them'
	@$(BIN)/python scripts/import_cycles.py
	@echo '== Types of the package and of the examples'
	@$(BIN)/mypy
	@echo '== Types of the tests'
	@$(BIN)/mypy --config-file tests/mypy.ini --cache-dir .mypy_cache/tests
	@echo '== The native stub against the binary'
	@$(BIN)/python -m mypy.stubtest ferrapi._native

# --- conformance ------------------------------------------------------------------------------------------------------

# `make conformance` fails if a test of tests/conformance/passing.json no longer passes, if one passes that is not in that
# list, if less than SURFACE_MIN percent of the public surface is there, or if a file of JSONTestSuite is answered otherwise
# than FastAPI answers it.
SURFACE_MIN ?= 0
RUN_CONFORMANCE = $(CONFORMANCE_VENV)/bin/python $(CONFORMANCE)/conformance.py --package ferrapi --cache .cache/conformance

ifeq ($(wildcard $(CONFORMANCE)/conformance.py),)
conformance conformance-update:
	@echo 'There is no conformance runner in $(CONFORMANCE). It is not part of this repository: it fetches the tests of' >&2
	@echo 'FastAPI 0.165.0, which are not ours to keep. Put its folder (conformance.py, surface.py, areas.json,' >&2
	@echo 'requirements-conformance.txt ...) there, or name it: make $@ CONFORMANCE=path/to/conformance' >&2
	@exit 2
else
conformance: build $(VENV)/.dev $(CONFORMANCE_VENV)/.ferrapi
	@mkdir -p .cache/conformance
	@echo '== FastAPI 0.165.0'"'"'s own tests, asked of ferrapi'
	@rm -f .cache/conformance/ways.jsonl .cache/conformance/passing.json
	@FERRAPI_COUNT_WAYS='$(CURDIR)/.cache/conformance/ways.jsonl' $(RUN_CONFORMANCE) --compare tests/conformance/passing.json --ratchet \
		--passing .cache/conformance/passing.json
	@$(CONFORMANCE_VENV)/bin/python -m scripts.ratchet .cache/conformance/passing.json tests/conformance/passing.json
	@echo '== By which way these requests were served'
	@$(BIN)/python -m scripts.ways .cache/conformance/ways.jsonl --least 99
	@echo '== Its public surface'
	@$(CONFORMANCE_VENV)/bin/python $(CONFORMANCE)/surface.py --check ferrapi --min $(SURFACE_MIN)
	@echo '== JSONTestSuite, asked of both'
	@FERRAPI_JSON_SUITE='$(JSON_SUITE)' $(BIN)/python -m pytest tests/conformance

# The exit status of the runner says whether everything passes; this one is about the list alone.
conformance-update: $(CONFORMANCE_VENV)/.ferrapi
	@mkdir -p .cache/conformance
	@echo '== Writing the ids of the tests that pass to tests/conformance/passing.json'
	@rm -f .cache/conformance/passing.json
	@$(RUN_CONFORMANCE) --passing .cache/conformance/passing.json || test -s .cache/conformance/passing.json
	@mv .cache/conformance/passing.json tests/conformance/passing.json
endif

uvicorn-tests: build $(VENV)/.dev
	@$(BIN)/$(PIP_INSTALL) trustme a2wsgi wsproto pytest-mock
	@$(BIN)/python scripts/uvicorn_tests.py

uvicorn-versions: build
	@$(BIN)/python scripts/uvicorn_versions.py

# The libraries of scripts/libraries.toml. LIBRARIES names some of them; each environment is .venv/libraries-*. PAGE is a
# file that the results are written to (docs/libraries.md).
LIBRARIES ?=
PAGE ?=

libraries: $(WHEELS)/.built
	@echo '== Libraries that are written against FastAPI'
	@$(PYTHON) scripts/libraries.py --ferrapi $(WHEELS)/*.whl $(if $(PAGE),--page $(PAGE)) $(LIBRARIES)

$(VENV)/.docs: requirements-docs.txt | $(VENV)/.created
	@echo '== Making the environment $(VENV)/docs with what builds the documentation'
	@$(PYTHON) -m venv --clear $(VENV)/docs
	@$(VENV)/docs/bin/$(PIP_INSTALL) -r $<
	@touch $@

# Nothing is asked of the network while it is built, and nothing by whoever reads it. Code blocks are run by `make test`.
docs: $(VENV)/.docs
	@echo '== Building the documentation into site/'
	@NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --strict --quiet
	@echo 'Read it: $(PYTHON) -m http.server --directory site'

# Debian's Chromium, or the one that is there (Google's packages will do): its driver must be of the same version.
CHROMIUM := chromium chromium-driver fonts-dejavu-core
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

$(VENV)/.browser: requirements-browser.txt $(VENV)/.dev
	@echo '== Installing what drives a browser'
	@$(BIN)/$(PIP_INSTALL) -r $<
	@touch $@

chromium:
	@command -v chromedriver >/dev/null || { echo '== Installing $(CHROMIUM)'; $(SUDO) apt-get -qq update && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(CHROMIUM) >/dev/null; }

browser: chromium build $(VENV)/.browser
	@echo '== Documentation pages in a browser (a minute; screenshots in .cache/browser)'
	@FERRAPI_BROWSER=required $(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

# --- what is published, and what it is installed with -----------------------------------------------------------------

# Pythons that are not found by themselves: DIST_PYTHONS='/path/to/python3.14'.
DIST_PYTHONS ?=
# Some of the versions: DIST_VERSIONS='3.13 3.14'.
DIST_VERSIONS ?=
# Some of the targets: DIST_TARGETS=x86_64-unknown-linux-gnu.
DIST_TARGETS ?=
DIST_VENV := .venv/dist-$(PYTHON_VERSION)

$(DIST_VENV)/.created: requirements-dist.txt
	@echo '== Making the environment $(DIST_VENV) with what builds and checks wheels'
	@$(PYTHON) -m venv --clear $(DIST_VENV)
	@$(DIST_VENV)/bin/$(PIP_INSTALL) -r $<
	@touch $@

dist: $(DIST_VENV)/.created
	@echo '== Building and checking what is published (some minutes for each Python)'
	@$(DIST_VENV)/bin/python -m scripts.dist --out dist/release $(addprefix --interpreter ,$(DIST_PYTHONS)) \
		$(addprefix --only ,$(DIST_VERSIONS)) $(addprefix --target ,$(DIST_TARGETS))

# The whole suite, FastAPI beside ferrapi, with requirements as the resolver chooses them. The environments stay.
lowest newest: $(WHEELS)/.built $(DIST_VENV)/.created
	@echo '== Making the environment .venv/$@-$(PYTHON_VERSION) with the $@ releases of what ferrapi requires'
	@mkdir -p .cache
	@$(PYTHON) scripts/unpinned.py > .cache/unpinned.txt
	@$(PYTHON) -m venv --clear .venv/$@-$(PYTHON_VERSION)
	@UV_CACHE_DIR=.cache/uv $(DIST_VENV)/bin/uv pip install --quiet --python .venv/$@-$(PYTHON_VERSION)/bin/python \
		--resolution $(if $(filter lowest,$@),lowest-direct,highest) $(UV_OPTIONS) \
		"ferrapi[all] @ file://$(abspath $(firstword $(wildcard $(WHEELS)/*.whl)))" -r .cache/unpinned.txt
	@.venv/$@-$(PYTHON_VERSION)/bin/python -m pip list --format freeze --disable-pip-version-check \
		| grep -iE '^(starlette|pydantic|anyio|uvicorn|httpx2|typing.extensions|annotated.doc|fastapi)='
	@.venv/$@-$(PYTHON_VERSION)/bin/python -m pytest $(PYTEST_ARGS)

ifneq ($(MAKECMDGOALS:follow=),$(MAKECMDGOALS))
ifneq ($(origin VERSION),command line)
$(error Which release? make follow VERSION=0.166.0)
endif
endif

follow: $(WHEELS)/.built $(if $(wildcard $(CONFORMANCE)/conformance.py),$(CONFORMANCE_VENV)/.ferrapi)
	@echo '== What FastAPI $(VERSION) changes'
	@$(PYTHON) -m scripts.follow $(VERSION) --ferrapi $(WHEELS)/*.whl --conformance '$(CONFORMANCE)' \
		--conformance-python $(if $(wildcard $(CONFORMANCE)/conformance.py),$(CONFORMANCE_VENV)/bin/python,$(PYTHON))

# --- benchmarks -------------------------------------------------------------------------------------------------------

# benchmarks/README.md says what is measured and how. The peers that are not needed for `make test` have environments,
# binaries and caches of their own in this checkout; one that can't be made here is left out, and the output says so.
ROUNDS ?= 7
SECONDS ?= 3
SOAK_MINUTES ?= 10
# The name and a note for the results files.
NAME ?= load
NOTE ?=
PYTHON_BOLT ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python) python3.12)
GO ?= go
GO_SOURCES := $(wildcard benchmarks/apps/go/*.go) benchmarks/apps/go/go.mod benchmarks/apps/go/go.sum
AXUM_SOURCES := $(wildcard benchmarks/apps/axum/src/*.rs) benchmarks/apps/axum/Cargo.toml benchmarks/apps/axum/Cargo.lock
PEERS := .cache/peers
# $(call environment,name,interpreter,requirements,what): an environment with one file of requirements.
environment = if $(2) -m venv --clear .venv/$(1) && .venv/$(1)/bin/$(PIP_INSTALL) -r benchmarks/$(3); \
	then touch $@; else rm -rf .venv/$(1); echo 'Left out: $(4) could not be installed here'; fi

$(PEERS)/.python-$(PYTHON_VERSION): benchmarks/requirements-peers.txt
	@mkdir -p $(@D)
	@echo '== Installing Starlette, Litestar, BlackSheep, Granian, Sanic and Falcon'
	@$(call environment,peers-$(PYTHON_VERSION),$(PYTHON),requirements-peers.txt,Starlette to Falcon)

$(PEERS)/.robyn-$(PYTHON_VERSION): benchmarks/requirements-peers-robyn.txt
	@mkdir -p $(@D)
	@echo '== Installing Robyn'
	@$(call environment,robyn-$(PYTHON_VERSION),$(PYTHON),requirements-peers-robyn.txt,Robyn)

$(PEERS)/.bolt: benchmarks/requirements-peers-bolt.txt
	@mkdir -p $(@D)
	@echo '== Installing django-bolt (needs Python 3.12: PYTHON_BOLT=$(PYTHON_BOLT))'
	@$(call environment,bolt-3.12,$(PYTHON_BOLT),requirements-peers-bolt.txt,django-bolt)

$(PEERS)/go-service: $(GO_SOURCES)
	@mkdir -p $(@D)
	@echo '== Building the Go peer'
	@cd benchmarks/apps/go && GOPATH=$(abspath .cache/go) GOMODCACHE=$(abspath .cache/go/mod) \
		GOCACHE=$(abspath .cache/go/build) GOFLAGS=-modcacherw $(GO) build -o $(abspath $@) . \
		|| echo 'Left out: the Go peer could not be built here'

$(PEERS)/axum-service: $(AXUM_SOURCES)
	@mkdir -p $(@D)
	@echo '== Building the axum peer'
	@CARGO_TARGET_DIR=.cache/axum $(CARGO) build --release --locked --quiet --manifest-path benchmarks/apps/axum/Cargo.toml \
		&& cp .cache/axum/release/benchmark-axum $@ || echo 'Left out: the axum peer could not be built here'

peers: $(PEERS)/go-service $(PEERS)/axum-service $(PEERS)/.python-$(PYTHON_VERSION) $(PEERS)/.robyn-$(PYTHON_VERSION) $(PEERS)/.bolt

bench: build $(VENV)/.dev $(PEERS)/go-service
	@echo '== Load: FastAPI, ferrapi, a hand-written ASGI application and Go (about 8 minutes; needs wrk)'
	@$(BIN)/python -m benchmarks.load --short --rounds 2 --seconds 2
	@echo '== The shapes of real services: FastAPI, ferrapi, hand-written ASGI and Go (about 11 minutes; needs wrk)'
	@$(BIN)/python -m benchmarks.shapes --rounds 2 --seconds 1
	@echo '== Protocols under uvicorn: a hand-written ASGI application, and idle connections (about 2 minutes; needs wrk)'
	@$(BIN)/python -m benchmarks.protocols --rounds 3 --seconds 1

bench-full: build $(VENV)/.dev peers
	@echo '== Load on all peers (needs wrk; 90 to 110 minutes with ROUNDS=7 SECONDS=3), written to benchmarks/results/'
	@$(BIN)/python -m benchmarks.load --rounds $(ROUNDS) --seconds $(SECONDS) --name '$(NAME)' --note '$(NOTE)'
	@echo '== Routes, connections and workers (about 5 minutes)'
	@$(BIN)/python -m benchmarks.load.scaling --rounds $(ROUNDS) --seconds $(SECONDS) --name '$(NAME)-scaling'
	@echo '== The shapes of real services (needs wrk; 50 minutes with ROUNDS=7 SECONDS=3)'
	@$(BIN)/python -m benchmarks.shapes --rounds $(ROUNDS) --seconds $(SECONDS) --note '$(NOTE)' \
		--out "benchmarks/results/$$(date -u +%F)-$(NAME)-shapes"
	@$(BIN)/python -m benchmarks.load.readme
	@$(MAKE) --no-print-directory bench-engine
	@echo '== Instructions per request (about 20 minutes; needs valgrind)'
	@$(BIN)/python -m benchmarks.callgrind
	@$(BIN)/python -m benchmarks.callgrind --shape all

bench-store: ROUNDS = 3
bench-store: SECONDS = 2
bench-store: build $(VENV)/.dev
	@echo '== The store example on FastAPI and ferrapi, with SQLite and with PostgreSQL (6 minutes; needs wrk and postgresql)'
	@for database in sqlite postgresql; do $(BIN)/python -m benchmarks.store --rounds $(ROUNDS) --seconds $(SECONDS) \
		--database $$database --note '$(NOTE)' --out "benchmarks/results/$$(date -u +%F)-store-$$database" || exit 1; done
	@$(BIN)/python -m benchmarks.load.readme

bench-soak: build $(VENV)/.dev
	@echo '== Full load with clients that misbehave, $(SOAK_MINUTES) minutes for each transport (needs wrk)'
	@$(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES)

bench-engine: build $(VENV)/.dev
	@echo '== The engine in process: find, read, respond, whole requests'
	@$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-columns=median,iqr,rounds --benchmark-sort=fullname

clean:
	@echo '== Removing .venv/, dist/, site/, .cache/ and target/'
	@rm -rf .venv dist site .cache target
