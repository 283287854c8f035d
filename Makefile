# A small face for Meson and Ninja. `make help` lists what there is.
PYTHON ?= /usr/bin/python3
BUILD  ?= build
PACKAGES := $(shell sed 's/\#.*//' packaging/debian-packages)
TEST_PACKAGES := $(shell sed 's/\#.*//' packaging/debian-packages-test)

.PHONY: help all run test check unit dialogs asan fuzz lint bench deps test-deps clean install

help:
	@echo "make run      install what is missing, build, and run a demo system under ./var on loopback"
	@echo "make test     install what is missing, build, and pass all tests, as CI does"
	@echo "make check    the fast inner loop: build, unit tests, saved fuzz corpus, include rules"
	@echo "make dialogs  end-to-end conversations against the built program"
	@echo "make asan     units and dialogs under the address and undefined-behaviour sanitizers"
	@echo "make fuzz     run every fuzz target for a while (SECONDS_EACH=10)"
	@echo "make lint     clang build, clang-format, clang-tidy, cppcheck, own rules"
	@echo "make bench    measure beside Postfix and Dovecot"
	@echo "make install  DESTDIR= PREFIX= as Meson does"

deps:
	@packaging/install-packages $(PACKAGES)

test-deps: deps
	@packaging/install-packages $(TEST_PACKAGES)

$(BUILD)/build.ninja: meson.build meson_options.txt
	@meson setup $(BUILD) $(if $(wildcard $(BUILD)/build.ninja),--reconfigure,) >/dev/null

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

run: deps
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) -Dtests=false >/dev/null
	@ninja -C $(BUILD) --quiet
	@exec packaging/demo $(BUILD)/postrider

# 'make run' builds without the tests, which need cmocka.
check: all
	@tests/floors
	@[ -n "$$(meson test -C $(BUILD) --list 2>/dev/null)" ] || meson setup --reconfigure $(BUILD) -Dtests=true >/dev/null
	@meson test -C $(BUILD) --suite unit --suite corpus --quiet --print-errorlogs

dialogs: all
	@$(PYTHON) -m pytest -q tests/dialog

test: test-deps
	@tests/all

asan: test-deps
	@tests/asan

fuzz: test-deps
	@tests/fuzz/run -s $(or $(SECONDS_EACH),10)

lint: test-deps
	@tests/lint

bench: test-deps all
	@$(PYTHON) bench/run $(BENCH_ARGS)

install: all
	@meson install -C $(BUILD)

clean:
	@rm -rf build build-*
