#include "built_in.h"

#include "boot/config_key.h"
#include "debug/gdb.h"
#include "dev/devices.h"
#include "disks.h"
#include "load/load.h"
#include "vm/trace.h"
#include "vm/vm.h"

/* Each by its name in features.mk, and something of it that is there if it is. */
static const struct {
	const char *name;
	const void *code;
} features[] = {
	[GUEST_LINUX] = {"linux", load_linux},	      [GUEST_MULTIBOOT] = {"multiboot", load_multiboot},
	[GUEST_FLAT] = {"flat", load_flat},	      [GUEST_FIRMWARE] = {"firmware", load_firmware},
	[FEATURE_DISKS] = {"disks", config_set_disk}, [FEATURE_DRIVES] = {"drives", disks_open},
	[FEATURE_GDB] = {"gdb", gdb_attach},	      [FEATURE_TRACE] = {"trace", trace_create},
	[FEATURE_VGA] = {"vga", vga_text_create},
};

bool vm_has_vga(const struct vm *vm)
{
	const struct vm_config *c = vm->config;

	return vga_text_create && (c->kind == GUEST_FIRMWARE || c->kind == GUEST_MULTIBOOT ||
				   c->flat_bits == 16 || c->console_vga);
}

const char *feature_missing(u8 feature)
{
	return !feature || features[feature].code ? NULL : features[feature].name;
}
