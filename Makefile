# SPDX-License-Identifier: GPL-2.0
# make            the module for KERNELDIR (the running kernel) and the command; installs nothing
# make module     only the module; make command: only the command, which needs no kernel headers
# make deps       install what the build needs: by apt, dnf, pacman or zypper
# make demo       record in a VM with a stock kernel and show the report
# make check      the tests, in VMs; check-all on all kernels; make bench the costs
# make t          T=NAME K=KERNEL: one test; make check-quick: some, in under three minutes
# make torture    TIME=SECONDS of everything at once; make fuzz; make picture of KernelShark
# make install, uninstall, load, unload, clean; [un]install-command without the module
# make sign       KEY=FILE CERT=FILE: sign the module; make dist: the source as a tar.gz
#
# Kbuild has the module's own rules; kbuild reads that, not this.

PREFIX ?= /usr/local
ZSH ?= share/zsh/site-functions
BUILD ?= build
running := $(shell uname -r)
KERNELDIR ?= /lib/modules/$(running)/build
version := $(file < VERSION)

ifneq ($(words $(CURDIR)),1)
$(error kbuild can't build in a path with spaces: '$(CURDIR)')
endif
ifneq ($(words $(DESTDIR)),$(if $(DESTDIR),1,0))
$(error DESTDIR can't have spaces: '$(DESTDIR)')
endif
root := $(abspath $(DESTDIR))

all: module command

# in a recipe: print each argument as a line, and fail
fail := fail() { printf 'make: %s\n' "$$@" >&2; exit 1; }; fail
config := $(KERNELDIR)/include/config/auto.conf
# Debian's kernel.release has the number of the source, not the release
release := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KERNELDIR)/include/generated/utsrelease.h 2>/dev/null)

headers:
ifeq ($(origin KERNELDIR),file)
	@[ -f $(config) ] || { $(fail) \
		"the headers of the running kernel are missing: '$(running)'; make deps installs one of" \
		"  linux-headers-$(running) (Debian), kernel-devel-$(running) (Fedora)," \
		"  linux-headers (Arch), kernel-default-devel (openSUSE)" \
		"make KERNELDIR=DIR builds for another kernel; make command needs no headers"; }
else
	@[ -f $(config) ] || { $(fail) \
		"no headers of a configured kernel: '$(KERNELDIR)'; KERNELDIR is like /lib/modules/RELEASE/build"; }
endif

# A module needs its kernel's compiler. LLVM=-19 is clang-19, LLVM=1 is clang.
by_clang = $(shell grep -s '^CONFIG_CC_IS_CLANG=y' $(config))
clang = $(shell sed -n '/^CONFIG_CC_VERSION_TEXT=/s/.*clang version \([0-9]*\).*/\1/p' $(config))
has_llvm = $(and $(shell command -v clang$1),$(shell command -v ld.lld$1))
llvm = $(if $(by_clang),$(or $(LLVM),$(if $(call has_llvm,-$(clang)),-$(clang),$(if $(call has_llvm),1))))

module: headers
	@[ -z "$(by_clang)" ] || [ -n "$(llvm)" ] || { $(fail) \
		"clang $(clang) built this kernel: '$(release)'; install clang, lld and llvm, or give LLVM="; }
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) $(llvm:%=LLVM=%) modules

command:
	$(MAKE) -C userspace

deps:
	@tools/setup build

setup-test:
	@tools/setup test

demo: setup-test
	tests/vm/demo

check: setup-test
	tests/run

# T=NAME...: these tests, cases on the kernels K
t: setup-test
	@[ "$(T)" ] || { echo "make: no test is named; give T=NAME, from tests/run --list" >&2; exit 2; }
	tests/run $(addprefix -k ,$(or $(K),6.12)) $(T)

check-quick: setup-test
	NT_SERIES=6.12 tests/run -k 6.12 static specs formats terminal style exact

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

modules_to := INSTALL_MOD_DIR=updates $(if $(root),INSTALL_MOD_PATH=$(root))
modules := $(root)/lib/modules/$(release)
sources := $(shell find include src -name '*.[ch]')

# FILE:PLACE for each file that install puts under PREFIX
placed := userspace/nestrace:bin/nestrace \
	include/uapi/nestrace.h:include/nestrace/nestrace.h \
	$(foreach n,1 4 7,$(foreach page,$(wildcard docs/*.$n),$(page):share/man/man$n/$(notdir $(page)))) \
	completions/nestrace.bash:share/bash-completion/completions/nestrace \
	completions/_nestrace:$(ZSH)/_nestrace \
	etc/60-nestrace.rules:lib/udev/rules.d/60-nestrace.rules \
	etc/nestrace.sysusers:lib/sysusers.d/nestrace.conf \
	etc/nestrace.tmpfiles:lib/tmpfiles.d/nestrace.conf \
	etc/nestrace-flight.service:lib/systemd/system/nestrace-flight.service \
	etc/nestrace.conf:lib/modprobe.d/nestrace.conf
# the administrator's file: what is changed in it stays
flight_conf := $(root)/etc/nestrace/flight.conf
# the files that DKMS builds from
dkms := $(foreach f,dkms.conf Makefile Kbuild VERSION $(sources),$f:src/nestrace-$(version)/$f)
file_of = $(firstword $(subst :, ,$1))
place_of = $(root)$(PREFIX)/$(lastword $(subst :, ,$1))
place = @$(foreach f,$1,install -D -m $(if $(filter %:bin/nestrace,$f),755,644) \
		$(call file_of,$f) $(call place_of,$f) &&) true

# Install what is built already: root's objects would be in the way of the owner's next build.
built-module: headers
	@{ [ "$$(modinfo -F vermagic nestrace.ko 2>/dev/null | cut -d ' ' -f 1)" = "$(release)" ] && \
		[ -z "$$(find Kbuild VERSION $(sources) -newer nestrace.ko)" ]; } || { \
		echo "make: nestrace.ko is missing, older than its sources, or of another kernel; $$(id -un) builds it now" >&2; \
		$(MAKE) module; }

built-command:
	@{ [ -f userspace/nestrace ] && [ -z "$$(find VERSION include userspace -newer userspace/nestrace \
		\( -name '*.[ch]' -o -name Makefile -o -name VERSION \))" ]; } || { \
		echo "make: the command is missing or older than its sources; $$(id -un) builds it now" >&2; \
		$(MAKE) command; }

install: built-module install-command
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) $(modules_to) modules_install
	$(if $(root),,depmod -a "$(release)")
	@others=$$(find $(modules) -name 'nestrace.ko*' ! -path '$(modules)/updates/nestrace.ko*'); \
	[ -z "$$others" ] || { echo "make: this kernel has another nestrace too: $$others"; \
		$(if $(root),,echo "make: modprobe loads $$(modinfo -k $(release) -F filename nestrace)";) \
		echo "make: dkms remove nestrace/VERSION --all takes DKMS's away"; }

install-command: built-command
	$(call place,$(placed))
	@[ -e $(flight_conf) ] || install -D -m 644 etc/flight.conf $(flight_conf)

# with PREFIX=/usr, where dkms looks
install-dkms:
	$(call place,$(dkms))

# Take away what install has put there, for this kernel. DKMS has its own way, and on some
# distributions its modules are in extra/.
uninstall: uninstall-command
	@[ -n "$(release)" ] || { $(fail) \
		"no headers say which kernel's module: '$(KERNELDIR)'; make uninstall KERNELDIR=DIR"; }
	rm -f $(modules)/updates/nestrace.ko*
	set -- $(root)/var/lib/dkms/nestrace/kernel-$(release)-*; \
		[ -e "$$1" ] || rm -f $(modules)/extra/nestrace.ko*
	$(if $(root),,depmod -a "$(release)")

uninstall-command:
	@rm -f $(foreach f,$(placed),$(call place_of,$f))
	@! cmp -s etc/flight.conf $(flight_conf) || rm -f $(flight_conf)
	@rmdir $(root)$(PREFIX)/include/nestrace $(root)/etc/nestrace 2>/dev/null || true

sign: headers
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { \
		echo "make: no key or certificate; make sign KEY=key.pem CERT=cert.pem, see openssl-req(1)" >&2; exit 2; }
	@for f in "$(KEY)" "$(CERT)"; do [ -r "$$f" ] || { $(fail) "cannot read: '$$f'"; }; done
	@[ -x $(KERNELDIR)/scripts/sign-file ] || { $(fail) \
		"these headers have no scripts/sign-file: '$(KERNELDIR)'; DKMS signs modules too"; }
	@[ -f nestrace.ko ] || { $(fail) "nothing to sign yet: 'nestrace.ko'; make builds it"; }
	@! tail -c 28 nestrace.ko | grep -aq '^~Module signature appended~$$' || { $(fail) \
		"signed already: 'nestrace.ko'; remove it, and make builds one without a signature"; }
	$(KERNELDIR)/scripts/sign-file $(or $(hash),sha256) "$(KEY)" "$(CERT)" nestrace.ko
	@echo "make: signed; the kernel accepts it once mokutil --import has enrolled the certificate, as DER"

hash = $(shell sed -n 's/^CONFIG_MODULE_SIG_HASH="\{0,1\}\([a-z0-9-]*\).*/\1/p' $(config))

load: built-module
	@tools/load nestrace.ko

unload:
	rmmod nestrace

# for packaging/, and for people without git
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=nestrace-$(version)/ -o $(BUILD)/nestrace-$(version).tar.gz HEAD
	@echo $(BUILD)/nestrace-$(version).tar.gz

clean:
	$(MAKE) -C userspace clean
	rm -rf $(BUILD)
	find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name Module.symvers -o \
		-name modules.order -o -name .module-common.o \) -type f -print0 | xargs -0 -r rm -f

.PHONY: all t check-quick headers module command deps setup-test demo check check-all torture fuzz bench picture \
	built-module built-command install install-command install-dkms uninstall uninstall-command \
	sign load unload dist clean
