# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# Everything is built under build/.  `make help` lists the targets.

VERSION := 0.1.0
SOVERSION := 0
B := build
KDIR ?= /lib/modules/$(shell uname -r)/build
prefix ?= /usr/local
libdir ?= $(prefix)/lib
DESTDIR ?=

CC ?= cc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Werror=implicit-function-declaration
WERROR ?=
UCFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIC -pthread \
	-fvisibility=hidden -Iinclude -Iinclude/uapi -Iuser/lib \
	-DRAMLOAD_VERSION='"$(VERSION)"' $(WARN) $(WERROR) -MMD -MP
SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

LIB_SRCS := $(addprefix user/lib/, session.c job.c partition.c queue.c \
	engine_kernel.c engine_user.c gather.c source_cache.c source_file.c memory.c \
	extents.c image.c image_elf.c image_layer.c image_libvirt.c \
	image_mapped_ram.c image_raw.c)
CLI_SRCS := $(wildcard user/cli/*.c user/bench/*.c)
CLI_LIBS = $(shell pkg-config --libs json-c libcrypto) $(URING_LIBS)
# One of the peers of "ramload bench".
URING_LIBS := $(shell pkg-config --silence-errors --libs liburing)
ifneq ($(URING_LIBS),)
UCFLAGS_BENCH := -DRAMLOAD_HAVE_URING
endif
UNIT_SRCS := $(wildcard selftests/user/*_test.c)

LIB_OBJS := $(LIB_SRCS:%.c=$(B)/obj/%.o)
CLI_OBJS := $(CLI_SRCS:%.c=$(B)/obj/%.o)
LIB_SAN_OBJS := $(LIB_SRCS:%.c=$(B)/san/%.o)
UNIT_TESTS := $(UNIT_SRCS:selftests/user/%.c=$(B)/unit/%)

SO := $(B)/libramload.so.$(SOVERSION)
KSRC := $(B)/linux-source-6.12
KSFT := $(KSRC)/tools/testing/selftests

.PHONY: all
all: user module

.PHONY: user
user: $(B)/libramload.a $(B)/libramload.so $(B)/ramload $(B)/libramload.pc

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/user/bench/%.o: UCFLAGS += $(UCFLAGS_BENCH)

$(B)/libramload.a: $(LIB_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(SO): $(LIB_OBJS) user/lib/libramload.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -pthread -Wl,-soname,$(@F) \
		-Wl,--version-script=user/lib/libramload.map -Wl,-z,defs \
		-o $@ $(LIB_OBJS)

$(B)/libramload.so: $(SO)
	@ln -sf $(<F) $@

$(B)/ramload: $(CLI_OBJS) $(B)/libramload.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(CLI_LIBS)

$(B)/libramload.pc: user/lib/libramload.pc.in Makefile
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@version@|$(VERSION)|' $< > $@

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
	scripts/const_structs.checkpatch scripts/kernel-doc

$(KSFT)/kselftest_harness.h:
	selftests/vm/kernel --source 6.12 $(KSRC_FILES)

$(B)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) $(SAN) -c -o $@ $<

$(B)/unit/%: selftests/user/%.c $(LIB_SAN_OBJS) Makefile | $(KSFT)/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) -Wno-missing-prototypes $(SAN) -isystem $(KSFT) \
		-o $@ $< $(LIB_SAN_OBJS)

.PHONY: unit
unit: $(UNIT_TESTS)

# Programs that test the module; they run where it is loaded. So do the tests
# of the library once more, without sanitizers, for the kernel engine.
VM_TESTS := $(UNIT_SRCS:selftests/user/%.c=$(B)/selftests/%)

$(B)/selftests/%_test: selftests/user/%_test.c $(B)/libramload.a Makefile \
		| $(KSFT)/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(UCFLAGS) -Wno-missing-prototypes $(CFLAGS) -isystem $(KSFT) \
		-o $@ $< $(B)/libramload.a

.PHONY: selftests
selftests: $(VM_TESTS) | $(KSFT)/kselftest_harness.h
	$(MAKE) -C selftests KSFT=$(abspath $(KSFT)) \
		OUTPUT=$(abspath $(B)/selftests)

# Fuzzers of what reads files: selftests/fuzz/run lets them run.
CLANG ?= clang
FUZZ := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_HDRS := $(wildcard selftests/fuzz/*.h selftests/user/*.h user/lib/*.h \
	include/*.h include/uapi/linux/*.h)

$(B)/fuzz/%_fuzz: selftests/fuzz/%_fuzz.c $(LIB_SRCS) $(FUZZ_HDRS) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -MMD -MP, $(UCFLAGS)) -Wno-unused-function \
		$(FUZZ) -o $@ \
		$(filter %.c, $^)

$(B)/fuzz/image_seeds: selftests/fuzz/image_seeds.c $(FUZZ_HDRS) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP, $(UCFLAGS)) $(CFLAGS) \
		-Wno-unused-function -o $@ $<

.PHONY: fuzz
fuzz: $(B)/fuzz/image_fuzz $(B)/fuzz/partition_fuzz $(B)/fuzz/image_seeds

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
.PHONY: bench bench-uml
bench:
	selftests/vm/install
	selftests/bench/run

bench-uml:
	selftests/vm/install
	selftests/vm/run --kernel uml --mem 4G --timeout 3600 -- ramload bench \
		--dir /put --image dense,alternating,idle --dest memfd,ramload

.PHONY: install
install: user
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(libdir)/pkgconfig \
		$(DESTDIR)$(prefix)/include/linux \
		$(DESTDIR)$(prefix)/lib/udev/rules.d
	install -m 755 $(B)/ramload $(DESTDIR)$(prefix)/bin/
	install -m 644 $(B)/libramload.a $(DESTDIR)$(libdir)/
	install -m 755 $(SO) $(DESTDIR)$(libdir)/
	ln -sf $(notdir $(SO)) $(DESTDIR)$(libdir)/libramload.so
	install -m 644 $(B)/libramload.pc $(DESTDIR)$(libdir)/pkgconfig/
	install -m 644 include/ramload.h $(DESTDIR)$(prefix)/include/
	install -m 644 include/uapi/linux/ramload.h \
		$(DESTDIR)$(prefix)/include/linux/
	install -m 644 Documentation/packaging/60-ramload.rules \
		$(DESTDIR)$(prefix)/lib/udev/rules.d/

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
	@echo 'make bench-uml        the same on User Mode Linux, natively'
	@echo 'make install          library, tool and headers to DESTDIR, prefix'
	@echo 'make modules_install  module to the tree of KDIR'
	@echo 'make unit selftests   build the tests only'
	@echo 'make fuzz             build the fuzzers of image readers'
	@echo 'make clean            remove build/'

.PHONY: clean
clean:
	rm -rf $(B)

-include $(LIB_OBJS:.o=.d) $(CLI_OBJS:.o=.d) $(LIB_SAN_OBJS:.o=.d)
-include $(UNIT_TESTS:%=%.d) $(VM_TESTS:%=%.d)
