# ngx_http_enkod_module
#
#   make                 build/ngx_http_enkod_module.so, for the stock nginx,
#                        build/enkod-check and build/enkod-replay
#   make install         put the one where that nginx looks for modules, the
#                        others into BINDIR, /usr/local/bin (DESTDIR=)
#   make uninstall
#   make run             an nginx with it on 127.0.0.1:8080 (PORT=)
#   make test            unit tests and all of t/*/*.t
#                        (TESTS='t/pass/load.t t/unit/json.c')
#   make test-unit       unit tests alone
#   make test-busy       the same tests on one CPU beside four busy loops, beside
#                        a process that syncs what it writes, and with an nginx
#                        that takes 20 ms more for each write, sync and accept
#                        (BUSY='cpu disk delay', TESTS=)
#   make test-valgrind   t/*/*.t without t/durability under valgrind (TESTS=)
#   make test-asan       t/*/*.t with sanitizers (TESTS=)
#   make matrix          the tests on several versions of nginx, and in several
#                        ways of running it (MATRIX='trixie-h3 sid'; see
#                        tools/build/matrix)
#   make fuzz            new inputs for what reads them, for a minute each
#                        (FUZZ_SECONDS=, FUZZ='event differential schema')
#   make analyze         what static analyzers say: clang's, gcc's, cppcheck
#   make soak            load and faults for ten minutes (SOAK_SECONDS=, SEED=)
#   make bench           what an event costs (BENCH='cpu sync memory')
#   make bench-peers     the same receiver in other programs, side by side:
#                        docs/benchmarks.md (BENCH_ROUNDS=, BENCH_SECONDS=)
#   make clean
#
# Missing Debian packages are installed first.
#
# NGINX_SRC=DIR     build against this nginx source tree, with the flags of
# NGINX_BIN=FILE    this nginx (default: the one in PATH), which is also the
#                   one that tests run
# BUILD=DIR         make all that in DIR, below this folder, instead of build
# CC, CC_OPT, LD_OPT   compiler, and options added to the package's own

SHELL = /bin/bash

BUILD = build
PORT = 8080
BINDIR = /usr/local/bin
TESTS =
export BUILD NGINX_SRC NGINX_BIN CC_OPT LD_OPT CC

# CFLAGS= and the like on our command line are not meant for nginx's makefile
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

# what that nginx says of how it was configured: nothing, as long as there is
# none, which is so before the packages are installed
NGINX_SAYS = $(if $(NGINX),"$(NGINX)" -V 2>&1,:)


# Debian packages, by what is to be made

# modules with filters of their own, for the nginx that they are built for
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
PACKAGES += $(if $(filter analyze,$(GOALS)),clang cppcheck)
PACKAGES += $(if $(filter bench,$(GOALS)),perl curl wrk valgrind strace)
PACKAGES += $(if $(filter bench-peers,$(GOALS)),perl wrk valgrind)

# those of each peer, which may be missing
NODE = $(if $(shell type -P npm),,nodejs npm)
PEERS = "libnginx-mod-http-lua lua-cjson" libnginx-mod-http-js golang-go \
        "webhook:unpack jq" $(if $(NODE),"$(NODE)")


.PHONY: all packages install uninstall run test test-unit test-busy \
        test-valgrind test-asan matrix fuzz analyze soak bench bench-peers clean FORCE

all: $(MODULE) $(TOOLS)

packages:
	@bash tools/build/packages $(sort $(PACKAGES))

# nginx's own makefile knows what has changed; this one always asks it
$(MODULE): FORCE | packages
	@bash tools/build/configure "$(STOCK)"
	@$(MAKE) -s -C $(BUILD)/nginx -f objs/Makefile modules
	@cmp -s $(BUILD)/nginx/objs/$(@F) $@ || \
	    { cp $(BUILD)/nginx/objs/$(@F) $@.new && mv $@.new $@ && \
	    echo "built $@"; }

FORCE:


# commands: tools/NAME is $(BUILD)/enkod-NAME, with the event core and tools/lib
# in it and the flags of a Debian package

FLAGS = $(shell dpkg-buildflags --get $(1) 2>/dev/null || echo '$(2)')
TOOL_CFLAGS = $(call FLAGS,CFLAGS,-g -O2 -fstack-protector-strong) \
              $(call FLAGS,CPPFLAGS,-D_FORTIFY_SOURCE=2) -Wall -Wextra
TOOL_LDFLAGS = $(call FLAGS,LDFLAGS,-Wl$(comma)-z$(comma)relro) -Wl,-z,now
comma = ,

$(REPLAY): TOOL_LIBS = -lcurl -lz

.SECONDEXPANSION:

$(TOOLS): $(BUILD)/enkod-%: $(CORE) $(CORE_HEADERS) \
          $$(wildcard tools/$$*/*.[ch]) $(wildcard tools/lib/*.[ch]) | packages
	@mkdir -p $(@D)
	@$(CC) $(TOOL_CFLAGS) $(CC_OPT) -I$(EVENT) -o $@.new $(filter %.c,$^) \
	    $(TOOL_LDFLAGS) $(LD_OPT) -lyajl $(TOOL_LIBS) \
	    && mv $@.new $@ && echo "built $@"


# the paths that an nginx was configured with

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
	@# as Debian's own modules do: available, and enabled by a link
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

$(BUILD)/unit/%.t: t/unit/%.c $(CORE) $(CORE_HEADERS) $(wildcard t/unit/*.h) \
                | packages
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -I$(EVENT) -o $@ $< $(CORE) -lyajl


# fuzz targets: t/fuzz/NAME.c or .cc; with replay.c a test of the inputs in
# t/fuzz/corpus/NAME, and with clang's libFuzzer a search for others

FUZZ = event differential schema
FUZZ_SECONDS = 60

FUZZ_TESTS = $(FUZZ:%=$(BUILD)/fuzz/%.t)
FUZZ_HEADERS = $(CORE_HEADERS) $(wildcard t/unit/*.h t/fuzz/*.h)
FUZZ_CORE = $(CORE:$(EVENT)/%.c=$(BUILD)/fuzz/core/%.o)

# optimized, as what counts is how many inputs there are
FUZZ_CFLAGS = -g -O2 -Wall -Wextra -Werror -I$(EVENT) \
              -fsanitize=address,undefined -fno-sanitize-recover=all

# what to follow: branches, for the words to compare with are in the dictionary
FUZZ_FOLLOW = -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp

$(BUILD)/fuzz/%.t: t/fuzz/%.c t/fuzz/replay.c $(CORE) $(FUZZ_HEADERS) | packages
	$(FUZZ_REPLAY)

$(BUILD)/fuzz/%.t: t/fuzz/%.cc t/fuzz/replay.c $(CORE) $(FUZZ_HEADERS) | packages
	$(FUZZ_REPLAY)

define FUZZ_REPLAY
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -I$(EVENT) -DCORPUS='"t/fuzz/corpus/$*"' -o $@ \
	    $< t/fuzz/replay.c $(CORE) -lyajl -lstdc++
endef

$(BUILD)/fuzz/core/%.o: $(EVENT)/%.c $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) $(FUZZ_FOLLOW) -c -o $@ $<

$(BUILD)/fuzz/%.o: t/fuzz/%.c $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -c -o $@ $<

# RapidJSON's way through an input is worth to be followed, but what is
# undefined in it is not ours
$(BUILD)/fuzz/%.o: t/fuzz/%.cc $(FUZZ_HEADERS) | packages
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) $(FUZZ_FOLLOW) -fno-sanitize=undefined -c -o $@ $<

$(FUZZ:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(FUZZ_CORE)
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lyajl -lstdc++ \
	    && echo "built $@"


# t/*/*.t: Test::Nginx and others, against the nginx that will run the module

NGINX_TESTS = $(wildcard t/*/*.t)

PROGRAMS = $(UNIT) $(FUZZ_TESTS)
CHOSEN = $(patsubst t/unit/%.c,$(BUILD)/unit/%.t,\
         $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%.t,\
         $(patsubst t/fuzz/%.cc,$(BUILD)/fuzz/%.t,$(TESTS))))
UNIT_CHOSEN = $(if $(CHOSEN),$(filter $(BUILD)/%,$(CHOSEN)),$(PROGRAMS))

# an nginx that has the module in it is given none to load
LOADED = $(if $(shell $(NGINX_SAYS) | tr ' ' '\n' | \
             grep -xF -e '--add-module=$(CURDIR)'),,\
             $(MODULE))

# TEST_NGINX_TIMEOUT is a limit in seconds that only a failure reaches; with the
# log level "debug", each request is hundreds of lines
TEST_ENV = TEST_NGINX_BINARY="$(or $(DELAYED),$(NGINX))" \
           TEST_NGINX_TIMEOUT="$${TEST_NGINX_TIMEOUT:-30}" \
           TEST_NGINX_LOG_LEVEL="$${TEST_NGINX_LOG_LEVEL:-info}" \
           TEST_NGINX_LOAD_MODULES="$(addprefix $(CURDIR)/,$(LOADED))" \
           TEST_NGINX_SERVROOT="$(abspath $(BUILD))/servroot" \
           TEST_ENKOD_CHECK="$(CURDIR)/$(CHECK)" \
           TEST_ENKOD_REPLAY="$(CURDIR)/$(REPLAY)"

PROVE = prove -I t/lib

# Test::Nginx gives up when it finds in its root what it has not put there
SWEEP = find $(BUILD)/servroot -maxdepth 1 -type f -delete 2>/dev/null;

test: $$(LOADED) $(TOOLS) $(UNIT_CHOSEN)
	@$(SWEEP) $(TEST_ENV) $(PROVE) $(or $(CHOSEN),$(PROGRAMS) $(NGINX_TESTS))

test-unit: $(UNIT_CHOSEN)
	@$(PROVE) $(or $(CHOSEN),$(PROGRAMS))

# each calls us again, the last one with DELAYED=, which starts our nginx
BUSY = cpu disk delay

test-busy: $$(LOADED) $(TOOLS)
	@+MAKE="$(MAKE)" TESTS="$(TESTS)" bash t/busy/busy "$(NGINX)" $(BUSY)

# a process that valgrind has something to say about leaves a report in
# $(BUILD)/valgrind, and any such report makes the target fail
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


# each row calls us again, with another nginx
MATRIX =

matrix: packages
	@bash tools/build/matrix $(MATRIX)


fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)
	@FUZZ_SECONDS="$(FUZZ_SECONDS)" bash t/fuzz/fuzz $(FUZZ)


analyze: $(MODULE)
	@bash tools/build/analyze $(wildcard $(SRC)/*.c $(SRC)/*/*.c tools/*/*.c)


# can it fail at all?  delivery-check.t tells
soak: $(MODULE)
	@$(TEST_ENV) $(PROVE) t/durability/delivery-check.t
	@$(TEST_ENV) perl t/durability/soak


# BENCH names the parts, see t/bench/bench; t/bench/sync, t/bench/pass and
# t/bench/memory are three more
BENCH = cpu callgrind syscalls core sync pass memory
BENCH_MORE = sync pass memory

bench: $(MODULE)
	@$(if $(filter-out $(BENCH_MORE),$(BENCH)),$(TEST_ENV) \
	    BENCH="$(filter-out $(BENCH_MORE),$(BENCH))" \
	    bash -c 'exec t/bench/bench')
	@$(foreach part,$(filter $(BENCH_MORE),$(BENCH)),$(TEST_ENV) \
	    bash -c 'exec t/bench/$(part)' && ) true

# who cannot be installed is missing in the table
bench-peers: $(MODULE)
	@for peer in $(PEERS); do bash tools/build/packages $$peer || true; done
	@$(TEST_ENV) bash -c 'exec t/bench/peers'

clean:
	rm -rf $(BUILD)
