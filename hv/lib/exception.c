#include "lib/exception.h"

const char *exception_name(u8 vector)
{
	static const char names[][4] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
					"#DF", "9",   "#TS", "#NP", "#SS", "#GP", "#PF", "15",
					"#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};

	return vector < ARRAY_SIZE(names) ? names[vector] : "?";
}
