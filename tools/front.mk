# What a user types: `make help` prints the lines that have two hashes.
include tools/deps.mk

PXHV := tools/pxhv --build $(BUILD)
# not whatever python3 is first in PATH: apt puts pytest and pexpect beside this one
PYTHON := /usr/bin/python3

# The guest of `make run`: any bzImage and initrd instead of the distribution's by KERNEL= INITRD= APPEND=.
LINUX := $(BUILD)/linux
KERNEL ?= $(LINUX)/vmlinuz
INITRD ?= $(LINUX)/initrd.img
APPEND ?= console=ttyS0 quiet cryptomgr.notests
GUEST_OPTIONS = --kernel "$(KERNEL)" --initrd "$(INITRD)" --append "$(APPEND)"
ENGINE ?= auto

.PHONY: help
help:	## this list
	@sed -n 's/^\([a-z.][a-z.-]*\):.*##  */\1 /p' $(MAKEFILE_LIST) | sort -u | \
		while read -r target text; do printf '  make %-12s %s\n' "$$target" "$$text"; done
	@echo
	@echo '  make WITHOUT="gdb svm" leaves features out: $(FEATURES)'
	@echo '  make run KERNEL=F INITRD=F APPEND="..." ENGINE=kvm|bochs|qemu ARGS="--memory 1G"'
	@echo '  tools/pxhv --help runs guests of any kind'

# Other files' targets, for the list.
all:	## the boot sector and the hypervisor
clean:	## remove what was built
core:	## the smallest hypervisor that boots Linux, in build/core: VT-x, no disks, no debugging
guests:	## the guests of our own
unit:	## only the unit tests; T="fat config" chooses
bench:	## the bench guest under Bochs, beside the goals and KVM's and Xen's figures

$(LINUX)/vmlinuz: | guest-deps
	tools/guest-linux $(LINUX)

$(LINUX)/initrd.img: $(LINUX)/vmlinuz tools/guest-linux
	tools/guest-linux $(LINUX)

$(BUILD)/debian/debian.img: tools/guest-debian tools/grub-disk
	@tools/install-deps debian
	tools/guest-debian $(BUILD)/debian

.PHONY: guest-deps run-deps linux debian
debian: $(BUILD)/debian/debian.img	## a disk with Debian on it, for run --disk
guest-deps:
	@tools/install-deps guest
run-deps:
	@tools/install-deps run
linux: $(LINUX)/initrd.img	## the Debian kernel and busybox initrd that run boots

# The packages come first, and the rest in a make of its own that finds them.
.PHONY: run run-kvm run-bochs run-qemu
run: run-deps	## install, build, and boot Linux to a shell in this terminal
	@$(MAKE) --no-print-directory all $(if $(filter $(LINUX)/%,$(KERNEL) $(INITRD)),linux)
	@$(PXHV) run --engine $(ENGINE) $(GUEST_OPTIONS) $(ARGS)
run-kvm:	## the same on KVM (needs nested virtualization)
	@$(MAKE) --no-print-directory run ENGINE=kvm
run-bochs:	## the same on Bochs, which emulates VT-x
	@$(MAKE) --no-print-directory run ENGINE=bochs
run-qemu:	## the same on QEMU without KVM
	@$(MAKE) --no-print-directory run ENGINE=qemu

.PHONY: disk.img
disk.img: run-deps	## the boot disk for a USB stick or another emulator
	@$(MAKE) --no-print-directory all $(if $(filter $(LINUX)/%,$(KERNEL) $(INITRD)),linux)
	@$(PXHV) image -o $@ $(GUEST_OPTIONS) $(ARGS)
	@ls -l $@

.PHONY: gdb
gdb: run-deps	## QEMU stopped at reset, with GDB and the hypervisor's symbols on it
	@tools/install-deps gdb
	@$(MAKE) --no-print-directory all guests
	@$(PXHV) gdb --flat $(BUILD)/guest/hello64.bin@0x100000:64 $(ARGS)

.PHONY: size
size: all core	## bytes by folder, and what the goals say
	@$(PYTHON) tools/size.py $(BUILD)/pxhv.elf $(BUILD)/core/pxhv.elf

.PHONY: test system
test:	## everything: lint, unit tests, a second of each fuzzer, system tests
	@tools/install-deps $(DEPS)
	@$(MAKE) --no-print-directory all core guests linux debian
	@$(MAKE) --no-print-directory lint features
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory -j 2 fuzz FUZZ_SECONDS=1
	@$(MAKE) --no-print-directory system

# Two emulators at once at most: TESTS= names what to run, as pytest does.
TESTS ?= tests/system
system:	## only the tests in emulators; TESTS="tests/system -k linux" chooses
	@PXHV_BUILD="$(abspath $(BUILD))" $(PYTHON) -m pytest -q -n 2 $(TESTS)

CHECKED := $(wildcard boot/*.c hv/*.c hv/*/*.c)
FORMATTED := $(CHECKED) $(wildcard boot/*.h hv/*/*.h guest/*.h guest/*.c tests/*/*.[ch] tests/unit/include/*/*.h)

.PHONY: lint format
lint: $(BUILD)/load/dsdt_aml.h $(BUILD)/offsets.inc	## clang-format, clang-tidy, cppcheck, shellcheck, pyflakes
	@clang-format --dry-run -Werror $(FORMATTED)
	@printf '%s\n' $(CHECKED) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>$(BUILD)/tidy.$$$$ || \
		{ cat $(BUILD)/tidy.$$$$; exit 1; }; rm $(BUILD)/tidy.$$$$' sh
	@cppcheck --quiet -j 2 --std=c11 --platform=unix64 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=.cppcheck-suppressions --error-exitcode=1 -Ihv -I. -I$(BUILD) $(CHECKED)
	@shellcheck tools/guest-linux tools/guest-debian tools/grub-disk tools/install-deps .ci/run
	@$(PYTHON) -m pyflakes tools/pxhv tools/*.py tools/pxhvlib/*.py tests/*/*.py

TIDY_FLAGS = $(filter-out -MMD -MP -Werror,$(CFLAGS)) -I$(BUILD)

format:	## clang-format on all C
	clang-format -i $(FORMATTED)
