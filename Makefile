.PHONY: help demo page c train test coverage mutate bench fuzz traces format lint fixtures rows accuracy documents docs site clean \
	prerequisites install dist wheel python-test python-memory python-diffusers-tests python-steps

# Builds the tool too: Package.swift.
export SCHEDULERS_TOOL = 1

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: prerequisites ## Draw digits out of noise with several samplers: digits.png
	swift build -c release --product scheduler
	"$$(swift build -c release --show-bin-path)/scheduler" sample --output digits.png

page: ## Make the page on which people learn: Docs/Page/index.html
	python3 Docs/Page/build.py

c: ## Build the library for C, C++ and Python, and install it: make c PREFIX=/usr/local
	Sources/SchedulersC/install $(PREFIX)

install: prerequisites ## Build the tool and put it on the PATH: make install PREFIX=/usr/local
	@test -n "$(PREFIX)" || { echo "PREFIX is missing; give the folder, such as make install PREFIX=/usr/local" >&2; exit 1; }
	Sources/scheduler/install $(PREFIX)

dist: prerequisites ## Pack the tool with all that it needs, for Linux machines without Swift: .build/dist/scheduler-*.tar.gz
	Sources/scheduler/dist

train: prerequisites ## Train the digits model that comes with the tool: digits-model/, in a minute or two
	swift build -c release --product scheduler
	"$$(swift build -c release --show-bin-path)/scheduler" train --output-dir digits-model

test: prerequisites ## Build everything and run every test
	swift test

coverage: prerequisites ## Print which lines of the core the tests run; fail below 98 %
	python3 Tests/Mutation/coverage.py

mutate: ## Judge the tests by small mistakes in the core and in SchedulersInterop: Docs/Mutation.md
	python3 Tests/Mutation/mutate.py

PYTHON ?= .venv/bin/python

bench: ## Compare the speed with other libraries: Docs/Benchmarks.md. GUIDED_DIFFUSION and PYTHON may name a checkout and a Python
	@test -x $(PYTHON) || python3 -m venv .venv
	@$(PYTHON) -c "import diffusers, torch" 2>/dev/null || .venv/bin/pip install --quiet --requirement Fixtures/requirements.txt
	swift build --package-path Sources/Benchmarks --configuration release
	Sources/Benchmarks/.build/release/PeerComparison $(PYTHON) $(if $(GUIDED_DIFFUSION),--guided-diffusion $(GUIDED_DIFFUSION)) --write Docs
	swift package --package-path Sources/Benchmarks benchmark --target SchedulersBenchmarks

# The environment in which Python is tested and packed.
PYTHON_READY = $(PYTHON) -c "import auditwheel, build, diffusers, hatchling, jax, mlx, mypy, pytest, ruff, torch" 2>/dev/null

wheel: c ## Build the Python package with the library of make c inside: .build/wheel/schedulers-*.whl
	@test -x $(PYTHON) || python3 -m venv .venv
	@$(PYTHON_READY) || .venv/bin/pip install --quiet --requirement Tests/Python/requirements.txt
	PYTHON=$(PYTHON) Sources/Python/wheel

python-test: ## Test the Python package: its types and layout, every class on every kind of array, the wheel in an empty environment
	.ci/python

python-memory: c ## Run a million steps from Python, and see that memory does not grow: a few minutes
	SCHEDULERS_STEPS=1000000 $(PYTHON) -m pytest --quiet Tests/Python/test_threads.py -k memory

python-diffusers-tests: c ## Run diffusers' own tests of schedulers with ours in their place: DIFFUSERS names a checkout of it
	@test -d "$(DIFFUSERS)/tests/schedulers" || { echo "DIFFUSERS must name a checkout of diffusers, with its tests" >&2; exit 1; }
	@$(PYTHON_READY) || .venv/bin/pip install --quiet --requirement Tests/Python/requirements.txt
	cd "$(DIFFUSERS)" && PYTHONPATH="$(CURDIR)/Tests/Python/diffusers" $(abspath $(PYTHON)) -m pytest -p plugin --quiet \
		-p no:cacheprovider --disable-warnings tests/schedulers

python-steps: c ## Time steps of diffusers' schedulers from Python, theirs beside ours, for Docs/Python.md: some minutes
	$(PYTHON) Sources/Python/benchmarks/steps.py

SWIFT_FILES = find Package.swift Sources Tests Fixtures Docs \( -name .build \) -prune \
	-o -type f -name '*.swift' -print

# What is linked into libraries that must stay small.
SMALL = Sources/Schedulers Sources/SchedulersC Sources/SchedulersInterop Sources/JSON Sources/Safetensors Sources/Traces \
	Sources/KernelInterface Sources/Kernels Sources/KernelsBaseline

format: ## Lay out the code
	$(SWIFT_FILES) | xargs swift format --in-place

lint: ## Check the layout of the code: comments of 100 columns, code of 120
	$(SWIFT_FILES) | xargs swift format lint --strict
	$(SWIFT_FILES) | xargs python3 Tests/lint_columns.py
	@! grep -rnE "import Foundation" --include='*.swift' $(SMALL) \
		|| { echo "no Foundation in what a library for C links: Docs/Architecture.md" >&2; exit 1; }

fuzz: ## Give the readers of files, and the C interface, hostile input, for TIME seconds: make fuzz TIME=600
	Tests/Fuzz/run $(or $(TIME),60)

traces: ## Record traces, right and wrong, and judge them: make traces PYTHON=... GUIDED_DIFFUSION=a checkout of it
	swift build -c release --product scheduler
	$(or $(PYTHON),.venv/bin/python) Fixtures/traces/make_traces.py --guided-diffusion "$(GUIDED_DIFFUSION)" .build/traces
	python3 Fixtures/traces/judge_traces.py "$$(swift build -c release --show-bin-path)/scheduler" .build/traces

fixtures: ## Make the data files again and compare them with the committed ones
	@test -x .venv/bin/python || python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement Fixtures/requirements.txt
	.venv/bin/pip install --quiet --no-deps k-diffusion==0.1.1.post1
	.venv/bin/python Fixtures/regenerate.py --check

rows: prerequisites ## Hold the rows of plans to 60 digits, every sampler on every process and grid, in a quarter of an hour
	@test -x $(PYTHON) || python3 -m venv .venv
	@$(PYTHON) -c "import mpmath, diffusers" 2>/dev/null || .venv/bin/pip install --quiet --requirement Fixtures/requirements.txt
	$(PYTHON) Fixtures/recipes/rows.py .build/rows
	SCHEDULERS_ROWS="$(CURDIR)/.build/rows" swift test --filter RowTests

accuracy: prerequisites ## Measure the tables of Docs/Accuracy.md again, and the column of Docs/Samplers.md; after make rows
	@test -d .build/rows || { echo "the rows to measure by are missing; run make rows first" >&2; exit 1; }
	SCHEDULERS_ROWS="$(CURDIR)/.build/rows" SCHEDULERS_WRITE_ACCURACY=1 swift test --filter AccuracyReportTests
	swift build --product scheduler
	swift run scheduler list samplers --format markdown > Docs/Samplers.md

documents: ## Build and run the code of the documents, and compare what it prints with what they say
	.ci/documents

docs: ## Build the documentation of the core module and of the readers of other libraries' files, and say how to look at it
	python3 Docs/Site/build.py

site: ## Make a static site of the documentation and the page of lessons: .build/site. BASE is the path that it is served under
	python3 Docs/Site/build.py --site $(if $(BASE),--base $(BASE))

clean: ## Remove what was built
	rm -rf .build Sources/Benchmarks/.build .venv digits.png

prerequisites:
	@.ci/prerequisites
