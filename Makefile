# SPDX-License-Identifier: GPL-2.0
# make            the module for KERNELDIR (the running kernel) and the command
# make demo       record in a VM with a stock kernel and show the report
# make check      the tests, in VMs; check-all on all kernels; make bench the costs
# make torture    TIME=SECONDS of everything at once; make fuzz; make picture of KernelShark
# make install, uninstall, load, unload, clean; [un]install-command without the module
#
# Kbuild has the module's own rules; kbuild reads that, not this.

PREFIX ?= /usr/local
ZSH ?= share/zsh/site-functions
SETUP ?= tools/setup
BUILD ?= build
KERNELDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) none)

ifneq ($(words $(CURDIR)),1)
$(error kbuild can't build in a path with spaces: '$(CURDIR)')
endif
ifneq ($(words $(DESTDIR)),$(if $(DESTDIR),1,0))
$(error DESTDIR can't have spaces: '$(DESTDIR)')
endif
root := $(abspath $(DESTDIR))

all: module command

module: setup-build
	@[ "$(KERNELDIR)" != none ] || { \
		echo "make: no headers for the running kernel $$(uname -r): install linux-headers-$$(uname -r)," >&2; \
		echo "make: or name others: make KERNELDIR=/usr/src/linux-headers-..." >&2; exit 1; }
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) modules

command: setup-build
	$(MAKE) -C userspace

setup-build:
	@$(SETUP) build

setup-test:
	@$(SETUP) test

demo: setup-test
	tests/vm/demo

check: setup-test
	tests/run

check-all: setup-test
	tests/run -a

torture: setup-test
	tests/torture/run

picture: setup-test
	tests/vm/picture

fuzz: setup-test
	tools/setup fuzz
	tests/fuzz/run

bench: setup-test
	tools/setup bench
	tests/bench/run

release := $(file < $(KERNELDIR)/include/config/kernel.release)
modules_to := $(if $(root),INSTALL_MOD_PATH=$(root))
modules := $(root)/lib/modules/$(release)

# what install puts under PREFIX, as FILE:PLACE
placed := userspace/nestrace:bin/nestrace \
	$(foreach n,1 4 7,$(foreach page,$(wildcard docs/*.$n),$(page):share/man/man$n/$(notdir $(page)))) \
	completions/nestrace.bash:share/bash-completion/completions/nestrace \
	completions/_nestrace:$(ZSH)/_nestrace \
	etc/60-nestrace.rules:lib/udev/rules.d/60-nestrace.rules \
	etc/nestrace.conf:lib/modprobe.d/nestrace.conf
file_of = $(firstword $(subst :, ,$1))
place_of = $(root)$(PREFIX)/$(lastword $(subst :, ,$1))

install: all install-command
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) $(modules_to) modules_install
	$(if $(root),,depmod -a "$(release)")

install-command: command
	$(foreach f,$(placed),install -D -m $(if $(filter %:bin/nestrace,$f),755,644) \
		$(call file_of,$f) $(call place_of,$f) &&) true

# what install has put there, for this kernel
uninstall:
	@[ -n "$(release)" ] || { \
		echo "make: of which kernel? make uninstall KERNELDIR=...; or only the command: make uninstall-command" >&2; \
		exit 1; }
	$(MAKE) uninstall-command
	# DKMS has its own way
	[ ! -d "$(modules)/updates" ] || (cd "$(modules)/updates" && \
		find . -path ./dkms -prune -o -name 'nestrace.ko*' -exec rm {} +)
	$(if $(root),,depmod -a "$(release)")

uninstall-command:
	rm -f $(foreach f,$(placed),$(call place_of,$f))

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
	rm -rf $(BUILD)
	find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name Module.symvers -o \
		-name modules.order -o -name .module-common.o \) -type f -print0 | xargs -0 -r rm -f

.PHONY: all module command setup-build setup-test demo check check-all torture fuzz bench picture install install-command uninstall uninstall-command load unload clean
