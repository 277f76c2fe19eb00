/* Wide accesses to byte-wide devices. */

#include "dev/devices.h"

u32 pio_read_bytes(u32 (*read)(void *dev, u16 port, unsigned size), void *dev, u16 port, unsigned size)
{
	u32 val = 0;

	for (unsigned i = 0; i < size; i++)
		val |= (read(dev, port + i, 1) & 0xFF) << (i * 8);
	return val;
}

void pio_write_bytes(void (*write)(void *dev, u16 port, unsigned size, u32 val), void *dev, u16 port,
		     unsigned size, u32 val)
{
	for (unsigned i = 0; i < size; i++)
		write(dev, port + i, 1, (u8)(val >> (i * 8)));
}
