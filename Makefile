# ngx_http_enkod_module
#
#   make                 build the module for the nginx in PATH,
#                        build/ngx_http_enkod_module.so, the commands
#                        build/enkod-check and build/enkod-replay, and
#                        build/compile_commands.json for editors
#   make help            show this text
#   make install         install the module where nginx looks for modules, and
#                        the commands in BINDIR, /usr/local/bin (DESTDIR=)
#   make uninstall       remove what "make install" has installed
#   make run             start nginx with the module on 127.0.0.1:8080 (PORT=)
#   make test            run all tests, or those that TESTS names
#                        (TESTS='t/pass/load.t t/unit/line.c')
#   make test-unit       run the unit tests only
#   make test-status     run the tests of enkod_status with other programs:
#                        Prometheus, HAProxy, Chromium, a JSON schema validator
#                        (TESTS=)
#   make test-busy       run the tests on a slow machine: on one CPU beside four
#                        busy loops, beside a process that keeps the disk busy,
#                        and with an nginx in which each write, sync and accept
#                        takes 20 ms longer (BUSY='cpu disk delay', TESTS=)
#   make test-valgrind   run t/*/*.t without t/durability under valgrind (TESTS=)
#   make test-asan       run t/*/*.t with sanitizers (TESTS=)
#   make matrix          run the tests on several versions and configurations of
#                        nginx (MATRIX='trixie-h3 sid'; see tools/build/matrix)
#   make fuzz            search inputs that break the event core, for a minute
#                        each (FUZZ_SECONDS=, FUZZ='event differential schema line')
#   make analyze         compare the sources with the structure in docs/design.md
#                        and run the static analyzers of clang and gcc, and
#                        cppcheck
#   make soak            run ten minutes of load with faults (SOAK_SECONDS=,
#                        SEED=)
#   make bench           measure what an event costs (BENCH='cpu sync memory')
#   make bench-peers     measure other programs that do the same, see
#                        docs/benchmarks.md (BENCH_ROUNDS=, BENCH_SECONDS=)
#   make clean           remove the build folder
#
# A target installs the Debian packages it needs.
#
# NGINX_SRC=DIR     nginx source tree to build the module for
# NGINX_BIN=FILE    nginx that runs the tests, and the configure options of
#                   which are used for the build (default: the one in PATH)
# BUILD=DIR         build folder, below this one (default: build)
# CC                compiler
# CC_OPT, LD_OPT    options for the compiler and the linker, added to those of
#                   the nginx package

SHELL = /bin/bash

BUILD = build
PORT = 8080
BINDIR = /usr/local/bin
TESTS =
export BUILD NGINX_SRC NGINX_BIN CC_OPT LD_OPT CC

# do not pass CFLAGS= and the like from the command line to nginx's makefile
MAKEOVERRIDES =

MODULE = $(BUILD)/ngx_http_enkod_module.so
CHECK = $(BUILD)/enkod-check
REPLAY = $(BUILD)/enkod-replay
TOOLS = $(CHECK) $(REPLAY)
SRC = ngx_http_enkod_module
EVENT = $(SRC)/event
CORE = $(wildcard $(EVENT)/*.c)
CORE_HEADERS = $(wildcard $(EVENT)/*.h)

STOCK = $(shell PATH="$$PATH:/usr/sbin:/usr/local/sbin"; type -P nginx)
NGINX = $(or $(NGINX_BIN),$(STOCK))

# prints how that nginx was configured; before the packages are installed there
# may be no nginx, and nothing is printed
NGINX_SAYS = $(if $(NGINX),"$(NGINX)" -V 2>&1,:)


# Debian packages that the goals need

# modules that have filters; they can be loaded by Debian's nginx only
OTHERS = libnginx-mod-http-headers-more-filter:unpack \
         libnginx-mod-http-js:unpack libnginx-mod-http-ndk:unpack \
         libnginx-mod-http-lua:unpack lua-resty-core:unpack \
         lua-resty-lrucache:unpack

GOALS = $(or $(MAKECMDGOALS),all)

PACKAGES = gcc libc6-dev libyajl-dev libpcre2-dev zlib1g-dev libssl-dev \
           libcurl4-openssl-dev
PACKAGES += $(if $(NGINX_SRC),,nginx-dev)
PACKAGES += $(if $(NGINX_SRC)$(NGINX_BIN),,nginx)
PACKAGES += $(if $(filter run,$(GOALS)),curl)
PACKAGES += $(if $(filter test test-busy test-valgrind matrix,$(GOALS)),\
              perl curl wrk openssl mount libtest-nginx-perl \
              redis-tools webdis:unpack logrotate:unpack psmisc jq strace \
              e2fsprogs rsyslog:unpack)
PACKAGES += $(if $(filter test-status,$(GOALS)),perl curl jq)
PACKAGES += $(if $(filter test,$(GOALS)),\
              $(if $(NGINX_SRC)$(NGINX_BIN),,$(OTHERS)))
PACKAGES += $(if $(filter test-unit,$(GOALS)),perl)
PACKAGES += $(if $(filter test test-busy test-unit,$(GOALS)),g++ rapidjson-dev)
PACKAGES += $(if $(filter fuzz,$(GOALS)),clang libclang-rt-dev llvm \
              rapidjson-dev)
PACKAGES += $(if $(filter matrix,$(GOALS)),dpkg-dev patchelf)
PACKAGES += $(if $(filter soak,$(GOALS)),perl mount e2fsprogs)
PACKAGES += $(if $(filter test-valgrind,$(GOALS)),valgrind libc6-dbg)
PACKAGES += $(if $(filter test-asan,$(GOALS)),clang libclang-rt-dev llvm \
              dpkg-dev)
PACKAGES += $(if $(filter analyze,$(GOALS)),clang cppcheck perl)
PACKAGES += $(if $(filter bench,$(GOALS)),perl curl wrk valgrind strace)
PACKAGES += $(if $(filter bench-peers,$(GOALS)),perl wrk valgrind)

# the packages of each peer; a peer that cannot be installed is left out
NODE = $(if $(shell type -P npm),,nodejs npm)
PEERS = "libnginx-mod-http-lua lua-cjson" libnginx-mod-http-js golang-go \
        "webhook:unpack jq" $(if $(NODE),"$(NODE)")


.PHONY: all help packages install uninstall run test test-unit test-status \
        test-busy test-valgrind test-asan matrix fuzz analyze soak bench \
        bench-peers clean FORCE

all: $(MODULE) $(TOOLS)
	@+MAKE="$(MAKE)" bash tools/build/compile-commands

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

packages:
	@bash tools/build/packages $(sort $(PACKAGES))

# always call nginx's makefile, which knows the dependencies of the objects
$(MODULE): FORCE | packages
	@bash tools/build/configure "$(STOCK)"
	@$(MAKE) -s -C $(BUILD)/nginx -f objs/Makefile modules
	@cmp -s $(BUILD)/nginx/objs/$(@F) $@ || \
	    { cp $(BUILD)/nginx/objs/$(@F) $@.new && mv $@.new $@ && \
	    echo "built $@"; }

FORCE:


# the commands: $(BUILD)/enkod-NAME is made from tools/NAME, tools/lib and the
# event core, with the flags of a Debian package, which are asked for once

FLAGS = $(shell dpkg-buildflags --get $(1) 2>/dev/null || echo '$(2)')
TOOL_CFLAGS = $(eval TOOL_CFLAGS := \
              $$(call FLAGS,CFLAGS,-g -O2 -fstack-protector-strong) \
              $$(call FLAGS,CPPFLAGS,-D_FORTIFY_SOURCE=2) -Wall -Wextra \
              )$(TOOL_CFLAGS)
TOOL_LDFLAGS = $(call FLAGS,LDFLAGS,-Wl$(comma)-z$(comma)relro) -Wl,-z,now
comma = ,

TOOL_INCS = -I$(EVENT)
TOOL_OBJS = $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(wildcard tools/$(1)/*.c))
CORE_OBJS = $(CORE:$(EVENT)/%.c=$(BUILD)/tools/event/%.o)

$(REPLAY): TOOL_LIBS = -lcurl -lz

.SECONDEXPANSION:

$(TOOLS): $(BUILD)/enkod-%: $$(call TOOL_OBJS,$$*) $$(call TOOL_OBJS,lib) \
          $(CORE_OBJS) | packages
	@$(CC) $(TOOL_CFLAGS) $(CC_OPT) -o $@.new $^ $(TOOL_LDFLAGS) $(LD_OPT) \
	    -lyajl $(TOOL_LIBS) && mv $@.new $@ && echo "built $@"

$(BUILD)/tools/event/%.o: $(EVENT)/%.c | packages
	$(TOOL_COMPILE)

$(BUILD)/tools/%.o: tools/%.c | packages
	$(TOOL_COMPILE)

define TOOL_COMPILE
	@mkdir -p $(@D)
	@$(CC) $(TOOL_CFLAGS) $(CC_OPT) $(TOOL_INCS) -MMD -MP -c -o $@ $<
endef

# the headers that each object depends on, written by the compiler
-include $(wildcard $(BUILD)/tools/*/*.d)


# the paths that nginx was configured with

path = $(shell $(NGINX_SAYS) | sed -n 's/.* --$(1)=\([^ ]*\).*/\1/p')
MODULES_PATH = $(DESTDIR)$(or $(call path,modules-path),\
               $(addsuffix /modules,$(call path,prefix)),\
               $(error no nginx that says where its modules are: set \
               MODULES_PATH))
SNIPPET = $(DESTDIR)/usr/share/nginx/modules-available/mod-http-enkod.conf
ENABLED = $(DESTDIR)/etc/nginx/modules-enabled/50-mod-http-enkod.conf

install: $(MODULE) $(TOOLS)
	@install -d "$(MODULES_PATH)" 2>/dev/null && \
	    install -m 644 $(MODULE) "$(MODULES_PATH)/" 2>/dev/null || \
	    { echo "install: cannot write to $(MODULES_PATH)" >&2; exit 1; }
	@echo "installed $(MODULES_PATH)/$(notdir $(MODULE))"
	@install -d "$(DESTDIR)$(BINDIR)" 2>/dev/null && \
	    install -m 755 $(TOOLS) "$(DESTDIR)$(BINDIR)/" 2>/dev/null || \
	    { echo "install: cannot write to $(DESTDIR)$(BINDIR)" >&2; exit 1; }
	@$(foreach tool,$(notdir $(TOOLS)),\
	    echo "installed $(DESTDIR)$(BINDIR)/$(tool)";)
	@# like Debian's own modules: available, and enabled by a link
	@if [ -d /etc/nginx/modules-enabled ] && [ -z "$(NGINX_BIN)" ]; then \
	    install -d "$(dir $(SNIPPET))" && \
	    echo 'load_module modules/$(notdir $(MODULE));' >"$(SNIPPET)" && \
	    echo "installed $(SNIPPET)" && \
	    echo "enable it: ln -s $(SNIPPET:$(DESTDIR)%=%) $(ENABLED)"; \
	fi

uninstall:
	rm -f "$(MODULES_PATH)/$(notdir $(MODULE))" "$(SNIPPET)" "$(ENABLED)" \
	    $(foreach tool,$(notdir $(TOOLS)),"$(DESTDIR)$(BINDIR)/$(tool)")


run: $(MODULE)
	@exec bash tools/build/run "$(NGINX)" $(MODULE) \
	    docs/examples/quickstart.conf "$(PORT)"


# unit tests: each t/unit/*.c is a program that prints TAP

UNIT = $(patsubst t/unit/%.c,$(BUILD)/unit/%.t,$(wildcard t/unit/*.c))
UNIT_CFLAGS = -g -O1 -Wall -Wextra -Werror \
              -fsanitize=address,undefined -fno-sanitize-recover=all

UNIT_CORE = $(CORE:$(EVENT)/%.c=$(BUILD)/unit/core/%.o)

.SECONDARY: $(UNIT_CORE)

$(BUILD)/unit/core/%.o: $(EVENT)/%.c $(CORE_HEADERS) | packages
	@mkdir -p $(@D)
	@$(CC) $(UNIT_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%.t: t/unit/%.c $(UNIT_CORE) $(CORE_HEADERS) \
                   $(wildcard t/unit/*.h) | packages
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -I$(EVENT) -o $@ $< $(UNIT_CORE) -lyajl


# fuzz targets: t/fuzz/NAME.c or .cc; linked with replay.c it is a test that
# reads the inputs in t/fuzz/corpus/NAME, and with clang's libFuzzer it searches
# for new inputs

FUZZ = event differential schema line
FUZZ_SECONDS = 60

FUZZ_TESTS = $(FUZZ:%=$(BUILD)/fuzz/%.t)
FUZZ_HEADERS = $(CORE_HEADERS) $(wildcard t/unit/*.h t/fuzz/*.h)
FUZZ_CORE = $(CORE:$(EVENT)/%.c=$(BUILD)/fuzz/core/%.o)

# optimized, to try as many inputs as possible
FUZZ_CFLAGS = -g -O2 -Wall -Wextra -Werror -I$(EVENT) \
              -fsanitize=address,undefined -fno-sanitize-recover=all

# follow branches, but not comparisons: the words of the format are in the
# dictionary
FUZZ_FOLLOW = -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp

$(BUILD)/fuzz/%.t: t/fuzz/%.c t/fuzz/replay.c $(UNIT_CORE) $(FUZZ_HEADERS) \
                   | packages
	$(FUZZ_REPLAY)

$(BUILD)/fuzz/%.t: t/fuzz/%.cc t/fuzz/replay.c $(UNIT_CORE) $(FUZZ_HEADERS) \
                   | packages
	$(FUZZ_REPLAY)

define FUZZ_REPLAY
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -I$(EVENT) -DCORPUS='"t/fuzz/corpus/$*"' -o $@ \
	    $< t/fuzz/replay.c $(UNIT_CORE) -lyajl -lstdc++
endef

$(BUILD)/fuzz/core/%.o: $(EVENT)/%.c $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) $(FUZZ_FOLLOW) -c -o $@ $<

$(BUILD)/fuzz/%.o: t/fuzz/%.c $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -c -o $@ $<

# follow the branches of RapidJSON as well, but do not report undefined
# behaviour in it
$(BUILD)/fuzz/%.o: t/fuzz/%.cc $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) $(FUZZ_FOLLOW) -fno-sanitize=undefined -c -o $@ $<

$(FUZZ:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(FUZZ_CORE)
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lyajl -lstdc++ \
	    && echo "built $@"


# t/*/*.t: tests that run nginx with the module

NGINX_TESTS = $(wildcard t/*/*.t)

PROGRAMS = $(UNIT) $(FUZZ_TESTS)
CHOSEN = $(patsubst t/unit/%.c,$(BUILD)/unit/%.t,\
         $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%.t,\
         $(patsubst t/fuzz/%.cc,$(BUILD)/fuzz/%.t,$(TESTS))))
UNIT_CHOSEN = $(if $(CHOSEN),$(filter $(BUILD)/%,$(CHOSEN)),$(PROGRAMS))

# the module is not loaded into an nginx that has it built in
LOADED = $(if $(shell $(NGINX_SAYS) | tr ' ' '\n' | \
             grep -xF -e '--add-module=$(CURDIR)'),,\
             $(MODULE))

# TEST_NGINX_TIMEOUT is a limit in seconds, reached only by a test that fails;
# the log level "debug" would write hundreds of lines for each request
TEST_ENV = TEST_NGINX_BINARY="$(or $(DELAYED),$(NGINX))" \
           TEST_NGINX_TIMEOUT="$${TEST_NGINX_TIMEOUT:-30}" \
           TEST_NGINX_LOG_LEVEL="$${TEST_NGINX_LOG_LEVEL:-info}" \
           TEST_NGINX_LOAD_MODULES="$(addprefix $(CURDIR)/,$(LOADED))" \
           TEST_NGINX_SERVROOT="$(abspath $(BUILD))/servroot" \
           TEST_ENKOD_CHECK="$(CURDIR)/$(CHECK)" \
           TEST_ENKOD_REPLAY="$(CURDIR)/$(REPLAY)"

PROVE = prove -I t/lib

# Test::Nginx stops if there are files in its root that it did not create
SWEEP = find $(BUILD)/servroot -maxdepth 1 -type f -delete 2>/dev/null;

test: $$(LOADED) $(TOOLS) $(UNIT_CHOSEN)
	@$(SWEEP) $(TEST_ENV) $(PROVE) $(or $(CHOSEN),$(PROGRAMS) $(NGINX_TESTS))

test-unit: $(UNIT_CHOSEN)
	@$(PROVE) $(or $(CHOSEN),$(PROGRAMS))

# t/status/heavy: a package that cannot be installed fails the tests that need
# it, and no others
WATCHERS = prometheus:unpack prometheus-blackbox-exporter:unpack \
           haproxy:unpack chromium python3-jsonschema \
           python3-prometheus-client $(if $(NODE),"$(NODE)")

test-status: $$(LOADED)
	@bash tools/build/packages $(subst ",,$(WATCHERS)) || \
	    for name in $(WATCHERS); do \
	        bash tools/build/packages $$name || true; \
	    done
	@bash tools/build/npm t/status/heavy || true
	@$(TEST_ENV) NODE_PATH="$(CURDIR)/build/npm/node_modules" \
	    $(PROVE) $(or $(TESTS),$(wildcard t/status/heavy/*.t))

# each kind calls this makefile again; "delay" sets DELAYED, a script that
# starts nginx
BUSY = cpu disk delay

test-busy: $$(LOADED) $(TOOLS)
	@+MAKE="$(MAKE)" TESTS="$(TESTS)" bash t/busy/busy "$(NGINX)" $(BUSY)

# valgrind writes a log for each process to $(BUILD)/valgrind; an error in any
# of them makes the target fail
VALGRIND = --leak-check=full --show-leak-kinds=definite --keep-debuginfo=yes \
           --errors-for-leak-kinds=definite --num-callers=40 \
           --gen-suppressions=all -v \
           --suppressions=$(CURDIR)/t/valgrind.suppress \
           --log-file=$(abspath $(BUILD))/valgrind/%p.log

test-valgrind: $(MODULE) $(TOOLS)
	@rm -rf $(BUILD)/valgrind && mkdir -p $(BUILD)/valgrind
	@$(SWEEP) rc=0; \
	$(TEST_ENV) TEST_NGINX_USE_VALGRIND="$(VALGRIND)" \
	    TEST_NGINX_SLEEP=$${TEST_NGINX_SLEEP:-0.3} \
	    $(PROVE) $(or $(TESTS),$(filter-out t/durability/%,\
	    $(NGINX_TESTS))) || rc=1; \
	bash tools/build/valgrind-report $(BUILD)/valgrind || rc=1; \
	exit $$rc


test-asan: packages
	@+bash tools/build/asan $(or $(TESTS),$(NGINX_TESTS))


# each row calls this makefile again, with another nginx
MATRIX =

matrix: packages
	@bash tools/build/matrix $(MATRIX)


fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)
	@FUZZ_SECONDS="$(FUZZ_SECONDS)" bash t/fuzz/fuzz $(FUZZ)


analyze: $(MODULE) $(TOOLS)
	@perl tools/build/structure
	@bash tools/build/analyze $(wildcard $(SRC)/*.c $(SRC)/*/*.c tools/*/*.c)


# delivery-check.t first shows that the check of the soak can fail
soak: $(MODULE)
	@$(TEST_ENV) $(PROVE) t/durability/delivery-check.t
	@$(TEST_ENV) perl t/durability/soak


# BENCH names the parts: those of t/bench/bench, and the scripts t/bench/sync,
# t/bench/pass and t/bench/memory
BENCH = cpu callgrind syscalls core sync pass memory
BENCH_MORE = sync pass memory

bench: $(MODULE)
	@$(if $(filter-out $(BENCH_MORE),$(BENCH)),$(TEST_ENV) \
	    BENCH="$(filter-out $(BENCH_MORE),$(BENCH))" \
	    bash -c 'exec t/bench/bench')
	@$(foreach part,$(filter $(BENCH_MORE),$(BENCH)),$(TEST_ENV) \
	    bash -c 'exec t/bench/$(part)' && ) true

# a peer that cannot be installed is missing in the table
bench-peers: $(MODULE)
	@for peer in $(PEERS); do bash tools/build/packages $$peer || true; done
	@$(TEST_ENV) bash -c 'exec t/bench/peers'

clean:
	rm -rf $(BUILD)
