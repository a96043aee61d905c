# The front door. CMake builds; this file names what people do. `make help` lists it.
#
# Every target first installs what it needs and does not find (tools/install-deps; nothing happens
# when all is there; DEPS=skip never looks). Builds live in build/<preset>; presets are in
# CMakePresets.json.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all

JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
DESTDIR ?=
# Where `make demo` works: the user's folder of images, a table of labels where it is a tree of DICOM,
# and the folder for what comes out.
DATA    ?=
LABELS  ?=
DEMO    ?= build/demo
# How long `make fuzz` gives each target, and which (default: all).
SECONDS ?= 60
TARGET  ?=

NODULE := build/release/nodule

##@ Use
.PHONY: all demo test bench install clean
all: ## build the program: build/release/nodule
	@tools/install-deps build test
	@cmake --preset release $(if $(VERBOSE),,>/dev/null)
	@cmake --build --preset release -j $(JOBS) --target nodule

demo: all ## the whole method on phantoms, or on your images: make demo DATA=DIR LABELS=labels.csv
	@tools/demo $(NODULE) "$(DEMO)" $(if $(DATA),"$(DATA)" $(if $(LABELS),"$(LABELS)"))

test: ## build everything and run the tests
	@tools/install-deps build test
	@cmake --preset release $(if $(VERBOSE),,>/dev/null)
	@cmake --build --preset release -j $(JOBS)
	@ctest --test-dir build/release --output-on-failure --no-tests=error -j $(JOBS)

bench: all ## measure this machine: one table of ratios
	@$(NODULE) bench --peers --threads 2

install: all ## install program, library, header and recipes below PREFIX (default /usr/local)
	@cmake --build --preset release -j $(JOBS) --target nodule nodule_lib
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

clean: ## remove build/
	rm -rf build

##@ Check
.PHONY: check check-layers check-format check-headers check-docs check-tidy check-asan check-tsan fuzz
check: ## all of the following and the tests; what a change must pass
	@tools/install-deps build test check
	@$(MAKE) check-layers
	@$(MAKE) check-format
	@$(MAKE) check-headers
	@$(MAKE) test
	@$(MAKE) check-docs
	@$(MAKE) check-tidy
	@$(MAKE) check-asan
	@$(MAKE) check-tsan
	@echo "check: all passed"

check-layers: ## includes point downwards, third-party headers stay in their folder
	@tools/check-layers

check-format: ## clang-format would change nothing
	@tools/install-deps check
	@tools/check-format

check-headers: ## every header compiles alone; the public ones as C99 and as C++
	@tools/install-deps build check
	@JOBS=$(JOBS) tools/check-headers

check-docs: all ## links in the documents exist, examples marked `sh run` run
	@tools/check-docs $(NODULE)

check-tidy: ## clang-tidy finds nothing
	@tools/install-deps build test check
	@cmake --preset fuzz $(if $(VERBOSE),,>/dev/null)
	@JOBS=$(JOBS) tools/check-tidy build/fuzz

check-asan: ## the tests under AddressSanitizer and UBSan
	@tools/install-deps build test
	@cmake --preset asan $(if $(VERBOSE),,>/dev/null)
	@cmake --build --preset asan -j $(JOBS)
	@ctest --test-dir build/asan --output-on-failure --no-tests=error -j $(JOBS)

check-tsan: ## the tests labelled tsan under ThreadSanitizer, without OpenMP
	@tools/install-deps build test
	@cmake --preset tsan $(if $(VERBOSE),,>/dev/null)
	@cmake --build --preset tsan -j $(JOBS) --target tests_tsan
	@ctest --test-dir build/tsan --output-on-failure --no-tests=error -L '^tsan$$'

fuzz: ## libFuzzer: make fuzz SECONDS=600 TARGET=npz (default: 60 s for each target)
	@tools/install-deps build test check
	@cmake --preset fuzz $(if $(VERBOSE),,>/dev/null)
	@cmake --build --preset fuzz -j $(JOBS) --target fuzz_targets
	@tools/run-fuzz build/fuzz "$(SECONDS)" $(TARGET)

##@ Other
.PHONY: deps format bare help
deps: ## install the packages that building, testing and checking need
	@tools/install-deps build test check

format: ## lay out all sources with clang-format
	@tools/install-deps check
	@tools/check-format --fix

bare: ## clone into a bare Debian root (ROOT=DIR, needs root) and run `make test` there
	@tools/bare-debian "$(ROOT)"

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile
