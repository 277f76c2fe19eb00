/* Lists of strings, one behind the other. */
#include "lib/string.h"

const char *nth_string(const char *list, unsigned n)
{
	while (n--)
		list += strlen(list) + 1;
	return list;
}

const char *name_of(const u8 *numbers, unsigned count, const char *names, u64 n)
{
	unsigned i = 0;

	while (i < count && numbers[i] != n)
		i++;
	return nth_string(names, i);
}
