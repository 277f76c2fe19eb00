/* What instructions are called, in one table for each map of opcodes. */
#include "debug/disasm_names.h"

#include "lib/string.h"

/* Each entry: first and last opcode (of the groups: ModRM), a text, a zero; END is one of none. In a map the
 * first that fits counts. */
#define END "\xff\0"
/* clang-format off */
static const char one_byte[] =
	"\x27\x27" "daa\0" "\x2f\x2f" "das\0" "\x37\x37" "aaa\0" "\x3f\x3f" "aas\0"
	"\x06\x07" "<push,pop> es\0" "\x0e\x0e" "push cs\0" "\x16\x17" "<push,pop> ss\0"
	"\x1e\x1f" "<push,pop> ds\0" "\x40\x47" "inc Z\0" "\x48\x4f" "dec Z\0" "\x50\x57" "push Z\0"
	"\x58\x5f" "pop Z\0" "\x60\x61" "<pusha,popa>\0" "\x62\x62" "bound G,M\0" "\x63\x63" "movsxd G,4\0"
	"\x68\x68" "push I\0" "\x69\x69" "imul G,E,I\0" "\x6a\x6a" "push I\0" "\x6b\x6b" "imul G,E,I\0"
	"\x6c\x6d" "ins%\0" "\x6e\x6f" "outs%\0" "\x70\x7f" "j& J\0" "\x80\x83" ALU " E,I\0"
	"\x84\x85" "test E,G\0" "\x86\x87" "xchg E,G\0" "\x88\x89" "mov E,G\0" "\x8a\x8b" "mov G,E\0"
	"\x8c\x8c" "mov E,S\0" "\x8d\x8d" "lea G,M\0" "\x8e\x8e" "mov S,6\0" "\x8f\x8f" "pop E\0"
	"\x90\x90" "nop\0" "\x91\x97" "xchg A,Z\0" "\x98\x98" "(cbw,cwde,cdqe)\0"
	"\x99\x99" "(cwd,cdq,cqo)\0" "\x9a\x9a" "callf X\0" "\x9b\x9b" "fwait\0"
	"\x9c\x9f" "<pushf,popf,sahf,lahf>\0" "\xa0\xa1" "mov A,O\0" "\xa2\xa3" "mov O,A\0"
	"\xa4\xa5" "movs%\0" "\xa6\xa7" "cmps%\0" "\xa8\xa9" "test A,I\0" "\xaa\xab" "stos%\0"
	"\xac\xad" "lods%\0" "\xae\xaf" "scas%\0" "\xb0\xbf" "mov Z,I\0" "\xc0\xc1" "@ E,I\0"
	"\xc2\xc2" "ret W\0" "\xc3\xc3" "ret\0" "\xc4\xc5" "<les,lds> G,M\0" "\xc6\xc7" "mov E,I\0"
	"\xc8\xc9" "<enter,leave>\0" "\xca\xca" "retf W\0" "\xcb\xcc" "<retf,int3>\0" "\xcd\xcd" "int P\0"
	"\xce\xcf" "<into,iret>\0" "\xd0\xd1" "@ E,1\0" "\xd2\xd3" "@ E,U\0" "\xd4\xd5" "<aam,aad> P\0"
	"\xd7\xd7" "xlat\0" "\xe0\xe3" "<loopne,loope,loop,jcxz> J\0" "\xe4\xe5" "in A,P\0"
	"\xe6\xe7" "out P,A\0" "\xe8\xe9" "<call,jmp> J\0" "\xea\xea" "jmpf X\0" "\xeb\xeb" "jmp J\0"
	"\xec\xed" "in A,T\0" "\xee\xef" "out T,A\0" "\xf1\xf5" "<int1,,,hlt,cmc>\0"
	"\xf6\xf7" "{test,test,not,neg,mul,imul,div,idiv} E\0" "\xf8\xfd" "<clc,stc,cli,sti,cld,std>\0"
	"\xfe\xff" "{inc,dec,call,callf,jmp,jmpf,push,} E\0" END;
static const char two_bytes[] =
	"\x00\x00" "{sldt,str,lldt,ltr,verr,verw,,} 6\0"
	"\x01\x01" "{sgdt,sidt,lgdt,lidt,smsw,,lmsw,invlpg} M\0" "\x02\x03" "<lar,lsl> G,6\0"
	"\x05\x09" "<syscall,clts,sysret,invd,wbinvd>\0" "\x0b\x0b" "ud2\0"
	"\x18\x18" "{prefetchnta,prefetcht0,prefetcht1,prefetcht2} M\0" "\x18\x1f" "nop E\0"
	"\x20\x20" "mov E,C\0" "\x21\x21" "mov E,D\0" "\x22\x22" "mov C,E\0" "\x23\x23" "mov D,E\0"
	"\x30\x35" "<wrmsr,rdtsc,rdmsr,rdpmc,sysenter,sysexit>\0" "\x40\x4f" "cmov& G,E\0"
	"\x78\x78" "vmread E,G\0" "\x79\x79" "vmwrite G,E\0" "\x80\x8f" "j& J\0" "\x90\x9f" "set& E\0"
	"\xa0\xa2" "<push fs,pop fs,cpuid>\0" "\xa3\xa3" "bt E,G\0" "\xa4\xa4" "shld E,G,I\0"
	"\xa5\xa5" "shld E,G,U\0" "\xa8\xa9" "<push gs,pop gs>\0" "\xab\xab" "bts E,G\0"
	"\xac\xac" "shrd E,G,I\0" "\xad\xad" "shrd E,G,U\0"
	"\xae\xae" "{fxsave,fxrstor,ldmxcsr,stmxcsr,xsave,xrstor,xsaveopt,clflush} M\0"
	"\xaf\xaf" "imul G,E\0" "\xb0\xb1" "cmpxchg E,G\0" "\xb3\xb3" "btr E,G\0" "\xb6\xb6" "movzx G,8\0"
	"\xb7\xb7" "movzx G,6\0" "\xb8\xb8" "popcnt G,E\0" "\xba\xba" "{,,,,bt,bts,btr,btc} E,I\0"
	"\xbb\xbb" "btc E,G\0" "\xbc\xbd" "<bsf,bsr> G,E\0" "\xbe\xbe" "movsx G,8\0"
	"\xbf\xbf" "movsx G,6\0" "\xc0\xc1" "xadd E,G\0" "\xc3\xc3" "movnti E,G\0"
	"\xc7\xc7" "{,cmpxchg8b,,xrstors,xsavec,xsaves,,} M\0" "\xc8\xcf" "bswap Z\0"
	"\xb2\xb5" "<lss,,lfs,lgs> G,M\0" END;
static const char group_0f01[] =
	"\xc0\xc4" "<,vmcall,vmlaunch,vmresume,vmxoff>\0" "\xc8\xcb" "<monitor,mwait,clac,stac>\0"
	"\xd0\xd1" "<xgetbv,xsetbv>\0"
	"\xd8\xdf" "<vmrun,vmmcall,vmload,vmsave,stgi,clgi,skinit,invlpga>\0"
	"\xf8\xf9" "<swapgs,rdtscp>\0" "\xfa\xfa" "monitorx\0" END;
static const char group_0fae[] =
	"\xe8\xff" "{,,,,,lfence,mfence,sfence}\0" END;
/* clang-format on */

/* The text of opcode, which is *n behind its entry's first; NULL for none. */
static const char *find(const char *e, u8 opcode, unsigned *n)
{
	for (; (u8)e[0] <= (u8)e[1]; e += 2 + strlen(e + 2) + 1) {
		*n = opcode - (u8)e[0];
		if (*n <= (unsigned)((u8)e[1] - (u8)e[0]))
			return e + 2;
	}
	return NULL;
}

const char *disasm_text(const struct insn *i, unsigned *n)
{
	static const char alu[3][6] = {"^ E,G", "^ G,E", "^ A,I"};
	unsigned form = (i->opcode & 7) / 2;
	bool registers = i->modrm >= 0xC0;

	if (i->map > MAP_0F)
		return NULL;
	if (i->map == MAP_1)
		return i->opcode < 0x40 && form < ARRAY_SIZE(alu) ? alu[form] : find(one_byte, i->opcode, n);
	/* With other prefixes, or registers, some are other instructions. */
	switch (i->opcode) {
	case 0x01:
		if (registers)
			return find(group_0f01, i->modrm, n);
		break;
	case 0xAE:
		if (i->rep || i->op_size == 2)
			return NULL;
		if (registers)
			return find(group_0fae, i->modrm, n);
		break;
	case 0xBC:
	case 0xBD:
		if (i->rep)
			return NULL;
		break;
	case 0xC7:
		if (registers || i->op_size == 8)
			return NULL;
	}
	return find(two_bytes, i->opcode, n);
}
