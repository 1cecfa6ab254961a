# The project's commands. `make demo`, `make run` and `make test` need nothing but Python 3.11+ on a fresh clone.
PYTHON ?= python3
PY := .venv/bin/python
PROTOS := $(shell find protos/productimage -name '*.proto')
STUBS := protos/python/productimage/ready
GROUPS_LOCKED := segmentation inpainting generation history gateway weights images s3 c2pa

.PHONY: screenshots setup demo run images test test-deploy test-slow coverage test-faults test-browser test-images test-pods test-rolling test-valkey test-memory test-alerts lint format types types-web \
	audit protos protos-lint protos-breaking protos-released settings docs weights wheels lock check clean help
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

demo: weights  ## one photo in, three ads out: set up, run everything once, write out/
	@$(PY) -m cli demo

run: weights  ## serve everything until Ctrl-C (gateway on port 8000)
	@$(PY) -m cli serve

# Two workers use two cores; threads within them would only wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: weights  ## every test that needs nothing but Python, but for the slow ones and those of the deployment
	$(PYTEST)

test-deploy: setup  ## manifests, chart, policies, alerts and benches, held against the code
	$(PYTEST) tests/deploy tests/bench

test-slow: weights  ## models against their references, random faults, fuzzing, wheels
	$(PYTEST) -m slow tests tests/deploy tests/bench

coverage: weights  ## unit and contract tests with coverage, which must not fall
	$(PYTEST) -m 'slow or not slow' tests/unit tests/contract --cov --cov-report=term:skip-covered --cov-report=html

screenshots: weights  ## take new pictures of the page (Debian: apt install chromium)
	$(PY) -m docs.screenshots

test-browser: weights  ## the page, in a real browser (Debian: apt install chromium)
	$(PY) -m pytest tests/browser

test-faults: setup  ## minutes under fire, with new seeds each time (FAULTS="--seed 7 --runs 1" chooses)
	$(PY) -m tests.faults $(FAULTS)

test-images: setup weights images  ## run the images with compose, and the pipeline through them
	DOCKER=$(DOCKER) $(PY) -m pytest tests/images

test-pods: setup weights images  ## run the images as the pods of Kubernetes' manifests, with podman
	DOCKER=$(DOCKER) $(PY) -m pytest tests/pods

test-rolling: setup  ## three replicas behind one name: balanced, killed and replaced under load
	$(PY) -m pytest tests/rolling

test-valkey: setup  ## limits that gateways share, in a real Valkey (Debian: apt install valkey-server)
	$(PY) -m pytest tests/valkey

test-memory: weights  ## the worst pictures that are allowed, against the memory limits of the manifests
	$(PY) -m pytest tests/memory

test-alerts:  ## try each alert with promtool (Debian: apt install prometheus)
	promtool check config deploy/monitoring/prometheus.yaml
	promtool test rules deploy/monitoring/alerts_test.yaml

setup: .venv/ready $(STUBS)  ## create .venv with everything, and generate the stubs

.venv/ready: pyproject.toml protos/python/pyproject.toml requirements/dev.txt requirements/torch.txt requirements/uv.txt requirements/setup.sh
	@PYTHON=$(PYTHON) requirements/setup.sh
	@touch $@

protos: $(STUBS)  ## generate the stubs of productimage-client from protos/

$(STUBS): $(PROTOS) .venv/ready protos/generate.py
	@$(PY) protos/generate.py
	@touch $@

# For images: BASE and TORCH_BACKEND choose what they are built on; BUILD_FLAGS goes to the engine, e.g. --secret id=ca,src=FILE.
DOCKER ?= docker
BASE ?= python:3.11-slim
TORCH_BACKEND ?= cpu
BUILD_FLAGS ?=
IMAGES := segmentation inpainting generation history gateway weights s3
REVISION = $(shell git rev-parse HEAD)
SOURCE = $(shell git config --get remote.origin.url || echo unknown)
VERSION = $(shell grep -m 1 '^version = ' pyproject.toml | cut -d'"' -f2)

images:  ## build every image as product-image-NAME (BASE=, TORCH_BACKEND= choose)
	@test -z "$(PIP_FIND_LINKS)" || cp -u $(PIP_FIND_LINKS)/torch*.whl deploy/docker/wheels/ 2>/dev/null || true
	@for image in $(IMAGES); do \
		DOCKER_BUILDKIT=1 $(DOCKER) build --quiet --file deploy/docker/Dockerfile --target $$image \
			--build-arg BASE=$(BASE) --build-arg TORCH_BACKEND=$(TORCH_BACKEND) \
			--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --build-arg SOURCE=$(SOURCE) \
			$(BUILD_FLAGS) --tag product-image-$$image:$(VERSION) . || exit 1; \
	done
	@$(DOCKER) images --format 'table {{.Repository}}\t{{.Tag}}\t{{.Size}}' --filter reference='product-image-*'

weights: setup  ## fetch the default model weights
	@$(PY) -m weights fetch

wheels: setup  ## build the wheels of the project and of productimage-client in dist/
	$(PY) -m build --wheel --no-isolation --outdir dist .
	$(PY) -m build --wheel --no-isolation --outdir dist protos/python

check: lint types protos-lint  ## lint, import contracts, types, protos

lint: setup  ## lint, import contracts, stale generated files
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	$(PY) docs/generate.py --check

types: setup  ## mypy --strict
	.venv/bin/mypy

# The page needs no Node to run or to be served; only this check does.
types-web:  ## types of the page's scripts (needs npm)
	npm --prefix gateway/web ci --no-audit --no-fund --silent
	npm --prefix gateway/web run --silent types

protos-lint: setup  ## style of the protos
	.venv/bin/buf lint

protos-breaking: setup  ## compare the protos with those of the last release
	.venv/bin/buf breaking --against protos/released.binpb

protos-released: setup  ## keep the protos as those of a release
	.venv/bin/buf build --exclude-source-info -o protos/released.binpb

format: setup  ## format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

settings: setup  ## generate docs/settings.md and .env.example from the settings
	$(PY) docs/generate.py

docs: setup  ## build the documentation in site/; links are checked
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-package torch --no-emit-package torchvision

lock: .venv/ready  ## renew requirements/*.txt from pyproject.toml
	$(LOCK) --upgrade --group dev -o requirements/dev.txt
	$(foreach group,$(GROUPS_LOCKED),$(LOCK) --group $(group) -c requirements/dev.txt -o requirements/$(group).txt &&) true
	$(LOCK) --upgrade requirements/uv.in -o requirements/uv.txt

audit: setup  ## look the locked packages up among known vulnerabilities (needs the internet)
	.venv/bin/uv tool run pip-audit --disable-pip --require-hashes $(GROUPS_LOCKED:%=-r requirements/%.txt)

clean:  ## remove everything generated, except var/ (your data) and the weights
	rm -rf .venv protos/python/productimage/*/v1 $(STUBS) out site dist htmlcov .coverage*
