# SPDX-License-Identifier: GPL-2.0
# make            the module for KERNELDIR (the running kernel) and the command
# make demo       record in a VM with a stock kernel and show the report
# make check      the tests, in VMs; check-all on all kernels; make bench the costs
# make torture    TIME=SECONDS of everything at once; make fuzz
# make install, uninstall, load, unload, clean
#
# Kbuild has the module's own rules; kbuild reads that, not this.

VERSION := 0.1.0
PREFIX ?= /usr/local
KERNELDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) none)

ifneq ($(words $(CURDIR)),1)
$(error kbuild can't build in a path with spaces: '$(CURDIR)')
endif

all: module command

module: setup-build
	@[ "$(KERNELDIR)" != none ] || { \
		echo "make: no headers for the running kernel $$(uname -r): install linux-headers-$$(uname -r)," >&2; \
		echo "make: or name others: make KERNELDIR=/usr/src/linux-headers-..." >&2; exit 1; }
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) modules

command: setup-build
	$(MAKE) -C userspace

setup-build:
	@tools/setup build

setup-test:
	@tools/setup test

demo: setup-test
	tests/vm/demo

check: setup-test
	tests/run

check-all: setup-test
	tests/run -a

torture: setup-test
	tests/torture/run

fuzz: setup-test
	tools/setup fuzz
	tests/fuzz/run

bench: setup-test
	tools/setup bench
	tests/bench/run

release := $(file < $(KERNELDIR)/include/config/kernel.release)
modules_to := $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR))

install: all
	install -D -m 755 userspace/nestrace $(DESTDIR)$(PREFIX)/sbin/nestrace
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/*.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man4 docs/*.4
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man7 docs/*.7
	install -D -m 644 completions/nestrace.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/nestrace
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) $(modules_to) modules_install
	$(if $(DESTDIR),,depmod -a "$(release)")

# what install has put there, for this kernel
uninstall:
	@[ -n "$(release)" ] || { \
		echo "make: of which kernel? make uninstall KERNELDIR=..." >&2; exit 1; }
	rm -f $(DESTDIR)$(PREFIX)/sbin/nestrace \
		$(foreach n,1 4 7,$(patsubst docs/%,$(DESTDIR)$(PREFIX)/share/man/man$n/%,$(wildcard docs/*.$n))) \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/nestrace
	# DKMS has its own way
	[ ! -d "$(DESTDIR)/lib/modules/$(release)" ] || \
		find "$(DESTDIR)/lib/modules/$(release)" -path '*/updates/*' ! -path '*/dkms/*' \
		-name 'nestrace.ko*' -delete
	$(if $(DESTDIR),,depmod -a "$(release)")

load: module
	@if [ ! -d /sys/module/nestrace ]; then \
		insmod nestrace.ko; \
	elif [ "$$(cat /sys/module/nestrace/srcversion)" = "$$(modinfo -F srcversion nestrace.ko)" ]; then \
		echo "make: this nestrace is loaded already"; \
	else \
		echo "make: another nestrace is loaded; make unload first" >&2; exit 1; \
	fi

unload:
	rmmod nestrace

clean:
	$(MAKE) -C userspace clean
	rm -rf build
	find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name Module.symvers -o \
		-name modules.order -o -name .module-common.o \) -type f -print0 | xargs -0 -r rm -f

.PHONY: all module command setup-build setup-test demo check check-all torture fuzz bench install uninstall load unload clean
