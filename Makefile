# SPDX-License-Identifier: Apache-2.0
# The whole build, without recursive make. Each folder lists its parts in its module.mk.
#
#   make run                       build the image, boot the appliance, say how to reach it
#   make demo                      load real data into the running appliance and query it
#   make test                      every test: lints, unit, fuzz corpora, integration, console, VM
#
#   make                           hardened build in build/release
#   make check                     unit tests (TAP, run by prove) and fuzz corpus replay
#   make check BUILD=asan          the same under AddressSanitizer and UBSan; also cover
#   make check BUILD=tsan          the tests that start threads, under ThreadSanitizer
#   make integration tui vm        the daemons on this machine, the console in tmux, the image in QEMU
#   make hunt coverage             each fuzzer for 5 seconds (SECONDS_EACH); what of its parser each corpus reaches
#   QUERIES=1000000 SEED=7 build/release/tests/oracle/test-oracle   a long run of random queries
#   make lint                      format, headers, layers, analyzer, tidy, ELF hardening
#   make bench                     Redoubt and other engines on the same data: docs/benchmarks.md
#   make ... VERBOSE=1             show the commands
#
# Everything runs in the tools tree (image/tools), which is made the first time it is needed.

goals := $(or $(MAKECMDGOALS),all)

ifeq ($(wildcard /etc/redoubt-tools),)

# Outside the tools tree: hand the whole command over to the make inside.
.PHONY: $(goals)
$(goals): hand-over
	@:
.PHONY: hand-over
hand-over:
	@image/tools/make
	@image/tools/enter make --no-print-directory $(MAKECMDGOALS) $(MAKEOVERRIDES)

else

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

BUILD      ?= release
O          := build/$(BUILD)
CC         := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
AR         := gcc-ar
PKG_CONFIG ?= pkgconf
PROVE      ?= prove
is_clang   := $(findstring clang,$(CC))
q          := $(if $(VERBOSE),,@)

include hardening/flags.mk

CPPFLAGS += -D_GNU_SOURCE -I. -I$(O)
CFLAGS   += -std=gnu23 -g -pipe $(warnings) $(flags.$(BUILD))
LDFLAGS  += $(ldflags.$(BUILD))

# --- what to build -------------------------------------------------------------------------------
# A module.mk adds paths (without .c or .a) to the first five lists. For each NAME in them,
# NAME.src lists its sources, NAME.libs the archives it links, NAME.pkgs its pkg-config packages.
archives :=
programs :=
tests    :=
fuzzers  :=
# Programs that only tests use.
helpers  :=
# Those of the tests that start threads; BUILD=tsan checks no others.
threaded :=
# Scripts that print TAP and run the programs just built; and what goes into the image, as
# SOURCE:/destination/folder, a source below $(O) if it is a program.
integration :=
installs    :=
include common/module.mk
include $(sort $(wildcard service/*/module.mk appliance/*/module.mk tui/*/module.mk))
include tests/module.mk $(sort $(wildcard tests/*/*.mk))
include $(wildcard hardening/module.mk image/module.mk docs/module.mk)
linked   := $(programs) $(tests) $(fuzzers) $(helpers)

all: $(programs:%=$(O)/%)

# --- how to build it -----------------------------------------------------------------------------
all_src := $(sort $(foreach name,$(archives) $(linked),$($(name).src)))
objects_of = $(addprefix $(O)/,$(addsuffix .o,$(basename $(1))))
all_obj := $(call objects_of,$(all_src))

$(foreach a,$(archives),$(eval $(O)/$(a).a: $(call objects_of,$($(a).src))))
$(foreach p,$(linked),$(eval $(O)/$(p): $(call objects_of,$($(p).src)) $($(p).libs:%=$(O)/%.a)))
$(foreach p,$(linked),$(eval $(O)/$(p): pkgs := $($(p).pkgs)))

define compile
	@mkdir -p $(@D) && echo '  CC    $@'
	$(q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
	@printf '{"directory":"%s","file":"%s","output":"%s","command":"%s"},\n' '$(CURDIR)' '$<' '$@' \
		'$(subst ",\",$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<)' > $(@:.o=.json)
endef

$(O)/%.o: %.c Makefile hardening/flags.mk
	$(compile)

# A grammar NAME.y becomes NAME.c, and NAME.h with the codes of its terminals, which any source may include: all wait for it.
# Lemon leaves a header alone that would be the same; its time must be new all the same.
grammars := $(filter %.y,$(all_src))
$(O)/%.c $(O)/%.h: %.y Makefile
	@mkdir -p $(@D) && echo '  LEMON $(O)/$*.c'
	$(q)lemon -q -d$(@D) $< && touch $(O)/$*.h
$(grammars:%.y=$(O)/%.o): $(O)/%.o: $(O)/%.c Makefile hardening/flags.mk
	$(compile)
$(all_obj): | $(grammars:%.y=$(O)/%.h)

$(O)/%.a:
	@mkdir -p $(@D) && echo '  AR    $@'
	$(q)rm -f $@ && $(AR) rcs $@ $^

$(linked:%=$(O)/%):
	@mkdir -p $(@D) && echo '  LINK  $@'
	$(q)$(CC) $(CFLAGS) $(LDFLAGS) $(wrap) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(if $(pkgs),$(shell $(PKG_CONFIG) --libs $(pkgs))) -lm

$(tests:%=$(O)/%): wrap := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

compile_commands.json: $(all_obj)
	@{ echo '['; cat $(all_obj:.o=.json) | sed '$$s/,$$//'; echo ']'; } > $@

-include $(all_obj:.o=.d)

# --- how to install it ---------------------------------------------------------------------------
install: $(programs:%=$(O)/%)
	$(q)set -e; for pair in $(installs); do \
		from=$${pair%%:*} to='$(DESTDIR)'$${pair#*:}; mode=0644; \
		if [ -e "$(O)/$$from" ]; then from="$(O)/$$from" mode=0755; \
		elif [ -x "$$from" ]; then mode=0755; fi; \
		install -D -m $$mode "$$from" "$$to/$${from##*/}"; \
	done

# --- how to check it -----------------------------------------------------------------------------
checked  := $(tests)
replayed := $(fuzzers)
ifeq ($(BUILD),tsan)
checked  := $(threaded)
replayed :=
export QUERIES ?= 1000
endif

check: $(checked:%=$(O)/%) $(replayed:%=$(O)/%)
	$(PROVE) --jobs 2 --exec '' $(checked:%=$(O)/%)
	$(q)for f in $(replayed:tests/fuzz/fuzz-%=%); do \
		$(PROVE) --exec '' $(O)/tests/fuzz/fuzz-$$f :: tests/fuzz/corpus/$$f/* || exit 1; \
	done

fuzz: $(fuzzers:%=$(O)/%)

# Each fuzzer for a while; and whether their corpora reach what they are for.
hunt:
	$(q)$(MAKE) --no-print-directory fuzz BUILD=fuzz CC=clang
	O=build/fuzz $(PROVE) --verbose --exec sh tests/fuzz/hunt.sh
coverage:
	$(q)$(MAKE) --no-print-directory fuzz BUILD=cover
	O=build/cover $(PROVE) --exec sh tests/fuzz/coverage.sh

# Scripts find the programs by $$O.
integration: all $(helpers:%=$(O)/%)
	O=$(O) $(PROVE) --exec sh $(sort $(wildcard tests/integration/*.sh))
tui: all $(helpers:%=$(O)/%)
	O=$(O) $(PROVE) --exec sh $(sort $(wildcard tests/tui/*.sh))
vm: image
	$(PROVE) --verbose --exec sh $(sort $(wildcard tests/vm/*.sh))

# DOCS=200000 for a small run, ONLY=redoubt,duckdb to choose; see tests/bench/run.
bench: all $(helpers:%=$(O)/%)
	O=$(O) DOCS=$(DOCS) ONLY=$(ONLY) tests/bench/run

# The order is: what fails soonest first. The last line is prove's.
jobs := --jobs=$(shell nproc)
test:
	$(q)$(MAKE) $(jobs) --no-print-directory lint-format lint-scripts
	$(q)$(MAKE) $(jobs) --no-print-directory check lint-elf
	$(q)$(MAKE) $(jobs) --no-print-directory check BUILD=asan
	$(q)$(MAKE) $(jobs) --no-print-directory check BUILD=tsan
	$(q)$(MAKE) $(jobs) --no-print-directory coverage
	$(q)$(MAKE) $(jobs) --no-print-directory lint-analyzer
	$(q)$(MAKE) $(jobs) --no-print-directory integration
	$(q)$(MAKE) $(jobs) --no-print-directory tui
	$(q)$(MAKE) $(jobs) --no-print-directory vm

lint: lint-format lint-scripts lint-analyzer lint-tidy lint-elf
lint-format:
	clang-format --dry-run -Werror $(shell git ls-files '*.c' '*.h')
lint-scripts:
	$(q)for script in tests/lint/*.sh; do echo "  LINT  $$script"; sh $$script || exit 1; done
lint-analyzer: # gcc's analyzer runs cleanup attributes, clang's does not; tests are left out
	$(q)$(MAKE) --no-print-directory BUILD=analyze objects
lint-tidy: # clang-tidy wants clang's flags in the database, so it gets a build of its own
	$(q)$(MAKE) --no-print-directory CC=clang O=build/clang compile_commands.json
	clang-tidy -p . --quiet $(filter %.c,$(all_src))
lint-elf: $(linked:%=$(O)/%)
	hardening/check-elf.sh $(programs:%=$(O)/%)

objects: $(filter-out $(O)/tests/%,$(all_obj))

clean:
	rm -rf build compile_commands.json

.PHONY: all install check fuzz hunt coverage objects clean integration tui vm bench test lint lint-format \
	lint-scripts lint-analyzer lint-tidy lint-elf

endif
