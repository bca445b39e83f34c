# The tasks of a day. `make` alone lists them; what each does is one command, to be read here.

PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup change quick demo test crash kills versions fuzz damage bench ui check docs pictures mutate pins release clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with everything for development
	scripts/setup dev

change: ## make .venv with what a change in Python needs: 380 MB, a minute
	scripts/setup change

quick: ## check a change in Python in half a minute: ruff, imports, mypy, the tests of what changed
	@[ -x $(PYTHON) ] || scripts/setup change
	@$(PYTHON) scripts/quick

demo: ## train the example and ask about its runs (the same as ./run)
	./run

test: ## set everything up and run all tests (the same as ./test)
	./test

crash: setup ## kill recording processes 12,000 times, shipping ones 2,000 times, cut the power 2,000 times ...
	AIM_CRASH_ROUNDS=2000 AIM_CRASH_RESULTS=bench/results/crash.json EVERY_BYTE=1 $(PYTHON) -m pytest tests/crash tests/storage/care/test_damage.py -q -o tmp_path_retention_policy=failed
	AIM_KILL_HISTORIES=50 AIM_KILL_EVENTS=100 AIM_KILL_RESULTS=bench/results/remote_kills.json $(PYTHON) -m pytest tests/remote/test_kills.py -q -o tmp_path_retention_policy=failed

kills: setup ## play 300 short histories of killed trainings, shippers and servers, an hour or two
	AIM_KILL_HISTORIES=300 AIM_KILL_EVENTS=8 AIM_KILL_RESULTS=bench/results/remote_kills.json $(PYTHON) -m pytest tests/remote/test_kills.py -q -o tmp_path_retention_policy=failed

versions: ## run the tests of storage, sdk and query under each Python that is here
	scripts/versions

fuzz: setup ## play random histories and queries, and import mutated sources and kill imports, for long
	HYPOTHESIS_PROFILE=long FUZZ_QUERIES=100000 FUZZ_COPIES=1000 AIM_KILLS=200 $(PYTHON) -m pytest tests/histories tests/query/test_fuzz.py tests/query/test_random.py tests/convert/test_damaged_sources.py tests/convert/test_killed_imports.py -q

damage: setup ## import mutated sources for MINUTES (600), after those of the last call, up to 10,000 of each format
	nice -n 19 $(PYTHON) -m bench fuzz_imports --resume --minutes $${MINUTES:-600}

bench: setup ## measure; results go to bench/results/
	$(PYTHON) -m bench all

ui: setup ## build the web pages into the package
	rm -f .venv/.built-ui src/aim/server/static/.stamp
	scripts/build-ui

check: setup ## ruff, mypy, import-linter and the limits, without the other tests
	$(PYTHON) -m pytest tests/tidy -q

docs: setup ## run every example in README.md, docs/ and the docstrings, build the site, and say how hard its pages read
	$(PYTHON) -m pytest tests/docs src -q
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet
	scripts/reading-level

pictures: setup ## make the pictures of the pages in docs/images again, from `aim demo`
	DOCS_PICTURES=1 $(PYTHON) -m pytest tests/ui/test_pictures.py -q

mutate: setup ## MODULE=src/aim/core/kinds.py: change one line at a time, and name what no test notices
	$(PYTHON) scripts/mutate $(MODULE)

pins: ## write the versions of all packages to scripts/constraints/, after a green ./test all with AIM_NEWEST=1
	scripts/pin

release: ## build and check the sdist and the wheel, from the committed state only
	scripts/release

clean: ## remove what was built and measured; .venv and node_modules stay
	rm -rf build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache src/aim/server/static
	find src tests bench examples -name __pycache__ -prune -exec rm -rf {} +
