# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# Everything is built under build/.  `make help` lists the targets.

VERSION := 0.1.0
# The first number changes when programs have to be built anew, and only then.
SOVERSION := $(firstword $(subst ., ,$(VERSION)))
B := build
KDIR ?= /lib/modules/$(shell uname -r)/build

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
docdir ?= $(datarootdir)/doc/ramload
mandir ?= $(datarootdir)/man
pkgconfigdir ?= $(libdir)/pkgconfig
udevrulesdir ?= $(prefix)/lib/udev/rules.d
DESTDIR ?=

CC ?= cc
INSTALL ?= install
OBJCOPY ?= objcopy
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Werror=implicit-function-declaration
WERROR ?=
UCFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIC -pthread \
	-fvisibility=hidden -Iinclude -Iinclude/uapi -Iuser/lib \
	-DRAMLOAD_VERSION='"$(VERSION)"' $(WARN) $(WERROR) $(CPPFLAGS) -MMD -MP
SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

LIB_SRCS := $(wildcard user/lib/*.c)
STAT_SRCS := $(wildcard user/stat/*.c)
CLI_SRCS := $(wildcard user/cli/*.c user/bench/*.c)
# The guest in it is of this kind of machine only.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
EMULATOR := $(B)/ramload-emulator
endif
EMULATOR_SRCS := $(wildcard user/emulator/*.c user/emulator/*.S)
CLI_LIBS = $(shell pkg-config --libs json-c libcrypto) $(NL_LIBS) $(URING_LIBS)
# Of libramload-stat, and of nothing else.
NL_CFLAGS = $(shell pkg-config --cflags libnl-genl-3.0)
NL_LIBS = $(shell pkg-config --libs libnl-genl-3.0)
# One of the peers of "ramload bench".
URING_LIBS := $(shell pkg-config --silence-errors --libs liburing)
ifneq ($(URING_LIBS),)
UCFLAGS_BENCH := -DRAMLOAD_HAVE_URING
endif
SHIM_SRCS := $(wildcard user/shim/*.c)
UNIT_SRCS := $(filter-out %/criu_test.c, $(wildcard selftests/user/*_test.c))

LIB_OBJS := $(LIB_SRCS:%.c=$(B)/obj/%.o)
STAT_OBJS := $(STAT_SRCS:%.c=$(B)/obj/%.o)
CLI_OBJS := $(CLI_SRCS:%.c=$(B)/obj/%.o)
SHIM_OBJS := $(SHIM_SRCS:%.c=$(B)/obj/%.o)
EMULATOR_OBJS := $(addprefix $(B)/obj/, $(addsuffix .o, $(basename \
	$(EMULATOR_SRCS))))
EMULATOR_SAN_OBJS := $(EMULATOR_OBJS:$(B)/obj/%=$(B)/san/%)
LIB_SAN_OBJS := $(LIB_SRCS:%.c=$(B)/san/%.o)
STAT_SAN_OBJS := $(STAT_SRCS:%.c=$(B)/san/%.o)
SHIM_SAN_OBJS := $(SHIM_SRCS:%.c=$(B)/san/%.o)
UNIT_TESTS := $(UNIT_SRCS:selftests/user/%.c=$(B)/unit/%)
VM_TESTS := $(addprefix $(B)/selftests/, criu_test load_test memory_test \
	preload_test queue_test session_test)

LIBRARIES := libramload libramload-stat
STATIC_LIBS := $(LIBRARIES:%=$(B)/%.a)
SHARED_LIBS := $(LIBRARIES:%=$(B)/%.so.$(VERSION))
SONAMES := $(LIBRARIES:%=$(B)/%.so.$(SOVERSION))
KSRC := $(B)/linux-source-6.12
KSFT := $(KSRC)/tools/testing/selftests

.PHONY: all
all: user module

.PHONY: user
user: $(STATIC_LIBS) $(LIBRARIES:%=$(B)/%.so) $(LIBRARIES:%=$(B)/%.pc) \
	$(B)/libramload-preload.so $(B)/ramload $(EMULATOR)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/user/bench/%.o: UCFLAGS += $(UCFLAGS_BENCH)

# One object, of which a program that is linked to it sees the names of the
# header: any other might be one of its own. gcc -flto has to make code of it.
PARTIAL_LINK = -r -nostdlib \
	$(if $(findstring -flto,$(CFLAGS)),-flinker-output=nolto-rel)

$(STATIC_LIBS): $(B)/%.a:
	@rm -f $@
	$(CC) $(CFLAGS) $(PARTIAL_LINK) -o $(B)/obj/$*.o $^
	$(OBJCOPY) --localize-hidden $(B)/obj/$*.o
	$(AR) rcs $@ $(B)/obj/$*.o

# The file, a link for programs that run, and one for those that are linked.
$(SHARED_LIBS): $(B)/%.so.$(VERSION):
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -pthread \
		-Wl,-soname,$*.so.$(SOVERSION) \
		-Wl,--version-script=$(filter %.map,$^) -Wl,-z,defs \
		-o $@ $(filter %.o,$^) $(SO_LIBS)

$(SONAMES): %.$(SOVERSION): %.$(VERSION)
	@ln -sf $(<F) $@

$(LIBRARIES:%=$(B)/%.so): %: %.$(SOVERSION)
	@ln -sf $(<F) $@

$(B)/libramload.a $(B)/libramload.so.$(VERSION): $(LIB_OBJS)
$(B)/libramload.so.$(VERSION): user/lib/libramload.map
$(B)/libramload.pc: user/lib/libramload.pc.in

$(B)/libramload-stat.a $(B)/libramload-stat.so.$(VERSION): $(STAT_OBJS)
$(B)/libramload-stat.so.$(VERSION): user/stat/libramload-stat.map
$(B)/libramload-stat.so.$(VERSION): SO_LIBS = $(NL_LIBS)
$(B)/libramload-stat.pc: user/stat/libramload-stat.pc.in
$(STAT_OBJS) $(STAT_SAN_OBJS): UCFLAGS += $(NL_CFLAGS)

# It defines preadv64 and preadv, which are one function, under both names; what
# the library in it calls is libc's.
SHIM_WRAP := -Wl,--wrap=preadv64
$(B)/obj/user/shim/%.o $(B)/san/user/shim/%.o: UCFLAGS += -U_FILE_OFFSET_BITS

$(B)/libramload-preload.so: $(SHIM_OBJS) $(B)/libramload.a user/shim/preload.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -pthread -Wl,-soname,$(@F) \
		-Wl,--version-script=user/shim/preload.map -Wl,-z,defs \
		$(SHIM_WRAP) -Wl,--exclude-libs,ALL \
		-o $@ $(SHIM_OBJS) $(B)/libramload.a

$(B)/ramload: $(CLI_OBJS) $(B)/libramload.a $(B)/libramload-stat.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(CLI_LIBS)

$(B)/ramload-emulator: $(EMULATOR_OBJS) $(B)/libramload.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

# Written anew if "make install" names other directories than "make" did.
under_prefix = $(patsubst $(prefix)/%,$${prefix}/%,$(1))
.PHONY: FORCE
$(LIBRARIES:%=$(B)/%.pc): FORCE
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@version@|$(VERSION)|' \
		-e 's|@libdir@|$(call under_prefix,$(libdir))|' \
		-e 's|@includedir@|$(call under_prefix,$(includedir))|' \
		$(filter %.in,$^) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# The module is built from a folder of links, because kbuild puts its objects
# beside the sources it is given.
KREL = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
KOUT = $(B)/kmod/$(KREL)
KBUILD_ARGS ?= $(shell grep -qs '^CONFIG_UML=y' $(KDIR)/.config && echo ARCH=um)

.PHONY: module
module:
	@test -n "$(KREL)" || { echo "KDIR=$(KDIR) is no built kernel tree" >&2; \
		echo "('make user' needs none)" >&2; exit 1; }
	@mkdir -p $(KOUT)
	@find $(KOUT) -xtype l -delete
	@cp -rsuf $(CURDIR)/Kbuild $(CURDIR)/kmod $(CURDIR)/include $(KOUT)/
	$(MAKE) -C $(KDIR) M=$(abspath $(KOUT)) $(KBUILD_ARGS) modules

# Unit tests of the library run under the address and UB sanitizers.
KSRC_FILES := tools/testing/selftests/kselftest.h \
	tools/testing/selftests/kselftest_harness.h \
	tools/testing/selftests/lib.mk tools/testing/selftests/kselftest \
	tools/testing/selftests/run_kselftest.sh \
	scripts/checkpatch.pl scripts/spelling.txt \
	scripts/const_structs.checkpatch scripts/kernel-doc \
	Documentation/netlink/genetlink.yaml
KSRC_NEWEST := $(KSRC)/$(lastword $(KSRC_FILES))

# One call extracts them all anew. A tree that was extracted when there were
# fewer lacks those that were added last.
$(KSRC_NEWEST):
	selftests/vm/kernel --source 6.12 $(KSRC_FILES)

$(KSFT)/kselftest_harness.h: | $(KSRC_NEWEST)
	selftests/vm/kernel --source 6.12 $(KSRC_FILES)

$(B)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(SAN) -c -o $@ $<

$(B)/unit/%: selftests/user/%.c $(LIB_SAN_OBJS) Makefile | $(KSFT)/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) -Wno-missing-prototypes $(SAN) -isystem $(KSFT) \
		-o $@ $< $(filter %.o, $^) $(UNIT_FLAGS)

$(B)/unit/stat_test $(B)/unit/stat_answer_test: $(STAT_SAN_OBJS)
$(B)/unit/stat_test: UNIT_FLAGS := -Iuser/stat $(NL_LIBS)
$(B)/unit/stat_answer_test: UNIT_FLAGS := -Iuser/stat $(NL_LIBS) \
	-Wl,--wrap=recvfrom,--wrap=socket_join,--wrap=socket_send

$(B)/unit/source_file_test: UNIT_FLAGS := -Wl,--wrap=pread64

STAT_REPORT_OBJS := $(addprefix $(B)/san/user/cli/, bar.o figure.o input.o \
	job_row.o message.o name.o options.o output.o size.o stat_json.o \
	stat_prometheus.o stat_text.o table.o watch_jobs.o watch_line.o)

$(B)/unit/stat_report_test: $(STAT_SAN_OBJS) $(STAT_REPORT_OBJS)
$(B)/unit/stat_report_test: UNIT_FLAGS := -Iuser/cli -Iuser/stat $(NL_LIBS) \
	$(shell pkg-config --libs json-c)

# Its reads are the shim's, as if that were preloaded: they are of preadv.
$(B)/unit/preload_test $(B)/unit/preload_map_test: $(SHIM_SAN_OBJS)
$(B)/selftests/preload_test $(B)/selftests/preload_map_test: $(SHIM_OBJS)
$(filter %/preload_test %/preload_map_test, $(UNIT_TESTS) $(VM_TESTS)): \
	UNIT_FLAGS := -U_FILE_OFFSET_BITS $(SHIM_WRAP)

$(B)/san/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(SAN) -c -o $@ $<

$(B)/san/ramload-emulator: $(EMULATOR_SAN_OBJS) $(LIB_SAN_OBJS)
	$(CC) $(UCFLAGS) $(SAN) -o $@ $^

.PHONY: unit
unit: $(UNIT_TESTS) $(EMULATOR:$(B)/%=$(B)/san/%)

# Programs that test the module; they run where it is loaded. So do the tests
# of the library once more, without sanitizers, for the kernel engine.
$(B)/selftests/%_test: selftests/user/%_test.c $(B)/libramload.a Makefile \
		| $(KSFT)/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) -Wno-missing-prototypes $(CFLAGS) -isystem $(KSFT) \
		-o $@ $< $(filter %.o, $^) $(B)/libramload.a $(UNIT_FLAGS)

# pthread_cancel() opens it when it is called; in a VM is what programs are linked with.
$(B)/selftests/session_test: UNIT_FLAGS := -Wl,--no-as-needed -lgcc_s

# A guest for the tests with QEMU.
GUEST := $(B)/guest/checksum

$(GUEST): selftests/vm/checksum_guest.S Makefile
	@mkdir -p $(@D)
	$(CC) -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-N \
		-Wl,--no-warn-rwx-segments \
		-Wl,--section-start=.multiboot=0x100000 -Wl,-Ttext=0x100040 \
		-o $@ $<

# Examples are built as programs of others are: with what is installed, and what
# pkg-config says of it. Those for shared libraries find it in the VM's /usr.
STAGE := $(abspath $(B)/stage)
STAGED := PKG_CONFIG_LIBDIR=$(STAGE)/usr/lib/pkgconfig \
	PKG_CONFIG_SYSROOT_DIR=$(STAGE) pkg-config libramload --cflags --libs
EXAMPLES := $(patsubst Documentation/%.c, $(B)/selftests/%, \
	$(wildcard Documentation/examples/*.c))
CFLAGS_EXAMPLES := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic $(WERROR)

$(STAGE)/installed: $(STATIC_LIBS) $(SHARED_LIBS) $(wildcard include/*.h \
		user/*/*.pc.in) Makefile | user
	@rm -rf $(@D)
	@$(MAKE) -s install DESTDIR=$(@D) prefix=/usr exec_prefix=/usr \
		libdir=/usr/lib includedir=/usr/include
	@touch $@

$(EXAMPLES): $(B)/selftests/%: Documentation/%.c $(STAGE)/installed
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_EXAMPLES) $(CFLAGS) -o $@ $< $$($(STAGED))

$(EXAMPLES:=-static): $(B)/selftests/%-static: Documentation/%.c \
		$(STAGE)/installed
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_EXAMPLES) $(CFLAGS) -o $@ $< \
		-Wl,-Bstatic $$($(STAGED) --static) -Wl,-Bdynamic

.PHONY: examples
examples: $(EXAMPLES) $(EXAMPLES:=-static)

.PHONY: selftests
selftests: $(VM_TESTS) $(GUEST) examples | $(KSFT)/kselftest_harness.h
	$(MAKE) -C selftests KSFT=$(abspath $(KSFT)) \
		OUTPUT=$(abspath $(B)/selftests)

# What counts instructions, in QEMU: selftests/bench/run --profile.
$(B)/profile_plugin.so: selftests/bench/profile_plugin.c user/bench/mark.h \
		Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP, $(UCFLAGS)) -Iuser/bench $(CFLAGS) -shared \
		-o $@ $<

# Fuzzers of what reads files and messages: selftests/fuzz/run lets them run.
CLANG ?= clang
FUZZ := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_HDRS := $(wildcard selftests/fuzz/*.h selftests/user/*.h user/lib/*.h \
	user/stat/*.h include/*.h include/uapi/linux/*.h)

LIB_FUZZ_OBJS := $(LIB_SRCS:%.c=$(B)/fuzz/%.o)

STAT_FUZZ_OBJS := $(B)/fuzz/user/stat/message.o $(B)/fuzz/user/stat/record.o

$(LIB_FUZZ_OBJS) $(STAT_FUZZ_OBJS): $(B)/fuzz/%.o: %.c $(FUZZ_HDRS) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -MMD -MP, $(UCFLAGS)) $(FUZZ) -c -o $@ $<

$(B)/fuzz/stat_fuzz: $(STAT_FUZZ_OBJS)
$(B)/fuzz/stat_fuzz: UCFLAGS += -Iuser/stat

$(B)/fuzz/%_fuzz: selftests/fuzz/%_fuzz.c $(LIB_FUZZ_OBJS)
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -MMD -MP, $(UCFLAGS)) -Wno-unused-function \
		$(FUZZ) -o $@ $^

$(B)/fuzz/%_seeds: selftests/fuzz/%_seeds.c $(FUZZ_HDRS) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP, $(UCFLAGS)) $(CFLAGS) \
		-Wno-unused-function -o $@ $<

.PHONY: fuzz
fuzz: $(addprefix $(B)/fuzz/, image_fuzz image_seeds directory_fuzz \
	directory_seeds partition_fuzz stat_fuzz stat_seeds)

.PHONY: demo
demo:
	selftests/vm/install
	selftests/vm/kernel 6.12
	$(MAKE) user
	selftests/vm/demo

.PHONY: check check-debug check-all
check:
	selftests/vm/install
	selftests/check

check-debug check-all: check-%:
	selftests/vm/install
	selftests/check $*

# Figures that are the same each time, and where threads and memory are real.
.PHONY: bench bench-profile bench-uml
bench:
	selftests/vm/install
	selftests/bench/run

bench-profile: $(B)/profile_plugin.so
	selftests/vm/install
	selftests/bench/run --profile

bench-uml:
	selftests/vm/install
	selftests/vm/run --kernel uml --mem 4G --timeout 3600 -- ramload bench \
		--dir /put --size 64M --rounds 3 --image dense,alternating,idle \
		--method kernel,user,preadv,processes,sendfile,uffd,limit

# Pages and manual pages, of Documentation/ and of comments in the headers.
# Both share what was read, which is forgotten where a warning would be, too.
SPHINX := PYTHONDONTWRITEBYTECODE=1 flock $(B)/docs sphinx-build -q -n -W \
	--keep-going -d $(B)/docs/pages
DOC_SRCS := $(wildcard Documentation/*.rst Documentation/man/* \
	Documentation/*.svg Documentation/*.py Documentation/sphinx/*.py \
	Documentation/sphinx/static/* include/*.h include/uapi/linux/*.h \
	kmod/*.c)

.PHONY: docs man
docs: $(B)/docs/html/index.html
man: $(B)/man/man1/ramload.1

$(B)/docs/html/index.html: $(DOC_SRCS)
	@mkdir -p $(B)/docs
	$(SPHINX) -b html Documentation $(@D) || { rm -rf $(B)/docs; exit 1; }
	@touch $@

$(B)/man/man1/ramload.1: $(DOC_SRCS)
	@rm -rf $(B)/man
	@mkdir -p $(B)/docs
	$(SPHINX) -b man Documentation $(B)/man || \
		{ rm -rf $(B)/docs $(B)/man; exit 1; }
	@touch $@

# What is installed, MODE:FILE:DIRECTORY each, or link:LINK:DIRECTORY. "make
# uninstall" removes the same.
INSTALLED := 755:$(B)/ramload:$(bindir) \
	$(STATIC_LIBS:%=644:%:$(libdir)) \
	$(SHARED_LIBS:%=755:%:$(libdir)) \
	$(SONAMES:%=link:%:$(libdir)) \
	$(LIBRARIES:%=link:$(B)/%.so:$(libdir)) \
	755:$(B)/libramload-preload.so:$(libdir) \
	$(LIBRARIES:%=644:$(B)/%.pc:$(pkgconfigdir)) \
	644:include/ramload.h:$(includedir) \
	644:include/ramload_save.h:$(includedir) \
	644:include/ramload_stat.h:$(includedir) \
	644:include/uapi/linux/ramload.h:$(includedir)/linux \
	644:include/uapi/linux/ramload_netlink.h:$(includedir)/linux \
	$(addsuffix :$(docdir)/examples, $(addprefix 644:, \
		$(wildcard Documentation/examples/*.c))) \
	644:Documentation/packaging/60-ramload.rules:$(udevrulesdir) \
	644:user/completion/ramload.bash:$(datarootdir)/bash-completion/completions \
	644:user/completion/_ramload:$(datarootdir)/zsh/site-functions

# Manual pages, where they were built; the emulator is not installed.
MANPAGES = $(filter-out %/ramload-emulator.1, $(wildcard $(B)/man/man?/*))
INSTALLED += $(foreach page,$(MANPAGES), \
	644:$(page):$(mandir)/$(notdir $(patsubst %/,%,$(dir $(page)))))

field = $(word $(2),$(subst :, ,$(1)))
installed = '$(DESTDIR)$(call field,$(1),3)/$(notdir $(call field,$(1),2))'
install_dirs = $(sort $(foreach entry,$(INSTALLED),$(call field,$(entry),3)))

define install_entry
	$(if $(filter link,$(call field,$(1),1)),cp -df, \
		$(INSTALL) -m $(call field,$(1),1)) \
		$(call field,$(1),2) $(call installed,$(1))

endef

.PHONY: install uninstall
install: user
	umask 022 && mkdir -p $(install_dirs:%='$(DESTDIR)%')
	$(foreach entry,$(INSTALLED),$(call install_entry,$(entry)))

# Directories that bear our name go if they are empty, and in DESTDIR the others,
# too; those of the system are not ours.
own_dirs = $(docdir)/examples $(docdir)

uninstall:
	rm -f $(foreach entry,$(INSTALLED),$(call installed,$(entry)))
ifneq ($(DESTDIR),)
	for dir in $(install_dirs:/%=%); do \
		test ! -d '$(DESTDIR)'/$$dir || (cd '$(DESTDIR)' && \
			rmdir -p --ignore-fail-on-non-empty $$dir); done
endif
	for dir in $(own_dirs); do \
		test ! -d '$(DESTDIR)'$$dir || \
			rmdir --ignore-fail-on-non-empty '$(DESTDIR)'$$dir; done

# The ABI on record is that of the last release.
.PHONY: abi abi-update
abi: $(LIBRARIES:%=$(B)/%.so)
	for so in $^; do selftests/user/abi compare $$so || exit; done

abi-update: $(LIBRARIES:%=$(B)/%.so)
	for so in $^; do selftests/user/abi update $$so || exit; done

# Debian packages, in build/deb.
.PHONY: deb
deb:
	selftests/vm/install build deb
	Documentation/packaging/deb

.PHONY: modules_install
modules_install: module
	$(MAKE) -C $(KDIR) M=$(abspath $(KOUT)) $(KBUILD_ARGS) modules_install

.PHONY: help
help:
	@echo 'make                  library, tool, and module for KDIR'
	@echo 'make user             library and tool; needs no kernel headers'
	@echo 'make module           module for KDIR ($(KDIR))'
	@echo 'make demo             load a QEMU snapshot in a VM, both engines'
	@echo 'make check            build and run the tests, the long ones briefly'
	@echo 'make check-debug      the module on User Mode Linux, all checks on'
	@echo 'make check-all        both, and the long tests at length'
	@echo 'make bench            the module against what programs do without it'
	@echo 'make bench-profile    instructions of each function, where an aim is missed'
	@echo 'make bench-uml        the same on User Mode Linux, natively'
	@echo 'make install          library, tool and headers to DESTDIR, prefix'
	@echo 'make uninstall        remove what make install puts there'
	@echo 'make modules_install  module to the tree of KDIR'
	@echo 'make deb              Debian packages in build/deb'
	@echo 'make unit selftests   build the tests only'
	@echo 'make abi              compare the ABI of the library with the last one'
	@echo 'make abi-update       record it, for a release'
	@echo 'make examples         build Documentation/examples'
	@echo 'make docs             the documentation, as HTML in build/docs/html'
	@echo 'make man              manual pages in build/man'
	@echo 'make fuzz             build the fuzzers of what reads files and messages'
	@echo 'make clean            remove build/'

.PHONY: clean
clean:
	rm -rf $(B)

-include $(LIB_OBJS:.o=.d) $(CLI_OBJS:.o=.d) $(SHIM_OBJS:.o=.d) $(LIB_SAN_OBJS:.o=.d) $(SHIM_SAN_OBJS:.o=.d)
-include $(STAT_OBJS:.o=.d) $(STAT_SAN_OBJS:.o=.d) $(STAT_REPORT_OBJS:.o=.d)
-include $(EMULATOR_OBJS:.o=.d) $(EMULATOR_SAN_OBJS:.o=.d)
-include $(UNIT_TESTS:%=%.d) $(VM_TESTS:%=%.d)
