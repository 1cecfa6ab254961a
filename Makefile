# The project's commands. `make demo`, `make run` and `make test` need nothing but Python 3.11+ on a fresh clone.
PYTHON ?= python3
PY := .venv/bin/python
PROTOS := $(shell find protos -name '*.proto')
GROUPS_LOCKED := segmentation inpainting generation history gateway weights images s3

.PHONY: demo run images test test-faults test-browser test-images test-rolling test-alerts lint format types types-studio protos protos-lint weights lock check clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: weights  ## one photo in, three ads out: set up, run everything once, write out/
	@$(PY) -m deploy.local demo

run: weights  ## serve everything until Ctrl-C (gateway on port 8000)
	@$(PY) -m deploy.local run

# Two workers use two cores; threads within them would only wait for each other.
test: weights  ## every test
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-browser: weights  ## the built-in page, in a real browser (Debian: apt install chromium)
	$(PY) -m pytest tests/browser

test-faults: setup  ## minutes under fire, with new seeds each time (FAULTS="--seed 7 --runs 1" chooses)
	$(PY) -m tests.faults $(FAULTS)

test-images: setup weights images  ## run the images with compose, and the pipeline through them
	DOCKER=$(DOCKER) $(PY) -m pytest tests/images

test-rolling: setup  ## three replicas behind one name: shared out, killed and renewed under load
	$(PY) -m pytest tests/rolling

test-alerts:  ## try each alert with promtool (Debian: apt install prometheus)
	promtool check config deploy/monitoring/prometheus.yaml
	promtool test rules deploy/monitoring/alerts_test.yaml

setup: .venv/ready protos

.venv/ready: requirements/dev.txt requirements/torch.txt requirements/uv.txt deploy/local/setup.sh
	@PYTHON=$(PYTHON) deploy/local/setup.sh
	@touch $@

protos: productimage/ready  ## generate the Python package `productimage` from protos/

productimage/ready: $(PROTOS) .venv/ready deploy/generate_protos.py
	@$(PY) deploy/generate_protos.py
	@touch $@

# For the images: where they are built from and for, and what more the engine is told, such as --secret id=ca,src=FILE.
DOCKER ?= docker
BASE ?= python:3.11-slim
TORCH_BACKEND ?= cpu
BUILD_FLAGS ?=
IMAGES := segmentation inpainting generation history gateway weights s3
REVISION = $(shell git rev-parse HEAD)
VERSION = $(shell sed -n 's/^VERSION = "\(.*\)"/\1/p' services/runtime/version.py)

images:  ## build every image as product-image-NAME (BASE=, TORCH_BACKEND= choose)
	@test -z "$(PIP_FIND_LINKS)" || cp -u $(PIP_FIND_LINKS)/torch*.whl deploy/docker/wheels/ 2>/dev/null || true
	@for image in $(IMAGES); do \
		DOCKER_BUILDKIT=1 $(DOCKER) build --quiet --file deploy/docker/Dockerfile --target $$image \
			--build-arg BASE=$(BASE) --build-arg TORCH_BACKEND=$(TORCH_BACKEND) \
			--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
			$(BUILD_FLAGS) --tag product-image-$$image:$(VERSION) . || exit 1; \
	done
	@$(DOCKER) images --format 'table {{.Repository}}\t{{.Tag}}\t{{.Size}}' --filter reference='product-image-*'

weights: setup  ## fetch the default model weights
	@$(PY) -m weights fetch

check: lint types protos-lint  ## lint, types, protos, import directions

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

types: setup
	.venv/bin/mypy

# The page needs no Node to run or to be served; only this check does.
types-studio:  ## the types of the built-in page's scripts (needs npm)
	npm --prefix gateway/studio ci --no-audit --no-fund --silent
	npm --prefix gateway/studio run --silent types

protos-lint: setup
	.venv/bin/buf lint

format: setup  ## format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-package torch --no-emit-package torchvision

lock: .venv/ready  ## renew requirements/*.txt from pyproject.toml
	$(LOCK) --upgrade --group dev -o requirements/dev.txt
	$(foreach group,$(GROUPS_LOCKED),$(LOCK) --group $(group) -c requirements/dev.txt -o requirements/$(group).txt &&) true
	$(LOCK) --upgrade requirements/uv.in -o requirements/uv.txt

clean:  ## remove everything generated, except var/ (your data) and the weights
	rm -rf .venv productimage out
