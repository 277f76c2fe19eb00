# What an image can do without. `make WITHOUT="gdb svm"` leaves these files out when it links: what others say of them are
# weak symbols, declared so in their headers, and whoever asks for what is not there hears so. `make features` checks that.
FEATURE_vmx := $(wildcard hv/vmx/*.c hv/vmx/*.asm)
FEATURE_svm := $(wildcard hv/svm/*.c hv/svm/*.asm)

# Kinds of guests.
FEATURE_linux := hv/load/linux.c
FEATURE_multiboot := hv/load/multiboot.c hv/load/elf.c
FEATURE_flat := hv/load/flat.c
FEATURE_firmware := hv/load/firmware.c hv/dev/fw_cfg.c

# What guests have.
FEATURE_vga := hv/dev/vga_text.c hv/dev/vga_ansi.c hv/dev/keys.c
FEATURE_usb := hv/host/drive_usb.c hv/host/usb_device.c hv/host/xhci.c
FEATURE_drives := hv/disks.c hv/host/ata.c $(wildcard hv/host/drive*.c) hv/host/partition.c hv/host/pci.c hv/vm/dma_cursor.c \
	hv/vm/host_disk.c $(FEATURE_usb)
FEATURE_disks := boot/config_disk.c $(wildcard hv/dev/virtio*.c) hv/vm/ram_disk.c $(FEATURE_drives)

# What looks at them.
FEATURE_monitor := hv/debug/lineedit.c hv/debug/mon_command.c hv/debug/mon_host.c hv/debug/mon_info.c hv/debug/mon_run.c \
	hv/debug/monitor.c hv/vmx/features.c hv/svm/features.c
FEATURE_disasm := hv/debug/disasm.c hv/debug/disasm_names.c
FEATURE_gdb := hv/debug/gdb_command.c hv/debug/gdb_regs.c hv/debug/gdb_resume.c hv/debug/gdb_stub.c
FEATURE_trace := hv/debug/insns.c hv/vm/trace.c

FEATURES := $(patsubst FEATURE_%,%,$(sort $(filter FEATURE_%,$(.VARIABLES))))

# The core: Linux and flat guests on VT-x.
NOT_IN_CORE := svm multiboot firmware vga disks monitor disasm gdb trace

WITHOUT ?=
$(foreach f,$(filter-out $(FEATURES),$(WITHOUT)),$(error there is no feature '$f': WITHOUT takes $(FEATURES)))
$(if $(filter-out $(WITHOUT),vmx svm),,$(error without 'vmx' and 'svm' there is nothing to run a guest with))
$(if $(filter-out $(WITHOUT),linux multiboot flat firmware),,$(error without 'linux', 'multiboot', 'flat' and 'firmware' there is no guest to run))
LEFT_OUT := $(foreach f,$(WITHOUT),$(FEATURE_$f))
