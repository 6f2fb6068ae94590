# Short doors to the build; Meson does the work.
BUILD ?= build
DATA ?= data
LISTEN ?= 127.0.0.1:8080
# A newer Node.js than Debian's, when tools/setup had to fetch one.
export PATH := $(CURDIR)/.node/node_modules/.bin:$(PATH)

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@command -v meson >/dev/null && command -v pkg-config >/dev/null || \
	  { echo "The packages for building are missing. Install them with: tools/setup run"; exit 1; }
	@meson setup $(BUILD) >$(BUILD).log 2>&1 && rm -f $(BUILD).log || \
	  { cat $(BUILD).log; rm -rf $(BUILD) $(BUILD).log; echo; echo "Install what is missing with: tools/setup run"; exit 1; }

# The pages of web/, rebuilt when a source is newer than the last build.
web: web/dist/index.html
web/dist/index.html: $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@cd web && npm run --silent build

setup:
	@tools/setup run

run: setup
	@$(MAKE) --no-print-directory all web
	@exec $(BUILD)/cairn serve --data $(DATA) --listen $(LISTEN)

demo: setup
	@$(MAKE) --no-print-directory all web
	@exec tools/demo --cairn $(BUILD)/cairn --data demo-data --listen $(LISTEN)

check:
	@tools/check

test:
	@tools/setup test
	@tools/run-tests

bench:
	@tools/setup bench
	@$(MAKE) --no-print-directory web
	@bench/run

fuzz:
	@tools/setup test
	@tools/run-tests --only fuzz --fuzz-seconds 600

fmt:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# Generated files that are committed.
docs: all
	@tools/dump

clean:
	@rm -rf build build-asan build-fuzz build-bench web/dist

.PHONY: all web setup run demo check test bench fuzz fmt docs clean
